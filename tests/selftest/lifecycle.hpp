// SPDX-License-Identifier: Apache-2.0
// Two things that happen to a device at the same moment while a guest uses it: what happens
// (Event), what the guest does (Traffic), what it is done with (Kind), and the two together
// (Arena).
#pragma once

#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "control.hpp"
#include "guest.hpp"
#include "policy_in_force.hpp"

namespace dh {
class Child;
}

namespace dh::life {

// A guest's driver under load, in the VMM's process. It goes on as long as anything comes back.
class Traffic {
public:
    virtual ~Traffic() = default;
    virtual Guest &guest() = 0;
    // From open to the first requests.
    virtual void start()
    {
        guest().start();
        begin();
    }
    // Behind DRIVER_OK: buffers, and what the protocol wants first.
    virtual void begin() {}
    // The device was reset: nothing is pending any more.
    virtual void forget() {}
    // A moment of it; never waits long.
    virtual void turn() = 0;
    // Whether something has come back since start().
    virtual bool runs() const = 0;
    // Whether an exception of turn() says that the device did what it must not do. Else it may be
    // what a driver has to expect of a device that goes.
    virtual bool strict() const { return true; }
};

// A class of devices and what it has on the host.
class Kind {
public:
    virtual ~Kind() = default;
    virtual std::string module() const = 0;
    virtual std::string policy() const = 0;
    virtual DeviceParams params() = 0;
    // The device has what params() opened.
    virtual void created() {}
    virtual std::unique_ptr<Traffic> traffic(const std::string &path, RingKind ring) = 0;
    // A good request of a new guest.
    virtual void good(const std::string &path, RingKind ring) = 0;
    // What the host does on its side as long as there is traffic, or nothing.
    virtual void host_turn() { usleep(1000); }
    virtual bool has_backend() const { return true; }
    virtual void backend_goes() {}
    virtual void backend_comes() {}
    // Whether a device that was there finds it again by itself.
    virtual bool finds_again() const { return false; }
};

std::unique_ptr<Kind> echo_kind();
std::unique_ptr<Kind> can_kind();
std::unique_ptr<Kind> snd_kind();
std::unique_ptr<Kind> scmi_kind();
std::unique_ptr<Kind> video_kind();

// The VMM, where an event happens in it.
struct Vmm {
    Traffic &traffic;
    std::mutex &turns; // held during each turn
};

class Arena;

// What happens. In a VMM's process prepare() and act() are the child's.
class Event {
public:
    virtual ~Event() = default;
    virtual std::string name() const = 0;
    virtual bool in_vmm() const { return false; }
    virtual bool applies(const Kind & /*kind*/) const { return true; }
    // Whether it can happen twice at once.
    virtual bool twice() const { return true; }
    // Whether the VMM's own thread returns from it.
    virtual bool returns() const { return true; }
    // Whether it is not done before the VMM has let go of the device.
    virtual bool waits() const { return false; }
    virtual void prepare(Vmm & /*vmm*/) {}
    virtual int act(Vmm & /*vmm*/) { return 0; } // 0 or -errno
    // Once both have happened.
    virtual void after(Vmm & /*vmm*/) {}

    virtual void prepare(Arena & /*arena*/) {}
    virtual int act(Arena & /*arena*/) { return 0; }
    virtual void restore(Arena & /*arena*/) {}
    // Whether this may be the outcome beside that one; see each.
    virtual bool may_be(int result, const Event &other, int others) const = 0;
    // Whether the host has stopped the device for good, where it is still there.
    virtual bool quiesces() const { return false; }
    // Whether another device is needed afterwards.
    virtual bool spoils(const Kind & /*kind*/) const { return false; }
    // Whether the device is gone for good by it.
    virtual bool removed(int /*result*/) const { return false; }
};

std::vector<std::unique_ptr<Event>> events();

// A guest with one device of a kind, and rounds on it.
class Arena {
public:
    explicit Arena(std::unique_ptr<Kind> kind);
    Arena(const Arena &) = delete;
    Arena &operator=(const Arena &) = delete;
    ~Arena();

    // Both at the same moment under traffic; then everything has to be as before.
    void round(Event &a, Event &b, std::minstd_rand &random);
    unsigned rounds() const { return rounds_; }

    // For events.
    Kind &kind() { return *kind_; }
    const std::string &guest() const { return guest_; }
    const std::string &device() const { return device_; }
    const std::string &vdpa() const { return vdpa_; }
    pid_t vmm() const { return vmm_; }
    PolicyInForce &policy() { return *policy_; }

private:
    struct Moment;
    void ensure();
    void remove();
    void run_vmm(Child &me, const std::array<Event *, 2> &mine, RingKind ring);
    void end_vmm(Child &vmm, bool together);
    void settled(bool maybe_quiesced = false);

    const std::string guest_ = "life";
    const std::string device_ = "d";
    std::unique_ptr<Kind> kind_;
    std::unique_ptr<PolicyInForce> policy_;
    Moment *moment_;
    std::string vdpa_;
    std::string path_;
    pid_t vmm_ = -1;
    unsigned rounds_ = 0;
    bool present_ = false;
};

} // namespace dh::life
