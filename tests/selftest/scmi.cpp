// SPDX-License-Identifier: Apache-2.0
// A good agent: every message of every protocol, what it answers and what it
// does to the host.
#include <cstring>

#include "host.hpp"
#include "scmi.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

// What SCMI 3.2 has and the device serves.
struct Message {
    uint8_t protocol;
    uint8_t id;
    uint32_t min;        // bytes of parameters
    uint32_t max;        // the same
    int resource = -1;   // where the id of a resource is
    bool p2a = false;    // asks for something over the eventq
    bool change = false; // changes a resource
};

constexpr Message messages[] = {
    {base, 0x1, 0, 0},
    {base, 0x3, 0, 0},
    {base, 0x4, 0, 0},
    {base, 0x5, 0, 0},
    {base, 0x6, 4, 4},
    {base, 0x7, 4, 4},
    {base, 0x8, 4, 4, -1, true},
    {base, 0xb, 8, 8},
    {power, 0x1, 0, 0},
    {power, 0x3, 4, 4, 0},
    {power, 0x4, 12, 12, 4, false, true},
    {power, 0x5, 4, 4, 0},
    {power, 0x6, 8, 8, 0, true},
    {power, 0x7, 8, 8, 0, true},
    {power, 0x8, 4, 4, 0},
    {system_power, 0x1, 0, 0},
    {system_power, 0x3, 8, 8},
    {system_power, 0x4, 0, 0},
    {system_power, 0x5, 4, 4, -1, true},
    {perf, 0x1, 0, 0},
    {perf, 0x3, 4, 4, 0},
    {perf, 0x4, 8, 8, 0},
    {perf, 0x5, 12, 12, 0, false, true},
    {perf, 0x6, 4, 4, 0},
    {perf, 0x7, 8, 8, 0, false, true},
    {perf, 0x8, 4, 4, 0},
    {perf, 0x9, 8, 8, 0, true},
    {perf, 0xa, 8, 8, 0, true},
    {perf, 0xc, 4, 4, 0},
    {clk, 0x1, 0, 0},
    {clk, 0x3, 4, 4, 0},
    {clk, 0x4, 8, 8, 0},
    {clk, 0x5, 16, 16, 4, false, true},
    {clk, 0x6, 4, 4, 0},
    {clk, 0x7, 8, 12, 0, false, true},
    {clk, 0x8, 4, 4, 0},
    {clk, 0x9, 8, 8, 0, true},
    {clk, 0xa, 8, 8, 0, true},
    {clk, 0xb, 8, 8, 0},
    {clk, 0xf, 4, 4, 0},
    {sensor, 0x1, 0, 0},
    {sensor, 0x3, 4, 4},
    {sensor, 0x4, 8, 8, 0, true},
    {sensor, 0x5, 16, 16, 0, true},
    {sensor, 0x6, 8, 8, 0},
    {sensor, 0x8, 8, 8, 0},
    {sensor, 0x9, 4, 4, 0},
    {sensor, 0xa, 8, 8, 0},
    {sensor, 0xb, 8, 8, 0, true},
    {sensor, 0xc, 4, 4, 0},
    {reset, 0x1, 0, 0},
    {reset, 0x3, 4, 4, 0},
    {reset, 0x4, 12, 12, 0, false, true},
    {reset, 0x5, 8, 8, 0, true},
    {reset, 0x6, 4, 4, 0},
    {voltage, 0x1, 0, 0},
    {voltage, 0x3, 4, 4, 0},
    {voltage, 0x4, 8, 8, 0},
    {voltage, 0x5, 8, 8, 0, false, true},
    {voltage, 0x6, 4, 4, 0},
    {voltage, 0x7, 12, 12, 0, false, true},
    {voltage, 0x8, 4, 4, 0},
    {voltage, 0x9, 4, 4, 0},
};

constexpr uint8_t protocols[] = {base, power, system_power, perf, clk, sensor, reset, voltage};
constexpr uint32_t versions[] = {0x20001, 0x30001, 0x20001, 0x40000,
                                 0x30000, 0x30001, 0x30001, 0x20001};

