// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resources: guest memory that the driver has made buffers of. Each is imported
 * once, as a dma-buf, and queued as often as the driver likes.
 */
#include <linux/dma-buf.h>
#include <linux/slab.h>

#include "vhost_video.h"

struct vhost_video_resource *
vhost_video_resource_find(struct vhost_video_stream *stream,
			  enum vhost_video_queue queue, u32 id)
{
	struct vhost_video_resource *res;

	list_for_each_entry(res, &stream->resources[queue], list)
		if (res->id == id)
			return res;
	return NULL;
}

/**
 * vhost_video_resource_free - forget a resource
 * @stream: its stream
 * @res: the resource, not queued
 *
 * The codec may have it mapped still; its pages last as long.
 *
 * Context: The worker, or stop().
 */
void vhost_video_resource_free(struct vhost_video_stream *stream,
			       struct vhost_video_resource *res)
{
	if (stream->index[res->queue][res->index] == res)
		stream->index[res->queue][res->index] = NULL;
	list_del(&res->list);
	devhost_resource_put(res->memory);
	devhost_dmabuf_put(res->dmabuf);
	kfree(res);
}

static u32 vhost_video_resource_error(long err)
{
	switch (err) {
	case -ENOMEM:
	case -EDQUOT:
	case -E2BIG:
		return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	default:
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	}
}

/* The entries are read over what they become. */
static u32 vhost_video_entries(struct devhost_chain *chain, u32 num,
			       struct devhost_range **range)
{
	struct virtio_video_mem_entry *entries;
	u64 total;
	u32 err, i;

	BUILD_BUG_ON(sizeof(*entries) != sizeof(**range));
	entries = kvmalloc_array(num, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	err = VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	if (!devhost_chain_read(chain, entries, num * sizeof(*entries)))
		err = vhost_video_parse_entries(entries, num, &total);
	/* Sizes of buffers have 32 bits. */
	if (!err && total > S32_MAX)
		err = VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	if (err) {
		kvfree(entries);
		return err;
	}
	*range = (struct devhost_range *)entries;
	for (i = 0; i < num; i++) {
		const struct virtio_video_mem_entry entry = entries[i];

		(*range)[i].addr = le64_to_cpu(entry.addr);
		(*range)[i].len = le32_to_cpu(entry.length);
	}
	return 0;
}

static u32 vhost_video_resource_import(struct vhost_video_stream *stream,
				       struct vhost_video_resource *res,
				       const struct devhost_range *range, u32 num)
{
	u32 i;

	res->memory = devhost_resource_get(stream->vv->dev, range, num,
					   res->queue == VHOST_VIDEO_OUTPUT);
	if (IS_ERR(res->memory))
		return vhost_video_resource_error(PTR_ERR(res->memory));
	res->dmabuf = devhost_resource_export(res->memory);
	if (IS_ERR(res->dmabuf)) {
		devhost_resource_put(res->memory);
		return vhost_video_resource_error(PTR_ERR(res->dmabuf));
	}
	for (i = 0; i < num; i++)
		res->len += range[i].len;
	devhost_count(stream->vv->dev, VHOST_VIDEO_IMPORTED, 1);
	return 0;
}

static bool vhost_video_resource_number(struct vhost_video_stream *stream,
					struct vhost_video_resource *res)
{
	u32 i;

	for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++) {
		if (stream->index[res->queue][i])
			continue;
		res->index = i;
		return true;
	}
	return false;
}

/**
 * vhost_video_resource_create - serve RESOURCE_CREATE
 * @stream: the stream
 * @req: the request
 * @chain: where its entries are read
 *
 * Drivers use the number of a resource again without having destroyed it: the
 * new one takes the place of the old one.
 *
 * Context: The worker.
 * Return: 0 or the error to be answered.
 */
u32 vhost_video_resource_create(struct vhost_video_stream *stream,
				const struct vhost_video_request *req,
				struct devhost_chain *chain)
{
	struct vhost_video_resource *res, *old;
	struct devhost_range *range;
	u32 err;

	old = vhost_video_resource_find(stream, req->queue, req->resource.id);
	if (old && old->chain)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_RESOURCE_ID;
	res = kzalloc_obj(*res);
	if (!res)
		return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	res->id = req->resource.id;
	res->queue = req->queue;
	err = VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	if (old)
		res->index = old->index;
	else if (!vhost_video_resource_number(stream, res))
		goto err_free;
	err = vhost_video_entries(chain, req->resource.entries, &range);
	if (err)
		goto err_free;
	err = vhost_video_resource_import(stream, res, range,
					  req->resource.entries);
	kvfree(range);
	if (err)
		goto err_free;
	if (old)
		vhost_video_resource_free(stream, old);
	stream->index[res->queue][res->index] = res;
	list_add_tail(&res->list, &stream->resources[res->queue]);
	return 0;

err_free:
	kfree(res);
	return err;
}

/**
 * vhost_video_resource_lost - the guest took memory of a resource away
 * @vv: the device
 * @memory: the memory
 *
 * The stream fails: it can't be known what the codec is doing with it. The
 * memory is put when the codec has let go of it.
 *
 * Context: The worker.
 */
void vhost_video_resource_lost(struct vhost_video *vv,
			       struct devhost_resource *memory)
{
	struct vhost_video_stream *stream;
	unsigned int queue, i;

	list_for_each_entry(stream, &vv->streams, list) {
		for (queue = 0; queue < VHOST_VIDEO_QUEUES; queue++) {
			for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++) {
				struct vhost_video_resource *res;

				res = stream->index[queue][i];
				if (!res || res->memory != memory)
					continue;
				devhost_count(vv->dev, VHOST_VIDEO_LOST, 1);
				vhost_video_stream_fail(stream);
				return;
			}
		}
	}
}
