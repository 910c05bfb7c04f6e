// SPDX-License-Identifier: Apache-2.0
//
// sd-bus handles that free themselves, and messages read and written by type.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <systemd/sd-bus.h>
#include <tuple>
#include <utility>
#include <vector>

#include "config_tree.hpp"
#include "unique_fd.hpp"

namespace devhost {

struct BusDelete {
    void operator()(sd_bus *bus) const { sd_bus_flush_close_unref(bus); }
    void operator()(sd_bus_slot *slot) const { sd_bus_slot_unref(slot); }
    void operator()(sd_bus_message *message) const { sd_bus_message_unref(message); }
    void operator()(sd_bus_creds *creds) const { sd_bus_creds_unref(creds); }
};
using Bus = std::unique_ptr<sd_bus, BusDelete>;
using BusSlot = std::unique_ptr<sd_bus_slot, BusDelete>;
using BusMessage = std::unique_ptr<sd_bus_message, BusDelete>;
using BusCreds = std::unique_ptr<sd_bus_creds, BusDelete>;

/// Another reference to the same message.
BusMessage share(sd_bus_message &message);

/// Throws for a negative sd-bus return value.
int bus_require(int result, const char *what);

struct ObjectPath {
    std::string path;
    auto operator<=>(const ObjectPath &) const = default;
};

/// How a C++ type stands in a message: its signature, append() and read(). Reading throws
/// Cause::invalid_args.
template <typename T>
struct BusType;

namespace bus {

void append_basic(sd_bus_message &message, char type, const void *value);
void append_text(sd_bus_message &message, char type, const std::string &value);
void read_basic(sd_bus_message &message, char type, void *value);
std::string read_text(sd_bus_message &message, char type);
void open(sd_bus_message &message, char type, const std::string &contents);
void close(sd_bus_message &message);
/// False at the end of the array around it.
bool enter(sd_bus_message &message, char type, const char *contents);
void exit(sd_bus_message &message);
void append_setting(sd_bus_message &message, const Setting &dictionary);
Setting read_setting(sd_bus_message &message);

template <typename T, char code>
struct Basic {
    static std::string signature() { return {code}; }
    static void append(sd_bus_message &message, T value) { append_basic(message, code, &value); }
    static T read(sd_bus_message &message)
    {
        T value{};
        read_basic(message, code, &value);
        return value;
    }
};

} // namespace bus

template <>
struct BusType<std::uint8_t> : bus::Basic<std::uint8_t, 'y'> {};
template <>
struct BusType<std::int32_t> : bus::Basic<std::int32_t, 'i'> {};
template <>
struct BusType<std::uint32_t> : bus::Basic<std::uint32_t, 'u'> {};
template <>
struct BusType<std::uint64_t> : bus::Basic<std::uint64_t, 't'> {};

template <>
struct BusType<bool> {
    static std::string signature() { return "b"; }
    static void append(sd_bus_message &message, bool value)
    {
        const int wide = value ? 1 : 0;
        bus::append_basic(message, 'b', &wide);
    }
    static bool read(sd_bus_message &message)
    {
        int wide = 0;
        bus::read_basic(message, 'b', &wide);
        return wide != 0;
    }
};

template <>
struct BusType<std::string> {
    static std::string signature() { return "s"; }
    static void append(sd_bus_message &message, const std::string &value)
    {
        bus::append_text(message, 's', value);
    }
    static std::string read(sd_bus_message &message) { return bus::read_text(message, 's'); }
};

template <>
struct BusType<ObjectPath> {
    static std::string signature() { return "o"; }
    static void append(sd_bus_message &message, const ObjectPath &value)
    {
        bus::append_text(message, 'o', value.path);
    }
    static ObjectPath read(sd_bus_message &message) { return {bus::read_text(message, 'o')}; }
};

/// Appending duplicates the descriptor.
template <>
struct BusType<UniqueFd> {
    static std::string signature() { return "h"; }
    static void append(sd_bus_message &message, const UniqueFd &value)
    {
        const int fd = value.get();
        bus::append_basic(message, 'h', &fd);
    }
};

template <>
struct BusType<Setting> {
    static std::string signature() { return "a{sv}"; }
    static void append(sd_bus_message &message, const Setting &value)
    {
        bus::append_setting(message, value);
    }
    static Setting read(sd_bus_message &message) { return bus::read_setting(message); }
};

template <typename... T>
struct BusType<std::tuple<T...>> {
    static std::string contents() { return (BusType<T>::signature() + ... + ""); }
    static std::string signature() { return "(" + contents() + ")"; }
    static void append(sd_bus_message &message, const std::tuple<T...> &value)
    {
        bus::open(message, 'r', contents());
        std::apply([&](const T &...each) { (BusType<T>::append(message, each), ...); }, value);
        bus::close(message);
    }
    static std::tuple<T...> read(sd_bus_message &message)
    {
        bus::enter(message, 'r', contents().c_str());
        std::tuple<T...> value{BusType<T>::read(message)...}; // braces: in this order
        bus::exit(message);
        return value;
    }
};

template <typename T>
struct BusType<std::vector<T>> {
    static std::string signature() { return "a" + BusType<T>::signature(); }
    static void append(sd_bus_message &message, const std::vector<T> &value)
    {
        bus::open(message, 'a', BusType<T>::signature());
        for (const T &each : value) {
            BusType<T>::append(message, each);
        }
        bus::close(message);
    }
};

template <typename T>
struct BusType<std::map<std::string, T>> {
    static std::string contents() { return "s" + BusType<T>::signature(); }
    static std::string signature() { return "a{" + contents() + "}"; }
    static void append(sd_bus_message &message, const std::map<std::string, T> &value)
    {
        bus::open(message, 'a', "{" + contents() + "}");
        for (const auto &[key, each] : value) {
            bus::open(message, 'e', contents());
            BusType<std::string>::append(message, key);
            BusType<T>::append(message, each);
            bus::close(message);
        }
        bus::close(message);
    }
};

} // namespace devhost
