// SPDX-License-Identifier: Apache-2.0
// What rules do to a guest's sound, and what the counters say of it.

#include "sound.hpp"

using namespace dh;
using devhost::RuleCounters;
using snd::not_supp;
using snd::ok;

namespace {

constexpr uint8_t hz44100 = VIRTIO_SND_PCM_RATE_44100;
constexpr uint8_t hz48000 = VIRTIO_SND_PCM_RATE_48000;
constexpr uint8_t hz96000 = VIRTIO_SND_PCM_RATE_96000;
constexpr uint8_t s16 = VIRTIO_SND_PCM_FMT_S16;

snd::Bytes number(uint32_t n)
{
    snd::Bytes bytes(4);
    memcpy(bytes.data(), &n, 4);
    return bytes;
}

using Judged = std::function<bool(SoundFixture &)>;

// Parameters of that kind.
Judged sets(uint32_t stream, unsigned ms, uint8_t rate, uint8_t channels)
{
    return [=](SoundFixture &t) {
        return t.guest.set_params(stream, snd::params(ms, 8, rate, s16, channels)) == ok;
    };
}

Judged writes(uint32_t control, unsigned percent)
{
    return [=](SoundFixture &t) {
        const int32_t value =
            control == SoundFixture::mute
                ? static_cast<int32_t>(percent != 0)
                : t.lowest + (t.highest - t.lowest) * static_cast<int32_t>(percent) / 100;
        return t.write(control, value) == ok;
    };
}

std::string list(const std::string &name, const std::string &keys)
{
    return "[policy.snd." + name + "]\n" + keys;
}

std::string rule(const std::string &name, const std::string &verdict, const std::string &keys)
{
    return "[[policy.snd." + name + ".rule]]\nverdict = \"" + verdict + "\"\n" + keys;
}

} // namespace

TEST("policy: what a policy of sound lets through, and what not")
{
    tap::time_limit(300);
    SoundFixture t;
    const uint32_t first = SoundFixture::first;
    const uint32_t second = SoundFixture::second;
    const uint32_t microphone = SoundFixture::microphone;
    const uint32_t volume = SoundFixture::volume;
    const uint32_t mute = SoundFixture::mute;
    const std::string allow = "default = \"allow\"\n";
    const std::vector<PolicyCase<SoundFixture>> cases{
        {"playback only", list("playback", allow), sets(first, 10, hz48000, 2),
         sets(microphone, 10, hz48000, 2)},
        {"capture only", list("capture", allow), sets(microphone, 10, hz48000, 2),
         sets(first, 10, hz48000, 2)},
        {"control elements only", list("control", allow), writes(volume, 10),
         sets(first, 10, hz48000, 2)},
        {"a stream that is allowed", rule("playback", "allow", "stream = 0\n"),
         sets(first, 10, hz48000, 2), sets(second, 10, hz48000, 2)},
        {"a stream that is denied",
         list("playback", allow) + rule("playback", "deny", "stream = 0\n"),
         sets(second, 10, hz48000, 2), sets(first, 10, hz48000, 2)},
        {"channels", list("playback", allow + "channels_max = 2\n"), sets(first, 10, hz48000, 2),
         sets(first, 10, hz48000, 3)},
        {"channels of a rule", rule("playback", "allow", "channels_max = 1\n"),
         sets(first, 10, hz48000, 1), sets(first, 10, hz48000, 2)},
        {"rates", list("capture", allow + "rates = [44100, 48000]\n"),
         sets(microphone, 10, hz44100, 2), sets(microphone, 10, hz96000, 2)},
        {"rates of a rule", rule("playback", "allow", "rates = [48000]\n"),
         sets(first, 10, hz48000, 2), sets(first, 10, hz44100, 2)},
        {"the period", list("playback", allow + "period_min = 5000\n"), sets(first, 5, hz48000, 2),
         sets(first, 4, hz48000, 2)},
        {"the period of a rule", rule("playback", "allow", "period_min = 10000\n"),
         sets(first, 10, hz48000, 2), sets(first, 9, hz48000, 2)},
        {"no rule lifts the limits of its list",
         list("playback", "channels_max = 2\n") + rule("playback", "allow", "channels_max = 6\n"),
         sets(first, 10, hz48000, 2), sets(first, 10, hz48000, 6)},
        {"the first rule that matches decides",
         rule("playback", "deny", "stream = 1\n") + rule("playback", "allow", ""),
         sets(first, 10, hz48000, 2), sets(second, 10, hz48000, 2)},
        {"elements by their role", rule("control", "allow", "role = \"volume\"\n"),
         writes(volume, 10), writes(mute, 1)},
        {"elements by their number", rule("control", "allow", "control = 1\n"), writes(mute, 1),
         writes(volume, 10)},
        {"a ceiling of the volume", list("control", allow + "volume_max = 50\n"),
         writes(volume, 50), writes(volume, 52)},
        {"streams at a time", list("playback", allow + "streams_max = 1\n"),
         [](SoundFixture &t) { return t.play(SoundFixture::first) == ok; },
         [](SoundFixture &t) {
             const bool plays = t.play(SoundFixture::second) == ok;
             t.stop(SoundFixture::first);
             return plays;
         }},
    };

    judge<SoundFixture>(t, cases, [&] {
        const devhost::SndCounters counters = t.counters();
        return dropped(counters.playback) + dropped(counters.capture) + dropped(counters.control);
    });
}

