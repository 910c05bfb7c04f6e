/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the core share.
 *
 *   main.c     module init, classes, PM and reboot notifiers
 *   vdpa.c     the vDPA parent: virtio status, features, queues, config
 *   vdpa_dev.c how its devices come and go
 *   run.c      start, stop, suspend, quiesce
 *   vq.c       a queue at work: kicks, budget, notifications
 *   worker.c   the device's queue worker
 *   pool.c     helper threads for what sleeps
 *   ring*.c    split and packed rings (ring.h)
 *   mem.c      guest memory (mem.h)
 *   resource.c guest memory held beyond a pass
 *   guest.c    guests and their devices: creation, removal, lookup
 *   quota.c    what a guest may have at most
 *   policy.c   struct_ops type, verdicts
 *   denial.c   what policies are against is told
 *   netlink.c  generic netlink family: commands
 *   netlink_dump.c  its dumps
 *   netlink_event.c  its notifications
 *   netlink_form.c  what its messages tell of guests, devices, statistics
 *   trace.h    tracepoints
 *
 * Locks, outermost first:
 *
 *   vdpa core's lock    held by the vdpa core around dev_del()
 *   devhost_lock        guests, their devices, classes
 *   dev->lock           virtio state of one device, start and stop
 *   dev->run_lock       a pass of the worker, or nobody's pass
 *   dev->resource_lock  memory held beyond a pass
 *   dev->mem_lock       the current memory snapshot
 *
 * devhost_lock is never held across vdpa_register_device() or
 * vdpa_unregister_device().
 */
#ifndef _DEVHOST_CORE_H
#define _DEVHOST_CORE_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/vdpa.h>
#include <linux/workqueue.h>

#include <devhost/device.h>
#include <devhost/policy.h>

#include "mem.h"
#include "ring.h"

struct genl_family;
struct genl_info;

/* Bits of dev->pending beside those of queues and events. */
#define DEVHOST_PENDING_JOBS	(DEVHOST_CLASS_VQS + DEVHOST_EVENTS)
#define DEVHOST_PENDING_LOST	(DEVHOST_PENDING_JOBS + 1)
#define DEVHOST_PENDING_POLICY	(DEVHOST_PENDING_JOBS + 2)

/* Contiguous runs that a resource may consist of: 64 MiB of single pages. */
#define DEVHOST_RESOURCE_PIECES_MAX	16384
/* Bytes that a guest may have in dma-bufs, those it lost meanwhile included. */
#define DEVHOST_EXPORT_MAX		SZ_1G

/* Why a device is broken whose guest may not have the memory. */
#define DEVHOST_REASON_MEMORY	"the guest's memory is beyond its limit"

/* Bytes of the largest configuration space. */
#define DEVHOST_CONFIG_MAX	128

/**
 * struct devhost_limits - what a guest may have at most
 * @max: by enum devhost_limit_attr; 0 where there is no limit
 */
struct devhost_limits {
	u64 max[DEVHOST_A_LIMIT_MAX + 1];
};

/**
 * struct devhost_guest - a guest and what belongs to it
 * @list: in devhost_guests; devhost_lock
 * @devices: its devices; devhost_lock
 * @refs: one for the list, one for each device
 * @name: unique
 * @id: unique for ever, never 0
 * @num_devices: on @devices; devhost_lock
 * @num_queues: of @devices; devhost_lock
 * @dying: being removed with its devices; devhost_lock
 * @policy: the policy in force, NULL where none is
 * @policy_seq: counts attachments and replacements; devhost_lock
 * @limits: devhost_lock to write
 * @refused: how often a limit was in the way, by enum devhost_limit_attr
 * @mapped: bytes of guest memory that its devices have mapped now
 * @pinned: bytes of guest memory held by its devices, those included that are
 *	unmapped and still worked with
 * @exported: bytes in dma-bufs
 * @verdicts: per verdict, of devices that are gone; devhost_lock
 */
struct devhost_guest {
	struct list_head list;
	struct list_head devices;
	refcount_t refs;
	char name[DEVHOST_NAME_SIZE];
	u32 id;
	u32 num_devices;
	u32 num_queues;
	bool dying;
	const struct devhost_policy_ops __rcu *policy;
	u32 policy_seq;
	struct devhost_limits limits;
	atomic64_t refused[DEVHOST_A_LIMIT_MAX + 1];
	atomic64_t mapped;
	atomic64_t pinned;
	atomic64_t exported;
	u64 verdicts[__DEVHOST_VERDICT_NUM];
};

