// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kernel.hpp"
#include "netlink.hpp"

namespace devhost {

/// Carries requests of the family "devhost". A fake takes the place of the socket in tests.
class GenlChannel {
public:
    using Fill = std::function<void(nl_msg &)>;

    virtual ~GenlChannel() = default;
    /// Throws NetlinkError.
    virtual std::vector<NlReply> request(std::uint8_t command, bool dump, const Fill &fill) = 0;
    [[nodiscard]] virtual int event_fd() const = 0;
    /// False when some were lost.
    virtual bool read_events(const std::function<void(nlmsghdr *)> &each) = 0;
};

/// The real one. Throws Cause::kernel_unavailable where the kernel module is not loaded.
std::unique_ptr<GenlChannel> open_genl_channel();

/// The kernel, spoken to by generic netlink.
class GenlKernel final : public Kernel {
public:
    explicit GenlKernel(std::unique_ptr<GenlChannel> channel) : channel_(std::move(channel)) {}

    std::vector<GuestInfo> guests() override;
    std::vector<DeviceInfo> devices() override;
    GuestInfo guest(const std::string &name) override;
    DeviceInfo device(const std::string &guest, const std::string &name) override;
    GuestInfo create_guest(const std::string &name, const Limits &limits) override;
    GuestInfo set_limits(const std::string &name, const Limits &limits) override;
    void remove_guest(const std::string &name, bool force) override;
    DeviceInfo create_device(const std::string &guest, const DeviceConfig &device,
                             const BackendFiles &files) override;
    DeviceInfo set_sound(const std::string &guest, const std::string &name,
                         const SndFiles &files) override;
    DeviceInfo set_codec(const std::string &guest, const std::string &name,
                         const VideoFile &file) override;
    DeviceInfo set_jacks(const std::string &guest, const std::string &name,
                         const std::vector<bool> &connected) override;
    std::vector<ScmiResourceInfo> resources(const std::string &guest,
                                            const std::string &name) override;
    ScmiResourceInfo resource(const std::string &guest, const std::string &name,
                              std::uint32_t index) override;
    void set_ceiling(const std::string &guest, const std::string &name, devhost_scmi_kind kind,
                     std::uint32_t id, std::optional<std::uint64_t> level) override;
    void push_reading(const std::string &guest, const std::string &name, std::uint32_t id,
                      std::int64_t value) override;
    void announce(const std::string &guest, const std::string &name,
                  const ScmiAnnouncement &announcement) override;
    void remove_device(const std::string &guest, const std::string &name, bool force) override;
    DeviceInfo set_features_mask(const std::string &guest, const std::string &name,
                                 std::uint64_t mask) override;
    DeviceStatistics statistics(const std::string &guest, const std::string &name) override;
    [[nodiscard]] int event_fd() const override { return channel_->event_fd(); }
    std::vector<KernelEvent> read_events() override;

private:
    /// DEVICE_SET.
    void change(const std::string &guest, const std::string &name, const GenlChannel::Fill &fill);

    std::unique_ptr<GenlChannel> channel_;
};

} // namespace devhost
