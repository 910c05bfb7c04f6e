// SPDX-License-Identifier: Apache-2.0
// What device modules do with a chain.
#include "rig.hpp"

#include <algorithm>
#include <array>

namespace {

using ChainTest = RingTest;

std::vector<uint8_t> pattern(size_t len, uint8_t seed)
{
    std::vector<uint8_t> data(len);
    std::iota(data.begin(), data.end(), seed);
    return data;
}

TEST_F(ChainTest, HeaderOverDescriptorsOfOneByte)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 64, 0});
        Buffer buffer;
        const auto request = pattern(20, 1);

        for (uint32_t i = 0; i < 20; i++) {
            buffer.out.push_back({rig.data + uint64_t{3} * i, 1});
            rig.guest.write(rig.data + uint64_t{3} * i, std::span(request).subspan(i, 1));
        }
        for (uint32_t i = 0; i < 20; i++) {
            buffer.in.push_back({rig.data + 0x1000 + uint64_t{3} * i, 1});
        }
        rig.driver->add(buffer);

        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        EXPECT_EQ(chain->out, 20);
        EXPECT_EQ(chain->in, 20);
        std::vector<uint8_t> seen(20);
        ASSERT_EQ(devhost_chain_read(chain, seen.data(), 16), 0);
        ASSERT_EQ(devhost_chain_read(chain, seen.data() + 16, 4), 0);
        EXPECT_EQ(seen, request);
        ASSERT_EQ(devhost_chain_write(chain, request.data(), 7), 0);
        ASSERT_EQ(devhost_chain_write(chain, request.data() + 7, 13), 0);
        for (uint32_t i = 0; i < 20; i++) {
            EXPECT_EQ(*rig.guest.host(rig.data + 0x1000 + uint64_t{3} * i), request[i]);
        }
        // More than fits without an allocation, which is gone afterwards.
        EXPECT_GT(rig.device->ring().spans, 0U);
        rig.device->push(chain, chain->written);
        EXPECT_EQ(rig.device->ring().spans, 0U);
        EXPECT_EQ(rig.driver->get()->len, 20U);
        rig.expect_good();
    }
}

TEST_F(ChainTest, ExactlyOrNothing)
{
    Rig rig({});
    const auto request = pattern(12, 40);
    std::array<uint8_t, 64> bytes{};

    rig.guest.write(rig.data, request);
    rig.driver->add(
        {{{rig.data, 5}, {rig.data + 5, 7}}, {{rig.data + 64, 3}, {rig.data + 99, 2}}, 0});
    devhost_chain *chain = rig.device->pop();
    EXPECT_EQ(devhost_chain_read(chain, bytes.data(), 13), -EMSGSIZE);
    EXPECT_EQ(devhost_chain_read(chain, bytes.data(), SIZE_MAX), -EMSGSIZE);
    EXPECT_EQ(devhost_chain_readable(chain), 12U);
    ASSERT_EQ(devhost_chain_read(chain, bytes.data(), 4), 0);
    EXPECT_EQ(devhost_chain_read(chain, bytes.data() + 4, 9), -EMSGSIZE);
    EXPECT_EQ(devhost_chain_readable(chain), 8U);
    ASSERT_EQ(devhost_chain_read(chain, bytes.data() + 4, 8), 0);
    EXPECT_EQ(std::memcmp(bytes.data(), request.data(), 12), 0);
    EXPECT_EQ(devhost_chain_read(chain, bytes.data(), 0), 0);
    EXPECT_EQ(devhost_chain_read(chain, bytes.data(), 1), -EMSGSIZE);

    EXPECT_EQ(devhost_chain_write(chain, bytes.data(), 6), -EMSGSIZE);
    EXPECT_EQ(devhost_chain_write(chain, bytes.data(), SIZE_MAX), -EMSGSIZE);
    EXPECT_EQ(chain->written, 0U);
    ASSERT_EQ(devhost_chain_write(chain, request.data(), 5), 0);
    EXPECT_EQ(devhost_chain_writable(chain), 0U);
    EXPECT_EQ(rig.guest.read(rig.data + 64, 3), pattern(3, 40));
    EXPECT_EQ(rig.guest.read(rig.data + 99, 2), pattern(2, 43));
    EXPECT_EQ(devhost_chain_write(chain, bytes.data(), 1), -EMSGSIZE);
    EXPECT_EQ(devhost_chain_write(chain, bytes.data(), 0), 0);
    rig.device->push(chain, chain->written);
}

