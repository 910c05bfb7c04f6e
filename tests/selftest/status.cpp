// SPDX-License-Identifier: Apache-2.0
// bad-input 4.4: S1 to S3 and S5, the status walk and queue configuration.
#include "hostile.hpp"

using namespace dh;

namespace {

constexpr uint8_t acknowledge = VIRTIO_CONFIG_S_ACKNOWLEDGE;
constexpr uint8_t driver = VIRTIO_CONFIG_S_DRIVER;
constexpr uint8_t features_ok = VIRTIO_CONFIG_S_FEATURES_OK;
constexpr uint8_t driver_ok_bit = VIRTIO_CONFIG_S_DRIVER_OK;
constexpr uint8_t failed = VIRTIO_CONFIG_S_FAILED;
constexpr unsigned ring_reset = 40; // VIRTIO_F_RING_RESET

// A guest that has negotiated, its queues made but not given to the device.
struct Negotiated {
    explicit Negotiated(RingKind ring)
        : device(echo_params(ring)), guest(device.path(), with_ring(ring))
    {
        guest.set_owner();
        guest.negotiate();
        guest.map_memory();
        guest.make_queues();
    }
    // Wrong before, right now: the device works.
    void recovers()
    {
        guest.restart();
        guest.good();
    }
    TestDevice device;
    Hostile guest;
};

} // namespace

TEST_RINGS("S1 DRIVER_OK without FEATURES_OK")
{
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), with_ring(ring));
    g.set_owner();
    must(g.vdpa().set_status(acknowledge | driver), "status");
    g.vdpa().set_status(acknowledge | driver | driver_ok_bit);
    CHECK(!(g.vdpa().status() & driver_ok_bit));
    CHECK_EQ(device.info().worker, 0U);
    CHECK_EQ(device.stats().counters["starts"], 0U);
    g.map_memory();
    g.restart();
    g.good();
}

TEST_RINGS("S1 DRIVER_OK twice, status bits cleared one by one")
{
    HostileFixture t(with_ring(ring));
    Vdpa &v = t.guest.vdpa();
    const uint8_t full = v.status();
    CHECK_EQ(full, acknowledge | driver | features_ok | driver_ok_bit);
    for (int i = 0; i < 3; i++) {
        must(v.set_status(full), "the same status");
    }
    CHECK_EQ(t.device.stats().counters["starts"], 1U);
    t.guest.good();
    for (uint8_t one : {acknowledge, driver, features_ok, driver_ok_bit}) {
        CHECK(v.set_status(static_cast<uint8_t>(full & ~one)) < 0);
        CHECK_EQ(v.status(), full);
        t.guest.good();
    }
    // Bits that the driver has no business with.
    v.set_status(full | VIRTIO_CONFIG_S_NEEDS_RESET);
    CHECK_EQ(t.device.stats().counters["starts"], 1U);
    t.guest.restart();
    t.guest.good();
}

TEST_RINGS("S1 FAILED, then kick")
{
    HostileFixture t(with_ring(ring));
    must(t.guest.vdpa().set_status(t.guest.vdpa().status() | failed), "FAILED");
    const auto request = t.guest.send(ECHO_VQ_ECHO, 32, 32);
    t.guest.queue(ECHO_VQ_ECHO).kick();
    usleep(50000);
    CHECK(!t.guest.queue(ECHO_VQ_ECHO).ready());
    (void)request;
    t.guest.restart();
    t.guest.good();
}

TEST_RINGS("S2 features not offered, without VERSION_1, without ACCESS_PLATFORM")
{
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), with_ring(ring));
    g.set_owner();
    Vdpa &v = g.vdpa();
    const uint64_t offered = v.features();
    CHECK_EQ(offered & base_features, base_features);
    for (unsigned n = 0; n < 64; n++) {
        must(v.set_status(0), "reset");
        must(v.set_status(acknowledge | driver), "status");
        uint64_t features = offered;
        if (offered & bit(n)) {
            if (!(base_features & bit(n))) {
                continue;
            }
            features &= ~bit(n);
        } else {
            features |= bit(n);
        }
        CHECK(v.set_features(features) < 0);
        v.set_status(acknowledge | driver | features_ok);
        CHECK(!(v.status() & features_ok));
    }
    CHECK(!(offered & bit(ring_reset)));
    g.map_memory();
    g.restart();
    g.good();
}

