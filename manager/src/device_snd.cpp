// SPDX-License-Identifier: Apache-2.0
#include "device_snd.hpp"

#include <algorithm>
#include <charconv>
#include <format>

namespace devhost {

namespace {

constexpr std::size_t card_length_max = 15;         // of an id, snd_card.id
constexpr std::size_t element_name_length_max = 43; // snd_ctl_elem_id.name
constexpr std::uint32_t device_max = 255;
constexpr std::uint32_t buffer_bytes_min = 4096;
constexpr std::uint32_t buffer_bytes_max = 16 << 20;

bool is_card(std::string_view card)
{
    return !card.empty() && card.size() <= card_length_max && std::ranges::all_of(card, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-';
    });
}

std::optional<std::uint32_t> number_in(std::string_view text)
{
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);

    if (error != std::errc() || end != text.data() + text.size() || number > device_max) {
        return std::nullopt;
    }
    return number;
}

SndPcmName pcm_from(TableReader &table)
{
    const auto text = table.text("pcm");

    if (!text) {
        table.fail(table.where() + " needs pcm = \"hw:CARD,DEVICE\", a PCM of the host");
    }
    const auto pcm = pcm_named(*text);
    if (!pcm) {
        table.fail("pcm", "must be \"hw:CARD,DEVICE\" or \"hw:CARD,DEVICE,SUBDEVICE\", with the "
                          "card's id or number");
    }
    return *pcm;
}

SndStreamConfig stream_from(TableReader table)
{
    SndStreamConfig stream;

    stream.pcm = pcm_from(table);
    const auto direction = table.word("direction", {"playback", "capture"});
    if (!direction) {
        table.fail(table.where() + R"( needs direction = "playback" or "capture")");
    }
    stream.direction = static_cast<devhost_snd_direction>(*direction);
    stream.node = table.small_number("node", 0, device_max).value_or(stream.node);
    stream.channels_max =
        table.small_number("channels_max", 1, stream.channels_max).value_or(stream.channels_max);
    stream.rate_max =
        table.small_number("rate_max", 5512, stream.rate_max).value_or(stream.rate_max);
    stream.period_min = table.small_number("period_min", 0, 10'000'000).value_or(stream.period_min);
    stream.buffer_max = table.small_number("buffer_max", buffer_bytes_min, buffer_bytes_max)
                            .value_or(stream.buffer_max);
    table.finish();
    return stream;
}

SndJackConfig jack_from(TableReader table)
{
    SndJackConfig jack;

    jack.node = table.small_number("node", 0, device_max).value_or(jack.node);
    jack.default_config = table.identifier("default_config", 0xffffffff).value_or(0);
    jack.capabilities = table.identifier("capabilities", 0xffffffff).value_or(0);
    jack.connected = table.boolean("connected").value_or(jack.connected);
    table.finish();
    return jack;
}

SndControlConfig control_from(TableReader table)
{
    SndControlConfig control;

    const auto card = table.text("card");
    if (!card) {
        table.fail(table.where() + " needs card = \"...\", a sound card's id or number");
    }
    if (!is_card(*card)) {
        table.fail("card", "must be the id or the number of a sound card");
    }
    control.card = *card;
    const auto name = table.text("name", element_name_length_max);
    if (!name) {
        table.fail(table.where() + " needs name = \"...\", as amixer controls shows it");
    }
    control.name = *name;
    control.index = table.small_number("index", 0, 65535).value_or(control.index);
    // The word's number is virtio's; the lowest bit is the direction.
    const auto role = table.word("role", {"any", "volume", "mute", "gain"});
    const auto direction = table.word("direction", {"playback", "capture"});
    control.role = static_cast<std::uint32_t>(role.value_or(0) << 1 | direction.value_or(0));
    control.read_only = table.boolean("read_only").value_or(control.read_only);
    table.finish();
    return control;
}

void check_count(const TableReader &table, std::string_view key, std::size_t count, std::size_t max)
{
    if (count > max) {
        table.fail(key, std::format("has {} entries; a device takes {}", count, max));
    }
}

} // namespace

std::string to_text(const SndPcmName &pcm)
{
    std::string text = std::format("hw:{},{}", pcm.card, pcm.device);

    if (pcm.subdevice) {
        text += std::format(",{}", *pcm.subdevice);
    }
    return text;
}

std::optional<SndPcmName> pcm_named(std::string_view text)
{
    constexpr std::string_view prefix = "hw:";
    std::vector<std::string_view> parts;

    if (!text.starts_with(prefix)) {
        return std::nullopt;
    }
    text.remove_prefix(prefix.size());
    for (std::size_t comma = 0; comma != std::string_view::npos;) {
        comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    if (parts.size() < 2 || parts.size() > 3 || !is_card(parts[0])) {
        return std::nullopt;
    }
    const auto device = number_in(parts[1]);
    const auto subdevice = parts.size() == 3 ? number_in(parts[2]) : std::nullopt;
    if (!device || (parts.size() == 3 && !subdevice)) {
        return std::nullopt;
    }
    return SndPcmName{.card = std::string(parts[0]), .device = *device, .subdevice = subdevice};
}

SndDeviceConfig snd_device_from(TableReader table)
{
    SndDeviceConfig snd;

    for (TableReader &stream : table.tables("stream")) {
        snd.streams.push_back(stream_from(std::move(stream)));
    }
    for (TableReader &jack : table.tables("jack")) {
        snd.jacks.push_back(jack_from(std::move(jack)));
    }
    for (TableReader &control : table.tables("control")) {
        snd.controls.push_back(control_from(std::move(control)));
    }
    if (snd.streams.empty()) {
        table.fail(table.where() + " needs a [[stream]] at least");
    }
    check_count(table, "stream", snd.streams.size(), DEVHOST_SND_STREAMS_MAX);
    check_count(table, "jack", snd.jacks.size(), DEVHOST_SND_JACKS_MAX);
    check_count(table, "control", snd.controls.size(), DEVHOST_SND_CONTROLS_MAX);
    table.finish();
    return snd;
}

} // namespace devhost
