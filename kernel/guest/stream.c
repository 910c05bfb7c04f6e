// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream: from open to close. The device makes one of its own for each.
 */
#include <linux/slab.h>
#include <media/v4l2-event.h>

#include "virtio_video_drv.h"

static void virtio_video_stream_free(struct kref *ref)
{
	struct virtio_video_stream *stream =
		container_of(ref, struct virtio_video_stream, ref);

	kfree(stream);
}

void virtio_video_stream_put(struct virtio_video_stream *stream)
{
	kref_put(&stream->ref, virtio_video_stream_free);
}

/**
 * virtio_video_stream_fail - nothing comes of a stream any more
 * @stream: the stream
 * @lost: the device does not even know it
 *
 * Who waits for a buffer is told.
 *
 * Context: Any.
 */
void virtio_video_stream_fail(struct virtio_video_stream *stream, bool lost)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&stream->slock, flags);
	stream->failed = true;
	if (lost)
		WRITE_ONCE(stream->lost, true);
	spin_unlock_irqrestore(&stream->slock, flags);
	for (i = 0; i < VIRTIO_VIDEO_DIRS; i++)
		vb2_queue_error(&stream->queues[i].vb);
}

/**
 * virtio_video_stream_task - there is something to be seen to
 * @stream: the stream
 * @task: what it is
 *
 * Context: Any.
 */
void virtio_video_stream_task(struct virtio_video_stream *stream,
			      enum virtio_video_task task)
{
	unsigned long flags;

	spin_lock_irqsave(&stream->slock, flags);
	if (!stream->closing) {
		set_bit(task, &stream->tasks);
		schedule_work(&stream->work);
	}
	spin_unlock_irqrestore(&stream->slock, flags);
}

/* With all that was said of it while there was none. */
static int virtio_video_stream_make(struct virtio_video_stream *stream)
{
	int err = virtio_video_stream_create(stream, stream->coded_format);

	if (err)
		return err;
	WRITE_ONCE(stream->made, true);
	err = virtio_video_params_read(stream);
	if (err) {
		virtio_video_stream_fail(stream, false);
		return err;
	}
	if (stream->vv->encoder && stream->fh.ctrl_handler)
		v4l2_ctrl_handler_setup(&stream->handler);
	virtio_video_controls_told(stream);
	return 0;
}

