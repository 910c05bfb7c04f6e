// SPDX-License-Identifier: Apache-2.0
#include "power_ceilings.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <limits>

#include "config_toml.hpp"
#include "device_scmi.hpp"

namespace devhost {

namespace {

constexpr std::int64_t temperature_max = 1'000'000;

CeilingRule rule_from(TableReader table, CeilingBy by)
{
    CeilingRule rule;

    rule.by = by;
    const auto kind = scmi_kind_of(table.text("kind").value_or(""));
    if (!kind || *kind == DEVHOST_SCMI_SENSOR || *kind == DEVHOST_SCMI_RESET) {
        table.fail("kind", R"(must be "power", "perf", "clock" or "voltage")");
    }
    rule.resource.kind = *kind;
    const auto host = table.text("host", DEVHOST_SCMI_NAME_SIZE - 1);
    if (!host) {
        table.fail(table.where() + " needs host = \"...\", the host's name of the resource");
    }
    rule.resource.host = *host;
    const auto level = table.number("level", 0, std::numeric_limits<std::int64_t>::max());
    if (!level) {
        table.fail(table.where() + " needs level, the highest that may be; 0: off");
    }
    rule.level = static_cast<std::uint64_t>(*level);
    if (by == CeilingBy::thermal) {
        const auto zone = table.text("zone");
        const auto above = table.number("above", -temperature_max, temperature_max);
        if (!zone || !above) {
            table.fail(table.where() +
                       " needs zone = \"...\" and above = ..., in millidegrees Celsius");
        }
        rule.zone = *zone;
        rule.above = *above;
        rule.below = table.number("below", -temperature_max, rule.above).value_or(rule.above);
    }
    table.finish();
    return rule;
}

} // namespace

const char *word_of(CeilingBy by)
{
    static constexpr std::array words{"administrator", "thermal", "power-source"};
    return words.at(static_cast<std::size_t>(by));
}

PowerConfig power_config_from(TableReader table)
{
    PowerConfig config;
    PowerLimits &limits = config.limits;
    const auto time = [&](std::string_view key, Milliseconds &value, std::int64_t max) {
        value = Milliseconds(table.number(key, 0, max).value_or(value.count()));
    };

    time("total_ms", limits.total, 600'000);
    time("retry_after_ms", limits.retry_after, 600'000);
    time("answer_ms", limits.answer, 600'000);
    limits.failures = table.small_number("failures", 1, 100).value_or(limits.failures);
    for (TableReader &rule : table.tables("thermal")) {
        config.rules.push_back(rule_from(std::move(rule), CeilingBy::thermal));
    }
    for (TableReader &rule : table.tables("battery")) {
        config.rules.push_back(rule_from(std::move(rule), CeilingBy::power_source));
    }
    table.finish();
    return config;
}

PowerConfig read_power_config(const std::string &path)
{
    std::ifstream stream(path, std::ios::binary);
    if (!stream && !std::filesystem::exists(path)) {
        return {};
    }
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
        throw ConfigError(path, 0, "cannot be read; check that it is a file and its permissions");
    }
    const Setting tree = parse_toml(text, path);
    return power_config_from(TableReader(tree, path, ""));
}

// A rule that is no more has no effect any more.
void Ceilings::set_rules(std::vector<CeilingRule> rules)
{
    rules_ = std::move(rules);
    std::erase_if(active_, [&](const auto &each) {
        return std::ranges::find(rules_, each.first) == rules_.end();
    });
}

void Ceilings::set(const ResourceName &resource, std::uint64_t level, const std::string &why,
                   PowerTime now)
{
    administrators_[resource] = {
        .by = CeilingBy::administrator, .level = level, .why = why, .since = now};
}

bool Ceilings::clear(const ResourceName &resource)
{
    return administrators_.erase(resource) != 0;
}

bool Ceilings::apply(const CeilingRule &rule, bool active, const std::string &why, PowerTime now)
{
    const auto found = std::ranges::find(active_, rule, &std::pair<CeilingRule, Ceiling>::first);
    if ((found != active_.end()) == active) {
        return false;
    }
    if (active) {
        active_.emplace_back(rule,
                             Ceiling{.by = rule.by, .level = rule.level, .why = why, .since = now});
    } else {
        active_.erase(found);
    }
    return true;
}

bool Ceilings::zone_reads(const std::string &zone, std::int64_t temperature, PowerTime now)
{
    bool changed = false;
    for (const CeilingRule &rule : rules_) {
        if (rule.by != CeilingBy::thermal || rule.zone != zone) {
            continue;
        }
        // Between the two it stays as it is.
        if (temperature >= rule.above) {
            changed |= apply(rule, true, std::format("{} was at {}", zone, temperature), now);
        } else if (temperature < rule.below) {
            changed |= apply(rule, false, "", now);
        }
    }
    return changed;
}

bool Ceilings::power_source_is(bool battery, PowerTime now)
{
    bool changed = false;
    for (const CeilingRule &rule : rules_) {
        if (rule.by == CeilingBy::power_source) {
            changed |= apply(rule, battery, "on battery", now);
        }
    }
    return changed;
}

std::vector<std::pair<ResourceName, Ceiling>> Ceilings::all() const
{
    std::vector<std::pair<ResourceName, Ceiling>> list(administrators_.begin(),
                                                       administrators_.end());
    for (const auto &[rule, ceiling] : active_) {
        list.emplace_back(rule.resource, ceiling);
    }
    return list;
}

std::optional<Ceiling> Ceilings::of(const ResourceName &resource) const
{
    std::optional<Ceiling> lowest;
    for (const auto &[name, ceiling] : all()) {
        if (name == resource && (!lowest || ceiling.level < lowest->level)) {
            lowest = ceiling;
        }
    }
    return lowest;
}

void Ceilings::record(std::ostream &out) const
{
    for (const auto &[name, ceiling] : administrators_) {
        out << "[[ceiling]]\n";
        put_record(out, "kind", std::string(word_of(name.kind)));
        put_record(out, "host", name.host);
        put_record(out, "level", static_cast<std::int64_t>(ceiling.level));
        put_record(out, "why", ceiling.why);
        put_record(out, "since", ceiling.since.count());
    }
    for (const auto &[rule, ceiling] : active_) {
        out << "[[active]]\n";
        put_record(out, "rule", std::ranges::find(rules_, rule) - rules_.begin());
        put_record(out, "why", ceiling.why);
        put_record(out, "since", ceiling.since.count());
    }
}

void Ceilings::restore(const RecordReader &record)
{
    for (const RecordReader &each : record.tables("ceiling")) {
        const auto kind = scmi_kind_of(each.text("kind"));
        if (kind) {
            set({.kind = *kind, .host = each.text("host")},
                static_cast<std::uint64_t>(each.number("level")), each.text("why"),
                PowerTime(each.number("since")));
        }
    }
    // Rules are named by their places: where the file has changed, the next reading mends it.
    for (const RecordReader &each : record.tables("active")) {
        const auto place = static_cast<std::size_t>(each.number("rule"));
        if (place < rules_.size()) {
            apply(rules_[place], true, each.text("why"), PowerTime(each.number("since")));
        }
    }
}

} // namespace devhost
