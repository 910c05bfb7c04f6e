// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory as a dma-buf: what a codec, a display or a GPU of the host works
 * on is the guest's own pages, mapped by that device's IOMMU.
 *
 * A buffer has references of its own on its pages and on nothing else, so it
 * lasts as long as somebody has it mapped, whatever becomes of the guest. What
 * the guest has lost no device is given anew: the buffer is revoked when its
 * resource is lost or put, and those who use it are stopped by the resource's
 * owner.
 *
 * User space can't map a buffer: such a mapping could not be taken back.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "resource.h"
#include "trace.h"

/**
 * struct devhost_buffer - guest memory of a dma-buf
 * @refs: one for the dma-buf, one for the resource
 * @guest: whose memory it is; a reference
 * @revoked: no device maps it any more
 * @write: devices may write to it
 * @lock: @users
 * @users: attachments that have it mapped
 * @offset: of the first byte in the first page
 * @len: bytes
 * @num: pages
 * @page: the pages, a reference on each
 */
struct devhost_buffer {
	refcount_t refs;
	struct devhost_guest *guest;
	bool revoked;
	bool write;
	struct mutex lock; /* users */
	struct list_head users;
	unsigned int offset;
	size_t len;
	unsigned int num;
	struct page *page[] __counted_by(num);
};

/**
 * struct devhost_buffer_user - a device that a buffer is attached to
 * @list: in buffer->users while it is mapped; buffer->lock
 * @dev: the device
 * @table: how it sees the buffer
 */
struct devhost_buffer_user {
	struct list_head list;
	struct device *dev;
	struct sg_table table;
};

static void devhost_buffer_free(struct devhost_buffer *buffer)
{
	unsigned int i;

	for (i = 0; i < buffer->num; i++)
		put_page(buffer->page[i]);
	atomic64_sub(buffer->len, &buffer->guest->exported);
	devhost_guest_put(buffer->guest);
	mutex_destroy(&buffer->lock);
	kvfree(buffer);
}

static void devhost_buffer_put(struct devhost_buffer *buffer)
{
	if (refcount_dec_and_test(&buffer->refs))
		devhost_buffer_free(buffer);
}

static int devhost_buffer_attach(struct dma_buf *dmabuf,
				 struct dma_buf_attachment *attach)
{
	struct devhost_buffer *buffer = dmabuf->priv;
	struct devhost_buffer_user *user;

	if (READ_ONCE(buffer->revoked))
		return -ENODEV;
	user = kzalloc_obj(*user);
	if (!user)
		return -ENOMEM;
	INIT_LIST_HEAD(&user->list);
	user->dev = attach->dev;
	attach->priv = user;
	return 0;
}

static void devhost_buffer_detach(struct dma_buf *dmabuf,
				  struct dma_buf_attachment *attach)
{
	kfree(attach->priv);
}

static bool devhost_buffer_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type & __IOMMU_DOMAIN_PAGING;
}

/*
 * A device that can't reach the pages would be given copies of them, which not
 * every importer keeps up to date.
 */
static bool devhost_buffer_bounced(struct device *dev, struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;

	if (devhost_buffer_translated(dev))
		return false;
	for_each_sgtable_sg(table, sg, i)
		if (sg_dma_address(sg) != phys_to_dma(dev, sg_phys(sg)))
			return true;
	return false;
}

static struct sg_table *devhost_buffer_map(struct dma_buf_attachment *attach,
					   enum dma_data_direction dir)
{
	struct devhost_buffer *buffer = attach->dmabuf->priv;
	struct devhost_buffer_user *user = attach->priv;
	struct sg_table *table = &user->table;
	int err;

	if (READ_ONCE(buffer->revoked))
		return ERR_PTR(-ENODEV);
	if (!buffer->write && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);
	err = sg_alloc_table_from_pages_segment(table, buffer->page, buffer->num,
						buffer->offset, buffer->len,
						dma_get_max_seg_size(attach->dev),
						GFP_KERNEL);
	if (err)
		return ERR_PTR(err);
	err = dma_map_sgtable(attach->dev, table, dir, 0);
	if (err)
		goto err_free;
	if (devhost_buffer_bounced(attach->dev, table)) {
		err = -EIO;
		goto err_unmap;
	}
	mutex_lock(&buffer->lock);
	list_add(&user->list, &buffer->users);
	mutex_unlock(&buffer->lock);
	trace_devhost_buffer_map(buffer->guest, buffer, buffer->len,
				 attach->dev, table->nents);
	return table;

err_unmap:
	dma_unmap_sgtable(attach->dev, table, dir, DMA_ATTR_SKIP_CPU_SYNC);
err_free:
	sg_free_table(table);
	return ERR_PTR(err);
}

