// SPDX-License-Identifier: Apache-2.0
// bad-input 4.5, A1 to A9: each followed by a stream that works.
#include "host.hpp"
#include "snd.hpp"

using namespace dh;
using snd::bad_msg;
using snd::io_err;
using snd::not_supp;
using snd::ok;
using snd::small;

namespace {

constexpr uint32_t all = 0xffffffff;

snd::Bytes number(uint32_t n)
{
    const auto *raw = reinterpret_cast<const uint8_t *>(&n);
    return {raw, raw + 4};
}

// A raw request on the tx or rx queue; its answer's length and status.
snd::Done raw(snd::SndGuest &g, uint32_t vq, const snd::Bytes &out, size_t in)
{
    const uint64_t where = g.alloc(out.size() + in + 8);
    if (!out.empty()) {
        memcpy(g.at(where, out.size()), out.data(), out.size());
    }
    std::vector<Buffer> buffers;
    if (!out.empty()) {
        buffers.push_back({where, static_cast<uint32_t>(out.size()), false});
    }
    if (in) {
        buffers.push_back({where + out.size(), static_cast<uint32_t>(in), true});
    }
    Queue &q = g.queue(vq);
    const int id = q.add(buffers);
    CHECK(id >= 0);
    q.kick_if_wanted();
    const Used used = q.expect();
    CHECK_EQ(used.id, id);
    snd::Done done;
    done.length = used.length;
    if (used.length >= 8) {
        memcpy(&done.status, g.at(where + out.size() + in - 8, 4), 4);
    }
    return done;
}

} // namespace

TEST_RINGS("A1 queries of items that are not there, of other sizes, of too many")
{
    snd::LoopFixture t(snd::with_ring(ring));
    constexpr uint32_t size = sizeof(virtio_snd_pcm_info);
    const std::tuple<uint32_t, uint32_t, uint32_t> bad[] = {
        {0, 0, size},     {0, 3, size},
        {1, 2, size},     {2, 1, size},
        {2, 0, size},     {all, 1, size},
        {all, 2, size},   {1, all, size},
        {0, all, size},   {0x80000000, 0x80000000, size},
        {all, all, size}, {0, 2, 0},
        {0, 2, size - 1}, {0, 2, size + 1},
        {0, 2, all},      {0, 1, 0x80000000},
    };
    for (auto [start, count, bytes] : bad) {
        CHECK_EQ(t.guest.info_status(VIRTIO_SND_R_PCM_INFO, start, count, bytes), bad_msg);
    }
    // No room for the answer, one byte short of it.
    CHECK_EQ(t.guest.info_status(VIRTIO_SND_R_PCM_INFO, 0, 2, size, 0), bad_msg);
    CHECK_EQ(t.guest.info_status(VIRTIO_SND_R_PCM_INFO, 0, 2, size, 2 * size - 1), bad_msg);
    // There are none of these.
    CHECK_EQ(t.guest.info_status(VIRTIO_SND_R_JACK_INFO, 0, 1, sizeof(virtio_snd_jack_info)),
             bad_msg);
    CHECK_EQ(t.guest.info_status(VIRTIO_SND_R_CHMAP_INFO, 0, 1, sizeof(virtio_snd_chmap_info)),
             bad_msg);
    // A query cut short.
    for (size_t bytes = 0; bytes < 12; bytes++) {
        auto reply = t.guest.request(VIRTIO_SND_R_PCM_INFO, snd::Bytes(bytes, 0), 128);
        CHECK(reply.has_value());
        CHECK_EQ(reply->status, bad_msg);
    }
    CHECK_EQ(t.guest.info<virtio_snd_pcm_info>(VIRTIO_SND_R_PCM_INFO, 0, 2).size(), 2U);
    t.good();
}

TEST_RINGS("A2 streams that are not there, in every command and message")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (uint32_t id : {2U, 3U, 32U, 0x10000U, 0x7fffffffU, 0x80000000U, all}) {
        CHECK_EQ(t.guest.set_params(id, small()), bad_msg);
        for (uint32_t code : {VIRTIO_SND_R_PCM_PREPARE, VIRTIO_SND_R_PCM_RELEASE,
                              VIRTIO_SND_R_PCM_START, VIRTIO_SND_R_PCM_STOP}) {
            CHECK_EQ(t.guest.pcm(code, id), bad_msg);
        }
        snd::Bytes tx = number(id);
        tx.resize(4 + 640, 0x11);
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, tx, 8).status, bad_msg);
        const snd::Done rx = raw(t.guest, VIRTIO_SND_VQ_RX, number(id), 648);
        CHECK_EQ(rx.status, bad_msg);
        CHECK_EQ(rx.length, 8U);
        auto reply =
            t.guest.request(VIRTIO_SND_R_JACK_REMAP, snd::Bytes(12, static_cast<uint8_t>(id)));
        CHECK_EQ(reply->status, bad_msg);
    }
    t.good();
    t.good_capture();
}

