// SPDX-License-Identifier: Apache-2.0
// The kernel's protocol.h for C++, and requests by their bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" {
#include <protocol.h>
}

// A request, word by word; the bytes are the protocol's, not a structure's.
class Request {
public:
    Request(uint32_t type, uint32_t stream) : words_{type, stream} {}
    Request &operator<<(uint32_t word)
    {
        words_.push_back(word);
        return *this;
    }
    Request &fill(size_t words, uint32_t word = 0)
    {
        words_.insert(words_.end(), words, word);
        return *this;
    }
    uint32_t &operator[](size_t byte) { return words_.at(byte / 4); }
    size_t size() const { return words_.size() * 4; }

    // As the front end calls it; with @len only so many bytes of it.
    uint32_t parse(vhost_video_request &req, bool objects = false, size_t len = SIZE_MAX) const
    {
        // On the heap and exact, so that the sanitizer sees one byte too far.
        const size_t readable = std::min(size(), len);
        const size_t first = std::min<size_t>(readable, VHOST_VIDEO_REQUEST_MAX);
        std::vector<uint8_t> bytes(first);
        std::copy_n(reinterpret_cast<const uint8_t *>(words_.data()), first, bytes.begin());
        bytes.shrink_to_fit();
        return vhost_video_parse(bytes.data(), first, readable, objects, &req);
    }

private:
    std::vector<uint32_t> words_;
};
