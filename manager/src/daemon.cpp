// SPDX-License-Identifier: Apache-2.0
#include "daemon.hpp"

#include <array>
#include <csignal>
#include <ctime>
#include <functional>
#include <memory>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "bus_service.hpp"
#include "configuration.hpp"
#include "journal.hpp"
#include "logind.hpp"
#include "paths.hpp"
#include "power.hpp"
#include "system_host.hpp"

namespace devhost {

namespace {

struct EventDelete {
    void operator()(sd_event *event) const { sd_event_unref(event); }
};
using Event = std::unique_ptr<sd_event, EventDelete>;

Event new_event()
{
    sd_event *event = nullptr;
    bus_require(sd_event_new(&event), "Cannot make an event loop");
    return Event(event);
}

Bus open_system_bus()
{
    sd_bus *bus = nullptr;
    bus_require(sd_bus_open_system(&bus), "Cannot connect to the system bus");
    // Started anew, it finds everything as it was; without a bus it is of no use.
    sd_bus_set_exit_on_disconnect(bus, 1);
    return Bus(bus);
}

// Work that the event loop does when a descriptor is readable or a signal came.
using Work = std::function<void()>;

struct Watch {
    int fd;
    Work work;
    const char *failure;
};

int do_work(const Work &work) noexcept
{
    try {
        work();
    } catch (const std::exception &error) {
        // The next event reads everything anew.
        log_error({}, error.what());
    }
    return 0;
}

int on_readable(sd_event_source * /*source*/, int /*fd*/, std::uint32_t /*events*/, void *work)
{
    return do_work(*static_cast<Work *>(work));
}

int on_signal(sd_event_source * /*source*/, const signalfd_siginfo * /*info*/, void *work)
{
    return do_work(*static_cast<Work *>(work));
}

void notify_reloading()
{
    timespec now{};
    bus_require(clock_gettime(CLOCK_MONOTONIC, &now), "Cannot read the clock");
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

void notify_ready(const Configuration &configuration)
{
    const std::size_t problems = configuration.problems().size();
    if (problems == 0) {
        sd_notify(0, "READY=1\nSTATUS=The configuration is in force.");
    } else {
        sd_notifyf(0, "READY=1\nSTATUS=%zu problem(s) in the configuration; see the journal.",
                   problems);
    }
}

void block_signals()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&set, signal);
    }
    bus_require(-sigprocmask(SIG_BLOCK, &set, nullptr), "Cannot block signals");
}

int serve()
{
    block_signals();
    const Event event = new_event();

    SystemHost system;
    Host &host = system.host();
    host.discover();
    Configuration configuration(host, config_directory, power_config_file);
    configuration.start();

    const Bus bus = open_system_bus();
    Logind logind(*bus);
    SystemdFdStore store;
    Power power({.host = host,
                 .system = logind,
                 .store = store,
                 .event = *event,
                 .readings = HostReadings(),
                 .now = boot_time},
                configuration.power());
    power.start();
    BusService service(*bus, {.host = host, .configuration = configuration, .power = power},
                       admin_group);
    service.claim_name();
    bus_require(sd_bus_attach_event(bus.get(), event.get(), 0), "Cannot serve the bus");

    std::array watches{
        Watch{system.kernel_event_fd(), [&] { host.handle_kernel_events(); },
              "Cannot watch the kernel"},
        Watch{system.link_event_fd(), [&] { host.handle_link_events(); },
              "Cannot watch the interfaces"},
        Watch{system.card_event_fd(), [&] { host.handle_card_events(); },
              "Cannot watch the sound cards"},
        Watch{system.codec_event_fd(), [&] { host.handle_codec_events(); },
              "Cannot watch the codecs"},
        Watch{system.latency_rest_fd(), [&] { host.rest_latencies(); },
              "Cannot watch the timer of latencies"},
    };
    Work reload_work = [&] {
        notify_reloading();
        service.reload();
        notify_ready(configuration);
    };
    for (Watch &watch : watches) {
        bus_require(
            sd_event_add_io(event.get(), nullptr, watch.fd, EPOLLIN, on_readable, &watch.work),
            watch.failure);
    }
    bus_require(sd_event_add_signal(event.get(), nullptr, SIGHUP, on_signal, &reload_work),
                "Cannot watch signals");
    bus_require(sd_event_add_signal(event.get(), nullptr, SIGTERM, nullptr, nullptr),
                "Cannot watch signals");
    bus_require(sd_event_add_signal(event.get(), nullptr, SIGINT, nullptr, nullptr),
                "Cannot watch signals");
    sd_event_set_watchdog(event.get(), 1);

    notify_ready(configuration);
    const int status = bus_require(sd_event_loop(event.get()), "The event loop failed");
    sd_notify(0, "STOPPING=1");
    sd_bus_detach_event(bus.get());
    return status;
}

} // namespace

int run_daemon()
{
    try {
        return serve();
    } catch (const std::exception &error) {
        log_error({}, error.what());
        sd_notifyf(0, "STATUS=%s", error.what());
        return EXIT_FAILURE;
    }
}

} // namespace devhost
