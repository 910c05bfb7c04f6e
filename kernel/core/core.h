/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the core share.
 *
 *   main.c     module init, classes, PM and reboot notifiers
 *   vdpa.c     the vDPA parent: virtio status, features, queues, config
 *   vq.c       a queue at work: kicks, budget, notifications
 *   worker.c   the device's queue worker
 *   ring*.c    split and packed rings (ring.h)
 *   mem.c      guest memory (mem.h)
 *   guest.c    guests and their devices: creation, removal, lookup
 *   policy.c   struct_ops type, verdicts
 *   netlink.c  generic netlink family
 *   trace.h    tracepoints
 *
 * Locks, outermost first:
 *
 *   vdpa core's lock    held by the vdpa core around dev_del()
 *   devhost_lock        guests, their devices, classes
 *   dev->lock           virtio state of one device, start and stop
 *   dev->mem_lock       the current memory snapshot
 *
 * devhost_lock is never held across vdpa_register_device() or
 * vdpa_unregister_device().
 */
#ifndef _DEVHOST_CORE_H
#define _DEVHOST_CORE_H

#include <linux/mutex.h>
#include <linux/vdpa.h>

#include <devhost/device.h>
#include <devhost/policy.h>

#include "mem.h"
#include "ring.h"

struct devhost_policy;
struct genl_info;

/**
 * struct devhost_guest - a guest and what belongs to it
 * @list: in devhost_guests; devhost_lock
 * @devices: its devices; devhost_lock
 * @refs: one for the list, one for each device
 * @name: unique
 * @id: unique for ever
 * @num_devices: devhost_lock
 * @policy: the policy in force, NULL where none is
 * @policy_seq: counts attachments and replacements; devhost_lock
 * @pinned: bytes of guest memory held by its devices
 * @verdicts: per verdict, of all its devices, past ones included
 */
struct devhost_guest {
	struct list_head list;
	struct list_head devices;
	refcount_t refs;
	char name[DEVHOST_NAME_SIZE];
	u32 id;
	u32 num_devices;
	struct devhost_policy __rcu *policy;
	u32 policy_seq;
	atomic64_t pinned;
	atomic64_t verdicts[__DEVHOST_VERDICT_NUM];
};

