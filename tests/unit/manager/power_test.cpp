// SPDX-License-Identifier: Apache-2.0
//
// Power as devhostd has it: kernel, logind and systemd are fakes, time is the real one.
#include <gtest/gtest.h>
#include <unistd.h>

#include "bus_fixture.hpp"
#include "configuration.hpp"
#include "error.hpp"

namespace devhost::test {
namespace {

using Texts = std::vector<std::string>;

constexpr std::uint32_t shutdown = 0;
constexpr std::uint32_t warm_reset = 2;
constexpr std::uint32_t suspend = 4;

class Observer final : public HostObserver {
public:
    explicit Observer(Power &power) : power_(power) {}
    void guest_added(const Guest &guest) override { power_.guest_added(guest); }
    void guest_removing(const Guest &guest) override { power_.guest_removing(guest); }
    void guest_changed(const Guest &guest, const Properties &properties) override
    {
        power_.guest_changed(guest, properties);
    }
    void policy_changed(const Guest & /*guest*/, const Properties & /*properties*/) override {}
    void device_added(const Device &device) override { power_.device_added(device); }
    void device_removing(const Device &device) override { power_.device_removing(device); }
    void device_changed(const Device &device, const Properties &properties) override
    {
        power_.device_changed(device, properties);
    }

private:
    Power &power_;
};

// A daemon's life; the machine outlives it.
struct Manager {
    explicit Manager(FakeMachine &machine) : host(machine.new_host())
    {
        sd_event_new(&event);
        host.discover();
        power = std::make_unique<Power>(machine.power_parts(host, *event), machine.power_config);
        observer = std::make_unique<Observer>(*power);
        power->start();
        host.set_observer(observer.get());
    }
    ~Manager()
    {
        power.reset();
        sd_event_unref(event);
    }
    Manager(const Manager &) = delete;
    Manager &operator=(const Manager &) = delete;

