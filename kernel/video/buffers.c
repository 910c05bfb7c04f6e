// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers, into the codec and out of it.
 *
 * videobuf2 takes a dma-buf by descriptor only, so it is given one for the
 * length of a call; that is why this runs in kernel threads, which have a table
 * of descriptors, and not in the queue worker, which has none. A better way
 * would be a call of videobuf2 that takes the dma-buf itself.
 *
 * One output buffer is always held back: the end of a drain is told in an empty
 * buffer, and the codec gives none back for that.
 */
#include <linux/dma-buf.h>
#include <linux/fdtable.h>

#include "vhost_video.h"

static void vhost_video_slot_done(struct vhost_video_session *session,
				  struct vhost_video_slot *slot, u32 flags)
{
	slot->done.flags = flags;
	slot->state = VHOST_VIDEO_FREE;
	list_del_init(&slot->hold);
	devhost_dmabuf_put(slot->dmabuf);
	slot->dmabuf = NULL;
	list_add_tail(&slot->item.list, &session->done);
}

/* Of output buffers; the codec gets it when it can use it. */
static void vhost_video_slot_hold(struct vhost_video_session *session,
				  struct vhost_video_slot *slot)
{
	slot->state = VHOST_VIDEO_HELD;
	list_add_tail(&slot->hold, &session->held);
}

/*
 * videobuf2 checks buffers against the size that frames had when it was asked
 * for room, which need not be the one that they have now.
 */
static bool vhost_video_slot_fits(const struct vhost_video_session *session,
				  const struct vhost_video_slot *slot)
{
	const struct vhost_video_params *params = &session->params[slot->queue];
	u64 size = 0;
	u32 i;

	if (slot->queue != vhost_video_raw(&session->node))
		return true;
	for (i = 0; i < params->num_planes; i++)
		size += params->planes[i].size;
	return slot->len >= size;
}

static int vhost_video_slot_room(struct vhost_video_session *session,
				 const struct vhost_video_slot *slot)
{
	u32 *have = &session->allocated[slot->queue];
	int err = 0;

	if (!*have) {
		*have = session->wanted[slot->queue];
		err = vhost_video_reqbufs(&session->node, slot->queue, have);
	}
	while (!err && *have <= slot->index) {
		u32 index;

		err = vhost_video_more_bufs(&session->node, slot->queue, &index);
		if (!err && index != *have)
			err = -EINVAL;
		if (!err)
			(*have)++;
	}
	return err;
}

static int vhost_video_slot_qbuf(struct vhost_video_session *session,
				 struct vhost_video_slot *slot, int fd)
{
	struct v4l2_plane plane = {
		.bytesused = slot->size,
		.length = slot->len,
		.m.fd = fd,
	};
	struct v4l2_buffer buf = {
		.index = slot->index,
		.type = vhost_video_node_type(&session->node, slot->queue),
		.memory = V4L2_MEMORY_DMABUF,
		.field = V4L2_FIELD_NONE,
	};

	/* A number comes back with the frame; the driver's time has no place. */
	buf.timestamp.tv_sec = slot->stamp / USEC_PER_SEC;
	buf.timestamp.tv_usec = slot->stamp % USEC_PER_SEC;
	if (session->node.mplane) {
		buf.length = 1;
		buf.m.planes = &plane;
	} else {
		buf.length = slot->len;
		buf.bytesused = slot->size;
		buf.m.fd = fd;
	}
	return vhost_video_qbuf(&session->node, &buf);
}

static void vhost_video_slot_streams(struct vhost_video_session *session,
				     enum vhost_video_queue queue)
{
	if (vhost_video_stream_on(&session->node, queue, true)) {
		session->failed = true;
		return;
	}
	session->streaming[queue] = true;
	if (queue == VHOST_VIDEO_OUTPUT) {
		session->renewing = false;
		/* Stopping the queue made the codec forget it. */
		if (session->drain)
			vhost_video_stop(&session->node, true);
	} else if (session->node.encoder && !session->sized) {
		session->sized = true;
		session->tell = true;
	}
}

/* May run all of the codec's work on the buffer. */
static int vhost_video_slot_give(struct vhost_video_session *session,
				 struct vhost_video_slot *slot)
{
	int fd, err;

	if (!vhost_video_slot_fits(session, slot))
		return -EINVAL;
	err = vhost_video_slot_room(session, slot);
	if (err)
		return err;
	get_dma_buf(slot->dmabuf);
	fd = dma_buf_fd(slot->dmabuf, O_CLOEXEC);
	if (fd < 0) {
		devhost_dmabuf_put(slot->dmabuf);
		return fd;
	}
	err = vhost_video_slot_qbuf(session, slot, fd);
	close_fd(fd);
	if (err)
		return err;
	slot->state = VHOST_VIDEO_IN_CODEC;
	if (!session->streaming[slot->queue])
		vhost_video_slot_streams(session, slot->queue);
	return 0;
}

