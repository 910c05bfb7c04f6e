// SPDX-License-Identifier: Apache-2.0
//
// Mixers: their files, when they are made and unmade, and what streams on them are heard with.
#include <gtest/gtest.h>
#include <linux/devhost_mix.h>
#include <netlink/genl/genl.h>
#include <sound/asound.h>

#include "configuration.hpp"
#include "error.hpp"
#include "fakes.hpp"
#include "genl_mixers.hpp"

namespace devhost::test {
namespace {

const std::string small = "playback = \"hw:PCH,0\"\n[[port]]\nname = \"Music\"\n";

void expect_refused(const std::string &toml, const std::string &words,
                    const std::string &name = "speaker")
{
    try {
        parse_mixer(toml, name, name + ".toml");
        ADD_FAILURE() << "accepted: " << toml;
    } catch (const ConfigError &error) {
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
}

TEST(MixerConfig, EverythingThatCanBeSaid)
{
    const MixerConfig mixer = parse_mixer(R"(
playback = "hw:PCH,0"
capture = "hw:USB,1,2"
rate = 44100
channels = 6
format = "S24_3"
period = 10000
periods = 4
duck = -20
duck_time = 250
[[port]]
name = "Music"
volume = -6
[[port]]
name = "Chime"
priority = 10
mute = true
capture_volume = -64
capture_mute = true
)",
                                          "speaker", "/etc/devhost/mixers.d/speaker.toml");
    EXPECT_EQ(mixer.name, "speaker");
    EXPECT_EQ(to_text(*mixer.playback), "hw:PCH,0");
    EXPECT_EQ(to_text(*mixer.capture), "hw:USB,1,2");
    EXPECT_EQ(mixer.rate, 44100U);
    EXPECT_EQ(mixer.channels, 6U);
    EXPECT_EQ(mixer.format, static_cast<std::uint32_t>(SNDRV_PCM_FORMAT_S24_3LE));
    EXPECT_EQ(mixer.period, 10000U);
    EXPECT_EQ(mixer.periods, 4U);
    EXPECT_EQ(mixer.duck, -20);
    EXPECT_EQ(mixer.duck_time, 250U);
    ASSERT_EQ(mixer.ports.size(), 2U);
    EXPECT_EQ(mixer.ports[0],
              (MixerPortConfig{.name = "Music", .playback = {.volume = -6}, .capture = {}}));
    EXPECT_EQ(mixer.ports[1], (MixerPortConfig{.name = "Chime",
                                               .priority = 10,
                                               .playback = {.volume = 0, .mute = true},
                                               .capture = {.volume = -64, .mute = true}}));
}

TEST(MixerConfig, WhatIsRefused)
{
    expect_refused("", "needs playback");
    expect_refused("playback = \"hw:PCH,0\"", "needs a [[port]]");
    expect_refused("playback = \"default\"\n[[port]]\nname = \"A\"", "must be \"hw:CARD");
    expect_refused(small + "name = \"Music\"", "");
    expect_refused(small + small.substr(small.find("[[")), "two ports have the name 'Music'");
    expect_refused(small + "volume = 1", "volume");
    expect_refused(small + "volume = -65", "volume");
    expect_refused(small + "loud = true", "loud");
    expect_refused(small + "priority = 256", "priority");
    expect_refused("format = \"FLOAT\"\n" + small, "format must be");
    expect_refused("periods = 1\n" + small, "periods");
    expect_refused(small + "[[port]]\nvolume = 0", "needs a name");
    expect_refused(small + "[[port]]\nname = \"A name that is far too long\"", "name");
    expect_refused(small, "name of its card", "0");
    expect_refused(small, "name of its card", "a-b");
    expect_refused(small, "name of its card", "sixteen_letters_");
    std::string many = small;
    for (int i = 1; i <= DEVHOST_MIX_PORTS_MAX; i++) {
        many += "[[port]]\nname = \"P" + std::to_string(i) + "\"\n";
    }
    expect_refused(many, "17 entries; a mixer takes 16");
}

TEST(MixerConfig, DecibelsAndSteps)
{
    for (int decibels = volume_min; decibels <= 0; decibels++) {
        EXPECT_EQ(volume_decibels(volume_steps(decibels)), decibels);
    }
    EXPECT_EQ(volume_steps(0), DEVHOST_MIX_VOLUME_MAX);
    EXPECT_EQ(volume_steps(-64), 0);
    EXPECT_EQ(volume_decibels(126), -1); // half a decibel below 0
    EXPECT_EQ(volume_decibels(1), -63);  // heard, if softly
}

TEST(MixerMessages, WhatIsAskedForAndAnswered)
{
    const MixerConfig mixer = parse_mixer("format = \"S16\"\n" + small, "speaker", "");
    const NlMessage message(nlmsg_alloc());
    genlmsg_put(message.get(), 0, 0, 20, 0, 0, DEVHOST_MIX_CMD_NEW, 1);
    put_mixer(*message, mixer, {.playback = UniqueFd(dup(0)), .capture = {}});
    put_flag(*message, DEVHOST_MIX_A_PLAYBACK, true); // as in an answer
    const auto attr = [&](int type) {
        return nlmsg_find_attr(nlmsg_hdr(message.get()), GENL_HDRLEN, type);
    };
    ASSERT_NE(attr(DEVHOST_MIX_A_PLAYBACK_FD), nullptr);
    EXPECT_EQ(attr(DEVHOST_MIX_A_CAPTURE_FD), nullptr);
    EXPECT_EQ(nla_get_u32(attr(DEVHOST_MIX_A_FORMAT)), 2U);
    EXPECT_EQ(nla_get_u32(attr(DEVHOST_MIX_A_PERIOD)), 5000U);
    const MixerInfo info = decode_mixer(nlmsg_hdr(message.get()));
    EXPECT_EQ(info.name, "speaker");
    EXPECT_EQ(info.rate, 48000U);
    EXPECT_TRUE(info.playback);
    EXPECT_FALSE(info.capture);
    EXPECT_EQ(info.ports, std::vector<std::string>{"Music"});
}

class MixersTest : public testing::Test {
protected:
    using Texts = std::vector<std::string>;

