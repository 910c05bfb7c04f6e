// SPDX-License-Identifier: Apache-2.0
// Who has the node, and what it says of itself.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "node.hpp"

namespace dh::vdpa_check {

TEST("a node has one user at a time")
{
    const Vdpa vdpa = open_node();
    const Fd second(open(subject().path.c_str(), O_RDWR | O_CLOEXEC));
    refused(second ? 0 : -errno, EBUSY, "opening it a second time");
}

TEST("an open node has one owner")
{
    Vdpa vdpa = own_node();
    refused(vdpa.set_owner(), EBUSY, "a second VHOST_SET_OWNER");
}

TEST("it says what it is")
{
    Vdpa vdpa = own_node();
    const uint32_t id = vdpa.device_id();
    const uint32_t queues = vdpa.vqs_count();
    const uint16_t entries = vdpa.vring_num_max();
    vhost_vdpa_iova_range range{};
    must(vdpa.call(VHOST_VDPA_GET_IOVA_RANGE, &range), "VHOST_VDPA_GET_IOVA_RANGE");
    tap::note("virtio id " + std::to_string(id) + ", " + std::to_string(queues) +
              " queues of up to " + std::to_string(entries) + " entries, " +
              std::to_string(vdpa.config_size()) + " bytes of configuration");
    if (!id || !queues) {
        FAIL("a device has an id and a queue");
    }
    if (!entries || entries & (entries - 1)) {
        FAIL("the most entries of a queue must be a power of two");
    }
    if (range.first > Guest::ram_base || range.last < Guest::ram_base + subject().memory - 1) {
        FAIL("guest memory from 1 GiB on is outside the range of addresses");
    }
}

TEST("its configuration reads the same in any pieces, and not beyond its end")
{
    Vdpa vdpa = own_node();
    const uint32_t size = vdpa.config_size();
    if (!size) {
        SKIP("the device has no configuration");
    }
    std::vector<uint8_t> whole(size);
    must(vdpa.config_get(0, whole.data(), size), "VHOST_VDPA_GET_CONFIG");
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = 0;
        must(vdpa.config_get(i, &byte, 1), "VHOST_VDPA_GET_CONFIG of a byte");
        CHECK_EQ(byte, whole[i]);
    }
    uint8_t beyond[2];
    CHECK(vdpa.config_get(size, beyond, 1) < 0);
    CHECK(vdpa.config_get(size - 1, beyond, 2) < 0);
}

TEST("it is free again when a VMM is killed")
{
    const pid_t child = fork();
    if (!child) {
        try {
            Guest guest(subject().path, usual_setup(RingKind::split));
            guest.start();
            (void)raise(SIGKILL);
        } catch (const std::exception &error) {
            tap::note(error.what());
        }
        _exit(1);
    }
    int status = 0;
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status)) {
        FAIL("the driver in a process of its own did not come as far as DRIVER_OK");
    }
    Vdpa vdpa = own_node();
    CHECK_EQ(vdpa.status(), 0);
}

} // namespace dh::vdpa_check
