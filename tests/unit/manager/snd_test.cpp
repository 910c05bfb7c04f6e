// SPDX-License-Identifier: Apache-2.0
//
// Sound devices: their configuration, the files they are made of, cards that go and come back.
#include <gtest/gtest.h>

#include "config_toml.hpp"
#include "configuration.hpp"
#include "error.hpp"
#include "fakes.hpp"
#include "plan.hpp"

namespace devhost::test {
namespace {

const std::string head = "name = \"snd0\"\nclass = \"snd\"\n";
const std::string stream = "[[snd.stream]]\npcm = \"hw:PCH,0\"\ndirection = \"playback\"\n";

SndDeviceConfig snd_of(const std::string &toml)
{
    const Setting tree = parse_toml(head + toml, "");
    const DeviceConfig config = device_from(TableReader(tree, "", ""));
    EXPECT_EQ(config.device_class, "snd");
    return *config.snd();
}

void expect_refused(const std::string &toml, const std::string &words)
{
    try {
        snd_of(toml);
        ADD_FAILURE() << "accepted: " << toml;
    } catch (const ConfigError &error) {
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
}

TEST(SndConfig, EverythingThatCanBeSaid)
{
    const SndDeviceConfig snd = snd_of(R"(
[[snd.stream]]
pcm = "hw:Loopback,1,7"
direction = "capture"
node = 2
channels_max = 6
rate_max = 48000
period_min = 1000
buffer_max = 65536
[[snd.stream]]
pcm = "hw:0,3"
direction = "playback"
[[snd.jack]]
node = 1
default_config = 0x02214010
capabilities = "0x1c"
connected = false
[[snd.control]]
card = "PCH"
name = "Mic Boost Volume"
index = 1
role = "gain"
direction = "capture"
read_only = true
[[snd.control]]
card = "0"
name = "Master Playback Switch"
)");
    ASSERT_EQ(snd.streams.size(), 2U);
    EXPECT_EQ(snd.streams[0],
              (SndStreamConfig{.pcm = {.card = "Loopback", .device = 1, .subdevice = 7},
                               .direction = DEVHOST_SND_CAPTURE,
                               .node = 2,
                               .channels_max = 6,
                               .rate_max = 48000,
                               .period_min = 1000,
                               .buffer_max = 65536}));
    EXPECT_EQ(to_text(snd.streams[0].pcm), "hw:Loopback,1,7");
    EXPECT_EQ(to_text(snd.streams[1].pcm), "hw:0,3");
    EXPECT_EQ(snd.streams[1].channels_max, 255U);
    ASSERT_EQ(snd.jacks.size(), 1U);
    EXPECT_EQ(
        snd.jacks[0],
        (SndJackConfig{
            .node = 1, .default_config = 0x02214010, .capabilities = 0x1c, .connected = false}));
    ASSERT_EQ(snd.controls.size(), 2U);
    EXPECT_EQ(
        snd.controls[0],
        (SndControlConfig{
            .card = "PCH", .name = "Mic Boost Volume", .index = 1, .role = 7, .read_only = true}));
    EXPECT_EQ(snd.controls[1].role, 0U);
    EXPECT_FALSE(snd.controls[1].read_only);
}

TEST(SndConfig, WhatCannotBe)
{
    expect_refused("", "needs a table \"snd\" with at least a stream");
    expect_refused("[snd]\n", "needs a [[stream]]");
    expect_refused("[[snd.stream]]\ndirection = \"playback\"\n", "needs pcm");
    expect_refused("[[snd.stream]]\npcm = \"hw:0,0\"\n", "needs direction");
    for (const char *pcm : {"default", "hw:", "hw:0", "hw:,0", "hw:0,", "hw:0,x", "hw:0,0,",
                            "plughw:0,0", "hw:0,0,0,0", "hw:../x,0", "hw:0,-1", "hw:0,256",
                            "hw:0,99999999999", "hw:sixteen_chars_xx,0", " hw:0,0"}) {
        expect_refused("[[snd.stream]]\npcm = \"" + std::string(pcm) +
                           "\"\ndirection = \"playback\"\n",
                       "must be \"hw:CARD,DEVICE\"");
    }
    expect_refused("[[snd.stream]]\npcm = \"hw:0,0\"\ndirection = \"both\"\n",
                   "must be \"playback\" or \"capture\"");
    for (const char *line : {"channels_max = 0", "channels_max = 256", "rate_max = 0",
                             "rate_max = 384001", "period_min = -1", "buffer_max = 4095",
                             "buffer_max = 16777217", "node = 256", "rates = 1", "period = 1"}) {
        expect_refused(stream + line + "\n",
                       std::string(line).substr(0, std::string(line).find(' ')));
    }
    expect_refused(stream + "[[snd.jack]]\ndefault_config = 0x100000000\n", "default_config");
    expect_refused(stream + "[[snd.control]]\nname = \"x\"\n", "needs card");
    expect_refused(stream + "[[snd.control]]\ncard = \"../0\"\nname = \"x\"\n", "card must be");
    expect_refused(stream + "[[snd.control]]\ncard = \"0\"\n", "needs name");
    expect_refused(stream + "[[snd.control]]\ncard = \"0\"\nname = \"" + std::string(44, 'x') +
                       "\"\n",
                   "name");
    expect_refused(stream + "[[snd.control]]\ncard = \"0\"\nname = \"x\"\nrole = \"tone\"\n",
                   "role must be");
    std::string many;
    for (unsigned i = 0; i <= DEVHOST_SND_STREAMS_MAX; i++) {
        many += stream;
    }
    expect_refused(many, "33 entries; a device takes 32");
}

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

class SndHost : public testing::Test {
protected:
    SndHost()
    {
        machine.cards.plug("PCH");
        machine.cards.read_events();
        host.discover();
        host.create_guest(guest_config("ivi"));
    }

    // The card goes, and the kernel has let go of it.
    void lose()
    {
        machine.cards.unplug("PCH");
        machine.kernel.change_device("ivi", "snd0", [](DeviceInfo &info) {
            auto &snd = std::get<SndBackendInfo>(info.backend);
            snd.streams[0].pcm.reset();
            snd.controls[0].card.reset();
        });
        host.handle_kernel_events();
        machine.cards.opened.clear();
        machine.kernel.changes.clear();
    }
    [[nodiscard]] const SndBackendInfo &backend()
    {
        return std::get<SndBackendInfo>(host.device("ivi", "snd0").info.backend);
    }

    FakeMachine machine;
    Host host = machine.new_host();
    using Texts = std::vector<std::string>;
};

TEST_F(SndHost, OpensWhatTheDeviceStandsOn)
{
    DeviceConfig config = snd_device("snd0");
    auto &snd = std::get<SndDeviceConfig>(config.backend);
    snd.controls.push_back(snd.controls[0]); // of the same card: one file
    host.create_device("ivi", config);
    EXPECT_EQ(machine.cards.opened, (Texts{"hw:PCH,0", "PCH"}));
    EXPECT_EQ(backend().controls[1].numid, 7U);
    EXPECT_EQ(host.device("ivi", "snd0").cards.at(0), "PCH");
}

TEST_F(SndHost, WhatIsNotThereIsSaidAndNothingIsMade)
{
    expect_cause(Cause::invalid_args, [&] { host.create_device("ivi", snd_device("s", "USB")); });
    DeviceConfig config = snd_device("s");
    std::get<SndDeviceConfig>(config.backend).controls[0].name = "Bass";
    expect_cause(Cause::invalid_args, [&] { host.create_device("ivi", config); });
    machine.cards.busy = true;
    expect_cause(Cause::device_busy, [&] { host.create_device("ivi", snd_device("s")); });
    EXPECT_TRUE(machine.kernel.devices().empty());
}

TEST_F(SndHost, ACardThatComesBackIsGivenToTheDevice)
{
    host.create_device("ivi", snd_device("snd0"));
    lose();
    EXPECT_FALSE(backend().streams[0].pcm);
    machine.cards.plug("USB"); // another card
    host.handle_card_events();
    EXPECT_TRUE(machine.kernel.changes.empty());
    machine.cards.plug("PCH");
    host.handle_card_events();
    EXPECT_EQ(machine.kernel.changes, Texts{"set_sound ivi/snd0"});
    EXPECT_TRUE(backend().streams[0].pcm);
    EXPECT_TRUE(backend().controls[0].card);
    // And not twice.
    machine.cards.plug("HDMI");
    host.handle_card_events();
    EXPECT_EQ(machine.kernel.changes, Texts{"set_sound ivi/snd0"});
}

TEST_F(SndHost, WhatSomebodyElseTookKeepsNothingElseAway)
{
    host.create_device("ivi", snd_device("snd0"));
    lose();
    machine.cards.plug("PCH");
    machine.cards.busy = true; // the PCM
    host.handle_card_events();
    EXPECT_FALSE(backend().streams[0].pcm);
    EXPECT_TRUE(backend().controls[0].card);
    machine.cards.busy = false;
    machine.cards.plug("PCH");
    host.handle_card_events();
    EXPECT_TRUE(backend().streams[0].pcm);
}

TEST_F(SndHost, ACardThatCameBackWhileNobodyWatchedIsTakenAtStart)
{
    const std::string file = "[[device]]\n" + head +
                             "[[device.snd.stream]]\npcm = \"hw:PCH,0\"\n"
                             "direction = \"playback\"\n"
                             "[[device.snd.control]]\ncard = \"PCH\"\n"
                             "name = \"Master Playback Volume\"\nrole = \"volume\"\n";
    host.remove_guest("ivi", false);
    machine.write_config("ivi", file);
    Configuration(host, machine.config_directory()).start();
    lose();
    machine.cards.plug("PCH");
    Host later = machine.new_host();
    later.discover();
    EXPECT_TRUE(machine.kernel.changes.empty());
    Configuration configuration(later, machine.config_directory());
    configuration.start();
    EXPECT_TRUE(configuration.problems().empty());
    EXPECT_EQ(machine.kernel.changes, Texts{"set_sound ivi/snd0"});
    // Nothing of it differs from the file.
    configuration.reload();
    EXPECT_EQ(machine.kernel.changes, Texts{"set_sound ivi/snd0"});
}

TEST_F(SndHost, WhatDiffersIsMadeAnew)
{
    host.create_device("ivi", snd_device("snd0"));
    GuestConfig wanted = guest_config("ivi");
    wanted.devices = {snd_device("snd0")};
    auto &snd = std::get<SndDeviceConfig>(wanted.devices[0].backend);
    const SndDeviceConfig same = snd;
    const std::vector<Step> replace{step::ReplaceDevice{"snd0"}};
    const auto steps = [&] { return plan(wanted, &host.guest("ivi")); };
    EXPECT_TRUE(steps().empty());
    const auto differs = [&](auto change) {
        snd = same;
        change();
        EXPECT_EQ(steps(), replace);
    };
    differs([&] { snd.streams[0].pcm.card = "USB"; });
    differs([&] { snd.streams[0].pcm.device = 1; });
    differs([&] { snd.streams[0].pcm.subdevice = 1; });
    differs([&] { snd.streams[0].direction = DEVHOST_SND_CAPTURE; });
    differs([&] { snd.streams[0].rate_max = 48000; });
    differs([&] { snd.streams.push_back(snd.streams[0]); });
    differs([&] { snd.jacks.emplace_back(); });
    differs([&] { snd.controls[0].read_only = true; });
    differs([&] { snd.controls[0].name = "PCM Playback Volume"; });
    differs([&] { snd.controls.clear(); });
    // What the kernel knows is enough for most of it.
    Host later = machine.new_host();
    later.discover();
    snd = same;
    EXPECT_TRUE(plan(wanted, &later.guest("ivi")).empty());
    snd.streams[0].pcm.card = "USB";
    EXPECT_EQ(plan(wanted, &later.guest("ivi")), replace);
}

} // namespace
} // namespace devhost::test
