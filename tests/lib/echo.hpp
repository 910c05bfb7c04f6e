// SPDX-License-Identifier: Apache-2.0
// The driver of the test device class "echo" (tests/kmod/devhost_echo).
#pragma once

#include <devhost_echo.h>

#include <optional>

#include "control.hpp"
#include "guest.hpp"

namespace dh {

// Parameters of an echo device with that ring.
DeviceParams echo_params(RingKind ring, bool in_order = false);

class EchoGuest : public Guest {
public:
    EchoGuest(const std::string &path, GuestSetup setup) : Guest(path, setup) {}

    // A request on the control queue; its value, nothing where it was refused.
    std::optional<uint64_t> control(uint32_t op, uint32_t a0 = 0, uint32_t a1 = 0, uint32_t a2 = 0);
    uint64_t count(uint32_t counter);

    // Adds and kicks a request of @readable bytes, answered in @writable bytes.
    struct Request {
        int id;
        uint64_t out;
        uint64_t in;
        uint32_t readable;
        uint32_t writable;
    };
    Request send(uint32_t queue, uint32_t readable, uint32_t writable, uint8_t seed = 0);
    // Whether what came back is what was sent.
    void verify(const Request &request, const Used &used);

    // The good request that has to succeed after every bad one.
    void good();

    // Gives back the guest memory of all requests since the first call.
    void recycle();

private:
    void scratch();
    void fill(uint64_t where, uint32_t length, uint8_t seed);

    uint64_t control_ = 0;
    uint64_t good_ = 0;
    uint64_t mark_ = 0;
};

// An echo device and a guest on it, started.
struct EchoFixture {
    explicit EchoFixture(GuestSetup setup, bool in_order = false)
        : device(echo_params(setup.ring, in_order)), guest(device.path(), setup)
    {
        guest.start();
    }
    TestDevice device;
    EchoGuest guest;
};

} // namespace dh
