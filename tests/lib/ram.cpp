// SPDX-License-Identifier: Apache-2.0
#include "ram.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace dh {

Ram::Ram(size_t bytes, bool huge)
    : fd_(memfd_create("guest-ram", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0))), size_(bytes)
{
    if (!fd_ || ftruncate(fd_.get(), static_cast<off_t>(bytes))) {
        throw std::system_error(errno, std::generic_category(), "memfd for guest RAM");
    }
    void *where = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (where == MAP_FAILED) {
        throw std::system_error(errno, std::generic_category(), "mapping guest RAM");
    }
    data_ = static_cast<uint8_t *>(where);
}

Ram::~Ram()
{
    munmap(data_, size_);
}

Region &GuestMemory::add(uint64_t iova, uint64_t size, uint64_t offset, uint8_t perm)
{
    if (offset + size > ram_.size()) {
        throw std::invalid_argument("region beyond the RAM");
    }
    return regions_.emplace_back(Region{iova, size, offset, perm});
}

void GuestMemory::map_all(Vdpa &vdpa, bool batch, uint64_t chunk)
{
    if (batch) {
        must(vdpa.batch_begin(), "IOTLB batch begin");
    }
    for (Region &region : regions_) {
        if (region.mapped) {
            continue;
        }
        uint64_t step = chunk ? chunk : region.size;
        for (uint64_t done = 0; done < region.size; done += step) {
            must(vdpa.map(region.iova + done, ram_.data() + region.offset + done,
                          std::min(step, region.size - done), region.perm),
                 "IOTLB update");
        }
        region.mapped = true;
    }
    if (batch) {
        must(vdpa.batch_end(), "IOTLB batch end");
    }
}

void GuestMemory::unmap_all(Vdpa &vdpa)
{
    must(vdpa.batch_begin(), "IOTLB batch begin");
    for (Region &region : regions_) {
        if (region.mapped) {
            must(vdpa.unmap(region.iova, region.size), "IOTLB invalidate");
        }
        region.mapped = false;
    }
    must(vdpa.batch_end(), "IOTLB batch end");
}

void GuestMemory::unmap(Vdpa &vdpa, size_t index)
{
    Region &region = regions_.at(index);
    must(vdpa.unmap(region.iova, region.size), "unmap");
    region.mapped = false;
}

void GuestMemory::forget_maps()
{
    for (Region &region : regions_) {
        region.mapped = false;
    }
}

void GuestMemory::scatter()
{
    // Maps file page n at virtual page p(n), p(n) = n with even and odd halves
    // swapped end for end: whatever order the pages were allocated in, virtual
    // neighbours are not physical neighbours.
    const size_t pages = ram_.size() / page_size;
    for (size_t n = 0; n < pages; n++) {
        ram_.data()[n * page_size] = 0; // allocates in file order
    }
    for (size_t p = 0; p < pages; p++) {
        size_t n = p % 2 ? pages - p - (pages % 2 ? 1 : 0) : p;
        void *where = ram_.data() + p * page_size;
        if (mmap(where, page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram_.fd(),
                 static_cast<off_t>(n * page_size)) == MAP_FAILED) {
            throw std::system_error(errno, std::generic_category(), "scattering guest RAM");
        }
    }
}

uint64_t GuestMemory::alloc(size_t bytes, size_t align)
{
    const Region &region = regions_.at(0);
    uint64_t start = (region.iova + next_ + align - 1) & ~(uint64_t{align} - 1);
    if (start + bytes > region.iova + region.size) {
        throw std::runtime_error("guest RAM is used up: give the test more");
    }
    next_ = start + bytes - region.iova;
    memset(at(start, bytes), 0, bytes);
    return start;
}

uint8_t *GuestMemory::at(uint64_t iova, size_t bytes)
{
    for (const Region &region : regions_) {
        if (iova >= region.iova && iova - region.iova + bytes <= region.size) {
            return ram_.data() + region.offset + (iova - region.iova);
        }
    }
    throw std::out_of_range("no guest RAM at that address");
}

} // namespace dh
