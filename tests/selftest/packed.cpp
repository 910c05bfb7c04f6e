// SPDX-License-Identifier: Apache-2.0
// bad-input 4.2: P1 to P4, what only the packed ring has.
#include "hostile.hpp"

using namespace dh;

namespace {

constexpr uint16_t next_flag = VRING_DESC_F_NEXT;
constexpr uint16_t avail = 1 << VRING_PACKED_DESC_F_AVAIL;
constexpr uint16_t used_bit = 1 << VRING_PACKED_DESC_F_USED;

HostileFixture packed_fixture(uint16_t size = 256)
{
    GuestSetup setup = with_ring(RingKind::packed);
    setup.queue_size = size;
    return HostileFixture(setup);
}

} // namespace

TEST("P1 wrap counter wrong, AVAIL equal to USED both ways")
{
    auto t = packed_fixture();
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(64);
    const uint64_t popped = t.device.stats().vqs[ECHO_VQ_ECHO].popped;

    // In the first lap available is AVAIL without USED: all else is nothing new.
    for (uint16_t flags : {uint16_t{0}, used_bit, static_cast<uint16_t>(avail | used_bit)}) {
        PackedQueue &q = g.packed(ECHO_VQ_ECHO);
        q.desc(q.next_slot()) = {buffer, 64, 5, flags};
        q.kick();
        usleep(50000);
        CHECK_EQ(t.device.stats().vqs[ECHO_VQ_ECHO].popped, popped);
        CHECK(!g.needs_reset());
    }
    g.good();

    // A chain whose second part is not available: the driver broke its promise.
    PackedQueue &q = g.packed(ECHO_VQ_ECHO);
    const uint16_t slot = q.next_slot();
    q.desc(slot + 1) = {buffer, 16, 5, used_bit};
    q.desc(slot) = {buffer, 16, 5, static_cast<uint16_t>(avail | next_flag)};
    q.kick();
    g.broken();
}

TEST("P2 buffer id out of range")
{
    auto t = packed_fixture();
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(64);
    const uint64_t before = t.malformed();
    unsigned bad = 0;
    for (unsigned id : {256U, 257U, 0x8000U, 0xffffU}) {
        PackedQueue &q = g.packed(ECHO_VQ_ECHO);
        // A ring as the driver sees it has no place for such an id: read the
        // entry itself, then start anew.
        const uint16_t slot = q.next_slot();
        q.desc(slot) = {buffer, 64, static_cast<uint16_t>(id), avail};
        q.kick();
        bad++;
        CHECK(within(5000, [&] { return t.malformed() == before + bad; }));
        // It is counted before it is returned.
        const volatile uint32_t &length = q.desc(slot).len;
        CHECK(within(5000, [&] { return length == 0; }));
        CHECK_EQ(q.desc(slot).id, id);
        CHECK(!g.needs_reset());
        g.restart();
        g.good();
    }
}

TEST("P2 buffer id repeated")
{
    auto t = packed_fixture();
    Hostile &g = t.guest;
    CHECK(g.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
    const uint64_t buffer = g.alloc(64);
    PackedQueue &q = g.packed(ECHO_VQ_LATE);
    for (int i = 0; i < 50; i++) {
        q.raw_add({{buffer, 16, 7, 0}});
    }
    q.kick();
    for (int waited = 0; waited < 5000 && t.malformed(ECHO_VQ_LATE) != 49; waited += 10) {
        usleep(10000);
    }
    CHECK_EQ(t.malformed(ECHO_VQ_LATE), 49U);
    CHECK_EQ(g.count(100), 1U);
    CHECK(!g.needs_reset());
    g.restart();
    g.good();
}

TEST("P3 chain longer than the ring")
{
    auto t = packed_fixture(64);
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(64);
    // All entries with NEXT, with the right wrap bits: it has no end.
    PackedQueue &q = g.packed(ECHO_VQ_ECHO);
    q.raw_add(std::vector<vring_packed_desc>(64, {buffer, 1, 3, next_flag}));
    q.kick();
    g.broken();
}

TEST("P3 NEXT on the last one, INDIRECT in the middle and at the end")
{
    auto t = packed_fixture();
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(64);
    const uint64_t table = g.alloc(32);
    g.table(table, {{buffer, 16}, {buffer + 16, 16, write_flag}});
    const uint16_t indirect = VRING_DESC_F_INDIRECT;
    const uint64_t before = t.malformed();
    g.put_rejected({{buffer, 16}, {table, 32, indirect}, {buffer + 32, 16, write_flag}});
    g.put_rejected({{buffer, 16}, {table, 32, indirect}});
    CHECK_EQ(t.malformed(), before + 2);

    // NEXT on the last entry leads to one that is not available.
    PackedQueue &q = g.packed(ECHO_VQ_ECHO);
    q.raw_add(
        {{buffer, 16, 3, 0}, {buffer + 16, 16, 3, static_cast<uint16_t>(write_flag | next_flag)}});
    q.kick();
    g.broken();
}

TEST("P3 a ring as full as it can be, and chains across its end")
{
    auto t = packed_fixture(64);
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(64);
    for (int round = 0; round < 100; round++) {
        std::vector<Raw> chain(64, {buffer, 1});
        for (size_t i = 30; i < 64; i++) {
            chain[i] = {buffer + 1 + i % 32, 1, write_flag};
        }
        const uint16_t id = g.put(chain);
        const Used used = g.queue(ECHO_VQ_ECHO).expect();
        CHECK_EQ(used.id, id);
        CHECK_EQ(used.length, 30U);
        g.good(); // 4 entries: the next chain begins elsewhere
    }
}

TEST("P4 event suppression structure with bad offset and flags")
{
    auto t = packed_fixture();
    Hostile &g = t.guest;
    for (unsigned off : {0U, 256U, 257U, 0x7fffU, 0x8000U, 0x8100U, 0xffffU}) {
        for (unsigned flags : {0U, 1U, 2U, 3U, 0xfffcU, 0xffffU}) {
            PackedQueue &q = g.packed(ECHO_VQ_ECHO);
            const int id = q.add({{g.alloc(16), 16, false}});
            q.driver_event() = {static_cast<uint16_t>(off), static_cast<uint16_t>(flags)};
            q.kick();
            // Whatever it does about notifications, it serves.
            Used used{};
            for (int waited = 0; waited < 5000 && !q.take(used); waited++) {
                usleep(1000);
            }
            CHECK_EQ(used.id, id);
            CHECK(!g.needs_reset());
            g.good();
        }
    }
}

TEST("P4 packed ring not offered: refused")
{
    TestDevice device(echo_params(RingKind::split));
    Vdpa vdpa(device.path());
    must(vdpa.set_owner(), "owner");
    CHECK(!(vdpa.features() & bit(VIRTIO_F_RING_PACKED)));
    CHECK(vdpa.set_features(base_features | bit(VIRTIO_F_RING_PACKED)) < 0);
    must(vdpa.set_status(3), "status");
    must(vdpa.set_status(3 | VIRTIO_CONFIG_S_FEATURES_OK), "status");
    CHECK(!(vdpa.status() & VIRTIO_CONFIG_S_FEATURES_OK));
}
