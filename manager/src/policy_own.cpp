// SPDX-License-Identifier: Apache-2.0
//
// Pins of such an instance:
//
//   own          which file it came from
//   maps/NAME    the object's maps; for a dot in the name there is _
//   programs/NAME
//
// and those of the rules beside it, which also say whose policy it is.
#include "policy_own.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <bpf/btf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>

#include "digest.hpp"
#include "error.hpp"

namespace devhost {

namespace {

constexpr const char *record_name = "own";
constexpr const char *maps_name = "maps";
constexpr const char *programs_name = "programs";
constexpr const char *ops_name = "devhost_policy_ops";
constexpr off_t program_size_max = off_t{16} * 1024 * 1024;
constexpr std::size_t tail_size = 1500;

// Value of the map that says what the instance is. Other versions read it.
struct Record {
    std::array<char, 32> version;
    std::array<char, own_program_path_max + 1> path;
};

[[noreturn]] void refuse_file(const std::string &path, const std::string &why)
{
    throw PolicyError("The program " + path + " " + why, {}, Cause::program_refused);
}

struct OpenProgram {
    UniqueFd fd;
    struct stat status{};
};

OpenProgram open_program(const std::string &path)
{
    // Not to wait for a writer of a pipe.
    OpenProgram program{
        .fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY))};

    if (!program.fd || ::fstat(program.fd.get(), &program.status) != 0) {
        refuse_file(path, "cannot be opened: " + errno_text(errno) + ".");
    }
    if (!S_ISREG(program.status.st_mode)) {
        refuse_file(path, "is not a regular file.");
    }
    if (program.status.st_size > program_size_max) {
        refuse_file(path, "is larger than 16 MiB.");
    }
    return program;
}

