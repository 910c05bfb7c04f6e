// SPDX-License-Identifier: Apache-2.0
//
// Ceilings of the host's resources, and the readings that the kernel can't make itself.
#include <set>
#include <tuple>

#include "error.hpp"
#include "journal.hpp"
#include "power.hpp"

namespace devhost {

namespace {

ResourceName name_of(const ScmiResourceInfo &resource)
{
    return {.kind = resource.kind, .host = resource.host};
}

// Calls with guest, device and resource.
template <typename Each>
void for_each_resource(const Host &host, const Each &each)
{
    for (const auto &[guest_name, guest] : host.guests()) {
        for (const auto &[device_name, device] : guest.devices) {
            for (const ScmiResourceInfo &resource : device.resources) {
                each(guest_name, device, resource);
            }
        }
    }
}

} // namespace

// One that nobody here knows of was set by somebody else, or before a record that is lost.
void Power::adopt_ceilings()
{
    for_each_resource(
        parts_.host, [&](const std::string &, const Device &, const ScmiResourceInfo &resource) {
            const ResourceName name = name_of(resource);
            if (resource.ceiling && !ceilings_.of(name) &&
                !applied_.contains({name, resource.device, resource.source})) {
                ceilings_.set(name, *resource.ceiling, "found at the start", parts_.now());
            }
        });
}

// A resource of the host is told once, through one of the devices that have it.
void Power::apply_ceilings()
{
    for_each_resource(parts_.host, [&](const std::string &guest, const Device &device,
                                       const ScmiResourceInfo &resource) {
        const HostResource key{name_of(resource), resource.device, resource.source};
        const auto ceiling = ceilings_.of(key.name);
        const auto given = applied_.find(key);
        if (ceiling ? given != applied_.end() && given->second == ceiling->level
                    : given == applied_.end()) {
            return;
        }
        if (ceiling) {
            applied_[key] = ceiling->level;
        } else {
            applied_.erase(given);
        }
        const auto wanted = ceiling ? std::optional(ceiling->level) : std::nullopt;
        if (resource.ceiling == wanted) {
            return;
        }
        try {
            parts_.host.set_ceiling(guest, device.info.name, resource.kind, resource.id, wanted);
        } catch (const Error &error) {
            log_error({.guest = guest, .device = device.info.name}, error.what());
        }
    });
}

void Power::record_ceilings(std::ostream &out) const
{
    for (const auto &[key, level] : applied_) {
        out << "[[applied]]\n";
        put_record(out, "kind", std::string(word_of(key.name.kind)));
        put_record(out, "host", key.name.host);
        put_record(out, "device", key.device);
        put_record(out, "source", std::int64_t{key.source});
        put_record(out, "level", static_cast<std::int64_t>(level));
    }
}

void Power::restore_ceilings(const RecordReader &record)
{
    for (const RecordReader &each : record.tables("applied")) {
        if (const auto kind = scmi_kind_of(each.text("kind"))) {
            applied_[{{.kind = *kind, .host = each.text("host")},
                      each.text("device"),
                      static_cast<devhost_scmi_source>(each.number("source"))}] =
                static_cast<std::uint64_t>(each.number("level"));
        }
    }
}

void Power::set_ceiling(const ResourceName &resource, std::uint64_t level, const std::string &why)
{
    ceilings_.set(resource, level, why, parts_.now());
    apply_ceilings();
    settle();
}

void Power::clear_ceiling(const ResourceName &resource)
{
    if (!ceilings_.clear(resource)) {
        throw Error(Cause::invalid_args, "No such ceiling was set by an administrator.");
    }
    apply_ceilings();
    settle();
}

bool Power::anything_to_look_at() const
{
    bool anything = !ceilings_.rules().empty();
    for_each_resource(parts_.host,
                      [&](const std::string &, const Device &, const ScmiResourceInfo &resource) {
                          anything = anything || hwmon_of(resource.host).has_value();
                      });
    return anything;
}

void Power::look()
{
    std::set<std::string> zones;
    for (const CeilingRule &rule : ceilings_.rules()) {
        if (rule.by == CeilingBy::thermal) {
            zones.insert(rule.zone);
        }
    }
    for (const std::string &zone : zones) {
        if (const auto temperature = parts_.readings.zone(zone)) {
            ceilings_.zone_reads(zone, *temperature, parts_.now());
        }
    }
    battery_ = parts_.readings.on_battery();
    ceilings_.power_source_is(battery_, parts_.now());
    apply_ceilings();
    feed_sensors();
    settle();
}

void Power::feed_sensors()
{
    for_each_resource(parts_.host, [&](const std::string &guest, const Device &device,
                                       const ScmiResourceInfo &resource) {
        const auto name = hwmon_of(resource.host);
        const auto value = name ? parts_.readings.hwmon(*name) : std::nullopt;
        if (!value) {
            return;
        }
        const std::uint64_t key = std::uint64_t{device.info.id} << 32 | resource.id;
        const auto [place, fresh] = pushed_.try_emplace(key, *value);
        if (!fresh && place->second == *value) {
            return;
        }
        place->second = *value;
        try {
            parts_.host.push_reading(guest, device.info.name, resource.id, *value);
        } catch (const Error &error) {
            log_error({.guest = guest, .device = device.info.name}, error.what());
        }
    });
}

} // namespace devhost
