// SPDX-License-Identifier: Apache-2.0
// bad-input 4.6: C6 and C8, and what a real controller brings: late
// acknowledgment, back-pressure, errors, bus-off. On candev_sim's simulated bus.
#include <linux/can/error.h>

#include "can.hpp"
#include "host.hpp"

using namespace dh;
using can::Frame;
using can::SimBus;

namespace {

struct SimFixture {
    explicit SimFixture(RingKind ring, const std::string &options = "", uint32_t inflight = 0)
        : bus(options),
          device(make(ring, inflight)),
          guest(device.path(), with_ring(ring)),
          host("csim1", true)
    {
        guest.bring_up();
    }
    static DeviceParams make(RingKind ring, uint32_t inflight)
    {
        DeviceParams p = can::params("csim0", ring);
        if (inflight) {
            p.backend->u32(DEVHOST_A_CAN_TX_INFLIGHT, inflight);
        }
        return p;
    }
    uint32_t state()
    {
        return static_cast<uint32_t>(number(device.info().backend, DEVHOST_A_CAN_STATE));
    }
    void wait_state(uint32_t wanted)
    {
        for (int waited = 0; waited < 5000 && state() != wanted; waited += 10) {
            usleep(10000);
        }
        CHECK_EQ(state(), wanted);
    }
    // Bus-off reaches the guest as a config change with its interrupt.
    void busoff_seen()
    {
        CHECK(guest.config_interrupts(5000) >= 1);
        CHECK_EQ(guest.config_status(), can::status_busoff);
        wait_state(DEVHOST_CAN_BUSOFF);
        CHECK(!guest.needs_reset());
    }
    // START succeeds as soon as the bus is there again.
    void start_again()
    {
        uint8_t result = 0xff;
        for (int waited = 0; waited < 5000; waited += 20) {
            result = guest.control(can::msg_start).value_or(0xff);
            if (result == can::result_ok) {
                break;
            }
            usleep(20000);
        }
        CHECK_EQ(result, can::result_ok);
        CHECK_EQ(guest.config_status(), 0);
        CHECK_EQ(state(), uint32_t{DEVHOST_CAN_STARTED});
    }

    SimBus bus;
    TestDevice device;
    can::CanGuest guest;
    can::Socket host;
};

} // namespace

TEST_RINGS("late ack: answered when the frame was on the bus, not before")
{
    SimFixture t(ring);
    CHECK(t.guest.features() & bit(can::f_late_tx_ack));
    SimBus::set("csim0/tx_hold", "1");
    for (uint8_t i = 0; i < 10; i++) {
        CHECK(t.guest.queue_tx({0x100, 0, {i}}) >= 0);
    }
    usleep(200000);
    CHECK(!t.guest.queue(can::txq).ready());
    CHECK(!t.host.receive(0));
    SimBus::set("csim0/tx_hold", "0");
    for (uint8_t i = 0; i < 10; i++) {
        CHECK_EQ(t.guest.collect().result, can::result_ok);
        CHECK_EQ(t.host.receive().value_or(Frame{}), (Frame{0x100, 0, {i}}));
    }
    t.guest.good(t.host);
    CHECK(!t.guest.receive(50)); // never its own
}

TEST_RINGS("late ack: a frame that the bus loses fails, the others pass")
{
    SimFixture t(ring);
    SimBus::set("csim0/tx_lose", "3");
    unsigned failed = 0;
    for (uint8_t i = 0; i < 20; i++) {
        CHECK(t.guest.queue_tx({0x100, 0, {i}}) >= 0);
    }
    for (int i = 0; i < 20; i++) {
        failed += t.guest.collect().result != can::result_ok;
    }
    CHECK_EQ(failed, 3U);
    t.guest.good(t.host);
}

