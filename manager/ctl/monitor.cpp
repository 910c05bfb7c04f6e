// SPDX-License-Identifier: Apache-2.0
//
// monitor: one line for each change, until it is interrupted.
#include <iostream>

#include "bus_paths.hpp"
#include "client.hpp"
#include "commands.hpp"
#include "output.hpp"

namespace devhost::ctl {

namespace {

std::string subject_of(const std::string &path)
{
    const auto names = names_in(path);
    if (!names) {
        return "devhost";
    }
    return names->device.empty() ? names->guest : names->guest + "/" + names->device;
}

void print(const Options &options, const std::string &path, const std::string &what,
           const Setting &properties)
{
    if (options.json) {
        print_json({.value = SettingTable{{"object", {.value = subject_of(path)}},
                                          {"event", {.value = what}},
                                          {"properties", properties}}});
    } else {
        std::cout << subject_of(path) << ' ' << what;
        for (const auto &[key, value] : std::get<SettingTable>(properties.value)) {
            std::cout << ' ' << key << '=' << plain(value);
        }
        std::cout << '\n';
    }
    std::cout.flush();
}

bool ours(const std::string &interface)
{
    return interface.starts_with("org.devhost1.");
}

void print_added(const Options &options, sd_bus_message &signal)
{
    const std::string path = BusType<ObjectPath>::read(signal).path;
    const Setting interfaces = BusType<Setting>::read(signal);
    Setting properties{.value = SettingTable()};
    for (const auto &[interface, values] : std::get<SettingTable>(interfaces.value)) {
        if (ours(interface)) {
            std::get<SettingTable>(properties.value)
                .insert(std::get<SettingTable>(values.value).begin(),
                        std::get<SettingTable>(values.value).end());
        }
    }
    print(options, path, "added", properties);
}

void print_denied(const Options &options, const std::string &path, sd_bus_message &signal)
{
    const std::string verdict = BusType<std::string>::read(signal);
    Setting item = BusType<Setting>::read(signal);
    const auto suppressed = BusType<std::uint64_t>::read(signal);
    auto &properties = std::get<SettingTable>(item.value);
    properties["verdict"] = {.value = verdict};
    properties["suppressed"] = {.value = static_cast<std::int64_t>(suppressed)};
    print(options, path, "denied", item);
}

int on_signal(sd_bus_message *signal, void *userdata, sd_bus_error * /*error*/)
{
    const auto &options = *static_cast<const Options *>(userdata);
    const std::string path = sd_bus_message_get_path(signal);
    try {
        if (sd_bus_message_is_signal(signal, nullptr, "InterfacesAdded") > 0) {
            print_added(options, *signal);
        } else if (sd_bus_message_is_signal(signal, nullptr, "InterfacesRemoved") > 0) {
            print(options, BusType<ObjectPath>::read(*signal).path, "removed",
                  {.value = SettingTable()});
        } else if (sd_bus_message_is_signal(signal, nullptr, "PolicyDenied") > 0) {
            print_denied(options, path, *signal);
        } else if (sd_bus_message_is_signal(signal, nullptr, "PropertiesChanged") > 0 &&
                   ours(BusType<std::string>::read(*signal))) {
            print(options, path, "changed", BusType<Setting>::read(*signal));
        }
    } catch (const std::exception &error) {
        std::cerr << "devhostctl: " << error.what() << '\n';
    }
    return 0;
}

} // namespace

int monitor(const Options &options, const Arguments &arguments)
{
    if (!arguments.empty()) {
        throw UsageError("monitor takes no arguments.");
    }
    Client client;
    bus_require(sd_bus_add_match(&client.bus(), nullptr,
                                 "type='signal',sender='org.devhost1',"
                                 "path_namespace='/org/devhost1'",
                                 on_signal, const_cast<Options *>(&options)),
                "Cannot listen to devhostd");
    for (;;) {
        const int result =
            bus_require(sd_bus_process(&client.bus(), nullptr), "The bus connection was lost");
        if (result == 0) {
            bus_require(sd_bus_wait(&client.bus(), UINT64_MAX), "The bus connection was lost");
        }
    }
}

} // namespace devhost::ctl
