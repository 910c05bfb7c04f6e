// SPDX-License-Identifier: Apache-2.0
// Kinds of devices and their traffic for the races of lifecycle.cpp.
#include <fstream>
#include <map>

#include "can.hpp"
#include "echo.hpp"
#include "host.hpp"
#include "lifecycle.hpp"
#include "scmi.hpp"
#include "snd.hpp"
#include "v4l2.hpp"
#include "video_player.hpp"

namespace dh::life {

namespace {

// Offers both rings: the guest chooses.
constexpr RingKind both = RingKind::packed;

class EchoTraffic final : public Traffic {
public:
    EchoTraffic(const std::string &path, RingKind ring) : g_(path, with_ring(ring)) {}
    Guest &guest() override { return g_; }
    bool runs() const override { return served_ > 8; }
    void forget() override
    {
        flying_.clear();
        sleeping_.clear();
    }
    // Bursts on two queues, and now and then one that a helper thread sleeps over.
    void turn() override
    {
        if (flying_.empty() && sleeping_.empty()) {
            g_.recycle();
            for (uint8_t i = 0; i < 8; i++) {
                send(ECHO_VQ_ECHO, 300, i);
                send(ECHO_VQ_LATE, 100, i);
            }
            if (bursts_++ % 4 == 0) {
                sleep();
            }
        }
        collect(ECHO_VQ_ECHO);
        collect(ECHO_VQ_LATE);
        Used used{};
        while (g_.queue(ECHO_VQ_CONTROL).take(used)) {
            CHECK_EQ(sleeping_.count(used.id), 1U);
            CHECK_EQ(used.length, sizeof(echo_control_in));
            sleeping_.erase(used.id);
        }
        if (!flying_.empty()) {
            g_.queue(ECHO_VQ_ECHO).wait(1);
        }
    }

private:
    void send(uint32_t queue, uint32_t bytes, uint8_t seed)
    {
        const auto request = g_.send(queue, bytes, bytes, seed);
        CHECK(flying_.emplace(std::pair(queue, request.id), request).second);
    }
    void sleep()
    {
        const uint64_t out = g_.alloc(sizeof(echo_control_out));
        const uint64_t in = g_.alloc(sizeof(echo_control_in));
        *g_.as<echo_control_out>(out) = {ECHO_OP_SLEEP, {5, 0, 0}};
        Queue &q = g_.queue(ECHO_VQ_CONTROL);
        const int id =
            q.add({{out, sizeof(echo_control_out), false}, {in, sizeof(echo_control_in), true}});
        CHECK(id >= 0);
        sleeping_[id] = in;
        q.kick_if_wanted();
    }
    void collect(uint32_t queue)
    {
        Used used{};
        while (g_.queue(queue).take(used)) {
            const auto found = flying_.find({queue, used.id});
            CHECK(found != flying_.end());
            g_.verify(found->second, used);
            flying_.erase(found);
            served_++;
        }
    }

