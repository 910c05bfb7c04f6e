// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers between videobuf2 and the device. The device does each queue's buffers
 * as it likes, so there are no jobs to schedule: a buffer goes to the device as
 * soon as the state of the stream allows it.
 */
#include <linux/scatterlist.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>

#include "virtio_video_drv.h"

/* Unique in the device; one of the stream's buffers that is made anew keeps it. */
static u32 virtio_video_resource_id(const struct virtio_video_stream *stream,
				    const struct virtio_video_queue *queue,
				    const struct vb2_buffer *vb)
{
	return stream->id << 16 | queue->dir << 15 | vb->index;
}

static void virtio_video_meta_note(struct virtio_video_stream *stream,
				   const struct vb2_v4l2_buffer *vb)
{
	struct virtio_video_meta *meta =
		&stream->metas[stream->num_metas++ % VIRTIO_VIDEO_METAS];

	meta->timestamp = vb->vb2_buf.timestamp;
	meta->flags = vb->flags & V4L2_BUF_FLAG_TIMECODE;
	meta->timecode = vb->timecode;
}

static void virtio_video_meta_take(struct virtio_video_stream *stream,
				   struct vb2_v4l2_buffer *vb)
{
	u32 i, num = min_t(u32, stream->num_metas, VIRTIO_VIDEO_METAS);

	vb->flags &= ~V4L2_BUF_FLAG_TIMECODE;
	for (i = 1; i <= num; i++) {
		const struct virtio_video_meta *meta;

		meta = &stream->metas[(stream->num_metas - i) % VIRTIO_VIDEO_METAS];
		if (meta->timestamp != vb->vb2_buf.timestamp)
			continue;
		vb->flags |= meta->flags;
		vb->timecode = meta->timecode;
		return;
	}
}

static void virtio_video_kind(struct vb2_v4l2_buffer *vb, u32 flags)
{
	vb->flags &= ~(V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME |
		       V4L2_BUF_FLAG_BFRAME);
	if (flags & VIRTIO_VIDEO_BUFFER_FLAG_IFRAME)
		vb->flags |= V4L2_BUF_FLAG_KEYFRAME;
	else if (flags & VIRTIO_VIDEO_BUFFER_FLAG_PFRAME)
		vb->flags |= V4L2_BUF_FLAG_PFRAME;
	else if (flags & VIRTIO_VIDEO_BUFFER_FLAG_BFRAME)
		vb->flags |= V4L2_BUF_FLAG_BFRAME;
}

/* With the spinlock held. */
static void virtio_video_output_done(struct virtio_video_stream *stream,
				     struct virtio_video_buffer *buf,
				     const struct virtio_video_resource_queue_resp *resp)
{
	struct virtio_video_queue *queue = &stream->queues[VIRTIO_VIDEO_OUT];
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	u32 flags = resp ? le32_to_cpu(resp->flags) :
			   VIRTIO_VIDEO_BUFFER_FLAG_ERR;
	u32 size = resp ? le32_to_cpu(resp->size) : 0;
	bool err = flags & VIRTIO_VIDEO_BUFFER_FLAG_ERR;
	bool eos = flags & VIRTIO_VIDEO_BUFFER_FLAG_EOS && !err;

	if (err && stream->recalling) {
		list_add_tail(&buf->list, &stream->recalled);
		return;
	}
	/* Devices need not say how large a frame is that they have decoded. */
	if (!size && !err && !eos && !stream->vv->encoder)
		size = virtio_video_layout_size(&queue->layout);
	vb2_set_plane_payload(vb, 0, min_t(u32, err ? 0 : size,
					   vb2_plane_size(vb, 0)));
	if (resp)
		vb->timestamp = le64_to_cpu(resp->timestamp);
	virtio_video_kind(&buf->vb, flags);
	virtio_video_meta_take(stream, &buf->vb);
	buf->vb.flags &= ~V4L2_BUF_FLAG_LAST;
	if (eos && queue->streaming) {
		virtio_video_end(stream);
		virtio_video_last(stream, buf);
		return;
	}
	buf->vb.field = V4L2_FIELD_NONE;
	buf->vb.sequence = queue->sequence++;
	vb2_buffer_done(vb, err ? VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE);
}

