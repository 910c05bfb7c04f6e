// SPDX-License-Identifier: Apache-2.0
//
// What the kernel, and then udev, tell of the host's devices as they come and go.
#pragma once

#include <string>
#include <string_view>

#include "unique_fd.hpp"

namespace devhost {

/// What may have happened.
struct DeviceEvents {
    bool come = false;
    bool gone = false;

    bool operator==(const DeviceEvents &) const = default;
};

/// What one message tells of devices of a subsystem.
DeviceEvents device_events_of(std::string_view message, const std::string &subsystem);

class Uevents {
public:
    /// Of one subsystem. Throws Error.
    explicit Uevents(std::string subsystem);

    /// Readable when read() has something.
    [[nodiscard]] const UniqueFd &fd() const { return fd_; }
    DeviceEvents read();

private:
    std::string subsystem_;
    UniqueFd fd_;
};

} // namespace devhost
