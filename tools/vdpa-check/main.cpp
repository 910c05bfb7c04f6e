// SPDX-License-Identifier: Apache-2.0
// devhost-vdpa-check: whether a vhost-vdpa node does what a VMM relies on.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "node.hpp"

namespace {

constexpr char usage[] =
    "usage: devhost-vdpa-check [--memory MIB] NODE [CHECK]...\n"
    "       devhost-vdpa-check --list\n"
    "\n"
    "Goes through what a VMM relies on, with the device at NODE, such as\n"
    "/dev/devhost/GUEST/DEVICE. No VMM may have it. No request is made of the\n"
    "device. CHECK is a part of the name of a check; without, all are made.\n"
    "\n"
    "  --memory MIB  guest RAM to be mapped (64)\n"
    "  --list        names of the checks\n";

constexpr size_t memory_max = size_t{1} << 20; // MiB

bool parse_memory(const char *text)
{
    size_t mebibytes = 0;
    const char *end = text + strlen(text);
    const auto [at, error] = std::from_chars(text, end, mebibytes);
    if (error != std::errc() || at != end || !mebibytes || mebibytes > memory_max) {
        (void)fprintf(stderr, "--memory wants a number of MiB from 1 to %zu\n", memory_max);
        return false;
    }
    dh::vdpa_check::subject().memory = mebibytes << 20;
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<char *> rest{argv[0]};
    for (int i = 1; i < argc; i++) {
        const std::string_view word = argv[i];
        if (word == "--help" || word == "-h") {
            (void)fputs(usage, stdout);
            return 0;
        }
        if (word == "--memory" && i + 1 < argc) {
            if (!parse_memory(argv[++i])) {
                return 2;
            }
        } else if (word == "--list") {
            char *list[] = {argv[0], argv[i]};
            return dh::tap::main(2, list);
        } else if (word.starts_with("-")) {
            (void)fputs(usage, stderr);
            return 2;
        } else if (dh::vdpa_check::subject().path.empty()) {
            dh::vdpa_check::subject().path = word;
        } else {
            rest.push_back(argv[i]);
        }
    }
    if (dh::vdpa_check::subject().path.empty()) {
        (void)fputs(usage, stderr);
        return 2;
    }
    return dh::tap::main(static_cast<int>(rest.size()), rest.data());
}
