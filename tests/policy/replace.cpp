// SPDX-License-Identifier: Apache-2.0
// Replacing a policy under traffic, and dying while doing so.
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <thread>

#include "setup.hpp"

using namespace dh;

namespace {

constexpr uint32_t never = 0x0ad; // no rule set allows it
constexpr uint32_t of_one = 0x100;
constexpr uint32_t of_other = 0x101;
constexpr unsigned pause_us = 2000;

std::string direction(const std::string &name, uint32_t allowed)
{
    return "[policy.can." + name + "]\n[[policy.can." + name +
           ".rule]]\nverdict = \"deny\"\nid = " + std::to_string(never) + "\n[[policy.can." + name +
           ".rule]]\nverdict = \"allow\"\nid = " + std::to_string(allowed) + "\n";
}

// Two rule sets; in each what the guest may not send, it may receive.
std::string rules(unsigned which)
{
    return direction("transmit", which % 2 ? of_one : of_other) +
           direction("receive", which % 2 ? of_other : of_one);
}

} // namespace

TEST("S10 swaps under traffic: each frame is judged by the old or the new rules")
{
    const unsigned swaps = tap::rounds(8, 200);
    tap::time_limit(swaps * 10);
    PolicyFixture t;
    std::atomic<bool> stop = false;
    std::atomic<uint64_t> from_host = 0;
    can::Socket sender(t.bus.name());

    t.apply(rules(0));
    std::jthread host_traffic([&] {
        while (!stop) {
            for (const uint32_t id : {never, of_one, of_other}) {
                sender.send({id, 0, {7}});
                from_host++;
            }
            usleep(pause_us);
        }
    });
    uint64_t sent = 0;
    std::array<uint64_t, 3> passed{};
    std::array<uint64_t, 3> received{};
    const auto drain = [&](int timeout) {
        while (const auto frame = t.guest.receive(timeout)) {
            received.at(frame->id == never ? 0 : 1 + frame->id - of_one)++;
        }
    };
    const auto apply = [&](unsigned i) { t.apply(rules(i)); };
    swap_under(swaps, apply, [&] {
        passed[0] += t.guest.send({never, 0, {1}}) == can::result_ok;
        passed[1] += t.guest.send({of_one, 0, {1}}) == can::result_ok;
        passed[2] += t.guest.send({of_other, 0, {1}}) == can::result_ok;
        sent += 3;
        drain(0);
    });
    stop = true;
    host_traffic.join();
    drain(500);

    uint64_t heard = 0;
    while (const auto frame = t.host.receive(100)) {
        // The host's own sender has another payload, and no policy.
        if (frame->data == std::vector<uint8_t>{1}) {
            CHECK(frame->id != never);
            heard++;
        }
    }
    tap::note("guest sent " + std::to_string(sent) + ", passed " + std::to_string(passed[1]) +
              " + " + std::to_string(passed[2]) + "; host sent " + std::to_string(from_host) +
              ", passed " + std::to_string(received[1]) + " + " + std::to_string(received[2]));
    CHECK_EQ(passed[0], 0U);
    CHECK_EQ(received[0], 0U);
    CHECK(heard > 0);
    // Both rule sets were in force.
    CHECK(passed[1] > 0);
    CHECK(passed[2] > 0);
    CHECK(received[1] > 0);
    CHECK(received[2] > 0);
    // And never none: each frame has a verdict, and it is one of theirs.
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_INVALID), 0U);
    CHECK(t.verdicts(DEVHOST_VERDICT_DENY) >= sent / 3);
    CHECK_EQ(*t.device.control().guest(t.device.guest()).policy, swaps + 1);
}

TEST("S10 whoever replaces a policy is killed: the old or the new is in force, and is found")
{
    const unsigned kills = tap::rounds(10, 100);
    tap::time_limit(kills * 10);
    PolicyFixture t;
    const devhost::PolicyGuest known = t.known();
    const std::array configs{policy(rules(0)), policy(rules(1))};
    std::array<unsigned, 2> found{};

    store().apply(known, configs[0]);
    for (unsigned i = 0; i < kills; i++) {
        const pid_t child = fork();

        if (child == 0) {
            for (unsigned n = 1;; n++) {
                store().apply(known, configs.at(n % 2));
            }
        }
        usleep(300000 + i % 20 * 37000);
        CHECK_EQ(kill(child, SIGKILL), 0);
        CHECK_EQ(waitpid(child, nullptr, 0), child);

        CHECK(store().active(t.device.guest()));
        const auto in_force = store().adopt(known);
        CHECK(in_force.has_value());
        const unsigned which = *in_force == configs[0] ? 0 : 1;
        CHECK(*in_force == configs.at(which));
        found.at(which)++;
        // What is found is what judges.
        CHECK_EQ(t.sends(of_one), which == 1);
        CHECK_EQ(t.sends(of_other), which == 0);
        CHECK(!t.sends(never));
        // Nothing is left of what was half done: the link and one instance.
        const auto entries = std::filesystem::directory_iterator(pins / t.device.guest());
        CHECK_EQ(std::distance(begin(entries), end(entries)), 2);
    }
    tap::note("found the one " + std::to_string(found[0]) + " times, the other " +
              std::to_string(found[1]));
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
}
