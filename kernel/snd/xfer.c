// SPDX-License-Identifier: GPL-2.0-only
/*
 * tx and rx: data between guest memory and the PCM.
 *
 * The PCM's buffer follows the guest's, so a tx request is copied into it as
 * soon as there is room, and answered when the PCM has played it: what the
 * driver takes for its hardware's position is the hardware's position. Until
 * then the request keeps its data: a stream that stops and goes on copies again
 * what was not played.
 *
 * Positions count frames since the PCM was prepared: hw is what it has played or
 * captured, appl what was given to it or taken from it.
 */
#include <linux/nospec.h>
#include <linux/slab.h>

#include "vhost_snd.h"

/* Buffers that a PCM may have played beyond its data before it is restarted. */
#define VHOST_SND_LAG_MAX	4

/**
 * vhost_snd_xfer_start - have room for all requests that can be kept
 * @vs: the device
 *
 * Only while a driver is there: this is most of a device's memory, and is
 * charged to the VMM.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vhost_snd_xfer_start(struct vhost_snd *vs)
{
	unsigned int i;

	vs->msgs = kvcalloc(VHOST_SND_MSGS, sizeof(*vs->msgs),
			    GFP_KERNEL_ACCOUNT);
	if (!vs->msgs)
		return -ENOMEM;
	INIT_LIST_HEAD(&vs->msgs_free);
	for (i = 0; i < VHOST_SND_MSGS; i++)
		list_add_tail(&vs->msgs[i].list, &vs->msgs_free);
	return 0;
}

/* All requests are the core's again, no stream has one. */
void vhost_snd_xfer_stop(struct vhost_snd *vs)
{
	kvfree(vs->msgs);
	vs->msgs = NULL;
}

/* Write the status behind the data, or behind the room for it. */
static enum devhost_answer vhost_snd_xfer_status(struct devhost_chain *chain,
						 u32 status, u32 latency)
{
	struct virtio_snd_pcm_status msg = {
		.status = cpu_to_le32(status),
		.latency_bytes = cpu_to_le32(latency),
	};
	size_t room = devhost_chain_writable(chain);

	if (room < sizeof(msg) ||
	    devhost_chain_skip(chain, true, room - sizeof(msg)) ||
	    devhost_chain_write(chain, &msg, sizeof(msg)))
		return DEVHOST_REJECT;
	return DEVHOST_COMPLETE;
}

/* Answer a request that was kept. */
static void vhost_snd_msg_finish(struct vhost_snd_stream *stream,
				 struct vhost_snd_msg *msg, u32 status,
				 u64 latency)
{
	struct vhost_snd *vs = stream->vs;
	struct devhost_chain *chain = msg->chain;
	u32 frame = stream->params.frame_bytes;
	bool tx = stream->direction == DEVHOST_SND_PLAYBACK;

	list_move(&msg->list, &vs->msgs_free);
	if (likely(status == VIRTIO_SND_S_OK)) {
		devhost_count_data(vs->dev, tx ? VHOST_SND_TX_FRAMES :
						 VHOST_SND_RX_FRAMES,
				   msg->copied, (u64)msg->copied * frame);
	} else {
		devhost_count(vs->dev, VHOST_SND_IO_ERRORS, 1);
	}
	latency = min_t(u64, latency * frame, U32_MAX);
	if (vhost_snd_xfer_status(chain, status, latency) == DEVHOST_COMPLETE)
		devhost_chain_complete(chain);
	else
		devhost_chain_reject(chain);
}

/**
 * vhost_snd_xfer_advance - the PCM's pointer has moved
 * @stream: the stream, prepared or more
 * @hw_ptr: where it is
 *
 * Context: The worker.
 */
void vhost_snd_xfer_advance(struct vhost_snd_stream *stream,
			    snd_pcm_uframes_t hw_ptr)
{
	snd_pcm_sframes_t delta = hw_ptr - stream->hw_ptr;

	if (delta < 0)
		delta += stream->boundary;
	stream->hw += delta;
	stream->hw_ptr = hw_ptr;
}

static struct vhost_snd_msg *vhost_snd_msg_first(struct list_head *list)
{
	return list_first_entry_or_null(list, struct vhost_snd_msg, list);
}

