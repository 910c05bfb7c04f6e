// SPDX-License-Identifier: Apache-2.0
#include "driver.hpp"

#include <algorithm>
#include <utility>

Driver::Driver(Guest &guest, const Config &config) : guest_(guest), config_(config)
{
    const size_t n = config.num;

    desc_iova = guest.add(16 * n);
    // Without the event index no driver needs to have its bytes.
    const size_t event = config.event_idx ? 2 : 0;
    driver_iova = guest.add(config.packed ? 4 : 4 + 2 * n + event);
    device_iova = guest.add(config.packed ? 4 : 4 + 8 * n + event);
}

void Driver::put(uint64_t table, uint32_t index, const RawDesc &desc)
{
    std::vector<uint8_t> bytes(16);
    std::memcpy(bytes.data(), &desc.addr, 8);
    std::memcpy(bytes.data() + 8, &desc.len, 4);
    std::memcpy(bytes.data() + 12, &desc.a, 2);
    std::memcpy(bytes.data() + 14, &desc.b, 2);
    guest_.write(table + uint64_t{16} * index, bytes);
}

RawDesc Driver::peek(uint64_t table, uint32_t index)
{
    const auto bytes = guest_.read(table + uint64_t{16} * index, 16);
    RawDesc desc;
    std::memcpy(&desc.addr, bytes.data(), 8);
    std::memcpy(&desc.len, bytes.data() + 8, 4);
    std::memcpy(&desc.a, bytes.data() + 12, 2);
    std::memcpy(&desc.b, bytes.data() + 14, 2);
    return desc;
}

void Driver::write_table(const Buffer &buffer, bool packed)
{
    const size_t n = buffer.descriptors();

    for (size_t i = 0; i < n; i++) {
        const bool write = i >= buffer.out.size();
        const Segment &segment = write ? buffer.in[i - buffer.out.size()] : buffer.out[i];
        uint16_t flags = write ? desc_write : 0;

        if (packed) {
            put(buffer.table, i, {segment.addr, segment.len, 0xdead, flags});
            continue;
        }
        if (i + 1 < n) {
            flags |= desc_next;
        }
        put(buffer.table, i, {segment.addr, segment.len, flags, static_cast<uint16_t>(i + 1)});
    }
}

SplitDriver::SplitDriver(Guest &guest, const Config &config)
    : Driver(guest, config), held_(config.num), avail_(config.start), kicked_(avail_), used_(avail_)
{
    // A driver that reuses them out of order finds more.
    for (uint32_t i = 0; i < config.num; i++) {
        free_.push_back(i);
    }
    std::shuffle(free_.begin(), free_.end(), std::mt19937{3});
    store<uint16_t>(driver_area() + 2, avail_);
    store<uint16_t>(device_area() + 2, used_);
}

std::optional<uint16_t> SplitDriver::add(const Buffer &buffer)
{
    const size_t n = buffer.table != 0 ? 1 : buffer.descriptors();
    if (free_.size() < n) {
        return std::nullopt;
    }

    std::vector<uint16_t> slots(free_.end() - static_cast<ptrdiff_t>(n), free_.end());
    free_.resize(free_.size() - n);
    if (buffer.table != 0) {
        write_table(buffer, false);
        put(desc_iova, slots[0],
            {buffer.table, static_cast<uint32_t>(16 * buffer.descriptors()), desc_indirect, 0});
    } else {
        for (size_t i = 0; i < n; i++) {
            const bool write = i >= buffer.out.size();
            const Segment &segment = write ? buffer.in[i - buffer.out.size()] : buffer.out[i];
            uint16_t flags = write ? desc_write : 0;
            if (i + 1 < n) {
                flags |= desc_next;
            }
            put(desc_iova, slots[i],
                {segment.addr, segment.len, flags, i + 1 < n ? slots[i + 1] : uint16_t{0xffff}});
        }
    }
    const uint16_t head = slots[0];
    held_[head] = std::move(slots);
    push_head(head);
    return head;
}

