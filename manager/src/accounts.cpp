// SPDX-License-Identifier: Apache-2.0
#include "accounts.hpp"

#include <charconv>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <vector>

#include "authority.hpp"
#include "error.hpp"

namespace devhost {

namespace {

// Accounts may be given by number, as everywhere in Unix.
std::optional<std::uint32_t> number_in(const std::string &name)
{
    std::uint32_t number = 0;
    const char *end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

uid_t user_number(const std::string &name)
{
    if (const auto number = number_in(name)) {
        return *number;
    }
    std::vector<char> buffer(1 << 16);
    passwd entry{};
    passwd *found = nullptr;
    if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr) {
        throw Error(Cause::invalid_args,
                    "There is no user '" + name + "': create the account, or correct the name.");
    }
    return entry.pw_uid;
}

} // namespace

Owner owner_of(const std::string &user, const std::string &group)
{
    Owner owner;
    if (!user.empty()) {
        owner.uid = user_number(user);
    }
    if (!group.empty()) {
        const std::optional<gid_t> number = number_in(group);
        const std::optional<gid_t> found = number ? number : group_number(group);
        if (!found) {
            throw Error(Cause::invalid_args, "There is no group '" + group +
                                                 "': create the account, or correct the name.");
        }
        owner.gid = *found;
    }
    return owner;
}

} // namespace devhost