TEST_RINGS("S2 FEATURES_OK without features; changed after FEATURES_OK; downgrade across reset")
{
    Negotiated t(ring);
    Hostile &g = t.guest;
    const uint64_t full = g.features();
    CHECK_EQ(g.vdpa().set_features(full & ~bit(VIRTIO_RING_F_INDIRECT_DESC)), -EBUSY);
    CHECK_EQ(t.device.info().driver_features, full);
    t.recovers();

    must(g.vdpa().set_status(0), "reset");
    CHECK_EQ(t.device.info().driver_features, 0U);
    must(g.vdpa().set_status(acknowledge | driver), "status");
    g.vdpa().set_status(acknowledge | driver | features_ok);
    CHECK(!(g.vdpa().status() & features_ok));

    // Less than before is fine, and what is gone is gone.
    must(g.vdpa().set_status(0), "reset");
    must(g.vdpa().set_status(acknowledge | driver), "status");
    must(g.vdpa().set_features(base_features), "downgrade");
    must(g.vdpa().set_status(acknowledge | driver | features_ok), "status");
    CHECK(g.vdpa().status() & features_ok);
    CHECK_EQ(t.device.info().driver_features, base_features);
    t.recovers();
}

TEST_RINGS("S3 queue size 0, no power of two, beyond the maximum")
{
    Negotiated t(ring);
    Vdpa &v = t.guest.vdpa();
    CHECK_EQ(v.vring_num_max(), 1024);
    // vhost-vdpa wants powers of two for both rings.
    for (uint32_t num : {0U, 3U, 100U, 1023U, 1025U, 2048U, 0x8000U, 0x10000U, 0xffffffffU}) {
        CHECK(v.vring_num(ECHO_VQ_ECHO, num) < 0);
    }
    for (uint32_t num = 1; num <= 1024; num *= 2) {
        must(v.vring_num(ECHO_VQ_ECHO, num), "size");
    }
    t.recovers();
}

TEST_RINGS("S3 queue addresses unaligned")
{
    Negotiated t(ring);
    Vdpa &v = t.guest.vdpa();
    Queue &q = t.guest.queue(ECHO_VQ_ECHO);
    for (uint64_t off : {1, 2, 4, 8, 15}) {
        CHECK(v.vring_addr(ECHO_VQ_ECHO, q.desc_addr() + off, q.driver_addr(), q.device_addr()) <
              0);
    }
    CHECK(v.vring_addr(ECHO_VQ_ECHO, q.desc_addr(), q.driver_addr() + 1, q.device_addr()) < 0);
    for (uint64_t off : {1, 2, 3}) {
        CHECK(v.vring_addr(ECHO_VQ_ECHO, q.desc_addr(), q.driver_addr(), q.device_addr() + off) <
              0);
    }
    t.recovers();
}

TEST_RINGS("S3 queue areas overlapping, outside RAM, across its end, wrapping")
{
    Negotiated t(ring);
    Hostile &g = t.guest;
    const uint64_t desc = g.queue(ECHO_VQ_ECHO).desc_addr();
    const uint64_t drv = g.queue(ECHO_VQ_ECHO).driver_addr();
    const uint64_t dev = g.queue(ECHO_VQ_ECHO).device_addr();
    const uint64_t end = Guest::ram_base + g.setup().ram;
    struct Areas {
        uint64_t desc, driver, device;
    };
    const Areas bad[] = {
        {desc, desc, dev},
        {desc, desc + 64, dev},
        {desc, drv, desc + 128},
        {desc, drv, drv},
        {0, drv, dev},
        {end, drv, dev},
        {end - 16, drv, dev},
        {desc, end, dev},
        {desc, 0, dev},
        {desc, drv, end},
        {desc, drv, 0},
        {desc, drv, ~uint64_t{0} & ~uint64_t{15}},
        {~uint64_t{0} & ~uint64_t{15}, drv, dev},
        {desc, ~uint64_t{0} - 1, dev},
    };
    for (const Areas &areas : bad) {
        g.reset();
        g.negotiate();
        g.set_up_queues();
        // Refused here, at DRIVER_OK, or at the first look at the ring.
        if (g.vdpa().vring_addr(ECHO_VQ_ECHO, areas.desc, areas.driver, areas.device) == 0) {
            g.vdpa().set_status(g.vdpa().status() | driver_ok_bit);
            g.queue(ECHO_VQ_ECHO).kick();
            CHECK(g.wait_needs_reset());
        }
        g.restart();
        g.good();
    }
}

