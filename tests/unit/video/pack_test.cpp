// SPDX-License-Identifier: Apache-2.0
// The bytes of answers, with what drivers need of refusals.
#include <gtest/gtest.h>

#include <array>

#include "protocol.hpp"

namespace {

constexpr uint32_t no_memory = VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;

class Packed {
public:
    Packed(uint32_t type, const vhost_video_answer &answer, size_t room,
           vhost_video_queue queue = VHOST_VIDEO_OUTPUT)
    {
        vhost_video_request req{};
        req.type = type;
        req.stream = 9;
        req.queue = queue;
        size_ = vhost_video_pack(&req, &answer, room, words_.data());
    }
    size_t size() const { return size_; }
    uint32_t at(size_t byte) const { return words_.at(byte / 4); }

private:
    std::array<uint32_t, VHOST_VIDEO_ANSWER_MAX / 4> words_{};
    size_t size_;
};

vhost_video_answer refused(uint32_t type)
{
    vhost_video_answer answer{};
    answer.type = type;
    return answer;
}

} // namespace

TEST(Pack, Plain)
{
    for (uint32_t type : {0x101U, 0x102U, 0x103U, 0x104U, 0x106U, 0x107U, 0x109U, 0x10cU, 0x10eU}) {
        const Packed ok(type, refused(0), 8);
        EXPECT_EQ(ok.size(), 8U);
        EXPECT_EQ(ok.at(0), 0x200U);
        EXPECT_EQ(ok.at(4), 9U);
        const Packed bad(type, refused(no_memory), 100);
        EXPECT_EQ(bad.size(), 8U);
        EXPECT_EQ(bad.at(0), no_memory);
    }
}

TEST(Pack, NoRoomForAHeaderIsNoAnswer)
{
    for (uint32_t type = 0x100; type <= 0x10e; type++) {
        for (size_t room = 0; room < 8; room++) {
            EXPECT_EQ(Packed(type, refused(no_memory), room).size(), 0U);
        }
    }
}

TEST(Pack, Buffer)
{
    vhost_video_answer answer{};
    answer.buffer.timestamp = 0x0123456789abcdef;
    answer.buffer.flags = VIRTIO_VIDEO_BUFFER_FLAG_IFRAME;
    answer.buffer.size = 77;
    const Packed ok(0x105, answer, 24);
    EXPECT_EQ(ok.size(), 24U);
    EXPECT_EQ(ok.at(0), 0x202U);
    EXPECT_EQ(ok.at(8), 0x89abcdefU);
    EXPECT_EQ(ok.at(12), 0x01234567U);
    EXPECT_EQ(ok.at(16), 4U);
    EXPECT_EQ(ok.at(20), 77U);
}

TEST(Pack, RefusedBufferIsFlagged)
{
    const Packed bad(0x105, refused(no_memory), 64);
    EXPECT_EQ(bad.size(), 24U);
    EXPECT_EQ(bad.at(0), no_memory);
    EXPECT_EQ(bad.at(16), 1U);
    EXPECT_EQ(bad.at(20), 0U);
}

TEST(Pack, SuccessThatDoesNotFitBecomesAnError)
{
    vhost_video_params params{};
    vhost_video_answer answer{};
    answer.params = &params;
    for (size_t room : {8U, 23U, 119U}) {
        const Packed bad(0x108, answer, room);
        EXPECT_EQ(bad.size(), 8U);
        EXPECT_EQ(bad.at(0), 0x304U);
    }
    EXPECT_EQ(Packed(0x108, answer, 120).at(0), 0x203U);
    EXPECT_EQ(Packed(0x10d, answer, 127).at(0), 0x304U);
    // What was refused stays refused for its own reason.
    EXPECT_EQ(Packed(0x10d, refused(no_memory), 8).at(0), no_memory);
}

