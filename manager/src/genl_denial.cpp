// SPDX-License-Identifier: Apache-2.0
//
// What a policy is against, in the words that rules have.
#include "genl_denial.hpp"

#include <array>

#include "genl_attributes.hpp"

namespace devhost {

namespace {

// In the order of the kernel's enumerations.
constexpr std::array snd_requests{"params", "start", "control"};
constexpr std::array video_requests{"create", "params", "resolution", "bitrate"};

template <std::size_t size>
Setting word(const std::array<const char *, size> &words, std::uint32_t number)
{
    // A newer module has more of them.
    return {.value = number < size ? std::string(words.at(number)) : std::to_string(number)};
}

class Item {
public:
    explicit Item(const Attributes &denial) : denial_(denial) {}

    void put(const char *key, Setting value) { table_.emplace(key, std::move(value)); }
    void number(const char *key, int attribute)
    {
        if (denial_.has(attribute)) {
            put(key, {.value = static_cast<std::int64_t>(denial_.number(attribute))});
        }
    }
    void flag(const char *key, int attribute) { put(key, {.value = denial_.has(attribute)}); }
    void direction(const char *to_host, const char *to_guest)
    {
        put("direction",
            {.value = std::string(denial_.has(DEVHOST_A_DENIAL_TO_GUEST) ? to_guest : to_host)});
    }
    SettingTable take() { return std::move(table_); }

private:
    const Attributes &denial_;
    SettingTable table_;
};

void put_can(Item &item)
{
    item.direction("transmit", "receive");
    item.number("id", DEVHOST_A_DENIAL_CAN_ID);
    item.flag("extended", DEVHOST_A_DENIAL_CAN_EXTENDED);
    item.flag("fd", DEVHOST_A_DENIAL_CAN_FD);
    item.flag("rtr", DEVHOST_A_DENIAL_CAN_RTR);
}

void put_snd(Item &item, std::uint32_t request)
{
    const bool control = request == 2;

    item.put("request", word(snd_requests, request));
    item.number(control ? "control" : "stream", DEVHOST_A_DENIAL_ITEM);
    if (!control) {
        item.direction("playback", "capture");
    }
    item.number("rate", DEVHOST_A_DENIAL_RATE);
    item.number("channels", DEVHOST_A_DENIAL_CHANNELS);
    item.number("value", DEVHOST_A_DENIAL_VALUE);
}

void put_scmi(Item &item)
{
    item.number("protocol", DEVHOST_A_DENIAL_PROTOCOL);
    item.number("message", DEVHOST_A_DENIAL_MESSAGE);
    item.number("resource", DEVHOST_A_DENIAL_RESOURCE);
    item.number("value", DEVHOST_A_DENIAL_VALUE);
}

void put_video(Item &item, std::uint32_t request)
{
    item.put("request", word(video_requests, request));
    item.number("stream", DEVHOST_A_DENIAL_ITEM);
    item.number("format", DEVHOST_A_DENIAL_FORMAT);
    item.number("width", DEVHOST_A_DENIAL_WIDTH);
    item.number("height", DEVHOST_A_DENIAL_HEIGHT);
    item.number("rate", DEVHOST_A_DENIAL_RATE);
    item.number("bitrate", DEVHOST_A_DENIAL_BITRATE);
}

} // namespace

// What an item is, its attributes say: of which class the device is, need not be known.
DenialInfo decode_denial(nlmsghdr *header)
{
    const Attributes denial = contents(header, DEVHOST_A_DENIAL, DEVHOST_A_DENIAL_MAX);
    const std::uint32_t request = denial.number32(DEVHOST_A_DENIAL_REQUEST);
    Item item(denial);

    if (denial.has(DEVHOST_A_DENIAL_CAN_ID)) {
        put_can(item);
    } else if (denial.has(DEVHOST_A_DENIAL_PROTOCOL)) {
        put_scmi(item);
    } else if (denial.has(DEVHOST_A_DENIAL_FORMAT)) {
        put_video(item, request);
    } else if (denial.has(DEVHOST_A_DENIAL_ITEM)) {
        put_snd(item, request);
    }
    return {.guest = denial.text(DEVHOST_A_DENIAL_GUEST),
            .device = denial.text(DEVHOST_A_DENIAL_DEV),
            .verdict = denial.number32(DEVHOST_A_DENIAL_VERDICT),
            .suppressed = denial.number(DEVHOST_A_DENIAL_SUPPRESSED),
            .item = {.value = item.take()}};
}

} // namespace devhost
