/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The video devices of "virtio-video: Add virtio video device specification",
 * RFC v3 of February 2020, with what ChromeOS's guests and devices added to it:
 * 44 bytes of configuration, the params with a resource type, controls 4 to 7,
 * virtio objects, FWHT. Names as there.
 */
#ifndef _VHOST_VIDEO_VIRTIO_VIDEO_H
#define _VHOST_VIDEO_VIRTIO_VIDEO_H

#include <linux/types.h>

#define VIRTIO_ID_VIDEO_ENCODER		30
#define VIRTIO_ID_VIDEO_DECODER		31

/* Virtqueues */
#define VIRTIO_VIDEO_COMMANDQ		0
#define VIRTIO_VIDEO_EVENTQ		1
#define VIRTIO_VIDEO_VQS		2

/* Feature bits */
#define VIRTIO_VIDEO_F_RESOURCE_GUEST_PAGES	0
#define VIRTIO_VIDEO_F_RESOURCE_NON_CONTIG	1
#define VIRTIO_VIDEO_F_RESOURCE_VIRTIO_OBJECT	2

#define VIRTIO_VIDEO_MAX_PLANES		8
#define VIRTIO_VIDEO_MAX_DESCS		64

struct virtio_video_config {
	__le32 version;
	__le32 max_caps_length;
	__le32 max_resp_length;
	__u8 device_name[32];
};

enum virtio_video_cmd_type {
	VIRTIO_VIDEO_CMD_QUERY_CAPABILITY = 0x0100,
	VIRTIO_VIDEO_CMD_STREAM_CREATE,
	VIRTIO_VIDEO_CMD_STREAM_DESTROY,
	VIRTIO_VIDEO_CMD_STREAM_DRAIN,
	VIRTIO_VIDEO_CMD_RESOURCE_CREATE,
	VIRTIO_VIDEO_CMD_RESOURCE_QUEUE,
	VIRTIO_VIDEO_CMD_RESOURCE_DESTROY_ALL,
	VIRTIO_VIDEO_CMD_QUEUE_CLEAR,
	VIRTIO_VIDEO_CMD_GET_PARAMS,
	VIRTIO_VIDEO_CMD_SET_PARAMS,
	VIRTIO_VIDEO_CMD_QUERY_CONTROL,
	VIRTIO_VIDEO_CMD_GET_CONTROL,
	VIRTIO_VIDEO_CMD_SET_CONTROL,
	VIRTIO_VIDEO_CMD_GET_PARAMS_EXT,
	VIRTIO_VIDEO_CMD_SET_PARAMS_EXT,
};

enum virtio_video_resp_type {
	VIRTIO_VIDEO_RESP_OK_NODATA = 0x0200,
	VIRTIO_VIDEO_RESP_OK_QUERY_CAPABILITY,
	VIRTIO_VIDEO_RESP_OK_RESOURCE_QUEUE,
	VIRTIO_VIDEO_RESP_OK_GET_PARAMS,
	VIRTIO_VIDEO_RESP_OK_QUERY_CONTROL,
	VIRTIO_VIDEO_RESP_OK_GET_CONTROL,

	VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION = 0x0300,
	VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY,
	VIRTIO_VIDEO_RESP_ERR_INVALID_STREAM_ID,
	VIRTIO_VIDEO_RESP_ERR_INVALID_RESOURCE_ID,
	VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER,
	VIRTIO_VIDEO_RESP_ERR_UNSUPPORTED_CONTROL,
};

struct virtio_video_cmd_hdr {
	__le32 type;
	__le32 stream_id;
};

#define VIRTIO_VIDEO_QUEUE_TYPE_INPUT	0x100
#define VIRTIO_VIDEO_QUEUE_TYPE_OUTPUT	0x101

struct virtio_video_query_capability {
	struct virtio_video_cmd_hdr hdr;
	__le32 queue_type;
	__u8 padding[4];
};

#define VIRTIO_VIDEO_PLANES_LAYOUT_SINGLE_BUFFER	0x1
#define VIRTIO_VIDEO_PLANES_LAYOUT_PER_PLANE		0x2

struct virtio_video_format_range {
	__le32 min;
	__le32 max;
	__le32 step;
	__u8 padding[4];
};

/* Followed by num_rates times struct virtio_video_format_range. */
struct virtio_video_format_frame {
	struct virtio_video_format_range width;
	struct virtio_video_format_range height;
	__le32 num_rates;
	__u8 padding[4];
};

/* Followed by num_frames times struct virtio_video_format_frame. */
struct virtio_video_format_desc {
	__le64 mask;
	__le32 format;
	__le32 planes_layout;
	__le32 plane_align;
	__le32 num_frames;
};

/* Followed by num_descs times struct virtio_video_format_desc. */
struct virtio_video_query_capability_resp {
	struct virtio_video_cmd_hdr hdr;
	__le32 num_descs;
	__u8 padding[4];
};

#define VIRTIO_VIDEO_MEM_TYPE_GUEST_PAGES	0
#define VIRTIO_VIDEO_MEM_TYPE_VIRTIO_OBJECT	1

struct virtio_video_stream_create {
	struct virtio_video_cmd_hdr hdr;
	__le32 in_mem_type;
	__le32 out_mem_type;
	__le32 coded_format;
	__u8 padding[4];
	__u8 tag[64];
};

struct virtio_video_mem_entry {
	__le64 addr;
	__le32 length;
	__u8 padding[4];
};

/* Followed by the sum of num_entries times struct virtio_video_mem_entry. */
struct virtio_video_resource_create {
	struct virtio_video_cmd_hdr hdr;
	__le32 queue_type;
	__le32 resource_id;
	__le32 planes_layout;
	__le32 num_planes;
	__le32 plane_offsets[VIRTIO_VIDEO_MAX_PLANES];
	__le32 num_entries[VIRTIO_VIDEO_MAX_PLANES];
};

