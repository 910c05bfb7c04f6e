// SPDX-License-Identifier: Apache-2.0
// Good sound drivers: what a device is, sample-exact playback and capture
// through snd-aloop, the state machine, xruns, polling, short periods.
#include "snd.hpp"
#include "host.hpp"

using namespace dh;
using snd::ok;

namespace {

constexpr uint8_t hz8000 = VIRTIO_SND_PCM_RATE_8000;
constexpr uint32_t xrun_events = 1U << VIRTIO_SND_PCM_F_EVT_XRUNS;
constexpr uint32_t polling = 1U << VIRTIO_SND_PCM_F_MSG_POLLING;

uint64_t counter(TestDevice &device, const std::string &name)
{
    return device.stats().counters.at(name);
}

// A device with one stream of snd-dummy, whose clock is an hrtimer.
struct DummyFixture {
    DummyFixture(GuestSetup setup, bool capture)
        : fd(snd::open_pcm(snd::card("Dummy"), 0, capture)),
          device(snd::device({{{fd.get()}}, {}, {}}, setup.ring)),
          guest(device.path(), setup)
    {
        fd.reset();
        guest.start();
    }
    Fd fd;
    TestDevice device;
    snd::SndGuest guest;
};

} // namespace

TEST_RINGS("snd: what the device is")
{
    snd::LoopFixture t(snd::with_ring(ring));
    Vdpa &v = t.guest.vdpa();
    CHECK_EQ(v.device_id(), snd::virtio_id);
    CHECK_EQ(v.vqs_count(), 4U);
    CHECK_EQ(v.config_size(), sizeof(virtio_snd_config));
    CHECK(!(v.features() & bit(VIRTIO_SND_F_CTLS)));
    virtio_snd_config config;
    must(v.config_get(0, &config, sizeof(config)), "reading the configuration");
    CHECK_EQ(config.streams, 2U);
    CHECK_EQ(config.jacks, 0U);
    CHECK_EQ(config.chmaps, 0U);
    CHECK_EQ(config.controls, 0U);

    const auto info = t.guest.info<virtio_snd_pcm_info>(VIRTIO_SND_R_PCM_INFO, 0, 2);
    CHECK_EQ(info[0].direction, VIRTIO_SND_D_OUTPUT);
    CHECK_EQ(info[1].direction, VIRTIO_SND_D_INPUT);
    for (const auto &i : info) {
        CHECK_EQ(i.features, xrun_events | polling);
        CHECK(i.formats & bit(VIRTIO_SND_PCM_FMT_S16));
        CHECK(i.formats & bit(VIRTIO_SND_PCM_FMT_S32));
        CHECK(i.formats & bit(VIRTIO_SND_PCM_FMT_FLOAT));
        CHECK(!(i.formats & bit(VIRTIO_SND_PCM_FMT_IMA_ADPCM)));
        CHECK(i.rates & bit(VIRTIO_SND_PCM_RATE_48000));
        CHECK(i.rates & bit(hz8000));
        CHECK_EQ(i.channels_min, 1);
        CHECK(i.channels_max >= 8);
        for (uint8_t byte : i.padding) {
            CHECK_EQ(byte, 0);
        }
    }
    // One at a time as well.
    CHECK_EQ(t.guest.info<virtio_snd_pcm_info>(VIRTIO_SND_R_PCM_INFO, 1, 1)[0].direction,
             VIRTIO_SND_D_INPUT);
    const Stats stats = t.device.stats();
    CHECK_EQ(stats.vqs.at(0).name, "controlq");
    CHECK_EQ(stats.vqs.at(1).name, "eventq");
    CHECK_EQ(stats.vqs.at(2).name, "txq");
    CHECK_EQ(stats.vqs.at(3).name, "rxq");
    CHECK(snd::stream_card(t.device, 0) == static_cast<uint32_t>(t.number));
}

