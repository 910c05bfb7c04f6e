// SPDX-License-Identifier: GPL-2.0-only
/*
 * What split and packed rings have in common.
 *
 * Both formats are called directly instead of through operations: an indirect
 * call costs more than either of them does.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "ring_impl.h"

/**
 * devhost_ring_layout - bytes of the areas of a ring
 * @ring: @num, @packed and @event_idx are set
 * @layout: filled in
 *
 * Context: Any.
 */
void devhost_ring_layout(const struct devhost_ring *ring,
			 struct devhost_ring_layout *layout)
{
	size_t event = ring->event_idx ? sizeof(__le16) : 0;

	layout->desc = sizeof(struct devhost_desc) * ring->num;
	if (ring->packed) {
		layout->driver = sizeof(__le32);
		layout->device = sizeof(__le32);
	} else {
		/* flags, idx, entries, event index */
		layout->driver = 2 * sizeof(__le16) + event +
				 sizeof(__le16) * ring->num;
		layout->device = 2 * sizeof(__le16) + event +
				 2 * sizeof(__le32) * ring->num;
	}
}

/**
 * devhost_ring_init - allocate what a ring needs
 * @ring: @num, @packed, @event_idx and @indirect are set
 *
 * Context: Process context, may sleep. Charged to the caller's cgroup.
 * Return: 0, -EINVAL for a size that the format does not have, -ENOMEM.
 */
int devhost_ring_init(struct devhost_ring *ring)
{
	unsigned int i;

	if (!ring->num || ring->num > DEVHOST_RING_NUM_MAX ||
	    (!ring->packed && !is_power_of_2(ring->num)))
		return -EINVAL;

	ring->chains = kvcalloc(ring->num, sizeof(*ring->chains),
				GFP_KERNEL_ACCOUNT);
	if (!ring->chains)
		return -ENOMEM;
	ring->ids = bitmap_zalloc(ring->num, GFP_KERNEL_ACCOUNT);
	if (!ring->ids) {
		kvfree(ring->chains);
		ring->chains = NULL;
		return -ENOMEM;
	}

	ring->free = NULL;
	for (i = ring->num; i--;) {
		struct devhost_chain *chain = &ring->chains[i];

		chain->ring = ring;
		chain->span = chain->inline_span;
		chain->room = DEVHOST_CHAIN_INLINE;
		chain->next = ring->free;
		ring->free = chain;
	}
	ring->inflight = 0;
	ring->spans = 0;
	ring->bytes = 0;
	ring->popped = 0;
	ring->pushed = 0;
	ring->malformed = 0;
	return 0;
}

/**
 * devhost_ring_cleanup - free what devhost_ring_init() allocated
 * @ring: the ring; nothing happens where it has nothing
 *
 * Chains in flight are forgotten, not returned.
 *
 * Context: Process context, may sleep.
 */
void devhost_ring_cleanup(struct devhost_ring *ring)
{
	unsigned int i;

	if (!ring->chains)
		return;
	for (i = 0; i < ring->num; i++)
		devhost_chain_shrink(&ring->chains[i]);
	bitmap_free(ring->ids);
	kvfree(ring->chains);
	ring->ids = NULL;
	ring->free = NULL;
	ring->chains = NULL;
	ring->inflight = 0;
}

/**
 * devhost_ring_start - start where a ring stood
 * @ring: initialised, its areas mapped, nothing in flight
 * @state: where it stood
 *
 * Context: Process context.
 * Return: 0, -EINVAL where an area is not aligned or @state is impossible.
 */
int devhost_ring_start(struct devhost_ring *ring,
		       const struct devhost_ring_state *state)
{
	if (!IS_ALIGNED((unsigned long)ring->desc, 16) ||
	    !IS_ALIGNED((unsigned long)ring->driver, ring->packed ? 4 : 2) ||
	    !IS_ALIGNED((unsigned long)ring->device, 4))
		return -EINVAL;
	if (WARN_ON_ONCE(ring->inflight))
		return -EINVAL;

	ring->unsignalled = 0;
	ring->fresh = true;
	ring->kicks_off = false;
	return ring->packed ? devhost_packed_start(ring, state) :
			      devhost_split_start(ring, state);
}

/**
 * devhost_ring_state - where a ring stands
 * @ring: the ring
 * @state: filled in; starting there goes on with the next chain, so that
 *	chains in flight are lost
 *
 * Context: Any, while the ring is not in use.
 */
void devhost_ring_state(const struct devhost_ring *ring,
			struct devhost_ring_state *state)
{
	state->avail = ring->last_avail;
	state->used = ring->last_used;
	state->avail_wrap = ring->avail_wrap;
	state->used_wrap = ring->used_wrap;
}

/**
 * devhost_ring_pop - take the next chain
 * @ring: the ring
 *
 * Malformed chains on the way are returned to the driver with length 0, so
 * decide on a notification also when this returns NULL. Work on them is
 * bounded: NULL then comes although more chains are there, and
 * devhost_ring_enable_kick() says that they are. Count a pass that ends so
 * against the budget.
 *
 * Context: Process context, may sleep (chains of many pieces are allocated).
 * Return: the chain; NULL where there is none; ERR_PTR(-EPROTO) where the
 *	driver left the ring in a state that cannot be recovered.
 */
