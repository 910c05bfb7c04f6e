// SPDX-License-Identifier: Apache-2.0
#include "video_policy.hpp"

namespace devhost {

namespace {

constexpr std::uint32_t size_max = 65535; // pixels, of a side
constexpr std::int64_t pixels_max = std::int64_t{size_max} * size_max;
constexpr std::int64_t pixels_per_second_max = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t bitrate_max = VideoLimits::any - 1;

// One, or an array of them.
std::vector<std::uint32_t> read_formats(TableReader &table)
{
    std::vector<std::uint32_t> formats;
    const Setting *setting = table.raw("format");

    if (!setting) {
        return formats;
    }
    const SettingList *list = std::get_if<SettingList>(&setting->value);
    if (list && list->empty()) {
        table.fail("format", R"(must be a coded format, as "H264", or an array of them)");
    }
    for (const Setting &item : list ? *list : SettingList{*setting}) {
        // Through a reader of its own, for the checks and messages of words.
        const Setting one{SettingTable{{"format", item}}, setting->line};
        TableReader reader(one, table.file(), table.where());
        formats.push_back(
            static_cast<std::uint32_t>(reader.word("format", video_formats).value_or(0)));
    }
    std::ranges::sort(formats);
    const auto rest = std::ranges::unique(formats);
    formats.erase(rest.begin(), rest.end());
    return formats;
}

std::uint64_t read_pixels(TableReader &table, std::string_view key, std::int64_t max)
{
    const auto pixels = table.number(key, 1, max);

    return pixels ? static_cast<std::uint64_t>(*pixels) : VideoLimits::any64;
}

VideoLimits read_limits(TableReader &table, bool encoder)
{
    VideoLimits limits;

    limits.width_max = table.small_number("width_max", 1, size_max).value_or(limits.width_max);
    limits.height_max = table.small_number("height_max", 1, size_max).value_or(limits.height_max);
    limits.pixels_max = read_pixels(table, "pixels_max", pixels_max);
    limits.pixels_per_second_max =
        read_pixels(table, "pixels_per_second_max", pixels_per_second_max);
    if (encoder) {
        limits.bitrate_max =
            table.small_number("bitrate_max", 1, bitrate_max).value_or(limits.bitrate_max);
    } else if (table.has("bitrate_max")) {
        table.fail("bitrate_max", "is for encoders only: a decoder's stream has the rate it has");
    }
    return limits;
}

VideoRule read_rule(TableReader table, bool encoder)
{
    VideoRule rule;

    read_head(table, rule);
    rule.formats = read_formats(table);
    rule.limits = read_limits(table, encoder);
    refuse_limits_of_deny(table, rule, rule.limits != VideoLimits{}, "a limit");
    table.finish();
    return rule;
}

VideoList read_list(TableReader table, bool encoder)
{
    VideoList list;

    list.otherwise = read_default(table);
    list.streams_max =
        table.small_number("streams_max", 1, list.streams_max).value_or(list.streams_max);
    list.limits = read_limits(table, encoder);
    list.rules = read_rules<VideoRule>(
        table, [&](const TableReader &rule) { return read_rule(rule, encoder); });
    table.finish();
    return list;
}

void put_number(SettingTable &table, const char *key, std::uint64_t value, std::uint64_t any)
{
    if (value != any) {
        table[key] = {static_cast<std::int64_t>(value)};
    }
}

void put_limits(SettingTable &table, const VideoLimits &limits)
{
    put_number(table, "width_max", limits.width_max, VideoLimits::any);
    put_number(table, "height_max", limits.height_max, VideoLimits::any);
    put_number(table, "pixels_max", limits.pixels_max, VideoLimits::any64);
    put_number(table, "pixels_per_second_max", limits.pixels_per_second_max, VideoLimits::any64);
    put_number(table, "bitrate_max", limits.bitrate_max, VideoLimits::any);
}

SettingTable video_rule_table(const VideoRule &rule)
{
    SettingTable table;

    put_head(table, rule);
    if (!rule.formats.empty()) {
        SettingList formats;
        for (const std::uint32_t format : rule.formats) {
            formats.push_back({std::string(video_formats.at(format))});
        }
        table["format"] = {std::move(formats)};
    }
    put_limits(table, rule.limits);
    return table;
}

SettingTable list_table(const VideoList &list)
{
    SettingTable table;

    table["default"] = verdict_word(list.otherwise);
    put_number(table, "streams_max", list.streams_max, DEVHOST_VIDEO_STREAMS_LIMIT);
    put_limits(table, list.limits);
    put_rules(table, list.rules, video_rule_table);
    return table;
}

} // namespace

VideoPolicy video_policy_from(TableReader table)
{
    VideoPolicy policy;

    if (auto decode = table.table("decode")) {
        policy.decode = read_list(*decode, false);
    }
    if (auto encode = table.table("encode")) {
        policy.encode = read_list(*encode, true);
    }
    table.finish();
    return policy;
}

Setting to_setting(const VideoPolicy &policy)
{
    return {SettingTable{{"decode", {list_table(policy.decode)}},
                         {"encode", {list_table(policy.encode)}}}};
}

} // namespace devhost
