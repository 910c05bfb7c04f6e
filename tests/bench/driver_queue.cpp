// SPDX-License-Identifier: Apache-2.0
#include "driver_queue.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "measure.hpp"

namespace dh::bench {

DriverQueue::DriverQueue(Queue &queue, Requests requests, std::function<void()> device)
    : queue_(queue),
      requests_(std::move(requests)),
      device_(std::move(device)),
      slot_of_(queue.num())
{
}

void DriverQueue::add(unsigned slot)
{
    const int id = queue_.add(requests_.pieces[slot]);
    expect(id >= 0, "the queue is full");
    slot_of_[static_cast<unsigned>(id)] = slot;
}

void DriverQueue::kick()
{
    if (!requests_.polled && queue_.kick_wanted()) {
        queue_.kick();
    }
}

// Blocks in read() as a vCPU does in its halt, until the device interrupts. On
// a bare ring the interrupt is there already, and is read all the same.
void DriverQueue::wait()
{
    bool bare = static_cast<bool>(device_);
    for (;;) {
        queue_.interrupts(true);
        if (queue_.ready() && !bare) {
            return;
        }
        bare = false;
        uint64_t count = 0;
        expect(read(queue_.call_fd(), &count, sizeof(count)) == sizeof(count), "interrupt");
    }
}

void DriverQueue::call(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        add(next_++ % requests_.pieces.size());
    }
    kick();
    if (device_) {
        device_();
    }
    Used used{};
    for (unsigned done = 0; done < count;) {
        wait();
        while (queue_.take(used)) {
            expect(used.length == requests_.written, "a request came back unserved");
            done++;
        }
    }
}

void DriverQueue::fill()
{
    for (unsigned i = 0; i < requests_.pieces.size(); i++) {
        add(i);
    }
    kick();
}

unsigned DriverQueue::receive_some()
{
    if (device_) {
        device_();
    }
    wait();
    Used used{};
    unsigned taken = 0;
    while (queue_.take(used)) {
        expect(used.length == requests_.written, "not what was to be expected");
        add(slot_of_[used.id]);
        taken++;
    }
    kick();
    return taken;
}

void DriverQueue::receive(unsigned count)
{
    for (unsigned done = 0; done < count;) {
        done += receive_some();
    }
}

BareRing::BareRing(RingKind kind, uint16_t size,
                   const std::function<Requests(GuestMemory &)> &layout)
    : memory_(1 << 20), scratch_call_(eventfd(0, EFD_CLOEXEC)), scratch_(65536)
{
    memory_.add(Guest::ram_base, 1 << 20, 0);
    queue_ = Queue::create(kind, memory_, {size, true});
    requests_ = layout(memory_);
    driver_ = std::make_unique<DriverQueue>(*queue_, requests_, [this] {
        complete(false);
        if (rehearse_) {
            complete(true);
        }
    });
    if (requests_.supplied) {
        driver_->fill();
    }
}

void BareRing::complete_split(SplitQueue &queue, bool rehearse)
{
    const uint16_t size = queue.num();
    vring_used &used = rehearse ? *reinterpret_cast<vring_used *>(scratch_.data()) : queue.used();
    uint16_t at = done_;
    for (unsigned i = 0; i < count_; i++, at++) {
        used.ring[at % size] = {queue.avail().ring[at % size], requests_.written};
        __atomic_store_n(&used.idx, static_cast<uint16_t>(at + 1), __ATOMIC_RELEASE);
    }
    if (requests_.heard && !rehearse) {
        queue.avail_event() = queue.next_avail();
    }
    // What is rehearsed is what was just done.
    if (rehearse || !rehearse_) {
        done_ = at;
    }
}

void BareRing::complete_packed(PackedQueue &queue, bool rehearse)
{
    auto *scratch = reinterpret_cast<vring_packed_desc *>(scratch_.data());
    uint16_t at = done_;
    bool wrap = wrap_;
    for (unsigned i = 0; i < count_; i++) {
        vring_packed_desc &desc = rehearse ? scratch[at] : queue.desc(at);
        desc.id = queue.desc(at).id;
        desc.len = requests_.written;
        __atomic_store_n(&desc.flags, static_cast<uint16_t>(wrap ? 0x8080 : 0), __ATOMIC_RELEASE);
        at += static_cast<uint16_t>(requests_.pieces[0].size());
        if (at >= queue.num()) {
            at -= queue.num();
            wrap = !wrap;
        }
    }
    if (requests_.heard && !rehearse) {
        queue.device_event() = {
            static_cast<uint16_t>(queue.next_slot() | (queue.avail_wrap() ? 0x8000 : 0)),
            VRING_PACKED_EVENT_FLAG_DESC};
    } else if (!rehearse) {
        queue.device_event() = {0, VRING_PACKED_EVENT_FLAG_DISABLE};
    }
    if (rehearse || !rehearse_) {
        done_ = at;
        wrap_ = wrap;
    }
}

// What a device writes for the next count_ requests, and its interrupt.
void BareRing::complete(bool rehearse)
{
    if (auto *split = dynamic_cast<SplitQueue *>(queue_.get())) {
        complete_split(*split, rehearse);
    } else {
        complete_packed(dynamic_cast<PackedQueue &>(*queue_), rehearse);
    }
    const uint64_t one = 1;
    expect(write(rehearse ? scratch_call_.get() : queue_->call_fd(), &one, sizeof(one)) ==
               sizeof(one),
           "interrupt");
}

double BareRing::cost(unsigned count)
{
    count_ = count;
    const unsigned rounds = 200;
    auto loop = [&] {
        for (unsigned i = 0; i < rounds; i++) {
            if (requests_.supplied) {
                driver_->receive(count_);
            } else {
                driver_->call(count_);
            }
        }
    };
    rehearse_ = false;
    const double once = per_frame(rounds * count, loop);
    rehearse_ = true;
    const double twice = per_frame(rounds * count, loop);
    rehearse_ = false;
    return once - (twice - once);
}

double BareRing::round_trip()
{
    const double driver = cost(1);
    const unsigned rounds = 2000;
    DriverQueue caller(*queue_, requests_);
    fcntl(queue_->kick_fd(), F_SETFL, 0); // it blocks as the worker does
    bool stop = false;
    std::thread device([&] {
        uint64_t kicks = 0;
        while (read(queue_->kick_fd(), &kicks, sizeof(kicks)) == sizeof(kicks) && !stop) {
            complete(false);
        }
    });
    const double both = per_frame(rounds, [&] {
        for (unsigned i = 0; i < rounds; i++) {
            caller.call(1);
        }
    });
    stop = true;
    queue_->kick();
    device.join();
    return both - driver;
}

} // namespace dh::bench