TEST(Pack, ParamsOfBothDialects)
{
    vhost_video_params params{};
    params.format = 3;
    params.width = 1280;
    params.height = 720;
    params.min_buffers = 4;
    params.max_buffers = 32;
    params.crop = {1, 2, 3, 5};
    params.rate = 30;
    params.num_planes = 2;
    params.planes[0] = {921600, 1280};
    params.planes[1] = {460800, 1280};
    params.objects = true;
    vhost_video_answer answer{};
    answer.params = &params;
    for (uint32_t type : {0x108U, 0x10dU}) {
        const Packed ok(type, answer, 200, VHOST_VIDEO_INPUT);
        EXPECT_EQ(ok.size(), type == 0x108 ? 120U : 128U);
        EXPECT_EQ(ok.at(0), 0x203U);
        EXPECT_EQ(ok.at(8), 0x100U);
        EXPECT_EQ(ok.at(8 + 4), 3U);
        EXPECT_EQ(ok.at(8 + 8), 1280U);
        EXPECT_EQ(ok.at(8 + 16), 4U);
        EXPECT_EQ(ok.at(8 + 24), 1U);
        EXPECT_EQ(ok.at(8 + 36), 5U);
        EXPECT_EQ(ok.at(8 + 40), 30U);
        EXPECT_EQ(ok.at(8 + 44), 2U);
        EXPECT_EQ(ok.at(8 + 56), 460800U);
        EXPECT_EQ(ok.at(8 + 112), type == 0x10d ? 1U : 0U);
    }
}

TEST(Pack, RefusedParamsTellWhose)
{
    const Packed in(0x108, refused(no_memory), 128, VHOST_VIDEO_INPUT);
    EXPECT_EQ(in.size(), 120U);
    EXPECT_EQ(in.at(0), no_memory);
    EXPECT_EQ(in.at(8), 0x100U);
    const Packed out(0x10d, refused(no_memory), 128);
    EXPECT_EQ(out.size(), 128U);
    EXPECT_EQ(out.at(8), 0x101U);
}

TEST(Pack, Control)
{
    vhost_video_answer answer{};
    answer.value = 500000;
    const Packed ok(0x10b, answer, 16);
    EXPECT_EQ(ok.size(), 16U);
    EXPECT_EQ(ok.at(0), 0x205U);
    EXPECT_EQ(ok.at(8), 500000U);
    EXPECT_EQ(Packed(0x10b, refused(0x305), 16).at(8), 0U);

    const uint32_t values[] = {0x100, 0x103};
    std::array<uint32_t, 6> words{};
    EXPECT_EQ(vhost_video_pack_values(values, 2, words.data()), 24U);
    EXPECT_EQ(words[0], 0x204U);
    EXPECT_EQ(words[2], 2U);
    EXPECT_EQ(words[5], 0x103U);
}

TEST(Pack, Capabilities)
{
    vhost_video_caps coded{};
    coded.num = 1;
    coded.formats[0].format = 0x1006;
    coded.formats[0].num_frames = 2;
    coded.formats[0].frames[0] = {{640, 4096, 8}, {360, 2160, 8}, {1, 60, 1}};
    coded.formats[0].frames[1] = {{320, 320, 0}, {240, 240, 0}, {30, 30, 0}};
    vhost_video_caps raw{};
    raw.num = 3;
    for (uint32_t i = 0; i < 3; i++) {
        raw.formats[i].format = 3 + i;
        raw.formats[i].num_frames = 1;
    }
    std::vector<uint32_t> words(VHOST_VIDEO_CAPS_MAX / 4);
    EXPECT_EQ(vhost_video_pack_caps(&coded, &raw, words.data()), 16U + 24 + 2 * (40 + 16));
    EXPECT_EQ(words[0], 0x201U);
    EXPECT_EQ(words[2], 1U);
    EXPECT_EQ(words[4], 7U); // mask: all three
    EXPECT_EQ(words[6], 0x1006U);
    EXPECT_EQ(words[7], 1U); // single buffer
    EXPECT_EQ(words[9], 2U); // frames
    EXPECT_EQ(words[10], 640U);
    EXPECT_EQ(words[11], 4096U);
    EXPECT_EQ(words[18], 1U); // one rate
    EXPECT_EQ(words[21], 60U);
    EXPECT_EQ(words[24], 320U);

    EXPECT_EQ(vhost_video_pack_caps(&raw, &coded, words.data()), 16U + 3 * (24 + 40 + 16));
    EXPECT_EQ(words[4], 1U);
}

TEST(Pack, CapabilitiesAtTheirLargest)
{
    vhost_video_caps caps{};
    caps.num = VHOST_VIDEO_FORMATS_MAX;
    for (auto &format : caps.formats) {
        format.num_frames = VHOST_VIDEO_FRAMES_MAX;
    }
    std::vector<uint8_t> bytes(VHOST_VIDEO_CAPS_MAX);
    EXPECT_EQ(vhost_video_pack_caps(&caps, &caps, bytes.data()), bytes.size());
}
