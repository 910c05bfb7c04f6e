/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * devhost: generic netlink ABI of the automotive device host.
 *
 * The same interface in the kernel's YNL format: docs/netlink/devhost.yaml.
 * Commands that change something need CAP_NET_ADMIN.
 */
#ifndef _UAPI_LINUX_DEVHOST_H
#define _UAPI_LINUX_DEVHOST_H

#include <linux/types.h>

#define DEVHOST_GENL_NAME	"devhost"
#define DEVHOST_GENL_VERSION	1

#define DEVHOST_MCGRP_EVENTS	"events"
#define DEVHOST_MCGRP_POWER	"power"
#define DEVHOST_MCGRP_DENIALS	"denials"

/* Names of guests and devices: [A-Za-z0-9][A-Za-z0-9_-]*, with the final NUL. */
#define DEVHOST_NAME_SIZE	32

/* Largest virtqueue that devhost offers, in entries. */
#define DEVHOST_VQ_SIZE_MAX	1024

/**
 * enum devhost_cmd - commands and notifications
 * @DEVHOST_CMD_GUEST_NEW: create a guest; answers with its GUEST_GET form
 * @DEVHOST_CMD_GUEST_DEL: remove a guest and, unless one is in use, its devices
 * @DEVHOST_CMD_GUEST_GET: get one guest, or dump all
 * @DEVHOST_CMD_DEVICE_NEW: create a device; answers with its DEVICE_GET form
 * @DEVHOST_CMD_DEVICE_DEL: remove a device; -EBUSY while a VMM has it open,
 *	with DEVHOST_A_DEV_FORCE the device asks for a reset and serves nothing
 *	more, and the answer is still -EBUSY until the VMM has closed it
 * @DEVHOST_CMD_DEVICE_GET: get one device, or dump all (of one guest)
 * @DEVHOST_CMD_DEVICE_SET: change what can change on a live device
 * @DEVHOST_CMD_STATS_GET: statistics of one device, or dump all (of one guest)
 * @DEVHOST_CMD_GUEST_NEW_NTF: a guest was created
 * @DEVHOST_CMD_GUEST_DEL_NTF: a guest is gone
 * @DEVHOST_CMD_DEVICE_NEW_NTF: a device was created
 * @DEVHOST_CMD_DEVICE_DEL_NTF: a device is gone
 * @DEVHOST_CMD_DEVICE_CHANGE_NTF: state, status, worker or backend of a device
 *	changed
 * @DEVHOST_CMD_POLICY_CHANGE_NTF: a policy was attached to, replaced on or
 *	detached from a guest (GUEST_GET form)
 * @DEVHOST_CMD_RESOURCE_GET: dump the resources that devices share out, one a
 *	message: of all devices, of one guest, or of one device
 * @DEVHOST_CMD_RESOURCE_CHANGE_NTF: what a device wants of a resource, or what
 *	the resource does, changed (RESOURCE_GET form, in the group "power")
 * @DEVHOST_CMD_POWER_REQUEST_NTF: a guest asks for a system power state
 *	(DEVICE_GET form, in the group "power")
 * @DEVHOST_CMD_POLICY_DENIED_NTF: a guest's policy is against an item; at most
 *	once a second for a device (in the group "denials")
 * @DEVHOST_CMD_GUEST_SET: give a guest other limits, all of them at once; what
 *	it has beyond them it keeps
 * @DEVHOST_CMD_GUEST_CHANGE_NTF: a guest has other limits (GUEST_GET form)
 */
enum devhost_cmd {
	DEVHOST_CMD_UNSPEC,
	DEVHOST_CMD_GUEST_NEW,
	DEVHOST_CMD_GUEST_DEL,
	DEVHOST_CMD_GUEST_GET,
	DEVHOST_CMD_DEVICE_NEW,
	DEVHOST_CMD_DEVICE_DEL,
	DEVHOST_CMD_DEVICE_GET,
	DEVHOST_CMD_DEVICE_SET,
	DEVHOST_CMD_STATS_GET,
	DEVHOST_CMD_GUEST_NEW_NTF,
	DEVHOST_CMD_GUEST_DEL_NTF,
	DEVHOST_CMD_DEVICE_NEW_NTF,
	DEVHOST_CMD_DEVICE_DEL_NTF,
	DEVHOST_CMD_DEVICE_CHANGE_NTF,
	DEVHOST_CMD_POLICY_CHANGE_NTF,
	DEVHOST_CMD_RESOURCE_GET,
	DEVHOST_CMD_RESOURCE_CHANGE_NTF,
	DEVHOST_CMD_POWER_REQUEST_NTF,
	DEVHOST_CMD_POLICY_DENIED_NTF,
	DEVHOST_CMD_GUEST_SET,
	DEVHOST_CMD_GUEST_CHANGE_NTF,

	/* private: */
	__DEVHOST_CMD_MAX,
	DEVHOST_CMD_MAX = __DEVHOST_CMD_MAX - 1
};

/**
 * enum devhost_attr - top-level attributes; each message carries one of them
 * @DEVHOST_A_GUEST: nest of enum devhost_guest_attr
 * @DEVHOST_A_DEV: nest of enum devhost_dev_attr
 * @DEVHOST_A_STATS: nest of enum devhost_stats_attr
 * @DEVHOST_A_RESOURCE: nest of enum devhost_resource_attr
 * @DEVHOST_A_DENIAL: nest of enum devhost_denial_attr
 */
enum devhost_attr {
	DEVHOST_A_UNSPEC,
	DEVHOST_A_GUEST,
	DEVHOST_A_DEV,
	DEVHOST_A_STATS,
	DEVHOST_A_RESOURCE,
	DEVHOST_A_DENIAL,

	/* private: */
	__DEVHOST_A_MAX,
	DEVHOST_A_MAX = __DEVHOST_A_MAX - 1
};

