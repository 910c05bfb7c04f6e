// SPDX-License-Identifier: Apache-2.0
#include "setup.hpp"

#include <atomic>
#include <thread>

#include "config.hpp"

namespace dh {

namespace {

DeviceParams params(const std::string &guest, const std::string &interface)
{
    DeviceParams params = can::params(interface);

    params.guest = guest;
    params.policy_required = true;
    return params;
}

} // namespace

devhost::PolicyConfig policy(const std::string &toml)
{
    return devhost::parse_guest(toml, "test", "test.toml").policy.value();
}

std::string both(const std::string &verdict)
{
    return "[policy.can.transmit]\ndefault = \"" + verdict + "\"\n" +
           "[policy.can.receive]\ndefault = \"" + verdict + "\"\n";
}

devhost::PolicyStore store()
{
    return {"/usr/lib/devhost/bpf", pins};
}

void swap_under(unsigned swaps, const std::function<void(unsigned)> &apply,
                const std::function<void()> &traffic)
{
    constexpr unsigned pause_us = 2000; // a processor is left for who loads the programs
    std::atomic<bool> stop = false;

    std::jthread swapper([&] {
        try {
            for (unsigned i = 1; i <= swaps; i++) {
                apply(i);
            }
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
        stop = true;
    });
    while (!stop) {
        traffic();
        usleep(pause_us);
    }
}

devhost::PolicyGuest known(TestDevice &device)
{
    const GuestInfo info = device.control().guest(device.guest());

    return {.name = info.name,
            .id = info.id,
            .devices = {{.name = device.name(), .id = device.info().id}}};
}

PolicyFixture::PolicyFixture(const std::string &name)
    : device(params(name, bus.name())), guest(device.path(), {}), host(bus.name())
{
    guest.bring_up();
}

PolicyFixture::~PolicyFixture()
{
    if (!leave_policy) {
        store().remove(device.guest());
    }
}

uint64_t dropped(const devhost::RuleListCounters &list)
{
    uint64_t sum = list.otherwise.dropped;
    for (const devhost::RuleCounters &rule : list.rules) {
        sum += rule.dropped;
    }
    return sum;
}

bool PolicyFixture::sends(uint32_t id, uint32_t flags)
{
    const can::Frame frame{id, flags, {1}};
    const bool ok = guest.send(frame) == can::result_ok;
    const auto heard = host.receive(ok ? 5000 : 50);

    // The guest is told the truth.
    CHECK_EQ(heard.has_value(), ok);
    if (heard) {
        CHECK_EQ(*heard, frame);
    }
    return ok;
}

bool PolicyFixture::receives(uint32_t id, uint32_t flags)
{
    const can::Frame frame{id, flags, {2}};

    // Once it is judged, it is known what to wait for.
    auto before = device.stats().verdicts;
    auto after = before;
    host.send(frame);
    within(5000, [&] { return (after = device.stats().verdicts) != before; });
    const bool passed = after[DEVHOST_VERDICT_ALLOW] + after[DEVHOST_VERDICT_AUDIT] >
                        before[DEVHOST_VERDICT_ALLOW] + before[DEVHOST_VERDICT_AUDIT];
    const auto heard = guest.receive(passed ? 5000 : 50);
    if (heard) {
        CHECK_EQ(*heard, frame);
    }
    return heard.has_value();
}

} // namespace dh
