// SPDX-License-Identifier: Apache-2.0
//
// The schemas in packaging/schema say what the daemon's parser takes, key by key and value by
// value.
#include <algorithm>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "config.hpp"
#include "config_toml.hpp"
#include "mixer_config.hpp"
#include "schema_files.hpp"
#include "worker.hpp"

namespace devhost::test {
namespace {

using Key = JsonSchema::Key;

// Names of things elsewhere in the file: the schema can't know whether they are there.
const std::set<std::string> references{
    "policy.can.transmit.rule.device", "policy.can.receive.rule.device",
    "policy.snd.playback.rule.device", "policy.snd.capture.rule.device",
    "policy.snd.control.rule.device",  "policy.snd.control.rule.control",
    "policy.scmi.rule.device",         "policy.scmi.rule.resource",
    "policy.video.decode.rule.device", "policy.video.encode.rule.device"};

// Values of every type and form; each key refuses most of them.
const Json &odd_values()
{
    static const Json values = Json::parse(R"([
        true, false, -1, 0, 1, 3, 1.5, 5000000000, [], [0], [true], ["x"], [[0]], {},
        "", "x", "-x", ".", "..", "...", "a.b", "a/b", "a b", "a:b", "a\tb", "x\\", "@x",
        "0", "12", "0x1", "0X1f", "0x", "1z", "-1", " 1",
        "hw:PCH", "hw:PCH,0", "hw:0,0", "hw:PCH,0,7", "hw:PCH,007", "hw:PCH,255", "hw:PCH,256",
        "hw:PCH,0,256", "hw:PCH,0,0,0", "hw:PCH,", "hw:PC H,0", "hw:,0", "plughw:PCH,0",
        "hw:0123456789abcde,0", "hw:0123456789abcdef,0",
        "x.service", ".service", "x.scope", "x.target", "x.socket", "a b.service", "x@y:z.service",
        "/dev/video0", "/dev/v4l/by-path/x", "/dev/", "/dev/..", "/dev/../x", "/dev/a/../b",
        "/dev/a/..", "/dev/a..", "/dev/a/", "/tmp/video0", "coretemp/temp1",
        "0123456789abcde", "0123456789abcdef",
        "a123456789012345678901234567890", "a1234567890123456789012345678901"])");
    return values;
}

void add_edges_of_number(const Json &schema, Json &values)
{
    for (const auto &[bound, step] : {std::pair{"minimum", -1}, std::pair{"maximum", 1}}) {
        if (!schema.contains(bound)) {
            continue;
        }
        const Json &edge = schema.at(bound);
        values.push_back(edge);
        if (edge.is_number_unsigned() && step > 0) {
            values.push_back(edge.get<std::uint64_t>() + 1); // 2^63 does not fit into TOML
        } else {
            values.push_back(edge.get<std::int64_t>() + step);
        }
    }
}

// Where numbers are listed, others of their kind: sizes of queues, rates of sound.
void add_others_of_list(const Json &list, Json &values)
{
    if (!list.front().is_number()) {
        return; // TheParserNamesTheWordsOfTheSchema
    }
    for (unsigned power = 0; power <= 12; ++power) {
        values.push_back(1U << power);
    }
    for (const unsigned rate :
         {5512,  8000,  11025, 12000,  16000,  22050,  24000,  32000,  44100,  48000,
          64000, 88200, 96000, 128000, 176400, 192000, 352800, 384000, 705600, 768000}) {
        values.push_back(rate);
    }
}

void add_edges(const JsonSchema &schema, const Json &of, Json &values);

void add_edges_of_array(const JsonSchema &schema, const Json &of, Json &values)
{
    const std::size_t least = of.value("minItems", 1U);
    Json items = Json::array();

    add_edges(schema, of.at("items"), items);
    for (const Json &item : items) {
        values.push_back(Json(least, item));
    }
    for (const char *bound : {"minItems", "maxItems"}) {
        if (of.contains(bound)) {
            const std::size_t size = of.at(bound);
            values.push_back(Json(size - 1, items.front()));
            values.push_back(Json(size + 1, items.front()));
        }
    }
}

// The least and the most of what a schema takes, and what is just beyond.
void add_edges(const JsonSchema &schema, const Json &of, Json &values)
{
    const Json resolved = schema.resolve(of);

    for (const char *list : {"enum", "examples"}) {
        for (const Json &value : resolved.value(list, Json::array())) {
            values.push_back(value);
        }
    }
    if (resolved.contains("enum")) {
        add_others_of_list(resolved.at("enum"), values);
    }
    for (const Json &choice : resolved.value("anyOf", Json::array())) {
        add_edges(schema, choice, values);
    }
    add_edges_of_number(resolved, values);
    if (resolved.contains("maxLength")) {
        const std::size_t longest = resolved.at("maxLength");
        values.push_back(std::string(longest, 'a'));
        values.push_back(std::string(longest + 1, 'a'));
    }
    if (resolved.value("type", "") == "array" && !schema.is_tables(resolved)) {
        add_edges_of_array(schema, resolved, values);
    }
}

// Both refuse the document; the parser in the line of the key.
void expect_refused(const SchemaFile &file, const JsonSchema &schema,
                    const std::vector<std::string> &path, const Json &document)
{
    const std::string name = Key{.path = path, .schema = {}, .table = {}}.name();
    const TomlDocument toml = to_toml(document);
    const auto refusal = file.refusal(toml.text);

    EXPECT_FALSE(schema.accepts(document)) << toml.text;
    ASSERT_TRUE(refusal) << toml.text;
    EXPECT_EQ(refusal->line, toml.lines.at(name)) << refusal->message << '\n' << toml.text;
}

class Schema : public testing::TestWithParam<const SchemaFile *> {
protected:
    const SchemaFile &file = *GetParam();
    JsonSchema schema{file.schema_path()};
    SmallFiles files{file, schema};