const Message *find_message(uint8_t protocol, uint32_t id)
{
    for (const Message &m : messages) {
        if (m.protocol == protocol && m.id == id) {
            return &m;
        }
    }
    return nullptr;
}

bool common(uint32_t id)
{
    return id == 0x0 || id == 0x2 || id == 0x10;
}

std::vector<uint8_t> request(const Message &m, uint32_t bytes, uint32_t resource = 0)
{
    std::vector<uint8_t> out(4 + bytes);
    const uint32_t hdr = header(m.protocol, m.id);
    memcpy(out.data(), &hdr, 4);
    if (m.resource >= 0 && static_cast<uint32_t>(m.resource) + 4 <= bytes) {
        memcpy(out.data() + 4 + m.resource, &resource, 4);
    }
    return out;
}

// Resources of a kind that everything() has.
uint32_t number_of(uint8_t protocol)
{
    constexpr devhost_scmi_kind kinds[] = {
        DEVHOST_SCMI_POWER, DEVHOST_SCMI_POWER,  DEVHOST_SCMI_POWER, DEVHOST_SCMI_PERF,
        DEVHOST_SCMI_CLOCK, DEVHOST_SCMI_SENSOR, DEVHOST_SCMI_RESET, DEVHOST_SCMI_VOLTAGE,
    };
    uint32_t n = 0;
    for (const Resource &r : everything()) {
        n += r.kind == kinds[protocol - base];
    }
    return n;
}

void matrix(ScmiGuest &g, bool p2a)
{
    for (uint8_t protocol : protocols) {
        CHECK_EQ(g.ok(protocol, 0x0).u32(0), versions[protocol - base]);
        CHECK_EQ(g.status(protocol, 0x10, {versions[protocol - base]}), success);
        CHECK_EQ(g.status(protocol, 0x10, {0x10000}), not_supported);
        for (uint32_t id = 0; id <= 0xff; id++) {
            const Message *m = find_message(protocol, id);
            const bool there = common(id) || (m && (p2a || !m->p2a));
            CHECK_EQ(g.status(protocol, 0x2, {id}), there ? success : not_found);
            if (!there) {
                CHECK_EQ(g.status(protocol, static_cast<uint8_t>(id), {0, 0, 0}), not_supported);
            }
        }
        CHECK_EQ(g.status(protocol, 0x2, {0x100}), not_found);
        CHECK_EQ(g.status(protocol, 0x2, {0xffffffff}), not_found);
    }
}

} // namespace

TEST_RINGS("scmi: what the device is")
{
    ScmiFixture t(with_ring(ring), false);
    Vdpa &v = t.guest.vdpa();
    CHECK_EQ(v.device_id(), virtio_id);
    CHECK_EQ(v.vqs_count(), 2U);
    CHECK_EQ(v.config_size(), 4U); // without meaning, for VMMs that want some
    CHECK(v.features() & bit(f_p2a));
    CHECK(!(v.features() & bit(1))); // no shared memory
    const Stats stats = t.device.stats();
    CHECK_EQ(stats.vqs.at(0).name, "cmdq");
    CHECK_EQ(stats.vqs.at(1).name, "eventq");
}

TEST_RINGS("scmi: every message id of every protocol, with P2A")
{
    ScmiFixture t(with_ring(ring));
    matrix(t.guest, true);
    t.guest.good();
}

TEST_RINGS("scmi: every message id of every protocol, without P2A")
{
    ScmiFixture t(without_p2a(ring));
    CHECK(!(t.guest.features() & bit(f_p2a)));
    matrix(t.guest, false);
    t.guest.good();
}

TEST_RINGS("scmi: every message id of every protocol, without permission")
{
    calm();
    DeviceParams closed = params(everything(), ring);
    closed.policy_required = true;
    TestDevice device(closed);
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    for (uint8_t protocol : protocols) {
        for (uint32_t id = 0; id <= 0xff; id++) {
            Message m{protocol, static_cast<uint8_t>(id), id == 0x2 || id == 0x10 ? 4U : 0U, 0};
            if (const Message *known = find_message(protocol, id)) {
                m = *known;
            }
            const Answer answer = g.raw(request(m, m.min), 136);
            CHECK_EQ(answer.length, 8U);
            CHECK_EQ(answer.status, m.resource < 0 ? not_supported : not_found);
        }
    }
    CHECK_EQ(device.stats().counters.at("commands"), 0U);
}

