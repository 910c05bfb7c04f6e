// SPDX-License-Identifier: Apache-2.0
#include "schema_files.hpp"

#include <linux/devhost.h>

#include "config.hpp"
#include "mixer_config.hpp"

namespace devhost::test {

namespace {

constexpr const char *file_name = "some.toml";

template <typename Parse>
std::optional<Refusal> refusal_by(const Parse &parse)
{
    try {
        parse();
    } catch (const ConfigError &error) {
        return Refusal{.line = error.line(), .message = error.what()};
    }
    return std::nullopt;
}

GuestConfig guest_of(const std::string &text)
{
    GuestConfig guest = parse_guest(text, "some", file_name);
    // What is left out, as worker.cpp and the kernel take it.
    for (DeviceConfig &device : guest.devices) {
        device.vq_size_max = device.vq_size_max.value_or(DEVHOST_VQ_SIZE_MAX);
    }
    guest.worker.scheduler = guest.worker.scheduler.value_or(Scheduler::other);
    guest.worker.nice = guest.worker.nice.value_or(0);
    return guest;
}

std::optional<Refusal> guest_refusal(const std::string &text)
{
    return refusal_by([&] { parse_guest(text, "some", file_name); });
}

bool same_guests(const std::string &text_a, const std::string &text_b)
{
    const GuestConfig a = guest_of(text_a);
    const GuestConfig b = guest_of(text_b);
    return a.user == b.user && a.group == b.group && a.unit == b.unit && a.worker == b.worker &&
           a.power == b.power && a.limits == b.limits && a.devices == b.devices &&
           a.policy == b.policy;
}

std::optional<Refusal> mixer_refusal(const std::string &text)
{
    return refusal_by([&] { parse_mixer(text, "some", file_name); });
}

bool same_mixers(const std::string &a, const std::string &b)
{
    return parse_mixer(a, "some", file_name) == parse_mixer(b, "some", file_name);
}

constexpr std::string_view no_can = R"({"device": [{"can": null}]})";
constexpr std::string_view can_json =
    R"({"device": [{"name": "can0", "class": "can", "can": {"interface": "can0"}}]})";
constexpr std::string_view snd_json = R"({"device": [{"name": "can0", "class": "snd", "snd": {
    "stream": [{"pcm": "hw:PCH,0", "direction": "playback"}],
    "control": [{"card": "PCH", "name": "Master Playback Volume"}]}}]})";
constexpr std::string_view scmi_json = R"({"device": [{"name": "can0", "class": "scmi", "scmi": {
    "resource": [{"kind": "clock", "host": "pixel"}]}}]})";
constexpr std::string_view decoder =
    R"({"device": [{"name": "can0", "class": "video_decoder", "video": {"codec": "vpu"}}]})";
constexpr std::string_view encoder =
    R"({"device": [{"name": "can0", "class": "video_encoder", "video": {"codec": "vpu"}}]})";
constexpr std::string_view sensor = R"({"device": [{"scmi": {"resource": [{"kind": "sensor"}]}}]})";

} // namespace

std::string SchemaFile::schema_path() const
{
    return std::string(DEVHOST_SCHEMAS "/") + name + ".schema.json";
}

