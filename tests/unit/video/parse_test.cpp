// SPDX-License-Identifier: Apache-2.0
// What requests mean, and what is refused; good ones of both dialects.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "protocol.hpp"

namespace {

constexpr uint32_t input = VIRTIO_VIDEO_QUEUE_TYPE_INPUT;
constexpr uint32_t output = VIRTIO_VIDEO_QUEUE_TYPE_OUTPUT;
constexpr uint32_t bad_operation = VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
constexpr uint32_t bad_parameter = VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;

Request stream_create(uint32_t in, uint32_t out, uint32_t format)
{
    Request r(0x101, 7);
    r << in << out << format << 0;
    return r.fill(16);
}

Request resource_create(uint32_t layout, uint32_t planes, const std::vector<uint32_t> &entries,
                        size_t follow)
{
    Request r(0x104, 7);
    r << input << 42 << layout << planes;
    r.fill(8);
    for (size_t i = 0; i < 8; i++) {
        r << (i < entries.size() ? entries[i] : 0);
    }
    return r.fill(follow * 4, 4096);
}

Request resource_queue(uint32_t num_sizes)
{
    Request r(0x105, 7);
    r << output << 42 << 0x89abcdef << 0x01234567 << num_sizes << 1000;
    return r.fill(8);
}

Request set_params(uint32_t type, uint32_t num_planes, uint32_t memory = 0)
{
    Request r(type, 7);
    r << output << 3 << 1280 << 720 << 4 << 32;
    r << 1 << 2 << 1278 << 716;
    r << 25 << num_planes << 921600 << 1280 << 460800 << 1281;
    r.fill(12);
    if (type == 0x10e) {
        r << memory << 0;
    }
    return r;
}

} // namespace

TEST(Parse, EveryRequestShorterThanItIsIsRefused)
{
    struct {
        uint32_t type;
        size_t size;
    } const requests[] = {{0x100, 16}, {0x101, 88}, {0x102, 8},  {0x103, 8},  {0x104, 88},
                          {0x105, 64}, {0x106, 16}, {0x107, 16}, {0x108, 16}, {0x109, 120},
                          {0x10a, 24}, {0x10b, 16}, {0x10c, 24}, {0x10d, 16}, {0x10e, 128}};
    for (const auto &request : requests) {
        Request r(request.type, 7);
        r << input;
        r.fill(40);
        vhost_video_request req;
        for (size_t len = 0; len < request.size; len++) {
            EXPECT_EQ(r.parse(req, false, len), bad_operation) << request.type << " " << len;
            EXPECT_EQ(req.type, len < 8 ? 0 : request.type);
        }
        EXPECT_NE(r.parse(req, false, request.size), bad_operation) << request.type;
        EXPECT_EQ(req.stream, 7U);
    }
}

TEST(Parse, WhatIsNoRequest)
{
    vhost_video_request req;
    for (uint32_t type : {0U, 1U, 0xffU, 0x10fU, 0x200U, 0x0999U, 0xffffffffU}) {
        EXPECT_EQ(Request(type, 1).fill(40).parse(req), bad_operation);
        EXPECT_EQ(req.type, 0U);
    }
}

TEST(Parse, QueueTypes)
{
    vhost_video_request req;
    for (uint32_t type : {0x100U, 0x106U, 0x107U, 0x108U, 0x10dU}) {
        EXPECT_EQ((Request(type, 1) << input << 0).parse(req), 0U);
        EXPECT_EQ(req.queue, VHOST_VIDEO_INPUT);
        EXPECT_EQ((Request(type, 1) << output << 0).parse(req), 0U);
        EXPECT_EQ(req.queue, VHOST_VIDEO_OUTPUT);
        for (uint32_t bad : {0U, 1U, 0x102U, 0xffffffffU}) {
            EXPECT_EQ((Request(type, 1) << bad << 0).parse(req), bad_parameter);
            EXPECT_EQ(req.type, type);
        }
    }
}

