// SPDX-License-Identifier: Apache-2.0
// What one guest's storm of kicks does to another's round trips: their p99, the
// victim and its worker on a CPU of their own, beside a process that only
// computes. Needs two CPUs; the clock is the real one, so only the ratio counts.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <vector>

#include "child.hpp"
#include "echo.hpp"
#include "measure.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned round_trips = 3000;
constexpr unsigned looks = 7;

void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set)) {
        throw std::runtime_error("cannot set the affinity");
    }
}

DeviceParams params(const std::string &guest)
{
    DeviceParams device = echo_params(RingKind::split);
    device.guest = guest;
    return device;
}

double p99(EchoGuest &g)
{
    std::vector<double> times;
    const uint64_t b = g.alloc(64);
    Queue &q = g.queue(ECHO_VQ_ECHO);
    for (unsigned i = 0; i < round_trips; i++) {
        const auto begin = Clock::now();
        q.add({{b, 32, false}, {b + 32, 32, true}});
        q.kick_if_wanted();
        q.expect();
        times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() * 99 / 100];
}

// On CPU 1: kicks as fast as it can, or only computes.
void noise(const std::string &path, bool storm, Child &me)
{
    pin(1);
    EchoGuest g(path, {});
    g.start();
    g.good();
    me.tell();
    for (;;) {
        if (storm) {
            g.queue(ECHO_VQ_ECHO).kick();
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

void run()
{
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        throw std::runtime_error("needs two CPUs");
    }
    wait_for_boot();
    TestDevice quiet(params("quiet"));
    TestDevice noisy(params("noisy"));
    pin(0);
    EchoGuest g(quiet.path(), {});
    g.start();
    g.good();
    p99(g);

    // In turns, since the machine below has other things to do too.
    std::array<double, looks> hog{};
    std::array<double, looks> storm{};
    for (unsigned look = 0; look < looks; look++) {
        for (const bool kicks : {false, true}) {
            Child other([&](Child &me) { noise(noisy.path(), kicks, me); });
            other.wait_told();
            (kicks ? storm : hog)[look] = p99(g);
        }
    }
    row("core/storm/p99", "p99 of a round trip", "ns", median(storm), median(hog));
}

} // namespace

int main()
{
    return run_figures(run);
}
