// SPDX-License-Identifier: Apache-2.0
#include "power_arbiter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "error.hpp"

namespace devhost {

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

void PowerArbiter::note(const std::string &guest, std::string text)
{
    actions_.emplace_back(power_action::Note{guest, std::move(text)});
}

std::vector<PowerAction> PowerArbiter::take_actions()
{
    return std::exchange(actions_, {});
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

} // namespace devhost
