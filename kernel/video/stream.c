// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams on the worker: what goes to a job, and what comes back of it.
 */
#include <linux/slab.h>

#include "vhost_video.h"

/* One that is ending has no name: drivers don't wait to give it to another. */
struct vhost_video_stream *vhost_video_stream_find(struct vhost_video *vv,
						   u32 id)
{
	struct vhost_video_stream *stream;

	list_for_each_entry(stream, &vv->streams, list)
		if (stream->id == id && !stream->ending)
			return stream;
	return NULL;
}

static void vhost_video_resources_free(struct vhost_video_stream *stream,
				       struct list_head *resources)
{
	struct vhost_video_resource *res, *next;

	list_for_each_entry_safe(res, next, resources, list)
		vhost_video_resource_free(stream, res);
}

/* All of them, those that are going as well: their codec has gone. */
static void vhost_video_stream_forget(struct vhost_video_stream *stream)
{
	unsigned int queue, i;

	for (queue = 0; queue < VHOST_VIDEO_QUEUES; queue++)
		for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++)
			if (stream->index[queue][i])
				vhost_video_resource_free(stream,
							  stream->index[queue][i]);
}

/**
 * vhost_video_stream_leave - a stream's last command is on its way
 * @stream: the stream; the driver can't name it any more
 *
 * Context: The worker.
 */
void vhost_video_stream_leave(struct vhost_video_stream *stream)
{
	struct vhost_video *vv = stream->vv;

	if (stream->ending)
		return;
	stream->ending = true;
	WRITE_ONCE(vv->num_streams, vv->num_streams - 1);
	vv->num_ending++;
}

/**
 * vhost_video_stream_free - forget a stream
 * @stream: the stream, without commands and with a codec that has let go
 *
 * Context: The worker, or stop().
 */
void vhost_video_stream_free(struct vhost_video_stream *stream)
{
	vhost_video_stream_leave(stream);
	stream->vv->num_ending--;
	list_del(&stream->list);
	vhost_video_stream_forget(stream);
	vhost_video_session_put(stream->session);
	kfree(stream);
}

static void vhost_video_complete(struct devhost_chain *chain,
				 const struct vhost_video_request *req,
				 const struct vhost_video_answer *answer)
{
	if (vhost_video_answer(chain, req, answer) == DEVHOST_COMPLETE)
		devhost_chain_complete(chain);
	else
		devhost_chain_reject(chain);
}

/* A buffer is the driver's again. */
static void vhost_video_buffer_return(struct vhost_video_stream *stream,
				      enum vhost_video_queue queue, u32 index,
				      const struct vhost_video_answer *answer)
{
	struct vhost_video_resource *res = stream->index[queue][index];
	const struct vhost_video_request req = {
		.type = VIRTIO_VIDEO_CMD_RESOURCE_QUEUE,
		.stream = stream->id,
	};
	struct devhost_chain *chain;

	if (WARN_ON_ONCE(!res || !res->chain))
		return;
	chain = res->chain;
	res->chain = NULL;
	vhost_video_complete(chain, &req, answer);
}

static void vhost_video_slot_return(struct vhost_video_stream *stream,
				    const struct vhost_video_slot *slot)
{
	const struct vhost_video_answer answer = { .buffer = slot->done };

	if (slot->done.flags & VIRTIO_VIDEO_BUFFER_FLAG_ERR)
		devhost_count(stream->vv->dev, VHOST_VIDEO_CORRUPTED, 1);
	else if (slot->queue == VHOST_VIDEO_OUTPUT &&
		 !(slot->done.flags & VIRTIO_VIDEO_BUFFER_FLAG_EOS))
		devhost_count(stream->vv->dev, VHOST_VIDEO_FRAMES, 1);
	vhost_video_buffer_return(stream, slot->queue, slot->index, &answer);
}

/* False where the stream is gone with it. */
static bool vhost_video_command_done(struct vhost_video_stream *stream,
				     struct vhost_video_command *cmd)
{
	const struct vhost_video_request *req = &cmd->req;
	bool gone = req->type == VIRTIO_VIDEO_CMD_STREAM_DESTROY;

