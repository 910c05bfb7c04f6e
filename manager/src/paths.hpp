// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace devhost {

inline constexpr const char *config_directory = "/etc/devhost/guests.d";
inline constexpr const char *power_config_file = "/etc/devhost/power.toml";
inline constexpr const char *programs_directory = "/usr/lib/devhost/bpf";
inline constexpr const char *admin_group = "devhost";

} // namespace devhost