/**
 * virtio_video_stream_need - have the device make the stream, if it has not yet
 * @stream: the stream, its lock held
 *
 * A file may be opened to look at the node only; the device has a few streams.
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_stream_need(struct virtio_video_stream *stream)
{
	if (virtio_video_lost(stream))
		return -ENODEV;
	if (stream->made)
		return READ_ONCE(stream->failed) ? -EIO : 0;
	return virtio_video_stream_make(stream);
}

/**
 * virtio_video_stream_recode - have the device make the stream for a coded format
 * @stream: the stream, its lock held
 * @format: enum virtio_video_format
 *
 * The format is a stream's for good: another one needs another stream.
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_stream_recode(struct virtio_video_stream *stream, u32 format)
{
	u32 was = stream->coded_format;
	int err;

	if (stream->made && format == was)
		return virtio_video_stream_need(stream);
	if (vb2_is_busy(&stream->queues[VIRTIO_VIDEO_IN].vb) ||
	    vb2_is_busy(&stream->queues[VIRTIO_VIDEO_OUT].vb))
		return -EBUSY;
	if (stream->made) {
		err = virtio_video_stream_destroy(stream);
		if (err)
			return err;
		WRITE_ONCE(stream->made, false);
	}
	stream->coded_format = format;
	err = virtio_video_stream_need(stream);
	if (err)
		stream->coded_format = was;
	return err;
}

static struct virtio_video_stream *
virtio_video_stream_new(struct virtio_video_device *vv)
{
	const struct virtio_video_fmt *fmt =
		virtio_video_caps_find(vv, virtio_video_coded(vv), 0);
	struct virtio_video_stream *stream = kzalloc_obj(*stream);
	unsigned int i;
	int id;

	if (!stream)
		return NULL;
	id = ida_alloc_range(&vv->ids, 1, VIRTIO_VIDEO_STREAMS, GFP_KERNEL);
	if (id < 0) {
		kfree(stream);
		return NULL;
	}
	stream->id = id;
	stream->restarts = READ_ONCE(vv->restarts);
	stream->coded_format = fmt->known->format;
	kref_init(&stream->ref);
	stream->vv = vv;
	mutex_init(&stream->lock);
	spin_lock_init(&stream->slock);
	INIT_LIST_HEAD(&stream->list);
	INIT_LIST_HEAD(&stream->recalled);
	INIT_WORK(&stream->work, virtio_video_work);
	for (i = 0; i < VIRTIO_VIDEO_DIRS; i++) {
		stream->queues[i].dir = i;
		stream->queues[i].layout = vv->layouts[i];
		INIT_LIST_HEAD(&stream->queues[i].pending);
		INIT_LIST_HEAD(&stream->queues[i].busy);
	}
	stream->colorspace = V4L2_COLORSPACE_REC709;
	return stream;
}

static void virtio_video_stream_list(struct virtio_video_stream *stream, bool on)
{
	struct virtio_video_device *vv = stream->vv;

	spin_lock_irq(&vv->streams_lock);
	if (on)
		list_add_tail(&stream->list, &vv->streams);
	else
		list_del_init(&stream->list);
	spin_unlock_irq(&vv->streams_lock);
	if (on)
		return;
	spin_lock_irq(&stream->slock);
	stream->closing = true;
	spin_unlock_irq(&stream->slock);
	cancel_work_sync(&stream->work);
}

static void virtio_video_stream_end(struct virtio_video_stream *stream)
{
	if (stream->made)
		virtio_video_stream_destroy(stream);
	/* The name is not given again while somebody may mean this one. */
	ida_free(&stream->vv->ids, stream->id);
}

/**
 * virtio_video_defaults_read - see what a stream is at first
 * @vv: the device
 *
 * A device that has no stream for us now is asked when it has one.
 *
 * Context: Process context, sleeps.
 */
void virtio_video_defaults_read(struct virtio_video_device *vv)
{
	struct virtio_video_stream *stream = virtio_video_stream_new(vv);
	unsigned int dir;

	if (!stream)
		return;
	if (!virtio_video_stream_create(stream, stream->coded_format)) {
		stream->made = true;
		for (dir = 0; dir < VIRTIO_VIDEO_DIRS; dir++)
			virtio_video_get_params(stream, dir, &vv->layouts[dir]);
		virtio_video_controls_read(stream);
	}
	virtio_video_stream_end(stream);
	virtio_video_stream_put(stream);
}

int virtio_video_open(struct file *file)
{
	struct virtio_video_device *vv = video_drvdata(file);
	struct virtio_video_stream *stream;
	int err;

	stream = virtio_video_stream_new(vv);
	if (!stream)
		return -ENOMEM;
	err = virtio_video_queues_init(stream);
	if (err)
		goto err_stream;
	virtio_video_queues_limit(stream);
	v4l2_fh_init(&stream->fh, &vv->vfd);
	err = virtio_video_controls_init(stream);
	if (err)
		goto err_queues;
	virtio_video_stream_list(stream, true);
	v4l2_fh_add(&stream->fh, file);
	return 0;

err_queues:
	v4l2_fh_exit(&stream->fh);
	virtio_video_queues_release(stream);
err_stream:
	virtio_video_stream_end(stream);
	virtio_video_stream_put(stream);
	return err;
}

int virtio_video_release(struct file *file)
{
	struct virtio_video_stream *stream = to_stream(file);

	virtio_video_stream_list(stream, false);
	mutex_lock(&stream->lock);
	virtio_video_queues_release(stream);
	mutex_unlock(&stream->lock);
	virtio_video_stream_end(stream);
	v4l2_fh_del(&stream->fh, file);
	v4l2_fh_exit(&stream->fh);
	v4l2_ctrl_handler_free(&stream->handler);
	/* Commands that the device has not answered may have it still. */
	virtio_video_stream_put(stream);
	return 0;
}