/**
 * enum devhost_vq_kind - what is done with a queue that was kicked
 * @DEVHOST_VQ_REQUESTS: its chains are requests
 * @DEVHOST_VQ_LIMITED: the same, and those in flight are counted
 * @DEVHOST_VQ_SUPPLY: the module takes its chains when it has something
 */
enum devhost_vq_kind {
	DEVHOST_VQ_REQUESTS,
	DEVHOST_VQ_LIMITED,
	DEVHOST_VQ_SUPPLY,
};

/**
 * struct devhost_vq - a queue of a device
 * @dev: its device
 * @index: its number
 * @ring: the ring while the device runs
 * @ready: the driver enabled it; dev->lock to write
 * @live: it has a ring; dev->run_lock
 * @started: the ring's areas have been found once; dev->run_lock
 * @broken: cannot be parsed any more until reset; dev->run_lock
 * @stalled: request() said DEVHOST_STALL
 * @starved: a supply queue was found empty; dev->run_lock
 * @kind: enum devhost_vq_kind; dev->run_lock
 * @wants: bytes of the chain that it waits with; dev->run_lock
 * @num: entries the driver wants; dev->lock
 * @addressed: the addresses are set; dev->lock
 * @desc_addr: descriptor area, guest address; dev->lock
 * @driver_addr: driver area; dev->lock
 * @device_addr: device area; dev->lock
 * @state: where to start, or where it stopped; dev->lock
 * @generation: of the snapshot in which the areas were found; dev->run_lock
 * @area: vmap()ed areas, NULL where they are contiguous anyway
 * @signalled: ring->pushed when the driver was last thought of
 * @cb: notifies the driver; dev->run_lock
 * @kicks: notifications from the driver
 * @notified: notifications to the driver
 * @total: ring statistics of past starts: popped, pushed, malformed
 */
struct devhost_vq {
	struct devhost_device *dev;
	unsigned int index;
	struct devhost_ring ring;
	bool ready;
	bool live;
	bool started;
	bool broken;
	bool stalled;
	bool starved;
	u8 kind;
	u64 wants;
	u32 num;
	bool addressed;
	u64 desc_addr;
	u64 driver_addr;
	u64 device_addr;
	struct devhost_ring_state state;
	u64 generation;
	void *area[3];
	u64 signalled;
	struct vdpa_callback cb;
	atomic64_t kicks;
	u64 notified;
	struct {
		u64 popped;
		u64 pushed;
		u64 malformed;
	} total;
};

/**
 * struct devhost_params - what a new device is made of
 * @guest: name of the guest
 * @name: name of the device
 * @class: name of the class
 * @features_mask: features that may be offered
 * @vq_size_max: entries a queue
 * @policy_required: serve nothing without a policy
 * @backend: DEVHOST_A_DEV_BACKEND or NULL
 */
struct devhost_params {
	const char *guest;
	const char *name;
	const char *class;
	u64 features_mask;
	u32 vq_size_max;
	bool policy_required;
	const struct nlattr *backend;
};

/* What policies are asked about. */
enum devhost_item_kind {
	DEVHOST_ITEM_CAN,
	DEVHOST_ITEM_SND,
	DEVHOST_ITEM_SCMI,
	DEVHOST_ITEM_VIDEO,
};

union devhost_item {
	struct devhost_policy_can can;
	struct devhost_policy_snd snd;
	struct devhost_policy_scmi scmi;
	struct devhost_policy_video video;
};

/**
 * struct devhost_denial - what is told of items that the policy is against
 * @item: the first of them
 * @kind: of @item
 * @verdict: enum devhost_verdict, of @item
 * @count: how many they are
 */
struct devhost_denial {
	union devhost_item item;
	enum devhost_item_kind kind;
	unsigned int verdict;
	u64 count;
};

/**
 * struct devhost_denials - those of a device that are not told yet
 * @lock: all but @work
 * @first: as in struct devhost_denial
 * @kind: as there
 * @verdict: as there
 * @count: as there; 0 where all is told
 * @next: when it may be told, in jiffies
 * @work: tells
 */
struct devhost_denials {
	spinlock_t lock;
	union devhost_item first;
	enum devhost_item_kind kind;
	unsigned int verdict;
	u64 count;
	unsigned long next;
	struct delayed_work work;
};

