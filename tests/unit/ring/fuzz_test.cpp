// SPDX-License-Identifier: Apache-2.0
// Guest memory that says anything. Whatever it is, the ring ends each call,
// returns what it took and touches nothing but what it may (the sanitizers
// see to that). The seeds are fixed: a failure can be repeated.
#include "rig.hpp"

#include <set>

namespace {

class Fuzz : public RingTest, public ::testing::WithParamInterface<Config> {
protected:
    Fuzz() : rig_(GetParam())
    {
        // Memory of all kinds, with seams and holes.
        areas_ = {rig_.driver->desc_iova, rig_.driver->driver_iova, rig_.driver->device_iova};
        for (int i = 0; i < 12; i++) {
            const auto perm = static_cast<Perm>(i % 4 == 0 ? 1 + rng_() % 3 : 3);
            const size_t size = 16 + rng_() % 600;
            areas_.push_back(rng_() % 3 != 0 ? rig_.guest.append(size, perm)
                                             : rig_.guest.add(size, perm));
        }
        fill_memory();
    }

    uint64_t pick(std::initializer_list<uint64_t> values)
    {
        return *(values.begin() + rng_() % values.size());
    }

    uint64_t address()
    {
        const uint64_t area = areas_[rng_() % areas_.size()];
        return rng_() % 8 != 0 ? area + rng_() % 64
                               : pick({0, ~uint64_t{0}, area - 1, rng_(), uint64_t{rng_()} << 32});
    }

    RawDesc descriptor()
    {
        const uint16_t num = GetParam().num;
        const auto index = static_cast<uint16_t>(
            rng_() % 16 != 0 ? rng_() % num : pick({num, 0xffff, uint64_t{num} + 1U, rng_()}));
        const auto len = static_cast<uint32_t>(
            rng_() % 8 != 0 ? 1 + rng_() % 64
                            : pick({0, 16, 32, 16U * num, 16U * num + 16U, 0xffffffff, rng_()}));
        auto flags = static_cast<uint16_t>(
            pick({0, 0, 0, desc_next, desc_next, desc_write, desc_write | desc_next, desc_indirect,
                  desc_indirect | desc_next, rng_() & 7}));
        if (!GetParam().packed) {
            return {address(), len, flags, index};
        }
        flags |= static_cast<uint16_t>(
            pick({desc_avail, desc_avail, desc_used, desc_used, 0, desc_avail | desc_used}));
        return {address(), len, index, flags};
    }

    /// Descriptors everywhere: each place may be taken for a table.
    void fill_memory()
    {
        for (auto &region : rig_.guest.map()->regions) {
            for (uint64_t at = 0; at + 16 <= region.size; at += 16) {
                rig_.driver->put(region.iova + at, 0, descriptor());
            }
        }
    }

    void mutate()
    {
        const uint16_t num = GetParam().num;
        switch (rng_() % 8) {
        case 0: // a byte anywhere
        {
            auto &region = rig_.guest.find(areas_[rng_() % areas_.size()]);
            region.mem[rng_() % region.size] = rng_();
            break;
        }
        case 1:
            rig_.guest.remap();
            break;
        case 2:
            rig_.guest.set_perm(areas_[3 + rng_() % (areas_.size() - 3)],
                                static_cast<Perm>(rng_() % 4));
            break;
        case 3:
        case 4: // more is available
            if (GetParam().packed) {
                offer();
            } else {
                auto &split = rig_.split();
                const auto head = static_cast<uint16_t>(rng_() % 64 != 0 ? rng_() % num : rng_());
                split.push_head(head);
            }
            break;
        case 5:
            if (!GetParam().packed && rng_() % 16 == 0) {
                rig_.split().set_avail_idx(
                    static_cast<uint16_t>(rig_.split().avail_idx() + rng_() % (num + 2)));
            }
            break;
        default:
            rig_.driver->put(rig_.driver->desc_iova, rng_() % num, descriptor());
            break;
        }
    }

    /// A chain at the place where the device looks next.
    void offer()
    {
        const RingState state = rig_.device->state();
        uint32_t index = state.avail;
        bool wrap = state.avail_wrap;
        for (uint32_t n = 1 + rng_() % 4; n > 0; n--) {
            RawDesc desc = descriptor();
            desc.b &= ~(desc_avail | desc_used);
            if (n == 1 && rng_() % 16 != 0) {
                desc.b &= ~desc_next;
            } else if (n > 1 && rng_() % 16 != 0) {
                desc.b |= desc_next;
            }
            desc.b |= wrap ? desc_avail : desc_used;
            rig_.driver->put(rig_.driver->desc_iova, index, desc);
            if (++index == GetParam().num) {
                index = 0;
                wrap = !wrap;
            }
        }
    }

    void reset()
    {
        taken_.clear();
        rig_.device.reset();
        rig_.device.emplace(rig_.guest, *rig_.driver, GetParam(), RingState{0, 0, true, true});
        if (!GetParam().packed) {
            rig_.split().set_avail_idx(0);
        }
        resets_++;
    }