/* Copy again what was not played. */
static void vhost_snd_msg_rewind(struct vhost_snd_stream *stream,
				 struct vhost_snd_msg *msg)
{
	u64 left = msg->end > stream->hw ? msg->end - stream->hw : 0;

	if (!msg->copied || !left)
		return;
	msg->copied -= min_t(u64, msg->copied, left);
	devhost_chain_rewind(msg->chain);
	/* Where the memory is gone it is seen when it is to be copied. */
	devhost_chain_skip(msg->chain, false,
			   sizeof(struct virtio_snd_pcm_xfer) +
			   msg->copied * stream->params.frame_bytes);
}

/**
 * vhost_snd_xfer_begin - the PCM was prepared: it has nothing
 * @stream: the stream
 * @job: what prepared it
 *
 * Context: The worker.
 */
void vhost_snd_xfer_begin(struct vhost_snd_stream *stream,
			  const struct vhost_snd_job *job)
{
	struct vhost_snd_msg *msg, *next;

	if (stream->direction == DEVHOST_SND_PLAYBACK) {
		vhost_snd_xfer_settle(stream);
		list_for_each_entry(msg, &stream->queued, list)
			vhost_snd_msg_rewind(stream, msg);
		list_for_each_entry_safe_reverse(msg, next, &stream->playing,
						 list) {
			vhost_snd_msg_rewind(stream, msg);
			list_move(&msg->list, &stream->queued);
		}
	}
	stream->hw = 0;
	stream->appl = 0;
	stream->hw_ptr = job->hw_ptr;
	stream->boundary = job->boundary;
	stream->period_size = job->period_size;
	stream->buffer_size = job->buffer_size;
	stream->delay = 0;
	stream->fed = false;
	stream->dry = false;
	stream->reported = false;
}

/* A frame of which @part bytes are at @data and the rest elsewhere. */
static int vhost_snd_copy_seam(struct vhost_snd_stream *stream,
			       struct vhost_snd_msg *msg, u8 *data, size_t part)
{
	size_t rest = stream->params.frame_bytes - part;
	int err;

	if (stream->direction == DEVHOST_SND_PLAYBACK) {
		memcpy(stream->stage, data, part);
		err = devhost_chain_read(msg->chain, stream->stage + part, rest);
		return err ?: vhost_snd_pcm_xfer(stream, stream->stage, 1);
	}
	err = vhost_snd_pcm_xfer(stream, stream->stage, 1);
	if (err)
		return err;
	memcpy(data, stream->stage, part);
	return devhost_chain_write(msg->chain, stream->stage + part, rest);
}

/* Copy up to @room frames; -EFAULT where the guest took the memory away. */
static int vhost_snd_copy(struct vhost_snd_stream *stream,
			  struct vhost_snd_msg *msg, u64 room)
{
	bool capture = stream->direction == DEVHOST_SND_CAPTURE;
	u32 frame = stream->params.frame_bytes;

	room = min_t(u64, room, msg->frames - msg->copied);
	while (room) {
		size_t len;
		u8 *data = devhost_chain_span(msg->chain, capture, room * frame,
					      &len);
		u32 whole = len / frame;
		int err;

		if (unlikely(!data))
			return -EFAULT;
		if (likely(whole)) {
			err = vhost_snd_pcm_xfer(stream, data, whole);
			if (unlikely(err))
				return err;
			msg->copied += whole;
			room -= whole;
		}
		if (unlikely(len % frame)) {
			err = vhost_snd_copy_seam(stream, msg,
						  data + whole * frame,
						  len % frame);
			if (err)
				return err;
			msg->copied++;
			room--;
		}
	}
	msg->end = stream->appl;
	return 0;
}

/* Answer the tx requests that have been played. */
static void vhost_snd_play_done(struct vhost_snd_stream *stream)
{
	struct vhost_snd_msg *msg;

	while ((msg = vhost_snd_msg_first(&stream->playing))) {
		snd_pcm_sframes_t latency;

		if (msg->end > stream->hw)
			break;
		/* What is behind the pointer; but it may be past the end. */
		latency = stream->delay - (stream->hw - msg->end);
		vhost_snd_msg_finish(stream, msg, VIRTIO_SND_S_OK,
				     max(latency, 0L));
	}
}

/*
 * The PCM has played all that it had, and plays silence. A driver that has come
 * to its end has a period's time to stop it; else this is an underrun, and so
 * it is when more data comes. That is put a period ahead of the PCM, which may
 * have fetched so much already.
 */
