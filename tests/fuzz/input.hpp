// SPDX-License-Identifier: Apache-2.0
// The fuzzer's bytes as numbers, in order; behind their end all are 0. And what holds whatever
// they are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

// A property that does not hold ends the program: that is a finding.
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);    \
            std::abort();                                                                          \
        }                                                                                          \
    } while (false)

class Input {
public:
    Input(const uint8_t *data, size_t size) : left_(data, size) {}

    [[nodiscard]] bool more() const { return !left_.empty(); }

    uint8_t u8() { return number<uint8_t>(); }
    uint16_t u16() { return number<uint16_t>(); }
    uint32_t u32() { return number<uint32_t>(); }
    uint64_t u64() { return number<uint64_t>(); }

    /// So many bytes, or what is left of them; allocated exactly, so that one too far is seen.
    std::vector<uint8_t> bytes(size_t wanted)
    {
        const auto taken = left_.first(std::min(wanted, left_.size()));
        left_ = left_.subspan(taken.size());
        return {taken.begin(), taken.end()};
    }

private:
    template <typename T>
    T number()
    {
        T value = 0;
        for (size_t i = 0; i < sizeof(T) && more(); i++) {
            value = static_cast<T>(value | (static_cast<T>(left_.front()) << (8 * i)));
            left_ = left_.subspan(1);
        }
        return value;
    }

    std::span<const uint8_t> left_;
};
