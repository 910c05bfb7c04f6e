// SPDX-License-Identifier: Apache-2.0
// Sums, gains and ramps are pure functions: all edges, and random ones.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#ifndef __always_inline
#define __always_inline inline
#endif
#include <asm/byteorder.h>
#define le16_to_cpu __le16_to_cpu
#define le32_to_cpu __le32_to_cpu
#define cpu_to_le16 __cpu_to_le16
#define cpu_to_le32 __cpu_to_le32
#include <arith.h>

namespace {

constexpr s32 s32_min = std::numeric_limits<s32>::min();
constexpr s32 s32_max = std::numeric_limits<s32>::max();
constexpr s64 one = MIX_GAIN_ONE;
const std::vector<mix_format> formats = {MIX_S16, MIX_S24_3, MIX_S24, MIX_S32};

// A sample of 32 bits as bytes of the format and back, at unity gain.
s32 through(mix_format format, s32 sample)
{
    alignas(4) u8 bytes[4] = {};
    mix_store(format, bytes, s64{sample} * one);
    return mix_load(format, bytes);
}

mix_ramp steady(u32 gain)
{
    mix_ramp ramp{};
    mix_ramp_set(&ramp, gain);
    return ramp;
}

} // namespace

TEST(Arith, GainsAreDecibels)
{
    EXPECT_EQ(mix_gains[0], 0U);
    EXPECT_EQ(mix_gains[MIX_VOLUME_MAX], MIX_GAIN_ONE);
    for (int volume = 1; volume <= MIX_VOLUME_MAX; volume++) {
        const double db = (volume - MIX_VOLUME_MAX) * MIX_VOLUME_STEP / 100.0;
        EXPECT_EQ(mix_gains[volume], std::lround(std::pow(10, db / 20) * one)) << volume;
    }
}

TEST(Arith, UnityLosesNothing)
{
    std::mt19937 random(1);
    for (const mix_format format : formats) {
        const u32 mask = ~0U << (32 - mix_bits(format)) % 32;
        for (int i = 0; i < 10000; i++) {
            const auto sample = static_cast<s32>(random() & mask);
            EXPECT_EQ(through(format, sample), sample);
        }
        for (const s32 edge : {s32_min, static_cast<s32>(s32_max & mask), 0}) {
            EXPECT_EQ(through(format, edge), edge);
        }
    }
}

TEST(Arith, RoundsToTheNearestAndSaturates)
{
    EXPECT_EQ(mix_saturate(s64{s32_max} * one * 3, 32), s32_max);
    EXPECT_EQ(mix_saturate(s64{s32_min} * one * 3, 32), s32_min);
    EXPECT_EQ(mix_saturate(s64{s32_max} * one, 16), 0x7fff); // rounding up would wrap
    EXPECT_EQ(mix_saturate(s64{s32_min} * one, 16), -0x8000);
    EXPECT_EQ(mix_saturate(s64{s32_max} * one, 24), 0x7fffff);
    EXPECT_EQ(mix_saturate(one / 2, 32), 1);
    EXPECT_EQ(mix_saturate(one / 2 - 1, 32), 0);
    EXPECT_EQ(mix_saturate(-one / 2, 32), 0);
    EXPECT_EQ(mix_saturate(-one / 2 - 1, 32), -1);
    // As many ports as there can be, all as loud as can be.
    EXPECT_EQ(mix_saturate(s64{s32_min} * one * 16, 32), s32_min);
    EXPECT_EQ(mix_saturate(s64{s32_max} * one * 16, 16), 0x7fff);
}

TEST(Arith, SumIsTheSumWithinOneBit)
{
    constexpr unsigned channels = 2, frames = 500, ports = 16;
    std::mt19937 random(7);
    for (const mix_format to : formats) {
        std::vector<s64> sum(frames * channels);
        std::vector<double> exact(frames * channels);
        for (unsigned port = 0; port < ports; port++) {
            const mix_format from = formats[random() % formats.size()];
            const unsigned bytes = mix_bytes(from);
            const u32 gain = mix_gains[random() % (MIX_VOLUME_MAX + 1)];
            alignas(4) std::vector<u8> data(frames * channels * bytes);
            for (u8 &byte : data) {
                byte = static_cast<u8>(random());
            }
            for (size_t i = 0; i < exact.size(); i++) {
                exact[i] += mix_load(from, &data[i * bytes]) * (double{1} * gain / one);
            }
            mix_ramp ramp = steady(gain);
            mix_add(from, sum.data(), data.data(), frames, channels, &ramp);
        }
        std::vector<u8> out(sum.size() * mix_bytes(to));
        mix_put(to, out.data(), sum.data(), static_cast<u32>(sum.size()));
        const double unit = std::pow(2, 32 - static_cast<int>(mix_bits(to)));
        for (size_t i = 0; i < sum.size(); i++) {
            const double limited = std::fmax(s32_min, std::fmin(s32_max, exact[i]));
            EXPECT_NEAR(mix_load(to, &out[i * mix_bytes(to)]) / unit, limited / unit, 1);
        }
    }
}

