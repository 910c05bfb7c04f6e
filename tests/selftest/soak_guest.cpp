// SPDX-License-Identifier: Apache-2.0
// One guest of the soak: a thread for each of its four devices, each at its own pace.
#include "soak.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "can.hpp"
#include "scmi.hpp"
#include "snd.hpp"
#include "video_player.hpp"

namespace dh::soak {

namespace {

uint64_t entries(const char *directory)
{
    uint64_t count = 0;
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(directory)) {
        count++;
    }
    return count;
}

std::vector<uint8_t> number_bytes(uint64_t number)
{
    std::vector<uint8_t> bytes(sizeof(number));
    memcpy(bytes.data(), &number, sizeof(number));
    return bytes;
}

// Both ways, numbered; no more under way than the other side has room for.
void run_can(const std::string &path, Tally &tally, Shared &shared)
{
    can::CanGuest g(path, {});
    g.bring_up(2 * can_window);
    unsigned flying = 0;
    const auto collect = [&](int timeout_ms) {
        const auto done = g.collect(timeout_ms);
        flying--;
        tally.can_refused += done.length != 1 || done.result != can::result_ok;
    };
    tally.can_guest_listens = true;
    while (!tally.can_host_listens && !shared.stop) {
        usleep(1000);
    }
    tally.ready++;
    uint64_t expected = 0;
    // At the end what the host has sent still comes.
    while (!shared.stop || !tally.can_host_ended || tally.can_received < tally.can_host_sent) {
        while (!shared.stop && flying < 16 && tally.can_sent - tally.can_heard < 256) {
            if (g.queue_tx({can_id, 0, number_bytes(tally.can_sent)}) < 0) {
                break;
            }
            tally.can_sent++;
            flying++;
        }
        while (g.queue(can::txq).ready()) {
            collect(0);
        }
        while (const auto frame = g.receive(0)) {
            tally.can_disorder += frame->data != number_bytes(expected);
            expected++;
            tally.can_received++;
        }
        usleep(5000);
        CHECK(!shared.wrong);
    }
    while (flying) {
        collect(10000);
    }
    CHECK_EQ(g.control(can::msg_stop).value_or(0xff), can::result_ok);
    must(g.vdpa().set_status(0), "reset");
}

// Frames of two words: their number, and its complement. What is recorded is what the guest plays:
// the loopback's other end is its own.
class Sound {
public:
    Sound(const std::string &path, Tally &tally)
        : g_(path, snd::with_ring(RingKind::packed)), t_(tally)
    {
        g_.start();
        for (const uint32_t stream : {capture, playback}) {
            CHECK_EQ(g_.set_params(stream, params_), snd::ok);
            CHECK_EQ(g_.prepare(stream), snd::ok);
            for (unsigned i = 0; i < periods; i++) {
                queue(stream);
            }
        }
        CHECK_EQ(g_.start_stream(capture), snd::ok);
        CHECK_EQ(g_.start_stream(playback), snd::ok);
    }
    void turn()
    {
        for (auto done = g_.tx_done(10); done; done = g_.tx_done(0)) {
            returned(*done);
            queue(playback);
        }
        for (auto done = g_.rx_done(0); done; done = g_.rx_done(0)) {
            returned(*done);
            listen(done->data);
            queue(capture);
        }
    }
    void end()
    {
        for (const uint32_t stream : {playback, capture}) {
            CHECK_EQ(g_.stop(stream), snd::ok);
            CHECK_EQ(g_.release(stream), snd::ok);
        }
        // What was queued comes back, played or not.
        while (g_.tx_pending()) {
            CHECK(g_.tx_done().has_value());
            t_.snd_returned++;
        }
        while (g_.rx_pending()) {
            CHECK(g_.rx_done().has_value());
            t_.snd_returned++;
        }
        must(g_.vdpa().set_status(0), "reset");
    }

private:
    static constexpr uint32_t playback = 0;
    static constexpr uint32_t capture = 1;
    static constexpr unsigned periods = 25;

    void queue(uint32_t stream)
    {
        t_.snd_queued++;
        if (stream == capture) {
            CHECK(g_.queue_rx(stream, params_.period_bytes) >= 0);
            return;
        }
        snd::Bytes data(params_.period_bytes);
        for (size_t at = 0; at < data.size(); at += 8) {
            const std::array<uint32_t, 2> frame{played_, ~played_};
            memcpy(&data[at], frame.data(), 8);
            played_++;
        }
        CHECK(g_.queue_tx(stream, data) >= 0);
    }
    void returned(const snd::Done &done)
    {
        t_.snd_returned++;
        t_.snd_failed += done.status != snd::ok;
    }
    void listen(const snd::Bytes &data)
    {
        for (size_t at = 0; at + 8 <= data.size(); at += 8) {
            std::array<uint32_t, 2> frame{};
            memcpy(frame.data(), &data[at], 8);
            if (frame[0] == 0 && frame[1] == 0) {
                heard_ = 0; // silence: before it begins, or the guest was late
                continue;
            }
            CHECK_EQ(frame[0], ~frame[1]);
            t_.snd_gaps += t_.snd_frames && frame[0] != heard_;
            t_.snd_frames++;
            heard_ = frame[0] + 1;
        }
    }

