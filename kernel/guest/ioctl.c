// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of ioctls, and those that have no better place.
 */
#include <linux/string.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>

#include "virtio_video_drv.h"

static int virtio_video_querycap(struct file *file, void *priv,
				 struct v4l2_capability *cap)
{
	const struct virtio_video_device *vv = video_drvdata(file);

	strscpy(cap->driver, VIRTIO_VIDEO_NAME, sizeof(cap->driver));
	strscpy(cap->card, vv->name, sizeof(cap->card));
	strscpy(cap->bus_info, vv->bus_info, sizeof(cap->bus_info));
	return 0;
}

static int virtio_video_subscribe(struct v4l2_fh *fh,
				  const struct v4l2_event_subscription *sub)
{
	const struct virtio_video_device *vv = video_get_drvdata(fh->vdev);

	switch (sub->type) {
	case V4L2_EVENT_EOS:
		return v4l2_event_subscribe(fh, sub, 4, NULL);
	case V4L2_EVENT_SOURCE_CHANGE:
		return vv->encoder ? -EINVAL :
				     v4l2_src_change_event_subscribe(fh, sub);
	default:
		return v4l2_ctrl_subscribe_event(fh, sub);
	}
}

static int virtio_video_try_encoder_cmd(struct file *file, void *priv,
					struct v4l2_encoder_cmd *cmd)
{
	cmd->flags = 0;
	return cmd->cmd == V4L2_ENC_CMD_START || cmd->cmd == V4L2_ENC_CMD_STOP ?
	       0 : -EINVAL;
}

static int virtio_video_try_decoder_cmd(struct file *file, void *priv,
					struct v4l2_decoder_cmd *cmd)
{
	cmd->flags = 0;
	if (cmd->cmd == V4L2_DEC_CMD_START) {
		cmd->start.speed = 0;
		cmd->start.format = V4L2_DEC_START_FMT_NONE;
		return 0;
	}
	cmd->stop.pts = 0;
	return cmd->cmd == V4L2_DEC_CMD_STOP ? 0 : -EINVAL;
}

static int virtio_video_cmd(struct file *file, bool start)
{
	struct virtio_video_stream *stream = to_stream(file);
	int err;

	mutex_lock(&stream->lock);
	err = start ? virtio_video_start(stream) : virtio_video_stop(stream);
	mutex_unlock(&stream->lock);
	return err;
}

static int virtio_video_encoder_cmd(struct file *file, void *priv,
				    struct v4l2_encoder_cmd *cmd)
{
	return virtio_video_try_encoder_cmd(file, priv, cmd) ?:
	       virtio_video_cmd(file, cmd->cmd == V4L2_ENC_CMD_START);
}

static int virtio_video_decoder_cmd(struct file *file, void *priv,
				    struct v4l2_decoder_cmd *cmd)
{
	return virtio_video_try_decoder_cmd(file, priv, cmd) ?:
	       virtio_video_cmd(file, cmd->cmd == V4L2_DEC_CMD_START);
}

/* Decoders and encoders have some of their own disabled. */
const struct v4l2_ioctl_ops virtio_video_ioctl_ops = {
	.vidioc_querycap = virtio_video_querycap,
	.vidioc_enum_fmt_vid_cap = virtio_video_enum_fmt_cap,
	.vidioc_enum_fmt_vid_out = virtio_video_enum_fmt_out,
	.vidioc_g_fmt_vid_cap_mplane = virtio_video_g_fmt,
	.vidioc_g_fmt_vid_out_mplane = virtio_video_g_fmt,
	.vidioc_try_fmt_vid_cap_mplane = virtio_video_try_fmt,
	.vidioc_try_fmt_vid_out_mplane = virtio_video_try_fmt,
	.vidioc_s_fmt_vid_cap_mplane = virtio_video_s_fmt,
	.vidioc_s_fmt_vid_out_mplane = virtio_video_s_fmt,
	.vidioc_enum_framesizes = virtio_video_enum_framesizes,
	.vidioc_enum_frameintervals = virtio_video_enum_frameintervals,
	.vidioc_g_selection = virtio_video_g_selection,
	.vidioc_s_selection = virtio_video_s_selection,
	.vidioc_g_parm = virtio_video_g_parm,
	.vidioc_s_parm = virtio_video_s_parm,
	.vidioc_reqbufs = virtio_video_reqbufs,
	.vidioc_querybuf = virtio_video_querybuf,
	.vidioc_create_bufs = virtio_video_create_bufs,
	.vidioc_prepare_buf = virtio_video_prepare_buf,
	.vidioc_remove_bufs = virtio_video_remove_bufs,
	.vidioc_qbuf = virtio_video_qbuf,
	.vidioc_dqbuf = virtio_video_dqbuf,
	.vidioc_expbuf = virtio_video_expbuf,
	.vidioc_streamon = virtio_video_streamon,
	.vidioc_streamoff = virtio_video_streamoff,
	.vidioc_encoder_cmd = virtio_video_encoder_cmd,
	.vidioc_try_encoder_cmd = virtio_video_try_encoder_cmd,
	.vidioc_decoder_cmd = virtio_video_decoder_cmd,
	.vidioc_try_decoder_cmd = virtio_video_try_decoder_cmd,
	.vidioc_subscribe_event = virtio_video_subscribe,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};
