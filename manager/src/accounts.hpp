// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <sys/types.h>

namespace devhost {

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
    bool operator==(const Owner &) const = default;
};

/// Numbers of the accounts that own a guest's nodes; empty names are root. Throws
/// Cause::invalid_args for an account that does not exist.
Owner owner_of(const std::string &user, const std::string &group);

} // namespace devhost
