// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sensors whose values the manager pushes: those of hwmon, which the kernel
 * itself has no way to read.
 */
#include "vhost_scmi.h"

static int vscmi_pushed_get(struct vscmi_host *host,
			    struct netlink_ext_ack *extack)
{
	return 0;
}

/* Never sleeps. */
static int vscmi_pushed_read(struct vscmi_host *host, s64 *value)
{
	int err = 0;

	spin_lock(&host->lock);
	if (host->pushes)
		*value = host->pushed;
	else
		err = -EIO;
	spin_unlock(&host->lock);
	return err;
}

const struct vscmi_host_ops vscmi_host_pushed = {
	.get = vscmi_pushed_get,
	.read = vscmi_pushed_read,
};
