// SPDX-License-Identifier: Apache-2.0
// What the tests look at on the host around the device: kernel log, leaks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fd.hpp"
#include "tap.hpp"

namespace dh {

// Runs a shell command; throws where it fails.
void shell(const std::string &command);
// Suspends the host as far as @level of /sys/power/pm_test and back: "freezer" for its programs,
// "devices" for drivers as well. Skips the test where the kernel can't.
void suspend(const std::string &level);
std::string read_file(const std::string &path);
// A number behind "key:" or "key " in a file like /proc/meminfo, 0 without one.
uint64_t read_field(const std::string &path, const std::string &key);

// Splats, and lines without end, since begin().
class KernelLog : public tap::Check {
public:
    void begin() override;
    std::string end() override;
    // Lines since begin() that contain a text.
    unsigned count(const std::string &text);

private:
    void drain();

    Fd fd_;
    bool overrun_ = false;
    std::vector<std::string> lines_;
};

// Descriptors, threads, pinned pages, memory, guests and devices: as they were.
class Leaks : public tap::Check {
public:
    void begin() override;
    std::string end() override;

private:
    struct Snapshot {
        size_t fds;
        size_t threads;
        uint64_t vm_pin;    // KiB of this process
        uint64_t gup_pins;  // pages pinned by anybody
        uint64_t available; // KiB
        size_t guests;
        size_t devices;
    };
    static Snapshot take();
    Snapshot before_{};
};

KernelLog &kernel_log();

// main() of a selftest: loads the modules, adds the checks, runs.
int selftest_main(int argc, char **argv);

} // namespace dh
