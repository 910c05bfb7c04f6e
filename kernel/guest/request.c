// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests: from what is wanted to the bytes of a command, and back from those
 * of its answer. What a device says is checked here.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "virtio_video_drv.h"

static __le32 virtio_video_queue_type(enum virtio_video_dir dir)
{
	return cpu_to_le32(dir == VIRTIO_VIDEO_IN ?
			   VIRTIO_VIDEO_QUEUE_TYPE_INPUT :
			   VIRTIO_VIDEO_QUEUE_TYPE_OUTPUT);
}

/* NULL as well where the device does not know the stream any more. */
static struct virtio_video_cmd *
virtio_video_stream_cmd(struct virtio_video_stream *stream, u32 type,
			size_t req_len, size_t resp_len)
{
	struct virtio_video_cmd_hdr *hdr;
	struct virtio_video_cmd *cmd;

	if (virtio_video_lost(stream))
		return NULL;
	cmd = virtio_video_cmd_new(type, req_len, resp_len);
	if (!cmd)
		return NULL;
	kref_get(&stream->ref);
	cmd->stream = stream;
	hdr = cmd->req;
	hdr->stream_id = cpu_to_le32(stream->id);
	return cmd;
}

static int virtio_video_no_cmd(const struct virtio_video_stream *stream)
{
	return virtio_video_lost(stream) ? -ENODEV : -ENOMEM;
}

/* A command that is answered with nothing but whether it went well. */
static int virtio_video_call(struct virtio_video_cmd *cmd)
{
	int err = virtio_video_cmd_call(cmd->stream->vv, cmd,
					VIRTIO_VIDEO_RESP_OK_NODATA, 0);

	virtio_video_cmd_put(cmd);
	return err;
}

/**
 * virtio_video_stream_create - have the device make a stream
 * @stream: the stream
 * @format: enum virtio_video_format, coded
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_stream_create(struct virtio_video_stream *stream, u32 format)
{
	struct virtio_video_stream_create *req;
	struct virtio_video_cmd *cmd;
	char name[TASK_COMM_LEN];

	cmd = virtio_video_stream_cmd(stream, VIRTIO_VIDEO_CMD_STREAM_CREATE,
				      sizeof(*req),
				      sizeof(struct virtio_video_cmd_hdr));
	if (!cmd)
		return virtio_video_no_cmd(stream);
	req = cmd->req;
	req->in_mem_type = cpu_to_le32(VIRTIO_VIDEO_MEM_TYPE_GUEST_PAGES);
	req->out_mem_type = cpu_to_le32(VIRTIO_VIDEO_MEM_TYPE_GUEST_PAGES);
	req->coded_format = cpu_to_le32(format);
	get_task_comm(name, current);
	BUILD_BUG_ON(sizeof(req->tag) < sizeof(name));
	memcpy(req->tag, name, sizeof(name));
	return virtio_video_call(cmd);
}

int virtio_video_stream_destroy(struct virtio_video_stream *stream)
{
	struct virtio_video_cmd *cmd;

	cmd = virtio_video_stream_cmd(stream, VIRTIO_VIDEO_CMD_STREAM_DESTROY,
				      sizeof(struct virtio_video_cmd_hdr),
				      sizeof(struct virtio_video_cmd_hdr));
	return cmd ? virtio_video_call(cmd) : virtio_video_no_cmd(stream);
}

/**
 * virtio_video_drain - ask for the end
 * @stream: the stream
 * @complete: called when the device has answered
 *
 * Context: Process context.
 * Return: 0 or an error.
 */
int virtio_video_drain(struct virtio_video_stream *stream,
		       void (*complete)(struct virtio_video_cmd *cmd))
{
	struct virtio_video_cmd *cmd;
	int err;

	cmd = virtio_video_stream_cmd(stream, VIRTIO_VIDEO_CMD_STREAM_DRAIN,
				      sizeof(struct virtio_video_cmd_hdr),
				      sizeof(struct virtio_video_cmd_hdr));
	if (!cmd)
		return virtio_video_no_cmd(stream);
	cmd->complete = complete;
	err = virtio_video_cmd_send(stream->vv, cmd);
	virtio_video_cmd_put(cmd);
	return err;
}

static struct virtio_video_cmd *
virtio_video_queue_cmd(struct virtio_video_stream *stream, u32 type,
		       enum virtio_video_dir dir, size_t resp_len)
{
	struct virtio_video_queue_cmd *req;
	struct virtio_video_cmd *cmd;

	cmd = virtio_video_stream_cmd(stream, type, sizeof(*req), resp_len);
	if (!cmd)
		return NULL;
	req = cmd->req;
	req->queue_type = virtio_video_queue_type(dir);
	return cmd;
}

