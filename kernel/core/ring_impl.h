/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ring.c, ring_split.c, ring_packed.c and chain.c share.
 *
 * Errors of parsing: -EPROTO is state that cannot be recovered and breaks the
 * queue; any other one makes the chain malformed, and it is returned unserved.
 */
#ifndef _DEVHOST_CORE_RING_IMPL_H
#define _DEVHOST_CORE_RING_IMPL_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/nospec.h>
#include <linux/types.h>
#include <linux/virtio_ring.h>

#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "mem.h"
#include "ring.h"

/*
 * A descriptor of either format in two words, so that it is read at once.
 * @rest is the length, then flags and next (split), or id and flags (packed).
 */
struct devhost_desc {
	__le64 addr;
	__le64 rest;
};

/* A private copy of it. */
struct devhost_elem {
	u64 addr;
	u64 rest;
};

static inline u32 devhost_elem_len(struct devhost_elem elem)
{
	return elem.rest;
}

static inline u16 devhost_split_flags(struct devhost_elem elem)
{
	return elem.rest >> 32;
}

static inline u16 devhost_split_next(struct devhost_elem elem)
{
	return elem.rest >> 48;
}

static inline u16 devhost_packed_id(struct devhost_elem elem)
{
	return elem.rest >> 32;
}

static inline u16 devhost_packed_flags(struct devhost_elem elem)
{
	return elem.rest >> 48;
}

static inline struct devhost_elem devhost_elem_read(const struct devhost_desc *desc)
{
	return (struct devhost_elem){
		.addr = le64_to_cpu(READ_ONCE(desc->addr)),
		.rest = le64_to_cpu(READ_ONCE(desc->rest)),
	};
}

/**
 * struct devhost_table - an indirect table
 * @iova: where the guest has it
 * @base: where the kernel sees its beginning
 * @near: bytes of it that are contiguous there
 * @num: entries, 1 to the size of the ring
 */
struct devhost_table {
	u64 iova;
	const void *base;
	size_t near;
	u32 num;
};

/* chain.c */
int devhost_table_open(struct devhost_ring *ring, struct devhost_table *table,
		       struct devhost_elem elem);
int devhost_table_read(struct devhost_ring *ring,
		       const struct devhost_table *table, u32 i,
		       struct devhost_elem *elem);
int devhost_chain_add_slow(struct devhost_chain *chain, u64 addr, u32 len,
			   bool write);
void devhost_chain_shrink(struct devhost_chain *chain);

/* The chain that is parsed into next; it is not taken yet. */
static inline struct devhost_chain *devhost_chain_begin(struct devhost_ring *ring)
{
	struct devhost_chain *chain = ring->free;

	chain->generation = ring->map->generation;
	chain->priv = NULL;
	chain->readable = 0;
	chain->writable = 0;
	chain->read_off = 0;
	chain->written = 0;
	chain->skipped = 0;
	chain->out = 0;
	chain->in = 0;
	return chain;
}

/* Add what one descriptor refers to. */
static __always_inline int devhost_chain_add(struct devhost_chain *chain,
					     u64 addr, u32 len, bool write)
{
	unsigned int n = chain->out + chain->in;
	struct devhost_span *span;
	void *base;

	if (unlikely(len > U32_MAX - chain->readable - chain->writable))
		return -EINVAL;
	if (unlikely(!write && chain->in))
		return -EINVAL;

	base = devhost_map_near(chain->ring->map, addr, len, write);
	if (unlikely(!base || n == chain->room))
		return devhost_chain_add_slow(chain, addr, len, write);

	span = &chain->span[n];
	span->iova = addr;
	span->base = base;
	span->len = len;
	if (write) {
		chain->in++;
		chain->writable += len;
	} else {
		chain->out++;
		chain->readable += len;
	}
	return 0;
}

static inline bool devhost_ring_owns(const struct devhost_ring *ring, u16 id)
{
	return test_bit(id, ring->ids);
}

/* Parsing is done: the chain is the device's. */
static inline struct devhost_chain *devhost_chain_take(struct devhost_ring *ring,
						       struct devhost_chain *chain,
						       u16 id)
{
	chain->reader.span = chain->span;
	chain->reader.pos = 0;
	chain->writer.span = chain->span + chain->out;
	chain->writer.pos = 0;
	chain->id = id;
	chain->state = DEVHOST_CHAIN_TAKEN;
	__set_bit(id, ring->ids);
	ring->free = chain->next;
	ring->inflight++;
	return chain;
}

/* The chain is the ring's again. */
static inline void devhost_chain_put(struct devhost_ring *ring,
				     struct devhost_chain *chain)
{
	if (unlikely(chain->span != chain->inline_span))
		devhost_chain_shrink(chain);
	chain->state = DEVHOST_CHAIN_FREE;
	__clear_bit(chain->id, ring->ids);
	chain->next = ring->free;
	ring->free = chain;
	ring->inflight--;
}

/* ring_split.c */
int devhost_split_start(struct devhost_ring *ring,
			const struct devhost_ring_state *state);
struct devhost_chain *devhost_split_pop(struct devhost_ring *ring);
void devhost_split_unpop(struct devhost_ring *ring);
void devhost_split_push(struct devhost_ring *ring, u16 id, u32 len);
bool devhost_split_notify(struct devhost_ring *ring);
bool devhost_split_enable_kick(struct devhost_ring *ring);
void devhost_split_disable_kick(struct devhost_ring *ring);

/* ring_packed.c */
int devhost_packed_start(struct devhost_ring *ring,
			 const struct devhost_ring_state *state);
struct devhost_chain *devhost_packed_pop(struct devhost_ring *ring);
void devhost_packed_unpop(struct devhost_ring *ring, u16 slots);
void devhost_packed_push(struct devhost_ring *ring, u16 id, u16 slots, u32 len);
bool devhost_packed_notify(struct devhost_ring *ring);
bool devhost_packed_enable_kick(struct devhost_ring *ring);
void devhost_packed_disable_kick(struct devhost_ring *ring);

#endif /* _DEVHOST_CORE_RING_IMPL_H */
