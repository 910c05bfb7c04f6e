// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an answer to its bytes.
 *
 * The drivers there are look at no answer's type. So an error has the body of
 * a success as well, where that keeps them from taking it for one: a refused
 * buffer is flagged, refused params tell whose they would have been.
 */
#include <linux/string.h>

#include "protocol.h"

static __le32 vhost_video_queue_type(enum vhost_video_queue queue)
{
	return cpu_to_le32(queue == VHOST_VIDEO_INPUT ?
			   VIRTIO_VIDEO_QUEUE_TYPE_INPUT :
			   VIRTIO_VIDEO_QUEUE_TYPE_OUTPUT);
}

static size_t vhost_video_pack_buffer(const struct vhost_video_answer *answer,
				      struct virtio_video_resource_queue_resp *resp)
{
	const struct vhost_video_buffer *buffer = &answer->buffer;

	if (answer->type) {
		resp->flags = cpu_to_le32(VIRTIO_VIDEO_BUFFER_FLAG_ERR);
	} else {
		resp->timestamp = cpu_to_le64(buffer->timestamp);
		resp->flags = cpu_to_le32(buffer->flags);
		resp->size = cpu_to_le32(buffer->size);
	}
	return sizeof(*resp);
}

static size_t vhost_video_pack_params(const struct vhost_video_request *req,
				      const struct vhost_video_answer *answer,
				      struct virtio_video_params_msg *msg)
{
	bool ext = req->type == VIRTIO_VIDEO_CMD_GET_PARAMS_EXT;
	const struct vhost_video_params *from = answer->params;
	struct virtio_video_params *to = &msg->params;
	u32 i;

	to->queue_type = vhost_video_queue_type(req->queue);
	if (!answer->type) {
		to->format = cpu_to_le32(from->format);
		to->frame_width = cpu_to_le32(from->width);
		to->frame_height = cpu_to_le32(from->height);
		to->min_buffers = cpu_to_le32(from->min_buffers);
		to->max_buffers = cpu_to_le32(from->max_buffers);
		to->crop.left = cpu_to_le32(from->crop.left);
		to->crop.top = cpu_to_le32(from->crop.top);
		to->crop.width = cpu_to_le32(from->crop.width);
		to->crop.height = cpu_to_le32(from->crop.height);
		to->frame_rate = cpu_to_le32(from->rate);
		to->num_planes = cpu_to_le32(from->num_planes);
		for (i = 0; i < from->num_planes; i++) {
			to->plane_formats[i].plane_size =
				cpu_to_le32(from->planes[i].size);
			to->plane_formats[i].stride =
				cpu_to_le32(from->planes[i].stride);
		}
		if (ext)
			to->resource_type = cpu_to_le32(from->objects);
	}
	return ext ? sizeof(*msg) : VIRTIO_VIDEO_PARAMS_MSG_PLAIN;
}

static size_t vhost_video_pack_body(const struct vhost_video_request *req,
				    const struct vhost_video_answer *answer,
				    u32 *type, void *buf)
{
	struct virtio_video_get_control_resp *control = buf;

	switch (req->type) {
	case VIRTIO_VIDEO_CMD_RESOURCE_QUEUE:
		*type = VIRTIO_VIDEO_RESP_OK_RESOURCE_QUEUE;
		return vhost_video_pack_buffer(answer, buf);
	case VIRTIO_VIDEO_CMD_GET_PARAMS:
	case VIRTIO_VIDEO_CMD_GET_PARAMS_EXT:
		*type = VIRTIO_VIDEO_RESP_OK_GET_PARAMS;
		return vhost_video_pack_params(req, answer, buf);
	case VIRTIO_VIDEO_CMD_GET_CONTROL:
		*type = VIRTIO_VIDEO_RESP_OK_GET_CONTROL;
		if (!answer->type)
			control->value = cpu_to_le32(answer->value);
		return sizeof(*control);
	default:
		*type = VIRTIO_VIDEO_RESP_OK_NODATA;
		return sizeof(struct virtio_video_cmd_hdr);
	}
}

