// SPDX-License-Identifier: Apache-2.0
//
// What the host's sysfs tells: temperatures of zones, the source of power, sensors of hwmon.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace devhost {

class HostReadings {
public:
    explicit HostReadings(std::filesystem::path root = "/sys") : root_(std::move(root)) {}

    /// Millidegrees Celsius of the thermal zone of that type.
    [[nodiscard]] std::optional<std::int64_t> zone(const std::string &type) const;
    /// Nothing feeds the machine but a battery.
    [[nodiscard]] bool on_battery() const;
    /// CHIP/CHANNEL: a sensor's input, in hwmon's own unit.
    [[nodiscard]] std::optional<std::int64_t> hwmon(const std::string &name) const;

private:
    std::filesystem::path root_;
};

} // namespace devhost
