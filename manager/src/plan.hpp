// SPDX-License-Identifier: Apache-2.0
//
// What has to be done so that a guest is as its file says.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "host.hpp"

namespace devhost {

namespace step {

struct CreateGuest {
    bool operator==(const CreateGuest &) const = default;
};
struct SetLimits {
    bool operator==(const SetLimits &) const = default;
};
struct SetPolicy {
    bool operator==(const SetPolicy &) const = default;
};
struct ClearPolicy {
    bool operator==(const ClearPolicy &) const = default;
};
struct RemoveDevice {
    std::string name;
    bool operator==(const RemoveDevice &) const = default;
};
struct CreateDevice {
    std::string name;
    bool operator==(const CreateDevice &) const = default;
};
/// What differs cannot change on a device that exists.
struct ReplaceDevice {
    std::string name;
    bool operator==(const ReplaceDevice &) const = default;
};
struct SetFeaturesMask {
    std::string name;
    bool operator==(const SetFeaturesMask &) const = default;
};
struct SetLink {
    std::string name;
    bool operator==(const SetLink &) const = default;
};

} // namespace step

using Step = std::variant<step::CreateGuest, step::SetLimits, step::SetPolicy, step::ClearPolicy,
                          step::RemoveDevice, step::CreateDevice, step::ReplaceDevice,
                          step::SetFeaturesMask, step::SetLink>;

/// @p existing: the guest as it is, or nullptr. The steps are in the order in which they must be
/// done; they say what of @p wanted is due.
std::vector<Step> plan(const GuestConfig &wanted, const Guest *existing);

/// Interfaces for which two devices want different settings: one sentence each.
std::vector<std::string> link_conflicts(const std::vector<GuestConfig> &guests);

} // namespace devhost
