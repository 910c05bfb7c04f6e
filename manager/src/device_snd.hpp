// SPDX-License-Identifier: Apache-2.0
//
// [device.snd]: a device on PCMs and control elements of the host's sound cards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <linux/devhost.h>

#include "config_tree.hpp"

namespace devhost {

// "hw:CARD,DEVICE[,SUBDEVICE]", the card by its id or number.
struct SndPcmName {
    std::string card;
    std::uint32_t device = 0;
    std::optional<std::uint32_t> subdevice;

    bool operator==(const SndPcmName &) const = default;
};

std::string to_text(const SndPcmName &pcm);
std::optional<SndPcmName> pcm_named(std::string_view text);

struct SndStreamConfig {
    SndPcmName pcm;
    devhost_snd_direction direction = DEVHOST_SND_PLAYBACK;
    std::uint32_t node = 0; // streams of a node are one PCM device of the guest
    std::uint32_t channels_max = 255;
    std::uint32_t rate_max = 384'000;     // frames/s
    std::uint32_t period_min = 0;         // microseconds
    std::uint32_t buffer_max = 4'194'304; // bytes

    bool operator==(const SndStreamConfig &) const = default;
};

struct SndJackConfig {
    std::uint32_t node = 0;
    std::uint32_t default_config = 0; // HD Audio pin default configuration
    std::uint32_t capabilities = 0;   // HD Audio pin capabilities
    bool connected = true;

    bool operator==(const SndJackConfig &) const = default;
};

struct SndControlConfig {
    std::string card; // id or number
    std::string name; // of the element
    std::uint32_t index = 0;
    std::uint32_t role = 0; // DEVHOST_A_SND_CONTROL_ROLE
    bool read_only = false;

    bool operator==(const SndControlConfig &) const = default;
};

struct SndDeviceConfig {
    std::vector<SndStreamConfig> streams;
    std::vector<SndJackConfig> jacks;
    std::vector<SndControlConfig> controls;

    bool operator==(const SndDeviceConfig &) const = default;
};

SndDeviceConfig snd_device_from(TableReader table);

} // namespace devhost
