// SPDX-License-Identifier: Apache-2.0
// Good CAN drivers: frames of all kinds both ways, guests on one bus.
#include <random>

#include "can.hpp"
#include "host.hpp"

using namespace dh;
using can::Frame;

namespace {

constexpr uint8_t fd_lengths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};

// Any frame there is, numbered.
Frame any_frame(std::minstd_rand &random, uint32_t number)
{
    Frame frame;
    const bool extended = random() % 2;
    frame.id = static_cast<uint32_t>(random()) & (extended ? CAN_EFF_MASK : CAN_SFF_MASK);
    frame.flags = extended ? can::flag_extended : 0;
    const unsigned kind = random() % 5;
    if (kind == 0) {
        frame.flags |= can::flag_rtr;
        frame.data.assign(random() % 9, 0);
        return frame;
    }
    if (kind < 3) {
        frame.flags |= can::flag_fd;
    }
    frame.data.resize(kind < 3 ? fd_lengths[random() % std::size(fd_lengths)] : random() % 9);
    for (size_t i = 0; i < frame.data.size(); i++) {
        frame.data[i] = static_cast<uint8_t>(i < 4 ? number >> (8 * i) : random());
    }
    return frame;
}

} // namespace

TEST_RINGS("can: what the device is")
{
    can::CanFixture t(with_ring(ring), false);
    Vdpa &v = t.guest.vdpa();
    CHECK_EQ(v.device_id(), can::virtio_id);
    CHECK_EQ(v.vqs_count(), 3U);
    CHECK_EQ(v.config_size(), 2U);
    const uint64_t features = v.features();
    for (unsigned feature : {can::f_classic, can::f_fd, can::f_rtr}) {
        CHECK(features & bit(feature));
    }
    // vcan does not say when a frame was on the bus.
    CHECK(!(features & bit(can::f_late_tx_ack)));
    CHECK(features & bit(VIRTIO_F_IN_ORDER));
    const Stats stats = t.device.stats();
    CHECK_EQ(stats.vqs.at(0).name, "Txq");
    CHECK_EQ(stats.vqs.at(1).name, "Rxq");
    CHECK_EQ(stats.vqs.at(2).name, "Controlq");
}

TEST_RINGS("can: a classic bus does not offer FD")
{
    can::Vcan bus;
    shell("ip link set dev " + bus.name() + " down && ip link set dev " + bus.name() +
          " mtu 16 && ip link set dev " + bus.name() + " up");
    TestDevice device(can::params(bus.name(), ring));
    can::CanGuest g(device.path(), with_ring(ring));
    CHECK(!(g.vdpa().features() & bit(can::f_fd)));
    g.bring_up();
    can::Socket host(bus.name());
    g.good(host);
    CHECK_EQ(g.send({0x1, can::flag_fd, {1}}).value_or(0xff), can::result_not_ok);
}

TEST_RINGS("can: 5000 frames of all kinds from the guest, in order, once")
{
    can::CanFixture t(with_ring(ring));
    std::minstd_rand random(1);
    std::vector<Frame> sent;
    unsigned flying = 0;
    for (uint32_t n = 0; n < 5000; n++) {
        sent.push_back(any_frame(random, n));
        while (flying >= 60) {
            CHECK_EQ(t.guest.collect().result, can::result_ok);
            flying--;
        }
        CHECK(t.guest.queue_tx(sent.back()) >= 0);
        flying++;
        if (n % 500 == 499) {
            for (size_t i = n - 499; i <= n; i++) {
                CHECK_EQ(t.host.receive().value_or(Frame{}), sent[i]);
            }
        }
    }
    while (flying--) {
        CHECK_EQ(t.guest.collect().result, can::result_ok);
    }
    CHECK(!t.host.receive(50));
    CHECK(!t.guest.receive(50)); // not its own
    CHECK_EQ(t.device.stats().counters.at("tx_frames"), 5000U);
}

TEST_RINGS("can: 5000 frames of all kinds to the guest, in order, once")
{
    can::CanFixture t(with_ring(ring));
    std::minstd_rand random(2);
    for (uint32_t n = 0; n < 5000; n += 100) {
        std::vector<Frame> sent;
        for (uint32_t i = 0; i < 100; i++) {
            sent.push_back(any_frame(random, n + i));
            t.host.send(sent.back());
        }
        for (const Frame &frame : sent) {
            CHECK_EQ(t.guest.receive().value_or(Frame{}), frame);
        }
    }
    CHECK(!t.guest.receive(50));
    const Stats stats = t.device.stats();
    CHECK_EQ(stats.counters.at("rx_frames"), 5000U);
    CHECK_EQ(stats.counters.at("rx_dropped"), 0U);
}