	stream->num_commands--;
	vhost_video_resources_free(stream, &cmd->resources);
	if (req->type == VIRTIO_VIDEO_CMD_STREAM_CREATE && cmd->answer.type) {
		stream->failed = true;
		vhost_video_stream_leave(stream);
	}
	if (req->type == VIRTIO_VIDEO_CMD_RESOURCE_QUEUE && cmd->answer.type)
		vhost_video_buffer_return(stream, req->queue, cmd->index,
					  &cmd->answer);
	if (cmd->chain)
		vhost_video_complete(cmd->chain, req, &cmd->answer);
	vhost_video_command_free(cmd);
	return !gone;
}

static bool vhost_video_items_done(struct vhost_video_stream *stream)
{
	struct list_head *done = &stream->session->done;
	struct vhost_video_item *item, *next;

	list_for_each_entry_safe(item, next, done, list) {
		list_del_init(&item->list);
		if (item->kind == VHOST_VIDEO_BUFFER)
			vhost_video_slot_return(stream,
						container_of(item,
							     struct vhost_video_slot,
							     item));
		else if (!vhost_video_command_done(stream,
						   container_of(item,
								struct vhost_video_command,
								item)))
			return false;
	}
	return true;
}

static void vhost_video_stream_failed(struct vhost_video_stream *stream)
{
	if (!stream->failed) {
		stream->failed = true;
		set_bit(VHOST_VIDEO_TELL_ERROR, &stream->events);
		devhost_count(stream->vv->dev, VHOST_VIDEO_ERRORS, 1);
	}
}

/* Beside this one; what failed is only waited for to be destroyed. */
static u32 vhost_video_stream_others(const struct vhost_video_stream *stream)
{
	const struct vhost_video_stream *each;
	u32 others = 0;

	list_for_each_entry(each, &stream->vv->streams, list)
		if (each != stream && !each->ending && !each->failed)
			others++;
	return others;
}

/* Asked with what has become of the driver's wishes; no job is under way. */
static bool vhost_video_stream_may(struct vhost_video_stream *stream,
				   enum devhost_policy_video_request request,
				   u32 bitrate)
{
	struct vhost_video_session *session = stream->session;
	struct vhost_video *vv = stream->vv;
	const struct vhost_video_params *params =
		&session->params[vhost_video_raw(&vv->node)];
	struct devhost_policy_video ask = {
		.request = request,
		.stream = stream->id,
		.format = session->format,
		.encoder = vv->node.encoder,
		.streams = vhost_video_stream_others(stream),
		.bitrate = bitrate,
	};

	if (request == DEVHOST_POLICY_VIDEO_RESOLUTION) {
		ask.width = params->width;
		ask.height = params->height;
		ask.rate = params->rate;
	}
	return vhost_video_allowed(vv, &ask);
}

static void vhost_video_sized(struct vhost_video_stream *stream)
{
	struct vhost_video *vv = stream->vv;

	stream->session->tell = false;
	stream->session->again = false;
	if (!vhost_video_stream_may(stream, DEVHOST_POLICY_VIDEO_RESOLUTION, 0)) {
		vhost_video_stream_fail(stream);
		return;
	}
	if (vv->node.encoder)
		return;
	devhost_count(vv->dev, VHOST_VIDEO_RESOLUTIONS, 1);
	set_bit(VHOST_VIDEO_TELL_RESOLUTION, &stream->events);
}

/* Params were set after that: the driver knows, the policy does not. */
static void vhost_video_sized_again(struct vhost_video_stream *stream)
{
	stream->session->again = false;
	if (!vhost_video_stream_may(stream, DEVHOST_POLICY_VIDEO_RESOLUTION, 0))
		vhost_video_stream_fail(stream);
}

/* What was allowed once may not go on. */
static void vhost_video_stream_judge(struct vhost_video_stream *stream)
{
	struct vhost_video_session *session = stream->session;

	stream->judge = false;
	if (stream->failed || stream->ending)
		return;
	if (vhost_video_stream_may(stream, DEVHOST_POLICY_VIDEO_CREATE, 0) &&
	    (!session->sized ||
	     vhost_video_stream_may(stream, DEVHOST_POLICY_VIDEO_RESOLUTION,
				    0)) &&
	    (!session->bitrate ||
	     vhost_video_stream_may(stream, DEVHOST_POLICY_VIDEO_BITRATE,
				    session->bitrate)) &&
	    (!session->peak ||
	     vhost_video_stream_may(stream, DEVHOST_POLICY_VIDEO_BITRATE,
				    session->peak)))
		return;
	vhost_video_stream_fail(stream);
}

