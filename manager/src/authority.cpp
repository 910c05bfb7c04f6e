// SPDX-License-Identifier: Apache-2.0
#include "authority.hpp"

#include <algorithm>
#include <cstring>
#include <grp.h>
#include <pwd.h>

#include "error.hpp"
#include "journal.hpp"

namespace devhost {

namespace {

// Questions that wait for polkit, which may wait for a person.
constexpr std::size_t questions_max = 256;
constexpr std::size_t questions_max_of_sender = 16;
constexpr std::uint64_t interactive_timeout_us = 120'000'000;
constexpr std::uint32_t allow_interaction = 1;

// What the bus answers where polkit is not installed or not running.
bool means_no_polkit(const sd_bus_error &error)
{
    return sd_bus_error_has_names(
               &error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
               "org.freedesktop.DBus.Error.Spawn.ServiceNotFound",
               "org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.systemd1.UnitMasked") != 0;
}

std::vector<gid_t> groups_of(uid_t uid)
{
    std::vector<char> buffer(1 << 16);
    passwd entry{};
    passwd *found = nullptr;
    if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
        return {};
    }
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    while (getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

} // namespace

std::string polkit_action(Action action)
{
    switch (action) {
    case Action::manage_devices:
        return "org.devhost1.manage-devices";
    case Action::set_policy:
        return "org.devhost1.set-policy";
    case Action::open_device:
        return "org.devhost1.open-device";
    case Action::reload:
        return "org.devhost1.reload";
    case Action::manage_power:
        return "org.devhost1.manage-power";
    case Action::vote_power:
        return "org.devhost1.vote-power";
    case Action::block_power:
        return "org.devhost1.block-power";
    case Action::emergency_power:
        return "org.devhost1.emergency-power";
    case Action::read:
        break;
    }
    return {};
}

bool allowed_outright(const Caller &caller, Action action, std::optional<uid_t> owner)
{
    if (action == Action::read || caller.uid == 0) {
        return true;
    }
    // Who owns the node could open it by its path as well.
    return action == Action::open_device && owner && caller.uid == *owner;
}

bool allowed_without_polkit(const Caller &caller, std::optional<gid_t> group)
{
    return caller.uid == 0 ||
           (group && std::ranges::find(caller.groups, *group) != caller.groups.end());
}

Caller caller_of(sd_bus_message &message)
{
    sd_bus_creds *raw = nullptr;
    const int result = sd_bus_query_sender_creds(&message, SD_BUS_CREDS_EUID, &raw);
    const BusCreds creds(raw);
    Caller caller;
    if (result < 0 || sd_bus_creds_get_euid(creds.get(), &caller.uid) < 0) {
        throw Error(Cause::access_denied, "The bus does not tell who the caller is.");
    }
    caller.groups = groups_of(caller.uid);
    return caller;
}

std::optional<gid_t> group_number(const std::string &name)
{
    std::vector<char> buffer(1 << 16);
    group entry{};
    group *found = nullptr;
    if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr) {
        return std::nullopt;
    }
    return entry.gr_gid;
}

struct Authority::Question {
    Authority &authority;
    std::string sender;
    Caller caller;
    Answer answer;
    BusSlot slot;
};

Authority::Authority(sd_bus &bus, std::string group, CallerOf caller_of)
    : bus_(bus), group_(std::move(group)), caller_of_(std::move(caller_of))
{
}

Authority::~Authority() = default;

void Authority::ask(sd_bus_message &call, Action action, std::optional<uid_t> owner, Answer answer)
{
    if (action == Action::read) {
        answer(true);
        return;
    }
    Caller caller = caller_of_(call);
    if (allowed_outright(caller, action, owner)) {
        answer(true);
        return;
    }
    ask_polkit(call, action, std::move(caller), std::move(answer));
}

void Authority::ask_polkit(sd_bus_message &call, Action action, Caller caller, Answer answer)
{
    const std::string sender = sd_bus_message_get_sender(&call);
    const auto same_sender = [&](const auto &each) { return each->sender == sender; };
    if (questions_.size() >= questions_max ||
        std::ranges::count_if(questions_, same_sender) >=
            static_cast<std::ptrdiff_t>(questions_max_of_sender)) {
        throw Error(Cause::limits_exceeded,
                    "Too many requests wait for authorisation: try again later.");
    }

    sd_bus_message *raw = nullptr;
    bus_require(sd_bus_message_new_method_call(&bus_, &raw, "org.freedesktop.PolicyKit1",
                                               "/org/freedesktop/PolicyKit1/Authority",
                                               "org.freedesktop.PolicyKit1.Authority",
                                               "CheckAuthorization"),
                "Cannot ask polkit");
    const BusMessage request(raw);
    const bool interactive = sd_bus_message_get_allow_interactive_authorization(&call) > 0;
    bus_require(sd_bus_message_append(raw, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                      sender.c_str(), polkit_action(action).c_str(), 0,
                                      interactive ? allow_interaction : 0, ""),
                "Cannot ask polkit");

    const auto question = questions_.insert(
        questions_.end(), std::make_unique<Question>(Question{*this, sender, std::move(caller),
                                                              std::move(answer), nullptr}));
    sd_bus_slot *slot = nullptr;
    const int result = sd_bus_call_async(&bus_, &slot, raw, on_reply, question->get(),
                                         interactive ? interactive_timeout_us : 0);
    if (result < 0) {
        questions_.erase(question);
        throw system_error(result, "Cannot ask polkit");
    }
    (*question)->slot.reset(slot);
}

bool Authority::decide(const sd_bus_message &reply, const Question &question) const
{
    auto *message = const_cast<sd_bus_message *>(&reply);
    if (const sd_bus_error *error = sd_bus_message_get_error(message)) {
        if (means_no_polkit(*error)) {
            return allowed_without_polkit(question.caller, group_number(group_));
        }
        log_warning({}, std::string("polkit did not answer, so the request is refused: ") +
                            (error->message == nullptr ? error->name : error->message));
        return false;
    }
    int authorized = 0;
    int challenge = 0;
    if (sd_bus_message_enter_container(message, 'r', "bba{ss}") < 0 ||
        sd_bus_message_read(message, "bb", &authorized, &challenge) < 0) {
        return false;
    }
    return authorized != 0;
}

int Authority::on_reply(sd_bus_message *reply, void *question, sd_bus_error * /*error*/)
{
    auto &asked = *static_cast<Question *>(question);
    Authority &authority = asked.authority;
    const auto place = std::ranges::find_if(authority.questions_,
                                            [&](const auto &each) { return each.get() == &asked; });
    const std::unique_ptr<Question> owned = std::move(*place);
    authority.questions_.erase(place);
    try {
        owned->answer(authority.decide(*reply, *owned));
    } catch (const std::exception &error) {
        log_warning({}, std::string("A request failed after its authorisation: ") + error.what());
    }
    return 1;
}

} // namespace devhost
