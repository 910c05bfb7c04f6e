// SPDX-License-Identifier: Apache-2.0
#include "netlink.hpp"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace dh {

namespace {

constexpr size_t align4(size_t n)
{
    return (n + 3) & ~size_t{3};
}

[[noreturn]] void raise(const char *what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

Attrs &Attrs::raw(uint16_t type, const void *data, size_t size)
{
    nlattr head{static_cast<uint16_t>(NLA_HDRLEN + size), type};
    const auto *head_bytes = reinterpret_cast<const uint8_t *>(&head);
    bytes_.insert(bytes_.end(), head_bytes, head_bytes + sizeof(head));
    const auto *data_bytes = static_cast<const uint8_t *>(data);
    bytes_.insert(bytes_.end(), data_bytes, data_bytes + size);
    bytes_.resize(align4(bytes_.size()));
    return *this;
}

Attrs &Attrs::string(uint16_t type, std::string_view value)
{
    std::string terminated(value);
    return raw(type, terminated.c_str(), terminated.size() + 1);
}

Attrs &Attrs::nest(uint16_t type, const Attrs &inner)
{
    return raw(type | NLA_F_NESTED, inner.bytes_.data(), inner.bytes_.size());
}

uint64_t Attr::number() const
{
    uint64_t value = 0;
    memcpy(&value, bytes_.data(), std::min(bytes_.size(), sizeof(value)));
    return value;
}

std::string Attr::string() const
{
    std::string value(bytes_.begin(), bytes_.end());
    return value.substr(0, value.find('\0'));
}

std::vector<Attr> Attr::children() const
{
    return parse(bytes_.data(), bytes_.size());
}

std::vector<Attr> Attr::parse(const uint8_t *data, size_t size)
{
    std::vector<Attr> attrs;
    while (size >= sizeof(nlattr)) {
        nlattr head;
        memcpy(&head, data, sizeof(head));
        if (head.nla_len < NLA_HDRLEN || head.nla_len > size) {
            break;
        }
        attrs.emplace_back(head.nla_type & NLA_TYPE_MASK,
                           std::vector<uint8_t>(data + NLA_HDRLEN, data + head.nla_len));
        size_t step = std::min(align4(head.nla_len), size);
        data += step;
        size -= step;
    }
    return attrs;
}

std::optional<Attr> find(const std::vector<Attr> &attrs, uint16_t type)
{
    for (const Attr &attr : attrs) {
        if (attr.type() == type) {
            return attr;
        }
    }
    return std::nullopt;
}

uint64_t number(const std::vector<Attr> &attrs, uint16_t type, uint64_t absent)
{
    auto attr = find(attrs, type);
    return attr ? attr->number() : absent;
}

std::string text(const std::vector<Attr> &attrs, uint16_t type)
{
    auto attr = find(attrs, type);
    return attr ? attr->string() : std::string();
}

Genl::Genl(const std::string &family)
    : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC))
{
    if (!fd_) {
        raise("generic netlink socket");
    }
    int on = 1;
    setsockopt(fd_.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    setsockopt(fd_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));

    Attrs attrs;
    attrs.string(CTRL_ATTR_FAMILY_NAME, family);
    NetlinkReply reply = exchange(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attrs, NLM_F_ACK);
    if (reply.error || reply.messages.empty()) {
        throw std::runtime_error("no netlink family " + family + ": load devhost.ko first");
    }
    const auto &answer = reply.messages.front().attrs;
    family_ = static_cast<uint16_t>(number(answer, CTRL_ATTR_FAMILY_ID));
    if (auto groups = find(answer, CTRL_ATTR_MCAST_GROUPS)) {
        groups_ = groups->children();
    }
}

NetlinkReply Genl::request(uint8_t command, const Attrs &attrs, bool dump)
{
    return exchange(family_, command, attrs, dump ? NLM_F_DUMP : NLM_F_ACK);
}

void Genl::join(const std::string &group)
{
    for (const Attr &entry : groups_) {
        auto fields = entry.children();
        if (text(fields, CTRL_ATTR_MCAST_GRP_NAME) != group) {
            continue;
        }
        int id = static_cast<int>(number(fields, CTRL_ATTR_MCAST_GRP_ID));
        if (setsockopt(fd_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &id, sizeof(id))) {
            raise("joining a multicast group");
        }
        joined_ = true;
        return;
    }
    throw std::runtime_error("no multicast group " + group);
}

