// SPDX-License-Identifier: Apache-2.0
//
// Requests as the kernel would get them, and answers as it would give them, without a socket.
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/virtio_config.h>
#include <netlink/genl/genl.h>

#include "denial.hpp"
#include "error.hpp"
#include "fakes.hpp"
#include "genl_kernel.hpp"
#include "genl_messages.hpp"

namespace devhost::test {
namespace {

constexpr int family = 0x20;

NlMessage new_message(std::uint8_t command)
{
    NlMessage message(nlmsg_alloc());
    genlmsg_put(message.get(), 1, 1, family, 0, 0, command, DEVHOST_GENL_VERSION);
    return message;
}

class FakeChannel final : public GenlChannel {
public:
    std::vector<NlReply> request(std::uint8_t command, bool dump, const Fill &fill) override
    {
        sent = new_message(command);
        sent_command = command;
        sent_dump = dump;
        fill(*sent);
        if (error != 0) {
            throw NetlinkError(error, text);
        }
        std::vector<NlReply> result = std::exchange(answers, {});
        if (on_request) {
            on_request(command);
        }
        return result;
    }
    [[nodiscard]] int event_fd() const override { return -1; }
    bool read_events(const std::function<void(nlmsghdr *)> &each) override
    {
        for (const NlReply &event : events) {
            each(event.header());
        }
        return complete;
    }

    void answer(const NlMessage &message) { answers.emplace_back(nlmsg_hdr(message.get())); }

    std::function<void(std::uint8_t)> on_request;
    NlMessage sent;
    std::uint8_t sent_command = 0;
    bool sent_dump = false;
    std::vector<NlReply> answers;
    std::vector<NlReply> events;
    bool complete = true;
    int error = 0;
    std::string text;
};

// What was sent, by type.
std::vector<nlattr *> parse(nlattr *first, int length, int highest)
{
    std::vector<nlattr *> table(static_cast<std::size_t>(highest) + 1);
    EXPECT_EQ(nla_parse(table.data(), highest, first, length, nullptr), 0);
    return table;
}

std::vector<nlattr *> parse_top(const NlMessage &message)
{
    auto *genl = static_cast<genlmsghdr *>(nlmsg_data(nlmsg_hdr(message.get())));
    return parse(genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0), DEVHOST_A_MAX);
}

std::vector<nlattr *> parse_nest(nlattr *nest, int highest)
{
    EXPECT_NE(nest, nullptr);
    EXPECT_NE(nest->nla_type & NLA_F_NESTED, 0); // strict validation in the kernel wants it
    return parse(static_cast<nlattr *>(nla_data(nest)), nla_len(nest), highest);
}

void put_verdict(nl_msg *message, int type, devhost_verdict kind, std::uint64_t count)
{
    nlattr *nest = nla_nest_start(message, type | NLA_F_NESTED);
    nla_put_u32(message, DEVHOST_A_VERDICT_KIND, kind);
    nla_put_u64(message, DEVHOST_A_VERDICT_COUNT, count);
    nla_nest_end(message, nest);
}

void put_limits(nl_msg *message, int type, std::uint64_t first)
{
    nlattr *nest = nla_nest_start(message, type | NLA_F_NESTED);
    for (int limit = DEVHOST_A_LIMIT_DEVICES; limit < DEVHOST_A_LIMIT_PAD; limit++) {
        nla_put_u64(message, limit, first + static_cast<unsigned>(limit));
    }
    nla_nest_end(message, nest);
}

NlMessage guest_message(std::uint8_t command)
{
    NlMessage message = new_message(command);
    nlattr *nest = nla_nest_start(message.get(), DEVHOST_A_GUEST | NLA_F_NESTED);
    nla_put_string(message.get(), DEVHOST_A_GUEST_NAME, "ivi");
    nla_put_u32(message.get(), DEVHOST_A_GUEST_ID, 7);
    nla_put_u32(message.get(), DEVHOST_A_GUEST_POLICY, 3);
    nla_put_u64(message.get(), DEVHOST_A_GUEST_PINNED, 1ULL << 33);
    put_verdict(message.get(), DEVHOST_A_GUEST_VERDICT, DEVHOST_VERDICT_LIMIT, 12);
    put_verdict(message.get(), DEVHOST_A_GUEST_VERDICT, static_cast<devhost_verdict>(77), 13);
    nlattr *limits = nla_nest_start(message.get(), DEVHOST_A_GUEST_LIMITS | NLA_F_NESTED);
    nla_put_u64(message.get(), DEVHOST_A_LIMIT_MEMORY, 1ULL << 33);
    nla_nest_end(message.get(), limits);
    put_limits(message.get(), DEVHOST_A_GUEST_USE, 10);
    put_limits(message.get(), DEVHOST_A_GUEST_REFUSED, 100);
    nla_put_u32(message.get(), 200, 1); // of a newer kernel module
    nla_nest_end(message.get(), nest);
    return message;
}

NlMessage device_message(std::uint8_t command)
{
    NlMessage message = new_message(command);
    nl_msg *m = message.get();
    nlattr *nest = nla_nest_start(m, DEVHOST_A_DEV | NLA_F_NESTED);
    nla_put_string(m, DEVHOST_A_DEV_GUEST, "ivi");
    nla_put_string(m, DEVHOST_A_DEV_NAME, "can0");
    nla_put_u32(m, DEVHOST_A_DEV_ID, 9);
    nla_put_string(m, DEVHOST_A_DEV_CLASS, "can");
    nla_put_u32(m, DEVHOST_A_DEV_VIRTIO_ID, 36);
    nla_put_string(m, DEVHOST_A_DEV_VDPA, "ivi.can0");
    nla_put_u32(m, DEVHOST_A_DEV_STATE, DEVHOST_DEV_BROKEN);
    nla_put_u8(m, DEVHOST_A_DEV_STATUS, 0x4f);
    nla_put_string(m, DEVHOST_A_DEV_REASON, "bad ring");
    nla_put_u64(m, DEVHOST_A_DEV_FEATURES, 1ULL << 40);
    nla_put_u64(m, DEVHOST_A_DEV_DRIVER_FEATURES, 1ULL << 32);
    nla_put_u64(m, DEVHOST_A_DEV_FEATURES_MASK, ~0ULL);
    nla_put_u32(m, DEVHOST_A_DEV_VQ_SIZE_MAX, 512);
    nla_put_u32(m, DEVHOST_A_DEV_VQS, 3);
    nla_put_flag(m, DEVHOST_A_DEV_POLICY_REQUIRED);
    nla_put_u32(m, DEVHOST_A_DEV_WORKER, 4711);
    nlattr *backend = nla_nest_start(m, DEVHOST_A_DEV_BACKEND | NLA_F_NESTED);
    nla_put_string(m, DEVHOST_A_CAN_IFNAME, "can3");
    nla_put_u32(m, DEVHOST_A_CAN_IFINDEX, 5);
    nla_put_u32(m, DEVHOST_A_CAN_RX_BACKLOG, 99);
    nla_put_u32(m, DEVHOST_A_CAN_TX_INFLIGHT, 11);
    nla_put_u32(m, DEVHOST_A_CAN_STATE, DEVHOST_CAN_BUSOFF);
    nla_nest_end(m, backend);
    nla_nest_end(m, nest);
    return message;
}

class Genl : public testing::Test {
protected:
    Genl()
    {
        auto owned = std::make_unique<FakeChannel>();
        channel = owned.get();
        kernel = std::make_unique<GenlKernel>(std::move(owned));
    }

