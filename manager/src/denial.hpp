// SPDX-License-Identifier: Apache-2.0
//
// What a policy is against, as people read it.
#pragma once

#include <string>

#include "kernel.hpp"

namespace devhost {

/// Name of a verdict, as statistics have it.
std::string verdict_name(std::uint32_t verdict);

/// One line for the journal.
std::string describe(const DenialInfo &denial);

} // namespace devhost
