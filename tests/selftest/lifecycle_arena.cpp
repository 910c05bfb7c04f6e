// SPDX-License-Identifier: Apache-2.0
// One round: a VMM with traffic, two events at the same moment, and what must be so afterwards.
#include "lifecycle.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <optional>

#include "child.hpp"
#include "host.hpp"

namespace dh::life {

namespace {

constexpr int unknown = INT_MAX;
constexpr int64_t ms = 1'000'000;

int64_t now()
{
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

void sleep_until(int64_t when)
{
    const timespec t{when / 1'000'000'000, when % 1'000'000'000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
    }
}

bool wait_for(const std::function<bool()> &condition, int64_t timeout = 10'000 * ms)
{
    for (const int64_t end = now() + timeout; !condition();) {
        if (now() > end) {
            return false;
        }
        usleep(500);
    }
    return true;
}

// Timers and signals of the VMM are for those of its threads that ask for them.
void block_alarms()
{
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarms, nullptr);
    signal(SIGALRM, [](int) {});
}

} // namespace

// What this process and the VMM both see.
struct Arena::Moment {
    std::atomic<bool> running; // traffic
    std::array<std::atomic<int64_t>, 2> when;
    std::array<std::atomic<int>, 2> result;
    std::atomic<bool> wrong;
    std::array<char, 512> what_is_wrong;

