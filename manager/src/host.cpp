// SPDX-License-Identifier: Apache-2.0
//
// Following the kernel: discovery and events. What is known is never trusted over what the kernel
// answers, so a late event cannot undo a newer state.
#include "host.hpp"

#include "denial.hpp"
#include "error.hpp"
#include "journal.hpp"
#include "name.hpp"

namespace devhost {

namespace {

Subject subject_of(const Guest &guest)
{
    return {.guest = guest.info.name, .device = {}};
}

Subject subject_of(const Device &device)
{
    return {.guest = device.info.guest, .device = device.info.name};
}

const char *describe(devhost_dev_state state)
{
    switch (state) {
    case DEVHOST_DEV_IDLE:
        return "is not open";
    case DEVHOST_DEV_OPEN:
        return "was opened by a VMM";
    case DEVHOST_DEV_RUNNING:
        return "is running";
    case DEVHOST_DEV_SUSPENDED:
        return "was suspended by the VMM";
    case DEVHOST_DEV_QUIESCED:
        return "was stopped by the host";
    case DEVHOST_DEV_BROKEN:
        return "is broken until its driver resets it";
    }
    return "is in a state that this devhostd does not know";
}

std::optional<SndPlace> place_of(const SndStreamInfo &stream)
{
    if (!stream.pcm) {
        return std::nullopt;
    }
    return SndPlace{
        .card = stream.pcm->card, .device = stream.pcm->device, .direction = stream.direction};
}

Properties difference(const DeviceInfo &a, const DeviceInfo &b)
{
    Properties properties;
    const auto note = [&](const char *name, bool equal) {
        if (!equal) {
            properties.insert(name);
        }
    };
    note("State", a.state == b.state);
    note("Reason", a.reason == b.reason);
    note("Status", a.status == b.status);
    note("Features", a.features == b.features);
    note("DriverFeatures", a.driver_features == b.driver_features);
    note("FeaturesMask", a.features_mask == b.features_mask);
    note("WorkerThread", a.worker == b.worker);
    note("Backend", a.backend == b.backend);
    return properties;
}

} // namespace

PolicyGuest policy_guest(const Guest &guest)
{
    PolicyGuest result{.name = guest.info.name, .id = guest.info.id, .devices = {}};
    for (const auto &[name, device] : guest.devices) {
        result.devices.push_back({.name = name, .id = device.info.id});
    }
    return result;
}

const std::string *Device::interface() const
{
    const auto *can = std::get_if<CanBackendInfo>(&info.backend);
    return can == nullptr ? nullptr : &can->interface;
}

const Guest &Host::guest(const std::string &name) const
{
    const auto found = guests_.find(name);
    if (found == guests_.end()) {
        throw Error(Cause::no_such_guest, "There is no guest '" + printable(name) + "'.");
    }
    return found->second;
}

const Device &Host::device(const std::string &guest_name, const std::string &name) const
{
    const Guest &of = guest(guest_name);
    const auto found = of.devices.find(name);
    if (found == of.devices.end()) {
        throw Error(Cause::no_such_device,
                    "The guest '" + guest_name + "' has no device '" + printable(name) + "'.");
    }
    return found->second;
}

Guest &Host::find(const std::string &name)
{
    return const_cast<Guest &>(guest(name));
}

Device &Host::find(const std::string &guest, const std::string &name)
{
    return const_cast<Device &>(device(guest, name));
}

void Host::discover()
{
    std::set<std::string> present;
    for (const GuestInfo &info : parts_.kernel.guests()) {
        present.insert(info.name);
        take(info);
    }
    std::set<std::pair<std::string, std::string>> devices;
    for (const DeviceInfo &info : parts_.kernel.devices()) {
        devices.emplace(info.guest, info.name);
        take(info);
        refresh_resources(find(info.guest, info.name));
    }
    std::set<std::string> gone;
    for (auto &[name, guest] : guests_) {
        if (!present.contains(name)) {
            gone.insert(name);
            continue;
        }
        std::set<std::string> gone_devices;
        for (const auto &[device, unused] : guest.devices) {
            if (!devices.contains({name, device})) {
                gone_devices.insert(device);
            }
        }
        for (const std::string &device : gone_devices) {
            drop_device(guest, device);
        }
        // Rules may name devices: so only now is everything there that adopting needs.
        refresh_policy(guest);
    }
    for (const std::string &name : gone) {
        drop_guest(name);
    }
    for (const std::string &name : parts_.policies.pinned_guests()) {
        if (!present.contains(name)) {
            parts_.policies.remove(name);
        }
    }
}

void Host::handle_kernel_events()
{
    std::set<std::string> guests;
    std::set<std::pair<std::string, std::string>> devices;
    std::vector<ResourceInfo> resources;
    std::vector<DenialInfo> denials;
    bool lost = false;
    for (const KernelEvent &event : parts_.kernel.read_events()) {
        std::visit(
            [&](const auto &each) {
                if constexpr (requires { each.guest; }) {
                    guests.insert(each.guest.name);
                } else if constexpr (requires { each.device; }) {
                    devices.emplace(each.device.guest, each.device.name);
                } else if constexpr (requires { each.resource; }) {
                    resources.push_back(each.resource);
                } else if constexpr (requires { each.denial; }) {
                    denials.push_back(each.denial);
                } else {
                    lost = true;
                }
            },
            event);
    }
    if (lost) {
        log_info({}, "Events of the kernel were lost; reading everything anew.");
        discover();
        return;
    }
    for (const std::string &name : guests) {
        refresh_guest(name);
    }
    for (const auto &[guest, name] : devices) {
        refresh_device(guest, name);
    }
    for (const ResourceInfo &changed : resources) {
        refresh_resource(changed);
    }
    for (const DenialInfo &denial : denials) {
        tell(denial);
    }
    // Of a guest that somebody else made, once its devices are known.
    for (const std::string &name : guests) {
        const auto guest = guests_.find(name);
        if (guest != guests_.end() && guest->second.info.policy && !guest->second.policy) {
            refresh_policy(guest->second);
        }
    }
}

void Host::handle_link_events()
{
    const auto names = parts_.links.read_events();
    const std::set<std::string> changed =
        names ? std::set<std::string>(names->begin(), names->end()) : std::set<std::string>();
    for (auto &[unused, guest] : guests_) {
        for (auto &[name, device] : guest.devices) {
            const std::string *interface = device.interface();
            if (interface != nullptr && (!names || changed.contains(*interface))) {
                refresh_link(device);
            }
        }
    }
}

void Host::name_cards(Device &device)
{
    const auto *snd = std::get_if<SndBackendInfo>(&device.info.backend);
    device.cards.clear();
    if (snd == nullptr) {
        return;
    }
    const auto note = [&](std::uint32_t number) { device.cards[number] = parts_.cards.id(number); };
    for (const SndStreamInfo &stream : snd->streams) {
        if (stream.pcm) {
            note(stream.pcm->card);
        }
    }
    for (const SndControlInfo &control : snd->controls) {
        if (control.card) {
            note(*control.card);
        }
    }
}

bool Host::refresh_levels(Device &device)
{
    const auto *snd = std::get_if<SndBackendInfo>(&device.info.backend);
    std::vector<std::optional<SndLevel>> levels;
    for (const SndStreamInfo &stream :
         snd == nullptr ? std::vector<SndStreamInfo>() : snd->streams) {
        const auto place = place_of(stream);
        levels.push_back(place ? parts_.cards.level(*place) : std::nullopt);
    }
    const bool changed = levels != device.levels;
    device.levels = std::move(levels);
    return changed;
}

void Host::refresh_all_levels()
{
    for (auto &[unused, guest] : guests_) {
        for (auto &[name, device] : guest.devices) {
            if (refresh_levels(device) && observer_ != nullptr) {
                observer_->device_changed(device, {"Backend"});
            }
        }
    }
}

void Host::set_mixers(std::vector<MixerConfig> mixers, bool all, const Mixers::Report &report)
{
    parts_.mixers.configure(std::move(mixers), all, report);
}

void Host::set_level(const std::string &guest, const std::string &name, std::uint32_t stream,
                     std::optional<int> volume, std::optional<bool> mute)
{
    const Device &of = device(guest, name);
    const auto *snd = std::get_if<SndBackendInfo>(&of.info.backend);
    if (snd == nullptr || stream >= snd->streams.size()) {
        throw Error(Cause::invalid_args, "The device '" + name + "' of guest '" + guest +
                                             "' has no stream " + std::to_string(stream) + ".");
    }
    if (volume && (*volume < volume_min || *volume > 0)) {
        throw Error(Cause::invalid_args, "A volume is from " + std::to_string(volume_min) +
                                             " to 0, in decibels; " + std::to_string(volume_min) +
                                             " is silence.");
    }
    const auto place = place_of(snd->streams[stream]);
    const auto now = place ? parts_.cards.level(*place) : std::nullopt;
    if (!place || !now) {
        throw Error(Cause::not_supported,
                    "Stream " + std::to_string(stream) + " of the device '" + name +
                        "' of guest '" + guest +
                        "' is on no mixer: give it a mixer's port as its PCM.");
    }
    parts_.cards.set_level(
        *place, {.volume = volume.value_or(now->volume), .mute = mute.value_or(now->mute)});
    refresh_all_levels();
}

void Host::handle_card_events()
{
    const SndCardEvents events = parts_.cards.read_events();
    if (events.levels) {
        refresh_all_levels();
    }
    if (!events.come) {
        return;
    }
    try {
        parts_.mixers.refresh();
    } catch (const Error &error) {
        log_error({}, error.what());
    }
    std::vector<std::pair<std::string, std::string>> names; // what follows may drop devices
    for (const auto &[guest_name, guest] : guests_) {
        for (const auto &[name, unused] : guest.devices) {
            names.emplace_back(guest_name, name);
        }
    }
    for (const auto &[guest_name, name] : names) {
        refresh_cards(guest_name, name);
    }
}

// What a device misses and what is there by now is given to it, each by itself: a card that
// somebody else took in the meantime must not keep the others away.
void Host::refresh_cards(const std::string &guest_name, const std::string &name)
{
    const Device &device = find(guest_name, name);
    const auto *info = std::get_if<SndBackendInfo>(&device.info.backend);
    const auto *wanted = device.wanted ? std::get_if<SndDeviceConfig>(&*device.wanted) : nullptr;
    if (info == nullptr || wanted == nullptr || info->streams.size() != wanted->streams.size() ||
        info->controls.size() != wanted->controls.size()) {
        return;
    }
    const Subject subject{.guest = guest_name, .device = name};
    SndFiles files;
    const auto attempt = [&](auto open, std::uint32_t id) {
        open_again(subject, [&] { open(parts_.cards, *wanted, id, files); });
    };
    for (std::uint32_t id = 0; id < info->streams.size(); id++) {
        if (!info->streams[id].pcm) {
            attempt(open_stream, id);
        }
    }
    for (std::uint32_t id = 0; id < info->controls.size(); id++) {
        if (!info->controls[id].card) {
            attempt(open_control, id);
        }
    }
    if (files.empty()) {
        return;
    }
    give_back(subject, "the sound card is back.",
              [&] { return parts_.kernel.set_sound(guest_name, name, files); });
}

void Host::open_again(const Subject &subject, const std::function<void()> &open)
{
    try {
        open();
    } catch (const Error &error) {
        if (error.cause() != Cause::invalid_args) { // it is not there
            log_error(subject, error.what());
        }
    }
}

void Host::give_back(const Subject &subject, const std::string &news,
                     const std::function<DeviceInfo()> &give)
{
    try {
        take(give());
        log_info(subject, news);
    } catch (const Error &error) {
        log_error(subject, error.what());
    }
}

void Host::refresh_guest(const std::string &name)
{
    try {
        take(parts_.kernel.guest(name));
    } catch (const Error &error) {
        if (error.cause() != Cause::no_such_guest) {
            throw;
        }
        drop_guest(name);
    }
}

void Host::refresh_device(const std::string &guest_name, const std::string &name)
{
    try {
        take(parts_.kernel.device(guest_name, name));
    } catch (const Error &error) {
        if (error.cause() != Cause::no_such_device && error.cause() != Cause::no_such_guest) {
            throw;
        }
        const auto guest = guests_.find(guest_name);
        if (guest != guests_.end()) {
            drop_device(guest->second, name);
        }
    }
}

void Host::take(const GuestInfo &info)
{
    auto found = guests_.find(info.name);
    if (found != guests_.end() && found->second.info.id != info.id) {
        drop_guest(info.name); // another one of the same name
        found = guests_.end();
    }
    if (found == guests_.end()) {
        add_guest(info);
    } else {
        update_guest(found->second, info);
    }
}

void Host::take(const DeviceInfo &info)
{
    if (!guests_.contains(info.guest)) {
        take(parts_.kernel.guest(info.guest));
    }
    Guest &guest = find(info.guest);
    auto found = guest.devices.find(info.name);
    if (found != guest.devices.end() && found->second.info.id != info.id) {
        drop_device(guest, info.name);
        found = guest.devices.end();
    }
    if (found == guest.devices.end()) {
        add_device(guest, info);
    } else {
        update_device(guest, found->second, info);
    }
}

void Host::add_guest(const GuestInfo &info)
{
    Guest &guest = guests_[info.name];
    guest.info = info;
    const auto state = parts_.states.read(info.name);
    if (state && state->id == info.id) {
        guest.settings = *state;
    } else {
        guest.settings.id = info.id;
    }
    if (observer_ != nullptr) {
        observer_->guest_added(guest);
    }
}

void Host::update_guest(Guest &guest, const GuestInfo &info)
{
    const bool changed = guest.info.policy != info.policy;
    const bool limited = guest.info.limits != info.limits;
    guest.info = info;
    if (changed) {
        refresh_policy(guest);
    }
    if (limited && observer_ != nullptr) {
        observer_->guest_changed(guest, {"Limits"});
    }
}

void Host::drop_guest(const std::string &name)
{
    const auto found = guests_.find(name);
    if (found == guests_.end()) {
        return;
    }
    Guest &guest = found->second;
    while (!guest.devices.empty()) {
        drop_device(guest, guest.devices.begin()->first);
    }
    if (observer_ != nullptr) {
        observer_->guest_removing(guest);
    }
    parts_.states.remove(name);
    parts_.policies.remove(name);
    log_info(subject_of(guest), "the guest was removed.");
    guests_.erase(found);
}

void Host::add_device(Guest &guest, const DeviceInfo &info)
{
    Device &device = guest.devices[info.name];
    device.info = info;
    name_cards(device);
    name_codec(device);
    refresh_levels(device);
    if (const std::string *interface = device.interface()) {
        device.link = parts_.links.read(*interface);
    }
    refresh_resources(device);
    publish(guest, device);
    apply_worker(guest, device);
    if (observer_ != nullptr) {
        observer_->device_added(device);
        observer_->guest_changed(guest, {"Devices"});
    }
}

void Host::update_device(Guest &guest, Device &device, const DeviceInfo &info)
{
    Properties properties = difference(device.info, info);
    const bool other_worker = device.info.worker != info.worker;
    const bool other_state = device.info.state != info.state;
    const bool other_backend = device.info.backend != info.backend;
    device.info = info;
    name_cards(device);
    if (other_backend) {
        name_codec(device); // which opens it for a moment
    }
    if (refresh_levels(device)) {
        properties.insert("Backend");
    }
    const std::string node = device.node;
    publish(guest, device);
    if (device.node != node) {
        properties.insert("Node");
    }
    if (other_worker) {
        apply_worker(guest, device);
    }
    if (other_state) {
        log_info(subject_of(device), std::string("the device ") + describe(info.state) +
                                         (info.reason.empty() ? "." : ": " + info.reason + "."));
    }
    if (observer_ != nullptr && !properties.empty()) {
        observer_->device_changed(device, properties);
    }
}

void Host::drop_device(Guest &guest, const std::string &name)
{
    const auto found = guest.devices.find(name);
    if (found == guest.devices.end()) {
        return;
    }
    parts_.nodes.withdraw(guest.info.name, name);
    if (observer_ != nullptr) {
        observer_->device_removing(found->second);
    }
    log_info(subject_of(found->second), "the device was removed.");
    guest.devices.erase(found);
    if (observer_ != nullptr) {
        observer_->guest_changed(guest, {"Devices"});
    }
}

void Host::refresh_policy(Guest &guest)
{
    Properties properties{"Active", "Sequence"};
    std::optional<PolicyConfig> policy;
    std::vector<std::uint32_t> programs;
    if (guest.info.policy) {
        try {
            policy = parts_.policies.adopt(policy_guest(guest));
            programs = parts_.policies.program_ids(guest.info.name);
        } catch (const Error &error) {
            // It is in force all the same, until another one takes its place.
            log_error(subject_of(guest), error.what());
        }
    }
    if (policy != guest.policy) {
        guest.policy = policy;
        properties.insert("Policy");
    }
    if (programs != guest.programs) {
        guest.programs = programs;
        properties.insert("Programs");
    }
    if (observer_ != nullptr) {
        observer_->policy_changed(guest, properties);
    }
}

void Host::tell(const DenialInfo &denial)
{
    const auto guest = guests_.find(denial.guest);
    if (guest == guests_.end() || !guest->second.devices.contains(denial.device)) {
        return;
    }
    const Device &device = guest->second.devices.at(denial.device);
    log_warning(subject_of(device), describe(denial));
    if (observer_ != nullptr) {
        observer_->policy_denied(device, denial);
    }
}

void Host::refresh_link(Device &device)
{
    auto link = parts_.links.read(*device.interface());
    const bool appeared = link && !device.link;
    const auto *wanted = device.wanted ? std::get_if<CanDeviceConfig>(&*device.wanted) : nullptr;
    if (appeared && wanted != nullptr && wanted->sets_interface()) {
        try {
            parts_.links.apply(*device.interface(), *wanted);
            link = parts_.links.read(*device.interface());
        } catch (const Error &error) {
            log_error(subject_of(device), error.what());
        }
    }
    if (link == device.link) {
        return;
    }
    device.link = link;
    if (observer_ != nullptr) {
        observer_->device_changed(device, {"Backend"});
    }
}

void Host::refresh_resources(Device &device)
{
    if (!std::holds_alternative<ScmiBackendInfo>(device.info.backend)) {
        return;
    }
    try {
        auto resources = parts_.kernel.resources(device.info.guest, device.info.name);
        if (resources == device.resources) {
            return;
        }
        device.resources = std::move(resources);
    } catch (const Error &error) {
        log_error(subject_of(device), error.what());
        return;
    }
    if (observer_ != nullptr) {
        observer_->device_changed(device, {"Resources"});
    }
}

void Host::refresh_resource(const ResourceInfo &changed)
{
    const auto guest = guests_.find(changed.guest);
    if (guest == guests_.end()) {
        return;
    }
    const auto found = guest->second.devices.find(changed.device);
    if (found == guest->second.devices.end() || changed.index >= found->second.resources.size()) {
        return;
    }
    Device &device = found->second;
    try {
        auto resource = parts_.kernel.resource(changed.guest, changed.device, changed.index);
        if (resource == device.resources[changed.index]) {
            return;
        }
        device.resources[changed.index] = std::move(resource);
    } catch (const Error &error) {
        if (error.cause() != Cause::no_such_device) { // it is gone by now
            throw;
        }
        return;
    }
    if (observer_ != nullptr) {
        observer_->device_changed(device, {"Resources"});
    }
}

Owner Host::owner(const Guest &guest) const
{
    return owner_of(guest.settings.user, guest.settings.group);
}

// A device without a usable node still exists, so this is for the log.
void Host::publish(const Guest &guest, Device &device)
{
    try {
        device.node = parts_.nodes.publish(guest.info.name, device.info.name, device.info.vdpa_name,
                                           owner(guest));
    } catch (const Error &error) {
        log_error(subject_of(device), error.what());
    }
}

void Host::apply_worker(const Guest &guest, const Device &device)
{
    if (!device.info.worker) {
        return;
    }
    try {
        parts_.workers.apply(*device.info.worker, guest.settings.worker);
    } catch (const Error &error) {
        log_error(subject_of(device), error.what());
    }
}

} // namespace devhost
