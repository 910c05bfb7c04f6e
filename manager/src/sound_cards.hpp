// SPDX-License-Identifier: Apache-2.0
//
// The host's sound cards: opening what a device is to stand on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "device_snd.hpp"
#include "mixer_config.hpp"
#include "uevents.hpp"
#include "unique_fd.hpp"

namespace devhost {

struct SndElement {
    std::string card; // names one of SndFiles::cards
    std::uint32_t numid = 0;
};

/// Open files for streams and controls of a device, by their places in its configuration.
struct SndFiles {
    std::map<std::uint32_t, UniqueFd> pcms;
    std::map<std::string, UniqueFd> cards; // control files, subscribed to events
    std::map<std::uint32_t, SndElement> controls;

    [[nodiscard]] bool empty() const { return pcms.empty() && controls.empty(); }
};

/// A PCM by the numbers of its card and device.
struct SndPlace {
    std::uint32_t card = 0;
    std::uint32_t device = 0;
    devhost_snd_direction direction = DEVHOST_SND_PLAYBACK;
};

/// What may have happened.
struct SndCardEvents {
    bool come = false;   // cards have come
    bool levels = false; // levels have changed
};

/// Throws Error. A fake takes its place in tests.
class SoundCards {
public:
    virtual ~SoundCards() = default;

    /// The id of a card by its number; empty where there is none.
    virtual std::string id(std::uint32_t number) = 0;
    virtual UniqueFd open_pcm(const SndStreamConfig &stream) = 0;
    /// A control file that is subscribed to events.
    virtual UniqueFd open_card(const std::string &card) = 0;
    /// The numid of an element on an open control file.
    virtual std::uint32_t numid(const UniqueFd &card, const SndControlConfig &control) = 0;

    /// Sets an element of one number.
    virtual void set_element(const std::string &card, const std::string &name, long value) = 0;

    /// What a PCM is heard with; empty where it is no mixer's. From then on read_events() tells of
    /// changes.
    virtual std::optional<SndLevel> level(const SndPlace &place) = 0;
    virtual void set_level(const SndPlace &place, const SndLevel &level) = 0;

    /// Readable when read_events() has something.
    [[nodiscard]] virtual int event_fd() const = 0;
    virtual SndCardEvents read_events() = 0;
};

/// Adds the files of one stream or control.
void open_stream(SoundCards &cards, const SndDeviceConfig &config, std::uint32_t id,
                 SndFiles &files);
void open_control(SoundCards &cards, const SndDeviceConfig &config, std::uint32_t id,
                  SndFiles &files);
/// All that a new device needs.
SndFiles open_all(SoundCards &cards, const SndDeviceConfig &config);

/// The kernel's.
class AlsaCards final : public SoundCards {
public:
    explicit AlsaCards(std::filesystem::path sys = "/sys", std::filesystem::path dev = "/dev");

    std::string id(std::uint32_t number) override;
    UniqueFd open_pcm(const SndStreamConfig &stream) override;
    UniqueFd open_card(const std::string &card) override;
    std::uint32_t numid(const UniqueFd &card, const SndControlConfig &control) override;
    void set_element(const std::string &card, const std::string &name, long value) override;
    std::optional<SndLevel> level(const SndPlace &place) override;
    void set_level(const SndPlace &place, const SndLevel &level) override;
    [[nodiscard]] int event_fd() const override { return poll_.get(); }
    SndCardEvents read_events() override;

private:
    [[nodiscard]] std::uint32_t number(const std::string &card);
    [[nodiscard]] std::filesystem::path control_node(std::uint32_t card) const;
    bool read_mixers();
    const UniqueFd *mixer(std::uint32_t card);

    std::filesystem::path sys_, dev_;
    Uevents uevents_;
    std::map<std::uint32_t, UniqueFd> mixers_; // control files of mixers, subscribed
    UniqueFd poll_;                            // of all that
};

} // namespace devhost
