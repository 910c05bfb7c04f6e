// SPDX-License-Identifier: Apache-2.0
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "can.hpp"
#include "host.hpp"

namespace dh::can {

namespace {

[[noreturn]] void raise(const std::string &what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

Socket::Socket(const std::string &interface, bool errors)
    : fd_(socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW))
{
    if (!fd_) {
        raise("CAN socket");
    }
    int on = 1;
    if (setsockopt(fd_.get(), SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof(on))) {
        raise("CAN FD frames");
    }
    can_err_mask_t mask = errors ? CAN_ERR_MASK : 0;
    setsockopt(fd_.get(), SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &mask, sizeof(mask));
    int room = 8 << 20;
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));

    sockaddr_can addr{};
    addr.can_family = AF_CAN;
    addr.can_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (!addr.can_ifindex || bind(fd_.get(), reinterpret_cast<sockaddr *>(&addr), sizeof(addr))) {
        raise("CAN socket on " + interface);
    }
}

int Socket::try_send(const Frame &frame)
{
    canfd_frame raw{};
    raw.can_id = frame.id;
    if (frame.flags & flag_extended) {
        raw.can_id |= CAN_EFF_FLAG;
    }
    if (frame.flags & flag_rtr) {
        raw.can_id |= CAN_RTR_FLAG;
    }
    raw.len = static_cast<uint8_t>(frame.data.size());
    memcpy(raw.data, frame.data.data(), std::min<size_t>(frame.data.size(), sizeof(raw.data)));
    const size_t size = frame.flags & flag_fd ? CANFD_MTU : CAN_MTU;
    return write(fd_.get(), &raw, size) == static_cast<ssize_t>(size) ? 0 : -errno;
}

void Socket::send(const Frame &frame)
{
    int result = -ENOBUFS;
    for (int tries = 0; tries < 2000 && result == -ENOBUFS; tries++) {
        result = try_send(frame);
        if (result == -ENOBUFS) {
            usleep(500);
        }
    }
    must(result, "sending a frame on the host");
}

std::optional<Frame> Socket::receive(int timeout_ms)
{
    pollfd poll_fd{fd_.get(), POLLIN, 0};
    if (poll(&poll_fd, 1, timeout_ms) <= 0) {
        return std::nullopt;
    }
    canfd_frame raw{};
    const ssize_t got = read(fd_.get(), &raw, sizeof(raw));
    if (got < 0) {
        return std::nullopt; // the interface went down
    }
    Frame frame;
    frame.id = raw.can_id & (raw.can_id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK);
    if (raw.can_id & CAN_ERR_FLAG) {
        frame.id = raw.can_id & (CAN_ERR_FLAG | CAN_ERR_MASK);
    }
    if (raw.can_id & CAN_EFF_FLAG) {
        frame.flags |= flag_extended;
    }
    if (raw.can_id & CAN_RTR_FLAG) {
        frame.flags |= flag_rtr;
    }
    if (got == CANFD_MTU) {
        frame.flags |= flag_fd;
    }
    frame.data.assign(raw.data, raw.data + std::min<size_t>(raw.len, sizeof(raw.data)));
    return frame;
}

Vcan::Vcan(std::string name) : name_(std::move(name))
{
    shell("ip link add dev " + name_ + " type vcan && ip link set dev " + name_ + " mtu 72 up");
}

Vcan::~Vcan()
{
    try {
        if (if_nametoindex(name_.c_str())) {
            shell("ip link del dev " + name_);
        }
    } catch (const std::exception &error) {
        tap::fail_later(error.what());
    }
}

SimBus::SimBus(const std::string &options)
{
    shell("modprobe -r candev_sim && modprobe candev_sim num=2 slots=8");
    configure("csim0", options);
    configure("csim1", "");
}

SimBus::~SimBus()
{
    // NOLINTNEXTLINE(cert-env33-c)
    if (system("modprobe -r candev_sim")) {
        tap::fail_later("candev_sim cannot be unloaded: something holds it");
    }
}

void SimBus::configure(const std::string &name, const std::string &options)
{
    shell("ip link set " + name + " down");
    shell("ip link set " + name + " type can bitrate 1000000 dbitrate 8000000 fd on " + options);
    shell("ip link set " + name + " up");
}

void SimBus::set(const std::string &file, const std::string &value)
{
    std::ofstream out("/sys/kernel/debug/candev_sim/" + file);
    out << value << std::flush;
    if (!out) {
        throw tap::Failure("cannot set " + file);
    }
}

void Vcan::up()
{
    shell("ip link set dev " + name_ + " up");
}

void Vcan::down()
{
    shell("ip link set dev " + name_ + " down");
}

} // namespace dh::can
