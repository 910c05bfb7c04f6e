// SPDX-License-Identifier: Apache-2.0
//
// How long guests' requests take: histograms that a BPF program on the core's tracepoints counts,
// while somebody asks for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "unique_fd.hpp"

struct bpf_link;
struct bpf_object;

namespace devhost {

/// How many took at least so many nanoseconds, and less than the next slot of <latency.h> says.
using LatencyCounts = std::map<std::uint64_t, std::uint64_t>;

struct QueueLatencies {
    LatencyCounts wait;    // from the driver's notification to the first request
    LatencyCounts service; // from taking a request to its answer
};

/// A fake takes its place in tests.
class Latencies {
public:
    virtual ~Latencies() = default;
    /// Of a device's queues, by index, counted since somebody began to ask. Throws Error.
    virtual std::vector<QueueLatencies> read(std::uint32_t device, std::uint32_t queues) = 0;
    /// Nobody has asked for long.
    virtual void rest() = 0;
};

class BpfLatencies final : public Latencies {
public:
    /// Where the package puts the programs.
    BpfLatencies();
    explicit BpfLatencies(std::filesystem::path programs);

    std::vector<QueueLatencies> read(std::uint32_t device, std::uint32_t queues) override;
    void rest() override;
    /// Readable when it is time to rest(): some seconds after the last read().
    [[nodiscard]] int rest_fd() const { return timer_.get(); }

private:
    struct Closer {
        void operator()(bpf_object *object) const;
        void operator()(bpf_link *link) const;
    };

    void start();
    void set_timer(unsigned seconds) const;

    std::filesystem::path programs_;
    UniqueFd timer_;
    std::unique_ptr<bpf_object, Closer> object_;
    std::vector<std::unique_ptr<bpf_link, Closer>> links_;
};

} // namespace devhost
