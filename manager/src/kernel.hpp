// SPDX-License-Identifier: Apache-2.0
//
// The kernel as the manager sees it. The generic netlink client implements it,
// and tests put a fake in its place.
#pragma once

#include <array>
#include <cstdint>
#include <linux/devhost.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config.hpp"
#include "sound_cards.hpp"
#include "video_codecs.hpp"

namespace devhost {

/// Items by verdict, indexed by enum devhost_verdict.
using VerdictCounts = std::array<std::uint64_t, __DEVHOST_VERDICT_NUM>;

struct GuestInfo {
    std::string name;
    std::uint32_t id = 0;
    std::optional<std::uint32_t> policy; // counted up with each attachment; empty: none attached
    std::uint64_t pinned = 0;            // bytes of guest memory held
    VerdictCounts verdicts{};
    Limits limits;
    Limits use;     // what it has of all of that
    Limits refused; // how often a limit refused something, or made a queue wait
};

struct CanBackendInfo {
    std::string interface;
    std::optional<std::uint32_t> ifindex; // while the interface exists
    std::uint32_t rx_backlog = 0;
    std::uint32_t tx_inflight = 0;
    devhost_can_state state = DEVHOST_CAN_STOPPED;
    bool operator==(const CanBackendInfo &) const = default;
};

/// A PCM of the host that a stream has.
struct SndPcmInfo {
    std::uint32_t card = 0;
    std::uint32_t device = 0;
    std::uint32_t subdevice = 0;
    bool operator==(const SndPcmInfo &) const = default;
};

struct SndStreamInfo {
    devhost_snd_direction direction = DEVHOST_SND_PLAYBACK;
    devhost_snd_state state = DEVHOST_SND_IDLE;
    std::uint32_t node = 0;
    std::uint32_t channels_max = 0;
    std::uint32_t rate_max = 0;
    std::uint32_t period_min = 0;
    std::uint32_t buffer_max = 0;
    std::optional<SndPcmInfo> pcm; // while its card is there
    bool operator==(const SndStreamInfo &) const = default;
};

struct SndControlInfo {
    std::uint32_t numid = 0;
    std::uint32_t role = 0;
    bool read_only = false;
    std::optional<std::uint32_t> card; // while it is there
    bool operator==(const SndControlInfo &) const = default;
};

struct SndBackendInfo {
    std::vector<SndStreamInfo> streams;
    std::vector<SndJackConfig> jacks;
    std::vector<SndControlInfo> controls;
    bool operator==(const SndBackendInfo &) const = default;
};

/// A system power state that a guest asked for.
struct ScmiRequestInfo {
    std::uint32_t state = 0; // SCMI's
    std::uint32_t flags = 0; // SCMI's
    std::uint32_t seq = 0;   // counts the requests of the device
    std::uint64_t since = 0; // nanoseconds of CLOCK_BOOTTIME
    bool operator==(const ScmiRequestInfo &) const = default;
};

struct ScmiBackendInfo {
    std::string agent;
    bool system_power = false;
    std::uint32_t resources = 0;
    std::optional<ScmiRequestInfo> request; // the last one
    bool operator==(const ScmiBackendInfo &) const = default;
};

/// What a guest has of a resource, what it wants of it, and what comes of that.
struct ScmiResourceInfo {
    devhost_scmi_kind kind = DEVHOST_SCMI_CLOCK;
    std::uint32_t id = 0; // the guest's
    std::string name;     // the guest's
    std::string host;
    std::string device;
    devhost_scmi_source source = DEVHOST_SCMI_SOURCE_DEFAULT;
    bool read_only = false;
    std::uint64_t level_min = 0;
    std::uint64_t level_max = 0;
    std::uint32_t type = 0;
    std::int32_t scale = 0;
    bool vote_on = false;
    std::optional<std::uint64_t> vote_level;
    std::optional<std::uint64_t> vote_since; // nanoseconds of CLOCK_BOOTTIME
    bool on = false;
    std::uint64_t level = 0;
    std::optional<std::uint64_t> ceiling;
    devhost_scmi_limit limit = DEVHOST_SCMI_LIMIT_NONE;
    std::uint32_t holders = 0;
    bool operator==(const ScmiResourceInfo &) const = default;
};

/// An item that a guest's policy is against.
struct DenialInfo {
    std::string guest;
    std::string device;
    std::uint32_t verdict = DEVHOST_VERDICT_DENY;
    std::uint64_t suppressed = 0; // further ones, of which nothing else is told
    Setting item;                 // a table, by the words that rules have
};

struct ResourceInfo {
    std::string guest;
    std::string device;
    std::uint32_t index = 0; // among those of the device
    ScmiResourceInfo scmi;
};

/// SYSTEM_POWER_STATE_NOTIFIER, in SCMI's numbers.
struct ScmiAnnouncement {
    std::uint32_t state = 0;
    std::uint32_t flags = 0;
    std::uint32_t timeout_ms = 0;
    bool operator==(const ScmiAnnouncement &) const = default;
};

struct VideoBackendInfo {
    std::string name;                  // the codec's for itself
    std::optional<std::uint32_t> node; // N of /dev/videoN, while it is there
    std::uint32_t streams_max = 0;
    bool operator==(const VideoBackendInfo &) const = default;
};

using BackendInfo =
    std::variant<std::monostate, CanBackendInfo, SndBackendInfo, ScmiBackendInfo, VideoBackendInfo>;

/// Open files that a backend is made of.
using BackendFiles = std::variant<std::monostate, SndFiles, VideoFile>;

struct DeviceInfo {
    std::string guest;
    std::string name;
    std::uint32_t id = 0;
    std::string device_class;
    std::uint32_t virtio_id = 0;
    std::string vdpa_name;
    devhost_dev_state state = DEVHOST_DEV_IDLE;
    std::uint8_t status = 0;
    std::string reason;
    std::uint64_t features = 0;
    std::uint64_t driver_features = 0;
    std::uint64_t features_mask = 0;
    std::uint32_t vq_size_max = 0;
    std::uint32_t vqs = 0;
    bool policy_required = false;
    std::optional<std::uint32_t> worker; // thread id
    BackendInfo backend;
    bool operator==(const DeviceInfo &) const = default;
};

struct QueueStatistics {
    std::uint32_t index = 0;
    std::string name;
    std::uint64_t kicks = 0;
    std::uint64_t popped = 0;
    std::uint64_t pushed = 0;
    std::uint64_t notified = 0;
    std::uint64_t malformed = 0;
    std::uint32_t inflight = 0;
};

/// As statistics name it.
inline std::string name_of(const QueueStatistics &queue)
{
    return queue.name.empty() ? std::to_string(queue.index) : queue.name;
}

struct DeviceStatistics {
    std::vector<QueueStatistics> queues;
    std::vector<std::pair<std::string, std::uint64_t>> counters; // of the device class
    VerdictCounts verdicts{};
};

namespace event {

struct GuestNew {
    GuestInfo guest;
};
struct GuestGone {
    GuestInfo guest;
};
struct PolicyChange {
    GuestInfo guest;
};
struct GuestChange {
    GuestInfo guest;
};
struct DeviceNew {
    DeviceInfo device;
};
struct DeviceGone {
    DeviceInfo device;
};
struct DeviceChange {
    DeviceInfo device;
};
struct ResourceChange {
    ResourceInfo resource;
};
/// A guest asks for a system power state.
struct PowerRequest {
    DeviceInfo device;
};
struct PolicyDenied {
    DenialInfo denial;
};
/// Events were lost: what is known must be read anew.
struct Overrun {};

} // namespace event

using KernelEvent =
    std::variant<event::GuestNew, event::GuestGone, event::GuestChange, event::PolicyChange,
                 event::DeviceNew, event::DeviceGone, event::DeviceChange, event::ResourceChange,
                 event::PowerRequest, event::PolicyDenied, event::Overrun>;

/// Every call throws Error.
class Kernel {
public:
    virtual ~Kernel() = default;

