// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests: from a chain to the stream that it is about, or to an answer.
 *
 * A stream's requests are served in their order, so all but those that the
 * device answers by itself go the same way, as commands of the stream.
 */
#include <linux/dma-buf.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "vhost_video.h"

struct vhost_video_command *
vhost_video_command_new(struct vhost_video_stream *stream,
			const struct vhost_video_request *req,
			struct devhost_chain *chain)
{
	struct vhost_video_command *cmd = kzalloc_obj(*cmd);

	if (!cmd)
		return NULL;
	cmd->item.kind = VHOST_VIDEO_COMMAND;
	cmd->req = *req;
	cmd->chain = chain;
	INIT_LIST_HEAD(&cmd->resources);
	list_add_tail(&cmd->item.list, &stream->commands);
	stream->num_commands++;
	return cmd;
}

/* Not queued anywhere. */
void vhost_video_command_free(struct vhost_video_command *cmd)
{
	struct vhost_video_resource *res, *next;

	/* They are in the stream's index, too, and go with it. */
	list_for_each_entry_safe(res, next, &cmd->resources, list)
		list_del_init(&res->list);
	if (cmd->dmabuf)
		devhost_dmabuf_put(cmd->dmabuf);
	kfree(cmd);
}

/**
 * vhost_video_answer - write an answer
 * @chain: where
 * @req: what it answers
 * @answer: the answer
 *
 * Context: The worker.
 * Return: how the chain is to be returned.
 */
enum devhost_answer vhost_video_answer(struct devhost_chain *chain,
				       const struct vhost_video_request *req,
				       const struct vhost_video_answer *answer)
{
	u8 buf[VHOST_VIDEO_ANSWER_MAX] __aligned(8);
	size_t len;

	len = vhost_video_pack(req, answer, devhost_chain_writable(chain), buf);
	if (!len || devhost_chain_write(chain, buf, len))
		return DEVHOST_REJECT;
	return DEVHOST_COMPLETE;
}

static enum devhost_answer
vhost_video_answer_error(struct devhost_chain *chain,
			 const struct vhost_video_request *req, u32 type)
{
	const struct vhost_video_answer answer = { .type = type };

	return vhost_video_answer(chain, req, &answer);
}

static enum devhost_answer vhost_video_query(struct vhost_video *vv,
					     const struct vhost_video_request *req,
					     struct devhost_chain *chain,
					     size_t len)
{
	if (len > devhost_chain_writable(chain))
		return vhost_video_answer_error(chain, req,
						VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER);
	return devhost_chain_write(chain, vv->scratch, len) ? DEVHOST_REJECT :
							     DEVHOST_COMPLETE;
}

static enum devhost_answer
vhost_video_query_caps(struct vhost_video *vv,
		       const struct vhost_video_request *req,
		       struct devhost_chain *chain)
{
	return vhost_video_query(vv, req, chain,
				 vhost_video_pack_caps(&vv->caps[req->queue],
						       &vv->caps[!req->queue],
						       vv->scratch));
}

static enum devhost_answer
vhost_video_query_control(struct vhost_video *vv,
			  const struct vhost_video_request *req,
			  struct devhost_chain *chain)
{
	const struct vhost_video_values *values;
	u32 coded = req->control.format - VIRTIO_VIDEO_FORMAT_CODED_MIN;

	if (!vhost_video_coded(req->control.format))
		return vhost_video_answer_error(chain, req,
						VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER);
	coded = array_index_nospec(coded, VHOST_VIDEO_CODED_NUM);
	values = req->control.id == VIRTIO_VIDEO_CONTROL_PROFILE ?
		 &vv->profiles[coded] : &vv->levels[coded];
	if ((req->control.id != VIRTIO_VIDEO_CONTROL_PROFILE &&
	     req->control.id != VIRTIO_VIDEO_CONTROL_LEVEL) || !values->num)
		return vhost_video_answer_error(chain, req,
						VIRTIO_VIDEO_RESP_ERR_UNSUPPORTED_CONTROL);
	return vhost_video_query(vv, req, chain,
				 vhost_video_pack_values(values->value,
							 values->num,
							 vv->scratch));
}

