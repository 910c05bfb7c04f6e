// SPDX-License-Identifier: Apache-2.0
// /dev/vhost-vdpa-N, one call a function. Calls return 0 or -errno, so that
// tests can expect refusals; must() turns a refusal into a failed test.
#pragma once

#include <linux/vhost.h>

#include <cstdint>
#include <string>

#include "fd.hpp"

namespace dh {

int must(int result, const char *what);

class Vdpa {
public:
    // Opens; throws std::system_error.
    explicit Vdpa(const std::string &path);
    // Takes over an open descriptor.
    explicit Vdpa(Fd fd) : fd_(std::move(fd)) {}

    int fd() const { return fd_.get(); }
    void close() { fd_.reset(); }

    int call(unsigned long request, void *argument);
    int set_owner();
    uint64_t backend_features();
    int set_backend_features(uint64_t features);
    uint64_t features();
    int set_features(uint64_t features);
    uint8_t status();
    int set_status(uint8_t status);
    uint32_t device_id();
    uint32_t config_size();
    uint32_t vqs_count();
    uint16_t vring_num_max();

    int config_get(uint32_t offset, void *buffer, uint32_t length);
    int config_set(uint32_t offset, const void *buffer, uint32_t length);
    int config_call(int eventfd);

    int vring_num(uint32_t index, uint32_t num);
    int vring_addr(uint32_t index, uint64_t desc, uint64_t driver, uint64_t device);
    int vring_base(uint32_t index, uint32_t base);
    int vring_base_get(uint32_t index, uint32_t &base);
    int vring_kick(uint32_t index, int eventfd);
    int vring_call(uint32_t index, int eventfd);
    int vring_enable(uint32_t index, bool enable);

    int suspend();
    int resume();

    // IOTLB messages, version 2. Every failure of the kernel is -EFAULT.
    int map(uint64_t iova, const void *where, uint64_t size, uint8_t perm);
    int unmap(uint64_t iova, uint64_t size);
    int batch_begin();
    int batch_end();

private:
    int message(uint8_t type, uint64_t iova, uint64_t size, uint64_t where, uint8_t perm);

    Fd fd_;
};

} // namespace dh
