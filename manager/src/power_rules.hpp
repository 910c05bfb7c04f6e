// SPDX-License-Identifier: Apache-2.0
//
// [power] of a guest: what comes of its requests for system power states, and how long the device
// host waits for it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "config_tree.hpp"

namespace devhost {

using Milliseconds = std::chrono::milliseconds;

enum class PowerState { on, off, reboot, suspend };

// What a guest's request means.
enum class PowerRole {
    deny,    // nothing
    vote,    // the host goes where all that vote want it to go
    master,  // the host goes there
    emulate, // a unit is started that does it to the guest alone
};

const char *word_of(PowerState state);
const char *word_of(PowerRole role);
std::optional<PowerState> power_state_of(std::string_view word);

struct PowerRules {
    PowerRole role = PowerRole::deny;
    Milliseconds budget{10'000}; // to get ready for a transition
    unsigned order = 0;          // 0: with the first; the others follow, the highest first
    std::string emulate_unit;    // with PowerRole::emulate

    bool operator==(const PowerRules &) const = default;
};

PowerRules power_rules_from(TableReader table);
Setting to_setting(const PowerRules &rules);

// The name of a unit, which ends in one of the given ways. Throws ConfigError.
std::string unit_name(TableReader &table, std::string_view key,
                      std::initializer_list<std::string_view> suffixes);

} // namespace devhost
