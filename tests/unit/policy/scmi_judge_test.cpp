// SPDX-License-Identifier: Apache-2.0
//
// The BPF program's decisions on SCMI commands against the model, and a few of them one by one.
#include <array>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <linux/devhost.h>

#include "random_policy.hpp"
#include "scmi_model.hpp"
#include "scmi_policy_layout.hpp"

namespace devhost {

namespace {

constexpr std::uint8_t clock_protocol = 0x14;
constexpr std::uint8_t rate_set = 0x5;
constexpr std::uint8_t rate_get = 0x6;
constexpr std::uint64_t second = 1'000'000'000;

struct InForce {
    ScmiPolicyLayout layout;
    scmi_policy_state state{};

    explicit InForce(const ScmiPolicy &policy, const std::vector<PolicyDevice> &devices = {})
        : layout(lay_out(policy, devices))
    {
    }

    int judge(const devhost_policy_scmi &command, std::uint64_t now = 0)
    {
        judge_clock = now;
        return ::judge_scmi(&layout.rules, &state, &command);
    }
    int ask(std::uint8_t message, std::uint32_t resource, std::uint64_t value = 0,
            std::uint8_t protocol = clock_protocol)
    {
        return judge({.guest = 1,
                      .device = 1,
                      .resource = resource,
                      .protocol = protocol,
                      .message = message,
                      .value = value});
    }
    ScmiCounters counters() { return read_counters(layout.rules, state); }
};

devhost_policy_scmi random_command(Random &random)
{
    return {.guest = 1,
            .device = static_cast<std::uint32_t>(1 + random.below(4)),
            .resource =
                random.once_in(4) ? SCMI_NO_RESOURCE : static_cast<std::uint32_t>(random.below(7)),
            .protocol = static_cast<std::uint8_t>(scmi_protocol_first + random.below(8)),
            .message =
                static_cast<std::uint8_t>(random.once_in(8) ? random.below(256) : random.below(9)),
            .value = random.once_in(3) ? 0 : random.below(220)};
}

ScmiRule allow_clock(std::vector<std::uint32_t> messages)
{
    ScmiRule rule;

    rule.verdict = Verdict::allow;
    rule.protocol = clock_protocol;
    rule.messages = std::move(messages);
    return rule;
}

} // namespace

class ScmiAgreement : public testing::TestWithParam<int> {};

TEST_P(ScmiAgreement, OfProgramAndModel)
{
    Random random(static_cast<std::uint64_t>(GetParam()));
    const std::vector<PolicyDevice> devices{{"d0", 1}, {"d1", 2}, {"d2", 3}};
    const std::vector<std::string> names{"d0", "d1", "d2"};
    std::array<int, 3> seen{};
    std::uint64_t values = 0;
    std::uint64_t guest_limits = 0;

    for (int round = 0; round < 300; ++round) {
        const ScmiPolicy policy = random_scmi_policy(random, random.once_in(2));
        InForce in_force(policy, devices);
        ScmiModel model(policy, names);
        std::uint64_t now = random.below(second);

        for (int i = 0; i < 600; ++i) {
            const devhost_policy_scmi command = random_command(random);
            const std::string device =
                command.device <= names.size() ? names[command.device - 1] : "";
            switch (random.below(16)) {
            case 0:
                now += random.below(100 * second);
                break;
            case 1:
                now -= std::min<std::uint64_t>(now, random.below(1'000'000));
                break;
            default:
                now += random.below(1'000'000);
            }
            const int verdict = in_force.judge(command, now);

            ASSERT_EQ(verdict, model.judge(command, device, now))
                << "seed " << GetParam() << " round " << round << " command " << i << ": "
                << to_json(to_setting(policy));
            ++seen.at(static_cast<std::size_t>(verdict));
        }
        const ScmiCounters counters = in_force.counters();
        EXPECT_EQ(counters.rules, model.counters().rules);
        EXPECT_EQ(counters.otherwise, model.counters().otherwise);
        EXPECT_EQ(counters.value, model.counters().value);
        EXPECT_EQ(counters.guest_limit, model.counters().guest_limit);
        EXPECT_EQ(counters.unknown_device, model.counters().unknown_device);
        values += counters.value;
        guest_limits += counters.guest_limit;
    }
    // The commands were worth it: each verdict was said often, for each reason.
    for (const int count : seen) {
        EXPECT_GT(count, 1000);
    }
    EXPECT_GT(values, 300U);
    EXPECT_GT(guest_limits, 300U);
}

INSTANTIATE_TEST_SUITE_P(Policy, ScmiAgreement, testing::Range(1, 5));

TEST(ScmiJudge, AnEmptyPolicyRefusesEverything)
{
    InForce in_force(ScmiPolicy{});

    EXPECT_EQ(in_force.ask(0, SCMI_NO_RESOURCE, 0, 0x10), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.ask(rate_get, 0), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters().otherwise, (RuleCounters{0, 2}));
}

TEST(ScmiJudge, ARuleForResourcesIsNotForCommandsWithoutOne)
{
    ScmiPolicy policy;
    policy.rules = {allow_clock({})};
    policy.rules[0].resources = ScmiResources{.first = 0, .last = scmi_resource_max};
    InForce in_force(policy);

    EXPECT_EQ(in_force.ask(rate_get, 0), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.ask(rate_get, scmi_resource_max), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.ask(rate_get, scmi_resource_max + 1), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.ask(0x1, SCMI_NO_RESOURCE), DEVHOST_VERDICT_DENY);
}

TEST(ScmiJudge, AValueIsThatOfTheMessageNamed)
{
    ScmiPolicy policy;
    policy.rules = {allow_clock({rate_set}), allow_clock({})};
    policy.rules[0].values = {.min = 1000, .max = std::uint64_t{1} << 40};
    InForce in_force(policy);

    EXPECT_EQ(in_force.ask(rate_set, 0, 999), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.ask(rate_set, 0, 1000), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.ask(rate_set, 0, std::uint64_t{1} << 40), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.ask(rate_set, 0, (std::uint64_t{1} << 40) + 1), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.ask(rate_get, 0), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.counters().value, 2U);
    EXPECT_EQ(in_force.counters().rules[0], (RuleCounters{2, 2}));
}

TEST(ScmiJudge, BucketsOfARuleAndOfTheGuestAreChargedTogether)
{
    ScmiPolicy policy;
    policy.rate = {.rate = 10, .burst = 3};
    policy.otherwise = Verdict::allow;
    policy.rules = {allow_clock({rate_set})};
    policy.rules[0].rate = {.rate = 1, .burst = 2};
    InForce in_force(policy);

    EXPECT_EQ(in_force.ask(rate_set, 0), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.ask(rate_set, 0), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.ask(rate_set, 0), DEVHOST_VERDICT_LIMIT) << "the rule's is empty";
    EXPECT_EQ(in_force.ask(rate_get, 0), DEVHOST_VERDICT_ALLOW) << "and cost the guest nothing";
    EXPECT_EQ(in_force.ask(rate_get, 0), DEVHOST_VERDICT_LIMIT);
    EXPECT_EQ(in_force.counters().guest_limit, 1U);
    EXPECT_EQ(in_force.counters().otherwise, (RuleCounters{1, 1}));
}

TEST(ScmiJudge, ABucketIsExactUnderConcurrency)
{
    constexpr unsigned burst = 20'000;
    ScmiPolicy policy;
    policy.otherwise = Verdict::allow;
    policy.rate = {.rate = 1, .burst = burst};
    InForce in_force(policy);
    const devhost_policy_scmi command{.guest = 1,
                                      .device = 1,
                                      .resource = 0,
                                      .protocol = clock_protocol,
                                      .message = rate_get,
                                      .value = 0};
    std::atomic<unsigned> passed = 0;
    std::vector<std::thread> threads;

    judge_clock = second;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (unsigned i = 0; i < burst; ++i) {
                passed += ::judge_scmi(&in_force.layout.rules, &in_force.state, &command) ==
                                  DEVHOST_VERDICT_ALLOW
                              ? 1
                              : 0;
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(passed, burst);
    EXPECT_EQ(in_force.counters().otherwise, (RuleCounters{burst, 3 * burst}));
}

} // namespace devhost
