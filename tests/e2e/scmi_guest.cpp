// SPDX-License-Identifier: Apache-2.0
// A real guest: the SCMI drivers of the Linux kernel as they are, and an ordinary device that uses
// what they offer. What it does is looked at on the host's providers; another guest, played by the
// driver library, votes beside it.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "host.hpp"
#include "scmi.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

// What a shell command prints, without the last newline; throws where it fails.
std::string output(const std::string &command)
{
    FILE *pipe = popen(command.c_str(), "r");
    if (!pipe) {
        throw tap::Failure("no shell");
    }
    std::string text;
    std::array<char, 4096> part{};
    while (const size_t n = fread(part.data(), 1, part.size(), pipe)) {
        text.append(part.data(), n);
    }
    const int status = pclose(pipe);
    while (text.ends_with('\n') || text.ends_with('\r')) {
        text.pop_back();
    }
    if (status) {
        throw tap::Failure(command + ": status " + std::to_string(WEXITSTATUS(status)) + ": " +
                           text);
    }
    return text;
}

// Its kernel takes minutes to build: it is there when the suite or this program is asked for.
void need_kernel()
{
    if (!std::filesystem::exists("/usr/lib/devhost-bench/images/scmi/vmlinuz")) {
        SKIP("no guest kernel with SCMI: tests/run e2e/scmi-guest builds it");
    }
}

// A guest under QEMU, as long as this lives.
class Machine {
public:
    Machine(const std::string &node, RingKind ring)
    {
        shell("devhost-guest start scmi --image scmi --mem 64M --append "
              "\"fw_devlink=off loglevel=7\" --device " +
              node + (ring == RingKind::packed ? " --packed" : ""));
    }
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;
    ~Machine() { (void)!system("devhost-guest kill scmi >/dev/null 2>&1"); }

    std::string sh(const std::string &command)
    {
        return output("devhost-guest run scmi --timeout 60 -- sh -c '" + command + "' 2>&1");
    }
    void set(const std::string &file, unsigned long value)
    {
        sh("echo " + std::to_string(value) + " >" + consumer + file);
    }
    unsigned long get(const std::string &file) { return std::stoul(sh("cat " + consumer + file)); }
    // Drivers are bound when what they need has come.
    void await(const std::string &condition)
    {
        sh("for i in $(seq 100); do " + condition +
           " && exit 0; sleep 0.2; done; dmesg | tail -n 40; exit 1");
    }
    void kill() { shell("devhost-guest kill scmi"); }

    const std::string consumer = "/sys/bus/platform/devices/consumer/";
};

// The node that the product gives the VMM.
std::string node_of(const TestDevice &device)
{
    const std::string node = "/dev/devhost/" + device.guest() + "/" + device.name();
    for (int i = 0; i < 100 && !std::filesystem::exists(node); i++) {
        usleep(100000);
    }
    CHECK(std::filesystem::exists(node));
    return node;
}

DeviceParams second_params()
{
    DeviceParams params = scmi::params(everything());
    params.guest = "second";
    return params;
}

} // namespace

TEST_RINGS("a guest with the kernel's own SCMI drivers")
{
    tap::time_limit(600);
    need_kernel();
    calm();
    TestDevice device(params(everything(), ring));
    TestDevice other(second_params());
    ScmiGuest second(other.path(), with_ring(RingKind::split));
    second.bring_up();
    const uint64_t base_rate = knob("clk0/rate");

    Machine guest(node_of(device), ring);
    guest.await("test -e " + guest.consumer + "rate");
    tap::note(guest.sh("dmesg | grep \"SCMI Protocol\""));
    CHECK(guest.sh("dmesg").find("SCMI Protocol v2.1 'devhost:devhost'") != std::string::npos);

    // Exactly its clocks, with the host's rates.
    const std::string clocks = guest.sh("cd /sys/kernel/debug/clk; for c in */clk_rate; do "
                                        "echo ${c%/clk_rate}=$(cat $c); done");
    CHECK_EQ(clocks, "a-clock-with-a-name-that-is-long=" + std::to_string(knob("clk1/rate")) +
                         "\nclk0=" + std::to_string(base_rate) +
                         "\nclkfix=" + std::to_string(knob("clkfix/rate")));

    guest.set("rate", 48000000);
    CHECK_EQ(knob("clk0/rate"), 48000000U);
    guest.set("clock", 1);
    CHECK_EQ(knob("clk0/enabled"), 1U);

    // Another guest votes beside it.
    second.ok(clk, 0x5, {0, 0, 60000000, 0});
    CHECK_EQ(knob("clk0/rate"), 60000000U);
    CHECK_EQ(guest.get("rate"), 60000000U);
    guest.set("rate", 70000000);
    CHECK_EQ(knob("clk0/rate"), 70000000U);
    second.ok(clk, 0x7, {0, 1, 0});
    second.ok(clk, 0x7, {0, 0, 0});
    CHECK_EQ(knob("clk0/enabled"), 1U);

    guest.set("domain", 1);
    CHECK_EQ(knob("pd0/on"), 1U);
    guest.set("domain", 0);
    expect_knob("pd0/on", 0);
    guest.set("domain", 1);

    guest.set("perf", 200000);
    CHECK_EQ(knob("perf/rate"), 200000000U);

    const uint64_t asserts = knob("rst0/asserts");
    guest.set("reset", 1);
    CHECK_EQ(knob("rst0/asserts"), asserts + 1);
    CHECK_EQ(knob("rst0/asserted"), 0U);

    guest.set("uv", 900000);
    CHECK_EQ(knob("vdd0/uv"), 900000U);
    CHECK_EQ(guest.get("uv"), 900000U);
    guest.set("supply", 1);
    CHECK_EQ(knob("vdd0/on"), 1U);

    set_knob("zone/temp", 42500);
    set_knob("vbat/mv", 13800);
    CHECK_EQ(guest.sh("cat /sys/class/hwmon/*/temp1_input"), "42500");
    CHECK_EQ(guest.sh("cat /sys/class/hwmon/*/in0_input /sys/class/hwmon/*/in1_input 2>/dev/null; "
                      "true"),
             "13800");
    // It is told when a threshold is crossed.
    guest.set("trip", 50000);
    CHECK_EQ(guest.get("trip"), 0U);
    set_knob("zone/temp", 60000);
    guest.await("[ $(cat " + guest.consumer + "trip) = 1 ]");

    const ResourceInfo held = resource(device.control(), device.guest(), DEVHOST_SCMI_CLOCK, 0);
    CHECK(held.vote_on);
    CHECK_EQ(held.vote_level, 70000000U);

    // It dies, and nothing of what it wanted outlives it; the other's vote does.
    guest.kill();
    expect_knob("clk0/rate", 60000000);
    expect_knob("clk0/enabled", 0);
    expect_knob("pd0/on", 0);
    expect_knob("perf/rate", 100000000);
    expect_knob("vdd0/on", 0);
    expect_knob("vdd0/uv", 800000);
    second.reset();
    expect_knob("clk0/rate", base_rate);
}

TEST("a guest is told of a shutdown")
{
    tap::time_limit(600);
    need_kernel();
    calm();
    TestDevice device(params(everything()));
    Machine guest(node_of(device), RingKind::split);
    guest.await("test -e " + guest.consumer + "rate");
    CHECK_EQ(announce(device, 0, 1, 5000), 0);
    bool served = false;
    for (int i = 0; i < 100 && !served; i++) {
        usleep(200000);
        served = output("devhost-guest console scmi").find("Serving shutdown/reboot request") !=
                 std::string::npos;
    }
    CHECK(served);
}
