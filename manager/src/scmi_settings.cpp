// SPDX-License-Identifier: Apache-2.0
#include "scmi_settings.hpp"

namespace devhost {

namespace {

const char *word_of_limit(devhost_scmi_limit limit)
{
    switch (limit) {
    case DEVHOST_SCMI_LIMIT_NONE:
        return "none";
    case DEVHOST_SCMI_LIMIT_VOTES:
        return "votes";
    case DEVHOST_SCMI_LIMIT_CEILING:
        return "ceiling";
    }
    return "unknown";
}

const char *word_of_source(const ScmiResourceInfo &resource)
{
    switch (resource.source) {
    case DEVHOST_SCMI_SOURCE_CPUFREQ:
        return "cpufreq";
    case DEVHOST_SCMI_SOURCE_IIO:
        return "iio";
    case DEVHOST_SCMI_SOURCE_PUSHED:
        return hwmon_of(resource.host) ? "hwmon" : "pushed";
    default:
        return "default";
    }
}

} // namespace

SettingTable scmi_state(const ScmiResourceInfo &resource)
{
    SettingTable table;
    table["on"] = {.value = resource.on};
    table["level"] = number(resource.level);
    table["holders"] = number(resource.holders);
    if (resource.ceiling) {
        table["ceiling"] = number(*resource.ceiling);
    }
    return table;
}

SettingTable scmi_vote(const ScmiResourceInfo &resource)
{
    SettingTable table;
    table["id"] = number(resource.id);
    table["name"] = {.value = resource.name};
    table["on"] = {.value = resource.vote_on};
    if (resource.vote_level) {
        table["level"] = number(*resource.vote_level);
    }
    if (resource.vote_since) {
        table["since"] = number(*resource.vote_since / 1000);
    }
    table["limiting_reason"] = {.value = std::string(word_of_limit(resource.limit))};
    return table;
}

SettingTable scmi_resource(const ScmiResourceInfo &resource)
{
    SettingTable table = scmi_state(resource);
    table["kind"] = {.value = std::string(word_of(resource.kind))};
    table["id"] = number(resource.id);
    table["name"] = {.value = resource.name};
    table["host"] = {.value = hwmon_of(resource.host).value_or(resource.host)};
    table["device"] = {.value = resource.device};
    table["source"] = {.value = std::string(word_of_source(resource))};
    table["read_only"] = {.value = resource.read_only};
    if (resource.kind == DEVHOST_SCMI_SENSOR) {
        table["type"] = number(resource.type);
        table["scale"] = {.value = std::int64_t{resource.scale}};
        return table;
    }
    table["level_min"] = number(resource.level_min);
    table["level_max"] = number(resource.level_max);
    if (resource.vote_since) {
        table["vote"] = {.value = scmi_vote(resource)};
    }
    return table;
}

} // namespace devhost
