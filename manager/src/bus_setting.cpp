// SPDX-License-Identifier: Apache-2.0
//
// Settings as D-Bus dictionaries. Lists go out as arrays of their elements' type; what comes in
// may use any integer type and any array.
#include <algorithm>
#include <cstring>
#include <format>
#include <limits>

#include "bus_message.hpp"
#include "error.hpp"

namespace devhost::bus {

namespace {

void append_variant(sd_bus_message &message, const Setting &setting);

const char *signature_of(const Setting &setting)
{
    if (std::holds_alternative<bool>(setting.value)) {
        return "b";
    }
    if (std::holds_alternative<std::int64_t>(setting.value)) {
        return "x";
    }
    if (std::holds_alternative<std::string>(setting.value)) {
        return "s";
    }
    if (std::holds_alternative<SettingTable>(setting.value)) {
        return "a{sv}";
    }
    if (const auto *list = std::get_if<SettingList>(&setting.value)) {
        const auto all = [&](const char *type) {
            return !list->empty() && std::ranges::all_of(*list, [&](const Setting &each) {
                return std::strcmp(signature_of(each), type) == 0;
            });
        };
        for (const auto *array : {"as", "ax", "ab", "aa{sv}"}) {
            if (all(array + 1)) {
                return array;
            }
        }
        return "av";
    }
    throw Error(Cause::failed, "A setting without a value cannot be sent over D-Bus.");
}

void append_value(sd_bus_message &message, const Setting &setting)
{
    if (const auto *flag = std::get_if<bool>(&setting.value)) {
        BusType<bool>::append(message, *flag);
    } else if (const auto *number = std::get_if<std::int64_t>(&setting.value)) {
        append_basic(message, 'x', number);
    } else if (const auto *text = std::get_if<std::string>(&setting.value)) {
        append_text(message, 's', *text);
    } else if (const auto *list = std::get_if<SettingList>(&setting.value)) {
        const char *element = signature_of(setting) + 1;
        open(message, 'a', element);
        for (const Setting &each : *list) {
            if (*element == 'v') {
                append_variant(message, each);
            } else {
                append_value(message, each);
            }
        }
        close(message);
    } else {
        append_setting(message, setting);
    }
}

void append_variant(sd_bus_message &message, const Setting &setting)
{
    open(message, 'v', signature_of(setting));
    append_value(message, setting);
    close(message);
}

template <typename T>
Setting number_from(sd_bus_message &message, char type)
{
    T number{};
    read_basic(message, type, &number);
    if constexpr (std::is_same_v<T, std::uint64_t>) {
        if (number > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
            return {.value = std::format("{:#x}", number)}; // a mask; no setting is that large
        }
    }
    return {.value = static_cast<std::int64_t>(number)};
}

Setting read_value(sd_bus_message &message);

Setting read_array(sd_bus_message &message, const char *contents)
{
    if (*contents == '{') {
        return read_setting(message);
    }
    SettingList list;
    enter(message, 'a', contents);
    while (sd_bus_message_at_end(&message, 0) == 0) {
        list.push_back(read_value(message));
    }
    exit(message);
    return {.value = std::move(list)};
}

// One complete value; a type that no setting has becomes an empty Setting.
Setting read_value(sd_bus_message &message)
{
    char type = 0;
    const char *contents = nullptr;
    if (sd_bus_message_peek_type(&message, &type, &contents) <= 0) {
        throw Error(Cause::invalid_args, "The message ends within a setting.");
    }
    switch (type) {
    case 'b':
        return {.value = BusType<bool>::read(message)};
    case 'y':
        return number_from<std::uint8_t>(message, type);
    case 'n':
        return number_from<std::int16_t>(message, type);
    case 'q':
        return number_from<std::uint16_t>(message, type);
    case 'i':
        return number_from<std::int32_t>(message, type);
    case 'u':
        return number_from<std::uint32_t>(message, type);
    case 'x':
        return number_from<std::int64_t>(message, type);
    case 't':
        return number_from<std::uint64_t>(message, type);
    case 's':
    case 'o':
    case 'g':
        return {.value = read_text(message, type)};
    case 'a':
        return read_array(message, contents);
    case 'v': {
        enter(message, 'v', contents);
        Setting value = read_value(message);
        exit(message);
        return value;
    }
    default:
        if (sd_bus_message_skip(&message, nullptr) < 0) {
            throw Error(Cause::invalid_args, "The message has a setting that cannot be read.");
        }
        return {};
    }
}

} // namespace

void append_setting(sd_bus_message &message, const Setting &dictionary)
{
    open(message, 'a', "{sv}");
    if (const auto *table = std::get_if<SettingTable>(&dictionary.value)) {
        for (const auto &[key, value] : *table) {
            open(message, 'e', "sv");
            append_text(message, 's', key);
            append_variant(message, value);
            close(message);
        }
    }
    close(message);
}

// Any dictionary with text keys.
Setting read_setting(sd_bus_message &message)
{
    char type = 0;
    const char *contents = nullptr;
    if (sd_bus_message_peek_type(&message, &type, &contents) <= 0 || type != 'a' ||
        contents[0] != '{' || std::strchr("sog", contents[1]) == nullptr) {
        throw Error(Cause::invalid_args, "Settings must be a dictionary with text keys (a{sv}).");
    }
    const std::string entry(contents + 1, std::strlen(contents) - 2);
    SettingTable table;
    enter(message, 'a', contents);
    while (enter(message, 'e', entry.c_str())) {
        std::string key = read_text(message, entry.front());
        if (!table.try_emplace(std::move(key), read_value(message)).second) {
            throw Error(Cause::invalid_args, "A setting is given twice: leave one out.");
        }
        exit(message);
    }
    exit(message);
    return {.value = std::move(table)};
}

} // namespace devhost::bus
