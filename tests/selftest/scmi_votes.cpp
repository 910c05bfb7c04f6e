// SPDX-License-Identifier: Apache-2.0
// Several guests on the same resources: votes, ceilings, and who goes.
#include <unistd.h>

#include <chrono>

#include "child.hpp"
#include "host.hpp"
#include "scmi.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

// Two guests that have the same resources.
struct Two {
    explicit Two(RingKind ring, const std::vector<Resource> &have = everything())
        : first(with_ring(ring), true, have),
          device(second_params(ring, have)),
          second(device.path(), with_ring(ring))
    {
        second.bring_up();
    }
    static DeviceParams second_params(RingKind ring, const std::vector<Resource> &have)
    {
        DeviceParams params = scmi::params(have, ring);
        params.guest = "second";
        return params;
    }
    ScmiGuest &a() { return first.guest; }
    ScmiGuest &b() { return second; }
    ResourceInfo of_a(devhost_scmi_kind kind, uint32_t id = 0)
    {
        return resource(first.device.control(), first.device.guest(), kind, id);
    }
    ResourceInfo of_b(devhost_scmi_kind kind, uint32_t id = 0)
    {
        return resource(device.control(), "second", kind, id);
    }
    ScmiFixture first;
    TestDevice device;
    ScmiGuest second;
};

void enable(ScmiGuest &g, uint32_t id, bool on)
{
    g.ok(clk, 0x7, {id, on ? 1U : 0U, 0});
}

void set_rate(ScmiGuest &g, uint32_t id, uint32_t rate)
{
    g.ok(clk, 0x5, {0, id, rate, 0});
}

// Those of CpuFrequencies.
void expect_levels(ScmiGuest &guest)
{
    const Answer levels = guest.ok(perf, 0x4, {0, 0});
    CHECK_EQ(levels.u32(0), 3U);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(levels.u32(4 + 20 * i), 1000000U * (i + 1));
    }
}

} // namespace

TEST_RINGS("votes: a clock runs while anybody has it on, at the highest rate")
{
    Two t(ring);
    const uint64_t base = knob("clk0/rate");
    enable(t.a(), 0, true);
    enable(t.b(), 0, true);
    CHECK_EQ(knob("clk0/prepared"), 1U);
    set_rate(t.a(), 0, 20000000);
    set_rate(t.b(), 0, 50000000);
    CHECK_EQ(knob("clk0/rate"), 50000000U);
    // The one that wants less sees what there is.
    CHECK_EQ(t.a().ok(clk, 0x6, {0}).u64(0), 50000000U);
    set_rate(t.a(), 0, 30000000);
    CHECK_EQ(knob("clk0/rate"), 50000000U);
    enable(t.b(), 0, false);
    CHECK_EQ(knob("clk0/enabled"), 1U);

    const ResourceInfo a = t.of_a(DEVHOST_SCMI_CLOCK);
    CHECK(a.vote_on && a.on);
    CHECK_EQ(a.vote_level, 30000000U);
    CHECK_EQ(a.level, 50000000U);
    CHECK_EQ(a.limit, static_cast<uint32_t>(DEVHOST_SCMI_LIMIT_VOTES));
    CHECK_EQ(a.holders, 2U);
    CHECK(a.vote_since > 0);
    const ResourceInfo b = t.of_b(DEVHOST_SCMI_CLOCK);
    CHECK(!b.vote_on && b.on);
    CHECK_EQ(b.vote_level, 50000000U);
    CHECK(b.vote_since >= a.vote_since);

    // The second goes, then the first.
    t.second.reset();
    expect_knob("clk0/rate", 30000000);
    CHECK_EQ(knob("clk0/enabled"), 1U);
    t.a().reset();
    expect_knob("clk0/enabled", 0);
    expect_knob("clk0/prepared", 0);
    expect_knob("clk0/rate", base);
    CHECK_EQ(t.of_a(DEVHOST_SCMI_CLOCK).holders, 0U);
    CHECK_EQ(t.of_a(DEVHOST_SCMI_CLOCK).vote_since, 0U);
}

