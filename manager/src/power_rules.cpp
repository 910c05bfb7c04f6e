// SPDX-License-Identifier: Apache-2.0
#include "power_rules.hpp"

#include <algorithm>
#include <array>

namespace devhost {

namespace {

constexpr std::array<std::string_view, 4> states{"on", "off", "reboot", "suspend"};
constexpr std::array<std::string_view, 4> roles{"deny", "vote", "master", "emulate"};

} // namespace

const char *word_of(PowerState state)
{
    return states.at(static_cast<std::size_t>(state)).data(); // literals end with a NUL
}

const char *word_of(PowerRole role)
{
    return roles.at(static_cast<std::size_t>(role)).data();
}

std::optional<PowerState> power_state_of(std::string_view word)
{
    const auto found = std::ranges::find(states, word);

    if (found == states.end()) {
        return std::nullopt;
    }
    return static_cast<PowerState>(found - states.begin());
}

std::string unit_name(TableReader &table, std::string_view key,
                      std::initializer_list<std::string_view> suffixes)
{
    const auto name = table.text(key);

    if (!name) {
        return {};
    }
    const bool ends = std::ranges::any_of(suffixes, [&](std::string_view suffix) {
        return name->size() > suffix.size() && name->ends_with(suffix);
    });
    const bool good = std::ranges::all_of(*name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(":-_.\\@").find(c) != std::string_view::npos;
    });
    if (!ends || !good) {
        std::string list;
        for (const std::string_view suffix : suffixes) {
            list += (list.empty() ? "" : " or ") + std::string(suffix);
        }
        table.fail(key, "must be the name of a systemd unit, ending in " + list);
    }
    return *name;
}

PowerRules power_rules_from(TableReader table)
{
    PowerRules rules;

    if (const auto role = table.word("role", roles)) {
        rules.role = static_cast<PowerRole>(*role);
    }
    rules.budget =
        Milliseconds(table.number("budget_ms", 0, 600'000).value_or(rules.budget.count()));
    rules.order = table.small_number("order", 0, 1000).value_or(rules.order);
    rules.emulate_unit = unit_name(table, "emulate_unit", {".service", ".target"});
    if ((rules.role == PowerRole::emulate) != !rules.emulate_unit.empty()) {
        table.fail(rules.emulate_unit.empty() ? "role" : "emulate_unit",
                   rules.emulate_unit.empty() ? R"(is "emulate" and needs emulate_unit)"
                                              : R"(goes with role = "emulate" only)");
    }
    table.finish();
    return rules;
}

Setting to_setting(const PowerRules &rules)
{
    SettingTable table;
    table["role"] = {.value = std::string(word_of(rules.role))};
    table["budget_ms"] = {.value = std::int64_t{rules.budget.count()}};
    table["order"] = {.value = std::int64_t{rules.order}};
    if (!rules.emulate_unit.empty()) {
        table["emulate_unit"] = {.value = rules.emulate_unit};
    }
    return {.value = std::move(table)};
}

} // namespace devhost
