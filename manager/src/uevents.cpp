// SPDX-License-Identifier: Apache-2.0
#include "uevents.hpp"

#include <array>
#include <cerrno>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <utility>

#include "error.hpp"

namespace devhost {

namespace {

// The kernel tells when the node is there, udev when its links and permissions are; a host may be
// without udev. Whoever reads only looks again, so it need not be asked who has sent it.
constexpr unsigned from_kernel = 1;
constexpr unsigned from_udev = 2;

UniqueFd open_uevents(const std::string &subsystem)
{
    UniqueFd fd(
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = from_kernel | from_udev;
    if (!fd || bind(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0) {
        throw system_error(errno, "Cannot watch the devices of " + subsystem);
    }
    return fd;
}

} // namespace

// A message is a head, the kernel's or udev's, and lines "KEY=value", each with a NUL. The first
// line of udev's stands right behind the head, which has binary numbers.
DeviceEvents device_events_of(std::string_view message, const std::string &subsystem)
{
    const auto has = [&](std::string_view line) {
        std::size_t at = message.find(line);
        while (at != std::string_view::npos) {
            const std::size_t end = at + line.size();
            if ((at == 0 || message[at - 1] < ' ') &&
                (end == message.size() || message[end] == '\0')) {
                return true;
            }
            at = message.find(line, at + 1);
        }
        return false;
    };
    if (!has("SUBSYSTEM=" + subsystem)) {
        return {};
    }
    return {.come = has("ACTION=add"), .gone = has("ACTION=remove")};
}

Uevents::Uevents(std::string subsystem)
    : subsystem_(std::move(subsystem)), fd_(open_uevents(subsystem_))
{
}

DeviceEvents Uevents::read()
{
    std::array<char, 8192> message{};
    DeviceEvents events;
    for (;;) {
        const ssize_t length = recv(fd_.get(), message.data(), message.size(), 0);
        if (length < 0 && errno == ENOBUFS) {
            events = {.come = true, .gone = true}; // some were lost
            continue;
        }
        if (length <= 0) {
            return events;
        }
        const DeviceEvents event =
            device_events_of({message.data(), static_cast<std::size_t>(length)}, subsystem_);
        events.come |= event.come;
        events.gone |= event.gone;
    }
}

} // namespace devhost
