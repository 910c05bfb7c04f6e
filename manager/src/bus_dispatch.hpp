// SPDX-License-Identifier: Apache-2.0
//
// From sd-bus's callbacks to members of the interface classes: arguments are read and answers
// written by their C++ types, errors become D-Bus errors, and no method runs without its
// caller's authorisation.
#pragma once

#include <string>

#include "authority.hpp"
#include "bus_message.hpp"
#include "error.hpp"

namespace devhost {

class BusService;

namespace bus {

/// Reads the arguments, does the work, writes the answer.
using Method = void (*)(BusService &service, sd_bus_message &call, sd_bus_message &answer);

/// Runs @p method now, or once its caller is authorised.
int dispatch(BusService &service, sd_bus_message &call, Action action, Method method) noexcept;

/// Fills @p error from the exception in flight; returns a negative errno.
int property_error(sd_bus_error *error) noexcept;

template <typename Member>
struct MemberTraits;

template <typename Interface, typename Result, typename... Arguments>
struct MemberTraits<Result (Interface::*)(Arguments...)> {
    using Of = Interface;
    using Returned = Result;
    using Given = std::tuple<std::remove_cvref_t<Arguments>...>;
};
template <typename Interface, typename Result, typename... Arguments>
struct MemberTraits<Result (Interface::*)(Arguments...) const>
    : MemberTraits<Result (Interface::*)(Arguments...)> {};

template <typename... T>
std::tuple<T...> read_arguments(sd_bus_message &call, std::tuple<T...> * /*type*/)
{
    return std::tuple<T...>{BusType<T>::read(call)...}; // braces: in this order
}

template <auto member>
void call_member(BusService &service, sd_bus_message &call, sd_bus_message &answer)
{
    using Traits = MemberTraits<decltype(member)>;
    using Given = typename Traits::Given;
    using Returned = typename Traits::Returned;

    auto interface = Traits::Of::at(service, sd_bus_message_get_path(&call));
    auto run = [&](const auto &...each) { return (interface.*member)(each...); };
    auto arguments = read_arguments(call, static_cast<Given *>(nullptr));
    if constexpr (std::is_void_v<Returned>) {
        std::apply(run, arguments);
    } else {
        BusType<Returned>::append(answer, std::apply(run, arguments));
    }
}

} // namespace bus

/// sd-bus's handler of a method.
template <auto member, Action action>
int serve(sd_bus_message *call, void *service, sd_bus_error * /*error*/) noexcept
{
    return bus::dispatch(*static_cast<BusService *>(service), *call, action,
                         bus::call_member<member>);
}

/// sd-bus's getter of a property.
template <auto member>
int read_property(sd_bus * /*bus*/, const char *path, const char * /*interface*/,
                  const char * /*property*/, sd_bus_message *answer, void *service,
                  sd_bus_error *error) noexcept
{
    try {
        using Traits = bus::MemberTraits<decltype(member)>;
        const auto interface = Traits::Of::at(*static_cast<BusService *>(service), path);
        BusType<typename Traits::Returned>::append(*answer, (interface.*member)());
        return 1;
    } catch (...) {
        return bus::property_error(error);
    }
}

} // namespace devhost
