/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The places in a bounded ring that softirq fills and the worker empties. What
 * is in them is the user's.
 */
#ifndef _VHOST_CAN_RING_H
#define _VHOST_CAN_RING_H

#include <linux/spinlock.h>

/**
 * struct vhost_can_ring - where a ring stands
 * @mask: number of places, a power of two, - 1
 * @head: next place to be filled; @lock
 * @tail: next place to be emptied; the worker's
 * @lock: among those who fill
 */
struct vhost_can_ring {
	u32 mask;
	u32 head;
	u32 tail;
	spinlock_t lock; /* among those who fill */
};

static inline void vhost_can_ring_init(struct vhost_can_ring *ring, u32 num)
{
	ring->mask = num - 1;
	spin_lock_init(&ring->lock);
}

/* For who fills, with @lock: the place to be filled, false where none is. */
static inline bool vhost_can_ring_room(const struct vhost_can_ring *ring,
				       u32 *place)
{
	*place = ring->head & ring->mask;
	/* Pairs with _take(): the place has been read. */
	return ring->head - smp_load_acquire(&ring->tail) <= ring->mask;
}

static inline void vhost_can_ring_put(struct vhost_can_ring *ring)
{
	/* Pairs with _peek(): the place has been written. */
	smp_store_release(&ring->head, ring->head + 1);
}

/* For the worker: the place to be emptied, false where none is. */
static inline bool vhost_can_ring_peek(const struct vhost_can_ring *ring,
				       u32 *place)
{
	*place = ring->tail & ring->mask;
	/* Pairs with _put(): the place has been written. */
	return ring->tail != smp_load_acquire(&ring->head);
}

static inline void vhost_can_ring_take(struct vhost_can_ring *ring)
{
	/* Pairs with _room(): the place has been read. */
	smp_store_release(&ring->tail, ring->tail + 1);
}

/* For the worker: empty all places; returns their number. */
static inline u32 vhost_can_ring_purge(struct vhost_can_ring *ring)
{
	u32 num = READ_ONCE(ring->head) - ring->tail;

	/* Nothing was read; as _take() all the same. */
	smp_store_release(&ring->tail, ring->tail + num);
	return num;
}

#endif /* _VHOST_CAN_RING_H */