TEST_F(ChainTest, OnlyOnePart)
{
    // As many spans as fit inline, all of one kind: the cursor of the other
    // part lies behind the last.
    for (const bool write : {false, true}) {
        Rig rig({});
        Buffer buffer;
        uint8_t byte = 0;
        size_t len = 1;

        for (uint32_t i = 0; i < DEVHOST_CHAIN_INLINE; i++) {
            (write ? buffer.in : buffer.out).push_back({rig.data + i, 1});
        }
        rig.driver->add(buffer);
        devhost_chain *chain = rig.device->pop();
        EXPECT_EQ(chain->span, chain->inline_span);
        EXPECT_EQ(devhost_chain_read(chain, &byte, 1), write ? -EMSGSIZE : 0);
        EXPECT_EQ(devhost_chain_write(chain, &byte, 1), write ? 0 : -EMSGSIZE);
        EXPECT_EQ(devhost_chain_read(chain, &byte, 0), 0);
        EXPECT_EQ(devhost_chain_write(chain, &byte, 0), 0);
        EXPECT_EQ(devhost_chain_span(chain, !write, 1, &len), nullptr);
        EXPECT_EQ(len, 0U);
        rig.device->push(chain, 0);
    }
}

TEST_F(ChainTest, EachLengthIsCopiedWhole)
{
    Rig rig({});
    const uint64_t in = rig.data + 0x1000;

    for (size_t len = 1; len < 300; len++) {
        const auto request = pattern(len + 2, static_cast<uint8_t>(len));
        std::vector<uint8_t> seen(len + 2, 0);

        rig.guest.write(rig.data + 1, request);
        rig.guest.write(in, std::vector<uint8_t>(len + 2, 0));
        rig.driver->add({{{rig.data + 1, static_cast<uint32_t>(len + 2)}},
                         {{in, static_cast<uint32_t>(len + 2)}},
                         0});
        devhost_chain *chain = rig.device->pop();
        ASSERT_EQ(devhost_chain_read(chain, seen.data(), 1), 0);
        ASSERT_EQ(devhost_chain_read(chain, seen.data() + 1, len), 0);
        EXPECT_EQ(seen.back(), 0);
        seen.back() = request.back();
        EXPECT_EQ(seen, request);
        ASSERT_EQ(devhost_chain_write(chain, request.data(), 1), 0);
        ASSERT_EQ(devhost_chain_write(chain, request.data() + 1, len), 0);
        auto expected = request;
        expected.back() = 0;
        EXPECT_EQ(rig.guest.read(in, len + 2), expected);
        rig.device->push(chain, chain->written);
        rig.driver->get();
    }
}

TEST_F(ChainTest, SpansInPlace)
{
    Rig rig({});
    const uint64_t at = rig.guest.add(100);
    rig.guest.append(100);
    rig.guest.write(at + 90, pattern(20, 7));
    rig.driver->add({{{at + 90, 20}, {at, 4}}, {{at + 50, 100}}, 0});

    devhost_chain *chain = rig.device->pop();
    EXPECT_EQ(chain->out, 3);
    EXPECT_EQ(chain->in, 2);
    size_t len = 0;
    EXPECT_EQ(devhost_chain_span(chain, false, 6, &len), rig.guest.host(at + 90));
    EXPECT_EQ(len, 6U);
    EXPECT_EQ(devhost_chain_span(chain, false, 100, &len), rig.guest.host(at + 96));
    EXPECT_EQ(len, 4U);
    EXPECT_EQ(devhost_chain_span(chain, false, SIZE_MAX, &len), rig.guest.host(at + 100));
    EXPECT_EQ(len, 10U);
    EXPECT_EQ(devhost_chain_readable(chain), 4U);
    EXPECT_EQ(devhost_chain_span(chain, false, 0, &len), nullptr);
    EXPECT_EQ(devhost_chain_span(chain, false, 4, &len), rig.guest.host(at));
    EXPECT_EQ(len, 4U);
    EXPECT_EQ(devhost_chain_span(chain, false, 4, &len), nullptr);
    EXPECT_EQ(len, 0U);

    EXPECT_EQ(devhost_chain_span(chain, true, 1000, &len), rig.guest.host(at + 50));
    EXPECT_EQ(len, 50U);
    EXPECT_EQ(chain->written, 50U);
    EXPECT_EQ(devhost_chain_span(chain, true, 1000, &len), rig.guest.host(at + 100));
    EXPECT_EQ(len, 50U);
    EXPECT_EQ(devhost_chain_span(chain, true, 1, &len), nullptr);
    EXPECT_EQ(chain->written, 100U);
    rig.device->push(chain, chain->written);
}

