/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory held beyond a pass, and the dma-buf over it.
 */
#ifndef _DEVHOST_CORE_RESOURCE_H
#define _DEVHOST_CORE_RESOURCE_H

#include "core.h"

struct devhost_buffer;

/**
 * struct devhost_resource - see devhost/device.h
 * @dev: its device
 * @list: in dev->resources; dev->resource_lock
 * @lost: not what the guest has there any more; dev->resource_lock
 * @told: lost() was called; the worker's
 * @write: the device writes to it
 * @buffer: exported as a dma-buf; dev->resource_lock to set
 * @len: bytes
 * @num: pieces
 * @piece: where they are
 */
struct devhost_resource {
	struct devhost_device *dev;
	struct list_head list;
	bool lost;
	bool told;
	bool write;
	struct devhost_buffer *buffer;
	size_t len;
	unsigned int num;
	struct {
		struct devhost_region *region;
		struct devhost_span span;
	} piece[];
};

/* dmabuf.c: no device maps it any more; any context. */
void devhost_buffer_revoke(struct devhost_buffer *buffer);
/* Lets go of it as well. */
void devhost_buffer_drop(struct devhost_buffer *buffer);

#endif /* _DEVHOST_CORE_RESOURCE_H */
