// SPDX-License-Identifier: Apache-2.0
// What a guest may have at most: devices, queues, ring sizes, memory, requests
// in flight. Each limit: up to it, one beyond, and given back.
#include <unistd.h>

#include <cstring>
#include <deque>

#include "child.hpp"
#include "echo.hpp"

using namespace dh;

namespace {

constexpr uint64_t mib = 1 << 20;

constexpr uint16_t devices = DEVHOST_A_LIMIT_DEVICES;
constexpr uint16_t queues = DEVHOST_A_LIMIT_QUEUES;
constexpr uint16_t ring_size = DEVHOST_A_LIMIT_RING_SIZE;
constexpr uint16_t memory = DEVHOST_A_LIMIT_MEMORY;
constexpr uint16_t in_flight = DEVHOST_A_LIMIT_IN_FLIGHT;
constexpr uint16_t in_flight_bytes = DEVHOST_A_LIMIT_IN_FLIGHT_BYTES;

const std::string memory_reason = "the guest's memory is beyond its limit";

void refused(const NetlinkReply &reply, int error, const std::string &words)
{
    CHECK_EQ(reply.error, error);
    if (reply.extack.find(words) == std::string::npos) {
        FAIL("\"" + reply.extack + "\" does not say \"" + words + "\"");
    }
}

DeviceParams echo_named(const std::string &guest, const std::string &name)
{
    DeviceParams params;
    params.guest = guest;
    params.name = name;
    params.device_class = "echo";
    return params;
}

// A guest without devices, removed with those it has by then.
struct BareGuest {
    explicit BareGuest(const Limits &limits)
    {
        const NetlinkReply reply =
            control.genl().request(DEVHOST_CMD_GUEST_NEW, guest_attrs("quota", limits));
        CHECK_EQ(reply.error, 0);
        CHECK(parse_guest(reply.messages.front()).limits == limits);
    }
    ~BareGuest()
    {
        // udev has the nodes open for a moment.
        for (int tries = 0; control.try_guest_del("quota").error == -EBUSY && tries < 100;
             tries++) {
            usleep(20000);
        }
    }
    NetlinkReply add(const std::string &name)
    {
        return control.try_device_new(echo_named("quota", name));
    }
    void remove(const std::string &name)
    {
        CHECK_EQ(control.device_del_patiently("quota", name).error, 0);
    }
    GuestInfo info() { return control.guest("quota"); }
    Control control;
};

// A running device of a guest, whose limits are set as the test goes on.
struct LimitedFixture {
    explicit LimitedFixture(RingKind ring, const Limits &limits = {})
        : device(echo_params(ring)), guest((set(limits), device.path()), with_ring(ring))
    {
        guest.start();
    }
    void set(const Limits &limits) { device.control().guest_set(device.guest(), limits); }
    GuestInfo info() { return device.control().guest(device.guest()); }
    uint64_t use(uint16_t limit) { return info().use.at(limit); }
    uint64_t refusals(uint16_t limit) { return info().refused.at(limit); }
    void hold() { CHECK(guest.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value()); }
    // Requests are served in the order of kicks, and this one comes behind them.
    uint64_t kept() { return guest.count(ECHO_COUNT_KEPT); }
    uint64_t release(uint32_t num = 0)
    {
        return guest.control(ECHO_OP_LATE_RELEASE, num).value_or(~uint64_t{0});
    }
    void wait_kept(uint64_t num)
    {
        for (int waited = 0; kept() != num && waited < 5000; waited += 2) {
            usleep(2000);
        }
        CHECK_EQ(kept(), num);
        usleep(50000); // and no more
        CHECK_EQ(kept(), num);
    }
    TestDevice device;
    EchoGuest guest;
};

} // namespace

