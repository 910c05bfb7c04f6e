// SPDX-License-Identifier: Apache-2.0
// The netlink family: what it does, what it refuses, and with which words.
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "can.hpp"
#include "echo.hpp"
#include "host.hpp"

using namespace dh;

namespace {

void refused(const NetlinkReply &reply, int error, const std::string &words)
{
    CHECK_EQ(reply.error, error);
    if (reply.extack.find(words) == std::string::npos) {
        FAIL("the kernel says \"" + reply.extack + "\", not \"" + words + "\"");
    }
}

struct WithGuest {
    WithGuest() { control.guest_new("g1"); }
    ~WithGuest() { control.try_guest_del("g1"); }
    DeviceParams params(const std::string &name = "d1", const std::string &device_class = "echo")
    {
        DeviceParams p;
        p.guest = "g1";
        p.name = name;
        p.device_class = device_class;
        return p;
    }
    Control control;
};

const std::string name_words = "a name has 1 to 31";

} // namespace

TEST("netlink: create, get, dump and delete")
{
    Control c;
    const GuestInfo g = c.guest_new("g1");
    CHECK_EQ(g.name, "g1");
    CHECK(g.id != 0);
    CHECK_EQ(g.devices, 0U);
    CHECK(!g.policy);
    CHECK_EQ(g.pinned, 0U);

    DeviceParams p;
    p.guest = "g1";
    p.name = "d1";
    p.device_class = "echo";
    const DeviceInfo d = c.device_new(p);
    CHECK_EQ(d.guest, "g1");
    CHECK_EQ(d.name, "d1");
    CHECK_EQ(d.device_class, "echo");
    CHECK_EQ(d.virtio_id, uint32_t{ECHO_VIRTIO_ID});
    CHECK_EQ(d.vdpa, "g1.d1");
    CHECK_EQ(d.vq_size_max, 1024U);
    CHECK_EQ(d.vqs, uint32_t{ECHO_VQS});
    CHECK_EQ(d.features_mask, ~uint64_t{0});
    CHECK_EQ(d.worker, 0U);
    CHECK_EQ(d.status, 0);
    CHECK(!d.policy_required);
    CHECK_EQ(d.features & base_features, base_features);
    CHECK(d.features & bit(VIRTIO_F_RING_PACKED));
    CHECK_EQ(c.device("g1", "d1").id, d.id);
    CHECK_EQ(c.guest("g1").devices, 1U);
    CHECK_EQ(c.guests().size(), 1U);
    CHECK_EQ(c.devices().size(), 1U);

    // Another device and guest: ids are never the same.
    p.name = "d2";
    CHECK(c.device_new(p).id > d.id);
    c.device_del("g1", "d1");
    p.name = "d1";
    CHECK(c.device_new(p).id > d.id + 1);
    c.guest_del("g1"); // with its devices
    CHECK(c.devices().empty());
    CHECK(c.guest_new("g1").id > g.id);
    c.guest_del("g1");
    CHECK(c.guests().empty());
}

TEST("netlink: names")
{
    Control c;
    for (const char *bad : {"", "-a", "_a", ".", "..", "a/b", "a.b", "a b", "\xc3\xa4", "a\n",
                            "01234567890123456789012345678901"}) {
        const NetlinkReply reply = c.try_guest_new(bad);
        CHECK(reply.error == -EINVAL || reply.error == -ERANGE);
        CHECK(!reply.extack.empty());
        if (reply.error == -EINVAL && strlen(bad) < 32) {
            refused(reply, -EINVAL, name_words);
        }
    }
    for (const char *good : {"a", "0", "a-b_c", "Z9", "0123456789012345678901234567890"}) {
        c.guest_new(good);
        c.guest_del(good);
    }
    WithGuest t;
    DeviceParams p = t.params("no/name");
    refused(t.control.try_device_new(p), -EINVAL, name_words);
    CHECK(t.control.devices().empty());
}

