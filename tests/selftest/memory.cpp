// SPDX-License-Identifier: Apache-2.0
// bad-input 4.1: D14 to D16, and what else changes under the device's hands.
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "hostile.hpp"

using namespace dh;

namespace {

// Runs until the end of the scope.
template <typename F>
class Background {
public:
    explicit Background(F step)
        : thread_([this, step] {
              while (!stop_.load(std::memory_order_relaxed)) {
                  step();
              }
          })
    {
    }
    ~Background()
    {
        stop_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace

TEST_RINGS("D14 descriptors that change after the kick")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(8192);
    const uint64_t table = g.alloc(64);
    tap::time_limit(1500);

    for (int round = 0; round < 20; round++) {
        {
            std::atomic<uint32_t> seed = static_cast<uint32_t>(round);
            Background scribble([&] {
                std::minstd_rand random(++seed);
                // Length, address and flags of the table, as the device walks it.
                const unsigned slot = random() % 3;
                uint8_t *entry = g.at(table + slot * 16, 16);
                static constexpr uint64_t addrs[] = {0, ~uint64_t{0}, Guest::ram_base};
                switch (random() % 4) {
                case 0:
                    *reinterpret_cast<volatile uint32_t *>(entry + 8) =
                        static_cast<uint32_t>(random());
                    break;
                case 1:
                    *reinterpret_cast<volatile uint64_t *>(entry) = addrs[random() % 3];
                    break;
                case 2:
                    *reinterpret_cast<volatile uint32_t *>(entry + 12) =
                        static_cast<uint32_t>(random());
                    break;
                default:
                    g.table(table,
                            {{buffer, 64}, {buffer + 64, 64}, {buffer + 128, 128, write_flag}});
                }
            });
            for (int i = 0; i < 200; i++) {
                const uint16_t id = g.put({{table, 48, VRING_DESC_F_INDIRECT}});
                const Used used = g.queue(ECHO_VQ_ECHO).expect();
                CHECK_EQ(used.id, id);
                CHECK(used.length <= 128);
            }
        }
        g.good();
    }
    CHECK(!g.needs_reset());

    // And the ring's own entries and indices: the queue may break, no more.
    for (int round = 0; round < 10; round++) {
        {
            std::atomic<uint32_t> seed = static_cast<uint32_t>(round);
            uint8_t *ring_area = g.at(g.queue(ECHO_VQ_ECHO).desc_addr(), 4096);
            Background scribble([&] {
                std::minstd_rand random(++seed);
                ring_area[random() % 4096] = static_cast<uint8_t>(random());
            });
            for (int i = 0; i < 50; i++) {
                g.put({{buffer, 64}, {buffer + 64, 64, write_flag}});
                g.queue(ECHO_VQ_ECHO).kick();
                usleep(200);
            }
        }
        g.restart();
        g.good();
    }
}

TEST_RINGS("D15 device area read-only, or not mapped")
{
    for (uint8_t perm : {uint8_t{VHOST_ACCESS_RO}, uint8_t{0}}) {
        TwoRegions t(ring, VHOST_ACCESS_RO);
        Hostile &g = t.guest;
        g.set_owner();
        g.negotiate();
        g.map_memory();
        if (!perm) {
            t.unmap();
        }
        g.set_up_queues();
        Queue &q = g.queue(ECHO_VQ_ECHO);
        // Where the device writes: the used ring, or both event and entries.
        const uint64_t desc = ring == RingKind::packed ? TwoRegions::memory : q.desc_addr();
        must(g.vdpa().vring_addr(ECHO_VQ_ECHO, desc, q.driver_addr(), TwoRegions::memory + 65536),
             "ring in read-only memory");
        must(g.vdpa().set_status(g.vdpa().status() | VIRTIO_CONFIG_S_DRIVER_OK), "DRIVER_OK");
        q.kick();
        CHECK(g.wait_needs_reset());
        CHECK(!t.device.info().reason.empty());
        g.restart();
        g.good();
    }
}

TEST_RINGS("D15 the driver writes to the device's area")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    const uint64_t buffer = g.alloc(128);
    for (int round = 0; round < 20; round++) {
        Queue &q = g.queue(ECHO_VQ_ECHO);
        if (ring == RingKind::split) {
            SplitQueue &s = g.split(ECHO_VQ_ECHO);
            const uint16_t done = s.used().idx;
            s.used().idx = static_cast<uint16_t>(done + 1000 + round);
            memset(s.used().ring, 0xee, sizeof(vring_used_elem) * s.num());
            g.put({{buffer, 64}, {buffer + 64, 64, write_flag}});
            q.kick();
            // The device goes by its own count.
            for (int waited = 0; waited < 2000; waited++) {
                if (__atomic_load_n(&s.used().idx, __ATOMIC_ACQUIRE) ==
                    static_cast<uint16_t>(done + 1)) {
                    break;
                }
                usleep(1000);
            }
            CHECK_EQ(s.used().idx, static_cast<uint16_t>(done + 1));
            CHECK_EQ(q.expect().length, 64U);
        } else {
            g.packed(ECHO_VQ_ECHO).device_event() = {0xffff, 0xffff};
            q.kick();
        }
        g.good();
    }
}

TEST_RINGS("D16 buffer unmapped after it was submitted")
{
    TwoRegions t(ring);
    Hostile &g = t.guest;
    g.start();
    g.good();
    CHECK(g.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD).has_value());

