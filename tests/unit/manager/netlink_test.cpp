// SPDX-License-Identifier: Apache-2.0
// Multicast messages, from one socket of this process to another.
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "netlink.hpp"

namespace devhost {

namespace {

constexpr unsigned group = 1;

class Netlink : public ::testing::Test {
protected:
    Netlink() : sender_(open_netlink(NETLINK_USERSOCK)), receiver_(open_netlink(NETLINK_USERSOCK))
    {
        nl_socket_disable_seq_check(receiver_.get());
        EXPECT_EQ(nl_socket_set_nonblocking(receiver_.get()), 0);
        EXPECT_EQ(nl_socket_set_buffer_size(receiver_.get(), 4096, 0), 0);
        EXPECT_EQ(nl_socket_add_membership(receiver_.get(), group), 0);
    }

    void send(unsigned count)
    {
        for (unsigned i = 0; i < count; i++) {
            nlmsghdr header{.nlmsg_len = sizeof(nlmsghdr),
                            .nlmsg_type = NLMSG_MIN_TYPE,
                            .nlmsg_flags = 0,
                            .nlmsg_seq = next_++,
                            .nlmsg_pid = 0};
            sockaddr_nl to{};
            to.nl_family = AF_NETLINK;
            to.nl_groups = 1U << (group - 1);
            // Refused where the receiver has no room, which is what it is to find out itself.
            (void)!sendto(nl_socket_get_fd(sender_.get()), &header, sizeof(header), 0,
                          reinterpret_cast<const sockaddr *>(&to), sizeof(to));
        }
    }

    // What receive() says; the number of the last message that came.
    bool get()
    {
        return receive(*receiver_, [&](nlmsghdr *header) { last_ = header->nlmsg_seq; });
    }

    NlSocket sender_;
    NlSocket receiver_;
    unsigned next_ = 1;
    unsigned last_ = 0;
};

} // namespace

TEST_F(Netlink, AllThatIsQueuedIsRead)
{
    EXPECT_TRUE(get());
    send(3);
    EXPECT_TRUE(get());
    EXPECT_EQ(last_, 3U);
}

TEST_F(Netlink, AfterALossThereIsNoneThatIsNotTold)
{
    for (int round = 0; round < 3; round++) {
        send(1000);
        EXPECT_FALSE(get()) << round;
        EXPECT_LT(last_, next_ - 1);
        // Whoever reads everything anew now hears of what changes from here on.
        send(1);
        EXPECT_TRUE(get()) << round;
        EXPECT_EQ(last_, next_ - 1);
    }
}

} // namespace devhost
