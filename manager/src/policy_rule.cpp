// SPDX-License-Identifier: Apache-2.0
#include "policy_rule.hpp"

#include "config.hpp"

namespace devhost {

Verdict read_default(TableReader &table)
{
    return static_cast<Verdict>(table.word("default", {"deny", "allow"}).value_or(0));
}

void read_head(TableReader &table, PolicyRule &rule)
{
    rule.name = table.text("name", 31).value_or("");
    const auto verdict = table.word("verdict", {"deny", "allow"});
    if (!verdict) {
        table.fail(table.where() + R"( needs verdict = "allow" or "deny")");
    }
    rule.verdict = static_cast<Verdict>(*verdict);
    rule.device = table.text("device", 31).value_or("");
    if (!rule.device.empty() && !valid_name(rule.device)) {
        table.fail("device", "is not the name of a device");
    }
}

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

std::optional<std::uint32_t> read_item(TableReader &table, std::string_view key, std::uint32_t max,
                                       std::string_view kind, const std::string &device,
                                       const PolicyItems *items)
{
    const Setting *setting = table.raw(key);
    const std::string *name = setting ? std::get_if<std::string>(&setting->value) : nullptr;

    if (name == nullptr) {
        return table.small_number(key, 0, max);
    }
    if (items == nullptr) {
        return 0;
    }
    const PolicyItem *found = nullptr;
    for (const PolicyItem &item : *items) {
        if (item.name != *name || item.kind != kind || !(device.empty() || item.device == device)) {
            continue;
        }
        if (found != nullptr) {
            table.fail(key, std::format("\"{}\" is there more than once: give its number, and the "
                                        "device",
                                        *name));
        }
        found = &item;
    }
    if (found == nullptr) {
        table.fail(key, std::format("\"{}\" is not the name of a {} of the guest: give its number",
                                    *name, kind));
    }
    // Its number is something else on another device.
    const auto other = [&](const PolicyItem &item) {
        return item.kind == kind && item.device != found->device;
    };
    if (device.empty() && std::ranges::any_of(*items, other)) {
        table.fail(key, std::format("is a name, and the guest has several devices with a {}: "
                                    "give the device",
                                    kind));
    }
    return found->number;
}

void refuse_limits_of_deny(const TableReader &table, const PolicyRule &rule, bool has_limits,
                           std::string_view what)
{
    if (rule.verdict == Verdict::deny && has_limits) {
        table.fail("verdict", std::format(R"(is "deny": {} goes with "allow" only)", what));
    }
}

Setting verdict_word(Verdict verdict)
{
    return {std::string(verdict == Verdict::allow ? "allow" : "deny")};
}

void put_limit(SettingTable &table, const std::string &unit, const RateLimit &limit)
{
    if (!limit) {
        return;
    }
    table[unit + "_per_second"] = number(limit.rate);
    table[unit + "_burst"] = number(limit.burst);
}

void put_head(SettingTable &table, const PolicyRule &rule)
{
    if (!rule.name.empty()) {
        table["name"] = {rule.name};
    }
    table["verdict"] = verdict_word(rule.verdict);
    if (!rule.device.empty()) {
        table["device"] = {rule.device};
    }
}

} // namespace devhost
