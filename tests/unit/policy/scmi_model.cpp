// SPDX-License-Identifier: Apache-2.0
#include "scmi_model.hpp"

#include <linux/devhost.h>

namespace devhost {

namespace {

bool fits(const ScmiRule &rule, const devhost_policy_scmi &command, const std::string &device)
{
    if (rule.protocol != 0 && rule.protocol != command.protocol) {
        return false;
    }
    if (!rule.messages.empty() &&
        std::ranges::find(rule.messages, command.message) == rule.messages.end()) {
        return false;
    }
    if (rule.resources &&
        (command.resource == SCMI_NO_RESOURCE || command.resource < rule.resources->first ||
         command.resource > rule.resources->last)) {
        return false;
    }
    return rule.device.empty() || rule.device == device;
}

} // namespace

ScmiModel::ScmiModel(const ScmiPolicy &policy, std::vector<std::string> devices)
    : policy_(policy), devices_(std::move(devices))
{
    counters_.rules.resize(policy.rules.size());
}

int ScmiModel::judge(const devhost_policy_scmi &command, const std::string &device,
                     std::uint64_t now)
{
    if (policy_.names_devices() && std::ranges::find(devices_, device) == devices_.end()) {
        ++counters_.unknown_device;
        return DEVHOST_VERDICT_DENY;
    }
    const auto found = std::ranges::find_if(
        policy_.rules, [&](const ScmiRule &rule) { return fits(rule, command, device); });
    const ScmiRule *rule = found == policy_.rules.end() ? nullptr : &*found;
    RuleCounters &counter =
        rule ? counters_.rules[static_cast<std::size_t>(found - policy_.rules.begin())]
             : counters_.otherwise;

    if ((rule ? rule->verdict : policy_.otherwise) == Verdict::deny) {
        ++counter.dropped;
        return DEVHOST_VERDICT_DENY;
    }
    if (rule && (command.value < rule->values.min || command.value > rule->values.max)) {
        ++counter.dropped;
        ++counters_.value;
        return DEVHOST_VERDICT_DENY;
    }
    const bool of_rule = rule && rule->rate;
    if (of_rule && !buckets_[rule].has(rule->rate, 1, now)) {
        ++counter.dropped;
        return DEVHOST_VERDICT_LIMIT;
    }
    if (policy_.rate && !guest_.has(policy_.rate, 1, now)) {
        ++counter.dropped;
        ++counters_.guest_limit;
        return DEVHOST_VERDICT_LIMIT;
    }
    if (of_rule) {
        buckets_[rule].take(1);
    }
    if (policy_.rate) {
        guest_.take(1);
    }
    ++counter.passed;
    return DEVHOST_VERDICT_ALLOW;
}

} // namespace devhost
