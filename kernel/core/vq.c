// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues at work: what the worker does in a pass, and how a queue gets its ring
 * and loses it.
 *
 * dev->run_lock is held over a pass and over everything that must not meet one:
 * starting, stopping, suspending. A pass is bounded, so is the wait for it.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "core.h"
#include "trace.h"

/* Chains a queue may have served in one pass before the others have a turn. */
#define DEVHOST_VQ_BUDGET	256

static void devhost_area_unmap(struct devhost_vq *vq)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vq->area); i++) {
		vunmap(vq->area[i]);
		vq->area[i] = NULL;
	}
}

/* A ring area that guest memory scatters is mapped page by page. */
static void *devhost_area_vmap(struct devhost_map *map, u64 addr, size_t size,
			       bool write)
{
	unsigned int num = (offset_in_page(addr) + size + PAGE_SIZE - 1) >>
			   PAGE_SHIFT;
	struct page **pages;
	unsigned int n = 0;
	void *area = NULL;

	pages = kvmalloc_array(num, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;

	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	for (n = 0; n < num; n++, addr += PAGE_SIZE) {
		size_t len = PAGE_SIZE;
		void *base = devhost_map_span(map, addr, &len, write);

		if (!base || len != PAGE_SIZE || !PAGE_ALIGNED(base))
			goto out;
		pages[n] = virt_to_page(base);
	}
	area = vmap(pages, num, VM_MAP, PAGE_KERNEL);
out:
	kvfree(pages);
	return area;
}

static void *devhost_area_map(struct devhost_vq *vq, unsigned int i, u64 addr,
			      size_t size, bool write)
{
	struct devhost_map *map = vq->dev->pass_map;
	size_t len = size;
	void *base = devhost_map_span(map, addr, &len, write);

	if (!base || len == size)
		return base;
	vq->area[i] = devhost_area_vmap(map, addr, size, write);
	if (!vq->area[i])
		return NULL;
	return vq->area[i] + offset_in_page(addr);
}

/* Find the ring in the current snapshot, at the start and after each change. */
static int devhost_vq_map(struct devhost_vq *vq)
{
	struct devhost_ring *ring = &vq->ring;
	struct devhost_ring_layout layout;

	devhost_area_unmap(vq);
	devhost_ring_layout(ring, &layout);
	ring->desc = devhost_area_map(vq, 0, vq->desc_addr, layout.desc,
				      ring->packed);
	ring->driver = devhost_area_map(vq, 1, vq->driver_addr, layout.driver,
					false);
	ring->device = devhost_area_map(vq, 2, vq->device_addr, layout.device,
					true);
	if (!ring->desc || !ring->driver || !ring->device)
		return -EFAULT;
	vq->generation = ring->map->generation;
	if (vq->started)
		return 0;
	vq->started = true;
	return devhost_ring_start(ring, &vq->state);
}

static void devhost_vq_fail(struct devhost_vq *vq, const char *reason)
{
	vq->broken = true;
	devhost_broken(vq->dev, reason);
}

/* Whether the ring may be touched now. */
static bool devhost_vq_usable(struct devhost_vq *vq)
{
	if (!vq->live || vq->broken)
		return false;
	if (likely(vq->generation == vq->dev->pass_map->generation))
		return true;
	if (devhost_vq_map(vq)) {
		devhost_vq_fail(vq, "a virtqueue is outside the guest's memory");
		return false;
	}
	return true;
}

static struct devhost_chain *devhost_vq_take(struct devhost_vq *vq)
{
	struct devhost_chain *chain = devhost_ring_pop(&vq->ring);

	if (IS_ERR(chain)) {
		devhost_vq_fail(vq, "the driver corrupted a virtqueue");
		return NULL;
	}
	if (chain)
		trace_devhost_pop(vq, chain);
	return chain;
}

static void devhost_vq_return(struct devhost_vq *vq,
			      struct devhost_chain *chain, u32 len)
{
	trace_devhost_push(vq, chain->id, len);
	devhost_ring_push(&vq->ring, chain, len);
}

/**
 * devhost_chain_vq - the queue that a chain came from
 * @chain: the chain
 *
 * Context: Any.
 * Return: the queue.
 */
struct devhost_vq *devhost_chain_vq(const struct devhost_chain *chain)
{
	return container_of(chain->ring, struct devhost_vq, ring);
}
EXPORT_SYMBOL_GPL(devhost_chain_vq);

/**
 * devhost_chain_complete - return a chain with what was written to it
 * @chain: a chain that request() kept, or that devhost_vq_pop() gave; not to be
 *	touched any more
 *
 * The driver is notified at the end of the pass.
 *
 * Context: The worker, or suspend().
 */
void devhost_chain_complete(struct devhost_chain *chain)
{
	struct devhost_vq *vq = devhost_chain_vq(chain);

	if (likely(devhost_vq_usable(vq)))
		devhost_vq_return(vq, chain, chain->written - chain->skipped);
}
EXPORT_SYMBOL_GPL(devhost_chain_complete);

/**
 * devhost_chain_reject - return a chain unserved
 * @chain: as for devhost_chain_complete()
 *
 * Context: The worker, or suspend().
 */
void devhost_chain_reject(struct devhost_chain *chain)
{
	struct devhost_vq *vq = devhost_chain_vq(chain);

	if (!devhost_vq_usable(vq))
		return;
	vq->ring.malformed++;
	devhost_vq_return(vq, chain, 0);
}
EXPORT_SYMBOL_GPL(devhost_chain_reject);

/**
 * devhost_vq_pop - take a buffer from a supply queue
 * @vq: the queue
 *
 * When the queue is empty, refill() is called once the driver has added to it.
 *
 * Context: The worker.
 * Return: a buffer to be returned with devhost_chain_complete(), or NULL.
 */
struct devhost_chain *devhost_vq_pop(struct devhost_vq *vq)
{
	struct devhost_chain *chain;

	if (unlikely(!READ_ONCE(vq->ready) || !devhost_vq_usable(vq)))
		return NULL;
	chain = devhost_vq_take(vq);
	if (chain) {
		/* The first one, or the first after a refill. */
		if (unlikely(!vq->ring.kicks_off)) {
			vq->starved = false;
			devhost_ring_disable_kick(&vq->ring);
		}
		return chain;
	}
	if (vq->broken || vq->starved)
		return NULL;
	vq->starved = true;
	if (devhost_ring_enable_kick(&vq->ring))
		return devhost_vq_pop(vq);
	return NULL;
}
EXPORT_SYMBOL_GPL(devhost_vq_pop);

/**
 * devhost_vq_resume - go on with a queue after DEVHOST_STALL
 * @vq: the queue
 *
 * Context: Any, from start() to stop().
 */
void devhost_vq_resume(struct devhost_vq *vq)
{
	if (READ_ONCE(vq->stalled)) {
		WRITE_ONCE(vq->stalled, false);
		devhost_wake(vq->dev, vq->index);
	}
}
EXPORT_SYMBOL_GPL(devhost_vq_resume);

/**
 * devhost_vq_poll - look into a queue that the driver may not have kicked
 * @vq: the queue
 *
 * For protocols in which the driver leaves it to the device to look.
 *
 * Context: Any, from start() to stop().
 */
void devhost_vq_poll(struct devhost_vq *vq)
{
	devhost_wake(vq->dev, vq->index);
}
EXPORT_SYMBOL_GPL(devhost_vq_poll);

/*
 * Serve one request; false where the queue has to wait. Inline, as if there was
 * only one that calls it: it is on the way of every item.
 */
static __always_inline bool devhost_vq_serve(struct devhost_vq *vq, struct devhost_chain *chain)
{
	struct devhost_device *dev = vq->dev;

	/* Before the module can see room and resume the queue. */
	WRITE_ONCE(vq->stalled, true);
	switch (dev->class->ops->request(dev, vq, chain)) {
	case DEVHOST_COMPLETE:
		devhost_vq_return(vq, chain, chain->written - chain->skipped);
		break;
	case DEVHOST_REJECT:
		vq->ring.malformed++;
		devhost_vq_return(vq, chain, 0);
		break;
	case DEVHOST_KEEP:
		break;
	case DEVHOST_STALL:
		devhost_ring_unpop(&vq->ring, chain);
		return false;
	}
	WRITE_ONCE(vq->stalled, false);
	return true;
}

/*
 * Disable kicks, serve until nothing is left, enable kicks, look again: the
 * driver may have added something before it saw that it has to kick.
 */
static void devhost_vq_requests(struct devhost_vq *vq)
{
	unsigned int budget = DEVHOST_VQ_BUDGET;
	struct devhost_chain *chain;

	devhost_ring_disable_kick(&vq->ring);
	for (;;) {
		if (!budget--) {
			devhost_wake(vq->dev, vq->index);
			return;
		}
		chain = devhost_vq_take(vq);
		if (chain) {
			if (!devhost_vq_serve(vq, chain))
				return;
			continue;
		}
		if (vq->broken || !devhost_ring_enable_kick(&vq->ring))
			return;
		devhost_ring_disable_kick(&vq->ring);
	}
}

/* As devhost_vq_requests() where the guest's requests in flight are limited. */
static noinline void devhost_vq_requests_limited(struct devhost_vq *vq)
{
	unsigned int budget = DEVHOST_VQ_BUDGET;
	struct devhost_chain *chain;

	devhost_ring_disable_kick(&vq->ring);
	while (budget--) {
		chain = devhost_vq_take(vq);
		if (!chain) {
			if (vq->broken || !devhost_ring_enable_kick(&vq->ring))
				return;
			devhost_ring_disable_kick(&vq->ring);
			continue;
		}
		switch (devhost_quota_request(vq, chain)) {
		case 0:
			if (!devhost_vq_serve(vq, chain))
				return;
			break;
		case -E2BIG:
			vq->ring.malformed++;
			devhost_vq_return(vq, chain, 0);
			break;
		default:
			/* The end of a pass sees when it can go on. */
			return;
		}
	}
	devhost_wake(vq->dev, vq->index);
}

static void devhost_vq_kicked(struct devhost_vq *vq)
{
	struct devhost_device *dev = vq->dev;

	if (!READ_ONCE(vq->ready) || READ_ONCE(vq->stalled) ||
	    !devhost_vq_usable(vq))
		return;
	if (likely(vq->kind == DEVHOST_VQ_REQUESTS))
		devhost_vq_requests(vq);
	else if (vq->kind == DEVHOST_VQ_LIMITED)
		devhost_vq_requests_limited(vq);
	else if (dev->class->ops->refill)
		dev->class->ops->refill(dev, vq);
}

/* Tell the driver what was returned in this pass. */
static void devhost_vq_signal(struct devhost_vq *vq)
{
	if (vq->signalled == vq->ring.pushed)
		return;
	vq->signalled = vq->ring.pushed;
	if (vq->broken || !vq->live || !devhost_ring_notify(&vq->ring))
		return;
	vq->notified++;
	trace_devhost_notify(vq);
	if (vq->cb.callback)
		vq->cb.callback(vq->cb.private);
}

/*
 * Have the current snapshot of guest memory at hand: for all queues, since the
 * module may work on chains of any of them that it kept.
 */
static void devhost_pass_begin(struct devhost_device *dev)
{
	unsigned int i;

	lockdep_assert_held(&dev->run_lock);
	spin_lock(&dev->mem_lock);
	dev->pass_map = devhost_map_get(dev->map);
	spin_unlock(&dev->mem_lock);
	for (i = 0; i < dev->class->num_vqs; i++)
		dev->vqs[i].ring.map = dev->pass_map;
}

static void devhost_pass_end(struct devhost_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->class->num_vqs; i++)
		devhost_vq_signal(&dev->vqs[i]);
	if (unlikely(dev->waiting))
		devhost_quota_release(dev);
	devhost_map_put(dev->pass_map);
	dev->pass_map = NULL;
}

