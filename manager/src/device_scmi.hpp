// SPDX-License-Identifier: Apache-2.0
//
// [device.scmi]: what a guest has of the host's clocks, domains, supplies and sensors.
#pragma once

#include <cstdint>
#include <linux/devhost.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config_tree.hpp"

namespace devhost {

// Words for enum devhost_scmi_kind and enum devhost_scmi_source, as in files and on D-Bus.
const char *word_of(devhost_scmi_kind kind);
std::optional<devhost_scmi_kind> scmi_kind_of(std::string_view word);

struct ScmiResourceConfig {
    devhost_scmi_kind kind = DEVHOST_SCMI_CLOCK;
    std::string host;   // the host's name
    std::string name;   // the guest's name; empty: the host's
    std::string device; // at which the name is looked up; empty: the default one
    devhost_scmi_source source = DEVHOST_SCMI_SOURCE_DEFAULT;
    bool hwmon = false; // values come from the host's hwmon, and devhostd reads them
    bool read_only = false;
    std::optional<std::uint64_t> level_min; // Hz, kHz, microvolts
    std::optional<std::uint64_t> level_max;
    std::optional<std::uint32_t> type; // of a sensor, as SCMI has it
    std::optional<std::int32_t> scale; // power of ten of a sensor's values

    // As the kernel calls it: what is hwmon's there is marked, to be known again.
    std::string kernel_host() const;
    std::string guest_name() const { return name.empty() ? host : name; }
    bool operator==(const ScmiResourceConfig &) const = default;
};

// CHIP/CHANNEL of a host name of the kernel's that is hwmon's, else empty.
std::optional<std::string> hwmon_of(const std::string &kernel_host);

struct ScmiDeviceConfig {
    std::string agent; // empty: as its guest
    bool system_power = true;
    std::vector<ScmiResourceConfig> resources;

    bool operator==(const ScmiDeviceConfig &) const = default;
};

ScmiDeviceConfig scmi_device_from(TableReader table);

// How the agent is called to itself.
std::string scmi_agent(const ScmiDeviceConfig &scmi, const std::string &guest);

// SCMI's type and power of ten for a channel of hwmon ("temp1"); nothing for unknown ones.
struct HwmonUnit {
    std::uint32_t type;
    std::int32_t scale;
};
std::optional<HwmonUnit> hwmon_unit(std::string_view channel);

} // namespace devhost
