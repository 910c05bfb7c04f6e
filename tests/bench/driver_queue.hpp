// SPDX-License-Identifier: Apache-2.0
// The guest's driver as the loops have it, and the same driver on a ring
// without a device: what it costs is to be subtracted.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fd.hpp"
#include "guest.hpp"
#include "queue.hpp"

namespace dh::bench {

// What a driver puts into a queue, laid out once; all are alike.
struct Requests {
    std::vector<std::vector<Buffer>> pieces; // of each
    uint32_t written = 0;                    // by the device, as it says
    // The device has all of them at any time, and gives some back; else they are
    // added when there is something to ask for.
    bool supplied = false;
    // The device takes what is added at once, and wants to be kicked for it.
    bool heard = true;
    // The device looks by itself: the driver never kicks.
    bool polled = false;
};

class DriverQueue {
public:
    // @device: stands in for the device, on a bare ring.
    DriverQueue(Queue &queue, Requests requests, std::function<void()> device = {});

    // Adds @count requests with one kick, and waits until all have come back.
    void call(unsigned count);
    // Gives all requests to the device.
    void fill();
    // Waits until @count have come back, and gives them again.
    void receive(unsigned count);
    // Waits for at least one; those that are there.
    unsigned receive_some();

private:
    void add(unsigned slot);
    void kick();
    void wait();

    Queue &queue_;
    Requests requests_;
    std::function<void()> device_;
    std::vector<unsigned> slot_of_; // by id
    unsigned next_ = 0;
};

// A ring without a device: it does what the device does to the ring, and
// nothing else. What that costs is told apart by rehearsing it.
class BareRing {
public:
    BareRing(RingKind kind, uint16_t size, const std::function<Requests(GuestMemory &)> &layout);
    // Instructions a request of the driver's own work, the system calls of its
    // kick and of its interrupt included, in batches of @count.
    double cost(unsigned count);
    // Instructions of a round trip to a thread of this process that answers, one
    // request at a time: what two wake-ups and the ring cost without a device.
    double round_trip();

private:
    void complete(bool rehearse);
    void complete_split(SplitQueue &queue, bool rehearse);
    void complete_packed(PackedQueue &queue, bool rehearse);

    GuestMemory memory_;
    std::unique_ptr<Queue> queue_;
    Requests requests_;
    bool rehearse_ = false;
    unsigned count_ = 1;
    uint16_t done_ = 0;
    bool wrap_ = true;
    Fd scratch_call_;
    std::vector<uint8_t> scratch_;
    std::unique_ptr<DriverQueue> driver_;
};

} // namespace dh::bench