TEST("netlink: every refusal says why")
{
    WithGuest t;
    Control &c = t.control;
    refused(c.try_guest_new("g1"), -EEXIST, "guest g1 exists");
    refused(c.try_guest_del("nobody"), -ENOENT, "no guest nobody");
    refused(c.genl().request(DEVHOST_CMD_GUEST_GET, guest_attrs("nobody")), -ENOENT,
            "no guest nobody");
    refused(c.try_device_del("nobody", "d1"), -ENOENT, "no guest nobody");
    refused(c.try_device_del("g1", "d9"), -ENOENT, "no device d9");
    refused(c.genl().request(DEVHOST_CMD_DEVICE_GET, device_attrs("g1", "d9")), -ENOENT,
            "no device d9");

    DeviceParams p = t.params();
    p.guest = "nobody";
    refused(c.try_device_new(p), -ENOENT, "no guest nobody");
    p = t.params("d1", "toaster");
    {
        const NetlinkReply reply = c.try_device_new(p);
        CHECK(reply.error < 0);
        CHECK(reply.extack.find("toaster") != std::string::npos);
    }
    p = t.params();
    p.vq_size_max = 3;
    refused(c.try_device_new(p), -EINVAL, "power of two");
    for (uint32_t size : {0U, 1U, 2048U, 0xffffffffU}) {
        p.vq_size_max = size;
        const NetlinkReply reply = c.try_device_new(p);
        CHECK(reply.error == -ERANGE || reply.error == -EINVAL);
        CHECK(!reply.extack.empty());
    }
    p = t.params();
    c.device_new(p);
    refused(c.try_device_new(p), -EEXIST, "device d1 exists");

    // In use.
    {
        Vdpa open(vhost_path("g1.d1"));
        refused(c.try_device_del("g1", "d1"), -EBUSY, "stop its VMM first");
        refused(c.try_guest_del("g1"), -EBUSY, "in use");
        Attrs fields;
        fields.string(DEVHOST_A_DEV_GUEST, "g1").string(DEVHOST_A_DEV_NAME, "d1");
        fields.u64(DEVHOST_A_DEV_FEATURES_MASK, 0);
        refused(c.genl().request(DEVHOST_CMD_DEVICE_SET, Attrs().nest(DEVHOST_A_DEV, fields)),
                -EBUSY, "in use");
    }
    CHECK_EQ(c.devices().size(), 1U);
}

TEST("netlink: messages that lack something or carry too much")
{
    WithGuest t;
    Genl &genl = t.control.genl();
    for (int command = 1; command <= DEVHOST_CMD_MAX + 3; command++) {
        // Nothing in it, and a nest with nothing in it.
        for (const Attrs &attrs :
             {Attrs(), Attrs().nest(DEVHOST_A_GUEST, Attrs()), Attrs().nest(DEVHOST_A_DEV, Attrs()),
              Attrs().nest(DEVHOST_A_STATS, Attrs()), Attrs().u32(DEVHOST_A_DEV, 7),
              Attrs().flag(99)}) {
            CHECK(genl.request(static_cast<uint8_t>(command), attrs).error < 0);
        }
    }
    // Of the wrong type or size.
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, "g1").string(DEVHOST_A_DEV_NAME, "d1");
    fields.string(DEVHOST_A_DEV_CLASS, "echo");
    for (uint16_t type : {DEVHOST_A_DEV_FEATURES_MASK, DEVHOST_A_DEV_VQ_SIZE_MAX,
                          DEVHOST_A_DEV_POLICY_REQUIRED, DEVHOST_A_DEV_BACKEND}) {
        Attrs bad = fields;
        bad.u8(type, 1);
        CHECK(genl.request(DEVHOST_CMD_DEVICE_NEW, Attrs().nest(DEVHOST_A_DEV, bad)).error < 0);
    }
    // What only the kernel says.
    for (uint16_t type : {DEVHOST_A_DEV_ID, DEVHOST_A_DEV_STATE, DEVHOST_A_DEV_WORKER}) {
        Attrs bad = fields;
        bad.u32(type, 1);
        CHECK(genl.request(DEVHOST_CMD_DEVICE_NEW, Attrs().nest(DEVHOST_A_DEV, bad)).error < 0);
    }
    // A backend attribute that the class does not have.
    Attrs backend = fields;
    backend.nest(DEVHOST_A_DEV_BACKEND, Attrs().u32(200, 1));
    CHECK(genl.request(DEVHOST_CMD_DEVICE_NEW, Attrs().nest(DEVHOST_A_DEV, backend)).error < 0);
    CHECK(t.control.devices().empty());
}

