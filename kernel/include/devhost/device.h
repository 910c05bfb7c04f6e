/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device module may call. A module translates one virtio protocol to
 * one host subsystem; rings, guest memory, workers and everything else virtio
 * belong to the core.
 *
 * Contexts: unless a callback says otherwise it runs in process context and may
 * sleep. request(), refill() and work() run on the device's queue worker, one
 * at a time; create(), destroy(), start(), stop(), suspend(), hold() and resume()
 * run one at a time with the worker stopped or parked, so none of them ever
 * races with another.
 */
#ifndef _DEVHOST_DEVICE_H
#define _DEVHOST_DEVICE_H

#include <linux/module.h>
#include <linux/types.h>
#include <linux/virtio_config.h>
#include <net/netlink.h>

#include <uapi/linux/devhost.h>

struct devhost_chain;
struct devhost_device;
struct devhost_resource;
struct devhost_vq;
struct dma_buf;

/**
 * enum devhost_answer - what became of a request
 * @DEVHOST_COMPLETE: served; the core returns the chain with what was written
 * @DEVHOST_REJECT: cannot be served nor answered in the protocol; the core
 *	returns the chain with length 0 and counts it as malformed
 * @DEVHOST_KEEP: the module keeps the chain and calls devhost_chain_complete()
 *	on the worker later
 * @DEVHOST_STALL: no room now; the core puts the chain back and leaves the
 *	queue alone until devhost_vq_resume()
 */
enum devhost_answer {
	DEVHOST_COMPLETE,
	DEVHOST_REJECT,
	DEVHOST_KEEP,
	DEVHOST_STALL,
};

/**
 * struct devhost_vq_info - a queue of a device class
 * @name: name in the specification
 * @supply: the driver supplies buffers that the module takes with
 *	devhost_vq_pop() when it has something; otherwise the driver sends
 *	requests that the core hands to request()
 * @control: its requests may be what ends those of other queues: where the
 *	guest's requests in flight are limited they don't make it wait, and it
 *	has a limit of its own
 * @bounded: requests that the module keeps may need later ones of the same queue
 *	to end, so it never waits: the module answers with an error what
 *	devhost_chain_fits() says is too much
 */
struct devhost_vq_info {
	const char *name;
	bool supply;
	bool control;
	bool bounded;
};

/**
 * struct devhost_class_ops - what a device module implements
 * @create: set up a new device from the attributes of its class (@tb indexed by
 *	attribute, NULL where absent; @tb[0] is the nest that has them all). On
 *	error it undoes what it did
 * @destroy: undo create()
 * @set: change a live device from attributes of its class; optional
 * @fill: put the attributes of the class into a DEVICE_GET answer; optional
 * @fill_resource: put those of resource number @index into a RESOURCE_GET
 *	answer; -ENOENT where there is no such resource. May run at any time from
 *	create() to destroy(), concurrently with everything else. Optional
 * @features: device-specific features that can be offered now. Called when the
 *	VMM asks, never between FEATURES_OK and reset
 * @start: the driver is ready (DRIVER_OK). An error sets DEVICE_NEEDS_RESET
 * @stop: reset, or the host quiesces the device. The core has stopped the
 *	worker. When it returns, the module calls the core no more for this
 *	device, from no context, and has forgotten all chains it kept: the core
 *	takes them back without completing them
 * @suspend: the VMM suspends the device: finish or give back what is kept with
 *	devhost_chain_complete(); afterwards nothing is sent or delivered until
 *	resume() or stop(). Optional
 * @hold: the host goes to sleep, and the VMM before it sees any of that: like
 *	suspend(), but what is kept stays so. suspend() may follow. Optional;
 *	without it suspend() is called
 * @resume: goes on after suspend() or hold(). Optional
 * @request: serve one chain of a request queue
 * @refill: a supply queue has new buffers. Optional
 * @work: events raised with devhost_raise(). Optional
 * @lost: the guest took memory of a resource away: end what uses it, then put
 *	it. Called once. Needed where the module has resources
 * @judge: another policy is in force, or none: ask it about what goes on without
 *	further requests, and end what it does not allow. Also called after
 *	start(). Optional
 * @get_config: fill @config, config_size bytes, zeroed. May run at any time
 *	from create() to destroy(), concurrently with everything else
 * @set_config: the driver wrote @len bytes at @offset, checked against
 *	config_size. Optional; writes are ignored without it
 */
struct devhost_class_ops {
	int (*create)(struct devhost_device *dev, struct nlattr **tb,
		      struct netlink_ext_ack *extack);
	void (*destroy)(struct devhost_device *dev);
	int (*set)(struct devhost_device *dev, struct nlattr **tb,
		   struct netlink_ext_ack *extack);
	int (*fill)(struct devhost_device *dev, struct sk_buff *msg);
	int (*fill_resource)(struct devhost_device *dev, struct sk_buff *msg,
			     unsigned int index);
	u64 (*features)(struct devhost_device *dev);
	int (*start)(struct devhost_device *dev);
	void (*stop)(struct devhost_device *dev);
	void (*suspend)(struct devhost_device *dev);
	void (*hold)(struct devhost_device *dev);
	void (*resume)(struct devhost_device *dev);
	enum devhost_answer (*request)(struct devhost_device *dev,
				       struct devhost_vq *vq,
				       struct devhost_chain *chain);
	void (*refill)(struct devhost_device *dev, struct devhost_vq *vq);
	void (*work)(struct devhost_device *dev, unsigned long events);
	void (*lost)(struct devhost_device *dev, struct devhost_resource *res);
	void (*judge)(struct devhost_device *dev);
	void (*get_config)(struct devhost_device *dev, void *config);
	void (*set_config)(struct devhost_device *dev, unsigned int offset,
			   const void *buf, unsigned int len);
};

