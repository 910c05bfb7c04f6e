// SPDX-License-Identifier: Apache-2.0
#include "snd_policy.hpp"

#include <array>

namespace devhost {

namespace {

// Those that virtio has.
constexpr std::array<std::uint32_t, 14> all_rates{5512,  8000,   11025,  16000, 22050,
                                                  32000, 44100,  48000,  64000, 88200,
                                                  96000, 176400, 192000, 384000};
constexpr std::uint32_t period_max = 10'000'000;

std::vector<std::uint32_t> read_rates(TableReader &table)
{
    std::vector<std::uint32_t> rates;
    const Setting *setting = table.raw("rates");

    if (!setting) {
        return rates;
    }
    const SettingList *list = std::get_if<SettingList>(&setting->value);
    if (!list || list->empty()) {
        table.fail("rates", "must be an array of rates, as in [44100, 48000]");
    }
    for (const Setting &item : *list) {
        const std::int64_t *rate = std::get_if<std::int64_t>(&item.value);
        if (!rate || std::ranges::find(all_rates, *rate) == all_rates.end()) {
            table.fail("rates", "must have rates that virtio has: 5512, 8000, 11025, 16000, 22050, "
                                "32000, 44100, 48000, 64000, 88200, 96000, 176400, 192000, 384000");
        }
        rates.push_back(static_cast<std::uint32_t>(*rate));
    }
    std::ranges::sort(rates);
    const auto rest = std::ranges::unique(rates);
    rates.erase(rest.begin(), rest.end());
    return rates;
}

SndLimits read_limits(TableReader &table)
{
    SndLimits limits;

    limits.channels_max =
        table.small_number("channels_max", 1, snd_channels_max).value_or(limits.channels_max);
    limits.rates = read_rates(table);
    limits.period_min = table.small_number("period_min", 0, period_max).value_or(limits.period_min);
    return limits;
}

SndStreamRule read_stream_rule(TableReader table)
{
    SndStreamRule rule;

    read_head(table, rule);
    rule.stream = table.small_number("stream", 0, DEVHOST_SND_STREAMS_MAX - 1);
    rule.limits = read_limits(table);
    refuse_limits_of_deny(table, rule, rule.limits != SndLimits{}, "a limit");
    table.finish();
    return rule;
}

SndStreamPolicy read_streams(TableReader table)
{
    SndStreamPolicy streams;

    streams.otherwise = read_default(table);
    streams.streams_max =
        table.small_number("streams_max", 1, streams.streams_max).value_or(streams.streams_max);
    streams.limits = read_limits(table);
    streams.rules = read_rules<SndStreamRule>(table, read_stream_rule);
    table.finish();
    return streams;
}

std::uint32_t read_volume(TableReader &table)
{
    return table.small_number("volume_max", 0, snd_volume_max).value_or(snd_volume_max);
}

SndControlRule read_control_rule(TableReader table, const PolicyItems *items)
{
    SndControlRule rule;

    read_head(table, rule);
    rule.control =
        read_item(table, "control", DEVHOST_SND_CONTROLS_MAX - 1, "control", rule.device, items);
    if (const auto role = table.word("role", {"volume", "mute", "gain"})) {
        rule.role = static_cast<SndRole>(*role + 1);
    }
    if (const auto direction = table.word("direction", {"playback", "capture"})) {
        rule.direction = static_cast<devhost_snd_direction>(*direction);
    }
    rule.volume_max = read_volume(table);
    refuse_limits_of_deny(table, rule, rule.volume_max != snd_volume_max, "volume_max");
    table.finish();
    return rule;
}

SndControlPolicy read_controls(TableReader table, const PolicyItems *items)
{
    SndControlPolicy controls;

    controls.otherwise = read_default(table);
    controls.volume_max = read_volume(table);
    controls.rules = read_rules<SndControlRule>(
        table, [&](const TableReader &rule) { return read_control_rule(rule, items); });
    table.finish();
    return controls;
}

void put_limits(SettingTable &table, const SndLimits &limits)
{
    if (limits.channels_max != snd_channels_max) {
        table["channels_max"] = number(limits.channels_max);
    }
    if (!limits.rates.empty()) {
        SettingList rates;
        std::ranges::transform(limits.rates, std::back_inserter(rates), number);
        table["rates"] = {std::move(rates)};
    }
    if (limits.period_min != 0) {
        table["period_min"] = number(limits.period_min);
    }
}

void put_volume(SettingTable &table, std::uint32_t volume_max)
{
    if (volume_max != snd_volume_max) {
        table["volume_max"] = number(volume_max);
    }
}

SettingTable stream_rule_table(const SndStreamRule &rule)
{
    SettingTable table;

    put_head(table, rule);
    if (rule.stream) {
        table["stream"] = number(*rule.stream);
    }
    put_limits(table, rule.limits);
    return table;
}

SettingTable streams_table(const SndStreamPolicy &streams)
{
    SettingTable table;

    table["default"] = verdict_word(streams.otherwise);
    if (streams.streams_max != DEVHOST_SND_STREAMS_MAX) {
        table["streams_max"] = number(streams.streams_max);
    }
    put_limits(table, streams.limits);
    put_rules(table, streams.rules, stream_rule_table);
    return table;
}

SettingTable control_rule_table(const SndControlRule &rule)
{
    SettingTable table;

    put_head(table, rule);
    if (rule.control) {
        table["control"] = number(*rule.control);
    }
    if (rule.role) {
        constexpr std::array words{"", "volume", "mute", "gain"};
        table["role"] = {std::string(words.at(static_cast<std::size_t>(*rule.role)))};
    }
    if (rule.direction) {
        table["direction"] = {
            std::string(*rule.direction == DEVHOST_SND_PLAYBACK ? "playback" : "capture")};
    }
    put_volume(table, rule.volume_max);
    return table;
}

SettingTable controls_table(const SndControlPolicy &controls)
{
    SettingTable table;

    table["default"] = verdict_word(controls.otherwise);
    put_volume(table, controls.volume_max);
    put_rules(table, controls.rules, control_rule_table);
    return table;
}

} // namespace

bool SndPolicy::names_devices() const
{
    return any_names_device(playback.rules) || any_names_device(capture.rules) ||
           any_names_device(control.rules);
}

SndPolicy snd_policy_from(TableReader table, const PolicyItems *items)
{
    SndPolicy policy;

    if (auto playback = table.table("playback")) {
        policy.playback = read_streams(*playback);
    }
    if (auto capture = table.table("capture")) {
        policy.capture = read_streams(*capture);
    }
    if (auto control = table.table("control")) {
        policy.control = read_controls(*control, items);
    }
    table.finish();
    return policy;
}

Setting to_setting(const SndPolicy &policy)
{
    return {SettingTable{{"playback", {streams_table(policy.playback)}},
                         {"capture", {streams_table(policy.capture)}},
                         {"control", {controls_table(policy.control)}}}};
}

} // namespace devhost
