// SPDX-License-Identifier: Apache-2.0
#include "scmi.hpp"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "host.hpp"

namespace dh::scmi {

namespace {

constexpr uint32_t slot_size = 256;
constexpr uint32_t request_max = 96;
const std::string knobs = "/sys/kernel/debug/scmi_providers/";

template <typename T>
T get(const std::vector<uint8_t> &bytes, size_t at)
{
    T value{};
    if (at + sizeof(value) > bytes.size()) {
        throw tap::Failure("only " + std::to_string(bytes.size()) + " bytes of return values");
    }
    memcpy(&value, bytes.data() + at, sizeof(value));
    return value;
}

std::vector<uint8_t> bytes_of(uint32_t hdr, const std::vector<uint32_t> &parameters)
{
    std::vector<uint8_t> bytes(4 + parameters.size() * 4);
    memcpy(bytes.data(), &hdr, 4);
    memcpy(bytes.data() + 4, parameters.data(), parameters.size() * 4);
    return bytes;
}

} // namespace

std::vector<Resource> everything()
{
    return {
        {DEVHOST_SCMI_CLOCK, "clk0"},
        {DEVHOST_SCMI_CLOCK, "clk1", "a-clock-with-a-name-that-is-long"},
        {DEVHOST_SCMI_CLOCK, "clkfix", "", "scmi_prov", DEVHOST_SCMI_SOURCE_DEFAULT, true},
        {DEVHOST_SCMI_POWER, "scmi_prov-pd0", "domain0"},
        {DEVHOST_SCMI_POWER, "scmi_prov-pd1", "domain1"},
        {DEVHOST_SCMI_PERF, "scmi_prov-perf", "engine"},
        {DEVHOST_SCMI_SENSOR, "prov-zone", "zone", ""},
        {DEVHOST_SCMI_SENSOR, "vbat", "", "scmi_prov", DEVHOST_SCMI_SOURCE_IIO},
        {DEVHOST_SCMI_SENSOR, "fan", "", "", DEVHOST_SCMI_SOURCE_PUSHED},
        {DEVHOST_SCMI_RESET, "rst0"},
        {DEVHOST_SCMI_RESET, "rst1"},
        {DEVHOST_SCMI_VOLTAGE, "vdd0"},
        {DEVHOST_SCMI_VOLTAGE, "vdd1"},
    };
}

DeviceParams params(const std::vector<Resource> &resources, RingKind ring, bool system)
{
    DeviceParams device;
    device.device_class = "scmi";
    if (ring == RingKind::split) {
        device.features_mask = ~bit(VIRTIO_F_RING_PACKED);
    }
    Attrs items;
    for (const Resource &r : resources) {
        Attrs item;
        item.u32(DEVHOST_A_SCMI_RES_KIND, r.kind).string(DEVHOST_A_SCMI_RES_HOST, r.host);
        if (!r.name.empty()) {
            item.string(DEVHOST_A_SCMI_RES_NAME, r.name);
        }
        if (!r.device.empty()) {
            item.string(DEVHOST_A_SCMI_RES_DEVICE, r.device);
        }
        item.u32(DEVHOST_A_SCMI_RES_SOURCE, r.source);
        if (r.read_only) {
            item.flag(DEVHOST_A_SCMI_RES_READ_ONLY);
        }
        if (r.min) {
            item.u64(DEVHOST_A_SCMI_RES_LEVEL_MIN, r.min);
        }
        if (r.max) {
            item.u64(DEVHOST_A_SCMI_RES_LEVEL_MAX, r.max);
        }
        items.nest(DEVHOST_A_SCMI_RESOURCES_ITEM, item);
    }
    device.backend = Attrs().nest(DEVHOST_A_SCMI_RESOURCES, items);
    if (system) {
        device.backend->flag(DEVHOST_A_SCMI_SYSTEM_POWER);
    }
    return device;
}

ResourceInfo parse_resource(const NetlinkMessage &message)
{
    const auto nest = find(message.attrs, DEVHOST_A_RESOURCE);
    if (!nest) {
        throw tap::Failure("no resource in the message");
    }
    const auto outer = nest->children();
    const auto backend = find(outer, DEVHOST_A_RESOURCE_BACKEND);
    if (!backend) {
        throw tap::Failure("no backend in the resource");
    }
    const auto attrs = backend->children();
    ResourceInfo info;
    info.guest = text(outer, DEVHOST_A_RESOURCE_GUEST);
    info.device = text(outer, DEVHOST_A_RESOURCE_DEV);
    info.kind = static_cast<uint32_t>(number(attrs, DEVHOST_A_SCMI_RES_KIND));
    info.id = static_cast<uint32_t>(number(attrs, DEVHOST_A_SCMI_RES_ID));
    info.name = text(attrs, DEVHOST_A_SCMI_RES_NAME);
    info.host = text(attrs, DEVHOST_A_SCMI_RES_HOST);
    info.read_only = find(attrs, DEVHOST_A_SCMI_RES_READ_ONLY).has_value();
    info.vote_on = find(attrs, DEVHOST_A_SCMI_RES_VOTE_ON).has_value();
    info.vote_level = number(attrs, DEVHOST_A_SCMI_RES_VOTE_LEVEL);
    info.vote_since = number(attrs, DEVHOST_A_SCMI_RES_VOTE_SINCE);
    info.on = find(attrs, DEVHOST_A_SCMI_RES_ON).has_value();
    info.level = number(attrs, DEVHOST_A_SCMI_RES_LEVEL);
    if (const auto ceiling = find(attrs, DEVHOST_A_SCMI_RES_CEILING)) {
        info.ceiling = ceiling->number();
    }
    info.limit = static_cast<uint32_t>(number(attrs, DEVHOST_A_SCMI_RES_LIMIT));
    info.holders = static_cast<uint32_t>(number(attrs, DEVHOST_A_SCMI_RES_HOLDERS));
    return info;
}

std::vector<ResourceInfo> resources(Control &control, const std::string &guest,
                                    const std::string &device)
{
    Attrs which;
    if (!guest.empty()) {
        which.string(DEVHOST_A_RESOURCE_GUEST, guest);
    }
    if (!device.empty()) {
        which.string(DEVHOST_A_RESOURCE_DEV, device);
    }
    Attrs request;
    request.nest(DEVHOST_A_RESOURCE, which);
    const NetlinkReply reply = control.genl().request(DEVHOST_CMD_RESOURCE_GET, request, true);
    CHECK_EQ(reply.error, 0);
    std::vector<ResourceInfo> all;
    for (const NetlinkMessage &message : reply.messages) {
        all.push_back(parse_resource(message));
    }
    return all;
}

ResourceInfo resource(Control &control, const std::string &guest, devhost_scmi_kind kind,
                      uint32_t id)
{
    for (const ResourceInfo &info : resources(control, guest)) {
        if (info.kind == kind && info.id == id) {
            return info;
        }
    }
    throw tap::Failure("no such resource");
}

int set(Control &control, const std::string &guest, const std::string &device, const Attrs &backend)
{
    Attrs inner;
    inner.string(DEVHOST_A_DEV_GUEST, guest)
        .string(DEVHOST_A_DEV_NAME, device)
        .nest(DEVHOST_A_DEV_BACKEND, backend);
    return control.genl().request(DEVHOST_CMD_DEVICE_SET, Attrs().nest(DEVHOST_A_DEV, inner)).error;
}

int set_ceiling(TestDevice &device, devhost_scmi_kind kind, uint32_t id,
                std::optional<uint64_t> level)
{
    Attrs ceiling;
    ceiling.u32(DEVHOST_A_SCMI_CEILING_KIND, kind).u32(DEVHOST_A_SCMI_CEILING_ID, id);
    if (level) {
        ceiling.u64(DEVHOST_A_SCMI_CEILING_LEVEL, *level);
    }
    return set(device.control(), device.guest(), device.name(),
               Attrs().nest(DEVHOST_A_SCMI_CEILING, ceiling));
}

int push_reading(TestDevice &device, uint32_t id, int64_t value)
{
    Attrs reading;
    reading.u32(DEVHOST_A_SCMI_READING_ID, id)
        .u64(DEVHOST_A_SCMI_READING_VALUE, static_cast<uint64_t>(value));
    return set(device.control(), device.guest(), device.name(),
               Attrs().nest(DEVHOST_A_SCMI_READING, reading));
}

int announce(TestDevice &device, uint32_t state, uint32_t flags, uint32_t timeout)
{
    Attrs what;
    what.u32(DEVHOST_A_SCMI_ANNOUNCE_STATE, state)
        .u32(DEVHOST_A_SCMI_ANNOUNCE_FLAGS, flags)
        .u32(DEVHOST_A_SCMI_ANNOUNCE_TIMEOUT, timeout);
    return set(device.control(), device.guest(), device.name(),
               Attrs().nest(DEVHOST_A_SCMI_ANNOUNCE, what));
}

uint32_t Answer::u32(size_t at) const
{
    return get<uint32_t>(values, at);
}

uint64_t Answer::u64(size_t at) const
{
    return get<uint64_t>(values, at);
}

std::string Answer::text(size_t at, size_t size) const
{
    if (at + size > values.size()) {
        throw tap::Failure("no room for a name in the return values");
    }
    const char *start = reinterpret_cast<const char *>(values.data() + at);
    return {start, strnlen(start, size)};
}

uint32_t Event::u32(size_t at) const
{
    return get<uint32_t>(payload, at);
}

uint64_t Event::u64(size_t at) const
{
    return get<uint64_t>(payload, at);
}

void ScmiGuest::bring_up(unsigned events, uint32_t size)
{
    start();
    post_events(events, size);
}

void ScmiGuest::forget()
{
    for (const auto &[id, slot] : pending_) {
        pool_.push_back(slot.addr);
    }
    for (const auto &[id, slot] : events_) {
        pool_.push_back(slot.addr);
    }
    pending_.clear();
    events_.clear();
}

void ScmiGuest::begin_again(unsigned events)
{
    forget();
    restart();
    post_events(events);
}

int ScmiGuest::queue_bytes(const std::vector<uint8_t> &request, uint32_t writable)
{
    CHECK(request.size() <= request_max);
    CHECK(writable <= slot_size - request_max);
    if (pool_.empty()) {
        pool_.push_back(alloc(slot_size));
    }
    const uint64_t where = pool_.back();
    memset(at(where, slot_size), 0x5a, slot_size);
    if (!request.empty()) {
        memcpy(at(where, request.size()), request.data(), request.size());
    }
    std::vector<Buffer> buffers;
    if (!request.empty()) {
        buffers.push_back({where, static_cast<uint32_t>(request.size()), false});
    }
    if (writable) {
        buffers.push_back({where + request_max, writable, true});
    }
    Queue &q = queue(cmdq);
    const int id = q.add(buffers);
    if (id < 0) {
        return id;
    }
    pool_.pop_back();
    pending_[id] = {where, writable};
    q.kick_if_wanted();
    return id;
}

int ScmiGuest::queue_call(uint8_t protocol, uint8_t message,
                          const std::vector<uint32_t> &parameters, uint32_t room, uint16_t token)
{
    return queue_bytes(bytes_of(header(protocol, message, token), parameters), 8 + room);
}

Answer ScmiGuest::collect(int timeout_ms)
{
    const Used used = queue(cmdq).expect(timeout_ms);
    const auto pending = pending_.find(used.id);
    if (pending == pending_.end()) {
        throw tap::Failure("a command came back that was not pending");
    }
    const Slot slot = pending->second;
    pending_.erase(pending);
    pool_.push_back(slot.addr);
    CHECK(used.length <= slot.room);
    Answer answer;
    answer.id = used.id;
    answer.length = used.length;
    const uint8_t *bytes = at(slot.addr + request_max, std::max(used.length, 1U));
    if (used.length >= 8) {
        memcpy(&answer.hdr, bytes, 4);
        memcpy(&answer.status, bytes + 4, 4);
        answer.values.assign(bytes + 8, bytes + used.length);
        if (answer.status != success) {
            CHECK_EQ(used.length, 8U);
        }
    }
    return answer;
}

Answer ScmiGuest::raw(const std::vector<uint8_t> &request, uint32_t writable)
{
    const int id = queue_bytes(request, writable);
    CHECK(id >= 0);
    const Answer answer = collect();
    CHECK_EQ(answer.id, id);
    return answer;
}

Answer ScmiGuest::call(uint8_t protocol, uint8_t message, const std::vector<uint32_t> &parameters,
                       uint32_t room)
{
    const uint16_t token = static_cast<uint16_t>(++serial_ & 0x3ff);
    const int id = queue_call(protocol, message, parameters, room, token);
    CHECK(id >= 0);
    Answer answer = collect();
    CHECK_EQ(answer.id, id);
    CHECK(answer.length >= 8);
    CHECK_EQ(answer.hdr, header(protocol, message, token));
    return answer;
}

Answer ScmiGuest::ok(uint8_t protocol, uint8_t message, const std::vector<uint32_t> &parameters)
{
    Answer answer = call(protocol, message, parameters);
    if (answer.status != success) {
        std::ostringstream why;
        why << std::hex << "message " << unsigned{protocol} << "/" << unsigned{message} << std::dec
            << ": status " << answer.status;
        throw tap::Failure(why.str());
    }
    return answer;
}

int32_t ScmiGuest::status(uint8_t protocol, uint8_t message,
                          const std::vector<uint32_t> &parameters)
{
    return call(protocol, message, parameters).status;
}

void ScmiGuest::post_events(unsigned count, uint32_t size)
{
    Queue &q = queue(eventq);
    for (unsigned i = 0; i < count; i++) {
        if (pool_.empty()) {
            pool_.push_back(alloc(slot_size));
        }
        const uint64_t where = pool_.back();
        pool_.pop_back();
        const int id = q.add({{where, size, true}});
        CHECK(id >= 0);
        events_[id] = {where, size};
    }
    q.kick_if_wanted();
}

std::optional<Event> ScmiGuest::event(int timeout_ms, bool repost)
{
    Queue &q = queue(eventq);
    Used used{};
    if (!q.wait(timeout_ms) || !q.take(used)) {
        return std::nullopt;
    }
    const auto pending = events_.find(used.id);
    if (pending == events_.end()) {
        throw tap::Failure("an event buffer came back that was not pending");
    }
    const Slot slot = pending->second;
    events_.erase(pending);
    Event event;
    if (used.length >= 4) {
        uint32_t hdr = 0;
        memcpy(&hdr, at(slot.addr, 4), 4);
        event.message = static_cast<uint8_t>(hdr);
        event.type = hdr >> 8 & 3;
        event.protocol = static_cast<uint8_t>(hdr >> 10);
        event.token = hdr >> 18 & 0x3ff;
        const uint8_t *bytes = at(slot.addr, used.length);
        event.payload.assign(bytes + 4, bytes + used.length);
    }
    pool_.push_back(slot.addr);
    if (repost) {
        post_events(1, slot.room);
    }
    return event;
}

void ScmiGuest::good()
{
    CHECK_EQ(ok(base, 0x0).u32(0), 0x20001U);
    CHECK_EQ(ok(clk, 0x0).u32(0), 0x30000U);
    // One that changes something, and one that sleeps.
    ok(clk, 0x7, {0, 1, 0});
    CHECK_EQ(ok(clk, 0xb, {0, 0}).u32(4), 1U);
    ok(clk, 0x7, {0, 0, 0});
}

uint64_t knob(const std::string &name)
{
    const std::string content = read_file(knobs + name);
    if (content.empty()) {
        throw tap::Failure("no file " + knobs + name);
    }
    return std::stoull(content, nullptr, 0);
}

void set_knob(const std::string &name, uint64_t value)
{
    std::ofstream out(knobs + name);
    out << value << std::flush;
    if (!out) {
        throw tap::Failure("cannot write " + knobs + name);
    }
}

void expect_knob(const std::string &name, uint64_t value, int timeout_ms)
{
    uint64_t now = 0;
    for (int waited = 0; waited <= timeout_ms; waited += 10) {
        now = knob(name);
        if (now == value) {
            return;
        }
        usleep(10000);
    }
    throw tap::Failure(name + " is " + std::to_string(now) + ", not " + std::to_string(value));
}

void calm()
{
    static const bool loaded = (shell("modprobe -a vhost_scmi scmi_providers"), true);
    (void)loaded;
    for (const auto &entry : std::filesystem::directory_iterator(knobs)) {
        const std::string name = entry.path().filename();
        set_knob(name + "/delay_ms", 0);
        set_knob(name + "/fail", 0);
    }
    set_knob("zone/temp", 25000);
    set_knob("rst0/host", 0);
}

CpuFrequencies::CpuFrequencies(bool down)
{
    calm();
    set_knob("cpu/driver", down ? 2 : 1);
}

CpuFrequencies::~CpuFrequencies()
{
    try {
        have_driver(false);
    } catch (const std::exception &error) {
        tap::note(error.what());
    }
}

void CpuFrequencies::have_driver(bool there)
{
    set_knob("cpu/driver", there);
}

Resource CpuFrequencies::resource()
{
    return {DEVHOST_SCMI_PERF, "cpu0", "processor", "", DEVHOST_SCMI_SOURCE_CPUFREQ};
}

uint64_t CpuFrequencies::least()
{
    const std::string text = read_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq");
    return text.empty() ? 0 : std::stoull(text);
}

void CpuFrequencies::expect_least(uint64_t khz)
{
    for (int i = 0; i < 500 && least() != khz; i++) {
        usleep(10000);
    }
    CHECK_EQ(least(), khz);
}

GuestSetup without_p2a(RingKind ring)
{
    GuestSetup setup = with_ring(ring);
    setup.device_features &= ~bit(f_p2a);
    return setup;
}

ScmiFixture::ScmiFixture(GuestSetup setup, bool up, const std::vector<Resource> &have)
    : device((calm(), params(have, setup.ring))), guest(device.path(), setup)
{
    if (up) {
        guest.bring_up();
    }
}

} // namespace dh::scmi