TEST_RINGS("M3 parameters short and long, for every message")
{
    ScmiFixture t(with_ring(ring));
    for (const Message &m : messages) {
        for (uint32_t bytes = 0; bytes <= 40; bytes++) {
            if (bytes >= m.min && bytes <= m.max) {
                continue;
            }
            const Answer answer = t.guest.raw(request(m, bytes), 136);
            CHECK_EQ(answer.length, 8U);
            CHECK_EQ(answer.status, protocol_error);
        }
        t.guest.good();
    }
}

TEST_RINGS("M4 every message about a resource that there is not")
{
    ScmiFixture t(with_ring(ring));
    for (const Message &m : messages) {
        if (m.resource < 0) {
            continue;
        }
        for (uint32_t id : {number_of(m.protocol), 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
            const Answer answer = t.guest.raw(request(m, m.min, id), 136);
            CHECK_EQ(answer.length, 8U);
            CHECK_EQ(answer.status, not_found);
        }
        // One that there is gets another answer.
        CHECK(t.guest.raw(request(m, m.min, 0), 136).status != not_found);
    }
    t.guest.good();
}

TEST_RINGS("scmi: what is read-only is denied to every message that changes")
{
    std::vector<Resource> have = everything();
    for (Resource &r : have) {
        r.read_only = true;
    }
    ScmiFixture t(with_ring(ring), true, have);
    for (const Message &m : messages) {
        if (m.change) {
            CHECK_EQ(t.guest.raw(request(m, m.min, 0), 136).status, denied);
        }
    }
    CHECK_EQ(knob("clk0/prepared"), 0U);
    CHECK_EQ(t.guest.ok(clk, 0x3, {0}).u32(0) & 2, 2U); // restricted
    CHECK_EQ(t.guest.ok(clk, 0xf, {0}).u32(0), 0U);
    CHECK_EQ(t.guest.ok(perf, 0x3, {0}).u32(0) >> 30, 0U);
}

TEST_RINGS("scmi: a protocol without resources does not exist")
{
    ScmiFixture t(with_ring(ring), false, {{DEVHOST_SCMI_CLOCK, "clk0"}});
    t.guest.bring_up();
    for (uint8_t protocol : {power, perf, sensor, reset, voltage}) {
        CHECK_EQ(t.guest.status(protocol, 0x0), not_supported);
        CHECK_EQ(t.guest.status(protocol, 0x5, {0}), not_supported);
    }
    const Answer list = t.guest.ok(base, 0x6, {0});
    CHECK_EQ(list.u32(0), 2U); // clock and system power
    CHECK_EQ(list.values.size(), 8U);
    CHECK_EQ(list.values[4], system_power);
    CHECK_EQ(list.values[5], clk);
}

TEST_RINGS("scmi: base")
{
    ScmiFixture t(with_ring(ring));
    CHECK_EQ(t.guest.ok(base, 0x1).u32(0), 7U | 1U << 8);
    CHECK_EQ(t.guest.ok(base, 0x3).text(0, 16), "devhost");
    CHECK_EQ(t.guest.ok(base, 0x4).values.size(), 16U);
    t.guest.ok(base, 0x5);
    const Answer all = t.guest.ok(base, 0x6, {0});
    CHECK_EQ(all.u32(0), 7U);
    for (unsigned i = 0; i < 7; i++) {
        CHECK_EQ(all.values[4 + i], 0x11U + i);
    }
    CHECK_EQ(all.values.size(), 12U);
    CHECK_EQ(t.guest.ok(base, 0x6, {6}).values[4], voltage);
    CHECK_EQ(t.guest.ok(base, 0x6, {7}).u32(0), 0U);
    CHECK_EQ(t.guest.status(base, 0x6, {8}), invalid_parameters);
    const Answer self = t.guest.ok(base, 0x7, {0xffffffff});
    CHECK_EQ(self.u32(0), 1U);
    CHECK_EQ(self.text(4, 16), t.device.guest().substr(0, 15));
    CHECK_EQ(t.guest.ok(base, 0x7, {0}).text(4, 16), "platform");
    CHECK_EQ(t.guest.status(base, 0x7, {2}), not_found);
}

TEST_RINGS("scmi: clocks")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    CHECK_EQ(g.ok(clk, 0x1).u32(0) & 0xffff, 3U);
    CHECK_EQ(g.ok(clk, 0x3, {0}).text(4, 16), "clk0");
    CHECK_EQ(g.ok(clk, 0x3, {0}).values.size(), 24U);
    CHECK_EQ(g.ok(clk, 0x3, {1}).u32(0) >> 29 & 1, 1U);
    CHECK_EQ(g.ok(clk, 0x3, {1}).text(4, 16), "a-clock-with-a-");
    CHECK_EQ(g.ok(clk, 0x8, {1}).text(4, 64), "a-clock-with-a-name-that-is-long");
    const Answer range = g.ok(clk, 0x4, {0, 0});
    CHECK_EQ(range.u32(0), 3U | 1U << 12);
    CHECK_EQ(range.u64(4), 1000000U);
    CHECK_EQ(range.u64(12), 100000000U);
    const Answer fixed = g.ok(clk, 0x4, {2, 0});
    CHECK_EQ(fixed.u32(0), 1U);
    CHECK_EQ(fixed.u64(4), 32768U);

    const uint64_t before = knob("clk0/rate");
    CHECK_EQ(g.ok(clk, 0x6, {0}).u64(0), before);
    g.ok(clk, 0x5, {0, 0, 48000000, 0});
    CHECK_EQ(knob("clk0/rate"), 48000000U);
    CHECK_EQ(g.ok(clk, 0x6, {0}).u64(0), 48000000U);
    CHECK_EQ(g.ok(clk, 0xb, {0, 0}).u32(4), 0U);
    g.ok(clk, 0x7, {0, 1, 0});
    CHECK_EQ(knob("clk0/enabled"), 1U);
    CHECK_EQ(knob("clk0/prepared"), 1U);
    CHECK_EQ(g.ok(clk, 0xb, {0, 0}).u32(4), 1U);
    CHECK_EQ(g.ok(clk, 0x3, {0}).u32(0) & 1, 1U);
    g.ok(clk, 0x7, {0, 0}); // as version 2 has it
    CHECK_EQ(knob("clk0/enabled"), 0U);
    CHECK_EQ(knob("clk0/prepared"), 0U);
    CHECK_EQ(g.status(clk, 0x7, {0, 2, 0}), invalid_parameters);
    CHECK_EQ(g.status(clk, 0x7, {0, 3, 0}), invalid_parameters);
    CHECK_EQ(g.status(clk, 0x7, {0, 1U << 16, 0}), not_supported);
    CHECK_EQ(g.status(clk, 0x5, {0x10, 0, 48000000, 0}), invalid_parameters);
    CHECK_EQ(g.status(clk, 0x5, {0, 2, 1, 0}), denied); // read-only
}

