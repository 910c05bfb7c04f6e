// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device can do, asked once. A format that V4L2 has no name for keeps
 * its place in the list, for the masks count places.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/virtio_config.h>

#include "virtio_video_drv.h"

/* What is left of an answer. */
struct virtio_video_reader {
	const void *at;
	size_t left;
};

static const void *virtio_video_read(struct virtio_video_reader *from,
				     size_t len)
{
	const void *at = from->at;

	if (len > from->left)
		return NULL;
	from->at += len;
	from->left -= len;
	return at;
}

static struct virtio_video_range
virtio_video_range(const struct virtio_video_format_range *from, u32 max)
{
	struct virtio_video_range range = {
		.min = clamp_t(u32, le32_to_cpu(from->min), 1, max),
		.max = clamp_t(u32, le32_to_cpu(from->max), 1, max),
		.step = max_t(u32, le32_to_cpu(from->step), 1),
	};

	if (range.max < range.min)
		range.max = range.min;
	return range;
}

static int virtio_video_rates_parse(struct virtio_video_reader *from, u32 num,
				    struct virtio_video_range *rate)
{
	const struct virtio_video_format_range *range;
	u32 i;

	*rate = (struct virtio_video_range) { 1, 60, 1 };
	for (i = 0; i < num; i++) {
		struct virtio_video_range one;

		range = virtio_video_read(from, sizeof(*range));
		if (!range)
			return -EIO;
		one = virtio_video_range(range, 1000);
		if (!i)
			*rate = one;
		rate->min = min(rate->min, one.min);
		rate->max = max(rate->max, one.max);
	}
	return 0;
}

static int virtio_video_sizes_parse(struct virtio_video_reader *from,
				    struct virtio_video_fmt *fmt, u32 num)
{
	static const struct virtio_video_size any = {
		.width = { 1, VIRTIO_VIDEO_SIZE_MAX, 1 },
		.height = { 1, VIRTIO_VIDEO_SIZE_MAX, 1 },
		.rate = { 1, 60, 1 },
	};
	u32 i;

	if (num > VIRTIO_VIDEO_FRAMES_MAX)
		return -EIO;
	fmt->num_sizes = max(num, 1U);
	fmt->sizes = kcalloc(fmt->num_sizes, sizeof(*fmt->sizes), GFP_KERNEL);
	if (!fmt->sizes)
		return -ENOMEM;
	fmt->sizes[0] = any;
	for (i = 0; i < num; i++) {
		struct virtio_video_size *size = &fmt->sizes[i];
		const struct virtio_video_format_frame *frame;
		int err;

		frame = virtio_video_read(from, sizeof(*frame));
		if (!frame)
			return -EIO;
		size->width = virtio_video_range(&frame->width,
						 VIRTIO_VIDEO_SIZE_MAX);
		size->height = virtio_video_range(&frame->height,
						  VIRTIO_VIDEO_SIZE_MAX);
		err = virtio_video_rates_parse(from, le32_to_cpu(frame->num_rates),
					       &size->rate);
		if (err)
			return err;
	}
	return 0;
}

static int virtio_video_caps_parse(struct virtio_video_reader *from,
				   struct virtio_video_caps *caps, bool coded)
{
	const struct virtio_video_query_capability_resp *resp;
	bool found = false;
	u32 i, num;

	resp = virtio_video_read(from, sizeof(*resp));
	if (!resp)
		return -EIO;
	num = le32_to_cpu(resp->num_descs);
	if (num > VIRTIO_VIDEO_MAX_DESCS)
		return -EIO;
	for (i = 0; i < num; i++) {
		struct virtio_video_fmt *fmt = &caps->fmts[i];
		const struct virtio_video_format_desc *desc;
		u32 format;
		int err;

		desc = virtio_video_read(from, sizeof(*desc));
		if (!desc)
			return -EIO;
		caps->num++;
		format = le32_to_cpu(desc->format);
		fmt->mask = le64_to_cpu(desc->mask);
		err = virtio_video_sizes_parse(from, fmt,
					       le32_to_cpu(desc->num_frames));
		if (err)
			return err;
		/* Frames in several pieces have no name here. */
		if (virtio_video_is_coded(format) == coded &&
		    (coded || le32_to_cpu(desc->planes_layout) &
			      VIRTIO_VIDEO_PLANES_LAYOUT_SINGLE_BUFFER))
			fmt->known = virtio_video_know(format, 0);
		if (fmt->known)
			found = true;
	}
	return found ? 0 : -ENODEV;
}

