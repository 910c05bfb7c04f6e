// SPDX-License-Identifier: Apache-2.0
//
// What netlink messages say of SCMI devices.
#pragma once

#include <netlink/msg.h>

#include "kernel.hpp"

namespace devhost {

void put_backend(nl_msg &message, const ScmiDeviceConfig &scmi, const BackendFiles &files);
void put_announcement(nl_msg &message, const std::string &guest, const std::string &name,
                      const ScmiAnnouncement &announcement);
void put_ceiling(nl_msg &message, const std::string &guest, const std::string &name,
                 devhost_scmi_kind kind, std::uint32_t id, std::optional<std::uint64_t> level);
void put_reading(nl_msg &message, const std::string &guest, const std::string &name,
                 std::uint32_t id, std::int64_t value);
/// @p index: one of them; empty: to be dumped.
void put_resources_of(nl_msg &message, const std::string &guest, const std::string &name,
                      std::optional<std::uint32_t> index);

ScmiBackendInfo scmi_from(const nlattr *nest);
ResourceInfo decode_resource(nlmsghdr *header);

} // namespace devhost
