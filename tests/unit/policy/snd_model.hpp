// SPDX-License-Identifier: Apache-2.0
//
// What a sound policy means, said once more and in the simplest way: on the rules as people
// state them, with floating-point volumes. The BPF program has to agree.
#pragma once

#include "judge.h"
#include "snd_policy.hpp"

namespace devhost {

class SndModel {
public:
    SndModel(const SndPolicy &policy, std::vector<std::string> devices);

    // device: name, "" for one that the policy was not told of. Returns enum devhost_verdict.
    int judge(const devhost_policy_snd &request, const std::string &device);
    const SndCounters &counters() const { return counters_; }

private:
    SndPolicy policy_;
    std::vector<std::string> devices_;
    SndCounters counters_;

    int judge_stream(const SndStreamPolicy &streams, SndListCounters &counters,
                     const devhost_policy_snd &request, const std::string &device) const;
    int judge_control(const devhost_policy_snd &request, const std::string &device);
};

} // namespace devhost
