// SPDX-License-Identifier: Apache-2.0
#include "random_policy.hpp"

namespace devhost {

namespace {

std::optional<bool> random_flag(Random &random)
{
    if (!random.once_in(3)) {
        return std::nullopt;
    }
    return random.once_in(2);
}

CanIds random_ids(Random &random, bool extended)
{
    const std::uint32_t id = random_id(random, extended);

    switch (random.below(4)) {
    case 0:
        return CanIdRange{.first = id, .last = id};
    case 1: {
        const std::uint32_t max = extended ? can_extended_id_max : can_standard_id_max;
        return CanIdRange{.first = id,
                          .last = id + static_cast<std::uint32_t>(
                                           random.below(std::min<std::uint64_t>(max - id, 8) + 1))};
    }
    case 2: {
        const std::uint32_t mask =
            (extended ? can_extended_id_max : can_standard_id_max) & ~(1U << random.below(11));
        return CanIdMask{.id = id & mask, .mask = mask};
    }
    default:
        return std::monostate{};
    }
}

RateLimit random_limit(Random &random, std::uint32_t scale)
{
    if (!random.once_in(3)) {
        return {};
    }
    return {.rate = static_cast<std::uint32_t>(1 + random.below(1000)) * scale,
            .burst = static_cast<std::uint32_t>(1 + random.below(8)) * scale};
}

CanRule random_rule(Random &random, std::size_t number, bool with_devices)
{
    CanRule rule;
    const bool extended = random.once_in(3);

    if (random.once_in(2)) {
        rule.name = "rule" + std::to_string(number);
    }
    rule.ids = random_ids(random, extended);
    if (!std::holds_alternative<std::monostate>(rule.ids)) {
        rule.extended = extended;
    } else {
        rule.extended = random_flag(random);
    }
    rule.fd = random_flag(random);
    if (rule.fd != true) {
        rule.rtr = random_flag(random);
    }
    if (with_devices && random.once_in(3)) {
        rule.device = "d" + std::to_string(random.below(3));
    }
    if (random.once_in(2)) {
        rule.verdict = Verdict::allow;
        rule.frames = random_limit(random, 1);
        rule.bits = random_limit(random, 1000);
    }
    return rule;
}

CanDirection random_direction(Random &random, bool with_devices)
{
    CanDirection direction;
    const std::uint64_t rules = random.once_in(8) ? can_policy_rules_max : random.below(12);

    direction.otherwise = random.once_in(2) ? Verdict::allow : Verdict::deny;
    direction.frames = random_limit(random, 2);
    direction.bits = random_limit(random, 2000);
    for (std::size_t i = 0; i < rules; ++i) {
        direction.rules.push_back(random_rule(random, i, with_devices));
    }
    return direction;
}

} // namespace

std::uint32_t random_id(Random &random, bool extended)
{
    const std::uint32_t max = extended ? can_extended_id_max : can_standard_id_max;

    switch (random.below(8)) {
    case 0:
        return 0;
    case 1:
        return max;
    case 2:
        return static_cast<std::uint32_t>(random.below(max + std::uint64_t{1}));
    default:
        return static_cast<std::uint32_t>(0x100 + random.below(16)) << (extended ? 18 : 0);
    }
}

CanPolicy random_policy(Random &random, bool with_devices)
{
    CanPolicy policy;

    if (random.once_in(3)) {
        policy.lowest_id = random_id(random, false);
    }
    if (random.once_in(4)) {
        policy.lowest_extended_id = random_id(random, true);
    }
    policy.transmit = random_direction(random, with_devices);
    policy.receive = random_direction(random, with_devices);
    return policy;
}

} // namespace devhost
