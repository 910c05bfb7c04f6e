// SPDX-License-Identifier: Apache-2.0
// What rules do to a guest's video, and what the counters say of it.

#include <unistd.h>

#include "watched.hpp"

using namespace dh;
using namespace dh::video;
using devhost::RuleCounters;
using devhost::VideoListCounters;

namespace {

using Reason = uint64_t VideoListCounters::*;

// A policy, what it lets through, and what not, for the reason that is counted.
struct Row {
    const char *name;
    const char *policy;
    Wish allowed;
    Wish denied;
    Reason reason; // nullptr: a rule, or the default
};

const std::vector<Row> rows{
    {"decoders only", "[policy.video.decode]\ndefault = \"allow\"\n", {}, {.encoder = true}, {}},
    {"encoders only", "[policy.video.encode]\ndefault = \"allow\"\n", {.encoder = true}, {}, {}},
    {"formats that are allowed",
     "[[policy.video.decode.rule]]\nverdict = \"allow\"\nformat = [\"H264\", \"FWHT\"]\n"
     "[[policy.video.encode.rule]]\nverdict = \"allow\"\nformat = \"H264\"\n",
     {},
     {.encoder = true},
     {}},
    {"formats that are denied",
     "[policy.video.decode]\ndefault = \"allow\"\n"
     "[[policy.video.decode.rule]]\nverdict = \"deny\"\nformat = [\"HEVC\", \"VP90\"]\n"
     "[policy.video.encode]\ndefault = \"allow\"\n"
     "[[policy.video.encode.rule]]\nverdict = \"deny\"\nformat = [\"HEVC\", \"FWHT\"]\n",
     {},
     {.encoder = true},
     {}},
    {"width",
     "[policy.video.decode]\ndefault = \"allow\"\nwidth_max = 1280\n",
     {.what = Wish::params, .width = 1280, .height = 480},
     {.what = Wish::params, .width = 1281, .height = 480},
     &VideoListCounters::size},
    {"height",
     "[policy.video.encode]\ndefault = \"allow\"\nheight_max = 720\n",
     {.what = Wish::params, .encoder = true, .width = 1280, .height = 720},
     {.what = Wish::params, .encoder = true, .width = 1280, .height = 721},
     &VideoListCounters::size},
    {"pixels of a frame",
     "[policy.video.decode]\ndefault = \"allow\"\npixels_max = 307200\n",
     {.what = Wish::params, .width = 640, .height = 480},
     {.what = Wish::params, .width = 642, .height = 480},
     &VideoListCounters::size},
    {"pixels a second",
     "[policy.video.encode]\ndefault = \"allow\"\npixels_per_second_max = 9216000\n",
     {.what = Wish::params, .encoder = true, .width = 640, .height = 480, .rate = 30},
     {.what = Wish::params, .encoder = true, .width = 640, .height = 480, .rate = 31},
     &VideoListCounters::rate},
    {"bit rate",
     "[policy.video.encode]\ndefault = \"allow\"\nbitrate_max = 500000\n",
     {.what = Wish::bitrate, .encoder = true, .bits = 500000},
     {.what = Wish::bitrate, .encoder = true, .bits = 500001},
     &VideoListCounters::bitrate},
    {"streams at a time",
     "[policy.video.decode]\ndefault = \"allow\"\nstreams_max = 2\n",
     {.before = 1},
     {.before = 2},
     &VideoListCounters::streams},
    {"limits of a rule",
     "[[policy.video.encode.rule]]\nverdict = \"allow\"\nformat = \"FWHT\"\nwidth_max = 800\n",
     {.what = Wish::params, .encoder = true, .width = 800, .height = 480},
     {.what = Wish::params, .encoder = true, .width = 802, .height = 480},
     &VideoListCounters::size},
    {"no rule lifts the limits of its list",
     "[policy.video.decode]\nwidth_max = 800\n"
     "[[policy.video.decode.rule]]\nverdict = \"allow\"\nwidth_max = 1280\n",
     {.what = Wish::params, .width = 800, .height = 480},
     {.what = Wish::params, .width = 802, .height = 480},
     &VideoListCounters::size},
    {"the first rule that matches decides",
     "[[policy.video.encode.rule]]\nverdict = \"allow\"\nformat = \"FWHT\"\nbitrate_max = 1000\n"
     "[[policy.video.encode.rule]]\nverdict = \"allow\"\n",
     {.what = Wish::bitrate, .encoder = true, .bits = 1000},
     {.what = Wish::bitrate, .encoder = true, .bits = 1001},
     &VideoListCounters::bitrate},
    {"the size that a stream turns out to have",
     "[policy.video.decode]\ndefault = \"allow\"\nwidth_max = 640\n",
     {.what = Wish::play, .width = 640, .height = 480},
     {.what = Wish::play, .width = 720, .height = 480},
     &VideoListCounters::size},
};

const VideoListCounters &list_of(const devhost::VideoCounters &counters, bool encoder)
{
    return encoder ? counters.encode : counters.decode;
}

} // namespace

