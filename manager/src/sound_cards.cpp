// SPDX-License-Identifier: Apache-2.0
#include "sound_cards.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sound/asound.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <vector>

#include "error.hpp"

namespace fs = std::filesystem;

namespace devhost {

namespace {

constexpr std::uint32_t cards_max = 32; // of any kernel

Error no_card(const std::string &card)
{
    return {Cause::invalid_args,
            "There is no sound card '" + card + "': load its driver, or correct the name."};
}

UniqueFd open_card_node(const fs::path &node, const std::string &card)
{
    UniqueFd fd(open(node.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd && (errno == ENOENT || errno == ENODEV)) {
        throw no_card(card);
    }
    if (!fd) {
        throw system_error(errno, "Cannot open " + node.string());
    }
    return fd;
}

bool watch(const UniqueFd &poll, const UniqueFd &fd)
{
    epoll_event event{.events = EPOLLIN, .data = {}};
    return epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
}

const char *word_of(devhost_snd_direction direction)
{
    return direction == DEVHOST_SND_PLAYBACK ? "playback" : "capture";
}

} // namespace

AlsaCards::AlsaCards(fs::path sys, fs::path dev)
    : sys_(std::move(sys)),
      dev_(std::move(dev)),
      uevents_("sound"),
      poll_(epoll_create1(EPOLL_CLOEXEC))
{
    if (!poll_ || !watch(poll_, uevents_.fd())) {
        throw system_error(errno, "Cannot watch the sound cards");
    }
}

std::string AlsaCards::id(std::uint32_t number)
{
    std::ifstream file(sys_ / "class/sound" / ("card" + std::to_string(number)) / "id");
    std::string id;
    file >> id;
    return id;
}

std::uint32_t AlsaCards::number(const std::string &card)
{
    std::uint32_t direct = 0;
    const auto [end, error] = std::from_chars(card.data(), card.data() + card.size(), direct);
    if (error == std::errc() && end == card.data() + card.size()) {
        return direct;
    }
    for (std::uint32_t number = 0; number < cards_max; number++) {
        if (id(number) == card) {
            return number;
        }
    }
    throw no_card(card);
}

UniqueFd AlsaCards::open_pcm(const SndStreamConfig &stream)
{
    const std::string name =
        std::string("the ") + word_of(stream.direction) + " PCM " + to_text(stream.pcm);
    const std::string card = std::to_string(number(stream.pcm.card));
    UniqueFd control;
    if (stream.pcm.subdevice) {
        // The preference holds for what this process opens while the file is open.
        control = open_card_node(dev_ / "snd" / ("controlC" + card), stream.pcm.card);
        int subdevice = static_cast<int>(*stream.pcm.subdevice);
        if (ioctl(control.get(), SNDRV_CTL_IOCTL_PCM_PREFER_SUBDEVICE, &subdevice) != 0) {
            throw system_error(errno, "Cannot choose a substream for " + name);
        }
    }
    const fs::path node = dev_ / "snd" /
                          ("pcmC" + card + "D" + std::to_string(stream.pcm.device) +
                           (stream.direction == DEVHOST_SND_PLAYBACK ? "p" : "c"));
    UniqueFd fd(open(node.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    const int error = errno;
    snd_pcm_info info{};
    const bool other = fd && stream.pcm.subdevice &&
                       (ioctl(fd.get(), SNDRV_PCM_IOCTL_INFO, &info) != 0 ||
                        info.subdevice != *stream.pcm.subdevice);
    if (other || (!fd && (error == EBUSY || error == EAGAIN))) {
        throw Error(Cause::device_busy, "Somebody else uses " + name +
                                            ": end that program or remove that guest's device, "
                                            "or choose another PCM.");
    }
    if (!fd && (error == ENOENT || error == ENODEV || error == ENXIO)) {
        throw Error(Cause::invalid_args, "There is no such thing as " + name +
                                             ": 'aplay -l' and 'arecord -l' list what there is.");
    }
    if (!fd) {
        throw system_error(error, "Cannot open " + name);
    }
    return fd;
}

fs::path AlsaCards::control_node(std::uint32_t card) const
{
    return dev_ / "snd" / ("controlC" + std::to_string(card));
}

UniqueFd AlsaCards::open_card(const std::string &card)
{
    UniqueFd fd = open_card_node(control_node(number(card)), card);
    int on = 1;
    if (ioctl(fd.get(), SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS, &on) != 0) {
        throw system_error(errno, "Cannot subscribe to events of the sound card '" + card + "'");
    }
    return fd;
}

std::uint32_t AlsaCards::numid(const UniqueFd &card, const SndControlConfig &control)
{
    snd_ctl_elem_list list{};
    std::vector<snd_ctl_elem_id> ids;
    // Elements come and go: until the list is whole.
    do {
        ids.resize(list.count);
        list.space = static_cast<unsigned>(ids.size());
        list.pids = ids.data();
        if (ioctl(card.get(), SNDRV_CTL_IOCTL_ELEM_LIST, &list) != 0) {
            throw system_error(errno,
                               "Cannot list the controls of the sound card '" + control.card + "'");
        }
    } while (list.count > ids.size());
    for (std::uint32_t i = 0; i < list.used; i++) {
        const auto *name = reinterpret_cast<const char *>(ids[i].name);
        if (std::string_view(name, strnlen(name, sizeof(ids[i].name))) == control.name &&
            ids[i].index == control.index) {
            return ids[i].numid;
        }
    }
    throw Error(Cause::invalid_args, "The sound card '" + control.card + "' has no control '" +
                                         control.name + "' with index " +
                                         std::to_string(control.index) + ": 'amixer -c " +
                                         control.card + " controls' lists what it has.");
}

SndCardEvents AlsaCards::read_events()
{
    return {.come = uevents_.read().come, .levels = read_mixers()};
}

void open_stream(SoundCards &cards, const SndDeviceConfig &config, std::uint32_t id,
                 SndFiles &files)
{
    files.pcms[id] = cards.open_pcm(config.streams.at(id));
}

void open_control(SoundCards &cards, const SndDeviceConfig &config, std::uint32_t id,
                  SndFiles &files)
{
    const SndControlConfig &control = config.controls.at(id);
    auto found = files.cards.find(control.card);
    if (found == files.cards.end()) {
        found = files.cards.emplace(control.card, cards.open_card(control.card)).first;
    }
    files.controls[id] = {.card = control.card, .numid = cards.numid(found->second, control)};
}

SndFiles open_all(SoundCards &cards, const SndDeviceConfig &config)
{
    SndFiles files;
    for (std::uint32_t id = 0; id < config.streams.size(); id++) {
        open_stream(cards, config, id, files);
    }
    for (std::uint32_t id = 0; id < config.controls.size(); id++) {
        open_control(cards, config, id, files);
    }
    return files;
}

} // namespace devhost
