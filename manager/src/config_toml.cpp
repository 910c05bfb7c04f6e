// SPDX-License-Identifier: Apache-2.0
#include "config_toml.hpp"

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

} // namespace

Setting parse_toml(std::string_view text, const std::string &file)
{
    try {
        return to_setting(toml::parse(text, file));
    } catch (const toml::parse_error &error) {
        throw ConfigError(file, error.source().begin.line, std::string(error.description()));
    }
}

} // namespace devhost