TEST("limits: the guest shows them, and what it has")
{
    const Limits limits{{devices, 3},  {queues, 12},   {ring_size, 128},
                        {memory, mib}, {in_flight, 7}, {in_flight_bytes, 8192}};
    BareGuest g(limits);
    const Limits nothing{{devices, 0}, {queues, 0},    {ring_size, 0},
                         {memory, 0},  {in_flight, 0}, {in_flight_bytes, 0}};
    CHECK(g.info().use == nothing);
    CHECK(g.info().refused == nothing);
    CHECK_EQ(g.add("a").error, 0);
    CHECK_EQ(g.info().use.at(devices), 1U);
    CHECK_EQ(g.info().use.at(queues), uint64_t{ECHO_VQS});

    // All at once: what is left out is no limit any more. Listeners are told.
    Genl listener(DEVHOST_GENL_NAME);
    listener.join(DEVHOST_MCGRP_EVENTS);
    g.control.guest_set("quota", {{memory, 2 * mib}});
    CHECK(g.info().limits == (Limits{{memory, 2 * mib}}));
    const auto event = listener.notification(5000);
    CHECK(event.has_value());
    CHECK_EQ(event->command, DEVHOST_CMD_GUEST_CHANGE_NTF);
    CHECK(parse_guest(*event).limits == (Limits{{memory, 2 * mib}}));
    g.control.guest_set("quota", {});
    CHECK(g.info().limits.empty());
}

TEST("limits: bad ones are refused and change nothing")
{
    BareGuest g({{devices, 2}});
    const Limits bad[] = {
        {{devices, 0}},
        {{devices, 65}},
        {{queues, 0}},
        {{queues, 513}},
        {{ring_size, 0}},
        {{ring_size, 1}},
        {{ring_size, 3}},
        {{ring_size, 48}},
        {{ring_size, 2048}},
        {{memory, 4095}},
        {{memory, ~0ULL}},
        {{in_flight, 0}},
        {{in_flight, 8193}},
        {{in_flight_bytes, 4095}},
        {{in_flight_bytes, 1ULL << 41}},
        {{devices, 1}, {queues, 0}},
        {{DEVHOST_A_LIMIT_MAX + 1, 1}},
    };
    for (const Limits &limits : bad) {
        const NetlinkReply reply = g.control.try_guest_set("quota", limits);
        CHECK(reply.error == -EINVAL || reply.error == -ERANGE);
        CHECK(!reply.extack.empty());
        CHECK(g.info().limits == (Limits{{devices, 2}}));
        CHECK(
            g.control.genl().request(DEVHOST_CMD_GUEST_NEW, guest_attrs("quota2", limits)).error !=
            0);
    }
    CHECK_EQ(g.control.genl().request(DEVHOST_CMD_GUEST_SET, guest_attrs("quota")).error, -EINVAL);
    refused(g.control.try_guest_set("nobody", {}), -ENOENT, "no guest nobody");
    CHECK_EQ(g.control.guests().size(), 1U);
}

TEST("limits: devices, and devices that go make room")
{
    BareGuest g({{devices, 2}});
    CHECK_EQ(g.add("a").error, 0);
    CHECK_EQ(g.add("b").error, 0);
    refused(g.add("c"), -EDQUOT, "guest quota may not have more than 2 devices");
    CHECK_EQ(g.info().use.at(devices), 2U);
    CHECK_EQ(g.info().refused.at(devices), 1U);
    g.remove("a");
    CHECK_EQ(g.add("c").error, 0);
    // A device that cannot be made takes no room.
    g.remove("c");
    refused(g.add("b"), -EEXIST, "exists");
    CHECK_EQ(g.info().use.at(devices), 1U);
    // Below what there is: it stays, and nothing comes.
    CHECK_EQ(g.add("c").error, 0);
    g.control.guest_set("quota", {{devices, 1}});
    CHECK_EQ(g.info().use.at(devices), 2U);
    refused(g.add("d"), -EDQUOT, "more than 1 devices");
    g.remove("b");
    refused(g.add("d"), -EDQUOT, "more than 1 devices");
    g.remove("c");
    CHECK_EQ(g.add("d").error, 0);
    // Another guest has room of its own.
    CHECK_EQ(g.control.guest_new("quota2").limits.size(), 0U);
    CHECK_EQ(g.control.try_device_new(echo_named("quota2", "a")).error, 0);
    CHECK_EQ(g.control.try_device_new(echo_named("quota2", "b")).error, 0);
    CHECK_EQ(g.control.device_del_patiently("quota2", "a").error, 0);
    CHECK_EQ(g.control.device_del_patiently("quota2", "b").error, 0);
    g.control.guest_del("quota2");
}

