// SPDX-License-Identifier: Apache-2.0
#include "mixers.hpp"

#include <algorithm>

#include "error.hpp"
#include "journal.hpp"

namespace devhost {

namespace {

bool matches(const MixerInfo &info, const MixerConfig &mixer)
{
    return info.rate == mixer.rate && info.channels == mixer.channels &&
           info.playback == mixer.playback.has_value() &&
           info.capture == mixer.capture.has_value() &&
           std::ranges::equal(info.ports, mixer.ports, {}, {}, &MixerPortConfig::name);
}

const MixerInfo *find(const std::vector<MixerInfo> &mixers, const std::string &name)
{
    const auto found = std::ranges::find(mixers, name, &MixerInfo::name);
    return found == mixers.end() ? nullptr : &*found;
}

const MixerConfig *find(const std::vector<MixerConfig> &mixers, const std::string &name)
{
    const auto found = std::ranges::find(mixers, name, &MixerConfig::name);
    return found == mixers.end() ? nullptr : &*found;
}

UniqueFd open_host(SoundCards &cards, const std::optional<SndPcmName> &pcm,
                   devhost_snd_direction direction)
{
    if (!pcm) {
        return {};
    }
    SndStreamConfig stream;
    stream.pcm = *pcm;
    stream.direction = direction;
    return cards.open_pcm(stream);
}

} // namespace

void Mixers::make(const MixerConfig &mixer)
{
    {
        const MixerFiles files{.playback = open_host(cards_, mixer.playback, DEVHOST_SND_PLAYBACK),
                               .capture = open_host(cards_, mixer.capture, DEVHOST_SND_CAPTURE)};
        kernel_.create(mixer, files);
    }
    log_info({}, "the mixer '" + mixer.name + "' was created.");
    set(mixer);
}

void Mixers::set(const MixerConfig &mixer)
{
    const auto put = [&](const std::string &element, long value) {
        cards_.set_element(mixer.name, element, value);
    };
    for (const MixerPortConfig &port : mixer.ports) {
        if (mixer.playback) {
            put(port.name + " Playback Volume", volume_steps(port.playback.volume));
            put(port.name + " Playback Switch", port.playback.mute ? 0 : 1);
            put(port.name + " Playback Priority", port.priority);
        }
        if (mixer.capture) {
            put(port.name + " Capture Volume", volume_steps(port.capture.volume));
            put(port.name + " Capture Switch", port.capture.mute ? 0 : 1);
        }
    }
    if (mixer.playback) {
        put("Duck Playback Volume", volume_steps(mixer.duck));
        put("Duck Playback Time", mixer.duck_time);
    }
}

// Those that nobody wants any more, or not as they are.
void Mixers::remove_others(const std::vector<MixerConfig> &wanted, const Report &report)
{
    const std::vector<MixerInfo> present = kernel_.mixers();
    for (const MixerInfo &info : present) {
        const MixerConfig *before = find(wanted_, info.name);
        const MixerConfig *now = find(wanted, info.name);
        if (now == nullptr
                ? before == nullptr // somebody else's
                : matches(info, *now) && (before == nullptr || same_shape(*before, *now))) {
            continue;
        }
        try {
            kernel_.remove(info.name);
            log_info({}, "the mixer '" + info.name + "' was removed.");
        } catch (const Error &error) {
            report(now == nullptr ? *before : *now, error.what());
        }
    }
}

void Mixers::configure(std::vector<MixerConfig> wanted, bool all, const Report &report)
{
    if (wanted.empty() && wanted_.empty()) {
        return; // the module need not be there
    }
    if (all) {
        remove_others(wanted, report);
    }
    wanted_ = std::move(wanted);
    const std::vector<MixerInfo> present = kernel_.mixers();
    for (const MixerConfig &mixer : wanted_) {
        try {
            if (find(present, mixer.name) == nullptr) {
                make(mixer);
            } else if (all) {
                set(mixer);
            }
        } catch (const Error &error) {
            report(mixer, error.what());
        }
    }
}

void Mixers::refresh()
{
    if (wanted_.empty()) {
        return;
    }
    const std::vector<MixerInfo> present = kernel_.mixers();
    for (const MixerConfig &mixer : wanted_) {
        if (find(present, mixer.name) != nullptr) {
            continue;
        }
        try {
            make(mixer);
        } catch (const Error &error) {
            if (error.cause() != Cause::invalid_args) { // its card is not there
                log_error({}, error.what());
            }
        }
    }
}

} // namespace devhost