TEST_F(ChainTest, TableAcrossSeams)
{
    // One region for each byte of a table: every descriptor is in pieces.
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, true, 8, 0});
        const uint64_t table = rig.guest.add(1);
        for (int i = 1; i < 3 * 16; i++) {
            rig.guest.append(1);
        }
        const uint64_t at = rig.guest.add(64);
        rig.guest.write(at, pattern(8, 3));
        rig.driver->add({{{at, 4}, {at + 4, 4}}, {{at + 8, 8}}, table});
        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        std::vector<uint8_t> seen(8);
        ASSERT_EQ(devhost_chain_read(chain, seen.data(), 8), 0);
        EXPECT_EQ(seen, pattern(8, 3));
        EXPECT_EQ(devhost_chain_writable(chain), 8U);
        rig.device->push(chain, 0);
    }
}

TEST_F(ChainTest, SplitMixesDirectAndIndirect)
{
    Rig rig({false, false, true, 8, 0});
    const uint64_t table = rig.data + 0x100;

    rig.guest.write(rig.data, pattern(8, 1));
    rig.driver->put(table, 0, {rig.data + 4, 4, desc_next, 2});
    rig.driver->put(table, 2, {rig.data + 64, 4, desc_write, 0});
    rig.driver->put(rig.driver->desc_iova, 3, {rig.data, 4, desc_next, 5});
    // WRITE means nothing where a table is.
    rig.driver->put(rig.driver->desc_iova, 5, {table, 48, desc_indirect | desc_write, 0});
    rig.split().push_head(3);
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(chain->id, 3);
    std::vector<uint8_t> seen(8);
    ASSERT_EQ(devhost_chain_read(chain, seen.data(), 8), 0);
    EXPECT_EQ(seen, pattern(8, 1));
    EXPECT_EQ(devhost_chain_writable(chain), 4U);
    rig.device->push(chain, 0);
}

TEST_F(ChainTest, Remap)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 32, 0});
        const uint64_t at = rig.guest.add(16);
        rig.guest.append(16);
        rig.guest.write(at, pattern(32, 9));
        rig.driver->add({{{at, 32}}, {{rig.data, 8}}, 0});
        devhost_chain *chain = rig.device->pop();
        std::vector<uint8_t> seen(32);
        ASSERT_EQ(devhost_chain_read(chain, seen.data(), 10), 0);

        // The old place is freed: a stale address would be a use after free.
        rig.guest.remap();
        rig.device->map();
        ASSERT_EQ(devhost_chain_read(chain, seen.data() + 10, 5), 0);
        // Once for each change, not for each use.
        const uint64_t spans = rig.guest.map()->spans;
        ASSERT_EQ(devhost_chain_read(chain, seen.data() + 15, 5), 0);
        EXPECT_EQ(rig.guest.map()->spans, spans);
        rig.guest.remap();
        rig.device->map();
        size_t len = 0;
        const auto *base =
            static_cast<const uint8_t *>(devhost_chain_span(chain, false, 100, &len));
        ASSERT_EQ(len, 12U);
        std::copy_n(base, len, seen.begin() + 20);
        EXPECT_EQ(seen, pattern(32, 9));
        rig.guest.remap();
        rig.device->map();
        ASSERT_EQ(devhost_chain_write(chain, seen.data(), 8), 0);
        EXPECT_EQ(rig.guest.read(rig.data, 8), pattern(8, 9));
        rig.device->push(chain, chain->written);
        EXPECT_EQ(rig.driver->get()->len, 8U);
        rig.expect_good();
    }
}

TEST_F(ChainTest, MemoryTakenAway)
{
    // D16: the chain fails as a whole, for ever, and is returned nevertheless.
    for (const Perm perm : {Perm::none, Perm::read}) {
        Rig rig({});
        const uint64_t at = rig.guest.add(64);
        std::array<uint8_t, 8> bytes{};
        size_t len = 0;

        rig.driver->add({{{rig.data, 8}}, {{at, 8}}, 0});
        devhost_chain *chain = rig.device->pop();
        ASSERT_EQ(devhost_chain_read(chain, bytes.data(), 4), 0);
        rig.guest.remap();
        rig.guest.set_perm(at, perm);
        rig.device->map();
        EXPECT_EQ(devhost_chain_read(chain, bytes.data(), 4), -EFAULT);
        EXPECT_EQ(devhost_chain_readable(chain), 4U);
        EXPECT_EQ(devhost_chain_write(chain, bytes.data(), 4), -EFAULT);
        EXPECT_EQ(chain->written, 0U);
        EXPECT_EQ(devhost_chain_span(chain, false, 4, &len), nullptr);
        EXPECT_EQ(devhost_chain_span(chain, true, 4, &len), nullptr);
        rig.device->push(chain, 0);
        EXPECT_EQ(rig.driver->get()->len, 0U);
        rig.expect_good();
    }
}

