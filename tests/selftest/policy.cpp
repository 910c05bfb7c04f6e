// SPDX-License-Identifier: Apache-2.0
// bad-input 4.4: S10, policies that lie, leave or change; and 4.6: C9 and C10,
// what a policy is there for. Closed, whatever happens.
#include <atomic>
#include <chrono>
#include <thread>

#include "can.hpp"
#include "hostile.hpp"
#include "policy_in_force.hpp"

using namespace dh;
using can::Frame;

namespace {

constexpr const char *allow_all = R"(
[policy.can.transmit]
default = "allow"
[policy.can.receive]
default = "allow"
)";
constexpr const char *allow_none = R"(
[policy.can.transmit]
default = "deny"
[policy.can.receive]
default = "deny"
)";

DeviceParams required(const std::string &interface)
{
    DeviceParams p = can::params(interface);
    p.policy_required = true;
    return p;
}

// A CAN device that requires a policy, started.
struct Required {
    Required() : device(required(bus.name())), guest(device.path(), {}), host(bus.name())
    {
        guest.bring_up();
    }
    uint32_t guest_id() { return device.control().guest(device.guest()).id; }
    std::vector<PolicyDeviceId> devices() { return {{device.name(), device.info().id}}; }
    // Nothing passes, in either direction.
    void closed()
    {
        CHECK_EQ(guest.send({0x123, 0, {1}}).value_or(0xff), can::result_not_ok);
        host.send({0x124, 0, {2}});
        CHECK(!guest.receive(200));
        CHECK(!host.receive(0));
    }
    can::Vcan bus;
    TestDevice device;
    can::CanGuest guest;
    can::Socket host;
};

} // namespace

TEST("S10 policy required, none attached: serves nothing")
{
    Required t;
    CHECK(t.device.info().policy_required);
    t.closed();
    CHECK(t.device.stats().verdicts[DEVHOST_VERDICT_NONE] >= 2);
    // Where none is required, none is missed.
    DeviceParams p = can::params(t.bus.name());
    p.guest = "open";
    TestDevice other(p);
    can::CanGuest g(other.path(), {});
    g.bring_up();
    g.good(t.host);
    t.closed();
}

TEST("S10 policy detached while running: stays closed; attached again: serves")
{
    Required t;
    for (int i = 0; i < 5; i++) {
        {
            PolicyInForce policy(t.guest_id(), t.devices(), allow_all);
            CHECK(t.device.control().guest(t.device.guest()).policy.has_value());
            t.guest.good(t.host);
        }
        // The kernel frees a struct_ops link when its last descriptor goes.
        for (int waited = 0; waited < 3000 && t.device.control().guest(t.device.guest()).policy;
             waited += 10) {
            usleep(10000);
        }
        CHECK(!t.device.control().guest(t.device.guest()).policy);
        t.closed();
    }
}

TEST("S10 policy replaced under traffic: no frame passes between")
{
    Required t;
    PolicyInForce policy(t.guest_id(), t.devices(), allow_none);
    const uint32_t first = *t.device.control().guest(t.device.guest()).policy;
    std::atomic<unsigned> replaced = 0;
    std::jthread swap([&](const std::stop_token &stop) {
        while (!stop.stop_requested()) {
            policy.replace(t.devices(), allow_none);
            replaced++;
        }
    });
    unsigned sent = 0;
    const unsigned wanted = tap::rounds(5, 100);
    while (replaced < wanted) {
        if (t.guest.send({0x123, 0, {1}}).value_or(0) != can::result_not_ok) {
            tap::fail_later("a frame passed");
        }
        sent++;
    }
    swap.request_stop();
    swap.join();
    CHECK(!t.host.receive(100));
    CHECK(*t.device.control().guest(t.device.guest()).policy >= first + replaced);
    CHECK_EQ(t.device.stats().verdicts[DEVHOST_VERDICT_NONE], 0U);
    CHECK_EQ(t.device.stats().verdicts[DEVHOST_VERDICT_DENY], uint64_t{sent});
    policy.replace(t.devices(), allow_all);
    t.guest.good(t.host);
}

TEST("S10 a policy for a guest that does not exist is refused, and one at a time")
{
    Required t;
    bool refused = false;
    try {
        PolicyInForce policy(t.guest_id() + 1000, {}, allow_all);
    } catch (const std::exception &) {
        refused = true;
    }
    CHECK(refused);
    PolicyInForce policy(t.guest_id(), t.devices(), allow_none);
    refused = false;
    try {
        PolicyInForce second(t.guest_id(), t.devices(), allow_all);
    } catch (const std::exception &) {
        refused = true;
    }
    CHECK(refused);
    t.closed();
}

TEST("S10 the guest goes while its policy is attached, and the other way round")
{
    const unsigned rounds = tap::rounds(2, 50);
    for (unsigned i = 0; i < rounds; i++) {
        auto t = std::make_unique<Required>();
        auto policy = std::make_unique<PolicyInForce>(t->guest_id(), t->devices(), allow_all);
        t->guest.good(t->host);
        if (i % 2) {
            policy.reset();
        }
        t.reset();
        policy.reset();
        // Who takes the name over starts without a policy.
        Required next;
        next.closed();
    }
}