/* A buffer has come back. */
static void virtio_video_buffer_done(struct virtio_video_cmd *cmd)
{
	const struct virtio_video_resource_queue_resp *resp = cmd->resp;
	struct virtio_video_stream *stream = cmd->stream;
	struct virtio_video_buffer *buf = cmd->buf;
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	unsigned long flags;

	if (virtio_video_cmd_answer(cmd, VIRTIO_VIDEO_RESP_OK_RESOURCE_QUEUE,
				    sizeof(*resp)))
		resp = NULL;
	spin_lock_irqsave(&stream->slock, flags);
	list_del_init(&buf->list);
	if (V4L2_TYPE_IS_CAPTURE(vb->type)) {
		virtio_video_output_done(stream, buf, resp);
	} else {
		bool err = !resp || le32_to_cpu(resp->flags) &
				    VIRTIO_VIDEO_BUFFER_FLAG_ERR;

		buf->vb.sequence = stream->queues[VIRTIO_VIDEO_IN].sequence++;
		vb2_buffer_done(vb, err ? VB2_BUF_STATE_ERROR :
					  VB2_BUF_STATE_DONE);
	}
	spin_unlock_irqrestore(&stream->slock, flags);
}

/* With the spinlock held. */
static bool virtio_video_may_push(const struct virtio_video_stream *stream,
				  const struct virtio_video_queue *queue)
{
	if (!queue->streaming || stream->stopped)
		return false;
	return queue->dir == VIRTIO_VIDEO_IN ? !stream->draining :
					       !stream->changing;
}

/**
 * virtio_video_queue_push - give the device what it may have
 * @stream: the stream, its lock held
 * @queue: of which queue
 *
 * Context: Process context, sleeps.
 */
void virtio_video_queue_push(struct virtio_video_stream *stream,
			     struct virtio_video_queue *queue)
{
	struct virtio_video_buffer *buf;
	int err;
	u32 id;

	spin_lock_irq(&stream->slock);
	while (!list_empty(&queue->pending)) {
		buf = list_first_entry(&queue->pending,
				       struct virtio_video_buffer, list);
		if (queue->dir == VIRTIO_VIDEO_OUT && queue->streaming &&
		    stream->last_owed) {
			list_del_init(&buf->list);
			vb2_set_plane_payload(&buf->vb.vb2_buf, 0, 0);
			virtio_video_last(stream, buf);
			continue;
		}
		if (!virtio_video_may_push(stream, queue))
			break;
		list_move_tail(&buf->list, &queue->busy);
		if (queue->dir == VIRTIO_VIDEO_IN)
			virtio_video_meta_note(stream, &buf->vb);
		err = stream->failed ? -EIO : 0;
		spin_unlock_irq(&stream->slock);
		id = virtio_video_resource_id(stream, queue, &buf->vb.vb2_buf);
		if (!err)
			err = virtio_video_resource_queue(stream, queue->dir, id, buf,
							  virtio_video_buffer_done);
		spin_lock_irq(&stream->slock);
		if (err) {
			list_del_init(&buf->list);
			vb2_buffer_done(&buf->vb.vb2_buf, VB2_BUF_STATE_ERROR);
		}
	}
	spin_unlock_irq(&stream->slock);
}

/* Bring back what the device has; a device that keeps it is reset. */
static int virtio_video_queue_empty(struct virtio_video_stream *stream,
				    struct virtio_video_queue *queue)
{
	struct virtio_video_device *vv = stream->vv;
	unsigned int restarts = READ_ONCE(vv->restarts);
	int err = virtio_video_queue_clear(stream, queue->dir);
	bool left;

	spin_lock_irq(&stream->slock);
	left = !list_empty(&queue->busy);
	spin_unlock_irq(&stream->slock);
	if (!left)
		return err;
	virtio_video_restart(vv, restarts);
	return -EIO;
}

/**
 * virtio_video_recall - take output buffers back, to queue them again
 * @stream: the stream, its lock held
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error; none are with the device in either case.
 */
int virtio_video_recall(struct virtio_video_stream *stream)
{
	struct virtio_video_queue *queue = &stream->queues[VIRTIO_VIDEO_OUT];
	int err;

	spin_lock_irq(&stream->slock);
	stream->recalling = true;
	spin_unlock_irq(&stream->slock);
	err = virtio_video_queue_empty(stream, queue);
	spin_lock_irq(&stream->slock);
	stream->recalling = false;
	list_splice_init(&stream->recalled, &queue->pending);
	spin_unlock_irq(&stream->slock);
	return err;
}

