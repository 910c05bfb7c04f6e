// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vDPA parent: what a virtio device is to vhost-vdpa and to virtio_vdpa.
 *
 * Everything that starts, stops or configures a device runs under dev->lock.
 * Guest memory has a lock of its own, since set_map() may be called under the
 * VMM's mmap lock.
 */
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <uapi/linux/vhost_types.h>

#include "core.h"
#include "trace.h"

bool devhost_host_driver(struct devhost_device *dev)
{
	const struct device_driver *driver = READ_ONCE(dev->vdpa.dev.driver);

	return driver && !strcmp(driver->name, "virtio_vdpa");
}

void devhost_changed(struct devhost_device *dev)
{
	devhost_netlink_device_event(dev, DEVHOST_CMD_DEVICE_CHANGE_NTF);
}

/**
 * devhost_vdpa_in_use - whether somebody uses a device
 * @dev: the device
 *
 * vhost-vdpa does not tell its parent of open() and release(). What shows is
 * their reset, a question that only open() asks, and all that a VMM sets
 * between them. A process that resets the device itself and then only sits on
 * the file goes unnoticed.
 *
 * Context: Any.
 * Return: true while it is in use.
 */
bool devhost_vdpa_in_use(struct devhost_device *dev)
{
	return READ_ONCE(dev->open) || READ_ONCE(dev->status) ||
	       READ_ONCE(dev->mapped) || devhost_host_driver(dev);
}

enum devhost_dev_state devhost_vdpa_state(struct devhost_device *dev)
{
	if (READ_ONCE(dev->needs_reset))
		return DEVHOST_DEV_BROKEN;
	if (READ_ONCE(dev->quiesced))
		return DEVHOST_DEV_QUIESCED;
	if (READ_ONCE(dev->suspended))
		return DEVHOST_DEV_SUSPENDED;
	if (READ_ONCE(dev->running))
		return DEVHOST_DEV_RUNNING;
	return devhost_vdpa_in_use(dev) ? DEVHOST_DEV_OPEN : DEVHOST_DEV_IDLE;
}

/* Configuration */

void devhost_config_interrupt(struct devhost_device *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->config_lock, flags);
	if (dev->config_cb.callback)
		dev->config_cb.callback(dev->config_cb.private);
	spin_unlock_irqrestore(&dev->config_lock, flags);
}

/**
 * devhost_config_changed - tell the driver that the configuration changed
 * @dev: the device; what get_config() reads has changed already
 *
 * While the device is suspended the driver is told when it goes on.
 *
 * Context: Any, from create() to destroy().
 */
void devhost_config_changed(struct devhost_device *dev)
{
	atomic_inc(&dev->generation);
	if (READ_ONCE(dev->suspended))
		WRITE_ONCE(dev->config_pending, true);
	else if (READ_ONCE(dev->running))
		devhost_config_interrupt(dev);
}
EXPORT_SYMBOL_GPL(devhost_config_changed);

/**
 * devhost_broken - the device can't go on until the driver resets it
 * @dev: the device
 * @reason: what happened, a constant string
 *
 * Sets DEVICE_NEEDS_RESET and notifies the driver; queues that are not affected
 * are served on.
 *
 * Context: Process context.
 */
void devhost_broken(struct devhost_device *dev, const char *reason)
{
	if (READ_ONCE(dev->needs_reset))
		return;
	WRITE_ONCE(dev->reason, reason);
	WRITE_ONCE(dev->needs_reset, true);
	trace_devhost_broken(dev, reason);
	devhost_config_interrupt(dev);
	devhost_changed(dev);
}
EXPORT_SYMBOL_GPL(devhost_broken);

/* Status */

static bool devhost_features_valid(struct devhost_device *dev, u64 features)
{
	return !(features & ~devhost_vdpa_features(dev)) &&
	       (features & DEVHOST_FEATURES_NEEDED) == DEVHOST_FEATURES_NEEDED;
}

static u8 devhost_get_status(struct vdpa_device *vdpa)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	u8 status = READ_ONCE(dev->status);

	if (status && READ_ONCE(dev->needs_reset))
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	return status;
}

