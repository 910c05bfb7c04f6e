// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may have at most: devices, queues, ring sizes, memory, requests
 * in flight. It is kept here, so it holds whatever becomes of the daemon.
 *
 * A limit that comes to be below what the guest has refuses more and takes
 * nothing away. Where requests in flight are limited, a queue that has reached
 * the limit is left alone until one of them is returned: nothing is lost, and
 * nobody polls. Queues without that limit do nothing for it: those that have one
 * are of another kind, and served by a function of their own.
 */
#include "core.h"
#include "trace.h"

#define DEVHOST_NO_LIMIT	U64_MAX

static u64 devhost_quota_max(const struct devhost_guest *guest,
			     unsigned int limit)
{
	return READ_ONCE(guest->limits.max[limit]) ?: DEVHOST_NO_LIMIT;
}

/* @dev: NULL where there is none yet */
static void devhost_quota_refused(struct devhost_guest *guest,
				  const struct devhost_device *dev,
				  unsigned int limit, u64 wanted)
{
	atomic64_inc(&guest->refused[limit]);
	trace_devhost_quota(guest, dev, limit, wanted,
			    devhost_quota_max(guest, limit));
}

/**
 * devhost_quota_device - whether a guest may have one more device
 * @guest: the guest
 * @class: of the device
 * @extack: for what is in the way
 *
 * Context: Process context, with devhost_lock held.
 * Return: 0, -EDQUOT where a limit of the guest is in the way, -ENOSPC where it
 *	is the one for all guests.
 */
int devhost_quota_device(struct devhost_guest *guest,
			 const struct devhost_class *class,
			 struct netlink_ext_ack *extack)
{
	u64 queues = guest->num_queues + class->num_vqs;

	lockdep_assert_held(&devhost_lock);
	if (guest->num_devices >= devhost_quota_max(guest, DEVHOST_A_LIMIT_DEVICES)) {
		devhost_quota_refused(guest, NULL, DEVHOST_A_LIMIT_DEVICES,
				      guest->num_devices + 1);
		NL_SET_ERR_MSG_FMT(extack, "guest %s may not have more than %llu devices",
				   guest->name,
				   guest->limits.max[DEVHOST_A_LIMIT_DEVICES]);
		return -EDQUOT;
	}
	if (queues > devhost_quota_max(guest, DEVHOST_A_LIMIT_QUEUES)) {
		devhost_quota_refused(guest, NULL, DEVHOST_A_LIMIT_QUEUES,
				      queues);
		NL_SET_ERR_MSG_FMT(extack, "guest %s may have %llu queues, not %llu",
				   guest->name,
				   guest->limits.max[DEVHOST_A_LIMIT_QUEUES],
				   queues);
		return -EDQUOT;
	}
	if (guest->num_devices == DEVHOST_LIMIT_DEVICES_MAX) {
		NL_SET_ERR_MSG(extack, "too many devices for one guest");
		return -ENOSPC;
	}

	return 0;
}

/**
 * devhost_quota_map - account for what a device has mapped
 * @dev: the device
 * @bytes: all of it; may be less than before
 *
 * Pages that are unmapped and still worked with count no more: the VMM can't
 * know when that ends, and what it unmapped it may map anew.
 *
 * Context: Process context; calls for one device are serialised by vhost-vdpa.
 * Return: 0; -EDQUOT where it is more than before and too much, and the account
 *	is as it was.
 */
int devhost_quota_map(struct devhost_device *dev, u64 bytes)
{
	struct devhost_guest *guest = dev->guest;
	u64 max = devhost_quota_max(guest, DEVHOST_A_LIMIT_MEMORY);
	s64 have = atomic64_read(&guest->mapped);
	u64 more;

	if (bytes <= dev->mapped_bytes) {
		atomic64_sub(dev->mapped_bytes - bytes, &guest->mapped);
		dev->mapped_bytes = bytes;
		return 0;
	}
	more = bytes - dev->mapped_bytes;
	do {
		if (more > max || have > max - more) {
			/* Once, in however many pieces the VMM maps it. */
			if (!dev->over_quota)
				devhost_quota_refused(guest, dev,
						      DEVHOST_A_LIMIT_MEMORY,
						      have + more);
			return -EDQUOT;
		}
	} while (!atomic64_try_cmpxchg(&guest->mapped, &have, have + more));
	dev->mapped_bytes = bytes;

	return 0;
}

/**
 * devhost_quota_unmap - give back what a device has mapped
 * @dev: the device
 *
 * Context: As for devhost_quota_map().
 */
void devhost_quota_unmap(struct devhost_device *dev)
{
	devhost_quota_map(dev, 0);
}

/**
 * devhost_quota_ring_size - entries that a queue of a device may have
 * @dev: the device
 *
 * Context: Any.
 * Return: what the device offers, or what its guest may have where that is less.
 */
u32 devhost_quota_ring_size(const struct devhost_device *dev)
{
	return min_t(u64, dev->vq_size_max,
		     devhost_quota_max(dev->guest, DEVHOST_A_LIMIT_RING_SIZE));
}

