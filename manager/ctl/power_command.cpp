// SPDX-License-Identifier: Apache-2.0
//
// power: the whole decision about the system's power, and taking part in it.
#include <algorithm>
#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <format>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>

#include "bus_paths.hpp"
#include "client.hpp"
#include "commands.hpp"
#include "output.hpp"

namespace devhost::ctl {

namespace {

constexpr const char *power_usage =
    "power [on|off|reboot|suspend [WHY]], power vote STATE WHY -- COMMAND..., power delay|block "
    "WHY -- COMMAND..., power ceiling KIND HOST LEVEL|none [WHY], or power reset [GUEST].";

std::string boot_seconds(const Setting &time, bool since)
{
    const auto *micros = std::get_if<std::int64_t>(&time.value);
    if (micros == nullptr || *micros == 0) {
        return "-";
    }
    timespec now{};
    static_cast<void>(clock_gettime(CLOCK_BOOTTIME, &now)); // it is there and can be read
    const std::int64_t seconds = now.tv_sec - *micros / 1'000'000;
    return since ? std::format("{} s ago", seconds) : std::format("in {} s", -seconds);
}

const SettingList &list_at(const Setting &table, std::string_view key)
{
    static const SettingList nothing;
    const auto *list = std::get_if<SettingList>(&at(table, key).value);
    return list == nullptr ? nothing : *list;
}

std::string state_text(const Setting &power)
{
    std::string text = "state:     " + text_at(power, "CurrentState") + "\n";
    text += "effective: " + text_at(power, "EffectiveState") + "\n";
    text += "requested: " + text_at(power, "RequestedState");
    if (text_at(power, "RequestedBy") != "-") {
        text += " by " + text_at(power, "RequestedBy") + ", " +
                boot_seconds(at(power, "RequestedSince"), true) + ": " +
                text_at(power, "RequestedWhy");
    }
    text += "\nlimited by: " + text_at(power, "LimitingReason");
    if (!list_at(power, "Waiting").empty()) {
        text += ", for " + text_at(power, "Waiting") + ", until " +
                boot_seconds(at(power, "Deadline"), false);
    }
    text += "\nallowed:   " + text_at(power, "AllowedTransitions");
    text += "\npower:     " + text_at(power, "PowerSource") + "\n";
    return text;
}

std::string guests_text(const Setting &objects)
{
    std::vector<Row> rows{{"GUEST", "ROLE", "STATE", "WANTS", "SINCE", "LIMITED BY", "BUDGET",
                           "ORDER", "UNRESPONSIVE"}};
    for (const auto &[path, interfaces] : std::get<SettingTable>(objects.value)) {
        const Setting &power = at(interfaces, guest_power_interface);
        if (!std::holds_alternative<SettingTable>(power.value)) {
            continue;
        }
        const auto names = names_in(path);
        rows.push_back({names ? names->guest : path, text_at(power, "Role"),
                        text_at(power, "CurrentState"), text_at(power, "RequestedState"),
                        boot_seconds(at(power, "RequestedSince"), true),
                        text_at(power, "LimitingReason"), text_at(power, "Budget") + " ms",
                        text_at(power, "Order"), text_at(power, "Unresponsive")});
    }
    return table_text(rows);
}

std::string votes_text(const Setting &power)
{
    std::vector<Row> rows{{"HOLDER", "MODE", "WANTS", "SINCE", "WHY"}};
    for (const Setting &vote : list_at(power, "Votes")) {
        if (text_at(vote, "holder") == "local") {
            rows.push_back({text_at(vote, "who"), text_at(vote, "mode"), text_at(vote, "state"),
                            boot_seconds(at(vote, "since"), true), text_at(vote, "why")});
        }
    }
    return rows.size() > 1 ? "\n" + table_text(rows) : "";
}

std::string ceilings_text(const Setting &power)
{
    std::vector<Row> rows{{"CEILING", "LEVEL", "BY", "SINCE", "RULES", "WHY"}};
    for (const Setting &ceiling : list_at(power, "Ceilings")) {
        rows.push_back({text_at(ceiling, "kind") + " " + text_at(ceiling, "host"),
                        text_at(ceiling, "level"), text_at(ceiling, "by"),
                        boot_seconds(at(ceiling, "since"), true), text_at(ceiling, "rules"),
                        text_at(ceiling, "why")});
    }
    return rows.size() > 1 ? "\n" + table_text(rows) : "";
}

std::string resources_text(const Setting &power)
{
    std::vector<Row> rows{
        {"RESOURCE", "ON", "LEVEL", "CEILING", "VOTE OF", "ON", "LEVEL", "SINCE", "LIMITED BY"}};
    for (const Setting &resource : list_at(power, "Resources")) {
        Row row{text_at(resource, "kind") + " " + text_at(resource, "host"),
                text_at(resource, "on"), text_at(resource, "level"), text_at(resource, "ceiling")};
        if (list_at(resource, "votes").empty()) {
            rows.push_back(row);
        }
        for (const Setting &vote : list_at(resource, "votes")) {
            for (const std::string &cell :
                 {text_at(vote, "who"), text_at(vote, "on"), text_at(vote, "level"),
                  boot_seconds(at(vote, "since"), true), text_at(vote, "limiting_reason")}) {
                row.push_back(cell);
            }
            rows.push_back(row);
            row = {"", "", "", ""};
        }
    }
    return rows.size() > 1 ? "\n" + table_text(rows) : "";
}

int show_power(const Options &options)
{
    Client client;
    const Setting power = client.properties(power_path, power_interface);
    if (options.json) {
        print_json(power);
        return 0;
    }
    std::cout << state_text(power) << '\n'
              << guests_text(client.objects()) << votes_text(power) << ceilings_text(power)
              << resources_text(power);
    return 0;
}

std::string joined(Arguments::const_iterator begin, Arguments::const_iterator end)
{
    std::string text;
    for (auto word = begin; word != end; ++word) {
        text += (text.empty() ? "" : " ") + *word;
    }
    return text;
}

// The descriptor that came is the message's; the hold lasts while it is kept.
int hold_while(const Arguments &arguments)
{
    const bool vote = arguments[0] == "vote";
    const std::size_t first = vote ? 3 : 2;
    const std::size_t command = first; // getopt has taken the "--" away
    if (arguments.size() <= command) {
        throw UsageError(power_usage);
    }
    Client client;
    const std::string who =
        "devhostctl of " + std::string(getlogin() == nullptr ? "root" : getlogin());
    const std::string &why = arguments[first - 1];
    const BusMessage answer =
        vote ? client.call(power_path, power_interface, "Vote", arguments[1], who, why)
             : client.call(power_path, power_interface, arguments[0] == "block" ? "Block" : "Delay",
                           who, why);
    std::vector<char *> argv;
    for (std::size_t i = command; i < arguments.size(); i++) {
        argv.push_back(const_cast<char *>(arguments[i].c_str()));
    }
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        execvp(argv[0], argv.data());
        std::cerr << "devhostctl: " << argv[0] << " cannot be run\n";
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int set_ceiling(const Arguments &arguments)
{
    if (arguments.size() < 4) {
        throw UsageError(power_usage);
    }
    Client client;
    if (arguments[3] == "none") {
        client.call(power_path, power_interface, "ClearCeiling", arguments[1], arguments[2]);
        return 0;
    }
    std::uint64_t level = 0;
    const std::string &text = arguments[3];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw UsageError("A level is a number of Hz, kHz or microvolts, or 'none'.");
    }
    client.call(power_path, power_interface, "SetCeiling", arguments[1], arguments[2], level,
                joined(arguments.begin() + 4, arguments.end()));
    return 0;
}

int reset(const Arguments &arguments)
{
    Client client;
    if (arguments.size() > 2) {
        throw UsageError(power_usage);
    }
    if (arguments.size() == 2) {
        client.call(guest_path(arguments[1]), guest_power_interface, "Reset");
    } else {
        client.call(power_path, power_interface, "Reset");
    }
    return 0;
}

} // namespace

int power(const Options &options, const Arguments &arguments)
{
    if (arguments.empty()) {
        return show_power(options);
    }
    const std::string &verb = arguments.front();
    if (verb == "ceiling") {
        return set_ceiling(arguments);
    }
    if (verb == "reset") {
        return reset(arguments);
    }
    if (verb == "vote" || verb == "delay" || verb == "block") {
        return hold_while(arguments);
    }
    if (verb != "on" && verb != "off" && verb != "reboot" && verb != "suspend") {
        throw UsageError(power_usage);
    }
    Client client;
    client.call(power_path, power_interface, "RequestTransition", verb,
                joined(arguments.begin() + 1, arguments.end()));
    return 0;
}

} // namespace devhost::ctl
