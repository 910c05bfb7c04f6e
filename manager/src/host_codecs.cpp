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
        } catch (const Error &error) {
            log_error({.guest = guest_name, .device = name}, error.what());
        }
    }
}

} // namespace devhost
