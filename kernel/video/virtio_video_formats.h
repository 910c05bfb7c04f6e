/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats that both the protocol and V4L2 have a name for, and how the colour
 * planes of a frame lie behind each other: for the device and for the driver in
 * guests, which have to mean the same.
 */
#ifndef _VHOST_VIDEO_VIRTIO_VIDEO_FORMATS_H
#define _VHOST_VIDEO_VIRTIO_VIDEO_FORMATS_H

#include <linux/array_size.h>
#include <linux/stddef.h>
#include <linux/videodev2.h>

#include "virtio_video.h"

/**
 * struct virtio_video_known - a format
 * @format: enum virtio_video_format
 * @fourcc: V4L2_PIX_FMT_*
 * @planes: colour planes; 0: coded
 * @chroma: what divides the size of the first plane to that of the others
 */
struct virtio_video_known {
	u32 format;
	u32 fourcc;
	u32 planes;
	u32 chroma;
};

/**
 * virtio_video_know - find a format by either of its names
 * @format: enum virtio_video_format, or 0
 * @fourcc: V4L2_PIX_FMT_*, or 0
 *
 * Context: Any.
 * Return: the format, or NULL.
 */
static inline const struct virtio_video_known *virtio_video_know(u32 format,
								 u32 fourcc)
{
	static const struct virtio_video_known known[] = {
		{ VIRTIO_VIDEO_FORMAT_ARGB8888, V4L2_PIX_FMT_ARGB32, 1, 1 },
		{ VIRTIO_VIDEO_FORMAT_BGRA8888, V4L2_PIX_FMT_ABGR32, 1, 1 },
		{ VIRTIO_VIDEO_FORMAT_NV12, V4L2_PIX_FMT_NV12, 2, 2 },
		{ VIRTIO_VIDEO_FORMAT_YUV420, V4L2_PIX_FMT_YUV420, 3, 4 },
		{ VIRTIO_VIDEO_FORMAT_YVU420, V4L2_PIX_FMT_YVU420, 3, 4 },
		{ VIRTIO_VIDEO_FORMAT_MPEG2, V4L2_PIX_FMT_MPEG2 },
		{ VIRTIO_VIDEO_FORMAT_MPEG4, V4L2_PIX_FMT_MPEG4 },
		{ VIRTIO_VIDEO_FORMAT_H264, V4L2_PIX_FMT_H264 },
		{ VIRTIO_VIDEO_FORMAT_HEVC, V4L2_PIX_FMT_HEVC },
		{ VIRTIO_VIDEO_FORMAT_VP8, V4L2_PIX_FMT_VP8 },
		{ VIRTIO_VIDEO_FORMAT_VP9, V4L2_PIX_FMT_VP9 },
		{ VIRTIO_VIDEO_FORMAT_FWHT, V4L2_PIX_FMT_FWHT },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if ((format && known[i].format == format) ||
		    (fourcc && known[i].fourcc == fourcc))
			return &known[i];
	return NULL;
}

#endif /* _VHOST_VIDEO_VIRTIO_VIDEO_FORMATS_H */
