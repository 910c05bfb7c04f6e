// SPDX-License-Identifier: Apache-2.0
// The mixer: several guests on one PCM of the host. What they play on channel 0
// is summed; each has a channel of its own as well, which tells where it began.
#include <cmath>
#include <cstring>

#include "host.hpp"
#include "mix.hpp"
#include "snd.hpp"

using namespace dh;
using snd::ok;

namespace {

constexpr uint8_t hz8000 = VIRTIO_SND_PCM_RATE_8000;
constexpr unsigned channels = 4;
constexpr unsigned period = 160; // frames of the mixer: 20 ms
constexpr int64_t one = 1 << 24;

using Samples = std::vector<int32_t>;

// Two seconds in the PCM's buffer before it starts: no slow machine is late.
snd::Params voice_params(uint8_t format = VIRTIO_SND_PCM_FMT_S32)
{
    return snd::params(20, 100, hz8000, format, channels);
}

// Interleaved frames of 32 bits in the format of a stream, which is narrower.
snd::Bytes in_format(const Samples &samples, uint8_t format)
{
    snd::Bytes bytes;
    for (const int32_t sample : samples) {
        const auto word = static_cast<uint32_t>(sample);
        const auto put = [&](unsigned first, unsigned last) {
            for (unsigned byte = first; byte <= last; byte++) {
                bytes.push_back(static_cast<uint8_t>(word >> 8 * byte));
            }
        };
        switch (format) {
        case VIRTIO_SND_PCM_FMT_S16:
            put(2, 3);
            break;
        case VIRTIO_SND_PCM_FMT_S24_3:
            put(1, 3);
            break;
        case VIRTIO_SND_PCM_FMT_S24:
            put(1, 3);
            bytes.push_back(sample < 0 ? 0xff : 0);
            break;
        default:
            put(0, 3);
        }
    }
    return bytes;
}

unsigned bits_of(uint8_t format)
{
    return format == VIRTIO_SND_PCM_FMT_S16 ? 16 : format == VIRTIO_SND_PCM_FMT_S32 ? 32 : 24;
}

// A guest with one stream on a port.
class Voice {
public:
    Voice(const snd::Mixer &mixer, unsigned port, RingKind ring, bool capture = false)
        : port_(port),
          fd_(snd::open_pcm(mixer.card(), port, capture)),
          device_(params_of(fd_.get(), port, ring)),
          guest_(device_.path(), snd::with_ring(ring))
    {
        fd_.reset();
        guest_.start();
    }
    void prepare(const snd::Params &params = voice_params())
    {
        params_ = params;
        CHECK_EQ(guest_.set_params(0, params), ok);
        CHECK_EQ(guest_.prepare(0), ok);
    }
    // All of it; at(n) is the sample for channel 0, mark what its own channel has.
    template <typename At>
    void queue(size_t frames, At at, int32_t mark)
    {
        const int32_t mask = static_cast<int32_t>(~0ULL << (32 - bits_of(params_.format)));
        Samples samples(frames * channels);
        for (size_t n = 0; n < frames; n++) {
            samples[n * channels] = at(n) & mask;
            samples[n * channels + 1 + port_] = mark & mask;
        }
        sum_.resize(frames);
        for (size_t n = 0; n < frames; n++) {
            sum_[n] = samples[n * channels];
        }
        mark_ = mark & mask;
        const snd::Bytes bytes = in_format(samples, params_.format);
        for (size_t at_byte = 0; at_byte < bytes.size(); at_byte += params_.period_bytes) {
            const size_t end = std::min(bytes.size(), at_byte + params_.period_bytes);
            CHECK(guest_.queue_tx(0, {&bytes[at_byte], &bytes[0] + end}) >= 0);
        }
    }
    void start() { CHECK_EQ(guest_.start_stream(0), ok); }
    // Until all of it was played.
    void finish()
    {
        while (guest_.tx_pending()) {
            auto done = guest_.tx_done();
            CHECK(done.has_value());
            CHECK_EQ(done->status, ok);
        }
    }
    void stop()
    {
        CHECK_EQ(guest_.stop(0), ok);
        CHECK_EQ(guest_.release(0), ok);
    }
    snd::SndGuest &guest() { return guest_; }
    TestDevice &device() { return device_; }
    const Samples &sum() const { return sum_; }
    int32_t mark() const { return mark_; }
    unsigned port() const { return port_; }

private:
    static DeviceParams params_of(int fd, unsigned port, RingKind ring)
    {
        DeviceParams params = snd::device({{{fd}}, {}, {}}, ring);
        params.guest = "guest" + std::to_string(port);
        return params;
    }

