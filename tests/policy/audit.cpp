// SPDX-License-Identifier: Apache-2.0
// Audit mode: what a policy is against is served, counted and traced, until one that enforces takes
// its place.
#include <cerrno>
#include <fstream>
#include <iterator>

#include <sys/mount.h>
#include <sys/stat.h>

#include "whole.hpp"

using namespace dh;
using devhost::RuleCounters;

namespace {

const std::string audit = "[policy]\nmode = \"audit\"\n";
const std::string enforce = "[policy]\nmode = \"enforce\"\n";

// The trace of refusals, from construction on, apart from whoever else traces.
class Trace {
public:
    Trace()
    {
        CHECK(mount("tracefs", root, "tracefs", 0, nullptr) == 0 || errno == EBUSY);
        CHECK_EQ(mkdir(instance.c_str(), 0700), 0);
        std::ofstream enable(instance + "/events/devhost/devhost_policy_deny/enable");
        enable << "1" << std::flush;
        CHECK(enable.good());
    }
    Trace(const Trace &) = delete;
    Trace &operator=(const Trace &) = delete;
    ~Trace() { rmdir(instance.c_str()); }

    // How often it says that.
    unsigned says(const std::string &text) const
    {
        std::ifstream trace(instance + "/trace");
        unsigned found = 0;

        for (std::string line; std::getline(trace, line);) {
            found += line.find(text) != std::string::npos ? 1 : 0;
        }
        return found;
    }

private:
    static constexpr const char *root = "/sys/kernel/tracing";
    const std::string instance = std::string(root) + "/instances/devhost-audit";
};

// Of all devices of the guest.
uint64_t verdicts(WholeFixture &t, uint32_t kind)
{
    return t.can.device.control().guest("whole").verdicts[kind];
}

// What a guest does that none of these limits allows all of.
const std::string limits = R"(
[policy.can.transmit]
lowest_id = 0x200
default = "allow"
bits_per_second = 1
bits_burst = 1000
[policy.can.receive]
default = "allow"
bits_per_second = 1
bits_burst = 1000
[policy.snd.playback]
default = "allow"
streams_max = 1
[policy.snd.control]
default = "allow"
volume_max = 10
[policy.scmi]
default = "allow"
messages_per_second = 1
messages_burst = 1
[policy.video.decode]
default = "allow"
width_max = 320
)";

constexpr unsigned frames = 30; // of at least 50 bits: more than the burst
constexpr unsigned commands = 20;

struct Served {
    bool urgent = false; // a frame
    unsigned sent = 0;
    unsigned received = 0;
    bool loud = false;
    bool second = false; // stream at a time
    unsigned commands = 0;
    bool wide = false;
};

Served try_limits(WholeFixture &t)
{
    Served served{.urgent = t.can.sends(0x100)};

    for (unsigned i = 0; i < frames; i++) {
        served.sent += t.can.sends(0x300) ? 1 : 0;
        served.received += t.can.receives(0x300) ? 1 : 0;
    }
    served.loud = t.sound.write(t.sound.volume, t.sound.highest) == snd::ok;
    CHECK_EQ(t.sound.play(t.sound.first), snd::ok);
    served.second = t.sound.play(t.sound.second) == snd::ok;
    if (served.second) {
        t.sound.stop(t.sound.second);
    }
    t.sound.stop(t.sound.first);
    for (unsigned i = 0; i < commands; i++) {
        const int32_t status = t.ask();
        CHECK(status == scmi::success || status == scmi::busy);
        served.commands += status == scmi::success ? 1 : 0;
    }
    served.wide = t.video.may({.what = Wish::params, .width = 640, .height = 480});
    return served;
}

} // namespace

