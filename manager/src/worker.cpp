// SPDX-License-Identifier: Apache-2.0
#include "worker.hpp"

#include <cerrno>
#include <memory>
#include <sched.h>
#include <sys/resource.h>

#include "error.hpp"

namespace devhost {

namespace {

constexpr unsigned cpus_max = 8192;

struct CpuSetDelete {
    void operator()(cpu_set_t *set) const { CPU_FREE(set); }
};

// The kernel takes the intersection with the thread's cgroup.
void set_cpus(pid_t thread, const std::vector<unsigned> &cpus)
{
    const std::size_t size = CPU_ALLOC_SIZE(cpus_max);
    const std::unique_ptr<cpu_set_t, CpuSetDelete> set(CPU_ALLOC(cpus_max));
    if (!set) {
        throw std::bad_alloc();
    }
    CPU_ZERO_S(size, set.get());
    if (cpus.empty()) {
        for (unsigned cpu = 0; cpu < cpus_max; cpu++) {
            CPU_SET_S(cpu, size, set.get());
        }
    }
    for (const unsigned cpu : cpus) {
        CPU_SET_S(cpu, size, set.get());
    }
    if (sched_setaffinity(thread, size, set.get()) < 0) {
        throw errno == EINVAL
            ? Error(Cause::invalid_args, "None of the CPUs in [worker] is there for the VMM: "
                                         "correct 'cpus', or the cgroup's AllowedCPUs=.")
            : system_error(errno, "Cannot set the CPUs of the queue worker");
    }
}

int policy_of(Scheduler scheduler)
{
    switch (scheduler) {
    case Scheduler::batch:
        return SCHED_BATCH;
    case Scheduler::fifo:
        return SCHED_FIFO;
    case Scheduler::rr:
        return SCHED_RR;
    case Scheduler::other:
        break;
    }
    return SCHED_OTHER;
}

const char *word_of(Scheduler scheduler)
{
    switch (scheduler) {
    case Scheduler::batch:
        return "batch";
    case Scheduler::fifo:
        return "fifo";
    case Scheduler::rr:
        return "rr";
    case Scheduler::other:
        break;
    }
    return "other";
}

} // namespace

void SystemWorkers::apply(std::uint32_t thread, const WorkerConfig &wanted)
{
    const auto tid = static_cast<pid_t>(thread);
    const Scheduler scheduler = wanted.scheduler.value_or(Scheduler::other);
    const sched_param parameter{.sched_priority = static_cast<int>(wanted.priority.value_or(0))};

    set_cpus(tid, wanted.cpus);
    if (sched_setscheduler(tid, policy_of(scheduler), &parameter) < 0) {
        throw system_error(errno, "Cannot set the scheduling of the queue worker");
    }
    if (!wanted.priority && setpriority(PRIO_PROCESS, thread, wanted.nice.value_or(0)) < 0) {
        throw system_error(errno, "Cannot set the nice value of the queue worker");
    }
}

Setting to_setting(const WorkerConfig &worker)
{
    SettingTable table;
    if (!worker.cpus.empty()) {
        SettingList cpus;
        for (const unsigned cpu : worker.cpus) {
            cpus.push_back(number(cpu));
        }
        table["cpus"] = {.value = std::move(cpus)};
    }
    if (worker.scheduler) {
        table["scheduler"] = {.value = std::string(word_of(*worker.scheduler))};
    }
    if (worker.priority) {
        table["priority"] = {.value = std::int64_t{*worker.priority}};
    }
    if (worker.nice) {
        table["nice"] = {.value = std::int64_t{*worker.nice}};
    }
    return {.value = std::move(table)};
}

} // namespace devhost
