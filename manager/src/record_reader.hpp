// SPDX-License-Identifier: Apache-2.0
//
// The daemon's own record: TOML that it has written itself, so what is missing is just not there.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "config_tree.hpp"

namespace devhost {

inline void put_record(std::ostream &out, const char *key, const std::string &text)
{
    out << key << " = " << to_json({.value = text}) << '\n'; // JSON's strings are TOML's
}

inline void put_record(std::ostream &out, const char *key, std::int64_t number)
{
    out << key << " = " << number << '\n';
}

class RecordReader {
public:
    explicit RecordReader(const Setting &table) : table_(std::get_if<SettingTable>(&table.value)) {}

    [[nodiscard]] const Setting *find(std::string_view key) const
    {
        if (table_ == nullptr) {
            return nullptr;
        }
        const auto found = table_->find(key);
        return found == table_->end() ? nullptr : &found->second;
    }
    [[nodiscard]] std::string text(std::string_view key) const
    {
        const auto *value = get<std::string>(key);
        return value == nullptr ? "" : *value;
    }
    [[nodiscard]] std::optional<std::int64_t> optional(std::string_view key) const
    {
        const auto *value = get<std::int64_t>(key);
        return value == nullptr ? std::nullopt : std::optional(*value);
    }
    [[nodiscard]] std::int64_t number(std::string_view key) const
    {
        return optional(key).value_or(0);
    }
    [[nodiscard]] std::vector<RecordReader> tables(std::string_view key) const
    {
        std::vector<RecordReader> readers;
        if (const auto *list = get<SettingList>(key)) {
            for (const Setting &each : *list) {
                readers.emplace_back(each);
            }
        }
        return readers;
    }

private:
    template <typename T>
    [[nodiscard]] const T *get(std::string_view key) const
    {
        const Setting *setting = find(key);
        return setting == nullptr ? nullptr : std::get_if<T>(&setting->value);
    }

    const SettingTable *table_;
};

} // namespace devhost