TEST_RINGS("scmi: power domains")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    CHECK_EQ(g.ok(power, 0x1).u32(0), 2U);
    CHECK_EQ(g.ok(power, 0x1).values.size(), 16U);
    CHECK_EQ(g.ok(power, 0x3, {1}).text(4, 16), "domain1");
    CHECK_EQ(g.ok(power, 0x5, {0}).u32(0), power_off);
    g.ok(power, 0x4, {0, 0, 0});
    CHECK_EQ(knob("pd0/on"), 1U);
    CHECK_EQ(g.ok(power, 0x5, {0}).u32(0), 0U);
    CHECK_EQ(knob("pd1/on"), 0U);
    g.ok(power, 0x4, {0, 0, power_off});
    CHECK_EQ(knob("pd0/on"), 0U);
    CHECK_EQ(g.ok(power, 0x5, {0}).u32(0), power_off);
    CHECK_EQ(g.status(power, 0x4, {1, 0, 0}), not_supported); // asynchronous
    CHECK_EQ(g.status(power, 0x4, {2, 0, 0}), invalid_parameters);
    CHECK_EQ(g.status(power, 0x4, {0, 0, 1}), invalid_parameters);
}

TEST_RINGS("scmi: performance")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    CHECK_EQ(g.ok(perf, 0x1).u32(0), 1U);
    const Answer domain = g.ok(perf, 0x3, {0});
    CHECK_EQ(domain.u32(8), 400000U);
    CHECK_EQ(domain.u32(12), 400000U);
    CHECK_EQ(domain.text(16, 16), "engine");
    const Answer levels = g.ok(perf, 0x4, {0, 0});
    CHECK_EQ(levels.u32(0), 3U);
    CHECK_EQ(levels.values.size(), 4U + 3 * 20);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(levels.u32(4 + 20 * i), 100000U << i);
    }
    CHECK_EQ(g.ok(perf, 0x4, {0, 2}).u32(4), 400000U);
    // In pieces, where there is less room.
    const Answer piece = g.call(perf, 0x4, {0, 0}, 4 + 20);
    CHECK_EQ(piece.u32(0), 1U | 2U << 16);
    g.ok(perf, 0x7, {0, 200000});
    CHECK_EQ(knob("perf/rate"), 200000000U);
    CHECK_EQ(g.ok(perf, 0x8, {0}).u32(0), 200000U);
    // Between two levels: the one that is enough.
    g.ok(perf, 0x7, {0, 250000});
    CHECK_EQ(knob("perf/rate"), 400000000U);
    CHECK_EQ(g.status(perf, 0x7, {0, 99999}), out_of_range);
    CHECK_EQ(g.status(perf, 0x7, {0, 400001}), out_of_range);
    g.ok(perf, 0x5, {0, 200000, 0});
    CHECK_EQ(knob("perf/rate"), 200000000U);
    const Answer limits = g.ok(perf, 0x6, {0});
    CHECK_EQ(limits.u32(0), 200000U);
    CHECK_EQ(limits.u32(4), 100000U);
    CHECK_EQ(g.status(perf, 0x5, {0, 0, 0}), invalid_parameters);
    CHECK_EQ(g.status(perf, 0x5, {0, 100000, 200000}), invalid_parameters);
}

