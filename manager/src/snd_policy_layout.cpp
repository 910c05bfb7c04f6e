// SPDX-License-Identifier: Apache-2.0
#include "snd_policy_layout.hpp"

#include <bit>

#include "policy_maps.hpp"

namespace devhost {

namespace {

constexpr std::uint32_t kinds_of_direction = 0x55; // bit of each role
constexpr std::uint32_t directions = 2;

::snd_policy_limits no_limits()
{
    return {.channels_max = SND_POLICY_ANY,
            .period_min = 0,
            .volume_max = SND_POLICY_PERCENT,
            .rates = 0,
            .rate = {}};
}

::snd_policy_limits limits_of(const SndLimits &limits)
{
    ::snd_policy_limits made = no_limits();

    if (limits.channels_max != snd_channels_max) {
        made.channels_max = limits.channels_max;
    }
    made.period_min = limits.period_min;
    for (const std::uint32_t rate : limits.rates) {
        made.rate[made.rates++] = rate;
    }
    return made;
}

SndLimits read_limits(const ::snd_policy_limits &limits)
{
    SndLimits read;

    if (limits.channels_max != SND_POLICY_ANY) {
        read.channels_max = limits.channels_max;
    }
    read.rates.assign(limits.rate, limits.rate + limits.rates);
    read.period_min = limits.period_min;
    return read;
}

::snd_policy_limits volume_limits(std::uint32_t volume_max)
{
    ::snd_policy_limits made = no_limits();

    made.volume_max = volume_max;
    return made;
}

::snd_policy_match match_of(const std::optional<std::uint32_t> &item, std::uint32_t devices)
{
    return {.first = item.value_or(0),
            .span = item ? 0 : SND_POLICY_ANY,
            .devices = devices,
            .kinds = SND_POLICY_ANY};
}

std::optional<std::uint32_t> item_of(const ::snd_policy_match &match)
{
    return match.span == SND_POLICY_ANY ? std::nullopt : std::optional(match.first);
}

std::uint32_t kinds_of_role(SndRole role)
{
    return 3U << static_cast<std::uint32_t>(role) * directions;
}

// A kind is an element's role and direction.
std::uint32_t kinds_of(const SndControlRule &rule)
{
    std::uint32_t kinds = SND_POLICY_ANY;

    if (rule.role) {
        kinds &= kinds_of_role(*rule.role);
    }
    if (rule.direction) {
        kinds &= kinds_of_direction << *rule.direction;
    }
    return kinds;
}

void read_kinds(std::uint32_t kinds, SndControlRule &rule)
{
    if (kinds == SND_POLICY_ANY) {
        return;
    }
    for (const SndRole role : {SndRole::volume, SndRole::mute, SndRole::gain}) {
        if (kinds != 0 && (kinds & ~kinds_of_role(role)) == 0) {
            rule.role = role;
        }
    }
    if (kinds == kinds_of_direction || std::popcount(kinds) == 1) {
        rule.direction = DEVHOST_SND_PLAYBACK;
    }
    if (kinds == kinds_of_direction << 1 ||
        (std::popcount(kinds) == 1 && std::countr_zero(kinds) % directions != 0)) {
        rule.direction = DEVHOST_SND_CAPTURE;
    }
}

void end_rules(::snd_policy_rules &rules, Verdict otherwise)
{
    rules.match[rules.count] = match_of(std::nullopt, every_device);
    rules.limit[rules.count] = no_limits();
    rules.action[rules.count] = action_of(otherwise);
}

void lay_out_streams(const SndStreamPolicy &streams, ::snd_policy_rules &rules,
                     PolicyName (&names)[POLICY_RULES], DeviceSlots &slots)
{
    for (const SndStreamRule &rule : streams.rules) {
        const std::uint32_t i = put_rule(rule, rules, names);

        rules.match[i] = match_of(rule.stream, slots.bits(rule.device));
        rules.limit[i] = limits_of(rule.limits);
    }
    end_rules(rules, streams.otherwise);
    rules.streams_max = streams.streams_max;
    rules.limits = limits_of(streams.limits);
}

void lay_out_controls(const SndControlPolicy &controls, ::snd_policy_rules &rules,
                      PolicyName (&names)[POLICY_RULES], DeviceSlots &slots)
{
    for (const SndControlRule &rule : controls.rules) {
        const std::uint32_t i = put_rule(rule, rules, names);

        rules.match[i] = match_of(rule.control, slots.bits(rule.device));
        rules.match[i].kinds = kinds_of(rule);
        rules.limit[i] = volume_limits(rule.volume_max);
    }
    end_rules(rules, controls.otherwise);
    rules.streams_max = SND_POLICY_ANY;
    rules.limits = volume_limits(controls.volume_max);
}

SndStreamPolicy read_streams(const SndPolicyLayout &layout, std::size_t table)
{
    const ::snd_policy_rules &rules = layout.rules.rules[table];
    SndStreamPolicy streams;

    streams.otherwise = verdict_of(rules.action[rules.count]);
    streams.streams_max = rules.streams_max;
    streams.limits = read_limits(rules.limits);
    for (std::uint32_t i = 0; i < rules.count; ++i) {
        SndStreamRule rule;

        read_rule(rule, layout, table, i);
        rule.stream = item_of(rules.match[i]);
        rule.limits = read_limits(rules.limit[i]);
        streams.rules.push_back(std::move(rule));
    }
    return streams;
}

SndControlPolicy read_controls(const SndPolicyLayout &layout)
{
    const ::snd_policy_rules &rules = layout.rules.rules[SND_POLICY_CONTROL];
    SndControlPolicy controls;

    controls.otherwise = verdict_of(rules.action[rules.count]);
    controls.volume_max = rules.limits.volume_max;
    for (std::uint32_t i = 0; i < rules.count; ++i) {
        SndControlRule rule;

        read_rule(rule, layout, SND_POLICY_CONTROL, i);
        rule.control = item_of(rules.match[i]);
        read_kinds(rules.match[i].kinds, rule);
        rule.volume_max = rules.limit[i].volume_max;
        controls.rules.push_back(std::move(rule));
    }
    return controls;
}

SndListCounters read_list(const ::snd_policy_rules &rules, const ::snd_policy_counters &from)
{
    SndListCounters counters;

    read_counters(counters, rules.count, from.rule);
    counters.unknown_device = from.unknown_device;
    counters.streams = from.reason[SND_POLICY_STREAMS];
    counters.channels = from.reason[SND_POLICY_CHANNELS];
    counters.rate = from.reason[SND_POLICY_RATE];
    counters.period = from.reason[SND_POLICY_PERIOD];
    counters.volume = from.reason[SND_POLICY_VOLUME];
    return counters;
}

} // namespace

SndPolicyLayout lay_out(const SndPolicy &policy, const std::vector<PolicyDevice> &devices)
{
    SndPolicyLayout layout;
    DeviceSlots slots(layout.rules.devices, layout.names.device);
    auto &rules = layout.rules.rules;
    auto &names = layout.names.rule;

    if (policy.names_devices()) {
        slots.fill(devices);
    }
    lay_out_streams(policy.playback, rules[SND_POLICY_PLAYBACK], names[SND_POLICY_PLAYBACK], slots);
    lay_out_streams(policy.capture, rules[SND_POLICY_CAPTURE], names[SND_POLICY_CAPTURE], slots);
    lay_out_controls(policy.control, rules[SND_POLICY_CONTROL], names[SND_POLICY_CONTROL], slots);
    return layout;
}

SndPolicy read_layout(const SndPolicyLayout &layout)
{
    return {.playback = read_streams(layout, SND_POLICY_PLAYBACK),
            .capture = read_streams(layout, SND_POLICY_CAPTURE),
            .control = read_controls(layout)};
}

SndCounters read_counters(const ::snd_policy &policy, const ::snd_policy_state &state)
{
    const auto list = [&](std::size_t table) {
        return read_list(policy.rules[table], state.table[table]);
    };

    return {.playback = list(SND_POLICY_PLAYBACK),
            .capture = list(SND_POLICY_CAPTURE),
            .control = list(SND_POLICY_CONTROL)};
}

} // namespace devhost
