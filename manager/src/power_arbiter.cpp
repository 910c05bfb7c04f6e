// SPDX-License-Identifier: Apache-2.0
#include "power_arbiter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "error.hpp"

namespace devhost {

namespace {

bool awaited_progress(const PowerGuest &guest)
{
    return guest.progress == GuestProgress::told;
}

bool untold(const PowerGuest &guest)
{
    return guest.run != 0 && guest.progress == GuestProgress::none;
}

std::optional<PowerTime> earlier(std::optional<PowerTime> a, std::optional<PowerTime> b)
{
    if (a && b) {
        return std::min(*a, *b);
    }
    return a ? a : b;
}

} // namespace

const char *word_of(PowerPhase phase)
{
    static constexpr std::array words{"on", "preparing", "acting", "leaving", "quiesced"};
    return words.at(static_cast<std::size_t>(phase));
}

const char *word_of(GuestProgress progress)
{
    static constexpr std::array words{"none", "told", "ready", "forced"};
    return words.at(static_cast<std::size_t>(progress));
}

const char *word_of(HoldMode mode)
{
    static constexpr std::array words{"vote", "delay", "block"};
    return words.at(static_cast<std::size_t>(mode));
}

// In the phases that have one.
const PowerTransition &PowerArbiter::under_way() const
{
    if (!transition_) {
        throw Error(Cause::failed, "No transition is under way.");
    }
    return *transition_;
}

void PowerArbiter::note(const std::string &guest, std::string text)
{
    actions_.emplace_back(power_action::Note{guest, std::move(text)});
}

std::vector<PowerAction> PowerArbiter::take_actions()
{
    return std::exchange(actions_, {});
}

// What comes of it.

bool PowerArbiter::blocked() const
{
    return std::ranges::any_of(
        holds_, [](const auto &each) { return each.second.mode == HoldMode::block; });
}

// All that vote want the host to leave; where they differ, the latest of them decides.
PowerArbiter::Votes PowerArbiter::votes() const
{
    Votes result;
    const auto count = [&](const std::string &who, std::optional<PowerState> wish, PowerTime since,
                           const std::string &why) {
        if (wish) {
            result.latest = std::max(result.latest, since);
        }
        if (!wish || *wish == PowerState::on) {
            result.agreed = false;
            return;
        }
        if (!result.down) {
            result.down.emplace();
            result.down->by_votes = true;
        }
        result.down->who += (result.down->who.empty() ? "" : ", ") + who;
        if (since >= result.down->since) {
            result.down->state = *wish;
            result.down->since = since;
            result.down->why = why;
        }
    };
    for (const auto &[name, guest] : guests_) {
        if (guest.rules.role == PowerRole::vote && guest.run != 0) {
            count("guest " + name, guest.wish, guest.wish_since, "the guest asks for it");
        }
    }
    for (const auto &[unused, hold] : holds_) {
        if (hold.mode == HoldMode::vote && !hold.spent) {
            count(hold.who, hold.state, hold.since, hold.why);
        }
    }
    return result;
}

PowerDecision PowerArbiter::decide() const
{
    if (command_ && command_->by_host) {
        return {.state = command_->state, .reason = "none", .command = command_};
    }
    if (phase_ == PowerPhase::quiesced) {
        return {.state = PowerState::on, .reason = "quiesced", .command = {}};
    }
    const Votes counted = votes();
    if (!command_ && !counted.down) {
        return {};
    }
    if (blocked()) {
        return {.state = PowerState::on, .reason = "block", .command = {}};
    }
    // Those who voted may have gone down by now; but who voted later counts.
    const bool changed = command_ && command_->by_votes && counted.latest > command_->since;
    if (command_ && !changed) {
        return {.state = command_->state, .reason = "none", .command = command_};
    }
    if (!counted.down || !counted.agreed) {
        return {.state = PowerState::on, .reason = "votes", .command = {}};
    }
    return {.state = counted.down->state, .reason = "none", .command = counted.down};
}

std::string PowerArbiter::limiting_reason(const PowerGuest &guest) const
{
    if (!guest.wish) {
        return "none";
    }
    if (guest.rules.role == PowerRole::deny) {
        return "denied";
    }
    if (guest.rules.role == PowerRole::emulate) {
        return guest.quiesced ? "quiesced" : "emulated";
    }
    const PowerDecision decision = decide();
    if (decision.state == *guest.wish) {
        return "none";
    }
    return decision.reason == "none" ? "overruled" : decision.reason;
}

std::vector<PowerState> PowerArbiter::allowed() const
{
    if (command_ && command_->by_host) {
        return {};
    }
    switch (phase_) {
    case PowerPhase::idle:
        if (command_ || votes().down) {
            return {PowerState::on, PowerState::off, PowerState::reboot, PowerState::suspend};
        }
        return {PowerState::off, PowerState::reboot, PowerState::suspend};
    case PowerPhase::preparing:
        return {PowerState::on, PowerState::off, PowerState::reboot, PowerState::suspend};
    default:
        return {};
    }
}

std::vector<std::string> PowerArbiter::awaited() const
{
    std::vector<std::string> names;
    if (phase_ != PowerPhase::preparing) {
        return names;
    }
    for (const auto &[name, guest] : guests_) {
        if (awaited_progress(guest) || untold(guest)) {
            names.push_back("guest " + name);
        }
    }
    for (const auto &[unused, hold] : holds_) {
        if (hold.mode == HoldMode::delay) {
            names.push_back(hold.who);
        }
    }
    return names;
}

// Events.

void PowerArbiter::start(PowerTime now)
{
    started_ = true;
    evaluate(now);
}

void PowerArbiter::guest_known(const std::string &name, std::uint32_t id, const PowerRules &rules,
                               const std::string &vm_unit, PowerTime now)
{
    PowerGuest &guest = guests_[name];
    if (guest.id != id) {
        guest = {};
        guest.id = id;
    }
    guest.rules = rules;
    guest.vm_unit = vm_unit;
    evaluate(now);
}

void PowerArbiter::guest_gone(const std::string &name, PowerTime now)
{
    if (guests_.erase(name) != 0) {
        evaluate(now);
    }
}

void PowerArbiter::guest_runs(const std::string &name, std::uint64_t run, PowerTime now)
{
    const auto found = guests_.find(name);
    if (found == guests_.end() || found->second.run == run) {
        return;
    }
    PowerGuest &guest = found->second;
    if (guest.run != 0) {
        guest.wish.reset(); // it went with its owner
    }
    guest.run = run;
    // One that the host stopped and lets go on has not answered by that.
    if (run != 0 && run != guest.last_run) {
        if (guest.unresponsive) {
            note(name, "the guest answers again.");
        }
        guest.unresponsive = false;
        guest.last_run = run;
    }
    if (phase_ == PowerPhase::preparing && run != 0) {
        guest.progress = GuestProgress::none;
    } else if (phase_ == PowerPhase::preparing && guest.progress == GuestProgress::told) {
        guest.progress = GuestProgress::ready;
        note(name, "the guest is ready: it has gone down.");
    }
    evaluate(now);
}

void PowerArbiter::guest_asks(const std::string &name, PowerState state, PowerTime now)
{
    const auto found = guests_.find(name);
    if (found == guests_.end()) {
        return;
    }
    PowerGuest &guest = found->second;
    const PowerRole role = guest.rules.role;
    guest.wish = state;
    guest.wish_since = now;
    guest.unresponsive = false;
    note(name, std::string("the guest asks for '") + word_of(state) + "', its role is '" +
                   word_of(role) + "'.");
    if (phase_ == PowerPhase::acting || phase_ == PowerPhase::leaving) {
        return;
    }
    const bool decides = role == PowerRole::vote || role == PowerRole::master;
    if (phase_ == PowerPhase::preparing && (state == under_way().command.state || !decides)) {
        guest.progress = GuestProgress::ready; // that is its answer
        advance(now);
        return;
    }
    if (role == PowerRole::emulate) {
        emulate(name, guest);
    } else if (role == PowerRole::master && !(command_ && command_->by_host)) {
        command_ = PowerCommand{
            .state = state, .who = "guest " + name, .why = "the guest asks for it", .since = now};
    }
    evaluate(now);
}

void PowerArbiter::emulate(const std::string &name, PowerGuest &guest)
{
    if (guest.quiesced) {
        note(name, "its unit failed too often: nothing is done until it is reset.");
        return;
    }
    guest.retry_at.reset();
    actions_.emplace_back(power_action::StartUnit{name, guest.rules.emulate_unit});
}

void PowerArbiter::start_succeeded(const std::string &name)
{
    const auto found = guests_.find(name);
    if (found != guests_.end()) {
        found->second.failures = 0;
        found->second.wish.reset();
    }
}

void PowerArbiter::start_failed(const std::string &name, const std::string &why, PowerTime now)
{
    const auto found = guests_.find(name);
    if (found == guests_.end()) {
        return;
    }
    PowerGuest &guest = found->second;
    guest.failures++;
    guest.quiesced = guest.failures >= limits_.failures;
    if (!guest.quiesced) {
        guest.retry_at = now + limits_.retry_after;
    }
    note(name, "its unit could not be started" +
                   std::string(guest.quiesced ? ", for the last time" : "") + ": " + why);
}

void PowerArbiter::request(PowerState state, const std::string &who, const std::string &why,
                           PowerTime now)
{
    const auto possible = allowed();
    if (std::ranges::find(possible, state) == possible.end()) {
        if (phase_ == PowerPhase::quiesced) {
            throw Error(Cause::not_supported, "Transitions failed too often: find out why, then "
                                              "call Reset.");
        }
        throw Error(Cause::not_supported,
                    phase_ == PowerPhase::idle
                        ? "Nothing is under way that could be taken back."
                        : "The host is leaving: this can't be changed any more.");
    }
    note("", who + " asks for '" + word_of(state) + "'" + (why.empty() ? "." : ": " + why + "."));
    if (state == PowerState::on) {
        command_.reset();
        forget_wishes();
    } else {
        command_ = PowerCommand{.state = state, .who = who, .why = why, .since = now};
    }
    evaluate(now);
}

void PowerArbiter::emergency_off(const std::string &who, PowerTime now)
{
    note("", who + " switches off at once, nobody is told.");
    command_ = PowerCommand{.state = PowerState::off, .who = who, .why = "emergency", .since = now};
    transition_ = PowerTransition{.command = *command_, .deadline = now};
    finish(now);
}

void PowerArbiter::hold(std::uint64_t id, const PowerHold &hold, PowerTime now)
{
    holds_[id] = hold;
    evaluate(now);
}

void PowerArbiter::release(std::uint64_t id, PowerTime now)
{
    const auto found = holds_.find(id);
    if (found == holds_.end()) {
        return;
    }
    const bool voted = found->second.mode == HoldMode::vote && !found->second.spent;
    holds_.erase(found);
    if (voted && command_ && command_->by_votes) {
        command_.reset(); // counted anew, without this one
    }
    evaluate(now);
}

void PowerArbiter::host_leaves(PowerState state, PowerTime now)
{
    if (phase_ == PowerPhase::leaving) {
        return;
    }
    if (phase_ == PowerPhase::acting) {
        phase_ = PowerPhase::leaving;
        act_deadline_.reset();
        retry_at_.reset();
        failures_ = 0;
        actions_.emplace_back(power_action::ReleaseDelay{});
        return;
    }
    note("", std::string("the host is about to go to '") + word_of(state) + "'.");
    if (phase_ == PowerPhase::quiesced) {
        phase_ = PowerPhase::idle;
    }
    command_ = PowerCommand{.state = state,
                            .who = "host",
                            .why = "asked of systemd-logind",
                            .since = now,
                            .by_host = true};
    evaluate(now);
}

void PowerArbiter::host_stays(PowerTime now)
{
    if (phase_ == PowerPhase::idle || phase_ == PowerPhase::quiesced) {
        return;
    }
    note("", "the host is on.");
    command_.reset();
    forget_wishes();
    take_back();
    phase_ = PowerPhase::idle;
    act_deadline_.reset();
    retry_at_.reset();
    failures_ = 0;
    actions_.emplace_back(power_action::TakeDelay{});
    evaluate(now);
}

void PowerArbiter::act_failed(const std::string &why, PowerTime now)
{
    if (phase_ != PowerPhase::acting) {
        return;
    }
    act_deadline_.reset();
    failures_++;
    if (failures_ < limits_.failures) {
        retry_at_ = now + limits_.retry_after;
        note("", "the host does not go, it is asked again: " + why);
        return;
    }
    note("", "the host does not go, for the last time; Reset ends this: " + why);
    retry_at_.reset();
    command_.reset();
    forget_wishes();
    take_back();
    phase_ = PowerPhase::quiesced;
}

void PowerArbiter::reset(PowerTime now)
{
    failures_ = 0;
    if (phase_ == PowerPhase::quiesced) {
        phase_ = PowerPhase::idle;
        note("", "requests are taken again.");
    }
    evaluate(now);
}

void PowerArbiter::reset_guest(const std::string &name)
{
    const auto found = guests_.find(name);
    if (found != guests_.end()) {
        found->second.failures = 0;
        found->second.quiesced = false;
        found->second.unresponsive = false;
        found->second.retry_at.reset();
        found->second.wish.reset();
    }
}

// Transitions.

void PowerArbiter::forget_wishes()
{
    for (auto &[unused, guest] : guests_) {
        guest.wish.reset();
    }
    for (auto &[unused, hold] : holds_) {
        hold.spent = hold.spent || (hold.mode == HoldMode::vote && hold.state != PowerState::on);
    }
}

void PowerArbiter::evaluate(PowerTime now)
{
    if (!started_ || (phase_ != PowerPhase::idle && phase_ != PowerPhase::preparing)) {
        return;
    }
    const PowerDecision decision = decide();
    if (decision.command && decision.command->by_votes) {
        command_ = decision.command; // who has voted may go down by now
    }
    if (phase_ == PowerPhase::idle) {
        if (decision.state != PowerState::on && decision.command) {
            begin(*decision.command, now, now + limits_.total);
        }
        return;
    }
    if (decision.state == PowerState::on || !decision.command) {
        cancel();
        return;
    }
    if (decision.state != under_way().command.state) {
        const PowerTime deadline = under_way().deadline; // the total is hard
        take_back();
        begin(*decision.command, now, deadline);
        return;
    }
    if (transition_ && decision.command) {
        transition_->command.by_host = decision.command->by_host;
    }
    advance(now);
}

void PowerArbiter::begin(const PowerCommand &command, PowerTime now, PowerTime deadline)
{
    phase_ = PowerPhase::preparing;
    transition_ = PowerTransition{.command = command, .deadline = deadline};
    note("", std::string("the host goes to '") + word_of(command.state) + "' for " + command.who +
                 "; guests are told.");
    for (auto &[name, guest] : guests_) {
        const bool votes = guest.rules.role == PowerRole::vote;
        const bool asked = guest.run != 0 && guest.wish == command.state &&
                           (votes || guest.rules.role == PowerRole::master);
        guest.progress = asked ? GuestProgress::ready : GuestProgress::none;
    }
    advance(now);
}

// Who was told hears that nothing comes of it: in the order in which a resume tells.
void PowerArbiter::take_back()
{
    std::vector<std::pair<unsigned, std::string>> order;
    for (auto &[name, guest] : guests_) {
        const bool knows =
            guest.progress == GuestProgress::told || guest.progress == GuestProgress::ready;
        if (knows && guest.run != 0) {
            order.emplace_back(guest.rules.order == 0 ? ~0U : guest.rules.order, name);
        }
        guest.progress = GuestProgress::none;
    }
    std::ranges::sort(order);
    for (const auto &[unused, name] : order) {
        actions_.emplace_back(power_action::Announce{name, PowerState::on, Milliseconds::zero()});
    }
    transition_.reset();
}

void PowerArbiter::cancel()
{
    note("", std::string("the host does not go to '") + word_of(under_way().command.state) + "'.");
    take_back();
    phase_ = PowerPhase::idle;
    if (command_ && command_->by_votes) {
        command_.reset();
    }
}

void PowerArbiter::advance(PowerTime now)
{
    if (phase_ != PowerPhase::preparing) {
        return;
    }
    const bool out_of_time = now >= under_way().deadline;
    for (auto &[name, guest] : guests_) {
        if ((awaited_progress(guest) && now >= guest.deadline) ||
            (out_of_time && (awaited_progress(guest) || untold(guest)))) {
            force(name, guest);
        }
    }
    const auto waits = [](const auto &each) { return awaited_progress(each.second); };
    while (std::ranges::none_of(guests_, waits)) {
        if (std::ranges::none_of(guests_, [](const auto &each) { return untold(each.second); })) {
            const bool delayed = std::ranges::any_of(
                holds_, [](const auto &each) { return each.second.mode == HoldMode::delay; });
            if (!delayed || out_of_time) {
                finish(now);
            }
            return;
        }
        tell_next_group(now);
    }
}

// Those without a place in the order first, all at once; then the highest place.
void PowerArbiter::tell_next_group(PowerTime now)
{
    std::optional<unsigned> place;
    for (const auto &[unused, guest] : guests_) {
        const unsigned order = guest.rules.order;
        if (untold(guest) && (!place || order == 0 || (*place != 0 && order > *place))) {
            place = order;
        }
    }
    for (auto &[name, guest] : guests_) {
        if (untold(guest) && guest.rules.order == place) {
            tell(name, guest, now);
        }
    }
}

void PowerArbiter::tell(const std::string &name, PowerGuest &guest, PowerTime now)
{
    if (guest.unresponsive) {
        force(name, guest);
        return;
    }
    const Milliseconds timeout = std::min(guest.rules.budget, under_way().deadline - now);
    guest.progress = GuestProgress::told;
    guest.deadline = now + timeout;
    actions_.emplace_back(power_action::Announce{name, under_way().command.state, timeout});
}

void PowerArbiter::force(const std::string &name, PowerGuest &guest)
{
    guest.unresponsive = guest.unresponsive || guest.progress == GuestProgress::told;
    guest.progress = GuestProgress::forced;
    // Asleep, the VM does not run, and the kernel has stopped its devices: no need to end it.
    const bool stop = under_way().command.state != PowerState::suspend && !guest.vm_unit.empty();
    note(name, std::string("the guest has not answered in time") +
                   (stop ? ": its unit is stopped." : "; the host goes on without it."));
    if (stop) {
        actions_.emplace_back(power_action::StopUnit{name, guest.vm_unit});
    }
}

void PowerArbiter::finish(PowerTime now)
{
    if (under_way().command.by_host) {
        note("", "all are ready; the host goes on.");
        phase_ = PowerPhase::leaving;
        actions_.emplace_back(power_action::ReleaseDelay{});
        return;
    }
    phase_ = PowerPhase::acting;
    act_deadline_ = now + limits_.answer;
    actions_.emplace_back(power_action::Act{under_way().command.state});
}

// Time.

void PowerArbiter::tick(PowerTime now)
{
    for (auto &[name, guest] : guests_) {
        if (guest.retry_at && now >= *guest.retry_at) {
            emulate(name, guest);
        }
    }
    if (phase_ == PowerPhase::acting && retry_at_ && now >= *retry_at_) {
        retry_at_.reset();
        act_deadline_ = now + limits_.answer;
        actions_.emplace_back(power_action::Act{under_way().command.state});
    } else if (phase_ == PowerPhase::acting && act_deadline_ && now >= *act_deadline_) {
        act_failed("systemd-logind has not begun.", now);
    }
    advance(now);
}

std::optional<PowerTime> PowerArbiter::next() const
{
    std::optional<PowerTime> when;
    for (const auto &[unused, guest] : guests_) {
        when = earlier(when, guest.retry_at);
        if (phase_ == PowerPhase::preparing && awaited_progress(guest)) {
            when = earlier(when, guest.deadline);
        }
    }
    if (phase_ == PowerPhase::preparing) {
        when = earlier(when, under_way().deadline);
    }
    if (phase_ == PowerPhase::acting) {
        when = earlier(when, earlier(retry_at_, act_deadline_));
    }
    return when;
}

} // namespace devhost
