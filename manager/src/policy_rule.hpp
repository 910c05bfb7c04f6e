// SPDX-License-Identifier: Apache-2.0
//
// What the rules for all classes of devices have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <format>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config_tree.hpp"

namespace devhost {

inline constexpr std::size_t policy_rules_max = 64;

enum class Verdict { deny, allow };

// A token bucket. rate 0: no limit.
struct RateLimit {
    std::uint32_t rate = 0;  // per second
    std::uint32_t burst = 0; // what may pass at once after a pause

    explicit operator bool() const { return rate != 0; }
    bool operator==(const RateLimit &) const = default;
};

struct PolicyRule {
    std::string name; // for counters and messages; may be empty
    Verdict verdict = Verdict::deny;
    std::string device; // of this guest; empty: all

    bool operator==(const PolicyRule &) const = default;
};

// What a rule may name instead of giving its number: an item of a device of the guest.
struct PolicyItem {
    std::string device;
    std::string kind; // "control"; of SCMI resources the word of the protocol
    std::string name;
    std::uint32_t number = 0;
};
using PolicyItems = std::vector<PolicyItem>;

struct RuleCounters {
    std::uint64_t passed = 0;
    std::uint64_t dropped = 0;
    bool operator==(const RuleCounters &) const = default;
};

// Of a list of rules, since it came into force.
struct RuleListCounters {
    std::vector<RuleCounters> rules;  // in the order of the rules
    RuleCounters otherwise;           // no rule matched
    std::uint64_t unknown_device = 0; // dropped: rules name devices and this one is not known
};

// The key "default".
Verdict read_default(TableReader &table);
// The keys that every rule has.
void read_head(TableReader &table, PolicyRule &rule);
// <unit>_per_second and <unit>_burst; the burst is a tenth of a second's worth
// unless it is given.
RateLimit read_limit(TableReader &table, const std::string &unit, std::uint32_t max,
                     std::uint32_t burst_min);
// A number up to max, or the name of an item of that kind, on the device if one is given. Where
// there are no items at all, nothing is known of the guest and every name is taken.
std::optional<std::uint32_t> read_item(TableReader &table, std::string_view key, std::uint32_t max,
                                       std::string_view kind, const std::string &device,
                                       const PolicyItems *items);
// A limit goes with verdict = "allow" only.
void refuse_limits_of_deny(const TableReader &table, const PolicyRule &rule, bool has_limits,
                           std::string_view what);

Setting verdict_word(Verdict verdict);
void put_limit(SettingTable &table, const std::string &unit, const RateLimit &limit);
void put_head(SettingTable &table, const PolicyRule &rule);

// [[...rule]], in order, each read by read_one.
template <typename Rule, typename ReadOne>
std::vector<Rule> read_rules(TableReader &table, const ReadOne &read_one)
{
    std::vector<Rule> rules;

    for (const TableReader &reader : table.tables("rule")) {
        if (rules.size() == policy_rules_max) {
            reader.fail(std::format("{}: at most {} rules fit", reader.where(), policy_rules_max));
        }
        Rule rule = read_one(reader);
        const auto same = [&rule](const Rule &other) { return other.name == rule.name; };
        if (!rule.name.empty() && std::ranges::any_of(rules, same)) {
            reader.fail("name", std::format("\"{}\" is the name of an earlier rule", rule.name));
        }
        rules.push_back(std::move(rule));
    }
    return rules;
}

template <typename Rule, typename ToTable>
void put_rules(SettingTable &table, const std::vector<Rule> &rules, const ToTable &to_table)
{
    SettingList list;

    for (const Rule &rule : rules) {
        list.emplace_back().value = to_table(rule);
    }
    if (!list.empty()) {
        table["rule"] = {std::move(list)};
    }
}

template <typename Rule>
bool any_names_device(const std::vector<Rule> &rules)
{
    return std::ranges::any_of(rules, [](const Rule &rule) { return !rule.device.empty(); });
}

} // namespace devhost
