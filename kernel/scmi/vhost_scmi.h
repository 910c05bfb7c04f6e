/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhost_scmi: an SCMI platform for guests, on the host's power resources.
 *
 *   main.c       the device class: creation, start, stop, netlink attributes
 *   view.c       what a guest has: its resources by kind and id
 *   dispatch.c   cmdq: checks commands by the protocols' tables, runs them
 *   event.c      eventq: notifications and delayed responses
 *   base.c power.c system.c perf.c clock.c sensor.c reset.c voltage.c
 *                the protocols: one table of messages each
 *   watch.c      sensors that a guest watches: trip points, updates
 *   host.c       resources of the host, shared by the guests that have them
 *   vote.c       votes, and what they make a resource do
 *   arbitrate.h  the arbitration function
 *   tell.c       what the manager is told
 *   host_*.c     the kernel's consumer APIs, one file each
 *
 * A command runs on the queue worker where it can't sleep, else on one of the
 * device's helper threads. It works on a private copy of its parameters, never
 * on the chain. What changes a resource is a vote; applying it sleeps.
 *
 * Locks, outermost first:
 *
 *   vscmi_hosts_lock   the list of the host's resources
 *   host->apply        applying votes to one resource; sleeps as long as it does
 *   host->lock         votes and state of one resource; never sleeps
 *   vs->event_lock     notifications of one device
 *
 * A device that is reset must not wait for a resource that is slow: its votes
 * are gone at once, and a work item of the module applies what is left.
 */
#ifndef _VHOST_SCMI_H
#define _VHOST_SCMI_H

#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>

#include <devhost/device.h>
#include <devhost/policy.h>

#include "arbitrate.h"
#include "virtio_scmi.h"

/* What a handler returns to be called again on a helper thread, where it may sleep. */
#define VSCMI_DEFER		1

/* Bytes of parameters of the longest command, and one more to tell a longer one. */
#define VSCMI_PARAMS_MAX	32
/* Bytes of return values behind the status: what Linux has room for. */
#define VSCMI_RET_MAX		128
/* Delayed responses owed to one guest. */
#define VSCMI_DELAYED_MAX	32
/* Trip points a sensor. */
#define VSCMI_TRIPS		4
/* Levels that are listed one by one. */
#define VSCMI_LEVELS_MAX	256
/* The agent ids that a guest sees: itself, and the platform. */
#define VSCMI_AGENT_PLATFORM	0
#define VSCMI_AGENT_SELF	1

/* Events for the worker */
enum {
	VSCMI_EVENT_NOTIFY,	/* notifications are pending */
	VSCMI_EVENT_POLL,	/* look at sensors */
};

enum vscmi_counter {
	VSCMI_COMMANDS,
	VSCMI_REFUSED,
	VSCMI_DENIED,
	VSCMI_DEFERRED,
	VSCMI_NOTIFICATIONS,
	VSCMI_NOTIFICATIONS_MERGED,
	VSCMI_DELAYED_RESPONSES,
	VSCMI_EVENTS_TOO_SMALL,

	VSCMI_COUNTERS
};

struct vscmi;
struct vscmi_call;
struct vscmi_host;
struct vscmi_proto;
struct vscmi_msg;
struct vscmi_view;
struct vscmi_watch;

/**
 * struct vscmi_host_ops - how the host's kernel is asked
 * @get: find the resource by host->name at host->dev; set @priv, @min, @max,
 *	@levels, @base and @now as far as there are any
 * @put: let it go; it is off by then
 * @set_on: hold it on, or no longer
 * @set_level: set its level
 * @read: its real level or value now
 * @is_on: whether it is really on; sleeps for supplies only
 * @pulse: reset it once
 *
 * All but @is_on run in process context, may sleep, and one at a time under
 * host->apply, except @read. Those that a kind has no use for are left out.
 */