static int vhost_snd_play_dry(struct vhost_snd_stream *stream, bool woken)
{
	bool more = !list_empty(&stream->queued);
	u64 silence;

	if (stream->fed && !stream->reported && (more || (woken && stream->dry))) {
		stream->reported = true;
		vhost_snd_event_xrun(stream);
	}
	stream->dry |= woken;
	/* Where it was when it woke us is long ago, for periods this short. */
	if (more)
		vhost_snd_pcm_sync(stream);
	silence = stream->hw - stream->appl + (more ? stream->period_size : 0);
	/* Nobody looked for long: it is easier to begin anew. */
	if (unlikely(silence > VHOST_SND_LAG_MAX * stream->buffer_size)) {
		stream->host = VHOST_SND_HOST_SETUP;
		stream->restart = true;
		return 0;
	}
	return silence ? vhost_snd_pcm_xfer(stream, NULL, silence) : 0;
}

static int vhost_snd_play(struct vhost_snd_stream *stream, bool woken)
{
	bool running = stream->host == VHOST_SND_HOST_RUNNING;
	struct vhost_snd_msg *msg;
	int err;

	vhost_snd_play_done(stream);
	if (unlikely(running && stream->hw >= stream->appl)) {
		err = vhost_snd_play_dry(stream, woken);
		if (err || stream->restart)
			return err;
	}
	while ((msg = vhost_snd_msg_first(&stream->queued))) {
		u64 room = stream->hw + stream->buffer_size - stream->appl;

		if (!room)
			break;
		err = vhost_snd_copy(stream, msg, room);
		if (unlikely(err == -EFAULT)) {
			vhost_snd_msg_finish(stream, msg, VIRTIO_SND_S_IO_ERR, 0);
			continue;
		}
		if (unlikely(err))
			return err;
		stream->fed = true;
		stream->dry = false;
		stream->reported = false;
		if (msg->copied < msg->frames)
			break;
		list_move_tail(&msg->list, &stream->playing);
	}
	return 0;
}

static int vhost_snd_record(struct vhost_snd_stream *stream)
{
	struct vhost_snd_msg *msg;
	int err;

	if (stream->host != VHOST_SND_HOST_RUNNING)
		return 0;
	if (unlikely(stream->hw - stream->appl > stream->buffer_size)) {
		/* The oldest is lost; the rest may be overwritten any moment. */
		vhost_snd_event_xrun(stream);
		err = vhost_snd_pcm_forward(stream, stream->hw - stream->appl);
		if (err)
			return err;
	}
	while (stream->hw > stream->appl &&
	       (msg = vhost_snd_msg_first(&stream->queued))) {
		err = vhost_snd_copy(stream, msg, stream->hw - stream->appl);
		if (unlikely(err == -EFAULT)) {
			vhost_snd_msg_finish(stream, msg, VIRTIO_SND_S_IO_ERR, 0);
			continue;
		}
		if (unlikely(err))
			return err;
		if (msg->copied == msg->frames)
			vhost_snd_msg_finish(stream, msg, VIRTIO_SND_S_OK,
					     stream->hw - stream->appl +
					     max(stream->delay, 0L));
	}
	return 0;
}

/**
 * vhost_snd_xfer_progress - copy what can be copied, answer what is done
 * @stream: the stream, its PCM looked at, prepared or running
 * @woken: the PCM says that something happened
 *
 * Context: The worker.
 * Return: 0, or what is wrong with the PCM.
 */
int vhost_snd_xfer_progress(struct vhost_snd_stream *stream, bool woken)
{
	int err;

	if (stream->direction == DEVHOST_SND_CAPTURE)
		return vhost_snd_record(stream);
	err = vhost_snd_play(stream, woken);
	if (err)
		return err;
	/* Copying has seen where the PCM is, and had it not tell us. */
	vhost_snd_pcm_look(stream);
	vhost_snd_play_done(stream);
	return 0;
}

/**
 * vhost_snd_xfer_settle - the PCM has stopped: answer what it had played
 * @stream: the stream
 *
 * Context: The worker.
 */
void vhost_snd_xfer_settle(struct vhost_snd_stream *stream)
{
	if (stream->direction == DEVHOST_SND_PLAYBACK)
		vhost_snd_play_done(stream);
}

