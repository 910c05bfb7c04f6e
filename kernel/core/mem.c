// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory.
 *
 * vhost-vdpa pins guest pages, tells us where they are with set_map() and
 * unpins them before it tells us that they are gone. So every snapshot holds
 * page references of its own: whoever still works with a retired snapshot
 * touches pages that the guest has lost, never pages that somebody else got.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/vhost_iotlb.h>

#include "core.h"

/**
 * struct devhost_region - a physically contiguous run of guest memory
 * @refs: one for each snapshot that has it
 * @guest: whose memory it is, for the account
 * @iova: where the guest has it
 * @size: bytes
 * @addr: physical address
 * @perm: VHOST_MAP_RO, _WO or _RW
 */
struct devhost_region {
	refcount_t refs;
	struct devhost_guest *guest;
	u64 iova;
	u64 size;
	u64 addr;
	u32 perm;
};

/**
 * struct devhost_snapshot - a snapshot with all that belongs to it
 * @map: what its readers see
 * @refs: references
 * @identity: guest addresses are physical ones (the host's own driver)
 * @num: slots
 * @bytes: in all of them
 * @region: the regions, in the order of the slots
 * @slot: sorted by address
 */
struct devhost_snapshot {
	struct devhost_map map;
	refcount_t refs;
	bool identity;
	unsigned int num;
	u64 bytes;
	struct devhost_region **region;
	struct devhost_slot slot[];
};

static const struct devhost_slot devhost_no_slot;

#define devhost_snapshot(seen) \
	container_of_const(seen, struct devhost_snapshot, map)

static atomic64_t devhost_generation = ATOMIC64_INIT(0);

/* A large page needs one reference, however much of it the region has. */
static void devhost_region_pages(const struct devhost_region *region, bool get)
{
	unsigned long pfn = PHYS_PFN(region->addr);
	unsigned long end = PHYS_PFN(region->addr + region->size - 1) + 1;

	while (pfn < end) {
		struct folio *folio = page_folio(pfn_to_page(pfn));
		unsigned long next = folio_pfn(folio) + folio_nr_pages(folio);

		if (get)
			folio_get(folio);
		else
			folio_put(folio);
		pfn = next;
	}
}

static struct devhost_region *
devhost_region_new(struct devhost_guest *guest,
		   const struct vhost_iotlb_map *entry)
{
	struct devhost_region *region = kmalloc(sizeof(*region), GFP_KERNEL);

	if (!region)
		return NULL;
	refcount_set(&region->refs, 1);
	refcount_inc(&guest->refs);
	region->guest = guest;
	region->iova = entry->start;
	region->size = entry->last - entry->start + 1;
	region->addr = entry->addr;
	region->perm = entry->perm;
	devhost_region_pages(region, true);
	atomic64_add(region->size, &guest->pinned);
	return region;
}

void devhost_region_put(struct devhost_region *region)
{
	if (!region || !refcount_dec_and_test(&region->refs))
		return;
	devhost_region_pages(region, false);
	atomic64_sub(region->size, &region->guest->pinned);
	devhost_guest_put(region->guest);
	kfree(region);
}

static struct devhost_snapshot *devhost_snapshot_new(unsigned int num)
{
	struct devhost_snapshot *snap;
	unsigned int i;

	snap = kvzalloc(struct_size(snap, slot, num), GFP_KERNEL);
	if (!snap)
		return NULL;
	if (num) {
		snap->region = kvcalloc(num, sizeof(*snap->region), GFP_KERNEL);
		if (!snap->region) {
			kvfree(snap);
			return NULL;
		}
	}
	refcount_set(&snap->refs, 1);
	snap->map.generation = atomic64_inc_return(&devhost_generation);
	for (i = 0; i < DEVHOST_MAP_HITS; i++)
		snap->map.hit[i] = &devhost_no_slot;
	return snap;
}

/**
 * devhost_map_empty - a snapshot without memory
 * @identity: instead, one in which guest addresses are physical ones
 *
 * Context: Process context, may sleep.
 * Return: the snapshot, or NULL.
 */
struct devhost_map *devhost_map_empty(bool identity)
{
	struct devhost_snapshot *snap = devhost_snapshot_new(0);

	if (!snap)
		return NULL;
	snap->identity = identity;
	return &snap->map;
}

/**
 * devhost_map_bytes - how much memory is in a snapshot
 * @map: the snapshot
 *
 * Context: Any.
 * Return: bytes; those in two mappings count twice.
 */
u64 devhost_map_bytes(const struct devhost_map *map)
{
	return devhost_snapshot(map)->bytes;
}

struct devhost_map *devhost_map_get(struct devhost_map *map)
{
	refcount_inc(&devhost_snapshot(map)->refs);
	return map;
}

void devhost_map_put(struct devhost_map *map)
{
	struct devhost_snapshot *snap = devhost_snapshot(map);
	unsigned int i;

	if (!refcount_dec_and_test(&snap->refs))
		return;
	for (i = 0; i < snap->num; i++)
		devhost_region_put(snap->region[i]);
	kvfree(snap->region);
	kvfree(snap);
}

/* The number of the slot that holds @iova, or -1. */
static int devhost_snapshot_find(const struct devhost_snapshot *snap, u64 iova)
{
	unsigned int low = 0, high = snap->num;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (snap->slot[mid].last < iova)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == snap->num || snap->slot[low].first > iova)
		return -1;
	return low;
}

