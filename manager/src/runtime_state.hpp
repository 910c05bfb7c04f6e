// SPDX-License-Identifier: Apache-2.0
//
// What the manager knows about a guest and the kernel does not, kept in /run/devhost/guests until
// the machine is switched off: so a restart of the manager finds everything as it was. The format
// is private.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "config.hpp"

namespace devhost {

struct RuntimeState {
    std::uint32_t id = 0; // the guest's in the kernel; another guest of this name inherits nothing
    std::string user;
    std::string group;
    std::string unit;
    WorkerConfig worker;
    PowerRules power;
    std::filesystem::path file;    // empty: made over D-Bus
    std::string digest;            // of the file when it was applied
    std::set<std::string> devices; // that came from the file
    bool policy = false;           // came from the file
    bool operator==(const RuntimeState &) const = default;
};

class RuntimeStates {
public:
    explicit RuntimeStates(std::filesystem::path directory = "/run/devhost/guests");

    /// Empty where there is none, or it cannot be read.
    [[nodiscard]] std::optional<RuntimeState> read(const std::string &guest) const;
    void write(const std::string &guest, const RuntimeState &state) const;
    void remove(const std::string &guest) const;

private:
    std::filesystem::path directory_;
};

} // namespace devhost