static void vhost_snd_flush_list(struct vhost_snd_stream *stream,
				 struct list_head *list, u32 status)
{
	struct vhost_snd_msg *msg;

	while ((msg = vhost_snd_msg_first(list)))
		vhost_snd_msg_finish(stream, msg, status, 0);
}

/**
 * vhost_snd_xfer_flush - answer all tx or rx requests
 * @stream: the stream
 * @status: what rx requests get: what they have is all there will be. Data that
 *	was not played is an error
 *
 * Context: The worker, or suspend().
 */
void vhost_snd_xfer_flush(struct vhost_snd_stream *stream, u32 status)
{
	vhost_snd_xfer_settle(stream);
	if (stream->direction == DEVHOST_SND_PLAYBACK)
		status = VIRTIO_SND_S_IO_ERR;
	vhost_snd_flush_list(stream, &stream->playing, status);
	vhost_snd_flush_list(stream, &stream->queued, status);
}

/* Why a request can't be taken, VIRTIO_SND_S_OK where it can. */
static u32 vhost_snd_xfer_check(const struct vhost_snd_stream *stream,
				size_t bytes)
{
	const struct vhost_snd_params *params = &stream->params;

	if (stream->state < DEVHOST_SND_PREPARED)
		return VIRTIO_SND_S_IO_ERR;
	if (bytes % params->frame_bytes || bytes > params->buffer_bytes)
		return VIRTIO_SND_S_BAD_MSG;
	if (!stream->pcm ||
	    (stream->host == VHOST_SND_HOST_NONE && !stream->busy))
		return VIRTIO_SND_S_IO_ERR;
	return VIRTIO_SND_S_OK;
}

/* Read the header; the stream, or NULL where the request makes no sense. */
static struct vhost_snd_stream *
vhost_snd_xfer_parse(struct vhost_snd *vs, struct devhost_chain *chain,
		     enum devhost_snd_direction direction, size_t *bytes)
{
	const size_t status = sizeof(struct virtio_snd_pcm_status);
	struct vhost_snd_stream *stream;
	struct virtio_snd_pcm_xfer xfer;
	u32 id;

	if (devhost_chain_read(chain, &xfer, sizeof(xfer)))
		return NULL;
	id = le32_to_cpu(xfer.stream_id);
	if (id >= vs->num_streams)
		return NULL;
	stream = &vs->streams[array_index_nospec(id, vs->num_streams)];
	if (stream->direction != direction)
		return NULL;
	if (direction == DEVHOST_SND_PLAYBACK) {
		*bytes = devhost_chain_readable(chain);
		return *bytes && devhost_chain_writable(chain) == status ?
		       stream : NULL;
	}
	*bytes = devhost_chain_writable(chain) - status;
	return *bytes && !devhost_chain_readable(chain) ? stream : NULL;
}

/**
 * vhost_snd_xfer - take a tx or rx request
 * @vs: the device
 * @chain: the request
 * @direction: of its queue
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_snd_xfer(struct vhost_snd *vs,
				   struct devhost_chain *chain,
				   enum devhost_snd_direction direction)
{
	struct vhost_snd_stream *stream;
	struct vhost_snd_msg *msg;
	size_t bytes;
	u32 status;

	if (devhost_chain_writable(chain) < sizeof(struct virtio_snd_pcm_status))
		return DEVHOST_REJECT;
	stream = vhost_snd_xfer_parse(vs, chain, direction, &bytes);
	status = stream ? vhost_snd_xfer_check(stream, bytes) :
			  VIRTIO_SND_S_BAD_MSG;
	if (unlikely(status != VIRTIO_SND_S_OK)) {
		devhost_count(vs->dev, status == VIRTIO_SND_S_BAD_MSG ?
			      VHOST_SND_IO_INVALID : VHOST_SND_IO_ERRORS, 1);
		return vhost_snd_xfer_status(chain, status, 0);
	}

	msg = vhost_snd_msg_first(&vs->msgs_free);
	if (WARN_ON_ONCE(!msg))
		return DEVHOST_REJECT;
	msg->chain = chain;
	msg->frames = bytes / stream->params.frame_bytes;
	msg->copied = 0;
	msg->end = 0;
	list_move_tail(&msg->list, &stream->queued);
	vhost_snd_stream_run(stream, false);
	return DEVHOST_KEEP;
}