std::string read_all(const std::string &path, const OpenProgram &program)
{
    std::string contents(static_cast<std::size_t>(program.status.st_size), '\0');
    std::size_t have = 0;

    while (have < contents.size()) {
        const ssize_t got =
            ::read(program.fd.get(), contents.data() + have, contents.size() - have);
        if (got < 0) {
            refuse_file(path, "cannot be read: " + errno_text(errno) + ".");
        }
        if (got == 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    contents.resize(have);
    return contents;
}

struct TypesCloser {
    void operator()(btf *types) const { btf__free(types); }
};
using Types = std::unique_ptr<btf, TypesCloser>;

template <std::size_t size>
void put(std::array<char, size> &to, const std::string &from)
{
    to.at(from.copy(to.data(), size - 1)) = '\0';
}

template <std::size_t size>
std::string text(const std::array<char, size> &from)
{
    return {from.data(), strnlen(from.data(), size)};
}

void make_new_directory(const std::filesystem::path &directory)
{
    if (::mkdir(directory.c_str(), S_IRWXU) != 0) {
        throw PolicyError(
            std::format("cannot create {}: {}", directory.string(), errno_text(errno)));
    }
}

// bpffs takes no dots.
std::string pin_name(std::string name)
{
    std::ranges::replace(name, '.', '_');
    return name;
}

} // namespace

std::string read_own_program(const std::string &path, ::uid_t owner)
{
    const OpenProgram program = open_program(path);
    const struct stat &status = program.status;

    if (status.st_uid != owner || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        refuse_file(path, "must be owned by root, and writable by nobody else: chown root it and "
                          "chmod go-w it.");
    }
    return read_all(path, program);
}

std::string own_program_version(const std::string &path)
{
    try {
        return digest(read_all(path, open_program(path)));
    } catch (const PolicyError &) {
        return {};
    }
}

std::string log_tail(std::string_view log)
{
    const auto is_end = [](char each) { return each == '\n' || each == ' '; };

    while (!log.empty() && is_end(log.back())) {
        log.remove_suffix(1);
    }
    if (log.size() > tail_size) {
        log.remove_prefix(log.size() - tail_size);
        log.remove_prefix(std::min(log.find('\n'), log.size() - 1) + 1);
    }
    // Lines of the source are in it, in whatever encoding.
    std::string tail(log);
    std::ranges::replace_if(
        tail,
        [](char each) {
            const auto byte = static_cast<unsigned char>(each);
            return (byte < ' ' && each != '\n' && each != '\t') || byte > '~';
        },
        '?');
    return tail;
}

OwnPolicy::OwnPolicy(const std::string &path, std::uint32_t guest_id,
                     std::unique_ptr<PolicyInstance> rules, ::uid_t owner)
    : program_{.path = path, .version = {}}, guest_(guest_id), rules_(std::move(rules))
{
    const std::string contents = read_own_program(path, owner);
    Log log;
    bpf_object_open_opts options = options_with(log);

    program_.version = digest(contents);
    options.object_name = "own";
    take(bpf_object__open_mem(contents.data(), contents.size(), &options));
    if (!object()) {
        refuse("is not a BPF object, built by clang -target bpf -g: " + errno_text(errno) + ".");
    }
    find_ops();
    look_at_programs();
    require_one_judge();
    keep_pins_away();
    std::uint8_t *guest = ops_member("guest", sizeof(guest_));
    if (guest == nullptr) {
        refuse("has a struct devhost_policy_ops of another form: include devhost.bpf.h.");
    }
    std::memcpy(guest, &guest_, sizeof(guest_));
    if (const int error = load(log)) {
        require_policies_of_kernel(error);
        refuse("is refused by the kernel: " + errno_text(error) + ".", std::move(log));
    }
}

void OwnPolicy::refuse(const std::string &why, std::string log) const
{
    std::string sentence = "The program " + program_.path + " " + why;

    if (!log.empty()) {
        sentence += " The verifier's last words:\n" + log_tail(log);
    }
    throw PolicyError(sentence, std::move(log), Cause::program_refused);
}

// Another struct_ops type would be attached just as well: to the host's own kernel.
void OwnPolicy::find_ops()
{
    const btf *types = bpf_object__btf(object());
    bpf_map *map = nullptr;

    bpf_object__for_each_map(map, object())
    {
        if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS) {
            continue;
        }
        const btf_type *type = btf__type_by_id(types, bpf_map__btf_value_type_id(map));
        if (type == nullptr ||
            std::string_view(btf__name_by_offset(types, type->name_off)) != ops_name ||
            ops_ != nullptr) {
            ops_ = nullptr;
            break;
        }
        ops_ = map;
    }
    if (ops_ == nullptr) {
        refuse("needs one struct devhost_policy_ops, and no other struct_ops.");
    }
    if ((bpf_map__map_flags(ops_) & BPF_F_LINK) == 0) {
        refuse("has its struct devhost_policy_ops in another section than .struct_ops.link: it "
               "could not be replaced.");
    }
}

void OwnPolicy::look_at_programs() const
{
    bpf_program *program = nullptr;

    bpf_object__for_each_program(program, object())
    {
        if (bpf_program__type(program) != BPF_PROG_TYPE_STRUCT_OPS) {
            refuse(std::string("has the program ") + bpf_program__name(program) +
                   ", which is of another type than struct_ops.");
        }
    }
}

void OwnPolicy::require_one_judge() const
{
    for (const char *call : policy_calls) {
        if (rules_ != nullptr && rules_->program_fd(call) >= 0 && program_of(call) != nullptr) {
            refuse(std::string("judges ") + call +
                   ", and so do the rules of the policy: leave one of them out.");
        }
    }
}

