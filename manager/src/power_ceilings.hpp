// SPDX-License-Identifier: Apache-2.0
//
// Ceilings of the host's resources: who has set which, and what they come to. A ceiling beats every
// vote; of several the lowest holds.
#pragma once

#include <linux/devhost.h>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "power_arbiter.hpp"
#include "record_reader.hpp"

namespace devhost {

enum class CeilingBy { administrator, thermal, power_source };
const char *word_of(CeilingBy by);

/// A resource of the host, by its kind and the host's name.
struct ResourceName {
    devhost_scmi_kind kind = DEVHOST_SCMI_CLOCK;
    std::string host;
    auto operator<=>(const ResourceName &) const = default;
};

struct Ceiling {
    CeilingBy by = CeilingBy::administrator;
    std::uint64_t level = 0;
    std::string why;
    PowerTime since{};
    bool operator==(const Ceiling &) const = default;
};

/// [[thermal]] and [[battery]] of power.toml.
struct CeilingRule {
    CeilingBy by = CeilingBy::thermal;
    ResourceName resource;
    std::uint64_t level = 0;
    std::string zone;       // thermal
    std::int64_t above = 0; // millidegrees Celsius: from there on
    std::int64_t below = 0; // until it is below that
    bool operator==(const CeilingRule &) const = default;
};

/// /etc/devhost/power.toml
struct PowerConfig {
    PowerLimits limits;
    std::vector<CeilingRule> rules;
};
PowerConfig power_config_from(TableReader table);
/// Of a file that need not be there. Throws ConfigError.
PowerConfig read_power_config(const std::string &path);

class Ceilings {
public:
    void set_rules(std::vector<CeilingRule> rules);
    void set(const ResourceName &resource, std::uint64_t level, const std::string &why,
             PowerTime now);
    bool clear(const ResourceName &resource);

    /// Whether something changed.
    bool zone_reads(const std::string &zone, std::int64_t temperature, PowerTime now);
    bool power_source_is(bool battery, PowerTime now);

    /// The one that holds.
    [[nodiscard]] std::optional<Ceiling> of(const ResourceName &resource) const;
    [[nodiscard]] std::vector<std::pair<ResourceName, Ceiling>> all() const;
    [[nodiscard]] const std::vector<CeilingRule> &rules() const { return rules_; }

    void record(std::ostream &out) const;
    void restore(const RecordReader &record);

private:
    bool apply(const CeilingRule &rule, bool active, const std::string &why, PowerTime now);

    std::vector<CeilingRule> rules_;
    std::map<ResourceName, Ceiling> administrators_;
    std::vector<std::pair<CeilingRule, Ceiling>> active_;
};

} // namespace devhost
