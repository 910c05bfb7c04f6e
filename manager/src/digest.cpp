// SPDX-License-Identifier: Apache-2.0
#include "digest.hpp"

#include <cstdint>

namespace devhost {

// FNV-1a
std::string digest(std::string_view contents)
{
    std::uint64_t hash = 0xcbf29ce484222325;

    for (const char byte : contents) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    }
    return std::to_string(hash);
}

} // namespace devhost
