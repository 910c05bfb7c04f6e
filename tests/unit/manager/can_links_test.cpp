// SPDX-License-Identifier: Apache-2.0
#include "can_links.hpp"

#include <gtest/gtest.h>

namespace devhost::test {
namespace {

CanLinkInfo running_link()
{
    CanLinkInfo link;
    link.kind = "can";
    link.up = true;
    link.bitrate = 500000;
    link.sample_point = 875;
    link.fd = false;
    link.restart_ms = 100;
    return link;
}

TEST(CanLinks, SatisfiedLinkIsLeftAlone)
{
    CanDeviceConfig wanted;
    EXPECT_TRUE(satisfies(running_link(), wanted));
    wanted.bitrate = 500000;
    wanted.restart_ms = 100;
    wanted.fd = false;
    EXPECT_TRUE(satisfies(running_link(), wanted));
}

TEST(CanLinks, EachSettingCounts)
{
    const auto differs = [](auto change) {
        CanDeviceConfig wanted;
        change(wanted);
        return !satisfies(running_link(), wanted);
    };
    EXPECT_TRUE(differs([](auto &wanted) { wanted.bitrate = 250000; }));
    EXPECT_TRUE(differs([](auto &wanted) { wanted.data_bitrate = 2000000; }));
    EXPECT_TRUE(differs([](auto &wanted) { wanted.fd = true; }));
    EXPECT_TRUE(differs([](auto &wanted) { wanted.restart_ms = 0; }));
    EXPECT_TRUE(differs([](auto &wanted) { wanted.sample_point = 500; }));
}

TEST(CanLinks, SamplePointMayBeRounded)
{
    CanDeviceConfig wanted;
    wanted.sample_point = 870;
    EXPECT_TRUE(satisfies(running_link(), wanted));
}

TEST(CanLinks, LinkThatIsDownIsNotAsWanted)
{
    CanLinkInfo link = running_link();
    link.up = false;
    EXPECT_FALSE(satisfies(link, CanDeviceConfig()));
}

} // namespace
} // namespace devhost::test
