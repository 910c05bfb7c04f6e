// SPDX-License-Identifier: Apache-2.0
// Counting instructions with a clock that counts them (tests/vm exec --icount).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace dh::bench {

// Throws where a nanosecond of this machine's clock is not an instruction.
void require_icount();

// One CPU's worth of everything that ran in @body, idle time excluded, divided
// by @frames: the median of several runs, after one that warms up.
double per_frame(unsigned frames, const std::function<void()> &body);

// Makes the calling thread run before all others, or after all others.
void run_first();
void run_last();
void run_normally();

// A line for build/bench.json; @native 0: nothing to compare with.
void row(const std::string &name, const std::string &metric, const std::string &unit, double value,
         double native);

} // namespace dh::bench
