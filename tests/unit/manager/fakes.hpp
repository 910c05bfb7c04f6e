// SPDX-License-Identifier: Apache-2.0
//
// A device host in memory: what the manager stands on, without a kernel.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "host.hpp"
#include "power.hpp"
#include "unique_fd.hpp"

namespace devhost::test {

/// A directory that is gone with the object.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    ~TemporaryDirectory();
    [[nodiscard]] const std::filesystem::path &path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Guests and devices live here while managers come and go. Makes the entries in sys and dev that
/// the vdpa bus and vhost_vdpa make.
class FakeKernel final : public Kernel {
public:
    explicit FakeKernel(std::filesystem::path root);

    std::vector<GuestInfo> guests() override;
    std::vector<DeviceInfo> devices() override;
    GuestInfo guest(const std::string &name) override;
    DeviceInfo device(const std::string &guest, const std::string &name) override;
    GuestInfo create_guest(const std::string &name, const Limits &limits) override;
    GuestInfo set_limits(const std::string &name, const Limits &limits) override;
    void remove_guest(const std::string &name, bool force) override;
    DeviceInfo create_device(const std::string &guest, const DeviceConfig &device,
                             const BackendFiles &files) override;
    DeviceInfo set_sound(const std::string &guest, const std::string &name,
                         const SndFiles &files) override;
    DeviceInfo set_codec(const std::string &guest, const std::string &name,
                         const VideoFile &file) override;
    DeviceInfo set_jacks(const std::string &guest, const std::string &name,
                         const std::vector<bool> &connected) override;
    std::vector<ScmiResourceInfo> resources(const std::string &guest,
                                            const std::string &name) override;
    ScmiResourceInfo resource(const std::string &guest, const std::string &name,
                              std::uint32_t index) override;
    void set_ceiling(const std::string &guest, const std::string &name, devhost_scmi_kind kind,
                     std::uint32_t id, std::optional<std::uint64_t> level) override;
    void push_reading(const std::string &guest, const std::string &name, std::uint32_t id,
                      std::int64_t value) override;
    void announce(const std::string &guest, const std::string &name,
                  const ScmiAnnouncement &announcement) override;
    void remove_device(const std::string &guest, const std::string &name, bool force) override;
    DeviceInfo set_features_mask(const std::string &guest, const std::string &name,
                                 std::uint64_t mask) override;
    DeviceStatistics statistics(const std::string &guest, const std::string &name) override;
    [[nodiscard]] int event_fd() const override { return events_fd_.get(); }
    std::vector<KernelEvent> read_events() override;

    /// What somebody else, or a VMM, does.
    void change_device(const std::string &guest, const std::string &name,
                       const std::function<void(DeviceInfo &)> &change);
    void change_resource(const std::string &guest, const std::string &name, std::uint32_t index,
                         const std::function<void(ScmiResourceInfo &)> &change);
    /// The driver of an SCMI device starts, goes, asks for one of SCMI's states.
    void run_scmi(const std::string &guest, bool running);
    void ask_power(const std::string &guest, std::uint32_t state);
    void set_busy(const std::string &guest, const std::string &name, bool busy);
    void set_policy(const std::string &guest, std::optional<std::uint32_t> policy);
    void deny(DenialInfo denial);
    void lose_events();

    /// Codecs can do something else than those that went.
    bool other_codecs = false;

    /// Of the only queue of each device, all the time.
    double items_a_second = 0;

    /// Requests that changed something, as "create_guest ivi".
    std::vector<std::string> changes;

private:
    using Key = std::pair<std::string, std::string>;

    void tell(KernelEvent event);
    [[nodiscard]] std::filesystem::path sys_path(const DeviceInfo &info) const;
    void erase_device(const Key &key);

    std::filesystem::path root_;
    UniqueFd events_fd_;
    std::vector<KernelEvent> events_;
    std::map<std::string, GuestInfo> guests_;
    std::map<Key, DeviceInfo> devices_;
    std::map<Key, std::vector<ScmiResourceInfo>> resources_;
    std::map<Key, unsigned> minors_;
    std::set<Key> busy_;
    std::uint32_t next_id_ = 1;
    std::uint32_t next_worker_ = 1000;
    unsigned next_minor_ = 0;
};

class FakeLinks final : public CanLinks {
public:
    FakeLinks();

    std::optional<CanLinkInfo> read(const std::string &interface) override;
    void apply(const std::string &interface, const CanDeviceConfig &wanted) override;
    void restart(const std::string &interface) override;
    [[nodiscard]] int event_fd() const override { return events_fd_.get(); }
    std::optional<std::vector<std::string>> read_events() override;

    /// The interface appears or changes.
    void put(const std::string &interface, const CanLinkInfo &info);

    std::vector<std::string> applied;
    std::vector<std::string> restarted;

private:
    UniqueFd events_fd_;
    std::vector<std::string> events_;
    std::map<std::string, CanLinkInfo> links_;
};

/// Cards by id; each has a playback and a capture PCM 0, and the control "Master Playback Volume".
class FakeCards final : public SoundCards {
public:
    FakeCards();

    std::string id(std::uint32_t number) override;
    UniqueFd open_pcm(const SndStreamConfig &stream) override;
    UniqueFd open_card(const std::string &card) override;
    std::uint32_t numid(const UniqueFd &card, const SndControlConfig &control) override;
    void set_element(const std::string &card, const std::string &name, long value) override;
    std::optional<SndLevel> level(const SndPlace &place) override;
    void set_level(const SndPlace &place, const SndLevel &level) override;
    [[nodiscard]] int event_fd() const override { return events_fd_.get(); }
    SndCardEvents read_events() override;

