// SPDX-License-Identifier: Apache-2.0
#include "can_rig.hpp"

#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "measure.hpp"

namespace dh::bench {

namespace {

// Allowed by the last of the typical policy's rules.
constexpr uint32_t identifier = 0x123;
constexpr uint16_t queue_size = 256;

void expect(bool condition, const char *what)
{
    if (!condition) {
        throw std::runtime_error(what);
    }
}

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

DriverQueue::DriverQueue(Queue &queue, GuestMemory &memory, bool transmit,
                         std::function<void()> device)
    : queue_(queue),
      transmit_(transmit),
      device_(std::move(device)),
      slots_(batch),
      slot_of_(queue.num())
{
    for (auto &slot : slots_) {
        const uint64_t where = memory.alloc(sizeof(can::Header) + 64 + 16);
        if (transmit) {
            *memory.as<can::Header>(where) = {can::msg_tx, 8, 0, 0, 0, 0, identifier};
            slot = {Buffer{where, sizeof(can::Header) + 8, false},
                    Buffer{where + sizeof(can::Header) + 8, 1, true}};
        } else {
            slot[0] = {where, sizeof(can::Header) + 64, true};
        }
    }
}

void DriverQueue::add(unsigned slot)
{
    const int id = queue_.add(std::span(slots_[slot].data(), transmit_ ? 2 : 1));
    expect(id >= 0, "the queue is full");
    slot_of_[static_cast<unsigned>(id)] = slot;
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

void DriverQueue::transmit(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        add(next_++ % batch);
    }
    if (queue_.kick_wanted()) {
        queue_.kick();
    }
    if (device_) {
        device_();
    }
    Used used{};
    for (unsigned done = 0; done < count;) {
        wait();
        while (queue_.take(used)) {
            expect(used.length == 1, "a request came back unserved");
            done++;
        }
    }
}

void DriverQueue::fill()
{
    for (unsigned i = 0; i < batch; i++) {
        add(i);
    }
    if (queue_.kick_wanted()) {
        queue_.kick();
    }
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
        expect(used.length == sizeof(can::Header) + 8, "not the frame that was sent");
        add(slot_of_[used.id]);
        taken++;
    }
    if (queue_.kick_wanted()) {
        queue_.kick();
    }
    return taken;
}

void DriverQueue::receive(unsigned count)
{
    for (unsigned done = 0; done < count;) {
        done += receive_some();
    }
}

BareRing::BareRing(RingKind kind, bool transmit)
    : memory_(1 << 20), transmit_(transmit), scratch_call_(eventfd(0, EFD_CLOEXEC)), scratch_(65536)
{
    memory_.add(Guest::ram_base, 1 << 20, 0);
    queue_ = Queue::create(kind, memory_, {queue_size, true});
    driver_ = std::make_unique<DriverQueue>(*queue_, memory_, transmit, [this] {
        complete(false);
        if (rehearse_) {
            complete(true);
        }
    });
    if (!transmit) {
        driver_->fill();
    }
}

// What a device writes for the next count_ requests, and its interrupt.
void BareRing::complete(bool rehearse)
{
    const uint32_t length = transmit_ ? 1 : sizeof(can::Header) + 8;
    uint16_t at = done_;
    bool wrap = wrap_;
    if (auto *split = dynamic_cast<SplitQueue *>(queue_.get())) {
        vring_used &used =
            rehearse ? *reinterpret_cast<vring_used *>(scratch_.data()) : split->used();
        for (unsigned i = 0; i < count_; i++, at++) {
            used.ring[at % queue_size] = {split->avail().ring[at % queue_size], length};
            __atomic_store_n(&used.idx, static_cast<uint16_t>(at + 1), __ATOMIC_RELEASE);
        }
        if (transmit_ && !rehearse) {
            split->avail_event() = at;
        }
    } else {
        auto &packed = dynamic_cast<PackedQueue &>(*queue_);
        auto *scratch = reinterpret_cast<vring_packed_desc *>(scratch_.data());
        for (unsigned i = 0; i < count_; i++) {
            vring_packed_desc &desc = rehearse ? scratch[at] : packed.desc(at);
            desc.id = packed.desc(at).id;
            desc.len = length;
            __atomic_store_n(&desc.flags, static_cast<uint16_t>(wrap ? 0x8080 : 0),
                             __ATOMIC_RELEASE);
            at += transmit_ ? 2 : 1;
            if (at >= queue_size) {
                at -= queue_size;
                wrap = !wrap;
            }
        }
        if (transmit_ && !rehearse) {
            packed.device_event() = {static_cast<uint16_t>(at | (wrap ? 0x8000 : 0)),
                                     VRING_PACKED_EVENT_FLAG_DESC};
        } else if (!rehearse) {
            packed.device_event() = {0, VRING_PACKED_EVENT_FLAG_DISABLE};
        }
    }
    const uint64_t one = 1;
    expect(write(rehearse ? scratch_call_.get() : queue_->call_fd(), &one, sizeof(one)) ==
               sizeof(one),
           "interrupt");
    // What is rehearsed is what was just done.
    if (rehearse || !rehearse_) {
        done_ = at;
        wrap_ = wrap;
    }
}

double BareRing::cost(unsigned count)
{
    count_ = count;
    const unsigned rounds = 200;
    auto loop = [&] {
        for (unsigned i = 0; i < rounds; i++) {
            if (transmit_) {
                driver_->transmit(count_);
            } else {
                driver_->receive(count_);
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
