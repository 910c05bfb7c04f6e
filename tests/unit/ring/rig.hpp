// SPDX-License-Identifier: Apache-2.0
// A guest, its driver and the device's ring.
#pragma once

#include "device.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <optional>
#include <ostream>
#include <string>

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
