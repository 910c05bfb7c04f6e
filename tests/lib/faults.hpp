// SPDX-License-Identifier: Apache-2.0
// Allocations that fail: the first of what a task does, then the second, up to the last one
// (Documentation/fault-injection: fail-nth). Only kernels that are built for it can.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace dh::faults {

// Skips the test on a kernel without; page allocations and those that may sleep count too, for as
// long as this lives.
class Switch {
public:
    Switch();
    Switch(const Switch &) = delete;
    Switch &operator=(const Switch &) = delete;
    ~Switch();

private:
    void set(const char *value);
};

// This thread, or others of the kernel's.
class Victims {
public:
    Victims();
    explicit Victims(const std::vector<pid_t> &tasks);
    // The nth allocation of each of them fails.
    void arm(unsigned nth);
    // From now on none does; whether one has.
    bool disarm();

private:
    std::vector<std::string> files_;
};

// Threads of the kernel whose name starts with that.
std::vector<pid_t> threads(const std::string &name);

// Does it with the first allocation failing, then with the second and so on, until it needs no
// more; after many, not with each (with DEVHOST_SOAK=1 with each). @attempt tells whether it was
// done: it must be where nothing failed. @after undoes it where it was done, and checks that
// nothing is there where it was not; @before comes before each attempt.
void each(const std::function<bool()> &attempt, const std::function<void(bool done)> &after,
          const std::function<void()> &before = {});

// One step of it, of whoever: false once @nth is more than there are.
bool one(Victims &victims, unsigned nth, const std::function<bool()> &attempt,
         const std::function<void(bool done)> &after);
// The number that comes behind it.
unsigned next(unsigned nth);

} // namespace dh::faults