static int virtio_video_caps_query(struct virtio_video_device *vv,
				   enum virtio_video_dir dir, u32 max)
{
	struct virtio_video_query_capability *req;
	struct virtio_video_reader from;
	struct virtio_video_cmd *cmd;
	int err;

	cmd = virtio_video_cmd_new(VIRTIO_VIDEO_CMD_QUERY_CAPABILITY,
				   sizeof(*req), max);
	if (!cmd)
		return -ENOMEM;
	req = cmd->req;
	req->queue_type = cpu_to_le32(dir == VIRTIO_VIDEO_IN ?
				      VIRTIO_VIDEO_QUEUE_TYPE_INPUT :
				      VIRTIO_VIDEO_QUEUE_TYPE_OUTPUT);
	err = virtio_video_cmd_call(vv, cmd,
				    VIRTIO_VIDEO_RESP_OK_QUERY_CAPABILITY, 0);
	from.at = cmd->resp;
	from.left = cmd->used;
	if (!err)
		err = virtio_video_caps_parse(&from, &vv->caps[dir],
					      dir == virtio_video_coded(vv));
	virtio_video_cmd_put(cmd);
	return err;
}

/**
 * virtio_video_caps_read - ask the device what it can do
 * @vv: the device
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_caps_read(struct virtio_video_device *vv)
{
	u32 max, resp;
	int err;

	virtio_cread_le(vv->vdev, struct virtio_video_config, max_caps_length,
			&max);
	virtio_cread_le(vv->vdev, struct virtio_video_config, max_resp_length,
			&resp);
	if (!max || !resp) {
		dev_err(&vv->vdev->dev, "the device has no room for answers\n");
		return -EINVAL;
	}
	vv->max_resp = clamp_t(u32, resp,
			       sizeof(struct virtio_video_query_control_resp),
			       VIRTIO_VIDEO_CAPS_MAX);
	max = min_t(u32, max, VIRTIO_VIDEO_CAPS_MAX);
	err = virtio_video_caps_query(vv, VIRTIO_VIDEO_IN, max);
	if (!err)
		err = virtio_video_caps_query(vv, VIRTIO_VIDEO_OUT, max);
	return err;
}

void virtio_video_caps_free(struct virtio_video_device *vv)
{
	unsigned int dir, i;

	for (dir = 0; dir < VIRTIO_VIDEO_DIRS; dir++)
		for (i = 0; i < vv->caps[dir].num; i++)
			kfree(vv->caps[dir].fmts[i].sizes);
}

/* NULL where the queue does not have it; 0 is the first that it has. */
const struct virtio_video_fmt *
virtio_video_caps_find(const struct virtio_video_device *vv,
		       enum virtio_video_dir dir, u32 format)
{
	const struct virtio_video_caps *caps = &vv->caps[dir];
	u32 i;

	for (i = 0; i < caps->num; i++)
		if (caps->fmts[i].known &&
		    (!format || caps->fmts[i].known->format == format))
			return &caps->fmts[i];
	return NULL;
}

const struct virtio_video_fmt *
virtio_video_caps_fourcc(const struct virtio_video_device *vv,
			 enum virtio_video_dir dir, u32 fourcc)
{
	const struct virtio_video_caps *caps = &vv->caps[dir];
	u32 i;

	for (i = 0; i < caps->num; i++)
		if (caps->fmts[i].known && caps->fmts[i].known->fourcc == fourcc)
			return &caps->fmts[i];
	return NULL;
}
