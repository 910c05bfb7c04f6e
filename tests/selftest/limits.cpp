// SPDX-License-Identifier: Apache-2.0
// bad-input 4.4: S9, limits of guest memory; and RAM in many pieces.
#include <sys/resource.h>

#include <cstring>
#include <fstream>
#include <system_error>

#include "child.hpp"
#include "hostile.hpp"

using namespace dh;

namespace {

uint64_t iotlb_limit()
{
    uint64_t limit = 0;
    std::ifstream("/sys/module/vhost_vdpa/parameters/max_iotlb_entries") >> limit;
    return limit;
}

} // namespace

TEST_RINGS("S9 memlock limit reached: refused, nothing left")
{
    TestDevice device(echo_params(ring));
    Child vmm([&](Child &) {
        const rlimit small{1 << 20, 1 << 20};
        setrlimit(RLIMIT_MEMLOCK, &small);
        EchoGuest g(device.path(), with_ring(ring));
        g.set_owner();
        for (int i = 0; i < 20; i++) {
            CHECK(g.vdpa().map(Guest::ram_base, g.memory().ram().data(), 4 << 20, VHOST_ACCESS_RW) <
                  0);
            CHECK_EQ(device.pinned(), 0U);
            CHECK_EQ(read_field("/proc/self/status", "VmPin"), 0U);
        }
        // Within the limit it works.
        must(g.vdpa().map(Guest::ram_base, g.memory().ram().data(), 512 << 10, VHOST_ACCESS_RW),
             "map");
        CHECK_EQ(device.pinned(), 512U << 10);
        must(g.vdpa().unmap(Guest::ram_base, 512 << 10), "unmap");
        CHECK_EQ(device.pinned(), 0U);
    });
    CHECK_EQ(vmm.join(), 0);
    EchoGuest g(device.path(), with_ring(ring));
    g.start();
    g.good();
}

TEST_RINGS("S9 guest memory is counted and given back")
{
    TestDevice device(echo_params(ring));
    {
        EchoGuest g(device.path(), with_ring(ring));
        CHECK_EQ(device.pinned(), 0U);
        g.start();
        g.good();
        CHECK_EQ(device.pinned(), g.setup().ram);
        CHECK_EQ(read_field("/proc/self/status", "VmPin"), g.setup().ram >> 10);
    }
    CHECK_EQ(device.pinned(), 0U);
}

TEST_RINGS("S9 overlapping maps, unmap of a part, of nothing, of everything")
{
    HostileFixture t(with_ring(ring));
    Vdpa &v = t.guest.vdpa();
    uint8_t *ram = t.guest.memory().ram().data();
    for (auto [iova, size] : {std::pair{Guest::ram_base, uint64_t{4096}},
                              {Guest::ram_base - 4096, uint64_t{8192}},
                              {Guest::ram_base + 4096, uint64_t{4 << 20}},
                              {uint64_t{0}, uint64_t{1} << 40}}) {
        CHECK(v.map(iova, ram, size, VHOST_ACCESS_RW) < 0);
    }
    // Wrong sizes and places.
    CHECK(v.map(0x10000, ram, 0, VHOST_ACCESS_RW) < 0);
    CHECK(v.map(~uint64_t{0} - 4095, ram, 8192, VHOST_ACCESS_RW) < 0);
    CHECK(v.map(0x10000, nullptr, 4096, VHOST_ACCESS_RW) < 0);
    CHECK(v.map(0x10000, reinterpret_cast<void *>(0xffff800000000000), 4096, VHOST_ACCESS_RW) < 0);
    t.guest.good();

    // One page of RAM at a time, and one of them away: only that one is gone.
    Ram other(64 << 10);
    const uint64_t at = 0x200000000;
    for (uint64_t i = 0; i < 16; i++) {
        must(v.map(at + i * 4096, other.data() + i * 4096, 4096, VHOST_ACCESS_RW), "map");
    }
    must(v.unmap(at + 5 * 4096, 4096), "unmap");
    const uint64_t left = t.guest.setup().ram + 15 * 4096;
    CHECK_EQ(t.device.pinned_down_to(left), left);
    const uint64_t buffer = t.guest.alloc(64);
    t.guest.put_rejected({{at + 5 * 4096, 16}, {buffer, 16, VRING_DESC_F_WRITE}});
    t.guest.put_rejected({{at + 5 * 4096 - 8, 16}, {buffer, 16, VRING_DESC_F_WRITE}});
    t.guest.put_served({{at + 6 * 4096, 16}, {buffer, 16, VRING_DESC_F_WRITE}}, 16);
    t.guest.put_served({{at + 4 * 4096 - 8, 16}, {buffer, 16, VRING_DESC_F_WRITE}}, 16);
    CHECK_EQ(t.device.pinned(), left);
    must(v.unmap(0x900000000, 4096), "unmap of nothing");
    must(v.unmap(at, 16 * 4096), "unmap");
    CHECK_EQ(t.device.pinned_down_to(t.guest.setup().ram), t.guest.setup().ram);
    t.guest.good();
    must(v.unmap(0, ~uint64_t{0}), "unmap of everything");
    CHECK_EQ(t.device.pinned_down_to(0), 0U);
    t.guest.memory().forget_maps();
    t.guest.restart();
    t.guest.good();
}

