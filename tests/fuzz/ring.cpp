// SPDX-License-Identifier: Apache-2.0
// A queue whose driver does anything: descriptors, indices, memory that moves, goes away or changes
// while it is read. Beside the ring runs a second, simple reading of the descriptors: what the
// device gets must be what they say.
//
// Input: flags, size, start; then operations, a byte each, with what they need.
#include "device.hpp"
#include "input.hpp"

#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <set>

namespace {

constexpr size_t operations_max = 300;

struct Piece {
    uint64_t addr;
    uint32_t len;
    bool write;
};

class RingFuzz {
public:
    explicit RingFuzz(Input &input) : in_(input)
    {
        const uint8_t flags = in_.u8();
        const uint8_t size = in_.u8();
        config_.packed = (flags & 1) != 0;
        config_.event_idx = (flags & 2) != 0;
        config_.indirect = (flags & 4) != 0;
        config_.num = static_cast<uint16_t>(config_.packed ? 1 + size % 40 : 1 << size % 6);
        config_.start = in_.u16();
        driver_ = make_driver(guest_, config_);
        areas_ = {driver_->desc_iova, driver_->driver_iova, driver_->device_iova};
        for (int i = 0; i < 6; i++) {
            // With seams, holes, and rights of all kinds.
            const size_t bytes = i % 2 == 0 ? 64 : 320;
            const auto perm = static_cast<Perm>(i == 4 ? 1 : i == 5 ? 2 : 3);
            areas_.push_back(i % 3 == 0 ? guest_.add(bytes, perm) : guest_.append(bytes, perm));
        }
        guest_.map()->meanwhile = [this] { meanwhile(); };
        begin();
    }

    ~RingFuzz()
    {
        devhost_ring_cleanup(&ring_);
        REQUIRE(shim_allocs == 0);
        REQUIRE(shim_warnings == 0);
        shim_alloc_budget = -1;
    }
    RingFuzz(const RingFuzz &) = delete;
    RingFuzz &operator=(const RingFuzz &) = delete;

    void run()
    {
        for (size_t i = 0; in_.more() && i < operations_max; i++) {
            step();
            const uint64_t out = ring_.popped - ring_.pushed;
            REQUIRE(ring_.inflight == taken_.size() && out == ring_.inflight);
        }
    }

private:
    /// A ring at the place that @state says, or where that makes no sense, at the first.
    void begin(std::optional<RingState> state = {})
    {
        const int budget = shim_alloc_budget;
        shim_alloc_budget = -1;
        for (bool first = true;; first = false) {
            devhost_ring_cleanup(&ring_);
            REQUIRE(shim_allocs == 0);
            ring_ = {};
            ring_.num = config_.num;
            ring_.packed = config_.packed;
            ring_.event_idx = config_.event_idx;
            ring_.indirect = config_.indirect;
            REQUIRE(devhost_ring_init(&ring_) == 0);
            find();
            const RingState from = first && state ? *state : initial_state(config_);
            const int err = devhost_ring_start(&ring_, &from);
            REQUIRE(err == 0 || err == -EINVAL);
            if (err == 0) {
                break;
            }
            if (!first || !state) {
                // The driver wrote over what tells where the ring stands.
                clear(driver_->desc_iova);
                clear(driver_->driver_iova);
                clear(driver_->device_iova);
            }
        }
        shim_alloc_budget = budget;
        taken_.clear();
        ids_.clear();
    }

    void clear(uint64_t iova)
    {
        auto &region = guest_.find(iova);
        std::fill_n(region.mem.get(), region.size, 0);
    }

    void find()
    {
        ring_.map = guest_.map();
        ring_.desc = guest_.host(driver_->desc_iova);
        ring_.driver = guest_.host(driver_->driver_iova);
        ring_.device = guest_.host(driver_->device_iova);
    }

