// SPDX-License-Identifier: Apache-2.0
// What devices cost while nobody uses them: the kernel's memory, and the processor's sleep.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "can.hpp"
#include "fd.hpp"
#include "host.hpp"
#include "scmi.hpp"
#include "snd.hpp"
#include "video.hpp"

using namespace dh;

namespace {

constexpr uint64_t device_kib_max = 64;

// All that the kernel has taken for itself, in KiB: slab and what is too large for it, vmalloc, per
// processor, stacks of threads.
uint64_t kernel_kib()
{
    uint64_t sum = 0;
    // What each processor has counted for itself is added up first.
    std::ofstream("/proc/sys/vm/stat_refresh") << 1;
    for (const char *field : {"Slab", "VmallocUsed", "Percpu", "KernelStack", "PageTables"}) {
        sum += read_field("/proc/meminfo", field);
    }
    return sum;
}

// Guests foot0 to footN, gone at the end of the scope with all that they have.
class Guests {
public:
    explicit Guests(unsigned number)
    {
        for (unsigned i = 0; i < number; i++) {
            control_.guest_new(name(i));
            number_++;
        }
    }
    ~Guests()
    {
        try {
            for (const DeviceInfo &device : control_.devices()) {
                if (device.guest.starts_with("foot")) {
                    control_.device_del(device.guest, device.name);
                }
            }
            while (number_) {
                control_.guest_del(name(--number_));
            }
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }
    Guests(const Guests &) = delete;
    Guests &operator=(const Guests &) = delete;

    static std::string name(unsigned number) { return "foot" + std::to_string(number); }
    Control &control() { return control_; }

private:
    Control control_;
    unsigned number_ = 0;
};

const std::string vdpa_bus = "/sys/bus/vdpa/";

void write_file(const std::string &path, const std::string &value)
{
    std::ofstream stream(path);
    stream << value << std::flush;
    if (!stream) {
        throw std::runtime_error("writing " + path);
    }
}

// Devices that come have no driver until they are given one.
struct NoDriver {
    NoDriver() { write_file(vdpa_bus + "drivers_autoprobe", "0"); }
    ~NoDriver()
    {
        try {
            write_file(vdpa_bus + "drivers_autoprobe", "1");
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }
    NoDriver(const NoDriver &) = delete;
    NoDriver &operator=(const NoDriver &) = delete;
};

// The device number so and so of a class, and the host's file that it is given.
struct Made {
    DeviceParams params;
    Fd file{};
};
using Make = std::function<Made(unsigned number)>;

// What one more costs: the difference between few and many. The few fill what was free in caches of
// the kernel, and nothing is removed in between, so each of the many takes memory that nobody had.
double each_kib(const std::function<void(unsigned)> &one)
{
    constexpr unsigned few = 16;
    constexpr unsigned many = 80;
    uint64_t taken = 0;
    for (unsigned number = 0; number < many; number++) {
        if (number == few) {
            taken = kernel_kib();
        }
        one(number);
    }
    return static_cast<double>(kernel_kib() - taken) / (many - few);
}

// A device is measured before vhost-vdpa has it, which takes more than 17 KiB for each queue.
void measure(const std::string &what, const Make &make)
{
    if (std::filesystem::exists("/sys/kernel/debug/kmemleak")) {
        SKIP("this kernel makes everything larger");
    }
    tap::time_limit(1200);
    constexpr unsigned of_a_guest = 16;
    const NoDriver none;
    Guests guests(5);
    std::vector<std::string> names;
    const double own = each_kib([&](unsigned number) {
        Made made = make(number);
        made.params.guest = Guests::name(number / of_a_guest);
        made.params.name = "d" + std::to_string(number);
        names.push_back(guests.control().device_new(made.params).vdpa);
    });
    const double driver = each_kib([&](unsigned number) {
        write_file(vdpa_bus + "drivers/vhost_vdpa/bind", names.at(number));
    });
    tap::note(what + ": " + tap::show(own) + " KiB of the kernel's memory each; vhost-vdpa takes " +
              tap::show(driver) + " KiB more");
    CHECK(own > 0.5); // struct devhost_device alone is more
    CHECK(own <= device_kib_max);
}

// Events of the kernel's tracer, in a buffer of their own.
class Trace {
public:
    Trace()
    {
        std::filesystem::create_directory(dir_);
        write("buffer_size_kb", "8192");
        // Waking of what serves devices; all timers; all work that is queued.
        write("events/sched/sched_waking/filter", "comm ~ \"dh-*\" || comm ~ \"dj-*\" || comm ~ "
                                                  "\"mix-*\"");
        for (const char *event : events) {
            write(std::string("events/") + event + "/enable", "1");
        }
    }
    ~Trace() { rmdir(dir_.c_str()); }
    Trace(const Trace &) = delete;
    Trace &operator=(const Trace &) = delete;

    // Lines since the last call, with nothing lost.
    std::vector<std::string> lines()
    {
        write("tracing_on", "0");
        for (const auto &entry : std::filesystem::directory_iterator(dir_ / "per_cpu")) {
            CHECK_EQ(read_field(entry.path() / "stats", "overrun"), 0U);
        }
        std::vector<std::string> result;
        std::ifstream file(dir_ / "trace");
        for (std::string line; std::getline(file, line);) {
            if (!line.starts_with("#")) {
                result.push_back(line);
            }
        }
        write("trace", "");
        write("tracing_on", "1");
        return result;
    }

private:
    static constexpr std::array events{"sched/sched_waking", "timer/timer_expire_entry",
                                       "timer/hrtimer_expire_entry",
                                       "workqueue/workqueue_execute_start"};

