// SPDX-License-Identifier: Apache-2.0
// A guest, its driver and the device's ring.
#pragma once

#include "driver.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <optional>
#include <ostream>
#include <string>

inline bool is_err(const devhost_chain *chain)
{
    return reinterpret_cast<uintptr_t>(chain) >= static_cast<uintptr_t>(-4095);
}

inline std::string name_of(const Config &config)
{
    return std::string(config.packed ? "packed" : "split") + std::to_string(config.num) +
           (config.event_idx ? "_event" : "") + (config.indirect ? "_indirect" : "") +
           (config.start != 0 ? "_from" + std::to_string(config.start) : "");
}

inline void PrintTo(const Config &config, std::ostream *out)
{
    *out << name_of(config);
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

/// Nothing may be left over, whatever a test did.
class RingTest : public ::testing::Test {
protected:
    void SetUp() override
    {
        shim_alloc_budget = -1;
        allocs_ = shim_allocs;
        shim_warnings = 0;
    }

    void TearDown() override
    {
        EXPECT_EQ(shim_allocs, allocs_);
        EXPECT_EQ(shim_warnings, 0);
    }

private:
    int allocs_ = 0;
};

/// Everything for one queue.
struct Rig {
    explicit Rig(const Config &wanted) : config(wanted), driver(make_driver(guest, config))
    {
        device.emplace(guest, *driver, config);
        data = guest.add(0x4000);
    }

    [[nodiscard]] SplitDriver &split() { return dynamic_cast<SplitDriver &>(*driver); }
    [[nodiscard]] PackedDriver &packed() { return dynamic_cast<PackedDriver &>(*driver); }

    /// A request and its answer, as a well-behaved driver would do them: the
    /// proof that the queue still works.
    void expect_good()
    {
        const std::vector<uint8_t> request{1, 2, 3, 4, 5, 6, 7, 8};
        const std::vector<uint8_t> answer{9, 8, 7};
        std::vector<uint8_t> seen(request.size());

        guest.write(data + 0x3000, request);
        const auto token = driver->add({{{data + 0x3000, 8}}, {{data + 0x3100, 16}}, 0});
        ASSERT_TRUE(token);
        device->map();
        devhost_chain *chain = device->pop();
        ASSERT_NE(chain, nullptr);
        ASSERT_FALSE(is_err(chain));
        EXPECT_EQ(chain->id, *token);
        ASSERT_EQ(devhost_chain_read(chain, seen.data(), seen.size()), 0);
        EXPECT_EQ(seen, request);
        ASSERT_EQ(devhost_chain_write(chain, answer.data(), answer.size()), 0);
        device->push(chain, chain->written);
        const auto used = driver->get();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->token, *token);
        EXPECT_EQ(used->len, answer.size());
        EXPECT_EQ(guest.read(data + 0x3100, 3), answer);
        EXPECT_EQ(device->pop(), nullptr);
    }

    /// What was made available last comes back with length 0, and unserved.
    void expect_returned(uint16_t token)
    {
        const uint64_t malformed = device->ring().malformed;

        device->map();
        ASSERT_EQ(device->pop(), nullptr);
        EXPECT_EQ(device->ring().malformed, malformed + 1);
        const auto used = driver->get();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->token, token);
        EXPECT_EQ(used->len, 0U);
        EXPECT_FALSE(driver->more());
        EXPECT_EQ(device->ring().inflight, 0U);
    }

    /// The queue is broken, stays so, and works again after a reset.
    void expect_broken()
    {
        device->map();
        for (int i = 0; i < 3; i++) {
            devhost_chain *chain = device->pop();
            ASSERT_TRUE(is_err(chain));
            EXPECT_EQ(reinterpret_cast<intptr_t>(chain), -EPROTO);
        }
        device.reset();
        config.start = 0;
        driver = make_driver(guest, config);
        device.emplace(guest, *driver, config);
        expect_good();
    }

    Guest guest;
    Config config;
    std::unique_ptr<Driver> driver;
    std::optional<Device> device;
    uint64_t data = 0;
};