TEST_F(ChainTest, NewSeamAfterRemap)
{
    Rig rig({});
    uint8_t byte = 0;
    const uint64_t at = 0x40000000;
    rig.guest.place(at, 64);
    rig.driver->add({{{at, 64}}, {}, 0});
    devhost_chain *chain = rig.device->pop();
    ASSERT_EQ(devhost_chain_read(chain, &byte, 1), 0);
    // The same memory, in two pieces now: no span may reach over the seam.
    rig.guest.map()->regions.pop_back();
    rig.guest.place(at, 32);
    rig.guest.append(32);
    rig.guest.map()->generation++;
    EXPECT_EQ(devhost_chain_read(chain, &byte, 1), -EFAULT);
    rig.device->push(chain, 0);
}

TEST_F(ChainTest, SkippedBytesLieBetween)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 64, 0});
        const auto request = pattern(40, 1);
        std::array<uint8_t, 40> seen{};

        rig.guest.write(rig.data, request);
        rig.guest.write(rig.data + 0x1000, std::vector<uint8_t>(40, 0xee));
        rig.driver->add({{{rig.data, 3}, {rig.data + 3, 1}, {rig.data + 4, 36}},
                         {{rig.data + 0x1000, 5}, {rig.data + 0x1005, 2}, {rig.data + 0x1007, 33}},
                         0});
        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        // Up to a seam, over one, over two, and not at all.
        ASSERT_EQ(devhost_chain_skip(chain, false, 2), 0);
        ASSERT_EQ(devhost_chain_read(chain, seen.data(), 1), 0);
        EXPECT_EQ(seen[0], request[2]);
        ASSERT_EQ(devhost_chain_skip(chain, false, 6), 0);
        ASSERT_EQ(devhost_chain_skip(chain, false, 0), 0);
        EXPECT_EQ(devhost_chain_readable(chain), 31U);
        EXPECT_EQ(devhost_chain_skip(chain, false, 32), -EMSGSIZE);
        EXPECT_EQ(devhost_chain_skip(chain, false, SIZE_MAX), -EMSGSIZE);
        EXPECT_EQ(devhost_chain_readable(chain), 31U);
        ASSERT_EQ(devhost_chain_read(chain, seen.data(), 31), 0);
        EXPECT_EQ(std::memcmp(seen.data(), &request[9], 31), 0);
        EXPECT_EQ(devhost_chain_skip(chain, false, 1), -EMSGSIZE);

        // What is skipped in the answer stays as the driver left it.
        EXPECT_EQ(devhost_chain_skip(chain, true, 41), -EMSGSIZE);
        ASSERT_EQ(devhost_chain_write(chain, request.data(), 4), 0);
        ASSERT_EQ(devhost_chain_skip(chain, true, 30), 0);
        EXPECT_EQ(devhost_chain_writable(chain), 6U);
        ASSERT_EQ(devhost_chain_write(chain, request.data(), 6), 0);
        EXPECT_EQ(devhost_chain_skip(chain, true, 1), -EMSGSIZE);
        EXPECT_EQ(chain->written, 40U);
        EXPECT_EQ(chain->skipped, 30U);
        std::vector<uint8_t> answer(40, 0xee);
        std::copy_n(request.begin(), 4, answer.begin());
        std::copy_n(request.begin(), 6, answer.begin() + 34);
        EXPECT_EQ(rig.guest.read(rig.data + 0x1000, 40), answer);
        rig.device->push(chain, chain->written - chain->skipped);
        EXPECT_EQ(rig.driver->get()->len, 10U);
        // The next one begins with nothing skipped.
        rig.driver->add({{{rig.data, 4}}, {{rig.data + 0x1000, 4}}, 0});
        chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        EXPECT_EQ(chain->skipped, 0U);
        rig.device->push(chain, 0);
        ASSERT_TRUE(rig.driver->get());
        rig.expect_good();
    }
}

