// SPDX-License-Identifier: Apache-2.0
//
// org.devhost1.Device
#include <limits>
#include <linux/can/netlink.h>

#include "bus_paths.hpp"
#include "bus_service.hpp"
#include "scmi_settings.hpp"
#include "statistics.hpp"

namespace devhost {

namespace {

const char *word_of(devhost_dev_state state)
{
    switch (state) {
    case DEVHOST_DEV_IDLE:
        return "idle";
    case DEVHOST_DEV_OPEN:
        return "open";
    case DEVHOST_DEV_RUNNING:
        return "running";
    case DEVHOST_DEV_SUSPENDED:
        return "suspended";
    case DEVHOST_DEV_QUIESCED:
        return "quiesced";
    case DEVHOST_DEV_BROKEN:
        return "broken";
    }
    return "unknown";
}

const char *word_of(devhost_can_state state)
{
    switch (state) {
    case DEVHOST_CAN_STOPPED:
        return "stopped";
    case DEVHOST_CAN_STARTED:
        return "started";
    case DEVHOST_CAN_BUSOFF:
        return "bus-off";
    }
    return "unknown";
}

const char *bus_word_of(std::uint32_t state)
{
    switch (state) {
    case CAN_STATE_ERROR_ACTIVE:
        return "error-active";
    case CAN_STATE_ERROR_WARNING:
        return "error-warning";
    case CAN_STATE_ERROR_PASSIVE:
        return "error-passive";
    case CAN_STATE_BUS_OFF:
        return "bus-off";
    case CAN_STATE_STOPPED:
        return "stopped";
    case CAN_STATE_SLEEPING:
        return "sleeping";
    default:
        return "unknown";
    }
}

void put_number(SettingTable &table, const char *key, const std::optional<std::uint32_t> &value)
{
    if (value) {
        table[key] = number(*value);
    }
}

void put_link(SettingTable &table, const CanLinkInfo &link)
{
    table["kind"] = {.value = link.kind};
    table["up"] = {.value = link.up};
    put_number(table, "bitrate", link.bitrate);
    put_number(table, "sample_point", link.sample_point);
    put_number(table, "data_bitrate", link.data_bitrate);
    put_number(table, "data_sample_point", link.data_sample_point);
    if (link.fd) {
        table["fd"] = {.value = *link.fd};
    }
    put_number(table, "restart_ms", link.restart_ms);
    if (link.state) {
        table["bus_state"] = {.value = std::string(bus_word_of(*link.state))};
    }
}

const char *word_of(devhost_snd_state state)
{
    switch (state) {
    case DEVHOST_SND_IDLE:
        return "idle";
    case DEVHOST_SND_CONFIGURED:
        return "configured";
    case DEVHOST_SND_PREPARED:
        return "prepared";
    case DEVHOST_SND_RUNNING:
        return "running";
    case DEVHOST_SND_STOPPED:
        return "stopped";
    }
    return "unknown";
}

std::string card_of(const Device &device, std::uint32_t number)
{
    const auto id = device.cards.find(number);
    return id == device.cards.end() || id->second.empty() ? std::to_string(number) : id->second;
}

Setting setting_of(const Device &device, const SndStreamInfo &stream)
{
    SettingTable table;
    table["direction"] = {
        .value = std::string(stream.direction == DEVHOST_SND_PLAYBACK ? "playback" : "capture")};
    table["state"] = {.value = std::string(word_of(stream.state))};
    table["node"] = number(stream.node);
    table["channels_max"] = number(stream.channels_max);
    table["rate_max"] = number(stream.rate_max);
    table["period_min"] = number(stream.period_min);
    table["buffer_max"] = number(stream.buffer_max);
    if (stream.pcm) {
        table["pcm"] = {.value = to_text(SndPcmName{.card = card_of(device, stream.pcm->card),
                                                    .device = stream.pcm->device,
                                                    .subdevice = stream.pcm->subdevice})};
    }
    return {.value = std::move(table)};
}

Setting setting_of(const Device & /*device*/, const SndJackConfig &jack)
{
    SettingTable table;
    table["node"] = number(jack.node);
    table["default_config"] = number(jack.default_config);
    table["capabilities"] = number(jack.capabilities);
    table["connected"] = {.value = jack.connected};
    return {.value = std::move(table)};
}

Setting setting_of(const Device &device, const SndControlInfo &control)
{
    SettingTable table;
    table["numid"] = number(control.numid);
    table["role"] = number(control.role);
    table["read_only"] = {.value = control.read_only};
    if (control.card) {
        table["card"] = {.value = card_of(device, *control.card)};
    }
    return {.value = std::move(table)};
}

template <typename Items>
Setting list_of(const Device &device, const Items &items)
{
    SettingList list;
    for (const auto &item : items) {
        list.push_back(setting_of(device, item));
    }
    return {.value = std::move(list)};
}

SettingTable table_of(const Device &device, const SndBackendInfo &snd)
{
    SettingTable table;
    SettingList streams;
    for (std::size_t id = 0; id < snd.streams.size(); id++) {
        streams.push_back(setting_of(device, snd.streams[id]));
        if (id >= device.levels.size()) {
            continue;
        }
        if (const auto &level = device.levels[id]) {
            auto &stream = std::get<SettingTable>(streams.back().value);
            stream["volume"] = {.value = std::int64_t{level->volume}};
            stream["mute"] = {.value = level->mute};
        }
    }
    table["stream"] = {.value = std::move(streams)};
    table["jack"] = list_of(device, snd.jacks);
    table["control"] = list_of(device, snd.controls);
    return table;
}

SettingTable table_of(const Device & /*device*/, const ScmiBackendInfo &scmi)
{
    SettingTable table;
    table["agent"] = {.value = scmi.agent};
    table["system_power"] = {.value = scmi.system_power};
    if (scmi.request) {
        table["requested"] = number(scmi.request->state);
        table["requested_since"] = {.value = static_cast<std::int64_t>(scmi.request->since / 1000)};
    }
    return table;
}

SettingTable table_of(const Device & /*device*/, const VideoBackendInfo &video)
{
    SettingTable table;
    table["codec"] = {.value = video.name};
    if (video.node) {
        table["node"] = {.value = "/dev/video" + std::to_string(*video.node)};
    }
    table["streams_max"] = number(video.streams_max);
    return table;
}

SettingTable table_of(const Device & /*device*/, const std::monostate & /*unknown*/)
{
    return {};
}

SettingTable table_of(const Device &device, const CanBackendInfo &can)
{
    SettingTable table;
    table["interface"] = {.value = can.interface};
    put_number(table, "interface_index", can.ifindex);
    table["rx_backlog"] = {.value = std::int64_t{can.rx_backlog}};
    table["tx_inflight"] = {.value = std::int64_t{can.tx_inflight}};
    table["controller"] = {.value = std::string(word_of(can.state))};
    if (device.link) {
        put_link(table, *device.link);
    }
    return table;
}

} // namespace

DeviceInterface DeviceInterface::at(BusService &service, const std::string &path)
{
    const auto names = names_in(path).value_or(PathNames());
    return {service.host(), service.host().device(names.guest, names.device)};
}

UniqueFd DeviceInterface::open()
{
    return host_.open(device_.info.guest, device_.info.name);
}

void DeviceInterface::configure(const Setting &settings)
{
    if (std::holds_alternative<CanBackendInfo>(device_.info.backend)) {
        configure_link(settings);
    } else if (std::holds_alternative<SndBackendInfo>(device_.info.backend)) {
        configure_jacks(settings);
    } else if (std::holds_alternative<ScmiBackendInfo>(device_.info.backend)) {
        configure_sensor(settings);
    } else {
        throw Error(Cause::not_supported, "A device of class '" + device_.info.device_class +
                                              "' has no settings that can change.");
    }
}

void DeviceInterface::configure_jacks(const Setting &settings)
{
    TableReader table(settings, "", "");
    const Setting *connected = table.raw("connected");
    const auto *list = connected == nullptr ? nullptr : std::get_if<SettingList>(&connected->value);
    std::vector<bool> states;
    for (const Setting &state : list == nullptr ? SettingList() : *list) {
        if (!std::holds_alternative<bool>(state.value)) {
            table.fail("connected", "must have true or false for each jack");
        }
        states.push_back(std::get<bool>(state.value));
    }
    if (list == nullptr) {
        table.fail("connected", "must be an array with true or false for each jack");
    }
    table.finish();
    host_.set_jacks(device_.info.guest, device_.info.name, states);
}

void DeviceInterface::configure_sensor(const Setting &settings)
{
    TableReader table(settings, "", "");
    const auto sensor = table.small_number("sensor", 0, DEVHOST_SCMI_RESOURCES_MAX);
    const auto reading = table.number("reading", std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max());
    if (!sensor || !reading) {
        table.fail("Give sensor, the guest's id of it, and reading, its value.");
    }
    table.finish();
    host_.push_reading(device_.info.guest, device_.info.name, *sensor, *reading);
}

void DeviceInterface::configure_link(const Setting &settings)
{
    // Checked like a new device on the same interface.
    Setting all = settings;
    auto &table = std::get<SettingTable>(all.value);
    for (const char *fixed : {"interface", "wait", "rx_backlog", "tx_inflight", "policy_required",
                              "vq_size_max", "ring"}) {
        if (table.contains(fixed)) {
            throw Error(Cause::invalid_args, std::string("'") + fixed +
                                                 "' cannot change while the device exists: "
                                                 "remove the device and create it anew.");
        }
    }
    table["interface"] = {.value = *device_.interface()};
    const DeviceConfig config = device_from(
        TableReader(device_table(device_.info.name, device_.info.device_class, all), "", ""));
    host_.set_link(device_.info.guest, device_.info.name, *config.can());
}

void DeviceInterface::set_volume(std::uint32_t stream, std::int32_t volume)
{
    host_.set_level(device_.info.guest, device_.info.name, stream, volume, std::nullopt);
}

void DeviceInterface::set_mute(std::uint32_t stream, bool mute)
{
    host_.set_level(device_.info.guest, device_.info.name, stream, std::nullopt, mute);
}

void DeviceInterface::restart_bus()
{
    host_.restart_bus(device_.info.guest, device_.info.name);
}

std::map<std::string, std::uint64_t> DeviceInterface::get_statistics()
{
    return flat(host_.device_statistics(device_.info.guest, device_.info.name));
}

std::map<std::string, std::uint64_t> DeviceInterface::get_latencies()
{
    return flat(host_.device_latencies(device_.info.guest, device_.info.name));
}

std::string DeviceInterface::get_state() const
{
    return word_of(device_.info.state);
}

Setting DeviceInterface::get_backend() const
{
    return {.value = std::visit([&](const auto &backend) { return table_of(device_, backend); },
                                device_.info.backend)};
}

std::vector<Setting> DeviceInterface::get_resources() const
{
    std::vector<Setting> list;
    list.reserve(device_.resources.size());
    for (const ScmiResourceInfo &resource : device_.resources) {
        list.emplace_back().value = scmi_resource(resource);
    }
    return list;
}

} // namespace devhost