/**
 * devhost_quota_ring - whether a queue may have the entries that it wants
 * @vq: the queue
 *
 * Context: Process context.
 * Return: true if it may.
 */
bool devhost_quota_ring(const struct devhost_vq *vq)
{
	const struct devhost_device *dev = vq->dev;

	if (vq->num <= devhost_quota_ring_size(dev))
		return true;
	if (vq->num <= dev->vq_size_max)
		devhost_quota_refused(dev->guest, dev,
				      DEVHOST_A_LIMIT_RING_SIZE, vq->num);
	return false;
}

/*
 * Whether requests of one queue count for another one. Control queues are by
 * themselves: what they say may be what ends the others' requests.
 */
static bool devhost_quota_shared(const struct devhost_vq *vq,
				 const struct devhost_vq *other)
{
	const struct devhost_vq_info *info = vq->dev->class->vqs;

	if (info[vq->index].control || info[other->index].control)
		return vq == other;
	return !info[other->index].supply;
}

/* The limit that @vq would pass with that much more in flight, or 0. */
static unsigned int devhost_quota_passed(const struct devhost_vq *vq, u64 items,
					 u64 bytes)
{
	const struct devhost_device *dev = vq->dev;
	const struct devhost_guest *guest = dev->guest;
	unsigned int i;

	for (i = 0; i < dev->class->num_vqs; i++) {
		const struct devhost_vq *other = &dev->vqs[i];

		if (devhost_quota_shared(vq, other)) {
			items += other->ring.inflight;
			bytes += other->ring.bytes;
		}
	}
	if (items > devhost_quota_max(guest, DEVHOST_A_LIMIT_IN_FLIGHT))
		return DEVHOST_A_LIMIT_IN_FLIGHT;
	if (bytes > devhost_quota_max(guest, DEVHOST_A_LIMIT_IN_FLIGHT_BYTES))
		return DEVHOST_A_LIMIT_IN_FLIGHT_BYTES;
	return 0;
}

/**
 * devhost_quota_request - whether a request may be served now
 * @vq: a queue whose requests in flight are limited
 * @chain: the request, just taken
 *
 * Context: The worker.
 * Return: 0; -EAGAIN where the queue has to wait, and the chain is back;
 *	-E2BIG where no waiting helps.
 */
int devhost_quota_request(struct devhost_vq *vq, struct devhost_chain *chain)
{
	struct devhost_device *dev = vq->dev;
	u64 bytes = devhost_chain_bytes(chain);
	unsigned int passed;

	lockdep_assert_held(&dev->run_lock);
	if (dev->class->vqs[vq->index].bounded) {
		devhost_ring_count(&vq->ring, chain);
		return 0;
	}
	if (bytes > devhost_quota_max(dev->guest,
				      DEVHOST_A_LIMIT_IN_FLIGHT_BYTES)) {
		devhost_quota_refused(dev->guest, dev,
				      DEVHOST_A_LIMIT_IN_FLIGHT_BYTES, bytes);
		return -E2BIG;
	}
	/* The ring has it in flight by now. */
	passed = devhost_quota_passed(vq, 0, bytes);
	if (!passed) {
		devhost_ring_count(&vq->ring, chain);
		dev->waiting &= ~BIT(vq->index);
		return 0;
	}
	devhost_ring_unpop(&vq->ring, chain);
	vq->wants = bytes;
	if (!(dev->waiting & BIT(vq->index)))
		devhost_quota_refused(dev->guest, dev, passed,
				      passed == DEVHOST_A_LIMIT_IN_FLIGHT ?
				      vq->ring.inflight + 1 : bytes);
	dev->waiting |= BIT(vq->index);
	return -EAGAIN;
}

/**
 * devhost_quota_release - let queues go on that fewer requests in flight allow
 * @dev: a device some queues of which wait
 *
 * Context: The worker, at the end of a pass.
 */
void devhost_quota_release(struct devhost_device *dev)
{
	unsigned long waiting = dev->waiting;
	unsigned int i;

	lockdep_assert_held(&dev->run_lock);
	for_each_set_bit(i, &waiting, dev->class->num_vqs) {
		struct devhost_vq *vq = &dev->vqs[i];

		if (!devhost_quota_passed(vq, 1, vq->wants)) {
			dev->waiting &= ~BIT(i);
			devhost_wake(dev, i);
		}
	}
}

/**
 * devhost_chain_fits - whether a module may keep a request
 * @chain: the request, of a queue that is bounded by its module
 *
 * Context: The worker.
 * Return: false where the guest would have too many in flight: answer it with
 *	an error.
 */
bool devhost_chain_fits(const struct devhost_chain *chain)
{
	struct devhost_vq *vq = devhost_chain_vq(chain);
	unsigned int passed;

	if (likely(vq->kind != DEVHOST_VQ_LIMITED))
		return true;
	passed = devhost_quota_passed(vq, 0, 0);
	if (passed)
		devhost_quota_refused(vq->dev->guest, vq->dev, passed,
				      passed == DEVHOST_A_LIMIT_IN_FLIGHT ?
				      vq->ring.inflight : vq->ring.bytes);
	return !passed;
}
EXPORT_SYMBOL_GPL(devhost_chain_fits);

