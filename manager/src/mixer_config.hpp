// SPDX-License-Identifier: Apache-2.0
//
// A mixer's file, /etc/devhost/mixers.d/<card>.toml (docs/configuration.md): several guests on one
// PCM of the host.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config_tree.hpp"
#include "device_snd.hpp"

namespace devhost {

constexpr int volume_min = -64; // dB; silence

/// What a stream on a mixer is heard with.
struct SndLevel {
    int volume = 0; // dB
    bool mute = false;
    bool operator==(const SndLevel &) const = default;
};

/// The mixer's steps of half a decibel for whole ones, and back.
long volume_steps(int decibels);
int volume_decibels(long steps);

struct MixerPortConfig {
    std::string name;
    std::uint32_t priority = 0;
    SndLevel playback;
    SndLevel capture;
    bool operator==(const MixerPortConfig &) const = default;
};

struct MixerConfig {
    std::string name; // id of its card
    std::optional<SndPcmName> playback;
    std::optional<SndPcmName> capture;
    std::uint32_t rate = 48'000;
    std::uint32_t channels = 2;
    std::optional<std::uint32_t> format; // SNDRV_PCM_FORMAT_*; empty: the widest there is
    std::uint32_t period = 5'000;        // microseconds
    std::uint32_t periods = 3;
    int duck = -12;                // dB
    std::uint32_t duck_time = 100; // ms
    std::vector<MixerPortConfig> ports;
    std::filesystem::path file;

    bool operator==(const MixerConfig &) const = default;
};

/// Whether one can become the other without its card going away.
bool same_shape(const MixerConfig &a, const MixerConfig &b);

/// Throw ConfigError.
MixerConfig parse_mixer(std::string_view text, std::string name, const std::string &file);
MixerConfig parse_mixer_file(const std::filesystem::path &path);

} // namespace devhost
