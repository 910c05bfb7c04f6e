// SPDX-License-Identifier: Apache-2.0
//
// A systemd generator. The unit of a guest's VMM starts after the guest's devices are there, and
// may lock memory: every device locks all of the guest's RAM, beyond any limit by default.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config.hpp"
#include "paths.hpp"

namespace fs = std::filesystem;

namespace {

void write_drop_in(const fs::path &directory, const std::string &unit)
{
    const fs::path drop_ins = directory / (unit + ".d");
    fs::create_directories(drop_ins);
    std::ofstream stream(drop_ins / "50-devhost.conf");
    stream << "# Made by devhost-generator for the unit of a guest.\n"
              "[Unit]\n"
              "Wants=devhost-apply.service\n"
              "After=devhost-apply.service devhostd.service\n";
    if (unit.ends_with(".service")) {
        stream << "[Service]\nLimitMEMLOCK=infinity\n";
    }
}

void generate(const fs::path &directory)
{
    std::error_code error;
    for (const auto &entry : fs::directory_iterator(devhost::config_directory, error)) {
        try {
            const devhost::GuestConfig guest = devhost::parse_guest_file(entry.path());
            if (!guest.unit.empty()) {
                write_drop_in(directory, guest.unit);
            }
        } catch (const devhost::Error &) {
            continue; // reported when it is applied
        }
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 2) {
        return EXIT_FAILURE;
    }
    try {
        generate(argv[1]);
    } catch (const std::exception &) {
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