TEST_RINGS("scmi: sensors")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    CHECK_EQ(g.ok(sensor, 0x1).u32(0) & 0xffff, 3U);
    const Answer description = g.ok(sensor, 0x3, {0});
    CHECK_EQ(description.u32(0), 3U);
    CHECK_EQ(description.values.size(), 4U + 3 * 28);
    CHECK_EQ(description.u32(4), 0U);
    CHECK_EQ(description.u32(12), 0x2U | 0x1dU << 11); // thousandths of degrees
    CHECK_EQ(description.text(16, 16), "zone");
    CHECK_EQ(description.u32(4 + 28 + 8), 0x5U | 0x1dU << 11);
    set_knob("zone/temp", 42500);
    set_knob("vbat/mv", 13800);
    CHECK_EQ(g.ok(sensor, 0x6, {0, 0}).u64(0), 42500U);
    CHECK_EQ(g.ok(sensor, 0x6, {0, 0}).values.size(), 16U);
    CHECK_EQ(g.ok(sensor, 0x6, {1, 0}).u64(0), 13800U);
    CHECK_EQ(push_reading(t.device, 2, -7), 0);
    CHECK_EQ(g.ok(sensor, 0x6, {2, 0}).u64(0), static_cast<uint64_t>(-7));
    CHECK_EQ(push_reading(t.device, 0, 1), -ENOENT); // not one that is pushed
    CHECK_EQ(push_reading(t.device, 3, 1), -ENOENT);
    set_knob("zone/fail", 1);
    CHECK_EQ(g.status(sensor, 0x6, {0, 0}), hardware_error);
    set_knob("zone/fail", 0);
    CHECK_EQ(g.ok(sensor, 0x9, {0}).u32(0), 1U);
    g.ok(sensor, 0xa, {0, 1U | 2U << 16});
    CHECK_EQ(g.ok(sensor, 0x9, {0}).u32(0), 1U | 2U << 16);
    CHECK_EQ(g.status(sensor, 0xa, {0, 4}), invalid_parameters);
    CHECK_EQ(g.status(sensor, 0xa, {0, 2}), not_supported);
}

