// SPDX-License-Identifier: Apache-2.0
//
// Configuration files as JSON documents: made, changed, written as TOML.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "json_schema.hpp"

namespace devhost::test {

// A file's text, and the line of each of its keys: the first, where there are several.
struct TomlDocument {
    std::string text;
    std::map<std::string, unsigned> lines; // by the key's path, with dots
};

TomlDocument to_toml(const Json &document);

// Puts a patch over a document: tables are joined, of an array of tables the first one; null
// removes.
void put_over(Json &document, const Json &patch);

// The table at a path, through the first one of each array of tables.
Json *table_at(Json &document, const std::vector<std::string> &path);

} // namespace devhost::test
