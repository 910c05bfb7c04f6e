// SPDX-License-Identifier: Apache-2.0
// What a device module meets of the core: real queues in guest memory, with everything else faked.
// Requests come as a driver would send them, cut into pieces wherever the input says.
#pragma once

#include "../unit/ring/device.hpp"
#include "input.hpp"

#include <array>
#include <map>
#include <memory>

extern "C" {
#include <devhost/policy.h>

// Time, which passes where a fuzzer says so.
extern unsigned long shim_jiffies;
}

/// A queue of the device.
struct devhost_vq {
    /// A chain with these bytes to be read and so many to be written; in pieces of @piece bytes.
    devhost_chain *send(Guest &guest, const std::vector<uint8_t> &bytes, size_t room, size_t piece);

    Config config;
    std::unique_ptr<Driver> driver;
    std::unique_ptr<Device> device;
    std::vector<devhost_chain *> supplied; // to be taken by the module
};

/// C has a function of the same name.
using Queue = struct devhost_vq;

/// The core's side of a device.
struct devhost_device {
    explicit devhost_device(size_t queues);
    ~devhost_device();
    devhost_device(const devhost_device &) = delete;
    devhost_device &operator=(const devhost_device &) = delete;

    /// A request of the driver; nullptr where the queue is full.
    devhost_chain *request(size_t queue, Input &in, size_t max);
    /// The same, with everything said.
    devhost_chain *send(size_t queue, const std::vector<uint8_t> &bytes, size_t room, size_t piece);
    /// What the core does with the module's answer.
    void answered(devhost_chain *chain, devhost_answer answer);
    /// Helpers run all jobs that were submitted; then the worker is told.
    void run_jobs();
    void drop_jobs();
    /// The bytes that the device wrote into a chain, before it goes back.
    std::vector<uint8_t> written(const devhost_chain *chain);

    Guest guest;
    std::vector<Queue> queues;
    std::vector<devhost_job *> jobs;
    size_t jobs_max = 4;
    u64 features = 0;
    u8 verdicts = 0; // a bit for each of the next questions to the policy: refuse
    std::map<const devhost_chain *, bool> kept;
    std::vector<std::vector<uint8_t>> answers; // of what was completed
    size_t rejected = 0;

private:
    size_t own_ = 0; // regions that the rings are in
};

extern devhost_device *fuzz_device;

/// The policy's next verdict.
bool fuzz_allows(devhost_device *dev);
