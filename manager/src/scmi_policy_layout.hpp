// SPDX-License-Identifier: Apache-2.0
//
// An SCMI policy as the BPF program has it (bpf/scmi_policy.h).
#pragma once

#include "../../bpf/scmi_policy.h"
#include "policy.hpp"

namespace devhost {

// Initial contents of the program's constant maps.
struct ScmiPolicyLayout {
    ::scmi_policy rules{};
    ::scmi_policy_names names{};
};

ScmiPolicyLayout lay_out(const ScmiPolicy &policy, const std::vector<PolicyDevice> &devices);
ScmiPolicy read_layout(const ScmiPolicyLayout &layout);
ScmiCounters read_counters(const ::scmi_policy &policy, const ::scmi_policy_state &state);

} // namespace devhost
