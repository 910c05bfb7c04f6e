// SPDX-License-Identifier: Apache-2.0
//
// As much of JSON Schema as the schemas of the configuration use. A keyword that is not known here
// throws: nothing is passed over.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace devhost::test {

using Json = nlohmann::json;

class JsonSchema {
public:
    explicit JsonSchema(const std::string &path);

    bool accepts(const Json &document) const { return accepts(root_, document); }
    bool accepts(const Json &schema, const Json &value) const;
    // The schema that a reference names, with what is said beside it.
    Json resolve(Json schema) const;
    bool is_table(const Json &schema) const;
    bool is_tables(const Json &schema) const;

    // A key at one of its places: of a table that several places share there are as many.
    struct Key {
        std::vector<std::string> path; // arrays of tables are not told from tables
        Json schema;                   // resolved
        Json table;                    // that has it

        std::string name() const;
    };
    std::vector<Key> keys() const;
    const Json &root() const { return root_; }

private:
    void add_keys(const Json &table, const std::vector<std::string> &path,
                  std::vector<Key> &keys) const;
    bool judges(const std::string &keyword, const Json &argument, const Json &schema,
                const Json &value) const;
    bool has_properties(const Json &properties, const Json &value) const;

    Json root_;
};

} // namespace devhost::test
