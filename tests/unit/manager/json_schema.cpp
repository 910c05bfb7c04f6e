// SPDX-License-Identifier: Apache-2.0
#include "json_schema.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>

namespace devhost::test {

namespace {

bool has_type(const std::string &type, const Json &value)
{
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "integer" && value.is_number_integer());
}

bool has_all(const Json &names, const Json &table)
{
    return std::ranges::all_of(
        names, [&](const Json &name) { return table.contains(name.get<std::string>()); });
}

// Keywords about a number, the length of a text, the items of an array.
bool within(const std::string &keyword, const Json &bound, const Json &value)
{
    if (keyword == "minimum" || keyword == "maximum") {
        return !value.is_number() || (keyword == "minimum" ? value >= bound : value <= bound);
    }
    const bool of_text = keyword.ends_with("Length");
    if (of_text ? !value.is_string() : !value.is_array()) {
        return true;
    }
    const std::size_t size =
        of_text ? value.get_ref<const std::string &>().size() : value.size(); // of ASCII
    return keyword.starts_with("min") ? size >= bound.get<std::size_t>()
                                      : size <= bound.get<std::size_t>();
}

bool has_form(const std::string &pattern, const Json &value)
{
    static std::map<std::string, std::regex> forms; // to compile one takes long

    if (!value.is_string()) {
        return true;
    }
    const auto form = forms.try_emplace(pattern, pattern).first;
    return std::regex_search(value.get_ref<const std::string &>(), form->second);
}

} // namespace

JsonSchema::JsonSchema(const std::string &path)
{
    std::ifstream stream(path);
    root_ = Json::parse(stream);
}

Json JsonSchema::resolve(Json schema) const
{
    while (schema.is_object() && schema.contains("$ref")) {
        const auto place = schema["$ref"].get<std::string>().substr(1); // after the #
        Json target = root_.at(Json::json_pointer(place));
        schema.erase("$ref");
        target.update(schema);
        schema = std::move(target);
    }
    return schema;
}

bool JsonSchema::is_table(const Json &schema) const
{
    return resolve(schema).value("type", "") == "object";
}

bool JsonSchema::is_tables(const Json &schema) const
{
    const Json resolved = resolve(schema);
    return resolved.value("type", "") == "array" && is_table(resolved.at("items"));
}

std::string JsonSchema::Key::name() const
{
    std::string name;
    for (const std::string &step : path) {
        name += (name.empty() ? "" : ".") + step;
    }
    return name;
}

std::vector<JsonSchema::Key> JsonSchema::keys() const
{
    std::vector<Key> keys;
    add_keys(root_, {}, keys);
    return keys;
}

void JsonSchema::add_keys(const Json &table, const std::vector<std::string> &path,
                          std::vector<Key> &keys) const
{
    for (const auto &[name, schema] : table.at("properties").items()) {
        Key key{.path = path, .schema = resolve(schema), .table = table};
        key.path.push_back(name);
        keys.push_back(key);
        if (is_table(key.schema)) {
            add_keys(key.schema, key.path, keys);
        } else if (is_tables(key.schema)) {
            add_keys(resolve(key.schema.at("items")), key.path, keys);
        }
    }
}

bool JsonSchema::accepts(const Json &schema, const Json &value) const
{
    if (schema.is_boolean()) {
        return schema.get<bool>();
    }
    return std::ranges::all_of(schema.items(), [&](const auto &item) {
        return judges(item.key(), item.value(), schema, value);
    });
}

bool JsonSchema::has_properties(const Json &properties, const Json &value) const
{
    return !value.is_object() || std::ranges::all_of(properties.items(), [&](const auto &item) {
        return !value.contains(item.key()) || accepts(item.value(), value.at(item.key()));
    });
}

bool JsonSchema::judges(const std::string &keyword, const Json &argument, const Json &schema,
                        const Json &value) const
{
    static const std::set<std::string> says_nothing{"$schema",     "$comment", "$defs",    "title",
                                                    "description", "default",  "examples",
                                                    "then", // with "if"
                                                    "else"};
    static const std::set<std::string> bounds{"minimum",   "maximum",  "minLength",
                                              "maxLength", "minItems", "maxItems"};
    const auto accepted_by = [&](const Json &other) { return accepts(other, value); };

    if (says_nothing.contains(keyword)) {
        return true;
    }
    if (bounds.contains(keyword)) {
        return within(keyword, argument, value);
    }
    if (keyword == "$ref") {
        return accepts(resolve(Json{{"$ref", argument}}), value);
    }
    if (keyword == "type") {
        return has_type(argument, value);
    }
    if (keyword == "enum") {
        return std::ranges::find(argument, value) != argument.end();
    }
    if (keyword == "const") {
        return value == argument;
    }
    if (keyword == "pattern") {
        return has_form(argument, value);
    }
    if (keyword == "items") {
        return !value.is_array() || std::ranges::all_of(value, [&](const Json &item) {
            return accepts(argument, item);
        });
    }
    if (keyword == "properties") {
        return has_properties(argument, value);
    }
    if (keyword == "additionalProperties" && argument == false) {
        return !value.is_object() || std::ranges::all_of(value.items(), [&](const auto &item) {
            return schema.at("properties").contains(item.key());
        });
    }
    if (keyword == "required") {
        return !value.is_object() || has_all(argument, value);
    }
    if (keyword == "dependentRequired") {
        return !value.is_object() || std::ranges::all_of(argument.items(), [&](const auto &item) {
            return !value.contains(item.key()) || has_all(item.value(), value);
        });
    }
    if (keyword == "allOf") {
        return std::ranges::all_of(argument, accepted_by);
    }
    if (keyword == "anyOf") {
        return std::ranges::any_of(argument, accepted_by);
    }
    if (keyword == "oneOf") {
        return std::ranges::count_if(argument, accepted_by) == 1;
    }
    if (keyword == "if") {
        return accepts(schema.value(accepts(argument, value) ? "then" : "else", Json(true)), value);
    }
    throw std::runtime_error("keyword " + keyword + " is not known to the tests");
}

} // namespace devhost::test