TEST("limits: queues of all devices together")
{
    BareGuest g({{queues, 2 * ECHO_VQS + 1}});
    CHECK_EQ(g.add("a").error, 0);
    CHECK_EQ(g.add("b").error, 0);
    refused(g.add("c"), -EDQUOT, "guest quota may have 9 queues, not 12");
    CHECK_EQ(g.info().use.at(queues), uint64_t{2 * ECHO_VQS});
    CHECK_EQ(g.info().refused.at(queues), 1U);
    g.remove("b");
    CHECK_EQ(g.info().use.at(queues), uint64_t{ECHO_VQS});
    CHECK_EQ(g.add("c").error, 0);
}

TEST("limits: a guest of an old name has none of them")
{
    {
        BareGuest g({{devices, 1}});
    }
    BareGuest g({});
    CHECK(g.info().limits.empty());
    CHECK_EQ(g.add("a").error, 0);
    CHECK_EQ(g.add("b").error, 0);
}

TEST_RINGS("limits: the size of a ring")
{
    TestDevice device(echo_params(ring));
    const auto refusals = [&] {
        return device.control().guest(device.guest()).refused.at(ring_size);
    };
    device.control().guest_set(device.guest(), {{ring_size, 64}});
    {
        GuestSetup setup = with_ring(ring);
        setup.queue_size = 64;
        EchoGuest g(device.path(), setup);
        CHECK_EQ(g.vdpa().vring_num_max(), 64);
        g.start();
        g.good();
        CHECK_EQ(device.control().guest(device.guest()).use.at(ring_size), 64U);
        CHECK_EQ(refusals(), 0U);
        // Below what it has: it goes on until it begins anew.
        device.control().guest_set(device.guest(), {{ring_size, 16}});
        CHECK_EQ(g.vdpa().vring_num_max(), 16);
        g.good();
        g.reset();
        // vhost-vdpa's own answer: it asks for the size at each reset.
        CHECK_EQ(g.vdpa().vring_num(ECHO_VQ_ECHO, 64), -EINVAL);
        // A size that was good when it was set is not when the queue is enabled.
        device.control().guest_set(device.guest(), {{ring_size, 64}});
        g.reset();
        g.negotiate();
        g.map_memory();
        for (uint32_t i = 0; i < ECHO_VQS; i++) {
            g.set_up_queue(i);
        }
        device.control().guest_set(device.guest(), {{ring_size, 16}});
        CHECK_EQ(refusals(), 0U);
        for (uint32_t i = 0; i < ECHO_VQS; i++) {
            must(g.vdpa().vring_enable(i, true), "VHOST_VDPA_SET_VRING_ENABLE");
        }
        g.driver_ok();
        g.send(ECHO_VQ_ECHO, 10, 10);
        g.queue(ECHO_VQ_ECHO).kick();
        CHECK(!g.queue(ECHO_VQ_ECHO).wait(200));
        CHECK_EQ(refusals(), uint64_t{ECHO_VQS});
    }
    GuestSetup setup = with_ring(ring);
    setup.queue_size = 16;
    EchoGuest g(device.path(), setup);
    g.start();
    g.good();
    CHECK_EQ(refusals(), uint64_t{ECHO_VQS});
}

