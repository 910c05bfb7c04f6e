// SPDX-License-Identifier: Apache-2.0
#include "policy_maps.hpp"

#include <bit>
#include <cstring>
#include <format>

namespace devhost {

std::string_view text_of(const PolicyName &name)
{
    return {name, strnlen(name, sizeof(name))};
}

// Names are at most 31 bytes: the parser and the kernel's names see to that.
void put_text(PolicyName &name, std::string_view text)
{
    name[text.copy(name, sizeof(name) - 1)] = '\0';
}

void DeviceSlots::fill(const std::vector<PolicyDevice> &devices)
{
    for (const PolicyDevice &device : devices) {
        bit(device.name, device.id);
    }
}

std::uint32_t DeviceSlots::bits(std::string_view name)
{
    return name.empty() ? every_device : bit(name, 0);
}

std::uint32_t DeviceSlots::bit(std::string_view name, std::uint32_t id)
{
    std::uint32_t slot = 0;

    while (slot < devices_.count && text_of(names_[slot]) != name) {
        ++slot;
    }
    if (slot == POLICY_DEVICES) {
        throw PolicyError(std::format("a policy whose rules name devices is for at most {} devices",
                                      POLICY_DEVICES));
    }
    if (slot == devices_.count) {
        put_text(names_[slot], name);
        devices_.id[slot] = id;
        ++devices_.count;
    }
    return 1U << slot;
}

std::string device_of(std::uint32_t bits, const PolicyName (&names)[POLICY_DEVICES])
{
    return bits == every_device ? "" : std::string(text_of(names[std::countr_zero(bits)]));
}

std::uint8_t action_of(Verdict verdict)
{
    return verdict == Verdict::allow ? POLICY_ALLOW : 0;
}

std::uint32_t bits_of(const std::vector<std::uint32_t> &numbers)
{
    std::uint32_t bits = 0;

    for (const std::uint32_t number : numbers) {
        bits |= 1U << number;
    }
    return numbers.empty() ? all_bits : bits;
}

std::vector<std::uint32_t> numbers_of(std::uint32_t bits, std::size_t end)
{
    std::vector<std::uint32_t> numbers;

    for (std::uint32_t number = 0; bits != all_bits && number < end; ++number) {
        if (bits & 1U << number) {
            numbers.push_back(number);
        }
    }
    return numbers;
}

Verdict verdict_of(std::uint8_t action)
{
    return action & POLICY_ALLOW ? Verdict::allow : Verdict::deny;
}

std::uint32_t fill_bucket(::policy_bucket &bucket, const RateLimit &limit, std::uint32_t flag)
{
    if (!limit) {
        return 0;
    }
    bucket.rate = limit.rate;
    bucket.capacity = limit.burst * POLICY_TOKEN;
    bucket.empty_ns = (bucket.capacity + limit.rate - 1) / limit.rate;
    return flag;
}

RateLimit limit_of(const ::policy_bucket &bucket)
{
    return {.rate = static_cast<std::uint32_t>(bucket.rate),
            .burst = static_cast<std::uint32_t>(bucket.capacity / POLICY_TOKEN)};
}

void read_counters(RuleListCounters &counters, std::uint32_t count,
                   const ::policy_counter (&rules)[POLICY_ENTRIES])
{
    const auto counter = [](const ::policy_counter &from) {
        return RuleCounters{.passed = from.passed, .dropped = from.dropped};
    };

    for (std::uint32_t i = 0; i < count; ++i) {
        counters.rules.push_back(counter(rules[i]));
    }
    counters.otherwise = counter(rules[count]);
}

} // namespace devhost