// What the kernel is given for the struct_ops map: libbpf knows nothing of programs from another
// object.
std::vector<std::uint8_t> OwnPolicy::whole_value() const
{
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);

    if (bpf_map_get_info_by_fd(map_fd(), &info, &size) != 0) {
        throw PolicyError("cannot read what the policy is: " + errno_text(errno));
    }
    const Types kernel(btf__load_vmlinux_btf());
    const Types types(btf__load_from_kernel_by_id_split(info.btf_vmlinux_id, kernel.get()));
    std::vector<std::uint8_t> value(info.value_size);
    const auto data = find_member(types.get(), info.btf_vmlinux_value_type_id, "data");
    const auto put = [&](const char *name, auto what) {
        const auto member = data ? find_member(types.get(), data->type, name) : std::nullopt;
        if (!member || data->at + member->at + sizeof(what) > value.size()) {
            throw PolicyError("the module devhost is not of this version of devhost");
        }
        std::memcpy(&value[data->at + member->at], &what, sizeof(what));
    };

    put("guest", guest_);
    for (const char *call : policy_calls) {
        const int own = program_fd(call);
        const int fd = own >= 0 || rules_ == nullptr ? own : rules_->program_fd(call);
        if (fd >= 0) {
            put(call, static_cast<std::uint64_t>(fd));
        }
    }
    return value;
}

UniqueFd OwnPolicy::link() const
{
    const std::vector<std::uint8_t> value = whole_value();
    constexpr std::uint32_t key = 0;

    if (bpf_map_update_elem(map_fd(), &key, value.data(), BPF_ANY) != 0) {
        return {};
    }
    return UniqueFd(std::max(bpf_link_create(map_fd(), 0, BPF_STRUCT_OPS, nullptr), -1));
}

// By its own wish a map would be that of other guests, too.
void OwnPolicy::keep_pins_away() const
{
    bpf_map *map = nullptr;

    bpf_object__for_each_map(map, object())
    {
        bpf_map__set_pin_path(map, nullptr);
    }
}

void OwnPolicy::pin_record(const std::filesystem::path &path) const
{
    const UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "devhost_own", sizeof(std::uint32_t),
                                      sizeof(Record), 1, nullptr));
    constexpr std::uint32_t key = 0;
    Record record{};

    put(record.version, program_.version);
    put(record.path, program_.path);
    if (!map || bpf_map_update_elem(map.get(), &key, &record, BPF_ANY) != 0 ||
        bpf_map_freeze(map.get()) != 0) {
        throw PolicyError("cannot note what the program is: " + errno_text(errno));
    }
    pin_one(map.get(), path);
}

void OwnPolicy::pin(const std::filesystem::path &directory) const
{
    const std::filesystem::path maps = directory / maps_name;
    const std::filesystem::path programs = directory / programs_name;
    bpf_map *map = nullptr;
    bpf_program *program = nullptr;

    if (rules_ != nullptr) {
        rules_->pin(directory);
    }
    pin_record(directory / record_name);
    make_new_directory(maps);
    bpf_object__for_each_map(map, object())
    {
        if (map != ops_ && bpf_map__fd(map) >= 0) {
            pin_one(bpf_map__fd(map), maps / pin_name(bpf_map__name(map)));
        }
    }
    make_new_directory(programs);
    bpf_object__for_each_program(program, object())
    {
        if (bpf_program__fd(program) >= 0) {
            pin_one(bpf_program__fd(program), programs / bpf_program__name(program));
        }
    }
}

std::optional<OwnProgram> read_own(const std::filesystem::path &directory)
{
    std::error_code ignored;
    Record record{};

    if (!std::filesystem::exists(directory / record_name, ignored)) {
        return std::nullopt;
    }
    read_pin(directory / record_name, record);
    return OwnProgram{.path = text(record.path), .version = text(record.version)};
}

std::vector<std::uint32_t> own_program_ids(const std::filesystem::path &directory)
{
    std::vector<std::uint32_t> ids;

    for (const auto &entry : std::filesystem::directory_iterator(directory / programs_name)) {
        ids.push_back(program_id(open_pin(entry.path())));
    }
    std::ranges::sort(ids);
    return ids;
}

} // namespace devhost