struct vscmi_host_ops {
	int (*get)(struct vscmi_host *host, struct netlink_ext_ack *extack);
	void (*put)(struct vscmi_host *host);
	int (*set_on)(struct vscmi_host *host, bool on);
	int (*set_level)(struct vscmi_host *host, u64 level);
	int (*read)(struct vscmi_host *host, s64 *value);
	bool (*is_on)(struct vscmi_host *host);
	int (*pulse)(struct vscmi_host *host);
};

/**
 * struct vscmi_host - a resource of the host
 * @list: in the list of all; vscmi_hosts_lock
 * @refs: views of it; vscmi_hosts_lock
 * @kind: what it is
 * @source: where it was found
 * @name: the host's name for it
 * @dev: the device at which it was found, or NULL; a reference
 * @ops: how to use it
 * @priv: what @ops work with
 * @min: least level
 * @max: highest level
 * @levels: levels, ascending; NULL where there are all in between
 * @num_levels: number of @levels
 * @step: between levels that are not listed
 * @base: the level when nobody wants one
 * @type: of a sensor, as SCMI has it
 * @scale: of a sensor, power of ten
 * @lock: all below but @apply and @work
 * @views: guests' views of it; changes need @apply, too
 * @ceiling: the manager's
 * @now: what is applied
 * @actual: the rate that a clock really has; READ_ONCE()
 * @pushed: value of a sensor that is pushed
 * @pushes: how many values there were, from 1 on
 * @apply: applies votes
 * @work: applies votes when nobody else does
 */
struct vscmi_host {
	struct list_head list;
	unsigned int refs;
	enum devhost_scmi_kind kind;
	enum devhost_scmi_source source;
	char name[DEVHOST_SCMI_NAME_SIZE];
	struct device *dev;
	const struct vscmi_host_ops *ops;
	void *priv;
	u64 min;
	u64 max;
	u64 *levels;
	unsigned int num_levels;
	u64 step;
	u64 base;
	u32 type;
	s32 scale;

	spinlock_t lock; /* votes and state */
	struct list_head views;
	u64 ceiling;
	struct vscmi_state now;
	u64 actual;
	s64 pushed;
	u32 pushes;

	struct mutex apply; /* applying votes */
	struct work_struct work;
};

/**
 * struct vscmi_view - a resource as a guest has it
 * @vs: the guest's device
 * @host: the resource
 * @list: in host->views
 * @index: among all of the device
 * @id: the guest's
 * @name: the guest's
 * @read_only: it may look, not change
 * @min: least level that it may ask for
 * @max: highest
 * @vote: what it wants; host->lock
 * @subscribed: a bit for each notification that it asked for; host->lock
 * @pending: a bit for each notification that is due; vs->event_lock
 * @by_self: of @pending, those that the guest caused itself; vs->event_lock
 * @asked: level or state that was last asked for by anybody; vs->event_lock
 * @changed: the manager is to be told
 * @watch: of a sensor, else NULL; see watch.h
 */
struct vscmi_view {
	struct vscmi *vs;
	struct vscmi_host *host;
	struct list_head list;
	unsigned int index;
	u32 id;
	char name[DEVHOST_SCMI_NAME_SIZE];
	bool read_only;
	u64 min;
	u64 max;
	struct vscmi_vote vote;
	unsigned long subscribed;
	unsigned long pending;
	unsigned long by_self;
	u64 asked;
	bool changed;
	struct vscmi_watch *watch;
};

/**
 * struct vscmi_call - a command
 * @job: runs it where it sleeps
 * @list: in vs->delayed
 * @vs: the device
 * @chain: the request, while it is kept; not for handlers
 * @proto: its protocol
 * @msg: its message
 * @view: the resource that it is about
 * @hdr: as the guest sent it
 * @generation: of the device
 * @helper: runs on a helper thread
 * @delayed: is answered at once, and once more when it is done
 * @silent: ... or not once more
 * @status: what it came to
 * @len: of @ret
 * @room: for @ret
 * @num_params: bytes of @params that there are
 * @params: what the guest sent
 * @ret: return values behind the status
 */
