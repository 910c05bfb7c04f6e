// SPDX-License-Identifier: Apache-2.0
// vhost_video: what a driver may say, in which order, and what it is answered.
// Bad input: bad-input 4.8, V1 to V3.

#include <unistd.h>

#include <cstdlib>

#include "host.hpp"
#include "video.hpp"

using namespace dh;
using namespace dh::video;

namespace {

// A decoder's stream with one input buffer.
Resource begin(VideoGuest &guest)
{
    guest.create(stream);
    guest.set(stream, input, format_fwht, 640, 480, 1 << 20);
    Resource buffer = guest.buffer(1, guest.params(stream, input).size);
    CHECK_EQ(guest.attach(stream, input, buffer).type, uint32_t{ok_nodata});
    return buffer;
}

constexpr uint32_t some_id = 99;

// RESOURCE_CREATE of these numbers; its answer's type.
uint32_t attached(VideoGuest &guest, uint32_t layout, uint32_t planes, const Words &counts,
                  const Words &entries)
{
    return guest
        .call(resource_create, stream,
              attach_words(input, some_id, layout, planes, counts, entries))
        .type;
}

// RESOURCE_QUEUE of that.
Answer queued(VideoGuest &guest, uint32_t planes, uint32_t size)
{
    return guest.call(resource_queue, stream, queue_words(input, some_id, planes, size), 24);
}

void finish(VideoGuest &guest)
{
    guest.ok(stream_destroy, stream);
    guest.good();
}

} // namespace

TEST_RINGS("video: configuration and capabilities")
{
    for (const bool encoder : {false, true}) {
        VideoFixture t(encoder, video::setup(ring));
        CHECK_EQ(t.guest.vdpa().device_id(), encoder ? 30U : 31U);
        CHECK_EQ(t.guest.vdpa().config_size(), 44U);
        uint32_t config[3];
        must(t.guest.vdpa().config_get(0, config, sizeof(config)), "config");
        CHECK_EQ(config[0], 0U);
        CHECK(config[1] && config[2]);
        const uint32_t coded = encoder ? output : input;
        const Answer caps = t.guest.ok(query_capability, 0, {coded, 0}, config[1]);
        CHECK_EQ(caps.u32(8), 1U);
        CHECK_EQ(caps.u32(16 + 8), format_fwht);
        CHECK(caps.u32(16 + 20) >= 1);
        CHECK_EQ(caps.u32(40), 640U); // vicodec's smallest
        // Bits for each of the raw formats, which follow in the other list.
        const Answer raw =
            t.guest.ok(query_capability, 0, {encoder ? input : output, 0}, config[1]);
        CHECK_EQ(caps.u64(16), bit(raw.u32(8)) - 1);
        // One that does not fit is no success.
        CHECK_EQ(t.guest.call(query_capability, 0, {coded, 0}, 32).type,
                 uint32_t{err_invalid_parameter});
    }
}

TEST_RINGS("video: streams come and go")
{
    VideoFixture t(true, video::setup(ring));
    VideoGuest &g = t.guest;
    const Words create = create_words();
    for (uint32_t id = 1; id <= 8; id++) {
        CHECK_EQ(g.call(stream_create, id, create).type, uint32_t{ok_nodata});
    }
    CHECK_EQ(g.call(stream_create, 9, create).type, uint32_t{err_out_of_memory});
    CHECK_EQ(g.call(stream_create, 3, create).type, uint32_t{err_invalid_stream_id});
    CHECK_EQ(g.call(stream_destroy, 9).type, uint32_t{err_invalid_stream_id});
    for (uint32_t id = 1; id <= 8; id++) {
        CHECK_EQ(g.call(stream_destroy, id).type, uint32_t{ok_nodata});
    }
    CHECK_EQ(g.call(get_params, 1, {input, 0}).type, uint32_t{err_invalid_stream_id});
    CHECK_EQ(g.call(stream_create, 1, create_words(0x1002)).type, uint32_t{err_invalid_parameter});
    // Drivers don't wait for the end of a stream to give its number to another.
    int last = 0;
    for (int i = 0; i < 4; i++) {
        last = g.send(stream_create, 1, create);
        g.send(stream_destroy, 1, {});
    }
    CHECK_EQ(g.wait(last).type, uint32_t{ok_nodata});
    g.good();
}

