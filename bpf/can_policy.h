/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Layout of the maps of can_policy.bpf.c, shared with the manager that fills
 * and reads them. Pinned ones are read by later versions: what is here stays.
 */
#ifndef _CAN_POLICY_H
#define _CAN_POLICY_H

#include "policy.h"

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

/* What happens on a match, beside POLICY_ALLOW. */
#define CAN_POLICY_LIMIT_FRAMES	0x02
#define CAN_POLICY_LIMIT_BITS	0x04
#define CAN_POLICY_LIMIT	(CAN_POLICY_LIMIT_FRAMES | CAN_POLICY_LIMIT_BITS)

#define CAN_POLICY_FRAMES	0
#define CAN_POLICY_BITS		1
#define CAN_POLICY_BUCKETS	2

/*
 * Frames are sorted by their flags, and by what wins arbitration first: 11
 * bits, the whole of a standard identifier and the base of an extended one.
 * For each of them start has the first rule that could match, so that the
 * others are not looked at.
 */
#define CAN_POLICY_KINDS	8	/* of frames: the flags in a key */
#define CAN_POLICY_BASES	2048
#define CAN_POLICY_BASE_SHIFT	18	/* in an extended identifier */

struct can_policy_rules {
	__u32 count;		/* of rules; the default is at this index */
	__u32 lowest[2];	/* identifier; standard, extended */
	__u32 limit;		/* CAN_POLICY_LIMIT_* of the guest */
	struct policy_bucket guest[CAN_POLICY_BUCKETS];
	__u8 start[CAN_POLICY_KINDS][CAN_POLICY_BASES];
	__u8 action[POLICY_ENTRIES];
	struct can_policy_match match[POLICY_ENTRIES];
	struct policy_bucket bucket[POLICY_ENTRIES][CAN_POLICY_BUCKETS];
};

/* Map .rodata: set before loading, then frozen. */
struct can_policy {
	__u32 guest;		/* whose policy it is, all parts of it */
	struct policy_devices devices;
	struct can_policy_rules rules[CAN_POLICY_DIRECTIONS];
};

/*
 * What the policy says something about. Parts that it leaves out have no
 * program, and but for these two maps, which are always there, no maps.
 */
#define POLICY_GIVEN_CAN	0x01
#define POLICY_GIVEN_SND	0x02
#define POLICY_GIVEN_SCMI	0x04
#define POLICY_GIVEN_VIDEO	0x08

/*
 * Beside them: nothing is refused, only counted as if it were. A policy pinned
 * by a version that knew no such mode has it not.
 */
#define POLICY_AUDIT		0x80000000U

/*
 * Map .rodata.names: for whoever reads the policy back, and to the programs of
 * all parts the mode.
 */
struct can_policy_names {
	__u32 given;		/* POLICY_GIVEN_*, POLICY_AUDIT */
	__u32 lowest_given[2];
	char device[POLICY_DEVICES][POLICY_NAME_SIZE];
	char rule[CAN_POLICY_DIRECTIONS][POLICY_RULES][POLICY_NAME_SIZE];
};

/* Maps .data.transmit and .data.receive. The lock guards the levels. */
struct can_policy_state {
	struct bpf_spin_lock lock;
	__u32 unused;
	struct policy_counter rule[POLICY_ENTRIES];
	__u64 priority;		/* dropped: below the lowest identifier */
	__u64 guest_limit;	/* dropped: by a bucket of the guest */
	__u64 unknown_device;	/* dropped: rules name devices, not this one */
	struct policy_level guest[CAN_POLICY_BUCKETS];
	struct policy_level level[POLICY_ENTRIES][CAN_POLICY_BUCKETS];
};

#endif /* _CAN_POLICY_H */
