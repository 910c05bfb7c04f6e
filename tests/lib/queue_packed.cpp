// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "queue.hpp"
#include "shared.hpp"

namespace dh {

namespace {

constexpr uint16_t flag_avail = 1u << VRING_PACKED_DESC_F_AVAIL;
constexpr uint16_t flag_used = 1u << VRING_PACKED_DESC_F_USED;

} // namespace

PackedQueue::PackedQueue(GuestMemory &memory, QueueSetup setup)
    : Queue(memory, setup), length_(setup.num), raw_(setup.num)
{
    desc_addr_ = memory.alloc(sizeof(vring_packed_desc) * num_, 16);
    driver_addr_ = memory.alloc(sizeof(vring_packed_desc_event), 4);
    device_addr_ = memory.alloc(sizeof(vring_packed_desc_event), 4);
    desc_ = memory.as<vring_packed_desc>(desc_addr_);
    driver_ = memory.as<vring_packed_desc_event>(driver_addr_);
    device_ = memory.as<vring_packed_desc_event>(device_addr_);
    ids_.reserve(num_);
    reset();
}

void PackedQueue::reset()
{
    std::fill_n(desc_, num_, vring_packed_desc{});
    *driver_ = {};
    *device_ = {};
    ids_.clear();
    // The last id stays for raw requests.
    for (uint16_t id = num_ - 1; id-- > 0;) {
        ids_.push_back(id);
    }
    std::fill(length_.begin(), length_.end(), 0);
    std::fill(raw_.begin(), raw_.end(), false);
    free_ = num_;
    next_ = last_used_ = added_ = 0;
    avail_wrap_ = used_wrap_ = true;
    interrupts_seen();
}

uint16_t PackedQueue::avail_flags() const
{
    return avail_wrap_ ? flag_avail : flag_used;
}

void PackedQueue::advance(uint16_t slots)
{
    next_ += slots;
    added_ += slots;
    if (next_ >= num_) {
        next_ -= num_;
        avail_wrap_ = !avail_wrap_;
    }
}

int PackedQueue::add(std::span<const Buffer> buffers, uint64_t table)
{
    const uint16_t slots = table ? 1 : static_cast<uint16_t>(buffers.size());
    if (slots > free_ || buffers.empty() || ids_.empty()) {
        return -1;
    }

    const uint16_t id = ids_.back();
    ids_.pop_back();
    vring_packed_desc &head = desc_[next_];
    uint16_t head_flags = avail_flags();
    if (table) {
        auto *entry = memory_.as<vring_packed_desc>(table);
        for (size_t i = 0; i < buffers.size(); i++) {
            entry[i] = {buffers[i].addr, buffers[i].length, 0,
                        static_cast<uint16_t>(buffers[i].writable ? VRING_DESC_F_WRITE : 0)};
        }
        head.addr = table;
        head.len = static_cast<uint32_t>(buffers.size() * sizeof(vring_packed_desc));
        head.id = id;
        head_flags |= VRING_DESC_F_INDIRECT;
        advance(1);
    } else {
        for (size_t i = 0; i < buffers.size(); i++) {
            vring_packed_desc &slot = desc_[next_];
            uint16_t flags = avail_flags();
            if (buffers[i].writable) {
                flags |= VRING_DESC_F_WRITE;
            }
            if (i + 1 < buffers.size()) {
                flags |= VRING_DESC_F_NEXT;
            }
            slot.addr = buffers[i].addr;
            slot.len = buffers[i].length;
            slot.id = id;
            if (i) {
                slot.flags = flags;
            } else {
                head_flags = flags;
            }
            advance(1);
        }
    }
    free_ -= slots;
    length_[id] = slots;
    raw_[id] = false;
    store(head.flags, head_flags);
    return id;
}

void PackedQueue::raw_add(std::span<const vring_packed_desc> descs, int slots)
{
    vring_packed_desc &head = desc_[next_];
    uint16_t head_flags = 0;
    uint16_t id = 0;
    for (size_t i = 0; i < descs.size(); i++) {
        vring_packed_desc &slot = desc_[next_];
        uint16_t flags = descs[i].flags | avail_flags();
        slot.addr = descs[i].addr;
        slot.len = descs[i].len;
        slot.id = id = descs[i].id;
        if (i) {
            slot.flags = flags;
        } else {
            head_flags = flags;
        }
        advance(1);
    }
    uint16_t count = static_cast<uint16_t>(slots < 0 ? static_cast<int>(descs.size()) : slots);
    if (id < num_) {
        length_[id] = count;
        raw_[id] = true;
    }
    free_ -= std::min(free_, static_cast<uint16_t>(descs.size()));
    store(head.flags, head_flags);
}

bool PackedQueue::kick_wanted()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    const uint16_t before = next_ - added_;
    added_ = 0;
    const uint16_t flags = load(device_->flags) & 3;
    if (flags != VRING_PACKED_EVENT_FLAG_DESC) {
        return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
    }

    const uint16_t off_wrap = load(device_->off_wrap);
    uint16_t event = off_wrap & 0x7fff;
    if (static_cast<bool>(off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR) != avail_wrap_) {
        event -= num_;
    }
    return static_cast<uint16_t>(next_ - event - 1) < static_cast<uint16_t>(next_ - before);
}

bool PackedQueue::ready() const
{
    const uint16_t flags = load(desc_[last_used_].flags);
    const bool avail = flags & flag_avail;
    const bool used = flags & flag_used;
    return avail == used && used == used_wrap_;
}

bool PackedQueue::take(Used &used)
{
    if (!ready()) {
        return false;
    }
    const vring_packed_desc &slot = desc_[last_used_];
    used = {slot.id, slot.len};
    if (used.id >= num_ || !length_[used.id]) {
        throw tap::Failure("the device returned a request that it was not given");
    }
    const uint16_t slots = std::exchange(length_[used.id], 0);
    if (!raw_[used.id]) {
        ids_.push_back(used.id);
    }
    free_ = std::min<uint16_t>(num_, free_ + slots);
    last_used_ += slots;
    if (last_used_ >= num_) {
        last_used_ -= num_;
        used_wrap_ = !used_wrap_;
    }
    return true;
}

void PackedQueue::interrupts(bool on)
{
    if (event_idx_ && on) {
        driver_->off_wrap = static_cast<uint16_t>(
            last_used_ | (used_wrap_ ? 1u << VRING_PACKED_EVENT_F_WRAP_CTR : 0));
        store(driver_->flags, VRING_PACKED_EVENT_FLAG_DESC);
    } else {
        store(driver_->flags,
              on ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

} // namespace dh
