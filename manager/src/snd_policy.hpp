// SPDX-License-Identifier: Apache-2.0
//
// What a guest may do with its sound devices, as people and D-Bus clients state it.
#pragma once

#include <linux/devhost.h>

#include "policy_rule.hpp"

namespace devhost {

inline constexpr std::uint32_t snd_channels_max = 255;
inline constexpr std::uint32_t snd_volume_max = 100;

// What a stream may ask for. The defaults are no limits.
struct SndLimits {
    std::uint32_t channels_max = snd_channels_max;
    std::vector<std::uint32_t> rates; // frames/s; empty: all
    std::uint32_t period_min = 0;     // microseconds

    bool operator==(const SndLimits &) const = default;
};

struct SndStreamRule : PolicyRule {
    std::optional<std::uint32_t> stream; // number in the device; none: all
    SndLimits limits;

    bool operator==(const SndStreamRule &) const = default;
};

// Streams of one direction: the first rule that matches decides.
struct SndStreamPolicy {
    Verdict otherwise = Verdict::deny;
    std::uint32_t streams_max = DEVHOST_SND_STREAMS_MAX; // that run at a time on a device
    SndLimits limits;                                    // nothing lifts them
    std::vector<SndStreamRule> rules;

    bool operator==(const SndStreamPolicy &) const = default;
};

// Values are those of virtio.
enum class SndRole { volume = 1, mute, gain };

struct SndControlRule : PolicyRule {
    std::optional<std::uint32_t> control; // number in the device; none: all
    std::optional<SndRole> role;
    std::optional<devhost_snd_direction> direction;
    std::uint32_t volume_max = snd_volume_max; // percent of the range

    bool operator==(const SndControlRule &) const = default;
};

// Control elements that are written: the first rule that matches decides.
struct SndControlPolicy {
    Verdict otherwise = Verdict::deny;
    std::uint32_t volume_max = snd_volume_max; // of volumes and gains; nothing lifts it
    std::vector<SndControlRule> rules;

    bool operator==(const SndControlPolicy &) const = default;
};

struct SndPolicy {
    SndStreamPolicy playback;
    SndStreamPolicy capture;
    SndControlPolicy control;

    bool names_devices() const;
    bool operator==(const SndPolicy &) const = default;
};

// The form that [policy.snd] in TOML, and the dictionary on D-Bus, have.
SndPolicy snd_policy_from(TableReader table, const PolicyItems *items);
Setting to_setting(const SndPolicy &policy);

// Why requests that a rule allows were refused; these are counted at the rule, too.
struct SndListCounters : RuleListCounters {
    std::uint64_t streams = 0;
    std::uint64_t channels = 0;
    std::uint64_t rate = 0;
    std::uint64_t period = 0;
    std::uint64_t volume = 0;
};

struct SndCounters {
    SndListCounters playback;
    SndListCounters capture;
    SndListCounters control;
};

} // namespace devhost
