// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset lines of the host.
 *
 * The control is held released and acquired for as long as a guest resets or
 * asserts: one that a driver of the host has acquired is in use, and denied.
 */
#include <linux/delay.h>
#include <linux/reset.h>

#include "vhost_scmi.h"

/* How long a line is asserted where its controller does not know better. */
#define VSCMI_RESET_PULSE_US	100

static int vscmi_reset_get(struct vscmi_host *host, struct netlink_ext_ack *extack)
{
	struct reset_control *rstc;

	rstc = reset_control_get_exclusive_released(host->dev, host->name);
	if (IS_ERR(rstc))
		return PTR_ERR(rstc);
	host->priv = rstc;
	return 0;
}

static void vscmi_reset_put(struct vscmi_host *host)
{
	if (host->now.on)
		reset_control_release(host->priv);
	reset_control_put(host->priv);
}

static int vscmi_reset_acquire(struct vscmi_host *host)
{
	int err = reset_control_acquire(host->priv);

	return err == -EBUSY ? -EPERM : err;
}

static int vscmi_reset_set_on(struct vscmi_host *host, bool on)
{
	int err;

	if (on) {
		err = vscmi_reset_acquire(host);
		if (err)
			return err;
		err = reset_control_assert(host->priv);
		if (err)
			reset_control_release(host->priv);
		return err;
	}
	err = reset_control_deassert(host->priv);
	if (!err)
		reset_control_release(host->priv);
	return err;
}

static int vscmi_reset_pulse(struct vscmi_host *host)
{
	int err = vscmi_reset_acquire(host);

	if (err)
		return err;
	err = reset_control_reset(host->priv);
	if (err == -ENOTSUPP) {
		err = reset_control_assert(host->priv);
		if (!err) {
			fsleep(VSCMI_RESET_PULSE_US);
			err = reset_control_deassert(host->priv);
		}
	}
	reset_control_release(host->priv);
	return err;
}

const struct vscmi_host_ops vscmi_host_reset = {
	.get = vscmi_reset_get,
	.put = vscmi_reset_put,
	.set_on = vscmi_reset_set_on,
	.pulse = vscmi_reset_pulse,
};
