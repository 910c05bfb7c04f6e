// SPDX-License-Identifier: Apache-2.0
#include "policy_instance.hpp"

#include <cerrno>
#include <cstring>
#include <span>

#include <bpf/btf.h>
#include <fcntl.h>
#include <malloc.h>

#include "error.hpp"

namespace devhost {

namespace {

constexpr const char *type_of_kernel = "/sys/kernel/btf/devhost";
constexpr std::size_t log_size = std::size_t{64} * 1024;

// Where struct devhost_policy_ops has a member; what else it has is not ours to know.
std::optional<std::size_t> offset_in_ops(const bpf_object *object, std::string_view name)
{
    const btf *types = bpf_object__btf(object);
    const int id = btf__find_by_name_kind(types, "devhost_policy_ops", BTF_KIND_STRUCT);

    if (id < 0) {
        return std::nullopt;
    }
    const auto member = find_member(types, static_cast<std::uint32_t>(id), name);
    return member ? std::optional(member->at) : std::nullopt;
}

} // namespace

void quiet_libbpf()
{
    static const auto previous = libbpf_set_print(nullptr);
    (void)previous;
}

void return_memory()
{
#ifdef __GLIBC__
    static_cast<void>(malloc_trim(0)); // 0: there was nothing to return
#endif
}

std::optional<TypeMember> find_member(const ::btf *types, std::uint32_t structure,
                                      std::string_view name)
{
    const btf_type *type = btf__type_by_id(types, structure);

    if (type == nullptr || !btf_is_struct(type)) {
        return std::nullopt;
    }
    for (const btf_member &member : std::span(btf_members(type), btf_vlen(type))) {
        if (std::string_view(btf__name_by_offset(types, member.name_off)) == name) {
            return TypeMember{.at = member.offset / 8, .type = member.type};
        }
    }
    return std::nullopt;
}

void PolicyInstance::Closer::operator()(bpf_object *object) const
{
    bpf_object__close(object);
}

bpf_object_open_opts PolicyInstance::options_with(Log &log) const
{
    bpf_object_open_opts options{};

    quiet_libbpf();
    log.assign(log_size, '\0');
    // Filled where the program is refused, and only then.
    options.sz = sizeof(options);
    options.kernel_log_buf = log.data();
    options.kernel_log_size = log.size();
    return options;
}

std::uint8_t *PolicyInstance::ops_member(const char *name, std::size_t size) const
{
    const auto at = offset_in_ops(object(), name);
    std::size_t all = 0;
    auto *members = static_cast<std::uint8_t *>(bpf_map__initial_value(ops(), &all));

    return members != nullptr && at && *at + size <= all ? members + *at : nullptr;
}

int PolicyInstance::load(Log &log) const
{
    const int error = -bpf_object__load(object());

    return_memory();
    log.resize(std::strlen(log.c_str()));
    return error;
}

int PolicyInstance::map_fd() const
{
    return bpf_map__fd(ops());
}

std::uint32_t PolicyInstance::map_id() const
{
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);

    if (bpf_map_get_info_by_fd(map_fd(), &info, &size) != 0) {
        throw PolicyError("cannot read the id of the policy: " + errno_text(errno));
    }
    return info.id;
}

// libbpf has put a pointer to the program where the kernel wants its descriptor.
bpf_program *PolicyInstance::program_of(const char *call) const
{
    const auto *member = reinterpret_cast<bpf_program *const *>(ops_member(call, sizeof(void *)));

    return member == nullptr ? nullptr : *member;
}

int PolicyInstance::program_fd(const char *call) const
{
    const bpf_program *program = program_of(call);

    return program == nullptr ? -1 : bpf_program__fd(program);
}

UniqueFd PolicyInstance::link() const
{
    bpf_link *link = bpf_map__attach_struct_ops(ops());

    if (link == nullptr) {
        return {};
    }
    // A descriptor of our own: libbpf's goes with its link.
    UniqueFd fd(::fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 0));
    bpf_link__destroy(link);
    return fd;
}

UniqueFd PolicyInstance::attach() const
{
    UniqueFd link = this->link();

    if (!link) {
        if (errno == EEXIST) {
            return {};
        }
        if (errno == ENOENT) {
            throw PolicyError("the kernel does not know the guest", {}, Cause::no_such_guest);
        }
        throw PolicyError("cannot attach the policy: " + errno_text(errno));
    }
    return link;
}

void require_policies_of_kernel(int error)
{
    std::error_code ignored;

    if (!std::filesystem::exists(type_of_kernel, ignored)) {
        throw PolicyError("the kernel knows no policies: load the devhost module, built with BTF",
                          {}, Cause::not_supported);
    }
    if (error == EPERM) {
        throw PolicyError("policies need CAP_BPF and CAP_SYS_ADMIN", {}, Cause::access_denied);
    }
}

void pin_one(int fd, const std::filesystem::path &path)
{
    if (bpf_obj_pin(fd, path.c_str()) != 0) {
        throw PolicyError(std::format("cannot pin {}: {}", path.string(), errno_text(errno)));
    }
}

UniqueFd open_pin(const std::filesystem::path &path)
{
    UniqueFd fd(bpf_obj_get(path.c_str()));

    if (!fd) {
        throw PolicyError(std::format("{}: {}", path.string(), errno_text(errno)));
    }
    return fd;
}

std::uint32_t program_id(const UniqueFd &program)
{
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);

    if (bpf_prog_get_info_by_fd(program.get(), &info, &size) != 0) {
        throw PolicyError("cannot read the id of the policy's program: " + errno_text(errno));
    }
    return info.id;
}

} // namespace devhost