TEST_RINGS("A3 parameters that cannot be")
{
    snd::LoopFixture t(snd::with_ring(ring));
    auto refused = [&](uint32_t status, auto change) {
        snd::Params p = small();
        change(p);
        CHECK_EQ(t.guest.set_params(0, p), status);
        CHECK_EQ(snd::stream_state(t.device, 0), static_cast<uint32_t>(DEVHOST_SND_IDLE));
    };
    refused(bad_msg, [](auto &p) { p.period_bytes = 0; });
    refused(bad_msg, [](auto &p) { p.buffer_bytes = 0; });
    refused(bad_msg, [](auto &p) { p.buffer_bytes = p.period_bytes = 0; });
    refused(bad_msg, [](auto &p) { p.buffer_bytes++; });
    refused(bad_msg, [](auto &p) { p.buffer_bytes = p.period_bytes / 2; });
    refused(bad_msg, [](auto &p) { p.period_bytes = p.buffer_bytes = 642; });
    refused(bad_msg, [](auto &p) { p.period_bytes = 1; });
    refused(bad_msg, [](auto &p) { p.buffer_bytes = all; });
    refused(not_supp, [](auto &p) { p.buffer_bytes = p.period_bytes * 100000; });
    refused(not_supp, [](auto &p) { p.channels = 0; });
    refused(not_supp, [](auto &p) { p.channels = 255; });
    for (unsigned format : {0U, 25U, 26U, 63U, 64U, 65U, 127U, 128U, 255U}) {
        refused(not_supp, [&](auto &p) { p.format = static_cast<uint8_t>(format); });
    }
    for (unsigned rate : {16U, 31U, 63U, 64U, 65U, 128U, 255U}) {
        refused(not_supp, [&](auto &p) { p.rate = static_cast<uint8_t>(rate); });
    }
    for (unsigned feature = 0; feature < 32; feature++) {
        if (feature != VIRTIO_SND_PCM_F_MSG_POLLING && feature != VIRTIO_SND_PCM_F_EVT_XRUNS) {
            refused(not_supp, [&](auto &p) { p.features = 1U << feature; });
        }
    }
    refused(not_supp, [](auto &p) { p.features = all; });
    // Cut short.
    for (size_t bytes = 0; bytes < 20; bytes++) {
        auto reply = t.guest.request(VIRTIO_SND_R_PCM_SET_PARAMS, snd::Bytes(bytes, 0));
        CHECK(reply.has_value());
        CHECK_EQ(reply->status, bad_msg);
    }
    t.good();
}

TEST_RINGS("A4 commands in the wrong state, PREPARE a thousand times")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.start_stream(s), bad_msg);
        CHECK_EQ(t.guest.prepare(s), bad_msg);
        CHECK_EQ(t.guest.release(s), bad_msg);
        CHECK_EQ(t.guest.stop(s), bad_msg);
        CHECK_EQ(t.guest.set_params(s, small()), ok);
        for (unsigned i = 0; i < 1000; i++) {
            CHECK_EQ(t.guest.prepare(s), ok);
        }
        CHECK_EQ(t.guest.start_stream(s), ok);
        for (int i = 0; i < 20; i++) {
            CHECK_EQ(t.guest.release(s), bad_msg);
            CHECK_EQ(t.guest.set_params(s, small()), bad_msg);
            CHECK_EQ(t.guest.prepare(s), bad_msg);
            CHECK_EQ(t.guest.start_stream(s), bad_msg);
        }
        CHECK_EQ(t.guest.stop(s), ok);
        CHECK_EQ(t.guest.release(s), ok);
        CHECK_EQ(t.guest.release(s), bad_msg);
    }
    t.good();
    t.good_capture();
}

