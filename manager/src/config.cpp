// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <format>
#include <fstream>
#include <iterator>

#include <linux/devhost.h>
#include <linux/virtio_config.h>

#include "config_toml.hpp"

namespace devhost {

namespace {

constexpr std::uintmax_t file_size_max = 1 << 20;
constexpr unsigned cpu_max = 8191;

constexpr bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool consists_of(std::string_view text, std::string_view others)
{
    return std::ranges::all_of(text, [others](char c) {
        return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
    });
}

std::string account(TableReader &table, std::string_view key)
{
    const auto name = table.text(key, 32);

    if (!name) {
        return {};
    }
    if (name->front() == '-' || !consists_of(*name, "_.-")) {
        table.fail(key, "must be the name of an account");
    }
    return *name;
}

std::vector<unsigned> cpu_list(TableReader &table)
{
    std::vector<unsigned> cpus;
    const Setting *setting = table.raw("cpus");

    if (!setting) {
        return cpus;
    }
    const SettingList *list = std::get_if<SettingList>(&setting->value);
    if (!list || list->empty()) {
        table.fail("cpus", "must be an array of CPU numbers, as in [2, 3]");
    }
    for (const Setting &item : *list) {
        const std::int64_t *cpu = std::get_if<std::int64_t>(&item.value);
        if (!cpu || *cpu < 0 || *cpu > cpu_max) {
            table.fail("cpus", std::format("must have CPU numbers from 0 to {}", cpu_max));
        }
        cpus.push_back(static_cast<unsigned>(*cpu));
    }
    std::ranges::sort(cpus);
    const auto rest = std::ranges::unique(cpus);
    cpus.erase(rest.begin(), rest.end());
    return cpus;
}

WorkerConfig worker_from(TableReader table)
{
    WorkerConfig worker;

    worker.cpus = cpu_list(table);
    if (const auto scheduler = table.word("scheduler", {"other", "batch", "fifo", "rr"})) {
        worker.scheduler = static_cast<Scheduler>(*scheduler);
    }
    worker.priority = table.small_number("priority", 1, 99);
    if (const auto nice = table.number("nice", -20, 19)) {
        worker.nice = static_cast<int>(*nice);
    }

    const bool realtime = worker.scheduler == Scheduler::fifo || worker.scheduler == Scheduler::rr;
    if (realtime && !worker.priority) {
        table.fail("scheduler", R"(is "fifo" or "rr" and needs a priority)");
    }
    if (!realtime && worker.priority) {
        table.fail("priority", R"(goes with scheduler = "fifo" or "rr" only)");
    }
    if (realtime && worker.nice) {
        table.fail("nice", R"(goes with scheduler = "other" or "batch" only)");
    }
    table.finish();
    return worker;
}

// A class of devices: the word for it, and the table with its settings.
struct DeviceClass {
    std::string_view name;
    std::string_view table;
    std::string_view needs; // of the table, at least
    Backend (*read)(TableReader table);
};

constexpr std::array device_classes{
    DeviceClass{"can", "can", "the interface",
                [](TableReader table) -> Backend { return can_device_from(std::move(table)); }},
    DeviceClass{"snd", "snd", "a stream",
                [](TableReader table) -> Backend { return snd_device_from(std::move(table)); }},
    DeviceClass{"scmi", "scmi", "a resource, or nothing",
                [](TableReader table) -> Backend { return scmi_device_from(std::move(table)); }},
    DeviceClass{
        "video_decoder", "video", "a codec",
        [](TableReader table) -> Backend { return video_device_from(std::move(table), false); }},
    DeviceClass{
        "video_encoder", "video", "a codec",
        [](TableReader table) -> Backend { return video_device_from(std::move(table), true); }},
};

const DeviceClass &device_class_from(TableReader &table)
{
    std::array<std::string_view, device_classes.size()> names;
    std::ranges::transform(device_classes, names.begin(), &DeviceClass::name);
    const auto found = table.word("class", names);

    if (!found) {
        std::string known;
        for (const std::string_view name : names) {
            known += std::format("{}\"{}\"", known.empty() ? "" : " or ", name);
        }
        table.fail(table.where() + " needs class = " + known);
    }
    return device_classes.at(*found);
}

// A list of rules in [policy]: its part, its name there, and the class of devices that it is for.
struct RuleList {
    std::string_view part;
    std::string_view list; // empty: the part itself
    std::string_view device_class;
};

constexpr std::array rule_lists{
    RuleList{"can", "transmit", "can"},
    RuleList{"can", "receive", "can"},
    RuleList{"snd", "playback", "snd"},
    RuleList{"snd", "capture", "snd"},
    RuleList{"snd", "control", "snd"},
    RuleList{"scmi", "", "scmi"},
    RuleList{"video", "decode", "video_decoder"},
    RuleList{"video", "encode", "video_encoder"},
};

// A rule for a device that the file does not have is a slip of the pen.
void check_rule_devices(const GuestConfig &guest, std::string_view device_class, TableReader table)
{
    for (TableReader &rule : table.tables("rule")) {
        const auto name = rule.text("device");
        if (!name) {
            continue;
        }
        const DeviceConfig *device = guest.device(*name);
        if (device == nullptr) {
            rule.fail("device", std::format("\"{}\" is not a device of this file", *name));
        }
        if (device->device_class != device_class) {
            rule.fail("device",
                      std::format(R"("{}" is of class "{}")", *name, device->device_class));
        }
    }
}

PolicyConfig policy_of(const GuestConfig &guest, TableReader table)
{
    PolicyItems items;

    for (const DeviceConfig &device : guest.devices) {
        add_policy_items(items, device.name, device.backend);
    }
    PolicyConfig policy = policy_from(table, &items);
    for (const RuleList &each : rule_lists) {
        auto part = table.table(each.part);
        auto list = part && !each.list.empty() ? part->table(each.list) : part;
        if (list) {
            check_rule_devices(guest, each.device_class, *list);
        }
    }
    return policy;
}

std::string read_file(const std::filesystem::path &path)
{
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);

