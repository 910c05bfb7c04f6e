// SPDX-License-Identifier: Apache-2.0
//
// org.devhost1.Power and org.devhost1.GuestPower
#include "bus_paths.hpp"
#include "bus_service.hpp"
#include "device_scmi.hpp"

namespace devhost {

namespace {

PowerState state_from(const std::string &word)
{
    const auto state = power_state_of(word);
    if (!state) {
        throw Error(Cause::invalid_args, "A state is 'on', 'off', 'reboot' or 'suspend'.");
    }
    return *state;
}

ResourceName resource_from(const std::string &kind, const std::string &host)
{
    const auto number = scmi_kind_of(kind);
    if (!number || *number == DEVHOST_SCMI_SENSOR || *number == DEVHOST_SCMI_RESET) {
        throw Error(Cause::invalid_args,
                    "A kind with a ceiling is 'power', 'perf', 'clock' or 'voltage'.");
    }
    return {.kind = *number, .host = host};
}

} // namespace

PowerInterface PowerInterface::at(BusService &service, const std::string & /*path*/)
{
    return PowerInterface(service.power());
}

void PowerInterface::request_transition(const std::string &state, const std::string &why)
{
    power_.request(state_from(state), why);
}

void PowerInterface::emergency_off()
{
    power_.emergency_off();
}

UniqueFd PowerInterface::vote(const std::string &state, const std::string &who,
                              const std::string &why)
{
    return power_.hold(HoldMode::vote, state_from(state), who, why);
}

UniqueFd PowerInterface::delay(const std::string &who, const std::string &why)
{
    return power_.hold(HoldMode::delay, PowerState::on, who, why);
}

UniqueFd PowerInterface::block(const std::string &who, const std::string &why)
{
    return power_.hold(HoldMode::block, PowerState::on, who, why);
}

void PowerInterface::set_ceiling(const std::string &kind, const std::string &host,
                                 std::uint64_t level, const std::string &why)
{
    if (level > INT64_MAX) {
        throw Error(Cause::invalid_args, "No level is that high.");
    }
    power_.set_ceiling(resource_from(kind, host), level, why);
}

void PowerInterface::clear_ceiling(const std::string &kind, const std::string &host)
{
    power_.clear_ceiling(resource_from(kind, host));
}

void PowerInterface::reset()
{
    power_.reset();
}

GuestPowerInterface GuestPowerInterface::at(BusService &service, const std::string &path)
{
    const auto names = names_in(path);
    return {service.power(), service.host().guest(names ? names->guest : "").info.name};
}

void GuestPowerInterface::reset()
{
    power_.reset_guest(guest_);
}

} // namespace devhost
