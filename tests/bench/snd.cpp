// SPDX-License-Identifier: Apache-2.0
// Instructions a period of sound costs the device host, beside a process that
// does the same with blocking writei() and readi(). docs/testing.md says what
// exactly is counted.
#include <sound/asound.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <optional>
#include <thread>

#include "driver_queue.hpp"
#include "host.hpp"
#include "measure.hpp"
#include "snd.hpp"

using namespace dh;
using namespace dh::bench;

namespace {

constexpr uint16_t queue_size = 256;
constexpr unsigned buffer_periods = 4;

struct Length {
    unsigned ms;
    unsigned count; // of periods to measure
};
constexpr std::array<Length, 3> lengths = {{{1, 1000}, {5, 200}, {20, 100}}};

enum Kicks : bool { never, always };

// snd-dummy, with a real buffer: the plainest card there is. Its periods are an
// hrtimer's, of any length, its pointer is the clock, and nothing else happens.
int dummy()
{
    shell("modprobe snd-dummy fake_buffer=0 pcm_substreams=1");
    expect(read_file("/sys/module/snd_dummy/parameters/fake_buffer").starts_with("N"),
           "snd-dummy is loaded with other parameters");
    return snd::card("Dummy");
}

snd::Params parameters(unsigned ms, Kicks kicks)
{
    snd::Params params = snd::params(ms, buffer_periods);
    params.features = kicks == never ? 1U << VIRTIO_SND_PCM_F_MSG_POLLING : 0;
    return params;
}

// A process of the host, as aplay and arecord are.
class Native {
public:
    Native(int card, bool capture, unsigned ms)
        : pcm_(card, 0, capture, 0),
          capture_(capture),
          frames_(48 * ms),
          data_(frames_ * buffer_periods * 4, 0x55)
    {
        pcm_.configure(parameters(ms, never), buffer_periods);
        snd_pcm_sw_params sw{};
        sw.period_step = 1;
        sw.avail_min = frames_;
        sw.start_threshold = capture ? 1 : frames_ * buffer_periods;
        sw.stop_threshold = frames_ * buffer_periods;
        expect(!ioctl(pcm_.fd(), SNDRV_PCM_IOCTL_SW_PARAMS, &sw), "SW_PARAMS");
        if (!capture) {
            transfer(buffer_periods);
        }
    }
    void period() { transfer(1); }

private:
    void transfer(unsigned periods)
    {
        snd_xferi xfer{};
        xfer.buf = data_.data();
        xfer.frames = frames_ * periods;
        expect(!ioctl(pcm_.fd(),
                      capture_ ? SNDRV_PCM_IOCTL_READI_FRAMES : SNDRV_PCM_IOCTL_WRITEI_FRAMES,
                      &xfer) &&
                   xfer.result == static_cast<snd_pcm_sframes_t>(xfer.frames),
               "the host's process is late");
    }

