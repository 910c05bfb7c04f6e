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
 * struct devhost_chain - one buffer of the driver, checked
 * @ring: where it came from
 * @id: head index (split) or buffer id (packed)
 * @slots: ring entries it takes (packed)
 * @inflight: taken and not returned yet
 * @generation: of the map in which @span[].base is valid
 * @out: spans for the device to read; they come first
 * @in: spans for the device to write
 * @readable: bytes in the @out spans
 * @writable: bytes in the @in spans
 * @read_off: bytes read so far
 * @written: bytes written so far
 * @priv: the device module's
 * @span: @inline_span, or allocated where that is too small
 * @inline_span: the usual few
 */
struct devhost_chain {
	struct devhost_ring *ring;
	u16 id;
	u16 slots;
	bool inflight;
	u64 generation;
	u16 out;
	u16 in;
	u32 readable;
	u32 writable;
	u32 read_off;
	u32 written;
	void *priv;
	struct devhost_span *span;
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
 * @chains: @num chains, by head index or buffer id
 * @inflight: chains taken and not returned
 * @popped: chains taken, malformed ones included
 * @pushed: chains returned, malformed ones included
 * @malformed: chains returned unserved
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
	struct devhost_chain *chains;
	u32 inflight;
	u64 popped;
	u64 pushed;
	u64 malformed;
	/* The rest belongs to ring_split.c and ring_packed.c. */
	u16 last_avail;
	u16 avail;
	u16 last_used;
	u16 signalled;
	bool signalled_valid;
	bool avail_wrap;
	bool used_wrap;
	bool kicks_off;
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

/* @num, @packed, @event_idx, @indirect are set; allocates @chains. */
int devhost_ring_init(struct devhost_ring *ring);
/* Takes back all chains; kept ones are forgotten, not returned. */
void devhost_ring_cleanup(struct devhost_ring *ring);

/* The areas are mapped: read what starting needs (used index). */
int devhost_ring_start(struct devhost_ring *ring,
		       const struct devhost_ring_state *state);
void devhost_ring_state(const struct devhost_ring *ring,
			struct devhost_ring_state *state);

/* The next chain; NULL where there is none; ERR_PTR where the queue is broken. */
struct devhost_chain *devhost_ring_pop(struct devhost_ring *ring);
/* Put back the chain that pop returned last. */
void devhost_ring_unpop(struct devhost_ring *ring, struct devhost_chain *chain);
/* Return a chain to the driver, with @len bytes written. */
void devhost_ring_push(struct devhost_ring *ring, struct devhost_chain *chain,
		       u32 len);

/* After pushes: whether the driver wants to be notified of them. */
bool devhost_ring_notify(struct devhost_ring *ring);
/* Ask the driver for kicks; true where chains came meanwhile. */
bool devhost_ring_enable_kick(struct devhost_ring *ring);
void devhost_ring_disable_kick(struct devhost_ring *ring);

/* In ring_split.c and ring_packed.c, for ring.c. */
struct devhost_ring_ops {
	void (*layout)(const struct devhost_ring *ring,
		       struct devhost_ring_layout *layout);
	int (*start)(struct devhost_ring *ring,
		     const struct devhost_ring_state *state);
	void (*state)(const struct devhost_ring *ring,
		      struct devhost_ring_state *state);
	struct devhost_chain *(*pop)(struct devhost_ring *ring);
	void (*unpop)(struct devhost_ring *ring, struct devhost_chain *chain);
	void (*push)(struct devhost_ring *ring, struct devhost_chain *chain,
		     u32 len);
	bool (*notify)(struct devhost_ring *ring);
	bool (*enable_kick)(struct devhost_ring *ring);
	void (*disable_kick)(struct devhost_ring *ring);
};

#endif /* _DEVHOST_CORE_RING_H */
