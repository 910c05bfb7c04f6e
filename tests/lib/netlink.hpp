// SPDX-License-Identifier: Apache-2.0
// Generic netlink by hand: the tests want every error and every malformed
// message that a library would hide.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fd.hpp"

namespace dh {

// Attributes of a message being built.
class Attrs {
public:
    Attrs &raw(uint16_t type, const void *data, size_t size);
    Attrs &u8(uint16_t type, uint8_t value) { return raw(type, &value, sizeof(value)); }
    Attrs &u32(uint16_t type, uint32_t value) { return raw(type, &value, sizeof(value)); }
    Attrs &u64(uint16_t type, uint64_t value) { return raw(type, &value, sizeof(value)); }
    Attrs &flag(uint16_t type) { return raw(type, nullptr, 0); }
    Attrs &string(uint16_t type, std::string_view value);
    Attrs &nest(uint16_t type, const Attrs &inner);
    const std::vector<uint8_t> &bytes() const { return bytes_; }

private:
    std::vector<uint8_t> bytes_;
};

// One received attribute; it owns its bytes.
class Attr {
public:
    Attr(uint16_t type, std::vector<uint8_t> bytes) : type_(type), bytes_(std::move(bytes)) {}
    uint16_t type() const { return type_; }
    uint64_t number() const;
    std::string string() const;
    std::vector<Attr> children() const;

    static std::vector<Attr> parse(const uint8_t *data, size_t size);

private:
    uint16_t type_;
    std::vector<uint8_t> bytes_;
};

// The first attribute of that type, or nothing.
std::optional<Attr> find(const std::vector<Attr> &attrs, uint16_t type);
uint64_t number(const std::vector<Attr> &attrs, uint16_t type, uint64_t absent = 0);
std::string text(const std::vector<Attr> &attrs, uint16_t type);

struct NetlinkMessage {
    uint8_t command;
    std::vector<Attr> attrs;
};

struct NetlinkReply {
    int error = 0; // 0 or a negative errno
    std::string extack;
    std::vector<NetlinkMessage> messages;
};

// A generic netlink socket that speaks to one family.
class Genl {
public:
    explicit Genl(const std::string &family);
    NetlinkReply request(uint8_t command, const Attrs &attrs, bool dump = false);
    // Joins a multicast group of the family.
    void join(const std::string &group);
    // The next notification, or nothing in that time.
    std::optional<NetlinkMessage> notification(int timeout_ms);
    int fd() const { return fd_.get(); }

private:
    NetlinkReply exchange(uint16_t type, uint8_t command, const Attrs &attrs, uint16_t flags);
    void send(uint16_t type, uint8_t command, const Attrs &attrs, uint16_t flags);

    Fd fd_;
    uint16_t family_ = 0;
    uint32_t seq_ = 0;
    bool joined_ = false;
    std::vector<Attr> groups_;
    std::vector<NetlinkMessage> pending_;
};

} // namespace dh