/**
 * enum devhost_guest_attr - a guest
 * @DEVHOST_A_GUEST_NAME: string, its name; unique
 * @DEVHOST_A_GUEST_ID: u32, never used again while the module is loaded; a
 *	policy names the guest by this id
 * @DEVHOST_A_GUEST_DEVICES: u32, number of devices
 * @DEVHOST_A_GUEST_POLICY: u32, number of the policy in force, counted up with
 *	each attachment or replacement; absent where no policy is attached
 * @DEVHOST_A_GUEST_PINNED: u64, bytes of guest memory that devhost holds
 * @DEVHOST_A_GUEST_VERDICT: nest of enum devhost_verdict_attr; one per verdict
 * @DEVHOST_A_GUEST_FORCE: flag, DEVHOST_A_DEV_FORCE for each device in use (del)
 * @DEVHOST_A_GUEST_EXPORTED: u64, bytes of guest memory in dma-bufs, those
 *	included that the guest has lost meanwhile
 * @DEVHOST_A_GUEST_LIMITS: nest of enum devhost_limit_attr, what it may have;
 *	what is absent is not limited (new, set, get)
 * @DEVHOST_A_GUEST_USE: nest of enum devhost_limit_attr, what it has (get)
 * @DEVHOST_A_GUEST_REFUSED: nest of enum devhost_limit_attr, how often the
 *	limit refused something, or made a queue wait (get)
 */
enum devhost_guest_attr {
	DEVHOST_A_GUEST_UNSPEC,
	DEVHOST_A_GUEST_NAME,
	DEVHOST_A_GUEST_ID,
	DEVHOST_A_GUEST_DEVICES,
	DEVHOST_A_GUEST_POLICY,
	DEVHOST_A_GUEST_PINNED,
	DEVHOST_A_GUEST_VERDICT,
	DEVHOST_A_GUEST_PAD,
	DEVHOST_A_GUEST_FORCE,
	DEVHOST_A_GUEST_EXPORTED,
	DEVHOST_A_GUEST_LIMITS,
	DEVHOST_A_GUEST_USE,
	DEVHOST_A_GUEST_REFUSED,

	/* private: */
	__DEVHOST_A_GUEST_MAX,
	DEVHOST_A_GUEST_MAX = __DEVHOST_A_GUEST_MAX - 1
};

/* What a guest can have without limits of its own, and what limits can be. */
#define DEVHOST_LIMIT_DEVICES_MAX	64
#define DEVHOST_LIMIT_QUEUES_MAX	512
#define DEVHOST_LIMIT_MEMORY_MIN	4096
#define DEVHOST_LIMIT_MEMORY_MAX	1125899906842624
#define DEVHOST_LIMIT_IN_FLIGHT_MAX	8192
#define DEVHOST_LIMIT_BYTES_MIN		4096
#define DEVHOST_LIMIT_BYTES_MAX		1099511627776

/**
 * enum devhost_limit_attr - what a guest may have, has, or was refused
 * @DEVHOST_A_LIMIT_DEVICES: u64, devices, 1 .. DEVHOST_LIMIT_DEVICES_MAX
 * @DEVHOST_A_LIMIT_QUEUES: u64, queues of all its devices,
 *	1 .. DEVHOST_LIMIT_QUEUES_MAX
 * @DEVHOST_A_LIMIT_RING_SIZE: u64, entries of a queue, power of two,
 *	2 .. DEVHOST_VQ_SIZE_MAX; in use: of the largest one
 * @DEVHOST_A_LIMIT_MEMORY: u64, bytes of guest memory that are mapped for its
 *	devices; what two devices have mapped counts twice, as for the memory
 *	lock limit of the VMM
 * @DEVHOST_A_LIMIT_IN_FLIGHT: u64, requests that a device holds at a time,
 *	1 .. DEVHOST_LIMIT_IN_FLIGHT_MAX; in use: of the device with the most
 * @DEVHOST_A_LIMIT_IN_FLIGHT_BYTES: u64, bytes of their buffers; in use: of the
 *	device with the most, counted while requests are limited
 */
enum devhost_limit_attr {
	DEVHOST_A_LIMIT_UNSPEC,
	DEVHOST_A_LIMIT_DEVICES,
	DEVHOST_A_LIMIT_QUEUES,
	DEVHOST_A_LIMIT_RING_SIZE,
	DEVHOST_A_LIMIT_MEMORY,
	DEVHOST_A_LIMIT_IN_FLIGHT,
	DEVHOST_A_LIMIT_IN_FLIGHT_BYTES,
	DEVHOST_A_LIMIT_PAD,

	/* private: */
	__DEVHOST_A_LIMIT_MAX,
	DEVHOST_A_LIMIT_MAX = __DEVHOST_A_LIMIT_MAX - 1
};

/**
 * enum devhost_verdict - what a policy said about one item
 * @DEVHOST_VERDICT_ALLOW: serve it
 * @DEVHOST_VERDICT_DENY: refuse it as if what it names did not exist
 * @DEVHOST_VERDICT_LIMIT: refuse it because a rate or quota is used up
 * @DEVHOST_VERDICT_NONE: refused, since a policy is required and none attached
 *	(counter only, no policy returns it)
 * @DEVHOST_VERDICT_INVALID: refused, since the policy returned something else
 *	(counter only)
 * @DEVHOST_VERDICT_AUDIT: serve it, though the policy is against it: it is in
 *	audit mode
 */
enum devhost_verdict {
	DEVHOST_VERDICT_ALLOW,
	DEVHOST_VERDICT_DENY,
	DEVHOST_VERDICT_LIMIT,
	DEVHOST_VERDICT_NONE,
	DEVHOST_VERDICT_INVALID,
	DEVHOST_VERDICT_AUDIT,

	/* private: */
	__DEVHOST_VERDICT_NUM
};

/**
 * enum devhost_verdict_attr - one verdict counter
 * @DEVHOST_A_VERDICT_KIND: u32, enum devhost_verdict
 * @DEVHOST_A_VERDICT_COUNT: u64
 */
enum devhost_verdict_attr {
	DEVHOST_A_VERDICT_UNSPEC,
	DEVHOST_A_VERDICT_KIND,
	DEVHOST_A_VERDICT_COUNT,
	DEVHOST_A_VERDICT_PAD,

	/* private: */
	__DEVHOST_A_VERDICT_MAX,
	DEVHOST_A_VERDICT_MAX = __DEVHOST_A_VERDICT_MAX - 1
};