TEST(Parse, StreamCreate)
{
    vhost_video_request req;
    EXPECT_EQ(stream_create(0, 0, 0x1006).parse(req), 0U);
    EXPECT_EQ(req.stream, 7U);
    EXPECT_EQ(req.create.format, 0x1006U);
    EXPECT_FALSE(req.create.objects[VHOST_VIDEO_OUTPUT]);
    EXPECT_EQ(stream_create(0, 1, 0x1002).parse(req, true), 0U);
    EXPECT_FALSE(req.create.objects[VHOST_VIDEO_INPUT]);
    EXPECT_TRUE(req.create.objects[VHOST_VIDEO_OUTPUT]);
    EXPECT_EQ(stream_create(0, 1, 0x1002).parse(req, false), bad_parameter);
    EXPECT_EQ(stream_create(2, 0, 0x1002).parse(req, true), bad_parameter);
    for (uint32_t format : {0U, 3U, 0xfffU, 0x1007U, 0xffffffffU}) {
        EXPECT_EQ(stream_create(0, 0, format).parse(req), bad_parameter) << format;
    }
}

TEST(Parse, ResourceCreate)
{
    vhost_video_request req;
    EXPECT_EQ(resource_create(1, 1, {3}, 3).parse(req), 0U);
    EXPECT_EQ(req.resource.id, 42U);
    EXPECT_EQ(req.resource.entries, 3U);
    // One plane a buffer is the same.
    EXPECT_EQ(resource_create(2, 1, {3}, 3).parse(req), 0U);
    // Colour planes taken for planes of memory.
    EXPECT_EQ(resource_create(1, 2, {3, 2}, 5).parse(req), 0U);
    EXPECT_EQ(req.resource.entries, 5U);
    EXPECT_EQ(resource_create(1, 3, {3, 1, 1}, 3).parse(req), 0U);
    EXPECT_EQ(req.resource.entries, 3U);
}

TEST(Parse, ResourceCreateRefused)
{
    vhost_video_request req;
    for (uint32_t layout : {0U, 3U, 4U, 0xffffffffU}) {
        EXPECT_EQ(resource_create(layout, 1, {3}, 3).parse(req), bad_parameter);
    }
    EXPECT_EQ(resource_create(2, 2, {3, 2}, 5).parse(req), bad_parameter);
    for (uint32_t planes : {0U, 9U, 0xffffffffU}) {
        EXPECT_EQ(resource_create(1, planes, {3}, 3).parse(req), bad_parameter);
    }
    EXPECT_EQ(resource_create(1, 1, {0}, 0).parse(req), bad_parameter);
    EXPECT_EQ(resource_create(1, 1, {3}, 2).parse(req), bad_parameter);
    EXPECT_EQ(resource_create(1, 1, {3}, 4).parse(req), bad_parameter);
    // The sum overflows 32 bits to what follows.
    EXPECT_EQ(resource_create(1, 3, {0x80000000, 0x80000000, 2}, 2).parse(req), bad_parameter);
    EXPECT_EQ(resource_create(1, 1, {0x10000001}, 1).parse(req), bad_parameter);
    EXPECT_EQ(resource_create(1, 1, {VHOST_VIDEO_ENTRIES_MAX}, VHOST_VIDEO_ENTRIES_MAX).parse(req),
              0U);
    EXPECT_EQ(resource_create(1, 1, {VHOST_VIDEO_ENTRIES_MAX + 1}, VHOST_VIDEO_ENTRIES_MAX + 1)
                  .parse(req),
              bad_parameter);
}

TEST(Parse, ResourceQueue)
{
    vhost_video_request req;
    EXPECT_EQ(resource_queue(1).parse(req), 0U);
    EXPECT_EQ(req.queue, VHOST_VIDEO_OUTPUT);
    EXPECT_EQ(req.buffer.id, 42U);
    EXPECT_EQ(req.buffer.timestamp, 0x0123456789abcdefU);
    EXPECT_EQ(req.buffer.size, 1000U);
    EXPECT_EQ(resource_queue(0).parse(req), 0U);
    EXPECT_EQ(req.buffer.size, 0U);
    EXPECT_EQ(resource_queue(8).parse(req), 0U);
    EXPECT_EQ(resource_queue(9).parse(req), bad_parameter);
    EXPECT_EQ(resource_queue(0xffffffff).parse(req), bad_parameter);
    EXPECT_EQ(req.type, 0x105U);
}