namespace {

// snd-aloop keeps the format that was set first while one of its ends is open,
// so each has a device of its own.
std::vector<snd::Params> all_kinds()
{
    return {
        snd::params(20, 8, hz8000),
        snd::params(10, 16, hz8000, VIRTIO_SND_PCM_FMT_S32, 1),
        snd::params(20, 10, hz8000, VIRTIO_SND_PCM_FMT_S24_3, 6),
        snd::params(20, 10, hz8000, VIRTIO_SND_PCM_FMT_S24, 2),
        snd::params(20, 10, VIRTIO_SND_PCM_RATE_16000, VIRTIO_SND_PCM_FMT_FLOAT, 8),
        snd::params(20, 10, VIRTIO_SND_PCM_RATE_44100),
        snd::params(20, 10),
        snd::params(20, 10, VIRTIO_SND_PCM_RATE_96000),
    };
}

} // namespace

TEST_RINGS("snd: playback is sample-exact: formats, rates, channels")
{
    for (const snd::Params &p : all_kinds()) {
        snd::LoopFixture t(snd::with_ring(ring));
        t.good(p);
        CHECK_EQ(counter(t.device, "io_errors"), 0U);
    }
}

TEST_RINGS("snd: capture is sample-exact: formats, rates, channels")
{
    for (const snd::Params &p : all_kinds()) {
        snd::LoopFixture t(snd::with_ring(ring));
        t.good_capture(p);
        CHECK_EQ(counter(t.device, "io_errors"), 0U);
    }
}

TEST_RINGS("snd: several times round the buffer")
{
    snd::LoopFixture t(snd::with_ring(ring));
    // A second of it, in which the slowest machine comes back in time.
    const snd::Params p = snd::params(20, 50, hz8000);
    const uint64_t frames = 5 * p.hz() / 2;
    snd::HostPcm host(t.number, 1, true);
    CHECK(play(t.guest, snd::LoopFixture::playback, host, p, frames) == pattern(p, 0, frames));
}

TEST_RINGS("snd: frames on the seams of scattered guest memory")
{
    GuestSetup setup = snd::with_ring(ring);
    setup.scatter = true;
    snd::LoopFixture t(setup);
    // 18 bytes a frame: no page ends with a whole one.
    t.good(snd::params(20, 12, VIRTIO_SND_PCM_RATE_16000, VIRTIO_SND_PCM_FMT_S24_3, 6));
    t.good_capture(snd::params(20, 12, VIRTIO_SND_PCM_RATE_16000, VIRTIO_SND_PCM_FMT_S24_3, 6));
}

TEST_RINGS("snd: periods of 1 ms")
{
    snd::LoopFixture t(snd::with_ring(ring));
    // aloop's timer has the kernel's ticks: several periods at a time.
    t.good(snd::params(1, 100));
    t.good_capture(snd::params(1, 100));
}

TEST_RINGS("snd: periods of 1 ms, each told by the clock of the PCM")
{
    DummyFixture t(snd::with_ring(ring), false);
    const snd::Params p = snd::params(1, 64);
    const snd::Bytes period = snd::pattern(p, 0, p.period_bytes / p.frame_bytes());
    CHECK_EQ(t.guest.set_params(0, p), ok);
    CHECK_EQ(t.guest.prepare(0), ok);
    for (int i = 0; i < 60; i++) {
        t.guest.queue_tx(0, period);
    }
    CHECK_EQ(t.guest.start_stream(0), ok);
    const uint64_t before = t.device.stats().vqs.at(VIRTIO_SND_VQ_TX).notified;
    for (int i = 0; i < 1000; i++) {
        auto done = t.guest.tx_done();
        CHECK(done.has_value());
        CHECK_EQ(done->status, ok);
        t.guest.queue_tx(0, period);
    }
    const uint64_t told = t.device.stats().vqs.at(VIRTIO_SND_VQ_TX).notified - before;
    tap::note("1000 periods in " + std::to_string(told) + " notifications");
    // More often than the buffer makes necessary; a slow machine takes several
    // periods at a time.
    CHECK(told > 1000 / 60);
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
}

