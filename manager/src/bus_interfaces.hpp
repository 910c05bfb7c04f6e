// SPDX-License-Identifier: Apache-2.0
//
// One class per interface file, one member per method and get_... per property. An object of these
// is made for each call, from the path it goes to.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "bus_dispatch.hpp"
#include "host.hpp"
#include "power.hpp"

namespace devhost {

class Configuration;

/// What is served.
struct Served {
    Host &host;
    Configuration &configuration;
    Power &power;
};

/// Settings of a device as D-Bus has them, as one [[device]] table: what does not belong to every
/// device goes into the table of its class.
Setting device_table(const std::string &name, const std::string &device_class,
                     const Setting &options);

class ManagerInterface {
public:
    static ManagerInterface at(BusService &service, const std::string &path);

    ObjectPath create_guest(const std::string &name, const Setting &options);
    void remove_guest(const std::string &name, std::uint64_t flags);
    std::vector<std::tuple<std::string, ObjectPath>> list_guests();
    ObjectPath get_guest(const std::string &name);
    std::vector<std::tuple<std::string, std::string, ObjectPath>> list_devices();
    ObjectPath get_device(const std::string &guest, const std::string &name);
    void reload();

    [[nodiscard]] std::string get_version() const;
    [[nodiscard]] std::vector<std::string> get_config_problems() const;

private:
    explicit ManagerInterface(BusService &service) : service_(service) {}
    BusService &service_;
};

class GuestInterface {
public:
    static GuestInterface at(BusService &service, const std::string &path);

    ObjectPath create_device(const std::string &name, const std::string &device_class,
                             const Setting &options);
    void remove_device(const std::string &name, std::uint64_t flags);
    std::vector<std::tuple<std::string, ObjectPath>> list_devices();
    std::map<std::string, std::uint64_t> get_statistics();
    void set_limits(const Setting &limits);

    [[nodiscard]] std::string get_name() const { return guest_.info.name; }
    [[nodiscard]] std::uint32_t get_id() const { return guest_.info.id; }
    [[nodiscard]] std::string get_user() const { return guest_.settings.user; }
    [[nodiscard]] std::string get_group() const { return guest_.settings.group; }
    [[nodiscard]] std::string get_unit() const { return guest_.settings.unit; }
    [[nodiscard]] Setting get_worker() const { return to_setting(guest_.settings.worker); }
    [[nodiscard]] std::string get_config_file() const { return guest_.settings.file; }
    [[nodiscard]] std::uint64_t get_pinned_memory() const;
    [[nodiscard]] Setting get_limits() const { return to_setting(guest_.info.limits); }
    [[nodiscard]] std::map<std::string, std::uint64_t> get_in_use() const;
    [[nodiscard]] std::vector<ObjectPath> get_devices() const;

private:
    GuestInterface(Host &host, const Guest &guest) : host_(host), guest_(guest) {}
    Host &host_;
    const Guest &guest_;
};

class DeviceInterface {
public:
    static DeviceInterface at(BusService &service, const std::string &path);

    UniqueFd open();
    void configure(const Setting &settings);
    void set_volume(std::uint32_t stream, std::int32_t volume);
    void set_mute(std::uint32_t stream, bool mute);
    void restart_bus();
    std::map<std::string, std::uint64_t> get_statistics();
    std::map<std::string, std::uint64_t> get_latencies();

    [[nodiscard]] std::string get_name() const { return device_.info.name; }
    [[nodiscard]] std::string get_guest() const { return device_.info.guest; }
    [[nodiscard]] std::uint32_t get_id() const { return device_.info.id; }
    [[nodiscard]] std::string get_class() const { return device_.info.device_class; }
    [[nodiscard]] std::uint32_t get_virtio_id() const { return device_.info.virtio_id; }
    [[nodiscard]] std::string get_vdpa_name() const { return device_.info.vdpa_name; }
    [[nodiscard]] std::uint32_t get_queues() const { return device_.info.vqs; }
    [[nodiscard]] std::uint32_t get_queue_size_max() const { return device_.info.vq_size_max; }
    [[nodiscard]] bool get_policy_required() const { return device_.info.policy_required; }
    [[nodiscard]] std::string get_node() const { return device_.node; }
    [[nodiscard]] std::string get_state() const;
    [[nodiscard]] std::string get_reason() const { return device_.info.reason; }
    [[nodiscard]] std::uint8_t get_status() const { return device_.info.status; }
    [[nodiscard]] std::uint64_t get_features() const { return device_.info.features; }
    [[nodiscard]] std::uint64_t get_driver_features() const { return device_.info.driver_features; }
    [[nodiscard]] std::uint64_t get_features_mask() const { return device_.info.features_mask; }
    [[nodiscard]] std::uint32_t get_worker_thread() const
    {
        return device_.info.worker.value_or(0);
    }
    [[nodiscard]] Setting get_backend() const;
    [[nodiscard]] std::vector<Setting> get_resources() const;

private:
    DeviceInterface(Host &host, const Device &device) : host_(host), device_(device) {}
    void configure_link(const Setting &settings);
    void configure_jacks(const Setting &settings);
    void configure_sensor(const Setting &settings);
    Host &host_;
    const Device &device_;
};

class PolicyInterface {
public:
    static PolicyInterface at(BusService &service, const std::string &path);

