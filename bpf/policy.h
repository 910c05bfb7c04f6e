/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the maps of all parts of a guest's policy have in common, shared with
 * the manager that fills and reads them.
 */
#ifndef _POLICY_H
#define _POLICY_H

#include <linux/bpf.h>
#include <linux/types.h>

#define POLICY_RULES		64
#define POLICY_DEVICES		32
#define POLICY_NAME_SIZE	32

/* The default is one more rule, after the last, that matches everything. */
#define POLICY_ENTRIES		(POLICY_RULES + 1)

/* What happens on a match; the other bits are those of each part. */
#define POLICY_ALLOW		0x01

/*
 * Devices that a part knows, where its rules name some: none is looked up
 * where count is 0. An id of 0 is that of a device that does not exist.
 */
struct policy_devices {
	__u32 count;
	__u32 id[POLICY_DEVICES];
};

/* A token costs this much of a bucket's capacity and debt. */
#define POLICY_TOKEN		1000000000ULL

/*
 * A token bucket, counted in debt: an item adds its cost, time takes away
 * rate units a nanosecond, and capacity is what debt never exceeds. A level
 * of all zeroes is thus a full bucket, and nothing is ever divided or rounded.
 */
struct policy_bucket {
	__u64 rate;	/* tokens a second */
	__u64 capacity;	/* burst * POLICY_TOKEN */
	__u64 empty_ns;	/* time after which no debt is left */
};

struct policy_level {
	__u64 debt;
	__u64 time;
};

struct policy_counter {
	__u64 passed;
	__u64 dropped;
};

#endif /* _POLICY_H */
