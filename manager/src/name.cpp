// SPDX-License-Identifier: Apache-2.0
#include "name.hpp"

#include <algorithm>

#include "config.hpp"
#include "error.hpp"

namespace devhost {

void require_name(std::string_view name, std::string_view what)
{
    if (!valid_name(name)) {
        throw Error(Cause::invalid_args,
                    "'" + printable(name) + "' is no name for a " + std::string(what) +
                        ": use 1 to 31 letters, digits, '_' or '-', a letter or digit first.");
    }
}

std::string printable(std::string_view text)
{
    constexpr std::size_t longest = 64;
    std::string line(text.substr(0, longest));
    std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
    if (text.size() > longest) {
        line += "...";
    }
    return line;
}

} // namespace devhost
