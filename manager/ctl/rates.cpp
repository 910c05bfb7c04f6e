// SPDX-License-Identifier: Apache-2.0
#include "rates.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>

#include <latency.h>
#include <unistd.h>

#include "bus_paths.hpp"
#include "output.hpp"

namespace devhost::ctl {

namespace {

constexpr std::uint64_t us_a_second = 1000000;

std::uint64_t number(const Setting &value)
{
    const auto *number = std::get_if<std::int64_t>(&value.value);
    return number == nullptr ? 0 : static_cast<std::uint64_t>(*number);
}

// Measuring wants BTF of the module; all else does without.
QueueLatencies read_latencies(Client &client, const std::string &path)
{
    QueueLatencies all;
    try {
        const BusMessage answer = client.call(path, device_interface, "GetLatencies");
        const Setting counts = BusType<Setting>::read(*answer);
        for (const auto &[key, count] : std::get<SettingTable>(counts.value)) {
            const std::size_t dot = key.rfind('.');
            const std::string_view kind = std::string_view(key).substr(0, dot);
            LatencyCounts &to = kind.ends_with(".wait") ? all.wait : all.service;
            to[std::stoull(key.substr(dot + 1))] += number(count);
        }
    } catch (const Error &error) {
        if (error.cause() != Cause::not_supported) {
            throw;
        }
    }
    return all;
}

Totals read_totals(Client &client, const std::string &path, std::uint32_t worker)
{
    const BusMessage answer = client.call(path, device_interface, "GetStatistics");
    const Setting statistics = BusType<Setting>::read(*answer);
    Totals totals;

    totals.worker = worker;
    totals.cpu_us = cpu_time(worker);

    for (const auto &[key, value] : std::get<SettingTable>(statistics.value)) {
        if (key.starts_with("queue.") && key.ends_with(".popped")) {
            totals.items += number(value);
        } else if (key == "verdict.audit") {
            totals.audited += number(value);
        } else if (key.starts_with("verdict.") && key != "verdict.allow") {
            totals.denied += number(value);
        }
    }
    totals.latencies = read_latencies(client, path);
    return totals;
}

// A device that was made anew counts from 0.
std::uint64_t grown(std::uint64_t before, std::uint64_t after)
{
    return after >= before ? after - before : after;
}

LatencyCounts grown(const LatencyCounts &before, const LatencyCounts &after)
{
    LatencyCounts counts;

    for (const auto &[nanoseconds, count] : after) {
        const auto known = before.find(nanoseconds);
        const std::uint64_t more = grown(known == before.end() ? 0 : known->second, count);
        if (more != 0) {
            counts[nanoseconds] = more;
        }
    }
    return counts;
}

Rates rates_of(const Totals &before, const Totals &after, double seconds)
{
    const auto a_second = [&](std::uint64_t from, std::uint64_t to) {
        return static_cast<std::uint64_t>(
            std::llround(static_cast<double>(grown(from, to)) / seconds));
    };
    Rates rates{.items = a_second(before.items, after.items),
                .denied = a_second(before.denied, after.denied),
                .audited = a_second(before.audited, after.audited),
                .cpu_us = std::nullopt,
                .latencies = {.wait = grown(before.latencies.wait, after.latencies.wait),
                              .service = grown(before.latencies.service, after.latencies.service)}};

    if (after.cpu_us) {
        // Another thread has a time of its own.
        const bool same = before.worker == after.worker && before.cpu_us;
        rates.cpu_us = a_second(same ? *before.cpu_us : *after.cpu_us, *after.cpu_us);
    }
    return rates;
}

void add(LatencyCounts &to, const LatencyCounts &more)
{
    for (const auto &[nanoseconds, count] : more) {
        to[nanoseconds] += count;
    }
}

void add(Rates &to, const Rates &more)
{
    add(to.latencies.wait, more.latencies.wait);
    add(to.latencies.service, more.latencies.service);

    to.items += more.items;
    to.denied += more.denied;
    to.audited += more.audited;
    if (more.cpu_us) {
        to.cpu_us = to.cpu_us.value_or(0) + *more.cpu_us;
    }
}

} // namespace

std::optional<std::uint64_t> percentile(const LatencyCounts &counts, unsigned percent)
{
    std::uint64_t all = 0;
    std::uint64_t seen = 0;

    for (const auto &[nanoseconds, count] : counts) {
        all += count;
    }
    for (const auto &[nanoseconds, count] : counts) {
        seen += count;
        if (seen * 100 >= all * percent) {
            return latency_lower(latency_slot(nanoseconds) + 1);
        }
    }
    return std::nullopt;
}

// Below task/ it is the thread's own; above, that of the whole process.
std::optional<std::uint64_t> cpu_time(std::uint32_t thread)
{
    const std::string id = std::to_string(thread);
    std::ifstream stream("/proc/" + id + "/task/" + id + "/stat");
    const std::string line{std::istreambuf_iterator<char>(stream), {}};
    const std::size_t name_end = line.rfind(')'); // the name may have anything in it
    constexpr unsigned fields_before = 11;        // state to cmajflt
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    std::string field;

    if (thread == 0 || name_end == std::string::npos) {
        return std::nullopt;
    }
    std::istringstream fields(line.substr(name_end + 1));
    for (unsigned i = 0; i < fields_before; i++) {
        fields >> field;
    }
    if (!(fields >> user >> system)) {
        return std::nullopt;
    }
    return (user + system) * us_a_second / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
}

Sample read_sample(Client &client)
{
    Sample sample{.time = std::chrono::steady_clock::now(), .guests = {}};
    const Setting all = client.objects();

    for (const auto &[path, interfaces] : std::get<SettingTable>(all.value)) {
        const Setting &guest = at(interfaces, guest_interface);
        const Setting &device = at(interfaces, device_interface);
        if (std::holds_alternative<SettingTable>(guest.value)) {
            sample.guests[text_at(guest, "Name")];
        } else if (std::holds_alternative<SettingTable>(device.value)) {
            const auto worker = static_cast<std::uint32_t>(number(at(device, "WorkerThread")));
            try {
                sample.guests[text_at(device, "Guest")][text_at(device, "Name")] =
                    read_totals(client, path, worker);
            } catch (const Error &) {
                continue; // it went meanwhile; where it was the daemon, the next sample fails
            }
        }
    }
    return sample;
}

std::vector<GuestRates> rates_between(const Sample &before, const Sample &after)
{
    const double seconds = std::chrono::duration<double>(after.time - before.time).count();
    std::vector<GuestRates> result;

    for (const auto &[name, devices] : after.guests) {
        GuestRates guest{.name = name, .rates = {}, .devices = {}};
        for (const auto &[device, totals] : devices) {
            const auto known = before.guests.find(name);
            // What is new is known from its first sample on.
            const Totals &from = known != before.guests.end() && known->second.contains(device)
                                     ? known->second.at(device)
                                     : totals;
            guest.devices.push_back({.name = device, .rates = rates_of(from, totals, seconds)});
            add(guest.rates, guest.devices.back().rates);
        }
        result.push_back(std::move(guest));
    }
    return result;
}

} // namespace devhost::ctl
