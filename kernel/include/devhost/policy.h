/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest may do: the BPF struct_ops type that a policy implements, and
 * the calls with which a device module asks it.
 */
#ifndef _DEVHOST_POLICY_H
#define _DEVHOST_POLICY_H

#include <linux/types.h>

#include <uapi/linux/devhost.h>

struct devhost_device;

/**
 * enum devhost_direction - which way an item goes
 * @DEVHOST_TO_HOST: from the guest to the host's resource (CAN transmit,
 *	playback, SCMI command)
 * @DEVHOST_TO_GUEST: from the host's resource to the guest (CAN receive,
 *	capture)
 */
enum devhost_direction {
	DEVHOST_TO_HOST,
	DEVHOST_TO_GUEST,
};

#define DEVHOST_POLICY_CAN_EXTENDED	0x01
#define DEVHOST_POLICY_CAN_FD		0x02
#define DEVHOST_POLICY_CAN_RTR		0x04

/**
 * struct devhost_policy_can - one CAN frame that a guest sends or would receive
 * @guest: id of the guest
 * @device: id of the device
 * @can_id: identifier without flags, 11 or 29 bits
 * @bits: length of the frame on the wire without stuff bits, in nominal bit
 *	times of classic CAN and, for FD, counted as if without rate switching
 * @direction: enum devhost_direction
 * @flags: DEVHOST_POLICY_CAN_EXTENDED, _FD, _RTR
 * @len: data bytes, 0 .. 64
 */
struct devhost_policy_can {
	u32 guest;
	u32 device;
	u32 can_id;
	u32 bits;
	u8 direction;
	u8 flags;
	u8 len;
};

/**
 * struct devhost_policy_ops - the policy of one guest, as a BPF struct_ops map
 * @can: verdict on one CAN frame
 * @guest: id of the guest it is for (DEVHOST_A_GUEST_ID); set before loading
 *
 * Every call returns enum devhost_verdict, DEVHOST_VERDICT_LIMIT at most;
 * anything else counts as a refusal. A call that a policy leaves out refuses
 * everything. Calls run in any context up to softirq, under RCU.
 */
struct devhost_policy_ops {
	int (*can)(const struct devhost_policy_can *frame);
	u32 guest;
};

bool devhost_policy_can(struct devhost_device *dev,
			struct devhost_policy_can *frame);

#endif /* _DEVHOST_POLICY_H */
