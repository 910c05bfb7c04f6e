// SPDX-License-Identifier: Apache-2.0
// Counting instructions with a clock that counts them (tests/vm exec --icount).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace dh::bench {

// Throws where something that has to be so is not.
void expect(bool condition, const char *what);

// Throws where a nanosecond of this machine's clock is not an instruction.
void require_icount();

// Wait until nothing runs any more that the boot, or a new device, made systemd or udev start. The
// first also moves the process to the root cgroup.
void wait_for_boot();
void wait_for_udev();

// One CPU's worth of everything that ran in @body, idle time excluded, divided
// by @frames: the least of several runs, after one that warms up. What else runs
// can only add to it.
double per_frame(unsigned frames, const std::function<void()> &body);

// Makes a thread, 0: the calling one, run before all others that are not made to.
void run_first(pid_t thread = 0);
void run_normally();

// A line for build/bench.json; @native 0: nothing to compare with.
void row(const std::string &name, const std::string &metric, const std::string &unit, double value,
         double native);

// What main() does: says what kept @figures from being measured, and returns the exit status.
int run_figures(const std::function<void()> &figures);

} // namespace dh::bench