    /// The driver writes while the device reads: armed by an operation, once.
    void meanwhile()
    {
        if (!race_) {
            return;
        }
        if (race_->after-- == 0) {
            poke(race_->area, race_->offset, race_->bytes);
            race_.reset();
            raced_ = true;
        }
    }

    void poke(uint64_t area, uint16_t offset, const std::vector<uint8_t> &bytes)
    {
        auto &region = guest_.find(area);
        for (size_t i = 0; i < bytes.size(); i++) {
            region.mem[(offset + i) % region.size] = bytes[i];
        }
    }

    uint64_t area() { return areas_[in_.u8() % areas_.size()]; }

    uint64_t address()
    {
        const uint8_t how = in_.u8();
        const uint64_t at = areas_[how % areas_.size()];
        return how < 240 ? at + in_.u8() : in_.u64();
    }

    RawDesc descriptor()
    {
        RawDesc desc;
        desc.addr = address();
        const uint8_t len = in_.u8();
        desc.len = len < 0xf0 ? len : in_.u32();
        desc.a = in_.u8();
        desc.b = in_.u8();
        if (desc.a >= 0x80 || desc.b >= 0x40) {
            desc.a = static_cast<uint16_t>(desc.a | (in_.u8() << 8));
            desc.b = static_cast<uint16_t>(desc.b | (in_.u8() << 8));
        }
        return desc;
    }

    void put_descriptor()
    {
        const RawDesc desc = descriptor();
        const uint64_t table = area();
        const auto &region = guest_.find(table);
        if (region.size >= 16) {
            driver_->put(table, in_.u8() % (region.size / 16), desc);
        }
    }

    /// Where the device looks next.
    void offer()
    {
        if (!config_.packed) {
            auto &split = dynamic_cast<SplitDriver &>(*driver_);
            split.push_head(in_.u8());
            return;
        }
        RingState state{};
        devhost_ring_state(&ring_, &state);
        uint32_t index = (state.avail + ahead_) % config_.num;
        bool wrap =
            (state.avail + ahead_) / config_.num % 2 == 0 ? state.avail_wrap : !state.avail_wrap;
        RawDesc desc = descriptor();
        desc.b = static_cast<uint16_t>(desc.b & ~(desc_avail | desc_used));
        desc.b = static_cast<uint16_t>(desc.b | (wrap ? desc_avail : desc_used));
        driver_->put(driver_->desc_iova, index, desc);
        ahead_ = (desc.b & desc_next) != 0 ? ahead_ + 1 : 0;
    }

    std::vector<uint8_t> snapshot()
    {
        std::vector<uint8_t> all;
        for (const auto &region : guest_.map()->regions) {
            all.insert(all.end(), region.mem.get(), region.mem.get() + region.size);
        }
        return all;
    }

    /// Nothing but @allowed (guest addresses) has changed since.
    template <typename Allowed>
    void require_untouched(const std::vector<uint8_t> &before, const Allowed &allowed)
    {
        const std::vector<uint8_t> now = snapshot();
        size_t at = 0;
        for (const auto &region : guest_.map()->regions) {
            if (std::memcmp(&before[at], &now[at], region.size) == 0) {
                at += region.size;
                continue;
            }
            for (size_t i = 0; i < region.size; i++, at++) {
                REQUIRE(before[at] == now[at] || allowed(region.iova + i));
            }
        }
    }

    [[nodiscard]] bool within(uint64_t addr, uint64_t iova)
    {
        return addr - iova < guest_.find(iova).size;
    }

    /// What the ring writes itself.
    [[nodiscard]] bool is_device_area(uint64_t addr)
    {
        return within(addr, driver_->device_iova) ||
               (config_.packed && within(addr, driver_->desc_iova));
    }

