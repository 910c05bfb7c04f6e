// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace devhost {

/// Throws Cause::invalid_args unless valid_name(); @p what is "guest" or "device".
void require_name(std::string_view name, std::string_view what);

/// Text from outside, fit for one line of a message: shortened, unprintable bytes replaced.
std::string printable(std::string_view text);

} // namespace devhost
