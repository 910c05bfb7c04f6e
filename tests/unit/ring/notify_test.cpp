// SPDX-License-Identifier: Apache-2.0
// Event suppression: exactly the notifications that were asked for, none lost.
#include "rig.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

class Notify : public RingTest, public ::testing::WithParamInterface<Config> {
protected:
    /// How an entry is named in an event index.
    static uint64_t place(uint64_t entry)
    {
        const Config &config = GetParam();
        return (config.start + entry) % (config.packed ? 2 * config.num : 0x10000);
    }
};

/// Compare each decision with the definition, on counters that never wrap.
TEST_P(Notify, Exact)
{
    Rig rig(GetParam());
    std::mt19937 rng{17};
    std::vector<devhost_chain *> taken;
    uint64_t pushed = 0;  // entries returned so far
    uint64_t decided = 0; // ... when a notification was decided on last
    uint32_t wanted = 0;  // notifications that the driver got
    bool fresh = true;
    bool enabled = true;

    for (int step = 0; step < 60000; step++) {
        switch (rng() % 6) {
        case 0: {
            Buffer buffer{{{rig.data, 4}}, {}, 0};
            while (rng() % 3 == 0) {
                buffer.in.push_back({rig.data + 64, 4});
            }
            rig.driver->add(buffer);
            break;
        }
        case 1:
            while (devhost_chain *chain = rig.device->pop()) {
                ASSERT_FALSE(is_err(chain));
                taken.push_back(chain);
            }
            break;
        case 2:
            for (uint32_t n = rng() % 8; n > 0 && !taken.empty(); n--) {
                const size_t i = rng() % taken.size();
                pushed += GetParam().packed ? taken[i]->slots : 1;
                rig.device->push(taken[i], 0);
                taken.erase(taken.begin() + static_cast<ptrdiff_t>(i));
            }
            break;
        case 3:
            while (rng() % 4 != 0 && rig.driver->get()) {
            }
            break;
        case 4:
            enabled = rng() % 4 != 0;
            if (enabled) {
                rig.driver->enable_callbacks(rng() % (rig.driver->outstanding() + 1));
            } else {
                rig.driver->disable_callbacks();
            }
            break;
        default: {
            bool expected = pushed != decided;
            const auto event = rig.driver->event();
            if (expected && GetParam().event_idx && !fresh && event) {
                expected = false;
                for (uint64_t pos = decided; pos != pushed; pos++) {
                    expected = expected || place(pos) == place(*event);
                }
            }
            if (!enabled && (GetParam().packed || !GetParam().event_idx)) {
                expected = false;
            }
            // A split ring with an event index has no way to say never: the
            // index of before stays, and is not looked at here.
            const bool unknown = GetParam().event_idx && !GetParam().packed && !event && !fresh;
            const bool answer = rig.device->notify();
            ASSERT_EQ(answer, unknown ? answer : expected) << "step " << step;
            fresh = fresh && pushed == decided;
            decided = pushed;
            wanted += answer ? 1 : 0;
            break;
        }
        }
    }
    EXPECT_GT(wanted, 100U);
    EXPECT_GT(pushed, 3000U);
    for (devhost_chain *chain : taken) {
        rig.device->push(chain, 0);
    }
}

