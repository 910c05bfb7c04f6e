// SPDX-License-Identifier: Apache-2.0
//
// Log lines that name guest and device, also as journal fields.
#pragma once

#include <string>

namespace devhost {

/// What a line is about; empty fields are left out.
struct Subject {
    std::string guest;
    std::string device;
};

void log_error(const Subject &subject, const std::string &text);
void log_warning(const Subject &subject, const std::string &text);
void log_info(const Subject &subject, const std::string &text);

} // namespace devhost