/**
 * vhost_video_allowed - whether policy allows a driver something
 * @vv: the device
 * @ask: what it is; guest and device are filled in
 *
 * Context: The worker.
 * Return: false where it does not, which is counted.
 */
bool vhost_video_allowed(struct vhost_video *vv,
			 struct devhost_policy_video *ask)
{
	if (devhost_policy_video(vv->dev, ask))
		return true;
	devhost_count(vv->dev, VHOST_VIDEO_DENIED, 1);
	return false;
}

/* @format: the coded one of the stream */
static bool vhost_video_may(struct vhost_video *vv,
			    const struct vhost_video_request *req, u32 format)
{
	struct devhost_policy_video ask = {
		.stream = req->stream,
		.format = format,
		.streams = vv->num_streams,
		.encoder = vv->node.encoder,
	};

	switch (req->type) {
	case VIRTIO_VIDEO_CMD_STREAM_CREATE:
		ask.request = DEVHOST_POLICY_VIDEO_CREATE;
		break;
	case VIRTIO_VIDEO_CMD_SET_PARAMS:
	case VIRTIO_VIDEO_CMD_SET_PARAMS_EXT:
		ask.request = DEVHOST_POLICY_VIDEO_PARAMS;
		ask.width = req->params.width;
		ask.height = req->params.height;
		ask.rate = req->params.rate;
		break;
	case VIRTIO_VIDEO_CMD_SET_CONTROL:
		if (req->control.id != VIRTIO_VIDEO_CONTROL_BITRATE &&
		    req->control.id != VIRTIO_VIDEO_CONTROL_BITRATE_PEAK)
			return true;
		ask.request = DEVHOST_POLICY_VIDEO_BITRATE;
		ask.bitrate = req->control.value;
		break;
	default:
		return true;
	}
	return vhost_video_allowed(vv, &ask);
}

/* Streams that are ending hold files of the codec, but no more than others. */
static bool vhost_video_full(const struct vhost_video *vv)
{
	return vv->num_streams == vv->max_streams ||
	       vv->num_streams + vv->num_ending >= 2 * vv->max_streams;
}

static u32 vhost_video_stream(struct vhost_video *vv,
			      const struct vhost_video_request *req,
			      struct vhost_video_stream **stream)
{
	const struct vhost_video_caps *coded =
		&vv->caps[vhost_video_coded_queue(&vv->node)];

	if (vhost_video_stream_find(vv, req->stream))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_STREAM_ID;
	if (!vhost_video_caps_has(coded, req->create.format) ||
	    !vhost_video_may(vv, req, req->create.format))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	if (vhost_video_full(vv))
		return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	*stream = vhost_video_stream_new(vv, req->stream, req->create.format);
	return *stream ? 0 : VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
}

static u32 vhost_video_indices(const struct vhost_video_stream *stream,
			       enum vhost_video_queue queue)
{
	u32 i, last = 0;

	for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++)
		if (stream->index[queue][i])
			last = i + 1;
	return last;
}

/* Whether a buffer can be queued, and which one it is. */
static u32 vhost_video_buffer(struct vhost_video_stream *stream,
			      const struct vhost_video_request *req,
			      struct vhost_video_resource **res)
{
	if (stream->failed)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	*res = vhost_video_resource_find(stream, req->queue, req->buffer.id);
	if (!*res)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_RESOURCE_ID;
	if ((*res)->chain || req->buffer.size > (*res)->len)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	/* For codecs, no data has meanings of all kinds. */
	if (req->queue == VHOST_VIDEO_INPUT && !req->buffer.size)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	return 0;
}

static u32 vhost_video_enqueue(struct vhost_video_stream *stream,
			       const struct vhost_video_request *req,
			       struct devhost_chain *chain)
{
	struct vhost_video_resource *res = NULL;
	struct vhost_video_command *cmd;
	u32 err;

