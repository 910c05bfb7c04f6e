// SPDX-License-Identifier: Apache-2.0
//
// A policy is the same after it went to the kernel and back, and through its dictionary form.
#include <gtest/gtest.h>

#include "config_toml.hpp"
#include "policy_layout.hpp"
#include "random_policy.hpp"

namespace devhost {

TEST(Layout, ReadsBackWhatWasLaidOut)
{
    Random random(1);

    for (int i = 0; i < 500; ++i) {
        const PolicyConfig policy = random_config(random);
        const PolicyLayout layout = lay_out(policy, 5, {{"d0", 1}, {"d1", 2}});

        ASSERT_EQ(read_layout(layout), policy) << to_json(to_setting(policy));
        ASSERT_EQ(layout.can.rules.guest, 5U);
    }
}

TEST(Layout, KeepsApartWhatAPolicyLeavesOutAndWhatIsEmpty)
{
    for (int given = 0; given < 16; ++given) {
        PolicyConfig policy;

        if (given & POLICY_GIVEN_CAN) {
            policy.can.emplace();
        }
        if (given & POLICY_GIVEN_SND) {
            policy.snd.emplace();
        }
        if (given & POLICY_GIVEN_SCMI) {
            policy.scmi.emplace();
        }
        if (given & POLICY_GIVEN_VIDEO) {
            policy.video.emplace();
        }
        const PolicyLayout layout = lay_out(policy, 1, {});
        EXPECT_EQ(read_layout(layout), policy);
        EXPECT_EQ(layout.can.names.given, static_cast<std::uint32_t>(given));
    }
}

// Pinned maps outlive the daemon that made them: one of before the other parts is read by this one.
TEST(Layout, IsThatOfThePoliciesAlreadyInForce)
{
    EXPECT_EQ(sizeof(can_policy), 41496U);
    EXPECT_EQ(offsetof(can_policy, devices), 4U);
    EXPECT_EQ(offsetof(can_policy, rules), 136U);
    EXPECT_EQ(sizeof(can_policy_rules), 20680U);
    EXPECT_EQ(offsetof(can_policy_rules, start), 64U);
    EXPECT_EQ(offsetof(can_policy_rules, action), 16448U);
    EXPECT_EQ(offsetof(can_policy_rules, match), 16516U);
    EXPECT_EQ(offsetof(can_policy_rules, bucket), 17560U);
    EXPECT_EQ(sizeof(can_policy_names), 5132U);
    EXPECT_EQ(offsetof(can_policy_names, device), 12U);
    EXPECT_EQ(sizeof(can_policy_state), 3184U);
    EXPECT_EQ(offsetof(can_policy_state, priority), 1048U);
}

TEST(Layout, AsDictionaryAndBack)
{
    Random random(2);

    for (int i = 0; i < 500; ++i) {
        const PolicyConfig policy = random_config(random);
        const Setting setting = to_setting(policy);

        ASSERT_EQ(policy_from(TableReader(setting, "", "policy"), nullptr), policy)
            << to_json(setting);
    }
}

TEST(Layout, RefusesMoreDevicesThanItHasBitsFor)
{
    CanPolicy policy;
    std::vector<PolicyDevice> devices;
    CanRule rule;

    for (std::uint32_t i = 0; i <= POLICY_DEVICES; ++i) {
        devices.push_back({"d" + std::to_string(i), i + 1});
    }
    EXPECT_NO_THROW(lay_out(policy, devices)) << "no rule names a device";
    rule.device = "d0";
    policy.transmit.rules = {rule};
    SndPolicy snd;
    snd.control.rules = {{{.name = "", .verdict = Verdict::allow, .device = "d1"}, {}, {}, {}}};
    ScmiPolicy scmi;
    scmi.rules = {{{.name = "", .verdict = Verdict::allow, .device = "d2"}, 0, {}, {}, {}, {}}};
    VideoPolicy video;
    video.encode.rules = {{{.name = "", .verdict = Verdict::allow, .device = "d3"}, {}, {}}};
    EXPECT_THROW(lay_out(policy, devices), PolicyError);
    EXPECT_THROW(lay_out(snd, devices), PolicyError);
    EXPECT_THROW(lay_out(scmi, devices), PolicyError);
    EXPECT_THROW(lay_out(video, devices), PolicyError);
    devices.pop_back();
    EXPECT_NO_THROW(lay_out(policy, devices));
    EXPECT_NO_THROW(lay_out(snd, devices));
    EXPECT_NO_THROW(lay_out(scmi, devices));
    EXPECT_NO_THROW(lay_out(video, devices));
}

// Judge tests show that no rule is passed over wrongly; this one, that those which cannot match
// are.
TEST(Layout, StartPassesOverWhatCannotMatch)
{
    CanPolicy policy;
    CanRule rule;

    rule.ids = CanIdRange{0x100, 0x10f};
    rule.extended = false;
    policy.transmit.rules.push_back(rule);
    rule.ids = CanIdMask{0x200, 0x7f0};
    policy.transmit.rules.push_back(rule);
    rule.ids = CanIdRange{0x18fef300, 0x18ffffff};
    rule.extended = true;
    policy.transmit.rules.push_back(rule);
    rule.ids = {};
    rule.extended = {};
    rule.rtr = true;
    policy.transmit.rules.push_back(rule);
    const CanPolicyLayout layout = lay_out(policy, {});
    const auto &start = layout.rules.rules[CAN_POLICY_TRANSMIT].start;

    constexpr auto standard = 0;
    constexpr auto extended = CAN_POLICY_KEY_EXTENDED >> CAN_POLICY_KEY_SHIFT;
    constexpr auto fd = CAN_POLICY_KEY_FD >> CAN_POLICY_KEY_SHIFT;
    constexpr auto remote = CAN_POLICY_KEY_RTR >> CAN_POLICY_KEY_SHIFT;

    EXPECT_EQ(start[standard][0x0ff], 4);
    EXPECT_EQ(start[standard][0x100], 0);
    EXPECT_EQ(start[standard][0x10f], 0);
    EXPECT_EQ(start[standard][0x110], 4);
    EXPECT_EQ(start[standard][0x1ff], 4);
    EXPECT_EQ(start[standard][0x20f], 1);
    EXPECT_EQ(start[standard][0x210], 4);
    EXPECT_EQ(start[fd][0x20f], 1);
    EXPECT_EQ(start[fd][0x210], 4);
    EXPECT_EQ(start[remote][0x20f], 1);
    EXPECT_EQ(start[remote][0x210], 3);
    EXPECT_EQ(start[extended][0x100], 4);
    EXPECT_EQ(start[extended][0x18fef300 >> 18], 2);
    EXPECT_EQ(start[extended][0x18ffffff >> 18], 2);
    EXPECT_EQ(start[extended][(0x18fef300 >> 18) - 1], 4);
    EXPECT_EQ(start[extended][(0x18ffffff >> 18) + 1], 4);
    EXPECT_EQ(start[extended | remote][(0x18ffffff >> 18) + 1], 3);
}

TEST(Layout, JsonIsWellFormed)
{
    const Setting setting =
        parse_toml("b = true\na = \"x\\\"\\\\\\n\\u00e4\"\nc = [1, [-2], {}]", "t");

    EXPECT_EQ(to_json(setting),
              "{\"a\":\"x\\\"\\\\\\u000a\xc3\xa4\",\"b\":true,\"c\":[1,[-2],{}]}");
}

} // namespace devhost
