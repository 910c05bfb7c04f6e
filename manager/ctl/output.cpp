// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include <algorithm>
#include <iostream>

namespace devhost::ctl {

std::string table_text(const std::vector<Row> &rows)
{
    std::vector<std::size_t> widths;
    for (const Row &row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); i++) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const Row &row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); i++) {
            line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

std::string plain(const Setting &value)
{
    if (const auto *text = std::get_if<std::string>(&value.value)) {
        return text->empty() ? "-" : *text;
    }
    if (std::holds_alternative<std::monostate>(value.value)) {
        return "-";
    }
    if (const auto *list = std::get_if<SettingList>(&value.value)) {
        std::string joined;
        for (const Setting &each : *list) {
            joined += (joined.empty() ? "" : " ") + plain(each);
        }
        return joined.empty() ? "-" : joined;
    }
    return to_json(value);
}

std::string lines(const Setting &table, unsigned indent)
{
    std::string text;
    const std::string margin(indent, ' ');
    for (const auto &[key, value] : std::get<SettingTable>(table.value)) {
        const auto *inner = std::get_if<SettingTable>(&value.value);
        const auto *list = std::get_if<SettingList>(&value.value);
        const bool tables = list != nullptr && !list->empty() &&
                            std::holds_alternative<SettingTable>(list->front().value);
        if (inner != nullptr && !inner->empty()) {
            text += margin + key + ":\n" + lines(value, indent + 2);
        } else if (tables) {
            text += margin + key + ":\n";
            for (const Setting &each : *list) {
                text += margin + "  - " + to_json(each) + '\n';
            }
        } else {
            text += margin + key + ": " + (inner != nullptr ? "-" : plain(value)) + '\n';
        }
    }
    return text;
}

const Setting &at(const Setting &table, std::string_view key)
{
    static const Setting nothing;
    const auto *entries = std::get_if<SettingTable>(&table.value);
    if (entries == nullptr) {
        return nothing;
    }
    const auto found = entries->find(key);
    return found == entries->end() ? nothing : found->second;
}

std::string text_at(const Setting &table, std::string_view key)
{
    return plain(at(table, key));
}

void print_json(const Setting &value)
{
    std::cout << to_json(value) << '\n';
}

} // namespace devhost::ctl