    unsigned port_;
    Fd fd_;
    TestDevice device_;
    snd::SndGuest guest_;
    snd::Params params_;
    Samples sum_;
    int32_t mark_ = 0;
};

int32_t noise(uint64_t n, int32_t limit)
{
    const auto x = static_cast<uint32_t>((n + 1) * 2654435761U * 40503U);
    return static_cast<int32_t>((int64_t{static_cast<int32_t>(x)} * limit) >> 31);
}

// A mixer on one end of snd-aloop, and who listens at the other.
struct MixFixture {
    MixFixture()
        : number(snd::card("Loopback")),
          play(snd::open_pcm(number, 0, false)),
          mixer(setup()),
          recorder(number, 1, voice_params())
    {
        play.reset();
    }
    snd::MixSetup setup() const
    {
        snd::MixSetup s;
        s.playback = play.get();
        return s;
    }
    // What was heard until everything is out.
    Samples heard()
    {
        usleep(600000); // the host's buffer
        late = mixer.late();
        return recorder.samples();
    }
    // A machine that is too slow for its own sound card is heard.
    bool was_late() const
    {
        if (late) {
            tap::note("the mixer was late " + std::to_string(late) + " times");
        }
        return late != 0;
    }
    int number;
    Fd play;
    snd::Mixer mixer;
    snd::Recorder recorder;
    uint64_t late = 0;
};

// Until the guest's device has let go of the port.
void wait_lost(Voice &voice)
{
    for (int waited = 0; snd::stream_card(voice.device(), 0); waited++) {
        CHECK(waited < 500);
        usleep(10000);
    }
}

// The first frame that has something on a channel.
size_t begin_of(const Samples &heard, unsigned channel)
{
    for (size_t n = 0; n * channels < heard.size(); n++) {
        if (heard[n * channels + channel] != 0) {
            return n;
        }
    }
    throw tap::Failure("channel " + std::to_string(channel) + " is silent");
}

size_t end_of(const Samples &heard, unsigned channel)
{
    for (size_t n = heard.size() / channels; n > 0; n--) {
        if (heard[(n - 1) * channels + channel] != 0) {
            return n;
        }
    }
    return 0;
}

void check_near(int64_t got, int64_t expected, size_t frame, const char *what)
{
    if (std::abs(got - expected) > 1) {
        throw tap::Failure(std::string(what) + ", frame " + std::to_string(frame) + ": " +
                           std::to_string(got) + " instead of " + std::to_string(expected));
    }
}

// Three guests with these formats and volumes: what is heard is the computed mix.
void check_mix(RingKind ring, const std::vector<uint8_t> &formats,
               const std::vector<unsigned> &volumes, int32_t limit)
{
    const size_t frames = 40 * period + 37; // the end is no period
    for (int tries = 0;; tries++) {
        MixFixture t;
        std::vector<std::unique_ptr<Voice>> voices;
        const char *names[] = {"Music", "Chime", "Phone"};
        for (unsigned i = 0; i < 3; i++) {
            t.mixer.set(std::string(names[i]) + " Playback Volume", static_cast<long>(volumes[i]));
            voices.push_back(std::make_unique<Voice>(t.mixer, i, ring));
            voices[i]->prepare(voice_params(formats[i]));
            voices[i]->queue(frames, [&](size_t n) { return noise(n * 3 + i, limit); }, 0x40000000);
        }
        for (auto &voice : voices) {
            voice->start();
        }
        for (auto &voice : voices) {
            voice->finish();
        }
        const Samples heard = t.heard();
        for (auto &voice : voices) {
            voice->stop();
        }
        if (t.was_late() && tries < 3) {
            continue;
        }
        std::vector<int64_t> sum(heard.size() / channels);
        for (unsigned i = 0; i < 3; i++) {
            const int64_t gain = snd::mix_gain(volumes[i]);
            const size_t begin = begin_of(heard, 1 + i);
            CHECK_EQ(end_of(heard, 1 + i) - begin, frames);
            for (size_t n = 0; n < frames; n++) {
                sum[begin + n] += voices[i]->sum()[n] * gain;
                check_near(heard[(begin + n) * channels + 1 + i],
                           snd::mix_result(voices[i]->mark() * gain), n, "a channel of its own");
            }
        }
        size_t together = 0;
        for (size_t n = 0; n < sum.size(); n++) {
            check_near(heard[n * channels], snd::mix_result(sum[n]), n, "the mix");
            together +=
                heard[n * channels + 1] && heard[n * channels + 2] && heard[n * channels + 3];
        }
        tap::note(std::to_string(together) + " frames with all three");
        CHECK(together > 0);
        return;
    }
}

} // namespace

