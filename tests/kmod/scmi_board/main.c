// SPDX-License-Identifier: GPL-2.0-only
/*
 * A board in the device tree, and a controller of power domains, reset lines
 * and a channel on it; README.md.
 */
#include <linux/debugfs.h>
#include <linux/iio/iio.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/reset-controller.h>

#include "scmi_board.h"

static bool single;
module_param(single, bool, 0444);
MODULE_PARM_DESC(single, "the resources have a single power domain");

/**
 * struct board_domain - a power domain
 * @genpd: to the kernel
 * @on: it is on
 */
struct board_domain {
	struct generic_pm_domain genpd;
	u32 on;
};

static struct board_domain board_domains[] = {
	{ .genpd.name = "board-domain0" },
	{ .genpd.name = "board-domain1" },
};

static struct generic_pm_domain *board_genpds[] = {
	&board_domains[0].genpd,
	&board_domains[1].genpd,
};

static struct genpd_onecell_data board_genpd_data = {
	.domains = board_genpds,
	.num_domains = ARRAY_SIZE(board_genpds),
};

static u32 board_resets[2];
static struct dentry *board_root;
static int board_overlay;

static int board_power_on(struct generic_pm_domain *genpd)
{
	container_of(genpd, struct board_domain, genpd)->on = 1;
	return 0;
}

static int board_power_off(struct generic_pm_domain *genpd)
{
	container_of(genpd, struct board_domain, genpd)->on = 0;
	return 0;
}

static int board_assert(struct reset_controller_dev *rcdev, unsigned long id)
{
	board_resets[id] = 1;
	return 0;
}

static int board_deassert(struct reset_controller_dev *rcdev, unsigned long id)
{
	board_resets[id] = 0;
	return 0;
}

static int board_status(struct reset_controller_dev *rcdev, unsigned long id)
{
	return board_resets[id];
}

static const struct reset_control_ops board_reset_ops = {
	.assert = board_assert,
	.deassert = board_deassert,
	.status = board_status,
};

static int board_iio_read(struct iio_dev *indio_dev,
			  const struct iio_chan_spec *channel, int *val,
			  int *val2, long mask)
{
	*val = 12600;
	return IIO_VAL_INT;
}

static const struct iio_info board_iio_info = {
	.read_raw = board_iio_read,
};

static const struct iio_chan_spec board_iio_channels[] = {
	{
		.type = IIO_VOLTAGE,
		.indexed = 1,
		.info_mask_separate = BIT(IIO_CHAN_INFO_PROCESSED),
	},
};

static int board_reset_init(struct device *dev)
{
	struct reset_controller_dev *rcdev;

	rcdev = devm_kzalloc(dev, sizeof(*rcdev), GFP_KERNEL);
	if (!rcdev)
		return -ENOMEM;
	rcdev->ops = &board_reset_ops;
	rcdev->owner = THIS_MODULE;
	rcdev->of_node = dev->of_node;
	rcdev->nr_resets = ARRAY_SIZE(board_resets);
	return devm_reset_controller_register(dev, rcdev);
}

static int board_iio_init(struct device *dev)
{
	struct iio_dev *indio_dev = devm_iio_device_alloc(dev, 0);

	if (!indio_dev)
		return -ENOMEM;
	indio_dev->name = "scmi_board";
	indio_dev->info = &board_iio_info;
	indio_dev->channels = board_iio_channels;
	indio_dev->num_channels = ARRAY_SIZE(board_iio_channels);
	return devm_iio_device_register(dev, indio_dev);
}

static void board_power_exit(void *node)
{
	unsigned int i;

	of_genpd_del_provider(node);
	for (i = 0; i < ARRAY_SIZE(board_genpds); i++)
		pm_genpd_remove(board_genpds[i]);
}

static int board_power_init(struct device *dev)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(board_genpds); i++) {
		board_genpds[i]->power_on = board_power_on;
		board_genpds[i]->power_off = board_power_off;
		err = pm_genpd_init(board_genpds[i], NULL, true);
		if (err)
			goto err_remove;
	}
	err = of_genpd_add_provider_onecell(dev->of_node, &board_genpd_data);
	if (err)
		goto err_remove;
	return devm_add_action_or_reset(dev, board_power_exit, dev->of_node);

err_remove:
	while (i--)
		pm_genpd_remove(board_genpds[i]);
	return err;
}

static int board_probe(struct platform_device *pdev)
{
	int err = board_power_init(&pdev->dev);

	if (!err)
		err = board_reset_init(&pdev->dev);
	return err ?: board_iio_init(&pdev->dev);
}

static const struct of_device_id board_of_match[] = {
	{ .compatible = "devhost,test-controller" },
	{ }
};

static struct platform_driver board_driver = {
	.probe = board_probe,
	.driver = {
		.name = "scmi_board",
		.of_match_table = board_of_match,
		.suppress_bind_attrs = true,
	},
};

static int board_overlay_apply(void)
{
	u8 *begin = single ? __dtbo_single_begin : __dtbo_several_begin;
	u8 *end = single ? __dtbo_single_end : __dtbo_several_end;

	return of_overlay_fdt_apply(begin, end - begin, &board_overlay, NULL);
}

static int __init board_init(void)
{
	int err;

	board_root = debugfs_create_dir("scmi_board", NULL);
	debugfs_create_u32("domain0", 0400, board_root, &board_domains[0].on);
	debugfs_create_u32("domain1", 0400, board_root, &board_domains[1].on);
	debugfs_create_u32("reset0", 0400, board_root, &board_resets[0]);
	debugfs_create_u32("reset1", 0400, board_root, &board_resets[1]);
	err = platform_driver_register(&board_driver);
	if (err)
		goto err_debugfs;
	err = board_overlay_apply();
	if (!err)
		err = of_platform_default_populate(NULL, NULL, NULL);
	if (err)
		goto err_overlay;
	return 0;

err_overlay:
	if (board_overlay)
		of_overlay_remove(&board_overlay);
	platform_driver_unregister(&board_driver);
err_debugfs:
	debugfs_remove(board_root);
	return err;
}
module_init(board_init);

static void __exit board_exit(void)
{
	of_overlay_remove(&board_overlay);
	platform_driver_unregister(&board_driver);
	debugfs_remove(board_root);
}
module_exit(board_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("a board in the device tree, for tests");
