// SPDX-License-Identifier: Apache-2.0
// The arbitration is a pure function: all small cases, and random large ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#ifndef U64_MAX
#define U64_MAX (~0ULL)
#endif
#include <arbitrate.h>

namespace {

using Votes = std::vector<vscmi_vote>;

vscmi_vote vote(bool on, u64 level, u64 min = 0, u64 max = U64_MAX)
{
    return {on, level, min, max, 1};
}

vscmi_tally count(const Votes &votes)
{
    vscmi_tally tally{};
    for (const vscmi_vote &v : votes) {
        vscmi_tally_add(&tally, &v);
    }
    return tally;
}

vscmi_state decide(const Votes &votes, u64 ceiling, u64 base, const std::vector<u64> &levels = {})
{
    const vscmi_tally tally = count(votes);
    return vscmi_arbitrate(&tally, ceiling, base, levels.empty() ? nullptr : levels.data(),
                           static_cast<unsigned>(levels.size()));
}

bool same(const vscmi_state &a, const vscmi_state &b)
{
    return a.on == b.on && a.level == b.level;
}

// Every vote of a few levels and limits.
Votes all_votes()
{
    Votes votes;
    for (bool on : {false, true}) {
        for (u64 level : {0, 1, 5, 9}) {
            for (u64 min : {0, 3, 7}) {
                for (u64 max : {u64{2}, u64{6}, u64{U64_MAX}}) {
                    votes.push_back(vote(on, level, min, max));
                }
            }
        }
    }
    return votes;
}

} // namespace

TEST(Arbitrate, NobodyWantsAnything)
{
    const vscmi_state state = decide({}, VSCMI_NO_CEILING, 7);
    EXPECT_FALSE(state.on);
    EXPECT_EQ(state.level, 7U);
    const vscmi_state none = decide({VSCMI_NO_VOTE, VSCMI_NO_VOTE}, VSCMI_NO_CEILING, 7);
    EXPECT_TRUE(same(state, none));
    EXPECT_EQ(count({VSCMI_NO_VOTE}).holders, 0U);
    // What has no levels gets none.
    EXPECT_EQ(decide({vote(true, 0)}, VSCMI_NO_CEILING, 0).level, 0U);
    EXPECT_EQ(decide({vote(true, 0)}, 5, 0).level, 0U);
}

TEST(Arbitrate, HighestWithinTheCeiling)
{
    EXPECT_EQ(decide({vote(false, 3), vote(false, 8), vote(false, 5)}, VSCMI_NO_CEILING, 1).level,
              8U);
    EXPECT_EQ(decide({vote(false, 3), vote(false, 8)}, 6, 1).level, 6U);
    EXPECT_EQ(decide({vote(false, 3)}, 6, 9).level, 3U);
    // Also what it has when nobody wants anything.
    EXPECT_EQ(decide({}, 6, 9).level, 6U);
    EXPECT_EQ(decide({vote(false, U64_MAX)}, VSCMI_NO_CEILING, 1).level, U64_MAX);
}

TEST(Arbitrate, CeilingOfZeroIsOff)
{
    EXPECT_TRUE(decide({vote(true, 0)}, 1, 0).on);
    EXPECT_FALSE(decide({vote(true, 0), vote(true, 4)}, 0, 0).on);
    // Its level stays what it would be.
    EXPECT_EQ(decide({vote(true, 4)}, 0, 2).level, 4U);
}

TEST(Arbitrate, ListedLevels)
{
    const std::vector<u64> levels = {100, 200, 400};
    EXPECT_EQ(decide({vote(false, 1)}, VSCMI_NO_CEILING, 100, levels).level, 100U);
    EXPECT_EQ(decide({vote(false, 200)}, VSCMI_NO_CEILING, 100, levels).level, 200U);
    EXPECT_EQ(decide({vote(false, 201)}, VSCMI_NO_CEILING, 100, levels).level, 400U);
    EXPECT_EQ(decide({vote(false, 999)}, VSCMI_NO_CEILING, 100, levels).level, 400U);
    EXPECT_EQ(decide({vote(false, 400)}, 399, 100, levels).level, 200U);
    // Lower than the lowest is not to be had.
    EXPECT_EQ(decide({vote(false, 400)}, 50, 100, levels).level, 100U);
}

TEST(Arbitrate, OwnLimits)
{
    const vscmi_vote low = vote(false, 2, 5);
    EXPECT_EQ(vscmi_vote_level(&low), 5U);
    const vscmi_vote high = vote(false, 9, 0, 6);
    EXPECT_EQ(vscmi_vote_level(&high), 6U);
    // Limits that cross each other, one set after the other: the upper one counts.
    const vscmi_vote crossed = vote(false, 0, 7, 2);
    EXPECT_EQ(vscmi_vote_level(&crossed), 2U);
    // One guest's limits are not another's.
    EXPECT_EQ(decide({high, vote(false, 8)}, VSCMI_NO_CEILING, 1).level, 8U);
}

// The order in which guests came does not matter, and one that is gone leaves no trace.
TEST(Arbitrate, EveryPairOfVotes)
{
    const Votes votes = all_votes();
    const std::vector<std::vector<u64>> lists = {{}, {2, 4, 8}};
    for (const vscmi_vote &a : votes) {
        for (const vscmi_vote &b : votes) {
            for (u64 ceiling : {u64{0}, u64{1}, u64{4}, u64{VSCMI_NO_CEILING}}) {
                for (const auto &levels : lists) {
                    const vscmi_state ab = decide({a, b}, ceiling, 2, levels);
                    ASSERT_TRUE(same(ab, decide({b, a}, ceiling, 2, levels)));
                    ASSERT_TRUE(same(decide({a, VSCMI_NO_VOTE}, ceiling, 2, levels),
                                     decide({a}, ceiling, 2, levels)));
                    ASSERT_EQ(ab.on, (a.on || b.on) && ceiling);
                    const u64 most = std::max(vscmi_vote_level(&a), vscmi_vote_level(&b));
                    if (ceiling && levels.empty()) {
                        ASSERT_EQ(ab.level, std::min<u64>(most ? most : 2, ceiling));
                    }
                    if (!levels.empty()) {
                        ASSERT_TRUE(std::ranges::count(levels, ab.level));
                        ASSERT_TRUE(ab.level <= ceiling || ab.level == levels[0]);
                    }
                }
            }
        }
    }
}

TEST(Arbitrate, ManyGuestsAtRandom)
{
    std::mt19937_64 random(1);
    for (int round = 0; round < 2000; round++) {
        Votes votes(random() % 40);
        for (vscmi_vote &v : votes) {
            v = vote(random() & 1, random() >> random() % 64, random() >> random() % 64,
                     random() >> random() % 64);
        }
        const u64 ceiling = std::max<u64>(random() >> random() % 64, 1);
        const vscmi_state state = decide(votes, ceiling, 3);
        EXPECT_LE(state.level, ceiling);
        EXPECT_LE(count(votes).holders, votes.size());
        bool met = state.level == std::min<u64>(3, ceiling);
        for (const vscmi_vote &v : votes) {
            EXPECT_GE(state.level, std::min(vscmi_vote_level(&v), ceiling));
            met |= state.level == std::min(vscmi_vote_level(&v), ceiling);
        }
        EXPECT_TRUE(met);
        std::ranges::shuffle(votes, random);
        EXPECT_TRUE(same(state, decide(votes, ceiling, 3)));
    }
}
