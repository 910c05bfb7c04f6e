// SPDX-License-Identifier: Apache-2.0
//
// A CAN policy as the BPF program has it (bpf/can_policy.h).
#pragma once

#include "../../bpf/can_policy.h"
#include "policy.hpp"

namespace devhost {

// Initial contents of the program's constant maps.
struct CanPolicyLayout {
    ::can_policy rules{};
    ::can_policy_names names{};
};

CanPolicyLayout lay_out(const CanPolicy &policy, const std::vector<PolicyDevice> &devices);
CanPolicy read_layout(const CanPolicyLayout &layout);
CanDirectionCounters read_counters(const ::can_policy_rules &rules,
                                   const ::can_policy_state &state);

} // namespace devhost
