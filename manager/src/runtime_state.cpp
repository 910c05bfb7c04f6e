// SPDX-License-Identifier: Apache-2.0
#include "runtime_state.hpp"

#include <fstream>
#include <map>
#include <sstream>

#include "error.hpp"

namespace fs = std::filesystem;

namespace devhost {

namespace {

using Lines = std::map<std::string, std::string>;

Lines read_lines(std::istream &stream)
{
    Lines lines;
    std::string line;
    while (std::getline(stream, line)) {
        const std::size_t equals = line.find('=');
        if (equals != std::string::npos) {
            lines[line.substr(0, equals)] = line.substr(equals + 1);
        }
    }
    return lines;
}

template <typename Value>
std::vector<Value> words(const std::string &line)
{
    std::istringstream stream(line);
    std::vector<Value> values;
    Value value{};
    while (stream >> value) {
        values.push_back(value);
    }
    return values;
}

template <typename Value>
std::optional<Value> word(const std::string &line)
{
    const auto all = words<Value>(line);
    return all.empty() ? std::nullopt : std::optional(all.front());
}

template <typename Values>
std::string joined(const Values &values)
{
    std::ostringstream stream;
    for (const auto &value : values) {
        stream << value << ' ';
    }
    return stream.str();
}

template <typename Value>
void put(std::ostream &stream, const char *key, const std::optional<Value> &value)
{
    if (value) {
        stream << key << '=' << +*value << '\n';
    }
}

WorkerConfig worker_from(Lines &lines)
{
    WorkerConfig worker;
    worker.cpus = words<unsigned>(lines["WORKER_CPUS"]);
    if (const auto scheduler = word<int>(lines["WORKER_SCHEDULER"])) {
        worker.scheduler = static_cast<Scheduler>(*scheduler);
    }
    worker.priority = word<unsigned>(lines["WORKER_PRIORITY"]);
    worker.nice = word<int>(lines["WORKER_NICE"]);
    return worker;
}

void put_worker(std::ostream &stream, const WorkerConfig &worker)
{
    stream << "WORKER_CPUS=" << joined(worker.cpus) << '\n';
    if (worker.scheduler) {
        stream << "WORKER_SCHEDULER=" << static_cast<int>(*worker.scheduler) << '\n';
    }
    put(stream, "WORKER_PRIORITY", worker.priority);
    put(stream, "WORKER_NICE", worker.nice);
}

PowerRules power_from(Lines &lines)
{
    PowerRules rules;
    rules.role = static_cast<PowerRole>(
        word<int>(lines["POWER_ROLE"]).value_or(static_cast<int>(rules.role)));
    rules.budget =
        Milliseconds(word<std::int64_t>(lines["POWER_BUDGET"]).value_or(rules.budget.count()));
    rules.order = word<unsigned>(lines["POWER_ORDER"]).value_or(rules.order);
    rules.emulate_unit = lines["POWER_EMULATE"];
    return rules;
}

void put_power(std::ostream &stream, const PowerRules &rules)
{
    stream << "POWER_ROLE=" << static_cast<int>(rules.role)
           << "\nPOWER_BUDGET=" << rules.budget.count() << "\nPOWER_ORDER=" << rules.order
           << "\nPOWER_EMULATE=" << rules.emulate_unit << '\n';
}

} // namespace

RuntimeStates::RuntimeStates(fs::path directory) : directory_(std::move(directory)) {}

std::optional<RuntimeState> RuntimeStates::read(const std::string &guest) const
{
    std::ifstream stream(directory_ / guest);
    if (!stream) {
        return std::nullopt;
    }
    Lines lines = read_lines(stream);
    RuntimeState state{.id = word<std::uint32_t>(lines["ID"]).value_or(0),
                       .user = lines["USER"],
                       .group = lines["GROUP"],
                       .unit = lines["UNIT"],
                       .worker = worker_from(lines),
                       .power = power_from(lines),
                       .file = lines["FILE"],
                       .digest = lines["DIGEST"],
                       .devices = {},
                       .policy = lines["POLICY"] == "1"};
    for (const auto &device : words<std::string>(lines["DEVICES"])) {
        state.devices.insert(device);
    }
    return state;
}

void RuntimeStates::write(const std::string &guest, const RuntimeState &state) const
{
    std::error_code error;
    fs::create_directories(directory_, error);
    // Names of guests begin with a letter or digit, so this one is no guest's.
    const fs::path fresh = directory_ / ("." + guest);
    {
        std::ofstream stream(fresh, std::ios::trunc);
        stream << "# Private to devhostd. Do not parse, do not edit.\n"
               << "ID=" << state.id << "\nUSER=" << state.user << "\nGROUP=" << state.group
               << "\nUNIT=" << state.unit << "\nFILE=" << state.file.string()
               << "\nDIGEST=" << state.digest << "\nDEVICES=" << joined(state.devices)
               << "\nPOLICY=" << (state.policy ? 1 : 0) << '\n';
        put_worker(stream, state.worker);
        put_power(stream, state.power);
        stream.flush();
        if (!stream) {
            throw Error(Cause::failed, "Cannot write " + fresh.string() +
                                           ": check space and permissions of " +
                                           directory_.string() + ".");
        }
    }
    fs::rename(fresh, directory_ / guest, error);
    if (error) {
        throw system_error(error.value(), "Cannot write " + (directory_ / guest).string());
    }
}

void RuntimeStates::remove(const std::string &guest) const
{
    std::error_code ignored;
    fs::remove(directory_ / guest, ignored);
}

} // namespace devhost