TEST_RINGS("votes: domains, levels, supplies and resets of two guests")
{
    Two t(ring);
    t.a().ok(power, 0x4, {0, 0, 0});
    t.b().ok(power, 0x4, {0, 0, 0});
    t.a().ok(power, 0x4, {0, 0, power_off});
    CHECK_EQ(knob("pd0/on"), 1U);
    t.b().ok(power, 0x4, {0, 0, power_off});
    CHECK_EQ(knob("pd0/on"), 0U);

    t.a().ok(perf, 0x7, {0, 400000});
    t.b().ok(perf, 0x7, {0, 100000});
    CHECK_EQ(knob("perf/rate"), 400000000U);
    t.a().ok(perf, 0x7, {0, 100000});
    CHECK_EQ(knob("perf/rate"), 100000000U);
    t.b().ok(perf, 0x5, {0, 400000, 200000}); // not below
    CHECK_EQ(knob("perf/rate"), 200000000U);

    t.a().ok(voltage, 0x7, {0, 0, 900000});
    t.b().ok(voltage, 0x7, {0, 0, 1100000});
    CHECK_EQ(knob("vdd0/uv"), 1100000U);
    t.a().ok(voltage, 0x5, {0, 7});
    t.b().ok(voltage, 0x5, {0, 0});
    CHECK_EQ(knob("vdd0/on"), 1U);
    t.b().reset();
    expect_knob("vdd0/uv", 900000);
    expect_knob("perf/rate", 100000000);

    t.second.restart();
    t.a().ok(reset, 0x4, {0, 2, 0});
    t.b().ok(reset, 0x4, {0, 0, 0});
    CHECK_EQ(knob("rst0/asserted"), 1U);
    CHECK_EQ(t.b().status(reset, 0x4, {0, 1, 0}), denied);
    t.a().reset();
    expect_knob("rst0/asserted", 0);
    t.b().ok(reset, 0x4, {0, 1, 0});
}

TEST("votes: a processor's frequencies ascend, as its driver may list them")
{
    CpuFrequencies frequencies(true);
    ScmiFixture t(with_ring(RingKind::split), true, {CpuFrequencies::resource()});
    expect_levels(t.guest);
    t.guest.ok(perf, 0x7, {0, 3000000});
    frequencies.expect_least(3000000);
}

TEST_RINGS("votes: a processor goes no slower than anybody wants it to")
{
    CpuFrequencies frequencies;
    Two t(ring, {CpuFrequencies::resource()});
    expect_levels(t.a());
    frequencies.expect_least(1000000);
    t.a().ok(perf, 0x7, {0, 2000000});
    frequencies.expect_least(2000000);
    // Which one it has above that is up to its governor, which takes a moment.
    const auto level = [&] { return t.a().ok(perf, 0x8, {0}).u32(0); };
    for (int i = 0; i < 500 && level() < 2000000; i++) {
        usleep(10000);
    }
    CHECK(level() >= 2000000U);
    t.b().ok(perf, 0x7, {0, 3000000});
    frequencies.expect_least(3000000);
    // What was wanted is wanted of the next driver, too.
    frequencies.have_driver(false);
    CHECK_EQ(CpuFrequencies::least(), 0U);
    t.b().ok(perf, 0x7, {0, 2000000});
    frequencies.have_driver(true);
    frequencies.expect_least(2000000);
    t.a().reset();
    t.b().reset();
    frequencies.expect_least(1000000);
}

TEST_RINGS("votes: a device of devfreq goes no slower than anybody wants it to")
{
    Two t(ring, {{DEVHOST_SCMI_PERF, "scmi_prov-devfreq"}});
    t.a().ok(perf, 0x7, {0, 200000});
    expect_knob("devfreq/rate", 200000000);
    CHECK_EQ(t.a().ok(perf, 0x8, {0}).u32(0), 200000U);
    t.b().ok(perf, 0x7, {0, 400000});
    expect_knob("devfreq/rate", 400000000);
    t.b().reset();
    expect_knob("devfreq/rate", 200000000);
    t.a().reset();
    expect_knob("devfreq/rate", 100000000);
}

