// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls about buffers, poll and mmap: those of videobuf2, for two queues a file.
 *
 * The kernel's v4l2-mem2mem has the same and a scheduler of jobs, which the device
 * has no use for; and distributions without a mem2mem driver leave it out, Debian
 * among them. So the driver does without.
 */
#include <linux/poll.h>
#include <media/v4l2-event.h>

#include "virtio_video_drv.h"

/* Where output buffers begin in the offsets that mmap() takes. */
#define VIRTIO_VIDEO_OUT_OFFSET	BIT(30)

static void virtio_video_offset(struct virtio_video_queue *queue,
				struct v4l2_buffer *buf)
{
	if (queue->dir == VIRTIO_VIDEO_OUT && buf->memory == V4L2_MEMORY_MMAP &&
	    buf->length)
		buf->m.planes[0].m.mem_offset += VIRTIO_VIDEO_OUT_OFFSET;
}

int virtio_video_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct virtio_video_stream *stream = to_stream(file);
	const unsigned long base = VIRTIO_VIDEO_OUT_OFFSET >> PAGE_SHIFT;

	if (vma->vm_pgoff < base)
		return vb2_mmap(&stream->queues[VIRTIO_VIDEO_IN].vb, vma);
	vma->vm_pgoff -= base;
	return vb2_mmap(&stream->queues[VIRTIO_VIDEO_OUT].vb, vma);
}

static bool virtio_video_has_done(struct vb2_queue *vq)
{
	unsigned long flags;
	bool has;

	spin_lock_irqsave(&vq->done_lock, flags);
	has = !list_empty(&vq->done_list);
	spin_unlock_irqrestore(&vq->done_lock, flags);
	return has;
}

/* Nothing will ever come of waiting. */
static bool virtio_video_vain(const struct vb2_queue *vq)
{
	return !vq->streaming || vq->error ||
	       (list_empty(&vq->queued_list) && !vq->last_buffer_dequeued);
}

__poll_t virtio_video_poll(struct file *file, struct poll_table_struct *wait)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct vb2_queue *in = &stream->queues[VIRTIO_VIDEO_IN].vb;
	struct vb2_queue *out = &stream->queues[VIRTIO_VIDEO_OUT].vb;
	__poll_t wanted = poll_requested_events(wait);
	__poll_t events = 0;

	poll_wait(file, &in->done_wq, wait);
	poll_wait(file, &out->done_wq, wait);
	poll_wait(file, &stream->fh.wait, wait);
	if (wanted & EPOLLPRI && v4l2_event_pending(&stream->fh))
		events |= EPOLLPRI;
	if (!(wanted & (EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM)))
		return events;
	mutex_lock(&stream->lock);
	if (virtio_video_vain(in) && virtio_video_vain(out))
		events |= EPOLLERR;
	if (in->streaming && !in->error && virtio_video_has_done(in))
		events |= EPOLLOUT | EPOLLWRNORM;
	/* After the last buffer DQBUF says that there is none. */
	if (out->streaming && !out->error &&
	    (virtio_video_has_done(out) || out->last_buffer_dequeued))
		events |= EPOLLIN | EPOLLRDNORM;
	mutex_unlock(&stream->lock);
	return events;
}

int virtio_video_reqbufs(struct file *file, void *priv,
			 struct v4l2_requestbuffers *rb)
{
	struct virtio_video_stream *stream = to_stream(file);
	int err;

	mutex_lock(&stream->lock);
	err = rb->count ? virtio_video_stream_need(stream) : 0;
	if (!err)
		err = vb2_reqbufs(&virtio_video_queue_of(stream, rb->type)->vb, rb);
	mutex_unlock(&stream->lock);
	return err;
}

int virtio_video_querybuf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, buf->type);
	int err;

	mutex_lock(&stream->lock);
	err = vb2_querybuf(&queue->vb, buf);
	mutex_unlock(&stream->lock);
	if (!err)
		virtio_video_offset(queue, buf);
	return err;
}

int virtio_video_create_bufs(struct file *file, void *priv,
			     struct v4l2_create_buffers *cb)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_queue *queue =
		virtio_video_queue_of(stream, cb->format.type);
	int err;

	mutex_lock(&stream->lock);
	err = cb->count ? virtio_video_stream_need(stream) : 0;
	if (!err)
		err = vb2_create_bufs(&queue->vb, cb);
	mutex_unlock(&stream->lock);
	return err;
}

int virtio_video_prepare_buf(struct file *file, void *priv,
			     struct v4l2_buffer *buf)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, buf->type);
	int err;

	mutex_lock(&stream->lock);
	err = vb2_prepare_buf(&queue->vb, NULL, buf);
	mutex_unlock(&stream->lock);
	if (!err)
		virtio_video_offset(queue, buf);
	return err;
}

int virtio_video_remove_bufs(struct file *file, void *priv,
			     struct v4l2_remove_buffers *rb)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, rb->type);
	int err;

	if (rb->type != queue->vb.type)
		return -EINVAL;
	if (!rb->count)
		return 0;
	mutex_lock(&stream->lock);
	err = vb2_core_remove_bufs(&queue->vb, rb->index, rb->count);
	mutex_unlock(&stream->lock);
	return err;
}

int virtio_video_qbuf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, buf->type);
	int err;

	mutex_lock(&stream->lock);
	err = vb2_qbuf(&queue->vb, NULL, buf);
	mutex_unlock(&stream->lock);
	if (!err)
		virtio_video_offset(queue, buf);
	return err;
}

/* While it waits, videobuf2 lets go of the lock. */
int virtio_video_dqbuf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_queue *queue = virtio_video_queue_of(stream, buf->type);
	int err;

	mutex_lock(&stream->lock);
	err = vb2_dqbuf(&queue->vb, buf, file->f_flags & O_NONBLOCK);
	mutex_unlock(&stream->lock);
	if (!err)
		virtio_video_offset(queue, buf);
	return err;
}

int virtio_video_expbuf(struct file *file, void *priv,
			struct v4l2_exportbuffer *eb)
{
	struct virtio_video_stream *stream = to_stream(file);
	int err;

	mutex_lock(&stream->lock);
	err = vb2_expbuf(&virtio_video_queue_of(stream, eb->type)->vb, eb);
	mutex_unlock(&stream->lock);
	return err;
}

int virtio_video_streamon(struct file *file, void *priv, enum v4l2_buf_type type)
{
	struct virtio_video_stream *stream = to_stream(file);
	int err;

	mutex_lock(&stream->lock);
	err = vb2_streamon(&virtio_video_queue_of(stream, type)->vb, type);
	mutex_unlock(&stream->lock);
	return err;
}

int virtio_video_streamoff(struct file *file, void *priv,
			   enum v4l2_buf_type type)
{
	struct virtio_video_stream *stream = to_stream(file);
	int err;

	mutex_lock(&stream->lock);
	err = vb2_streamoff(&virtio_video_queue_of(stream, type)->vb, type);
	mutex_unlock(&stream->lock);
	return err;
}
