// SPDX-License-Identifier: Apache-2.0
// Instructions an SCMI command costs the device host, beside the same call of
// the clock framework by a kernel thread together with a round trip to a device
// that does nothing. docs/testing.md says what exactly is counted.
#include "scmi.hpp"

#include <sys/mman.h>
#include <sys/resource.h>

#include "driver_queue.hpp"
#include "echo.hpp"
#include "host.hpp"
#include "measure.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

constexpr uint16_t queue_size = 256;
constexpr unsigned round_trips = 1000;
constexpr unsigned calls = 10000;
constexpr uint8_t rate_get = 0x6;
constexpr uint8_t config_set = 0x7;

// What is asked of the first clock: its rate, or to be enabled and disabled in turns.
enum class Command { rate, enable };

Requests requests(GuestMemory &memory, Command command)
{
    const bool rate = command == Command::rate;
    const uint32_t length = rate ? 8 : 12;
    Requests requests;
    requests.written = rate ? 16 : 8;
    for (const uint32_t on : {1, 0}) {
        const uint64_t where = memory.alloc(64);
        auto *words = memory.as<uint32_t>(where);
        words[0] = scmi::header(scmi::clk, rate ? rate_get : config_set);
        words[1] = 0;
        words[2] = on;
        requests.pieces.push_back(
            {Buffer{where, length, false}, Buffer{where + 32, requests.written, true}});
    }
    return requests;
}

double trips(DriverQueue &queue)
{
    return per_frame(round_trips, [&] {
        for (unsigned i = 0; i < round_trips; i++) {
            queue.call(1);
        }
    });
}

GuestSetup setup()
{
    GuestSetup setup;
    setup.queue_size = queue_size;
    return setup;
}

// With everything that the driver library does.
double command(Command command)
{
    TestDevice device(scmi::params({{DEVHOST_SCMI_CLOCK, "clk0"}}));
    scmi::ScmiGuest guest(device.path(), setup());
    guest.bring_up();
    wait_for_udev();
    DriverQueue queue(guest.queue(scmi::cmdq), requests(guest.memory(), command));
    const uint64_t enables = scmi::knob("clk0/enables");
    const double cost = trips(queue);
    expect(!device.stats().counters.at("refused"), "a command was refused");
    expect(command == Command::rate || scmi::knob("clk0/enables") >= enables + round_trips / 2,
           "the clock was not enabled");
    return cost;
}

// The same request, answered by our own core, with nothing behind it.
double echo(Command command)
{
    TestDevice device(echo_params(RingKind::split));
    EchoGuest guest(device.path(), setup());
    guest.start();
    wait_for_udev();
    Requests same = requests(guest.memory(), command);
    same.written = std::min(same.pieces[0][0].length, same.pieces[0][1].length);
    DriverQueue queue(guest.queue(ECHO_VQ_ECHO), same);
    return trips(queue);
}

double kernel_thread(Command command)
{
    const std::string knob = command == Command::rate ? "clk0/call_get_rate" : "clk0/call_enable";
    return per_frame(calls, [&] { scmi::set_knob(knob, calls); });
}

void rows(const std::string &name, Command what)
{
    const char *metric = "instructions per command";
    BareRing ring(RingKind::split, queue_size,
                  [&](GuestMemory &memory) { return requests(memory, what); });
    const double driver = ring.cost(1);
    const double thread = ring.round_trip();
    const double call = kernel_thread(what);
    const double bare = echo(what);
    const double whole = command(what);
    row(name, metric, "instructions", whole - driver, bare - driver + call);
    row(name + "/with-driver", metric, "instructions", whole, bare + call);
    // What the sum consists of: the ring, beside one that a thread of this process answers.
    row(name + "/ring", metric, "instructions", bare - driver, thread);
    row(name + "/call", metric, "instructions", call, 0);
}

void run()
{
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &all);
    shell("modprobe -a devhost vhost_scmi vhost_vdpa vhost_echo");
    wait_for_boot();
    require_icount();
    scmi::calm();
    mlockall(MCL_CURRENT | MCL_FUTURE);
    wait_for_udev();
    rows("scmi/clock-rate-get", Command::rate);
    rows("scmi/clock-enable", Command::enable);
}

} // namespace

int main()
{
    return run_figures(run);
}
