// SPDX-License-Identifier: Apache-2.0
// What happens around a stream: reset, suspend, a VMM that dies, cards that go
// and come back (A10), jacks, control elements, configuration.
#include <fcntl.h>
#include <poll.h>

#include <fstream>

#include "child.hpp"
#include "host.hpp"
#include "snd.hpp"

using namespace dh;
using snd::bad_msg;
using snd::io_err;
using snd::not_supp;
using snd::ok;
using snd::small;

namespace {

void run(snd::SndGuest &guest, uint32_t stream, const snd::Params &p, unsigned buffers = 8)
{
    CHECK_EQ(guest.set_params(stream, p), ok);
    CHECK_EQ(guest.prepare(stream), ok);
    for (unsigned i = 0; i < buffers; i++) {
        if (stream == snd::LoopFixture::playback) {
            guest.queue_tx(stream, snd::pattern(p, 0, p.period_bytes / p.frame_bytes()));
        } else {
            guest.queue_rx(stream, p.period_bytes);
        }
    }
    CHECK_EQ(guest.start_stream(stream), ok);
}

} // namespace

TEST_RINGS("snd: reset in the middle of streaming, both ways")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (unsigned i = 0; i < tap::rounds(40, 1000); i++) {
        run(t.guest, 0, small());
        run(t.guest, 1, small());
        if (i % 2) {
            t.guest.tx_done();
        }
        t.guest.restart();
        t.guest.forget();
    }
    // Nothing plays on behind the guest's back.
    for (int waited = 0; waited < 200; waited++) {
        if (!snd::substream_runs(t.number, 0, false)) {
            break;
        }
        usleep(10000);
    }
    CHECK(!snd::substream_runs(t.number, 0, false));
    t.good();
    t.good_capture();
}

TEST_RINGS("snd: reset while control requests are under way")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (unsigned i = 0; i < tap::rounds(100, 2000); i++) {
        uint32_t stream = i % 2;
        const auto *raw = reinterpret_cast<const uint8_t *>(&stream);
        CHECK_EQ(t.guest.set_params(stream, small()), ok);
        t.guest.request_begin(VIRTIO_SND_R_PCM_PREPARE, {raw, raw + 4});
        t.guest.request_begin(VIRTIO_SND_R_PCM_START, {raw, raw + 4});
        if (i % 3 == 0) {
            usleep(1000);
        }
        t.guest.restart();
        t.guest.forget();
    }
    t.good();
}

TEST_RINGS("snd: suspended and resumed in the middle of streaming")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (int i = 0; i < 10; i++) {
        run(t.guest, 0, small(), 20);
        run(t.guest, 1, small(), 20);
        t.guest.tx_done();
        const auto bases = t.guest.halt();
        // All is given back, once.
        while (t.guest.tx_pending()) {
            CHECK(t.guest.tx_done(0).has_value());
        }
        while (t.guest.rx_pending()) {
            CHECK(t.guest.rx_done(0).has_value());
        }
        if (i % 2) {
            // To another device: it starts from the beginning.
            t.guest.go_on(bases);
            t.guest.forget();
            continue;
        }
        must(t.guest.vdpa().resume(), "VHOST_VDPA_RESUME");
        // The streams run still, and take data.
        t.guest.queue_tx(0, snd::pattern(small(), 0, 160));
        auto tx = t.guest.tx_done();
        CHECK(tx.has_value());
        CHECK_EQ(tx->status, ok);
        t.guest.queue_rx(1, small().period_bytes);
        auto rx = t.guest.rx_done();
        CHECK(rx.has_value());
        CHECK_EQ(rx->status, ok);
        for (uint32_t s : {0U, 1U}) {
            CHECK_EQ(t.guest.stop(s), ok);
            CHECK_EQ(t.guest.release(s), ok);
        }
    }
    t.good();
    t.good_capture();
}