TEST("policy: no microphone unless it is allowed")
{
    SoundFixture t;

    CHECK_EQ(t.play(t.first), not_supp); // none is in force
    t.apply("[policy.snd.playback]\ndefault = \"allow\"\n");
    CHECK_EQ(t.play(t.first), ok);
    t.stop(t.first);
    CHECK_EQ(t.play(t.microphone), not_supp);
    CHECK_EQ(t.write(t.mute, 0), not_supp);
    devhost::SndCounters counters = t.counters();
    CHECK((counters.playback.otherwise == RuleCounters{2, 0})); // parameters, start
    CHECK((counters.capture.otherwise == RuleCounters{0, 1}));
    CHECK((counters.control.otherwise == RuleCounters{0, 1}));
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_ALLOW), 2U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_DENY), 2U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 1U);

    t.apply("[policy.snd.capture]\ndefault = \"allow\"\n");
    CHECK_EQ(t.play(t.microphone), ok);
    t.stop(t.microphone);
    CHECK_EQ(t.play(t.first), not_supp);
    CHECK((t.counters().capture.otherwise == RuleCounters{2, 0}));
}

TEST("policy: channels, rates and the period of a stream")
{
    SoundFixture t;

    t.apply(R"(
[policy.snd.playback]
default = "deny"
rates = [44100, 48000]
[[policy.snd.playback.rule]]
name = "music"
verdict = "allow"
stream = 0
channels_max = 6
[[policy.snd.playback.rule]]
name = "chime"
verdict = "allow"
stream = 1
channels_max = 1
rates = [48000]
period_min = 10000
)");
    const auto params = [&](uint32_t stream, unsigned ms, uint8_t rate, uint8_t channels) {
        return t.guest.set_params(stream, snd::params(ms, 8, rate, s16, channels));
    };
    CHECK_EQ(params(t.first, 5, hz48000, 2), ok);
    CHECK_EQ(params(t.first, 5, hz44100, 6), ok);
    CHECK_EQ(params(t.first, 5, hz48000, 7), not_supp);
    CHECK_EQ(params(t.first, 5, hz96000, 2), not_supp);
    CHECK_EQ(params(t.second, 10, hz48000, 1), ok);
    CHECK_EQ(params(t.second, 9, hz48000, 1), not_supp);
    CHECK_EQ(params(t.second, 10, hz48000, 2), not_supp);
    CHECK_EQ(params(t.second, 10, hz44100, 1), not_supp);
    const devhost::SndListCounters counters = t.counters().playback;
    CHECK((counters.rules == Rules{{2, 2}, {1, 3}}));
    CHECK_EQ(counters.channels, 2U);
    CHECK_EQ(counters.rate, 2U);
    CHECK_EQ(counters.period, 1U);
    CHECK_EQ(counters.streams, 0U);
    // What was refused changed nothing: the last parameters that were taken are still there.
    CHECK_EQ(t.guest.prepare(t.second), ok);
    CHECK_EQ(t.guest.start_stream(t.second), ok);
    t.stop(t.second);
}

