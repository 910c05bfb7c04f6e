/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Layout of the maps of scmi_policy.bpf.c, shared with the manager that fills
 * and reads them.
 */
#ifndef _SCMI_POLICY_H
#define _SCMI_POLICY_H

#include "policy.h"

/* Message ids that a rule can name; those above match where all do. */
#define SCMI_POLICY_MESSAGES	32
#define SCMI_POLICY_ALL		0xffffffffU

/*
 * A rule matches where all of this is so: protocol is the command's or 0, the
 * message has its bit, resource - first <= span, unsigned, and the device has
 * its bit. A command about no resource has one above all there are.
 */
struct scmi_policy_match {
	__u32 messages;
	__u32 first;
	__u32 span;
	__u32 devices;
	__u32 protocol;
};

/* What happens on a match, beside POLICY_ALLOW. */
#define SCMI_POLICY_LIMIT	0x02	/* of messages a second */

/* What an allowed command may set its resource to. */
struct scmi_policy_range {
	__u64 min;
	__u64 max;
};

/* Map .rodata.scmi: set before loading, then frozen. */
struct scmi_policy {
	struct policy_devices devices;
	__u32 count;		/* of rules; the default is at this index */
	__u32 limit;		/* SCMI_POLICY_LIMIT of the guest, or 0 */
	struct policy_bucket guest;
	__u8 action[POLICY_ENTRIES];
	struct scmi_policy_match match[POLICY_ENTRIES];
	struct scmi_policy_range range[POLICY_ENTRIES];
	struct policy_bucket bucket[POLICY_ENTRIES];
};

/* Map .rodata.scmi_names: for whoever reads the policy back. */
struct scmi_policy_names {
	char device[POLICY_DEVICES][POLICY_NAME_SIZE];
	char rule[POLICY_RULES][POLICY_NAME_SIZE];
};

/* Map .data.scmi. The lock guards the levels. */
struct scmi_policy_state {
	struct bpf_spin_lock lock;
	__u32 unused;
	struct policy_counter rule[POLICY_ENTRIES];
	__u64 value;		/* dropped: out of the rule's range */
	__u64 guest_limit;	/* dropped: by the bucket of the guest */
	__u64 unknown_device;	/* dropped: rules name devices, not this one */
	struct policy_level guest;
	struct policy_level level[POLICY_ENTRIES];
};

#endif /* _SCMI_POLICY_H */
