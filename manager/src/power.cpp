// SPDX-License-Identifier: Apache-2.0
#include "power.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

#include "bus_message.hpp"
#include "config_toml.hpp"
#include "error.hpp"
#include "journal.hpp"

namespace fs = std::filesystem;

namespace devhost {

namespace {

constexpr std::size_t holds_max = 64;
constexpr const char *delay_name = "delay";
constexpr std::string_view hold_prefix = "hold-";
constexpr std::uint64_t accuracy_us = 10'000;

// SCMI's system power states.
enum ScmiSystem : std::uint32_t {
    scmi_shutdown = 0,
    scmi_cold_reset = 1,
    scmi_warm_reset = 2,
    scmi_power_up = 3,
    scmi_suspend = 4,
};
constexpr std::uint32_t scmi_graceful = 1;

std::optional<PowerState> state_of(std::uint32_t scmi)
{
    switch (scmi) {
    case scmi_shutdown:
        return PowerState::off;
    case scmi_cold_reset:
    case scmi_warm_reset:
        return PowerState::reboot;
    case scmi_suspend:
        return PowerState::suspend;
    default:
        return std::nullopt;
    }
}

std::uint32_t scmi_of(PowerState state)
{
    switch (state) {
    case PowerState::off:
        return scmi_shutdown;
    case PowerState::reboot:
        return scmi_cold_reset;
    case PowerState::suspend:
        return scmi_suspend;
    case PowerState::on:
        break;
    }
    return scmi_power_up;
}

// The backend of a device whose guest takes part, or nullptr.
const ScmiBackendInfo *system_power_of(const Device &device)
{
    const auto *scmi = std::get_if<ScmiBackendInfo>(&device.info.backend);
    return scmi != nullptr && scmi->system_power ? scmi : nullptr;
}

// One that the host has stopped goes on by itself: that is no answer of its guest.
/// The worker that serves its driver, if one does.
std::optional<std::uint32_t> worker_of(const Device &device)
{
    const bool runs =
        device.info.state == DEVHOST_DEV_RUNNING || device.info.state == DEVHOST_DEV_QUIESCED;
    return runs ? device.info.worker : std::nullopt;
}

std::string hold_name(std::uint64_t id)
{
    return std::string(hold_prefix) + std::to_string(id);
}

} // namespace

PowerTime boot_time()
{
    timespec now{};
    static_cast<void>(clock_gettime(CLOCK_BOOTTIME, &now)); // it is there and can be read
    return PowerTime(std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000);
}

Power::Power(PowerParts parts, PowerConfig config) : parts_(std::move(parts))
{
    if (!parts_.now) {
        parts_.now = boot_time;
    }
    arbiter_.set_limits(config.limits);
    ceilings_.set_rules(std::move(config.rules));
    parts_.system.set_handlers(
        {.leaves =
             [this](std::optional<PowerState> state) {
                 const auto &transition = arbiter_.transition();
                 arbiter_.host_leaves(
                     state.value_or(transition ? transition->command.state : PowerState::off),
                     parts_.now());
                 settle();
             },
         .stays =
             [this] {
                 arbiter_.host_stays(parts_.now());
                 settle();
             }});
}

Power::~Power()
{
    parts_.system.set_handlers({.leaves = [](auto) {}, .stays = [] {}});
}

void Power::set_config(PowerConfig config)
{
    arbiter_.set_limits(config.limits);
    ceilings_.set_rules(std::move(config.rules));
    look();
}

// What was so when the daemon ended comes first, then what is so now; only then it is decided.
void Power::start()
{
    read_record();
    for (FdStore::Stored &stored : parts_.store.take()) {
        if (stored.name == delay_name) {
            delay_ = std::move(stored.fd);
            delay_wanted_ = true;
        } else if (stored.name.starts_with(hold_prefix)) {
            const std::uint64_t id =
                std::strtoull(stored.name.c_str() + hold_prefix.size(), nullptr, 10);
            if (arbiter_.holds().contains(id)) {
                watch_hold(id, std::move(stored.fd));
            } else {
                parts_.store.remove(stored.name);
            }
        }
    }
    std::vector<std::uint64_t> gone;
    for (const auto &[id, unused] : arbiter_.holds()) {
        if (!holds_.contains(id)) {
            gone.push_back(id);
        }
    }
    for (const std::uint64_t id : gone) {
        arbiter_.release(id, parts_.now());
    }
    std::vector<std::string> guests_gone;
    for (const auto &[name, unused] : arbiter_.guests()) {
        if (!parts_.host.guests().contains(name)) {
            guests_gone.push_back(name);
        }
    }
    for (const std::string &name : guests_gone) {
        arbiter_.guest_gone(name, parts_.now());
    }
    for (const auto &[name, guest] : parts_.host.guests()) {
        note_guest(guest);
        note_run(name, "");
    }
    for (const auto &[unused, guest] : parts_.host.guests()) {
        for (const auto &[unused_name, device] : guest.devices) {
            note_request(device);
        }
    }
    adopt_ceilings();
    if (parts_.system.leaving()) {
        const auto &transition = arbiter_.transition();
        arbiter_.host_leaves(transition ? transition->command.state : PowerState::off,
                             parts_.now());
    } else if (arbiter_.phase() == PowerPhase::leaving ||
               (arbiter_.command() && arbiter_.command()->by_host)) {
        arbiter_.host_stays(parts_.now());
    }
    started_ = true;
    arbiter_.start(parts_.now());
    if (arbiter_.phase() != PowerPhase::leaving) {
        take_delay();
    }
    look();
}

// Guests and devices.

void Power::note_guest(const Guest &guest)
{
    arbiter_.guest_known(guest.info.name, guest.info.id, guest.settings.power, guest.settings.unit,
                         parts_.now());
}

// All of a guest's devices together; each start of a driver has another worker.
void Power::note_run(const std::string &name, const std::string &without)
{
    const Guest &guest = parts_.host.guest(name);
    std::uint64_t run = 0;
    for (const auto &[device_name, device] : guest.devices) {
        const auto worker = worker_of(device);
        if (device_name != without && system_power_of(device) != nullptr && worker) {
            run += std::uint64_t{device.info.id} << 32 | *worker;
        }
    }
    arbiter_.guest_runs(name, run, parts_.now());
}

void Power::note_request(const Device &device)
{
    const ScmiBackendInfo *scmi = system_power_of(device);
    if (scmi == nullptr || !scmi->request) {
        return;
    }
    std::uint32_t &seen = seen_[device.info.id];
    if (seen == scmi->request->seq) {
        return;
    }
    seen = scmi->request->seq;
    if (const auto state = state_of(scmi->request->state)) {
        arbiter_.guest_asks(device.info.guest, *state, parts_.now());
    }
}

void Power::guest_added(const Guest &guest)
{
    note_guest(guest);
    settle();
}

void Power::guest_removing(const Guest &guest)
{
    arbiter_.guest_gone(guest.info.name, parts_.now());
    guest_views_.erase(guest.info.name);
    settle();
}

void Power::guest_changed(const Guest &guest, const Properties & /*properties*/)
{
    note_guest(guest);
    settle();
}

void Power::policy_changed(const Guest & /*guest*/, const Properties & /*properties*/) {}

void Power::device_added(const Device &device)
{
    device_changed(device, {"Resources"});
}

void Power::device_removing(const Device &device)
{
    seen_.erase(device.info.id);
    std::erase_if(pushed_, [&](const auto &each) { return each.first >> 32 == device.info.id; });
    // With the last that has it a resource forgets its ceiling.
    for (const ScmiResourceInfo &resource : device.resources) {
        std::erase_if(applied_, [&](const auto &each) {
            return each.first.name.kind == resource.kind && each.first.name.host == resource.host;
        });
    }
    note_run(device.info.guest, device.info.name);
    settle();
}

void Power::device_changed(const Device &device, const Properties &properties)
{
    if (!std::holds_alternative<ScmiBackendInfo>(device.info.backend)) {
        return;
    }
    // What it asked for came before it went.
    if (worker_of(device)) {
        note_run(device.info.guest, "");
        note_request(device);
    } else {
        note_request(device);
        note_run(device.info.guest, "");
    }
    if (started_ && properties.contains("Resources")) {
        apply_ceilings();
        arm();
    }
    settle();
}

// What the arbiter decides.

void Power::settle()
{
    if (!started_ || settling_) {
        return;
    }
    settling_ = true;
    for (std::vector<PowerAction> actions = arbiter_.take_actions(); !actions.empty();
         actions = arbiter_.take_actions()) {
        for (const PowerAction &action : actions) {
            try {
                std::visit([this](const auto &each) { perform(each); }, action);
            } catch (const std::exception &error) {
                log_error({}, error.what());
            }
        }
    }
    settling_ = false;
    write_record();
    arm();
    tell_changes();
}

void Power::perform(const power_action::Announce &action)
{
    const ScmiAnnouncement announcement{.state = scmi_of(action.state),
                                        .flags = scmi_graceful,
                                        .timeout_ms =
                                            static_cast<std::uint32_t>(action.timeout.count())};
    for (const auto &[name, device] : parts_.host.guest(action.guest).devices) {
        if (system_power_of(device) != nullptr && worker_of(device)) {
            parts_.host.announce(action.guest, name, announcement);
        }
    }
}

void Power::perform(const power_action::StopUnit &action)
{
    parts_.system.stop_unit(action.unit, [guest = action.guest](const std::string &error) {
        if (!error.empty()) {
            log_error({.guest = guest, .device = {}}, "its unit could not be stopped: " + error);
        }
    });
}

void Power::perform(const power_action::StartUnit &action)
{
    log_info({.guest = action.guest, .device = {}}, "the unit " + action.unit + " is started.");
    parts_.system.start_unit(action.unit, [this, guest = action.guest](const std::string &error) {
        if (error.empty()) {
            arbiter_.start_succeeded(guest);
        } else {
            arbiter_.start_failed(guest, error, parts_.now());
        }
        settle();
    });
}

void Power::perform(const power_action::Act &action)
{
    parts_.system.act(action.state, [this](const std::string &error) {
        if (!error.empty()) {
            arbiter_.act_failed(error, parts_.now());
            settle();
        }
    });
}

void Power::perform(const power_action::ReleaseDelay & /*action*/)
{
    delay_wanted_ = false;
    delay_ = UniqueFd();
    parts_.store.remove(delay_name);
}

void Power::perform(const power_action::TakeDelay & /*action*/)
{
    take_delay();
}

void Power::perform(const power_action::Note &action)
{
    log_info({.guest = action.guest, .device = {}}, action.text);
}

void Power::take_delay()
{
    if (std::exchange(delay_wanted_, true)) {
        return;
    }
    parts_.system.take_delay([this](UniqueFd fd) {
        if (delay_wanted_ && fd) { // it may have been released before it came
            delay_ = std::move(fd);
            parts_.store.put(delay_name, delay_.get());
        }
    });
}

// What a restart finds.

void Power::write_record()
{
    std::ostringstream text;
    text << "# Private to devhostd. Do not parse, do not edit.\n" << arbiter_.record();
    ceilings_.record(text);
    record_ceilings(text);
    for (const auto &[device, seq] : seen_) {
        text << "[[seen]]\n";
        put_record(text, "device", device);
        put_record(text, "seq", seq);
    }
    if (text.str() == recorded_) {
        return;
    }
    const fs::path fresh = parts_.record.string() + ".new";
    std::error_code error;
    fs::create_directories(parts_.record.parent_path(), error);
    std::ofstream(fresh, std::ios::trunc) << text.str();
    fs::rename(fresh, parts_.record, error);
    if (error) {
        log_error({}, "Cannot write " + parts_.record.string() + ": " + error.message());
        return;
    }
    recorded_ = text.str();
}

void Power::read_record()
{
    std::ifstream stream(parts_.record, std::ios::binary);
    if (!stream) {
        return;
    }
    try {
        const Setting record = parse_toml(std::string{std::istreambuf_iterator<char>(stream), {}},
                                          parts_.record.string());
        arbiter_.restore(record);
        const RecordReader reader(record);
        ceilings_.restore(reader);
        restore_ceilings(reader);
        for (const RecordReader &each : reader.tables("seen")) {
            seen_[static_cast<std::uint32_t>(each.number("device"))] =
                static_cast<std::uint32_t>(each.number("seq"));
        }
    } catch (const Error &error) {
        log_error({}, error.what());
    }
}

// Time.

void Power::arm()
{
    const auto set = [this](Source &source, std::optional<std::uint64_t> usec,
                            sd_event_time_handler_t handler) {
        if (!usec) {
            source.reset();
            return;
        }
        if (source) {
            sd_event_source_set_time(source.get(), *usec);
            sd_event_source_set_enabled(source.get(), SD_EVENT_ONESHOT);
            return;
        }
        sd_event_source *raw = nullptr;
        bus_require(sd_event_add_time(&parts_.event, &raw, CLOCK_BOOTTIME, *usec, accuracy_us,
                                      handler, this),
                    "Cannot set a timer");
        source.reset(raw);
    };
    const auto next = arbiter_.next();
    set(timer_,
        next ? std::optional(static_cast<std::uint64_t>(next->count()) * 1000) : std::nullopt,
        on_timer);
    if (!poll_ && anything_to_look_at()) {
        set(poll_, static_cast<std::uint64_t>((boot_time() + parts_.poll).count()) * 1000, on_poll);
    }
}

int Power::on_timer(sd_event_source * /*source*/, std::uint64_t /*usec*/, void *self)
{
    auto &power = *static_cast<Power *>(self);
    power.arbiter_.tick(power.parts_.now());
    power.settle();
    return 0;
}

int Power::on_poll(sd_event_source * /*source*/, std::uint64_t /*usec*/, void *self)
{
    auto &power = *static_cast<Power *>(self);
    power.poll_.reset();
    power.look();
    return 0;
}

// Local clients.

UniqueFd Power::hold(HoldMode mode, PowerState state, const std::string &who,
                     const std::string &why)
{
    if (who.empty() || who.size() > 255 || why.size() > 1023) {
        throw Error(Cause::invalid_args, "Say who you are in 1 to 255 characters, and why in no "
                                         "more than 1023.");
    }
    if (holds_.size() >= holds_max) {
        throw Error(Cause::limits_exceeded, "There are too many holds: give some up first.");
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        throw system_error(errno, "Cannot make a pipe");
    }
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    std::uint64_t id = 1;
    for (const auto &[used, unused] : holds_) {
        id = std::max(id, used + 1);
    }
    parts_.store.put(hold_name(id), ours.get());
    watch_hold(id, std::move(ours));
    arbiter_.hold(id, {.mode = mode, .state = state, .who = who, .why = why, .since = parts_.now()},
                  parts_.now());
    settle();
    return theirs;
}

void Power::watch_hold(std::uint64_t id, UniqueFd fd)
{
    auto hold = std::make_unique<LocalHold>(
        LocalHold{.power = *this, .id = id, .fd = std::move(fd), .source = nullptr});
    sd_event_source *raw = nullptr;
    bus_require(
        sd_event_add_io(&parts_.event, &raw, hold->fd.get(), EPOLLIN, on_hangup, hold.get()),
        "Cannot watch a hold");
    hold->source.reset(raw);
    holds_[id] = std::move(hold);
}

int Power::on_hangup(sd_event_source * /*source*/, int /*fd*/, std::uint32_t events, void *of)
{
    auto &hold = *static_cast<LocalHold *>(of);
    if ((events & (EPOLLHUP | EPOLLERR)) == 0) {
        sd_event_source_set_io_events(hold.source.get(), 0); // who writes has nothing to say
        return 0;
    }
    hold.power.release_hold(hold.id);
    return 0;
}

void Power::release_hold(std::uint64_t id)
{
    parts_.store.remove(hold_name(id));
    holds_.erase(id);
    arbiter_.release(id, parts_.now());
    settle();
}

void Power::request(PowerState state, const std::string &why)
{
    arbiter_.request(state, "administrator", why, parts_.now());
    settle();
}

void Power::emergency_off()
{
    arbiter_.emergency_off("administrator", parts_.now());
    settle();
}

void Power::reset()
{
    arbiter_.reset(parts_.now());
    settle();
}

void Power::reset_guest(const std::string &guest)
{
    arbiter_.reset_guest(guest);
    settle();
}

} // namespace devhost
