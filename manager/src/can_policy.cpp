// SPDX-License-Identifier: Apache-2.0
#include "can_policy.hpp"

#include <algorithm>
#include <format>

#include "config.hpp"

namespace devhost {

namespace {

constexpr std::uint32_t frames_max = 1'000'000;
constexpr std::uint32_t bits_max = 100'000'000;
constexpr std::uint32_t bits_burst_min = 1000; // a frame of any length fits

constexpr std::uint32_t id_max(bool extended)
{
    return extended ? can_extended_id_max : can_standard_id_max;
}

// <unit>_per_second and <unit>_burst; the burst is a tenth of a second's worth
// unless it is given.
RateLimit read_limit(TableReader &table, const std::string &unit, std::uint32_t max,
                     std::uint32_t burst_min)
{
    const auto rate = table.number(unit + "_per_second", 1, max);
    const auto burst = table.number(unit + "_burst", burst_min, max);

    if (burst && !rate) {
        table.fail(unit + "_burst", std::format("needs {}_per_second", unit));
    }
    if (!rate) {
        return {};
    }
    return {.rate = static_cast<std::uint32_t>(*rate),
            .burst = static_cast<std::uint32_t>(
                burst.value_or(std::max<std::int64_t>(*rate / 10, burst_min)))};
}

void read_limits(TableReader &table, RateLimit &frames, RateLimit &bits)
{
    frames = read_limit(table, "frames", frames_max, 1);
    bits = read_limit(table, "bits", bits_max, bits_burst_min);
}

std::optional<CanIdRange> read_range(TableReader &table)
{
    const Setting *setting = table.raw("range");

    if (!setting) {
        return std::nullopt;
    }
    const SettingList *list = std::get_if<SettingList>(&setting->value);
    if (!list || list->size() != 2) {
        table.fail("range", "must have two identifiers: [first, last]");
    }

    // Through a reader of its own, for the checks and messages of identifiers.
    const Setting pair{SettingTable{{"first", (*list)[0]}, {"last", (*list)[1]}}, setting->line};
    TableReader reader(pair, table.file(), table.where() + ".range");
    const CanIdRange range{.first = reader.identifier("first", can_extended_id_max).value_or(0),
                           .last = reader.identifier("last", can_extended_id_max).value_or(0)};
    if (range.first > range.last) {
        table.fail("range", "must begin with the lower identifier");
    }
    return range;
}

CanIds read_ids(TableReader &table)
{
    const auto id = table.identifier("id", can_extended_id_max);
    const auto mask = table.identifier("mask", can_extended_id_max);
    const auto range = read_range(table);

    if (range && (id || mask)) {
        table.fail("range", "cannot go with id or mask");
    }
    if (mask && !id) {
        table.fail("mask", "needs id");
    }
    if (range) {
        return *range;
    }
    if (!id) {
        return std::monostate{};
    }
    if (!mask || *mask == can_extended_id_max) {
        return CanIdRange{.first = *id, .last = *id};
    }
    if (*id & ~*mask) {
        table.fail(
            "id", std::format("has bits that mask {:#x} leaves out; they would be ignored", *mask));
    }
    if (*mask == 0) {
        return std::monostate{};
    }
    return CanIdMask{.id = *id, .mask = *mask};
}

// Identifiers are of one format: above 11 bits extended, else standard unless
// the rule says otherwise.
void settle_format(const TableReader &table, CanRule &rule)
{
    std::uint32_t lowest = 0;
    std::uint32_t highest = 0;

    if (const auto *range = std::get_if<CanIdRange>(&rule.ids)) {
        lowest = range->first;
        highest = range->last;
    } else if (const auto *masked = std::get_if<CanIdMask>(&rule.ids)) {
        lowest = highest = masked->id | masked->mask;
    } else {
        return;
    }
    if (!rule.extended) {
        if (lowest <= can_standard_id_max && highest > can_standard_id_max) {
            table.fail(
                std::format("{} has identifiers of 11 and of 29 bits: it needs extended = true, "
                            "or two rules",
                            table.where()));
        }
        rule.extended = highest > can_standard_id_max;
    }
    if (highest > id_max(*rule.extended)) {
        table.fail("extended", "is false, but the identifiers have more than 11 bits");
    }
}

CanRule read_rule(TableReader table)
{
    CanRule rule;

    rule.name = table.text("name", 31).value_or("");
    const auto verdict = table.word("verdict", {"deny", "allow"});
    if (!verdict) {
        table.fail(table.where() + R"( needs verdict = "allow" or "deny")");
    }
    rule.verdict = static_cast<Verdict>(*verdict);
    rule.ids = read_ids(table);
    rule.extended = table.boolean("extended");
    rule.fd = table.boolean("fd");
    rule.rtr = table.boolean("rtr");
    settle_format(table, rule);
    if (rule.fd == true && rule.rtr == true) {
        table.fail("rtr", "cannot go with fd: CAN FD has no remote frames");
    }
    rule.device = table.text("device", 31).value_or("");
    if (!rule.device.empty() && !valid_name(rule.device)) {
        table.fail("device", "is not the name of a device");
    }
    read_limits(table, rule.frames, rule.bits);
    if (rule.verdict == Verdict::deny && (rule.frames || rule.bits)) {
        table.fail("verdict", R"(is "deny": a rate goes with "allow" only)");
    }
    table.finish();
    return rule;
}

CanDirection read_direction(TableReader &table)
{
    CanDirection direction;

    direction.otherwise =
        static_cast<Verdict>(table.word("default", {"deny", "allow"}).value_or(0));
    read_limits(table, direction.frames, direction.bits);
    for (const TableReader &reader : table.tables("rule")) {
        if (direction.rules.size() == can_policy_rules_max) {
            reader.fail(
                std::format("{}: at most {} rules fit", reader.where(), can_policy_rules_max));
        }
        CanRule rule = read_rule(reader);
        const auto same = [&rule](const CanRule &other) { return other.name == rule.name; };
        if (!rule.name.empty() && std::ranges::any_of(direction.rules, same)) {
            reader.fail("name", std::format("\"{}\" is the name of an earlier rule", rule.name));
        }
        direction.rules.push_back(std::move(rule));
    }
    return direction;
}

Setting number(std::uint32_t value)
{
    return {static_cast<std::int64_t>(value)};
}

void put_limit(SettingTable &table, const std::string &unit, const RateLimit &limit)
{
    if (!limit) {
        return;
    }
    table[unit + "_per_second"] = number(limit.rate);
    table[unit + "_burst"] = number(limit.burst);
}

Setting verdict_word(Verdict verdict)
{
    return {std::string(verdict == Verdict::allow ? "allow" : "deny")};
}

SettingTable rule_table(const CanRule &rule)
{
    SettingTable table;

    if (!rule.name.empty()) {
        table["name"] = {rule.name};
    }
    table["verdict"] = verdict_word(rule.verdict);
    if (const auto *range = std::get_if<CanIdRange>(&rule.ids)) {
        if (range->first == range->last) {
            table["id"] = number(range->first);
        } else {
            table["range"] = {SettingList{number(range->first), number(range->last)}};
        }
    } else if (const auto *masked = std::get_if<CanIdMask>(&rule.ids)) {
        table["id"] = number(masked->id);
        table["mask"] = number(masked->mask);
    }
    if (rule.extended) {
        table["extended"] = {*rule.extended};
    }
    if (rule.fd) {
        table["fd"] = {*rule.fd};
    }
    if (rule.rtr) {
        table["rtr"] = {*rule.rtr};
    }
    if (!rule.device.empty()) {
        table["device"] = {rule.device};
    }
    put_limit(table, "frames", rule.frames);
    put_limit(table, "bits", rule.bits);
    return table;
}

SettingTable direction_table(const CanDirection &direction)
{
    SettingTable table;
    SettingList rules;

    table["default"] = verdict_word(direction.otherwise);
    put_limit(table, "frames", direction.frames);
    put_limit(table, "bits", direction.bits);
    for (const CanRule &rule : direction.rules) {
        rules.push_back({rule_table(rule)});
    }
    if (!rules.empty()) {
        table["rule"] = {std::move(rules)};
    }
    return table;
}

} // namespace

bool CanPolicy::names_devices() const
{
    const auto names = [](const CanRule &rule) { return !rule.device.empty(); };

    return std::ranges::any_of(transmit.rules, names) || std::ranges::any_of(receive.rules, names);
}

CanPolicy can_policy_from(TableReader table)
{
    CanPolicy policy;

    if (auto transmit = table.table("transmit")) {
        policy.lowest_id = transmit->identifier("lowest_id", can_standard_id_max);
        policy.lowest_extended_id = transmit->identifier("lowest_extended_id", can_extended_id_max);
        policy.transmit = read_direction(*transmit);
        transmit->finish();
    }
    if (auto receive = table.table("receive")) {
        policy.receive = read_direction(*receive);
        receive->finish();
    }
    table.finish();
    return policy;
}

Setting to_setting(const CanPolicy &policy)
{
    SettingTable transmit = direction_table(policy.transmit);

    if (policy.lowest_id) {
        transmit["lowest_id"] = number(*policy.lowest_id);
    }
    if (policy.lowest_extended_id) {
        transmit["lowest_extended_id"] = number(*policy.lowest_extended_id);
    }
    return {SettingTable{{"transmit", {std::move(transmit)}},
                         {"receive", {direction_table(policy.receive)}}}};
}

} // namespace devhost