/**
 * vhost_video_pack - the bytes of an answer
 * @req: what it answers; not QUERY_CAPABILITY nor QUERY_CONTROL, but for errors
 * @answer: the answer
 * @room: bytes that the driver gave for it
 * @buf: VHOST_VIDEO_ANSWER_MAX bytes, for the answer
 *
 * A success that does not fit becomes an error: drivers would take a part of it
 * for the whole.
 *
 * Context: Any.
 * Return: bytes of @buf to send; 0 where there is no room for any answer.
 */
size_t vhost_video_pack(const struct vhost_video_request *req,
			const struct vhost_video_answer *answer, size_t room,
			void *buf)
{
	struct virtio_video_cmd_hdr *hdr = buf;
	u32 type = 0;
	size_t len;

	if (room < sizeof(*hdr))
		return 0;
	memset(buf, 0, VHOST_VIDEO_ANSWER_MAX);
	len = vhost_video_pack_body(req, answer, &type, buf);
	if (answer->type)
		type = answer->type;
	if (len > room) {
		if (!answer->type)
			type = VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
		len = sizeof(*hdr);
	}
	hdr->type = cpu_to_le32(type);
	hdr->stream_id = cpu_to_le32(req->stream);
	return len;
}

static void *vhost_video_pack_range(const struct vhost_video_range *from,
				    void *buf)
{
	struct virtio_video_format_range *to = buf;

	to->min = cpu_to_le32(from->min);
	to->max = cpu_to_le32(from->max);
	to->step = cpu_to_le32(from->step);
	return to + 1;
}

static void *vhost_video_pack_frame(const struct vhost_video_frame *from,
				    void *buf)
{
	struct virtio_video_format_frame *to = buf;

	vhost_video_pack_range(&from->width, &to->width);
	vhost_video_pack_range(&from->height, &to->height);
	to->num_rates = cpu_to_le32(1);
	return vhost_video_pack_range(&from->rate, to + 1);
}

/**
 * vhost_video_pack_caps - the bytes of the answer to QUERY_CAPABILITY
 * @caps: formats of the queue that was asked for
 * @other: formats of the other queue
 * @buf: VHOST_VIDEO_CAPS_MAX bytes, for the answer
 *
 * Context: Any.
 * Return: bytes of @buf to send.
 */
size_t vhost_video_pack_caps(const struct vhost_video_caps *caps,
			     const struct vhost_video_caps *other, void *buf)
{
	struct virtio_video_query_capability_resp *resp = buf;
	void *at = resp + 1;
	u32 i, j;

	memset(buf, 0, VHOST_VIDEO_CAPS_MAX);
	resp->hdr.type = cpu_to_le32(VIRTIO_VIDEO_RESP_OK_QUERY_CAPABILITY);
	resp->num_descs = cpu_to_le32(caps->num);
	for (i = 0; i < caps->num; i++) {
		const struct vhost_video_format *from = &caps->formats[i];
		struct virtio_video_format_desc *to = at;

		to->mask = cpu_to_le64(((u64)1 << other->num) - 1);
		to->format = cpu_to_le32(from->format);
		to->planes_layout =
			cpu_to_le32(VIRTIO_VIDEO_PLANES_LAYOUT_SINGLE_BUFFER);
		to->num_frames = cpu_to_le32(from->num_frames);
		at = to + 1;
		for (j = 0; j < from->num_frames; j++)
			at = vhost_video_pack_frame(&from->frames[j], at);
	}
	return at - buf;
}

/**
 * vhost_video_pack_values - the bytes of the answer to QUERY_CONTROL
 * @values: what the control can be
 * @num: number of @values
 * @buf: for the answer, with room for 16 bytes and four for each of them
 *
 * Context: Any.
 * Return: bytes of @buf to send.
 */
size_t vhost_video_pack_values(const u32 *values, u32 num, void *buf)
{
	struct virtio_video_query_control_resp *resp = buf;
	__le32 *to = (__le32 *)(resp + 1);
	u32 i;

	memset(resp, 0, sizeof(*resp));
	resp->hdr.type = cpu_to_le32(VIRTIO_VIDEO_RESP_OK_QUERY_CONTROL);
	resp->num = cpu_to_le32(num);
	for (i = 0; i < num; i++)
		to[i] = cpu_to_le32(values[i]);
	return sizeof(*resp) + num * sizeof(*to);
}
