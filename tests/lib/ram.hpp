// SPDX-License-Identifier: Apache-2.0
// Guest memory: a memfd, and the addresses at which the device sees parts of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fd.hpp"
#include "vdpa.hpp"

namespace dh {

constexpr uint64_t page_size = 4096;

// The words in which a request names an address.
constexpr uint32_t low(uint64_t value)
{
    return static_cast<uint32_t>(value);
}

constexpr uint32_t high(uint64_t value)
{
    return static_cast<uint32_t>(value >> 32);
}

class Ram {
public:
    // @huge: asks for 2 MiB pages from the pool.
    explicit Ram(size_t bytes, bool huge = false);
    Ram(const Ram &) = delete;
    Ram &operator=(const Ram &) = delete;
    ~Ram();

    uint8_t *data() const { return data_; }
    size_t size() const { return size_; }
    int fd() const { return fd_.get(); }

private:
    Fd fd_;
    uint8_t *data_;
    size_t size_;
};

// A part of the guest's RAM in the device's address space.
struct Region {
    uint64_t iova;
    uint64_t size;
    uint64_t offset; // into the RAM
    uint8_t perm = VHOST_ACCESS_RW;
    bool mapped = false;
};

// RAM, its regions, and an allocator in the first region.
class GuestMemory {
public:
    explicit GuestMemory(size_t bytes, bool huge = false) : ram_(bytes, huge) {}

    Ram &ram() { return ram_; }
    std::vector<Region> &regions() { return regions_; }
    // Declares a region; map() tells the device. Regions may leave holes.
    Region &add(uint64_t iova, uint64_t size, uint64_t offset, uint8_t perm = VHOST_ACCESS_RW);

    // All regions, in one batch or one by one; in entries of @chunk bytes
    // (0: whole), with the pages behind them shuffled where @shuffle.
    void map_all(Vdpa &vdpa, bool batch, uint64_t chunk = 0);
    void unmap_all(Vdpa &vdpa);
    // One region, until the next map_all().
    void unmap(Vdpa &vdpa, size_t index);
    // The device that had the mappings is gone.
    void forget_maps();
    // Spreads the pages of the RAM so that no two neighbours are contiguous.
    // Before use and before map_all() only.
    void scatter();

    // Zeroed memory of the first region.
    uint64_t alloc(size_t bytes, size_t align = 16);
    void alloc_reset(uint64_t used) { next_ = used; }
    uint64_t allocated() const { return next_; }

    // Where the guest sees that address; throws where no region has it.
    uint8_t *at(uint64_t iova, size_t bytes = 1);
    template <typename T>
    T *as(uint64_t iova)
    {
        return reinterpret_cast<T *>(at(iova, sizeof(T)));
    }

private:
    Ram ram_;
    std::vector<Region> regions_;
    uint64_t next_ = 0;
};

} // namespace dh