/*
 * The driver gets it back where the codec does not take it; where the codec has
 * gone, it gets all of them.
 */
static void vhost_video_slot_pass(struct vhost_video_session *session,
				  struct vhost_video_slot *slot)
{
	int err = vhost_video_slot_give(session, slot);

	if (!err)
		return;
	if (err == -ENODEV)
		session->failed = true;
	vhost_video_slot_done(session, slot, VIRTIO_VIDEO_BUFFER_FLAG_ERR);
}

/**
 * vhost_video_buffers_feed - all output buffers but one go to the codec
 * @session: the session
 *
 * Not before it is known of which size they have to be.
 *
 * Context: A job.
 */
void vhost_video_buffers_feed(struct vhost_video_session *session)
{
	while (session->sized && session->streaming[VHOST_VIDEO_INPUT] &&
	       !session->stopped && !session->changing && !session->failed &&
	       !list_empty(&session->held) &&
	       !list_is_singular(&session->held)) {
		struct vhost_video_slot *slot;

		slot = list_first_entry(&session->held, struct vhost_video_slot,
					hold);
		list_del_init(&slot->hold);
		vhost_video_slot_pass(session, slot);
	}
}

/**
 * vhost_video_buffer_queue - the driver queues a buffer
 * @session: the session
 * @cmd: its request
 *
 * Context: A job.
 * Return: 0, and the buffer comes back when it is done; or the error.
 */
u32 vhost_video_buffer_queue(struct vhost_video_session *session,
			     struct vhost_video_command *cmd)
{
	enum vhost_video_queue queue = cmd->req.queue;
	struct vhost_video_slot *slot = &session->slots[queue][cmd->index];

	if (slot->state != VHOST_VIDEO_FREE)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	if (queue == VHOST_VIDEO_INPUT && session->drain)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	slot->state = VHOST_VIDEO_HELD;
	slot->len = cmd->len;
	slot->size = 0;
	slot->stamp = 0;
	slot->done = (struct vhost_video_buffer) { };
	slot->dmabuf = cmd->dmabuf;
	cmd->dmabuf = NULL;
	session->wanted[queue] = max(session->wanted[queue], cmd->count);
	if (queue == VHOST_VIDEO_OUTPUT) {
		vhost_video_slot_hold(session, slot);
		return 0;
	}
	slot->size = cmd->req.buffer.size;
	slot->stamp = ++session->next_stamp;
	session->stamps[slot->stamp % VHOST_VIDEO_STAMPS] =
		cmd->req.buffer.timestamp;
	slot->done.timestamp = cmd->req.buffer.timestamp;
	vhost_video_slot_pass(session, slot);
	return 0;
}

/* Its buffers are the codec's no more; it may let go of them as well. */
static void vhost_video_queue_stop(struct vhost_video_session *session,
				   enum vhost_video_queue queue, bool forget)
{
	u32 none = 0;

	if (session->streaming[queue] &&
	    vhost_video_stream_on(&session->node, queue, false))
		session->failed = true;
	session->streaming[queue] = false;
	if (!forget || !session->allocated[queue])
		return;
	if (vhost_video_reqbufs(&session->node, queue, &none))
		session->failed = true;
	session->allocated[queue] = 0;
	session->wanted[queue] = 0;
}

/**
 * vhost_video_output_restart - have the codec begin with its output anew
 * @session: the session
 *
 * The buffers that it had are held as if they had just been queued.
 *
 * Context: A job.
 */
void vhost_video_output_restart(struct vhost_video_session *session)
{
	u32 i;

	vhost_video_queue_stop(session, VHOST_VIDEO_OUTPUT, false);
	session->stopped = false;
	for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++) {
		struct vhost_video_slot *slot =
			&session->slots[VHOST_VIDEO_OUTPUT][i];

		if (slot->state == VHOST_VIDEO_IN_CODEC)
			vhost_video_slot_hold(session, slot);
	}
}

/**
 * vhost_video_buffers_clear - give the buffers of a queue back undone
 * @session: the session
 * @queue: the queue
 * @forget: have the codec let go of them as well
 *
 * A decoder whose input is cleared is to go on elsewhere: frames that it has
 * begun are dropped, too.
 *
 * Context: Process context, sleeps until the codec has stopped.
 */
void vhost_video_buffers_clear(struct vhost_video_session *session,
			       enum vhost_video_queue queue, bool forget)
{
	/* The frames to come have another size: so has the room for them. */
	bool renew = queue == VHOST_VIDEO_OUTPUT && session->renewing;
	u32 i;

