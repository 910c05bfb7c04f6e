// SPDX-License-Identifier: Apache-2.0
#include "can_policy.hpp"

#include <format>

namespace devhost {

namespace {

constexpr std::uint32_t frames_max = 1'000'000;
constexpr std::uint32_t bits_max = 100'000'000;
constexpr std::uint32_t bits_burst_min = 1000; // a frame of any length fits

constexpr std::uint32_t id_max(bool extended)
{
    return extended ? can_extended_id_max : can_standard_id_max;
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

    read_head(table, rule);
    rule.ids = read_ids(table);
    rule.extended = table.boolean("extended");
    rule.fd = table.boolean("fd");
    rule.rtr = table.boolean("rtr");
    settle_format(table, rule);
    if (rule.fd == true && rule.rtr == true) {
        table.fail("rtr", "cannot go with fd: CAN FD has no remote frames");
    }
    read_limits(table, rule.frames, rule.bits);
    refuse_limits_of_deny(table, rule, rule.frames || rule.bits, "a rate");
    table.finish();
    return rule;
}

CanDirection read_direction(TableReader &table)
{
    CanDirection direction;

    direction.otherwise = read_default(table);
    read_limits(table, direction.frames, direction.bits);
    direction.rules = read_rules<CanRule>(table, read_rule);
    return direction;
}

SettingTable can_rule_table(const CanRule &rule)
{
    SettingTable table;

    put_head(table, rule);
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
    put_limit(table, "frames", rule.frames);
    put_limit(table, "bits", rule.bits);
    return table;
}

SettingTable direction_table(const CanDirection &direction)
{
    SettingTable table;

    table["default"] = verdict_word(direction.otherwise);
    put_limit(table, "frames", direction.frames);
    put_limit(table, "bits", direction.bits);
    put_rules(table, direction.rules, can_rule_table);
    return table;
}

} // namespace

bool CanPolicy::names_devices() const
{
    return any_names_device(transmit.rules) || any_names_device(receive.rules);
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
