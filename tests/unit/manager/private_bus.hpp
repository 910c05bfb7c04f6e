// SPDX-License-Identifier: Apache-2.0
//
// A D-Bus daemon for one test, open to every user of the machine.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

#include "bus_message.hpp"
#include "fakes.hpp"

namespace devhost::test {

inline constexpr uid_t unprivileged_uid = 65534;

class PrivateBus {
public:
    PrivateBus();
    PrivateBus(const PrivateBus &) = delete;
    PrivateBus &operator=(const PrivateBus &) = delete;
    ~PrivateBus();

    [[nodiscard]] const std::string &address() const { return address_; }
    /// As this process, or as another user where this process is root.
    [[nodiscard]] Bus connect(std::optional<uid_t> as = std::nullopt) const;

private:
    TemporaryDirectory directory_;
    std::string address_;
    pid_t daemon_ = -1;
};

} // namespace devhost::test
