// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace devhost {

/// Causes that a caller can tell apart; each has a D-Bus error name.
enum class Cause {
    invalid_args,
    access_denied,
    no_such_guest,
    no_such_device,
    guest_exists,
    device_exists,
    guest_busy,
    device_busy,
    no_node,
    no_policy,
    program_refused,
    not_supported,
    limits_exceeded,
    kernel_unavailable,
    kernel,
    config_invalid,
    failed,
};

/// D-Bus name of a cause.
const char *bus_error_name(Cause cause);

/// What every part of the manager throws: a cause and one sentence that says what to do.
class Error : public std::runtime_error {
public:
    Error(Cause cause, const std::string &sentence) : std::runtime_error(sentence), cause_(cause) {}

    [[nodiscard]] Cause cause() const { return cause_; }

private:
    Cause cause_;
};

/// What errno says, as text.
std::string errno_text(int error);

/// An Error for a failed system call: "<what>: <strerror>".
Error system_error(int error, const std::string &what);

} // namespace devhost
