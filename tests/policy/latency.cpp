// SPDX-License-Identifier: Apache-2.0
// What the manager measures of requests: an echo device whose answers take a known time.
#include "latency.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "echo.hpp"

using namespace dh;
using devhost::BpfLatencies;
using devhost::LatencyCounts;

namespace {

constexpr uint32_t delay_ms = 40;
constexpr uint64_t ms = 1000000;

uint64_t all(const LatencyCounts &counts)
{
    uint64_t sum = 0;
    for (const auto &[nanoseconds, count] : counts) {
        sum += count;
    }
    return sum;
}

// Programs at tracepoints, by identifier, which the kernel does not give again soon: those of a
// test before go only after a grace period, so numbers of programs cannot be compared.
std::set<uint32_t> programs_loaded()
{
    std::set<uint32_t> ids;
    for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
        const Fd program(bpf_prog_get_fd_by_id(id));
        bpf_prog_info info = {};
        uint32_t size = sizeof(info);
        if (program && bpf_prog_get_info_by_fd(program.get(), &info, &size) == 0 &&
            info.type == BPF_PROG_TYPE_TRACING) {
            ids.insert(id);
        }
    }
    return ids;
}

std::set<uint32_t> without(const std::set<uint32_t> &ids, const std::set<uint32_t> &others)
{
    std::set<uint32_t> rest;
    std::ranges::set_difference(ids, others, std::inserter(rest, rest.end()));
    return rest;
}

} // namespace

TEST_RINGS("latency: how long requests wait and take is counted, queue by queue")
{
    EchoFixture t({.ring = ring});
    BpfLatencies latencies;
    const uint32_t device = t.device.info().id;

    CHECK_EQ(all(latencies.read(device, ECHO_VQS)[ECHO_VQ_CONTROL].service), 0U);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(t.guest.control(ECHO_OP_SLEEP, delay_ms).value_or(0), uint64_t{delay_ms});
    }
    const auto slow = latencies.read(device, ECHO_VQS)[ECHO_VQ_CONTROL];
    CHECK_EQ(all(slow.service), 8U);
    CHECK(slow.service.begin()->first >= delay_ms * ms * 4 / 5);
    CHECK_EQ(all(slow.wait), 8U);
    CHECK(slow.wait.begin()->first < delay_ms * ms);

    const auto request = t.guest.send(ECHO_VQ_ECHO, 64, 64);
    t.guest.verify(request, t.guest.queue(ECHO_VQ_ECHO).expect());
    const auto quick = latencies.read(device, ECHO_VQS);
    CHECK_EQ(all(quick[ECHO_VQ_ECHO].service), 1U);
    CHECK_EQ(all(quick[ECHO_VQ_CONTROL].service), 8U);
    CHECK_EQ(all(quick[ECHO_VQ_SUPPLY].service), 0U);
    CHECK_EQ(all(latencies.read(device + 1, ECHO_VQS)[ECHO_VQ_CONTROL].service), 0U);
}

TEST_RINGS("latency: what a reset took away is not what comes after it")
{
    EchoFixture t({.ring = ring});
    BpfLatencies latencies;
    const uint32_t device = t.device.info().id;

    latencies.read(device, ECHO_VQS);
    CHECK(t.guest.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
    const uint64_t before = all(latencies.read(device, ECHO_VQS)[ECHO_VQ_LATE].service);
    t.guest.send(ECHO_VQ_LATE, 16, 16); // kept, and so forgotten
    usleep(500000);
    t.guest.restart();
    const auto request = t.guest.send(ECHO_VQ_LATE, 16, 16);
    t.guest.verify(request, t.guest.queue(ECHO_VQ_LATE).expect());
    const auto after = latencies.read(device, ECHO_VQS)[ECHO_VQ_LATE].service;
    CHECK_EQ(all(after), before + 1);
    CHECK(after.rbegin()->first < 400 * ms);
}

TEST("latency: nothing is left in the kernel once nobody asks")
{
    EchoFixture t({});
    const uint32_t device = t.device.info().id;
    const auto before = programs_loaded();
    BpfLatencies latencies;

    latencies.read(device, ECHO_VQS);
    const auto loaded = without(programs_loaded(), before);
    CHECK_EQ(loaded.size(), 4U);
    t.guest.good();
    CHECK(all(latencies.read(device, ECHO_VQS)[ECHO_VQ_ECHO].service) > 0);
    latencies.rest();
    for (int tries = 0; tries < 50 && !without(programs_loaded(), before).empty(); tries++) {
        usleep(100000);
    }
    CHECK(without(programs_loaded(), before).empty());
    CHECK_EQ(all(latencies.read(device, ECHO_VQS)[ECHO_VQ_ECHO].service), 0U);
}
