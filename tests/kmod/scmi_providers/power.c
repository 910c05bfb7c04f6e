// SPDX-License-Identifier: GPL-2.0-only
/* Power domains: pd0 and pd1, each with the device scmi_prov-pdN in it. */
#include <linux/pm_domain.h>
#include <linux/pm_runtime.h>

#include "scmi_providers.h"

/**
 * struct prov_power - a domain
 * @genpd: to the kernel
 * @knobs: a test's
 * @on: it is on
 * @starts: how often it was switched on
 * @pdev: the device in it
 */
struct prov_power {
	struct generic_pm_domain genpd;
	struct prov_knobs knobs;
	u32 on;
	u32 starts;
	struct platform_device *pdev;
};

static struct prov_power prov_powers[2];

static int prov_power_on(struct generic_pm_domain *genpd)
{
	struct prov_power *power = container_of(genpd, struct prov_power, genpd);
	int err = prov_change(&power->knobs);

	if (!err) {
		power->on = 1;
		power->starts++;
	}
	return err;
}

static int prov_power_off(struct generic_pm_domain *genpd)
{
	struct prov_power *power = container_of(genpd, struct prov_power, genpd);

	prov_change(&power->knobs);
	power->on = 0;
	return 0;
}

static int prov_power_add(struct prov_power *power, const char *name,
			  const char *device)
{
	struct dentry *dir;
	int err;

	power->genpd.name = name;
	power->genpd.power_on = prov_power_on;
	power->genpd.power_off = prov_power_off;
	err = pm_genpd_init(&power->genpd, NULL, true);
	if (err)
		return err;
	power->pdev = platform_device_register_simple(device,
						      PLATFORM_DEVID_NONE, NULL,
						      0);
	if (IS_ERR(power->pdev))
		return PTR_ERR(power->pdev);
	err = pm_genpd_add_device(&power->genpd, &power->pdev->dev);
	if (err)
		return err;
	pm_runtime_enable(&power->pdev->dev);
	dir = prov_dir(name, &power->knobs);
	debugfs_create_u32("on", 0400, dir, &power->on);
	debugfs_create_u32("starts", 0400, dir, &power->starts);
	return 0;
}

int prov_power_init(void)
{
	int err = prov_power_add(&prov_powers[0], "pd0", "scmi_prov-pd0");

	return err ?: prov_power_add(&prov_powers[1], "pd1", "scmi_prov-pd1");
}
