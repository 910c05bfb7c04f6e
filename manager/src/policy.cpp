// SPDX-License-Identifier: Apache-2.0
#include "policy.hpp"

#include <array>
#include <string_view>

namespace devhost {

namespace {

constexpr std::array<std::string_view, 2> modes{"enforce", "audit"}; // by PolicyMode

// Where nothing is to be refused, what is left out is what denies by default: the same rule, and
// the kernel has a program that counts.
void leave_nothing_out(PolicyConfig &policy)
{
    const auto fill = [](auto &part) {
        if (!part) {
            part.emplace();
        }
    };

    fill(policy.can);
    fill(policy.snd);
    fill(policy.scmi);
    fill(policy.video);
}

std::optional<OwnProgram> own_from(TableReader &table)
{
    const auto path = table.text("program", own_program_path_max);

    if (!path) {
        return std::nullopt;
    }
    if (!path->starts_with('/')) {
        table.fail("program", "is to be a path that begins with /");
    }
    return OwnProgram{.path = *path, .version = {}};
}

} // namespace

PolicyConfig policy_from(TableReader table, const PolicyItems *items)
{
    PolicyConfig policy;

    policy.own = own_from(table);
    policy.mode = static_cast<PolicyMode>(table.word("mode", modes).value_or(0));
    if (auto can = table.table("can")) {
        policy.can = can_policy_from(*can);
    }
    if (auto snd = table.table("snd")) {
        policy.snd = snd_policy_from(*snd, items);
    }
    if (auto scmi = table.table("scmi")) {
        policy.scmi = scmi_policy_from(*scmi, items);
    }
    if (auto video = table.table("video")) {
        policy.video = video_policy_from(*video);
    }
    table.finish();
    // What rules leave out may be what the program judges.
    if (policy.mode == PolicyMode::audit && !policy.own) {
        leave_nothing_out(policy);
    }
    return policy;
}

Setting to_setting(const PolicyConfig &policy)
{
    SettingTable table;

    if (policy.own) {
        table["program"] = {policy.own->path};
    }
    table["mode"] = {std::string(modes.at(static_cast<std::size_t>(policy.mode)))};
    if (policy.can) {
        table["can"] = to_setting(*policy.can);
    }
    if (policy.snd) {
        table["snd"] = to_setting(*policy.snd);
    }
    if (policy.scmi) {
        table["scmi"] = to_setting(*policy.scmi);
    }
    if (policy.video) {
        table["video"] = to_setting(*policy.video);
    }
    return {std::move(table)};
}

} // namespace devhost