struct devhost_chain *devhost_ring_pop(struct devhost_ring *ring)
{
	return ring->packed ? devhost_packed_pop(ring) : devhost_split_pop(ring);
}

/**
 * devhost_chain_bytes - bytes of a chain's buffers
 * @chain: a chain that was taken
 *
 * Context: Any.
 * Return: those to read and those to write.
 */
u64 devhost_chain_bytes(const struct devhost_chain *chain)
{
	return (u64)chain->readable + chain->writable;
}

/**
 * devhost_ring_count - count a chain's bytes until it is returned
 * @ring: the ring
 * @chain: a chain that was taken
 *
 * Those who don't limit them need not count them, and nothing is done for it
 * when a chain is returned.
 *
 * Context: Process context.
 */
void devhost_ring_count(struct devhost_ring *ring, struct devhost_chain *chain)
{
	if (chain->state != DEVHOST_CHAIN_TAKEN)
		return;
	chain->state = DEVHOST_CHAIN_COUNTED;
	ring->bytes += devhost_chain_bytes(chain);
}

/**
 * devhost_ring_count_all - count the bytes of all chains that are taken
 * @ring: the ring
 *
 * Context: Process context.
 */
void devhost_ring_count_all(struct devhost_ring *ring)
{
	unsigned int i;

	for (i = 0; i < ring->num; i++)
		devhost_ring_count(ring, &ring->chains[i]);
}

/* Before a chain is the ring's again; false where it is already. */
static bool devhost_ring_uncount(struct devhost_ring *ring,
				 struct devhost_chain *chain)
{
	if (WARN_ON_ONCE(chain->state == DEVHOST_CHAIN_FREE))
		return false;
	ring->bytes -= devhost_chain_bytes(chain);
	chain->state = DEVHOST_CHAIN_TAKEN;
	return true;
}

/**
 * devhost_ring_unpop - put a chain back, as if it had not been taken
 * @ring: the ring
 * @chain: what devhost_ring_pop() returned last
 *
 * Context: Process context.
 */
void devhost_ring_unpop(struct devhost_ring *ring, struct devhost_chain *chain)
{
	if (unlikely(chain->state != DEVHOST_CHAIN_TAKEN) &&
	    !devhost_ring_uncount(ring, chain))
		return;
	ring->popped--;
	devhost_chain_put(ring, chain);
	if (ring->packed)
		devhost_packed_unpop(ring, chain->slots);
	else
		devhost_split_unpop(ring);
}

static noinline void devhost_ring_push_counted(struct devhost_ring *ring,
					       struct devhost_chain *chain,
					       u32 len)
{
	if (devhost_ring_uncount(ring, chain))
		devhost_ring_push(ring, chain, len);
}

/**
 * devhost_ring_push - return a chain to the driver
 * @ring: the ring
 * @chain: the chain, of which nothing may be used any more
 * @len: bytes written to it
 *
 * Context: Process context.
 */
void devhost_ring_push(struct devhost_ring *ring, struct devhost_chain *chain,
		       u32 len)
{
	/* The end of this path: nothing has to be kept across it. */
	if (unlikely(chain->state != DEVHOST_CHAIN_TAKEN)) {
		devhost_ring_push_counted(ring, chain, len);
		return;
	}
	devhost_chain_put(ring, chain);
	if (ring->packed)
		devhost_packed_push(ring, chain->id, chain->slots, len);
	else
		devhost_split_push(ring, chain->id, len);
}

/**
 * devhost_ring_notify - decide on one notification for what was returned
 * @ring: the ring
 *
 * Context: Process context.
 * Return: true if the driver wants to be notified of chains returned since the
 *	last call.
 */
bool devhost_ring_notify(struct devhost_ring *ring)
{
	if (!ring->unsignalled)
		return false;
	return ring->packed ? devhost_packed_notify(ring) :
			      devhost_split_notify(ring);
}

/**
 * devhost_ring_enable_kick - ask the driver for kicks
 * @ring: the ring
 *
 * Context: Process context.
 * Return: true where chains are there already: go on with them, no kick may
 *	come for them.
 */
bool devhost_ring_enable_kick(struct devhost_ring *ring)
{
	ring->kicks_off = false;
	return ring->packed ? devhost_packed_enable_kick(ring) :
			      devhost_split_enable_kick(ring);
}

/**
 * devhost_ring_disable_kick - tell the driver that kicks are not needed
 * @ring: the ring
 *
 * Some still come; they are harmless.
 *
 * Context: Process context.
 */
void devhost_ring_disable_kick(struct devhost_ring *ring)
{
	if (ring->kicks_off)
		return;
	ring->kicks_off = true;
	if (ring->packed)
		devhost_packed_disable_kick(ring);
	else
		devhost_split_disable_kick(ring);
}
