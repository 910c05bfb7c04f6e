// SPDX-License-Identifier: Apache-2.0
// bad-input 4.1: descriptor chains, D1 to D12. The same for both rings, where
// the ring has what the row is about.
#include <cstring>

#include "hostile.hpp"

using namespace dh;

TEST("D1 chain loops to itself, over two elements, through an indirect table (split)")
{
    HostileFixture t(with_ring(RingKind::split));
    SplitQueue &q = t.guest.split(ECHO_VQ_ECHO);
    const uint64_t buffer = t.guest.alloc(64);
    const uint64_t before = t.malformed();

    const uint16_t a = q.num() - 2;
    const uint16_t b = q.num() - 1;
    q.desc(a) = {buffer, 16, VRING_DESC_F_NEXT, a};
    q.raw_add(a);
    q.kick_if_wanted();
    t.guest.rejected(a);
    t.guest.good();

    q.desc(a) = {buffer, 16, VRING_DESC_F_NEXT, b};
    q.desc(b) = {buffer + 16, 16, VRING_DESC_F_NEXT, a};
    q.raw_add(a);
    q.kick_if_wanted();
    t.guest.rejected(a);
    t.guest.good();

    const uint64_t table = t.guest.alloc(2 * sizeof(vring_desc));
    *t.guest.as<vring_desc>(table) = {buffer, 16, VRING_DESC_F_NEXT, 1};
    *t.guest.as<vring_desc>(table + 16) = {buffer + 16, 16, VRING_DESC_F_NEXT, 0};
    t.guest.put_rejected({{table, 32, VRING_DESC_F_INDIRECT}});

    // A table that is itself its first buffer, and the table of its own entry.
    *t.guest.as<vring_desc>(table) = {table, 32, VRING_DESC_F_INDIRECT, 0};
    t.guest.put_rejected({{table, 32, VRING_DESC_F_INDIRECT}});
    CHECK_EQ(t.malformed(), before + 4);
}

TEST_RINGS("D2 chain longer than the queue")
{
    HostileFixture t(with_ring(ring));
    const uint16_t num = t.guest.queue(0).num();
    const uint64_t buffer = t.guest.alloc(64);
    const uint64_t table = t.guest.alloc((num + 1) * 16UL);
    t.guest.table(table, std::vector<Raw>(num + 1, {buffer, 1}));
    t.guest.put_rejected({{table, (num + 1) * 16U, VRING_DESC_F_INDIRECT}});

    if (ring == RingKind::split) {
        // Legal descriptors and a full table behind them: longer in sum.
        t.guest.table(table, std::vector<Raw>(num, {buffer, 1}));
        t.guest.put_rejected({{buffer, 1}, {table, num * 16U, VRING_DESC_F_INDIRECT}});
    }
    // As long as the queue is fine.
    std::vector<Raw> all(num, {buffer, 1});
    all.back() = {buffer, 1, write_flag};
    t.guest.table(table, all);
    t.guest.put_served({{table, num * 16U, VRING_DESC_F_INDIRECT}}, 1);
}

TEST("D3 next beyond the queue (split)")
{
    HostileFixture t(with_ring(RingKind::split));
    const uint64_t buffer = t.guest.alloc(64);
    for (unsigned next : {256U, 257U, 0x7fffU, 0xffffU}) {
        SplitQueue &q = t.guest.split(ECHO_VQ_ECHO);
        q.desc(200) = {buffer, 16, VRING_DESC_F_NEXT, static_cast<uint16_t>(next)};
        q.raw_add(200);
        q.kick_if_wanted();
        t.guest.broken();
    }
    // In a table the index is the table's: the table is refused, the queue lives.
    const uint64_t table = t.guest.alloc(32);
    *t.guest.as<vring_desc>(table) = {buffer, 16, VRING_DESC_F_NEXT, 2};
    t.guest.put_rejected({{table, 32, VRING_DESC_F_INDIRECT}});
}

TEST("D4 head beyond the queue (split)")
{
    HostileFixture t(with_ring(RingKind::split));
    for (unsigned head : {256U, 300U, 0x8000U, 0xffffU}) {
        SplitQueue &q = t.guest.split(ECHO_VQ_ECHO);
        q.raw_add(static_cast<uint16_t>(head));
        q.kick_if_wanted();
        t.guest.broken();
    }
}

TEST("D5 avail index jumps forward, goes back, near the wrap (split)")
{
    HostileFixture t(with_ring(RingKind::split));
    const uint16_t num = t.guest.queue(0).num();
    for (int n = 0; n < 5; n++) {
        t.guest.good();
    }
    for (unsigned jump : {num + 1U, num + 2U, 0x4000U, 0x8000U, 0xffffU}) {
        SplitQueue &q = t.guest.split(ECHO_VQ_ECHO);
        q.raw_index(static_cast<uint16_t>(q.next_avail() + jump));
        q.kick();
        t.guest.broken();
    }

    // Across 65535 all is well, and a jump there is one.
    for (int n = 0; n < 2; n++) {
        t.guest.reset();
        t.guest.split(ECHO_VQ_ECHO).start_at(65530);
        t.guest.restart();
        for (int i = 0; i < 3; i++) {
            t.guest.good();
        }
        SplitQueue &q = t.guest.split(ECHO_VQ_ECHO);
        CHECK_EQ(q.next_avail(), 65533);
        if (n == 0) {
            for (int i = 0; i < 6; i++) {
                t.guest.good();
            }
            CHECK_EQ(q.next_avail(), 3);
        }
        q.raw_index(static_cast<uint16_t>(q.next_avail() + num + 1));
        q.kick();
        t.guest.broken();
    }
}