static void devhost_vq_pass_locked(struct devhost_device *dev)
{
	unsigned long pending = xchg(&dev->pending, 0);
	unsigned int i;

	if (!dev->serving)
		return;

	devhost_pass_begin(dev);
	if ((pending & BIT(DEVHOST_PENDING_POLICY)) && dev->class->ops->judge)
		dev->class->ops->judge(dev);
	for (i = 0; i < dev->class->num_vqs; i++)
		if (pending & BIT(i))
			devhost_vq_kicked(&dev->vqs[i]);
	if (unlikely(pending & (BIT(DEVHOST_PENDING_JOBS) |
				BIT(DEVHOST_PENDING_LOST)))) {
		if (pending & BIT(DEVHOST_PENDING_JOBS))
			devhost_pool_reap(dev);
		if (pending & BIT(DEVHOST_PENDING_LOST))
			devhost_resources_tell(dev);
	}
	pending = (pending >> DEVHOST_CLASS_VQS) & (BIT(DEVHOST_EVENTS) - 1);
	if (pending && dev->class->ops->work)
		dev->class->ops->work(dev, pending);
	devhost_pass_end(dev);
}

/**
 * devhost_vq_pass - see to what is pending
 * @dev: the device
 *
 * Context: The worker.
 */
void devhost_vq_pass(struct devhost_device *dev)
{
	mutex_lock(&dev->run_lock);
	devhost_vq_pass_locked(dev);
	mutex_unlock(&dev->run_lock);
}

