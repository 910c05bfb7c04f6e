// SPDX-License-Identifier: Apache-2.0
//
// apply, check, sync-node: what works without the bus.
#include <iostream>

#include "commands.hpp"
#include "config.hpp"
#include "configuration.hpp"
#include "genl_kernel.hpp"
#include "nodes.hpp"
#include "paths.hpp"
#include "runtime_state.hpp"
#include "system_host.hpp"

namespace devhost::ctl {

int apply(const Options & /*options*/, const Arguments &arguments)
{
    if (!arguments.empty()) {
        throw UsageError("apply takes no arguments.");
    }
    SystemHost system;
    system.host().discover();
    Configuration configuration(system.host(), config_directory);
    configuration.start(); // logs what is wrong
    return configuration.problems().empty() ? 0 : 1;
}

int check(const Options & /*options*/, const Arguments &arguments)
{
    if (arguments.empty()) {
        throw UsageError("check FILE...");
    }
    int result = 0;
    for (const std::string &file : arguments) {
        try {
            parse_guest_file(file);
            std::cout << file << ": good\n";
        } catch (const ConfigError &error) {
            std::cerr << error.what() << '\n';
            result = 1;
        }
    }
    return result;
}

// Called by udev for a device on the vdpa bus, also for one that is not devhost's; prints
// properties for udev.
int sync_node(const Options & /*options*/, const Arguments &arguments)
{
    if (arguments.size() != 1) {
        throw UsageError("sync-node GUEST.DEVICE.");
    }
    const std::string &vdpa_name = arguments.front();
    const std::size_t dot = vdpa_name.find('.');
    const std::string guest = vdpa_name.substr(0, dot);
    const std::string device = dot == std::string::npos ? "" : vdpa_name.substr(dot + 1);
    if (!valid_name(guest) || !valid_name(device)) {
        return 0;
    }
    const Nodes nodes;
    Owner owner;
    try {
        GenlKernel kernel(open_genl_channel());
        kernel.device(guest, device);
        const auto state = RuntimeStates().read(guest);
        if (state && state->id == kernel.guest(guest).id) {
            owner = owner_of(state->user, state->group);
        }
    } catch (const Error &error) {
        if (error.cause() == Cause::no_such_device || error.cause() == Cause::no_such_guest) {
            nodes.withdraw(guest, device);
            return 0;
        }
        throw;
    }
    const bool ready = !nodes.publish(guest, device, vdpa_name, owner).empty();
    std::cout << "DEVHOST_GUEST=" << guest << "\nDEVHOST_DEVICE=" << device
              << "\nSYSTEMD_ALIAS=/dev/devhost/" << guest << '/' << device
              << "\nSYSTEMD_READY=" << (ready ? 1 : 0) << '\n';
    return 0;
}

} // namespace devhost::ctl
