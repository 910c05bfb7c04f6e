// SPDX-License-Identifier: Apache-2.0
// bad-input 4.4: S6, suspend and resume, and what a VMM builds on them:
// queue state taken from one device and given to another.
#include <cstring>
#include <map>

#include "hostile.hpp"

using namespace dh;

TEST_RINGS("S6 suspend: new buffers are not consumed; resume: they are")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    CHECK(g.vdpa().backend_features() & bit(VHOST_BACKEND_F_SUSPEND));
    CHECK(g.vdpa().backend_features() & bit(VHOST_BACKEND_F_RESUME));
    for (int i = 0; i < 100; i++) {
        g.recycle();
        must(g.vdpa().suspend(), "suspend");
        if (i % 3 == 0) {
            must(g.vdpa().suspend(), "suspend again");
        }
        CHECK_EQ(t.device.info().state, uint32_t{DEVHOST_DEV_SUSPENDED});
        const auto request = g.send(ECHO_VQ_ECHO, 100, 100, static_cast<uint8_t>(i));
        g.queue(ECHO_VQ_ECHO).kick();
        usleep(5000);
        CHECK(!g.queue(ECHO_VQ_ECHO).ready());
        must(g.vdpa().resume(), "resume");
        if (i % 3 == 0) {
            must(g.vdpa().resume(), "resume again");
        }
        g.verify(request, g.queue(ECHO_VQ_ECHO).expect());
    }
    CHECK_EQ(t.device.info().state, uint32_t{DEVHOST_DEV_RUNNING});
    g.good();
}

TEST_RINGS("S6 suspend returns what the device keeps")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    CHECK(g.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
    std::vector<EchoGuest::Request> sent;
    for (uint8_t i = 0; i < 20; i++) {
        sent.push_back(g.send(ECHO_VQ_LATE, 64, 64, i));
    }
    while (g.count(100) != 20) {
        usleep(1000);
    }
    must(g.vdpa().suspend(), "suspend");
    for (const auto &request : sent) {
        g.verify(request, g.queue(ECHO_VQ_LATE).expect());
    }
    CHECK_EQ(t.device.stats().vqs[ECHO_VQ_LATE].inflight, 0U);
    must(g.vdpa().resume(), "resume");
    g.good();
}

TEST_RINGS("S6 suspend before DRIVER_OK, and reset while suspended")
{
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), with_ring(ring));
    g.set_owner();
    g.vdpa().suspend();
    g.vdpa().resume();
    g.negotiate();
    g.vdpa().suspend();
    g.map_memory();
    g.set_up_queues();
    g.vdpa().resume();
    g.driver_ok();
    g.good();
    must(g.vdpa().suspend(), "suspend");
    g.restart();
    g.good();
    CHECK_EQ(g.vdpa().suspend(), 0);
    g.vdpa().set_status(0);
    CHECK_EQ(device.info().state == DEVHOST_DEV_SUSPENDED, false);
}

TEST_RINGS("S6 config change while suspended comes after resume")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    g.config_interrupts();
    must(g.vdpa().suspend(), "suspend");
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, t.device.guest());
    fields.string(DEVHOST_A_DEV_NAME, t.device.name());
    fields.nest(DEVHOST_A_DEV_BACKEND, Attrs().u32(ECHO_A_TAG, 5));
    CHECK_EQ(t.device.control()
                 .genl()
                 .request(DEVHOST_CMD_DEVICE_SET, Attrs().nest(DEVHOST_A_DEV, fields))
                 .error,
             0);
    CHECK_EQ(g.config_interrupts(100), 0U);
    must(g.vdpa().resume(), "resume");
    CHECK(g.config_interrupts(2000) >= 1);
    g.good();
}

// Requests stay in the ring over every move; each comes back once.
TEST_RINGS("S6 queue state moves between two devices in the middle of traffic")
{
    tap::time_limit(1500);
    TestDevice first(echo_params(ring));
    DeviceParams params = echo_params(ring);
    params.guest = "target";
    TestDevice second(params);
    Hostile g(first.path(), with_ring(ring));
    g.start();
    g.good();
    Queue &q = g.queue(ECHO_VQ_ECHO);
    std::map<int, EchoGuest::Request> flying;
    unsigned done = 0;
    for (unsigned move = 0; move < 60; move++) {
        // Far enough for packed rings to wrap at odd places.
        for (unsigned i = 0; i < 37 + move; i++) {
            if (flying.empty()) {
                g.recycle();
            }
            const auto request = g.send(ECHO_VQ_ECHO, 200, 200, static_cast<uint8_t>(i));
            CHECK(flying.emplace(request.id, request).second);
        }
        const auto bases = g.halt();
        if (move % 2) {
            for (unsigned i = 0; i < 10; i++) {
                const auto request = g.send(ECHO_VQ_ECHO, 200, 200, 77);
                CHECK(flying.emplace(request.id, request).second);
            }
        }
        g.go_on(bases, move % 3 == 2 ? "" : (move / 3) % 2 ? first.path() : second.path());
        q.kick();
        while (!flying.empty()) {
            const Used used = q.expect();
            const auto found = flying.find(used.id);
            CHECK(found != flying.end());
            g.verify(found->second, used);
            flying.erase(found);
            done++;
        }
        g.good();
    }
    tap::note(std::to_string(done) + " requests over 60 moves");
}

TEST_RINGS("S6 GET_VRING_BASE tells where the queue stands")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    // 4 entries each; the fixture did one.
    for (int i = 0; i < 100; i++) {
        g.good();
    }
    const auto bases = g.halt();
    if (ring == RingKind::split) {
        CHECK_EQ(bases[ECHO_VQ_ECHO], 101U);
        CHECK_EQ(bases[ECHO_VQ_LATE], 0U);
    } else {
        const uint32_t entries = 4 * 101;
        const uint32_t at = entries % 256 | ((entries / 256) % 2 ? 0 : 0x8000U);
        CHECK_EQ(bases[ECHO_VQ_ECHO], at | at << 16);
        CHECK_EQ(bases[ECHO_VQ_LATE], 0x80008000U);
    }
}
