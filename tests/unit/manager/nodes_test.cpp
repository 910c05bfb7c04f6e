// SPDX-License-Identifier: Apache-2.0
#include "nodes.hpp"

#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.hpp"
#include "fakes.hpp"
#include "runtime_state.hpp"

namespace fs = std::filesystem;

namespace devhost::test {
namespace {

class NodesTest : public testing::Test {
protected:
    void bind(const std::string &vdpa_name, const std::string &node)
    {
        fs::create_directories(directory.path() / "sys/bus/vdpa/devices" / vdpa_name / node);
        fs::create_directories(directory.path() / "dev");
        std::ofstream(directory.path() / "dev" / node) << "";
    }
    [[nodiscard]] fs::path link() const { return directory.path() / "dev/devhost/ivi/can0"; }

    TemporaryDirectory directory;
    Nodes nodes{directory.path() / "sys", directory.path() / "dev"};
    Owner self{.uid = getuid(), .gid = getgid()};
};

TEST_F(NodesTest, LinkLeadsToTheNode)
{
    bind("ivi.can0", "vhost-vdpa-3");
    EXPECT_EQ(nodes.publish("ivi", "can0", "ivi.can0", self),
              directory.path() / "dev/vhost-vdpa-3");
    EXPECT_EQ(fs::read_symlink(link()), "../../vhost-vdpa-3");
    EXPECT_EQ(fs::canonical(link()), fs::canonical(directory.path() / "dev/vhost-vdpa-3"));
    EXPECT_TRUE(nodes.open("ivi.can0"));
}

TEST_F(NodesTest, LinkFollowsANewNode)
{
    bind("ivi.can0", "vhost-vdpa-3");
    nodes.publish("ivi", "can0", "ivi.can0", self);
    fs::remove_all(directory.path() / "sys/bus/vdpa/devices/ivi.can0/vhost-vdpa-3");
    bind("ivi.can0", "vhost-vdpa-4");
    nodes.publish("ivi", "can0", "ivi.can0", self);
    EXPECT_EQ(fs::read_symlink(link()), "../../vhost-vdpa-4");
}

TEST_F(NodesTest, WithoutDriverThereIsNoLink)
{
    bind("ivi.can0", "vhost-vdpa-3");
    nodes.publish("ivi", "can0", "ivi.can0", self);
    fs::remove_all(directory.path() / "sys/bus/vdpa/devices/ivi.can0/vhost-vdpa-3");
    EXPECT_EQ(nodes.publish("ivi", "can0", "ivi.can0", self), "");
    EXPECT_FALSE(fs::exists(fs::symlink_status(link())));
    EXPECT_FALSE(fs::exists(link().parent_path()));
    try {
        EXPECT_FALSE(nodes.open("ivi.can0"));
        ADD_FAILURE() << "opened";
    } catch (const Error &error) {
        EXPECT_EQ(error.cause(), Cause::no_node);
    }
}

TEST_F(NodesTest, NodeBelongsToTheGuestsUserAlone)
{
    if (getuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    bind("ivi.can0", "vhost-vdpa-3");
    struct stat status{};
    const fs::path node = directory.path() / "dev/vhost-vdpa-3";
    nodes.publish("ivi", "can0", "ivi.can0", {.uid = 65534, .gid = 0});
    ASSERT_EQ(stat(node.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 65534U);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    nodes.publish("ivi", "can0", "ivi.can0", {.uid = 0, .gid = 65534});
    ASSERT_EQ(stat(node.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 0U);
    EXPECT_EQ(status.st_gid, 65534U);
    EXPECT_EQ(status.st_mode & 07777, 0660U);
}

TEST(RuntimeStates, KeepWhatTheyAreGiven)
{
    const TemporaryDirectory directory;
    const RuntimeStates states(directory.path() / "run");
    EXPECT_FALSE(states.read("ivi"));
    RuntimeState state{
        .id = 7,
        .user = "alice",
        .group = "kvm",
        .unit = "vm@ivi.service",
        .worker = {.cpus = {1, 3}, .scheduler = Scheduler::fifo, .priority = 20, .nice = {}},
        .power = {.role = PowerRole::emulate,
                  .budget = Milliseconds(1),
                  .order = 2,
                  .emulate_unit = "again@ivi.service"},
        .file = "/etc/devhost/guests.d/ivi.toml",
        .digest = "1234",
        .devices = {"can0", "can1"},
        .policy = true};
    states.write("ivi", state);
    EXPECT_EQ(states.read("ivi"), state);
    state.worker = {.cpus = {}, .scheduler = {}, .priority = {}, .nice = -5};
    states.write("ivi", state);
    EXPECT_EQ(states.read("ivi"), state);
    states.remove("ivi");
    EXPECT_FALSE(states.read("ivi"));
}

} // namespace
} // namespace devhost::test