TEST_RINGS("mix: three guests at once are heard as the computed mix, within one bit")
{
    constexpr uint8_t s32 = VIRTIO_SND_PCM_FMT_S32;
    check_mix(ring, {s32, s32, s32}, {127, 115, 87}, 0x28000000);
}

TEST_RINGS("mix: guests with other formats, and one that is a hundredth as loud")
{
    check_mix(ring, {VIRTIO_SND_PCM_FMT_S16, VIRTIO_SND_PCM_FMT_S24, VIRTIO_SND_PCM_FMT_S24_3},
              {127, 126, 47}, 0x28000000);
}

TEST_RINGS("mix: what is too loud saturates, and does not wrap")
{
    constexpr uint8_t s32 = VIRTIO_SND_PCM_FMT_S32;
    check_mix(ring, {s32, s32, s32}, {127, 127, 127}, 0x7fffffff);
}

TEST_RINGS("mix: a chime over music: ducked along its curve, and back")
{
    constexpr unsigned duck = 127 - 24; // -12 dB
    constexpr unsigned way = 800;       // 100 ms
    for (int tries = 0;; tries++) {
        MixFixture t;
        t.mixer.set("Duck Playback Volume", duck);
        t.mixer.set("Duck Playback Time", 100);
        t.mixer.set("Chime Playback Priority", 10);
        Voice music(t.mixer, 0, ring), chime(t.mixer, 1, ring);
        music.prepare();
        chime.prepare();
        const size_t frames = 90 * period;
        music.queue(frames, [](size_t) { return 0; }, 0x50000000);
        chime.queue(20 * period, [](size_t) { return 0; }, 0x12345678);
        music.start();
        usleep(500000);
        chime.start();
        music.finish();
        chime.finish();
        const Samples heard = t.heard();
        music.stop();
        chime.stop();
        if (t.was_late() && tries < 3) {
            continue;
        }
        const size_t begin = begin_of(heard, 1), over = begin_of(heard, 2);
        CHECK_EQ(end_of(heard, 1) - begin, frames);
        CHECK_EQ(end_of(heard, 2) - over, 20U * period);
        CHECK(over > begin + period && over + 20 * period + way < begin + frames);
        const int64_t low = snd::mix_gain(duck);
        const int64_t step = (one - low + way - 1) / way;
        int64_t gain = one;
        for (size_t n = begin; n < begin + frames; n++) {
            const bool ducked = n >= over && n < over + 20 * period;
            gain = ducked ? std::max(low, gain - step) : std::min(one, gain + step);
            check_near(heard[n * channels + 1], snd::mix_result(music.mark() * gain), n - over,
                       "the music");
            if (ducked) {
                CHECK_EQ(heard[n * channels + 2], chime.mark());
            }
        }
        return;
    }
}

TEST_RINGS("mix: a guest is told which channel is where")
{
    MixFixture t;
    Voice voice(t.mixer, 1, ring);
    virtio_snd_config config;
    must(voice.guest().vdpa().config_get(0, &config, sizeof(config)), "reading the configuration");
    CHECK_EQ(config.chmaps, 1U);
    const auto map = voice.guest().info<virtio_snd_chmap_info>(VIRTIO_SND_R_CHMAP_INFO, 0, 1)[0];
    CHECK_EQ(map.direction, VIRTIO_SND_D_OUTPUT);
    CHECK_EQ(map.channels, channels);
    const uint8_t quadraphonic[] = {VIRTIO_SND_CHMAP_FL, VIRTIO_SND_CHMAP_FR, VIRTIO_SND_CHMAP_RL,
                                    VIRTIO_SND_CHMAP_RR};
    CHECK(memcmp(map.positions, quadraphonic, sizeof(quadraphonic)) == 0);
    const auto info = voice.guest().info<virtio_snd_pcm_info>(VIRTIO_SND_R_PCM_INFO, 0, 1)[0];
    CHECK_EQ(info.channels_min, channels);
    CHECK_EQ(info.channels_max, channels);
    CHECK_EQ(info.rates, bit(hz8000));
    CHECK_EQ(info.formats, bit(VIRTIO_SND_PCM_FMT_S16) | bit(VIRTIO_SND_PCM_FMT_S24_3) |
                               bit(VIRTIO_SND_PCM_FMT_S24) | bit(VIRTIO_SND_PCM_FMT_S32));
}

