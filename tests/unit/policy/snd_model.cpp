// SPDX-License-Identifier: Apache-2.0
#include "snd_model.hpp"

#include <linux/devhost.h>
#include <linux/virtio_snd.h>

namespace devhost {

namespace {

template <typename Rule, typename Fits>
const Rule *first(const std::vector<Rule> &rules, const std::string &device, const Fits &fits)
{
    for (const Rule &rule : rules) {
        if ((rule.device.empty() || rule.device == device) && fits(rule)) {
            return &rule;
        }
    }
    return nullptr;
}

template <typename Rule>
RuleCounters &counter_of(const std::vector<Rule> &rules, const Rule *rule,
                         RuleListCounters &counters)
{
    return rule ? counters.rules[static_cast<std::size_t>(rule - rules.data())]
                : counters.otherwise;
}

// The counter of what is wrong, or nothing.
std::uint64_t *exceeded(const SndLimits &limits, const devhost_policy_snd &request,
                        SndListCounters &counters)
{
    if (request.channels > limits.channels_max && limits.channels_max < 255) {
        return &counters.channels;
    }
    if (!limits.rates.empty() &&
        std::ranges::find(limits.rates, request.rate) == limits.rates.end()) {
        return &counters.rate;
    }
    if (request.period_us < limits.period_min) {
        return &counters.period;
    }
    return nullptr;
}

bool too_loud(std::uint32_t volume_max, const devhost_policy_snd &request)
{
    const __int128 span = static_cast<__int128>(request.max) - request.min;
    const __int128 above = static_cast<__int128>(request.value) - request.min;

    return above * 100 > span * volume_max;
}

} // namespace

SndModel::SndModel(const SndPolicy &policy, std::vector<std::string> devices)
    : policy_(policy), devices_(std::move(devices))
{
    counters_.playback.rules.resize(policy.playback.rules.size());
    counters_.capture.rules.resize(policy.capture.rules.size());
    counters_.control.rules.resize(policy.control.rules.size());
}

int SndModel::judge_stream(const SndStreamPolicy &streams, SndListCounters &counters,
                           const devhost_policy_snd &request, const std::string &device) const
{
    const auto *rule = first(streams.rules, device, [&](const SndStreamRule &one) {
        return !one.stream || *one.stream == request.item;
    });
    RuleCounters &counter = counter_of(streams.rules, rule, counters);

    if ((rule ? rule->verdict : streams.otherwise) == Verdict::deny) {
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }
    std::uint64_t *reason = exceeded(streams.limits, request, counters);
    if (!reason && rule) {
        reason = exceeded(rule->limits, request, counters);
    }
    if (reason) {
        ++*reason;
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }
    if (request.request == DEVHOST_POLICY_SND_START && request.running + 1 > streams.streams_max) {
        ++counters.streams;
        ++counter.dropped;
        return DEVHOST_VERDICT_LIMIT;
    }
    ++counter.passed;
    return DEVHOST_VERDICT_ALLOW;
}

int SndModel::judge_control(const devhost_policy_snd &request, const std::string &device)
{
    const SndControlPolicy &controls = policy_.control;
    const auto *rule = first(controls.rules, device, [&](const SndControlRule &one) {
        return (!one.control || *one.control == request.item) &&
               (!one.role || static_cast<std::uint32_t>(*one.role) == request.role) &&
               (!one.direction || *one.direction == request.direction);
    });
    RuleCounters &counter = counter_of(controls.rules, rule, counters_.control);
    const bool loud =
        request.role == VIRTIO_SND_CTL_ROLE_VOLUME || request.role == VIRTIO_SND_CTL_ROLE_GAIN;

    if ((rule ? rule->verdict : controls.otherwise) == Verdict::deny) {
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }
    if ((loud && too_loud(controls.volume_max, request)) ||
        (rule && too_loud(rule->volume_max, request))) {
        ++counters_.control.volume;
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }
    ++counter.passed;
    return DEVHOST_VERDICT_ALLOW;
}

int SndModel::judge(const devhost_policy_snd &request, const std::string &device)
{
    const bool control = request.request == DEVHOST_POLICY_SND_CONTROL;
    const bool plays = request.direction == DEVHOST_SND_PLAYBACK;
    SndListCounters &counters = control ? counters_.control
                                : plays ? counters_.playback
                                        : counters_.capture;

    if (policy_.names_devices() && std::ranges::find(devices_, device) == devices_.end()) {
        ++counters.unknown_device;
        return DEVHOST_VERDICT_DENY;
    }
    if (control) {
        return judge_control(request, device);
    }
    return judge_stream(plays ? policy_.playback : policy_.capture, counters, request, device);
}

} // namespace devhost