TEST_RINGS("snd: a VMM that is killed while it streams")
{
    const int number = snd::card("Loopback");
    Fd play = snd::open_pcm(number, 0, false);
    Fd record = snd::open_pcm(number, 0, true);
    TestDevice device(snd::device({{{play.get()}, {record.get()}}, {}, {}}, ring));
    play.reset();
    record.reset();
    for (int i = 0; i < 5; i++) {
        Child vmm([&](Child &self) {
            snd::SndGuest guest(device.path(), snd::with_ring(ring));
            guest.start();
            run(guest, 0, small(), 100);
            run(guest, 1, small(), 100);
            self.tell();
            for (;;) {
                guest.tx_done();
            }
        });
        vmm.wait_told();
        usleep(20000);
        vmm.kill();
        for (int waited = 0; waited < 500; waited++) {
            if (device.info().state == DEVHOST_DEV_IDLE && !snd::substream_runs(number, 0, false)) {
                break;
            }
            usleep(10000);
        }
        CHECK(!snd::substream_runs(number, 0, false));
    }
    CHECK_EQ(device.pinned(), 0U);
    snd::SndGuest guest(device.path(), snd::with_ring(ring));
    guest.start();
    snd::HostPcm host(number, 1, true);
    const snd::Params roomy = snd::params(20, 50, VIRTIO_SND_PCM_RATE_8000);
    CHECK(snd::play(guest, 0, host, roomy, 1000) == snd::pattern(roomy, 0, 1000));
}

TEST_RINGS("A10 the card is unplugged while it plays and records, and comes back")
{
    snd::LoopFixture t(snd::with_ring(ring));
    snd::Plug plug("snd_aloop");
    for (int round = 0; round < 3; round++) {
        run(t.guest, 0, small(), 100);
        run(t.guest, 1, small(), 100);
        CHECK(t.guest.tx_done().has_value());
        plug.out();
        // What was not played fails, what comes fails at once, nothing hangs.
        while (t.guest.tx_pending()) {
            CHECK(t.guest.tx_done().has_value());
        }
        while (t.guest.rx_pending()) {
            CHECK(t.guest.rx_done().has_value());
        }
        CHECK(!snd::stream_card(t.device, 0));
        t.guest.queue_tx(0, snd::pattern(small(), 0, 160));
        CHECK_EQ(t.guest.tx_done()->status, io_err);
        t.guest.queue_rx(1, small().period_bytes);
        CHECK_EQ(t.guest.rx_done()->status, io_err);
        for (uint32_t s : {0U, 1U}) {
            CHECK_EQ(t.guest.stop(s), ok);
            CHECK_EQ(t.guest.release(s), ok);
            CHECK_EQ(t.guest.prepare(s), io_err);
            CHECK_EQ(t.guest.set_params(s, small()), io_err);
        }
        CHECK(!t.guest.needs_reset());
        plug.in();
        t.number = snd::card("Loopback");
        for (uint32_t s : {0U, 1U}) {
            Fd fd = snd::open_pcm(t.number, 0, s == 1);
            CHECK_EQ(snd::set_stream(t.device, s, fd.get()).error, 0);
        }
        t.good();
        t.good_capture();
    }
    CHECK_EQ(t.device.stats().counters.at("pcms_lost"), 6U);
}

TEST_RINGS("A10 the card is unplugged and replaced while the stream runs on")
{
    snd::LoopFixture t(snd::with_ring(ring));
    snd::Plug plug("snd_aloop");
    snd::Params p = small();
    p.features = 1U << VIRTIO_SND_PCM_F_EVT_XRUNS;
    t.guest.post_events(8);
    run(t.guest, 0, p);
    plug.out();
    auto event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_PCM_XRUN));
    while (t.guest.tx_pending()) {
        CHECK(t.guest.tx_done().has_value());
    }
    plug.in();
    t.number = snd::card("Loopback");
    Fd fd = snd::open_pcm(t.number, 0, false);
    CHECK_EQ(snd::set_stream(t.device, 0, fd.get()).error, 0);
    fd.reset();
    // The driver never stopped: as soon as there is a card it plays.
    snd::Done done;
    for (int tries = 0; tries < 200 && done.status != ok; tries++) {
        t.guest.queue_tx(0, snd::pattern(p, 0, 160));
        auto got = t.guest.tx_done();
        CHECK(got.has_value());
        done = *got;
        usleep(10000);
    }
    CHECK_EQ(done.status, ok);
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
    t.good();
}

