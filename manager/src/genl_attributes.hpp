// SPDX-License-Identifier: Apache-2.0
//
// Attributes of a netlink message, read by type.
#pragma once

#include <cstdint>
#include <cstring>
#include <linux/devhost.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"

namespace devhost {

// The attributes of one level, by type. What this version does not know is passed over.
class Attributes {
public:
    Attributes(const nlattr *first, int length, int highest)
        : table_(static_cast<std::size_t>(highest) + 1)
    {
        nlattr *attribute = nullptr;
        int left = 0;
        nla_for_each_attr(attribute, const_cast<nlattr *>(first), length, left)
        {
            const int type = nla_type(attribute);
            if (type <= highest) {
                table_[static_cast<std::size_t>(type)].push_back(attribute);
            }
        }
    }
    Attributes(const nlattr *nest, int highest)
        : Attributes(static_cast<nlattr *>(nla_data(nest)), nla_len(nest), highest)
    {
    }

    [[nodiscard]] const std::vector<nlattr *> &all(int type) const
    {
        return table_[static_cast<std::size_t>(type)];
    }
    [[nodiscard]] const nlattr *find(int type) const
    {
        return all(type).empty() ? nullptr : all(type).back();
    }
    [[nodiscard]] bool has(int type) const { return find(type) != nullptr; }

    // A number of whatever width the kernel chose; 0 where absent.
    [[nodiscard]] std::uint64_t number(int type) const
    {
        const nlattr *attribute = find(type);
        if (attribute == nullptr) {
            return 0;
        }
        switch (nla_len(attribute)) {
        case sizeof(std::uint8_t):
            return nla_get_u8(attribute);
        case sizeof(std::uint16_t):
            return nla_get_u16(attribute);
        case sizeof(std::uint32_t):
            return nla_get_u32(attribute);
        case sizeof(std::uint64_t):
            return nla_get_u64(attribute);
        default:
            return 0;
        }
    }
    [[nodiscard]] std::uint32_t number32(int type) const
    {
        return static_cast<std::uint32_t>(number(type));
    }
    [[nodiscard]] std::optional<std::uint32_t> optional32(int type) const
    {
        return has(type) ? std::optional(number32(type)) : std::nullopt;
    }
    [[nodiscard]] std::optional<std::uint64_t> optional64(int type) const
    {
        return has(type) ? std::optional(number(type)) : std::nullopt;
    }
    [[nodiscard]] std::string text(int type) const
    {
        const nlattr *attribute = find(type);
        if (attribute == nullptr) {
            return {};
        }
        const auto *start = static_cast<const char *>(nla_data(attribute));
        return {start, strnlen(start, static_cast<std::size_t>(nla_len(attribute)))};
    }

private:
    std::vector<std::vector<nlattr *>> table_;
};

// The one nest that a message of this family carries.
inline Attributes contents(nlmsghdr *header, int attribute, int highest)
{
    auto *genl = static_cast<genlmsghdr *>(nlmsg_data(header));
    const Attributes top(genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0), DEVHOST_A_MAX);
    const nlattr *nest = top.find(attribute);
    if (nest == nullptr) {
        throw Error(Cause::kernel, "The kernel module's answer has not the expected form: use "
                                   "devhostd and devhost-dkms of one version.");
    }
    return {nest, highest};
}

} // namespace devhost
