// SPDX-License-Identifier: Apache-2.0
//
// Statistics under flat names, as D-Bus and devhostctl show them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel.hpp"
#include "latency.hpp"
#include "policy.hpp"
#include "policy_store.hpp"

namespace devhost {

/// By enum devhost_verdict.
inline constexpr std::array<const char *, __DEVHOST_VERDICT_NUM> verdict_words{
    "allow", "deny", "limit", "none", "invalid", "audit"};

std::map<std::string, std::uint64_t> flat(const GuestInfo &guest);
std::map<std::string, std::uint64_t> flat(const DeviceStatistics &statistics);

/// queue.NAME.wait.NANOSECONDS and queue.NAME.service.NANOSECONDS.
std::map<std::string, std::uint64_t> flat(const std::map<std::string, QueueLatencies> &queues);

struct CounterRow {
    std::string table; // "can.transmit", "snd.control", "scmi", ...
    std::string what;  // number of the rule, or what else decided
    std::string name;  // of the rule
    std::uint64_t passed = 0;
    std::uint64_t dropped = 0;
    bool operator==(const CounterRow &) const = default;
};

std::vector<CounterRow> flat(const PolicyConfig &policy, const PolicyCounters &counters);

} // namespace devhost
