// SPDX-License-Identifier: Apache-2.0
//
// Settings as a tree of values with their place of origin. TOML files and
// D-Bus dictionaries both become such a tree, so both are read, checked and
// refused by the same code and with the same words.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "error.hpp"

namespace devhost {

// A setting that is refused. what() is "file:line: message"; the line is 0 and
// left out where there is none (D-Bus).
class ConfigError : public Error {
public:
    ConfigError(std::string file, unsigned line, std::string message);

    const std::string &file() const noexcept { return file_; }
    unsigned line() const noexcept { return line_; }
    const std::string &message() const noexcept { return message_; }

private:
    std::string file_;
    unsigned line_;
    std::string message_;
};

struct Setting;
using SettingList = std::vector<Setting>;
using SettingTable = std::map<std::string, Setting, std::less<>>;

// One value. std::monostate stands for a type that no setting has (a float, a
// date, a D-Bus structure); reading it is refused.
struct Setting {
    std::variant<std::monostate, bool, std::int64_t, std::string, SettingList, SettingTable> value;
    unsigned line = 0;

    friend bool operator==(const Setting &a, const Setting &b) { return a.value == b.value; }
};

// What is beyond what a setting holds is as good as that.
Setting number(std::uint64_t value);

// The tree as JSON text, keys sorted; for devhostctl --json and journal fields.
std::string to_json(const Setting &setting);

// Reads the keys of one table, and in the end refuses those nobody asked for.
// Every getter throws ConfigError on a wrong type or a value out of range.
class TableReader {
public:
    // where: the table's name in messages, as in "policy.can.transmit".
    TableReader(const Setting &table, std::string file, std::string where);

    std::optional<bool> boolean(std::string_view key);
    std::optional<std::int64_t> number(std::string_view key, std::int64_t min, std::int64_t max);
    std::optional<std::string> text(std::string_view key, std::size_t max_length = 255);
    std::optional<std::uint32_t> small_number(std::string_view key, std::uint32_t min,
                                              std::uint32_t max);
    // One of the given words; returns its index.
    std::optional<std::size_t> word(std::string_view key, std::span<const std::string_view> words);
    std::optional<std::size_t> word(std::string_view key,
                                    std::initializer_list<std::string_view> words)
    {
        return word(key, std::span(words.begin(), words.size()));
    }
    // A number, or a string with a number in decimal or 0x hexadecimal.
    std::optional<std::uint32_t> identifier(std::string_view key, std::uint32_t max);
    std::optional<TableReader> table(std::string_view key);
    // An array of tables; empty where absent.
    std::vector<TableReader> tables(std::string_view key);
    // The value itself, for what has a form of its own; nullptr where absent.
    const Setting *raw(std::string_view key);

    bool has(std::string_view key) const;
    // Throws for the first key that was never read.
    void finish() const;

    [[noreturn]] void fail(std::string_view key, const std::string &message) const;
    [[noreturn]] void fail(const std::string &message) const;
    unsigned line() const noexcept { return line_; }
    const std::string &where() const noexcept { return where_; }
    const std::string &file() const noexcept { return file_; }

private:
    const SettingTable *table_;
    unsigned line_;
    std::string file_;
    std::string where_;
    std::vector<std::string> seen_;
};

} // namespace devhost
