// SPDX-License-Identifier: Apache-2.0
#include "error.hpp"

#include <system_error>

namespace devhost {

const char *bus_error_name(Cause cause)
{
    switch (cause) {
    case Cause::invalid_args:
        return "org.freedesktop.DBus.Error.InvalidArgs";
    case Cause::access_denied:
        return "org.freedesktop.DBus.Error.AccessDenied";
    case Cause::no_such_guest:
        return "org.devhost1.Error.NoSuchGuest";
    case Cause::no_such_device:
        return "org.devhost1.Error.NoSuchDevice";
    case Cause::guest_exists:
        return "org.devhost1.Error.GuestExists";
    case Cause::device_exists:
        return "org.devhost1.Error.DeviceExists";
    case Cause::guest_busy:
        return "org.devhost1.Error.GuestBusy";
    case Cause::device_busy:
        return "org.devhost1.Error.DeviceBusy";
    case Cause::no_node:
        return "org.devhost1.Error.NoNode";
    case Cause::no_policy:
        return "org.devhost1.Error.NoPolicy";
    case Cause::program_refused:
        return "org.devhost1.Error.ProgramRefused";
    case Cause::not_supported:
        return "org.devhost1.Error.NotSupported";
    case Cause::limits_exceeded:
        return "org.devhost1.Error.LimitsExceeded";
    case Cause::kernel_unavailable:
        return "org.devhost1.Error.KernelUnavailable";
    case Cause::kernel:
        return "org.devhost1.Error.Kernel";
    case Cause::config_invalid:
        return "org.devhost1.Error.ConfigInvalid";
    case Cause::failed:
        break;
    }
    return "org.devhost1.Error.Failed";
}

std::string errno_text(int error)
{
    return std::generic_category().message(error);
}

Error system_error(int error, const std::string &what)
{
    const int positive = error < 0 ? -error : error;
    return {Cause::failed, what + ": " + errno_text(positive)};
}

} // namespace devhost