TEST_RINGS("A10 a card is unplugged while nobody uses it, and while it is suspended")
{
    snd::LoopFixture t(snd::with_ring(ring));
    snd::Plug plug("snd_aloop");
    t.guest.reset();
    t.guest.forget();
    plug.out(); // no driver
    CHECK(!snd::stream_card(t.device, 0));
    plug.in();
    t.number = snd::card("Loopback");
    for (uint32_t s : {0U, 1U}) {
        Fd fd = snd::open_pcm(t.number, 0, s == 1);
        CHECK_EQ(snd::set_stream(t.device, s, fd.get()).error, 0);
    }
    t.guest.restart();
    t.good();
    run(t.guest, 0, small());
    must(t.guest.vdpa().suspend(), "VHOST_VDPA_SUSPEND");
    plug.out();
    CHECK(!snd::stream_card(t.device, 0));
    must(t.guest.vdpa().resume(), "VHOST_VDPA_RESUME");
    while (t.guest.tx_pending()) {
        CHECK(t.guest.tx_done().has_value());
    }
    t.guest.queue_tx(0, snd::pattern(small(), 0, 160));
    CHECK_EQ(t.guest.tx_done()->status, io_err);
    plug.in();
    t.number = snd::card("Loopback");
    for (uint32_t s : {0U, 1U}) {
        Fd fd = snd::open_pcm(t.number, 0, s == 1);
        CHECK_EQ(snd::set_stream(t.device, s, fd.get()).error, 0);
    }
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
    t.good();
    t.good_capture();
}

TEST_RINGS("snd: jacks: what they are, and their state as it changes")
{
    const int number = snd::card("Dummy");
    Fd fd = snd::open_pcm(number, 0, false);
    snd::Setup setup;
    setup.streams = {{fd.get()}};
    setup.jacks = {{0x02214010, 0x1c, true}, {0x01a19020, 0x24, false}};
    TestDevice device(snd::device(setup, ring));
    fd.reset();
    snd::SndGuest guest(device.path(), snd::with_ring(ring));
    guest.start();
    auto info = guest.info<virtio_snd_jack_info>(VIRTIO_SND_R_JACK_INFO, 0, 2);
    CHECK_EQ(info[0].hda_reg_defconf, 0x02214010U);
    CHECK_EQ(info[0].hda_reg_caps, 0x1cU);
    CHECK_EQ(info[0].connected, 1);
    CHECK_EQ(info[0].features, 0U);
    CHECK_EQ(info[1].connected, 0);
    // Nobody can remap, and only what is there.
    snd::Bytes remap(12, 0);
    CHECK_EQ(guest.request(VIRTIO_SND_R_JACK_REMAP, remap)->status, not_supp);
    remap[0] = 2;
    CHECK_EQ(guest.request(VIRTIO_SND_R_JACK_REMAP, remap)->status, bad_msg);

    guest.post_events(4);
    CHECK(!guest.event(100));
    CHECK_EQ(snd::set_jack(device, 1, true).error, 0);
    auto event = guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_JACK_CONNECTED));
    CHECK_EQ(event->data, 1U);
    CHECK_EQ(snd::set_jack(device, 1, true).error, 0); // is so already
    CHECK(!guest.event(100));
    CHECK_EQ(snd::set_jack(device, 0, false).error, 0);
    event = guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_JACK_DISCONNECTED));
    CHECK_EQ(event->data, 0U);
    info = guest.info<virtio_snd_jack_info>(VIRTIO_SND_R_JACK_INFO, 0, 2);
    CHECK_EQ(info[0].connected, 0);
    CHECK_EQ(info[1].connected, 1);
    CHECK_EQ(snd::set_jack(device, 2, true).error, -ENOENT);
    // Without a buffer the last state waits.
    while (guest.event(0, false)) {
    }
    guest.restart();
    guest.forget();
    CHECK_EQ(snd::set_jack(device, 1, false).error, 0);
    CHECK_EQ(snd::set_jack(device, 1, true).error, 0);
    CHECK_EQ(snd::set_jack(device, 1, false).error, 0);
    usleep(50000);
    guest.post_events(4);
    event = guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_JACK_DISCONNECTED));
    CHECK(!guest.event(100));
}