TEST("netlink: the backend of a CAN device is checked")
{
    WithGuest t;
    Control &c = t.control;
    DeviceParams p = t.params("can0", "can");
    refused(c.try_device_new(p), -EINVAL, "needs an interface");
    p.backend = Attrs().string(DEVHOST_A_CAN_IFNAME, "nosuchif");
    refused(c.try_device_new(p), -ENODEV, "no interface nosuchif");
    p.backend = Attrs().string(DEVHOST_A_CAN_IFNAME, "lo");
    {
        const NetlinkReply reply = c.try_device_new(p);
        CHECK(reply.error < 0);
        CHECK(reply.extack.find("lo is not a CAN interface") != std::string::npos);
    }
    p.backend = Attrs().string(DEVHOST_A_CAN_IFNAME, "a/b");
    CHECK(c.try_device_new(p).error < 0);
    can::Vcan bus;
    for (uint32_t backlog : {0U, 15U, 65537U}) {
        p.backend =
            Attrs().string(DEVHOST_A_CAN_IFNAME, bus.name()).u32(DEVHOST_A_CAN_RX_BACKLOG, backlog);
        CHECK(c.try_device_new(p).error < 0);
    }
    for (uint32_t inflight : {0U, 1025U}) {
        p.backend = Attrs()
                        .string(DEVHOST_A_CAN_IFNAME, bus.name())
                        .u32(DEVHOST_A_CAN_TX_INFLIGHT, inflight);
        CHECK(c.try_device_new(p).error < 0);
    }
    CHECK(c.devices().empty());
    p.backend = Attrs().string(DEVHOST_A_CAN_IFNAME, "later").flag(DEVHOST_A_CAN_WAIT);
    c.device_new(p);
    c.device_del("g1", "can0");
}

TEST("netlink: the feature mask decides, and cannot take what is needed")
{
    WithGuest t;
    DeviceParams p = t.params();
    for (uint64_t mask : {uint64_t{0}, ~uint64_t{0}, ~bit(VIRTIO_F_RING_PACKED),
                          ~bit(VIRTIO_RING_F_INDIRECT_DESC), ~bit(VIRTIO_RING_F_EVENT_IDX)}) {
        p.features_mask = mask;
        const DeviceInfo d = t.control.device_new(p);
        CHECK_EQ(d.features_mask, mask);
        CHECK_EQ(d.features & base_features, base_features);
        CHECK_EQ(d.features & ~mask & ~base_features, 0U);
        {
            Vdpa v(vhost_path("g1.d1"));
            CHECK_EQ(v.features(), d.features);
        }
        t.control.device_del("g1", "d1");
    }
    // And changes while nobody has it open.
    t.control.device_new(t.params());
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, "g1").string(DEVHOST_A_DEV_NAME, "d1");
    fields.u64(DEVHOST_A_DEV_FEATURES_MASK, ~bit(VIRTIO_F_RING_PACKED));
    CHECK_EQ(
        t.control.genl().request(DEVHOST_CMD_DEVICE_SET, Attrs().nest(DEVHOST_A_DEV, fields)).error,
        0);
    CHECK(!(t.control.device("g1", "d1").features & bit(VIRTIO_F_RING_PACKED)));
    t.control.device_del("g1", "d1");
}

TEST("netlink: events tell what happened, in order")
{
    Genl events(DEVHOST_GENL_NAME);
    events.join(DEVHOST_MCGRP_EVENTS);
    auto next = [&](uint8_t command) {
        const auto message = events.notification(3000);
        CHECK(message.has_value());
        CHECK_EQ(message->command, command);
        return *message;
    };
    {
        TestDevice device(echo_params(RingKind::split));
        CHECK_EQ(parse_guest(next(DEVHOST_CMD_GUEST_NEW_NTF)).name, device.guest());
        CHECK_EQ(parse_device(next(DEVHOST_CMD_DEVICE_NEW_NTF)).name, device.name());
        {
            EchoGuest g(device.path(), {});
            g.start();
            g.good();
            bool running = false;
            while (const auto message = events.notification(500)) {
                CHECK_EQ(message->command, DEVHOST_CMD_DEVICE_CHANGE_NTF);
                const DeviceInfo info = parse_device(*message);
                running |= info.state == DEVHOST_DEV_RUNNING;
            }
            CHECK(running);
        }
        bool idle = false;
        while (const auto message = events.notification(500)) {
            idle |= parse_device(*message).state == DEVHOST_DEV_IDLE;
        }
        CHECK(idle);
    }
    CHECK_EQ(next(DEVHOST_CMD_DEVICE_DEL_NTF).command, DEVHOST_CMD_DEVICE_DEL_NTF);
    next(DEVHOST_CMD_GUEST_DEL_NTF);
}

