// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "can_policy.hpp"
#include "scmi_policy.hpp"
#include "snd_policy.hpp"
#include "video_policy.hpp"

namespace devhost {

// What becomes of what a policy is against: it is refused, or served and only counted.
enum class PolicyMode { enforce, audit };

inline constexpr std::size_t own_program_path_max = 1023;

// A program of the administrator's own, which judges in place of rules or beside them.
struct OwnProgram {
    std::string path;
    std::string version; // of the file's contents; empty: they were not looked at
    bool operator==(const OwnProgram &) const = default;
};

// The whole policy of a guest. A class of devices that it leaves out is refused
// everything, in audit mode too: the kernel has no program to ask. The forms below leave none out
// there, except beside a program of one's own: it judges what it implements, and rules the rest.
struct PolicyConfig {
    PolicyMode mode = PolicyMode::enforce;
    std::optional<OwnProgram> own;
    std::optional<CanPolicy> can;
    std::optional<SndPolicy> snd;
    std::optional<ScmiPolicy> scmi;
    std::optional<VideoPolicy> video;

    bool names_devices() const
    {
        return (can && can->names_devices()) || (snd && snd->names_devices()) ||
               (scmi && scmi->names_devices()) || (video && video->names_devices());
    }
    bool operator==(const PolicyConfig &) const = default;
};

inline PolicyConfig policy_of(OwnProgram own)
{
    PolicyConfig policy;

    policy.own = std::move(own);
    return policy;
}

// Of what the policy says something about, since it came into force.
struct PolicyCounters {
    std::optional<CanCounters> can;
    std::optional<SndCounters> snd;
    std::optional<ScmiCounters> scmi;
    std::optional<VideoCounters> video;
};

// A device as policies know it. The id is the kernel's (DEVHOST_A_DEV_ID).
struct PolicyDevice {
    std::string name;
    std::uint32_t id = 0;
    bool operator==(const PolicyDevice &) const = default;
};

// A policy that cannot be put in force or read back. what() is one sentence; log()
// has the verifier's words where there are some.
class PolicyError : public Error {
public:
    explicit PolicyError(const std::string &what, std::string log = {}, Cause cause = Cause::failed)
        : Error(cause, what), log_(std::move(log))
    {
    }

    const std::string &log() const noexcept { return log_; }

private:
    std::string log_;
};

// The form that [policy] in TOML, and the dictionary on D-Bus, have. Without items nothing is known
// of the guest's devices: it can be checked, not put in force.
PolicyConfig policy_from(TableReader table, const PolicyItems *items);
Setting to_setting(const PolicyConfig &policy);

} // namespace devhost