TEST_RINGS("A5 tx and rx of sizes that make no sense")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.set_params(s, small()), ok);
        CHECK_EQ(t.guest.prepare(s), ok);
    }
    // No whole header: there may be nobody to answer for.
    for (size_t bytes = 0; bytes <= 4; bytes++) {
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, snd::Bytes(bytes, 0), 8).status, bad_msg);
        if (bytes < 4) {
            CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_RX, snd::Bytes(bytes, 0), 648).status, bad_msg);
        }
    }
    // No room for the status: returned unserved.
    for (size_t room = 0; room < 8; room++) {
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, snd::Bytes(644, 0), room).length, 0U);
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_RX, number(1), room).length, 0U);
    }
    // Room for the status only, or for parts of frames.
    CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_RX, number(1), 8).status, bad_msg);
    for (size_t extra : {1U, 2U, 3U, 5U, 639U}) {
        snd::Bytes tx(4 + extra, 0);
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, tx, 8).status, bad_msg);
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_RX, number(1), 8 + extra).status, bad_msg);
    }
    // Readable data in rx, writable in tx.
    CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, snd::Bytes(644, 0), 12).status, bad_msg);
    snd::Bytes rx = number(1);
    rx.resize(8);
    CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_RX, rx, 648).status, bad_msg);
    // Larger than the buffer.
    CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, snd::Bytes(4 + small().buffer_bytes + 4, 0), 8).status,
             bad_msg);
    CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_RX, number(1), small().buffer_bytes + 12).status, bad_msg);
    CHECK(t.device.stats().counters.at("io_invalid") > 20);
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.release(s), ok);
    }
    t.good();
    t.good_capture();
}

namespace {

// A payload of so many MiB: the same memory again and again. The answer, or nothing.
std::optional<uint32_t> send_mib(snd::SndGuest &g, size_t mib)
{
    const uint64_t where = g.alloc(1 << 20, 1 << 20);
    const uint64_t status = g.alloc(8);
    std::vector<Buffer> buffers(mib, {where, 1 << 20, false});
    buffers.push_back({status, 8, true});
    Queue &q = g.queue(VIRTIO_SND_VQ_TX);
    const int id = q.add(buffers);
    CHECK(id >= 0);
    q.kick_if_wanted();
    const Used used = q.expect();
    CHECK_EQ(used.id, id);
    if (used.length == 0) {
        return std::nullopt;
    }
    CHECK_EQ(used.length, 8U);
    return *g.as<uint32_t>(status);
}

} // namespace

TEST_RINGS("A5 tx of 16 MiB")
{
    shell("echo 8 > /proc/sys/vm/nr_hugepages");
    {
        GuestSetup setup = snd::with_ring(ring);
        setup.huge = true;
        snd::LoopFixture t(setup);
        CHECK_EQ(t.guest.set_params(0, small()), ok);
        CHECK_EQ(t.guest.prepare(0), ok);
        CHECK(send_mib(t.guest, 16) == bad_msg);
        CHECK_EQ(t.guest.release(0), ok);
        t.good();
    }
    shell("echo 0 > /proc/sys/vm/nr_hugepages");
}

TEST_RINGS("A5 tx of 24 MiB in single pages: more pieces than a chain may have")
{
    GuestSetup setup = snd::with_ring(ring);
    setup.scatter = true;
    snd::LoopFixture t(setup);
    CHECK_EQ(t.guest.set_params(0, small()), ok);
    CHECK_EQ(t.guest.prepare(0), ok);
    CHECK(!send_mib(t.guest, 24));
    CHECK_EQ(t.device.stats().vqs.at(VIRTIO_SND_VQ_TX).malformed, 1U);
    CHECK_EQ(t.guest.release(0), ok);
    t.good();
}

TEST_RINGS("A6 tx before START, as many as the queue takes, and before PREPARE")
{
    GuestSetup setup = snd::with_ring(ring);
    setup.queue_size = 1024;
    snd::LoopFixture t(setup);
    CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, snd::Bytes(644, 0), 8).status, io_err);
    CHECK_EQ(t.guest.set_params(0, small()), ok);
    CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, snd::Bytes(644, 0), 8).status, io_err);
    CHECK_EQ(t.guest.prepare(0), ok);
    size_t sent = 0;
    while (t.guest.queue_tx(0, snd::pattern(small(), 0, 160)) >= 0) {
        sent++;
    }
    CHECK(sent >= 300);
    CHECK(!t.guest.tx_done(200));
    CHECK_EQ(t.guest.release(0), ok);
    for (size_t i = 0; i < sent; i++) {
        CHECK(t.guest.tx_done(0).has_value());
    }
    CHECK_EQ(t.guest.tx_pending(), 0U);
    // The same where it runs: all are played or returned, none twice.
    CHECK_EQ(t.guest.prepare(0), ok);
    for (sent = 0; t.guest.queue_tx(0, snd::pattern(small(), 0, 160)) >= 0;) {
        sent++;
    }
    CHECK_EQ(t.guest.start_stream(0), ok);
    CHECK(t.guest.tx_done().has_value());
    CHECK_EQ(t.guest.stop(0), ok);
    CHECK_EQ(t.guest.release(0), ok);
    while (t.guest.tx_pending()) {
        CHECK(t.guest.tx_done(0).has_value());
    }
    t.good();
}

