// SPDX-License-Identifier: Apache-2.0
#include "genl_kernel.hpp"

#include <cerrno>

#include "error.hpp"
#include "genl_messages.hpp"
#include "genl_scmi.hpp"

namespace devhost {

namespace {

// What an error number means for one kind of request.
struct Meaning {
    Cause absent = Cause::kernel;
    Cause exists = Cause::kernel;
    Cause busy = Cause::kernel;
};

constexpr Meaning of_guest{
    .absent = Cause::no_such_guest, .exists = Cause::guest_exists, .busy = Cause::guest_busy};
constexpr Meaning of_device{
    .absent = Cause::no_such_device, .exists = Cause::device_exists, .busy = Cause::device_busy};

Cause cause_of(int error, const Meaning &meaning)
{
    switch (error) {
    case ENOENT:
        return meaning.absent;
    case EEXIST:
        return meaning.exists;
    case EBUSY:
        return meaning.busy;
    case EINVAL:
    case ERANGE:
    case ENODEV:
        return Cause::invalid_args;
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
        return Cause::not_supported;
    case EDQUOT:
        return Cause::limits_exceeded;
    case EPERM:
    case EACCES:
        return Cause::access_denied;
    default:
        return Cause::kernel;
    }
}

template <typename Request>
auto run(const Meaning &meaning, const std::string &what, const Request &request)
{
    try {
        return request();
    } catch (const NetlinkError &error) {
        std::string sentence = what + ": " + error.what();
        if (!sentence.ends_with('.')) {
            sentence += '.';
        }
        throw Error(cause_of(error.error(), meaning), sentence);
    }
}

std::string the_guest(const std::string &name)
{
    return "guest '" + name + "'";
}

std::string the_device(const std::string &guest, const std::string &name)
{
    return "device '" + name + "' of guest '" + guest + "'";
}

nlmsghdr *only(const std::vector<NlReply> &replies)
{
    if (replies.empty()) {
        throw Error(Cause::kernel, "The kernel module did not answer the request: use devhostd "
                                   "and devhost-dkms of one version.");
    }
    return replies.front().header();
}

void nothing(nl_msg & /*message*/) {}

} // namespace

std::vector<GuestInfo> GenlKernel::guests()
{
    return run({}, "Cannot list the guests", [&] {
        std::vector<GuestInfo> guests;
        for (const NlReply &reply : channel_->request(DEVHOST_CMD_GUEST_GET, true, nothing)) {
            guests.push_back(decode_guest(reply.header()));
        }
        return guests;
    });
}

std::vector<DeviceInfo> GenlKernel::devices()
{
    return run({}, "Cannot list the devices", [&] {
        std::vector<DeviceInfo> devices;
        for (const NlReply &reply : channel_->request(DEVHOST_CMD_DEVICE_GET, true, nothing)) {
            devices.push_back(decode_device(reply.header()));
        }
        return devices;
    });
}

GuestInfo GenlKernel::guest(const std::string &name)
{
    return run(of_guest, "Cannot read " + the_guest(name), [&] {
        return decode_guest(only(channel_->request(
            DEVHOST_CMD_GUEST_GET, false, [&](nl_msg &message) { put_guest(message, name); })));
    });
}

DeviceInfo GenlKernel::device(const std::string &guest, const std::string &name)
{
    return run(of_device, "Cannot read " + the_device(guest, name), [&] {
        return decode_device(
            only(channel_->request(DEVHOST_CMD_DEVICE_GET, false,
                                   [&](nl_msg &message) { put_device(message, guest, name); })));
    });
}

GuestInfo GenlKernel::create_guest(const std::string &name, const Limits &limits)
{
    return run(of_guest, "Cannot create " + the_guest(name), [&] {
        return decode_guest(
            only(channel_->request(DEVHOST_CMD_GUEST_NEW, false, [&](nl_msg &message) {
                put_guest_limits(message, name, limits);
            })));
    });
}

GuestInfo GenlKernel::set_limits(const std::string &name, const Limits &limits)
{
    run(of_guest, "Cannot limit " + the_guest(name), [&] {
        channel_->request(DEVHOST_CMD_GUEST_SET, false,
                          [&](nl_msg &message) { put_guest_limits(message, name, limits); });
    });
    return guest(name);
}

void GenlKernel::remove_guest(const std::string &name, bool force)
{
    run(of_guest, "Cannot remove " + the_guest(name), [&] {
        channel_->request(DEVHOST_CMD_GUEST_DEL, false,
                          [&](nl_msg &message) { put_guest_removal(message, name, force); });
    });
}

DeviceInfo GenlKernel::create_device(const std::string &guest, const DeviceConfig &device,
                                     const BackendFiles &files)
{
    // The backend's absence is ENODEV; ENOENT is the guest's.
    Meaning meaning = of_device;
    meaning.absent = Cause::no_such_guest;
    return run(meaning, "Cannot create " + the_device(guest, device.name), [&] {
        return decode_device(
            only(channel_->request(DEVHOST_CMD_DEVICE_NEW, false, [&](nl_msg &message) {
                put_new_device(message, guest, device, files);
            })));
    });
}

void GenlKernel::remove_device(const std::string &guest, const std::string &name, bool force)
{
    run(of_device, "Cannot remove " + the_device(guest, name), [&] {
        channel_->request(DEVHOST_CMD_DEVICE_DEL, false, [&](nl_msg &message) {
            put_device_removal(message, guest, name, force);
        });
    });
}

void GenlKernel::change(const std::string &guest, const std::string &name,
                        const GenlChannel::Fill &fill)
{
    run(of_device, "Cannot change " + the_device(guest, name),
        [&] { channel_->request(DEVHOST_CMD_DEVICE_SET, false, fill); });
}

DeviceInfo GenlKernel::set_sound(const std::string &guest, const std::string &name,
                                 const SndFiles &files)
{
    change(guest, name, [&](nl_msg &message) { put_sound(message, guest, name, files); });
    return device(guest, name);
}

DeviceInfo GenlKernel::set_codec(const std::string &guest, const std::string &name,
                                 const VideoFile &file)
{
    change(guest, name, [&](nl_msg &message) { put_codec(message, guest, name, file); });
    return device(guest, name);
}

DeviceInfo GenlKernel::set_jacks(const std::string &guest, const std::string &name,
                                 const std::vector<bool> &connected)
{
    change(guest, name, [&](nl_msg &message) { put_jacks(message, guest, name, connected); });
    return device(guest, name);
}

DeviceInfo GenlKernel::set_features_mask(const std::string &guest, const std::string &name,
                                         std::uint64_t mask)
{
    change(guest, name, [&](nl_msg &message) { put_features_mask(message, guest, name, mask); });
    return device(guest, name);
}

std::vector<ScmiResourceInfo> GenlKernel::resources(const std::string &guest,
                                                    const std::string &name)
{
    return run(of_device, "Cannot list the resources of " + the_device(guest, name), [&] {
        std::vector<ScmiResourceInfo> resources;
        for (const NlReply &reply :
             channel_->request(DEVHOST_CMD_RESOURCE_GET, true, [&](nl_msg &message) {
                 put_resources_of(message, guest, name, std::nullopt);
             })) {
            resources.push_back(decode_resource(reply.header()).scmi);
        }
        return resources;
    });
}

ScmiResourceInfo GenlKernel::resource(const std::string &guest, const std::string &name,
                                      std::uint32_t index)
{
    return run(of_device, "Cannot read a resource of " + the_device(guest, name), [&] {
        return decode_resource(only(channel_->request(DEVHOST_CMD_RESOURCE_GET, false,
                                                      [&](nl_msg &message) {
                                                          put_resources_of(message, guest, name,
                                                                           index);
                                                      })))
            .scmi;
    });
}

void GenlKernel::set_ceiling(const std::string &guest, const std::string &name,
                             devhost_scmi_kind kind, std::uint32_t id,
                             std::optional<std::uint64_t> level)
{
    change(guest, name,
           [&](nl_msg &message) { put_ceiling(message, guest, name, kind, id, level); });
}

void GenlKernel::push_reading(const std::string &guest, const std::string &name, std::uint32_t id,
                              std::int64_t value)
{
    change(guest, name, [&](nl_msg &message) { put_reading(message, guest, name, id, value); });
}

void GenlKernel::announce(const std::string &guest, const std::string &name,
                          const ScmiAnnouncement &announcement)
{
    change(guest, name,
           [&](nl_msg &message) { put_announcement(message, guest, name, announcement); });
}

DeviceStatistics GenlKernel::statistics(const std::string &guest, const std::string &name)
{
    return run(of_device, "Cannot read the statistics of " + the_device(guest, name), [&] {
        return decode_statistics(
            only(channel_->request(DEVHOST_CMD_STATS_GET, false, [&](nl_msg &message) {
                put_statistics_of(message, guest, name);
            })));
    });
}

std::vector<KernelEvent> GenlKernel::read_events()
{
    std::vector<KernelEvent> events;
    const bool complete = channel_->read_events([&](nlmsghdr *header) {
        if (const auto event = decode_event(header)) {
            events.push_back(*event);
        }
    });
    if (!complete) {
        events.emplace_back(event::Overrun{});
    }
    return events;
}

} // namespace devhost
