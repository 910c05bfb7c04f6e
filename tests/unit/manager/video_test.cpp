// SPDX-License-Identifier: Apache-2.0
//
// Video devices: their configuration, the codec they are made of, one that goes.
#include <fstream>
#include <gtest/gtest.h>

#include "bus_fixture.hpp"
#include "config_toml.hpp"
#include "configuration.hpp"
#include "error.hpp"
#include "fakes.hpp"
#include "plan.hpp"

namespace devhost::test {
namespace {

using Texts = std::vector<std::string>;

DeviceConfig device_of(const std::string &toml, const std::string &kind = "decoder")
{
    const Setting tree =
        parse_toml("name = \"v0\"\nclass = \"video_" + kind + "\"\n[video]\n" + toml, "");
    return device_from(TableReader(tree, "", ""));
}

void expect_refused(const std::string &toml, unsigned line, const std::string &words)
{
    try {
        device_of(toml);
        ADD_FAILURE() << "accepted: " << toml;
    } catch (const ConfigError &error) {
        EXPECT_EQ(error.line(), line) << error.what();
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
}

void expect_cause(Cause cause, const std::string &words, const std::function<void()> &action)
{
    try {
        action();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error &error) {
        EXPECT_EQ(error.cause(), cause) << error.what();
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
}

TEST(VideoConfig, EverythingThatCanBeSaid)
{
    VideoDeviceConfig wanted;
    wanted.codec = "platform:vicodec";
    wanted.streams_max = 32;
    EXPECT_EQ(*device_of("codec = \"platform:vicodec\"\nstreams_max = 32\n").video(), wanted);
    const DeviceConfig encoder = device_of("node = \"/dev/v4l/by-path/x-index0\"\n", "encoder");
    EXPECT_EQ(encoder.device_class, "video_encoder");
    EXPECT_TRUE(encoder.video()->encoder);
    EXPECT_EQ(encoder.video()->node, "/dev/v4l/by-path/x-index0");
    EXPECT_EQ(encoder.video()->streams_max, 8U);
}

TEST(VideoConfig, WhatCannotBe)
{
    const std::string codec = "codec = \"vicodec\"\n";
    expect_refused("", 3, "needs codec");
    expect_refused(codec + "node = \"/dev/video0\"\n", 5, "cannot go with codec");
    for (const char *node : {"video0", "/etc/passwd", "/dev/", "/dev/../etc/passwd", "/dev/x/.."}) {
        expect_refused("node = \"" + std::string(node) + "\"\n", 4, "a path below /dev");
    }
    expect_refused("codec = \"" + std::string(32, 'c') + "\"\n", 4, "codec");
    expect_refused("codec = 0\n", 4, "codec must be");
    expect_refused(codec + "streams_max = 0\n", 5, "from 1 to 32");
    expect_refused(codec + "streams_max = 33\n", 5, "from 1 to 32");
    expect_refused(codec + "format = \"H264\"\n", 5, "unknown key \"format\"");
}

TEST(VideoConfig, TheTableIsVideoForBothClasses)
{
    const Setting tree = parse_toml(
        "name = \"v0\"\nclass = \"video_decoder\"\n[video_decoder]\ncodec = \"x\"\n", "");
    EXPECT_THROW(device_from(TableReader(tree, "", "")), ConfigError);
    EXPECT_EQ(backend_table("video_decoder"), "video");
    EXPECT_EQ(backend_table("video_encoder"), "video");
    EXPECT_EQ(backend_table("can"), "can");
    EXPECT_EQ(backend_table("gpu"), "gpu");
}

TEST(V4l2Codecs, SaysWhatIsNotThere)
{
    const TemporaryDirectory dev;
    V4l2Codecs codecs(dev.path());
    VideoDeviceConfig video;
    video.node = dev.path() / "video9";
    expect_cause(Cause::invalid_args, "There is no codec at " + video.node,
                 [&] { codecs.open(video); });
    // Something else than a codec.
    std::ofstream(video.node) << "x";
    expect_cause(Cause::invalid_args, "is no stateful codec that decodes",
                 [&] { codecs.open(video); });
    EXPECT_TRUE(codecs.names(9).empty());
    EXPECT_TRUE(codecs.names(10).empty());
    video.node.clear();
    video.codec = "vicodec";
    video.encoder = true;
    expect_cause(Cause::invalid_args, "There is no stateful codec 'vicodec' that encodes",
                 [&] { codecs.open(video); });
    V4l2Codecs none(dev.path() / "gone");
    expect_cause(Cause::invalid_args, "'vicodec'", [&] { none.open(video); });
}

class VideoHost : public testing::Test {
protected:
    VideoHost()
    {
        machine.codecs.present[3] = {"vicodec", "vicodec", "platform:vicodec"};
        host.discover();
        host.create_guest(guest_config("ivi"));
    }
    const Device &device() { return host.device("ivi", "dec0"); }
    // The codec goes; the kernel tells nobody.
    void lose()
    {
        machine.codecs.go(3);
        machine.kernel.change_device("ivi", "dec0", [](DeviceInfo &info) {
            std::get<VideoBackendInfo>(info.backend).node.reset();
        });
        machine.kernel.read_events();
        machine.kernel.changes.clear();
    }
    bool has_node() { return std::get<VideoBackendInfo>(device().info.backend).node.has_value(); }
    const Texts given{"set_codec ivi/dec0"};

    FakeMachine machine;
    Host host = machine.new_host();
};

TEST_F(VideoHost, OpensTheCodecAndLetsGoOfIt)
{
    host.create_device("ivi", video_device("dec0"));
    EXPECT_EQ(machine.codecs.opened, 1U);
    EXPECT_EQ(device().info.device_class, "video_decoder");
    EXPECT_EQ(device().codec, (Texts{"vicodec", "vicodec", "platform:vicodec"}));
    DeviceConfig other = video_device("dec1", "");
    std::get<VideoDeviceConfig>(other.backend).node = "/dev/video3";
    host.create_device("ivi", other);
    EXPECT_EQ(machine.codecs.opened, 2U);
}

TEST_F(VideoHost, WhatIsNotThereIsSaidAndNothingIsMade)
{
    expect_cause(Cause::invalid_args, "'hantro-vpu'",
                 [&] { host.create_device("ivi", video_device("dec0", "hantro-vpu")); });
    EXPECT_TRUE(machine.kernel.devices().empty());
}

TEST_F(VideoHost, WhatDiffersIsMadeAnew)
{
    host.create_device("ivi", video_device("dec0"));
    GuestConfig wanted = guest_config("ivi");
    wanted.devices = {video_device("dec0")};
    auto &video = std::get<VideoDeviceConfig>(wanted.devices[0].backend);
    const VideoDeviceConfig same = video;
    const std::vector<Step> replace{step::ReplaceDevice{"dec0"}};
    const auto check = [&](const Host &of) {
        video = same;
        EXPECT_TRUE(plan(wanted, &of.guest("ivi")).empty());
        const auto differs = [&](auto change) {
            video = same;
            change();
            EXPECT_EQ(plan(wanted, &of.guest("ivi")), replace);
        };
        differs([&] { video.codec = "hantro-vpu"; });
        differs([&] { video.streams_max = 7; });
        differs([&] {
            video.codec.clear();
            video.node = "/dev/video4";
        });
        video = same;
        wanted.devices[0].device_class = "video_encoder";
        EXPECT_EQ(plan(wanted, &of.guest("ivi")), replace);
        wanted.devices[0].device_class = "video_decoder";
    };
    check(host);
    Host later = machine.new_host(); // the kernel and the codec know enough
    later.discover();
    check(later);
    // And of paths they know the plain ones.
    video.codec.clear();
    video.node = "/dev/video3";
    EXPECT_TRUE(plan(wanted, &later.guest("ivi")).empty());
    video.node = "/dev/video-dec0"; // a link
    EXPECT_TRUE(plan(wanted, &later.guest("ivi")).empty());
}

TEST(Uevents, TellWhatCameAndWent)
{
    using namespace std::string_literals;
    const std::string kernel = "add@/devices/x/video4linux/video0\0ACTION=add\0"
                               "SUBSYSTEM=video4linux\0DEVNAME=video0\0SEQNUM=7\0"s;
    EXPECT_EQ(device_events_of(kernel, "video4linux"), (DeviceEvents{.come = true}));
    EXPECT_EQ(device_events_of(kernel, "sound"), DeviceEvents());
    EXPECT_EQ(device_events_of(kernel, "video"), DeviceEvents());
    const std::string udev = "libudev\0\xfe\xed\xca\xfe\x28\0\0\0\x28\0\0\0\x99\x01\0\0"
                             "\x11\x22\x33\x44\0\0\0\0\0\0\0\0\0\0\0\0ACTION=remove\0"
                             "DEVPATH=/devices/x/video4linux/video0\0SUBSYSTEM=video4linux\0"s;
    EXPECT_EQ(device_events_of(udev, "video4linux"), (DeviceEvents{.gone = true}));
    EXPECT_EQ(device_events_of("x\0XACTION=add\0SUBSYSTEM=sound\0"s, "sound"), DeviceEvents());
    EXPECT_EQ(device_events_of("", "sound"), DeviceEvents());
}

TEST_F(VideoHost, ACodecThatComesBackIsGivenToItsDevice)
{
    host.create_device("ivi", video_device("dec0"));
    host.note_backend("ivi", "dec0", video_device("dec0").backend);
    machine.kernel.set_busy("ivi", "dec0", true); // its VMM goes on
    lose();
    host.handle_codec_events();
    EXPECT_FALSE(has_node());
    EXPECT_TRUE(device().codec.empty());
    machine.codecs.come(4, {"hantro-vpu"});
    host.handle_codec_events();
    EXPECT_TRUE(machine.kernel.changes.empty()) << machine.kernel.changes.front();
    machine.codecs.come(3, {"vicodec"});
    EXPECT_FALSE(has_node());
    host.handle_codec_events();
    EXPECT_TRUE(has_node());
    EXPECT_EQ(device().codec, Texts{"vicodec"});
    EXPECT_EQ(machine.kernel.changes, given);
    machine.codecs.come(5, {"vicodec"});
    host.handle_codec_events();
    EXPECT_EQ(machine.kernel.changes, given) << "it has one";
}

TEST_F(VideoHost, ACodecThatIsAnotherOneIsNotGivenToTheDevice)
{
    host.create_device("ivi", video_device("dec0"));
    lose();
    machine.codecs.come(3, {"vicodec"});
    machine.kernel.other_codecs = true;
    host.handle_codec_events();
    EXPECT_EQ(machine.kernel.changes, given);
    EXPECT_FALSE(has_node());
}

TEST_F(VideoHost, ACodecThatCameBackWhileNobodyWatchedIsGivenAtTheStart)
{
    host.create_device("ivi", video_device("dec0"));
    lose();
    machine.codecs.present[3] = {"vicodec"};
    Host later = machine.new_host();
    later.discover();
    EXPECT_TRUE(machine.kernel.changes.empty()) << "what is wanted is not known yet";
    later.note_backend("ivi", "dec0", video_device("dec0").backend);
    EXPECT_EQ(machine.kernel.changes, given);
}

TEST_F(VideoHost, ACodecThatWentAndAnotherCameIsTakenByAReload)
{
    host.remove_guest("ivi", false);
    machine.write_config("ivi", "[[device]]\nname = \"dec0\"\nclass = \"video_decoder\"\n"
                                "[device.video]\ncodec = \"vicodec\"\n");
    Configuration configuration(host, machine.config_directory());
    configuration.start();
    ASSERT_TRUE(configuration.problems().empty()) << configuration.problems().front();
    configuration.reload();
    EXPECT_EQ(machine.codecs.opened, 1U) << "nothing differs";
    lose();
    // While a VMM has it open, the device cannot be made anew.
    machine.codecs.present[3] = {"vicodec"};
    machine.kernel.other_codecs = true;
    machine.kernel.set_busy("ivi", "dec0", true);
    configuration.reload();
    EXPECT_EQ(configuration.problems().size(), 1U);
    machine.kernel.set_busy("ivi", "dec0", false);
    configuration.reload();
    EXPECT_TRUE(configuration.problems().empty());
    // It was tried to be given each time.
    std::erase(machine.kernel.changes, given.front());
    EXPECT_EQ(machine.kernel.changes, (Texts{"remove_device ivi/dec0", "create_device ivi/dec0"}));
    EXPECT_TRUE(has_node());
}

using VideoBus = BusFixture;

TEST_F(VideoBus, DeviceOverTheBus)
{
    make_guest();
    machine.codecs.present[3] = {"vicodec"};
    const std::string object = guest_object + "/dec0";
    const auto create = [&](const std::string &kind, const std::string &options) {
        return call(*client, guest_object, guest_iface, "CreateDevice", std::string("dec0"), kind,
                    settings(options));
    };
    EXPECT_EQ(create("video_decoder", "codec = \"none\"\n").error,
              "org.freedesktop.DBus.Error.InvalidArgs");
    EXPECT_EQ(create("video_decoder", "streams = 1\n").error,
              "org.freedesktop.DBus.Error.InvalidArgs");
    const Answer made = create("video_decoder", "codec = \"vicodec\"\nstreams_max = 4\n"
                                                "policy_required = false\n");
    ASSERT_EQ(made.error, "") << made.text;
    const auto text = [&] { return to_json(properties(object, device_iface)); };
    EXPECT_NE(text().find(R"("Backend":{"codec":"stateful-decoder","node":"/dev/video3",)"
                          R"("streams_max":4})"),
              std::string::npos)
        << text();
    EXPECT_NE(text().find(R"("Class":"video_decoder")"), std::string::npos) << text();
    EXPECT_EQ(call(*client, object, device_iface, "Configure", settings("streams_max = 5\n")).error,
              "org.devhost1.Error.NotSupported");
    service->run([&] {
        machine.kernel.change_device("ivi", "dec0", [](DeviceInfo &info) {
            std::get<VideoBackendInfo>(info.backend).node.reset();
        });
    });
    EXPECT_TRUE(wait_until([&] { return text().find("/dev/video3") == std::string::npos; }));
}

} // namespace
} // namespace devhost::test
