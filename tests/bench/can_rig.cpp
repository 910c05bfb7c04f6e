// SPDX-License-Identifier: Apache-2.0
#include "can_rig.hpp"

#include <linux/can/raw.h>
#include <net/if.h>
#include <unistd.h>

#include "measure.hpp"

namespace dh::bench {

namespace {

// Allowed by the last of the typical policy's rules.
constexpr uint32_t identifier = 0x123;

} // namespace

NativeSocket::NativeSocket(const std::string &interface)
    : fd_(socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW))
{
    sockaddr_can addr{};
    addr.can_family = AF_CAN;
    addr.can_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    expect(fd_ && !bind(fd_.get(), reinterpret_cast<sockaddr *>(&addr), sizeof(addr)),
           "no CAN socket");
    for (unsigned i = 0; i < batch; i++) {
        frames_[i].can_id = identifier;
        frames_[i].can_dlc = 8;
        pieces_[i] = {&frames_[i], sizeof(frames_[i])};
        messages_[i].msg_hdr.msg_iov = &pieces_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
    }
}

void NativeSocket::send_one()
{
    expect(write(fd_.get(), frames_.data(), sizeof(can_frame)) == sizeof(can_frame), "send");
}

void NativeSocket::send_batch()
{
    expect(sendmmsg(fd_.get(), messages_.data(), batch, 0) == batch, "sendmmsg");
}

void NativeSocket::receive_one()
{
    expect(recv(fd_.get(), frames_.data(), sizeof(can_frame), 0) == sizeof(can_frame), "recv");
}

void NativeSocket::receive_batch()
{
    expect(recvmmsg(fd_.get(), messages_.data(), batch, 0, nullptr) == batch, "recvmmsg");
}

Requests can_requests(GuestMemory &memory, bool transmit)
{
    Requests requests;
    for (unsigned i = 0; i < batch; i++) {
        const uint64_t where = memory.alloc(sizeof(can::Header) + 64 + 16);
        if (transmit) {
            *memory.as<can::Header>(where) = {can::msg_tx, 8, 0, 0, 0, 0, identifier};
            requests.pieces.push_back({Buffer{where, sizeof(can::Header) + 8, false},
                                       Buffer{where + sizeof(can::Header) + 8, 1, true}});
        } else {
            requests.pieces.push_back({Buffer{where, sizeof(can::Header) + 64, true}});
        }
    }
    requests.written = transmit ? 1 : sizeof(can::Header) + 8;
    requests.supplied = !transmit;
    requests.heard = transmit;
    return requests;
}

Receiver::Receiver(std::function<void()> step)
    : thread_([this, step = std::move(step)] {
          run_first();
          while (!stop_) {
              step();
          }
      })
{
}

Receiver::~Receiver()
{
    thread_.join();
}

} // namespace dh::bench