    EchoGuest g_;
    std::map<std::pair<uint32_t, int>, EchoGuest::Request> flying_;
    std::map<int, uint64_t> sleeping_;
    unsigned bursts_ = 0;
    unsigned served_ = 0;
};

class Echo final : public Kind {
public:
    std::string module() const override { return "vhost_echo"; }
    std::string policy() const override { return "[policy.can.transmit]\ndefault = \"allow\"\n"; }
    DeviceParams params() override { return echo_params(both); }
    std::unique_ptr<Traffic> traffic(const std::string &path, RingKind ring) override
    {
        return std::make_unique<EchoTraffic>(path, ring);
    }
    void good(const std::string &path, RingKind ring) override
    {
        EchoGuest g(path, with_ring(ring));
        g.start();
        g.good();
    }
    bool has_backend() const override { return false; }
};

class CanTraffic final : public Traffic {
public:
    CanTraffic(const std::string &path, RingKind ring) : g_(path, with_ring(ring)) {}
    Guest &guest() override { return g_; }
    bool runs() const override { return sent_ > 8; }
    void begin() override
    {
        g_.post_rx(32);
        g_.control(can::msg_start);
    }
    void forget() override
    {
        g_.forget();
        flying_ = 0;
    }
    void turn() override
    {
        while (flying_ < 24 &&
               g_.queue_tx({0x200 + sent_ % 8, 0, {static_cast<uint8_t>(sent_), 2, 3, 4}}) >= 0) {
            flying_++;
        }
        while (g_.queue(can::txq).ready()) {
            const auto done = g_.collect(0);
            CHECK_EQ(done.length, 1U);
            flying_--;
            sent_++;
        }
        while (g_.receive(0)) {
        }
        g_.queue(can::txq).wait(1);
    }

private:
    can::CanGuest g_;
    unsigned flying_ = 0;
    unsigned sent_ = 0;
};

// On simulated controllers: frames are under way for as long as their bits are.
class Can final : public Kind {
public:
    Can() : host_("csim1") {}
    std::string module() const override { return "vhost_can"; }
    std::string policy() const override
    {
        return "[policy.can.transmit]\ndefault = \"allow\"\n"
               "[policy.can.receive]\ndefault = \"allow\"\n";
    }
    DeviceParams params() override { return can::params("csim0", both); }
    std::unique_ptr<Traffic> traffic(const std::string &path, RingKind ring) override
    {
        return std::make_unique<CanTraffic>(path, ring);
    }
    void good(const std::string &path, RingKind ring) override
    {
        while (host_.receive(0)) {
        }
        can::CanGuest g(path, with_ring(ring));
        g.bring_up();
        g.good(host_);
    }
    void host_turn() override
    {
        for (uint8_t i = 0; i < 4; i++) {
            host_.try_send({0x400, 0, {i}});
        }
        while (host_.receive(0)) {
        }
        usleep(500);
    }
    void backend_goes() override { can::SimBus::set("csim0/plugged", "0"); }
    void backend_comes() override
    {
        can::SimBus::set("csim0/plugged", "1");
        can::SimBus::configure("csim0", "");
    }
    bool finds_again() const override { return true; }

private:
    can::SimBus bus_;
    can::Socket host_;
};

// Something is always about to happen.
snd::Params short_periods()
{
    return snd::params(10, 8, VIRTIO_SND_PCM_RATE_8000);
}

class SndTraffic final : public Traffic {
public:
    SndTraffic(const std::string &path, RingKind ring) : g_(path, snd::with_ring(ring)) {}
    Guest &guest() override { return g_; }
    bool runs() const override { return played_ > 2 && recorded_ > 2; }
    void begin() override
    {
        for (const uint32_t stream : {0U, 1U}) {
            prepare(stream);
        }
    }
    void forget() override { g_.forget(); }
    void turn() override
    {
        for (auto done = g_.tx_done(1); done; done = g_.tx_done(0)) {
            again(0, *done, played_);
        }
        for (auto done = g_.rx_done(0); done; done = g_.rx_done(0)) {
            again(1, *done, recorded_);
        }
        // Commands are what sleeps: their helper threads are part of it.
        if (++turns_ % 16 == 0) {
            g_.stop(0);
            g_.release(0);
            while (g_.tx_pending() && g_.tx_done(100)) {
            }
            prepare(0);
        }
    }

private:
    void prepare(uint32_t stream)
    {
        const snd::Params p = short_periods();
        g_.set_params(stream, p);
        g_.prepare(stream);
        for (unsigned i = 0; i < p.buffer_bytes / p.period_bytes; i++) {
            queue(stream);
        }
        g_.start_stream(stream);
    }
    void queue(uint32_t stream)
    {
        const snd::Params p = short_periods();
        if (stream == 0) {
            g_.queue_tx(stream, snd::pattern(p, 0, p.period_bytes / p.frame_bytes()));
        } else {
            g_.queue_rx(stream, p.period_bytes);
        }
    }
    void again(uint32_t stream, const snd::Done &done, unsigned &count)
    {
        count++;
        if (done.status != snd::ok) {
            usleep(1000); // no card: it answers as fast as it is asked
        }
        queue(stream);
    }

