// SPDX-License-Identifier: Apache-2.0
// A guest's file: taken, or refused with a line that is there. What is taken can be said again,
// and its policy comes back from the form that the BPF programs have.
#include "input.hpp"

#include <string>

#include "config.hpp"
#include "policy_layout.hpp"

using namespace devhost;

namespace {

void require_policy(const GuestConfig &guest)
{
    const PolicyConfig &policy = *guest.policy;
    const Setting said = to_setting(policy);
    REQUIRE(policy_from(TableReader(said, "", "policy"), nullptr) == policy);

    std::vector<PolicyDevice> devices;
    for (const DeviceConfig &device : guest.devices) {
        devices.push_back({device.name, static_cast<std::uint32_t>(devices.size() + 1)});
    }
    try {
        REQUIRE(read_layout(lay_out(policy, 7, devices)) == policy);
    } catch (const PolicyError &) {
        // More devices than fit, or a rule about one that there is not.
        REQUIRE(policy.names_devices());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const std::string text(reinterpret_cast<const char *>(data), size);
    try {
        const GuestConfig guest = parse_guest(text, "g", "g.toml");
        for (const DeviceConfig &device : guest.devices) {
            REQUIRE(valid_name(device.name));
            REQUIRE(guest.device(device.name) == &device);
        }
        if (guest.policy) {
            require_policy(guest);
        }
    } catch (const ConfigError &error) {
        REQUIRE(error.line() >= 1);
        REQUIRE(error.line() <= static_cast<unsigned>(std::ranges::count(text, '\n')) + 1);
        REQUIRE(!error.message().empty());
    }
    return 0;
}