    void clear()
    {
        running = false;
        wrong = false;
        for (auto &one : result) {
            one = unknown;
        }
    }
    void complain(const std::string &what)
    {
        if (!wrong.exchange(true)) {
            snprintf(what_is_wrong.data(), what_is_wrong.size(), "%s", what.c_str());
        }
    }
};

Arena::Arena(std::unique_ptr<Kind> kind) : kind_(std::move(kind))
{
    void *page =
        mmap(nullptr, sizeof(Moment), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        throw tap::Failure("no shared memory");
    }
    moment_ = new (page) Moment;
    // Orphans of a VMM are ours to wait for.
    must(prctl(PR_SET_CHILD_SUBREAPER, 1), "becoming a subreaper");
    prctl(PR_SET_TIMERSLACK, 1UL);
    // As many as hold the core, whichever of them is unloaded.
    shell("modprobe -a vhost_can vhost_scmi vhost_snd vhost_video");
    Control control;
    const GuestInfo info = control.guest_new(guest_);
    policy_ =
        std::make_unique<PolicyInForce>(info.id, std::vector<PolicyDeviceId>{}, kind_->policy());
    policy_->prepare({}, kind_->policy());
}

Arena::~Arena()
{
    try {
        remove();
        policy_.reset();
        Control().guest_del(guest_);
    } catch (const std::exception &error) {
        tap::fail_later(error.what());
    }
    prctl(PR_SET_TIMERSLACK, 0UL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    munmap(moment_, sizeof(Moment));
}

void Arena::ensure()
{
    if (present_) {
        return;
    }
    DeviceParams params = kind_->params();
    params.guest = guest_;
    params.name = device_;
    params.policy_required = true;
    vdpa_ = Control().device_new(params).vdpa;
    present_ = true;
    kind_->created();
    path_ = vhost_path(vdpa_);
}

void Arena::remove()
{
    if (present_) {
        CHECK_EQ(Control().device_del_patiently(guest_, device_).error, 0);
    }
    present_ = false;
}

// The VMM's process. It goes on until it is killed.
void Arena::run_vmm(Child &me, const std::array<Event *, 2> &mine, RingKind ring)
{
    setpgid(0, 0);
    prctl(PR_SET_TIMERSLACK, 1UL);
    block_alarms();
    Moment &moment = *moment_;
    const std::unique_ptr<Traffic> traffic = kind_->traffic(path_, ring);
    traffic->start();
    std::mutex turns;
    std::thread runner([&] {
        try {
            for (;;) {
                {
                    const std::lock_guard guard(turns);
                    traffic->turn();
                }
                moment.running = traffic->runs();
                usleep(20); // who wants the lock gets it
            }
        } catch (const std::exception &error) {
            if (traffic->strict()) {
                moment.complain(std::string("traffic: ") + error.what());
            }
        }
    });
    const bool runs = wait_for([&] { return moment.running || moment.wrong; }, 60'000 * ms);
    if (!runs || moment.wrong) {
        moment.complain("no traffic");
        me.tell();
        me.await();
        _exit(1);
    }
    Vmm vmm{*traffic, turns};
    for (Event *event : mine) {
        if (event) {
            event->prepare(vmm);
        }
    }
    me.tell();
    me.await();
    std::vector<std::thread> threads;
    for (size_t i = 0; i < mine.size(); i++) {
        if (mine[i]) {
            threads.emplace_back([&, i] {
                sleep_until(moment.when[i]);
                moment.result[i] = mine[i]->act(vmm);
            });
        }
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (Event *event : mine) {
        if (event) {
            event->after(vmm);
        }
    }
    runner.join();
    for (;;) {
        pause();
    }
}

// All of its processes: at once, or those that it has left behind a moment later.
void Arena::end_vmm(Child &vmm, bool together)
{
    const pid_t group = vmm.pid();
    if (together) {
        ::kill(-group, SIGKILL);
    }
    vmm.kill();
    if (!together) {
        usleep(1000);
        ::kill(-group, SIGKILL);
    }
    while (waitpid(-group, nullptr, 0) > 0 || errno == EINTR) {
    }
}

// Nobody uses the device any more: nothing of it is held, and nothing runs for it.
void Arena::settled(bool maybe_quiesced)
{
    Control control;
    DeviceInfo info;
    GuestInfo guest;
    const bool idle = wait_for([&] {
        info = control.device(guest_, device_);
        guest = control.guest(guest_);
        const bool rests = info.state == DEVHOST_DEV_IDLE ||
                           (maybe_quiesced && info.state == DEVHOST_DEV_QUIESCED);
        return rests && !info.worker && !guest.pinned && !guest.exported;
    });
    if (!idle) {
        FAIL("not let go of: state " + std::to_string(info.state) + " " + info.reason +
             ", worker " + std::to_string(info.worker) + ", pinned " +
             std::to_string(guest.pinned) + ", exported " + std::to_string(guest.exported));
    }
    const auto counters = control.stats(guest_, device_).counters;
    if (counters.contains("starts")) {
        CHECK_EQ(counters.at("starts"), counters.at("stops"));
    }
}

void Arena::round(Event &a, Event &b, std::minstd_rand &random)
{
    const std::array<Event *, 2> both{&a, &b};
    const RingKind ring = random() % 2 ? RingKind::split : RingKind::packed;
    const bool together = random() % 2;
    // Most often the same moment; else one as much later as the other takes.
    const std::array<int64_t, 3> spread{1, 200'000, 2'000'000};
    const int64_t apart = random() % spread[random() % spread.size()];
    const bool first = random() % 2;
    const unsigned linger = random() % 3000;

    ensure();
    Moment &moment = *moment_;
    moment.clear();
    std::array<Event *, 2> inside{};
    std::array<Event *, 2> outside{};
    bool ends = false;
    for (size_t i = 0; i < both.size(); i++) {
        (both[i]->in_vmm() ? inside : outside)[i] = both[i];
        ends |= !both[i]->returns();
    }
    {
        Child vmm([&](Child &me) { run_vmm(me, inside, ring); });
        vmm_ = vmm.pid();
        std::jthread host([&](const std::stop_token &stop) {
            while (!stop.stop_requested()) {
                kind_->host_turn();
            }
        });
        vmm.wait_told();
        for (Event *event : outside) {
            if (event) {
                event->prepare(*this);
            }
        }
        const int64_t start = now() + 5 * ms;
        moment.when[0] = start + (first ? 0 : apart);
        moment.when[1] = start + (first ? apart : 0);
        vmm.go();
        std::vector<std::jthread> threads;
        for (size_t i = 0; i < outside.size(); i++) {
            if (outside[i]) {
                threads.emplace_back([&, i] {
                    sleep_until(moment.when[i]);
                    try {
                        moment.result[i] = outside[i]->act(*this);
                    } catch (const std::exception &error) {
                        moment.complain(outside[i]->name() + ": " + error.what());
                    }
                });
            }
        }
        sleep_until(start + apart);
        // Whatever happens beside it, who asks for something gets an answer.
        for (size_t i = 0; i < both.size(); i++) {
            const bool answered = both[i]->in_vmm() ? !ends : !both[i]->waits();
            if (answered && !wait_for([&] { return moment.result[i] != unknown || moment.wrong; },
                                      60'000 * ms)) {
                moment.complain(both[i]->name() + " does not return");
            }
        }
        usleep(linger + (ends ? 2000 : 0));
        end_vmm(vmm, together);
        threads.clear();
    }
    const std::array<int, 2> result{moment.result[0], moment.result[1]};
    a.restore(*this);
    b.restore(*this);
    rounds_++;
    if (moment.wrong) {
        FAIL(moment.what_is_wrong.data());
    }
    present_ = !(a.removed(result[0]) || b.removed(result[1]));
    for (size_t i = 0; i < both.size(); i++) {
        const Event &other = *both[1 - i];
        const bool told = both[i]->returns() && other.returns();
        if (result[i] == unknown ? told : !both[i]->may_be(result[i], other, result[1 - i])) {
            FAIL(both[i]->name() + " says " + std::to_string(result[i]) + ", " + other.name() +
                 " " + std::to_string(result[1 - i]));
        }
    }
    CHECK_EQ(Control().devices().size(), present_ ? 1U : 0U);
    if (present_) {
        settled(a.quiesces() || b.quiesces());
        if (a.spoils(*kind_) || b.spoils(*kind_)) {
            remove();
        }
    }
    ensure();
    kind_->good(path_, ring);
    settled();
}

} // namespace dh::life
