// SPDX-License-Identifier: GPL-2.0-only
/* Split virtqueues: virtio 1.4, 2.7. */
#include "ring_impl.h"

/* The driver area; the used event follows the entries. */
struct devhost_avail {
	__le16 flags;
	__le16 idx;
	__le16 ring[];
};

struct devhost_used_elem {
	__le32 id;
	__le32 len;
};

/* The device area; the avail event follows the entries. */
struct devhost_used {
	__le16 flags;
	__le16 idx;
	struct devhost_used_elem ring[];
};

int devhost_split_start(struct devhost_ring *ring,
			const struct devhost_ring_state *state)
{
	struct devhost_used *used = ring->device;

	ring->last_avail = state->avail;
	ring->avail = state->avail;
	ring->avail_wrap = true;
	ring->used_wrap = true;
	ring->last_used = le16_to_cpu(READ_ONCE(used->idx));
	WRITE_ONCE(used->flags, 0);
	return 0;
}

/* Whether entries are there: 1, 0 or an error. */
static inline int devhost_split_look(struct devhost_ring *ring)
{
	const struct devhost_avail *avail = ring->driver;
	u16 idx, n;

	/* The driver's index is read when those seen are used up. */
	if (ring->last_avail != ring->avail)
		return 1;
	/* The entries and descriptors are read after the index. */
	idx = le16_to_cpu(smp_load_acquire(&avail->idx));
	n = idx - ring->last_avail;
	if (unlikely(n > ring->num))
		return -EPROTO;
	ring->avail = idx;
	return n > 0;
}

static noinline int devhost_split_indirect(struct devhost_ring *ring,
					   struct devhost_chain *chain,
					   struct devhost_elem head,
					   unsigned int left)
{
	struct devhost_table table;
	struct devhost_elem elem;
	u32 i = 0;
	int err;

	err = devhost_table_open(ring, &table, head);
	if (err)
		return err;

	for (;;) {
		u16 flags;

		err = devhost_table_read(ring, &table, i, &elem);
		if (err)
			return err;
		flags = devhost_split_flags(elem);
		if (flags & VRING_DESC_F_INDIRECT)
			return -EINVAL;
		err = devhost_chain_add(chain, elem.addr, devhost_elem_len(elem),
					flags & VRING_DESC_F_WRITE);
		if (err || !(flags & VRING_DESC_F_NEXT))
			return err;
		if (!--left)
			return -ELOOP;
		i = devhost_split_next(elem);
		if (i >= table.num)
			return -EINVAL;
		i = array_index_nospec(i, table.num);
	}
}

static __always_inline int devhost_split_walk(struct devhost_ring *ring,
					      struct devhost_chain *chain, u16 i)
{
	const struct devhost_desc *table = ring->desc;
	unsigned int left = ring->num;
	struct devhost_elem elem;

	for (;;) {
		u16 flags;
		int err;

		elem = devhost_elem_read(table + i);
		flags = devhost_split_flags(elem);
		if (unlikely(flags & VRING_DESC_F_INDIRECT)) {
			if (flags & VRING_DESC_F_NEXT)
				return -EINVAL;
			return devhost_split_indirect(ring, chain, elem, left);
		}
		err = devhost_chain_add(chain, elem.addr, devhost_elem_len(elem),
					flags & VRING_DESC_F_WRITE);
		if (unlikely(err) || !(flags & VRING_DESC_F_NEXT))
			return err;
		if (unlikely(!--left))
			return -ELOOP;
		i = devhost_split_next(elem);
		if (unlikely(i >= ring->num))
			return -EPROTO;
		i = array_index_nospec(i, ring->num);
	}
}

/* Take the first good chain; an entry was seen. */
static noinline struct devhost_chain *devhost_split_seen(struct devhost_ring *ring)
{
	const struct devhost_avail *avail = ring->driver;
	unsigned int work = 0;
	int err;

	do {
		struct devhost_chain *chain;
		u16 head;

		head = le16_to_cpu(READ_ONCE(avail->ring[ring->last_avail &
							 (ring->num - 1)]));
		if (unlikely(head >= ring->num))
			return ERR_PTR(-EPROTO);
		head = array_index_nospec(head, ring->num);

		if (unlikely(devhost_ring_owns(ring, head))) {
			work++;
		} else {
			chain = devhost_chain_begin(ring);
			err = devhost_split_walk(ring, chain, head);
			if (likely(!err)) {
				ring->last_avail++;
				ring->popped++;
				return devhost_chain_take(ring, chain, head);
			}
			work += 1 + chain->out + chain->in;
			devhost_chain_shrink(chain);
			if (err == -EPROTO)
				return ERR_PTR(err);
		}

		ring->last_avail++;
		ring->popped++;
		ring->malformed++;
		devhost_split_push(ring, head, 0);
		if (work >= ring->num)
			return NULL;
		err = devhost_split_look(ring);
	} while (err > 0);
	return ERR_PTR(err);
}

struct devhost_chain *devhost_split_pop(struct devhost_ring *ring)
{
	int n = devhost_split_look(ring);

	return n > 0 ? devhost_split_seen(ring) : ERR_PTR(n);
}

void devhost_split_unpop(struct devhost_ring *ring)
{
	ring->last_avail--;
}

void devhost_split_push(struct devhost_ring *ring, u16 id, u32 len)
{
	struct devhost_used *used = ring->device;
	struct devhost_used_elem *elem = &used->ring[ring->last_used &
						     (ring->num - 1)];

	WRITE_ONCE(elem->id, cpu_to_le32(id));
	WRITE_ONCE(elem->len, cpu_to_le32(len));
	ring->last_used++;
	ring->unsignalled++;
	ring->pushed++;
	/* The driver sees the index after the entry and the data. */
	smp_store_release(&used->idx, cpu_to_le16(ring->last_used));
}

bool devhost_split_notify(struct devhost_ring *ring)
{
	const struct devhost_avail *avail = ring->driver;
	u32 n = ring->unsignalled;
	bool fresh = ring->fresh;
	u16 event;

	ring->unsignalled = 0;
	ring->fresh = false;
	/*
	 * The driver writes what it waits for and then looks at the index; we
	 * wrote the index and now look at what it waits for. One of us sees
	 * what the other wrote.
	 */
	smp_mb();
	if (!ring->event_idx)
		return !(le16_to_cpu(READ_ONCE(avail->flags)) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	/* Whoever ran the ring before may have left the driver waiting. */
	if (fresh || n > U16_MAX)
		return true;
	event = le16_to_cpu(READ_ONCE(avail->ring[ring->num]));
	return vring_need_event(event, ring->last_used, ring->last_used - n);
}

bool devhost_split_enable_kick(struct devhost_ring *ring)
{
	const struct devhost_avail *avail = ring->driver;
	struct devhost_used *used = ring->device;

	if (ring->event_idx) {
		__le16 *event = (__le16 *)&used->ring[ring->num];

		WRITE_ONCE(*event, cpu_to_le16(ring->last_avail));
	} else {
		WRITE_ONCE(used->flags, 0);
	}
	/* As in devhost_split_notify(), the other way round. */
	smp_mb();
	return le16_to_cpu(READ_ONCE(avail->idx)) != ring->last_avail;
}

void devhost_split_disable_kick(struct devhost_ring *ring)
{
	struct devhost_used *used = ring->device;

	/* An event index that lies behind is as good: it triggers no more. */
	if (!ring->event_idx)
		WRITE_ONCE(used->flags, cpu_to_le16(VRING_USED_F_NO_NOTIFY));
}
