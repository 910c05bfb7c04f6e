// SPDX-License-Identifier: Apache-2.0
#include "host.hpp"

#include <gtest/gtest.h>

#include "error.hpp"
#include "fakes.hpp"

namespace devhost::test {
namespace {

const std::string allow_all = "[can.transmit]\ndefault = \"allow\"\n";
const std::string names_device = "[[can.transmit.rule]]\nverdict = \"allow\"\ndevice = \"can0\"\n";

template <typename Action>
void expect_cause(Cause cause, const Action &action)
{
    try {
        action();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error &error) {
        EXPECT_EQ(error.cause(), cause) << error.what();
    }
}

class Recorder final : public HostObserver {
public:
    void guest_added(const Guest &guest) override { note("+" + guest.info.name); }
    void guest_removing(const Guest &guest) override { note("-" + guest.info.name); }
    void guest_changed(const Guest &guest, const Properties &properties) override
    {
        note("~" + guest.info.name, properties);
    }
    void policy_changed(const Guest &guest, const Properties &properties) override
    {
        note("p" + guest.info.name, properties);
    }
    void device_added(const Device &device) override { note("+" + of(device)); }
    void device_removing(const Device &device) override { note("-" + of(device)); }
    void device_changed(const Device &device, const Properties &properties) override
    {
        note("~" + of(device), properties);
    }
    void policy_denied(const Device &device, const DenialInfo &denial) override
    {
        note("!" + of(device) + " " + std::to_string(denial.suppressed));
    }

    std::vector<std::string> seen;

private:
    static std::string of(const Device &device)
    {
        return device.info.guest + "/" + device.info.name;
    }
    void note(std::string what, const Properties &properties = {})
    {
        for (const std::string &property : properties) {
            what += " " + property;
        }
        seen.push_back(std::move(what));
    }
};

class HostTest : public testing::Test {
protected:
    void SetUp() override
    {
        host.discover();
        host.set_observer(&recorder);
    }