TEST_RINGS("snd: a request is answered when it was played, not before")
{
    DummyFixture t(snd::with_ring(ring), false);
    const snd::Params p = snd::params(50, 8, hz8000);
    const snd::Bytes period = snd::pattern(p, 0, p.period_bytes / p.frame_bytes());
    CHECK_EQ(t.guest.set_params(0, p), ok);
    CHECK_EQ(t.guest.prepare(0), ok);
    for (int i = 0; i < 8; i++) {
        t.guest.queue_tx(0, period);
    }
    CHECK(!t.guest.tx_done(200)); // nothing plays yet
    timespec begin{}, now{};
    clock_gettime(CLOCK_MONOTONIC, &begin);
    CHECK_EQ(t.guest.start_stream(0), ok);
    for (int i = 1; i <= 8; i++) {
        auto done = t.guest.tx_done();
        CHECK(done.has_value());
        CHECK_EQ(done->status, ok);
        clock_gettime(CLOCK_MONOTONIC, &now);
        const long ms =
            (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;
        CHECK(ms >= 50 * i - 10); // a tick
        CHECK(done->latency < p.buffer_bytes);
    }
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
}

TEST_RINGS("snd: pause, which is STOP and START, loses and repeats nothing")
{
    snd::LoopFixture t(snd::with_ring(ring));
    // Two seconds of it, of which the slowest machine has some left after three pauses.
    const snd::Params p = snd::params(20, 100, hz8000);
    const size_t period = p.period_bytes / p.frame_bytes();
    snd::HostPcm host(t.number, 1, true);
    host.configure(p);
    host.start();
    CHECK_EQ(t.guest.set_params(0, p), ok);
    CHECK_EQ(t.guest.prepare(0), ok);
    constexpr size_t periods = 100;
    for (size_t i = 0; i < periods; i++) {
        CHECK(t.guest.queue_tx(0, snd::pattern(p, i * period, period)) >= 0);
    }
    snd::Bytes heard;
    CHECK_EQ(t.guest.start_stream(0), ok);
    for (int pause = 0; pause < 3; pause++) {
        CHECK(t.guest.tx_done().has_value());
        CHECK(t.guest.tx_done().has_value());
        CHECK_EQ(t.guest.stop(0), ok);
        while (t.guest.tx_done(100)) {
        }
        CHECK(t.guest.tx_pending() > 0);
        CHECK_EQ(t.guest.start_stream(0), ok);
    }
    while (t.guest.tx_pending()) {
        auto done = t.guest.tx_done();
        CHECK(done.has_value());
        CHECK_EQ(done->status, ok);
        const auto more = host.read(p.buffer_bytes, 0);
        heard.insert(heard.end(), more.begin(), more.end());
    }
    const auto more = host.read(p.buffer_bytes, 300);
    heard.insert(heard.end(), more.begin(), more.end());
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
    // Silence lies between the parts; each frame is there once.
    snd::Bytes sound;
    for (size_t at = 0; at + 4 <= heard.size(); at += 4) {
        if (heard[at] | heard[at + 1] | heard[at + 2] | heard[at + 3]) {
            sound.insert(sound.end(), &heard[at], &heard[at] + 4);
        }
    }
    const snd::Bytes played = snd::pattern(p, 0, periods * period);
    // A frame or so that the loop had not fetched when the PCM stopped may be
    // missing at each seam, as on any hardware; none comes twice or out of turn.
    CHECK(sound.size() <= played.size());
    size_t at = 0;
    for (size_t n = 0; n < sound.size(); n += 4, at += 4) {
        while (at < played.size() && memcmp(&played[at], &sound[n], 4) != 0) {
            at += 4;
        }
        CHECK(at < played.size());
    }
    tap::note("frames lost at three seams: " + std::to_string((played.size() - sound.size()) / 4));
}

TEST_RINGS("snd: RELEASE returns every buffer first")
{
    snd::LoopFixture t(snd::with_ring(ring));
    const snd::Params p = snd::params(20, 8, hz8000);
    for (int round = 0; round < 5; round++) {
        CHECK_EQ(t.guest.set_params(0, p), ok);
        CHECK_EQ(t.guest.prepare(0), ok);
        for (int i = 0; i < 40; i++) {
            CHECK(t.guest.queue_tx(0, snd::pattern(p, 0, 160)) >= 0);
        }
        if (round % 2) {
            CHECK_EQ(t.guest.start_stream(0), ok);
            CHECK(t.guest.tx_done().has_value());
            CHECK_EQ(t.guest.stop(0), ok);
        }
        CHECK_EQ(t.guest.release(0), ok);
        // All are in the ring by now.
        while (t.guest.tx_pending()) {
            CHECK(t.guest.tx_done(0).has_value());
        }
        CHECK_EQ(t.guest.set_params(1, p), ok);
        CHECK_EQ(t.guest.prepare(1), ok);
        for (int i = 0; i < 40; i++) {
            CHECK(t.guest.queue_rx(1, p.period_bytes) >= 0);
        }
        CHECK_EQ(t.guest.start_stream(1), ok);
        CHECK_EQ(t.guest.stop(1), ok);
        CHECK_EQ(t.guest.release(1), ok);
        while (t.guest.rx_pending()) {
            auto done = t.guest.rx_done(0);
            CHECK(done.has_value());
            CHECK(done->length >= 8 && done->length <= p.period_bytes + 8);
        }
    }
    t.good();
    t.good_capture();
}

TEST_RINGS("snd: every transition, and every wrong one")
{
    snd::LoopFixture t(snd::with_ring(ring));
    const snd::Params p = snd::params(20, 8, hz8000);
    enum State { idle, configured, prepared, running, stopped };
    enum Command { set, prepare, start, stop, release };
    // Where a command leads; -1: refused.
    constexpr int next[5][5] = {
        {configured, -1, -1, -1, -1},
        {configured, prepared, -1, -1, -1},
        {configured, prepared, running, -1, configured},
        {-1, -1, -1, stopped, -1},
        {-1, -1, running, -1, configured},
    };
    auto send = [&](int command) {
        switch (command) {
        case set:
            return t.guest.set_params(0, p);
        case prepare:
            return t.guest.prepare(0);
        case start:
            return t.guest.start_stream(0);
        case stop:
            return t.guest.stop(0);
        default:
            return t.guest.release(0);
        }
    };
    const std::vector<int> ways[] = {
        {}, {set}, {set, prepare}, {set, prepare, start}, {set, prepare, start, stop}};
    for (int state = idle; state <= stopped; state++) {
        for (int command = set; command <= release; command++) {
            t.guest.restart();
            t.guest.forget();
            for (int step : ways[state]) {
                CHECK_EQ(send(step), ok);
            }
            CHECK_EQ(snd::stream_state(t.device, 0), static_cast<uint32_t>(state));
            CHECK_EQ(send(command), next[state][command] < 0 ? snd::bad_msg : ok);
            const int then = next[state][command] < 0 ? state : next[state][command];
            CHECK_EQ(snd::stream_state(t.device, 0), static_cast<uint32_t>(then));
        }
    }
    t.guest.restart();
    t.guest.forget();
    t.good();
}

TEST_RINGS("snd: PREPARE, START, STOP, RELEASE hundreds of times")
{
    snd::LoopFixture t(snd::with_ring(ring));
    const snd::Params p = snd::params(20, 8, hz8000);
    CHECK_EQ(t.guest.set_params(0, p), ok);
    for (unsigned i = 0; i < tap::rounds(200, 5000); i++) {
        CHECK_EQ(t.guest.prepare(0), ok);
        if (i % 3 == 0) {
            t.guest.queue_tx(0, snd::pattern(p, 0, 160));
        }
        if (i % 2) {
            CHECK_EQ(t.guest.start_stream(0), ok);
            CHECK_EQ(t.guest.stop(0), ok);
        }
        CHECK_EQ(t.guest.release(0), ok);
        while (t.guest.tx_pending()) {
            CHECK(t.guest.tx_done(0).has_value());
        }
    }
    t.good();
}

TEST_RINGS("snd: requests for two streams that overtake each other")
{
    snd::LoopFixture t(snd::with_ring(ring));
    const snd::Params p = snd::params(20, 8, hz8000);
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.set_params(s, p), ok);
    }
    // All at once: each stream has its own turn.
    std::vector<int> ids;
    auto rest = [](uint32_t stream) {
        const auto *raw = reinterpret_cast<const uint8_t *>(&stream);
        return snd::Bytes(raw, raw + 4);
    };
    for (uint32_t code :
         {VIRTIO_SND_R_PCM_PREPARE, VIRTIO_SND_R_PCM_START, VIRTIO_SND_R_PCM_STOP,
          VIRTIO_SND_R_PCM_START, VIRTIO_SND_R_PCM_STOP, VIRTIO_SND_R_PCM_RELEASE}) {
        for (uint32_t s : {0U, 1U}) {
            ids.push_back(t.guest.request_begin(code, rest(s)));
        }
    }
    for (int id : ids) {
        auto answer = t.guest.answer(id);
        CHECK(answer.has_value());
        CHECK_EQ(answer->status, ok);
    }
    t.good();
}

