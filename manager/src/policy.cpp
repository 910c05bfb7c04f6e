// SPDX-License-Identifier: Apache-2.0
#include "policy.hpp"

namespace devhost {

PolicyConfig policy_from(TableReader table)
{
    PolicyConfig policy;

    if (auto can = table.table("can")) {
        policy.can = can_policy_from(*can);
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
    return {std::move(table)};
}

} // namespace devhost