/* The same memory in the old snapshot, so that a change costs what it changes. */
static struct devhost_region *
devhost_snapshot_reuse(const struct devhost_snapshot *old,
		       const struct vhost_iotlb_map *entry)
{
	int i = devhost_snapshot_find(old, entry->start);
	struct devhost_region *region;

	if (i < 0)
		return NULL;
	region = old->region[i];
	if (region->iova != entry->start || region->addr != entry->addr ||
	    region->size != entry->last - entry->start + 1 ||
	    region->perm != entry->perm)
		return NULL;
	refcount_inc(&region->refs);
	return region;
}

/**
 * devhost_map_build - take a snapshot of what vhost-vdpa has mapped
 * @guest: whose memory it is
 * @old: the snapshot before
 * @iotlb: the mappings; their pages are pinned by the caller
 *
 * Context: Process context, may sleep; possibly under the VMM's mmap lock.
 * Return: the snapshot, or ERR_PTR(-ENOMEM), ERR_PTR(-EINVAL).
 */
struct devhost_map *devhost_map_build(struct devhost_guest *guest,
				      const struct devhost_map *old,
				      struct vhost_iotlb *iotlb)
{
	struct devhost_snapshot *snap = devhost_snapshot_new(iotlb->nmaps);
	struct vhost_iotlb_map *entry;
	int err = -ENOMEM;

	if (!snap)
		return ERR_PTR(-ENOMEM);

	for (entry = vhost_iotlb_itree_first(iotlb, 0, U64_MAX); entry;
	     entry = vhost_iotlb_itree_next(entry, 0, U64_MAX)) {
		struct devhost_slot *slot = &snap->slot[snap->num];
		struct devhost_region *region;

		/* All of memory in one entry has no size that fits. */
		if (WARN_ON_ONCE(snap->num == iotlb->nmaps) ||
		    entry->last - entry->start == U64_MAX) {
			err = -EINVAL;
			goto err_put;
		}
		region = devhost_snapshot_reuse(devhost_snapshot(old), entry);
		if (!region)
			region = devhost_region_new(guest, entry);
		if (!region)
			goto err_put;
		slot->first = entry->start;
		slot->last = entry->last;
		slot->base = phys_to_virt(entry->addr);
		slot->perm = entry->perm;
		snap->region[snap->num++] = region;
		snap->bytes += region->size;
		if (!(snap->num & 1023))
			cond_resched();
	}
	return &snap->map;

err_put:
	devhost_map_put(&snap->map);
	return ERR_PTR(err);
}

static void *devhost_map_identity(u64 iova, size_t *len)
{
	u64 last;

	if (check_add_overflow(iova, (u64)*len - 1, &last) ||
	    !pfn_valid(PHYS_PFN(iova)) || !pfn_valid(PHYS_PFN(last)))
		return NULL;
	return phys_to_virt(iova);
}

/**
 * devhost_map_lookup - translate what is not in a slot that was used lately
 * @map: the snapshot
 * @iova: as for devhost_map_span()
 * @len: as there
 * @write: as there
 *
 * Context: Any.
 * Return: as there.
 */
void *devhost_map_lookup(struct devhost_map *map, u64 iova, size_t *len,
			 bool write)
{
	const struct devhost_snapshot *snap = devhost_snapshot(map);
	const struct devhost_slot *slot;
	int i;

	if (unlikely(snap->identity))
		return devhost_map_identity(iova, len);
	i = devhost_snapshot_find(snap, iova);
	if (i < 0)
		return NULL;
	slot = &snap->slot[i];
	if (!(slot->perm & (write ? VHOST_MAP_WO : VHOST_MAP_RO)))
		return NULL;
	map->hit[devhost_map_hit(iova)] = slot;
	return devhost_map_span(map, iova, len, write);
}

/**
 * devhost_map_region - hold the region that an address is in
 * @map: the snapshot
 * @iova: an address for which devhost_map_span() has an answer
 *
 * Context: Any.
 * Return: the region, NULL in the host's own memory, which is not held.
 */
struct devhost_region *devhost_map_region(const struct devhost_map *map,
					  u64 iova)
{
	const struct devhost_snapshot *snap = devhost_snapshot(map);
	struct devhost_region *region;

	if (snap->identity)
		return NULL;
	region = snap->region[devhost_snapshot_find(snap, iova)];
	refcount_inc(&region->refs);
	return region;
}

/**
 * devhost_map_has - whether a snapshot still has memory where it was
 * @map: the snapshot
 * @span: where it was
 * @write: whether the device writes to it
 *
 * Context: Any.
 * Return: true if it has.
 */
bool devhost_map_has(const struct devhost_map *map,
		     const struct devhost_span *span, bool write)
{
	const struct devhost_snapshot *snap = devhost_snapshot(map);
	const struct devhost_slot *slot;
	int i;

	if (snap->identity)
		return true;
	i = devhost_snapshot_find(snap, span->iova);
	if (i < 0)
		return false;
	slot = &snap->slot[i];
	return slot->base + (span->iova - slot->first) == span->base &&
	       slot->last - span->iova >= span->len - 1 &&
	       (slot->perm & (write ? VHOST_MAP_WO : VHOST_MAP_RO));
}