/**
 * struct devhost_device - a virtio device
 * @vdpa: the vDPA device
 * @class: its kind
 * @guest: its guest; a reference
 * @list: in guest->devices; devhost_lock
 * @name: unique within the guest
 * @id: unique for ever
 * @dying: somebody is removing it; devhost_lock to write
 * @registered: on the vdpa bus, with the class's create() done and destroy()
 *	not begun; devhost_lock to write. Others than guest.c leave the device
 *	alone where it is not set
 * @adder: the task that puts it on the vdpa bus, while it does
 * @added: done by then
 * @policy_required: constant
 * @vq_size_max: constant
 * @features_mask: dev->lock
 * @lock: virtio state, start and stop
 * @run_lock: held over a pass of the worker, and over what must not meet one
 * @serving: the worker may serve: running, not suspended, not quiesced;
 *	@run_lock
 * @open: a VMM has it open (as far as the parent can tell); @lock
 * @status: virtio status; @lock to write
 * @running: started; @lock to write
 * @waiting: bit n: queue n waits until fewer requests are in flight; @run_lock
 * @suspended: by the VMM; @lock
 * @quiesced: by the host; @lock
 * @paused: suspend() or hold() was called, resume() not yet; @run_lock
 * @held: the last of them was hold(); @run_lock
 * @identity: the host's own driver uses it, by physical address; @lock
 * @mapped: the VMM has mapped memory
 * @mapped_bytes: how much; its guest's account has it
 * @over_quota: the guest may not have what the VMM has mapped last
 * @config_pending: the configuration changed while it was suspended
 * @needs_reset: DEVICE_NEEDS_RESET is set
 * @reason: why it is broken or quiesced, a constant string
 * @driver_features: negotiated; @lock, constant while running
 * @generation: of the configuration space
 * @config_cb: configuration interrupt; @config_lock
 * @config_lock: @config_cb
 * @pending: bit n: queue n was kicked; bit DEVHOST_CLASS_VQS + n: event n;
 *	DEVHOST_PENDING_JOBS: jobs are done; DEVHOST_PENDING_LOST: resources
 *	are lost; DEVHOST_PENDING_POLICY: another policy is in force
 * @worker: the task that serves, NULL where none does; RCU
 * @on_call: who is woken to serve: @worker, or a helper in its place; RCU
 * @worker_priv: the worker.c side
 * @orphaned: stops the device after its worker was killed
 * @pool: jobs that sleep, NULL where there are none; @run_lock
 * @helpers: helper threads that have not ended, of past starts too
 * @map: current snapshot, never NULL; @mem_lock
 * @no_map: a snapshot without memory
 * @mem_lock: @map
 * @resources: memory held beyond a pass; @resource_lock
 * @resource_lock: @resources
 * @pass_map: the reference of the pass; @run_lock
 * @counters: of the class
 * @verdicts: per verdict
 * @denials: what its policy is against
 * @vqs: class->num_vqs queues
 * @priv: the module's, class->priv_size bytes
 */
struct devhost_device {
	struct vdpa_device vdpa;
	struct devhost_class *class;
	struct devhost_guest *guest;
	struct list_head list;
	char name[DEVHOST_NAME_SIZE];
	u32 id;
	bool dying;
	bool registered;
	struct task_struct *adder;
	struct completion added;
	bool policy_required;
	u32 vq_size_max;
	u64 features_mask;

	struct mutex lock;
	struct mutex run_lock;
	bool serving;
	bool open;
	u8 status;
	bool running;
	unsigned long waiting;
	bool suspended;
	bool quiesced;
	bool paused;
	bool held;
	bool identity;
	bool mapped;
	u64 mapped_bytes;
	bool over_quota;
	bool config_pending;
	bool needs_reset;
	const char *reason;
	u64 driver_features;
	atomic_t generation;
	struct vdpa_callback config_cb;
	spinlock_t config_lock;

	unsigned long pending;
	struct task_struct __rcu *worker;
	struct task_struct __rcu *on_call;
	void *worker_priv;
	struct work_struct orphaned;
	struct devhost_pool *pool;
	atomic_t helpers;

	struct devhost_map *map;
	struct devhost_map *no_map;
	spinlock_t mem_lock;
	struct list_head resources;
	spinlock_t resource_lock;
	struct devhost_map *pass_map;

	atomic64_t *counters;
	atomic64_t verdicts[__DEVHOST_VERDICT_NUM];
	struct devhost_denials denials;
	struct devhost_vq *vqs;
	void *priv;
};

static inline struct devhost_device *vdpa_to_devhost(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct devhost_device, vdpa);
}

/* main.c */
extern struct mutex devhost_lock;
extern struct list_head devhost_guests;
/* Loads vhost_<name> where needed; takes a module reference. */
struct devhost_class *devhost_class_get(const char *name,
					struct netlink_ext_ack *extack);
