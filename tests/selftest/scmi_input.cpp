// SPDX-License-Identifier: Apache-2.0
// bad-input 4.7, commands that sleep, notifications without buffers; reset,
// suspend and death meanwhile.
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "child.hpp"
#include "host.hpp"
#include "scmi.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

std::vector<uint8_t> request(uint32_t hdr, size_t parameters = 0)
{
    std::vector<uint8_t> bytes(4 + parameters);
    memcpy(bytes.data(), &hdr, 4);
    return bytes;
}

using Clock = std::chrono::steady_clock;

int64_t ms_since(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

// A slow provider, which is slow no longer at the end.
class Slow {
public:
    Slow(std::string name, unsigned ms) : name_(std::move(name)) { set_knob(name_, ms); }
    Slow(const Slow &) = delete;
    Slow &operator=(const Slow &) = delete;
    ~Slow() { set_knob(name_, 0); }

private:
    std::string name_;
};

} // namespace

TEST_RINGS("M1 requests too short, too long, without room")
{
    ScmiFixture t(with_ring(ring));
    const uint32_t version = header(base, 0);
    for (size_t bytes = 1; bytes < 4; bytes++) {
        std::vector<uint8_t> part = request(version);
        part.resize(bytes);
        CHECK_EQ(t.guest.raw(part, 64).length, 0U);
        t.guest.good();
    }
    CHECK_EQ(t.guest.raw({}, 64).length, 0U);              // only writable
    CHECK_EQ(t.guest.raw(request(version), 0).length, 0U); // only readable
    for (uint32_t writable = 1; writable < 8; writable++) {
        CHECK_EQ(t.guest.raw(request(version), writable).length, 0U);
        t.guest.good();
    }
    // Room for the status, not for what it is about.
    for (uint32_t writable = 8; writable < 12; writable++) {
        const Answer answer = t.guest.raw(request(version), writable);
        CHECK_EQ(answer.length, 8U);
        CHECK_EQ(answer.status, protocol_error);
    }
    CHECK_EQ(t.guest.raw(request(version), 12).status, success);
    CHECK_EQ(t.guest.raw(request(version, 92), 64).status, protocol_error);
    CHECK(t.device.stats().vqs.at(cmdq).malformed >= 12);
    t.guest.good();
}

TEST_RINGS("M1 a request of 4 KiB, and one of as many descriptors as there are")
{
    ScmiFixture t(with_ring(ring));
    const uint64_t where = t.guest.alloc(8192, 4096);
    *t.guest.as<uint32_t>(where) = header(base, 0);
    Queue &q = t.guest.queue(cmdq);
    q.add({{where, 4096, false}, {where + 4096, 4096, true}});
    q.kick();
    CHECK_EQ(q.expect().length, 8U);
    CHECK_EQ(*t.guest.as<int32_t>(where + 4096 + 4), protocol_error);
    // One byte each, and it works.
    std::vector<Buffer> buffers;
    for (unsigned i = 0; i < 4; i++) {
        buffers.push_back({where + i, 1, false});
    }
    for (unsigned i = 0; i < 12; i++) {
        buffers.push_back({where + 64 + i, 1, true});
    }
    q.add(buffers);
    q.kick();
    CHECK_EQ(q.expect().length, 12U);
    CHECK_EQ(*t.guest.as<int32_t>(where + 68), success);
    CHECK_EQ(*t.guest.as<uint32_t>(where + 72), 0x20001U);
    t.guest.good();
}