TEST("policy: so many streams at a time, also where they start at once")
{
    SoundFixture t;

    t.apply("[policy.snd.playback]\ndefault = \"allow\"\nstreams_max = 1\n");
    CHECK_EQ(t.play(t.first), ok);
    CHECK_EQ(t.play(t.second), not_supp);
    t.stop(t.first);
    CHECK_EQ(t.guest.start_stream(t.second), ok);
    CHECK_EQ(t.play(t.first), not_supp);
    t.stop(t.second);
    CHECK_EQ(t.counters().playback.streams, 2U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_LIMIT), 2U);

    for (int i = 0; i < 20; i++) {
        for (const uint32_t stream : {t.first, t.second}) {
            CHECK_EQ(t.guest.set_params(stream, snd::small()), ok);
            CHECK_EQ(t.guest.prepare(stream), ok);
        }
        const int a = t.guest.request_begin(VIRTIO_SND_R_PCM_START, number(t.first));
        const int b = t.guest.request_begin(VIRTIO_SND_R_PCM_START, number(t.second));
        const bool first = t.guest.answer(a)->status == ok;
        const bool second = t.guest.answer(b)->status == ok;
        CHECK(first != second);
        t.stop(first ? t.first : t.second);
        CHECK_EQ(t.guest.release(first ? t.second : t.first), ok);
    }
    CHECK_EQ(t.counters().playback.streams, 22U);
}

TEST("policy: a stream that was made ready starts by the rules of then")
{
    SoundFixture t;

    t.apply("[policy.snd.playback]\ndefault = \"allow\"\n");
    CHECK_EQ(t.guest.set_params(t.first, snd::small()), ok);
    CHECK_EQ(t.guest.prepare(t.first), ok);
    t.apply("[policy.snd.playback]\ndefault = \"allow\"\nrates = [16000]\n");
    CHECK_EQ(t.guest.start_stream(t.first), not_supp);
    CHECK_EQ(t.counters().playback.rate, 1U);
    t.apply("[policy.snd.playback]\ndefault = \"allow\"\n");
    CHECK_EQ(t.guest.start_stream(t.first), ok);
    t.stop(t.first);
}

TEST("policy: a stream that runs is judged again when the rules change")
{
    const std::string allow = "[policy.snd.playback]\ndefault = \"allow\"\n";
    SoundFixture t;
    // Periods of which one goes on for longer than it takes to replace a policy.
    const snd::Params params = snd::params(1000, 4, VIRTIO_SND_PCM_RATE_8000);
    const auto begin = [&](uint32_t stream) {
        CHECK_EQ(t.guest.set_params(stream, params), ok);
        CHECK_EQ(t.guest.prepare(stream), ok);
        for (unsigned i = 0; i < 20; i++) {
            const snd::Bytes period = snd::pattern(params, i, params.hz());
            CHECK(t.guest.queue_tx(stream, period) >= 0);
        }
        CHECK_EQ(t.guest.start_stream(stream), ok);
    };
    const int loop = snd::card("Loopback");
    // The host's PCMs that run.
    const auto running = [&] {
        unsigned count = 0;
        for (unsigned sub = 0; sub < 8; sub++) {
            count += snd::substream_runs(loop, 0, false, sub);
        }
        return count;
    };
    const auto become = [&](unsigned wanted) {
        return within(5000, [&] { return running() == wanted; });
    };
    t.apply(allow);
    begin(t.first);
    CHECK_EQ(running(), 1U);
    // Other rules that allow it: it goes on.
    t.apply(allow + "rates = [8000]\n");
    CHECK(within(5000, [&] { return t.counters().playback.otherwise.passed == 1; }));
    auto done = t.guest.tx_done();
    CHECK(done.has_value());
    CHECK_EQ(done->status, ok);
    CHECK_EQ(running(), 1U);
    // Rules that do not: all that it had comes back, and nothing plays.
    t.apply(allow + "rates = [16000]\n");
    CHECK(become(0));
    for (bool played = true; t.guest.tx_pending();) {
        done = t.guest.tx_done();
        CHECK(done.has_value());
        played = played && done->status == ok;
        CHECK_EQ(done->status, played ? ok : snd::io_err);
    }
    CHECK_EQ(t.counters().playback.rate, 1U);
    t.stop(t.first);

    // Of two one goes on.
    t.apply(allow);
    begin(t.first);
    begin(t.second);
    CHECK_EQ(running(), 2U);
    t.apply(allow + "streams_max = 1\n");
    CHECK(become(1));
    usleep(200000);
    CHECK_EQ(running(), 1U);
    CHECK_EQ(t.counters().playback.streams, 1U);
    // Nobody is there to allow it.
    store().remove(t.device.guest());
    CHECK(become(0));
    while (t.guest.tx_pending()) {
        CHECK(t.guest.tx_done().has_value());
    }
    t.stop(t.first);
    t.stop(t.second);
    t.apply(allow);
    CHECK_EQ(t.play(t.first), ok);
    t.stop(t.first);
}

