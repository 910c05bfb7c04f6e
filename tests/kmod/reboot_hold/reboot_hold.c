// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a machine that goes down, behind all that are told of it and before its
 * devices are shut down: what they did can be looked at then. It does not go on.
 */
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/sched.h>

static bool held;
module_param(held, bool, 0444);
MODULE_PARM_DESC(held, "everybody has been told");

static int reboot_hold_notify(struct notifier_block *nb, unsigned long event,
			      void *data)
{
	WRITE_ONCE(held, true);
	for (;;)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_hold_nb = {
	.notifier_call = reboot_hold_notify,
	.priority = INT_MIN,
};

static int __init reboot_hold_init(void)
{
	return register_reboot_notifier(&reboot_hold_nb);
}
module_init(reboot_hold_init);

/* Not to be unloaded: who is held never leaves. */

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Holds a machine that goes down, for tests");