	if (stream->num_commands >= VHOST_VIDEO_COMMANDS_MAX &&
	    req->type != VIRTIO_VIDEO_CMD_STREAM_DESTROY)
		return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	if (req->type == VIRTIO_VIDEO_CMD_RESOURCE_QUEUE) {
		if (!devhost_chain_fits(chain))
			return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
		err = vhost_video_buffer(stream, req, &res);
		if (err)
			return err;
	}
	cmd = vhost_video_command_new(stream, req, res ? NULL : chain);
	if (!cmd)
		return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	if (res) {
		res->chain = chain;
		get_dma_buf(res->dmabuf);
		cmd->dmabuf = res->dmabuf;
		cmd->index = res->index;
		cmd->count = vhost_video_indices(stream, req->queue);
		cmd->len = res->len;
		devhost_count(stream->vv->dev, VHOST_VIDEO_QUEUED, 1);
	}
	/* From now on they have no names; the driver may give these again. */
	if (req->type == VIRTIO_VIDEO_CMD_RESOURCE_DESTROY_ALL)
		list_splice_init(&stream->resources[req->queue],
				 &cmd->resources);
	if (req->type == VIRTIO_VIDEO_CMD_STREAM_DESTROY)
		vhost_video_stream_leave(stream);
	vhost_video_stream_submit(stream);
	return 0;
}

static enum devhost_answer vhost_video_serve(struct vhost_video *vv,
					     const struct vhost_video_request *req,
					     struct devhost_chain *chain)
{
	struct vhost_video_stream *stream;
	u32 err;

	switch (req->type) {
	case VIRTIO_VIDEO_CMD_QUERY_CAPABILITY:
		return vhost_video_query_caps(vv, req, chain);
	case VIRTIO_VIDEO_CMD_QUERY_CONTROL:
		return vhost_video_query_control(vv, req, chain);
	case VIRTIO_VIDEO_CMD_STREAM_CREATE:
		err = vhost_video_stream(vv, req, &stream);
		if (err)
			return vhost_video_answer_error(chain, req, err);
		break;
	default:
		stream = vhost_video_stream_find(vv, req->stream);
		if (!stream)
			return vhost_video_answer_error(chain, req,
							VIRTIO_VIDEO_RESP_ERR_INVALID_STREAM_ID);
		if (!vhost_video_may(vv, req, stream->session->format))
			return vhost_video_answer_error(chain, req,
							VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER);
	}
	if (req->type == VIRTIO_VIDEO_CMD_RESOURCE_CREATE) {
		err = stream->failed ? VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION :
		      vhost_video_resource_create(stream, req, chain);
		return vhost_video_answer_error(chain, req, err);
	}
	err = vhost_video_enqueue(stream, req, chain);
	if (!err)
		return DEVHOST_KEEP;
	if (req->type == VIRTIO_VIDEO_CMD_STREAM_CREATE)
		vhost_video_stream_free(stream);
	return vhost_video_answer_error(chain, req, err);
}

/**
 * vhost_video_request - serve a request
 * @vv: the device
 * @chain: the request
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_video_request(struct vhost_video *vv,
					struct devhost_chain *chain)
{
	u8 buf[VHOST_VIDEO_REQUEST_MAX] __aligned(8);
	size_t readable = devhost_chain_readable(chain);
	struct vhost_video_request req;
	size_t len, more;
	u32 err;

	if (devhost_chain_writable(chain) < sizeof(struct virtio_video_cmd_hdr))
		return DEVHOST_REJECT;
	/* The entries of RESOURCE_CREATE are for others to read. */
	len = min(readable, sizeof(struct virtio_video_resource_create));
	if (devhost_chain_read(chain, buf, len))
		return DEVHOST_REJECT;
	if (len >= sizeof(__le32) &&
	    le32_to_cpup((__le32 *)buf) != VIRTIO_VIDEO_CMD_RESOURCE_CREATE) {
		more = min(readable, sizeof(buf)) - len;
		if (more && devhost_chain_read(chain, buf + len, more))
			return DEVHOST_REJECT;
		len += more;
	}
	err = vhost_video_parse(buf, len, readable, false, &req);
	if (err)
		return vhost_video_answer_error(chain, &req, err);
	return vhost_video_serve(vv, &req, chain);
}
