// SPDX-License-Identifier: Apache-2.0
//
// What a video policy means, said once more and in the simplest way: on the rules as people state
// them, with numbers that cannot overflow. The BPF program has to agree.
#pragma once

#include "judge.h"
#include "video_policy.hpp"

namespace devhost {

class VideoModel {
public:
    VideoModel(const VideoPolicy &policy, std::vector<std::string> devices);

    // device: name, "" for one that the policy was not told of. Returns enum devhost_verdict.
    int judge(const devhost_policy_video &request, const std::string &device);
    const VideoCounters &counters() const { return counters_; }

private:
    VideoPolicy policy_;
    std::vector<std::string> devices_;
    VideoCounters counters_;
};

} // namespace devhost