TEST_RINGS("V1 ten thousand streams, and requests about none")
{
    tap::time_limit(300);
    VideoFixture t(false, video::setup(ring));
    VideoGuest &g = t.guest;
    const Words create = create_words();
    unsigned made = 0;
    for (uint32_t id = 0; id < 10000; id++) {
        const uint32_t type = g.call(stream_create, id * 0x10001, create).type;
        made += type == ok_nodata ? 1 : 0;
        CHECK(type == ok_nodata || type == err_out_of_memory);
    }
    CHECK_EQ(made, 8U);
    for (const uint32_t type : {stream_destroy, stream_drain, resource_create, resource_queue,
                                resource_destroy_all, queue_clear, get_params, set_params,
                                get_control, set_control, get_params_ext, set_params_ext}) {
        const Words words = type == resource_create
                                ? attach_words(input, 1, 1, 1, {1}, {0, 0, 0, 0})
                                : params_words(input, 0, 0, 0, 0);
        CHECK_EQ(g.call(type, 0xffffffff, words).type, uint32_t{err_invalid_stream_id});
    }
    g.good();
}

TEST("video: a policy that is required and missing refuses streams")
{
    const Fd node = open_node(vicodec(true));
    DeviceParams p = video::params(true, RingKind::split, node);
    p.policy_required = true;
    TestDevice device(p);
    VideoGuest g(device.path(), video::setup(RingKind::split));
    g.bring_up();
    CHECK_EQ(g.call(stream_create, 1, create_words()).type, uint32_t{err_invalid_parameter});
    CHECK_EQ(g.call(get_params, 1, {input, 0}).type, uint32_t{err_invalid_stream_id});
    CHECK_EQ(device.stats().counters["denied"], 1U);
    CHECK_EQ(device.stats().verdicts[DEVHOST_VERDICT_NONE], 1U);
    g.good();
}

TEST_RINGS("video: clearing a queue gives its buffers back first")
{
    VideoFixture t(false, video::setup(ring));
    VideoGuest &g = t.guest;
    const Resource buffer = begin(g);
    // Output is not begun: what is no stream stays with the codec or fails.
    const Resource out = g.buffer(2, 1 << 20);
    CHECK_EQ(g.attach(stream, output, out).type, uint32_t{ok_nodata});
    const int held = g.queue_buffer(stream, output, out);
    CHECK(!g.answered(held));
    // Queued twice, made anew while it is queued.
    CHECK_EQ(g.wait(g.queue_buffer(stream, output, out)).type, uint32_t{err_invalid_parameter});
    CHECK_EQ(g.attach(stream, output, out).type, uint32_t{err_invalid_resource_id});
    const int clear = g.send(queue_clear, stream, {output, 0});
    CHECK_EQ(g.wait(clear).type, uint32_t{ok_nodata});
    CHECK(g.answered(held));
    const Answer back = g.wait(held);
    CHECK_EQ(back.length, 24U);
    CHECK_EQ(back.flags(), uint32_t{flag_err});
    CHECK_EQ(back.type, uint32_t{ok_resource_queue});
    // Now it can be, under the same number.
    CHECK_EQ(g.attach(stream, output, out).type, uint32_t{ok_nodata});
    g.ok(resource_destroy_all, stream, {output, 0});
    CHECK_EQ(g.wait(g.queue_buffer(stream, output, out)).type, uint32_t{err_invalid_resource_id});
    finish(g);
}

TEST_RINGS("limits: buffers in flight beyond them are refused, and clearing makes room")
{
    VideoFixture t(false, video::setup(ring));
    VideoGuest &g = t.guest;
    begin(g);
    t.device.control().guest_set(t.device.guest(), {{DEVHOST_A_LIMIT_IN_FLIGHT, 2}});
    const auto limits = [&] { return t.device.control().guest(t.device.guest()); };
    std::vector<Resource> out;
    for (uint32_t id = 2; id < 5; id++) {
        out.push_back(g.buffer(id, 1 << 20));
        CHECK_EQ(g.attach(stream, output, out.back()).type, uint32_t{ok_nodata});
    }
    const int held[] = {g.queue_buffer(stream, output, out[0]),
                        g.queue_buffer(stream, output, out[1])};
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(g.wait(g.queue_buffer(stream, output, out[2])).type, uint32_t{err_out_of_memory});
    }
    CHECK(!g.answered(held[0]) && !g.answered(held[1]));
    CHECK_EQ(limits().use.at(DEVHOST_A_LIMIT_IN_FLIGHT), 2U);
    CHECK_EQ(limits().refused.at(DEVHOST_A_LIMIT_IN_FLIGHT), 3U);
    // The queue goes on all the same: what ends them comes through.
    g.ok(queue_clear, stream, {output, 0});
    CHECK(g.answered(held[0]) && g.answered(held[1]));
    CHECK_EQ(g.attach(stream, output, out[2]).type, uint32_t{ok_nodata});
    CHECK(!g.answered(g.queue_buffer(stream, output, out[2])));
    CHECK_EQ(limits().refused.at(DEVHOST_A_LIMIT_IN_FLIGHT), 3U);
    finish(g);
    CHECK_EQ(limits().use.at(DEVHOST_A_LIMIT_IN_FLIGHT), 0U);
}

