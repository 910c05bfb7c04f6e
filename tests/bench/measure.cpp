// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

namespace dh::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned runs = 7;

// What the CPU has idled, in nanoseconds; in steps of 10 ms. Nothing in a
// measured loop waits for a timer or for I/O, so the difference is 0 or an error.
double idle()
{
    std::ifstream stat("/proc/stat");
    std::string cpu;
    uint64_t user = 0;
    uint64_t nice = 0;
    uint64_t system = 0;
    uint64_t idle_ticks = 0;
    uint64_t iowait = 0;
    stat >> cpu >> user >> nice >> system >> idle_ticks >> iowait;
    return static_cast<double>(idle_ticks + iowait) * 1e9 /
           static_cast<double>(sysconf(_SC_CLK_TCK));
}

double elapsed(const std::function<void()> &body)
{
    const double idle_before = idle();
    const auto begin = Clock::now();
    body();
    const double all = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
    return all - (idle() - idle_before);
}

void set_policy(pid_t thread, int policy, int priority)
{
    const sched_param param{.sched_priority = priority};
    if (sched_setscheduler(thread, policy, &param)) {
        throw std::runtime_error("cannot set the scheduling class: run as root");
    }
}

} // namespace

void expect(bool condition, const char *what)
{
    if (!condition) {
        throw std::runtime_error(what);
    }
}

void wait_for_boot()
{
    // "degraded" is fine too
    (void)!system("systemctl is-system-running --wait >/dev/null; "
                  "systemctl stop 'devhostd.service' '*.timer'");
    // A wake-up costs more for each cgroup above a task; how many those are is not devhost's.
    std::ofstream("/proc/sys/kernel/sched_autogroup_enabled") << 0;
    std::ofstream("/sys/fs/cgroup/cgroup.procs") << getpid();
}

void wait_for_udev()
{
    if (system("udevadm settle") != 0) {
        throw std::runtime_error("udevadm settle failed");
    }
}

void require_icount()
{
    constexpr uint64_t rounds = 5'000'000;
    uint64_t n = rounds;
    run_first(); // the boot may not be over
    const auto begin = Clock::now();
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(n) : : "cc");
    const double spent = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
    run_normally();
    if (std::abs(spent / (2.0 * rounds) - 1) > 0.05) {
        throw std::runtime_error("this clock does not count instructions: tests/vm exec --icount");
    }
}

double per_frame(unsigned frames, const std::function<void()> &body)
{
    body();
    std::array<double, runs> times{};
    for (double &time : times) {
        time = elapsed(body) / frames;
    }
    return *std::min_element(times.begin(), times.end());
}

namespace {

// Instructions of a turn: the more, the faster the machine below is with them.
constexpr double turn = 400;

void spin(volatile uint64_t &turns, volatile bool &stop)
{
    __asm__ volatile("1:\n\t"
                     ".rept 397\n\tnop\n\t.endr\n\t"
                     "incq %0\n\t"
                     "cmpb $0, %1\n\t"
                     "je 1b"
                     : "+m"(turns)
                     : "m"(stop)
                     : "cc");
}

} // namespace

Spinner::Spinner()
    : thread_([this] {
          set_policy(0, SCHED_IDLE, 0);
          spin(turns_, stop_);
      })
{
    try {
        const auto rest = std::chrono::milliseconds(500);
        const auto sleep = [&] { std::this_thread::sleep_for(rest); };
        sleep();
        std::array<double, runs> ticks{};
        for (double &value : ticks) {
            const Cost c = cost(sleep);
            value = c.busy / c.elapsed;
        }
        ticks_ = *std::min_element(ticks.begin(), ticks.end());
        expect(ticks_ > 0 && ticks_ < 0.05, "somebody computes while nobody should");
    } catch (...) {
        stop_ = true;
        thread_.join();
        throw;
    }
}

Spinner::~Spinner()
{
    stop_ = true;
    thread_.join();
}

Spinner::Cost Spinner::cost(const std::function<void()> &body) const
{
    const double idle_before = idle();
    const uint64_t turns_before = turns_;
    const auto begin = Clock::now();
    body();
    const double all = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
    const double spun = turn * static_cast<double>(turns_ - turns_before);
    expect(idle() == idle_before, "the CPU has idled");
    return {all, all - spun};
}

double Spinner::per_frame(unsigned frames, const std::function<void()> &body) const
{
    body();
    std::array<double, runs> busy{};
    for (double &value : busy) {
        const Cost c = cost(body);
        value = (c.busy - ticks_ * c.elapsed) / frames;
    }
    return *std::min_element(busy.begin(), busy.end());
}

void run_first(pid_t thread)
{
    set_policy(thread, SCHED_FIFO, 10);
}

void run_normally()
{
    set_policy(0, SCHED_OTHER, 0);
}

void row(const std::string &name, const std::string &metric, const std::string &unit, double value,
         double native)
{
    printf(R"({"name": "%s", "metric": "%s", "unit": "%s", "value": %.1f, )", name.c_str(),
           metric.c_str(), unit.c_str(), value);
    if (native > 0) {
        printf("\"native\": %.1f, \"ratio\": %.3f}\n", native, value / native);
    } else {
        printf("\"native\": null, \"ratio\": null}\n");
    }
    fflush(stdout);
}

int run_figures(const std::function<void()> &figures)
{
    try {
        figures();
    } catch (const std::exception &error) {
        fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}

} // namespace dh::bench
