// SPDX-License-Identifier: Apache-2.0
//
// Following the host's codecs.
#include "error.hpp"
#include "host.hpp"
#include "journal.hpp"

namespace devhost {

void Host::name_codec(Device &device)
{
    const auto *video = std::get_if<VideoBackendInfo>(&device.info.backend);
    device.codec = video != nullptr && video->node ? parts_.codecs.names(*video->node)
                                                   : std::vector<std::string>();
}

void Host::handle_codec_events()
{
    if (parts_.codecs.read_events() != DeviceEvents()) {
        refresh_codecs();
    }
}

// A codec that can do something else is refused by the kernel, for the guest has read what the old
// one could: that takes a reload, which makes the device anew.
void Host::refresh_codec(const std::string &guest_name, const std::string &name)
{
    const Device &device = find(guest_name, name);
    const auto *info = std::get_if<VideoBackendInfo>(&device.info.backend);
    const auto *wanted = device.wanted ? std::get_if<VideoDeviceConfig>(&*device.wanted) : nullptr;
    if (info == nullptr || wanted == nullptr || info->node) {
        return;
    }
    const Subject subject{.guest = guest_name, .device = name};
    VideoFile file;
    open_again(subject, [&] { file.node = parts_.codecs.open(*wanted); });
    if (file.node) {
        give_back(subject, "the codec is back.",
                  [&] { return parts_.kernel.set_codec(guest_name, name, file); });
    }
}

// The kernel itself tells nobody that a device has lost its codec.
void Host::refresh_codecs()
{
    std::vector<std::pair<std::string, std::string>> names; // what follows may drop devices
    for (const auto &[guest_name, guest] : guests_) {
        for (const auto &[name, device] : guest.devices) {
            if (std::holds_alternative<VideoBackendInfo>(device.info.backend)) {
                names.emplace_back(guest_name, name);
            }
        }
    }
    for (const auto &[guest_name, name] : names) {
        try {
            refresh_device(guest_name, name);
            if (const auto guest = guests_.find(guest_name);
                guest != guests_.end() && guest->second.devices.contains(name)) {
                refresh_codec(guest_name, name);
            }
        } catch (const Error &error) {
            log_error({.guest = guest_name, .device = name}, error.what());
        }
    }
}

} // namespace devhost
