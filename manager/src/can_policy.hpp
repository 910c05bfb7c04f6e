// SPDX-License-Identifier: Apache-2.0
//
// What a guest may do on a CAN bus, as people and D-Bus clients state it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "policy_rule.hpp"

namespace devhost {

inline constexpr std::uint32_t can_standard_id_max = 0x7ff;
inline constexpr std::uint32_t can_extended_id_max = 0x1fffffff;

struct CanIdRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool operator==(const CanIdRange &) const = default;
};

struct CanIdMask {
    std::uint32_t id = 0;
    std::uint32_t mask = 0;
    bool operator==(const CanIdMask &) const = default;
};

// monostate: every identifier
using CanIds = std::variant<std::monostate, CanIdRange, CanIdMask>;

// One rule. An optional that is empty matches both.
struct CanRule : PolicyRule {
    CanIds ids;
    std::optional<bool> extended;
    std::optional<bool> fd;
    std::optional<bool> rtr;
    RateLimit frames;
    RateLimit bits;

    bool operator==(const CanRule &) const = default;
};

// The rules of one direction: the first that matches decides.
struct CanDirection {
    Verdict otherwise = Verdict::deny; // where no rule matches
    RateLimit frames;                  // of the guest in this direction
    RateLimit bits;
    std::vector<CanRule> rules;

    bool operator==(const CanDirection &) const = default;
};

struct CanPolicy {
    // Highest priority at which the guest may send; nothing lifts it.
    std::optional<std::uint32_t> lowest_id; // 11 bits; extended frames by their upper 11
    std::optional<std::uint32_t>
        lowest_extended_id; // 29 bits; extended frames instead of the above
    CanDirection transmit;  // what the guest sends
    CanDirection receive;   // what it is given

    bool names_devices() const;
    bool operator==(const CanPolicy &) const = default;
};

// The form that [policy.can] in TOML, and the dictionary on D-Bus, have.
CanPolicy can_policy_from(TableReader table);
Setting to_setting(const CanPolicy &policy);

struct CanDirectionCounters : RuleListCounters {
    std::uint64_t priority = 0;    // dropped: above the priority the guest may use
    std::uint64_t guest_limit = 0; // dropped: the guest's own rate (also counted at the rule)
};

struct CanCounters {
    CanDirectionCounters transmit;
    CanDirectionCounters receive;
};

} // namespace devhost
