// SPDX-License-Identifier: Apache-2.0
// virtio-scmi as the specification has it, an agent that speaks SCMI, and the
// providers of tests/kmod/scmi_providers on the host.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control.hpp"
#include "guest.hpp"

namespace dh::scmi {

// virtio 1.4, 5.17 SCMI device.
constexpr uint32_t virtio_id = 32;
enum Vq : uint32_t { cmdq, eventq };
constexpr unsigned f_p2a = 0;

// SCMI 3.2, DEN0056E.
enum Protocol : uint8_t {
    base = 0x10,
    power,
    system_power,
    perf,
    clk,
    sensor,
    reset,
    voltage,
};
enum Type : uint8_t { command = 0, delayed = 2, notification = 3 };
enum Status : int32_t {
    success = 0,
    not_supported = -1,
    invalid_parameters = -2,
    denied = -3,
    not_found = -4,
    out_of_range = -5,
    busy = -6,
    generic_error = -8,
    hardware_error = -9,
    protocol_error = -10,
};
constexpr uint32_t power_off = 1U << 30;

constexpr uint32_t header(uint8_t protocol, uint8_t message, uint16_t token = 0,
                          uint8_t type = command)
{
    return message | static_cast<uint32_t>(type) << 8 | static_cast<uint32_t>(protocol) << 10 |
           static_cast<uint32_t>(token & 0x3ff) << 18;
}

// A resource of a device being created.
struct Resource {
    devhost_scmi_kind kind;
    std::string host;
    std::string name{};
    std::string device = "scmi_prov";
    devhost_scmi_source source = DEVHOST_SCMI_SOURCE_DEFAULT;
    bool read_only = false;
    uint64_t min = 0;
    uint64_t max = 0;
};

// All that the providers have, and one sensor that is pushed.
std::vector<Resource> everything();
DeviceParams params(const std::vector<Resource> &resources, RingKind ring = RingKind::split,
                    bool system = true);

// A resource as RESOURCE_GET tells of it.
struct ResourceInfo {
    std::string guest;
    std::string device;
    uint32_t kind = 0;
    uint32_t id = 0;
    std::string name;
    std::string host;
    bool read_only = false;
    bool vote_on = false;
    uint64_t vote_level = 0;
    uint64_t vote_since = 0;
    bool on = false;
    uint64_t level = 0;
    std::optional<uint64_t> ceiling;
    uint32_t limit = 0;
    uint32_t holders = 0;
};
ResourceInfo parse_resource(const NetlinkMessage &message);
std::vector<ResourceInfo> resources(Control &control, const std::string &guest = "",
                                    const std::string &device = "");
ResourceInfo resource(Control &control, const std::string &guest, devhost_scmi_kind kind,
                      uint32_t id);

// DEVICE_SET; 0 or -errno.
int set(Control &control, const std::string &guest, const std::string &device,
        const Attrs &backend);
int set_ceiling(TestDevice &device, devhost_scmi_kind kind, uint32_t id,
                std::optional<uint64_t> level);
int push_reading(TestDevice &device, uint32_t id, int64_t value);
int announce(TestDevice &device, uint32_t state, uint32_t flags, uint32_t timeout);

// What came back for a command.
struct Answer {
    int id = -1;
    uint32_t length = 0;
    uint32_t hdr = 0;
    int32_t status = 0;
    std::vector<uint8_t> values;

    uint32_t u32(size_t at) const;
    uint64_t u64(size_t at) const;
    std::string text(size_t at, size_t size) const;
};

// What came over the eventq.
struct Event {
    uint8_t type = 0;
    uint8_t protocol = 0;
    uint8_t message = 0;
    uint16_t token = 0;
    std::vector<uint8_t> payload;

    uint32_t u32(size_t at) const;
    uint64_t u64(size_t at) const;
};

class ScmiGuest : public Guest {
public:
    ScmiGuest(const std::string &path, GuestSetup setup) : Guest(path, setup) {}

    // Guest::start() and event buffers.
    void bring_up(unsigned events = 16, uint32_t size = 160);
    // The same after a device reset, which it does.
    void begin_again(unsigned events = 16);
    // After reset(): nothing is pending any more.
    void forget();

    // A command from beginning to end; @room for return values.
    Answer call(uint8_t protocol, uint8_t message, const std::vector<uint32_t> &parameters = {},
                uint32_t room = 128);
    // A command of any bytes, its header included.
    Answer raw(const std::vector<uint8_t> &request, uint32_t writable);
    // Queues a command; its id, -1 where there is no room. collect() takes what
    // came back.
    int queue_call(uint8_t protocol, uint8_t message, const std::vector<uint32_t> &parameters,
                   uint32_t room = 128, uint16_t token = 0);
    Answer collect(int timeout_ms = 10000);

    // SUCCESS, and the return values.
    Answer ok(uint8_t protocol, uint8_t message, const std::vector<uint32_t> &parameters = {});
    int32_t status(uint8_t protocol, uint8_t message, const std::vector<uint32_t> &parameters = {});

    void post_events(unsigned count, uint32_t size = 160);
    std::optional<Event> event(int timeout_ms = 5000, bool repost = true);

    // What has to work after anything bad.
    void good();

private:
    struct Slot {
        uint64_t addr;
        uint32_t room;
    };
    int queue_bytes(const std::vector<uint8_t> &request, uint32_t writable);

    std::vector<uint64_t> pool_;  // free slots
    std::map<int, Slot> pending_; // by id
    std::map<int, Slot> events_;  // by id
    uint32_t serial_ = 0;
};

// Files below debugfs's scmi_providers: "clk0/rate".
uint64_t knob(const std::string &name);
void set_knob(const std::string &name, uint64_t value);
// Waits for a value; throws where it does not come.
void expect_knob(const std::string &name, uint64_t value, int timeout_ms = 5000);
// All providers as they are at the start of a test: no delays, no failures.
void calm();

// A cpufreq driver for the host's processors, as long as this lives: 1, 2, 3 GHz.
class CpuFrequencies {
public:
    // down: the driver lists them from the highest on
    explicit CpuFrequencies(bool down = false);
    CpuFrequencies(const CpuFrequencies &) = delete;
    CpuFrequencies &operator=(const CpuFrequencies &) = delete;
    ~CpuFrequencies();
    void have_driver(bool there);

    // The first processor, as a guest is given it.
    static Resource resource();
    // The frequency below which it does not go, in kHz; 0: it has no driver.
    static uint64_t least();
    // Waits for that: the kernel sees to it soon.
    void expect_least(uint64_t khz);
};

// A guest that has no event queue.
GuestSetup without_p2a(RingKind ring);

// The providers, a device on them, and its guest.
struct ScmiFixture {
    explicit ScmiFixture(GuestSetup setup, bool up = true,
                         const std::vector<Resource> &have = everything());
    TestDevice device;
    ScmiGuest guest;
};

} // namespace dh::scmi
