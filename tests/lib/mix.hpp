// SPDX-License-Identifier: Apache-2.0
// Mixers of the host's sound cards, by netlink and by their control elements.
#pragma once

#include <linux/devhost_mix.h>

#include <atomic>
#include <thread>

#include "snd.hpp"

namespace dh::snd {

struct MixSetup {
    std::string name = "testmix";
    int playback = -1; // descriptors
    int capture = -1;
    uint32_t rate = 8000;
    uint32_t channels = 4;
    std::optional<uint32_t> format = 10; // S32_LE
    uint32_t period_us = 20000;
    uint32_t periods = 16;
    std::vector<std::string> ports = {"Music", "Chime", "Phone"};
};

NetlinkReply try_mix_new(const MixSetup &setup);
NetlinkReply try_mix_del(const std::string &name);
std::vector<std::string> mixers();

// Removed at the end of the scope, if it is still there.
class Mixer {
public:
    explicit Mixer(const MixSetup &setup);
    Mixer(const Mixer &) = delete;
    Mixer &operator=(const Mixer &) = delete;
    ~Mixer();

    int card() const { return card_; }
    uint32_t period() const { return period_; } // frames
    // A control element: "Music Playback Volume".
    void set(const std::string &element, long value);
    // Times that the host's PCM had to wait for the mixer.
    uint64_t late();

private:
    std::string name_;
    int card_ = -1;
    uint32_t period_ = 0;
};

// What 0.5 dB steps below 0 dB are, with 24 bits behind the point.
uint32_t mix_gain(unsigned volume);
// The sum of samples and gains as the mixer rounds it.
int32_t mix_result(int64_t sum);

// Reads a PCM of the host all the time.
class Recorder {
public:
    Recorder(int card, unsigned device, const Params &params);
    ~Recorder() { stop(); }
    // All of it, as samples of 32 bits.
    std::vector<int32_t> samples();
    uint64_t frames() const { return bytes_ / frame_bytes_; }
    void stop();
    // Has no file of the card any more.
    void close();

private:
    std::optional<HostPcm> pcm_;
    uint32_t frame_bytes_;
    Bytes data_;
    std::atomic<uint64_t> bytes_ = 0;
    std::atomic<bool> stop_ = false;
    std::string error_;
    std::thread thread_;
};

} // namespace dh::snd