    // What a call that changes a device sends.
    NlMessage sent_by(const std::function<void()> &change) const
    {
        NlMessage sent;
        channel->on_request = [&](std::uint8_t command) {
            if (command == DEVHOST_CMD_DEVICE_SET) {
                sent = std::move(channel->sent);
                channel->answer(device_message(DEVHOST_CMD_DEVICE_GET));
            }
        };
        change();
        channel->on_request = nullptr;
        return sent;
    }

    FakeChannel *channel;
    std::unique_ptr<GenlKernel> kernel;
};

TEST_F(Genl, ReadsAGuest)
{
    channel->answer(guest_message(DEVHOST_CMD_GUEST_GET));
    const GuestInfo guest = kernel->guest("ivi");
    EXPECT_EQ(channel->sent_command, DEVHOST_CMD_GUEST_GET);
    EXPECT_FALSE(channel->sent_dump);
    const auto sent = parse_nest(parse_top(channel->sent)[DEVHOST_A_GUEST], DEVHOST_A_GUEST_MAX);
    EXPECT_STREQ(nla_get_string(sent[DEVHOST_A_GUEST_NAME]), "ivi");
    EXPECT_EQ(guest.name, "ivi");
    EXPECT_EQ(guest.id, 7U);
    EXPECT_EQ(guest.policy, 3U);
    EXPECT_EQ(guest.pinned, 1ULL << 33);
    EXPECT_EQ(guest.verdicts, (VerdictCounts{0, 0, 12, 0, 0}));
    Limits limits;
    limits.memory = 1ULL << 33;
    EXPECT_EQ(guest.limits, limits);
    EXPECT_EQ(guest.use, (Limits{11, 12, 13, 14, 15, 16}));
    EXPECT_EQ(guest.refused, (Limits{101, 102, 103, 104, 105, 106}));
}

TEST_F(Genl, SetsLimitsOfAGuest)
{
    Limits limits;
    limits.queues = 9;
    limits.in_flight_bytes = 1ULL << 33;
    const auto expect_sent = [&](NlMessage &message) {
        const auto sent = parse_nest(parse_top(message)[DEVHOST_A_GUEST], DEVHOST_A_GUEST_MAX);
        EXPECT_STREQ(nla_get_string(sent[DEVHOST_A_GUEST_NAME]), "ivi");
        const auto all = parse_nest(sent[DEVHOST_A_GUEST_LIMITS], DEVHOST_A_LIMIT_MAX);
        EXPECT_EQ(nla_get_u64(all[DEVHOST_A_LIMIT_QUEUES]), 9U);
        EXPECT_EQ(nla_get_u64(all[DEVHOST_A_LIMIT_IN_FLIGHT_BYTES]), 1ULL << 33);
        EXPECT_EQ(all[DEVHOST_A_LIMIT_DEVICES], nullptr);
        EXPECT_EQ(all[DEVHOST_A_LIMIT_MEMORY], nullptr);
    };
    NlMessage sent;
    channel->on_request = [&](std::uint8_t command) {
        if (command == DEVHOST_CMD_GUEST_SET) {
            sent = std::move(channel->sent);
            channel->answer(guest_message(DEVHOST_CMD_GUEST_GET));
        }
    };
    EXPECT_EQ(kernel->set_limits("ivi", limits).id, 7U);
    channel->on_request = nullptr;
    expect_sent(sent);
    channel->answer(guest_message(DEVHOST_CMD_GUEST_NEW));
    kernel->create_guest("ivi", limits);
    EXPECT_EQ(channel->sent_command, DEVHOST_CMD_GUEST_NEW);
    expect_sent(channel->sent);
}

TEST_F(Genl, ReadsADevice)
{
    channel->answer(device_message(DEVHOST_CMD_DEVICE_GET));
    channel->answer(device_message(DEVHOST_CMD_DEVICE_GET));
    const std::vector<DeviceInfo> devices = kernel->devices();
    EXPECT_TRUE(channel->sent_dump);
    ASSERT_EQ(devices.size(), 2U);
    const DeviceInfo &device = devices[0];
    EXPECT_EQ(device.guest, "ivi");
    EXPECT_EQ(device.name, "can0");
    EXPECT_EQ(device.id, 9U);
    EXPECT_EQ(device.device_class, "can");
    EXPECT_EQ(device.virtio_id, 36U);
    EXPECT_EQ(device.vdpa_name, "ivi.can0");
    EXPECT_EQ(device.state, DEVHOST_DEV_BROKEN);
    EXPECT_EQ(device.status, 0x4f);
    EXPECT_EQ(device.reason, "bad ring");
    EXPECT_EQ(device.features, 1ULL << 40);
    EXPECT_EQ(device.driver_features, 1ULL << 32);
    EXPECT_EQ(device.features_mask, ~0ULL);
    EXPECT_EQ(device.vq_size_max, 512U);
    EXPECT_EQ(device.vqs, 3U);
    EXPECT_TRUE(device.policy_required);
    EXPECT_EQ(device.worker, 4711U);
    const auto &can = std::get<CanBackendInfo>(device.backend);
    EXPECT_EQ(can, (CanBackendInfo{.interface = "can3",
                                   .ifindex = 5,
                                   .rx_backlog = 99,
                                   .tx_inflight = 11,
                                   .state = DEVHOST_CAN_BUSOFF}));
}

TEST_F(Genl, AsksForADevice)
{
    DeviceConfig config = can_device("can0", "can3");
    config.ring = Ring::split;
    config.vq_size_max = 64;
    config.policy_required = false;
    auto &can_config = std::get<CanDeviceConfig>(config.backend);
    can_config.wait = true;
    can_config.rx_backlog = 32;
    channel->answer(device_message(DEVHOST_CMD_DEVICE_NEW));
    kernel->create_device("ivi", config, {});
    EXPECT_EQ(channel->sent_command, DEVHOST_CMD_DEVICE_NEW);
    const auto device = parse_nest(parse_top(channel->sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    EXPECT_STREQ(nla_get_string(device[DEVHOST_A_DEV_GUEST]), "ivi");
    EXPECT_STREQ(nla_get_string(device[DEVHOST_A_DEV_NAME]), "can0");
    EXPECT_STREQ(nla_get_string(device[DEVHOST_A_DEV_CLASS]), "can");
    EXPECT_EQ(nla_get_u64(device[DEVHOST_A_DEV_FEATURES_MASK]), ~(1ULL << VIRTIO_F_RING_PACKED));
    EXPECT_EQ(nla_get_u32(device[DEVHOST_A_DEV_VQ_SIZE_MAX]), 64U);
    EXPECT_EQ(device[DEVHOST_A_DEV_POLICY_REQUIRED], nullptr);
    const auto can = parse_nest(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_CAN_MAX);
    EXPECT_STREQ(nla_get_string(can[DEVHOST_A_CAN_IFNAME]), "can3");
    EXPECT_NE(can[DEVHOST_A_CAN_WAIT], nullptr);
    EXPECT_EQ(nla_get_u32(can[DEVHOST_A_CAN_RX_BACKLOG]), 32U);
    EXPECT_EQ(nla_get_u32(can[DEVHOST_A_CAN_TX_INFLIGHT]), 64U);
}

// All attributes of one type in a nest.
std::vector<nlattr *> every(nlattr *nest, int type)
{
    std::vector<nlattr *> found;
    nlattr *attribute = nullptr;
    int left = 0;
    nla_for_each_nested(attribute, nest, left)
    {
        if (nla_type(attribute) == type) {
            found.push_back(attribute);
        }
    }
    return found;
}

// Files whose descriptors are told apart by where they are.
UniqueFd null_fd()
{
    return UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC));
}

TEST_F(Genl, AsksForASoundDevice)
{
    DeviceConfig config = snd_device("snd0");
    auto &snd = std::get<SndDeviceConfig>(config.backend);
    snd.streams[0].node = 3;
    snd.streams[0].period_min = 1000;
    snd.jacks.push_back(
        {.node = 4, .default_config = 0x02214010, .capabilities = 0x1c, .connected = true});
    snd.controls[0].read_only = true;
    SndFiles files;
    files.pcms[0] = null_fd();
    files.cards["PCH"] = null_fd();
    files.controls[0] = {.card = "PCH", .numid = 12};
    const auto pcm = static_cast<std::uint32_t>(files.pcms[0].get());
    const auto card = static_cast<std::uint32_t>(files.cards["PCH"].get());
    channel->answer(device_message(DEVHOST_CMD_DEVICE_NEW));
    kernel->create_device("ivi", config, std::move(files));
    const auto device = parse_nest(parse_top(channel->sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    EXPECT_STREQ(nla_get_string(device[DEVHOST_A_DEV_CLASS]), "snd");
    nlattr *backend = device[DEVHOST_A_DEV_BACKEND];
    const auto streams = every(backend, DEVHOST_A_SND_STREAM);
    ASSERT_EQ(streams.size(), 1U);
    const auto stream = parse_nest(streams[0], DEVHOST_A_SND_STREAM_MAX);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_FD]), pcm);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_NODE]), 3U);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_CHANNELS_MAX]), 255U);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_RATE_MAX]), 384000U);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_PERIOD_MIN]), 1000U);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_BUFFER_MAX]), 4194304U);
    const auto jacks = every(backend, DEVHOST_A_SND_JACK);
    ASSERT_EQ(jacks.size(), 1U);
    const auto jack = parse_nest(jacks[0], DEVHOST_A_SND_JACK_MAX);
    EXPECT_EQ(nla_get_u32(jack[DEVHOST_A_SND_JACK_NODE]), 4U);
    EXPECT_EQ(nla_get_u32(jack[DEVHOST_A_SND_JACK_DEFCONF]), 0x02214010U);
    EXPECT_EQ(nla_get_u32(jack[DEVHOST_A_SND_JACK_CAPS]), 0x1cU);
    EXPECT_EQ(nla_get_u32(jack[DEVHOST_A_SND_JACK_CONNECTED]), 1U);
    const auto controls = every(backend, DEVHOST_A_SND_CONTROL);
    ASSERT_EQ(controls.size(), 1U);
    const auto control = parse_nest(controls[0], DEVHOST_A_SND_CONTROL_MAX);
    EXPECT_EQ(nla_get_u32(control[DEVHOST_A_SND_CONTROL_FD]), card);
    EXPECT_EQ(nla_get_u32(control[DEVHOST_A_SND_CONTROL_NUMID]), 12U);
    EXPECT_EQ(nla_get_u32(control[DEVHOST_A_SND_CONTROL_ROLE]), 2U);
    EXPECT_NE(control[DEVHOST_A_SND_CONTROL_READ_ONLY], nullptr);
}