void devhost_class_put(struct devhost_class *class);

/* guest.c */
bool devhost_name_valid(const char *name);
/* The find functions want devhost_lock; device_find() finds registered ones. */
struct devhost_guest *devhost_guest_find(const char *name);
struct devhost_guest *devhost_guest_find_id(u32 id);
int devhost_guest_new(const char *name, const struct devhost_limits *limits,
		      struct netlink_ext_ack *extack);
int devhost_guest_del(const char *name, bool force,
		      struct netlink_ext_ack *extack);
void devhost_guest_put(struct devhost_guest *guest);
struct devhost_device *devhost_device_find(struct devhost_guest *guest,
					   const char *name);
/* The same by names; -ENOENT, with a message, where there is none. */
struct devhost_device *devhost_device_lookup(const char *guest_name,
					     const char *name,
					     struct netlink_ext_ack *extack);
int devhost_device_new(const struct devhost_params *params,
		       struct netlink_ext_ack *extack);
int devhost_device_del(const char *guest, const char *name, bool force,
		       struct netlink_ext_ack *extack);
/* Changes the feature mask, the backend, or nothing (NULL). */
int devhost_device_set(const char *guest, const char *name, const u64 *mask,
		       const struct nlattr *backend,
		       struct netlink_ext_ack *extack);
/* For the vdpa core's dev_del(), which holds its own lock. */
void devhost_device_del_vdpa(struct devhost_device *dev);
/* Removes all guests, for module exit. */
void devhost_guest_del_all(void);

/* vdpa_dev.c */
int devhost_vdpa_init(void);
void devhost_vdpa_exit(void);
/* Allocates; the caller calls the class's create(), then adds. */
struct devhost_device *
devhost_vdpa_alloc(struct devhost_class *class, struct devhost_guest *guest,
		   const struct devhost_params *params);
int devhost_vdpa_add(struct devhost_device *dev);
/* Waits for the VMM to close the device. */
void devhost_vdpa_del(struct devhost_device *dev);
void devhost_vdpa_put(struct devhost_device *dev);
void devhost_vdpa_free(struct vdpa_device *vdpa);

/* vdpa.c */
#define DEVHOST_FEATURES_NEEDED	(BIT_ULL(VIRTIO_F_VERSION_1) |		\
				 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))
#define DEVHOST_FEATURES	(DEVHOST_FEATURES_NEEDED |		\
				 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |	\
				 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |	\
				 BIT_ULL(VIRTIO_F_RING_PACKED))
extern const struct vdpa_config_ops devhost_vdpa_ops;
void devhost_vdpa_reset_vq(struct devhost_vq *vq);
bool devhost_vdpa_in_use(struct devhost_device *dev);
enum devhost_dev_state devhost_vdpa_state(struct devhost_device *dev);
u64 devhost_vdpa_features(struct devhost_device *dev);
int devhost_vdpa_set_features_mask(struct devhost_device *dev, u64 mask);
/* Thread id of the worker for the reader in current's pid namespace; 0: none. */
pid_t devhost_vdpa_worker(struct devhost_device *dev);

/* It is the host's own driver that uses the device. */
bool devhost_host_driver(struct devhost_device *dev);
/* Tells netlink's listeners. */
void devhost_changed(struct devhost_device *dev);
void devhost_config_interrupt(struct devhost_device *dev);
void devhost_swap_map(struct devhost_device *dev, struct devhost_map *map);

/* run.c; start and stop with dev->lock held */

/**
 * enum devhost_quiesce - how the host stops a device
 * @DEVHOST_QUIESCE_HOLD: until devhost_unquiesce(); a module that can keeps its
 *	requests
 * @DEVHOST_QUIESCE_END: for good
 * @DEVHOST_QUIESCE_RESET: for good, and the driver is asked for a reset
 */
enum devhost_quiesce {
	DEVHOST_QUIESCE_HOLD,
	DEVHOST_QUIESCE_END,
	DEVHOST_QUIESCE_RESET,
};

int devhost_start(struct devhost_device *dev);
void devhost_stop(struct devhost_device *dev);
void devhost_suspend(struct devhost_device *dev);
void devhost_resume(struct devhost_device *dev);
/* Stop serving, by the host; DEVICE_NEEDS_RESET where @reset. */
void devhost_quiesce(struct devhost_device *dev, const char *reason,
		     enum devhost_quiesce how);
void devhost_unquiesce(struct devhost_device *dev, const char *reason);

