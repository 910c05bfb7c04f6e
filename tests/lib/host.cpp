// SPDX-License-Identifier: Apache-2.0
#include "host.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "control.hpp"

namespace dh {

namespace {

constexpr std::array splats = {
    "WARNING:",
    "BUG:",
    "KASAN",
    "KFENCE",
    "UBSAN",
    "Call Trace:",
    "Oops",
    "general protection fault",
    "kernel BUG at",
    "possible circular locking",
    "possible recursive locking",
    "inconsistent lock state",
    "suspicious RCU usage",
    "refcount_t:",
    "INFO: task",
    "soft lockup",
    "self-detected stall",
    "detected stalls",
    "list_add corruption",
    "list_del corruption",
    "Bad page state",
    "unregister_netdevice: waiting",
};

// More lines of ours than this in one test is a log that a guest can flood.
constexpr unsigned log_lines_max = 64;

size_t entries(const char *directory)
{
    size_t count = 0;
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(directory)) {
        count++;
    }
    return count;
}

} // namespace

void shell(const std::string &command)
{
    const int status = system(command.c_str()); // NOLINT(cert-env33-c): fixed commands of the tests
    if (status != 0) {
        throw std::runtime_error("command failed: " + command);
    }
}

void suspend(const std::string &level)
{
    if (!std::filesystem::exists("/sys/power/pm_test")) {
        SKIP("this kernel has no /sys/power/pm_test");
    }
    shell("echo 1 > /sys/module/suspend/parameters/pm_test_delay; echo " + level +
          " > /sys/power/pm_test && echo freeze > /sys/power/state; "
          "status=$?; echo none > /sys/power/pm_test; exit $status");
}

std::string read_file(const std::string &path)
{
    std::ifstream in(path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

uint64_t read_field(const std::string &path, const std::string &key)
{
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(key) &&
            (line[key.size()] == ':' || line[key.size()] == ' ' || line[key.size()] == '\t')) {
            return strtoull(line.c_str() + key.size() + 1, nullptr, 10);
        }
    }
    return 0;
}

void KernelLog::begin()
{
    fd_.reset(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (fd_) {
        lseek(fd_.get(), 0, SEEK_END);
    }
    lines_.clear();
    overrun_ = false;
}

void KernelLog::drain()
{
    std::array<char, 8192> record{};
    while (fd_) {
        const ssize_t got = read(fd_.get(), record.data(), record.size() - 1);
        if (got < 0 && errno == EPIPE) {
            overrun_ = true;
            continue;
        }
        if (got <= 0) {
            break;
        }
        record[static_cast<size_t>(got)] = '\0';
        const char *text = strchr(record.data(), ';');
        lines_.emplace_back(text ? text + 1 : record.data());
    }
}

unsigned KernelLog::count(const std::string &text)
{
    drain();
    unsigned found = 0;
    for (const std::string &line : lines_) {
        if (line.find(text) != std::string::npos) {
            found++;
        }
    }
    return found;
}

std::string KernelLog::end()
{
    if (!fd_) {
        return "cannot read /dev/kmsg: run as root";
    }
    drain();
    if (overrun_) {
        return "the kernel log ran over";
    }
    for (const std::string &line : lines_) {
        for (const char *splat : splats) {
            if (line.find(splat) != std::string::npos) {
                std::string all = "kernel log:\n";
                for (size_t i = 0; i < std::min<size_t>(lines_.size(), 80); i++) {
                    all += "  " + lines_[i];
                }
                return all;
            }
        }
    }
    unsigned ours = 0;
    for (const std::string &line : lines_) {
        if (line.find("devhost") != std::string::npos || line.find("vhost_") != std::string::npos) {
            ours++;
        }
    }
    if (ours > log_lines_max) {
        return "a guest can flood the kernel log: " + std::to_string(ours) + " lines, such as " +
               lines_.front();
    }
    return "";
}

Leaks::Snapshot Leaks::take()
{
    Snapshot now{};
    now.fds = entries("/proc/self/fd");
    now.threads = entries("/proc/self/task");
    now.vm_pin = read_field("/proc/self/status", "VmPin");
    // What each processor has counted for itself is added up first.
    std::ofstream("/proc/sys/vm/stat_refresh") << 1;
    now.gup_pins = read_field("/proc/vmstat", "nr_foll_pin_acquired") -
                   read_field("/proc/vmstat", "nr_foll_pin_released");
    now.available = read_field("/proc/meminfo", "MemAvailable");
    Control control;
    now.guests = control.guests().size();
    now.devices = control.devices().size();
    return now;
}

void Leaks::begin()
{
    before_ = take();
}

std::string Leaks::end()
{
    // Coarse: caches breathe. A leak for each of thousands of rounds is more.
    constexpr uint64_t available_slack = 96 << 10;
    Snapshot now{};
    auto same = [&] {
        return now.fds == before_.fds && now.threads == before_.threads &&
               now.vm_pin == before_.vm_pin && now.gup_pins <= before_.gup_pins &&
               now.guests == before_.guests && now.devices == before_.devices &&
               now.available + available_slack >= before_.available;
    };
    // What RCU and exiting tasks hold goes a moment later.
    for (int tries = 0; tries < 20; tries++) {
        now = take();
        if (same()) {
            return "";
        }
        usleep(100000);
    }
    std::ostringstream out;
    out << "left behind: descriptors " << before_.fds << " -> " << now.fds << ", threads "
        << before_.threads << " -> " << now.threads << ", VmPin " << before_.vm_pin << " -> "
        << now.vm_pin << " kB, pinned pages " << static_cast<int64_t>(before_.gup_pins) << " -> "
        << static_cast<int64_t>(now.gup_pins) << ", available " << before_.available << " -> "
        << now.available << " kB, guests " << before_.guests << " -> " << now.guests << ", devices "
        << before_.devices << " -> " << now.devices;
    return out.str();
}

KernelLog &kernel_log()
{
    static KernelLog log;
    return log;
}

int selftest_main(int argc, char **argv)
{
    bool list = false;
    for (int i = 1; i < argc; i++) {
        list |= !strcmp(argv[i], "--list");
    }
    if (!list) {
        const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
        setrlimit(RLIMIT_MEMLOCK, &all);
        try {
            shell("modprobe -a devhost vhost_vdpa vcan can_raw");
        } catch (const std::exception &error) {
            printf("TAP version 13\nBail out! %s\n", error.what());
            return 1;
        }
        static Leaks leaks;
        tap::add_check(&kernel_log());
        tap::add_check(&leaks);
    }
    return tap::main(argc, argv);
}

} // namespace dh
