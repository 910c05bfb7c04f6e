// SPDX-License-Identifier: Apache-2.0
//
// What an SCMI policy means, said once more and in the simplest way: on the rules as people
// state them, with token buckets of 128-bit numbers. The BPF program has to agree.
#pragma once

#include <map>

#include "model.hpp"
#include "scmi_policy.hpp"

namespace devhost {

class ScmiModel {
public:
    ScmiModel(const ScmiPolicy &policy, std::vector<std::string> devices);

    // device: name, "" for one that the policy was not told of. Returns enum devhost_verdict.
    int judge(const devhost_policy_scmi &command, const std::string &device, std::uint64_t now);
    const ScmiCounters &counters() const { return counters_; }

private:
    ScmiPolicy policy_;
    std::vector<std::string> devices_;
    ScmiCounters counters_;
    Bucket guest_;
    std::map<const ScmiRule *, Bucket> buckets_;
};

} // namespace devhost
