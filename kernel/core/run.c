// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device at work, or not: started by its driver, suspended by its VMM,
 * quiesced by its host. It serves when it is started and nothing holds it.
 */
#include "core.h"

static void devhost_wake_all(struct devhost_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->class->num_vqs; i++)
		devhost_wake(dev, i);
	devhost_wake(dev, DEVHOST_PENDING_JOBS);
	devhost_wake(dev, DEVHOST_PENDING_LOST);
	devhost_wake(dev, DEVHOST_PENDING_POLICY);
}

static void devhost_set_serving(struct devhost_device *dev)
{
	lockdep_assert_held(&dev->run_lock);
	dev->serving = dev->running && !dev->suspended && !dev->quiesced;
	if (dev->serving)
		devhost_wake_all(dev);
}

/* Rings for the queues that the driver enabled; one that fails breaks the device. */
static void devhost_start_vqs(struct devhost_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->class->num_vqs; i++) {
		struct devhost_vq *vq = &dev->vqs[i];

		if (vq->ready && devhost_vq_start(vq))
			devhost_broken(dev, "a virtqueue cannot be set up");
	}
}

static void devhost_stop_vqs(struct devhost_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->class->num_vqs; i++)
		devhost_vq_stop(&dev->vqs[i]);
}

/* The host's own driver gives physical addresses and maps nothing. */
static int devhost_set_identity(struct devhost_device *dev)
{
	struct devhost_map *map = devhost_map_empty(true);

	if (!map)
		return -ENOMEM;
	dev->identity = true;
	devhost_swap_map(dev, map);
	return 0;
}

/* A VMM that opens the device next must not find it. */
static void devhost_clear_identity(struct devhost_device *dev)
{
	if (!dev->identity)
		return;
	dev->identity = false;
	devhost_swap_map(dev, devhost_map_get(dev->no_map));
}

/**
 * devhost_start - the driver is ready
 * @dev: the device, not running
 *
 * Context: Process context, a task of the VMM, with dev->lock held.
 * Return: 0 or an error; then nothing runs.
 */
int devhost_start(struct devhost_device *dev)
{
	bool host = devhost_host_driver(dev);
	int err;

	if (dev->over_quota) {
		devhost_broken(dev, DEVHOST_REASON_MEMORY);
		return -EDQUOT;
	}
	if (host) {
		err = devhost_set_identity(dev);
		if (err)
			return err;
	}
	mutex_lock(&dev->run_lock);
	dev->pending = 0;
	devhost_start_vqs(dev);
	err = dev->class->ops->start(dev);
	if (err)
		devhost_stop_vqs(dev);
	mutex_unlock(&dev->run_lock);
	if (err)
		goto err_identity;

	WRITE_ONCE(dev->running, true);
	err = devhost_worker_start(dev, host);

	mutex_lock(&dev->run_lock);
	if (err) {
		WRITE_ONCE(dev->running, false);
		dev->class->ops->stop(dev);
		devhost_stop_vqs(dev);
	} else {
		devhost_set_serving(dev);
	}
	mutex_unlock(&dev->run_lock);
	if (!err)
		return 0;

err_identity:
	devhost_clear_identity(dev);
	return err;
}

/**
 * devhost_stop - nothing of a device runs any more
 * @dev: the device, running or not
 *
 * When it returns, nothing touches guest memory or calls back.
 *
 * Context: Process context, with dev->lock held.
 */
void devhost_stop(struct devhost_device *dev)
{
	if (!dev->running)
		return;
	mutex_lock(&dev->run_lock);
	WRITE_ONCE(dev->running, false);
	WRITE_ONCE(dev->suspended, false);
	devhost_set_serving(dev);
	devhost_pool_stop(dev);
	dev->class->ops->stop(dev);
	devhost_stop_vqs(dev);
	dev->paused = false;
	dev->held = false;
	mutex_unlock(&dev->run_lock);
	devhost_worker_stop(dev);
	devhost_clear_identity(dev);
}

/* One that was paused with what it keeps is paused again where that has to go. */
static void devhost_pause(struct devhost_device *dev, bool keep)
{
	if (!dev->serving && (keep || !dev->held))
		return;
	dev->serving = false;
	dev->paused = true;
	dev->held = keep;
	devhost_vq_pause(dev, keep);
}

static void devhost_unpause(struct devhost_device *dev)
{
	devhost_set_serving(dev);
	if (!dev->serving || !dev->paused)
		return;
	dev->paused = false;
	dev->held = false;
	if (dev->class->ops->resume)
		dev->class->ops->resume(dev);
}

/**
 * devhost_quiesce - the host stops a device
 * @dev: the device
 * @reason: why, a constant string
 * @how: for how long
 *
 * One that was stopped for longer stays so.
 *
 * Context: Process context, sleeps for a pass at most.
 */
void devhost_quiesce(struct devhost_device *dev, const char *reason,
		     enum devhost_quiesce how)
{
	mutex_lock(&dev->lock);
	if (dev->quiesced && how == DEVHOST_QUIESCE_HOLD)
		goto unlock;
	mutex_lock(&dev->run_lock);
	WRITE_ONCE(dev->quiesced, true);
	devhost_pause(dev, how == DEVHOST_QUIESCE_HOLD);
	mutex_unlock(&dev->run_lock);
	WRITE_ONCE(dev->reason, reason);
	if (how == DEVHOST_QUIESCE_RESET && dev->status)
		devhost_broken(dev, reason);
	else
		devhost_changed(dev);
unlock:
	mutex_unlock(&dev->lock);
}

/**
 * devhost_unquiesce - let a quiesced device go on
 * @dev: the device
 * @reason: only where it was quiesced for this
 *
 * Context: Process context, may sleep.
 */
void devhost_unquiesce(struct devhost_device *dev, const char *reason)
{
	mutex_lock(&dev->lock);
	if (dev->quiesced && dev->reason == reason) {
		mutex_lock(&dev->run_lock);
		WRITE_ONCE(dev->quiesced, false);
		WRITE_ONCE(dev->reason, NULL);
		devhost_unpause(dev);
		mutex_unlock(&dev->run_lock);
		devhost_changed(dev);
	}
	mutex_unlock(&dev->lock);
}

/**
 * devhost_suspend - the VMM stops a device and keeps its state
 * @dev: the device
 *
 * Context: Process context, sleeps for a pass at most.
 */
void devhost_suspend(struct devhost_device *dev)
{
	mutex_lock(&dev->lock);
	if (dev->running && !dev->suspended) {
		mutex_lock(&dev->run_lock);
		WRITE_ONCE(dev->suspended, true);
		devhost_pause(dev, false);
		/* The VMM may give the rings another place before it resumes. */
		devhost_stop_vqs(dev);
		mutex_unlock(&dev->run_lock);
		devhost_changed(dev);
	}
	mutex_unlock(&dev->lock);
}

/**
 * devhost_resume - let a suspended device go on
 * @dev: the device
 *
 * Context: Process context, may sleep.
 */
void devhost_resume(struct devhost_device *dev)
{
	mutex_lock(&dev->lock);
	if (dev->running && dev->suspended) {
		mutex_lock(&dev->run_lock);
		WRITE_ONCE(dev->suspended, false);
		devhost_start_vqs(dev);
		devhost_unpause(dev);
		mutex_unlock(&dev->run_lock);
		if (xchg(&dev->config_pending, false))
			devhost_config_interrupt(dev);
		devhost_changed(dev);
	}
	mutex_unlock(&dev->lock);
}
