// SPDX-License-Identifier: Apache-2.0
// The CAN policy of a guest, loaded by the manager's own code without a daemon.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dh {

struct PolicyDeviceId {
    std::string name;
    uint32_t id;
};

// In force from construction to the end of the scope.
class PolicyInForce {
public:
    // @toml: what a guest's file has, [policy.can.transmit] and so on.
    PolicyInForce(uint32_t guest_id, const std::vector<PolicyDeviceId> &devices,
                  const std::string &toml);
    ~PolicyInForce();
    // Another one takes its place at once.
    void replace(const std::vector<PolicyDeviceId> &devices, const std::string &toml);

    // One to take turns with the one in force: loaded now, so that swap() is the moment itself.
    void prepare(const std::vector<PolicyDeviceId> &devices, const std::string &toml);
    // 0 or -errno.
    int swap();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Eight rules a direction, as a guest in a car has them; all identifiers that
// the tests and figures use are allowed by the last one of them.
extern const char *const typical_policy;

} // namespace dh
