// SPDX-License-Identifier: Apache-2.0
//
// What guests do in a second: counters and CPU time, read twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client.hpp"
#include "latency.hpp"

namespace devhost::ctl {

/// Of a device, since it exists.
struct Totals {
    std::uint64_t items = 0;   // chains taken from its queues
    std::uint64_t denied = 0;  // refused by or for want of a policy
    std::uint64_t audited = 0; // served, though the policy is against it
    std::uint32_t worker = 0;
    std::optional<std::uint64_t> cpu_us; // of the worker, while there is one
    QueueLatencies latencies;            // of all its queues
};

struct Sample {
    std::chrono::steady_clock::time_point time;
    std::map<std::string, std::map<std::string, Totals>> guests; // by name, devices by name
};

/// Reads all that there is now.
Sample read_sample(Client &client);

/// A second of a device or of a guest.
struct Rates {
    std::uint64_t items = 0;
    std::uint64_t denied = 0;
    std::uint64_t audited = 0;
    std::optional<std::uint64_t> cpu_us;
    QueueLatencies latencies; // those of the second
};

struct DeviceRates {
    std::string name;
    Rates rates;
};

struct GuestRates {
    std::string name;
    Rates rates; // of all its devices
    std::vector<DeviceRates> devices;
};

/// From one sample to a later one; of what the later one has.
std::vector<GuestRates> rates_between(const Sample &before, const Sample &after);

/// Nanoseconds that so many percent stay below, or are not longer than a slot of <latency.h>; empty
/// where nothing was counted.
std::optional<std::uint64_t> percentile(const LatencyCounts &counts, unsigned percent);

/// CPU time of a thread in microseconds; empty where there is none of that id.
std::optional<std::uint64_t> cpu_time(std::uint32_t thread);

} // namespace devhost::ctl
