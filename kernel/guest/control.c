// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controls: V4L2's on the protocol's. A stream has those that the device answers
 * for. The protocol numbers profiles and levels for all codecs at once, V4L2 from
 * 0 for each.
 */
#include <linux/kernel.h>

#include "virtio_video_drv.h"

struct virtio_video_menu {
	u32 format;
	u32 control;
	u32 cid;
	u32 first;
	u32 num;
	const u8 *menu;
};

static const u8 virtio_video_h264_profiles[] = {
	V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE,
	V4L2_MPEG_VIDEO_H264_PROFILE_MAIN,
	V4L2_MPEG_VIDEO_H264_PROFILE_EXTENDED,
	V4L2_MPEG_VIDEO_H264_PROFILE_HIGH,
	V4L2_MPEG_VIDEO_H264_PROFILE_HIGH_10,
	V4L2_MPEG_VIDEO_H264_PROFILE_HIGH_422,
	V4L2_MPEG_VIDEO_H264_PROFILE_HIGH_444_PREDICTIVE,
	V4L2_MPEG_VIDEO_H264_PROFILE_SCALABLE_BASELINE,
	V4L2_MPEG_VIDEO_H264_PROFILE_SCALABLE_HIGH,
	V4L2_MPEG_VIDEO_H264_PROFILE_STEREO_HIGH,
	V4L2_MPEG_VIDEO_H264_PROFILE_MULTIVIEW_HIGH,
};

static const u8 virtio_video_h264_levels[] = {
	V4L2_MPEG_VIDEO_H264_LEVEL_1_0, V4L2_MPEG_VIDEO_H264_LEVEL_1_1,
	V4L2_MPEG_VIDEO_H264_LEVEL_1_2, V4L2_MPEG_VIDEO_H264_LEVEL_1_3,
	V4L2_MPEG_VIDEO_H264_LEVEL_2_0, V4L2_MPEG_VIDEO_H264_LEVEL_2_1,
	V4L2_MPEG_VIDEO_H264_LEVEL_2_2, V4L2_MPEG_VIDEO_H264_LEVEL_3_0,
	V4L2_MPEG_VIDEO_H264_LEVEL_3_1, V4L2_MPEG_VIDEO_H264_LEVEL_3_2,
	V4L2_MPEG_VIDEO_H264_LEVEL_4_0, V4L2_MPEG_VIDEO_H264_LEVEL_4_1,
	V4L2_MPEG_VIDEO_H264_LEVEL_4_2, V4L2_MPEG_VIDEO_H264_LEVEL_5_0,
	V4L2_MPEG_VIDEO_H264_LEVEL_5_1,
};

static const u8 virtio_video_hevc_profiles[] = {
	V4L2_MPEG_VIDEO_HEVC_PROFILE_MAIN,
	V4L2_MPEG_VIDEO_HEVC_PROFILE_MAIN_10,
	V4L2_MPEG_VIDEO_HEVC_PROFILE_MAIN_STILL_PICTURE,
};

static const u8 virtio_video_vp8_profiles[] = {
	V4L2_MPEG_VIDEO_VP8_PROFILE_0, V4L2_MPEG_VIDEO_VP8_PROFILE_1,
	V4L2_MPEG_VIDEO_VP8_PROFILE_2, V4L2_MPEG_VIDEO_VP8_PROFILE_3,
};

static const u8 virtio_video_vp9_profiles[] = {
	V4L2_MPEG_VIDEO_VP9_PROFILE_0, V4L2_MPEG_VIDEO_VP9_PROFILE_1,
	V4L2_MPEG_VIDEO_VP9_PROFILE_2, V4L2_MPEG_VIDEO_VP9_PROFILE_3,
};

static const struct virtio_video_menu virtio_video_menus[] = {
	{
		VIRTIO_VIDEO_FORMAT_H264, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_H264_PROFILE, 0x100,
		ARRAY_SIZE(virtio_video_h264_profiles), virtio_video_h264_profiles,
	},
	{
		VIRTIO_VIDEO_FORMAT_H264, VIRTIO_VIDEO_CONTROL_LEVEL,
		V4L2_CID_MPEG_VIDEO_H264_LEVEL, 0x100,
		ARRAY_SIZE(virtio_video_h264_levels), virtio_video_h264_levels,
	},
	{
		VIRTIO_VIDEO_FORMAT_HEVC, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_HEVC_PROFILE, 0x200,
		ARRAY_SIZE(virtio_video_hevc_profiles), virtio_video_hevc_profiles,
	},
	{
		VIRTIO_VIDEO_FORMAT_VP8, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_VP8_PROFILE, 0x300,
		ARRAY_SIZE(virtio_video_vp8_profiles), virtio_video_vp8_profiles,
	},
	{
		VIRTIO_VIDEO_FORMAT_VP9, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_VP9_PROFILE, 0x400,
		ARRAY_SIZE(virtio_video_vp9_profiles), virtio_video_vp9_profiles,
	},
};

