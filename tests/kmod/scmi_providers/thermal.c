// SPDX-License-Identifier: GPL-2.0-only
/* A thermal zone: prov-zone, at what a test says. */
#include <linux/thermal.h>

#include "scmi_providers.h"

static struct prov_knobs prov_zone_knobs;
static u32 prov_zone_temp = 25000;

static int prov_zone_get_temp(struct thermal_zone_device *zone, int *temp)
{
	int err = prov_change(&prov_zone_knobs);

	*temp = READ_ONCE(prov_zone_temp);
	return err;
}

static const struct thermal_zone_device_ops prov_zone_ops = {
	.get_temp = prov_zone_get_temp,
};

int prov_thermal_init(void)
{
	static const struct thermal_zone_params params = { .no_hwmon = true };
	struct thermal_zone_device *zone;
	struct dentry *dir;
	int err;

	zone = thermal_tripless_zone_device_register("prov-zone", NULL,
						     &prov_zone_ops, &params);
	if (IS_ERR(zone))
		return PTR_ERR(zone);
	err = thermal_zone_device_enable(zone);
	dir = prov_dir("zone", &prov_zone_knobs);
	debugfs_create_u32("temp", 0600, dir, &prov_zone_temp);
	return err;
}
