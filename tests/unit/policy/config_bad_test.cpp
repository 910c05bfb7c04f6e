// SPDX-License-Identifier: Apache-2.0
//
// Files of guests that are wrong: each is refused with its line and a sentence.
#include <gtest/gtest.h>

#include "config.hpp"

namespace devhost {

namespace {

struct Bad {
    const char *what;
    const char *text; // begins on line 1
    unsigned line;
    const char *message; // or a part of it
};

// Lines 1 to 5 of a device, for errors from line 6 on.
#define DEVICE "[[device]]\nname = \"d\"\nclass = \"can\"\n[device.can]\ninterface = \"can0\"\n"
#define RULE "[[policy.can.transmit.rule]]\nverdict = \"allow\"\n"

constexpr Bad cases[] = {
    // Syntax.
    {"no_value", "user = \"u\"\ngroup =\n", 2, ""},
    {"no_end_of_string", "user = \"u\nunit = \"a\"\n", 1, ""},
    {"no_end_of_table", "\n\n[worker\n", 3, ""},
    {"twice", "user = \"u\"\nuser = \"v\"\n", 2, "user"},
    {"not_utf8", "user = \"\xff\"\n", 1, ""},
    {"nul", "user = \"a\\u0000b\"\n", 1, "user"},

    // Guest.
    {"unknown_key", "user = \"u\"\nusers = \"v\"\n", 2, "unknown key \"users\""},
    {"unknown_table", "\n[wroker]\ncpus = [1]\n", 2, "unknown key \"wroker\""},
    {"user_number", "user = 1000\n", 1, "user must be a string"},
    {"user_empty", "user = \"\"\n", 1, "user must be a string"},
    {"user_odd", "user = \"a:b\"\n", 1, "user must be the name of an account"},
    {"group_odd", "group = \"-x\"\n", 1, "group must be"},
    {"unit_suffix", "unit = \"vm\"\n", 1, "ending in .service or .scope"},
    {"unit_path", "unit = \"../x.service\"\n", 1, "unit must be"},
    {"unit_only_suffix", "unit = \".service\"\n", 1, "unit must be"},

    // Worker.
    {"worker_not_table", "worker = 3\n", 1, "worker must be a table"},
    {"worker_unknown", "[worker]\ncpu = [1]\n", 2,
     "unknown key \"cpu\" in worker; known there: cpus"},
    {"cpus_number", "[worker]\ncpus = 1\n", 2, "worker.cpus must be an array"},
    {"cpus_empty", "[worker]\ncpus = []\n", 2, "worker.cpus"},
    {"cpus_negative", "[worker]\ncpus = [1, -1]\n", 2, "from 0 to"},
    {"cpus_mixed", "[worker]\ncpus = [1, \"2\"]\n", 2, "from 0 to"},
    {"scheduler", "[worker]\nscheduler = \"FIFO\"\n", 2,
     "\"other\" or \"batch\" or \"fifo\" or \"rr\""},
    {"fifo_alone", "[worker]\nscheduler = \"fifo\"\n", 2, "needs a priority"},
    {"priority_alone", "[worker]\npriority = 5\n", 2, "goes with scheduler"},
    {"priority_range", "[worker]\nscheduler = \"rr\"\npriority = 100\n", 3, "from 1 to 99"},
    {"nice_range", "[worker]\nnice = 20\n", 2, "from -20 to 19"},
    {"nice_float", "[worker]\nnice = 1.0\n", 2, "whole number"},
    {"nice_fifo", "[worker]\nscheduler = \"fifo\"\npriority = 1\nnice = 1\n", 4,
     "worker.nice goes with"},

    // Devices.
    {"device_table", "[device]\nname = \"d\"\n", 1, "device must be an array of tables"},
    {"device_list", "device = [1]\n", 1, "device[1] must be a table"},
    {"device_no_name", "\n[[device]]\nclass = \"can\"\n", 2, "device[1] needs a name"},
    {"device_name", "[[device]]\nname = \"a.b\"\n", 2, "1 to 31 letters"},
    {"device_long", "[[device]]\nname = \"01234567890123456789012345678901\"\n", 2,
     "device[1].name"},
    {"device_no_class", "[[device]]\nname = \"d\"\n", 1, "needs class"},
    {"device_class", "[[device]]\nname = \"d\"\nclass = \"gpu\"\n", 3,
     "must be \"can\" or \"snd\""},
    {"device_twice", DEVICE DEVICE, 7, "device[2].name \"d\" is the name of an earlier device"},
    {"device_unknown",
     "[[device]]\nname = \"d\"\nclass = \"can\"\ncan = { interface = \"c\" }\nrings = 1\n", 5,
     "unknown key \"rings\" in device[1]"},
    {"device_no_can", "[[device]]\nname = \"d\"\nclass = \"can\"\n", 1, "needs a table \"can\""},
    {"policy_required", "[[device]]\nname = \"d\"\nclass = \"can\"\npolicy_required = 1\n", 4,
     "must be true or false"},
    {"vq_size_odd", "[[device]]\nname = \"d\"\nclass = \"can\"\nvq_size_max = 100\n", 4,
     "power of two"},
    {"vq_size_large", "[[device]]\nname = \"d\"\nclass = \"can\"\nvq_size_max = 2048\n", 4,
     "from 2 to 1024"},
    {"ring", "[[device]]\nname = \"d\"\nclass = \"can\"\nring = \"packed\"\n", 4,
     "\"any\" or \"split\""},
    {"no_interface", "[[device]]\nname = \"d\"\nclass = \"can\"\n[device.can]\nbitrate = 1\n", 4,
     "device[1].can needs interface"},
    {"interface_long",
     "[[device]]\nname = \"d\"\nclass = \"can\"\n[device.can]\ninterface = \"abcdefghijklmnop\"\n",
     5, "1 to 15"},
    {"interface_slash",
     "[[device]]\nname = \"d\"\nclass = \"can\"\n[device.can]\ninterface = \"a/b\"\n", 5,
     "not the name of a network interface"},
    {"rx_backlog", DEVICE "rx_backlog = 15\n", 6, "from 16 to 65536"},
    {"tx_inflight", DEVICE "tx_inflight = 0\n", 6, "from 1 to 1024"},
    {"bitrate_zero", DEVICE "bitrate = 0\n", 6, "bitrate must be a whole number from 1 to 1000000"},
    {"bitrate_text", DEVICE "bitrate = \"500k\"\n", 6, "bitrate must be a whole number"},
    {"bitrate_huge", DEVICE "bitrate = 9223372036854775807\n", 6, "bitrate"},
    {"bitrate_beyond", DEVICE "bitrate = 9223372036854775808\n", 6, ""},
    {"data_alone", DEVICE "data_bitrate = 2000000\n", 6, "needs bitrate"},
    {"data_without_fd", DEVICE "bitrate = 500000\ndata_bitrate = 2000000\n", 7, "needs fd = true"},
    {"fd_without_data", DEVICE "fd = true\n", 6, "fd needs data_bitrate"},
    {"sample_point_float", DEVICE "bitrate = 500000\nsample_point = 0.875\n", 7, "from 1 to 999"},
    {"sample_point_alone", DEVICE "sample_point = 875\n", 6, "needs bitrate"},
    {"restart_negative", DEVICE "restart_ms = -1\n", 6, "from 0 to 3600000"},
    {"can_unknown", DEVICE "bit_rate = 1\n", 6, "unknown key \"bit_rate\" in device[1].can"},

    // Policies.
    {"policy_mode", "[policy]\nmode = \"warn\"\n", 2,
     "policy.mode must be \"enforce\" or \"audit\""},
    {"policy_mode_bool", "[policy.can]\n[policy]\nmode = true\n", 3, "policy.mode must be"},
    {"policy_unknown", "[policy.cann]\n", 1, "unknown key \"cann\" in policy"},
    {"can_policy_unknown", "[policy.can]\n[policy.can.tx]\n", 2,
     "unknown key \"tx\" in policy.can"},
    {"direction_unknown", "[policy.can.transmit]\nrules = []\n", 2, "unknown key \"rules\""},
    {"default", "[policy.can.transmit]\ndefault = \"drop\"\n", 2, "must be \"deny\" or \"allow\""},
    {"lowest_in_receive", "[policy.can.receive]\nlowest_id = 1\n", 2, "unknown key \"lowest_id\""},
    {"lowest_range", "[policy.can.transmit]\nlowest_id = 0x800\n", 2, "from 0x0 to 0x7ff"},
    {"lowest_extended", "[policy.can.transmit]\nlowest_extended_id = 0x20000000\n", 2,
     "to 0x1fffffff"},
    {"frames_zero", "[policy.can.transmit]\nframes_per_second = 0\n", 2, "from 1 to 1000000"},
    {"frames_float", "[policy.can.transmit]\nframes_per_second = 0.5\n", 2, "whole number"},
    {"frames_burst_alone", "[policy.can.transmit]\nframes_burst = 1\n", 2,
     "needs frames_per_second"},
    {"bits_burst_small", "[policy.can.transmit]\nbits_per_second = 9\nbits_burst = 999\n", 3,
     "from 1000"},
    {"rule_no_verdict", "[policy.can.transmit]\n[[policy.can.transmit.rule]]\nid = 1\n", 2,
     "policy.can.transmit.rule[1] needs verdict"},
    {"rule_verdict", "[[policy.can.transmit.rule]]\nverdict = true\n", 2,
     "must be \"deny\" or \"allow\""},
    {"rule_unknown", RULE "ids = 1\n", 3, "unknown key \"ids\" in policy.can.transmit.rule[1]"},
    {"rule_id_large", RULE "id = 0x20000000\n", 3, "from 0x0 to 0x1fffffff"},
    {"rule_id_negative", RULE "id = -1\n", 3, "must be an identifier"},
    {"rule_id_text", RULE "id = \"0x12g\"\n", 3, "must be an identifier"},
    {"rule_id_empty", RULE "id = \"0x\"\n", 3, "must be an identifier"},
    {"rule_id_list", RULE "id = [1]\n", 3, "must be an identifier"},
    {"rule_mask_alone", RULE "mask = 0x7f0\n", 3, "mask needs id"},
    {"rule_mask_bits", RULE "id = 0x123\nmask = 0x7f0\n", 3, "has bits that mask 0x7f0 leaves out"},
    {"rule_range_one", RULE "range = [1]\n", 3, "[first, last]"},
    {"rule_range_text", RULE "range = \"1-2\"\n", 3, "[first, last]"},
    {"rule_range_back", RULE "range = [2, 1]\n", 3, "begin with the lower"},
    {"rule_range_bad", RULE "range = [0, 0x20000000]\n", 3, "range.last must be an identifier"},
    {"rule_range_and_id", RULE "id = 1\nrange = [1, 2]\n", 4, "cannot go with id"},
    {"rule_formats", RULE "range = [0x700, 0x900]\n", 1, "identifiers of 11 and of 29 bits"},
    {"rule_not_extended", RULE "id = 0x800\nextended = false\n", 4, "more than 11 bits"},
    {"rule_fd_rtr", RULE "fd = true\nrtr = true\n", 4, "no remote frames"},
    {"rule_deny_rate", "[[policy.can.transmit.rule]]\nverdict = \"deny\"\nframes_per_second = 1\n",
     2, "a rate goes with \"allow\""},
    {"rule_device", RULE "device = \"nosuch\"\n", 3, "\"nosuch\" is not a device of this file"},
    {"rule_device_name", RULE "device = \"a/b\"\n", 3, "not the name of a device"},
    {"rule_name_twice", RULE "name = \"a\"\n" RULE "name = \"a\"\n", 6, "name of an earlier rule"},
    {"rule_name_long", RULE "name = \"01234567890123456789012345678901\"\n", 3, "1 to 31"},
};

} // namespace

class BadConfig : public testing::TestWithParam<Bad> {};

TEST_P(BadConfig, IsRefusedWithItsLine)
{
    const Bad &bad = GetParam();

    try {
        parse_guest(bad.text, "g", "g.toml");
        FAIL() << "it was taken";
    } catch (const ConfigError &error) {
        EXPECT_EQ(error.line(), bad.line) << error.what();
        EXPECT_NE(error.message().find(bad.message), std::string::npos) << error.what();
        EXPECT_EQ(error.what(), "g.toml:" + std::to_string(error.line()) + ": " + error.message());
        EXPECT_EQ(error.cause(), Cause::config_invalid);
    }
}

INSTANTIATE_TEST_SUITE_P(Config, BadConfig, testing::ValuesIn(cases),
                         [](const auto &each) { return std::string(each.param.what); });

TEST(BadConfigs, SixtyFiveRules)
{
    std::string text;

    for (std::size_t i = 0; i <= policy_rules_max; ++i) {
        text += RULE;
    }
    try {
        parse_guest(text, "g", "g.toml");
        FAIL() << "they were taken";
    } catch (const ConfigError &error) {
        EXPECT_EQ(error.line(), 129U);
        EXPECT_NE(error.message().find("at most 64 rules"), std::string::npos) << error.what();
    }
}

TEST(BadConfigs, OverDBusThereIsNoFileAndNoLine)
{
    const Setting wrong{.value = SettingTable{{"can", {.value = std::int64_t{1}}}}};

    try {
        policy_from(TableReader(wrong, "", "policy"), nullptr);
        FAIL() << "it was taken";
    } catch (const ConfigError &error) {
        EXPECT_STREQ(error.what(), "policy.can must be a table");
        EXPECT_EQ(error.cause(), Cause::invalid_args);
    }
}

} // namespace devhost
