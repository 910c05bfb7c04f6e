// SPDX-License-Identifier: Apache-2.0
// Instructions a CAN frame costs the device host, beside a native raw socket.
// docs/testing.md says what exactly is counted.
#include <sys/mman.h>
#include <sys/resource.h>

#include <optional>

#include "can_rig.hpp"
#include "host.hpp"
#include "measure.hpp"
#include "policy_in_force.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

constexpr unsigned batches = 100;
constexpr unsigned singles = 2000;
constexpr unsigned driver_queue = 256;

struct Costs {
    double tx_batch = 0;
    double rx_batch = 0;
    double tx_single = 0;
    double rx_single = 0;
};

// One frame after the other: whatever a frame wakes runs before the sender, and
// blocks again before the next one is sent.
double one_by_one(NativeSocket &sender)
{
    return per_frame(singles, [&] {
        for (unsigned i = 0; i < singles; i++) {
            sender.send_one();
        }
    });
}

// A burst is on its way before anybody gets to see its first frame.
double bursts(NativeSocket &sender, const std::function<void()> &receive)
{
    run_first();
    const double cost = per_frame(batches * batch, [&] {
        for (unsigned i = 0; i < batches; i++) {
            sender.send_batch();
            receive();
        }
    });
    run_normally();
    return cost;
}

// The sender alone on the bus: to be subtracted from what receiving costs.
Costs senders(const std::string &bus)
{
    NativeSocket sender(bus);
    return {.rx_batch = bursts(sender, [] {}), .rx_single = one_by_one(sender)};
}

Costs native(const std::string &bus, const Costs &alone)
{
    Costs costs;
    {
        NativeSocket sender(bus);
        costs.tx_batch = per_frame(batches * batch, [&] {
            for (unsigned i = 0; i < batches; i++) {
                sender.send_batch();
            }
        });
        costs.tx_single = per_frame(singles, [&] {
            for (unsigned i = 0; i < singles; i++) {
                sender.send_one();
            }
        });
    }
    NativeSocket sender(bus);
    NativeSocket receiver(bus);
    costs.rx_batch = bursts(sender, [&] { receiver.receive_batch(); }) - alone.rx_batch;
    Receiver thread([&] { receiver.receive_one(); });
    costs.rx_single = one_by_one(sender) - alone.rx_single;
    thread.stop();
    sender.send_one();
    return costs;
}

Costs bare(RingKind ring)
{
    BareRing tx(ring, driver_queue, [](GuestMemory &memory) { return can_requests(memory, true); });
    BareRing rx(ring, driver_queue,
                [](GuestMemory &memory) { return can_requests(memory, false); });
    Costs costs;
    costs.tx_batch = tx.cost(batch);
    costs.tx_single = tx.cost(1);
    costs.rx_batch = rx.cost(batch);
    costs.rx_single = rx.cost(1);
    return costs;
}

// With everything that the driver library does.
Costs gross(const std::string &bus, RingKind ring, const char *policy)
{
    TestDevice device(can::params(bus, ring));
    std::optional<PolicyInForce> in_force;
    if (policy) {
        in_force.emplace(device.control().guest(device.guest()).id, std::vector<PolicyDeviceId>{},
                         policy);
    }
    GuestSetup setup;
    setup.ring = ring;
    setup.queue_size = driver_queue;
    // Answered when sent, as vcan does it: nothing later tells more.
    can::CanGuest guest(device.path(), setup);
    guest.start();
    DriverQueue tx(guest.queue(can::txq), can_requests(guest.memory(), true));
    DriverQueue rx(guest.queue(can::rxq), can_requests(guest.memory(), false));
    rx.fill();
    if (guest.control(can::msg_start).value_or(0xff) != can::result_ok) {
        throw std::runtime_error("the controller does not start");
    }
    wait_for_udev();

    Costs costs;
    costs.tx_batch = per_frame(batches * batch, [&] {
        for (unsigned i = 0; i < batches; i++) {
            tx.call(batch);
        }
    });
    costs.tx_single = per_frame(singles, [&] {
        for (unsigned i = 0; i < singles; i++) {
            tx.call(1);
        }
    });
    NativeSocket sender(bus);
    costs.rx_batch = bursts(sender, [&] { rx.receive(batch); });
    {
        unsigned frames = 0;
        unsigned wakes = 0;
        run_first(static_cast<pid_t>(device.info().worker));
        Receiver thread([&] {
            frames += rx.receive_some();
            wakes++;
        });
        costs.rx_single = one_by_one(sender);
        thread.stop();
        sender.send_one();
        // Else it was not one at a time.
        if (frames > wakes + wakes / 100) {
            throw std::runtime_error("frames did not arrive one at a time");
        }
    }
    return costs;
}

Costs operator-(const Costs &a, const Costs &b)
{
    return {a.tx_batch - b.tx_batch, a.rx_batch - b.rx_batch, a.tx_single - b.tx_single,
            a.rx_single - b.rx_single};
}

void frame_row(const std::string &name, double value, double beside)
{
    row(name, "instructions per frame", "instructions", value, beside);
}

void rows(const std::string &suffix, const Costs &value, const Costs &beside)
{
    frame_row("can/tx/batch" + suffix, value.tx_batch, beside.tx_batch);
    frame_row("can/rx/batch" + suffix, value.rx_batch, beside.rx_batch);
    frame_row("can/tx/single" + suffix, value.tx_single, beside.tx_single);
    frame_row("can/rx/single" + suffix, value.rx_single, beside.rx_single);
}

void run()
{
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &all);
    shell("modprobe -a devhost vhost_can vhost_vdpa vcan can_raw");
    wait_for_boot();
    require_icount();
    const can::Vcan bus("vcanB");
    mlockall(MCL_CURRENT | MCL_FUTURE);

    wait_for_udev();
    const Costs alone = senders(bus.name());
    const Costs host = native(bus.name(), alone);
    for (const RingKind ring : {RingKind::split, RingKind::packed}) {
        const std::string suffix = ring == RingKind::packed ? "/packed" : "";
        const Costs driver = bare(ring);
        const Costs plain_gross =
            gross(bus.name(), ring, nullptr) - Costs{0, alone.rx_batch, 0, alone.rx_single};
        const Costs policy_gross =
            gross(bus.name(), ring, typical_policy) - Costs{0, alone.rx_batch, 0, alone.rx_single};
        const Costs plain = plain_gross - driver;
        const Costs policy = policy_gross - driver;
        rows(suffix, plain, host);
        rows("/policy" + suffix, policy, host);
        // How much the policy adds, and what the driver library's part is.
        rows("/policy-to-plain" + suffix, policy, plain);
        rows("/with-driver" + suffix, plain_gross, host);
    }
}

} // namespace

int main()
{
    return run_figures(run);
}
