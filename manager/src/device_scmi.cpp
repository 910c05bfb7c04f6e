// SPDX-License-Identifier: Apache-2.0
#include "device_scmi.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <limits>

namespace devhost {

namespace {

constexpr std::size_t agent_length_max = 15;
constexpr std::size_t device_length_max = 63;
constexpr std::string_view hwmon_prefix = "hwmon:";

constexpr std::array<std::string_view, __DEVHOST_SCMI_KINDS> kinds{"power",  "perf",  "clock",
                                                                   "sensor", "reset", "voltage"};
// What follows the kernel's own sources is hwmon.
constexpr std::array<std::string_view, __DEVHOST_SCMI_SOURCES + 1> sources{
    "default", "cpufreq", "iio", "pushed", "hwmon"};

// What hwmon calls its channels, and in which unit it reads them: Linux's sysfs-interface.
struct Channel {
    std::string_view prefix;
    HwmonUnit unit;
};
constexpr std::array channels{
    Channel{"temp", {.type = 2, .scale = -3}},   Channel{"in", {.type = 5, .scale = -3}},
    Channel{"curr", {.type = 6, .scale = -3}},   Channel{"power", {.type = 7, .scale = -6}},
    Channel{"energy", {.type = 8, .scale = -6}}, Channel{"fan", {.type = 19, .scale = 0}},
};

bool is_hwmon_name(std::string_view host)
{
    const std::size_t slash = host.find('/');
    return slash != std::string_view::npos && slash != 0 && host.front() != '.' &&
           host.find('/', slash + 1) == std::string_view::npos &&
           hwmon_unit(host.substr(slash + 1));
}

void check_source(const TableReader &table, const ScmiResourceConfig &resource)
{
    const bool sensor = resource.kind == DEVHOST_SCMI_SENSOR;

    if (resource.hwmon && !is_hwmon_name(resource.host)) {
        table.fail("host", R"(must be "CHIP/CHANNEL" for hwmon, as in "coretemp/temp1")");
    }
    if (resource.source == DEVHOST_SCMI_SOURCE_CPUFREQ && resource.kind != DEVHOST_SCMI_PERF) {
        table.fail("source", R"(can be "cpufreq" with kind = "perf" only)");
    }
    if (resource.source > DEVHOST_SCMI_SOURCE_CPUFREQ && !sensor) {
        table.fail("source", R"(goes with kind = "sensor" only)");
    }
    if (!sensor && (resource.type || resource.scale)) {
        table.fail(resource.type ? "type" : "scale", R"(goes with kind = "sensor" only)");
    }
    if (sensor && (resource.level_min || resource.level_max)) {
        table.fail(resource.level_min ? "level_min" : "level_max", "is not for sensors");
    }
}

std::optional<std::uint64_t> level_from(TableReader &table, std::string_view key)
{
    const auto level = table.number(key, 1, std::numeric_limits<std::int64_t>::max());

    return level ? std::optional(static_cast<std::uint64_t>(*level)) : std::nullopt;
}

ScmiResourceConfig resource_from(TableReader table)
{
    ScmiResourceConfig resource;

    const auto kind = table.word("kind", kinds);
    if (!kind) {
        table.fail(table.where() + " needs kind: power, perf, clock, sensor, reset or voltage");
    }
    resource.kind = static_cast<devhost_scmi_kind>(*kind);
    const auto host = table.text("host", DEVHOST_SCMI_NAME_SIZE - 1 - hwmon_prefix.size());
    if (!host) {
        table.fail(table.where() + " needs host = \"...\", the host's name for it");
    }
    resource.host = *host;
    resource.name = table.text("name", DEVHOST_SCMI_NAME_SIZE - 1).value_or("");
    resource.device = table.text("device", device_length_max).value_or("");
    const std::size_t source = table.word("source", sources).value_or(0);
    resource.hwmon = source == __DEVHOST_SCMI_SOURCES;
    resource.source =
        resource.hwmon ? DEVHOST_SCMI_SOURCE_PUSHED : static_cast<devhost_scmi_source>(source);
    resource.read_only = table.boolean("read_only").value_or(resource.read_only);
    resource.level_min = level_from(table, "level_min");
    resource.level_max = level_from(table, "level_max");
    resource.type = table.small_number("type", 0, 255);
    if (const auto scale = table.number("scale", -15, 15)) {
        resource.scale = static_cast<std::int32_t>(*scale);
    }
    check_source(table, resource);
    if (resource.level_min && resource.level_max && *resource.level_min > *resource.level_max) {
        table.fail("level_min", "is more than level_max");
    }
    const auto unit = resource.hwmon ? hwmon_unit(resource.host.substr(resource.host.find('/') + 1))
                                     : std::nullopt;
    if (unit) {
        resource.type = resource.type.value_or(unit->type);
        resource.scale = resource.scale.value_or(unit->scale);
    }
    table.finish();
    return resource;
}

} // namespace

const char *word_of(devhost_scmi_kind kind)
{
    return kind < kinds.size() ? kinds[kind].data() : "unknown"; // literals end with a NUL
}

std::optional<devhost_scmi_kind> scmi_kind_of(std::string_view word)
{
    const auto found = std::ranges::find(kinds, word);

    if (found == kinds.end()) {
        return std::nullopt;
    }
    return static_cast<devhost_scmi_kind>(found - kinds.begin());
}

std::string ScmiResourceConfig::kernel_host() const
{
    return hwmon ? std::string(hwmon_prefix) + host : host;
}

std::optional<std::string> hwmon_of(const std::string &kernel_host)
{
    if (!kernel_host.starts_with(hwmon_prefix)) {
        return std::nullopt;
    }
    return kernel_host.substr(hwmon_prefix.size());
}

std::optional<HwmonUnit> hwmon_unit(std::string_view channel)
{
    for (const Channel &each : channels) {
        const std::string_view number =
            channel.substr(std::min(channel.size(), each.prefix.size()));
        if (channel.starts_with(each.prefix) && !number.empty() &&
            std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; })) {
            return each.unit;
        }
    }
    return std::nullopt;
}

std::string scmi_agent(const ScmiDeviceConfig &scmi, const std::string &guest)
{
    return scmi.agent.empty() ? guest.substr(0, agent_length_max) : scmi.agent;
}

ScmiDeviceConfig scmi_device_from(TableReader table)
{
    ScmiDeviceConfig scmi;

    scmi.agent = table.text("agent", agent_length_max).value_or("");
    scmi.system_power = table.boolean("system_power").value_or(scmi.system_power);
    for (TableReader &resource : table.tables("resource")) {
        scmi.resources.push_back(resource_from(std::move(resource)));
    }
    if (scmi.resources.size() > DEVHOST_SCMI_RESOURCES_MAX) {
        table.fail("resource", std::format("has {} entries; a device takes {}",
                                           scmi.resources.size(), DEVHOST_SCMI_RESOURCES_MAX));
    }
    table.finish();
    return scmi;
}

} // namespace devhost
