// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the bytes of a request to what it asks for. Sizes are those of the
 * structures, never the driver's; what is wrong with a request by itself is
 * found here, what is wrong with it now is the streams' to find.
 *
 * Drivers disagree on one thing, which the command tells: the plain params are
 * shorter than those with a resource type.
 */
#include <linux/string.h>

#include "protocol.h"

#define VHOST_VIDEO_INVALID	VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER

static u32 vhost_video_parse_queue(__le32 type, enum vhost_video_queue *queue)
{
	switch (le32_to_cpu(type)) {
	case VIRTIO_VIDEO_QUEUE_TYPE_INPUT:
		*queue = VHOST_VIDEO_INPUT;
		return 0;
	case VIRTIO_VIDEO_QUEUE_TYPE_OUTPUT:
		*queue = VHOST_VIDEO_OUTPUT;
		return 0;
	default:
		return VHOST_VIDEO_INVALID;
	}
}

static u32 vhost_video_parse_memory(__le32 type, bool may, bool *objects)
{
	u32 value = le32_to_cpu(type);

	*objects = value == VIRTIO_VIDEO_MEM_TYPE_VIRTIO_OBJECT;
	if (value > VIRTIO_VIDEO_MEM_TYPE_VIRTIO_OBJECT || (*objects && !may))
		return VHOST_VIDEO_INVALID;
	return 0;
}

static u32 vhost_video_parse_create(const struct virtio_video_stream_create *cmd,
				    bool objects,
				    struct vhost_video_request *req)
{
	bool *is = req->create.objects;
	u32 err;

	req->create.format = le32_to_cpu(cmd->coded_format);
	if (!vhost_video_coded(req->create.format))
		return VHOST_VIDEO_INVALID;
	err = vhost_video_parse_memory(cmd->in_mem_type, objects,
				       &is[VHOST_VIDEO_INPUT]);
	if (err)
		return err;
	return vhost_video_parse_memory(cmd->out_mem_type, objects,
					&is[VHOST_VIDEO_OUTPUT]);
}

/*
 * Some drivers take colour planes for planes of memory: what they mean is one
 * run of entries, the first plane's where there are not enough for all.
 */
static u32 vhost_video_parse_resource(const struct virtio_video_resource_create *cmd,
				      size_t readable,
				      struct vhost_video_request *req)
{
	const u64 size = sizeof(struct virtio_video_mem_entry);
	u32 layout = le32_to_cpu(cmd->planes_layout);
	u32 planes = le32_to_cpu(cmd->num_planes);
	u64 left = readable - sizeof(*cmd);
	u64 entries = 0;
	u32 i;

	req->resource.id = le32_to_cpu(cmd->resource_id);
	if (!planes || planes > VIRTIO_VIDEO_MAX_PLANES)
		return VHOST_VIDEO_INVALID;
	if (layout != VIRTIO_VIDEO_PLANES_LAYOUT_SINGLE_BUFFER &&
	    (layout != VIRTIO_VIDEO_PLANES_LAYOUT_PER_PLANE || planes != 1))
		return VHOST_VIDEO_INVALID;
	for (i = 0; i < planes; i++)
		entries += le32_to_cpu(cmd->num_entries[i]);
	if (entries * size != left)
		entries = le32_to_cpu(cmd->num_entries[0]);
	if (!entries || entries > VHOST_VIDEO_ENTRIES_MAX ||
	    entries * size != left)
		return VHOST_VIDEO_INVALID;
	req->resource.entries = entries;
	return 0;
}

static u32 vhost_video_parse_buffer(const struct virtio_video_resource_queue *cmd,
				    struct vhost_video_request *req)
{
	u32 num = le32_to_cpu(cmd->num_data_sizes);

	req->buffer.id = le32_to_cpu(cmd->resource_id);
	req->buffer.timestamp = le64_to_cpu(cmd->timestamp);
	if (num > VIRTIO_VIDEO_MAX_PLANES)
		return VHOST_VIDEO_INVALID;
	req->buffer.size = num ? le32_to_cpu(cmd->data_sizes[0]) : 0;
	return 0;
}

