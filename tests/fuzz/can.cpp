// SPDX-License-Identifier: Apache-2.0
// CAN controllers: transmit and control requests of a driver, frames of the bus to its buffers, by
// the kernel's code, on a bus that is faked.
//
// Input: kinds of frames, backlog; then steps, a byte each, with what they need.
#include "core.hpp"

#include "can_host.h"

#include <virtio_can.h>

namespace {

constexpr size_t steps_max = 60;
constexpr u8 classic = 1, fd = 2, rtr = 4; // VHOST_CAN_*

class Can {
public:
    explicit Can(Input &in) : in_(in), device_(VIRTIO_CAN_VQS)
    {
        kinds_ = in_.u8() & (classic | fd | rtr);
        backlog_ = 1 + in_.u8() % 16;
        device_.verdicts = in_.u8();
        REQUIRE(can_create(&device_, kinds_, backlog_) == 0);
    }

    ~Can() { can_destroy(); }
    Can(const Can &) = delete;
    Can &operator=(const Can &) = delete;

    void run()
    {
        for (size_t i = 0; in_.more() && i < steps_max; i++) {
            step();
            REQUIRE(can_waiting() <= 16);
        }
    }

private:
    void step()
    {
        switch (in_.u8() % 6) {
        case 0:
        case 1:
            transmit();
            break;
        case 2:
            if (devhost_chain *chain = device_.request(VIRTIO_CAN_CONTROLQ, in_, 16)) {
                const bool room = chain->writable != 0;
                const devhost_answer answer = can_control(chain);
                REQUIRE((answer == DEVHOST_COMPLETE) == room);
                device_.answered(chain, answer);
            }
            break;
        case 3:
            receive();
            break;
        case 4:
            if (devhost_chain *chain = device_.request(VIRTIO_CAN_RXQ, in_, 0)) {
                device_.queues[VIRTIO_CAN_RXQ].supplied.push_back(chain);
                deliver();
            }
            break;
        default:
            can_bus(in_.u8());
            break;
        }
    }

    void transmit()
    {
        devhost_chain *chain = device_.request(VIRTIO_CAN_TXQ, in_, 100);
        if (chain == nullptr) {
            return;
        }
        const size_t readable = chain->readable;
        can_sent frame{};
        if (can_read(chain, &frame)) {
            require_frame(frame, readable);
            can_allowed(&frame, false);
        }
        device_.answered(chain, DEVHOST_COMPLETE);
    }

    void require_frame(const can_sent &frame, size_t readable)
    {
        const bool extended = (frame.can_id & CAN_EFF_FLAG) != 0;
        const bool remote = (frame.can_id & CAN_RTR_FLAG) != 0;
        const u32 id = frame.can_id & ~(CAN_EFF_FLAG | CAN_RTR_FLAG);
        REQUIRE(id <= (extended ? CAN_EFF_MASK : CAN_SFF_MASK));
        REQUIRE(!frame.fd || !remote);
        REQUIRE((kinds_ & (frame.fd ? fd : classic)) != 0);
        REQUIRE(!remote || (kinds_ & rtr) != 0);
        REQUIRE(frame.len <= (frame.fd ? CANFD_MAX_DLEN : CAN_MAX_DLEN));
        REQUIRE(readable >= sizeof(virtio_can_tx_out));
        REQUIRE(remote || frame.len + sizeof(virtio_can_tx_out) <= readable);
        REQUIRE(frame.len <= 8 || frame.len == 12 || frame.len % 4 == 0);
    }

    void receive()
    {
        // As PF_CAN has checked it.
        canfd_frame frame{};
        const uint8_t how = in_.u8();
        const bool is_fd = (how & 1) != 0;
        static constexpr uint8_t lengths[] = {0, 1,  2,  3,  4,  5,  6,  7,
                                              8, 12, 16, 20, 24, 32, 48, 64};
        frame.can_id = in_.u32();
        if (is_fd) {
            frame.can_id &= ~CAN_RTR_FLAG;
        }
        frame.len = is_fd ? lengths[in_.u8() % 16] : in_.u8() % 9;
        const auto data = in_.bytes(frame.len);
        std::copy(data.begin(), data.end(), frame.data);
        can_receive((how & 2) != 0 ? in_.u16() : is_fd ? 0xd : 0xc, &frame);
        deliver();
    }

    void deliver()
    {
        const size_t before = device_.answers.size();
        can_deliver();
        for (size_t i = before; i < device_.answers.size(); i++) {
            const auto &bytes = device_.answers[i];
            virtio_can_rx msg{};
            REQUIRE(bytes.size() >= sizeof(msg));
            std::memcpy(&msg, bytes.data(), sizeof(msg));
            REQUIRE(msg.msg_type == VIRTIO_CAN_RX && bytes.size() == sizeof(msg) + msg.length);
            REQUIRE((msg.flags & VIRTIO_CAN_FLAGS_FD) == 0 || (kinds_ & fd) != 0);
            REQUIRE((msg.flags & VIRTIO_CAN_FLAGS_RTR) == 0 || (kinds_ & rtr) != 0);
            REQUIRE(msg.length <=
                    ((msg.flags & VIRTIO_CAN_FLAGS_FD) != 0 ? CANFD_MAX_DLEN : CAN_MAX_DLEN));
        }
    }

    Input &in_;
    devhost_device device_;
    u8 kinds_ = 0;
    u32 backlog_ = 0;
};

} // namespace

extern "C" bool devhost_policy_can(devhost_device *dev, struct devhost_policy_can *frame)
{
    REQUIRE(frame->can_id <=
            ((frame->flags & DEVHOST_POLICY_CAN_EXTENDED) != 0 ? CAN_EFF_MASK : CAN_SFF_MASK));
    REQUIRE(frame->len <= CANFD_MAX_DLEN);
    return fuzz_allows(dev);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in(data, size);
    {
        Can(in).run();
    }
    REQUIRE(shim_allocs == 0);
    return 0;
}