TEST_RINGS("scmi: resets")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    CHECK_EQ(g.ok(reset, 0x1).u32(0), 2U);
    CHECK_EQ(g.ok(reset, 0x3, {0}).text(8, 16), "rst0");
    const uint64_t before = knob("rst0/asserts");
    g.ok(reset, 0x4, {0, 1, 0});
    CHECK_EQ(knob("rst0/asserts"), before + 1);
    CHECK_EQ(knob("rst0/asserted"), 0U);
    g.ok(reset, 0x4, {0, 2, 0});
    CHECK_EQ(knob("rst0/asserted"), 1U);
    CHECK_EQ(g.status(reset, 0x4, {0, 1, 0}), denied); // asserted already
    g.ok(reset, 0x4, {0, 0, 0});
    CHECK_EQ(knob("rst0/asserted"), 0U);
    CHECK_EQ(g.status(reset, 0x4, {0, 8, 0}), invalid_parameters);
    CHECK_EQ(g.status(reset, 0x4, {0, 4, 0}), invalid_parameters);
    CHECK_EQ(g.status(reset, 0x4, {0, 1, 1}), invalid_parameters);
}

TEST_RINGS("scmi: voltages")
{
    ScmiFixture t(with_ring(ring));
    ScmiGuest &g = t.guest;
    CHECK_EQ(g.ok(voltage, 0x1).u32(0), 2U);
    CHECK_EQ(g.ok(voltage, 0x3, {1}).text(4, 16), "vdd1");
    const Answer levels = g.ok(voltage, 0x4, {0, 0});
    CHECK_EQ(levels.u32(0), 9U);
    CHECK_EQ(levels.u32(4), 800000U);
    CHECK_EQ(levels.u32(4 + 4 * 8), 1200000U);
    CHECK_EQ(g.ok(voltage, 0x4, {0, 8}).u32(0), 1U);
    CHECK_EQ(g.call(voltage, 0x4, {0, 0}, 12).u32(0), 2U | 7U << 16);
    g.ok(voltage, 0x7, {0, 0, 1000000});
    CHECK_EQ(knob("vdd0/uv"), 1000000U);
    CHECK_EQ(g.ok(voltage, 0x8, {0}).u32(0), 1000000U);
    CHECK_EQ(g.status(voltage, 0x7, {0, 0, 1300000}), out_of_range);
    CHECK_EQ(g.status(voltage, 0x7, {0, 0, 0xffffffff}), out_of_range);
    CHECK_EQ(g.status(voltage, 0x7, {0, 2, 1000000}), invalid_parameters);
    CHECK_EQ(g.ok(voltage, 0x6, {0}).u32(0), 0U);
    g.ok(voltage, 0x5, {0, 7});
    CHECK_EQ(knob("vdd0/on"), 1U);
    CHECK_EQ(g.ok(voltage, 0x6, {0}).u32(0), 7U);
    g.ok(voltage, 0x5, {0, 0});
    CHECK_EQ(knob("vdd0/on"), 0U);
    CHECK_EQ(g.status(voltage, 0x5, {0, 1}), invalid_parameters);
    CHECK_EQ(g.status(voltage, 0x5, {0, 0x17}), invalid_parameters);
}

