// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packed virtqueues: virtio 1.4, 2.8.
 *
 * The entries between last_used and last_avail are the device's; chains
 * are taken at one end and returned at the other.
 */
#include "ring_impl.h"

#define DEVHOST_PACKED_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define DEVHOST_PACKED_USED	BIT(VRING_PACKED_DESC_F_USED)
#define DEVHOST_PACKED_MARK	(DEVHOST_PACKED_AVAIL | DEVHOST_PACKED_USED)

/* A used descriptor; a store to the flags hands it over. */
struct devhost_packed_used {
	__le64 addr;
	__le32 len;
	__le16 id;
	__le16 flags;
};

/* Entries that the device has, those of @num and more where impossible. */
static int devhost_packed_taken(const struct devhost_ring *ring)
{
	int n = ring->last_avail - ring->last_used;

	return ring->avail_wrap == ring->used_wrap ? n : n + ring->num;
}

static u16 devhost_packed_mark(bool wrap)
{
	return wrap ? DEVHOST_PACKED_AVAIL : DEVHOST_PACKED_USED;
}

int devhost_packed_start(struct devhost_ring *ring,
			 const struct devhost_ring_state *state)
{
	int taken;

	if (state->avail >= ring->num || state->used >= ring->num)
		return -EINVAL;
	ring->last_avail = state->avail;
	ring->last_used = state->used;
	ring->avail_wrap = state->avail_wrap;
	ring->used_wrap = state->used_wrap;
	taken = devhost_packed_taken(ring);
	if (taken < 0 || taken > ring->num)
		return -EINVAL;
	WRITE_ONCE(*(__le32 *)ring->device,
		   cpu_to_le32(VRING_PACKED_EVENT_FLAG_ENABLE << 16));
	return 0;
}

static noinline int devhost_packed_indirect(struct devhost_ring *ring,
					    struct devhost_chain *chain,
					    struct devhost_elem head)
{
	struct devhost_table table;
	struct devhost_elem elem;
	u32 i;
	int err;

	err = devhost_table_open(ring, &table, head);
	for (i = 0; !err && i < table.num; i++) {
		err = devhost_table_read(ring, &table, i, &elem);
		/* Of the flags only WRITE has a meaning in a table. */
		if (!err)
			err = devhost_chain_add(chain, elem.addr,
						devhost_elem_len(elem),
						devhost_packed_flags(elem) &
						VRING_DESC_F_WRITE);
	}
	return err;
}

/*
 * Parse the chain at last_avail. Its end must be found even where it is
 * malformed: the id is there, and the next chain behind it.
 */
static __always_inline int devhost_packed_walk(struct devhost_ring *ring,
					       struct devhost_chain *chain,
					       u16 *id)
{
	u16 mark = devhost_packed_mark(ring->avail_wrap);
	const struct devhost_desc *desc = ring->desc;
	int room = ring->num - devhost_packed_taken(ring);
	struct devhost_elem elem;
	u16 i = ring->last_avail;
	int err = 0;

	chain->slots = 0;
	for (;;) {
		u16 flags;

		/* More than the driver can have, or not made available. */
		if (unlikely(chain->slots == room))
			return -EPROTO;
		elem = devhost_elem_read(desc + i);
		flags = devhost_packed_flags(elem);
		if (unlikely((flags & DEVHOST_PACKED_MARK) != mark))
			return -EPROTO;
		chain->slots++;
		*id = devhost_packed_id(elem);

		if (unlikely(flags & VRING_DESC_F_INDIRECT)) {
			if (!err && chain->slots == 1 &&
			    !(flags & VRING_DESC_F_NEXT))
				return devhost_packed_indirect(ring, chain, elem);
			err = -EINVAL;
		}
		if (likely(!err))
			err = devhost_chain_add(chain, elem.addr,
						devhost_elem_len(elem),
						flags & VRING_DESC_F_WRITE);
		if (!(flags & VRING_DESC_F_NEXT))
			return err;
		if (++i == ring->num) {
			i = 0;
			mark ^= DEVHOST_PACKED_MARK;
		}
	}
}

static void devhost_packed_consume(struct devhost_ring *ring, u16 slots)
{
	unsigned int next = ring->last_avail + slots;

	if (next >= ring->num) {
		next -= ring->num;
		ring->avail_wrap = !ring->avail_wrap;
	}
	ring->last_avail = next;
	ring->popped++;
}

/* Whether the next entry was made available. */
static bool devhost_packed_ready(const struct devhost_ring *ring)
{
	const struct devhost_packed_used *desc = ring->desc;
	u16 flags;

	/* All else of the entry, and those behind it, are read after this. */
	flags = le16_to_cpu(smp_load_acquire(&desc[ring->last_avail].flags));
	return (flags & DEVHOST_PACKED_MARK) ==
	       devhost_packed_mark(ring->avail_wrap);
}

