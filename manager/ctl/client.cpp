// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include <unistd.h>

#include "bus_paths.hpp"

namespace devhost::ctl {

namespace {

// Long enough for a person to answer polkit's question.
constexpr std::uint64_t timeout_us = 180'000'000;

struct BusError {
    sd_bus_error error = SD_BUS_ERROR_NULL;

    BusError() = default;
    BusError(const BusError &) = delete;
    BusError &operator=(const BusError &) = delete;
    ~BusError() { sd_bus_error_free(&error); }
};

} // namespace

Client::Client()
{
    sd_bus *bus = nullptr;
    if (sd_bus_open_system(&bus) < 0) {
        throw Error(Cause::failed, "There is no system bus: before it is up, only 'apply' and "
                                   "'check' work.");
    }
    bus_.reset(bus);
    sd_bus_set_allow_interactive_authorization(bus, isatty(STDIN_FILENO));
}

BusMessage Client::prepare(const std::string &path, const std::string &interface,
                           const std::string &method)
{
    sd_bus_message *request = nullptr;
    bus_require(sd_bus_message_new_method_call(bus_.get(), &request, bus_name, path.c_str(),
                                               interface.c_str(), method.c_str()),
                "Cannot make a D-Bus call");
    return BusMessage(request);
}

BusMessage Client::send(sd_bus_message &request)
{
    sd_bus_message *answer = nullptr;
    BusError error;
    const int result = sd_bus_call(bus_.get(), &request, timeout_us, &error.error, &answer);
    if (result < 0) {
        throw Error(Cause::failed, error.error.message != nullptr
                                       ? error.error.message
                                       : system_error(result, "devhostd does not answer").what());
    }
    return BusMessage(answer);
}

Setting Client::properties(const std::string &path, const std::string &interface)
{
    const BusMessage answer = call(path, "org.freedesktop.DBus.Properties", "GetAll", interface);
    return BusType<Setting>::read(*answer);
}

Setting Client::objects()
{
    const BusMessage answer =
        call(root_path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    return BusType<Setting>::read(*answer);
}

} // namespace devhost::ctl