/* An encoder's, but for the button. */
static const struct {
	u32 control;
	u32 cid;
	u32 min;
	u32 max;
} virtio_video_numbers[] = {
	{ VIRTIO_VIDEO_CONTROL_BITRATE, V4L2_CID_MPEG_VIDEO_BITRATE, 1, S32_MAX },
	{ VIRTIO_VIDEO_CONTROL_BITRATE_PEAK, V4L2_CID_MPEG_VIDEO_BITRATE_PEAK, 1,
	  S32_MAX },
	/* 0 is VBR and 1 is CBR for both. */
	{ VIRTIO_VIDEO_CONTROL_BITRATE_MODE, V4L2_CID_MPEG_VIDEO_BITRATE_MODE, 0,
	  V4L2_MPEG_VIDEO_BITRATE_MODE_CBR },
	{ VIRTIO_VIDEO_CONTROL_PREPEND_SPSPPS_TO_IDR,
	  V4L2_CID_MPEG_VIDEO_PREPEND_SPSPPS_TO_IDR, 0, 1 },
	{ VIRTIO_VIDEO_CONTROL_GOP_SIZE, V4L2_CID_MPEG_VIDEO_GOP_SIZE, 0, 65535 },
};

static const struct virtio_video_menu *virtio_video_menu(u32 cid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(virtio_video_menus); i++)
		if (virtio_video_menus[i].cid == cid)
			return &virtio_video_menus[i];
	return NULL;
}

static struct virtio_video_values *
virtio_video_values(struct virtio_video_device *vv,
		    const struct virtio_video_menu *menu)
{
	u32 coded = menu->format - VIRTIO_VIDEO_FORMAT_CODED_MIN;

	return menu->control == VIRTIO_VIDEO_CONTROL_PROFILE ?
	       &vv->profiles[coded] : &vv->levels[coded];
}

/**
 * virtio_video_controls_query - ask what profiles and levels there are
 * @vv: the device
 *
 * Context: Process context, sleeps.
 * Return: 0, or -ETIMEDOUT where the device does not answer.
 */
int virtio_video_controls_query(struct virtio_video_device *vv)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(virtio_video_menus); i++) {
		const struct virtio_video_menu *menu = &virtio_video_menus[i];

		if (!virtio_video_caps_find(vv, virtio_video_coded(vv),
					    menu->format))
			continue;
		err = virtio_video_query_control(vv, menu->control, menu->format,
						 virtio_video_values(vv, menu));
		if (err == -ETIMEDOUT)
			return err;
	}
	return 0;
}

static int virtio_video_s_ctrl(struct v4l2_ctrl *ctrl)
{
	struct virtio_video_stream *stream =
		container_of(ctrl->handler, struct virtio_video_stream, handler);
	const struct virtio_video_menu *menu = virtio_video_menu(ctrl->id);
	unsigned int i;

	/* What it is then is set when there is a stream to set it for. */
	if (!READ_ONCE(stream->made))
		return 0;
	if (menu) {
		/* It is the device's when the stream is of that format. */
		if (menu->format != stream->coded_format)
			return 0;
		for (i = 0; i < menu->num; i++)
			if (menu->menu[i] == ctrl->val)
				return virtio_video_set_control(stream,
								menu->control,
								menu->first + i,
								false);
		return -EINVAL;
	}
	if (ctrl->id == V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME)
		return virtio_video_set_control(stream,
						VIRTIO_VIDEO_CONTROL_FORCE_KEYFRAME,
						0, true);
	for (i = 0; i < ARRAY_SIZE(virtio_video_numbers); i++)
		if (virtio_video_numbers[i].cid == ctrl->id)
			return virtio_video_set_control(stream,
							virtio_video_numbers[i].control,
							ctrl->val, false);
	return -EINVAL;
}

static const struct v4l2_ctrl_ops virtio_video_ctrl_ops = {
	.s_ctrl = virtio_video_s_ctrl,
};

/**
 * virtio_video_controls_read - see what a stream's controls are at first
 * @stream: the stream, made and nothing else
 *
 * Context: Process context, sleeps.
 */
