// SPDX-License-Identifier: Apache-2.0
#include "genl_messages.hpp"

#include <cstring>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <vector>

#include "genl_attributes.hpp"
#include "genl_denial.hpp"
#include "genl_scmi.hpp"
#include "netlink.hpp"

namespace devhost {

namespace {

// A message about a device begins with its names.
class DeviceNest {
public:
    DeviceNest(nl_msg &message, const std::string &guest, const std::string &name)
        : nest_(message, DEVHOST_A_DEV)
    {
        put(message, DEVHOST_A_DEV_GUEST, guest);
        put(message, DEVHOST_A_DEV_NAME, name);
    }

private:
    const Nest nest_;
};

void put_element(nl_msg &message, const SndFiles &files, std::uint32_t id)
{
    const SndElement &element = files.controls.at(id);
    put(message, DEVHOST_A_SND_CONTROL_FD, files.cards.at(element.card));
    put(message, DEVHOST_A_SND_CONTROL_NUMID, element.numid);
}

void put_backend(nl_msg &message, const SndDeviceConfig &snd, const BackendFiles &of)
{
    const auto &files = std::get<SndFiles>(of);
    for (std::uint32_t id = 0; id < snd.streams.size(); id++) {
        const SndStreamConfig &stream = snd.streams[id];
        const Nest nest(message, DEVHOST_A_SND_STREAM);
        put(message, DEVHOST_A_SND_STREAM_FD, files.pcms.at(id));
        put(message, DEVHOST_A_SND_STREAM_NODE, stream.node);
        put(message, DEVHOST_A_SND_STREAM_CHANNELS_MAX, stream.channels_max);
        put(message, DEVHOST_A_SND_STREAM_RATE_MAX, stream.rate_max);
        put(message, DEVHOST_A_SND_STREAM_PERIOD_MIN, stream.period_min);
        put(message, DEVHOST_A_SND_STREAM_BUFFER_MAX, stream.buffer_max);
    }
    for (const SndJackConfig &jack : snd.jacks) {
        const Nest nest(message, DEVHOST_A_SND_JACK);
        put(message, DEVHOST_A_SND_JACK_NODE, jack.node);
        put(message, DEVHOST_A_SND_JACK_DEFCONF, jack.default_config);
        put(message, DEVHOST_A_SND_JACK_CAPS, jack.capabilities);
        put(message, DEVHOST_A_SND_JACK_CONNECTED, std::uint32_t{jack.connected});
    }
    for (std::uint32_t id = 0; id < snd.controls.size(); id++) {
        const Nest nest(message, DEVHOST_A_SND_CONTROL);
        put_element(message, files, id);
        put(message, DEVHOST_A_SND_CONTROL_ROLE, snd.controls[id].role);
        put_flag(message, DEVHOST_A_SND_CONTROL_READ_ONLY, snd.controls[id].read_only);
    }
}

void put_backend(nl_msg &message, const CanDeviceConfig &can, const BackendFiles & /*files*/)
{
    put(message, DEVHOST_A_CAN_IFNAME, can.interface);
    put_flag(message, DEVHOST_A_CAN_WAIT, can.wait);
    put(message, DEVHOST_A_CAN_RX_BACKLOG, can.rx_backlog);
    put(message, DEVHOST_A_CAN_TX_INFLIGHT, can.tx_inflight);
}

void put_backend(nl_msg &message, const VideoDeviceConfig &video, const BackendFiles &files)
{
    put(message, DEVHOST_A_VIDEO_FD, std::get<VideoFile>(files).node);
    put(message, DEVHOST_A_VIDEO_STREAMS_MAX, video.streams_max);
}

VerdictCounts verdicts_from(const std::vector<nlattr *> &nests)
{
    VerdictCounts counts{};
    for (const nlattr *nest : nests) {
        const Attributes verdict(nest, DEVHOST_A_VERDICT_MAX);
        const auto kind = verdict.number(DEVHOST_A_VERDICT_KIND);
        if (kind < counts.size()) {
            counts[kind] = verdict.number(DEVHOST_A_VERDICT_COUNT);
        }
    }
    return counts;
}

Limits limits_in(const nlattr *nest)
{
    Limits limits;
    if (nest != nullptr) {
        const Attributes all(nest, DEVHOST_A_LIMIT_MAX);
        for (const LimitKind &kind : limit_kinds) {
            limits.*kind.value = all.optional64(kind.attribute);
        }
    }
    return limits;
}

CanBackendInfo can_from(const nlattr *nest)
{
    const Attributes can(nest, DEVHOST_A_CAN_MAX);
    return {.interface = can.text(DEVHOST_A_CAN_IFNAME),
            .ifindex = can.optional32(DEVHOST_A_CAN_IFINDEX),
            .rx_backlog = can.number32(DEVHOST_A_CAN_RX_BACKLOG),
            .tx_inflight = can.number32(DEVHOST_A_CAN_TX_INFLIGHT),
            .state = static_cast<devhost_can_state>(can.number32(DEVHOST_A_CAN_STATE))};
}

SndStreamInfo stream_from(const nlattr *nest)
{
    const Attributes stream(nest, DEVHOST_A_SND_STREAM_MAX);
    SndStreamInfo info{
        .direction =
            static_cast<devhost_snd_direction>(stream.number32(DEVHOST_A_SND_STREAM_DIRECTION)),
        .state = static_cast<devhost_snd_state>(stream.number32(DEVHOST_A_SND_STREAM_STATE)),
        .node = stream.number32(DEVHOST_A_SND_STREAM_NODE),
        .channels_max = stream.number32(DEVHOST_A_SND_STREAM_CHANNELS_MAX),
        .rate_max = stream.number32(DEVHOST_A_SND_STREAM_RATE_MAX),
        .period_min = stream.number32(DEVHOST_A_SND_STREAM_PERIOD_MIN),
        .buffer_max = stream.number32(DEVHOST_A_SND_STREAM_BUFFER_MAX),
        .pcm = {}};
    if (stream.has(DEVHOST_A_SND_STREAM_CARD)) {
        info.pcm = {.card = stream.number32(DEVHOST_A_SND_STREAM_CARD),
                    .device = stream.number32(DEVHOST_A_SND_STREAM_DEVICE),
                    .subdevice = stream.number32(DEVHOST_A_SND_STREAM_SUBDEVICE)};
    }
    return info;
}

SndBackendInfo snd_from(const nlattr *nest)
{
    const Attributes snd(nest, DEVHOST_A_SND_MAX);
    SndBackendInfo info;
    for (const nlattr *each : snd.all(DEVHOST_A_SND_STREAM)) {
        info.streams.push_back(stream_from(each));
    }
    for (const nlattr *each : snd.all(DEVHOST_A_SND_JACK)) {
        const Attributes jack(each, DEVHOST_A_SND_JACK_MAX);
        info.jacks.push_back({.node = jack.number32(DEVHOST_A_SND_JACK_NODE),
                              .default_config = jack.number32(DEVHOST_A_SND_JACK_DEFCONF),
                              .capabilities = jack.number32(DEVHOST_A_SND_JACK_CAPS),
                              .connected = jack.number(DEVHOST_A_SND_JACK_CONNECTED) != 0});
    }
    for (const nlattr *each : snd.all(DEVHOST_A_SND_CONTROL)) {
        const Attributes control(each, DEVHOST_A_SND_CONTROL_MAX);
        info.controls.push_back({.numid = control.number32(DEVHOST_A_SND_CONTROL_NUMID),
                                 .role = control.number32(DEVHOST_A_SND_CONTROL_ROLE),
                                 .read_only = control.has(DEVHOST_A_SND_CONTROL_READ_ONLY),
                                 .card = control.optional32(DEVHOST_A_SND_CONTROL_CARD)});
    }
    return info;
}

VideoBackendInfo video_from(const nlattr *nest)
{
    const Attributes video(nest, DEVHOST_A_VIDEO_MAX);
    return {.name = video.text(DEVHOST_A_VIDEO_NAME),
            .node = video.optional32(DEVHOST_A_VIDEO_NODE),
            .streams_max = video.number32(DEVHOST_A_VIDEO_STREAMS_MAX)};
}

// Of a class that this version does not know: nothing.
BackendInfo backend_from(const std::string &device_class, const nlattr *nest)
{
    if (device_class == "can") {
        return can_from(nest);
    }
    if (device_class == "snd") {
        return snd_from(nest);
    }
    if (device_class == "scmi") {
        return scmi_from(nest);
    }
    if (device_class == "video_decoder" || device_class == "video_encoder") {
        return video_from(nest);
    }
    return {};
}

} // namespace

void put_guest(nl_msg &message, const std::string &name)
{
    put_guest_removal(message, name, /*force=*/false);
}

void put_guest_limits(nl_msg &message, const std::string &name, const Limits &limits)
{
    const Nest nest(message, DEVHOST_A_GUEST);
    put(message, DEVHOST_A_GUEST_NAME, name);
    const Nest all(message, DEVHOST_A_GUEST_LIMITS);
    for (const LimitKind &kind : limit_kinds) {
        if (const auto &value = limits.*kind.value) {
            put(message, kind.attribute, *value);
        }
    }
}

void put_guest_removal(nl_msg &message, const std::string &name, bool force)
{
    const Nest nest(message, DEVHOST_A_GUEST);
    put(message, DEVHOST_A_GUEST_NAME, name);
    put_flag(message, DEVHOST_A_GUEST_FORCE, force);
}

void put_device(nl_msg &message, const std::string &guest, const std::string &name)
{
    put_device_removal(message, guest, name, /*force=*/false);
}

void put_device_removal(nl_msg &message, const std::string &guest, const std::string &name,
                        bool force)
{
    const DeviceNest nest(message, guest, name);
    put_flag(message, DEVHOST_A_DEV_FORCE, force);
}

void put_features_mask(nl_msg &message, const std::string &guest, const std::string &name,
                       std::uint64_t mask)
{
    const DeviceNest nest(message, guest, name);
    put(message, DEVHOST_A_DEV_FEATURES_MASK, mask);
}

void put_sound(nl_msg &message, const std::string &guest, const std::string &name,
               const SndFiles &files)
{
    const DeviceNest nest(message, guest, name);
    const Nest backend(message, DEVHOST_A_DEV_BACKEND);
    for (const auto &[id, fd] : files.pcms) {
        const Nest stream(message, DEVHOST_A_SND_STREAM);
        put(message, DEVHOST_A_SND_STREAM_ID, id);
        put(message, DEVHOST_A_SND_STREAM_FD, fd);
    }
    for (const auto &[id, unused] : files.controls) {
        const Nest control(message, DEVHOST_A_SND_CONTROL);
        put(message, DEVHOST_A_SND_CONTROL_ID, id);
        put_element(message, files, id);
    }
}

void put_codec(nl_msg &message, const std::string &guest, const std::string &name,
               const VideoFile &file)
{
    const DeviceNest nest(message, guest, name);
    const Nest backend(message, DEVHOST_A_DEV_BACKEND);
    put(message, DEVHOST_A_VIDEO_FD, file.node);
}

void put_jacks(nl_msg &message, const std::string &guest, const std::string &name,
               const std::vector<bool> &connected)
{
    const DeviceNest nest(message, guest, name);
    const Nest backend(message, DEVHOST_A_DEV_BACKEND);
    for (std::uint32_t id = 0; id < connected.size(); id++) {
        const Nest jack(message, DEVHOST_A_SND_JACK);
        put(message, DEVHOST_A_SND_JACK_ID, id);
        put(message, DEVHOST_A_SND_JACK_CONNECTED, std::uint32_t{connected[id]});
    }
}

void put_new_device(nl_msg &message, const std::string &guest, const DeviceConfig &device,
                    const BackendFiles &files)
{
    const DeviceNest nest(message, guest, device.name);
    put(message, DEVHOST_A_DEV_CLASS, device.device_class);
    put(message, DEVHOST_A_DEV_FEATURES_MASK, features_mask(device.ring));
    if (device.vq_size_max) {
        put(message, DEVHOST_A_DEV_VQ_SIZE_MAX, *device.vq_size_max);
    }
    put_flag(message, DEVHOST_A_DEV_POLICY_REQUIRED, device.policy_required);
    const Nest backend(message, DEVHOST_A_DEV_BACKEND);
    std::visit([&](const auto &of_class) { put_backend(message, of_class, files); },
               device.backend);
}

void put_statistics_of(nl_msg &message, const std::string &guest, const std::string &name)
{
    const Nest nest(message, DEVHOST_A_STATS);
    put(message, DEVHOST_A_STATS_GUEST, guest);
    put(message, DEVHOST_A_STATS_DEV, name);
}

GuestInfo decode_guest(nlmsghdr *header)
{
    const Attributes guest = contents(header, DEVHOST_A_GUEST, DEVHOST_A_GUEST_MAX);
    return {.name = guest.text(DEVHOST_A_GUEST_NAME),
            .id = guest.number32(DEVHOST_A_GUEST_ID),
            .policy = guest.optional32(DEVHOST_A_GUEST_POLICY),
            .pinned = guest.number(DEVHOST_A_GUEST_PINNED),
            .verdicts = verdicts_from(guest.all(DEVHOST_A_GUEST_VERDICT)),
            .limits = limits_in(guest.find(DEVHOST_A_GUEST_LIMITS)),
            .use = limits_in(guest.find(DEVHOST_A_GUEST_USE)),
            .refused = limits_in(guest.find(DEVHOST_A_GUEST_REFUSED))};
}

DeviceInfo decode_device(nlmsghdr *header)
{
    const Attributes device = contents(header, DEVHOST_A_DEV, DEVHOST_A_DEV_MAX);
    DeviceInfo info{
        .guest = device.text(DEVHOST_A_DEV_GUEST),
        .name = device.text(DEVHOST_A_DEV_NAME),
        .id = device.number32(DEVHOST_A_DEV_ID),
        .device_class = device.text(DEVHOST_A_DEV_CLASS),
        .virtio_id = device.number32(DEVHOST_A_DEV_VIRTIO_ID),
        .vdpa_name = device.text(DEVHOST_A_DEV_VDPA),
        .state = static_cast<devhost_dev_state>(device.number32(DEVHOST_A_DEV_STATE)),
        .status = static_cast<std::uint8_t>(device.number(DEVHOST_A_DEV_STATUS)),
        .reason = device.text(DEVHOST_A_DEV_REASON),
        .features = device.number(DEVHOST_A_DEV_FEATURES),
        .driver_features = device.number(DEVHOST_A_DEV_DRIVER_FEATURES),
        .features_mask = device.number(DEVHOST_A_DEV_FEATURES_MASK),
        .vq_size_max = device.number32(DEVHOST_A_DEV_VQ_SIZE_MAX),
        .vqs = device.number32(DEVHOST_A_DEV_VQS),
        .policy_required = device.has(DEVHOST_A_DEV_POLICY_REQUIRED),
        .worker = device.optional32(DEVHOST_A_DEV_WORKER),
        .backend = {},
    };
    if (const nlattr *backend = device.find(DEVHOST_A_DEV_BACKEND)) {
        info.backend = backend_from(info.device_class, backend);
    }
    return info;
}

DeviceStatistics decode_statistics(nlmsghdr *header)
{
    const Attributes stats = contents(header, DEVHOST_A_STATS, DEVHOST_A_STATS_MAX);
    DeviceStatistics result;
    for (const nlattr *nest : stats.all(DEVHOST_A_STATS_VQ)) {
        const Attributes queue(nest, DEVHOST_A_VQ_MAX);
        result.queues.push_back({.index = queue.number32(DEVHOST_A_VQ_INDEX),
                                 .name = queue.text(DEVHOST_A_VQ_NAME),
                                 .kicks = queue.number(DEVHOST_A_VQ_KICKS),
                                 .popped = queue.number(DEVHOST_A_VQ_POPPED),
                                 .pushed = queue.number(DEVHOST_A_VQ_PUSHED),
                                 .notified = queue.number(DEVHOST_A_VQ_NOTIFIED),
                                 .malformed = queue.number(DEVHOST_A_VQ_MALFORMED),
                                 .inflight = queue.number32(DEVHOST_A_VQ_INFLIGHT)});
    }
    for (const nlattr *nest : stats.all(DEVHOST_A_STATS_COUNTER)) {
        const Attributes counter(nest, DEVHOST_A_COUNTER_MAX);
        result.counters.emplace_back(counter.text(DEVHOST_A_COUNTER_NAME),
                                     counter.number(DEVHOST_A_COUNTER_VALUE));
    }
    result.verdicts = verdicts_from(stats.all(DEVHOST_A_STATS_VERDICT));
    return result;
}

std::optional<KernelEvent> decode_event(nlmsghdr *header)
{
    const auto *genl = static_cast<const genlmsghdr *>(nlmsg_data(header));
    switch (genl->cmd) {
    case DEVHOST_CMD_GUEST_NEW_NTF:
        return event::GuestNew{decode_guest(header)};
    case DEVHOST_CMD_GUEST_DEL_NTF:
        return event::GuestGone{decode_guest(header)};
    case DEVHOST_CMD_GUEST_CHANGE_NTF:
        return event::GuestChange{decode_guest(header)};
    case DEVHOST_CMD_POLICY_CHANGE_NTF:
        return event::PolicyChange{decode_guest(header)};
    case DEVHOST_CMD_DEVICE_NEW_NTF:
        return event::DeviceNew{decode_device(header)};
    case DEVHOST_CMD_DEVICE_DEL_NTF:
        return event::DeviceGone{decode_device(header)};
    case DEVHOST_CMD_DEVICE_CHANGE_NTF:
        return event::DeviceChange{decode_device(header)};
    case DEVHOST_CMD_RESOURCE_CHANGE_NTF:
        return event::ResourceChange{decode_resource(header)};
    case DEVHOST_CMD_POWER_REQUEST_NTF:
        return event::PowerRequest{decode_device(header)};
    case DEVHOST_CMD_POLICY_DENIED_NTF:
        return event::PolicyDenied{decode_denial(header)};
    default:
        return std::nullopt;
    }
}

} // namespace devhost
