// SPDX-License-Identifier: Apache-2.0
//
// What the maps of all parts of a policy have in common (bpf/policy.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../../bpf/policy.h"
#include "policy.hpp"

namespace devhost {

static_assert(policy_rules_max == POLICY_RULES);

inline constexpr std::uint32_t every_device = ~0U;

using PolicyName = char[POLICY_NAME_SIZE];

std::string_view text_of(const PolicyName &name);
void put_text(PolicyName &name, std::string_view text);

// Slots of devices: a rule has one bit for each. Slot ids are 0 for devices that
// rules name and the guest does not have (yet).
class DeviceSlots {
public:
    DeviceSlots(::policy_devices &devices, PolicyName (&names)[POLICY_DEVICES])
        : devices_(devices), names_(names)
    {
    }

    // Those of the guest, where rules name devices.
    void fill(const std::vector<PolicyDevice> &devices);
    // Of what a rule says: no name is every device. Throws PolicyError where none is free.
    std::uint32_t bits(std::string_view name);

private:
    ::policy_devices &devices_;
    PolicyName (&names_)[POLICY_DEVICES];

    std::uint32_t bit(std::string_view name, std::uint32_t id);
};

// The other way round.
std::string device_of(std::uint32_t bits, const PolicyName (&names)[POLICY_DEVICES]);

std::uint8_t action_of(Verdict verdict);
Verdict verdict_of(std::uint8_t action);

// Small numbers, a bit for each; without any: all there are, also those that have no bit.
inline constexpr std::uint32_t all_bits = 0xffffffff;
std::uint32_t bits_of(const std::vector<std::uint32_t> &numbers);
// The other way round, of the numbers below @end.
std::vector<std::uint32_t> numbers_of(std::uint32_t bits, std::size_t end);

// The next rule of a list of the maps, its name and its verdict; returns its index.
template <typename Rules>
std::uint32_t put_rule(const PolicyRule &rule, Rules &rules, PolicyName (&names)[POLICY_RULES])
{
    const std::uint32_t i = rules.count++;

    put_text(names[i], rule.name);
    rules.action[i] = action_of(rule.verdict);
    return i;
}

// The other way round, and the device that its bits stand for.
template <typename Layout>
void read_rule(PolicyRule &rule, const Layout &layout, std::size_t table, std::uint32_t i)
{
    const auto &rules = layout.rules.rules[table];

    rule.name = text_of(layout.names.rule[table][i]);
    rule.verdict = verdict_of(rules.action[i]);
    rule.device = device_of(rules.match[i].devices, layout.names.device);
}

// Returns the flag for the action, 0 where there is no limit.
std::uint32_t fill_bucket(::policy_bucket &bucket, const RateLimit &limit, std::uint32_t flag);
RateLimit limit_of(const ::policy_bucket &bucket);

// Of a list of that many rules.
void read_counters(RuleListCounters &counters, std::uint32_t count,
                   const ::policy_counter (&rules)[POLICY_ENTRIES]);

} // namespace devhost
