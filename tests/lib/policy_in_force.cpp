// SPDX-License-Identifier: Apache-2.0
#include "policy_in_force.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <system_error>

#include "config.hpp"
#include "policy_program.hpp"

namespace dh {

namespace {

constexpr const char *programs = "/usr/lib/devhost/bpf";

std::unique_ptr<devhost::PolicyProgram>
load(uint32_t guest_id, const std::vector<PolicyDeviceId> &devices, const std::string &toml)
{
    std::vector<devhost::PolicyDevice> known;
    for (const PolicyDeviceId &device : devices) {
        known.push_back({device.name, device.id});
    }
    const auto config = devhost::parse_guest(toml, "test", "test.toml");
    return std::make_unique<devhost::PolicyProgram>(
        programs,
        devhost::lay_out(config.policy.value_or(devhost::PolicyConfig{}), guest_id, known));
}

} // namespace

struct PolicyInForce::State {
    uint32_t guest_id;
    std::unique_ptr<devhost::PolicyProgram> program;
    std::unique_ptr<devhost::PolicyProgram> other;
    devhost::UniqueFd link;
};

PolicyInForce::PolicyInForce(uint32_t guest_id, const std::vector<PolicyDeviceId> &devices,
                             const std::string &toml)
    : state_(new State{guest_id, load(guest_id, devices, toml), {}, {}})
{
    state_->link = state_->program->attach();
    if (!state_->link) {
        throw std::runtime_error("the guest has a policy in force already");
    }
}

PolicyInForce::~PolicyInForce() = default;

void PolicyInForce::replace(const std::vector<PolicyDeviceId> &devices, const std::string &toml)
{
    prepare(devices, toml);
    if (const int error = swap()) {
        throw std::system_error(-error, std::generic_category(), "replacing the policy");
    }
    state_->other.reset();
}

void PolicyInForce::prepare(const std::vector<PolicyDeviceId> &devices, const std::string &toml)
{
    state_->other = load(state_->guest_id, devices, toml);
    // libbpf makes an instance ready on the way to its link only, which is refused: there is one.
    if (state_->other->attach()) {
        throw std::runtime_error("the guest had lost its policy");
    }
}

int PolicyInForce::swap()
{
    if (bpf_link_update(state_->link.get(), state_->other->map_fd(), nullptr)) {
        return -errno;
    }
    std::swap(state_->program, state_->other);
    return 0;
}

const char *const typical_policy = R"(
[policy.can.transmit]
default = "deny"
lowest_id = 0x10
[[policy.can.transmit.rule]]
verdict = "allow"
range = [0x520, 0x52f]
[[policy.can.transmit.rule]]
verdict = "allow"
id = 0x7e8
[[policy.can.transmit.rule]]
verdict = "deny"
range = [0x700, 0x7ff]
[[policy.can.transmit.rule]]
verdict = "allow"
id = 0x18da00f1
mask = 0x1fff00ff
extended = true
[[policy.can.transmit.rule]]
verdict = "deny"
rtr = true
[[policy.can.transmit.rule]]
verdict = "allow"
range = [0x600, 0x63f]
frames_per_second = 1000
[[policy.can.transmit.rule]]
verdict = "deny"
range = [0x0, 0x0f]
[[policy.can.transmit.rule]]
verdict = "allow"
range = [0x100, 0x3ff]
[policy.can.receive]
default = "deny"
[[policy.can.receive.rule]]
verdict = "allow"
id = 0x7e0
[[policy.can.receive.rule]]
verdict = "deny"
range = [0x700, 0x7ff]
[[policy.can.receive.rule]]
verdict = "allow"
range = [0x520, 0x52f]
[[policy.can.receive.rule]]
verdict = "allow"
id = 0x18da00f1
mask = 0x1fff00ff
extended = true
[[policy.can.receive.rule]]
verdict = "deny"
rtr = true
[[policy.can.receive.rule]]
verdict = "allow"
range = [0x600, 0x63f]
frames_per_second = 1000
[[policy.can.receive.rule]]
verdict = "deny"
range = [0x0, 0x0f]
[[policy.can.receive.rule]]
verdict = "allow"
range = [0x100, 0x3ff]
)";

} // namespace dh
