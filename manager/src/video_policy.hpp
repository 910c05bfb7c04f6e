// SPDX-License-Identifier: Apache-2.0
//
// What a guest may decode and encode, as people and D-Bus clients state it.
#pragma once

#include <array>
#include <limits>
#include <linux/devhost.h>

#include "policy_rule.hpp"

namespace devhost {

// Coded formats by what the kernel and its tools call them, in the order of the protocol's numbers.
inline constexpr std::array<std::string_view, 7> video_formats{"MPG2", "MPG4", "H264", "HEVC",
                                                               "VP80", "VP90", "FWHT"};

// What a stream may be. The defaults are no limits.
struct VideoLimits {
    static constexpr std::uint32_t any = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint64_t any64 = std::numeric_limits<std::uint64_t>::max();

    std::uint32_t width_max = any;
    std::uint32_t height_max = any;
    std::uint64_t pixels_max = any64;            // of a frame
    std::uint64_t pixels_per_second_max = any64; // where the driver gives a rate
    std::uint32_t bitrate_max = any;             // bit/s, as set by the driver of an encoder

    bool operator==(const VideoLimits &) const = default;
};

struct VideoRule : PolicyRule {
    std::vector<std::uint32_t> formats; // places in video_formats, sorted; empty: all
    VideoLimits limits;

    bool operator==(const VideoRule &) const = default;
};

// Decoders or encoders: the first rule that matches decides.
struct VideoList {
    Verdict otherwise = Verdict::deny;
    std::uint32_t streams_max = DEVHOST_VIDEO_STREAMS_LIMIT; // of a device at a time
    VideoLimits limits;                                      // nothing lifts them
    std::vector<VideoRule> rules;

    bool operator==(const VideoList &) const = default;
};

struct VideoPolicy {
    VideoList decode;
    VideoList encode;

    bool names_devices() const
    {
        return any_names_device(decode.rules) || any_names_device(encode.rules);
    }
    bool operator==(const VideoPolicy &) const = default;
};

// The form that [policy.video] in TOML, and the dictionary on D-Bus, have.
VideoPolicy video_policy_from(TableReader table);
Setting to_setting(const VideoPolicy &policy);

// Why requests that a rule allows were refused; these are counted at the rule, too.
struct VideoListCounters : RuleListCounters {
    std::uint64_t streams = 0;
    std::uint64_t size = 0;
    std::uint64_t rate = 0;
    std::uint64_t bitrate = 0;
};

struct VideoCounters {
    VideoListCounters decode;
    VideoListCounters encode;
};

} // namespace devhost
