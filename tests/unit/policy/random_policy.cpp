// SPDX-License-Identifier: Apache-2.0
#include "random_policy.hpp"

namespace devhost {

namespace {

constexpr std::uint32_t random_rates[] = {8000, 44100, 48000, 96000};

std::optional<bool> random_flag(Random &random)
{
    if (!random.once_in(3)) {
        return std::nullopt;
    }
    return random.once_in(2);
}

CanIds random_ids(Random &random, bool extended)
{
    const std::uint32_t id = random_id(random, extended);

    switch (random.below(4)) {
    case 0:
        return CanIdRange{.first = id, .last = id};
    case 1: {
        const std::uint32_t max = extended ? can_extended_id_max : can_standard_id_max;
        return CanIdRange{.first = id,
                          .last = id + static_cast<std::uint32_t>(
                                           random.below(std::min<std::uint64_t>(max - id, 8) + 1))};
    }
    case 2: {
        const std::uint32_t mask =
            (extended ? can_extended_id_max : can_standard_id_max) & ~(1U << random.below(11));
        return CanIdMask{.id = id & mask, .mask = mask};
    }
    default:
        return std::monostate{};
    }
}

RateLimit random_limit(Random &random, std::uint32_t scale)
{
    if (!random.once_in(3)) {
        return {};
    }
    return {.rate = static_cast<std::uint32_t>(1 + random.below(1000)) * scale,
            .burst = static_cast<std::uint32_t>(1 + random.below(8)) * scale};
}

Verdict random_verdict(Random &random)
{
    return random.once_in(2) ? Verdict::allow : Verdict::deny;
}

void fill_head(Random &random, PolicyRule &rule, std::size_t number, bool with_devices)
{
    if (random.once_in(2)) {
        rule.name = "rule" + std::to_string(number);
    }
    rule.verdict = random_verdict(random);
    if (with_devices && random.once_in(3)) {
        rule.device = "d" + std::to_string(random.below(3));
    }
}

template <typename Make>
auto random_rules(Random &random, bool with_devices, const Make &make)
{
    std::vector<decltype(make(random, 0, with_devices))> rules;
    const std::uint64_t count = random.once_in(8) ? policy_rules_max : random.below(12);

    for (std::size_t i = 0; i < count; ++i) {
        rules.push_back(make(random, i, with_devices));
    }
    return rules;
}

CanRule random_rule(Random &random, std::size_t number, bool with_devices)
{
    CanRule rule;
    const bool extended = random.once_in(3);

    fill_head(random, rule, number, with_devices);
    rule.ids = random_ids(random, extended);
    if (!std::holds_alternative<std::monostate>(rule.ids)) {
        rule.extended = extended;
    } else {
        rule.extended = random_flag(random);
    }
    rule.fd = random_flag(random);
    if (rule.fd != true) {
        rule.rtr = random_flag(random);
    }
    if (rule.verdict == Verdict::allow) {
        rule.frames = random_limit(random, 1);
        rule.bits = random_limit(random, 1000);
    }
    return rule;
}

CanDirection random_direction(Random &random, bool with_devices)
{
    CanDirection direction;

    direction.otherwise = random_verdict(random);
    direction.frames = random_limit(random, 2);
    direction.bits = random_limit(random, 2000);
    direction.rules = random_rules(random, with_devices, random_rule);
    return direction;
}

SndLimits random_limits(Random &random)
{
    SndLimits limits;

    if (random.once_in(3)) {
        limits.channels_max = static_cast<std::uint32_t>(1 + random.below(8));
    }
    if (random.once_in(3)) {
        limits.period_min = static_cast<std::uint32_t>(1 + random.below(10'000));
    }
    if (random.once_in(3)) {
        for (const std::uint32_t rate : random_rates) {
            if (random.once_in(2)) {
                limits.rates.push_back(rate);
            }
        }
    }
    return limits;
}

SndStreamRule random_stream_rule(Random &random, std::size_t number, bool with_devices)
{
    SndStreamRule rule;

    fill_head(random, rule, number, with_devices);
    if (random.once_in(2)) {
        rule.stream = static_cast<std::uint32_t>(random.below(4));
    }
    if (rule.verdict == Verdict::allow) {
        rule.limits = random_limits(random);
    }
    return rule;
}

SndStreamPolicy random_streams(Random &random, bool with_devices)
{
    SndStreamPolicy streams;

    streams.otherwise = random_verdict(random);
    if (random.once_in(2)) {
        streams.streams_max = static_cast<std::uint32_t>(1 + random.below(4));
    }
    if (random.once_in(2)) {
        streams.limits = random_limits(random);
    }
    streams.rules = random_rules(random, with_devices, random_stream_rule);
    return streams;
}

SndControlRule random_control_rule(Random &random, std::size_t number, bool with_devices)
{
    SndControlRule rule;

    fill_head(random, rule, number, with_devices);
    if (random.once_in(2)) {
        rule.control = static_cast<std::uint32_t>(random.below(4));
    }
    if (random.once_in(3)) {
        rule.role = static_cast<SndRole>(1 + random.below(3));
    }
    if (random.once_in(3)) {
        rule.direction = static_cast<devhost_snd_direction>(random.below(2));
    }
    if (rule.verdict == Verdict::allow && random.once_in(2)) {
        rule.volume_max = static_cast<std::uint32_t>(random.below(snd_volume_max + 1));
    }
    return rule;
}

ScmiRule random_scmi_rule(Random &random, std::size_t number, bool with_devices)
{
    ScmiRule rule;

    fill_head(random, rule, number, with_devices);
    if (random.once_in(3)) {
        return rule;
    }
    rule.protocol =
        static_cast<std::uint32_t>(scmi_protocol_first + random.below(scmi_protocols.size()));
    for (std::uint32_t message = 0; message < 8; ++message) {
        if (random.once_in(2)) {
            rule.messages.push_back(message);
        }
    }
    if (random.once_in(2)) {
        const auto first = static_cast<std::uint32_t>(random.below(4));
        rule.resources = ScmiResources{.first = first,
                                       .last = first + static_cast<std::uint32_t>(random.below(3))};
    }
    if (rule.verdict == Verdict::deny) {
        return rule;
    }
    if (!rule.messages.empty() && random.once_in(2)) {
        rule.values.min = random.below(100);
    }
    if (!rule.messages.empty() && random.once_in(2)) {
        rule.values.max = rule.values.min + random.below(100);
    }
    rule.rate = random_limit(random, 1);
    return rule;
}

VideoLimits random_video_limits(Random &random, bool encoder)
{
    VideoLimits limits;

    if (random.once_in(4)) {
        limits.width_max = static_cast<std::uint32_t>(600 + random.below(1500));
    }
    if (random.once_in(4)) {
        limits.height_max = static_cast<std::uint32_t>(400 + random.below(1000));
    }
    if (random.once_in(4)) {
        limits.pixels_max = 300'000 + random.below(2'000'000);
    }
    if (random.once_in(4)) {
        limits.pixels_per_second_max = 1 + random.below(100'000'000);
    }
    if (encoder && random.once_in(4)) {
        limits.bitrate_max = static_cast<std::uint32_t>(1 + random.below(10'000'000));
    }
    return limits;
}

VideoList random_video_list(Random &random, bool with_devices, bool encoder)
{
    VideoList list;

    list.otherwise = random_verdict(random);
    if (random.once_in(2)) {
        list.streams_max = static_cast<std::uint32_t>(1 + random.below(4));
    }
    if (random.once_in(2)) {
        list.limits = random_video_limits(random, encoder);
    }
    list.rules =
        random_rules(random, with_devices, [&](Random &source, std::size_t number, bool devices) {
            VideoRule rule;
            fill_head(source, rule, number, devices);
            for (std::uint32_t format = 0; format < video_formats.size(); ++format) {
                if (source.once_in(3)) {
                    rule.formats.push_back(format);
                }
            }
            if (rule.verdict == Verdict::allow) {
                rule.limits = random_video_limits(source, encoder);
            }
            return rule;
        });
    return list;
}

} // namespace

std::uint32_t random_id(Random &random, bool extended)
{
    const std::uint32_t max = extended ? can_extended_id_max : can_standard_id_max;

    switch (random.below(8)) {
    case 0:
        return 0;
    case 1:
        return max;
    case 2:
        return static_cast<std::uint32_t>(random.below(max + std::uint64_t{1}));
    default:
        return static_cast<std::uint32_t>(0x100 + random.below(16)) << (extended ? 18 : 0);
    }
}

CanPolicy random_policy(Random &random, bool with_devices)
{
    CanPolicy policy;

    if (random.once_in(3)) {
        policy.lowest_id = random_id(random, false);
    }
    if (random.once_in(4)) {
        policy.lowest_extended_id = random_id(random, true);
    }
    policy.transmit = random_direction(random, with_devices);
    policy.receive = random_direction(random, with_devices);
    return policy;
}

SndPolicy random_snd_policy(Random &random, bool with_devices)
{
    SndPolicy policy;

    policy.playback = random_streams(random, with_devices);
    policy.capture = random_streams(random, with_devices);
    policy.control.otherwise = random_verdict(random);
    if (random.once_in(2)) {
        policy.control.volume_max = static_cast<std::uint32_t>(random.below(snd_volume_max + 1));
    }
    policy.control.rules = random_rules(random, with_devices, random_control_rule);
    return policy;
}

ScmiPolicy random_scmi_policy(Random &random, bool with_devices)
{
    ScmiPolicy policy;

    policy.otherwise = random_verdict(random);
    policy.rate = random_limit(random, 2);
    policy.rules = random_rules(random, with_devices, random_scmi_rule);
    return policy;
}

VideoPolicy random_video_policy(Random &random, bool with_devices)
{
    return {.decode = random_video_list(random, with_devices, false),
            .encode = random_video_list(random, with_devices, true)};
}

PolicyConfig random_config(Random &random)
{
    PolicyConfig policy;
    const bool with_devices = random.once_in(2);
    const bool audit = random.once_in(3); // leaves nothing out

    policy.mode = audit ? PolicyMode::audit : PolicyMode::enforce;
    if (audit || !random.once_in(3)) {
        policy.can = random_policy(random, with_devices);
    }
    if (audit || !random.once_in(3)) {
        policy.snd = random_snd_policy(random, with_devices);
    }
    if (audit || !random.once_in(3)) {
        policy.scmi = random_scmi_policy(random, with_devices);
    }
    if (audit || !random.once_in(3)) {
        policy.video = random_video_policy(random, with_devices);
    }
    return policy;
}

} // namespace devhost