/* What a job has left behind; the stream may go with it. */
static void vhost_video_stream_done(struct vhost_video_stream *stream)
{
	struct vhost_video_session *session = stream->session;
	struct vhost_video *vv = stream->vv;

	if (!vhost_video_items_done(stream)) {
		vhost_video_stream_free(stream);
		return;
	}
	if (session->tell)
		vhost_video_sized(stream);
	else if (session->again)
		vhost_video_sized_again(stream);
	if (stream->judge)
		vhost_video_stream_judge(stream);
	if (session->failed) {
		vhost_video_stream_failed(stream);
		/* The codec has let go of the memory; so do we. */
		if (!stream->num_commands)
			vhost_video_stream_forget(stream);
	}
	if (stream->ending && !stream->num_commands)
		vhost_video_stream_free(stream);
	else
		vhost_video_stream_submit(stream);
	vhost_video_events_send(vv);
}

static void vhost_video_job_run(struct devhost_job *job)
{
	vhost_video_session_run(container_of(job, struct vhost_video_session,
					     job));
}

static void vhost_video_job_done(struct devhost_device *dev,
				 struct devhost_job *job)
{
	struct vhost_video_session *session =
		container_of(job, struct vhost_video_session, job);

	session->stream->busy = false;
	vhost_video_stream_done(session->stream);
	vhost_video_session_put(session);
}

static void vhost_video_job_drop(struct devhost_job *job)
{
	struct vhost_video_session *session =
		container_of(job, struct vhost_video_session, job);

	vhost_video_session_end(session);
	vhost_video_session_put(session);
}

struct vhost_video_stream *vhost_video_stream_new(struct vhost_video *vv,
						  u32 id, u32 format)
{
	struct vhost_video_stream *stream = kzalloc_obj(*stream);

	if (!stream)
		return NULL;
	stream->session = vhost_video_session_new(vv, format);
	if (!stream->session) {
		kfree(stream);
		return NULL;
	}
	stream->session->stream = stream;
	stream->session->job.run = vhost_video_job_run;
	stream->session->job.done = vhost_video_job_done;
	stream->session->job.drop = vhost_video_job_drop;
	stream->vv = vv;
	stream->id = id;
	INIT_LIST_HEAD(&stream->commands);
	INIT_LIST_HEAD(&stream->resources[VHOST_VIDEO_INPUT]);
	INIT_LIST_HEAD(&stream->resources[VHOST_VIDEO_OUTPUT]);
	list_add_tail(&stream->list, &vv->streams);
	WRITE_ONCE(vv->num_streams, vv->num_streams + 1);
	devhost_count(vv->dev, VHOST_VIDEO_STREAMS, 1);
	return stream;
}

/* Without a job: all is refused, and the codec let go. */
static void vhost_video_stream_refuse(struct vhost_video_stream *stream)
{
	struct vhost_video_session *session = stream->session;
	struct vhost_video_item *item;

	mutex_lock(&session->lock);
	session->failed = true;
	vhost_video_session_close(session);
	list_splice_tail_init(&stream->commands, &session->commands);
	list_for_each_entry(item, &session->commands, list) {
		struct vhost_video_command *cmd =
			container_of(item, struct vhost_video_command, item);

		if (cmd->req.type != VIRTIO_VIDEO_CMD_STREAM_DESTROY)
			cmd->answer.type = VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	}
	list_splice_tail_init(&session->commands, &session->done);
	mutex_unlock(&session->lock);
}

/**
 * vhost_video_stream_submit - have a job see to what there is to do
 * @stream: the stream; may be gone afterwards only where it has no helper
 *
 * Context: The worker.
 */
void vhost_video_stream_submit(struct vhost_video_stream *stream)
{
	struct vhost_video_session *session = stream->session;

	if (stream->busy || stream->vv->parked)
		return;
	if (!test_and_clear_bit(0, &session->woken) &&
	    list_empty(&stream->commands))
		return;
	list_splice_tail_init(&stream->commands, &session->commands);
	kref_get(&session->ref);
	stream->busy = true;
	if (!devhost_submit(stream->vv->dev, &session->job))
		return;
	/* There is not even one helper. */
	stream->busy = false;
	vhost_video_session_put(session);
	vhost_video_stream_refuse(stream);
	devhost_broken(stream->vv->dev, "no thread for the codec");
}