struct vscmi_call {
	struct devhost_job job;
	struct list_head list;
	struct vscmi *vs;
	struct devhost_chain *chain;
	const struct vscmi_proto *proto;
	const struct vscmi_msg *msg;
	struct vscmi_view *view;
	u32 hdr;
	u32 generation;
	bool helper;
	bool delayed;
	bool silent;
	s32 status;
	u32 len;
	u32 room;
	u32 num_params;
	u8 params[VSCMI_PARAMS_MAX];
	u8 ret[VSCMI_RET_MAX];
};

/* Flags of messages */
#define VSCMI_CHANGE	BIT(0)	/* refused where the resource is read-only */
#define VSCMI_NOTIFY	BIT(1)	/* asks for notifications */

/* Where in the parameters something is, so that 0 is nowhere */
#define VSCMI_AT(offset)	((offset) + 1)

/**
 * struct vscmi_msg - a message of a protocol
 * @run: serves it; returns a status or VSCMI_DEFER. On the worker it must not
 *	sleep
 * @min: bytes of parameters
 * @max: the same where newer versions have more, 0: as @min
 * @resource: VSCMI_AT() the id of the resource that it is about
 * @value: VSCMI_AT() what the resource is to be set to
 * @wide: @value has 64 bits
 * @flags: VSCMI_CHANGE, VSCMI_NOTIFY
 */
struct vscmi_msg {
	s32 (*run)(struct vscmi_call *call);
	u8 min;
	u8 max;
	u8 resource;
	u8 value;
	bool wide;
	u8 flags;
};

/**
 * struct vscmi_proto - a protocol
 * @id: SCMI's
 * @version: the one that is spoken
 * @kind: what its resources are; __DEVHOST_SCMI_KINDS where it has none
 * @msgs: its messages by id, those of all protocols left out
 * @num_msgs: number of @msgs
 * @event: put the payload of notification @id into @payload, VSCMI_RET_MAX
 *	bytes; returns its length, 0 where there is nothing to tell any more
 * @sent: notification @id was sent; returns whether there is another one
 */
struct vscmi_proto {
	u8 id;
	u32 version;
	enum devhost_scmi_kind kind;
	const struct vscmi_msg *msgs;
	unsigned int num_msgs;
	size_t (*event)(struct vscmi_view *view, unsigned int id, u32 agent,
			u8 *payload);
	bool (*sent)(struct vscmi_view *view, unsigned int id);
};

/**
 * struct vscmi_request - a request for a system power state; vs->event_lock
 * @seq: counts requests
 * @state: asked for
 * @flags: SCMI's
 * @since: when, in nanoseconds of CLOCK_BOOTTIME
 */
struct vscmi_request {
	u32 seq;
	u32 state;
	u32 flags;
	u64 since;
};

/**
 * struct vscmi_platform - what concerns the platform as a whole; vs->event_lock
 * @tell_errors: the guest wants to hear of its errors
 * @errors: not told yet
 * @error: the last of them: status and command
 * @tell_system: the guest wants to hear of system power transitions
 * @announced: there is one that it has not been told of
 * @state: SCMI's state of it
 * @flags: SCMI's flags of it
 * @timeout: milliseconds
 */
struct vscmi_platform {
	bool tell_errors;
	u32 errors;
	u64 error;
	bool tell_system;
	bool announced;
	u32 state;
	u32 flags;
	u32 timeout;
};

/**
 * struct vscmi - a device
 * @dev: the core's side of it
 * @agent: how the agent is called
 * @system_power: it has the system power protocol
 * @p2a: P2A_CHANNELS was negotiated
 * @live: between start() and stop(); host->lock of any, or vs->event_lock
 * @generation: counts stops; host->lock of any resource that a vote is for
 * @views: all resources, in order of kind and id
 * @num_views: number of @views
 * @first: index of the first of a kind
 * @num: number of a kind
 * @call: the command at hand; the worker's
 * @stalled: a command that waits for room among the helpers; the worker's
 * @spare: room for the next command that sleeps, or NULL; the worker's
 * @delayed: delayed responses that are due; the worker's
 * @num_delayed: asked for and not sent; the worker's
 * @budget: buffers that may be used before the other queue has a turn; the
 *	worker's
 * @timer: look at sensors
 * @event_lock: notifications
 * @due: a bit for each view with notifications pending; @event_lock
 * @platform: of the platform as a whole; @event_lock
 * @request: for a system power state; @event_lock
 * @requested: the manager is to be told of @request
 * @tell: tells the manager
 */
