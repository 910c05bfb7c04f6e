// SPDX-License-Identifier: Apache-2.0
#include "scmi_policy.hpp"

namespace devhost {

namespace {

constexpr std::uint32_t messages_per_second_max = 1'000'000;
constexpr std::int64_t value_max = std::numeric_limits<std::int64_t>::max();

// One, or an array of them.
std::vector<std::uint32_t> read_messages(TableReader &table)
{
    std::vector<std::uint32_t> messages;
    const Setting *setting = table.raw("message");

    if (!setting) {
        return messages;
    }
    const SettingList *list = std::get_if<SettingList>(&setting->value);
    if (!list) {
        return {table.identifier("message", scmi_message_max).value_or(0)};
    }
    if (list->empty()) {
        table.fail("message", "must be a message's id, or an array of them");
    }
    for (const Setting &item : *list) {
        // Through a reader of its own, for the checks and messages of identifiers.
        const Setting one{SettingTable{{"message", item}}, setting->line};
        TableReader reader(one, table.file(), table.where());
        messages.push_back(reader.identifier("message", scmi_message_max).value_or(0));
    }
    std::ranges::sort(messages);
    const auto rest = std::ranges::unique(messages);
    messages.erase(rest.begin(), rest.end());
    return messages;
}

std::optional<ScmiResources> read_range(TableReader &table)
{
    const Setting *setting = table.raw("resources");

    if (!setting) {
        return std::nullopt;
    }
    const SettingList *list = std::get_if<SettingList>(&setting->value);
    if (!list || list->size() != 2) {
        table.fail("resources", "must have two numbers: [first, last]");
    }
    const Setting pair{SettingTable{{"first", (*list)[0]}, {"last", (*list)[1]}}, setting->line};
    TableReader reader(pair, table.file(), table.where() + ".resources");
    const ScmiResources range{
        .first = reader.small_number("first", 0, scmi_resource_max).value_or(0),
        .last = reader.small_number("last", 0, scmi_resource_max).value_or(0)};
    if (range.first > range.last) {
        table.fail("resources", "must begin with the lower number");
    }
    return range;
}

std::optional<ScmiResources> read_resources(TableReader &table, const ScmiRule &rule,
                                            const PolicyItems *items)
{
    const std::string_view kind =
        rule.protocol == 0 ? "resource" : scmi_protocols.at(rule.protocol - scmi_protocol_first);

    for (const char *key : {"resource", "resources"}) {
        if (table.has(key) && rule.protocol == 0) {
            table.fail(key, "needs protocol: each has numbers of its own");
        }
    }
    const auto one = read_item(table, "resource", scmi_resource_max, kind, rule.device, items);
    const auto range = read_range(table);
    if (one && range) {
        table.fail("resources", "cannot go with resource");
    }
    if (one) {
        return ScmiResources{.first = *one, .last = *one};
    }
    return range;
}

ScmiRange read_values(TableReader &table, const ScmiRule &rule)
{
    ScmiRange values;
    const auto min = table.number("value_min", 0, value_max);
    const auto max = table.number("value_max", 0, value_max);

    for (const char *key : {"value_min", "value_max"}) {
        if (table.has(key) && rule.messages.empty()) {
            table.fail(key, "needs message: what is a value depends on it");
        }
    }
    values.min = static_cast<std::uint64_t>(min.value_or(0));
    values.max = max ? static_cast<std::uint64_t>(*max) : values.max;
    if (values.min > values.max) {
        table.fail("value_max", "is below value_min");
    }
    return values;
}

ScmiRule read_rule(TableReader table, const PolicyItems *items)
{
    ScmiRule rule;

    read_head(table, rule);
    if (const auto protocol = table.word("protocol", scmi_protocols)) {
        rule.protocol = scmi_protocol_first + static_cast<std::uint32_t>(*protocol);
    }
    rule.messages = read_messages(table);
    if (!rule.messages.empty() && rule.protocol == 0) {
        table.fail("message", "needs protocol: each has messages of its own");
    }
    rule.resources = read_resources(table, rule, items);
    rule.values = read_values(table, rule);
    rule.rate = read_limit(table, "messages", messages_per_second_max, 1);
    refuse_limits_of_deny(table, rule, rule.rate || rule.values != ScmiRange{}, "a limit");
    table.finish();
    return rule;
}

SettingTable scmi_rule_table(const ScmiRule &rule)
{
    SettingTable table;

    put_head(table, rule);
    if (rule.protocol != 0) {
        table["protocol"] = {std::string(scmi_protocols.at(rule.protocol - scmi_protocol_first))};
    }
    if (rule.messages.size() == 1) {
        table["message"] = number(rule.messages.front());
    } else if (!rule.messages.empty()) {
        SettingList messages;
        std::ranges::transform(rule.messages, std::back_inserter(messages), number);
        table["message"] = {std::move(messages)};
    }
    if (rule.resources && rule.resources->first == rule.resources->last) {
        table["resource"] = number(rule.resources->first);
    } else if (rule.resources) {
        table["resources"] = {
            SettingList{number(rule.resources->first), number(rule.resources->last)}};
    }
    if (rule.values.min != ScmiRange{}.min) {
        table["value_min"] = {static_cast<std::int64_t>(rule.values.min)};
    }
    if (rule.values.max != ScmiRange{}.max) {
        table["value_max"] = {static_cast<std::int64_t>(rule.values.max)};
    }
    put_limit(table, "messages", rule.rate);
    return table;
}

} // namespace

ScmiPolicy scmi_policy_from(TableReader table, const PolicyItems *items)
{
    ScmiPolicy policy;

    policy.otherwise = read_default(table);
    policy.rate = read_limit(table, "messages", messages_per_second_max, 1);
    policy.rules = read_rules<ScmiRule>(
        table, [&](const TableReader &rule) { return read_rule(rule, items); });
    table.finish();
    return policy;
}

Setting to_setting(const ScmiPolicy &policy)
{
    SettingTable table;

    table["default"] = verdict_word(policy.otherwise);
    put_limit(table, "messages", policy.rate);
    put_rules(table, policy.rules, scmi_rule_table);
    return {std::move(table)};
}

} // namespace devhost
