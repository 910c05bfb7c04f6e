// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controls: the protocol's on V4L2's. Profiles and levels have tables, for the
 * protocol numbers them for all codecs at once.
 */
#include <media/v4l2-ctrls.h>

#include "vhost_video.h"

/* A value of the protocol and V4L2's, which counts from 0 for each codec. */
struct vhost_video_value {
	u32 value;
	s32 menu;
};

static const struct vhost_video_value vhost_video_h264_profiles[] = {
	{ 0x100, V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE },
	{ 0x101, V4L2_MPEG_VIDEO_H264_PROFILE_MAIN },
	{ 0x102, V4L2_MPEG_VIDEO_H264_PROFILE_EXTENDED },
	{ 0x103, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH },
	{ 0x104, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH_10 },
	{ 0x105, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH_422 },
	{ 0x106, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH_444_PREDICTIVE },
	{ 0x107, V4L2_MPEG_VIDEO_H264_PROFILE_SCALABLE_BASELINE },
	{ 0x108, V4L2_MPEG_VIDEO_H264_PROFILE_SCALABLE_HIGH },
	{ 0x109, V4L2_MPEG_VIDEO_H264_PROFILE_STEREO_HIGH },
	{ 0x10a, V4L2_MPEG_VIDEO_H264_PROFILE_MULTIVIEW_HIGH },
};

static const struct vhost_video_value vhost_video_h264_levels[] = {
	{ 0x100, V4L2_MPEG_VIDEO_H264_LEVEL_1_0 },
	{ 0x101, V4L2_MPEG_VIDEO_H264_LEVEL_1_1 },
	{ 0x102, V4L2_MPEG_VIDEO_H264_LEVEL_1_2 },
	{ 0x103, V4L2_MPEG_VIDEO_H264_LEVEL_1_3 },
	{ 0x104, V4L2_MPEG_VIDEO_H264_LEVEL_2_0 },
	{ 0x105, V4L2_MPEG_VIDEO_H264_LEVEL_2_1 },
	{ 0x106, V4L2_MPEG_VIDEO_H264_LEVEL_2_2 },
	{ 0x107, V4L2_MPEG_VIDEO_H264_LEVEL_3_0 },
	{ 0x108, V4L2_MPEG_VIDEO_H264_LEVEL_3_1 },
	{ 0x109, V4L2_MPEG_VIDEO_H264_LEVEL_3_2 },
	{ 0x10a, V4L2_MPEG_VIDEO_H264_LEVEL_4_0 },
	{ 0x10b, V4L2_MPEG_VIDEO_H264_LEVEL_4_1 },
	{ 0x10c, V4L2_MPEG_VIDEO_H264_LEVEL_4_2 },
	{ 0x10d, V4L2_MPEG_VIDEO_H264_LEVEL_5_0 },
	{ 0x10e, V4L2_MPEG_VIDEO_H264_LEVEL_5_1 },
};

static const struct vhost_video_value vhost_video_hevc_profiles[] = {
	{ 0x200, V4L2_MPEG_VIDEO_HEVC_PROFILE_MAIN },
	{ 0x201, V4L2_MPEG_VIDEO_HEVC_PROFILE_MAIN_10 },
	{ 0x202, V4L2_MPEG_VIDEO_HEVC_PROFILE_MAIN_STILL_PICTURE },
};

static const struct vhost_video_value vhost_video_vp8_profiles[] = {
	{ 0x300, V4L2_MPEG_VIDEO_VP8_PROFILE_0 },
	{ 0x301, V4L2_MPEG_VIDEO_VP8_PROFILE_1 },
	{ 0x302, V4L2_MPEG_VIDEO_VP8_PROFILE_2 },
	{ 0x303, V4L2_MPEG_VIDEO_VP8_PROFILE_3 },
};

static const struct vhost_video_value vhost_video_vp9_profiles[] = {
	{ 0x400, V4L2_MPEG_VIDEO_VP9_PROFILE_0 },
	{ 0x401, V4L2_MPEG_VIDEO_VP9_PROFILE_1 },
	{ 0x402, V4L2_MPEG_VIDEO_VP9_PROFILE_2 },
	{ 0x403, V4L2_MPEG_VIDEO_VP9_PROFILE_3 },
};

/**
 * struct vhost_video_menu - a control of a coded format whose values are named
 * @format: enum virtio_video_format
 * @control: enum virtio_video_control_type
 * @cid: V4L2's
 * @num: of @values
 * @values: what it can be
 */
