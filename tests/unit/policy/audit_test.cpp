// SPDX-License-Identifier: Apache-2.0
//
// Audit mode: each part judges and counts what it is against as ever, and the kernel is told to
// serve it.
#include <gtest/gtest.h>
#include <linux/devhost.h>
#include <linux/virtio_snd.h>

#include "config.hpp"
#include "config_toml.hpp"
#include "judge.h"
#include "policy_layout.hpp"

namespace devhost {

namespace {

PolicyConfig parse(const std::string &text)
{
    return parse_guest(text, "g", "g.toml").policy.value();
}

const std::string audit = "[policy]\nmode = \"audit\"\n";

// A policy as it is in the kernel, asked once by each class of devices.
struct InForce {
    PolicyLayout layout;
    can_policy_state transmit{};
    can_policy_state receive{};
    snd_policy_state snd{};
    scmi_policy_state scmi{};
    video_policy_state video{};

    explicit InForce(const std::string &text) : layout(lay_out(parse(text), 7, {{"d0", 1}})) {}

    int answer(int verdict) const { return judge_answer(layout.can.names.given, verdict); }

    int can(std::uint8_t direction, std::uint32_t device = 1)
    {
        const devhost_policy_can frame{.guest = 7,
                                       .device = device,
                                       .can_id = 0x123,
                                       .bits = 111,
                                       .direction = direction,
                                       .flags = 0,
                                       .len = 8};
        can_policy_state &state = direction == CAN_POLICY_TRANSMIT ? transmit : receive;
        return answer(::judge(&layout.can.rules, &state, &frame));
    }
    int play(std::uint32_t running = 0)
    {
        devhost_policy_snd request{};
        request.device = 1;
        request.rate = 48000;
        request.channels = 2;
        request.running = running;
        request.request = DEVHOST_POLICY_SND_START;
        request.direction = SND_POLICY_PLAYBACK;
        return answer(::judge_snd(&layout.snd->rules, &snd, &request));
    }
    int set_volume(std::int64_t percent)
    {
        devhost_policy_snd request{};
        request.device = 1;
        request.max = 100;
        request.value = percent;
        request.role = VIRTIO_SND_CTL_ROLE_VOLUME;
        request.request = DEVHOST_POLICY_SND_CONTROL;
        return answer(::judge_snd(&layout.snd->rules, &snd, &request));
    }
    int ask(std::uint64_t value = 0)
    {
        const devhost_policy_scmi command{
            .guest = 7, .device = 1, .resource = 0, .protocol = 0x14, .message = 5, .value = value};
        return answer(::judge_scmi(&layout.scmi->rules, &scmi, &command));
    }
    int decode(std::uint32_t width)
    {
        devhost_policy_video request{};
        request.device = 1;
        request.format = 0x1002;
        request.width = width;
        request.height = 16;
        request.request = DEVHOST_POLICY_VIDEO_RESOLUTION;
        return answer(::judge_video(&layout.video->rules, &video, &request));
    }