struct vscmi {
	struct devhost_device *dev;
	char agent[SCMI_SHORT_NAME_SIZE];
	bool system_power;
	bool p2a;
	bool live;
	u32 generation;
	struct vscmi_view **views;
	unsigned int num_views;
	unsigned int first[__DEVHOST_SCMI_KINDS];
	unsigned int num[__DEVHOST_SCMI_KINDS];
	struct vscmi_call call;
	struct vscmi_call *stalled;
	struct vscmi_call *spare;
	struct list_head delayed;
	unsigned int num_delayed;
	unsigned int budget;
	struct timer_list timer;
	spinlock_t event_lock; /* notifications */
	unsigned long *due;
	struct vscmi_platform platform;
	struct vscmi_request request;
	bool requested;
	struct delayed_work tell;
};

static inline u32 vscmi_param(const struct vscmi_call *call, unsigned int at)
{
	return get_unaligned_le32(call->params + at);
}

static inline u64 vscmi_param64(const struct vscmi_call *call, unsigned int at)
{
	return get_unaligned_le64(call->params + at);
}

static inline void vscmi_put32(struct vscmi_call *call, u32 value)
{
	put_unaligned_le32(value, call->ret + call->len);
	call->len += sizeof(value);
}

static inline void vscmi_put64(struct vscmi_call *call, u64 value)
{
	put_unaligned_le64(value, call->ret + call->len);
	call->len += sizeof(value);
}

/* A name is cut to @size, always with a NUL, and filled up with them. */
static inline void vscmi_put_name(struct vscmi_call *call, const char *name,
				  size_t size)
{
	strscpy_pad(call->ret + call->len, name, size);
	call->len += size;
}

static inline bool vscmi_long_name(const struct vscmi_view *view)
{
	return strlen(view->name) >= SCMI_SHORT_NAME_SIZE;
}

/* Whether the device has not been reset since the command came. */
static inline bool vscmi_current(const struct vscmi_call *call)
{
	return call->generation == READ_ONCE(call->vs->generation);
}

/* The bit of a feature that only exists where the guest can hear of it. */
static inline u32 vscmi_if_p2a(const struct vscmi_call *call, u32 bit)
{
	return call->vs->p2a ? bit : 0;
}

static inline unsigned int vscmi_count(const struct vscmi_call *call)
{
	return call->vs->num[call->proto->kind];
}

/* view.c */
int vscmi_view_create(struct vscmi *vs, const struct nlattr *resources,
		      struct netlink_ext_ack *extack);
void vscmi_view_destroy(struct vscmi *vs);
void vscmi_view_reset(struct vscmi *vs);
struct vscmi_view *vscmi_view_find(struct vscmi *vs, enum devhost_scmi_kind kind,
				   u32 id);
int vscmi_view_fill(struct vscmi_view *view, struct sk_buff *msg);

/* dispatch.c */
enum devhost_answer vscmi_dispatch(struct vscmi *vs, struct devhost_chain *chain);
void vscmi_dispatch_reset(struct vscmi *vs);
const struct vscmi_proto *vscmi_protocol(const struct vscmi *vs, u8 id);
s32 vscmi_status(int err);
/* Handlers that protocols have in common */
s32 vscmi_name_get(struct vscmi_call *call);
s32 vscmi_subscribe(struct vscmi_call *call, unsigned int event);

/* event.c */
void vscmi_event_raise(struct vscmi_view *view, unsigned int event, u64 asked,
		       const struct vscmi *cause);
