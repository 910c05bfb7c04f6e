// SPDX-License-Identifier: Apache-2.0
#include "video_policy_layout.hpp"

#include "policy_maps.hpp"

namespace devhost {

static_assert(video_formats.size() < VIDEO_POLICY_FORMATS);
static_assert(VideoLimits::any == VIDEO_POLICY_ANY);
static_assert(all_bits == VIDEO_POLICY_ANY);
static_assert(VideoLimits::any64 == VIDEO_POLICY_ANY64);

namespace {

::video_policy_limits limits_of(const VideoLimits &limits)
{
    return {.pixels_max = limits.pixels_max,
            .pixels_per_second_max = limits.pixels_per_second_max,
            .width_max = limits.width_max,
            .height_max = limits.height_max,
            .bitrate_max = limits.bitrate_max,
            .unused = 0};
}

VideoLimits read_limits(const ::video_policy_limits &limits)
{
    return {.width_max = limits.width_max,
            .height_max = limits.height_max,
            .pixels_max = limits.pixels_max,
            .pixels_per_second_max = limits.pixels_per_second_max,
            .bitrate_max = limits.bitrate_max};
}

void lay_out_list(const VideoList &list, ::video_policy_rules &rules,
                  PolicyName (&names)[POLICY_RULES], DeviceSlots &slots)
{
    for (const VideoRule &rule : list.rules) {
        const std::uint32_t i = put_rule(rule, rules, names);

        rules.match[i] = {.formats = bits_of(rule.formats), .devices = slots.bits(rule.device)};
        rules.limit[i] = limits_of(rule.limits);
    }
    rules.action[rules.count] = action_of(list.otherwise);
    rules.match[rules.count] = {.formats = VIDEO_POLICY_ANY, .devices = every_device};
    rules.limit[rules.count] = limits_of(VideoLimits{});
    rules.streams_max = list.streams_max;
    rules.limits = limits_of(list.limits);
}

VideoList read_list(const VideoPolicyLayout &layout, std::size_t table)
{
    const ::video_policy_rules &rules = layout.rules.rules[table];
    VideoList list;

    list.otherwise = verdict_of(rules.action[rules.count]);
    list.streams_max = rules.streams_max;
    list.limits = read_limits(rules.limits);
    for (std::uint32_t i = 0; i < rules.count; ++i) {
        VideoRule rule;

        read_rule(rule, layout, table, i);
        rule.formats = numbers_of(rules.match[i].formats, video_formats.size());
        rule.limits = read_limits(rules.limit[i]);
        list.rules.push_back(std::move(rule));
    }
    return list;
}

VideoListCounters read_list(const ::video_policy_rules &rules, const ::video_policy_counters &from)
{
    VideoListCounters counters;

    read_counters(counters, rules.count, from.rule);
    counters.unknown_device = from.unknown_device;
    counters.streams = from.reason[VIDEO_POLICY_STREAMS];
    counters.size = from.reason[VIDEO_POLICY_SIZE];
    counters.rate = from.reason[VIDEO_POLICY_RATE];
    counters.bitrate = from.reason[VIDEO_POLICY_BITRATE];
    return counters;
}

} // namespace

VideoPolicyLayout lay_out(const VideoPolicy &policy, const std::vector<PolicyDevice> &devices)
{
    VideoPolicyLayout layout;
    DeviceSlots slots(layout.rules.devices, layout.names.device);
    auto &rules = layout.rules.rules;
    auto &names = layout.names.rule;

    if (policy.names_devices()) {
        slots.fill(devices);
    }
    lay_out_list(policy.decode, rules[VIDEO_POLICY_DECODE], names[VIDEO_POLICY_DECODE], slots);
    lay_out_list(policy.encode, rules[VIDEO_POLICY_ENCODE], names[VIDEO_POLICY_ENCODE], slots);
    return layout;
}

VideoPolicy read_layout(const VideoPolicyLayout &layout)
{
    return {.decode = read_list(layout, VIDEO_POLICY_DECODE),
            .encode = read_list(layout, VIDEO_POLICY_ENCODE)};
}

VideoCounters read_counters(const ::video_policy &policy, const ::video_policy_state &state)
{
    const auto list = [&](std::size_t table) {
        return read_list(policy.rules[table], state.table[table]);
    };

    return {.decode = list(VIDEO_POLICY_DECODE), .encode = list(VIDEO_POLICY_ENCODE)};
}

} // namespace devhost
