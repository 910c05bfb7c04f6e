// SPDX-License-Identifier: Apache-2.0
#include "toml_document.hpp"

#include <algorithm>

namespace devhost::test {

namespace {

bool is_array_of_tables(const Json &value)
{
    return value.is_array() && !value.empty() && value.front().is_object();
}

struct Writer {
    TomlDocument document;
    unsigned line = 0;

    void put(const std::string &text, const std::string &path)
    {
        document.lines.emplace(path, ++line);
        document.text += text + '\n';
    }

    void table(const Json &table, const std::string &path)
    {
        const std::string prefix = path.empty() ? "" : path + '.';
        const auto is_below = [](const Json &value) {
            return value.is_object() || is_array_of_tables(value);
        };

        for (const auto &[key, value] : table.items()) {
            if (!is_below(value)) {
                put(key + " = " + value.dump(), prefix + key); // TOML has JSON's values
            }
        }
        for (const auto &[key, value] : table.items()) {
            const std::string below = prefix + key;
            if (value.is_object()) {
                put('[' + below + ']', below);
                this->table(value, below);
            } else if (is_below(value)) {
                for (const Json &item : value) {
                    put("[[" + below + "]]", below);
                    this->table(item, below);
                }
            }
        }
    }
};

} // namespace

TomlDocument to_toml(const Json &document)
{
    Writer writer;
    writer.table(document, "");
    return std::move(writer.document);
}

void put_over(Json &document, const Json &patch)
{
    for (const auto &[key, value] : patch.items()) {
        Json &present = document[key];
        if (value.is_null()) {
            document.erase(key);
        } else if (value.is_object() && present.is_object()) {
            put_over(present, value);
        } else if (is_array_of_tables(value) && is_array_of_tables(present)) {
            put_over(present.front(), value.front());
        } else {
            present = value;
        }
    }
}

Json *table_at(Json &document, const std::vector<std::string> &path)
{
    Json *table = &document;
    for (const std::string &step : path) {
        table = &table->at(step);
        if (table->is_array()) {
            table = &table->front();
        }
    }
    return table;
}

} // namespace devhost::test
