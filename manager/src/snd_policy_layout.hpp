// SPDX-License-Identifier: Apache-2.0
//
// A sound policy as the BPF program has it (bpf/snd_policy.h).
#pragma once

#include "../../bpf/snd_policy.h"
#include "policy.hpp"

namespace devhost {

// Initial contents of the program's constant maps.
struct SndPolicyLayout {
    ::snd_policy rules{};
    ::snd_policy_names names{};
};

SndPolicyLayout lay_out(const SndPolicy &policy, const std::vector<PolicyDevice> &devices);
SndPolicy read_layout(const SndPolicyLayout &layout);
SndCounters read_counters(const ::snd_policy &policy, const ::snd_policy_state &state);

} // namespace devhost
