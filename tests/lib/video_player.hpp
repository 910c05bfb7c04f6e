// SPDX-License-Identifier: Apache-2.0
// A guest's player and recorder: buffers of a stream, what goes through them,
// and what a driver does about changes of resolution and the end.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "video.hpp"

namespace dh::video {

using Bytes = std::vector<uint8_t>;

// A frame of YUV420: gradients that move, without noise, so that little is lost.
Bytes frame(uint32_t width, uint32_t height, uint32_t n);
std::vector<Bytes> frames(uint32_t width, uint32_t height, uint32_t count, uint32_t first = 0);
// The timestamp of the nth buffer that is put in.
uint64_t stamp(size_t n);

struct Out {
    Bytes data;
    uint64_t timestamp = 0;
    uint32_t flags = 0;
};

// Only the bytes.
std::vector<Bytes> bytes(const std::vector<Out> &out);

class Player {
public:
    Player(VideoGuest &guest, bool encoder, uint32_t stream = video::stream, uint32_t first_id = 1)
        : guest_(guest), encoder_(encoder), stream_(stream), next_id_(first_id)
    {
    }

    // A stream, and its input buffers.
    void begin(uint32_t width, uint32_t height);
    // All of @in, and to the end where @drain.
    void play(const std::vector<Bytes> &in, bool drain = true);
    // One round of it: gives buffers, takes what is done, sees to changes.
    void turn();
    // The same until the stream has failed and all buffers are the driver's.
    void expect_failure();
    // Puts one in, where there is room.
    bool feed(const Bytes &data);
    // QUEUE_CLEAR of the input: what was in it comes back undone.
    void seek();
    // What came out since the last call.
    std::vector<Out> take() { return std::exchange(out_, {}); }
    void end();

    size_t frames() const { return out_.size(); }
    size_t fed() const { return fed_; }
    unsigned changes() const { return changes_; }
    bool failed() const { return failed_; }
    // Buffers that came back with ERR and were not cleared.
    unsigned errors() const { return errors_; }
    // All buffers are the driver's.
    bool idle() const { return in_busy_.empty() && out_busy_.empty(); }
    const Resource &an_input() const { return all_inputs_.front(); }

private:
    void make(uint32_t queue, unsigned count, uint32_t size);
    void make_outputs();
    void offer();
    void collect();
    void event(const Event &event);
    void returned(const Answer &answer, const Resource &buffer);

    VideoGuest &guest_;
    bool encoder_;
    uint32_t stream_;
    uint32_t next_id_;
    std::vector<Resource> all_inputs_;
    std::vector<Resource> inputs_;
    std::vector<Resource> outputs_;
    std::map<int, Resource> in_busy_;
    std::map<int, Resource> out_busy_;
    size_t seen_ = 0;
    size_t fed_ = 0;
    std::vector<Out> out_;
    unsigned changes_ = 0;
    unsigned errors_ = 0;
    bool ended_ = false;
    bool clearing_ = false;
    bool failed_ = false;
};

} // namespace dh::video
