// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <algorithm>

#include <linux/devhost.h>

namespace devhost {

namespace {

bool flag_fits(const std::optional<bool> &wanted, bool is)
{
    return !wanted || *wanted == is;
}

bool ids_fit(const CanIds &ids, std::uint32_t id)
{
    if (const auto *range = std::get_if<CanIdRange>(&ids)) {
        return range->first <= id && id <= range->last;
    }
    if (const auto *masked = std::get_if<CanIdMask>(&ids)) {
        return (id & masked->mask) == masked->id;
    }
    return true;
}

bool fits(const CanRule &rule, const devhost_policy_can &frame, const std::string &device)
{
    return ids_fit(rule.ids, frame.can_id) &&
           flag_fits(rule.extended, (frame.flags & FRAME_EXTENDED) != 0) &&
           flag_fits(rule.fd, (frame.flags & FRAME_FD) != 0) &&
           flag_fits(rule.rtr, (frame.flags & FRAME_RTR) != 0) &&
           (rule.device.empty() || rule.device == device);
}

} // namespace

bool Bucket::has(const RateLimit &limit, std::uint64_t tokens, std::uint64_t now)
{
    const __int128 full = unit * limit.burst;

    if (level_ < 0) {
        level_ = full;
    } else if (now > time_) {
        level_ = std::min(full, level_ + static_cast<__int128>(now - time_) * limit.rate);
    }
    time_ = std::max(time_, now);
    return level_ >= unit * static_cast<__int128>(tokens);
}

const CanDirection &Model::rules(int direction) const
{
    return direction == CAN_POLICY_TRANSMIT ? policy_.transmit : policy_.receive;
}

bool Model::too_urgent(const devhost_policy_can &frame) const
{
    if (frame.direction != CAN_POLICY_TRANSMIT) {
        return false;
    }
    if ((frame.flags & FRAME_EXTENDED) == 0) {
        return policy_.lowest_id && frame.can_id < *policy_.lowest_id;
    }
    if (policy_.lowest_extended_id) {
        return frame.can_id < *policy_.lowest_extended_id;
    }
    return policy_.lowest_id && frame.can_id >> 18 < *policy_.lowest_id;
}

const CanDirectionCounters &Model::counters(int direction)
{
    CanDirectionCounters &counters = states_[direction].counters;

    counters.rules.resize(rules(direction).rules.size());
    return counters;
}

int Model::judge(const devhost_policy_can &frame, const std::string &device, std::uint64_t now)
{
    const CanDirection &direction = rules(frame.direction);
    State &state = states_[frame.direction];

    counters(frame.direction);
    if (too_urgent(frame)) {
        ++state.counters.priority;
        return DEVHOST_VERDICT_DENY;
    }
    if (policy_.names_devices() && std::ranges::find(devices_, device) == devices_.end()) {
        ++state.counters.unknown_device;
        return DEVHOST_VERDICT_DENY;
    }

    const auto rule = std::ranges::find_if(
        direction.rules, [&](const CanRule &one) { return fits(one, frame, device); });
    const bool matched = rule != direction.rules.end();
    RuleCounters &counter =
        matched ? state.counters.rules[static_cast<std::size_t>(rule - direction.rules.begin())]
                : state.counters.otherwise;
    if ((matched ? rule->verdict : direction.otherwise) == Verdict::deny) {
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }

    struct Claim {
        Bucket &bucket;
        const RateLimit &limit;
        std::uint64_t tokens;
        bool of_guest;
    };
    std::vector<Claim> claims;
    const auto claim = [&](Buckets &buckets, const RateLimit &frames, const RateLimit &bits,
                           bool of_guest) {
        if (frames) {
            claims.push_back({buckets.frames, frames, 1, of_guest});
        }
        if (bits) {
            claims.push_back({buckets.bits, bits, frame.bits, of_guest});
        }
    };
    if (matched) {
        claim(state.rules[&*rule], rule->frames, rule->bits, false);
    }
    claim(state.guest, direction.frames, direction.bits, true);
    for (const Claim &one : claims) {
        if (!one.bucket.has(one.limit, one.tokens, now)) {
            ++counter.dropped;
            state.counters.guest_limit += one.of_guest ? 1 : 0;
            return DEVHOST_VERDICT_LIMIT;
        }
    }
    for (const Claim &one : claims) {
        one.bucket.take(one.tokens);
    }
    ++counter.passed;
    return DEVHOST_VERDICT_ALLOW;
}

} // namespace devhost