TEST_RINGS("mix: muting silences within a period, for a program of the host, too")
{
    (void)ring;
    MixFixture t;
    snd::HostPcm program(t.mixer.card(), 2, false);
    program.configure(voice_params());
    snd::Bytes loud(size_t{16000} * channels * 4, 0x20);
    std::thread writer([&] { program.write(loud); });
    usleep(700000);
    t.mixer.set("Phone Playback Switch", 0);
    const uint64_t muted = program.position();
    writer.join();
    usleep(300000);
    const Samples heard = t.heard();
    const size_t begin = begin_of(heard, 0), end = end_of(heard, 0);
    tap::note("muted at frame " + std::to_string(muted) + ", silent from " +
              std::to_string(end - begin));
    CHECK(muted > 10 * period && muted < 14000);
    if (!t.was_late()) {
        CHECK(end - begin <= muted + period);
        // Without a step: the way down takes the period.
        for (size_t n = end - period + 1; n < end; n++) {
            CHECK(std::abs(int64_t{heard[n * channels]} - heard[(n - 1) * channels]) <
                  0x20202020 / period * 2);
        }
    }
}

TEST_RINGS("mix: a guest that stalls, and one whose VMM dies, disturb nobody")
{
    for (int tries = 0;; tries++) {
        MixFixture t;
        t.mixer.set("Chime Playback Priority", 10);
        t.mixer.set("Duck Playback Volume", 0);
        t.mixer.set("Duck Playback Time", 20);
        Voice music(t.mixer, 0, ring);
        music.prepare();
        const size_t frames = 90 * period;
        music.queue(frames, [](size_t n) { return noise(n, 0x7fffffff); }, 0x50000000);
        auto stalled = std::make_unique<Voice>(t.mixer, 1, ring);
        auto killed = std::make_unique<Voice>(t.mixer, 2, ring);
        for (Voice *voice : {stalled.get(), killed.get()}) {
            voice->prepare();
            voice->queue(period, [](size_t) { return 0; }, 0x10000000);
            voice->start();
            voice->finish();
        }
        usleep(300000); // they run, and have nothing
        music.start();
        usleep(300000);
        killed.reset();
        music.finish();
        const Samples heard = t.heard();
        music.stop();
        CHECK(stalled->device().stats().counters.at("underruns") > 0);
        stalled->stop();
        if (t.was_late() && tries < 3) {
            continue;
        }
        // At its full volume all the time: who has no data has no priority.
        const size_t begin = begin_of(heard, 1);
        CHECK_EQ(end_of(heard, 1) - begin, frames);
        for (size_t n = 0; n < frames; n++) {
            CHECK_EQ(heard[(begin + n) * channels], music.sum()[n]);
        }
        return;
    }
}

namespace {

// What three guests record of what the host plays; nothing where somebody was late.
std::vector<snd::Bytes> record_all(std::vector<std::unique_ptr<Voice>> &voices, snd::Mixer &mixer,
                                   snd::HostPcm &host, const snd::Params &params,
                                   const snd::Bytes &played)
{
    for (auto &voice : voices) {
        voice->prepare(params);
        for (int n = 0; n < 100; n++) {
            CHECK(voice->guest().queue_rx(0, params.period_bytes) >= 0);
        }
    }
    const uint64_t late = mixer.late();
    for (auto &voice : voices) {
        voice->start();
    }
    // The loop goes on for a moment behind the last frame, with what its buffer, about a second,
    // had there before: silence.
    snd::Bytes with_tail = played;
    with_tail.resize(4 * played.size());
    host.prepare();
    host.write(with_tail);
    std::vector<snd::Bytes> all;
    for (auto &voice : voices) {
        snd::Bytes heard;
        while (voice->guest().rx_pending()) {
            auto done = voice->guest().rx_done();
            CHECK(done.has_value());
            CHECK_EQ(done->status, ok);
            heard.insert(heard.end(), done->data.begin(), done->data.end());
        }
        all.push_back(snd::trimmed(heard, params));
    }
    for (auto &voice : voices) {
        voice->stop();
    }
    return mixer.late() == late ? all : std::vector<snd::Bytes>();
}

} // namespace

