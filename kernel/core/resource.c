// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory that is used for longer than a pass: a codec's buffers.
 *
 * A resource holds the pages themselves. When the guest's memory map changes
 * under it, it is lost: the module is told on the worker, ends what uses it and
 * puts it, in its own time. Nothing waits for hardware in set_map().
 */
#include <linux/slab.h>
#include <linux/vhost_iotlb.h>

#include "resource.h"

/* One piece for each contiguous run; with @res NULL only counts them. */
static int devhost_resource_fill(struct devhost_resource *res,
				 struct devhost_map *map,
				 const struct devhost_range *range,
				 unsigned int num, bool write)
{
	unsigned int i, n = 0;

	for (i = 0; i < num; i++) {
		u64 addr = range[i].addr;
		size_t left = range[i].len;

		while (left) {
			size_t len = min_t(size_t, left, SZ_1G);
			void *base = devhost_map_span(map, addr, &len, write);

			if (!base)
				return -EFAULT;
			if (n == DEVHOST_RESOURCE_PIECES_MAX)
				return -E2BIG;
			if (res) {
				res->piece[n].span.iova = addr;
				res->piece[n].span.base = base;
				res->piece[n].span.len = len;
				res->piece[n].region =
					devhost_map_region(map, addr);
				res->num++;
				res->len += len;
			}
			n++;
			addr += len;
			left -= len;
		}
	}
	return n;
}

static void devhost_resource_free(struct devhost_resource *res)
{
	unsigned int i;

	for (i = 0; i < res->num; i++)
		devhost_region_put(res->piece[i].region);
	kvfree(res);
}

/**
 * devhost_resource_get - hold guest memory beyond a pass
 * @dev: the device; its class has lost()
 * @range: guest addresses, in the order of the bytes
 * @num: number of @range
 * @write: the device will write to it
 *
 * Context: The worker, may sleep.
 * Return: the resource, or ERR_PTR(): -EFAULT where the guest may not use it,
 * -E2BIG where it is in too many pieces, -EINVAL where it is empty, -ENOMEM.
 */
struct devhost_resource *devhost_resource_get(struct devhost_device *dev,
					      const struct devhost_range *range,
					      unsigned int num, bool write)
{
	struct devhost_resource *res;
	int n;

	lockdep_assert_held(&dev->run_lock);
	n = devhost_resource_fill(NULL, dev->pass_map, range, num, write);
	if (n <= 0)
		return ERR_PTR(n ?: -EINVAL);
	res = kvzalloc(struct_size(res, piece, n), GFP_KERNEL);
	if (!res)
		return ERR_PTR(-ENOMEM);
	res->dev = dev;
	res->write = write;
	devhost_resource_fill(res, dev->pass_map, range, num, write);

	spin_lock(&dev->resource_lock);
	list_add_tail(&res->list, &dev->resources);
	spin_unlock(&dev->resource_lock);
	/* The map may have changed since this pass began. */
	if (READ_ONCE(dev->map) != dev->pass_map)
		devhost_resources_check(dev);
	return res;
}
EXPORT_SYMBOL_GPL(devhost_resource_get);

/**
 * devhost_resource_put - let go of guest memory
 * @res: nothing uses it any more
 *
 * A dma-buf over it may last, but no device maps it any more.
 *
 * Context: Process context, before destroy() returns.
 */
void devhost_resource_put(struct devhost_resource *res)
{
	spin_lock(&res->dev->resource_lock);
	list_del(&res->list);
	spin_unlock(&res->dev->resource_lock);
	if (res->buffer)
		devhost_buffer_drop(res->buffer);
	devhost_resource_free(res);
}
EXPORT_SYMBOL_GPL(devhost_resource_put);

/**
 * devhost_resource_span - a contiguous run of a resource
 * @res: the resource
 * @offset: from its first byte
 * @len: set to the bytes that are contiguous there
 *
 * Context: Any.
 * Return: where the kernel sees it, NULL past the end.
 */
void *devhost_resource_span(const struct devhost_resource *res, size_t offset,
			    size_t *len)
{
	unsigned int i;

	for (i = 0; i < res->num; i++) {
		const struct devhost_span *span = &res->piece[i].span;

		if (offset < span->len) {
			*len = span->len - offset;
			return span->base + offset;
		}
		offset -= span->len;
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(devhost_resource_span);

static bool devhost_resource_mapped(const struct devhost_resource *res,
				    const struct devhost_map *map)
{
	unsigned int i;

	for (i = 0; i < res->num; i++)
		if (!devhost_map_has(map, &res->piece[i].span, res->write))
			return false;
	return true;
}

/**
 * devhost_resources_check - find what a change of the memory map took away
 * @dev: the device
 *
 * Context: Any.
 */
void devhost_resources_check(struct devhost_device *dev)
{
	struct devhost_resource *res;
	bool lost = false;

	spin_lock(&dev->resource_lock);
	spin_lock(&dev->mem_lock);
	list_for_each_entry(res, &dev->resources, list) {
		if (!res->lost && !devhost_resource_mapped(res, dev->map)) {
			res->lost = true;
			if (res->buffer)
				devhost_buffer_revoke(res->buffer);
			lost = true;
		}
	}
	spin_unlock(&dev->mem_lock);
	spin_unlock(&dev->resource_lock);
	if (lost)
		devhost_wake(dev, DEVHOST_PENDING_LOST);
}

static struct devhost_resource *
devhost_resource_next_lost(struct devhost_device *dev)
{
	struct devhost_resource *res, *found = NULL;

	spin_lock(&dev->resource_lock);
	list_for_each_entry(res, &dev->resources, list) {
		if (res->lost && !res->told) {
			res->told = true;
			found = res;
			break;
		}
	}
	spin_unlock(&dev->resource_lock);
	return found;
}

/**
 * devhost_resources_tell - tell the module what is lost
 * @dev: the device
 *
 * Context: The worker.
 */
void devhost_resources_tell(struct devhost_device *dev)
{
	struct devhost_resource *res;

	while ((res = devhost_resource_next_lost(dev)))
		dev->class->ops->lost(dev, res);
}