static u32 vhost_video_parse_params(const struct virtio_video_params *from,
				    bool ext, bool objects,
				    struct vhost_video_request *req)
{
	struct vhost_video_params *params = &req->params;
	u32 err, i;

	err = vhost_video_parse_queue(from->queue_type, &req->queue);
	if (err)
		return err;
	params->format = le32_to_cpu(from->format);
	params->width = le32_to_cpu(from->frame_width);
	params->height = le32_to_cpu(from->frame_height);
	params->crop.left = le32_to_cpu(from->crop.left);
	params->crop.top = le32_to_cpu(from->crop.top);
	params->crop.width = le32_to_cpu(from->crop.width);
	params->crop.height = le32_to_cpu(from->crop.height);
	params->rate = le32_to_cpu(from->frame_rate);
	params->num_planes = le32_to_cpu(from->num_planes);
	if (params->num_planes > VIRTIO_VIDEO_MAX_PLANES)
		return VHOST_VIDEO_INVALID;
	for (i = 0; i < params->num_planes; i++) {
		params->planes[i].size =
			le32_to_cpu(from->plane_formats[i].plane_size);
		params->planes[i].stride =
			le32_to_cpu(from->plane_formats[i].stride);
	}
	if (!ext)
		return 0;
	return vhost_video_parse_memory(from->resource_type, objects,
					&params->objects);
}

/* Bytes of a request at least; 0 for what is none. */
static size_t vhost_video_request_size(u32 type)
{
	switch (type) {
	case VIRTIO_VIDEO_CMD_QUERY_CAPABILITY:
		return sizeof(struct virtio_video_query_capability);
	case VIRTIO_VIDEO_CMD_STREAM_CREATE:
		return sizeof(struct virtio_video_stream_create);
	case VIRTIO_VIDEO_CMD_STREAM_DESTROY:
	case VIRTIO_VIDEO_CMD_STREAM_DRAIN:
		return sizeof(struct virtio_video_cmd_hdr);
	case VIRTIO_VIDEO_CMD_RESOURCE_CREATE:
		return sizeof(struct virtio_video_resource_create);
	case VIRTIO_VIDEO_CMD_RESOURCE_QUEUE:
		return sizeof(struct virtio_video_resource_queue);
	case VIRTIO_VIDEO_CMD_RESOURCE_DESTROY_ALL:
	case VIRTIO_VIDEO_CMD_QUEUE_CLEAR:
	case VIRTIO_VIDEO_CMD_GET_PARAMS:
	case VIRTIO_VIDEO_CMD_GET_PARAMS_EXT:
		return sizeof(struct virtio_video_queue_cmd);
	case VIRTIO_VIDEO_CMD_SET_PARAMS:
		return VIRTIO_VIDEO_PARAMS_MSG_PLAIN;
	case VIRTIO_VIDEO_CMD_SET_PARAMS_EXT:
		return sizeof(struct virtio_video_params_msg);
	case VIRTIO_VIDEO_CMD_QUERY_CONTROL:
		return sizeof(struct virtio_video_query_control);
	case VIRTIO_VIDEO_CMD_GET_CONTROL:
	case VIRTIO_VIDEO_CMD_SET_CONTROL:
		return sizeof(struct virtio_video_get_control);
	default:
		return 0;
	}
}

static u32 vhost_video_parse_set_control(const void *buf, size_t len,
					 struct vhost_video_request *req)
{
	const struct virtio_video_set_control *cmd = buf;

	req->control.id = le32_to_cpu(cmd->control);
	if (req->control.id == VIRTIO_VIDEO_CONTROL_FORCE_KEYFRAME)
		return 0;
	if (len < sizeof(*cmd))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	req->control.value = le32_to_cpu(cmd->value);
	return 0;
}

