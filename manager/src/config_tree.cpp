// SPDX-License-Identifier: Apache-2.0
#include "config_tree.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <limits>
#include <memory>
#include <utility>

namespace devhost {

namespace {

std::string located(const std::string &file, unsigned line, const std::string &message)
{
    if (file.empty()) {
        return message;
    }
    if (line == 0) {
        return std::format("{}: {}", file, message);
    }
    return std::format("{}:{}: {}", file, line, message);
}

std::string json_string(std::string_view text)
{
    std::string out = "\"";

    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);

        if (c == '"' || c == '\\') {
            (out += '\\') += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += std::format("\\u{:04x}", byte);
        } else {
            out += c;
        }
    }
    return out += '"';
}

struct JsonPrinter {
    std::string out;

    void operator()(std::monostate) { out += "null"; }
    void operator()(bool flag) { out += flag ? "true" : "false"; }
    void operator()(std::int64_t number) { out += std::to_string(number); }
    void operator()(const std::string &text) { out += json_string(text); }

    void operator()(const SettingList &list)
    {
        const char *separator = "";

        out += '[';
        for (const Setting &item : list) {
            out += std::exchange(separator, ",");
            std::visit(*this, item.value);
        }
        out += ']';
    }

    void operator()(const SettingTable &table)
    {
        const char *separator = "";

        out += '{';
        for (const auto &[key, item] : table) {
            out += std::exchange(separator, ",");
            out += json_string(key) + ':';
            std::visit(*this, item.value);
        }
        out += '}';
    }
};

std::optional<std::uint32_t> parse_identifier(std::string_view text)
{
    std::uint32_t value = 0;
    int base = 10;

    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.remove_prefix(2);
        base = 16;
    }
    const char *const begin = std::to_address(text.begin());
    const char *const end = std::to_address(text.end());
    const auto [rest, error] = std::from_chars(begin, end, value, base);
    if (text.empty() || error != std::errc{} || rest != end) {
        return std::nullopt;
    }
    return value;
}

} // namespace

ConfigError::ConfigError(std::string file, unsigned line, std::string message)
    : Error(file.empty() ? Cause::invalid_args : Cause::config_invalid,
            located(file, line, message)),
      file_(std::move(file)),
      line_(line),
      message_(std::move(message))
{
}

Setting number(std::uint64_t value)
{
    constexpr std::uint64_t max = std::numeric_limits<std::int64_t>::max();
    return {.value = static_cast<std::int64_t>(std::min(value, max))};
}

std::string to_json(const Setting &setting)
{
    JsonPrinter printer;

    std::visit(printer, setting.value);
    return printer.out;
}

TableReader::TableReader(const Setting &table, std::string file, std::string where)
    : table_(std::get_if<SettingTable>(&table.value)),
      line_(table.line),
      file_(std::move(file)),
      where_(std::move(where))
{
    if (!table_) {
        fail(where_.empty() ? "must be a table" : where_ + " must be a table");
    }
}

const Setting *TableReader::raw(std::string_view key)
{
    seen_.emplace_back(key);

    const auto found = table_->find(key);
    return found == table_->end() ? nullptr : &found->second;
}

bool TableReader::has(std::string_view key) const
{
    return table_->contains(key);
}

std::optional<bool> TableReader::boolean(std::string_view key)
{
    const Setting *setting = raw(key);

    if (!setting) {
        return std::nullopt;
    }
    if (const bool *flag = std::get_if<bool>(&setting->value)) {
        return *flag;
    }
    fail(key, "must be true or false");
}

std::optional<std::int64_t> TableReader::number(std::string_view key, std::int64_t min,
                                                std::int64_t max)
{
    const Setting *setting = raw(key);

    if (!setting) {
        return std::nullopt;
    }
    const std::int64_t *value = std::get_if<std::int64_t>(&setting->value);
    if (!value || *value < min || *value > max) {
        fail(key, std::format("must be a whole number from {} to {}", min, max));
    }
    return *value;
}

