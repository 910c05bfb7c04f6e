// SPDX-License-Identifier: Apache-2.0
//
// Ceilings: who sets them, which of them holds, and what the host's sensors do to them.
#include <gtest/gtest.h>
#include <sstream>

#include "config_toml.hpp"
#include "fakes.hpp"

namespace devhost::test {
namespace {

const ResourceName cpu{.kind = DEVHOST_SCMI_PERF, .host = "cpu0"};

PowerConfig config_of(const std::string &toml)
{
    const Setting tree = parse_toml(toml, "");
    return power_config_from(TableReader(tree, "", ""));
}

const std::string rules = R"(
total_ms = 20000
failures = 2
[[thermal]]
zone = "cpu"
above = 90000
below = 80000
kind = "perf"
host = "cpu0"
level = 1000
[[thermal]]
zone = "cpu"
above = 100000
kind = "perf"
host = "cpu0"
level = 500
[[battery]]
kind = "perf"
host = "cpu0"
level = 800
)";

std::uint64_t level(const Ceilings &ceilings)
{
    const auto ceiling = ceilings.of(cpu);
    return ceiling ? ceiling->level : 0;
}

TEST(PowerConfigFile, EverythingThatCanBeSaidAndWhatCannot)
{
    const PowerConfig config = config_of(rules);
    EXPECT_EQ(config.limits.total, Milliseconds(20'000));
    EXPECT_EQ(config.limits.failures, 2U);
    ASSERT_EQ(config.rules.size(), 3U);
    EXPECT_EQ(config.rules[0].below, 80'000);
    EXPECT_EQ(config.rules[1].below, 100'000);
    EXPECT_EQ(config.rules[2].by, CeilingBy::power_source);
    EXPECT_EQ(config_of("").limits, PowerLimits());
    for (const char *bad :
         {"total = 1\n", "failures = 0\n",
          "[[thermal]]\nkind = \"perf\"\nhost = \"x\"\nlevel = 1\n",
          "[[battery]]\nkind = \"sensor\"\nhost = \"x\"\nlevel = 1\n",
          "[[battery]]\nkind = \"perf\"\nlevel = 1\n",
          "[[battery]]\nkind = \"perf\"\nhost = \"x\"\n",
          "[[thermal]]\nzone = \"z\"\nabove = 1\nbelow = 2\nkind = \"perf\"\nhost = \"x\"\n"
          "level = 1\n"}) {
        EXPECT_THROW(config_of(bad), ConfigError) << bad;
    }
    EXPECT_TRUE(read_power_config("/nonexistent/power.toml").rules.empty());
}

TEST(Ceilings, TheLowestHolds)
{
    Ceilings ceilings;
    ceilings.set_rules(config_of(rules).rules);
    EXPECT_FALSE(ceilings.of(cpu));
    ceilings.set(cpu, 900, "noise", PowerTime(1));
    EXPECT_EQ(ceilings.of(cpu)->by, CeilingBy::administrator);
    EXPECT_TRUE(ceilings.zone_reads("cpu", 95'000, PowerTime(2)));
    EXPECT_EQ(level(ceilings), 900U);
    EXPECT_TRUE(ceilings.power_source_is(true, PowerTime(3)));
    EXPECT_EQ(level(ceilings), 800U);
    EXPECT_EQ(ceilings.of(cpu)->by, CeilingBy::power_source);
    EXPECT_TRUE(ceilings.zone_reads("cpu", 100'000, PowerTime(4)));
    EXPECT_EQ(level(ceilings), 500U);
    EXPECT_EQ(ceilings.of(cpu)->by, CeilingBy::thermal);
    EXPECT_EQ(ceilings.all().size(), 4U);
    EXPECT_TRUE(ceilings.power_source_is(false, PowerTime(5)));
    EXPECT_TRUE(ceilings.zone_reads("cpu", 70'000, PowerTime(6)));
    EXPECT_EQ(level(ceilings), 900U);
    EXPECT_TRUE(ceilings.clear(cpu));
    EXPECT_FALSE(ceilings.clear(cpu));
    EXPECT_FALSE(ceilings.of(cpu));
    EXPECT_FALSE(ceilings.of({.kind = DEVHOST_SCMI_CLOCK, .host = "cpu0"}));
}

TEST(Ceilings, BetweenTheTwoTemperaturesItStays)
{
    Ceilings ceilings;
    ceilings.set_rules(config_of(rules).rules);
    EXPECT_FALSE(ceilings.zone_reads("cpu", 89'999, PowerTime(1)));
    EXPECT_TRUE(ceilings.zone_reads("cpu", 90'000, PowerTime(2)));
    EXPECT_FALSE(ceilings.zone_reads("cpu", 80'000, PowerTime(3)));
    EXPECT_EQ(level(ceilings), 1000U);
    EXPECT_FALSE(ceilings.zone_reads("gpu", 10'000, PowerTime(4)));
    EXPECT_TRUE(ceilings.zone_reads("cpu", 79'999, PowerTime(5)));
    EXPECT_FALSE(ceilings.of(cpu));
}

TEST(Ceilings, ARecordHasAllOfThem)
{
    Ceilings ceilings;
    ceilings.set_rules(config_of(rules).rules);
    ceilings.set(cpu, 900, "noise \"x\"", PowerTime(7));
    ceilings.zone_reads("cpu", 100'000, PowerTime(8));
    ceilings.zone_reads("cpu", 85'000, PowerTime(9)); // the second is over, the first is not
    std::ostringstream text;
    ceilings.record(text);
    Ceilings later;
    later.set_rules(config_of(rules).rules);
    later.restore(RecordReader(parse_toml(text.str(), "")));
    EXPECT_EQ(later.all(), ceilings.all());
    later.set_rules({}); // a rule that is no more
    EXPECT_EQ(later.all().size(), 1U);
}

TEST(HostReadings, WhatSysfsHas)
{
    const FakeMachine machine;
    const HostReadings readings(machine.directory.path() / "sys");
    EXPECT_FALSE(readings.zone("cpu"));
    EXPECT_FALSE(readings.on_battery());
    EXPECT_FALSE(readings.hwmon("board/temp1"));
    machine.write_sys("class/thermal/thermal_zone0/type", "gpu");
    machine.write_sys("class/thermal/thermal_zone1/type", "cpu");
    machine.write_sys("class/thermal/thermal_zone1/temp", "-1500");
    machine.write_sys("class/thermal/cooling_device0/type", "cpu");
    EXPECT_EQ(readings.zone("cpu"), -1500);
    EXPECT_FALSE(readings.zone("gpu")); // has no value just now
    machine.write_sys("class/hwmon/hwmon0/name", "board");
    machine.write_sys("class/hwmon/hwmon1/name", "board");
    machine.write_sys("class/hwmon/hwmon1/temp2_input", "41000");
    EXPECT_EQ(readings.hwmon("board/temp2"), 41'000);
    EXPECT_FALSE(readings.hwmon("board/temp1"));
    EXPECT_FALSE(readings.hwmon("board"));
    machine.write_sys("class/power_supply/BAT0/type", "Battery");
    machine.write_sys("class/power_supply/BAT0/status", "Discharging");
    EXPECT_TRUE(readings.on_battery());
    machine.write_sys("class/power_supply/AC/type", "Mains");
    machine.write_sys("class/power_supply/AC/online", "1");
    EXPECT_FALSE(readings.on_battery());
    machine.write_sys("class/power_supply/AC/online", "0");
    EXPECT_TRUE(readings.on_battery());
}

} // namespace
} // namespace devhost::test