struct vhost_video_menu {
	u32 format;
	u32 control;
	u32 cid;
	u32 num;
	const struct vhost_video_value *values;
};

static const struct vhost_video_menu vhost_video_menus[] = {
	{
		VIRTIO_VIDEO_FORMAT_H264, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_H264_PROFILE,
		ARRAY_SIZE(vhost_video_h264_profiles), vhost_video_h264_profiles,
	},
	{
		VIRTIO_VIDEO_FORMAT_H264, VIRTIO_VIDEO_CONTROL_LEVEL,
		V4L2_CID_MPEG_VIDEO_H264_LEVEL,
		ARRAY_SIZE(vhost_video_h264_levels), vhost_video_h264_levels,
	},
	{
		VIRTIO_VIDEO_FORMAT_HEVC, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_HEVC_PROFILE,
		ARRAY_SIZE(vhost_video_hevc_profiles), vhost_video_hevc_profiles,
	},
	{
		VIRTIO_VIDEO_FORMAT_VP8, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_VP8_PROFILE,
		ARRAY_SIZE(vhost_video_vp8_profiles), vhost_video_vp8_profiles,
	},
	{
		VIRTIO_VIDEO_FORMAT_VP9, VIRTIO_VIDEO_CONTROL_PROFILE,
		V4L2_CID_MPEG_VIDEO_VP9_PROFILE,
		ARRAY_SIZE(vhost_video_vp9_profiles), vhost_video_vp9_profiles,
	},
};

/* Controls that are numbers, or nearly so. */
static const struct {
	u32 control;
	u32 cid;
} vhost_video_numbers[] = {
	{ VIRTIO_VIDEO_CONTROL_BITRATE, V4L2_CID_MPEG_VIDEO_BITRATE },
	{ VIRTIO_VIDEO_CONTROL_FORCE_KEYFRAME,
	  V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME },
	/* 0 is VBR and 1 is CBR for both. */
	{ VIRTIO_VIDEO_CONTROL_BITRATE_MODE, V4L2_CID_MPEG_VIDEO_BITRATE_MODE },
	{ VIRTIO_VIDEO_CONTROL_BITRATE_PEAK, V4L2_CID_MPEG_VIDEO_BITRATE_PEAK },
	{ VIRTIO_VIDEO_CONTROL_PREPEND_SPSPPS_TO_IDR,
	  V4L2_CID_MPEG_VIDEO_PREPEND_SPSPPS_TO_IDR },
	{ VIRTIO_VIDEO_CONTROL_GOP_SIZE, V4L2_CID_MPEG_VIDEO_GOP_SIZE },
};

static const struct vhost_video_menu *vhost_video_menu(u32 format, u32 control)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vhost_video_menus); i++)
		if (vhost_video_menus[i].format == format &&
		    vhost_video_menus[i].control == control)
			return &vhost_video_menus[i];
	return NULL;
}

static u32 vhost_video_number(u32 control)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vhost_video_numbers); i++)
		if (vhost_video_numbers[i].control == control)
			return vhost_video_numbers[i].cid;
	return 0;
}

static struct v4l2_ctrl *vhost_video_ctrl(const struct vhost_video_node *node,
					  u32 cid)
{
	struct v4l2_ctrl_handler *handler = node->fh->ctrl_handler;

	if (!handler)
		handler = node->vdev->ctrl_handler;
	return handler && cid ? v4l2_ctrl_find(handler, cid) : NULL;
}

/**
 * vhost_video_min_buffers - output buffers that a codec needs
 * @node: the codec, open or not
 *
 * Context: Process context, sleeps.
 * Return: their number, 2 at least.
 */
u32 vhost_video_min_buffers(const struct vhost_video_node *node)
{
	struct v4l2_ctrl *ctrl;
	s32 min;

	if (!node->file)
		return VHOST_VIDEO_BUFFERS_MIN;
	ctrl = vhost_video_ctrl(node, V4L2_CID_MIN_BUFFERS_FOR_CAPTURE);
	if (!ctrl || !ctrl->is_int || vhost_video_lock(node))
		return VHOST_VIDEO_BUFFERS_MIN;
	min = v4l2_ctrl_g_ctrl(ctrl);
	vhost_video_unlock(node);
	return clamp(min, VHOST_VIDEO_BUFFERS_MIN, VHOST_VIDEO_BUFFERS_MAX - 1);
}

