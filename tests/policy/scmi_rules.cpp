// SPDX-License-Identifier: Apache-2.0
// What rules do to a guest's SCMI commands, and what the counters say of it.
#include <chrono>

#include "scmi.hpp"
#include "setup.hpp"

using namespace dh;
using namespace dh::scmi;
using devhost::RuleCounters;

namespace {

constexpr uint8_t attributes = 0x3;
constexpr uint8_t rate_set = 0x5;
constexpr uint8_t rate_get = 0x6;

DeviceParams judged()
{
    DeviceParams params = scmi::params(everything());
    params.guest = "asked";
    params.policy_required = true;
    return params;
}

struct CommandFixture {
    CommandFixture() : device((calm(), judged())), guest(device.path(), {}) { guest.bring_up(); }
    CommandFixture(const CommandFixture &) = delete;
    CommandFixture &operator=(const CommandFixture &) = delete;
    ~CommandFixture() { store().remove(device.guest()); }

    void apply(const std::string &toml) { store().apply(known(device), policy(toml)); }
    devhost::ScmiCounters counters() { return store().counters(device.guest()).scmi.value(); }
    uint64_t verdicts(uint32_t kind) { return device.stats().verdicts[kind]; }

    TestDevice device;
    ScmiGuest guest;
};

std::function<bool(CommandFixture &)> asks(uint8_t protocol, uint8_t message,
                                           const std::vector<uint32_t> &parameters)
{
    return
        [=](CommandFixture &t) { return t.guest.status(protocol, message, parameters) == success; };
}

std::function<bool(CommandFixture &)> sets_rate(uint32_t clock, uint32_t hertz)
{
    return asks(clk, rate_set, {0, clock, hertz, 0});
}

std::string rule(const std::string &verdict, const std::string &keys)
{
    return "[[policy.scmi.rule]]\nverdict = \"" + verdict + "\"\n" + keys;
}

} // namespace

TEST("policy: what a policy of SCMI lets through, and what not")
{
    tap::time_limit(300);
    const std::string allow = "[policy.scmi]\ndefault = \"allow\"\n";
    constexpr uint8_t version = 0x0;
    CommandFixture t;
    const std::vector<PolicyCase<CommandFixture>> cases{
        {"a protocol that is allowed", rule("allow", "protocol = \"clock\"\n"),
         asks(clk, rate_get, {0}), asks(power, attributes, {0})},
        {"a protocol that is denied", allow + rule("deny", "protocol = \"power\"\n"),
         asks(clk, rate_get, {0}), asks(power, attributes, {0})},
        {"two protocols",
         rule("allow", "protocol = \"clock\"\n") + rule("allow", "protocol = \"reset\"\n"),
         asks(reset, attributes, {0}), asks(perf, attributes, {0})},
        {"a message", rule("allow", "protocol = \"clock\"\nmessage = 0x6\n"),
         asks(clk, rate_get, {0}), asks(clk, attributes, {0})},
        {"several messages", rule("allow", "protocol = \"clock\"\nmessage = [0x3, 0x6]\n"),
         asks(clk, attributes, {0}), sets_rate(0, 20000000)},
        {"a message that is denied", allow + rule("deny", "protocol = \"clock\"\nmessage = 0x5\n"),
         asks(clk, rate_get, {0}), sets_rate(0, 20000000)},
        {"a resource that is allowed", rule("allow", "protocol = \"clock\"\nresource = 1\n"),
         asks(clk, rate_get, {1}), asks(clk, rate_get, {0})},
        {"a resource that is denied", allow + rule("deny", "protocol = \"clock\"\nresource = 1\n"),
         asks(clk, rate_get, {0}), asks(clk, rate_get, {1})},
        {"several resources", rule("allow", "protocol = \"clock\"\nresources = [0, 1]\n"),
         asks(clk, rate_get, {1}), asks(clk, rate_get, {2})},
        {"what is about no resource", rule("allow", "protocol = \"clock\"\nresources = [0, 2]\n"),
         asks(clk, rate_get, {2}), asks(clk, version, {})},
        {"the highest value",
         rule("allow", "protocol = \"clock\"\nmessage = 0x5\nvalue_max = 50000000\n"),
         sets_rate(0, 50000000), sets_rate(0, 50000001)},
        {"the lowest value",
         rule("allow", "protocol = \"clock\"\nmessage = 0x5\nvalue_min = 20000000\n"),
         sets_rate(0, 20000000), sets_rate(0, 19999999)},
        {"the first rule that matches decides",
         rule("allow", "protocol = \"clock\"\nresource = 0\n") +
             rule("deny", "protocol = \"clock\"\nmessage = 0x6\n") + rule("allow", ""),
         asks(clk, rate_get, {0}), asks(clk, rate_get, {1})},
    };

    judge<CommandFixture>(t, cases, [&] { return dropped(t.counters()); });
}