/**
 * vhost_video_parse - what a request asks for
 * @buf: its first bytes, in memory that the driver does not see
 * @len: number of them: all, or VHOST_VIDEO_REQUEST_MAX
 * @readable: bytes of the request
 * @objects: virtio objects were negotiated
 * @req: set as far as the request can be understood, on errors, too
 *
 * Context: Any.
 * Return: 0 or the error to be answered.
 */
u32 vhost_video_parse(const void *buf, size_t len, size_t readable,
		      bool objects, struct vhost_video_request *req)
{
	const struct virtio_video_cmd_hdr *hdr = buf;
	const struct virtio_video_queue_cmd *queue = buf;
	const struct virtio_video_query_control *query = buf;
	const struct virtio_video_resource_create *resource = buf;
	const struct virtio_video_resource_queue *buffer = buf;
	const struct virtio_video_params_msg *msg = buf;
	size_t need;
	u32 err;

	memset(req, 0, sizeof(*req));
	if (len < sizeof(*hdr))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	need = vhost_video_request_size(le32_to_cpu(hdr->type));
	if (!need)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	req->type = le32_to_cpu(hdr->type);
	req->stream = le32_to_cpu(hdr->stream_id);
	if (len < need)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;

	switch (req->type) {
	case VIRTIO_VIDEO_CMD_STREAM_CREATE:
		return vhost_video_parse_create(buf, objects, req);
	case VIRTIO_VIDEO_CMD_RESOURCE_CREATE:
		err = vhost_video_parse_queue(resource->queue_type, &req->queue);
		return err ?: vhost_video_parse_resource(resource, readable, req);
	case VIRTIO_VIDEO_CMD_RESOURCE_QUEUE:
		err = vhost_video_parse_queue(buffer->queue_type, &req->queue);
		return err ?: vhost_video_parse_buffer(buffer, req);
	case VIRTIO_VIDEO_CMD_QUERY_CAPABILITY:
	case VIRTIO_VIDEO_CMD_RESOURCE_DESTROY_ALL:
	case VIRTIO_VIDEO_CMD_QUEUE_CLEAR:
	case VIRTIO_VIDEO_CMD_GET_PARAMS:
	case VIRTIO_VIDEO_CMD_GET_PARAMS_EXT:
		return vhost_video_parse_queue(queue->queue_type, &req->queue);
	case VIRTIO_VIDEO_CMD_SET_PARAMS:
		return vhost_video_parse_params(&msg->params, false, objects, req);
	case VIRTIO_VIDEO_CMD_SET_PARAMS_EXT:
		return vhost_video_parse_params(&msg->params, true, objects, req);
	case VIRTIO_VIDEO_CMD_QUERY_CONTROL:
		req->control.id = le32_to_cpu(query->control);
		req->control.format = le32_to_cpu(query->format);
		return 0;
	case VIRTIO_VIDEO_CMD_GET_CONTROL:
		req->control.id = le32_to_cpu(query->control);
		return 0;
	case VIRTIO_VIDEO_CMD_SET_CONTROL:
		return vhost_video_parse_set_control(buf, len, req);
	default:
		return 0;
	}
}

/**
 * vhost_video_parse_entries - check the memory of a resource
 * @entries: the entries, in memory that the driver does not see
 * @num: number of @entries
 * @total: set to their bytes
 *
 * Whether the memory is the guest's is not seen here.
 *
 * Context: Any.
 * Return: 0 or the error to be answered.
 */
u32 vhost_video_parse_entries(const struct virtio_video_mem_entry *entries,
			      u32 num, u64 *total)
{
	u32 i;

	*total = 0;
	for (i = 0; i < num; i++) {
		u64 addr = le64_to_cpu(entries[i].addr);
		u32 len = le32_to_cpu(entries[i].length);

		if (!len || addr + len - 1 < addr)
			return VHOST_VIDEO_INVALID;
		*total += len;
	}
	return 0;
}