/* Have a device act by its guest's limits. */
static void devhost_quota_apply(struct devhost_device *dev)
{
	const struct devhost_limits *limits = &dev->guest->limits;
	bool limited = limits->max[DEVHOST_A_LIMIT_IN_FLIGHT] ||
		       limits->max[DEVHOST_A_LIMIT_IN_FLIGHT_BYTES];
	unsigned int i;

	lockdep_assert_held(&devhost_lock);
	mutex_lock(&dev->run_lock);
	for (i = 0; i < dev->class->num_vqs; i++) {
		struct devhost_vq *vq = &dev->vqs[i];

		if (dev->class->vqs[i].supply)
			continue;
		vq->kind = limited ? DEVHOST_VQ_LIMITED : DEVHOST_VQ_REQUESTS;
		if (limited && vq->live)
			devhost_ring_count_all(&vq->ring);
		if (dev->waiting & BIT(i))
			devhost_wake(dev, i);
	}
	dev->waiting = 0;
	mutex_unlock(&dev->run_lock);
}

/**
 * devhost_quota_add - account for a new device
 * @dev: the device, on its guest's list
 *
 * Context: Process context, with devhost_lock held.
 */
void devhost_quota_add(struct devhost_device *dev)
{
	lockdep_assert_held(&devhost_lock);
	dev->guest->num_devices++;
	dev->guest->num_queues += dev->class->num_vqs;
	devhost_quota_apply(dev);
}

/**
 * devhost_quota_drop - account for a device that is going
 * @dev: the device, which nobody can open any more
 *
 * Context: Process context, with devhost_lock held.
 */
void devhost_quota_drop(struct devhost_device *dev)
{
	lockdep_assert_held(&devhost_lock);
	dev->guest->num_devices--;
	dev->guest->num_queues -= dev->class->num_vqs;
	devhost_quota_unmap(dev);
}

/**
 * devhost_guest_set - give a guest other limits
 * @name: its name
 * @limits: all of them
 * @extack: for what is wrong
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOENT.
 */
int devhost_guest_set(const char *name, const struct devhost_limits *limits,
		      struct netlink_ext_ack *extack)
{
	struct devhost_guest *guest;
	struct devhost_device *dev;
	unsigned int i;
	int ret = 0;

	mutex_lock(&devhost_lock);
	guest = devhost_guest_find(name);
	if (!guest) {
		NL_SET_ERR_MSG_FMT(extack, "no guest %s", name);
		ret = -ENOENT;
		goto unlock;
	}
	for (i = 0; i < ARRAY_SIZE(limits->max); i++)
		WRITE_ONCE(guest->limits.max[i], limits->max[i]);
	list_for_each_entry(dev, &guest->devices, list)
		devhost_quota_apply(dev);
	devhost_netlink_guest_event(guest, DEVHOST_CMD_GUEST_CHANGE_NTF);
unlock:
	mutex_unlock(&devhost_lock);
	return ret;
}

/* Of the account that has most of them. */
static u64 devhost_quota_in_flight(const struct devhost_device *dev, bool bytes)
{
	u64 most = 0, sum = 0;
	unsigned int i;

	for (i = 0; i < dev->class->num_vqs; i++) {
		const struct devhost_ring *ring = &dev->vqs[i].ring;
		u64 have = bytes ? READ_ONCE(ring->bytes) :
				   READ_ONCE(ring->inflight);

		if (dev->class->vqs[i].control)
			most = max(most, have);
		else if (!dev->class->vqs[i].supply)
			sum += have;
	}
	return max(most, sum);
}

static u64 devhost_quota_ring_use(const struct devhost_device *dev)
{
	unsigned int i;
	u64 most = 0;

	for (i = 0; i < dev->class->num_vqs; i++)
		most = max_t(u64, most, READ_ONCE(dev->vqs[i].ring.num));
	return most;
}

/**
 * devhost_quota_use - what a guest has of what is limited
 * @guest: the guest
 * @limit: enum devhost_limit_attr
 *
 * Context: Process context, with devhost_lock held.
 * Return: how much it is.
 */
u64 devhost_quota_use(struct devhost_guest *guest, unsigned int limit)
{
	const struct devhost_device *dev;
	u64 most = 0;

	lockdep_assert_held(&devhost_lock);
	switch (limit) {
	case DEVHOST_A_LIMIT_DEVICES:
		return guest->num_devices;
	case DEVHOST_A_LIMIT_QUEUES:
		return guest->num_queues;
	case DEVHOST_A_LIMIT_MEMORY:
		return atomic64_read(&guest->mapped);
	}
	list_for_each_entry(dev, &guest->devices, list) {
		u64 use = limit == DEVHOST_A_LIMIT_RING_SIZE ?
			  devhost_quota_ring_use(dev) :
			  devhost_quota_in_flight(dev, limit ==
					DEVHOST_A_LIMIT_IN_FLIGHT_BYTES);

		most = max(most, use);
	}
	return most;
}
