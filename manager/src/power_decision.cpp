// SPDX-License-Identifier: Apache-2.0
// What comes of who asks for what: no function here changes anything.
#include <algorithm>

#include "power_arbiter.hpp"

namespace devhost {

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
        if (guest.is_awaited() || guest.is_untold()) {
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

} // namespace devhost
