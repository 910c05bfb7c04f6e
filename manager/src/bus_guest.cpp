// SPDX-License-Identifier: Apache-2.0
//
// org.devhost1.Guest and org.devhost1.Policy
#include <algorithm>
#include <array>

#include "bus_paths.hpp"
#include "bus_service.hpp"
#include "name.hpp"
#include "statistics.hpp"

namespace devhost {

namespace {

// The settings that every device has; the others are its class's.
constexpr std::array device_keys{"policy_required", "vq_size_max", "ring"};

const Guest &guest_at(BusService &service, const std::string &path)
{
    const auto names = names_in(path);
    return service.host().guest(names ? names->guest : "");
}

} // namespace

bool force_from(std::uint64_t flags); // bus_manager.cpp

Setting device_table(const std::string &name, const std::string &device_class,
                     const Setting &options)
{
    SettingTable device;
    SettingTable backend;
    for (const auto &[key, value] : std::get<SettingTable>(options.value)) {
        const bool common = std::ranges::find(device_keys, key) != device_keys.end();
        (common ? device : backend)[key] = value;
    }
    device["name"] = {.value = name};
    device["class"] = {.value = device_class};
    device[backend_table(device_class)] = {.value = std::move(backend)};
    return {.value = std::move(device)};
}

GuestInterface GuestInterface::at(BusService &service, const std::string &path)
{
    return {service.host(), guest_at(service, path)};
}

ObjectPath GuestInterface::create_device(const std::string &name, const std::string &device_class,
                                         const Setting &options)
{
    require_name(name, "device");
    require_name(device_class, "class");
    const Setting table = device_table(name, device_class, options);
    const std::string guest = guest_.info.name;
    host_.create_device(guest, device_from(TableReader(table, "", "device")));
    return {device_path(guest, name)};
}

void GuestInterface::remove_device(const std::string &name, std::uint64_t flags)
{
    require_name(name, "device");
    host_.remove_device(guest_.info.name, name, force_from(flags));
}

std::vector<std::tuple<std::string, ObjectPath>> GuestInterface::list_devices()
{
    std::vector<std::tuple<std::string, ObjectPath>> devices;
    devices.reserve(guest_.devices.size());
    for (const auto &[name, unused] : guest_.devices) {
        devices.emplace_back(name, ObjectPath{device_path(guest_.info.name, name)});
    }
    return devices;
}

std::map<std::string, std::uint64_t> GuestInterface::get_statistics()
{
    return flat(host_.guest_statistics(guest_.info.name));
}

void GuestInterface::set_limits(const Setting &limits)
{
    host_.set_limits(guest_.info.name, limits_from(TableReader(limits, "", "limits")));
}

std::map<std::string, std::uint64_t> GuestInterface::get_in_use() const
{
    try {
        return flat(host_.guest_statistics(guest_.info.name).use);
    } catch (const Error &) {
        return {};
    }
}

// A guest that just went has nothing pinned; that must not spoil GetManagedObjects.
std::uint64_t GuestInterface::get_pinned_memory() const
{
    try {
        return host_.guest_statistics(guest_.info.name).pinned;
    } catch (const Error &) {
        return 0;
    }
}

std::vector<ObjectPath> GuestInterface::get_devices() const
{
    std::vector<ObjectPath> devices;
    devices.reserve(guest_.devices.size());
    for (const auto &[name, unused] : guest_.devices) {
        devices.push_back({device_path(guest_.info.name, name)});
    }
    return devices;
}

PolicyInterface PolicyInterface::at(BusService &service, const std::string &path)
{
    return {service.host(), guest_at(service, path)};
}

void PolicyInterface::set_policy(const Setting &policy)
{
    PolicyItems items;
    for (const auto &[name, device] : guest_.devices) {
        if (device.wanted) {
            add_policy_items(items, name, *device.wanted);
        }
    }
    host_.set_policy(guest_.info.name, policy_from(TableReader(policy, "", "policy"), &items));
}

void PolicyInterface::clear_policy()
{
    host_.clear_policy(guest_.info.name);
}

std::vector<std::tuple<std::string, std::string, std::string, std::uint64_t, std::uint64_t>>
PolicyInterface::get_counters()
{
    std::vector<std::tuple<std::string, std::string, std::string, std::uint64_t, std::uint64_t>>
        rows;
    const PolicyCounters counters = host_.policy_counters(guest_.info.name); // throws without one
    if (!guest_.policy) {
        return rows;
    }
    for (const CounterRow &row : flat(*guest_.policy, counters)) {
        rows.emplace_back(row.table, row.what, row.name, row.passed, row.dropped);
    }
    return rows;
}

Setting PolicyInterface::get_policy() const
{
    return guest_.policy ? to_setting(*guest_.policy) : Setting{.value = SettingTable()};
}

} // namespace devhost
