// SPDX-License-Identifier: Apache-2.0
// A driver that puts into the rings what a good one never would.
#pragma once

#include "echo.hpp"
#include "host.hpp"

namespace dh {

constexpr uint16_t write_flag = VRING_DESC_F_WRITE;

// A descriptor of a chain made by hand.
struct Raw {
    uint64_t addr;
    uint32_t length;
    uint16_t flags = 0; // WRITE, INDIRECT; NEXT where it has to break the rules
};

class Hostile : public EchoGuest {
public:
    Hostile(const std::string &path, GuestSetup setup) : EchoGuest(path, setup) {}

    bool is_packed() const { return setup().ring == RingKind::packed; }

    // Makes a chain available, linked in order, and kicks; the id that has to
    // come back.
    uint16_t put(const std::vector<Raw> &chain, uint32_t queue = ECHO_VQ_ECHO);

    // Writes an indirect table of that format to @where, linked in order.
    void table(uint64_t where, const std::vector<Raw> &entries);

    // R: it comes back unserved, is counted, and the device keeps working.
    void rejected(uint16_t id, uint32_t queue = ECHO_VQ_ECHO);
    void put_rejected(const std::vector<Raw> &chain, uint32_t queue = ECHO_VQ_ECHO)
    {
        rejected(put(chain, queue), queue);
        good();
    }
    // It is served, with that used length.
    void put_served(const std::vector<Raw> &chain, uint32_t length, uint32_t queue = ECHO_VQ_ECHO);

    // B: the device wants a reset, and works after it.
    void broken();
};

struct HostileFixture {
    explicit HostileFixture(GuestSetup setup)
        : device(echo_params(setup.ring)), guest(device.path(), setup)
    {
        guest.start();
        guest.good();
    }
    // Chains that the device returned unserved.
    uint64_t malformed(uint32_t queue = ECHO_VQ_ECHO)
    {
        return device.stats().vqs[queue].malformed;
    }

    TestDevice device;
    Hostile guest;
};

// RAM in two regions: rings in the first one, what is held or remapped in the
// second. The guest is not started.
struct TwoRegions {
    static constexpr uint64_t memory = Guest::ram_base + (64UL << 20);
    static constexpr uint32_t size = 1 << 20;

    explicit TwoRegions(RingKind ring, uint8_t perm = VHOST_ACCESS_RW);

    void unmap() { guest.memory().unmap(guest.vdpa(), 1); }
    bool hold(uint64_t addr, uint32_t length);
    // How often the device lost what it held: told on the worker, in its own time.
    uint64_t lost(uint64_t expected);

    TestDevice device;
    Hostile guest;
};

} // namespace dh
