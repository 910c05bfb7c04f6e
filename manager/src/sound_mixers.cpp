// SPDX-License-Identifier: Apache-2.0
//
// Control elements of the host's mixers: what streams are heard with.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/devhost_mix.h>
#include <sound/asound.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.hpp"
#include "sound_cards.hpp"

namespace devhost {

namespace {

std::string text_of(const unsigned char *text, std::size_t size)
{
    const auto *start = reinterpret_cast<const char *>(text);
    return {start, strnlen(start, size)};
}

bool is_mixer(const UniqueFd &card)
{
    snd_ctl_card_info info{};
    return ioctl(card.get(), SNDRV_CTL_IOCTL_CARD_INFO, &info) == 0 &&
           text_of(info.driver, sizeof(info.driver)) == DEVHOST_MIX_DRIVER;
}

snd_ctl_elem_value element(const std::string &name)
{
    snd_ctl_elem_value value{};
    value.id.iface = SNDRV_CTL_ELEM_IFACE_MIXER;
    const std::size_t length = std::min(name.size(), sizeof(value.id.name) - 1);
    std::memcpy(value.id.name, name.data(), length);
    return value;
}

long read_element(const UniqueFd &card, const std::string &name)
{
    snd_ctl_elem_value value = element(name);
    if (ioctl(card.get(), SNDRV_CTL_IOCTL_ELEM_READ, &value) != 0) {
        throw system_error(errno, "Cannot read the control '" + name + "'");
    }
    return value.value.integer.value[0];
}

void write_element(const UniqueFd &card, const std::string &name, long number)
{
    snd_ctl_elem_value value = element(name);
    value.value.integer.value[0] = number;
    if (ioctl(card.get(), SNDRV_CTL_IOCTL_ELEM_WRITE, &value) < 0) {
        throw system_error(errno, "Cannot set the control '" + name + "'");
    }
}

// The elements of a port begin with its name.
std::string prefix(const UniqueFd &card, const SndPlace &place)
{
    const bool playback = place.direction == DEVHOST_SND_PLAYBACK;
    snd_pcm_info info{};
    info.device = place.device;
    info.stream = playback ? SNDRV_PCM_STREAM_PLAYBACK : SNDRV_PCM_STREAM_CAPTURE;
    if (ioctl(card.get(), SNDRV_CTL_IOCTL_PCM_INFO, &info) != 0) {
        throw system_error(errno, "Cannot read the name of a mixer's port");
    }
    return text_of(info.name, sizeof(info.name)) + (playback ? " Playback " : " Capture ");
}

} // namespace

// The control file of a mixer, nullptr where the card is none.
const UniqueFd *AlsaCards::mixer(std::uint32_t card)
{
    if (const auto found = mixers_.find(card); found != mixers_.end()) {
        return &found->second;
    }
    UniqueFd fd(::open(control_node(card).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    int on = 1;
    epoll_event event{.events = EPOLLIN, .data = {}};
    if (!fd || !is_mixer(fd) || ioctl(fd.get(), SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS, &on) != 0 ||
        epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
        return nullptr;
    }
    return &mixers_.emplace(card, std::move(fd)).first->second;
}

// True where something changed; a card that is gone is forgotten.
bool AlsaCards::read_mixers()
{
    bool changed = false;
    for (auto each = mixers_.begin(); each != mixers_.end();) {
        snd_ctl_event event{};
        ssize_t length = 0;
        while ((length = read(each->second.get(), &event, sizeof(event))) > 0) {
            changed = true;
        }
        if (length < 0 && errno == ENODEV) {
            each = mixers_.erase(each);
        } else {
            ++each;
        }
    }
    return changed;
}

void AlsaCards::set_element(const std::string &card, const std::string &name, long value)
{
    const UniqueFd fd(::open(control_node(number(card)).c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) {
        throw system_error(errno, "Cannot open the sound card '" + card + "'");
    }
    write_element(fd, name, value);
}

std::optional<SndLevel> AlsaCards::level(const SndPlace &place)
{
    const UniqueFd *card = mixer(place.card);
    if (card == nullptr) {
        return std::nullopt;
    }
    try {
        const std::string port = prefix(*card, place);
        return SndLevel{.volume = volume_decibels(read_element(*card, port + "Volume")),
                        .mute = read_element(*card, port + "Switch") == 0};
    } catch (const Error &) {
        return std::nullopt; // it goes
    }
}

void AlsaCards::set_level(const SndPlace &place, const SndLevel &level)
{
    const UniqueFd *card = mixer(place.card);
    if (card == nullptr) {
        throw Error(Cause::not_supported, "The stream is on no mixer.");
    }
    const std::string port = prefix(*card, place);
    // What was set more finely, and is not to change, stays.
    if (volume_decibels(read_element(*card, port + "Volume")) != level.volume) {
        write_element(*card, port + "Volume", volume_steps(level.volume));
    }
    write_element(*card, port + "Switch", level.mute ? 0 : 1);
}

} // namespace devhost
