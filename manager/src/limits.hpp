// SPDX-License-Identifier: Apache-2.0
//
// What a guest may have at most: [limits] of its file, the same on D-Bus, and as the kernel keeps
// it. The same form says what a guest has, and how often a limit was in the way.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config_tree.hpp"

namespace devhost {

struct Limits {
    std::optional<std::uint64_t> devices;
    std::optional<std::uint64_t> queues;          // of all devices
    std::optional<std::uint64_t> ring_size;       // entries a queue, power of two
    std::optional<std::uint64_t> memory;          // bytes mapped for its devices
    std::optional<std::uint64_t> in_flight;       // requests that a device holds
    std::optional<std::uint64_t> in_flight_bytes; // of their buffers

    bool operator==(const Limits &) const = default;
};

/// One of them: its key, its DEVHOST_A_LIMIT_*, and what it can be.
struct LimitKind {
    std::string_view key;
    int attribute;
    std::optional<std::uint64_t> Limits::*value;
    std::uint64_t min;
    std::uint64_t max;
};

extern const std::array<LimitKind, 6> limit_kinds;

/// A table [limits].
Limits limits_from(TableReader table);
Setting to_setting(const Limits &limits);

/// By their keys, those there are.
std::map<std::string, std::uint64_t> flat(const Limits &limits);

} // namespace devhost
