// SPDX-License-Identifier: Apache-2.0
// bad-input 4.6: C1 to C5 and C7, and bad chains on the queues of a CAN device.
#include "can.hpp"
#include "host.hpp"

using namespace dh;
using can::Frame;
using can::Header;

namespace {

// Refused, nothing on the bus, and the next good frame passes.
void refused(can::CanFixture &t, const Header &header, size_t bytes)
{
    CHECK_EQ(t.guest.send_raw(header, std::vector<uint8_t>(bytes, 0x5a)).value_or(0xff),
             can::result_not_ok);
    CHECK(!t.host.receive(10));
    t.guest.good(t.host);
}

Header plain(uint32_t id = 0x123, uint16_t length = 8, uint32_t flags = 0)
{
    return {can::msg_tx, length, 0, 0, 0, flags, id};
}

} // namespace

TEST_RINGS("C1 unknown message type, undefined flags, reserved not zero")
{
    can::CanFixture t(with_ring(ring));
    for (unsigned type : {0x0000U, 0x0002U, 0x0100U, 0x0101U, 0x0201U, 0xffffU}) {
        Header h = plain();
        h.msg_type = static_cast<uint16_t>(type);
        refused(t, h, 8);
    }
    for (unsigned n = 0; n < 32; n++) {
        if (n < 13 || n > 15) {
            refused(t, plain(0x123, 8, 1U << n), 8);
        }
    }
    Header h = plain();
    h.reserved_classic_dlc = 9;
    refused(t, h, 8);
    h = plain();
    h.padding = 1;
    refused(t, h, 8);
    h = plain();
    h.reserved_xl_priority = 1;
    refused(t, h, 8);
    CHECK_EQ(t.device.stats().counters.at("tx_frames"), t.device.stats().counters.at("tx_invalid"));
}

TEST_RINGS("C2 identifier out of range")
{
    can::CanFixture t(with_ring(ring));
    for (uint32_t id : {0x800U, 0x1fffffffU, 0x20000000U, 0x80000123U, 0x40000123U, 0xffffffffU}) {
        refused(t, plain(id), 8);
    }
    for (uint32_t id : {0x20000000U, 0x40000000U, 0x80000000U, 0xffffffffU}) {
        refused(t, plain(id, 8, can::flag_extended), 8);
    }
    CHECK_EQ(t.guest.send({0x7ff, 0, {}}).value_or(0xff), can::result_ok);
    CHECK_EQ(t.guest.send({0x1fffffff, can::flag_extended, {}}).value_or(0xff), can::result_ok);
    CHECK_EQ(t.guest.send({0, 0, {}}).value_or(0xff), can::result_ok);
}

TEST_RINGS("C3 lengths that cannot be, RTR with FD")
{
    can::CanFixture t(with_ring(ring));
    for (unsigned length : {9U, 16U, 64U, 65U, 255U, 256U, 0xfffU, 0x1000U, 0xffffU}) {
        refused(t, plain(0x123, static_cast<uint16_t>(length)), 64);
    }
    for (unsigned length :
         {9U, 10U, 11U, 13U, 15U, 17U, 33U, 47U, 63U, 65U, 255U, 2048U, 0xffffU}) {
        refused(t, plain(0x123, static_cast<uint16_t>(length), can::flag_fd), 64);
    }
    refused(t, plain(0x123, 0, can::flag_fd | can::flag_rtr), 0);
    refused(t, plain(0x123, 8, can::flag_fd | can::flag_rtr), 8);
    refused(t, plain(0x123, 9, can::flag_rtr), 9);
}