TEST_RINGS("M2 unknown protocols and messages, types that are no command, the same token again")
{
    ScmiFixture t(with_ring(ring));
    for (uint32_t protocol = 0; protocol <= 0xff; protocol++) {
        if (protocol >= 0x10 && protocol <= 0x17) {
            continue;
        }
        CHECK_EQ(t.guest.status(static_cast<uint8_t>(protocol), 0), not_supported);
    }
    for (uint8_t type = 1; type < 4; type++) {
        for (uint8_t protocol : {base, clk, power}) {
            const Answer answer = t.guest.raw(request(header(protocol, 0, 5, type)), 64);
            CHECK_EQ(answer.status, not_supported);
            CHECK_EQ(answer.hdr, header(protocol, 0, 5, type));
        }
    }
    // Bits that have no meaning come back as they are.
    CHECK_EQ(t.guest.raw(request(header(base, 0) | 0xf0000000), 64).hdr,
             header(base, 0) | 0xf0000000);
    // A token is the agent's: any number of commands may have the same.
    for (unsigned i = 0; i < 8; i++) {
        CHECK(t.guest.queue_call(base, 0, {}, 64, 7) >= 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        const Answer answer = t.guest.collect();
        CHECK_EQ(answer.status, success);
        CHECK_EQ(answer.hdr, header(base, 0, 7));
    }
    t.guest.good();
}

TEST_RINGS("M7 notifications and delayed responses without an eventq")
{
    ScmiFixture t(without_p2a(ring));
    ScmiGuest &g = t.guest;
    CHECK_EQ(g.status(base, 0x8, {1}), not_supported);
    CHECK_EQ(g.status(power, 0x6, {0, 1}), not_supported);
    CHECK_EQ(g.status(system_power, 0x5, {1}), not_supported);
    CHECK_EQ(g.status(perf, 0x9, {0, 1}), not_supported);
    CHECK_EQ(g.status(clk, 0x9, {0, 1}), not_supported);
    CHECK_EQ(g.status(sensor, 0x4, {0, 1}), not_supported);
    CHECK_EQ(g.status(reset, 0x5, {0, 1}), not_supported);
    CHECK_EQ(g.status(clk, 0x5, {1, 0, 5000000, 0}), not_supported);
    CHECK_EQ(g.status(voltage, 0x7, {0, 1, 900000}), not_supported);
    CHECK_EQ(g.status(reset, 0x4, {0, 5, 0}), not_supported);
    CHECK_EQ(g.status(sensor, 0x6, {0, 1}), not_supported);
    CHECK(knob("clk0/rate") != 5000000U);
    // Nor does anything say that there are any.
    CHECK_EQ(g.ok(clk, 0x1).u32(0) >> 16, 0U);
    CHECK_EQ(g.ok(clk, 0x3, {0}).u32(0) >> 30, 0U);
    CHECK_EQ(g.ok(power, 0x3, {0}).u32(0) >> 30, 0U);
    CHECK_EQ(g.ok(sensor, 0x1).u32(0) >> 16, 0U);
    CHECK_EQ(g.ok(sensor, 0x3, {0}).u32(8), 0U);
    CHECK_EQ(g.ok(voltage, 0x3, {0}).u32(0) >> 31, 0U);
    CHECK_EQ(g.ok(reset, 0x3, {0}).u32(0) >> 30, 0U);
    g.good();
}

TEST_RINGS("M7 delayed responses wait for a buffer, and come in the end")
{
    ScmiFixture t(with_ring(ring), false);
    ScmiGuest &g = t.guest;
    g.bring_up(0);
    g.ok(clk, 0x5, {1, 0, 33000000, 0});
    expect_knob("clk0/rate", 33000000);
    g.ok(voltage, 0x7, {0, 1, 950000});
    g.ok(reset, 0x4, {0, 5, 0});
    g.ok(sensor, 0x6, {0, 1});
    usleep(100000);
    CHECK(!g.event(50));
    // Buffers that are too small are used up, and none of them is lost.
    g.post_events(3, 6);
    for (unsigned i = 0; i < 3; i++) {
        const auto nothing = g.event(5000, false);
        CHECK(nothing.has_value());
        CHECK_EQ(nothing->payload.size(), 0U);
    }
    g.post_events(4);
    bool seen[4] = {};
    for (unsigned i = 0; i < 4; i++) {
        const auto event = g.event();
        CHECK(event.has_value());
        CHECK_EQ(event->type, delayed);
        CHECK_EQ(event->u32(0), 0U);
        CHECK_EQ(event->u32(4), 0U); // the id
        switch (event->protocol) {
        case clk:
            CHECK_EQ(event->u64(8), 33000000U);
            seen[0] = true;
            break;
        case voltage:
            CHECK_EQ(event->u32(8), 950000U);
            seen[1] = true;
            break;
        case reset:
            seen[2] = true;
            break;
        case sensor:
            CHECK_EQ(event->u64(8), 25000U);
            seen[3] = true;
            break;
        }
    }
    CHECK(seen[0] && seen[1] && seen[2] && seen[3]);
    // Without one, as asked for; and one that fails.
    g.ok(clk, 0x5, {3, 0, 34000000, 0});
    expect_knob("clk0/rate", 34000000);
    CHECK(!g.event(50));
    set_knob("clk0/fail", 1);
    g.ok(clk, 0x5, {1, 0, 35000000, 0});
    const auto failed = g.event();
    set_knob("clk0/fail", 0);
    CHECK(failed.has_value());
    CHECK_EQ(static_cast<int32_t>(failed->u32(0)), hardware_error);
    CHECK_EQ(failed->payload.size(), 4U);
    g.good();
}

TEST_RINGS("M7 more delayed responses than the device keeps are refused, none is lost")
{
    ScmiFixture t(with_ring(ring), false);
    ScmiGuest &g = t.guest;
    g.bring_up(0);
    unsigned owed = 0;
    bool refused = false;
    for (unsigned i = 0; i < 100; i++) {
        const int32_t status = g.status(sensor, 0x6, {0, 1});
        if (status == success) {
            owed++;
        } else {
            CHECK_EQ(status, busy);
            refused = true;
        }
    }
    CHECK(refused);
    CHECK(owed >= 16 && owed <= 64);
    g.post_events(owed + 1);
    for (unsigned i = 0; i < owed; i++) {
        CHECK(g.event(5000, false).has_value());
    }
    CHECK(!g.event(50));
    g.ok(sensor, 0x6, {0, 1});
    CHECK(g.event().has_value());
    g.good();
}

TEST_RINGS("M7 notifications without buffers become one, with what is so then")
{
    ScmiFixture t(with_ring(ring), false);
    ScmiGuest &g = t.guest;
    g.bring_up(0);
    g.ok(clk, 0x9, {0, 1});
    g.ok(power, 0x6, {0, 1});
    for (uint32_t i = 1; i <= 50; i++) {
        g.ok(clk, 0x5, {0, 0, i * 1000000, 0});
        g.ok(power, 0x4, {0, 0, i % 2 ? 0 : power_off});
    }
    CHECK(!g.event(50));
    g.post_events(8);
    unsigned clocks = 0;
    unsigned powers = 0;
    // Both of them, however long that takes, and then nothing.
    while (const auto event = g.event(clocks && powers ? 300 : 5000)) {
        CHECK_EQ(event->type, notification);
        CHECK_EQ(event->u32(4), 0U);
        if (event->protocol == clk) {
            CHECK_EQ(event->message, 0);
            CHECK_EQ(event->u64(8), 50000000U);
            clocks++;
        } else {
            CHECK_EQ(event->protocol, power);
            CHECK_EQ(event->u32(8), power_off);
            powers++;
        }
    }
    CHECK_EQ(clocks, 1U);
    CHECK_EQ(powers, 1U);
    g.ok(clk, 0x9, {0, 0});
    g.ok(clk, 0x5, {0, 0, 60000000, 0});
    CHECK(!g.event(100));
    CHECK_EQ(g.status(clk, 0x9, {0, 2}), invalid_parameters);
    g.good();
}

TEST_RINGS("scmi: the other guest hears what one does")
{
    ScmiFixture t(with_ring(ring));
    DeviceParams other = params(everything(), ring);
    other.guest = "listener";
    TestDevice device(other);
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    g.ok(clk, 0x9, {0, 1});
    g.ok(clk, 0xa, {0, 1});
    g.ok(perf, 0xa, {0, 1});
    g.ok(reset, 0x5, {0, 1});
    t.guest.ok(clk, 0x5, {0, 0, 66000000, 0});
    t.guest.ok(perf, 0x7, {0, 200000});
    t.guest.ok(reset, 0x4, {0, 1, 0});
    unsigned seen = 0;
    for (unsigned i = 0; i < 4; i++) {
        const auto event = g.event();
        CHECK(event.has_value());
        CHECK_EQ(event->u32(0), 0U); // not itself: the platform
        if (event->protocol == clk) {
            CHECK_EQ(event->u64(8), 66000000U);
            seen |= 1U << event->message;
        } else if (event->protocol == perf) {
            CHECK_EQ(event->message, 1);
            CHECK_EQ(event->u32(8), 200000U);
            seen |= 4;
        } else {
            CHECK_EQ(event->protocol, reset);
            seen |= 8;
        }
    }
    CHECK_EQ(seen, 15U);
    g.good();
}

TEST_RINGS("scmi: trip points and updates of sensors")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    // One that is pushed.
    CHECK_EQ(push_reading(t.device, 2, 20), 0);
    g.ok(sensor, 0x5, {2, 3 | 1U << 4, 30, 0}); // trip point 1, both ways
    CHECK_EQ(g.status(sensor, 0x5, {2, 3 | 4U << 4, 30, 0}), invalid_parameters);
    CHECK_EQ(g.status(sensor, 0x5, {2, 4, 30, 0}), invalid_parameters);
    g.ok(sensor, 0x4, {2, 1});
    CHECK(!g.event(100));
    CHECK_EQ(push_reading(t.device, 2, 35), 0);
    auto event = g.event();
    CHECK(event.has_value());
    CHECK_EQ(event->protocol, sensor);
    CHECK_EQ(event->message, 0);
    CHECK_EQ(event->u32(4), 2U);
    CHECK_EQ(event->u32(8), 1U | 1U << 16);
    CHECK_EQ(push_reading(t.device, 2, 40), 0);
    CHECK(!g.event(100));
    CHECK_EQ(push_reading(t.device, 2, 29), 0);
    event = g.event();
    CHECK(event.has_value());
    CHECK_EQ(event->u32(8), 1U);
    g.ok(sensor, 0x4, {2, 0});
    // One that is read from time to time.
    g.ok(sensor, 0xa, {0, 1U | (0x1fU << 11) | 2U << 16}); // every 0.2 s
    g.ok(sensor, 0x5, {0, 1, 50000, 0});
    g.ok(sensor, 0x4, {0, 1});
    CHECK(!g.event(600));
    set_knob("zone/temp", 51000);
    event = g.event();
    CHECK(event.has_value());
    CHECK_EQ(event->u32(4), 0U);
    CHECK_EQ(event->u32(8), 1U << 16);
    g.ok(sensor, 0x4, {0, 0});
    g.ok(sensor, 0xb, {0, 1});
    for (unsigned i = 0; i < 3; i++) {
        event = g.event();
        CHECK(event.has_value());
        CHECK_EQ(event->message, 1);
        CHECK_EQ(event->payload.size(), 24U);
        CHECK_EQ(event->u64(8), 51000U);
    }
    g.ok(sensor, 0xb, {0, 0});
    while (g.event(300)) {
    }
    g.good();
}

