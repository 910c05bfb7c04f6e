// SPDX-License-Identifier: Apache-2.0
// A guest with a CAN device that requires a policy, and the store that gives it one.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "can.hpp"
#include "policy_store.hpp"
#include "tap.hpp"

namespace dh {

// What [policy] in a file says.
devhost::PolicyConfig policy(const std::string &toml);

// [policy.can] with that default for both directions.
std::string both(const std::string &verdict);

// Applies one policy after the other, counted from 1, while there is traffic: again and again,
// from this thread, until all have been applied.
void swap_under(unsigned swaps, const std::function<void(unsigned)> &apply,
                const std::function<void()> &traffic);

// Pins of its own, away from the daemon's.
inline const std::filesystem::path pins = "/sys/fs/bpf/devhost-test";
devhost::PolicyStore store();

// The guest of a device, with that device.
devhost::PolicyGuest known(TestDevice &device);

// Passed and dropped by each rule of a list.
using Rules = std::vector<devhost::RuleCounters>;

// What the rules of a list have dropped, and what none of them matched.
uint64_t dropped(const devhost::RuleListCounters &list);

// A policy with something that it lets pass, and something very much like it that it does not.
template <typename Fixture>
struct PolicyCase {
    const char *name;
    std::string toml;
    std::function<bool(Fixture &)> allowed;
    std::function<bool(Fixture &)> denied;
};

// Puts one after the other in force. @refusals: what all of a policy's counters of refusals add up
// to.
template <typename Fixture>
void judge(Fixture &t, const std::vector<PolicyCase<Fixture>> &cases,
           const std::function<uint64_t()> &refusals)
{
    for (const PolicyCase<Fixture> &one : cases) {
        tap::note(one.name);
        t.apply(one.toml);
        CHECK(one.allowed(t));
        CHECK_EQ(refusals(), 0U);
        CHECK(!one.denied(t));
        CHECK_EQ(refusals(), 1U);
    }
}

struct PolicyFixture {
    explicit PolicyFixture(const std::string &name = "judged");
    PolicyFixture(const PolicyFixture &) = delete;
    PolicyFixture &operator=(const PolicyFixture &) = delete;
    ~PolicyFixture();

    devhost::PolicyGuest known() { return dh::known(device); }
    void apply(const std::string &toml) { store().apply(known(), policy(toml)); }
    devhost::CanCounters counters() { return store().counters(device.guest()).can.value(); }
    uint64_t verdicts(uint32_t kind) { return device.stats().verdicts[kind]; }
    // Whether the guest's frame gets to the bus.
    bool sends(uint32_t id, uint32_t flags = 0);
    // Whether the bus's frame gets to the guest.
    bool receives(uint32_t id, uint32_t flags = 0);
    // Nothing passes, in either direction.
    bool closed() { return !sends(0x123) && !receives(0x124); }

    bool leave_policy = false; // at the end
    can::Vcan bus;
    TestDevice device;
    can::CanGuest guest;
    can::Socket host;
};

} // namespace dh