namespace {

struct ControlFixture {
    explicit ControlFixture(RingKind ring)
        : number(snd::card("Dummy")),
          host(number),
          volume(host.numid("Master Volume")),
          capture(host.numid("Mic Capture Switch")),
          pcm(snd::open_pcm(number, 0, false)),
          ctl(snd::open_control(number)),
          device(snd::device({{{pcm.get()}},
                              {},
                              {{ctl.get(), volume, VIRTIO_SND_CTL_ROLE_VOLUME << 1, false},
                               {ctl.get(), capture, VIRTIO_SND_CTL_ROLE_MUTE << 1 | 1, true},
                               {ctl.get(), volume}}},
                             ring)),
          guest(device.path(), snd::with_ring(ring))
    {
        pcm.reset();
        ctl.reset();
        guest.start();
    }
    static snd::Bytes id(uint32_t n)
    {
        const auto *raw = reinterpret_cast<const uint8_t *>(&n);
        return {raw, raw + 4};
    }
    std::optional<std::vector<int32_t>> read(uint32_t control, unsigned count)
    {
        auto reply = guest.request(VIRTIO_SND_R_CTL_READ, id(control), 512);
        CHECK(reply.has_value());
        if (reply->status != ok) {
            return std::nullopt;
        }
        CHECK_EQ(reply->data.size(), 512U);
        std::vector<int32_t> values(count);
        memcpy(values.data(), reply->data.data(), count * 4);
        return values;
    }
    uint32_t write(uint32_t control, const std::vector<int32_t> &values)
    {
        snd::Bytes rest = id(control);
        rest.resize(4 + 512);
        memcpy(rest.data() + 4, values.data(), values.size() * 4);
        return guest.request(VIRTIO_SND_R_CTL_WRITE, rest)->status;
    }
    int number;
    snd::HostControls host;
    uint32_t volume, capture;
    Fd pcm, ctl;
    TestDevice device;
    snd::SndGuest guest;
};

} // namespace

TEST_RINGS("snd: control elements of the host: info, read, write, notify both ways")
{
    ControlFixture t(ring);
    CHECK(t.guest.features() & bit(VIRTIO_SND_F_CTLS));
    const auto info = t.guest.info<virtio_snd_ctl_info>(VIRTIO_SND_R_CTL_INFO, 0, 3);
    CHECK_EQ(std::string(reinterpret_cast<const char *>(info[0].name)), "Master Volume");
    CHECK_EQ(info[0].role, static_cast<uint32_t>(VIRTIO_SND_CTL_ROLE_VOLUME << 1));
    CHECK_EQ(info[0].type, static_cast<uint32_t>(VIRTIO_SND_CTL_TYPE_INTEGER));
    CHECK_EQ(info[0].count, 2U);
    CHECK(info[0].access & (1U << VIRTIO_SND_CTL_ACCESS_WRITE));
    CHECK(info[0].access & (1U << VIRTIO_SND_CTL_ACCESS_TLV_READ));
    CHECK_EQ(info[1].type, static_cast<uint32_t>(VIRTIO_SND_CTL_TYPE_BOOLEAN));
    CHECK(!(info[1].access & (1U << VIRTIO_SND_CTL_ACCESS_WRITE)));
    // The same name twice: another index.
    CHECK_EQ(info[2].index, info[0].index + 1);
    const auto min = static_cast<int32_t>(info[0].value.integer.min);
    const auto max = static_cast<int32_t>(info[0].value.integer.max);
    CHECK(max > min);

    t.guest.post_events(16);
    t.host.write(t.volume, {min, max});
    auto event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_CTL_NOTIFY));
    CHECK_EQ(event->data >> 16, 1U << VIRTIO_SND_CTL_EVT_MASK_VALUE);
    CHECK(t.read(0, 2) == (std::vector<int32_t>{min, max}));
    while (t.guest.event(100)) {
    }
    // And the guest's change is seen by the host, and told to the guest.
    CHECK_EQ(t.write(0, {max, min}), ok);
    CHECK(t.host.read(t.volume, 2) == (std::vector<long>{max, min}));
    event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->data & 0xffff, 0U);
    CHECK(t.read(2, 2) == (std::vector<int32_t>{max, min}));

    // What is read-only, out of range, cut short, or not there.
    CHECK_EQ(t.write(1, {1, 1}), not_supp);
    CHECK(t.read(1, 2).has_value());
    CHECK_EQ(t.write(0, {max + 1, max}), bad_msg);
    CHECK_EQ(t.write(0, {max, min - 1}), bad_msg);
    CHECK_EQ(t.write(3, {1, 1}), bad_msg);
    CHECK(!t.read(0xffffffff, 2));
    CHECK_EQ(t.guest.request(VIRTIO_SND_R_CTL_WRITE, snd::Bytes(4 + 511, 0))->status, bad_msg);
    CHECK_EQ(t.guest.request(VIRTIO_SND_R_CTL_READ, t.id(0), 511)->status, bad_msg);
    CHECK_EQ(t.guest.request(VIRTIO_SND_R_CTL_ENUM_ITEMS, t.id(0), 4096)->status, not_supp);
    CHECK(t.host.read(t.volume, 2) == (std::vector<long>{max, min}));

    // The static TLV of its decibels: type, length, two words.
    auto tlv = t.guest.request(VIRTIO_SND_R_CTL_TLV_READ, t.id(0), 1024);
    CHECK_EQ(tlv->status, ok);
    CHECK_EQ(tlv->data.size(), 16U);
    CHECK_EQ(t.guest.request(VIRTIO_SND_R_CTL_TLV_READ, t.id(0), 8)->data.size(), 8U);
    CHECK_EQ(t.guest.request(VIRTIO_SND_R_CTL_TLV_READ, t.id(0), 4)->status, bad_msg);
    CHECK_EQ(t.guest.request(VIRTIO_SND_R_CTL_TLV_WRITE, snd::Bytes(70000, 0))->status, not_supp);
    CHECK_EQ(t.guest.request(VIRTIO_SND_R_CTL_TLV_COMMAND, snd::Bytes(20, 0))->status, not_supp);
}

