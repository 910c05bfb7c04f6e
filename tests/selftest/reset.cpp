// SPDX-License-Identifier: Apache-2.0
// bad-input 4.4: S4, reset at any moment.
#include <fcntl.h>

#include <atomic>
#include <thread>

#include "hostile.hpp"

using namespace dh;

TEST_RINGS("S4 reset x 10000")
{
    tap::time_limit(1500);
    HostileFixture t(with_ring(ring));
    for (int i = 0; i < 10000; i++) {
        must(t.guest.vdpa().set_status(0), "reset");
        must(t.guest.vdpa().set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE), "status");
    }
    t.guest.restart();
    t.guest.good();
}

TEST_RINGS("S4 reset again and again with a worker that has to come and go")
{
    tap::time_limit(1500);
    HostileFixture t(with_ring(ring));
    for (unsigned i = 0; i < tap::rounds(500, 5000); i++) {
        t.guest.restart();
    }
    t.guest.good();
    const auto counters = t.device.stats().counters;
    CHECK_EQ(counters.at("starts"), counters.at("stops") + 1);
}

TEST_RINGS("S4 reset in the middle of traffic x 1000, and silence after it")
{
    tap::time_limit(1500);
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    for (int i = 0; i < 1000; i++) {
        g.recycle();
        for (int n = 0; n < 20; n++) {
            g.send(ECHO_VQ_ECHO, 2000, 2000, static_cast<uint8_t>(n));
        }
        if (i % 4 == 1) {
            g.queue(ECHO_VQ_ECHO).expect();
        }
        must(g.vdpa().set_status(0), "reset");
        // From here on the device touches nothing: not even one byte.
        const uint64_t area = g.queue(ECHO_VQ_ECHO).device_addr();
        const std::vector<uint8_t> before(g.at(area, 256), g.at(area, 256) + 256);
        g.queue(ECHO_VQ_ECHO).kick();
        if (i % 50 == 0) {
            usleep(2000);
        }
        CHECK(std::equal(before.begin(), before.end(), g.at(area, 256)));
        g.restart();
    }
    g.good();
}

TEST_RINGS("S4 reset while requests are kept, stalled and waiting for buffers")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    for (int i = 0; i < 300; i++) {
        g.recycle();
        CHECK(g.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
        for (int n = 0; n < 10; n++) {
            g.send(ECHO_VQ_LATE, 32, 32);
        }
        CHECK(g.control(ECHO_OP_STALL, ECHO_VQ_ECHO, 1, 1000).has_value());
        g.send(ECHO_VQ_ECHO, 32, 32);
        CHECK(g.control(ECHO_OP_SUPPLY, 100, 16, 0).has_value());
        g.restart();
        CHECK_EQ(g.count(100), 0U);
        CHECK_EQ(g.count(101), 0U);
        g.good();
    }
    CHECK(t.device.stats().counters["forgotten"] > 0);
}

TEST_RINGS("S4 reset racing with kicks, config reads and statistics")
{
    HostileFixture t(with_ring(ring));
    std::atomic<bool> stop = false;
    std::vector<std::thread> others;
    others.emplace_back([&] {
        while (!stop) {
            t.guest.queue(ECHO_VQ_ECHO).kick();
        }
    });
    others.emplace_back([&] {
        echo_config c;
        while (!stop) {
            if (t.guest.vdpa().config_get(0, &c, sizeof(c))) {
                tap::fail_later("config read failed");
            }
        }
    });
    others.emplace_back([&] {
        Control control;
        while (!stop) {
            control.stats(t.device.guest(), t.device.name());
        }
    });
    for (int i = 0; i < 300; i++) {
        t.guest.restart();
        t.guest.recycle();
        t.guest.send(ECHO_VQ_ECHO, 100, 100);
    }
    stop = true;
    for (auto &thread : others) {
        thread.join();
    }
    t.guest.restart();
    t.guest.good();
}

TEST_RINGS("S4 close in the middle of traffic")
{
    TestDevice device(echo_params(ring));
    const unsigned rounds = tap::rounds(100, 1000);
    for (unsigned i = 0; i < rounds; i++) {
        EchoGuest g(device.path(), with_ring(ring));
        g.start();
        for (int n = 0; n < 20; n++) {
            g.send(ECHO_VQ_ECHO, 2000, 2000);
        }
    }
    CHECK_EQ(device.pinned(), 0U);
    CHECK_EQ(device.info().state, uint32_t{DEVHOST_DEV_IDLE});
    CHECK_EQ(device.info().worker, 0U);
    EchoGuest g(device.path(), with_ring(ring));
    g.start();
    g.good();
}

