// SPDX-License-Identifier: Apache-2.0
//
// devhostctl as people and scripts call it.
#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <sys/select.h>
#include <sys/wait.h>

#include "bus_fixture.hpp"

namespace devhost::test {
namespace {

struct Result {
    int status;
    std::string output; // and errors
};

class Ctl : public BusFixture {
protected:
    Result ctl(const std::string &arguments)
    {
        const std::string command = "DBUS_SYSTEM_BUS_ADDRESS='" + bus.address() +
                                    "' " DEVHOSTCTL " " + arguments + " 2>&1 </dev/null";
        Result result{.status = -1, .output = {}};
        FILE *pipe = popen(command.c_str(), "r");
        std::array<char, 4096> buffer{};
        std::size_t count = 0;
        while ((count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
            result.output.append(buffer.data(), count);
        }
        result.status = WEXITSTATUS(pclose(pipe));
        return result;
    }

    std::string write_file(const std::string &name, const std::string &text)
    {
        const std::string path = machine.directory.path() / name;
        std::ofstream(path) << text;
        return path;
    }
};

bool has(const Result &result, const std::string &text)
{
    return result.output.find(text) != std::string::npos;
}

TEST_F(Ctl, FromCreationToRemoval)
{
    EXPECT_EQ(ctl("create ivi worker.cpus=[0,1] unit=vm@ivi.service").status, 0);
    const Result created = ctl("create ivi/can0 can interface=can0 ring=split bitrate=500000");
    EXPECT_EQ(created.status, 0) << created.output;
    const Result status = ctl("");
    EXPECT_EQ(status.status, 0);
    EXPECT_TRUE(has(status, "ivi/can0  can    idle   can0")) << status.output;
    const Result show = ctl("show ivi");
    EXPECT_TRUE(has(show, "Unit: vm@ivi.service\n")) << show.output;
    EXPECT_TRUE(has(show, "  cpus: 0 1\n")) << show.output;
    const Result device = ctl("show ivi/can0");
    EXPECT_TRUE(has(device, "  bitrate: 500000\n")) << device.output;
    EXPECT_EQ(ctl("set ivi/can0 bitrate=250000").status, 0);
    EXPECT_TRUE(has(ctl("show ivi/can0"), "  bitrate: 250000\n"));
    EXPECT_TRUE(has(ctl("stats ivi/can0"), "counter.rx_dropped: 3\n"));
    EXPECT_EQ(ctl("remove ivi/can0").status, 0);
    EXPECT_EQ(ctl("remove ivi").status, 0);
    EXPECT_EQ(ctl("list guests").output, "GUEST  DEVICES  POLICY  USER  FILE\n");
}

TEST_F(Ctl, Limits)
{
    EXPECT_EQ(ctl("create ivi limits.devices=2").status, 0);
    EXPECT_TRUE(has(ctl("show ivi"), "Limits:\n  devices: 2\n")) << ctl("show ivi").output;
    EXPECT_EQ(ctl("limits ivi memory=65536 in_flight=8").status, 0);
    EXPECT_EQ(ctl("limits ivi").output, "InUse:\n  devices: 0\nLimits:\n  in_flight: 8\n"
                                        "  memory: 65536\n");
    EXPECT_TRUE(has(ctl("stats ivi"), "use.devices: 0\n"));
    const Result refused = ctl("limits ivi ring_size=48");
    EXPECT_EQ(refused.status, 1);
    EXPECT_TRUE(has(refused, "ring_size must be a power of two")) << refused.output;
    EXPECT_EQ(ctl("limits ivi none").status, 0);
    EXPECT_FALSE(has(ctl("limits ivi"), "memory"));
}

TEST_F(Ctl, JsonIsOneValue)
{
    make_guest();
    const Result list = ctl("--json list devices");
    EXPECT_TRUE(list.output.starts_with("[{\"Backend\":{")) << list.output;
    EXPECT_TRUE(list.output.ends_with("}]\n"));
    EXPECT_TRUE(has(list, "\"FeaturesMask\":\"0xffffffffffffffff\""));
    EXPECT_TRUE(has(ctl("status --json"), "\"ConfigProblems\":[]"));
    EXPECT_TRUE(has(ctl("stats ivi --json"), "\"pinned\":0"));
}

TEST_F(Ctl, Policy)
{
    make_guest();
    const std::string file = write_file("p.toml", "[policy.can.transmit]\ndefault = \"deny\"\n"
                                                  "[[policy.can.transmit.rule]]\n"
                                                  "name = \"speed\"\nverdict = \"allow\"\n");
    EXPECT_EQ(ctl("policy check " + file).status, 0);
    const Result set = ctl("policy set ivi " + file);
    EXPECT_EQ(set.status, 0) << set.output;
    EXPECT_TRUE(has(ctl("policy show ivi"), "Active: true\n"));
    EXPECT_TRUE(has(ctl("policy counters ivi"), "can.transmit  0               speed  10      0\n"))
        << ctl("policy counters ivi").output;
    EXPECT_TRUE(has(ctl("policy counters ivi --json"), "\"name\":\"speed\",\"passed\":10"));
    EXPECT_EQ(ctl("policy clear ivi").status, 0);
    EXPECT_TRUE(has(ctl("policy show ivi"), "Active: false\n"));
    EXPECT_EQ(ctl("policy counters ivi").status, 1);
    // A file that has nothing but the policy is good too, a wrong one is named with its line.
    EXPECT_EQ(ctl("policy set ivi " + write_file("q.toml", "[can.receive]\ndefault = \"allow\"\n"))
                  .status,
              0);
    const std::string bad = write_file("bad.toml", "\n[policy.can.transmit]\ndefault = \"x\"\n");
    const Result refused = ctl("policy set ivi " + bad);
    EXPECT_EQ(refused.status, 1);
    EXPECT_TRUE(has(refused, bad + ":3: ")) << refused.output;
}

TEST_F(Ctl, TopShowsRatesOfGuestsAndTheirDevices)
{
    make_guest();
    EXPECT_TRUE(has(ctl("top --iterations 1 --interval 0.05"),
                    "GUEST   ITEMS/S  DENIED/S  AUDIT/S  CPU%  WAIT50  WAIT99  SERVE50  SERVE99\n"
                    "ivi     0        0         0        -     5120ns  5120ns  25us     25us\n"
                    "  can0  0        0         0        -     5120ns  5120ns  25us     25us\n"));
    // From now on there are 10000 items a second, and the worker is this thread, which works.
    service->run([&] {
        machine.kernel.change_device("ivi", "can0", [](DeviceInfo &info) {
            info.worker = static_cast<std::uint32_t>(gettid());
        });
        machine.kernel.items_a_second = 10000;
    });
    const Result json = ctl("top --json --iterations 2 --interval 0.4");
    EXPECT_EQ(json.status, 0);
    EXPECT_EQ(std::count(json.output.begin(), json.output.end(), '\n'), 2);
    std::smatch match;
    const std::regex object(
        "\\{\"guests\":\\[\\{\"audit_per_s\":0,\"cpu_us_per_s\":\\d+,"
        "\"denied_per_s\":0,\"devices\":\\[\\{[^}]*\"name\":\"can0\"[^}]*\\}\\],"
        "\"items_per_s\":(\\d+),\"name\":\"ivi\",\"service_p50_ns\":24576,"
        "\"service_p99_ns\":24576,\"wait_p50_ns\":5120,\"wait_p99_ns\":5120\\}\\],"
        "\"interval_ms\":(\\d+)\\}");
    ASSERT_TRUE(std::regex_search(json.output, match, object)) << json.output;
    EXPECT_GE(std::stoi(match[2]), 400);
    EXPECT_NEAR(std::stoi(match[1]), 10000, 3000);
    service->run([&] { machine.latencies.unavailable = true; });
    EXPECT_TRUE(has(ctl("top --iterations 1 --interval 0.05"), "  -       -       -        -\n"));
    for (const std::string wrong : {"top x", "top --iterations 0", "top --interval x"}) {
        EXPECT_EQ(ctl(wrong).status, 2) << wrong;
    }
}

TEST_F(Ctl, PolicyMayBeAProgram)
{
    ctl("create ivi");
    EXPECT_EQ(ctl("policy attach ivi /etc/devhost/x/../p.bpf.o").status, 0);
    EXPECT_TRUE(has(ctl("policy show ivi"), "\n  program: /etc/devhost/p.bpf.o\n"));
    EXPECT_TRUE(has(ctl("list guests"), "custom"));
    EXPECT_EQ(ctl("policy attach ivi").status, 2);
}

TEST_F(Ctl, PolicyInAuditModeSaysSo)
{
    make_guest();
    const std::string rules = "[can.transmit]\ndefault = \"deny\"\n";
    EXPECT_EQ(ctl("policy set ivi " + write_file("a.toml", "mode = \"audit\"\n" + rules)).status,
              0);
    EXPECT_TRUE(has(ctl("policy show ivi"), "\n  mode: audit\n"));
    EXPECT_TRUE(has(ctl("policy counters ivi"), "PASSED  WOULD DROP\n"));
    EXPECT_TRUE(has(ctl("list guests"), "ivi    1        audit   "));
    EXPECT_EQ(ctl("policy set ivi " + write_file("e.toml", rules)).status, 0);
    EXPECT_TRUE(has(ctl("policy show ivi"), "\n  mode: enforce\n"));
    EXPECT_TRUE(has(ctl("policy counters ivi"), "PASSED  DROPPED\n"));
    EXPECT_TRUE(has(ctl("list guests"), "ivi    1        active  "));
    const std::string bad = write_file("bad.toml", "\n[policy]\nmode = \"warn\"\n");
    const Result refused = ctl("policy check " + bad);
    EXPECT_EQ(refused.status, 1);
    EXPECT_TRUE(has(refused, bad + ":3: ")) << refused.output;
}

TEST_F(Ctl, ErrorsAreOneSentence)
{
    const Result missing = ctl("remove ivi");
    EXPECT_EQ(missing.status, 1);
    EXPECT_EQ(missing.output, "devhostctl: no such guest\n");
    EXPECT_EQ(ctl("create 'a/b/c' can interface=can0").status, 1);
    for (const char *wrong :
         {"nonsense", "create", "create ivi/can0", "create ivi novalue", "remove", "show", "policy",
          "policy set ivi", "list x", "set ivi a=1", "--nonsense", "monitor x", "status x"}) {
        EXPECT_EQ(ctl(wrong).status, 2) << wrong;
    }
}

TEST_F(Ctl, ChecksFilesWithoutTheDaemon)
{
    service.reset();
    EXPECT_EQ(ctl("check " DEVHOST_EXAMPLES "/*.toml").status, 0);
    const std::string bad = write_file("ivi.toml", "user = \"a\"\nnonsense = 1\n");
    const Result result = ctl("check " + bad);
    EXPECT_EQ(result.status, 1);
    EXPECT_TRUE(result.output.starts_with(bad + ":2: ")) << result.output;
    EXPECT_EQ(ctl("status").status, 1);
}

TEST_F(Ctl, MonitorTellsChanges)
{
    const std::string command = "DBUS_SYSTEM_BUS_ADDRESS='" + bus.address() +
                                "' sh -c 'echo $$; exec " DEVHOSTCTL " monitor'";
    FILE *pipe = popen(command.c_str(), "r");
    std::array<char, 65536> line{};
    ASSERT_NE(fgets(line.data(), line.size(), pipe), nullptr);
    const pid_t monitor = std::stoi(line.data());
    // It listens once it sees a guest come.
    std::string name;
    for (int i = 0; i < 100 && name.empty(); i++) {
        const std::string guest = "g" + std::to_string(i);
        EXPECT_EQ(manager("CreateGuest", guest, settings("")).error, "");
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fileno(pipe), &set);
        timeval wait{.tv_sec = 0, .tv_usec = 200'000};
        if (select(fileno(pipe) + 1, &set, nullptr, nullptr, &wait) > 0) {
            name = guest;
        }
    }
    ASSERT_NE(fgets(line.data(), line.size(), pipe), nullptr);
    EXPECT_TRUE(std::string(line.data()).starts_with(name + " added ")) << line.data();
    EXPECT_EQ(manager("RemoveGuest", name, std::uint64_t{0}).error, "");
    ASSERT_NE(fgets(line.data(), line.size(), pipe), nullptr);
    EXPECT_EQ(std::string(line.data()), name + " removed\n");
    kill(monitor, SIGTERM);
    pclose(pipe);
}

TEST_F(Ctl, AVideoDeviceIsListedWithItsNode)
{
    service->run([&] { machine.codecs.present[3] = {"vicodec"}; });
    EXPECT_EQ(ctl("create ivi").status, 0);
    const Result made = ctl("create ivi/dec0 video_decoder codec=vicodec streams_max=2");
    EXPECT_EQ(made.status, 0) << made.output;
    EXPECT_TRUE(has(ctl("list devices"), "/dev/video3"));
    service->run([&] {
        machine.kernel.change_device("ivi", "dec0", [](DeviceInfo &info) {
            std::get<VideoBackendInfo>(info.backend).node.reset();
        });
    });
    EXPECT_TRUE(wait_until([&] { return has(ctl("list devices"), " gone "); }));
}

TEST_F(Ctl, PowerShowsTheWholeDecision)
{
    EXPECT_EQ(ctl("create ivi power.role=vote power.budget_ms=60000").status, 0);
    const Result made = ctl("create ivi/scmi0 scmi 'resource=[{kind=\"clock\", host=\"pixel\"}]'");
    EXPECT_EQ(made.status, 0) << made.output;
    service->run([&] {
        machine.kernel.run_scmi("ivi", true);
        machine.kernel.change_resource("ivi", "scmi0", 0, [](ScmiResourceInfo &resource) {
            resource.vote_on = true;
            resource.vote_level = 42;
            resource.vote_since = 1;
        });
    });
    EXPECT_EQ(ctl("power ceiling clock pixel 41 it is loud").status, 0);
    // While the command runs, the host stays on.
    const Result result = ctl("power block 'writes flash' -- sh -c '" DEVHOSTCTL
                              " power reboot now; " DEVHOSTCTL " power; exit 7'");
    EXPECT_EQ(result.status, 7) << result.output;
    for (const char *text :
         {"effective: on", "requested: reboot by administrator", "limited by: block",
          "ivi    vote  running  on", "60000 ms", "clock pixel  41     administrator", "it is loud",
          "ivi      true  42"}) {
        EXPECT_TRUE(has(result, text)) << text << "\n" << result.output;
    }
    const std::regex block("block  on     [0-9]+ s ago  writes flash");
    EXPECT_TRUE(std::regex_search(result.output, block)) << result.output;
    EXPECT_TRUE(wait_until([&] { return has(ctl("power"), "effective: reboot"); }));
    EXPECT_EQ(ctl("power on").status, 0);
    EXPECT_TRUE(has(ctl("power"), "state:     on"));
    EXPECT_EQ(ctl("power ceiling clock pixel none").status, 0);
    EXPECT_EQ(ctl("power reset").status, 0);
    EXPECT_EQ(ctl("power reset ivi").status, 0);
    EXPECT_EQ(ctl("power sideways").status, 2);
    EXPECT_EQ(ctl("power block why").status, 2);
    EXPECT_TRUE(has(ctl("--json power"), "\"CurrentState\":\"on\""));
    EXPECT_TRUE(has(ctl("show ivi"), "Role: vote"));
}

} // namespace
} // namespace devhost::test
