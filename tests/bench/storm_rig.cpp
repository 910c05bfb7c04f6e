// SPDX-License-Identifier: Apache-2.0
#include "storm_rig.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <vector>

#include "child.hpp"
#include "host.hpp"
#include "measure.hpp"

namespace dh::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned round_trips = 3000;
constexpr unsigned looks = 7;
const std::string cgroup = "/sys/fs/cgroup/bench-storm";

double p99(const std::function<void()> &round_trip)
{
    std::vector<double> times;
    for (unsigned i = 0; i < round_trips; i++) {
        const auto begin = Clock::now();
        round_trip();
        times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() * 99 / 100];
}

// Threads that the host makes for the guest are in its cgroup, but don't inherit an affinity.
void other_cpu()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(1, &set);
    expect(!sched_setaffinity(0, sizeof(set), &set), "cannot set the affinity");
    std::ofstream procs(cgroup + "/cgroup.procs");
    expect(static_cast<bool>(procs << getpid() << std::flush), "cannot join the cgroup");
}

void noise(const Storm &storm, bool storms, Child &me)
{
    other_cpu();
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

double median(std::array<double, looks> values)
{
    std::sort(values.begin(), values.end());
    return values[looks / 2];
}

} // namespace

void storm_begin()
{
    expect(sysconf(_SC_NPROCESSORS_ONLN) >= 2, "needs two CPUs");
    wait_for_boot();
    shell("echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control && mkdir -p " + cgroup +
          " && echo 1 > " + cgroup + "/cpuset.cpus");
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    expect(!sched_setaffinity(0, sizeof(set), &set), "cannot set the affinity");
}

void storm_row(const std::string &name, const std::function<void()> &round_trip, const Storm &storm)
{
    p99(round_trip);
    // In turns, since the machine below has other things to do too.
    std::array<double, looks> hog{};
    std::array<double, looks> beside{};
    for (unsigned look = 0; look < looks; look++) {
        for (const bool storms : {false, true}) {
            Child other([&](Child &me) { noise(storm, storms, me); });
            other.wait_told();
            (storms ? beside : hog)[look] = p99(round_trip);
        }
    }
    row(name, "p99 of a round trip", "ns", median(beside), median(hog));
}

} // namespace dh::bench
