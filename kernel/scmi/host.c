// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resources of the host: found by name once, shared by all guests that have
 * them, let go with the last.
 *
 * Names are looked up at a device, as any consumer does: that of the
 * device-tree node "devhost,scmi-resources" where there is one, else our own
 * platform device "devhost-scmi", for which boards register clock lookups,
 * supplies and software nodes; or at a platform device that is named.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "vhost_scmi.h"

static DEFINE_MUTEX(vscmi_hosts_lock);
static LIST_HEAD(vscmi_hosts);			/* vscmi_hosts_lock */
static struct device *vscmi_hosts_dev;		/* vscmi_hosts_lock */
static struct platform_device *vscmi_own_device;
struct workqueue_struct *vscmi_workqueue;

static const struct vscmi_host_ops *
vscmi_host_ops_of(enum devhost_scmi_kind kind, enum devhost_scmi_source source)
{
	switch (kind) {
	case DEVHOST_SCMI_POWER:
		return source ? NULL : &vscmi_host_power;
	case DEVHOST_SCMI_PERF:
		if (source == DEVHOST_SCMI_SOURCE_CPUFREQ)
			return IS_ENABLED(CONFIG_CPU_FREQ) ? &vscmi_host_cpufreq :
							     NULL;
		return source || !IS_ENABLED(CONFIG_PM_OPP) ? NULL :
							      &vscmi_host_opp;
	case DEVHOST_SCMI_CLOCK:
		return source || !IS_ENABLED(CONFIG_COMMON_CLK) ?
		       NULL : &vscmi_host_clk;
	case DEVHOST_SCMI_SENSOR:
		switch (source) {
		case DEVHOST_SCMI_SOURCE_DEFAULT:
			return IS_ENABLED(CONFIG_THERMAL) ? &vscmi_host_thermal :
							    NULL;
		case DEVHOST_SCMI_SOURCE_IIO:
			return IS_REACHABLE(CONFIG_IIO) ? &vscmi_host_iio : NULL;
		case DEVHOST_SCMI_SOURCE_PUSHED:
			return &vscmi_host_pushed;
		default:
			return NULL;
		}
	case DEVHOST_SCMI_RESET:
		return source || !IS_ENABLED(CONFIG_RESET_CONTROLLER) ?
		       NULL : &vscmi_host_reset;
	case DEVHOST_SCMI_VOLTAGE:
		return source || !IS_ENABLED(CONFIG_REGULATOR) ?
		       NULL : &vscmi_host_regulator;
	default:
		return NULL;
	}
}

/* A reference to the device at which names are looked up. */
static struct device *vscmi_host_device(const char *name,
					struct netlink_ext_ack *extack)
{
	struct device *dev;

	if (!name && vscmi_hosts_dev)
		return get_device(vscmi_hosts_dev);
	if (!name) {
		NL_SET_ERR_MSG(extack, "no device to look names up at");
		return ERR_PTR(-ENODEV);
	}
	dev = bus_find_device_by_name(&platform_bus_type, NULL, name);
	if (dev)
		return dev;
	NL_SET_ERR_MSG_FMT(extack, "no platform device %s", name);
	return ERR_PTR(-ENODEV);
}

/* Other names are the host's as they are: one resource, wherever it is named. */
static bool vscmi_host_at_device(enum devhost_scmi_kind kind,
				 enum devhost_scmi_source source,
				 const struct device *dev)
{
	switch (kind) {
	case DEVHOST_SCMI_POWER:
		return dev->of_node;
	case DEVHOST_SCMI_PERF:
		return false;
	case DEVHOST_SCMI_SENSOR:
		return source == DEVHOST_SCMI_SOURCE_IIO;
	default:
		return true;
	}
}

static void vscmi_host_work(struct work_struct *work)
{
	vscmi_votes_apply(container_of(work, struct vscmi_host, work));
}

/**
 * vscmi_host_work_later - have the votes applied by the module itself
 * @host: the resource
 *
 * For votes whose guest is gone, or that the manager overrules: there is no
 * cgroup left that could pay for it.
 *
 * Context: Any, from vscmi_host_get() to vscmi_host_put().
 */
void vscmi_host_work_later(struct vscmi_host *host)
{
	queue_work(vscmi_workqueue, &host->work);
}

