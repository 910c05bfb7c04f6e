// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "config_tree.hpp"

namespace devhost {

// A TOML document as a tree of settings. Throws ConfigError on a syntax error.
Setting parse_toml(std::string_view text, const std::string &file);

} // namespace devhost
