// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "config.hpp"
#include "config_tree.hpp"

namespace devhost {

/// Where and how queue workers run. A fake takes its place in tests.
class Workers {
public:
    virtual ~Workers() = default;
    /// What @p wanted leaves empty is set to the system's default, since a worker inherits the
    /// affinity and the scheduling of the VMM's vCPU that started it. Throws Error.
    virtual void apply(std::uint32_t thread, const WorkerConfig &wanted) = 0;
};

class SystemWorkers final : public Workers {
public:
    void apply(std::uint32_t thread, const WorkerConfig &wanted) override;
};

Setting to_setting(const WorkerConfig &worker);

} // namespace devhost
