// SPDX-License-Identifier: Apache-2.0
//
// The BPF program's decisions on sound against the model, and a few of them one by one.
#include <array>
#include <limits>

#include <gtest/gtest.h>
#include <linux/devhost.h>
#include <linux/virtio_snd.h>

#include "random_policy.hpp"
#include "snd_model.hpp"
#include "snd_policy_layout.hpp"

namespace devhost {

namespace {

struct InForce {
    SndPolicyLayout layout;
    snd_policy_state state{};

    explicit InForce(const SndPolicy &policy, const std::vector<PolicyDevice> &devices = {})
        : layout(lay_out(policy, devices))
    {
    }

    int judge(const devhost_policy_snd &request)
    {
        return ::judge_snd(&layout.rules, &state, &request);
    }
    SndCounters counters() { return read_counters(layout.rules, state); }
};

devhost_policy_snd stream(devhost_policy_snd_request request, std::uint8_t direction,
                          std::uint32_t item = 0)
{
    devhost_policy_snd made{};

    made.device = 1;
    made.item = item;
    made.rate = 48000;
    made.channels = 2;
    made.period_us = 10'000;
    made.buffer_us = 40'000;
    made.request = static_cast<std::uint8_t>(request);
    made.direction = direction;
    return made;
}

devhost_policy_snd control(std::int64_t value, std::int64_t min, std::int64_t max,
                           std::uint32_t role = VIRTIO_SND_CTL_ROLE_VOLUME)
{
    devhost_policy_snd made{};

    made.device = 1;
    made.value = value;
    made.min = min;
    made.max = max;
    made.role = role;
    made.request = DEVHOST_POLICY_SND_CONTROL;
    return made;
}

devhost_policy_snd random_request(Random &random)
{
    static constexpr std::array<std::uint32_t, 5> rates{8000, 11025, 44100, 48000, 96000};
    devhost_policy_snd made{};

    made.device = static_cast<std::uint32_t>(1 + random.below(4));
    made.item = static_cast<std::uint32_t>(random.below(5));
    made.direction = static_cast<std::uint8_t>(random.below(2));
    made.request = static_cast<std::uint8_t>(random.below(3));
    if (made.request == DEVHOST_POLICY_SND_CONTROL) {
        made.role = static_cast<std::uint32_t>(random.below(4));
        // All that 64 bits can be, and small ranges; odd ones, that a percent does not divide.
        if (random.once_in(4)) {
            made.min = std::numeric_limits<std::int64_t>::min();
            made.max = std::numeric_limits<std::int64_t>::max();
            made.value = static_cast<std::int64_t>(random.below(~std::uint64_t{0}));
        } else {
            made.min = static_cast<std::int64_t>(random.below(100)) - 50;
            made.max = made.min + static_cast<std::int64_t>(random.below(130));
            made.value =
                made.min + static_cast<std::int64_t>(random.below(made.max - made.min + 1));
        }
        return made;
    }
    made.rate = rates.at(random.below(rates.size()));
    made.channels = static_cast<std::uint32_t>(1 + random.below(8));
    made.period_us = static_cast<std::uint32_t>(random.below(20'000));
    made.running = static_cast<std::uint32_t>(random.below(4));
    return made;
}

void expect_equal(const SndListCounters &a, const SndListCounters &b)
{
    EXPECT_EQ(a.rules, b.rules);
    EXPECT_EQ(a.otherwise, b.otherwise);
    EXPECT_EQ(a.unknown_device, b.unknown_device);
    EXPECT_EQ(a.streams, b.streams);
    EXPECT_EQ(a.channels, b.channels);
    EXPECT_EQ(a.rate, b.rate);
    EXPECT_EQ(a.period, b.period);
    EXPECT_EQ(a.volume, b.volume);
}

constexpr std::array both_requests{DEVHOST_POLICY_SND_PARAMS, DEVHOST_POLICY_SND_START};

} // namespace

class SndAgreement : public testing::TestWithParam<int> {};

TEST_P(SndAgreement, OfProgramAndModel)
{
    Random random(static_cast<std::uint64_t>(GetParam()));
    const std::vector<PolicyDevice> devices{{"d0", 1}, {"d1", 2}, {"d2", 3}};
    const std::vector<std::string> names{"d0", "d1", "d2"};
    std::array<int, 3> seen{};
    SndListCounters reasons;

    for (int round = 0; round < 300; ++round) {
        const SndPolicy policy = random_snd_policy(random, random.once_in(2));
        InForce in_force(policy, devices);
        SndModel model(policy, names);

        for (int i = 0; i < 500; ++i) {
            const devhost_policy_snd request = random_request(random);
            const std::string device =
                request.device <= names.size() ? names[request.device - 1] : "";
            const int verdict = in_force.judge(request);

            ASSERT_EQ(verdict, model.judge(request, device))
                << "seed " << GetParam() << " round " << round << " request " << i << ": "
                << to_json(to_setting(policy));
            ++seen.at(static_cast<std::size_t>(verdict));
        }
        const SndCounters counters = in_force.counters();
        expect_equal(counters.playback, model.counters().playback);
        expect_equal(counters.capture, model.counters().capture);
        expect_equal(counters.control, model.counters().control);
        reasons.streams += counters.playback.streams;
        reasons.channels += counters.playback.channels;
        reasons.rate += counters.playback.rate;
        reasons.period += counters.playback.period;
        reasons.volume += counters.control.volume;
    }
    // The requests were worth it: each verdict was said often, for each reason.
    for (const int count : seen) {
        EXPECT_GT(count, 500);
    }
    for (const std::uint64_t count :
         {reasons.streams, reasons.channels, reasons.rate, reasons.period, reasons.volume}) {
        EXPECT_GT(count, 200U);
    }
}

INSTANTIATE_TEST_SUITE_P(Policy, SndAgreement, testing::Range(1, 5));

TEST(SndJudge, AnEmptyPolicyRefusesEverything)
{
    InForce in_force(SndPolicy{});

    for (const auto request : both_requests) {
        EXPECT_EQ(in_force.judge(stream(request, SND_POLICY_PLAYBACK)), DEVHOST_VERDICT_DENY);
        EXPECT_EQ(in_force.judge(stream(request, SND_POLICY_CAPTURE)), DEVHOST_VERDICT_DENY);
    }
    EXPECT_EQ(in_force.judge(control(0, 0, 0)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters().playback.otherwise, (RuleCounters{0, 2}));
    EXPECT_EQ(in_force.counters().capture.otherwise, (RuleCounters{0, 2}));
    EXPECT_EQ(in_force.counters().control.otherwise, (RuleCounters{0, 1}));
}

TEST(SndJudge, WhoMayPlayMayNotRecord)
{
    SndPolicy policy;
    policy.playback.otherwise = Verdict::allow;
    policy.control.otherwise = Verdict::allow;
    InForce in_force(policy);

    EXPECT_EQ(in_force.judge(stream(DEVHOST_POLICY_SND_START, SND_POLICY_PLAYBACK)),
              DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(stream(DEVHOST_POLICY_SND_START, SND_POLICY_CAPTURE)),
              DEVHOST_VERDICT_DENY);
}

TEST(SndJudge, StreamsAreCountedWhenTheyStart)
{
    SndPolicy policy;
    policy.playback.otherwise = Verdict::allow;
    policy.playback.streams_max = 2;
    InForce in_force(policy);
    devhost_policy_snd request = stream(DEVHOST_POLICY_SND_START, SND_POLICY_PLAYBACK);

    request.running = 1;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_ALLOW);
    request.running = 2;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_LIMIT);
    request.request = DEVHOST_POLICY_SND_PARAMS;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.counters().playback.streams, 1U);
}

TEST(SndJudge, NoRuleLiftsTheLimitsOfTheDirection)
{
    SndPolicy policy;
    SndStreamRule rule;
    rule.verdict = Verdict::allow;
    rule.stream = 1;
    rule.limits.channels_max = 8;
    policy.playback.otherwise = Verdict::allow;
    policy.playback.limits = {.channels_max = 2, .rates = {48000}, .period_min = 5000};
    policy.playback.rules = {rule};
    InForce in_force(policy);

    for (const auto code : both_requests) {
        for (const std::uint32_t item : {0U, 1U}) {
            devhost_policy_snd request = stream(code, SND_POLICY_PLAYBACK, item);
            EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_ALLOW);
            request.channels = 3;
            EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
            request = stream(code, SND_POLICY_PLAYBACK, item);
            request.rate = 44100;
            EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
            request = stream(code, SND_POLICY_PLAYBACK, item);
            request.period_us = 4999;
            EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
        }
    }
}