/* worker.c */
int devhost_worker_start(struct devhost_device *dev, bool host);
void devhost_worker_stop(struct devhost_device *dev);
void devhost_worker_orphaned(struct work_struct *work);
void devhost_wake(struct devhost_device *dev, unsigned int bit);
void devhost_worker_call(struct devhost_device *dev);
void devhost_worker_relieve(struct devhost_device *dev, struct task_struct *from,
			    struct task_struct *to);

/* pool.c */
void devhost_pool_reap(struct devhost_device *dev);
void devhost_pool_stop(struct devhost_device *dev);
void devhost_pool_wait(struct devhost_device *dev);

/* resource.c */
void devhost_resources_check(struct devhost_device *dev);
void devhost_resources_tell(struct devhost_device *dev);

/* vq.c */
void devhost_vq_pass(struct devhost_device *dev);
bool devhost_vq_try_pass(struct devhost_device *dev);
int devhost_vq_start(struct devhost_vq *vq);
void devhost_vq_stop(struct devhost_vq *vq);
void devhost_vq_pause(struct devhost_device *dev, bool keep);

/* quota.c */
int devhost_guest_set(const char *name, const struct devhost_limits *limits,
		      struct netlink_ext_ack *extack);
int devhost_quota_device(struct devhost_guest *guest,
			 const struct devhost_class *class,
			 struct netlink_ext_ack *extack);
int devhost_quota_map(struct devhost_device *dev, u64 bytes);
void devhost_quota_unmap(struct devhost_device *dev);
u32 devhost_quota_ring_size(const struct devhost_device *dev);
bool devhost_quota_ring(const struct devhost_vq *vq);
void devhost_quota_add(struct devhost_device *dev);
void devhost_quota_drop(struct devhost_device *dev);
int devhost_quota_request(struct devhost_vq *vq, struct devhost_chain *chain);
void devhost_quota_release(struct devhost_device *dev);
u64 devhost_quota_use(struct devhost_guest *guest, unsigned int limit);

/* policy.c */
int devhost_policy_init(void);
/* The guest is going: forget its policy. */
void devhost_policy_detach(struct devhost_guest *guest);

/* denial.c */
void devhost_denied(struct devhost_device *dev, unsigned int verdict,
		    enum devhost_item_kind kind,
		    const union devhost_item *item);
void devhost_denials_init(struct devhost_device *dev);
void devhost_denials_finish(struct devhost_device *dev);
int devhost_put_denial(struct sk_buff *msg, const struct devhost_denial *denial);

/* Bytes of a netlink message: enough for statistics of the largest class. */
#define DEVHOST_MSG_SIZE	SZ_8K

/* netlink.c */
extern struct genl_family devhost_family;
int devhost_netlink_init(void);
void devhost_netlink_exit(void);

/* netlink_event.c */
enum devhost_group {
	DEVHOST_GROUP_EVENTS,
	DEVHOST_GROUP_POWER,
	DEVHOST_GROUP_DENIALS,
};

/* The groups exist; without them nothing is told. */
void devhost_netlink_events(bool on);
/* With devhost_lock held. */
void devhost_netlink_guest_event(struct devhost_guest *guest, u8 cmd);
/* Process context; dev->lock may be held. Nothing happens before registration. */
void devhost_netlink_device_event(struct devhost_device *dev, u8 cmd);

/* Any context. */
bool devhost_netlink_denials_heard(void);
void devhost_netlink_denial(struct devhost_device *dev,
			    const struct devhost_denial *denial);

/* netlink_dump.c */
int devhost_guest_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int devhost_dev_get_start(struct netlink_callback *cb);
int devhost_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int devhost_stats_get_start(struct netlink_callback *cb);
int devhost_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int devhost_resource_get_start(struct netlink_callback *cb);
int devhost_resource_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);

/* netlink_form.c; all with devhost_lock held or, for events, dev->lock. */
typedef int devhost_device_form(struct sk_buff *msg,
				const struct genl_info *info, int flags,
				struct devhost_device *dev);
int devhost_form_guest(struct sk_buff *msg, const struct genl_info *info,
		       int flags, struct devhost_guest *guest);
devhost_device_form devhost_form_device;
devhost_device_form devhost_form_stats;
int devhost_form_resource(struct sk_buff *msg, const struct genl_info *info,
			  int flags, struct devhost_device *dev,
			  unsigned int index);
int devhost_form_denial(struct sk_buff *msg, const struct genl_info *info,
			const struct devhost_device *dev,
			const struct devhost_denial *denial);

#endif /* _DEVHOST_CORE_H */
