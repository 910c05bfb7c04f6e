// SPDX-License-Identifier: Apache-2.0
// Guest RAM of the size that was asked for, mapped as VMMs do.
#include <sys/mman.h>
#include <sys/resource.h>

#include "node.hpp"

namespace dh::vdpa_check {

namespace {

std::string mebibytes(uint64_t bytes)
{
    return std::to_string(bytes >> 20) + " MiB";
}

// VHOST's answer is EFAULT, whatever the reason.
std::string why_not(size_t bytes)
{
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur < bytes) {
        return mebibytes(bytes) + " of guest RAM cannot be mapped: RLIMIT_MEMLOCK is " +
               mebibytes(limit.rlim_cur) + ", and must have room for the RAM once a device";
    }
    return mebibytes(bytes) + " of guest RAM cannot be mapped, though RLIMIT_MEMLOCK has room: "
                              "the host may be short of memory, or vhost_vdpa.max_iotlb_entries "
                              "of entries (huge pages take fewer)";
}

Vdpa for_memory()
{
    Vdpa vdpa = own_node();
    must(vdpa.set_backend_features(vdpa.backend_features() & (bit(VHOST_BACKEND_F_IOTLB_MSG_V2) |
                                                              bit(VHOST_BACKEND_F_IOTLB_BATCH))),
         "VHOST_SET_BACKEND_FEATURES");
    return vdpa;
}

void map(Vdpa &vdpa, GuestMemory &memory, bool batch, uint64_t chunk)
{
    try {
        memory.map_all(vdpa, batch, chunk);
    } catch (const tap::Failure &) {
        FAIL(why_not(memory.ram().size()));
    }
}

} // namespace

TEST("guest RAM is mapped, unmapped and mapped in pieces")
{
    GuestMemory memory(subject().memory);
    memory.add(Guest::ram_base, subject().memory, 0);
    Vdpa vdpa = for_memory();
    const bool batch = vdpa.backend_features() & bit(VHOST_BACKEND_F_IOTLB_BATCH);
    map(vdpa, memory, batch, 0);
    memory.unmap_all(vdpa);
    map(vdpa, memory, batch, subject().memory / 4);
    CHECK(!(vdpa.status() & VIRTIO_CONFIG_S_NEEDS_RESET));
}

TEST("an address is mapped once")
{
    GuestMemory memory(4 * page_size);
    memory.add(Guest::ram_base, 4 * page_size, 0);
    Vdpa vdpa = for_memory();
    map(vdpa, memory, false, 0);
    CHECK(vdpa.map(Guest::ram_base + page_size, memory.ram().data(), page_size, VHOST_ACCESS_RW) <
          0);
    must(vdpa.unmap(Guest::ram_base, 4 * page_size), "unmapping");
    must(vdpa.map(Guest::ram_base + page_size, memory.ram().data(), page_size, VHOST_ACCESS_RW),
         "mapping again");
}

TEST("what the VMM itself may not use is not mapped")
{
    Vdpa vdpa = for_memory();
    void *page = mmap(nullptr, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    const int result = vdpa.map(Guest::ram_base, page, page_size, VHOST_ACCESS_RW);
    munmap(page, page_size);
    CHECK(result < 0);
    CHECK(vdpa.map(Guest::ram_base, nullptr, 0, VHOST_ACCESS_RW) < 0);
}

} // namespace dh::vdpa_check