    if (error) {
        throw ConfigError(path, 0, "cannot be read: " + error.message());
    }
    if (size > file_size_max) {
        throw ConfigError(path, 0, "is larger than 1 MiB; it cannot be the file of a guest");
    }
    std::ifstream stream(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
        throw ConfigError(path, 0, "cannot be read; check that it is a file and its permissions");
    }
    return text;
}

} // namespace

bool valid_name(std::string_view name)
{
    return !name.empty() && name.size() < DEVHOST_NAME_SIZE && is_alphanumeric(name.front()) &&
           consists_of(name, "_-");
}

std::uint64_t features_mask(Ring ring)
{
    constexpr std::uint64_t all = ~std::uint64_t{0};

    return ring == Ring::split ? all & ~(std::uint64_t{1} << VIRTIO_F_RING_PACKED) : all;
}

const DeviceConfig *GuestConfig::device(std::string_view device_name) const
{
    const auto found = std::ranges::find(devices, device_name, &DeviceConfig::name);

    return found == devices.end() ? nullptr : &*found;
}

void add_policy_items(PolicyItems &items, const std::string &device, const Backend &backend)
{
    if (const auto *snd = std::get_if<SndDeviceConfig>(&backend)) {
        for (std::uint32_t i = 0; i < snd->controls.size(); ++i) {
            items.push_back(
                {.device = device, .kind = "control", .name = snd->controls[i].name, .number = i});
        }
    }
    if (const auto *scmi = std::get_if<ScmiDeviceConfig>(&backend)) {
        std::array<std::uint32_t, __DEVHOST_SCMI_KINDS> next{}; // ids are dense, of each kind
        for (const ScmiResourceConfig &resource : scmi->resources) {
            items.push_back({.device = device,
                             .kind = word_of(resource.kind),
                             .name = resource.guest_name(),
                             .number = next.at(resource.kind)++});
        }
    }
}

std::string backend_table(const std::string &device_class)
{
    const auto found = std::ranges::find(device_classes, device_class, &DeviceClass::name);

    return found == device_classes.end() ? device_class : std::string(found->table);
}

DeviceConfig device_from(TableReader table)
{
    DeviceConfig device;

    const auto name = table.text("name");
    if (!name) {
        table.fail(table.where() + " needs a name");
    }
    if (!valid_name(*name)) {
        table.fail("name", "must be 1 to 31 letters, digits, - and _, the first a letter or digit");
    }
    device.name = *name;
    device.line = table.line();
    const DeviceClass &of = device_class_from(table);
    device.device_class = of.name;
    device.policy_required = table.boolean("policy_required").value_or(device.policy_required);
    device.vq_size_max = table.small_number("vq_size_max", 2, DEVHOST_VQ_SIZE_MAX);
    if (device.vq_size_max && !std::has_single_bit(*device.vq_size_max)) {
        table.fail("vq_size_max", "must be a power of two");
    }
    if (const auto ring = table.word("ring", {"any", "split"})) {
        device.ring = static_cast<Ring>(*ring);
    }
    auto backend = table.table(of.table);
    if (!backend) {
        table.fail(std::format("{} needs a table \"{}\" with at least {}", table.where(), of.table,
                               of.needs));
    }
    device.backend = of.read(*backend);
    table.finish();
    return device;
}

GuestConfig guest_from(TableReader table, std::string name)
{
    GuestConfig guest;

    if (!valid_name(name)) {
        throw ConfigError(
            table.file(), 0,
            std::format("\"{}\" cannot be the name of a guest: 1 to 31 letters, digits, "
                        "- and _, the first a letter or digit",
                        name));
    }
    guest.name = std::move(name);
    guest.user = account(table, "user");
    guest.group = account(table, "group");
    guest.unit = unit_name(table, "unit", {".service", ".scope"});
    if (auto worker = table.table("worker")) {
        guest.worker = worker_from(*worker);
    }
    if (auto power = table.table("power")) {
        guest.power = power_rules_from(*power);
    }
    if (auto limits = table.table("limits")) {
        guest.limits = limits_from(*limits);
    }
    for (const TableReader &reader : table.tables("device")) {
        DeviceConfig device = device_from(reader);
        if (guest.device(device.name)) {
            reader.fail("name",
                        std::format("\"{}\" is the name of an earlier device", device.name));
        }
        guest.devices.push_back(std::move(device));
    }
    if (auto policy = table.table("policy")) {
        guest.policy = policy_of(guest, *policy);
    }
    table.finish();
    return guest;
}

GuestConfig parse_guest(std::string_view text, std::string name, const std::string &file)
{
    const Setting tree = parse_toml(text, file);
    GuestConfig guest = guest_from(TableReader(tree, file, ""), std::move(name));

    guest.file = file;
    return guest;
}

GuestConfig parse_guest_file(const std::filesystem::path &path)
{
    if (path.extension() != ".toml") {
        throw ConfigError(path, 0, "must be named <guest>.toml");
    }
    return parse_guest(read_file(path), path.stem(), path);
}

} // namespace devhost
