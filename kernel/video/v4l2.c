// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of V4L2 on a codec.
 *
 * They go to the driver's operations, with kernel pointers: V4L2 has no calls
 * for the kernel's own users, and the system call would want its arguments and
 * buffers in some process. What V4L2 does around an operation is done here: its
 * locks, and whether the device is there and has the operation at all. A node
 * has one user, a session or its creation, so nothing else is to be arbitrated.
 */
#include <media/media-device.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>

#include "vhost_video.h"

/**
 * struct vhost_video_call - locks of a call
 * @requests: serializes starts and stops with requests; or NULL
 * @lock: of the queues or of the device; or NULL
 */
struct vhost_video_call {
	struct mutex *requests; /* outer */
	struct mutex *lock; /* inner */
};

static void vhost_video_leave(struct vhost_video_call *call)
{
	if (call->lock)
		mutex_unlock(call->lock);
	if (call->requests)
		mutex_unlock(call->requests);
}

static struct mutex *vhost_video_queue_lock(const struct vhost_video_node *node)
{
	struct video_device *vdev = node->vdev;

	if (node->fh->m2m_ctx->q_lock)
		return node->fh->m2m_ctx->q_lock;
	if (vdev->queue && vdev->queue->lock)
		return vdev->queue->lock;
	return vdev->lock;
}

static int vhost_video_enter(const struct vhost_video_node *node,
			     unsigned int cmd, struct vhost_video_call *call)
{
	struct video_device *vdev = node->vdev;

	memset(call, 0, sizeof(*call));
	call->lock = vdev->lock;
	switch (cmd) {
	case VIDIOC_STREAMON:
	case VIDIOC_STREAMOFF:
	case VIDIOC_REQBUFS:
		if (v4l2_device_supports_requests(vdev->v4l2_dev))
			call->requests = &vdev->v4l2_dev->mdev->req_queue_mutex;
		fallthrough;
	case VIDIOC_CREATE_BUFS:
	case VIDIOC_QBUF:
	case VIDIOC_DQBUF:
		call->lock = vhost_video_queue_lock(node);
	}
	if (call->requests)
		mutex_lock(call->requests);
	if (call->lock)
		mutex_lock(call->lock);
	if (!video_is_registered(vdev)) {
		vhost_video_leave(call);
		return -ENODEV;
	}
	/* Encoder and decoder of a driver share their operations: ask this. */
	if (!test_bit(_IOC_NR(cmd), vdev->valid_ioctls)) {
		vhost_video_leave(call);
		return -ENOTTY;
	}
	return 0;
}

#define vhost_video_do(node, cmd, op, arg) ({				\
	struct vhost_video_node *__node = (node);			\
	struct vhost_video_call __call;					\
	int __err = vhost_video_enter(__node, cmd, &__call);		\
									\
	if (!__err) {							\
		__auto_type __op = (op);				\
									\
		__err = __op ? __op(__node->file, __node->fh, arg) :	\
			       -ENOTTY;					\
		vhost_video_leave(&__call);				\
	}								\
	__err;								\
})

int vhost_video_enum_fmt(struct vhost_video_node *node,
			 struct v4l2_fmtdesc *desc)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	if (V4L2_TYPE_IS_OUTPUT(desc->type))
		return vhost_video_do(node, VIDIOC_ENUM_FMT,
				      ops->vidioc_enum_fmt_vid_out, desc);
	return vhost_video_do(node, VIDIOC_ENUM_FMT, ops->vidioc_enum_fmt_vid_cap,
			      desc);
}

int vhost_video_enum_size(struct vhost_video_node *node,
			  struct v4l2_frmsizeenum *size)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	return vhost_video_do(node, VIDIOC_ENUM_FRAMESIZES,
			      ops->vidioc_enum_framesizes, size);
}

int vhost_video_enum_rate(struct vhost_video_node *node,
			  struct v4l2_frmivalenum *rate)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	return vhost_video_do(node, VIDIOC_ENUM_FRAMEINTERVALS,
			      ops->vidioc_enum_frameintervals, rate);
}

int vhost_video_g_fmt(struct vhost_video_node *node, struct v4l2_format *fmt)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	switch (fmt->type) {
	case V4L2_BUF_TYPE_VIDEO_OUTPUT:
		return vhost_video_do(node, VIDIOC_G_FMT, ops->vidioc_g_fmt_vid_out,
				      fmt);
	case V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE:
		return vhost_video_do(node, VIDIOC_G_FMT,
				      ops->vidioc_g_fmt_vid_out_mplane, fmt);
	case V4L2_BUF_TYPE_VIDEO_CAPTURE:
		return vhost_video_do(node, VIDIOC_G_FMT, ops->vidioc_g_fmt_vid_cap,
				      fmt);
	default:
		return vhost_video_do(node, VIDIOC_G_FMT,
				      ops->vidioc_g_fmt_vid_cap_mplane, fmt);
	}
}

int vhost_video_s_fmt(struct vhost_video_node *node, struct v4l2_format *fmt)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	switch (fmt->type) {
	case V4L2_BUF_TYPE_VIDEO_OUTPUT:
		return vhost_video_do(node, VIDIOC_S_FMT, ops->vidioc_s_fmt_vid_out,
				      fmt);
	case V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE:
		return vhost_video_do(node, VIDIOC_S_FMT,
				      ops->vidioc_s_fmt_vid_out_mplane, fmt);
	case V4L2_BUF_TYPE_VIDEO_CAPTURE:
		return vhost_video_do(node, VIDIOC_S_FMT, ops->vidioc_s_fmt_vid_cap,
				      fmt);
	default:
		return vhost_video_do(node, VIDIOC_S_FMT,
				      ops->vidioc_s_fmt_vid_cap_mplane, fmt);
	}
}

