// SPDX-License-Identifier: GPL-2.0-only
/* Clocks: clk0 .. clk2 from 1 to 100 MHz, clkfix with one rate, that of PROV_PERF. */
#include <linux/clk-provider.h>
#include <linux/clkdev.h>

#include "scmi_providers.h"

/**
 * struct prov_clk - a clock
 * @hw: to the clock framework
 * @knobs: a test's
 * @name: to consumers; NULL for that of PROV_PERF
 * @rate: its rate
 * @min: least rate
 * @max: highest rate
 * @prepared: it is prepared
 * @enabled: it is enabled
 * @enables: how often it was enabled
 */
struct prov_clk {
	struct clk_hw hw;
	struct prov_knobs knobs;
	const char *name;
	u64 rate;
	u64 min;
	u64 max;
	u32 prepared;
	u32 enabled;
	u32 enables;
};

static struct prov_clk prov_clks[] = {
	{ .name = "clk0", .rate = 10000000, .min = 1000000, .max = 100000000 },
	{ .name = "clk1", .rate = 20000000, .min = 1000000, .max = 100000000 },
	{ .name = "clk2", .rate = 30000000, .min = 1000000, .max = 100000000 },
	{ .name = "clkfix", .rate = 32768, .min = 32768, .max = 32768 },
	{ .rate = 100000000, .min = 100000000, .max = 400000000 },
};

static struct prov_clk *prov_clk_of(struct clk_hw *hw)
{
	return container_of(hw, struct prov_clk, hw);
}

static int prov_clk_prepare(struct clk_hw *hw)
{
	struct prov_clk *clk = prov_clk_of(hw);
	int err = prov_change(&clk->knobs);

	if (!err)
		clk->prepared++;
	return err;
}

static void prov_clk_unprepare(struct clk_hw *hw)
{
	prov_change(&prov_clk_of(hw)->knobs);
	prov_clk_of(hw)->prepared--;
}

static int prov_clk_enable(struct clk_hw *hw)
{
	prov_clk_of(hw)->enabled++;
	prov_clk_of(hw)->enables++;
	return 0;
}

static void prov_clk_disable(struct clk_hw *hw)
{
	prov_clk_of(hw)->enabled--;
}

static int prov_clk_is_enabled(struct clk_hw *hw)
{
	return prov_clk_of(hw)->enabled;
}

static unsigned long prov_clk_recalc_rate(struct clk_hw *hw,
					  unsigned long parent_rate)
{
	return prov_clk_of(hw)->rate;
}

static int prov_clk_determine_rate(struct clk_hw *hw,
				   struct clk_rate_request *req)
{
	struct prov_clk *clk = prov_clk_of(hw);

	req->rate = clamp_t(u64, req->rate, clk->min, clk->max);
	return 0;
}

static int prov_clk_set_rate(struct clk_hw *hw, unsigned long rate,
			     unsigned long parent_rate)
{
	struct prov_clk *clk = prov_clk_of(hw);
	int err = prov_change(&clk->knobs);

	if (!err)
		clk->rate = rate;
	return err;
}

static const struct clk_ops prov_clk_ops = {
	.prepare = prov_clk_prepare,
	.unprepare = prov_clk_unprepare,
	.enable = prov_clk_enable,
	.disable = prov_clk_disable,
	.is_enabled = prov_clk_is_enabled,
	.recalc_rate = prov_clk_recalc_rate,
	.determine_rate = prov_clk_determine_rate,
	.set_rate = prov_clk_set_rate,
};

static int prov_clk_add(struct prov_clk *clk)
{
	const char *name = clk->name ? clk->name : "perf";
	const struct clk_init_data init = {
		.name = kasprintf(GFP_KERNEL, "scmi_prov_%s", name),
		.ops = &prov_clk_ops,
	};
	struct dentry *dir;
	int err;

	clk->hw.init = &init;
	err = clk_hw_register(&prov_source->dev, &clk->hw);
	kfree(init.name);
	if (err)
		return err;
	dir = prov_dir(name, &clk->knobs);
	debugfs_create_u64("rate", 0400, dir, &clk->rate);
	debugfs_create_u32("prepared", 0400, dir, &clk->prepared);
	debugfs_create_u32("enabled", 0400, dir, &clk->enabled);
	debugfs_create_u32("enables", 0400, dir, &clk->enables);
	prov_caller_add(&clk->hw, dir);
	return clk_hw_register_clkdev(&clk->hw, clk->name,
				      clk->name ? PROV_CONSUMER : PROV_PERF);
}

int prov_clk_init(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(prov_clks) && !err; i++)
		err = prov_clk_add(&prov_clks[i]);
	/* Also where vhost_scmi looks when no device is named. */
	if (!err)
		err = clk_hw_register_clkdev(&prov_clks[2].hw, "board-clk",
					     "devhost-scmi");
	return err;
}