    const snd::Params params_ =
        snd::params(20, periods, VIRTIO_SND_PCM_RATE_8000, VIRTIO_SND_PCM_FMT_S32);
    snd::SndGuest g_;
    Tally &t_;
    uint32_t played_ = 1;
    uint32_t heard_ = 0;
};

void run_snd(const std::string &path, Tally &tally, Shared &shared)
{
    Sound sound(path, tally);
    tally.ready++;
    while (!shared.stop) {
        sound.turn();
    }
    sound.end();
}

// Clocks, domains, supplies and sensors, shared with the other guests; in the end nothing is
// wanted.
void run_scmi(const std::string &path, Tally &tally, Shared &shared)
{
    using namespace scmi;
    ScmiGuest g(path, {});
    g.bring_up();
    tally.ready++;
    const auto collect = [&](unsigned flying) {
        for (; flying; flying--) {
            tally.scmi_failed += g.collect().status != success;
            tally.scmi_answered++;
        }
    };
    for (uint32_t n = 0; !shared.stop; n++) {
        const std::vector<std::pair<std::pair<uint8_t, uint8_t>, std::vector<uint32_t>>> asked{
            {{clk, 0x7}, {0, n % 2, 0}},                              // CLOCK_CONFIG_SET
            {{clk, 0x5}, {0, 1, 10'000'000 + n % 50 * 1'000'000, 0}}, // CLOCK_RATE_SET
            {{clk, 0x6}, {1}},                                        // CLOCK_RATE_GET
            {{power, 0x4}, {0, 0, n % 2 ? 0 : power_off}},            // POWER_STATE_SET
            {{sensor, 0x6}, {0, 0}},                                  // SENSOR_READING_GET
            {{voltage, 0x7}, {0, 0, 900'000 + n % 3 * 50'000}},       // VOLTAGE_LEVEL_SET
        };
        for (const auto &[what, parameters] : asked) {
            CHECK(g.queue_call(what.first, what.second, parameters) >= 0);
            tally.scmi_asked++;
        }
        collect(static_cast<unsigned>(asked.size()));
        while (g.event(0)) {
        }
        usleep(10000);
    }
    must(g.vdpa().set_status(0), "reset"); // and with it all votes
}

void run_video(const std::string &path, const Film &film, Tally &tally, Shared &shared)
{
    GuestSetup setup;
    setup.ram = 16 << 20;
    video::VideoGuest g(path, setup);
    g.bring_up();
    tally.ready++;
    while (!shared.stop) {
        // A stream of a few seconds, then the next one.
        video::Player player(g, false);
        player.begin(film.width, film.height);
        for (int round = 0; round < 10 && !shared.stop; round++) {
            player.play(film.coded);
            tally.video_in += film.coded.size();
            const auto out = player.take();
            tally.video_out += out.size();
            for (size_t i = 0; i < out.size(); i++) {
                tally.video_wrong += i >= film.frames.size() || out[i].data != film.frames[i];
            }
        }
        player.end();
        g.restart(); // and its memory is free again
        g.begin_again();
    }
    must(g.vdpa().set_status(0), "reset");
}

} // namespace

uint64_t open_files()
{
    return entries("/proc/self/fd");
}

uint64_t threads()
{
    return entries("/proc/self/task");
}

void run_guest(unsigned number, const Nodes &nodes, const Film &film, Shared &shared)
{
    Tally &tally = shared.tally.at(number);
    const auto guarded = [&](const char *what, const std::function<void()> &body) {
        return std::thread([&shared, number, what, body] {
            try {
                body();
            } catch (const std::exception &error) {
                shared.complain("guest " + std::to_string(number) + ", " + what + ": " +
                                error.what());
            }
        });
    };
    std::vector<std::thread> devices;
    devices.push_back(guarded("CAN", [&] { run_can(nodes.can, tally, shared); }));
    devices.push_back(guarded("sound", [&] { run_snd(nodes.snd, tally, shared); }));
    devices.push_back(guarded("SCMI", [&] { run_scmi(nodes.scmi, tally, shared); }));
    if (!nodes.video.empty()) {
        devices.push_back(guarded("video", [&] { run_video(nodes.video, film, tally, shared); }));
    }
    while (tally.ready < devices.size() && !shared.stop) {
        usleep(10000);
    }
    // Several times: a device that is reset has no worker for a moment.
    std::array<uint64_t, 10> files{};
    std::array<uint64_t, 10> tasks{};
    for (size_t n = 0; !shared.stop; n++) {
        files[n % files.size()] = open_files();
        tasks[n % tasks.size()] = threads();
        tally.fds_last = *std::max_element(files.begin(), files.end());
        tally.threads_last = *std::max_element(tasks.begin(), tasks.end());
        if (n < files.size()) {
            tally.fds_first = tally.fds_last.load();
            tally.threads_first = tally.threads_last.load();
        }
        usleep(200000);
    }
    for (std::thread &device : devices) {
        device.join();
    }
}

} // namespace dh::soak
