// SPDX-License-Identifier: Apache-2.0
// What the daemon has written down of itself, damaged: it is read as far as it goes, and what was
// read can be written and read again.
//
// Input: a byte that says which record, then its text.
#include "input.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include "config_toml.hpp"
#include "power_arbiter.hpp"
#include "runtime_state.hpp"

using namespace devhost;

namespace {

void power(const std::string &text)
{
    Setting record;
    try {
        record = parse_toml(text, "power");
    } catch (const ConfigError &) {
        return;
    }
    PowerArbiter first;
    first.restore(record);
    const std::string said = first.record();
    PowerArbiter second;
    second.restore(parse_toml(said, "power"));
    REQUIRE(second.record() == said);
}

const std::filesystem::path &directory()
{
    static const std::filesystem::path made = [] {
        const auto path =
            std::filesystem::temp_directory_path() / ("devhost-fuzz-" + std::to_string(getpid()));
        std::filesystem::create_directories(path);
        std::atexit([] { std::filesystem::remove_all(directory()); });
        return path;
    }();
    return made;
}

void guest(const std::string &text)
{
    const RuntimeStates states(directory());
    std::ofstream(directory() / "g", std::ios::trunc) << text;
    const auto first = states.read("g");
    REQUIRE(first);
    states.write("g", *first);
    const auto second = states.read("g");
    REQUIRE(second && *second == *first);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const std::string text(reinterpret_cast<const char *>(data + 1), size - 1);
    if (data[0] == 'g') {
        guest(text);
    } else {
        power(text);
    }
    return 0;
}
