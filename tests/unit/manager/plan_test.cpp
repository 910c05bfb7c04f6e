// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <gtest/gtest.h>

#include "fakes.hpp"

namespace devhost::test {
namespace {

const std::string allow_all = "[can.transmit]\ndefault = \"allow\"\n";

class Plan : public testing::Test {
protected:
    Plan()
    {
        wanted.devices = {can_device("can0")};
        existing.info.name = "ivi";
        existing.settings.devices = {"can0"};
        have("can0");
    }

    Device &have(const std::string &name)
    {
        Device &device = existing.devices[name];
        device.info.guest = "ivi";
        device.info.name = name;
        device.info.device_class = "can";
        device.info.policy_required = true;
        device.info.vq_size_max = 256;
        device.info.features_mask = features_mask(Ring::any);
        device.info.backend = CanBackendInfo{
            .interface = "can0", .ifindex = {}, .rx_backlog = 1024, .tx_inflight = 64};
        device.link = CanLinkInfo();
        device.link->kind = "can";
        device.link->up = true;
        return device;
    }

    CanDeviceConfig &can() { return std::get<CanDeviceConfig>(wanted.devices[0].backend); }

    GuestConfig wanted = guest_config("ivi");
    Guest existing;
};

TEST_F(Plan, NothingToDo)
{
    EXPECT_TRUE(plan(wanted, &existing).empty());
}

TEST_F(Plan, NewGuestGetsItsPolicyBeforeItsDevices)
{
    wanted.policy = policy_of(allow_all);
    const std::vector<Step> expected{step::CreateGuest{}, step::SetPolicy{},
                                     step::CreateDevice{"can0"}};
    EXPECT_EQ(plan(wanted, nullptr), expected);
}

// A limit that rises makes room for the devices of the same file.
TEST_F(Plan, LimitsComeFirst)
{
    wanted.limits.devices = 2;
    wanted.devices.push_back(can_device("can1"));
    const std::vector<Step> expected{step::SetLimits{}, step::CreateDevice{"can1"}};
    EXPECT_EQ(plan(wanted, &existing), expected);
    existing.info.limits.devices = 2;
    EXPECT_EQ(plan(wanted, &existing), std::vector<Step>{step::CreateDevice{"can1"}});
    // What the file does not limit any more.
    wanted.limits = {};
    wanted.devices.pop_back();
    EXPECT_EQ(plan(wanted, &existing), std::vector<Step>{step::SetLimits{}});
    // A guest is born with them.
    wanted.limits.devices = 2;
    const std::vector<Step> born{step::CreateGuest{}, step::CreateDevice{"can0"}};
    EXPECT_EQ(plan(wanted, nullptr), born);
}

TEST_F(Plan, DeviceThatLeftTheFileGoes)
{
    wanted.devices.clear();
    EXPECT_EQ(plan(wanted, &existing), std::vector<Step>{step::RemoveDevice{"can0"}});
}

TEST_F(Plan, DeviceMadeOverTheBusStays)
{
    have("extra");
    EXPECT_TRUE(plan(wanted, &existing).empty());
}

TEST_F(Plan, WhatCannotChangeLiveMeansReplacing)
{
    const std::vector<Step> replace{step::ReplaceDevice{"can0"}};
    const auto expect_replaced = [&](auto change) {
        const GuestConfig before = wanted;
        change();
        EXPECT_EQ(plan(wanted, &existing), replace);
        wanted = before;
    };
    expect_replaced([&] { can().interface = "can1"; });
    expect_replaced([&] { can().rx_backlog = 16; });
    expect_replaced([&] { can().tx_inflight = 1; });
    expect_replaced([&] { wanted.devices[0].policy_required = false; });
    expect_replaced([&] { wanted.devices[0].vq_size_max = 128; });
}

TEST_F(Plan, RingsChangeInPlace)
{
    wanted.devices[0].ring = Ring::split;
    EXPECT_EQ(plan(wanted, &existing), std::vector<Step>{step::SetFeaturesMask{"can0"}});
}

TEST_F(Plan, LinkIsSetWhereItDiffers)
{
    can().bitrate = 500000;
    EXPECT_EQ(plan(wanted, &existing), std::vector<Step>{step::SetLink{"can0"}});
    existing.devices["can0"].link->bitrate = 500000;
    EXPECT_TRUE(plan(wanted, &existing).empty());
    existing.devices["can0"].link.reset(); // not there yet
    EXPECT_TRUE(plan(wanted, &existing).empty());
}

TEST_F(Plan, PolicyIsReplacedOnlyWhereItDiffers)
{
    wanted.policy = policy_of(allow_all);
    EXPECT_EQ(plan(wanted, &existing), std::vector<Step>{step::SetPolicy{}});
    existing.policy = wanted.policy;
    EXPECT_TRUE(plan(wanted, &existing).empty());
}

TEST_F(Plan, PolicyGoesOnlyIfItCameFromTheFile)
{
    existing.policy = policy_of(allow_all);
    EXPECT_TRUE(plan(wanted, &existing).empty());
    existing.settings.policy = true;
    EXPECT_EQ(plan(wanted, &existing), std::vector<Step>{step::ClearPolicy{}});
}

TEST_F(Plan, SharedInterfaceMustBeSetAlike)
{
    GuestConfig other = guest_config("cluster");
    other.devices = {can_device("can0")};
    std::get<CanDeviceConfig>(other.devices[0].backend).bitrate = 500000;
    can().restart_ms = 100;
    EXPECT_TRUE(link_conflicts({wanted, other}).empty());
    can().bitrate = 250000;
    ASSERT_EQ(link_conflicts({wanted, other}).size(), 1U);
    EXPECT_NE(link_conflicts({wanted, other})[0].find("cluster/can0"), std::string::npos);
}

} // namespace
} // namespace devhost::test
