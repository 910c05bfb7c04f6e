// SPDX-License-Identifier: Apache-2.0
//
// The BPF program's decisions on video against the model, and a few of them one by one.
#include <array>

#include <gtest/gtest.h>
#include <linux/devhost.h>

#include "random_policy.hpp"
#include "video_model.hpp"
#include "video_policy_layout.hpp"

namespace devhost {

namespace {

constexpr std::uint32_t mpg2 = 0x1000;
constexpr std::uint32_t h264 = 0x1002;
constexpr std::uint32_t fwht = 0x1006;
constexpr std::uint32_t largest = 0xffffffff;

struct InForce {
    VideoPolicyLayout layout;
    video_policy_state state{};

    explicit InForce(const VideoPolicy &policy, const std::vector<PolicyDevice> &devices = {})
        : layout(lay_out(policy, devices))
    {
    }

    int judge(const devhost_policy_video &request)
    {
        return ::judge_video(&layout.rules, &state, &request);
    }
    VideoCounters counters() { return read_counters(layout.rules, state); }
};

devhost_policy_video frames(std::uint32_t width, std::uint32_t height, std::uint32_t rate = 0,
                            std::uint32_t format = fwht)
{
    devhost_policy_video made{};

    made.device = 1;
    made.format = format;
    made.width = width;
    made.height = height;
    made.rate = rate;
    made.request = DEVHOST_POLICY_VIDEO_RESOLUTION;
    return made;
}

devhost_policy_video create(std::uint32_t streams, std::uint32_t format = fwht)
{
    devhost_policy_video made{};

    made.device = 1;
    made.format = format;
    made.streams = streams;
    made.request = DEVHOST_POLICY_VIDEO_CREATE;
    return made;
}

devhost_policy_video random_request(Random &random)
{
    devhost_policy_video made{};

    made.device = static_cast<std::uint32_t>(1 + random.below(4));
    made.format = static_cast<std::uint32_t>(mpg2 + random.below(8)); // and one beyond
    made.streams = static_cast<std::uint32_t>(random.below(5));
    made.request = static_cast<std::uint8_t>(random.below(4));
    made.encoder = static_cast<std::uint8_t>(random.below(2));
    switch (made.request) {
    case DEVHOST_POLICY_VIDEO_CREATE:
        break;
    case DEVHOST_POLICY_VIDEO_BITRATE:
        made.bitrate = static_cast<std::uint32_t>(random.below(12'000'000));
        break;
    default:
        made.width = static_cast<std::uint32_t>(random.below(2200));
        made.height = static_cast<std::uint32_t>(random.below(1500));
        made.rate = static_cast<std::uint32_t>(random.below(4) * 20);
        if (random.once_in(50)) { // all that 32 bits can be
            made.width = largest;
            made.height = largest - static_cast<std::uint32_t>(random.below(2));
            made.rate = largest;
        }
    }
    return made;
}

void expect_equal(const VideoListCounters &a, const VideoListCounters &b)
{
    EXPECT_EQ(a.rules, b.rules);
    EXPECT_EQ(a.otherwise, b.otherwise);
    EXPECT_EQ(a.unknown_device, b.unknown_device);
    EXPECT_EQ(a.streams, b.streams);
    EXPECT_EQ(a.size, b.size);
    EXPECT_EQ(a.rate, b.rate);
    EXPECT_EQ(a.bitrate, b.bitrate);
}

} // namespace

class VideoAgreement : public testing::TestWithParam<int> {};

TEST_P(VideoAgreement, OfProgramAndModel)
{
    Random random(static_cast<std::uint64_t>(GetParam()));
    const std::vector<PolicyDevice> devices{{"d0", 1}, {"d1", 2}, {"d2", 3}};
    const std::vector<std::string> names{"d0", "d1", "d2"};
    std::array<int, 3> seen{};
    VideoListCounters reasons;

    for (int round = 0; round < 300; ++round) {
        const VideoPolicy policy = random_video_policy(random, random.once_in(2));
        InForce in_force(policy, devices);
        VideoModel model(policy, names);

        for (int i = 0; i < 500; ++i) {
            const devhost_policy_video request = random_request(random);
            const std::string device =
                request.device <= names.size() ? names[request.device - 1] : "";
            const int verdict = in_force.judge(request);

            ASSERT_EQ(verdict, model.judge(request, device))
                << "seed " << GetParam() << " round " << round << " request " << i << ": "
                << to_json(to_setting(policy));
            ++seen.at(static_cast<std::size_t>(verdict));
        }
        const VideoCounters counters = in_force.counters();
        expect_equal(counters.decode, model.counters().decode);
        expect_equal(counters.encode, model.counters().encode);
        reasons.streams += counters.decode.streams;
        reasons.size += counters.decode.size;
        reasons.rate += counters.decode.rate;
        reasons.bitrate += counters.encode.bitrate;
    }
    // The requests were worth it: each verdict was said often, for each reason.
    for (const int count : seen) {
        EXPECT_GT(count, 500);
    }
    for (const std::uint64_t count :
         {reasons.streams, reasons.size, reasons.rate, reasons.bitrate}) {
        EXPECT_GT(count, 200U);
    }
}

INSTANTIATE_TEST_SUITE_P(Policy, VideoAgreement, testing::Range(1, 5));

TEST(VideoJudge, AnEmptyPolicyRefusesEverything)
{
    InForce in_force(VideoPolicy{});
    devhost_policy_video request = create(0);

    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(frames(16, 16)), DEVHOST_VERDICT_DENY);
    request.encoder = 1;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters().decode.otherwise, (RuleCounters{0, 2}));
    EXPECT_EQ(in_force.counters().encode.otherwise, (RuleCounters{0, 1}));
}

