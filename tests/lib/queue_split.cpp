// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "queue.hpp"
#include "shared.hpp"

namespace dh {

namespace {

bool need_event(uint16_t event, uint16_t now, uint16_t before)
{
    return static_cast<uint16_t>(now - event - 1) < static_cast<uint16_t>(now - before);
}

} // namespace

SplitQueue::SplitQueue(GuestMemory &memory, QueueSetup setup)
    : Queue(memory, setup), next_(setup.num), length_(setup.num)
{
    desc_addr_ = memory.alloc(sizeof(vring_desc) * num_, 16);
    driver_addr_ = memory.alloc(2 * (3 + num_), 4);
    device_addr_ = memory.alloc(6 + sizeof(vring_used_elem) * num_, 16);
    desc_ = memory.as<vring_desc>(desc_addr_);
    avail_ = memory.as<vring_avail>(driver_addr_);
    used_ = memory.as<vring_used>(device_addr_);
    reset();
}

void SplitQueue::reset()
{
    std::fill_n(desc_, num_, vring_desc{});
    std::fill_n(reinterpret_cast<uint8_t *>(avail_), 2 * (3 + num_), 0);
    std::fill_n(reinterpret_cast<uint8_t *>(used_), 6 + sizeof(vring_used_elem) * num_, 0);
    for (uint16_t i = 0; i < num_; i++) {
        next_[i] = i + 1;
        length_[i] = 0;
    }
    free_ = num_;
    free_head_ = 0;
    next_avail_ = kicked_ = last_used_ = start_;
    avail_->idx = used_->idx = start_;
    interrupts_seen();
}

void SplitQueue::start_at(uint16_t index)
{
    start_ = index;
    reset();
}

int SplitQueue::add(std::span<const Buffer> buffers, uint64_t table)
{
    const uint16_t slots = table ? 1 : static_cast<uint16_t>(buffers.size());
    if (slots > free_ || buffers.empty()) {
        return -1;
    }

    const uint16_t head = free_head_;
    uint16_t slot = head;
    if (table) {
        auto *entry = memory_.as<vring_desc>(table);
        for (size_t i = 0; i < buffers.size(); i++) {
            bool last = i + 1 == buffers.size();
            entry[i] = {buffers[i].addr, buffers[i].length,
                        static_cast<uint16_t>((buffers[i].writable ? VRING_DESC_F_WRITE : 0) |
                                              (last ? 0 : VRING_DESC_F_NEXT)),
                        static_cast<uint16_t>(last ? 0 : i + 1)};
        }
        desc_[slot] = {table, static_cast<uint32_t>(buffers.size() * sizeof(vring_desc)),
                       VRING_DESC_F_INDIRECT, 0};
        slot = next_[slot];
    } else {
        for (size_t i = 0; i < buffers.size(); i++) {
            bool last = i + 1 == buffers.size();
            desc_[slot] = {buffers[i].addr, buffers[i].length,
                           static_cast<uint16_t>((buffers[i].writable ? VRING_DESC_F_WRITE : 0) |
                                                 (last ? 0 : VRING_DESC_F_NEXT)),
                           static_cast<uint16_t>(last ? 0 : next_[slot])};
            slot = next_[slot];
        }
    }
    free_head_ = slot;
    free_ -= slots;
    length_[head] = slots;
    publish(head);
    return head;
}

void SplitQueue::publish(uint16_t head)
{
    avail_->ring[next_avail_ & (num_ - 1)] = head;
    store(avail_->idx, ++next_avail_);
}

void SplitQueue::raw_add(uint16_t head)
{
    publish(head);
}

void SplitQueue::raw_index(uint16_t index)
{
    next_avail_ = index;
    store(avail_->idx, index);
}

bool SplitQueue::kick_wanted()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    const uint16_t before = kicked_;
    kicked_ = next_avail_;
    if (event_idx_) {
        auto *event = reinterpret_cast<uint16_t *>(&used_->ring[num_]);
        return need_event(load(*event), next_avail_, before);
    }
    return !(load(used_->flags) & VRING_USED_F_NO_NOTIFY);
}

bool SplitQueue::ready() const
{
    return load(used_->idx) != last_used_;
}

bool SplitQueue::take(Used &used)
{
    if (!ready()) {
        return false;
    }
    const vring_used_elem element = used_->ring[last_used_++ & (num_ - 1)];
    used = {static_cast<uint16_t>(element.id), element.len};
    if (element.id >= num_) {
        throw tap::Failure("the device returned a request that cannot be");
    }
    if (uint16_t slots = length_[used.id]) {
        length_[used.id] = 0;
        uint16_t last = used.id;
        for (uint16_t i = 1; i < slots; i++) {
            last = next_[last];
        }
        next_[last] = free_head_;
        free_head_ = used.id;
        free_ += slots;
    }
    return true;
}

void SplitQueue::interrupts(bool on)
{
    if (event_idx_) {
        store(avail_->ring[num_], on ? last_used_ : static_cast<uint16_t>(last_used_ - 1));
    } else {
        store(avail_->flags, on ? 0 : VRING_AVAIL_F_NO_INTERRUPT);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

} // namespace dh