TEST_RINGS("S9 limits: memory of all devices together, given back by unmapping")
{
    DeviceParams params = echo_params(ring);
    TestDevice one(params);
    params.name = "echo1";
    TestDevice two(params);
    Control &control = one.control();
    const auto use = [&] { return control.guest(one.guest()).use.at(memory); };
    const auto refusals = [&] { return control.guest(one.guest()).refused.at(memory); };

    control.guest_set(one.guest(), {{memory, 6 * mib}});
    EchoGuest a(one.path(), with_ring(ring));
    a.start();
    CHECK_EQ(use(), 4 * mib);
    {
        EchoGuest b(two.path(), with_ring(ring));
        b.set_owner();
        b.negotiate();
        uint8_t *ram = b.memory().ram().data();
        // Not the whole of it, nor one page more than there is room for: vhost-vdpa has it mapped
        // then, and the device does not use it.
        must(b.vdpa().map(Guest::ram_base, ram, 4 * mib, VHOST_ACCESS_RW), "map");
        CHECK_EQ(use(), 4 * mib);
        CHECK_EQ(refusals(), 1U);
        CHECK(b.needs_reset());
        CHECK_EQ(two.info().reason, memory_reason);
        must(b.vdpa().unmap(Guest::ram_base, 4 * mib), "unmap");
        b.reset();
        CHECK(!b.needs_reset());
        b.negotiate();
        must(b.vdpa().map(Guest::ram_base, ram, 2 * mib, VHOST_ACCESS_RW), "map");
        CHECK_EQ(use(), 6 * mib);
        must(b.vdpa().map(0x80000000, ram, 4096, VHOST_ACCESS_RW), "map");
        CHECK_EQ(refusals(), 2U);
        CHECK(b.needs_reset());
        CHECK_EQ(use(), 4 * mib);
        must(b.vdpa().unmap(0x80000000, 4096), "unmap");
        CHECK_EQ(use(), 6 * mib);
        // A part of it, then anew.
        must(b.vdpa().unmap(Guest::ram_base, 2 * mib), "unmap");
        CHECK_EQ(use(), 4 * mib);
        must(b.vdpa().map(Guest::ram_base, ram, mib, VHOST_ACCESS_RW), "map");
        must(b.vdpa().map(Guest::ram_base + mib, ram + mib, mib, VHOST_ACCESS_RW), "map");
        CHECK_EQ(use(), 6 * mib);
        must(b.vdpa().unmap(Guest::ram_base, mib), "unmap");
        CHECK_EQ(use(), 5 * mib);
        CHECK_EQ(one.pinned(), 5 * mib);
        a.good();
    }
    CHECK_EQ(use(), 4 * mib);
    CHECK_EQ(refusals(), 2U);
    // Below what it has: it goes on, gives back what it likes, and gets no more.
    control.guest_set(one.guest(), {{memory, 2 * mib}});
    a.good();
    CHECK_EQ(use(), 4 * mib);
    EchoGuest b(two.path(), with_ring(ring));
    b.set_owner();
    b.negotiate();
    must(b.vdpa().map(Guest::ram_base, b.memory().ram().data(), 4096, VHOST_ACCESS_RW), "map");
    CHECK(b.needs_reset());
    CHECK_EQ(use(), 4 * mib);
    a.good();
}

TEST_RINGS("S9 limits: a device with memory beyond them is refused at DRIVER_OK")
{
    TestDevice device(echo_params(ring));
    device.control().guest_set(device.guest(), {{memory, 2 * mib}});
    EchoGuest g(device.path(), with_ring(ring));
    try {
        g.start();
        FAIL("the device started");
    } catch (const tap::Failure &failure) {
        if (std::string(failure.what()).find("does not start") == std::string::npos) {
            throw;
        }
    }
    CHECK(g.needs_reset());
    CHECK_EQ(device.info().reason, memory_reason);
    CHECK_EQ(device.pinned(), 0U);
    // With the limit out of the way the VMM begins anew.
    device.control().guest_set(device.guest(), {});
    g.vdpa().close();
    EchoGuest next(device.path(), with_ring(ring));
    next.start();
    next.good();
}

