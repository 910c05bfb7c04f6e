// SPDX-License-Identifier: Apache-2.0
#include "policy_program.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <utility>

#include <bpf/libbpf.h>

#include "error.hpp"

namespace devhost {

namespace {

[[noreturn]] void fail_other_version()
{
    throw PolicyError("guest_policy.bpf.o is not of this version of devhost");
}

struct PartMap {
    const char *name; // in the object
    std::size_t size;
    const char *pin; // below the instance
};

constexpr std::size_t maps_of_a_part = 3;

// What a class of devices has of the object. Pins keep their names: other versions read them.
struct Part {
    std::uint32_t given; // POLICY_GIVEN_*
    const char *call;
    const char *program_pin;
    std::array<PartMap, maps_of_a_part> maps; // name nullptr: fewer
};

constexpr std::array common_maps{
    PartMap{".rodata", sizeof(::can_policy), "rules"},
    PartMap{".rodata.names", sizeof(::can_policy_names), "names"},
};

constexpr std::array parts{
    Part{POLICY_GIVEN_CAN,
         "can",
         "program",
         {{{".data.transmit", sizeof(::can_policy_state), "transmit"},
           {".data.receive", sizeof(::can_policy_state), "receive"},
           {}}}},
    Part{POLICY_GIVEN_SND,
         "snd",
         "snd-program",
         {{{".rodata.snd", sizeof(::snd_policy), "snd-rules"},
           {".rodata.snd_names", sizeof(::snd_policy_names), "snd-names"},
           {".data.snd", sizeof(::snd_policy_state), "snd-state"}}}},
    Part{POLICY_GIVEN_SCMI,
         "scmi",
         "scmi-program",
         {{{".rodata.scmi", sizeof(::scmi_policy), "scmi-rules"},
           {".rodata.scmi_names", sizeof(::scmi_policy_names), "scmi-names"},
           {".data.scmi", sizeof(::scmi_policy_state), "scmi-state"}}}},
    Part{POLICY_GIVEN_VIDEO,
         "video",
         "video-program",
         {{{".rodata.video", sizeof(::video_policy), "video-rules"},
           {".rodata.video_names", sizeof(::video_policy_names), "video-names"},
           {".data.video", sizeof(::video_policy_state), "video-state"}}}},
};

template <typename Action>
void for_each_map(const Part &part, const Action &action)
{
    for (const PartMap &map : part.maps) {
        if (map.name != nullptr) {
            action(map);
        }
    }
}

template <class Value>
void set_constant(bpf_map *map, const Value &value)
{
    if (bpf_map__set_initial_value(map, &value, sizeof(value)) != 0) {
        fail_other_version();
    }
}

} // namespace

PolicyProgram::PolicyProgram(const std::filesystem::path &programs, const PolicyLayout &layout)
    : given_(layout.can.names.given)
{
    const std::filesystem::path file = programs / "guest_policy.bpf.o";
    Log log;
    const bpf_object_open_opts options = options_with(log);

    take(bpf_object__open_file(file.c_str(), &options));
    if (!object()) {
        throw PolicyError(std::format("cannot open {}: {}; reinstall the package devhost",
                                      file.string(), errno_text(errno)));
    }
    preset(layout);
    leave_out_the_rest();
    if (const int error = load(log)) {
        require_policies_of_kernel(error);
        throw PolicyError(
            std::format("the kernel refuses the policy's program: {}", errno_text(error)),
            std::move(log));
    }
}

bpf_map *PolicyProgram::map(const char *name, std::size_t value_size) const
{
    bpf_map *found = bpf_object__find_map_by_name(object(), name);

    if (!found || (value_size != 0 && bpf_map__value_size(found) != value_size)) {
        fail_other_version();
    }
    return found;
}

bpf_map *PolicyProgram::ops() const
{
    return map("policy", 0);
}

std::uint8_t *PolicyProgram::member(const char *name, std::size_t size) const
{
    std::uint8_t *found = ops_member(name, size);

    if (!found) {
        fail_other_version();
    }
    return found;
}

void PolicyProgram::preset(const PolicyLayout &layout) const
{
    const auto constants = [this](const char *rules, const char *names, const auto &from) {
        set_constant(map(rules, sizeof(from.rules)), from.rules);
        set_constant(map(names, sizeof(from.names)), from.names);
    };
    const std::uint32_t guest = layout.can.rules.guest;

    std::memcpy(member("guest", sizeof(guest)), &guest, sizeof(guest));
    constants(".rodata", ".rodata.names", layout.can);
    if (layout.snd) {
        constants(".rodata.snd", ".rodata.snd_names", *layout.snd);
    }
    if (layout.scmi) {
        constants(".rodata.scmi", ".rodata.scmi_names", *layout.scmi);
    }
    if (layout.video) {
        constants(".rodata.video", ".rodata.video_names", *layout.video);
    }
}

// The kernel refuses what has no call.
void PolicyProgram::leave_out_the_rest() const
{
    for (const Part &part : parts) {
        if (given_ & part.given) {
            continue;
        }
        constexpr std::size_t call_size = sizeof(void *);
        std::memset(member(part.call, call_size), 0, call_size);
        bpf_program__set_autoload(bpf_object__find_program_by_name(object(), part.call), false);
        for_each_map(part, [&](const PartMap &each) {
            bpf_map__set_autocreate(map(each.name, each.size), false);
        });
    }
}

void PolicyProgram::pin(const std::filesystem::path &directory) const
{
    const auto pin_map = [&](const PartMap &each) {
        pin_one(bpf_map__fd(map(each.name, each.size)), directory / each.pin);
    };

    for (const PartMap &each : common_maps) {
        pin_map(each);
    }
    for (const Part &part : parts) {
        if (given_ & part.given) {
            for_each_map(part, pin_map);
            pin_one(bpf_program__fd(bpf_object__find_program_by_name(object(), part.call)),
                    directory / part.program_pin);
        }
    }
}

CanPolicyLayout PinnedPolicy::can() const
{
    CanPolicyLayout layout;

    read_pin(directory_ / "rules", layout.rules);
    read_pin(directory_ / "names", layout.names);
    return layout;
}

PolicyLayout PinnedPolicy::layout() const
{
    PolicyLayout layout{.can = can(), .snd = {}, .scmi = {}, .video = {}};

    if (layout.can.names.given & POLICY_GIVEN_SND) {
        auto &snd = layout.snd.emplace();
        read_pin(directory_ / "snd-rules", snd.rules);
        read_pin(directory_ / "snd-names", snd.names);
    }
    if (layout.can.names.given & POLICY_GIVEN_SCMI) {
        auto &scmi = layout.scmi.emplace();
        read_pin(directory_ / "scmi-rules", scmi.rules);
        read_pin(directory_ / "scmi-names", scmi.names);
    }
    if (layout.can.names.given & POLICY_GIVEN_VIDEO) {
        auto &video = layout.video.emplace();
        read_pin(directory_ / "video-rules", video.rules);
        read_pin(directory_ / "video-names", video.names);
    }
    return layout;
}

PolicyCounters PinnedPolicy::counters() const
{
    const PolicyLayout layout = this->layout();
    PolicyCounters counters;

    if (layout.can.names.given & POLICY_GIVEN_CAN) {
        const auto &rules = layout.can.rules.rules;
        ::can_policy_state transmit{};
        ::can_policy_state receive{};
        read_pin(directory_ / "transmit", transmit);
        read_pin(directory_ / "receive", receive);
        counters.can = {.transmit = read_counters(rules[CAN_POLICY_TRANSMIT], transmit),
                        .receive = read_counters(rules[CAN_POLICY_RECEIVE], receive)};
    }
    if (layout.snd) {
        ::snd_policy_state state{};
        read_pin(directory_ / "snd-state", state);
        counters.snd = read_counters(layout.snd->rules, state);
    }
    if (layout.scmi) {
        ::scmi_policy_state state{};
        read_pin(directory_ / "scmi-state", state);
        counters.scmi = read_counters(layout.scmi->rules, state);
    }
    if (layout.video) {
        ::video_policy_state state{};
        read_pin(directory_ / "video-state", state);
        counters.video = read_counters(layout.video->rules, state);
    }
    return counters;
}

std::vector<std::uint32_t> PinnedPolicy::program_ids() const
{
    const std::uint32_t given = can().names.given;
    std::vector<std::uint32_t> ids;

    for (const Part &part : parts) {
        if (!(given & part.given)) {
            continue;
        }
        ids.push_back(program_id(open_pin(directory_ / part.program_pin)));
    }
    return ids;
}

} // namespace devhost
