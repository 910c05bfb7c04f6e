// SPDX-License-Identifier: Apache-2.0
//
// The guests and devices of this device host: what the kernel has, with what only the manager
// knows about them. What changes them goes through here, and so do the kernel's events.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "can_links.hpp"
#include "kernel.hpp"
#include "latency.hpp"
#include "mixers.hpp"
#include "nodes.hpp"
#include "policies.hpp"
#include "runtime_state.hpp"
#include "sound_cards.hpp"
#include "video_codecs.hpp"
#include "worker.hpp"

namespace devhost {

struct Subject;

struct Device {
    DeviceInfo info;
    std::string node;                            // path of the vhost-vdpa node, or empty
    std::optional<CanLinkInfo> link;             // of a CAN device, while the interface exists
    std::optional<Backend> wanted;               // what it is to stand on, where known
    std::map<std::uint32_t, std::string> cards;  // ids of its sound cards, by number
    std::vector<std::optional<SndLevel>> levels; // of its streams, where a mixer has them
    std::vector<ScmiResourceInfo> resources;     // of an SCMI device
    std::vector<std::string> codec;              // what its codec calls itself, while it is there

    [[nodiscard]] const std::string *interface() const;
};

struct Guest {
    GuestInfo info;
    RuntimeState settings;
    std::map<std::string, Device> devices;
    std::optional<PolicyConfig> policy;
    std::vector<std::uint32_t> programs; // BPF, of the policy
};

/// The guest as its policy knows it.
PolicyGuest policy_guest(const Guest &guest);

/// D-Bus names of properties.
using Properties = std::set<std::string>;

/// Is told of changes. On "removing" the thing is still there.
class HostObserver {
public:
    virtual ~HostObserver() = default;
    virtual void guest_added(const Guest &guest) = 0;
    virtual void guest_removing(const Guest &guest) = 0;
    virtual void guest_changed(const Guest &guest, const Properties &properties) = 0;
    virtual void policy_changed(const Guest &guest, const Properties &properties) = 0;
    virtual void device_added(const Device &device) = 0;
    virtual void device_removing(const Device &device) = 0;
    virtual void device_changed(const Device &device, const Properties &properties) = 0;
    virtual void policy_denied(const Device & /*device*/, const DenialInfo & /*denial*/) {}
};

/// What the host stands on; all outlive it.
struct HostParts {
    Kernel &kernel;
    CanLinks &links;
    SoundCards &cards;
    Mixers &mixers;
    VideoCodecs &codecs;
    Policies &policies;
    Workers &workers;
    Latencies &latencies;
    Nodes nodes;
    RuntimeStates states;
};

/// Calls throw Error.
class Host {
public:
    explicit Host(HostParts parts) : parts_(std::move(parts)) {}

    void set_observer(HostObserver *observer) { observer_ = observer; }

    /// Reads what the kernel has, and changes nothing but what is left over of guests that are
    /// gone.
    void discover();
    void handle_kernel_events();
    void handle_link_events();
    /// Sound cards that came back are given to the mixers and devices that lost them.
    void handle_card_events();
    /// Sees which codecs are gone, and gives those that came back to the devices that lost them.
    void handle_codec_events();
    void refresh_codecs();
    /// Which mixers are wanted.
    void set_mixers(std::vector<MixerConfig> mixers, bool all, const Mixers::Report &report);

    [[nodiscard]] const std::map<std::string, Guest> &guests() const { return guests_; }
    [[nodiscard]] const Guest &guest(const std::string &name) const;
    [[nodiscard]] const Device &device(const std::string &guest, const std::string &name) const;

    /// With the settings of @p config, and neither its devices nor its policy.
    void create_guest(const GuestConfig &config);
    /// Changes what a guest has beside its devices and policy.
    void set_guest(const std::string &name, const RuntimeState &settings);
    /// What it may have at most, all of it at once.
    void set_limits(const std::string &name, const Limits &limits);
    void remove_guest(const std::string &name, bool force);