TEST_RINGS("scmi: an agent hears of its errors")
{
    ScmiFixture t(with_ring(ring));
    t.guest.ok(base, 0x8, {1});
    CHECK_EQ(t.guest.status(clk, 0x6, {}), protocol_error);
    const auto event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->protocol, base);
    CHECK_EQ(event->message, 0);
    CHECK_EQ(event->payload.size(), 16U);
    CHECK_EQ(event->u32(0), 1U);
    CHECK_EQ(event->u32(4), 1U);
    CHECK_EQ(static_cast<int32_t>(event->u32(12)), protocol_error);
    t.guest.ok(base, 0x8, {0});
    CHECK_EQ(t.guest.status(clk, 0x6, {}), protocol_error);
    CHECK(!t.guest.event(100));
    t.guest.good();
}

TEST_RINGS("M8 commands that sleep run in parallel, and hold up nobody else")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    constexpr unsigned long_ms = 4000;
    Slow supply("vdd0/delay_ms", long_ms);
    Slow domain("pd0/delay_ms", long_ms);
    Slow zone("zone/delay_ms", long_ms);
    const auto start = Clock::now();
    const int a = g.queue_call(voltage, 0x5, {0, 7});
    const int b = g.queue_call(power, 0x4, {0, 0, 0});
    const int c = g.queue_call(sensor, 0x6, {0, 0});
    // Those that don't sleep, and one of another resource that does.
    const int d = g.queue_call(clk, 0x6, {0});
    const int e = g.queue_call(voltage, 0x8, {1});
    CHECK_EQ(g.collect().id, d);
    CHECK_EQ(g.collect().id, e);
    CHECK(ms_since(start) < long_ms);
    for (unsigned i = 0; i < 3; i++) {
        const Answer answer = g.collect();
        CHECK_EQ(answer.status, success);
        CHECK(answer.id == a || answer.id == b || answer.id == c);
    }
    CHECK(ms_since(start) < 5 * long_ms / 2); // not three times as long
    CHECK_EQ(knob("vdd0/on"), 1U);
    CHECK_EQ(knob("pd0/on"), 1U);
    g.good();
}