TEST_F(Genl, AsksForAVideoDevice)
{
    DeviceConfig config = video_device("dec0");
    std::get<VideoDeviceConfig>(config.backend).streams_max = 3;
    VideoFile file{.node = null_fd()};
    const auto node = static_cast<std::uint32_t>(file.node.get());
    channel->answer(device_message(DEVHOST_CMD_DEVICE_NEW));
    kernel->create_device("ivi", config, std::move(file));
    const auto device = parse_nest(parse_top(channel->sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    EXPECT_STREQ(nla_get_string(device[DEVHOST_A_DEV_CLASS]), "video_decoder");
    const auto video = parse_nest(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_VIDEO_MAX);
    EXPECT_EQ(nla_get_u32(video[DEVHOST_A_VIDEO_FD]), node);
    EXPECT_EQ(nla_get_u32(video[DEVHOST_A_VIDEO_STREAMS_MAX]), 3U);
}

TEST_F(Genl, ReadsAVideoDeviceAndWhetherItsCodecIsGone)
{
    for (const bool gone : {false, true}) {
        NlMessage message = new_message(DEVHOST_CMD_DEVICE_GET);
        nl_msg *m = message.get();
        nlattr *nest = nla_nest_start(m, DEVHOST_A_DEV | NLA_F_NESTED);
        nla_put_string(m, DEVHOST_A_DEV_GUEST, "ivi");
        nla_put_string(m, DEVHOST_A_DEV_NAME, "enc0");
        nla_put_u32(m, DEVHOST_A_DEV_ID, 9);
        nla_put_string(m, DEVHOST_A_DEV_CLASS, "video_encoder");
        nlattr *backend = nla_nest_start(m, DEVHOST_A_DEV_BACKEND | NLA_F_NESTED);
        nla_put_string(m, DEVHOST_A_VIDEO_NAME, "stateful-encoder");
        nla_put_u32(m, DEVHOST_A_VIDEO_STREAMS_MAX, 5);
        nla_put_u32(m, DEVHOST_A_VIDEO_STREAMS, 1);
        if (!gone) {
            nla_put_u32(m, DEVHOST_A_VIDEO_NODE, 7);
        }
        nla_nest_end(m, backend);
        nla_nest_end(m, nest);
        const DeviceInfo info = decode_device(nlmsg_hdr(m));
        EXPECT_EQ(std::get<VideoBackendInfo>(info.backend),
                  (VideoBackendInfo{.name = "stateful-encoder",
                                    .node = gone ? std::nullopt : std::optional<std::uint32_t>(7),
                                    .streams_max = 5}));
    }
}

TEST_F(Genl, GivesASoundDeviceOtherFiles)
{
    SndFiles files;
    files.pcms[5] = null_fd();
    files.cards["USB"] = null_fd();
    files.controls[2] = {.card = "USB", .numid = 9};
    const auto pcm = static_cast<std::uint32_t>(files.pcms[5].get());
    const NlMessage sent = sent_by([&] { kernel->set_sound("ivi", "snd0", files); });
    ASSERT_TRUE(sent);
    const auto device = parse_nest(parse_top(sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    const auto streams = every(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_SND_STREAM);
    ASSERT_EQ(streams.size(), 1U);
    const auto stream = parse_nest(streams[0], DEVHOST_A_SND_STREAM_MAX);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_ID]), 5U);
    EXPECT_EQ(nla_get_u32(stream[DEVHOST_A_SND_STREAM_FD]), pcm);
    EXPECT_EQ(stream[DEVHOST_A_SND_STREAM_NODE], nullptr); // is as it was
    const auto controls = every(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_SND_CONTROL);
    ASSERT_EQ(controls.size(), 1U);
    const auto control = parse_nest(controls[0], DEVHOST_A_SND_CONTROL_MAX);
    EXPECT_EQ(nla_get_u32(control[DEVHOST_A_SND_CONTROL_ID]), 2U);
    EXPECT_EQ(nla_get_u32(control[DEVHOST_A_SND_CONTROL_NUMID]), 9U);
    EXPECT_EQ(control[DEVHOST_A_SND_CONTROL_ROLE], nullptr);
}

TEST_F(Genl, GivesAVideoDeviceAnotherCodec)
{
    const VideoFile file{.node = null_fd()};
    const NlMessage sent = sent_by([&] { kernel->set_codec("ivi", "dec0", file); });
    ASSERT_TRUE(sent);
    const auto device = parse_nest(parse_top(sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    EXPECT_STREQ(nla_get_string(device[DEVHOST_A_DEV_NAME]), "dec0");
    const auto video = parse_nest(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_VIDEO_MAX);
    EXPECT_EQ(nla_get_u32(video[DEVHOST_A_VIDEO_FD]), static_cast<std::uint32_t>(file.node.get()));
    EXPECT_EQ(video[DEVHOST_A_VIDEO_STREAMS_MAX], nullptr); // is as it was
}

TEST_F(Genl, SaysOfEachJackWhetherItIsPluggedIn)
{
    const NlMessage sent = sent_by([&] { kernel->set_jacks("ivi", "snd0", {true, false}); });
    ASSERT_TRUE(sent);
    const auto device = parse_nest(parse_top(sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    const auto jacks = every(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_SND_JACK);
    ASSERT_EQ(jacks.size(), 2U);
    for (std::uint32_t id = 0; id < 2; id++) {
        const auto jack = parse_nest(jacks[id], DEVHOST_A_SND_JACK_MAX);
        EXPECT_EQ(nla_get_u32(jack[DEVHOST_A_SND_JACK_ID]), id);
        EXPECT_EQ(nla_get_u32(jack[DEVHOST_A_SND_JACK_CONNECTED]), 1 - id);
    }
}

TEST_F(Genl, ReadsASoundDevice)
{
    NlMessage message = new_message(DEVHOST_CMD_DEVICE_GET);
    nl_msg *m = message.get();
    nlattr *nest = nla_nest_start(m, DEVHOST_A_DEV | NLA_F_NESTED);
    nla_put_string(m, DEVHOST_A_DEV_CLASS, "snd");
    nlattr *backend = nla_nest_start(m, DEVHOST_A_DEV_BACKEND | NLA_F_NESTED);
    for (std::uint32_t id = 0; id < 2; id++) {
        nlattr *stream = nla_nest_start(m, DEVHOST_A_SND_STREAM | NLA_F_NESTED);
        nla_put_u32(m, DEVHOST_A_SND_STREAM_ID, id);
        nla_put_u32(m, DEVHOST_A_SND_STREAM_DIRECTION, id);
        nla_put_u32(m, DEVHOST_A_SND_STREAM_STATE, DEVHOST_SND_RUNNING);
        nla_put_u32(m, DEVHOST_A_SND_STREAM_RATE_MAX, 48000);
        if (id == 0) {
            nla_put_u32(m, DEVHOST_A_SND_STREAM_CARD, 0);
            nla_put_u32(m, DEVHOST_A_SND_STREAM_DEVICE, 3);
            nla_put_u32(m, DEVHOST_A_SND_STREAM_SUBDEVICE, 1);
        }
        nla_nest_end(m, stream);
    }
    nlattr *jack = nla_nest_start(m, DEVHOST_A_SND_JACK | NLA_F_NESTED);
    nla_put_u32(m, DEVHOST_A_SND_JACK_CONNECTED, 1);
    nla_nest_end(m, jack);
    nlattr *control = nla_nest_start(m, DEVHOST_A_SND_CONTROL | NLA_F_NESTED);
    nla_put_u32(m, DEVHOST_A_SND_CONTROL_NUMID, 5);
    nla_put_flag(m, DEVHOST_A_SND_CONTROL_READ_ONLY);
    nla_nest_end(m, control);
    nla_nest_end(m, backend);
    nla_nest_end(m, nest);
    channel->answer(message);
    const auto snd = std::get<SndBackendInfo>(kernel->device("ivi", "snd0").backend);
    ASSERT_EQ(snd.streams.size(), 2U);
    EXPECT_EQ(snd.streams[0].pcm, (SndPcmInfo{.card = 0, .device = 3, .subdevice = 1}));
    EXPECT_EQ(snd.streams[0].state, DEVHOST_SND_RUNNING);
    EXPECT_EQ(snd.streams[0].rate_max, 48000U);
    EXPECT_EQ(snd.streams[1].direction, DEVHOST_SND_CAPTURE);
    EXPECT_FALSE(snd.streams[1].pcm);
    ASSERT_EQ(snd.jacks.size(), 1U);
    EXPECT_TRUE(snd.jacks[0].connected);
    ASSERT_EQ(snd.controls.size(), 1U);
    EXPECT_EQ(snd.controls[0],
              (SndControlInfo{.numid = 5, .role = 0, .read_only = true, .card = {}}));
}

TEST_F(Genl, AsksForAnScmiDevice)
{
    NlMessage sent;
    channel->on_request = [&](std::uint8_t /*command*/) { sent = std::move(channel->sent); };
    EXPECT_THROW(kernel->create_device("ivi", scmi_device("scmi0"), {}), Error); // no answer
    ASSERT_TRUE(sent);
    const auto device = parse_nest(parse_top(sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    const auto backend = parse_nest(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_SCMI_MAX);
    EXPECT_STREQ(nla_get_string(backend[DEVHOST_A_SCMI_AGENT]), "the-agent");
    EXPECT_NE(backend[DEVHOST_A_SCMI_SYSTEM_POWER], nullptr);
    const auto items = every(backend[DEVHOST_A_SCMI_RESOURCES], DEVHOST_A_SCMI_RESOURCES_ITEM);
    ASSERT_EQ(items.size(), 3U);
    const auto perf = parse_nest(items[1], DEVHOST_A_SCMI_RES_MAX);
    EXPECT_EQ(nla_get_u32(perf[DEVHOST_A_SCMI_RES_KIND]), std::uint32_t{DEVHOST_SCMI_PERF});
    EXPECT_EQ(nla_get_u32(perf[DEVHOST_A_SCMI_RES_SOURCE]),
              std::uint32_t{DEVHOST_SCMI_SOURCE_CPUFREQ});
    EXPECT_EQ(perf[DEVHOST_A_SCMI_RES_DEVICE], nullptr);
    EXPECT_EQ(perf[DEVHOST_A_SCMI_RES_LEVEL_MAX], nullptr);
    const auto sensor = parse_nest(items[2], DEVHOST_A_SCMI_RES_MAX);
    EXPECT_STREQ(nla_get_string(sensor[DEVHOST_A_SCMI_RES_HOST]), "hwmon:coretemp/temp1");
    EXPECT_STREQ(nla_get_string(sensor[DEVHOST_A_SCMI_RES_NAME]), "coretemp/temp1");
    EXPECT_EQ(nla_get_u32(sensor[DEVHOST_A_SCMI_RES_TYPE]), 2U);
    EXPECT_EQ(static_cast<std::int32_t>(nla_get_u32(sensor[DEVHOST_A_SCMI_RES_SCALE])), -3);
}

TEST_F(Genl, SetsWhatAnScmiDeviceCan)
{
    const auto sent = [&](int nest, int highest) {
        EXPECT_EQ(channel->sent_command, DEVHOST_CMD_DEVICE_SET);
        const auto device = parse_nest(parse_top(channel->sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
        EXPECT_STREQ(nla_get_string(device[DEVHOST_A_DEV_NAME]), "scmi0");
        const auto backend = parse_nest(device[DEVHOST_A_DEV_BACKEND], DEVHOST_A_SCMI_MAX);
        return parse_nest(backend[static_cast<std::size_t>(nest)], highest);
    };
    kernel->announce("ivi", "scmi0", {.state = 4, .flags = 1, .timeout_ms = 250});
    const auto announcement = sent(DEVHOST_A_SCMI_ANNOUNCE, DEVHOST_A_SCMI_ANNOUNCE_MAX);
    EXPECT_EQ(nla_get_u32(announcement[DEVHOST_A_SCMI_ANNOUNCE_STATE]), 4U);
    EXPECT_EQ(nla_get_u32(announcement[DEVHOST_A_SCMI_ANNOUNCE_FLAGS]), 1U);
    EXPECT_EQ(nla_get_u32(announcement[DEVHOST_A_SCMI_ANNOUNCE_TIMEOUT]), 250U);
    kernel->set_ceiling("ivi", "scmi0", DEVHOST_SCMI_CLOCK, 3, 1ULL << 40);
    auto ceiling = sent(DEVHOST_A_SCMI_CEILING, DEVHOST_A_SCMI_CEILING_MAX);
    EXPECT_EQ(nla_get_u32(ceiling[DEVHOST_A_SCMI_CEILING_KIND]), std::uint32_t{DEVHOST_SCMI_CLOCK});
    EXPECT_EQ(nla_get_u32(ceiling[DEVHOST_A_SCMI_CEILING_ID]), 3U);
    EXPECT_EQ(nla_get_u64(ceiling[DEVHOST_A_SCMI_CEILING_LEVEL]), 1ULL << 40);
    kernel->set_ceiling("ivi", "scmi0", DEVHOST_SCMI_CLOCK, 3, std::nullopt);
    ceiling = sent(DEVHOST_A_SCMI_CEILING, DEVHOST_A_SCMI_CEILING_MAX);
    EXPECT_EQ(ceiling[DEVHOST_A_SCMI_CEILING_LEVEL], nullptr);
    kernel->push_reading("ivi", "scmi0", 1, -40'000);
    const auto reading = sent(DEVHOST_A_SCMI_READING, DEVHOST_A_SCMI_READING_MAX);
    EXPECT_EQ(static_cast<std::int64_t>(nla_get_u64(reading[DEVHOST_A_SCMI_READING_VALUE])),
              -40'000);
}

TEST_F(Genl, ReadsResources)
{
    NlMessage message = new_message(DEVHOST_CMD_RESOURCE_CHANGE_NTF);
    nl_msg *m = message.get();
    nlattr *nest = nla_nest_start(m, DEVHOST_A_RESOURCE | NLA_F_NESTED);
    nla_put_string(m, DEVHOST_A_RESOURCE_GUEST, "ivi");
    nla_put_string(m, DEVHOST_A_RESOURCE_DEV, "scmi0");
    nla_put_u32(m, DEVHOST_A_RESOURCE_INDEX, 2);
    nlattr *backend = nla_nest_start(m, DEVHOST_A_RESOURCE_BACKEND | NLA_F_NESTED);
    nla_put_u32(m, DEVHOST_A_SCMI_RES_KIND, DEVHOST_SCMI_VOLTAGE);
    nla_put_u32(m, DEVHOST_A_SCMI_RES_ID, 1);
    nla_put_string(m, DEVHOST_A_SCMI_RES_HOST, "vdd");
    nla_put_flag(m, DEVHOST_A_SCMI_RES_VOTE_ON);
    nla_put_u64(m, DEVHOST_A_SCMI_RES_VOTE_SINCE, 77);
    nla_put_u64(m, DEVHOST_A_SCMI_RES_CEILING, 900'000);
    nla_put_u32(m, DEVHOST_A_SCMI_RES_LIMIT, DEVHOST_SCMI_LIMIT_CEILING);
    nla_nest_end(m, backend);
    nla_nest_end(m, nest);
    channel->events.emplace_back(nlmsg_hdr(m));
    channel->events.emplace_back(nlmsg_hdr(device_message(DEVHOST_CMD_POWER_REQUEST_NTF).get()));
    const std::vector<KernelEvent> events = kernel->read_events();
    ASSERT_EQ(events.size(), 2U);
    const ResourceInfo resource = std::get<event::ResourceChange>(events[0]).resource;
    EXPECT_EQ(resource.guest, "ivi");
    EXPECT_EQ(resource.index, 2U);
    EXPECT_EQ(resource.scmi.kind, DEVHOST_SCMI_VOLTAGE);
    EXPECT_EQ(resource.scmi.host, "vdd");
    EXPECT_TRUE(resource.scmi.vote_on);
    EXPECT_FALSE(resource.scmi.vote_level);
    EXPECT_EQ(resource.scmi.vote_since, 77U);
    EXPECT_EQ(resource.scmi.ceiling, 900'000U);
    EXPECT_EQ(resource.scmi.limit, DEVHOST_SCMI_LIMIT_CEILING);
    EXPECT_EQ(std::get<event::PowerRequest>(events[1]).device.name, "can0");
    channel->answer(message);
    channel->answer(message);
    EXPECT_EQ(kernel->resources("ivi", "scmi0").size(), 2U);
    EXPECT_TRUE(channel->sent_dump);
}

TEST_F(Genl, ForceIsAFlag)
{
    kernel->remove_device("ivi", "can0", false);
    auto device = parse_nest(parse_top(channel->sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    EXPECT_EQ(device[DEVHOST_A_DEV_FORCE], nullptr);
    kernel->remove_device("ivi", "can0", true);
    device = parse_nest(parse_top(channel->sent)[DEVHOST_A_DEV], DEVHOST_A_DEV_MAX);
    EXPECT_NE(device[DEVHOST_A_DEV_FORCE], nullptr);
    kernel->remove_guest("ivi", true);
    const auto guest = parse_nest(parse_top(channel->sent)[DEVHOST_A_GUEST], DEVHOST_A_GUEST_MAX);
    EXPECT_NE(guest[DEVHOST_A_GUEST_FORCE], nullptr);
}

TEST_F(Genl, ReadsStatistics)
{
    NlMessage message = new_message(DEVHOST_CMD_STATS_GET);
    nl_msg *m = message.get();
    nlattr *nest = nla_nest_start(m, DEVHOST_A_STATS | NLA_F_NESTED);
    for (std::uint32_t i = 0; i < 2; i++) {
        nlattr *queue = nla_nest_start(m, DEVHOST_A_STATS_VQ | NLA_F_NESTED);
        nla_put_u32(m, DEVHOST_A_VQ_INDEX, i);
        nla_put_string(m, DEVHOST_A_VQ_NAME, i == 0 ? "txq" : "rxq");
        nla_put_u64(m, DEVHOST_A_VQ_KICKS, 10 + i);
        nla_put_u32(m, DEVHOST_A_VQ_INFLIGHT, 4);
        nla_nest_end(m, queue);
    }
    nlattr *counter = nla_nest_start(m, DEVHOST_A_STATS_COUNTER | NLA_F_NESTED);
    nla_put_string(m, DEVHOST_A_COUNTER_NAME, "rx_dropped");
    nla_put_u64(m, DEVHOST_A_COUNTER_VALUE, 5);
    nla_nest_end(m, counter);
    put_verdict(m, DEVHOST_A_STATS_VERDICT, DEVHOST_VERDICT_DENY, 6);
    nla_nest_end(m, nest);
    channel->answer(message);

    const DeviceStatistics statistics = kernel->statistics("ivi", "can0");
    ASSERT_EQ(statistics.queues.size(), 2U);
    EXPECT_EQ(statistics.queues[1].name, "rxq");
    EXPECT_EQ(statistics.queues[1].kicks, 11U);
    EXPECT_EQ(statistics.queues[1].inflight, 4U);
    ASSERT_EQ(statistics.counters.size(), 1U);
    EXPECT_EQ(statistics.counters[0].second, 5U);
    EXPECT_EQ(statistics.verdicts[DEVHOST_VERDICT_DENY], 6U);
}

TEST_F(Genl, EventsByKind)
{
    channel->events.emplace_back(nlmsg_hdr(guest_message(DEVHOST_CMD_GUEST_NEW_NTF).get()));
    channel->events.emplace_back(nlmsg_hdr(device_message(DEVHOST_CMD_DEVICE_DEL_NTF).get()));
    channel->events.emplace_back(nlmsg_hdr(guest_message(DEVHOST_CMD_POLICY_CHANGE_NTF).get()));
    channel->events.emplace_back(nlmsg_hdr(guest_message(200).get())); // of a newer module
    channel->complete = false;
    const std::vector<KernelEvent> events = kernel->read_events();
    ASSERT_EQ(events.size(), 4U);
    EXPECT_TRUE(std::holds_alternative<event::GuestNew>(events[0]));
    EXPECT_TRUE(std::holds_alternative<event::DeviceGone>(events[1]));
    EXPECT_TRUE(std::holds_alternative<event::PolicyChange>(events[2]));
    EXPECT_TRUE(std::holds_alternative<event::Overrun>(events[3]));
}

TEST_F(Genl, DenialHasTheWordsOfRules)
{
    const auto denied = [&](const std::function<void(nl_msg *)> &put) {
        NlMessage message = new_message(DEVHOST_CMD_POLICY_DENIED_NTF);
        nlattr *nest = nla_nest_start(message.get(), DEVHOST_A_DENIAL | NLA_F_NESTED);
        nla_put_string(message.get(), DEVHOST_A_DENIAL_GUEST, "ivi");
        nla_put_string(message.get(), DEVHOST_A_DENIAL_DEV, "can0");
        nla_put_u32(message.get(), DEVHOST_A_DENIAL_VERDICT, DEVHOST_VERDICT_LIMIT);
        nla_put_u64(message.get(), DEVHOST_A_DENIAL_SUPPRESSED, 12);
        put(message.get());
        nla_nest_end(message.get(), nest);
        channel->events.clear();
        channel->events.emplace_back(nlmsg_hdr(message.get()));
        return std::get<event::PolicyDenied>(kernel->read_events().at(0)).denial;
    };

    const DenialInfo frame = denied([](nl_msg *m) {
        nla_put_u32(m, DEVHOST_A_DENIAL_CAN_ID, 0x7e8);
        nla_put_flag(m, DEVHOST_A_DENIAL_CAN_FD);
    });
    EXPECT_EQ(frame.guest + "/" + frame.device, "ivi/can0");
    EXPECT_EQ(to_json(frame.item),
              R"({"direction":"transmit","extended":false,"fd":true,"id":2024,"rtr":false})");
    EXPECT_EQ(describe(frame),
              "a limit of the policy refused: direction=\"transmit\", extended=false, fd=true, "
              "id=0x7e8, rtr=false. And 12 more.");
    EXPECT_EQ(to_json(denied([](nl_msg *m) {
                          nla_put_u32(m, DEVHOST_A_DENIAL_REQUEST, 1);
                          nla_put_u32(m, DEVHOST_A_DENIAL_ITEM, 2);
                          nla_put_u32(m, DEVHOST_A_DENIAL_RATE, 48000);
                          nla_put_flag(m, DEVHOST_A_DENIAL_TO_GUEST);
                      }).item),
              R"({"direction":"capture","rate":48000,"request":"start","stream":2})");
    EXPECT_EQ(to_json(denied([](nl_msg *m) {
                          nla_put_u32(m, DEVHOST_A_DENIAL_REQUEST, 2);
                          nla_put_u32(m, DEVHOST_A_DENIAL_ITEM, 3);
                          nla_put_u64(m, DEVHOST_A_DENIAL_VALUE, static_cast<std::uint64_t>(-5));
                      }).item),
              R"({"control":3,"request":"control","value":-5})");
    EXPECT_EQ(to_json(denied([](nl_msg *m) {
                          nla_put_u32(m, DEVHOST_A_DENIAL_PROTOCOL, 0x14);
                          nla_put_u32(m, DEVHOST_A_DENIAL_MESSAGE, 5);
                          nla_put_u64(m, DEVHOST_A_DENIAL_VALUE, 400000000);
                      }).item),
              R"({"message":5,"protocol":20,"value":400000000})");
    EXPECT_EQ(to_json(denied([](nl_msg *m) {
                          nla_put_u32(m, DEVHOST_A_DENIAL_REQUEST, 9);
                          nla_put_u32(m, DEVHOST_A_DENIAL_ITEM, 1);
                          nla_put_u32(m, DEVHOST_A_DENIAL_FORMAT, 4099);
                          nla_put_u32(m, DEVHOST_A_DENIAL_WIDTH, 1920);
                      }).item),
              R"({"format":4099,"request":"9","stream":1,"width":1920})");
}

TEST_F(Genl, KernelsWordsBecomeTheSentence)
{
    const std::vector<std::pair<int, Cause>> causes{
        {EBUSY, Cause::device_busy},   {ENOENT, Cause::no_such_device},
        {EPERM, Cause::access_denied}, {EINVAL, Cause::invalid_args},
        {ENOMEM, Cause::kernel},       {EDQUOT, Cause::limits_exceeded},
    };
    for (const auto &[error, cause] : causes) {
        channel->error = error;
        channel->text = "a VMM has it open";
        try {
            kernel->remove_device("ivi", "can0", false);
            ADD_FAILURE() << "nothing was thrown";
        } catch (const Error &caught) {
            EXPECT_EQ(caught.cause(), cause);
            EXPECT_STREQ(caught.what(),
                         "Cannot remove device 'can0' of guest 'ivi': a VMM has it open.");
        }
    }
}

TEST_F(Genl, AnswerOfAnotherFormIsRefused)
{
    const auto expect_kernel_error = [&] {
        try {
            kernel->guest("ivi");
            ADD_FAILURE() << "nothing was thrown";
        } catch (const Error &error) {
            EXPECT_EQ(error.cause(), Cause::kernel);
        }
    };
    expect_kernel_error(); // no answer at all
    channel->answer(device_message(DEVHOST_CMD_GUEST_GET));
    expect_kernel_error();
}

} // namespace
} // namespace devhost::test
