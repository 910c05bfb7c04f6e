// SPDX-License-Identifier: Apache-2.0
// A process of a test: the VMM that dies.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>

#include "fd.hpp"
#include "tap.hpp"

namespace dh {

class Child {
public:
    // Runs @body; what it throws ends the process with status 1.
    explicit Child(const std::function<void(Child &)> &body)
    {
        int up[2];
        int down[2];
        if (pipe(up) || pipe(down)) {
            throw tap::Failure("no pipes");
        }
        to_parent_ = Fd(up[1]);
        from_child_ = Fd(up[0]);
        to_child_ = Fd(down[1]);
        from_parent_ = Fd(down[0]);
        fflush(stdout);
        pid_ = fork();
        if (pid_ < 0) {
            throw tap::Failure("no process");
        }
        if (pid_ == 0) {
            from_child_.reset();
            to_child_.reset();
            int status = 0;
            try {
                body(*this);
            } catch (const std::exception &error) {
                printf("# child: %s\n", error.what());
                fflush(stdout);
                status = 1;
            }
            _exit(status);
        }
        to_parent_.reset();
        from_parent_.reset();
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    ~Child()
    {
        if (pid_ > 0) {
            kill();
        }
    }

    pid_t pid() const { return pid_; }

    // In the child: tell the parent, wait for it.
    void tell() { (void)!write(to_parent_.get(), "x", 1); }
    void await()
    {
        char c;
        if (read(from_parent_.get(), &c, 1) != 1) {
            _exit(0); // the parent is gone
        }
    }
    // In the parent: wait for tell(), let await() go on.
    void wait_told()
    {
        char c;
        if (read(from_child_.get(), &c, 1) != 1) {
            throw tap::Failure("the child process failed");
        }
    }
    void go() { (void)!write(to_child_.get(), "x", 1); }

    void kill()
    {
        ::kill(pid_, SIGKILL);
        join();
    }
    // Its wait status.
    int join()
    {
        int status = 0;
        waitpid(pid_, &status, 0);
        pid_ = -1;
        return status;
    }

private:
    pid_t pid_ = -1;
    Fd to_parent_, from_child_, to_child_, from_parent_;
};

} // namespace dh
