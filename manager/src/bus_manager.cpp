// SPDX-License-Identifier: Apache-2.0
//
// org.devhost1.Manager
#include "bus_paths.hpp"
#include "bus_service.hpp"
#include "configuration.hpp"
#include "name.hpp"

namespace devhost {

namespace {

constexpr std::uint64_t flag_force = 1;

} // namespace

bool force_from(std::uint64_t flags)
{
    if ((flags & ~flag_force) != 0) {
        throw Error(Cause::invalid_args, "There is no such flag: use 0, or 1 to force.");
    }
    return (flags & flag_force) != 0;
}

ManagerInterface ManagerInterface::at(BusService &service, const std::string & /*path*/)
{
    return ManagerInterface(service);
}

ObjectPath ManagerInterface::create_guest(const std::string &name, const Setting &options)
{
    require_name(name, "guest");
    const GuestConfig config = guest_from(TableReader(options, "", ""), name);
    if (!config.devices.empty() || config.policy) {
        throw Error(Cause::invalid_args, "Devices and policy are not options of a new guest: use "
                                         "CreateDevice and SetPolicy of its object.");
    }
    service_.host().create_guest(config);
    return {guest_path(name)};
}

void ManagerInterface::remove_guest(const std::string &name, std::uint64_t flags)
{
    require_name(name, "guest");
    service_.host().remove_guest(name, force_from(flags));
}

std::vector<std::tuple<std::string, ObjectPath>> ManagerInterface::list_guests()
{
    std::vector<std::tuple<std::string, ObjectPath>> guests;
    for (const auto &[name, unused] : service_.host().guests()) {
        guests.emplace_back(name, ObjectPath{guest_path(name)});
    }
    return guests;
}

ObjectPath ManagerInterface::get_guest(const std::string &name)
{
    require_name(name, "guest");
    return {guest_path(service_.host().guest(name).info.name)};
}

std::vector<std::tuple<std::string, std::string, ObjectPath>> ManagerInterface::list_devices()
{
    std::vector<std::tuple<std::string, std::string, ObjectPath>> devices;
    for (const auto &[guest, of] : service_.host().guests()) {
        for (const auto &[device, unused] : of.devices) {
            devices.emplace_back(guest, device, ObjectPath{device_path(guest, device)});
        }
    }
    return devices;
}

ObjectPath ManagerInterface::get_device(const std::string &guest, const std::string &name)
{
    require_name(guest, "guest");
    require_name(name, "device");
    return {device_path(guest, service_.host().device(guest, name).info.name)};
}

void ManagerInterface::reload()
{
    service_.reload();
    const std::vector<std::string> &problems = service_.configuration().problems();
    if (!problems.empty()) {
        std::string sentences;
        for (const std::string &problem : problems) {
            sentences += (sentences.empty() ? "" : "\n") + problem;
        }
        throw Error(Cause::config_invalid, sentences);
    }
}

std::string ManagerInterface::get_version() const
{
    return DEVHOST_VERSION;
}

std::vector<std::string> ManagerInterface::get_config_problems() const
{
    return service_.configuration().problems();
}

} // namespace devhost
