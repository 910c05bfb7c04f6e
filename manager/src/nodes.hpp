// SPDX-License-Identifier: Apache-2.0
//
// The character devices of vhost-vdpa under their guests' names: /dev/devhost/GUEST/DEVICE.
//
// The kernel announces no event for the node itself (it has neither class nor bus), only for the
// device on the vdpa bus. So udev cannot name it, and this does.
#pragma once

#include <filesystem>
#include <string>

#include "accounts.hpp"
#include "unique_fd.hpp"

namespace devhost {

class Nodes {
public:
    explicit Nodes(std::filesystem::path sys = "/sys", std::filesystem::path dev = "/dev");

    /// Path of the node, as /dev/vhost-vdpa-0; empty while vhost_vdpa has not the device.
    [[nodiscard]] std::string path(const std::string &vdpa_name) const;

    /// Makes owner, mode and link of a device's node what they must be; without a node, removes
    /// the link. Returns path(). Throws Error.
    std::string publish(const std::string &guest, const std::string &device,
                        const std::string &vdpa_name, const Owner &owner) const;

    /// Removes the link of a device that is gone.
    void withdraw(const std::string &guest, const std::string &device) const;

    /// Opens the node for a VMM. Throws Cause::no_node, Cause::device_busy.
    [[nodiscard]] UniqueFd open(const std::string &vdpa_name) const;

private:
    std::filesystem::path sys_;
    std::filesystem::path dev_;
};

} // namespace devhost