    CanDirectionCounters sent()
    {
        return read_counters(layout.can.rules.rules[CAN_POLICY_TRANSMIT], transmit);
    }
    CanDirectionCounters received()
    {
        return read_counters(layout.can.rules.rules[CAN_POLICY_RECEIVE], receive);
    }
    SndCounters sounds() { return read_counters(layout.snd->rules, snd); }
    ScmiCounters commands() { return read_counters(layout.scmi->rules, scmi); }
    VideoCounters streams() { return read_counters(layout.video->rules, video); }
};

// Something that each part has a limit for, and one rule that denies.
const std::string limits = R"(
[policy.can.transmit]
default = "allow"
frames_per_second = 1
frames_burst = 1
[[policy.can.receive.rule]]
verdict = "deny"
[policy.snd.playback]
default = "allow"
streams_max = 1
[policy.snd.control]
default = "allow"
volume_max = 50
[policy.scmi]
[[policy.scmi.rule]]
verdict = "allow"
protocol = "clock"
message = 5
value_max = 10
messages_per_second = 1
messages_burst = 1
[policy.video.decode]
default = "allow"
width_max = 640
)";

void use_up(InForce &of)
{
    judge_clock = 1;
    EXPECT_EQ(of.can(CAN_POLICY_TRANSMIT), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(of.play(), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(of.set_volume(50), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(of.ask(10), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(of.decode(640), DEVHOST_VERDICT_ALLOW);
}

// What is against a rule or a value, and what is against a limit.
void expect_beyond(InForce &of, int denied, int limited)
{
    use_up(of);
    EXPECT_EQ(of.can(CAN_POLICY_TRANSMIT), limited);
    EXPECT_EQ(of.can(CAN_POLICY_RECEIVE), denied);
    EXPECT_EQ(of.play(1), limited);
    EXPECT_EQ(of.set_volume(51), denied);
    EXPECT_EQ(of.ask(11), denied);
    EXPECT_EQ(of.ask(10), limited);
    EXPECT_EQ(of.decode(641), denied);
    // The same in both modes.
    EXPECT_EQ(of.sent().otherwise, (RuleCounters{1, 1}));
    EXPECT_EQ(of.sent().guest_limit, 1U);
    EXPECT_EQ(of.received().rules, (std::vector<RuleCounters>{{0, 1}}));
    EXPECT_EQ(of.sounds().playback.otherwise, (RuleCounters{1, 1}));
    EXPECT_EQ(of.sounds().playback.streams, 1U);
    EXPECT_EQ(of.sounds().control.otherwise, (RuleCounters{1, 1}));
    EXPECT_EQ(of.sounds().control.volume, 1U);
    EXPECT_EQ(of.commands().rules, (std::vector<RuleCounters>{{1, 2}}));
    EXPECT_EQ(of.commands().value, 1U);
    EXPECT_EQ(of.streams().decode.otherwise, (RuleCounters{1, 1}));
    EXPECT_EQ(of.streams().decode.size, 1U);
}

} // namespace

TEST(Audit, WhatWouldBeRefusedIsServedAndCountedAsRefused)
{
    InForce of(audit + limits);

    expect_beyond(of, DEVHOST_VERDICT_AUDIT, DEVHOST_VERDICT_AUDIT);
}

TEST(Audit, TheSamePolicyInForceRefuses)
{
    InForce of("[policy]\nmode = \"enforce\"\n" + limits);

    expect_beyond(of, DEVHOST_VERDICT_DENY, DEVHOST_VERDICT_LIMIT);
}

TEST(Audit, ADeviceThatIsNotKnownIsServedToo)
{
    InForce of(audit + "[[policy.can.transmit.rule]]\nverdict = \"allow\"\ndevice = \"d0\"\n" +
               "[[device]]\nname = \"d0\"\nclass = \"can\"\n[device.can]\ninterface = \"can0\"\n");

    EXPECT_EQ(of.can(CAN_POLICY_TRANSMIT), DEVHOST_VERDICT_ALLOW);
    EXPECT_EQ(of.can(CAN_POLICY_TRANSMIT, 2), DEVHOST_VERDICT_AUDIT);
    EXPECT_EQ(of.sent().unknown_device, 1U);
}

// Else the kernel would have no program to ask, and refuse.
TEST(Audit, LeavesNoClassOfDevicesOut)
{
    InForce of(audit);

    EXPECT_EQ(of.layout.can.names.given, POLICY_GIVEN_CAN | POLICY_GIVEN_SND | POLICY_GIVEN_SCMI |
                                             POLICY_GIVEN_VIDEO | POLICY_AUDIT);
    EXPECT_EQ(of.can(CAN_POLICY_TRANSMIT), DEVHOST_VERDICT_AUDIT);
    EXPECT_EQ(of.can(CAN_POLICY_RECEIVE), DEVHOST_VERDICT_AUDIT);
    EXPECT_EQ(of.play(), DEVHOST_VERDICT_AUDIT);
    EXPECT_EQ(of.ask(), DEVHOST_VERDICT_AUDIT);
    EXPECT_EQ(of.decode(16), DEVHOST_VERDICT_AUDIT);
    EXPECT_EQ(of.commands().otherwise, (RuleCounters{0, 1}));
}

TEST(Audit, IsReadBack)
{
    for (const char *mode : {"enforce", "audit"}) {
        const PolicyConfig policy = parse(std::string("[policy]\nmode = \"") + mode + "\"\n");
        const Setting setting = to_setting(policy);

        EXPECT_EQ(read_layout(lay_out(policy, 1, {})), policy);
        EXPECT_EQ(std::get<SettingTable>(setting.value).at("mode"), Setting{std::string(mode)});
        EXPECT_EQ(policy_from(TableReader(setting, "", "policy"), nullptr), policy);
    }
    EXPECT_NE(parse("[policy]\nmode = \"audit\"\n[policy.can]\n[policy.snd]\n[policy.scmi]\n"
                    "[policy.video]\n"),
              parse("[policy.can]\n[policy.snd]\n[policy.scmi]\n[policy.video]\n"));
    EXPECT_EQ(parse("[policy]\n").mode, PolicyMode::enforce);
}

} // namespace devhost
