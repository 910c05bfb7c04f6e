// SPDX-License-Identifier: Apache-2.0
//
// libnl handles that free themselves, and errors with the kernel's own words.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "unique_fd.hpp"

namespace devhost {

struct NlDelete {
    void operator()(nl_msg *message) const { nlmsg_free(message); }
    void operator()(nl_sock *socket) const { nl_socket_free(socket); }
};

using NlMessage = std::unique_ptr<nl_msg, NlDelete>;
using NlSocket = std::unique_ptr<nl_sock, NlDelete>;

/// The kernel refused a request. what() is its extended acknowledgement, else the errno's text.
class NetlinkError : public std::runtime_error {
public:
    NetlinkError(int error, const std::string &text) : std::runtime_error(text), error_(error) {}

    [[nodiscard]] int error() const { return error_; } // errno, positive

private:
    int error_;
};

/// Throws NetlinkError for a negative libnl return value.
int require(int libnl_result, const std::string &what);

/// A socket connected to @p protocol that asks for extended acknowledgements.
NlSocket open_netlink(int protocol);

/// The message with its header, copied out of libnl's buffer.
class NlReply {
public:
    explicit NlReply(const nlmsghdr *header);
    [[nodiscard]] nlmsghdr *header() const;

private:
    std::unique_ptr<std::byte[]> bytes_;
};

/// Sends @p request and collects what comes back until the kernel acknowledges it or ends the
/// dump. Throws NetlinkError.
std::vector<NlReply> transact(nl_sock &socket, nl_msg &request);

/// Attributes for a request. Throw Error where the message has no room.
void put(nl_msg &message, int type, const std::string &text);
void put(nl_msg &message, int type, std::uint32_t number);
void put(nl_msg &message, int type, std::uint64_t number);
/// A file for the kernel to take; nothing where there is none.
void put(nl_msg &message, int type, const UniqueFd &fd);
void put_flag(nl_msg &message, int type, bool set);

/// An attribute that contains others, open while the object lives.
class Nest {
public:
    Nest(nl_msg &message, int type);
    Nest(const Nest &) = delete;
    Nest &operator=(const Nest &) = delete;
    ~Nest();

private:
    nl_msg &message_;
    nlattr *start_;
};

/// Reads what is queued on a non-blocking socket of multicast messages. False when some were lost.
bool receive(nl_sock &socket, const std::function<void(nlmsghdr *)> &each);

} // namespace devhost
