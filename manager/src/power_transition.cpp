// SPDX-License-Identifier: Apache-2.0
// Transitions: what was decided is told to the guests, one after the other, and carried out.
#include <algorithm>

#include "error.hpp"
#include "power_arbiter.hpp"

namespace devhost {

namespace {

std::optional<PowerTime> earlier(std::optional<PowerTime> a, std::optional<PowerTime> b)
{
    if (a && b) {
        return std::min(*a, *b);
    }
    return a ? a : b;
}

} // namespace

// In the phases that have one.
const PowerTransition &PowerArbiter::under_way() const
{
    if (!transition_) {
        throw Error(Cause::failed, "No transition is under way.");
    }
    return *transition_;
}

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
        if ((guest.is_awaited() && now >= guest.deadline) ||
            (out_of_time && (guest.is_awaited() || guest.is_untold()))) {
            force(name, guest);
        }
    }
    const auto waits = [](const auto &each) { return each.second.is_awaited(); };
    while (std::ranges::none_of(guests_, waits)) {
        if (std::ranges::none_of(guests_,
                                 [](const auto &each) { return each.second.is_untold(); })) {
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
        if (guest.is_untold() && (!place || order == 0 || (*place != 0 && order > *place))) {
            place = order;
        }
    }
    for (auto &[name, guest] : guests_) {
        if (guest.is_untold() && guest.rules.order == place) {
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
        if (phase_ == PowerPhase::preparing && guest.is_awaited()) {
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
