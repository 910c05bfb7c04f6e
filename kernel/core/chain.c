// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains: guest memory behind descriptors, and what device modules do with it.
 *
 * A span's address holds in one snapshot of guest memory. Where the guest's
 * memory changed since, all spans are translated again before any is used; a
 * chain of which a part is gone cannot be used any more.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <devhost/device.h>

#include "ring_impl.h"

/* Room for more spans; the ones there move. */
static int devhost_chain_grow(struct devhost_chain *chain)
{
	struct devhost_ring *ring = chain->ring;
	unsigned int room = chain->room * 2;
	struct devhost_span *span;

	if (room > DEVHOST_CHAIN_SPANS_MAX ||
	    ring->spans + room > DEVHOST_RING_SPANS_MAX)
		return -E2BIG;
	span = kvmalloc_array(room, sizeof(*span), GFP_KERNEL_ACCOUNT);
	if (!span)
		return -ENOMEM;
	memcpy(span, chain->span, chain->room * sizeof(*span));
	devhost_chain_shrink(chain);
	chain->span = span;
	chain->room = room;
	ring->spans += room;
	return 0;
}

/* Back to the spans that need no allocation. */
void devhost_chain_shrink(struct devhost_chain *chain)
{
	if (chain->span == chain->inline_span)
		return;
	kvfree(chain->span);
	chain->ring->spans -= chain->room;
	chain->span = chain->inline_span;
	chain->room = DEVHOST_CHAIN_INLINE;
}

/* As devhost_chain_add(), for memory in several pieces or looked for first. */
int devhost_chain_add_slow(struct devhost_chain *chain, u64 addr, u32 len,
			   bool write)
{
	if (!len || addr + (len - 1) < addr)
		return -EINVAL;
	if (write)
		chain->writable += len;
	else
		chain->readable += len;

	while (len) {
		unsigned int n = chain->out + chain->in;
		struct devhost_span *span;
		size_t room = len;
		void *base;

		base = devhost_map_span(chain->ring->map, addr, &room, write);
		if (!base)
			return -EFAULT;
		if (n == chain->room) {
			int err = devhost_chain_grow(chain);

			if (err)
				return err;
		}
		span = &chain->span[n];
		span->iova = addr;
		span->base = base;
		span->len = room;
		if (write)
			chain->in++;
		else
			chain->out++;
		addr += room;
		len -= room;
	}
	return 0;
}

/* Check an indirect table and find its beginning. */
int devhost_table_open(struct devhost_ring *ring, struct devhost_table *table,
		       struct devhost_elem elem)
{
	u32 len = devhost_elem_len(elem);

	if (!ring->indirect || !len || len % sizeof(struct devhost_desc) ||
	    len / sizeof(struct devhost_desc) > ring->num ||
	    elem.addr + (len - 1) < elem.addr)
		return -EINVAL;

	table->iova = elem.addr;
	table->num = len / sizeof(struct devhost_desc);
	table->near = len;
	table->base = devhost_map_span(ring->map, table->iova, &table->near,
				       false);
	return table->base ? 0 : -EFAULT;
}

/* Read one entry of an indirect table, once, wherever its bytes are. */
int devhost_table_read(struct devhost_ring *ring,
		       const struct devhost_table *table, u32 i,
		       struct devhost_elem *elem)
{
	size_t off = i * sizeof(struct devhost_desc);
	struct devhost_desc desc;
	size_t done, n;

	if (likely(off + sizeof(desc) <= table->near)) {
		memcpy(&desc, table->base + off, sizeof(desc));
	} else {
		for (done = 0; done < sizeof(desc); done += n) {
			const void *src;

			n = sizeof(desc) - done;
			src = devhost_map_span(ring->map,
					       table->iova + off + done, &n,
					       false);
			if (!src)
				return -EFAULT;
			memcpy((void *)&desc + done, src, n);
		}
	}
	/* From here on the copy counts, not what the guest writes meanwhile. */
	barrier();
	elem->addr = le64_to_cpu(desc.addr);
	elem->rest = le64_to_cpu(desc.rest);
	return 0;
}

static noinline int devhost_chain_remap(struct devhost_chain *chain)
{
	struct devhost_map *map = chain->ring->map;
	unsigned int i;

	for (i = 0; i < chain->out + chain->in; i++) {
		struct devhost_span *span = &chain->span[i];
		size_t len = span->len;
		void *base;

		base = devhost_map_span(map, span->iova, &len, i >= chain->out);
		if (!base || len < span->len)
			return -EFAULT;
		span->base = base;
	}
	/* Only now: after an error the spans are never used. */
	chain->generation = map->generation;
	return 0;
}

