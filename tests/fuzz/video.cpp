// SPDX-License-Identifier: Apache-2.0
// Requests to a video device, by the kernel's parser; and the answers to them.
//
// Input: flags, bytes of the request in all, room for the answer, then its first bytes.
#include "input.hpp"

#include "../unit/video/protocol.hpp"

namespace {

void require_understood(const vhost_video_request &req, size_t readable, bool objects)
{
    REQUIRE(req.queue < VHOST_VIDEO_QUEUES);
    switch (req.type) {
    case VIRTIO_VIDEO_CMD_STREAM_CREATE:
        REQUIRE(vhost_video_coded(req.create.format));
        REQUIRE(objects || (!req.create.objects[0] && !req.create.objects[1]));
        break;
    case VIRTIO_VIDEO_CMD_RESOURCE_CREATE:
        REQUIRE(req.resource.entries != 0 && req.resource.entries <= VHOST_VIDEO_ENTRIES_MAX);
        REQUIRE(sizeof(virtio_video_resource_create) +
                    req.resource.entries * sizeof(virtio_video_mem_entry) ==
                readable);
        break;
    case VIRTIO_VIDEO_CMD_SET_PARAMS:
    case VIRTIO_VIDEO_CMD_SET_PARAMS_EXT:
        REQUIRE(req.params.num_planes <= VIRTIO_VIDEO_MAX_PLANES);
        REQUIRE(objects || !req.params.objects);
        break;
    default:
        break;
    }
}

void answer(Input &in, const vhost_video_request &req, size_t room)
{
    vhost_video_params params{};
    vhost_video_answer answer{};
    answer.type = in.u8() % 2 != 0 ? 0 : VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION + in.u8() % 6;
    params.num_planes = in.u8() % (VIRTIO_VIDEO_MAX_PLANES + 1);
    for (u32 i = 0; i < params.num_planes; i++) {
        params.planes[i] = {in.u32(), in.u32()};
    }
    switch (req.type) {
    case VIRTIO_VIDEO_CMD_RESOURCE_QUEUE:
        answer.buffer = {in.u64(), in.u32(), in.u32()};
        break;
    case VIRTIO_VIDEO_CMD_GET_CONTROL:
        answer.value = in.u32();
        break;
    default:
        answer.params = &params;
        break;
    }
    std::vector<uint8_t> bytes(VHOST_VIDEO_ANSWER_MAX, 0xaa);
    const size_t len = vhost_video_pack(&req, &answer, room, bytes.data());
    REQUIRE(len <= room && len <= VHOST_VIDEO_ANSWER_MAX);
    REQUIRE((len == 0) == (room < sizeof(virtio_video_cmd_hdr)));
    if (len == 0) {
        return;
    }
    virtio_video_cmd_hdr hdr{};
    std::memcpy(&hdr, bytes.data(), sizeof(hdr));
    REQUIRE(hdr.stream_id == req.stream);
    REQUIRE(answer.type == 0 || hdr.type == answer.type);
}

vhost_video_caps caps_from(Input &in)
{
    vhost_video_caps caps{};
    caps.num = in.u8() % (VHOST_VIDEO_FORMATS_MAX + 1);
    for (u32 i = 0; i < caps.num; i++) {
        caps.formats[i].format = in.u32();
        caps.formats[i].num_frames = 1 + in.u8() % VHOST_VIDEO_FRAMES_MAX;
    }
    return caps;
}

/// What the host has is packed whole, however much it is.
void capabilities(Input &in)
{
    const vhost_video_caps caps = caps_from(in);
    const vhost_video_caps other = caps_from(in);
    std::vector<uint8_t> bytes(VHOST_VIDEO_CAPS_MAX, 0xaa);
    REQUIRE(vhost_video_pack_caps(&caps, &other, bytes.data()) <= bytes.size());

    std::vector<u32> values(in.u8() % 32);
    std::ranges::generate(values, [&] { return in.u32(); });
    bytes.assign(16 + 4 * values.size(), 0xaa);
    REQUIRE(vhost_video_pack_values(values.data(), values.size(), bytes.data()) == bytes.size());
}

void entries(Input &in)
{
    std::vector<virtio_video_mem_entry> list(in.u8() % 16);
    uint64_t sum = 0;
    for (auto &entry : list) {
        entry.addr = in.u64();
        entry.length = in.u32();
        sum += entry.length;
    }
    u64 total = 0;
    const u32 err = vhost_video_parse_entries(list.data(), list.size(), &total);
    REQUIRE(err == 0 || err == VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER);
    REQUIRE(total <= sum);
    if (err == 0) {
        REQUIRE(total == sum);
        for (const auto &entry : list) {
            REQUIRE(entry.length != 0 && entry.addr + (entry.length - 1) >= entry.addr);
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in(data, size);
    const uint8_t flags = in.u8();
    const bool objects = (flags & 1) != 0;
    const size_t more = (flags & 2) != 0 ? size_t{16} * in.u16() : 0;
    const size_t room = in.u8();
    const std::vector<uint8_t> bytes = in.bytes(std::min<size_t>(in.u8(), VHOST_VIDEO_REQUEST_MAX));
    const size_t readable = bytes.size() + more;
    vhost_video_request req;

    // Bytes behind the first are the memory entries'.
    const u32 err = vhost_video_parse(bytes.data(), bytes.size(), readable, objects, &req);
    REQUIRE(err == 0 || (err >= VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION &&
                         err < VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION + 8));
    if (err == 0) {
        require_understood(req, readable, objects);
    }
    answer(in, req, room);
    entries(in);
    capabilities(in);
    return 0;
}
