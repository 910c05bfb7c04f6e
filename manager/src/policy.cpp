// SPDX-License-Identifier: Apache-2.0
#include "policy.hpp"

namespace devhost {

PolicyConfig policy_from(TableReader table, const PolicyItems *items)
{
    PolicyConfig policy;

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
    return policy;
}

Setting to_setting(const PolicyConfig &policy)
{
    SettingTable table;

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
