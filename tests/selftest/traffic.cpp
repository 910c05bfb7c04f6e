// SPDX-License-Identifier: Apache-2.0
// Good drivers: every way to use a ring.
#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <random>

#include "hostile.hpp"

using namespace dh;

namespace {

// Echo requests of mixed shapes, @depth of them in flight, each checked.
void traffic(EchoGuest &g, unsigned requests, unsigned depth, uint32_t queue = ECHO_VQ_ECHO)
{
    std::minstd_rand random(requests);
    const uint64_t arena = g.alloc(depth * 8192UL);
    const uint64_t tables = g.alloc(depth * 512UL);
    struct Slot {
        uint64_t out, in;
        uint32_t length;
        uint8_t seed;
    };
    std::vector<unsigned> free_slots(depth);
    for (unsigned i = 0; i < depth; i++) {
        free_slots[i] = i;
    }
    std::map<int, std::pair<unsigned, Slot>> flying;
    Queue &q = g.queue(queue);
    const bool indirect = (g.features() & bit(VIRTIO_RING_F_INDIRECT_DESC)) != 0;

    for (unsigned sent = 0, done = 0; done < requests;) {
        while (sent < requests && !free_slots.empty()) {
            const unsigned n = free_slots.back();
            Slot slot{arena + n * 8192UL, arena + n * 8192UL + 4096,
                      static_cast<uint32_t>(1 + random() % 4000), static_cast<uint8_t>(random())};
            for (uint32_t i = 0; i < slot.length; i++) {
                *g.at(slot.out + i) = static_cast<uint8_t>(slot.seed + i * 3);
            }
            memset(g.at(slot.in, 4096), 0, 4096);
            const uint32_t parts = 1 + random() % std::min<uint32_t>(slot.length, 7);
            std::vector<Buffer> buffers;
            for (int side = 0; side < 2; side++) {
                uint32_t off = 0;
                for (uint32_t i = 0; i < parts; i++) {
                    const uint32_t left = slot.length - off;
                    const uint32_t take =
                        i + 1 == parts ? left : std::max<uint32_t>(1, left / (parts - i));
                    buffers.push_back({(side ? slot.in : slot.out) + off, take, side == 1});
                    off += take;
                }
            }
            const bool table = indirect && random() % 2;
            const int id = q.add(buffers, table ? tables + n * 512UL : 0);
            if (id < 0) {
                break;
            }
            free_slots.pop_back();
            CHECK(flying.emplace(id, std::pair(n, slot)).second);
            sent++;
            if (random() % 3 == 0) {
                q.kick_if_wanted();
            }
        }
        q.kick_if_wanted();
        const Used used = q.expect();
        auto found = flying.find(used.id);
        CHECK(found != flying.end());
        const auto [n, slot] = found->second;
        flying.erase(found);
        free_slots.push_back(n);
        CHECK_EQ(used.length, slot.length);
        CHECK(!memcmp(g.at(slot.out), g.at(slot.in), slot.length));
        CHECK_EQ(*g.at(slot.out), slot.seed);
        done++;
    }
    CHECK(flying.empty());
}

} // namespace

TEST_RINGS("rings: 20000 requests of all shapes")
{
    tap::time_limit(1500);
    EchoFixture t(with_ring(ring));
    traffic(t.guest, 20000, 40);
    CHECK(!t.guest.needs_reset());
    const QueueStats stats = t.device.stats().vqs[ECHO_VQ_ECHO];
    CHECK_EQ(stats.popped, 20000U);
    CHECK_EQ(stats.pushed, 20000U);
    CHECK_EQ(stats.malformed, 0U);
    CHECK_EQ(stats.inflight, 0U);
}

TEST_RINGS("rings: every size from 2 to 1024")
{
    for (uint16_t size = 2; size <= 1024; size = static_cast<uint16_t>(size * 2)) {
        GuestSetup setup = with_ring(ring);
        setup.queue_size = size;
        EchoFixture t(setup);
        if (size >= 4) {
            t.guest.good();
        }
        // More than a lap, two entries a request.
        for (int i = 0; i < size + 3; i++) {
            if (i % 64 == 0) {
                t.guest.recycle();
            }
            const auto request = t.guest.send(ECHO_VQ_ECHO, 50, 60, static_cast<uint8_t>(i));
            t.guest.verify(request, t.guest.queue(ECHO_VQ_ECHO).expect());
        }
    }
}

TEST_RINGS("rings: without EVENT_IDX, without INDIRECT, without both")
{
    for (int which = 0; which < 3; which++) {
        GuestSetup setup = with_ring(ring);
        setup.event_idx = which == 1;
        setup.indirect = which == 0;
        EchoFixture t(setup);
        CHECK_EQ(!!(t.guest.features() & bit(VIRTIO_RING_F_EVENT_IDX)), setup.event_idx);
        traffic(t.guest, 3000, 20);
    }
}