TEST_RINGS("D6 the same head twice while in flight")
{
    HostileFixture t(with_ring(ring));
    CHECK(t.guest.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
    const uint64_t buffer = t.guest.alloc(128);
    const std::vector<Raw> chain{{buffer, 64}, {buffer + 64, 64, write_flag}};

    const uint16_t id = t.guest.put(chain, ECHO_VQ_LATE);
    while (t.guest.count(100) != 1) {
        usleep(1000);
    }
    // For the packed ring it is the buffer id; the slots are new ones.
    if (ring == RingKind::split) {
        t.guest.split(ECHO_VQ_LATE).raw_add(id);
        t.guest.queue(ECHO_VQ_LATE).kick_if_wanted();
    } else {
        CHECK_EQ(t.guest.put(chain, ECHO_VQ_LATE), id);
    }
    t.guest.rejected(id, ECHO_VQ_LATE);
    CHECK_EQ(t.malformed(ECHO_VQ_LATE), 1U);
    CHECK_EQ(t.guest.count(100), 1U);

    CHECK_EQ(t.guest.control(ECHO_OP_LATE_RELEASE).value_or(0), 1U);
    if (ring == RingKind::split) {
        const Used used = t.guest.queue(ECHO_VQ_LATE).expect();
        CHECK_EQ(used.id, id);
        CHECK_EQ(used.length, 64U);
    } else {
        // The driver gave its slots away; where the first one comes back is
        // its own fault. It starts anew.
        t.guest.restart();
    }
    t.guest.good();
}

TEST_RINGS("D7 address 0, beyond RAM, in a hole, in a PCI BAR, in the ring itself")
{
    GuestSetup setup = with_ring(ring);
    HostileFixture t(setup);
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(64);
    const uint64_t end = Guest::ram_base + setup.ram;
    const uint64_t before = t.malformed();
    uint64_t bad = 0;
    for (uint64_t addr : {uint64_t{0}, Guest::ram_base - 1, Guest::ram_base - 4096, end, end + 4096,
                          uint64_t{0xfebf0000}, uint64_t{0xfffffffffffff000}, ~uint64_t{0}}) {
        g.put_rejected({{addr, 1}, {buffer, 16, write_flag}});
        g.put_rejected({{buffer, 16}, {addr, 1, write_flag}});
        bad += 2;
    }
    CHECK_EQ(t.malformed(), before + bad);

    // The ring is RAM like any other: to read it is fine, to write to an entry
    // that is not in use as well.
    Queue &q = g.queue(ECHO_VQ_ECHO);
    g.put_served({{q.desc_addr(), 32}, {buffer, 32, write_flag}}, 32);
    const uint64_t unused = g.queue(ECHO_VQ_SUPPLY).desc_addr();
    g.put_served({{buffer, 32}, {unused, 32, write_flag}}, 32);

    // Over the whole driver and descriptor areas while it is served: what comes
    // of it is the guest's own, but a reset puts it right.
    g.put({{buffer, 64}, {q.driver_addr(), ring == RingKind::split ? 64U : 4U, write_flag}});
    usleep(50000);
    g.restart();
    g.good();
    g.put({{buffer, 64}, {q.device_addr(), ring == RingKind::split ? 64U : 4U, write_flag}});
    usleep(50000);
    g.restart();
    g.good();
}

TEST_RINGS("D8 length 0, 4 GiB, wrap of the address space, end of RAM, two regions")
{
    GuestSetup setup = with_ring(ring);
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), setup);
    // Region 0 ends at RAM's half; its neighbour in the device's view is other
    // memory; behind that there is a hole.
    constexpr uint64_t half = 2 << 20;
    g.memory().regions()[0].size = half;
    g.memory().add(Guest::ram_base + half, 1 << 20, half + (1 << 20));
    g.memory().add(Guest::ram_base + half + (1 << 20) + 4096, 4096, half);
    g.start();
    g.good();

    const uint64_t buffer = g.alloc(8192);
    const uint64_t hole = Guest::ram_base + half + (1 << 20);
    const std::vector<std::pair<uint64_t, uint32_t>> bad{
        {buffer, 0},
        {buffer, 0xffffffff},
        {buffer, 0x80000000},
        {~uint64_t{0} - 15, 0x20},
        {~uint64_t{0} - 15, 0x10},
        {hole - 16, 17},
        {hole - 16, 4096 + 32}, // over the hole into the next region
        {hole + 4096 + 4095, 2},
    };
    for (const auto &[addr, length] : bad) {
        g.put_rejected({{addr, length}, {buffer, 16, write_flag}});
        g.put_rejected({{buffer, 16}, {addr, length, write_flag}});
    }
    CHECK_EQ(device.stats().vqs[ECHO_VQ_ECHO].malformed, 2 * bad.size());

    // From one region into its neighbour: one buffer of the guest.
    const uint64_t seam = Guest::ram_base + half - 100;
    for (unsigned i = 0; i < 200; i++) {
        *g.at(seam + i) = static_cast<uint8_t>(i + 1);
    }
    g.put_served({{seam, 200}, {buffer, 200, write_flag}}, 200);
    for (unsigned i = 0; i < 200; i++) {
        CHECK_EQ(*g.at(buffer + i), i + 1);
    }
    g.put_served({{buffer, 200}, {seam, 200, write_flag}}, 200);
}

