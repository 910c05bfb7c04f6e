// SPDX-License-Identifier: Apache-2.0
//
// The mixers of the host: made as their files say, and again when a card that they stand on is
// back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mixer_config.hpp"
#include "sound_cards.hpp"

namespace devhost {

struct MixerInfo {
    std::string name;
    std::uint32_t rate = 0;
    std::uint32_t channels = 0;
    bool playback = false;
    bool capture = false;
    std::vector<std::string> ports;
};

struct MixerFiles {
    UniqueFd playback, capture;
};

/// The kernel's mixers. Calls throw Error. A fake takes its place in tests.
class MixerKernel {
public:
    virtual ~MixerKernel() = default;
    virtual std::vector<MixerInfo> mixers() = 0;
    virtual void create(const MixerConfig &mixer, const MixerFiles &files) = 0;
    virtual void remove(const std::string &name) = 0;
};

class Mixers {
public:
    /// Is told what could not be done.
    using Report = std::function<void(const MixerConfig &mixer, const std::string &problem)>;

    Mixers(MixerKernel &kernel, SoundCards &cards) : kernel_(kernel), cards_(cards) {}

    /// From now on these are wanted. One that is there stays untouched, with whatever was changed
    /// since, unless @p all.
    void configure(std::vector<MixerConfig> wanted, bool all, const Report &report);
    /// Makes those that are missing and can be there by now.
    void refresh();

private:
    void make(const MixerConfig &mixer);
    void set(const MixerConfig &mixer);
    void remove_others(const std::vector<MixerConfig> &wanted, const Report &report);

    MixerKernel &kernel_;
    SoundCards &cards_;
    std::vector<MixerConfig> wanted_;
};

} // namespace devhost