TEST_RINGS("can: two guests and the host hear each other and not themselves")
{
    can::CanFixture a(with_ring(ring));
    DeviceParams params = can::params(a.bus.name(), ring);
    params.guest = "second";
    TestDevice device(params);
    can::CanGuest b(device.path(), with_ring(ring));
    b.bring_up();
    std::minstd_rand random(3);
    for (uint32_t n = 0; n < 300; n++) {
        const Frame frame = any_frame(random, n);
        switch (n % 3) {
        case 0:
            CHECK_EQ(a.guest.send(frame).value_or(0xff), can::result_ok);
            break;
        case 1:
            CHECK_EQ(b.send(frame).value_or(0xff), can::result_ok);
            break;
        default:
            a.host.send(frame);
        }
        if (n % 3 != 0) {
            CHECK_EQ(a.guest.receive().value_or(Frame{}), frame);
        }
        if (n % 3 != 1) {
            CHECK_EQ(b.receive().value_or(Frame{}), frame);
        }
        if (n % 3 != 2) {
            CHECK_EQ(a.host.receive().value_or(Frame{}), frame);
        }
    }
    CHECK(!a.guest.receive(50));
    CHECK(!b.receive(50));
    CHECK(!a.host.receive(50));
}

TEST_RINGS("can: header and data split over descriptors of 1 byte")
{
    can::CanFixture t(with_ring(ring));
    for (int indirect = 0; indirect < 2; indirect++) {
        const Frame frame{0x321, can::flag_fd, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
        const uint64_t at = t.guest.alloc(64);
        *t.guest.as<can::Header>(at) = can::header(frame);
        std::copy(frame.data.begin(), frame.data.end(), t.guest.at(at + 16, 12));
        std::vector<Buffer> buffers;
        for (unsigned i = 0; i < 28; i++) {
            buffers.push_back({at + i, 1, false});
        }
        buffers.push_back({at + 32, 1, true});
        Queue &q = t.guest.queue(can::txq);
        const int id = q.add(buffers, indirect ? t.guest.alloc(29 * 16) : 0);
        q.kick_if_wanted();
        const Used used = q.expect();
        CHECK_EQ(used.id, id);
        CHECK_EQ(used.length, 1U);
        CHECK_EQ(*t.guest.at(at + 32), can::result_ok);
        CHECK_EQ(t.host.receive().value_or(Frame{}), frame);
    }
}

TEST_RINGS("can: reset in the middle of traffic, both ways")
{
    can::CanFixture t(with_ring(ring));
    for (int i = 0; i < 100; i++) {
        for (uint8_t n = 0; n < 20; n++) {
            t.guest.queue_tx({0x100U + n, 0, {n}});
            t.host.try_send({0x200U + n, 0, {n}});
        }
        t.guest.begin_again();
    }
    while (t.host.receive(20)) {
    }
    while (t.guest.receive(20)) {
    }
    t.guest.good(t.host);
}

TEST_RINGS("can: suspended and moved to another device of the bus in the middle of traffic")
{
    can::CanFixture t(with_ring(ring));
    DeviceParams params = can::params(t.bus.name(), ring);
    params.guest = "target";
    TestDevice other(params);
    for (int i = 0; i < 20; i++) {
        for (uint8_t n = 0; n < 30; n++) {
            CHECK(t.guest.queue_tx({0x100U + n, 0, {n, static_cast<uint8_t>(i)}}) >= 0);
        }
        const auto bases = t.guest.halt();
        t.guest.go_on(bases, i % 2 ? t.device.path() : other.path());
        t.guest.queue(can::txq).kick();
        t.guest.queue(can::rxq).kick();
        // The controller is the device's: it starts stopped. What was still in
        // the queue is answered; nothing is answered twice, nothing lost.
        for (int n = 0; n < 30; n++) {
            t.guest.collect();
        }
        CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_ok);
        t.guest.good(t.host);
    }
}
