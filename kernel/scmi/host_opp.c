// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performance of a device of the host, by its operating points: through its
 * devfreq where it has one, so that the governor still rules above what the
 * guests ask for; else directly.
 *
 * The resource's name is the platform device's.
 */
#include <linux/devfreq.h>
#include <linux/platform_device.h>
#include <linux/pm_opp.h>
#include <linux/pm_qos.h>
#include <linux/slab.h>
#include <linux/units.h>

#include "vhost_scmi.h"

/**
 * struct vscmi_opp - a device with operating points
 * @dev: the device; a reference
 * @table: its table; a reference
 * @devfreq: its devfreq device, or NULL; a reference
 * @qos: what is asked of @devfreq
 */
struct vscmi_opp {
	struct device *dev;
	struct opp_table *table;
	struct device *devfreq;
	struct dev_pm_qos_request qos;
};

/* All frequencies, in kHz. */
static int vscmi_opp_list(struct vscmi_host *host, struct device *dev)
{
	int num = dev_pm_opp_get_opp_count(dev);
	unsigned long freq = 0;
	int err;

	if (num < 0)
		return num;
	err = vscmi_host_levels_alloc(host, num);
	if (err)
		return err;
	while (host->num_levels < num) {
		struct dev_pm_opp *opp = dev_pm_opp_find_freq_ceil(dev, &freq);

		if (IS_ERR(opp))
			break;
		dev_pm_opp_put(opp);
		host->levels[host->num_levels++] = freq / HZ_PER_KHZ;
		freq++;
	}
	return vscmi_host_levels_done(host);
}

static int vscmi_opp_is_devfreq(struct device *dev, const void *data)
{
	return dev->class && !strcmp(dev->class->name, "devfreq");
}

/* devfreq devices are found by device-tree node only, or as a child. */
static int vscmi_opp_match(struct device *dev, void *data)
{
	struct device **found = data;

	if (!vscmi_opp_is_devfreq(dev, NULL))
		return 0;
	*found = get_device(dev);
	return 1;
}

static int vscmi_opp_find_devfreq(struct vscmi_opp *vopp)
{
	if (!IS_ENABLED(CONFIG_PM_DEVFREQ) ||
	    !device_for_each_child(vopp->dev, &vopp->devfreq, vscmi_opp_match))
		return 0;
	return dev_pm_qos_add_request(vopp->dev, &vopp->qos,
				      DEV_PM_QOS_MIN_FREQUENCY,
				      PM_QOS_MIN_FREQUENCY_DEFAULT_VALUE);
}

static int vscmi_opp_get(struct vscmi_host *host, struct netlink_ext_ack *extack)
{
	struct vscmi_opp *vopp;
	int err;

	vopp = kzalloc_obj(*vopp);
	if (!vopp)
		return -ENOMEM;
	vopp->dev = bus_find_device_by_name(&platform_bus_type, NULL, host->name);
	err = vopp->dev ? 0 : -ENODEV;
	if (err)
		goto err_free;
	vopp->table = dev_pm_opp_get_opp_table(vopp->dev);
	if (IS_ERR(vopp->table)) {
		err = PTR_ERR(vopp->table);
		goto err_dev;
	}
	err = vscmi_opp_list(host, vopp->dev);
	if (err)
		goto err_table;
	err = vscmi_opp_find_devfreq(vopp);
	if (err < 0)
		goto err_devfreq;
	/* Left to itself: to the governor, or as slow as it gets. */
	host->base = vopp->devfreq ? 0 : host->min;
	host->priv = vopp;
	return 0;

err_devfreq:
	put_device(vopp->devfreq);
err_table:
	dev_pm_opp_put_opp_table(vopp->table);
err_dev:
	put_device(vopp->dev);
err_free:
	kfree(vopp);
	return err;
}

static void vscmi_opp_put(struct vscmi_host *host)
{
	struct vscmi_opp *vopp = host->priv;

	if (vopp->devfreq)
		dev_pm_qos_remove_request(&vopp->qos);
	put_device(vopp->devfreq);
	dev_pm_opp_put_opp_table(vopp->table);
	put_device(vopp->dev);
	kfree(vopp);
}

static int vscmi_opp_set_level(struct vscmi_host *host, u64 level)
{
	struct vscmi_opp *vopp = host->priv;
	int err;

	if (!vopp->devfreq)
		return dev_pm_opp_set_rate(vopp->dev, level * HZ_PER_KHZ);
	err = dev_pm_qos_update_request(&vopp->qos, level);
	return err < 0 ? err : 0;
}

static int vscmi_opp_read(struct vscmi_host *host, s64 *value)
{
	struct vscmi_opp *vopp = host->priv;

	*value = READ_ONCE(host->now.level);
#if IS_ENABLED(CONFIG_PM_DEVFREQ)
	if (vopp->devfreq)
		*value = READ_ONCE(container_of(vopp->devfreq, struct devfreq,
						dev)->previous_freq) / HZ_PER_KHZ;
#endif
	/* Not set by anybody yet. */
	if (!*value)
		*value = host->min;
	return 0;
}

const struct vscmi_host_ops vscmi_host_opp = {
	.get = vscmi_opp_get,
	.put = vscmi_opp_put,
	.set_level = vscmi_opp_set_level,
	.read = vscmi_opp_read,
};
