// SPDX-License-Identifier: Apache-2.0
// The calls of kernel/include/devhost on the faked core.
#include "core.hpp"

#include <utility>

devhost_device *fuzz_device;
unsigned long shim_jiffies;

devhost_device::devhost_device(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Queue queue;
        queue.config = {false, false, false, 32, 0};
        queue.driver = make_driver(guest, queue.config);
        queue.device = std::make_unique<Device>(guest, *queue.driver, queue.config);
        queues.push_back(std::move(queue));
    }
    own_ = guest.map()->regions.size();
    fuzz_device = this;
}

devhost_device::~devhost_device()
{
    REQUIRE(jobs.empty());
    fuzz_device = nullptr;
}

devhost_chain *Queue::send(Guest &guest, const std::vector<uint8_t> &bytes, size_t room,
                           size_t piece)
{
    Buffer buffer;
    for (size_t at = 0; at < bytes.size(); at += piece) {
        const size_t len = std::min(piece, bytes.size() - at);
        const uint64_t iova = guest.add(len);
        std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), len,
                    guest.map()->regions.back().mem.get());
        buffer.out.push_back({iova, static_cast<uint32_t>(len)});
    }
    for (size_t at = 0; at < room; at += piece) {
        const size_t len = std::min(piece, room - at);
        buffer.in.push_back({guest.add(len), static_cast<uint32_t>(len)});
    }
    if (buffer.descriptors() == 0 || !driver->add(buffer)) {
        return nullptr;
    }
    device->map();
    devhost_chain *chain = device->pop();
    REQUIRE(chain != nullptr && !is_err(chain));
    return chain;
}

devhost_chain *devhost_device::request(size_t queue, Input &in, size_t max)
{
    const size_t room = in.u8();
    const size_t piece = 1 + in.u8() % 64;
    const size_t size = std::min<size_t>(in.u8(), max);
    const std::vector<uint8_t> bytes = in.bytes(size);
    // As many descriptors as the queue has, at most.
    const size_t least = (bytes.size() + room) / 14 + 1;
    return send(queue, bytes, room, std::max(piece, least));
}

devhost_chain *devhost_device::send(size_t queue, const std::vector<uint8_t> &bytes, size_t room,
                                    size_t piece)
{
    // What requests were in is not needed any more once all are answered.
    if (kept.empty()) {
        guest.map()->regions.resize(own_);
    }
    devhost_chain *chain = queues.at(queue).send(guest, bytes, room, piece);
    if (chain != nullptr) {
        kept[chain] = true;
    }
    return chain;
}

std::vector<uint8_t> devhost_device::written(const devhost_chain *chain)
{
    std::vector<uint8_t> bytes;
    size_t left = chain->written;
    for (unsigned i = 0; i < chain->in && left != 0; i++) {
        const devhost_span &span = chain->span[chain->out + i];
        const size_t len = std::min<size_t>(left, span.len);
        const auto *base = static_cast<const uint8_t *>(span.base);
        bytes.insert(bytes.end(), base, base + len);
        left -= len;
    }
    REQUIRE(left == 0);
    return bytes;
}

namespace {

devhost_device &owner(const devhost_chain *chain)
{
    // Each chain is answered once.
    REQUIRE(fuzz_device != nullptr && fuzz_device->kept.erase(chain) == 1);
    return *fuzz_device;
}

void give_back(devhost_device &device, devhost_chain *chain, uint32_t len)
{
    REQUIRE(chain->written <= chain->writable);
    for (auto &queue : device.queues) {
        if (&queue.device->ring() == chain->ring) {
            queue.device->push(chain, len);
            const auto used = queue.driver->get();
            REQUIRE(used && used->len == len);
            return;
        }
    }
    REQUIRE(!"a chain of some queue");
}

} // namespace

void devhost_device::answered(devhost_chain *chain, devhost_answer answer)
{
    switch (answer) {
    case DEVHOST_COMPLETE:
        devhost_chain_complete(chain);
        break;
    case DEVHOST_REJECT:
        devhost_chain_reject(chain);
        break;
    case DEVHOST_KEEP:
    case DEVHOST_STALL:
        break;
    }
}

void devhost_device::run_jobs()
{
    while (!jobs.empty()) {
        devhost_job *job = jobs.front();
        jobs.erase(jobs.begin());
        job->run(job);
        job->done(this, job);
    }
}

void devhost_device::drop_jobs()
{
    for (devhost_job *job : std::exchange(jobs, {})) {
        job->drop(job);
    }
}

extern "C" {

void devhost_chain_complete(devhost_chain *chain)
{
    devhost_device &device = owner(chain);
    device.answers.push_back(device.written(chain));
    give_back(device, chain, chain->written);
}

void devhost_chain_reject(devhost_chain *chain)
{
    devhost_device &device = owner(chain);
    device.rejected++;
    give_back(device, chain, 0);
}

devhost_chain *devhost_vq_pop(Queue *vq)
{
    if (vq->supplied.empty()) {
        return nullptr;
    }
    devhost_chain *chain = vq->supplied.front();
    vq->supplied.erase(vq->supplied.begin());
    return chain;
}

Queue *devhost_vq(devhost_device *dev, unsigned int index)
{
    return &dev->queues.at(index);
}

u64 devhost_features(const devhost_device *dev)
{
    return dev->features;
}

int devhost_submit(devhost_device *dev, devhost_job *job)
{
    if (dev->jobs.size() >= dev->jobs_max) {
        return -EBUSY;
    }
    dev->jobs.push_back(job);
    return 0;
}

void devhost_raise(devhost_device *, unsigned int event)
{
    REQUIRE(event < DEVHOST_EVENTS);
}

void devhost_config_changed(devhost_device *) {}

void devhost_backend_changed(devhost_device *) {}

void devhost_count(devhost_device *, unsigned int, u64) {}
void devhost_count_data(devhost_device *, unsigned int, u64, u64) {}

} // extern "C"

/// The next verdict.
bool fuzz_allows(devhost_device *dev)
{
    const bool refuse = (dev->verdicts & 1) != 0;
    dev->verdicts = static_cast<u8>(dev->verdicts >> 1 | dev->verdicts << 7);
    return !refuse;
}
