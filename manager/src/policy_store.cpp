// SPDX-License-Identifier: Apache-2.0
//
// Pins of a guest, below /sys/fs/bpf/devhost/<guest>/:
//
//   link             what keeps the policy in force
//   <id>/rules ...   the instance that the link holds, by the id of its map
//
// An instance is pinned before the link turns to it and its predecessor is unpinned
// after, so that at any moment, also one at which this process dies, the link names the
// instance that is in force and that instance can be read.
#include "policy_store.hpp"

#include <cerrno>
#include <format>
#include <utility>

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "error.hpp"
#include "paths.hpp"
#include "policy_own.hpp"
#include "policy_program.hpp"

namespace devhost {

namespace {

using std::filesystem::path;

constexpr const char *link_name = "link";
constexpr const char *new_link_name = "link-new"; // bpffs takes no dots

void make_directory(const path &directory)
{
    if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
        throw PolicyError(
            std::format("cannot create {}: {}", directory.string(), errno_text(errno)));
    }
}

void require_bpffs(const path &directory)
{
    struct statfs fs{};

    if (::statfs(directory.c_str(), &fs) != 0 || fs.f_type != BPF_FS_MAGIC) {
        throw PolicyError(
            std::format("{} is not on a BPF file system: mount -t bpf bpf /sys/fs/bpf",
                        directory.string()),
            {}, Cause::not_supported);
    }
}

void remove_all_quietly(const path &what)
{
    std::error_code ignored;

    std::filesystem::remove_all(what, ignored);
}

path instance_of(const path &pins, std::uint32_t id)
{
    return pins / std::to_string(id);
}

// Takes away all instances but one; 0: all.
void remove_instances(const path &pins, std::uint32_t except)
{
    std::error_code error;
    std::vector<path> stale;

    for (const auto &entry : std::filesystem::directory_iterator(pins, error)) {
        if (entry.path().filename() != link_name && entry.path() != instance_of(pins, except)) {
            stale.push_back(entry.path());
        }
    }
    for (const path &one : stale) {
        remove_all_quietly(one);
    }
}

UniqueFd open_link(const path &pins)
{
    return UniqueFd(bpf_obj_get((pins / link_name).c_str()));
}

// Id of the instance that a link holds, 0 where it holds none (any more).
std::uint32_t held_by(const UniqueFd &link)
{
    bpf_link_info info{};
    std::uint32_t size = sizeof(info);

    if (!link || bpf_link_get_info_by_fd(link.get(), &info, &size) != 0 ||
        info.type != BPF_LINK_TYPE_STRUCT_OPS) {
        return 0;
    }
    return info.struct_ops.map_id;
}

void pin_link(const UniqueFd &link, const path &pins)
{
    const path fresh = pins / new_link_name;
    const path final = pins / link_name;

    remove_all_quietly(fresh);
    if (bpf_obj_pin(link.get(), fresh.c_str()) != 0 ||
        ::rename(fresh.c_str(), final.c_str()) != 0) {
        throw PolicyError(std::format("cannot pin {}: {}", final.string(), errno_text(errno)));
    }
}

void replace(const path &pins, const PolicyInstance &program)
{
    const UniqueFd link = open_link(pins);

    if (!link) {
        throw PolicyError("the guest has a policy that devhost did not attach: "
                          "find it with bpftool link show and detach it");
    }
    if (bpf_link_update(link.get(), program.map_fd(), nullptr) != 0) {
        throw PolicyError("cannot replace the policy: " + errno_text(errno));
    }
}

// Whose policy a pinned instance is, and what it says.
std::pair<std::uint32_t, PolicyConfig> read_back(const path &instance)
{
    const PolicyLayout layout = PinnedPolicy(instance).layout();
    PolicyConfig policy = read_layout(layout);

    policy.own = read_own(instance);
    return {layout.can.rules.guest, std::move(policy)};
}

} // namespace

PolicyStore::PolicyStore() : PolicyStore(programs_directory, "/sys/fs/bpf/devhost") {}

PolicyStore::PolicyStore(path programs, path pins)
    : programs_(std::move(programs)), pins_(std::move(pins))
{
}

path PolicyStore::pins_of(std::string_view guest_name) const
{
    return pins_ / guest_name;
}

std::unique_ptr<PolicyInstance> PolicyStore::load(const PolicyGuest &guest,
                                                  const PolicyConfig &policy) const
{
    auto rules =
        std::make_unique<PolicyProgram>(programs_, lay_out(policy, guest.id, guest.devices));

    if (policy.own) {
        return std::make_unique<OwnPolicy>(policy.own->path, guest.id, std::move(rules));
    }
    return rules;
}

void PolicyStore::apply(const PolicyGuest &guest, const PolicyConfig &policy)
{
    const auto program = load(guest, policy);
    const std::uint32_t id = program->map_id();
    const path pins = pins_of(guest.name);
    const path instance = instance_of(pins, id);

    make_directory(pins_);
    require_bpffs(pins_);
    make_directory(pins);
    remove_all_quietly(instance);
    make_directory(instance);
    try {
        program->pin(instance);
        if (const UniqueFd link = program->attach()) {
            pin_link(link, pins);
        } else {
            replace(pins, *program);
        }
    } catch (...) {
        remove_all_quietly(instance);
        throw;
    }
    remove_instances(pins, id);
}

void PolicyStore::remove(std::string_view guest_name)
{
    const path pins = pins_of(guest_name);

    // Without this the policy would go some time after its last pin.
    if (const UniqueFd link = open_link(pins)) {
        bpf_link_detach(link.get());
    }
    remove_all_quietly(pins);
}

std::optional<PolicyConfig> PolicyStore::adopt(const PolicyGuest &guest)
{
    const path pins = pins_of(guest.name);
    const std::uint32_t id = held_by(open_link(pins));

    if (id == 0) {
        remove_all_quietly(pins);
        return std::nullopt;
    }
    remove_instances(pins, id);

    const auto [whose, policy] = read_back(instance_of(pins, id));
    if (whose != guest.id) {
        remove(guest.name);
        return std::nullopt;
    }
    return policy;
}

bool PolicyStore::active(std::string_view guest_name) const
{
    return held_by(open_link(pins_of(guest_name))) != 0;
}

PolicyCounters PolicyStore::counters(std::string_view guest_name) const
{
    const path pins = pins_of(guest_name);
    const std::uint32_t id = held_by(open_link(pins));

    if (id == 0) {
        return {};
    }
    return PinnedPolicy(instance_of(pins, id)).counters();
}

std::vector<std::uint32_t> PolicyStore::program_ids(std::string_view guest_name) const
{
    const path pins = pins_of(guest_name);
    const std::uint32_t id = held_by(open_link(pins));

    if (id == 0) {
        return {};
    }
    std::vector<std::uint32_t> ids = PinnedPolicy(instance_of(pins, id)).program_ids();
    if (read_own(instance_of(pins, id))) {
        const auto own = own_program_ids(instance_of(pins, id));
        ids.insert(ids.end(), own.begin(), own.end());
    }
    return ids;
}

std::vector<std::string> PolicyStore::pinned_guests() const
{
    std::vector<std::string> guests;
    std::error_code error;

    for (const auto &entry : std::filesystem::directory_iterator(pins_, error)) {
        guests.push_back(entry.path().filename());
    }
    return guests;
}

} // namespace devhost
