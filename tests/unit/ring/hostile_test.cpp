// SPDX-License-Identifier: Apache-2.0
// What a hostile driver does in either format. Rows are those of the checklist
// of bad input: D for descriptor chains, N for notifications. After each one a
// good request succeeds.
#include "rig.hpp"

#include <atomic>
#include <thread>

#include <sys/mman.h>

namespace {

class Hostile : public RingTest, public ::testing::WithParamInterface<bool> {
protected:
    [[nodiscard]] static Config config(bool indirect = false, uint16_t num = 16)
    {
        return {GetParam(), true, indirect, num, 0};
    }

    /// Each of these alone is returned unserved, and so it is between good ones.
    static void expect_malformed(Rig &rig, const std::vector<RawSegment> &chain)
    {
        rig.expect_returned(rig.driver->add_raw(chain));
        rig.expect_good();
    }

    static void put_table(Rig &rig, uint64_t table, const std::vector<RawSegment> &chain)
    {
        for (uint32_t i = 0; i < chain.size(); i++) {
            const auto flags = static_cast<uint16_t>(
                chain[i].flags | (!GetParam() && i + 1 < chain.size() ? desc_next : 0));
            RawDesc desc{chain[i].addr, chain[i].len, flags, static_cast<uint16_t>(i + 1)};
            if (GetParam()) {
                desc = {chain[i].addr, chain[i].len, 0, flags};
            }
            rig.driver->put(table, i, desc);
        }
    }
};

TEST_P(Hostile, D7AddressOutsideMemory)
{
    Rig rig(config());

    for (const uint64_t addr : {uint64_t{0}, uint64_t{0xfee00000}, uint64_t{1} << 52, ~uint64_t{0},
                                rig.driver->desc_iova + 16 * 16, rig.data - 1}) {
        expect_malformed(rig, {{addr, 1, 0}});
        expect_malformed(rig, {{addr, 1, desc_write}});
        expect_malformed(rig, {{rig.data, 8, 0}, {addr, 4, desc_write}});
    }
}

TEST_P(Hostile, D7PermissionsHold)
{
    Rig rig(config());
    const uint64_t read_only = rig.guest.add(64, Perm::read);
    const uint64_t write_only = rig.guest.append(64, Perm::write);

    expect_malformed(rig, {{read_only, 8, desc_write}});
    expect_malformed(rig, {{write_only, 8, 0}});
    // From what may be read into what may not.
    expect_malformed(rig, {{read_only + 60, 8, 0}});
    rig.driver->add_raw({{read_only, 8, 0}, {write_only, 8, desc_write}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    rig.device->push(chain, 0);
    rig.driver->get();
    rig.expect_good();
}

TEST_P(Hostile, D7BufferInTheRingItself)
{
    // Harms nobody but the driver: it is its memory.
    Rig rig(config());

    rig.driver->add_raw({{rig.driver->desc_iova, 16, 0}, {rig.driver->device_iova, 4, desc_write}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    const uint32_t junk = 0xffffffff;
    EXPECT_EQ(devhost_chain_write(chain, &junk, 4), 0);
    rig.device->push(chain, 4);
    rig.device->notify();
    rig.driver = make_driver(rig.guest, rig.config);
    rig.device.reset();
    rig.device.emplace(rig.guest, *rig.driver, rig.config);
    rig.expect_good();
}

TEST_P(Hostile, D8Lengths)
{
    Rig rig(config());
    const uint64_t end = rig.data + 0x4000;
    const uint64_t top = ~uint64_t{0} - 0xfff;
    rig.guest.map()->regions.reserve(8);
    rig.guest.place(top, 0x1000);
    rig.guest.place(0, 0x1000);

    for (const uint16_t flags : {uint16_t{0}, desc_write}) {
        expect_malformed(rig, {{rig.data, 0, flags}});
        expect_malformed(rig, {{rig.data, 8, 0}, {rig.data, 0, flags}});
        expect_malformed(rig, {{rig.data, 0xffffffff, flags}});
        expect_malformed(rig, {{end - 1, 2, flags}});
        // Around the end of the address space.
        expect_malformed(rig, {{top, 0x1001, flags}});
        expect_malformed(rig, {{~uint64_t{0}, 2, flags}});
        expect_malformed(rig, {{~uint64_t{0} - 7, 0xffffffff, flags}});
    }
    // Up to its very end is fine.
    rig.driver->add_raw({{top, 0x1000, 0}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(devhost_chain_readable(chain), 0x1000U);
    rig.device->push(chain, 0);
    rig.driver->get();
}

TEST_P(Hostile, D8CrossingRegions)
{
    Rig rig(config());
    const uint64_t a = rig.guest.add(64);
    rig.guest.append(64);

    // Two that touch are one buffer; a hole behind them is none.
    rig.driver->add_raw({{a, 128, 0}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(chain->out, 2);
    rig.device->push(chain, 0);
    rig.driver->get();
    expect_malformed(rig, {{a, 129, 0}});
}

TEST_P(Hostile, D8TooManyPieces)
{
    // A map that is in crumbs must not make a chain allocate without end.
    Rig rig(config(false, 32));
    constexpr uint32_t crumbs = 8192;
    rig.guest.map()->regions.reserve(crumbs + 16);
    const uint64_t at = rig.guest.add(1);
    for (uint32_t i = 1; i < crumbs; i++) {
        rig.guest.append(1);
    }

    expect_malformed(rig, {{at, DEVHOST_CHAIN_SPANS_MAX + 1, 0}});
    expect_malformed(rig, {{at, crumbs, desc_write}});
    EXPECT_EQ(rig.device->ring().spans, 0U);

    // As many as allowed; and a ring's total has its bound.
    std::vector<devhost_chain *> taken;
    for (uint32_t i = 0; i < 32; i++) {
        rig.driver->add_raw({{at, DEVHOST_CHAIN_SPANS_MAX, 0}});
        if (devhost_chain *chain = rig.device->pop()) {
            taken.push_back(chain);
        }
    }
    EXPECT_LE(rig.device->ring().spans, DEVHOST_RING_SPANS_MAX);
    EXPECT_GE(taken.size(), 14U);
    EXPECT_LE(taken.size(), 16U);
    for (devhost_chain *chain : taken) {
        rig.device->push(chain, 0);
    }
    EXPECT_EQ(rig.device->ring().spans, 0U);
}

TEST_P(Hostile, D9TotalOverflows)
{
    Rig rig(config());
    // As large as a descriptor can say.
    const size_t size = size_t{1} << 33;
    void *base = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(base, MAP_FAILED);
    const uint64_t at = uint64_t{1} << 40;
    rig.guest.place_nowhere(at, size, static_cast<uint8_t *>(base));

    expect_malformed(rig, {{at, 0xffffffff, 0}, {at, 1, 0}});
    expect_malformed(rig, {{at, 0x80000000, 0}, {at, 0x80000000, desc_write}});
    expect_malformed(rig, {{at, 1, desc_write}, {at, 0xffffffff, desc_write}});
    rig.driver->add_raw({{at, 0xfffffffe, 0}, {at, 1, desc_write}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(devhost_chain_readable(chain), 0xfffffffeU);
    rig.device->push(chain, 0);
    rig.driver->get();
    rig.expect_good();
    munmap(base, size);
}

TEST_P(Hostile, D10ReadableAfterWritable)
{
    Rig rig(config());

    expect_malformed(rig, {{rig.data, 8, desc_write}, {rig.data, 8, 0}});
    expect_malformed(rig, {{rig.data, 8, 0}, {rig.data, 8, desc_write}, {rig.data, 8, 0}});
}

TEST_P(Hostile, D13IndirectWithoutFeature)
{
    Rig rig(config(false));

    put_table(rig, rig.data, {{rig.data + 64, 8, 0}});
    expect_malformed(rig, {{rig.data, 16, desc_indirect}});
}

TEST_P(Hostile, D13IndirectTables)
{
    Rig rig(config(true));
    const uint64_t table = rig.data;

    put_table(rig, table, {{rig.data + 0x1000, 8, 0}});
    // Length: not of whole descriptors, none, more than the queue has, absurd.
    for (const uint32_t len :
         {0U, 1U, 15U, 17U, 24U, 16U * 17, 16U << 28, 0xfffffff0U, 0xffffffffU}) {
        expect_malformed(rig, {{table, len, desc_indirect}});
    }
    // Place: nowhere, partly nowhere, not to be read.
    expect_malformed(rig, {{0, 16, desc_indirect}});
    expect_malformed(rig, {{~uint64_t{0} - 15, 32, desc_indirect}});
    expect_malformed(rig, {{rig.guest.add(16, Perm::write), 16, desc_indirect}});
    // With NEXT, and in the middle.
    expect_malformed(rig, {{table, 16, desc_indirect}, {rig.data, 8, 0}});
    expect_malformed(rig, {{table, 16, desc_indirect}, {table, 16, desc_indirect}});
    expect_malformed(rig, {{rig.data, 8, 0}, {table, 16, desc_indirect}, {rig.data, 8, 0}});
    // What is in them is checked like all else.
    put_table(rig, table, {{rig.data, 8, 0}, {rig.data, 0, 0}});
    expect_malformed(rig, {{table, 32, desc_indirect}});
    put_table(rig, table, {{rig.data, 8, desc_write}, {rig.data, 8, 0}});
    expect_malformed(rig, {{table, 32, desc_indirect}});
    put_table(rig, table, {{rig.data, 8, 0}, {0, 8, 0}});
    expect_malformed(rig, {{table, 32, desc_indirect}});
}

TEST_P(Hostile, D13TablePartlyOutside)
{
    Rig rig(config(true));
    const uint64_t table = rig.guest.add(40);

    put_table(rig, table, {{rig.data, 8, 0}, {rig.data, 8, 0}});
    // The third one begins inside and ends outside.
    if (!GetParam()) {
        rig.driver->put(table, 1, {rig.data, 8, desc_next, 2});
    }
    expect_malformed(rig, {{table, 48, desc_indirect}});
}

TEST_P(Hostile, D13FullTable)
{
    // As many entries as the queue has are fine.
    Rig rig(config(true));
    std::vector<RawSegment> entries;
    for (uint32_t i = 0; i < 16; i++) {
        entries.push_back({rig.data + 0x1000 + i, 1, 0});
    }
    put_table(rig, rig.data, entries);
    rig.driver->add_raw({{rig.data, 256, desc_indirect}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(devhost_chain_readable(chain), 16U);
    EXPECT_EQ(chain->slots, GetParam() ? 1 : chain->slots);
    rig.device->push(chain, 0);
    rig.driver->get();
    rig.expect_good();
}

TEST_P(Hostile, D14DescriptorsChangeMeanwhile)
{
    Rig rig(config(true));
    std::atomic<bool> stop = false;
    const uint64_t table = rig.data + 0x800;
    uint8_t *ring = rig.guest.host(rig.driver->desc_iova);
    uint8_t *tables = rig.guest.host(table);

    put_table(rig, table, {{rig.data, 8, 0}, {rig.data, 8, desc_write}});
    std::thread flipper([&] {
        std::mt19937 rng{41};
        while (!stop) {
            // Length and address, but not what says where the chain ends.
            uint8_t *at = rng() % 2 != 0 ? tables + 16 * (rng() % 2) : ring + 16 * (rng() % 16);
            if (rng() % 2 != 0) {
                __atomic_fetch_xor(reinterpret_cast<uint32_t *>(at + 8), rng(), __ATOMIC_RELAXED);
            } else {
                __atomic_fetch_xor(reinterpret_cast<uint64_t *>(at), 0x8000, __ATOMIC_RELAXED);
            }
        }
    });
    uint64_t good = 0;
    for (int i = 0; i < 20000; i++) {
        if (i % 2 != 0) {
            rig.driver->add_raw({{rig.data, 8, 0}, {rig.data + 64, 8, desc_write}});
        } else {
            rig.driver->add_raw({{table, 32, desc_indirect}});
        }
        if (devhost_chain *chain = rig.device->pop()) {
            ASSERT_FALSE(is_err(chain));
            // One view of it: the total is that of the spans.
            uint64_t sum = 0;
            for (uint32_t j = 0; j < chain->out; j++) {
                sum += chain->span[j].len;
            }
            ASSERT_EQ(sum, chain->readable);
            std::vector<uint8_t> bytes(chain->readable);
            ASSERT_EQ(devhost_chain_read(chain, bytes.data(), bytes.size()), 0);
            rig.device->push(chain, 0);
            good++;
        }
        ASSERT_TRUE(rig.driver->get());
    }
    stop = true;
    flipper.join();
    EXPECT_EQ(good + rig.device->ring().malformed, 20000U);
    put_table(rig, table, {{rig.data, 8, 0}});
    rig.expect_good();
}

TEST_P(Hostile, BoundedWork)
{
    // Chains that take long to be found out are not all returned in one go.
    Rig rig({GetParam(), true, true, 256, 0});
    constexpr uint64_t chains = 64;
    std::vector<RawSegment> entries(200, {rig.data + 0x2000, 1, 0});
    entries.push_back({0, 1, 0});
    put_table(rig, rig.data, entries);
    for (uint64_t i = 0; i < chains; i++) {
        rig.driver->add_raw({{rig.data, 16 * 201, desc_indirect}});
    }

    const devhost_ring &ring = rig.device->ring();
    uint64_t last = 0;
    while (last < chains) {
        ASSERT_EQ(rig.device->pop(), nullptr);
        ASSERT_GT(ring.malformed, last);
        ASSERT_LE(ring.malformed - last, 2U);
        last = ring.malformed;
        // More is there: nobody waits for a kick that does not come.
        ASSERT_EQ(rig.device->enable_kick(), last < chains);
    }
    while (rig.driver->get()) {
    }
    rig.expect_good();
}

TEST_P(Hostile, BoundedReturns)
{
    // Nor those that are found out at once, where the driver adds more for ever.
    Rig rig({GetParam(), true, false, 8, 0});

    for (uint32_t i = 0; i < 8; i++) {
        rig.driver->add_raw({{0, 8, 0}});
    }
    EXPECT_EQ(rig.device->pop(), nullptr);
    EXPECT_EQ(rig.device->ring().malformed, 8U);
    while (rig.driver->get()) {
    }
    rig.expect_good();
}

TEST_P(Hostile, MalformedAmongGoodOnes)
{
    Rig rig(config());

    rig.driver->enable_callbacks(0);
    const uint16_t first = rig.driver->add_raw({{rig.data, 8, 0}});
    const uint16_t bad = rig.driver->add_raw({{0, 8, 0}});
    const uint16_t second = rig.driver->add_raw({{rig.data, 8, 0}});
    devhost_chain *one = rig.device->pop();
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(one->id, first);
    EXPECT_FALSE(rig.driver->more());
    devhost_chain *two = rig.device->pop();
    ASSERT_NE(two, nullptr);
    EXPECT_EQ(two->id, second);
    EXPECT_EQ(rig.driver->get()->token, bad);
    // The driver hears of it like of any other.
    EXPECT_TRUE(rig.device->notify());
    rig.device->push(two, 0);
    rig.device->push(one, 0);
    EXPECT_EQ(rig.driver->get()->token, second);
    EXPECT_EQ(rig.driver->get()->token, first);
    rig.expect_good();
}

TEST_P(Hostile, N4RandomEvents)
{
    Rig rig({GetParam(), true, false, 16, 0});
    std::mt19937 rng{43};

    for (int i = 0; i < 20000; i++) {
        uint8_t *driver = rig.guest.host(rig.driver->driver_iova);
        uint8_t *device = rig.guest.host(rig.driver->device_iova);
        if (GetParam()) {
            store<uint32_t>(driver, rng());
            store<uint32_t>(device, rng());
        } else {
            store<uint16_t>(driver, rng());
            store<uint16_t>(driver + 4 + 2 * 16, rng());
            store<uint16_t>(device, rng());
            store<uint16_t>(device + 4 + 8 * 16, rng());
        }
        rig.driver->add_raw({{rig.data, 8, 0}});
        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        ASSERT_FALSE(is_err(chain));
        rig.device->push(chain, 0);
        rig.device->notify();
        ASSERT_FALSE(rig.device->enable_kick());
        ASSERT_TRUE(rig.driver->get());
        if (i % 3 == 0) {
            rig.device->disable_kick();
        }
    }
    rig.expect_good();
}

INSTANTIATE_TEST_SUITE_P(Ring, Hostile, ::testing::Bool(),
                         [](const auto &info) { return info.param ? "packed" : "split"; });

} // namespace
