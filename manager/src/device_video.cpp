// SPDX-License-Identifier: Apache-2.0
#include "device_video.hpp"

#include <linux/devhost.h>

namespace devhost {

namespace {

constexpr std::size_t codec_length_max = 31; // v4l2_capability.card and .bus_info, without the NUL

bool is_node(const std::string &path)
{
    return path.starts_with("/dev/") && !path.ends_with('/') &&
           (path + '/').find("/../") == std::string::npos;
}

} // namespace

VideoDeviceConfig video_device_from(TableReader table, bool encoder)
{
    VideoDeviceConfig video;

    video.encoder = encoder;
    video.node = table.text("node").value_or("");
    video.codec = table.text("codec", codec_length_max).value_or("");
    if (video.node.empty() && video.codec.empty()) {
        table.fail(table.where() +
                   R"( needs codec = "...", what a codec of the host calls itself, or node = )"
                   R"("/dev/video...")");
    }
    if (!video.node.empty() && !video.codec.empty()) {
        table.fail("node", "cannot go with codec: one of them says which codec it is");
    }
    if (!video.node.empty() && !is_node(video.node)) {
        table.fail("node", "must be a path below /dev");
    }
    video.streams_max = table.small_number("streams_max", 1, DEVHOST_VIDEO_STREAMS_LIMIT)
                            .value_or(video.streams_max);
    table.finish();
    return video;
}

} // namespace devhost