    std::optional<RawDesc> load(uint64_t addr)
    {
        std::array<uint8_t, 16> raw{};
        for (size_t i = 0; i < raw.size(); i++) {
            const uint8_t *byte = visible(addr + i, Perm::read);
            if (byte == nullptr) {
                return {};
            }
            raw[i] = *byte;
        }
        RawDesc desc;
        std::memcpy(&desc.addr, raw.data(), 8);
        std::memcpy(&desc.len, raw.data() + 8, 4);
        std::memcpy(&desc.a, raw.data() + 12, 2);
        std::memcpy(&desc.b, raw.data() + 14, 2);
        return desc;
    }

    uint8_t *visible(uint64_t addr, Perm perm)
    {
        for (auto &region : guest_.map()->regions) {
            if (addr - region.iova < region.size) {
                const auto has = static_cast<uint8_t>(region.perm);
                return (has & static_cast<uint8_t>(perm)) != 0 ? &region.mem[addr - region.iova]
                                                               : nullptr;
            }
        }
        return nullptr;
    }

    void require_visible(const Piece &piece)
    {
        const auto want = static_cast<uint8_t>(piece.write ? Perm::write : Perm::read);
        uint64_t at = piece.addr;
        for (uint64_t left = piece.len; left != 0;) {
            const auto &region = guest_.find(at);
            REQUIRE((static_cast<uint8_t>(region.perm) & want) != 0);
            const uint64_t len = std::min<uint64_t>(left, region.size - (at - region.iova));
            at += len;
            left -= len;
        }
    }

    /// The second reading: what a chain that was taken consists of.
    std::vector<Piece> expected(const devhost_chain &chain)
    {
        std::vector<Piece> pieces;
        const uint32_t first = config_.packed
                                   ? (ring_.last_avail + config_.num - chain.slots) % config_.num
                                   : chain.id;
        uint32_t index = first;
        for (uint32_t left = config_.num;; left--) {
            REQUIRE(left != 0);
            const RawDesc desc = driver_->peek(driver_->desc_iova, index);
            const uint16_t flags = config_.packed ? desc.b : desc.a;
            if ((flags & desc_indirect) != 0) {
                REQUIRE(config_.indirect && (flags & desc_next) == 0);
                table(desc, left, pieces);
                break;
            }
            pieces.push_back({desc.addr, desc.len, (flags & desc_write) != 0});
            if ((flags & desc_next) == 0) {
                break;
            }
            index = config_.packed ? (index + 1) % config_.num : desc.b;
            REQUIRE(index < config_.num);
        }
        return pieces;
    }

    void table(const RawDesc &head, uint32_t left, std::vector<Piece> &pieces)
    {
        REQUIRE(head.len % 16 == 0 && head.len != 0 && head.len / 16 <= config_.num);
        uint32_t index = 0;
        for (;; left--) {
            REQUIRE(left != 0 && index < head.len / 16);
            const auto desc = load(head.addr + uint64_t{16} * index);
            REQUIRE(desc);
            const uint16_t flags = config_.packed ? desc->b : desc->a;
            // In a packed ring's table no flag but WRITE means anything.
            REQUIRE(config_.packed || (flags & desc_indirect) == 0);
            pieces.push_back({desc->addr, desc->len, (flags & desc_write) != 0});
            if (config_.packed) {
                if (++index == head.len / 16) {
                    return;
                }
            } else if ((flags & desc_next) == 0) {
                return;
            } else {
                index = desc->b;
            }
        }
    }

    /// A chain as the device got it against its descriptors.
    void require_expected(const devhost_chain &chain, const std::vector<Piece> &pieces)
    {
        uint64_t readable = 0;
        uint64_t writable = 0;
        for (const Piece &piece : pieces) {
            REQUIRE(piece.len != 0);
            REQUIRE(piece.write || writable == 0);
            (piece.write ? writable : readable) += piece.len;
            require_visible(piece);
        }
        REQUIRE(readable == devhost_chain_readable(&chain));
        REQUIRE(writable == devhost_chain_writable(&chain));
    }

