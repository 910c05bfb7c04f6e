/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Layout of the maps of snd_policy.bpf.c, shared with the manager that fills
 * and reads them.
 */
#ifndef _SND_POLICY_H
#define _SND_POLICY_H

#include "policy.h"

/* Tables of rules: streams by enum devhost_direction, and control elements. */
#define SND_POLICY_PLAYBACK	0
#define SND_POLICY_CAPTURE	1
#define SND_POLICY_CONTROL	2
#define SND_POLICY_TABLES	3

/* Of virtio's 14 rates. */
#define SND_POLICY_RATES	16

#define SND_POLICY_ANY		0xffffffffU
#define SND_POLICY_PERCENT	100

/*
 * A rule matches where item - first <= span, unsigned, on a device with its bit
 * in devices, and for a control element of a kind with its bit in kinds.
 */
struct snd_policy_match {
	__u32 first;
	__u32 span;
	__u32 devices;
	__u32 kinds;	/* 1 << (role << 1 | direction) */
};

/* What an allowed request must keep to. */
struct snd_policy_limits {
	__u32 channels_max;
	__u32 period_min;	/* microseconds */
	__u32 volume_max;	/* percent of the range */
	__u32 rates;		/* 0: any */
	__u32 rate[SND_POLICY_RATES];
};

struct snd_policy_rules {
	__u32 count;		/* of rules; the default is at this index */
	__u32 streams_max;	/* that run at a time on a device */
	struct snd_policy_limits limits;	/* of all that match any rule */
	__u8 action[POLICY_ENTRIES];
	struct snd_policy_match match[POLICY_ENTRIES];
	struct snd_policy_limits limit[POLICY_ENTRIES];
};

/* Map .rodata.snd: set before loading, then frozen. */
struct snd_policy {
	struct policy_devices devices;
	struct snd_policy_rules rules[SND_POLICY_TABLES];
};

/* Map .rodata.snd_names: for whoever reads the policy back. */
struct snd_policy_names {
	char device[POLICY_DEVICES][POLICY_NAME_SIZE];
	char rule[SND_POLICY_TABLES][POLICY_RULES][POLICY_NAME_SIZE];
};

/* Why an allowed request was refused all the same. */
enum snd_policy_reason {
	SND_POLICY_FINE,
	SND_POLICY_STREAMS,
	SND_POLICY_CHANNELS,
	SND_POLICY_RATE,
	SND_POLICY_PERIOD,
	SND_POLICY_VOLUME,
	SND_POLICY_REASONS,
};

struct snd_policy_counters {
	struct policy_counter rule[POLICY_ENTRIES];
	__u64 unknown_device;	/* rules name devices, not this one */
	__u64 reason[SND_POLICY_REASONS];
};

/* Map .data.snd */
struct snd_policy_state {
	struct snd_policy_counters table[SND_POLICY_TABLES];
};

#endif /* _SND_POLICY_H */