static int virtio_video_queue_setup(struct vb2_queue *vq, unsigned int *buffers,
				    unsigned int *planes, unsigned int sizes[],
				    struct device *devs[])
{
	struct virtio_video_stream *stream = vb2_get_drv_priv(vq);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, vq->type);
	u32 size = virtio_video_layout_size(&queue->layout);

	if (!size)
		return -EINVAL;
	if (*planes)
		return *planes != 1 || sizes[0] < size ? -EINVAL : 0;
	*planes = 1;
	sizes[0] = size;
	*buffers = min(max(*buffers, queue->layout.min_buffers),
		       vq->max_num_buffers);
	return 0;
}

static int virtio_video_buf_out_validate(struct vb2_buffer *vb)
{
	to_vb2_v4l2_buffer(vb)->field = V4L2_FIELD_NONE;
	return 0;
}

/* The buffer has new memory: the device is told where. */
static int virtio_video_buf_init(struct vb2_buffer *vb)
{
	struct virtio_video_stream *stream = vb2_get_drv_priv(vb->vb2_queue);
	struct virtio_video_queue *queue =
		virtio_video_queue_of(stream, vb->type);
	struct virtio_video_buffer *buf = to_buffer(vb);
	struct sg_table *sgt, one;
	struct scatterlist sg;
	int err;

	if (stream->vv->non_contig) {
		sgt = vb2_dma_sg_plane_desc(vb, 0);
	} else {
		sg_init_table(&sg, 1);
		sg_dma_address(&sg) = vb2_dma_contig_plane_dma_addr(vb, 0);
		sg_dma_len(&sg) = vb2_plane_size(vb, 0);
		one = (struct sg_table) { .sgl = &sg, .nents = 1 };
		sgt = &one;
	}
	INIT_LIST_HEAD(&buf->list);
	err = virtio_video_resource_create(stream, queue->dir,
					   virtio_video_resource_id(stream, queue, vb),
					   sgt, vb2_plane_size(vb, 0));
	if (err)
		return err;
	buf->known = true;
	queue->resources++;
	return 0;
}

/* The protocol knows no end of a single buffer. */
static void virtio_video_buf_cleanup(struct vb2_buffer *vb)
{
	struct virtio_video_stream *stream = vb2_get_drv_priv(vb->vb2_queue);
	struct virtio_video_queue *queue =
		virtio_video_queue_of(stream, vb->type);
	struct virtio_video_buffer *buf = to_buffer(vb);

	/* That of a buffer without memory is ended, too. */
	if (!buf->known)
		return;
	buf->known = false;
	if (!--queue->resources)
		virtio_video_destroy_all(stream, queue->dir);
}

static int virtio_video_buf_prepare(struct vb2_buffer *vb)
{
	struct virtio_video_stream *stream = vb2_get_drv_priv(vb->vb2_queue);
	const struct virtio_video_queue *queue =
		virtio_video_queue_of(stream, vb->type);

	if (queue->dir == virtio_video_raw(stream->vv) &&
	    vb2_plane_size(vb, 0) < virtio_video_layout_size(&queue->layout))
		return -EINVAL;
	return 0;
}

static void virtio_video_buf_queue(struct vb2_buffer *vb)
{
	struct virtio_video_stream *stream = vb2_get_drv_priv(vb->vb2_queue);
	struct virtio_video_queue *queue =
		virtio_video_queue_of(stream, vb->type);
	struct virtio_video_buffer *buf = to_buffer(vb);

	spin_lock_irq(&stream->slock);
	list_add_tail(&buf->list, &queue->pending);
	spin_unlock_irq(&stream->slock);
	virtio_video_queue_push(stream, queue);
}

static void virtio_video_queue_return(struct virtio_video_stream *stream,
				      struct virtio_video_queue *queue,
				      enum vb2_buffer_state state)
{
	struct virtio_video_buffer *buf, *next;

	spin_lock_irq(&stream->slock);
	list_for_each_entry_safe(buf, next, &queue->pending, list) {
		list_del_init(&buf->list);
		vb2_buffer_done(&buf->vb.vb2_buf, state);
	}
	spin_unlock_irq(&stream->slock);
}

