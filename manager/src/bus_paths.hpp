// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace devhost {

inline constexpr const char *bus_name = "org.devhost1";
inline constexpr const char *root_path = "/org/devhost1";
inline constexpr const char *guests_prefix = "/org/devhost1/guest";
inline constexpr const char *power_path = "/org/devhost1/power";

/// What a path below /org/devhost1/guest names; the device is empty on the path of a guest.
struct PathNames {
    std::string guest;
    std::string device;
    bool operator==(const PathNames &) const = default;
};

std::string guest_path(const std::string &guest);
std::string device_path(const std::string &guest, const std::string &device);
std::optional<PathNames> names_in(const std::string &path);

} // namespace devhost
