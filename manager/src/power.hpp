// SPDX-License-Identifier: Apache-2.0
//
// Power of the device host and its guests: what happens goes to the arbiter, what it decides is
// done, and what it knows is recorded, so that a restart of the daemon changes nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <systemd/sd-event.h>
#include <vector>

#include "host.hpp"
#include "host_power.hpp"
#include "host_readings.hpp"
#include "power_arbiter.hpp"
#include "power_ceilings.hpp"

namespace devhost {

/// What all of it comes to: the properties of org.devhost1.Power.
struct PowerView {
    std::string requested = "on";
    std::string current;
    std::string effective;
    std::string reason;
    std::string requested_by;
    std::string why;
    std::uint64_t since = 0;    // microseconds of CLOCK_BOOTTIME, as all times here
    std::uint64_t deadline = 0; // 0: none
    std::uint32_t failures = 0;
    std::string power_source;
    std::vector<std::string> allowed;
    std::vector<std::string> waiting;
    std::vector<Setting> votes;
    std::vector<Setting> ceilings;
    std::vector<Setting> resources;
};

/// The properties of org.devhost1.GuestPower.
struct GuestPowerView {
    std::string role;
    std::string requested;
    std::string current;
    std::string reason;
    std::uint64_t since = 0;
    std::uint64_t deadline = 0;
    std::uint32_t failures = 0;
    std::uint32_t budget = 0;
    std::uint32_t order = 0;
    std::string emulate_unit;
    bool unresponsive = false;
    bool quiesced = false;
};

class PowerObserver {
public:
    virtual ~PowerObserver() = default;
    virtual void power_changed(const Properties &properties) = 0;
    virtual void guest_power_changed(const std::string &guest, const Properties &properties) = 0;
};

/// What it stands on; all outlive it.
struct PowerParts {
    Host &host;
    HostPower &system;
    FdStore &store;
    sd_event &event;
    HostReadings readings;
    std::filesystem::path record = "/run/devhost/power";
    std::function<PowerTime()> now;
    Milliseconds poll{1000}; // between looks at the host's sensors
};

/// CLOCK_BOOTTIME
PowerTime boot_time();

/// Calls throw Error.
class Power final : public HostObserver {
public:
    Power(PowerParts parts, PowerConfig config);
    ~Power() override;
    Power(const Power &) = delete;
    Power &operator=(const Power &) = delete;

    void set_observer(PowerObserver *observer) { observer_ = observer; }
    /// After the host's discovery. Nothing changes by it but what happened meanwhile.
    void start();
    /// Of /etc/devhost/power.toml, read again.
    void set_config(PowerConfig config);

    void request(PowerState state, const std::string &why);
    void emergency_off();
    /// The hold lasts as long as the descriptor is open somewhere.
    UniqueFd hold(HoldMode mode, PowerState state, const std::string &who, const std::string &why);
    void set_ceiling(const ResourceName &resource, std::uint64_t level, const std::string &why);
    void clear_ceiling(const ResourceName &resource);
    void reset();
    void reset_guest(const std::string &guest);

    [[nodiscard]] const PowerView &view() const { return view_; }
    [[nodiscard]] const GuestPowerView &view(const std::string &guest) const;

    void guest_added(const Guest &guest) override;
    void guest_removing(const Guest &guest) override;
    void guest_changed(const Guest &guest, const Properties &properties) override;
    void policy_changed(const Guest &guest, const Properties &properties) override;
    void device_added(const Device &device) override;
    void device_removing(const Device &device) override;
    void device_changed(const Device &device, const Properties &properties) override;

private:
    struct SourceDelete {
        void operator()(sd_event_source *source) const { sd_event_source_disable_unref(source); }
    };
    using Source = std::unique_ptr<sd_event_source, SourceDelete>;

    /// A resource of the host as the kernel tells them apart.
    struct HostResource {
        ResourceName name;
        std::string device;
        devhost_scmi_source source = DEVHOST_SCMI_SOURCE_DEFAULT;
        auto operator<=>(const HostResource &) const = default;
    };

    struct LocalHold {
        Power &power;
        std::uint64_t id;
        UniqueFd fd; // our end
        Source source;
    };

    void note_guest(const Guest &guest);
    void note_run(const std::string &guest, const std::string &without);
    void note_request(const Device &device);

    /// Does what the arbiter wants, records, tells of what changed.
    void settle();
    void perform(const power_action::Announce &action);
    void perform(const power_action::StopUnit &action);
    void perform(const power_action::StartUnit &action);
    void perform(const power_action::Act &action);
    void perform(const power_action::ReleaseDelay &action);
    void perform(const power_action::TakeDelay &action);
    void perform(const power_action::Note &action);
    void take_delay();
    void write_record();
    void read_record();
    void arm();
    void tell_changes();

    void watch_hold(std::uint64_t id, UniqueFd fd);
    void release_hold(std::uint64_t id);

    /// Ceilings of the kernel as they are to be.
    void apply_ceilings();
    void adopt_ceilings();
    void record_ceilings(std::ostream &out) const;
    void restore_ceilings(const RecordReader &record);
    void look();
    void feed_sensors();
    [[nodiscard]] bool anything_to_look_at() const;

    [[nodiscard]] PowerView make_view() const;
    [[nodiscard]] GuestPowerView make_view(const PowerGuest &guest) const;

    static int on_timer(sd_event_source *source, std::uint64_t usec, void *self);
    static int on_poll(sd_event_source *source, std::uint64_t usec, void *self);
    static int on_hangup(sd_event_source *source, int fd, std::uint32_t events, void *hold);

    PowerParts parts_;
    PowerObserver *observer_ = nullptr;
    PowerArbiter arbiter_;
    Ceilings ceilings_;
    bool started_ = false;
    bool settling_ = false;
    bool battery_ = false;
    UniqueFd delay_;
    bool delay_wanted_ = false;
    Source timer_;
    Source poll_;
    std::map<std::uint64_t, std::unique_ptr<LocalHold>> holds_;
    std::map<std::uint32_t, std::uint32_t> seen_;   // requests dealt with, by device
    std::map<HostResource, std::uint64_t> applied_; // ceilings that the kernel was given
    std::map<std::uint64_t, std::int64_t> pushed_;  // readings, by device and sensor
    std::string recorded_;
    PowerView view_;
    std::map<std::string, GuestPowerView> guest_views_;
};

} // namespace devhost
