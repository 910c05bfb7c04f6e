// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "policy.hpp"

namespace devhost {

// Random, and the same on every run.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool once_in(std::uint64_t n) { return below(n) == 0; }

private:
    std::mt19937_64 engine_;
};

// Identifiers lie close together, so that rules overlap and frames meet them.
std::uint32_t random_id(Random &random, bool extended);

// A policy as the parser makes them, over devices "d0", "d1" and "d2".
CanPolicy random_policy(Random &random, bool with_devices);
SndPolicy random_snd_policy(Random &random, bool with_devices);
ScmiPolicy random_scmi_policy(Random &random, bool with_devices);
VideoPolicy random_video_policy(Random &random, bool with_devices);

// One of each, or not.
PolicyConfig random_config(Random &random);

} // namespace devhost