TEST_RINGS("back-pressure: a full controller slows the queue and loses nothing")
{
    for (uint32_t inflight : {0U, 1U, 1024U}) {
        SimFixture t(ring, "", inflight);
        unsigned flying = 0;
        for (uint32_t n = 0; n < 600; n++) {
            const Frame frame{0x100 + n % 8,
                              n % 3 ? 0 : can::flag_fd,
                              {static_cast<uint8_t>(n), static_cast<uint8_t>(n >> 8)}};
            while (t.guest.queue_tx(frame) < 0 || flying >= 100) {
                CHECK_EQ(t.guest.collect().result, can::result_ok);
                flying--;
                if (flying < 100) {
                    break;
                }
            }
            flying++;
        }
        while (flying--) {
            CHECK_EQ(t.guest.collect().result, can::result_ok);
        }
        unsigned heard = 0;
        while (t.host.receive(200)) {
            heard++;
        }
        CHECK_EQ(t.device.stats().counters.at("tx_frames"), uint64_t{heard});
        t.guest.good(t.host);
    }
}

TEST_RINGS("back-pressure: held by the bus for long, then all of it in order")
{
    SimFixture t(ring);
    SimBus::set("csim0/tx_hold", "1");
    for (uint32_t n = 0; n < 120; n++) {
        CHECK(t.guest.queue_tx({0x200, 0, {static_cast<uint8_t>(n)}}) >= 0);
    }
    usleep(500000);
    SimBus::set("csim0/tx_hold", "0");
    for (uint32_t n = 0; n < 120; n++) {
        CHECK_EQ(t.guest.collect().result, can::result_ok);
        CHECK_EQ(t.host.receive().value_or(Frame{}), (Frame{0x200, 0, {static_cast<uint8_t>(n)}}));
    }
    t.guest.good(t.host);
}

TEST_RINGS("limits: frames in flight wait in the queue, and STOP does not")
{
    SimFixture t(ring);
    const auto held = [&] { return t.device.stats().vqs.at(can::txq).inflight; };
    const auto full = [&] {
        for (int waited = 0; held() < 5 && waited < 5000; waited += 5) {
            usleep(5000);
        }
        usleep(50000); // and no more
        CHECK_EQ(held(), 5U);
    };
    t.device.control().guest_set(t.device.guest(), {{DEVHOST_A_LIMIT_IN_FLIGHT, 5}});
    SimBus::set("csim0/tx_hold", "1");
    for (uint8_t n = 0; n < 40; n++) {
        CHECK(t.guest.queue_tx({0x200, 0, {n}}) >= 0);
    }
    full();
    SimBus::set("csim0/tx_hold", "0");
    for (uint8_t n = 0; n < 40; n++) {
        CHECK_EQ(t.guest.collect().result, can::result_ok);
        CHECK_EQ(t.host.receive().value_or(Frame{}), (Frame{0x200, 0, {n}}));
    }
    SimBus::set("csim0/tx_hold", "1");
    for (uint8_t n = 0; n < 20; n++) {
        CHECK(t.guest.queue_tx({0x100, 0, {n}}) >= 0);
    }
    full();
    CHECK_EQ(t.guest.control(can::msg_stop).value_or(0xff), can::result_ok);
    for (int n = 0; n < 20; n++) {
        CHECK_EQ(t.guest.collect().result, can::result_not_ok);
    }
    CHECK_EQ(held(), 0U);
    SimBus::set("csim0/tx_hold", "0");
    t.start_again();
    while (t.host.receive(50)) {
    }
    t.guest.good(t.host);
}

TEST_RINGS("C6 STOP with transmissions in flight: each answered once")
{
    SimFixture t(ring);
    for (int round = 0; round < 10; round++) {
        SimBus::set("csim0/tx_hold", "1");
        for (uint8_t i = 0; i < 60; i++) {
            CHECK(t.guest.queue_tx({0x100, 0, {i}}) >= 0);
        }
        usleep(20000);
        CHECK_EQ(t.guest.control(can::msg_stop).value_or(0xff), can::result_ok);
        for (int i = 0; i < 60; i++) {
            CHECK_EQ(t.guest.collect().result, can::result_not_ok);
        }
        CHECK(!t.guest.queue(can::txq).ready());
        SimBus::set("csim0/tx_hold", "0");
        t.start_again();
        while (t.host.receive(50)) {
        }
        t.guest.good(t.host);
    }
    CHECK_EQ(t.device.stats().vqs.at(can::txq).inflight, 0U);
}

