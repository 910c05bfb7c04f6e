// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: devices that provide, a device that consumes, and debugfs.
 *
 * It stays loaded: kernels that look resets up in tables never take an entry
 * of them back.
 */
#include <linux/module.h>
#include <linux/pm_opp.h>
#include <linux/property.h>

#include "scmi_providers.h"

struct platform_device *prov_consumer;
struct platform_device *prov_source;
struct platform_device *prov_perf;
static struct dentry *prov_root;

static const struct property_entry prov_source_properties[] = {
	PROPERTY_ENTRY_U32("#reset-cells", 1),
	{ }
};

static const struct software_node prov_source_node = {
	.name = PROV_SOURCE,
	.properties = prov_source_properties,
};

static const struct software_node_ref_args prov_resets[] = {
	SOFTWARE_NODE_REFERENCE(&prov_source_node, 0),
	SOFTWARE_NODE_REFERENCE(&prov_source_node, 1),
};

static const char * const prov_reset_names[] = { "rst0", "rst1" };

static const struct property_entry prov_consumer_properties[] = {
	PROPERTY_ENTRY_REF_ARRAY("resets", prov_resets),
	PROPERTY_ENTRY_STRING_ARRAY("reset-names", prov_reset_names),
	{ }
};

static const struct software_node prov_consumer_node = {
	.name = PROV_CONSUMER,
	.properties = prov_consumer_properties,
};

struct dentry *prov_dir(const char *name, struct prov_knobs *knobs)
{
	struct dentry *dir = debugfs_create_dir(name, prov_root);

	debugfs_create_u32("delay_ms", 0600, dir, &knobs->delay_ms);
	debugfs_create_u32("fail", 0600, dir, &knobs->fail);
	debugfs_create_u32("changes", 0400, dir, &knobs->changes);
	return dir;
}

static int prov_device(struct platform_device **pdev, const char *name,
		       const struct software_node *node)
{
	struct platform_device_info info = {
		.name = name,
		.id = PLATFORM_DEVID_NONE,
	};
	int err;

	if (node) {
		err = software_node_register(node);
		if (err)
			return err;
		info.fwnode = software_node_fwnode(node);
	}
	*pdev = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(*pdev);
}

/* Three operating points; setting one sets the clock of the device. */
static int prov_perf_init(void)
{
	static const unsigned long mhz[] = { 100, 200, 400 };
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(mhz) && !err; i++)
		err = dev_pm_opp_add(&prov_perf->dev, mhz[i] * 1000000, 900000);
	return err;
}

static int __init prov_init(void)
{
	int err;

	prov_root = debugfs_create_dir("scmi_providers", NULL);
	err = prov_device(&prov_source, PROV_SOURCE, &prov_source_node);
	if (!err)
		err = prov_device(&prov_consumer, PROV_CONSUMER,
				  &prov_consumer_node);
	if (!err)
		err = prov_device(&prov_perf, PROV_PERF, NULL);
	if (!err && IS_ENABLED(CONFIG_COMMON_CLK))
		err = prov_clk_init();
	if (!err && IS_ENABLED(CONFIG_PM_OPP))
		err = prov_perf_init();
	if (!err && IS_ENABLED(CONFIG_RESET_CONTROLLER))
		err = prov_reset_init();
	if (!err && IS_ENABLED(CONFIG_PM_GENERIC_DOMAINS))
		err = prov_power_init();
	if (!err && IS_ENABLED(CONFIG_REGULATOR))
		err = prov_regulator_init();
	if (!err && IS_ENABLED(CONFIG_THERMAL))
		err = prov_thermal_init();
	if (!err && IS_REACHABLE(CONFIG_IIO))
		err = prov_iio_init();
	if (!err && IS_ENABLED(CONFIG_HWMON))
		err = prov_hwmon_init();
	if (!err && IS_ENABLED(CONFIG_PM_DEVFREQ))
		err = prov_devfreq_init();
	if (!err && IS_ENABLED(CONFIG_CPU_FREQ))
		prov_cpufreq_init();
	/* A part of it is registered for good: nothing can be undone. */
	if (err)
		pr_err("scmi_providers: set up in part only, error %d\n", err);
	return 0;
}
module_init(prov_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("providers of clocks, resets, domains, supplies and sensors for tests");