/**
 * devhost_vq_try_pass - see to what is pending, unless that has to wait
 * @dev: the device
 *
 * Context: A helper on call.
 * Return: false where somebody holds dev->run_lock.
 */
bool devhost_vq_try_pass(struct devhost_device *dev)
{
	if (!mutex_trylock(&dev->run_lock))
		return false;
	devhost_vq_pass_locked(dev);
	mutex_unlock(&dev->run_lock);
	return true;
}

static bool devhost_areas_overlap(u64 a, size_t a_size, u64 b, size_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool devhost_vq_valid(struct devhost_vq *vq)
{
	struct devhost_ring_layout l;

	devhost_ring_layout(&vq->ring, &l);
	return !devhost_areas_overlap(vq->desc_addr, l.desc,
				      vq->driver_addr, l.driver) &&
	       !devhost_areas_overlap(vq->desc_addr, l.desc,
				      vq->device_addr, l.device) &&
	       !devhost_areas_overlap(vq->driver_addr, l.driver,
				      vq->device_addr, l.device);
}

/**
 * devhost_vq_start - give a queue its ring
 * @vq: the queue, ready and configured
 *
 * The areas are looked for by the first pass.
 *
 * Context: dev->lock and dev->run_lock are held, may sleep.
 * Return: 0 or an error.
 */
int devhost_vq_start(struct devhost_vq *vq)
{
	struct devhost_device *dev = vq->dev;
	struct devhost_ring *ring = &vq->ring;
	int err;

	if (vq->live)
		return 0;
	memset(ring, 0, sizeof(*ring));
	ring->num = vq->num;
	ring->packed = devhost_has_feature(dev, VIRTIO_F_RING_PACKED);
	ring->event_idx = devhost_has_feature(dev, VIRTIO_RING_F_EVENT_IDX);
	ring->indirect = devhost_has_feature(dev, VIRTIO_RING_F_INDIRECT_DESC);
	if (!devhost_vq_valid(vq))
		return -EINVAL;
	err = devhost_ring_init(ring);
	if (err)
		return err;
	vq->generation = 0;
	vq->started = false;
	vq->broken = false;
	vq->stalled = false;
	vq->starved = false;
	vq->signalled = 0;
	vq->live = true;
	return 0;
}

/**
 * devhost_vq_stop - take a queue's ring away
 * @vq: the queue
 *
 * Where it stands is kept in vq->state.
 *
 * Context: dev->lock and dev->run_lock are held, may sleep.
 */
void devhost_vq_stop(struct devhost_vq *vq)
{
	if (!vq->live)
		return;
	vq->live = false;
	vq->dev->waiting &= ~BIT(vq->index);
	if (vq->started)
		devhost_ring_state(&vq->ring, &vq->state);
	vq->total.popped += vq->ring.popped;
	vq->total.pushed += vq->ring.pushed;
	vq->total.malformed += vq->ring.malformed;
	devhost_ring_cleanup(&vq->ring);
	memset(&vq->ring, 0, sizeof(vq->ring));
	vq->signalled = 0;
	devhost_area_unmap(vq);
}

/**
 * devhost_vq_pause - let the module come to rest
 * @dev: a device that serves no more
 * @keep: with what it keeps, where it can; else that is given back
 *
 * Context: dev->lock and dev->run_lock are held, may sleep.
 */
void devhost_vq_pause(struct devhost_device *dev, bool keep)
{
	const struct devhost_class_ops *ops = dev->class->ops;
	void (*pause)(struct devhost_device *dev) =
		keep && ops->hold ? ops->hold : ops->suspend;

	if (!pause)
		return;
	devhost_pass_begin(dev);
	pause(dev);
	devhost_pass_end(dev);
}
