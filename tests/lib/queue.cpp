// SPDX-License-Identifier: Apache-2.0
#include "queue.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>

namespace dh {

Queue::Queue(GuestMemory &memory, QueueSetup setup)
    : memory_(memory),
      num_(setup.num),
      event_idx_(setup.event_idx),
      free_(setup.num),
      kick_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      call_(eventfd(0, EFD_CLOEXEC))
{
    if (!kick_ || !call_) {
        throw std::runtime_error("no eventfd");
    }
}

std::unique_ptr<Queue> Queue::create(RingKind kind, GuestMemory &memory, QueueSetup setup)
{
    if (kind == RingKind::packed) {
        return std::make_unique<PackedQueue>(memory, setup);
    }
    return std::make_unique<SplitQueue>(memory, setup);
}

void Queue::kick()
{
    uint64_t one = 1;
    // EAGAIN is a kick that nobody has taken yet: it will do.
    (void)!write(kick_.get(), &one, sizeof(one));
}

bool Queue::wait(int timeout_ms)
{
    using clock = std::chrono::steady_clock;
    const auto end = clock::now() + std::chrono::milliseconds(timeout_ms);
    while (!ready()) {
        interrupts(true);
        if (ready()) {
            break;
        }
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now());
        if (left.count() < 0) {
            return false;
        }
        pollfd poll_fd{call_.get(), POLLIN, 0};
        if (poll(&poll_fd, 1, static_cast<int>(left.count()) + 1) > 0) {
            interrupts_seen();
        }
    }
    return true;
}

Used Queue::expect(int timeout_ms)
{
    Used used{};
    if (!wait(timeout_ms) || !take(used)) {
        throw tap::Failure("the device did not return a request in time");
    }
    return used;
}

uint64_t Queue::interrupts_seen()
{
    pollfd poll_fd{call_.get(), POLLIN, 0};
    uint64_t count = 0;
    if (poll(&poll_fd, 1, 0) > 0) {
        (void)!read(call_.get(), &count, sizeof(count));
    }
    return count;
}

} // namespace dh
