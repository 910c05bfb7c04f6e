// SPDX-License-Identifier: Apache-2.0
//
// Token buckets: exact in the long run, at the edges of their numbers and under concurrency.
#include <limits>
#include <thread>

#include <gtest/gtest.h>
#include <linux/devhost.h>

#include "can_policy_layout.hpp"
#include "judge.h"

namespace devhost {

namespace {

constexpr std::uint64_t second = 1'000'000'000;

class Limited {
public:
    Limited(RateLimit frames, RateLimit bits, bool of_guest = false)
    {
        CanPolicy policy;
        CanRule rule;

        rule.verdict = Verdict::allow;
        (of_guest ? policy.transmit.frames : rule.frames) = frames;
        (of_guest ? policy.transmit.bits : rule.bits) = bits;
        policy.transmit.rules = {rule};
        layout_ = lay_out(policy, {});
    }

    bool passes(std::uint64_t now, std::uint32_t bits = 100)
    {
        judge_clock = now;
        return pass(bits);
    }
    // Without setting the clock.
    bool pass(std::uint32_t bits = 100)
    {
        const devhost_policy_can frame{.guest = 1,
                                       .device = 1,
                                       .can_id = 0x100,
                                       .bits = bits,
                                       .direction = CAN_POLICY_TRANSMIT,
                                       .flags = 0,
                                       .len = 8};
        return ::judge(&layout_.rules, &state_, &frame) == DEVHOST_VERDICT_ALLOW;
    }
    // How many of this many frames in a row pass.
    unsigned burst(std::uint64_t now, unsigned frames, std::uint32_t bits = 100)
    {
        unsigned passed = 0;

        while (frames-- > 0) {
            passed += passes(now, bits) ? 1 : 0;
        }
        return passed;
    }

private:
    CanPolicyLayout layout_;
    can_policy_state state_{};
};

} // namespace

TEST(Bucket, IsFullAtFirst)
{
    EXPECT_EQ(Limited({.rate = 1, .burst = 60}, {}).burst(0, 100), 60U);
    EXPECT_EQ(Limited({.rate = 1, .burst = 60}, {}).burst(5, 100), 60U) << "just after boot";
    EXPECT_EQ(Limited({.rate = 1, .burst = 60}, {}).burst(1000 * second, 100), 60U);
}

TEST(Bucket, LetsTheRateThroughExactly)
{
    // 300 frames a second do not divide a second; still not one is lost or gained.
    for (const bool of_guest : {false, true}) {
        Limited limited({.rate = 300, .burst = 7}, {}, of_guest);
        unsigned passed = 0;

        for (std::uint64_t now = 0; now < 1000 * second; now += second / 1000) {
            passed += limited.passes(now) ? 1 : 0;
        }
        EXPECT_EQ(passed, 7U + 299'999U);
    }
}

TEST(Bucket, CountsBits)
{
    Limited limited({}, {.rate = 100'000, .burst = 1000});

    EXPECT_EQ(limited.burst(0, 100, 100), 10U);
    EXPECT_FALSE(limited.passes(999'999, 100));
    EXPECT_TRUE(limited.passes(1'000'000, 100));
    EXPECT_FALSE(limited.passes(1'000'000, 1));
    EXPECT_TRUE(limited.passes(1'010'000, 1));
}

TEST(Bucket, AFrameThatIsRefusedCostsNothing)
{
    // Enough frames, too few bits: the frame bucket is not touched.
    Limited limited({.rate = 1, .burst = 2}, {.rate = 1, .burst = 1000});

    EXPECT_TRUE(limited.passes(0, 900));
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(limited.passes(0, 200));
    }
    EXPECT_TRUE(limited.passes(0, 100));
    EXPECT_FALSE(limited.passes(0, 0));
}

TEST(Bucket, NeverHoldsMoreThanItsBurst)
{
    Limited limited({.rate = 1'000'000, .burst = 3}, {});

    for (const std::uint64_t idle : {second, 3600 * second, std::uint64_t{1} << 62,
                                     std::numeric_limits<std::uint64_t>::max()}) {
        EXPECT_EQ(limited.burst(idle, 100), 3U) << idle;
    }
}

TEST(Bucket, DoesNotOverflowAtItsBounds)
{
    constexpr std::uint32_t most = 100'000'000;
    constexpr std::uint64_t start = 10 * second;
    Limited limited({}, {.rate = most, .burst = most});

    EXPECT_TRUE(limited.passes(start, most));
    EXPECT_FALSE(limited.passes(start, 1));
    EXPECT_FALSE(limited.passes(start + 9, 1));
    EXPECT_TRUE(limited.passes(start + 10, 1));
    EXPECT_FALSE(limited.passes(start + second, most)) << "one bit was spent";
    EXPECT_TRUE(limited.passes(start + second + 10, most));
    EXPECT_FALSE(limited.passes(start + second + 10, std::numeric_limits<std::uint32_t>::max()));
    // Slow and large: a day to fill.
    Limited slow({.rate = 1, .burst = 86'400}, {});
    EXPECT_EQ(slow.burst(start, 100'000), 86'400U);
    EXPECT_EQ(slow.burst(start + 43'200 * second, 100'000), 43'200U);
    // Whole range of the type, beyond what the parser lets through.
    constexpr std::uint32_t all = std::numeric_limits<std::uint32_t>::max();
    Limited wide({}, {.rate = all, .burst = all});
    EXPECT_TRUE(wide.passes(start, all));
    EXPECT_FALSE(wide.passes(start + second - 1, all));
    EXPECT_TRUE(wide.passes(start + second, all));
}

TEST(Bucket, TimeThatGoesBackFillsNothing)
{
    Limited limited({.rate = 1000, .burst = 1}, {});

    EXPECT_TRUE(limited.passes(second));
    EXPECT_FALSE(limited.passes(0));
    EXPECT_FALSE(limited.passes(second + 999'999));
    EXPECT_TRUE(limited.passes(second + 1'000'000));
}

TEST(Bucket, IsExactUnderConcurrency)
{
    constexpr unsigned burst = 20'000;
    Limited limited({.rate = 1, .burst = burst}, {}, true);
    std::atomic<unsigned> passed = 0;
    std::vector<std::thread> threads;

    judge_clock = second;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (unsigned i = 0; i < burst; ++i) {
                passed += limited.pass() ? 1 : 0;
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(passed, burst);
}

} // namespace devhost