TEST("policy: which control elements are written, and how loud")
{
    SoundFixture t;
    const auto host = [&] { return t.host.read(t.numid, 2); };
    const int32_t span = t.highest - t.lowest;
    const int32_t half = t.lowest + span / 2;
    const int32_t most = t.lowest + span * 80 / 100;

    t.apply(R"(
[policy.snd.control]
default = "deny"
volume_max = 80
[[policy.snd.control.rule]]
name = "volume"
verdict = "allow"
role = "volume"
[[policy.snd.control.rule]]
name = "plain"
verdict = "allow"
control = 2
volume_max = 50
)");
    CHECK_EQ(t.write(t.volume, t.lowest), ok);
    CHECK_EQ(t.write(t.volume, most), ok);
    CHECK(host() == (std::vector<long>{most, most}));
    CHECK_EQ(t.write(t.volume, most + 1), not_supp);
    CHECK_EQ(t.write(t.volume, t.highest), not_supp);
    CHECK(host() == (std::vector<long>{most, most}));
    CHECK_EQ(t.write(t.plain, half), ok);
    CHECK_EQ(t.write(t.plain, half + 1), not_supp);
    CHECK(host() == (std::vector<long>{half, half}));
    CHECK_EQ(t.write(t.mute, 1), not_supp);
    const devhost::SndListCounters counters = t.counters().control;
    CHECK((counters.rules == Rules{{2, 2}, {1, 1}}));
    CHECK((counters.otherwise == RuleCounters{0, 1}));
    CHECK_EQ(counters.volume, 3U);
    // By direction: the switch is one of capture.
    t.apply("[[policy.snd.control.rule]]\nverdict = \"allow\"\nrole = \"mute\"\n"
            "direction = \"capture\"\n");
    CHECK_EQ(t.write(t.mute, 1), ok);
    CHECK_EQ(t.write(t.volume, t.lowest), not_supp);
}

TEST("policy: rules for one sound device are not for another, nor for one that is not known")
{
    SoundFixture t;
    devhost::PolicyConfig config = policy("[[policy.snd.playback.rule]]\nverdict = \"allow\"\n");
    devhost::PolicyGuest guest = known(t.device);

    config.snd->playback.rules[0].device = t.device.name();
    store().apply(guest, config);
    CHECK_EQ(t.guest.set_params(t.first, snd::small()), ok);
    config.snd->playback.rules[0].device = "other";
    store().apply(guest, config);
    CHECK_EQ(t.guest.set_params(t.first, snd::small()), not_supp);
    CHECK((t.counters().playback.otherwise == RuleCounters{0, 1}));
    guest.devices.clear();
    config.snd->playback.otherwise = devhost::Verdict::allow;
    store().apply(guest, config);
    CHECK_EQ(t.guest.set_params(t.first, snd::small()), not_supp);
    CHECK_EQ(t.counters().playback.unknown_device, 1U);
}

TEST("S10 swaps under requests of sound: each is judged by the old or the new rules")
{
    const unsigned swaps = tap::rounds(8, 200);
    tap::time_limit(swaps * 10);
    SoundFixture t;
    uint64_t asked = 0;
    std::array<uint64_t, 3> passed{};
    const std::array rates{hz96000, hz44100, hz48000}; // the first never
    const auto rules = [](unsigned which) {
        return std::string("[policy.snd.playback]\ndefault = \"allow\"\nrates = [") +
               (which % 2 ? "44100" : "48000") + "]\n";
    };

    t.apply(rules(0));
    const auto apply = [&](unsigned i) { t.apply(rules(i)); };
    swap_under(swaps, apply, [&] {
        for (unsigned i = 0; i < rates.size(); i++) {
            passed.at(i) += t.guest.set_params(t.first, snd::params(20, 8, rates.at(i))) == ok;
            asked++;
        }
    });
    tap::note("asked " + std::to_string(asked) + ", passed " + std::to_string(passed[1]) + " + " +
              std::to_string(passed[2]));
    CHECK_EQ(passed[0], 0U);
    CHECK(passed[1] > 0);
    CHECK(passed[2] > 0);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_INVALID), 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_ALLOW), passed[1] + passed[2]);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_DENY), asked - passed[1] - passed[2]);
}
