// SPDX-License-Identifier: Apache-2.0
// A host that goes down with nobody asked, `reboot -f`: it is held when all have been told of it
// (tests/kmod/reboot_hold). The machine is good for nothing else afterwards.
#include <sys/reboot.h>
#include <unistd.h>

#include "can.hpp"
#include "echo.hpp"
#include "host.hpp"
#include "scmi.hpp"

using namespace dh;

namespace {

// A device with a request that it keeps and, after that, one that comes too late.
struct Keeper {
    Keeper(RingKind ring, const std::string &guest_name)
        : device(named(echo_params(ring), guest_name)), guest(device.path(), with_ring(ring))
    {
        guest.start();
        CHECK(guest.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());
        kept = guest.send(ECHO_VQ_LATE, 64, 64);
        CHECK(within(5000, [&] { return guest.count(100) == 1; }));
    }
    static DeviceParams named(DeviceParams params, const std::string &guest_name)
    {
        params.guest = guest_name;
        return params;
    }
    bool serves()
    {
        guest.send(ECHO_VQ_ECHO, 32, 32);
        guest.queue(ECHO_VQ_ECHO).kick();
        return guest.queue(ECHO_VQ_ECHO).wait(300);
    }

    TestDevice device;
    EchoGuest guest;
    EchoGuest::Request kept{};
};

// A process that takes the machine down when told. It is made before any device is open, since
// it is held for ever with all that it has; nobody waits for it.
class Reboot {
public:
    Reboot()
    {
        shell("modprobe reboot_hold");
        int ends[2];
        CHECK_EQ(pipe(ends), 0);
        const Fd told(ends[0]);
        go_ = Fd(ends[1]);
        const pid_t child = fork();
        CHECK(child >= 0);
        if (!child) {
            go_.reset();
            char word = 0;
            if (read(told.get(), &word, 1) == 1) {
                reboot(RB_AUTOBOOT);
            }
            _exit(1);
        }
    }
    void now()
    {
        CHECK_EQ(write(go_.get(), "1", 1), 1);
        const auto held = [] {
            return read_file("/sys/module/reboot_hold/parameters/held") == "Y\n";
        };
        CHECK(within(20000, held));
    }

private:
    Fd go_;
};

void is_stopped(TestDevice &device)
{
    const DeviceInfo info = device.info();
    CHECK_EQ(info.state, uint32_t{DEVHOST_DEV_QUIESCED});
    CHECK_EQ(info.reason, std::string("the host shuts down"));
}

} // namespace

TEST("a host that is rebooted by force has its devices stopped first")
{
    Reboot reboot;
    Keeper split(RingKind::split, "split");
    Keeper packed(RingKind::packed, "packed");
    can::CanFixture bus(with_ring(RingKind::split));
    scmi::ScmiFixture agent(with_ring(RingKind::packed));
    agent.guest.ok(scmi::clk, 0x7, {0, 1, 0});
    bus.guest.good(bus.host);

    reboot.now();

    for (Keeper *keeper : {&split, &packed}) {
        is_stopped(keeper->device);
        keeper->guest.verify(keeper->kept, keeper->guest.queue(ECHO_VQ_LATE).expect());
        CHECK(!keeper->serves());
        // Nor after a reset.
        keeper->guest.restart();
        is_stopped(keeper->device);
        CHECK(!keeper->serves());
    }
    is_stopped(bus.device);
    is_stopped(agent.device);
    CHECK(agent.guest.queue_call(scmi::clk, 0x6, {0}) >= 0);
    CHECK(!agent.guest.queue(scmi::cmdq).wait(300));
}
