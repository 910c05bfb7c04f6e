// SPDX-License-Identifier: Apache-2.0
// virtio-snd as the specification has it, its driver, and ALSA on the host by
// its ioctls.
#pragma once

#include <fcntl.h>
#include <linux/virtio_snd.h>

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control.hpp"
#include "guest.hpp"

namespace dh::snd {

constexpr uint32_t virtio_id = 25;
constexpr uint32_t ok = VIRTIO_SND_S_OK;
constexpr uint32_t bad_msg = VIRTIO_SND_S_BAD_MSG;
constexpr uint32_t not_supp = VIRTIO_SND_S_NOT_SUPP;
constexpr uint32_t io_err = VIRTIO_SND_S_IO_ERR;

using Bytes = std::vector<uint8_t>;

// A stream's parameters as a driver sends them.
struct Params {
    uint32_t buffer_bytes = 0;
    uint32_t period_bytes = 0;
    uint32_t features = 0;
    uint8_t channels = 2;
    uint8_t format = VIRTIO_SND_PCM_FMT_S16;
    uint8_t rate = VIRTIO_SND_PCM_RATE_48000;
    uint8_t padding = 0;

    uint32_t frame_bytes() const;
    uint32_t hz() const;
    unsigned period_ms() const;
};

// Periods of so many milliseconds, a buffer of so many of them.
Params params(unsigned period_ms, unsigned periods, uint8_t rate = VIRTIO_SND_PCM_RATE_48000,
              uint8_t format = VIRTIO_SND_PCM_FMT_S16, uint8_t channels = 2);

// The usual ones: little data, a buffer of 160 ms.
Params small();

// Queues that take a buffer of many short periods, three entries each.
GuestSetup with_ring(RingKind ring);

// Frames that tell themselves apart: no sample is 0, and each frame is unlike
// the others near it. @first is the number of the first one.
Bytes pattern(const Params &params, uint64_t first, size_t frames);

// The card of that id: "Loopback", "Dummy"; loads the module where needed.
int card(const std::string &id);
std::string pcm_path(int card, unsigned device, bool capture);
// Whether the host's PCM plays or records.
bool substream_runs(int card, unsigned device, bool capture, unsigned subdevice = 0);
// As a daemon opens it for a device.
Fd open_pcm(int card, unsigned device, bool capture);
// As a daemon opens a card's control file: subscribed.
Fd open_control(int card);

// A host program's PCM.
class HostPcm {
public:
    HostPcm(int card, unsigned device, bool capture, int flags = O_NONBLOCK);
    // Parameters as near as the hardware has them.
    void configure(const Params &params, unsigned periods = 0);
    void prepare();
    void start();
    void drop();
    // All of it; blocks.
    void write(const Bytes &data);
    int fd() const { return fd_.get(); }
    // Frames that it has played or recorded since it was prepared.
    uint64_t position();
    // Up to that many bytes; less where nothing more comes in that time.
    Bytes read(size_t bytes, int timeout_ms = 5000);

private:
    Fd fd_;
    uint32_t frame_bytes_ = 4;
};

// Takes a card away and brings it back, by its driver.
class Plug {
public:
    explicit Plug(const std::string &driver);
    Plug(const Plug &) = delete;
    Plug &operator=(const Plug &) = delete;
    ~Plug();
    // Returns when the host is rid of the card: nobody has a file of it.
    void out();
    void in();

private:
    std::string driver_, device_;
    bool out_ = false;
};

// Elements of a host card.
class HostControls {
public:
    explicit HostControls(int card);
    // The numid of an element, by its name.
    uint32_t numid(const std::string &name, uint32_t index = 0);
    std::vector<long> read(uint32_t numid, unsigned count);
    void write(uint32_t numid, const std::vector<long> &values);

private:
    Fd fd_;
};

struct StreamSetup {
    int fd;
    uint32_t node = 0;
    std::optional<uint32_t> channels_max = {};
    std::optional<uint32_t> rate_max = {};
    std::optional<uint32_t> period_min = {};
    std::optional<uint32_t> buffer_max = {};
};

struct JackSetup {
    uint32_t defconf = 0;
    uint32_t caps = 0;
    bool connected = false;
};

struct ControlSetup {
    int fd;
    uint32_t numid;
    uint32_t role = 0;
    bool read_only = false;
};

struct Setup {
    std::vector<StreamSetup> streams;
    std::vector<JackSetup> jacks;
    std::vector<ControlSetup> controls;
};

DeviceParams device(const Setup &setup, RingKind ring = RingKind::split);
// Changes of a live device; the kernel's answer.
NetlinkReply set_stream(TestDevice &device, uint32_t id, int fd);
NetlinkReply set_jack(TestDevice &device, uint32_t id, bool connected);
NetlinkReply set_control(TestDevice &device, uint32_t id, int fd, uint32_t numid);
// Of a stream in DEVICE_GET: the host's card, or nothing.
std::optional<uint32_t> stream_card(TestDevice &device, uint32_t id);
uint32_t stream_state(TestDevice &device, uint32_t id);

// A tx or rx request that came back.
struct Done {
    int id = -1;
    uint32_t length = 0; // as the device said
    uint32_t status = 0; // 0: not written
    uint32_t latency = 0;
    Bytes data; // of rx
};

class SndGuest : public Guest {
public:
    SndGuest(const std::string &path, GuestSetup setup) : Guest(path, setup) {}