/* All buffers of a queue have come back when it is answered. */
int virtio_video_queue_clear(struct virtio_video_stream *stream,
			     enum virtio_video_dir dir)
{
	struct virtio_video_cmd *cmd;

	cmd = virtio_video_queue_cmd(stream, VIRTIO_VIDEO_CMD_QUEUE_CLEAR, dir,
				     sizeof(struct virtio_video_cmd_hdr));
	return cmd ? virtio_video_call(cmd) : virtio_video_no_cmd(stream);
}

/* The device has let go of the memory of a queue when it is answered. */
int virtio_video_destroy_all(struct virtio_video_stream *stream,
			     enum virtio_video_dir dir)
{
	struct virtio_video_cmd *cmd;

	cmd = virtio_video_queue_cmd(stream,
				     VIRTIO_VIDEO_CMD_RESOURCE_DESTROY_ALL, dir,
				     sizeof(struct virtio_video_cmd_hdr));
	return cmd ? virtio_video_call(cmd) : virtio_video_no_cmd(stream);
}

static bool virtio_video_crop_fits(const struct virtio_video_layout *layout,
				   u64 left, u64 top, u64 width, u64 height)
{
	return width && height && left + width <= layout->width &&
	       top + height <= layout->height;
}

static int virtio_video_params_parse(const struct virtio_video_params *params,
				     struct virtio_video_layout *layout)
{
	struct virtio_video_layout to = {
		.format = le32_to_cpu(params->format),
		.width = le32_to_cpu(params->frame_width),
		.height = le32_to_cpu(params->frame_height),
		.min_buffers = le32_to_cpu(params->min_buffers),
		.max_buffers = le32_to_cpu(params->max_buffers),
		.rate = le32_to_cpu(params->frame_rate),
		.num_planes = le32_to_cpu(params->num_planes),
	};
	u32 left = le32_to_cpu(params->crop.left);
	u32 top = le32_to_cpu(params->crop.top);
	u32 width = le32_to_cpu(params->crop.width);
	u32 height = le32_to_cpu(params->crop.height);
	u64 size = 0;
	u32 i;

	if (to.width > VIRTIO_VIDEO_SIZE_MAX ||
	    to.height > VIRTIO_VIDEO_SIZE_MAX || !to.num_planes ||
	    to.num_planes > VIRTIO_VIDEO_MAX_PLANES)
		return -EIO;
	for (i = 0; i < to.num_planes; i++) {
		to.planes[i].size = le32_to_cpu(params->plane_formats[i].plane_size);
		to.planes[i].stride = le32_to_cpu(params->plane_formats[i].stride);
		size += to.planes[i].size;
	}
	if (!size || size > VIRTIO_VIDEO_PLANE_MAX)
		return -EIO;
	to.crop.width = to.width;
	to.crop.height = to.height;
	if (virtio_video_crop_fits(&to, left, top, width, height))
		to.crop = (struct v4l2_rect) { left, top, width, height };
	*layout = to;
	return 0;
}

static int virtio_video_get(struct virtio_video_stream *stream,
			    enum virtio_video_dir dir,
			    struct virtio_video_layout *layout)
{
	bool plain = stream->vv->plain;
	size_t len = plain ? VIRTIO_VIDEO_PARAMS_MSG_PLAIN :
			     sizeof(struct virtio_video_params_msg);
	const struct virtio_video_params_msg *resp;
	struct virtio_video_cmd *cmd;
	int err;

	cmd = virtio_video_queue_cmd(stream, plain ?
				     VIRTIO_VIDEO_CMD_GET_PARAMS :
				     VIRTIO_VIDEO_CMD_GET_PARAMS_EXT, dir, len);
	if (!cmd)
		return virtio_video_no_cmd(stream);
	err = virtio_video_cmd_call(stream->vv, cmd,
				    VIRTIO_VIDEO_RESP_OK_GET_PARAMS, len);
	resp = cmd->resp;
	if (!err && resp->params.queue_type != virtio_video_queue_type(dir))
		err = -EIO;
	if (!err)
		err = virtio_video_params_parse(&resp->params, layout);
	virtio_video_cmd_put(cmd);
	return err;
}