static struct vscmi_host *vscmi_host_find(enum devhost_scmi_kind kind,
					  enum devhost_scmi_source source,
					  const char *name, struct device *dev)
{
	struct vscmi_host *host;

	lockdep_assert_held(&vscmi_hosts_lock);
	list_for_each_entry(host, &vscmi_hosts, list) {
		if (host->kind == kind && host->source == source &&
		    host->dev == dev && !strcmp(host->name, name))
			return host;
	}
	return NULL;
}

static void vscmi_host_free(struct vscmi_host *host)
{
	put_device(host->dev);
	kfree(host->levels);
	kfree(host);
}

static struct vscmi_host *vscmi_host_new(enum devhost_scmi_kind kind,
					 enum devhost_scmi_source source,
					 const char *name, struct device *dev,
					 struct netlink_ext_ack *extack)
{
	const struct vscmi_host_ops *ops = vscmi_host_ops_of(kind, source);
	struct vscmi_host *host;
	int err;

	if (!ops) {
		NL_SET_ERR_MSG_FMT(extack, "%s: this kernel has no such source",
				   name);
		return ERR_PTR(-EOPNOTSUPP);
	}
	host = kzalloc_obj(*host);
	if (!host)
		return ERR_PTR(-ENOMEM);
	host->kind = kind;
	host->source = source;
	host->dev = get_device(dev);
	host->ops = ops;
	strscpy(host->name, name);
	INIT_LIST_HEAD(&host->views);
	spin_lock_init(&host->lock);
	mutex_init(&host->apply);
	INIT_WORK(&host->work, vscmi_host_work);
	host->ceiling = VSCMI_NO_CEILING;
	host->max = U64_MAX;
	err = ops->get(host, extack);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "%s: not found at %s: error %d", name,
				   dev ? dev_name(dev) : "the host", err);
		vscmi_host_free(host);
		return ERR_PTR(err);
	}
	return host;
}

/**
 * vscmi_host_get - find a resource of the host
 * @kind: what it is
 * @source: where it is
 * @name: how it is called there
 * @device: platform device at which that is looked up, or NULL
 * @extack: says what is wrong
 *
 * Context: Process context.
 * Return: the resource with a reference, or an error.
 */
struct vscmi_host *vscmi_host_get(enum devhost_scmi_kind kind,
				  enum devhost_scmi_source source,
				  const char *name, const char *device,
				  struct netlink_ext_ack *extack)
{
	struct vscmi_host *host;
	struct device *dev;

	mutex_lock(&vscmi_hosts_lock);
	dev = vscmi_host_device(device, extack);
	if (IS_ERR(dev)) {
		host = ERR_CAST(dev);
		goto unlock;
	}
	if (!vscmi_host_at_device(kind, source, dev)) {
		put_device(dev);
		dev = NULL;
	}
	host = vscmi_host_find(kind, source, name, dev);
	if (!host) {
		host = vscmi_host_new(kind, source, name, dev, extack);
		if (!IS_ERR(host))
			list_add_tail(&host->list, &vscmi_hosts);
	}
	if (!IS_ERR(host))
		host->refs++;
	put_device(dev);
unlock:
	mutex_unlock(&vscmi_hosts_lock);
	return host;
}

/**
 * vscmi_host_put - give back a reference
 * @host: the resource; the votes that are left have been applied
 *
 * Context: Process context, sleeps as long as the resource does.
 */
void vscmi_host_put(struct vscmi_host *host)
{
	mutex_lock(&vscmi_hosts_lock);
	if (--host->refs) {
		mutex_unlock(&vscmi_hosts_lock);
		return;
	}
	list_del(&host->list);
	cancel_work_sync(&host->work);
	if (host->ops->put)
		host->ops->put(host);
	mutex_unlock(&vscmi_hosts_lock);
	vscmi_host_free(host);
}

/* What a clock's rate is now; in the context of its notifier. */
void vscmi_host_rate(struct vscmi_host *host, u64 rate)
{
	struct vscmi_view *view;

	spin_lock(&host->lock);
	if (host->actual != rate) {
		WRITE_ONCE(host->actual, rate);
		list_for_each_entry(view, &host->views, list)
			vscmi_event_raise(view, 0, 0, NULL);
	}
	spin_unlock(&host->lock);
}

