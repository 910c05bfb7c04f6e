// SPDX-License-Identifier: Apache-2.0
// What one guest's storm of SCMI commands that sleep does to another's commands.
#include <array>
#include <memory>

#include "host.hpp"
#include "measure.hpp"
#include "scmi.hpp"
#include "storm_rig.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

constexpr uint8_t clock_rate_get = 0x6;
constexpr uint8_t clock_config_set = 0x7;
constexpr uint8_t power_state_set = 0x4;
// Under way at any time, beside one that takes its time.
constexpr unsigned fast = 8;

DeviceParams params(const std::string &guest, const std::vector<scmi::Resource> &resources)
{
    DeviceParams device = scmi::params(resources);
    device.guest = guest;
    return device;
}

// Commands of a guest that each change something: a helper thread runs them.
class Sleepers {
public:
    explicit Sleepers(const std::string &path) : guest_(path, {})
    {
        guest_.bring_up();
        guest_.good();
        for (unsigned i = 0; i < fast; i++) {
            clock();
        }
        slow_ = domain();
    }

    void step()
    {
        if (guest_.collect().id == slow_) {
            slow_ = domain();
        } else {
            clock();
        }
    }

private:
    void clock()
    {
        on_ = !on_;
        expect(guest_.queue_call(scmi::clk, clock_config_set, {0, on_, 0}) >= 0, "no room");
    }
    int domain()
    {
        off_ ^= scmi::power_off;
        return guest_.queue_call(scmi::power, power_state_set, {0, 0, off_});
    }

    scmi::ScmiGuest guest_;
    uint32_t on_ = 0;
    uint32_t off_ = scmi::power_off;
    int slow_ = -1;
};

void run()
{
    storm_begin();
    scmi::calm();
    TestDevice quiet(params("quiet", {{DEVHOST_SCMI_CLOCK, "clk0"}}));
    TestDevice noisy(
        params("noisy", {{DEVHOST_SCMI_CLOCK, "clk1"}, {DEVHOST_SCMI_POWER, "scmi_prov-pd0"}}));
    scmi::ScmiGuest guest(quiet.path(), {});
    guest.bring_up();
    guest.good();
    scmi::set_knob("pd0/delay_ms", 1);
    storm_rows(
        "scmi/storm", [&] { guest.ok(scmi::clk, clock_rate_get, {0}); },
        [&] {
            auto other = std::make_shared<Sleepers>(noisy.path());
            return [other] { other->step(); };
        });
    scmi::set_knob("pd0/delay_ms", 0);
    expect(noisy.stats().counters.at("deferred") > 1000, "it was no storm");
}

} // namespace

int main()
{
    return run_figures(run);
}
