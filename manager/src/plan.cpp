// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <map>

namespace devhost {

namespace {

bool same_backend(const CanDeviceConfig &wanted, const BackendInfo &have)
{
    const auto *can = std::get_if<CanBackendInfo>(&have);
    return can != nullptr && can->interface == wanted.interface &&
           can->rx_backlog == wanted.rx_backlog && can->tx_inflight == wanted.tx_inflight;
}

bool same_device(const DeviceConfig &wanted, const DeviceInfo &have)
{
    return wanted.device_class == have.device_class &&
           wanted.policy_required == have.policy_required &&
           (!wanted.vq_size_max || *wanted.vq_size_max == have.vq_size_max) &&
           std::visit([&](const auto &backend) { return same_backend(backend, have.backend); },
                      wanted.backend);
}

bool link_is_due(const DeviceConfig &wanted, const Device &have)
{
    const CanDeviceConfig *can = wanted.can();
    return can != nullptr && can->sets_interface() && have.link && !satisfies(*have.link, *can);
}

void plan_device(const DeviceConfig &wanted, const Guest *existing, std::vector<Step> &steps)
{
    const auto found = existing == nullptr ? std::map<std::string, Device>::const_iterator()
                                           : existing->devices.find(wanted.name);
    if (existing == nullptr || found == existing->devices.end()) {
        steps.emplace_back(step::CreateDevice{wanted.name});
        return;
    }
    const Device &have = found->second;
    if (!same_device(wanted, have.info)) {
        steps.emplace_back(step::ReplaceDevice{wanted.name});
        return;
    }
    if (features_mask(wanted.ring) != have.info.features_mask) {
        steps.emplace_back(step::SetFeaturesMask{wanted.name});
    }
    if (link_is_due(wanted, have)) {
        steps.emplace_back(step::SetLink{wanted.name});
    }
}

bool same_link(const CanDeviceConfig &a, const CanDeviceConfig &b)
{
    const auto agree = [](const auto &x, const auto &y) { return !x || !y || x == y; };
    return agree(a.bitrate, b.bitrate) && agree(a.sample_point, b.sample_point) &&
           agree(a.data_bitrate, b.data_bitrate) &&
           agree(a.data_sample_point, b.data_sample_point) && agree(a.fd, b.fd) &&
           agree(a.restart_ms, b.restart_ms);
}

} // namespace

std::vector<Step> plan(const GuestConfig &wanted, const Guest *existing)
{
    std::vector<Step> steps;
    if (existing == nullptr) {
        steps.emplace_back(step::CreateGuest{});
    } else {
        // A device that never came from the file was made over D-Bus, and stays.
        for (const std::string &name : existing->settings.devices) {
            if (wanted.device(name) == nullptr && existing->devices.contains(name)) {
                steps.emplace_back(step::RemoveDevice{name});
            }
        }
    }
    // The policy before the devices, so that none serves a frame without it.
    if (wanted.policy) {
        if (existing == nullptr || existing->policy != wanted.policy) {
            steps.emplace_back(step::SetPolicy{});
        }
    } else if (existing != nullptr && existing->settings.policy && existing->policy) {
        steps.emplace_back(step::ClearPolicy{});
    }
    for (const DeviceConfig &device : wanted.devices) {
        plan_device(device, existing, steps);
    }
    return steps;
}

std::vector<std::string> link_conflicts(const std::vector<GuestConfig> &guests)
{
    struct First {
        std::string who;
        const CanDeviceConfig *can;
    };
    std::map<std::string, First> seen;
    std::vector<std::string> conflicts;
    for (const GuestConfig &guest : guests) {
        for (const DeviceConfig &device : guest.devices) {
            const CanDeviceConfig *can = device.can();
            if (can == nullptr || !can->sets_interface()) {
                continue;
            }
            const std::string who = guest.name + "/" + device.name;
            const auto [first, fresh] = seen.try_emplace(can->interface, First{who, can});
            if (!fresh && !same_link(*first->second.can, *can)) {
                conflicts.push_back("The devices " + first->second.who + " and " + who +
                                    " share the interface '" + can->interface +
                                    "' and set it differently: make their settings equal.");
            }
        }
    }
    return conflicts;
}

} // namespace devhost
