// SPDX-License-Identifier: Apache-2.0
#include "limits.hpp"

#include <bit>
#include <linux/devhost.h>

namespace devhost {

const std::array<LimitKind, 6> limit_kinds{{
    {.key = "devices",
     .attribute = DEVHOST_A_LIMIT_DEVICES,
     .value = &Limits::devices,
     .min = 1,
     .max = DEVHOST_LIMIT_DEVICES_MAX},
    {.key = "queues",
     .attribute = DEVHOST_A_LIMIT_QUEUES,
     .value = &Limits::queues,
     .min = 1,
     .max = DEVHOST_LIMIT_QUEUES_MAX},
    {.key = "ring_size",
     .attribute = DEVHOST_A_LIMIT_RING_SIZE,
     .value = &Limits::ring_size,
     .min = 2,
     .max = DEVHOST_VQ_SIZE_MAX},
    {.key = "memory",
     .attribute = DEVHOST_A_LIMIT_MEMORY,
     .value = &Limits::memory,
     .min = DEVHOST_LIMIT_MEMORY_MIN,
     .max = DEVHOST_LIMIT_MEMORY_MAX},
    {.key = "in_flight",
     .attribute = DEVHOST_A_LIMIT_IN_FLIGHT,
     .value = &Limits::in_flight,
     .min = 1,
     .max = DEVHOST_LIMIT_IN_FLIGHT_MAX},
    {.key = "in_flight_bytes",
     .attribute = DEVHOST_A_LIMIT_IN_FLIGHT_BYTES,
     .value = &Limits::in_flight_bytes,
     .min = DEVHOST_LIMIT_BYTES_MIN,
     .max = DEVHOST_LIMIT_BYTES_MAX},
}};

Limits limits_from(TableReader table)
{
    Limits limits;

    for (const LimitKind &kind : limit_kinds) {
        const auto number = table.number(kind.key, static_cast<std::int64_t>(kind.min),
                                         static_cast<std::int64_t>(kind.max));
        if (number) {
            limits.*kind.value = static_cast<std::uint64_t>(*number);
        }
    }
    if (limits.ring_size && !std::has_single_bit(*limits.ring_size)) {
        table.fail("ring_size", "must be a power of two");
    }
    table.finish();
    return limits;
}

Setting to_setting(const Limits &limits)
{
    SettingTable table;

    for (const auto &[key, value] : flat(limits)) {
        table[key] = {.value = static_cast<std::int64_t>(value)};
    }
    return {.value = std::move(table)};
}

std::map<std::string, std::uint64_t> flat(const Limits &limits)
{
    std::map<std::string, std::uint64_t> result;

    for (const LimitKind &kind : limit_kinds) {
        if (const auto &value = limits.*kind.value) {
            result[std::string(kind.key)] = *value;
        }
    }
    return result;
}

} // namespace devhost