    void pop()
    {
        const uint64_t before = guest_.map()->spans;
        const auto memory = snapshot();
        raced_ = false;
        devhost_chain *chain = devhost_ring_pop(&ring_);
        ahead_ = 0;
        // Work is bounded: by the ring, and for one chain by its tables.
        REQUIRE(guest_.map()->spans - before <=
                2 * uint64_t{config_.num} * 16 + 2 * DEVHOST_CHAIN_SPANS_MAX);
        if (!raced_) {
            require_untouched(memory, [&](uint64_t at) { return is_device_area(at); });
        }
        if (is_err(chain)) {
            // Broken until it is reset.
            REQUIRE(raced_ || is_err(devhost_ring_pop(&ring_)));
            room_.clear();
            begin();
            return;
        }
        if (chain == nullptr) {
            return;
        }
        REQUIRE(chain->id < config_.num);
        REQUIRE(ids_.insert(chain->id).second);
        REQUIRE(chain->out + chain->in <= DEVHOST_CHAIN_SPANS_MAX);
        taken_.push_back(chain);
        if (raced_) {
            return;
        }
        room_[chain] = expected(*chain);
        require_expected(*chain, room_[chain]);
    }

    devhost_chain *some() { return taken_.empty() ? nullptr : taken_[in_.u8() % taken_.size()]; }

    /// As a device module would.
    void use(devhost_chain &chain)
    {
        REQUIRE(devhost_chain_priv(&chain) == nullptr || devhost_chain_priv(&chain) == &chain);
        devhost_chain_set_priv(&chain, &chain);
        const uint8_t how = in_.u8();
        const size_t want = in_.u8();
        const size_t readable = devhost_chain_readable(&chain);
        const size_t writable = devhost_chain_writable(&chain);
        std::vector<uint8_t> bytes(want, 0x55);
        const auto memory = snapshot();
        size_t len = 0;
        int err = 0;

        raced_ = false;
        switch (how % 6) {
        case 0:
            err = devhost_chain_read(&chain, bytes.data(), want);
            REQUIRE((err == -EMSGSIZE) == (want > readable));
            REQUIRE(devhost_chain_readable(&chain) == (err != 0 ? readable : readable - want));
            break;
        case 1:
            err = devhost_chain_write(&chain, bytes.data(), want);
            REQUIRE((err == -EMSGSIZE) == (want > writable));
            REQUIRE(devhost_chain_writable(&chain) == (err != 0 ? writable : writable - want));
            break;
        case 2:
        case 3: {
            const bool write = how % 6 == 3;
            auto *at = static_cast<uint8_t *>(devhost_chain_span(&chain, write, want, &len));
            REQUIRE(len <= want && len <= (write ? writable : readable));
            REQUIRE((at == nullptr) == (len == 0));
            for (size_t i = 0; i < len; i++) {
                bytes[i] = at[i];
            }
            std::fill_n(at, write ? len : 0, 0x66);
            break;
        }
        case 4: {
            const bool write = (how & 8) != 0;
            err = devhost_chain_skip(&chain, write, want);
            REQUIRE((err == -EMSGSIZE) == (want > (write ? writable : readable)));
            REQUIRE(chain.skipped <= chain.written);
            break;
        }
        default:
            devhost_chain_rewind(&chain);
            REQUIRE(devhost_chain_readable(&chain) == chain.readable);
            break;
        }
        REQUIRE(err == 0 || err == -EMSGSIZE || err == -EFAULT);
        REQUIRE(chain.written <= chain.writable && chain.read_off <= chain.readable);
        const auto room = room_.find(&chain);
        if (!raced_ && room != room_.end()) {
            require_untouched(memory, [&](uint64_t at) {
                return std::ranges::any_of(room->second, [at](const Piece &piece) {
                    return piece.write && at - piece.addr < piece.len;
                });
            });
        }
    }

