// SPDX-License-Identifier: Apache-2.0
//
// What the arbiter knows, as text: so a restart of the daemon in any phase goes on where it was.
#include <sstream>

#include "power_arbiter.hpp"
#include "record_reader.hpp"

namespace devhost {

namespace {

void put(std::ostream &out, const char *key, const std::string &text)
{
    put_record(out, key, text);
}

void put(std::ostream &out, const char *key, std::int64_t number)
{
    put_record(out, key, number);
}

void put(std::ostream &out, const char *key, const std::optional<PowerTime> &time)
{
    if (time) {
        put(out, key, time->count());
    }
}

void put_command(std::ostream &out, const PowerCommand &command)
{
    put(out, "state", word_of(command.state));
    put(out, "who", command.who);
    put(out, "why", command.why);
    put(out, "since", command.since.count());
    put(out, "by_host", command.by_host ? 1 : 0);
    put(out, "by_votes", command.by_votes ? 1 : 0);
}

std::optional<PowerTime> time(const RecordReader &reader, std::string_view key)
{
    const auto value = reader.optional(key);
    return value ? std::optional(PowerTime(*value)) : std::nullopt;
}

// The value whose word it is; the first where there is none.
template <typename Enum, std::size_t count>
Enum value_of(const std::string &word)
{
    for (std::size_t i = 0; i < count; i++) {
        if (word == word_of(static_cast<Enum>(i))) {
            return static_cast<Enum>(i);
        }
    }
    return Enum();
}

PowerCommand command_from(const RecordReader &reader)
{
    return {.state = power_state_of(reader.text("state")).value_or(PowerState::on),
            .who = reader.text("who"),
            .why = reader.text("why"),
            .since = PowerTime(reader.number("since")),
            .by_host = reader.number("by_host") != 0,
            .by_votes = reader.number("by_votes") != 0};
}

} // namespace

std::string PowerArbiter::record() const
{
    std::ostringstream out;
    put(out, "phase", word_of(phase_));
    put(out, "failures", failures_);
    put(out, "retry_at", retry_at_);
    put(out, "act_deadline", act_deadline_);
    if (command_) {
        out << "[command]\n";
        put_command(out, *command_);
    }
    if (transition_) {
        out << "[transition]\n";
        put_command(out, transition_->command);
        put(out, "deadline", transition_->deadline.count());
    }
    for (const auto &[name, guest] : guests_) {
        out << "[[guest]]\n";
        put(out, "name", name);
        put(out, "id", guest.id);
        put(out, "run", static_cast<std::int64_t>(guest.run));
        put(out, "last_run", static_cast<std::int64_t>(guest.last_run));
        if (guest.wish) {
            put(out, "wish", word_of(*guest.wish));
        }
        put(out, "wish_since", guest.wish_since.count());
        put(out, "progress", word_of(guest.progress));
        put(out, "deadline", guest.deadline.count());
        put(out, "unresponsive", guest.unresponsive ? 1 : 0);
        put(out, "failures", guest.failures);
        put(out, "quiesced", guest.quiesced ? 1 : 0);
        put(out, "retry_at", guest.retry_at);
    }
    for (const auto &[id, hold] : holds_) {
        out << "[[hold]]\n";
        put(out, "id", static_cast<std::int64_t>(id));
        put(out, "mode", word_of(hold.mode));
        put(out, "state", word_of(hold.state));
        put(out, "who", hold.who);
        put(out, "why", hold.why);
        put(out, "since", hold.since.count());
        put(out, "spent", hold.spent ? 1 : 0);
    }
    return out.str();
}

void PowerArbiter::restore(const Setting &record)
{
    const RecordReader top(record);
    phase_ = value_of<PowerPhase, 5>(top.text("phase"));
    failures_ = static_cast<unsigned>(top.number("failures"));
    retry_at_ = time(top, "retry_at");
    act_deadline_ = time(top, "act_deadline");
    if (const Setting *command = top.find("command")) {
        command_ = command_from(RecordReader(*command));
    }
    if (const Setting *transition = top.find("transition")) {
        const RecordReader reader(*transition);
        transition_ = PowerTransition{.command = command_from(reader),
                                      .deadline = PowerTime(reader.number("deadline"))};
    }
    if (!transition_ && phase_ != PowerPhase::quiesced) {
        phase_ = PowerPhase::idle;
    }
    for (const RecordReader &reader : top.tables("guest")) {
        PowerGuest &guest = guests_[reader.text("name")];
        guest.id = static_cast<std::uint32_t>(reader.number("id"));
        guest.run = static_cast<std::uint64_t>(reader.number("run"));
        guest.last_run = static_cast<std::uint64_t>(reader.number("last_run"));
        guest.wish = power_state_of(reader.text("wish"));
        guest.wish_since = PowerTime(reader.number("wish_since"));
        guest.progress = value_of<GuestProgress, 4>(reader.text("progress"));
        guest.deadline = PowerTime(reader.number("deadline"));
        guest.unresponsive = reader.number("unresponsive") != 0;
        guest.failures = static_cast<unsigned>(reader.number("failures"));
        guest.quiesced = reader.number("quiesced") != 0;
        guest.retry_at = time(reader, "retry_at");
    }
    for (const RecordReader &reader : top.tables("hold")) {
        holds_[static_cast<std::uint64_t>(reader.number("id"))] = {
            .mode = value_of<HoldMode, 3>(reader.text("mode")),
            .state = power_state_of(reader.text("state")).value_or(PowerState::on),
            .who = reader.text("who"),
            .why = reader.text("why"),
            .since = PowerTime(reader.number("since")),
            .spent = reader.number("spent") != 0};
    }
}

} // namespace devhost
