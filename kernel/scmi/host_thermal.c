// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sensors that are thermal zones of the host.
 *
 * A zone is looked for at each reading: it may go, and come back, and the
 * kernel hands it out without a reference.
 */
#include <linux/device.h>
#include <linux/thermal.h>

#include "vhost_scmi.h"

static int vscmi_thermal_read(struct vscmi_host *host, s64 *value)
{
	struct thermal_zone_device *zone;
	struct device *dev;
	int temp, err;

	zone = thermal_zone_get_zone_by_name(host->name);
	if (IS_ERR(zone))
		return PTR_ERR(zone);
	dev = get_device(thermal_zone_device(zone));
	err = thermal_zone_get_temp(zone, &temp);
	put_device(dev);
	*value = temp;
	return err;
}

static int vscmi_thermal_get(struct vscmi_host *host,
			     struct netlink_ext_ack *extack)
{
	struct thermal_zone_device *zone;

	zone = thermal_zone_get_zone_by_name(host->name);
	if (IS_ERR(zone))
		return PTR_ERR(zone);
	host->type = SCMI_SENSOR_TYPE_CELSIUS;
	host->scale = -3;
	return 0;
}

const struct vscmi_host_ops vscmi_host_thermal = {
	.get = vscmi_thermal_get,
	.read = vscmi_thermal_read,
};
