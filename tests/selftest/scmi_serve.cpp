// SPDX-License-Identifier: Apache-2.0
// Who serves: a helper thread that has nothing to do in the worker's place, the
// worker while that one sleeps.
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "host.hpp"
#include "scmi.hpp"
#include "tap.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

constexpr unsigned commands = 100;

// How often a task went to sleep.
uint64_t sleeps(pid_t task)
{
    std::ifstream status("/proc/" + std::to_string(task) + "/status");
    std::string word;
    while (status >> word) {
        if (word == "voluntary_ctxt_switches:") {
            uint64_t count = 0;
            status >> count;
            return count;
        }
    }
    tap::fail(__FILE__, __LINE__, "no such task");
}

// One guest with commands of both kinds.
struct Served : ScmiFixture {
    explicit Served(RingKind ring) : ScmiFixture(with_ring(ring))
    {
        turn(); // the worker is there, and makes the helper
        worker = static_cast<pid_t>(device.info().worker);
        CHECK(worker > 0);
        const std::vector<std::string> helpers = device.helpers();
        CHECK_EQ(helpers.size(), 1U);
        helper = std::stoi(helpers.at(0));
    }

    // What sleeps, and what does not.
    void turn()
    {
        on_ = !on_;
        guest.ok(clk, 0x7, {0, on_, 0});
        guest.ok(clk, 0x6, {0});
    }
    // How often the worker went to sleep in a number of turns.
    uint64_t worker_sleeps(unsigned turns = commands / 2)
    {
        const uint64_t before = sleeps(worker);
        for (unsigned i = 0; i < turns; i++) {
            turn();
        }
        return sleeps(worker) - before;
    }
    // The helper's first answer may still meet a pass of the worker, who then stays on call.
    bool worker_rests()
    {
        return within(5000, [&] { return worker_sleeps(1) == 0; }) && worker_sleeps() == 0;
    }

    pid_t worker = 0;
    pid_t helper = 0;

private:
    uint32_t on_ = 0;
};

bool same_processors(pid_t a, pid_t b)
{
    cpu_set_t of_a, of_b;
    CHECK_EQ(sched_getaffinity(a, sizeof(of_a), &of_a), 0);
    CHECK_EQ(sched_getaffinity(b, sizeof(of_b), &of_b), 0);
    return CPU_EQUAL(&of_a, &of_b);
}

int priority(pid_t task)
{
    sched_param param{};
    CHECK_EQ(sched_getparam(task, &param), 0);
    return param.sched_priority;
}

// sched(7): struct sched_attr of the kernel, which libc does not have.
struct Deadline {
    uint32_t size = sizeof(Deadline);
    uint32_t policy = 6;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t runtime = 30'000'000;
    uint64_t deadline = 100'000'000;
    uint64_t period = 100'000'000;
};

} // namespace

TEST_RINGS("a helper that has nothing to do serves, the worker is not woken")
{
    Served t(ring);
    const uint64_t before = sleeps(t.helper);
    CHECK(t.worker_rests());
    CHECK(sleeps(t.helper) >= before + commands / 2);
    CHECK_EQ(t.device.helpers().size(), 1U);
}

TEST_RINGS("while the helper sleeps the worker serves, and not afterwards")
{
    Served t(ring);
    set_knob("vdd0/delay_ms", 1000);
    const int slow = t.guest.queue_call(voltage, 0x5, {0, 7});
    const uint64_t before = sleeps(t.worker);
    for (unsigned i = 0; i < 10; i++) {
        const int quick = t.guest.queue_call(clk, 0x6, {0});
        CHECK_EQ(t.guest.collect().id, quick);
    }
    CHECK(sleeps(t.worker) > before);
    CHECK_EQ(t.guest.collect().id, slow);
    set_knob("vdd0/delay_ms", 0);
    CHECK(t.worker_rests());
}

TEST_RINGS("a helper is scheduled as its worker is")
{
    Served t(ring);
    cpu_set_t one, all;
    CHECK_EQ(sched_getaffinity(t.worker, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    CHECK_EQ(sched_setaffinity(t.worker, sizeof(one), &one), 0);
    const sched_param fifo{.sched_priority = 10};
    CHECK_EQ(sched_setscheduler(t.worker, SCHED_FIFO, &fifo), 0);
    t.turn();
    CHECK_EQ(sched_getscheduler(t.helper), SCHED_FIFO);
    CHECK_EQ(priority(t.helper), 10);
    CHECK(same_processors(t.helper, t.worker));

    CHECK(t.worker_rests()); // it is on call
    const sched_param other{};
    CHECK_EQ(sched_setaffinity(t.worker, sizeof(all), &all), 0);
    CHECK_EQ(sched_setscheduler(t.worker, SCHED_OTHER, &other), 0);
    CHECK_EQ(setpriority(PRIO_PROCESS, static_cast<id_t>(t.worker), 5), 0);
    t.guest.ok(clk, 0x6, {0}); // nothing that sleeps
    CHECK_EQ(sched_getscheduler(t.helper), SCHED_OTHER);
    CHECK_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(t.helper)), 5);
    CHECK(same_processors(t.helper, t.worker));
    CHECK(t.worker_rests());
}

TEST_RINGS("a worker with a deadline serves itself")
{
    Served t(ring);
    const Deadline deadline;
    CHECK_EQ(syscall(SYS_sched_setattr, t.worker, &deadline, 0), 0);
    t.turn();
    CHECK(t.worker_sleeps() >= commands / 2);
    CHECK_EQ(sched_getscheduler(t.helper), SCHED_OTHER);
    const sched_param other{};
    CHECK_EQ(sched_setscheduler(t.worker, SCHED_OTHER, &other), 0);
    t.turn();
    CHECK(t.worker_rests());
}