TEST_RINGS("M5 enabled often, disabled without having been enabled")
{
    Two t(ring);
    for (unsigned i = 0; i < tap::rounds(2000, 50000); i++) {
        enable(t.a(), 0, true);
    }
    CHECK_EQ(knob("clk0/prepared"), 1U);
    CHECK_EQ(knob("clk0/enabled"), 1U);
    // Another guest can't take it away, however often it tries.
    for (unsigned i = 0; i < 100; i++) {
        enable(t.b(), 0, false);
    }
    CHECK_EQ(knob("clk0/enabled"), 1U);
    enable(t.a(), 0, false);
    CHECK_EQ(knob("clk0/enabled"), 0U);
    for (unsigned i = 0; i < 100; i++) {
        enable(t.a(), 0, false);
    }
    CHECK_EQ(knob("clk0/prepared"), 0U);
    t.a().good();
}

TEST_RINGS("M6 rates that cannot be are brought within limits")
{
    std::vector<Resource> have = everything();
    have[0].min = 5000000;
    have[0].max = 60000000;
    ScmiFixture t(with_ring(ring), true, have);
    const Answer range = t.guest.ok(clk, 0x4, {0, 0});
    CHECK_EQ(range.u64(4), 5000000U);
    CHECK_EQ(range.u64(12), 60000000U);
    t.guest.ok(clk, 0x5, {0, 0, 0, 0});
    CHECK_EQ(knob("clk0/rate"), 5000000U);
    t.guest.ok(clk, 0x5, {0, 0, 0xffffffff, 0xffffffff});
    CHECK_EQ(knob("clk0/rate"), 60000000U);
    t.guest.ok(clk, 0x5, {0, 0, 1, 0x80000000});
    CHECK_EQ(knob("clk0/rate"), 60000000U);
    t.guest.good();
}

TEST_RINGS("votes: a ceiling holds for all, and goes again")
{
    Two t(ring);
    set_rate(t.a(), 0, 80000000);
    CHECK_EQ(set_ceiling(t.device, DEVHOST_SCMI_CLOCK, 0, 40000000), 0);
    expect_knob("clk0/rate", 40000000);
    CHECK_EQ(t.of_a(DEVHOST_SCMI_CLOCK).ceiling.value_or(0), 40000000U);
    CHECK_EQ(t.of_a(DEVHOST_SCMI_CLOCK).limit, static_cast<uint32_t>(DEVHOST_SCMI_LIMIT_CEILING));
    CHECK_EQ(t.of_a(DEVHOST_SCMI_CLOCK).vote_level, 80000000U);
    set_rate(t.b(), 0, 90000000);
    CHECK_EQ(knob("clk0/rate"), 40000000U);
    CHECK_EQ(set_ceiling(t.device, DEVHOST_SCMI_CLOCK, 0, std::nullopt), 0);
    expect_knob("clk0/rate", 90000000);

    t.a().ok(power, 0x4, {0, 0, 0});
    CHECK_EQ(set_ceiling(t.device, DEVHOST_SCMI_POWER, 0, 0), 0);
    expect_knob("pd0/on", 0);
    CHECK_EQ(set_ceiling(t.device, DEVHOST_SCMI_POWER, 0, std::nullopt), 0);
    expect_knob("pd0/on", 1);

    t.a().ok(perf, 0x9, {0, 1});
    t.a().ok(perf, 0x7, {0, 400000});
    CHECK_EQ(set_ceiling(t.device, DEVHOST_SCMI_PERF, 0, 250000), 0);
    expect_knob("perf/rate", 200000000);
    const auto event = t.a().event();
    CHECK(event.has_value());
    CHECK_EQ(event->protocol, perf);
    CHECK_EQ(event->message, 0);
    CHECK_EQ(event->u32(8), 250000U);
    CHECK_EQ(set_ceiling(t.device, DEVHOST_SCMI_PERF, 0, std::nullopt), 0);
    expect_knob("perf/rate", 400000000);
    CHECK_EQ(set_ceiling(t.device, DEVHOST_SCMI_PERF, 1, 1), -ENOENT);
}