    // The loop turns for so long, or until @p met.
    bool turn(int milliseconds, const std::function<bool()> &met = [] { return false; })
    {
        const PowerTime until = boot_time() + Milliseconds(milliseconds);
        while (!met() && boot_time() < until) {
            sd_event_run(event, 5'000);
            host.handle_kernel_events();
        }
        return met();
    }

    sd_event *event = nullptr;
    Host host;
    std::unique_ptr<Power> power;
    std::unique_ptr<Observer> observer;
};

class PowerService : public testing::Test {
protected:
    void guest(const std::string &name, PowerRole role, int budget = 5'000)
    {
        GuestConfig config = guest_config(name);
        config.unit = name + ".service";
        config.power.role = role;
        config.power.budget = Milliseconds(budget);
        config.power.emulate_unit = role == PowerRole::emulate ? "again.service" : "";
        daemon->host.create_guest(config);
        daemon->host.create_device(name, scmi_device("scmi0"));
        machine.kernel.run_scmi(name, true);
        handle();
        machine.kernel.changes.clear();
        machine.system.calls.clear();
    }
    void ask(const std::string &name, std::uint32_t state)
    {
        machine.kernel.ask_power(name, state);
        handle();
    }
    void handle() { daemon->host.handle_kernel_events(); }
    Texts told() { return std::exchange(machine.kernel.changes, {}); }
    Texts calls() { return std::exchange(machine.system.calls, {}); }
    const PowerView &view() { return daemon->power->view(); }
    void restart()
    {
        daemon.reset();
        daemon = std::make_unique<Manager>(machine);
    }

    FakeMachine machine;
    std::unique_ptr<Manager> daemon = std::make_unique<Manager>(machine);
};

TEST_F(PowerService, AMasterSwitchesOff)
{
    EXPECT_EQ(calls(), Texts{"take_delay"});
    EXPECT_TRUE(machine.store.kept.contains("delay"));
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny);
    ask("a", shutdown);
    EXPECT_EQ(told(), Texts{"announce b/scmi0 0 1 5000"});
    EXPECT_EQ(view().current, "preparing");
    EXPECT_EQ(view().reason, "waiting");
    EXPECT_EQ(view().requested_by, "guest a");
    EXPECT_EQ(view().waiting, Texts{"guest b"});
    EXPECT_EQ(daemon->power->view("b").current, "told");
    machine.kernel.run_scmi("b", false);
    handle();
    EXPECT_EQ(calls(), Texts{"act off"});
    machine.system.handlers.leaves(PowerState::off);
    EXPECT_EQ(view().current, "leaving");
    EXPECT_FALSE(machine.store.kept.contains("delay"));
    machine.system.handlers.leaves(std::nullopt); // the signal's twin
    EXPECT_EQ(calls(), Texts{});
}

TEST_F(PowerService, RolesThatLeaveTheHostAlone)
{
    guest("a", PowerRole::deny);
    guest("b", PowerRole::emulate);
    guest("c", PowerRole::vote);
    guest("d", PowerRole::vote);
    ask("a", shutdown);
    ask("b", warm_reset);
    ask("c", suspend);
    EXPECT_EQ(calls(), Texts{"start again.service"});
    EXPECT_EQ(told(), Texts{});
    EXPECT_EQ(view().current, "on");
    EXPECT_EQ(view().requested, "suspend");
    EXPECT_EQ(view().effective, "on");
    EXPECT_EQ(view().reason, "votes");
    EXPECT_EQ(daemon->power->view("a").reason, "denied");
    EXPECT_EQ(daemon->power->view("c").reason, "votes");
    EXPECT_EQ(view().votes.size(), 2U); // the emulated one has what it asked for
}

TEST_F(PowerService, TheSilentIsForcedInTime)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny, 100);
    ask("a", warm_reset);
    EXPECT_EQ(told(), Texts{"announce b/scmi0 1 1 100"});
    EXPECT_FALSE(daemon->turn(60));
    EXPECT_EQ(calls(), Texts{});
    EXPECT_TRUE(daemon->turn(5'000, [&] { return !machine.system.calls.empty(); }));
    EXPECT_EQ(calls(), (Texts{"stop b.service", "act reboot"}));
    EXPECT_TRUE(daemon->power->view("b").unresponsive);
}

TEST_F(PowerService, TheHostSuspendsAndResumes)
{
    guest("a", PowerRole::deny);
    machine.system.handlers.leaves(PowerState::suspend);
    EXPECT_EQ(told(), Texts{"announce a/scmi0 4 1 5000"});
    ask("a", suspend);
    EXPECT_FALSE(machine.store.kept.contains("delay"));
    // The kernel stops the device and lets it go on.
    machine.kernel.change_device("a", "scmi0",
                                 [](DeviceInfo &info) { info.state = DEVHOST_DEV_QUIESCED; });
    handle();
    machine.system.handlers.stays();
    EXPECT_EQ(told(), Texts{"announce a/scmi0 3 1 0"});
    EXPECT_EQ(calls(), Texts{"take_delay"});
    EXPECT_EQ(view().current, "on");
}

TEST_F(PowerService, ARestartLosesNothing)
{
    guest("a", PowerRole::vote);
    guest("b", PowerRole::vote, 2'000);
    guest("c", PowerRole::deny, 2'000);
    const UniqueFd vote = daemon->power->hold(HoldMode::vote, PowerState::off, "local", "why not");
    const UniqueFd block = daemon->power->hold(HoldMode::block, PowerState::on, "updater", "");
    ask("a", shutdown);
    restart();
    EXPECT_EQ(calls(), Texts{}); // what makes logind wait was kept
    EXPECT_EQ(view().reason, "block");
    EXPECT_EQ(view().votes.size(), 3U);
    EXPECT_EQ(told(), Texts{});
    // What is asked for while nobody listens is found.
    daemon.reset();
    machine.kernel.ask_power("b", shutdown);
    daemon = std::make_unique<Manager>(machine);
    EXPECT_EQ(view().votes.size(), 4U);
    EXPECT_EQ(view().reason, "block");
    daemon->power->request(PowerState::on, "no");
    EXPECT_EQ(view().reason, "none");
    ask("a", shutdown);
    EXPECT_EQ(view().reason, "block");
    EXPECT_EQ(told(), Texts{});
}

TEST_F(PowerService, ARestartInTheMiddleGoesOn)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny, 300);
    ask("a", shutdown);
    EXPECT_EQ(told(), Texts{"announce b/scmi0 0 1 300"});
    const std::uint64_t since = view().since;
    restart();
    EXPECT_EQ(view().current, "preparing");
    EXPECT_EQ(view().since, since);
    EXPECT_EQ(told(), Texts{});
    EXPECT_TRUE(daemon->turn(5'000, [&] { return machine.system.calls.size() > 1; }));
    EXPECT_EQ(calls(), (Texts{"stop b.service", "act off"}));
    // logind has begun while nobody listened.
    machine.system.is_leaving = true;
    restart();
    EXPECT_EQ(view().current, "leaving");
    EXPECT_FALSE(machine.store.kept.contains("delay"));
    // And it has ended.
    machine.system.is_leaving = false;
    restart();
    EXPECT_EQ(view().current, "on");
    EXPECT_EQ(calls(), Texts{"take_delay"});
}

TEST_F(PowerService, HoldsEndWithTheirDescriptors)
{
    auto block = std::make_unique<UniqueFd>(
        daemon->power->hold(HoldMode::block, PowerState::on, "updater", "writes"));
    EXPECT_EQ(machine.store.kept.size(), 2U);
    EXPECT_EQ(view().votes.size(), 1U);
    daemon->turn(20);
    EXPECT_EQ(view().votes.size(), 1U);
    block.reset();
    EXPECT_TRUE(daemon->turn(5'000, [&] { return view().votes.empty(); }));
    EXPECT_EQ(machine.store.kept.size(), 1U);
    // One that ended while nobody looked.
    {
        const UniqueFd other = daemon->power->hold(HoldMode::delay, PowerState::on, "x", "");
        daemon.reset();
    }
    daemon = std::make_unique<Manager>(machine);
    EXPECT_TRUE(daemon->turn(5'000, [&] { return view().votes.empty(); }));
    EXPECT_EQ(machine.store.kept.size(), 1U);
}

TEST_F(PowerService, HoldsAreBounded)
{
    std::vector<UniqueFd> fds;
    for (int i = 0; i < 64; i++) {
        fds.push_back(daemon->power->hold(HoldMode::vote, PowerState::on, "x", ""));
    }
    EXPECT_THROW(daemon->power->hold(HoldMode::vote, PowerState::on, "x", ""), Error);
    EXPECT_THROW(daemon->power->hold(HoldMode::vote, PowerState::on, "", ""), Error);
    fds.clear();
    EXPECT_TRUE(daemon->turn(5'000, [&] { return view().votes.empty(); }));
}

TEST_F(PowerService, AThermalCeilingBeatsAVote)
{
    daemon.reset();
    machine.power_config.rules = {{.by = CeilingBy::thermal,
                                   .resource = {.kind = DEVHOST_SCMI_CLOCK, .host = "pixel"},
                                   .level = 50,
                                   .zone = "cpu",
                                   .above = 90'000,
                                   .below = 80'000}};
    machine.write_sys("class/thermal/thermal_zone0/type", "cpu");
    machine.write_sys("class/thermal/thermal_zone0/temp", "40000");
    daemon = std::make_unique<Manager>(machine);
    guest("a", PowerRole::vote);
    guest("b", PowerRole::vote);
    machine.kernel.change_resource("a", "scmi0", 0, [](ScmiResourceInfo &resource) {
        resource.vote_level = 100;
        resource.vote_since = 1;
    });
    handle();
    machine.write_sys("class/thermal/thermal_zone0/temp", "95000");
    EXPECT_TRUE(daemon->turn(5'000, [&] { return !view().ceilings.empty(); }));
    EXPECT_EQ(told(), Texts{"set_ceiling a/scmi0 clock 0 50"}); // once, for all that have it
    EXPECT_EQ(daemon->host.device("b", "scmi0").resources[0].ceiling, 50U);
    EXPECT_NE(to_json(view().resources[1]).find("\"ceiling_by\":\"thermal\""), std::string::npos)
        << to_json(view().resources[1]);
    restart(); // changes nothing
    EXPECT_EQ(told(), Texts{});
    machine.write_sys("class/thermal/thermal_zone0/temp", "85000");
    daemon->turn(60);
    EXPECT_EQ(told(), Texts{});
    machine.write_sys("class/thermal/thermal_zone0/temp", "70000");
    EXPECT_TRUE(daemon->turn(5'000, [&] { return view().ceilings.empty(); }));
    EXPECT_EQ(told(), Texts{"set_ceiling a/scmi0 clock 0 none"});
    // A rule that goes while nobody looks takes its ceiling along.
    machine.write_sys("class/thermal/thermal_zone0/temp", "95000");
    EXPECT_TRUE(daemon->turn(5'000, [&] { return !view().ceilings.empty(); }));
    handle();
    told();
    machine.power_config.rules.clear();
    restart();
    EXPECT_EQ(told(), Texts{"set_ceiling a/scmi0 clock 0 none"});
    EXPECT_TRUE(view().ceilings.empty());
}

TEST_F(PowerService, CeilingsOfTheAdministrator)
{
    guest("a", PowerRole::deny);
    const ResourceName pixel{.kind = DEVHOST_SCMI_CLOCK, .host = "pixel"};
    daemon->power->set_ceiling(pixel, 7, "noise");
    EXPECT_EQ(told(), Texts{"set_ceiling a/scmi0 clock 0 7"});
    handle();
    restart();
    ASSERT_EQ(view().ceilings.size(), 1U);
    EXPECT_NE(to_json(view().ceilings[0]).find("noise"), std::string::npos);
    // A device that comes later has it, too.
    daemon->host.remove_device("a", "scmi0", false);
    daemon->host.create_device("a", scmi_device("scmi0"));
    EXPECT_EQ(told().back(), "set_ceiling a/scmi0 clock 0 7");
    handle();
    // A record that is lost: what the kernel has is found.
    daemon.reset();
    std::filesystem::remove(machine.directory.path() / "power");
    daemon = std::make_unique<Manager>(machine);
    EXPECT_NE(to_json(view().ceilings.at(0)).find("found at the start"), std::string::npos);
    EXPECT_EQ(told(), Texts{});
    daemon->power->clear_ceiling(pixel);
    EXPECT_EQ(told(), Texts{"set_ceiling a/scmi0 clock 0 none"});
    EXPECT_THROW(daemon->power->clear_ceiling(pixel), Error);
}

TEST_F(PowerService, ReadingsOfHwmonArePushedWhenTheyChange)
{
    machine.write_sys("class/hwmon/hwmon0/name", "coretemp");
    machine.write_sys("class/hwmon/hwmon0/temp1_input", "41000");
    guest("a", PowerRole::deny);
    const auto pushed = [&] { return !machine.kernel.changes.empty(); };
    EXPECT_TRUE(daemon->turn(5'000, pushed));
    EXPECT_EQ(told(), Texts{"push_reading a/scmi0 0 41000"});
    EXPECT_FALSE(daemon->turn(80, pushed));
    machine.write_sys("class/hwmon/hwmon0/temp1_input", "42000");
    EXPECT_TRUE(daemon->turn(5'000, pushed));
    EXPECT_EQ(told(), Texts{"push_reading a/scmi0 0 42000"});
}

TEST_F(PowerService, AnEmulationThatFailsIsTold)
{
    guest("a", PowerRole::emulate);
    machine.system.error = "There is no such unit.";
    ask("a", shutdown);
    EXPECT_EQ(calls(), Texts{"start again.service"});
    EXPECT_EQ(daemon->power->view("a").failures, 1U);
    EXPECT_FALSE(daemon->power->view("a").quiesced);
}

class PowerBus : public BusFixture {
protected:
    Answer power(const std::string &method, const auto &...arguments)
    {
        return call(*client, power_object, power_iface, method, arguments...);
    }
    std::string property(const std::string &name)
    {
        const Setting all = properties(power_object, power_iface);
        return to_json(std::get<SettingTable>(all.value).at(name));
    }
};

TEST_F(PowerBus, HoldsOverTheBus)
{
    {
        const Answer block = power("Block", std::string("updater"), std::string("writes flash"));
        ASSERT_EQ(block.error, "") << block.text;
        int fd = -1;
        bus::read_basic(*block.message, 'h', &fd);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(power("RequestTransition", std::string("off"), std::string("bed time")).error,
                  "");
        EXPECT_EQ(property("LimitingReason"), "\"block\"");
        EXPECT_EQ(property("RequestedState"), "\"off\"");
        EXPECT_EQ(property("EffectiveState"), "\"on\"");
        EXPECT_NE(property("Votes").find("writes flash"), std::string::npos);
    } // the message has the descriptor
    EXPECT_TRUE(wait_until([&] { return property("CurrentState") == "\"acting\""; }));
    service->run([&] { EXPECT_EQ(machine.system.calls.back(), "act off"); });
    EXPECT_EQ(power("RequestTransition", std::string("on"), std::string("")).error,
              "org.devhost1.Error.NotSupported");
}

TEST_F(PowerBus, WhatIsWrongIsRefused)
{
    const std::string text = "x";
    const char *invalid = "org.freedesktop.DBus.Error.InvalidArgs";
    EXPECT_EQ(power("RequestTransition", std::string("hibernate"), text).error, invalid);
    EXPECT_EQ(power("Vote", std::string("maybe"), text, text).error, invalid);
    EXPECT_EQ(power("Vote", std::string("off"), std::string(""), text).error, invalid);
    EXPECT_EQ(power("SetCeiling", std::string("sensor"), text, std::uint64_t{1}, text).error,
              invalid);
    EXPECT_EQ(power("ClearCeiling", std::string("clock"), text).error, invalid);
}

// Every property that changes says so, in the order of events.
TEST_F(PowerBus, SignalsTellTheStory)
{
    std::vector<std::string> states;
    struct Seen {
        std::vector<std::string> &states;
    } seen{states};
    sd_bus_match_signal(
        client.get(), nullptr, "org.devhost1", power_object.c_str(),
        "org.freedesktop.DBus.Properties", "PropertiesChanged",
        [](sd_bus_message *signal, void *userdata, sd_bus_error *) {
            BusType<std::string>::read(*signal);
            const Setting changed = BusType<Setting>::read(*signal);
            const auto &table = std::get<SettingTable>(changed.value);
            if (const auto state = table.find("CurrentState"); state != table.end()) {
                static_cast<Seen *>(userdata)->states.push_back(
                    std::get<std::string>(state->second.value));
            }
            return 0;
        },
        &seen);
    service->run([] {});
    EXPECT_EQ(manager("CreateGuest", std::string("ivi"), settings("")).error, "");
    EXPECT_EQ(call(*client, guest_object, guest_iface, "CreateDevice", std::string("scmi0"),
                   std::string("scmi"), settings(""))
                  .error,
              "");
    service->run([&] { machine.kernel.run_scmi("ivi", true); });
    const auto of_guest = [&](const char *name) {
        const Setting all = properties(guest_object, guest_power_iface);
        return to_json(std::get<SettingTable>(all.value).at(name));
    };
    EXPECT_TRUE(wait_until([&] { return of_guest("CurrentState") == "\"running\""; }));
    EXPECT_EQ(power("RequestTransition", std::string("off"), std::string("")).error, "");
    EXPECT_EQ(of_guest("CurrentState"), "\"told\"");
    service->run([&] { machine.kernel.run_scmi("ivi", false); });
    EXPECT_TRUE(wait_until([&] { return states.size() == 2; }));
    service->run([&] { machine.system.handlers.leaves(PowerState::off); });
    EXPECT_TRUE(wait_until([&] { return states.size() == 3; }));
    service->run([&] { machine.system.handlers.stays(); });
    EXPECT_TRUE(wait_until([&] { return states.size() == 4; }));
    EXPECT_EQ(states, (std::vector<std::string>{"preparing", "acting", "leaving", "on"}));
}

} // namespace
} // namespace devhost::test
