// SPDX-License-Identifier: Apache-2.0
#include "denial.hpp"

#include <format>

#include "statistics.hpp"

namespace devhost {

namespace {

std::string what_became_of_it(std::uint32_t verdict)
{
    switch (verdict) {
    case DEVHOST_VERDICT_DENY:
        return "the policy refused";
    case DEVHOST_VERDICT_LIMIT:
        return "a limit of the policy refused";
    case DEVHOST_VERDICT_NONE:
        return "for want of a policy was refused";
    case DEVHOST_VERDICT_INVALID:
        return "the policy's program said nothing valid, which refused";
    case DEVHOST_VERDICT_AUDIT:
        return "the policy would have refused";
    default:
        return "refused";
    }
}

// Identifiers of CAN are read in hexadecimal.
std::string as_text(const std::string &key, const Setting &value)
{
    const auto *number = std::get_if<std::int64_t>(&value.value);
    return key == "id" && number != nullptr ? std::format("{:#x}", *number) : to_json(value);
}

} // namespace

std::string verdict_name(std::uint32_t verdict)
{
    return verdict < verdict_words.size() ? verdict_words.at(verdict) : std::to_string(verdict);
}

std::string describe(const DenialInfo &denial)
{
    std::string line = what_became_of_it(denial.verdict);

    for (const auto &[key, value] : std::get<SettingTable>(denial.item.value)) {
        line += (line.back() == ',' ? " " : ": ");
        line += key + "=" + as_text(key, value) + ",";
    }
    if (line.back() == ',') {
        line.pop_back();
    }
    line += '.';
    if (denial.suppressed > 0) {
        line += " And " + std::to_string(denial.suppressed) + " more.";
    }
    return line;
}

} // namespace devhost
