// SPDX-License-Identifier: Apache-2.0
#include "video_codecs.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <optional>
#include <sys/ioctl.h>
#include <system_error>

#include "error.hpp"

namespace fs = std::filesystem;

namespace devhost {

namespace {

constexpr std::string_view node_prefix = "video";

// Those that the protocol has numbers for, and whole streams of them: codecs that take parsed
// frames only have other names for their formats.
constexpr std::array<std::uint32_t, 7> coded_formats{
    V4L2_PIX_FMT_MPEG2, V4L2_PIX_FMT_MPEG4, V4L2_PIX_FMT_H264, V4L2_PIX_FMT_HEVC,
    V4L2_PIX_FMT_VP8,   V4L2_PIX_FMT_VP9,   V4L2_PIX_FMT_FWHT};

std::optional<std::uint32_t> number_of(const fs::path &node)
{
    const std::string name = node.filename();
    std::uint32_t number = 0;

    if (!name.starts_with(node_prefix)) {
        return std::nullopt;
    }
    const char *last = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data() + node_prefix.size(), last, number);
    return error == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

UniqueFd open_node(const fs::path &node)
{
    return UniqueFd(::open(node.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

template <std::size_t size>
std::string text_of(const __u8 (&text)[size])
{
    const auto *begin = reinterpret_cast<const char *>(text);
    return {begin, strnlen(begin, size)};
}

std::optional<v4l2_capability> capability_of(const UniqueFd &fd)
{
    v4l2_capability capability{};

    if (!fd || ioctl(fd.get(), VIDIOC_QUERYCAP, &capability) != 0) {
        return std::nullopt;
    }
    return capability;
}

std::vector<std::string> names_of(const v4l2_capability &capability)
{
    return {text_of(capability.driver), text_of(capability.card), text_of(capability.bus_info)};
}

bool has_coded_format(const UniqueFd &fd, std::uint32_t type)
{
    v4l2_fmtdesc format{};

    format.type = type;
    while (ioctl(fd.get(), VIDIOC_ENUM_FMT, &format) == 0) {
        if (std::ranges::find(coded_formats, format.pixelformat) != coded_formats.end()) {
            return true;
        }
        format.index++;
    }
    return false;
}

// Whether it is a codec, and of that kind: the side of the stream has coded formats.
bool serves(const UniqueFd &fd, const v4l2_capability &capability, bool encoder)
{
    const std::uint32_t caps = capability.device_caps;

    if (!(caps & V4L2_CAP_STREAMING)) {
        return false;
    }
    if (caps & V4L2_CAP_VIDEO_M2M_MPLANE) {
        return has_coded_format(fd, encoder ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
                                            : V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE);
    }
    return (caps & V4L2_CAP_VIDEO_M2M) &&
           has_coded_format(fd, encoder ? V4L2_BUF_TYPE_VIDEO_CAPTURE : V4L2_BUF_TYPE_VIDEO_OUTPUT);
}

const char *what_it_does(const VideoDeviceConfig &video)
{
    return video.encoder ? "encodes" : "decodes";
}

UniqueFd open_named(const VideoDeviceConfig &video)
{
    UniqueFd fd = open_node(video.node);

    if (!fd && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
        throw Error(Cause::invalid_args, "There is no codec at " + video.node +
                                             ": load its driver, or correct the path.");
    }
    if (!fd && errno == EBUSY) {
        throw Error(Cause::device_busy, "Somebody else uses " + video.node +
                                            ": end that program, or choose another codec.");
    }
    if (!fd) {
        throw system_error(errno, "Cannot open " + video.node);
    }
    const auto capability = capability_of(fd);
    if (!capability || !serves(fd, *capability, video.encoder)) {
        throw Error(Cause::invalid_args, video.node + " is no stateful codec that " +
                                             what_it_does(video) +
                                             " what guests know: "
                                             "'v4l2-ctl --list-devices' lists what there is.");
    }
    return fd;
}

} // namespace

std::vector<fs::path> V4l2Codecs::nodes() const
{
    std::vector<std::uint32_t> numbers;
    std::vector<fs::path> result;
    std::error_code error;

    for (const auto &entry : fs::directory_iterator(dev_, error)) {
        if (const auto number = number_of(entry.path())) {
            numbers.push_back(*number);
        }
    }
    std::ranges::sort(numbers);
    result.reserve(numbers.size());
    for (const std::uint32_t number : numbers) {
        result.push_back(dev_ / (std::string(node_prefix) + std::to_string(number)));
    }
    return result;
}

// The others are opened for a moment: only an open node says what it is.
UniqueFd V4l2Codecs::find(const VideoDeviceConfig &video) const
{
    UniqueFd found;
    fs::path first;

    for (const fs::path &node : nodes()) {
        UniqueFd fd = open_node(node);
        const auto capability = capability_of(fd);
        if (!capability || !serves(fd, *capability, video.encoder)) {
            continue;
        }
        const std::vector<std::string> names = names_of(*capability);
        if (std::ranges::find(names, video.codec) == names.end()) {
            continue;
        }
        if (found) {
            throw Error(Cause::invalid_args, "There are several codecs '" + video.codec +
                                                 "': give node, as " + first.string() + " or " +
                                                 node.string() + ", or the name of its bus.");
        }
        found = std::move(fd);
        first = node;
    }
    if (!found) {
        throw Error(Cause::invalid_args, "There is no stateful codec '" + video.codec + "' that " +
                                             what_it_does(video) +
                                             ": load its driver, or correct the name; "
                                             "'v4l2-ctl --list-devices' lists what there is.");
    }
    return found;
}

UniqueFd V4l2Codecs::open(const VideoDeviceConfig &video)
{
    return video.node.empty() ? find(video) : open_named(video);
}

std::vector<std::string> V4l2Codecs::names(std::uint32_t number)
{
    const auto capability =
        capability_of(open_node(dev_ / (std::string(node_prefix) + std::to_string(number))));

    return capability ? names_of(*capability) : std::vector<std::string>();
}

} // namespace devhost