/* Room for @num levels, which host->num_levels counts as they are put there. */
int vscmi_host_levels_alloc(struct vscmi_host *host, unsigned int num)
{
	if (!num || num > VSCMI_LEVELS_MAX)
		return -EINVAL;
	host->levels = kcalloc(num, sizeof(*host->levels), GFP_KERNEL);
	return host->levels ? 0 : -ENOMEM;
}

static int vscmi_levels_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Brings the levels that were found into order, each once. */
int vscmi_host_levels_done(struct vscmi_host *host)
{
	unsigned int i, num = 1;

	if (!host->num_levels)
		return -EINVAL;
	sort(host->levels, host->num_levels, sizeof(*host->levels),
	     vscmi_levels_cmp, NULL);
	for (i = 1; i < host->num_levels; i++) {
		if (host->levels[i] != host->levels[i - 1])
			host->levels[num++] = host->levels[i];
	}
	host->num_levels = num;
	host->min = host->levels[0];
	host->max = host->levels[num - 1];
	return 0;
}

/* Whether a resource is on, whoever holds it so; as far as one can tell. */
bool vscmi_host_on(struct vscmi_host *host)
{
	return host->ops->is_on ? host->ops->is_on(host) :
				  READ_ONCE(host->now.on);
}

/* A single domain is on as the bus has attached it; on from here as wanted. */
static int vscmi_hosts_probe_power(struct device *dev)
{
	if (!dev->pm_domain)
		return 0;
	pm_runtime_set_active(dev);
	return devm_pm_runtime_enable(dev);
}

static int vscmi_hosts_probe(struct platform_device *pdev)
{
	bool taken;
	int err;

	err = vscmi_hosts_probe_power(&pdev->dev);
	if (err)
		return err;
	mutex_lock(&vscmi_hosts_lock);
	taken = vscmi_hosts_dev;
	if (!taken)
		vscmi_hosts_dev = get_device(&pdev->dev);
	mutex_unlock(&vscmi_hosts_lock);
	return taken ? dev_err_probe(&pdev->dev, -EBUSY, "there is one already\n") :
		       0;
}

static const struct of_device_id vscmi_hosts_of_match[] = {
	{ .compatible = "devhost,scmi-resources" },
	{ }
};
MODULE_DEVICE_TABLE(of, vscmi_hosts_of_match);

/* What is found stays found: devices hold the module, and it its resources. */
static struct platform_driver vscmi_hosts_driver = {
	.probe = vscmi_hosts_probe,
	.driver = {
		.name = "devhost-scmi",
		.of_match_table = of_match_ptr(vscmi_hosts_of_match),
		.suppress_bind_attrs = true,
	},
};

static int vscmi_hosts_own_device(void)
{
	struct device_node *node;

	node = of_find_matching_node(NULL, vscmi_hosts_of_match);
	if (of_device_is_available(node)) {
		of_node_put(node);
		return 0;
	}
	of_node_put(node);
	vscmi_own_device = platform_device_register_simple("devhost-scmi",
							   PLATFORM_DEVID_NONE,
							   NULL, 0);
	return PTR_ERR_OR_ZERO(vscmi_own_device);
}

int vscmi_hosts_init(void)
{
	int err;

	vscmi_workqueue = alloc_workqueue("vhost_scmi", WQ_UNBOUND, 0);
	if (!vscmi_workqueue)
		return -ENOMEM;
	err = platform_driver_register(&vscmi_hosts_driver);
	if (err)
		goto err_workqueue;
	err = vscmi_hosts_own_device();
	if (err)
		goto err_driver;
	return 0;

err_driver:
	platform_driver_unregister(&vscmi_hosts_driver);
err_workqueue:
	destroy_workqueue(vscmi_workqueue);
	return err;
}

void vscmi_hosts_exit(void)
{
	put_device(vscmi_hosts_dev);
	vscmi_hosts_dev = NULL;
	if (vscmi_own_device)
		platform_device_unregister(vscmi_own_device);
	platform_driver_unregister(&vscmi_hosts_driver);
	destroy_workqueue(vscmi_workqueue);
}
