// SPDX-License-Identifier: Apache-2.0
// Features and the status of the device.
#include <bit>

#include "node.hpp"

namespace dh::vdpa_check {

namespace {

constexpr uint8_t acknowledge = VIRTIO_CONFIG_S_ACKNOWLEDGE;
constexpr uint8_t driver = acknowledge | VIRTIO_CONFIG_S_DRIVER;
constexpr uint8_t features_ok = driver | VIRTIO_CONFIG_S_FEATURES_OK;

// What is as good as every driver of the device takes.
uint64_t usual(Vdpa &vdpa)
{
    return vdpa.features() & (base_features | bit(VIRTIO_RING_F_EVENT_IDX));
}

Vdpa with_driver()
{
    Vdpa vdpa = own_node();
    must(vdpa.set_status(acknowledge), "status ACKNOWLEDGE");
    must(vdpa.set_status(driver), "status DRIVER");
    return vdpa;
}

} // namespace

TEST("backend features: messages about memory, in batches")
{
    Vdpa vdpa = own_node();
    const uint64_t offered = vdpa.backend_features();
    tap::note(backend_feature_names(offered));
    CHECK(offered & bit(VHOST_BACKEND_F_IOTLB_MSG_V2));
    must(vdpa.set_backend_features(
             offered & (bit(VHOST_BACKEND_F_IOTLB_MSG_V2) | bit(VHOST_BACKEND_F_IOTLB_BATCH))),
         "VHOST_SET_BACKEND_FEATURES");
    CHECK(vdpa.set_backend_features(offered | bit(40)) < 0);
}

TEST("features: what every device here needs, and nothing that was not offered")
{
    Vdpa vdpa = with_driver();
    const uint64_t offered = vdpa.features();
    tap::note(feature_names(offered));
    if ((offered & base_features) != base_features) {
        FAIL("a device of a vhost-vdpa node needs VERSION_1 and ACCESS_PLATFORM");
    }
    const auto unknown = static_cast<unsigned>(std::countr_one(offered));
    refused(vdpa.set_features(usual(vdpa) | bit(unknown)), EINVAL,
            "features with bit " + std::to_string(unknown) + ", which was not offered");
    refused(vdpa.set_features(usual(vdpa) & ~bit(VIRTIO_F_VERSION_1)), EINVAL,
            "features without VERSION_1");
    must(vdpa.set_features(usual(vdpa)), "VHOST_SET_FEATURES");
}

TEST("features are settled with FEATURES_OK")
{
    Vdpa vdpa = with_driver();
    must(vdpa.set_features(usual(vdpa)), "VHOST_SET_FEATURES");
    must(vdpa.set_status(features_ok), "status FEATURES_OK");
    CHECK_EQ(vdpa.status(), features_ok);
    refused(vdpa.set_features(usual(vdpa)), EBUSY, "VHOST_SET_FEATURES after FEATURES_OK");
}

TEST("the status gains bits, and 0 resets the device")
{
    Vdpa vdpa = with_driver();
    refused(vdpa.set_status(acknowledge), EINVAL, "taking DRIVER out of the status");
    must(vdpa.set_status(0), "status 0");
    CHECK_EQ(vdpa.status(), 0);
    must(vdpa.set_status(acknowledge), "status ACKNOWLEDGE after a reset");
}

} // namespace dh::vdpa_check
