// SPDX-License-Identifier: Apache-2.0
//
// An instance of bpf/guest_policy.bpf.c in the kernel: loading one, and reading
// one back through its pins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "policy_layout.hpp"
#include "unique_fd.hpp"

struct bpf_map;
struct bpf_object;

namespace devhost {

// A loaded instance, not yet in force. It lives on where it is pinned.
class PolicyProgram {
public:
    PolicyProgram(const std::filesystem::path &programs, const PolicyLayout &layout);

    int map_fd() const;
    std::uint32_t map_id() const;
    // Pins what describes and counts the instance below the directory.
    void pin(const std::filesystem::path &directory) const;
    // Puts the instance in force as the first of its guest: the descriptor of the
    // link, or an invalid one where another is in force already.
    UniqueFd attach() const;

private:
    struct Closer {
        void operator()(bpf_object *object) const;
    };
    std::unique_ptr<bpf_object, Closer> object_;
    std::uint32_t given_; // POLICY_GIVEN_*, POLICY_AUDIT

    bpf_map *map(const char *name, std::size_t value_size) const;
    void preset(const PolicyLayout &layout) const;
    void leave_out_the_rest() const;
    // A member of the struct_ops map, before loading.
    std::uint8_t *member(const char *name, std::size_t member_size) const;
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