    MixersTest()
    {
        machine.cards.plug("PCH");
        machine.cards.read_events();
        host.discover();
    }
    Texts took() { return std::exchange(machine.mixer_kernel.done, {}); }

    FakeMachine machine;
    Host host = machine.new_host();
    Configuration configuration{host, machine.config_directory()};
};

TEST_F(MixersTest, MadeBeforeTheGuestsThatStandOnThem)
{
    machine.write_mixer("speaker", "duck = -20\nduck_time = 7\n" + small + "volume = -6\n");
    machine.write_config("ivi", "[[device]]\nname = \"snd0\"\nclass = \"snd\"\n"
                                "[[device.snd.stream]]\npcm = \"hw:speaker,0\"\n"
                                "direction = \"playback\"\n");
    configuration.start();
    EXPECT_TRUE(configuration.problems().empty());
    EXPECT_EQ(took(), Texts{"+speaker"});
    EXPECT_EQ(machine.cards.opened, (Texts{"hw:PCH,0", "hw:speaker,0"}));
    EXPECT_EQ(machine.cards.elements,
              (std::map<std::string, long>{{"speaker Music Playback Volume", 115},
                                           {"speaker Music Playback Switch", 1},
                                           {"speaker Music Playback Priority", 0},
                                           {"speaker Duck Playback Volume", 87},
                                           {"speaker Duck Playback Time", 7}}));
}

TEST_F(MixersTest, AStartChangesNothingAndAReloadWhatDiffers)
{
    machine.write_mixer("speaker", small);
    configuration.start();
    took();
    machine.cards.elements.clear();
    Host later = machine.new_host();
    Configuration again(later, machine.config_directory());
    again.start();
    EXPECT_TRUE(took().empty());
    EXPECT_TRUE(machine.cards.elements.empty());
    // What can be set is set; what is its shape makes it anew.
    machine.write_mixer("speaker", small + "mute = true\n");
    again.reload();
    EXPECT_TRUE(took().empty());
    EXPECT_EQ(machine.cards.elements.at("speaker Music Playback Switch"), 0);
    machine.write_mixer("speaker", "rate = 44100\n" + small);
    again.reload();
    EXPECT_EQ(took(), (Texts{"-speaker", "+speaker"}));
    machine.write_mixer("speaker", "rate = 44100\nperiods = 5\n" + small);
    again.reload();
    EXPECT_EQ(took(), (Texts{"-speaker", "+speaker"}));
    std::filesystem::remove(machine.directory.path() / "mixers.d/speaker.toml");
    machine.mixer_kernel.present["other"].name = "other";
    again.reload();
    EXPECT_EQ(took(), Texts{"-speaker"}); // the other one is somebody else's
}

TEST_F(MixersTest, AProblemIsSaidAndKeepsNothingElseAway)
{
    machine.write_mixer("broken", "rate = 1\n" + small);
    machine.write_mixer("usb", "playback = \"hw:USB,0\"\n[[port]]\nname = \"A\"\n");
    machine.write_mixer("speaker", small);
    configuration.start();
    EXPECT_EQ(took(), Texts{"+speaker"});
    ASSERT_EQ(configuration.problems().size(), 2U);
    EXPECT_NE(configuration.problems()[0].find("broken.toml"), std::string::npos);
    EXPECT_NE(configuration.problems()[1].find("usb.toml"), std::string::npos);
    // Its card comes later.
    machine.cards.plug("USB");
    host.handle_card_events();
    EXPECT_EQ(took(), Texts{"+usb"});
}

TEST_F(MixersTest, MadeAgainWhenTheCardIsBackAndGivenToTheGuests)
{
    machine.write_mixer("speaker", small);
    configuration.start();
    host.create_guest(guest_config("ivi"));
    DeviceConfig device = snd_device("snd0", "speaker");
    std::get<SndDeviceConfig>(device.backend).controls.clear();
    host.create_device("ivi", device);
    // The kernel's end of a mixer whose card goes.
    machine.cards.unplug("PCH");
    machine.cards.unplug("speaker");
    machine.mixer_kernel.present.clear();
    machine.kernel.change_device("ivi", "snd0", [](DeviceInfo &info) {
        std::get<SndBackendInfo>(info.backend).streams[0].pcm.reset();
    });
    host.handle_kernel_events();
    took();
    machine.kernel.changes.clear();
    machine.cards.plug("PCH");
    host.handle_card_events();
    EXPECT_EQ(took(), Texts{"+speaker"});
    EXPECT_EQ(machine.kernel.changes, Texts{"set_sound ivi/snd0"});
}

TEST_F(MixersTest, LevelsAreReadFollowedAndSet)
{
    struct Observer final : HostObserver {
        void guest_added(const Guest & /*guest*/) override {}
        void guest_removing(const Guest & /*guest*/) override {}
        void guest_changed(const Guest & /*guest*/, const Properties & /*properties*/) override {}
        void policy_changed(const Guest & /*guest*/, const Properties & /*properties*/) override {}
        void device_added(const Device & /*device*/) override {}
        void device_removing(const Device & /*device*/) override {}
        void device_changed(const Device & /*device*/, const Properties &properties) override
        {
            changes += properties.contains("Backend") ? 1 : 0;
        }
        int changes = 0;
    } observer;
    host.create_guest(guest_config("ivi"));
    host.create_device("ivi", snd_device("snd0"));
    EXPECT_FALSE(host.device("ivi", "snd0").levels.at(0));
    host.set_observer(&observer);
    // No mixer's.
    EXPECT_THROW(host.set_level("ivi", "snd0", 0, -6, std::nullopt), Error);
    machine.cards.turn(0, {.volume = -3});
    host.handle_card_events();
    EXPECT_EQ(host.device("ivi", "snd0").levels.at(0), (SndLevel{.volume = -3}));
    EXPECT_EQ(observer.changes, 1);
    host.set_level("ivi", "snd0", 0, -10, std::nullopt);
    host.set_level("ivi", "snd0", 0, std::nullopt, true);
    EXPECT_EQ(host.device("ivi", "snd0").levels.at(0), (SndLevel{.volume = -10, .mute = true}));
    EXPECT_EQ(observer.changes, 3);
    host.handle_card_events(); // of its own doing: nothing new
    EXPECT_EQ(observer.changes, 3);
    EXPECT_THROW(host.set_level("ivi", "snd0", 1, -6, std::nullopt), Error);
    EXPECT_THROW(host.set_level("ivi", "snd0", 0, 1, std::nullopt), Error);
    EXPECT_THROW(host.set_level("ivi", "snd0", 0, -65, std::nullopt), Error);
    host.set_observer(nullptr);
}

} // namespace
} // namespace devhost::test
