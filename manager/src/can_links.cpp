// SPDX-License-Identifier: Apache-2.0
#include "can_links.hpp"

#include <cerrno>
#include <linux/can/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/route/link.h>
#include <netlink/route/link/can.h>

#include "error.hpp"

namespace devhost {

namespace {

struct LinkDelete {
    void operator()(rtnl_link *link) const { rtnl_link_put(link); }
};
using Link = std::unique_ptr<rtnl_link, LinkDelete>;

Link find_link(nl_sock &socket, const std::string &interface)
{
    rtnl_link *link = nullptr;
    const int result = rtnl_link_get_kernel(&socket, 0, interface.c_str(), &link);
    if (result == -NLE_OBJ_NOTFOUND || result == -NLE_NODEV) {
        return {};
    }
    if (result < 0) {
        throw Error(Cause::kernel,
                    "Cannot read the interface '" + interface + "': " + nl_geterror(result) + ".");
    }
    return Link(link);
}

Link need_link(nl_sock &socket, const std::string &interface)
{
    Link link = find_link(socket, interface);
    if (!link) {
        throw Error(Cause::invalid_args, "There is no interface '" + interface +
                                             "': load its driver, or correct the name.");
    }
    return link;
}

Link new_link()
{
    Link link(rtnl_link_alloc());
    if (!link) {
        throw std::bad_alloc();
    }
    return link;
}

Link new_can_link()
{
    Link link = new_link();
    if (rtnl_link_set_type(link.get(), "can") < 0) {
        throw std::bad_alloc();
    }
    return link;
}

std::string kind_of(rtnl_link &link)
{
    const char *kind = rtnl_link_get_type(&link);
    return kind == nullptr ? "" : kind;
}

void ask(nl_sock &socket, nl_msg &request, const std::string &what)
{
    try {
        transact(socket, request);
    } catch (const NetlinkError &error) {
        const auto cause =
            error.error() == EINVAL || error.error() == ERANGE || error.error() == EDOM
                ? Cause::invalid_args
                : Cause::kernel;
        throw Error(cause, what + ": " + error.what() + ".");
    }
}

void change(nl_sock &socket, rtnl_link &from, rtnl_link &to, const std::string &what)
{
    nl_msg *request = nullptr;
    const int result = rtnl_link_build_change_request(&from, &to, 0, &request);
    const NlMessage owned(result < 0 ? nullptr : request);
    if (result < 0) {
        throw Error(Cause::failed, what + ": " + nl_geterror(result) + ".");
    }
    ask(socket, *request, what);
}

// rtnl_link_can_restart() of libnl 3.7 puts nothing into the request: it marks the wrong
// field as set.
NlMessage restart_request(rtnl_link &link)
{
    ifinfomsg info{};
    info.ifi_family = AF_UNSPEC;
    info.ifi_index = rtnl_link_get_ifindex(&link);
    NlMessage request(nlmsg_alloc_simple(RTM_NEWLINK, 0));
    if (!request || nlmsg_append(request.get(), &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
        throw std::bad_alloc();
    }
    const Nest link_info(*request, IFLA_LINKINFO);
    put(*request, IFLA_INFO_KIND, "can");
    const Nest data(*request, IFLA_INFO_DATA);
    put(*request, IFLA_CAN_RESTART, std::uint32_t{1});
    return request;
}

void set_up(nl_sock &socket, rtnl_link &link, const std::string &interface, bool up)
{
    const Link wanted = new_link();
    if (up) {
        rtnl_link_set_flags(wanted.get(), IFF_UP);
    } else {
        rtnl_link_unset_flags(wanted.get(), IFF_UP);
    }
    change(socket, link, *wanted,
           "Cannot bring the interface '" + interface + (up ? "' up" : "' down"));
}

// A bit rate of 0 is one that was never set.
void take_timing(const can_bittiming &timing, std::optional<std::uint32_t> &bitrate,
                 std::optional<std::uint32_t> &sample_point)
{
    if (timing.bitrate != 0) {
        bitrate = timing.bitrate;
        sample_point = timing.sample_point;
    }
}

// The kernel computes the rest of a timing from these two; 0 leaves the sample point to it.
can_bittiming timing_of(std::uint32_t bitrate, std::optional<std::uint32_t> sample_point)
{
    can_bittiming timing{};
    timing.bitrate = bitrate;
    timing.sample_point = sample_point.value_or(0);
    return timing;
}

template <typename Value>
bool as_wanted(const std::optional<Value> &wanted, const std::optional<Value> &have)
{
    return !wanted || wanted == have;
}

// The kernel rounds a sample point to what the controller's clock allows.
bool near(const std::optional<std::uint32_t> &wanted, const std::optional<std::uint32_t> &have)
{
    constexpr int tolerance = 30; // tenths of a percent
    return !wanted ||
           (have && std::abs(static_cast<int>(*wanted) - static_cast<int>(*have)) <= tolerance);
}

} // namespace

bool satisfies(const CanLinkInfo &link, const CanDeviceConfig &wanted)
{
    return link.up && as_wanted(wanted.bitrate, link.bitrate) &&
           near(wanted.sample_point, link.sample_point) &&
           as_wanted(wanted.data_bitrate, link.data_bitrate) &&
           near(wanted.data_sample_point, link.data_sample_point) &&
           as_wanted(wanted.fd, link.fd) && as_wanted(wanted.restart_ms, link.restart_ms);
}

RtnlCanLinks::RtnlCanLinks()
    : requests_(open_netlink(NETLINK_ROUTE)), events_(open_netlink(NETLINK_ROUTE))
{
    nl_socket_disable_seq_check(events_.get());
    require(nl_socket_set_nonblocking(events_.get()), "Cannot prepare the event socket");
    require(nl_socket_add_membership(events_.get(), RTNLGRP_LINK),
            "Cannot subscribe to interface events");
}

std::optional<CanLinkInfo> RtnlCanLinks::read(const std::string &interface)
{
    const Link link = find_link(*requests_, interface);
    if (!link) {
        return std::nullopt;
    }
    CanLinkInfo info;
    info.kind = kind_of(*link);
    info.up = (rtnl_link_get_flags(link.get()) & IFF_UP) != 0;
    if (rtnl_link_is_can(link.get()) == 0) {
        return info;
    }
    can_bittiming timing{};
    if (rtnl_link_can_get_bittiming(link.get(), &timing) == 0) {
        take_timing(timing, info.bitrate, info.sample_point);
    }
    can_bittiming data_timing{};
    if (rtnl_link_can_get_data_bittiming(link.get(), &data_timing) == 0) {
        take_timing(data_timing, info.data_bitrate, info.data_sample_point);
    }
    std::uint32_t value = 0;
    if (rtnl_link_can_get_ctrlmode(link.get(), &value) == 0) {
        info.fd = (value & CAN_CTRLMODE_FD) != 0;
    }
    if (rtnl_link_can_get_restart_ms(link.get(), &value) == 0) {
        info.restart_ms = value;
    }
    if (rtnl_link_can_state(link.get(), &value) == 0) {
        info.state = value;
    }
    return info;
}

void RtnlCanLinks::apply(const std::string &interface, const CanDeviceConfig &wanted)
{
    const std::optional<CanLinkInfo> now = read(interface);
    const Link link = need_link(*requests_, interface);
    if (rtnl_link_is_can(link.get()) == 0) {
        throw Error(Cause::not_supported,
                    "The interface '" + interface + "' (" + kind_of(*link) +
                        ") has no bit rate, FD or restart setting: leave these settings out, or "
                        "name the interface of a CAN controller.");
    }
    if (now && satisfies(*now, wanted)) {
        return;
    }
    const Link changes = new_can_link();
    rtnl_link *to = changes.get();
    if (wanted.bitrate) {
        const can_bittiming timing = timing_of(*wanted.bitrate, wanted.sample_point);
        rtnl_link_can_set_bittiming(to, &timing);
    }
    if (wanted.data_bitrate) {
        const can_bittiming timing = timing_of(*wanted.data_bitrate, wanted.data_sample_point);
        rtnl_link_can_set_data_bittiming(to, &timing);
    }
    if (wanted.fd) {
        if (*wanted.fd) {
            rtnl_link_can_set_ctrlmode(to, CAN_CTRLMODE_FD);
        } else {
            rtnl_link_can_unset_ctrlmode(to, CAN_CTRLMODE_FD);
        }
    }
    if (wanted.restart_ms) {
        rtnl_link_can_set_restart_ms(to, *wanted.restart_ms);
    }
    // A controller takes settings only while it is down.
    set_up(*requests_, *link, interface, false);
    const Link down = need_link(*requests_, interface);
    try {
        change(*requests_, *down, *to, "Cannot set the interface '" + interface + "'");
    } catch (const Error &) {
        if (now && now->up) { // with what it had before
            set_up(*requests_, *down, interface, true);
        }
        throw;
    }
    set_up(*requests_, *need_link(*requests_, interface), interface, true);
}

void RtnlCanLinks::restart(const std::string &interface)
{
    const Link link = need_link(*requests_, interface);
    if (rtnl_link_is_can(link.get()) == 0) {
        throw Error(Cause::not_supported, "The interface '" + interface + "' (" + kind_of(*link) +
                                              ") cannot be restarted: it is no CAN controller.");
    }
    ask(*requests_, *restart_request(*link), "Cannot restart the interface '" + interface + "'");
}

int RtnlCanLinks::event_fd() const
{
    return nl_socket_get_fd(events_.get());
}

std::optional<std::vector<std::string>> RtnlCanLinks::read_events()
{
    std::vector<std::string> names;
    const bool complete = receive(*events_, [&](nlmsghdr *header) {
        const nlattr *name = nlmsg_find_attr(header, sizeof(ifinfomsg), IFLA_IFNAME);
        if (name != nullptr) {
            names.emplace_back(nla_get_string(const_cast<nlattr *>(name)));
        }
    });
    return complete ? std::optional(names) : std::nullopt;
}

} // namespace devhost