    snd::SndGuest g_;
    unsigned played_ = 0;
    unsigned recorded_ = 0;
    unsigned turns_ = 0;
};

class Snd final : public Kind {
public:
    std::string module() const override { return "vhost_snd"; }
    std::string policy() const override
    {
        return "[policy.snd.playback]\ndefault = \"allow\"\n"
               "[policy.snd.capture]\ndefault = \"allow\"\n";
    }
    DeviceParams params() override
    {
        const int card = snd::card("Loopback");
        play_ = snd::open_pcm(card, 0, false);
        record_ = snd::open_pcm(card, 0, true);
        return snd::device({{{play_.get()}, {record_.get()}}, {}, {}}, both);
    }
    void created() override
    {
        play_.reset();
        record_.reset();
    }
    std::unique_ptr<Traffic> traffic(const std::string &path, RingKind ring) override
    {
        return std::make_unique<SndTraffic>(path, ring);
    }
    void good(const std::string &path, RingKind ring) override
    {
        snd::SndGuest g(path, snd::with_ring(ring));
        g.start();
        const snd::Params p = short_periods();
        CHECK_EQ(g.set_params(0, p), snd::ok);
        CHECK_EQ(g.prepare(0), snd::ok);
        for (int i = 0; i < 4; i++) {
            g.queue_tx(0, snd::pattern(p, 0, p.period_bytes / p.frame_bytes()));
        }
        CHECK_EQ(g.start_stream(0), snd::ok);
        while (g.tx_pending()) {
            const auto done = g.tx_done();
            CHECK(done.has_value());
            CHECK_EQ(done->status, snd::ok);
        }
        CHECK_EQ(g.stop(0), snd::ok);
        CHECK_EQ(g.release(0), snd::ok);
    }
    void backend_goes() override { plug_.out(); }
    void backend_comes() override { plug_.in(); }

private:
    snd::Plug plug_{"snd_aloop"};
    Fd play_, record_;
};

class ScmiTraffic final : public Traffic {
public:
    ScmiTraffic(const std::string &path, RingKind ring) : g_(path, with_ring(ring)) {}
    Guest &guest() override { return g_; }
    bool runs() const override { return answered_ > 8; }
    void begin() override { g_.post_events(16); }
    void forget() override
    {
        g_.forget();
        flying_ = 0;
    }
    void turn() override
    {
        for (; flying_ < 8; flying_++) {
            ask(asked_++);
        }
        while (g_.queue(scmi::cmdq).ready()) {
            const auto answer = g_.collect(0);
            CHECK(answer.length >= 8);
            flying_--;
            answered_++;
        }
        while (g_.event(0)) {
        }
        g_.queue(scmi::cmdq).wait(1);
    }

private:
    // What is quick and what helper threads do; votes that have to go with the guest.
    void ask(unsigned n)
    {
        using namespace scmi;
        const uint32_t rate = 10'000'000 + n % 50 * 1'000'000;
        switch (n % 8) {
        case 0:
            g_.queue_call(clk, 0x7, {0, n / 8 % 2, 0}); // CLOCK_CONFIG_SET
            break;
        case 1:
        case 5:
            g_.queue_call(clk, 0x5, {0, 1, rate, 0}); // CLOCK_RATE_SET
            break;
        case 2:
            g_.queue_call(clk, 0x6, {1}); // CLOCK_RATE_GET
            break;
        case 3:
            g_.queue_call(power, 0x4, {0, 0, n / 8 % 2 ? power_off : 0}); // POWER_STATE_SET
            break;
        case 4:
            g_.queue_call(sensor, 0x6, {0, 0}); // SENSOR_READING_GET
            break;
        case 6:
            g_.queue_call(reset, 0x4, {0, 1, 0}); // RESET
            break;
        default:
            g_.queue_call(voltage, 0x7, {0, 0, 900'000 + n % 3 * 50'000}); // VOLTAGE_LEVEL_SET
            break;
        }
    }

