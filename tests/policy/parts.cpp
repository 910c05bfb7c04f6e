// SPDX-License-Identifier: Apache-2.0
// One instance for a guest, of a part for each class of devices.
#include <chrono>

#include "can_policy.h"
#include "whole.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

// As many rules as fit, of which the last one lets through what the test does.
std::string rules(const std::string &list, const std::string &others, const std::string &last)
{
    const std::string head = "[[policy." + list + ".rule]]\n";
    std::string text;

    for (std::size_t i = 1; i < devhost::policy_rules_max; i++) {
        text += head + "name = \"rule" + std::to_string(i) + "\"\n" + others;
    }
    return text + head + last;
}

} // namespace

TEST("policy: what a policy leaves out is refused, what it has is judged")
{
    WholeFixture t;

    for (unsigned given = 0; given < 16; given++) {
        std::string toml = "[policy]\n";
        if (given & POLICY_GIVEN_CAN) {
            toml += both("allow");
        }
        if (given & POLICY_GIVEN_SND) {
            toml += "[policy.snd.playback]\ndefault = \"allow\"\n";
        }
        if (given & POLICY_GIVEN_SCMI) {
            toml += "[policy.scmi]\ndefault = \"allow\"\n";
        }
        if (given & POLICY_GIVEN_VIDEO) {
            toml += "[policy.video.decode]\ndefault = \"allow\"\n";
        }
        tap::note("given " + std::to_string(given));
        store().apply(t.known(), policy(toml));
        CHECK_EQ(t.may_send(), (given & POLICY_GIVEN_CAN) != 0);
        CHECK_EQ(t.may_play(), (given & POLICY_GIVEN_SND) != 0);
        CHECK_EQ(t.may_ask(), (given & POLICY_GIVEN_SCMI) != 0);
        CHECK_EQ(t.may_decode(), (given & POLICY_GIVEN_VIDEO) != 0);
        CHECK(store().adopt(t.known()) == policy(toml));
        CHECK_EQ(store().program_ids("whole").size(),
                 static_cast<std::size_t>(__builtin_popcount(given)));
        const devhost::PolicyCounters counters = store().counters("whole");
        CHECK_EQ(counters.can.has_value(), (given & POLICY_GIVEN_CAN) != 0);
        CHECK_EQ(counters.snd.has_value(), (given & POLICY_GIVEN_SND) != 0);
        CHECK_EQ(counters.scmi.has_value(), (given & POLICY_GIVEN_SCMI) != 0);
        CHECK_EQ(counters.video.has_value(), (given & POLICY_GIVEN_VIDEO) != 0);
    }
    // Refused by the policy, never for want of one.
    for (TestDevice *device :
         {&t.can.device, &t.sound.device, &t.commands, &t.video.decoder.device}) {
        CHECK_EQ(device->stats().verdicts.at(DEVHOST_VERDICT_NONE), 0U);
        CHECK_EQ(device->stats().verdicts.at(DEVHOST_VERDICT_DENY), 8U);
    }
}

