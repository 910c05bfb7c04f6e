// SPDX-License-Identifier: Apache-2.0
//
// Who decides about the system's power: a state machine without a clock, a bus or a kernel. It is
// told what happens and what time it is, and says what is to be done.
//
// A transition goes through these phases:
//   idle       the host is on
//   preparing  guests are told, group by group, and waited for; who is silent is forced
//   acting     everybody is ready; logind is asked to do it
//   leaving    logind does it; what it waited for is released
//   quiesced   it failed too often; nothing more happens until somebody resets it
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config_tree.hpp"
#include "power_rules.hpp"

namespace devhost {

/// Since the machine was started, sleep included: CLOCK_BOOTTIME.
using PowerTime = Milliseconds;

enum class PowerPhase { idle, preparing, acting, leaving, quiesced };
enum class GuestProgress { none, told, ready, forced };
enum class HoldMode { vote, delay, block };

const char *word_of(PowerPhase phase);
const char *word_of(GuestProgress progress);
const char *word_of(HoldMode mode);

struct PowerLimits {
    Milliseconds total{60'000};      // for all guests together
    unsigned failures = 3;           // then nothing is tried any more
    Milliseconds retry_after{5'000}; // a failure
    Milliseconds answer{30'000};     // logind begins within
    bool operator==(const PowerLimits &) const = default;
};

/// What a local client holds.
struct PowerHold {
    HoldMode mode = HoldMode::vote;
    PowerState state = PowerState::on; // of a vote
    std::string who;
    std::string why;
    PowerTime since{};
    bool spent = false; // a vote that was carried out, or overruled
};

struct PowerGuest {
    std::uint32_t id = 0; // the kernel's
    PowerRules rules;
    std::string vm_unit;
    std::uint64_t run = 0;      // another number for each start of its driver; 0: it is not there
    std::uint64_t last_run = 0; // the last that was there
    std::optional<PowerState> wish;
    PowerTime wish_since{};
    GuestProgress progress = GuestProgress::none;
    PowerTime deadline{};
    bool unresponsive = false;
    unsigned failures = 0; // of its emulation
    bool quiesced = false;
    std::optional<PowerTime> retry_at;

    bool is_awaited() const { return progress == GuestProgress::told; }
    bool is_untold() const { return run != 0 && progress == GuestProgress::none; }
};

/// What the host is to do, by whom.
struct PowerCommand {
    PowerState state = PowerState::on;
    std::string who;
    std::string why;
    PowerTime since{};
    bool by_host = false;  // logind has begun it: nobody can keep it from it
    bool by_votes = false; // all that vote wanted it
};

struct PowerTransition {
    PowerCommand command;
    PowerTime deadline{};
};

/// What the votes and commands come to.
struct PowerDecision {
    PowerState state = PowerState::on;
    std::string reason = "none"; // why it is not what somebody asks for
    std::optional<PowerCommand> command;
};

namespace power_action {

/// SYSTEM_POWER_STATE_NOTIFIER to the guest; on: nothing comes of what was announced.
struct Announce {
    std::string guest;
    PowerState state;
    Milliseconds timeout;
    bool operator==(const Announce &) const = default;
};
struct StopUnit {
    std::string guest;
    std::string unit;
    bool operator==(const StopUnit &) const = default;
};
struct StartUnit {
    std::string guest;
    std::string unit;
    bool operator==(const StartUnit &) const = default;
};
struct Act {
    PowerState state;
    bool operator==(const Act &) const = default;
};
/// logind waits for us no longer; and it is to wait from now on.
struct ReleaseDelay {
    bool operator==(const ReleaseDelay &) const = default;
};
struct TakeDelay {
    bool operator==(const TakeDelay &) const = default;
};
/// For the log.
struct Note {
    std::string guest;
    std::string text;
    bool operator==(const Note &) const = default;
};

} // namespace power_action

using PowerAction =
    std::variant<power_action::Announce, power_action::StopUnit, power_action::StartUnit,
                 power_action::Act, power_action::ReleaseDelay, power_action::TakeDelay,
                 power_action::Note>;

class PowerArbiter {
public:
    void set_limits(const PowerLimits &limits) { limits_ = limits; }

    /// Nothing is decided before: first all that is known must be told.
    void start(PowerTime now);

    /// What is known of a guest; a guest of another id inherits nothing.
    void guest_known(const std::string &name, std::uint32_t id, const PowerRules &rules,
                     const std::string &vm_unit, PowerTime now);
    void guest_gone(const std::string &name, PowerTime now);
    /// Its driver has started (another number than before) or is gone (0).
    void guest_runs(const std::string &name, std::uint64_t run, PowerTime now);
    void guest_asks(const std::string &name, PowerState state, PowerTime now);

    /// An administrator's command; PowerState::on takes back what is under way. Throws Error.
    void request(PowerState state, const std::string &who, const std::string &why, PowerTime now);
    /// Off at once, nobody is told.
    void emergency_off(const std::string &who, PowerTime now);
    void hold(std::uint64_t id, const PowerHold &hold, PowerTime now);
    void release(std::uint64_t id, PowerTime now);

    /// logind begins a transition, and has ended or given up one.
    void host_leaves(PowerState state, PowerTime now);
    void host_stays(PowerTime now);
    /// What was to be done could not be.
    void act_failed(const std::string &why, PowerTime now);
    void start_succeeded(const std::string &guest);
    void start_failed(const std::string &guest, const std::string &why, PowerTime now);

    void reset(PowerTime now);
    void reset_guest(const std::string &name);

    void tick(PowerTime now);
    /// When tick() is due next.
    [[nodiscard]] std::optional<PowerTime> next() const;
    /// What is to be done, in this order.
    std::vector<PowerAction> take_actions();

    [[nodiscard]] PowerPhase phase() const { return phase_; }
    [[nodiscard]] PowerDecision decide() const;
    [[nodiscard]] const std::optional<PowerTransition> &transition() const { return transition_; }
    [[nodiscard]] const std::optional<PowerCommand> &command() const { return command_; }
    [[nodiscard]] const std::map<std::string, PowerGuest> &guests() const { return guests_; }
    [[nodiscard]] const std::map<std::uint64_t, PowerHold> &holds() const { return holds_; }
    [[nodiscard]] unsigned failures() const { return failures_; }
    /// States that request() takes now.
    [[nodiscard]] std::vector<PowerState> allowed() const;
    /// Who is waited for: guests, then holders of delays.
    [[nodiscard]] std::vector<std::string> awaited() const;
    /// Why a guest has not what it asked for.
    [[nodiscard]] std::string limiting_reason(const PowerGuest &guest) const;

    /// All of it as TOML, and back; what the text lacks is as at first.
    [[nodiscard]] std::string record() const;
    void restore(const Setting &record);

private:
    [[nodiscard]] const PowerTransition &under_way() const;
    void note(const std::string &guest, std::string text);
    struct Votes {
        std::optional<PowerCommand> down; // the latest of those that want the host to leave
        bool agreed = true;
        PowerTime latest{};
    };
    [[nodiscard]] Votes votes() const;
    [[nodiscard]] bool blocked() const;
    /// Makes what is decided happen.
    void evaluate(PowerTime now);
    void begin(const PowerCommand &command, PowerTime now, PowerTime deadline);
    void take_back();
    void cancel();
    void advance(PowerTime now);
    void tell_next_group(PowerTime now);
    void tell(const std::string &name, PowerGuest &guest, PowerTime now);
    void force(const std::string &name, PowerGuest &guest);
    void finish(PowerTime now);
    void emulate(const std::string &name, PowerGuest &guest);
    /// Wishes and votes that were carried out, or overruled.
    void forget_wishes();

    PowerLimits limits_;
    bool started_ = false;
    PowerPhase phase_ = PowerPhase::idle;
    std::map<std::string, PowerGuest> guests_;
    std::map<std::uint64_t, PowerHold> holds_;
    std::optional<PowerCommand> command_;
    std::optional<PowerTransition> transition_;
    unsigned failures_ = 0;
    std::optional<PowerTime> retry_at_;     // acting
    std::optional<PowerTime> act_deadline_; // acting
    std::vector<PowerAction> actions_;
};

} // namespace devhost
