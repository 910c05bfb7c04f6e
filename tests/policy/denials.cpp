// SPDX-License-Identifier: Apache-2.0
// What policies are against is told to netlink's listeners: the first at once, then once a second.
#include <chrono>
#include <map>

#include "netlink.hpp"
#include "setup.hpp"

using namespace dh;

namespace {

constexpr int soon_ms = 5000;

// Listens from its construction on.
class Denials {
public:
    Denials() : events_(DEVHOST_GENL_NAME) { events_.join(DEVHOST_MCGRP_DENIALS); }

    std::optional<std::vector<Attr>> next(int timeout_ms = soon_ms)
    {
        const auto message = events_.notification(timeout_ms);
        if (!message) {
            return std::nullopt;
        }
        CHECK_EQ(message->command, DEVHOST_CMD_POLICY_DENIED_NTF);
        const auto denial = find(message->attrs, DEVHOST_A_DENIAL);
        CHECK(denial.has_value());
        return denial->children();
    }

private:
    Genl events_;
};

} // namespace

TEST("denials: what was denied is told at once, with what it was")
{
    PolicyFixture t;
    Denials denials;

    t.apply(both("deny"));
    CHECK(!t.sends(0x18da55f1, can::flag_extended | can::flag_fd));
    const auto sent = denials.next();
    CHECK(sent.has_value());
    CHECK_EQ(text(*sent, DEVHOST_A_DENIAL_GUEST), t.device.guest());
    CHECK_EQ(text(*sent, DEVHOST_A_DENIAL_DEV), t.device.name());
    CHECK_EQ(text(*sent, DEVHOST_A_DENIAL_CLASS), std::string("can"));
    CHECK_EQ(number(*sent, DEVHOST_A_DENIAL_VERDICT), uint64_t{DEVHOST_VERDICT_DENY});
    CHECK_EQ(number(*sent, DEVHOST_A_DENIAL_SUPPRESSED, 9), 0U);
    CHECK_EQ(number(*sent, DEVHOST_A_DENIAL_CAN_ID), 0x18da55f1U);
    CHECK(find(*sent, DEVHOST_A_DENIAL_CAN_EXTENDED));
    CHECK(find(*sent, DEVHOST_A_DENIAL_CAN_FD));
    CHECK(!find(*sent, DEVHOST_A_DENIAL_CAN_RTR));
    CHECK(!find(*sent, DEVHOST_A_DENIAL_TO_GUEST));

    CHECK(!t.receives(0x124));
    const auto received = denials.next();
    CHECK(received.has_value());
    CHECK_EQ(number(*received, DEVHOST_A_DENIAL_CAN_ID), 0x124U);
    CHECK(find(*received, DEVHOST_A_DENIAL_TO_GUEST));
    CHECK(!find(*received, DEVHOST_A_DENIAL_CAN_EXTENDED));
    CHECK(!denials.next(1500));
}

TEST("denials: verdicts of audit mode, and of no policy at all, are told too; leave is not")
{
    PolicyFixture t;
    Denials denials;

    CHECK(!t.sends(0x100));
    const auto none = denials.next();
    CHECK(none.has_value());
    CHECK_EQ(number(*none, DEVHOST_A_DENIAL_VERDICT), uint64_t{DEVHOST_VERDICT_NONE});
    t.apply("[policy]\nmode = \"audit\"\n" + both("deny"));
    CHECK(t.sends(0x101));
    const auto audit = denials.next();
    CHECK(audit.has_value());
    CHECK_EQ(number(*audit, DEVHOST_A_DENIAL_VERDICT), uint64_t{DEVHOST_VERDICT_AUDIT});
    t.apply(both("allow"));
    CHECK(t.sends(0x102));
    CHECK(t.receives(0x103));
    CHECK(!denials.next(1500));
}

TEST("denials: a storm is told once a second, and none of it is left uncounted")
{
    PolicyFixture t;
    Denials denials;
    constexpr double span = 4;
    uint64_t sent = 0;
    uint64_t told = 0;
    uint64_t messages = 0;
    const auto count = [&](int timeout_ms) {
        while (const auto denial = denials.next(timeout_ms)) {
            messages++;
            told += 1 + number(*denial, DEVHOST_A_DENIAL_SUPPRESSED);
        }
    };

    t.apply(both("deny"));
    const auto begin = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    while (seconds() < span) {
        CHECK(t.guest.send({0x123, 0, {1}}) != can::result_ok);
        sent++;
        count(0);
    }
    const double end = seconds();
    count(2500);
    tap::note(std::to_string(sent) + " denied in " + std::to_string(end) + " s, told in " +
              std::to_string(messages) + " messages");
    CHECK(sent > 20);
    CHECK_EQ(told, sent);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_DENY), sent);
    // One at once, one a second, and the one that is left.
    CHECK(static_cast<double>(messages) <= end + 2);
    CHECK(messages >= 3);
}

TEST("denials: a device that goes leaves none untold")
{
    Denials denials;
    std::string guest;
    {
        PolicyFixture t;

        guest = t.device.guest();
        for (unsigned i = 0; i < 3; i++) {
            CHECK(t.guest.send({0x123, 0, {1}}) != can::result_ok);
        }
    }
    uint64_t told = 0;
    while (told < 3) {
        const auto denial = denials.next();
        CHECK(denial.has_value());
        CHECK_EQ(text(*denial, DEVHOST_A_DENIAL_GUEST), guest);
        told += 1 + number(*denial, DEVHOST_A_DENIAL_SUPPRESSED);
    }
    CHECK_EQ(told, 3U);
    CHECK(!denials.next(0));
}
