// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core module: device classes, what the module API needs no file for, and
 * the host's own suspend and shutdown.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "core.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_MUTEX(devhost_lock);
LIST_HEAD(devhost_guests);
static LIST_HEAD(devhost_classes);	/* devhost_lock */

/**
 * devhost_priv - the module's own part of a device
 * @dev: the device
 *
 * Context: Any.
 * Return: class->priv_size bytes, zeroed before create().
 */
void *devhost_priv(struct devhost_device *dev)
{
	return dev->priv;
}
EXPORT_SYMBOL_GPL(devhost_priv);

/**
 * devhost_guest_name - name of the guest that a device serves
 * @dev: the device
 *
 * Context: Any.
 * Return: the name.
 */
const char *devhost_guest_name(const struct devhost_device *dev)
{
	return dev->guest->name;
}
EXPORT_SYMBOL_GPL(devhost_guest_name);

/**
 * devhost_device_name - name of a device within its guest
 * @dev: the device
 *
 * Context: Any.
 * Return: the name.
 */
const char *devhost_device_name(const struct devhost_device *dev)
{
	return dev->name;
}
EXPORT_SYMBOL_GPL(devhost_device_name);

/**
 * devhost_features - features negotiated
 * @dev: the device
 *
 * Context: Any, from start() to stop().
 * Return: a bit for each feature that device and driver agreed on.
 */
u64 devhost_features(const struct devhost_device *dev)
{
	return dev->driver_features;
}
EXPORT_SYMBOL_GPL(devhost_features);

/**
 * devhost_vq - a queue of a device
 * @dev: the device
 * @index: its number, less than class->num_vqs
 *
 * Context: Any.
 * Return: the queue.
 */
struct devhost_vq *devhost_vq(struct devhost_device *dev, unsigned int index)
{
	return &dev->vqs[index];
}
EXPORT_SYMBOL_GPL(devhost_vq);

/**
 * devhost_vq_index - number of a queue
 * @vq: the queue
 *
 * Context: Any.
 * Return: its index in class->vqs.
 */
unsigned int devhost_vq_index(const struct devhost_vq *vq)
{
	return vq->index;
}
EXPORT_SYMBOL_GPL(devhost_vq_index);

/**
 * devhost_raise - have work() called
 * @dev: the device
 * @event: bit to set in its @events, less than DEVHOST_EVENTS
 *
 * Events raised before work() runs become one. While the device does not serve
 * they are lost: resume() and start() look for themselves.
 *
 * Context: Any, from start() to stop().
 */
void devhost_raise(struct devhost_device *dev, unsigned int event)
{
	devhost_wake(dev, DEVHOST_CLASS_VQS + event);
}
EXPORT_SYMBOL_GPL(devhost_raise);

/**
 * devhost_backend_changed - tell listeners that fill() would answer otherwise
 * @dev: the device
 *
 * Context: Process context.
 */
void devhost_backend_changed(struct devhost_device *dev)
{
	devhost_netlink_device_event(dev, DEVHOST_CMD_DEVICE_CHANGE_NTF);
}
EXPORT_SYMBOL_GPL(devhost_backend_changed);

/**
 * devhost_count - add to a counter of the class
 * @dev: the device
 * @counter: index in class->counters
 * @n: what to add
 *
 * Context: Any.
 */
void devhost_count(struct devhost_device *dev, unsigned int counter, u64 n)
{
	atomic64_add(n, &dev->counters[counter]);
}
EXPORT_SYMBOL_GPL(devhost_count);

/**
 * devhost_count_data - add to a counter of items and to the one of their bytes
 * @dev: the device
 * @counter: index in class->counters of the items; the bytes are the next one
 * @items: how many
 * @bytes: how many
 *
 * Context: Any.
 */
void devhost_count_data(struct devhost_device *dev, unsigned int counter,
			u64 items, u64 bytes)
{
	atomic64_add(items, &dev->counters[counter]);
	atomic64_add(bytes, &dev->counters[counter + 1]);
}
EXPORT_SYMBOL_GPL(devhost_count_data);

static struct devhost_class *devhost_class_find(const char *name)
{
	struct devhost_class *class;

	lockdep_assert_held(&devhost_lock);
	list_for_each_entry(class, &devhost_classes, list)
		if (!strcmp(class->name, name))
			return class;
	return NULL;
}

static struct devhost_class *devhost_class_tryget(const char *name)
{
	struct devhost_class *class;

	mutex_lock(&devhost_lock);
	class = devhost_class_find(name);
	if (class && !try_module_get(class->owner))
		class = NULL;
	mutex_unlock(&devhost_lock);
	return class;
}