uint16_t SplitDriver::add_raw(const std::vector<RawSegment> &chain)
{
    const size_t n = chain.size();
    std::vector<uint16_t> slots(free_.end() - static_cast<ptrdiff_t>(n), free_.end());

    free_.resize(free_.size() - n);
    for (size_t i = 0; i < n; i++) {
        const bool last = i + 1 == n;
        put(desc_iova, slots[i],
            {chain[i].addr, chain[i].len,
             static_cast<uint16_t>(chain[i].flags | (last ? 0 : desc_next)),
             last ? uint16_t{0} : slots[i + 1]});
    }
    const uint16_t head = slots[0];
    held_[head] = std::move(slots);
    push_head(head);
    return head;
}

void SplitDriver::push_head(uint16_t head)
{
    store<uint16_t>(driver_area() + 4 + 2 * (avail_ % config_.num), head);
    set_avail_idx(avail_ + 1);
}

void SplitDriver::set_avail_idx(uint16_t idx)
{
    avail_ = idx;
    store<uint16_t>(driver_area() + 2, avail_);
}

Used SplitDriver::used_elem(uint16_t index)
{
    const uint8_t *elem = device_area() + 4 + 8 * (index % config_.num);
    return {static_cast<uint16_t>(load<uint32_t>(elem)), load<uint32_t>(elem + 4)};
}

bool SplitDriver::more() const
{
    return used_idx() != used_;
}

std::optional<Used> SplitDriver::get()
{
    if (!more()) {
        return std::nullopt;
    }
    const Used used = used_elem(used_++);
    consumed_++;
    if (used.token < held_.size()) {
        auto &held = held_[used.token];
        free_.insert(free_.end(), held.begin(), held.end());
        held.clear();
    }
    return used;
}

bool SplitDriver::kick()
{
    const uint16_t from = std::exchange(kicked_, avail_);

    full_barrier();
    if (!config_.event_idx) {
        return (load<uint16_t>(device_area()) & 1) == 0;
    }
    const auto event = load<uint16_t>(device_area() + 4 + 8 * config_.num);
    for (uint16_t i = from; i != avail_; i++) {
        if (i == event) {
            return true;
        }
    }
    return false;
}

void SplitDriver::disable_callbacks()
{
    event_.reset();
    if (!config_.event_idx) {
        store<uint16_t>(driver_area(), 1);
    }
}

void SplitDriver::enable_callbacks(uint32_t ahead)
{
    if (config_.event_idx) {
        event_ = consumed_ + ahead;
        store<uint16_t>(driver_area() + 4 + 2 * config_.num, used_ + ahead);
    } else {
        store<uint16_t>(driver_area(), 0);
    }
    full_barrier();
}

PackedDriver::PackedDriver(Guest &guest, const Config &config)
    : Driver(guest, config),
      slots_(config.num),
      avail_(config.start),
      kicked_(avail_),
      used_(avail_)
{
    for (uint32_t i = 0; i < config.num; i++) {
        ids_.push_back(i);
    }
    std::shuffle(ids_.begin(), ids_.end(), rng_);
    // What the laps before left: everything used, in the lap it was used in.
    for (uint64_t pos = 0; config.start != 0 && pos < config.num; pos++) {
        const bool lap = pos < index(avail_) ? wrap(avail_) : !wrap(avail_);
        put(desc_iova, pos, {0, 0, 0, static_cast<uint16_t>(lap ? desc_avail | desc_used : 0)});
    }
}

uint16_t PackedDriver::marks(uint64_t pos) const
{
    return wrap(pos) ? desc_avail : desc_used;
}

void PackedDriver::push_raw(const std::vector<RawDesc> &chain, bool with_marks)
{
    uint8_t *first = desc_area() + 16 * index(avail_) + 14;
    uint16_t first_flags = 0;

    for (size_t i = 0; i < chain.size(); i++) {
        RawDesc desc = chain[i];
        if (with_marks) {
            desc.b |= marks(avail_ + i);
        }
        if (i == 0) {
            first_flags = desc.b;
            desc.b = load<uint16_t>(first);
        }
        put(desc_iova, index(avail_ + i), desc);
    }
    store<uint16_t>(first, first_flags);
    avail_ += chain.size();
}

