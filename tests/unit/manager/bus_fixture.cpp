// SPDX-License-Identifier: Apache-2.0
#include "bus_fixture.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "config_toml.hpp"

namespace devhost::test {

namespace {

// Whoever runs the tests stands for root.
Caller test_caller(sd_bus_message &message)
{
    Caller caller = caller_of(message);
    if (caller.uid == getuid()) {
        caller.uid = 0;
    }
    return caller;
}

void add_io(sd_event &event, int fd, sd_event_io_handler_t handler, void *userdata)
{
    bus_require(sd_event_add_io(&event, nullptr, fd, EPOLLIN, handler, userdata), "add io");
}

} // namespace

ServiceThread::ServiceThread(PrivateBus &bus, FakeMachine &machine)
    : wake_(eventfd(0, EFD_CLOEXEC)),
      done_(eventfd(0, EFD_CLOEXEC)),
      thread_([this, &bus, &machine] { serve(bus, machine); })
{
    run([] {}); // it is up
}

ServiceThread::~ServiceThread()
{
    work_ = nullptr;
    eventfd_write(wake_.get(), 1);
    thread_.join();
}

void ServiceThread::run(const std::function<void()> &work)
{
    work_ = work;
    eventfd_write(wake_.get(), 1);
    eventfd_t unused = 0;
    eventfd_read(done_.get(), &unused);
}

int ServiceThread::on_work(sd_event_source *source, int fd, std::uint32_t /*events*/, void *self)
{
    auto &service = *static_cast<ServiceThread *>(self);
    eventfd_t unused = 0;
    eventfd_read(fd, &unused);
    if (!service.work_) {
        return sd_event_exit(sd_event_source_get_event(source), 0);
    }
    service.work_();
    eventfd_write(service.done_.get(), 1);
    return 0;
}

void ServiceThread::serve(PrivateBus &bus, FakeMachine &machine)
{
    sd_event *event = nullptr;
    bus_require(sd_event_new(&event), "new event");
    {
        Host host = machine.new_host();
        host.discover();
        Configuration configuration(host, machine.config_directory());
        configuration.start();
        const Bus connection = bus.connect();
        Power power(machine.power_parts(host, *event), machine.power_config);
        power.start();
        BusService service(*connection,
                           {.host = host, .configuration = configuration, .power = power},
                           "no-such-group-here", test_caller);
        service.claim_name();
        bus_require(sd_bus_attach_event(connection.get(), event, 0), "attach");
        add_io(
            *event, machine.kernel.event_fd(),
            [](sd_event_source *, int, std::uint32_t, void *of) {
                static_cast<Host *>(of)->handle_kernel_events();
                return 0;
            },
            &host);
        add_io(*event, wake_.get(), on_work, this);
        sd_event_loop(event);
        sd_bus_detach_event(connection.get());
    }
    sd_event_unref(event);
}

BusFixture::BusFixture()
    : service(std::make_unique<ServiceThread>(bus, machine)), client(bus.connect())
{
}

Answer BusFixture::send(sd_bus &from, sd_bus_message &request)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *raw = nullptr;
    sd_bus_call(&from, &request, 10'000'000, &error, &raw);
    Answer answer{.message = BusMessage(raw),
                  .error = error.name == nullptr ? "" : error.name,
                  .text = error.message == nullptr ? "" : error.message};
    sd_bus_error_free(&error);
    return answer;
}

Setting BusFixture::properties(const std::string &path, const std::string &interface)
{
    const Answer answer =
        call(*client, path, "org.freedesktop.DBus.Properties", "GetAll", interface);
    EXPECT_EQ(answer.error, "") << answer.text;
    return answer.message ? BusType<Setting>::read(*answer.message) : Setting();
}

bool BusFixture::wait_until(const std::function<bool()> &met)
{
    for (int i = 0; i < 100 && !met(); i++) {
        while (sd_bus_process(client.get(), nullptr) > 0) {
        }
        if (!met()) {
            sd_bus_wait(client.get(), 100'000);
        }
    }
    return met();
}

void BusFixture::make_guest()
{
    EXPECT_EQ(manager("CreateGuest", std::string("ivi"), settings("")).error, "");
    EXPECT_EQ(call(*client, guest_object, guest_iface, "CreateDevice", std::string("can0"),
                   std::string("can"), settings("interface = \"can0\""))
                  .error,
              "");
}

Setting settings(const std::string &toml)
{
    return parse_toml(toml, "");
}

} // namespace devhost::test
