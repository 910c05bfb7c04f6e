// SPDX-License-Identifier: Apache-2.0
//
// A video policy as the BPF program has it (bpf/video_policy.h).
#pragma once

#include "../../bpf/video_policy.h"
#include "policy.hpp"

namespace devhost {

// Initial contents of the program's constant maps.
struct VideoPolicyLayout {
    ::video_policy rules{};
    ::video_policy_names names{};
};

VideoPolicyLayout lay_out(const VideoPolicy &policy, const std::vector<PolicyDevice> &devices);
VideoPolicy read_layout(const VideoPolicyLayout &layout);
VideoCounters read_counters(const ::video_policy &policy, const ::video_policy_state &state);

} // namespace devhost
