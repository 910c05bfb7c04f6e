/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Requests of the test device class "echo"; README.md describes them.
 * All integers are little-endian.
 */
#ifndef _DEVHOST_ECHO_H
#define _DEVHOST_ECHO_H

#include <linux/types.h>

#define ECHO_VIRTIO_ID		63

/* Virtqueues */
#define ECHO_VQ_ECHO		0
#define ECHO_VQ_LATE		1
#define ECHO_VQ_SUPPLY		2
#define ECHO_VQ_CONTROL		3
#define ECHO_VQS		4

#define ECHO_MAGIC		0x4f484345	/* "ECHO" */
#define ECHO_SCRATCH_SIZE	48

struct echo_config {
	__le32 magic;		/* ECHO_MAGIC */
	__le32 changes;		/* times the device changed it */
	__le32 writes;		/* times the driver wrote into scratch */
	__le32 tag;		/* ECHO_A_TAG */
	__u8 scratch[ECHO_SCRATCH_SIZE];	/* the driver's */
};

/* Netlink attributes, in DEVHOST_A_DEV_BACKEND */
enum echo_attr {
	ECHO_A_UNSPEC,
	ECHO_A_TAG,		/* u32; new, set, get */
	ECHO_A_IN_ORDER,	/* flag, offer VIRTIO_F_IN_ORDER; new, get */

	__ECHO_A_MAX,
	ECHO_A_MAX = __ECHO_A_MAX - 1
};

/* Counters, by these names in STATS_GET, by these numbers in ECHO_OP_COUNT */
enum echo_counter {
	ECHO_COUNT_STARTS,
	ECHO_COUNT_STOPS,
	ECHO_COUNT_SUSPENDS,
	ECHO_COUNT_RESUMES,
	ECHO_COUNT_ECHOED,
	ECHO_COUNT_ECHOED_BYTES,
	ECHO_COUNT_LATE,
	ECHO_COUNT_STALLS,
	ECHO_COUNT_REJECTS,
	ECHO_COUNT_SUPPLIED,
	ECHO_COUNT_REFILLS,
	ECHO_COUNT_FORGOTTEN,
	ECHO_COUNT_SLEPT,
	ECHO_COUNT_LOST,
	ECHO_COUNT_BEGUN,	/* by helpers; STATS_GET only */

	ECHO_COUNTERS,

	/* ECHO_OP_COUNT only */
	ECHO_COUNT_KEPT = 100,	/* requests kept now */
	ECHO_COUNT_WAITING,	/* messages that wait for buffers */
	ECHO_COUNT_WRITES,	/* of the configuration */
	ECHO_COUNT_DROPPED,	/* sleeps that a reset ended */
};

/* With the flags of ECHO_OP_POLICY_CAN: the frame goes to the guest. */
#define ECHO_POLICY_TO_GUEST	0x100

enum echo_op {
	ECHO_OP_NOP,
	ECHO_OP_CONFIG_CHANGE,
	ECHO_OP_BREAK,
	ECHO_OP_STALL,
	ECHO_OP_REJECT,
	ECHO_OP_ECHO_MODE,
	ECHO_OP_LATE_MODE,
	ECHO_OP_LATE_RELEASE,
	ECHO_OP_SUPPLY,
	ECHO_OP_COUNT,
	ECHO_OP_POLICY_CAN,
	ECHO_OP_SLEEP,
	ECHO_OP_HOLD,
	ECHO_OP_HELD,
	ECHO_OP_PUT,
	ECHO_OP_EXPORT,
	ECHO_OP_LOOK,
	ECHO_OP_ASK,
};

/* What ECHO_OP_ASK asks the policy about. */
enum echo_ask {
	ECHO_ASK_CAN_SENT,
	ECHO_ASK_CAN_RECEIVED,
	ECHO_ASK_SND,		/* a stream that starts */
	ECHO_ASK_SCMI,		/* CLOCK_RATE_SET */
	ECHO_ASK_VIDEO,		/* decoding H.264 of some size */
};

enum echo_export {
	ECHO_EXPORT_NOBODY,
	ECHO_EXPORT_EDU,
	ECHO_EXPORT_SELF,
};

enum echo_mode {
	ECHO_MODE_COPY,
	ECHO_MODE_SPAN,
	ECHO_MODE_PIECES,
};

enum echo_late_mode {
	ECHO_LATE_EVENT,
	ECHO_LATE_REVERSE,
	ECHO_LATE_HOLD,
};

enum echo_order {
	ECHO_ORDER_FIFO,
	ECHO_ORDER_REVERSE,
	ECHO_ORDER_ODD_FIRST,
};

struct echo_control_out {
	__le32 op;		/* enum echo_op */
	__le32 arg[3];
};

#define ECHO_OK			0
#define ECHO_ERROR		1

struct echo_control_in {
	__le32 status;		/* ECHO_OK, ECHO_ERROR */
	__le32 reserved;
	__le64 value;
};

/* What ECHO_OP_SUPPLY delivers; byte n of @data is (sequence + n) & 0xff. */
struct echo_supply {
	__le32 sequence;
	__le32 length;		/* of @data */
	__u8 data[];
};

#endif /* _DEVHOST_ECHO_H */
