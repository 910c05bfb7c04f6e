// SPDX-License-Identifier: Apache-2.0
// Setting up, stopping and going on, putting back.
#include "rig.hpp"

namespace {

using StateTest = RingTest;

TEST_F(StateTest, Sizes)
{
    devhost_ring ring{};

    for (const uint16_t num : {1, 2, 1024, 32768}) {
        ring.num = num;
        for (const bool packed : {false, true}) {
            ring.packed = packed;
            EXPECT_EQ(devhost_ring_init(&ring), 0);
            devhost_ring_cleanup(&ring);
        }
    }
    for (const uint16_t num : {3, 1000, 32767}) {
        ring.num = num;
        ring.packed = false;
        EXPECT_EQ(devhost_ring_init(&ring), -EINVAL);
        ring.packed = true;
        EXPECT_EQ(devhost_ring_init(&ring), 0);
        devhost_ring_cleanup(&ring);
    }
    for (const uint16_t num : {0, 32769, 65535}) {
        ring.num = num;
        for (const bool packed : {false, true}) {
            ring.packed = packed;
            EXPECT_EQ(devhost_ring_init(&ring), -EINVAL);
        }
    }
    // Twice does no harm.
    devhost_ring_cleanup(&ring);
}

TEST_F(StateTest, Layout)
{
    devhost_ring ring{};
    struct devhost_ring_layout layout{};

    ring.num = 256;
    devhost_ring_layout(&ring, &layout);
    EXPECT_EQ(layout.desc, 4096U);
    EXPECT_EQ(layout.driver, 516U);
    EXPECT_EQ(layout.device, 2052U);
    ring.event_idx = true;
    devhost_ring_layout(&ring, &layout);
    EXPECT_EQ(layout.driver, 518U);
    EXPECT_EQ(layout.device, 2054U);
    ring.packed = true;
    devhost_ring_layout(&ring, &layout);
    EXPECT_EQ(layout.desc, 4096U);
    EXPECT_EQ(layout.driver, 4U);
    EXPECT_EQ(layout.device, 4U);
}

TEST_F(StateTest, InitOutOfMemory)
{
    devhost_ring ring{};

    ring.num = 16;
    for (const int budget : {0, 1}) {
        shim_alloc_budget = budget;
        EXPECT_EQ(devhost_ring_init(&ring), -ENOMEM);
        EXPECT_EQ(ring.chains, nullptr);
        devhost_ring_cleanup(&ring);
    }
}

TEST_F(StateTest, ImpossibleStarts)
{
    Rig rig({true, false, false, 8, 0});
    devhost_ring &ring = rig.device->ring();

    for (const RingState &state :
         {RingState{8, 0, true, true}, RingState{0, 8, true, true}, RingState{3, 4, true, true},
          RingState{4, 3, true, false}, RingState{0xffff, 0xffff, true, true}}) {
        EXPECT_EQ(devhost_ring_start(&ring, &state), -EINVAL);
    }
    for (const RingState &state : {RingState{4, 3, true, true}, RingState{3, 4, false, true},
                                   RingState{3, 3, true, false}, RingState{7, 7, false, false}}) {
        EXPECT_EQ(devhost_ring_start(&ring, &state), 0);
    }

    const RingState good{0, 0, true, true};
    for (const size_t off : {1, 2, 4, 8}) {
        rig.device->map();
        ring.desc = static_cast<uint8_t *>(ring.desc) + off;
        EXPECT_EQ(devhost_ring_start(&ring, &good), -EINVAL);
    }
    rig.device->map();
    ring.driver = static_cast<uint8_t *>(ring.driver) + 2;
    EXPECT_EQ(devhost_ring_start(&ring, &good), -EINVAL);
    rig.device->map();
    ring.device = static_cast<uint8_t *>(ring.device) + 2;
    EXPECT_EQ(devhost_ring_start(&ring, &good), -EINVAL);
}

TEST_F(StateTest, CleanupForgetsChains)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 64, 0});
        Buffer buffer;
        for (uint32_t i = 0; i < 20; i++) {
            buffer.out.push_back({rig.data + i, 1});
        }
        rig.driver->add(buffer);
        rig.driver->add({{{rig.data, 8}}, {}, 0});
        ASSERT_NE(rig.device->pop(), nullptr);
        ASSERT_NE(rig.device->pop(), nullptr);
        EXPECT_EQ(rig.device->ring().inflight, 2U);
        devhost_ring_cleanup(&rig.device->ring());
        EXPECT_EQ(rig.device->ring().inflight, 0U);
        EXPECT_FALSE(rig.driver->more());
    }
}

TEST_F(StateTest, BytesAreCountedUntilAChainIsReturned)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 8, 0});
        devhost_ring &ring = rig.device->ring();
        std::vector<devhost_chain *> taken;
        for (uint32_t i = 0; i < 3; i++) {
            rig.driver->add({{{rig.data, 10 + i}}, {{rig.data + 0x100, 100}}, 0});
            taken.push_back(rig.device->pop());
        }
        EXPECT_EQ(devhost_chain_bytes(taken[1]), 111U);
        EXPECT_EQ(ring.bytes, 0U);
        devhost_ring_count(&ring, taken[1]);
        devhost_ring_count(&ring, taken[1]);
        EXPECT_EQ(ring.bytes, 111U);
        // Also those that were taken before; what is free is not taken for one of them.
        devhost_ring_count_all(&ring);
        EXPECT_EQ(ring.bytes, 333U);
        rig.device->unpop(taken[2]);
        EXPECT_EQ(ring.bytes, 221U);
        taken[2] = rig.device->pop();
        EXPECT_EQ(ring.bytes, 221U);
        // Writing and reading change nothing.
        EXPECT_EQ(devhost_chain_write(taken[0], "abc", 3), 0);
        rig.device->push(taken[0], 3);
        EXPECT_EQ(ring.bytes, 111U);
        rig.device->push(taken[2], 0);
        EXPECT_EQ(ring.bytes, 111U);
        rig.device->push(taken[1], 0);
        EXPECT_EQ(ring.bytes, 0U);
        EXPECT_EQ(ring.inflight, 0U);
        devhost_ring_count_all(&ring);
        EXPECT_EQ(ring.bytes, 0U);
    }
}

