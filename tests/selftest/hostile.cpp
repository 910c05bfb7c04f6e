// SPDX-License-Identifier: Apache-2.0
#include "hostile.hpp"

namespace dh {

uint16_t Hostile::put(const std::vector<Raw> &chain, uint32_t index)
{
    uint16_t id = 0;
    if (is_packed()) {
        PackedQueue &q = packed(index);
        std::vector<vring_packed_desc> descs;
        for (size_t i = 0; i < chain.size(); i++) {
            uint16_t flags = chain[i].flags;
            if (i + 1 < chain.size()) {
                flags |= VRING_DESC_F_NEXT;
            }
            descs.push_back({chain[i].addr, chain[i].length, q.spare_id(), flags});
        }
        id = q.spare_id();
        q.raw_add(descs);
    } else {
        // The far end of the table, which add() does not reach.
        SplitQueue &q = split(index);
        const auto first = static_cast<uint16_t>(q.num() - chain.size());
        for (size_t i = 0; i < chain.size(); i++) {
            uint16_t flags = chain[i].flags;
            if (i + 1 < chain.size()) {
                flags |= VRING_DESC_F_NEXT;
            }
            q.desc(static_cast<uint16_t>(first + i)) = {chain[i].addr, chain[i].length, flags,
                                                        static_cast<uint16_t>(first + i + 1)};
        }
        id = first;
        q.raw_add(first);
    }
    queue(index).kick_if_wanted();
    return id;
}

void Hostile::table(uint64_t where, const std::vector<Raw> &entries)
{
    for (size_t i = 0; i < entries.size(); i++) {
        const Raw &raw = entries[i];
        const uint64_t at = where + i * sizeof(vring_desc);
        const bool last = i + 1 == entries.size();
        if (is_packed()) {
            *as<vring_packed_desc>(at) = {raw.addr, raw.length, 0, raw.flags};
        } else {
            *as<vring_desc>(at) = {
                raw.addr, raw.length,
                static_cast<uint16_t>(raw.flags | (last ? 0 : VRING_DESC_F_NEXT)),
                static_cast<uint16_t>(last ? 0 : i + 1)};
        }
    }
}

void Hostile::rejected(uint16_t id, uint32_t index)
{
    const Used used = queue(index).expect();
    CHECK_EQ(used.id, id);
    CHECK_EQ(used.length, 0U);
    CHECK(!needs_reset());
}

void Hostile::put_served(const std::vector<Raw> &chain, uint32_t length, uint32_t index)
{
    const uint16_t id = put(chain, index);
    const Used used = queue(index).expect();
    CHECK_EQ(used.id, id);
    CHECK_EQ(used.length, length);
    good();
}

void Hostile::broken()
{
    CHECK(wait_needs_reset());
    restart();
    good();
}

TwoRegions::TwoRegions(RingKind ring, uint8_t perm)
    : device(echo_params(ring)), guest(device.path(), with_ring(ring))
{
    guest.memory().regions()[0].size = 3 << 20;
    guest.memory().add(memory, size, 3 << 20, perm);
}

bool TwoRegions::hold(uint64_t addr, uint32_t length)
{
    return guest.control(ECHO_OP_HOLD, low(addr), high(addr), length).has_value();
}

uint64_t TwoRegions::lost(uint64_t expected)
{
    uint64_t now = 0;
    within(5000, [&] { return (now = guest.count(ECHO_COUNT_LOST)) >= expected; });
    return now;
}

} // namespace dh