    /// As a device module would, with whatever is there.
    void use(devhost_chain *chain)
    {
        std::vector<uint8_t> bytes(1 + rng_() % 200);
        size_t len = 0;

        for (int i = 0; i < 4; i++) {
            const size_t want = rng_() % bytes.size();
            switch (rng_() % 3) {
            case 0:
                if (devhost_chain_read(chain, bytes.data(), want) == -EMSGSIZE) {
                    ASSERT_LT(devhost_chain_readable(chain), want);
                }
                break;
            case 1:
                if (devhost_chain_write(chain, bytes.data(), want) == -EMSGSIZE) {
                    ASSERT_LT(devhost_chain_writable(chain), want);
                }
                break;
            default: {
                const bool write = rng_() % 2 != 0;
                void *at = devhost_chain_span(chain, write, want, &len);
                ASSERT_LE(len, want);
                ASSERT_EQ(at == nullptr, len == 0);
                if (write && at != nullptr) {
                    std::memset(at, 0x55, len);
                } else if (at != nullptr) {
                    std::memcpy(bytes.data(), at, len);
                }
                break;
            }
            }
        }
    }

    void step()
    {
        mutate();
        rig_.device->map();
        switch (rng_() % 6) {
        case 0:
        case 1: {
            const uint64_t before = rig_.guest.map()->spans;
            devhost_chain *chain = rig_.device->pop();
            // Work is bounded: by the ring, and for one chain by its tables.
            ASSERT_LE(rig_.guest.map()->spans - before,
                      2 * uint64_t{GetParam().num} * 16 + 2 * DEVHOST_CHAIN_SPANS_MAX);
            if (is_err(chain)) {
                errors_++;
                ASSERT_TRUE(is_err(rig_.device->pop()));
                reset();
                return;
            }
            if (chain == nullptr) {
                break;
            }
            ASSERT_LT(chain->id, GetParam().num);
            ASSERT_TRUE(ids_.insert(chain->id).second) << "given out twice";
            if (rng_() % 8 == 0) {
                rig_.device->unpop(chain);
                ids_.erase(chain->id);
                break;
            }
            popped_++;
            use(chain);
            taken_.push_back(chain);
            break;
        }
        case 2:
            if (!taken_.empty()) {
                use(taken_[rng_() % taken_.size()]);
            }
            break;
        case 3:
            while (!taken_.empty() && rng_() % 4 != 0) {
                const size_t i = rng_() % taken_.size();
                ids_.erase(taken_[i]->id);
                rig_.device->push(taken_[i], taken_[i]->written);
                taken_.erase(taken_.begin() + static_cast<ptrdiff_t>(i));
            }
            break;
        case 4:
            rig_.device->notify();
            break;
        default:
            if (rng_() % 2 != 0) {
                rig_.device->enable_kick();
            } else {
                rig_.device->disable_kick();
            }
            break;
        }
        if (taken_.empty()) {
            ids_.clear();
        }
        const devhost_ring &ring = rig_.device->ring();
        ASSERT_EQ(ring.inflight, taken_.size());
        // No head is lost: each one taken is with the device or was returned.
        ASSERT_EQ(ring.popped - ring.pushed, ring.inflight);
        malformed_ += ring.malformed - last_malformed_;
        last_malformed_ = ring.malformed;
    }

    Rig rig_;
    std::mt19937 rng_{GetParam().num * 4U + (GetParam().packed ? 1U : 0U)};
    std::vector<uint64_t> areas_;
    std::vector<devhost_chain *> taken_;
    std::set<uint16_t> ids_;
    uint64_t popped_ = 0;
    uint64_t errors_ = 0;
    uint64_t resets_ = 0;
    uint64_t malformed_ = 0;
    uint64_t last_malformed_ = 0;
};

TEST_P(Fuzz, Anything)
{
    for (int i = 0; i < 150000; i++) {
        const uint64_t resets = resets_;
        step();
        if (resets_ != resets) {
            ids_.clear();
            last_malformed_ = 0;
        }
        if (i % 5000 == 0) {
            fill_memory();
        }
        if (HasFatalFailure()) {
            FAIL() << "at step " << i;
        }
    }
    // It got everywhere.
    EXPECT_GT(popped_, 500U);
    EXPECT_GT(malformed_, 500U);
    EXPECT_GT(errors_, 20U);
}

INSTANTIATE_TEST_SUITE_P(
    Ring, Fuzz,
    ::testing::Values(Config{false, false, true, 4, 0}, Config{false, true, true, 16, 0},
                      Config{false, true, false, 64, 0}, Config{true, false, true, 5, 0},
                      Config{true, true, true, 16, 0}, Config{true, true, false, 61, 0}),
    [](const auto &info) { return name_of(info.param); });

} // namespace
