/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver asks of a video device and what it is answered, in the host's
 * terms: between the front end, which knows the bytes of one protocol (parse.c,
 * pack.c), and the streams, which know none. Values of formats, controls and
 * buffer flags are virtio-video's.
 *
 * Has nothing of the kernel but types, so that tests run it in user space.
 */
#ifndef _VHOST_VIDEO_PROTOCOL_H
#define _VHOST_VIDEO_PROTOCOL_H

#include <linux/types.h>

#include "virtio_video.h"

/* The largest request without the memory entries of RESOURCE_CREATE. */
#define VHOST_VIDEO_REQUEST_MAX		sizeof(struct virtio_video_params_msg)
/* The largest answer but for capabilities and QUERY_CONTROL. */
#define VHOST_VIDEO_ANSWER_MAX		sizeof(struct virtio_video_params_msg)
/* Runs of memory that one resource may be made of. */
#define VHOST_VIDEO_ENTRIES_MAX		16384

enum vhost_video_queue {
	VHOST_VIDEO_INPUT,
	VHOST_VIDEO_OUTPUT,
	VHOST_VIDEO_QUEUES
};

/**
 * struct vhost_video_plane - a colour plane within a frame
 * @size: bytes
 * @stride: bytes a line, 0 for what has no lines
 */
struct vhost_video_plane {
	u32 size;
	u32 stride;
};

/**
 * struct vhost_video_rect - visible part of a frame
 * @left: first column
 * @top: first line
 * @width: columns
 * @height: lines
 */
struct vhost_video_rect {
	u32 left;
	u32 top;
	u32 width;
	u32 height;
};

/**
 * struct vhost_video_params - one queue of a stream
 * @format: enum virtio_video_format; 0: none
 * @width: coded width
 * @height: coded height
 * @min_buffers: the device needs
 * @max_buffers: the device takes
 * @crop: visible part
 * @rate: frames a second, 0: unknown
 * @num_planes: of @planes, 8 at most
 * @planes: colour planes
 * @objects: buffers are virtio objects; of the longer form
 */
struct vhost_video_params {
	u32 format;
	u32 width;
	u32 height;
	u32 min_buffers;
	u32 max_buffers;
	struct vhost_video_rect crop;
	u32 rate;
	u32 num_planes;
	struct vhost_video_plane planes[VIRTIO_VIDEO_MAX_PLANES];
	bool objects;
};

/**
 * struct vhost_video_request - a request, checked as far as it goes by itself
 * @type: enum virtio_video_cmd_type, 0 where it is none of them
 * @stream: driver's id
 * @queue: where the request is about one
 * @create: STREAM_CREATE
 * @resource: RESOURCE_CREATE; @entries runs follow in the chain
 * @buffer: RESOURCE_QUEUE
 * @params: SET_PARAMS, SET_PARAMS_EXT
 * @control: *_CONTROL
 */
struct vhost_video_request {
	u32 type;
	u32 stream;
	enum vhost_video_queue queue;
	union {
		struct {
			u32 format;
			bool objects[VHOST_VIDEO_QUEUES];
		} create;
		struct {
			u32 id;
			u32 entries;
		} resource;
		struct {
			u32 id;
			u32 size;
			u64 timestamp;
		} buffer;
		struct vhost_video_params params;
		struct {
			u32 id;
			u32 format;
			u32 value;
		} control;
	};
};

/**
 * struct vhost_video_buffer - what became of a buffer
 * @timestamp: of the input buffer
 * @flags: VIRTIO_VIDEO_BUFFER_FLAG_*
 * @size: coded bytes
 */
struct vhost_video_buffer {
	u64 timestamp;
	u32 flags;
	u32 size;
};

/**
 * struct vhost_video_answer - an answer
 * @type: 0, or VIRTIO_VIDEO_RESP_ERR_*
 * @buffer: RESOURCE_QUEUE
 * @params: GET_PARAMS, GET_PARAMS_EXT
 * @value: GET_CONTROL
 */
struct vhost_video_answer {
	u32 type;
	union {
		struct vhost_video_buffer buffer;
		const struct vhost_video_params *params;
		u32 value;
	};
};

/**
 * struct vhost_video_range - values that something may have
 * @min: lowest
 * @max: highest
 * @step: between them; makes no difference where @min is @max
 */
struct vhost_video_range {
	u32 min;
	u32 max;
	u32 step;
};

#define VHOST_VIDEO_FRAMES_MAX	16
#define VHOST_VIDEO_FORMATS_MAX	16

/**
 * struct vhost_video_frame - sizes, and rates at them
 * @width: columns
 * @height: lines
 * @rate: frames a second
 */
struct vhost_video_frame {
	struct vhost_video_range width;
	struct vhost_video_range height;
	struct vhost_video_range rate;
};

/**
 * struct vhost_video_format - a format of a queue
 * @format: enum virtio_video_format
 * @num_frames: of @frames; not 0
 * @frames: sizes
 */
struct vhost_video_format {
	u32 format;
	u32 num_frames;
	struct vhost_video_frame frames[VHOST_VIDEO_FRAMES_MAX];
};

/**
 * struct vhost_video_caps - formats of a queue; any goes with any of the other
 * @num: of @formats
 * @formats: the formats
 */
struct vhost_video_caps {
	u32 num;
	struct vhost_video_format formats[VHOST_VIDEO_FORMATS_MAX];
};

/* Bytes of the largest capabilities that pack. */
#define VHOST_VIDEO_CAPS_MAX						\
	(sizeof(struct virtio_video_query_capability_resp) +		\
	 VHOST_VIDEO_FORMATS_MAX *					\
	 (sizeof(struct virtio_video_format_desc) +			\
	  VHOST_VIDEO_FRAMES_MAX *					\
	  (sizeof(struct virtio_video_format_frame) +			\
	   sizeof(struct virtio_video_format_range))))

static inline bool vhost_video_coded(u32 format)
{
	return format >= VIRTIO_VIDEO_FORMAT_CODED_MIN &&
	       format <= VIRTIO_VIDEO_FORMAT_CODED_MAX;
}

/* parse.c */
u32 vhost_video_parse(const void *buf, size_t len, size_t readable,
		      bool objects, struct vhost_video_request *req);
u32 vhost_video_parse_entries(const struct virtio_video_mem_entry *entries,
			      u32 num, u64 *total);

/* pack.c */
size_t vhost_video_pack(const struct vhost_video_request *req,
			const struct vhost_video_answer *answer, size_t room,
			void *buf);
size_t vhost_video_pack_caps(const struct vhost_video_caps *caps,
			     const struct vhost_video_caps *other, void *buf);
size_t vhost_video_pack_values(const u32 *values, u32 num, void *buf);

#endif /* _VHOST_VIDEO_PROTOCOL_H */
