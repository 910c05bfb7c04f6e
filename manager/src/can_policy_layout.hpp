// SPDX-License-Identifier: Apache-2.0
//
// A CAN policy as the BPF program has it (bpf/can_policy.h).
#pragma once

#include <cstdint>
#include <vector>

#include "../../bpf/can_policy.h"
#include "policy.hpp"

namespace devhost {

// Initial contents of the program's constant maps.
struct CanPolicyLayout {
    ::can_policy rules{};
    ::can_policy_names names{};
};

// Where the policy says nothing about CAN, everything is refused. Throws PolicyError
// where the guest has more devices than the layout.
CanPolicyLayout lay_out(const PolicyConfig &policy, std::uint32_t guest_id,
                        const std::vector<PolicyDevice> &devices);
// The other way round, from what is in force.
PolicyConfig read_layout(const CanPolicyLayout &layout);
CanDirectionCounters read_counters(const ::can_policy_rules &rules,
                                   const ::can_policy_state &state);

} // namespace devhost