/**
 * enum devhost_denial_attr - an item that the policy is against, the first of
 *	those since the message before
 * @DEVHOST_A_DENIAL_GUEST: string
 * @DEVHOST_A_DENIAL_DEV: string
 * @DEVHOST_A_DENIAL_CLASS: string, class of the device
 * @DEVHOST_A_DENIAL_VERDICT: u32, enum devhost_verdict
 * @DEVHOST_A_DENIAL_SUPPRESSED: u64, further ones of the device since then, of
 *	which nothing else is told
 * @DEVHOST_A_DENIAL_TO_GUEST: flag, the guest would have been given it
 * @DEVHOST_A_DENIAL_CAN_ID: u32, identifier of a frame
 * @DEVHOST_A_DENIAL_CAN_EXTENDED: flag, the identifier has 29 bits
 * @DEVHOST_A_DENIAL_CAN_FD: flag
 * @DEVHOST_A_DENIAL_CAN_RTR: flag
 * @DEVHOST_A_DENIAL_REQUEST: u32, what is wanted of a sound or video device:
 *	its number in enum devhost_policy_snd_request or _video_request
 * @DEVHOST_A_DENIAL_ITEM: u32, number of the stream or control element
 * @DEVHOST_A_DENIAL_RATE: u32, frames a second
 * @DEVHOST_A_DENIAL_CHANNELS: u32, sound
 * @DEVHOST_A_DENIAL_VALUE: s64, to be written to a control element; of an SCMI
 *	command, unsigned: to be set
 * @DEVHOST_A_DENIAL_PROTOCOL: u32, SCMI
 * @DEVHOST_A_DENIAL_MESSAGE: u32, SCMI
 * @DEVHOST_A_DENIAL_RESOURCE: u32, SCMI, the guest's id; absent where the
 *	command is about none
 * @DEVHOST_A_DENIAL_FORMAT: u32, video, VIRTIO_VIDEO_FORMAT_*
 * @DEVHOST_A_DENIAL_WIDTH: u32, video
 * @DEVHOST_A_DENIAL_HEIGHT: u32, video
 * @DEVHOST_A_DENIAL_BITRATE: u32, video
 */
enum devhost_denial_attr {
	DEVHOST_A_DENIAL_UNSPEC,
	DEVHOST_A_DENIAL_GUEST,
	DEVHOST_A_DENIAL_DEV,
	DEVHOST_A_DENIAL_CLASS,
	DEVHOST_A_DENIAL_VERDICT,
	DEVHOST_A_DENIAL_SUPPRESSED,
	DEVHOST_A_DENIAL_PAD,
	DEVHOST_A_DENIAL_TO_GUEST,
	DEVHOST_A_DENIAL_CAN_ID,
	DEVHOST_A_DENIAL_CAN_EXTENDED,
	DEVHOST_A_DENIAL_CAN_FD,
	DEVHOST_A_DENIAL_CAN_RTR,
	DEVHOST_A_DENIAL_REQUEST,
	DEVHOST_A_DENIAL_ITEM,
	DEVHOST_A_DENIAL_RATE,
	DEVHOST_A_DENIAL_CHANNELS,
	DEVHOST_A_DENIAL_VALUE,
	DEVHOST_A_DENIAL_PROTOCOL,
	DEVHOST_A_DENIAL_MESSAGE,
	DEVHOST_A_DENIAL_RESOURCE,
	DEVHOST_A_DENIAL_FORMAT,
	DEVHOST_A_DENIAL_WIDTH,
	DEVHOST_A_DENIAL_HEIGHT,
	DEVHOST_A_DENIAL_BITRATE,

	/* private: */
	__DEVHOST_A_DENIAL_MAX,
	DEVHOST_A_DENIAL_MAX = __DEVHOST_A_DENIAL_MAX - 1
};

/**
 * enum devhost_dev_state - what a device is doing
 * @DEVHOST_DEV_IDLE: no VMM has it open
 * @DEVHOST_DEV_OPEN: opened, the driver is not ready yet
 * @DEVHOST_DEV_RUNNING: DRIVER_OK, serving
 * @DEVHOST_DEV_SUSPENDED: suspended by the VMM
 * @DEVHOST_DEV_QUIESCED: stopped by the host (suspend, reboot, forced removal);
 *	goes on when the host resumes; not at all where it is to be removed
 * @DEVHOST_DEV_BROKEN: DEVICE_NEEDS_RESET is set; recovers by a reset
 */
enum devhost_dev_state {
	DEVHOST_DEV_IDLE,
	DEVHOST_DEV_OPEN,
	DEVHOST_DEV_RUNNING,
	DEVHOST_DEV_SUSPENDED,
	DEVHOST_DEV_QUIESCED,
	DEVHOST_DEV_BROKEN,
};

/**
 * enum devhost_dev_attr - a device
 * @DEVHOST_A_DEV_GUEST: string, name of its guest
 * @DEVHOST_A_DEV_NAME: string, unique within the guest
 * @DEVHOST_A_DEV_ID: u32, never used again while the module is loaded
 * @DEVHOST_A_DEV_CLASS: string, "can", "snd", "scmi", ...; the module
 *	vhost_<class> is asked for where it is not loaded
 * @DEVHOST_A_DEV_VIRTIO_ID: u32, virtio device id (get)
 * @DEVHOST_A_DEV_VDPA: string, name on the vdpa bus (get)
 * @DEVHOST_A_DEV_STATE: u32, enum devhost_dev_state (get)
 * @DEVHOST_A_DEV_STATUS: u8, virtio device status (get)
 * @DEVHOST_A_DEV_REASON: string, why it is broken or quiesced (get)
 * @DEVHOST_A_DEV_FEATURES: u64, features offered, the mask applied (get)
 * @DEVHOST_A_DEV_DRIVER_FEATURES: u64, features negotiated (get)
 * @DEVHOST_A_DEV_FEATURES_MASK: u64, features that may be offered; new, get,
 *	and set while the device is not open
 * @DEVHOST_A_DEV_VQ_SIZE_MAX: u32, entries a queue, power of two,
 *	2 .. DEVHOST_VQ_SIZE_MAX, the default, which QEMU's virtio-mmio needs; new
 *	and get
 * @DEVHOST_A_DEV_VQS: u32, number of queues (get)
 * @DEVHOST_A_DEV_POLICY_REQUIRED: flag, serve nothing without a policy; new and
 *	get
 * @DEVHOST_A_DEV_WORKER: u32, thread id of the queue worker while it runs, in
 *	the pid namespace of the reader (get; not in notifications)
 * @DEVHOST_A_DEV_FORCE: flag, see DEVHOST_CMD_DEVICE_DEL (del)
 * @DEVHOST_A_DEV_BACKEND: nest, attributes of the class, e.g.
 *	enum devhost_can_attr; new, get and set
 */
