// SPDX-License-Identifier: Apache-2.0
// A guest's driver of one device: everything from open to DRIVER_OK, in steps
// that a test can also take one by one.
#pragma once

#include <linux/virtio_config.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "queue.hpp"
#include "ram.hpp"
#include "tap.hpp"
#include "vdpa.hpp"

namespace dh {

constexpr uint64_t bit(unsigned n)
{
    return uint64_t{1} << n;
}

// What every driver here needs.
constexpr uint64_t base_features = bit(VIRTIO_F_VERSION_1) | bit(VIRTIO_F_ACCESS_PLATFORM);

struct GuestSetup {
    RingKind ring = RingKind::split;
    uint16_t queue_size = 256;
    bool event_idx = true;
    bool indirect = true;
    bool in_order = false;
    uint64_t device_features = ~uint64_t{0}; // of bits 0..23 and 50..63 offered
    size_t ram = 4 << 20;
    bool huge = false;
    bool scatter = false;   // RAM in pieces of one page
    uint64_t map_chunk = 0; // bytes an IOTLB message, 0: a region each
    bool map_batch = true;
};

inline GuestSetup with_ring(RingKind ring)
{
    GuestSetup setup;
    setup.ring = ring;
    return setup;
}

class Guest {
public:
    static constexpr uint64_t ram_base = 0x40000000;

    // Opens the device; no further step is taken.
    explicit Guest(const std::string &path, GuestSetup setup = {});

    Vdpa &vdpa() { return vdpa_; }
    GuestMemory &memory() { return memory_; }
    const GuestSetup &setup() const { return setup_; }

    // All steps up to DRIVER_OK.
    void start();
    void set_owner();
    void negotiate();
    void map_memory();
    // The rings in guest memory, where they are not there yet.
    void make_queues();
    void set_up_queues();
    // One queue, as far as enabling it; @base where it goes on somewhere.
    void set_up_queue(uint32_t index, std::optional<uint32_t> base = std::nullopt);
    void driver_ok();

    // As a VMM migrates a device: suspend it and read where its queues stand...
    std::vector<uint32_t> halt();
    // ... and go on there, with the same device reset or with another one.
    void go_on(const std::vector<uint32_t> &bases, const std::string &path = "");

    // Device reset, and both sides of the queues start anew.
    void reset();
    // What a driver does about DEVICE_NEEDS_RESET.
    void restart();

    uint64_t features() const { return features_; }
    bool needs_reset() { return vdpa_.status() & VIRTIO_CONFIG_S_NEEDS_RESET; }
    // Waits for DEVICE_NEEDS_RESET.
    bool wait_needs_reset(int timeout_ms = 5000);

    Queue &queue(uint32_t index) { return *queues_.at(index); }
    SplitQueue &split(uint32_t index) { return dynamic_cast<SplitQueue &>(queue(index)); }
    PackedQueue &packed(uint32_t index) { return dynamic_cast<PackedQueue &>(queue(index)); }
    uint32_t queues() const { return static_cast<uint32_t>(queues_.size()); }

    // Config-change interrupts since the last call, waited for.
    uint64_t config_interrupts(int timeout_ms = 0);

    uint64_t alloc(size_t bytes, size_t align = 16) { return memory_.alloc(bytes, align); }
    uint8_t *at(uint64_t iova, size_t bytes = 1) { return memory_.at(iova, bytes); }
    template <typename T>
    T *as(uint64_t iova)
    {
        return memory_.as<T>(iova);
    }

private:
    GuestSetup setup_;
    GuestMemory memory_;
    Fd config_call_;
    Vdpa vdpa_; // closed before the memory goes
    std::vector<std::unique_ptr<Queue>> queues_;
    uint64_t features_ = 0;
    bool owner_ = false;
};

} // namespace dh