TEST("policy: protocols, messages and resources of SCMI")
{
    CommandFixture t;
    ScmiGuest &g = t.guest;

    CHECK_EQ(g.status(clk, rate_get, {0}), not_found); // none is in force
    t.apply(R"(
[policy.scmi]
default = "deny"
[[policy.scmi.rule]]
name = "not-the-second"
verdict = "deny"
protocol = "clock"
resource = 1
[[policy.scmi.rule]]
name = "read"
verdict = "allow"
protocol = "clock"
message = [0x3, 0x6]
[[policy.scmi.rule]]
name = "domains"
verdict = "allow"
protocol = "power"
resources = [0, 1]
)");
    g.ok(clk, rate_get, {0});
    g.ok(clk, attributes, {2});
    CHECK_EQ(g.status(clk, rate_get, {1}), not_found);
    CHECK_EQ(g.status(clk, rate_set, {0, 0, 1000000, 0}), not_found);
    CHECK_EQ(g.status(clk, 0x1), not_supported); // the protocol's attributes name no resource
    g.ok(power, attributes, {1});
    CHECK_EQ(g.status(power, 0x1), not_supported);
    CHECK_EQ(g.status(perf, attributes, {0}), not_found);
    CHECK_EQ(g.status(base, 0x1), not_supported);
    // What the policy allows and there is not is not there all the same.
    CHECK_EQ(g.status(clk, rate_get, {99}), not_found);
    const devhost::ScmiCounters counters = t.counters();
    CHECK((counters.rules == Rules{{0, 1}, {3, 0}, {1, 0}}));
    CHECK((counters.otherwise == RuleCounters{0, 5}));
    CHECK_EQ(counters.value, 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_ALLOW), 4U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_DENY), 6U);
    t.apply("[policy.scmi]\ndefault = \"allow\"\n");
    g.good();
}

TEST("policy: what a resource may be set to")
{
    CommandFixture t;
    ScmiGuest &g = t.guest;

    t.apply(R"(
[policy.scmi]
default = "allow"
[[policy.scmi.rule]]
verdict = "allow"
protocol = "clock"
message = 0x5
resource = 0
value_min = 20000000
value_max = 50000000
)");
    g.ok(clk, rate_set, {0, 0, 50000000, 0});
    CHECK_EQ(knob("clk0/rate"), 50000000U);
    CHECK_EQ(g.status(clk, rate_set, {0, 0, 50000001, 0}), not_found);
    CHECK_EQ(g.status(clk, rate_set, {0, 0, 19999999, 0}), not_found);
    CHECK_EQ(g.status(clk, rate_set, {0, 0, 30000000, 1}), not_found); // all 64 bits count
    g.ok(clk, rate_set, {0, 0, 20000000, 0});
    CHECK_EQ(knob("clk0/rate"), 20000000U);
    g.ok(clk, rate_get, {0});
    CHECK((t.counters().rules == Rules{{2, 3}}));
    CHECK_EQ(t.counters().value, 3U);
    g.good();
}

