// SPDX-License-Identifier: Apache-2.0
//
// Truncated and mutated files: taken or refused with a line that is there, nothing else.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "config.hpp"
#include "random_policy.hpp"

namespace devhost {

namespace {

std::vector<std::string> examples()
{
    std::vector<std::filesystem::path> paths;
    std::vector<std::string> texts;

    for (const auto &entry : std::filesystem::directory_iterator(DEVHOST_EXAMPLES)) {
        if (entry.is_regular_file()) {
            paths.push_back(entry.path());
        }
    }
    std::ranges::sort(paths);
    for (const auto &path : paths) {
        std::ifstream stream(path);
        texts.emplace_back(std::istreambuf_iterator<char>(stream),
                           std::istreambuf_iterator<char>());
    }
    return texts;
}

// Whether it is taken.
bool parse(const std::string &text)
{
    try {
        const GuestConfig guest = parse_guest(text, "g", "g.toml");

        // What is taken can be said again.
        if (guest.policy) {
            EXPECT_EQ(policy_from(TableReader(to_setting(*guest.policy), "", "policy"), nullptr),
                      *guest.policy);
        }
        return true;
    } catch (const ConfigError &error) {
        const auto lines = std::ranges::count(text, '\n') + 1;

        EXPECT_GE(error.line(), 1U) << error.what();
        EXPECT_LE(error.line(), lines) << error.what();
        EXPECT_FALSE(error.message().empty());
        return false;
    }
}

void mutate(std::string &text, Random &random)
{
    static constexpr const char *pieces[] = {
        "[",  "]",  "[[",   "\"",      "=",     "\n",     "-1",
        "{}", "[]", "0x",   "\xff",    "1e9",   "true",   "[policy.can]",
        "#",  ".",  "\\u0", "'''x'''", "0x800", "\"0x\"", "1979-05-27"};
    const std::size_t at = random.below(text.size() + 1);
    const std::size_t length = random.below(24);

    switch (random.below(5)) {
    case 0:
        text.erase(at, length);
        break;
    case 1:
        text.insert(at, text.substr(random.below(text.size() + 1), length));
        break;
    case 2:
        text.insert(at, pieces[random.below(std::size(pieces))]);
        break;
    case 3:
        if (at < text.size()) {
            text[at] = static_cast<char>(random.below(256));
        }
        break;
    default:
        if (at < text.size()) {
            text[at] = static_cast<char>(text[at] ^ (1 << random.below(7)));
        }
    }
}

} // namespace

TEST(ConfigFuzz, TruncatedAnywhere)
{
    for (const std::string &text : examples()) {
        std::size_t refused = 0;

        for (std::size_t length = 0; length < text.size(); ++length) {
            refused += parse(text.substr(0, length)) ? 0 : 1;
        }
        EXPECT_GT(refused, text.size() / 20);
        EXPECT_TRUE(parse(text));
    }
}

TEST(ConfigFuzz, MutatedAnywhere)
{
    Random random(4);
    std::size_t taken = 0;
    constexpr std::size_t rounds = 15'000;

    for (std::size_t i = 0; i < rounds; ++i) {
        const std::vector<std::string> &texts = [] {
            static const std::vector<std::string> all = examples();
            return std::ref(all);
        }();
        std::string text = texts.at(i % texts.size());

        for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
            mutate(text, random);
        }
        taken += parse(text) ? 1 : 0;
    }
    // Neither trivial: mutations in comments pass, most others do not.
    EXPECT_GT(taken, rounds / 20);
    EXPECT_LT(taken, rounds / 2);
}

TEST(ConfigFuzz, DeepNesting)
{
    for (const std::size_t depth : {10U, 100U, 1000U, 100'000U}) {
        EXPECT_FALSE(parse("user = " + std::string(depth, '[')));
        EXPECT_FALSE(parse("user = " + std::string(depth, '[') + std::string(depth, ']')));
        std::string path = "a";
        for (std::size_t i = 0; i < depth; ++i) {
            path += ".a";
        }
        EXPECT_FALSE(parse(path + " = 1"));
        EXPECT_FALSE(parse("[" + path + "]"));
        EXPECT_FALSE(parse("x = [\n{" + path + " =\n" + path + "}]"));
    }
}

// The deepest that gets to the parser: as many dots as a line may have, at each level of values
// that it takes.
TEST(ConfigFuzz, DeepestThatIsParsed)
{
    std::string keys = "a";
    std::string text = "x = ";

    for (int i = 0; i < 64; ++i) {
        keys += ".a";
    }
    for (int i = 0; i < 120; ++i) {
        text += "[\n{" + keys + " =";
    }
    text += "1";
    for (int i = 0; i < 120; ++i) {
        text += "}]";
    }
    try {
        parse_guest(text, "g", "g.toml");
        FAIL() << "it was taken";
    } catch (const ConfigError &error) {
        EXPECT_NE(error.message().find("unknown key \"x\""), std::string::npos) << error.what();
    }
}

} // namespace devhost
