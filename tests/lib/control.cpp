// SPDX-License-Identifier: Apache-2.0
#include "control.hpp"

#include <dirent.h>
#include <unistd.h>

#include <cctype>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "host.hpp"
#include "tap.hpp"

namespace dh {

namespace {

const std::vector<Attr> &one(const NetlinkReply &reply, const std::string &what)
{
    if (reply.error) {
        throw std::runtime_error(what + ": " + strerror(-reply.error) +
                                 (reply.extack.empty() ? "" : " (" + reply.extack + ")"));
    }
    if (reply.messages.empty()) {
        throw std::runtime_error(what + ": no answer");
    }
    return reply.messages.front().attrs;
}

std::vector<Attr> nest(const std::vector<Attr> &attrs, uint16_t type)
{
    auto attr = find(attrs, type);
    return attr ? attr->children() : std::vector<Attr>();
}

std::map<uint32_t, uint64_t> verdicts(const std::vector<Attr> &attrs, uint16_t type)
{
    std::map<uint32_t, uint64_t> counts;
    for (const Attr &attr : attrs) {
        if (attr.type() != type) {
            continue;
        }
        auto fields = attr.children();
        counts[static_cast<uint32_t>(number(fields, DEVHOST_A_VERDICT_KIND))] =
            number(fields, DEVHOST_A_VERDICT_COUNT);
    }
    return counts;
}

Limits limits(const std::vector<Attr> &attrs, uint16_t type)
{
    Limits result;
    for (const Attr &attr : nest(attrs, type)) {
        if (attr.type() != DEVHOST_A_LIMIT_PAD) {
            result[attr.type()] = attr.number();
        }
    }
    return result;
}

Stats parse_stats(const NetlinkMessage &message)
{
    Stats stats;
    auto attrs = nest(message.attrs, DEVHOST_A_STATS);
    for (const Attr &attr : attrs) {
        auto fields = attr.children();
        if (attr.type() == DEVHOST_A_STATS_VQ) {
            QueueStats &vq = stats.vqs[static_cast<uint32_t>(number(fields, DEVHOST_A_VQ_INDEX))];
            vq.name = text(fields, DEVHOST_A_VQ_NAME);
            vq.kicks = number(fields, DEVHOST_A_VQ_KICKS);
            vq.popped = number(fields, DEVHOST_A_VQ_POPPED);
            vq.pushed = number(fields, DEVHOST_A_VQ_PUSHED);
            vq.notified = number(fields, DEVHOST_A_VQ_NOTIFIED);
            vq.malformed = number(fields, DEVHOST_A_VQ_MALFORMED);
            vq.inflight = static_cast<uint32_t>(number(fields, DEVHOST_A_VQ_INFLIGHT));
        } else if (attr.type() == DEVHOST_A_STATS_COUNTER) {
            stats.counters[text(fields, DEVHOST_A_COUNTER_NAME)] =
                number(fields, DEVHOST_A_COUNTER_VALUE);
        }
    }
    stats.verdicts = verdicts(attrs, DEVHOST_A_STATS_VERDICT);
    return stats;
}

} // namespace

Attrs guest_attrs(const std::string &name)
{
    return Attrs().nest(DEVHOST_A_GUEST, Attrs().string(DEVHOST_A_GUEST_NAME, name));
}

Attrs guest_attrs(const std::string &name, const Limits &limits)
{
    Attrs nest;
    for (const auto &[limit, value] : limits) {
        nest.u64(limit, value);
    }
    return Attrs().nest(
        DEVHOST_A_GUEST,
        Attrs().string(DEVHOST_A_GUEST_NAME, name).nest(DEVHOST_A_GUEST_LIMITS, nest));
}

Attrs device_attrs(const std::string &guest, const std::string &name, bool force)
{
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, guest).string(DEVHOST_A_DEV_NAME, name);
    if (force) {
        fields.flag(DEVHOST_A_DEV_FORCE);
    }
    return Attrs().nest(DEVHOST_A_DEV, fields);
}

Attrs device_attrs(const DeviceParams &params)
{
    Attrs fields;
    fields.string(DEVHOST_A_DEV_GUEST, params.guest);
    fields.string(DEVHOST_A_DEV_NAME, params.name);
    fields.string(DEVHOST_A_DEV_CLASS, params.device_class);
    if (params.features_mask) {
        fields.u64(DEVHOST_A_DEV_FEATURES_MASK, *params.features_mask);
    }
    if (params.vq_size_max) {
        fields.u32(DEVHOST_A_DEV_VQ_SIZE_MAX, *params.vq_size_max);
    }
    if (params.policy_required) {
        fields.flag(DEVHOST_A_DEV_POLICY_REQUIRED);
    }
    if (params.backend) {
        fields.nest(DEVHOST_A_DEV_BACKEND, *params.backend);
    }
    return Attrs().nest(DEVHOST_A_DEV, fields);
}

