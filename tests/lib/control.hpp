// SPDX-License-Identifier: Apache-2.0
// Guests and devices, created and read straight from the kernel.
#pragma once

#include <linux/devhost.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlink.hpp"

namespace dh {

struct DeviceParams {
    std::string guest;
    std::string name;
    std::string device_class;
    std::optional<uint64_t> features_mask;
    std::optional<uint32_t> vq_size_max;
    bool policy_required = false;
    std::optional<Attrs> backend;
};

// By DEVHOST_A_LIMIT_*.
using Limits = std::map<uint16_t, uint64_t>;

struct GuestInfo {
    std::string name;
    uint32_t id = 0;
    uint32_t devices = 0;
    std::optional<uint32_t> policy;
    uint64_t pinned = 0;
    uint64_t exported = 0;
    std::map<uint32_t, uint64_t> verdicts;
    Limits limits; // those there are
    Limits use;
    Limits refused;
};

struct DeviceInfo {
    std::string guest;
    std::string name;
    uint32_t id = 0;
    std::string device_class;
    uint32_t virtio_id = 0;
    std::string vdpa;
    uint32_t state = 0;
    uint8_t status = 0;
    std::string reason;
    uint64_t features = 0;
    uint64_t driver_features = 0;
    uint64_t features_mask = 0;
    uint32_t vq_size_max = 0;
    uint32_t vqs = 0;
    bool policy_required = false;
    uint32_t worker = 0;
    std::vector<Attr> backend;
};

struct QueueStats {
    std::string name;
    uint64_t kicks = 0;
    uint64_t popped = 0;
    uint64_t pushed = 0;
    uint64_t notified = 0;
    uint64_t malformed = 0;
    uint32_t inflight = 0;
};

struct Stats {
    std::map<uint32_t, QueueStats> vqs;
    std::map<std::string, uint64_t> counters;
    std::map<uint32_t, uint64_t> verdicts;
};

// Names a device in a message that is about one.
Attrs device_attrs(const DeviceParams &params);
Attrs device_attrs(const std::string &guest, const std::string &name, bool force = false);
Attrs guest_attrs(const std::string &name);
Attrs guest_attrs(const std::string &name, const Limits &limits);

GuestInfo parse_guest(const NetlinkMessage &message);
DeviceInfo parse_device(const NetlinkMessage &message);

// The family "devhost". The plain calls throw where the kernel refuses.
class Control {
public:
    Control() : genl_(DEVHOST_GENL_NAME) {}
    Genl &genl() { return genl_; }

    NetlinkReply try_guest_new(const std::string &name);
    NetlinkReply try_guest_set(const std::string &name, const Limits &limits);
    NetlinkReply try_guest_del(const std::string &name);
    NetlinkReply try_device_new(const DeviceParams &params);
    NetlinkReply try_device_del(const std::string &guest, const std::string &name,
                                bool force = false);
    // Waits while somebody has its node open: udev does, for a moment.
    NetlinkReply device_del_patiently(const std::string &guest, const std::string &name);

    GuestInfo guest_new(const std::string &name);
    void guest_set(const std::string &name, const Limits &limits);
    void guest_del(const std::string &name);
    DeviceInfo device_new(const DeviceParams &params);
    void device_del(const std::string &guest, const std::string &name);

    GuestInfo guest(const std::string &name);
    DeviceInfo device(const std::string &guest, const std::string &name);
    Stats stats(const std::string &guest, const std::string &name);
    std::vector<GuestInfo> guests();
    std::vector<DeviceInfo> devices();

private:
    Genl genl_;
};

// The char device of a vdpa device, waited for: /dev/vhost-vdpa-N.
std::string vhost_path(const std::string &vdpa);

// A guest with one device, removed at the end of the scope.
class TestDevice {
public:
    explicit TestDevice(DeviceParams params);
    TestDevice(const TestDevice &) = delete;
    TestDevice &operator=(const TestDevice &) = delete;
    ~TestDevice();

    const std::string &path() const { return path_; }
    const std::string &guest() const { return params_.guest; }
    const std::string &name() const { return params_.name; }
    DeviceInfo info() { return control_.device(guest(), name()); }
    Stats stats() { return control_.stats(guest(), name()); }
    uint64_t pinned() { return control_.guest(guest()).pinned; }
    // After an unmap of a device that runs: a pass of the worker keeps the map that
    // it began with, so there it comes down to @bytes once that pass is over.
    uint64_t pinned_down_to(uint64_t bytes);
    uint64_t exported() { return control_.guest(guest()).exported; }
    // Threads of the kernel that run what sleeps, by their ids.
    std::vector<std::string> helpers() const;
    Control &control() { return control_; }
    // Removes it now; the destructor then does nothing.
    void remove();

private:
    Control control_;
    DeviceParams params_;
    std::string path_;
    bool own_guest_ = false;
    bool present_ = false;
};

} // namespace dh
