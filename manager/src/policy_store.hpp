// SPDX-License-Identifier: Apache-2.0
//
// Puts policies into the kernel: one BPF struct_ops instance a guest, pinned, so
// that it stays in force whatever becomes of this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy.hpp"

namespace devhost {

// The guest as the kernel knows it. All its devices are listed: where rules name
// devices, one that is not listed may do nothing. So whenever a device of a
// guest whose policy names_devices() is created, apply the policy again before
// the device is handed out.
struct PolicyGuest {
    std::string name;
    std::uint32_t id = 0; // DEVHOST_A_GUEST_ID
    std::vector<PolicyDevice> devices;
};

class PolicyInstance;

class PolicyStore {
public:
    // Defaults: where the package puts the programs, and bpffs.
    PolicyStore();
    PolicyStore(std::filesystem::path programs, std::filesystem::path pins);

    // Puts the policy in force; replaces one that is in force in one step, so
    // that every frame is judged by the old or by the new. On an error the old
    // one stays. Counters and token buckets start anew.
    void apply(const PolicyGuest &guest, const PolicyConfig &policy);

    // Takes the policy away: devices that require one serve nothing. No error
    // where there is none.
    void remove(std::string_view guest_name);

    // After a restart: what is in force for this guest. A pin that belongs to
    // another guest id, or whose program was detached, is removed and nothing
    // is returned.
    std::optional<PolicyConfig> adopt(const PolicyGuest &guest);

    // Whether the pinned policy is in force now (false also where it was
    // detached by somebody else).
    bool active(std::string_view guest_name) const;
    PolicyCounters counters(std::string_view guest_name) const;
    std::vector<std::uint32_t> program_ids(std::string_view guest_name) const;

    // Guests with a pin, for removing those of guests that are gone.
    std::vector<std::string> pinned_guests() const;

private:
    std::filesystem::path programs_;
    std::filesystem::path pins_;

    std::unique_ptr<PolicyInstance> load(const PolicyGuest &guest,
                                         const PolicyConfig &policy) const;
    std::filesystem::path pins_of(std::string_view guest_name) const;
};

} // namespace devhost