    void write(const std::string &file, const std::string &value) const
    {
        write_file(dir_ / file, value);
    }

    const std::filesystem::path dir_ = "/sys/kernel/tracing/instances/footprint";
};

bool contains(const std::string &line, const char *text)
{
    return line.find(text) != std::string::npos;
}

bool is_timer(const std::string &line)
{
    return contains(line, "timer_expire_entry");
}

// Functions of modules are told with the module's name.
bool is_ours(const std::string &line)
{
    return contains(line, "sched_waking") || contains(line, "[devhost") ||
           contains(line, "[vhost_");
}

std::vector<std::string> ours(const std::vector<std::string> &lines)
{
    std::vector<std::string> result;
    for (const std::string &line : lines) {
        if (is_ours(line)) {
            result.push_back(line);
        }
    }
    return result;
}

// snd-dummy with enough substreams, gone at the end of the scope.
class Dummy {
public:
    Dummy()
    {
        unload();
        try {
            shell("modprobe snd-dummy pcm_devs=1 pcm_substreams=128 fake_buffer=0");
        } catch (const std::runtime_error &) {
            throw tap::Skip("no snd-dummy on this host");
        }
        number = snd::card("Dummy");
    }
    ~Dummy()
    {
        try {
            unload();
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }
    Dummy(const Dummy &) = delete;
    Dummy &operator=(const Dummy &) = delete;

    int number;

private:
    // Files that devices had are closed a moment after them.
    static void unload()
    {
        shell(
            "for i in $(seq 100); do modprobe -q -r snd-dummy && exit 0; sleep 0.1; done; exit 1");
    }
};

} // namespace

TEST("memory: an idle CAN device takes 64 KiB of the kernel's at most")
{
    const can::Vcan bus("vcanF");
    measure("CAN", [&](unsigned) { return Made{can::params(bus.name())}; });
}

TEST("memory: an idle sound device takes 64 KiB of the kernel's at most")
{
    const Dummy card;
    measure("sound, one stream", [&](unsigned) {
        Fd pcm = snd::open_pcm(card.number, 0, false);
        DeviceParams params = snd::device({{{pcm.get()}}, {}, {}});
        return Made{std::move(params), std::move(pcm)};
    });
}

TEST("memory: an idle SCMI device takes 64 KiB of the kernel's at most")
{
    scmi::calm();
    const auto resources = scmi::everything();
    measure("SCMI, " + std::to_string(resources.size()) + " resources",
            [&](unsigned) { return Made{scmi::params(resources)}; });
}

TEST("memory: an idle video device takes 64 KiB of the kernel's at most")
{
    const std::string codec = video::vicodec(false);
    measure("video", [&](unsigned) {
        Fd node = video::open_node(codec);
        DeviceParams params = video::params(false, RingKind::packed, node);
        return Made{std::move(params), std::move(node)};
    });
}

// Their drivers have done all that drivers do at first: buffers for events and frames are there.
TEST("idle: four guests' four devices each wake nobody, and have no timers")
{
    constexpr unsigned guests = 4;
    tap::time_limit(600);
    scmi::calm();
    const int loop = snd::card("Loopback");
    const std::string codec = video::vicodec(false);
    const Guests named(guests);
    std::vector<std::unique_ptr<can::Vcan>> buses;
    std::vector<std::unique_ptr<TestDevice>> devices;
    std::vector<std::unique_ptr<can::CanGuest>> cans;
    std::vector<std::unique_ptr<snd::SndGuest>> snds;
    std::vector<std::unique_ptr<scmi::ScmiGuest>> scmis;
    std::vector<std::unique_ptr<video::VideoGuest>> videos;
    const auto device = [&](unsigned guest, DeviceParams params) {
        params.guest = Guests::name(guest);
        devices.push_back(std::make_unique<TestDevice>(params));
        return devices.back()->path();
    };
    for (unsigned i = 0; i < guests; i++) {
        buses.push_back(std::make_unique<can::Vcan>("vcanF" + std::to_string(i)));
        cans.push_back(std::make_unique<can::CanGuest>(device(i, can::params(buses.back()->name())),
                                                       GuestSetup{}));
        cans.back()->bring_up();
        const Fd play = snd::open_pcm(loop, 0, false);
        const Fd record = snd::open_pcm(loop, 1, true);
        snds.push_back(std::make_unique<snd::SndGuest>(
            device(i, snd::device({{{play.get()}, {record.get()}}, {}, {}})), GuestSetup{}));
        snds.back()->start();
        snds.back()->post_events(8);
        scmis.push_back(std::make_unique<scmi::ScmiGuest>(
            device(i, scmi::params(scmi::everything())), GuestSetup{}));
        scmis.back()->bring_up();
        const Fd node = video::open_node(codec);
        videos.push_back(std::make_unique<video::VideoGuest>(
            device(i, video::params(false, RingKind::split, node)), GuestSetup{}));
        videos.back()->bring_up();
    }
    sleep(2);
    Trace trace;
    sleep(1); // what was on its way
    trace.lines();
    sleep(tap::rounds(10, 120));
    const auto idle = trace.lines();
    unsigned timers = 0;
    for (const std::string &line : idle) {
        timers += is_timer(line);
    }
    for (const std::string &line : ours(idle)) {
        tap::note(line);
    }
    CHECK(timers > 0); // the kernel's own: timers are seen
    CHECK_EQ(ours(idle).size(), 0U);
    scmis.front()->good();
    CHECK(!ours(trace.lines()).empty()); // and so is a worker that wakes
}
