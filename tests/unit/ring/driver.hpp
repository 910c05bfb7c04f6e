// SPDX-License-Identifier: Apache-2.0
// The driver's side of a virtqueue, written from the specification for tests:
// simple, exact, with counters that never wrap.
#pragma once

#include "guest.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <vector>

struct Config {
    bool packed = false;
    bool event_idx = false;
    bool indirect = false;
    uint16_t num = 16;
    /// Entries that passed before: indices of the split ring begin there.
    uint32_t start = 0;
};

struct Segment {
    uint64_t addr = 0;
    uint32_t len = 0;
};

/// A descriptor with any flags.
struct RawSegment {
    uint64_t addr = 0;
    uint32_t len = 0;
    uint16_t flags = 0;
};

/// What a driver makes available at once.
struct Buffer {
    std::vector<Segment> out;
    std::vector<Segment> in;
    /// Where an indirect table goes; 0: descriptors lie in the ring.
    uint64_t table = 0;

    [[nodiscard]] size_t descriptors() const { return out.size() + in.size(); }
};

struct Used {
    uint16_t token = 0;
    uint32_t len = 0;
};

/// One descriptor as it lies in memory.
struct RawDesc {
    uint64_t addr = 0;
    uint32_t len = 0;
    uint16_t a = 0; // split: flags, packed: id
    uint16_t b = 0; // split: next, packed: flags
};

constexpr uint16_t desc_next = 1;
constexpr uint16_t desc_write = 2;
constexpr uint16_t desc_indirect = 4;
constexpr uint16_t desc_avail = 1 << 7;
constexpr uint16_t desc_used = 1 << 15;

/// Shared memory that the device may access at the same time.
template <typename T>
T load(const uint8_t *at)
{
    return __atomic_load_n(reinterpret_cast<const T *>(at), __ATOMIC_ACQUIRE);
}

template <typename T>
void store(uint8_t *at, T value)
{
    __atomic_store_n(reinterpret_cast<T *>(at), value, __ATOMIC_RELEASE);
}

inline void full_barrier()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

class Driver {
public:
    Driver(Guest &guest, const Config &config);
    virtual ~Driver() = default;
    Driver(const Driver &) = delete;
    Driver &operator=(const Driver &) = delete;

    /// Make a buffer available; nothing where the ring has no room for it.
    virtual std::optional<uint16_t> add(const Buffer &buffer) = 0;
    /// The next used buffer.
    virtual std::optional<Used> get() = 0;
    [[nodiscard]] virtual bool more() const = 0;
    /// Whether what was added since the last call needs a kick.
    virtual bool kick() = 0;
    virtual void disable_callbacks() = 0;
    /// Ask for a notification once @ahead more than the next entry are used.
    virtual void enable_callbacks(uint32_t ahead) = 0;
    /// Make descriptors available as they are; NEXT is added to all but the last.
    virtual uint16_t add_raw(const std::vector<RawSegment> &chain) = 0;
    /// Entries that are free.
    [[nodiscard]] virtual uint32_t room() const = 0;
    /// The event position that the driver asked for, in entries since the start.
    [[nodiscard]] std::optional<uint64_t> event() const { return event_; }
    /// Entries consumed from the device so far.
    [[nodiscard]] uint64_t consumed() const { return consumed_; }
    [[nodiscard]] uint32_t outstanding() const { return config_.num - room(); }

    /// Write a descriptor by hand.
    void put(uint64_t table, uint32_t index, const RawDesc &desc);
    RawDesc peek(uint64_t table, uint32_t index);

    /// Guest addresses of the areas.
    uint64_t desc_iova = 0;
    uint64_t driver_iova = 0;
    uint64_t device_iova = 0;

protected:
    void write_table(const Buffer &buffer, bool packed);

    Guest &guest_;
    Config config_;
    // Looked up each time: the memory may have moved.
    [[nodiscard]] uint8_t *desc_area() const { return guest_.host(desc_iova); }
    [[nodiscard]] uint8_t *driver_area() const { return guest_.host(driver_iova); }
    [[nodiscard]] uint8_t *device_area() const { return guest_.host(device_iova); }

    std::optional<uint64_t> event_;
    uint64_t consumed_ = 0;
};

class SplitDriver : public Driver {
public:
    SplitDriver(Guest &guest, const Config &config);

    std::optional<uint16_t> add(const Buffer &buffer) override;
    uint16_t add_raw(const std::vector<RawSegment> &chain) override;
    std::optional<Used> get() override;
    [[nodiscard]] bool more() const override;
    bool kick() override;
    void disable_callbacks() override;
    void enable_callbacks(uint32_t ahead) override;
    [[nodiscard]] uint32_t room() const override { return static_cast<uint32_t>(free_.size()); }

    /// Make a head available, whatever lies there.
    void push_head(uint16_t head);
    void set_avail_idx(uint16_t idx);
    [[nodiscard]] uint16_t avail_idx() const { return avail_; }
    [[nodiscard]] uint16_t used_idx() const { return load<uint16_t>(device_area() + 2); }
    Used used_elem(uint16_t index);

private:
    std::vector<uint16_t> free_;
    std::vector<std::vector<uint16_t>> held_; // descriptors by head
    uint16_t avail_;
    uint16_t kicked_;
    uint16_t used_;
};

class PackedDriver : public Driver {
public:
    PackedDriver(Guest &guest, const Config &config);

    std::optional<uint16_t> add(const Buffer &buffer) override;
    uint16_t add_raw(const std::vector<RawSegment> &chain) override;
    std::optional<Used> get() override;
    [[nodiscard]] bool more() const override;
    bool kick() override;
    void disable_callbacks() override;
    void enable_callbacks(uint32_t ahead) override;
    [[nodiscard]] uint32_t room() const override
    {
        return config_.num - static_cast<uint32_t>(avail_ - used_);
    }

    /// Write descriptors at the next places, the first flags last; @marks false
    /// leaves the flags as they are.
    void push_raw(const std::vector<RawDesc> &chain, bool marks = true);
    [[nodiscard]] uint64_t avail_pos() const { return avail_; }
    [[nodiscard]] uint64_t used_pos() const { return used_; }
    void skip_used(uint32_t slots) { used_ += slots; }
    [[nodiscard]] uint32_t index(uint64_t pos) const { return pos % config_.num; }
    [[nodiscard]] bool wrap(uint64_t pos) const { return (pos / config_.num) % 2 == 0; }

private:
    [[nodiscard]] uint16_t marks(uint64_t pos) const;

    std::vector<uint16_t> ids_; // free ones
    std::vector<uint16_t> slots_;
    std::mt19937 rng_{7};
    uint64_t avail_; // positions count up for ever, each lap is num of them
    uint64_t kicked_;
    uint64_t used_;
};

std::unique_ptr<Driver> make_driver(Guest &guest, const Config &config);
