// SPDX-License-Identifier: Apache-2.0
//
// The service on a bus of its own, over a machine in memory.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <systemd/sd-event.h>
#include <thread>

#include "bus_service.hpp"
#include "configuration.hpp"
#include "fakes.hpp"
#include "private_bus.hpp"

namespace devhost::test {

/// A manager in a thread of its own, as devhostd wires it.
class ServiceThread {
public:
    ServiceThread(PrivateBus &bus, FakeMachine &machine);
    ServiceThread(const ServiceThread &) = delete;
    ServiceThread &operator=(const ServiceThread &) = delete;
    ~ServiceThread();

    /// Runs @p work in the service's thread, where the machine may be touched, and waits for it.
    void run(const std::function<void()> &work);

private:
    void serve(PrivateBus &bus, FakeMachine &machine);
    static int on_work(sd_event_source *source, int fd, std::uint32_t events, void *self);

    UniqueFd wake_;
    UniqueFd done_;
    std::function<void()> work_;
    std::thread thread_;
};

/// What a call answered: a message, or the name and text of an error.
struct Answer {
    BusMessage message;
    std::string error;
    std::string text;
};

class BusFixture : public testing::Test {
protected:
    BusFixture();

    template <typename... Arguments>
    Answer call(sd_bus &bus, const std::string &path, const std::string &interface,
                const std::string &method, const Arguments &...arguments)
    {
        sd_bus_message *raw = nullptr;
        bus_require(sd_bus_message_new_method_call(&bus, &raw, "org.devhost1", path.c_str(),
                                                   interface.c_str(), method.c_str()),
                    "new call");
        const BusMessage request(raw);
        (BusType<Arguments>::append(*request, arguments), ...);
        return send(bus, *request);
    }
    template <typename... Arguments>
    Answer manager(const std::string &method, const Arguments &...arguments)
    {
        return call(*client, "/org/devhost1", "org.devhost1.Manager", method, arguments...);
    }
    Answer send(sd_bus &bus, sd_bus_message &request);
    Setting properties(const std::string &path, const std::string &interface);
    /// Runs the client's bus until @p met, for a bounded time.
    bool wait_until(const std::function<bool()> &met);
    void make_guest();

    PrivateBus bus;
    FakeMachine machine;
    std::unique_ptr<ServiceThread> service;
    Bus client;
};

inline const std::string guest_object = "/org/devhost1/guest/ivi";
inline const std::string device_object = "/org/devhost1/guest/ivi/can0";
inline const std::string guest_iface = "org.devhost1.Guest";
inline const std::string device_iface = "org.devhost1.Device";
inline const std::string power_object = "/org/devhost1/power";
inline const std::string power_iface = "org.devhost1.Power";
inline const std::string guest_power_iface = "org.devhost1.GuestPower";
inline const std::string policy_iface = "org.devhost1.Policy";

Setting settings(const std::string &toml);

} // namespace devhost::test