TEST_RINGS("M8 a storm of commands that sleep: all answered, another guest goes on")
{
    ScmiFixture t(with_ring(ring));
    DeviceParams other =
        params({{DEVHOST_SCMI_CLOCK, "clk1"}, {DEVHOST_SCMI_POWER, "scmi_prov-pd1"}}, ring);
    other.guest = "victim";
    TestDevice device(other);
    ScmiGuest victim(device.path(), with_ring(ring));
    victim.bring_up();
    Slow zone("zone/delay_ms", 20);
    unsigned queued = 0;
    while (t.guest.queue_call(sensor, 0x6, {0, 0}) >= 0) {
        queued++;
    }
    CHECK(queued >= 64);
    const auto start = Clock::now();
    for (unsigned i = 0; i < 20; i++) {
        victim.ok(power, 0x4, {0, 0, i % 2 ? power_off : 0});
        victim.ok(clk, 0x6, {0});
    }
    tap::note("the other guest: 40 commands in " + std::to_string(ms_since(start)) + " ms");
    for (unsigned i = 0; i < queued; i++) {
        CHECK_EQ(t.guest.collect(60000).status, success);
    }
    CHECK_EQ(t.device.stats().vqs.at(cmdq).inflight, 0U);
    t.guest.good();
}

TEST_RINGS("M8 more than the helpers take: the queue waits, nothing is lost")
{
    GuestSetup setup = with_ring(ring);
    setup.queue_size = 1024;
    ScmiFixture t(setup);
    Slow zone("zone/delay_ms", 5);
    unsigned queued = 0;
    while (queued < 500 && t.guest.queue_call(sensor, 0x6, {0, 0}) >= 0) {
        queued++;
    }
    CHECK(queued > 300);
    for (unsigned i = 0; i < queued; i++) {
        CHECK_EQ(t.guest.collect(60000).status, success);
    }
    t.guest.good();
}

