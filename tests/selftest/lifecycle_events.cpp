// SPDX-License-Identifier: Apache-2.0
// What happens to a device, for the races of lifecycle.cpp.
#include <fcntl.h>
#include <linux/vdpa.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "lifecycle.hpp"

namespace dh::life {

namespace {

// Ends the use of the device by the VMM, whoever is first.
bool ends_use(const Event &event)
{
    const std::string name = event.name();
    return name == "close" || name == "SIGKILL" || name == "exec";
}

// What an ioctl of the VMM on its descriptor may say while @other happens.
bool ioctl_may_be(int result, const Event &other)
{
    return result == 0 || (result == -EBADF && other.name() == "close");
}

class Reset final : public Event {
public:
    std::string name() const override { return "reset"; }
    bool in_vmm() const override { return true; }
    int act(Vmm &vmm) override { return vmm.traffic.guest().vdpa().set_status(0); }
    bool may_be(int result, const Event &other, int) const override
    {
        return ioctl_may_be(result, other);
    }
};

class Suspend final : public Event {
public:
    std::string name() const override { return "suspend"; }
    bool in_vmm() const override { return true; }
    int act(Vmm &vmm) override
    {
        const int result = vmm.traffic.guest().vdpa().suspend();
        if (result) {
            return result;
        }
        usleep(300);
        return vmm.traffic.guest().vdpa().resume();
    }
    bool may_be(int result, const Event &other, int) const override
    {
        return ioctl_may_be(result, other);
    }
};

class Close final : public Event {
public:
    std::string name() const override { return "close"; }
    bool in_vmm() const override { return true; }
    bool twice() const override { return false; } // the number may be another's
    int act(Vmm &vmm) override
    {
        vmm.traffic.guest().vdpa().close();
        return 0;
    }
    bool may_be(int result, const Event &, int) const override { return result == 0; }
};

class Exec final : public Event {
public:
    std::string name() const override { return "exec"; }
    bool in_vmm() const override { return true; }
    bool twice() const override { return false; }
    bool returns() const override { return false; }
    int act(Vmm &vmm) override
    {
        // What is executed has the device open, and not the memory.
        fcntl(vmm.traffic.guest().vdpa().fd(), F_SETFD, 0);
        execl("/bin/sleep", "sleep", "1000", nullptr);
        return -errno;
    }
    bool may_be(int result, const Event &, int) const override { return result == 0; }
};

class Fork final : public Event {
public:
    std::string name() const override { return "fork"; }
    bool in_vmm() const override { return true; }
    int act(Vmm &) override
    {
        const pid_t pid = fork();
        if (pid == 0) {
            for (;;) {
                pause();
            }
        }
        return pid < 0 ? -errno : 0;
    }
    bool may_be(int result, const Event &, int) const override { return result == 0; }
};

// The device is made ready before, and gets DRIVER_OK from a thread that signals never leave alone.
class Signals final : public Event {
public:
    std::string name() const override { return "signals at DRIVER_OK"; }
    bool in_vmm() const override { return true; }
    bool twice() const override { return false; }
    void prepare(Vmm &vmm) override
    {
        vmm.turns.lock();
        Guest &g = vmm.traffic.guest();
        g.reset();
        vmm.traffic.forget();
        g.negotiate();
        g.map_memory();
        g.set_up_queues();
    }
    int act(Vmm &vmm) override
    {
        Guest &g = vmm.traffic.guest();
        sigset_t alarms;
        sigemptyset(&alarms);
        sigaddset(&alarms, SIGALRM);
        pthread_sigmask(SIG_UNBLOCK, &alarms, nullptr);
        const itimerval often{{0, 200}, {0, 200}};
        const itimerval never{};
        setitimer(ITIMER_REAL, &often, nullptr);
        const int result =
            g.vdpa().set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                                VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
        setitimer(ITIMER_REAL, &never, nullptr);
        pthread_sigmask(SIG_BLOCK, &alarms, nullptr);
        return result;
    }
    void after(Vmm &vmm) override
    {
        try {
            vmm.traffic.begin();
        } catch (const std::exception &) {
            // the other one has taken the device away
        }
        vmm.turns.unlock();
    }
    // vhost-vdpa refuses a status without DEVICE_NEEDS_RESET where the device has set that.
    bool may_be(int result, const Event &other, int) const override
    {
        return ioctl_may_be(result, other) || (result == -EINVAL && other.quiesces());
    }
};

class Kill final : public Event {
public:
    std::string name() const override { return "SIGKILL"; }
    bool returns() const override { return false; }
    int act(Arena &arena) override { return kill(arena.vmm(), SIGKILL) ? -errno : 0; }
    bool may_be(int result, const Event &, int) const override { return result == 0; }
};

// Each has a socket of its own: to make one takes longer than what it is for.
class VdpaDelete final : public Event {
public:
    std::string name() const override { return "vdpa dev del"; }
    bool waits() const override { return true; }
    void prepare(Arena &) override { genl_.emplace(VDPA_GENL_NAME); }
    int act(Arena &arena) override
    {
        return genl_->request(VDPA_CMD_DEV_DEL, Attrs().string(VDPA_ATTR_DEV_NAME, arena.vdpa()))
            .error;
    }
    void restore(Arena &) override { genl_.reset(); }
    // It waits for the VMM; where another one was first there is none of that name any more.
    bool may_be(int result, const Event &other, int others) const override
    {
        return result == 0 || (result == -ENODEV && other.removed(others));
    }
    bool removed(int result) const override { return result == 0; }

private:
    std::optional<Genl> genl_;
};

class Delete final : public Event {
public:
    explicit Delete(bool force) : force_(force) {}
    std::string name() const override { return force_ ? "device del by force" : "device del"; }
    void prepare(Arena &) override { control_.emplace(); }
    int act(Arena &arena) override
    {
        return control_->try_device_del(arena.guest(), arena.device(), force_).error;
    }
    void restore(Arena &) override { control_.reset(); }
    bool quiesces() const override { return force_; }
    bool spoils(const Kind &) const override { return force_; }
    // It waits for nobody; done only where the VMM has let go of the device just before.
    bool may_be(int result, const Event &other, int others) const override
    {
        return result == -EBUSY || (result == 0 && ends_use(other)) ||
               (result == -ENOENT && other.removed(others));
    }
    bool removed(int result) const override { return result == 0; }

private:
    const bool force_;
    std::optional<Control> control_;
};

class Unload final : public Event {
public:
    std::string name() const override { return "module unload"; }
    int act(Arena &arena) override
    {
        // Others use the core all the time.
        if (syscall(SYS_delete_module, "devhost", O_NONBLOCK) == 0) {
            return -ENOTRECOVERABLE;
        }
        const std::string module = arena.kind().module();
        return syscall(SYS_delete_module, module.c_str(), O_NONBLOCK) ? -errno : 0;
    }
    // Done where the device has just gone, and there is none the second time.
    bool may_be(int result, const Event &other, int others) const override
    {
        const bool gone = other.removed(others);
        return result == -EWOULDBLOCK || result == -EBUSY || (result == 0 && gone) ||
               (result == -ENOENT && others == 0 && other.name() == name());
    }
};

class Backend final : public Event {
public:
    std::string name() const override { return "backend removal"; }
    bool applies(const Kind &kind) const override { return kind.has_backend(); }
    bool twice() const override { return false; }
    int act(Arena &arena) override
    {
        arena.kind().backend_goes();
        return 0;
    }
    void restore(Arena &arena) override { arena.kind().backend_comes(); }
    bool spoils(const Kind &kind) const override { return !kind.finds_again(); }
    bool may_be(int result, const Event &, int) const override { return result == 0; }
};

class Policy final : public Event {
public:
    std::string name() const override { return "policy swap"; }
    bool twice() const override { return false; } // one process has the policies
    int act(Arena &arena) override { return arena.policy().swap(); }
    bool may_be(int result, const Event &, int) const override { return result == 0; }
};

} // namespace

std::vector<std::unique_ptr<Event>> events()
{
    std::vector<std::unique_ptr<Event>> list;
    list.push_back(std::make_unique<Reset>());
    list.push_back(std::make_unique<Suspend>());
    list.push_back(std::make_unique<Close>());
    list.push_back(std::make_unique<Exec>());
    list.push_back(std::make_unique<Fork>());
    list.push_back(std::make_unique<Signals>());
    list.push_back(std::make_unique<Kill>());
    list.push_back(std::make_unique<VdpaDelete>());
    list.push_back(std::make_unique<Delete>(false));
    list.push_back(std::make_unique<Delete>(true));
    list.push_back(std::make_unique<Unload>());
    list.push_back(std::make_unique<Backend>());
    list.push_back(std::make_unique<Policy>());
    return list;
}

} // namespace dh::life
