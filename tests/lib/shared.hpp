// SPDX-License-Identifier: Apache-2.0
// What the device reads and writes at the same time.
#pragma once

#include <type_traits>

namespace dh {

template <typename T>
T load(const T &where)
{
    return __atomic_load_n(&where, __ATOMIC_ACQUIRE);
}

template <typename T>
void store(T &where, std::type_identity_t<T> value)
{
    __atomic_store_n(&where, value, __ATOMIC_RELEASE);
}

} // namespace dh
