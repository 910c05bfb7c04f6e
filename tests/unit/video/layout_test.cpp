// SPDX-License-Identifier: Apache-2.0
// Sizes and offsets of the protocol, as its drivers have them.
#include <gtest/gtest.h>

#include "protocol.hpp"

TEST(Layout, Sizes)
{
    EXPECT_EQ(sizeof(virtio_video_config), 44U);
    EXPECT_EQ(sizeof(virtio_video_cmd_hdr), 8U);
    EXPECT_EQ(sizeof(virtio_video_query_capability), 16U);
    EXPECT_EQ(sizeof(virtio_video_query_capability_resp), 16U);
    EXPECT_EQ(sizeof(virtio_video_format_desc), 24U);
    EXPECT_EQ(sizeof(virtio_video_format_frame), 40U);
    EXPECT_EQ(sizeof(virtio_video_format_range), 16U);
    EXPECT_EQ(sizeof(virtio_video_stream_create), 88U);
    EXPECT_EQ(sizeof(virtio_video_resource_create), 88U);
    EXPECT_EQ(sizeof(virtio_video_mem_entry), 16U);
    EXPECT_EQ(sizeof(virtio_video_resource_queue), 64U);
    EXPECT_EQ(sizeof(virtio_video_resource_queue_resp), 24U);
    EXPECT_EQ(sizeof(virtio_video_queue_cmd), 16U);
    EXPECT_EQ(sizeof(virtio_video_params), 120U);
    EXPECT_EQ(VIRTIO_VIDEO_PARAMS_PLAIN, 112U);
    EXPECT_EQ(sizeof(virtio_video_params_msg), 128U);
    EXPECT_EQ(VIRTIO_VIDEO_PARAMS_MSG_PLAIN, 120U);
    EXPECT_EQ(sizeof(virtio_video_query_control), 24U);
    EXPECT_EQ(sizeof(virtio_video_query_control_resp), 16U);
    EXPECT_EQ(sizeof(virtio_video_get_control), 16U);
    EXPECT_EQ(sizeof(virtio_video_get_control_resp), 16U);
    EXPECT_EQ(sizeof(virtio_video_set_control), 24U);
    EXPECT_EQ(sizeof(virtio_video_event), 8U);
}

TEST(Layout, Offsets)
{
    EXPECT_EQ(offsetof(virtio_video_stream_create, coded_format), 16U);
    EXPECT_EQ(offsetof(virtio_video_stream_create, tag), 24U);
    EXPECT_EQ(offsetof(virtio_video_resource_create, plane_offsets), 24U);
    EXPECT_EQ(offsetof(virtio_video_resource_create, num_entries), 56U);
    EXPECT_EQ(offsetof(virtio_video_resource_queue, timestamp), 16U);
    EXPECT_EQ(offsetof(virtio_video_resource_queue, data_sizes), 28U);
    EXPECT_EQ(offsetof(virtio_video_resource_queue_resp, flags), 16U);
    EXPECT_EQ(offsetof(virtio_video_params, crop), 24U);
    EXPECT_EQ(offsetof(virtio_video_params, plane_formats), 48U);
    EXPECT_EQ(offsetof(virtio_video_params, resource_type), 112U);
    EXPECT_EQ(offsetof(virtio_video_set_control, value), 16U);
    EXPECT_EQ(offsetof(virtio_video_config, device_name), 12U);
}

TEST(Layout, Codes)
{
    EXPECT_EQ(VIRTIO_VIDEO_CMD_QUEUE_CLEAR, 0x0107);
    EXPECT_EQ(VIRTIO_VIDEO_CMD_SET_PARAMS_EXT, 0x010e);
    EXPECT_EQ(VIRTIO_VIDEO_RESP_OK_GET_CONTROL, 0x0205);
    EXPECT_EQ(VIRTIO_VIDEO_RESP_ERR_UNSUPPORTED_CONTROL, 0x0305);
    EXPECT_EQ(VIRTIO_VIDEO_CONTROL_GOP_SIZE, 8);
    EXPECT_EQ(VIRTIO_VIDEO_FORMAT_NV12, 3);
    EXPECT_EQ(VIRTIO_VIDEO_FORMAT_FWHT, 0x1006);
}