enum devhost_dev_attr {
	DEVHOST_A_DEV_UNSPEC,
	DEVHOST_A_DEV_GUEST,
	DEVHOST_A_DEV_NAME,
	DEVHOST_A_DEV_ID,
	DEVHOST_A_DEV_CLASS,
	DEVHOST_A_DEV_VIRTIO_ID,
	DEVHOST_A_DEV_VDPA,
	DEVHOST_A_DEV_STATE,
	DEVHOST_A_DEV_STATUS,
	DEVHOST_A_DEV_REASON,
	DEVHOST_A_DEV_FEATURES,
	DEVHOST_A_DEV_DRIVER_FEATURES,
	DEVHOST_A_DEV_FEATURES_MASK,
	DEVHOST_A_DEV_VQ_SIZE_MAX,
	DEVHOST_A_DEV_VQS,
	DEVHOST_A_DEV_POLICY_REQUIRED,
	DEVHOST_A_DEV_WORKER,
	DEVHOST_A_DEV_FORCE,
	DEVHOST_A_DEV_BACKEND,
	DEVHOST_A_DEV_PAD,

	/* private: */
	__DEVHOST_A_DEV_MAX,
	DEVHOST_A_DEV_MAX = __DEVHOST_A_DEV_MAX - 1
};

/**
 * enum devhost_stats_attr - statistics of a device
 * @DEVHOST_A_STATS_GUEST: string
 * @DEVHOST_A_STATS_DEV: string
 * @DEVHOST_A_STATS_VQ: nest of enum devhost_vq_stats_attr; one per queue
 * @DEVHOST_A_STATS_COUNTER: nest of enum devhost_counter_attr; one per counter
 *	of the class
 * @DEVHOST_A_STATS_VERDICT: nest of enum devhost_verdict_attr; one per verdict
 */
enum devhost_stats_attr {
	DEVHOST_A_STATS_UNSPEC,
	DEVHOST_A_STATS_GUEST,
	DEVHOST_A_STATS_DEV,
	DEVHOST_A_STATS_VQ,
	DEVHOST_A_STATS_COUNTER,
	DEVHOST_A_STATS_VERDICT,
	DEVHOST_A_STATS_PAD,

	/* private: */
	__DEVHOST_A_STATS_MAX,
	DEVHOST_A_STATS_MAX = __DEVHOST_A_STATS_MAX - 1
};

/**
 * enum devhost_vq_stats_attr - statistics of a queue since the device exists
 * @DEVHOST_A_VQ_INDEX: u32
 * @DEVHOST_A_VQ_NAME: string, the name that the specification gives the queue
 * @DEVHOST_A_VQ_KICKS: u64, notifications from the driver
 * @DEVHOST_A_VQ_POPPED: u64, chains taken
 * @DEVHOST_A_VQ_PUSHED: u64, chains returned
 * @DEVHOST_A_VQ_NOTIFIED: u64, notifications to the driver
 * @DEVHOST_A_VQ_MALFORMED: u64, chains returned unserved
 * @DEVHOST_A_VQ_INFLIGHT: u32, chains held now
 */
enum devhost_vq_stats_attr {
	DEVHOST_A_VQ_UNSPEC,
	DEVHOST_A_VQ_INDEX,
	DEVHOST_A_VQ_NAME,
	DEVHOST_A_VQ_KICKS,
	DEVHOST_A_VQ_POPPED,
	DEVHOST_A_VQ_PUSHED,
	DEVHOST_A_VQ_NOTIFIED,
	DEVHOST_A_VQ_MALFORMED,
	DEVHOST_A_VQ_INFLIGHT,
	DEVHOST_A_VQ_PAD,

	/* private: */
	__DEVHOST_A_VQ_MAX,
	DEVHOST_A_VQ_MAX = __DEVHOST_A_VQ_MAX - 1
};

/**
 * enum devhost_counter_attr - one counter of a device class
 * @DEVHOST_A_COUNTER_NAME: string
 * @DEVHOST_A_COUNTER_VALUE: u64
 */
enum devhost_counter_attr {
	DEVHOST_A_COUNTER_UNSPEC,
	DEVHOST_A_COUNTER_NAME,
	DEVHOST_A_COUNTER_VALUE,
	DEVHOST_A_COUNTER_PAD,

	/* private: */
	__DEVHOST_A_COUNTER_MAX,
	DEVHOST_A_COUNTER_MAX = __DEVHOST_A_COUNTER_MAX - 1
};

/**
 * enum devhost_resource_attr - a resource that a device shares out
 * @DEVHOST_A_RESOURCE_GUEST: string, name of the guest
 * @DEVHOST_A_RESOURCE_DEV: string, name of the device
 * @DEVHOST_A_RESOURCE_INDEX: u32, its number among those of the device (get)
 * @DEVHOST_A_RESOURCE_BACKEND: nest, attributes of the class, e.g.
 *	enum devhost_scmi_resource_attr (get)
 */
enum devhost_resource_attr {
	DEVHOST_A_RESOURCE_UNSPEC,
	DEVHOST_A_RESOURCE_GUEST,
	DEVHOST_A_RESOURCE_DEV,
	DEVHOST_A_RESOURCE_INDEX,
	DEVHOST_A_RESOURCE_BACKEND,

	/* private: */
	__DEVHOST_A_RESOURCE_MAX,
	DEVHOST_A_RESOURCE_MAX = __DEVHOST_A_RESOURCE_MAX - 1
};