/**
 * struct devhost_vq - a queue of a device
 * @dev: its device
 * @index: its number
 * @ring: the ring while the device runs
 * @ready: the driver enabled it; dev->lock to write
 * @live: the worker may touch the ring; dev->lock to write
 * @broken: cannot be parsed any more until reset; the worker's
 * @stalled: request() said DEVHOST_STALL; the worker's
 * @num: entries the driver wants; dev->lock
 * @desc_addr: descriptor area, guest address; dev->lock
 * @driver_addr: driver area; dev->lock
 * @device_addr: device area; dev->lock
 * @state: where to start, or where it stopped; dev->lock
 * @generation: of the map in which the areas were mapped; the worker's
 * @area: vmap()ed areas, NULL where they are contiguous anyway
 * @cb: notifies the driver; @cb_lock
 * @cb_lock: @cb against the VMM swapping it
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
	bool broken;
	bool stalled;
	u32 num;
	u64 desc_addr;
	u64 driver_addr;
	u64 device_addr;
	struct devhost_ring_state state;
	u64 generation;
	void *area[3];
	struct vdpa_callback cb;
	spinlock_t cb_lock;
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

/**
 * struct devhost_device - a virtio device
 * @vdpa: the vDPA device
 * @class: its kind
 * @guest: its guest; a reference
 * @list: in guest->devices; devhost_lock
 * @name: unique within the guest
 * @id: unique for ever
 * @dying: being removed; devhost_lock
 * @registered: known to the vdpa bus; devhost_lock
 * @policy_required: constant
 * @vq_size_max: constant
 * @features_mask: dev->lock
 * @lock: virtio state, start and stop
 * @open: a VMM has it open (as far as the parent can tell); @lock
 * @status: virtio status; @lock to write
 * @running: started; @lock to write
 * @suspended: by the VMM; @lock
 * @quiesced: by the host; @lock
 * @reason: why it is broken or quiesced, a constant string
 * @driver_features: negotiated; @lock, constant while running
 * @generation: of the configuration space
 * @config_cb: configuration interrupt; @config_lock
 * @config_lock: @config_cb
 * @pending: bit n: queue n was kicked; bit DEVHOST_CLASS_VQS + n: event n
 * @worker: the task that serves, NULL where none does; RCU
 * @worker_priv: the worker.c side
 * @map: current snapshot, never NULL; @mem_lock
 * @mem_lock: @map
 * @pass_map: the worker's reference during a pass
 * @counters: of the class
 * @verdicts: per verdict
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
	bool policy_required;
	u32 vq_size_max;
	u64 features_mask;

	struct mutex lock;
	bool open;
	u8 status;
	bool running;
	bool suspended;
	bool quiesced;
	const char *reason;
	u64 driver_features;
	u32 generation;
	struct vdpa_callback config_cb;
	spinlock_t config_lock;

	unsigned long pending;
	struct task_struct __rcu *worker;
	void *worker_priv;

	struct devhost_map *map;
	spinlock_t mem_lock;
	struct devhost_map *pass_map;

	atomic64_t *counters;
	atomic64_t verdicts[__DEVHOST_VERDICT_NUM];
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
struct devhost_guest *devhost_guest_find(const char *name);
struct devhost_guest *devhost_guest_find_id(u32 id);
int devhost_guest_new(const char *name, struct netlink_ext_ack *extack);
int devhost_guest_del(const char *name, bool force,
		      struct netlink_ext_ack *extack);
void devhost_guest_put(struct devhost_guest *guest);
struct devhost_device *devhost_device_find(struct devhost_guest *guest,
					   const char *name);
int devhost_device_new(const struct devhost_params *params,
		       struct netlink_ext_ack *extack);
int devhost_device_del(const char *guest, const char *name, bool force,
		       struct netlink_ext_ack *extack);
/* For the vdpa core's dev_del(), which holds its own lock. */
void devhost_device_del_vdpa(struct devhost_device *dev);
/* Removes all guests, for module exit. */
void devhost_guest_del_all(void);

/* vdpa.c */
int devhost_vdpa_init(void);
void devhost_vdpa_exit(void);
/* Allocates; the caller fills guest, name, class ops' create(), then adds. */
struct devhost_device *devhost_vdpa_alloc(struct devhost_class *class,
					  struct devhost_guest *guest,
					  const char *name);
int devhost_vdpa_add(struct devhost_device *dev);
/* Waits for the VMM to close the device. */
void devhost_vdpa_del(struct devhost_device *dev);
void devhost_vdpa_put(struct devhost_device *dev);
bool devhost_vdpa_in_use(struct devhost_device *dev);
enum devhost_dev_state devhost_vdpa_state(struct devhost_device *dev);
u64 devhost_vdpa_features(struct devhost_device *dev);
int devhost_vdpa_set_features_mask(struct devhost_device *dev, u64 mask);
/* Stop serving, by the host; DEVICE_NEEDS_RESET where @reset. */
void devhost_vdpa_quiesce(struct devhost_device *dev, const char *reason,
			  bool reset);
void devhost_vdpa_unquiesce(struct devhost_device *dev);
/* Thread id of the worker for the reader in current's pid namespace; 0: none. */
pid_t devhost_vdpa_worker(struct devhost_device *dev);

/* policy.c */
int devhost_policy_init(void);
/* The guest is going: forget its policy. */
void devhost_policy_detach(struct devhost_guest *guest);

/* netlink.c */
int devhost_netlink_init(void);
void devhost_netlink_exit(void);
void devhost_netlink_guest_event(struct devhost_guest *guest, u8 cmd);
void devhost_netlink_device_event(struct devhost_device *dev, u8 cmd);

#endif /* _DEVHOST_CORE_H */