/**
 * vhost_video_stream_fail - a stream is of no use any more
 * @stream: the stream
 *
 * Context: The worker.
 */
void vhost_video_stream_fail(struct vhost_video_stream *stream)
{
	const struct vhost_video_request req = { .type = VHOST_VIDEO_CMD_FAIL };

	if (stream->failed || stream->ending)
		return;
	vhost_video_stream_failed(stream);
	if (!vhost_video_command_new(stream, &req, NULL)) {
		devhost_broken(stream->vv->dev, "no memory to end a stream");
		return;
	}
	vhost_video_stream_submit(stream);
	vhost_video_events_send(stream->vv);
}

/**
 * vhost_video_streams_judge - another policy is in force
 * @vv: the device
 *
 * Context: The worker.
 */
void vhost_video_streams_judge(struct vhost_video *vv)
{
	struct vhost_video_stream *stream, *next;

	list_for_each_entry_safe(stream, next, &vv->streams, list) {
		if (stream->busy)
			stream->judge = true;
		else
			vhost_video_stream_judge(stream);
	}
}

/**
 * vhost_video_streams_woken - codecs have something
 * @vv: the device
 *
 * Context: The worker.
 */
void vhost_video_streams_woken(struct vhost_video *vv)
{
	struct vhost_video_stream *stream, *next;

	list_for_each_entry_safe(stream, next, &vv->streams, list)
		vhost_video_stream_submit(stream);
}

/**
 * vhost_video_streams_park - give back all that is kept
 * @vv: the device
 *
 * Streams don't live through it: what a codec has begun it can't keep.
 *
 * Context: suspend().
 */
void vhost_video_streams_park(struct vhost_video *vv)
{
	struct vhost_video_stream *stream, *next;

	vv->parked = true;
	devhost_flush(vv->dev);
	list_for_each_entry_safe(stream, next, &vv->streams, list) {
		vhost_video_stream_refuse(stream);
		vhost_video_stream_done(stream);
	}
}

/**
 * vhost_video_streams_end - the driver is gone
 * @vv: the device, not live
 *
 * When it returns, no codec touches the guest's memory.
 *
 * Context: stop().
 */
void vhost_video_streams_end(struct vhost_video *vv)
{
	struct vhost_video_stream *stream, *next;

	list_for_each_entry_safe(stream, next, &vv->streams, list) {
		struct vhost_video_session *session = stream->session;

		mutex_lock(&session->lock);
		list_splice_tail_init(&stream->commands, &session->commands);
		mutex_unlock(&session->lock);
		/* Waits for a job that is at it. */
		vhost_video_session_end(session);
		vhost_video_stream_free(stream);
	}
}

static bool vhost_video_event_send(struct vhost_video *vv, u32 type, u32 id)
{
	const struct virtio_video_event event = {
		.event_type = cpu_to_le32(type),
		.stream_id = cpu_to_le32(id),
	};
	struct devhost_chain *chain;

	for (;;) {
		chain = devhost_vq_pop(devhost_vq(vv->dev, VIRTIO_VIDEO_EVENTQ));
		if (!chain)
			return false;
		if (!devhost_chain_write(chain, &event, sizeof(event)))
			break;
		devhost_chain_reject(chain);
	}
	devhost_chain_complete(chain);
	return true;
}

/**
 * vhost_video_events_send - tell the driver what it does not know yet
 * @vv: the device
 *
 * Of a stream that is ending it is told nothing: it would lose the buffer.
 *
 * Context: The worker.
 */
void vhost_video_events_send(struct vhost_video *vv)
{
	static const u32 types[] = {
		[VHOST_VIDEO_TELL_ERROR] = VIRTIO_VIDEO_EVENT_ERROR,
		[VHOST_VIDEO_TELL_RESOLUTION] =
			VIRTIO_VIDEO_EVENT_DECODER_RESOLUTION_CHANGED,
	};
	struct vhost_video_stream *stream;
	unsigned int i;

	if (vv->parked)
		return;
	list_for_each_entry(stream, &vv->streams, list) {
		if (stream->ending)
			continue;
		for (i = 0; i < ARRAY_SIZE(types); i++) {
			if (!test_bit(i, &stream->events))
				continue;
			if (!vhost_video_event_send(vv, types[i], stream->id))
				return;
			clear_bit(i, &stream->events);
		}
	}
}
