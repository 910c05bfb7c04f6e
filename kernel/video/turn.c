// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a codec says of itself, beside buffers: that the size of its frames has
 * turned out or changed, and that it has come to an end. A codec that stops has
 * one of two reasons, and tells which before it does.
 */
#include <linux/string.h>
#include <media/v4l2-event.h>

#include "vhost_video.h"

/**
 * vhost_video_drain_end - the end of a drain, if there is one
 * @session: the session
 * @type: 0 or the error to be answered
 *
 * Context: Process context.
 */
void vhost_video_drain_end(struct vhost_video_session *session, u32 type)
{
	struct vhost_video_command *drain = session->drain;

	session->drained = false;
	if (!drain)
		return;
	session->drain = NULL;
	drain->answer.type = type;
	list_add_tail(&drain->item.list, &session->done);
}

/**
 * vhost_video_drain - have all that is in the codec done
 * @session: the session
 * @cmd: the request; answered behind an empty buffer
 *
 * A decoder that has not found a size yet is told when it has output buffers.
 *
 * Context: A job.
 * Return: 0 or the error to be answered.
 */
u32 vhost_video_drain(struct vhost_video_session *session,
		      struct vhost_video_command *cmd)
{
	if (session->drain || !session->streaming[VHOST_VIDEO_INPUT] ||
	    (session->sized && vhost_video_stop(&session->node, true)))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	session->drain = cmd;
	return 0;
}

static bool vhost_video_same(const struct vhost_video_params *a,
			     const struct vhost_video_params *b)
{
	return a->format == b->format && a->width == b->width &&
	       a->height == b->height && a->num_planes == b->num_planes &&
	       !memcmp(&a->crop, &b->crop, sizeof(a->crop)) &&
	       !memcmp(a->planes, b->planes,
		       a->num_planes * sizeof(a->planes[0]));
}

/*
 * All frames of the old size are out. The driver is told, and makes new buffers
 * once it has cleared the queue; until then the old ones stay where they are.
 */
static void vhost_video_resolution(struct vhost_video_session *session)
{
	struct vhost_video_params *params = &session->params[VHOST_VIDEO_OUTPUT];
	const struct vhost_video_params known = *params;

	session->changed = false;
	if (vhost_video_session_read(session, VHOST_VIDEO_OUTPUT)) {
		session->failed = true;
		return;
	}
	if (session->sized && vhost_video_same(params, &known)) {
		/* Nothing to the driver; some codecs say it at each begin. */
		vhost_video_output_restart(session);
		return;
	}
	session->sized = true;
	session->renewing = true;
	session->changing = session->streaming[VHOST_VIDEO_OUTPUT] ||
			    !list_empty(&session->held);
	session->tell = true;
}

static void vhost_video_events_take(struct vhost_video_session *session)
{
	struct v4l2_event event;

	while (!v4l2_event_dequeue(session->node.fh, &event, true))
		if (event.type == V4L2_EVENT_SOURCE_CHANGE &&
		    event.u.src_change.changes & V4L2_EVENT_SRC_CH_RESOLUTION)
			session->changed = true;
}

/* The codec has delivered its last buffer. Why? */
static void vhost_video_stopped(struct vhost_video_session *session)
{
	if (session->changing)
		return;
	vhost_video_events_take(session);
	if (session->changed) {
		vhost_video_resolution(session);
		return;
	}
	session->drained = session->drain;
	session->stopped = false;
	if (vhost_video_stop(&session->node, false))
		session->failed = true;
}

/* What was no stream at all has an end as well. */
static bool vhost_video_empty(const struct vhost_video_session *session)
{
	u32 i;

	if (session->sized)
		return false;
	for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++)
		if (session->slots[VHOST_VIDEO_INPUT][i].state !=
		    VHOST_VIDEO_FREE)
			return false;
	return true;
}

/**
 * vhost_video_turn - see what the codec has done, and give it more
 * @session: the session, open
 *
 * Context: A job.
 */
void vhost_video_turn(struct vhost_video_session *session)
{
	if (!video_is_registered(session->node.vdev)) {
		session->failed = true;
		return;
	}
	vhost_video_events_take(session);
	vhost_video_buffers_take(session, VHOST_VIDEO_INPUT);
	vhost_video_buffers_take(session, VHOST_VIDEO_OUTPUT);
	if (session->changed && !session->streaming[VHOST_VIDEO_OUTPUT])
		vhost_video_resolution(session);
	if (session->stopped && !session->failed)
		vhost_video_stopped(session);
	if (session->drain && vhost_video_empty(session))
		session->drained = true;
	if (session->drained && !list_empty(&session->held))
		vhost_video_buffers_end(session);
	vhost_video_buffers_feed(session);
}
