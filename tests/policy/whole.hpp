// SPDX-License-Identifier: Apache-2.0
// A guest with a device of each class, all of which require a policy.
#pragma once

#include "scmi.hpp"
#include "sound.hpp"
#include "watched.hpp"

namespace dh {

struct WholeFixture {
    WholeFixture() : commands((scmi::calm(), scmi_of("whole"))), agent(commands.path(), {})
    {
        agent.bring_up();
    }
    // Each asks its device's policy once.
    bool may_send() { return can.sends(0x123); }
    bool may_play() { return sound.guest.set_params(0, snd::small()) == snd::ok; }
    bool may_ask() { return ask() == scmi::success; }
    bool may_decode() { return video.may({}); }
    int32_t ask()
    {
        constexpr uint8_t rate_get = 0x6;
        return agent.status(scmi::clk, rate_get, {0});
    }
    devhost::PolicyGuest known()
    {
        devhost::PolicyGuest guest = can.known();
        for (TestDevice *device :
             {&sound.device, &commands, &video.decoder.device, &video.encoder.device}) {
            guest.devices.push_back({.name = device->name(), .id = device->info().id});
        }
        return guest;
    }

    PolicyFixture can{"whole"};
    SoundFixture sound{"whole"};
    WatchedFixture video{"whole"};
    TestDevice commands;
    scmi::ScmiGuest agent;

private:
    static DeviceParams scmi_of(const std::string &guest)
    {
        DeviceParams params = scmi::params(scmi::everything());
        params.guest = guest;
        params.policy_required = true;
        return params;
    }
};

} // namespace dh