/**
 * enum devhost_can_attr - backend of a CAN device
 * @DEVHOST_A_CAN_IFNAME: string, CAN interface of the initial network
 *	namespace; new and get
 * @DEVHOST_A_CAN_IFINDEX: u32, index of the interface while it exists (get)
 * @DEVHOST_A_CAN_WAIT: flag, create the device though the interface does not
 *	exist; it serves once an interface of that name appears (new)
 * @DEVHOST_A_CAN_RX_BACKLOG: u32, frames kept for a guest that is slow to give
 *	receive buffers, 16 .. 65536, default 1024; new and get
 * @DEVHOST_A_CAN_TX_INFLIGHT: u32, frames given to the interface and not yet
 *	echoed, 1 .. 1024, default 64; new and get
 * @DEVHOST_A_CAN_STATE: u32, enum devhost_can_state (get)
 */
enum devhost_can_attr {
	DEVHOST_A_CAN_UNSPEC,
	DEVHOST_A_CAN_IFNAME,
	DEVHOST_A_CAN_IFINDEX,
	DEVHOST_A_CAN_WAIT,
	DEVHOST_A_CAN_RX_BACKLOG,
	DEVHOST_A_CAN_TX_INFLIGHT,
	DEVHOST_A_CAN_STATE,

	/* private: */
	__DEVHOST_A_CAN_MAX,
	DEVHOST_A_CAN_MAX = __DEVHOST_A_CAN_MAX - 1
};

/**
 * enum devhost_can_state - the guest's virtual controller
 * @DEVHOST_CAN_STOPPED: the driver has not started it, or has stopped it
 * @DEVHOST_CAN_STARTED: takes part in the bus
 * @DEVHOST_CAN_BUSOFF: the bus is off or gone; the driver may start it again
 */
enum devhost_can_state {
	DEVHOST_CAN_STOPPED,
	DEVHOST_CAN_STARTED,
	DEVHOST_CAN_BUSOFF,
};

/* What a sound device can have. */
#define DEVHOST_SND_STREAMS_MAX		32
#define DEVHOST_SND_JACKS_MAX		16
#define DEVHOST_SND_CONTROLS_MAX	64

/**
 * enum devhost_snd_attr - backend of a sound device
 * @DEVHOST_A_SND_STREAM: nest of enum devhost_snd_stream_attr; one per stream,
 *	up to DEVHOST_SND_STREAMS_MAX: all of them, numbered in this order (new);
 *	those to be changed (set); all of them (get)
 * @DEVHOST_A_SND_JACK: nest of enum devhost_snd_jack_attr; likewise
 * @DEVHOST_A_SND_CONTROL: nest of enum devhost_snd_control_attr; likewise
 */
enum devhost_snd_attr {
	DEVHOST_A_SND_UNSPEC,
	DEVHOST_A_SND_STREAM,
	DEVHOST_A_SND_JACK,
	DEVHOST_A_SND_CONTROL,

	/* private: */
	__DEVHOST_A_SND_MAX,
	DEVHOST_A_SND_MAX = __DEVHOST_A_SND_MAX - 1
};

/**
 * enum devhost_snd_stream_attr - a stream
 * @DEVHOST_A_SND_STREAM_ID: u32, its number (set, get)
 * @DEVHOST_A_SND_STREAM_FD: u32, a PCM of the host, /dev/snd/pcmC*D*p or c, that
 *	the sender has opened with O_NONBLOCK; the device keeps the file, the
 *	sender closes its own descriptor. Gives the direction (new); replaces a
 *	PCM that is gone, or not, by one of the same direction (set)
 * @DEVHOST_A_SND_STREAM_NODE: u32, function group node: streams of a node are
 *	one PCM device of the guest, default 0; new and get
 * @DEVHOST_A_SND_STREAM_CHANNELS_MAX: u32, channels at most, 1 .. 255; new and
 *	get
 * @DEVHOST_A_SND_STREAM_RATE_MAX: u32, frames a second at most; new and get
 * @DEVHOST_A_SND_STREAM_PERIOD_MIN: u32, shortest period in microseconds; new
 *	and get
 * @DEVHOST_A_SND_STREAM_BUFFER_MAX: u32, largest buffer in bytes, 4096 ..
 *	16777216, default 4194304; new and get
 * @DEVHOST_A_SND_STREAM_DIRECTION: u32, enum devhost_snd_direction (get)
 * @DEVHOST_A_SND_STREAM_STATE: u32, enum devhost_snd_state (get)
 * @DEVHOST_A_SND_STREAM_CARD: u32, number of the host's card; with the next two
 *	absent while the stream has no PCM (get)
 * @DEVHOST_A_SND_STREAM_DEVICE: u32, number of the PCM device (get)
 * @DEVHOST_A_SND_STREAM_SUBDEVICE: u32, number of the substream (get)
 */
enum devhost_snd_stream_attr {
	DEVHOST_A_SND_STREAM_UNSPEC,
	DEVHOST_A_SND_STREAM_ID,
	DEVHOST_A_SND_STREAM_FD,
	DEVHOST_A_SND_STREAM_NODE,
	DEVHOST_A_SND_STREAM_CHANNELS_MAX,
	DEVHOST_A_SND_STREAM_RATE_MAX,
	DEVHOST_A_SND_STREAM_PERIOD_MIN,
	DEVHOST_A_SND_STREAM_BUFFER_MAX,
	DEVHOST_A_SND_STREAM_DIRECTION,
	DEVHOST_A_SND_STREAM_STATE,
	DEVHOST_A_SND_STREAM_CARD,
	DEVHOST_A_SND_STREAM_DEVICE,
	DEVHOST_A_SND_STREAM_SUBDEVICE,

	/* private: */
	__DEVHOST_A_SND_STREAM_MAX,
	DEVHOST_A_SND_STREAM_MAX = __DEVHOST_A_SND_STREAM_MAX - 1
};

/**
 * enum devhost_snd_direction - which way a stream goes
 * @DEVHOST_SND_PLAYBACK: from the guest
 * @DEVHOST_SND_CAPTURE: to the guest
 */
enum devhost_snd_direction {
	DEVHOST_SND_PLAYBACK,
	DEVHOST_SND_CAPTURE,
};

