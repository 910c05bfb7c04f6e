// SPDX-License-Identifier: Apache-2.0
// bad-input 4.1: D13, indirect descriptors.
#include "hostile.hpp"

using namespace dh;

namespace {

constexpr uint16_t indirect_flag = VRING_DESC_F_INDIRECT;

// A guest, buffers and a table of two entries that is good.
struct Table : HostileFixture {
    explicit Table(GuestSetup setup) : HostileFixture(setup)
    {
        buffer = guest.alloc(128);
        good_table = guest.alloc(32);
        guest.table(good_table, {{buffer, 64}, {buffer + 64, 64, write_flag}});
    }
    uint64_t buffer;
    uint64_t good_table;
};

} // namespace

TEST_RINGS("D13 indirect without the feature")
{
    GuestSetup setup = with_ring(ring);
    setup.indirect = false;
    Table t(setup);
    CHECK(!(t.guest.features() & bit(VIRTIO_RING_F_INDIRECT_DESC)));
    const uint64_t before = t.malformed();
    t.guest.put_rejected({{t.good_table, 32, indirect_flag}});
    CHECK_EQ(t.malformed(), before + 1);
}

TEST_RINGS("D13 indirect works, also with odd flags")
{
    Table t(with_ring(ring));
    t.guest.put_served({{t.good_table, 32, indirect_flag}}, 64);
    // WRITE on the entry that refers to the table has no meaning.
    t.guest.put_served({{t.good_table, 32, indirect_flag | write_flag}}, 64);
}

TEST_RINGS("D13 indirect with NEXT, nested, two in one chain")
{
    Table t(with_ring(ring));
    Hostile &g = t.guest;
    const uint64_t before = t.malformed();
    g.put_rejected({{t.good_table, 32, indirect_flag}, {t.buffer, 16, write_flag}});
    g.put_rejected({{t.good_table, 32, indirect_flag}, {t.good_table, 32, indirect_flag}});
    CHECK_EQ(t.malformed(), before + 2);

    const uint64_t nested = g.alloc(32);
    g.table(nested, {{t.good_table, 32, indirect_flag}});
    if (ring == RingKind::split) {
        g.put_rejected({{nested, 16, indirect_flag}});
        g.table(nested, {{t.buffer, 16}, {t.good_table, 32, indirect_flag}});
        g.put_rejected({{nested, 32, indirect_flag}});
    } else {
        // In a packed table the flag is reserved: the entry is a buffer.
        g.put_served({{nested, 16, indirect_flag}}, 0);
    }
}

TEST_RINGS("D13 table length 0, no multiple of 16, beyond the queue size, 2^28 entries")
{
    Table t(with_ring(ring));
    const uint64_t before = t.malformed();
    const std::vector<uint32_t> bad{0,          1,         15, 17, 33, 257 * 16, 0x10000 * 16,
                                    0xfffffff0, 0xffffffff};
    for (uint32_t length : bad) {
        t.guest.put_rejected({{t.good_table, length, indirect_flag}});
    }
    CHECK_EQ(t.malformed(), before + bad.size());
}

TEST_RINGS("D13 table outside RAM, partly outside, address wraps")
{
    GuestSetup setup = with_ring(ring);
    Table t(setup);
    const uint64_t end = Guest::ram_base + setup.ram;
    for (uint64_t addr : {uint64_t{0}, end, end + 4096, Guest::ram_base - 16, end - 8, end - 24,
                          ~uint64_t{0} - 15, ~uint64_t{0}}) {
        t.guest.put_rejected({{addr, 32, indirect_flag}});
    }
    // Its first entry is there and good, the second is not.
    t.guest.table(end - 16, {{t.buffer, 16}});
    t.guest.as<vring_desc>(end - 16)->flags = VRING_DESC_F_NEXT;
    t.guest.as<vring_desc>(end - 16)->next = 1;
    t.guest.put_rejected({{end - 16, 32, indirect_flag}});
}

TEST_RINGS("D13 table across a page, across a seam, read-only")
{
    GuestSetup setup = with_ring(ring);
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), setup);
    constexpr uint64_t half = 2 << 20;
    g.memory().regions()[0].size = half;
    // The device's neighbour of region 0 is other memory, and read-only.
    g.memory().add(Guest::ram_base + half, half, half, VHOST_ACCESS_RO);
    g.start();
    g.good();

    const uint64_t buffer = g.alloc(256);
    const std::vector<Raw> entries{{buffer, 32}, {buffer + 32, 32}, {buffer + 64, 64, write_flag}};
    for (uint64_t at : {Guest::ram_base + half - 4096 - 24, // inside an entry
                        Guest::ram_base + half - 4096 - 16, Guest::ram_base + half - 16,
                        Guest::ram_base + half - 24, Guest::ram_base + half + 64}) {
        // Entry by entry and byte by byte: the seam may be inside of one.
        const uint64_t scratch = g.alloc(48);
        g.table(scratch, entries);
        for (unsigned i = 0; i < 48; i++) {
            *g.at(at + i) = *g.at(scratch + i);
        }
        g.put_served({{at, 48, indirect_flag}}, 64);
    }
}

TEST_RINGS("D13 table that cannot be read")
{
    GuestSetup setup = with_ring(ring);
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), setup);
    constexpr uint64_t half = 2 << 20;
    g.memory().regions()[0].size = half;
    g.memory().add(Guest::ram_base + half, half, half, VHOST_ACCESS_WO);
    g.start();
    g.good();
    const uint64_t buffer = g.alloc(64);
    const uint64_t secret = Guest::ram_base + half;
    g.table(secret, {{buffer, 32}, {buffer + 32, 32, write_flag}});
    g.put_rejected({{secret, 32, indirect_flag}});
    g.put_rejected({{secret, 32}, {buffer, 32, write_flag}});
    g.put_served({{buffer, 32}, {secret, 32, write_flag}}, 32);
}
