// SPDX-License-Identifier: Apache-2.0
// What lasts longer than a pass of the worker: requests that sleep on helper
// threads, and guest memory that a module holds.
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "hostile.hpp"

using namespace dh;

namespace {

using Clock = std::chrono::steady_clock;

long since_ms(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

// Whether the device soon has that many requests of the control queue, in all.
bool taken(TestDevice &device, uint64_t requests)
{
    return within(5000, [&] { return device.stats().vqs[ECHO_VQ_CONTROL].popped >= requests; });
}

// Whether soon that many of them sleep, or have slept: on a helper.
bool asleep(TestDevice &device, uint64_t requests)
{
    return within(5000, [&] { return device.stats().counters.at("begun") >= requests; });
}

struct Sleeper {
    uint64_t out;
    uint64_t in;
};

// A request on the control queue that takes @ms.
Sleeper sleep_request(Hostile &g, uint32_t ms)
{
    const Sleeper s{g.alloc(sizeof(echo_control_out)), g.alloc(sizeof(echo_control_in))};
    *g.as<echo_control_out>(s.out) = {ECHO_OP_SLEEP, {ms, 0, 0}};
    *g.as<echo_control_in>(s.in) = {0xffffffff, 0, 0};
    CHECK(g.queue(ECHO_VQ_CONTROL)
              .add({{s.out, sizeof(echo_control_out), false},
                    {s.in, sizeof(echo_control_in), true}}) >= 0);
    g.queue(ECHO_VQ_CONTROL).kick_if_wanted();
    return s;
}

struct Held : TwoRegions {
    explicit Held(RingKind ring) : TwoRegions(ring) { guest.start(); }
};

} // namespace

TEST_RINGS("helpers: a request that sleeps holds up nobody")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    constexpr uint32_t length = 5000; // the others may take that long on a slow machine
    const auto start = Clock::now();
    const Sleeper s = sleep_request(g, length);
    for (int i = 0; i < 20; i++) {
        g.good();
    }
    CHECK(since_ms(start) < length);
    CHECK(!g.queue(ECHO_VQ_CONTROL).ready());
    g.queue(ECHO_VQ_CONTROL).expect();
    CHECK(since_ms(start) >= length);
    CHECK_EQ(g.as<echo_control_in>(s.in)->value, length);
}

TEST("helpers: bounded in number, and in the cgroup of the VMM")
{
    // This process, the VMM, in a cgroup of its own until the end of the test.
    struct Cgroup {
        Cgroup()
        {
            shell("mkdir -p " + path + " && echo " + std::to_string(getpid()) + " > " + path +
                  "/cgroup.procs");
        }
        ~Cgroup()
        {
            shell("echo " + std::to_string(getpid()) + " > " + home + "/cgroup.procs");
            // A thread that ends leaves its cgroup when it is reaped.
            shell("for i in $(seq 50); do rmdir " + path +
                  " && exit; sleep 0.1; done 2>/dev/null; rmdir " + path);
        }
        const std::string path = "/sys/fs/cgroup/dh-helpers";
        // The line is 0::/name
        const std::string home = [] {
            const std::string line = read_file("/proc/self/cgroup");
            return "/sys/fs/cgroup" + line.substr(3, line.size() - 4);
        }();
    } cgroup;
    HostileFixture t(with_ring(RingKind::split));
    Hostile &g = t.guest;
    for (int i = 0; i < 40; i++) {
        sleep_request(g, 200);
    }
    // They come one by one: to change a cgroup takes its time.
    std::vector<std::string> pids;
    within(5000, [&] { return (pids = t.device.helpers()).size() >= 4; });
    CHECK_EQ(pids.size(), 4U);
    // A thread has its name before it is moved, and is moved before it does anything.
    for (const std::string &pid : pids) {
        const std::string file = "/proc/" + pid + "/cgroup";
        CHECK(within(5000, [&] { return read_file(file) == "0::/dh-helpers\n"; }));
    }
    for (int i = 0; i < 40; i++) {
        g.queue(ECHO_VQ_CONTROL).expect();
    }
    CHECK_EQ(g.count(ECHO_COUNT_SLEPT), 40U);
    g.vdpa().set_status(0);
    CHECK(within(5000, [&] { return t.device.helpers().empty(); }));
}