    snd::HostPcm pcm_;
    bool capture_;
    unsigned frames_;
    std::vector<uint8_t> data_;
};

// A thread that somebody tells of each period, as a device tells its guest.
class Told {
public:
    Told()
        : event_(eventfd(0, EFD_CLOEXEC)), thread_([this] {
              run_first();
              for (uint64_t count = 0; !stop_;) {
                  expect(read(event_.get(), &count, sizeof(count)) == sizeof(count), "event");
              }
          })
    {
    }
    ~Told()
    {
        stop_ = true;
        tell();
        thread_.join();
    }
    void tell()
    {
        const uint64_t one = 1;
        expect(write(event_.get(), &one, sizeof(one)) == sizeof(one), "event");
    }

private:
    Fd event_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

Requests requests(GuestMemory &memory, bool capture, const snd::Params &params, Kicks kicks)
{
    const uint32_t bytes = params.period_bytes;
    Requests requests;
    for (unsigned i = 0; i < buffer_periods; i++) {
        // As Linux's driver has it: the data apart, in pages of its own.
        const uint64_t data = memory.alloc(bytes, 4096);
        const uint64_t rest = memory.alloc(16);
        memset(memory.at(data, bytes), 0x55, bytes);
        *memory.as<uint32_t>(rest) = 0;
        requests.pieces.push_back(
            {Buffer{rest, 4, false}, Buffer{data, bytes, capture}, Buffer{rest + 8, 8, true}});
    }
    requests.written = capture ? bytes + 8 : 8;
    requests.supplied = true;
    requests.polled = kicks == never;
    requests.heard = kicks == always;
    return requests;
}

double native(int card, bool capture, const Length &length, bool tells, const Spinner &spinner)
{
    std::optional<Told> told;
    if (tells) {
        told.emplace();
    }
    run_first();
    Native process(card, capture, length.ms);
    const double cost = spinner.per_frame(length.count, [&] {
        for (unsigned i = 0; i < length.count; i++) {
            process.period();
            if (told) {
                told->tell();
            }
        }
    });
    run_normally();
    return cost;
}

double bare(bool capture, const Length &length, Kicks kicks)
{
    BareRing ring(RingKind::split, queue_size, [&](GuestMemory &memory) {
        return requests(memory, capture, parameters(length.ms, kicks), kicks);
    });
    return ring.cost(1);
}

// With everything that the driver library does.
double gross(int card, bool capture, const Length &length, Kicks kicks, const Spinner &spinner)
{
    const Fd pcm = snd::open_pcm(card, 0, capture);
    TestDevice device(snd::device({{{pcm.get()}}, {}, {}}));
    GuestSetup setup;
    setup.queue_size = queue_size;
    snd::SndGuest guest(device.path(), setup);
    guest.start();
    const snd::Params params = parameters(length.ms, kicks);
    DriverQueue queue(guest.queue(capture ? VIRTIO_SND_VQ_RX : VIRTIO_SND_VQ_TX),
                      requests(guest.memory(), capture, params, kicks));
    expect(guest.set_params(0, params) == snd::ok && guest.prepare(0) == snd::ok, "parameters");
    queue.fill();
    wait_for_udev();
    run_first();
    run_first(static_cast<pid_t>(device.info().worker));
    expect(guest.start_stream(0) == snd::ok, "start");
    const double cost = spinner.per_frame(length.count, [&] { queue.receive(length.count); });
    run_normally();
    const auto counters = device.stats().counters;
    expect(!counters.at("underruns") && !counters.at("overruns") && !counters.at("io_errors"),
           "the guest is late");
    return cost;
}

void rows(int card, bool capture, const Length &length, const Spinner &spinner)
{
    const std::string name =
        "snd/period/" + std::to_string(length.ms) + "ms" + (capture ? "/capture" : "");
    const char *metric = "instructions per period";
    const char *unit = "instructions";
    const double beside = native(card, capture, length, false, spinner);
    const double telling = native(card, capture, length, true, spinner);
    for (const Kicks kicks : {never, always}) {
        const std::string suffix = kicks == always ? "/kicks" : "";
        const double whole = gross(card, capture, length, kicks, spinner);
        const double driver = bare(capture, length, kicks);
        row(name + suffix, metric, unit, whole - driver, beside);
        row(name + suffix + "/with-driver", metric, unit, whole, beside);
        // A guest has to be told of each period, a process that writes need not be.
        row(name + suffix + "/told", metric, unit, whole - driver, telling);
    }
}

void run()
{
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &all);
    shell("modprobe -a devhost vhost_snd vhost_vdpa");
    wait_for_boot();
    require_icount();
    const int card = dummy();
    mlockall(MCL_CURRENT | MCL_FUTURE);
    wait_for_udev();
    const Spinner spinner;
    for (const bool capture : {false, true}) {
        for (const Length &length : lengths) {
            rows(card, capture, length, spinner);
        }
    }
}

} // namespace

int main()
{
    return run_figures(run);
}
