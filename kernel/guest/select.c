// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes and rates that there are, the rate of an encoder, and what is to be seen
 * of a frame.
 */
#include "virtio_video_drv.h"

static const struct virtio_video_fmt *
virtio_video_any_fmt(const struct virtio_video_device *vv, u32 fourcc)
{
	return virtio_video_caps_fourcc(vv, VIRTIO_VIDEO_IN, fourcc) ?:
	       virtio_video_caps_fourcc(vv, VIRTIO_VIDEO_OUT, fourcc);
}

static bool virtio_video_one(const struct virtio_video_range *range)
{
	return range->min == range->max;
}

int virtio_video_enum_framesizes(struct file *file, void *priv,
				 struct v4l2_frmsizeenum *size)
{
	const struct virtio_video_fmt *fmt =
		virtio_video_any_fmt(video_drvdata(file), size->pixel_format);
	const struct virtio_video_size *is;

	if (!fmt || size->index >= fmt->num_sizes)
		return -EINVAL;
	is = &fmt->sizes[size->index];
	if (virtio_video_one(&is->width) && virtio_video_one(&is->height)) {
		size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
		size->discrete.width = is->width.max;
		size->discrete.height = is->height.max;
		return 0;
	}
	/* V4L2 knows of one range a format. */
	if (size->index)
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	size->stepwise.min_width = is->width.min;
	size->stepwise.max_width = is->width.max;
	size->stepwise.step_width = is->width.step;
	size->stepwise.min_height = is->height.min;
	size->stepwise.max_height = is->height.max;
	size->stepwise.step_height = is->height.step;
	return 0;
}

static bool virtio_video_in_range(const struct virtio_video_range *range,
				  u32 value)
{
	return value >= range->min && value <= range->max;
}

int virtio_video_enum_frameintervals(struct file *file, void *priv,
				     struct v4l2_frmivalenum *rate)
{
	const struct virtio_video_fmt *fmt =
		virtio_video_any_fmt(video_drvdata(file), rate->pixel_format);
	u32 i;

	if (!fmt || rate->index)
		return -EINVAL;
	for (i = 0; i < fmt->num_sizes; i++) {
		const struct virtio_video_size *is = &fmt->sizes[i];

		if (!virtio_video_in_range(&is->width, rate->width) ||
		    !virtio_video_in_range(&is->height, rate->height))
			continue;
		rate->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
		rate->stepwise.min = (struct v4l2_fract) { 1, is->rate.max };
		rate->stepwise.max = (struct v4l2_fract) { 1, is->rate.min };
		rate->stepwise.step = (struct v4l2_fract) { 1, 1 };
		return 0;
	}
	return -EINVAL;
}

/* Of an encoder's input. */
int virtio_video_g_parm(struct file *file, void *priv,
			struct v4l2_streamparm *parm)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct v4l2_outputparm *out = &parm->parm.output;

	if (parm->type != V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE)
		return -EINVAL;
	mutex_lock(&stream->lock);
	out->timeperframe.numerator = 1;
	out->timeperframe.denominator =
		stream->queues[VIRTIO_VIDEO_IN].layout.rate ?: 30;
	mutex_unlock(&stream->lock);
	out->capability = V4L2_CAP_TIMEPERFRAME;
	return 0;
}

static u32 virtio_video_rate(const struct virtio_video_stream *stream,
			     const struct v4l2_fract *interval)
{
	const struct virtio_video_fmt *fmt =
		virtio_video_caps_find(stream->vv, VIRTIO_VIDEO_OUT,
				       stream->coded_format);
	const struct virtio_video_range any = { 1, 1000, 1 };
	const struct virtio_video_range *range = fmt ? &fmt->sizes[0].rate : &any;

	if (!interval->numerator || !interval->denominator)
		return clamp(30U, range->min, range->max);
	return clamp(interval->denominator / interval->numerator, range->min,
		     range->max);
}

