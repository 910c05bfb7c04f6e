// SPDX-License-Identifier: GPL-2.0-only
/* Reset lines: rst0 and rst1. */
#include <compat/reset.h>
#include <linux/module.h>
#include <linux/reset.h>

#include "scmi_providers.h"

/**
 * struct prov_reset - a line
 * @knobs: a test's
 * @asserted: it is asserted
 * @asserts: how often it was
 * @host: the control of a driver of the host that uses it, or NULL
 */
struct prov_reset {
	struct prov_knobs knobs;
	u32 asserted;
	u32 asserts;
	struct reset_control *host;
};

static struct prov_reset prov_resets[2];

static int prov_reset_assert(struct reset_controller_dev *rcdev,
			     unsigned long id)
{
	struct prov_reset *reset = &prov_resets[id];
	int err = prov_change(&reset->knobs);

	if (!err) {
		reset->asserted = 1;
		reset->asserts++;
	}
	return err;
}

static int prov_reset_deassert(struct reset_controller_dev *rcdev,
			       unsigned long id)
{
	struct prov_reset *reset = &prov_resets[id];
	int err = prov_change(&reset->knobs);

	if (!err)
		reset->asserted = 0;
	return err;
}

static int prov_reset_status(struct reset_controller_dev *rcdev,
			     unsigned long id)
{
	return prov_resets[id].asserted;
}

static const struct reset_control_ops prov_reset_ops = {
	.assert = prov_reset_assert,
	.deassert = prov_reset_deassert,
	.status = prov_reset_status,
};

static struct reset_controller_dev prov_rcdev = {
	.ops = &prov_reset_ops,
	.owner = THIS_MODULE,
	.nr_resets = ARRAY_SIZE(prov_resets),
};

static const char * const prov_reset_names[] = { "rst0", "rst1" };

/* A driver of the host uses the line while this is 1. */
static int prov_host_get(void *data, u64 *value)
{
	struct prov_reset *reset = data;

	*value = !!reset->host;
	return 0;
}

static int prov_host_set(void *data, u64 value)
{
	struct prov_reset *reset = data;
	struct reset_control *rstc;
	int err;

	if (!value == !reset->host)
		return 0;
	if (!value) {
		reset_control_release(reset->host);
		reset_control_put(reset->host);
		reset->host = NULL;
		return 0;
	}
	rstc = reset_control_get_exclusive_released(&prov_consumer->dev,
						    prov_reset_names[reset - prov_resets]);
	if (IS_ERR(rstc))
		return PTR_ERR(rstc);
	err = reset_control_acquire(rstc);
	if (err) {
		reset_control_put(rstc);
		return err;
	}
	reset->host = rstc;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(prov_host_fops, prov_host_get, prov_host_set, "%llu\n");

int prov_reset_init(void)
{
	unsigned int i;
	int err;

	prov_rcdev.dev = &prov_source->dev;
	err = reset_controller_register(&prov_rcdev);
	for (i = 0; i < ARRAY_SIZE(prov_resets) && !err; i++) {
		struct dentry *dir = prov_dir(prov_reset_names[i],
					      &prov_resets[i].knobs);

		debugfs_create_u32("asserted", 0400, dir,
				   &prov_resets[i].asserted);
		debugfs_create_u32("asserts", 0400, dir, &prov_resets[i].asserts);
		debugfs_create_file("host", 0600, dir, &prov_resets[i],
				    &prov_host_fops);
		err = compat_reset_lookup(PROV_SOURCE, i, PROV_CONSUMER,
					  prov_reset_names[i]);
	}
	return err;
}
