// SPDX-License-Identifier: Apache-2.0
//
// What a guest may ask of its SCMI platforms, as people and D-Bus clients state it.
#pragma once

#include <array>
#include <limits>

#include "policy_rule.hpp"

namespace devhost {

// The word for a protocol, by its id.
inline constexpr std::uint32_t scmi_protocol_first = 0x10;
inline constexpr std::array<std::string_view, 8> scmi_protocols{
    "base", "power", "system", "perf", "clock", "sensor", "reset", "voltage"};

inline constexpr std::uint32_t scmi_message_max = 31;
inline constexpr std::uint32_t scmi_resource_max = 65535;

struct ScmiResources {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool operator==(const ScmiResources &) const = default;
};

// What a command may set its resource to. The default is everything.
struct ScmiRange {
    std::uint64_t min = 0;
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
    bool operator==(const ScmiRange &) const = default;
};

struct ScmiRule : PolicyRule {
    std::uint32_t protocol = 0;          // id; 0: all
    std::vector<std::uint32_t> messages; // sorted; empty: all
    std::optional<ScmiResources> resources;
    ScmiRange values;
    RateLimit rate;

    bool operator==(const ScmiRule &) const = default;
};

// The first rule that matches decides.
struct ScmiPolicy {
    Verdict otherwise = Verdict::deny;
    RateLimit rate; // of the guest
    std::vector<ScmiRule> rules;

    bool names_devices() const { return any_names_device(rules); }
    bool operator==(const ScmiPolicy &) const = default;
};

// The form that [policy.scmi] in TOML, and the dictionary on D-Bus, have.
ScmiPolicy scmi_policy_from(TableReader table, const PolicyItems *items);
Setting to_setting(const ScmiPolicy &policy);

// The reasons are counted at the rule, too.
struct ScmiCounters : RuleListCounters {
    std::uint64_t value = 0;       // dropped: out of the rule's range
    std::uint64_t guest_limit = 0; // dropped: the guest's own rate
};

} // namespace devhost
