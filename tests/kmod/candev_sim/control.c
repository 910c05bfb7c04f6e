// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: what a test makes a controller do.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "candev_sim.h"

static struct dentry *csim_dir;

static const char * const csim_states[] = {
	[CAN_STATE_ERROR_ACTIVE] = "error-active",
	[CAN_STATE_ERROR_WARNING] = "error-warning",
	[CAN_STATE_ERROR_PASSIVE] = "error-passive",
	[CAN_STATE_BUS_OFF] = "bus-off",
	[CAN_STATE_STOPPED] = "stopped",
	[CAN_STATE_SLEEPING] = "sleeping",
};

static int csim_state_show(struct seq_file *seq, void *unused)
{
	struct csim *csim = seq->private;

	mutex_lock(&csim->lock);
	if (csim->dev)
		seq_printf(seq, "%s\n",
			   csim_states[csim_priv(csim)->can.state]);
	else
		seq_puts(seq, "absent\n");
	mutex_unlock(&csim->lock);
	return 0;
}

static int csim_state_open(struct inode *inode, struct file *file)
{
	return single_open(file, csim_state_show, inode->i_private);
}

static int csim_change_state(struct csim *csim, enum can_state state)
{
	int err = -ENODEV;

	mutex_lock(&csim->lock);
	rtnl_lock();
	if (csim->dev)
		err = csim_set_state(csim, state);
	rtnl_unlock();
	mutex_unlock(&csim->lock);
	return err;
}

static ssize_t csim_state_write(struct file *file, const char __user *from,
				size_t size, loff_t *pos)
{
	struct seq_file *seq = file->private_data;
	char buf[32] = "";
	int state, err;

	if (size >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, from, size))
		return -EFAULT;
	state = sysfs_match_string(csim_states, buf);
	if (state < 0)
		return state;
	err = csim_change_state(seq->private, state);
	return err ?: size;
}

static const struct file_operations csim_state_fops = {
	.owner = THIS_MODULE,
	.open = csim_state_open,
	.read = seq_read,
	.write = csim_state_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int csim_bus_off_set(void *data, u64 value)
{
	return csim_change_state(data, CAN_STATE_BUS_OFF);
}
DEFINE_DEBUGFS_ATTRIBUTE(csim_bus_off_fops, NULL, csim_bus_off_set, "%llu\n");

static int csim_inject_error_set(void *data, u64 value)
{
	struct csim *csim = data;
	int err = -ENODEV;

	mutex_lock(&csim->lock);
	if (csim->dev)
		err = csim_report(csim, value);
	mutex_unlock(&csim->lock);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(csim_inject_error_fops, NULL, csim_inject_error_set,
			 "%llu\n");

static int csim_tx_hold_get(void *data, u64 *value)
{
	struct csim *csim = data;

	*value = csim->tx_hold;
	return 0;
}

static int csim_tx_hold_set(void *data, u64 value)
{
	struct csim *csim = data;

	WRITE_ONCE(csim->tx_hold, value);
	csim_bus_kick();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(csim_tx_hold_fops, csim_tx_hold_get, csim_tx_hold_set,
			 "%llu\n");

static int csim_plugged_get(void *data, u64 *value)
{
	struct csim *csim = data;

	*value = READ_ONCE(csim->dev) ? 1 : 0;
	return 0;
}

static int csim_plugged_set(void *data, u64 value)
{
	if (value)
		return csim_plug(data);
	csim_unplug(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(csim_plugged_fops, csim_plugged_get, csim_plugged_set,
			 "%llu\n");

static void csim_control_add(struct csim *csim)
{
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "csim%u", csim->index);
	csim->dir = debugfs_create_dir(name, csim_dir);
	debugfs_create_file("state", 0600, csim->dir, csim, &csim_state_fops);
	debugfs_create_file("bus_off", 0200, csim->dir, csim,
			    &csim_bus_off_fops);
	debugfs_create_file("inject_error", 0200, csim->dir, csim,
			    &csim_inject_error_fops);
	debugfs_create_file("tx_hold", 0600, csim->dir, csim,
			    &csim_tx_hold_fops);
	debugfs_create_file("plugged", 0600, csim->dir, csim,
			    &csim_plugged_fops);
	debugfs_create_u32("tx_delay_us", 0600, csim->dir, &csim->tx_delay_us);
	debugfs_create_u32("tx_lose", 0600, csim->dir, &csim->tx_lose);
}

void csim_control_init(void)
{
	unsigned int i;

	csim_dir = debugfs_create_dir("candev_sim", NULL);
	for (i = 0; i < csim_num; i++)
		csim_control_add(&csims[i]);
}

void csim_control_exit(void)
{
	debugfs_remove_recursive(csim_dir);
}