TEST("C9 flood of the highest priority: the policy's limits hold, others go on")
{
    can::Vcan bus;
    DeviceParams p = can::params(bus.name());
    p.guest = "flooder";
    TestDevice device(p);
    can::CanGuest g(device.path(), {});
    g.bring_up();
    DeviceParams other_params = can::params(bus.name());
    other_params.guest = "other";
    TestDevice other_device(other_params);
    can::CanGuest other(other_device.path(), {});
    other.bring_up(64);
    can::Socket host(bus.name());

    PolicyInForce policy(device.control().guest("flooder").id, {}, R"(
[policy.can.transmit]
default = "deny"
lowest_id = 0x100
[[policy.can.transmit.rule]]
verdict = "allow"
range = [0x100, 0x1ff]
frames_per_second = 50
frames_burst = 10
[policy.can.receive]
default = "allow"
)");
    // Too urgent: never.
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(g.send({0, 0, {}}).value_or(0xff), can::result_not_ok);
    }
    CHECK(!host.receive(100));

    // Too many: as many as the bucket has.
    const auto begin = std::chrono::steady_clock::now();
    unsigned passed = 0;
    for (int i = 0; i < 1000; i++) {
        passed += g.send({0x100, 0, {1}}).value_or(0xff) == can::result_ok;
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    tap::note(std::to_string(passed) + " of 1000 passed in " + std::to_string(seconds) + " s");
    CHECK(passed >= 10);
    CHECK(passed <= 10 + 50 * seconds + 2);
    CHECK_EQ(device.stats().verdicts[DEVHOST_VERDICT_LIMIT], 1000 - passed);
    while (host.receive(50)) {
    }
    // The other guest is heard meanwhile.
    for (int i = 0; i < 20; i++) {
        g.send({0x100, 0, {1}});
        CHECK_EQ(other.send({0x555, 0, {static_cast<uint8_t>(i)}}).value_or(0xff), can::result_ok);
    }
    unsigned heard = 0;
    while (const auto frame = host.receive(300)) {
        heard += frame->id == 0x555;
    }
    CHECK_EQ(heard, 20U);
}

TEST("C10 a guest spoofs another's identifier: dropped and counted")
{
    can::Vcan bus;
    TestDevice device(can::params(bus.name()));
    can::CanGuest g(device.path(), {});
    g.bring_up();
    can::Socket host(bus.name());
    PolicyInForce policy(device.control().guest(device.guest()).id, {}, R"(
[policy.can.transmit]
default = "deny"
[[policy.can.transmit.rule]]
verdict = "allow"
id = 0x200
[[policy.can.transmit.rule]]
verdict = "allow"
id = 0x18da10f1
[policy.can.receive]
default = "allow"
)");
    const uint64_t denied = device.stats().counters["tx_denied"];
    const Frame spoofed[] = {{0x201, 0, {1}},
                             {0x1ff, 0, {}},
                             {0x200, can::flag_extended, {1}}, // not the same identifier
                             {0x18da11f1, can::flag_extended, {}},
                             {0x7ff, 0, {1, 2, 3}}};
    for (const Frame &frame : spoofed) {
        CHECK_EQ(g.send(frame).value_or(0xff), can::result_not_ok);
    }
    CHECK(!host.receive(100));
    const Stats stats = device.stats();
    CHECK_EQ(stats.counters.at("tx_denied"), denied + std::size(spoofed));
    CHECK_EQ(stats.verdicts.at(DEVHOST_VERDICT_DENY), std::size(spoofed));
    CHECK_EQ(g.send({0x200, 0, {7}}).value_or(0xff), can::result_ok);
    CHECK_EQ(*host.receive(), (Frame{0x200, 0, {7}}));
    CHECK_EQ(g.send({0x18da10f1, can::flag_extended, {7}}).value_or(0xff), can::result_ok);
    CHECK_EQ(*host.receive(), (Frame{0x18da10f1, can::flag_extended, {7}}));
    // Towards the guest all is allowed.
    host.send({0x201, 0, {9}});
    CHECK_EQ(*g.receive(), (Frame{0x201, 0, {9}}));
}

TEST_RINGS("S10 echo: the verdict is the policy's")
{
    EchoFixture t(with_ring(ring));
    auto ask = [&](uint32_t id) {
        return t.guest.control(ECHO_OP_POLICY_CAN, id, 0, 8).value_or(99);
    };
    CHECK_EQ(ask(0x100), 1U);
    {
        PolicyInForce policy(t.device.control().guest(t.device.guest()).id, {}, typical_policy);
        CHECK_EQ(ask(0x100), 1U);
        CHECK_EQ(ask(0x3ff), 1U);
        CHECK_EQ(ask(0x400), 0U);
        CHECK_EQ(ask(0x0), 0U);
        CHECK_EQ(ask(0x7e8), 1U);
        CHECK_EQ(ask(0x7e9), 0U);
    }
    t.guest.good();
}
