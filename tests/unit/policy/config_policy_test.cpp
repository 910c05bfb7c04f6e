// SPDX-License-Identifier: Apache-2.0
//
// Policies of sound, SCMI and video devices in a guest's file, and what rules may name.
#include <gtest/gtest.h>

#include "config.hpp"
#include "config_toml.hpp"

namespace devhost {

namespace {

PolicyConfig parse(const std::string &text)
{
    return parse_guest(text, "g", "g.toml").policy.value();
}

// Where a file is refused, and why.
void expect_refused(const std::string &text, unsigned line, const std::string &message)
{
    try {
        parse_guest(text, "g", "g.toml");
        ADD_FAILURE() << "it was taken: " << text;
    } catch (const ConfigError &error) {
        EXPECT_EQ(error.line(), line) << error.what();
        EXPECT_NE(error.message().find(message), std::string::npos) << error.what();
    }
}

const std::string snd_device(const std::string &name)
{
    return "[[device]]\nname = \"" + name +
           "\"\nclass = \"snd\"\n[[device.snd.stream]]\npcm = \"hw:PCH,0\"\n"
           "direction = \"playback\"\n[[device.snd.control]]\ncard = \"PCH\"\n"
           "name = \"Master\"\n[[device.snd.control]]\ncard = \"PCH\"\nname = \"Headphone\"\n";
}

const std::string rule_of_control = "[[policy.snd.control.rule]]\nverdict = \"allow\"\n";
const std::string rule_of_scmi = "[[policy.scmi.rule]]\nverdict = \"allow\"\n";
const std::string rule_of_video = "[[policy.video.encode.rule]]\nverdict = \"allow\"\n";
const std::string rule_of_stream = "[[policy.snd.capture.rule]]\nverdict = \"allow\"\n";

} // namespace

TEST(ConfigPolicy, ProgramOfOnesOwnIsAPolicyAndMayHaveRulesBeside)
{
    const PolicyConfig policy = parse("[policy]\nprogram = \"/etc/p.bpf.o\"\n");

    EXPECT_EQ(policy, policy_of(OwnProgram{.path = "/etc/p.bpf.o", .version = {}}));
    EXPECT_FALSE(policy.names_devices());
    EXPECT_EQ(policy_from(TableReader(to_setting(policy), "", ""), nullptr), policy);
    expect_refused("[policy]\nprogram = \"p.bpf.o\"\n", 2, "begins with /");
    // In audit mode, too, what rules leave out is left to it.
    const PolicyConfig beside = parse("[policy]\nprogram = \"/p.o\"\nmode = \"audit\"\nsnd = {}\n");
    EXPECT_TRUE(beside.own && beside.snd);
    EXPECT_FALSE(beside.can || beside.scmi || beside.video);
    EXPECT_EQ(policy_from(TableReader(to_setting(beside), "", ""), nullptr), beside);
    expect_refused("[policy]\nprogram = \"/p.o\"\nwhat = 1\n", 3, "what");
}

TEST(ConfigPolicy, EveryKeyOfASoundPolicy)
{
    const SndPolicy policy = parse(R"(
[policy.snd.playback]
default = "allow"
streams_max = 2
channels_max = 6
rates = [48000, 44100, 48000]
period_min = 2000
[[policy.snd.playback.rule]]
name = "chime"
verdict = "allow"
stream = 1
channels_max = 2
rates = [48000]
period_min = 10000
[policy.snd.control]
default = "deny"
volume_max = 80
[[policy.snd.control.rule]]
name = "own"
verdict = "allow"
control = 3
role = "gain"
direction = "capture"
volume_max = 0
)")
                                 .snd.value();

    EXPECT_EQ(policy.playback.otherwise, Verdict::allow);
    EXPECT_EQ(policy.playback.streams_max, 2U);
    EXPECT_EQ(policy.playback.limits,
              (SndLimits{.channels_max = 6, .rates = {44100, 48000}, .period_min = 2000}));
    ASSERT_EQ(policy.playback.rules.size(), 1U);
    EXPECT_EQ(policy.playback.rules[0].name, "chime");
    EXPECT_EQ(policy.playback.rules[0].stream, 1U);
    EXPECT_EQ(policy.playback.rules[0].limits,
              (SndLimits{.channels_max = 2, .rates = {48000}, .period_min = 10000}));
    EXPECT_EQ(policy.capture, SndStreamPolicy{}) << "nobody records unless it is said";
    EXPECT_EQ(policy.capture.otherwise, Verdict::deny);
    EXPECT_EQ(policy.control.otherwise, Verdict::deny);
    EXPECT_EQ(policy.control.volume_max, 80U);
    ASSERT_EQ(policy.control.rules.size(), 1U);
    EXPECT_EQ(policy.control.rules[0].control, 3U);
    EXPECT_EQ(policy.control.rules[0].role, SndRole::gain);
    EXPECT_EQ(policy.control.rules[0].direction, DEVHOST_SND_CAPTURE);
    EXPECT_EQ(policy.control.rules[0].volume_max, 0U);
}

TEST(ConfigPolicy, EveryKeyOfAnScmiPolicy)
{
    const ScmiPolicy policy = parse(R"(
[policy.scmi]
default = "allow"
messages_per_second = 1000
messages_burst = 20
[[policy.scmi.rule]]
name = "gpu"
verdict = "allow"
protocol = "clock"
message = ["0x7", 5, 5]
resource = 2
value_min = 1000
value_max = 5000000000
messages_per_second = 5
[[policy.scmi.rule]]
verdict = "deny"
protocol = "voltage"
resources = [1, 3]
message = 0x7
[[policy.scmi.rule]]
verdict = "deny"
protocol = "system"
)")
                                  .scmi.value();

    EXPECT_EQ(policy.otherwise, Verdict::allow);
    EXPECT_EQ(policy.rate, (RateLimit{1000, 20}));
    ASSERT_EQ(policy.rules.size(), 3U);
    const ScmiRule &gpu = policy.rules[0];
    EXPECT_EQ(gpu.name, "gpu");
    EXPECT_EQ(gpu.protocol, 0x14U);
    EXPECT_EQ(gpu.messages, (std::vector<std::uint32_t>{5, 7}));
    EXPECT_EQ(gpu.resources, (ScmiResources{2, 2}));
    EXPECT_EQ(gpu.values, (ScmiRange{1000, 5'000'000'000}));
    EXPECT_EQ(gpu.rate, (RateLimit{5, 1}));
    EXPECT_EQ(policy.rules[1].protocol, 0x17U);
    EXPECT_EQ(policy.rules[1].resources, (ScmiResources{1, 3}));
    EXPECT_EQ(policy.rules[2].protocol, 0x12U);
    EXPECT_TRUE(policy.rules[2].messages.empty());
    EXPECT_FALSE(policy.rules[2].resources);
}

TEST(ConfigPolicy, EveryKeyOfAVideoPolicy)
{
    const VideoPolicy policy = parse(R"(
[policy.video.decode]
default = "allow"
streams_max = 2
width_max = 4096
height_max = 2304
pixels_max = 8912896
pixels_per_second_max = 5000000000
[[policy.video.decode.rule]]
name = "camera"
verdict = "deny"
format = ["VP90", "H264", "VP90"]
[[policy.video.encode.rule]]
verdict = "allow"
format = "FWHT"
width_max = 640
bitrate_max = 4000000000
)")
                                   .video.value();

    EXPECT_EQ(policy.decode.otherwise, Verdict::allow);
    EXPECT_EQ(policy.decode.streams_max, 2U);
    EXPECT_EQ(policy.decode.limits, (VideoLimits{.width_max = 4096,
                                                 .height_max = 2304,
                                                 .pixels_max = 8'912'896,
                                                 .pixels_per_second_max = 5'000'000'000}));
    ASSERT_EQ(policy.decode.rules.size(), 1U);
    EXPECT_EQ(policy.decode.rules[0].name, "camera");
    EXPECT_EQ(policy.decode.rules[0].formats, (std::vector<std::uint32_t>{2, 5}));
    EXPECT_EQ(policy.encode.otherwise, Verdict::deny);
    EXPECT_EQ(policy.encode.streams_max, 32U);
    EXPECT_EQ(policy.encode.limits, VideoLimits{});
    ASSERT_EQ(policy.encode.rules.size(), 1U);
    EXPECT_EQ(policy.encode.rules[0].formats, std::vector<std::uint32_t>{6});
    EXPECT_EQ(policy.encode.rules[0].limits,
              (VideoLimits{.width_max = 640, .bitrate_max = 4'000'000'000}));
}

TEST(ConfigPolicy, ARuleOfVideoIsForTheDirectionOfItsDevice)
{
    const auto device = [](const std::string &kind) {
        return "[[device]]\nname = \"" + kind + "\"\nclass = \"video_" + kind +
               "\"\n[device.video]\ncodec = \"vicodec\"\n";
    };
    const std::string both = device("decoder") + device("encoder");
    EXPECT_TRUE(parse(both + rule_of_video + "device = \"encoder\"\n").names_devices());
    expect_refused(both + rule_of_video + "device = \"decoder\"\n", 13,
                   "\"decoder\" is of class \"video_decoder\"");
    expect_refused(both + "[[policy.video.decode.rule]]\nverdict = \"deny\"\n"
                          "device = \"camera\"\n",
                   13, "\"camera\" is not a device of this file");
}

TEST(ConfigPolicy, SixtyFourRulesFitIntoEachList)
{
    for (const std::string &rule : {rule_of_control, rule_of_scmi, rule_of_stream, rule_of_video}) {
        std::string text;

        for (std::size_t i = 0; i < policy_rules_max; ++i) {
            text += rule;
        }
        EXPECT_NO_THROW(parse(text));
        expect_refused(text + rule, 129, "at most 64 rules");
    }
}

TEST(ConfigPolicy, AControlIsNamedAsTheDeviceHasIt)
{
    const auto control = [](const PolicyConfig &policy) {
        return policy.snd.value().control.rules.at(0).control;
    };
    const std::string headphone = "control = \"Headphone\"\n";

    EXPECT_EQ(control(parse(snd_device("s") + rule_of_control + headphone)), 1U);
    EXPECT_EQ(control(parse(snd_device("s") + rule_of_control + "control = 1\n")), 1U);
    EXPECT_EQ(control(parse(snd_device("s") + snd_device("t") + rule_of_control + headphone +
                            "device = \"t\"\n")),
              1U);
    expect_refused(snd_device("s") + rule_of_control + "control = \"Bass\"\n", 15,
                   "\"Bass\" is not the name of a control of the guest: give its number");
    expect_refused(rule_of_control + headphone, 3, "give its number");
    expect_refused(snd_device("s") + snd_device("t") + rule_of_control + headphone, 27,
                   "more than once: give its number, and the device");
}

// Numbers are of a device each: a name that only one has would be something else on the other.
TEST(ConfigPolicy, ANameIsForADeviceWhereThereAreSeveral)
{
    const Setting policy = parse_toml(rule_of_control + "control = \"Master\"\n", "t");
    const Setting &inner = std::get<SettingTable>(policy.value).at("policy");
    const PolicyItems items{{"s", "control", "Master", 4}, {"t", "control", "Other", 4}};

    EXPECT_THROW(policy_from(TableReader(inner, "", "policy"), &items), ConfigError);
    const PolicyItems one{items[0]};
    EXPECT_EQ(policy_from(TableReader(inner, "", "policy"), &one).snd->control.rules[0].control,
              4U);
    const PolicyItems clock{{"p", "clock", "gpu", 3}, {"p", "power", "gpu", 7}};
    const Setting scmi = parse_toml(
        "[[scmi.rule]]\nverdict = \"deny\"\nprotocol = \"power\"\nresource = \"gpu\"", "t");
    EXPECT_EQ(policy_from(TableReader(scmi, "", "policy"), &clock).scmi->rules[0].resources,
              (ScmiResources{7, 7}));
}

// Ids count from 0 in the order of the file, of each kind by itself.
TEST(ConfigPolicy, ScmiResourcesHaveNames)
{
    const auto resource = [](const std::string &kind, const std::string &rest) {
        return "[[device.scmi.resource]]\nkind = \"" + kind + "\"\n" + rest;
    };
    const std::string device = "[[device]]\nname = \"p\"\nclass = \"scmi\"\n" +
                               resource("clock", "host = \"pll\"\nname = \"cpu\"\n") +
                               resource("power", "host = \"gpu\"\n") +
                               resource("clock", "host = \"gpu\"\n");
    const auto rule = [&](const std::string &protocol, const std::string &name) {
        return device + rule_of_scmi + "protocol = \"" + protocol + "\"\nresource = \"" + name +
               "\"\n";
    };
    const auto id = [&](const std::string &protocol, const std::string &name) {
        return parse(rule(protocol, name)).scmi.value().rules.at(0).resources;
    };
    EXPECT_EQ(id("clock", "cpu"), (ScmiResources{0, 0}));
    EXPECT_EQ(id("clock", "gpu"), (ScmiResources{1, 1}));
    EXPECT_EQ(id("power", "gpu"), (ScmiResources{0, 0}));
    // What the host calls it is not the guest's to know.
    EXPECT_THROW(id("clock", "pll"), ConfigError);
    EXPECT_THROW(id("power", "cpu"), ConfigError);
}

TEST(ConfigPolicy, ADeviceIsOfTheClassThatTheRuleIsAbout)
{
    const std::string device = "device = \"s\"\n";

    EXPECT_TRUE(parse(snd_device("s") + rule_of_stream + device).names_devices());
    expect_refused(snd_device("s") + rule_of_scmi + device, 15, "\"s\" is of class \"snd\"");
    expect_refused(rule_of_stream + device, 3, "\"s\" is not a device of this file");
    expect_refused(rule_of_control + device, 3, "\"s\" is not a device of this file");
    expect_refused(rule_of_scmi + device, 3, "\"s\" is not a device of this file");
}

struct BadPolicy {
    const char *what;
    std::string text;
    unsigned line;
    const char *message;
};

class BadPolicies : public testing::TestWithParam<BadPolicy> {};

TEST_P(BadPolicies, AreRefusedWithTheirLine)
{
    expect_refused(GetParam().text, GetParam().line, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Config, BadPolicies,
    testing::Values(
        BadPolicy{"snd_unknown", "[policy.snd]\n[policy.snd.record]\n", 2,
                  "unknown key \"record\" in policy.snd"},
        BadPolicy{"snd_list_unknown", "[policy.snd.playback]\nvolume_max = 5\n", 2,
                  "unknown key \"volume_max\""},
        BadPolicy{"snd_default", "[policy.snd.capture]\ndefault = \"no\"\n", 2,
                  "must be \"deny\" or \"allow\""},
        BadPolicy{"streams_zero", "[policy.snd.playback]\nstreams_max = 0\n", 2, "from 1 to 32"},
        BadPolicy{"streams_of_rule", rule_of_stream + "streams_max = 1\n", 3,
                  "unknown key \"streams_max\""},
        BadPolicy{"channels", rule_of_stream + "channels_max = 256\n", 3, "from 1 to 255"},
        BadPolicy{"rates_number", rule_of_stream + "rates = 48000\n", 3, "array of rates"},
        BadPolicy{"rates_empty", rule_of_stream + "rates = []\n", 3, "array of rates"},
        BadPolicy{"rates_odd", rule_of_stream + "rates = [48001]\n", 3, "rates that virtio has"},
        BadPolicy{"rates_negative", rule_of_stream + "rates = [-1]\n", 3, "rates that virtio has"},
        BadPolicy{"period", rule_of_stream + "period_min = \"1ms\"\n", 3, "from 0 to 10000000"},
        BadPolicy{"stream", rule_of_stream + "stream = 32\n", 3, "from 0 to 31"},
        BadPolicy{"stream_name", rule_of_stream + "stream = \"hw:PCH,0\"\n", 3, "from 0 to 31"},
        BadPolicy{"deny_limit",
                  "[[policy.snd.playback.rule]]\nverdict = \"deny\"\nchannels_max = 2\n", 2,
                  "a limit goes with \"allow\" only"},
        BadPolicy{"control", rule_of_control + "control = 64\n", 3, "from 0 to 63"},
        BadPolicy{"role", rule_of_control + "role = \"any\"\n", 3,
                  "\"volume\" or \"mute\" or \"gain\""},
        BadPolicy{"direction", rule_of_control + "direction = \"out\"\n", 3, "\"playback\""},
        BadPolicy{"volume", rule_of_control + "volume_max = 101\n", 3, "from 0 to 100"},
        BadPolicy{"deny_volume",
                  "[[policy.snd.control.rule]]\nverdict = \"deny\"\nvolume_max = 2\n", 2,
                  "volume_max goes with \"allow\" only"},
        BadPolicy{"rule_without_verdict", "[[policy.snd.control.rule]]\ncontrol = 1\n", 1,
                  "needs verdict"},
        BadPolicy{"name_twice", rule_of_scmi + "name = \"a\"\n" + rule_of_scmi + "name = \"a\"\n",
                  6, "name of an earlier rule"},
        BadPolicy{"scmi_unknown", "[policy.scmi]\nrate = 5\n", 2, "unknown key \"rate\""},
        BadPolicy{"messages_zero", "[policy.scmi]\nmessages_per_second = 0\n", 2,
                  "from 1 to 1000000"},
        BadPolicy{"burst_alone", "[policy.scmi]\nmessages_burst = 5\n", 2,
                  "needs messages_per_second"},
        BadPolicy{"protocol", rule_of_scmi + "protocol = \"Clock\"\n", 3, "\"clock\""},
        BadPolicy{"protocol_number", rule_of_scmi + "protocol = 0x14\n", 3, "\"clock\""},
        BadPolicy{"message_alone", rule_of_scmi + "message = 5\n", 3, "message needs protocol"},
        BadPolicy{"message_large", rule_of_scmi + "protocol = \"clock\"\nmessage = 32\n", 4,
                  "from 0x0 to 0x1f"},
        BadPolicy{"messages_large", rule_of_scmi + "protocol = \"clock\"\nmessage = [1, 32]\n", 4,
                  "from 0x0 to 0x1f"},
        BadPolicy{"messages_none", rule_of_scmi + "protocol = \"clock\"\nmessage = []\n", 4,
                  "or an array of them"},
        BadPolicy{"resource_alone", rule_of_scmi + "resource = 0\n", 3, "resource needs protocol"},
        BadPolicy{"resources_alone", rule_of_scmi + "resources = [0, 1]\n", 3,
                  "resources needs protocol"},
        BadPolicy{"resource_name", rule_of_scmi + "protocol = \"clock\"\nresource = \"cpu\"\n", 4,
                  "\"cpu\" is not the name of a clock of the guest"},
        BadPolicy{"resource_and_range",
                  rule_of_scmi + "protocol = \"clock\"\nresource = 1\nresources = [1, 2]\n", 5,
                  "cannot go with resource"},
        BadPolicy{"resources_one", rule_of_scmi + "protocol = \"clock\"\nresources = [1]\n", 4,
                  "[first, last]"},
        BadPolicy{"resources_back", rule_of_scmi + "protocol = \"clock\"\nresources = [2, 1]\n", 4,
                  "begin with the lower"},
        BadPolicy{"resources_large",
                  rule_of_scmi + "protocol = \"clock\"\nresources = [2, 65536]\n", 4,
                  "resources.last must be"},
        BadPolicy{"value_alone", rule_of_scmi + "protocol = \"clock\"\nvalue_max = 5\n", 4,
                  "value_max needs message"},
        BadPolicy{"value_back",
                  rule_of_scmi +
                      "protocol = \"clock\"\nmessage = 5\nvalue_min = 6\nvalue_max = 5\n",
                  6, "is below value_min"},
        BadPolicy{"value_negative",
                  rule_of_scmi + "protocol = \"clock\"\nmessage = 5\nvalue_min = -1\n", 5,
                  "value_min must be"},
        BadPolicy{"scmi_deny_rate",
                  "[[policy.scmi.rule]]\nverdict = \"deny\"\nmessages_per_second = 1\n", 2,
                  "a limit goes with \"allow\" only"},
        BadPolicy{"video_unknown", "[policy.video]\nstreams_max = 1\n", 2,
                  "unknown key \"streams_max\" in policy.video"},
        BadPolicy{"video_list_unknown", "[policy.video.decode]\nrate_max = 30\n", 2,
                  "unknown key \"rate_max\""},
        BadPolicy{"video_rule_unknown", rule_of_video + "codec = \"H264\"\n", 3,
                  "unknown key \"codec\" in policy.video.encode.rule[1]"},
        BadPolicy{"video_format", rule_of_video + "format = \"h264\"\n", 3, "or \"H264\""},
        BadPolicy{"video_formats", rule_of_video + "format = [\"H264\", \"AV1\"]\n", 3,
                  "or \"H264\""},
        BadPolicy{"video_format_number", rule_of_video + "format = [4098]\n", 3, "or \"H264\""},
        BadPolicy{"video_format_none", rule_of_video + "format = []\n", 3, "an array of them"},
        BadPolicy{"video_width", rule_of_video + "width_max = 0\n", 3, "from 1 to 65535"},
        BadPolicy{"video_height", rule_of_video + "height_max = 65536\n", 3, "from 1 to 65535"},
        BadPolicy{"video_pixels", rule_of_video + "pixels_max = 4294836226\n", 3,
                  "from 1 to 4294836225"},
        BadPolicy{"video_pixels_per_second", rule_of_video + "pixels_per_second_max = -1\n", 3,
                  "pixels_per_second_max must be"},
        BadPolicy{"video_bitrate", rule_of_video + "bitrate_max = 4294967295\n", 3,
                  "from 1 to 4294967294"},
        BadPolicy{"video_bitrate_decoder", "[policy.video.decode]\nbitrate_max = 5\n", 2,
                  "is for encoders only"},
        BadPolicy{"video_bitrate_decoder_rule",
                  "[[policy.video.decode.rule]]\nverdict = \"allow\"\nbitrate_max = 5\n", 3,
                  "is for encoders only"},
        BadPolicy{"video_streams", "[policy.video.encode]\nstreams_max = 33\n", 2, "from 1 to 32"},
        BadPolicy{"video_deny", "[[policy.video.decode.rule]]\nverdict = \"deny\"\nwidth_max = 2\n",
                  2, "a limit goes with \"allow\" only"}),
    [](const auto &each) { return std::string(each.param.what); });

} // namespace devhost
