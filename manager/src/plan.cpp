// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <algorithm>
#include <map>

namespace devhost {

namespace {

bool same_backend(const CanDeviceConfig &wanted, const Device &have)
{
    const auto *can = std::get_if<CanBackendInfo>(&have.info.backend);
    return can != nullptr && can->interface == wanted.interface &&
           can->rx_backlog == wanted.rx_backlog && can->tx_inflight == wanted.tx_inflight;
}

bool same_card(const std::string &wanted, std::uint32_t number, const Device &have)
{
    const auto id = have.cards.find(number);
    return wanted == std::to_string(number) || (id != have.cards.end() && wanted == id->second);
}

bool same_pcm(const SndPcmName &wanted, const SndPcmInfo &pcm, const Device &have)
{
    return same_card(wanted.card, pcm.card, have) && wanted.device == pcm.device &&
           wanted.subdevice.value_or(pcm.subdevice) == pcm.subdevice;
}

bool same_stream(const SndStreamConfig &wanted, const SndStreamInfo &stream, const Device &have)
{
    return stream.direction == wanted.direction && stream.node == wanted.node &&
           stream.channels_max == wanted.channels_max && stream.rate_max == wanted.rate_max &&
           stream.period_min == wanted.period_min && stream.buffer_max == wanted.buffer_max &&
           (!stream.pcm || same_pcm(wanted.pcm, *stream.pcm, have));
}

bool same_jack(const SndJackConfig &wanted, const SndJackConfig &have)
{
    return have.node == wanted.node && have.default_config == wanted.default_config &&
           have.capabilities == wanted.capabilities;
}

bool same_control(const SndControlConfig &wanted, const SndControlInfo &control, const Device &have)
{
    return control.role == wanted.role && control.read_only == wanted.read_only &&
           (!control.card || same_card(wanted.card, *control.card, have));
}

// Names of controls the kernel does not know: what was wanted of the device tells.
bool same_backend(const SndDeviceConfig &wanted, const Device &have)
{
    const auto *snd = std::get_if<SndBackendInfo>(&have.info.backend);
    return snd != nullptr &&
           std::ranges::equal(
               wanted.streams, snd->streams,
               [&](const auto &a, const auto &b) { return same_stream(a, b, have); }) &&
           std::ranges::equal(wanted.jacks, snd->jacks, same_jack) &&
           std::ranges::equal(
               wanted.controls, snd->controls,
               [&](const auto &a, const auto &b) { return same_control(a, b, have); }) &&
           (!have.wanted || *have.wanted == Backend(wanted));
}

bool same_resource(const ScmiResourceConfig &wanted, const ScmiResourceInfo &have)
{
    return have.kind == wanted.kind && have.host == wanted.kernel_host() &&
           have.name == wanted.guest_name() && have.source == wanted.source &&
           (wanted.device.empty() || have.device == wanted.device) &&
           have.read_only == wanted.read_only && wanted.type.value_or(have.type) == have.type &&
           wanted.scale.value_or(have.scale) == have.scale &&
           // Within the resource's own limits.
           wanted.level_min.value_or(0) <= have.level_min &&
           wanted.level_max.value_or(have.level_max) >= have.level_max;
}

bool same_backend(const ScmiDeviceConfig &wanted, const Device &have)
{
    const auto *scmi = std::get_if<ScmiBackendInfo>(&have.info.backend);
    return scmi != nullptr && scmi->system_power == wanted.system_power &&
           scmi->agent == scmi_agent(wanted, have.info.guest) &&
           std::ranges::equal(wanted.resources, have.resources, same_resource) &&
           (!have.wanted || *have.wanted == Backend(wanted));
}

// A path that is a link says nothing: what was wanted of the device tells.
bool same_node(const std::string &wanted, std::uint32_t number)
{
    constexpr std::string_view head = "/dev/video";
    const bool plain = wanted.starts_with(head) &&
                       wanted.find_first_not_of("0123456789", head.size()) == std::string::npos;
    return !plain || wanted.substr(head.size()) == std::to_string(number);
}

// A codec that was unplugged is another one when it comes back.
bool same_backend(const VideoDeviceConfig &wanted, const Device &have)
{
    const auto *video = std::get_if<VideoBackendInfo>(&have.info.backend);
    return video != nullptr && video->node && video->streams_max == wanted.streams_max &&
           same_node(wanted.node, *video->node) &&
           (wanted.codec.empty() ||
            std::ranges::find(have.codec, wanted.codec) != have.codec.end()) &&
           (!have.wanted || *have.wanted == Backend(wanted));
}

bool same_device(const DeviceConfig &wanted, const Device &have)
{
    const DeviceInfo &info = have.info;
    return wanted.device_class == info.device_class &&
           wanted.policy_required == info.policy_required &&
           (!wanted.vq_size_max || *wanted.vq_size_max == info.vq_size_max) &&
           std::visit([&](const auto &backend) { return same_backend(backend, have); },
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
    if (!same_device(wanted, have)) {
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
        if (existing->info.limits != wanted.limits) {
            steps.emplace_back(step::SetLimits{});
        }
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
