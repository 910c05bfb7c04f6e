// SPDX-License-Identifier: Apache-2.0
// Programs of one's own in place of the built-in ones: that of docs/policy.md, and one that the
// verifier refuses.
#include <sys/stat.h>

#include <array>

#include "policy_own.hpp"
#include "setup.hpp"

using namespace dh;

namespace {

constexpr uint32_t request = 0x7e0;
constexpr uint32_t answer = 0x7e8;
constexpr unsigned answers_a_request = 8;

// A copy of a program of the tests that may be put in force; gone with the scope.
class Program {
public:
    explicit Program(const std::string &name) : path_("/run/devhost-test-" + name + ".bpf.o")
    {
        std::filesystem::copy_file(DEVHOST_TESTS_DIR "/bpf/" + name + ".bpf.o", path_,
                                   std::filesystem::copy_options::overwrite_existing);
        CHECK_EQ(chmod(path_.c_str(), S_IRUSR | S_IWUSR), 0);
    }
    Program(const Program &) = delete;
    Program &operator=(const Program &) = delete;
    ~Program() { std::filesystem::remove(path_); }

    const std::filesystem::path &path() const { return path_; }
    devhost::PolicyConfig policy() const
    {
        return devhost::policy_of(devhost::OwnProgram{.path = path_, .version = {}});
    }

private:
    std::filesystem::path path_;
};

ptrdiff_t entries(PolicyFixture &t)
{
    const auto all = std::filesystem::directory_iterator(pins / t.device.guest());

    return std::distance(begin(all), end(all));
}

} // namespace

TEST("policy: a program of one's own judges, is found again, and makes way for rules")
{
    PolicyFixture t;
    const Program program("answers");

    store().apply(t.known(), program.policy());
    CHECK(t.sends(0x123));
    CHECK(!t.sends(answer));
    CHECK(t.receives(request));
    for (unsigned i = 0; i < answers_a_request; i++) {
        CHECK(t.sends(answer));
    }
    CHECK(!t.sends(answer));

    const auto found = store().adopt(t.known());
    CHECK(found && found->own);
    CHECK_EQ(found->own->path, program.path().string());
    CHECK_EQ(found->own->version, devhost::own_program_version(program.path()));
    CHECK(store().active(t.device.guest()));
    CHECK_EQ(store().program_ids(t.device.guest()).size(), 1U);
    CHECK(!store().counters(t.device.guest()).can);
    CHECK(!t.sends(answer)); // to be found changed nothing
    CHECK_EQ(entries(t), 2);

    t.apply(both("allow"));
    CHECK(t.sends(answer));
    CHECK_EQ(entries(t), 2);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_INVALID), 0U);
}

TEST("policy: what a program of one's own leaves out is refused, and it is of one guest only")
{
    PolicyFixture t;
    const Program program("answers");
    devhost::PolicyGuest other = t.known();

    store().apply(t.known(), program.policy());
    other.id += 1000;
    CHECK(!store().adopt(other));
    CHECK(!store().active(t.device.guest()));
    CHECK(t.closed());
}

TEST("policy: between rules and a program of one's own there is no gap")
{
    const unsigned swaps = tap::rounds(6, 60);
    tap::time_limit(swaps * 20);
    PolicyFixture t;
    const Program program("answers");
    const std::array configs{policy(both("allow")), program.policy()};
    uint64_t sent = 0;
    uint64_t passed = 0;

    store().apply(t.known(), configs[0]);
    const devhost::PolicyGuest known = t.known();
    swap_under(
        swaps, [&](unsigned i) { store().apply(known, configs.at(i % 2)); },
        [&] {
            sent++;
            passed += t.guest.send({0x123, 0, {1}}) == can::result_ok;
        });
    tap::note(std::to_string(sent) + " frames over " + std::to_string(swaps) + " swaps");
    CHECK(sent > swaps);
    CHECK_EQ(passed, sent);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    CHECK_EQ(*t.device.control().guest(t.device.guest()).policy, swaps + 1);
}

TEST("policy: what the verifier refuses leaves the old policy, and its words are in the error")
{
    PolicyFixture t;
    const Program program("own_unverifiable");
    bool refused = false;

    t.apply(both("allow"));
    try {
        store().apply(t.known(), program.policy());
    } catch (const devhost::PolicyError &error) {
        const std::string text = error.what();

        tap::note(text);
        refused = true;
        CHECK(error.cause() == devhost::Cause::program_refused);
        CHECK(text.starts_with("The program " + program.path().string() +
                               " is refused by the kernel: "));
        CHECK(text.find("The verifier's last words:\n") != std::string::npos);
        // What it says of a write to what is only to be read.
        CHECK(text.find("only read is supported") != std::string::npos);
        CHECK(error.log().find("only read is supported") != std::string::npos);
    }
    CHECK(refused);
    CHECK(t.sends(0x123));
    CHECK(store().adopt(t.known()) == policy(both("allow")));
    CHECK_EQ(entries(t), 2);
    // Nor is a file taken that others can write.
    CHECK_EQ(chmod(program.path().c_str(), S_IRUSR | S_IWUSR | S_IWGRP), 0);
    try {
        store().apply(t.known(), program.policy());
        FAIL("it was taken");
    } catch (const devhost::PolicyError &error) {
        CHECK(std::string(error.what()).find("must be owned by root") != std::string::npos);
    }
    CHECK(t.sends(0x123));
}

TEST("policy: rules may judge beside a program of one's own, what it leaves out")
{
    PolicyFixture t;
    const Program program("answers");
    devhost::PolicyConfig beside = policy("[policy]\nmode = \"audit\"\n[policy.scmi]\n");

    beside.own = program.policy().own;
    beside.can.reset();
    beside.snd.reset();
    beside.video.reset();
    store().apply(t.known(), beside);
    CHECK(t.sends(0x123));
    CHECK(!t.sends(answer)); // the mode is that of rules
    CHECK_EQ(store().program_ids(t.device.guest()).size(), 2U);
    CHECK(store().counters(t.device.guest()).scmi.has_value());
    CHECK(!store().counters(t.device.guest()).can.has_value());

    auto found = store().adopt(t.known());
    CHECK(found && found->own);
    found->own->version.clear();
    CHECK(*found == beside);
    CHECK_EQ(entries(t), 2);

    // Two judges of one class are one too many.
    beside.can = policy(both("allow")).can;
    try {
        store().apply(t.known(), beside);
        FAIL("it was taken");
    } catch (const devhost::PolicyError &error) {
        tap::note(error.what());
        CHECK(std::string(error.what()).find("judges can, and so do the rules") !=
              std::string::npos);
    }
    CHECK(!t.sends(answer));
    CHECK_EQ(entries(t), 2);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_NONE), 0U);
    CHECK_EQ(t.verdicts(DEVHOST_VERDICT_INVALID), 0U);
}
