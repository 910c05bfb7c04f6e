// SPDX-License-Identifier: Apache-2.0
// bad-input 4.3: N1 to N5, notifications.
#include <sys/eventfd.h>

#include <atomic>
#include <random>
#include <thread>

#include "hostile.hpp"

using namespace dh;

TEST_RINGS("N1 kick before DRIVER_OK, after reset, on a disabled queue, on no queue")
{
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), with_ring(ring));
    g.set_owner();
    g.negotiate();
    g.map_memory();
    g.set_up_queues();
    for (uint32_t i = 0; i < g.queues(); i++) {
        for (int n = 0; n < 100; n++) {
            g.queue(i).kick();
        }
    }
    CHECK_EQ(device.stats().vqs[ECHO_VQ_ECHO].popped, 0U);
    g.driver_ok();
    g.good();

    g.reset();
    for (uint32_t i = 0; i < g.queues(); i++) {
        for (int n = 0; n < 100; n++) {
            g.queue(i).kick();
        }
    }
    usleep(20000);
    CHECK(!g.needs_reset());
    g.restart();
    g.good();

    // A disabled queue serves nothing until it is enabled, and then what is there.
    must(g.vdpa().vring_enable(ECHO_VQ_ECHO, false), "disable");
    // A pass that serves it goes on to its end; the control queue comes behind it.
    CHECK(g.control(ECHO_OP_NOP).has_value());
    const auto request = g.send(ECHO_VQ_ECHO, 64, 64);
    g.queue(ECHO_VQ_ECHO).kick();
    usleep(50000);
    CHECK(!g.queue(ECHO_VQ_ECHO).ready());
    must(g.vdpa().vring_enable(ECHO_VQ_ECHO, true), "enable");
    g.verify(request, g.queue(ECHO_VQ_ECHO).expect());
    g.good();

    for (uint32_t index : {4U, 5U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
        CHECK_EQ(g.vdpa().vring_kick(index, g.queue(0).kick_fd()), -ENOBUFS);
        CHECK_EQ(g.vdpa().vring_call(index, g.queue(0).call_fd()), -ENOBUFS);
        CHECK_EQ(g.vdpa().vring_enable(index, true), -ENOBUFS);
        CHECK_EQ(g.vdpa().vring_num(index, 16), -ENOBUFS);
        CHECK_EQ(g.vdpa().vring_base(index, 0), -ENOBUFS);
        CHECK_EQ(g.vdpa().vring_addr(index, 0, 0, 0), -ENOBUFS);
    }
    g.good();
}

TEST_RINGS("N1 kicks while the device is reset")
{
    HostileFixture t(with_ring(ring));
    std::atomic<bool> stop = false;
    std::thread storm([&] {
        while (!stop) {
            for (uint32_t i = 0; i < t.guest.queues(); i++) {
                t.guest.queue(i).kick();
            }
        }
    });
    for (int i = 0; i < 300; i++) {
        t.guest.reset();
        t.guest.restart();
    }
    stop = true;
    storm.join();
    t.guest.good();
}

TEST_RINGS("N2 kick with nothing new, double kick")
{
    HostileFixture t(with_ring(ring));
    const uint64_t popped = t.device.stats().vqs[ECHO_VQ_ECHO].popped;
    for (int i = 0; i < 1000; i++) {
        t.guest.queue(ECHO_VQ_ECHO).kick();
    }
    usleep(20000);
    CHECK_EQ(t.device.stats().vqs[ECHO_VQ_ECHO].popped, popped);
    CHECK(!t.guest.queue(ECHO_VQ_ECHO).ready());
    const auto request = t.guest.send(ECHO_VQ_ECHO, 64, 64);
    t.guest.queue(ECHO_VQ_ECHO).kick();
    t.guest.queue(ECHO_VQ_ECHO).kick();
    t.guest.verify(request, t.guest.queue(ECHO_VQ_ECHO).expect());
    usleep(20000);
    CHECK(!t.guest.queue(ECHO_VQ_ECHO).ready());
    t.guest.good();
}