TEST_RINGS("video: refusals are as drivers need them")
{
    VideoFixture t(false, video::setup(ring));
    VideoGuest &g = t.guest;
    g.create(stream);
    Resource none;
    none.id = 77;
    const Answer refused = g.wait(g.queue_buffer(stream, input, none, 100));
    CHECK_EQ(refused.type, uint32_t{err_invalid_resource_id});
    CHECK_EQ(refused.length, 24U);
    CHECK_EQ(refused.flags(), uint32_t{flag_err});
    const Answer params = g.call(get_params, 99, {input, 0});
    CHECK_EQ(params.type, uint32_t{err_invalid_stream_id});
    CHECK_EQ(params.length, 120U);
    CHECK_EQ(params.u32(8), uint32_t{input});
    CHECK_EQ(g.call(stream_drain, stream).type, uint32_t{err_invalid_operation});
    CHECK_EQ(g.call(0x0999, stream).type, uint32_t{err_invalid_operation});
    CHECK_EQ(g.call(query_control, stream, {2, 0, format_fwht, 0}).type,
             uint32_t{err_unsupported_control});
    CHECK_EQ(g.call(set_control, stream, {1, 0, 1000, 0}).type, uint32_t{err_invalid_operation});
    // Nothing to write an answer to.
    CHECK_EQ(g.wait(g.send(stream_drain, stream, {}, 7)).length, 0U);
    CHECK_EQ(g.wait(g.send(stream_drain, stream, {}, 0)).length, 0U);
    // Memory that is none, or not the guest's.
    Resource bad = g.buffer(3, 8192);
    bad.pages[1] = 0x10;
    CHECK_EQ(g.attach(stream, input, bad).type, uint32_t{err_invalid_parameter});
    bad.pages[1] = ~uint64_t{0} - 100;
    CHECK_EQ(g.attach(stream, input, bad).type, uint32_t{err_invalid_parameter});
    finish(g);
}

TEST_RINGS("video: controls of an encoder")
{
    VideoFixture t(true, video::setup(ring));
    VideoGuest &g = t.guest;
    g.create(stream);
    constexpr uint32_t gop_size = 8;
    CHECK_EQ(g.call(set_control, stream, {gop_size, 0, 7, 0}).type, uint32_t{ok_nodata});
    CHECK_EQ(g.ok(get_control, stream, {gop_size, 0}).u32(8), 7U);
    // What vicodec has not.
    CHECK_EQ(g.call(set_control, stream, {1, 0, 500000, 0}).type,
             uint32_t{err_unsupported_control});
    CHECK_EQ(g.call(get_control, stream, {4, 0}).type, uint32_t{err_unsupported_control});
    finish(g);
}