TEST(VideoJudge, WhoMayDecodeMayNotEncode)
{
    VideoPolicy policy;
    policy.decode.otherwise = Verdict::allow;
    InForce in_force(policy);
    devhost_policy_video request = create(0);

    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_ALLOW);
    request.encoder = 1;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
}

TEST(VideoJudge, TheFirstRuleOfAFormatDecides)
{
    VideoPolicy policy;
    VideoRule hd;
    hd.verdict = Verdict::allow;
    hd.formats = {2};
    hd.limits.height_max = 1080;
    VideoRule none = hd;
    none.verdict = Verdict::deny;
    none.formats = {2, 6};
    none.limits = {};
    policy.decode.rules = {hd, none};
    policy.decode.otherwise = Verdict::allow;
    InForce in_force(policy);

    EXPECT_EQ(in_force.judge(create(0, h264)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(frames(1920, 1081, 0, h264)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(create(0, fwht)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(create(0, mpg2)), DEVHOST_VERDICT_ALLOW);
    // What has no number among them is matched by what is for all.
    EXPECT_EQ(in_force.judge(create(0, mpg2 + 40)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(create(0, 0)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.counters().decode.rules, (std::vector<RuleCounters>{{1, 1}, {0, 1}}));
    EXPECT_EQ(in_force.counters().decode.otherwise, (RuleCounters{3, 0}));
}

TEST(VideoJudge, StreamsAreCountedWhenTheyAreCreated)
{
    VideoPolicy policy;
    policy.decode.otherwise = Verdict::allow;
    policy.decode.streams_max = 2;
    InForce in_force(policy);

    EXPECT_EQ(in_force.judge(create(1)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(create(2)), DEVHOST_VERDICT_LIMIT);
    devhost_policy_video request = frames(16, 16);
    request.streams = 2;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.counters().decode.streams, 1U);
}

TEST(VideoJudge, NoRuleLiftsTheLimitsOfTheList)
{
    VideoPolicy policy;
    VideoRule rule;
    rule.verdict = Verdict::allow;
    rule.formats = {6};
    rule.limits.width_max = 4096;
    policy.encode.otherwise = Verdict::allow;
    policy.encode.limits = {.width_max = 1920,
                            .height_max = 1088,
                            .pixels_max = 1'000'000,
                            .pixels_per_second_max = 30'000'000,
                            .bitrate_max = 1000};
    policy.encode.rules = {rule};
    InForce in_force(policy);
    const auto judge = [&](std::uint32_t width, std::uint32_t height, std::uint32_t rate,
                           std::uint32_t format, std::uint32_t bitrate = 0) {
        devhost_policy_video request = frames(width, height, rate, format);
        request.bitrate = bitrate;
        request.encoder = 1;
        return in_force.judge(request);
    };

    for (const std::uint32_t format : {fwht, h264}) {
        EXPECT_EQ(judge(1000, 1000, 30, format), DEVHOST_VERDICT_ALLOW);
        EXPECT_EQ(judge(1920, 500, 0, format), DEVHOST_VERDICT_ALLOW);
        EXPECT_EQ(judge(1921, 500, 0, format), DEVHOST_VERDICT_DENY);
        EXPECT_EQ(judge(500, 1089, 0, format), DEVHOST_VERDICT_DENY);
        EXPECT_EQ(judge(1000, 1001, 0, format), DEVHOST_VERDICT_DENY);
        EXPECT_EQ(judge(1000, 1000, 31, format), DEVHOST_VERDICT_DENY);
        EXPECT_EQ(judge(0, 0, 0, format, 1000), DEVHOST_VERDICT_ALLOW);
        EXPECT_EQ(judge(0, 0, 0, format, 1001), DEVHOST_VERDICT_DENY);
    }
    EXPECT_EQ(in_force.counters().encode.size, 6U);
    EXPECT_EQ(in_force.counters().encode.rate, 2U);
    EXPECT_EQ(in_force.counters().encode.bitrate, 2U);
}

TEST(VideoJudge, WhatIsTooLargeForSixtyFourBitsIsTooLarge)
{
    VideoPolicy policy;
    policy.decode.otherwise = Verdict::allow;
    InForce none(policy);
    policy.decode.limits.pixels_per_second_max = 0x7fffffffffffffff;
    InForce in_force(policy);

    EXPECT_EQ(none.judge(frames(largest, largest)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(frames(largest, largest)), DEVHOST_VERDICT_ALLOW); // no rate
    EXPECT_EQ(in_force.judge(frames(largest, largest, 1)), DEVHOST_VERDICT_DENY);
    // 2^64 and a little: it would be small again.
    EXPECT_EQ(in_force.judge(frames(0x10000, 0x10000, 0xffffffff)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(frames(0x10000, 0x10000, 0x7fffffff)), DEVHOST_VERDICT_ALLOW);
}

TEST(VideoJudge, WhereRulesNameDevicesOneThatIsNotKnownMayDoNothing)
{
    VideoPolicy policy;
    VideoRule rule;
    rule.verdict = Verdict::deny;
    rule.device = "other";
    policy.encode.rules = {rule};
    policy.decode.otherwise = Verdict::allow;
    InForce in_force(policy, {{"dec0", 1}});
    devhost_policy_video request = create(0);

    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_ALLOW);
    request.device = 2;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters().decode.unknown_device, 1U);
}

} // namespace devhost