    void give_back(bool back)
    {
        if (taken_.empty()) {
            return;
        }
        // Only the last one taken can be put back where it came from.
        const size_t i = back ? taken_.size() - 1 : in_.u8() % taken_.size();
        devhost_chain *chain = taken_[i];
        const auto memory = snapshot();
        if (back && chain == last_ && ids_.size() == taken_.size()) {
            devhost_ring_unpop(&ring_, chain);
            require_untouched(memory, [](uint64_t) { return false; });
        } else {
            devhost_ring_push(&ring_, chain, chain->written);
            require_untouched(memory, [&](uint64_t at) { return is_device_area(at); });
        }
        ids_.erase(chain->id);
        room_.erase(chain);
        taken_.erase(taken_.begin() + static_cast<ptrdiff_t>(i));
    }

    void change_memory()
    {
        const uint8_t how = in_.u8();
        if (how % 3 == 0) {
            guest_.remap();
            find();
        } else if (how % 3 == 1) {
            // The rings' own areas are mapped for as long as the queue lives.
            const uint64_t at = areas_[3 + in_.u8() % (areas_.size() - 3)];
            guest_.set_perm(at, static_cast<Perm>(in_.u8() % 4));
        } else {
            Race race{in_.u8(), area(), in_.u8(), {}};
            race.bytes = in_.bytes(in_.u8() % 24);
            race_ = std::move(race);
        }
        // Rights that went away are checked by the ring, not here.
        room_.clear();
    }

    void step()
    {
        switch (in_.u8() % 14) {
        case 0:
        case 1:
            put_descriptor();
            break;
        case 2: {
            const uint64_t at = area();
            const uint8_t offset = in_.u8();
            poke(at, offset, in_.bytes(in_.u8() % 16));
            break;
        }
        case 3:
        case 4:
            offer();
            break;
        case 5:
            if (!config_.packed) {
                dynamic_cast<SplitDriver &>(*driver_).set_avail_idx(in_.u16());
            }
            break;
        case 6:
        case 7:
            pop();
            last_ = taken_.empty() ? nullptr : taken_.back();
            return;
        case 8:
        case 9:
            if (devhost_chain *chain = some()) {
                use(*chain);
            }
            return;
        case 10:
            give_back((in_.u8() & 1) != 0);
            break;
        case 11:
            notifications();
            break;
        case 12:
            change_memory();
            return;
        default:
            restart();
            break;
        }
        last_ = nullptr;
    }

    void notifications()
    {
        const auto memory = snapshot();
        switch (in_.u8() % 3) {
        case 0:
            devhost_ring_notify(&ring_);
            break;
        case 1:
            devhost_ring_enable_kick(&ring_);
            break;
        default:
            devhost_ring_disable_kick(&ring_);
            break;
        }
        require_untouched(memory, [&](uint64_t at) { return within(at, driver_->device_iova); });
    }

    void restart()
    {
        const uint8_t how = in_.u8();
        if ((how & 1) != 0) {
            shim_alloc_budget = how >> 4; // spans are allocated, or are not
            return;
        }
        const RingState state{in_.u8(), in_.u8(), (how & 2) != 0, (how & 4) != 0};
        room_.clear();
        begin(state);
    }

    struct Race {
        uint8_t after;
        uint64_t area;
        uint16_t offset;
        std::vector<uint8_t> bytes;
    };

    Input &in_;
    Guest guest_;
    Config config_;
    std::unique_ptr<Driver> driver_;
    devhost_ring ring_{};
    std::vector<uint64_t> areas_;
    std::vector<devhost_chain *> taken_;
    std::set<uint16_t> ids_;
    std::map<const devhost_chain *, std::vector<Piece>> room_; // as the second reading had it
    std::optional<Race> race_;
    const devhost_chain *last_ = nullptr;
    uint32_t ahead_ = 0;
    bool raced_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input(data, size);
    shim_alloc_budget = -1;
    RingFuzz(input).run();
    return 0;
}