    void create_device(const std::string &guest, const DeviceConfig &config);
    void remove_device(const std::string &guest, const std::string &name, bool force);
    void set_features_mask(const std::string &guest, const std::string &name, std::uint64_t mask);
    /// Sets the CAN interface of a device.
    void set_link(const std::string &guest, const std::string &name, const CanDeviceConfig &wanted);
    /// Notes how a device's backend is wanted, for when it appears or comes back.
    void note_backend(const std::string &guest, const std::string &name, const Backend &wanted);
    void restart_bus(const std::string &guest, const std::string &name);
    /// Of a sound device: whether something is plugged in, for each jack.
    void set_jacks(const std::string &guest, const std::string &name,
                   const std::vector<bool> &connected);

    /// Of a stream that is on a mixer.
    void set_level(const std::string &guest, const std::string &name, std::uint32_t stream,
                   std::optional<int> volume, std::optional<bool> mute);

    /// Of an SCMI device; see Kernel.
    void set_ceiling(const std::string &guest, const std::string &name, devhost_scmi_kind kind,
                     std::uint32_t id, std::optional<std::uint64_t> level);
    void push_reading(const std::string &guest, const std::string &name, std::uint32_t id,
                      std::int64_t value);
    void announce(const std::string &guest, const std::string &name,
                  const ScmiAnnouncement &announcement);

    void set_policy(const std::string &guest, const PolicyConfig &policy);
    void clear_policy(const std::string &guest);
    PolicyCounters policy_counters(const std::string &guest);

    GuestInfo guest_statistics(const std::string &name);
    DeviceStatistics device_statistics(const std::string &guest, const std::string &name);
    /// By the names of its queues; counted while somebody asks.
    std::map<std::string, QueueLatencies> device_latencies(const std::string &guest,
                                                           const std::string &name);
    /// Nobody has asked for latencies for long.
    void rest_latencies() { parts_.latencies.rest(); }
    UniqueFd open(const std::string &guest, const std::string &name);

private:
    Guest &find(const std::string &name);
    Device &find(const std::string &guest, const std::string &name);
    [[nodiscard]] Owner owner(const Guest &guest) const;

    void add_guest(const GuestInfo &info);
    void update_guest(Guest &guest, const GuestInfo &info);
    void drop_guest(const std::string &name);
    void add_device(Guest &guest, const DeviceInfo &info);
    void update_device(Guest &guest, Device &device, const DeviceInfo &info);
    void drop_device(Guest &guest, const std::string &name);
    /// Takes over what the kernel has now.
    void take(const GuestInfo &info);
    void take(const DeviceInfo &info);
    void refresh_guest(const std::string &name);
    void refresh_device(const std::string &guest, const std::string &name);
    void refresh_policy(Guest &guest);
    /// Something that the policy of its guest is against.
    void tell(const DenialInfo &denial);
    void refresh_link(Device &device);
    void refresh_resources(Device &device);
    void refresh_resource(const ResourceInfo &changed);

    /// What of the backend must be made ready before there is a device on it.
    BackendFiles make_ready(const CanDeviceConfig &can);
    BackendFiles make_ready(const SndDeviceConfig &snd);
    BackendFiles make_ready(const ScmiDeviceConfig &scmi);
    BackendFiles make_ready(const VideoDeviceConfig &video);
    void name_cards(Device &device);
    void name_codec(Device &device);
    void refresh_cards(const std::string &guest, const std::string &name);
    void refresh_codec(const std::string &guest, const std::string &name);
    /// Opens what a device stood on; where it is not there yet, that is no error.
    static void open_again(const Subject &subject, const std::function<void()> &open);
    /// Gives a device what came back, and tells the journal what became of that.
    void give_back(const Subject &subject, const std::string &news,
                   const std::function<DeviceInfo()> &give);
    /// True where they changed.
    bool refresh_levels(Device &device);
    void refresh_all_levels();

    void publish(const Guest &guest, Device &device);
    void apply_worker(const Guest &guest, const Device &device);

    HostParts parts_;
    HostObserver *observer_ = nullptr;
    std::map<std::string, Guest> guests_;
};

} // namespace devhost