TEST_F(StateTest, DoubleReturnIsRefused)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 8, 0});

        rig.driver->add({{{rig.data, 8}}, {}, 0});
        devhost_chain *chain = rig.device->pop();
        rig.device->push(chain, 0);
        rig.device->push(chain, 0);
        rig.device->unpop(chain);
        EXPECT_EQ(shim_warnings, 2);
        shim_warnings = 0;
        EXPECT_TRUE(rig.driver->get());
        EXPECT_FALSE(rig.driver->get());
        rig.expect_good();
    }
}

class Running : public RingTest, public ::testing::WithParamInterface<Config> {};

TEST_P(Running, Unpop)
{
    Rig rig(GetParam());
    std::mt19937 rng{31};
    std::vector<devhost_chain *> taken;
    std::vector<uint16_t> order; // as made available
    size_t next = 0;
    size_t unpops = 0;

    for (int step = 0; step < 20000; step++) {
        Buffer buffer{{{rig.data, 4}}, {}, 0};
        while (rng() % 3 == 0) {
            buffer.in.push_back({rig.data + 64, 4});
        }
        if (const auto token = rig.driver->add(buffer)) {
            order.push_back(*token);
        }
        const RingState before = rig.device->state();
        devhost_chain *chain = rig.device->pop();
        ASSERT_FALSE(is_err(chain));
        if (chain != nullptr) {
            ASSERT_EQ(chain->id, order[next]);
            uint8_t byte = 0;
            devhost_chain_read(chain, &byte, 1);
            // Others may be returned meanwhile.
            if (!taken.empty() && rng() % 4 == 0) {
                rig.device->push(taken.back(), 0);
                taken.pop_back();
            }
            if (rng() % 2 != 0) {
                rig.device->unpop(chain);
                const RingState after = rig.device->state();
                ASSERT_EQ(after.avail, before.avail);
                ASSERT_EQ(after.avail_wrap, before.avail_wrap);
                ASSERT_EQ(rig.device->ring().popped, next);
                ASSERT_TRUE(rig.device->enable_kick());
                // It is there again, whole.
                devhost_chain *again = rig.device->pop();
                ASSERT_NE(again, nullptr);
                ASSERT_EQ(again->id, order[next]);
                ASSERT_EQ(devhost_chain_readable(again), 4U);
                chain = again;
                unpops++;
            }
            taken.push_back(chain);
            next++;
        }
        while (taken.size() > rng() % 6) {
            const size_t i = rng() % taken.size();
            rig.device->push(taken[i], 0);
            taken.erase(taken.begin() + static_cast<ptrdiff_t>(i));
        }
        ASSERT_EQ(rig.device->ring().inflight, taken.size());
        while (rng() % 3 != 0 && rig.driver->get()) {
        }
    }
    EXPECT_GT(unpops, 1000U);
    EXPECT_EQ(rig.device->ring().malformed, 0U);
}

/// Another device goes on where this one stood, again and again.
TEST_P(Running, SaveAndRestore)
{
    Rig rig(GetParam());
    std::mt19937 rng{37};
    uint32_t added = 0;
    uint32_t received = 0;
    uint32_t moves = 0;

    while (received < 20000) {
        for (uint32_t n = rng() % 6; n > 0; n--) {
            Buffer buffer{{{rig.data, 4}}, {}, 0};
            if (rng() % 2 != 0) {
                buffer.in.push_back({rig.data + 64, 4});
            }
            added += rig.driver->add(buffer) ? 1 : 0;
        }
        std::vector<devhost_chain *> taken;
        for (uint32_t n = rng() % 6; n > 0; n--) {
            if (devhost_chain *chain = rig.device->pop()) {
                ASSERT_FALSE(is_err(chain));
                taken.push_back(chain);
            }
        }
        // A device that stops gives back what it has, in any order.
        while (!taken.empty()) {
            const size_t i = rng() % taken.size();
            rig.device->push(taken[i], 0);
            taken.erase(taken.begin() + static_cast<ptrdiff_t>(i));
        }
        while (rng() % 4 != 0 && rig.driver->get()) {
            received++;
        }
        if (rng() % 8 == 0) {
            const RingState state = rig.device->state();
            rig.device.reset();
            rig.device.emplace(rig.guest, *rig.driver, GetParam(), state);
            const RingState after = rig.device->state();
            ASSERT_EQ(after.avail, state.avail);
            ASSERT_EQ(after.used, state.used);
            moves++;
        }
    }
    EXPECT_GT(moves, 100U);
    while (devhost_chain *chain = rig.device->pop()) {
        rig.device->push(chain, 0);
    }
    while (rig.driver->get()) {
        received++;
    }
    EXPECT_EQ(received, added);
}

INSTANTIATE_TEST_SUITE_P(Ring, Running,
                         ::testing::Values(Config{false, false, false, 2, 65535},
                                           Config{false, true, false, 64, 65000},
                                           Config{true, false, false, 1, 0},
                                           Config{true, true, false, 5, 3},
                                           Config{true, true, false, 64, 0}),
                         [](const auto &info) { return name_of(info.param); });

} // namespace
