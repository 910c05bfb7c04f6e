// SPDX-License-Identifier: Apache-2.0
#include "netlink.hpp"

#include <cerrno>
#include <cstring>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <sys/socket.h>
#include <system_error>

#include "error.hpp"

namespace devhost {

namespace {

void require_room(bool had_room)
{
    if (!had_room) {
        throw Error(Cause::failed, "The netlink request does not fit in a message.");
    }
}

// What a transaction has seen so far.
struct Transaction {
    std::vector<NlReply> replies;
    std::string extack;
    int error = 0;
    bool done = false;
};

std::string extack_of(const nlmsgerr *error)
{
    // libnl hands out the payload of the message; its header lies before it.
    const auto *header = reinterpret_cast<const nlmsghdr *>(
        reinterpret_cast<const std::byte *>(error) - NLMSG_HDRLEN);
    if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) {
        return {};
    }
    std::size_t skip = sizeof(*error);
    if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) {
        skip += error->msg.nlmsg_len - NLMSG_HDRLEN;
    }
    const auto length = static_cast<std::size_t>(nlmsg_datalen(header));
    if (skip >= length) {
        return {};
    }
    const auto *attributes = reinterpret_cast<const nlattr *>(
        reinterpret_cast<const std::byte *>(error) + NLMSG_ALIGN(skip));
    const nlattr *text =
        nla_find(attributes, static_cast<int>(length - NLMSG_ALIGN(skip)), NLMSGERR_ATTR_MSG);
    if (text == nullptr) {
        return {};
    }
    const auto *start = static_cast<const char *>(nla_data(text));
    return {start, strnlen(start, static_cast<std::size_t>(nla_len(text)))};
}

int on_valid(nl_msg *message, void *argument) noexcept
{
    static_cast<Transaction *>(argument)->replies.emplace_back(nlmsg_hdr(message));
    return NL_OK;
}

int on_end(nl_msg * /*message*/, void *argument)
{
    static_cast<Transaction *>(argument)->done = true;
    return NL_STOP;
}

int on_error(sockaddr_nl * /*address*/, nlmsgerr *error, void *argument)
{
    auto *transaction = static_cast<Transaction *>(argument);
    transaction->error = -error->error;
    transaction->extack = extack_of(error);
    transaction->done = true;
    return NL_STOP;
}

struct CallbackDelete {
    void operator()(nl_cb *callbacks) const { nl_cb_put(callbacks); }
};
using NlCallbacks = std::unique_ptr<nl_cb, CallbackDelete>;

NlCallbacks new_callbacks()
{
    NlCallbacks callbacks(nl_cb_alloc(NL_CB_DEFAULT));
    if (!callbacks) {
        throw std::bad_alloc();
    }
    return callbacks;
}

Transaction transact_once(nl_sock &socket, nl_msg &request)
{
    Transaction transaction;
    const NlCallbacks callbacks = new_callbacks();
    nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_valid, &transaction);
    nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, on_end, &transaction);
    nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, on_end, &transaction);
    nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &transaction);

    require(nl_send_auto(&socket, &request), "Cannot send to the kernel");
    while (!transaction.done) {
        const int result = nl_recvmsgs(&socket, callbacks.get());
        if (result == -NLE_DUMP_INTR) {
            transaction.error = EAGAIN;
            transaction.done = true;
        } else if (!transaction.done) {
            require(result, "Cannot receive from the kernel");
        }
    }
    return transaction;
}

} // namespace

int require(int libnl_result, const std::string &what)
{
    if (libnl_result < 0) {
        throw NetlinkError(libnl_result == -NLE_OBJ_NOTFOUND ? ENOENT : EIO,
                           what + ": " + nl_geterror(libnl_result) + ".");
    }
    return libnl_result;
}

NlSocket open_netlink(int protocol)
{
    NlSocket socket(nl_socket_alloc());
    if (!socket) {
        throw std::bad_alloc();
    }
    require(nl_connect(socket.get(), protocol), "Cannot open a netlink socket");
    const int fd = nl_socket_get_fd(socket.get());
    const int on = 1;
    // Without these there are error numbers only; that still works.
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    nl_socket_enable_msg_peek(socket.get());
    return socket;
}

NlReply::NlReply(const nlmsghdr *header)
    : bytes_(std::make_unique_for_overwrite<std::byte[]>(header->nlmsg_len))
{
    std::memcpy(bytes_.get(), header, header->nlmsg_len);
}

nlmsghdr *NlReply::header() const
{
    return reinterpret_cast<nlmsghdr *>(bytes_.get());
}

std::vector<NlReply> transact(nl_sock &socket, nl_msg &request)
{
    constexpr int tries = 8; // a dump that a change interrupted starts again
    for (int i = 0;; i++) {
        Transaction transaction = transact_once(socket, request);
        if (transaction.error == EAGAIN && i < tries) {
            nlmsg_hdr(&request)->nlmsg_seq = NL_AUTO_SEQ;
            continue;
        }
        if (transaction.error != 0) {
            throw NetlinkError(transaction.error, transaction.extack.empty()
                                                      ? errno_text(transaction.error)
                                                      : transaction.extack);
        }
        return std::move(transaction.replies);
    }
}

bool receive(nl_sock &socket, const std::function<void(nlmsghdr *)> &each)
{
    // Exceptions must not cross libnl: collect first, then call.
    Transaction transaction;
    const NlCallbacks callbacks = new_callbacks();
    nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_valid, &transaction);
    nl_cb_set(
        callbacks.get(), NL_CB_SEQ_CHECK, NL_CB_CUSTOM,
        [](nl_msg *, void *) -> int { return NL_OK; }, nullptr);
    int result = 0;
    bool complete = true;
    for (int previous = 0;; previous = result) {
        const std::size_t before = transaction.replies.size();
        result = nl_recvmsgs(&socket, callbacks.get());
        // Lost messages are told of once: until all that is queued has been read the kernel may
        // drop more, without a word.
        if (result == -NLE_NOMEM && previous != -NLE_NOMEM) {
            complete = false;
            continue;
        }
        if (result < 0 || transaction.replies.size() == before) {
            break;
        }
    }
    for (const NlReply &reply : transaction.replies) {
        each(reply.header());
    }
    return complete && (result >= 0 || result == -NLE_AGAIN);
}

void put(nl_msg &message, int type, const std::string &text)
{
    require_room(nla_put_string(&message, type, text.c_str()) == 0);
}

void put(nl_msg &message, int type, std::uint32_t number)
{
    require_room(nla_put_u32(&message, type, number) == 0);
}

void put(nl_msg &message, int type, std::uint64_t number)
{
    require_room(nla_put_u64(&message, type, number) == 0);
}

void put(nl_msg &message, int type, const UniqueFd &fd)
{
    if (fd) {
        put(message, type, static_cast<std::uint32_t>(fd.get()));
    }
}

void put_flag(nl_msg &message, int type, bool set)
{
    if (set) {
        require_room(nla_put_flag(&message, type) == 0);
    }
}

Nest::Nest(nl_msg &message, int type)
    : message_(message), start_(nla_nest_start(&message, type | NLA_F_NESTED))
{
    require_room(start_ != nullptr);
}

Nest::~Nest()
{
    nla_nest_end(&message_, start_);
}

} // namespace devhost