    // A control request: what comes behind its code, and how much may be
    // answered behind the status. Nothing where the answer has no length.
    struct Answer {
        uint32_t status = 0;
        Bytes data;
    };
    std::optional<Answer> request(uint32_t code, const Bytes &rest, size_t room = 0,
                                  int timeout_ms = 10000);
    // Sends it, and does not wait; answer() does.
    int request_begin(uint32_t code, const Bytes &rest, size_t room = 0);
    std::optional<Answer> answer(int id, int timeout_ms = 10000);

    template <typename T>
    std::vector<T> info(uint32_t code, uint32_t start, uint32_t count);
    uint32_t info_status(uint32_t code, uint32_t start, uint32_t count, uint32_t size,
                         size_t room = 4096);

    uint32_t set_params(uint32_t stream, const Params &params);
    uint32_t pcm(uint32_t code, uint32_t stream);
    uint32_t prepare(uint32_t stream) { return pcm(VIRTIO_SND_R_PCM_PREPARE, stream); }
    uint32_t start_stream(uint32_t stream) { return pcm(VIRTIO_SND_R_PCM_START, stream); }
    uint32_t stop(uint32_t stream) { return pcm(VIRTIO_SND_R_PCM_STOP, stream); }
    uint32_t release(uint32_t stream) { return pcm(VIRTIO_SND_R_PCM_RELEASE, stream); }

    // Queues data, or a buffer for data; its id, -1 where the queue is full.
    int queue_tx(uint32_t stream, const Bytes &data, bool kick = true);
    int queue_rx(uint32_t stream, size_t bytes, bool kick = true);
    // The next one that comes back.
    std::optional<Done> tx_done(int timeout_ms = 10000);
    std::optional<Done> rx_done(int timeout_ms = 10000);
    size_t tx_pending() const { return tx_.size(); }
    size_t rx_pending() const { return rx_.size(); }

    void post_events(unsigned count, uint32_t size = sizeof(virtio_snd_event));
    std::optional<virtio_snd_event> event(int timeout_ms = 5000, bool repost = true);

    // After reset(): nothing is pending any more.
    void forget();

private:
    struct Pending {
        uint64_t addr;
        size_t data; // bytes
    };
    std::optional<Done> done(uint32_t vq, std::map<int, Pending> &pending, int timeout_ms);
    uint64_t slot(size_t bytes);
    void free_slot(uint64_t addr, size_t bytes);

    std::map<int, Pending> tx_, rx_;
    struct Control {
        uint64_t addr;
        size_t out, room;
    };
    std::map<int, Control> control_;
    std::map<int, std::optional<Answer>> answers_;
    std::map<int, std::pair<uint64_t, uint32_t>> events_;
    std::map<size_t, std::vector<uint64_t>> slots_;
};

template <typename T>
std::vector<T> SndGuest::info(uint32_t code, uint32_t start, uint32_t count)
{
    const uint32_t fields[] = {start, count, sizeof(T)};
    const auto *raw = reinterpret_cast<const uint8_t *>(fields);
    auto reply = request(code, {raw, raw + sizeof(fields)}, count * sizeof(T));
    CHECK(reply.has_value());
    CHECK_EQ(reply->status, ok);
    CHECK_EQ(reply->data.size(), count * sizeof(T));
    std::vector<T> list(count);
    memcpy(list.data(), reply->data.data(), reply->data.size());
    return list;
}

// A device with one playback and one capture stream on snd-aloop, a guest that
// is started; what it plays the host reads, and the other way round.
struct LoopFixture {
    explicit LoopFixture(GuestSetup setup);
    int number;
    Fd play_fd, record_fd;
    TestDevice device;
    SndGuest guest;
    static constexpr uint32_t playback = 0;
    static constexpr uint32_t capture = 1;

    // What the guest plays, a buffer of it, arrives; what the host plays is recorded: each frame
    // once, in order.
    void good(const Params &params = small());
    void good_capture(const Params &params = small());

private:
    // Plays to the guest; what it recorded, without the silence around it.
    Bytes record(const Params &params, const Bytes &played);
};

// Plays @frames of the pattern from beginning to end: SET_PARAMS to RELEASE;
// what the host heard, without the silence around it. @kick: of the tx queue.
Bytes play(SndGuest &guest, uint32_t stream, HostPcm &host, const Params &params, uint64_t frames,
           bool kick = true);
// Without leading and trailing zeros, in whole frames.
Bytes trimmed(const Bytes &data, const Params &params);

} // namespace dh::snd