TEST_RINGS("S4 reset while commands sleep: soon done, and nothing of them stays")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    for (int round = 0; round < 5; round++) {
        constexpr unsigned long_ms = 10000;
        Slow supply("vdd0/delay_ms", long_ms);
        const auto start = Clock::now();
        g.queue_call(voltage, 0x5, {0, 7});
        g.queue_call(voltage, 0x7, {0, 0, 1200000});
        g.queue_call(clk, 0x7, {0, 1, 0});
        usleep(100000); // one of them sleeps, one waits for it
        g.begin_again();
        CHECK(ms_since(start) < long_ms);
        g.ok(clk, 0x6, {0});
        set_knob("vdd0/delay_ms", 0);
        expect_knob("vdd0/on", 0);
        expect_knob("vdd0/uv", 800000);
        expect_knob("clk0/enabled", 0);
    }
    g.good();
    CHECK_EQ(resource(t.device.control(), t.device.guest(), DEVHOST_SCMI_VOLTAGE, 0).holders, 0U);
}

TEST_RINGS("S4 reset again and again while readings sleep: no threads pile up")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    {
        Slow zone("zone/delay_ms", 400);
        for (int round = 0; round < 12; round++) {
            for (int i = 0; i < 6; i++) {
                CHECK(g.queue_call(sensor, 0x6, {0, 0}) >= 0);
            }
            usleep(20000);
            g.begin_again();
            // One that has ended is seen for a moment longer.
            CHECK(within(5000, [&] { return t.device.helpers().size() <= 16; }));
        }
    }
    // Those that are left end one by one.
    CHECK(within(10000, [&] { return t.device.helpers().empty(); }));
    g.good();
}