static int virtio_video_wish(struct virtio_video_stream *stream,
			     const struct virtio_video_layout *layout)
{
	return virtio_video_stream_need(stream) ?:
	       virtio_video_set_params(stream, VIRTIO_VIDEO_IN, layout) ?:
	       virtio_video_params_read(stream);
}

int virtio_video_s_parm(struct file *file, void *priv,
			struct v4l2_streamparm *parm)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_layout layout;
	int err;

	if (parm->type != V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE)
		return -EINVAL;
	mutex_lock(&stream->lock);
	layout = stream->queues[VIRTIO_VIDEO_IN].layout;
	layout.rate = virtio_video_rate(stream, &parm->parm.output.timeperframe);
	err = virtio_video_wish(stream, &layout);
	mutex_unlock(&stream->lock);
	return err ?: virtio_video_g_parm(file, priv, parm);
}

/* An encoder sees a part of what it is given, a decoder fills a part. */
static bool virtio_video_selects(const struct virtio_video_stream *stream,
				 const struct v4l2_selection *sel)
{
	if (stream->vv->encoder)
		return sel->type == V4L2_BUF_TYPE_VIDEO_OUTPUT;
	return sel->type == V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

int virtio_video_g_selection(struct file *file, void *priv,
			     struct v4l2_selection *sel)
{
	struct virtio_video_stream *stream = to_stream(file);
	const struct virtio_video_layout *layout;
	int err = 0;

	if (!virtio_video_selects(stream, sel))
		return -EINVAL;
	mutex_lock(&stream->lock);
	layout = &virtio_video_queue_of(stream, sel->type)->layout;
	switch (sel->target) {
	case V4L2_SEL_TGT_CROP:
	case V4L2_SEL_TGT_CROP_DEFAULT:
	case V4L2_SEL_TGT_CROP_BOUNDS:
		err = stream->vv->encoder ? 0 : -EINVAL;
		break;
	case V4L2_SEL_TGT_COMPOSE:
	case V4L2_SEL_TGT_COMPOSE_DEFAULT:
	case V4L2_SEL_TGT_COMPOSE_BOUNDS:
		err = stream->vv->encoder ? -EINVAL : 0;
		break;
	default:
		err = -EINVAL;
	}
	if (sel->target == V4L2_SEL_TGT_CROP ||
	    sel->target == V4L2_SEL_TGT_COMPOSE ||
	    sel->target == V4L2_SEL_TGT_COMPOSE_DEFAULT)
		sel->r = layout->crop;
	else
		sel->r = (struct v4l2_rect) { 0, 0, layout->width, layout->height };
	mutex_unlock(&stream->lock);
	return err;
}

int virtio_video_s_selection(struct file *file, void *priv,
			     struct v4l2_selection *sel)
{
	struct virtio_video_stream *stream = to_stream(file);
	struct virtio_video_queue *queue = &stream->queues[VIRTIO_VIDEO_IN];
	struct virtio_video_layout layout;
	int err = -EBUSY;

	if (!virtio_video_selects(stream, sel) ||
	    sel->target != V4L2_SEL_TGT_CROP)
		return -EINVAL;
	mutex_lock(&stream->lock);
	if (vb2_is_busy(&queue->vb))
		goto unlock;
	layout = queue->layout;
	if (!layout.width || !layout.height)
		goto unlock;
	layout.crop.left = clamp_t(s32, sel->r.left, 0, layout.width - 1);
	layout.crop.top = clamp_t(s32, sel->r.top, 0, layout.height - 1);
	layout.crop.width = clamp_t(u32, sel->r.width, 1,
				    layout.width - layout.crop.left);
	layout.crop.height = clamp_t(u32, sel->r.height, 1,
				     layout.height - layout.crop.top);
	err = virtio_video_wish(stream, &layout);
	sel->r = queue->layout.crop;
unlock:
	mutex_unlock(&stream->lock);
	return err;
}