/**
 * enum devhost_snd_state - what the driver has made of a stream
 * @DEVHOST_SND_IDLE: nothing yet
 * @DEVHOST_SND_CONFIGURED: it has parameters
 * @DEVHOST_SND_PREPARED: ready to start
 * @DEVHOST_SND_RUNNING: started
 * @DEVHOST_SND_STOPPED: started and stopped
 */
enum devhost_snd_state {
	DEVHOST_SND_IDLE,
	DEVHOST_SND_CONFIGURED,
	DEVHOST_SND_PREPARED,
	DEVHOST_SND_RUNNING,
	DEVHOST_SND_STOPPED,
};

/**
 * enum devhost_snd_jack_attr - a jack
 * @DEVHOST_A_SND_JACK_ID: u32, its number (set, get)
 * @DEVHOST_A_SND_JACK_NODE: u32, function group node, default 0; new and get
 * @DEVHOST_A_SND_JACK_DEFCONF: u32, pin default configuration as the HD Audio
 *	specification has it: what kind of jack it is, and where; new and get
 * @DEVHOST_A_SND_JACK_CAPS: u32, pin capabilities as there; new and get
 * @DEVHOST_A_SND_JACK_CONNECTED: u32, whether something is plugged in, 0 or 1;
 *	new, set and get
 */
enum devhost_snd_jack_attr {
	DEVHOST_A_SND_JACK_UNSPEC,
	DEVHOST_A_SND_JACK_ID,
	DEVHOST_A_SND_JACK_NODE,
	DEVHOST_A_SND_JACK_DEFCONF,
	DEVHOST_A_SND_JACK_CAPS,
	DEVHOST_A_SND_JACK_CONNECTED,

	/* private: */
	__DEVHOST_A_SND_JACK_MAX,
	DEVHOST_A_SND_JACK_MAX = __DEVHOST_A_SND_JACK_MAX - 1
};

/**
 * enum devhost_snd_control_attr - a control element
 * @DEVHOST_A_SND_CONTROL_ID: u32, its number (set, get)
 * @DEVHOST_A_SND_CONTROL_FD: u32, /dev/snd/controlC* of the host's card, opened
 *	by the sender, which has subscribed to events on it; the same for all
 *	controls of a card. The device keeps the file and reads its events (new,
 *	set)
 * @DEVHOST_A_SND_CONTROL_NUMID: u32, the element's numid on that card; new, set
 *	and get
 * @DEVHOST_A_SND_CONTROL_ROLE: u32, what it is for, as virtio has it: 0 anything,
 *	else 2 volume, 4 mute, 6 gain, plus 1 for capture; new and get
 * @DEVHOST_A_SND_CONTROL_READ_ONLY: flag, the guest can't change it; new and get
 * @DEVHOST_A_SND_CONTROL_CARD: u32, number of the host's card, absent while it
 *	is gone (get)
 */
enum devhost_snd_control_attr {
	DEVHOST_A_SND_CONTROL_UNSPEC,
	DEVHOST_A_SND_CONTROL_ID,
	DEVHOST_A_SND_CONTROL_FD,
	DEVHOST_A_SND_CONTROL_NUMID,
	DEVHOST_A_SND_CONTROL_ROLE,
	DEVHOST_A_SND_CONTROL_READ_ONLY,
	DEVHOST_A_SND_CONTROL_CARD,

	/* private: */
	__DEVHOST_A_SND_CONTROL_MAX,
	DEVHOST_A_SND_CONTROL_MAX = __DEVHOST_A_SND_CONTROL_MAX - 1
};

/* Names of SCMI resources, with the final NUL. */
#define DEVHOST_SCMI_NAME_SIZE	64

/* Resources that one SCMI device can have. */
#define DEVHOST_SCMI_RESOURCES_MAX	512

/**
 * enum devhost_scmi_attr - backend of an SCMI device
 * @DEVHOST_A_SCMI_AGENT: string of at most 15 characters, how the agent is
 *	called to itself, by default as its guest; new and get
 * @DEVHOST_A_SCMI_RESOURCES: nest of enum devhost_scmi_resources_attr, what the
 *	guest has (new)
 * @DEVHOST_A_SCMI_NUM_RESOURCES: u32 (get)
 * @DEVHOST_A_SCMI_SYSTEM_POWER: flag, the guest may ask for system power
 *	states; new and get
 * @DEVHOST_A_SCMI_REQUEST: nest of enum devhost_scmi_request_attr, the last
 *	system power state that the guest asked for, if any (get)
 * @DEVHOST_A_SCMI_ANNOUNCE: nest of enum devhost_scmi_announce_attr, tell the
 *	guest of a system power transition (set)
 * @DEVHOST_A_SCMI_CEILING: nest of enum devhost_scmi_ceiling_attr, limit a
 *	resource of the host, for all guests (set)
 * @DEVHOST_A_SCMI_READING: nest of enum devhost_scmi_reading_attr, the value of
 *	a sensor that the kernel can't read (set)
 */
enum devhost_scmi_attr {
	DEVHOST_A_SCMI_UNSPEC,
	DEVHOST_A_SCMI_AGENT,
	DEVHOST_A_SCMI_RESOURCES,
	DEVHOST_A_SCMI_NUM_RESOURCES,
	DEVHOST_A_SCMI_SYSTEM_POWER,
	DEVHOST_A_SCMI_REQUEST,
	DEVHOST_A_SCMI_ANNOUNCE,
	DEVHOST_A_SCMI_CEILING,
	DEVHOST_A_SCMI_READING,

	/* private: */
	__DEVHOST_A_SCMI_MAX,
	DEVHOST_A_SCMI_MAX = __DEVHOST_A_SCMI_MAX - 1
};

/**
 * enum devhost_scmi_resources_attr - the resources of a new SCMI device
 * @DEVHOST_A_SCMI_RESOURCES_ITEM: nest of enum devhost_scmi_resource_attr, one
 *	for each; ids are given in this order, dense from 0 for each kind
 */
enum devhost_scmi_resources_attr {
	DEVHOST_A_SCMI_RESOURCES_UNSPEC,
	DEVHOST_A_SCMI_RESOURCES_ITEM,