    FakeMachine machine;
    Host host = machine.new_host();
    Recorder recorder;
    using Seen = std::vector<std::string>;
};

TEST_F(HostTest, CreatesAndRemoves)
{
    host.create_guest(guest_config("ivi"));
    host.create_device("ivi", can_device("can0"));
    EXPECT_TRUE(host.device("ivi", "can0").node.ends_with("/dev/vhost-vdpa-0"));
    host.remove_device("ivi", "can0", false);
    host.remove_guest("ivi", false);
    EXPECT_TRUE(host.guests().empty());
    EXPECT_EQ(recorder.seen,
              (Seen{"+ivi", "+ivi/can0", "~ivi Devices", "-ivi/can0", "~ivi Devices", "-ivi"}));
    // The kernel's events about the same tell nothing new.
    recorder.seen.clear();
    host.handle_kernel_events();
    EXPECT_TRUE(recorder.seen.empty());
}

TEST_F(HostTest, RefusesBadNames)
{
    for (const std::string &name :
         {std::string(), std::string("../x"), std::string("a/b"), std::string("-a"),
          std::string(32, 'a'), std::string(65536, 'a'), std::string("a\xff"),
          std::string("a\0b", 3)}) {
        expect_cause(Cause::invalid_args, [&] { host.create_guest(guest_config(name)); });
    }
    host.create_guest(guest_config("ivi"));
    expect_cause(Cause::invalid_args, [&] { host.create_device("ivi", can_device("../../x")); });
    EXPECT_EQ(machine.kernel.changes, std::vector<std::string>{"create_guest ivi"});
}

TEST_F(HostTest, RefusesUnknownAccountBeforeAnythingIsMade)
{
    GuestConfig config = guest_config("ivi");
    config.user = "no-such-user-here";
    expect_cause(Cause::invalid_args, [&] { host.create_guest(config); });
    EXPECT_TRUE(machine.kernel.changes.empty());
}

TEST_F(HostTest, SaysWhatIsMissing)
{
    expect_cause(Cause::no_such_guest, [&] { host.create_device("ivi", can_device("can0")); });
    expect_cause(Cause::no_such_guest, [&] { host.remove_guest("ivi", false); });
    host.create_guest(guest_config("ivi"));
    expect_cause(Cause::no_such_device, [&] { host.remove_device("ivi", "can0", false); });
    expect_cause(Cause::guest_exists, [&] { host.create_guest(guest_config("ivi")); });
}

TEST_F(HostTest, BusyDeviceStays)
{
    host.create_guest(guest_config("ivi"));
    host.create_device("ivi", can_device("can0"));
    machine.kernel.set_busy("ivi", "can0", true);
    expect_cause(Cause::device_busy, [&] { host.remove_device("ivi", "can0", true); });
    expect_cause(Cause::guest_busy, [&] { host.remove_guest("ivi", true); });
    EXPECT_TRUE(host.guest("ivi").devices.contains("can0"));
}

// B5: whatever ends a manager, the next one finds everything and changes nothing.
TEST_F(HostTest, RestartDiscoversAndChangesNothing)
{
    GuestConfig config = guest_config("ivi");
    config.unit = "vm@ivi.service";
    config.worker.cpus = {1};
    host.create_guest(config);
    host.create_device("ivi", can_device("can0"));
    host.set_policy("ivi", policy_of(allow_all));
    machine.kernel.change_device("ivi", "can0", [](DeviceInfo &info) {
        info.state = DEVHOST_DEV_RUNNING;
        info.worker = 4711;
    });
    host.handle_kernel_events();
    const std::vector<std::string> changes = machine.kernel.changes;
    const unsigned applications = machine.policies.applications;

    Host next = machine.new_host();
    next.discover();
    EXPECT_EQ(machine.kernel.changes, changes);
    EXPECT_EQ(machine.policies.applications, applications);
    const Guest &before = host.guest("ivi");
    const Guest &after = next.guest("ivi");
    EXPECT_EQ(after.settings, before.settings);
    EXPECT_EQ(after.policy, before.policy);
    EXPECT_EQ(after.policy, policy_of(allow_all));
    EXPECT_EQ(after.programs, before.programs);
    EXPECT_EQ(after.info.policy, before.info.policy);
    EXPECT_EQ(after.devices.at("can0").info, before.devices.at("can0").info);
    EXPECT_EQ(after.devices.at("can0").node, before.devices.at("can0").node);
}

// B4: a new guest of an old name has nothing of the old one.
TEST_F(HostTest, NameReuseInheritsNothing)
{
    GuestConfig config = guest_config("ivi");
    config.unit = "vm@ivi.service";
    host.create_guest(config);
    host.set_policy("ivi", policy_of(allow_all));
    host.remove_guest("ivi", false);
    EXPECT_TRUE(machine.policies.pins.empty());
    host.create_guest(guest_config("ivi"));
    EXPECT_FALSE(host.guest("ivi").policy);
    EXPECT_EQ(host.guest("ivi").settings.unit, "");
}

// The same, when the old guest went and the new one came while no manager ran.
TEST_F(HostTest, NameReuseBehindTheManagersBack)
{
    GuestConfig config = guest_config("ivi");
    config.unit = "vm@ivi.service";
    host.create_guest(config);
    host.set_policy("ivi", policy_of(allow_all));
    machine.kernel.remove_guest("ivi", false);
    machine.kernel.create_guest("ivi", {});
    machine.kernel.set_policy("ivi", 1);

    Host next = machine.new_host();
    next.discover();
    EXPECT_FALSE(next.guest("ivi").policy);
    EXPECT_EQ(next.guest("ivi").settings.unit, "");
    EXPECT_TRUE(machine.policies.pins.empty());

    host.handle_kernel_events();
    EXPECT_EQ(host.guest("ivi").settings.unit, "");
    EXPECT_FALSE(host.guest("ivi").policy);
}

TEST_F(HostTest, PinsOfGuestsThatAreGoneAreRemoved)
{
    host.create_guest(guest_config("ivi"));
    host.set_policy("ivi", policy_of(allow_all));
    machine.kernel.remove_guest("ivi", false);
    Host next = machine.new_host();
    next.discover();
    EXPECT_TRUE(machine.policies.pins.empty());
}

TEST_F(HostTest, FollowsWhatOthersDo)
{
    machine.kernel.create_guest("ivi", {});
    machine.kernel.create_device("ivi", can_device("can0"), {});
    host.handle_kernel_events();
    EXPECT_EQ(recorder.seen, (Seen{"+ivi", "+ivi/can0", "~ivi Devices"}));
    recorder.seen.clear();
    machine.kernel.change_device("ivi", "can0",
                                 [](DeviceInfo &info) { info.state = DEVHOST_DEV_OPEN; });
    host.handle_kernel_events();
    EXPECT_EQ(recorder.seen, Seen{"~ivi/can0 State"});
    recorder.seen.clear();
    machine.kernel.remove_guest("ivi", false);
    host.handle_kernel_events();
    EXPECT_EQ(recorder.seen, (Seen{"-ivi/can0", "~ivi Devices", "-ivi"}));
}

TEST_F(HostTest, LostEventsAreMadeGood)
{
    host.create_guest(guest_config("old"));
    host.create_device("old", can_device("can0"));
    host.create_guest(guest_config("kept"));
    machine.kernel.remove_guest("old", false);
    machine.kernel.create_guest("new", {});
    machine.kernel.lose_events();
    host.handle_kernel_events();
    EXPECT_FALSE(host.guests().contains("old"));
    EXPECT_TRUE(host.guests().contains("new"));
    EXPECT_TRUE(host.guests().contains("kept"));
}

TEST_F(HostTest, LateEventDoesNotUndoANewerState)
{
    host.create_guest(guest_config("ivi"));
    host.remove_guest("ivi", false);
    host.create_guest(guest_config("ivi"));
    host.handle_kernel_events(); // created, removed, created
    EXPECT_TRUE(host.guests().contains("ivi"));
}

TEST_F(HostTest, WorkerGetsTheGuestsSettings)
{
    GuestConfig config = guest_config("ivi");
    config.worker.cpus = {2, 3};
    host.create_guest(config);
    host.create_device("ivi", can_device("can0"));
    machine.kernel.change_device("ivi", "can0", [](DeviceInfo &info) { info.worker = 4711; });
    host.handle_kernel_events();
    ASSERT_TRUE(machine.workers.applied.contains(4711));
    EXPECT_EQ(machine.workers.applied[4711], config.worker);
    // Once a worker, not at every change.
    machine.workers.applied.clear();
    machine.kernel.change_device("ivi", "can0", [](DeviceInfo &info) { info.status = 15; });
    host.handle_kernel_events();
    EXPECT_TRUE(machine.workers.applied.empty());
}

TEST_F(HostTest, DenialIsToldOfDevicesThatThereAre)
{
    host.create_guest(guest_config("ivi"));
    host.create_device("ivi", can_device("can0"));
    host.handle_kernel_events();
    recorder.seen.clear();
    machine.kernel.deny(
        {.guest = "ivi", .device = "can0", .suppressed = 7, .item = {.value = SettingTable()}});
    machine.kernel.deny(
        {.guest = "ivi", .device = "gone", .suppressed = 1, .item = {.value = SettingTable()}});
    machine.kernel.deny(
        {.guest = "gone", .device = "can0", .suppressed = 2, .item = {.value = SettingTable()}});
    host.handle_kernel_events();
    EXPECT_EQ(recorder.seen, Seen{"!ivi/can0 7"});
}

TEST_F(HostTest, NewDeviceIsKnownToThePolicyThatNamesDevices)
{
    host.create_guest(guest_config("ivi"));
    host.set_policy("ivi", policy_of(names_device));
    host.create_device("ivi", can_device("can0"));
    const auto &known = machine.policies.pins.at("ivi").devices;
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].name, "can0");
    EXPECT_EQ(known[0].id, host.device("ivi", "can0").info.id);
}

