// SPDX-License-Identifier: Apache-2.0
#include "bus_service.hpp"

#include <cstdlib>
#include <cstring>

#include "bus_paths.hpp"
#include "configuration.hpp"
#include "denial.hpp"
#include "journal.hpp"

namespace devhost {

namespace {

#include "bus_vtables.inc"

// Whether there is such an object: 1 or 0. The service itself is what handlers are given.
int find_guest(sd_bus * /*bus*/, const char *path, const char * /*interface*/, void *userdata,
               void **found, sd_bus_error * /*error*/) noexcept
{
    const auto &host = static_cast<BusService *>(userdata)->host();
    const auto names = names_in(path);
    *found = userdata;
    return names && names->device.empty() && host.guests().contains(names->guest) ? 1 : 0;
}

int find_device(sd_bus * /*bus*/, const char *path, const char * /*interface*/, void *userdata,
                void **found, sd_bus_error * /*error*/) noexcept
{
    const auto &host = static_cast<BusService *>(userdata)->host();
    const auto names = names_in(path);
    *found = userdata;
    if (!names || names->device.empty()) {
        return 0;
    }
    const auto guest = host.guests().find(names->guest);
    return guest != host.guests().end() && guest->second.devices.contains(names->device) ? 1 : 0;
}

// sd-bus frees the list and its texts.
int list_objects(sd_bus * /*bus*/, const char * /*prefix*/, void *userdata, char ***nodes,
                 sd_bus_error * /*error*/) noexcept
{
    const auto &host = static_cast<BusService *>(userdata)->host();
    std::vector<std::string> paths;
    for (const auto &[guest, of] : host.guests()) {
        paths.push_back(guest_path(guest));
        for (const auto &[device, unused] : of.devices) {
            paths.push_back(device_path(guest, device));
        }
    }
    auto *list = static_cast<char **>(std::calloc(paths.size() + 1, sizeof(char *)));
    if (list == nullptr) {
        return -ENOMEM;
    }
    for (std::size_t i = 0; i < paths.size(); i++) {
        list[i] = strdup(paths[i].c_str());
    }
    *nodes = list;
    return 0;
}

// Signals are told when the bus is gone too; then nobody listens.
void ignore(int /*result*/) {}

} // namespace

BusService::BusService(sd_bus &bus, Served served, std::string group, CallerOf caller_of)
    : bus_(bus), served_(served), authority_(bus, std::move(group), std::move(caller_of))
{
    serve_objects();
    served_.host.set_observer(this);
    served_.power.set_observer(this);
}

BusService::~BusService()
{
    served_.host.set_observer(nullptr);
    served_.power.set_observer(nullptr);
}

void BusService::serve_objects()
{
    const auto keep = [this](int result, sd_bus_slot *slot) {
        slots_.emplace_back(slot);
        bus_require(result, "Cannot serve an object on the bus");
    };
    sd_bus_slot *slot = nullptr;
    keep(sd_bus_add_object_manager(&bus_, &slot, root_path), slot);
    keep(sd_bus_add_object_vtable(&bus_, &slot, root_path, "org.devhost1.Manager", manager_vtable,
                                  this),
         slot);
    keep(sd_bus_add_fallback_vtable(&bus_, &slot, guests_prefix, "org.devhost1.Guest", guest_vtable,
                                    find_guest, this),
         slot);
    keep(sd_bus_add_fallback_vtable(&bus_, &slot, guests_prefix, "org.devhost1.Policy",
                                    policy_vtable, find_guest, this),
         slot);
    keep(sd_bus_add_object_vtable(&bus_, &slot, power_path, "org.devhost1.Power", power_vtable,
                                  this),
         slot);
    keep(sd_bus_add_fallback_vtable(&bus_, &slot, guests_prefix, "org.devhost1.GuestPower",
                                    guest_power_vtable, find_guest, this),
         slot);
    keep(sd_bus_add_fallback_vtable(&bus_, &slot, guests_prefix, "org.devhost1.Device",
                                    device_vtable, find_device, this),
         slot);
    keep(sd_bus_add_node_enumerator(&bus_, &slot, guests_prefix, list_objects, this), slot);
}

void BusService::claim_name()
{
    bus_require(sd_bus_request_name(&bus_, bus_name, 0), "Cannot get the bus name org.devhost1");
}

void BusService::reload()
{
    const std::vector<std::string> before = served_.configuration.problems();
    served_.configuration.reload();
    served_.power.set_config(served_.configuration.power());
    if (served_.configuration.problems() != before) {
        emit_changed(root_path, "org.devhost1.Manager", {"ConfigProblems"});
    }
}

void BusService::emit_changed(const std::string &path, const char *interface,
                              const Properties &properties)
{
    std::vector<char *> names;
    for (const std::string &property : properties) {
        names.push_back(const_cast<char *>(property.c_str()));
    }
    names.push_back(nullptr);
    ignore(sd_bus_emit_properties_changed_strv(&bus_, path.c_str(), interface, names.data()));
}

void BusService::guest_added(const Guest &guest)
{
    served_.power.guest_added(guest);
    ignore(sd_bus_emit_object_added(&bus_, guest_path(guest.info.name).c_str()));
}

void BusService::guest_removing(const Guest &guest)
{
    ignore(sd_bus_emit_object_removed(&bus_, guest_path(guest.info.name).c_str()));
    served_.power.guest_removing(guest);
}

void BusService::guest_changed(const Guest &guest, const Properties &properties)
{
    emit_changed(guest_path(guest.info.name), "org.devhost1.Guest", properties);
    served_.power.guest_changed(guest, properties);
}

void BusService::policy_changed(const Guest &guest, const Properties &properties)
{
    emit_changed(guest_path(guest.info.name), "org.devhost1.Policy", properties);
}

void BusService::device_added(const Device &device)
{
    served_.power.device_added(device);
    ignore(
        sd_bus_emit_object_added(&bus_, device_path(device.info.guest, device.info.name).c_str()));
}

void BusService::device_removing(const Device &device)
{
    ignore(sd_bus_emit_object_removed(&bus_,
                                      device_path(device.info.guest, device.info.name).c_str()));
    served_.power.device_removing(device);
}

void BusService::device_changed(const Device &device, const Properties &properties)
{
    emit_changed(device_path(device.info.guest, device.info.name), "org.devhost1.Device",
                 properties);
    served_.power.device_changed(device, properties);
}

void BusService::policy_denied(const Device &device, const DenialInfo &denial)
{
    sd_bus_message *raw = nullptr;
    if (sd_bus_message_new_signal(&bus_, &raw,
                                  device_path(device.info.guest, device.info.name).c_str(),
                                  "org.devhost1.Device", "PolicyDenied") < 0) {
        return;
    }
    const BusMessage signal(raw);
    BusType<std::string>::append(*signal, verdict_name(denial.verdict));
    BusType<Setting>::append(*signal, denial.item);
    BusType<std::uint64_t>::append(*signal, denial.suppressed);
    ignore(sd_bus_send(&bus_, signal.get(), nullptr));
}

void BusService::power_changed(const Properties &properties)
{
    emit_changed(power_path, "org.devhost1.Power", properties);
}

void BusService::guest_power_changed(const std::string &guest, const Properties &properties)
{
    emit_changed(guest_path(guest), "org.devhost1.GuestPower", properties);
}

namespace bus {

namespace {

void answer_error(sd_bus_message &call, const char *name, const char *sentence)
{
    ignore(sd_bus_reply_method_errorf(&call, name, "%s", sentence));
}

// Calls @p action and answers with the error if there is one.
template <typename Action>
void guarded(sd_bus_message &call, const Action &action) noexcept
{
    try {
        action();
    } catch (const ConfigError &error) {
        // Of a message, not of a file.
        answer_error(
            call,
            bus_error_name(error.file().empty() ? Cause::invalid_args : Cause::config_invalid),
            error.what());
    } catch (const Error &error) {
        answer_error(call, bus_error_name(error.cause()), error.what());
    } catch (const std::exception &error) {
        answer_error(call, bus_error_name(Cause::failed), error.what());
    }
}

void run(BusService &service, sd_bus_message &call, Method method)
{
    sd_bus_message *raw = nullptr;
    bus_require(sd_bus_message_new_method_return(&call, &raw), "Cannot answer a D-Bus call");
    const BusMessage answer(raw);
    method(service, call, *answer);
    bus_require(sd_bus_send(nullptr, raw, nullptr), "Cannot answer a D-Bus call");
}

// The user who owns the object of a call; nobody for what is not a guest's.
std::optional<uid_t> owner_of_object(BusService &service, const char *path)
{
    const auto names = names_in(path);
    if (!names) {
        return std::nullopt;
    }
    const RuntimeState &settings = service.host().guest(names->guest).settings;
    return owner_of(settings.user, settings.group).uid;
}

} // namespace

int dispatch(BusService &service, sd_bus_message &call, Action action, Method method) noexcept
{
    guarded(call, [&] {
        const auto owner = action == Action::open_device
                               ? owner_of_object(service, sd_bus_message_get_path(&call))
                               : std::nullopt;
        // std::function must be copyable, so the reference is shared.
        const std::shared_ptr<sd_bus_message> kept(sd_bus_message_ref(&call), BusDelete());
        service.authority().ask(call, action, owner, [&service, kept, method](bool allowed) {
            guarded(*kept, [&] {
                if (!allowed) {
                    throw Error(Cause::access_denied,
                                "You may not do this: ask as root, as a member of the group "
                                "devhost, or with an authorisation by polkit.");
                }
                run(service, *kept, method);
            });
        });
    });
    return 1;
}

int property_error(sd_bus_error *error) noexcept
{
    try {
        throw;
    } catch (const Error &caught) {
        return sd_bus_error_set(error, bus_error_name(caught.cause()), caught.what());
    } catch (const std::exception &caught) {
        return sd_bus_error_set(error, bus_error_name(Cause::failed), caught.what());
    }
}

} // namespace bus

} // namespace devhost
