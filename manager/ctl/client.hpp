// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bus_message.hpp"
#include "error.hpp"

namespace devhost::ctl {

/// Of the service, as in manager/interfaces.
inline constexpr const char *manager_interface = "org.devhost1.Manager";
inline constexpr const char *guest_interface = "org.devhost1.Guest";
inline constexpr const char *device_interface = "org.devhost1.Device";
inline constexpr const char *policy_interface = "org.devhost1.Policy";
inline constexpr const char *power_interface = "org.devhost1.Power";
inline constexpr const char *guest_power_interface = "org.devhost1.GuestPower";

/// devhostd on the system bus. Calls throw Error with the service's sentence.
class Client {
public:
    Client();

    template <typename... Arguments>
    BusMessage call(const std::string &path, const std::string &interface,
                    const std::string &method, const Arguments &...arguments)
    {
        BusMessage request = prepare(path, interface, method);
        (BusType<Arguments>::append(*request, arguments), ...);
        return send(*request);
    }

    Setting properties(const std::string &path, const std::string &interface);
    /// Path, interface, property: everything there is.
    Setting objects();
    [[nodiscard]] sd_bus &bus() { return *bus_; }

private:
    BusMessage prepare(const std::string &path, const std::string &interface,
                       const std::string &method);
    BusMessage send(sd_bus_message &request);

    Bus bus_;
};

} // namespace devhost::ctl