TEST_RINGS("snd: an underrun is told once, and the stream plays on")
{
    snd::LoopFixture t(snd::with_ring(ring));
    snd::Params p = snd::params(20, 8, hz8000);
    p.features = xrun_events;
    t.guest.post_events(8);
    CHECK_EQ(t.guest.set_params(0, p), ok);
    CHECK_EQ(t.guest.prepare(0), ok);
    t.guest.queue_tx(0, snd::pattern(p, 0, 160));
    CHECK_EQ(t.guest.start_stream(0), ok);
    CHECK(t.guest.tx_done().has_value());
    auto event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_PCM_XRUN));
    CHECK_EQ(event->data, 0U);
    CHECK(!t.guest.event(500)); // not again
    // Data ends it; the next one is a new one.
    t.guest.queue_tx(0, snd::pattern(p, 0, 160));
    auto done = t.guest.tx_done();
    CHECK(done.has_value());
    CHECK_EQ(done->status, ok);
    event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(counter(t.device, "underruns"), 2U);
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
    t.good();
}

TEST_RINGS("snd: a driver that stops at its end sees no underrun")
{
    DummyFixture t(snd::with_ring(ring), false);
    snd::Params p = snd::params(500, 4, hz8000);
    p.features = xrun_events;
    t.guest.post_events(8);
    CHECK_EQ(t.guest.set_params(0, p), ok);
    CHECK_EQ(t.guest.prepare(0), ok);
    t.guest.queue_tx(0, snd::pattern(p, 0, p.period_bytes / p.frame_bytes()));
    CHECK_EQ(t.guest.start_stream(0), ok);
    CHECK(t.guest.tx_done().has_value());
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
    CHECK(!t.guest.event(200));
    CHECK_EQ(counter(t.device, "underruns"), 0U);
}

