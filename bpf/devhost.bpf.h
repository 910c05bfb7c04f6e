/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's policy types as a BPF program sees them. Every field access is
 * relocated against the BTF of the running devhost module, so a program builds
 * without the module and without the kernel it will run on.
 */
#ifndef _DEVHOST_BPF_H
#define _DEVHOST_BPF_H

#include <linux/bpf.h>
#include <linux/devhost.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define DEVHOST_POLICY_CAN_EXTENDED	0x01
#define DEVHOST_POLICY_CAN_FD		0x02
#define DEVHOST_POLICY_CAN_RTR		0x04

enum devhost_direction {
	DEVHOST_TO_HOST,
	DEVHOST_TO_GUEST,
};

struct devhost_policy_can {
	__u32 guest;
	__u32 device;
	__u32 can_id;
	__u32 bits;
	__u8 direction;
	__u8 flags;
	__u8 len;
} __attribute__((preserve_access_index));

enum devhost_policy_snd_request {
	DEVHOST_POLICY_SND_PARAMS,
	DEVHOST_POLICY_SND_START,
	DEVHOST_POLICY_SND_CONTROL,
};

struct devhost_policy_snd {
	__s64 value;
	__s64 min;
	__s64 max;
	__u32 guest;
	__u32 device;
	__u32 item;
	__u32 rate;
	__u32 format;
	__u32 channels;
	__u32 period_us;
	__u32 buffer_us;
	__u32 running;
	__u32 role;
	__u8 request;
	__u8 direction;
} __attribute__((preserve_access_index));

/* For a message that names no resource. */
#define DEVHOST_POLICY_SCMI_NONE	0xffffffff

struct devhost_policy_scmi {
	__u32 guest;
	__u32 device;
	__u32 resource;
	__u8 protocol;
	__u8 message;
	__u64 value;
} __attribute__((preserve_access_index));

enum devhost_policy_video_request {
	DEVHOST_POLICY_VIDEO_CREATE,
	DEVHOST_POLICY_VIDEO_PARAMS,
	DEVHOST_POLICY_VIDEO_RESOLUTION,
	DEVHOST_POLICY_VIDEO_BITRATE,
};

struct devhost_policy_video {
	__u32 guest;
	__u32 device;
	__u32 stream;
	__u32 format;
	__u32 width;
	__u32 height;
	__u32 rate;
	__u32 bitrate;
	__u32 streams;
	__u8 request;
	__u8 encoder;
} __attribute__((preserve_access_index));

/* Only what the program at hand implements or sets need be filled in. */
struct devhost_policy_ops {
	int (*can)(const struct devhost_policy_can *frame);
	__u32 guest;
	int (*snd)(const struct devhost_policy_snd *request);
	int (*scmi)(const struct devhost_policy_scmi *command);
	int (*video)(const struct devhost_policy_video *request);
};

#endif /* _DEVHOST_BPF_H */
