// SPDX-License-Identifier: Apache-2.0
// bad-input 4.4: S8, the VMM's process: killed at each step, forked, its
// descriptor passed on; and the worker, which is one of its threads.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "child.hpp"
#include "hostile.hpp"

using namespace dh;

namespace {

// After the process: nothing held, nothing running, and the next guest works.
void released(TestDevice &device, RingKind ring)
{
    for (int waited = 0; waited < 5000; waited += 10) {
        const DeviceInfo info = device.info();
        if (info.state == DEVHOST_DEV_IDLE && !info.worker && !device.pinned()) {
            break;
        }
        usleep(10000);
    }
    CHECK_EQ(device.info().state, uint32_t{DEVHOST_DEV_IDLE});
    CHECK_EQ(device.info().worker, 0U);
    CHECK_EQ(device.pinned(), 0U);
    EchoGuest next(device.path(), with_ring(ring));
    next.start();
    next.good();
}

void send_fd(int socket, int fd)
{
    char byte = 'x';
    iovec iov{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    if (sendmsg(socket, &message, 0) != 1) {
        throw tap::Failure("cannot pass a descriptor");
    }
}

int receive_fd(int socket)
{
    char byte;
    iovec iov{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    if (recvmsg(socket, &message, 0) != 1) {
        throw tap::Failure("no descriptor came");
    }
    int fd = -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

} // namespace

TEST_RINGS("S8 SIGKILL at each step")
{
    TestDevice device(echo_params(ring));
    for (int step = 0; step <= 7; step++) {
        Child vmm([&](Child &me) {
            Hostile g(device.path(), with_ring(ring));
            const std::function<void()> steps[] = {
                [&] { g.set_owner(); },
                [&] { g.negotiate(); },
                [&] { g.map_memory(); },
                [&] { g.set_up_queues(); },
                [&] { g.driver_ok(); },
                [&] {
                    g.good();
                    if (!g.control(ECHO_OP_LATE_MODE, ECHO_LATE_HOLD)) {
                        throw tap::Failure("refused");
                    }
                    for (int i = 0; i < 10; i++) {
                        g.send(ECHO_VQ_LATE, 100, 100);
                    }
                },
                [&] { must(g.vdpa().suspend(), "suspend"); },
            };
            for (int i = 0; i < step; i++) {
                steps[i]();
            }
            me.tell();
            me.await();
        });
        vmm.wait_told();
        vmm.kill();
        released(device, ring);
    }
}

TEST_RINGS("S8 SIGKILL under traffic again and again")
{
    tap::time_limit(1500);
    TestDevice device(echo_params(ring));
    for (unsigned i = 0; i < tap::rounds(50, 1000); i++) {
        Child vmm([&](Child &me) {
            Hostile g(device.path(), with_ring(ring));
            g.start();
            g.good();
            me.tell();
            for (;;) {
                g.good();
            }
        });
        vmm.wait_told();
        usleep(i % 10 * 1000);
        vmm.kill();
    }
    released(device, ring);
}

TEST_RINGS("S8 fork: another process cannot take the device over")
{
    TestDevice device(echo_params(ring));
    EchoGuest g(device.path(), with_ring(ring));
    g.start();
    g.good();
    Child other([&](Child &) {
        // Not the owner's memory: nothing that maps or sets owner.
        CHECK_EQ(g.vdpa().set_owner(), -EBUSY);
        CHECK(g.vdpa().map(0x100000000, g.memory().ram().data(), 4096, VHOST_ACCESS_RW) < 0);
        CHECK(g.vdpa().unmap(Guest::ram_base, 4096) < 0);
    });
    CHECK_EQ(other.join(), 0);
    g.good();
}

TEST_RINGS("S8 fork: the child keeps the device open, the owner dies")
{
    TestDevice device(echo_params(ring));
    // The orphan is ours to wait for: what it had open is closed when wait() returns.
    must(prctl(PR_SET_CHILD_SUBREAPER, 1), "becoming a subreaper");
    Child grandchild_holder([&](Child &me) {
        EchoGuest g(device.path(), with_ring(ring));
        g.start();
        g.good();
        const int fd = g.vdpa().fd();
        if (fork() == 0) {
            // Inherits the descriptor, lives until the parent's pipe closes.
            (void)fd;
            me.tell();
            me.await();
            _exit(0);
        }
        me.await();
    });
    grandchild_holder.wait_told();
    CHECK(device.info().worker != 0);
    // Ends the owner only; its child waits in await().
    ::kill(grandchild_holder.pid(), SIGKILL);
    DeviceInfo info;
    within(5000, [&] {
        info = device.info();
        return !info.worker && info.state == DEVHOST_DEV_BROKEN;
    });
    CHECK_EQ(info.worker, 0U);
    CHECK_EQ(info.state, uint32_t{DEVHOST_DEV_BROKEN});
    CHECK(info.status & VIRTIO_CONFIG_S_NEEDS_RESET);
    CHECK(!info.reason.empty());
    // Now the last one goes.
    grandchild_holder.join();
    grandchild_holder.go();
    while (wait(nullptr) > 0 || errno == EINTR) {
    }
    must(prctl(PR_SET_CHILD_SUBREAPER, 0), "being one no more");
    released(device, ring);
}

TEST_RINGS("S8 descriptor passed to another process, the owner dies")
{
    TestDevice device(echo_params(ring));
    int sockets[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    Fd mine(sockets[0]);
    Fd theirs(sockets[1]);
    Child owner([&](Child &me) {
        Hostile g(device.path(), with_ring(ring));
        g.start();
        g.good();
        send_fd(theirs.get(), g.vdpa().fd());
        me.tell();
        me.await();
    });
    owner.wait_told();
    {
        Vdpa passed(Fd(receive_fd(mine.get())));
        CHECK(passed.status() & VIRTIO_CONFIG_S_DRIVER_OK);
        owner.kill();
        for (int waited = 0; waited < 5000 && !(passed.status() & VIRTIO_CONFIG_S_NEEDS_RESET);
             waited += 10) {
            usleep(10000);
        }
        CHECK(passed.status() & VIRTIO_CONFIG_S_NEEDS_RESET);
        CHECK_EQ(device.control().try_device_del(device.guest(), device.name()).error, -EBUSY);
        must(passed.set_status(0), "reset by the process that has it");
    }
    released(device, ring);
}

TEST_RINGS("S8 exec by the owner while another process has the device open")
{
    TestDevice device(echo_params(ring));
    int sockets[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    Fd mine(sockets[0]);
    Fd theirs(sockets[1]);
    Child owner([&](Child &me) {
        Hostile g(device.path(), with_ring(ring));
        g.start();
        send_fd(theirs.get(), g.vdpa().fd());
        me.tell();
        me.await();
        execl("/bin/sleep", "sleep", "60", nullptr);
        throw tap::Failure("exec failed");
    });
    owner.wait_told();
    {
        Vdpa passed(Fd(receive_fd(mine.get())));
        owner.go();
        for (int waited = 0; waited < 10000 && !(passed.status() & VIRTIO_CONFIG_S_NEEDS_RESET);
             waited += 10) {
            usleep(10000);
        }
        CHECK(passed.status() & VIRTIO_CONFIG_S_NEEDS_RESET);
        CHECK_EQ(device.info().worker, 0U);
    }
    owner.kill();
    released(device, ring);
}

TEST("S8 a second open is refused")
{
    TestDevice device(echo_params(RingKind::split));
    EchoGuest g(device.path(), with_ring(RingKind::split));
    g.start();
    const Fd second(open(device.path().c_str(), O_RDWR));
    CHECK(!second);
    CHECK_EQ(errno, EBUSY);
    g.good();
}

TEST_RINGS("worker: a thread of the VMM, in its cgroup, with a name and an id to set")
{
    TestDevice device(echo_params(ring));
    const std::string cgroup = "/sys/fs/cgroup/devhost-selftest";
    mkdir(cgroup.c_str(), 0755);
    {
        Child vmm([&](Child &me) {
            std::ofstream(cgroup + "/cgroup.procs") << getpid();
            EchoGuest g(device.path(), with_ring(ring));
            g.start();
            g.good();
            me.tell();
            me.await();
            g.good();
            me.tell();
            me.await();
        });
        vmm.wait_told();
        const uint32_t tid = device.info().worker;
        CHECK(tid != 0);
        const std::string task =
            "/proc/" + std::to_string(vmm.pid()) + "/task/" + std::to_string(tid);
        CHECK(std::filesystem::exists(task));
        CHECK(read_file(task + "/cgroup").find("devhost-selftest") != std::string::npos);
        CHECK(read_file(task + "/comm").starts_with("dh-"));
        // What the manager does with it.
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(0, &one);
        CHECK_EQ(sched_setaffinity(static_cast<pid_t>(tid), sizeof(one), &one), 0);
        const sched_param fifo{.sched_priority = 10};
        CHECK_EQ(sched_setscheduler(static_cast<pid_t>(tid), SCHED_FIFO, &fifo), 0);
        vmm.go();
        vmm.wait_told();
        vmm.go();
        CHECK_EQ(vmm.join(), 0);
    }
    CHECK_EQ(device.info().worker, 0U);
    CHECK_EQ(rmdir(cgroup.c_str()), 0);
}

TEST_RINGS("worker: created though a signal is pending")
{
    TestDevice device(echo_params(ring));
    Child vmm([&](Child &) {
        EchoGuest g(device.path(), with_ring(ring));
        g.set_owner();
        g.negotiate();
        g.map_memory();
        g.set_up_queues();
        // A timer that never gives it a moment without one.
        signal(SIGPROF, [](int) {});
        signal(SIGALRM, [](int) {});
        itimerval often{{0, 200}, {0, 200}};
        setitimer(ITIMER_REAL, &often, nullptr);
        g.driver_ok();
        for (int i = 0; i < 200; i++) {
            g.restart();
            g.good();
        }
    });
    CHECK_EQ(vmm.join(), 0);
    released(device, ring);
}
