// SPDX-License-Identifier: Apache-2.0
#include "scmi_policy_layout.hpp"

#include "policy_maps.hpp"

namespace devhost {

static_assert(scmi_message_max < SCMI_POLICY_MESSAGES);
static_assert(all_bits == SCMI_POLICY_ALL);

namespace {

::scmi_policy_match match_of(const ScmiRule &rule, std::uint32_t devices)
{
    ::scmi_policy_match match{.messages = bits_of(rule.messages),
                              .first = 0,
                              .span = SCMI_POLICY_ALL,
                              .devices = devices,
                              .protocol = rule.protocol};

    if (rule.resources) {
        match.first = rule.resources->first;
        match.span = rule.resources->last - rule.resources->first;
    }
    return match;
}

ScmiRule read_rule(const ScmiPolicyLayout &layout, std::uint32_t i)
{
    const ::scmi_policy_match &match = layout.rules.match[i];
    const ::scmi_policy_range &range = layout.rules.range[i];
    ScmiRule rule;

    rule.name = text_of(layout.names.rule[i]);
    rule.verdict = verdict_of(layout.rules.action[i]);
    rule.device = device_of(match.devices, layout.names.device);
    rule.protocol = match.protocol;
    rule.messages = numbers_of(match.messages, scmi_message_max + 1);
    if (match.span != SCMI_POLICY_ALL) {
        rule.resources = ScmiResources{.first = match.first, .last = match.first + match.span};
    }
    rule.values = {.min = range.min, .max = range.max};
    rule.rate = limit_of(layout.rules.bucket[i]);
    return rule;
}

} // namespace

ScmiPolicyLayout lay_out(const ScmiPolicy &policy, const std::vector<PolicyDevice> &devices)
{
    ScmiPolicyLayout layout;
    ::scmi_policy &rules = layout.rules;
    DeviceSlots slots(rules.devices, layout.names.device);

    if (policy.names_devices()) {
        slots.fill(devices);
    }
    for (const ScmiRule &rule : policy.rules) {
        const std::uint32_t i = rules.count++;

        put_text(layout.names.rule[i], rule.name);
        rules.match[i] = match_of(rule, slots.bits(rule.device));
        rules.range[i] = {.min = rule.values.min, .max = rule.values.max};
        rules.action[i] = static_cast<std::uint8_t>(
            action_of(rule.verdict) | fill_bucket(rules.bucket[i], rule.rate, SCMI_POLICY_LIMIT));
    }
    rules.match[rules.count] = match_of(ScmiRule{}, every_device);
    rules.range[rules.count] = {.min = ScmiRange{}.min, .max = ScmiRange{}.max};
    rules.action[rules.count] = action_of(policy.otherwise);
    rules.limit = fill_bucket(rules.guest, policy.rate, SCMI_POLICY_LIMIT);
    return layout;
}

ScmiPolicy read_layout(const ScmiPolicyLayout &layout)
{
    const ::scmi_policy &rules = layout.rules;
    ScmiPolicy policy;

    policy.otherwise = verdict_of(rules.action[rules.count]);
    policy.rate = limit_of(rules.guest);
    for (std::uint32_t i = 0; i < rules.count; ++i) {
        policy.rules.push_back(read_rule(layout, i));
    }
    return policy;
}

ScmiCounters read_counters(const ::scmi_policy &policy, const ::scmi_policy_state &state)
{
    ScmiCounters counters;

    read_counters(counters, policy.count, state.rule);
    counters.value = state.value;
    counters.guest_limit = state.guest_limit;
    counters.unknown_device = state.unknown_device;
    return counters;
}

} // namespace devhost
