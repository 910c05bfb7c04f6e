// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <linux/devhost.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "error.hpp"
#include "genl_kernel.hpp"

namespace devhost {

namespace {

// A sound device with all that it can have is larger than the page that is usual, and an SCMI
// device with 512 resources larger still.
constexpr std::size_t request_size = 16384;
constexpr std::size_t new_device_size = 1 << 17;

constexpr int event_buffer = 1 << 20; // bytes; a burst of events of every device

class GenlSocketChannel final : public GenlChannel {
public:
    GenlSocketChannel() : requests_(open_netlink(NETLINK_GENERIC)) { join(); }

    std::vector<NlReply> request(std::uint8_t command, bool dump, const Fill &fill) override
    {
        try {
            return send(command, dump, fill);
        } catch (const NetlinkError &error) {
            // The module may have been loaded anew: then the family has another number.
            if (error.error() != ENOENT || !family_changed()) {
                throw;
            }
            return send(command, dump, fill);
        }
    }

    [[nodiscard]] int event_fd() const override { return nl_socket_get_fd(events_.get()); }

    bool read_events(const std::function<void(nlmsghdr *)> &each) override
    {
        return receive(*events_, [&](nlmsghdr *header) {
            if (header->nlmsg_type == family_) {
                each(header);
            }
        });
    }

private:
    int resolve()
    {
        const int family = genl_ctrl_resolve(requests_.get(), DEVHOST_GENL_NAME);
        if (family < 0) {
            throw Error(Cause::kernel_unavailable,
                        "The kernel module devhost is not loaded: run 'modprobe devhost', and "
                        "install devhost-dkms and the kernel's headers if there is none.");
        }
        return family;
    }

    void join()
    {
        family_ = resolve();
        if (!events_) {
            events_ = open_netlink(NETLINK_GENERIC);
            nl_socket_disable_seq_check(events_.get());
            require(nl_socket_set_nonblocking(events_.get()), "Cannot prepare the event socket");
            require(nl_socket_set_buffer_size(events_.get(), event_buffer, 0),
                    "Cannot prepare the event socket");
        }
        for (const char *name : {DEVHOST_MCGRP_EVENTS, DEVHOST_MCGRP_POWER}) {
            const int group = genl_ctrl_resolve_grp(requests_.get(), DEVHOST_GENL_NAME, name);
            require(group, "The kernel module devhost lacks a group of events");
            require(nl_socket_add_membership(events_.get(), group), "Cannot subscribe to events");
        }
        // An older module tells nobody.
        const int denials =
            genl_ctrl_resolve_grp(requests_.get(), DEVHOST_GENL_NAME, DEVHOST_MCGRP_DENIALS);
        if (denials >= 0) {
            require(nl_socket_add_membership(events_.get(), denials),
                    "Cannot subscribe to denials");
        }
    }

    bool family_changed()
    {
        const int before = family_;
        if (resolve() == before) {
            return false;
        }
        join();
        return true;
    }

    std::vector<NlReply> send(std::uint8_t command, bool dump, const Fill &fill)
    {
        const NlMessage message(
            nlmsg_alloc_size(command == DEVHOST_CMD_DEVICE_NEW ? new_device_size : request_size));
        if (!message ||
            genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family_, 0, dump ? NLM_F_DUMP : 0,
                        command, DEVHOST_GENL_VERSION) == nullptr) {
            throw std::bad_alloc();
        }
        fill(*message);
        return transact(*requests_, *message);
    }

    NlSocket requests_;
    NlSocket events_;
    int family_ = 0;
};

} // namespace

std::unique_ptr<GenlChannel> open_genl_channel()
{
    return std::make_unique<GenlSocketChannel>();
}

} // namespace devhost
