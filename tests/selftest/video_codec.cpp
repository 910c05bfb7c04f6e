// SPDX-License-Identifier: Apache-2.0
// vhost_video on the kernel's vicodec, both directions, both dialects of driver:
// what a guest gets is what the codec gives to a program of the host. And what
// becomes of streams when a codec, a guest or its memory goes.

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "child.hpp"
#include "host.hpp"
#include "v4l2.hpp"
#include "video_player.hpp"

using namespace dh;
using namespace dh::video;

namespace {

constexpr uint32_t width = 640;
constexpr uint32_t height = 480;

void check_stamps(const std::vector<Out> &out, size_t first)
{
    for (size_t i = 0; i < out.size(); i++) {
        CHECK_EQ(out[i].timestamp, stamp(first + i));
    }
}

// Where two series of frames begin to differ, or "".
std::string difference(const std::vector<Bytes> &a, const std::vector<Bytes> &b)
{
    if (a.size() != b.size()) {
        return std::to_string(a.size()) + " frames are not " + std::to_string(b.size());
    }
    for (size_t i = 0; i < a.size(); i++) {
        if (a[i] != b[i]) {
            return "frame " + std::to_string(i) + " differs: " + std::to_string(a[i].size()) +
                   " bytes, " + std::to_string(b[i].size()) + " bytes";
        }
    }
    return "";
}

std::vector<Bytes> coded(uint32_t count, uint32_t w = width, uint32_t h = height)
{
    return v4l2::encode(vicodec(true), frames(w, h, count), w, h);
}

std::vector<Bytes> decoded(const std::vector<Bytes> &bits)
{
    return v4l2::decode(vicodec(false), bits);
}

// All of @in to the end: what comes out is as expected, in order.
void check_played(Player &player, const std::vector<Bytes> &in, const std::vector<Bytes> &expected)
{
    const size_t first = player.fed();
    player.play(in);
    const std::vector<Out> out = player.take();
    CHECK_EQ(difference(bytes(out), expected), "");
    check_stamps(out, first);
}

// Another stream, from its beginning to its end.
void check_another(VideoGuest &guest, const std::vector<Bytes> &bits)
{
    Player player(guest, false);
    player.begin(width, height);
    player.play(bits);
    CHECK_EQ(player.take().size(), bits.size());
    player.end();
}

// With a stream that has begun.
struct Decoder : VideoFixture {
    explicit Decoder(RingKind ring, Dialect dialect = Dialect::chromeos)
        : VideoFixture(false, video::setup(ring), dialect), player(guest, false)
    {
        player.begin(width, height);
    }
    void end()
    {
        player.end();
        guest.good();
    }

    Player player;
};

void round_trip(RingKind ring, Dialect dialect)
{
    constexpr uint32_t count = 12;
    tap::time_limit(300);
    const std::vector<Bytes> raw = frames(width, height, count);
    const std::vector<Bytes> bits = v4l2::encode(vicodec(true), raw, width, height);
    CHECK_EQ(bits.size(), count);
    {
        VideoFixture t(true, video::setup(ring), dialect);
        Player player(t.guest, true);
        player.begin(width, height);
        check_played(player, raw, bits);
        std::map<std::string, uint64_t> counters = t.device.stats().counters;
        CHECK_EQ(counters["frames"], count);
        CHECK_EQ(counters["buffers_failed"], 0U);
        // Each was imported once and queued again and again.
        CHECK(counters["buffers_imported"] < count);
        CHECK(counters["buffers_queued"] >= 2 * count);
        player.end();
        t.guest.good();
    }
    const std::vector<Bytes> expected = decoded(bits);
    CHECK_EQ(expected.size(), count);
    Decoder t(ring, dialect);
    check_played(t.player, bits, expected);
    CHECK_EQ(t.player.changes(), 1U);
    t.end();
    CHECK_EQ(t.device.stats().counters["resolution_changes"], 1U);
}

void lets_go(TestDevice &device)
{
    for (int i = 0; i < 250 && device.exported(); i++) {
        usleep(20000);
    }
    CHECK_EQ(device.exported(), 0U);
}

// A decoder in the midst of it: frames wait, and no more output buffers come.
void fill(Player &player, const std::vector<Bytes> &bits)
{
    player.begin(width, height);
    for (size_t i = 0; player.frames() < 2; i++) {
        player.turn();
        player.feed(bits[i % bits.size()]);
        usleep(2000);
    }
    while (player.feed(bits[0])) {
    }
}

// vicodec with one of its two interfaces; with its usual one at the end.
class Interface {
public:
    explicit Interface(bool planes) { load(planes); }
    Interface(const Interface &) = delete;
    Interface &operator=(const Interface &) = delete;
    ~Interface()
    {
        try {
            load(false);
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }

private:
    static void load(bool planes)
    {
        // For an instant udev looks into new nodes.
        shell("modprobe vicodec; for i in 1 2 3 4 5 6 7 8 9; do modprobe -r vicodec && break; "
              "sleep 0.5; done; modprobe vicodec multiplanar=" +
              std::to_string(planes ? 1 : 0));
    }
};

} // namespace

TEST_RINGS("video: coded and decoded as by the host itself, ChromeOS's driver")
{
    round_trip(ring, Dialect::chromeos);
}

TEST("video: coded and decoded as by the host itself, plain RFC v3")
{
    round_trip(RingKind::split, Dialect::plain);
}

TEST("video: coded and decoded by a codec with the multi-planar interface")
{
    const Interface planes(true);
    round_trip(RingKind::split, Dialect::chromeos);
}

TEST_RINGS("video: the resolution changes twice")
{
    tap::time_limit(300);
    std::vector<Bytes> bits = coded(4);
    for (const Bytes &one : coded(3, 800, 608)) {
        bits.push_back(one);
    }
    for (const Bytes &one : coded(4)) {
        bits.push_back(one);
    }
    const std::vector<Bytes> expected = decoded(bits);
    CHECK_EQ(expected.size(), bits.size());
    Decoder t(ring);
    check_played(t.player, bits, expected);
    CHECK_EQ(t.player.changes(), 3U);
    CHECK_EQ(t.player.errors(), 0U);
    t.end();
}

TEST_RINGS("video: drained, and on; drained again")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(5);
    const std::vector<Bytes> expected = decoded(bits);
    Decoder t(ring);
    for (size_t round = 0; round < 3; round++) {
        CHECK_EQ(t.player.fed(), round * bits.size());
        check_played(t.player, bits, expected);
    }
    CHECK_EQ(t.player.changes(), 1U);
    t.player.end();
    // While it is under way, no more goes in and no other begins.
    VideoFixture e(true, video::setup(ring));
    Player recorder(e.guest, true);
    recorder.begin(width, height);
    for (size_t round = 0; round < 2; round++) {
        recorder.play(frames(width, height, 5));
        CHECK_EQ(recorder.take().size(), 5U);
    }
    recorder.end();
    e.guest.good();
}

