// SPDX-License-Identifier: GPL-2.0-only
/*
 * Supplies of the host.
 */
#include <linux/regulator/consumer.h>

#include "vhost_scmi.h"

/* What a selector gives, 0 where it gives nothing that may be used. */
static u64 vscmi_regulator_voltage(struct regulator *reg, unsigned int selector)
{
	int uv = regulator_list_voltage(reg, selector);

	return uv > 0 ? uv : 0;
}

/* Too many to be listed: a range. */
static void vscmi_regulator_range(struct vscmi_host *host, int num)
{
	unsigned int i;

	host->min = U64_MAX;
	host->max = 0;
	for (i = 0; i < num; i++) {
		u64 uv = vscmi_regulator_voltage(host->priv, i);

		if (!uv)
			continue;
		host->min = min(host->min, uv);
		host->max = max(host->max, uv);
	}
	host->step = max(regulator_get_linear_step(host->priv), 1U);
}

static int vscmi_regulator_levels(struct vscmi_host *host)
{
	struct regulator *reg = host->priv;
	int num = regulator_count_voltages(reg);
	unsigned int i;
	int err;

	host->min = host->base;
	host->max = host->base;
	host->step = 1;
	if (num <= 0)
		return 0;
	if (num > VSCMI_LEVELS_MAX) {
		vscmi_regulator_range(host, num);
		return host->min <= host->max ? 0 : -EINVAL;
	}
	err = vscmi_host_levels_alloc(host, num);
	if (err)
		return err;
	for (i = 0; i < num; i++) {
		u64 uv = vscmi_regulator_voltage(reg, i);

		if (uv)
			host->levels[host->num_levels++] = uv;
	}
	return vscmi_host_levels_done(host);
}

static int vscmi_regulator_get(struct vscmi_host *host,
			       struct netlink_ext_ack *extack)
{
	struct regulator *reg;
	int uv, err;

	/* Not one that the regulator core makes up. */
	reg = regulator_get_optional(host->dev, host->name);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	host->priv = reg;
	uv = regulator_get_voltage(reg);
	err = uv < 0 ? uv : 0;
	if (err)
		goto err_put;
	host->base = uv;
	host->now.level = uv;
	err = vscmi_regulator_levels(host);
	if (err)
		goto err_put;
	return 0;

err_put:
	regulator_put(reg);
	return err;
}

static void vscmi_regulator_put(struct vscmi_host *host)
{
	if (host->now.on)
		regulator_disable(host->priv);
	regulator_put(host->priv);
}

static int vscmi_regulator_set_on(struct vscmi_host *host, bool on)
{
	return on ? regulator_enable(host->priv) : regulator_disable(host->priv);
}

/* The least that is enough. */
static int vscmi_regulator_set_level(struct vscmi_host *host, u64 level)
{
	return regulator_set_voltage(host->priv, level, max(level, host->max));
}

static int vscmi_regulator_read(struct vscmi_host *host, s64 *value)
{
	int uv = regulator_get_voltage(host->priv);

	*value = uv;
	return uv < 0 ? uv : 0;
}

static bool vscmi_regulator_is_on(struct vscmi_host *host)
{
	return regulator_is_enabled(host->priv) > 0;
}

const struct vscmi_host_ops vscmi_host_regulator = {
	.get = vscmi_regulator_get,
	.put = vscmi_regulator_put,
	.set_on = vscmi_regulator_set_on,
	.set_level = vscmi_regulator_set_level,
	.read = vscmi_regulator_read,
	.is_on = vscmi_regulator_is_on,
};
