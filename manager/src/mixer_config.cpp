// SPDX-License-Identifier: Apache-2.0
#include "mixer_config.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <linux/devhost_mix.h>
#include <sound/asound.h>
#include <utility>

#include "config_toml.hpp"
#include "error.hpp"

namespace devhost {

namespace {

constexpr std::size_t card_length_max = 15;

constexpr std::array<std::string_view, 4> format_words = {"S16", "S24_3", "S24", "S32"};
constexpr std::array<std::uint32_t, 4> format_numbers = {
    static_cast<std::uint32_t>(SNDRV_PCM_FORMAT_S16_LE),
    static_cast<std::uint32_t>(SNDRV_PCM_FORMAT_S24_3LE),
    static_cast<std::uint32_t>(SNDRV_PCM_FORMAT_S24_LE),
    static_cast<std::uint32_t>(SNDRV_PCM_FORMAT_S32_LE)};

// As ALSA takes it; one that begins with a digit would be taken for a card's number.
bool is_card_id(std::string_view name)
{
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    return !name.empty() && name.size() <= card_length_max && letter(name.front()) &&
           std::ranges::all_of(
               name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

int volume_from(TableReader &table, std::string_view key, int absent)
{
    return static_cast<int>(table.number(key, volume_min, 0).value_or(absent));
}

MixerPortConfig port_from(TableReader table)
{
    MixerPortConfig port;

    const auto name = table.text("name", DEVHOST_MIX_PORT_NAME_MAX);
    if (!name || name->empty()) {
        table.fail(table.where() + " needs a name, as 'Music'");
    }
    port.name = *name;
    port.priority = table.small_number("priority", 0, DEVHOST_MIX_PRIORITY_MAX).value_or(0);
    port.playback = {.volume = volume_from(table, "volume", 0),
                     .mute = table.boolean("mute").value_or(false)};
    port.capture = {.volume = volume_from(table, "capture_volume", 0),
                    .mute = table.boolean("capture_mute").value_or(false)};
    table.finish();
    return port;
}

std::optional<SndPcmName> pcm_from(TableReader &table, std::string_view key)
{
    const auto text = table.text(key);
    if (!text) {
        return std::nullopt;
    }
    const auto pcm = pcm_named(*text);
    if (!pcm) {
        table.fail(key, "must be \"hw:CARD,DEVICE\" or \"hw:CARD,DEVICE,SUBDEVICE\", with the "
                        "card's id or number");
    }
    return pcm;
}

void ports_from(TableReader &table, MixerConfig &mixer)
{
    for (TableReader &each : table.tables("port")) {
        const unsigned line = each.line();
        MixerPortConfig port = port_from(std::move(each));
        if (std::ranges::find(mixer.ports, port.name, &MixerPortConfig::name) !=
            mixer.ports.end()) {
            throw ConfigError(table.file(), line, "two ports have the name '" + port.name + "'");
        }
        mixer.ports.push_back(std::move(port));
    }
    if (mixer.ports.empty()) {
        table.fail("a mixer needs a [[port]] at least");
    }
    if (mixer.ports.size() > DEVHOST_MIX_PORTS_MAX) {
        table.fail("port", "has " + std::to_string(mixer.ports.size()) +
                               " entries; a mixer takes " + std::to_string(DEVHOST_MIX_PORTS_MAX));
    }
}

} // namespace

long volume_steps(int decibels)
{
    return decibels <= volume_min ? 0 : DEVHOST_MIX_VOLUME_MAX + 2L * decibels;
}

int volume_decibels(long steps)
{
    // A half is rounded down, so that nothing but silence is -64.
    return steps <= 0 ? volume_min : static_cast<int>((steps - DEVHOST_MIX_VOLUME_MAX - 1) / 2);
}

bool same_shape(const MixerConfig &a, const MixerConfig &b)
{
    return a.name == b.name && a.playback == b.playback && a.capture == b.capture &&
           a.rate == b.rate && a.channels == b.channels && a.format == b.format &&
           a.period == b.period && a.periods == b.periods &&
           std::ranges::equal(a.ports, b.ports, {}, &MixerPortConfig::name, &MixerPortConfig::name);
}

MixerConfig parse_mixer(std::string_view text, std::string name, const std::string &file)
{
    const Setting tree = parse_toml(text, file);
    TableReader table(tree, file, "");
    MixerConfig mixer;

    mixer.name = std::move(name);
    mixer.file = file;
    if (!is_card_id(mixer.name)) {
        table.fail("a mixer's file has the name of its card: a letter, then up to 14 letters, "
                   "digits and '_'");
    }
    mixer.playback = pcm_from(table, "playback");
    mixer.capture = pcm_from(table, "capture");
    if (!mixer.playback && !mixer.capture) {
        table.fail(R"(a mixer needs playback = "hw:CARD,DEVICE" or capture = "hw:CARD,DEVICE")");
    }
    mixer.rate = table.small_number("rate", 5512, 384'000).value_or(mixer.rate);
    mixer.channels =
        table.small_number("channels", 1, DEVHOST_MIX_CHANNELS_MAX).value_or(mixer.channels);
    if (const auto word = table.word("format", format_words)) {
        mixer.format = format_numbers.at(*word);
    }
    mixer.period = table.small_number("period", 500, 100'000).value_or(mixer.period);
    mixer.periods =
        table.small_number("periods", 2, DEVHOST_MIX_PERIODS_MAX).value_or(mixer.periods);
    mixer.duck = volume_from(table, "duck", mixer.duck);
    mixer.duck_time =
        table.small_number("duck_time", 0, DEVHOST_MIX_DUCK_TIME_MAX).value_or(mixer.duck_time);
    ports_from(table, mixer);
    table.finish();
    return mixer;
}

MixerConfig parse_mixer_file(const std::filesystem::path &path)
{
    std::ifstream stream(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
        throw ConfigError(path.string(), 0, "cannot be read");
    }
    return parse_mixer(text, path.stem(), path.string());
}

} // namespace devhost
