// SPDX-License-Identifier: Apache-2.0
// What a hostile driver does to a packed ring. Rows are those of the checklist.
#include "rig.hpp"

namespace {

using HostilePacked = RingTest;

Config packed(uint16_t num = 16, bool indirect = false)
{
    return {true, true, indirect, num, 0};
}

/// Put a descriptor's flags in place, whatever the driver would have done.
void put_flags(Rig &rig, uint32_t index, uint16_t flags)
{
    store<uint16_t>(rig.guest.host(rig.driver->desc_iova) + 16 * index + 14, flags);
}

TEST_F(HostilePacked, P1WrongWrapCounter)
{
    Rig rig(packed());

    for (const uint16_t flags : {uint16_t{0}, desc_used, uint16_t(desc_avail | desc_used)}) {
        rig.driver->put(rig.driver->desc_iova, 0, {rig.data, 8, 3, 0});
        put_flags(rig, 0, flags);
        EXPECT_EQ(rig.device->pop(), nullptr);
        EXPECT_FALSE(rig.device->enable_kick());
    }
    EXPECT_EQ(rig.device->ring().malformed, 0U);
    rig.expect_good();

    // In the next lap it is the other way round.
    while (rig.packed().wrap(rig.packed().avail_pos())) {
        rig.expect_good();
    }
    const uint32_t index = rig.packed().index(rig.packed().avail_pos());
    for (const uint16_t flags : {uint16_t{0}, desc_avail, uint16_t(desc_avail | desc_used)}) {
        put_flags(rig, index, flags);
        EXPECT_EQ(rig.device->pop(), nullptr);
    }
    rig.expect_good();
}

TEST_F(HostilePacked, P2IdOutOfRange)
{
    for (const uint16_t id : {16, 17, 0x8000, 0xffff}) {
        Rig rig(packed());
        for (uint32_t slots = 1; slots <= 3; slots++) {
            std::vector<RawDesc> chain(slots, {rig.data, 8, id, desc_next});
            chain.back().b = 0;
            const uint64_t at = rig.packed().used_pos();
            rig.packed().push_raw(chain);
            EXPECT_EQ(rig.device->pop(), nullptr);
            const RawDesc used = rig.driver->peek(rig.driver->desc_iova, rig.packed().index(at));
            EXPECT_EQ(used.a, id);
            EXPECT_EQ(used.len, 0U);
            EXPECT_EQ(used.b & (desc_avail | desc_used), desc_avail | desc_used);
            rig.packed().skip_used(slots);
            rig.expect_good();
        }
        EXPECT_EQ(rig.device->ring().malformed, 3U);
    }
}

TEST_F(HostilePacked, P2IdRepeated)
{
    Rig rig(packed());
    std::vector<uint8_t> seen(4);

    rig.guest.write(rig.data, std::vector<uint8_t>{1, 2, 3, 4});
    rig.packed().push_raw({{rig.data, 4, 5, 0}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    ASSERT_EQ(devhost_chain_read(chain, seen.data(), 2), 0);
    rig.packed().push_raw({{rig.data, 4, 5, desc_next}, {rig.data, 4, 5, 0}});
    EXPECT_EQ(rig.device->pop(), nullptr);
    EXPECT_EQ(rig.device->ring().malformed, 1U);
    EXPECT_EQ(rig.device->ring().inflight, 1U);
    RawDesc used = rig.driver->peek(rig.driver->desc_iova, 0);
    EXPECT_EQ(used.a, 5);
    EXPECT_EQ(used.len, 0U);
    // The one in flight is as it was.
    EXPECT_EQ(devhost_chain_readable(chain), 2U);
    ASSERT_EQ(devhost_chain_read(chain, seen.data() + 2, 2), 0);
    EXPECT_EQ(seen, (std::vector<uint8_t>{1, 2, 3, 4}));
    EXPECT_EQ(chain->slots, 1);
    rig.device->push(chain, 0);
    used = rig.driver->peek(rig.driver->desc_iova, 2);
    EXPECT_EQ(used.a, 5);
    EXPECT_EQ(used.b & (desc_avail | desc_used), desc_avail | desc_used);
    rig.packed().skip_used(3);
    rig.expect_good();
}

TEST_F(HostilePacked, P3LongerThanTheRing)
{
    for (const uint16_t num : {1, 3, 16}) {
        Rig rig(packed(num));
        // Each has NEXT, and the marks are those of the lap it is read in.
        for (uint32_t i = 0; i < num; i++) {
            rig.driver->put(rig.driver->desc_iova, i, {rig.data, 1, 0, desc_next | desc_avail});
        }
        devhost_chain *chain = rig.device->pop();
        EXPECT_TRUE(is_err(chain));
        if (num >= 2) {
            rig.expect_broken();
        }
    }
}

TEST_F(HostilePacked, P3WholeRingIsFine)
{
    Rig rig(packed(3));
    const Buffer buffer{{{rig.data, 1}, {rig.data, 1}}, {{rig.data + 64, 1}}, 0};

    for (int i = 0; i < 10; i++) {
        ASSERT_TRUE(rig.driver->add(buffer));
        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        ASSERT_FALSE(is_err(chain));
        EXPECT_EQ(chain->slots, 3);
        // All entries are in flight: none is there, and it is no error.
        EXPECT_EQ(rig.device->pop(), nullptr);
        EXPECT_FALSE(rig.device->enable_kick());
        rig.device->push(chain, 0);
        ASSERT_TRUE(rig.driver->get());
    }
}

TEST_F(HostilePacked, P3NextOnTheLast)
{
    // The chain goes on where nothing was made available: its end, and with it
    // the next chain's beginning, is unknown.
    Rig rig(packed());
    rig.packed().push_raw({{rig.data, 8, 0, 0}, {rig.data, 8, 1, desc_next}});
    ASSERT_FALSE(is_err(rig.device->pop()));
    rig.expect_broken();
}

TEST_F(HostilePacked, P3IntoWhatIsInFlight)
{
    Rig rig(packed(4));

    rig.packed().push_raw({{rig.data, 1, 0, 0}});
    rig.packed().push_raw({{rig.data, 1, 1, 0}});
    ASSERT_NE(rig.device->pop(), nullptr);
    ASSERT_NE(rig.device->pop(), nullptr);
    // Two entries are free; this one takes three.
    rig.packed().push_raw(
        {{rig.data, 1, 2, desc_next}, {rig.data, 1, 2, desc_next}, {rig.data, 1, 2, 0}});
    rig.expect_broken();
}

TEST_F(HostilePacked, P3MoreThanTheRingHas)
{
    Rig rig(packed(4));

    for (uint16_t i = 0; i < 4; i++) {
        rig.packed().push_raw({{rig.data, 1, i, 0}});
        ASSERT_NE(rig.device->pop(), nullptr);
    }
    rig.packed().push_raw({{rig.data, 1, 0, 0}});
    rig.expect_broken();
}

TEST_F(HostilePacked, P3IndirectInTheMiddle)
{
    Rig rig(packed(16, true));

    rig.driver->put(rig.data, 0, {rig.data, 8, 0, 0});
    const std::vector<std::vector<RawSegment>> chains{
        {{rig.data, 16, desc_indirect}, {rig.data, 8, 0}},
        {{rig.data, 8, 0}, {rig.data, 16, desc_indirect}},
        {{rig.data, 8, 0}, {rig.data, 16, desc_indirect}, {rig.data, 8, 0}},
    };
    for (const auto &chain : chains) {
        rig.expect_returned(rig.driver->add_raw(chain));
        rig.expect_good();
    }
}

TEST_F(HostilePacked, TablesHaveNoFlagsButWrite)
{
    // They are reserved and ignored: NEXT does not end it, INDIRECT is a buffer.
    Rig rig(packed(16, true));

    rig.driver->put(rig.data, 0, {rig.data + 0x100, 8, 0xffff, desc_indirect | desc_next});
    rig.driver->put(rig.data, 1, {rig.data + 0x200, 8, 0xffff, 0});
    rig.driver->put(rig.data, 2, {rig.data + 0x300, 8, 0xffff, desc_write | desc_avail});
    const uint16_t id = rig.driver->add_raw({{rig.data, 48, desc_indirect | desc_write}});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(chain->id, id);
    EXPECT_EQ(chain->slots, 1);
    EXPECT_EQ(devhost_chain_readable(chain), 16U);
    EXPECT_EQ(devhost_chain_writable(chain), 8U);
    rig.device->push(chain, 0);
    rig.driver->get();
    rig.expect_good();
}

TEST_F(HostilePacked, P4BadEvents)
{
    Rig rig(packed());
    uint8_t *event = rig.guest.host(rig.driver->driver_iova);
    const auto answer = [&](uint32_t value) {
        store<uint32_t>(event, value);
        rig.driver->add({{{rig.data, 1}}, {}, 0});
        rig.device->push(rig.device->pop(), 0);
        rig.driver->get();
        return rig.device->notify();
    };

    answer(0);
    // Offsets outside the ring and reserved flags cost a notification.
    EXPECT_TRUE(answer(2 << 16 | 16));
    EXPECT_TRUE(answer(2 << 16 | 0x7fff));
    EXPECT_TRUE(answer(2 << 16 | 0xffff));
    EXPECT_TRUE(answer(3 << 16));
    EXPECT_TRUE(answer(0xffff0000 | 0x1234));
    // Reserved bits above the flags are ignored.
    EXPECT_FALSE(answer(0xfffd0000));
    EXPECT_TRUE(answer(0xfffc0000));
    rig.expect_good();
}

TEST_F(HostilePacked, P4EventsWithoutTheFeature)
{
    Rig rig({true, false, false, 16, 0});

    store<uint32_t>(rig.guest.host(rig.driver->driver_iova), 2 << 16 | 9);
    for (int i = 0; i < 3; i++) {
        rig.driver->add({{{rig.data, 1}}, {}, 0});
        rig.device->push(rig.device->pop(), 0);
        EXPECT_TRUE(rig.device->notify());
    }
}

TEST_F(HostilePacked, UsedDescriptors)
{
    // WRITE says whether anything was written.
    Rig rig(packed());

    for (const uint32_t len : {0U, 8U}) {
        const uint64_t at = rig.packed().used_pos();
        rig.driver->add({{}, {{rig.data, 8}}, 0});
        rig.device->push(rig.device->pop(), len);
        const RawDesc used = rig.driver->peek(rig.driver->desc_iova, rig.packed().index(at));
        EXPECT_EQ(used.b, desc_avail | desc_used | (len != 0 ? desc_write : 0));
        EXPECT_EQ(used.len, len);
        rig.driver->get();
    }
}

} // namespace
