// SPDX-License-Identifier: Apache-2.0
#include "policy_layout.hpp"

namespace devhost {

PolicyLayout lay_out(const PolicyConfig &policy, std::uint32_t guest_id,
                     const std::vector<PolicyDevice> &devices)
{
    PolicyLayout layout{.can = lay_out(policy.can.value_or(CanPolicy{}), devices),
                        .snd = {},
                        .scmi = {},
                        .video = {}};

    layout.can.rules.guest = guest_id;
    if (policy.mode == PolicyMode::audit) {
        layout.can.names.given |= POLICY_AUDIT;
    }
    if (policy.can) {
        layout.can.names.given |= POLICY_GIVEN_CAN;
    }
    if (policy.snd) {
        layout.can.names.given |= POLICY_GIVEN_SND;
        layout.snd = lay_out(*policy.snd, devices);
    }
    if (policy.scmi) {
        layout.can.names.given |= POLICY_GIVEN_SCMI;
        layout.scmi = lay_out(*policy.scmi, devices);
    }
    if (policy.video) {
        layout.can.names.given |= POLICY_GIVEN_VIDEO;
        layout.video = lay_out(*policy.video, devices);
    }
    return layout;
}

PolicyConfig read_layout(const PolicyLayout &layout)
{
    PolicyConfig policy;

    if (layout.can.names.given & POLICY_AUDIT) {
        policy.mode = PolicyMode::audit;
    }
    if (layout.can.names.given & POLICY_GIVEN_CAN) {
        policy.can = read_layout(layout.can);
    }
    if (layout.snd) {
        policy.snd = read_layout(*layout.snd);
    }
    if (layout.scmi) {
        policy.scmi = read_layout(*layout.scmi);
    }
    if (layout.video) {
        policy.video = read_layout(*layout.video);
    }
    return policy;
}

} // namespace devhost
