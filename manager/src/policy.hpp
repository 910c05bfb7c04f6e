// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "can_policy.hpp"

namespace devhost {

// The whole policy of a guest. A class of devices that it leaves out is refused
// everything.
struct PolicyConfig {
    std::optional<CanPolicy> can;

    bool names_devices() const { return can && can->names_devices(); }
    bool operator==(const PolicyConfig &) const = default;
};

// The form that [policy] in TOML, and the dictionary on D-Bus, have.
PolicyConfig policy_from(TableReader table);
Setting to_setting(const PolicyConfig &policy);

} // namespace devhost
