/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtqueues, split and packed, and the chains that come out of them.
 *
 * This part knows nothing of vDPA, tasks or locks: it works on three areas that
 * are mapped contiguously and on a translation for the buffers, so that user
 * space can build, test and fuzz it. One worker at a time calls it.
 *
 * Guest memory is read once into private copies. An entry that cannot be
 * parsed is returned to the driver with length 0 and counted; state that cannot
 * be recovered (indices that jump, descriptors that cannot be found) is an
 * error that breaks the queue until it is reset.
 */
#ifndef _DEVHOST_CORE_RING_H
#define _DEVHOST_CORE_RING_H

#include <linux/types.h>
#include <linux/virtio_ring.h>

struct devhost_map;

/* Spans that a chain holds without an allocation, and at most. */
#define DEVHOST_CHAIN_INLINE	8
#define DEVHOST_CHAIN_SPANS_MAX	4096
/* Spans that the chains of a ring may have allocated at a time. */
#define DEVHOST_RING_SPANS_MAX	65536
/* Entries of a ring, by the specification. */
#define DEVHOST_RING_NUM_MAX	32768

/**
 * struct devhost_span - guest memory that is contiguous for the kernel
 * @iova: guest (bus) address, to translate again after a remap
 * @base: where the kernel sees it
 * @len: bytes, more than 0
 */
struct devhost_span {
	u64 iova;
	void *base;
	u32 len;
};

/**
 * struct devhost_cursor - how far one part of a chain was used
 * @span: the span
 * @pos: bytes used of it
 */
struct devhost_cursor {
	struct devhost_span *span;
	u32 pos;
};

/**
 * enum devhost_chain_state - whose a chain is
 * @DEVHOST_CHAIN_FREE: the ring's
 * @DEVHOST_CHAIN_TAKEN: taken, and not returned yet
 * @DEVHOST_CHAIN_COUNTED: the same, and ring->bytes has its bytes
 */
enum devhost_chain_state {
	DEVHOST_CHAIN_FREE,
	DEVHOST_CHAIN_TAKEN,
	DEVHOST_CHAIN_COUNTED,
};

/**
 * struct devhost_chain - one buffer of the driver, checked
 * @ring: where it came from
 * @span: @inline_span, or allocated where that is too small
 * @generation: of the map in which @span[].base is valid
 * @priv: the device module's
 * @readable: bytes in the @out spans
 * @writable: bytes in the @in spans
 * @read_off: bytes read so far
 * @written: bytes written so far, those skipped included
 * @skipped: of @written, what devhost_chain_skip() passed over
 * @out: spans for the device to read; they come first
 * @in: spans for the device to write
 * @id: head index (split) or buffer id (packed)
 * @slots: ring entries it takes (packed)
 * @room: spans that fit @span
 * @state: enum devhost_chain_state
 * @reader: where the next byte is read
 * @writer: where the next byte is written
 * @next: the next free one
 * @inline_span: the usual few
 */
struct devhost_chain {
	struct devhost_ring *ring;
	struct devhost_span *span;
	u64 generation;
	void *priv;
	u32 readable;
	u32 writable;
	u32 read_off;
	u32 written;
	u32 skipped;
	u16 out;
	u16 in;
	u16 id;
	u16 slots;
	u16 room;
	u8 state;
	struct devhost_cursor reader;
	struct devhost_cursor writer;
	struct devhost_chain *next;
	struct devhost_span inline_span[DEVHOST_CHAIN_INLINE];
};

/**
 * struct devhost_ring - a virtqueue
 * @num: entries
 * @packed: VIRTIO_F_RING_PACKED was negotiated
 * @event_idx: VIRTIO_F_EVENT_IDX was negotiated
 * @indirect: VIRTIO_F_INDIRECT_DESC was negotiated
 * @desc: descriptor area
 * @driver: driver area
 * @device: device area
 * @map: guest memory, set by the caller before each use
 * @inflight: chains taken and not returned
 * @popped: chains taken, malformed ones included
 * @pushed: chains returned, malformed ones included
 * @malformed: chains returned unserved
 * @kicks_off: the driver was told not to kick
 * @last_avail: the next entry to take
 * @avail: split: entries are known to be there up to this index
 * @last_used: the next entry to return
 * @avail_wrap: packed: wrap counter of @last_avail
 * @used_wrap: packed: wrap counter of @last_used
 * @fresh: no notification was decided on since the start
 * @unsignalled: entries returned since a notification was decided on
 * @spans: spans allocated by the chains
 * @bytes: of the buffers of the chains that are counted
 * @ids: bitmap of the heads or ids in flight
 * @free: chains to use next, the warmest first
 * @chains: @num chains
 */
struct devhost_ring {
	u16 num;
	bool packed;
	bool event_idx;
	bool indirect;
	void *desc;
	void *driver;
	void *device;
	struct devhost_map *map;
	u32 inflight;
	u64 popped;
	u64 pushed;
	u64 malformed;
	bool kicks_off;
	/* The rest belongs to ring*.c and chain.c. */
	u16 last_avail;
	u16 avail;
	u16 last_used;
	bool avail_wrap;
	bool used_wrap;
	bool fresh;
	u32 unsignalled;
	u32 spans;
	u64 bytes;
	unsigned long *ids;
	struct devhost_chain *free;
	struct devhost_chain *chains;
};

/* Bytes of the three areas of a ring. */
struct devhost_ring_layout {
	size_t desc;
	size_t driver;
	size_t device;
};

/* Where a ring stands; split rings use @avail only (used is in guest memory). */
struct devhost_ring_state {
	u16 avail;
	u16 used;
	bool avail_wrap;
	bool used_wrap;
};

void devhost_ring_layout(const struct devhost_ring *ring,
			 struct devhost_ring_layout *layout);

int devhost_ring_init(struct devhost_ring *ring);
void devhost_ring_cleanup(struct devhost_ring *ring);

int devhost_ring_start(struct devhost_ring *ring,
		       const struct devhost_ring_state *state);
void devhost_ring_state(const struct devhost_ring *ring,
			struct devhost_ring_state *state);

struct devhost_chain *devhost_ring_pop(struct devhost_ring *ring);
void devhost_ring_unpop(struct devhost_ring *ring, struct devhost_chain *chain);
void devhost_ring_push(struct devhost_ring *ring, struct devhost_chain *chain,
		       u32 len);

u64 devhost_chain_bytes(const struct devhost_chain *chain);
void devhost_ring_count(struct devhost_ring *ring, struct devhost_chain *chain);
void devhost_ring_count_all(struct devhost_ring *ring);

bool devhost_ring_notify(struct devhost_ring *ring);
bool devhost_ring_enable_kick(struct devhost_ring *ring);
void devhost_ring_disable_kick(struct devhost_ring *ring);

#endif /* _DEVHOST_CORE_RING_H */
