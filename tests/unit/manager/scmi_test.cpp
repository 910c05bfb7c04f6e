// SPDX-License-Identifier: Apache-2.0
//
// SCMI devices: their configuration, what the kernel tells of their resources.
#include <gtest/gtest.h>

#include "bus_fixture.hpp"
#include "config_toml.hpp"
#include "error.hpp"
#include "plan.hpp"

namespace devhost::test {
namespace {

using Texts = std::vector<std::string>;

const std::string head = "name = \"scmi0\"\nclass = \"scmi\"\n";

ScmiDeviceConfig scmi_of(const std::string &toml)
{
    const Setting tree = parse_toml(head + toml, "");
    return *device_from(TableReader(tree, "", "")).scmi();
}

void expect_refused(const std::string &toml, const std::string &words)
{
    try {
        scmi_of(toml);
        ADD_FAILURE() << "accepted: " << toml;
    } catch (const ConfigError &error) {
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
}

TEST(ScmiConfig, EverythingThatCanBeSaid)
{
    const ScmiDeviceConfig scmi = scmi_of(R"(
[scmi]
agent = "cluster"
system_power = false
[[scmi.resource]]
kind = "clock"
host = "pixel"
name = "pixel_clk"
device = "soc:display"
read_only = true
level_min = 1000000
level_max = 297000000000
[[scmi.resource]]
kind = "perf"
host = "cpu0"
source = "cpufreq"
[[scmi.resource]]
kind = "sensor"
host = "board/in3"
source = "hwmon"
[[scmi.resource]]
kind = "sensor"
host = "soc-thermal"
type = 2
scale = -3
)");
    EXPECT_EQ(scmi.agent, "cluster");
    EXPECT_FALSE(scmi.system_power);
    ASSERT_EQ(scmi.resources.size(), 4U);
    EXPECT_EQ(scmi.resources[0], (ScmiResourceConfig{.kind = DEVHOST_SCMI_CLOCK,
                                                     .host = "pixel",
                                                     .name = "pixel_clk",
                                                     .device = "soc:display",
                                                     .source = DEVHOST_SCMI_SOURCE_DEFAULT,
                                                     .hwmon = false,
                                                     .read_only = true,
                                                     .level_min = 1'000'000,
                                                     .level_max = 297'000'000'000,
                                                     .type = {},
                                                     .scale = {}}));
    EXPECT_EQ(scmi.resources[1].source, DEVHOST_SCMI_SOURCE_CPUFREQ);
    // What hwmon has is pushed, in its own unit: millivolts.
    EXPECT_EQ(scmi.resources[2].source, DEVHOST_SCMI_SOURCE_PUSHED);
    EXPECT_EQ(scmi.resources[2].kernel_host(), "hwmon:board/in3");
    EXPECT_EQ(scmi.resources[2].guest_name(), "board/in3");
    EXPECT_EQ(scmi.resources[2].type, 5U);
    EXPECT_EQ(scmi.resources[2].scale, -3);
    EXPECT_EQ(hwmon_of("hwmon:board/in3"), "board/in3");
    EXPECT_FALSE(hwmon_of("board/in3"));
}

TEST(ScmiConfig, WhatCannotBe)
{
    const std::string clock = "[[scmi.resource]]\nkind = \"clock\"\nhost = \"x\"\n";
    const std::string sensor = "[[scmi.resource]]\nkind = \"sensor\"\nhost = \"x\"\n";
    expect_refused("", "needs a table \"scmi\"");
    expect_refused("[[scmi.resource]]\nhost = \"x\"\n", "needs kind");
    expect_refused("[[scmi.resource]]\nkind = \"pin\"\nhost = \"x\"\n", "kind must be");
    expect_refused("[[scmi.resource]]\nkind = \"clock\"\n", "needs host");
    expect_refused("[scmi]\nagent = \"sixteen_letters_\"\n", "agent");
    expect_refused(clock + "name = \"" + std::string(64, 'n') + "\"\n", "name");
    expect_refused(clock + "source = \"cpufreq\"\n", "kind = \"perf\" only");
    expect_refused(clock + "source = \"iio\"\n", "kind = \"sensor\" only");
    expect_refused(clock + "type = 2\n", "type goes with");
    expect_refused(clock + "level_min = 0\n", "level_min");
    expect_refused(clock + "level_min = 2\nlevel_max = 1\n", "is more than level_max");
    expect_refused(clock + "parent = 2\n", "unknown key");
    expect_refused(sensor + "level_max = 2\n", "not for sensors");
    for (const char *host : {"x", "/temp1", "chip/", "chip/temp", "chip/temp1x", "chip/light1",
                             "a/b/temp1", "../temp1"}) {
        expect_refused("[[scmi.resource]]\nkind = \"sensor\"\nsource = \"hwmon\"\nhost = \"" +
                           std::string(host) + "\"\n",
                       "CHIP/CHANNEL");
    }
}

TEST(PowerConfigOfGuest, EverythingThatCanBeSaidAndWhatCannot)
{
    const auto rules = [](const std::string &toml) {
        const Setting tree = parse_toml(toml, "");
        return power_rules_from(TableReader(tree, "", "power"));
    };
    EXPECT_EQ(rules(""), PowerRules());
    EXPECT_EQ(rules("").role, PowerRole::deny);
    EXPECT_EQ(rules("role = \"emulate\"\nemulate_unit = \"vm-again@ivi.service\"\nbudget_ms = 0\n"
                    "order = 3\n"),
              (PowerRules{.role = PowerRole::emulate,
                          .budget = Milliseconds(0),
                          .order = 3,
                          .emulate_unit = "vm-again@ivi.service"}));
    EXPECT_THROW(rules("role = \"king\"\n"), ConfigError);
    EXPECT_THROW(rules("role = \"emulate\"\n"), ConfigError);
    EXPECT_THROW(rules("emulate_unit = \"x.service\"\n"), ConfigError);
    EXPECT_THROW(rules("role = \"emulate\"\nemulate_unit = \"/bin/sh\"\n"), ConfigError);
    EXPECT_THROW(rules("budget_ms = -1\n"), ConfigError);
    EXPECT_THROW(rules("order = 1001\n"), ConfigError);
}

class ScmiHost : public testing::Test {
protected:
    ScmiHost()
    {
        host.create_guest(guest_config("ivi"));
        host.create_device("ivi", scmi_device("scmi0"));
        machine.kernel.changes.clear();
    }
    const Device &device() { return host.device("ivi", "scmi0"); }

    FakeMachine machine;
    Host host = machine.new_host();
};

TEST_F(ScmiHost, ResourcesAreKnownAndFollowed)
{
    ASSERT_EQ(device().resources.size(), 3U);
    EXPECT_EQ(device().resources[0].host, "pixel");
    machine.kernel.change_resource("ivi", "scmi0", 0, [](ScmiResourceInfo &resource) {
        resource.vote_on = true;
        resource.vote_since = 5;
        resource.holders = 1;
    });
    host.handle_kernel_events();
    EXPECT_TRUE(device().resources[0].vote_on);
    // Events that were lost.
    machine.kernel.change_resource("ivi", "scmi0", 0,
                                   [](ScmiResourceInfo &resource) { resource.level = 7; });
    machine.kernel.lose_events();
    host.handle_kernel_events();
    EXPECT_EQ(device().resources[0].level, 7U);
    Host later = machine.new_host();
    later.discover();
    EXPECT_EQ(later.device("ivi", "scmi0").resources, device().resources);
}

TEST_F(ScmiHost, AChangeOfWhatIsGoneIsNone)
{
    machine.kernel.change_resource("ivi", "scmi0", 0,
                                   [](ScmiResourceInfo &resource) { resource.level = 7; });
    machine.kernel.remove_device("ivi", "scmi0", false);
    host.handle_kernel_events();
    EXPECT_TRUE(host.guest("ivi").devices.empty());
}

TEST_F(ScmiHost, WhatDiffersIsMadeAnew)
{
    GuestConfig wanted = guest_config("ivi");
    wanted.devices = {scmi_device("scmi0")};
    auto &scmi = std::get<ScmiDeviceConfig>(wanted.devices[0].backend);
    const ScmiDeviceConfig same = scmi;
    const std::vector<Step> replace{step::ReplaceDevice{"scmi0"}};
    const auto check = [&](const Host &of) {
        scmi = same;
        EXPECT_TRUE(plan(wanted, &of.guest("ivi")).empty());
        const auto differs = [&](auto change) {
            scmi = same;
            change();
            EXPECT_EQ(plan(wanted, &of.guest("ivi")), replace);
        };
        differs([&] { scmi.agent = "other"; });
        differs([&] { scmi.system_power = false; });
        differs([&] { scmi.resources.pop_back(); });
        differs([&] { scmi.resources[0].host = "line"; });
        differs([&] { scmi.resources[0].name = "mine"; });
        differs([&] { scmi.resources[0].read_only = true; });
        differs([&] { scmi.resources[0].level_max = 5; });
        differs([&] { scmi.resources[2].type = 3; });
    };
    check(host);
    Host later = machine.new_host(); // the kernel knows enough
    later.discover();
    check(later);
}

TEST_F(ScmiHost, PowerRulesOutliveTheManager)
{
    GuestConfig config = guest_config("master");
    config.power = {.role = PowerRole::emulate,
                    .budget = Milliseconds(1'234),
                    .order = 5,
                    .emulate_unit = "again.service"};
    host.create_guest(config);
    Host later = machine.new_host();
    later.discover();
    EXPECT_EQ(later.guest("master").settings.power, config.power);
    EXPECT_EQ(later.guest("ivi").settings.power, PowerRules());
}

using ScmiBus = BusFixture;

TEST_F(ScmiBus, DeviceOverTheBus)
{
    EXPECT_EQ(manager("CreateGuest", std::string("ivi"),
                      settings("[power]\nrole = \"vote\"\nbudget_ms = 500\n"))
                  .error,
              "");
    const Answer made =
        call(*client, guest_object, guest_iface, "CreateDevice", std::string("scmi0"),
             std::string("scmi"),
             settings("agent = \"a\"\n[[resource]]\nkind = \"clock\"\nhost = \"pixel\"\n"
                      "[[resource]]\nkind = \"sensor\"\nhost = \"x\"\nsource = \"pushed\"\n"));
    ASSERT_EQ(made.error, "") << made.text;
    const std::string object = "/org/devhost1/guest/ivi/scmi0";
    service->run([&] {
        machine.kernel.change_resource("ivi", "scmi0", 0, [](ScmiResourceInfo &resource) {
            resource.vote_on = true;
            resource.vote_level = 42;
            resource.vote_since = 3'000;
            resource.level = 40;
            resource.ceiling = 40;
            resource.limit = DEVHOST_SCMI_LIMIT_CEILING;
        });
    });
    const auto text = [&] { return to_json(properties(object, device_iface)); };
    EXPECT_TRUE(wait_until([&] {
        return text().find(R"("vote":{"id":0,"level":42,"limiting_reason":"ceiling",)"
                           R"("name":"pixel","on":true,"since":3})") != std::string::npos;
    })) << text();
    EXPECT_NE(text().find(R"("ceiling":40)"), std::string::npos);
    EXPECT_NE(text().find(R"("agent":"a")"), std::string::npos);
    EXPECT_EQ(
        call(*client, object, device_iface, "Configure", settings("sensor = 0\nreading = -5\n"))
            .error,
        "");
    EXPECT_NE(call(*client, object, device_iface, "Configure", settings("sensor = 0\n")).error, "");
    service->run([&] { EXPECT_EQ(machine.kernel.changes.back(), "push_reading ivi/scmi0 0 -5"); });
    const std::string power = to_json(properties(guest_object, guest_power_iface));
    EXPECT_NE(power.find(R"("Role":"vote")"), std::string::npos) << power;
    EXPECT_NE(power.find(R"("Budget":500)"), std::string::npos) << power;
}

} // namespace
} // namespace devhost::test
