// SPDX-License-Identifier: Apache-2.0
//
// An instance of bpf/can_policy.bpf.c in the kernel: loading one, and reading
// one back through its pins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "can_policy_layout.hpp"
#include "unique_fd.hpp"

struct bpf_map;
struct bpf_object;

namespace devhost {

// A loaded instance, not yet in force. It lives on where it is pinned.
class PolicyProgram {
public:
    PolicyProgram(const std::filesystem::path &programs, const CanPolicyLayout &layout);

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

    bpf_map *map(const char *name, std::size_t value_size) const;
    void preset(const CanPolicyLayout &layout) const;
};

// An instance that was pinned, by whichever process.
class PinnedPolicy {
public:
    explicit PinnedPolicy(std::filesystem::path directory) : directory_(std::move(directory)) {}

    CanPolicyLayout layout() const;
    CanCounters counters() const;
    std::vector<std::uint32_t> program_ids() const;

private:
    std::filesystem::path directory_;
};

} // namespace devhost
