// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>

#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string_view>

#include "commands.hpp"

namespace {

using namespace devhost::ctl;

struct Entry {
    std::string_view name;
    Command command;
};

constexpr std::array commands{
    Entry{"status", status},   Entry{"list", list},
    Entry{"show", show},       Entry{"stats", stats},
    Entry{"create", create},   Entry{"remove", remove},
    Entry{"set", set},         Entry{"restart-bus", restart_bus},
    Entry{"reload", reload},   Entry{"policy", policy},
    Entry{"monitor", monitor}, Entry{"apply", apply},
    Entry{"check", check},     Entry{"sync-node", sync_node},
    Entry{"volume", volume},   Entry{"mute", mute},
    Entry{"unmute", unmute},   Entry{"power", power},
    Entry{"top", top},         Entry{"limits", limits},
};

constexpr const char *help =
    "usage: devhostctl [--json] COMMAND\n"
    "\n"
    "  status                                  the device host at a glance\n"
    "  list [guests|devices]\n"
    "  show GUEST[/DEVICE]                     everything about one\n"
    "  stats GUEST[/DEVICE]                    its counters\n"
    "  top [--iterations N] [--interval SECONDS]\n"
    "                                          what guests do in a second, and what that costs\n"
    "  create GUEST [KEY=VALUE...]\n"
    "  create GUEST/DEVICE CLASS [KEY=VALUE...]\n"
    "  remove [--force] GUEST[/DEVICE]\n"
    "  limits GUEST [KEY=VALUE...|none]        what a guest may have at most, all of it at once\n"
    "  set GUEST/DEVICE KEY=VALUE...           settings of the backend, as bitrate\n"
    "  volume GUEST/DEVICE STREAM DECIBELS     of a stream on a mixer; 0 is full, -64 silence\n"
    "  mute|unmute GUEST/DEVICE STREAM\n"
    "  restart-bus GUEST/DEVICE                end bus-off\n"
    "  policy show|counters|clear GUEST\n"
    "  policy set GUEST FILE\n"
    "  policy attach GUEST PROGRAM             a BPF object of one's own\n"
    "  policy check FILE\n"
    "  power                                   who wants what of the host, what rules, why\n"
    "  power on|off|reboot|suspend [WHY]       make the host go there; on: take it back\n"
    "  power vote STATE WHY -- COMMAND...      hold a vote while COMMAND runs;\n"
    "  power delay|block WHY -- COMMAND...     make transitions wait for it, or not happen\n"
    "  power ceiling KIND HOST LEVEL|none [WHY]\n"
    "  power reset [GUEST]                     after failures\n"
    "  monitor                                 changes as they happen\n"
    "  reload                                  read /etc/devhost/guests.d and mixers.d again\n"
    "\n"
    "Without devhostd:\n"
    "  apply                                   set up the guests from their files\n"
    "  check FILE...                           check files of guests\n";

// Of an option; at least a thousandth.
double positive(const std::string &text, double most)
{
    char *end = nullptr;
    const double number = std::strtod(text.c_str(), &end);

    if (text.empty() || *end != '\0' || std::isnan(number) || number < 0.001 || number > most) {
        throw UsageError("'" + text + "' is not a number above 0, or too large.");
    }
    return number;
}

bool is_negative(std::string_view text)
{
    return text.size() > 1 && text[0] == '-' &&
           (text[1] == '.' || std::isdigit(static_cast<unsigned char>(text[1])) != 0);
}

int run(const Options &options, const Arguments &arguments)
{
    if (arguments.empty()) {
        return status(options, arguments);
    }
    for (const Entry &entry : commands) {
        if (entry.name == arguments.front()) {
            return entry.command(options, {arguments.begin() + 1, arguments.end()});
        }
    }
    throw UsageError("There is no command '" + arguments.front() + "'; see devhostctl --help.");
}

// What is typed, in any order; the exit status where that is all.
std::optional<int> parse(int argc, char **argv, Options &options, Arguments &arguments)
{
    constexpr std::array<option, 6> long_options{
        option{"json", no_argument, nullptr, 'j'},
        option{"force", no_argument, nullptr, 'f'},
        option{"help", no_argument, nullptr, 'h'},
        option{"iterations", required_argument, nullptr, 'n'},
        option{"interval", required_argument, nullptr, 'i'},
        option{}};
    constexpr int is_argument = 1; // what "-" asks for

    while (optind < argc) {
        if (is_negative(argv[optind])) { // a volume, not options
            arguments.emplace_back(argv[optind++]);
            continue;
        }
        switch (getopt_long(argc, argv, "-jfhn:i:", long_options.data(), nullptr)) {
        case is_argument:
            arguments.emplace_back(optarg);
            break;
        case 'j':
            options.json = true;
            break;
        case 'f':
            options.force = true;
            break;
        case 'n':
            options.iterations = static_cast<unsigned>(positive(optarg, 1e9));
            break;
        case 'i':
            options.interval =
                std::chrono::milliseconds(static_cast<long>(positive(optarg, 3600) * 1000));
            break;
        case 'h':
            std::cout << help;
            return EXIT_SUCCESS;
        case -1: // behind --
            arguments.insert(arguments.end(), argv + optind, argv + argc);
            return std::nullopt;
        default:
            return 2;
        }
    }
    return std::nullopt;
}

} // namespace

int main(int argc, char **argv)
{
    Options options;
    Arguments arguments;
    try {
        if (const std::optional<int> status = parse(argc, argv, options, arguments)) {
            return *status;
        }
        return run(options, arguments);
    } catch (const UsageError &error) {
        std::cerr << "devhostctl: " << error.what() << '\n';
        return 2;
    } catch (const std::exception &error) {
        std::cerr << "devhostctl: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
