// SPDX-License-Identifier: Apache-2.0
//
// create, remove, limits, set, volume, mute, unmute, restart-bus, reload: what changes guests and
// devices.
#include <charconv>
#include <iostream>
#include <optional>

#include "bus_paths.hpp"
#include "client.hpp"
#include "commands.hpp"
#include "output.hpp"

namespace devhost::ctl {

namespace {

std::optional<std::int32_t> number_in(const std::string &text)
{
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                    : std::nullopt;
}

} // namespace

int create(const Options & /*options*/, const Arguments &arguments)
{
    if (arguments.empty()) {
        throw UsageError("create GUEST [KEY=VALUE...], or "
                         "create GUEST/DEVICE CLASS [KEY=VALUE...].");
    }
    const Target target = target_of(arguments.front());
    Client client;
    if (target.device.empty()) {
        client.call(root_path, manager_interface, "CreateGuest", target.guest,
                    settings_of(arguments.begin() + 1, arguments.end()));
        return 0;
    }
    if (arguments.size() < 2) {
        throw UsageError(
            "create GUEST/DEVICE CLASS [KEY=VALUE...]; a class is 'can', 'snd', 'scmi', "
            "'video_decoder' or 'video_encoder'.");
    }
    client.call(guest_path(target.guest), guest_interface, "CreateDevice", target.device,
                arguments[1], settings_of(arguments.begin() + 2, arguments.end()));
    return 0;
}

int remove(const Options &options, const Arguments &arguments)
{
    if (arguments.size() != 1) {
        throw UsageError("remove [--force] GUEST, or remove [--force] GUEST/DEVICE.");
    }
    const Target target = target_of(arguments.front());
    const std::uint64_t flags = options.force ? 1 : 0;
    Client client;
    if (target.device.empty()) {
        client.call(root_path, manager_interface, "RemoveGuest", target.guest, flags);
    } else {
        client.call(guest_path(target.guest), guest_interface, "RemoveDevice", target.device,
                    flags);
    }
    return 0;
}

int limits(const Options &options, const Arguments &arguments)
{
    if (arguments.empty() || !target_of(arguments.front()).device.empty()) {
        throw UsageError("limits GUEST, limits GUEST KEY=VALUE..., or limits GUEST none.");
    }
    const std::string path = guest_path(target_of(arguments.front()).guest);
    Client client;
    if (arguments.size() == 1) {
        const Setting guest = client.properties(path, guest_interface);
        const Setting whole{
            .value = SettingTable{{"Limits", at(guest, "Limits")}, {"InUse", at(guest, "InUse")}}};
        options.json ? print_json(whole) : static_cast<void>(std::cout << lines(whole));
        return 0;
    }
    const bool none = arguments.size() == 2 && arguments[1] == "none";
    client.call(path, guest_interface, "SetLimits",
                settings_of(arguments.begin() + (none ? 2 : 1), arguments.end()));
    return 0;
}

int set(const Options & /*options*/, const Arguments &arguments)
{
    if (arguments.size() < 2 || target_of(arguments.front()).device.empty()) {
        throw UsageError("set GUEST/DEVICE KEY=VALUE...");
    }
    Client client;
    client.call(path_of(target_of(arguments.front())), device_interface, "Configure",
                settings_of(arguments.begin() + 1, arguments.end()));
    return 0;
}

namespace {

template <typename Value>
void set_stream(const Arguments &arguments, const char *method, const Value &value)
{
    const auto stream = number_in(arguments.at(1));
    if (!stream || *stream < 0) {
        throw UsageError("'" + arguments.at(1) +
                         "' is no number of a stream: the first one has number 0.");
    }
    Client client;
    client.call(path_of(target_of(arguments.front())), device_interface, method,
                static_cast<std::uint32_t>(*stream), value);
}

int mute_as(const Arguments &arguments, bool mute)
{
    if (arguments.size() != 2 || target_of(arguments.front()).device.empty()) {
        throw UsageError("mute GUEST/DEVICE STREAM, or unmute GUEST/DEVICE STREAM.");
    }
    set_stream(arguments, "SetMute", mute);
    return 0;
}

} // namespace

int volume(const Options & /*options*/, const Arguments &arguments)
{
    if (arguments.size() != 3 || target_of(arguments.front()).device.empty()) {
        throw UsageError("volume GUEST/DEVICE STREAM DECIBELS.");
    }
    const auto decibels = number_in(arguments[2]);
    if (!decibels) {
        throw UsageError("'" + arguments[2] + "' is no number of decibels, as -6.");
    }
    set_stream(arguments, "SetVolume", *decibels);
    return 0;
}

int mute(const Options & /*options*/, const Arguments &arguments)
{
    return mute_as(arguments, true);
}

int unmute(const Options & /*options*/, const Arguments &arguments)
{
    return mute_as(arguments, false);
}

int restart_bus(const Options & /*options*/, const Arguments &arguments)
{
    if (arguments.size() != 1 || target_of(arguments.front()).device.empty()) {
        throw UsageError("restart-bus GUEST/DEVICE.");
    }
    Client client;
    client.call(path_of(target_of(arguments.front())), device_interface, "RestartBus");
    return 0;
}

int reload(const Options & /*options*/, const Arguments &arguments)
{
    if (!arguments.empty()) {
        throw UsageError("reload takes no arguments.");
    }
    Client client;
    client.call(root_path, manager_interface, "Reload");
    return 0;
}

} // namespace devhost::ctl