TEST("netlink: dumps of many guests and devices are whole")
{
    Control c;
    constexpr int guests = 20;
    constexpr int devices = 5;
    for (int g = 0; g < guests; g++) {
        const std::string guest = "dump" + std::to_string(g);
        c.guest_new(guest);
        for (int d = 0; d < devices; d++) {
            DeviceParams p;
            p.guest = guest;
            p.name = "d" + std::to_string(d);
            p.device_class = "echo";
            c.device_new(p);
        }
    }
    CHECK_EQ(c.guests().size(), size_t{guests});
    CHECK_EQ(c.devices().size(), size_t{guests * devices});
    const Attrs one = Attrs().nest(DEVHOST_A_DEV, Attrs().string(DEVHOST_A_DEV_GUEST, "dump7"));
    CHECK_EQ(c.genl().request(DEVHOST_CMD_DEVICE_GET, one, true).messages.size(), size_t{devices});
    CHECK_EQ(c.genl().request(DEVHOST_CMD_STATS_GET, Attrs(), true).messages.size(),
             size_t{guests * devices});
    for (int g = 0; g < guests; g++) {
        c.guest_del("dump" + std::to_string(g));
    }
}

TEST("netlink: bounds on guests and devices")
{
    tap::time_limit(1500);
    Control c;
    int guests = 0;
    NetlinkReply reply;
    while (!(reply = c.try_guest_new("many" + std::to_string(guests))).error) {
        guests++;
    }
    refused(reply, -ENOSPC, "too many guests");
    CHECK(guests >= 64);
    for (int g = 1; g < guests; g++) {
        c.guest_del("many" + std::to_string(g));
    }
    DeviceParams p;
    p.guest = "many0";
    p.device_class = "echo";
    int devices = 0;
    do {
        p.name = "d" + std::to_string(devices);
        reply = c.try_device_new(p);
        devices += !reply.error;
    } while (!reply.error);
    refused(reply, -ENOSPC, "too many devices");
    CHECK(devices >= 16);
    c.guest_del("many0");
}

TEST("netlink: CAP_NET_ADMIN is needed")
{
    // Without capabilities, in a child that gives them up.
    const std::string command =
        "setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all ";
    std::string self(4096, '\0');
    self.resize(static_cast<size_t>(readlink("/proc/self/exe", self.data(), self.size())));
    CHECK_EQ(system((command + "true").c_str()), 0);
    CHECK_EQ(system((command + self + " --as-nobody").c_str()), 0);
}

TEST("netlink: commands from many threads at once")
{
    std::vector<std::thread> threads;
    for (int n = 0; n < 6; n++) {
        threads.emplace_back([n] {
            try {
                Control c;
                // Two threads for each name: they get in each other's way.
                const std::string guest = "par" + std::to_string(n / 2);
                DeviceParams p;
                p.guest = guest;
                p.name = "d";
                p.device_class = "echo";
                for (int i = 0; i < 60; i++) {
                    c.try_guest_new(guest);
                    c.try_device_new(p);
                    c.devices();
                    c.try_device_del(guest, "d");
                    c.try_guest_del(guest);
                }
            } catch (const std::exception &error) {
                tap::fail_later(error.what());
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    Control c;
    for (int n = 0; n < 3; n++) {
        c.try_guest_del("par" + std::to_string(n));
    }
    CHECK(c.guests().empty());
}

// The part of "CAP_NET_ADMIN is needed" that runs without capabilities.
int as_nobody()
{
    Control c;
    const NetlinkReply replies[] = {
        c.try_guest_new("x"),
        c.try_guest_del("x"),
        c.genl().request(DEVHOST_CMD_DEVICE_SET, device_attrs("x", "y")),
        c.try_device_del("x", "y"),
        c.try_device_new({"x", "y", "echo", {}, {}, false, {}}),
    };
    return std::all_of(std::begin(replies), std::end(replies),
                       [](const NetlinkReply &reply) { return reply.error == -EPERM; })
               ? 0
               : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && std::string(argv[1]) == "--as-nobody") {
        return as_nobody();
    }
    return selftest_main(argc, argv);
}
