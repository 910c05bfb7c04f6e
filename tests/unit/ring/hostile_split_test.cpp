// SPDX-License-Identifier: Apache-2.0
// What a hostile driver does to a split ring. Rows are those of the checklist.
#include "rig.hpp"

namespace {

using HostileSplit = RingTest;

Config split(uint16_t num = 16, bool indirect = false, uint32_t start = 0)
{
    return {false, true, indirect, num, start};
}

TEST_F(HostileSplit, D1Loops)
{
    Rig rig(split());
    Driver &driver = *rig.driver;

    // One that is its own successor, two that are each other's.
    driver.put(driver.desc_iova, 4, {rig.data, 1, desc_next, 4});
    rig.split().push_head(4);
    rig.expect_returned(4);
    rig.expect_good();
    driver.put(driver.desc_iova, 4, {rig.data, 1, desc_next, 5});
    driver.put(driver.desc_iova, 5, {rig.data, 1, desc_next, 4});
    rig.split().push_head(4);
    rig.expect_returned(4);
    rig.expect_good();
}

TEST_F(HostileSplit, D1LoopsInTables)
{
    Rig rig(split(16, true));
    Driver &driver = *rig.driver;

    driver.put(rig.data, 0, {rig.data, 1, desc_next, 0});
    driver.put(driver.desc_iova, 4, {rig.data, 16, desc_indirect, 0});
    rig.split().push_head(4);
    rig.expect_returned(4);
    rig.expect_good();
    driver.put(rig.data, 0, {rig.data, 1, desc_next, 1});
    driver.put(rig.data, 1, {rig.data, 1, desc_next, 0});
    driver.put(driver.desc_iova, 4, {rig.data, 32, desc_indirect, 0});
    rig.split().push_head(4);
    rig.expect_returned(4);
    rig.expect_good();
}

TEST_F(HostileSplit, D1LoopThroughATable)
{
    // A table that is the ring, so that it refers to itself.
    Rig rig(split(16, true));
    Driver &driver = *rig.driver;

    driver.put(driver.desc_iova, 0, {driver.desc_iova, 16, desc_indirect, 0});
    rig.split().push_head(0);
    rig.expect_returned(0);
    rig.expect_good();
}

TEST_F(HostileSplit, D2LongerThanTheQueue)
{
    // All sixteen are a chain; a seventeenth is none. With a table the chain
    // has more entries than the queue although each part is short enough.
    Rig rig(split(16, true));
    Driver &driver = *rig.driver;

    for (uint16_t i = 0; i < 16; i++) {
        driver.put(driver.desc_iova, i,
                   {rig.data, 1, i < 15 ? desc_next : uint16_t{0}, static_cast<uint16_t>(i + 1)});
    }
    rig.split().push_head(0);
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(devhost_chain_readable(chain), 16U);
    rig.device->push(chain, 0);
    driver.get();

    for (uint16_t i = 0; i < 8; i++) {
        driver.put(rig.data, i,
                   {rig.data, 1, i < 7 ? desc_next : uint16_t{0}, static_cast<uint16_t>(i + 1)});
    }
    driver.put(driver.desc_iova, 8, {rig.data, 16 * 8, desc_indirect, 0});
    rig.split().push_head(0);
    chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(devhost_chain_readable(chain), 16U);
    rig.device->push(chain, 0);
    driver.get();

    driver.put(driver.desc_iova, 8, {rig.data, 1, desc_next, 9});
    driver.put(driver.desc_iova, 9, {rig.data, 16 * 8, desc_indirect, 0});
    rig.split().push_head(0);
    rig.expect_returned(0);
    rig.expect_good();
}

TEST_F(HostileSplit, D3NextOutsideTheTable)
{
    for (const uint16_t next : {16, 17, 0x8000, 0xffff}) {
        Rig rig(split());
        rig.driver->put(rig.driver->desc_iova, 0, {rig.data, 1, desc_next, next});
        rig.split().push_head(0);
        rig.expect_broken();
    }
}

TEST_F(HostileSplit, D3NextOutsideAnIndirectTable)
{
    // The ring itself is sound, so this harms one chain only.
    Rig rig(split(16, true));
    for (const uint16_t next : {2, 16, 0xffff}) {
        rig.driver->put(rig.data, 0, {rig.data, 1, desc_next, next});
        rig.driver->put(rig.driver->desc_iova, 3, {rig.data, 32, desc_indirect, 0});
        rig.split().push_head(3);
        rig.expect_returned(3);
        rig.expect_good();
    }
}

TEST_F(HostileSplit, D4HeadOutsideTheTable)
{
    for (const uint16_t head : {16, 17, 0x8000, 0xffff}) {
        Rig rig(split());
        rig.split().push_head(head);
        rig.expect_broken();
    }
}

TEST_F(HostileSplit, D5IndexJumps)
{
    for (const uint32_t start : {0U, 100U, 65530U, 65535U}) {
        for (const uint16_t jump : {17, 100, 0x7fff, 0x8000, 0xfffe, 0xffff}) {
            Rig rig(split(16, false, start));
            rig.split().set_avail_idx(static_cast<uint16_t>(start + jump));
            rig.expect_broken();
        }
    }
}

TEST_F(HostileSplit, D5IndexGoesBackMeanwhile)
{
    Rig rig(split());
    const Buffer buffer{{{rig.data, 1}}, {}, 0};

    for (int i = 0; i < 4; i++) {
        rig.driver->add(buffer);
    }
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    rig.split().set_avail_idx(1);
    // Those seen stay there; then it shows.
    for (int i = 0; i < 3; i++) {
        ASSERT_FALSE(is_err(rig.device->pop()));
    }
    EXPECT_TRUE(rig.device->enable_kick());
    rig.expect_broken();
}

TEST_F(HostileSplit, D5FullQueueIsFine)
{
    for (const uint32_t start : {0U, 65528U}) {
        Rig rig(split(16, false, start));
        for (int i = 0; i < 16; i++) {
            ASSERT_TRUE(rig.driver->add({{{rig.data, 1}}, {}, 0}));
        }
        std::vector<devhost_chain *> taken;
        while (devhost_chain *chain = rig.device->pop()) {
            ASSERT_FALSE(is_err(chain));
            taken.push_back(chain);
        }
        EXPECT_EQ(taken.size(), 16U);
        for (devhost_chain *chain : taken) {
            rig.device->push(chain, 0);
        }
        while (rig.driver->get()) {
        }
        rig.expect_good();
    }
}

TEST_F(HostileSplit, D6SameHeadTwice)
{
    Rig rig(split());
    std::vector<uint8_t> seen(4);

    rig.guest.write(rig.data, std::vector<uint8_t>{1, 2, 3, 4});
    const auto head = rig.driver->add({{{rig.data, 4}}, {{rig.data + 64, 4}}, 0});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    ASSERT_EQ(devhost_chain_read(chain, seen.data(), 2), 0);
    rig.split().push_head(*head);
    EXPECT_EQ(rig.device->pop(), nullptr);
    EXPECT_EQ(rig.device->ring().malformed, 1U);
    EXPECT_EQ(rig.split().used_elem(0).token, *head);
    EXPECT_EQ(rig.split().used_elem(0).len, 0U);
    // The one in flight is as it was.
    EXPECT_EQ(rig.device->ring().inflight, 1U);
    ASSERT_EQ(devhost_chain_read(chain, seen.data() + 2, 2), 0);
    EXPECT_EQ(seen, (std::vector<uint8_t>{1, 2, 3, 4}));
    ASSERT_EQ(devhost_chain_write(chain, seen.data(), 4), 0);
    rig.device->push(chain, 4);
    EXPECT_EQ(rig.split().used_elem(1).len, 4U);
    rig.driver->get();
    rig.driver->get();
    rig.expect_good();
}

TEST_F(HostileSplit, D6AllInFlightAndMore)
{
    Rig rig(split(4));
    std::vector<devhost_chain *> taken;

    for (int i = 0; i < 4; i++) {
        rig.driver->add({{{rig.data, 1}}, {}, 0});
        taken.push_back(rig.device->pop());
    }
    for (uint16_t i = 0; i < 4; i++) {
        rig.split().push_head(i);
    }
    while (rig.device->ring().malformed < 4) {
        ASSERT_EQ(rig.device->pop(), nullptr);
    }
    EXPECT_EQ(rig.device->ring().inflight, 4U);
    for (devhost_chain *chain : taken) {
        rig.device->push(chain, 0);
    }
    EXPECT_EQ(rig.device->ring().pushed, 8U);
}

TEST_F(HostileSplit, D13NestedTables)
{
    Rig rig(split(16, true));

    rig.driver->put(rig.data, 0, {rig.data + 0x100, 16, desc_indirect, 0});
    rig.driver->put(rig.data + 0x100, 0, {rig.data, 8, 0, 0});
    rig.driver->put(rig.driver->desc_iova, 3, {rig.data, 16, desc_indirect, 0});
    rig.split().push_head(3);
    rig.expect_returned(3);
    rig.expect_good();
}

TEST_F(HostileSplit, D15UsedIndexWrittenByTheGuest)
{
    Rig rig(split());
    uint8_t *used = rig.guest.host(rig.driver->device_iova);

    for (const uint16_t junk : {1, 0x7fff, 0xffff}) {
        rig.driver->add({{{rig.data, 1}}, {}, 0});
        devhost_chain *chain = rig.device->pop();
        const auto before = static_cast<uint16_t>(rig.device->ring().last_used);
        store<uint16_t>(used + 2, junk);
        rig.device->push(chain, 0);
        // Ours counts, and is what the driver finds.
        EXPECT_EQ(rig.split().used_idx(), static_cast<uint16_t>(before + 1));
        rig.driver->get();
    }
    rig.expect_good();
}

TEST_F(HostileSplit, D15AnyUsedIndexAtTheStart)
{
    for (const uint16_t idx : {0, 1, 0x1234, 0xffff}) {
        Rig rig(split());
        store<uint16_t>(rig.guest.host(rig.driver->device_iova) + 2, idx);
        rig.device.reset();
        rig.device.emplace(rig.guest, *rig.driver, rig.config);
        rig.driver->add({{{rig.data, 1}}, {}, 0});
        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        rig.device->push(chain, 0);
        EXPECT_EQ(rig.split().used_idx(), static_cast<uint16_t>(idx + 1));
        EXPECT_EQ(rig.split().used_elem(idx).token, chain->id);
    }
}

} // namespace
