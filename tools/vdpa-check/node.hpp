// SPDX-License-Identifier: Apache-2.0
// The node that is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "guest.hpp"

namespace dh::vdpa_check {

struct Subject {
    std::string path;
    size_t memory = size_t{64} << 20; // of guest RAM, in bytes
};

// What the command line says.
Subject &subject();

// Opens the node; where that fails, tells what to do about it.
Vdpa open_node();
// Opens it and becomes its owner.
Vdpa own_node();

// A driver of the device, with queues of a size that it has. Skips the check where it does not
// offer that kind of ring.
GuestSetup usual_setup(RingKind ring);

// Fails with @why unless @result is the refusal -@error.
void refused(int result, int error, const std::string &why);

// "VERSION_1, ACCESS_PLATFORM, bit 3": names of feature bits.
std::string feature_names(uint64_t features);
std::string backend_feature_names(uint64_t features);

} // namespace dh::vdpa_check
