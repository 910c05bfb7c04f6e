// SPDX-License-Identifier: Apache-2.0
//
// What is said to logind and systemd, and what is made of what they say: both are stand-ins on a
// bus of their own, with the members that are used.
#include <atomic>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "logind.hpp"
#include "private_bus.hpp"

namespace devhost::test {
namespace {

using Texts = std::vector<std::string>;

constexpr const char *logind_path = "/org/freedesktop/login1";
constexpr const char *logind_interface = "org.freedesktop.login1.Manager";
constexpr const char *systemd_path = "/org/freedesktop/systemd1";
constexpr const char *systemd_interface = "org.freedesktop.systemd1.Manager";

// Answers in a thread of its own, so that it can be asked synchronously.
class FakeSystemd {
public:
    explicit FakeSystemd(const PrivateBus &bus) : bus_(bus.connect())
    {
        static const sd_bus_vtable logind[] = {
            SD_BUS_VTABLE_START(0),
            SD_BUS_METHOD("PowerOff", "b", "", on_act, SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_METHOD("Reboot", "b", "", on_act, SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_METHOD("Suspend", "b", "", on_act, SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_PROPERTY("PreparingForShutdown", "b", get_preparing, 0, 0),
            SD_BUS_PROPERTY("PreparingForSleep", "b", get_false, 0, 0),
            SD_BUS_VTABLE_END,
        };
        static const sd_bus_vtable systemd[] = {
            SD_BUS_VTABLE_START(0),
            SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_METHOD("StartUnit", "ss", "o", on_unit, SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_METHOD("StopUnit", "ss", "o", on_unit, SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_VTABLE_END,
        };
        bus_require(sd_bus_add_object_vtable(bus_.get(), nullptr, logind_path, logind_interface,
                                             logind, this),
                    "logind");
        bus_require(sd_bus_add_object_vtable(bus_.get(), nullptr, systemd_path, systemd_interface,
                                             systemd, this),
                    "systemd");
        for (const char *name : {"org.freedesktop.login1", "org.freedesktop.systemd1"}) {
            bus_require(sd_bus_request_name(bus_.get(), name, 0), "name");
        }
        thread_ = std::thread([this] { serve(); });
    }
    FakeSystemd(const FakeSystemd &) = delete;
    FakeSystemd &operator=(const FakeSystemd &) = delete;
    ~FakeSystemd()
    {
        done_ = true;
        thread_.join();
    }

    // In the bus's thread, and waited for.
    void run(const std::function<void(sd_bus &)> &work)
    {
        {
            const std::lock_guard lock(mutex_);
            work_ = work;
        }
        while (busy()) {
            usleep(1000);
        }
    }
    Texts calls()
    {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

    std::atomic<bool> refuse = false;
    std::atomic<bool> preparing = false;
    std::string job_result = "done";

private:
    bool busy()
    {
        const std::lock_guard lock(mutex_);
        return static_cast<bool>(work_);
    }

    void serve()
    {
        while (!done_) {
            std::function<void(sd_bus &)> work;
            {
                const std::lock_guard lock(mutex_);
                work = work_;
            }
            if (work) {
                work(*bus_);
                sd_bus_flush(bus_.get());
                const std::lock_guard lock(mutex_);
                work_ = nullptr;
            }
            while (sd_bus_process(bus_.get(), nullptr) > 0) {
            }
            sd_bus_wait(bus_.get(), 5'000);
        }
    }

    void note(const std::string &text)
    {
        const std::lock_guard lock(mutex_);
        calls_.push_back(text);
    }

    static int on_act(sd_bus_message *call, void *self, sd_bus_error *error)
    {
        auto &fake = *static_cast<FakeSystemd *>(self);
        fake.note(sd_bus_message_get_member(call));
        if (fake.refuse) {
            return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Somebody writes.");
        }
        return sd_bus_reply_method_return(call, "");
    }

    static int on_inhibit(sd_bus_message *call, void *self, sd_bus_error * /*error*/)
    {
        std::string text = "Inhibit";
        for (int i = 0; i < 4; i++) {
            const char *argument = nullptr;
            sd_bus_message_read(call, "s", &argument);
            text += std::string(" ") + argument;
        }
        static_cast<FakeSystemd *>(self)->note(text);
        const UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
        return sd_bus_reply_method_return(call, "h", fd.get());
    }

    static int on_subscribe(sd_bus_message *call, void * /*self*/, sd_bus_error * /*error*/)
    {
        return sd_bus_reply_method_return(call, "");
    }

    static int on_unit(sd_bus_message *call, void *self, sd_bus_error *error)
    {
        auto &fake = *static_cast<FakeSystemd *>(self);
        const char *unit = nullptr;
        sd_bus_message_read(call, "s", &unit);
        fake.note(std::string(sd_bus_message_get_member(call)) + " " + unit);
        if (fake.refuse) {
            return sd_bus_error_set(error, "org.freedesktop.systemd1.NoSuchUnit", "No such unit.");
        }
        const char *job = "/org/freedesktop/systemd1/job/7";
        const int answered = sd_bus_reply_method_return(call, "o", job);
        sd_bus_emit_signal(sd_bus_message_get_bus(call), systemd_path, systemd_interface,
                           "JobRemoved", "uoss", 7, job, unit, fake.job_result.c_str());
        return answered;
    }

    static int get_preparing(sd_bus * /*bus*/, const char * /*path*/, const char * /*interface*/,
                             const char * /*property*/, sd_bus_message *answer, void *self,
                             sd_bus_error * /*error*/)
    {
        return sd_bus_message_append(answer, "b",
                                     static_cast<FakeSystemd *>(self)->preparing ? 1 : 0);
    }

    static int get_false(sd_bus * /*bus*/, const char * /*path*/, const char * /*interface*/,
                         const char * /*property*/, sd_bus_message *answer, void * /*self*/,
                         sd_bus_error * /*error*/)
    {
        return sd_bus_message_append(answer, "b", 0);
    }

    Bus bus_;
    std::mutex mutex_;
    std::function<void(sd_bus &)> work_;
    Texts calls_;
    std::atomic<bool> done_ = false;
    std::thread thread_;
};

class LogindTest : public testing::Test {
protected:
    LogindTest()
    {
        logind.set_handlers({.leaves =
                                 [this](std::optional<PowerState> state) {
                                     events.push_back(std::string("leaves ") +
                                                      (state ? word_of(*state) : "somewhere"));
                                 },
                             .stays = [this] { events.emplace_back("stays"); }});
        while (!sd_bus_is_ready(client.get())) {
            sd_bus_process(client.get(), nullptr);
        }
        logind.leaving(); // matches are in place when this is answered
    }

    bool wait_until(const std::function<bool()> &met)
    {
        for (int i = 0; i < 500 && !met(); i++) {
            while (sd_bus_process(client.get(), nullptr) > 0) {
            }
            if (!met()) {
                sd_bus_wait(client.get(), 10'000);
            }
        }
        return met();
    }
    HostPower::Done note()
    {
        return [this](const std::string &error) { events.push_back("done " + error); };
    }

    PrivateBus bus;
    FakeSystemd systemd{bus};
    Bus client = bus.connect();
    Logind logind{*client};
    Texts events;
};

TEST_F(LogindTest, AsksForWhatIsWanted)
{
    for (const PowerState state : {PowerState::off, PowerState::reboot, PowerState::suspend}) {
        logind.act(state, note());
    }
    EXPECT_TRUE(wait_until([&] { return events.size() == 3; }));
    EXPECT_EQ(systemd.calls(), (Texts{"PowerOff", "Reboot", "Suspend"}));
    EXPECT_EQ(events, (Texts{"done ", "done ", "done "}));
    systemd.refuse = true;
    logind.act(PowerState::off, note());
    EXPECT_TRUE(wait_until([&] { return events.size() == 4; }));
    EXPECT_EQ(events.back(), "done Somebody writes.");
}

TEST_F(LogindTest, UnitsAreDoneWhenTheirJobsAre)
{
    logind.stop_unit("vm.service", note());
    EXPECT_TRUE(wait_until([&] { return events == Texts{"done "}; }));
    systemd.job_result = "failed";
    logind.start_unit("again.service", note());
    EXPECT_TRUE(wait_until([&] { return events.size() == 2; }));
    EXPECT_EQ(events.back(), "done again.service: failed");
    systemd.refuse = true;
    logind.start_unit("none.service", note());
    EXPECT_TRUE(wait_until([&] { return events.size() == 3; }));
    EXPECT_EQ(events.back(), "done No such unit.");
    EXPECT_EQ(systemd.calls(),
              (Texts{"StopUnit vm.service", "StartUnit again.service", "StartUnit none.service"}));
}

TEST_F(LogindTest, TakesADelay)
{
    UniqueFd delay;
    logind.take_delay([&](UniqueFd fd) { delay = std::move(fd); });
    EXPECT_TRUE(wait_until([&] { return static_cast<bool>(delay); }));
    EXPECT_EQ(systemd.calls(), Texts{"Inhibit shutdown:sleep devhostd Guests get ready delay"});
    EXPECT_GE(fcntl(delay.get(), F_GETFD), 0);
}

TEST_F(LogindTest, HearsWhatHappens)
{
    const auto emit = [&](const char *member, int begins) {
        systemd.run([&](sd_bus &to) {
            sd_bus_emit_signal(&to, logind_path, logind_interface, member, "b", begins);
        });
    };
    const auto with_metadata = [&](const char *type) {
        systemd.run([&](sd_bus &to) {
            sd_bus_emit_signal(&to, logind_path, logind_interface, "PrepareForShutdownWithMetadata",
                               "ba{sv}", 1, 1, "type", "s", type);
        });
    };
    with_metadata("soft-reboot");
    with_metadata("power-off");
    emit("PrepareForShutdown", 1);
    emit("PrepareForShutdown", 0);
    emit("PrepareForSleep", 1);
    emit("PrepareForSleep", 0);
    EXPECT_TRUE(wait_until([&] { return events.size() == 6; }));
    EXPECT_EQ(events, (Texts{"leaves reboot", "leaves off", "leaves somewhere", "stays",
                             "leaves suspend", "stays"}));
    EXPECT_FALSE(logind.leaving());
    systemd.preparing = true;
    EXPECT_TRUE(logind.leaving());
}

TEST(LogindAbsent, EverythingFailsAndNothingBreaks)
{
    const PrivateBus bus;
    const Bus client = bus.connect();
    Logind logind(*client);
    std::string error;
    logind.act(PowerState::off, [&](const std::string &text) { error = text; });
    logind.take_delay([](UniqueFd) { ADD_FAILURE(); });
    EXPECT_FALSE(logind.leaving());
    for (int i = 0; i < 500 && error.empty(); i++) {
        if (sd_bus_process(client.get(), nullptr) == 0) {
            sd_bus_wait(client.get(), 10'000);
        }
    }
    EXPECT_NE(error, "");
}

} // namespace
} // namespace devhost::test
