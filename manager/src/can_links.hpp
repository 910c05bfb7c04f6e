// SPDX-License-Identifier: Apache-2.0
//
// Settings of CAN interfaces (rtnetlink): bit rates, FD, restart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config.hpp"
#include "netlink.hpp"

namespace devhost {

/// What the interface has now. A virtual one (vcan) has none of the optional ones.
struct CanLinkInfo {
    std::string kind; // "can", "vcan", "vxcan"
    bool up = false;
    std::optional<std::uint32_t> bitrate;
    std::optional<std::uint32_t> sample_point; // tenths of a percent
    std::optional<std::uint32_t> data_bitrate;
    std::optional<std::uint32_t> data_sample_point;
    std::optional<bool> fd;
    std::optional<std::uint32_t> restart_ms;
    std::optional<std::uint32_t> state; // enum can_state
    bool operator==(const CanLinkInfo &) const = default;
};

/// Whether the interface already is as the configuration wants it.
bool satisfies(const CanLinkInfo &link, const CanDeviceConfig &wanted);

/// Throws Error. A fake takes its place in tests.
class CanLinks {
public:
    virtual ~CanLinks() = default;

    /// Empty where there is no such interface.
    virtual std::optional<CanLinkInfo> read(const std::string &interface) = 0;
    /// Sets what @p wanted names and brings the interface up; takes it down for that only where
    /// something differs.
    virtual void apply(const std::string &interface, const CanDeviceConfig &wanted) = 0;
    /// Ends bus-off.
    virtual void restart(const std::string &interface) = 0;

    /// Readable when read_events() has something.
    [[nodiscard]] virtual int event_fd() const = 0;
    /// Names of interfaces that changed; empty optional when some were lost.
    virtual std::optional<std::vector<std::string>> read_events() = 0;
};

/// The kernel's.
class RtnlCanLinks final : public CanLinks {
public:
    RtnlCanLinks();

    std::optional<CanLinkInfo> read(const std::string &interface) override;
    void apply(const std::string &interface, const CanDeviceConfig &wanted) override;
    void restart(const std::string &interface) override;
    [[nodiscard]] int event_fd() const override;
    std::optional<std::vector<std::string>> read_events() override;

private:
    NlSocket requests_;
    NlSocket events_;
};

} // namespace devhost
