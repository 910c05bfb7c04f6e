// SPDX-License-Identifier: Apache-2.0
//
// logind and systemd, over the bus.
#pragma once

#include <map>
#include <memory>

#include "bus_message.hpp"
#include "host_power.hpp"

namespace devhost {

class Logind final : public HostPower {
public:
    explicit Logind(sd_bus &bus);

    void set_handlers(Handlers handlers) override { handlers_ = std::move(handlers); }
    bool leaving() override;
    void act(PowerState state, Done done) override;
    void start_unit(const std::string &unit, Done done) override;
    void stop_unit(const std::string &unit, Done done) override;
    void take_delay(std::function<void(UniqueFd)> taken) override;

private:
    /// Of a call that has not been answered yet.
    struct Call {
        std::function<void(sd_bus_message &answer)> answered;
        Logind &logind;
        BusSlot slot;
    };

    void call(sd_bus_message &request, std::function<void(sd_bus_message &answer)> answered);
    void unit_job(const char *method, const std::string &unit, Done done);
    [[nodiscard]] bool property(const char *name);
    static int on_answer(sd_bus_message *answer, void *call, sd_bus_error *error);
    static int on_prepare(sd_bus_message *signal, void *self, sd_bus_error *error);
    static int on_job_removed(sd_bus_message *signal, void *self, sd_bus_error *error);

    sd_bus &bus_;
    Handlers handlers_;
    std::vector<BusSlot> slots_;
    std::map<const Call *, std::unique_ptr<Call>> calls_;
    std::map<std::string, Done> jobs_; // by their objects
};

} // namespace devhost
