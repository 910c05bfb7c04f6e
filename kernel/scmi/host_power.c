// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power domains of the host: held by runtime PM on a device in the domain.
 *
 * With a device tree that device is made for us, by the name that the consumer
 * node gives the domain; but where a node has a single domain, the bus has put
 * the node's own device into it. Without a device tree, domains can't be
 * attached by name: a board gives a platform device that is in the domain and
 * has runtime PM.
 */
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/pm_runtime.h>

#include "vhost_scmi.h"

/* The node's own device, if that is in the domain of this name. */
static struct device *vscmi_power_own(struct vscmi_host *host)
{
	if (of_property_match_string(host->dev->of_node, "power-domain-names",
				     host->name) < 0)
		return NULL;
	return get_device(host->dev);
}

static struct device *vscmi_power_find(struct vscmi_host *host)
{
	struct device *dev;

	if (host->dev) {
		dev = host->dev->pm_domain ?
		      vscmi_power_own(host) :
		      dev_pm_domain_attach_by_name(host->dev, host->name);
		return dev ? dev : ERR_PTR(-ENODEV);
	}
	dev = bus_find_device_by_name(&platform_bus_type, NULL, host->name);
	return dev ? dev : ERR_PTR(-ENODEV);
}

static void vscmi_power_let_go(struct vscmi_host *host, struct device *dev)
{
	if (host->dev && dev != host->dev)
		dev_pm_domain_detach(dev, true);
	else
		put_device(dev);
}

static int vscmi_power_get(struct vscmi_host *host, struct netlink_ext_ack *extack)
{
	struct device *dev = vscmi_power_find(host);

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	if (!pm_runtime_enabled(dev)) {
		vscmi_power_let_go(host, dev);
		return -EOPNOTSUPP;
	}
	host->priv = dev;
	return 0;
}

static void vscmi_power_put(struct vscmi_host *host)
{
	if (host->now.on)
		pm_runtime_put_sync(host->priv);
	vscmi_power_let_go(host, host->priv);
}

static int vscmi_power_set_on(struct vscmi_host *host, bool on)
{
	int err;

	if (on) {
		err = pm_runtime_resume_and_get(host->priv);
		/* What failed once would fail for ever: forget that it did. */
		if (err)
			pm_runtime_set_suspended(host->priv);
		return err;
	}
	/* Others may hold it on, and it may go off later: no error of ours. */
	pm_runtime_put_sync(host->priv);
	return 0;
}

static bool vscmi_power_is_on(struct vscmi_host *host)
{
	return !pm_runtime_status_suspended(host->priv);
}

const struct vscmi_host_ops vscmi_host_power = {
	.get = vscmi_power_get,
	.put = vscmi_power_put,
	.set_on = vscmi_power_set_on,
	.is_on = vscmi_power_is_on,
};
