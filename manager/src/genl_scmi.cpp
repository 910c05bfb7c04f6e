// SPDX-License-Identifier: Apache-2.0
#include "genl_scmi.hpp"

#include "genl_attributes.hpp"
#include "netlink.hpp"

namespace devhost {

namespace {

void put_signed(nl_msg &message, int type, std::int32_t number)
{
    put(message, type, static_cast<std::uint32_t>(number));
}

void put_resource(nl_msg &message, const ScmiResourceConfig &resource)
{
    const Nest item(message, DEVHOST_A_SCMI_RESOURCES_ITEM);
    put(message, DEVHOST_A_SCMI_RES_KIND, static_cast<std::uint32_t>(resource.kind));
    put(message, DEVHOST_A_SCMI_RES_HOST, resource.kernel_host());
    put(message, DEVHOST_A_SCMI_RES_NAME, resource.guest_name());
    if (!resource.device.empty()) {
        put(message, DEVHOST_A_SCMI_RES_DEVICE, resource.device);
    }
    put(message, DEVHOST_A_SCMI_RES_SOURCE, static_cast<std::uint32_t>(resource.source));
    put_flag(message, DEVHOST_A_SCMI_RES_READ_ONLY, resource.read_only);
    if (resource.level_min) {
        put(message, DEVHOST_A_SCMI_RES_LEVEL_MIN, *resource.level_min);
    }
    if (resource.level_max) {
        put(message, DEVHOST_A_SCMI_RES_LEVEL_MAX, *resource.level_max);
    }
    if (resource.type) {
        put(message, DEVHOST_A_SCMI_RES_TYPE, *resource.type);
    }
    if (resource.scale) {
        put_signed(message, DEVHOST_A_SCMI_RES_SCALE, *resource.scale);
    }
}

// The nests around what is set of a device's backend, open while the object lives.
class Change {
public:
    Change(nl_msg &message, const std::string &guest, const std::string &name)
        : device_(message, DEVHOST_A_DEV),
          backend_(named(message, guest, name), DEVHOST_A_DEV_BACKEND)
    {
    }

private:
    static nl_msg &named(nl_msg &message, const std::string &guest, const std::string &name)
    {
        put(message, DEVHOST_A_DEV_GUEST, guest);
        put(message, DEVHOST_A_DEV_NAME, name);
        return message;
    }

