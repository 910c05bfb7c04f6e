// SPDX-License-Identifier: Apache-2.0
// Guest memory as a dma-buf: QEMU's "edu" device (tests/kmod/edu_dma) copies
// within it, through its IOMMU. Wants a machine with -device edu, behind
// -device intel-iommu or amd-iommu.

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "echo.hpp"
#include "hostile.hpp"

using namespace dh;

namespace {

const std::string edu_dir = "/sys/kernel/debug/edu_dma/";

uint64_t edu(const std::string &file)
{
    return std::stoull(read_file(edu_dir + file), nullptr, 0);
}

// 0 or an errno.
int edu_write(const std::string &file, const std::string &text)
{
    std::ofstream out(edu_dir + file);
    errno = 0;
    out << text << std::flush;
    return out ? 0 : errno;
}

int edu_copy(uint32_t from, uint32_t to, uint32_t length)
{
    return edu_write("copy", std::to_string(from) + " " + std::to_string(to) + " " +
                                 std::to_string(length));
}

bool translated()
{
    for (const auto &entry : std::filesystem::directory_iterator("/sys/bus/pci/drivers/edu_dma")) {
        const auto type = entry.path() / "iommu_group/type";
        if (entry.is_symlink() && std::filesystem::exists(type)) {
            return read_file(type).starts_with("DMA");
        }
    }
    return false;
}

bool has_edu()
{
    for (const auto &entry : std::filesystem::directory_iterator("/sys/bus/pci/drivers/edu_dma")) {
        if (entry.is_symlink() && entry.path().filename().string().starts_with("0000:")) {
            return true;
        }
    }
    return false;
}

int export_to(EchoGuest &guest, echo_export whom)
{
    return static_cast<int>(guest.control(ECHO_OP_EXPORT, whom).value());
}

// With a buffer in the second region.
struct Exported : TwoRegions {
    static constexpr uint32_t buffer = 256 << 10;

    explicit Exported(RingKind ring) : TwoRegions(ring)
    {
        shell("modprobe edu_dma");
        if (!has_edu()) {
            SKIP("no edu device in this machine");
        }
        guest.start();
    }
    ~Exported() { edu_write("drop", "1"); }
    Exported(const Exported &) = delete;
    Exported &operator=(const Exported &) = delete;

    bool hold_buffer() { return hold(memory, buffer); }
    int export_to(bool edu_device)
    {
        return ::export_to(guest, edu_device ? ECHO_EXPORT_EDU : ECHO_EXPORT_NOBODY);
    }
    // Held, exported and mapped by the device.
    void hand_over()
    {
        if (!translated()) {
            SKIP("the edu device has no IOMMU");
        }
        CHECK(hold_buffer());
        CHECK_EQ(export_to(true), 0);
    }
    uint8_t *bytes() { return guest.at(memory, size); }
    // Distinct bytes at @from, copied by the device.
    void copies(uint32_t from, uint32_t to, uint32_t length, uint8_t seed)
    {
        for (uint32_t i = 0; i < length; i++) {
            bytes()[from + i] = static_cast<uint8_t>(seed + i * 7);
        }
        memset(bytes() + to, 0, length);
        const uint8_t behind = bytes()[to + length];
        CHECK_EQ(edu_copy(from, to, length), 0);
        CHECK(memcmp(bytes() + from, bytes() + to, length) == 0);
        CHECK_EQ(bytes()[to + length], behind);
    }
};

} // namespace

TEST_RINGS("dma-buf: hardware copies within guest memory, through its IOMMU")
{
    Exported t(ring);
    t.hand_over();
    CHECK(edu("iova") != edu("phys"));
    // Scattered pages are one run for the device.
    CHECK(edu("segments") <= edu("pieces"));
    tap::note("pieces " + std::to_string(edu("pieces")) + ", segments " +
              std::to_string(edu("segments")) + ", iova " + read_file(edu_dir + "iova") +
              ", phys " + read_file(edu_dir + "phys"));
    CHECK_EQ(t.device.exported(), Exported::buffer);
    t.copies(100, 40000, 4000, 1);
    // Across the seams of pages, and up to the last byte but one.
    t.copies(0, 8000, 4095, 77);
    t.copies(4000, Exported::buffer - 2001, 2000, 9);
    t.guest.good();
}

TEST_RINGS("dma-buf: what is unmapped the device can't reach")
{
    Exported t(ring);
    t.hand_over();
    t.copies(0, 8192, 4000, 3);
    CHECK_EQ(edu_write("mapped", "0"), 0);
    // The IOMMU's driver may take its time to flush.
    usleep(200000);
    memset(t.bytes() + 8192, 0xee, 4096);
    edu_copy(0, 8192, 4000);
    for (uint32_t i = 0; i < 4096; i++) {
        CHECK_EQ(t.bytes()[8192 + i], 0xee);
    }
    CHECK(kernel_log().count("fault") >= 1);
    CHECK_EQ(edu_write("mapped", "1"), 0);
    t.copies(0, 8192, 4000, 5);
    t.guest.good();
}

