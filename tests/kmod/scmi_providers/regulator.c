// SPDX-License-Identifier: GPL-2.0-only
/* Supplies: vdd0 and vdd1 from 0.8 to 1.2 V in steps of 50 mV. */
#include <linux/module.h>
#include <linux/regulator/driver.h>
#include <linux/regulator/machine.h>

#include "scmi_providers.h"

#define PROV_MIN_UV	800000
#define PROV_STEP_UV	50000
#define PROV_VOLTAGES	9

/**
 * struct prov_supply - a supply
 * @knobs: a test's
 * @selector: its voltage
 * @uv: its voltage
 * @on: it is on
 * @starts: how often it was switched on
 */
struct prov_supply {
	struct prov_knobs knobs;
	unsigned int selector;
	u32 uv;
	u32 on;
	u32 starts;
};

static struct prov_supply prov_supplies[2];

static int prov_set_voltage(struct regulator_dev *rdev, unsigned int selector)
{
	struct prov_supply *supply = rdev_get_drvdata(rdev);
	int err = prov_change(&supply->knobs);

	if (err)
		return err;
	supply->selector = selector;
	supply->uv = PROV_MIN_UV + PROV_STEP_UV * selector;
	return 0;
}

static int prov_get_voltage(struct regulator_dev *rdev)
{
	struct prov_supply *supply = rdev_get_drvdata(rdev);

	return supply->selector;
}

static int prov_supply_enable(struct regulator_dev *rdev)
{
	struct prov_supply *supply = rdev_get_drvdata(rdev);
	int err = prov_change(&supply->knobs);

	if (err)
		return err;
	supply->on = 1;
	supply->starts++;
	return 0;
}

static int prov_supply_disable(struct regulator_dev *rdev)
{
	struct prov_supply *supply = rdev_get_drvdata(rdev);

	prov_change(&supply->knobs);
	supply->on = 0;
	return 0;
}

static int prov_supply_is_enabled(struct regulator_dev *rdev)
{
	struct prov_supply *supply = rdev_get_drvdata(rdev);

	return supply->on;
}

static const struct regulator_ops prov_supply_ops = {
	.list_voltage = regulator_list_voltage_linear,
	.map_voltage = regulator_map_voltage_linear,
	.set_voltage_sel = prov_set_voltage,
	.get_voltage_sel = prov_get_voltage,
	.enable = prov_supply_enable,
	.disable = prov_supply_disable,
	.is_enabled = prov_supply_is_enabled,
};

#define PROV_SUPPLY(_name) {						\
	.name = (_name),						\
	.ops = &prov_supply_ops,					\
	.type = REGULATOR_VOLTAGE,					\
	.owner = THIS_MODULE,						\
	.n_voltages = PROV_VOLTAGES,					\
	.min_uV = PROV_MIN_UV,						\
	.uV_step = PROV_STEP_UV,					\
}

static const struct regulator_desc prov_descs[] = {
	PROV_SUPPLY("vdd0"),
	PROV_SUPPLY("vdd1"),
};

static int prov_supply_add(unsigned int index)
{
	static struct regulator_consumer_supply consumers[] = {
		REGULATOR_SUPPLY("vdd0", PROV_CONSUMER),
		REGULATOR_SUPPLY("vdd1", PROV_CONSUMER),
	};
	const struct regulator_init_data init_data = {
		.constraints = {
			.min_uV = PROV_MIN_UV,
			.max_uV = PROV_MIN_UV + PROV_STEP_UV * (PROV_VOLTAGES - 1),
			.valid_ops_mask = REGULATOR_CHANGE_VOLTAGE |
					  REGULATOR_CHANGE_STATUS,
		},
		.num_consumer_supplies = 1,
		.consumer_supplies = &consumers[index],
	};
	struct regulator_config config = {
		.dev = &prov_source->dev,
		.init_data = &init_data,
		.driver_data = &prov_supplies[index],
	};
	const struct regulator_desc *desc = &prov_descs[index];
	struct regulator_dev *rdev;
	struct dentry *dir;

	prov_supplies[index].uv = PROV_MIN_UV;
	rdev = regulator_register(&prov_source->dev, desc, &config);
	if (IS_ERR(rdev))
		return PTR_ERR(rdev);
	dir = prov_dir(desc->name, &prov_supplies[index].knobs);
	debugfs_create_u32("uv", 0400, dir, &prov_supplies[index].uv);
	debugfs_create_u32("on", 0400, dir, &prov_supplies[index].on);
	debugfs_create_u32("starts", 0400, dir, &prov_supplies[index].starts);
	return 0;
}

int prov_regulator_init(void)
{
	int err = prov_supply_add(0);

	return err ?: prov_supply_add(1);
}
