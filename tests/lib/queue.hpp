// SPDX-License-Identifier: Apache-2.0
// The driver's side of a virtqueue, split or packed. The well-behaved calls
// keep everything they need in private memory, so a test may scribble over the
// ring with the raw calls and go on.
#pragma once

#include <linux/virtio_ring.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "fd.hpp"
#include "ram.hpp"
#include "tap.hpp"

namespace dh {

// A piece of a request.
struct Buffer {
    uint64_t addr;
    uint32_t length;
    bool writable; // by the device
};

// A request that came back.
struct Used {
    uint16_t id;
    uint32_t length;
};

struct QueueSetup {
    uint16_t num = 256;
    bool event_idx = true;
};

class Queue {
public:
    virtual ~Queue() = default;
    Queue(const Queue &) = delete;
    Queue &operator=(const Queue &) = delete;

    static std::unique_ptr<Queue> create(RingKind kind, GuestMemory &memory, QueueSetup setup);

    uint16_t num() const { return num_; }
    uint64_t desc_addr() const { return desc_addr_; }
    uint64_t driver_addr() const { return driver_addr_; }
    uint64_t device_addr() const { return device_addr_; }
    uint16_t free_slots() const { return free_; }

    // Puts a request into the ring; its id, or -1 where there is no room. With
    // @table, guest memory for an indirect table, it takes one entry.
    virtual int add(std::span<const Buffer> buffers, uint64_t table = 0) = 0;
    int add(std::initializer_list<Buffer> buffers, uint64_t table = 0)
    {
        return add(std::span(buffers.begin(), buffers.size()), table);
    }

    // Whether the device wants to be kicked for what was added since the last
    // call.
    virtual bool kick_wanted() = 0;
    void kick();
    void kick_if_wanted()
    {
        if (kick_wanted()) {
            kick();
        }
    }

    // Whether a request has come back, and that request.
    virtual bool ready() const = 0;
    virtual bool take(Used &used) = 0;

    // Asks for interrupts, from the next request on that comes back, or for none.
    virtual void interrupts(bool on) = 0;
    // Waits for a request to come back, by interrupt.
    bool wait(int timeout_ms = 10000);
    // The next request that comes back; throws tap::Failure after that time.
    Used expect(int timeout_ms = 10000);
    // Number of interrupts since the last call.
    uint64_t interrupts_seen();

    int kick_fd() const { return kick_.get(); }
    int call_fd() const { return call_.get(); }

    // Forgets all requests: both sides start anew.
    virtual void reset() = 0;
    // VRING_BASE at which a device joins a queue after reset().
    virtual uint32_t first_base() const = 0;

protected:
    Queue(GuestMemory &memory, QueueSetup setup);

    GuestMemory &memory_;
    const uint16_t num_;
    const bool event_idx_;
    uint16_t free_ = 0;
    uint64_t desc_addr_ = 0;
    uint64_t driver_addr_ = 0;
    uint64_t device_addr_ = 0;

private:
    Fd kick_;
    Fd call_;
};

class SplitQueue final : public Queue {
public:
    SplitQueue(GuestMemory &memory, QueueSetup setup);

    int add(std::span<const Buffer> buffers, uint64_t table) override;
    using Queue::add;
    bool kick_wanted() override;
    bool ready() const override;
    bool take(Used &used) override;
    void interrupts(bool on) override;
    void reset() override;
    uint32_t first_base() const override { return start_; }
    // From now on reset() starts with these indices.
    void start_at(uint16_t index);

    // Raw access.
    vring_desc &desc(uint16_t index) { return desc_[index]; }
    vring_avail &avail() { return *avail_; }
    vring_used &used() { return *used_; }
    // Behind the used ring, with EVENT_IDX.
    uint16_t &avail_event()
    {
        return *memory_.as<uint16_t>(device_addr_ + 4 + sizeof(vring_used_elem) * num_);
    }
    uint16_t next_avail() const { return next_avail_; }
    // Makes @head available, whatever it is.
    void raw_add(uint16_t head);
    // Sets avail->idx, whatever is in the ring.
    void raw_index(uint16_t index);

private:
    void publish(uint16_t head);

    vring_desc *desc_;
    vring_avail *avail_;
    vring_used *used_;
    std::vector<uint16_t> next_;   // free list and chains
    std::vector<uint16_t> length_; // entries of a chain, by head; 0: not ours
    uint16_t start_ = 0;
    uint16_t free_head_ = 0;
    uint16_t next_avail_ = 0;
    uint16_t kicked_ = 0;
    uint16_t last_used_ = 0;
};

class PackedQueue final : public Queue {
public:
    PackedQueue(GuestMemory &memory, QueueSetup setup);

    int add(std::span<const Buffer> buffers, uint64_t table) override;
    using Queue::add;
    bool kick_wanted() override;
    bool ready() const override;
    bool take(Used &used) override;
    void interrupts(bool on) override;
    void reset() override;
    uint32_t first_base() const override { return 0x80008000; }

    // Raw access.
    vring_packed_desc &desc(uint16_t index) { return desc_[index]; }
    vring_packed_desc_event &driver_event() { return *driver_; }
    vring_packed_desc_event &device_event() { return *device_; }
    uint16_t next_slot() const { return next_; }
    bool avail_wrap() const { return avail_wrap_; }
    // Makes these descriptors available as they are, AVAIL and USED apart; the
    // slots count for the last one's id. @slots: how many the device skips.
    void raw_add(std::span<const vring_packed_desc> descs, int slots = -1);
    void raw_add(std::initializer_list<vring_packed_desc> descs, int slots = -1)
    {
        raw_add(std::span(descs.begin(), descs.size()), slots);
    }
    // AVAIL and USED bits of a descriptor that is made available now.
    uint16_t avail_flags() const;
    // An id that no request has; it is not freed when it comes back.
    uint16_t spare_id() const { return static_cast<uint16_t>(num_ - 1); }

private:
    void advance(uint16_t slots);

    vring_packed_desc *desc_;
    vring_packed_desc_event *driver_;
    vring_packed_desc_event *device_;
    std::vector<uint16_t> ids_;    // free ids
    std::vector<uint16_t> length_; // slots of a request, by id
    std::vector<bool> raw_;        // the id belongs to a raw request
    uint16_t next_ = 0;
    bool avail_wrap_ = true;
    uint16_t added_ = 0; // slots since kick_wanted()
    uint16_t last_used_ = 0;
    bool used_wrap_ = true;
};

} // namespace dh