/// Both sides sleep only where the other one has promised to wake them, and
/// take turns at random. Sleeping with work left over is a lost notification.
TEST_P(Notify, NeverLost)
{
    Rig rig(GetParam());
    std::mt19937 rng{23};
    std::vector<devhost_chain *> taken;
    bool driver_sleeps = false;
    bool device_sleeps = false;
    uint32_t received = 0;
    uint32_t added = 0;
    uint32_t kicks = 0;
    uint32_t notifications = 0;
    enum class Driver : uint8_t { add, kick, get, check } driver = Driver::add;
    enum class Dev : uint8_t { pop, push, notify, arm } dev = Dev::pop;
    constexpr uint32_t total = 40000;

    while (received < total) {
        ASSERT_FALSE(driver_sleeps && device_sleeps)
            << added << " added, " << received << " received, " << taken.size() << " taken";
        if (rng() % 2 != 0) {
            if (driver_sleeps) {
                continue;
            }
            switch (driver) {
            case Driver::add:
                for (uint32_t n = 1 + rng() % 6; n > 0 && added < total; n--) {
                    added += rig.driver->add({{{rig.data, 4}}, {{rig.data + 64, 4}}, 0}) ? 1 : 0;
                }
                driver = Driver::kick;
                break;
            case Driver::kick:
                if (rig.driver->kick()) {
                    kicks++;
                    device_sleeps = false;
                }
                driver = Driver::get;
                break;
            case Driver::get:
                rig.driver->disable_callbacks();
                while (rig.driver->get()) {
                    received++;
                }
                driver = added < total && rng() % 2 != 0 && rig.driver->room() >= 2 ? Driver::add
                                                                                    : Driver::check;
                break;
            case Driver::check: {
                // Now and then wait for most of what is outstanding.
                const uint32_t entries =
                    GetParam().packed ? rig.driver->outstanding() : added - received;
                const bool delayed = entries > 0 && rng() % 2 != 0;
                rig.driver->enable_callbacks(delayed ? rng() % entries : 0);
                // Looked at after asking: what came before is read now.
                const bool more = rig.driver->more();
                driver_sleeps = !more && entries > 0;
                driver = more || driver_sleeps ? Driver::get : Driver::add;
                break;
            }
            }
        } else {
            if (device_sleeps) {
                continue;
            }
            switch (dev) {
            case Dev::pop:
                rig.device->disable_kick();
                for (uint32_t n = 1 + rng() % 8; n > 0; n--) {
                    devhost_chain *chain = rig.device->pop();
                    ASSERT_FALSE(is_err(chain));
                    if (chain == nullptr) {
                        break;
                    }
                    taken.push_back(chain);
                }
                dev = Dev::push;
                break;
            case Dev::push:
                while (!taken.empty() && rng() % 8 != 0) {
                    const size_t i = rng() % taken.size();
                    rig.device->push(taken[i], 4);
                    taken.erase(taken.begin() + static_cast<ptrdiff_t>(i));
                }
                dev = Dev::notify;
                break;
            case Dev::notify:
                if (rig.device->notify()) {
                    notifications++;
                    driver_sleeps = false;
                }
                dev = taken.empty() ? Dev::arm : Dev::push;
                break;
            case Dev::arm:
                device_sleeps = !rig.device->enable_kick();
                dev = Dev::pop;
                break;
            }
        }
    }
    // It is suppression, not a notification for each.
    if (GetParam().num >= 64) {
        EXPECT_LT(kicks, total / 2);
        EXPECT_LT(notifications, total / 2);
    }
}

/// The same with real threads, for the memory barriers.
TEST_P(Notify, Threads)
{
    Rig rig(GetParam());
    constexpr uint32_t total = 30000;
    struct Bell {
        std::mutex lock;
        std::condition_variable cond;
        bool rung = false;

        void ring()
        {
            const std::lock_guard guard(lock);
            rung = true;
            cond.notify_one();
        }
        bool wait()
        {
            std::unique_lock guard(lock);
            const bool answer =
                cond.wait_for(guard, std::chrono::seconds(20), [this] { return rung; });
            rung = false;
            return answer;
        }
    } kick, call;
    std::atomic<bool> done = false;
    std::atomic<bool> device_ok = true;

    std::thread device([&] {
        while (!done) {
            rig.device->disable_kick();
            while (devhost_chain *chain = rig.device->pop()) {
                if (is_err(chain)) {
                    device_ok = false;
                    return;
                }
                uint32_t value = 0;
                device_ok = device_ok && devhost_chain_read(chain, &value, 4) == 0;
                value = ~value;
                device_ok = device_ok && devhost_chain_write(chain, &value, 4) == 0;
                rig.device->push(chain, chain->written);
            }
            if (rig.device->notify()) {
                call.ring();
            }
            if (!rig.device->enable_kick() && !kick.wait() && !done) {
                device_ok = false;
                return;
            }
        }
    });

    std::mt19937 rng{29};
    std::vector<std::pair<uint64_t, uint32_t>> sent(GetParam().num);
    std::vector<uint64_t> free;
    for (uint64_t i = 0; i < GetParam().num; i++) {
        free.push_back(rig.guest.add(8));
    }
    uint32_t added = 0;
    uint32_t received = 0;
    while (received < total && device_ok) {
        for (uint32_t n = 1 + rng() % 16; n > 0 && added < total && !free.empty(); n--) {
            const uint64_t at = free.back();
            store<uint32_t>(rig.guest.host(at), added);
            const auto token = rig.driver->add({{{at, 4}}, {{at + 4, 4}}, 0});
            if (!token) {
                break;
            }
            free.pop_back();
            sent[*token] = {at, added++};
        }
        if (rig.driver->kick()) {
            kick.ring();
        }
        rig.driver->disable_callbacks();
        while (const auto used = rig.driver->get()) {
            const auto &[at, value] = sent[used->token];
            ASSERT_EQ(load<uint32_t>(rig.guest.host(at + 4)), ~value);
            ASSERT_EQ(used->len, 4U);
            free.push_back(at);
            received++;
        }
        if (received < total && (added == total || rig.driver->room() < 2)) {
            rig.driver->enable_callbacks(0);
            if (!rig.driver->more() && !call.wait()) {
                ADD_FAILURE() << "the driver was not notified";
                break;
            }
        }
    }
    done = true;
    kick.ring();
    device.join();
    EXPECT_TRUE(device_ok);
    EXPECT_EQ(received, total);
}

/// The other side acts exactly at the barrier: what was written before must be
/// there for it, what it does must be seen behind.
class Barriers : public RingTest, public ::testing::WithParamInterface<Config> {
protected:
    Barriers() : rig_(GetParam()) { current = this; }
    ~Barriers() override { shim_mb_hook = nullptr; }
    Barriers(const Barriers &) = delete;
    Barriers &operator=(const Barriers &) = delete;

