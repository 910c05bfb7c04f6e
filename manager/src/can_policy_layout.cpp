// SPDX-License-Identifier: Apache-2.0
#include "can_policy_layout.hpp"

#include <algorithm>

#include "policy_maps.hpp"

namespace devhost {

namespace {

void match_flag(::can_policy_match &match, std::optional<bool> flag, std::uint32_t bit)
{
    if (!flag) {
        return;
    }
    match.mask |= bit;
    if (*flag) {
        match.first |= bit;
    }
}

std::optional<bool> flag_of(const ::can_policy_match &match, std::uint32_t bit)
{
    if (!(match.mask & bit)) {
        return std::nullopt;
    }
    return (match.first & bit) != 0;
}

::can_policy_match match_of(const CanRule &rule, std::uint32_t devices)
{
    ::can_policy_match match{.mask = 0, .first = 0, .span = 0, .devices = devices};

    if (const auto *range = std::get_if<CanIdRange>(&rule.ids)) {
        match.mask = CAN_POLICY_KEY_ID;
        match.first = range->first;
        match.span = range->last - range->first;
    } else if (const auto *masked = std::get_if<CanIdMask>(&rule.ids)) {
        match.mask = masked->mask;
        match.first = masked->id;
    }
    match_flag(match, rule.extended, CAN_POLICY_KEY_EXTENDED);
    match_flag(match, rule.fd, CAN_POLICY_KEY_FD);
    match_flag(match, rule.rtr, CAN_POLICY_KEY_RTR);
    return match;
}

CanIds ids_of(const ::can_policy_match &match)
{
    const std::uint32_t mask = match.mask & CAN_POLICY_KEY_ID;
    const std::uint32_t first = match.first & CAN_POLICY_KEY_ID;

    if (mask == CAN_POLICY_KEY_ID) {
        return CanIdRange{.first = first, .last = first + match.span};
    }
    if (mask == 0) {
        return std::monostate{};
    }
    return CanIdMask{.id = first, .mask = mask};
}

std::uint32_t fill_buckets(::policy_bucket (&buckets)[CAN_POLICY_BUCKETS], const RateLimit &frames,
                           const RateLimit &bits)
{
    return fill_bucket(buckets[CAN_POLICY_FRAMES], frames, CAN_POLICY_LIMIT_FRAMES) |
           fill_bucket(buckets[CAN_POLICY_BITS], bits, CAN_POLICY_LIMIT_BITS);
}

// Whether a rule can match frames of that kind with that base.
bool concerns(const ::can_policy_match &match, std::uint32_t flags, std::uint32_t base)
{
    const bool extended = (flags & CAN_POLICY_KEY_EXTENDED) != 0;
    constexpr std::uint32_t below_base = (1U << CAN_POLICY_BASE_SHIFT) - 1;
    const std::uint32_t mask = match.mask & CAN_POLICY_KEY_ID;
    const std::uint32_t first = match.first & CAN_POLICY_KEY_ID;
    const std::uint32_t lowest = extended ? base << CAN_POLICY_BASE_SHIFT : base;
    const std::uint32_t highest = extended ? lowest | below_base : base;

    if (((flags ^ match.first) & match.mask & ~CAN_POLICY_KEY_ID) != 0) {
        return false;
    }
    if (mask == CAN_POLICY_KEY_ID) {
        return first <= highest && lowest - std::min(lowest, first) <= match.span;
    }
    // What is below the base may be anything.
    const std::uint32_t fixed = extended ? mask & ~below_base : mask;
    return (lowest & fixed) == (first & fixed);
}

void fill_start(::can_policy_rules &rules)
{
    for (std::uint32_t kind = 0; kind < CAN_POLICY_KINDS; ++kind) {
        for (std::uint32_t base = 0; base < CAN_POLICY_BASES; ++base) {
            std::uint8_t i = 0;

            while (i < rules.count &&
                   !concerns(rules.match[i], kind << CAN_POLICY_KEY_SHIFT, base)) {
                ++i;
            }
            rules.start[kind][base] = i;
        }
    }
}

void lay_out_direction(const CanDirection &direction, ::can_policy_rules &rules,
                       PolicyName (&names)[POLICY_RULES], DeviceSlots &slots)
{
    for (const CanRule &rule : direction.rules) {
        const std::uint32_t i = rules.count++;

        put_text(names[i], rule.name);
        rules.match[i] = match_of(rule, slots.bits(rule.device));
        rules.action[i] = static_cast<std::uint8_t>(
            action_of(rule.verdict) | fill_buckets(rules.bucket[i], rule.frames, rule.bits));
    }
    rules.match[rules.count] = match_of(CanRule{}, every_device);
    rules.action[rules.count] = action_of(direction.otherwise);
    rules.limit = fill_buckets(rules.guest, direction.frames, direction.bits);
    fill_start(rules);
}

CanDirection read_direction(const CanPolicyLayout &layout, std::size_t which)
{
    const ::can_policy_rules &rules = layout.rules.rules[which];
    CanDirection direction;

    direction.otherwise = verdict_of(rules.action[rules.count]);
    direction.frames = limit_of(rules.guest[CAN_POLICY_FRAMES]);
    direction.bits = limit_of(rules.guest[CAN_POLICY_BITS]);
    for (std::uint32_t i = 0; i < rules.count; ++i) {
        const ::can_policy_match &match = rules.match[i];
        CanRule rule;

        rule.name = text_of(layout.names.rule[which][i]);
        rule.verdict = verdict_of(rules.action[i]);
        rule.ids = ids_of(match);
        rule.extended = flag_of(match, CAN_POLICY_KEY_EXTENDED);
        rule.fd = flag_of(match, CAN_POLICY_KEY_FD);
        rule.rtr = flag_of(match, CAN_POLICY_KEY_RTR);
        rule.device = device_of(match.devices, layout.names.device);
        rule.frames = limit_of(rules.bucket[i][CAN_POLICY_FRAMES]);
        rule.bits = limit_of(rules.bucket[i][CAN_POLICY_BITS]);
        direction.rules.push_back(std::move(rule));
    }
    return direction;
}

} // namespace

CanPolicyLayout lay_out(const CanPolicy &policy, const std::vector<PolicyDevice> &devices)
{
    CanPolicyLayout layout;
    DeviceSlots slots(layout.rules.devices, layout.names.device);

    if (policy.names_devices()) {
        slots.fill(devices);
    }
    lay_out_direction(policy.transmit, layout.rules.rules[CAN_POLICY_TRANSMIT],
                      layout.names.rule[CAN_POLICY_TRANSMIT], slots);
    lay_out_direction(policy.receive, layout.rules.rules[CAN_POLICY_RECEIVE],
                      layout.names.rule[CAN_POLICY_RECEIVE], slots);

    auto &lowest = layout.rules.rules[CAN_POLICY_TRANSMIT].lowest;
    lowest[0] = policy.lowest_id.value_or(0);
    lowest[1] = policy.lowest_extended_id.value_or(lowest[0] << CAN_POLICY_BASE_SHIFT);
    layout.names.lowest_given[0] = policy.lowest_id.has_value();
    layout.names.lowest_given[1] = policy.lowest_extended_id.has_value();
    return layout;
}

CanPolicy read_layout(const CanPolicyLayout &layout)
{
    const auto &lowest = layout.rules.rules[CAN_POLICY_TRANSMIT].lowest;
    CanPolicy policy;

    if (layout.names.lowest_given[0] != 0) {
        policy.lowest_id = lowest[0];
    }
    if (layout.names.lowest_given[1] != 0) {
        policy.lowest_extended_id = lowest[1];
    }
    policy.transmit = read_direction(layout, CAN_POLICY_TRANSMIT);
    policy.receive = read_direction(layout, CAN_POLICY_RECEIVE);
    return policy;
}

CanDirectionCounters read_counters(const ::can_policy_rules &rules, const ::can_policy_state &state)
{
    CanDirectionCounters counters;

    read_counters(counters, rules.count, state.rule);
    counters.priority = state.priority;
    counters.guest_limit = state.guest_limit;
    counters.unknown_device = state.unknown_device;
    return counters;
}

} // namespace devhost
