// SPDX-License-Identifier: Apache-2.0
// What one guest's storm does to another's round trips. Needs two CPUs; the
// clock is the real one, so only ratios count.
#pragma once

#include <functional>
#include <string>

namespace dh::bench {

// The guest that storms: brings it up, in a process of its own, and returns
// what it then does without end.
using Storm = std::function<std::function<void()>()>;

// Before anything is started: the calling process has CPU 0 from now on.
void storm_begin();

// A row: the p99 of @round_trip beside @storm, and beside the same guest's
// process when it only computes. That process has CPU 1, as has all that its
// guest makes the host do in its cgroup.
void storm_row(const std::string &name, const std::function<void()> &round_trip,
               const Storm &storm);

} // namespace dh::bench
