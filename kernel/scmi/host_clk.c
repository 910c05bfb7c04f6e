// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks of the host, by the common clock framework.
 *
 * Reading a rate takes the framework's lock, which a slow clock anywhere may
 * hold; so the rate is kept up to date by the clock's notifier, and reading it
 * never sleeps.
 */
#include <linux/clk.h>
#include <linux/clk-provider.h>
#include <linux/slab.h>

#include "vhost_scmi.h"

/**
 * struct vscmi_clk - a clock
 * @host: the resource
 * @clk: the clock
 * @nb: tells of its rate
 */
struct vscmi_clk {
	struct vscmi_host *host;
	struct clk *clk;
	struct notifier_block nb;
};

static int vscmi_clk_notify(struct notifier_block *nb, unsigned long event,
			    void *data)
{
	struct vscmi_clk *vclk = container_of(nb, struct vscmi_clk, nb);
	const struct clk_notifier_data *change = data;

	if (event == POST_RATE_CHANGE)
		vscmi_host_rate(vclk->host, change->new_rate);
	return NOTIFY_DONE;
}

/* A clock that has one rate can't round to others. */
static u64 vscmi_clk_round(struct clk *clk, unsigned long rate, u64 fallback)
{
	long rounded = clk_round_rate(clk, rate);

	return rounded > 0 ? rounded : fallback;
}

static int vscmi_clk_get(struct vscmi_host *host, struct netlink_ext_ack *extack)
{
	struct vscmi_clk *vclk;
	int err;

	vclk = kzalloc_obj(*vclk);
	if (!vclk)
		return -ENOMEM;
	vclk->host = host;
	vclk->clk = clk_get(host->dev, host->name);
	if (IS_ERR(vclk->clk)) {
		err = PTR_ERR(vclk->clk);
		goto err_free;
	}
	host->priv = vclk;
	vclk->nb.notifier_call = vscmi_clk_notify;
	err = clk_notifier_register(vclk->clk, &vclk->nb);
	if (err)
		goto err_clk;
	host->base = clk_get_rate(vclk->clk);
	host->now.level = host->base;
	vscmi_host_rate(host, host->base);
	host->min = vscmi_clk_round(vclk->clk, 0, host->base);
	host->max = vscmi_clk_round(vclk->clk, LONG_MAX, host->base);
	if (host->min > host->max)
		swap(host->min, host->max);
	return 0;

err_clk:
	clk_put(vclk->clk);
err_free:
	kfree(vclk);
	return err;
}

static void vscmi_clk_put(struct vscmi_host *host)
{
	struct vscmi_clk *vclk = host->priv;

	clk_notifier_unregister(vclk->clk, &vclk->nb);
	if (host->now.on)
		clk_disable_unprepare(vclk->clk);
	clk_put(vclk->clk);
	kfree(vclk);
}

static int vscmi_clk_set_on(struct vscmi_host *host, bool on)
{
	struct vscmi_clk *vclk = host->priv;

	if (on)
		return clk_prepare_enable(vclk->clk);
	clk_disable_unprepare(vclk->clk);
	return 0;
}

/* The framework forgets what a clock's driver says: see what came of it. */
static int vscmi_clk_set_level(struct vscmi_host *host, u64 level)
{
	unsigned long wanted = min_t(u64, level, ULONG_MAX);
	struct vscmi_clk *vclk = host->priv;
	u64 rounded = vscmi_clk_round(vclk->clk, wanted, 0);
	u64 rate;
	int err;

	err = clk_set_rate(vclk->clk, wanted);
	if (err)
		return err;
	rate = clk_get_rate(vclk->clk);
	vscmi_host_rate(host, rate);
	return rounded && rate != rounded ? -EIO : 0;
}

static bool vscmi_clk_is_on(struct vscmi_host *host)
{
	struct vscmi_clk *vclk = host->priv;

	return __clk_is_enabled(vclk->clk);
}

const struct vscmi_host_ops vscmi_host_clk = {
	.get = vscmi_clk_get,
	.put = vscmi_clk_put,
	.set_on = vscmi_clk_set_on,
	.set_level = vscmi_clk_set_level,
	.is_on = vscmi_clk_is_on,
};