void virtio_video_controls_read(struct virtio_video_stream *stream)
{
	struct virtio_video_device *vv = stream->vv;
	unsigned int i;

	if (!vv->encoder)
		return;
	for (i = VIRTIO_VIDEO_CONTROL_BITRATE; i < VIRTIO_VIDEO_CONTROLS; i++) {
		/* What can't be read is tried; the first frame is a key frame. */
		int err = i == VIRTIO_VIDEO_CONTROL_FORCE_KEYFRAME ?
			  virtio_video_set_control(stream, i, 0, true) :
			  virtio_video_get_control(stream, i, &vv->controls[i]);

		if (!err)
			vv->has_controls |= BIT(i);
	}
}

/* A decoder's are there to be looked at. */
static void virtio_video_menu_add(struct virtio_video_stream *stream,
				  const struct virtio_video_menu *menu)
{
	struct virtio_video_device *vv = stream->vv;
	const struct virtio_video_values *values = virtio_video_values(vv, menu);
	u32 i, value, max = 0, is = U32_MAX;
	struct v4l2_ctrl *ctrl;
	u64 has = 0;

	for (i = 0; i < values->num; i++) {
		value = values->values[i] - menu->first;
		if (value >= menu->num)
			continue;
		value = menu->menu[value];
		has |= BIT_ULL(value);
		max = max(max, value);
		is = min(is, value);
	}
	if (!has)
		return;
	value = vv->controls[menu->control] - menu->first;
	if (menu->format == stream->coded_format &&
	    vv->has_controls & BIT(menu->control) && value < menu->num &&
	    has & BIT_ULL(menu->menu[value]))
		is = menu->menu[value];
	ctrl = v4l2_ctrl_new_std_menu(&stream->handler, &virtio_video_ctrl_ops,
				      menu->cid, max, ~has, is);
	if (ctrl && !vv->encoder)
		ctrl->flags |= V4L2_CTRL_FLAG_READ_ONLY;
}

static void virtio_video_number_add(struct virtio_video_stream *stream,
				    unsigned int i)
{
	u32 control = virtio_video_numbers[i].control;
	u32 min = virtio_video_numbers[i].min;
	u32 max = virtio_video_numbers[i].max;
	u32 cid = virtio_video_numbers[i].cid;
	u32 value;

	if (!(stream->vv->has_controls & BIT(control)))
		return;
	value = clamp(stream->vv->controls[control], min, max);
	if (v4l2_ctrl_get_menu(cid))
		v4l2_ctrl_new_std_menu(&stream->handler, &virtio_video_ctrl_ops,
				       cid, max, 0, value);
	else
		v4l2_ctrl_new_std(&stream->handler, &virtio_video_ctrl_ops, cid,
				  min, max, 1, value);
}

static void virtio_video_min_add(struct virtio_video_stream *stream)
{
	bool encoder = stream->vv->encoder;

	v4l2_ctrl_new_std(&stream->handler, NULL, encoder ?
			  V4L2_CID_MIN_BUFFERS_FOR_OUTPUT :
			  V4L2_CID_MIN_BUFFERS_FOR_CAPTURE,
			  1, VB2_MAX_FRAME, 1, 1);
}

/* How many buffers the device wants may change with the size of frames. */
void virtio_video_controls_told(struct virtio_video_stream *stream)
{
	bool encoder = stream->vv->encoder;
	u32 min = stream->queues[virtio_video_raw(stream->vv)].layout.min_buffers;
	struct v4l2_ctrl *ctrl;

	ctrl = v4l2_ctrl_find(&stream->handler, encoder ?
			      V4L2_CID_MIN_BUFFERS_FOR_OUTPUT :
			      V4L2_CID_MIN_BUFFERS_FOR_CAPTURE);
	if (ctrl)
		v4l2_ctrl_s_ctrl(ctrl, clamp_t(u32, min, 1, VB2_MAX_FRAME));
}

/**
 * virtio_video_controls_init - give a stream its controls
 * @stream: the stream
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int virtio_video_controls_init(struct virtio_video_stream *stream)
{
	struct v4l2_ctrl_handler *handler = &stream->handler;
	unsigned int i;
	int err;

	v4l2_ctrl_handler_init(handler, 12);
	virtio_video_min_add(stream);
	for (i = 0; i < ARRAY_SIZE(virtio_video_menus); i++)
		virtio_video_menu_add(stream, &virtio_video_menus[i]);
	for (i = 0; i < ARRAY_SIZE(virtio_video_numbers); i++)
		virtio_video_number_add(stream, i);
	if (stream->vv->has_controls & BIT(VIRTIO_VIDEO_CONTROL_FORCE_KEYFRAME))
		v4l2_ctrl_new_std(handler, &virtio_video_ctrl_ops,
				  V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 0, 0);
	err = handler->error;
	if (err) {
		v4l2_ctrl_handler_free(handler);
		return err;
	}
	stream->fh.ctrl_handler = handler;
	virtio_video_controls_told(stream);
	return 0;
}
