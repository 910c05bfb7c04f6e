// SPDX-License-Identifier: Apache-2.0
//
// SCMI resources as D-Bus dictionaries.
#pragma once

#include "kernel.hpp"

namespace devhost {

/// What the host makes of it: on, level, ceiling, holders.
SettingTable scmi_state(const ScmiResourceInfo &resource);
/// What the guest wants of it: on, level, since, and why it has not got that.
SettingTable scmi_vote(const ScmiResourceInfo &resource);
/// All that is known of it.
SettingTable scmi_resource(const ScmiResourceInfo &resource);

} // namespace devhost
