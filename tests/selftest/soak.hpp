// SPDX-License-Identifier: Apache-2.0
// Guests that use their devices for a long time: what each of them does (soak_guest.cpp), and what
// both sides of the fork know.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace dh::soak {

constexpr unsigned guests = 4;

// Of one guest. Everything that went one way and what has come of it.
struct Tally {
    std::atomic<uint64_t> can_sent, can_heard;         // by the guest, by the host
    std::atomic<uint64_t> can_host_sent, can_received; // by the host, by the guest
    std::atomic<uint64_t> can_refused, can_disorder;   // answered NOT_OK; not the next one
    std::atomic<uint64_t> snd_queued, snd_returned;    // periods, both ways
    std::atomic<uint64_t> snd_failed;                  // with an error
    std::atomic<uint64_t> snd_frames, snd_gaps;        // of the guest's own sound that it records
    std::atomic<uint64_t> scmi_asked, scmi_answered, scmi_failed;
    std::atomic<uint64_t> video_in, video_out, video_wrong;
    std::atomic<uint64_t> fds_first, fds_last, threads_first, threads_last;
    std::atomic<unsigned> ready; // devices that have traffic
    // The two sides of the bus: nothing is sent before the other one listens, or once it has ended.
    std::atomic<bool> can_guest_listens, can_host_listens, can_host_ended;
};

// Shared by this process and the guests'.
struct Shared {
    std::atomic<bool> stop;
    std::atomic<bool> wrong;
    std::array<char, 512> what_is_wrong;
    std::array<Tally, guests> tally;

    void complain(const std::string &what)
    {
        if (!wrong.exchange(true)) {
            snprintf(what_is_wrong.data(), what_is_wrong.size(), "%s", what.c_str());
        }
        stop = true;
    }
};

// What a guest's video device decodes, and what comes out of it.
struct Film {
    std::vector<std::vector<uint8_t>> coded;
    std::vector<std::vector<uint8_t>> frames;
    uint32_t width;
    uint32_t height;
};

// Nodes of a guest's devices.
struct Nodes {
    std::string can, snd, scmi, video;
};

// A guest's process: until it is told to stop, and all is put away.
void run_guest(unsigned number, const Nodes &nodes, const Film &film, Shared &shared);

// Frames that may be under way towards a guest: fewer than it has buffers.
constexpr uint64_t can_window = 32;
constexpr uint32_t can_id = 0x100;

// Descriptors and threads of this process.
uint64_t open_files();
uint64_t threads();

} // namespace dh::soak
