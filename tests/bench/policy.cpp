// SPDX-License-Identifier: Apache-2.0
// Instructions that a policy adds to one item: the core's calls, asked in a loop by the test class,
// with the policy in force, less the same loop without one.
#include <sys/mman.h>
#include <sys/resource.h>

#include <array>

#include "echo.hpp"
#include "host.hpp"
#include "measure.hpp"
#include "policy_in_force.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

constexpr uint32_t times = 20000;

struct Policy {
    const char *name;
    echo_ask item;
    std::string toml;
};

// A list of seven rules that do not match the item and, behind them, one that does.
std::string list(const std::string &name, const std::string &head, const std::string &miss,
                 const std::string &hit)
{
    const std::string rule = "[[policy." + name + ".rule]]\nverdict = ";
    std::string toml = "[policy." + name + "]\ndefault = \"deny\"\n" + head;

    for (int i = 0; i < 7; i++) {
        toml += rule + "\"deny\"\n" + miss;
    }
    return toml + rule + "\"allow\"\n" + hit;
}

std::string allow(const std::string &name)
{
    return "[policy." + name + "]\ndefault = \"allow\"\n";
}

std::vector<Policy> policies()
{
    return {
        {"can/default", ECHO_ASK_CAN_SENT, allow("can.transmit")},
        {"can/sent", ECHO_ASK_CAN_SENT, typical_policy},
        {"can/received", ECHO_ASK_CAN_RECEIVED, typical_policy},
        {"can/rate", ECHO_ASK_CAN_SENT,
         list("can.transmit", "frames_per_second = 1000000\nframes_burst = 1000000\n",
              "range = [0x700, 0x7ff]\n", "")},
        {"snd/default", ECHO_ASK_SND, allow("snd.playback")},
        {"snd/rules", ECHO_ASK_SND,
         list("snd.playback", "streams_max = 4\n", "stream = 5\n",
              "rates = [44100, 48000]\nchannels_max = 2\nperiod_min = 1000\n")},
        {"scmi/default", ECHO_ASK_SCMI, allow("scmi")},
        {"scmi/rules", ECHO_ASK_SCMI,
         list("scmi", "", "protocol = \"sensor\"\n",
              "protocol = \"clock\"\nmessage = 0x5\nresource = 1\nvalue_max = 200000000\n")},
        {"scmi/rate", ECHO_ASK_SCMI,
         list("scmi", "messages_per_second = 1000000\nmessages_burst = 1000000\n",
              "protocol = \"sensor\"\n", "protocol = \"clock\"\n")},
        {"video/default", ECHO_ASK_VIDEO, allow("video.decode")},
        {"video/rules", ECHO_ASK_VIDEO,
         list("video.decode", "pixels_per_second_max = 100000000\n", "format = \"HEVC\"\n",
              "format = [\"H264\", \"VP90\"]\nwidth_max = 1920\nheight_max = 1080\n")},
    };
}

// Of one item, with what it takes to ask.
double cost(EchoGuest &guest, echo_ask item)
{
    return per_frame(times, [&] {
        expect(guest.control(ECHO_OP_ASK, item, times).value_or(0) == times,
               "the policy refuses what it should allow");
    });
}

void run()
{
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &all);
    shell("modprobe -a devhost vhost_vdpa vhost_echo");
    wait_for_boot();
    require_icount();
    mlockall(MCL_CURRENT | MCL_FUTURE);
    TestDevice device(echo_params(RingKind::split));
    EchoGuest guest(device.path(), {});
    guest.start();
    wait_for_udev();

    std::array<double, ECHO_ASK_VIDEO + 1> without{};
    for (unsigned item = 0; item < without.size(); item++) {
        without.at(item) = cost(guest, static_cast<echo_ask>(item));
    }
    for (const Policy &policy : policies()) {
        const PolicyInForce in_force(device.control().guest(device.guest()).id, {}, policy.toml);
        row(std::string("policy/") + policy.name, "instructions per item", "instructions",
            cost(guest, policy.item) - without.at(policy.item), 0);
    }
}

} // namespace

int main()
{
    return run_figures(run);
}
