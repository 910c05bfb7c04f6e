// SPDX-License-Identifier: Apache-2.0
#include "guest.hpp"

#include <poll.h>
#include <sys/eventfd.h>

namespace dh {

namespace {

constexpr uint64_t class_features = (bit(24) - 1) | ~(bit(50) - 1);

// Backend features that a careful VMM takes where it can get them.
constexpr uint64_t backend_wanted =
    bit(VHOST_BACKEND_F_IOTLB_MSG_V2) | bit(VHOST_BACKEND_F_IOTLB_BATCH) |
    bit(VHOST_BACKEND_F_SUSPEND) | bit(VHOST_BACKEND_F_RESUME) |
    bit(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK) | bit(VHOST_BACKEND_F_IOTLB_PERSIST);

} // namespace

Guest::Guest(const std::string &path, GuestSetup setup)
    : setup_(setup),
      memory_(setup.ram, setup.huge),
      config_call_(eventfd(0, EFD_CLOEXEC)),
      vdpa_(path)
{
    memory_.add(ram_base, setup.ram, 0);
    if (setup.scatter) {
        memory_.scatter();
    }
}

void Guest::start()
{
    set_owner();
    negotiate();
    map_memory();
    set_up_queues();
    driver_ok();
}

void Guest::set_owner()
{
    must(vdpa_.set_owner(), "VHOST_SET_OWNER");
    owner_ = true;
    must(vdpa_.set_backend_features(vdpa_.backend_features() & backend_wanted),
         "VHOST_SET_BACKEND_FEATURES");
}

void Guest::negotiate()
{
    const uint64_t offered = vdpa_.features();
    uint64_t wanted = base_features | (setup_.device_features & class_features);
    if (setup_.ring == RingKind::packed) {
        wanted |= bit(VIRTIO_F_RING_PACKED);
    }
    if (setup_.event_idx) {
        wanted |= bit(VIRTIO_RING_F_EVENT_IDX);
    }
    if (setup_.indirect) {
        wanted |= bit(VIRTIO_RING_F_INDIRECT_DESC);
    }
    if (setup_.in_order) {
        wanted |= bit(VIRTIO_F_IN_ORDER);
    }
    features_ = offered & wanted;
    if (setup_.ring == RingKind::packed && !(features_ & bit(VIRTIO_F_RING_PACKED))) {
        throw tap::Failure("the device does not offer the packed ring");
    }

    must(vdpa_.set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE), "status ACKNOWLEDGE");
    must(vdpa_.set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER), "status DRIVER");
    must(vdpa_.set_features(features_), "VHOST_SET_FEATURES");
    must(vdpa_.set_status(vdpa_.status() | VIRTIO_CONFIG_S_FEATURES_OK), "status FEATURES_OK");
    if (!(vdpa_.status() & VIRTIO_CONFIG_S_FEATURES_OK)) {
        throw tap::Failure("the device does not accept the features");
    }
}

void Guest::map_memory()
{
    memory_.map_all(vdpa_, setup_.map_batch, setup_.map_chunk);
}

void Guest::make_queues()
{
    const uint32_t count = vdpa_.vqs_count();
    while (queues_.size() < count) {
        queues_.push_back(
            Queue::create(setup_.ring, memory_,
                          {setup_.queue_size, (features_ & bit(VIRTIO_RING_F_EVENT_IDX)) != 0}));
    }
}

void Guest::set_up_queues()
{
    must(vdpa_.config_call(config_call_.get()), "VHOST_VDPA_SET_CONFIG_CALL");
    make_queues();
    for (uint32_t i = 0; i < queues(); i++) {
        set_up_queue(i);
        must(vdpa_.vring_enable(i, true), "VHOST_VDPA_SET_VRING_ENABLE");
    }
}

void Guest::set_up_queue(uint32_t index, std::optional<uint32_t> base)
{
    Queue &q = queue(index);
    must(vdpa_.vring_num(index, q.num()), "VHOST_SET_VRING_NUM");
    must(vdpa_.vring_addr(index, q.desc_addr(), q.driver_addr(), q.device_addr()),
         "VHOST_SET_VRING_ADDR");
    must(vdpa_.vring_base(index, base.value_or(q.first_base())), "VHOST_SET_VRING_BASE");
    must(vdpa_.vring_call(index, q.call_fd()), "VHOST_SET_VRING_CALL");
    must(vdpa_.vring_kick(index, q.kick_fd()), "VHOST_SET_VRING_KICK");
}

void Guest::driver_ok()
{
    must(vdpa_.set_status(vdpa_.status() | VIRTIO_CONFIG_S_DRIVER_OK), "status DRIVER_OK");
    if (!(vdpa_.status() & VIRTIO_CONFIG_S_DRIVER_OK) || needs_reset()) {
        throw tap::Failure("the device does not start");
    }
}

void Guest::reset()
{
    must(vdpa_.set_status(0), "device reset");
    for (auto &queue : queues_) {
        queue->reset();
    }
}

void Guest::restart()
{
    reset();
    negotiate();
    map_memory();
    set_up_queues();
    driver_ok();
}

std::vector<uint32_t> Guest::halt()
{
    must(vdpa_.suspend(), "VHOST_VDPA_SUSPEND");
    std::vector<uint32_t> bases(queues());
    for (uint32_t i = 0; i < queues(); i++) {
        must(vdpa_.vring_base_get(i, bases[i]), "VHOST_GET_VRING_BASE");
    }
    return bases;
}

void Guest::go_on(const std::vector<uint32_t> &bases, const std::string &path)
{
    if (path.empty()) {
        must(vdpa_.set_status(0), "device reset");
    } else {
        vdpa_.close(); // it may be the same device, and has one user
        vdpa_ = Vdpa(path);
        memory_.forget_maps();
        set_owner();
    }
    negotiate();
    map_memory();
    must(vdpa_.config_call(config_call_.get()), "VHOST_VDPA_SET_CONFIG_CALL");
    for (uint32_t i = 0; i < queues(); i++) {
        set_up_queue(i, bases.at(i));
        must(vdpa_.vring_enable(i, true), "VHOST_VDPA_SET_VRING_ENABLE");
    }
    driver_ok();
}

bool Guest::wait_needs_reset(int timeout_ms)
{
    for (int waited = 0; waited <= timeout_ms; waited += 2) {
        if (needs_reset()) {
            return true;
        }
        usleep(2000);
    }
    return false;
}

uint64_t Guest::config_interrupts(int timeout_ms)
{
    pollfd poll_fd{config_call_.get(), POLLIN, 0};
    uint64_t count = 0;
    if (poll(&poll_fd, 1, timeout_ms) > 0) {
        (void)!read(config_call_.get(), &count, sizeof(count));
    }
    return count;
}

} // namespace dh