TEST_RINGS("snd: control elements of a card that goes and comes back")
{
    ControlFixture t(ring);
    t.guest.post_events(16);
    // The test's own file of the card would keep it.
    t.host = snd::HostControls(snd::card("Loopback"));
    {
        snd::Plug plug("snd_dummy");
        plug.out();
        CHECK(!t.read(0, 2));
        CHECK_EQ(t.write(0, {1, 1}), io_err);
        plug.in();
    }
    t.number = snd::card("Dummy");
    t.host = snd::HostControls(t.number);
    Fd ctl = snd::open_control(t.number);
    CHECK_EQ(snd::set_control(t.device, 0, ctl.get(), t.host.numid("Master Volume")).error, 0);
    auto event = t.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->hdr.code, static_cast<uint32_t>(VIRTIO_SND_EVT_CTL_NOTIFY));
    CHECK_EQ(t.write(0, {10, 20}), ok);
    CHECK(t.host.read(t.host.numid("Master Volume"), 2) == (std::vector<long>{10, 20}));
    Fd pcm = snd::open_pcm(t.number, 0, false);
    CHECK_EQ(snd::set_stream(t.device, 0, pcm.get()).error, 0);
}

TEST_RINGS("snd: configuration: what is not a PCM, twice the same, the wrong way, limits")
{
    const int number = snd::card("Loopback");
    Control control;
    auto refused = [&](const snd::Setup &setup, int error) {
        DeviceParams params = snd::device(setup, ring);
        params.guest = "refused";
        params.name = "snd0";
        const NetlinkReply reply = control.try_device_new(params);
        tap::note(reply.extack);
        CHECK_EQ(reply.error, error);
        CHECK(!reply.extack.empty());
    };
    control.guest_new("refused");
    Fd null(open("/dev/null", O_RDWR));
    Fd blocking(open(snd::pcm_path(number, 0, false).c_str(), O_RDWR));
    CHECK(static_cast<bool>(blocking));
    Fd ctl(open(("/dev/snd/controlC" + std::to_string(number)).c_str(), O_RDWR));
    refused({}, -EINVAL);
    refused({{{9999}}, {}, {}}, -EBADF);
    refused({{{null.get()}}, {}, {}}, -EINVAL);
    refused({{{ctl.get()}}, {}, {}}, -EINVAL);
    refused({{{blocking.get()}}, {}, {}}, -EINVAL);
    blocking.reset();
    Fd fd = snd::open_pcm(number, 0, false);
    refused({{{fd.get()}, {fd.get()}}, {}, {}}, -EBUSY);
    refused({{{fd.get(), 0, {}, 100U}}, {}, {}}, -EINVAL); // no rate is that low
    refused({{{fd.get()}}, {}, {{fd.get(), 1}}}, -EINVAL);
    refused({{{fd.get()}}, {}, {{ctl.get(), 1}}}, -EINVAL); // not subscribed
    snd::Setup many;
    many.streams.assign(DEVHOST_SND_STREAMS_MAX + 1, {fd.get()});
    refused(many, -E2BIG);
    control.guest_del("refused");

    // Limits show in what the guest is offered, and hold.
    snd::StreamSetup limits{fd.get(), 3, 2U, 48000U, 5000U, 65536U};
    TestDevice device(snd::device({{limits}, {}, {}}, ring));
    fd.reset();
    snd::SndGuest guest(device.path(), snd::with_ring(ring));
    guest.start();
    const auto info = guest.info<virtio_snd_pcm_info>(VIRTIO_SND_R_PCM_INFO, 0, 1)[0];
    CHECK_EQ(info.hdr.hda_fn_nid, 3U);
    CHECK_EQ(info.channels_max, 2);
    CHECK(!(info.rates & bit(VIRTIO_SND_PCM_RATE_96000)));
    CHECK(info.rates & bit(VIRTIO_SND_PCM_RATE_48000));
    CHECK_EQ(guest.set_params(0, snd::params(4, 8)), not_supp);
    CHECK_EQ(guest.set_params(0, snd::params(5, 8)), ok);
    CHECK_EQ(guest.set_params(0, snd::params(20, 20)), not_supp);
    CHECK_EQ(guest.set_params(0, snd::params(20, 8, VIRTIO_SND_PCM_RATE_96000)), not_supp);
    CHECK_EQ(guest.set_params(
                 0, snd::params(20, 8, VIRTIO_SND_PCM_RATE_8000, VIRTIO_SND_PCM_FMT_S16, 3)),
             not_supp);
    Fd wrong = snd::open_pcm(number, 0, true);
    CHECK_EQ(snd::set_stream(device, 0, wrong.get()).error, -EINVAL);
    CHECK_EQ(snd::set_stream(device, 1, wrong.get()).error, -ENOENT);
}