    const uint64_t b = TwoRegions::memory;
    const uint64_t left = t.device.pinned() - TwoRegions::size;
    for (int round = 0; round < 10; round++) {
        const uint64_t near = g.alloc(64);
        for (int which = 0; which < 3; which++) {
            // Readable part, writable part, both.
            const uint64_t out = which == 1 ? near : b + 4096;
            const uint64_t in = which == 0 ? near : b + 8192;
            const uint16_t id = g.put({{out, 64}, {in, 64, write_flag}}, ECHO_VQ_LATE);
            while (g.count(100) != 1) {
                usleep(1000);
            }
            t.unmap();
            CHECK_EQ(t.device.pinned_down_to(left), left);
            CHECK_EQ(g.control(ECHO_OP_LATE_RELEASE).value_or(0), 1U);
            g.rejected(id, ECHO_VQ_LATE);
            g.good();
            g.map_memory();
        }
    }
    // Mapped again, it is served again; also with other memory behind it.
    const uint16_t id = g.put({{b, 64}, {b + 64, 64, write_flag}}, ECHO_VQ_LATE);
    while (g.count(100) != 1) {
        usleep(1000);
    }
    t.unmap();
    CHECK_EQ(t.device.pinned_down_to(left), left);
    g.memory().regions()[1].offset = 2 << 20;
    g.map_memory();
    memset(g.at(b, 64), 0x5c, 64);
    CHECK_EQ(g.control(ECHO_OP_LATE_RELEASE).value_or(0), 1U);
    const Used used = g.queue(ECHO_VQ_LATE).expect();
    CHECK_EQ(used.id, id);
    CHECK_EQ(used.length, 64U);
    CHECK_EQ(*g.at(b + 64), 0x5c);
    g.good();
}

TEST_RINGS("D16 remap and unmap under traffic")
{
    TwoRegions t(ring);
    Hostile &g = t.guest;
    g.start();
    g.good();
    tap::time_limit(1500);

    const unsigned wanted = tap::rounds(50, 3000);
    std::atomic<unsigned> remaps = 0;
    unsigned served = 0;
    unsigned refused = 0;
    {
        Background remap([&] {
            must(g.vdpa().unmap(TwoRegions::memory, 1 << 20), "unmap");
            if (remaps % 3) {
                usleep(300);
            }
            must(g.vdpa().map(TwoRegions::memory, g.memory().ram().data() + (3 << 20), 1 << 20,
                              VHOST_ACCESS_RW),
                 "map");
            remaps++;
            usleep(300);
        });
        const uint64_t near = g.alloc(4096);
        while (remaps < wanted) {
            const uint16_t id = g.put({{TwoRegions::memory, 2000},
                                       {near, 1000, write_flag},
                                       {TwoRegions::memory + 4096, 1000, write_flag}});
            const Used used = g.queue(ECHO_VQ_ECHO).expect();
            CHECK_EQ(used.id, id);
            CHECK(used.length == 2000 || used.length == 0);
            (used.length ? served : refused)++;
            g.good();
        }
    }
    tap::note(std::to_string(served) + " served, " + std::to_string(refused) + " refused, " +
              std::to_string(remaps) + " remaps");
    CHECK(served > 0);
    CHECK(!g.needs_reset());
    g.good();
}

TEST_RINGS("D16 rings remapped under traffic, then taken away")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    Region &ram = g.memory().regions()[0];
    // In one batch the device never sees the ring gone.
    std::atomic<unsigned> remaps = 0;
    {
        Background remap([&] {
            must(g.vdpa().batch_begin(), "batch begin");
            must(g.vdpa().unmap(ram.iova, ram.size), "unmap");
            must(g.vdpa().map(ram.iova, g.memory().ram().data(), ram.size, VHOST_ACCESS_RW), "map");
            must(g.vdpa().batch_end(), "batch end");
            remaps++;
            usleep(500);
        });
        while (remaps < 100) {
            g.good();
        }
    }
    CHECK(!g.needs_reset());
    g.memory().unmap(g.vdpa(), 0);
    g.queue(ECHO_VQ_ECHO).kick();
    CHECK(g.wait_needs_reset());
    CHECK_EQ(t.device.pinned(), 0U);
    g.restart();
    g.good();
}
