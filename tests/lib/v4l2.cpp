// SPDX-License-Identifier: Apache-2.0
#include "v4l2.hpp"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fd.hpp"
#include "tap.hpp"

namespace dh::v4l2 {

namespace {

constexpr uint32_t buffers = 4;

struct Mapped {
    uint8_t *data;
    size_t size;
};

// One queue of an open codec, its buffers mapped.
class Queue {
public:
    Queue(int fd, bool input, bool planes)
        : fd_(fd), planes_(planes), type_(input ? output_type() : capture_type())
    {
    }
    Queue(const Queue &) = delete;
    Queue &operator=(const Queue &) = delete;
    ~Queue() { unmap(); }

    void set_format(uint32_t fourcc, uint32_t width, uint32_t height)
    {
        v4l2_format format{};
        format.type = type_;
        if (planes_) {
            format.fmt.pix_mp.pixelformat = fourcc;
            format.fmt.pix_mp.width = width;
            format.fmt.pix_mp.height = height;
            format.fmt.pix_mp.num_planes = 1;
        } else {
            format.fmt.pix.pixelformat = fourcc;
            format.fmt.pix.width = width;
            format.fmt.pix.height = height;
        }
        call(VIDIOC_S_FMT, &format, "S_FMT");
    }
    // All idle buffers of a capture queue go to the codec.
    void start(bool queue_all)
    {
        v4l2_requestbuffers request{};
        request.count = buffers;
        request.type = type_;
        request.memory = V4L2_MEMORY_MMAP;
        call(VIDIOC_REQBUFS, &request, "REQBUFS");
        for (uint32_t i = 0; i < request.count; i++) {
            map(i);
            if (queue_all) {
                queue(i, 0);
            } else {
                idle_.push_back(i);
            }
        }
        call(VIDIOC_STREAMON, &type_, "STREAMON");
        streaming_ = true;
    }
    void stop()
    {
        call(VIDIOC_STREAMOFF, &type_, "STREAMOFF");
        unmap();
        v4l2_requestbuffers request{};
        request.type = type_;
        request.memory = V4L2_MEMORY_MMAP;
        call(VIDIOC_REQBUFS, &request, "REQBUFS");
        streaming_ = false;
    }
    bool feed(const Bytes &data)
    {
        if (idle_.empty()) {
            return false;
        }
        const Mapped &to = mapped_.at(idle_.back());
        CHECK(data.size() <= to.size);
        memcpy(to.data, data.data(), data.size());
        queue(idle_.back(), static_cast<uint32_t>(data.size()));
        idle_.pop_back();
        return true;
    }
    void queue(uint32_t index, uint32_t used)
    {
        v4l2_plane plane{};
        v4l2_buffer buffer = describe(index, plane);
        plane.bytesused = used;
        buffer.bytesused = used;
        buffer.field = V4L2_FIELD_NONE;
        call(VIDIOC_QBUF, &buffer, "QBUF");
    }
    // 0, EAGAIN, or EPIPE behind the last one.
    int take(uint32_t &index, Bytes &data, uint32_t &flags)
    {
        v4l2_plane plane{};
        v4l2_buffer buffer = describe(0, plane);
        if (ioctl(fd_, VIDIOC_DQBUF, &buffer)) {
            CHECK(errno == EAGAIN || errno == EPIPE);
            return errno;
        }
        index = buffer.index;
        flags = buffer.flags;
        const uint8_t *from = mapped_.at(index).data;
        data.assign(from, from + (planes_ ? plane.bytesused : buffer.bytesused));
        return 0;
    }
    void give_back()
    {
        uint32_t index = 0;
        uint32_t flags = 0;
        Bytes data;
        while (take(index, data, flags) == 0) {
            idle_.push_back(index);
        }
    }
    bool streaming() const { return streaming_; }

private:
    uint32_t output_type() const
    {
        return planes_ ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE : V4L2_BUF_TYPE_VIDEO_OUTPUT;
    }
    uint32_t capture_type() const
    {
        return planes_ ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
    }
    void call(unsigned long request, void *argument, const char *what) const
    {
        if (ioctl(fd_, request, argument)) {
            throw tap::Failure(std::string(what) + " on the host's codec: " + strerror(errno));
        }
    }
    v4l2_buffer describe(uint32_t index, v4l2_plane &plane) const
    {
        v4l2_buffer buffer{};
        buffer.type = type_;
        buffer.index = index;
        buffer.memory = V4L2_MEMORY_MMAP;
        if (planes_) {
            buffer.length = 1;
            buffer.m.planes = &plane;
        }
        return buffer;
    }
    void map(uint32_t index)
    {
        v4l2_plane plane{};
        v4l2_buffer buffer = describe(index, plane);
        call(VIDIOC_QUERYBUF, &buffer, "QUERYBUF");
        const size_t size = planes_ ? plane.length : buffer.length;
        const auto offset = planes_ ? plane.m.mem_offset : buffer.m.offset;
        void *at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_,
                        static_cast<off_t>(offset));
        CHECK(at != MAP_FAILED);
        mapped_.push_back({static_cast<uint8_t *>(at), size});
    }
    void unmap()
    {
        for (const Mapped &mapped : mapped_) {
            munmap(mapped.data, mapped.size);
        }
        mapped_.clear();
        idle_.clear();
    }