TEST_RINGS("rings: completion out of order")
{
    EchoFixture t(with_ring(ring));
    CHECK(t.guest.control(ECHO_OP_LATE_MODE, ECHO_LATE_REVERSE, 8).has_value());
    for (int round = 0; round < 300; round++) {
        t.guest.recycle();
        std::deque<EchoGuest::Request> sent;
        for (uint8_t i = 0; i < 8; i++) {
            sent.push_front(t.guest.send(ECHO_VQ_LATE, 20U + i, 30, i));
        }
        for (const auto &request : sent) {
            t.guest.verify(request, t.guest.queue(ECHO_VQ_LATE).expect());
        }
    }
    CHECK_EQ(t.device.stats().vqs[ECHO_VQ_LATE].inflight, 0U);
}

TEST_RINGS("rings: IN_ORDER keeps the order")
{
    GuestSetup setup = with_ring(ring);
    setup.in_order = true;
    EchoFixture t(setup, true);
    CHECK(t.guest.features() & bit(VIRTIO_F_IN_ORDER));
    CHECK(t.guest.control(ECHO_OP_LATE_MODE, ECHO_LATE_REVERSE, 4).has_value());
    for (int round = 0; round < 300; round++) {
        t.guest.recycle();
        std::deque<EchoGuest::Request> sent;
        for (uint8_t i = 0; i < 4; i++) {
            sent.push_back(t.guest.send(ECHO_VQ_LATE, 20U + i, 30, i));
        }
        for (const auto &request : sent) {
            t.guest.verify(request, t.guest.queue(ECHO_VQ_LATE).expect());
        }
    }
}