TEST_F(HostTest, DeviceIsNotKeptWithoutItsPolicy)
{
    host.create_guest(guest_config("ivi"));
    host.set_policy("ivi", policy_of(names_device));
    machine.policies.refuse = true;
    expect_cause(Cause::failed, [&] { host.create_device("ivi", can_device("can0")); });
    EXPECT_TRUE(machine.kernel.devices().empty());
}

TEST_F(HostTest, RefusedPolicyLeavesTheOldOne)
{
    host.create_guest(guest_config("ivi"));
    host.set_policy("ivi", policy_of(allow_all));
    machine.policies.refuse = true;
    expect_cause(Cause::failed, [&] { host.set_policy("ivi", policy_of(names_device)); });
    EXPECT_EQ(host.guest("ivi").policy, policy_of(allow_all));
}

TEST_F(HostTest, PolicyDetachedBySomebodyElseShows)
{
    host.create_guest(guest_config("ivi"));
    host.set_policy("ivi", policy_of(allow_all));
    recorder.seen.clear();
    host.handle_kernel_events();
    machine.kernel.set_policy("ivi", std::nullopt);
    host.handle_kernel_events();
    EXPECT_FALSE(host.guest("ivi").policy);
    EXPECT_EQ(recorder.seen, Seen{"pivi Active Policy Programs Sequence"});
}

TEST_F(HostTest, InterfaceThatAppearsIsSet)
{
    DeviceConfig device = can_device("can0");
    auto &can = std::get<CanDeviceConfig>(device.backend);
    can.wait = true;
    can.bitrate = 500000;
    host.create_guest(guest_config("ivi"));
    host.create_device("ivi", device);
    EXPECT_TRUE(machine.links.applied.empty());
    CanLinkInfo link;
    link.kind = "can";
    machine.links.put("can0", link);
    recorder.seen.clear();
    host.handle_link_events();
    EXPECT_EQ(machine.links.applied, std::vector<std::string>{"can0"});
    EXPECT_EQ(recorder.seen, Seen{"~ivi/can0 Backend"});
    EXPECT_EQ(host.device("ivi", "can0").link->bitrate, 500000U);
}

TEST_F(HostTest, VirtualInterfaceHasNoBitRate)
{
    CanLinkInfo link;
    link.kind = "vcan";
    machine.links.put("can0", link);
    DeviceConfig device = can_device("can0");
    std::get<CanDeviceConfig>(device.backend).bitrate = 500000;
    host.create_guest(guest_config("ivi"));
    expect_cause(Cause::not_supported, [&] { host.create_device("ivi", device); });
    EXPECT_TRUE(machine.kernel.devices().empty());
}

} // namespace
} // namespace devhost::test