TEST("policy: so many commands a second, of a rule and of the guest")
{
    CommandFixture t;
    ScmiGuest &g = t.guest;
    unsigned passed = 0;
    const auto burst = [&](uint32_t resource, unsigned count) {
        unsigned good = 0;
        for (unsigned i = 0; i < count; i++) {
            const int32_t status = g.status(clk, rate_get, {resource});
            CHECK(status == success || status == busy);
            good += status == success;
        }
        return good;
    };

    t.apply(R"(
[policy.scmi]
default = "allow"
messages_per_second = 10
messages_burst = 25
[[policy.scmi.rule]]
verdict = "allow"
protocol = "clock"
resource = 0
messages_per_second = 2
messages_burst = 8
)");
    const auto begin = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    passed = burst(0, 60);
    tap::note(std::to_string(passed) + " passed in " + std::to_string(seconds()) + " s");
    CHECK(passed >= 8);
    CHECK(passed <= 8 + 2 * seconds() + 1);
    devhost::ScmiCounters counters = t.counters();
    CHECK((counters.rules == Rules{{passed, 60 - passed}}));
    CHECK_EQ(counters.guest_limit, 0U);

    const unsigned others = burst(1, 100);
    tap::note(std::to_string(others) + " of others");
    CHECK(others >= 25 - passed);
    CHECK(passed + others <= 25 + 10 * seconds() + 1);
    counters = t.counters();
    CHECK_EQ(counters.guest_limit, uint64_t{100 - others});
    CHECK((counters.otherwise == RuleCounters{others, 100 - others}));
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_LIMIT), uint64_t{160 - passed - others});
    // A second fills ten tokens of the guest.
    sleep(1);
    CHECK(burst(1, 12) >= 9);
}

TEST("policy: rules for one SCMI device are not for another, nor for one that is not known")
{
    CommandFixture t;
    devhost::PolicyConfig config = policy("[[policy.scmi.rule]]\nverdict = \"allow\"\n");
    devhost::PolicyGuest guest = known(t.device);

    config.scmi->rules[0].device = t.device.name();
    store().apply(guest, config);
    t.guest.ok(clk, rate_get, {0});
    config.scmi->rules[0].device = "other";
    store().apply(guest, config);
    CHECK_EQ(t.guest.status(clk, rate_get, {0}), not_found);
    guest.devices.clear();
    config.scmi->otherwise = devhost::Verdict::allow;
    store().apply(guest, config);
    CHECK_EQ(t.guest.status(clk, rate_get, {0}), not_found);
    CHECK_EQ(t.counters().unknown_device, 1U);
}

TEST("S10 swaps under commands of SCMI: each is judged by the old or the new rules")
{
    const unsigned swaps = tap::rounds(8, 200);
    tap::time_limit(swaps * 10);
    CommandFixture t;
    uint64_t asked = 0;
    std::array<uint64_t, 3> passed{}; // the last never
    const auto rules = [](unsigned which) {
        return "[[policy.scmi.rule]]\nverdict = \"allow\"\nprotocol = \"clock\"\nresource = " +
               std::to_string(which % 2) + "\n";
    };

    t.apply(rules(0));
    const auto apply = [&](unsigned i) { t.apply(rules(i)); };
    swap_under(swaps, apply, [&] {
        for (uint32_t resource = 0; resource < passed.size(); resource++) {
            passed.at(resource) += t.guest.status(clk, rate_get, {resource}) == success;
            asked++;
        }
    });
    tap::note("asked " + std::to_string(asked) + ", passed " + std::to_string(passed[0]) + " + " +
              std::to_string(passed[1]));
    CHECK(passed[0] > 0);
    CHECK(passed[1] > 0);
    CHECK_EQ(passed[2], 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_INVALID), 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_ALLOW), passed[0] + passed[1]);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_DENY), asked - passed[0] - passed[1]);
}