TEST("policy: what is denied is served and counted in audit mode, by every class of devices")
{
    WholeFixture t;
    const std::string empty = "[policy.can]\n[policy.snd]\n[policy.scmi]\n[policy.video]\n";

    for (const bool audits : {true, false, true}) {
        const uint64_t audited = verdicts(t, DEVHOST_VERDICT_AUDIT);
        const uint64_t denied = verdicts(t, DEVHOST_VERDICT_DENY);
        // In audit mode no class has to be there.
        const devhost::PolicyConfig config = policy(audits ? audit : enforce + empty);

        tap::note(audits ? "audit" : "enforce");
        store().apply(t.known(), config);
        CHECK(store().adopt(t.known()) == config);
        CHECK_EQ(t.may_send(), audits);
        CHECK_EQ(t.can.receives(0x124), audits);
        CHECK_EQ(t.may_play(), audits);
        CHECK_EQ(t.sound.write(t.sound.volume, t.sound.lowest),
                 static_cast<uint32_t>(audits ? snd::ok : snd::not_supp));
        CHECK_EQ(t.may_ask(), audits);
        CHECK_EQ(t.may_decode(), audits);
        // It is judged as ever.
        const devhost::PolicyCounters counters = store().counters("whole");
        const RuleCounters one{0, 1};
        CHECK(counters.can->transmit.otherwise == one);
        CHECK(counters.can->receive.otherwise == one);
        CHECK(counters.snd->playback.otherwise == one);
        CHECK(counters.snd->control.otherwise == one);
        CHECK(counters.scmi->otherwise == one);
        CHECK(counters.video->decode.otherwise == one);
        CHECK_EQ(verdicts(t, DEVHOST_VERDICT_AUDIT), audited + (audits ? 6U : 0U));
        CHECK_EQ(verdicts(t, DEVHOST_VERDICT_DENY), denied + (audits ? 0U : 6U));
    }
}

TEST("policy: no limit holds in audit mode, each is counted")
{
    WholeFixture t;

    store().apply(t.known(), policy(audit + limits));
    Served served = try_limits(t);
    CHECK(served.urgent);
    CHECK_EQ(served.sent, frames);
    CHECK_EQ(served.received, frames);
    CHECK(served.loud);
    CHECK(served.second);
    CHECK_EQ(served.commands, commands);
    CHECK(served.wide);
    const devhost::PolicyCounters counters = store().counters("whole");
    CHECK_EQ(counters.can->transmit.priority, 1U);
    CHECK(counters.can->transmit.guest_limit > 0);
    CHECK(counters.can->receive.guest_limit > 0);
    CHECK_EQ(counters.snd->control.volume, 1U);
    CHECK_EQ(counters.snd->playback.streams, 1U);
    CHECK(counters.scmi->guest_limit > 0);
    CHECK_EQ(counters.video->decode.size, 1U);
    CHECK_EQ(verdicts(t, DEVHOST_VERDICT_DENY), 0U);
    CHECK_EQ(verdicts(t, DEVHOST_VERDICT_LIMIT), 0U);

    store().apply(t.known(), policy(enforce + limits));
    served = try_limits(t);
    CHECK(!served.urgent);
    CHECK(served.sent < frames);
    CHECK(served.received < frames);
    CHECK(!served.loud);
    CHECK(!served.second);
    CHECK(served.commands < commands);
    CHECK(!served.wide);
}

TEST("policy: a refusal that was not enforced is traced as such")
{
    PolicyFixture t("traced");
    const std::string item = "traced." + t.device.name() + " to-host item=0x123 verdict=";
    const Trace trace;

    t.apply(audit + both("deny"));
    CHECK(t.sends(0x123));
    CHECK_EQ(trace.says(item + "audit"), 1U);
    CHECK_EQ(trace.says(item), 1U);
    t.apply(enforce + both("deny"));
    CHECK(!t.sends(0x123));
    CHECK_EQ(trace.says(item + "deny"), 1U);
    CHECK_EQ(trace.says(item), 2U);
}

TEST("policy: without a policy nothing is served, whatever the mode of the one before")
{
    PolicyFixture t;

    t.apply(audit);
    CHECK(t.sends(0x123));
    store().remove(t.device.guest());
    CHECK(t.closed());
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 2U);
}

TEST("policy: between audit and enforce nothing is refused that both let pass, under traffic")
{
    const unsigned swaps = tap::rounds(8, 200);
    tap::time_limit(swaps * 10);
    PolicyFixture t;
    const devhost::PolicyGuest known = t.known();
    const std::array configs{policy(audit + both("deny")), policy(enforce + both("allow"))};
    unsigned sent = 0;

    store().apply(known, configs[0]);
    swap_under(
        swaps, [&](unsigned i) { store().apply(known, configs.at(i % 2)); },
        [&] {
            CHECK(t.sends(0x123));
            sent++;
        });
    tap::note(std::to_string(sent) + " frames");
    // Both were in force.
    CHECK(t.verdicts(DEVHOST_VERDICT_AUDIT) > 0);
    CHECK(t.verdicts(DEVHOST_VERDICT_ALLOW) > 0);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_AUDIT) + t.verdicts(DEVHOST_VERDICT_ALLOW), uint64_t{sent});
}
