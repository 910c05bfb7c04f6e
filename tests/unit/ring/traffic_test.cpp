// SPDX-License-Identifier: Apache-2.0
// Buffers of all layouts through rings of all sizes, in and out of order.
#include "rig.hpp"

#include <algorithm>
#include <deque>
#include <map>

namespace {

constexpr size_t slab_size = 2048;

/// A request on its way.
struct Pending {
    uint64_t slab = 0;
    Buffer buffer;
    std::vector<uint8_t> request;
    uint32_t writable = 0;
};

uint8_t answer_byte(uint8_t seed, size_t i)
{
    return static_cast<uint8_t>(seed + 31 * i);
}

class Traffic : public RingTest, public ::testing::WithParamInterface<Config> {
protected:
    Traffic() : rig_(GetParam())
    {
        // Regions of odd sizes, one behind the other: seams everywhere.
        const size_t want = slab_size * (std::min<size_t>(GetParam().num, 64) + 1);
        uint64_t at = rig_.guest.add(700);
        const uint64_t begin = at;
        for (size_t have = 700; have < want + slab_size;) {
            const size_t size = 600 + rng_() % 900;
            rig_.guest.append(size);
            have += size;
        }
        for (at = begin; at + slab_size <= begin + want; at += slab_size) {
            slabs_.push_back(at);
        }
    }

    /// A buffer of random pieces.
    bool add()
    {
        if (slabs_.empty()) {
            return false;
        }
        Pending pending;
        pending.slab = slabs_.back();
        uint64_t at = pending.slab;
        const auto &config = GetParam();
        if (config.indirect && rng_() % 2 != 0) {
            at += rng_() % 16;
            pending.buffer.table = at;
            at += uint64_t{16} * std::min<uint32_t>(config.num, 12);
        }
        const uint32_t max = std::min<uint32_t>(config.num, 12);
        const uint32_t n = 1 + rng_() % std::max<uint32_t>(1, rng_() % max);
        const uint32_t out = rng_() % (n + 1);
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t len = 1 + rng_() % (rng_() % 4 != 0 ? 20 : 140);
            auto &part = i < out ? pending.buffer.out : pending.buffer.in;
            part.push_back({at, len});
            if (i < out) {
                for (uint32_t j = 0; j < len; j++) {
                    pending.request.push_back(rng_());
                }
            } else {
                pending.writable += len;
            }
            at += len;
        }
        size_t done = 0;
        for (const auto &segment : pending.buffer.out) {
            rig_.guest.write(segment.addr, std::span(pending.request).subspan(done, segment.len));
            done += segment.len;
        }
        const auto token = rig_.driver->add(pending.buffer);
        if (!token) {
            return false;
        }
        slabs_.pop_back();
        EXPECT_TRUE(pending_.try_emplace(*token, std::move(pending)).second);
        return true;
    }

    /// Take a chain and check what the driver sent.
    bool take()
    {
        devhost_chain *chain = rig_.device->pop();
        EXPECT_FALSE(is_err(chain));
        if (chain == nullptr) {
            return false;
        }
        const Pending &pending = pending_.at(chain->id);
        EXPECT_EQ(devhost_chain_readable(chain), pending.request.size());
        EXPECT_EQ(devhost_chain_writable(chain), pending.writable);
        EXPECT_EQ(devhost_chain_priv(chain), nullptr);
        devhost_chain_set_priv(chain, this);
        std::vector<uint8_t> seen;
        while (seen.size() < pending.request.size()) {
            const size_t left = pending.request.size() - seen.size();
            const size_t want = 1 + rng_() % left;
            size_t len = want;
            if (rng_() % 2 != 0) {
                seen.resize(seen.size() + want);
                EXPECT_EQ(devhost_chain_read(chain, &*seen.end() - want, want), 0);
            } else {
                const void *at = devhost_chain_span(chain, false, want, &len);
                EXPECT_NE(at, nullptr);
                EXPECT_LE(len, want);
                const auto *bytes = static_cast<const uint8_t *>(at);
                seen.insert(seen.end(), bytes, bytes + len);
            }
            EXPECT_EQ(devhost_chain_readable(chain), pending.request.size() - seen.size());
        }
        EXPECT_EQ(seen, pending.request);
        uint8_t byte = 0;
        EXPECT_EQ(devhost_chain_read(chain, &byte, 1), -EMSGSIZE);
        taken_.push_back(chain);
        return true;
    }

    /// Answer a chain with as much as comes to mind.
    void complete(size_t i)
    {
        devhost_chain *chain = taken_[i];
        taken_.erase(taken_.begin() + static_cast<ptrdiff_t>(i));
        const uint32_t total = rng_() % (devhost_chain_writable(chain) + 1);
        const auto seed = static_cast<uint8_t>(chain->id);
        for (uint32_t done = 0; done < total;) {
            const uint32_t want = 1 + rng_() % (total - done);
            size_t len = want;
            std::vector<uint8_t> bytes(want);
            for (uint32_t j = 0; j < want; j++) {
                bytes[j] = answer_byte(seed, done + j);
            }
            if (rng_() % 2 != 0) {
                EXPECT_EQ(devhost_chain_write(chain, bytes.data(), want), 0);
            } else {
                void *at = devhost_chain_span(chain, true, want, &len);
                ASSERT_NE(at, nullptr);
                std::memcpy(at, bytes.data(), len);
            }
            done += len;
        }
        EXPECT_EQ(chain->written, total);
        answered_[chain->id] = total;
        order_.push_back(chain->id);
        rig_.device->push(chain, total);
    }