TEST_RINGS("D9 total length overflows 32 bit")
{
    GuestSetup setup = with_ring(ring);
    setup.queue_size = 1024;
    setup.ram = 8 << 20;
    HostileFixture t(setup);
    // 600 times all of RAM.
    const uint64_t before = t.malformed();
    t.guest.put_rejected(std::vector<Raw>(600, {Guest::ram_base, 8 << 20}));
    std::vector<Raw> both(600, {Guest::ram_base, 8 << 20, write_flag});
    both[0].flags = 0;
    t.guest.put_rejected(both);
    CHECK_EQ(t.malformed(), before + 2);
}

TEST_RINGS("D10 WRITE where it does not belong, missing, interleaved")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    const uint64_t b = g.alloc(64);
    *g.as<echo_control_out>(b) = {ECHO_OP_NOP, {0, 0, 0}};
    const uint32_t q = ECHO_VQ_CONTROL;
    g.put_rejected({{b, 16, write_flag}, {b + 16, 16, write_flag}}, q);
    g.put_rejected({{b, 16}, {b + 16, 16}}, q);
    g.put_rejected({{b + 16, 16, write_flag}, {b, 16}}, q);
    g.put_rejected({{b, 8}, {b + 16, 8, write_flag}, {b + 8, 8}, {b + 24, 8, write_flag}}, q);
    CHECK_EQ(t.malformed(q), 4U);
    *g.as<echo_control_out>(b) = {ECHO_OP_NOP, {0, 0, 0}};
    g.put_served({{b, 16}, {b + 16, 16, write_flag}}, 16, q);
}

TEST_RINGS("D11 only readable, only writable, header split over descriptors of 1 byte")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    const uint64_t b = g.alloc(64);
    const uint32_t q = ECHO_VQ_CONTROL;
    g.put_rejected({{b, 16}}, q);
    g.put_rejected({{b, 16, write_flag}}, q);
    CHECK_EQ(t.malformed(q), 2U);

    *g.as<echo_control_out>(b) = {ECHO_OP_NOP, {0, 0, 0}};
    *g.as<echo_control_in>(b + 16) = {99, 99, 99};
    std::vector<Raw> bytes;
    for (unsigned i = 0; i < 32; i++) {
        bytes.push_back({b + i, 1, static_cast<uint16_t>(i < 16 ? 0 : write_flag)});
    }
    g.put_served(bytes, 16, q);
    CHECK_EQ(g.as<echo_control_in>(b + 16)->status, uint32_t{ECHO_OK});
    CHECK_EQ(g.as<echo_control_in>(b + 16)->value, g.features());

    // In an indirect table as well.
    *g.as<echo_control_in>(b + 16) = {99, 99, 99};
    const uint64_t table = g.alloc(bytes.size() * 16);
    g.table(table, bytes);
    g.put_served({{table, static_cast<uint32_t>(bytes.size() * 16), VRING_DESC_F_INDIRECT}}, 16, q);
    CHECK_EQ(g.as<echo_control_in>(b + 16)->value, g.features());
}

TEST_RINGS("D12 response part one byte short, absent, huge")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    const uint64_t b = g.alloc(64);
    const uint64_t huge = g.alloc(1 << 20);
    const uint32_t q = ECHO_VQ_CONTROL;
    *g.as<echo_control_out>(b) = {ECHO_OP_NOP, {0, 0, 0}};
    memset(g.at(b + 16, 48), 0xa5, 48);
    g.put_rejected({{b, 16}, {b + 16, 15, write_flag}}, q);
    for (unsigned i = 16; i < 64; i++) {
        CHECK_EQ(*g.at(b + i), 0xa5);
    }
    g.put_rejected({{b, 16}}, q);
    g.put_rejected({{b, 15}, {b + 16, 16, write_flag}}, q);
    CHECK_EQ(t.malformed(q), 3U);

    memset(g.at(huge, 1 << 20), 0xa5, 1 << 20);
    g.put_served({{b, 16}, {huge, 1 << 20, write_flag}}, 16, q);
    for (unsigned i = 16; i < 4096; i++) {
        CHECK_EQ(*g.at(huge + i), 0xa5);
    }
}