TEST_RINGS("S3 enable without addresses")
{
    Negotiated t(ring);
    Hostile &g = t.guest;
    must(g.vdpa().vring_num(ECHO_VQ_ECHO, 256), "size");
    must(g.vdpa().vring_kick(ECHO_VQ_ECHO, g.queue(ECHO_VQ_ECHO).kick_fd()), "kick fd");
    g.vdpa().vring_enable(ECHO_VQ_ECHO, true);
    g.vdpa().set_status(g.vdpa().status() | driver_ok_bit);
    g.queue(ECHO_VQ_ECHO).kick();
    usleep(20000);
    CHECK_EQ(t.device.stats().vqs[ECHO_VQ_ECHO].popped, 0U);
    t.recovers();
}

TEST_RINGS("S3 a queue may be enabled after DRIVER_OK")
{
    Negotiated t(ring);
    Hostile &g = t.guest;
    CHECK(g.vdpa().backend_features() & bit(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK));
    for (uint32_t i = 0; i < g.queues(); i++) {
        g.set_up_queue(i);
    }
    g.driver_ok();
    // What was added and kicked before is served without another kick.
    const auto request = g.send(ECHO_VQ_ECHO, 64, 64);
    g.queue(ECHO_VQ_ECHO).kick();
    usleep(20000);
    CHECK(!g.queue(ECHO_VQ_ECHO).ready());
    must(g.vdpa().vring_enable(ECHO_VQ_ECHO, true), "enable");
    g.verify(request, g.queue(ECHO_VQ_ECHO).expect());
    g.good();
    must(g.vdpa().vring_enable(ECHO_VQ_CONTROL, true), "enable");
    CHECK_EQ(g.control(ECHO_OP_NOP).value_or(0), g.features());
}

TEST_RINGS("S3 base of a queue that cannot be")
{
    Negotiated t(ring);
    Hostile &g = t.guest;
    if (ring == RingKind::split) {
        CHECK(g.vdpa().vring_base(ECHO_VQ_ECHO, 0x10000) < 0);
    } else {
        // Beyond the ring, used ahead of available, more in flight than there are entries.
        for (uint32_t base : {0x81008100U, 0xffffffffU, 0x80028001U, 0x00008005U}) {
            g.reset();
            g.negotiate();
            g.set_up_queues();
            if (g.vdpa().vring_base(ECHO_VQ_ECHO, base) == 0) {
                g.vdpa().set_status(g.vdpa().status() | driver_ok_bit);
                g.queue(ECHO_VQ_ECHO).kick();
                CHECK(g.wait_needs_reset());
            }
        }
    }
    t.recovers();
    // Not while the device has the queue.
    CHECK(g.vdpa().vring_base(ECHO_VQ_ECHO, 0x80008000) < 0);
    CHECK(g.vdpa().vring_addr(ECHO_VQ_ECHO, g.queue(0).desc_addr(), g.queue(0).driver_addr(),
                              g.queue(0).device_addr()) < 0);
    g.good();
}

TEST_RINGS("S5 queue reset is not offered, and refused")
{
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), with_ring(ring));
    g.set_owner();
    CHECK(!(g.vdpa().features() & bit(ring_reset)));
    must(g.vdpa().set_status(acknowledge | driver), "status");
    CHECK(g.vdpa().set_features(g.vdpa().features() | bit(ring_reset)) < 0);
    g.vdpa().set_status(acknowledge | driver | features_ok);
    CHECK(!(g.vdpa().status() & features_ok));
    g.map_memory();
    g.restart();
    g.good();
    // The nearest there is: off and on again, in flight and twice.
    CHECK(g.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
    const auto request = g.send(ECHO_VQ_LATE, 32, 32);
    while (g.count(100) != 1) {
        usleep(1000);
    }
    for (int i = 0; i < 2; i++) {
        must(g.vdpa().vring_enable(ECHO_VQ_LATE, false), "disable");
    }
    for (int i = 0; i < 2; i++) {
        must(g.vdpa().vring_enable(ECHO_VQ_LATE, true), "enable");
    }
    CHECK_EQ(g.control(ECHO_OP_LATE_RELEASE).value_or(0), 1U);
    g.verify(request, g.queue(ECHO_VQ_LATE).expect());
    g.good();
}