static __always_inline int devhost_chain_check(struct devhost_chain *chain)
{
	if (likely(chain->generation == chain->ring->map->generation))
		return 0;
	return devhost_chain_remap(chain);
}

/* Copy the first and the last @size bytes, which together are all. */
static __always_inline void devhost_copy_ends(void *dst, const void *src,
					      size_t len, size_t size)
{
	u64 head, tail;

	__builtin_memcpy(&head, src, size);
	__builtin_memcpy(&tail, src + len - size, size);
	__builtin_memcpy(dst, &head, size);
	__builtin_memcpy(dst + len - size, &tail, size);
}

/*
 * Headers and frames are short: a call to memcpy(), which may use string
 * instructions, costs more than copying them does. @len is not 0.
 */
static __always_inline void devhost_copy(void *dst, const void *src, size_t len)
{
	if (unlikely(len > 128)) {
		memcpy(dst, src, len);
		return;
	}
	for (; len > 16; len -= 16, dst += 16, src += 16)
		__builtin_memcpy(dst, src, 16);
	/* The two halves of the rest overlap where it is not a power of two. */
	if (len >= 8)
		devhost_copy_ends(dst, src, len, 8);
	else if (len >= 4)
		devhost_copy_ends(dst, src, len, 4);
	else if (len >= 2)
		devhost_copy_ends(dst, src, len, 2);
	else
		*(u8 *)dst = *(const u8 *)src;
}

/* What is left of the cursor's span, or the next one where it is used up. */
static void *devhost_chain_seek(struct devhost_cursor *cursor, size_t *room)
{
	if (cursor->pos == cursor->span->len) {
		cursor->span++;
		cursor->pos = 0;
	}
	*room = cursor->span->len - cursor->pos;
	return cursor->span->base + cursor->pos;
}

static noinline void devhost_chain_copy(struct devhost_cursor *cursor,
					void *dst, const void *src, size_t len)
{
	size_t n;

	for (; len; len -= n) {
		void *base = devhost_chain_seek(cursor, &n);

		n = min(n, len);
		if (dst) {
			memcpy(dst, base, n);
			dst += n;
		} else {
			memcpy(base, src, n);
			src += n;
		}
		cursor->pos += n;
	}
}

/**
 * devhost_chain_readable - bytes left to read
 * @chain: a chain that the module has
 *
 * Context: On the device's queue worker.
 * Return: what the driver sent, less what was read already.
 */
size_t devhost_chain_readable(const struct devhost_chain *chain)
{
	return chain->readable - chain->read_off;
}
EXPORT_SYMBOL_GPL(devhost_chain_readable);

/**
 * devhost_chain_writable - bytes left to write
 * @chain: a chain that the module has
 *
 * Context: On the device's queue worker.
 * Return: what the driver has room for, less what was written already.
 */
size_t devhost_chain_writable(const struct devhost_chain *chain)
{
	return chain->writable - chain->written;
}
EXPORT_SYMBOL_GPL(devhost_chain_writable);

/**
 * devhost_chain_read - read what the driver sent
 * @chain: a chain that the module has
 * @dst: gets a private copy
 * @len: bytes, exactly
 *
 * Goes on where the last read ended, however the driver laid it out. The guest
 * cannot change @dst: what is checked there stays so.
 *
 * Context: On the device's queue worker.
 * Return: 0; -EMSGSIZE where less than @len is left, and nothing was read;
 *	-EFAULT where the guest took the memory away.
 */
int devhost_chain_read(struct devhost_chain *chain, void *dst, size_t len)
{
	struct devhost_cursor *cursor = &chain->reader;
	const struct devhost_span *span;
	int err;

	if (unlikely(len > devhost_chain_readable(chain)))
		return -EMSGSIZE;
	if (unlikely(!len))
		return 0;
	err = devhost_chain_check(chain);
	if (unlikely(err))
		return err;

	chain->read_off += len;
	span = cursor->span;
	if (unlikely(len > span->len - cursor->pos)) {
		devhost_chain_copy(cursor, dst, NULL, len);
		return 0;
	}
	devhost_copy(dst, span->base + cursor->pos, len);
	cursor->pos += len;
	return 0;
}
EXPORT_SYMBOL_GPL(devhost_chain_read);

