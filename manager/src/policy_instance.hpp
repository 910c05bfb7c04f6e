// SPDX-License-Identifier: Apache-2.0
//
// What all instances of devhost_policy_ops in the kernel have in common, whoever wrote their
// programs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <format>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "policy.hpp"
#include "unique_fd.hpp"

struct btf;

namespace devhost {

// A loaded instance, not yet in force. It lives on where it is pinned.
class PolicyInstance {
public:
    PolicyInstance() = default;
    PolicyInstance(const PolicyInstance &) = delete;
    PolicyInstance &operator=(const PolicyInstance &) = delete;
    virtual ~PolicyInstance() = default;

    // Pins what describes and counts the instance below the directory.
    virtual void pin(const std::filesystem::path &directory) const = 0;

    int map_fd() const;
    std::uint32_t map_id() const;
    // Puts the instance in force as the first of its guest: the descriptor of the
    // link, or an invalid one where another is in force already. It is whole then either way.
    UniqueFd attach() const;
    // Descriptor of what it judges a class of devices by; -1 where it has nothing for that.
    int program_fd(const char *call) const;

protected:
    // What there is to load. The words of the verifier are read where it refuses.
    using Log = std::string;
    bpf_object_open_opts options_with(Log &log) const;
    void take(bpf_object *object) { object_.reset(object); }
    bpf_object *object() const { return object_.get(); }
    // The map of type devhost_policy_ops.
    virtual bpf_map *ops() const = 0;
    // Where it has a member, before loading; nullptr where it has none of that size.
    std::uint8_t *ops_member(const char *name, std::size_t size) const;
    // The errno of failure; 0: it is loaded.
    int load(Log &log) const;
    // The program that the member names; nullptr where it names none.
    bpf_program *program_of(const char *call) const;
    // As attach(), -1 and errno where that failed.
    virtual UniqueFd link() const;

private:
    struct Closer {
        void operator()(bpf_object *object) const;
    };
    std::unique_ptr<bpf_object, Closer> object_;
};

// libbpf's messages go nowhere: what matters is in the errors thrown.
void quiet_libbpf();

// Loading a program reads the types of the kernel and of all its modules, megabytes in small
// pieces. They are freed, but the allocator would keep them.
void return_memory();

struct TypeMember {
    std::size_t at; // in bytes
    std::uint32_t type;
};
std::optional<TypeMember> find_member(const ::btf *types, std::uint32_t structure,
                                      std::string_view name);

// The calls of devhost_policy_ops.
inline constexpr std::array policy_calls{"can", "snd", "scmi", "video"};

// Throws where the refusal is not the program's fault: no module, no permission.
void require_policies_of_kernel(int error);

void pin_one(int fd, const std::filesystem::path &path);
UniqueFd open_pin(const std::filesystem::path &path);
std::uint32_t program_id(const UniqueFd &program);

// Reads a map that has one element, as those of global variables have.
template <class Value>
void read_pin(const std::filesystem::path &path, Value &value)
{
    const UniqueFd map = open_pin(path);
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    constexpr std::uint32_t key = 0;

    if (bpf_map_get_info_by_fd(map.get(), &info, &size) != 0 || info.value_size != sizeof(value) ||
        bpf_map_lookup_elem(map.get(), &key, &value) != 0) {
        throw PolicyError(std::format("{} is not of this version of devhost", path.string()));
    }
}

} // namespace devhost
