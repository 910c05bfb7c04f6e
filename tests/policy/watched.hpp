// SPDX-License-Identifier: Apache-2.0
// A guest with a decoder and an encoder that require a policy, on vicodec.
#pragma once

#include "setup.hpp"
#include "video_player.hpp"

namespace dh {

// One of the two, and its driver.
struct Codec {
    Codec(bool encoder, const std::string &guest);

    Fd node;
    TestDevice device;
    video::VideoGuest guest;
    bool encoder;
};

// What a guest wants of one of them.
struct Wish {
    enum What {
        create,  // a stream
        params,  // these, of a stream
        bitrate, // this, of a stream
        play,    // frames of that size, to the first that comes out
    } what = create;
    bool encoder = false;
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t rate = 0;
    uint32_t bits = 0;
    uint32_t before = 0; // streams that there are already
};

struct WatchedFixture {
    explicit WatchedFixture(const std::string &name = "watched");
    WatchedFixture(const WatchedFixture &) = delete;
    WatchedFixture &operator=(const WatchedFixture &) = delete;
    ~WatchedFixture();

    Codec &of(bool encodes) { return encodes ? encoder : decoder; }
    devhost::PolicyGuest known();
    void apply(const std::string &toml) { store().apply(known(), policy(toml)); }
    devhost::VideoCounters counters()
    {
        return store().counters(decoder.device.guest()).video.value();
    }
    // Whether it is granted; streams are gone afterwards.
    bool may(const Wish &wish);

    Codec decoder;
    Codec encoder;
};

// STREAM_CREATE of vicodec's format; the answer's type.
uint32_t create_stream(Codec &codec, uint32_t stream);
// SET_PARAMS of the input.
uint32_t set_params_of(Codec &codec, uint32_t stream, uint32_t width, uint32_t height,
                       uint32_t rate);

} // namespace dh
