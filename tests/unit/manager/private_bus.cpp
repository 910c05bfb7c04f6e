// SPDX-License-Identifier: Apache-2.0
#include "private_bus.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace devhost::test {

namespace {

// Of this thread alone, which is why it is not seteuid().
void set_effective_uid(uid_t uid)
{
    if (syscall(SYS_setresuid, -1, uid, -1) != 0) {
        throw std::runtime_error("cannot change the user");
    }
}

std::string read_line(int fd)
{
    std::string line;
    char c = 0;
    while (read(fd, &c, 1) == 1 && c != '\n') {
        line += c;
    }
    return line;
}

} // namespace

PrivateBus::PrivateBus()
{
    const std::string config = directory_.path() / "bus.conf";
    std::ofstream(config) << "<busconfig><listen>unix:path=" << (directory_.path() / "bus").string()
                          << "</listen><auth>EXTERNAL</auth>"
                             "<policy context='default'><allow user='*'/><allow own='*'/>"
                             "<allow send_type='method_call'/><allow send_destination='*'/>"
                             "<allow receive_sender='*'/></policy></busconfig>";
    int ends[2];
    if (pipe(ends) != 0) {
        throw std::runtime_error("no pipe");
    }
    daemon_ = fork();
    if (daemon_ == 0) {
        close(ends[0]);
        const std::string print = "--print-address=" + std::to_string(ends[1]);
        const std::string file = "--config-file=" + config;
        execlp("dbus-daemon", "dbus-daemon", "--nofork", print.c_str(), file.c_str(), nullptr);
        _exit(127);
    }
    close(ends[1]);
    address_ = read_line(ends[0]);
    close(ends[0]);
    if (address_.empty()) {
        throw std::runtime_error("dbus-daemon did not start");
    }
}

PrivateBus::~PrivateBus()
{
    kill(daemon_, SIGTERM);
    waitpid(daemon_, nullptr, 0);
}

Bus PrivateBus::connect(std::optional<uid_t> as) const
{
    sd_bus *raw = nullptr;
    bus_require(sd_bus_new(&raw), "new bus");
    Bus bus(raw);
    bus_require(sd_bus_set_address(raw, address_.c_str()), "address");
    bus_require(sd_bus_set_bus_client(raw, 1), "client");
    if (as) {
        set_effective_uid(*as);
    }
    const int started = sd_bus_start(raw);
    // The handshake tells who connects; it is over once there is a name.
    const char *name = nullptr;
    const int named = started < 0 ? started : sd_bus_get_unique_name(raw, &name);
    if (as) {
        set_effective_uid(getuid());
    }
    bus_require(named, "connect");
    return bus;
}

} // namespace devhost::test
