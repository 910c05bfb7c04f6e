// SPDX-License-Identifier: Apache-2.0
#include "configuration.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "fakes.hpp"

namespace devhost::test {
namespace {

const std::string one_device = "[[device]]\n"
                               "name = \"can0\"\n"
                               "class = \"can\"\n"
                               "can = { interface = \"can0\" }\n";
const std::string deny = "[policy.can.transmit]\ndefault = \"deny\"\n";
const std::string allow = "[policy.can.transmit]\ndefault = \"allow\"\n";

class ConfigurationTest : public testing::Test {
protected:
    void SetUp() override { host.discover(); }

    // A manager that starts anew on the same machine.
    struct Manager {
        explicit Manager(FakeMachine &machine)
            : host(machine.new_host()), configuration(host, machine.config_directory())
        {
            host.discover();
            configuration.start();
        }
        Host host;
        Configuration configuration;
    };

    FakeMachine machine;
    Host host = machine.new_host();
    Configuration configuration{host, machine.config_directory()};
    using Problems = std::vector<std::string>;
    using Changes = std::vector<std::string>;
};

TEST_F(ConfigurationTest, NoDirectoryIsNoProblem)
{
    configuration.start();
    EXPECT_EQ(configuration.problems(), Problems());
}

TEST_F(ConfigurationTest, StartMakesWhatTheFilesSay)
{
    machine.write_config("ivi", one_device + deny);
    configuration.start();
    EXPECT_EQ(configuration.problems(), Problems());
    EXPECT_TRUE(host.guest("ivi").devices.contains("can0"));
    EXPECT_TRUE(host.guest("ivi").policy);
    EXPECT_EQ(host.guest("ivi").settings.file, machine.config_directory() / "ivi.toml");
}

TEST_F(ConfigurationTest, RestartChangesNothing)
{
    machine.write_config("ivi", one_device + deny);
    configuration.start();
    // Changed over D-Bus since: an unchanged file does not undo it at a start, a reload does.
    host.set_policy("ivi", policy_of("[can.transmit]\ndefault = \"allow\"\n"));
    const Changes changes = machine.kernel.changes;
    const unsigned applications = machine.policies.applications;
    Manager next(machine);
    EXPECT_EQ(machine.kernel.changes, changes);
    EXPECT_EQ(machine.policies.applications, applications);
    next.configuration.reload();
    EXPECT_EQ(machine.policies.applications, applications + 1);
    EXPECT_EQ(next.host.guest("ivi").policy, policy_of("[can.transmit]\ndefault = \"deny\"\n"));
}

// A policy pinned by another version: it is no reason not to start, and makes way for the file's.
TEST_F(ConfigurationTest, PolicyInForceThatCannotBeReadIsReplacedByTheFiles)
{
    machine.write_config("ivi", one_device + deny);
    configuration.start();
    const unsigned applications = machine.policies.applications;
    machine.policies.unreadable = true;
    Manager next(machine);
    EXPECT_EQ(next.configuration.problems(), Problems());
    EXPECT_EQ(machine.policies.applications, applications + 1);
    EXPECT_EQ(next.host.guest("ivi").policy, policy_of("[can.transmit]\ndefault = \"deny\"\n"));
}

// The program's path is the same: only its contents say that it is another one.
TEST_F(ConfigurationTest, ReloadPutsAProgramInForceThatHasChanged)
{
    const std::filesystem::path program = machine.directory.path() / "p.bpf.o";
    const auto write = [&](const char *text) { std::ofstream(program) << text; };
    write("one");
    machine.write_config("ivi", "[policy]\nprogram = \"" + program.string() + "\"\n");
    configuration.start();
    EXPECT_EQ(machine.policies.applications, 1U);
    EXPECT_EQ(host.guest("ivi").policy->own->path, program);
    configuration.reload();
    EXPECT_EQ(machine.policies.applications, 1U);
    write("two");
    configuration.reload();
    EXPECT_EQ(machine.policies.applications, 2U);
}

TEST_F(ConfigurationTest, PolicyInForceThatCannotBeReadStaysWhereNoFileHasOne)
{
    host.create_guest(guest_config("ivi"));
    host.set_policy("ivi", policy_of("[can.transmit]\ndefault = \"deny\"\n"));
    machine.policies.unreadable = true;
    Manager next(machine);
    EXPECT_TRUE(next.host.guest("ivi").info.policy);
    EXPECT_FALSE(next.host.guest("ivi").policy);
    EXPECT_TRUE(machine.policies.pins.contains("ivi"));
    next.host.set_policy("ivi", policy_of("[can.transmit]\ndefault = \"allow\"\n"));
    EXPECT_EQ(next.host.guest("ivi").policy, policy_of("[can.transmit]\ndefault = \"allow\"\n"));
}

TEST_F(ConfigurationTest, ReloadMakesTheDifference)
{
    machine.write_config("ivi", one_device + deny);
    machine.write_config("cluster", one_device);
    configuration.start();
    machine.kernel.changes.clear();
    machine.write_config("ivi", one_device +
                                    "[[device]]\nname = \"can1\"\nclass = \"can\"\n"
                                    "can = { interface = \"can1\" }\n" +
                                    allow);
    std::filesystem::remove(machine.config_directory() / "cluster.toml");
    machine.write_config("telematics", one_device);
    configuration.reload();
    EXPECT_EQ(configuration.problems(), Problems());
    EXPECT_EQ(machine.kernel.changes,
              (Changes{"remove_guest cluster", "create_device ivi/can1", "create_guest telematics",
                       "create_device telematics/can0"}));
    EXPECT_EQ(host.guest("ivi").policy, policy_of("[can.transmit]\ndefault = \"allow\"\n"));
    machine.kernel.changes.clear();
    configuration.reload();
    EXPECT_EQ(machine.kernel.changes, Changes());
}

// B6: a bad file is refused with its line, its guest stays, and the others are applied.
TEST_F(ConfigurationTest, BadFileKeepsTheLastGoodState)
{
    machine.write_config("ivi", one_device + deny);
    configuration.start();
    machine.kernel.changes.clear();
    const std::string file = machine.config_directory() / "ivi.toml";
    const std::vector<std::pair<std::string, std::string>> bad{
        {"user = \"x\"\nunknown = 1\n", ":2: "},
        {one_device.substr(0, one_device.size() - 8), ":4: "}, // truncated
        {"[[device]]\nname = \"can0\"\nclass = \"tap\"\n", ":3: "},
        {"\n\n[[device]\n", ":3: "},
        {std::string("\xff\xfe\x00", 3), ":1: "},
    };
    for (const auto &[text, line] : bad) {
        machine.write_config("ivi", text);
        machine.write_config("other", one_device);
        configuration.reload();
        ASSERT_EQ(configuration.problems().size(), 1U) << text;
        EXPECT_TRUE(configuration.problems()[0].starts_with(file + line))
            << configuration.problems()[0];
        EXPECT_TRUE(host.guest("ivi").devices.contains("can0"));
        EXPECT_TRUE(host.guest("ivi").policy);
        EXPECT_TRUE(host.guests().contains("other"));
    }
    EXPECT_EQ(machine.kernel.changes, (Changes{"create_guest other", "create_device other/can0"}));
    // A restart with the bad file in place keeps it too.
    machine.kernel.changes.clear();
    const Manager next(machine);
    EXPECT_EQ(next.configuration.problems().size(), 1U);
    EXPECT_EQ(machine.kernel.changes, Changes());
    EXPECT_TRUE(next.host.guest("ivi").policy);
}

TEST_F(ConfigurationTest, FileWhoseNameIsNoGuestsIsRefused)
{
    machine.write_config("no guest", one_device);
    configuration.start();
    EXPECT_EQ(configuration.problems().size(), 1U);
    EXPECT_TRUE(machine.kernel.changes.empty());
}

TEST_F(ConfigurationTest, GuestsWithoutFileAreLeftAlone)
{
    host.create_guest(guest_config("manual"));
    host.create_device("manual", can_device("can0"));
    configuration.reload();
    EXPECT_TRUE(host.guest("manual").devices.contains("can0"));
}

TEST_F(ConfigurationTest, DeviceInUseIsNotReplaced)
{
    machine.write_config("ivi", one_device);
    configuration.start();
    machine.kernel.set_busy("ivi", "can0", true);
    machine.write_config("ivi", "[[device]]\nname = \"can0\"\nclass = \"can\"\n"
                                "can = { interface = \"can7\" }\n");
    configuration.reload();
    ASSERT_EQ(configuration.problems().size(), 1U);
    EXPECT_EQ(*host.device("ivi", "can0").interface(), "can0");
    // Once the VM has ended, the same file is applied.
    machine.kernel.set_busy("ivi", "can0", false);
    configuration.reload();
    EXPECT_EQ(configuration.problems(), Problems());
    EXPECT_EQ(*host.device("ivi", "can0").interface(), "can7");
}

TEST_F(ConfigurationTest, GuestInUseIsNotRemovedWithItsFile)
{
    machine.write_config("ivi", one_device);
    configuration.start();
    machine.kernel.set_busy("ivi", "can0", true);
    std::filesystem::remove(machine.config_directory() / "ivi.toml");
    configuration.reload();
    EXPECT_EQ(configuration.problems().size(), 1U);
    EXPECT_TRUE(host.guests().contains("ivi"));
    machine.kernel.set_busy("ivi", "can0", false);
    configuration.reload();
    EXPECT_TRUE(host.guests().empty());
}

TEST_F(ConfigurationTest, WhatFailedIsTriedAgainAtTheNextStart)
{
    machine.policies.refuse = true;
    machine.write_config("ivi", one_device + deny);
    configuration.start();
    EXPECT_EQ(configuration.problems().size(), 1U);
    machine.policies.refuse = false;
    const Manager next(machine);
    EXPECT_EQ(next.configuration.problems(), Problems());
    EXPECT_TRUE(next.host.guest("ivi").policy);
}

TEST_F(ConfigurationTest, ChangedSettingsReachTheGuest)
{
    machine.write_config("ivi", "unit = \"a.service\"\n" + one_device);
    configuration.start();
    machine.write_config("ivi", "unit = \"b.service\"\n[worker]\ncpus = [1]\n" + one_device);
    configuration.reload();
    EXPECT_EQ(configuration.problems(), Problems());
    EXPECT_EQ(host.guest("ivi").settings.unit, "b.service");
    EXPECT_EQ(host.guest("ivi").settings.worker.cpus, std::vector<unsigned>{1});
}

TEST_F(ConfigurationTest, LimitsReachTheKernelAndGoWithTheirKeys)
{
    machine.write_config("ivi", "[limits]\ndevices = 3\nmemory = 8192\n" + one_device);
    configuration.start();
    EXPECT_EQ(host.guest("ivi").info.limits.devices, 3U);
    EXPECT_EQ(host.guest("ivi").info.limits.memory, 8192U);
    machine.write_config("ivi", "[limits]\nmemory = 8192\n" + one_device);
    configuration.reload();
    EXPECT_EQ(configuration.problems(), Problems());
    EXPECT_EQ(host.guest("ivi").info.limits.devices, std::nullopt);
    EXPECT_EQ(host.guest("ivi").info.limits.memory, 8192U);
    // The next manager finds them, and changes nothing.
    const auto changes = machine.kernel.changes;
    const Manager next(machine);
    EXPECT_EQ(next.host.guest("ivi").info.limits.memory, 8192U);
    EXPECT_EQ(machine.kernel.changes, changes);
}

} // namespace
} // namespace devhost::test
