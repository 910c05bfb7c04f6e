/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Layout of the maps of video_policy.bpf.c, shared with the manager that fills
 * and reads them.
 */
#ifndef _VIDEO_POLICY_H
#define _VIDEO_POLICY_H

#include "policy.h"

/* Tables of rules, by whether the device encodes. */
#define VIDEO_POLICY_DECODE	0
#define VIDEO_POLICY_ENCODE	1
#define VIDEO_POLICY_TABLES	2

/* Coded formats that a rule can name; those above match where all do. */
#define VIDEO_POLICY_FORMAT	0x1000	/* the first one's number */
#define VIDEO_POLICY_FORMATS	32

#define VIDEO_POLICY_ANY	0xffffffffU
#define VIDEO_POLICY_ANY64	0xffffffffffffffffULL

/* A rule matches where the format and the device have their bits. */
struct video_policy_match {
	__u32 formats;
	__u32 devices;
};

/* What an allowed request must keep to. */
struct video_policy_limits {
	__u64 pixels_max;		/* of a frame */
	__u64 pixels_per_second_max;
	__u32 width_max;
	__u32 height_max;
	__u32 bitrate_max;
	__u32 unused;
};

struct video_policy_rules {
	__u32 count;		/* of rules; the default is at this index */
	__u32 streams_max;	/* of a device at a time */
	struct video_policy_limits limits;	/* of all that match any rule */
	__u8 action[POLICY_ENTRIES];
	struct video_policy_match match[POLICY_ENTRIES];
	struct video_policy_limits limit[POLICY_ENTRIES];
};

/* Map .rodata.video: set before loading, then frozen. */
struct video_policy {
	struct policy_devices devices;
	struct video_policy_rules rules[VIDEO_POLICY_TABLES];
};

/* Map .rodata.video_names: for whoever reads the policy back. */
struct video_policy_names {
	char device[POLICY_DEVICES][POLICY_NAME_SIZE];
	char rule[VIDEO_POLICY_TABLES][POLICY_RULES][POLICY_NAME_SIZE];
};

/* Why an allowed request was refused all the same. */
enum video_policy_reason {
	VIDEO_POLICY_FINE,
	VIDEO_POLICY_STREAMS,
	VIDEO_POLICY_SIZE,
	VIDEO_POLICY_RATE,
	VIDEO_POLICY_BITRATE,
	VIDEO_POLICY_REASONS,
};

struct video_policy_counters {
	struct policy_counter rule[POLICY_ENTRIES];
	__u64 unknown_device;	/* rules name devices, not this one */
	__u64 reason[VIDEO_POLICY_REASONS];
};

/* Map .data.video */
struct video_policy_state {
	struct video_policy_counters table[VIDEO_POLICY_TABLES];
};

#endif /* _VIDEO_POLICY_H */
