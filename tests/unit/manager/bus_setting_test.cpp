// SPDX-License-Identifier: Apache-2.0
//
// Settings through a message and back; paths; what hostile dictionaries become.
#include <gtest/gtest.h>

#include "bus_interfaces.hpp"
#include "bus_message.hpp"
#include "bus_paths.hpp"
#include "error.hpp"
#include "private_bus.hpp"

namespace devhost::test {
namespace {

class BusSetting : public testing::Test {
protected:
    BusMessage new_message()
    {
        sd_bus_message *raw = nullptr;
        bus_require(sd_bus_message_new_signal(client.get(), &raw, "/", "a.b", "C"), "new message");
        return BusMessage(raw);
    }
    static void seal(sd_bus_message &message)
    {
        bus_require(sd_bus_message_seal(&message, 1, 0), "seal");
    }

    PrivateBus bus;
    Bus client = bus.connect();
};

TEST_F(BusSetting, RoundTrip)
{
    const Setting number{.value = std::int64_t{-5}};
    const Setting table{.value = SettingTable{{"inner", number}}};
    const Setting whole{.value = SettingTable{
                            {"flag", {.value = true}},
                            {"number", {.value = std::int64_t{1} << 40}},
                            {"text", {.value = std::string("can0")}},
                            {"table", table},
                            {"numbers", {.value = SettingList{number, number}}},
                            {"tables", {.value = SettingList{table, table}}},
                            {"texts", {.value = SettingList{{.value = std::string("a")}}}},
                            {"mixed", {.value = SettingList{number, {.value = std::string("a")}}}},
                            {"empty", {.value = SettingList{}}},
                        }};
    const BusMessage message = new_message();
    BusType<Setting>::append(*message, whole);
    seal(*message);
    EXPECT_EQ(to_json(BusType<Setting>::read(*message)), to_json(whole));
}

TEST_F(BusSetting, EveryIntegerTypeIsANumber)
{
    const BusMessage message = new_message();
    bus_require(sd_bus_message_append(message.get(), "a{sv}", 7, "y", "y", 200, "n", "n", -3, "q",
                                      "q", 4, "i", "i", -5, "u", "u", 6U, "x", "x",
                                      std::int64_t{-7}, "t", "t", std::uint64_t{8}),
                "append");
    seal(*message);
    EXPECT_EQ(to_json(BusType<Setting>::read(*message)),
              R"({"i":-5,"n":-3,"q":4,"t":8,"u":6,"x":-7,"y":200})");
}

TEST_F(BusSetting, WhatNoSettingHasBecomesNothing)
{
    const BusMessage message = new_message();
    bus_require(sd_bus_message_append(message.get(), "a{sv}", 3, "double", "d", 1.5, "struct",
                                      "(ss)", "a", "b", "huge", "t", ~std::uint64_t{0}),
                "append");
    seal(*message);
    EXPECT_EQ(to_json(BusType<Setting>::read(*message)),
              R"({"double":null,"huge":"0xffffffffffffffff","struct":null})");
}

TEST_F(BusSetting, KeyTwiceIsRefused)
{
    const BusMessage message = new_message();
    bus_require(sd_bus_message_append(message.get(), "a{sv}", 2, "a", "s", "1", "a", "s", "2"),
                "append");
    seal(*message);
    EXPECT_THROW(BusType<Setting>::read(*message), Error);
}

TEST(BusPaths, NamesAndBack)
{
    EXPECT_EQ(names_in(guest_path("a-b")), (PathNames{.guest = "a-b", .device = ""}));
    EXPECT_EQ(names_in(device_path("a-b", "0_1")), (PathNames{.guest = "a-b", .device = "0_1"}));
    EXPECT_EQ(names_in("/org/devhost1"), std::nullopt);
    EXPECT_EQ(names_in("/org/devhost1/guest"), std::nullopt);
    EXPECT_EQ(names_in("/org/devhost1/guest/a/b/c"), std::nullopt);
}

TEST(DeviceTable, SettingsOfTheClassGoToItsTable)
{
    const Setting options{.value = SettingTable{{"interface", {.value = std::string("can0")}},
                                                {"ring", {.value = std::string("split")}}}};
    EXPECT_EQ(to_json(device_table("can1", "can", options)),
              R"({"can":{"interface":"can0"},"class":"can","name":"can1","ring":"split"})");
}

} // namespace
} // namespace devhost::test
