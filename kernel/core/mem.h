/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: immutable snapshots of what set_map() gave, each holding a
 * reference of its own on every page.
 */
#ifndef _DEVHOST_CORE_MEM_H
#define _DEVHOST_CORE_MEM_H

#include <linux/types.h>

struct devhost_guest;
struct devhost_region;
struct devhost_span;
struct vhost_iotlb;

/**
 * struct devhost_map - one snapshot of the guest's memory
 *
 * Refcounted and never changed: a reader that holds a reference may use every
 * translation it got from it, whatever set_map() does meanwhile.
 */
struct devhost_map;

struct devhost_map *devhost_map_empty(bool identity);
struct devhost_map *devhost_map_build(struct devhost_guest *guest,
				      const struct devhost_map *old,
				      struct vhost_iotlb *iotlb);
struct devhost_map *devhost_map_get(struct devhost_map *map);
void devhost_map_put(struct devhost_map *map);

struct devhost_region *devhost_map_region(const struct devhost_map *map,
					  u64 iova);
bool devhost_map_has(const struct devhost_map *map,
		     const struct devhost_span *span, bool write);
void devhost_region_put(struct devhost_region *region);

/* Counted up with each new snapshot; never 0. */
u64 devhost_map_generation(const struct devhost_map *map);

/**
 * devhost_map_span - translate guest memory
 * @map: the snapshot; remembers the last hit, so one reader at a time
 * @iova: guest (bus) address
 * @len: in: bytes wanted, more than 0; out: bytes contiguous from there, at
 *	most those wanted
 * @write: whether the device will write
 *
 * Context: Any.
 * Return: where the kernel sees it, NULL where the guest may not use it.
 */
void *devhost_map_span(struct devhost_map *map, u64 iova, size_t *len,
		       bool write);

#endif /* _DEVHOST_CORE_MEM_H */