TEST_RINGS("S4 reset with delayed responses and notifications due")
{
    ScmiFixture t(with_ring(ring), false);
    ScmiGuest &g = t.guest;
    g.bring_up(0);
    for (int round = 0; round < 10; round++) {
        g.ok(clk, 0x9, {0, 1});
        g.ok(clk, 0x5, {1, 0, 44000000, 0});
        g.ok(sensor, 0xb, {0, 1});
        g.ok(sensor, 0x6, {0, 1});
        g.begin_again(round % 2 ? 4 : 0);
        // Nothing of before.
        if (round % 2) {
            CHECK(!g.event(50));
        }
    }
    g.good();
}

TEST_RINGS("S6 suspended while commands sleep: all are answered, votes stay")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    g.ok(power, 0x4, {0, 0, 0});
    Slow supply("vdd0/delay_ms", 300);
    const auto popped = [&] { return t.device.stats().vqs.at(cmdq).popped; };
    const uint64_t before = popped();
    const int id = g.queue_call(voltage, 0x5, {0, 7});
    CHECK(within(5000, [&] { return popped() == before + 1; }));
    const std::vector<uint32_t> bases = g.halt();
    const Answer answer = g.collect(0);
    CHECK_EQ(answer.id, id);
    CHECK_EQ(answer.status, success);
    CHECK_EQ(knob("pd0/on"), 1U);
    CHECK_EQ(knob("vdd0/on"), 1U);
    set_knob("vdd0/delay_ms", 0);
    g.go_on(bases);
    g.good();
}

TEST_RINGS("S8 the VMM is killed while its commands sleep")
{
    calm();
    TestDevice device(params(everything(), ring));
    {
        Slow supply("vdd0/delay_ms", 500);
        Slow slow_clk("clk0/delay_ms", 200);
        Child vmm([&](Child &self) {
            ScmiGuest g(device.path(), with_ring(ring));
            g.bring_up();
            g.queue_call(voltage, 0x5, {0, 7});
            g.queue_call(voltage, 0x7, {0, 0, 1100000});
            g.queue_call(clk, 0x7, {0, 1, 0});
            g.queue_call(clk, 0x5, {1, 0, 55000000, 0});
            usleep(100000);
            self.tell();
            self.await();
        });
        vmm.wait_told();
        vmm.kill();
    }
    expect_knob("vdd0/on", 0);
    expect_knob("vdd0/uv", 800000);
    expect_knob("clk0/enabled", 0);
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    g.good();
}

TEST_RINGS("S10 a device that needs a policy serves nothing without one")
{
    calm();
    DeviceParams params = scmi::params(everything(), ring);
    params.policy_required = true;
    TestDevice device(params);
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    CHECK_EQ(g.status(base, 0x0), not_supported);
    CHECK_EQ(g.status(clk, 0x6, {0}), not_found);
    CHECK_EQ(g.status(clk, 0x6, {99}), not_found);
    CHECK_EQ(g.status(clk, 0x7, {0, 1, 0}), not_found);
    CHECK_EQ(knob("clk0/prepared"), 0U);
    CHECK_EQ(device.stats().counters.at("denied"), 4U);
    CHECK_EQ(device.stats().verdicts.at(DEVHOST_VERDICT_NONE), 4U);
}

TEST_RINGS("M4 absent and denied: the same answers for every id")
{
    // A guest of one clock probes ids of others' and of nobody.
    calm();
    DeviceParams one = params({{DEVHOST_SCMI_CLOCK, "clk1"}}, ring);
    one.guest = "prober";
    TestDevice device(one);
    ScmiFixture other(with_ring(ring));
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    for (uint32_t id = 1; id < 64; id++) {
        const Answer foreign = g.call(clk, 0x6, {id});
        CHECK_EQ(foreign.status, not_found);
        CHECK_EQ(g.call(clk, 0x6, {0xffffffffU - id}).status, not_found);
        CHECK_EQ(g.status(clk, 0x7, {id, 1, 0}), not_found);
    }
    // Work done, too: none of it went to a helper.
    CHECK_EQ(device.stats().counters.at("deferred"), 0U);
    g.good();
}