	vhost_video_queue_stop(session, queue, forget || renew);
	for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++) {
		struct vhost_video_slot *slot = &session->slots[queue][i];

		if (slot->state == VHOST_VIDEO_FREE)
			continue;
		slot->done = (struct vhost_video_buffer) { };
		vhost_video_slot_done(session, slot,
				      VIRTIO_VIDEO_BUFFER_FLAG_ERR);
	}
	if (queue == VHOST_VIDEO_OUTPUT) {
		session->stopped = false;
		session->changing = false;
	} else if (!session->node.encoder) {
		vhost_video_output_restart(session);
	}
	/* New buffers for another resolution are no end of a drain. */
	if (!renew)
		vhost_video_drain_end(session,
				      VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION);
}

static u64 vhost_video_stamp(const struct vhost_video_session *session,
			     const struct v4l2_buffer *buf)
{
	u64 stamp = (u64)buf->timestamp.tv_sec * USEC_PER_SEC +
		    buf->timestamp.tv_usec;

	if (!stamp || stamp > session->next_stamp ||
	    session->next_stamp - stamp >= VHOST_VIDEO_STAMPS)
		return 0;
	return session->stamps[stamp % VHOST_VIDEO_STAMPS];
}

static u32 vhost_video_flags(const struct vhost_video_session *session,
			     const struct v4l2_buffer *buf)
{
	u32 flags = 0;

	if (buf->flags & V4L2_BUF_FLAG_ERROR)
		flags |= VIRTIO_VIDEO_BUFFER_FLAG_ERR;
	if (!session->node.encoder || V4L2_TYPE_IS_OUTPUT(buf->type))
		return flags;
	if (buf->flags & V4L2_BUF_FLAG_KEYFRAME)
		return flags | VIRTIO_VIDEO_BUFFER_FLAG_IFRAME;
	if (buf->flags & V4L2_BUF_FLAG_BFRAME)
		return flags | VIRTIO_VIDEO_BUFFER_FLAG_BFRAME;
	if (buf->flags & V4L2_BUF_FLAG_PFRAME)
		return flags | VIRTIO_VIDEO_BUFFER_FLAG_PFRAME;
	/* Not every codec says. */
	return flags;
}

/* One buffer that the codec is done with; -EAGAIN where there is none. */
static int vhost_video_buffer_take(struct vhost_video_session *session,
				   enum vhost_video_queue queue)
{
	struct v4l2_plane plane = { };
	struct v4l2_buffer buf = {
		.type = vhost_video_node_type(&session->node, queue),
		.memory = V4L2_MEMORY_DMABUF,
	};
	struct vhost_video_slot *slot;
	u32 used;
	int err;

	if (session->node.mplane) {
		buf.length = 1;
		buf.m.planes = &plane;
	}
	err = vhost_video_dqbuf(&session->node, &buf);
	if (err)
		return err;
	if (buf.index >= VHOST_VIDEO_BUFFERS_MAX)
		return -EIO;
	slot = &session->slots[queue][buf.index];
	if (slot->state != VHOST_VIDEO_IN_CODEC)
		return -EIO;
	used = session->node.mplane ? plane.bytesused : buf.bytesused;
	if (queue == VHOST_VIDEO_OUTPUT && buf.flags & V4L2_BUF_FLAG_LAST) {
		session->stopped = true;
		if (!used) {
			vhost_video_slot_hold(session, slot);
			return 0;
		}
	}
	if (queue == VHOST_VIDEO_OUTPUT) {
		slot->done.timestamp = vhost_video_stamp(session, &buf);
		slot->done.size = min_t(u32, used, slot->len);
	}
	vhost_video_slot_done(session, slot, vhost_video_flags(session, &buf));
	return 0;
}

/**
 * vhost_video_buffers_take - take what the codec is done with
 * @session: the session
 * @queue: the queue
 *
 * Context: A job.
 */
void vhost_video_buffers_take(struct vhost_video_session *session,
			      enum vhost_video_queue queue)
{
	int err = 0;

	while (!err && session->streaming[queue] &&
	       !(queue == VHOST_VIDEO_OUTPUT && session->stopped))
		err = vhost_video_buffer_take(session, queue);
	if (err == -EPIPE)
		session->stopped = true;
	else if (err && err != -EAGAIN)
		session->failed = true;
}

/**
 * vhost_video_buffers_end - tell the driver that a drain is done
 * @session: the session, with an output buffer held
 *
 * Context: A job.
 */
void vhost_video_buffers_end(struct vhost_video_session *session)
{
	struct vhost_video_slot *slot;

	slot = list_first_entry(&session->held, struct vhost_video_slot, hold);
	slot->done = (struct vhost_video_buffer) { };
	vhost_video_slot_done(session, slot, VIRTIO_VIDEO_BUFFER_FLAG_EOS);
	vhost_video_drain_end(session, 0);
}

MODULE_IMPORT_NS("DMA_BUF");
