// SPDX-License-Identifier: Apache-2.0
#include "node.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace dh::vdpa_check {

namespace {

struct Name {
    unsigned bit;
    const char *name;
};

constexpr Name features_known[] = {
    {VIRTIO_RING_F_INDIRECT_DESC, "INDIRECT_DESC"},
    {VIRTIO_RING_F_EVENT_IDX, "EVENT_IDX"},
    {VIRTIO_F_VERSION_1, "VERSION_1"},
    {VIRTIO_F_ACCESS_PLATFORM, "ACCESS_PLATFORM"},
    {VIRTIO_F_RING_PACKED, "RING_PACKED"},
    {VIRTIO_F_IN_ORDER, "IN_ORDER"},
    {VIRTIO_F_ORDER_PLATFORM, "ORDER_PLATFORM"},
    {VIRTIO_F_RING_RESET, "RING_RESET"},
};

constexpr Name backend_features_known[] = {
    {VHOST_BACKEND_F_IOTLB_MSG_V2, "IOTLB_MSG_V2"},
    {VHOST_BACKEND_F_IOTLB_BATCH, "IOTLB_BATCH"},
    {VHOST_BACKEND_F_IOTLB_ASID, "IOTLB_ASID"},
    {VHOST_BACKEND_F_SUSPEND, "SUSPEND"},
    {VHOST_BACKEND_F_RESUME, "RESUME"},
    {VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK, "ENABLE_AFTER_DRIVER_OK"},
    {VHOST_BACKEND_F_DESC_ASID, "DESC_ASID"},
    {VHOST_BACKEND_F_IOTLB_PERSIST, "IOTLB_PERSIST"},
};

template <size_t N>
std::string names(const Name (&known)[N], uint64_t features)
{
    std::string text;
    for (unsigned i = 0; i < 64; i++) {
        if (!(features & bit(i))) {
            continue;
        }
        const Name *name = std::begin(known);
        while (name != std::end(known) && name->bit != i) {
            name++;
        }
        text += text.empty() ? "" : ", ";
        text += name != std::end(known) ? name->name : "bit " + std::to_string(i);
    }
    return text.empty() ? "none" : text;
}

std::string advice(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "run this as the user whose VMM the device is for";
    case EBUSY:
        return "a VMM has the device: stop it first";
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return "there is no such device, or vhost_vdpa is not its driver";
    default:
        return strerror(error);
    }
}

} // namespace

Subject &subject()
{
    static Subject it;
    return it;
}

Vdpa open_node()
{
    Fd fd(open(subject().path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) {
        FAIL(subject().path + " cannot be opened: " + advice(errno));
    }
    return Vdpa(std::move(fd));
}

Vdpa own_node()
{
    Vdpa vdpa = open_node();
    must(vdpa.set_owner(), "VHOST_SET_OWNER");
    return vdpa;
}

GuestSetup usual_setup(RingKind ring)
{
    Vdpa vdpa = own_node();
    if (ring == RingKind::packed && !(vdpa.features() & bit(VIRTIO_F_RING_PACKED))) {
        SKIP("the device does not offer RING_PACKED");
    }
    GuestSetup setup = with_ring(ring);
    setup.queue_size = std::min(setup.queue_size, vdpa.vring_num_max());
    return setup;
}

void refused(int result, int error, const std::string &why)
{
    if (result != -error) {
        FAIL(why + ": " + (result < 0 ? strerror(-result) : "it succeeded") + " instead of " +
             strerror(error));
    }
}

std::string feature_names(uint64_t features)
{
    return names(features_known, features);
}

std::string backend_feature_names(uint64_t features)
{
    return names(backend_features_known, features);
}

} // namespace dh::vdpa_check
