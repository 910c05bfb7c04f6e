// SPDX-License-Identifier: Apache-2.0
#include "policies.hpp"

#include "error.hpp"
#include "journal.hpp"

namespace devhost {

namespace {

// The verifier's words go to the log, its sentence to the caller.
template <typename Request>
auto run(const std::string &guest, const Request &request)
{
    try {
        return request();
    } catch (const PolicyError &error) {
        if (!error.log().empty()) {
            log_error({.guest = guest, .device = {}}, error.log());
        }
        throw;
    }
}

} // namespace

void BpfPolicies::apply(const PolicyGuest &guest, const PolicyConfig &policy)
{
    run(guest.name, [&] { store_.apply(guest, policy); });
}

void BpfPolicies::remove(const std::string &guest)
{
    run(guest, [&] { store_.remove(guest); });
}

std::optional<PolicyConfig> BpfPolicies::adopt(const PolicyGuest &guest)
{
    return run(guest.name, [&] { return store_.adopt(guest); });
}

PolicyCounters BpfPolicies::counters(const std::string &guest)
{
    return run(guest, [&] { return store_.counters(guest); });
}

std::vector<std::uint32_t> BpfPolicies::program_ids(const std::string &guest)
{
    return run(guest, [&] { return store_.program_ids(guest); });
}

std::vector<std::string> BpfPolicies::pinned_guests()
{
    return run({}, [&] { return store_.pinned_guests(); });
}

} // namespace devhost
