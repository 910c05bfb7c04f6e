// SPDX-License-Identifier: Apache-2.0
//
// A policy that is a program of the administrator's own: loading one, and reading one back
// through its pins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "policy_instance.hpp"

namespace devhost {

/// Contents of an object file that may become a policy: it is @p owner's, and nobody else can
/// write it. Throws PolicyError.
std::string read_own_program(const std::string &path, ::uid_t owner = 0);

/// Of the file as it is now, whoever owns it; empty where it can't be read.
std::string own_program_version(const std::string &path);

/// The last whole lines of a log, as text for a message. That is where the verifier says what it
/// is against.
std::string log_tail(std::string_view log);

// The instance is the program's; what that leaves out, rules judge beside it.
class OwnPolicy final : public PolicyInstance {
public:
    OwnPolicy(const std::string &path, std::uint32_t guest_id,
              std::unique_ptr<PolicyInstance> rules, ::uid_t owner = 0);

    void pin(const std::filesystem::path &directory) const override;

private:
    OwnProgram program_;
    std::uint32_t guest_;
    std::unique_ptr<PolicyInstance> rules_;
    bpf_map *ops_ = nullptr;

    bpf_map *ops() const override { return ops_; }
    UniqueFd link() const override;
    [[noreturn]] void refuse(const std::string &why, std::string log = {}) const;
    void find_ops();
    void look_at_programs() const;
    void require_one_judge() const;
    std::vector<std::uint8_t> whole_value() const;
    void keep_pins_away() const;
    void pin_record(const std::filesystem::path &path) const;
};

/// Of an instance that was pinned, by whichever process; empty where rules are all it has.
std::optional<OwnProgram> read_own(const std::filesystem::path &directory);
std::vector<std::uint32_t> own_program_ids(const std::filesystem::path &directory);

} // namespace devhost