TEST_RINGS("snd: an overrun is told, and the stream records on")
{
    snd::LoopFixture t(snd::with_ring(ring));
    snd::Params p = snd::params(20, 4, hz8000);
    p.features = xrun_events;
    t.guest.post_events(8);
    CHECK_EQ(t.guest.set_params(1, p), ok);
    CHECK_EQ(t.guest.prepare(1), ok);
    CHECK_EQ(t.guest.start_stream(1), ok);
    auto event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_PCM_XRUN));
    CHECK_EQ(event->data, 1U);
    CHECK(counter(t.device, "overruns") > 0);
    t.guest.queue_rx(1, p.period_bytes);
    auto done = t.guest.rx_done();
    CHECK(done.has_value());
    CHECK_EQ(done->status, ok);
    CHECK_EQ(done->data.size(), p.period_bytes);
    CHECK_EQ(t.guest.stop(1), ok);
    CHECK_EQ(t.guest.release(1), ok);
    t.good_capture();
}

// The control queue is served before the tx queue is even known to have something.
TEST_RINGS("snd: what was queued before START is played from its start")
{
    snd::LoopFixture t(snd::with_ring(ring));
    // Of a second in the buffer, a fifth is sound.
    const snd::Params p = snd::params(20, 50, hz8000);
    const uint64_t frames = p.hz() / 5;
    snd::HostPcm host(t.number, 1, true);
    CHECK(snd::play(t.guest, 0, host, p, frames, false) == snd::pattern(p, 0, frames));
}

