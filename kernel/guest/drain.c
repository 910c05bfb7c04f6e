// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends: of a stream that is drained, of frames of a size. Both are told by a last
 * output buffer. The device tells the end of a drain in an empty one; for a
 * change of size it has no such thing, so one is taken back from it.
 */
#include <media/v4l2-event.h>

#include "virtio_video_drv.h"

/**
 * virtio_video_end - the stream has come to its end
 * @stream: the stream, its @slock held
 *
 * Context: Any.
 */
void virtio_video_end(struct virtio_video_stream *stream)
{
	static const struct v4l2_event eos = { .type = V4L2_EVENT_EOS };

	stream->draining = false;
	stream->redrain = false;
	stream->stopped = true;
	v4l2_event_queue_fh(&stream->fh, &eos);
}

/**
 * virtio_video_last - give the user the last buffer
 * @stream: the stream, its @slock held
 * @buf: an output buffer in no list
 *
 * Context: Any.
 */
void virtio_video_last(struct virtio_video_stream *stream,
		       struct virtio_video_buffer *buf)
{
	stream->last_owed = false;
	buf->vb.flags |= V4L2_BUF_FLAG_LAST;
	buf->vb.sequence = stream->queues[VIRTIO_VIDEO_OUT].sequence++;
	buf->vb.field = V4L2_FIELD_NONE;
	vb2_buffer_done(&buf->vb.vb2_buf, VB2_BUF_STATE_DONE);
}

/*
 * The last buffer where the device gives none: the first of those that it has
 * given back, or the next that the user queues.
 */
static void virtio_video_make_last(struct virtio_video_stream *stream, bool end)
{
	spin_lock_irq(&stream->slock);
	stream->last_owed = true;
	if (end)
		virtio_video_end(stream);
	spin_unlock_irq(&stream->slock);
	virtio_video_queue_push(stream, &stream->queues[VIRTIO_VIDEO_OUT]);
}

static void virtio_video_source_change(struct virtio_video_stream *stream)
{
	static const struct v4l2_event change = {
		.type = V4L2_EVENT_SOURCE_CHANGE,
		.u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION,
	};

	v4l2_event_queue_fh(&stream->fh, &change);
}

/*
 * All frames of the old size have come, for the device's queues are in order.
 * Nothing is queued until the user has seen to it.
 */
static void virtio_video_resolution(struct virtio_video_stream *stream)
{
	struct virtio_video_queue *queue = &stream->queues[VIRTIO_VIDEO_OUT];

	spin_lock_irq(&stream->slock);
	stream->changing = queue->streaming;
	spin_unlock_irq(&stream->slock);
	if (virtio_video_params_read(stream) ||
	    (queue->streaming && virtio_video_recall(stream))) {
		virtio_video_stream_fail(stream, false);
		return;
	}
	virtio_video_controls_told(stream);
	virtio_video_source_change(stream);
	if (queue->streaming)
		virtio_video_make_last(stream, false);
}

/* The device did not drain, or gave up. */
static void virtio_video_drain_lost(struct virtio_video_stream *stream)
{
	bool again;

	spin_lock_irq(&stream->slock);
	again = stream->changing;
	if (stream->draining && again)
		stream->redrain = true;
	again = again || !stream->draining;
	spin_unlock_irq(&stream->slock);
	if (again)
		return;
	if (virtio_video_recall(stream))
		virtio_video_stream_fail(stream, false);
	else
		virtio_video_make_last(stream, true);
}

void virtio_video_work(struct work_struct *work)
{
	struct virtio_video_stream *stream =
		container_of(work, struct virtio_video_stream, work);

	mutex_lock(&stream->lock);
	if (test_and_clear_bit(VIRTIO_VIDEO_TASK_RESOLUTION, &stream->tasks))
		virtio_video_resolution(stream);
	if (test_and_clear_bit(VIRTIO_VIDEO_TASK_DRAIN, &stream->tasks))
		virtio_video_drain_lost(stream);
	mutex_unlock(&stream->lock);
}

/* Where it went well, an empty buffer tells so. */
static void virtio_video_drained(struct virtio_video_cmd *cmd)
{
	if (virtio_video_cmd_answer(cmd, VIRTIO_VIDEO_RESP_OK_NODATA, 0))
		virtio_video_stream_task(cmd->stream, VIRTIO_VIDEO_TASK_DRAIN);
}

/**
 * virtio_video_stop - DECODER_CMD and ENCODER_CMD: stop
 * @stream: the stream, its lock held
 *
 * Context: Process context.
 * Return: 0 or an error.
 */
int virtio_video_stop(struct virtio_video_stream *stream)
{
	bool failed;
	int err;

	if (!stream->queues[VIRTIO_VIDEO_IN].streaming)
		return 0;
	spin_lock_irq(&stream->slock);
	err = stream->draining ? -EBUSY : 0;
	if (err || stream->stopped) {
		spin_unlock_irq(&stream->slock);
		return err;
	}
	stream->draining = true;
	failed = stream->failed;
	spin_unlock_irq(&stream->slock);
	err = failed ? -EIO : virtio_video_drain(stream, virtio_video_drained);
	if (err) {
		spin_lock_irq(&stream->slock);
		stream->draining = false;
		spin_unlock_irq(&stream->slock);
	}
	return err;
}

/**
 * virtio_video_resume - queue what was kept
 * @stream: the stream, its lock held
 *
 * Context: Process context, sleeps.
 */
void virtio_video_resume(struct virtio_video_stream *stream)
{
	bool redrain;

	virtio_video_queue_push(stream, &stream->queues[VIRTIO_VIDEO_OUT]);
	virtio_video_queue_push(stream, &stream->queues[VIRTIO_VIDEO_IN]);
	spin_lock_irq(&stream->slock);
	redrain = stream->redrain && stream->draining && !stream->changing;
	if (redrain)
		stream->redrain = false;
	spin_unlock_irq(&stream->slock);
	if (redrain && virtio_video_drain(stream, virtio_video_drained))
		virtio_video_stream_fail(stream, false);
}

/**
 * virtio_video_start - DECODER_CMD and ENCODER_CMD: start
 * @stream: the stream, its lock held
 *
 * After a stop it goes on, after a change of size with the buffers there are.
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_start(struct virtio_video_stream *stream)
{
	bool busy;

	spin_lock_irq(&stream->slock);
	busy = stream->draining && !stream->changing;
	if (!busy) {
		stream->stopped = false;
		stream->changing = false;
		stream->last_owed = false;
	}
	spin_unlock_irq(&stream->slock);
	if (busy)
		return -EBUSY;
	vb2_clear_last_buffer_dequeued(&stream->queues[VIRTIO_VIDEO_OUT].vb);
	virtio_video_resume(stream);
	return 0;
}
