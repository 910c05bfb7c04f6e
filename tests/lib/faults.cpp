// SPDX-License-Identifier: Apache-2.0
#include "faults.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "fd.hpp"
#include "host.hpp"

namespace dh::faults {

namespace {

constexpr const char *own = "/proc/thread-self/fail-nth";

// No std::string, no stream: what these allocate would count.
void write_number(const char *path, unsigned value)
{
    char text[16];
    const int length = snprintf(text, sizeof(text), "%u", value);
    const Fd fd(open(path, O_WRONLY | O_CLOEXEC));
    if (fd && write(fd.get(), text, static_cast<size_t>(length)) != length) {
        FAIL(std::string(path) + " takes no number");
    }
}

unsigned read_number(const char *path)
{
    char text[16] = "";
    const Fd fd(open(path, O_RDONLY | O_CLOEXEC));
    if (!fd || read(fd.get(), text, sizeof(text) - 1) <= 0) {
        return 1; // the task is gone, unharmed
    }
    return static_cast<unsigned>(strtoul(text, nullptr, 10));
}

} // namespace

Switch::Switch()
{
    if (access(own, W_OK)) {
        SKIP("this kernel fails no allocations (CONFIG_FAULT_INJECTION)");
    }
    set("N");
    for (const char *kind : {"failslab", "fail_page_alloc"}) {
        shell(std::string("echo 0 >/sys/kernel/debug/") + kind + "/verbose");
        shell(std::string("echo 0 >/sys/kernel/debug/") + kind + "/stacktrace-depth");
    }
    shell("echo 0 >/sys/kernel/debug/fail_page_alloc/min-order");
}

Switch::~Switch()
{
    try {
        set("Y");
    } catch (const std::exception &error) {
        tap::fail_later(error.what());
    }
}

void Switch::set(const char *value)
{
    for (const char *file : {"failslab/ignore-gfp-wait", "fail_page_alloc/ignore-gfp-wait",
                             "fail_page_alloc/ignore-gfp-highmem"}) {
        shell(std::string("echo ") + value + " >/sys/kernel/debug/" + file);
    }
}

Victims::Victims() : files_{own} {}

Victims::Victims(const std::vector<pid_t> &tasks)
{
    for (const pid_t task : tasks) {
        files_.push_back("/proc/" + std::to_string(task) + "/fail-nth");
    }
}

void Victims::arm(unsigned nth)
{
    for (const std::string &file : files_) {
        write_number(file.c_str(), nth);
    }
}

bool Victims::disarm()
{
    bool failed = false;
    for (const std::string &file : files_) {
        // 0: the allocation has failed; otherwise those that are left before it
        failed |= read_number(file.c_str()) == 0;
        write_number(file.c_str(), 0);
    }
    return failed;
}

std::vector<pid_t> threads(const std::string &name)
{
    std::vector<pid_t> found;
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
        const pid_t pid = atoi(entry.path().filename().c_str());
        if (pid && read_file(entry.path() / "comm").starts_with(name)) {
            found.push_back(pid);
        }
    }
    return found;
}

unsigned next(unsigned nth)
{
    return nth + tap::rounds(1 + nth / 32, 1);
}

bool one(Victims &victims, unsigned nth, const std::function<bool()> &attempt,
         const std::function<void(bool done)> &after)
{
    bool done = false;
    victims.arm(nth);
    try {
        done = attempt();
    } catch (const std::exception &error) {
        victims.disarm();
        throw tap::Failure("allocation " + std::to_string(nth) + ": " + error.what());
    }
    const bool failed = victims.disarm();
    after(done);
    if (!failed && !done) {
        FAIL("it was refused, though no allocation failed");
    }
    return failed;
}

void each(const std::function<bool()> &attempt, const std::function<void(bool done)> &after,
          const std::function<void()> &before)
{
    const Switch on;
    Victims self;
    unsigned nth = 1;
    unsigned failures = 0;
    const auto again = [&] {
        if (before) {
            before();
        }
        return one(self, nth, attempt, after);
    };
    while (again()) {
        nth = next(nth);
        failures++;
    }
    CHECK(failures > 0);
    tap::note(std::to_string(failures) + " of about " + std::to_string(nth) +
              " allocations failed");
}

} // namespace dh::faults
