// SPDX-License-Identifier: Apache-2.0
//
// Decisions about the system's power, as what happens and what is done about it.
#include <gtest/gtest.h>

#include "config_toml.hpp"
#include "error.hpp"
#include "power_arbiter.hpp"

namespace devhost::test {
namespace {

using Texts = std::vector<std::string>;
using Names = std::vector<std::string>;

struct ActionText {
    std::string operator()(const power_action::Announce &action) const
    {
        return "tell " + action.guest + " " + word_of(action.state) + " " +
               std::to_string(action.timeout.count());
    }
    std::string operator()(const power_action::StopUnit &action) const
    {
        return "stop " + action.unit;
    }
    std::string operator()(const power_action::StartUnit &action) const
    {
        return "start " + action.unit;
    }
    std::string operator()(const power_action::Act &action) const
    {
        return std::string("act ") + word_of(action.state);
    }
    std::string operator()(const power_action::ReleaseDelay & /*action*/) const
    {
        return "release";
    }
    std::string operator()(const power_action::TakeDelay & /*action*/) const { return "take"; }
    std::string operator()(const power_action::Note & /*action*/) const { return ""; }
};

class Arbiter : public testing::Test {
protected:
    Arbiter()
    {
        power.set_limits({.total = Milliseconds(60'000),
                          .failures = 3,
                          .retry_after = Milliseconds(5'000),
                          .answer = Milliseconds(30'000)});
        power.start(now);
    }

    // A guest with its driver there.
    void guest(const std::string &name, PowerRole role, int budget = 10'000, unsigned order = 0)
    {
        know(name, role, budget, order);
        power.guest_runs(name, ++run, now);
    }
    void know(const std::string &name, PowerRole role, int budget = 10'000, unsigned order = 0)
    {
        rules[name] = {.role = role,
                       .budget = Milliseconds(budget),
                       .order = order,
                       .emulate_unit = role == PowerRole::emulate ? name + "-again.service" : ""};
        power.guest_known(name, 1, rules[name], name + ".service", now);
    }
    void ask(const std::string &name, PowerState state) { power.guest_asks(name, state, now); }
    void gone(const std::string &name) { power.guest_runs(name, 0, now); }
    // What is done by now.
    Texts done()
    {
        Texts texts;
        for (const PowerAction &action : power.take_actions()) {
            if (std::string text = std::visit(ActionText(), action); !text.empty()) {
                texts.push_back(std::move(text));
            }
        }
        return texts;
    }
    // What is done as time goes by, each at its time.
    Texts after(int milliseconds)
    {
        const PowerTime until = now + Milliseconds(milliseconds);
        for (auto next = power.next(); next && *next <= until; next = power.next()) {
            now = std::max(now, *next);
            power.tick(now);
        }
        now = until;
        power.tick(now);
        return done();
    }
    void hold(std::uint64_t id, HoldMode mode, PowerState state = PowerState::on)
    {
        power.hold(id,
                   {.mode = mode, .state = state, .who = "client", .why = "because", .since = now},
                   now);
    }
    // Another daemon on the same record.
    void restart()
    {
        const Setting record = parse_toml(power.record(), "record");
        power = PowerArbiter();
        power.restore(record);
        for (const auto &[name, of] : rules) {
            power.guest_known(name, 1, of, name + ".service", now);
        }
        power.start(now);
    }

    PowerArbiter power;
    PowerTime now{1'000'000};
    std::uint64_t run = 0;
    std::map<std::string, PowerRules> rules;
};

TEST_F(Arbiter, RoleDeny)
{
    guest("a", PowerRole::deny);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.phase(), PowerPhase::idle);
    EXPECT_EQ(power.limiting_reason(power.guests().at("a")), "denied");
    EXPECT_EQ(power.decide().state, PowerState::on);
}

TEST_F(Arbiter, RoleVoteOfOneAmongTwo)
{
    guest("a", PowerRole::vote);
    guest("b", PowerRole::vote);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.decide().reason, "votes");
    EXPECT_EQ(power.limiting_reason(power.guests().at("a")), "votes");
    // The vote goes with its owner.
    gone("a");
    EXPECT_EQ(power.decide().reason, "none");
    EXPECT_FALSE(power.guests().at("a").wish);
}

TEST_F(Arbiter, AllVote)
{
    guest("a", PowerRole::vote);
    guest("b", PowerRole::vote);
    guest("c", PowerRole::deny);
    ask("a", PowerState::off);
    now += Milliseconds(100);
    ask("b", PowerState::reboot); // the latest decides
    EXPECT_EQ(done(), (Texts{"tell a reboot 10000", "tell c reboot 10000"}));
    EXPECT_EQ(power.awaited(), (Names{"guest a", "guest c"}));
    gone("a");
    EXPECT_EQ(done(), Texts{});
    gone("c");
    EXPECT_EQ(done(), Texts{"act reboot"});
    EXPECT_EQ(power.phase(), PowerPhase::acting);
    EXPECT_EQ(power.command()->who, "guest a, guest b");
}

TEST_F(Arbiter, OnlyVoterMayGoDownItself)
{
    guest("a", PowerRole::vote);
    guest("b", PowerRole::deny);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{"tell b off 10000"});
    gone("a"); // with its vote, which was counted
    EXPECT_EQ(power.phase(), PowerPhase::preparing);
    gone("b");
    EXPECT_EQ(done(), Texts{"act off"});
}

TEST_F(Arbiter, RoleMaster)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::vote);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{"tell b off 10000"});
    ask("b", PowerState::off); // its answer
    EXPECT_EQ(done(), Texts{"act off"});
    power.host_leaves(PowerState::off, now);
    EXPECT_EQ(done(), Texts{"release"});
    EXPECT_EQ(power.phase(), PowerPhase::leaving);
    EXPECT_EQ(power.allowed(), std::vector<PowerState>{});
}

TEST_F(Arbiter, RoleEmulate)
{
    guest("a", PowerRole::emulate);
    guest("b", PowerRole::vote);
    ask("a", PowerState::reboot);
    EXPECT_EQ(done(), Texts{"start a-again.service"});
    EXPECT_EQ(power.phase(), PowerPhase::idle);
    power.start_succeeded("a");
    EXPECT_EQ(after(100'000), Texts{});
}

TEST_F(Arbiter, EmulationThatFailsIsTriedThreeTimes)
{
    guest("a", PowerRole::emulate);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{"start a-again.service"});
    for (int i = 0; i < 2; i++) {
        power.start_failed("a", "no such unit", now);
        EXPECT_EQ(after(4'999), Texts{});
        EXPECT_EQ(after(1), Texts{"start a-again.service"});
    }
    power.start_failed("a", "no such unit", now);
    EXPECT_EQ(after(100'000), Texts{});
    EXPECT_TRUE(power.guests().at("a").quiesced);
    EXPECT_EQ(power.limiting_reason(power.guests().at("a")), "quiesced");
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{});
    power.reset_guest("a");
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{"start a-again.service"});
}

TEST_F(Arbiter, ThreeGuestsOneSilent)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny, 20'000);
    guest("c", PowerRole::deny, 5'000);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), (Texts{"tell b off 20000", "tell c off 5000"}));
    EXPECT_EQ(after(4'999), Texts{});
    EXPECT_EQ(after(1), Texts{"stop c.service"});
    EXPECT_TRUE(power.guests().at("c").unresponsive);
    EXPECT_EQ(power.awaited(), Names{"guest b"});
    ask("b", PowerState::off);
    EXPECT_EQ(done(), Texts{"act off"});
    EXPECT_FALSE(power.guests().at("b").unresponsive);
}

TEST_F(Arbiter, WhoWasSilentIsToldNothingUntilItAnswers)
{
    guest("a", PowerRole::deny, 5'000);
    power.request(PowerState::suspend, "root", "", now);
    EXPECT_EQ(done(), Texts{"tell a suspend 5000"});
    EXPECT_EQ(after(5'000), Texts{"act suspend"}); // its unit is not stopped for that
    power.host_leaves(PowerState::suspend, now);
    EXPECT_EQ(done(), Texts{"release"});
    power.host_stays(now);
    EXPECT_EQ(done(), Texts{"take"});
    EXPECT_TRUE(power.guests().at("a").unresponsive);
    // The host stops its device and lets it go on: no answer.
    const std::uint64_t same = run;
    gone("a");
    power.guest_runs("a", same, now);
    EXPECT_TRUE(power.guests().at("a").unresponsive);
    power.request(PowerState::off, "root", "", now);
    EXPECT_EQ(done(), (Texts{"stop a.service", "act off"}));
    power.host_stays(now);
    done();
    power.guest_runs("a", ++run, now); // a new start
    EXPECT_FALSE(power.guests().at("a").unresponsive);
    power.request(PowerState::off, "root", "", now);
    EXPECT_EQ(done(), Texts{"tell a off 5000"});
}

TEST_F(Arbiter, OrderAndItsMirror)
{
    guest("a", PowerRole::deny, 1'000, 1);
    guest("b", PowerRole::deny, 1'000, 2);
    guest("c", PowerRole::deny, 1'000, 2);
    guest("d", PowerRole::deny, 1'000, 0);
    power.host_leaves(PowerState::suspend, now);
    EXPECT_EQ(done(), Texts{"tell d suspend 1000"});
    ask("d", PowerState::suspend);
    EXPECT_EQ(done(), (Texts{"tell b suspend 1000", "tell c suspend 1000"}));
    ask("c", PowerState::suspend);
    EXPECT_EQ(done(), Texts{});
    ask("b", PowerState::suspend);
    EXPECT_EQ(done(), Texts{"tell a suspend 1000"});
    ask("a", PowerState::suspend);
    EXPECT_EQ(done(), Texts{"release"});
    EXPECT_EQ(power.phase(), PowerPhase::leaving);
    power.host_stays(now);
    EXPECT_EQ(done(), (Texts{"tell a on 0", "tell b on 0", "tell c on 0", "tell d on 0", "take"}));
    EXPECT_EQ(power.phase(), PowerPhase::idle);
    EXPECT_EQ(power.decide().state, PowerState::on); // wishes were carried out
}

TEST_F(Arbiter, TheTotalIsHard)
{
    power.set_limits({.total = Milliseconds(15'000)});
    guest("a", PowerRole::deny, 10'000, 1);
    guest("b", PowerRole::deny, 10'000, 2);
    guest("c", PowerRole::deny, 10'000, 3);
    power.host_leaves(PowerState::off, now);
    EXPECT_EQ(done(), Texts{"tell c off 10000"});
    EXPECT_EQ(after(10'000), (Texts{"stop c.service", "tell b off 5000"}));
    EXPECT_EQ(after(5'000), (Texts{"stop a.service", "stop b.service", "release"}));
    // Who was not asked can't have been silent.
    EXPECT_FALSE(power.guests().at("a").unresponsive);
    EXPECT_TRUE(power.guests().at("b").unresponsive);
}

TEST_F(Arbiter, HostSuspendWithGuestsThatUseTheirWholeBudget)
{
    guest("a", PowerRole::deny, 3'000);
    guest("b", PowerRole::deny, 7'000);
    power.host_leaves(PowerState::suspend, now);
    EXPECT_EQ(done(), (Texts{"tell a suspend 3000", "tell b suspend 7000"}));
    EXPECT_EQ(after(2'999), Texts{});
    ask("a", PowerState::suspend);
    EXPECT_EQ(after(4'000), Texts{});
    ask("b", PowerState::suspend);
    EXPECT_EQ(done(), Texts{"release"}); // as soon as all are ready
}

TEST_F(Arbiter, TheLatestRequestWinsAndTheFirstIsTakenBack)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{"tell b off 10000"});
    now += Milliseconds(1'000);
    ask("a", PowerState::reboot);
    EXPECT_EQ(done(), (Texts{"tell a on 0", "tell b on 0", "tell b reboot 10000"}));
    now += Milliseconds(1'000);
    power.request(PowerState::on, "root", "no", now);
    EXPECT_EQ(done(), (Texts{"tell a on 0", "tell b on 0"}));
    EXPECT_EQ(power.phase(), PowerPhase::idle);
    EXPECT_EQ(after(100'000), Texts{});
    EXPECT_EQ(power.decide().reason, "none");
}

TEST_F(Arbiter, RequestsInTurnsDoNotPutOffTheTotal)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny, 50'000);
    ask("a", PowerState::off);
    for (int i = 0; i < 5; i++) {
        after(10'000);
        ask("a", i % 2 == 0 ? PowerState::reboot : PowerState::off);
    }
    done();
    EXPECT_EQ(after(10'000), (Texts{"stop b.service", "act reboot"}));
}

TEST_F(Arbiter, HostComesBeforeOthers)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny);
    hold(1, HoldMode::block);
    power.host_leaves(PowerState::off, now);
    EXPECT_EQ(done(), (Texts{"tell a off 10000", "tell b off 10000"}));
    EXPECT_TRUE(power.allowed().empty());
    EXPECT_THROW(power.request(PowerState::on, "root", "", now), Error);
    gone("b");
    ask("a", PowerState::reboot); // does not change where the host goes, and is no answer
    EXPECT_EQ(power.transition()->command.state, PowerState::off);
    EXPECT_EQ(after(10'000), (Texts{"stop a.service", "release"}));
}

TEST_F(Arbiter, GuestsBeganItTheHostTakesItOver)
{
    guest("a", PowerRole::master);
    guest("b", PowerRole::deny);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{"tell b off 10000"});
    power.host_leaves(PowerState::off, now);
    EXPECT_EQ(done(), Texts{});
    gone("b");
    EXPECT_EQ(done(), Texts{"release"});
}

TEST_F(Arbiter, BlocksKeepTheHostOn)
{
    guest("a", PowerRole::master);
    hold(1, HoldMode::block);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.decide().reason, "block");
    EXPECT_EQ(power.limiting_reason(power.guests().at("a")), "block");
    power.release(1, now);
    EXPECT_EQ(done(), Texts{"act off"});
}

TEST_F(Arbiter, ABlockTakesBackWhatIsUnderWay)
{
    guest("a", PowerRole::vote);
    guest("b", PowerRole::deny);
    ask("a", PowerState::off);
    done();
    hold(1, HoldMode::block);
    EXPECT_EQ(done(), (Texts{"tell a on 0", "tell b on 0"}));
    EXPECT_EQ(power.phase(), PowerPhase::idle);
}

TEST_F(Arbiter, DelaysAreWaitedForWithinTheTotal)
{
    hold(1, HoldMode::delay);
    power.request(PowerState::off, "root", "", now);
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.awaited(), Names{"client"});
    power.release(1, now);
    EXPECT_EQ(done(), Texts{"act off"});
    power.host_stays(now);
    done();
    hold(2, HoldMode::delay);
    power.request(PowerState::off, "root", "", now);
    EXPECT_EQ(after(59'999), Texts{});
    EXPECT_EQ(after(1), Texts{"act off"});
}

TEST_F(Arbiter, LocalVotes)
{
    hold(1, HoldMode::vote, PowerState::off);
    EXPECT_EQ(done(), Texts{"act off"});
    power.host_stays(now);
    EXPECT_EQ(done(), Texts{"take"}); // carried out, not again
    EXPECT_EQ(power.phase(), PowerPhase::idle);
    guest("a", PowerRole::vote);
    hold(2, HoldMode::vote, PowerState::on);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.decide().reason, "votes");
    power.release(2, now);
    EXPECT_EQ(done(), Texts{"act off"});
}

TEST_F(Arbiter, ALocalVoteThatIsTakenBackTakesBackTheTransition)
{
    guest("b", PowerRole::deny);
    hold(1, HoldMode::vote, PowerState::off);
    EXPECT_EQ(done(), Texts{"tell b off 10000"});
    power.release(1, now);
    EXPECT_EQ(done(), Texts{"tell b on 0"});
    EXPECT_EQ(power.phase(), PowerPhase::idle);
    hold(2, HoldMode::vote, PowerState::off);
    EXPECT_EQ(done(), Texts{"tell b off 10000"});
    now += Milliseconds(1);
    hold(3, HoldMode::vote, PowerState::on); // somebody else has come
    EXPECT_EQ(done(), Texts{"tell b on 0"});
}

TEST_F(Arbiter, FailuresEndInQuiesced)
{
    guest("a", PowerRole::master);
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{"act off"});
    power.act_failed("an inhibitor", now);
    EXPECT_EQ(after(5'000), Texts{"act off"});
    EXPECT_EQ(after(30'000), Texts{}); // no answer is a failure, too
    EXPECT_EQ(power.failures(), 2U);
    EXPECT_EQ(after(5'000), Texts{"act off"});
    power.act_failed("an inhibitor", now);
    EXPECT_EQ(done(), Texts{"tell a on 0"});
    EXPECT_EQ(power.phase(), PowerPhase::quiesced);
    EXPECT_EQ(after(1'000'000), Texts{});
    ask("a", PowerState::off);
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.decide().reason, "quiesced");
    EXPECT_THROW(power.request(PowerState::off, "root", "", now), Error);
    power.reset(now);
    EXPECT_EQ(done(), Texts{"act off"}); // it was asked for in between
}

TEST_F(Arbiter, QuiescedDoesNotKeepTheHost)
{
    guest("a", PowerRole::master);
    ask("a", PowerState::off);
    for (int i = 0; i < 3; i++) {
        power.act_failed("no", now);
        after(5'000);
    }
    ASSERT_EQ(power.phase(), PowerPhase::quiesced);
    power.host_leaves(PowerState::off, now);
    EXPECT_EQ(done(), Texts{"tell a off 10000"});
}

TEST_F(Arbiter, EmergencyOffTellsNobody)
{
    guest("a", PowerRole::deny);
    hold(1, HoldMode::block);
    power.emergency_off("root", now);
    EXPECT_EQ(done(), Texts{"act off"});
}

TEST_F(Arbiter, AGuestThatRebootsInsteadIsToldAgain)
{
    guest("a", PowerRole::deny);
    guest("b", PowerRole::deny);
    power.request(PowerState::off, "root", "", now);
    done();
    gone("a");
    power.guest_runs("a", ++run, now);
    EXPECT_EQ(done(), Texts{}); // when the others are ready
    gone("b");
    EXPECT_EQ(done(), Texts{"tell a off 10000"});
    gone("a");
    EXPECT_EQ(done(), Texts{"act off"});
}

TEST_F(Arbiter, WhoIsNotThereIsNotToldAndNotWaitedFor)
{
    know("a", PowerRole::vote);
    guest("b", PowerRole::vote);
    ask("b", PowerState::off);
    EXPECT_EQ(done(), Texts{"act off"});
}

TEST_F(Arbiter, AGuestThatIsRemovedIsWaitedForNoLonger)
{
    guest("a", PowerRole::deny);
    power.request(PowerState::off, "root", "", now);
    done();
    power.guest_gone("a", now);
    EXPECT_EQ(done(), Texts{"act off"});
}

TEST_F(Arbiter, AnotherGuestOfTheNameInheritsNothing)
{
    guest("a", PowerRole::vote);
    guest("b", PowerRole::vote);
    ask("a", PowerState::off);
    power.guest_known("a", 2, rules["a"], "a.service", now);
    power.guest_runs("a", ++run, now);
    EXPECT_FALSE(power.guests().at("a").wish);
}

TEST_F(Arbiter, AllowedTransitions)
{
    guest("a", PowerRole::deny);
    using States = std::vector<PowerState>;
    EXPECT_EQ(power.allowed(), (States{PowerState::off, PowerState::reboot, PowerState::suspend}));
    EXPECT_THROW(power.request(PowerState::on, "root", "", now), Error);
    power.request(PowerState::off, "root", "", now);
    EXPECT_EQ(power.allowed().size(), 4U);
    gone("a");
    EXPECT_EQ(power.phase(), PowerPhase::acting);
    EXPECT_TRUE(power.allowed().empty());
}

TEST_F(Arbiter, ARestartInEveryPhaseGoesOn)
{
    guest("a", PowerRole::vote);
    guest("b", PowerRole::vote, 5'000);
    guest("c", PowerRole::deny, 5'000, 1);
    hold(7, HoldMode::vote, PowerState::off);
    ask("a", PowerState::off);
    restart(); // idle: a vote is not lost, and none is counted alone
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.decide().reason, "votes");
    EXPECT_EQ(power.holds().at(7).who, "client");
    now += Milliseconds(10);
    ask("b", PowerState::off);
    EXPECT_EQ(done(), Texts{"tell c off 5000"});
    after(2'000);
    restart(); // preparing: nobody is told twice, and time goes on
    EXPECT_EQ(done(), Texts{});
    EXPECT_EQ(power.phase(), PowerPhase::preparing);
    EXPECT_EQ(power.command()->why, "the guest asks for it");
    EXPECT_EQ(after(2'999), Texts{});
    EXPECT_EQ(after(1), (Texts{"stop c.service", "act off"}));
    restart(); // acting
    EXPECT_EQ(power.phase(), PowerPhase::acting);
    EXPECT_TRUE(power.guests().at("c").unresponsive);
    EXPECT_EQ(done(), Texts{});
    power.host_leaves(PowerState::off, now);
    EXPECT_EQ(done(), Texts{"release"});
    restart(); // leaving
    EXPECT_EQ(power.phase(), PowerPhase::leaving);
    EXPECT_EQ(done(), Texts{});
    const std::string record = power.record();
    restart();
    EXPECT_EQ(power.record(), record);
}

TEST_F(Arbiter, ARecordThatIsBrokenIsAsAtFirst)
{
    power = PowerArbiter();
    power.restore(parse_toml("phase = \"preparing\"\n[[guest]]\nid = \"x\"\n", ""));
    power.start(now);
    EXPECT_EQ(power.phase(), PowerPhase::idle);
    EXPECT_EQ(after(100'000), Texts{});
}

} // namespace
} // namespace devhost::test