TEST_RINGS("N4 used_event at random: late notice at worst")
{
    GuestSetup setup = with_ring(ring);
    HostileFixture t(setup);
    std::minstd_rand random(1);
    Queue &q = t.guest.queue(ECHO_VQ_ECHO);
    for (int i = 0; i < 2000; i++) {
        if (i % 100 == 0) {
            t.guest.recycle();
        }
        if (ring == RingKind::split) {
            SplitQueue &s = t.guest.split(ECHO_VQ_ECHO);
            s.avail().ring[s.num()] = static_cast<uint16_t>(random());
            s.avail().flags = static_cast<uint16_t>(random());
        } else {
            t.guest.packed(ECHO_VQ_ECHO).driver_event() = {static_cast<uint16_t>(random()),
                                                           static_cast<uint16_t>(random())};
        }
        const auto request = t.guest.send(ECHO_VQ_ECHO, 32, 32, static_cast<uint8_t>(i));
        Used used{};
        for (int waited = 0; waited < 50000 && !q.take(used); waited++) {
            usleep(100);
        }
        t.guest.verify(request, used);
    }
    if (ring == RingKind::split) {
        t.guest.split(ECHO_VQ_ECHO).avail().flags = 0;
    }
    t.guest.good();
}

TEST_RINGS("N4 avail_event overwritten: a kick still serves")
{
    HostileFixture t(with_ring(ring));
    std::minstd_rand random(2);
    for (int i = 0; i < 500; i++) {
        if (ring == RingKind::split) {
            SplitQueue &s = t.guest.split(ECHO_VQ_ECHO);
            s.avail_event() = static_cast<uint16_t>(random());
        } else {
            t.guest.packed(ECHO_VQ_ECHO).device_event() = {static_cast<uint16_t>(random()),
                                                           static_cast<uint16_t>(random())};
        }
        t.guest.queue(ECHO_VQ_ECHO).kick();
        if (i % 100 == 0) {
            t.guest.recycle();
        }
        const auto request = t.guest.send(ECHO_VQ_ECHO, 32, 32);
        t.guest.queue(ECHO_VQ_ECHO).kick();
        t.guest.verify(request, t.guest.queue(ECHO_VQ_ECHO).expect());
    }
    t.guest.good();
}

// Quiescent only: under traffic vhost-vdpa itself has a use-after-free there
// (kernel-constraints 7).
TEST_RINGS("N5 callback eventfd closed and swapped")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    for (int i = 0; i < 200; i++) {
        Fd other(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        must(g.vdpa().vring_call(ECHO_VQ_ECHO, other.get()), "swap");
        if (i % 2) {
            other.reset(); // the device has the last reference
        }
        const auto request = g.send(ECHO_VQ_ECHO, 32, 32);
        g.queue(ECHO_VQ_ECHO).interrupts(true);
        Used used{};
        for (int waited = 0; waited < 5000 && !g.queue(ECHO_VQ_ECHO).take(used); waited++) {
            usleep(1000);
        }
        g.verify(request, used);
        if (i % 100 == 0) {
            g.recycle();
        }
    }
    must(g.vdpa().vring_call(ECHO_VQ_ECHO, -1), "none");
    const auto request = g.send(ECHO_VQ_ECHO, 32, 32);
    Used used{};
    for (int waited = 0; waited < 5000 && !g.queue(ECHO_VQ_ECHO).take(used); waited++) {
        usleep(1000);
    }
    g.verify(request, used);
    CHECK(g.vdpa().vring_call(ECHO_VQ_ECHO, 0) < 0); // no eventfd
    CHECK(g.vdpa().vring_call(ECHO_VQ_ECHO, 9999) < 0);
    CHECK(g.vdpa().vring_kick(ECHO_VQ_ECHO, 9999) < 0);
    must(g.vdpa().vring_call(ECHO_VQ_ECHO, g.queue(ECHO_VQ_ECHO).call_fd()), "own");
    g.good();

    // The kick eventfd likewise.
    must(g.vdpa().vring_kick(ECHO_VQ_ECHO, -1), "no kick");
    must(g.vdpa().vring_kick(ECHO_VQ_ECHO, g.queue(ECHO_VQ_ECHO).kick_fd()), "own kick");
    g.good();
}