static void devhost_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	u8 added;

	mutex_lock(&dev->lock);
	/* Bits go away by a reset only; NEEDS_RESET is the device's to set. */
	status = (status | dev->status) & ~VIRTIO_CONFIG_S_NEEDS_RESET;
	added = status & ~dev->status;

	if ((added & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    !devhost_features_valid(dev, dev->driver_features))
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if ((added & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    (!(status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	     (status & VIRTIO_CONFIG_S_FAILED)))
		status &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	added &= status;

	WRITE_ONCE(dev->open, true);
	WRITE_ONCE(dev->status, status);
	if (added & VIRTIO_CONFIG_S_FAILED)
		devhost_stop(dev);
	if ((added & VIRTIO_CONFIG_S_DRIVER_OK) && devhost_start(dev))
		devhost_broken(dev, "the device cannot be started");
	devhost_changed(dev);
	mutex_unlock(&dev->lock);
}

void devhost_vdpa_reset_vq(struct devhost_vq *vq)
{
	vq->ready = false;
	vq->num = devhost_quota_ring_size(vq->dev);
	vq->addressed = false;
	vq->state = (struct devhost_ring_state){
		.avail_wrap = true,
		.used_wrap = true,
	};
	mutex_lock(&vq->dev->run_lock);
	vq->cb = (struct vdpa_callback){};
	mutex_unlock(&vq->dev->run_lock);
}

static int devhost_reset(struct vdpa_device *vdpa)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	unsigned int i;

	/*
	 * vhost_vdpa shows its node before all of it is initialized; open()
	 * comes here first. virtio_vdpa comes from within the adding.
	 */
	if (READ_ONCE(dev->adder) != current)
		wait_for_completion(&dev->added);

	mutex_lock(&dev->lock);
	trace_devhost_reset(dev, dev->status);
	devhost_stop(dev);
	for (i = 0; i < dev->class->num_vqs; i++)
		devhost_vdpa_reset_vq(&dev->vqs[i]);
	spin_lock_irq(&dev->config_lock);
	dev->config_cb = (struct vdpa_callback){};
	spin_unlock_irq(&dev->config_lock);
	WRITE_ONCE(dev->status, 0);
	WRITE_ONCE(dev->open, false);
	dev->driver_features = 0;
	dev->config_pending = false;
	WRITE_ONCE(dev->needs_reset, false);
	if (!dev->quiesced)
		WRITE_ONCE(dev->reason, NULL);
	devhost_changed(dev);
	mutex_unlock(&dev->lock);
	return 0;
}

static int devhost_vdpa_suspend(struct vdpa_device *vdpa)
{
	devhost_suspend(vdpa_to_devhost(vdpa));
	return 0;
}

static int devhost_vdpa_resume(struct vdpa_device *vdpa)
{
	devhost_resume(vdpa_to_devhost(vdpa));
	return 0;
}

/* Features */

u64 devhost_vdpa_features(struct devhost_device *dev)
{
	u64 features = DEVHOST_FEATURES;

	if (dev->class->ops->features)
		features |= dev->class->ops->features(dev);
	return features & (dev->features_mask | DEVHOST_FEATURES_NEEDED);
}

int devhost_vdpa_set_features_mask(struct devhost_device *dev, u64 mask)
{
	int err = -EBUSY;

	mutex_lock(&dev->lock);
	if (!devhost_vdpa_in_use(dev)) {
		dev->features_mask = mask;
		err = 0;
	}
	mutex_unlock(&dev->lock);
	return err;
}

static u64 devhost_get_device_features(struct vdpa_device *vdpa)
{
	return devhost_vdpa_features(vdpa_to_devhost(vdpa));
}

static u64 devhost_get_backend_features(const struct vdpa_device *vdpa)
{
	return BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK);
}

static int devhost_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	int err = 0;

	mutex_lock(&dev->lock);
	WRITE_ONCE(dev->open, true);
	if (dev->status & VIRTIO_CONFIG_S_FEATURES_OK)
		err = -EBUSY;
	else if (!devhost_features_valid(dev, features))
		err = -EINVAL;
	else
		dev->driver_features = features;
	mutex_unlock(&dev->lock);
	return err;
}

static u64 devhost_get_driver_features(struct vdpa_device *vdpa)
{
	return vdpa_to_devhost(vdpa)->driver_features;
}

/* Queues */

static int devhost_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc,
				  u64 driver, u64 device)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	struct devhost_vq *vq = &dev->vqs[idx];
	int err = 0;

	if (!IS_ALIGNED(desc, VRING_DESC_ALIGN_SIZE) ||
	    !IS_ALIGNED(driver, VRING_AVAIL_ALIGN_SIZE) ||
	    !IS_ALIGNED(device, VRING_USED_ALIGN_SIZE))
		return -EINVAL;

	mutex_lock(&dev->lock);
	if (vq->live) {
		err = -EBUSY;
	} else {
		vq->desc_addr = desc;
		vq->driver_addr = driver;
		vq->device_addr = device;
		vq->addressed = true;
	}
	mutex_unlock(&dev->lock);
	return err;
}

static void devhost_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);

	mutex_lock(&dev->lock);
	if (!dev->vqs[idx].live)
		dev->vqs[idx].num = num;
	mutex_unlock(&dev->lock);
}

