// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: its controllers come and go.
 */
#include <linux/log2.h>
#include <linux/module.h>

#include "candev_sim.h"

unsigned int csim_num = 2;
module_param_named(num, csim_num, uint, 0444);
MODULE_PARM_DESC(num, "number of controllers, csim0 and up (default 2, at most 16)");

unsigned int csim_slots = 8;
module_param_named(slots, csim_slots, uint, 0444);
MODULE_PARM_DESC(slots, "frames that a controller takes before it is full, a power of two (default 8)");

struct csim csims[CSIM_MAX];

int csim_plug(struct csim *csim)
{
	int err = 0;

	mutex_lock(&csim->lock);
	if (!csim->dev)
		err = csim_register(csim);
	mutex_unlock(&csim->lock);
	return err;
}

void csim_unplug(struct csim *csim)
{
	mutex_lock(&csim->lock);
	if (csim->dev)
		csim_unregister(csim);
	mutex_unlock(&csim->lock);
}

static void csim_unplug_all(void)
{
	unsigned int i;

	for (i = 0; i < csim_num; i++)
		csim_unplug(&csims[i]);
	csim_bus_exit();
}

static int __init csim_init(void)
{
	unsigned int i;
	int err = 0;

	if (!csim_num || csim_num > CSIM_MAX || !is_power_of_2(csim_slots) ||
	    csim_slots > 1024)
		return -EINVAL;
	csim_bus_init();
	for (i = 0; i < csim_num; i++) {
		csims[i].index = i;
		mutex_init(&csims[i].lock);
	}
	for (i = 0; i < csim_num && !err; i++)
		err = csim_plug(&csims[i]);
	if (err) {
		csim_unplug_all();
		return err;
	}
	csim_control_init();
	return 0;
}
module_init(csim_init);

static void __exit csim_exit(void)
{
	csim_control_exit();
	csim_unplug_all();
}
module_exit(csim_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("simulated CAN controllers on a simulated bus");
