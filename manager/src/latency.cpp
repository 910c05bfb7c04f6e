// SPDX-License-Identifier: Apache-2.0
#include "latency.hpp"

#include <array>
#include <cerrno>
#include <format>
#include <span>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <latency.h>

#include "error.hpp"
#include "paths.hpp"
#include "policy_instance.hpp"

namespace devhost {

namespace {

constexpr unsigned patience_s = 10;

// What ends a request before what begins one: none is seen to begin only.
constexpr std::array programs_in_order{"reset", "push", "pop", "kick"};

LatencyCounts counts_of(std::span<const __u64> slots)
{
    LatencyCounts counts;

    for (std::uint32_t slot = 0; slot < slots.size(); slot++) {
        if (slots[slot] != 0) {
            counts[latency_lower(slot)] = slots[slot];
        }
    }
    return counts;
}

} // namespace

void BpfLatencies::Closer::operator()(bpf_object *object) const
{
    bpf_object__close(object);
}

void BpfLatencies::Closer::operator()(bpf_link *link) const
{
    bpf_link__destroy(link);
}

BpfLatencies::BpfLatencies() : BpfLatencies(programs_directory) {}

BpfLatencies::BpfLatencies(std::filesystem::path programs)
    : programs_(std::move(programs)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK))
{
    if (!timer_) {
        throw system_error(errno, "Cannot make a timer");
    }
}

void BpfLatencies::set_timer(unsigned seconds) const
{
    itimerspec when{};

    when.it_value.tv_sec = seconds;
    if (timerfd_settime(timer_.get(), 0, &when, nullptr) != 0) {
        throw system_error(errno, "Cannot set a timer");
    }
}

void BpfLatencies::start()
{
    const std::filesystem::path file = programs_ / "latency.bpf.o";

    quiet_libbpf();
    std::unique_ptr<bpf_object, Closer> object(bpf_object__open_file(file.c_str(), nullptr));
    if (!object) {
        throw Error(Cause::failed, std::format("Cannot open {}: {}; reinstall the package devhost.",
                                               file.string(), errno_text(errno)));
    }
    if (const int error = bpf_object__load(object.get())) {
        throw Error(Cause::not_supported,
                    std::format("The kernel cannot measure latencies: {}; it needs the devhost "
                                "module with BTF, and CONFIG_BPF_EVENTS.",
                                errno_text(-error)));
    }
    return_memory();
    for (const char *name : programs_in_order) {
        const bpf_program *program = bpf_object__find_program_by_name(object.get(), name);
        bpf_link *link = program == nullptr ? nullptr : bpf_program__attach(program);
        if (link == nullptr) {
            const int error = errno;
            links_.clear();
            throw Error(Cause::not_supported,
                        std::format("The kernel cannot measure latencies: no tracepoint for "
                                    "'{}': {}.",
                                    name, errno_text(error)));
        }
        links_.emplace_back(link);
    }
    object_ = std::move(object);
}

std::vector<QueueLatencies> BpfLatencies::read(std::uint32_t device, std::uint32_t queues)
{
    std::vector<QueueLatencies> result(queues);

    if (!object_) {
        start();
    }
    set_timer(patience_s);
    const int map = bpf_object__find_map_fd_by_name(object_.get(), "counts");
    for (std::uint32_t queue = 0; queue < queues; queue++) {
        const ::latency_queue key{.device = device, .queue = queue};
        ::latency_counts counts{};
        if (bpf_map_lookup_elem(map, &key, &counts) == 0) {
            result[queue] = {.wait = counts_of(counts.wait), .service = counts_of(counts.service)};
        }
    }
    return result;
}

void BpfLatencies::rest()
{
    set_timer(0); // nor is it readable any more
    links_.clear();
    object_.reset();
}

} // namespace devhost
