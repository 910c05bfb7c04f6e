// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu_dma: has QEMU's "edu" device copy within a dma-buf. README.md tells how.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include "edu_dma.h"

#define EDU_VENDOR		0x1234
#define EDU_DEVICE		0x11e8

/* Registers in BAR 0, and the device's own memory as its engine sees it. */
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_TO_RAM		BIT(1)
#define EDU_MEMORY		0x40000
#define EDU_LENGTH_MAX		4095
#define EDU_TIMEOUT_MS		5000

/**
 * struct edu_dma - the device and its dma-buf; @lock
 * @lock: all below
 * @pdev: the device, NULL without one
 * @bar: its registers
 * @dmabuf: the dma-buf, or NULL
 * @attach: of @dmabuf
 * @table: how the device sees it, NULL where it is not mapped
 * @iova: of the last mapping
 * @phys: of the last mapping
 * @segments: of the last mapping
 * @pieces: of the last mapping
 */
static struct edu_dma {
	struct mutex lock; /* all below */
	struct pci_dev *pdev;
	void __iomem *bar;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *table;
	u64 iova;
	u64 phys;
	u32 segments;
	u32 pieces;
} edu = {
	.lock = __MUTEX_INITIALIZER(edu.lock),
};

static struct dentry *edu_dir;

static int edu_map(void)
{
	struct sg_table *table;

	if (!edu.attach || edu.table)
		return -EBUSY;
	table = dma_buf_map_attachment_unlocked(edu.attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(table))
		return PTR_ERR(table);
	edu.table = table;
	edu.iova = sg_dma_address(table->sgl);
	edu.phys = sg_phys(table->sgl);
	edu.segments = table->nents;
	edu.pieces = table->orig_nents;
	return 0;
}

static int edu_unmap(void)
{
	if (!edu.table)
		return -ENOENT;
	dma_buf_unmap_attachment_unlocked(edu.attach, edu.table,
					  DMA_BIDIRECTIONAL);
	edu.table = NULL;
	return 0;
}

static void edu_drop(void)
{
	if (!edu.dmabuf)
		return;
	edu_unmap();
	dma_buf_detach(edu.dmabuf, edu.attach);
	dma_buf_put(edu.dmabuf);
	edu.attach = NULL;
	edu.dmabuf = NULL;
}

/**
 * edu_dma_import - have the device work on a dma-buf
 * @dmabuf: the dma-buf; a reference is taken
 *
 * Context: Process context, may sleep.
 * Return: 0 or an error.
 */
int edu_dma_import(struct dma_buf *dmabuf)
{
	int err = 0;

	mutex_lock(&edu.lock);
	if (!edu.pdev)
		err = -ENODEV;
	else if (edu.dmabuf)
		err = -EBUSY;
	if (err)
		goto out;
	edu.attach = dma_buf_attach(dmabuf, &edu.pdev->dev);
	if (IS_ERR(edu.attach)) {
		err = PTR_ERR(edu.attach);
		edu.attach = NULL;
		goto out;
	}
	get_dma_buf(dmabuf);
	edu.dmabuf = dmabuf;
	err = edu_map();
	if (err)
		edu_drop();
out:
	mutex_unlock(&edu.lock);
	return err;
}
EXPORT_SYMBOL_GPL(edu_dma_import);

static int edu_transfer(u64 src, u64 dst, u32 len, u64 command)
{
	unsigned int i;

	writeq(src, edu.bar + EDU_DMA_SRC);
	writeq(dst, edu.bar + EDU_DMA_DST);
	writeq(len, edu.bar + EDU_DMA_COUNT);
	writeq(EDU_DMA_START | command, edu.bar + EDU_DMA_COMMAND);
	for (i = 0; i < EDU_TIMEOUT_MS / 20; i++) {
		if (!(readq(edu.bar + EDU_DMA_COMMAND) & EDU_DMA_START))
			return 0;
		msleep(20);
	}
	return -ETIMEDOUT;
}

static ssize_t edu_copy_write(struct file *file, const char __user *from,
			      size_t size, loff_t *pos)
{
	u32 src, dst, len;
	char text[64] = "";
	int err;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	if (sscanf(text, "%u %u %u", &src, &dst, &len) != 3 || !len ||
	    len > EDU_LENGTH_MAX)
		return -EINVAL;
	mutex_lock(&edu.lock);
	err = -ENODEV;
	if (edu.pdev && edu.iova)
		err = edu_transfer(edu.iova + src, EDU_MEMORY, len, 0);
	if (!err)
		err = edu_transfer(EDU_MEMORY, edu.iova + dst, len,
				   EDU_DMA_TO_RAM);
	mutex_unlock(&edu.lock);
	return err ?: size;
}

static const struct file_operations edu_copy_fops = {
	.owner = THIS_MODULE,
	.write = edu_copy_write,
};

static int edu_mapped_get(void *data, u64 *value)
{
	mutex_lock(&edu.lock);
	*value = edu.table ? 1 : 0;
	mutex_unlock(&edu.lock);
	return 0;
}

static int edu_mapped_set(void *data, u64 value)
{
	int err;

	mutex_lock(&edu.lock);
	err = value ? edu_map() : edu_unmap();
	mutex_unlock(&edu.lock);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(edu_mapped_fops, edu_mapped_get, edu_mapped_set,
			 "%llu\n");

static int edu_drop_set(void *data, u64 value)
{
	mutex_lock(&edu.lock);
	edu_drop();
	mutex_unlock(&edu.lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(edu_drop_fops, NULL, edu_drop_set, "%llu\n");

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
	if (err)
		return err;
	pci_set_master(pdev);
	mutex_lock(&edu.lock);
	err = -EBUSY;
	if (!edu.pdev) {
		err = -ENOMEM;
		edu.bar = pcim_iomap(pdev, 0, 0);
		if (edu.bar) {
			edu.pdev = pdev;
			err = 0;
		}
	}
	mutex_unlock(&edu.lock);
	return err;
}

static void edu_remove(struct pci_dev *pdev)
{
	mutex_lock(&edu.lock);
	edu_drop();
	edu.pdev = NULL;
	mutex_unlock(&edu.lock);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR, EDU_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "edu_dma",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};

static int __init edu_init(void)
{
	int err;

	edu_dir = debugfs_create_dir("edu_dma", NULL);
	debugfs_create_x64("iova", 0400, edu_dir, &edu.iova);
	debugfs_create_x64("phys", 0400, edu_dir, &edu.phys);
	debugfs_create_u32("segments", 0400, edu_dir, &edu.segments);
	debugfs_create_u32("pieces", 0400, edu_dir, &edu.pieces);
	debugfs_create_file("copy", 0200, edu_dir, NULL, &edu_copy_fops);
	debugfs_create_file_unsafe("mapped", 0600, edu_dir, NULL,
				   &edu_mapped_fops);
	debugfs_create_file_unsafe("drop", 0200, edu_dir, NULL, &edu_drop_fops);
	err = pci_register_driver(&edu_driver);
	if (err)
		debugfs_remove(edu_dir);
	return err;
}
module_init(edu_init);

static void __exit edu_exit(void)
{
	debugfs_remove(edu_dir);
	pci_unregister_driver(&edu_driver);
}
module_exit(edu_exit);

MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("DMA of QEMU's edu device within a dma-buf, for tests");
