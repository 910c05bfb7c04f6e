// SPDX-License-Identifier: Apache-2.0
// What the CAN figures are made of: a driver's requests, and native sockets.
// Each call handles a fixed number of frames.
#pragma once

#include <linux/can.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>

#include "can.hpp"
#include "driver_queue.hpp"

namespace dh::bench {

constexpr unsigned batch = 64;

// A native socket that sends or receives batches or single frames.
class NativeSocket {
public:
    explicit NativeSocket(const std::string &interface);
    void send_one();
    void send_batch();
    void receive_one();
    void receive_batch();
    int fd() const { return fd_.get(); }

private:
    Fd fd_;
    std::array<can_frame, batch> frames_{};
    std::array<iovec, batch> pieces_{};
    std::array<mmsghdr, batch> messages_{};
};

// The requests of a Txq or Rxq.
Requests can_requests(GuestMemory &memory, bool transmit);

// A thread that receives one frame after the other until the end of the scope.
class Receiver {
public:
    explicit Receiver(std::function<void()> step);
    ~Receiver();
    // Waits until it blocks again.
    void settle();
    void stop() { stop_ = true; }

private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace dh::bench
