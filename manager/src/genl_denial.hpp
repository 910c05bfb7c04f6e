// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include "kernel.hpp"

namespace devhost {

/// Throws Cause::kernel where the message lacks what it must have.
DenialInfo decode_denial(nlmsghdr *header);

} // namespace devhost
