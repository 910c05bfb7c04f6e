// SPDX-License-Identifier: Apache-2.0
// The device's side of a queue: the kernel's ring.
#pragma once

#include "driver.hpp"

#include <new>
#include <stdexcept>

inline bool is_err(const devhost_chain *chain)
{
    return reinterpret_cast<uintptr_t>(chain) >= static_cast<uintptr_t>(-4095);
}

inline RingState initial_state(const Config &config)
{
    if (!config.packed) {
        return {static_cast<uint16_t>(config.start), 0, true, true};
    }
    const auto pos = static_cast<uint16_t>(config.start % config.num);
    const bool wrap = (config.start / config.num) % 2 == 0;
    return {pos, pos, wrap, wrap};
}

/// The device's side: a ring that frees what it has.
class Device {
public:
    Device(Guest &guest, const Driver &driver, const Config &config)
        : Device(guest, driver, config, initial_state(config))
    {
    }

    Device(Guest &guest, const Driver &driver, const Config &config, const RingState &state)
        : guest_(guest), driver_(driver)
    {
        ring_.num = config.num;
        ring_.packed = config.packed;
        ring_.event_idx = config.event_idx;
        ring_.indirect = config.indirect;
        if (devhost_ring_init(&ring_) != 0) {
            throw std::bad_alloc();
        }
        map();
        if (devhost_ring_start(&ring_, &state) != 0) {
            throw std::logic_error("the ring does not start");
        }
    }

    ~Device() { devhost_ring_cleanup(&ring_); }
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    /// Find the areas again, after the guest's memory moved.
    void map()
    {
        ring_.map = guest_.map();
        ring_.desc = guest_.host(driver_.desc_iova);
        ring_.driver = guest_.host(driver_.driver_iova);
        ring_.device = guest_.host(driver_.device_iova);
    }

    devhost_chain *pop() { return devhost_ring_pop(&ring_); }
    void unpop(devhost_chain *chain) { devhost_ring_unpop(&ring_, chain); }
    void push(devhost_chain *chain, uint32_t len) { devhost_ring_push(&ring_, chain, len); }
    bool notify() { return devhost_ring_notify(&ring_); }
    bool enable_kick() { return devhost_ring_enable_kick(&ring_); }
    void disable_kick() { devhost_ring_disable_kick(&ring_); }

    [[nodiscard]] RingState state() const
    {
        RingState state{};
        devhost_ring_state(&ring_, &state);
        return state;
    }

    devhost_ring &ring() { return ring_; }

private:
    Guest &guest_;
    const Driver &driver_;
    devhost_ring ring_{};
};
