// SPDX-License-Identifier: Apache-2.0
//
// [device.can]: a device on a CAN interface.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config_tree.hpp"

namespace devhost {

// What is empty is left as it is found on the interface.
struct CanDeviceConfig {
    std::string interface; // CAN network interface of the host
    bool wait = false;     // create the device though the interface does not exist yet
    std::uint32_t rx_backlog = 1024;
    std::uint32_t tx_inflight = 64;
    std::optional<std::uint32_t> bitrate;           // bit/s
    std::optional<std::uint32_t> sample_point;      // tenths of a percent, as the kernel has it
    std::optional<std::uint32_t> data_bitrate;      // bit/s, CAN FD
    std::optional<std::uint32_t> data_sample_point; // tenths of a percent
    std::optional<bool> fd;                         // CAN FD on the interface
    std::optional<std::uint32_t> restart_ms;        // 0: no automatic restart

    // Whether the interface itself has to be set up (through rtnetlink).
    bool sets_interface() const
    {
        return bitrate || sample_point || data_bitrate || data_sample_point || fd || restart_ms;
    }
    bool operator==(const CanDeviceConfig &) const = default;
};

CanDeviceConfig can_device_from(TableReader table);

} // namespace devhost
