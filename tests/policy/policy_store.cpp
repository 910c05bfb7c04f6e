// SPDX-License-Identifier: Apache-2.0
// What the rules do to frames, what the counters say of it, and what is left
// after the process that set a policy is gone.
#include <chrono>

#include "setup.hpp"

using namespace dh;
using devhost::RuleCounters;

TEST("policy: a denied identifier is dropped and counted, in both directions")
{
    PolicyFixture t;

    t.apply(R"(
[policy.can.transmit]
default = "allow"
[[policy.can.transmit.rule]]
verdict = "deny"
range = [0x100, 0x10f]
[policy.can.receive]
default = "allow"
[[policy.can.receive.rule]]
verdict = "deny"
id = 0x18da00f1
mask = 0x1fff00ff
)");
    CHECK(t.sends(0xff));
    CHECK(!t.sends(0x100));
    CHECK(!t.sends(0x10f));
    CHECK(t.sends(0x110));
    CHECK(t.sends(0x100, can::flag_extended));
    CHECK(t.receives(0x100));
    CHECK(!t.receives(0x18da55f1, can::flag_extended));
    CHECK(t.receives(0x18da55f2, can::flag_extended));

    const devhost::CanCounters counters = t.counters();
    CHECK((counters.transmit.rules == std::vector<RuleCounters>{{0, 2}}));
    CHECK((counters.transmit.otherwise == RuleCounters{3, 0}));
    CHECK((counters.receive.rules == std::vector<RuleCounters>{{0, 1}}));
    CHECK((counters.receive.otherwise == RuleCounters{2, 0}));
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_ALLOW), 5U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_DENY), 3U);
}

// One frame of the guest, with so many bytes.
std::function<bool(PolicyFixture &)> sends(uint32_t id, uint32_t flags = 0, size_t bytes = 1)
{
    return [=](PolicyFixture &t) {
        const can::Frame frame{id, flags, std::vector<uint8_t>(bytes, 1)};
        const bool sent = t.guest.send(frame) == can::result_ok;
        CHECK_EQ(t.host.receive(sent ? 5000 : 50).has_value(), sent);
        return sent;
    };
}

std::function<bool(PolicyFixture &)> receives(uint32_t id, uint32_t flags = 0)
{
    return [=](PolicyFixture &t) { return t.receives(id, flags); };
}

// @rest: of [policy.can.transmit] or of receive, with what follows it.
std::string allow_all(const std::string &direction, const std::string &rest)
{
    return "[policy.can." + direction + "]\ndefault = \"allow\"\n" + rest;
}

std::string rule(const std::string &direction, const std::string &verdict, const std::string &keys)
{
    return "[[policy.can." + direction + ".rule]]\nverdict = \"" + verdict + "\"\n" + keys;
}

TEST("policy: what a policy of CAN lets through, and what not")
{
    tap::time_limit(300);
    constexpr uint32_t extended = can::flag_extended;
    const std::string out = "transmit";
    const std::string in = "receive";
    PolicyFixture t;
    const std::vector<PolicyCase<PolicyFixture>> cases{
        {"senders only", allow_all(out, ""), sends(0x123), receives(0x123)},
        {"receivers only", allow_all(in, ""), receives(0x123), sends(0x123)},
        {"a range that is allowed", rule(out, "allow", "range = [0x100, 0x1ff]\n"), sends(0x1ff),
         sends(0x200)},
        {"a range that is denied", allow_all(out, rule(out, "deny", "range = [0x100, 0x1ff]\n")),
         sends(0x200), sends(0x1ff)},
        {"identifiers by mask",
         rule(in, "allow", "id = 0x18da00f1\nmask = 0x1fff00ff\nextended = true\n"),
         receives(0x18da55f1, extended), receives(0x18da55f2, extended)},
        {"extended identifiers only", rule(out, "allow", "extended = true\n"),
         sends(0x123, extended), sends(0x123)},
        {"standard identifiers only", rule(in, "allow", "extended = false\n"), receives(0x123),
         receives(0x123, extended)},
        {"no CAN FD", allow_all(out, rule(out, "deny", "fd = true\n")), sends(0x123),
         sends(0x123, can::flag_fd)},
        {"CAN FD only", rule(in, "allow", "fd = true\n"), receives(0x123, can::flag_fd),
         receives(0x123)},
        {"no remote requests", allow_all(out, rule(out, "deny", "rtr = true\n")), sends(0x123),
         sends(0x123, can::flag_rtr, 0)},
        {"the lowest identifier", allow_all(out, "lowest_id = 0x100\n"), sends(0x100), sends(0xff)},
        {"the lowest extended identifier", allow_all(out, "lowest_extended_id = 0x10000000\n"),
         sends(0x10000000, extended), sends(0xfffffff, extended)},
        {"no rule lifts the lowest identifier",
         "[policy.can.transmit]\nlowest_id = 0x100\n" + rule(out, "allow", ""), sends(0x100),
         sends(0xff)},
        {"the first rule that matches decides",
         rule(out, "allow", "range = [0x100, 0x10f]\n") +
             rule(out, "deny", "range = [0x0, 0x1ff]\n") + rule(out, "allow", ""),
         sends(0x10f), sends(0x110)},
        // a frame of 64 bytes has more than 500 bits
        {"bits of a rule", rule(out, "allow", "bits_per_second = 1\nbits_burst = 1000\n"),
         sends(0x123, can::flag_fd, 64), sends(0x123, can::flag_fd, 64)},
        {"bits of the guest", allow_all(out, "bits_per_second = 1\nbits_burst = 1000\n"),
         sends(0x123, can::flag_fd, 64), sends(0x123, can::flag_fd, 64)},
    };

    judge<PolicyFixture>(t, cases, [&] {
        const devhost::CanCounters counters = t.counters();
        return dropped(counters.transmit) + counters.transmit.priority + dropped(counters.receive);
    });
}