    scmi::ScmiGuest g_;
    unsigned flying_ = 0;
    unsigned asked_ = 0;
    unsigned answered_ = 0;
};

class Scmi final : public Kind {
public:
    Scmi()
    {
        scmi::calm();
        scmi::set_knob("clk1/delay_ms", 1);
        scmi::set_knob("pd0/delay_ms", 2);
    }
    ~Scmi() override
    {
        try {
            scmi::calm();
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }
    std::string module() const override { return "vhost_scmi"; }
    std::string policy() const override { return "[policy.scmi]\ndefault = \"allow\"\n"; }
    DeviceParams params() override { return scmi::params(scmi::everything(), both); }
    std::unique_ptr<Traffic> traffic(const std::string &path, RingKind ring) override
    {
        return std::make_unique<ScmiTraffic>(path, ring);
    }
    // Nothing is left of the votes of those before.
    void good(const std::string &path, RingKind ring) override
    {
        scmi::expect_knob("clk0/enabled", 0);
        scmi::expect_knob("pd0/on", 0);
        scmi::ScmiGuest g(path, with_ring(ring));
        g.bring_up();
        g.good();
    }
    // clk_unregister() frees a clk that stays on its clock's list of consumers (drivers/clk/clk.c
    // of 6.12): whoever has the clock then, asks for a rate and reads it, whatever kind of consumer
    // it is.
    bool has_backend() const override { return false; }
};

constexpr uint32_t width = 320;
constexpr uint32_t height = 240;

GuestSetup video_setup(RingKind ring)
{
    GuestSetup setup = with_ring(ring);
    setup.ram = 16 << 20;
    return setup;
}

class VideoTraffic final : public Traffic {
public:
    VideoTraffic(const std::string &path, RingKind ring, const std::vector<video::Bytes> &bits)
        : g_(path, video_setup(ring)), bits_(bits)
    {
    }
    Guest &guest() override { return g_; }
    bool runs() const override { return frames_ > 2; }
    bool strict() const override { return false; }
    void start() override
    {
        g_.bring_up();
        play();
    }
    void begin() override
    {
        g_.begin_again();
        play();
    }
    void turn() override
    {
        player_->turn();
        frames_ += player_->take().size();
        player_->feed(bits_[player_->fed() % bits_.size()]);
        usleep(500);
    }

private:
    void play()
    {
        player_.emplace(g_, false);
        player_->begin(width, height);
    }

    video::VideoGuest g_;
    const std::vector<video::Bytes> &bits_;
    std::optional<video::Player> player_;
    size_t frames_ = 0;
};

class Video final : public Kind {
public:
    Video()
        : bits_(v4l2::encode(video::vicodec(true), video::frames(width, height, 4), width, height))
    {
    }
    std::string module() const override { return "vhost_video"; }
    std::string policy() const override { return "[policy.video.decode]\ndefault = \"allow\"\n"; }
    DeviceParams params() override
    {
        node_ = video::open_node(video::vicodec(false));
        return video::params(false, both, node_);
    }
    void created() override { node_.reset(); }
    std::unique_ptr<Traffic> traffic(const std::string &path, RingKind ring) override
    {
        return std::make_unique<VideoTraffic>(path, ring, bits_);
    }
    void good(const std::string &path, RingKind ring) override
    {
        video::VideoGuest g(path, video_setup(ring));
        g.bring_up();
        video::Player player(g, false);
        player.begin(width, height);
        player.play(bits_);
        CHECK_EQ(player.take().size(), bits_.size());
        player.end();
    }
    void backend_goes() override { driver("unbind"); }
    void backend_comes() override { driver("bind"); }

private:
    static void driver(const char *what)
    {
        std::ofstream out(std::string("/sys/bus/platform/drivers/vicodec/") + what);
        out << "vicodec.0" << std::flush;
        CHECK(out.good());
    }

    const std::vector<video::Bytes> bits_;
    Fd node_;
};

} // namespace

std::unique_ptr<Kind> echo_kind()
{
    return std::make_unique<Echo>();
}

std::unique_ptr<Kind> can_kind()
{
    return std::make_unique<Can>();
}

std::unique_ptr<Kind> snd_kind()
{
    return std::make_unique<Snd>();
}

std::unique_ptr<Kind> scmi_kind()
{
    return std::make_unique<Scmi>();
}

std::unique_ptr<Kind> video_kind()
{
    return std::make_unique<Video>();
}

} // namespace dh::life
