// SPDX-License-Identifier: Apache-2.0
//
// Messages of the generic netlink family "devhost" as typed values.
#pragma once

#include <netlink/msg.h>
#include <optional>
#include <string>

#include "kernel.hpp"

namespace devhost {

void put_guest(nl_msg &message, const std::string &name);
void put_guest_limits(nl_msg &message, const std::string &name, const Limits &limits);
void put_guest_removal(nl_msg &message, const std::string &name, bool force);
void put_device(nl_msg &message, const std::string &guest, const std::string &name);
void put_device_removal(nl_msg &message, const std::string &guest, const std::string &name,
                        bool force);
void put_features_mask(nl_msg &message, const std::string &guest, const std::string &name,
                       std::uint64_t mask);
void put_new_device(nl_msg &message, const std::string &guest, const DeviceConfig &device,
                    const BackendFiles &files);
void put_sound(nl_msg &message, const std::string &guest, const std::string &name,
               const SndFiles &files);
void put_codec(nl_msg &message, const std::string &guest, const std::string &name,
               const VideoFile &file);
void put_jacks(nl_msg &message, const std::string &guest, const std::string &name,
               const std::vector<bool> &connected);
void put_statistics_of(nl_msg &message, const std::string &guest, const std::string &name);

/// These throw Cause::kernel where the message lacks what it must have.
GuestInfo decode_guest(nlmsghdr *header);
DeviceInfo decode_device(nlmsghdr *header);
DeviceStatistics decode_statistics(nlmsghdr *header);

/// Empty for a notification that this version does not know.
std::optional<KernelEvent> decode_event(nlmsghdr *header);

} // namespace devhost