TEST_RINGS("C6 bus-off with transmissions in flight: each answered once")
{
    SimFixture t(ring);
    for (int round = 0; round < 5; round++) {
        t.guest.config_interrupts();
        SimBus::set("csim0/tx_hold", "1");
        for (uint8_t i = 0; i < 60; i++) {
            CHECK(t.guest.queue_tx({0x100, 0, {i}}) >= 0);
        }
        usleep(20000);
        SimBus::set("csim0/bus_off", "1");
        t.busoff_seen();
        for (int i = 0; i < 60; i++) {
            CHECK_EQ(t.guest.collect().result, can::result_not_ok);
        }
        CHECK(!t.guest.queue(can::txq).ready());
        CHECK_EQ(t.guest.send({0x100, 0, {}}).value_or(0xff), can::result_not_ok);
        CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_not_ok);
        shell("ip link set csim0 type can restart");
        SimBus::set("csim0/tx_hold", "0");
        t.start_again();
        while (t.host.receive(50)) {
        }
        t.guest.good(t.host);
    }
}

TEST_RINGS("C8 error frames of all kinds harm nobody")
{
    SimFixture t(ring);
    for (int n = 0; n < 29; n++) {
        if ((1U << n) == uint32_t{CAN_ERR_BUSOFF} || (1U << n) == uint32_t{CAN_ERR_RESTARTED}) {
            continue;
        }
        std::ostringstream mask;
        mask << "0x" << std::hex << (1U << n);
        SimBus::set("csim0/inject_error", mask.str());
        t.guest.good(t.host);
    }
    for (const char *state : {"error-warning", "error-passive", "error-active"}) {
        SimBus::set("csim0/state", state);
        t.guest.good(t.host);
        CHECK_EQ(t.guest.config_status(), 0);
    }
    CHECK(t.device.stats().counters.at("error_frames") > 0);
    CHECK_EQ(t.state(), uint32_t{DEVHOST_CAN_STARTED});
}

TEST_RINGS("C8 error frames that a local socket sends are no bus-off")
{
    can::CanFixture t(with_ring(ring));
    for (uint32_t mask : {uint32_t{CAN_ERR_BUSOFF}, uint32_t{CAN_ERR_RESTARTED}, 0x1fffffffU}) {
        can_frame raw{};
        raw.can_id = CAN_ERR_FLAG | mask;
        raw.can_dlc = 8;
        CHECK_EQ(write(t.host.fd(), &raw, sizeof(raw)), ssize_t{sizeof(raw)});
        t.guest.good(t.host);
    }
    CHECK_EQ(t.guest.config_status(), 0);
}

TEST_RINGS("C8 bus-off and automatic restart under load, the guest starts again")
{
    SimFixture t(ring, "restart-ms 50");
    for (int round = 0; round < 5; round++) {
        t.guest.config_interrupts();
        for (uint8_t i = 0; i < 30; i++) {
            CHECK(t.guest.queue_tx({0x100, 0, {i}}) >= 0);
        }
        SimBus::set("csim0/state", "bus-off");
        t.busoff_seen();
        for (int i = 0; i < 30; i++) {
            t.guest.collect();
        }
        CHECK(!t.guest.queue(can::txq).ready());
        // The restart of the bus is not the guest's: it has to start by itself.
        usleep(200000);
        CHECK_EQ(t.guest.config_status(), can::status_busoff);
        t.start_again();
        while (t.host.receive(50)) {
        }
        t.guest.good(t.host);
    }
    CHECK_EQ(t.device.stats().counters.at("bus_off"), 5U);
}

TEST_RINGS("C8 interface down and up under load")
{
    SimFixture t(ring);
    for (int round = 0; round < 5; round++) {
        t.guest.config_interrupts();
        for (uint8_t i = 0; i < 30; i++) {
            CHECK(t.guest.queue_tx({0x100, 0, {i}}) >= 0);
        }
        shell("ip link set csim0 down");
        t.busoff_seen();
        for (int i = 0; i < 30; i++) {
            t.guest.collect();
        }
        CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_not_ok);
        shell("ip link set csim0 up");
        t.start_again();
        while (t.host.receive(50)) {
        }
        t.guest.good(t.host);
    }
}

