// SPDX-License-Identifier: Apache-2.0
// The host's resources as a device tree names them (docs/bindings), on clocks and supplies of the
// kernel's own drivers, whose pins are simulated. Of the device hosts here the sanitizer kernel has
// device trees.
#include <unistd.h>

#include <filesystem>

#include "host.hpp"
#include "scmi.hpp"

using namespace dh;
using namespace dh::scmi;

namespace {

// The board (tests/kmod/scmi_board) and, after it, vhost_scmi: as on a board that boots.
class Board {
public:
    explicit Board(bool single)
    {
        if (!std::filesystem::exists("/sys/firmware/devicetree/base")) {
            SKIP("this kernel has no device tree");
        }
        // It looks for the node when it is loaded.
        shell("modprobe vhost_scmi && rmmod vhost_scmi");
        shell("modprobe -a gpio_sim gpio_regulator");
        shell(std::string("modprobe scmi_board single=") + (single ? "1" : "0"));
        shell("modprobe vhost_scmi");
        const std::string bound = "/sys/bus/platform/drivers/devhost-scmi/scmi-resources";
        CHECK(within(5000, [&] { return std::filesystem::exists(bound); }));
    }
    Board(const Board &) = delete;
    Board &operator=(const Board &) = delete;
    ~Board()
    {
        try {
            shell("rmmod vhost_scmi && rmmod scmi_board && modprobe vhost_scmi");
        } catch (const std::exception &error) {
            tap::note(error.what());
        }
    }

    // Of debugfs, see the module's README.
    static uint64_t state(const std::string &name)
    {
        return std::stoull(read_file("/sys/kernel/debug/scmi_board/" + name));
    }
    static uint64_t pin(unsigned number)
    {
        const std::string name = "sim_gpio" + std::to_string(number);
        for (const auto &entry :
             std::filesystem::recursive_directory_iterator("/sys/devices/platform/board-gpio")) {
            if (entry.path().filename() == name) {
                return std::stoull(read_file(entry.path() / "value"));
            }
        }
        throw tap::Failure("no pin " + name);
    }
    // Power domains go off when nobody has wanted them for a moment.
    static bool off(const std::string &domain)
    {
        return within(5000, [&] { return state(domain) == 0; });
    }
};

Resource named(devhost_scmi_kind kind, const std::string &host,
               devhost_scmi_source source = DEVHOST_SCMI_SOURCE_DEFAULT)
{
    return {kind, host, "", "", source};
}

} // namespace

TEST("a device tree names the resources")
{
    const Board board(false);
    CHECK(Board::off("domain0"));
    CHECK(Board::off("domain1"));
    {
        ScmiFixture t(with_ring(RingKind::split), true,
                      {named(DEVHOST_SCMI_CLOCK, "gate"), named(DEVHOST_SCMI_CLOCK, "mux"),
                       named(DEVHOST_SCMI_POWER, "gpu"), named(DEVHOST_SCMI_POWER, "vpu"),
                       named(DEVHOST_SCMI_RESET, "line"), named(DEVHOST_SCMI_VOLTAGE, "vdd-cam"),
                       named(DEVHOST_SCMI_SENSOR, "vbat", DEVHOST_SCMI_SOURCE_IIO)});
        ScmiGuest &g = t.guest;

        CHECK_EQ(g.ok(clk, 0x6, {0}).u64(0), 24000000U);
        CHECK_EQ(Board::pin(0), 0U);
        g.ok(clk, 0x7, {0, 1, 0});
        CHECK_EQ(Board::pin(0), 1U);
        g.ok(clk, 0x7, {0, 0, 0});
        CHECK_EQ(Board::pin(0), 0U);

        CHECK_EQ(g.ok(clk, 0x6, {1}).u64(0), 24000000U);
        g.ok(clk, 0x5, {0, 1, 100000000, 0});
        CHECK_EQ(g.ok(clk, 0x6, {1}).u64(0), 100000000U);
        CHECK_EQ(Board::pin(1), 1U);

        g.ok(power, 0x4, {0, 1, 0});
        CHECK_EQ(Board::state("domain0"), 0U);
        CHECK_EQ(Board::state("domain1"), 1U);
        g.ok(power, 0x4, {0, 0, 0});
        CHECK_EQ(Board::state("domain0"), 1U);
        g.ok(power, 0x4, {0, 0, power_off});
        CHECK(Board::off("domain0"));

        g.ok(reset, 0x4, {0, 2, 0});
        CHECK_EQ(Board::state("reset0"), 0U);
        CHECK_EQ(Board::state("reset1"), 1U);
        g.ok(reset, 0x4, {0, 0, 0});
        CHECK_EQ(Board::state("reset1"), 0U);

        g.ok(voltage, 0x7, {0, 0, 1800000});
        CHECK_EQ(Board::pin(3), 1U);
        CHECK_EQ(g.ok(voltage, 0x8, {0}).u32(0), 1800000U);
        g.ok(voltage, 0x5, {0, 7});
        CHECK_EQ(Board::pin(2), 1U);

        CHECK_EQ(g.ok(sensor, 0x6, {0, 0}).u64(0), 12600U);
    }
    // The guest is gone, and what it held with it.
    CHECK(Board::off("domain1"));
    CHECK_EQ(Board::pin(1), 0U);
    CHECK_EQ(Board::pin(2), 0U);
    CHECK_EQ(Board::pin(3), 0U);
}

TEST("a device tree has a single power domain")
{
    const Board board(true);
    CHECK(Board::off("domain1"));
    {
        ScmiFixture t(with_ring(RingKind::split), true, {named(DEVHOST_SCMI_POWER, "vpu")});
        CHECK_EQ(t.guest.ok(power, 0x5, {0}).u32(0), power_off);
        t.guest.ok(power, 0x4, {0, 0, 0});
        CHECK_EQ(Board::state("domain1"), 1U);
        CHECK_EQ(t.guest.ok(power, 0x5, {0}).u32(0), 0U);
        t.guest.ok(power, 0x4, {0, 0, power_off});
        CHECK(Board::off("domain1"));
        t.guest.ok(power, 0x4, {0, 0, 0});
    }
    CHECK(Board::off("domain1"));
}

TEST("a name that the device tree does not have is refused")
{
    const Board board(true);
    Control control;
    DeviceParams device = params({named(DEVHOST_SCMI_POWER, "gpu")});
    device.guest = "refused";
    device.name = "scmi0";
    control.guest_new(device.guest);
    const NetlinkReply reply = control.try_device_new(device);
    control.guest_del(device.guest);
    CHECK_EQ(reply.error, -ENODEV);
    CHECK_EQ(reply.extack, "gpu: not found at scmi-resources: error -19");
}
