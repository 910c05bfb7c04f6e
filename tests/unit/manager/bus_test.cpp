// SPDX-License-Identifier: Apache-2.0
//
// The API as a client sees it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/devhost.h>
#include <set>
#include <unistd.h>

#include "bus_fixture.hpp"

namespace devhost::test {
namespace {

constexpr const char *invalid_args = "org.freedesktop.DBus.Error.InvalidArgs";
constexpr const char *access_denied = "org.freedesktop.DBus.Error.AccessDenied";

const Setting &at(const Setting &table, const std::string &key)
{
    return std::get<SettingTable>(table.value).at(key);
}

std::string text(const Setting &table, const std::string &key)
{
    return std::get<std::string>(at(table, key).value);
}

class BusTest : public BusFixture {
protected:
    using Names = std::vector<std::string>;

    // Every method with arguments that would work.
    std::vector<Answer> call_everything(sd_bus &from)
    {
        const std::string root = "/org/devhost1";
        const std::string manager_iface = "org.devhost1.Manager";
        const std::uint64_t flags = 0;
        std::vector<Answer> answers;
        const auto add = [&](Answer answer) { answers.push_back(std::move(answer)); };
        add(call(from, root, manager_iface, "CreateGuest", std::string("new"), settings("")));
        add(call(from, root, manager_iface, "Reload"));
        add(call(from, guest_object, guest_iface, "CreateDevice", std::string("can1"),
                 std::string("can"), settings("interface = \"can0\"")));
        add(call(from, guest_object, guest_iface, "RemoveDevice", std::string("can0"), flags));
        add(call(from, guest_object, policy_iface, "SetPolicy", settings("")));
        add(call(from, guest_object, policy_iface, "ClearPolicy"));
        add(call(from, device_object, device_iface, "Open"));
        add(call(from, device_object, device_iface, "Configure", settings("bitrate = 500000")));
        add(call(from, device_object, device_iface, "SetVolume", std::uint32_t{0},
                 std::int32_t{0}));
        add(call(from, device_object, device_iface, "SetMute", std::uint32_t{0}, true));
        add(call(from, device_object, device_iface, "RestartBus"));
        const std::string text = "x";
        add(call(from, power_object, power_iface, "Vote", std::string("on"), text, text));
        add(call(from, power_object, power_iface, "Delay", text, text));
        add(call(from, power_object, power_iface, "Block", text, text));
        add(call(from, power_object, power_iface, "SetCeiling", std::string("clock"), text,
                 std::uint64_t{1}, text));
        add(call(from, power_object, power_iface, "ClearCeiling", std::string("clock"), text));
        add(call(from, power_object, power_iface, "Reset"));
        add(call(from, guest_object, guest_power_iface, "Reset"));
        add(call(from, power_object, power_iface, "RequestTransition", std::string("off"), text));
        add(call(from, power_object, power_iface, "EmergencyOff"));
        add(call(from, root, manager_iface, "RemoveGuest", std::string("ivi"), flags));
        return answers;
    }
};

TEST_F(BusTest, GuestAndDeviceFromCreationToRemoval)
{
    make_guest();
    EXPECT_EQ(manager("CreateGuest", std::string("ivi"), settings("")).error,
              "org.devhost1.Error.GuestExists");
    const Setting guest = properties(guest_object, guest_iface);
    EXPECT_EQ(text(guest, "Name"), "ivi");
    const Setting device = properties(device_object, device_iface);
    EXPECT_EQ(text(device, "Guest"), "ivi");
    EXPECT_EQ(text(device, "Class"), "can");
    EXPECT_EQ(text(device, "State"), "idle");
    EXPECT_EQ(text(at(device, "Backend"), "interface"), "can0");
    EXPECT_TRUE(text(device, "Node").ends_with("/dev/vhost-vdpa-0"));
    EXPECT_EQ(manager("RemoveGuest", std::string("ivi"), std::uint64_t{0}).error, "");
    EXPECT_EQ(manager("GetGuest", std::string("ivi")).error, "org.devhost1.Error.NoSuchGuest");
    EXPECT_EQ(call(*client, device_object, device_iface, "GetStatistics").error,
              "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_F(BusTest, SoundDeviceOverTheBus)
{
    make_guest();
    machine.cards.plug("PCH");
    const std::string object = guest_object + "/snd0";
    const auto create = [&](const std::string &options) {
        return call(*client, guest_object, guest_iface, "CreateDevice", std::string("snd0"),
                    std::string("snd"), settings(options));
    };
    EXPECT_EQ(create("").error, "org.freedesktop.DBus.Error.InvalidArgs");
    EXPECT_EQ(create("[[stream]]\npcm = \"hw:USB,0\"\ndirection = \"playback\"\n").error,
              "org.freedesktop.DBus.Error.InvalidArgs");
    const Answer answer =
        create("policy_required = false\n"
               "[[stream]]\npcm = \"hw:PCH,0\"\ndirection = \"capture\"\nrate_max = 48000\n"
               "[[jack]]\nconnected = false\n"
               "[[control]]\ncard = \"PCH\"\nname = \"Master Playback Volume\"\n");
    ASSERT_EQ(answer.error, "") << answer.text;
    const Setting device = properties(object, device_iface);
    EXPECT_EQ(text(device, "Class"), "snd");
    const Setting backend = at(device, "Backend");
    const Setting stream = std::get<SettingList>(at(backend, "stream").value).at(0);
    EXPECT_EQ(text(stream, "pcm"), "hw:PCH,0,0");
    EXPECT_EQ(text(stream, "direction"), "capture");
    EXPECT_EQ(text(stream, "state"), "idle");
    EXPECT_EQ(at(stream, "rate_max"), Setting{.value = std::int64_t{48000}});
    const Setting jack = std::get<SettingList>(at(backend, "jack").value).at(0);
    EXPECT_EQ(at(jack, "connected"), Setting{.value = false});
    const Setting control = std::get<SettingList>(at(backend, "control").value).at(0);
    EXPECT_EQ(text(control, "card"), "PCH");
    const auto configure = [&](const std::string &what) {
        return call(*client, object, device_iface, "Configure", settings(what)).error;
    };
    for (const char *wrong :
         {"bitrate = 1", "connected = true", "connected = [1]", "connected = []",
          "connected = [true, false]", "connected = [true]\nnode = 1"}) {
        EXPECT_EQ(configure(wrong), "org.freedesktop.DBus.Error.InvalidArgs") << wrong;
    }
    EXPECT_EQ(configure("connected = [true]"), "");
    const Setting jacks = at(at(properties(object, device_iface), "Backend"), "jack");
    EXPECT_EQ(at(std::get<SettingList>(jacks.value).at(0), "connected"), Setting{.value = true});
    EXPECT_EQ(call(*client, object, device_iface, "RestartBus").error,
              "org.devhost1.Error.NotSupported");

    // On a mixer, it has a volume.
    const auto stream_now = [&] {
        const Setting now = at(properties(object, device_iface), "Backend");
        return std::get<SettingList>(at(now, "stream").value).at(0);
    };
    const auto set = [&](const char *method, auto value) {
        return call(*client, object, device_iface, method, std::uint32_t{0}, value).error;
    };
    EXPECT_FALSE(std::get<SettingTable>(stream_now().value).contains("volume"));
    EXPECT_EQ(set("SetVolume", std::int32_t{-6}), "org.devhost1.Error.NotSupported");
    service->run([&] { machine.cards.turn(0, {.volume = -3}); });
    EXPECT_EQ(set("SetVolume", std::int32_t{-6}), "");
    EXPECT_EQ(set("SetMute", true), "");
    EXPECT_EQ(at(stream_now(), "volume"), Setting{.value = std::int64_t{-6}});
    EXPECT_EQ(at(stream_now(), "mute"), Setting{.value = true});
    EXPECT_EQ(set("SetVolume", std::int32_t{1}), "org.freedesktop.DBus.Error.InvalidArgs");
}

TEST_F(BusTest, ListsAreFlat)
{
    make_guest();
    const Answer guests = manager("ListGuests");
    bus::enter(*guests.message, 'a', "(so)");
    EXPECT_EQ((BusType<std::tuple<std::string, ObjectPath>>::read(*guests.message)),
              std::tuple(std::string("ivi"), ObjectPath{guest_object}));
    const Answer devices = manager("ListDevices");
    bus::enter(*devices.message, 'a', "(sso)");
    EXPECT_EQ((BusType<std::tuple<std::string, std::string, ObjectPath>>::read(*devices.message)),
              std::tuple(std::string("ivi"), std::string("can0"), ObjectPath{device_object}));
    const Answer device = manager("GetDevice", std::string("ivi"), std::string("can0"));
    EXPECT_EQ(BusType<ObjectPath>::read(*device.message).path, device_object);
}

TEST_F(BusTest, NamesAreEscapedInPaths)
{
    const Answer answer = manager("CreateGuest", std::string("a-b_c"), settings(""));
    ASSERT_EQ(answer.error, "") << answer.text;
    const std::string path = BusType<ObjectPath>::read(*answer.message).path;
    EXPECT_EQ(path, "/org/devhost1/guest/a_2db_5fc");
    EXPECT_EQ(text(properties(path, guest_iface), "Name"), "a-b_c");
}

TEST_F(BusTest, ObjectManagerHasEverything)
{
    make_guest();
    const Answer answer =
        call(*client, "/org/devhost1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    const Setting objects = BusType<Setting>::read(*answer.message);
    const auto &table = std::get<SettingTable>(objects.value);
    ASSERT_TRUE(table.contains(guest_object));
    ASSERT_TRUE(table.contains(device_object));
    const auto interfaces = [&](const std::string &path) {
        std::set<std::string> names;
        for (const auto &[name, unused] : std::get<SettingTable>(table.at(path).value)) {
            if (name.starts_with("org.devhost1")) {
                names.insert(name);
            }
        }
        return names;
    };
    EXPECT_EQ(interfaces(guest_object),
              (std::set<std::string>{guest_iface, policy_iface, guest_power_iface}));
    EXPECT_EQ(interfaces(power_object), std::set<std::string>{power_iface});
    EXPECT_EQ(interfaces(device_object), std::set<std::string>{device_iface});
}

TEST_F(BusTest, ChangesAreSignalled)
{
    Names seen;
    const auto note = [](sd_bus_message *signal, void *to, sd_bus_error *) {
        std::string line = sd_bus_message_get_member(signal);
        if (line == "PropertiesChanged") {
            line += " " + BusType<std::string>::read(*signal);
            const Setting changed = BusType<Setting>::read(*signal);
            for (const auto &[name, unused] : std::get<SettingTable>(changed.value)) {
                line += " " + name;
            }
        } else {
            line += " " + BusType<ObjectPath>::read(*signal).path;
        }
        static_cast<Names *>(to)->push_back(line);
        return 0;
    };
    bus_require(sd_bus_add_match(client.get(), nullptr,
                                 "type='signal',sender='org.devhost1',"
                                 "path_namespace='/org/devhost1'",
                                 note, &seen),
                "match");
    make_guest();
    service->run([&] {
        machine.kernel.change_device("ivi", "can0", [](DeviceInfo &info) {
            info.state = DEVHOST_DEV_RUNNING;
            info.worker = 4711;
        });
    });
    EXPECT_TRUE(wait_until([&] { return seen.size() >= 4; }));
    manager("RemoveGuest", std::string("ivi"), std::uint64_t{0});
    EXPECT_TRUE(wait_until([&] { return seen.size() >= 7; }));
    EXPECT_EQ(seen, (Names{"InterfacesAdded " + guest_object, "InterfacesAdded " + device_object,
                           "PropertiesChanged org.devhost1.Guest Devices",
                           "PropertiesChanged org.devhost1.Device State WorkerThread",
                           "InterfacesRemoved " + device_object,
                           "PropertiesChanged org.devhost1.Guest Devices",
                           "InterfacesRemoved " + guest_object}));
}

TEST_F(BusTest, DenialIsSignalled)
{
    std::string seen;
    const auto note = [](sd_bus_message *signal, void *to, sd_bus_error *) {
        auto &text = *static_cast<std::string *>(to);
        text = std::string(sd_bus_message_get_path(signal)) + " " +
               BusType<std::string>::read(*signal);
        text += " " + to_json(BusType<Setting>::read(*signal));
        text += " " + std::to_string(BusType<std::uint64_t>::read(*signal));
        return 0;
    };
    make_guest();
    bus_require(sd_bus_add_match(client.get(), nullptr,
                                 "type='signal',sender='org.devhost1',member='PolicyDenied'", note,
                                 &seen),
                "match");
    service->run([&] {
        machine.kernel.deny({.guest = "ivi",
                             .device = "can0",
                             .verdict = DEVHOST_VERDICT_AUDIT,
                             .suppressed = 3,
                             .item = settings("id = 2024\n")});
    });
    EXPECT_TRUE(wait_until([&] { return !seen.empty(); }));
    EXPECT_EQ(seen, device_object + " audit {\"id\":2024} 3");
}

TEST_F(BusTest, PolicyIsSetReadAndTakenAway)
{
    make_guest();
    EXPECT_EQ(call(*client, guest_object, policy_iface, "GetCounters").error,
              "org.devhost1.Error.NoPolicy");
    const Setting policy = settings("[can.transmit]\ndefault = \"deny\"\n"
                                    "[[can.transmit.rule]]\nname = \"speed\"\n"
                                    "verdict = \"allow\"\nid = 0x123\n");
    const Answer set = call(*client, guest_object, policy_iface, "SetPolicy", policy);
    EXPECT_EQ(set.error, "") << set.text;
    const Setting after = properties(guest_object, policy_iface);
    EXPECT_EQ(at(after, "Active"), Setting{.value = true});
    // What is read can be set again, and is then the same.
    EXPECT_EQ(call(*client, guest_object, policy_iface, "SetPolicy", at(after, "Policy")).error,
              "");
    EXPECT_EQ(at(properties(guest_object, policy_iface), "Policy"), at(after, "Policy"));

    const Answer counters = call(*client, guest_object, policy_iface, "GetCounters");
    bus::enter(*counters.message, 'a', "(ssstt)");
    using Row = std::tuple<std::string, std::string, std::string, std::uint64_t, std::uint64_t>;
    EXPECT_EQ(BusType<Row>::read(*counters.message), Row("can.transmit", "0", "speed", 10, 0));
    EXPECT_EQ(call(*client, guest_object, policy_iface, "ClearPolicy").error, "");
    EXPECT_EQ(at(properties(guest_object, policy_iface), "Active"), Setting{.value = false});
}

TEST_F(BusTest, PolicyOfSoundScmiAndVideoCountsByItsLists)
{
    make_guest();
    machine.cards.plug("PCH");
    EXPECT_EQ(call(*client, guest_object, guest_iface, "CreateDevice", std::string("snd0"),
                   std::string("snd"),
                   settings("[[stream]]\npcm = \"hw:PCH,0\"\ndirection = \"playback\"\n"
                            "[[control]]\ncard = \"PCH\"\nname = \"Master Playback Volume\"\n"))
                  .error,
              "");
    const Setting policy = settings("[snd.capture]\n[[snd.control.rule]]\nname = \"loud\"\n"
                                    "verdict = \"allow\"\ncontrol = \"Master Playback Volume\"\n"
                                    "[scmi]\ndefault = \"allow\"\n"
                                    "[[video.encode.rule]]\nname = \"camera\"\n"
                                    "verdict = \"allow\"\nformat = \"H264\"\n");
    const Answer set = call(*client, guest_object, policy_iface, "SetPolicy", policy);
    EXPECT_EQ(set.error, "") << set.text;
    const Setting after = at(properties(guest_object, policy_iface), "Policy");
    const auto &rules = std::get<SettingList>(at(at(at(after, "snd"), "control"), "rule").value);
    EXPECT_EQ(at(rules.at(0), "control"), Setting{.value = std::int64_t{0}}) << "by its number";
    EXPECT_EQ(call(*client, guest_object, policy_iface, "SetPolicy", after).error, "");

    const Answer counters = call(*client, guest_object, policy_iface, "GetCounters");
    bus::enter(*counters.message, 'a', "(ssstt)");
    using Row = std::tuple<std::string, std::string, std::string, std::uint64_t, std::uint64_t>;
    std::vector<Row> rows;
    while (sd_bus_message_at_end(counters.message.get(), 0) == 0) {
        rows.push_back(BusType<Row>::read(*counters.message));
    }
    const std::vector<Row> expected{{"snd.playback", "otherwise", "", 0, 0},
                                    {"snd.playback", "streams", "", 0, 0},
                                    {"snd.playback", "channels", "", 0, 0},
                                    {"snd.playback", "rate", "", 0, 0},
                                    {"snd.playback", "period", "", 0, 0},
                                    {"snd.playback", "unknown-device", "", 0, 0},
                                    {"snd.capture", "otherwise", "", 0, 5},
                                    {"snd.capture", "streams", "", 0, 0},
                                    {"snd.capture", "channels", "", 0, 0},
                                    {"snd.capture", "rate", "", 0, 0},
                                    {"snd.capture", "period", "", 0, 0},
                                    {"snd.capture", "unknown-device", "", 0, 0},
                                    {"snd.control", "0", "loud", 6, 1},
                                    {"snd.control", "otherwise", "", 0, 0},
                                    {"snd.control", "volume", "", 0, 1},
                                    {"snd.control", "unknown-device", "", 0, 0},
                                    {"scmi", "otherwise", "", 0, 0},
                                    {"scmi", "value", "", 0, 7},
                                    {"scmi", "guest-limit", "", 0, 0},
                                    {"scmi", "unknown-device", "", 0, 0},
                                    {"video.decode", "otherwise", "", 0, 0},
                                    {"video.decode", "streams", "", 0, 0},
                                    {"video.decode", "size", "", 0, 3},
                                    {"video.decode", "rate", "", 0, 0},
                                    {"video.decode", "bitrate", "", 0, 0},
                                    {"video.decode", "unknown-device", "", 0, 0},
                                    {"video.encode", "0", "camera", 9, 2},
                                    {"video.encode", "otherwise", "", 0, 0},
                                    {"video.encode", "streams", "", 0, 0},
                                    {"video.encode", "size", "", 0, 0},
                                    {"video.encode", "rate", "", 0, 0},
                                    {"video.encode", "bitrate", "", 0, 2},
                                    {"video.encode", "unknown-device", "", 0, 0}};
    EXPECT_EQ(rows, expected);
}

TEST_F(BusTest, ModeOfAPolicyIsReadBack)
{
    make_guest();
    const auto set = [&](const char *text) {
        const Answer answer =
            call(*client, guest_object, policy_iface, "SetPolicy", settings(text));
        EXPECT_EQ(answer.error, "") << answer.text;
        return at(properties(guest_object, policy_iface), "Policy");
    };

    const Setting audit = set("mode = \"audit\"\n[can.transmit]\ndefault = \"allow\"\n");
    EXPECT_EQ(at(audit, "mode"), Setting{.value = std::string("audit")});
    // What it left out is there, or the kernel would refuse it.
    EXPECT_EQ(at(at(audit, "scmi"), "default"), Setting{.value = std::string("deny")});
    EXPECT_EQ(machine.policies.pins.at("ivi").policy.mode, PolicyMode::audit);
    EXPECT_EQ(call(*client, guest_object, policy_iface, "SetPolicy", audit).error, "");
    EXPECT_EQ(at(properties(guest_object, policy_iface), "Policy"), audit);

    const Setting enforce = set("[can.transmit]\ndefault = \"allow\"\n");
    EXPECT_EQ(at(enforce, "mode"), Setting{.value = std::string("enforce")});
    EXPECT_FALSE(std::get<SettingTable>(enforce.value).contains("scmi"));
    EXPECT_EQ(machine.policies.pins.at("ivi").policy.mode, PolicyMode::enforce);
}

// Of the properties of Policy.
std::string text_of_program(const Setting &properties)
{
    return std::get<std::string>(at(at(properties, "Policy"), "program").value);
}

TEST_F(BusTest, ProgramOfOnesOwnIsAPolicy)
{
    make_guest();
    const Setting own = settings("program = \"/etc/devhost/p.bpf.o\"\n");
    const Answer set = call(*client, guest_object, policy_iface, "SetPolicy", own);
    EXPECT_EQ(set.error, "") << set.text;
    const Setting after = properties(guest_object, policy_iface);
    EXPECT_EQ(at(after, "Active"), Setting{.value = true});
    EXPECT_EQ(text_of_program(after), "/etc/devhost/p.bpf.o");
    const Answer counters = call(*client, guest_object, policy_iface, "GetCounters");
    EXPECT_EQ(counters.error, "") << counters.text;
    // Why another one is refused is for the caller, all the verifier said for the journal.
    machine.policies.refuse = true;
    const Answer refused = call(*client, guest_object, policy_iface, "SetPolicy",
                                settings("program = \"/etc/devhost/q.bpf.o\"\n"));
    EXPECT_EQ(refused.error, "org.devhost1.Error.ProgramRefused");
    EXPECT_EQ(refused.text, "It is refused. Last words:\nR1");
    EXPECT_EQ(text_of_program(properties(guest_object, policy_iface)), "/etc/devhost/p.bpf.o");
}

TEST_F(BusTest, BadPolicyIsInvalidArgs)
{
    make_guest();
    for (const char *bad :
         {"unknown = 1", "mode = \"warn\"", "mode = 1", "can = 1", "snd = 1", "scmi = 1",
          "video = 1", "[[video.decode.rule]]\nverdict = \"allow\"\nformat = \"DIVX\"",
          "[[snd.control.rule]]\nverdict = \"allow\"\ncontrol = \"None\"", "[scmi]\nmessage = 1",
          "[can.transmit]\ndefault = \"maybe\"", "[[can.transmit.rule]]\nid = -1"}) {
        const Answer answer = call(*client, guest_object, policy_iface, "SetPolicy", settings(bad));
        EXPECT_EQ(answer.error, invalid_args) << bad;
    }
    EXPECT_TRUE(machine.policies.pins.empty());
}

// B1
TEST_F(BusTest, HostileNamesAreInvalidArgs)
{
    make_guest();
    for (const std::string &name :
         {std::string(), std::string("/"), std::string("../../etc"), std::string("a/b"),
          std::string("."), std::string(32, 'a'), std::string(65536, 'a'), std::string("a b"),
          std::string("\xc3\xa9")}) {
        EXPECT_EQ(manager("CreateGuest", name, settings("")).error, invalid_args);
        EXPECT_EQ(manager("RemoveGuest", name, std::uint64_t{0}).error, invalid_args);
        EXPECT_EQ(manager("GetGuest", name).error, invalid_args);
        EXPECT_EQ(manager("GetDevice", std::string("ivi"), name).error, invalid_args);
        EXPECT_EQ(call(*client, guest_object, guest_iface, "CreateDevice", name, std::string("can"),
                       settings("interface = \"can0\""))
                      .error,
                  invalid_args);
        EXPECT_EQ(call(*client, guest_object, guest_iface, "CreateDevice", std::string("can1"),
                       name, settings("interface = \"can0\""))
                      .error,
                  invalid_args);
        EXPECT_EQ(
            call(*client, guest_object, guest_iface, "RemoveDevice", name, std::uint64_t{0}).error,
            invalid_args);
    }
    EXPECT_EQ(machine.kernel.changes, (Names{"create_guest ivi", "create_device ivi/can0"}));
}

TEST_F(BusTest, HostileOptionsAreInvalidArgs)
{
    make_guest();
    for (const char *bad :
         {"interface = \"a/b\"", "interface = \"\"", "interface = 1", "nonsense = true",
          "interface = \"can0\"\nbitrate = -1", "interface = \"can0\"\nvq_size_max = 3",
          "interface = \"can0\"\nname = \"other\"", ""}) {
        EXPECT_EQ(call(*client, guest_object, guest_iface, "CreateDevice", std::string("can1"),
                       std::string("can"), settings(bad))
                      .error,
                  invalid_args)
            << bad;
    }
    for (const char *bad :
         {"user = 1", "user = \"no-such-user-here\"",
          "[[device]]\nname = \"a\"\nclass = \"can\"\ncan = { interface = \"can0\" }",
          "policy = {}", "worker = { cpus = [-1] }", "limits = { devices = 0 }",
          "limits = { ring_size = 3 }", "limits = { nonsense = 1 }"}) {
        EXPECT_EQ(manager("CreateGuest", std::string("new"), settings(bad)).error, invalid_args)
            << bad;
    }
    EXPECT_EQ(
        call(*client, guest_object, guest_iface, "SetLimits", settings("in_flight = -1")).error,
        invalid_args);
    EXPECT_EQ(manager("RemoveGuest", std::string("ivi"), std::uint64_t{2}).error, invalid_args);
    EXPECT_EQ(
        call(*client, device_object, device_iface, "Configure", settings("interface = \"can1\""))
            .error,
        invalid_args);
}

// B3
TEST_F(BusTest, UnprivilegedCallerMayOnlyRead)
{
    if (getuid() != 0) {
        GTEST_SKIP() << "needs root to be somebody else";
    }
    make_guest();
    const auto changes = machine.kernel.changes;
    const Bus other = bus.connect(unprivileged_uid);
    for (const Answer &answer : call_everything(*other)) {
        EXPECT_EQ(answer.error, access_denied) << answer.text;
    }
    EXPECT_EQ(machine.kernel.changes, changes);
    EXPECT_TRUE(machine.policies.pins.empty());
    for (const auto &[path, interface] :
         {std::pair(guest_object, guest_iface), std::pair(device_object, device_iface)}) {
        EXPECT_EQ(call(*other, path, interface, "GetStatistics").error, "");
        EXPECT_EQ(call(*other, path, "org.freedesktop.DBus.Properties", "GetAll", interface).error,
                  "");
    }
    // No property can be written, by nobody.
    sd_bus_error error = SD_BUS_ERROR_NULL;
    EXPECT_LT(sd_bus_set_property(client.get(), "org.devhost1", guest_object.c_str(),
                                  guest_iface.c_str(), "User", &error, "s", "root"),
              0);
    EXPECT_STREQ(error.name, "org.freedesktop.DBus.Error.PropertyReadOnly");
    sd_bus_error_free(&error);
}

TEST_F(BusTest, OwnerOfTheNodeMayOpenIt)
{
    if (getuid() != 0) {
        GTEST_SKIP() << "needs root to be somebody else";
    }
    EXPECT_EQ(manager("CreateGuest", std::string("ivi"), settings("user = \"65534\"")).error, "");
    EXPECT_EQ(call(*client, guest_object, guest_iface, "CreateDevice", std::string("can0"),
                   std::string("can"), settings("interface = \"can0\""))
                  .error,
              "");
    const Bus owner = bus.connect(unprivileged_uid);
    const Answer answer = call(*owner, device_object, device_iface, "Open");
    ASSERT_EQ(answer.error, "") << answer.text;
    int fd = -1;
    bus::read_basic(*answer.message, 'h', &fd);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    EXPECT_EQ(call(*owner, guest_object, guest_iface, "RemoveDevice", std::string("can0"),
                   std::uint64_t{0})
                  .error,
              access_denied);
}

// B2: a caller that is gone before its answer harms nobody.
TEST_F(BusTest, CallerMayDisappear)
{
    make_guest();
    for (int i = 0; i < 50; i++) {
        const Bus brief = bus.connect();
        sd_bus_message *raw = nullptr;
        bus_require(sd_bus_message_new_method_call(brief.get(), &raw, "org.devhost1",
                                                   guest_object.c_str(), guest_iface.c_str(),
                                                   "GetStatistics"),
                    "new call");
        const BusMessage request(raw);
        bus_require(sd_bus_send(brief.get(), raw, nullptr), "send");
    }
    EXPECT_EQ(manager("ListGuests").error, "");
}

// B5, seen from the bus.
TEST_F(BusTest, StateIsEqualAfterARestart)
{
    make_guest();
    call(*client, guest_object, policy_iface, "SetPolicy",
         settings("[can.transmit]\ndefault = \"deny\"\n"));
    const auto everything = [&] {
        const Answer answer = call(*client, "/org/devhost1", "org.freedesktop.DBus.ObjectManager",
                                   "GetManagedObjects");
        return BusType<Setting>::read(*answer.message);
    };
    const Setting before = everything();
    service.reset();
    service = std::make_unique<ServiceThread>(bus, machine);
    EXPECT_EQ(to_json(everything()), to_json(before));
}

TEST_F(BusTest, ReloadTellsWhatIsWrong)
{
    machine.write_config("good", "unit = \"a.service\"\n");
    machine.write_config("bad", "unit = \"a.service\"\nnonsense = 1\n");
    const Answer answer = manager("Reload");
    EXPECT_EQ(answer.error, "org.devhost1.Error.ConfigInvalid");
    EXPECT_NE(answer.text.find("bad.toml:2: "), std::string::npos) << answer.text;
    EXPECT_EQ(manager("GetGuest", std::string("good")).error, "");
    const Setting problems =
        at(properties("/org/devhost1", "org.devhost1.Manager"), "ConfigProblems");
    EXPECT_EQ(std::get<SettingList>(problems.value).size(), 1U);
    machine.write_config("bad", "unit = \"a.service\"\n");
    EXPECT_EQ(manager("Reload").error, "");
}

TEST_F(BusTest, BusyDeviceSaysSo)
{
    make_guest();
    service->run([&] { machine.kernel.set_busy("ivi", "can0", true); });
    EXPECT_EQ(call(*client, guest_object, guest_iface, "RemoveDevice", std::string("can0"),
                   std::uint64_t{1})
                  .error,
              "org.devhost1.Error.DeviceBusy");
    EXPECT_EQ(manager("RemoveGuest", std::string("ivi"), std::uint64_t{0}).error,
              "org.devhost1.Error.GuestBusy");
}

TEST_F(BusTest, StatisticsAreFlat)
{
    make_guest();
    const Answer answer = call(*client, device_object, device_iface, "GetStatistics");
    const Setting statistics = BusType<Setting>::read(*answer.message);
    EXPECT_EQ(at(statistics, "queue.txq.kicks"), Setting{.value = std::int64_t{7}});
    EXPECT_EQ(at(statistics, "counter.rx_dropped"), Setting{.value = std::int64_t{3}});
    EXPECT_EQ(at(statistics, "verdict.deny"), Setting{.value = std::int64_t{2}});
}

TEST_F(BusTest, LatenciesAreFlat)
{
    make_guest();
    const Answer answer = call(*client, device_object, device_iface, "GetLatencies");
    const Setting latencies = BusType<Setting>::read(*answer.message);
    EXPECT_EQ(at(latencies, "queue.txq.wait.4096"), Setting{.value = std::int64_t{3}});
    EXPECT_EQ(at(latencies, "queue.txq.service.20480"), Setting{.value = std::int64_t{5}});
    EXPECT_EQ(std::get<SettingTable>(latencies.value).size(), 2U);
}

} // namespace
} // namespace devhost::test