TEST_RINGS("snd: a device that requires a policy and has none plays nothing")
{
    const int number = snd::card("Loopback");
    Fd fd = snd::open_pcm(number, 0, false);
    DeviceParams params = snd::device({{{fd.get()}}, {}, {}}, ring);
    params.policy_required = true;
    TestDevice device(params);
    fd.reset();
    snd::SndGuest guest(device.path(), snd::with_ring(ring));
    guest.start();
    CHECK_EQ(guest.set_params(0, small()), not_supp);
    CHECK_EQ(guest.prepare(0), bad_msg);
    CHECK_EQ(device.stats().counters.at("requests_denied"), 1U);
    CHECK_EQ(device.stats().verdicts.at(DEVHOST_VERDICT_NONE), 1U);
}

namespace {

void plays_over_a_suspend(RingKind ring, const std::string &level)
{
    tap::time_limit(120);
    snd::LoopFixture t(snd::with_ring(ring));
    run(t.guest, 0, small());
    suspend(level);
    // What was not played is played now.
    while (t.guest.tx_pending()) {
        auto done = t.guest.tx_done();
        CHECK(done.has_value());
        CHECK_EQ(done->status, ok);
    }
    for (int i = 0; i < 10; i++) {
        t.guest.queue_tx(0, snd::pattern(small(), 0, 160));
        auto done = t.guest.tx_done();
        CHECK(done.has_value());
        CHECK_EQ(done->status, ok);
    }
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
    t.good();
}

} // namespace

TEST_RINGS("snd: the host's programs are frozen while a guest plays")
{
    plays_over_a_suspend(ring, "freezer");
}

TEST_RINGS("snd: the host is suspended while a guest plays")
{
    // The machine's own disks and consoles take part, so not by the way: e2e/host-suspend.sh
    if (!getenv("DEVHOST_PM_TEST")) {
        SKIP("set DEVHOST_PM_TEST=1 where the machine survives a suspend of its devices");
    }
    plays_over_a_suspend(ring, "devices");
}