TEST_RINGS("video: seeking drops what was begun")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(6);
    const std::vector<Bytes> expected = decoded(bits);
    Decoder t(ring);
    Player &player = t.player;
    for (int round = 0; round < 5; round++) {
        // To the end of the input, not of the frames.
        player.play(bits, false);
        player.seek();
        player.turn();
        player.take();
        check_played(player, bits, expected);
    }
    CHECK_EQ(player.changes(), 1U);
    // Elsewhere it may have another size.
    player.play(bits, false);
    player.seek();
    player.take();
    const std::vector<Bytes> large = coded(3, 800, 608);
    check_played(player, large, decoded(large));
    CHECK_EQ(player.changes(), 2U);
    t.end();
}

TEST_RINGS("video: four streams of two guests at once")
{
    tap::time_limit(400);
    const std::vector<Bytes> bits = coded(5);
    const std::vector<Bytes> expected = decoded(bits);
    const Fd node = open_node(vicodec(false));
    DeviceParams p = video::params(false, ring, node);
    TestDevice first(p);
    p.guest = "other";
    TestDevice second(p);
    VideoGuest one(first.path(), video::setup(ring));
    VideoGuest two(second.path(), video::setup(ring));
    one.bring_up();
    two.bring_up();
    // Of each guest one at a time here; the codec has all four open.
    Player players[] = {
        {one, false, 1, 1}, {two, false, 1, 1}, {one, false, 2, 101}, {two, false, 2, 101}};
    for (Player &player : players) {
        player.begin(width, height);
    }
    for (Player &player : players) {
        player.play(bits);
    }
    for (Player &player : players) {
        CHECK_EQ(difference(bytes(player.take()), expected), "");
        player.end();
    }
    one.good();
    two.good();
}

TEST_RINGS("V5 what is no stream")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(4);
    VideoFixture t(false, video::setup(ring));
    // Nothing that looks like a header: it comes back, and has an end.
    Player junk(t.guest, false);
    junk.begin(width, height);
    junk.play({Bytes(5000, 0xaa), Bytes(9, 0x4f), Bytes(70000, 0)}, false);
    const int drain = t.guest.send(stream_drain, stream, {});
    Resource out = t.guest.buffer(50, 1 << 20);
    CHECK_EQ(t.guest.attach(stream, output, out).type, uint32_t{ok_nodata});
    const Answer last = t.guest.wait(t.guest.queue_buffer(stream, output, out));
    CHECK_EQ(last.flags(), uint32_t{flag_eos});
    CHECK_EQ(last.size(), 0U);
    CHECK_EQ(t.guest.wait(drain).type, uint32_t{ok_nodata});
    junk.end();
    // Frames with bytes in them that are others.
    std::vector<Bytes> damaged = bits;
    uint32_t random = 1;
    for (Bytes &one : damaged) {
        for (int i = 0; i < 40; i++) {
            random = random * 1103515245 + 12345;
            one[100 + random / 65536 % (one.size() - 100)] ^= 0xff;
        }
    }
    Player player(t.guest, false);
    player.begin(width, height);
    player.play(damaged);
    player.end();
    Player good(t.guest, false);
    good.begin(width, height);
    check_played(good, bits, decoded(bits));
    good.end();
    t.guest.good();
}