    int fd_;
    bool planes_;
    uint32_t type_;
    bool streaming_ = false;
    std::vector<Mapped> mapped_;
    std::vector<uint32_t> idle_;
};

// An open codec, and what goes through it.
class Codec {
public:
    Codec(const std::string &node, bool encoder)
        : fd_(open(node.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)),
          encoder_(encoder),
          planes_(planes(fd_.get())),
          in(fd_.get(), true, planes_),
          out(fd_.get(), false, planes_)
    {
        if (!encoder) {
            v4l2_event_subscription changes{};
            changes.type = V4L2_EVENT_SOURCE_CHANGE;
            CHECK_EQ(ioctl(fd_.get(), VIDIOC_SUBSCRIBE_EVENT, &changes), 0);
        }
    }

    std::vector<Bytes> run(const std::vector<Bytes> &data)
    {
        size_t fed = 0;
        while (!done_) {
            in.give_back();
            while (fed < data.size() && in.feed(data[fed])) {
                fed++;
            }
            // Before there is a size, there is no end of it either.
            if (fed == data.size() && out.streaming() && !draining_) {
                drain();
            }
            events();
            frames();
            pollfd ready{fd_.get(), POLLIN | POLLOUT | POLLPRI, 0};
            poll(&ready, 1, 2);
        }
        return std::move(frames_);
    }

private:
    static bool planes(int fd)
    {
        v4l2_capability capability{};
        if (fd < 0 || ioctl(fd, VIDIOC_QUERYCAP, &capability)) {
            throw tap::Failure("the host's codec can't be opened");
        }
        return capability.device_caps & V4L2_CAP_VIDEO_M2M_MPLANE;
    }
    void drain()
    {
        v4l2_encoder_cmd encoder{};
        v4l2_decoder_cmd decoder{};
        encoder.cmd = V4L2_ENC_CMD_STOP;
        decoder.cmd = V4L2_DEC_CMD_STOP;
        const int err = encoder_ ? ioctl(fd_.get(), VIDIOC_ENCODER_CMD, &encoder)
                                 : ioctl(fd_.get(), VIDIOC_DECODER_CMD, &decoder);
        CHECK_EQ(err, 0);
        draining_ = true;
    }
    void events()
    {
        v4l2_event event{};
        while (ioctl(fd_.get(), VIDIOC_DQEVENT, &event) == 0) {
            if (event.type != V4L2_EVENT_SOURCE_CHANGE) {
                continue;
            }
            if (out.streaming()) {
                changed_ = true;
            } else {
                out.start(true);
            }
        }
    }
    void frames()
    {
        while (out.streaming()) {
            uint32_t index = 0;
            uint32_t flags = 0;
            Bytes data;
            const int err = out.take(index, data, flags);
            if (err == EAGAIN) {
                return;
            }
            if (err == EPIPE || flags & V4L2_BUF_FLAG_LAST) {
                if (!data.empty()) {
                    frames_.push_back(std::move(data));
                }
                last();
                return;
            }
            CHECK(!(flags & V4L2_BUF_FLAG_ERROR));
            frames_.push_back(std::move(data));
            out.queue(index, 0);
        }
    }
    // Of all frames, or of those of a size.
    void last()
    {
        events();
        if (!changed_) {
            done_ = true;
            return;
        }
        changed_ = false;
        draining_ = false;
        out.stop();
        out.start(true);
    }

    Fd fd_;
    bool encoder_;
    bool planes_;
    std::vector<Bytes> frames_;
    bool draining_ = false;
    bool changed_ = false;
    bool done_ = false;

public:
    Queue in;
    Queue out;
};

} // namespace

std::vector<Bytes> encode(const std::string &node, const std::vector<Bytes> &frames, uint32_t width,
                          uint32_t height)
{
    Codec codec(node, true);
    codec.in.set_format(V4L2_PIX_FMT_YUV420, width, height);
    codec.out.set_format(V4L2_PIX_FMT_FWHT, width, height);
    codec.out.start(true);
    codec.in.start(false);
    return codec.run(frames);
}

std::vector<Bytes> decode(const std::string &node, const std::vector<Bytes> &coded)
{
    Codec codec(node, false);
    codec.in.set_format(V4L2_PIX_FMT_FWHT, 1280, 720);
    codec.in.start(false);
    return codec.run(coded);
}

} // namespace dh::v4l2
