// SPDX-License-Identifier: Apache-2.0
#include "watched.hpp"

#include <unistd.h>

#include "v4l2.hpp"

namespace dh {

using namespace video;

namespace {

constexpr uint32_t control_bitrate = 1;

DeviceParams judged(bool encoder, const Fd &node, const std::string &guest)
{
    DeviceParams params = video::params(encoder, RingKind::split, node);
    params.guest = guest;
    params.policy_required = true;
    return params;
}

// As a driver that says nothing of sizes: the stream itself does, or the frames.
bool plays(Codec &codec, uint32_t width, uint32_t height)
{
    const std::vector<Bytes> raw = frames(width, height, 3);
    const std::vector<Bytes> in =
        codec.encoder ? raw : v4l2::encode(vicodec(true), raw, width, height);
    Player player(codec.guest, codec.encoder);
    if (codec.encoder) {
        player.begin(width, height);
    } else {
        player.begin(640, 480);
    }
    for (unsigned turns = 0; !player.failed() && player.frames() == 0; turns++) {
        CHECK(turns < 10000);
        player.turn();
        if (player.fed() < in.size()) {
            player.feed(in[player.fed()]);
        }
        usleep(2000);
    }
    const bool failed = player.failed();
    player.end();
    return !failed;
}

bool may_with_stream(Codec &codec, const Wish &wish)
{
    codec.guest.create(stream);
    if (wish.what == Wish::params) {
        const uint32_t type = set_params_of(codec, stream, wish.width, wish.height, wish.rate);
        CHECK(type == ok_nodata || type == err_invalid_parameter);
        codec.guest.ok(stream_destroy, stream);
        return type == ok_nodata;
    }
    // vicodec has none; a policy's refusal comes before that.
    const uint32_t type =
        codec.guest.call(set_control, stream, {control_bitrate, 0, wish.bits, 0}).type;
    CHECK(type == err_unsupported_control || type == err_invalid_parameter);
    codec.guest.ok(stream_destroy, stream);
    return type == err_unsupported_control;
}

} // namespace

uint32_t create_stream(Codec &codec, uint32_t stream)
{
    std::vector<uint32_t> words{0, 0, format_fwht, 0};
    words.resize(20);
    return codec.guest.call(stream_create, stream, words).type;
}

uint32_t set_params_of(Codec &codec, uint32_t stream, uint32_t width, uint32_t height,
                       uint32_t rate)
{
    std::vector<uint32_t> words{input, codec.encoder ? format_yuv420 : format_fwht, width, height};
    words.resize(30);
    words[10] = rate;
    words[11] = 1;
    words[12] = codec.encoder ? 0 : 1 << 20;
    return codec.guest.call(set_params_ext, stream, words).type;
}

Codec::Codec(bool encoder_, const std::string &name)
    : node(open_node(vicodec(encoder_))),
      device(judged(encoder_, node, name)),
      guest(device.path(), video::setup(RingKind::split)),
      encoder(encoder_)
{
    guest.bring_up();
}

WatchedFixture::WatchedFixture(const std::string &name) : decoder(false, name), encoder(true, name)
{
}

WatchedFixture::~WatchedFixture()
{
    store().remove(decoder.device.guest());
}

devhost::PolicyGuest WatchedFixture::known()
{
    devhost::PolicyGuest guest = dh::known(decoder.device);

    guest.devices.push_back({.name = encoder.device.name(), .id = encoder.device.info().id});
    return guest;
}

bool WatchedFixture::may(const Wish &wish)
{
    Codec &codec = of(wish.encoder);
    uint32_t type = ok_nodata;

    switch (wish.what) {
    case Wish::create:
        for (uint32_t i = 0; i < wish.before; i++) {
            codec.guest.create(100 + i);
        }
        type = create_stream(codec, stream);
        CHECK(type == ok_nodata || type == err_invalid_parameter);
        for (uint32_t i = 0; i < wish.before; i++) {
            codec.guest.ok(stream_destroy, 100 + i);
        }
        if (type == ok_nodata) {
            codec.guest.ok(stream_destroy, stream);
        }
        return type == ok_nodata;
    case Wish::play:
        return plays(codec, wish.width, wish.height);
    default:
        return may_with_stream(codec, wish);
    }
}

} // namespace dh
