// SPDX-License-Identifier: Apache-2.0
#include "video_player.hpp"

#include <unistd.h>

#include <ctime>

namespace dh::video {

Bytes frame(uint32_t width, uint32_t height, uint32_t n)
{
    Bytes bytes(width * height * 3 / 2);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            bytes[y * width + x] = static_cast<uint8_t>(32 + (x + 4 * n) % width * 160 / width);
        }
    }
    for (uint32_t i = width * height; i < bytes.size(); i++) {
        bytes[i] = static_cast<uint8_t>(96 + i % width * 64 / width);
    }
    return bytes;
}

std::vector<Bytes> frames(uint32_t width, uint32_t height, uint32_t count, uint32_t first)
{
    std::vector<Bytes> all;
    for (uint32_t i = 0; i < count; i++) {
        all.push_back(frame(width, height, first + i));
    }
    return all;
}

uint64_t stamp(size_t n)
{
    return 0xfedcba9800000000 + n * 1000003;
}

std::vector<Bytes> bytes(const std::vector<Out> &out)
{
    std::vector<Bytes> all;
    for (const Out &one : out) {
        all.push_back(one.data);
    }
    return all;
}

void Player::begin(uint32_t width, uint32_t height)
{
    guest_.create(stream_);
    CHECK_EQ(guest_
                 .set(stream_, input, encoder_ ? format_yuv420 : format_fwht, width, height,
                      encoder_ ? 0 : 1 << 20)
                 .type,
             uint32_t{ok_nodata});
    const Params in = guest_.params(stream_, input);
    CHECK_EQ(in.format, encoder_ ? format_yuv420 : format_fwht);
    make(input, 3, in.size);
    all_inputs_ = inputs_;
    if (encoder_) {
        CHECK_EQ(in.width, width);
        CHECK_EQ(in.height, height);
        CHECK_EQ(in.size, width * height * 3 / 2);
        make_outputs();
    }
}

void Player::make(uint32_t queue, unsigned count, uint32_t size)
{
    auto &idle = queue == input ? inputs_ : outputs_;
    for (unsigned i = 0; i < count; i++) {
        const Resource buffer = guest_.buffer(next_id_++, size);
        CHECK_EQ(guest_.attach(stream_, queue, buffer).type, uint32_t{ok_nodata});
        idle.push_back(buffer);
    }
}

void Player::make_outputs()
{
    const Params out = guest_.params(stream_, output);
    CHECK_EQ(out.format, encoder_ ? format_fwht : format_yuv420);
    make(output, out.min_buffers + 1, out.size);
}

// As drivers do: clear, destroy, say the params, make new ones.
void Player::event(const Event &event)
{
    CHECK_EQ(event.stream, stream_);
    if (event.type == event_error) {
        failed_ = true;
        return;
    }
    CHECK_EQ(event.type, uint32_t{event_resolution});
    changes_++;
    clearing_ = true;
    guest_.ok(queue_clear, stream_, {output, 0});
    collect();
    clearing_ = false;
    CHECK(out_busy_.empty());
    guest_.ok(resource_destroy_all, stream_, {output, 0});
    outputs_.clear();
    const Params now = guest_.params(stream_, output);
    CHECK_EQ(guest_.set(stream_, output, now.format, now.width, now.height).type,
             uint32_t{ok_nodata});
    make_outputs();
}

void Player::offer()
{
    for (const Resource &buffer : outputs_) {
        out_busy_[guest_.queue_buffer(stream_, output, buffer)] = buffer;
    }
    outputs_.clear();
}

bool Player::feed(const Bytes &data)
{
    if (inputs_.empty()) {
        return false;
    }
    const Resource buffer = inputs_.back();
    inputs_.pop_back();
    guest_.write(buffer, data);
    in_busy_[guest_.queue_buffer(stream_, input, buffer, static_cast<uint32_t>(data.size()),
                                 stamp(fed_++))] = buffer;
    return true;
}

// What has come back, of frames in their order.
void Player::collect()
{
    guest_.answered(-1);
    const std::vector<int> order = guest_.order();
    for (; seen_ < order.size(); seen_++) {
        if (const auto in = in_busy_.find(order[seen_]); in != in_busy_.end()) {
            const Answer answer = guest_.wait(in->first);
            CHECK_EQ(answer.length, 24U);
            if (answer.flags() & flag_err && !clearing_) {
                errors_++;
            }
            inputs_.push_back(in->second);
            in_busy_.erase(in);
        }
        if (const auto out = out_busy_.find(order[seen_]); out != out_busy_.end()) {
            returned(guest_.wait(out->first), out->second);
            outputs_.push_back(out->second);
            out_busy_.erase(out);
        }
    }
}

void Player::returned(const Answer &answer, const Resource &buffer)
{
    CHECK_EQ(answer.length, 24U);
    if (answer.flags() & flag_err) {
        errors_ += clearing_ ? 0 : 1;
        return;
    }
    CHECK_EQ(answer.type, uint32_t{ok_resource_queue});
    if (answer.flags() & flag_eos) {
        CHECK_EQ(answer.size(), 0U);
        ended_ = true;
        return;
    }
    const uint32_t size = encoder_ ? answer.size() : buffer.size;
    out_.push_back({guest_.read(buffer, size), answer.timestamp(), answer.flags()});
}

void Player::turn()
{
    collect();
    while (const std::optional<Event> happened = guest_.event(0)) {
        event(*happened);
    }
    if (!failed_) {
        offer();
    }
}

void Player::expect_failure()
{
    for (int i = 0; i < 2500 && (!failed() || !idle()); i++) {
        turn();
        usleep(2000);
    }
    CHECK(failed());
    CHECK(idle());
}

void Player::play(const std::vector<Bytes> &in, bool drain)
{
    const time_t end = time(nullptr) + 120;
    size_t done = 0;
    int draining = -1;
    ended_ = false;
    while (done < in.size() || (drain && !ended_)) {
        CHECK(time(nullptr) < end);
        turn();
        CHECK(!failed_);
        while (done < in.size() && feed(in[done])) {
            done++;
        }
        if (drain && done == in.size() && draining < 0) {
            draining = guest_.send(stream_drain, stream_, {});
        }
        usleep(2000);
    }
    if (drain) {
        CHECK_EQ(guest_.wait(draining).type, uint32_t{ok_nodata});
    }
}

void Player::seek()
{
    clearing_ = true;
    guest_.ok(queue_clear, stream_, {input, 0});
    collect();
    clearing_ = false;
    CHECK(in_busy_.empty());
}

void Player::end()
{
    clearing_ = true;
    guest_.ok(stream_destroy, stream_);
    collect();
    clearing_ = false;
    CHECK(idle());
}

} // namespace dh::video
