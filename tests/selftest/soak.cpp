// SPDX-License-Identifier: Apache-2.0
// Soak: four guests with four devices each use them all at once for a long time. Nothing gets lost
// that the protocols promise to keep, nothing grows, and all is back at the end.
//
// soak [--minutes N]: else DEVHOST_MINUTES; 30 with DEVHOST_SOAK; or a quarter of one.
// The report is also in DEVHOST_REPORT, or /mnt/share/soak.json where there is that directory.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <time.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <thread>

#include "can.hpp"
#include "child.hpp"
#include "host.hpp"
#include "scmi.hpp"
#include "snd.hpp"
#include "soak.hpp"
#include "v4l2.hpp"
#include "video_player.hpp"

using namespace dh;
using soak::guests;
using soak::Tally;

namespace {

double minutes()
{
    const char *value = getenv("DEVHOST_MINUTES");
    return value ? strtod(value, nullptr) : tap::rounds(0, 1) ? 30 : 0.25;
}

double seconds_now()
{
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct Memory {
    uint64_t available = 0;
    uint64_t slab = 0;   // what cannot be reclaimed
    uint64_t stacks = 0; // of the kernel
    uint64_t pins = 0;   // pages
};

Memory memory()
{
    Memory m;
    m.available = read_field("/proc/meminfo", "MemAvailable");
    m.slab = read_field("/proc/meminfo", "SUnreclaim");
    m.stacks = read_field("/proc/meminfo", "KernelStack");
    m.pins = read_field("/proc/vmstat", "nr_foll_pin_acquired") -
             read_field("/proc/vmstat", "nr_foll_pin_released");
    return m;
}

// Files that anybody has open.
uint64_t system_files()
{
    return strtoull(read_file("/proc/sys/fs/file-nr").c_str(), nullptr, 10);
}

// Tasks that serve devices on their own: helper threads, and the codec's.
uint64_t device_tasks()
{
    uint64_t count = 0;
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
        const std::string comm = read_file(entry.path() / "comm");
        count += comm.starts_with("dj-") || comm.starts_with("dh-");
    }
    return count;
}

// The report, as comments and as JSON.
class Report {
public:
    void add(const std::string &name, uint64_t value) { add(name, std::to_string(value)); }
    void add(const std::string &name, const std::string &number)
    {
        tap::note(name + " " + number);
        json_ += (json_.empty() ? "  \"" : ",\n  \"") + name + "\": " + number;
    }
    void words(const std::string &name, const std::string &value)
    {
        tap::note(name + " " + value);
        json_ += (json_.empty() ? "  \"" : ",\n  \"") + name + "\": \"" + value + "\"";
    }
    void write() const
    {
        const char *where = getenv("DEVHOST_REPORT");
        const bool share = std::filesystem::is_directory("/mnt/share");
        if (!where && !share) {
            return;
        }
        std::ofstream(where ? where : "/mnt/share/soak.json") << "{\n" << json_ << "\n}\n";
    }

private:
    std::string json_;
};

// All that the guests have, in the order in which it goes.
struct Machine {
    Machine()
    {
        scmi::calm();
        scmi::set_knob("clk1/delay_ms", 1); // by helper threads
        const int card = snd::card("Loopback");
        for (unsigned i = 0; i < guests; i++) {
            const std::string number = std::to_string(i);
            const std::string guest = "soak" + number;
            buses.push_back(std::make_unique<can::Vcan>("vcanS" + number));
            nodes[i].can = add(guest, can::params(buses.back()->name(), RingKind::packed));
            // The lowest that is free: each guest's own pair of the loopback.
            const Fd play = snd::open_pcm(card, 0, false);
            const Fd record = snd::open_pcm(card, 1, true);
            nodes[i].snd =
                add(guest, snd::device({{{play.get()}, {record.get()}}, {}, {}}, RingKind::packed));
            nodes[i].scmi = add(guest, scmi::params(scmi::everything(), RingKind::packed));
            if (codec) {
                const Fd node = video::open_node(*codec);
                nodes[i].video = add(guest, video::params(false, RingKind::packed, node));
            }
        }
    }
    ~Machine()
    {
        devices.clear();
        try {
            for (unsigned i = 0; i < guests; i++) {
                control.try_guest_del("soak" + std::to_string(i));
            }
            scmi::calm();
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;

    std::string add(const std::string &guest, DeviceParams params)
    {
        control.try_guest_new(guest);
        params.guest = guest;
        devices.push_back(std::make_unique<TestDevice>(params));
        return devices.back()->path();
    }
    static std::optional<std::string> find_codec()
    {
        try {
            return video::vicodec(false);
        } catch (const tap::Skip &) {
            return std::nullopt; // then the guests have three devices
        }
    }

    Control control;
    const std::optional<std::string> codec = find_codec();
    std::vector<std::unique_ptr<can::Vcan>> buses;
    std::vector<std::unique_ptr<TestDevice>> devices;
    std::array<soak::Nodes, guests> nodes;
};

// The host's side of a bus: numbered frames both ways.
void host_can(const std::string &bus, Tally &tally, soak::Shared &shared,
              const std::stop_token &stop)
{
    try {
        can::Socket socket(bus);
        const auto numbered = [](uint64_t number) {
            can::Frame frame{soak::can_id + 1, 0, std::vector<uint8_t>(sizeof(number))};
            memcpy(frame.data.data(), &number, sizeof(number));
            return frame;
        };
        tally.can_host_listens = true;
        while (!stop.stop_requested()) {
            while (const auto frame = socket.receive(5)) {
                can::Frame expected = numbered(tally.can_heard);
                expected.id = soak::can_id;
                tally.can_disorder += *frame != expected;
                tally.can_heard++;
            }
            if (shared.stop) {
                tally.can_host_ended = true;
                continue;
            }
            for (int i = 0; i < 8 && tally.can_guest_listens &&
                            tally.can_host_sent - tally.can_received < soak::can_window;
                 i++) {
                tally.can_host_sent++;
                socket.send(numbered(tally.can_host_sent - 1));
            }
        }
    } catch (const std::exception &error) {
        shared.complain("bus " + bus + ": " + error.what());
    }
}

soak::Film film(bool codec)
{
    constexpr uint32_t width = 320;
    constexpr uint32_t height = 240;
    soak::Film film{{}, {}, width, height};
    if (codec) {
        film.coded =
            v4l2::encode(video::vicodec(true), video::frames(width, height, 10), width, height);
        film.frames = v4l2::decode(video::vicodec(false), film.coded);
    }
    return film;
}

// What of each guest must be so at the end.
void check_guest(const Tally &t, bool codec)
{
    CHECK(t.can_sent > 0);
    CHECK_EQ(t.can_heard.load(), t.can_sent.load());
    CHECK(t.can_host_sent > 0);
    CHECK_EQ(t.can_received.load(), t.can_host_sent.load());
    CHECK_EQ(t.can_refused.load(), 0U);
    CHECK_EQ(t.can_disorder.load(), 0U);
    CHECK(t.snd_frames > 0);
    CHECK_EQ(t.snd_returned.load(), t.snd_queued.load());
    CHECK_EQ(t.snd_failed.load(), 0U);
    CHECK(t.scmi_asked > 0);
    CHECK_EQ(t.scmi_answered.load(), t.scmi_asked.load());
    CHECK_EQ(t.scmi_failed.load(), 0U);
    CHECK(!codec || t.video_out > 0);
    CHECK_EQ(t.video_out.load(), t.video_in.load());
    CHECK_EQ(t.video_wrong.load(), 0U);
    CHECK(t.fds_first > 0);
    CHECK_EQ(t.fds_last.load(), t.fds_first.load());
    CHECK_EQ(t.threads_last.load(), t.threads_first.load());
}

// Sound is lost only where somebody was late, which the device has counted.
void check_device(TestDevice &device, uint64_t gaps, Report &report)
{
    const Stats stats = device.stats();
    for (const auto &[number, vq] : stats.vqs) {
        CHECK_EQ(vq.malformed, 0U);
        CHECK_EQ(vq.inflight, 0U);
    }
    const DeviceInfo info = device.info();
    CHECK_EQ(info.state, uint32_t{DEVHOST_DEV_IDLE});
    CHECK_EQ(info.worker, 0U);
    CHECK_EQ(device.pinned(), 0U);
    CHECK_EQ(device.exported(), 0U);
    std::string late;
    for (const char *name : {"underruns", "overruns"}) {
        if (stats.counters.contains(name) && stats.counters.at(name)) {
            late += std::string(" ") + name + " " + std::to_string(stats.counters.at(name));
        }
    }
    if (info.device_class == "snd" && gaps) {
        report.words(device.guest() + " late", late);
        CHECK(!late.empty());
    }
    if (info.device_class == "can") {
        CHECK_EQ(stats.counters.at("rx_dropped"), 0U);
        CHECK_EQ(stats.counters.at("tx_failed"), 0U);
    }
}

} // namespace

TEST("soak: four guests, four devices each, and all is as it was")
{
    const double length = minutes() * 60;
    const auto slow = static_cast<unsigned>(length) + 600;
    tap::time_limit(slow);
    prctl(PR_SET_TIMERSLACK, 1UL);
    void *page = mmap(nullptr, sizeof(soak::Shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    auto &shared = *new (page) soak::Shared{};
    const std::unique_ptr<void, std::function<void(void *)>> unmap(
        page, [](void *p) { munmap(p, sizeof(soak::Shared)); });

    Report report;
    utsname system{};
    uname(&system);
    report.words("kernel", system.release);
    report.add("minutes", std::to_string(minutes()));
    scmi::calm(); // what is loaded for good is no leak
    snd::card("Loopback");
    const soak::Film what = film(Machine::find_codec().has_value());
    const Memory before = memory();
    const uint64_t files = system_files();
    const uint64_t tasks = device_tasks();
    Memory warm;
    Memory hot;
    bool is_warm = false;
    {
        Machine machine;
        report.add("guests", guests);
        report.add("devices", machine.devices.size());
        std::vector<std::unique_ptr<Child>> vmms;
        for (unsigned i = 0; i < guests; i++) {
            vmms.push_back(std::make_unique<Child>(
                [&](Child &) { soak::run_guest(i, machine.nodes[i], what, shared); }));
        }
        std::vector<std::jthread> hosts;
        for (unsigned i = 0; i < guests; i++) {
            hosts.emplace_back([&, i](const std::stop_token &stop) {
                host_can(machine.buses[i]->name(), shared.tally[i], shared, stop);
            });
        }
        // What grows does so from a tenth of the time on, when all has been used once.
        const double start = seconds_now();
        while (!shared.stop && seconds_now() < start + length) {
            usleep(100000);
            if (!is_warm && seconds_now() > start + length / 10) {
                is_warm = true;
                warm = memory();
            }
        }
        hot = memory();
        shared.stop = true;
        for (const auto &vmm : vmms) {
            CHECK_EQ(vmm->join(), 0);
        }
        usleep(100000); // what is in the hosts' sockets
        hosts.clear();
        if (shared.wrong) {
            FAIL(shared.what_is_wrong.data());
        }
        for (unsigned i = 0; i < guests; i++) {
            const Tally &t = shared.tally[i];
            const std::string guest = "guest" + std::to_string(i) + "_";
            for (const auto &[name, value] :
                 std::initializer_list<std::pair<const char *, const std::atomic<uint64_t> &>>{
                     {"can_sent", t.can_sent},
                     {"can_sent_heard", t.can_heard},
                     {"can_host_sent", t.can_host_sent},
                     {"can_host_sent_received", t.can_received},
                     {"snd_periods", t.snd_queued},
                     {"snd_periods_returned", t.snd_returned},
                     {"snd_frames_recorded", t.snd_frames},
                     {"snd_gaps", t.snd_gaps},
                     {"scmi_asked", t.scmi_asked},
                     {"scmi_answered", t.scmi_answered},
                     {"scmi_failed", t.scmi_failed},
                     {"video_frames_in", t.video_in},
                     {"video_frames_out", t.video_out},
                     {"fds_first", t.fds_first},
                     {"fds_last", t.fds_last},
                     {"threads_first", t.threads_first},
                     {"threads_last", t.threads_last}}) {
                report.add(guest + name, value.load());
            }
        }
        for (const auto &device : machine.devices) {
            const auto number = static_cast<unsigned>(device->guest().back() - '0');
            check_device(*device, shared.tally.at(number).snd_gaps, report);
        }
        scmi::expect_knob("clk0/enabled", 0);
        scmi::expect_knob("pd0/on", 0);
    }
    Memory after = memory();
    for (int i = 0; i < 50 && (after.pins != before.pins || device_tasks() != tasks); i++) {
        usleep(100000);
        after = memory();
    }
    for (const auto &[name, m] : std::initializer_list<std::pair<const char *, const Memory &>>{
             {"before", before}, {"warm", warm}, {"hot", hot}, {"after", after}}) {
        report.add(std::string("available_kb_") + name, m.available);
        report.add(std::string("slab_kb_") + name, m.slab);
        report.add(std::string("kernel_stacks_kb_") + name, m.stacks);
        report.add(std::string("pinned_pages_") + name, m.pins);
    }
    report.add("open_files_before", files);
    report.add("open_files_after", system_files());
    report.add("device_tasks_before", tasks);
    report.add("device_tasks_after", device_tasks());
    report.write();
    for (const Tally &t : shared.tally) {
        check_guest(t, !what.coded.empty());
    }
    CHECK_EQ(after.pins, before.pins);
    CHECK_EQ(device_tasks(), tasks);
    // As coarse as a sanitizer makes it, which keeps freed memory for a while.
    const uint64_t slack =
        std::filesystem::exists("/sys/kernel/debug/kmemleak") ? 192 << 10 : 8 << 10;
    CHECK(hot.slab <= warm.slab + slack);
    CHECK(after.slab <= before.slab + slack);
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "--minutes")) {
        setenv("DEVHOST_MINUTES", argv[2], 1);
        argv[2] = argv[0];
        argc -= 2;
        argv += 2;
    }
    return selftest_main(argc, argv);
}
