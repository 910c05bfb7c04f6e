// SPDX-License-Identifier: Apache-2.0
// The loops that are measured: a guest's driver, the same driver on a bare
// ring, and native sockets. Each handles a fixed number of frames a call.
#pragma once

#include <linux/can.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "can.hpp"

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

// A Txq or Rxq with its requests laid out, as a driver has them.
class DriverQueue {
public:
    DriverQueue(Queue &queue, GuestMemory &memory, bool transmit,
                std::function<void()> device = {});

    // Transmit @count frames with one kick, and wait until all have come back.
    void transmit(unsigned count);
    // Gives all receive buffers to the device.
    void fill();
    // Waits for @count frames and gives their buffers back.
    void receive(unsigned count);
    // Waits for at least one; those that are there.
    unsigned receive_some();

private:
    void add(unsigned slot);
    void wait();

    Queue &queue_;
    bool transmit_;
    std::function<void()> device_; // in the kernel's place, on a bare ring
    std::vector<std::array<Buffer, 2>> slots_;
    std::vector<unsigned> slot_of_; // by id
    unsigned next_ = 0;
};

// A ring without a device: it does what the device does to the ring, and
// nothing else. What that costs is told apart by rehearsing it.
class BareRing {
public:
    explicit BareRing(RingKind kind, bool transmit);
    // Instructions a frame of the driver's own work, the system calls of its
    // kick and of its interrupt included, in batches of @count.
    double cost(unsigned count);

private:
    void complete(bool rehearse);

    GuestMemory memory_;
    std::unique_ptr<Queue> queue_;
    bool transmit_;
    bool rehearse_ = false;
    unsigned count_ = 1;
    uint16_t done_ = 0;
    bool wrap_ = true;
    Fd scratch_call_;
    std::vector<uint8_t> scratch_;
    std::unique_ptr<DriverQueue> driver_;
};

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
