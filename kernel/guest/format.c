// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formats: the protocol's on V4L2's, and the params of queues. The device has the
 * last word on them; what it made of a wish is read back.
 */
#include <linux/string.h>
#include <media/v4l2-common.h>

#include "virtio_video_drv.h"

/* Bytes of a buffer. */
u32 virtio_video_layout_size(const struct virtio_video_layout *layout)
{
	u32 i, size = 0;

	for (i = 0; i < layout->num_planes; i++)
		size += layout->planes[i].size;
	return size;
}

/**
 * virtio_video_params_read - see what the device has made of both queues
 * @stream: the stream, its lock held
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_params_read(struct virtio_video_stream *stream)
{
	struct virtio_video_layout layout;
	unsigned int dir;
	int err;

	for (dir = 0; dir < VIRTIO_VIDEO_DIRS; dir++) {
		struct virtio_video_queue *queue = &stream->queues[dir];

		err = virtio_video_get_params(stream, dir, &layout);
		if (err)
			return err;
		spin_lock_irq(&stream->slock);
		queue->layout = layout;
		spin_unlock_irq(&stream->slock);
	}
	return 0;
}

/* Whether a format goes with what the other queue has. */
static bool virtio_video_goes(const struct virtio_video_stream *stream,
			      enum virtio_video_dir dir, u32 i)
{
	const struct virtio_video_device *vv = stream->vv;
	const struct virtio_video_fmt *fmt = &vv->caps[dir].fmts[i];
	const struct virtio_video_caps *coded = &vv->caps[!dir];
	u32 j;

	if (!fmt->known)
		return false;
	if (dir == virtio_video_coded(vv))
		return true;
	for (j = 0; j < coded->num; j++)
		if (coded->fmts[j].known &&
		    coded->fmts[j].known->format == stream->coded_format)
			return !coded->fmts[j].mask ||
			       coded->fmts[j].mask & BIT_ULL(i);
	return false;
}

static int virtio_video_enum_fmt(struct virtio_video_stream *stream,
				 enum virtio_video_dir dir,
				 struct v4l2_fmtdesc *f)
{
	const struct virtio_video_caps *caps = &stream->vv->caps[dir];
	u32 i, index = 0;

	for (i = 0; i < caps->num; i++) {
		if (!virtio_video_goes(stream, dir, i) || index++ != f->index)
			continue;
		f->pixelformat = caps->fmts[i].known->fourcc;
		if (dir == VIRTIO_VIDEO_IN && !stream->vv->encoder)
			f->flags |= V4L2_FMT_FLAG_DYN_RESOLUTION;
		return 0;
	}
	return -EINVAL;
}

int virtio_video_enum_fmt_cap(struct file *file, void *priv,
			      struct v4l2_fmtdesc *f)
{
	return virtio_video_enum_fmt(to_stream(file), VIRTIO_VIDEO_OUT, f);
}

int virtio_video_enum_fmt_out(struct file *file, void *priv,
			      struct v4l2_fmtdesc *f)
{
	return virtio_video_enum_fmt(to_stream(file), VIRTIO_VIDEO_IN, f);
}

static void virtio_video_colors(const struct virtio_video_stream *stream,
				struct v4l2_pix_format_mplane *pix)
{
	pix->colorspace = stream->colorspace;
	pix->ycbcr_enc = stream->ycbcr_enc;
	pix->quantization = stream->quantization;
	pix->xfer_func = stream->xfer_func;
}

static void virtio_video_pix(struct virtio_video_stream *stream,
			     const struct virtio_video_queue *queue,
			     struct v4l2_pix_format_mplane *pix)
{
	const struct virtio_video_layout *layout = &queue->layout;
	const struct virtio_video_known *known =
		virtio_video_know(layout->format, 0);

	memset(pix, 0, sizeof(*pix));
	/* A device that has not decided yet. */
	if (!known)
		known = virtio_video_caps_find(stream->vv, queue->dir, 0)->known;
	pix->pixelformat = known->fourcc;
	pix->width = layout->width;
	pix->height = layout->height;
	pix->field = V4L2_FIELD_NONE;
	pix->num_planes = 1;
	pix->plane_fmt[0].sizeimage = virtio_video_layout_size(layout);
	if (!virtio_video_is_coded(known->format))
		pix->plane_fmt[0].bytesperline = layout->planes[0].stride;
	virtio_video_colors(stream, pix);
}

int virtio_video_g_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct virtio_video_stream *stream = to_stream(file);

	mutex_lock(&stream->lock);
	virtio_video_pix(stream, virtio_video_queue_of(stream, f->type),
			 &f->fmt.pix_mp);
	mutex_unlock(&stream->lock);
	return 0;
}

static u32 virtio_video_fit(const struct virtio_video_range *range, u32 value)
{
	value = clamp(value, range->min, range->max);
	return min(range->min + roundup(value - range->min, range->step),
		   range->max);
}

/* The size nearest to what is wanted. */
static void virtio_video_size_fit(const struct virtio_video_fmt *fmt, u32 *width,
				  u32 *height)
{
	u32 i, w = *width, h = *height;
	u64 best = U64_MAX;

	for (i = 0; i < fmt->num_sizes; i++) {
		u32 to_w = virtio_video_fit(&fmt->sizes[i].width, w);
		u32 to_h = virtio_video_fit(&fmt->sizes[i].height, h);
		u64 off = (u64)abs_diff(to_w, w) + abs_diff(to_h, h);

		if (off >= best)
			continue;
		best = off;
		*width = to_w;
		*height = to_h;
	}
}