std::optional<uint16_t> PackedDriver::add(const Buffer &buffer)
{
    const size_t n = buffer.table != 0 ? 1 : buffer.descriptors();
    if (room() < n) {
        return std::nullopt;
    }

    const uint16_t id = ids_.back();
    ids_.pop_back();
    slots_[id] = n;
    std::vector<RawDesc> chain;
    if (buffer.table != 0) {
        write_table(buffer, true);
        chain.push_back(
            {buffer.table, static_cast<uint32_t>(16 * buffer.descriptors()), id, desc_indirect});
    }
    for (size_t i = 0; buffer.table == 0 && i < n; i++) {
        const bool write = i >= buffer.out.size();
        const Segment &segment = write ? buffer.in[i - buffer.out.size()] : buffer.out[i];
        uint16_t flags = write ? desc_write : 0;
        if (i + 1 < n) {
            flags |= desc_next;
        }
        // Only the last one's id counts.
        chain.push_back(
            {segment.addr, segment.len, i + 1 < n ? static_cast<uint16_t>(rng_()) : id, flags});
    }
    push_raw(chain);
    return id;
}

uint16_t PackedDriver::add_raw(const std::vector<RawSegment> &chain)
{
    const uint16_t id = ids_.back();
    std::vector<RawDesc> descs;

    ids_.pop_back();
    slots_[id] = chain.size();
    for (size_t i = 0; i < chain.size(); i++) {
        descs.push_back(
            {chain[i].addr, chain[i].len, id,
             static_cast<uint16_t>(chain[i].flags | (i + 1 < chain.size() ? desc_next : 0))});
    }
    push_raw(descs);
    return id;
}

bool PackedDriver::more() const
{
    if (avail_ == used_) {
        return false;
    }
    const auto flags = load<uint16_t>(desc_area() + 16 * index(used_) + 14);
    return ((flags & desc_avail) != 0) == wrap(used_) && ((flags & desc_used) != 0) == wrap(used_);
}

std::optional<Used> PackedDriver::get()
{
    if (!more()) {
        return std::nullopt;
    }
    const RawDesc desc = peek(desc_iova, index(used_));
    const uint16_t id = desc.a;
    // Without WRITE the length is reserved.
    const Used used{id, (desc.b & desc_write) != 0 ? desc.len : 0};
    if (id < slots_.size() && slots_[id] != 0) {
        used_ += slots_[id];
        consumed_ += slots_[id];
        slots_[id] = 0;
        ids_.insert(ids_.begin() + static_cast<ptrdiff_t>(rng_() % (ids_.size() + 1)), id);
    }
    return used;
}

bool PackedDriver::kick()
{
    const uint64_t from = std::exchange(kicked_, avail_);

    full_barrier();
    const auto event = load<uint32_t>(device_area());
    switch (event >> 16) {
    case 0:
        return true;
    case 1:
        return false;
    case 2:
        if (!config_.event_idx) {
            throw std::logic_error("the device uses an event index that was not negotiated");
        }
        break;
    default:
        throw std::logic_error("the device writes reserved event flags");
    }
    for (uint64_t pos = from; pos != avail_; pos++) {
        if (index(pos) == (event & 0x7fff) && wrap(pos) == ((event & 0x8000) != 0)) {
            return true;
        }
    }
    return false;
}

void PackedDriver::disable_callbacks()
{
    event_.reset();
    store<uint32_t>(driver_area(), 1 << 16);
}

void PackedDriver::enable_callbacks(uint32_t ahead)
{
    if (config_.event_idx) {
        const uint64_t pos = used_ + ahead;
        event_ = consumed_ + ahead;
        store<uint32_t>(driver_area(), 2 << 16 | (wrap(pos) ? 0x8000 : 0) | index(pos));
    } else {
        store<uint32_t>(driver_area(), 0);
    }
    full_barrier();
}

std::unique_ptr<Driver> make_driver(Guest &guest, const Config &config)
{
    if (config.packed) {
        return std::make_unique<PackedDriver>(guest, config);
    }
    return std::make_unique<SplitDriver>(guest, config);
}
