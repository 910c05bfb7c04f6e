// SPDX-License-Identifier: Apache-2.0
//
// The service on the bus: its objects, its signals, and who may call it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "authority.hpp"
#include "bus_interfaces.hpp"

namespace devhost {

/// Host and power are followed for all that listen: what the host tells goes on to power, too.
class BusService final : public HostObserver, public PowerObserver {
public:
    /// Objects are there at once; the name is asked for by claim_name().
    BusService(sd_bus &bus, Served served, std::string group,
               CallerOf caller_of = devhost::caller_of);
    ~BusService() override;
    BusService(const BusService &) = delete;
    BusService &operator=(const BusService &) = delete;

    void claim_name();

    [[nodiscard]] Host &host() { return served_.host; }
    [[nodiscard]] Configuration &configuration() { return served_.configuration; }
    [[nodiscard]] Power &power() { return served_.power; }
    [[nodiscard]] Authority &authority() { return authority_; }

    /// Reads the files again and tells what changed of the problems.
    void reload();

    void guest_added(const Guest &guest) override;
    void guest_removing(const Guest &guest) override;
    void guest_changed(const Guest &guest, const Properties &properties) override;
    void policy_changed(const Guest &guest, const Properties &properties) override;
    void device_added(const Device &device) override;
    void device_removing(const Device &device) override;
    void device_changed(const Device &device, const Properties &properties) override;
    void policy_denied(const Device &device, const DenialInfo &denial) override;
    void power_changed(const Properties &properties) override;
    void guest_power_changed(const std::string &guest, const Properties &properties) override;

private:
    void serve_objects();
    void emit_changed(const std::string &path, const char *interface, const Properties &properties);

    sd_bus &bus_;
    Served served_;
    Authority authority_;
    std::vector<BusSlot> slots_;
};

} // namespace devhost