    void at_barrier(void (*act)(Rig &))
    {
        act_ = act;
        shim_mb_hook = [] {
            current->barriers_++;
            current->act_(current->rig_);
        };
    }

    Rig rig_;
    int barriers_ = 0;

private:
    static inline Barriers *current = nullptr;
    void (*act_)(Rig &) = nullptr;
};

TEST_P(Barriers, Notify)
{
    for (int i = 0; i < 40; i++) {
        rig_.driver->disable_callbacks();
        rig_.driver->add({{{rig_.data, 4}}, {}, 0});
        rig_.device->push(rig_.device->pop(), 0);
        at_barrier([](Rig &rig) {
            EXPECT_TRUE(rig.driver->more());
            rig.driver->enable_callbacks(0);
        });
        EXPECT_TRUE(rig_.device->notify());
        EXPECT_EQ(barriers_, i + 1);
        rig_.driver->get();
    }
}

TEST_P(Barriers, EnableKick)
{
    for (int i = 0; i < 40; i++) {
        rig_.device->disable_kick();
        at_barrier([](Rig &rig) {
            rig.driver->add({{{rig.data, 4}}, {}, 0});
            EXPECT_TRUE(rig.driver->kick());
        });
        EXPECT_TRUE(rig_.device->enable_kick());
        EXPECT_EQ(barriers_, i + 1);
        rig_.device->push(rig_.device->pop(), 0);
        rig_.driver->get();
    }
}

INSTANTIATE_TEST_SUITE_P(Ring, Barriers,
                         ::testing::Values(Config{false, false, false, 16, 0},
                                           Config{false, true, false, 16, 0},
                                           Config{true, false, false, 16, 0},
                                           Config{true, true, false, 16, 0}),
                         [](const auto &info) { return name_of(info.param); });

INSTANTIATE_TEST_SUITE_P(
    Ring, Notify,
    ::testing::Values(Config{false, false, false, 2, 0}, Config{false, true, false, 4, 65000},
                      Config{false, false, false, 128, 0}, Config{false, true, false, 256, 60000},
                      Config{true, false, false, 3, 0}, Config{true, true, false, 3, 1},
                      Config{true, false, false, 100, 0}, Config{true, true, false, 100, 50},
                      Config{true, true, false, 256, 255}),
    [](const auto &info) { return name_of(info.param); });

using NotifyState = RingTest;

TEST_F(NotifyState, FirstAfterStart)
{
    // A driver that waits for something that was returned before the start
    // hears of the next one.
    for (const bool packed : {false, true}) {
        Rig rig({packed, true, false, 16, 40});
        rig.driver->enable_callbacks(0);
        for (uint32_t i = 0; i < 5; i++) {
            rig.driver->add({{{rig.data, 1}}, {}, 0});
        }
        rig.driver->enable_callbacks(4);
        rig.device->push(rig.device->pop(), 0);
        EXPECT_TRUE(rig.device->notify());
        rig.device->push(rig.device->pop(), 0);
        EXPECT_FALSE(rig.device->notify());
        EXPECT_FALSE(rig.device->notify());
    }
}

TEST_F(NotifyState, KicksOnlyWhereAskedFor)
{
    for (const bool packed : {false, true}) {
        for (const bool event : {false, true}) {
            Rig rig({packed, event, false, 16, 0});
            const Buffer buffer{{{rig.data, 1}}, {}, 0};

            EXPECT_FALSE(rig.device->enable_kick());
            rig.driver->add(buffer);
            EXPECT_TRUE(rig.driver->kick());
            rig.device->disable_kick();
            rig.driver->add(buffer);
            EXPECT_FALSE(rig.driver->kick());
            // Two are there: going to sleep is no option.
            EXPECT_TRUE(rig.device->enable_kick());
            rig.device->push(rig.device->pop(), 0);
            EXPECT_TRUE(rig.device->enable_kick());
            rig.device->push(rig.device->pop(), 0);
            EXPECT_FALSE(rig.device->enable_kick());
        }
    }
}

TEST_F(NotifyState, ManyReturnsBeforeOneDecision)
{
    // More than the 16-bit index can tell apart.
    Rig rig({false, true, false, 4, 0});

    rig.driver->enable_callbacks(0);
    rig.driver->add({{{rig.data, 1}}, {}, 0});
    rig.device->push(rig.device->pop(), 0);
    EXPECT_TRUE(rig.device->notify());
    rig.driver->get();
    rig.driver->enable_callbacks(3);
    for (uint32_t i = 0; i < 65536 + 1; i++) {
        rig.driver->add({{{rig.data, 1}}, {}, 0});
        rig.device->push(rig.device->pop(), 0);
        rig.driver->get();
    }
    EXPECT_TRUE(rig.device->notify());
}

} // namespace