TEST_RINGS("A7 tx to a capture stream, rx to a playback stream")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.set_params(s, small()), ok);
        CHECK_EQ(t.guest.prepare(s), ok);
    }
    for (int i = 0; i < 50; i++) {
        snd::Bytes tx = number(1);
        tx.resize(644, 0x22);
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_TX, tx, 8).status, bad_msg);
        CHECK_EQ(raw(t.guest, VIRTIO_SND_VQ_RX, number(0), 648).status, bad_msg);
    }
    for (uint32_t s : {0U, 1U}) {
        CHECK_EQ(t.guest.release(s), ok);
    }
    t.good();
    t.good_capture();
}

TEST_RINGS("A8 xruns with no event buffer, and with one that is too small")
{
    snd::LoopFixture t(snd::with_ring(ring));
    snd::Params p = small();
    p.features = 1U << VIRTIO_SND_PCM_F_EVT_XRUNS;
    auto underrun = [&] {
        const auto count = [&] { return t.device.stats().counters.at("underruns"); };
        const uint64_t before = count();
        CHECK_EQ(t.guest.set_params(0, p), ok);
        CHECK_EQ(t.guest.prepare(0), ok);
        t.guest.queue_tx(0, snd::pattern(p, 0, 160));
        CHECK_EQ(t.guest.start_stream(0), ok);
        CHECK(t.guest.tx_done().has_value());
        CHECK(within(5000, [&] { return count() == before + 1; }));
        CHECK_EQ(t.guest.stop(0), ok);
        CHECK_EQ(t.guest.release(0), ok);
    };
    underrun();
    CHECK_EQ(t.device.stats().counters.at("events_dropped"), 1U);
    const uint64_t where = t.guest.alloc(16);
    Queue &q = t.guest.queue(VIRTIO_SND_VQ_EVENT);
    const int id = q.add({{where, 7, true}});
    q.kick_if_wanted();
    underrun();
    const Used used = q.expect();
    CHECK_EQ(used.id, id);
    CHECK_EQ(used.length, 0U);
    CHECK_EQ(t.device.stats().counters.at("events_dropped"), 2U);
    t.guest.post_events(2);
    underrun();
    CHECK(t.guest.event().has_value());
    CHECK_EQ(t.device.stats().counters.at("events_dropped"), 2U);
    t.good();
}

TEST_RINGS("A9 requests that nobody knows, controls without their feature, cut short")
{
    snd::LoopFixture t(snd::with_ring(ring));
    for (uint32_t code : {0U,      3U,      0x00ffU, 0x0106U, 0x01ffU,     0x0201U, 0x0300U,
                          0x0301U, 0x0302U, 0x0303U, 0x0304U, 0x0305U,     0x0306U, 0x0307U,
                          0x0999U, 0x1000U, 0x1100U, 0x8000U, 0x80000000U, all}) {
        auto reply = t.guest.request(code, snd::Bytes(520, 0), 512);
        CHECK(reply.has_value());
        CHECK_EQ(reply->status, not_supp);
    }
    // No code at all, no room for the status.
    const uint64_t where = t.guest.alloc(64);
    Queue &q = t.guest.queue(VIRTIO_SND_VQ_CONTROL);
    for (uint32_t bytes = 1; bytes < 4; bytes++) {
        int id = q.add({{where, bytes, false}, {where + 16, 4, true}});
        q.kick_if_wanted();
        Used used = q.expect();
        CHECK_EQ(used.id, id);
        CHECK_EQ(used.length, 4U);
        CHECK_EQ(*t.guest.as<uint32_t>(where + 16), bad_msg);
        id = q.add({{where, 4, false}, {where + 16, bytes, true}});
        q.kick_if_wanted();
        used = q.expect();
        CHECK_EQ(used.id, id);
        CHECK_EQ(used.length, 0U);
    }
    int id = q.add({{where, 8, false}});
    q.kick_if_wanted();
    CHECK_EQ(q.expect().id, id);
    id = q.add({{where, 8, true}});
    q.kick_if_wanted();
    CHECK_EQ(q.expect().id, id);
    CHECK(!t.guest.needs_reset());
    t.good();
}
