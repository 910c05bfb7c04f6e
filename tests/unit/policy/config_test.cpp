// SPDX-License-Identifier: Apache-2.0
//
// Files of guests that are right, and what they mean.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <linux/devhost.h>
#include <linux/virtio_config.h>

#include "config.hpp"

namespace devhost {

namespace {

GuestConfig parse(std::string_view text)
{
    return parse_guest(text, "g", "g.toml");
}

CanPolicy parse_policy(const std::string &text)
{
    return parse(text).policy.value().can.value();
}

const CanDeviceConfig &can_of(const DeviceConfig &device)
{
    return std::get<CanDeviceConfig>(device.backend);
}

} // namespace

TEST(Config, AnEmptyFileIsAGuestWithoutDevices)
{
    GuestConfig empty;
    empty.name = "g";
    empty.file = "g.toml";
    const GuestConfig guest = parse("");

    EXPECT_EQ(guest.name, "g");
    EXPECT_EQ(guest.file, "g.toml");
    EXPECT_TRUE(guest.devices.empty());
    EXPECT_TRUE(guest.worker.empty());
    EXPECT_FALSE(guest.policy);
}

TEST(Config, EveryKeyOfAGuest)
{
    const GuestConfig guest = parse(R"(
user = "qemu-g"
group = "kvm"
unit = "vm@g.service"
[worker]
cpus = [3, 1, 3]
scheduler = "rr"
priority = 7
[[device]]
name = "body-can"
class = "can"
policy_required = false
vq_size_max = 512
ring = "split"
[device.can]
interface = "can1"
wait = true
rx_backlog = 16
tx_inflight = 1024
bitrate = 500000
sample_point = 875
data_bitrate = 2000000
data_sample_point = 750
fd = true
restart_ms = 0
[[device]]
name = "d"
class = "can"
can = { interface = "vcan0" }
)");

    EXPECT_EQ(guest.user, "qemu-g");
    EXPECT_EQ(guest.group, "kvm");
    EXPECT_EQ(guest.unit, "vm@g.service");
    EXPECT_EQ(guest.worker.cpus, (std::vector<unsigned>{1, 3}));
    EXPECT_EQ(guest.worker.scheduler, Scheduler::rr);
    EXPECT_EQ(guest.worker.priority, 7U);
    EXPECT_FALSE(guest.worker.nice);
    ASSERT_EQ(guest.devices.size(), 2U);

    const DeviceConfig &body = *guest.device("body-can");
    EXPECT_EQ(body.device_class, "can");
    EXPECT_FALSE(body.policy_required);
    EXPECT_EQ(body.vq_size_max, 512U);
    EXPECT_EQ(body.ring, Ring::split);
    EXPECT_EQ(body.line, 9U);
    EXPECT_EQ(can_of(body), (CanDeviceConfig{.interface = "can1",
                                             .wait = true,
                                             .rx_backlog = 16,
                                             .tx_inflight = 1024,
                                             .bitrate = 500000,
                                             .sample_point = 875,
                                             .data_bitrate = 2000000,
                                             .data_sample_point = 750,
                                             .fd = true,
                                             .restart_ms = 0}));

    const DeviceConfig &plain = *guest.device("d");
    EXPECT_TRUE(plain.policy_required) << "closed unless the file opens it";
    EXPECT_EQ(plain.ring, Ring::any);
    EXPECT_FALSE(plain.vq_size_max);
    CanDeviceConfig bare;
    bare.interface = "vcan0";
    EXPECT_EQ(can_of(plain), bare);
    EXPECT_FALSE(can_of(plain).sets_interface());
    EXPECT_TRUE(can_of(body).sets_interface());
    EXPECT_EQ(guest.device("e"), nullptr);
}

TEST(Config, TheRingIsAMaskOfFeatures)
{
    EXPECT_EQ(features_mask(Ring::any), ~std::uint64_t{0});
    EXPECT_EQ(features_mask(Ring::split), ~(std::uint64_t{1} << VIRTIO_F_RING_PACKED));
}

TEST(Config, APolicyThatSaysNothingRefusesEverything)
{
    EXPECT_EQ(parse("[policy]").policy, PolicyConfig{});
    EXPECT_EQ(parse_policy("[policy.can]"), CanPolicy{});
    EXPECT_EQ(parse_policy("[policy.can]").transmit.otherwise, Verdict::deny);
}

TEST(Config, EveryKeyOfAPolicy)
{
    const CanPolicy policy = parse_policy(R"(
[policy.can.transmit]
default = "allow"
lowest_id = "0x100"
lowest_extended_id = 0x1000
frames_per_second = 1000
frames_burst = 50
bits_per_second = 250000
bits_burst = 5000
[[policy.can.transmit.rule]]
name = "one"
verdict = "allow"
id = 0x123
fd = false
rtr = false
frames_per_second = 5
bits_per_second = 20000
[[policy.can.transmit.rule]]
verdict = "deny"
range = ["0x200", 0x2ff]
[policy.can.receive]
[[policy.can.receive.rule]]
verdict = "allow"
id = 0x18fef300
mask = 0x1fffff00
[[policy.can.receive.rule]]
verdict = "allow"
id = 291
extended = true
[[policy.can.receive.rule]]
verdict = "allow"
fd = true
)");

    EXPECT_EQ(policy.lowest_id, 0x100U);
    EXPECT_EQ(policy.lowest_extended_id, 0x1000U);
    EXPECT_EQ(policy.transmit.otherwise, Verdict::allow);
    EXPECT_EQ(policy.transmit.frames, (RateLimit{1000, 50}));
    EXPECT_EQ(policy.transmit.bits, (RateLimit{250000, 5000}));
    ASSERT_EQ(policy.transmit.rules.size(), 2U);
    const CanRule &one = policy.transmit.rules[0];
    EXPECT_EQ(one.name, "one");
    EXPECT_EQ(one.verdict, Verdict::allow);
    EXPECT_EQ(one.ids, CanIds(CanIdRange{0x123, 0x123}));
    EXPECT_EQ(one.extended, false) << "11 bits: standard";
    EXPECT_EQ(one.fd, false);
    EXPECT_EQ(one.rtr, false);
    EXPECT_EQ(one.frames, (RateLimit{5, 1})) << "the burst is a tenth of a second, at least one";
    EXPECT_EQ(one.bits, (RateLimit{20000, 2000}));
    EXPECT_EQ(policy.transmit.rules[1].ids, CanIds(CanIdRange{0x200, 0x2ff}));
    EXPECT_EQ(policy.receive.otherwise, Verdict::deny);
    ASSERT_EQ(policy.receive.rules.size(), 3U);
    EXPECT_EQ(policy.receive.rules[0].ids, CanIds(CanIdMask{0x18fef300, 0x1fffff00}));
    EXPECT_EQ(policy.receive.rules[0].extended, true) << "more than 11 bits: extended";
    EXPECT_EQ(policy.receive.rules[1].extended, true);
    EXPECT_EQ(policy.receive.rules[2].ids, CanIds{});
    EXPECT_FALSE(policy.receive.rules[2].extended);
    EXPECT_FALSE(policy.names_devices());
}

TEST(Config, SixtyFourRulesFit)
{
    std::string text;

    for (std::size_t i = 0; i < policy_rules_max; ++i) {
        text += "[[policy.can.receive.rule]]\nverdict = \"allow\"\n";
    }
    EXPECT_EQ(parse_policy(text).receive.rules.size(), policy_rules_max);
}

TEST(Config, TheExamplesAreRight)
{
    int examples = 0;

    for (const auto &entry : std::filesystem::directory_iterator(DEVHOST_EXAMPLES)) {
        if (!entry.is_regular_file()) {
            continue; // what is not a guest's
        }
        const GuestConfig guest = parse_guest_file(entry.path());

        EXPECT_EQ(guest.name, entry.path().stem());
        for (const DeviceConfig &device : guest.devices) {
            EXPECT_TRUE(!device.policy_required || guest.policy) << entry.path();
        }
        ++examples;
    }
    EXPECT_GE(examples, 3);
}

TEST(Config, NamesOfGuestsAndDevices)
{
    for (const char *good : {"a", "0", "a-b_c", "Z9", "0123456789012345678901234567890"}) {
        EXPECT_TRUE(valid_name(good)) << good;
    }
    for (const char *bad : {"", "-a", "_a", ".", "..", "a/b", "a.b", "a b", "\xc3\xa4", "a\n",
                            "01234567890123456789012345678901"}) {
        EXPECT_FALSE(valid_name(bad)) << bad;
    }
}

TEST(Config, FilesThatCannotBe)
{
    const std::filesystem::path directory =
        std::filesystem::path(testing::TempDir()) / "devhost-config-test";
    std::filesystem::create_directories(directory / "directory.toml");
    std::ofstream(directory / "a.conf") << "";
    std::ofstream(directory / "a b.toml") << "";
    std::ofstream(directory / "large.toml") << std::string((1 << 20) + 1, '\n');
    std::ofstream(directory / "good.toml") << "user = \"u\"\n";

    EXPECT_EQ(parse_guest_file(directory / "good.toml").user, "u");
    for (const char *name : {"absent.toml", "directory.toml", "a.conf", "a b.toml", "large.toml"}) {
        EXPECT_THROW(parse_guest_file(directory / name), ConfigError) << name;
    }
    std::filesystem::remove_all(directory);
}

} // namespace devhost