    bool get()
    {
        const auto used = rig_.driver->get();
        if (!used) {
            return false;
        }
        // Used buffers come in the order in which they were completed.
        EXPECT_EQ(used->token, order_.front());
        order_.pop_front();
        EXPECT_EQ(used->len, answered_.at(used->token));
        const Pending &pending = pending_.at(used->token);
        size_t done = 0;
        for (const auto &segment : pending.buffer.in) {
            for (const uint8_t byte : rig_.guest.read(segment.addr, segment.len)) {
                const uint8_t expected = answer_byte(static_cast<uint8_t>(used->token), done);
                EXPECT_EQ(byte, done++ < used->len ? expected : byte);
            }
        }
        slabs_.push_back(pending.slab);
        pending_.erase(used->token);
        received_++;
        return true;
    }

    void run(uint32_t buffers, bool in_order)
    {
        while (received_ < buffers) {
            switch (rng_() % 8) {
            case 0:
            case 1:
                add();
                break;
            case 2:
                while (add()) {
                }
                break;
            case 3:
                take();
                break;
            case 4:
                while (take()) {
                }
                break;
            case 5:
                while (!taken_.empty() && rng_() % 16 != 0) {
                    complete(in_order ? 0 : rng_() % taken_.size());
                }
                break;
            case 6:
                while (get()) {
                }
                break;
            default:
                if (rng_() % 64 == 0) {
                    rig_.guest.remap();
                    rig_.device->map();
                } else if (rig_.driver->more()) {
                    get();
                }
                break;
            }
            if (HasFailure()) {
                return;
            }
        }
        while (take()) {
        }
        while (!taken_.empty()) {
            complete(0);
        }
        while (get()) {
        }
        EXPECT_TRUE(pending_.empty());
        const devhost_ring &ring = rig_.device->ring();
        EXPECT_EQ(rig_.driver->room(), GetParam().num);
        EXPECT_EQ(ring.inflight, 0U);
        EXPECT_EQ(ring.popped, received_);
        EXPECT_EQ(ring.pushed, received_);
        EXPECT_EQ(ring.malformed, 0U);
        EXPECT_EQ(ring.spans, 0U);
    }

    Rig rig_;
    std::mt19937 rng_{11};

private:
    std::vector<uint64_t> slabs_;
    std::map<uint16_t, Pending> pending_;
    std::vector<devhost_chain *> taken_;
    std::map<uint16_t, uint32_t> answered_;
    std::deque<uint16_t> order_;
    uint32_t received_ = 0;
};

TEST_P(Traffic, InOrder)
{
    run(3000, true);
}

TEST_P(Traffic, OutOfOrder)
{
    run(3000, false);
}

INSTANTIATE_TEST_SUITE_P(
    Split, Traffic,
    ::testing::Values(Config{false, false, false, 1, 0}, Config{false, true, true, 2, 65530},
                      Config{false, false, true, 8, 65000}, Config{false, true, false, 64, 64000},
                      Config{false, true, true, 256, 65535}, Config{false, false, true, 1024, 0}),
    [](const auto &info) { return name_of(info.param); });

INSTANTIATE_TEST_SUITE_P(
    Packed, Traffic,
    ::testing::Values(Config{true, false, false, 1, 0}, Config{true, true, true, 2, 3},
                      Config{true, true, false, 3, 0}, Config{true, false, true, 17, 20},
                      Config{true, true, true, 100, 99}, Config{true, true, true, 256, 0},
                      Config{true, false, true, 1000, 1999}, Config{true, true, true, 1024, 1024}),
    [](const auto &info) { return name_of(info.param); });

/// Far enough for each 16-bit index to wrap, with the simplest buffer.
class LongRun : public RingTest, public ::testing::WithParamInterface<Config> {};

TEST_P(LongRun, Wraps)
{
    Rig rig(GetParam());
    std::mt19937 rng{5};
    std::deque<devhost_chain *> taken;
    uint32_t added = 0;
    uint32_t received = 0;

    while (received < 200000) {
        for (uint32_t n = rng() % 8; n > 0; n--) {
            if (rig.driver->add({{{rig.data, 8}}, {}, 0})) {
                added++;
            }
        }
        for (uint32_t n = rng() % 8; n > 0; n--) {
            devhost_chain *chain = rig.device->pop();
            ASSERT_FALSE(is_err(chain));
            if (chain != nullptr) {
                taken.push_back(chain);
            }
        }
        for (uint32_t n = rng() % 8; n > 0 && !taken.empty(); n--) {
            rig.device->push(taken.front(), 0);
            taken.pop_front();
        }
        while (rig.driver->get()) {
            received++;
        }
    }
    EXPECT_EQ(rig.device->ring().popped, received + taken.size());
    EXPECT_GE(added, received);
}

INSTANTIATE_TEST_SUITE_P(Ring, LongRun,
                         ::testing::Values(Config{false, false, false, 4, 0},
                                           Config{false, false, false, 1024, 12345},
                                           Config{true, false, false, 1, 0},
                                           Config{true, false, false, 7, 0}),
                         [](const auto &info) { return name_of(info.param); });

} // namespace
