// SPDX-License-Identifier: Apache-2.0
// Counting instructions with a clock that counts them (tests/vm exec --icount).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

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

// For loops that wait for timers. A thread of the lowest priority computes
// whenever nobody else does, so that the CPU never idles, and counts what it
// computes by itself: the kernel would count an interrupt's time as that of the
// thread that it interrupts.
class Spinner {
public:
    Spinner();
    Spinner(const Spinner &) = delete;
    Spinner &operator=(const Spinner &) = delete;
    ~Spinner();
    // As per_frame(), without what the thread computes, and without what the
    // machine does in that time when nobody wants anything of it: ticks.
    double per_frame(unsigned frames, const std::function<void()> &body) const;

private:
    struct Cost {
        double elapsed;
        double busy;
    };
    Cost cost(const std::function<void()> &body) const;

    volatile uint64_t turns_ = 0;
    volatile bool stop_ = false;
    double ticks_ = 0; // instructions a nanosecond
    std::thread thread_;
};

// Makes a thread, 0: the calling one, run before all others that are not made to.
void run_first(pid_t thread = 0);
void run_normally();

// A line for build/bench.json; @native 0: nothing to compare with.
void row(const std::string &name, const std::string &metric, const std::string &unit, double value,
         double native);

// What main() does: says what kept @figures from being measured, and returns the exit status.
int run_figures(const std::function<void()> &figures);

} // namespace dh::bench