TEST_RINGS("S8 limits: SIGKILL of the VMM gives everything back")
{
    TestDevice device(echo_params(ring));
    const auto use = [&](uint16_t limit) {
        return device.control().guest(device.guest()).use.at(limit);
    };
    device.control().guest_set(device.guest(), {{memory, 4 * mib}, {in_flight, 5}});
    for (int i = 0; i < 5; i++) {
        Child vmm([&](Child &me) {
            EchoGuest g(device.path(), with_ring(ring));
            g.start();
            CHECK(g.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
            for (int n = 0; n < 8; n++) {
                g.send(ECHO_VQ_LATE, 100, 100);
            }
            while (g.count(ECHO_COUNT_KEPT) != 5) {
                usleep(1000);
            }
            me.tell();
            me.await();
        });
        vmm.wait_told();
        CHECK_EQ(use(memory), 4 * mib);
        CHECK_EQ(use(in_flight), 5U);
        vmm.kill();
        for (int waited = 0; use(memory) && waited < 5000; waited += 10) {
            usleep(10000);
        }
        CHECK_EQ(use(memory), 0U);
        CHECK_EQ(use(in_flight), 0U);
        CHECK_EQ(use(ring_size), 0U);
    }
}

TEST_RINGS("limits: requests in flight wait, and go on as others end")
{
    LimitedFixture t(ring, {{in_flight, 4}});
    EchoGuest &g = t.guest;
    t.hold();
    std::deque<EchoGuest::Request> sent;
    for (uint8_t i = 0; i < 10; i++) {
        sent.push_back(g.send(ECHO_VQ_LATE, 100, 100, i));
    }
    t.wait_kept(4);
    CHECK_EQ(t.use(in_flight), 4U);
    CHECK_EQ(t.refusals(in_flight), 1U);
    const QueueStats held = t.device.stats().vqs.at(ECHO_VQ_LATE);
    CHECK_EQ(held.inflight, 4U);
    CHECK_EQ(held.popped, 4U);
    // The other queue of that kind waits, too; the control queue does not.
    const auto other = g.send(ECHO_VQ_ECHO, 50, 50);
    CHECK(!g.queue(ECHO_VQ_ECHO).wait(100));
    CHECK(!g.queue(ECHO_VQ_LATE).ready());

    const auto expect = [&](uint64_t num) {
        while (num--) {
            g.verify(sent.front(), g.queue(ECHO_VQ_LATE).expect());
            sent.pop_front();
        }
    };
    CHECK_EQ(t.release(1), 1U);
    expect(1);
    g.verify(other, g.queue(ECHO_VQ_ECHO).expect());
    t.wait_kept(4);
    // Below what is held: nothing is taken away, and nothing comes before it fits.
    t.set({{in_flight, 2}});
    t.wait_kept(4);
    CHECK_EQ(t.release(1), 1U);
    expect(1);
    t.wait_kept(3);
    CHECK_EQ(t.release(2), 2U);
    expect(2);
    t.wait_kept(2);
    // Above: those that wait go on at once.
    t.set({{in_flight, 5}});
    t.wait_kept(5);
    // Without a limit: all.
    t.set({});
    t.wait_kept(6);
    CHECK_EQ(t.release(), 6U);
    expect(6);
    CHECK(sent.empty());
    CHECK_EQ(t.use(in_flight), 0U);
    CHECK_EQ(t.device.stats().vqs.at(ECHO_VQ_LATE).malformed, 0U);
    g.good();
}

TEST_RINGS("limits: bytes in flight")
{
    LimitedFixture t(ring);
    EchoGuest &g = t.guest;
    t.hold();
    std::deque<EchoGuest::Request> sent;
    const auto send = [&](uint32_t each) {
        sent.push_back(g.send(ECHO_VQ_LATE, each, each, static_cast<uint8_t>(sent.size())));
    };
    const auto expect = [&](uint64_t num) {
        while (num--) {
            g.verify(sent.front(), g.queue(ECHO_VQ_LATE).expect());
            sent.pop_front();
        }
    };
    // What is held when the limit comes counts.
    for (int i = 0; i < 3; i++) {
        send(1000);
    }
    t.wait_kept(3);
    t.set({{in_flight_bytes, 8192}});
    CHECK_EQ(t.use(in_flight_bytes), 6000U);
    send(1000);
    send(1000);
    t.wait_kept(4);
    CHECK_EQ(t.use(in_flight_bytes), 8000U);
    CHECK_EQ(t.refusals(in_flight_bytes), 1U);
    // One that is small enough waits behind the one that is not.
    send(90);
    t.wait_kept(4);
    CHECK_EQ(t.release(1), 1U);
    expect(1);
    t.wait_kept(5);
    CHECK_EQ(t.use(in_flight_bytes), 8180U);
    CHECK_EQ(t.release(1), 1U);
    expect(1);
    t.wait_kept(4);
    CHECK_EQ(t.use(in_flight_bytes), 6180U);
    // What no waiting helps is returned unserved, and holds nothing up.
    const auto large = g.send(ECHO_VQ_LATE, 5000, 5000);
    const Used used = g.queue(ECHO_VQ_LATE).expect();
    CHECK_EQ(used.id, large.id);
    CHECK_EQ(used.length, 0U);
    CHECK_EQ(t.device.stats().vqs.at(ECHO_VQ_LATE).malformed, 1U);
    CHECK_EQ(t.use(in_flight_bytes), 6180U);
    CHECK_EQ(t.release(), 4U);
    expect(4);
    CHECK_EQ(t.use(in_flight_bytes), 0U);
    g.good();
}

TEST_RINGS("limits: a reset forgets what waits, a suspend keeps it")
{
    LimitedFixture t(ring, {{in_flight, 2}});
    EchoGuest &g = t.guest;
    for (int i = 0; i < 20; i++) {
        t.hold();
        for (int n = 0; n < 6; n++) {
            g.send(ECHO_VQ_LATE, 10, 10);
        }
        while (t.kept() != 2) {
            usleep(1000);
        }
        g.restart();
        CHECK_EQ(t.use(in_flight), 0U);
        CHECK_EQ(t.kept(), 0U);
        g.good();
    }
    t.hold();
    std::deque<EchoGuest::Request> sent;
    for (uint8_t i = 0; i < 6; i++) {
        sent.push_back(g.send(ECHO_VQ_LATE, 30, 30, i));
    }
    while (t.kept() != 2) {
        usleep(1000);
    }
    // Suspending completes the two; the others are taken after it.
    must(g.vdpa().suspend(), "suspend");
    must(g.vdpa().resume(), "resume");
    t.wait_kept(2);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(t.release(), 2U);
        t.wait_kept(i ? 0 : 2);
    }
    for (const auto &request : sent) {
        g.verify(request, g.queue(ECHO_VQ_LATE).expect());
    }
    g.good();
}

