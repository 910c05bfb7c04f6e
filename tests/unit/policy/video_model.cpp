// SPDX-License-Identifier: Apache-2.0
#include "video_model.hpp"

#include <linux/devhost.h>

namespace devhost {

namespace {

constexpr std::uint32_t first_format = 0x1000; // MPG2, as the protocol numbers it

const VideoRule *first(const VideoList &list, const devhost_policy_video &request,
                       const std::string &device)
{
    for (const VideoRule &rule : list.rules) {
        const bool format =
            rule.formats.empty() || std::ranges::any_of(rule.formats, [&](std::uint32_t each) {
                return first_format + each == request.format;
            });
        if (format && (rule.device.empty() || rule.device == device)) {
            return &rule;
        }
    }
    return nullptr;
}

// The counter of what is wrong, or nothing.
std::uint64_t *exceeded(const VideoLimits &limits, const devhost_policy_video &request,
                        VideoListCounters &counters)
{
    using Wide = unsigned __int128;
    const Wide pixels = Wide{request.width} * request.height;

    if (request.width > limits.width_max || request.height > limits.height_max ||
        pixels > limits.pixels_max) {
        return &counters.size;
    }
    if (pixels * request.rate > limits.pixels_per_second_max) {
        return &counters.rate;
    }
    return request.bitrate > limits.bitrate_max ? &counters.bitrate : nullptr;
}

} // namespace

VideoModel::VideoModel(const VideoPolicy &policy, std::vector<std::string> devices)
    : policy_(policy), devices_(std::move(devices))
{
    counters_.decode.rules.resize(policy.decode.rules.size());
    counters_.encode.rules.resize(policy.encode.rules.size());
}

int VideoModel::judge(const devhost_policy_video &request, const std::string &device)
{
    const VideoList &list = request.encoder ? policy_.encode : policy_.decode;
    VideoListCounters &counters = request.encoder ? counters_.encode : counters_.decode;

    if (policy_.names_devices() && std::ranges::find(devices_, device) == devices_.end()) {
        ++counters.unknown_device;
        return DEVHOST_VERDICT_DENY;
    }
    const VideoRule *rule = first(list, request, device);
    RuleCounters &counter = rule
                                ? counters.rules[static_cast<std::size_t>(rule - list.rules.data())]
                                : counters.otherwise;
    if ((rule ? rule->verdict : list.otherwise) == Verdict::deny) {
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }
    std::uint64_t *reason = exceeded(list.limits, request, counters);
    if (!reason && rule) {
        reason = exceeded(rule->limits, request, counters);
    }
    if (reason) {
        ++*reason;
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }
    if (request.request == DEVHOST_POLICY_VIDEO_CREATE && request.streams + 1 > list.streams_max) {
        ++counters.streams;
        ++counter.dropped;
        return DEVHOST_VERDICT_LIMIT;
    }
    ++counter.passed;
    return DEVHOST_VERDICT_ALLOW;
}

} // namespace devhost