TEST_RINGS("dma-buf: memory that the guest takes away lasts as long as it is mapped, no longer")
{
    Exported t(ring);
    t.hand_over();
    t.unmap();
    CHECK_EQ(t.lost(1), 1U);
    t.copies(0, 8192, 4000, 11);
    CHECK(t.guest.control(ECHO_OP_PUT).has_value());
    t.copies(0, 8192, 4000, 12);
    CHECK_EQ(t.device.exported(), Exported::buffer);
    // It has gone for good: even where the guest has its memory back.
    CHECK_EQ(edu_write("mapped", "0"), 0);
    t.guest.map_memory();
    CHECK_EQ(edu_write("mapped", "1"), ENODEV);
    CHECK_EQ(edu_write("drop", "1"), 0);
    CHECK_EQ(t.device.exported(), 0U);
    t.guest.good();
}

TEST_RINGS("dma-buf: a reset while it is mapped")
{
    Exported t(ring);
    t.hand_over();
    t.guest.restart();
    t.copies(0, 8192, 4000, 21);
    CHECK_EQ(edu_write("mapped", "0"), 0);
    CHECK_EQ(edu_write("mapped", "1"), ENODEV);
    CHECK_EQ(edu_write("drop", "1"), 0);
    CHECK_EQ(t.device.exported(), 0U);
    t.guest.good();
}

TEST("dma-buf: the guest goes while it is mapped")
{
    auto t = std::make_unique<Exported>(RingKind::split);
    t->hand_over();
    t->guest.vdpa().close();
    t->device.remove();
    t->copies(0, 8192, 4000, 31);
    CHECK_EQ(edu_write("drop", "1"), 0);
}

TEST_RINGS("dma-buf: what makes none is refused")
{
    Exported t(ring);
    CHECK(!t.guest.control(ECHO_OP_EXPORT, 0).has_value());
    // One page, from its middle.
    CHECK(t.hold(Exported::memory + 100, 200));
    CHECK_EQ(t.export_to(false), 0);
    CHECK_EQ(t.export_to(false), EBUSY);
    CHECK_EQ(t.device.exported(), 200U);
    CHECK(t.guest.control(ECHO_OP_PUT).has_value());
    CHECK_EQ(t.device.exported(), 0U);
    t.guest.good();
}

TEST_RINGS("dma-buf: a device that does not reach the pages is given no copies")
{
    Exported t(ring);
    if (translated()) {
        SKIP("the edu device reaches everything through its IOMMU");
    }
    CHECK(t.hold_buffer());
    CHECK_EQ(t.export_to(true), EIO);
    t.guest.good();
}

TEST_RINGS("dma-buf: mapped, lost, reset again and again")
{
    Exported t(ring);
    if (!translated()) {
        SKIP("the edu device has no IOMMU");
    }
    const unsigned rounds = tap::rounds(20, 1000);
    for (unsigned i = 0; i < rounds; i++) {
        CHECK(t.hold_buffer());
        CHECK_EQ(t.export_to(true), 0);
        switch (i % 3) {
        case 0:
            t.unmap();
            t.guest.map_memory();
            CHECK(t.guest.control(ECHO_OP_PUT).has_value());
            break;
        case 1:
            t.guest.restart();
            break;
        default:
            CHECK(t.guest.control(ECHO_OP_PUT).has_value());
        }
        CHECK_EQ(edu_write("drop", "1"), 0);
        t.guest.recycle();
    }
    CHECK_EQ(t.device.exported(), 0U);
    t.guest.good();
}

TEST_RINGS("dma-buf: the processor sees it, also what the guest has taken away")
{
    TwoRegions t(ring);
    t.guest.start();
    uint64_t word = 0x0123456789abcdef;
    memcpy(t.guest.at(TwoRegions::memory + 4090, sizeof(word)), &word, sizeof(word));
    CHECK(t.hold(TwoRegions::memory, 8192));
    CHECK_EQ(export_to(t.guest, ECHO_EXPORT_SELF), 0);
    CHECK_EQ(t.guest.control(ECHO_OP_LOOK, 4090).value(), word);
    CHECK(!t.guest.control(ECHO_OP_LOOK, 8185).has_value());
    t.unmap();
    CHECK_EQ(t.lost(1), 1U);
    CHECK_EQ(t.guest.control(ECHO_OP_LOOK, 4090).value(), word);
    CHECK(t.guest.control(ECHO_OP_PUT).has_value());
    CHECK(!t.guest.control(ECHO_OP_LOOK, 0).has_value());
    CHECK_EQ(t.device.exported(), 0U);
    t.guest.map_memory();
    t.guest.good();
}