TEST_RINGS("scmi: a request for system power goes to the manager, the announcement comes back")
{
    ScmiFixture t(with_ring(ring));
    Control manager;
    manager.genl().join(DEVHOST_MCGRP_POWER);
    t.guest.ok(system_power, 0x5, {1});
    t.guest.ok(system_power, 0x3, {1, 0});
    const auto told = manager.genl().notification(5000);
    CHECK(told.has_value());
    CHECK_EQ(told->command, DEVHOST_CMD_POWER_REQUEST_NTF);
    const DeviceInfo info = parse_device(*told);
    CHECK_EQ(info.guest, t.device.guest());
    // A manager that was not there finds it.
    const auto asked = find(t.device.info().backend, DEVHOST_A_SCMI_REQUEST);
    CHECK(asked.has_value());
    CHECK_EQ(number(asked->children(), DEVHOST_A_SCMI_REQUEST_STATE, 99), 0U);
    CHECK_EQ(number(asked->children(), DEVHOST_A_SCMI_REQUEST_FLAGS), 1U);
    CHECK_EQ(number(asked->children(), DEVHOST_A_SCMI_REQUEST_SEQ), 1U);

    CHECK_EQ(announce(t.device, 0, 1, 7000), 0);
    const auto event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->type, notification);
    CHECK_EQ(event->protocol, system_power);
    CHECK_EQ(event->payload.size(), 16U);
    CHECK_EQ(event->u32(4), 1U);
    CHECK_EQ(event->u32(8), 0U);
    CHECK_EQ(event->u32(12), 7000U);
    CHECK_EQ(t.guest.status(system_power, 0x3, {2, 0}), invalid_parameters);
    CHECK_EQ(t.guest.status(system_power, 0x3, {0, 3}), invalid_parameters);
    CHECK_EQ(t.guest.status(system_power, 0x3, {0, 5}), invalid_parameters);
    CHECK_EQ(t.guest.ok(system_power, 0x4).u32(0), 3U);
}

TEST_RINGS("scmi: a guest without system power has none, and can't be told of it")
{
    calm();
    TestDevice device(params({{DEVHOST_SCMI_CLOCK, "clk0"}}, ring, false));
    ScmiGuest g(device.path(), with_ring(ring));
    g.bring_up();
    CHECK_EQ(g.status(system_power, 0x3, {0, 0}), not_supported);
    CHECK_EQ(announce(device, 0, 0, 0), -EOPNOTSUPP);
    g.good();
}

TEST("scmi: what can't be created, and why")
{
    calm();
    Control control;
    const auto refused = [&](const std::vector<Resource> &have, int error) {
        DeviceParams device = params(have);
        device.guest = "refused";
        device.name = "scmi0";
        control.guest_new("refused");
        const NetlinkReply reply = control.try_device_new(device);
        control.guest_del("refused");
        CHECK_EQ(reply.error, error);
        CHECK(!reply.extack.empty());
    };
    refused({{DEVHOST_SCMI_CLOCK, "nothing"}}, -ENOENT);
    refused({{DEVHOST_SCMI_CLOCK, "clk0", "", "nowhere"}}, -ENODEV);
    refused({{DEVHOST_SCMI_CLOCK, "clk0"}, {DEVHOST_SCMI_CLOCK, "clk0", "again"}}, -EEXIST);
    refused({{DEVHOST_SCMI_VOLTAGE, "vdd9"}}, -ENODEV);
    refused({{DEVHOST_SCMI_RESET, "rst9"}}, -ENOENT);
    refused({{DEVHOST_SCMI_POWER, "scmi_prov"}}, -EOPNOTSUPP); // no runtime PM
    refused({{DEVHOST_SCMI_PERF, "scmi_prov"}}, -ENODEV);      // no operating points
    refused({{DEVHOST_SCMI_PERF, "cpu0", "", "", DEVHOST_SCMI_SOURCE_CPUFREQ}}, -ENODEV);
    refused({{DEVHOST_SCMI_SENSOR, "no-zone", "", ""}}, -ENODEV);
    refused({{DEVHOST_SCMI_CLOCK, "clk0", "", "scmi_prov", DEVHOST_SCMI_SOURCE_IIO}}, -EOPNOTSUPP);
    refused({{DEVHOST_SCMI_CLOCK, "clk0", "", "scmi_prov", DEVHOST_SCMI_SOURCE_DEFAULT, false,
              200000000}},
            -ERANGE);
    // By the module's own device, where none is named.
    TestDevice device(params({{DEVHOST_SCMI_CLOCK, "board-clk", "", ""}}));
    ScmiGuest g(device.path(), {});
    g.bring_up();
    CHECK_EQ(g.ok(clk, 0x6, {0}).u64(0), knob("clk2/rate"));
}