std::optional<std::string> TableReader::text(std::string_view key, std::size_t max_length)
{
    const Setting *setting = raw(key);

    if (!setting) {
        return std::nullopt;
    }
    const std::string *value = std::get_if<std::string>(&setting->value);
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (!value || value->empty() || value->size() > max_length ||
        std::ranges::any_of(*value, control)) {
        fail(key, std::format("must be a string of 1 to {} printable characters", max_length));
    }
    return *value;
}

std::optional<std::uint32_t> TableReader::small_number(std::string_view key, std::uint32_t min,
                                                       std::uint32_t max)
{
    const auto value = number(key, min, max);

    if (!value) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*value);
}

std::optional<std::size_t> TableReader::word(std::string_view key,
                                             std::span<const std::string_view> words)
{
    const Setting *setting = raw(key);
    std::string choice;

    if (!setting) {
        return std::nullopt;
    }
    if (const std::string *value = std::get_if<std::string>(&setting->value)) {
        const auto found = std::ranges::find(words, *value);
        if (found != words.end()) {
            return static_cast<std::size_t>(found - words.begin());
        }
    }
    for (const std::string_view one : words) {
        choice += std::format("{}\"{}\"", choice.empty() ? "" : " or ", one);
    }
    fail(key, "must be " + choice);
}

std::optional<std::uint32_t> TableReader::identifier(std::string_view key, std::uint32_t max)
{
    const Setting *setting = raw(key);

    if (!setting) {
        return std::nullopt;
    }
    std::optional<std::int64_t> value;
    if (const std::int64_t *number = std::get_if<std::int64_t>(&setting->value)) {
        value = *number;
    } else if (const std::string *text = std::get_if<std::string>(&setting->value)) {
        value = parse_identifier(*text);
    }
    if (value && *value >= 0 && *value <= max) {
        return static_cast<std::uint32_t>(*value);
    }
    fail(key, std::format("must be an identifier from 0x0 to {:#x}", max));
}

std::optional<TableReader> TableReader::table(std::string_view key)
{
    const Setting *setting = raw(key);

    if (!setting) {
        return std::nullopt;
    }
    return TableReader(*setting, file_,
                       where_.empty() ? std::string(key) : std::format("{}.{}", where_, key));
}

std::vector<TableReader> TableReader::tables(std::string_view key)
{
    const Setting *setting = raw(key);
    std::vector<TableReader> readers;

    if (!setting) {
        return readers;
    }
    const SettingList *list = std::get_if<SettingList>(&setting->value);
    if (!list) {
        fail(key, "must be an array of tables, [[...]]");
    }
    const std::string prefix =
        where_.empty() ? std::string(key) : std::format("{}.{}", where_, key);
    for (const Setting &item : *list) {
        readers.emplace_back(item, file_, std::format("{}[{}]", prefix, readers.size() + 1));
    }
    return readers;
}

void TableReader::finish() const
{
    for (const auto &[key, setting] : *table_) {
        if (std::ranges::find(seen_, key) != seen_.end()) {
            continue;
        }

        std::string known;
        for (const std::string &one : seen_) {
            known += (known.empty() ? "" : ", ") + one;
        }
        throw ConfigError(file_, setting.line,
                          std::format("unknown key {} {}; known there: {}", json_string(key),
                                      where_.empty() ? "at top level" : "in " + where_, known));
    }
}

void TableReader::fail(std::string_view key, const std::string &message) const
{
    const auto found = table_->find(key);
    const unsigned line = found == table_->end() ? line_ : found->second.line;

    throw ConfigError(file_, line,
                      std::format("{}{}{} {}", where_, where_.empty() ? "" : ".", key, message));
}

void TableReader::fail(const std::string &message) const
{
    throw ConfigError(file_, line_, message);
}

} // namespace devhost