    virtual std::vector<GuestInfo> guests() = 0;
    virtual std::vector<DeviceInfo> devices() = 0;
    virtual GuestInfo guest(const std::string &name) = 0;
    virtual DeviceInfo device(const std::string &guest, const std::string &name) = 0;

    virtual GuestInfo create_guest(const std::string &name, const Limits &limits) = 0;
    /// All of them: what is empty is no limit any more. Takes nothing away.
    virtual GuestInfo set_limits(const std::string &name, const Limits &limits) = 0;
    /// With its devices. Cause::guest_busy and @p force as for remove_device().
    virtual void remove_guest(const std::string &name, bool force) = 0;
    virtual DeviceInfo create_device(const std::string &guest, const DeviceConfig &device,
                                     const BackendFiles &files) = 0;
    /// Gives streams and controls other files.
    virtual DeviceInfo set_sound(const std::string &guest, const std::string &name,
                                 const SndFiles &files) = 0;
    /// Gives a device the codec that it has lost.
    virtual DeviceInfo set_codec(const std::string &guest, const std::string &name,
                                 const VideoFile &file) = 0;
    /// Says of each jack whether something is plugged in.
    virtual DeviceInfo set_jacks(const std::string &guest, const std::string &name,
                                 const std::vector<bool> &connected) = 0;
    /// What an SCMI device shares out, by index; and one of them.
    virtual std::vector<ScmiResourceInfo> resources(const std::string &guest,
                                                    const std::string &name) = 0;
    virtual ScmiResourceInfo resource(const std::string &guest, const std::string &name,
                                      std::uint32_t index) = 0;
    /// Limits a resource of the host for all that have it; no level: no limit.
    virtual void set_ceiling(const std::string &guest, const std::string &name,
                             devhost_scmi_kind kind, std::uint32_t id,
                             std::optional<std::uint64_t> level) = 0;
    /// The value of a sensor that is pushed.
    virtual void push_reading(const std::string &guest, const std::string &name, std::uint32_t id,
                              std::int64_t value) = 0;
    /// Tells the guest of a system power transition.
    virtual void announce(const std::string &guest, const std::string &name,
                          const ScmiAnnouncement &announcement) = 0;
    /// While a VMM has the device open this is Cause::device_busy; with @p force it serves
    /// nothing more, and the answer is the same until the VMM has closed it.
    virtual void remove_device(const std::string &guest, const std::string &name, bool force) = 0;
    /// Possible while no VMM has the device open.
    virtual DeviceInfo set_features_mask(const std::string &guest, const std::string &name,
                                         std::uint64_t mask) = 0;
    virtual DeviceStatistics statistics(const std::string &guest, const std::string &name) = 0;

    /// Readable when read_events() has something.
    [[nodiscard]] virtual int event_fd() const = 0;
    virtual std::vector<KernelEvent> read_events() = 0;
};

} // namespace devhost