TEST_RINGS("snd: MSG_POLLING: nobody kicks, and everything plays")
{
    snd::LoopFixture t(snd::with_ring(ring));
    // A second of it, in which the slowest machine comes back in time.
    snd::Params p = snd::params(20, 50, hz8000);
    p.features = polling;
    // Four times round the buffer.
    const uint64_t frames = 4 * p.buffer_bytes / p.frame_bytes();
    snd::HostPcm host(t.number, 1, true);
    const uint64_t kicks = t.device.stats().vqs.at(VIRTIO_SND_VQ_TX).kicks;
    CHECK(snd::play(t.guest, 0, host, p, frames, false) == snd::pattern(p, 0, frames));
    CHECK_EQ(t.device.stats().vqs.at(VIRTIO_SND_VQ_TX).kicks, kicks);
    // But for the end, which nobody stops in time.
    CHECK(counter(t.device, "underruns") <= 1);
}

// Nobody tells of what comes when one of them has been played, and the other one is all that is
// left.
TEST_RINGS("snd: MSG_POLLING with two periods: each is there in time")
{
    snd::LoopFixture t(snd::with_ring(ring));
    snd::Params p = snd::params(1000, 2, hz8000);
    p.features = polling;
    const uint64_t frames = 4 * p.buffer_bytes / p.frame_bytes();
    snd::HostPcm host(t.number, 1, true);
    CHECK(snd::play(t.guest, 0, host, p, frames, false) == snd::pattern(p, 0, frames));
    // But for the end, which nobody stops in time.
    CHECK(counter(t.device, "underruns") <= 1);
}

TEST_RINGS("snd: both ways at once")
{
    snd::LoopFixture t(snd::with_ring(ring));
    const snd::Params p = snd::params(5, 40, hz8000);
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.set_params(s, p), ok);
        CHECK_EQ(t.guest.prepare(s), ok);
    }
    const snd::Bytes period = snd::pattern(p, 0, p.period_bytes / p.frame_bytes());
    for (int i = 0; i < 40; i++) {
        t.guest.queue_tx(0, period);
        t.guest.queue_rx(1, p.period_bytes);
    }
    CHECK_EQ(t.guest.start_stream(0), ok);
    CHECK_EQ(t.guest.start_stream(1), ok);
    for (unsigned i = 0; i < tap::rounds(400, 20000); i++) {
        auto tx = t.guest.tx_done();
        CHECK(tx.has_value() && tx->status == ok);
        t.guest.queue_tx(0, period);
        auto rx = t.guest.rx_done();
        CHECK(rx.has_value() && rx->status == ok);
        t.guest.queue_rx(1, p.period_bytes);
    }
    tap::note("underruns " + std::to_string(counter(t.device, "underruns")) + ", overruns " +
              std::to_string(counter(t.device, "overruns")));
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.stop(s), ok);
        CHECK_EQ(t.guest.release(s), ok);
    }
}
