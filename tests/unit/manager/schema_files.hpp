// SPDX-License-Identifier: Apache-2.0
//
// The kinds of configuration files that have a schema, and small files of each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "toml_document.hpp"

namespace devhost::test {

// Why a file is refused.
struct Refusal {
    unsigned line = 0;
    std::string message;
};

// What else a file has to have where it has a key, or everything below it, or a value there.
struct Need {
    std::string_view key; // "worker.priority", or "worker.scheduler=\"fifo\""
    std::string_view patch;
};

struct SchemaFile {
    const char *name;
    std::vector<Need> needs;
    std::optional<Refusal> (*refusal)(const std::string &text); // by the daemon's own parser
    bool (*same)(const std::string &a, const std::string &b);   // what two files say

    std::string schema_path() const;
};

const SchemaFile &guest_file();
const SchemaFile &mixer_file();

// Makes the smallest files that have a given key.
class SmallFiles {
public:
    SmallFiles(const SchemaFile &file, const JsonSchema &schema) : file_(file), schema_(schema) {}

    Json with(const std::vector<std::string> &path, const Json &value) const
    {
        return with(path, value, path);
    }
    // That stands where the file has another key.
    Json with(const std::vector<std::string> &path, const Json &value,
              const std::vector<std::string> &beside) const;
    // A value that a schema takes.
    Json sample(const Json &schema) const;

private:
    void complete(Json &table, const Json &schema) const;
    void add_dependencies(Json &table, const Json &schema, const std::string &key) const;

    const SchemaFile &file_;
    const JsonSchema &schema_;
};

} // namespace devhost::test