TEST_RINGS("S4 device del: busy while open, done after close")
{
    TestDevice device(echo_params(ring));
    Control control;
    {
        EchoGuest g(device.path(), with_ring(ring));
        NetlinkReply reply = control.try_device_del(device.guest(), device.name());
        CHECK_EQ(reply.error, -EBUSY);
        CHECK(!reply.extack.empty());
        g.start();
        g.good();
        CHECK_EQ(control.try_device_del(device.guest(), device.name()).error, -EBUSY);
        CHECK_EQ(control.try_guest_del(device.guest()).error, -EBUSY);
        g.good();
    }
    device.remove();
    CHECK(control.guests().empty());
}

TEST_RINGS("S4 device del by force: silent at once, gone after close")
{
    TestDevice device(echo_params(ring));
    Control control;
    {
        Hostile g(device.path(), with_ring(ring));
        g.start();
        g.good();
        CHECK_EQ(control.try_device_del(device.guest(), device.name(), true).error, -EBUSY);
        CHECK(g.wait_needs_reset());
        g.send(ECHO_VQ_ECHO, 32, 32);
        g.queue(ECHO_VQ_ECHO).kick();
        usleep(50000);
        CHECK(!g.queue(ECHO_VQ_ECHO).ready());
        CHECK(!device.info().reason.empty());
    }
    device.remove();
}

TEST_RINGS("S4 device del by force: a suspend of the host does not bring it back")
{
    TestDevice device(echo_params(ring));
    Control control;
    {
        Hostile g(device.path(), with_ring(ring));
        g.start();
        CHECK_EQ(control.try_device_del(device.guest(), device.name(), true).error, -EBUSY);
        const auto removed = device.info().reason;
        suspend("freezer");
        CHECK_EQ(device.info().reason, removed);
        g.send(ECHO_VQ_ECHO, 32, 32);
        g.queue(ECHO_VQ_ECHO).kick();
        usleep(50000);
        CHECK(!g.queue(ECHO_VQ_ECHO).ready());
    }
    device.remove();
}

TEST_RINGS("S4 vdpa dev del completes after close")
{
    TestDevice device(echo_params(ring));
    const std::string name = device.info().vdpa;
    std::thread del;
    std::atomic<bool> done = false;
    {
        EchoGuest g(device.path(), with_ring(ring));
        g.start();
        g.good();
        del = std::thread([&] {
            if (system(("vdpa dev del " + name).c_str())) {
                tap::fail_later("vdpa dev del failed");
            }
            done = true;
        });
        usleep(300000);
        CHECK(!done);
    }
    del.join();
    CHECK(done);
    Control control;
    CHECK(control.devices().empty());
    // Its name is free again.
    DeviceParams params = echo_params(ring);
    params.guest = device.guest();
    params.name = device.name();
    control.device_new(params);
}

TEST_RINGS("S4 create and delete x 300, racing with opens")
{
    Control control;
    control.guest_new("race");
    std::atomic<bool> stop = false;
    std::thread opener([&] {
        while (!stop) {
            for (int n = 0; n < 4; n++) {
                const Fd fd(open(("/dev/vhost-vdpa-" + std::to_string(n)).c_str(), O_RDWR));
                if (fd) {
                    Vdpa v(Fd(dup(fd.get())));
                    v.set_owner();
                    v.set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE);
                }
            }
        }
    });
    DeviceParams params = echo_params(ring);
    params.guest = "race";
    params.name = "echo";
    unsigned busy = 0;
    for (int i = 0; i < 300; i++) {
        control.device_new(params);
        NetlinkReply reply;
        while ((reply = control.try_device_del("race", "echo")).error == -EBUSY) {
            busy++;
        }
        CHECK_EQ(reply.error, 0);
    }
    stop = true;
    opener.join();
    tap::note(std::to_string(busy) + " refused as busy");
    control.guest_del("race");
}

TEST("S4 module unload: refused in use, clean when idle, back again")
{
    {
        TestDevice device(echo_params(RingKind::split));
        CHECK(system("rmmod vhost_echo 2>/dev/null") != 0);
        CHECK(system("rmmod devhost 2>/dev/null") != 0);
        EchoGuest g(device.path(), with_ring(RingKind::split));
        g.start();
        g.good();
        CHECK(system("rmmod devhost 2>/dev/null") != 0);
        g.good();
    }
    for (int i = 0; i < 10; i++) {
        shell("rmmod vhost_echo");
        TestDevice device(echo_params(RingKind::split)); // asks for the module
        EchoGuest g(device.path(), with_ring(RingKind::split));
        g.start();
        g.good();
    }
}
