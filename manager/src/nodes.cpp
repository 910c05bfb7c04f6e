// SPDX-License-Identifier: Apache-2.0
#include "nodes.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

#include "error.hpp"

namespace fs = std::filesystem;

namespace devhost {

namespace {

void check(bool good, const std::string &what, const fs::path &path)
{
    if (!good) {
        throw system_error(errno, what + " " + path.string());
    }
}

void point(const fs::path &link, const fs::path &target)
{
    std::error_code error;
    if (fs::read_symlink(link, error) == target) {
        return;
    }
    fs::create_directories(link.parent_path(), error);
    // Renamed into place, so that there is no moment without it.
    const fs::path fresh = link.string() + ".new";
    fs::remove(fresh, error);
    fs::create_symlink(target, fresh, error);
    if (!error) {
        fs::rename(fresh, link, error);
    }
    if (error) {
        throw system_error(error.value(), "Cannot make the link " + link.string());
    }
}

} // namespace

Nodes::Nodes(fs::path sys, fs::path dev) : sys_(std::move(sys)), dev_(std::move(dev)) {}

std::string Nodes::path(const std::string &vdpa_name) const
{
    std::error_code error;
    for (const auto &entry : fs::directory_iterator(sys_ / "bus/vdpa/devices" / vdpa_name, error)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("vhost-vdpa-")) {
            return dev_ / name;
        }
    }
    return {};
}

std::string Nodes::publish(const std::string &guest, const std::string &device,
                           const std::string &vdpa_name, const Owner &owner) const
{
    const fs::path node = path(vdpa_name);
    if (node.empty()) {
        withdraw(guest, device);
        return {};
    }
    struct stat status{};
    check(stat(node.c_str(), &status) == 0, "Cannot find", node);
    const mode_t mode = owner.gid == 0 ? 0600 : 0660;
    // The mode first: it must never be wider than the owner is meant to have.
    if ((status.st_mode & 07777) != mode) {
        check(chmod(node.c_str(), mode) == 0, "Cannot set the mode of", node);
    }
    if (status.st_uid != owner.uid || status.st_gid != owner.gid) {
        check(chown(node.c_str(), owner.uid, owner.gid) == 0, "Cannot set the owner of", node);
    }
    point(dev_ / "devhost" / guest / device, fs::path("../..") / node.filename());
    return node;
}

void Nodes::withdraw(const std::string &guest, const std::string &device) const
{
    std::error_code ignored;
    fs::remove(dev_ / "devhost" / guest / device, ignored);
    fs::remove(dev_ / "devhost" / guest, ignored); // stays where it has other links
}

UniqueFd Nodes::open(const std::string &vdpa_name) const
{
    const std::string node = path(vdpa_name);
    if (node.empty()) {
        throw Error(Cause::no_node, "The device '" + vdpa_name +
                                        "' has no vhost-vdpa node: run 'modprobe vhost_vdpa', or "
                                        "bind the device to that driver.");
    }
    UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd && errno == EBUSY) {
        throw Error(Cause::device_busy,
                    "A VMM has the device '" + vdpa_name + "' open: stop it first.");
    }
    check(static_cast<bool>(fd), "Cannot open", node);
    return fd;
}

} // namespace devhost