TEST_RINGS("votes: changes are told in the group power")
{
    Two t(ring);
    Control manager;
    manager.genl().join(DEVHOST_MCGRP_POWER);
    enable(t.a(), 0, true);
    bool told = false;
    while (const auto message = manager.genl().notification(2000)) {
        CHECK_EQ(message->command, DEVHOST_CMD_RESOURCE_CHANGE_NTF);
        const ResourceInfo info = parse_resource(*message);
        if (info.guest == t.first.device.guest() && info.kind == DEVHOST_SCMI_CLOCK && info.on) {
            told = info.vote_on;
            break;
        }
    }
    CHECK(told);
    t.a().reset();
    told = false;
    while (const auto message = manager.genl().notification(2000)) {
        const ResourceInfo info = parse_resource(*message);
        if (info.guest == "second" && info.kind == DEVHOST_SCMI_CLOCK && !info.on) {
            told = true;
            break;
        }
    }
    CHECK(told);
}

TEST_RINGS("votes: who changes its mind all the time does not drown the others")
{
    Two t(ring);
    Control manager;
    manager.genl().join(DEVHOST_MCGRP_POWER);
    const auto start = std::chrono::steady_clock::now();
    unsigned changes = 0;
    double seconds = 0;
    while (seconds < 1 || changes <= 100) {
        enable(t.a(), 0, changes++ % 2 == 0);
        t.a().ok(system_power, 0x3, {0, changes % 2});
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    // Twenty a second, and a few to begin with.
    const auto most = static_cast<unsigned>(4 + 20 * seconds);
    unsigned told = 0;
    unsigned requests = 0;
    // The least that must come, however long that takes, and then until nothing does.
    while (const auto message =
               manager.genl().notification(told >= 2 && requests >= 1 ? 300 : 5000)) {
        if (message->command == DEVHOST_CMD_POWER_REQUEST_NTF) {
            requests++;
        } else if (parse_resource(*message).kind == DEVHOST_SCMI_CLOCK) {
            told++;
        }
    }
    tap::note(std::to_string(changes) + " changes, told " + std::to_string(told) + " times; " +
              std::to_string(requests) + " requests told");
    CHECK(told >= 2 && told <= 2 * most); // of two guests
    CHECK(requests >= 1 && requests <= most);
    // The last that was told is how it is.
    enable(t.a(), 0, true);
    std::optional<ResourceInfo> last;
    const auto as_it_is = [&] { return last && last->vote_on && last->on; };
    while (const auto message = manager.genl().notification(as_it_is() ? 300 : 5000)) {
        if (message->command == DEVHOST_CMD_RESOURCE_CHANGE_NTF) {
            const ResourceInfo info = parse_resource(*message);
            if (info.guest == t.first.device.guest() && info.kind == DEVHOST_SCMI_CLOCK) {
                last = info;
            }
        }
    }
    CHECK(as_it_is());
}

TEST_RINGS("votes: all resources of all devices are dumped, or those of one")
{
    Two t(ring);
    Control control;
    CHECK_EQ(resources(control).size(), 2 * everything().size());
    CHECK_EQ(resources(control, "second").size(), everything().size());
    CHECK_EQ(resources(control, "second", t.device.name()).size(), everything().size());
    const Attrs none = Attrs().string(DEVHOST_A_RESOURCE_GUEST, "nobody");
    CHECK_EQ(control.genl()
                 .request(DEVHOST_CMD_RESOURCE_GET, Attrs().nest(DEVHOST_A_RESOURCE, none), true)
                 .error,
             -ENOENT);
    uint32_t next[6] = {};
    for (const ResourceInfo &info : resources(control, "second")) {
        CHECK_EQ(info.id, next[info.kind]++);
    }
}

TEST_RINGS("votes: many resources of a guest, more than a message holds")
{
    calm();
    std::vector<Resource> have;
    for (unsigned i = 0; i < 200; i++) {
        have.push_back({DEVHOST_SCMI_SENSOR, "pushed" + std::to_string(i), "", "",
                        DEVHOST_SCMI_SOURCE_PUSHED});
    }
    TestDevice device(params(have, ring));
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    CHECK_EQ(resources(device.control(), device.guest()).size(), have.size());
    uint32_t seen = 0;
    while (seen < have.size()) {
        const Answer piece = g.ok(sensor, 0x3, {seen});
        const uint32_t got = piece.u32(0) & 0xffff;
        CHECK(got > 0);
        CHECK_EQ(piece.u32(4), seen);
        seen += got;
        CHECK_EQ(piece.u32(0) >> 16, have.size() - seen);
    }
}

TEST_RINGS("votes: the guest's VMM is killed with everything on")
{
    calm();
    TestDevice device(params(everything(), ring));
    for (int round = 0; round < 3; round++) {
        Child vmm([&](Child &self) {
            ScmiGuest g(device.path(), with_ring(ring));
            g.bring_up();
            enable(g, 0, true);
            set_rate(g, 0, 77000000);
            g.ok(power, 0x4, {0, 0, 0});
            g.ok(voltage, 0x5, {0, 7});
            g.ok(reset, 0x4, {0, 2, 0});
            self.tell();
            self.await();
        });
        vmm.wait_told();
        CHECK_EQ(knob("clk0/rate"), 77000000U);
        CHECK_EQ(knob("rst0/asserted"), 1U);
        vmm.kill();
        expect_knob("clk0/enabled", 0);
        expect_knob("pd0/on", 0);
        expect_knob("vdd0/on", 0);
        expect_knob("rst0/asserted", 0);
    }
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    g.good();
}

TEST_RINGS("votes: the device is removed with everything on")
{
    ScmiFixture t(with_ring(ring));
    enable(t.guest, 0, true);
    t.guest.ok(power, 0x4, {0, 0, 0});
    t.guest.vdpa().close();
    t.device.remove();
    CHECK_EQ(knob("clk0/prepared"), 0U);
    CHECK_EQ(knob("pd0/on"), 0U);
}

TEST_RINGS("votes: an agent takes back what it has set up")
{
    ScmiFixture t(with_ring(ring));
    enable(t.guest, 0, true);
    t.guest.ok(power, 0x4, {0, 0, 0});
    CHECK_EQ(t.guest.status(base, 0xb, {0, 0}), not_found);
    CHECK_EQ(t.guest.status(base, 0xb, {1, 2}), invalid_parameters);
    t.guest.ok(base, 0xb, {1, 0});
    expect_knob("clk0/enabled", 0);
    expect_knob("pd0/on", 0);
    t.guest.good();
}

TEST_RINGS("votes: what the host refuses is not held")
{
    Two t(ring);
    set_rate(t.b(), 0, 25000000);
    set_knob("clk0/fail", 1);
    CHECK_EQ(t.a().status(clk, 0x7, {0, 1, 0}), hardware_error);
    CHECK_EQ(t.a().status(clk, 0x5, {0, 0, 70000000, 0}), hardware_error);
    set_knob("clk0/fail", 0);
    CHECK(!t.of_a(DEVHOST_SCMI_CLOCK).vote_on);
    CHECK_EQ(t.of_a(DEVHOST_SCMI_CLOCK).vote_level, 0U);
    CHECK_EQ(knob("clk0/prepared"), 0U);
    CHECK_EQ(knob("clk0/rate"), 25000000U);
    set_knob("pd0/fail", 1);
    CHECK_EQ(t.a().status(power, 0x4, {0, 0, 0}), hardware_error);
    set_knob("pd0/fail", 0);
    t.a().ok(power, 0x4, {0, 0, 0});
    t.a().good();
}

TEST_RINGS("M9 a reset line that the host uses")
{
    calm();
    set_knob("rst0/host", 1);
    {
        ScmiFixture t(with_ring(ring), false);
        t.guest.bring_up();
        set_knob("rst0/host", 1);
        const uint64_t before = knob("rst0/asserts");
        CHECK_EQ(t.guest.status(reset, 0x4, {0, 1, 0}), denied);
        CHECK_EQ(t.guest.status(reset, 0x4, {0, 2, 0}), denied);
        CHECK_EQ(knob("rst0/asserts"), before);
        t.guest.ok(reset, 0x4, {1, 1, 0}); // another one
        set_knob("rst0/host", 0);
        t.guest.ok(reset, 0x4, {0, 1, 0});
        t.guest.good();
    }
    set_knob("rst0/host", 0);
}