TEST_RINGS("C8 interface removed and back under load")
{
    SimFixture t(ring);
    for (int round = 0; round < 5; round++) {
        t.guest.config_interrupts();
        for (uint8_t i = 0; i < 30; i++) {
            CHECK(t.guest.queue_tx({0x100, 0, {i}}) >= 0);
        }
        SimBus::set("csim0/plugged", "0");
        t.busoff_seen();
        for (int i = 0; i < 30; i++) {
            t.guest.collect();
        }
        CHECK(!find(t.device.info().backend, DEVHOST_A_CAN_IFINDEX));
        CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_not_ok);
        SimBus::set("csim0/plugged", "1");
        SimBus::configure("csim0", "");
        t.start_again();
        CHECK(find(t.device.info().backend, DEVHOST_A_CAN_IFINDEX).has_value());
        while (t.host.receive(50)) {
        }
        t.guest.good(t.host);
    }
}

TEST_RINGS("C8 bit rate changed, interface renamed, MTU changed")
{
    SimFixture t(ring);
    t.guest.config_interrupts();
    shell("ip link set csim0 down");
    t.busoff_seen();
    shell("ip link set csim0 type can bitrate 500000 dbitrate 2000000 fd on");
    shell("ip link set csim0 up");
    t.start_again();
    t.guest.good(t.host);

    // Away under its name, and back.
    shell("ip link set csim0 down");
    t.busoff_seen();
    shell("ip link set csim0 name csimX && ip link set csimX up");
    CHECK_EQ(t.guest.control(can::msg_start).value_or(0xff), can::result_not_ok);
    shell("ip link set csimX down && ip link set csimX name csim0 && ip link set csim0 up");
    t.guest.config_interrupts();
    t.start_again();
    t.guest.good(t.host);

    // Without FD: FD frames of the guest fail, others pass.
    shell("ip link set csim0 down");
    t.busoff_seen();
    shell("ip link set csim0 type can fd off && ip link set csim0 up");
    t.start_again();
    CHECK_EQ(t.guest.send({0x100, can::flag_fd, {1}}).value_or(0xff), can::result_not_ok);
    t.guest.good(t.host);
}

TEST_RINGS("C8 the whole bus goes while the device is in use, then the device")
{
    can::Vcan other("vcanU");
    {
        TestDevice device(can::params(other.name(), ring));
        can::CanGuest g(device.path(), with_ring(ring));
        g.bring_up();
        shell("ip link del dev vcanU");
        CHECK(g.config_interrupts(3000) >= 1);
        CHECK_EQ(g.config_status(), can::status_busoff);
        CHECK_EQ(g.send({0x1, 0, {}}).value_or(0xff), can::result_not_ok);
        g.begin_again_stopped();
        CHECK_EQ(g.control(can::msg_start).value_or(0xff), can::result_not_ok);
    }
}

TEST_RINGS("reset with transmissions on the bus x 100: nothing comes later")
{
    SimFixture t(ring);
    for (int i = 0; i < 100; i++) {
        for (uint8_t n = 0; n < 20; n++) {
            t.guest.queue_tx({0x100, 0, {n}});
        }
        if (i % 2) {
            usleep(1000);
        }
        t.guest.begin_again();
    }
    while (t.host.receive(50)) {
    }
    t.guest.good(t.host);
}

TEST_RINGS("suspend with transmissions on the bus")
{
    SimFixture t(ring);
    for (int i = 0; i < 10; i++) {
        for (uint8_t n = 0; n < 20; n++) {
            CHECK(t.guest.queue_tx({0x100, 0, {n}}) >= 0);
        }
        must(t.guest.vdpa().suspend(), "suspend");
        CHECK_EQ(t.device.stats().vqs.at(can::txq).inflight, 0U);
        usleep(10000);
        must(t.guest.vdpa().resume(), "resume");
        for (int n = 0; n < 20; n++) {
            t.guest.collect();
        }
        while (t.host.receive(20)) {
        }
        t.guest.good(t.host);
    }
}
