// SPDX-License-Identifier: Apache-2.0
#include "statistics.hpp"

namespace devhost {

namespace {

void add_verdicts(std::map<std::string, std::uint64_t> &flat, const VerdictCounts &verdicts)
{
    for (std::size_t i = 0; i < verdict_words.size(); i++) {
        flat[std::string("verdict.") + verdict_words.at(i)] = verdicts.at(i);
    }
}

// What else decided, and how often.
using Reasons = std::vector<std::pair<const char *, std::uint64_t>>;

template <typename Rule>
void add_list(std::vector<CounterRow> &rows, const std::string &table,
              const std::vector<Rule> &rules, const RuleListCounters &counters,
              const Reasons &reasons)
{
    for (std::size_t i = 0; i < rules.size() && i < counters.rules.size(); i++) {
        rows.push_back({.table = table,
                        .what = std::to_string(i),
                        .name = rules[i].name,
                        .passed = counters.rules[i].passed,
                        .dropped = counters.rules[i].dropped});
    }
    const auto add = [&](const char *what, std::uint64_t passed, std::uint64_t dropped) {
        rows.push_back(
            {.table = table, .what = what, .name = {}, .passed = passed, .dropped = dropped});
    };
    add("otherwise", counters.otherwise.passed, counters.otherwise.dropped);
    for (const auto &[what, dropped] : reasons) {
        add(what, 0, dropped);
    }
    add("unknown-device", 0, counters.unknown_device);
}

void add_can(std::vector<CounterRow> &rows, const std::string &table, const CanDirection &rules,
             const CanDirectionCounters &counters)
{
    add_list(rows, table, rules.rules, counters,
             {{"priority", counters.priority}, {"guest-limit", counters.guest_limit}});
}

void add_streams(std::vector<CounterRow> &rows, const std::string &table,
                 const SndStreamPolicy &streams, const SndListCounters &counters)
{
    add_list(rows, table, streams.rules, counters,
             {{"streams", counters.streams},
              {"channels", counters.channels},
              {"rate", counters.rate},
              {"period", counters.period}});
}

void add_video(std::vector<CounterRow> &rows, const std::string &table, const VideoList &list,
               const VideoListCounters &counters)
{
    add_list(rows, table, list.rules, counters,
             {{"streams", counters.streams},
              {"size", counters.size},
              {"rate", counters.rate},
              {"bitrate", counters.bitrate}});
}

} // namespace

std::map<std::string, std::uint64_t> flat(const GuestInfo &guest)
{
    std::map<std::string, std::uint64_t> result{{"pinned", guest.pinned}};
    for (const auto &[key, value] : flat(guest.use)) {
        result["use." + key] = value;
    }
    for (const auto &[key, value] : flat(guest.refused)) {
        result["refused." + key] = value;
    }
    add_verdicts(result, guest.verdicts);
    return result;
}

std::map<std::string, std::uint64_t> flat(const DeviceStatistics &statistics)
{
    std::map<std::string, std::uint64_t> result;
    for (const QueueStatistics &queue : statistics.queues) {
        const std::string name = "queue." + name_of(queue) + ".";
        result[name + "kicks"] = queue.kicks;
        result[name + "popped"] = queue.popped;
        result[name + "pushed"] = queue.pushed;
        result[name + "notified"] = queue.notified;
        result[name + "malformed"] = queue.malformed;
        result[name + "inflight"] = queue.inflight;
    }
    for (const auto &[name, value] : statistics.counters) {
        result["counter." + name] = value;
    }
    add_verdicts(result, statistics.verdicts);
    return result;
}

std::map<std::string, std::uint64_t> flat(const std::map<std::string, QueueLatencies> &queues)
{
    std::map<std::string, std::uint64_t> result;
    const auto add = [&](const std::string &name, const LatencyCounts &counts) {
        for (const auto &[nanoseconds, count] : counts) {
            result["queue." + name + "." + std::to_string(nanoseconds)] = count;
        }
    };
    for (const auto &[name, latencies] : queues) {
        add(name + ".wait", latencies.wait);
        add(name + ".service", latencies.service);
    }
    return result;
}

std::vector<CounterRow> flat(const PolicyConfig &policy, const PolicyCounters &counters)
{
    std::vector<CounterRow> rows;
    if (policy.can && counters.can) {
        add_can(rows, "can.transmit", policy.can->transmit, counters.can->transmit);
        add_can(rows, "can.receive", policy.can->receive, counters.can->receive);
    }
    if (policy.snd && counters.snd) {
        const auto &[playback, capture, control] = *counters.snd;
        add_streams(rows, "snd.playback", policy.snd->playback, playback);
        add_streams(rows, "snd.capture", policy.snd->capture, capture);
        add_list(rows, "snd.control", policy.snd->control.rules, control,
                 {{"volume", control.volume}});
    }
    if (policy.scmi && counters.scmi) {
        add_list(rows, "scmi", policy.scmi->rules, *counters.scmi,
                 {{"value", counters.scmi->value}, {"guest-limit", counters.scmi->guest_limit}});
    }
    if (policy.video && counters.video) {
        add_video(rows, "video.decode", policy.video->decode, counters.video->decode);
        add_video(rows, "video.encode", policy.video->encode, counters.video->encode);
    }
    return rows;
}

} // namespace devhost