/* New output buffers, or input after a seek, end what kept the stream. */
static int virtio_video_start_streaming(struct vb2_queue *vq, unsigned int count)
{
	struct virtio_video_stream *stream = vb2_get_drv_priv(vq);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, vq->type);
	bool failed;

	spin_lock_irq(&stream->slock);
	failed = stream->failed;
	if (!failed) {
		queue->streaming = true;
		queue->sequence = 0;
		stream->stopped = false;
		if (queue->dir == VIRTIO_VIDEO_OUT)
			stream->changing = false;
	}
	spin_unlock_irq(&stream->slock);
	if (failed) {
		virtio_video_queue_return(stream, queue, VB2_BUF_STATE_QUEUED);
		return -EIO;
	}
	if (queue->dir == VIRTIO_VIDEO_IN)
		vb2_clear_last_buffer_dequeued(&stream->queues[VIRTIO_VIDEO_OUT].vb);
	virtio_video_resume(stream);
	return 0;
}

static void virtio_video_stop_streaming(struct vb2_queue *vq)
{
	struct virtio_video_stream *stream = vb2_get_drv_priv(vq);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, vq->type);
	bool clear;

	spin_lock_irq(&stream->slock);
	queue->streaming = false;
	/* A decoder has more to forget than buffers. */
	clear = !list_empty(&queue->busy) || queue->dir == VIRTIO_VIDEO_IN;
	/* New buffers for another size are no end of a drain. */
	if (queue->dir == VIRTIO_VIDEO_IN || !stream->changing)
		stream->draining = false;
	stream->redrain &= stream->draining;
	if (queue->dir == VIRTIO_VIDEO_OUT) {
		stream->stopped = false;
		stream->last_owed = false;
	}
	spin_unlock_irq(&stream->slock);
	if (clear)
		virtio_video_queue_empty(stream, queue);
	/* The device has said so by now, if that was the end of a drain. */
	if (!stream->draining)
		clear_bit(VIRTIO_VIDEO_TASK_DRAIN, &stream->tasks);
	virtio_video_queue_return(stream, queue, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops virtio_video_vb2_ops = {
	.queue_setup = virtio_video_queue_setup,
	COMPAT_VB2_WAIT_OPS
	.buf_out_validate = virtio_video_buf_out_validate,
	.buf_init = virtio_video_buf_init,
	.buf_cleanup = virtio_video_buf_cleanup,
	.buf_prepare = virtio_video_buf_prepare,
	.buf_queue = virtio_video_buf_queue,
	.start_streaming = virtio_video_start_streaming,
	.stop_streaming = virtio_video_stop_streaming,
};

static int virtio_video_queue_init(struct virtio_video_stream *stream,
				   enum virtio_video_dir dir)
{
	struct vb2_queue *vq = &stream->queues[dir].vb;

	vq->type = dir == VIRTIO_VIDEO_IN ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE :
					    V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	vq->io_modes = VB2_MMAP | VB2_DMABUF;
	vq->drv_priv = stream;
	vq->buf_struct_size = sizeof(struct virtio_video_buffer);
	vq->ops = &virtio_video_vb2_ops;
	vq->mem_ops = stream->vv->non_contig ? &vb2_dma_sg_memops :
					       &vb2_dma_contig_memops;
	vq->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	vq->lock = &stream->lock;
	vq->dev = stream->vv->dma_dev;
	/* Frames that others are made from are read by the device as well. */
	vq->bidirectional = dir == VIRTIO_VIDEO_OUT;
	return vb2_queue_init(vq);
}

int virtio_video_queues_init(struct virtio_video_stream *stream)
{
	int err;

	err = virtio_video_queue_init(stream, VIRTIO_VIDEO_IN);
	if (err)
		return err;
	err = virtio_video_queue_init(stream, VIRTIO_VIDEO_OUT);
	if (err)
		vb2_queue_release(&stream->queues[VIRTIO_VIDEO_IN].vb);
	return err;
}

/* Once, for videobuf2 has arrays of that length when there are buffers. */
void virtio_video_queues_limit(struct virtio_video_stream *stream)
{
	unsigned int dir;

	for (dir = 0; dir < VIRTIO_VIDEO_DIRS; dir++) {
		struct virtio_video_queue *queue = &stream->queues[dir];

		queue->vb.max_num_buffers =
			clamp_t(u32, queue->layout.max_buffers ?: VB2_MAX_FRAME,
				2, VB2_MAX_FRAME);
	}
}

void virtio_video_queues_release(struct virtio_video_stream *stream)
{
	vb2_queue_release(&stream->queues[VIRTIO_VIDEO_IN].vb);
	vb2_queue_release(&stream->queues[VIRTIO_VIDEO_OUT].vb);
}
