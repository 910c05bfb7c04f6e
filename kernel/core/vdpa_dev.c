// SPDX-License-Identifier: GPL-2.0-only
/*
 * How vDPA devices come and go: made by our own netlink family, listed and
 * removed by vDPA's as well.
 */
#include <linux/slab.h>

#include "core.h"

/* The standard vDPA netlink can list and remove devices; it cannot make them. */

static int devhost_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
			   const struct vdpa_dev_set_config *config)
{
	return -EOPNOTSUPP;
}

static void devhost_dev_del(struct vdpa_mgmt_dev *mdev,
			    struct vdpa_device *vdpa)
{
	devhost_device_del_vdpa(vdpa_to_devhost(vdpa));
}

static const struct vdpa_mgmtdev_ops devhost_mgmtdev_ops = {
	.dev_add = devhost_dev_add,
	.dev_del = devhost_dev_del,
};

static struct virtio_device_id devhost_id_table[] = {
	{ VIRTIO_ID_SOUND, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_VIDEO_ENCODER, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_VIDEO_DECODER, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_SCMI, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_CAN, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct vdpa_mgmt_dev devhost_mgmtdev = {
	.ops = &devhost_mgmtdev_ops,
	.id_table = devhost_id_table,
	.supported_features = DEVHOST_FEATURES,
	.max_supported_vqs = DEVHOST_CLASS_VQS,
};

int devhost_vdpa_init(void)
{
	struct device *root = root_device_register("devhost");
	int err;

	if (IS_ERR(root))
		return PTR_ERR(root);
	devhost_mgmtdev.device = root;
	err = vdpa_mgmtdev_register(&devhost_mgmtdev);
	if (err)
		root_device_unregister(root);
	return err;
}

void devhost_vdpa_exit(void)
{
	vdpa_mgmtdev_unregister(&devhost_mgmtdev);
	root_device_unregister(devhost_mgmtdev.device);
}

void devhost_vdpa_free(struct vdpa_device *vdpa)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);

	if (dev->map)
		devhost_map_put(dev->map);
	if (dev->no_map)
		devhost_map_put(dev->no_map);
	devhost_guest_put(dev->guest);
	kfree(dev->priv);
	kfree(dev->counters);
	kfree(dev->vqs);
}

static void devhost_vq_init(struct devhost_device *dev, unsigned int index)
{
	struct devhost_vq *vq = &dev->vqs[index];

	vq->dev = dev;
	vq->index = index;
	if (dev->class->vqs[index].supply)
		vq->kind = DEVHOST_VQ_SUPPLY;
	devhost_vdpa_reset_vq(vq);
}

/**
 * devhost_vdpa_alloc - allocate a device
 * @class: its kind
 * @guest: its guest; the device takes a reference
 * @params: its name, and what it may offer
 *
 * Context: Process context, may sleep.
 * Return: a device to be added, or only put; or ERR_PTR().
 */
struct devhost_device *
devhost_vdpa_alloc(struct devhost_class *class, struct devhost_guest *guest,
		   const struct devhost_params *params)
{
	char full[2 * DEVHOST_NAME_SIZE];
	struct devhost_device *dev;
	unsigned int i;

	snprintf(full, sizeof(full), "%s.%s", guest->name, params->name);
	dev = vdpa_alloc_device(struct devhost_device, vdpa,
				devhost_mgmtdev.device, &devhost_vdpa_ops, NULL,
				1, 1, full, false);
	if (IS_ERR(dev))
		return dev;

	init_completion(&dev->added);
	INIT_WORK(&dev->orphaned, devhost_worker_orphaned);
	mutex_init(&dev->lock);
	mutex_init(&dev->run_lock);
	spin_lock_init(&dev->config_lock);
	spin_lock_init(&dev->mem_lock);
	spin_lock_init(&dev->resource_lock);
	devhost_denials_init(dev);
	INIT_LIST_HEAD(&dev->resources);
	INIT_LIST_HEAD(&dev->list);
	dev->class = class;
	refcount_inc(&guest->refs);
	dev->guest = guest;
	strscpy(dev->name, params->name, sizeof(dev->name));
	dev->features_mask = params->features_mask;
	dev->vq_size_max = params->vq_size_max;
	dev->policy_required = params->policy_required;
	dev->vdpa.mdev = &devhost_mgmtdev;
	devhost_vdpa_set_dma_dev(&dev->vdpa);

	dev->vqs = kcalloc(class->num_vqs, sizeof(*dev->vqs), GFP_KERNEL);
	dev->counters = kcalloc(class->num_counters + 1,
				sizeof(*dev->counters), GFP_KERNEL);
	dev->priv = kzalloc(class->priv_size, GFP_KERNEL);
	dev->no_map = devhost_map_empty(false);
	if (!dev->vqs || !dev->counters || !dev->priv || !dev->no_map) {
		put_device(&dev->vdpa.dev);
		return ERR_PTR(-ENOMEM);
	}
	dev->map = devhost_map_get(dev->no_map);
	for (i = 0; i < class->num_vqs; i++)
		devhost_vq_init(dev, i);
	return dev;
}

/**
 * devhost_vdpa_add - let VMMs find a device
 * @dev: the device; devhost_lock is not held
 *
 * Context: Process context, may sleep.
 * Return: 0 or an error.
 */
int devhost_vdpa_add(struct devhost_device *dev)
{
	int err;

	/* Unregistering drops the reference that a device is born with. */
	get_device(&dev->vdpa.dev);
	WRITE_ONCE(dev->adder, current);
	err = vdpa_register_device(&dev->vdpa, dev->class->num_vqs);
	WRITE_ONCE(dev->adder, NULL);
	complete_all(&dev->added);
	if (err)
		put_device(&dev->vdpa.dev);
	return err;
}

void devhost_vdpa_del(struct devhost_device *dev)
{
	vdpa_unregister_device(&dev->vdpa);
	/* Closed, so nothing queues it any more. */
	cancel_work_sync(&dev->orphaned);
}

void devhost_vdpa_put(struct devhost_device *dev)
{
	put_device(&dev->vdpa.dev);
}
