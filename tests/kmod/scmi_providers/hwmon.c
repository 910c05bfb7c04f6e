// SPDX-License-Identifier: GPL-2.0-only
/* A fan: fan1 of the hwmon chip "prov", as fast as a test says. */
#include <linux/hwmon.h>

#include "scmi_providers.h"

static struct prov_knobs prov_fan_knobs;
static u32 prov_fan_rpm = 900;

static umode_t prov_fan_is_visible(const void *data, enum hwmon_sensor_types type,
				   u32 attr, int channel)
{
	return 0444;
}

static int prov_fan_read(struct device *dev, enum hwmon_sensor_types type,
			 u32 attr, int channel, long *value)
{
	int err = prov_change(&prov_fan_knobs);

	*value = READ_ONCE(prov_fan_rpm);
	return err;
}

static const struct hwmon_ops prov_fan_ops = {
	.is_visible = prov_fan_is_visible,
	.read = prov_fan_read,
};

static const struct hwmon_channel_info * const prov_fan_channels[] = {
	HWMON_CHANNEL_INFO(fan, HWMON_F_INPUT),
	NULL
};

static const struct hwmon_chip_info prov_fan_chip = {
	.ops = &prov_fan_ops,
	.info = prov_fan_channels,
};

int prov_hwmon_init(void)
{
	struct device *chip;

	chip = hwmon_device_register_with_info(&prov_source->dev, "prov", NULL,
					       &prov_fan_chip, NULL);
	if (IS_ERR(chip))
		return PTR_ERR(chip);
	debugfs_create_u32("rpm", 0600, prov_dir("fan", &prov_fan_knobs),
			   &prov_fan_rpm);
	return 0;
}