/* Take the first good chain; an entry was made available. */
static noinline struct devhost_chain *devhost_packed_seen(struct devhost_ring *ring)
{
	unsigned int work = 0;

	do {
		struct devhost_chain *chain;
		u16 id;
		int err;

		/* The driver took back what the device has: no chain is free. */
		if (unlikely(ring->inflight == ring->num))
			return ERR_PTR(-EPROTO);
		chain = devhost_chain_begin(ring);
		err = devhost_packed_walk(ring, chain, &id);
		if (unlikely(err == -EPROTO)) {
			devhost_chain_shrink(chain);
			return ERR_PTR(err);
		}
		devhost_packed_consume(ring, chain->slots);

		if (likely(!err && id < ring->num)) {
			id = array_index_nospec(id, ring->num);
			if (likely(!devhost_ring_owns(ring, id)))
				return devhost_chain_take(ring, chain, id);
		}

		ring->malformed++;
		devhost_packed_push(ring, id, chain->slots, 0);
		work += chain->slots + chain->out + chain->in;
		devhost_chain_shrink(chain);
	} while (work < ring->num && devhost_packed_ready(ring));
	return NULL;
}

struct devhost_chain *devhost_packed_pop(struct devhost_ring *ring)
{
	return devhost_packed_ready(ring) ? devhost_packed_seen(ring) : NULL;
}

void devhost_packed_unpop(struct devhost_ring *ring, u16 slots)
{
	int prev = ring->last_avail - slots;

	if (prev < 0) {
		prev += ring->num;
		ring->avail_wrap = !ring->avail_wrap;
	}
	ring->last_avail = prev;
}

void devhost_packed_push(struct devhost_ring *ring, u16 id, u16 slots, u32 len)
{
	struct devhost_packed_used *desc = ring->desc;
	u16 flags = ring->used_wrap ? DEVHOST_PACKED_MARK : 0;
	unsigned int next = ring->last_used + slots;

	if (len)
		flags |= VRING_DESC_F_WRITE;
	desc += ring->last_used;
	WRITE_ONCE(desc->len, cpu_to_le32(len));
	WRITE_ONCE(desc->id, cpu_to_le16(id));
	ring->pushed++;
	/* The driver sees the flags after the rest and the data. */
	smp_store_release(&desc->flags, cpu_to_le16(flags));

	if (next >= ring->num) {
		next -= ring->num;
		ring->used_wrap = !ring->used_wrap;
	}
	ring->last_used = next;
	ring->unsignalled += slots;
}

bool devhost_packed_notify(struct devhost_ring *ring)
{
	u32 event, off, n = ring->unsignalled;
	bool fresh = ring->fresh;
	int ago;

	ring->unsignalled = 0;
	ring->fresh = false;
	/*
	 * The driver writes what it waits for and then looks at the ring; we
	 * wrote the ring and now look at what it waits for. One of us sees
	 * what the other wrote.
	 */
	smp_mb();
	event = le32_to_cpu(READ_ONCE(*(const __le32 *)ring->driver));

	switch ((event >> 16) & 3) {
	case VRING_PACKED_EVENT_FLAG_DISABLE:
		return false;
	case VRING_PACKED_EVENT_FLAG_DESC:
		break;
	default:
		return true;
	}

	off = event & (BIT(VRING_PACKED_EVENT_F_WRAP_CTR) - 1);
	/*
	 * Whoever ran the ring before may have left the driver waiting; and
	 * what makes no sense costs a notification rather than losing one.
	 */
	if (fresh || !ring->event_idx || off >= ring->num)
		return true;

	/* How long ago the place was passed; with the wrap it recurs after two laps. */
	ago = ring->last_used - (int)off;
	if (!!(event & BIT(VRING_PACKED_EVENT_F_WRAP_CTR)) != ring->used_wrap)
		ago += ring->num;
	if (ago <= 0)
		ago += 2 * ring->num;
	return ago <= n;
}

bool devhost_packed_enable_kick(struct devhost_ring *ring)
{
	u32 event = VRING_PACKED_EVENT_FLAG_ENABLE << 16;

	if (ring->event_idx)
		event = VRING_PACKED_EVENT_FLAG_DESC << 16 | ring->last_avail |
			ring->avail_wrap << VRING_PACKED_EVENT_F_WRAP_CTR;
	/* Both halves at once: the driver never sees a mixture. */
	WRITE_ONCE(*(__le32 *)ring->device, cpu_to_le32(event));
	/* As in devhost_packed_notify(), the other way round. */
	smp_mb();
	return devhost_packed_ready(ring);
}

void devhost_packed_disable_kick(struct devhost_ring *ring)
{
	WRITE_ONCE(*(__le32 *)ring->device,
		   cpu_to_le32(VRING_PACKED_EVENT_FLAG_DISABLE << 16));
}
