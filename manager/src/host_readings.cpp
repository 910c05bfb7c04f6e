// SPDX-License-Identifier: Apache-2.0
#include "host_readings.hpp"

#include <fstream>
#include <set>

namespace fs = std::filesystem;

namespace devhost {

namespace {

std::string word_in(const fs::path &path)
{
    std::ifstream stream(path);
    std::string word;
    std::getline(stream, word);
    return word;
}

std::optional<std::int64_t> number_in(const fs::path &path)
{
    std::ifstream stream(path);
    std::int64_t number = 0;
    if (!(stream >> number)) {
        return std::nullopt; // the device may have nothing to tell just now
    }
    return number;
}

// In the order of their names, so that of several of one name it is always the same one.
std::set<fs::path> entries(const fs::path &directory)
{
    std::set<fs::path> paths;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator(directory, error)) {
        paths.insert(entry.path());
    }
    return paths;
}

} // namespace

std::optional<std::int64_t> HostReadings::zone(const std::string &type) const
{
    for (const fs::path &zone : entries(root_ / "class/thermal")) {
        if (zone.filename().string().starts_with("thermal_zone") &&
            word_in(zone / "type") == type) {
            return number_in(zone / "temp");
        }
    }
    return std::nullopt;
}

bool HostReadings::on_battery() const
{
    bool battery = false;
    for (const fs::path &supply : entries(root_ / "class/power_supply")) {
        const std::string type = word_in(supply / "type");
        if (type == "Battery" && word_in(supply / "scope") != "Device") {
            battery = battery || word_in(supply / "status") == "Discharging";
        } else if (type != "Battery" && number_in(supply / "online").value_or(0) != 0) {
            return false;
        }
    }
    return battery;
}

std::optional<std::int64_t> HostReadings::hwmon(const std::string &name) const
{
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) {
        return std::nullopt;
    }
    for (const fs::path &chip : entries(root_ / "class/hwmon")) {
        const fs::path input = chip / (name.substr(slash + 1) + "_input");
        if (word_in(chip / "name") == name.substr(0, slash) && fs::exists(input)) {
            return number_in(input);
        }
    }
    return std::nullopt;
}

} // namespace devhost