TEST_RINGS("mix: each guest records the same")
{
    const int number = snd::card("Loopback");
    Fd record = snd::open_pcm(number, 0, true);
    snd::MixSetup setup;
    setup.capture = record.get();
    snd::Mixer mixer(setup);
    record.reset();
    // Four seconds, in which the slowest machine is back.
    const snd::Params params = snd::params(40, 100, hz8000, VIRTIO_SND_PCM_FMT_S32, channels);
    const snd::Bytes played = snd::pattern(params, 0, 4000);
    snd::HostPcm host(number, 1, false);
    host.configure(params);
    std::vector<std::unique_ptr<Voice>> voices;
    for (unsigned i = 0; i < 3; i++) {
        voices.push_back(std::make_unique<Voice>(mixer, i, ring, true));
    }
    const auto recorded = [&] {
        for (int tries = 0; tries < 4; tries++) {
            const auto all = record_all(voices, mixer, host, params, played);
            if (!all.empty()) {
                return all;
            }
            tap::note("the mixer was late");
        }
        throw tap::Failure("the mixer is always late");
    };
    for (const snd::Bytes &heard : recorded()) {
        CHECK_EQ(heard.size(), played.size());
        CHECK(heard == played);
    }
    // One that is muted records silence; the others go on.
    mixer.set("Chime Capture Switch", 0);
    const auto all = recorded();
    CHECK(all[0] == played);
    CHECK(all[1].empty());
    CHECK(all[2] == played);
}

TEST_RINGS("mix: the card is unplugged under the mixer, and comes back")
{
    MixFixture t;
    Voice voice(t.mixer, 0, ring);
    snd::Plug plug("snd_aloop");
    {
        voice.prepare();
        voice.queue(80 * period, [](size_t) { return 0; }, 0x50000000);
        voice.start();
        CHECK(voice.guest().tx_done().has_value());
        t.recorder.close();
        plug.out();
        while (voice.guest().tx_pending()) {
            CHECK(voice.guest().tx_done().has_value());
        }
        wait_lost(voice);
        CHECK(snd::mixers().empty());
        CHECK_EQ(voice.guest().stop(0), ok);
        CHECK_EQ(voice.guest().prepare(0), snd::bad_msg);
        CHECK_EQ(voice.guest().release(0), ok);
        CHECK_EQ(voice.guest().prepare(0), snd::io_err);
    }
    plug.in();
    {
        MixFixture again;
        Fd fd = snd::open_pcm(again.mixer.card(), 0, false);
        CHECK_EQ(snd::set_stream(voice.device(), 0, fd.get()).error, 0);
        fd.reset();
        voice.prepare();
        voice.queue(30 * period, [](size_t n) { return noise(n, 0x7fffffff); }, 0x50000000);
        voice.start();
        voice.finish();
        const Samples heard = again.heard();
        voice.stop();
        const size_t begin = begin_of(heard, 1);
        for (size_t n = 0; n < 30 * period && !again.was_late(); n++) {
            CHECK_EQ(heard[(begin + n) * channels], voice.sum()[n]);
        }
    }
    // The mixer ends under the guest.
    wait_lost(voice);
}