static const struct virtio_video_fmt *
virtio_video_try(struct virtio_video_stream *stream,
		 struct virtio_video_queue *queue,
		 struct v4l2_pix_format_mplane *pix)
{
	const struct virtio_video_device *vv = stream->vv;
	const struct virtio_video_layout *layout = &queue->layout;
	const struct virtio_video_fmt *fmt;
	struct v4l2_pix_format_mplane is = *pix;
	u32 size = pix->plane_fmt[0].sizeimage;

	fmt = virtio_video_caps_fourcc(vv, queue->dir, pix->pixelformat);
	if (!fmt)
		fmt = virtio_video_caps_find(vv, queue->dir, layout->format);
	if (!fmt)
		fmt = virtio_video_caps_find(vv, queue->dir, 0);
	/* What comes out is as large as what goes in. */
	if (queue->dir == VIRTIO_VIDEO_OUT) {
		is.width = layout->width;
		is.height = layout->height;
	} else {
		virtio_video_size_fit(fmt, &is.width, &is.height);
	}
	virtio_video_pix(stream, queue, pix);
	if (queue->dir == VIRTIO_VIDEO_IN && is.colorspace) {
		pix->colorspace = is.colorspace;
		pix->ycbcr_enc = is.ycbcr_enc;
		pix->quantization = is.quantization;
		pix->xfer_func = is.xfer_func;
	}
	if (virtio_video_is_coded(fmt->known->format)) {
		pix->pixelformat = fmt->known->fourcc;
		pix->width = is.width;
		pix->height = is.height;
		pix->plane_fmt[0].sizeimage =
			clamp_t(u32, size ?: pix->plane_fmt[0].sizeimage,
				SZ_4K, VIRTIO_VIDEO_PLANE_MAX);
	} else if (layout->format != fmt->known->format ||
		   layout->width != is.width || layout->height != is.height) {
		v4l2_fill_pixfmt_mp(pix, fmt->known->fourcc, is.width, is.height);
	}
	return fmt;
}

int virtio_video_try_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct virtio_video_stream *stream = to_stream(file);

	mutex_lock(&stream->lock);
	virtio_video_try(stream, virtio_video_queue_of(stream, f->type),
			 &f->fmt.pix_mp);
	mutex_unlock(&stream->lock);
	return 0;
}

/* Colour planes behind each other. */
static void virtio_video_planes(struct virtio_video_layout *layout,
				const struct v4l2_pix_format_mplane *pix)
{
	const struct v4l2_format_info *info = v4l2_format_info(pix->pixelformat);
	u32 stride = pix->plane_fmt[0].bytesperline;
	u32 i;

	memset(layout->planes, 0, sizeof(layout->planes));
	if (!stride || !info) {
		layout->num_planes = 1;
		layout->planes[0].size = pix->plane_fmt[0].sizeimage;
		return;
	}
	layout->num_planes = info->comp_planes;
	for (i = 0; i < info->comp_planes; i++) {
		u32 line = stride, lines = pix->height;

		if (i) {
			line = line / info->hdiv * info->bpp[i] / info->bpp[0];
			lines = DIV_ROUND_UP(lines, info->vdiv);
		}
		layout->planes[i].stride = line;
		layout->planes[i].size = line * lines;
	}
}

static int virtio_video_set(struct virtio_video_stream *stream,
			    struct virtio_video_queue *queue,
			    struct v4l2_pix_format_mplane *pix)
{
	const struct virtio_video_fmt *fmt;
	struct virtio_video_layout layout;
	int err;

	if (vb2_is_busy(&queue->vb))
		return -EBUSY;
	fmt = virtio_video_try(stream, queue, pix);
	err = virtio_video_is_coded(fmt->known->format) ?
	      virtio_video_stream_recode(stream, fmt->known->format) :
	      virtio_video_stream_need(stream);
	if (err)
		return err;
	layout = queue->layout;
	layout.format = fmt->known->format;
	layout.width = pix->width;
	layout.height = pix->height;
	layout.crop = (struct v4l2_rect) { 0, 0, pix->width, pix->height };
	virtio_video_planes(&layout, pix);
	err = virtio_video_set_params(stream, queue->dir, &layout);
	if (err)
		return err;
	if (queue->dir == VIRTIO_VIDEO_IN) {
		stream->colorspace = pix->colorspace;
		stream->ycbcr_enc = pix->ycbcr_enc;
		stream->quantization = pix->quantization;
		stream->xfer_func = pix->xfer_func;
	}
	err = virtio_video_params_read(stream);
	virtio_video_pix(stream, queue, pix);
	return err;
}

int virtio_video_s_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct virtio_video_stream *stream = to_stream(file);
	int err;

	mutex_lock(&stream->lock);
	err = virtio_video_set(stream, virtio_video_queue_of(stream, f->type),
			       &f->fmt.pix_mp);
	mutex_unlock(&stream->lock);
	return err;
}
