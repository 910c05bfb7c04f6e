// SPDX-License-Identifier: Apache-2.0
//
// What the daemon needs of logind and systemd. Tests put a fake in its place.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "power_rules.hpp"
#include "unique_fd.hpp"

namespace devhost {

class HostPower {
public:
    /// Empty: it was done.
    using Done = std::function<void(const std::string &error)>;

    struct Handlers {
        std::function<void(std::optional<PowerState> state)> leaves; // a transition begins
        std::function<void()> stays;                                 // it is over, or given up
    };

    virtual ~HostPower() = default;
    virtual void set_handlers(Handlers handlers) = 0;
    /// Whether a transition is under way.
    virtual bool leaving() = 0;
    /// The machine goes to @p state; off, reboot or suspend.
    virtual void act(PowerState state, Done done) = 0;
    virtual void start_unit(const std::string &unit, Done done) = 0;
    virtual void stop_unit(const std::string &unit, Done done) = 0;
    /// What makes logind wait, given to @p taken; nothing where logind is not there.
    virtual void take_delay(std::function<void(UniqueFd)> taken) = 0;
};

/// Keeps open files for the next start of the daemon: systemd's fd store.
class FdStore {
public:
    struct Stored {
        std::string name;
        UniqueFd fd;
    };

    virtual ~FdStore() = default;
    /// What was kept; once.
    virtual std::vector<Stored> take() = 0;
    virtual void put(const std::string &name, int fd) = 0;
    virtual void remove(const std::string &name) = 0;
};

class SystemdFdStore final : public FdStore {
public:
    std::vector<Stored> take() override;
    void put(const std::string &name, int fd) override;
    void remove(const std::string &name) override;
};

} // namespace devhost