TEST_RINGS("video: reset with frames in the codec lets go of all memory")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(4);
    VideoFixture t(false, video::setup(ring));
    for (unsigned i = 0; i < tap::rounds(5, 300); i++) {
        {
            Player player(t.guest, false);
            fill(player, bits);
            CHECK(t.device.exported() > 0);
        }
        t.guest.restart();
        lets_go(t.device);
        t.guest.begin_again();
    }
    check_another(t.guest, bits);
}

TEST_RINGS("video: the VMM is killed with frames in the codec")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(4);
    const Fd node = open_node(vicodec(false));
    TestDevice device(video::params(false, ring, node));
    for (unsigned i = 0; i < tap::rounds(5, 300); i++) {
        Child vmm([&](Child &me) {
            VideoGuest guest(device.path(), video::setup(ring));
            guest.bring_up();
            Player player(guest, false);
            fill(player, bits);
            me.tell();
            for (;;) {
                player.turn();
                player.feed(bits[0]);
            }
        });
        vmm.wait_told();
        usleep(i * 3000);
        vmm.kill();
        lets_go(device);
    }
    VideoGuest guest(device.path(), video::setup(ring));
    guest.bring_up();
    check_another(guest, bits);
}

TEST_RINGS("video: memory is taken away from frames in the codec")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(4);
    VideoFixture t(false, video::setup(ring), Dialect::chromeos, 16 << 20);
    Player player(t.guest, false);
    t.guest.buffers_from(VideoFixture::more, 16 << 20);
    fill(player, bits);
    t.guest.memory().unmap(t.guest.vdpa(), 1);
    player.expect_failure();
    lets_go(t.device);
    CHECK(t.device.stats().counters["buffers_lost"] >= 1);
    CHECK_EQ(t.device.stats().counters["stream_errors"], 1U);
    // What it has left serves another stream.
    player.end();
    t.guest.buffers_from(0, 0);
    check_another(t.guest, bits);
    t.guest.good();
}

TEST_RINGS("video: suspended, streams end; resumed, others begin")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(4);
    VideoFixture t(false, video::setup(ring));
    Player player(t.guest, false);
    fill(player, bits);
    must(t.guest.vdpa().suspend(), "suspend");
    lets_go(t.device);
    must(t.guest.vdpa().resume(), "resume");
    player.expect_failure();
    player.end();
    check_another(t.guest, bits);
    t.guest.good();
}

TEST_RINGS("video: the codec goes with frames in it")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(4);
    const std::string driver = "/sys/bus/platform/drivers/vicodec/";
    const auto has_node = [](TestDevice &device) {
        return find(device.info().backend, DEVHOST_A_VIDEO_NODE).has_value();
    };
    {
        VideoFixture t(false, video::setup(ring));
        Player player(t.guest, false);
        fill(player, bits);
        CHECK(has_node(t.device));
        std::ofstream(driver + "unbind") << "vicodec.0" << std::flush;
        player.expect_failure();
        player.end();
        // The device is there, only the codec is not.
        CHECK(!has_node(t.device));
        CHECK(t.guest.call(stream_create, 2, create_words()).type >= err_invalid_operation);
        t.guest.good();
    }
    std::ofstream(driver + "bind") << "vicodec.0" << std::flush;
    VideoFixture t(false, video::setup(ring));
    check_another(t.guest, bits);
    t.guest.good();
}

namespace {

// Gives the device a codec by DEVICE_SET; 0 or -errno.
int give(TestDevice &device, bool encoder)
{
    const Fd node = open_node(vicodec(encoder));
    Attrs backend;
    backend.u32(DEVHOST_A_VIDEO_FD, static_cast<uint32_t>(node.get()));
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, device.guest());
    fields.string(DEVHOST_A_DEV_NAME, device.name());
    fields.nest(DEVHOST_A_DEV_BACKEND, backend);
    return device.control()
        .genl()
        .request(DEVHOST_CMD_DEVICE_SET, Attrs().nest(DEVHOST_A_DEV, fields))
        .error;
}

} // namespace

TEST_RINGS("video: a codec in the place of one that went")
{
    tap::time_limit(300);
    const std::vector<Bytes> bits = coded(4);
    const std::string driver = "/sys/bus/platform/drivers/vicodec/";
    VideoFixture t(false, video::setup(ring));

    CHECK_EQ(give(t.device, false), -EBUSY);
    {
        Player player(t.guest, false);
        fill(player, bits);
        std::ofstream(driver + "unbind") << "vicodec.0" << std::flush;
        player.expect_failure();
        player.end();
    }
    std::ofstream(driver + "bind") << "vicodec.0" << std::flush;
    // Not what the guest has read of the one that went.
    CHECK(give(t.device, true) < 0);
    CHECK(t.guest.call(stream_create, 2, create_words()).type >= err_invalid_operation);
    CHECK_EQ(give(t.device, false), 0);
    CHECK(find(t.device.info().backend, DEVHOST_A_VIDEO_NODE).has_value());
    CHECK_EQ(give(t.device, false), -EBUSY);
    check_another(t.guest, bits);
    t.guest.good();
}