TEST_RINGS("C3 RTR, FD and classic without their features")
{
    GuestSetup setup = with_ring(ring);
    setup.device_features = bit(can::f_classic);
    {
        can::CanFixture t(setup);
        refused(t, plain(0x123, 8, can::flag_fd), 8);
        refused(t, plain(0x123, 0, can::flag_rtr), 0);
        // Nor does the guest get what it did not ask for.
        t.host.send({0x1, can::flag_fd, {1, 2, 3}});
        t.host.send({0x2, can::flag_rtr, {}});
        CHECK(!t.guest.receive(100));
        CHECK_EQ(t.device.stats().counters.at("rx_unsupported"), 2U);
        t.guest.good(t.host);
    }
    setup.device_features = bit(can::f_fd);
    can::CanFixture t(setup);
    CHECK_EQ(t.guest.send({0x123, 0, {1}}).value_or(0xff), can::result_not_ok);
    CHECK(!t.host.receive(50));
    CHECK_EQ(t.guest.send({0x123, can::flag_fd, {1}}).value_or(0xff), can::result_ok);
    CHECK_EQ(*t.host.receive(), (Frame{0x123, can::flag_fd, {1}}));
}

TEST_RINGS("C3 feature sets that make no sense")
{
    can::CanFixture t(with_ring(ring), false);
    Vdpa &v = t.guest.vdpa();
    t.guest.set_owner();
    for (uint64_t features : {base_features, base_features | bit(can::f_rtr),
                              base_features | bit(can::f_rtr) | bit(can::f_fd)}) {
        must(v.set_status(0), "reset");
        must(v.set_status(3), "status");
        if (v.set_features(features) == 0) {
            v.set_status(3 | VIRTIO_CONFIG_S_FEATURES_OK);
            // Either refused, or such a device sends nothing it may not.
            tap::note("features accepted: RTR or nothing without CLASSIC");
        }
    }
    t.guest.begin_again();
    t.guest.good(t.host);
}

TEST_RINGS("C4 length greater than the bytes that are there")
{
    can::CanFixture t(with_ring(ring));
    for (unsigned bytes = 0; bytes < 8; bytes++) {
        refused(t, plain(0x123, 8), bytes);
    }
    refused(t, plain(0x123, 64, can::flag_fd), 63);
    refused(t, plain(0x123, 64, can::flag_fd), 0);
    // More bytes than the length says are no harm.
    CHECK_EQ(t.guest.send_raw(plain(0x123, 2), {1, 2, 3, 4, 5}).value_or(0xff), can::result_ok);
    CHECK_EQ(*t.host.receive(), (Frame{0x123, 0, {1, 2}}));
}

TEST_RINGS("C4 header cut short, no room for the result")
{
    can::CanFixture t(with_ring(ring));
    Queue &q = t.guest.queue(can::txq);
    const uint64_t at = t.guest.alloc(128);
    *t.guest.as<Header>(at) = plain();
    for (uint32_t bytes = 1; bytes < sizeof(Header); bytes++) {
        *t.guest.at(at + 64) = 0xee;
        const int id = q.add({{at, bytes, false}, {at + 64, 1, true}});
        q.kick_if_wanted();
        const Used used = q.expect();
        CHECK_EQ(used.id, id);
        CHECK_EQ(used.length, 1U);
        CHECK_EQ(*t.guest.at(at + 64), can::result_not_ok);
    }
    // Only readable, only writable.
    int id = q.add({{at, 24, false}});
    q.kick_if_wanted();
    Used used = q.expect();
    CHECK_EQ(used.id, id);
    CHECK_EQ(used.length, 0U);
    id = q.add({{at, 24, true}});
    q.kick_if_wanted();
    used = q.expect();
    CHECK_EQ(used.id, id);
    CHECK(!t.host.receive(20));
    // The control queue likewise.
    Queue &c = t.guest.queue(can::controlq);
    *t.guest.as<uint16_t>(at) = can::msg_stop;
    for (auto [out, in] : {std::pair{1U, 1U}, {0U, 1U}, {2U, 0U}}) {
        std::vector<Buffer> buffers;
        if (out) {
            buffers.push_back({at, out, false});
        }
        if (in) {
            buffers.push_back({at + 64, in, true});
        }
        id = c.add(buffers);
        c.kick_if_wanted();
        CHECK_EQ(c.expect().id, id);
    }
    CHECK(!t.guest.needs_reset());
    t.guest.good(t.host); // it was not stopped by any of them
}

