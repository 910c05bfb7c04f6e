/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: immutable snapshots of what set_map() gave, each holding a
 * reference of its own on every page.
 */
#ifndef _DEVHOST_CORE_MEM_H
#define _DEVHOST_CORE_MEM_H

#include <linux/types.h>
#include <linux/vhost_types.h>

struct devhost_guest;
struct devhost_region;
struct devhost_span;
struct vhost_iotlb;

/**
 * struct devhost_slot - what a translation needs of a region, packed for it
 * @first: guest address of the first byte
 * @last: guest address of the last byte
 * @base: where the kernel sees it
 * @perm: VHOST_ACCESS_RO, _WO or _RW; 0 in the slot that no address is in
 */
struct devhost_slot {
	u64 first;
	u64 last;
	u8 *base;
	u32 perm;
};

/* Pages whose slots a snapshot remembers; a power of two. */
#define DEVHOST_MAP_HITS	64

/**
 * struct devhost_map - one snapshot of the guest's memory
 * @generation: counted up with each new snapshot; never 0
 * @hit: the slots of the last translations, by the low bits of the page number
 *
 * Refcounted and, but for @hit, never changed: a reader that holds a reference
 * may use every translation it got from it, whatever set_map() does meanwhile.
 * mem.c has the rest of it.
 */
struct devhost_map {
	u64 generation;
	const struct devhost_slot *hit[DEVHOST_MAP_HITS];
};

static inline unsigned int devhost_map_hit(u64 iova)
{
	return iova >> 12 & (DEVHOST_MAP_HITS - 1);
}

struct devhost_map *devhost_map_empty(bool identity);
struct devhost_map *devhost_map_build(struct devhost_guest *guest,
				      const struct devhost_map *old,
				      struct vhost_iotlb *iotlb);
u64 devhost_map_bytes(const struct devhost_map *map);
struct devhost_map *devhost_map_get(struct devhost_map *map);
void devhost_map_put(struct devhost_map *map);

struct devhost_region *devhost_map_region(const struct devhost_map *map,
					  u64 iova);
bool devhost_map_has(const struct devhost_map *map,
		     const struct devhost_span *span, bool write);
void devhost_region_put(struct devhost_region *region);

void *devhost_map_lookup(struct devhost_map *map, u64 iova, size_t *len,
			 bool write);

/**
 * devhost_map_span - translate guest memory
 * @map: the snapshot
 * @iova: guest (bus) address
 * @len: in: bytes wanted, more than 0; out: bytes contiguous from there, at
 *	most those wanted
 * @write: whether the device will write
 *
 * Context: Any.
 * Return: where the kernel sees it, NULL where the guest may not use it.
 */
static inline void *devhost_map_span(struct devhost_map *map, u64 iova,
				     size_t *len, bool write)
{
	const struct devhost_slot *hit = map->hit[devhost_map_hit(iova)];

	if (iova < hit->first || iova > hit->last ||
	    !(hit->perm & (write ? VHOST_ACCESS_WO : VHOST_ACCESS_RO)))
		return devhost_map_lookup(map, iova, len, write);
	if (*len - 1 > hit->last - iova)
		*len = hit->last - iova + 1;
	return hit->base + (iova - hit->first);
}

/**
 * devhost_map_near - translate guest memory that is as usual
 * @map: the snapshot
 * @iova: guest (bus) address
 * @len: bytes wanted
 * @write: whether the device will write
 *
 * Context: Any.
 * Return: where the kernel sees it, all of it in one piece; NULL where
 *	devhost_map_span() is to be asked, and for no bytes.
 */
static inline void *devhost_map_near(const struct devhost_map *map, u64 iova,
				     size_t len, bool write)
{
	const struct devhost_slot *hit = map->hit[devhost_map_hit(iova)];

	if (iova < hit->first || iova > hit->last ||
	    len - 1 > hit->last - iova ||
	    !(hit->perm & (write ? VHOST_ACCESS_WO : VHOST_ACCESS_RO)))
		return NULL;
	return hit->base + (iova - hit->first);
}

#endif /* _DEVHOST_CORE_MEM_H */