/* Events of a module: bits 0 .. DEVHOST_EVENTS - 1 of @events in work(). */
#define DEVHOST_EVENTS		16
#define DEVHOST_CLASS_VQS	8

/**
 * struct devhost_class - a kind of virtio device
 * @name: short name, "can"; the module is vhost_<name>
 * @virtio_id: device id of the virtio specification
 * @owner: THIS_MODULE; a reference is held for each device
 * @vqs: the queues, in the order of the specification
 * @num_vqs: number of queues, at most DEVHOST_CLASS_VQS
 * @helpers: threads for devhost_submit() at most, 0 where nothing sleeps
 * @helpers_serve: most requests sleep: a helper without a job serves in the
 *	worker's place, and does its jobs itself, which saves the ways between them
 * @config_size: bytes of the device's configuration space
 * @priv_size: bytes of devhost_priv(), zeroed at creation
 * @attr_policy: netlink policy of DEVHOST_A_DEV_BACKEND
 * @attr_max: highest attribute of @attr_policy
 * @counters: names of the counters that devhost_count() takes
 * @num_counters: number of @counters
 * @ops: callbacks
 * @list: private to the core
 */
struct devhost_class {
	const char *name;
	u32 virtio_id;
	struct module *owner;
	const struct devhost_vq_info *vqs;
	unsigned int num_vqs;
	unsigned int helpers;
	bool helpers_serve;
	size_t config_size;
	size_t priv_size;
	const struct nla_policy *attr_policy;
	unsigned int attr_max;
	const char * const *counters;
	unsigned int num_counters;
	const struct devhost_class_ops *ops;
	struct list_head list;
};

int devhost_register_class(struct devhost_class *class);
void devhost_unregister_class(struct devhost_class *class);

void *devhost_priv(struct devhost_device *dev);
const char *devhost_guest_name(const struct devhost_device *dev);
const char *devhost_device_name(const struct devhost_device *dev);
u64 devhost_features(const struct devhost_device *dev);

/**
 * devhost_has_feature - whether a feature was negotiated
 * @dev: the device
 * @bit: feature bit of the specification
 *
 * Context: Any, from start() to stop().
 * Return: true if device and driver agreed on it.
 */
static inline bool devhost_has_feature(const struct devhost_device *dev,
				       unsigned int bit)
{
	return devhost_features(dev) & BIT_ULL(bit);
}

struct devhost_vq *devhost_vq(struct devhost_device *dev, unsigned int index);
unsigned int devhost_vq_index(const struct devhost_vq *vq);
struct devhost_chain *devhost_vq_pop(struct devhost_vq *vq);
void devhost_vq_resume(struct devhost_vq *vq);
void devhost_vq_poll(struct devhost_vq *vq);

size_t devhost_chain_readable(const struct devhost_chain *chain);
size_t devhost_chain_writable(const struct devhost_chain *chain);
int devhost_chain_read(struct devhost_chain *chain, void *dst, size_t len);
int devhost_chain_write(struct devhost_chain *chain, const void *src, size_t len);
void *devhost_chain_span(struct devhost_chain *chain, bool write, size_t max,
			 size_t *len);
int devhost_chain_skip(struct devhost_chain *chain, bool write, size_t len);
void devhost_chain_rewind(struct devhost_chain *chain);
struct devhost_vq *devhost_chain_vq(const struct devhost_chain *chain);
void devhost_chain_set_priv(struct devhost_chain *chain, void *priv);
void *devhost_chain_priv(const struct devhost_chain *chain);
bool devhost_chain_fits(const struct devhost_chain *chain);
void devhost_chain_complete(struct devhost_chain *chain);
void devhost_chain_reject(struct devhost_chain *chain);

/**
 * struct devhost_range - a range of guest addresses
 * @addr: first byte
 * @len: bytes
 */
struct devhost_range {
	u64 addr;
	u64 len;
};

struct devhost_resource *devhost_resource_get(struct devhost_device *dev,
					      const struct devhost_range *range,
					      unsigned int num, bool write);
void devhost_resource_put(struct devhost_resource *res);
struct dma_buf *devhost_resource_export(struct devhost_resource *res);
void devhost_dmabuf_put(struct dma_buf *dmabuf);
void *devhost_resource_span(const struct devhost_resource *res, size_t offset,
			    size_t *len);

/**
 * struct devhost_job - something that sleeps
 * @run: does it, on a helper thread. Touches no chain and calls nothing of the
 *	core but devhost_resource_changed(); the device is there, but may have
 *	been reset
 * @done: on the worker, or a helper in its place, once @run has returned.
 *	Completes what was kept
 * @drop: instead of @done, where the device was reset: forget the job. In
 *	process context
 * @list: private to the core
 */
struct devhost_job {
	void (*run)(struct devhost_job *job);
	void (*done)(struct devhost_device *dev, struct devhost_job *job);
	void (*drop)(struct devhost_job *job);
	struct list_head list;
};

int devhost_submit(struct devhost_device *dev, struct devhost_job *job);
void devhost_flush(struct devhost_device *dev);

void devhost_raise(struct devhost_device *dev, unsigned int event);
void devhost_config_changed(struct devhost_device *dev);
void devhost_backend_changed(struct devhost_device *dev);
void devhost_resource_changed(struct devhost_device *dev, unsigned int index);
void devhost_power_requested(struct devhost_device *dev);
void devhost_broken(struct devhost_device *dev, const char *reason);
void devhost_count(struct devhost_device *dev, unsigned int counter, u64 n);
void devhost_count_data(struct devhost_device *dev, unsigned int counter,
			u64 items, u64 bytes);

#endif /* _DEVHOST_DEVICE_H */
