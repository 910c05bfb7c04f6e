// SPDX-License-Identifier: Apache-2.0
#include "policy_program.hpp"

#include <cerrno>
#include <cstring>
#include <format>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

namespace devhost {

namespace {

constexpr const char *type_of_kernel = "/sys/kernel/btf/devhost";
constexpr std::size_t log_size = std::size_t{64} * 1024;

// libbpf's messages go nowhere: what matters is in the errors thrown here.
void quiet_libbpf()
{
    static const auto previous = libbpf_set_print(nullptr);
    (void)previous;
}

std::string reason(int error)
{
    return std::generic_category().message(error);
}

UniqueFd open_pin(const std::filesystem::path &path)
{
    UniqueFd fd(bpf_obj_get(path.c_str()));

    if (!fd) {
        throw PolicyError(std::format("{}: {}", path.string(), reason(errno)));
    }
    return fd;
}

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

void pin_one(int fd, const std::filesystem::path &path)
{
    if (bpf_obj_pin(fd, path.c_str()) != 0) {
        throw PolicyError(std::format("cannot pin {}: {}", path.string(), reason(errno)));
    }
}

// Where struct devhost_policy_ops has the guest's id; what else it has is not ours to know.
std::optional<std::size_t> guest_offset(const bpf_object *object)
{
    const btf *types = bpf_object__btf(object);
    const int id = btf__find_by_name_kind(types, "devhost_policy_ops", BTF_KIND_STRUCT);

    if (id < 0) {
        return std::nullopt;
    }
    const btf_type *type = btf__type_by_id(types, static_cast<std::uint32_t>(id));
    for (const btf_member &member : std::span(btf_members(type), btf_vlen(type))) {
        if (std::string_view(btf__name_by_offset(types, member.name_off)) == "guest") {
            return member.offset / 8;
        }
    }
    return std::nullopt;
}

[[noreturn]] void fail_to_load(int error, std::string log)
{
    std::error_code ignored;

    if (!std::filesystem::exists(type_of_kernel, ignored)) {
        throw PolicyError("the kernel knows no policies: load the devhost module, built with BTF",
                          {}, Cause::not_supported);
    }
    if (error == EPERM) {
        throw PolicyError("policies need CAP_BPF and CAP_SYS_ADMIN", {}, Cause::access_denied);
    }
    throw PolicyError(std::format("the kernel refuses the policy's program: {}", reason(error)),
                      std::move(log));
}

} // namespace

void PolicyProgram::Closer::operator()(bpf_object *object) const
{
    bpf_object__close(object);
}

PolicyProgram::PolicyProgram(const std::filesystem::path &programs, const CanPolicyLayout &layout)
{
    const std::filesystem::path file = programs / "can_policy.bpf.o";
    std::string log(log_size, '\0');
    bpf_object_open_opts options{};

    quiet_libbpf();
    // Filled where the program is refused, and only then.
    options.sz = sizeof(options);
    options.kernel_log_buf = log.data();
    options.kernel_log_size = log.size();
    object_.reset(bpf_object__open_file(file.c_str(), &options));
    if (!object_) {
        throw PolicyError(std::format("cannot open {}: {}; reinstall the package devhost",
                                      file.string(), reason(errno)));
    }
    preset(layout);
    if (const int error = bpf_object__load(object_.get())) {
        log.resize(std::strlen(log.c_str()));
        fail_to_load(-error, std::move(log));
    }
}

bpf_map *PolicyProgram::map(const char *name, std::size_t value_size) const
{
    bpf_map *found = bpf_object__find_map_by_name(object_.get(), name);

    if (!found || (value_size != 0 && bpf_map__value_size(found) != value_size)) {
        throw PolicyError("can_policy.bpf.o is not of this version of devhost");
    }
    return found;
}

void PolicyProgram::preset(const CanPolicyLayout &layout) const
{
    const auto guest_at = guest_offset(object_.get());
    std::size_t size = 0;
    auto *ops = static_cast<std::uint8_t *>(bpf_map__initial_value(map("policy", 0), &size));

    if (!ops || !guest_at || *guest_at + sizeof(layout.rules.guest) > size ||
        bpf_map__set_initial_value(map(".rodata", sizeof(layout.rules)), &layout.rules,
                                   sizeof(layout.rules)) != 0 ||
        bpf_map__set_initial_value(map(".rodata.names", sizeof(layout.names)), &layout.names,
                                   sizeof(layout.names)) != 0) {
        throw PolicyError("can_policy.bpf.o is not of this version of devhost");
    }
    std::memcpy(ops + *guest_at, &layout.rules.guest, sizeof(layout.rules.guest));
}

int PolicyProgram::map_fd() const
{
    return bpf_map__fd(map("policy", 0));
}

std::uint32_t PolicyProgram::map_id() const
{
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);

    if (bpf_map_get_info_by_fd(map_fd(), &info, &size) != 0) {
        throw PolicyError("cannot read the id of the policy: " + reason(errno));
    }
    return info.id;
}

void PolicyProgram::pin(const std::filesystem::path &directory) const
{
    constexpr std::size_t state_size = sizeof(::can_policy_state);
    const bpf_program *program = bpf_object__find_program_by_name(object_.get(), "can");

    pin_one(bpf_map__fd(map(".rodata", 0)), directory / "rules");
    pin_one(bpf_map__fd(map(".rodata.names", 0)), directory / "names");
    pin_one(bpf_map__fd(map(".data.transmit", state_size)), directory / "transmit");
    pin_one(bpf_map__fd(map(".data.receive", state_size)), directory / "receive");
    pin_one(bpf_program__fd(program), directory / "program");
}

UniqueFd PolicyProgram::attach() const
{
    bpf_link *link = bpf_map__attach_struct_ops(map("policy", 0));

    if (!link) {
        if (errno == EEXIST) {
            return {};
        }
        if (errno == ENOENT) {
            throw PolicyError("the kernel does not know the guest", {}, Cause::no_such_guest);
        }
        throw PolicyError("cannot attach the policy: " + reason(errno));
    }

    // A descriptor of our own: libbpf's goes with its link.
    UniqueFd fd(::fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 0));
    bpf_link__destroy(link);
    return fd;
}

CanPolicyLayout PinnedPolicy::layout() const
{
    CanPolicyLayout layout;

    read_pin(directory_ / "rules", layout.rules);
    read_pin(directory_ / "names", layout.names);
    return layout;
}

CanCounters PinnedPolicy::counters() const
{
    ::can_policy rules{};
    ::can_policy_state transmit{};
    ::can_policy_state receive{};

    read_pin(directory_ / "rules", rules);
    read_pin(directory_ / "transmit", transmit);
    read_pin(directory_ / "receive", receive);
    return {.transmit = read_counters(rules.rules[CAN_POLICY_TRANSMIT], transmit),
            .receive = read_counters(rules.rules[CAN_POLICY_RECEIVE], receive)};
}

std::vector<std::uint32_t> PinnedPolicy::program_ids() const
{
    const UniqueFd program = open_pin(directory_ / "program");
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);

    if (bpf_prog_get_info_by_fd(program.get(), &info, &size) != 0) {
        throw PolicyError("cannot read the id of the policy's program: " + reason(errno));
    }
    return {info.id};
}

} // namespace devhost
