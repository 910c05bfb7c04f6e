// SPDX-License-Identifier: Apache-2.0
//
// An instance of bpf/guest_policy.bpf.c in the kernel: loading one, and reading
// one back through its pins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "policy_instance.hpp"
#include "policy_layout.hpp"

namespace devhost {

class PolicyProgram final : public PolicyInstance {
public:
    PolicyProgram(const std::filesystem::path &programs, const PolicyLayout &layout);

    void pin(const std::filesystem::path &directory) const override;

private:
    std::uint32_t given_; // POLICY_GIVEN_*, POLICY_AUDIT

    bpf_map *ops() const override;
    bpf_map *map(const char *name, std::size_t value_size) const;
    void preset(const PolicyLayout &layout) const;
    void leave_out_the_rest() const;
    // A member of the struct_ops map, before loading.
    std::uint8_t *member(const char *name, std::size_t size) const;
};

// An instance that was pinned, by whichever process.
class PinnedPolicy {
public:
    explicit PinnedPolicy(std::filesystem::path directory) : directory_(std::move(directory)) {}

    PolicyLayout layout() const;
    PolicyCounters counters() const;
    std::vector<std::uint32_t> program_ids() const;

private:
    std::filesystem::path directory_;

    CanPolicyLayout can() const;
};

} // namespace devhost