/**
 * virtio_video_get_params - ask for the params of a queue
 * @stream: the stream
 * @dir: the queue
 * @layout: set to them
 *
 * A device that does not know the longer form is asked in the shorter one from
 * then on.
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_get_params(struct virtio_video_stream *stream,
			    enum virtio_video_dir dir,
			    struct virtio_video_layout *layout)
{
	struct virtio_video_device *vv = stream->vv;
	int err = virtio_video_get(stream, dir, layout);

	if (vv->plain || (err != -EBUSY && err != -EINVAL))
		return err;
	vv->plain = true;
	err = virtio_video_get(stream, dir, layout);
	if (err)
		vv->plain = false;
	return err;
}

/**
 * virtio_video_set_params - wish for params of a queue
 * @stream: the stream
 * @dir: the queue
 * @layout: the params
 *
 * What comes of it has to be asked for.
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_set_params(struct virtio_video_stream *stream,
			    enum virtio_video_dir dir,
			    const struct virtio_video_layout *layout)
{
	bool plain = stream->vv->plain;
	struct virtio_video_params_msg *req;
	struct virtio_video_params *params;
	struct virtio_video_cmd *cmd;
	u32 i;

	cmd = virtio_video_stream_cmd(stream, plain ?
				      VIRTIO_VIDEO_CMD_SET_PARAMS :
				      VIRTIO_VIDEO_CMD_SET_PARAMS_EXT,
				      plain ? VIRTIO_VIDEO_PARAMS_MSG_PLAIN :
				      sizeof(*req),
				      sizeof(struct virtio_video_cmd_hdr));
	if (!cmd)
		return virtio_video_no_cmd(stream);
	req = cmd->req;
	params = &req->params;
	params->queue_type = virtio_video_queue_type(dir);
	params->format = cpu_to_le32(layout->format);
	params->frame_width = cpu_to_le32(layout->width);
	params->frame_height = cpu_to_le32(layout->height);
	params->crop.left = cpu_to_le32(layout->crop.left);
	params->crop.top = cpu_to_le32(layout->crop.top);
	params->crop.width = cpu_to_le32(layout->crop.width);
	params->crop.height = cpu_to_le32(layout->crop.height);
	params->frame_rate = cpu_to_le32(layout->rate);
	params->num_planes = cpu_to_le32(layout->num_planes);
	for (i = 0; i < layout->num_planes; i++) {
		params->plane_formats[i].plane_size =
			cpu_to_le32(layout->planes[i].size);
		params->plane_formats[i].stride =
			cpu_to_le32(layout->planes[i].stride);
	}
	return virtio_video_call(cmd);
}

/* The pieces of a buffer, as the device reaches them. */
static struct virtio_video_mem_entry *
virtio_video_entries(const struct virtio_video_device *vv, struct sg_table *sgt,
		     size_t len, u32 *num)
{
	u32 max = vv->physical ? sgt->orig_nents : sgt->nents;
	struct virtio_video_mem_entry *entries;
	struct scatterlist *sg;
	u32 i, used = 0;

	entries = kcalloc(max, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return NULL;
	for_each_sg(sgt->sgl, sg, max, i) {
		u64 addr = vv->physical ? sg_phys(sg) : sg_dma_address(sg);
		size_t piece = vv->physical ? sg->length : sg_dma_len(sg);

		piece = min(piece, len);
		if (!piece)
			break;
		entries[used].addr = cpu_to_le64(addr);
		entries[used].length = cpu_to_le32(piece);
		used++;
		len -= piece;
	}
	*num = used;
	return entries;
}

/**
 * virtio_video_resource_create - tell the device of a buffer
 * @stream: the stream
 * @dir: the queue
 * @id: of the buffer
 * @sgt: where it is, mapped
 * @len: its length
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_resource_create(struct virtio_video_stream *stream,
				 enum virtio_video_dir dir, u32 id,
				 struct sg_table *sgt, size_t len)
{
	struct virtio_video_resource_create *req;
	struct virtio_video_cmd *cmd;
	u32 num = 0;

	cmd = virtio_video_stream_cmd(stream, VIRTIO_VIDEO_CMD_RESOURCE_CREATE,
				      sizeof(*req),
				      sizeof(struct virtio_video_cmd_hdr));
	if (!cmd)
		return virtio_video_no_cmd(stream);
	cmd->extra = virtio_video_entries(stream->vv, sgt, len, &num);
	if (!cmd->extra || !num || (num > 1 && !stream->vv->non_contig)) {
		int err = cmd->extra ? -EINVAL : -ENOMEM;

		virtio_video_cmd_put(cmd);
		return err;
	}
	cmd->extra_len = num * sizeof(struct virtio_video_mem_entry);
	req = cmd->req;
	req->queue_type = virtio_video_queue_type(dir);
	req->resource_id = cpu_to_le32(id);
	req->planes_layout =
		cpu_to_le32(VIRTIO_VIDEO_PLANES_LAYOUT_SINGLE_BUFFER);
	req->num_planes = cpu_to_le32(1);
	req->num_entries[0] = cpu_to_le32(num);
	return virtio_video_call(cmd);
}

/**
 * virtio_video_resource_queue - give the device a buffer
 * @stream: the stream
 * @dir: the queue
 * @id: of the buffer
 * @buf: the buffer
 * @complete: called when it comes back
 *
 * Context: Process context.
 * Return: 0 or an error.
 */
int virtio_video_resource_queue(struct virtio_video_stream *stream,
				enum virtio_video_dir dir, u32 id,
				struct virtio_video_buffer *buf,
				void (*complete)(struct virtio_video_cmd *cmd))
{
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	struct virtio_video_resource_queue *req;
	struct virtio_video_cmd *cmd;
	int err;

	cmd = virtio_video_stream_cmd(stream, VIRTIO_VIDEO_CMD_RESOURCE_QUEUE,
				      sizeof(*req),
				      sizeof(struct virtio_video_resource_queue_resp));
	if (!cmd)
		return virtio_video_no_cmd(stream);
	req = cmd->req;
	req->queue_type = virtio_video_queue_type(dir);
	req->resource_id = cpu_to_le32(id);
	req->num_data_sizes = cpu_to_le32(1);
	if (dir == VIRTIO_VIDEO_IN) {
		req->timestamp = cpu_to_le64(vb->timestamp);
		req->data_sizes[0] = cpu_to_le32(vb2_get_plane_payload(vb, 0));
	}
	cmd->buf = buf;
	cmd->complete = complete;
	err = virtio_video_cmd_send(stream->vv, cmd);
	virtio_video_cmd_put(cmd);
	return err;
}

/**
 * virtio_video_query_control - ask what a control can be
 * @vv: the device
 * @control: enum virtio_video_control_type
 * @format: enum virtio_video_format, coded
 * @values: set to what it can be; none where the device does not know it
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_query_control(struct virtio_video_device *vv, u32 control,
			       u32 format, struct virtio_video_values *values)
{
	const struct virtio_video_query_control_resp *resp;
	struct virtio_video_query_control *req;
	struct virtio_video_cmd *cmd;
	const __le32 *value;
	u32 i, num;
	int err;

	cmd = virtio_video_cmd_new(VIRTIO_VIDEO_CMD_QUERY_CONTROL, sizeof(*req),
				   vv->max_resp);
	if (!cmd)
		return -ENOMEM;
	req = cmd->req;
	req->control = cpu_to_le32(control);
	req->format = cpu_to_le32(format);
	err = virtio_video_cmd_call(vv, cmd,
				    VIRTIO_VIDEO_RESP_OK_QUERY_CONTROL,
				    sizeof(*resp));
	resp = cmd->resp;
	if (!err) {
		num = le32_to_cpu(resp->num);
		num = min3(num, (u32)((cmd->used - sizeof(*resp)) / sizeof(*value)),
			   (u32)VIRTIO_VIDEO_VALUES_MAX);
		value = (const __le32 *)(resp + 1);
		for (i = 0; i < num; i++)
			values->values[i] = le32_to_cpu(value[i]);
		values->num = num;
	}
	virtio_video_cmd_put(cmd);
	return err;
}

int virtio_video_get_control(struct virtio_video_stream *stream, u32 control,
			     u32 *value)
{
	const struct virtio_video_get_control_resp *resp;
	struct virtio_video_get_control *req;
	struct virtio_video_cmd *cmd;
	int err;

	cmd = virtio_video_stream_cmd(stream, VIRTIO_VIDEO_CMD_GET_CONTROL,
				      sizeof(*req), sizeof(*resp));
	if (!cmd)
		return virtio_video_no_cmd(stream);
	req = cmd->req;
	req->control = cpu_to_le32(control);
	err = virtio_video_cmd_call(stream->vv, cmd,
				    VIRTIO_VIDEO_RESP_OK_GET_CONTROL,
				    sizeof(*resp));
	resp = cmd->resp;
	if (!err)
		*value = le32_to_cpu(resp->value);
	virtio_video_cmd_put(cmd);
	return err;
}

int virtio_video_set_control(struct virtio_video_stream *stream, u32 control,
			     u32 value, bool button)
{
	struct virtio_video_set_control *req;
	struct virtio_video_cmd *cmd;

	cmd = virtio_video_stream_cmd(stream, VIRTIO_VIDEO_CMD_SET_CONTROL,
				      button ? offsetof(typeof(*req), value) :
				      sizeof(*req),
				      sizeof(struct virtio_video_cmd_hdr));
	if (!cmd)
		return virtio_video_no_cmd(stream);
	req = cmd->req;
	req->control = cpu_to_le32(control);
	if (!button)
		req->value = cpu_to_le32(value);
	return virtio_video_call(cmd);
}
