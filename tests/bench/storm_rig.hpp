// SPDX-License-Identifier: Apache-2.0
// What one guest's storm does to another's round trips, where both have to share
// a processor. Instructions are the clock, so a run is like the one before.
#pragma once

#include <functional>
#include <string>

namespace dh::bench {

// The guest that storms: brings it up, in a process of its own, and returns
// what it then does without end.
using Storm = std::function<std::function<void()>()>;

// Before anything is started: the calling process and what is done for its guests
// have a cgroup of their own from now on.
void storm_begin();

// Two rows: the p99 of @round_trip, made now and then, and the longest, beside
// @storm; and beside the same guest's process when it only computes. That process,
// with all that its guest makes the host do, has a cgroup of the same weight.
void storm_rows(const std::string &name, const std::function<void()> &round_trip,
                const Storm &storm);

} // namespace dh::bench
