// SPDX-License-Identifier: Apache-2.0
//
// Changing guests and devices.
#include "error.hpp"
#include "host.hpp"
#include "journal.hpp"
#include "name.hpp"

namespace devhost {

void Host::create_guest(const GuestConfig &config)
{
    require_name(config.name, "guest");
    owner_of(config.user, config.group); // refuses unknown accounts before anything is made
    // Nothing of an earlier guest of this name may reach the new one.
    if (!guests_.contains(config.name)) {
        parts_.policies.remove(config.name);
    }
    const GuestInfo info = parts_.kernel.create_guest(config.name, config.limits);
    const RuntimeState settings{.id = info.id,
                                .user = config.user,
                                .group = config.group,
                                .unit = config.unit,
                                .worker = config.worker,
                                .power = config.power,
                                .file = config.file,
                                .digest = {},
                                .devices = {},
                                .policy = false};
    try {
        parts_.states.write(config.name, settings);
    } catch (const Error &) {
        parts_.kernel.remove_guest(config.name, false);
        throw;
    }
    log_info({.guest = config.name, .device = {}}, "the guest was created.");
    take(info);
}

void Host::set_guest(const std::string &name, const RuntimeState &settings)
{
    Guest &of = find(name);
    if (of.settings == settings) {
        return;
    }
    owner_of(settings.user, settings.group);
    Properties properties;
    const auto note = [&](const char *property, bool equal) {
        if (!equal) {
            properties.insert(property);
        }
    };
    note("User", of.settings.user == settings.user);
    note("Group", of.settings.group == settings.group);
    note("Unit", of.settings.unit == settings.unit);
    note("ConfigFile", of.settings.file == settings.file);
    note("Worker", of.settings.worker == settings.worker);
    note("Power", of.settings.power == settings.power);
    parts_.states.write(name, settings);
    of.settings = settings;
    for (auto &[unused, device] : of.devices) {
        publish(of, device);
        if (properties.contains("Worker")) {
            apply_worker(of, device);
        }
    }
    if (observer_ != nullptr && !properties.empty()) {
        observer_->guest_changed(of, properties);
    }
}

void Host::set_limits(const std::string &name, const Limits &limits)
{
    const GuestInfo info = parts_.kernel.set_limits(guest(name).info.name, limits);
    log_info({.guest = name, .device = {}}, "the guest has other limits.");
    take(info);
}

void Host::remove_guest(const std::string &name, bool force)
{
    require_name(name, "guest");
    try {
        parts_.kernel.remove_guest(name, force);
    } catch (const Error &) {
        // Some of its devices may be gone already.
        if (const auto found = guests_.find(name); found != guests_.end()) {
            std::set<std::string> names;
            for (const auto &[device, unused] : found->second.devices) {
                names.insert(device);
            }
            for (const std::string &device : names) {
                refresh_device(name, device);
            }
        }
        throw;
    }
    drop_guest(name);
}

BackendFiles Host::make_ready(const CanDeviceConfig &can)
{
    if (can.sets_interface() && (!can.wait || parts_.links.read(can.interface))) {
        parts_.links.apply(can.interface, can);
    }
    return {};
}

BackendFiles Host::make_ready(const SndDeviceConfig &snd)
{
    return open_all(parts_.cards, snd);
}

BackendFiles Host::make_ready(const ScmiDeviceConfig & /*scmi*/)
{
    return {};
}

BackendFiles Host::make_ready(const VideoDeviceConfig &video)
{
    return VideoFile{.node = parts_.codecs.open(video)};
}

void Host::create_device(const std::string &guest_name, const DeviceConfig &config)
{
    require_name(config.name, "device");
    const Guest &of = guest(guest_name);
    const DeviceInfo info = [&] {
        // The kernel has files of its own then.
        const BackendFiles files =
            std::visit([&](const auto &backend) { return make_ready(backend); }, config.backend);
        return parts_.kernel.create_device(guest_name, config, files);
    }();
    log_info({.guest = guest_name, .device = config.name}, "the device was created.");
    if (of.policy && of.policy->names_devices()) {
        PolicyGuest known = policy_guest(of);
        known.devices.push_back({.name = config.name, .id = info.id});
        try {
            parts_.policies.apply(known, *of.policy);
        } catch (const Error &) {
            parts_.kernel.remove_device(guest_name, config.name, false);
            throw;
        }
    }
    take(info);
    note_backend(guest_name, config.name, config.backend);
}

void Host::remove_device(const std::string &guest_name, const std::string &name, bool force)
{
    Guest &of = find(guest_name);
    require_name(name, "device");
    try {
        parts_.kernel.remove_device(guest_name, name, force);
    } catch (const Error &) {
        refresh_device(guest_name, name);
        throw;
    }
    drop_device(of, name);
}

void Host::set_features_mask(const std::string &guest, const std::string &name, std::uint64_t mask)
{
    take(parts_.kernel.set_features_mask(guest, name, mask));
}

void Host::note_backend(const std::string &guest, const std::string &name, const Backend &wanted)
{
    find(guest, name).wanted = wanted;
    // What came back while nobody watched.
    refresh_cards(guest, name);
    refresh_codec(guest, name);
}

void Host::set_link(const std::string &guest, const std::string &name,
                    const CanDeviceConfig &wanted)
{
    Device &of = find(guest, name);
    const std::string *interface = of.interface();
    if (interface == nullptr) {
        throw Error(Cause::not_supported, "The device '" + name + "' of guest '" + guest +
                                              "' has no CAN interface that could be set.");
    }
    parts_.links.apply(*interface, wanted);
    of.wanted = wanted;
    refresh_link(of);
}

void Host::restart_bus(const std::string &guest, const std::string &name)
{
    Device &of = find(guest, name);
    const std::string *interface = of.interface();
    if (interface == nullptr) {
        throw Error(Cause::not_supported,
                    "The device '" + name + "' of guest '" + guest + "' is on no CAN bus.");
    }
    parts_.links.restart(*interface);
    refresh_link(of);
}

void Host::set_jacks(const std::string &guest, const std::string &name,
                     const std::vector<bool> &connected)
{
    const auto *snd = std::get_if<SndBackendInfo>(&device(guest, name).info.backend);
    if (snd == nullptr || snd->jacks.size() != connected.size()) {
        throw Error(Cause::invalid_args,
                    "The device '" + name + "' of guest '" + guest + "' has " +
                        std::to_string(snd == nullptr ? 0 : snd->jacks.size()) +
                        " jacks: give as many states.");
    }
    take(parts_.kernel.set_jacks(guest, name, connected));
}

void Host::set_ceiling(const std::string &guest, const std::string &name, devhost_scmi_kind kind,
                       std::uint32_t id, std::optional<std::uint64_t> level)
{
    parts_.kernel.set_ceiling(guest, device(guest, name).info.name, kind, id, level);
}

void Host::push_reading(const std::string &guest, const std::string &name, std::uint32_t id,
                        std::int64_t value)
{
    parts_.kernel.push_reading(guest, device(guest, name).info.name, id, value);
}

void Host::announce(const std::string &guest, const std::string &name,
                    const ScmiAnnouncement &announcement)
{
    parts_.kernel.announce(guest, device(guest, name).info.name, announcement);
}

void Host::set_policy(const std::string &guest_name, const PolicyConfig &policy)
{
    Guest &of = find(guest_name);
    parts_.policies.apply(policy_guest(of), policy);
    log_info({.guest = guest_name, .device = {}},
             policy.own ? "the policy program " + policy.own->path + " came into force."
             : policy.mode == PolicyMode::audit
                 ? "a policy came into force in audit mode: nothing is refused by it."
                 : "a policy came into force.");
    of.info = parts_.kernel.guest(guest_name);
    refresh_policy(of);
}

void Host::clear_policy(const std::string &guest_name)
{
    Guest &of = find(guest_name);
    parts_.policies.remove(guest_name);
    log_info({.guest = guest_name, .device = {}}, "the policy was taken away.");
    of.info = parts_.kernel.guest(guest_name);
    refresh_policy(of);
}

PolicyCounters Host::policy_counters(const std::string &guest_name)
{
    if (!guest(guest_name).policy) {
        throw Error(Cause::no_policy, "The guest '" + guest_name + "' has no policy: set one.");
    }
    return parts_.policies.counters(guest_name);
}

GuestInfo Host::guest_statistics(const std::string &name)
{
    return parts_.kernel.guest(guest(name).info.name);
}

DeviceStatistics Host::device_statistics(const std::string &guest, const std::string &name)
{
    return parts_.kernel.statistics(guest, device(guest, name).info.name);
}

std::map<std::string, QueueLatencies> Host::device_latencies(const std::string &guest,
                                                             const std::string &name)
{
    const DeviceInfo &info = device(guest, name).info;
    const DeviceStatistics statistics = parts_.kernel.statistics(guest, info.name);
    std::vector<QueueLatencies> queues = parts_.latencies.read(info.id, info.vqs);
    std::map<std::string, QueueLatencies> result;

    for (const QueueStatistics &queue : statistics.queues) {
        if (queue.index < queues.size()) {
            result[name_of(queue)] = std::move(queues[queue.index]);
        }
    }
    return result;
}

UniqueFd Host::open(const std::string &guest, const std::string &name)
{
    return parts_.nodes.open(device(guest, name).info.vdpa_name);
}

} // namespace devhost
