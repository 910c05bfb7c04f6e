// SPDX-License-Identifier: Apache-2.0
#include "bus_paths.hpp"
#include "commands.hpp"
#include "config_toml.hpp"

namespace devhost::ctl {

namespace {

// The line as it stands if TOML can read it, else with the value quoted.
std::string toml_line(const std::string &key, const std::string &value)
{
    const std::string line = key + " = " + value + "\n";
    try {
        parse_toml(line, "");
        return line;
    } catch (const ConfigError &) {
        return key + " = " + to_json({.value = value}) + "\n";
    }
}

} // namespace

Target target_of(const std::string &argument)
{
    const std::size_t slash = argument.find('/');
    if (slash == std::string::npos) {
        return {.guest = argument, .device = {}};
    }
    Target target{.guest = argument.substr(0, slash), .device = argument.substr(slash + 1)};
    if (target.device.empty()) {
        throw UsageError("A device is named GUEST/DEVICE.");
    }
    return target;
}

std::string path_of(const Target &target)
{
    return target.device.empty() ? guest_path(target.guest)
                                 : device_path(target.guest, target.device);
}

Setting settings_of(Arguments::const_iterator begin, Arguments::const_iterator end)
{
    std::string document;
    for (auto argument = begin; argument != end; ++argument) {
        const std::size_t equals = argument->find('=');
        if (equals == std::string::npos || equals == 0) {
            throw UsageError("'" + *argument + "' is not KEY=VALUE.");
        }
        document += toml_line(argument->substr(0, equals), argument->substr(equals + 1));
    }
    return parse_toml(document, "");
}

} // namespace devhost::ctl