TEST(Ramp, GoesStraightAndIsThereInTime)
{
    std::mt19937 random(3);
    for (int i = 0; i < 2000; i++) {
        const u32 from = mix_gains[random() % 128], to = mix_gains[random() % 128];
        const auto frames = static_cast<s32>(1 + random() % 5000);
        mix_ramp ramp = steady(from);
        mix_ramp_to(&ramp, to, frames);
        const s64 way = std::abs(s64{to} - s64{from});
        u32 before = from;
        for (s32 n = 0; n < frames; n++) {
            const u32 gain = mix_ramp_next(&ramp);
            const s64 step = s64{gain} - s64{before};
            // Never back, never further than a share of the way and one.
            ASSERT_LE(std::abs(step), way / frames + 1);
            ASSERT_TRUE(step == 0 || (step > 0) == (to > from));
            ASSERT_TRUE(to > from ? gain <= to : gain >= to);
            before = gain;
        }
        ASSERT_EQ(ramp.gain, to);
        ASSERT_EQ(mix_ramp_next(&ramp), to);
    }
}

TEST(Ramp, TheSameTargetAgainChangesNothing)
{
    mix_ramp ramp = steady(MIX_GAIN_ONE);
    mix_ramp_to(&ramp, 0, 100);
    mix_ramp_next(&ramp);
    const mix_ramp before = ramp;
    mix_ramp_to(&ramp, 0, 7);
    EXPECT_EQ(before.step, ramp.step);
    EXPECT_EQ(before.gain, ramp.gain);
}

TEST(Ramp, TurnsRoundWhereItIs)
{
    mix_ramp ramp = steady(MIX_GAIN_ONE);
    mix_ramp_to(&ramp, 0, 100);
    mix_ramp_skip(&ramp, 50);
    const u32 middle = ramp.gain;
    EXPECT_NEAR(middle, one / 2, 100);
    mix_ramp_to(&ramp, MIX_GAIN_ONE, 100);
    EXPECT_GT(mix_ramp_next(&ramp), middle);
    mix_ramp_skip(&ramp, 100);
    EXPECT_EQ(ramp.gain, MIX_GAIN_ONE);
}

TEST(Ramp, SkippedFramesCountAsFrames)
{
    mix_ramp skipped = steady(MIX_GAIN_ONE), heard = steady(MIX_GAIN_ONE);
    mix_ramp_to(&skipped, mix_gains[40], 333);
    mix_ramp_to(&heard, mix_gains[40], 333);
    mix_ramp_skip(&skipped, 200);
    std::vector<u8> silence(400);
    std::vector<s64> sum(200);
    mix_add(MIX_S16, sum.data(), silence.data(), 200, 1, &heard);
    EXPECT_EQ(skipped.gain, heard.gain);
}

TEST(Gain, MutedDuckedAndBoth)
{
    EXPECT_EQ(mix_gain(MIX_VOLUME_MAX, false, 0, false), MIX_GAIN_ONE);
    EXPECT_EQ(mix_gain(MIX_VOLUME_MAX, true, MIX_VOLUME_MAX, false), 0U);
    EXPECT_EQ(mix_gain(MIX_VOLUME_MAX, false, 0, true), 0U);
    EXPECT_EQ(mix_gain(0, false, MIX_VOLUME_MAX, false), 0U);
    // Decibels add up.
    EXPECT_NEAR(mix_gain(MIX_VOLUME_MAX - 12, false, MIX_VOLUME_MAX - 24, true),
                mix_gains[MIX_VOLUME_MAX - 36], 2);
    EXPECT_EQ(mix_gain(100, false, MIX_VOLUME_MAX, true), mix_gains[100]);
}
