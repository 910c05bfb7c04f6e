// SPDX-License-Identifier: Apache-2.0
#include "snd.hpp"

#include <poll.h>
#include <sound/asound.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "host.hpp"

namespace dh::snd {

namespace {

struct Format {
    int alsa;
    uint32_t bytes;
};

const std::map<uint8_t, Format> formats = {
    {VIRTIO_SND_PCM_FMT_U8, {1, 1}},       {VIRTIO_SND_PCM_FMT_S16, {2, 2}},
    {VIRTIO_SND_PCM_FMT_S24, {6, 4}},      {VIRTIO_SND_PCM_FMT_S24_3, {32, 3}},
    {VIRTIO_SND_PCM_FMT_S32, {10, 4}},     {VIRTIO_SND_PCM_FMT_FLOAT, {14, 4}},
    {VIRTIO_SND_PCM_FMT_FLOAT64, {16, 8}},
};

const std::map<uint8_t, uint32_t> rates = {
    {VIRTIO_SND_PCM_RATE_8000, 8000},   {VIRTIO_SND_PCM_RATE_16000, 16000},
    {VIRTIO_SND_PCM_RATE_44100, 44100}, {VIRTIO_SND_PCM_RATE_48000, 48000},
    {VIRTIO_SND_PCM_RATE_96000, 96000}, {VIRTIO_SND_PCM_RATE_192000, 192000},
};

void call(int fd, unsigned long request, void *argument, const char *what)
{
    if (ioctl(fd, request, argument) < 0) {
        throw std::runtime_error(std::string(what) + ": " + strerror(errno));
    }
}

snd_interval &interval(snd_pcm_hw_params &p, int n)
{
    return p.intervals[n - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
}

void only(snd_pcm_hw_params &p, int n, unsigned value)
{
    snd_mask &mask = p.masks[n - SNDRV_PCM_HW_PARAM_FIRST_MASK];
    memset(&mask, 0, sizeof(mask));
    mask.bits[value / 32] |= 1U << value % 32;
}

void exactly(snd_pcm_hw_params &p, int n, unsigned value)
{
    interval(p, n) = {
        .min = value, .max = value, .openmin = 0, .openmax = 0, .integer = 1, .empty = 0};
}

snd_pcm_hw_params any_params()
{
    snd_pcm_hw_params p{};
    for (auto &mask : p.masks) {
        memset(&mask, 0xff, sizeof(mask));
    }
    for (auto &range : p.intervals) {
        range.max = ~0U;
    }
    p.rmask = ~0U;
    p.info = ~0U;
    return p;
}

Bytes words(std::initializer_list<uint32_t> list)
{
    Bytes bytes(list.size() * 4);
    memcpy(bytes.data(), list.begin(), bytes.size());
    return bytes;
}

NetlinkReply set(TestDevice &device, uint16_t type, const Attrs &item)
{
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, device.guest())
        .string(DEVHOST_A_DEV_NAME, device.name())
        .nest(DEVHOST_A_DEV_BACKEND, Attrs().nest(type, item));
    return device.control().genl().request(DEVHOST_CMD_DEVICE_SET,
                                           Attrs().nest(DEVHOST_A_DEV, fields));
}

std::vector<Attr> stream_attrs(TestDevice &device, uint32_t id)
{
    for (const Attr &attr : device.info().backend) {
        if (attr.type() == DEVHOST_A_SND_STREAM) {
            auto fields = attr.children();
            if (number(fields, DEVHOST_A_SND_STREAM_ID) == id) {
                return fields;
            }
        }
    }
    throw tap::Failure("the device has no such stream");
}

} // namespace

uint32_t Params::frame_bytes() const
{
    return formats.at(format).bytes * channels;
}

uint32_t Params::hz() const
{
    return rates.at(rate);
}

unsigned Params::period_ms() const
{
    return period_bytes / frame_bytes() * 1000 / hz();
}

Params params(unsigned period_ms, unsigned periods, uint8_t rate, uint8_t format, uint8_t channels)
{
    Params p;
    p.rate = rate;
    p.format = format;
    p.channels = channels;
    p.period_bytes = p.hz() * period_ms / 1000 * p.frame_bytes();
    p.buffer_bytes = p.period_bytes * periods;
    return p;
}

Params small()
{
    return params(20, 8, VIRTIO_SND_PCM_RATE_8000);
}

GuestSetup with_ring(RingKind ring)
{
    GuestSetup setup = dh::with_ring(ring);
    setup.queue_size = 512;
    return setup;
}

Bytes pattern(const Params &params, uint64_t first, size_t frames)
{
    const uint32_t frame = params.frame_bytes();
    Bytes data(frames * frame);
    for (size_t n = 0; n < frames; n++) {
        uint32_t x = static_cast<uint32_t>(first + n + 1) * 2654435761U;
        for (uint32_t i = 0; i < frame; i++) {
            x = x * 1664525U + 1013904223U;
            data[n * frame + i] = static_cast<uint8_t>(1 + (x >> 24) % 255);
        }
    }
    return data;
}

int card(const std::string &id)
{
    for (int tries = 0; tries < 200; tries++) {
        std::error_code none; // before the first driver there is no such class
        for (const auto &entry : std::filesystem::directory_iterator("/sys/class/sound", none)) {
            const std::string name = entry.path().filename();
            std::string found;
            if (name.starts_with("card") && std::ifstream(entry.path() / "id") >> found &&
                found == id) {
                return std::stoi(name.substr(4));
            }
        }
        if (tries == 0) {
            shell(id == "Loopback" ? "modprobe snd-aloop" : "modprobe snd-dummy");
        }
        usleep(10000);
    }
    throw std::runtime_error("the host has no card " + id);
}

std::string pcm_path(int card, unsigned device, bool capture)
{
    return "/dev/snd/pcmC" + std::to_string(card) + "D" + std::to_string(device) +
           (capture ? "c" : "p");
}

namespace {

Fd open_node(const std::string &path, int flags)
{
    // The node of a card that has just come appears a moment later, and a PCM
    // that was let go is closed a moment later.
    for (int tries = 0;; tries++) {
        Fd fd(open(path.c_str(), flags | O_CLOEXEC));
        if (fd) {
            return fd;
        }
        if (tries > 300 || (errno != ENOENT && errno != EBUSY && errno != EAGAIN)) {
            throw std::runtime_error(path + ": " + strerror(errno));
        }
        usleep(10000);
    }
}

} // namespace

bool substream_runs(int card, unsigned device, bool capture, unsigned subdevice)
{
    const std::string pcm = "/proc/asound/card" + std::to_string(card) + "/pcm" +
                            std::to_string(device) + (capture ? "c" : "p");
    return read_file(pcm + "/sub" + std::to_string(subdevice) + "/status").find("RUNNING") !=
           std::string::npos;
}

Fd open_pcm(int card, unsigned device, bool capture)
{
    return open_node(pcm_path(card, device, capture), O_RDWR | O_NONBLOCK);
}

Fd open_control(int card)
{
    Fd fd = open_node("/dev/snd/controlC" + std::to_string(card), O_RDWR | O_NONBLOCK);
    int on = 1;
    call(fd.get(), SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS, &on, "subscribing to control events");
    return fd;
}

HostPcm::HostPcm(int card, unsigned device, bool capture, int flags)
    : fd_(open_node(pcm_path(card, device, capture), O_RDWR | flags))
{
}

void HostPcm::configure(const Params &params, unsigned periods)
{
    snd_pcm_hw_params p = any_params();
    frame_bytes_ = params.frame_bytes();
    only(p, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
    only(p, SNDRV_PCM_HW_PARAM_FORMAT, static_cast<unsigned>(formats.at(params.format).alsa));
    exactly(p, SNDRV_PCM_HW_PARAM_CHANNELS, params.channels);
    exactly(p, SNDRV_PCM_HW_PARAM_RATE, params.hz());
    if (periods) {
        exactly(p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, params.period_bytes / frame_bytes_);
        exactly(p, SNDRV_PCM_HW_PARAM_PERIODS, periods);
    } else {
        // A second and more, so that a slow test is not an overrun.
        interval(p, SNDRV_PCM_HW_PARAM_BUFFER_SIZE).min = params.hz();
    }
    call(fd_.get(), SNDRV_PCM_IOCTL_HW_PARAMS, &p, "HW_PARAMS");
    snd_pcm_sw_params sw{};
    sw.period_step = 1;
    sw.avail_min = 1;
    sw.start_threshold = 1;
    sw.stop_threshold = interval(p, SNDRV_PCM_HW_PARAM_BUFFER_SIZE).min;
    call(fd_.get(), SNDRV_PCM_IOCTL_SW_PARAMS, &sw, "SW_PARAMS");
    prepare();
}

void HostPcm::prepare()
{
    call(fd_.get(), SNDRV_PCM_IOCTL_PREPARE, nullptr, "PREPARE");
}

void HostPcm::start()
{
    call(fd_.get(), SNDRV_PCM_IOCTL_START, nullptr, "START");
}

void HostPcm::drop()
{
    call(fd_.get(), SNDRV_PCM_IOCTL_DROP, nullptr, "DROP");
}

void HostPcm::write(const Bytes &data)
{
    size_t done = 0;
    while (done < data.size()) {
        const ssize_t n = ::write(fd_.get(), data.data() + done, data.size() - done);
        if (n > 0) {
            done += static_cast<size_t>(n);
            continue;
        }
        if (errno != EAGAIN) {
            throw std::runtime_error(std::string("writing to the host's PCM: ") + strerror(errno));
        }
        pollfd wait{fd_.get(), POLLOUT, 0};
        if (poll(&wait, 1, 10000) <= 0) {
            throw std::runtime_error("the host's PCM does not play");
        }
    }
}

Bytes HostPcm::read(size_t bytes, int timeout_ms)
{
    Bytes data(bytes);
    size_t done = 0;
    while (done < bytes) {
        const ssize_t n = ::read(fd_.get(), data.data() + done, bytes - done);
        if (n > 0) {
            done += static_cast<size_t>(n);
            continue;
        }
        if (errno != EAGAIN) {
            throw std::runtime_error(std::string("reading from the host's PCM: ") +
                                     strerror(errno));
        }
        pollfd wait{fd_.get(), POLLIN, 0};
        if (poll(&wait, 1, timeout_ms) <= 0) {
            break;
        }
    }
    data.resize(done);
    return data;
}

uint64_t HostPcm::position()
{
    snd_pcm_status status{};
    call(fd_.get(), SNDRV_PCM_IOCTL_STATUS, &status, "STATUS");
    return status.hw_ptr;
}

Plug::Plug(const std::string &driver)
    : driver_("/sys/bus/platform/drivers/" + driver), device_(driver + ".0")
{
}

Plug::~Plug()
{
    if (out_) {
        try {
            in();
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }
}

void Plug::out()
{
    shell("timeout 20 sh -c 'echo " + device_ + " > " + driver_ + "/unbind'");
    out_ = true;
}

void Plug::in()
{
    shell("echo " + device_ + " > " + driver_ + "/bind");
    out_ = false;
}

HostControls::HostControls(int card)
    : fd_(open_node("/dev/snd/controlC" + std::to_string(card), O_RDWR))
{
}

uint32_t HostControls::numid(const std::string &name, uint32_t index)
{
    std::vector<snd_ctl_elem_id> ids(1024);
    snd_ctl_elem_list list{};
    list.space = static_cast<unsigned>(ids.size());
    list.pids = ids.data();
    call(fd_.get(), SNDRV_CTL_IOCTL_ELEM_LIST, &list, "ELEM_LIST");
    for (unsigned i = 0; i < list.used; i++) {
        if (reinterpret_cast<const char *>(ids[i].name) == name && ids[i].index == index) {
            return ids[i].numid;
        }
    }
    throw std::runtime_error("the card has no element " + name);
}

std::vector<long> HostControls::read(uint32_t numid, unsigned count)
{
    snd_ctl_elem_value value{};
    value.id.numid = numid;
    call(fd_.get(), SNDRV_CTL_IOCTL_ELEM_READ, &value, "ELEM_READ");
    return {value.value.integer.value, value.value.integer.value + count};
}

void HostControls::write(uint32_t numid, const std::vector<long> &values)
{
    snd_ctl_elem_value value{};
    value.id.numid = numid;
    std::copy(values.begin(), values.end(), value.value.integer.value);
    call(fd_.get(), SNDRV_CTL_IOCTL_ELEM_WRITE, &value, "ELEM_WRITE");
}

DeviceParams device(const Setup &setup, RingKind ring)
{
    DeviceParams params;
    params.device_class = "snd";
    if (ring == RingKind::split) {
        params.features_mask = ~bit(VIRTIO_F_RING_PACKED);
    }
    Attrs backend;
    for (const StreamSetup &s : setup.streams) {
        Attrs fields;
        fields.u32(DEVHOST_A_SND_STREAM_FD, static_cast<uint32_t>(s.fd));
        fields.u32(DEVHOST_A_SND_STREAM_NODE, s.node);
        for (auto [type, value] : {std::pair{DEVHOST_A_SND_STREAM_CHANNELS_MAX, s.channels_max},
                                   {DEVHOST_A_SND_STREAM_RATE_MAX, s.rate_max},
                                   {DEVHOST_A_SND_STREAM_PERIOD_MIN, s.period_min},
                                   {DEVHOST_A_SND_STREAM_BUFFER_MAX, s.buffer_max}}) {
            if (value) {
                fields.u32(type, *value);
            }
        }
        backend.nest(DEVHOST_A_SND_STREAM, fields);
    }
    for (const JackSetup &j : setup.jacks) {
        backend.nest(DEVHOST_A_SND_JACK, Attrs()
                                             .u32(DEVHOST_A_SND_JACK_DEFCONF, j.defconf)
                                             .u32(DEVHOST_A_SND_JACK_CAPS, j.caps)
                                             .u32(DEVHOST_A_SND_JACK_CONNECTED, j.connected));
    }
    for (const ControlSetup &c : setup.controls) {
        Attrs fields;
        fields.u32(DEVHOST_A_SND_CONTROL_FD, static_cast<uint32_t>(c.fd))
            .u32(DEVHOST_A_SND_CONTROL_NUMID, c.numid)
            .u32(DEVHOST_A_SND_CONTROL_ROLE, c.role);
        if (c.read_only) {
            fields.flag(DEVHOST_A_SND_CONTROL_READ_ONLY);
        }
        backend.nest(DEVHOST_A_SND_CONTROL, fields);
    }
    params.backend = backend;
    return params;
}

NetlinkReply set_stream(TestDevice &device, uint32_t id, int fd)
{
    return set(device, DEVHOST_A_SND_STREAM,
               Attrs()
                   .u32(DEVHOST_A_SND_STREAM_ID, id)
                   .u32(DEVHOST_A_SND_STREAM_FD, static_cast<uint32_t>(fd)));
}

NetlinkReply set_jack(TestDevice &device, uint32_t id, bool connected)
{
    return set(device, DEVHOST_A_SND_JACK,
               Attrs().u32(DEVHOST_A_SND_JACK_ID, id).u32(DEVHOST_A_SND_JACK_CONNECTED, connected));
}

NetlinkReply set_control(TestDevice &device, uint32_t id, int fd, uint32_t numid)
{
    return set(device, DEVHOST_A_SND_CONTROL,
               Attrs()
                   .u32(DEVHOST_A_SND_CONTROL_ID, id)
                   .u32(DEVHOST_A_SND_CONTROL_FD, static_cast<uint32_t>(fd))
                   .u32(DEVHOST_A_SND_CONTROL_NUMID, numid));
}

std::optional<uint32_t> stream_card(TestDevice &device, uint32_t id)
{
    auto attr = find(stream_attrs(device, id), DEVHOST_A_SND_STREAM_CARD);
    return attr ? std::optional(static_cast<uint32_t>(attr->number())) : std::nullopt;
}

uint32_t stream_state(TestDevice &device, uint32_t id)
{
    return static_cast<uint32_t>(number(stream_attrs(device, id), DEVHOST_A_SND_STREAM_STATE));
}

uint64_t SndGuest::slot(size_t bytes)
{
    auto &pool = slots_[bytes];
    if (pool.empty()) {
        return alloc(bytes);
    }
    const uint64_t where = pool.back();
    pool.pop_back();
    return where;
}

void SndGuest::free_slot(uint64_t addr, size_t bytes)
{
    slots_[bytes].push_back(addr);
}

int SndGuest::request_begin(uint32_t code, const Bytes &rest, size_t room)
{
    const size_t out = 4 + rest.size();
    const uint64_t where = slot(out + 4 + room);
    *as<uint32_t>(where) = code;
    if (!rest.empty()) {
        memcpy(at(where + 4, rest.size()), rest.data(), rest.size());
    }
    memset(at(where + out, 4 + room), 0xee, 4 + room);
    Queue &q = queue(VIRTIO_SND_VQ_CONTROL);
    const int id = q.add({{where, static_cast<uint32_t>(out), false},
                          {where + out, static_cast<uint32_t>(4 + room), true}});
    CHECK(id >= 0);
    control_[id] = {where, out, room};
    q.kick_if_wanted();
    return id;
}

std::optional<SndGuest::Answer> SndGuest::answer(int id, int timeout_ms)
{
    while (!answers_.count(id)) {
        const Used used = queue(VIRTIO_SND_VQ_CONTROL).expect(timeout_ms);
        auto found = control_.find(used.id);
        CHECK(found != control_.end());
        const Control c = found->second;
        control_.erase(found);
        std::optional<Answer> got;
        if (used.length >= 4) {
            const uint8_t *raw = at(c.addr + c.out, 4 + c.room);
            got = Answer{};
            memcpy(&got->status, raw, 4);
            got->data.assign(raw + 4, raw + used.length);
        }
        answers_[used.id] = got;
        free_slot(c.addr, c.out + 4 + c.room);
    }
    auto result = answers_[id];
    answers_.erase(id);
    return result;
}

std::optional<SndGuest::Answer> SndGuest::request(uint32_t code, const Bytes &rest, size_t room,
                                                  int timeout_ms)
{
    return answer(request_begin(code, rest, room), timeout_ms);
}

uint32_t SndGuest::info_status(uint32_t code, uint32_t start, uint32_t count, uint32_t size,
                               size_t room)
{
    auto reply = request(code, words({start, count, size}), room);
    return reply ? reply->status : 0;
}

uint32_t SndGuest::set_params(uint32_t stream, const Params &p)
{
    Bytes rest = words({stream, p.buffer_bytes, p.period_bytes, p.features});
    rest.insert(rest.end(), {p.channels, p.format, p.rate, p.padding});
    auto reply = request(VIRTIO_SND_R_PCM_SET_PARAMS, rest);
    return reply ? reply->status : 0;
}

uint32_t SndGuest::pcm(uint32_t code, uint32_t stream)
{
    auto reply = request(code, words({stream}));
    return reply ? reply->status : 0;
}

int SndGuest::queue_tx(uint32_t stream, const Bytes &data, bool kick)
{
    const size_t bytes = data.size();
    const uint64_t where = slot(4 + bytes + 8);
    *as<uint32_t>(where) = stream;
    if (bytes) {
        memcpy(at(where + 4, bytes), data.data(), bytes);
    }
    memset(at(where + 4 + bytes, 8), 0, 8);
    Queue &q = queue(VIRTIO_SND_VQ_TX);
    const int id =
        q.add({{where, static_cast<uint32_t>(4 + bytes), false}, {where + 4 + bytes, 8, true}});
    if (id < 0) {
        free_slot(where, 4 + bytes + 8);
        return id;
    }
    tx_[id] = {where, bytes};
    if (kick) {
        q.kick_if_wanted();
    }
    return id;
}

int SndGuest::queue_rx(uint32_t stream, size_t bytes, bool kick)
{
    const uint64_t where = slot(4 + bytes + 8);
    *as<uint32_t>(where) = stream;
    memset(at(where + 4, bytes + 8), 0, bytes + 8);
    Queue &q = queue(VIRTIO_SND_VQ_RX);
    const int id = q.add({{where, 4, false},
                          {where + 4, static_cast<uint32_t>(bytes), true},
                          {where + 4 + bytes, 8, true}});
    if (id < 0) {
        free_slot(where, 4 + bytes + 8);
        return id;
    }
    rx_[id] = {where, bytes};
    if (kick) {
        q.kick_if_wanted();
    }
    return id;
}

std::optional<Done> SndGuest::done(uint32_t vq, std::map<int, Pending> &pending, int timeout_ms)
{
    Queue &q = queue(vq);
    Used used{};
    if (!q.wait(timeout_ms) || !q.take(used)) {
        return std::nullopt;
    }
    auto found = pending.find(used.id);
    if (found == pending.end()) {
        throw tap::Failure("a request came back that was not pending");
    }
    const Pending p = found->second;
    pending.erase(found);
    Done result;
    result.id = used.id;
    result.length = used.length;
    virtio_snd_pcm_status status;
    memcpy(&status, at(p.addr + 4 + p.data, 8), 8);
    result.status = status.status;
    result.latency = status.latency_bytes;
    if (vq == VIRTIO_SND_VQ_RX && used.length > 8) {
        const uint8_t *raw = at(p.addr + 4, p.data);
        result.data.assign(raw, raw + std::min<size_t>(used.length - 8, p.data));
    }
    free_slot(p.addr, 4 + p.data + 8);
    return result;
}

std::optional<Done> SndGuest::tx_done(int timeout_ms)
{
    return done(VIRTIO_SND_VQ_TX, tx_, timeout_ms);
}

std::optional<Done> SndGuest::rx_done(int timeout_ms)
{
    return done(VIRTIO_SND_VQ_RX, rx_, timeout_ms);
}

void SndGuest::post_events(unsigned count, uint32_t size)
{
    Queue &q = queue(VIRTIO_SND_VQ_EVENT);
    for (unsigned i = 0; i < count; i++) {
        const uint64_t where = alloc(std::max<uint32_t>(size, 8));
        const int id = q.add({{where, size, true}});
        CHECK(id >= 0);
        events_[id] = {where, size};
    }
    q.kick_if_wanted();
}

std::optional<virtio_snd_event> SndGuest::event(int timeout_ms, bool repost)
{
    Queue &q = queue(VIRTIO_SND_VQ_EVENT);
    Used used{};
    if (!q.wait(timeout_ms) || !q.take(used)) {
        return std::nullopt;
    }
    const auto [where, size] = events_.at(used.id);
    events_.erase(used.id);
    CHECK_EQ(used.length, sizeof(virtio_snd_event));
    virtio_snd_event result;
    memcpy(&result, at(where, sizeof(result)), sizeof(result));
    if (repost) {
        const int id = q.add({{where, size, true}});
        CHECK(id >= 0);
        events_[id] = {where, size};
        q.kick_if_wanted();
    }
    return result;
}

void SndGuest::forget()
{
    tx_.clear();
    rx_.clear();
    control_.clear();
    answers_.clear();
    events_.clear();
}

Bytes trimmed(const Bytes &data, const Params &params)
{
    const size_t frame = params.frame_bytes();
    size_t first = 0;
    size_t last = data.size() / frame * frame;
    auto silent = [&](size_t at) {
        return std::all_of(data.begin() + static_cast<ptrdiff_t>(at),
                           data.begin() + static_cast<ptrdiff_t>(at + frame),
                           [](uint8_t b) { return b == 0; });
    };
    while (first < last && silent(first)) {
        first += frame;
    }
    while (last > first && silent(last - frame)) {
        last -= frame;
    }
    return {data.begin() + static_cast<ptrdiff_t>(first),
            data.begin() + static_cast<ptrdiff_t>(last)};
}

Bytes play(SndGuest &guest, uint32_t stream, HostPcm &host, const Params &params, uint64_t frames,
           bool kick)
{
    const uint64_t period = params.period_bytes / params.frame_bytes();
    host.configure(params);
    host.start();
    CHECK_EQ(guest.set_params(stream, params), ok);
    CHECK_EQ(guest.prepare(stream), ok);
    uint64_t queued = 0;
    auto feed = [&] {
        const uint64_t n = std::min(period, frames - queued);
        CHECK(guest.queue_tx(stream, pattern(params, queued, n), kick) >= 0);
        queued += n;
    };
    while (queued < frames && guest.tx_pending() < params.buffer_bytes / params.period_bytes) {
        feed();
    }
    CHECK_EQ(guest.start_stream(stream), ok);
    Bytes heard;
    while (guest.tx_pending()) {
        auto done = guest.tx_done();
        CHECK(done.has_value());
        CHECK_EQ(done->status, ok);
        CHECK_EQ(done->length, 8U);
        if (queued < frames) {
            feed();
        }
        const Bytes more = host.read(params.buffer_bytes * 4, 0);
        heard.insert(heard.end(), more.begin(), more.end());
    }
    // All that is there, and a fifth of a second.
    for (const auto &[bytes, timeout_ms] :
         {std::pair(params.buffer_bytes * 4, 0),
          std::pair(params.hz() / 5 * params.frame_bytes(), 300)}) {
        const Bytes more = host.read(bytes, timeout_ms);
        heard.insert(heard.end(), more.begin(), more.end());
    }
    CHECK_EQ(guest.stop(stream), ok);
    CHECK_EQ(guest.release(stream), ok);
    host.drop();
    return trimmed(heard, params);
}

namespace {

// Which frame of @played a frame of @heard is, if any.
std::string frame_name(const Bytes &heard, size_t at, const Bytes &played, size_t frame)
{
    if (std::all_of(&heard[at], &heard[at] + frame, [](uint8_t byte) { return byte == 0; })) {
        return "silence";
    }
    for (size_t n = 0; n < played.size(); n += frame) {
        if (memcmp(&heard[at], &played[n], frame) == 0) {
            return "frame " + std::to_string(n / frame);
        }
    }
    return "none of them";
}

// Says where what was heard stops or starts to be what was played.
void note_difference(const Bytes &heard, const Bytes &played, size_t frame)
{
    bool same = true;
    for (size_t at = 0; at < heard.size(); at += frame) {
        const bool now = memcmp(&heard[at], &played[at], frame) == 0;
        if (now != same) {
            tap::note("frame " + std::to_string(at / frame) + " of " +
                      std::to_string(heard.size() / frame) + " is " +
                      frame_name(heard, at, played, frame));
        }
        same = now;
    }
}

// Whether the frames of @some are frames of @all, in the same order.
bool in_order(const Bytes &some, const Bytes &all, size_t frame)
{
    size_t at = 0;
    for (size_t n = 0; n < some.size(); n += frame, at += frame) {
        while (at < all.size() && memcmp(&some[n], &all[at], frame) != 0) {
            at += frame;
        }
        if (at >= all.size()) {
            return false;
        }
    }
    return true;
}

} // namespace

LoopFixture::LoopFixture(GuestSetup setup)
    : number(card("Loopback")),
      play_fd(open_pcm(number, 0, false)),
      record_fd(open_pcm(number, 0, true)),
      device(snd::device({{{play_fd.get()}, {record_fd.get()}}, {}, {}}, setup.ring)),
      guest(device.path(), setup)
{
    play_fd.reset();
    record_fd.reset();
    guest.start();
}

// All of it is in the buffer before the stream starts, with silence behind it in a buffer that is
// much larger: a slow machine makes it neither late nor heard twice.
void LoopFixture::good(const Params &params)
{
    HostPcm host(number, 1, true);
    const uint64_t frames = params.buffer_bytes / params.frame_bytes();
    Params roomy = params;
    const uint32_t most =
        std::min({2 * params.hz() * params.frame_bytes(), 1U << 20, 500 * params.period_bytes});
    roomy.buffer_bytes =
        std::max(params.buffer_bytes, most / params.period_bytes * params.period_bytes);
    const Bytes heard = play(guest, playback, host, roomy, frames);
    const Bytes played = pattern(params, 0, frames);
    CHECK_EQ(heard.size(), played.size());
    note_difference(heard, played, params.frame_bytes());
    CHECK(heard == played);
}

// A guest that is late loses frames. That is counted: else none is missing, and none is twice.
void LoopFixture::good_capture(const Params &params)
{
    const Bytes played = pattern(params, 0, params.hz() / 4);
    const uint64_t late = device.stats().counters.at("overruns");
    const Bytes heard = record(params, played);
    if (device.stats().counters.at("overruns") == late) {
        CHECK_EQ(heard.size(), played.size());
        CHECK(heard == played);
        return;
    }
    tap::note("the guest was late");
    CHECK(!heard.empty());
    CHECK(in_order(heard, played, params.frame_bytes()));
}

Bytes LoopFixture::record(const Params &params, const Bytes &played)
{
    HostPcm host(number, 1, false);
    host.configure(params);
    CHECK_EQ(guest.set_params(capture, params), ok);
    CHECK_EQ(guest.prepare(capture), ok);
    for (unsigned i = 0; i < params.buffer_bytes / params.period_bytes; i++) {
        CHECK(guest.queue_rx(capture, params.period_bytes) >= 0);
    }
    CHECK_EQ(guest.start_stream(capture), ok);
    host.write(played);
    Bytes heard;
    for (size_t bytes = 0; bytes < 8 * played.size();) {
        auto done = guest.rx_done();
        CHECK(done.has_value());
        CHECK_EQ(done->status, ok);
        CHECK_EQ(done->length, params.period_bytes + 8);
        bytes += done->data.size();
        heard.insert(heard.end(), done->data.begin(), done->data.end());
        guest.queue_rx(capture, params.period_bytes);
        if (trimmed(heard, params).size() >= played.size()) {
            break;
        }
    }
    CHECK_EQ(guest.stop(capture), ok);
    CHECK_EQ(guest.release(capture), ok);
    while (guest.rx_pending()) {
        CHECK(guest.rx_done().has_value());
    }
    host.drop();
    return trimmed(heard, params);
}

} // namespace dh::snd