static void devhost_buffer_unmap(struct dma_buf_attachment *attach,
				 struct sg_table *table,
				 enum dma_data_direction dir)
{
	struct devhost_buffer *buffer = attach->dmabuf->priv;
	struct devhost_buffer_user *user = attach->priv;

	mutex_lock(&buffer->lock);
	list_del_init(&user->list);
	mutex_unlock(&buffer->lock);
	trace_devhost_buffer_unmap(buffer->guest, buffer, buffer->len,
				   attach->dev, table->nents);
	dma_unmap_sgtable(attach->dev, table, dir, 0);
	sg_free_table(table);
}

static int devhost_buffer_begin_cpu(struct dma_buf *dmabuf,
				    enum dma_data_direction dir)
{
	struct devhost_buffer *buffer = dmabuf->priv;
	struct devhost_buffer_user *user;

	mutex_lock(&buffer->lock);
	list_for_each_entry(user, &buffer->users, list)
		dma_sync_sgtable_for_cpu(user->dev, &user->table, dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int devhost_buffer_end_cpu(struct dma_buf *dmabuf,
				  enum dma_data_direction dir)
{
	struct devhost_buffer *buffer = dmabuf->priv;
	struct devhost_buffer_user *user;

	mutex_lock(&buffer->lock);
	list_for_each_entry(user, &buffer->users, list)
		dma_sync_sgtable_for_device(user->dev, &user->table, dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

/*
 * Also when it is revoked: dma-buf warns of an exporter that refuses, and the
 * guest would choose the moment. The pages are the buffer's own.
 */
static int devhost_buffer_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct devhost_buffer *buffer = dmabuf->priv;
	void *base;

	base = vmap(buffer->page, buffer->num, VM_MAP, PAGE_KERNEL);
	if (!base)
		return -ENOMEM;
	iosys_map_set_vaddr(map, base + buffer->offset);
	return 0;
}

static void devhost_buffer_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	const struct devhost_buffer *buffer = dmabuf->priv;

	vunmap(map->vaddr - buffer->offset);
}

static void devhost_buffer_release(struct dma_buf *dmabuf)
{
	struct devhost_buffer *buffer = dmabuf->priv;

	trace_devhost_buffer_release(buffer->guest, buffer, buffer->len);
	devhost_buffer_put(buffer);
}

static const struct dma_buf_ops devhost_buffer_ops = {
	.attach = devhost_buffer_attach,
	.detach = devhost_buffer_detach,
	.map_dma_buf = devhost_buffer_map,
	.unmap_dma_buf = devhost_buffer_unmap,
	.begin_cpu_access = devhost_buffer_begin_cpu,
	.end_cpu_access = devhost_buffer_end_cpu,
	.vmap = devhost_buffer_vmap,
	.vunmap = devhost_buffer_vunmap,
	.release = devhost_buffer_release,
};

static unsigned int devhost_span_pages(const struct devhost_span *span)
{
	return PFN_UP(offset_in_page(span->base) + (size_t)span->len);
}

/* Pages of a resource; 0 where its pieces don't make whole pages. */
static unsigned int devhost_buffer_pages(const struct devhost_resource *res)
{
	unsigned int i, pages = 0;

	for (i = 0; i < res->num; i++) {
		const struct devhost_span *span = &res->piece[i].span;

		if (i && offset_in_page(span->base))
			return 0;
		if (i < res->num - 1 && offset_in_page(span->base + span->len))
			return 0;
		/* The host's own memory may be of any kind. */
		if (!res->piece[i].region)
			return 0;
		pages += devhost_span_pages(span);
	}
	return pages;
}

static void devhost_buffer_fill(struct devhost_buffer *buffer,
				const struct devhost_resource *res)
{
	unsigned int i, n = 0;

	buffer->offset = offset_in_page(res->piece[0].span.base);
	for (i = 0; i < res->num; i++) {
		const struct devhost_span *span = &res->piece[i].span;
		unsigned long pfn = PHYS_PFN(virt_to_phys(span->base));
		unsigned long end = pfn + devhost_span_pages(span);

		for (; pfn < end; pfn++) {
			buffer->page[n] = pfn_to_page(pfn);
			get_page(buffer->page[n++]);
		}
	}
}

/* Takes from what the guest may have in dma-bufs. */
static int devhost_buffer_charge(struct devhost_guest *guest, size_t len)
{
	if (atomic64_add_return(len, &guest->exported) <= DEVHOST_EXPORT_MAX)
		return 0;
	atomic64_sub(len, &guest->exported);
	return -EDQUOT;
}

static struct devhost_buffer *
devhost_buffer_new(const struct devhost_resource *res)
{
	struct devhost_guest *guest = res->dev->guest;
	unsigned int num = devhost_buffer_pages(res);
	struct devhost_buffer *buffer;
	int err;

	if (!num)
		return ERR_PTR(-EINVAL);
	err = devhost_buffer_charge(guest, res->len);
	if (err)
		return ERR_PTR(err);
	buffer = kvzalloc(struct_size(buffer, page, num), GFP_KERNEL);
	if (!buffer) {
		atomic64_sub(res->len, &guest->exported);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&buffer->refs, 1);
	refcount_inc(&guest->refs);
	buffer->guest = guest;
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->users);
	buffer->write = res->write;
	buffer->len = res->len;
	buffer->num = num;
	devhost_buffer_fill(buffer, res);
	return buffer;
}

void devhost_buffer_revoke(struct devhost_buffer *buffer)
{
	WRITE_ONCE(buffer->revoked, true);
}

void devhost_buffer_drop(struct devhost_buffer *buffer)
{
	devhost_buffer_revoke(buffer);
	devhost_buffer_put(buffer);
}

/* Between its making and this the resource may have been lost. */
static void devhost_buffer_bind(struct devhost_buffer *buffer,
				struct devhost_resource *res)
{
	refcount_inc(&buffer->refs);
	spin_lock(&res->dev->resource_lock);
	res->buffer = buffer;
	if (res->lost)
		devhost_buffer_revoke(buffer);
	spin_unlock(&res->dev->resource_lock);
}

/**
 * devhost_resource_export - guest memory as a dma-buf
 * @res: the resource, not exported yet; its pieces begin and end at pages, but
 *	for the first byte and the last
 *
 * The dma-buf outlives the resource where somebody still has it, but when the
 * guest takes the memory away or the resource is put, no device can map it any
 * more.
 *
 * Context: The worker, may sleep.
 * Return: the dma-buf, for devhost_dmabuf_put(); or ERR_PTR(): -EINVAL where the
 * memory does not make a dma-buf, -EBUSY where there is one, -EDQUOT where the
 * guest has too much in dma-bufs, -ENOMEM.
 */
struct dma_buf *devhost_resource_export(struct devhost_resource *res)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct devhost_buffer *buffer;
	struct dma_buf *dmabuf;

	if (res->buffer)
		return ERR_PTR(-EBUSY);
	buffer = devhost_buffer_new(res);
	if (IS_ERR(buffer))
		return ERR_CAST(buffer);
	info.exp_name = "devhost";
	info.ops = &devhost_buffer_ops;
	/* Exact: importers check what they are told against it. */
	info.size = buffer->len;
	info.flags = O_CLOEXEC | (res->write ? O_RDWR : O_RDONLY);
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		devhost_buffer_put(buffer);
		return dmabuf;
	}
	devhost_buffer_bind(buffer, res);
	trace_devhost_buffer_export(buffer->guest, buffer, buffer->len);
	return dmabuf;
}
EXPORT_SYMBOL_GPL(devhost_resource_export);

/**
 * devhost_dmabuf_put - drop a reference to a dma-buf
 * @dmabuf: the dma-buf
 *
 * As dma_buf_put(), which leaves the last reference to the return to user
 * space; the queue worker never returns there.
 *
 * Context: Process context, may sleep.
 */
void devhost_dmabuf_put(struct dma_buf *dmabuf)
{
	__fput_sync(dmabuf->file);
}
EXPORT_SYMBOL_GPL(devhost_dmabuf_put);

MODULE_IMPORT_NS("DMA_BUF");
