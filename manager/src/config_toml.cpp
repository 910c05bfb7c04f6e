// SPDX-License-Identifier: Apache-2.0
#include "config_toml.hpp"

#include <algorithm>
#include <format>

#include <toml++/toml.hpp>

namespace devhost {

namespace {

Setting to_setting(const toml::node &node)
{
    Setting setting{.value = {}, .line = node.source().begin.line};

    if (const toml::table *table = node.as_table()) {
        SettingTable entries;

        for (const auto &[key, value] : *table) {
            Setting entry = to_setting(value);
            // What is wrong with a value is best looked for at its key.
            entry.line = key.source().begin.line;
            entries.emplace(std::string(key.str()), std::move(entry));
        }
        setting.value = std::move(entries);
    } else if (const toml::array *array = node.as_array()) {
        SettingList items;

        for (const toml::node &item : *array) {
            items.push_back(to_setting(item));
        }
        setting.value = std::move(items);
    } else if (const auto *text = node.as_string()) {
        setting.value = text->get();
    } else if (const auto *number = node.as_integer()) {
        setting.value = number->get();
    } else if (const auto *flag = node.as_boolean()) {
        setting.value = flag->get();
    }
    return setting;
}

// Each dot of a key is a level of tables, and tables are freed recursively: some ten
// thousand levels are more than the stack holds. Values within values are bounded by the
// parser, to 256.
constexpr std::ptrdiff_t dots_max = 64;

void refuse_deep_keys(std::string_view text, const std::string &file)
{
    for (unsigned line = 1; !text.empty(); ++line) {
        const std::string_view row = text.substr(0, text.find('\n'));

        if (!row.starts_with('#') && std::ranges::count(row, '.') > dots_max) {
            throw ConfigError(file, line,
                              std::format("has more than {} dots in one line", dots_max));
        }
        text.remove_prefix(std::min(row.size() + 1, text.size()));
    }
}

} // namespace

Setting parse_toml(std::string_view text, const std::string &file)
{
    refuse_deep_keys(text, file);
    try {
        return to_setting(toml::parse(text, file));
    } catch (const toml::parse_error &error) {
        throw ConfigError(file, error.source().begin.line, std::string(error.description()));
    }
}

} // namespace devhost