TEST("policy: the kernel takes as many rules as there may be, of all kinds at once")
{
    tap::time_limit(300);
    WholeFixture t;
    const std::string can_others = "verdict = \"allow\"\nid = 0x123\nmask = 0x7ff\nfd = true\n"
                                   "frames_per_second = 5\nbits_per_second = 5000\n";
    const std::string can_last = "verdict = \"allow\"\nframes_per_second = 5000\n";
    const std::string limits =
        "channels_max = 2\nperiod_min = 100\nrates = [5512, 8000, 11025, 16000, 22050, 32000, "
        "44100, 48000, 64000, 88200, 96000, 176400, 192000, 384000]\n";
    const std::string stream_others = "verdict = \"allow\"\nstream = 7\n" + limits;
    const std::string scmi_others =
        "verdict = \"allow\"\nprotocol = \"clock\"\nmessage = [0x5, 0x7]\n"
        "resources = [0, 100]\nvalue_min = 5\nvalue_max = 7\nmessages_per_second = 5\n";
    const std::string video_others =
        "verdict = \"allow\"\nformat = \"VP80\"\nwidth_max = 640\nheight_max = 480\n"
        "pixels_max = 307200\npixels_per_second_max = 9216000\n";
    const std::string video_last = "verdict = \"allow\"\nwidth_max = 1280\n";
    const std::string per_second = "frames_per_second = 100000\nbits_per_second = 10000000\n";
    const std::string toml =
        "[policy.can.transmit]\nlowest_id = 1\n" + per_second +
        rules("can.transmit", can_others, can_last) + "[policy.can.receive]\n" + per_second +
        rules("can.receive", can_others, can_last) + "[policy.snd.playback]\nstreams_max = 2\n" +
        limits + rules("snd.playback", stream_others, "verdict = \"allow\"\n" + limits) +
        "[policy.snd.capture]\nstreams_max = 2\n" + limits +
        rules("snd.capture", stream_others, "verdict = \"allow\"\n" + limits) +
        "[policy.snd.control]\nvolume_max = 90\n" +
        rules("snd.control", "verdict = \"allow\"\ncontrol = 9\nrole = \"gain\"\nvolume_max = 7\n",
              "verdict = \"allow\"\nvolume_max = 80\n") +
        "[policy.scmi]\nmessages_per_second = 100000\n" +
        rules("scmi", scmi_others, "verdict = \"allow\"\nmessages_per_second = 5000\n") +
        "[policy.video.decode]\nstreams_max = 2\nwidth_max = 4096\npixels_max = 8912896\n" +
        rules("video.decode", video_others, video_last) +
        "[policy.video.encode]\nstreams_max = 2\npixels_per_second_max = 500000000\n" +
        rules("video.encode", video_others + "bitrate_max = 1\n",
              "verdict = \"allow\"\nbitrate_max = 1000\n");
    devhost::PolicyConfig config = policy(toml);
    // And all devices that there may be, with rules for each of them.
    devhost::PolicyGuest guest = t.known();
    for (uint32_t i = 0; guest.devices.size() < POLICY_DEVICES; i++) {
        guest.devices.insert(guest.devices.begin(), {"x" + std::to_string(i), 100000 + i});
    }
    config.can->transmit.rules[0].device = "x0";
    config.can->receive.rules[0].device = "x1";
    config.snd->playback.rules[0].device = "x2";
    config.snd->control.rules[0].device = "x3";
    config.scmi->rules[0].device = "x4";
    config.video->decode.rules[0].device = "x5";
    config.video->encode.rules[0].device = "x6";

    const auto begin = std::chrono::steady_clock::now();
    store().apply(guest, config);
    tap::note("loaded in " +
              std::to_string(
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()) +
              " s");
    CHECK(store().adopt(guest) == config);
    CHECK(t.may_send());
    CHECK(t.can.receives(0x123));
    CHECK(t.may_play());
    CHECK_EQ(t.sound.write(t.sound.plain, t.sound.lowest), snd::ok);
    CHECK_EQ(t.sound.write(t.sound.plain, t.sound.highest), snd::not_supp);
    CHECK(t.may_ask());
    CHECK_EQ(t.agent.status(clk, 0x5, {0, 0, 9, 0}), not_found);
    CHECK(t.may_decode());
    CHECK(!t.video.may({.what = Wish::params, .width = 1281, .height = 480}));
    CHECK(!t.video.may({.what = Wish::bitrate, .encoder = true, .bits = 1001}));
    // By the last rule, each of them.
    const devhost::PolicyCounters counters = store().counters("whole");
    CHECK((counters.can->transmit.rules.back() == devhost::RuleCounters{1, 0}));
    CHECK((counters.can->receive.rules.back() == devhost::RuleCounters{1, 0}));
    CHECK((counters.snd->playback.rules.back() == devhost::RuleCounters{1, 0}));
    CHECK((counters.snd->control.rules.back() == devhost::RuleCounters{1, 1}));
    CHECK((counters.scmi->rules.back() == devhost::RuleCounters{1, 0}));
    CHECK_EQ(counters.scmi->value, 1U);
    CHECK((counters.video->decode.rules.back() == devhost::RuleCounters{2, 1}));
    CHECK((counters.video->encode.rules.back() == devhost::RuleCounters{1, 1}));
}

// The maps of the other parts came later: what was pinned before has none of them.
TEST("policy: one that was pinned before there were other parts than CAN is adopted, replaced")
{
    WholeFixture t;
    const std::filesystem::path guest = pins / "whole";

    store().apply(t.known(), policy(both("allow")));
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(guest)) {
        if (entry.is_regular_file()) {
            names.push_back(entry.path().filename());
        }
    }
    std::ranges::sort(names);
    CHECK((names ==
           std::vector<std::string>{"link", "names", "program", "receive", "rules", "transmit"}));
    store().apply(t.known(), policy(both("allow") + "[policy.scmi]\ndefault = \"allow\"\n"));
    CHECK(t.may_send());
    CHECK(t.may_ask());
    CHECK(!t.may_play());
    CHECK_EQ(t.commands.stats().verdicts.at(DEVHOST_VERDICT_NONE), 0U);
}