GuestInfo parse_guest(const NetlinkMessage &message)
{
    auto attrs = nest(message.attrs, DEVHOST_A_GUEST);
    GuestInfo info;
    info.name = text(attrs, DEVHOST_A_GUEST_NAME);
    info.id = static_cast<uint32_t>(number(attrs, DEVHOST_A_GUEST_ID));
    info.devices = static_cast<uint32_t>(number(attrs, DEVHOST_A_GUEST_DEVICES));
    if (auto policy = find(attrs, DEVHOST_A_GUEST_POLICY)) {
        info.policy = static_cast<uint32_t>(policy->number());
    }
    info.pinned = number(attrs, DEVHOST_A_GUEST_PINNED);
    info.exported = number(attrs, DEVHOST_A_GUEST_EXPORTED);
    info.verdicts = verdicts(attrs, DEVHOST_A_GUEST_VERDICT);
    info.limits = limits(attrs, DEVHOST_A_GUEST_LIMITS);
    info.use = limits(attrs, DEVHOST_A_GUEST_USE);
    info.refused = limits(attrs, DEVHOST_A_GUEST_REFUSED);
    return info;
}

DeviceInfo parse_device(const NetlinkMessage &message)
{
    auto attrs = nest(message.attrs, DEVHOST_A_DEV);
    auto number32 = [&](uint16_t type) { return static_cast<uint32_t>(number(attrs, type)); };
    DeviceInfo info;
    info.guest = text(attrs, DEVHOST_A_DEV_GUEST);
    info.name = text(attrs, DEVHOST_A_DEV_NAME);
    info.id = number32(DEVHOST_A_DEV_ID);
    info.device_class = text(attrs, DEVHOST_A_DEV_CLASS);
    info.virtio_id = number32(DEVHOST_A_DEV_VIRTIO_ID);
    info.vdpa = text(attrs, DEVHOST_A_DEV_VDPA);
    info.state = number32(DEVHOST_A_DEV_STATE);
    info.status = static_cast<uint8_t>(number(attrs, DEVHOST_A_DEV_STATUS));
    info.reason = text(attrs, DEVHOST_A_DEV_REASON);
    info.features = number(attrs, DEVHOST_A_DEV_FEATURES);
    info.driver_features = number(attrs, DEVHOST_A_DEV_DRIVER_FEATURES);
    info.features_mask = number(attrs, DEVHOST_A_DEV_FEATURES_MASK);
    info.vq_size_max = number32(DEVHOST_A_DEV_VQ_SIZE_MAX);
    info.vqs = number32(DEVHOST_A_DEV_VQS);
    info.policy_required = find(attrs, DEVHOST_A_DEV_POLICY_REQUIRED).has_value();
    info.worker = number32(DEVHOST_A_DEV_WORKER);
    info.backend = nest(attrs, DEVHOST_A_DEV_BACKEND);
    return info;
}

NetlinkReply Control::try_guest_new(const std::string &name)
{
    return genl_.request(DEVHOST_CMD_GUEST_NEW, guest_attrs(name));
}

NetlinkReply Control::try_guest_set(const std::string &name, const Limits &limits)
{
    return genl_.request(DEVHOST_CMD_GUEST_SET, guest_attrs(name, limits));
}

NetlinkReply Control::try_guest_del(const std::string &name)
{
    return genl_.request(DEVHOST_CMD_GUEST_DEL, guest_attrs(name));
}

NetlinkReply Control::try_device_new(const DeviceParams &params)
{
    return genl_.request(DEVHOST_CMD_DEVICE_NEW, device_attrs(params));
}

NetlinkReply Control::try_device_del(const std::string &guest, const std::string &name, bool force)
{
    return genl_.request(DEVHOST_CMD_DEVICE_DEL, device_attrs(guest, name, force));
}

NetlinkReply Control::device_del_patiently(const std::string &guest, const std::string &name)
{
    for (int tries = 0;; tries++) {
        NetlinkReply reply = try_device_del(guest, name);
        if (reply.error != -EBUSY || tries == 100) {
            return reply;
        }
        usleep(20000);
    }
}

GuestInfo Control::guest_new(const std::string &name)
{
    NetlinkReply reply = try_guest_new(name);
    one(reply, "creating guest " + name);
    return parse_guest(reply.messages.front());
}

void Control::guest_set(const std::string &name, const Limits &limits)
{
    NetlinkReply reply = try_guest_set(name, limits);
    if (reply.error) {
        throw std::runtime_error("limits of guest " + name + ": " + strerror(-reply.error) + " " +
                                 reply.extack);
    }
}

void Control::guest_del(const std::string &name)
{
    NetlinkReply reply = try_guest_del(name);
    if (reply.error) {
        throw std::runtime_error("removing guest " + name + ": " + strerror(-reply.error) + " " +
                                 reply.extack);
    }
}

