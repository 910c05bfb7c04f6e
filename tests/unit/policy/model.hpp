// SPDX-License-Identifier: Apache-2.0
//
// What a policy means, said once more and in the simplest way: on the rules as people state
// them, with token buckets of 128-bit numbers. The BPF program has to agree.
#pragma once

#include <map>

#include "can_policy.hpp"
#include "judge.h"

namespace devhost {

class Bucket {
public:
    // Whether that many tokens are there, after time has filled it.
    bool has(const RateLimit &limit, std::uint64_t tokens, std::uint64_t now);
    void take(std::uint64_t tokens) { level_ -= unit * tokens; }

private:
    static constexpr __int128 unit = 1'000'000'000;
    __int128 level_ = -1; // -1: not used yet, so full
    std::uint64_t time_ = 0;
};

class Model {
public:
    Model(const CanPolicy &policy, std::vector<std::string> devices)
        : policy_(policy), devices_(std::move(devices))
    {
    }

    // device: name, "" for one that the policy was not told of. Returns enum devhost_verdict.
    int judge(const devhost_policy_can &frame, const std::string &device, std::uint64_t now);
    const CanDirectionCounters &counters(int direction);

private:
    struct Buckets {
        Bucket frames;
        Bucket bits;
    };
    struct State {
        CanDirectionCounters counters;
        Buckets guest;
        std::map<const void *, Buckets> rules;
    };

    CanPolicy policy_;
    std::vector<std::string> devices_;
    State states_[2];

    const CanDirection &rules(int direction) const;
    bool too_urgent(const devhost_policy_can &frame) const;
};

} // namespace devhost