void vscmi_event_error(struct vscmi *vs, u32 hdr, s32 status);
void vscmi_event_announce(struct vscmi *vs, u32 state, u32 flags, u32 timeout);
void vscmi_event_deliver(struct vscmi *vs);
void vscmi_event_delayed(struct vscmi_call *call);
void vscmi_event_reset(struct vscmi *vs);
int vscmi_event_create(struct vscmi *vs);
void vscmi_event_destroy(struct vscmi *vs);

/* host.c */
int vscmi_hosts_init(void);
void vscmi_hosts_exit(void);
struct vscmi_host *vscmi_host_get(enum devhost_scmi_kind kind,
				  enum devhost_scmi_source source,
				  const char *name, const char *device,
				  struct netlink_ext_ack *extack);
void vscmi_host_put(struct vscmi_host *host);
void vscmi_host_work_later(struct vscmi_host *host);
extern struct workqueue_struct *vscmi_workqueue;
void vscmi_host_rate(struct vscmi_host *host, u64 rate);
bool vscmi_host_on(struct vscmi_host *host);
int vscmi_host_levels_alloc(struct vscmi_host *host, unsigned int num);
int vscmi_host_levels_done(struct vscmi_host *host);

/* vote.c */
enum {
	VSCMI_VOTE_ON = BIT(0),
	VSCMI_VOTE_LEVEL = BIT(1),
	VSCMI_VOTE_MIN = BIT(2),
	VSCMI_VOTE_MAX = BIT(3),
};

s32 vscmi_vote(struct vscmi_call *call, unsigned int what,
	       const struct vscmi_vote *vote);
s32 vscmi_vote_on(struct vscmi_call *call, bool on);
s32 vscmi_vote_for_level(struct vscmi_call *call, u64 level);
s32 vscmi_votes_give_up(struct vscmi_call *call);
void vscmi_votes_withdraw(struct vscmi *vs);
void vscmi_vote_read(struct vscmi_view *view, struct vscmi_vote *vote,
		     struct vscmi_state *now);
int vscmi_votes_apply(struct vscmi_host *host);
void vscmi_ceiling_set(struct vscmi_host *host, u64 ceiling);
int vscmi_votes_fill(struct vscmi_view *view, struct sk_buff *msg);

/* tell.c */
void vscmi_tell_create(struct vscmi *vs);
void vscmi_tell_stop(struct vscmi *vs);
void vscmi_tell(struct vscmi_view *view);
void vscmi_tell_request(struct vscmi *vs);

/* watch.c */
int vscmi_watch_create(struct vscmi_view *view);
void vscmi_watch_reset(struct vscmi *vs);
void vscmi_watch_poll(struct vscmi *vs);
void vscmi_watch_timer(struct timer_list *timer);
void vscmi_watch_push(struct vscmi_view *view, s64 value);

/* The protocols */
extern const struct vscmi_proto vscmi_base;
extern const struct vscmi_proto vscmi_power;
extern const struct vscmi_proto vscmi_system;
extern const struct vscmi_proto vscmi_perf;
extern const struct vscmi_proto vscmi_clock;
extern const struct vscmi_proto vscmi_sensor;
extern const struct vscmi_proto vscmi_reset;
extern const struct vscmi_proto vscmi_voltage;

/* host_*.c */
extern const struct vscmi_host_ops vscmi_host_clk;
extern const struct vscmi_host_ops vscmi_host_reset;
extern const struct vscmi_host_ops vscmi_host_power;
extern const struct vscmi_host_ops vscmi_host_opp;
extern const struct vscmi_host_ops vscmi_host_cpufreq;
extern const struct vscmi_host_ops vscmi_host_regulator;
extern const struct vscmi_host_ops vscmi_host_thermal;
extern const struct vscmi_host_ops vscmi_host_iio;
extern const struct vscmi_host_ops vscmi_host_pushed;

#endif /* _VHOST_SCMI_H */
