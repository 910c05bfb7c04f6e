// SPDX-License-Identifier: Apache-2.0
// bad-input 4.3: N3, a storm of kicks: other guests are served (bench/smp/storm
// tells how well), and the storm's cgroup pays for it.
#include <sys/stat.h>

#include <chrono>
#include <fstream>

#include "child.hpp"
#include "hostile.hpp"

using namespace dh;

namespace {

using steady = std::chrono::steady_clock;

} // namespace

TEST_RINGS("N3 kick storm: another guest is served all the while")
{
    TestDevice quiet(echo_params(ring));
    DeviceParams params = echo_params(ring);
    params.guest = "noisy";
    TestDevice noisy(params);
    EchoGuest g(quiet.path(), with_ring(ring));
    g.start();
    g.good();
    Child other([&](Child &me) {
        EchoGuest storm(noisy.path(), with_ring(ring));
        storm.start();
        storm.good();
        me.tell();
        for (;;) {
            storm.queue(ECHO_VQ_ECHO).kick();
        }
    });
    other.wait_told();
    const uint64_t before = noisy.stats().vqs[ECHO_VQ_ECHO].kicks;
    for (int i = 0; i < 2000; i++) {
        g.good();
    }
    CHECK(noisy.stats().vqs[ECHO_VQ_ECHO].kicks > before + 1000);
    other.kill();
    g.good();
}

TEST_RINGS("N3 kick storm: the cgroup's limit holds for the worker as well")
{
    tap::time_limit(1500);
    const std::string cgroup = "/sys/fs/cgroup/devhost-storm";
    mkdir(cgroup.c_str(), 0755);
    shell("echo +cpu > /sys/fs/cgroup/cgroup.subtree_control");
    {
        std::ofstream(cgroup + "/cpu.max") << "20000 100000";
        TestDevice device(echo_params(ring));
        Child vmm([&](Child &me) {
            std::ofstream(cgroup + "/cgroup.procs") << getpid();
            EchoGuest g(device.path(), with_ring(ring));
            g.start();
            me.tell();
            for (uint64_t b = g.alloc(64);;) {
                Used used{};
                if (g.queue(ECHO_VQ_ECHO).add({{b, 32, false}, {b + 32, 32, true}}) < 0) {
                    while (g.queue(ECHO_VQ_ECHO).take(used)) {
                    }
                }
                g.queue(ECHO_VQ_ECHO).kick();
            }
        });
        vmm.wait_told();
        const uint64_t before = read_field(cgroup + "/cpu.stat", "usage_usec");
        const auto begin = steady::now();
        sleep(5);
        const double seconds = std::chrono::duration<double>(steady::now() - begin).count();
        const double used =
            static_cast<double>(read_field(cgroup + "/cpu.stat", "usage_usec") - before) / 1e6;
        tap::note("used " + std::to_string(used) + " s of CPU in " + std::to_string(seconds) +
                  " s");
        CHECK(used > 0.05 * seconds);
        CHECK(used < 0.30 * seconds);
    }
    for (int tries = 0; tries < 100 && rmdir(cgroup.c_str()); tries++) {
        usleep(20000);
    }
}