    void plug(const std::string &card);
    void unplug(const std::string &card) { present_.erase(card); }
    /// PCM 0 of the card is a mixer's; somebody sets what it is heard with.
    void turn(std::uint32_t card, const SndLevel &level);

    std::vector<std::string> opened;
    std::map<std::string, long> elements; // "CARD NAME": what they were set to
    bool busy = false;

private:
    UniqueFd events_fd_;
    std::set<std::string> present_;
    std::map<std::uint32_t, SndLevel> levels_;
    SndCardEvents events_;
};

/// Codecs by the number of their node.
class FakeCodecs final : public VideoCodecs {
public:
    FakeCodecs();

    [[nodiscard]] int event_fd() const override { return events_fd_.get(); }
    DeviceEvents read_events() override;
    /// They come or go, and that is told.
    void come(std::uint32_t number, const std::vector<std::string> &names);
    void go(std::uint32_t number);

    UniqueFd open(const VideoDeviceConfig &video) override;
    std::vector<std::string> names(std::uint32_t number) override { return present[number]; }

    std::map<std::uint32_t, std::vector<std::string>> present;
    unsigned opened = 0;

private:
    UniqueFd events_fd_;
    DeviceEvents events_;
};

/// Mixers are there until they are removed.
class FakeMixers final : public MixerKernel {
public:
    explicit FakeMixers(FakeCards &cards) : cards_(cards) {}

    std::vector<MixerInfo> mixers() override;
    void create(const MixerConfig &mixer, const MixerFiles &files) override;
    void remove(const std::string &name) override;

    std::vector<std::string> done; // "+NAME", "-NAME"
    std::map<std::string, MixerInfo> present;

private:
    FakeCards &cards_;
};

/// In force until removed, as pins are.
class FakePolicies final : public Policies {
public:
    explicit FakePolicies(FakeKernel &kernel) : kernel_(kernel) {}

    void apply(const PolicyGuest &guest, const PolicyConfig &policy) override;
    void remove(const std::string &guest) override;
    std::optional<PolicyConfig> adopt(const PolicyGuest &guest) override;
    PolicyCounters counters(const std::string &guest) override;
    std::vector<std::uint32_t> program_ids(const std::string &guest) override;
    std::vector<std::string> pinned_guests() override;

    struct Pin {
        std::uint32_t guest_id;
        PolicyConfig policy;
        std::vector<PolicyDevice> devices;
    };
    std::map<std::string, Pin> pins;
    bool refuse = false;
    bool unreadable = false; // until another one is applied
    unsigned applications = 0;

private:
    FakeKernel &kernel_;
};

class FakeWorkers final : public Workers {
public:
    void apply(std::uint32_t thread, const WorkerConfig &wanted) override
    {
        applied[thread] = wanted;
    }

    std::map<std::uint32_t, WorkerConfig> applied;
};

/// Two slots that differ, in each queue that is asked for; more of both each time.
class FakeLatencies final : public Latencies {
public:
    std::vector<QueueLatencies> read(std::uint32_t /*device*/, std::uint32_t queues) override
    {
        if (unavailable) {
            throw Error(Cause::not_supported, "No BTF.");
        }
        reads++;
        return std::vector<QueueLatencies>(
            queues, {.wait = {{4096, 3 * reads}}, .service = {{20480, 5 * reads}}});
    }
    void rest() override { reads = 0; }

    std::uint64_t reads = 0;
    bool unavailable = false;
};

/// logind and systemd: what they are asked for, and what they do then.
class FakeSystem final : public HostPower {
public:
    void set_handlers(Handlers handlers) override { this->handlers = std::move(handlers); }
    bool leaving() override { return is_leaving; }
    void act(PowerState state, Done done) override;
    void start_unit(const std::string &unit, Done done) override;
    void stop_unit(const std::string &unit, Done done) override;
    void take_delay(std::function<void(UniqueFd)> taken) override;

    Handlers handlers;
    std::vector<std::string> calls;
    std::string error; // of what is asked next
    bool is_leaving = false;
};

/// Keeps files as systemd does, from one manager to the next.
class FakeFdStore final : public FdStore {
public:
    std::vector<Stored> take() override;
    void put(const std::string &name, int fd) override;
    void remove(const std::string &name) override { kept.erase(name); }

    std::map<std::string, UniqueFd> kept;
};

/// The machine; any number of Hosts, one after the other, can manage it.
struct FakeMachine {
    TemporaryDirectory directory;
    FakeKernel kernel{directory.path()};
    FakeLinks links;
    FakeCards cards;
    FakeMixers mixer_kernel{cards};
    Mixers mixers{mixer_kernel, cards};
    FakeCodecs codecs;
    FakePolicies policies{kernel};
    FakeWorkers workers;
    FakeLatencies latencies;
    FakeSystem system;
    FakeFdStore store;
    PowerConfig power_config;

    [[nodiscard]] PowerParts power_parts(Host &host, sd_event &event);
    /// A file of sysfs.
    void write_sys(const std::string &path, const std::string &text) const;
    [[nodiscard]] Host new_host();
    [[nodiscard]] std::filesystem::path config_directory() const;
    void write_config(const std::string &guest, const std::string &text) const;
    void write_mixer(const std::string &mixer, const std::string &text) const;
};

GuestConfig guest_config(const std::string &name);
DeviceConfig can_device(const std::string &name, const std::string &interface = "can0");
/// A playback stream and a control on the card.
DeviceConfig snd_device(const std::string &name, const std::string &card = "PCH");
/// A clock, a performance domain and a sensor of hwmon.
DeviceConfig scmi_device(const std::string &name);
DeviceConfig video_device(const std::string &name, const std::string &codec = "vicodec");
PolicyConfig policy_of(const std::string &toml);

} // namespace devhost::test