TEST("policy: bits above an identifier do not hide it")
{
    PolicyFixture t;

    t.apply(R"(
[policy.can.receive]
default = "allow"
[[policy.can.receive.rule]]
verdict = "deny"
id = 0x100
)");
    // A virtual bus carries what a raw socket writes; the guest would see 0x100.
    t.host.send({0x1000100, 0, {1}});
    t.host.send({0x900, 0, {1}});
    CHECK(!t.guest.receive(300));
    CHECK(t.receives(0x101));
    CHECK((t.counters().receive.rules == std::vector<RuleCounters>{{0, 2}}));
}

TEST("policy: the kind of frame is matched")
{
    PolicyFixture t;

    t.apply(R"(
[policy.can.transmit]
default = "allow"
[[policy.can.transmit.rule]]
verdict = "deny"
fd = true
[[policy.can.transmit.rule]]
verdict = "deny"
rtr = true
extended = true
)");
    CHECK(t.sends(0x123));
    CHECK(!t.sends(0x123, can::flag_fd));
    CHECK(!t.sends(0x123, can::flag_fd | can::flag_extended));
    CHECK(t.sends(0x123, can::flag_extended));
    CHECK((t.counters().transmit.rules == std::vector<RuleCounters>{{0, 2}, {0, 0}}));
    CHECK(!t.receives(0x123));
}

TEST("policy: a rate is kept within its tolerance")
{
    PolicyFixture t;
    constexpr unsigned rate = 10; // less than the slowest machine sends
    constexpr unsigned burst = 5;
    constexpr double span = 5;
    unsigned sent = 0;
    unsigned passed = 0;

    t.apply("[[policy.can.transmit.rule]]\nverdict = \"allow\"\nframes_per_second = " +
            std::to_string(rate) + "\nframes_burst = " + std::to_string(burst) + "\n");
    const auto begin = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    // A sender that is held up for longer than the burst lasts has lost what it did not use.
    double tokens = burst;
    double earned = 0;
    double last = seconds();
    while (last < span) {
        sent++;
        passed += t.guest.send({0x123, 0, {1}}) == can::result_ok;
        const double now = seconds();
        tokens = std::min<double>(burst, tokens + rate * (now - last));
        last = now;
        if (tokens >= 1) {
            tokens -= 1;
            earned += 1;
        }
    }
    const double allowed = burst + rate * seconds();
    tap::note(std::to_string(passed) + " of " + std::to_string(sent) + " passed, at most " +
              std::to_string(allowed) + ", at least " + std::to_string(0.95 * earned));
    CHECK(sent > 1.5 * allowed); // else the rate was never used up
    CHECK(passed <= allowed + 1);
    CHECK(passed >= 0.95 * earned);

    const devhost::CanCounters counters = t.counters();
    CHECK((counters.transmit.rules == std::vector<RuleCounters>{{passed, sent - passed}}));
    CHECK_EQ(counters.transmit.guest_limit, 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_LIMIT), uint64_t{sent - passed});
    // After a pause it is the burst that passes, no more.
    sleep(1);
    passed = 0;
    for (int i = 0; i < 9; i++) {
        passed += t.guest.send({0x123, 0, {1}}) == can::result_ok;
    }
    CHECK(passed >= burst);
}

