// SPDX-License-Identifier: Apache-2.0
//
// The host's codecs: finding and opening what a device is to stand on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "device_video.hpp"
#include "uevents.hpp"
#include "unique_fd.hpp"

namespace devhost {

/// The open node that a device is made of.
struct VideoFile {
    UniqueFd node;
};

/// Throws Error. A fake takes its place in tests.
class VideoCodecs {
public:
    virtual ~VideoCodecs() = default;

    /// The node of a codec that does what the device is for.
    virtual UniqueFd open(const VideoDeviceConfig &video) = 0;
    /// What the codec on /dev/videoN calls itself: driver, card, bus. Empty where there is none.
    virtual std::vector<std::string> names(std::uint32_t number) = 0;

    /// Readable when read_events() has something.
    [[nodiscard]] virtual int event_fd() const = 0;
    /// Codecs may have come or gone.
    virtual DeviceEvents read_events() = 0;
};

/// The kernel's.
class V4l2Codecs final : public VideoCodecs {
public:
    explicit V4l2Codecs(std::filesystem::path dev = "/dev")
        : dev_(std::move(dev)), uevents_("video4linux")
    {
    }

    UniqueFd open(const VideoDeviceConfig &video) override;
    std::vector<std::string> names(std::uint32_t number) override;
    [[nodiscard]] int event_fd() const override { return uevents_.fd().get(); }
    DeviceEvents read_events() override { return uevents_.read(); }

private:
    [[nodiscard]] UniqueFd find(const VideoDeviceConfig &video) const;
    [[nodiscard]] std::vector<std::filesystem::path> nodes() const;

    std::filesystem::path dev_;
    Uevents uevents_;
};

} // namespace devhost
