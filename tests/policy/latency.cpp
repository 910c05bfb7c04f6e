// SPDX-License-Identifier: Apache-2.0
// What the manager measures of requests: an echo device whose answers take a known time.
#include "latency.hpp"

#include <bpf/bpf.h>

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

unsigned programs_loaded()
{
    unsigned count = 0;
    for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
        count++;
    }
    return count;
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
    const unsigned before = programs_loaded();
    BpfLatencies latencies;

    latencies.read(device, ECHO_VQS);
    CHECK_EQ(programs_loaded(), before + 4);
    t.guest.good();
    CHECK(all(latencies.read(device, ECHO_VQS)[ECHO_VQ_ECHO].service) > 0);
    latencies.rest();
    for (int tries = 0; programs_loaded() != before && tries < 50; tries++) {
        usleep(100000); // programs go after a grace period
    }
    CHECK_EQ(programs_loaded(), before);
    CHECK_EQ(all(latencies.read(device, ECHO_VQS)[ECHO_VQ_ECHO].service), 0U);
}
