// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose frequency devfreq rules: scmi_prov-devfreq, 100, 200, 400 MHz.
 * It has nothing to do, so its governor keeps it as slow as others let it.
 */
#include <linux/devfreq.h>
#include <linux/pm_opp.h>

#include "scmi_providers.h"

static struct prov_knobs prov_devfreq_knobs;
static u64 prov_devfreq_rate = 100000000;

static int prov_devfreq_target(struct device *dev, unsigned long *freq, u32 flags)
{
	struct dev_pm_opp *opp = devfreq_recommended_opp(dev, freq, flags);
	int err;

	if (IS_ERR(opp))
		return PTR_ERR(opp);
	dev_pm_opp_put(opp);
	err = prov_change(&prov_devfreq_knobs);
	if (!err)
		WRITE_ONCE(prov_devfreq_rate, *freq);
	return err;
}

static int prov_devfreq_status(struct device *dev,
			       struct devfreq_dev_status *status)
{
	status->total_time = 1;
	status->busy_time = 0;
	status->current_frequency = READ_ONCE(prov_devfreq_rate);
	return 0;
}

static struct devfreq_dev_profile prov_devfreq_profile = {
	.initial_freq = 100000000,
	.target = prov_devfreq_target,
	.get_dev_status = prov_devfreq_status,
};

int prov_devfreq_init(void)
{
	static const unsigned long mhz[] = { 100, 200, 400 };
	struct platform_device *pdev;
	struct devfreq *devfreq;
	unsigned int i;
	int err = 0;

	pdev = platform_device_register_simple("scmi_prov-devfreq",
					       PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	for (i = 0; i < ARRAY_SIZE(mhz) && !err; i++)
		err = dev_pm_opp_add(&pdev->dev, mhz[i] * 1000000, 900000);
	if (err)
		return err;
	devfreq = devfreq_add_device(&pdev->dev, &prov_devfreq_profile,
				     DEVFREQ_GOV_SIMPLE_ONDEMAND, NULL);
	if (IS_ERR(devfreq))
		return PTR_ERR(devfreq);
	debugfs_create_u64("rate", 0400, prov_dir("devfreq", &prov_devfreq_knobs),
			   &prov_devfreq_rate);
	return 0;
}