TEST_RINGS("C5 transmit while stopped, START and STOP twice, unknown control")
{
    can::CanFixture t(with_ring(ring));
    for (unsigned type : {0x0000U, 0x0200U, 0x0203U, 0x0301U, 0x0101U, 0xffffU}) {
        CHECK_EQ(t.guest.control(static_cast<uint16_t>(type)).value_or(0xff), can::result_not_ok);
    }
    t.guest.good(t.host);
    CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_not_ok);
    t.guest.good(t.host);
    CHECK_EQ(t.guest.control(can::msg_stop).value_or(0xff), can::result_ok);
    CHECK_EQ(t.guest.control(can::msg_stop).value_or(0xff), can::result_not_ok);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(t.guest.send({0x123, 0, {1}}).value_or(0xff), can::result_not_ok);
    }
    t.host.send({0x321, 0, {1}});
    CHECK(!t.guest.receive(100));
    CHECK(!t.host.receive(20));
    CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_ok);
    t.guest.good(t.host);
    CHECK(!t.guest.receive(20)); // what came while it was stopped is gone
}

TEST_RINGS("C5 START with the host's interface down")
{
    can::CanFixture t(with_ring(ring), false);
    t.bus.down();
    t.guest.start();
    t.guest.post_rx(16);
    CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_not_ok);
    CHECK_EQ(t.guest.send({0x123, 0, {1}}).value_or(0xff), can::result_not_ok);
    t.bus.up();
    CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_ok);
    can::Socket host(t.bus.name());
    t.guest.good(host);
}

TEST_RINGS("C7 receive buffer smaller than the frame")
{
    can::CanFixture t(with_ring(ring), false);
    t.guest.start();
    Queue &q = t.guest.queue(can::rxq);
    std::map<int, uint32_t> sizes;
    for (uint32_t size : {1U, 15U, 16U, 23U}) {
        const int id = q.add({{t.guest.alloc(128), size, true}});
        CHECK(id >= 0);
        sizes[id] = size;
    }
    q.kick_if_wanted();
    CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_ok);
    for (int i = 0; i < 4; i++) {
        t.host.send({0x100, 0, {1, 2, 3, 4, 5, 6, 7, 8}});
        const Used used = q.expect();
        CHECK(sizes.contains(used.id));
        CHECK_EQ(used.length, 0U);
    }
    CHECK_EQ(t.device.stats().counters.at("rx_dropped"), 4U);
    CHECK(!t.guest.needs_reset());
    t.guest.post_rx(16);
    t.guest.good(t.host);
    // A readable one is of no use either.
    const int id = q.add({{t.guest.alloc(128), 80, false}});
    q.kick_if_wanted();
    (void)id;
    t.guest.post_rx(1);
    for (int i = 0; i < 40; i++) {
        t.host.send({0x100, 0, {static_cast<uint8_t>(i)}});
    }
    usleep(50000);
    CHECK(!t.guest.needs_reset());
}

TEST_RINGS("C7 no receive buffers under bus load: bounded, dropped, counted")
{
    can::Vcan bus;
    DeviceParams params = can::params(bus.name(), ring);
    params.backend->u32(DEVHOST_A_CAN_RX_BACKLOG, 64);
    TestDevice device(params);
    can::CanGuest g(device.path(), with_ring(ring));
    g.start();
    CHECK_EQ(g.control(can::msg_start).value_or(0xff), can::result_ok);
    can::Socket host(bus.name());
    for (int i = 0; i < 5000; i++) {
        host.send({0x100, 0, {static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8)}});
    }
    CHECK_EQ(device.stats().counters.at("rx_dropped"), 5000U - 64);
    // The oldest are kept, in order, and all works again.
    g.post_rx(100);
    for (int i = 0; i < 64; i++) {
        CHECK_EQ(g.receive().value_or(Frame{}),
                 (Frame{0x100, 0, {static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8)}}));
    }
    CHECK(!g.receive(50));
    g.good(host);
}