    // Both judge the value alike, and the parser says in which line it is.
    void judge(const Key &key, const Json &value, unsigned &taken, unsigned &refused) const
    {
        const std::string name = key.name();
        const Json document = files.with(key.path, value);
        const TomlDocument toml = to_toml(document);
        const auto refusal = file.refusal(toml.text);
        const bool right = schema.accepts(key.schema, value);
        const std::string all =
            std::format("{} = {}\n{}{}\n", name, value.dump(), toml.text,
                        refusal ? "the parser: " + refusal->message : "the parser takes it");

        EXPECT_EQ(schema.accepts(document), right) << "the file has more wrong with it: " << all;
        const Json examples = key.schema.value("examples", Json::array());
        const bool example = std::ranges::find(examples, value) != examples.end();
        if (!references.contains(name) || !value.is_string() || example || !refusal) {
            EXPECT_EQ(!refusal, right) << all;
        }
        // An array of tables that is empty is as none: the table that needs it is named.
        if (refusal && !(schema.is_tables(key.schema) && value.empty())) {
            EXPECT_EQ(refusal->line, toml.lines.at(name)) << all;
        }
        ++(refusal ? refused : taken);
    }

    // The keys that the parser knows in a table, by its own words.
    std::set<std::string> known_keys(std::vector<std::string> table,
                                     const std::vector<std::string> &beside) const
    {
        table.emplace_back("no_such_key");
        const TomlDocument toml = to_toml(files.with(table, 1, beside));
        const auto refusal = file.refusal(toml.text);
        const std::string name = Key{.path = table, .schema = {}, .table = {}}.name();
        std::set<std::string> keys;

        if (!refusal || refusal->message.find("unknown key \"no_such_key\"") == std::string::npos) {
            ADD_FAILURE() << "not refused as it should be: " << toml.text
                          << (refusal ? refusal->message : "");
            return keys;
        }
        EXPECT_EQ(refusal->line, toml.lines.at(name)) << toml.text;
        constexpr std::string_view before = "known there: ";
        std::string rest =
            refusal->message.substr(refusal->message.find(before) + before.size()) + ", ";
        for (std::size_t end = 0; (end = rest.find(", ")) != std::string::npos;
             rest.erase(0, end + 2)) {
            keys.insert(rest.substr(0, end));
        }
        return keys;
    }
};

INSTANTIATE_TEST_SUITE_P(Files, Schema, testing::Values(&guest_file(), &mixer_file()),
                         [](const auto &info) { return std::string(info.param->name); });

TEST_P(Schema, SchemaAndParserTakeTheSameValues)
{
    for (const Key &key : schema.keys()) {
        Json values = odd_values();
        unsigned taken = 0;
        unsigned refused = 0;

        add_edges(schema, key.schema, values);
        for (const Json &value : values) {
            judge(key, value, taken, refused);
        }
        EXPECT_GT(refused, 0U) << key.name();
        // Tables need more than these values; their keys are tried by themselves.
        EXPECT_TRUE(taken > 0 || schema.is_table(key.schema) || schema.is_tables(key.schema))
            << key.name();
    }
}

TEST_P(Schema, TheParserKnowsTheKeysOfTheSchemaAndNoOther)
{
    std::map<std::vector<std::string>, std::set<std::string>> tables;
    for (const Key &key : schema.keys()) {
        tables[{key.path.begin(), key.path.end() - 1}].insert(key.path.back());
    }
    ASSERT_FALSE(tables.empty());
    for (const auto &[path, keys] : tables) {
        std::set<std::string> known = known_keys(path, path);
        if (path == std::vector<std::string>{"device"}) {
            // A device has the table of its class only.
            for (const char *of : {"snd", "scmi", "video"}) {
                known.merge(known_keys(path, {"device", of}));
            }
        }
        EXPECT_EQ(known, keys) << Key{.path = path, .schema = {}, .table = {}}.name();
    }
}

TEST_P(Schema, TheParserNamesTheWordsOfTheSchema)
{
    unsigned lists = 0;
    for (const Key &key : schema.keys()) {
        const Json of = schema.resolve(key.schema.contains("anyOf") ? key.schema.at("anyOf").front()
                                                                    : key.schema);
        if (!of.contains("enum") || !of.at("enum").front().is_string()) {
            continue;
        }
        const auto refusal = file.refusal(to_toml(files.with(key.path, "no word")).text);
        ASSERT_TRUE(refusal) << key.name();
        std::set<std::string> words; // must be "other" or "batch" or ...
        const std::string &text = refusal->message;
        for (std::size_t from = 0; (from = text.find('"', from)) != std::string::npos;) {
            const std::size_t to = text.find('"', from + 1);
            words.insert(text.substr(from + 1, to - from - 1));
            from = to + 1;
        }
        EXPECT_EQ(words, of.at("enum").get<std::set<std::string>>()) << key.name() << ": " << text;
        ++lists;
    }
    EXPECT_GT(lists, 0U);
}

TEST_P(Schema, ADefaultIsWhatHoldsWithoutTheKey)
{
    unsigned defaults = 0;
    for (const Key &key : schema.keys()) {
        if (!key.schema.contains("default")) {
            continue;
        }
        Json document = files.with(key.path, key.schema.at("default"));
        const std::string with = to_toml(document).text;
        table_at(document, {key.path.begin(), key.path.end() - 1})->erase(key.path.back());
        EXPECT_TRUE(file.same(with, to_toml(document).text)) << with;
        ++defaults;
    }
    EXPECT_GT(defaults, 5U);
}

TEST_P(Schema, KeysThatAreNeededAreNeededByBoth)
{
    for (const Key &key : schema.keys()) {
        const Json needed = key.table.value("required", Json::array());
        if (std::ranges::find(needed, Json(key.path.back())) == needed.end()) {
            continue;
        }
        Json document = files.with(key.path, files.sample(key.schema));
        EXPECT_TRUE(schema.accepts(document) && !file.refusal(to_toml(document).text)) << document;
        table_at(document, {key.path.begin(), key.path.end() - 1})->erase(key.path.back());
        EXPECT_FALSE(schema.accepts(document)) << document;
        EXPECT_TRUE(file.refusal(to_toml(document).text)) << document;
    }
}

TEST_P(Schema, AKeyThatNeedsAnotherIsRefusedWithoutIt)
{
    for (const Key &key : schema.keys()) {
        const Json dependencies = key.table.value("dependentRequired", Json::object());
        for (const Json &other : dependencies.value(key.path.back(), Json::array())) {
            Json document = files.with(key.path, files.sample(key.schema));
            EXPECT_TRUE(schema.accepts(document) && !file.refusal(to_toml(document).text))
                << document;
            table_at(document, {key.path.begin(), key.path.end() - 1})
                ->erase(other.get<std::string>());
            expect_refused(file, schema, key.path, document);
        }
    }
}

TEST_P(Schema, ArraysOfTablesHaveTheSameLimit)
{
    for (const Key &key : schema.keys()) {
        if (!schema.is_tables(key.schema) || !key.schema.contains("maxItems")) {
            continue;
        }
        const std::size_t most = key.schema.at("maxItems");
        Json tables = Json::array();
        for (std::size_t i = 0; i <= most; ++i) {
            Json table = files.sample(key.schema.at("items"));
            if (table.contains("name") && key.name() == "port") {
                table["name"] = std::format("Port {}", i); // unique
            }
            tables.push_back(std::move(table));
        }
        const Json over = files.with(key.path, tables);
        tables.erase(tables.begin());
        const Json full = files.with(key.path, tables);
        const auto refusal = file.refusal(to_toml(over).text);

        EXPECT_TRUE(schema.accepts(full)) << key.name();
        EXPECT_FALSE(file.refusal(to_toml(full).text)) << key.name();
        EXPECT_FALSE(schema.accepts(over)) << key.name();
        ASSERT_TRUE(refusal) << key.name();
        EXPECT_GE(refusal->line, to_toml(over).lines.at(key.name())) << key.name();
    }
}

// What depends on values of other keys.
TEST(GuestSchema, BothRefuseWhatDoesNotGoTogether)
{
    const JsonSchema schema(guest_file().schema_path());
    const SmallFiles files(guest_file(), schema);
    struct Pair {
        std::vector<std::string> path;
        Json value;
        const char *patch;
    };
    const std::vector<std::string> can{"device", "can"};
    const std::vector<std::string> resource{"device", "scmi", "resource"};
    const auto at = [](std::vector<std::string> path, const char *key) {
        path.emplace_back(key);
        return path;
    };
    const std::vector<Pair> pairs{
        {{"worker", "nice"}, 5, R"({"worker": {"scheduler": "fifo", "priority": 1}})"},
        {{"worker", "priority"}, 5, R"({"worker": {"scheduler": "other"}})"},
        {{"worker", "scheduler"}, "fifo", R"({"worker": {"priority": null}})"},
        {{"power", "role"}, "emulate", R"({"power": {"emulate_unit": null}})"},
        {{"power", "emulate_unit"}, "a.target", R"({"power": {"role": "vote"}})"},
        {at(can, "fd"), true, R"({"device": [{"can": {"data_bitrate": null}}]})"},
        {at(can, "data_bitrate"), 1, R"({"device": [{"can": {"fd": false}}]})"},
        {{"device", "snd"},
         Json::object(),
         R"({"device": [{"class": "can", "can": {"interface": "can0"}}]})"},
        {{"device", "video", "node"}, "/dev/a", R"({"device": [{"video": {"codec": "vpu"}}]})"},
        {at(resource, "source"), "cpufreq",
         R"({"device": [{"scmi": {"resource": [{"kind": "clock"}]}}]})"},
        {at(resource, "source"), "iio",
         R"({"device": [{"scmi": {"resource": [{"kind": "clock"}]}}]})"},
        {at(resource, "host"), "temp1",
         R"({"device": [{"scmi": {"resource": [{"kind": "sensor", "source": "hwmon"}]}}]})"},
        {at(resource, "level_min"), 1,
         R"({"device": [{"scmi": {"resource": [{"kind": "sensor"}]}}]})"},
        {at(resource, "level_max"), 1,
         R"({"device": [{"scmi": {"resource": [{"kind": "sensor"}]}}]})"},
        {at(resource, "type"), 1, R"({"device": [{"scmi": {"resource": [{"kind": "clock"}]}}]})"},
        {at(resource, "scale"), 1, R"({"device": [{"scmi": {"resource": [{"kind": "clock"}]}}]})"},
        {{"policy", "can", "receive", "rule", "range"},
         {1, 2},
         R"({"policy": {"can": {"receive": {"rule": [{"id": 1}]}}}})"},
        {{"policy", "can", "receive", "rule", "rtr"},
         true,
         R"({"policy": {"can": {"receive": {"rule": [{"fd": true}]}}}})"},
        {{"policy", "scmi", "rule", "resources"},
         {1, 2},
         R"({"policy": {"scmi": {"rule": [{"resource": 1}]}}})"},
    };
    for (const Pair &pair : pairs) {
        Json document = files.with(pair.path, pair.value);
        put_over(document, Json::parse(pair.patch));
        expect_refused(guest_file(), schema, pair.path, document);
    }
}

TEST(GuestSchema, ARuleThatDeniesHasNoLimits)
{
    const JsonSchema schema(guest_file().schema_path());
    const SmallFiles files(guest_file(), schema);
    unsigned limits = 0;

    for (const Key &key : schema.keys()) {
        const std::string &name = key.path.back();
        const bool of_rule = key.path.size() > 2 && key.path[key.path.size() - 2] == "rule";
        if (!of_rule || !(name.ends_with("_max") || name.ends_with("_min") ||
                          name.ends_with("_per_second") || name == "rates")) {
            continue;
        }
        Json document = files.with(key.path, files.sample(key.schema));
        if (name.ends_with("_min")) {
            (*table_at(document, {key.path.begin(), key.path.end() - 1}))[name] = 1; // 0 is none
        }
        EXPECT_TRUE(schema.accepts(document)) << document;
        (*table_at(document, {key.path.begin(), key.path.end() - 1}))["verdict"] = "deny";
        EXPECT_FALSE(schema.accepts(document)) << document;
        EXPECT_TRUE(guest_file().refusal(to_toml(document).text)) << document;
        ++limits;
    }
    EXPECT_GE(limits, 20U);
}

// What D-Bus shows of a guest has the keys of its file.
TEST(GuestSchema, TheBusHasTheSameKeys)
{
    const JsonSchema schema(guest_file().schema_path());
    const SmallFiles files(guest_file(), schema);
    const auto shown = [](const auto &part) { return Json::parse(to_json(to_setting(part))); };

    for (const Key &key : schema.keys()) {
        if (schema.is_table(key.schema) || schema.is_tables(key.schema)) {
            continue; // their keys are tried by themselves
        }
        const std::string text = to_toml(files.with(key.path, files.sample(key.schema))).text;
        const GuestConfig guest = parse_guest(text, "some", "some.toml");
        Json document{{"worker", shown(guest.worker)},
                      {"power", shown(guest.power)},
                      {"limits", shown(guest.limits)}};
        if (guest.policy) {
            document["policy"] = shown(*guest.policy);
        }
        EXPECT_TRUE(schema.accepts(document)) << key.name() << ": " << document;
        // Nothing that the file says is left out, but for what is so by default.
        Json *table = &document;
        for (const std::string &step : key.path) {
            table = table->is_array() ? &table->front() : table;
            table = table->contains(step) ? &table->at(step) : nullptr;
            if (table == nullptr) {
                break;
            }
        }
        const bool by_default = key.schema.contains("default");
        EXPECT_TRUE(table != nullptr || by_default || !document.contains(key.path.front()))
            << key.name() << ": " << document;
    }
}

// Text of an identifier is bounded by the parser only.
TEST(GuestSchema, IdentifiersAsTextHaveTheirRange)
{
    const std::string head = "[policy.can.transmit]\nlowest_id = ";

    EXPECT_FALSE(guest_file().refusal(head + "\"0x7ff\""));
    for (const char *beyond : {"\"0x800\"", "\"2048\"", "\"0xfffffffff\""}) {
        const auto refusal = guest_file().refusal(head + beyond);
        ASSERT_TRUE(refusal) << beyond;
        EXPECT_EQ(refusal->line, 2U);
    }
}

void expect_examples_fit(const SchemaFile &file, const std::filesystem::path &directory)
{
    const JsonSchema schema(file.schema_path());
    int examples = 0;

    for (const auto &entry : std::filesystem::directory_iterator(directory)) {
        if (!entry.is_regular_file()) {
            continue;
        }
        std::ifstream stream(entry.path());
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        EXPECT_TRUE(schema.accepts(Json::parse(to_json(parse_toml(text, entry.path())))))
            << entry.path();
        const auto refusal = file.refusal(text);
        EXPECT_FALSE(refusal) << entry.path() << (refusal ? refusal->message : "");
        ++examples;
    }
    EXPECT_GT(examples, 0) << directory;
}

TEST(GuestSchema, TheExamplesAreRight)
{
    expect_examples_fit(guest_file(), DEVHOST_EXAMPLES);
}

TEST(MixerSchema, TheExamplesAreRight)
{
    expect_examples_fit(mixer_file(), DEVHOST_EXAMPLES "/mixers");
}

} // namespace
} // namespace devhost::test