TEST("policy: what a policy of video lets through, and what not")
{
    tap::time_limit(300);
    WatchedFixture t;

    CHECK(!t.may({})); // none is in force
    CHECK(!t.may({.encoder = true}));
    for (const Row &row : rows) {
        tap::note(row.name);
        t.apply(row.policy);
        CHECK(t.may(row.allowed));
        CHECK_EQ(dropped(list_of(t.counters(), row.allowed.encoder)), 0U);
        CHECK(!t.may(row.denied));
        const devhost::VideoCounters counters = t.counters();
        const VideoListCounters &list = list_of(counters, row.denied.encoder);
        CHECK_EQ(dropped(list), 1U);
        for (const Reason reason : {&VideoListCounters::streams, &VideoListCounters::size,
                                    &VideoListCounters::rate, &VideoListCounters::bitrate}) {
            CHECK_EQ(list.*reason, reason == row.reason ? 1U : 0U);
        }
    }
    for (const bool encoder : {false, true}) {
        auto verdicts = t.of(encoder).device.stats().verdicts;
        CHECK_EQ(verdicts[DEVHOST_VERDICT_NONE], 1U);
        CHECK_EQ(verdicts[DEVHOST_VERDICT_LIMIT], encoder ? 0U : 1U);
        CHECK_EQ(verdicts[DEVHOST_VERDICT_INVALID], 0U);
    }
}

TEST("policy: sizes and rates that are within the limits one by one, and not together")
{
    WatchedFixture t;
    Codec &codec = t.encoder;

    // A stream whose size is known: it encodes.
    const auto begin = [&](Player &player) {
        t.apply("[policy.video.encode]\ndefault = \"allow\"\npixels_max = 921600\n"
                "pixels_per_second_max = 27648000\n");
        player.begin(1280, 720);
        while (player.frames() == 0) {
            player.turn();
            player.feed(frame(1280, 720, 0));
            usleep(2000);
        }
    };
    const auto fails = [&](Player &player) {
        for (unsigned turns = 0; !player.failed() && turns < 500; turns++) {
            player.turn();
            usleep(2000);
        }
        return player.failed();
    };
    {
        Player player(codec.guest, true);
        begin(player);
        CHECK_EQ(set_params_of(codec, stream, 0, 0, 30), uint32_t{ok_nodata});
        CHECK(!fails(player));
        CHECK_EQ(set_params_of(codec, stream, 0, 0, 31), uint32_t{ok_nodata});
        CHECK(fails(player));
        CHECK_EQ(t.counters().encode.rate, 1U);
        player.end();
    }
    // One that has said its width and its height apart.
    codec.guest.create(stream);
    CHECK_EQ(set_params_of(codec, stream, 1920, 0, 0), uint32_t{ok_nodata});
    CHECK_EQ(set_params_of(codec, stream, 0, 1080, 0), uint32_t{ok_nodata});
    const Params in = codec.guest.params(stream, input);
    const video::Resource raw = codec.guest.buffer(900, in.size);
    CHECK_EQ(codec.guest.attach(stream, input, raw).type, uint32_t{ok_nodata});
    codec.guest.queue_buffer(stream, input, raw, in.size);
    const auto event = codec.guest.event();
    CHECK(event.has_value());
    CHECK_EQ(event->type, uint32_t{event_error});
    CHECK_EQ(t.counters().encode.size, 1U);
    codec.guest.ok(stream_destroy, stream);
}