	/* private: */
	__DEVHOST_A_SCMI_RESOURCES_MAX,
	DEVHOST_A_SCMI_RESOURCES_MAX = __DEVHOST_A_SCMI_RESOURCES_MAX - 1
};

/**
 * enum devhost_scmi_kind - kinds of SCMI resources
 * @DEVHOST_SCMI_POWER: power domain
 * @DEVHOST_SCMI_PERF: performance domain; levels are kHz
 * @DEVHOST_SCMI_CLOCK: clock; levels are Hz
 * @DEVHOST_SCMI_SENSOR: sensor
 * @DEVHOST_SCMI_RESET: reset domain; on while it is asserted
 * @DEVHOST_SCMI_VOLTAGE: voltage domain; levels are microvolts
 */
enum devhost_scmi_kind {
	DEVHOST_SCMI_POWER,
	DEVHOST_SCMI_PERF,
	DEVHOST_SCMI_CLOCK,
	DEVHOST_SCMI_SENSOR,
	DEVHOST_SCMI_RESET,
	DEVHOST_SCMI_VOLTAGE,

	/* private: */
	__DEVHOST_SCMI_KINDS
};

/**
 * enum devhost_scmi_source - where a resource of the host is looked for
 * @DEVHOST_SCMI_SOURCE_DEFAULT: as is usual for its kind: clocks, resets and
 *	supplies by name at a device; a power domain by name at a device with a
 *	device-tree node, else by the name of a platform device in it;
 *	performance levels by the operating points of a device; sensors by the
 *	name of a thermal zone
 * @DEVHOST_SCMI_SOURCE_CPUFREQ: performance of a processor, "cpu0"
 * @DEVHOST_SCMI_SOURCE_IIO: a sensor by its IIO channel's name at a device
 * @DEVHOST_SCMI_SOURCE_PUSHED: a sensor whose values come by netlink
 */
enum devhost_scmi_source {
	DEVHOST_SCMI_SOURCE_DEFAULT,
	DEVHOST_SCMI_SOURCE_CPUFREQ,
	DEVHOST_SCMI_SOURCE_IIO,
	DEVHOST_SCMI_SOURCE_PUSHED,

	/* private: */
	__DEVHOST_SCMI_SOURCES
};

/**
 * enum devhost_scmi_limit - why a resource does not do what is asked of it
 * @DEVHOST_SCMI_LIMIT_NONE: it does
 * @DEVHOST_SCMI_LIMIT_VOTES: another guest asks for more
 * @DEVHOST_SCMI_LIMIT_CEILING: the manager's ceiling
 */
enum devhost_scmi_limit {
	DEVHOST_SCMI_LIMIT_NONE,
	DEVHOST_SCMI_LIMIT_VOTES,
	DEVHOST_SCMI_LIMIT_CEILING,
};

/**
 * enum devhost_scmi_resource_attr - a resource as a guest has it
 * @DEVHOST_A_SCMI_RES_KIND: u32, enum devhost_scmi_kind; new and get
 * @DEVHOST_A_SCMI_RES_ID: u32, the guest's id of it (get)
 * @DEVHOST_A_SCMI_RES_NAME: string, the guest's name for it, by default the
 *	host's; new and get
 * @DEVHOST_A_SCMI_RES_HOST: string, the host's name for it; new and get
 * @DEVHOST_A_SCMI_RES_DEVICE: string, the platform device at which the name is
 *	looked up, by default the device of the node "devhost,scmi-resources" or,
 *	without one, "devhost-scmi"; new and get
 * @DEVHOST_A_SCMI_RES_SOURCE: u32, enum devhost_scmi_source; new and get
 * @DEVHOST_A_SCMI_RES_READ_ONLY: flag, the guest may look, not change; new and
 *	get
 * @DEVHOST_A_SCMI_RES_LEVEL_MIN: u64, least level that the guest may ask for; new and
 *	get
 * @DEVHOST_A_SCMI_RES_LEVEL_MAX: u64, highest; new and get
 * @DEVHOST_A_SCMI_RES_TYPE: u32, SCMI sensor type; new and get
 * @DEVHOST_A_SCMI_RES_SCALE: s32, power of ten of a sensor's values; new and get
 * @DEVHOST_A_SCMI_RES_VOTE_ON: flag, the guest wants it on (get)
 * @DEVHOST_A_SCMI_RES_VOTE_LEVEL: u64, the level that it wants, if any (get)
 * @DEVHOST_A_SCMI_RES_VOTE_SINCE: u64, when that last changed, in nanoseconds of
 *	CLOCK_BOOTTIME; absent where there is no vote (get)
 * @DEVHOST_A_SCMI_RES_ON: flag, the device host holds it on (get)
 * @DEVHOST_A_SCMI_RES_LEVEL: u64, the level that the device host has set (get)
 * @DEVHOST_A_SCMI_RES_CEILING: u64, the manager's, if any (get)
 * @DEVHOST_A_SCMI_RES_LIMIT: u32, enum devhost_scmi_limit: why this guest has
 *	not what it asked for (get)
 * @DEVHOST_A_SCMI_RES_HOLDERS: u32, guests that have a vote on it (get)
 */
enum devhost_scmi_resource_attr {
	DEVHOST_A_SCMI_RES_UNSPEC,
	DEVHOST_A_SCMI_RES_KIND,
	DEVHOST_A_SCMI_RES_ID,
	DEVHOST_A_SCMI_RES_NAME,
	DEVHOST_A_SCMI_RES_HOST,
	DEVHOST_A_SCMI_RES_DEVICE,
	DEVHOST_A_SCMI_RES_SOURCE,
	DEVHOST_A_SCMI_RES_READ_ONLY,
	DEVHOST_A_SCMI_RES_LEVEL_MIN,
	DEVHOST_A_SCMI_RES_LEVEL_MAX,
	DEVHOST_A_SCMI_RES_TYPE,
	DEVHOST_A_SCMI_RES_SCALE,
	DEVHOST_A_SCMI_RES_VOTE_ON,
	DEVHOST_A_SCMI_RES_VOTE_LEVEL,
	DEVHOST_A_SCMI_RES_VOTE_SINCE,
	DEVHOST_A_SCMI_RES_ON,
	DEVHOST_A_SCMI_RES_LEVEL,
	DEVHOST_A_SCMI_RES_CEILING,
	DEVHOST_A_SCMI_RES_LIMIT,
	DEVHOST_A_SCMI_RES_HOLDERS,
	DEVHOST_A_SCMI_RES_PAD,

