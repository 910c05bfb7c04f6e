// SPDX-License-Identifier: Apache-2.0
#include "echo.hpp"

#include <cstring>

namespace dh {

namespace {

constexpr uint32_t good_length = 700;

} // namespace

DeviceParams echo_params(RingKind ring, bool in_order)
{
    DeviceParams params;
    params.device_class = "echo";
    params.vq_size_max = DEVHOST_VQ_SIZE_MAX;
    // The mask is what chooses the ring for a VMM that takes what it is offered.
    if (ring == RingKind::split) {
        params.features_mask = ~bit(VIRTIO_F_RING_PACKED);
    }
    if (in_order) {
        params.backend = Attrs().flag(ECHO_A_IN_ORDER);
    }
    return params;
}

std::optional<uint64_t> EchoGuest::control(uint32_t op, uint32_t a0, uint32_t a1, uint32_t a2)
{
    scratch();
    *as<echo_control_out>(control_) = {op, {a0, a1, a2}};
    const uint64_t in = control_ + sizeof(echo_control_out);
    *as<echo_control_in>(in) = {0xffffffff, 0, 0};

    Queue &q = queue(ECHO_VQ_CONTROL);
    const int id =
        q.add({{control_, sizeof(echo_control_out), false}, {in, sizeof(echo_control_in), true}});
    if (id < 0) {
        throw tap::Failure("the control queue is full");
    }
    q.kick_if_wanted();
    const Used used = q.expect();
    CHECK_EQ(used.id, id);
    CHECK_EQ(used.length, sizeof(echo_control_in));
    const echo_control_in answer = *as<echo_control_in>(in);
    if (answer.status != ECHO_OK) {
        return std::nullopt;
    }
    return answer.value;
}

uint64_t EchoGuest::count(uint32_t counter)
{
    auto value = control(ECHO_OP_COUNT, counter);
    if (!value) {
        throw tap::Failure("no such counter");
    }
    return *value;
}

void EchoGuest::scratch()
{
    if (control_) {
        return;
    }
    control_ = alloc(sizeof(echo_control_out) + sizeof(echo_control_in));
    good_ = alloc(2 * good_length);
}

void EchoGuest::recycle()
{
    scratch();
    if (!mark_) {
        mark_ = memory().allocated();
    }
    memory().alloc_reset(mark_);
}

void EchoGuest::fill(uint64_t where, uint32_t length, uint8_t seed)
{
    uint8_t *bytes = at(where, length);
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = static_cast<uint8_t>(seed + i * 7 + (i >> 8));
    }
}

EchoGuest::Request EchoGuest::send(uint32_t queue_index, uint32_t readable, uint32_t writable,
                                   uint8_t seed)
{
    Request request{-1, alloc(readable + 1), alloc(writable + 1), readable, writable};
    fill(request.out, readable, seed);
    memset(at(request.in, writable + 1), 0xa5, writable + 1);

    Queue &q = queue(queue_index);
    std::vector<Buffer> buffers;
    if (readable) {
        buffers.push_back({request.out, readable, false});
    }
    if (writable) {
        buffers.push_back({request.in, writable, true});
    }
    request.id = q.add(buffers);
    if (request.id < 0) {
        throw tap::Failure("the queue is full");
    }
    q.kick_if_wanted();
    return request;
}

void EchoGuest::verify(const Request &request, const Used &used)
{
    const uint32_t expected = std::min(request.readable, request.writable);
    CHECK_EQ(used.id, request.id);
    CHECK_EQ(used.length, expected);
    CHECK(!memcmp(at(request.out, expected + 1), at(request.in, expected + 1), expected));
    CHECK_EQ(*at(request.in + expected), 0xa5);
}

void EchoGuest::good()
{
    const uint32_t length = good_length;
    scratch();
    fill(good_, length, static_cast<uint8_t>(*at(good_) + 1));
    memset(at(good_ + length, length), 0xa5, length);

    Queue &q = queue(ECHO_VQ_ECHO);
    const int id = q.add({{good_, 100, false},
                          {good_ + 100, length - 100, false},
                          {good_ + length, 1, true},
                          {good_ + length + 1, length - 1, true}});
    if (id < 0) {
        throw tap::Failure("no room for the good request");
    }
    q.kick_if_wanted();
    const Used used = q.expect();
    CHECK_EQ(used.id, id);
    CHECK_EQ(used.length, length);
    CHECK(!memcmp(at(good_, length), at(good_ + length, length), length));
}

} // namespace dh
