// SPDX-License-Identifier: Apache-2.0
// S10: policies that say what none may say, and policies that are taken away
// behind the back of who set them.
#include <bpf/bpf.h>

#include "program_in_force.hpp"
#include "setup.hpp"

using namespace dh;

namespace {

// any_verdict.bpf.c in force from construction to the end of the scope.
class AnyVerdict : public ProgramInForce {
public:
    AnyVerdict(uint32_t guest, int verdict)
        : ProgramInForce("any_verdict", guest, &verdict, sizeof(verdict))
    {
    }
};

Fd pinned(const std::filesystem::path &name)
{
    Fd fd(bpf_obj_get(name.c_str()));

    CHECK(fd);
    return fd;
}

} // namespace

TEST("S10 a verdict out of range is a refusal")
{
    PolicyFixture t;
    uint64_t invalid = 0;

    {
        AnyVerdict allow(t.known().id, DEVHOST_VERDICT_ALLOW);
        CHECK(t.sends(0x123));
        CHECK(t.receives(0x123));
    }
    // 256 and 0x10000 are 0 where only their low bits are looked at.
    for (const int verdict : {3, 4, 6, 255, 256, 0x10000, 0x7fffffff, -1, -2147483647 - 1}) {
        AnyVerdict policy(t.known().id, verdict);

        tap::note("verdict " + std::to_string(verdict));
        CHECK(t.closed());
        invalid += 2;
        CHECK_EQ(t.verdicts(DEVHOST_VERDICT_INVALID), invalid);
    }
    for (const int verdict : {DEVHOST_VERDICT_DENY, DEVHOST_VERDICT_LIMIT}) {
        AnyVerdict policy(t.known().id, verdict);

        CHECK(t.closed());
        CHECK_EQ(t.verdicts(static_cast<uint32_t>(verdict)), 2U);
    }
    {
        AnyVerdict audit(t.known().id, DEVHOST_VERDICT_AUDIT);
        CHECK(t.sends(0x123));
        CHECK(t.receives(0x123));
        CHECK_EQ(t.verdicts(DEVHOST_VERDICT_AUDIT), 2U);
    }
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_INVALID), invalid);
    t.apply(both("allow"));
    CHECK(t.sends(0x123));
    CHECK(t.receives(0x123));
}

TEST("S10 the policy's link is detached by somebody else: closed, and said so")
{
    PolicyFixture t;

    for (int i = 0; i < 3; i++) {
        t.apply(both("allow"));
        CHECK(t.sends(0x123));
        CHECK_EQ(bpf_link_detach(pinned(pins / t.device.guest() / "link").get()), 0);
        CHECK(t.closed());
        CHECK(!store().active(t.device.guest()));
        CHECK(!t.device.control().guest(t.device.guest()).policy);
        CHECK(!store().counters(t.device.guest()).can);
        CHECK(store().program_ids(t.device.guest()).empty());
        // Adopted on every other round, else straight away replaced.
        if (i % 2) {
            CHECK(!store().adopt(t.known()));
        }
    }
    t.apply(both("allow"));
    CHECK(t.sends(0x123));
}

TEST("S10 the pin of the link is removed: closed")
{
    PolicyFixture t;

    t.apply(both("allow"));
    CHECK(t.sends(0x123));
    std::filesystem::remove(pins / t.device.guest() / "link");
    for (int waited = 0; waited < 3000 && t.device.control().guest(t.device.guest()).policy;
         waited += 10) {
        usleep(10000);
    }
    CHECK(t.closed());
    CHECK(!store().adopt(t.known()));
    t.apply(both("allow"));
    CHECK(t.sends(0x123));
}

TEST("S10 the maps are unpinned while running: the policy holds, and can be replaced")
{
    PolicyFixture t;

    t.apply(both("deny"));
    CHECK(t.closed());
    for (const auto &entry :
         std::filesystem::recursive_directory_iterator(pins / t.device.guest())) {
        if (entry.is_regular_file() && entry.path().filename() != "link") {
            std::filesystem::remove(entry.path());
        }
    }
    CHECK(t.closed());
    CHECK(store().active(t.device.guest()));
    // What is in force cannot be told any more; that is an error, not an absence.
    bool refused = false;
    try {
        store().adopt(t.known());
    } catch (const devhost::PolicyError &error) {
        tap::note(error.what());
        refused = true;
    }
    CHECK(refused);
    CHECK(t.closed());
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    t.apply(both("allow"));
    CHECK(t.sends(0x123));
    CHECK(store().adopt(t.known()) == policy(both("allow")));
}

TEST("S10 the rules of a policy in force cannot be written")
{
    PolicyFixture t;
    const uint32_t key = 0;
    const std::vector<char> zeroes(1 << 16);

    t.apply(both("deny"));
    for (const auto &entry :
         std::filesystem::recursive_directory_iterator(pins / t.device.guest())) {
        if (entry.path().filename() == "rules") {
            CHECK(bpf_map_update_elem(pinned(entry.path()).get(), &key, zeroes.data(), BPF_ANY) !=
                  0);
        }
    }
    CHECK(t.closed());
}

TEST("S10 a policy that cannot be had leaves the old one in force")
{
    PolicyFixture t;
    devhost::PolicyConfig config = policy(both("allow"));
    devhost::CanRule rule;
    devhost::PolicyGuest guest = t.known();
    unsigned refused = 0;
    const auto refuse = [&](const devhost::PolicyStore &from) {
        try {
            devhost::PolicyStore(from).apply(guest, config);
        } catch (const devhost::PolicyError &error) {
            tap::note(error.what());
            refused++;
        }
    };

    t.apply(both("deny"));
    // No programs, no BPF file system, too many devices, a guest that is not there.
    refuse({"/nonexistent", pins});
    refuse({"/usr/lib/devhost/bpf", "/run/devhost-test-pins"});
    rule.device = "d";
    config.can->transmit.rules = {rule};
    for (uint32_t i = 0; i < 40; i++) {
        guest.devices.push_back({.name = "d" + std::to_string(i), .id = 1000 + i});
    }
    refuse(store());
    guest = t.known();
    guest.name = "nobody";
    guest.id += 1000;
    refuse(store());
    CHECK_EQ(refused, 4U);
    CHECK(t.closed());
    CHECK(store().adopt(t.known()) == policy(both("deny")));
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    // Nor does a failure leave anything behind.
    const auto entries = std::filesystem::directory_iterator(pins / t.device.guest());
    CHECK_EQ(std::distance(begin(entries), end(entries)), 2);
    store().remove("nobody");
    std::filesystem::remove("/run/devhost-test-pins");
}
