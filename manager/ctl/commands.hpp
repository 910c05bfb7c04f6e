// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "config_tree.hpp"

namespace devhost::ctl {

struct Options {
    bool json = false;
    bool force = false;
    unsigned iterations = 0; // of top; 0: without end
    std::chrono::milliseconds interval{1000};
};

using Arguments = std::vector<std::string>;

/// The command line is wrong; what() says how it should be.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A command returns the exit status. Arguments are what follows its name.
using Command = int (*)(const Options &options, const Arguments &arguments);

int status(const Options &options, const Arguments &arguments);
int list(const Options &options, const Arguments &arguments);
int show(const Options &options, const Arguments &arguments);
int stats(const Options &options, const Arguments &arguments);
int create(const Options &options, const Arguments &arguments);
int remove(const Options &options, const Arguments &arguments);
int limits(const Options &options, const Arguments &arguments);
int set(const Options &options, const Arguments &arguments);
int volume(const Options &options, const Arguments &arguments);
int mute(const Options &options, const Arguments &arguments);
int unmute(const Options &options, const Arguments &arguments);
int restart_bus(const Options &options, const Arguments &arguments);
int reload(const Options &options, const Arguments &arguments);
int power(const Options &options, const Arguments &arguments);
int policy(const Options &options, const Arguments &arguments);
int top(const Options &options, const Arguments &arguments);
int monitor(const Options &options, const Arguments &arguments);
int apply(const Options &options, const Arguments &arguments);
int check(const Options &options, const Arguments &arguments);
int sync_node(const Options &options, const Arguments &arguments);

/// GUEST or GUEST/DEVICE.
struct Target {
    std::string guest;
    std::string device; // empty: the guest
};
Target target_of(const std::string &argument);
std::string path_of(const Target &target);

/// KEY=VALUE arguments as settings. Values are as in a configuration file; what is none there is
/// text. A key may have dots: worker.nice=5.
Setting settings_of(Arguments::const_iterator begin, Arguments::const_iterator end);

} // namespace devhost::ctl