struct virtio_video_resource_queue {
	struct virtio_video_cmd_hdr hdr;
	__le32 queue_type;
	__le32 resource_id;
	__le64 timestamp;
	__le32 num_data_sizes;
	__le32 data_sizes[VIRTIO_VIDEO_MAX_PLANES];
	__u8 padding[4];
};

#define VIRTIO_VIDEO_BUFFER_FLAG_ERR	0x0001
#define VIRTIO_VIDEO_BUFFER_FLAG_EOS	0x0002
#define VIRTIO_VIDEO_BUFFER_FLAG_IFRAME	0x0004
#define VIRTIO_VIDEO_BUFFER_FLAG_PFRAME	0x0008
#define VIRTIO_VIDEO_BUFFER_FLAG_BFRAME	0x0010

struct virtio_video_resource_queue_resp {
	struct virtio_video_cmd_hdr hdr;
	__le64 timestamp;
	__le32 flags;
	__le32 size;
};

/* RESOURCE_DESTROY_ALL, QUEUE_CLEAR, GET_PARAMS, GET_PARAMS_EXT */
struct virtio_video_queue_cmd {
	struct virtio_video_cmd_hdr hdr;
	__le32 queue_type;
	__u8 padding[4];
};

struct virtio_video_crop {
	__le32 left;
	__le32 top;
	__le32 width;
	__le32 height;
};

struct virtio_video_plane_format {
	__le32 plane_size;
	__le32 stride;
};

struct virtio_video_params {
	__le32 queue_type;
	__le32 format;
	__le32 frame_width;
	__le32 frame_height;
	__le32 min_buffers;
	__le32 max_buffers;
	struct virtio_video_crop crop;
	__le32 frame_rate;
	__le32 num_planes;
	struct virtio_video_plane_format plane_formats[VIRTIO_VIDEO_MAX_PLANES];
	/* Here the plain form ends. */
	__le32 resource_type;
	__u8 padding[4];
};

#define VIRTIO_VIDEO_PARAMS_PLAIN \
	offsetof(struct virtio_video_params, resource_type)

/* GET_PARAMS' answer and SET_PARAMS; the plain form is shorter. */
struct virtio_video_params_msg {
	struct virtio_video_cmd_hdr hdr;
	struct virtio_video_params params;
};

#define VIRTIO_VIDEO_PARAMS_MSG_PLAIN \
	(sizeof(struct virtio_video_cmd_hdr) + VIRTIO_VIDEO_PARAMS_PLAIN)

enum virtio_video_control_type {
	VIRTIO_VIDEO_CONTROL_BITRATE = 1,
	VIRTIO_VIDEO_CONTROL_PROFILE,
	VIRTIO_VIDEO_CONTROL_LEVEL,
	VIRTIO_VIDEO_CONTROL_FORCE_KEYFRAME,
	VIRTIO_VIDEO_CONTROL_BITRATE_MODE,
	VIRTIO_VIDEO_CONTROL_BITRATE_PEAK,
	VIRTIO_VIDEO_CONTROL_PREPEND_SPSPPS_TO_IDR,
	VIRTIO_VIDEO_CONTROL_GOP_SIZE,
};

struct virtio_video_query_control {
	struct virtio_video_cmd_hdr hdr;
	__le32 control;
	__u8 padding[4];
	__le32 format;
	__u8 padding2[4];
};

/* Followed by num times __le32. */
struct virtio_video_query_control_resp {
	struct virtio_video_cmd_hdr hdr;
	__le32 num;
	__u8 padding[4];
};

struct virtio_video_get_control {
	struct virtio_video_cmd_hdr hdr;
	__le32 control;
	__u8 padding[4];
};

struct virtio_video_get_control_resp {
	struct virtio_video_cmd_hdr hdr;
	__le32 value;
	__u8 padding[4];
};

/* A control without a value ends before it. */
struct virtio_video_set_control {
	struct virtio_video_cmd_hdr hdr;
	__le32 control;
	__u8 padding[4];
	__le32 value;
	__u8 padding2[4];
};

#define VIRTIO_VIDEO_EVENT_ERROR			0x0100
#define VIRTIO_VIDEO_EVENT_DECODER_RESOLUTION_CHANGED	0x0200

struct virtio_video_event {
	__le32 event_type;
	__le32 stream_id;
};

enum virtio_video_format {
	VIRTIO_VIDEO_FORMAT_ARGB8888 = 1,
	VIRTIO_VIDEO_FORMAT_BGRA8888,
	VIRTIO_VIDEO_FORMAT_NV12,
	VIRTIO_VIDEO_FORMAT_YUV420,
	VIRTIO_VIDEO_FORMAT_YVU420,
	VIRTIO_VIDEO_FORMAT_RAW_MAX = VIRTIO_VIDEO_FORMAT_YVU420,

	VIRTIO_VIDEO_FORMAT_CODED_MIN = 0x1000,
	VIRTIO_VIDEO_FORMAT_MPEG2 = VIRTIO_VIDEO_FORMAT_CODED_MIN,
	VIRTIO_VIDEO_FORMAT_MPEG4,
	VIRTIO_VIDEO_FORMAT_H264,
	VIRTIO_VIDEO_FORMAT_HEVC,
	VIRTIO_VIDEO_FORMAT_VP8,
	VIRTIO_VIDEO_FORMAT_VP9,
	VIRTIO_VIDEO_FORMAT_FWHT,
	VIRTIO_VIDEO_FORMAT_CODED_MAX = VIRTIO_VIDEO_FORMAT_FWHT,
};

#endif /* _VHOST_VIDEO_VIRTIO_VIDEO_H */