TEST_RINGS("V2 counts that lie")
{
    VideoFixture t(false, video::setup(ring));
    VideoGuest &g = t.guest;
    begin(g);
    const uint64_t page = g.alloc(page_size, page_size);
    Words entry;
    add_entry(entry, page, 4096);
    const uint32_t bad = err_invalid_parameter;
    CHECK_EQ(attached(g, 1, 0, {1}, entry), bad);
    CHECK_EQ(attached(g, 1, 9, {1}, entry), bad);
    CHECK_EQ(attached(g, 1, 0xffffffff, {1}, entry), bad);
    CHECK_EQ(attached(g, 0, 1, {1}, entry), bad);
    CHECK_EQ(attached(g, 3, 1, {1}, entry), bad);
    CHECK_EQ(attached(g, 1, 1, {0}, {}), bad);
    CHECK_EQ(attached(g, 1, 1, {2}, entry), bad);
    CHECK_EQ(attached(g, 1, 1, {0x10000001}, entry), bad);
    CHECK_EQ(attached(g, 1, 2, {0xffffffff, 2}, entry), bad);
    CHECK_EQ(attached(g, 1, 8, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, entry), bad);
    CHECK_EQ(attached(g, 1, 1, {1}, entry), uint32_t{ok_nodata});
    // More pieces than there may be: half a MiB of entries that are not there.
    CHECK_EQ(attached(g, 1, 1, {32768}, entry), bad);
    // Sizes of a buffer that it does not have.
    CHECK_EQ(queued(g, 9, 4096).type, bad);
    CHECK_EQ(queued(g, 1, 4097).type, bad);
    CHECK_EQ(queued(g, 1, 0).type, bad);
    // Colour planes.
    Words params = params_words(input, format_fwht, 640, 480, 9);
    CHECK_EQ(g.call(set_params_ext, stream, params).type, bad);
    params[11] = 0xffffffff;
    CHECK_EQ(g.call(set_params_ext, stream, params).type, bad);
    params[11] = 1;
    params[0] = 0x102;
    CHECK_EQ(g.call(set_params_ext, stream, params).type, bad);
    params[0] = input;
    params[28] = 1; // virtio objects, which were not negotiated
    CHECK_EQ(g.call(set_params_ext, stream, params).type, bad);
    // Sizes that no codec has come back as some that it has.
    CHECK_EQ(g.set(stream, input, format_fwht, 0xffffffff, 0xffffffff).type, uint32_t{ok_nodata});
    CHECK(g.params(stream, input).width <= 65536);
    finish(g);
}

TEST_RINGS("V3 memory that makes no buffer")
{
    VideoFixture t(false, video::setup(ring));
    VideoGuest &g = t.guest;
    begin(g);
    const uint32_t bad = err_invalid_parameter;
    auto entries = [&](std::initializer_list<std::pair<uint64_t, uint32_t>> list) {
        Words words;
        for (const auto &[addr, length] : list) {
            add_entry(words, addr, length);
        }
        return attached(g, 1, 1, {static_cast<uint32_t>(list.size())}, words);
    };
    const uint64_t a = g.alloc(2 * page_size, page_size);
    const uint64_t end = Guest::ram_base + g.setup().ram;
    // Pieces that end or begin within a page, but for the first and the last.
    CHECK_EQ(entries({{a, 100}, {a + page_size, page_size}}), bad);
    CHECK_EQ(entries({{a, page_size}, {a + page_size + 8, 100}}), bad);
    // Nothing, the drivers' slip: all but the first are zero.
    CHECK_EQ(entries({{a, page_size}, {0, 0}}), bad);
    CHECK_EQ(entries({{a, 0}}), bad);
    // Outside, over the end, around the end of addresses.
    CHECK_EQ(entries({{end, page_size}}), bad);
    CHECK_EQ(entries({{end - page_size, 2 * page_size}}), bad);
    CHECK_EQ(entries({{~uint64_t{0} - 4095, page_size}}), bad);
    CHECK_EQ(entries({{~uint64_t{0}, 0xffffffff}}), bad);
    CHECK_EQ(entries({{a, 0xffffffff}}), bad);
    // The same page twice is the driver's own affair.
    CHECK_EQ(entries({{a, page_size}, {a, page_size}}), uint32_t{ok_nodata});
    // Too small for what the codec wants: the buffer fails, not the stream.
    const Answer small = queued(g, 1, 100);
    CHECK_EQ(small.length, 24U);
    CHECK_EQ(small.flags(), uint32_t{flag_err});
    finish(g);
}

TEST_RINGS("V2 requests of every length")
{
    VideoFixture t(true, video::setup(ring));
    VideoGuest &g = t.guest;
    g.create(stream);
    for (uint32_t type = query_capability; type <= set_params_ext + 1; type++) {
        for (uint32_t length = 0; length < 136; length += length < 16 ? 1 : 7) {
            std::vector<uint8_t> request(std::max(length, 8U));
            request[0] = static_cast<uint8_t>(type);
            request[1] = 1;
            request[4] = 77; // a stream that is none: nothing is done
            request.resize(length);
            const Answer answer = g.wait(g.send_raw(request, 128));
            CHECK(answer.length == 0 || answer.length >= 8);
            if (type > set_params_ext || length < 8) {
                CHECK(answer.length == 0 || answer.type == err_invalid_operation);
            }
        }
    }
    finish(g);
}
