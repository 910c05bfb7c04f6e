// SPDX-License-Identifier: Apache-2.0
// A stateful codec of the host used directly, as the host's own programs do:
// what a guest gets is compared with that, byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dh::v4l2 {

using Bytes = std::vector<uint8_t>;

// What comes of frames of YUV420 and a width and height.
std::vector<Bytes> encode(const std::string &node, const std::vector<Bytes> &frames, uint32_t width,
                          uint32_t height);
// What comes of coded frames; their size may change.
std::vector<Bytes> decode(const std::string &node, const std::vector<Bytes> &coded);

} // namespace dh::v4l2