struct devhost_class *devhost_class_get(const char *name,
					struct netlink_ext_ack *extack)
{
	struct devhost_class *class = devhost_class_tryget(name);

	if (!class && !request_module("vhost_%s", name))
		class = devhost_class_tryget(name);
	if (!class) {
		NL_SET_ERR_MSG_FMT(extack,
				   "no device class '%s': load the module vhost_%s",
				   name, name);
		return ERR_PTR(-ENOENT);
	}
	return class;
}

void devhost_class_put(struct devhost_class *class)
{
	module_put(class->owner);
}

/**
 * devhost_register_class - offer a kind of device
 * @class: constant until it is unregistered
 *
 * The core loads the module vhost_<name> for a netlink request, under generic
 * netlink's lock: the module's init must not register a family there.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL where @class asks for more than the core has, -EEXIST.
 */
int devhost_register_class(struct devhost_class *class)
{
	int err = 0;

	if (!class->num_vqs || class->num_vqs > DEVHOST_CLASS_VQS ||
	    class->config_size > DEVHOST_CONFIG_MAX)
		return -EINVAL;

	mutex_lock(&devhost_lock);
	if (devhost_class_find(class->name))
		err = -EEXIST;
	else
		list_add_tail(&class->list, &devhost_classes);
	mutex_unlock(&devhost_lock);
	return err;
}
EXPORT_SYMBOL_GPL(devhost_register_class);

/**
 * devhost_unregister_class - take it back
 * @class: registered; its devices hold the module, so there are none
 *
 * Context: Process context, may sleep.
 */
void devhost_unregister_class(struct devhost_class *class)
{
	mutex_lock(&devhost_lock);
	list_del(&class->list);
	mutex_unlock(&devhost_lock);
}
EXPORT_SYMBOL_GPL(devhost_unregister_class);

/* Not every way down goes through the manager: echo mem > /sys/power/state. */

static const char devhost_reason_suspend[] = "the host is suspended";
static const char devhost_reason_reboot[] = "the host shuts down";

static void devhost_quiesce_all(const char *reason, enum devhost_quiesce how)
{
	struct devhost_guest *guest;
	struct devhost_device *dev;

	mutex_lock(&devhost_lock);
	list_for_each_entry(guest, &devhost_guests, list)
		list_for_each_entry(dev, &guest->devices, list)
			if (!dev->dying)
				devhost_quiesce(dev, reason, how);
	mutex_unlock(&devhost_lock);
}

static void devhost_unquiesce_all(const char *reason)
{
	struct devhost_guest *guest;
	struct devhost_device *dev;

	mutex_lock(&devhost_lock);
	list_for_each_entry(guest, &devhost_guests, list)
		list_for_each_entry(dev, &guest->devices, list)
			if (!dev->dying)
				devhost_unquiesce(dev, reason);
	mutex_unlock(&devhost_lock);
}

static int devhost_pm_notify(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		devhost_quiesce_all(devhost_reason_suspend,
				    DEVHOST_QUIESCE_HOLD);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		devhost_unquiesce_all(devhost_reason_suspend);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block devhost_pm_nb = {
	.notifier_call = devhost_pm_notify,
};

static int devhost_reboot_notify(struct notifier_block *nb, unsigned long event,
				 void *data)
{
	devhost_quiesce_all(devhost_reason_reboot, DEVHOST_QUIESCE_END);
	return NOTIFY_DONE;
}

static struct notifier_block devhost_reboot_nb = {
	.notifier_call = devhost_reboot_notify,
};

static int __init devhost_init(void)
{
	int err;

	err = devhost_vdpa_init();
	if (err)
		return err;
	err = devhost_policy_init();
	if (err)
		goto err_vdpa;
	err = devhost_netlink_init();
	if (err)
		goto err_vdpa;
	err = register_pm_notifier(&devhost_pm_nb);
	if (err)
		goto err_netlink;
	err = register_reboot_notifier(&devhost_reboot_nb);
	if (err)
		goto err_pm;
	return 0;

err_pm:
	unregister_pm_notifier(&devhost_pm_nb);
err_netlink:
	devhost_netlink_exit();
err_vdpa:
	devhost_vdpa_exit();
	return err;
}
module_init(devhost_init);

static void __exit devhost_exit(void)
{
	unregister_reboot_notifier(&devhost_reboot_nb);
	unregister_pm_notifier(&devhost_pm_nb);
	devhost_netlink_exit();
	devhost_guest_del_all();
	devhost_vdpa_exit();
}
module_exit(devhost_exit);

MODULE_DESCRIPTION("Automotive device host: virtio devices on vDPA");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
