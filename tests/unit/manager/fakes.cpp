// SPDX-License-Identifier: Apache-2.0
#include "fakes.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sys/eventfd.h>
#include <unistd.h>

#include "config_toml.hpp"
#include "error.hpp"

namespace fs = std::filesystem;

namespace devhost::test {

namespace {

void signal_fd(const UniqueFd &fd)
{
    eventfd_write(fd.get(), 1);
}

void drain(const UniqueFd &fd)
{
    eventfd_t unused = 0;
    eventfd_read(fd.get(), &unused);
}

UniqueFd new_eventfd()
{
    return UniqueFd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

} // namespace

TemporaryDirectory::TemporaryDirectory()
{
    std::string pattern = (fs::temp_directory_path() / "devhost-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    fs::permissions(path_, fs::perms(0755));
}

TemporaryDirectory::~TemporaryDirectory()
{
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

FakeKernel::FakeKernel(fs::path root) : root_(std::move(root)), events_fd_(new_eventfd())
{
    fs::create_directories(root_ / "dev");
    fs::create_directories(root_ / "sys/bus/vdpa/devices");
}

fs::path FakeKernel::sys_path(const DeviceInfo &info) const
{
    return root_ / "sys/bus/vdpa/devices" / info.vdpa_name;
}

void FakeKernel::tell(KernelEvent event)
{
    events_.push_back(std::move(event));
    signal_fd(events_fd_);
}

std::vector<GuestInfo> FakeKernel::guests()
{
    std::vector<GuestInfo> result;
    for (const auto &[unused, info] : guests_) {
        result.push_back(info);
    }
    return result;
}

std::vector<DeviceInfo> FakeKernel::devices()
{
    std::vector<DeviceInfo> result;
    for (const auto &[unused, info] : devices_) {
        result.push_back(info);
    }
    return result;
}

GuestInfo FakeKernel::guest(const std::string &name)
{
    const auto found = guests_.find(name);
    if (found == guests_.end()) {
        throw Error(Cause::no_such_guest, "no such guest");
    }
    return found->second;
}

DeviceInfo FakeKernel::device(const std::string &guest, const std::string &name)
{
    const auto found = devices_.find({guest, name});
    if (found == devices_.end()) {
        throw Error(Cause::no_such_device, "no such device");
    }
    return found->second;
}

GuestInfo FakeKernel::create_guest(const std::string &name, const Limits &limits)
{
    if (guests_.contains(name)) {
        throw Error(Cause::guest_exists, "the guest exists");
    }
    changes.push_back("create_guest " + name);
    GuestInfo info;
    info.name = name;
    info.id = next_id_++;
    info.limits = limits;
    info.use.devices = 0;
    info.refused.devices = 0;
    guests_[name] = info;
    tell(event::GuestNew{info});
    return info;
}

GuestInfo FakeKernel::set_limits(const std::string &name, const Limits &limits)
{
    const GuestInfo info = guest(name); // throws
    changes.push_back("set_limits " + name);
    guests_[name].limits = limits;
    tell(event::GuestChange{guests_[name]});
    return guests_[name];
}

void FakeKernel::remove_guest(const std::string &name, bool /*force*/)
{
    const GuestInfo info = guest(name);
    std::vector<Key> keys;
    for (const auto &[key, unused] : devices_) {
        if (key.first == name) {
            keys.push_back(key);
        }
    }
    for (const Key &key : keys) {
        if (busy_.contains(key)) {
            throw Error(Cause::guest_busy, "a VMM has the device open");
        }
    }
    changes.push_back("remove_guest " + name);
    for (const Key &key : keys) {
        erase_device(key);
    }
    guests_.erase(name);
    tell(event::GuestGone{info});
}

namespace {

BackendInfo backend_info(const CanDeviceConfig &can, const BackendFiles & /*files*/)
{
    return CanBackendInfo{.interface = can.interface,
                          .ifindex = 5,
                          .rx_backlog = can.rx_backlog,
                          .tx_inflight = can.tx_inflight,
                          .state = DEVHOST_CAN_STOPPED};
}

BackendInfo backend_info(const SndDeviceConfig &snd, const BackendFiles &of)
{
    const auto &files = std::get<SndFiles>(of);
    SndBackendInfo info;
    for (std::uint32_t id = 0; id < snd.streams.size(); id++) {
        const SndStreamConfig &stream = snd.streams[id];
        if (files.pcms.at(id).get() < 0) {
            throw Error(Cause::invalid_args, "this is no PCM");
        }
        info.streams.push_back(
            {.direction = stream.direction,
             .state = DEVHOST_SND_IDLE,
             .node = stream.node,
             .channels_max = stream.channels_max,
             .rate_max = stream.rate_max,
             .period_min = stream.period_min,
             .buffer_max = stream.buffer_max,
             .pcm = SndPcmInfo{.card = 0, .device = stream.pcm.device, .subdevice = 0}});
    }
    info.jacks = snd.jacks;
    for (std::uint32_t id = 0; id < snd.controls.size(); id++) {
        info.controls.push_back({.numid = files.controls.at(id).numid,
                                 .role = snd.controls[id].role,
                                 .read_only = snd.controls[id].read_only,
                                 .card = 0});
    }
    return info;
}

} // namespace

namespace {

BackendInfo backend_info(const ScmiDeviceConfig &scmi, const BackendFiles & /*files*/)
{
    return ScmiBackendInfo{.agent = scmi.agent,
                           .system_power = scmi.system_power,
                           .resources = static_cast<std::uint32_t>(scmi.resources.size()),
                           .request = {}};
}

// Any codec: it stands at node 3.
BackendInfo backend_info(const VideoDeviceConfig &video, const BackendFiles &files)
{
    if (std::get<VideoFile>(files).node.get() < 0) {
        throw Error(Cause::invalid_args, "this is no codec");
    }
    return VideoBackendInfo{
        .name = "stateful-decoder", .node = 3, .streams_max = video.streams_max};
}

// Ids dense from 0 for each kind, as the kernel gives them.
std::vector<ScmiResourceInfo> resources_of(const ScmiDeviceConfig &scmi)
{
    std::map<devhost_scmi_kind, std::uint32_t> next;
    std::vector<ScmiResourceInfo> list;
    for (const ScmiResourceConfig &resource : scmi.resources) {
        ScmiResourceInfo info;
        info.kind = resource.kind;
        info.id = next[resource.kind]++;
        info.name = resource.guest_name();
        info.host = resource.kernel_host();
        info.device = resource.device;
        info.source = resource.source;
        info.read_only = resource.read_only;
        info.level_min = resource.level_min.value_or(1);
        info.level_max = resource.level_max.value_or(100);
        info.type = resource.type.value_or(0);
        info.scale = resource.scale.value_or(0);
        list.push_back(info);
    }
    return list;
}

} // namespace

DeviceInfo FakeKernel::create_device(const std::string &guest_name, const DeviceConfig &device,
                                     const BackendFiles &files)
{
    guest(guest_name);
    const Key key{guest_name, device.name};
    if (devices_.contains(key)) {
        throw Error(Cause::device_exists, "the device exists");
    }
    changes.push_back("create_device " + guest_name + "/" + device.name);
    DeviceInfo info;
    info.guest = guest_name;
    info.name = device.name;
    info.id = next_id_++;
    info.device_class = device.device_class;
    info.virtio_id = device.can() != nullptr     ? 36
                     : device.snd() != nullptr   ? 25
                     : device.video() != nullptr ? 31
                                                 : 32;
    if (const ScmiDeviceConfig *scmi = device.scmi()) {
        resources_[key] = resources_of(*scmi);
    }
    info.vdpa_name = guest_name + "." + device.name;
    info.features_mask = features_mask(device.ring);
    info.vq_size_max = device.vq_size_max.value_or(1024);
    info.vqs = 3;
    info.policy_required = device.policy_required;
    info.backend =
        std::visit([&](const auto &of) { return backend_info(of, files); }, device.backend);
    devices_[key] = info;
    minors_[key] = next_minor_++;
    const std::string node = "vhost-vdpa-" + std::to_string(minors_[key]);
    fs::create_directories(sys_path(info) / node);
    std::ofstream(root_ / "dev" / node) << "";
    tell(event::DeviceNew{info});
    return info;
}

void FakeKernel::erase_device(const Key &key)
{
    const DeviceInfo info = devices_.at(key);
    fs::remove_all(sys_path(info));
    fs::remove(root_ / "dev" / ("vhost-vdpa-" + std::to_string(minors_[key])));
    devices_.erase(key);
    resources_.erase(key);
    tell(event::DeviceGone{info});
}

void FakeKernel::remove_device(const std::string &guest, const std::string &name, bool /*force*/)
{
    device(guest, name);
    if (busy_.contains({guest, name})) {
        throw Error(Cause::device_busy, "a VMM has the device open");
    }
    changes.push_back("remove_device " + guest + "/" + name);
    erase_device({guest, name});
}

DeviceInfo FakeKernel::set_sound(const std::string &guest, const std::string &name,
                                 const SndFiles &files)
{
    changes.push_back("set_sound " + guest + "/" + name);
    change_device(guest, name, [&](DeviceInfo &info) {
        auto &snd = std::get<SndBackendInfo>(info.backend);
        for (const auto &[id, unused] : files.pcms) {
            snd.streams.at(id).pcm = SndPcmInfo{};
        }
        for (const auto &[id, element] : files.controls) {
            snd.controls.at(id).card = 0;
            snd.controls.at(id).numid = element.numid;
        }
    });
    return device(guest, name);
}

DeviceInfo FakeKernel::set_codec(const std::string &guest, const std::string &name,
                                 const VideoFile & /*file*/)
{
    changes.push_back("set_codec " + guest + "/" + name);
    if (other_codecs) {
        throw Error(Cause::invalid_args, "this codec can do something else");
    }
    change_device(guest, name,
                  [](DeviceInfo &info) { std::get<VideoBackendInfo>(info.backend).node = 3; });
    return device(guest, name);
}

DeviceInfo FakeKernel::set_jacks(const std::string &guest, const std::string &name,
                                 const std::vector<bool> &connected)
{
    changes.push_back("set_jacks " + guest + "/" + name);
    change_device(guest, name, [&](DeviceInfo &info) {
        auto &snd = std::get<SndBackendInfo>(info.backend);
        for (std::size_t id = 0; id < connected.size(); id++) {
            snd.jacks.at(id).connected = connected[id];
        }
    });
    return device(guest, name);
}

std::vector<ScmiResourceInfo> FakeKernel::resources(const std::string &guest,
                                                    const std::string &name)
{
    device(guest, name);
    return resources_[{guest, name}];
}

ScmiResourceInfo FakeKernel::resource(const std::string &guest, const std::string &name,
                                      std::uint32_t index)
{
    device(guest, name);
    return resources_.at({guest, name}).at(index);
}

void FakeKernel::change_resource(const std::string &guest, const std::string &name,
                                 std::uint32_t index,
                                 const std::function<void(ScmiResourceInfo &)> &change)
{
    ScmiResourceInfo &resource = resources_.at({guest, name}).at(index);
    change(resource);
    tell(event::ResourceChange{{.guest = guest, .device = name, .index = index, .scmi = resource}});
}

// A ceiling is the host resource's: all that have it see it.
void FakeKernel::set_ceiling(const std::string &guest, const std::string &name,
                             devhost_scmi_kind kind, std::uint32_t id,
                             std::optional<std::uint64_t> level)
{
    changes.push_back("set_ceiling " + guest + "/" + name + " " + word_of(kind) + " " +
                      std::to_string(id) + " " + (level ? std::to_string(*level) : "none"));
    std::string host;
    for (const ScmiResourceInfo &resource : resources_.at({guest, name})) {
        if (resource.kind == kind && resource.id == id) {
            host = resource.host;
        }
    }
    for (auto &[key, list] : resources_) {
        for (std::uint32_t index = 0; index < list.size(); index++) {
            if (list[index].kind == kind && list[index].host == host) {
                change_resource(key.first, key.second, index,
                                [&](ScmiResourceInfo &resource) { resource.ceiling = level; });
            }
        }
    }
}

void FakeKernel::push_reading(const std::string &guest, const std::string &name, std::uint32_t id,
                              std::int64_t value)
{
    changes.push_back("push_reading " + guest + "/" + name + " " + std::to_string(id) + " " +
                      std::to_string(value));
}

void FakeKernel::announce(const std::string &guest, const std::string &name,
                          const ScmiAnnouncement &announcement)
{
    changes.push_back("announce " + guest + "/" + name + " " + std::to_string(announcement.state) +
                      " " + std::to_string(announcement.flags) + " " +
                      std::to_string(announcement.timeout_ms));
}

void FakeKernel::run_scmi(const std::string &guest, bool running)
{
    change_device(guest, "scmi0", [&](DeviceInfo &info) {
        info.state = running ? DEVHOST_DEV_RUNNING : DEVHOST_DEV_IDLE;
        info.worker = running ? std::optional(next_worker_++) : std::nullopt;
    });
}

void FakeKernel::ask_power(const std::string &guest, std::uint32_t state)
{
    change_device(guest, "scmi0", [&](DeviceInfo &info) {
        auto &scmi = std::get<ScmiBackendInfo>(info.backend);
        const std::uint32_t seq = scmi.request ? scmi.request->seq + 1 : 1;
        scmi.request = {.state = state, .flags = 1, .seq = seq, .since = 1'000'000'000};
    });
}

DeviceInfo FakeKernel::set_features_mask(const std::string &guest, const std::string &name,
                                         std::uint64_t mask)
{
    changes.push_back("set_features_mask " + guest + "/" + name);
    change_device(guest, name, [mask](DeviceInfo &info) { info.features_mask = mask; });
    return device(guest, name);
}

DeviceStatistics FakeKernel::statistics(const std::string &guest, const std::string &name)
{
    device(guest, name);
    DeviceStatistics result;
    QueueStatistics queue;
    queue.name = "txq";
    queue.kicks = 7;
    queue.popped = static_cast<std::uint64_t>(
        items_a_second *
        std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count());
    result.queues.push_back(queue);
    result.counters.emplace_back("rx_dropped", 3);
    result.verdicts[DEVHOST_VERDICT_DENY] = 2;
    return result;
}

std::vector<KernelEvent> FakeKernel::read_events()
{
    drain(events_fd_);
    return std::exchange(events_, {});
}

void FakeKernel::change_device(const std::string &guest, const std::string &name,
                               const std::function<void(DeviceInfo &)> &change)
{
    DeviceInfo &info = devices_.at({guest, name});
    change(info);
    tell(event::DeviceChange{info});
}

void FakeKernel::set_busy(const std::string &guest, const std::string &name, bool busy)
{
    if (busy) {
        busy_.insert({guest, name});
    } else {
        busy_.erase({guest, name});
    }
}

void FakeKernel::set_policy(const std::string &guest, std::optional<std::uint32_t> policy)
{
    const auto found = guests_.find(guest);
    if (found != guests_.end()) {
        found->second.policy = policy;
        tell(event::PolicyChange{found->second});
    }
}

void FakeKernel::deny(DenialInfo denial)
{
    tell(event::PolicyDenied{std::move(denial)});
}

void FakeKernel::lose_events()
{
    events_.clear();
    tell(event::Overrun{});
}

FakeLinks::FakeLinks() : events_fd_(new_eventfd()) {}

std::optional<CanLinkInfo> FakeLinks::read(const std::string &interface)
{
    const auto found = links_.find(interface);
    return found == links_.end() ? std::nullopt : std::optional(found->second);
}

void FakeLinks::apply(const std::string &interface, const CanDeviceConfig &wanted)
{
    CanLinkInfo &link = links_[interface];
    if (link.kind == "vcan") {
        throw Error(Cause::not_supported, "a virtual interface has no bit rate");
    }
    applied.push_back(interface);
    link.kind = "can";
    link.up = true;
    const auto take = [](auto &to, const auto &from) {
        if (from) {
            to = from;
        }
    };
    take(link.bitrate, wanted.bitrate);
    take(link.sample_point, wanted.sample_point);
    take(link.data_bitrate, wanted.data_bitrate);
    take(link.data_sample_point, wanted.data_sample_point);
    take(link.fd, wanted.fd);
    take(link.restart_ms, wanted.restart_ms);
}

void FakeLinks::restart(const std::string &interface)
{
    restarted.push_back(interface);
}

std::optional<std::vector<std::string>> FakeLinks::read_events()
{
    drain(events_fd_);
    return std::exchange(events_, {});
}

void FakeLinks::put(const std::string &interface, const CanLinkInfo &info)
{
    links_[interface] = info;
    events_.push_back(interface);
    signal_fd(events_fd_);
}

FakeCards::FakeCards() : events_fd_(new_eventfd()) {}

std::string FakeCards::id(std::uint32_t number)
{
    return number < present_.size() ? *std::next(present_.begin(), number) : "";
}

UniqueFd FakeCards::open_pcm(const SndStreamConfig &stream)
{
    if (!present_.contains(stream.pcm.card)) {
        throw Error(Cause::invalid_args, "There is no sound card '" + stream.pcm.card + "'.");
    }
    if (busy) {
        throw Error(Cause::device_busy, "Somebody else uses the PCM.");
    }
    opened.push_back(to_text(stream.pcm));
    return new_eventfd();
}

UniqueFd FakeCards::open_card(const std::string &card)
{
    if (!present_.contains(card)) {
        throw Error(Cause::invalid_args, "There is no sound card '" + card + "'.");
    }
    opened.push_back(card);
    return new_eventfd();
}

std::uint32_t FakeCards::numid(const UniqueFd & /*card*/, const SndControlConfig &control)
{
    if (control.name != "Master Playback Volume") {
        throw Error(Cause::invalid_args, "There is no control '" + control.name + "'.");
    }
    return 7;
}

void FakeCards::set_element(const std::string &card, const std::string &name, long value)
{
    elements[card + " " + name] = value;
}

std::optional<SndLevel> FakeCards::level(const SndPlace &place)
{
    const auto found = levels_.find(place.card);
    return place.device != 0 || found == levels_.end() ? std::nullopt
                                                       : std::optional(found->second);
}

void FakeCards::set_level(const SndPlace &place, const SndLevel &level)
{
    turn(place.card, level);
}

SndCardEvents FakeCards::read_events()
{
    drain(events_fd_);
    return std::exchange(events_, {});
}

void FakeCards::plug(const std::string &card)
{
    present_.insert(card);
    events_.come = true;
    signal_fd(events_fd_);
}

void FakeCards::turn(std::uint32_t card, const SndLevel &level)
{
    levels_[card] = level;
    events_.levels = true;
    signal_fd(events_fd_);
}

FakeCodecs::FakeCodecs() : events_fd_(new_eventfd()) {}

DeviceEvents FakeCodecs::read_events()
{
    drain(events_fd_);
    return std::exchange(events_, {});
}

void FakeCodecs::come(std::uint32_t number, const std::vector<std::string> &names)
{
    present[number] = names;
    events_.come = true;
    signal_fd(events_fd_);
}

void FakeCodecs::go(std::uint32_t number)
{
    present.erase(number);
    events_.gone = true;
    signal_fd(events_fd_);
}

UniqueFd FakeCodecs::open(const VideoDeviceConfig &video)
{
    for (const auto &[number, names] : present) {
        if (video.node == "/dev/video" + std::to_string(number) ||
            std::ranges::find(names, video.codec) != names.end()) {
            opened++;
            return new_eventfd();
        }
    }
    throw Error(Cause::invalid_args, "There is no codec '" + video.node + video.codec + "'.");
}

std::vector<MixerInfo> FakeMixers::mixers()
{
    std::vector<MixerInfo> list;
    for (const auto &[name, mixer] : present) {
        list.push_back(mixer);
    }
    return list;
}

void FakeMixers::create(const MixerConfig &mixer, const MixerFiles &files)
{
    MixerInfo info{.name = mixer.name,
                   .rate = mixer.rate,
                   .channels = mixer.channels,
                   .playback = static_cast<bool>(files.playback),
                   .capture = static_cast<bool>(files.capture),
                   .ports = {}};
    for (const MixerPortConfig &port : mixer.ports) {
        info.ports.push_back(port.name);
    }
    present[mixer.name] = info;
    done.push_back("+" + mixer.name);
    cards_.plug(mixer.name);
}

void FakeMixers::remove(const std::string &name)
{
    present.erase(name);
    done.push_back("-" + name);
    cards_.unplug(name);
}

void FakePolicies::apply(const PolicyGuest &guest, const PolicyConfig &policy)
{
    if (refuse) {
        throw policy.own
            ? PolicyError("It is refused. Last words:\nR1", "R0\nR1", Cause::program_refused)
            : PolicyError("the program was refused");
    }
    applications++;
    unreadable = false;
    pins[guest.name] = {.guest_id = guest.id, .policy = policy, .devices = guest.devices};
    kernel_.set_policy(guest.name, applications);
}

void FakePolicies::remove(const std::string &guest)
{
    if (pins.erase(guest) != 0) {
        kernel_.set_policy(guest, std::nullopt);
    }
}

std::optional<PolicyConfig> FakePolicies::adopt(const PolicyGuest &guest)
{
    const auto found = pins.find(guest.name);
    if (found == pins.end()) {
        return std::nullopt;
    }
    if (found->second.guest_id != guest.id) {
        pins.erase(found);
        return std::nullopt;
    }
    if (unreadable) {
        throw PolicyError("it is not of this version");
    }
    return found->second.policy;
}

PolicyCounters FakePolicies::counters(const std::string &guest)
{
    const PolicyConfig &policy = pins.at(guest).policy;
    PolicyCounters counters;
    if (policy.can) {
        CanCounters &can = counters.can.emplace();
        for (std::size_t i = 0; i < policy.can->transmit.rules.size(); i++) {
            can.transmit.rules.push_back({.passed = 10 + i, .dropped = i});
        }
        can.transmit.priority = 4;
    }
    if (policy.snd) {
        SndCounters &snd = counters.snd.emplace();
        snd.capture.otherwise = {.passed = 0, .dropped = 5};
        snd.control.rules.resize(policy.snd->control.rules.size(), {.passed = 6, .dropped = 1});
        snd.control.volume = 1;
    }
    if (policy.scmi) {
        counters.scmi.emplace().value = 7;
    }
    if (policy.video) {
        VideoCounters &video = counters.video.emplace();
        video.decode.size = 3;
        video.encode.rules.resize(policy.video->encode.rules.size(), {.passed = 9, .dropped = 2});
        video.encode.bitrate = 2;
    }
    return counters;
}

std::vector<std::uint32_t> FakePolicies::program_ids(const std::string & /*guest*/)
{
    return {100 + applications};
}

std::vector<std::string> FakePolicies::pinned_guests()
{
    std::vector<std::string> names;
    for (const auto &[name, unused] : pins) {
        names.push_back(name);
    }
    return names;
}

void FakeSystem::act(PowerState state, Done done)
{
    calls.push_back(std::string("act ") + word_of(state));
    done(std::exchange(error, {}));
}

void FakeSystem::start_unit(const std::string &unit, Done done)
{
    calls.push_back("start " + unit);
    done(std::exchange(error, {}));
}

void FakeSystem::stop_unit(const std::string &unit, Done done)
{
    calls.push_back("stop " + unit);
    done(std::exchange(error, {}));
}

void FakeSystem::take_delay(std::function<void(UniqueFd)> taken)
{
    calls.emplace_back("take_delay");
    taken(new_eventfd());
}

std::vector<FdStore::Stored> FakeFdStore::take()
{
    std::vector<Stored> stored;
    for (const auto &[name, fd] : kept) {
        stored.push_back({.name = name, .fd = UniqueFd(dup(fd.get()))});
    }
    return stored;
}

void FakeFdStore::put(const std::string &name, int fd)
{
    kept[name] = UniqueFd(dup(fd));
}

PowerParts FakeMachine::power_parts(Host &host, sd_event &event)
{
    return {.host = host,
            .system = system,
            .store = store,
            .event = event,
            .readings = HostReadings(directory.path() / "sys"),
            .record = directory.path() / "power",
            .now = boot_time,
            .poll = Milliseconds(20)};
}

void FakeMachine::write_sys(const std::string &path, const std::string &text) const
{
    const fs::path file = directory.path() / "sys" / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::trunc) << text << '\n';
}

Host FakeMachine::new_host()
{
    return Host({.kernel = kernel,
                 .links = links,
                 .cards = cards,
                 .mixers = mixers,
                 .codecs = codecs,
                 .policies = policies,
                 .workers = workers,
                 .latencies = latencies,
                 .nodes = Nodes(directory.path() / "sys", directory.path() / "dev"),
                 .states = RuntimeStates(directory.path() / "run")});
}

fs::path FakeMachine::config_directory() const
{
    return directory.path() / "guests.d";
}

void FakeMachine::write_config(const std::string &guest, const std::string &text) const
{
    fs::create_directories(config_directory());
    std::ofstream(config_directory() / (guest + ".toml"), std::ios::trunc) << text;
}

void FakeMachine::write_mixer(const std::string &mixer, const std::string &text) const
{
    const fs::path mixers = directory.path() / "mixers.d";
    fs::create_directories(mixers);
    std::ofstream(mixers / (mixer + ".toml"), std::ios::trunc) << text;
}

GuestConfig guest_config(const std::string &name)
{
    GuestConfig config;
    config.name = name;
    return config;
}

DeviceConfig can_device(const std::string &name, const std::string &interface)
{
    CanDeviceConfig can;
    can.interface = interface;
    DeviceConfig config;
    config.name = name;
    config.device_class = "can";
    config.backend = can;
    return config;
}

DeviceConfig snd_device(const std::string &name, const std::string &card)
{
    SndDeviceConfig snd;
    SndStreamConfig stream;
    stream.pcm.card = card;
    snd.streams.push_back(stream);
    SndControlConfig control;
    control.card = card;
    control.name = "Master Playback Volume";
    control.role = 2;
    snd.controls.push_back(control);
    DeviceConfig config;
    config.name = name;
    config.device_class = "snd";
    config.backend = snd;
    return config;
}

DeviceConfig scmi_device(const std::string &name)
{
    DeviceConfig config;
    config.name = name;
    config.device_class = "scmi";
    const Setting tree = parse_toml(R"(
agent = "the-agent"
[[resource]]
kind = "clock"
host = "pixel"
[[resource]]
kind = "perf"
host = "cpu0"
source = "cpufreq"
[[resource]]
kind = "sensor"
host = "coretemp/temp1"
source = "hwmon"
)",
                                    "");
    config.backend = scmi_device_from(TableReader(tree, "", ""));
    return config;
}

DeviceConfig video_device(const std::string &name, const std::string &codec)
{
    VideoDeviceConfig video;
    video.codec = codec;
    DeviceConfig config;
    config.name = name;
    config.device_class = "video_decoder";
    config.backend = video;
    return config;
}

PolicyConfig policy_of(const std::string &toml)
{
    const Setting tree = parse_toml(toml, "");
    return policy_from(TableReader(tree, "", ""), nullptr);
}

} // namespace devhost::test