    Nest device_;
    Nest backend_;
};

} // namespace

void put_backend(nl_msg &message, const ScmiDeviceConfig &scmi, const BackendFiles & /*files*/)
{
    if (!scmi.agent.empty()) {
        put(message, DEVHOST_A_SCMI_AGENT, scmi.agent);
    }
    put_flag(message, DEVHOST_A_SCMI_SYSTEM_POWER, scmi.system_power);
    const std::uint32_t before = nlmsg_hdr(&message)->nlmsg_len;
    const Nest resources(message, DEVHOST_A_SCMI_RESOURCES);
    for (const ScmiResourceConfig &resource : scmi.resources) {
        put_resource(message, resource);
    }
    // The length of an attribute has 16 bits.
    if (nlmsg_hdr(&message)->nlmsg_len - before > UINT16_MAX) {
        throw Error(Cause::limits_exceeded, "The resources' names are too long in all: give the "
                                            "guest shorter ones, or fewer resources.");
    }
}

void put_announcement(nl_msg &message, const std::string &guest, const std::string &name,
                      const ScmiAnnouncement &announcement)
{
    const Change change(message, guest, name);
    const Nest nest(message, DEVHOST_A_SCMI_ANNOUNCE);
    put(message, DEVHOST_A_SCMI_ANNOUNCE_STATE, announcement.state);
    put(message, DEVHOST_A_SCMI_ANNOUNCE_FLAGS, announcement.flags);
    put(message, DEVHOST_A_SCMI_ANNOUNCE_TIMEOUT, announcement.timeout_ms);
}

void put_ceiling(nl_msg &message, const std::string &guest, const std::string &name,
                 devhost_scmi_kind kind, std::uint32_t id, std::optional<std::uint64_t> level)
{
    const Change change(message, guest, name);
    const Nest nest(message, DEVHOST_A_SCMI_CEILING);
    put(message, DEVHOST_A_SCMI_CEILING_KIND, static_cast<std::uint32_t>(kind));
    put(message, DEVHOST_A_SCMI_CEILING_ID, id);
    if (level) {
        put(message, DEVHOST_A_SCMI_CEILING_LEVEL, *level);
    }
}

void put_reading(nl_msg &message, const std::string &guest, const std::string &name,
                 std::uint32_t id, std::int64_t value)
{
    const Change change(message, guest, name);
    const Nest nest(message, DEVHOST_A_SCMI_READING);
    put(message, DEVHOST_A_SCMI_READING_ID, id);
    put(message, DEVHOST_A_SCMI_READING_VALUE, static_cast<std::uint64_t>(value));
}

void put_resources_of(nl_msg &message, const std::string &guest, const std::string &name,
                      std::optional<std::uint32_t> index)
{
    const Nest nest(message, DEVHOST_A_RESOURCE);
    put(message, DEVHOST_A_RESOURCE_GUEST, guest);
    put(message, DEVHOST_A_RESOURCE_DEV, name);
    if (index) {
        put(message, DEVHOST_A_RESOURCE_INDEX, *index);
    }
}

ScmiBackendInfo scmi_from(const nlattr *nest)
{
    const Attributes scmi(nest, DEVHOST_A_SCMI_MAX);
    ScmiBackendInfo info{.agent = scmi.text(DEVHOST_A_SCMI_AGENT),
                         .system_power = scmi.has(DEVHOST_A_SCMI_SYSTEM_POWER),
                         .resources = scmi.number32(DEVHOST_A_SCMI_NUM_RESOURCES),
                         .request = {}};
    if (const nlattr *inner = scmi.find(DEVHOST_A_SCMI_REQUEST)) {
        const Attributes request(inner, DEVHOST_A_SCMI_REQUEST_MAX);
        info.request = {.state = request.number32(DEVHOST_A_SCMI_REQUEST_STATE),
                        .flags = request.number32(DEVHOST_A_SCMI_REQUEST_FLAGS),
                        .seq = request.number32(DEVHOST_A_SCMI_REQUEST_SEQ),
                        .since = request.number(DEVHOST_A_SCMI_REQUEST_SINCE)};
    }
    return info;
}

ResourceInfo decode_resource(nlmsghdr *header)
{
    const Attributes resource = contents(header, DEVHOST_A_RESOURCE, DEVHOST_A_RESOURCE_MAX);
    ResourceInfo info{.guest = resource.text(DEVHOST_A_RESOURCE_GUEST),
                      .device = resource.text(DEVHOST_A_RESOURCE_DEV),
                      .index = resource.number32(DEVHOST_A_RESOURCE_INDEX),
                      .scmi = {}};
    const nlattr *nest = resource.find(DEVHOST_A_RESOURCE_BACKEND);
    if (nest == nullptr) {
        return info;
    }
    const Attributes of(nest, DEVHOST_A_SCMI_RES_MAX);
    info.scmi = {
        .kind = static_cast<devhost_scmi_kind>(of.number32(DEVHOST_A_SCMI_RES_KIND)),
        .id = of.number32(DEVHOST_A_SCMI_RES_ID),
        .name = of.text(DEVHOST_A_SCMI_RES_NAME),
        .host = of.text(DEVHOST_A_SCMI_RES_HOST),
        .device = of.text(DEVHOST_A_SCMI_RES_DEVICE),
        .source = static_cast<devhost_scmi_source>(of.number32(DEVHOST_A_SCMI_RES_SOURCE)),
        .read_only = of.has(DEVHOST_A_SCMI_RES_READ_ONLY),
        .level_min = of.number(DEVHOST_A_SCMI_RES_LEVEL_MIN),
        .level_max = of.number(DEVHOST_A_SCMI_RES_LEVEL_MAX),
        .type = of.number32(DEVHOST_A_SCMI_RES_TYPE),
        .scale = static_cast<std::int32_t>(of.number32(DEVHOST_A_SCMI_RES_SCALE)),
        .vote_on = of.has(DEVHOST_A_SCMI_RES_VOTE_ON),
        .vote_level = of.optional64(DEVHOST_A_SCMI_RES_VOTE_LEVEL),
        .vote_since = of.optional64(DEVHOST_A_SCMI_RES_VOTE_SINCE),
        .on = of.has(DEVHOST_A_SCMI_RES_ON),
        .level = of.number(DEVHOST_A_SCMI_RES_LEVEL),
        .ceiling = of.optional64(DEVHOST_A_SCMI_RES_CEILING),
        .limit = static_cast<devhost_scmi_limit>(of.number32(DEVHOST_A_SCMI_RES_LIMIT)),
        .holders = of.number32(DEVHOST_A_SCMI_RES_HOLDERS),
    };
    return info;
}

} // namespace devhost