TEST("helpers: more than may be under way wait in the queue")
{
    HostileFixture t(with_ring(RingKind::split));
    Hostile &g = t.guest;
    // As many as the ring takes, all at once, twice.
    for (int round = 0; round < 2; round++) {
        g.recycle();
        unsigned sent = 0;
        for (; g.queue(ECHO_VQ_CONTROL).free_slots() >= 2; sent++) {
            sleep_request(g, 10);
        }
        for (unsigned i = 0; i < sent; i++) {
            g.queue(ECHO_VQ_CONTROL).expect();
        }
    }
    g.good();
}

TEST_RINGS("helpers: reset does not wait for who sleeps, and nothing comes after it")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    constexpr uint32_t length = 5000;
    const auto start = Clock::now();
    for (int i = 0; i < 10; i++) {
        sleep_request(g, length);
    }
    CHECK(taken(t.device, 10));
    CHECK(asleep(t.device, 4));
    g.restart();
    CHECK(since_ms(start) < length); // none of them has ended yet
    g.good();
    CHECK(within(4 * length, [&] { return g.count(ECHO_COUNT_DROPPED) >= 10; }));
    CHECK_EQ(g.count(ECHO_COUNT_DROPPED), 10U);
    CHECK(within(5000, [&] { return t.device.helpers().empty(); }));
    CHECK(!g.queue(ECHO_VQ_CONTROL).ready());
    g.good();
}

TEST_RINGS("helpers: suspend answers who sleeps")
{
    HostileFixture t(with_ring(ring));
    Hostile &g = t.guest;
    for (int i = 0; i < 6; i++) {
        sleep_request(g, 300);
    }
    CHECK(taken(t.device, 6));
    must(g.vdpa().suspend(), "suspend");
    for (int i = 0; i < 6; i++) {
        g.queue(ECHO_VQ_CONTROL).expect();
    }
    must(g.vdpa().resume(), "resume");
    g.good();
}

TEST("helpers: removal waits for who sleeps")
{
    auto t = std::make_unique<HostileFixture>(with_ring(RingKind::split));
    const auto start = Clock::now();
    sleep_request(t->guest, 1500);
    // One that no helper has begun is not waited for.
    CHECK(asleep(t->device, 1));
    t.reset();
    CHECK(since_ms(start) >= 1500);
}

TEST_RINGS("held memory: lost once when it is unmapped, its pages stay")
{
    Held t(ring);
    Hostile &g = t.guest;
    memset(g.at(Held::memory + 4000, 200), 0x5a, 200);
    CHECK(t.hold(Held::memory + 4000, 200));
    CHECK_EQ(*g.control(ECHO_OP_HELD, 100), 0x5a5a5a5a5a5a5a5aU);

    t.unmap();
    CHECK_EQ(t.lost(1), 1U);
    CHECK_EQ(*g.control(ECHO_OP_HELD, 100), 0x5a5a5a5a5a5a5a5aU);
    // At least the piece of RAM that it is in, and that as long as it is held.
    const uint64_t held = t.device.pinned();
    g.map_memory();
    usleep(50000);
    CHECK_EQ(g.count(ECHO_COUNT_LOST), 1U);

    CHECK(g.control(ECHO_OP_PUT).has_value());
    t.unmap();
    CHECK(t.device.pinned_down_to(held - 1) < held);
    g.good();
}

TEST_RINGS("held memory: what else is unmapped does not matter")
{
    Held t(ring);
    Hostile &g = t.guest;
    CHECK(t.hold(Guest::ram_base + 4096, 65536));
    for (int i = 0; i < 20; i++) {
        t.unmap();
        g.map_memory();
    }
    g.good();
    CHECK_EQ(g.count(ECHO_COUNT_LOST), 0U);
}

TEST_RINGS("held memory: reset lets go of it")
{
    Held t(ring);
    Hostile &g = t.guest;
    CHECK(t.hold(Held::memory, Held::size));
    t.unmap();
    const uint64_t left = t.device.pinned() - Held::size;
    g.restart();
    t.unmap();
    CHECK(t.device.pinned_down_to(left) <= left);
    g.good();
}

TEST_RINGS("held memory: only what the guest may use")
{
    Held t(ring);
    Hostile &g = t.guest;
    CHECK(!t.hold(0, 4096));
    CHECK(!t.hold(Held::memory, 0));
    CHECK(!t.hold(Held::memory + Held::size - 4096, 8192));
    CHECK(!t.hold(~uint64_t{0} - 4095, 4096));
    CHECK(!t.hold(Held::memory, 0xffffffff));
    CHECK(t.hold(Held::memory + Held::size - 4096, 4096));
    g.good();
}
