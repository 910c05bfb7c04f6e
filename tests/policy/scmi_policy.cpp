// SPDX-License-Identifier: Apache-2.0
// M4, S10: what a policy refuses of SCMI looks like what there is not.
#include "program_in_force.hpp"
#include "scmi.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

// As scmi_rule.bpf.c has it.
struct Rule {
    uint64_t above = 0;
    uint32_t protocol = 0;
    uint32_t message = 0;
    uint32_t resource = 0;
    uint32_t all_resources = 0;
    int32_t verdict = DEVHOST_VERDICT_DENY;
    uint32_t unused = 0;
};

// A program of the tests that judges what the guest of a device asks.
class InForce : public ProgramInForce {
public:
    InForce(const std::string &program, TestDevice &device, const void *constants, size_t bytes)
        : ProgramInForce(program, device.control().guest(device.guest()).id, constants, bytes)
    {
    }
    InForce(TestDevice &device, const Rule &rule)
        : InForce("scmi_rule", device, &rule, sizeof(rule))
    {
    }
};

DeviceParams judged(RingKind ring)
{
    DeviceParams params = scmi::params(everything(), ring);
    params.policy_required = true;
    return params;
}

struct Fixture {
    explicit Fixture(RingKind ring)
        : device((calm(), judged(ring))), guest(device.path(), with_ring(ring))
    {
        guest.bring_up();
    }
    uint64_t denied() { return device.stats().counters.at("denied"); }
    TestDevice device;
    ScmiGuest guest;
};

} // namespace

TEST_RINGS("M4 a resource that the policy hides is one that does not exist")
{
    Fixture t(ring);
    ScmiGuest &g = t.guest;
    InForce policy(t.device, {.protocol = clk, .message = 0x7, .resource = 1});
    const Answer hidden = g.call(clk, 0x7, {1, 1, 0});
    const Answer absent = g.call(clk, 0x7, {99, 1, 0});
    CHECK_EQ(hidden.status, not_found);
    CHECK_EQ(absent.status, not_found);
    CHECK_EQ(hidden.length, absent.length);
    CHECK_EQ(knob("clk1/prepared"), 0U);
    CHECK_EQ(t.denied(), 1U);
    CHECK_EQ(t.device.stats().verdicts.at(DEVHOST_VERDICT_DENY), 1U);
    // Other messages about it, and the same about others.
    g.ok(clk, 0x6, {1});
    g.ok(clk, 0x7, {0, 1, 0});
    CHECK_EQ(knob("clk0/enabled"), 1U);
    g.good();
}

TEST_RINGS(
    "S10 a message that the policy denies is one that does not exist; one over a limit is BUSY")
{
    Fixture t(ring);
    ScmiGuest &g = t.guest;
    {
        InForce policy(t.device, {.protocol = system_power, .message = 0x3, .all_resources = 1});
        CHECK_EQ(g.status(system_power, 0x3, {0, 0}), not_supported);
        g.ok(system_power, 0x4);
        g.good();
    }
    {
        InForce policy(t.device, {.protocol = power,
                                  .message = 0x4,
                                  .all_resources = 1,
                                  .verdict = DEVHOST_VERDICT_LIMIT});
        CHECK_EQ(g.status(power, 0x4, {0, 0, 0}), busy);
        CHECK_EQ(g.status(power, 0x4, {0, 99, 0}), busy);
        CHECK_EQ(knob("pd0/on"), 0U);
        g.good();
    }
    for (const int verdict : {3, 255, 256, -1}) {
        InForce policy(t.device,
                       {.protocol = power, .message = 0x4, .all_resources = 1, .verdict = verdict});
        CHECK_EQ(g.status(power, 0x4, {0, 0, 0}), not_found);
        CHECK_EQ(knob("pd0/on"), 0U);
        g.good();
    }
}

TEST_RINGS("M6 a policy that limits what a resource is set to")
{
    Fixture t(ring);
    ScmiGuest &g = t.guest;
    {
        InForce policy(t.device, {.above = 50000000, .protocol = clk, .message = 0x5});
        CHECK_EQ(g.status(clk, 0x5, {0, 0, 50000001, 0}), not_found);
        CHECK_EQ(g.status(clk, 0x5, {0, 0, 0, 1}), not_found); // all 64 bits count
        g.ok(clk, 0x5, {0, 0, 50000000, 0});
        CHECK_EQ(knob("clk0/rate"), 50000000U);
        g.good();
    }
    {
        InForce policy(t.device, {.above = 900000, .protocol = voltage, .message = 0x7});
        CHECK_EQ(g.status(voltage, 0x7, {0, 0, 950000}), not_found);
        g.ok(voltage, 0x7, {0, 0, 900000});
        CHECK_EQ(knob("vdd0/uv"), 900000U);
    }
    {
        // Limits make a level higher by the lower one.
        InForce policy(t.device, {.above = 100000, .protocol = perf, .message = 0x5});
        CHECK_EQ(g.status(perf, 0x5, {0, 0, 400000}), not_found);
        CHECK_EQ(g.status(perf, 0x5, {0, 400000, 400000}), not_found);
        g.ok(perf, 0x5, {0, 400000, 0});
        CHECK_EQ(knob("perf/rate"), 100000000U);
    }
    CHECK_EQ(t.denied(), 5U);
    InForce policy(t.device, {});
    g.good();
}

TEST_RINGS("S10 a policy that says nothing about SCMI refuses all of it")
{
    Fixture t(ring);
    const int allow = DEVHOST_VERDICT_ALLOW;
    {
        InForce policy("any_verdict", t.device, &allow, sizeof(allow));
        CHECK_EQ(t.guest.status(base, 0x0), not_supported);
        CHECK_EQ(t.guest.status(clk, 0x6, {0}), not_found);
    }
    // Detached: closed as before; attached again: open.
    CHECK_EQ(t.guest.status(base, 0x0), not_supported);
    InForce policy(t.device, {});
    t.guest.good();
}