/**
 * devhost_chain_write - write to the driver's buffer
 * @chain: a chain that the module has
 * @src: what to write
 * @len: bytes, exactly
 *
 * Goes on where the last write ended, however the driver laid it out.
 *
 * Context: On the device's queue worker.
 * Return: 0; -EMSGSIZE where there is less room than @len, and nothing was
 *	written; -EFAULT where the guest took the memory away.
 */
int devhost_chain_write(struct devhost_chain *chain, const void *src, size_t len)
{
	struct devhost_cursor *cursor = &chain->writer;
	const struct devhost_span *span;
	int err;

	if (unlikely(len > devhost_chain_writable(chain)))
		return -EMSGSIZE;
	if (unlikely(!len))
		return 0;
	err = devhost_chain_check(chain);
	if (unlikely(err))
		return err;

	chain->written += len;
	span = cursor->span;
	if (unlikely(len > span->len - cursor->pos)) {
		devhost_chain_copy(cursor, NULL, src, len);
		return 0;
	}
	devhost_copy(span->base + cursor->pos, src, len);
	cursor->pos += len;
	return 0;
}
EXPORT_SYMBOL_GPL(devhost_chain_write);

/**
 * devhost_chain_span - use the driver's buffer in place
 * @chain: a chain that the module has
 * @write: the part that the device writes, instead of the one it reads
 * @max: bytes wanted at most
 * @len: out: bytes at the address returned, 0 where it is NULL
 *
 * Takes the next bytes that lie together as read or written; call it again for
 * those behind them. The driver may change them at any time: nothing that is
 * checked here stays so, and what goes beyond the call belongs to
 * devhost_chain_read(). The address holds until the callback returns.
 *
 * Context: On the device's queue worker.
 * Return: the address; NULL where nothing is left or the guest took the memory
 *	away.
 */
void *devhost_chain_span(struct devhost_chain *chain, bool write, size_t max,
			 size_t *len)
{
	struct devhost_cursor *cursor = write ? &chain->writer : &chain->reader;
	size_t left = write ? devhost_chain_writable(chain) :
			      devhost_chain_readable(chain);
	void *base;
	size_t n;

	*len = 0;
	max = min(max, left);
	if (!max || devhost_chain_check(chain))
		return NULL;

	base = devhost_chain_seek(cursor, &n);
	n = min(n, max);
	cursor->pos += n;
	if (write)
		chain->written += n;
	else
		chain->read_off += n;
	*len = n;
	return base;
}
EXPORT_SYMBOL_GPL(devhost_chain_span);

/**
 * devhost_chain_skip - leave out a part of the driver's buffer
 * @chain: a chain that the module has
 * @write: of the part that the device writes, instead of the one it reads
 * @len: bytes, exactly
 *
 * What is written behind it does not count it: the driver is told of the bytes
 * that were written.
 *
 * Context: On the device's queue worker.
 * Return: 0; -EMSGSIZE where less than @len is left, and nothing was skipped;
 *	-EFAULT where the guest took the memory away.
 */
int devhost_chain_skip(struct devhost_chain *chain, bool write, size_t len)
{
	if (len > (write ? devhost_chain_writable(chain) :
			   devhost_chain_readable(chain)))
		return -EMSGSIZE;
	while (len) {
		size_t n;

		if (!devhost_chain_span(chain, write, len, &n))
			return -EFAULT;
		if (write)
			chain->skipped += n;
		len -= n;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(devhost_chain_skip);

/**
 * devhost_chain_rewind - read from the beginning again
 * @chain: a chain that the module has
 *
 * For data only: what was checked the first time may have changed.
 *
 * Context: On the device's queue worker.
 */
void devhost_chain_rewind(struct devhost_chain *chain)
{
	chain->reader.span = chain->span;
	chain->reader.pos = 0;
	chain->read_off = 0;
}
EXPORT_SYMBOL_GPL(devhost_chain_rewind);

/**
 * devhost_chain_set_priv - remember something with a chain
 * @chain: a chain that the module has
 * @priv: NULL until this is called
 *
 * Context: On the device's queue worker.
 */
void devhost_chain_set_priv(struct devhost_chain *chain, void *priv)
{
	chain->priv = priv;
}
EXPORT_SYMBOL_GPL(devhost_chain_set_priv);

/**
 * devhost_chain_priv - what was remembered with a chain
 * @chain: a chain that the module has
 *
 * Context: On the device's queue worker.
 * Return: what devhost_chain_set_priv() was given last, or NULL.
 */
void *devhost_chain_priv(const struct devhost_chain *chain)
{
	return chain->priv;
}
EXPORT_SYMBOL_GPL(devhost_chain_priv);