DeviceInfo Control::device_new(const DeviceParams &params)
{
    NetlinkReply reply = try_device_new(params);
    one(reply, "creating device " + params.guest + "/" + params.name);
    return parse_device(reply.messages.front());
}

void Control::device_del(const std::string &guest, const std::string &name)
{
    NetlinkReply reply = try_device_del(guest, name);
    if (reply.error) {
        throw std::runtime_error("removing device " + guest + "/" + name + ": " +
                                 strerror(-reply.error) + " " + reply.extack);
    }
}

GuestInfo Control::guest(const std::string &name)
{
    NetlinkReply reply = genl_.request(DEVHOST_CMD_GUEST_GET, guest_attrs(name));
    one(reply, "reading guest " + name);
    return parse_guest(reply.messages.front());
}

DeviceInfo Control::device(const std::string &guest, const std::string &name)
{
    NetlinkReply reply = genl_.request(DEVHOST_CMD_DEVICE_GET, device_attrs(guest, name));
    one(reply, "reading device " + guest + "/" + name);
    return parse_device(reply.messages.front());
}

Stats Control::stats(const std::string &guest, const std::string &name)
{
    Attrs fields;
    fields.string(DEVHOST_A_STATS_GUEST, guest).string(DEVHOST_A_STATS_DEV, name);
    const NetlinkReply reply =
        genl_.request(DEVHOST_CMD_STATS_GET, Attrs().nest(DEVHOST_A_STATS, fields));
    one(reply, "reading statistics of " + guest + "/" + name);
    return parse_stats(reply.messages.front());
}

std::vector<GuestInfo> Control::guests()
{
    std::vector<GuestInfo> list;
    for (const NetlinkMessage &m : genl_.request(DEVHOST_CMD_GUEST_GET, {}, true).messages) {
        list.push_back(parse_guest(m));
    }
    return list;
}

std::vector<DeviceInfo> Control::devices()
{
    std::vector<DeviceInfo> list;
    for (const NetlinkMessage &m : genl_.request(DEVHOST_CMD_DEVICE_GET, {}, true).messages) {
        list.push_back(parse_device(m));
    }
    return list;
}

std::string vhost_path(const std::string &vdpa)
{
    const std::string dir = "/sys/bus/vdpa/devices/" + vdpa;
    for (int tries = 0; tries < 500; tries++) {
        if (DIR *listing = opendir(dir.c_str())) {
            std::string node;
            while (dirent *entry = readdir(listing)) {
                if (!strncmp(entry->d_name, "vhost-vdpa-", 11)) {
                    node = std::string("/dev/") + entry->d_name;
                }
            }
            closedir(listing);
            if (!node.empty() && access(node.c_str(), F_OK) == 0) {
                return node;
            }
        }
        usleep(10000);
    }
    throw std::runtime_error("no vhost-vdpa node for " + vdpa + ": is vhost_vdpa loaded?");
}

TestDevice::TestDevice(DeviceParams params) : params_(std::move(params))
{
    if (params_.guest.empty()) {
        params_.guest = "selftest";
    }
    if (params_.name.empty()) {
        params_.name = params_.device_class + "0";
    }

    NetlinkReply reply = control_.try_guest_new(params_.guest);
    if (reply.error && reply.error != -EEXIST) {
        throw std::runtime_error("creating guest " + params_.guest + ": " + reply.extack);
    }
    own_guest_ = !reply.error;
    try {
        path_ = vhost_path(control_.device_new(params_).vdpa);
        present_ = true;
    } catch (...) {
        control_.try_device_del(params_.guest, params_.name);
        if (own_guest_) {
            control_.try_guest_del(params_.guest);
        }
        throw;
    }
}

TestDevice::~TestDevice()
{
    try {
        remove();
    } catch (const std::exception &error) {
        tap::fail_later(error.what());
    }
}

uint64_t TestDevice::pinned_down_to(uint64_t bytes)
{
    uint64_t now = 0;
    within(5000, [&] { return (now = pinned()) <= bytes; });
    return now;
}

std::vector<std::string> TestDevice::helpers() const
{
    // Of kernel threads /proc tells the whole name.
    const std::string comm = "dj-" + guest() + "." + name() + "\n";
    std::vector<std::string> found;
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
        // Of one that has ended meanwhile there is nothing to read.
        if (isdigit(entry.path().filename().c_str()[0]) &&
            read_file(entry.path() / "comm") == comm) {
            found.push_back(entry.path().filename());
        }
    }
    return found;
}

void TestDevice::remove()
{
    if (!present_) {
        return;
    }
    present_ = false;
    const NetlinkReply reply = control_.device_del_patiently(params_.guest, params_.name);
    if (reply.error) {
        throw std::runtime_error("removing the test device: " +
                                 std::string(strerror(-reply.error)) + " " + reply.extack);
    }
    if (own_guest_) {
        control_.guest_del(params_.guest);
    }
}

} // namespace dh
