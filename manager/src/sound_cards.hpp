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

    /// Readable when read_events() has something.
    [[nodiscard]] virtual int event_fd() const = 0;
    /// True when cards may have come.
    virtual bool read_events() = 0;
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
    [[nodiscard]] int event_fd() const override { return events_.get(); }
    bool read_events() override;

private:
    [[nodiscard]] std::uint32_t number(const std::string &card);

    std::filesystem::path sys_, dev_;
    UniqueFd events_;
};

} // namespace devhost
