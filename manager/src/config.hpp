// SPDX-License-Identifier: Apache-2.0
//
// A guest's file, /etc/devhost/guests.d/<guest>.toml (docs/configuration.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config_tree.hpp"
#include "device_can.hpp"
#include "device_scmi.hpp"
#include "device_snd.hpp"
#include "device_video.hpp"
#include "limits.hpp"
#include "policy.hpp"
#include "power_rules.hpp"

namespace devhost {

// Names of guests and devices: [A-Za-z0-9][A-Za-z0-9_-]{0,30}
bool valid_name(std::string_view name);

// What a device stands on: an alternative for each kind of classes (config.cpp, device_classes).
using Backend = std::variant<CanDeviceConfig, SndDeviceConfig, ScmiDeviceConfig, VideoDeviceConfig>;

enum class Ring { any, split };

// DEVHOST_A_DEV_FEATURES_MASK for this choice.
std::uint64_t features_mask(Ring ring);

struct DeviceConfig {
    std::string name;
    std::string device_class; // "can", ...: the alternative that backend holds
    bool policy_required = true;
    std::optional<std::uint32_t> vq_size_max; // entries, power of two
    Ring ring = Ring::any;
    Backend backend;
    unsigned line = 0;

    // The backend of that class, or nullptr.
    const CanDeviceConfig *can() const { return std::get_if<CanDeviceConfig>(&backend); }
    const SndDeviceConfig *snd() const { return std::get_if<SndDeviceConfig>(&backend); }
    const ScmiDeviceConfig *scmi() const { return std::get_if<ScmiDeviceConfig>(&backend); }
    const VideoDeviceConfig *video() const { return std::get_if<VideoDeviceConfig>(&backend); }

    // The line is no part of what the device is.
    friend bool operator==(const DeviceConfig &a, const DeviceConfig &b)
    {
        return a.name == b.name && a.device_class == b.device_class &&
               a.policy_required == b.policy_required && a.vq_size_max == b.vq_size_max &&
               a.ring == b.ring && a.backend == b.backend;
    }
};

enum class Scheduler { other, batch, fifo, rr };

// Applied to the queue workers of the guest; what is empty is as threads have it (worker.cpp).
struct WorkerConfig {
    std::vector<unsigned> cpus; // sorted, unique
    std::optional<Scheduler> scheduler;
    std::optional<unsigned> priority; // 1 .. 99, fifo and rr
    std::optional<int> nice;          // -20 .. 19, other and batch

    bool empty() const { return cpus.empty() && !scheduler && !priority && !nice; }
    bool operator==(const WorkerConfig &) const = default;
};

struct GuestConfig {
    std::string name;
    std::string user;  // owner of the device nodes; empty: root
    std::string group; // empty: root
    std::string unit;  // systemd unit of the VMM; empty: not known
    WorkerConfig worker;
    PowerRules power;
    Limits limits;
    std::vector<DeviceConfig> devices;
    std::optional<PolicyConfig> policy;
    std::filesystem::path file; // empty where it came over D-Bus

    const DeviceConfig *device(std::string_view device_name) const;
};

// Parse a guest's file; the guest is named by the file: <guest>.toml. Throws ConfigError.
GuestConfig parse_guest_file(const std::filesystem::path &path);
GuestConfig parse_guest(std::string_view text, std::string name, const std::string &file);

// The settings of a guest as a tree (D-Bus: the dictionary given to CreateGuest).
GuestConfig guest_from(TableReader table, std::string name);

// What rules of a policy may name of a device.
void add_policy_items(PolicyItems &items, const std::string &device, const Backend &backend);

// The table of a [[device]] that has the settings of this class; of an unknown one its own name.
std::string backend_table(const std::string &device_class);

// One [[device]] table (D-Bus: the dictionary given to CreateDevice).
DeviceConfig device_from(TableReader table);

} // namespace devhost
