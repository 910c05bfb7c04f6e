// SPDX-License-Identifier: Apache-2.0
//
// A policy as the BPF programs have it.
#pragma once

#include "can_policy_layout.hpp"
#include "scmi_policy_layout.hpp"
#include "snd_policy_layout.hpp"
#include "video_policy_layout.hpp"

namespace devhost {

// Initial contents of the programs' constant maps. Those of CAN are always there: they say whose
// policy it is, and in names.given what it is about (POLICY_GIVEN_*) and its mode.
struct PolicyLayout {
    CanPolicyLayout can;
    std::optional<SndPolicyLayout> snd;
    std::optional<ScmiPolicyLayout> scmi;
    std::optional<VideoPolicyLayout> video;
};

// Throws PolicyError where the guest has more devices than the layout.
PolicyLayout lay_out(const PolicyConfig &policy, std::uint32_t guest_id,
                     const std::vector<PolicyDevice> &devices);
// The other way round, from what is in force.
PolicyConfig read_layout(const PolicyLayout &layout);

} // namespace devhost
