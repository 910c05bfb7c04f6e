// SPDX-License-Identifier: Apache-2.0
// bad-input 4.4: S7, the configuration space and its interrupt.
#include <atomic>
#include <cstring>
#include <thread>

#include "hostile.hpp"

using namespace dh;

TEST_RINGS("S7 config read at any offset and length")
{
    HostileFixture t(with_ring(ring));
    Vdpa &v = t.guest.vdpa();
    CHECK_EQ(v.config_size(), sizeof(echo_config));
    echo_config whole{};
    must(v.config_get(0, &whole, sizeof(whole)), "config");
    CHECK_EQ(whole.magic, uint32_t{ECHO_MAGIC});
    const auto *bytes = reinterpret_cast<const uint8_t *>(&whole);
    for (uint32_t offset = 0; offset < sizeof(whole); offset++) {
        for (uint32_t length : {1U, 2U, 3U, 4U, 7U, 8U}) {
            uint8_t part[8]{};
            if (offset + length > sizeof(whole)) {
                CHECK(v.config_get(offset, part, length) < 0);
                continue;
            }
            must(v.config_get(offset, part, length), "part of the config");
            CHECK(!memcmp(part, bytes + offset, length));
        }
    }
    uint8_t big[256];
    for (auto [offset, length] : {std::pair{0U, 0U},
                                  {0U, 65U},
                                  {64U, 1U},
                                  {65U, 1U},
                                  {0xffffffffU, 1U},
                                  {0xfffffff0U, 32U},
                                  {1U, 0xffU}}) {
        CHECK(v.config_get(offset, big, length) < 0);
    }
    t.guest.good();
}

TEST_RINGS("S7 config write: read-only part, past the end, unaligned")
{
    HostileFixture t(with_ring(ring));
    Vdpa &v = t.guest.vdpa();
    const uint8_t ff[128] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    must(v.config_set(0, ff, 8), "ignored write");
    echo_config c{};
    must(v.config_get(0, &c, sizeof(c)), "config");
    CHECK_EQ(c.magic, uint32_t{ECHO_MAGIC});
    CHECK_EQ(c.writes, 0U);
    for (uint32_t offset : {16U, 17U, 19U, 61U}) {
        const uint8_t data[3] = {static_cast<uint8_t>(offset), 0x12, 0x34};
        must(v.config_set(offset, data, 3), "write");
        uint8_t back[3];
        must(v.config_get(offset, back, 3), "read");
        CHECK(!memcmp(data, back, 3));
    }
    for (auto [offset, length] : {std::pair{62U, 3U}, {64U, 1U}, {0U, 65U}, {0xffffffffU, 2U}}) {
        CHECK(v.config_set(offset, ff, length) < 0);
    }
    t.guest.good();
}

TEST_RINGS("S7 config change comes with its interrupt and a consistent view")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    g.config_interrupts();
    for (uint32_t i = 1; i <= 20; i++) {
        CHECK_EQ(g.control(ECHO_OP_CONFIG_CHANGE).value_or(0), i);
        CHECK(g.config_interrupts(2000) >= 1);
        echo_config c{};
        must(g.vdpa().config_get(0, &c, sizeof(c)), "config");
        CHECK_EQ(c.changes, i);
    }
    CHECK_EQ(g.config_interrupts(50), 0U);

    // From the host, by netlink.
    Attrs backend;
    backend.u32(ECHO_A_TAG, 4711);
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, t.device.guest());
    fields.string(DEVHOST_A_DEV_NAME, t.device.name());
    fields.nest(DEVHOST_A_DEV_BACKEND, backend);
    const auto reply = t.device.control().genl().request(DEVHOST_CMD_DEVICE_SET,
                                                         Attrs().nest(DEVHOST_A_DEV, fields));
    CHECK_EQ(reply.error, 0);
    CHECK(g.config_interrupts(2000) >= 1);
    echo_config c{};
    must(g.vdpa().config_get(0, &c, sizeof(c)), "config");
    CHECK_EQ(c.tag, 4711U);
    CHECK_EQ(c.changes, 21U);
    g.good();
}

TEST_RINGS("S7 config read racing with changes")
{
    HostileFixture t(with_ring(ring));
    std::atomic<bool> stop = false;
    std::thread reader([&] {
        uint32_t last = 0;
        while (!stop) {
            echo_config c{};
            if (t.guest.vdpa().config_get(0, &c, sizeof(c)) || c.magic != ECHO_MAGIC ||
                c.changes < last) {
                tap::fail_later("a config read shows what never was");
                return;
            }
            last = c.changes;
        }
    });
    for (int i = 0; i < 2000; i++) {
        if (!t.guest.control(ECHO_OP_CONFIG_CHANGE)) {
            tap::fail_later("CONFIG_CHANGE refused");
        }
    }
    stop = true;
    reader.join();
    t.guest.good();
}

TEST_RINGS("S7 config eventfd closed and swapped")
{
    HostileFixture t(with_ring(ring));
    for (int i = 0; i < 50; i++) {
        must(t.guest.vdpa().config_call(-1), "none");
        CHECK(t.guest.control(ECHO_OP_CONFIG_CHANGE).has_value());
        must(t.guest.vdpa().config_call(t.guest.queue(0).call_fd()), "another");
        CHECK(t.guest.control(ECHO_OP_CONFIG_CHANGE).has_value());
    }
    CHECK(t.guest.vdpa().config_call(9999) < 0);
    t.guest.good();
}

TEST_RINGS("S7 DEVICE_NEEDS_RESET comes with the config interrupt")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    g.config_interrupts();
    // The answer may not come any more.
    const uint64_t b = g.alloc(64);
    *g.as<echo_control_out>(b) = {ECHO_OP_BREAK, {0, 0, 0}};
    g.put({{b, 16}, {b + 16, 16, VRING_DESC_F_WRITE}}, ECHO_VQ_CONTROL);
    CHECK(g.config_interrupts(5000) >= 1);
    CHECK(g.needs_reset());
    CHECK_EQ(t.device.info().state, uint32_t{DEVHOST_DEV_BROKEN});
    CHECK(!t.device.info().reason.empty());
    // The queues that have nothing to do with it are served on.
    const auto request = g.send(ECHO_VQ_ECHO, 32, 32);
    g.queue(ECHO_VQ_ECHO).kick();
    g.verify(request, g.queue(ECHO_VQ_ECHO).expect());
    g.restart();
    g.good();
    CHECK(t.device.info().reason.empty());
}
