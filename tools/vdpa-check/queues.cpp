// SPDX-License-Identifier: Apache-2.0
// From rings to DRIVER_OK and back. No request is made: nothing reaches the host's hardware.
#include "node.hpp"

namespace dh::vdpa_check {

namespace {

void expect_bases(Guest &guest, const std::vector<uint32_t> &bases)
{
    for (uint32_t i = 0; i < guest.queues(); i++) {
        CHECK_EQ(bases[i], guest.queue(i).first_base());
    }
}

} // namespace

TEST_RINGS("a driver starts, kicks empty queues, is reset and starts again")
{
    Guest guest(subject().path, usual_setup(ring));
    guest.start();
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < guest.queues(); i++) {
            guest.queue(i).kick();
        }
        if (guest.wait_needs_reset(100)) {
            FAIL("the device wants a reset after a kick of an empty queue");
        }
        for (uint32_t i = 0; i < guest.queues(); i++) {
            CHECK(!guest.queue(i).ready());
        }
        if (!round) {
            guest.restart();
        }
    }
}

TEST_RINGS("a device that is suspended tells where its queues stand, and goes on")
{
    Guest guest(subject().path, usual_setup(ring));
    guest.start();
    const uint64_t offered = guest.vdpa().backend_features();
    if (!(offered & bit(VHOST_BACKEND_F_SUSPEND))) {
        SKIP("the device does not offer SUSPEND");
    }
    expect_bases(guest, guest.halt());
    if (offered & bit(VHOST_BACKEND_F_RESUME)) {
        must(guest.vdpa().resume(), "VHOST_VDPA_RESUME");
        expect_bases(guest, guest.halt());
    }
    guest.restart();
}

TEST("queues keep their place once they are at work")
{
    Guest guest(subject().path, usual_setup(RingKind::split));
    guest.start();
    const Queue &queue = guest.queue(0);
    CHECK(guest.vdpa().vring_addr(0, queue.desc_addr(), queue.driver_addr(), queue.device_addr()) <
          0);
    CHECK(guest.vdpa().vring_base(0, 0) < 0);
}

TEST("a queue that the device does not have is refused")
{
    Vdpa vdpa = own_node();
    const uint32_t count = vdpa.vqs_count();
    CHECK(vdpa.vring_num(count, 2) < 0);
    CHECK(vdpa.vring_enable(count, true) < 0);
    CHECK(vdpa.vring_num(UINT32_MAX, 2) < 0);
}

TEST("a queue is enabled after DRIVER_OK, where the device can")
{
    Guest guest(subject().path, usual_setup(RingKind::split));
    guest.set_owner();
    if (!(guest.vdpa().backend_features() & bit(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK))) {
        SKIP("the device does not offer ENABLE_AFTER_DRIVER_OK");
    }
    guest.negotiate();
    guest.map_memory();
    guest.make_queues();
    for (uint32_t i = 0; i < guest.queues(); i++) {
        guest.set_up_queue(i);
    }
    guest.driver_ok();
    for (uint32_t i = 0; i < guest.queues(); i++) {
        must(guest.vdpa().vring_enable(i, true), "VHOST_VDPA_SET_VRING_ENABLE");
    }
    CHECK(!guest.wait_needs_reset(100));
}

} // namespace dh::vdpa_check
