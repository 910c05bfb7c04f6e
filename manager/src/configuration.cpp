// SPDX-License-Identifier: Apache-2.0
#include "configuration.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "digest.hpp"
#include "error.hpp"
#include "journal.hpp"
#include "plan.hpp"
#include "policy_own.hpp"

namespace fs = std::filesystem;

namespace devhost {

namespace {

// Tells whether a file is the one that was applied.
std::string digest_of(const fs::path &path)
{
    std::ifstream stream(path, std::ios::binary);
    return digest(std::string{std::istreambuf_iterator<char>(stream), {}});
}

// With the version of the policy's program that is there now: another one is another policy.
GuestConfig parse_with_program(const fs::path &path)
{
    GuestConfig config = parse_guest_file(path);
    if (config.policy && config.policy->own) {
        config.policy->own->version = own_program_version(config.policy->own->path);
    }
    return config;
}

const Guest *find(const Host &host, const std::string &name)
{
    const auto found = host.guests().find(name);
    return found == host.guests().end() ? nullptr : &found->second;
}

// In force, and not readable: that of another version of devhost, say.
bool has_unknown_policy(const Guest &guest)
{
    return guest.info.policy && !guest.policy;
}

// Does one step of a plan.
struct Doer {
    Host &host;
    const GuestConfig &config;

    [[nodiscard]] const DeviceConfig &device(const std::string &name) const
    {
        return *config.device(name);
    }

    void operator()(const step::CreateGuest & /*step*/) const { host.create_guest(config); }
    void operator()(const step::SetLimits & /*step*/) const
    {
        host.set_limits(config.name, config.limits);
    }
    void operator()(const step::SetPolicy & /*step*/) const
    {
        if (config.policy) {
            host.set_policy(config.name, *config.policy);
        }
    }
    void operator()(const step::ClearPolicy & /*step*/) const { host.clear_policy(config.name); }
    void operator()(const step::RemoveDevice &step) const
    {
        host.remove_device(config.name, step.name, false);
    }
    void operator()(const step::CreateDevice &step) const
    {
        host.create_device(config.name, device(step.name));
    }
    void operator()(const step::ReplaceDevice &step) const
    {
        host.remove_device(config.name, step.name, false);
        host.create_device(config.name, device(step.name));
    }
    void operator()(const step::SetFeaturesMask &step) const
    {
        host.set_features_mask(config.name, step.name, features_mask(device(step.name).ring));
    }
    void operator()(const step::SetLink &step) const
    {
        host.set_link(config.name, step.name, *device(step.name).can());
    }
};

void note_backends(Host &host, const GuestConfig &config)
{
    const Guest &guest = host.guest(config.name);
    for (const DeviceConfig &device : config.devices) {
        if (guest.devices.contains(device.name)) {
            host.note_backend(config.name, device.name, device.backend);
        }
    }
}

} // namespace

std::vector<fs::path> Configuration::paths(const fs::path &directory)
{
    std::error_code error;
    std::vector<fs::path> result;
    for (const auto &entry : fs::directory_iterator(directory, error)) {
        const std::string name = entry.path().filename();
        if (name.ends_with(".toml") && !name.starts_with(".")) {
            result.push_back(entry.path());
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        problems_.push_back("Cannot read " + directory.string() + ": " + error.message() + ".");
    }
    std::ranges::sort(result);
    return result;
}

void Configuration::apply(bool all)
{
    problems_.clear();
    if (!power_file_.empty()) {
        attempt("", power_file_, [&] { power_ = read_power_config(power_file_); });
    }
    apply_mixers(all); // guests may stand on them
    const std::vector<fs::path> present = paths(directory_);
    std::vector<File> files;
    for (const fs::path &path : present) {
        attempt(path.stem(), path, [&] {
            std::string digest = digest_of(path);
            files.push_back({.config = parse_with_program(path), .digest = std::move(digest)});
        });
    }
    std::vector<GuestConfig> configs;
    configs.reserve(files.size());
    for (const File &file : files) {
        configs.push_back(file.config);
    }
    for (const std::string &conflict : link_conflicts(configs)) {
        log_error({}, conflict);
        problems_.push_back(conflict);
    }
    remove_guests_without_file(present);
    host_.refresh_codecs();
    for (const File &file : files) {
        const Guest *guest = find(host_, file.config.name);
        if (all || guest == nullptr || guest->settings.digest != file.digest ||
            has_unknown_policy(*guest)) {
            apply_guest(file);
        } else {
            note_backends(host_, file.config);
        }
    }
}

void Configuration::apply_mixers(bool all)
{
    std::vector<MixerConfig> mixers;
    for (const fs::path &path : paths(mixers_directory_)) {
        attempt({}, path, [&] { mixers.push_back(parse_mixer_file(path)); });
    }
    const auto report = [&](const MixerConfig &mixer, const std::string &problem) {
        problems_.push_back(mixer.file.string() + ": " + problem);
        log_error({}, problems_.back());
    };
    attempt({}, mixers_directory_, [&] { host_.set_mixers(std::move(mixers), all, report); });
}

bool Configuration::attempt(const std::string &guest, const fs::path &file,
                            const std::function<void()> &action)
{
    try {
        action();
        return true;
    } catch (const ConfigError &error) {
        problems_.emplace_back(error.what()); // begins with file and line
    } catch (const Error &error) {
        problems_.push_back(file.string() + ": " + error.what());
    }
    log_error({.guest = guest, .device = {}}, problems_.back());
    return false;
}

void Configuration::apply_guest(const File &file)
{
    const GuestConfig &config = file.config;
    const Doer doer{.host = host_, .config = config};
    bool good = true;
    for (const Step &step : plan(config, find(host_, config.name))) {
        const bool done = attempt(config.name, config.file, [&] { std::visit(doer, step); });
        good = good && done;
        if (find(host_, config.name) == nullptr) {
            return; // without the guest nothing else can be done
        }
    }
    attempt(config.name, config.file, [&] {
        RuntimeState settings = host_.guest(config.name).settings;
        settings.user = config.user;
        settings.group = config.group;
        settings.unit = config.unit;
        settings.worker = config.worker;
        settings.power = config.power;
        settings.file = config.file;
        // What failed is tried again at the next start.
        settings.digest = good ? file.digest : "";
        settings.policy = config.policy.has_value();
        // A device that could not be removed is still the file's to remove.
        std::erase_if(settings.devices, [&](const std::string &name) {
            return !host_.guest(config.name).devices.contains(name);
        });
        for (const DeviceConfig &device : config.devices) {
            settings.devices.insert(device.name);
        }
        host_.set_guest(config.name, settings);
        note_backends(host_, config);
    });
}

void Configuration::remove_guests_without_file(const std::vector<fs::path> &present)
{
    std::vector<std::pair<std::string, fs::path>> gone;
    for (const auto &[name, guest] : host_.guests()) {
        const fs::path &file = guest.settings.file;
        if (!file.empty() && std::ranges::find(present, file) == present.end()) {
            gone.emplace_back(name, file);
        }
    }
    for (const auto &guest : gone) {
        attempt(guest.first, guest.second, [&] { host_.remove_guest(guest.first, false); });
    }
}

} // namespace devhost
