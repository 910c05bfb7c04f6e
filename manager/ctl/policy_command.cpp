// SPDX-License-Identifier: Apache-2.0
//
// policy show|counters|set|attach|clear|check
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "bus_paths.hpp"
#include "client.hpp"
#include "commands.hpp"
#include "config_toml.hpp"
#include "output.hpp"
#include "policy.hpp"

namespace devhost::ctl {

namespace {

constexpr const char *policy_usage = "policy show|counters|clear GUEST, policy set GUEST FILE, "
                                     "policy attach GUEST PROGRAM, or policy check FILE.";

// [policy] of a guest's file, or a file that has nothing but a policy. Checked here, so that a
// mistake is reported with its line; what rules name, the daemon looks up.
Setting read_policy(const std::string &file)
{
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
        throw Error(Cause::failed, file + " cannot be read.");
    }
    const Setting tree = parse_toml(text, file);
    const Setting &inner = at(tree, "policy");
    const bool whole = std::holds_alternative<std::monostate>(inner.value);
    Setting policy = whole ? tree : inner;
    policy_from(TableReader(policy, file, whole ? "" : "policy"), nullptr);
    return policy;
}

// In audit mode what was dropped was not.
std::string dropped_title(Client &client, const std::string &path)
{
    const Setting properties = client.properties(path, policy_interface);
    return text_at(at(properties, "Policy"), "mode") == "audit" ? "WOULD DROP" : "DROPPED";
}

void print_counters(const Options &options, Client &client, const std::string &path)
{
    const BusMessage message = client.call(path, policy_interface, "GetCounters");
    sd_bus_message &answer = *message;
    using Counter = std::tuple<std::string, std::string, std::string, std::uint64_t, std::uint64_t>;
    std::vector<Row> rows{{"TABLE", "RULE", "NAME", "PASSED", dropped_title(client, path)}};
    SettingList all;
    bus::enter(answer, 'a', BusType<Counter>::signature().c_str());
    while (sd_bus_message_at_end(&answer, 0) == 0) {
        const auto [table, rule, name, passed, dropped] = BusType<Counter>::read(answer);
        rows.push_back({table, rule, name.empty() ? "-" : name, std::to_string(passed),
                        std::to_string(dropped)});
        all.emplace_back().value = SettingTable{
            {"table", {.value = table}}, {"rule", {.value = rule}},    {"name", {.value = name}},
            {"passed", number(passed)},  {"dropped", number(dropped)},
        };
    }
    bus::exit(answer);
    if (options.json) {
        print_json({.value = std::move(all)});
    } else {
        std::cout << table_text(rows);
    }
}

void print_policy(const Options &options, Client &client, const std::string &path)
{
    const Setting properties = client.properties(path, policy_interface);
    if (options.json) {
        print_json(properties);
    } else {
        std::cout << lines(properties);
    }
}

} // namespace

int policy(const Options &options, const Arguments &arguments)
{
    if (arguments.size() < 2) {
        throw UsageError(policy_usage);
    }
    const std::string &verb = arguments[0];
    if (verb == "check" && arguments.size() == 2) {
        read_policy(arguments[1]);
        std::cout << arguments[1] << ": the policy is good\n";
        return 0;
    }
    const std::string path = guest_path(arguments[1]);
    if (verb == "set" && arguments.size() == 3) {
        const Setting wanted = read_policy(arguments[2]);
        Client client;
        client.call(path, policy_interface, "SetPolicy", wanted);
        return 0;
    }
    if (verb == "attach" && arguments.size() == 3) {
        const std::string program = std::filesystem::absolute(arguments[2]).lexically_normal();
        Client client;
        client.call(path, policy_interface, "SetPolicy",
                    Setting{.value = SettingTable{{"program", {.value = program}}}});
        return 0;
    }
    if (arguments.size() != 2) {
        throw UsageError(policy_usage);
    }
    if (verb != "show" && verb != "counters" && verb != "clear") {
        throw UsageError(policy_usage);
    }
    Client client;
    if (verb == "show") {
        print_policy(options, client, path);
    } else if (verb == "counters") {
        print_counters(options, client, path);
    } else {
        client.call(path, policy_interface, "ClearPolicy");
    }
    return 0;
}

} // namespace devhost::ctl
