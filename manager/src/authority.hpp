// SPDX-License-Identifier: Apache-2.0
//
// Who may do what: polkit decides where it is, else root and one group may.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "bus_message.hpp"

namespace devhost {

/// The verb classes of the interface files.
enum class Action {
    read,
    manage_devices,
    set_policy,
    open_device,
    reload,
    manage_power,
    vote_power,
    block_power,
    emergency_power,
};

/// Name of the polkit action; there is none for Action::read.
std::string polkit_action(Action action);

struct Caller {
    uid_t uid = static_cast<uid_t>(-1);
    std::vector<gid_t> groups;
};

/// The rule before polkit is asked. @p owner: user who owns what the action is about.
bool allowed_outright(const Caller &caller, Action action, std::optional<uid_t> owner);

/// The rule where there is no polkit. @p group: who may do everything, if that group exists.
bool allowed_without_polkit(const Caller &caller, std::optional<gid_t> group);

/// Looks up who sent a message. Throws Error when that cannot be told.
using CallerOf = std::function<Caller(sd_bus_message &)>;
Caller caller_of(sd_bus_message &message);

/// The group's number, if there is such a group.
std::optional<gid_t> group_number(const std::string &name);

class Authority {
public:
    /// Called once with true or false, at once or after polkit has answered.
    using Answer = std::function<void(bool allowed)>;

    Authority(sd_bus &bus, std::string group, CallerOf caller_of = devhost::caller_of);
    ~Authority();
    Authority(const Authority &) = delete;
    Authority &operator=(const Authority &) = delete;

    /// Throws Cause::limits_exceeded when too many questions are open.
    void ask(sd_bus_message &call, Action action, std::optional<uid_t> owner, Answer answer);

    [[nodiscard]] std::size_t pending() const { return questions_.size(); }

private:
    struct Question;

    static int on_reply(sd_bus_message *reply, void *question, sd_bus_error *error);
    void ask_polkit(sd_bus_message &call, Action action, Caller caller, Answer answer);
    [[nodiscard]] bool decide(const sd_bus_message &reply, const Question &question) const;

    sd_bus &bus_;
    std::string group_;
    CallerOf caller_of_;
    std::list<std::unique_ptr<Question>> questions_;
};

} // namespace devhost
