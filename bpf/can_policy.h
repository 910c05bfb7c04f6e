/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Layout of the maps of can_policy.bpf.c, shared with the manager that fills
 * and reads them.
 */
#ifndef _CAN_POLICY_H
#define _CAN_POLICY_H

#include <linux/bpf.h>
#include <linux/types.h>

#define CAN_POLICY_RULES	64
#define CAN_POLICY_DEVICES	32
#define CAN_POLICY_NAME_SIZE	32

/* A token costs this much of a bucket's capacity and debt. */
#define CAN_POLICY_TOKEN	1000000000ULL

/* The default is one more rule, after the last, that matches everything. */
#define CAN_POLICY_ENTRIES	(CAN_POLICY_RULES + 1)

/* Directions, the values of enum devhost_direction. */
#define CAN_POLICY_TRANSMIT	0
#define CAN_POLICY_RECEIVE	1
#define CAN_POLICY_DIRECTIONS	2

/*
 * A frame is matched by one number: the identifier and, above it, the three
 * flags in the order of DEVHOST_POLICY_CAN_*.
 */
#define CAN_POLICY_KEY_ID	0x1fffffffU
#define CAN_POLICY_KEY_SHIFT	29
#define CAN_POLICY_KEY_EXTENDED	0x20000000U
#define CAN_POLICY_KEY_FD	0x40000000U
#define CAN_POLICY_KEY_RTR	0x80000000U

/*
 * A rule matches where ((key & mask) - first) <= span, unsigned, on a device
 * with its bit in devices. That is a range of identifiers (mask has all their
 * bits) and a masked identifier (span is 0) at once.
 */
struct can_policy_match {
	__u32 mask;
	__u32 first;
	__u32 span;
	__u32 devices;
};

/* What happens on a match. */
#define CAN_POLICY_ALLOW	0x01
#define CAN_POLICY_LIMIT_FRAMES	0x02
#define CAN_POLICY_LIMIT_BITS	0x04
#define CAN_POLICY_LIMIT	(CAN_POLICY_LIMIT_FRAMES | CAN_POLICY_LIMIT_BITS)

/*
 * A token bucket, counted in debt: a frame adds its cost, time takes away
 * rate units a nanosecond, and capacity is what debt never exceeds. A level
 * of all zeroes is thus a full bucket, and nothing is ever divided or rounded.
 */
struct can_policy_bucket {
	__u64 rate;	/* tokens a second */
	__u64 capacity;	/* burst * CAN_POLICY_TOKEN */
	__u64 empty_ns;	/* time after which no debt is left */
};

struct can_policy_level {
	__u64 debt;
	__u64 time;
};

#define CAN_POLICY_FRAMES	0
#define CAN_POLICY_BITS		1
#define CAN_POLICY_BUCKETS	2

/*
 * Frames are sorted by what wins arbitration first: 11 bits, the whole of a
 * standard identifier and the base of an extended one. For each of them start
 * has the first rule that could match, so that the others are not looked at.
 */
#define CAN_POLICY_BASES	2048
#define CAN_POLICY_BASE_SHIFT	18	/* in an extended identifier */

struct can_policy_rules {
	__u32 count;		/* of rules; the default is at this index */
	__u32 lowest[2];	/* identifier; standard, extended */
	__u32 limit;		/* CAN_POLICY_LIMIT_* of the guest */
	struct can_policy_bucket guest[CAN_POLICY_BUCKETS];
	__u8 start[2][CAN_POLICY_BASES];	/* standard, extended */
	__u8 action[CAN_POLICY_ENTRIES];
	struct can_policy_match match[CAN_POLICY_ENTRIES];
	struct can_policy_bucket bucket[CAN_POLICY_ENTRIES][CAN_POLICY_BUCKETS];
};

/* Map .rodata: set before loading, then frozen. */
struct can_policy {
	__u32 guest;				/* whose policy it is */
	__u32 devices;				/* 0: no rule names a device */
	__u32 device[CAN_POLICY_DEVICES];	/* ids; 0: does not exist */
	struct can_policy_rules rules[CAN_POLICY_DIRECTIONS];
};

/* Map .rodata.names: for whoever reads the policy back. */
struct can_policy_names {
	__u32 given;		/* the policy says something about CAN */
	__u32 lowest_given[2];
	char device[CAN_POLICY_DEVICES][CAN_POLICY_NAME_SIZE];
	char rule[CAN_POLICY_DIRECTIONS][CAN_POLICY_RULES][CAN_POLICY_NAME_SIZE];
};

struct can_policy_counter {
	__u64 passed;
	__u64 dropped;
};

/* Maps .data.transmit and .data.receive. The lock guards the levels. */
struct can_policy_state {
	struct bpf_spin_lock lock;
	__u32 unused;
	struct can_policy_counter rule[CAN_POLICY_ENTRIES];
	__u64 priority;		/* dropped: below the lowest identifier */
	__u64 guest_limit;	/* dropped: by a bucket of the guest */
	__u64 unknown_device;	/* dropped: rules name devices, not this one */
	struct can_policy_level guest[CAN_POLICY_BUCKETS];
	struct can_policy_level level[CAN_POLICY_ENTRIES][CAN_POLICY_BUCKETS];
};

#endif /* _CAN_POLICY_H */
