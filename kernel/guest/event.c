// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: the device says that a stream's frames have another size, or that it
 * can do nothing for a stream any more.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "virtio_video_drv.h"

int virtio_video_events_init(struct virtio_video_device *vv)
{
	vv->events = kcalloc(VIRTIO_VIDEO_EVENTS, sizeof(*vv->events),
			     GFP_KERNEL);
	return vv->events ? 0 : -ENOMEM;
}

/* With the lock held. */
static void virtio_video_event_add(struct virtio_video_device *vv,
				   struct virtio_video_event *event)
{
	struct scatterlist sg;

	memset(event, 0, sizeof(*event));
	sg_init_one(&sg, event, sizeof(*event));
	virtqueue_add_inbuf(vv->eventq, &sg, 1, event, GFP_ATOMIC);
}

/**
 * virtio_video_events_fill - give the device all buffers for events
 * @vv: the device, whose queues are new
 *
 * Context: Process context.
 */
void virtio_video_events_fill(struct virtio_video_device *vv)
{
	unsigned int i;

	spin_lock_irq(&vv->lock);
	for (i = 0; i < VIRTIO_VIDEO_EVENTS && vv->eventq->num_free; i++)
		virtio_video_event_add(vv, &vv->events[i]);
	virtqueue_kick(vv->eventq);
	spin_unlock_irq(&vv->lock);
}

static void virtio_video_event(struct virtio_video_device *vv, u32 type, u32 id)
{
	struct virtio_video_stream *stream;
	unsigned long flags;

	spin_lock_irqsave(&vv->streams_lock, flags);
	list_for_each_entry(stream, &vv->streams, list) {
		if (stream->id != id)
			continue;
		if (type == VIRTIO_VIDEO_EVENT_ERROR)
			virtio_video_stream_fail(stream, false);
		else if (type == VIRTIO_VIDEO_EVENT_DECODER_RESOLUTION_CHANGED &&
			 !vv->encoder)
			virtio_video_stream_task(stream,
						 VIRTIO_VIDEO_TASK_RESOLUTION);
		break;
	}
	spin_unlock_irqrestore(&vv->streams_lock, flags);
}

/* Nothing can be told of a stream that is gone: that was on its way. */
void virtio_video_event_interrupt(struct virtqueue *vq)
{
	struct virtio_video_device *vv = vq->vdev->priv;
	struct virtio_video_event *event;
	unsigned long flags;
	unsigned int used;

	spin_lock_irqsave(&vv->lock, flags);
	do {
		virtqueue_disable_cb(vq);
		while ((event = virtqueue_get_buf(vq, &used))) {
			u32 type = le32_to_cpu(event->event_type);
			u32 id = le32_to_cpu(event->stream_id);

			spin_unlock_irqrestore(&vv->lock, flags);
			if (used >= sizeof(*event))
				virtio_video_event(vv, type, id);
			spin_lock_irqsave(&vv->lock, flags);
			if (vv->up)
				virtio_video_event_add(vv, event);
		}
	} while (!virtqueue_enable_cb(vq));
	virtqueue_kick(vq);
	spin_unlock_irqrestore(&vv->lock, flags);
}
