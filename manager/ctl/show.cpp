// SPDX-License-Identifier: Apache-2.0
//
// status, list, show, stats: what there is.
#include <iostream>
#include <map>

#include "bus_paths.hpp"
#include "client.hpp"
#include "commands.hpp"
#include "output.hpp"

namespace devhost::ctl {

namespace {

struct Objects {
    std::vector<Setting> guests; // of Guest, with Policy beside it under "Policy"
    std::vector<Setting> devices;
};

Objects read_objects(Client &client)
{
    Objects objects;
    const Setting all = client.objects();
    for (const auto &[path, interfaces] : std::get<SettingTable>(all.value)) {
        const Setting &guest = at(interfaces, guest_interface);
        const Setting &device = at(interfaces, device_interface);
        if (std::holds_alternative<SettingTable>(guest.value)) {
            Setting whole = guest;
            std::get<SettingTable>(whole.value)["Policy"] = at(interfaces, policy_interface);
            objects.guests.push_back(std::move(whole));
        } else if (std::holds_alternative<SettingTable>(device.value)) {
            objects.devices.push_back(device);
        }
    }
    return objects;
}

Setting list_of(const std::vector<Setting> &settings)
{
    return {.value = SettingList(settings.begin(), settings.end())};
}

std::string policy_word(const Setting &guest)
{
    const Setting &policy = at(guest, "Policy");
    if (at(policy, "Active") != Setting{.value = true}) {
        return "none";
    }
    if (text_at(at(policy, "Policy"), "program") != "-") {
        return "custom";
    }
    return text_at(at(policy, "Policy"), "mode") == "audit" ? "audit" : "active";
}

std::string guest_table(const std::vector<Setting> &guests)
{
    std::vector<Row> rows{{"GUEST", "DEVICES", "POLICY", "USER", "FILE"}};
    for (const Setting &guest : guests) {
        const auto *devices = std::get_if<SettingList>(&at(guest, "Devices").value);
        rows.push_back({text_at(guest, "Name"),
                        std::to_string(devices == nullptr ? 0 : devices->size()),
                        policy_word(guest), text_at(guest, "User"), text_at(guest, "ConfigFile")});
    }
    return table_text(rows);
}

// In one word, or a word for each stream.
std::string backend_text(const Setting &backend)
{
    if (const std::string agent = text_at(backend, "agent"); agent != "-") {
        return agent;
    }
    if (text_at(backend, "codec") != "-") {
        const std::string node = text_at(backend, "node");
        return node == "-" ? "gone" : node;
    }
    const auto *streams = std::get_if<SettingList>(&at(backend, "stream").value);
    if (streams == nullptr) {
        return text_at(backend, "interface");
    }
    std::string text;
    for (const Setting &stream : *streams) {
        const std::string pcm = text_at(stream, "pcm");
        text += (text.empty() ? "" : " ") + (pcm.empty() ? "gone" : pcm);
    }
    return text;
}

std::string device_table_text(const std::vector<Setting> &devices)
{
    std::vector<Row> rows{{"DEVICE", "CLASS", "STATE", "BACKEND", "NODE"}};
    for (const Setting &device : devices) {
        rows.push_back({text_at(device, "Guest") + "/" + text_at(device, "Name"),
                        text_at(device, "Class"), text_at(device, "State"),
                        backend_text(at(device, "Backend")), text_at(device, "Node")});
    }
    return table_text(rows);
}

void print_whole(const Options &options, const Setting &whole)
{
    if (options.json) {
        print_json(whole);
    } else {
        std::cout << lines(whole);
    }
}

void no_arguments(const Arguments &arguments)
{
    if (!arguments.empty()) {
        throw UsageError("This command takes no arguments.");
    }
}

} // namespace

int status(const Options &options, const Arguments &arguments)
{
    no_arguments(arguments);
    Client client;
    const Setting manager = client.properties(root_path, manager_interface);
    const Objects objects = read_objects(client);
    if (options.json) {
        Setting whole = manager;
        auto &table = std::get<SettingTable>(whole.value);
        table["Guests"] = list_of(objects.guests);
        table["Devices"] = list_of(objects.devices);
        print_json(whole);
        return 0;
    }
    std::cout << "devhostd " << text_at(manager, "Version") << "\n";
    if (const auto *problems = std::get_if<SettingList>(&at(manager, "ConfigProblems").value)) {
        for (const Setting &problem : *problems) {
            std::cout << "problem: " << plain(problem) << "\n";
        }
    }
    std::cout << "\n" << guest_table(objects.guests) << "\n" << device_table_text(objects.devices);
    return 0;
}

int list(const Options &options, const Arguments &arguments)
{
    const std::string what = arguments.empty() ? "devices" : arguments.front();
    if (arguments.size() > 1 || (what != "guests" && what != "devices")) {
        throw UsageError("list guests, or list devices.");
    }
    Client client;
    const Objects objects = read_objects(client);
    if (options.json) {
        print_json(list_of(what == "guests" ? objects.guests : objects.devices));
    } else {
        std::cout << (what == "guests" ? guest_table(objects.guests)
                                       : device_table_text(objects.devices));
    }
    return 0;
}

int show(const Options &options, const Arguments &arguments)
{
    if (arguments.size() != 1) {
        throw UsageError("show GUEST, or show GUEST/DEVICE.");
    }
    const Target target = target_of(arguments.front());
    Client client;
    if (!target.device.empty()) {
        print_whole(options, client.properties(path_of(target), device_interface));
        return 0;
    }
    Setting guest = client.properties(path_of(target), guest_interface);
    std::get<SettingTable>(guest.value)["Policy"] =
        client.properties(path_of(target), policy_interface);
    std::get<SettingTable>(guest.value)["Power"] =
        client.properties(path_of(target), guest_power_interface);
    print_whole(options, guest);
    return 0;
}

int stats(const Options &options, const Arguments &arguments)
{
    if (arguments.size() != 1) {
        throw UsageError("stats GUEST, or stats GUEST/DEVICE.");
    }
    const Target target = target_of(arguments.front());
    Client client;
    const BusMessage answer =
        client.call(path_of(target), target.device.empty() ? guest_interface : device_interface,
                    "GetStatistics");
    print_whole(options, BusType<Setting>::read(*answer));
    return 0;
}

} // namespace devhost::ctl
