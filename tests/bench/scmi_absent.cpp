// SPDX-License-Identifier: Apache-2.0
// What a guest learns of a resource from how long the refusal takes (bad-input M4): instructions
// for a command about one that another guest has, or that its policy hides, beside one that nobody
// has.
#include <sys/mman.h>
#include <sys/resource.h>

#include "driver_queue.hpp"
#include "host.hpp"
#include "measure.hpp"
#include "policy_in_force.hpp"
#include "scmi.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

constexpr unsigned round_trips = 1000;
constexpr uint8_t rate_get = 0x6;
constexpr uint32_t nobodys = 9;
constexpr const char *metric = "instructions per command";

// A guest of two clocks.
struct Prober {
    Prober() : device(params()), guest(device.path(), {}) { guest.bring_up(); }

    static DeviceParams params()
    {
        DeviceParams params =
            scmi::params({{DEVHOST_SCMI_CLOCK, "clk0"}, {DEVHOST_SCMI_CLOCK, "clk1"}});
        params.guest = "prober";
        return params;
    }

    // Of refusals.
    double cost(uint32_t clock)
    {
        expect(guest.status(scmi::clk, rate_get, {clock}) == scmi::not_found, "it was not refused");
        const uint64_t where = guest.memory().alloc(64);
        auto *words = guest.memory().as<uint32_t>(where);
        words[0] = scmi::header(scmi::clk, rate_get);
        words[1] = clock;
        Requests requests;
        requests.written = 8;
        requests.pieces.push_back({Buffer{where, 8, false}, Buffer{where + 32, 16, true}});
        DriverQueue queue(guest.queue(scmi::cmdq), requests);
        return per_frame(round_trips, [&] {
            for (unsigned i = 0; i < round_trips; i++) {
                queue.call(1);
            }
        });
    }

    TestDevice device;
    scmi::ScmiGuest guest;
};

void run()
{
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &all);
    shell("modprobe -a devhost vhost_scmi vhost_vdpa");
    wait_for_boot();
    require_icount();
    scmi::calm();
    mlockall(MCL_CURRENT | MCL_FUTURE);
    {
        TestDevice other(scmi::params({{DEVHOST_SCMI_CLOCK, "clk0"},
                                       {DEVHOST_SCMI_CLOCK, "clk1"},
                                       {DEVHOST_SCMI_CLOCK, "clk2"}}));
        Prober prober;
        wait_for_udev();
        row("scmi/absent/foreign", metric, "instructions", prober.cost(2), prober.cost(nobodys));
    }
    Prober prober;
    PolicyInForce policy(prober.device.control().guest("prober").id, {}, R"(
[policy.scmi]
default = "allow"
[[policy.scmi.rule]]
verdict = "deny"
protocol = "clock"
resource = 1
)");
    wait_for_udev();
    row("scmi/absent/hidden", metric, "instructions", prober.cost(1), prober.cost(nobodys));
}

} // namespace

int main()
{
    return run_figures(run);
}