int vhost_video_g_selection(struct vhost_video_node *node,
			    struct v4l2_selection *sel)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	return vhost_video_do(node, VIDIOC_G_SELECTION, ops->vidioc_g_selection, sel);
}

int vhost_video_s_selection(struct vhost_video_node *node,
			    struct v4l2_selection *sel)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	return vhost_video_do(node, VIDIOC_S_SELECTION, ops->vidioc_s_selection, sel);
}

int vhost_video_s_parm(struct vhost_video_node *node,
		       struct v4l2_streamparm *parm)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	return vhost_video_do(node, VIDIOC_S_PARM, ops->vidioc_s_parm, parm);
}

int vhost_video_subscribe(struct vhost_video_node *node, u32 type)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;
	struct v4l2_event_subscription sub = { .type = type };
	struct vhost_video_call call;
	int err = vhost_video_enter(node, VIDIOC_SUBSCRIBE_EVENT, &call);

	if (err)
		return err;
	err = ops->vidioc_subscribe_event ?
	      ops->vidioc_subscribe_event(node->fh, &sub) : -ENOTTY;
	vhost_video_leave(&call);
	return err;
}

/* @count: in: buffers wanted, 0: let go of all; out: buffers that there are */
int vhost_video_reqbufs(struct vhost_video_node *node,
			enum vhost_video_queue queue, u32 *count)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;
	struct v4l2_requestbuffers req = {
		.count = *count,
		.type = vhost_video_node_type(node, queue),
		.memory = V4L2_MEMORY_DMABUF,
	};
	int err = vhost_video_do(node, VIDIOC_REQBUFS, ops->vidioc_reqbufs, &req);

	*count = err ? 0 : req.count;
	return err;
}

/* One more buffer; its number is @index. */
int vhost_video_more_bufs(struct vhost_video_node *node,
			  enum vhost_video_queue queue, u32 *index)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;
	struct v4l2_create_buffers more = {
		.count = 1,
		.memory = V4L2_MEMORY_DMABUF,
		.format.type = vhost_video_node_type(node, queue),
	};
	int err = vhost_video_g_fmt(node, &more.format);

	if (!err)
		err = vhost_video_do(node, VIDIOC_CREATE_BUFS,
				     ops->vidioc_create_bufs, &more);
	if (!err && !more.count)
		err = -ENOMEM;
	*index = more.index;
	return err;
}

/**
 * vhost_video_lock - lock a codec for the use of its controls
 * @node: the codec; for vhost_video_unlock()
 *
 * Controls have calls for the kernel, and locks of their own; what V4L2 does
 * around them is left to do here.
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error; then nothing is locked.
 */
int vhost_video_lock(const struct vhost_video_node *node)
{
	struct video_device *vdev = node->vdev;

	if (vdev->lock)
		mutex_lock(vdev->lock);
	if (video_is_registered(vdev))
		return 0;
	if (vdev->lock)
		mutex_unlock(vdev->lock);
	return -ENODEV;
}

void vhost_video_unlock(const struct vhost_video_node *node)
{
	if (node->vdev->lock)
		mutex_unlock(node->vdev->lock);
}

int vhost_video_qbuf(struct vhost_video_node *node, struct v4l2_buffer *buf)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	return vhost_video_do(node, VIDIOC_QBUF, ops->vidioc_qbuf, buf);
}

int vhost_video_dqbuf(struct vhost_video_node *node, struct v4l2_buffer *buf)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;

	return vhost_video_do(node, VIDIOC_DQBUF, ops->vidioc_dqbuf, buf);
}

int vhost_video_stream_on(struct vhost_video_node *node,
			  enum vhost_video_queue queue, bool on)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;
	u32 type = vhost_video_node_type(node, queue);

	if (on)
		return vhost_video_do(node, VIDIOC_STREAMON, ops->vidioc_streamon,
				      type);
	return vhost_video_do(node, VIDIOC_STREAMOFF, ops->vidioc_streamoff, type);
}

/* Has the codec stop behind its last input, or go on. */
int vhost_video_stop(struct vhost_video_node *node, bool stop)
{
	const struct v4l2_ioctl_ops *ops = node->vdev->ioctl_ops;
	struct v4l2_encoder_cmd enc = {
		.cmd = stop ? V4L2_ENC_CMD_STOP : V4L2_ENC_CMD_START,
	};
	struct v4l2_decoder_cmd dec = {
		.cmd = stop ? V4L2_DEC_CMD_STOP : V4L2_DEC_CMD_START,
	};

	int err;

	if (node->encoder)
		err = vhost_video_do(node, VIDIOC_ENCODER_CMD,
				     ops->vidioc_encoder_cmd, &enc);
	else
		err = vhost_video_do(node, VIDIOC_DECODER_CMD,
				     ops->vidioc_decoder_cmd, &dec);
	/* Not every driver does so; there would be no more buffers. */
	if (!err && !stop)
		vb2_clear_last_buffer_dequeued(v4l2_m2m_get_dst_vq(node->fh->m2m_ctx));
	return err;
}