TEST_RINGS("rings: a queue as full as it can be")
{
    GuestSetup setup = with_ring(ring);
    setup.queue_size = 128;
    EchoFixture t(setup);
    CHECK(t.guest.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
    for (int round = 0; round < 20; round++) {
        t.guest.recycle();
        std::deque<EchoGuest::Request> sent;
        for (uint8_t i = 0; i < 64; i++) {
            sent.push_back(t.guest.send(ECHO_VQ_LATE, 16, 16, i));
        }
        CHECK_EQ(t.guest.queue(ECHO_VQ_LATE).free_slots(), 0);
        while (t.guest.count(100) != 64) {
            usleep(1000);
        }
        CHECK_EQ(t.guest.control(ECHO_OP_LATE_RELEASE).value_or(0), 64U);
        for (const auto &request : sent) {
            t.guest.verify(request, t.guest.queue(ECHO_VQ_LATE).expect());
        }
    }
}

TEST_RINGS("rings: a stalled queue loses nothing and keeps the order")
{
    EchoFixture t(with_ring(ring));
    CHECK(t.guest.control(ECHO_OP_STALL, ECHO_VQ_ECHO, 5, 10).has_value());
    std::deque<EchoGuest::Request> sent;
    for (uint8_t i = 0; i < 100; i++) {
        sent.push_back(t.guest.send(ECHO_VQ_ECHO, 100, 100, i));
    }
    for (const auto &request : sent) {
        t.guest.verify(request, t.guest.queue(ECHO_VQ_ECHO).expect());
    }
    CHECK_EQ(t.guest.count(ECHO_COUNT_STALLS), 10U);
    CHECK_EQ(t.device.stats().vqs[ECHO_VQ_ECHO].popped, 100U);
    t.guest.good();
}

TEST_RINGS("rings: what the module rejects comes back with length 0")
{
    EchoFixture t(with_ring(ring));
    CHECK(t.guest.control(ECHO_OP_REJECT, 5).has_value());
    for (int i = 0; i < 5; i++) {
        const auto request = t.guest.send(ECHO_VQ_ECHO, 10, 10);
        const Used used = t.guest.queue(ECHO_VQ_ECHO).expect();
        CHECK_EQ(used.id, request.id);
        CHECK_EQ(used.length, 0U);
    }
    CHECK_EQ(t.device.stats().vqs[ECHO_VQ_ECHO].malformed, 5U);
    t.guest.good();
}

TEST_RINGS("rings: a supply queue that has buffers wants no kick for more")
{
    EchoFixture t(with_ring(ring));
    Queue &q = t.guest.queue(ECHO_VQ_SUPPLY);
    for (int i = 0; i < 10; i++) {
        q.add({{t.guest.alloc(64), 40, true}});
    }
    CHECK(q.kick_wanted());
    q.kick();
    for (uint32_t sequence = 0; sequence < 5; sequence++) {
        CHECK(t.guest.control(ECHO_OP_SUPPLY, 1, 32, sequence).has_value());
        q.expect();
        q.add({{t.guest.alloc(64), 40, true}});
        CHECK(!q.kick_wanted());
    }
}

TEST_RINGS("rings: a supply queue, with buffers before and after the need")
{
    EchoFixture t(with_ring(ring));
    Queue &q = t.guest.queue(ECHO_VQ_SUPPLY);
    std::map<int, uint64_t> buffers;
    auto give = [&](uint64_t where) {
        const int id = q.add({{where, 40, true}});
        CHECK(id >= 0);
        buffers[id] = where;
        q.kick_if_wanted();
    };
    auto take = [&](uint32_t sequence) {
        const Used used = q.expect();
        CHECK(buffers.contains(used.id));
        const uint64_t where = buffers[used.id];
        buffers.erase(used.id);
        CHECK_EQ(used.length, 40U);
        CHECK_EQ(t.guest.as<echo_supply>(where)->sequence, sequence);
        for (unsigned n = 0; n < 32; n++) {
            CHECK_EQ(*t.guest.at(where + 8 + n), (sequence + n) & 0xff);
        }
        give(where);
    };
    for (int i = 0; i < 10; i++) {
        give(t.guest.alloc(64));
    }
    // More than there are buffers, so that the device waits for them.
    for (uint32_t base : {0U, 1000U, 2000U}) {
        CHECK(t.guest.control(ECHO_OP_SUPPLY, 500, 32, base).has_value());
        for (uint32_t i = 0; i < 500; i++) {
            take(base + i);
        }
    }
    // One that is too small is rejected, the message takes the next one.
    while (q.ready()) {
        q.expect();
    }
    t.guest.restart();
    buffers.clear();
    const int small = q.add({{t.guest.alloc(64), 39, true}});
    give(t.guest.alloc(64));
    CHECK(t.guest.control(ECHO_OP_SUPPLY, 1, 32, 7).has_value());
    const Used used = q.expect();
    CHECK_EQ(used.id, small);
    CHECK_EQ(used.length, 0U);
    take(7);
}

TEST_RINGS("rings: chains of any size, copied in place and piece by piece")
{
    GuestSetup setup = with_ring(ring);
    setup.ram = 8 << 20;
    setup.scatter = true; // seams at every page
    EchoFixture t(setup);
    for (uint32_t mode : {ECHO_MODE_COPY, ECHO_MODE_SPAN, ECHO_MODE_PIECES}) {
        CHECK(t.guest.control(ECHO_OP_ECHO_MODE, mode).has_value());
        for (uint32_t size : {1U, 2U, 4095U, 4096U, 4097U, 65537U, 1U << 20}) {
            t.guest.recycle();
            const auto request = t.guest.send(ECHO_VQ_ECHO, size, size, static_cast<uint8_t>(size));
            t.guest.verify(request, t.guest.queue(ECHO_VQ_ECHO).expect());
        }
        for (auto [out, in] : {std::pair{0U, 10U}, {10U, 0U}, {100U, 50U}, {50U, 100U}}) {
            const auto request = t.guest.send(ECHO_VQ_ECHO, out, in);
            t.guest.verify(request, t.guest.queue(ECHO_VQ_ECHO).expect());
        }
    }
}

TEST_RINGS("rings: interrupts are suppressed and come when asked for")
{
    for (bool event_idx : {false, true}) {
        GuestSetup setup = with_ring(ring);
        setup.event_idx = event_idx;
        EchoFixture t(setup);
        t.guest.good();
        Queue &q = t.guest.queue(ECHO_VQ_ECHO);
        const auto notifications = [&] { return t.device.stats().vqs[ECHO_VQ_ECHO].notified; };
        // The interrupt of what was returned comes at the end of the pass: it is over when another
        // one has answered.
        CHECK(within(5000, [&] { return notifications() > 0; }));
        CHECK(t.guest.control(ECHO_OP_NOP).has_value());
        q.interrupts(false);
        q.interrupts_seen();
        const uint64_t notified = notifications();
        for (int i = 0; i < 50; i++) {
            const auto request = t.guest.send(ECHO_VQ_ECHO, 10, 10);
            Used used{};
            for (int waited = 0; waited < 5000 && !q.take(used); waited++) {
                usleep(1000);
            }
            t.guest.verify(request, used);
        }
        usleep(20000);
        CHECK_EQ(q.interrupts_seen(), 0U);
        CHECK_EQ(notifications(), notified);
        q.interrupts(true);
        t.guest.send(ECHO_VQ_ECHO, 10, 10);
        for (int waited = 0; waited < 5000 && !q.interrupts_seen(); waited++) {
            usleep(1000);
            CHECK(waited < 4999);
        }
        q.expect();
        t.guest.good();
    }
}