    void set_policy(const Setting &policy);
    void clear_policy();
    std::vector<std::tuple<std::string, std::string, std::string, std::uint64_t, std::uint64_t>>
    get_counters();

    [[nodiscard]] Setting get_policy() const;
    [[nodiscard]] bool get_active() const { return guest_.info.policy.has_value(); }
    [[nodiscard]] std::uint32_t get_sequence() const { return guest_.info.policy.value_or(0); }
    [[nodiscard]] std::vector<std::uint32_t> get_programs() const { return guest_.programs; }

private:
    PolicyInterface(Host &host, const Guest &guest) : host_(host), guest_(guest) {}
    Host &host_;
    const Guest &guest_;
};

class PowerInterface {
public:
    static PowerInterface at(BusService &service, const std::string &path);

    void request_transition(const std::string &state, const std::string &why);
    void emergency_off();
    UniqueFd vote(const std::string &state, const std::string &who, const std::string &why);
    UniqueFd delay(const std::string &who, const std::string &why);
    UniqueFd block(const std::string &who, const std::string &why);
    void set_ceiling(const std::string &kind, const std::string &host, std::uint64_t level,
                     const std::string &why);
    void clear_ceiling(const std::string &kind, const std::string &host);
    void reset();

    [[nodiscard]] std::string get_requested_state() const { return view().requested; }
    [[nodiscard]] std::string get_current_state() const { return view().current; }
    [[nodiscard]] std::string get_effective_state() const { return view().effective; }
    [[nodiscard]] std::string get_limiting_reason() const { return view().reason; }
    [[nodiscard]] std::string get_requested_by() const { return view().requested_by; }
    [[nodiscard]] std::string get_requested_why() const { return view().why; }
    [[nodiscard]] std::uint64_t get_requested_since() const { return view().since; }
    [[nodiscard]] std::vector<std::string> get_allowed_transitions() const
    {
        return view().allowed;
    }
    [[nodiscard]] std::vector<std::string> get_waiting() const { return view().waiting; }
    [[nodiscard]] std::uint64_t get_deadline() const { return view().deadline; }
    [[nodiscard]] std::uint32_t get_failures() const { return view().failures; }
    [[nodiscard]] std::string get_power_source() const { return view().power_source; }
    [[nodiscard]] std::vector<Setting> get_votes() const { return view().votes; }
    [[nodiscard]] std::vector<Setting> get_ceilings() const { return view().ceilings; }
    [[nodiscard]] std::vector<Setting> get_resources() const { return view().resources; }

private:
    explicit PowerInterface(Power &power) : power_(power) {}
    [[nodiscard]] const PowerView &view() const { return power_.view(); }
    Power &power_;
};

class GuestPowerInterface {
public:
    static GuestPowerInterface at(BusService &service, const std::string &path);

    void reset();

    [[nodiscard]] std::string get_role() const { return view().role; }
    [[nodiscard]] std::string get_requested_state() const { return view().requested; }
    [[nodiscard]] std::string get_current_state() const { return view().current; }
    [[nodiscard]] std::string get_limiting_reason() const { return view().reason; }
    [[nodiscard]] std::uint64_t get_requested_since() const { return view().since; }
    [[nodiscard]] std::uint64_t get_deadline() const { return view().deadline; }
    [[nodiscard]] bool get_unresponsive() const { return view().unresponsive; }
    [[nodiscard]] bool get_quiesced() const { return view().quiesced; }
    [[nodiscard]] std::uint32_t get_failures() const { return view().failures; }
    [[nodiscard]] std::uint32_t get_budget() const { return view().budget; }
    [[nodiscard]] std::uint32_t get_order() const { return view().order; }
    [[nodiscard]] std::string get_emulate_unit() const { return view().emulate_unit; }

private:
    GuestPowerInterface(Power &power, std::string guest) : power_(power), guest_(std::move(guest))
    {
    }
    [[nodiscard]] const GuestPowerView &view() const { return power_.view(guest_); }
    Power &power_;
    std::string guest_;
};

} // namespace devhost