TEST_RINGS("limits: traffic while they change, every request answered once")
{
    tap::time_limit(600);
    LimitedFixture t(ring, {{in_flight, 1}});
    EchoGuest &g = t.guest;
    const Limits turns[] = {{{in_flight, 1}},
                            {{in_flight, 3}, {in_flight_bytes, 4096}},
                            {},
                            {{in_flight_bytes, 5000}},
                            {{in_flight, 40}}};
    const unsigned rounds = tap::rounds(200, 5000);
    for (unsigned round = 0; round < rounds; round++) {
        g.recycle();
        t.set(turns[round % 5]);
        std::deque<EchoGuest::Request> late;
        std::deque<EchoGuest::Request> echoed;
        for (uint8_t i = 0; i < 20; i++) {
            late.push_back(g.send(ECHO_VQ_LATE, 100U + i, 1500, i));
            echoed.push_back(g.send(ECHO_VQ_ECHO, 60, 1800U - i, i));
            if (i == 10) {
                t.set(turns[(round + 1) % 5]);
            }
        }
        for (const auto &request : late) {
            g.verify(request, g.queue(ECHO_VQ_LATE).expect());
        }
        for (const auto &request : echoed) {
            g.verify(request, g.queue(ECHO_VQ_ECHO).expect());
        }
    }
    const Stats stats = t.device.stats();
    for (const uint32_t vq : {ECHO_VQ_ECHO, ECHO_VQ_LATE}) {
        CHECK_EQ(stats.vqs.at(vq).popped, uint64_t{rounds} * 20);
        CHECK_EQ(stats.vqs.at(vq).pushed, uint64_t{rounds} * 20);
        CHECK_EQ(stats.vqs.at(vq).malformed, 0U);
    }
    CHECK_EQ(t.use(in_flight), 0U);
}
