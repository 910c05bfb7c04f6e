// SPDX-License-Identifier: Apache-2.0
//
// For people: tables and "key: value" lines. With --json: one line of JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config_tree.hpp"

namespace devhost::ctl {

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell. The first row is the heading.
std::string table_text(const std::vector<Row> &rows);

/// A value in the words of a configuration file, on one line.
std::string plain(const Setting &value);

/// The entries of a table as lines, tables within it indented.
std::string lines(const Setting &table, unsigned indent = 0);

/// The entry, or an empty value.
const Setting &at(const Setting &table, std::string_view key);
std::string text_at(const Setting &table, std::string_view key);

void print_json(const Setting &value);

} // namespace devhost::ctl
