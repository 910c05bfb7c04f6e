// SPDX-License-Identifier: Apache-2.0
// Memory that is not there: each allocation of what a daemon, a VMM and a guest make the kernel do
// fails once. The answer is an error or success, nothing is left behind, and what comes next works.

#include <cerrno>
#include <system_error>

#include "can.hpp"
#include "echo.hpp"
#include "faults.hpp"
#include "host.hpp"
#include "scmi.hpp"
#include "snd.hpp"
#include "video.hpp"

using namespace dh;

namespace {

// A command whose answer may be what there is no memory for.
class Command {
public:
    bool accepted(const std::function<NetlinkReply()> &command)
    {
        lost_ = false;
        try {
            return command().error == 0;
        } catch (const std::system_error &error) {
            lost_ = true;
            return false;
        }
    }
    // What undoing it must say: 0 where it was done, -ENOENT where not.
    void undone(int error, bool done) const
    {
        if (!lost_ || (error && error != -ENOENT)) {
            CHECK_EQ(error, done ? 0 : -ENOENT);
        }
    }

private:
    bool lost_ = false;
};

// A guest for devices that come and go.
struct OneGuest {
    OneGuest() { control.guest_new("faults"); }
    ~OneGuest() { control.try_guest_del("faults"); }
    Control control;
};

void device_comes_and_goes(DeviceParams params)
{
    OneGuest t;
    Command command;
    params.guest = "faults";
    params.name = "d";
    faults::each([&] { return command.accepted([&] { return t.control.try_device_new(params); }); },
                 [&](bool done) {
                     command.undone(t.control.device_del_patiently("faults", "d").error, done);
                 });
    t.control.device_new(params);
    CHECK_EQ(t.control.device_del_patiently("faults", "d").error, 0);
}

bool went_well(const std::function<void()> &steps)
{
    try {
        steps();
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

// A guest's driver, from open to DRIVER_OK. What vhost-vdpa itself does when it pins memory is left
// out: where it has no memory for an entry it leaves pages pinned (docs/security.md).
void guest_starts(const std::string &path, GuestSetup setup)
{
    std::optional<Guest> guest;
    const auto end = [&](bool) { guest.reset(); };

    faults::each(
        [&] {
            return went_well([&] {
                guest.emplace(path, setup);
                guest->set_owner();
                guest->negotiate();
            });
        },
        end);
    faults::each(
        [&] {
            return went_well([&] {
                guest->set_up_queues();
                guest->driver_ok();
            });
        },
        end,
        [&] {
            guest.emplace(path, setup);
            guest->set_owner();
            guest->negotiate();
            guest->map_memory();
            guest->make_queues();
        });
}

// The core takes over the memory that is mapped, again and again.
void memory_is_taken_over(Guest &guest)
{
    faults::each([&] { return guest.vdpa().batch_begin() == 0 && guest.vdpa().batch_end() == 0; },
                 [](bool) {});
}

// What a device's own threads allocate for requests. A device of its own for each attempt: a driver
// that was refused something half-way does not go on.
template <typename Fixture>
void requests(const std::function<std::unique_ptr<Fixture>()> &make,
              const std::function<void(Fixture &)> &ask)
{
    const faults::Switch on;
    unsigned nth = 1;
    for (bool failed = true; failed; nth = faults::next(nth)) {
        const std::unique_ptr<Fixture> t = make();
        std::vector<pid_t> tasks = faults::threads("dj-");
        tasks.push_back(static_cast<pid_t>(t->device.info().worker));
        faults::Victims victims(tasks);
        failed = faults::one(
            victims, nth,
            [&] {
                ask(*t);
                return true;
            },
            [](bool) {});
    }
    tap::note("about " + std::to_string(nth) + " allocations");
}

} // namespace

TEST("faults: a guest comes and goes")
{
    Control control;
    Command command;
    faults::each([&] { return command.accepted([&] { return control.try_guest_new("faults"); }); },
                 [&](bool done) { command.undone(control.try_guest_del("faults").error, done); });
}

TEST("faults: what there is is listed")
{
    TestDevice device(echo_params(RingKind::split));
    Control &c = device.control();
    faults::each(
        [&] {
            try {
                c.device(device.guest(), device.name());
                c.stats(device.guest(), device.name());
                return c.guests().size() == 1 && c.devices().size() == 1;
            } catch (const std::exception &) {
                return false;
            }
        },
        [](bool) {});
}

TEST("faults: a device goes")
{
    OneGuest t;
    DeviceParams params = echo_params(RingKind::split);
    params.guest = "faults";
    params.name = "d";
    Command command;
    t.control.device_new(params);
    faults::each(
        [&] {
            return command.accepted([&] { return t.control.device_del_patiently("faults", "d"); });
        },
        [&](bool) {
            const int left = t.control.device_del_patiently("faults", "d").error;
            CHECK(left == 0 || left == -ENOENT);
            t.control.device_new(params);
        });
    CHECK_EQ(t.control.device_del_patiently("faults", "d").error, 0);
}

TEST("faults: an echo device comes and goes")
{
    device_comes_and_goes(echo_params(RingKind::split));
}

TEST("faults: a CAN device comes and goes")
{
    can::Vcan bus;
    device_comes_and_goes(can::params(bus.name()));
}

TEST("faults: a sound device comes and goes")
{
    const int card = snd::card("Loopback");
    const Fd play = snd::open_pcm(card, 0, false);
    const Fd record = snd::open_pcm(card, 0, true);
    device_comes_and_goes(snd::device({{{play.get()}, {record.get()}}, {}, {}}));
}

TEST("faults: an SCMI device comes and goes")
{
    scmi::calm();
    device_comes_and_goes(scmi::params(scmi::everything()));
}

TEST("faults: a video device comes and goes")
{
    const Fd node = video::open_node(video::vicodec(false));
    device_comes_and_goes(video::params(false, RingKind::split, node));
}

TEST_RINGS("faults: a guest starts")
{
    TestDevice device(echo_params(ring));
    GuestSetup setup = with_ring(ring);
    setup.ram = 1 << 20;
    guest_starts(device.path(), setup);
    EchoGuest guest(device.path(), setup);
    guest.start();
    guest.good();
}

TEST("faults: a guest's memory is mapped")
{
    for (const bool scatter : {false, true}) {
        GuestSetup setup;
        setup.scatter = scatter;
        EchoFixture t(setup);
        memory_is_taken_over(t.guest);
        t.guest.good();
    }
}

TEST("faults: a guest sends and receives CAN frames")
{
    requests<can::CanFixture>([] { return std::make_unique<can::CanFixture>(GuestSetup{}); },
                              [](can::CanFixture &t) {
                                  const can::Frame frame{0x123, 0, {1, 2, 3}};
                                  CHECK(t.guest.send(frame).has_value());
                                  t.host.send(frame); // it may get lost, as on a bus
                                  t.guest.receive(200);
                                  CHECK(t.guest.control(can::msg_stop).has_value());
                              });
}

TEST("faults: a guest plays and records")
{
    requests<snd::LoopFixture>(
        [] { return std::make_unique<snd::LoopFixture>(snd::with_ring(RingKind::split)); },
        [](snd::LoopFixture &t) {
            const snd::Params params = snd::small();
            for (const uint32_t stream : {t.playback, t.capture}) {
                t.guest.set_params(stream, params);
                t.guest.prepare(stream);
                if (stream == t.playback) {
                    t.guest.queue_tx(stream, snd::pattern(params, 0, 480));
                } else {
                    t.guest.queue_rx(stream, 1024);
                }
                t.guest.start_stream(stream);
                t.guest.stop(stream);
                t.guest.release(stream);
            }
            // whatever was refused, what was queued is returned
            CHECK(t.guest.tx_done().has_value());
            CHECK(t.guest.rx_done().has_value());
        });
}

TEST("faults: a guest commands SCMI resources")
{
    requests<scmi::ScmiFixture>(
        [] { return std::make_unique<scmi::ScmiFixture>(GuestSetup{}); },
        [](scmi::ScmiFixture &t) {
            using namespace scmi;
            // each is answered, whatever it says
            t.guest.call(clk, 0x5, {0, 0, 100'000'000, 0}); // CLOCK_RATE_SET
            t.guest.call(clk, 0x7, {0, 1, 0});              // CLOCK_CONFIG_SET
            t.guest.call(power, 0x4, {0, 0, 0});            // POWER_STATE_SET
            t.guest.call(sensor, 0x6, {0, 0});              // SENSOR_READING_GET
            t.guest.call(reset, 0x4, {0, 1, 0});            // RESET
            t.guest.call(voltage, 0x7, {0, 0, 1'000'000});  // VOLTAGE_LEVEL_SET
        });
}

TEST("faults: a guest has frames decoded")
{
    requests<video::VideoFixture>(
        [] { return std::make_unique<video::VideoFixture>(false, video::setup(RingKind::split)); },
        [](video::VideoFixture &t) {
            using namespace video;
            VideoGuest &guest = t.guest;
            const Answer created = guest.call(stream_create, stream, create_words());
            if (created.type != ok_nodata) {
                return;
            }
            guest.set(stream, input, format_fwht, 640, 480, 1 << 20);
            const video::Resource buffer = guest.buffer(1, 1 << 20);
            if (guest.attach(stream, input, buffer).type == ok_nodata) {
                const int queued = guest.queue_buffer(stream, input, buffer, 64);
                guest.call(queue_clear, stream, {input});
                guest.wait(queued); // returned, served or not
            }
            guest.call(stream_destroy, stream);
        });
}