void Genl::send(uint16_t type, uint8_t command, const Attrs &attrs, uint16_t flags)
{
    constexpr size_t heads = NLMSG_HDRLEN + GENL_HDRLEN;
    std::vector<uint8_t> message(heads + attrs.bytes().size());
    std::copy(attrs.bytes().begin(), attrs.bytes().end(), message.begin() + heads);
    nlmsghdr head{};
    head.nlmsg_len = static_cast<uint32_t>(message.size());
    head.nlmsg_type = type;
    head.nlmsg_flags = NLM_F_REQUEST | flags;
    head.nlmsg_seq = ++seq_;
    genlmsghdr genl{command, 1, 0};
    memcpy(message.data(), &head, sizeof(head));
    memcpy(message.data() + NLMSG_HDRLEN, &genl, sizeof(genl));

    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (sendto(fd_.get(), message.data(), message.size(), 0, reinterpret_cast<sockaddr *>(&kernel),
               sizeof(kernel)) < 0) {
        raise("sending a netlink message");
    }
}

NetlinkReply Genl::exchange(uint16_t type, uint8_t command, const Attrs &attrs, uint16_t flags)
{
    send(type, command, attrs, flags);

    NetlinkReply reply;
    std::vector<uint8_t> buffer(1 << 17);
    for (;;) {
        ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0) {
            // events of groups overran; without any, it is the answer that is lost
            if (errno == EINTR || (errno == ENOBUFS && joined_)) {
                continue;
            }
            raise("receiving a netlink message");
        }
        int left = static_cast<int>(got);
        for (auto *head = reinterpret_cast<nlmsghdr *>(buffer.data()); NLMSG_OK(head, left);
             head = NLMSG_NEXT(head, left)) {
            auto *payload = static_cast<uint8_t *>(NLMSG_DATA(head));
            size_t size = head->nlmsg_len - NLMSG_HDRLEN;
            bool ours = head->nlmsg_seq == seq_ && head->nlmsg_pid != 0;
            if (head->nlmsg_type == NLMSG_ERROR || head->nlmsg_type == NLMSG_DONE) {
                if (!ours) {
                    continue;
                }
                int32_t code = 0;
                if (size >= sizeof(code)) {
                    memcpy(&code, payload, sizeof(code));
                }
                reply.error = code;
                size_t skip = head->nlmsg_type == NLMSG_DONE ? sizeof(code) : sizeof(nlmsgerr);
                if (head->nlmsg_type == NLMSG_ERROR && !(head->nlmsg_flags & NLM_F_CAPPED)) {
                    nlmsgerr error;
                    memcpy(&error, payload, sizeof(error));
                    if (error.error) {
                        skip += error.msg.nlmsg_len - NLMSG_HDRLEN;
                    }
                }
                if ((head->nlmsg_flags & NLM_F_ACK_TLVS) && size > skip) {
                    reply.extack =
                        text(Attr::parse(payload + skip, size - skip), NLMSGERR_ATTR_MSG);
                }
                return reply;
            }
            if (size < GENL_HDRLEN) {
                continue;
            }
            NetlinkMessage message{reinterpret_cast<genlmsghdr *>(payload)->cmd,
                                   Attr::parse(payload + GENL_HDRLEN, size - GENL_HDRLEN)};
            (ours ? reply.messages : pending_).push_back(std::move(message));
        }
    }
}

std::optional<NetlinkMessage> Genl::notification(int timeout_ms)
{
    std::vector<uint8_t> buffer(1 << 17);
    while (pending_.empty()) {
        pollfd poll_fd{fd_.get(), POLLIN, 0};
        if (poll(&poll_fd, 1, timeout_ms) <= 0) {
            return std::nullopt;
        }
        int left = static_cast<int>(recv(fd_.get(), buffer.data(), buffer.size(), 0));
        for (auto *head = reinterpret_cast<nlmsghdr *>(buffer.data()); NLMSG_OK(head, left);
             head = NLMSG_NEXT(head, left)) {
            auto *payload = static_cast<uint8_t *>(NLMSG_DATA(head));
            size_t size = head->nlmsg_len - NLMSG_HDRLEN;
            if (head->nlmsg_type == family_ && size >= GENL_HDRLEN) {
                pending_.push_back({reinterpret_cast<genlmsghdr *>(payload)->cmd,
                                    Attr::parse(payload + GENL_HDRLEN, size - GENL_HDRLEN)});
            }
        }
    }
    NetlinkMessage first = std::move(pending_.front());
    pending_.erase(pending_.begin());
    return first;
}

} // namespace dh
