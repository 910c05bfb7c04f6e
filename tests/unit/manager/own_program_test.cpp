// SPDX-License-Identifier: Apache-2.0
//
// Programs of the administrator's own, as far as it goes without a kernel: which files are read,
// and which objects are refused before the verifier sees them.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes.hpp"
#include "policy_own.hpp"

namespace devhost::test {
namespace {

namespace fs = std::filesystem;

class OwnProgramTest : public testing::Test {
protected:
    TemporaryDirectory directory;
    const fs::path file = directory.path() / "p.bpf.o";

    void write(const std::string &contents) const
    {
        std::ofstream(file) << contents;
        allow(S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    }
    void allow(mode_t mode) const { ASSERT_EQ(::chmod(file.c_str(), mode), 0); }

    static void expect_refused(const std::string &why, const std::function<void()> &action)
    {
        try {
            action();
            ADD_FAILURE() << "it was taken, not refused: " << why;
        } catch (const PolicyError &error) {
            EXPECT_EQ(error.cause(), Cause::program_refused) << error.what();
            EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
        }
    }
    void expect_unread(const std::string &why, uid_t owner = ::geteuid()) const
    {
        expect_refused(why, [&] { read_own_program(file, owner); });
    }
};

} // namespace

TEST_F(OwnProgramTest, FileIsItsOwnersAlone)
{
    write("object");
    EXPECT_EQ(read_own_program(file, ::geteuid()), "object");
    expect_unread("must be owned by root", ::geteuid() + 1);
    for (const mode_t others : {S_IWGRP, S_IWOTH}) {
        allow(S_IRUSR | S_IWUSR | others);
        expect_unread("must be owned by root");
    }
    allow(S_IRUSR);
    EXPECT_EQ(read_own_program(file, ::geteuid()), "object");
}

TEST_F(OwnProgramTest, OnlyRegularFilesOfSomeSizeAreRead)
{
    expect_unread("cannot be opened: No such file");
    ASSERT_EQ(::mkfifo(file.c_str(), S_IRUSR | S_IWUSR), 0);
    expect_unread("is not a regular file"); // and does not wait
    fs::remove(file);
    fs::create_directory(file);
    expect_unread("is not a regular file");
    fs::remove(file);
    write("");
    fs::resize_file(file, 16 * 1024 * 1024);
    EXPECT_EQ(read_own_program(file, ::geteuid()).size(), 16U * 1024 * 1024);
    fs::resize_file(file, 16 * 1024 * 1024 + 1);
    expect_unread("is larger than 16 MiB");
}

TEST_F(OwnProgramTest, VersionIsThatOfTheContents)
{
    EXPECT_EQ(own_program_version(file), "");
    write("one");
    const std::string one = own_program_version(file);
    EXPECT_NE(one, "");
    write("two");
    EXPECT_NE(own_program_version(file), one);
    write("one");
    EXPECT_EQ(own_program_version(file), one);
}

TEST_F(OwnProgramTest, TailOfALogIsWholeLinesThatCanBeSent)
{
    EXPECT_EQ(log_tail(""), "");
    EXPECT_EQ(log_tail("a\nb \n\n"), "a\nb");
    EXPECT_EQ(log_tail("a line\xe9\x01\tx\n"), "a line??\tx");
    std::string log;
    for (unsigned i = 0; i < 1000; i++) {
        log += "line " + std::to_string(i) + "\n";
    }
    const std::string tail = log_tail(log);
    EXPECT_LE(tail.size(), 1500U);
    EXPECT_GE(tail.size(), 1400U);
    EXPECT_TRUE(tail.starts_with("line ")) << tail;
    EXPECT_TRUE(tail.ends_with("\nline 999")) << tail;
    EXPECT_EQ(log_tail(std::string(2000, 'x')), "");
}

#ifdef DEVHOST_TEST_PROGRAMS

TEST_F(OwnProgramTest, ObjectsThatAreNoPolicyAreRefusedBeforeTheyAreLoaded)
{
    const auto load = [&] { OwnPolicy(file, 1, nullptr, ::geteuid()); };
    const auto take = [&](const std::string &object) {
        fs::copy_file(fs::path(DEVHOST_TEST_PROGRAMS) / object, file,
                      fs::copy_options::overwrite_existing);
        allow(S_IRUSR | S_IWUSR);
    };

    write("no object");
    expect_refused("is not a BPF object", load);
    write("");
    expect_refused("is not a BPF object", load);
    take("own_other_ops.bpf.o");
    expect_refused("needs one struct devhost_policy_ops, and no other struct_ops", load);
    take("own_no_link.bpf.o");
    expect_refused("in another section than .struct_ops.link", load);
    take("own_other_type.bpf.o");
    expect_refused("has the program stowaway, which is of another type", load);
    // That of docs/policy.md gets as far as the kernel.
    take("answers/answers.bpf.o");
    try {
        load();
    } catch (const PolicyError &error) {
        EXPECT_NE(error.cause(), Cause::program_refused) << error.what();
    }
}

#endif

} // namespace devhost::test