TEST("policy: bits of the whole guest are limited, whichever rule matches")
{
    PolicyFixture t;
    unsigned passed = 0;

    // Ten seconds' worth of nothing but a burst: 1000 bits are nine frames of 111 at most.
    t.apply(R"(
[policy.can.transmit]
default = "allow"
bits_per_second = 1
bits_burst = 1000
[[policy.can.transmit.rule]]
verdict = "allow"
id = 0x100
)");
    for (uint32_t i = 0; i < 60; i++) {
        passed += t.guest.send({0x100 + i % 2, 0, {1, 2, 3, 4, 5, 6, 7, 8}}) == can::result_ok;
    }
    tap::note(std::to_string(passed) + " frames of 8 bytes are in 1000 bits");
    CHECK(passed >= 7);
    CHECK(passed <= 9);
    CHECK_EQ(t.counters().transmit.guest_limit, uint64_t{60 - passed});
}

TEST("policy: nothing lifts the cap on priority")
{
    PolicyFixture t;

    t.apply(R"(
[policy.can.transmit]
default = "allow"
lowest_id = 0x200
[[policy.can.transmit.rule]]
verdict = "allow"
id = 0x100
[policy.can.receive]
default = "allow"
)");
    CHECK(!t.sends(0x100));
    CHECK(!t.sends(0x1ff));
    CHECK(t.sends(0x200));
    CHECK(!t.sends(0x1ff << 18 | 0x3ffff, can::flag_extended));
    CHECK(t.sends(0x200 << 18, can::flag_extended));
    CHECK(t.receives(0x001));
    CHECK_EQ(t.counters().transmit.priority, 3U);
}

TEST("policy: rules for one device are not for another, nor for one that is not known")
{
    PolicyFixture t;
    devhost::PolicyConfig config = policy(both("deny"));
    devhost::CanRule rule;

    rule.verdict = devhost::Verdict::allow;
    rule.device = t.device.name();
    config.can->transmit.rules = {rule};
    store().apply(t.known(), config);
    CHECK(t.sends(0x123));
    config.can->transmit.rules[0].device = "other";
    store().apply(t.known(), config);
    CHECK(!t.sends(0x123));
    CHECK((t.counters().transmit.otherwise == RuleCounters{0, 1}));

    // As if the device had been created after the policy.
    devhost::PolicyGuest guest = t.known();
    guest.devices.clear();
    config.can->transmit.otherwise = devhost::Verdict::allow;
    store().apply(guest, config);
    CHECK(!t.sends(0x123));
    CHECK_EQ(t.counters().transmit.unknown_device, 1U);
    store().apply(t.known(), config);
    CHECK(t.sends(0x123));
}

TEST("policy: what is in force is read back; it outlives the store")
{
    PolicyFixture t;
    const devhost::PolicyConfig config = policy(R"(
[policy.can.transmit]
default = "allow"
lowest_id = 0x100
frames_per_second = 1000
[[policy.can.transmit.rule]]
name = "no-diagnosis"
verdict = "deny"
range = [0x700, 0x7ff]
)");

    CHECK(!store().adopt(t.known()));
    CHECK(!store().active(t.device.guest()));
    CHECK(t.closed());
    store().apply(t.known(), config);
    CHECK(t.sends(0x123));
    CHECK(!t.sends(0x700));
    CHECK(store().active(t.device.guest()));
    CHECK(store().adopt(t.known()) == config);
    CHECK_EQ(store().program_ids(t.device.guest()).size(), 1U);
    CHECK((store().pinned_guests() == std::vector<std::string>{t.device.guest()}));
    CHECK(t.sends(0x123));
    store().remove(t.device.guest());
    CHECK(!store().active(t.device.guest()));
    CHECK(store().pinned_guests().empty());
    CHECK(t.closed());
    store().remove(t.device.guest());
}

TEST("B4 a new guest of an old name inherits nothing")
{
    {
        PolicyFixture old("reused");

        old.apply(both("allow"));
        CHECK(old.sends(0x123));
        old.leave_policy = true;
    }
    CHECK(store().active("reused"));
    PolicyFixture next("reused");
    CHECK(next.closed());
    CHECK(!store().adopt(next.known()));
    CHECK(store().pinned_guests().empty());
    CHECK(next.closed());
}

TEST("B4 a new policy takes the place of one that an old guest of the name left pinned")
{
    {
        PolicyFixture old("reused2");

        old.apply(both("allow"));
        old.leave_policy = true;
    }
    PolicyFixture third("reused2");
    third.apply(both("deny"));
    CHECK(third.closed());
    CHECK_EQ(third.verdicts(DEVHOST_VERDICT_NONE), 0U);
    CHECK(store().adopt(third.known()) == policy(both("deny")));
}