static bool devhost_vq_configured(const struct devhost_vq *vq)
{
	const struct devhost_device *dev = vq->dev;

	return vq->addressed && vq->num && devhost_quota_ring(vq) &&
	       (devhost_has_feature(dev, VIRTIO_F_RING_PACKED) ||
		is_power_of_2(vq->num));
}

static void devhost_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	struct devhost_vq *vq = &dev->vqs[idx];

	mutex_lock(&dev->lock);
	ready = ready && (vq->live || devhost_vq_configured(vq));
	WRITE_ONCE(vq->ready, ready);
	if (ready && dev->running && !dev->suspended) {
		mutex_lock(&dev->run_lock);
		if (devhost_vq_start(vq))
			devhost_broken(dev, "a virtqueue cannot be set up");
		mutex_unlock(&dev->run_lock);
		/* The driver may have kicked before. */
		devhost_wake(dev, idx);
	}
	mutex_unlock(&dev->lock);
}

static bool devhost_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	return READ_ONCE(vdpa_to_devhost(vdpa)->vqs[idx].ready);
}

static void devhost_set_vq_cb(struct vdpa_device *vdpa, u16 idx,
			      struct vdpa_callback *cb)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);

	mutex_lock(&dev->run_lock);
	dev->vqs[idx].cb = *cb;
	mutex_unlock(&dev->run_lock);
}

/* May be called with a wait-queue lock held, by whoever signals the eventfd. */
static void devhost_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	struct devhost_vq *vq = &dev->vqs[idx];

	if (!READ_ONCE(vq->ready) || !READ_ONCE(dev->running))
		return;
	trace_devhost_kick(vq);
	atomic64_inc(&vq->kicks);
	devhost_wake(dev, idx);
}

static int devhost_set_vq_state(struct vdpa_device *vdpa, u16 idx,
				const struct vdpa_vq_state *state)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	struct devhost_vq *vq = &dev->vqs[idx];
	int err = 0;

	mutex_lock(&dev->lock);
	if (vq->live) {
		err = -EBUSY;
	} else if (devhost_has_feature(dev, VIRTIO_F_RING_PACKED)) {
		vq->state.avail = state->packed.last_avail_idx;
		vq->state.avail_wrap = state->packed.last_avail_counter;
		vq->state.used = state->packed.last_used_idx;
		vq->state.used_wrap = state->packed.last_used_counter;
	} else {
		vq->state.avail = state->split.avail_index;
	}
	mutex_unlock(&dev->lock);
	return err;
}

static int devhost_get_vq_state(struct vdpa_device *vdpa, u16 idx,
				struct vdpa_vq_state *state)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	struct devhost_vq *vq = &dev->vqs[idx];
	struct devhost_ring_state s;

	mutex_lock(&dev->lock);
	mutex_lock(&dev->run_lock);
	s = vq->state;
	if (vq->live && vq->started)
		devhost_ring_state(&vq->ring, &s);
	mutex_unlock(&dev->run_lock);

	memset(state, 0, sizeof(*state));
	if (devhost_has_feature(dev, VIRTIO_F_RING_PACKED)) {
		state->packed.last_avail_idx = s.avail;
		state->packed.last_avail_counter = s.avail_wrap;
		state->packed.last_used_idx = s.used;
		state->packed.last_used_counter = s.used_wrap;
	} else {
		state->split.avail_index = s.avail;
	}
	mutex_unlock(&dev->lock);
	return 0;
}

static u32 devhost_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

static u16 devhost_get_vq_num_max(struct vdpa_device *vdpa)
{
	return devhost_quota_ring_size(vdpa_to_devhost(vdpa));
}

static u32 devhost_get_vq_group(struct vdpa_device *vdpa, u16 idx)
{
	return 0;
}

/* Device */

static void devhost_set_config_cb(struct vdpa_device *vdpa,
				  struct vdpa_callback *cb)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);

	spin_lock_irq(&dev->config_lock);
	dev->config_cb = *cb;
	spin_unlock_irq(&dev->config_lock);
}

static u32 devhost_get_device_id(struct vdpa_device *vdpa)
{
	return vdpa_to_devhost(vdpa)->class->virtio_id;
}

static u32 devhost_get_vendor_id(struct vdpa_device *vdpa)
{
	return 0;
}

static size_t devhost_get_config_size(struct vdpa_device *vdpa)
{
	return vdpa_to_devhost(vdpa)->class->config_size;
}

static void devhost_get_config(struct vdpa_device *vdpa, unsigned int offset,
			       void *buf, unsigned int len)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	size_t size = dev->class->config_size;
	u8 config[DEVHOST_CONFIG_MAX] = {};

	memset(buf, 0, len);
	if (offset >= size)
		return;
	dev->class->ops->get_config(dev, config);
	memcpy(buf, config + offset, min_t(size_t, len, size - offset));
}