TEST(Parse, SetParamsOfBothDialects)
{
    vhost_video_request req;
    for (uint32_t type : {0x109U, 0x10eU}) {
        const uint32_t memory = type == 0x10e ? 1 : 0;
        EXPECT_EQ(set_params(type, 2, memory).parse(req, true), 0U);
        EXPECT_EQ(req.queue, VHOST_VIDEO_OUTPUT);
        EXPECT_EQ(req.params.format, 3U);
        EXPECT_EQ(req.params.width, 1280U);
        EXPECT_EQ(req.params.height, 720U);
        EXPECT_EQ(req.params.crop.left, 1U);
        EXPECT_EQ(req.params.crop.height, 716U);
        EXPECT_EQ(req.params.rate, 25U);
        EXPECT_EQ(req.params.num_planes, 2U);
        EXPECT_EQ(req.params.planes[0].size, 921600U);
        EXPECT_EQ(req.params.planes[1].stride, 1281U);
        EXPECT_EQ(req.params.objects, memory == 1);
        EXPECT_EQ(set_params(type, 8).parse(req), 0U);
        EXPECT_EQ(set_params(type, 9).parse(req), bad_parameter);
        EXPECT_EQ(set_params(type, 0xffffffff).parse(req), bad_parameter);
    }
    EXPECT_EQ(set_params(0x10e, 2, 1).parse(req, false), bad_parameter);
    EXPECT_EQ(set_params(0x10e, 2, 2).parse(req, true), bad_parameter);
}

TEST(Parse, Controls)
{
    vhost_video_request req;
    EXPECT_EQ((Request(0x10a, 7) << 2 << 0 << 0x1002 << 0).parse(req), 0U);
    EXPECT_EQ(req.control.id, 2U);
    EXPECT_EQ(req.control.format, 0x1002U);
    EXPECT_EQ((Request(0x10b, 7) << 1 << 0).parse(req), 0U);
    EXPECT_EQ(req.control.id, 1U);
    EXPECT_EQ((Request(0x10c, 7) << 1 << 0 << 500000 << 0).parse(req), 0U);
    EXPECT_EQ(req.control.value, 500000U);
    // A button has no value; what has one needs it.
    EXPECT_EQ((Request(0x10c, 7) << 4 << 0).parse(req), 0U);
    EXPECT_EQ((Request(0x10c, 7) << 1 << 0).parse(req), bad_operation);
    EXPECT_EQ((Request(0x10c, 7) << 1 << 0 << 500000).parse(req), bad_operation);
}

TEST(Parse, Entries)
{
    u64 total = 0;
    std::vector<virtio_video_mem_entry> entries{{0x1000, 4096, {}}, {0x9000, 100, {}}};
    EXPECT_EQ(vhost_video_parse_entries(entries.data(), 2, &total), 0U);
    EXPECT_EQ(total, 4196U);
    // The last byte of all.
    entries[1] = {~uint64_t{0} - 99, 100, {}};
    EXPECT_EQ(vhost_video_parse_entries(entries.data(), 2, &total), 0U);
    entries[1] = {~uint64_t{0} - 98, 100, {}};
    EXPECT_EQ(vhost_video_parse_entries(entries.data(), 2, &total), bad_parameter);
    // What the Linux driver leaves behind where it restarts its index.
    entries[1] = {0, 0, {}};
    EXPECT_EQ(vhost_video_parse_entries(entries.data(), 2, &total), bad_parameter);
    // More than 32 bits count.
    entries.assign(3, {0x1000, 0xffffffff, {}});
    EXPECT_EQ(vhost_video_parse_entries(entries.data(), 3, &total), 0U);
    EXPECT_EQ(total, 3 * uint64_t{0xffffffff});
}

TEST(Parse, AnyBytes)
{
    std::mt19937 random(1);
    unsigned understood = 0;
    for (unsigned i = 0; i < 200000; i++) {
        Request r(random() % 4 ? 0x100 + random() % 0x10 : random(), random());
        const size_t words = random() % 40;
        for (size_t w = 0; w < words; w++) {
            const uint32_t interesting[] = {input, output, 0, 1, 2, 8, 9, 0x1002, 0xffffffff};
            r << (random() % 2 ? interesting[random() % std::size(interesting)] : random());
        }
        vhost_video_request req;
        const uint32_t err = r.parse(req, random() % 2);
        EXPECT_TRUE(!err || (err >= 0x300 && err <= 0x305));
        if (err) {
            continue;
        }
        understood++;
        EXPECT_LT(req.queue, VHOST_VIDEO_QUEUES);
        if (req.type == 0x104) {
            EXPECT_EQ(req.resource.entries * 16 + 88, r.size());
        }
        if (req.type == 0x109 || req.type == 0x10e) {
            EXPECT_LE(req.params.num_planes, 8U);
        }
    }
    EXPECT_GT(understood, 10000U);
}
