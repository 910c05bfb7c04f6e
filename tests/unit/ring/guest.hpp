// SPDX-License-Identifier: Apache-2.0
// Guest memory for tests: what the core sees as struct devhost_map.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <vector>

extern "C" {
#include "mem.h"
#include "ring.h"
#include "shim.h"
// A parameter of it is called so.
#define class class_
#include <devhost/device.h>
#undef class
}

/// C has a function of the same name.
using RingState = struct devhost_ring_state;

enum class Perm : uint8_t { none = 0, read = 1, write = 2, both = 3 };

struct AlignedDelete {
    void operator()(uint8_t *mem) const { ::operator delete[](mem, std::align_val_t{64}); }
};

/// A piece of guest memory with an allocation of its own, so that the address
/// sanitizer sees each step beyond it.
struct Region {
    uint64_t iova = 0;
    size_t size = 0;
    Perm perm = Perm::both;
    std::unique_ptr<uint8_t[], AlignedDelete> mem;
    /// Instead, addresses that nothing may touch, for sizes beyond reason.
    uint8_t *nowhere = nullptr;

    [[nodiscard]] uint8_t *base() const { return nowhere != nullptr ? nowhere : mem.get(); }
};

/// Guest memory that remembers no translation, so that each is asked for.
struct GuestMap : devhost_map {
    GuestMap() : devhost_map{1, {}} { std::fill(std::begin(hit), std::end(hit), &nowhere); }

    static constexpr devhost_slot nowhere{};
    std::vector<Region> regions;
    uint64_t next = 0x10000;
    uint64_t spans = 0; // translations asked for
    /// Called at each translation, to act as the driver meanwhile.
    std::function<void()> meanwhile;
};

class Guest {
public:
    /// New memory right behind the last: a seam lies between them.
    uint64_t append(size_t size, Perm perm = Perm::both)
    {
        const uint64_t iova = map_.next;
        place(iova, size, perm);
        return iova;
    }

    /// New memory behind a hole, aligned as rings want it.
    uint64_t add(size_t size, Perm perm = Perm::both)
    {
        map_.next = (map_.next + 0x1fff) & ~uint64_t{0xfff};
        return append(size, perm);
    }

    /// Memory that is there for the core but has nothing behind it.
    void place_nowhere(uint64_t iova, size_t size, uint8_t *base)
    {
        map_.regions.push_back({iova, size, Perm::both, {}, base});
    }

    void place(uint64_t iova, size_t size, Perm perm = Perm::both)
    {
        auto *mem = static_cast<uint8_t *>(::operator new[](size, std::align_val_t{64}));
        std::memset(mem, 0, size);
        Region region{iova, size, perm, {}, nullptr};
        region.mem.reset(mem);
        map_.regions.push_back(std::move(region));
        map_.next = iova + size;
    }

    /// A new snapshot in which all memory lies elsewhere for the kernel.
    void remap()
    {
        for (auto &region : map_.regions) {
            auto *mem = static_cast<uint8_t *>(::operator new[](region.size, std::align_val_t{64}));
            std::memcpy(mem, region.mem.get(), region.size);
            region.mem.reset(mem);
        }
        map_.generation++;
    }

    /// A new snapshot in which the region at @iova allows something else.
    void set_perm(uint64_t iova, Perm perm)
    {
        find(iova).perm = perm;
        map_.generation++;
    }

    Region &find(uint64_t iova)
    {
        for (auto &region : map_.regions) {
            if (iova >= region.iova && iova - region.iova < region.size) {
                return region;
            }
        }
        throw std::out_of_range("no such guest memory");
    }

    /// Where the driver itself sees the memory.
    uint8_t *host(uint64_t iova)
    {
        Region &region = find(iova);
        return region.mem.get() + (iova - region.iova);
    }

    void write(uint64_t iova, std::span<const uint8_t> data)
    {
        for (const uint8_t byte : data) {
            *host(iova++) = byte;
        }
    }

    std::vector<uint8_t> read(uint64_t iova, size_t len)
    {
        std::vector<uint8_t> data(len);
        for (auto &byte : data) {
            byte = *host(iova++);
        }
        return data;
    }

    GuestMap *map() { return &map_; }

private:
    GuestMap map_;
};