TEST(SndJudge, AVolumeIsAPartOfTheRange)
{
    SndPolicy policy;
    policy.control.otherwise = Verdict::allow;
    policy.control.volume_max = 80;
    InForce in_force(policy);
    constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

    EXPECT_EQ(in_force.judge(control(80, 0, 100)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(control(81, 0, 100)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(control(30, -50, 50)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(control(31, -50, 50)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(control(1, 0, 2)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(control(2, 0, 2)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(control(lowest, lowest, highest)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(control(0, lowest, highest)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(control(highest, lowest, highest)), DEVHOST_VERDICT_DENY);
    // An amplifier is as loud as a volume; a switch is neither.
    EXPECT_EQ(in_force.judge(control(2, 0, 2, VIRTIO_SND_CTL_ROLE_GAIN)), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.judge(control(1, 0, 1, VIRTIO_SND_CTL_ROLE_MUTE)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.judge(control(1, 0, 1, VIRTIO_SND_CTL_ROLE_UNDEFINED)),
              DEVHOST_VERDICT_ALLOW);
    // What has no number has no volume.
    EXPECT_EQ(in_force.judge(control(0, 0, 0)), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.counters().control.volume, 5U);
}

TEST(SndJudge, WhereRulesNameDevicesOneThatIsNotKnownMayDoNothing)
{
    SndPolicy policy;
    SndControlRule rule;
    rule.verdict = Verdict::deny;
    rule.device = "other";
    policy.control.rules = {rule};
    policy.playback.otherwise = Verdict::allow;
    InForce in_force(policy, {{"snd0", 1}});
    devhost_policy_snd request = stream(DEVHOST_POLICY_SND_START, SND_POLICY_PLAYBACK);

    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_ALLOW);
    request.device = 2;
    EXPECT_EQ(in_force.judge(request), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters().playback.unknown_device, 1U);
}

} // namespace devhost
