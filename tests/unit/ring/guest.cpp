// SPDX-License-Identifier: Apache-2.0
#include "guest.hpp"

#include <algorithm>

void *devhost_map_lookup(devhost_map *seen, u64 iova, size_t *len, bool write)
{
    const auto want = static_cast<uint8_t>(write ? Perm::write : Perm::read);

    auto *const map = static_cast<GuestMap *>(seen);
    map->spans++;
    if (map->meanwhile) {
        map->meanwhile();
    }
    for (auto &region : map->regions) {
        if (iova < region.iova || iova - region.iova >= region.size) {
            continue;
        }
        if ((static_cast<uint8_t>(region.perm) & want) == 0) {
            return nullptr;
        }
        *len = std::min<size_t>(*len, region.size - (iova - region.iova));
        return region.base() + (iova - region.iova);
    }
    return nullptr;
}
