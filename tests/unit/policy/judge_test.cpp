// SPDX-License-Identifier: Apache-2.0
//
// The BPF program's decisions against the model, and a few of them one by one.
#include <array>

#include <gtest/gtest.h>
#include <linux/devhost.h>

#include "can_policy_layout.hpp"
#include "model.hpp"
#include "random_policy.hpp"

namespace devhost {

namespace {

constexpr std::uint32_t guest_id = 7;

// A policy as it is in the kernel.
struct InForce {
    CanPolicyLayout layout;
    std::array<can_policy_state, CAN_POLICY_DIRECTIONS> state{};

    explicit InForce(const CanPolicy &policy, const std::vector<PolicyDevice> &devices = {})
        : layout(lay_out(policy, devices))
    {
    }

    int judge(const devhost_policy_can &frame, std::uint64_t now = 0)
    {
        judge_clock = now;
        return ::judge(&layout.rules, &state.at(frame.direction), &frame);
    }
    int send(std::uint32_t id, std::uint8_t flags = 0, std::uint32_t device = 1)
    {
        return judge({.guest = guest_id,
                      .device = device,
                      .can_id = id,
                      .bits = 111,
                      .direction = CAN_POLICY_TRANSMIT,
                      .flags = flags,
                      .len = 8});
    }
    CanDirectionCounters counters(int direction)
    {
        return read_counters(layout.rules.rules[direction], state[direction]);
    }
};

devhost_policy_can random_frame(Random &random)
{
    static constexpr std::array<std::uint8_t, 6> kinds{0,
                                                       FRAME_EXTENDED,
                                                       FRAME_FD,
                                                       FRAME_RTR,
                                                       FRAME_EXTENDED | FRAME_FD,
                                                       FRAME_EXTENDED | FRAME_RTR};
    const std::uint8_t flags = kinds.at(random.below(kinds.size()));

    return {.guest = guest_id,
            .device = static_cast<std::uint32_t>(1 + random.below(4)),
            .can_id = random_id(random, (flags & FRAME_EXTENDED) != 0),
            .bits = static_cast<std::uint32_t>(44 + random.below(600)),
            .direction = static_cast<std::uint8_t>(random.below(2)),
            .flags = flags,
            .len = 8};
}

void expect_equal(const CanDirectionCounters &a, const CanDirectionCounters &b)
{
    EXPECT_EQ(a.rules, b.rules);
    EXPECT_EQ(a.otherwise, b.otherwise);
    EXPECT_EQ(a.priority, b.priority);
    EXPECT_EQ(a.guest_limit, b.guest_limit);
    EXPECT_EQ(a.unknown_device, b.unknown_device);
}

CanRule rule(Verdict verdict, CanIds ids, std::optional<bool> extended = false)
{
    CanRule made;

    made.verdict = verdict;
    made.ids = ids;
    made.extended = extended;
    return made;
}

} // namespace

class Agreement : public testing::TestWithParam<int> {};

TEST_P(Agreement, OfProgramAndModel)
{
    Random random(static_cast<std::uint64_t>(GetParam()));
    std::array<int, 3> seen{};

    for (int round = 0; round < 200; ++round) {
        const CanPolicy policy = random_policy(random, random.once_in(2));
        // Device 4 is never told; d2 does not always exist.
        std::vector<PolicyDevice> devices{{"d0", 1}, {"d1", 2}};
        if (random.once_in(2)) {
            devices.push_back({"d2", 3});
        }
        InForce in_force(policy, devices);
        std::vector<std::string> names;
        for (const PolicyDevice &device : devices) {
            names.push_back(device.name);
        }
        Model model(policy, names);
        std::uint64_t now = random.below(1'000'000'000);

        for (int i = 0; i < 1500; ++i) {
            const devhost_policy_can frame = random_frame(random);
            const std::string device = frame.device <= names.size() ? names[frame.device - 1] : "";
            // Mostly small steps, now and then back, to the far future, or not at all.
            switch (random.below(16)) {
            case 0:
                now += random.below(100'000'000'000);
                break;
            case 1:
                now -= std::min<std::uint64_t>(now, random.below(1'000'000));
                break;
            case 2:
                break;
            default:
                now += random.below(300'000);
            }
            const int verdict = in_force.judge(frame, now);

            ASSERT_EQ(verdict, model.judge(frame, device, now))
                << "seed " << GetParam() << " round " << round << " frame " << i << " id "
                << frame.can_id << " flags " << int{frame.flags};
            ++seen.at(static_cast<std::size_t>(verdict));
        }
        for (int direction = 0; direction < CAN_POLICY_DIRECTIONS; ++direction) {
            expect_equal(in_force.counters(direction), model.counters(direction));
        }
    }
    // The frames were worth it: each verdict was said often.
    for (const int count : seen) {
        EXPECT_GT(count, 1000);
    }
}

INSTANTIATE_TEST_SUITE_P(Policy, Agreement, testing::Range(1, 9));

TEST(Judge, AnEmptyPolicyRefusesEverything)
{
    InForce in_force(CanPolicy{});

    EXPECT_EQ(in_force.send(0x123), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.send(0x1fffffff, FRAME_EXTENDED), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters(CAN_POLICY_TRANSMIT).otherwise, (RuleCounters{0, 2}));
}

TEST(Judge, TheFirstRuleThatMatchesDecides)
{
    CanPolicy policy;
    policy.transmit.rules = {rule(Verdict::deny, CanIdRange{0x110, 0x11f}),
                             rule(Verdict::allow, CanIdRange{0x100, 0x1ff}),
                             rule(Verdict::deny, CanIdRange{0x120, 0x120})};
    InForce in_force(policy);

    EXPECT_EQ(in_force.send(0x10f), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.send(0x110), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.send(0x11f), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.send(0x120), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.send(0x200), DEVHOST_VERDICT_DENY);
    const CanDirectionCounters counters = in_force.counters(CAN_POLICY_TRANSMIT);
    EXPECT_EQ(counters.rules, (std::vector<RuleCounters>{{0, 2}, {2, 0}, {0, 0}}));
    EXPECT_EQ(counters.otherwise, (RuleCounters{0, 1}));
}

TEST(Judge, AnIdentifierOfTheOtherFormatIsAnotherIdentifier)
{
    CanPolicy policy;
    policy.transmit.rules = {rule(Verdict::allow, CanIdRange{0x123, 0x123}, false),
                             rule(Verdict::allow, CanIdRange{0x456, 0x456}, true)};
    InForce in_force(policy);

    EXPECT_EQ(in_force.send(0x123), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.send(0x123, FRAME_EXTENDED), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.send(0x456), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.send(0x456, FRAME_EXTENDED), DEVHOST_VERDICT_ALLOW);
}

TEST(Judge, ThePriorityCapIsThatOfArbitration)
{
    CanPolicy policy;
    policy.lowest_id = 0x100;
    policy.transmit.otherwise = Verdict::allow;
    policy.transmit.rules = {rule(Verdict::allow, CanIdRange{0x50, 0x50})};
    InForce in_force(policy);

    EXPECT_EQ(in_force.send(0x50), DEVHOST_VERDICT_DENY) << "no rule lifts the cap";
    EXPECT_EQ(in_force.send(0xff), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.send(0x100), DEVHOST_VERDICT_ALLOW);
    // An extended frame contends with its upper eleven bits.
    EXPECT_EQ(in_force.send((0xffU << 18) | 0x3ffff, FRAME_EXTENDED), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.send(0x100U << 18, FRAME_EXTENDED), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.counters(CAN_POLICY_TRANSMIT).priority, 3U);

    policy.lowest_extended_id = 0x1000;
    InForce finer(policy);
    EXPECT_EQ(finer.send(0xfff, FRAME_EXTENDED), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(finer.send(0x1000, FRAME_EXTENDED), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(finer.send(0xff), DEVHOST_VERDICT_DENY);
}

TEST(Judge, ThePriorityCapIsNotForWhatTheGuestReceives)
{
    CanPolicy policy;
    policy.lowest_id = 0x7ff;
    policy.receive.otherwise = Verdict::allow;
    InForce in_force(policy);

    EXPECT_EQ(in_force.judge({.guest = guest_id,
                              .device = 1,
                              .can_id = 0,
                              .bits = 50,
                              .direction = CAN_POLICY_RECEIVE,
                              .flags = 0,
                              .len = 0}),
              DEVHOST_VERDICT_ALLOW);
}

TEST(Judge, RulesForADeviceAreForNoOther)
{
    CanPolicy policy;
    CanRule only = rule(Verdict::allow, {}, std::nullopt);
    only.device = "body";
    policy.transmit.rules = {only};
    InForce in_force(policy, {{"body", 11}, {"drive", 12}});

    EXPECT_EQ(in_force.send(1, 0, 11), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.send(1, 0, 12), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters(CAN_POLICY_TRANSMIT).unknown_device, 0U);
}

// Else a device created after the policy would escape a rule that denies it something.
TEST(Judge, WhereRulesNameDevicesOneThatIsNotKnownMayDoNothing)
{
    CanPolicy policy;
    CanRule denied = rule(Verdict::deny, {}, std::nullopt);
    denied.device = "drive";
    policy.transmit.rules = {denied};
    policy.transmit.otherwise = Verdict::allow;
    InForce in_force(policy, {{"body", 11}});

    EXPECT_EQ(in_force.send(1, 0, 11), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(in_force.send(1, 0, 12), DEVHOST_VERDICT_DENY);
    EXPECT_EQ(in_force.counters(CAN_POLICY_TRANSMIT).unknown_device, 1U);
}

} // namespace devhost