	/* private: */
	__DEVHOST_A_SCMI_RES_MAX,
	DEVHOST_A_SCMI_RES_MAX = __DEVHOST_A_SCMI_RES_MAX - 1
};

/**
 * enum devhost_scmi_request_attr - a guest's request for a system power state
 * @DEVHOST_A_SCMI_REQUEST_STATE: u32, SCMI's system state
 * @DEVHOST_A_SCMI_REQUEST_FLAGS: u32, SCMI's flags: bit 0 for graceful
 * @DEVHOST_A_SCMI_REQUEST_SEQ: u32, counts the requests of the device
 * @DEVHOST_A_SCMI_REQUEST_SINCE: u64, nanoseconds of CLOCK_BOOTTIME
 */
enum devhost_scmi_request_attr {
	DEVHOST_A_SCMI_REQUEST_UNSPEC,
	DEVHOST_A_SCMI_REQUEST_STATE,
	DEVHOST_A_SCMI_REQUEST_FLAGS,
	DEVHOST_A_SCMI_REQUEST_SEQ,
	DEVHOST_A_SCMI_REQUEST_SINCE,
	DEVHOST_A_SCMI_REQUEST_PAD,

	/* private: */
	__DEVHOST_A_SCMI_REQUEST_MAX,
	DEVHOST_A_SCMI_REQUEST_MAX = __DEVHOST_A_SCMI_REQUEST_MAX - 1
};

/**
 * enum devhost_scmi_announce_attr - a system power transition to be announced
 * @DEVHOST_A_SCMI_ANNOUNCE_STATE: u32, SCMI's system state
 * @DEVHOST_A_SCMI_ANNOUNCE_FLAGS: u32, SCMI's flags, 0 where absent
 * @DEVHOST_A_SCMI_ANNOUNCE_TIMEOUT: u32, milliseconds, 0 where absent
 */
enum devhost_scmi_announce_attr {
	DEVHOST_A_SCMI_ANNOUNCE_UNSPEC,
	DEVHOST_A_SCMI_ANNOUNCE_STATE,
	DEVHOST_A_SCMI_ANNOUNCE_FLAGS,
	DEVHOST_A_SCMI_ANNOUNCE_TIMEOUT,

	/* private: */
	__DEVHOST_A_SCMI_ANNOUNCE_MAX,
	DEVHOST_A_SCMI_ANNOUNCE_MAX = __DEVHOST_A_SCMI_ANNOUNCE_MAX - 1
};

/**
 * enum devhost_scmi_ceiling_attr - a ceiling of a resource of the host
 * @DEVHOST_A_SCMI_CEILING_KIND: u32, enum devhost_scmi_kind
 * @DEVHOST_A_SCMI_CEILING_ID: u32, the id that this device's guest has for it
 * @DEVHOST_A_SCMI_CEILING_LEVEL: u64, the highest level; 0 keeps what has no
 *	levels off; absent: no ceiling
 */
enum devhost_scmi_ceiling_attr {
	DEVHOST_A_SCMI_CEILING_UNSPEC,
	DEVHOST_A_SCMI_CEILING_KIND,
	DEVHOST_A_SCMI_CEILING_ID,
	DEVHOST_A_SCMI_CEILING_LEVEL,

	/* private: */
	__DEVHOST_A_SCMI_CEILING_MAX,
	DEVHOST_A_SCMI_CEILING_MAX = __DEVHOST_A_SCMI_CEILING_MAX - 1
};

/**
 * enum devhost_scmi_reading_attr - a value of a sensor
 * @DEVHOST_A_SCMI_READING_ID: u32, the id that this device's guest has for it
 * @DEVHOST_A_SCMI_READING_VALUE: s64, in the sensor's scale
 */
enum devhost_scmi_reading_attr {
	DEVHOST_A_SCMI_READING_UNSPEC,
	DEVHOST_A_SCMI_READING_ID,
	DEVHOST_A_SCMI_READING_VALUE,

	/* private: */
	__DEVHOST_A_SCMI_READING_MAX,
	DEVHOST_A_SCMI_READING_MAX = __DEVHOST_A_SCMI_READING_MAX - 1
};

/* Streams that a video device can have at a time. */
#define DEVHOST_VIDEO_STREAMS_LIMIT	32

/**
 * enum devhost_video_attr - backend of a video device, class "video_decoder" or
 *	"video_encoder"
 * @DEVHOST_A_VIDEO_FD: u32, a codec of the host, /dev/video*, that the sender
 *	has opened to read and write; the device keeps the file and opens the
 *	same node again for each stream, the sender closes its own descriptor
 *	(new). On a live device whose codec is gone: another one in its place,
 *	which has to be able to do the same; -EBUSY while it has its codec (set)
 * @DEVHOST_A_VIDEO_STREAMS_MAX: u32, streams at a time, 1 ..
 *	DEVHOST_VIDEO_STREAMS_LIMIT, default 8; new and get
 * @DEVHOST_A_VIDEO_STREAMS: u32, streams now (get)
 * @DEVHOST_A_VIDEO_NODE: u32, number of the node: N of /dev/videoN; absent once
 *	the codec is gone (get)
 * @DEVHOST_A_VIDEO_NAME: string, the codec's name for itself (get)
 */
enum devhost_video_attr {
	DEVHOST_A_VIDEO_UNSPEC,
	DEVHOST_A_VIDEO_FD,
	DEVHOST_A_VIDEO_STREAMS_MAX,
	DEVHOST_A_VIDEO_STREAMS,
	DEVHOST_A_VIDEO_NODE,
	DEVHOST_A_VIDEO_NAME,

	/* private: */
	__DEVHOST_A_VIDEO_MAX,
	DEVHOST_A_VIDEO_MAX = __DEVHOST_A_VIDEO_MAX - 1
};

#endif /* _UAPI_LINUX_DEVHOST_H */