TEST_RINGS("mix: hundreds of starts and stops, parameters, and an end in between")
{
    const int number = snd::card("Dummy");
    Fd fd = snd::open_pcm(number, 0, false);
    snd::MixSetup setup;
    setup.playback = fd.get();
    setup.channels = 2;
    setup.format.reset();
    setup.period_us = 5000;
    setup.periods = 4;
    std::optional<snd::Mixer> mixer(std::in_place, setup);
    fd.reset();
    Voice first(*mixer, 0, ring), second(*mixer, 1, ring);
    for (unsigned i = 0; i < tap::rounds(100, 3000); i++) {
        Voice &voice = i % 2 ? first : second;
        const snd::Params params =
            snd::params(i % 3 ? 10 : 20, 4 + i % 5, hz8000,
                        i % 4 ? VIRTIO_SND_PCM_FMT_S16 : VIRTIO_SND_PCM_FMT_S32, 2);
        CHECK_EQ(voice.guest().set_params(0, params), ok);
        CHECK_EQ(voice.guest().prepare(0), ok);
        for (int n = 0; n < 3; n++) {
            CHECK(voice.guest().queue_tx(0, snd::pattern(params, 0, 80)) >= 0);
        }
        CHECK_EQ(voice.guest().start_stream(0), ok);
        if (i % 7 == 0) {
            CHECK(voice.guest().tx_done().has_value());
        }
        voice.stop();
        while (voice.guest().tx_pending()) {
            CHECK(voice.guest().tx_done(0).has_value());
        }
    }
    // Nobody uses it: the host's PCM stops.
    for (int waited = 0; waited < 300; waited++) {
        if (read_file("/proc/asound/card" + std::to_string(mixer->card()) + "/mix")
                .find("stopped users 0") != std::string::npos) {
            break;
        }
        usleep(10000);
    }
    CHECK(read_file("/proc/asound/card" + std::to_string(mixer->card()) + "/mix")
              .find("stopped users 0") != std::string::npos);
    CHECK_EQ(first.guest().prepare(0), ok);
    CHECK_EQ(first.guest().start_stream(0), ok);
    mixer.reset();
    CHECK_EQ(first.guest().stop(0), ok);
    CHECK_EQ(first.guest().release(0), ok);
    CHECK_EQ(first.guest().prepare(0), snd::io_err);
}

TEST_RINGS("mix: what is no mixer")
{
    (void)ring;
    const int number = snd::card("Loopback");
    Fd play = snd::open_pcm(number, 0, false);
    Fd record = snd::open_pcm(number, 0, true);
    const auto refused = [&](int error, const auto &change) {
        snd::MixSetup setup;
        setup.playback = play.get();
        change(setup);
        const NetlinkReply reply = snd::try_mix_new(setup);
        tap::note(reply.extack);
        CHECK_EQ(reply.error, error);
        CHECK(snd::mixers().empty());
    };
    refused(-EINVAL, [](auto &s) { s.playback = -1; });
    refused(-EBADF, [](auto &s) { s.playback = 9999; });
    refused(-EINVAL, [&](auto &s) { s.playback = record.get(); });
    refused(-EINVAL, [](auto &s) { s.ports.clear(); });
    refused(-EINVAL, [](auto &s) { s.ports = {""}; });
    refused(-EINVAL, [](auto &s) { s.ports.assign(DEVHOST_MIX_PORTS_MAX + 1, "Port"); });
    refused(-EINVAL, [](auto &s) { s.ports = {"Same", "Same"}; });
    refused(-ERANGE, [](auto &s) { s.rate = 1000; });
    refused(-EINVAL, [](auto &s) { s.rate = 6000; });
    refused(-ERANGE, [](auto &s) { s.channels = 0; });
    refused(-ERANGE, [](auto &s) { s.periods = 1; });
    refused(-EINVAL, [](auto &s) { s.format = 14; }); // floating point
    refused(-EEXIST, [](auto &s) { s.name = "Loopback"; });
    refused(-EINVAL, [](auto &s) { s.name = "no id"; });
    CHECK_EQ(snd::try_mix_del("testmix").error, -ENOENT);

    snd::MixSetup setup;
    setup.playback = play.get();
    setup.capture = record.get();
    snd::Mixer mixer(setup);
    CHECK_EQ(snd::try_mix_new(setup).error, -EEXIST);
    // Its PCMs of the host are taken, and its ports are no host's.
    setup.name = "other";
    CHECK_EQ(snd::try_mix_new(setup).error, -EBUSY);
    Fd port = snd::open_pcm(mixer.card(), 0, false);
    setup.playback = port.get();
    setup.capture = -1;
    CHECK_EQ(snd::try_mix_new(setup).error, -EINVAL);
    CHECK(snd::mixers() == std::vector<std::string>{"testmix"});
    // Controls keep to their range.
    snd::HostControls controls(mixer.card());
    bool thrown = false;
    try {
        controls.write(controls.numid("Music Playback Volume"), {128});
    } catch (const std::exception &) {
        thrown = true;
    }
    CHECK(thrown);
}
