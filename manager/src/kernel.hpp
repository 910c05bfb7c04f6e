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

namespace devhost {

/// Items by verdict, indexed by enum devhost_verdict.
using VerdictCounts = std::array<std::uint64_t, __DEVHOST_VERDICT_NUM>;

struct GuestInfo {
    std::string name;
    std::uint32_t id = 0;
    std::optional<std::uint32_t> policy; // counted up with each attachment; empty: none attached
    std::uint64_t pinned = 0;            // bytes of guest memory held
    VerdictCounts verdicts{};
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

using BackendInfo = std::variant<std::monostate, CanBackendInfo, SndBackendInfo>;

/// Open files that a backend is made of.
using BackendFiles = std::variant<std::monostate, SndFiles>;

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
struct DeviceNew {
    DeviceInfo device;
};
struct DeviceGone {
    DeviceInfo device;
};
struct DeviceChange {
    DeviceInfo device;
};
/// Events were lost: what is known must be read anew.
struct Overrun {};

} // namespace event

using KernelEvent =
    std::variant<event::GuestNew, event::GuestGone, event::PolicyChange, event::DeviceNew,
                 event::DeviceGone, event::DeviceChange, event::Overrun>;

/// Every call throws Error.
class Kernel {
public:
    virtual ~Kernel() = default;

    virtual std::vector<GuestInfo> guests() = 0;
    virtual std::vector<DeviceInfo> devices() = 0;
    virtual GuestInfo guest(const std::string &name) = 0;
    virtual DeviceInfo device(const std::string &guest, const std::string &name) = 0;

    virtual GuestInfo create_guest(const std::string &name) = 0;
    /// With its devices. Cause::guest_busy and @p force as for remove_device().
    virtual void remove_guest(const std::string &name, bool force) = 0;
    virtual DeviceInfo create_device(const std::string &guest, const DeviceConfig &device,
                                     const BackendFiles &files) = 0;
    /// Gives streams and controls other files.
    virtual DeviceInfo set_sound(const std::string &guest, const std::string &name,
                                 const SndFiles &files) = 0;
    /// Says of each jack whether something is plugged in.
    virtual DeviceInfo set_jacks(const std::string &guest, const std::string &name,
                                 const std::vector<bool> &connected) = 0;
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