static void devhost_set_config(struct vdpa_device *vdpa, unsigned int offset,
			       const void *buf, unsigned int len)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	size_t size = dev->class->config_size;

	if (dev->class->ops->set_config && len && offset < size &&
	    len <= size - offset)
		dev->class->ops->set_config(dev, offset, buf, len);
}

static u32 devhost_get_generation(struct vdpa_device *vdpa)
{
	return atomic_read(&vdpa_to_devhost(vdpa)->generation);
}

/* Only vhost-vdpa's open() asks. */
static struct vdpa_iova_range devhost_get_iova_range(struct vdpa_device *vdpa)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);

	WRITE_ONCE(dev->open, true);
	devhost_changed(dev);
	return (struct vdpa_iova_range){ .first = 0, .last = U64_MAX };
}

/* Memory */

/**
 * devhost_swap_map - give a device another memory snapshot
 * @dev: the device
 * @map: the snapshot; the reference is taken over
 *
 * Context: Process context.
 */
void devhost_swap_map(struct devhost_device *dev, struct devhost_map *map)
{
	spin_lock(&dev->mem_lock);
	swap(dev->map, map);
	spin_unlock(&dev->mem_lock);
	devhost_map_put(map);
	devhost_resources_check(dev);
}

/* The old snapshot has what the VMM may have unmapped. */
static void devhost_set_map_failed(struct devhost_device *dev,
				   const char *reason)
{
	devhost_quota_unmap(dev);
	devhost_swap_map(dev, devhost_map_get(dev->no_map));
	devhost_broken(dev, reason);
}

/*
 * The VMM's calls are serialised by vhost-vdpa, so dev->map can be read here
 * without a lock. A pass under way keeps the snapshot that it began with.
 */
static int devhost_set_map(struct vdpa_device *vdpa, unsigned int asid,
			   struct vhost_iotlb *iotlb)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);
	struct devhost_map *map;

	map = devhost_map_build(dev->guest, dev->map, iotlb);
	if (IS_ERR(map)) {
		devhost_set_map_failed(dev, "no memory for the guest's memory map");
		return PTR_ERR(map);
	}
	WRITE_ONCE(dev->mapped, iotlb->nmaps > 0);
	dev->over_quota = devhost_quota_map(dev, devhost_map_bytes(map));
	if (dev->over_quota) {
		/*
		 * An error would have vhost_vdpa_pa_map() forget pages that it
		 * pinned, for good: the map is taken, and not used.
		 */
		devhost_map_put(map);
		devhost_set_map_failed(dev, DEVHOST_REASON_MEMORY);
		return 0;
	}
	devhost_swap_map(dev, map);
	return 0;
}

static int devhost_reset_map(struct vdpa_device *vdpa, unsigned int asid)
{
	struct devhost_device *dev = vdpa_to_devhost(vdpa);

	devhost_swap_map(dev, devhost_map_get(dev->no_map));
	devhost_quota_unmap(dev);
	dev->over_quota = false;
	WRITE_ONCE(dev->mapped, false);
	devhost_changed(dev);
	return 0;
}

const struct vdpa_config_ops devhost_vdpa_ops = {
	.set_vq_address		= devhost_set_vq_address,
	.set_vq_num		= devhost_set_vq_num,
	.kick_vq		= devhost_kick_vq,
	.set_vq_cb		= devhost_set_vq_cb,
	.set_vq_ready		= devhost_set_vq_ready,
	.get_vq_ready		= devhost_get_vq_ready,
	.set_vq_state		= devhost_set_vq_state,
	.get_vq_state		= devhost_get_vq_state,
	.get_vq_align		= devhost_get_vq_align,
	.get_vq_group		= devhost_get_vq_group,
	.get_device_features	= devhost_get_device_features,
	.get_backend_features	= devhost_get_backend_features,
	.set_driver_features	= devhost_set_driver_features,
	.get_driver_features	= devhost_get_driver_features,
	.set_config_cb		= devhost_set_config_cb,
	.get_vq_num_max		= devhost_get_vq_num_max,
	.get_device_id		= devhost_get_device_id,
	.get_vendor_id		= devhost_get_vendor_id,
	.get_status		= devhost_get_status,
	.set_status		= devhost_set_status,
	.reset			= devhost_reset,
	.suspend		= devhost_vdpa_suspend,
	.resume			= devhost_vdpa_resume,
	.get_config_size	= devhost_get_config_size,
	.get_config		= devhost_get_config,
	.set_config		= devhost_set_config,
	.get_generation		= devhost_get_generation,
	.get_iova_range		= devhost_get_iova_range,
	.set_map		= devhost_set_map,
	.reset_map		= devhost_reset_map,
	.free			= devhost_vdpa_free,
};
