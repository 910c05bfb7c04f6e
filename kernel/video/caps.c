// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the codec can do: its formats, their sizes and rates. Read once, when the
 * device is made. What the protocol has no name for is left out.
 */
#include "vhost_video.h"

/* Sizes and rates of codecs that tell none. */
#define VHOST_VIDEO_SIZE_MIN	16
#define VHOST_VIDEO_SIZE_MAX	16384
#define VHOST_VIDEO_RATE_MIN	1
#define VHOST_VIDEO_RATE_MAX	240
/* Formats and sizes that a codec is asked for at most. */
#define VHOST_VIDEO_ENUM_MAX	128

static const struct vhost_video_range vhost_video_any_size = {
	VHOST_VIDEO_SIZE_MIN, VHOST_VIDEO_SIZE_MAX, 1
};

static const struct vhost_video_range vhost_video_any_rate = {
	VHOST_VIDEO_RATE_MIN, VHOST_VIDEO_RATE_MAX, 1
};

/* Frames a second, at least one, of an interval. */
static u32 vhost_video_rate(const struct v4l2_fract *interval)
{
	if (!interval->numerator)
		return VHOST_VIDEO_RATE_MAX;
	return clamp(interval->denominator / interval->numerator, 1U, 1000U);
}

/* From the fastest to the slowest. */
static void vhost_video_rates_read(struct vhost_video_node *node, u32 fourcc,
				   struct vhost_video_frame *frame)
{
	struct v4l2_frmivalenum rate = {
		.pixel_format = fourcc,
		.width = frame->width.max,
		.height = frame->height.max,
	};
	struct vhost_video_range *range = &frame->rate;
	bool found = false;

	*range = vhost_video_any_rate;
	for (; rate.index < VHOST_VIDEO_ENUM_MAX; rate.index++) {
		u32 low, high;

		if (vhost_video_enum_rate(node, &rate))
			break;
		if (rate.type == V4L2_FRMIVAL_TYPE_DISCRETE) {
			low = vhost_video_rate(&rate.discrete);
			high = low;
		} else {
			low = vhost_video_rate(&rate.stepwise.max);
			high = vhost_video_rate(&rate.stepwise.min);
		}
		range->min = found ? min(range->min, low) : low;
		range->max = found ? max(range->max, high) : high;
		found = true;
		if (rate.type != V4L2_FRMIVAL_TYPE_DISCRETE)
			break;
	}
}

static void vhost_video_size_read(const struct v4l2_frmsizeenum *size,
				  struct vhost_video_frame *frame)
{
	const struct v4l2_frmsize_stepwise *step = &size->stepwise;

	if (size->type == V4L2_FRMSIZE_TYPE_DISCRETE) {
		frame->width = (struct vhost_video_range) {
			size->discrete.width, size->discrete.width, 1
		};
		frame->height = (struct vhost_video_range) {
			size->discrete.height, size->discrete.height, 1
		};
		return;
	}
	frame->width = (struct vhost_video_range) {
		step->min_width, step->max_width, step->step_width ?: 1
	};
	frame->height = (struct vhost_video_range) {
		step->min_height, step->max_height, step->step_height ?: 1
	};
}

/* Every format has a size: drivers look at the first one without asking. */
static void vhost_video_frames_read(struct vhost_video_node *node, u32 fourcc,
				    struct vhost_video_format *format)
{
	struct v4l2_frmsizeenum size = { .pixel_format = fourcc };

	for (; format->num_frames < VHOST_VIDEO_FRAMES_MAX; size.index++) {
		struct vhost_video_frame *frame;

		if (vhost_video_enum_size(node, &size))
			break;
		frame = &format->frames[format->num_frames++];
		vhost_video_size_read(&size, frame);
		vhost_video_rates_read(node, fourcc, frame);
		if (size.type != V4L2_FRMSIZE_TYPE_DISCRETE)
			break;
	}
	if (!format->num_frames) {
		format->num_frames = 1;
		format->frames[0].width = vhost_video_any_size;
		format->frames[0].height = vhost_video_any_size;
		format->frames[0].rate = vhost_video_any_rate;
	}
}

static void vhost_video_formats_read(struct vhost_video_node *node,
				     enum vhost_video_queue queue,
				     struct vhost_video_caps *caps)
{
	bool coded = queue == vhost_video_coded_queue(node);
	struct v4l2_fmtdesc desc = { .index = 0 };
	u32 i;

	for (i = 0; i < VHOST_VIDEO_ENUM_MAX; i++) {
		struct vhost_video_format *format;
		u32 id;

		memset(&desc, 0, sizeof(desc));
		desc.index = i;
		desc.type = vhost_video_node_type(node, queue);
		if (vhost_video_enum_fmt(node, &desc))
			break;
		id = vhost_video_from_fourcc(desc.pixelformat);
		if (!id || vhost_video_coded(id) != coded ||
		    vhost_video_caps_has(caps, id))
			continue;
		if (caps->num == VHOST_VIDEO_FORMATS_MAX)
			break;
		format = &caps->formats[caps->num++];
		format->format = id;
		vhost_video_frames_read(node, desc.pixelformat, format);
	}
}

/* Codecs tell the sizes of what is coded; raw frames have the same. */
static void vhost_video_frames_share(struct vhost_video_caps *raw,
				     const struct vhost_video_caps *coded)
{
	u32 i;

	for (i = 0; i < raw->num; i++) {
		struct vhost_video_format *format = &raw->formats[i];

		if (format->frames[0].width.max != VHOST_VIDEO_SIZE_MAX)
			continue;
		format->num_frames = coded->formats[0].num_frames;
		memcpy(format->frames, coded->formats[0].frames,
		       sizeof(format->frames));
	}
}

/**
 * vhost_video_caps_has - whether a queue has a format
 * @caps: of the queue
 * @format: enum virtio_video_format
 *
 * Context: Any.
 * Return: true if it has.
 */
bool vhost_video_caps_has(const struct vhost_video_caps *caps, u32 format)
{
	u32 i;

	for (i = 0; i < caps->num; i++)
		if (caps->formats[i].format == format)
			return true;
	return false;
}

/**
 * vhost_video_caps_read - ask the codec what it can do
 * @vv: the device, with its node
 *
 * Context: create().
 * Return: 0, or -EOPNOTSUPP where a queue has no format that the protocol knows.
 */
int vhost_video_caps_read(struct vhost_video *vv)
{
	struct vhost_video_caps *in = &vv->caps[VHOST_VIDEO_INPUT];
	struct vhost_video_caps *out = &vv->caps[VHOST_VIDEO_OUTPUT];

	vhost_video_formats_read(&vv->node, VHOST_VIDEO_INPUT, in);
	vhost_video_formats_read(&vv->node, VHOST_VIDEO_OUTPUT, out);
	if (!in->num || !out->num)
		return -EOPNOTSUPP;
	if (vv->node.encoder)
		vhost_video_frames_share(in, out);
	else
		vhost_video_frames_share(out, in);
	return 0;
}
