// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace devhost {

/// Tells whether contents are those of another time, nothing more: who wants to, finds others of
/// the same digest.
std::string digest(std::string_view contents);

} // namespace devhost
