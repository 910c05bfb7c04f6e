// SPDX-License-Identifier: Apache-2.0
#include "authority.hpp"

#include <gtest/gtest.h>

#include "error.hpp"
#include "private_bus.hpp"

namespace devhost::test {
namespace {

constexpr gid_t admins = 500;
const Caller root{.uid = 0, .groups = {0}};
const Caller user{.uid = 1000, .groups = {1000}};
const Caller member{.uid = 1001, .groups = {1001, admins}};

TEST(Decision, BeforePolkit)
{
    for (const Action action :
         {Action::manage_devices, Action::set_policy, Action::open_device, Action::reload,
          Action::manage_power, Action::vote_power, Action::block_power, Action::emergency_power}) {
        EXPECT_TRUE(allowed_outright(root, action, std::nullopt));
        EXPECT_FALSE(allowed_outright(user, action, std::nullopt));
        EXPECT_FALSE(allowed_outright(member, action, std::nullopt));
        EXPECT_TRUE(polkit_action(action).starts_with("org.devhost1."));
    }
    EXPECT_TRUE(allowed_outright(user, Action::read, std::nullopt));
}

TEST(Decision, OwnerMayOpenAndNothingElse)
{
    EXPECT_TRUE(allowed_outright(user, Action::open_device, 1000));
    EXPECT_FALSE(allowed_outright(user, Action::open_device, 1001));
    EXPECT_FALSE(allowed_outright(user, Action::manage_devices, 1000));
}

TEST(Decision, WithoutPolkit)
{
    EXPECT_TRUE(allowed_without_polkit(root, admins));
    EXPECT_TRUE(allowed_without_polkit(member, admins));
    EXPECT_FALSE(allowed_without_polkit(user, admins));
    EXPECT_FALSE(allowed_without_polkit(member, std::nullopt)); // no such group: closed
}

// polkit, as far as CheckAuthorization goes.
class FakePolkit {
public:
    explicit FakePolkit(const PrivateBus &bus) : bus_(bus.connect())
    {
        bus_require(sd_bus_add_object_vtable(bus_.get(), nullptr,
                                             "/org/freedesktop/PolicyKit1/Authority",
                                             "org.freedesktop.PolicyKit1.Authority", vtable, this),
                    "vtable");
        bus_require(sd_bus_request_name(bus_.get(), "org.freedesktop.PolicyKit1", 0), "name");
    }

    void answer_one()
    {
        const unsigned before = asked;
        for (int i = 0; i < 100 && asked == before; i++) {
            if (sd_bus_process(bus_.get(), nullptr) == 0) {
                sd_bus_wait(bus_.get(), 100'000);
            }
        }
        sd_bus_flush(bus_.get());
    }

    bool allow = false;
    bool fail = false;
    unsigned asked = 0;
    std::string action;
    std::string subject;

private:
    static int check(sd_bus_message *call, void *self, sd_bus_error *error)
    {
        auto &polkit = *static_cast<FakePolkit *>(self);
        polkit.asked++;
        const char *kind = nullptr;
        const char *name = nullptr;
        const char *action = nullptr;
        bus_require(sd_bus_message_read(call, "(sa{sv})s", &kind, 1, nullptr, "s", &name, &action),
                    "read");
        polkit.subject = std::string(kind) + " " + name;
        polkit.action = action;
        if (polkit.fail) {
            return sd_bus_error_set(error, "org.freedesktop.PolicyKit1.Error.Failed", "broken");
        }
        return sd_bus_reply_method_return(call, "(bba{ss})", polkit.allow ? 1 : 0, 0, 0);
    }
    static const sd_bus_vtable vtable[];

    Bus bus_;
};

const sd_bus_vtable FakePolkit::vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check,
                  SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

class AuthorityTest : public testing::Test {
protected:
    AuthorityTest()
    {
        // A call that reached the service, from a client.
        sd_bus_message *raw = nullptr;
        const char *name = nullptr;
        bus_require(sd_bus_get_unique_name(service.get(), &name), "name");
        bus_require(sd_bus_message_new_method_call(client.get(), &raw, name, "/", "a.b", "C"),
                    "new call");
        const BusMessage request(raw);
        bus_require(sd_bus_send(client.get(), raw, nullptr), "send");
        bus_require(sd_bus_flush(client.get()), "flush");
        while (!call) {
            bus_require(sd_bus_process(service.get(), &raw), "process");
            if (raw != nullptr && sd_bus_message_is_method_call(raw, "a.b", "C") > 0) {
                call.reset(raw);
            } else {
                sd_bus_message_unref(raw);
                sd_bus_wait(service.get(), 100'000);
            }
            raw = nullptr;
        }
    }

    void ask(Action action)
    {
        authority.ask(*call, action, std::nullopt, [this](bool allowed) { answer = allowed; });
    }

    std::optional<bool> wait_for_answer()
    {
        for (int i = 0; i < 100 && !answer; i++) {
            if (sd_bus_process(service.get(), nullptr) == 0) {
                sd_bus_wait(service.get(), 100'000);
            }
        }
        return answer;
    }

    PrivateBus bus;
    Bus service = bus.connect();
    Bus client = bus.connect();
    BusMessage call;
    Caller caller = user;
    Authority authority{*service, "no-such-group-here",
                        [this](sd_bus_message &) { return caller; }};
    std::optional<bool> answer;
};

TEST_F(AuthorityTest, RootIsNotAskedAbout)
{
    caller = root;
    ask(Action::set_policy);
    EXPECT_EQ(answer, true);
}

TEST_F(AuthorityTest, ClosedWithoutPolkit)
{
    ask(Action::set_policy);
    EXPECT_EQ(wait_for_answer(), false);
    EXPECT_EQ(authority.pending(), 0U);
}

TEST_F(AuthorityTest, PolkitDecides)
{
    for (const bool allow : {true, false}) {
        FakePolkit polkit(bus);
        polkit.allow = allow;
        answer.reset();
        ask(Action::set_policy);
        EXPECT_EQ(authority.pending(), 1U);
        polkit.answer_one();
        EXPECT_EQ(wait_for_answer(), allow);
        EXPECT_EQ(polkit.action, "org.devhost1.set-policy");
        EXPECT_EQ(polkit.subject,
                  std::string("system-bus-name ") + sd_bus_message_get_sender(call.get()));
        EXPECT_EQ(authority.pending(), 0U);
    }
}

TEST_F(AuthorityTest, BrokenPolkitIsARefusalAlsoForTheGroup)
{
    FakePolkit polkit(bus);
    polkit.fail = true;
    ask(Action::manage_devices);
    polkit.answer_one();
    EXPECT_EQ(wait_for_answer(), false);
}

// B2
TEST_F(AuthorityTest, QuestionsAreBounded)
{
    const FakePolkit polkit(bus); // does not answer
    const auto flood = [&] {
        for (int i = 0; i < 10000; i++) {
            ask(Action::manage_devices);
        }
    };
    EXPECT_THROW(flood(), Error);
    EXPECT_LE(authority.pending(), 16U);
    EXPECT_EQ(answer, std::nullopt);
}

} // namespace
} // namespace devhost::test