TEST_F(ChainTest, ReadFromTheBeginningAgain)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 64, 0});
        const auto request = pattern(30, 7);
        std::array<uint8_t, 30> seen{};
        Buffer buffer;

        // More spans than fit without an allocation.
        rig.guest.write(rig.data, request);
        for (uint32_t i = 0; i < 30; i++) {
            buffer.out.push_back({rig.data + i, 1});
        }
        buffer.in.push_back({rig.data + 0x1000, 8});
        rig.driver->add(buffer);
        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        ASSERT_EQ(devhost_chain_write(chain, request.data(), 3), 0);
        for (const size_t len : {0U, 1U, 2U, 17U, 30U}) {
            seen.fill(0);
            ASSERT_EQ(devhost_chain_read(chain, seen.data(), len), 0);
            devhost_chain_rewind(chain);
            EXPECT_EQ(devhost_chain_readable(chain), 30U);
            ASSERT_EQ(devhost_chain_read(chain, seen.data(), 30), 0);
            EXPECT_EQ(std::memcmp(seen.data(), request.data(), 30), 0);
            EXPECT_EQ(devhost_chain_read(chain, seen.data(), 1), -EMSGSIZE);
            devhost_chain_rewind(chain);
            ASSERT_EQ(devhost_chain_skip(chain, false, 29), 0);
            ASSERT_EQ(devhost_chain_read(chain, seen.data(), 1), 0);
            EXPECT_EQ(seen[0], request[29]);
            devhost_chain_rewind(chain);
        }
        // Of the answer it takes nothing back.
        EXPECT_EQ(chain->written, 3U);
        EXPECT_EQ(devhost_chain_writable(chain), 5U);
        rig.device->push(chain, chain->written);
        EXPECT_EQ(rig.driver->get()->len, 3U);
        rig.expect_good();
    }
}

TEST_F(ChainTest, NothingToReadAgain)
{
    Rig rig({});
    uint8_t byte = 0;

    rig.driver->add({{}, {{rig.data, 8}}, 0});
    devhost_chain *chain = rig.device->pop();
    ASSERT_NE(chain, nullptr);
    devhost_chain_rewind(chain);
    EXPECT_EQ(devhost_chain_readable(chain), 0U);
    EXPECT_EQ(devhost_chain_read(chain, &byte, 1), -EMSGSIZE);
    EXPECT_EQ(devhost_chain_skip(chain, false, 1), -EMSGSIZE);
    EXPECT_EQ(devhost_chain_skip(chain, false, 0), 0);
    rig.device->push(chain, 0);
    ASSERT_TRUE(rig.driver->get());
    rig.expect_good();
}

TEST_F(ChainTest, SkipAndRewindInMemoryThatIsGone)
{
    Rig rig({});
    std::array<uint8_t, 8> bytes{};
    const uint64_t at = rig.guest.add(0x1000);

    rig.driver->add({{{rig.data, 8}}, {{at, 8}}, 0});
    devhost_chain *chain = rig.device->pop();
    ASSERT_EQ(devhost_chain_read(chain, bytes.data(), 8), 0);
    rig.guest.remap();
    rig.guest.set_perm(at, Perm::none);
    rig.device->map();
    EXPECT_EQ(devhost_chain_skip(chain, true, 4), -EFAULT);
    EXPECT_EQ(chain->skipped, 0U);
    EXPECT_EQ(devhost_chain_skip(chain, true, 0), 0);
    devhost_chain_rewind(chain);
    EXPECT_EQ(devhost_chain_read(chain, bytes.data(), 8), -EFAULT);
    EXPECT_EQ(devhost_chain_skip(chain, false, 8), -EFAULT);
    rig.device->push(chain, 0);
    EXPECT_EQ(rig.driver->get()->len, 0U);
    rig.expect_good();
}

TEST_F(ChainTest, OutOfMemory)
{
    for (const bool packed : {false, true}) {
        Rig rig({packed, false, false, 32, 0});
        Buffer buffer;
        for (uint32_t i = 0; i < 20; i++) {
            buffer.out.push_back({rig.data + i, 1});
        }
        for (const int budget : {0, 1}) {
            const auto token = rig.driver->add(buffer);
            shim_alloc_budget = budget;
            rig.expect_returned(*token);
            shim_alloc_budget = -1;
            rig.expect_good();
        }
        rig.driver->add(buffer);
        devhost_chain *chain = rig.device->pop();
        ASSERT_NE(chain, nullptr);
        rig.device->push(chain, 0);
    }
}

} // namespace
