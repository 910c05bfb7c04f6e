// SPDX-License-Identifier: Apache-2.0
//
// [device.video]: a device on a codec of the host.
#pragma once

#include <cstdint>
#include <string>

#include "config_tree.hpp"

namespace devhost {

// The codec by one of two names; the other one is empty.
struct VideoDeviceConfig {
    bool encoder = false;
    std::string node;  // path, /dev/...
    std::string codec; // what it says of itself: driver, card or bus
    std::uint32_t streams_max = 8;

    bool operator==(const VideoDeviceConfig &) const = default;
};

VideoDeviceConfig video_device_from(TableReader table, bool encoder);

} // namespace devhost
