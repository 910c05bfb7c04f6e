// SPDX-License-Identifier: Apache-2.0
#include "storm_rig.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "child.hpp"
#include "host.hpp"
#include "measure.hpp"

namespace dh::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned round_trips = 2000;
// Between two of them; nothing in the kernel has this period.
constexpr std::chrono::microseconds pause{1700};
constexpr unsigned weight = 100;

void join_cgroup(const std::string &name)
{
    const std::string cgroup = "/sys/fs/cgroup/" + name;
    shell("mkdir -p " + cgroup + " && echo " + std::to_string(weight) + " > " + cgroup +
          "/cpu.weight");
    std::ofstream procs(cgroup + "/cgroup.procs");
    expect(static_cast<bool>(procs << getpid() << std::flush), "cannot join the cgroup");
}

// In order.
using Times = std::vector<double>;

Times measure(const std::function<void()> &round_trip)
{
    Times times;
    for (unsigned i = 0; i < round_trips; i++) {
        std::this_thread::sleep_for(pause);
        const auto begin = Clock::now();
        round_trip();
        times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return times;
}

double p99(const Times &times)
{
    return times[times.size() * 99 / 100];
}

void noise(const Storm &storm, bool storms, Child &me)
{
    join_cgroup("bench-noise");
    const auto step = storm();
    me.tell();
    for (;;) {
        if (storms) {
            step();
        } else {
            __asm__ volatile("");
        }
    }
}

Times beside(const Storm &storm, bool storms, const std::function<void()> &round_trip)
{
    Child other([&](Child &me) { noise(storm, storms, me); });
    other.wait_told();
    return measure(round_trip);
}

} // namespace

void storm_begin()
{
    wait_for_boot();
    require_icount();
    shell("echo +cpu > /sys/fs/cgroup/cgroup.subtree_control");
    join_cgroup("bench-quiet");
}

void storm_rows(const std::string &name, const std::function<void()> &round_trip,
                const Storm &storm)
{
    const Times hog = beside(storm, false, round_trip);
    const Times storming = beside(storm, true, round_trip);
    row(name + "/p99", "p99 of a round trip", "instructions", p99(storming), p99(hog));
    row(name + "/longest", "longest round trip", "instructions", storming.back(), hog.back());
}

} // namespace dh::bench
