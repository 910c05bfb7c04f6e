// SPDX-License-Identifier: Apache-2.0
// What one guest's storm of kicks does to another's round trips.
#include <memory>

#include "echo.hpp"
#include "measure.hpp"
#include "storm_rig.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

DeviceParams params(const std::string &guest)
{
    DeviceParams device = echo_params(RingKind::split);
    device.guest = guest;
    return device;
}

void run()
{
    storm_begin();
    TestDevice quiet(params("quiet"));
    TestDevice noisy(params("noisy"));
    EchoGuest g(quiet.path(), {});
    g.start();
    g.good();

    const uint64_t b = g.alloc(64);
    Queue &q = g.queue(ECHO_VQ_ECHO);
    const auto round_trip = [&] {
        q.add({{b, 32, false}, {b + 32, 32, true}});
        q.kick_if_wanted();
        q.expect();
    };
    storm_rows("core/storm", round_trip, [&] {
        auto other = std::make_shared<EchoGuest>(noisy.path(), GuestSetup{});
        other->start();
        other->good();
        return [other] { other->queue(ECHO_VQ_ECHO).kick(); };
    });
}

} // namespace

int main()
{
    return run_figures(run);
}