const SchemaFile &guest_file()
{
    static const SchemaFile file{
        .name = "guest",
        .needs = {{"worker.priority", R"({"worker": {"scheduler": "fifo"}})"},
                  {R"(worker.scheduler="fifo")", R"({"worker": {"priority": 1}})"},
                  {R"(worker.scheduler="rr")", R"({"worker": {"priority": 1}})"},
                  {R"(power.role="emulate")", R"({"power": {"emulate_unit": "a.target"}})"},
                  {"power.emulate_unit", R"({"power": {"role": "emulate"}})"},
                  {"device", can_json},
                  {R"(device.class="snd")", snd_json},
                  {R"(device.class="snd")", no_can},
                  {R"(device.class="scmi")", scmi_json},
                  {R"(device.class="scmi")", no_can},
                  {R"(device.class="video_decoder")", decoder},
                  {R"(device.class="video_decoder")", no_can},
                  {R"(device.class="video_encoder")", encoder},
                  {R"(device.class="video_encoder")", no_can},
                  {"device.can.fd=true",
                   R"({"device": [{"can": {"bitrate": 1, "data_bitrate": 1}}]})"},
                  {"device.snd", snd_json},
                  {"device.snd", no_can},
                  {"device.scmi", scmi_json},
                  {"device.scmi", no_can},
                  {"device.scmi.resource.type", sensor},
                  {"device.scmi.resource.scale", sensor},
                  {R"(device.scmi.resource.source="cpufreq")",
                   R"({"device": [{"scmi": {"resource": [{"kind": "perf"}]}}]})"},
                  {R"(device.scmi.resource.source="iio")", sensor},
                  {R"(device.scmi.resource.source="pushed")", sensor},
                  {R"(device.scmi.resource.source="hwmon")", sensor},
                  {R"(device.scmi.resource.source="hwmon")",
                   R"({"device": [{"scmi": {"resource": [{"host": "coretemp/temp1"}]}}]})"},
                  {"device.video", decoder},
                  {"device.video", no_can},
                  {"device.video.node", R"({"device": [{"video": {"codec": null}}]})"},
                  {"policy.can", can_json},
                  {"policy.snd", snd_json},
                  {"policy.scmi", scmi_json},
                  {"policy.scmi.rule.resource",
                   R"({"policy": {"scmi": {"rule": [{"protocol": "clock"}]}}})"},
                  {"policy.video.decode", decoder},
                  {"policy.video.encode", encoder}},
        .refusal = guest_refusal,
        .same = same_guests};
    return file;
}

const SchemaFile &mixer_file()
{
    static const SchemaFile file{
        .name = "mixer",
        .needs = {{"", R"({"playback": "hw:PCH,0", "port": [{"name": "Music"}]})"}},
        .refusal = mixer_refusal,
        .same = same_mixers};
    return file;
}

Json SmallFiles::sample(const Json &schema) const
{
    const Json resolved = schema_.resolve(schema);

    if (resolved.contains("examples")) {
        return resolved["examples"].front();
    }
    if (resolved.contains("enum")) {
        return resolved["enum"].front();
    }
    if (resolved.contains("anyOf")) {
        return sample(resolved["anyOf"].front());
    }
    const std::string type = resolved.at("type");
    if (type == "boolean") {
        return true;
    }
    if (type == "integer") {
        return resolved.at("minimum");
    }
    if (type == "string") {
        return "x";
    }
    if (type == "array") {
        return Json::array({sample(resolved.at("items"))});
    }
    Json table = Json::object();
    complete(table, resolved);
    return table;
}

void SmallFiles::complete(Json &table, const Json &schema) const
{
    for (const Json &name : schema.value("required", Json::array())) {
        const std::string key = name;
        if (!table.contains(key)) {
            table[key] = sample(schema.at("properties").at(key));
        }
    }
}

void SmallFiles::add_dependencies(Json &table, const Json &schema, const std::string &key) const
{
    const Json dependencies = schema.value("dependentRequired", Json::object());

    for (const Json &name : dependencies.value(key, Json::array())) {
        const std::string other = name;
        if (!table.contains(other)) {
            table[other] = sample(schema.at("properties").at(other));
        }
        add_dependencies(table, schema, other);
    }
}

Json SmallFiles::with(const std::vector<std::string> &path, const Json &value,
                      const std::vector<std::string> &beside) const
{
    const std::string name = JsonSchema::Key{.path = beside, .schema = {}, .table = {}}.name();
    Json document = Json::object();

    for (const Need &need : file_.needs) {
        const std::string key(need.key);
        if (key.empty() || key == name || name.starts_with(key + '.') ||
            key == name + '=' + value.dump()) {
            put_over(document, Json::parse(need.patch));
        }
    }
    Json *table = &document;
    Json schema = schema_.root();
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        complete(*table, schema);
        schema = schema_.resolve(schema.at("properties").at(path[i]));
        const bool tables = schema_.is_tables(schema);
        if (tables) {
            schema = schema_.resolve(schema.at("items"));
        }
        Json &below = (*table)[path[i]];
        if (below.is_null()) {
            below = tables ? Json::array({Json::object()}) : Json::object();
        }
        table = tables ? &below.front() : &below;
    }
    complete(*table, schema);
    add_dependencies(*table, schema, path.back());
    (*table)[path.back()] = value;
    return document;
}

} // namespace devhost::test