TEST_RINGS("S9 access rights of a region hold")
{
    TestDevice device(echo_params(ring));
    Hostile g(device.path(), with_ring(ring));
    constexpr uint64_t half = 2 << 20;
    g.memory().regions()[0].size = half;
    g.memory().add(0x80000000, 4096, half, VHOST_ACCESS_RO);
    g.memory().add(0x90000000, 4096, half + 4096, VHOST_ACCESS_WO);
    g.start();
    const uint64_t b = g.alloc(64);
    const uint16_t w = VRING_DESC_F_WRITE;
    g.put_served({{0x80000000, 32}, {b, 32, w}}, 32);
    g.put_served({{b, 32}, {0x90000000, 32, w}}, 32);
    g.put_rejected({{b, 32}, {0x80000000, 32, w}});
    g.put_rejected({{0x90000000, 32}, {b, 32, w}});
}

TEST_RINGS("S9 more IOTLB entries than the limit: refused, nothing left")
{
    const uint64_t limit = iotlb_limit();
    if (!limit || limit > 20000) {
        SKIP("max_iotlb_entries is " + std::to_string(limit) + ", too many to reach");
    }
    TestDevice device(echo_params(ring));
    {
        EchoGuest g(device.path(), with_ring(ring));
        g.set_owner();
        must(g.vdpa().batch_begin(), "batch");
        uint64_t n = 0;
        while (n <= limit + 1 && !g.vdpa().map(n * 8192, g.memory().ram().data() + n % 1024 * 4096,
                                               4096, VHOST_ACCESS_RW)) {
            n++;
        }
        CHECK_EQ(n, limit);
        g.vdpa().batch_end();
        CHECK_EQ(device.pinned(), limit * 4096);
    }
    CHECK_EQ(device.pinned(), 0U);
}

TEST_RINGS("fragmented RAM: 4096 pieces, one batch, traffic over all of them")
{
    if (iotlb_limit() < 4096) {
        FAIL("max_iotlb_entries is " + std::to_string(iotlb_limit()) +
             ": the package's modprobe.d/devhost.conf is to raise it");
    }
    tap::time_limit(1500);
    GuestSetup setup = with_ring(ring);
    setup.ram = 16 << 20;
    setup.scatter = true;
    TestDevice device(echo_params(ring));
    {
        Hostile g(device.path(), setup);
        g.start();
        g.good();
        CHECK_EQ(device.pinned(), setup.ram);
        for (uint64_t at = 1 << 20; at + 65536 < setup.ram; at += 200000) {
            const uint64_t from = Guest::ram_base + at;
            const uint64_t to = Guest::ram_base + ((at * 7) % (8 << 20)) + (1 << 20);
            if (to < from + 32768 && from < to + 32768) {
                continue;
            }
            for (unsigned i = 0; i < 32768; i++) {
                *g.at(from + i) = static_cast<uint8_t>(i + at);
            }
            g.put_served({{from, 32768}, {to, 32768, VRING_DESC_F_WRITE}}, 32768);
            CHECK(!memcmp(g.at(from, 32768), g.at(to, 32768), 32768));
        }
        // A chain of more pieces than the device takes is refused, no more.
        g.put_rejected({{Guest::ram_base, 12 << 20},
                        {Guest::ram_base + (12 << 20), 3 << 20},
                        {Guest::ram_base, 12 << 20},
                        {Guest::ram_base, 12 << 20}});
    }
    CHECK_EQ(device.pinned(), 0U);
}

TEST_RINGS("fragmented RAM: entry by entry, without a batch")
{
    GuestSetup setup = with_ring(ring);
    setup.ram = 2 << 20;
    setup.map_chunk = 4096;
    setup.map_batch = false;
    EchoFixture t(setup);
    t.guest.good();
    CHECK_EQ(t.device.pinned(), setup.ram);
}

TEST_RINGS("huge pages: one entry each, given back")
{
    shell("echo 8 > /proc/sys/vm/nr_hugepages");
    {
        GuestSetup setup = with_ring(ring);
        setup.huge = true;
        try {
            EchoFixture t(setup);
            t.guest.good();
            CHECK_EQ(t.device.pinned(), setup.ram);
        } catch (const std::system_error &error) {
            shell("echo 0 > /proc/sys/vm/nr_hugepages");
            SKIP(std::string("no huge pages here: ") + error.what());
        }
    }
    CHECK_EQ(read_field("/proc/meminfo", "HugePages_Free"),
             read_field("/proc/meminfo", "HugePages_Total"));
    shell("echo 0 > /proc/sys/vm/nr_hugepages");
}