static bool vhost_video_menu_has(const struct v4l2_ctrl *ctrl, s32 value)
{
	return value >= ctrl->minimum && value <= ctrl->maximum &&
	       (value >= 64 || !(ctrl->menu_skip_mask & BIT_ULL(value)));
}

static void vhost_video_values_read(const struct vhost_video_node *node,
				    const struct vhost_video_menu *menu,
				    struct vhost_video_values *values)
{
	const struct v4l2_ctrl *ctrl = vhost_video_ctrl(node, menu->cid);
	u32 i;

	for (i = 0; ctrl && i < menu->num; i++)
		if (vhost_video_menu_has(ctrl, menu->values[i].menu))
			values->value[values->num++] = menu->values[i].value;
}

/**
 * vhost_video_controls_read - ask the codec for its profiles and levels
 * @vv: the device, with its node
 *
 * Context: create().
 */
void vhost_video_controls_read(struct vhost_video *vv)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vhost_video_menus); i++) {
		const struct vhost_video_menu *menu = &vhost_video_menus[i];
		u32 coded = menu->format - VIRTIO_VIDEO_FORMAT_CODED_MIN;

		vhost_video_values_read(&vv->node, menu,
					menu->control == VIRTIO_VIDEO_CONTROL_PROFILE ?
					&vv->profiles[coded] :
					&vv->levels[coded]);
	}
}

/**
 * vhost_video_control_get - the value of a control
 * @session: the session; its lock is held
 * @id: enum virtio_video_control_type
 * @value: set to it
 *
 * Context: Process context, sleeps.
 * Return: 0 or the error to be answered.
 */
u32 vhost_video_control_get(struct vhost_video_session *session, u32 id,
			    u32 *value)
{
	const struct vhost_video_menu *menu = vhost_video_menu(session->format, id);
	struct v4l2_ctrl *ctrl;
	s32 is;
	u32 i;

	ctrl = vhost_video_ctrl(&session->node,
				menu ? menu->cid : vhost_video_number(id));
	if (!ctrl || !ctrl->is_int || ctrl->type == V4L2_CTRL_TYPE_BUTTON ||
	    ctrl->flags & V4L2_CTRL_FLAG_WRITE_ONLY)
		return VIRTIO_VIDEO_RESP_ERR_UNSUPPORTED_CONTROL;
	if (vhost_video_lock(&session->node))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	is = v4l2_ctrl_g_ctrl(ctrl);
	vhost_video_unlock(&session->node);
	if (!menu) {
		*value = is;
		return 0;
	}
	for (i = 0; i < menu->num; i++) {
		if (menu->values[i].menu == is) {
			*value = menu->values[i].value;
			return 0;
		}
	}
	return VIRTIO_VIDEO_RESP_ERR_UNSUPPORTED_CONTROL;
}

/**
 * vhost_video_control_set - set a control
 * @session: the session; its lock is held
 * @id: enum virtio_video_control_type
 * @value: its value
 *
 * Context: Process context, sleeps.
 * Return: 0 or the error to be answered.
 */
u32 vhost_video_control_set(struct vhost_video_session *session, u32 id,
			    u32 value)
{
	const struct vhost_video_menu *menu = vhost_video_menu(session->format, id);
	struct v4l2_ctrl *ctrl;
	s64 to = value;
	int err;
	u32 i;

	if (!session->node.encoder)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	ctrl = vhost_video_ctrl(&session->node,
				menu ? menu->cid : vhost_video_number(id));
	if (!ctrl || !ctrl->is_int ||
	    ctrl->flags & (V4L2_CTRL_FLAG_READ_ONLY | V4L2_CTRL_FLAG_DISABLED))
		return VIRTIO_VIDEO_RESP_ERR_UNSUPPORTED_CONTROL;
	if (menu) {
		for (i = 0; i < menu->num; i++)
			if (menu->values[i].value == value)
				break;
		if (i == menu->num ||
		    !vhost_video_menu_has(ctrl, menu->values[i].menu))
			return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
		to = menu->values[i].menu;
	} else if (ctrl->type != V4L2_CTRL_TYPE_BUTTON) {
		to = clamp_t(s64, to, ctrl->minimum, ctrl->maximum);
	}
	if (vhost_video_lock(&session->node))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	err = v4l2_ctrl_s_ctrl(ctrl, to);
	vhost_video_unlock(&session->node);
	return err ? VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER : 0;
}
