// SPDX-License-Identifier: Apache-2.0
// A guest with a sound device that requires a policy.
#pragma once

#include "setup.hpp"
#include "snd.hpp"

namespace dh {

// Streams 0 and 1 play and 2 records, on snd-aloop; control elements of snd-dummy.
struct SoundFixture {
    static constexpr uint32_t first = 0;
    static constexpr uint32_t second = 1;
    static constexpr uint32_t microphone = 2;
    // Control elements.
    static constexpr uint32_t volume = 0;
    static constexpr uint32_t mute = 1;
    static constexpr uint32_t plain = 2; // the volume once more, without a role

    explicit SoundFixture(const std::string &name = "listened");
    SoundFixture(const SoundFixture &) = delete;
    SoundFixture &operator=(const SoundFixture &) = delete;
    ~SoundFixture();

    void apply(const std::string &toml) { store().apply(known(device), policy(toml)); }
    devhost::SndCounters counters() { return store().counters(device.guest()).snd.value(); }
    uint64_t verdicts(uint32_t kind) { return device.stats().verdicts[kind]; }
    uint32_t write(uint32_t control, int32_t value);
    // Everything that a stream can do, up to its start.
    uint32_t play(uint32_t stream, const snd::Params &params = snd::small());
    void stop(uint32_t stream);

    snd::HostControls host;
    uint32_t numid; // of the volume on the host
    int32_t lowest = 0;
    int32_t highest = 0;
    std::vector<Fd> files; // until the device has them
    TestDevice device;
    snd::SndGuest guest;

private:
    DeviceParams judged(const std::string &name);
};

} // namespace dh
