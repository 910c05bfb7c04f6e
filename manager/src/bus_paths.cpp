// SPDX-License-Identifier: Apache-2.0
#include "bus_paths.hpp"

#include <cstdlib>
#include <memory>
#include <new>
#include <systemd/sd-bus.h>

namespace devhost {

namespace {

struct Free {
    void operator()(char *text) const { std::free(text); }
};
using Text = std::unique_ptr<char, Free>;

std::string encode(const std::string &prefix, const std::string &label)
{
    char *path = nullptr;
    if (sd_bus_path_encode(prefix.c_str(), label.c_str(), &path) < 0) {
        throw std::bad_alloc();
    }
    return Text(path).get();
}

std::optional<std::string> decode(const std::string &path, const std::string &prefix)
{
    char *label = nullptr;
    if (sd_bus_path_decode(path.c_str(), prefix.c_str(), &label) <= 0) {
        return std::nullopt;
    }
    return Text(label).get();
}

} // namespace

std::string guest_path(const std::string &guest)
{
    return encode(guests_prefix, guest);
}

std::string device_path(const std::string &guest, const std::string &device)
{
    return encode(guest_path(guest), device);
}

std::optional<PathNames> names_in(const std::string &path)
{
    const std::string start = std::string(guests_prefix) + "/";
    if (!path.starts_with(start)) {
        return std::nullopt;
    }
    const std::size_t slash = path.find('/', start.size());
    const std::string of_guest = path.substr(0, slash);
    const auto guest = decode(of_guest, guests_prefix);
    if (slash != std::string::npos && path.find('/', slash + 1) != std::string::npos) {
        return std::nullopt; // nothing lies below a device
    }
    if (!guest || slash == std::string::npos) {
        return guest ? std::optional(PathNames{*guest, {}}) : std::nullopt;
    }
    const auto device = decode(path, of_guest);
    return device ? std::optional(PathNames{*guest, *device}) : std::nullopt;
}

} // namespace devhost
