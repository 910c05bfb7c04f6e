// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formats: the protocol's and V4L2's, and the params of a queue. A frame is one
 * piece of memory with its colour planes behind each other; formats that want
 * more pieces have no place in the table (virtio_video_formats.h).
 */
#include <linux/string.h>

#include "vhost_video.h"
#include "virtio_video_formats.h"

/* What a coded buffer has to hold where the driver does not say. */
#define VHOST_VIDEO_CODED_SIZE	SZ_1M

/* 0 where there is none. */
u32 vhost_video_fourcc(u32 format)
{
	const struct virtio_video_known *known = virtio_video_know(format, 0);

	return known ? known->fourcc : 0;
}

/* 0 where there is none. */
u32 vhost_video_from_fourcc(u32 fourcc)
{
	const struct virtio_video_known *known = virtio_video_know(0, fourcc);

	return known ? known->format : 0;
}

/* Strides of V4L2 are the first plane's. */
static void vhost_video_planes(struct vhost_video_params *params, u32 stride,
			       u32 size)
{
	const struct virtio_video_known *known;
	u32 i, left = size;

	known = virtio_video_know(params->format, 0);
	if (!known || !known->planes) {
		params->num_planes = 1;
		params->planes[0].size = size;
		return;
	}
	params->num_planes = known->planes;
	for (i = 0; i < known->planes; i++) {
		struct vhost_video_plane *plane = &params->planes[i];
		u64 bytes = (u64)stride * params->height;

		/* Two colours a sample pair, or each in a plane of its own. */
		plane->stride = i && known->planes == 3 ? stride / 2 : stride;
		if (i)
			bytes /= known->chroma;
		/* The last one has what is left, padding included. */
		plane->size = i == known->planes - 1 ? left :
			      min_t(u64, bytes, left);
		left -= plane->size;
	}
}

static void vhost_video_crop_read(struct vhost_video_node *node,
				  enum vhost_video_queue queue,
				  struct vhost_video_params *params)
{
	bool in = queue == VHOST_VIDEO_INPUT;
	/* Selections have no multi-planar types. */
	struct v4l2_selection sel = {
		.type = in ? V4L2_BUF_TYPE_VIDEO_OUTPUT :
			     V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.target = in ? V4L2_SEL_TGT_CROP : V4L2_SEL_TGT_COMPOSE,
	};

	params->crop = (struct vhost_video_rect) {
		.width = params->width,
		.height = params->height,
	};
	if (vhost_video_coded(params->format) ||
	    vhost_video_g_selection(node, &sel) || sel.r.left < 0 ||
	    sel.r.top < 0)
		return;
	params->crop.left = sel.r.left;
	params->crop.top = sel.r.top;
	params->crop.width = sel.r.width;
	params->crop.height = sel.r.height;
}

/**
 * vhost_video_params_read - what the codec makes of a queue
 * @node: the codec
 * @queue: the queue
 * @params: set but for the buffers that it needs and the rate
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_video_params_read(struct vhost_video_node *node,
			    enum vhost_video_queue queue,
			    struct vhost_video_params *params)
{
	struct v4l2_format fmt = { .type = vhost_video_node_type(node, queue) };
	u32 fourcc, stride, size;
	int err;

	err = vhost_video_g_fmt(node, &fmt);
	if (err)
		return err;
	if (node->mplane) {
		if (fmt.fmt.pix_mp.num_planes != 1)
			return -EOPNOTSUPP;
		fourcc = fmt.fmt.pix_mp.pixelformat;
		params->width = fmt.fmt.pix_mp.width;
		params->height = fmt.fmt.pix_mp.height;
		stride = fmt.fmt.pix_mp.plane_fmt[0].bytesperline;
		size = fmt.fmt.pix_mp.plane_fmt[0].sizeimage;
	} else {
		fourcc = fmt.fmt.pix.pixelformat;
		params->width = fmt.fmt.pix.width;
		params->height = fmt.fmt.pix.height;
		stride = fmt.fmt.pix.bytesperline;
		size = fmt.fmt.pix.sizeimage;
	}
	params->format = vhost_video_from_fourcc(fourcc);
	if (!params->format)
		return -EOPNOTSUPP;
	vhost_video_planes(params, stride, size);
	vhost_video_crop_read(node, queue, params);
	return 0;
}

static void vhost_video_crop_write(struct vhost_video_node *node,
				   const struct vhost_video_params *params)
{
	const struct vhost_video_rect *crop = &params->crop;
	struct v4l2_selection sel = {
		.type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
		.target = V4L2_SEL_TGT_CROP,
		.r.left = crop->left,
		.r.top = crop->top,
		.r.width = crop->width,
		.r.height = crop->height,
	};

	if (!crop->width || !crop->height ||
	    (u64)crop->left + crop->width > params->width ||
	    (u64)crop->top + crop->height > params->height)
		return;
	/* A wish: the driver reads back what came of it. */
	vhost_video_s_selection(node, &sel);
}

static void vhost_video_rate_write(struct vhost_video_node *node, u32 rate)
{
	struct v4l2_streamparm parm = {
		.type = vhost_video_node_type(node, VHOST_VIDEO_INPUT),
		.parm.output.timeperframe = {
			.numerator = 1,
			.denominator = rate,
		},
	};

	vhost_video_s_parm(node, &parm);
}

/**
 * vhost_video_params_write - have the codec take the params of a queue
 * @node: the codec
 * @queue: the queue
 * @params: the driver's; what is 0 is the codec's to choose
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error; not where the codec made something else of it.
 */
int vhost_video_params_write(struct vhost_video_node *node,
			     enum vhost_video_queue queue,
			     const struct vhost_video_params *params)
{
	struct v4l2_format fmt = { .type = vhost_video_node_type(node, queue) };
	/* What a decoder puts out is as large as what it was given. */
	bool sized = node->encoder || queue == VHOST_VIDEO_INPUT;
	u32 width = sized ? params->width : 0;
	u32 height = sized ? params->height : 0;
	u32 fourcc = vhost_video_fourcc(params->format);
	u32 size = 0;
	int err;

	/* Where the driver has no wish for the format, the codec's stays. */
	if (vhost_video_coded(params->format))
		size = params->num_planes && params->planes[0].size ?
		       params->planes[0].size : VHOST_VIDEO_CODED_SIZE;
	err = vhost_video_g_fmt(node, &fmt);
	if (err)
		return err;
	if (node->mplane) {
		struct v4l2_pix_format_mplane *pix = &fmt.fmt.pix_mp;

		pix->pixelformat = fourcc ?: pix->pixelformat;
		pix->width = width ?: pix->width;
		pix->height = height ?: pix->height;
		pix->field = V4L2_FIELD_NONE;
		pix->num_planes = 1;
		pix->plane_fmt[0].bytesperline = 0;
		pix->plane_fmt[0].sizeimage = size;
	} else {
		struct v4l2_pix_format *pix = &fmt.fmt.pix;

		pix->pixelformat = fourcc ?: pix->pixelformat;
		pix->width = width ?: pix->width;
		pix->height = height ?: pix->height;
		pix->field = V4L2_FIELD_NONE;
		pix->bytesperline = 0;
		pix->sizeimage = size;
		pix->priv = V4L2_PIX_FMT_PRIV_MAGIC;
	}
	err = vhost_video_s_fmt(node, &fmt);
	if (err)
		return err;
	if (node->encoder && queue == VHOST_VIDEO_INPUT)
		vhost_video_crop_write(node, params);
	if (node->encoder && params->rate)
		vhost_video_rate_write(node, params->rate);
	return 0;
}
