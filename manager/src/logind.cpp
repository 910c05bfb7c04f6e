// SPDX-License-Identifier: Apache-2.0
#include "logind.hpp"

#include <cstring>
#include <fcntl.h>

#include "error.hpp"
#include "journal.hpp"

namespace devhost {

namespace {

constexpr const char *logind_name = "org.freedesktop.login1";
constexpr const char *logind_path = "/org/freedesktop/login1";
constexpr const char *logind_interface = "org.freedesktop.login1.Manager";
constexpr const char *systemd_name = "org.freedesktop.systemd1";
constexpr const char *systemd_path = "/org/freedesktop/systemd1";
constexpr const char *systemd_interface = "org.freedesktop.systemd1.Manager";

BusMessage new_call(sd_bus &bus, const char *name, const char *path, const char *interface,
                    const char *method)
{
    sd_bus_message *raw = nullptr;
    bus_require(sd_bus_message_new_method_call(&bus, &raw, name, path, interface, method),
                "Cannot make a D-Bus call");
    return BusMessage(raw);
}

// Empty: the answer is none.
std::string error_of(sd_bus_message &answer)
{
    const sd_bus_error *error = sd_bus_message_get_error(&answer);
    if (error == nullptr) {
        return {};
    }
    return error->message == nullptr ? error->name : error->message;
}

const char *method_of(PowerState state)
{
    switch (state) {
    case PowerState::reboot:
        return "Reboot";
    case PowerState::suspend:
        return "Suspend";
    default:
        return "PowerOff";
    }
}

// Of a shutdown's metadata.
PowerState state_of(const std::string &type)
{
    return type.find("reboot") != std::string::npos || type == "kexec" ? PowerState::reboot
                                                                       : PowerState::off;
}

} // namespace

Logind::Logind(sd_bus &bus) : bus_(bus)
{
    const auto listen = [&](const char *name, const char *path, const char *interface,
                            const char *member, sd_bus_message_handler_t handler) {
        sd_bus_slot *slot = nullptr;
        const int result = sd_bus_match_signal_async(&bus_, &slot, name, path, interface, member,
                                                     handler, nullptr, this);
        slots_.emplace_back(slot);
        bus_require(result, "Cannot listen to systemd");
    };
    for (const char *member :
         {"PrepareForShutdownWithMetadata", "PrepareForShutdown", "PrepareForSleep"}) {
        listen(logind_name, logind_path, logind_interface, member, on_prepare);
    }
    listen(systemd_name, systemd_path, systemd_interface, "JobRemoved", on_job_removed);
    // Else systemd tells of jobs only while somebody is subscribed.
    call(*new_call(bus_, systemd_name, systemd_path, systemd_interface, "Subscribe"),
         [](sd_bus_message &) {});
}

void Logind::call(sd_bus_message &request, std::function<void(sd_bus_message &)> answered)
{
    auto call = std::make_unique<Call>(
        Call{.answered = std::move(answered), .logind = *this, .slot = nullptr});
    sd_bus_slot *slot = nullptr;
    bus_require(sd_bus_call_async(&bus_, &slot, &request, on_answer, call.get(), 0),
                "Cannot call systemd");
    call->slot.reset(slot);
    calls_[call.get()] = std::move(call);
}

int Logind::on_answer(sd_bus_message *answer, void *of, sd_bus_error * /*error*/)
{
    auto &call = *static_cast<Call *>(of);
    auto &calls = call.logind.calls_;
    const auto found = calls.find(&call);
    const std::unique_ptr<Call> owned = std::move(found->second);
    calls.erase(found);
    try {
        owned->answered(*answer);
    } catch (const std::exception &error) {
        log_error({}, error.what());
    }
    return 1;
}

void Logind::act(PowerState state, Done done)
{
    const BusMessage request =
        new_call(bus_, logind_name, logind_path, logind_interface, method_of(state));
    BusType<bool>::append(*request, false); // nobody is there to be asked
    call(*request, [done = std::move(done)](sd_bus_message &answer) { done(error_of(answer)); });
}

void Logind::unit_job(const char *method, const std::string &unit, Done done)
{
    const BusMessage request =
        new_call(bus_, systemd_name, systemd_path, systemd_interface, method);
    BusType<std::string>::append(*request, unit);
    BusType<std::string>::append(*request, "replace");
    call(*request, [this, done = std::move(done)](sd_bus_message &answer) {
        if (const std::string error = error_of(answer); !error.empty()) {
            done(error);
            return;
        }
        jobs_[BusType<ObjectPath>::read(answer).path] = done;
    });
}

int Logind::on_job_removed(sd_bus_message *signal, void *self, sd_bus_error * /*error*/)
{
    auto &jobs = static_cast<Logind *>(self)->jobs_;
    try {
        BusType<std::uint32_t>::read(*signal);
        const auto found = jobs.find(BusType<ObjectPath>::read(*signal).path);
        if (found == jobs.end()) {
            return 0;
        }
        const std::string unit = BusType<std::string>::read(*signal);
        const std::string result = BusType<std::string>::read(*signal);
        const Done done = std::move(found->second);
        jobs.erase(found);
        done(result == "done" || result == "skipped" ? "" : unit + ": " + result);
    } catch (const std::exception &error) {
        log_error({}, error.what());
    }
    return 0;
}

void Logind::start_unit(const std::string &unit, Done done)
{
    unit_job("StartUnit", unit, std::move(done));
}

void Logind::stop_unit(const std::string &unit, Done done)
{
    unit_job("StopUnit", unit, std::move(done));
}

void Logind::take_delay(std::function<void(UniqueFd)> taken)
{
    const BusMessage request =
        new_call(bus_, logind_name, logind_path, logind_interface, "Inhibit");
    for (const char *text : {"shutdown:sleep", "devhostd", "Guests get ready", "delay"}) {
        BusType<std::string>::append(*request, text);
    }
    call(*request, [taken = std::move(taken)](sd_bus_message &answer) {
        int fd = -1;
        if (const std::string error = error_of(answer); !error.empty()) {
            log_warning({}, "systemd-logind will not wait for guests: " + error);
            return;
        }
        bus::read_basic(answer, 'h', &fd); // the message's own
        taken(UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 3)));
    });
}

bool Logind::property(const char *name)
{
    int value = 0;
    return sd_bus_get_property_trivial(&bus_, logind_name, logind_path, logind_interface, name,
                                       nullptr, 'b', &value) >= 0 &&
           value != 0;
}

bool Logind::leaving()
{
    return property("PreparingForShutdown") || property("PreparingForSleep");
}

int Logind::on_prepare(sd_bus_message *signal, void *self, sd_bus_error * /*error*/)
{
    const Handlers &handlers = static_cast<Logind *>(self)->handlers_;
    const std::string member = sd_bus_message_get_member(signal);
    try {
        if (!BusType<bool>::read(*signal)) {
            handlers.stays();
        } else if (member == "PrepareForSleep") {
            handlers.leaves(PowerState::suspend);
        } else if (member == "PrepareForShutdown") {
            handlers.leaves(std::nullopt); // its twin has said which
        } else {
            const Setting metadata = BusType<Setting>::read(*signal);
            const auto &table = std::get<SettingTable>(metadata.value);
            const auto type = table.find("type");
            const auto *text =
                type == table.end() ? nullptr : std::get_if<std::string>(&type->second.value);
            handlers.leaves(text == nullptr ? PowerState::off : state_of(*text));
        }
    } catch (const std::exception &error) {
        log_error({}, error.what());
    }
    return 0;
}

} // namespace devhost