TEST("policy: a stream that goes on is judged again when the rules change")
{
    const std::string allow = "[policy.video.encode]\ndefault = \"allow\"\n";
    WatchedFixture t;
    Codec &codec = t.encoder;
    const auto failed = [&] { return codec.device.stats().counters["stream_errors"]; };
    const auto become = [&](uint64_t wanted) {
        return within(5000, [&] { return failed() == wanted; });
    };

    t.apply(allow);
    codec.guest.create(1);
    codec.guest.create(2);
    // Other rules that allow them: they go on.
    t.apply(allow + "width_max = 640\n");
    CHECK(within(5000, [&] { return t.counters().encode.otherwise.passed == 2; }));
    CHECK_EQ(failed(), 0U);
    // Of two one goes on.
    t.apply(allow + "streams_max = 1\n");
    CHECK(become(1));
    usleep(200000);
    CHECK_EQ(failed(), 1U);
    CHECK_EQ(t.counters().encode.streams, 1U);
    // Nobody is there to allow it.
    store().remove(codec.device.guest());
    CHECK(become(2));
    codec.guest.ok(stream_destroy, 1);
    codec.guest.ok(stream_destroy, 2);
    t.apply(allow);
    CHECK(t.may({.encoder = true}));
}

TEST("policy: rules for one video device are not for another, nor for one that is not known")
{
    WatchedFixture t;
    devhost::PolicyConfig config = policy("[[policy.video.decode.rule]]\nverdict = \"allow\"\n");
    devhost::PolicyGuest guest = t.known();

    config.video->decode.rules[0].device = t.decoder.device.name();
    store().apply(guest, config);
    CHECK(t.may({}));
    CHECK(store().adopt(guest) == config);
    config.video->decode.rules[0].device = "other";
    store().apply(guest, config);
    CHECK(!t.may({}));
    CHECK((t.counters().decode.otherwise == RuleCounters{0, 1}));
    guest.devices.clear();
    config.video->decode.otherwise = devhost::Verdict::allow;
    store().apply(guest, config);
    CHECK(!t.may({}));
    CHECK_EQ(t.counters().decode.unknown_device, 1U);
}

TEST("S10 swaps under requests of video: each is judged by the old or the new rules")
{
    const unsigned swaps = tap::rounds(8, 200);
    tap::time_limit(swaps * 10);
    WatchedFixture t;
    uint64_t asked = 0;
    std::array<uint64_t, 3> passed{};
    const std::array<uint32_t, 3> bits{9000, 1000, 2000}; // the first never
    const auto rules = [](unsigned which) {
        return std::string("[policy.video.encode]\ndefault = \"allow\"\nbitrate_max = ") +
               (which % 2 ? "1000" : "2000") + "\n";
    };

    t.apply(rules(0));
    swap_under(
        swaps, [&](unsigned i) { t.apply(rules(i)); },
        [&] {
            for (unsigned i = 0; i < bits.size(); i++) {
                passed.at(i) += t.may({.what = Wish::bitrate, .encoder = true, .bits = bits.at(i)});
                asked++;
            }
        });
    tap::note("asked " + std::to_string(asked) + ", passed " + std::to_string(passed[1]) + " + " +
              std::to_string(passed[2]));
    CHECK_EQ(passed[0], 0U);
    CHECK_EQ(passed[1], asked / bits.size()); // by either
    CHECK(passed[2] > 0);
    auto verdicts = t.encoder.device.stats().verdicts;
    CHECK_EQ(verdicts[DEVHOST_VERDICT_NONE], 0U);
    CHECK_EQ(verdicts[DEVHOST_VERDICT_INVALID], 0U);
    CHECK_EQ(verdicts[DEVHOST_VERDICT_DENY], asked - passed[1] - passed[2]);
}
