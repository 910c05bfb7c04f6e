// SPDX-License-Identifier: Apache-2.0
//
// top: what guests do, second by second.
#include <array>
#include <format>
#include <iostream>
#include <thread>

#include <unistd.h>

#include "client.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "rates.hpp"

namespace devhost::ctl {

namespace {

// Erases no more than it has to: what is drawn again in place does not flicker.
constexpr const char *home = "\033[H";
constexpr const char *to_end_of_line = "\033[K";
constexpr const char *to_end_of_screen = "\033[J";

constexpr unsigned median = 50;
constexpr unsigned tail = 99;

std::string cpu_text(const std::optional<std::uint64_t> &cpu_us)
{
    return cpu_us ? std::format("{:.1f}", static_cast<double>(*cpu_us) / 10000) : "-";
}

// To four digits at most.
std::string time_text(const std::optional<std::uint64_t> &nanoseconds)
{
    constexpr std::array units{"ns", "us", "ms", "s"};
    constexpr double largest = 9999;
    auto value = static_cast<double>(nanoseconds.value_or(0));
    std::size_t unit = 0;

    if (!nanoseconds) {
        return "-";
    }
    for (; value > largest && unit + 1 < units.size(); unit++) {
        value /= 1000;
    }
    return std::format("{:.0f}{}", value, units.at(unit));
}

Row row_of(const std::string &name, const Rates &rates)
{
    return {name,
            std::to_string(rates.items),
            std::to_string(rates.denied),
            std::to_string(rates.audited),
            cpu_text(rates.cpu_us),
            time_text(percentile(rates.latencies.wait, median)),
            time_text(percentile(rates.latencies.wait, tail)),
            time_text(percentile(rates.latencies.service, median)),
            time_text(percentile(rates.latencies.service, tail))};
}

std::string table_of(const std::vector<GuestRates> &guests)
{
    std::vector<Row> rows{{"GUEST", "ITEMS/S", "DENIED/S", "AUDIT/S", "CPU%", "WAIT50", "WAIT99",
                           "SERVE50", "SERVE99"}};

    for (const GuestRates &guest : guests) {
        rows.push_back(row_of(guest.name, guest.rates));
        for (const DeviceRates &device : guest.devices) {
            rows.push_back(row_of("  " + device.name, device.rates));
        }
    }
    return table_text(rows);
}

void put_percentiles(SettingTable &table, const std::string &name, const LatencyCounts &counts)
{
    for (const unsigned percent : {median, tail}) {
        if (const auto nanoseconds = percentile(counts, percent)) {
            table[name + "_p" + std::to_string(percent) + "_ns"] = {
                .value = static_cast<std::int64_t>(*nanoseconds)};
        }
    }
}

SettingTable setting_of(const std::string &name, const Rates &rates)
{
    const auto number = [](std::uint64_t value) {
        return Setting{.value = static_cast<std::int64_t>(value)};
    };
    SettingTable table{{"name", {.value = name}},
                       {"items_per_s", number(rates.items)},
                       {"denied_per_s", number(rates.denied)},
                       {"audit_per_s", number(rates.audited)}};

    if (rates.cpu_us) {
        table["cpu_us_per_s"] = number(*rates.cpu_us);
    }
    put_percentiles(table, "wait", rates.latencies.wait);
    put_percentiles(table, "service", rates.latencies.service);
    return table;
}

Setting object_of(const std::vector<GuestRates> &guests, std::chrono::nanoseconds interval)
{
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(interval).count();
    SettingList list;

    for (const GuestRates &guest : guests) {
        SettingTable table = setting_of(guest.name, guest.rates);
        SettingList devices;
        for (const DeviceRates &device : guest.devices) {
            devices.emplace_back().value = setting_of(device.name, device.rates);
        }
        table["devices"] = {.value = std::move(devices)};
        list.emplace_back().value = std::move(table);
    }
    return {.value = SettingTable{{"interval_ms", {.value = static_cast<std::int64_t>(ms)}},
                                  {"guests", {.value = std::move(list)}}}};
}

void draw_in_place(const std::string &text)
{
    std::string frame = home;

    for (const char each : text) {
        if (each == '\n') {
            frame += to_end_of_line;
        }
        frame += each;
    }
    std::cout << frame << to_end_of_screen;
}

} // namespace

int top(const Options &options, const Arguments &arguments)
{
    if (!arguments.empty()) {
        throw UsageError("top [--iterations N] [--interval SECONDS].");
    }
    const bool in_place = !options.json && isatty(STDOUT_FILENO) == 1;
    Client client;
    Sample before = read_sample(client);
    for (unsigned i = 0; options.iterations == 0 || i < options.iterations; i++) {
        std::this_thread::sleep_for(options.interval);
        Sample after = read_sample(client);
        const std::vector<GuestRates> guests = rates_between(before, after);
        if (options.json) {
            print_json(object_of(guests, after.time - before.time));
        } else if (in_place) {
            draw_in_place(table_of(guests));
        } else {
            std::cout << (i == 0 ? "" : "\n") << table_of(guests);
        }
        std::cout.flush();
        before = std::move(after);
    }
    return 0;
}

} // namespace devhost::ctl
