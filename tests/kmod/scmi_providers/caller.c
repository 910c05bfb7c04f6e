// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel thread that uses a clock as any driver of the host does: what a
 * guest's command is to be compared with.
 */
#include <linux/clk.h>
#include <linux/clk-provider.h>
#include <linux/completion.h>
#include <linux/kthread.h>

#include "scmi_providers.h"

/**
 * struct prov_calls - what the thread is to do
 * @call: does it
 * @clk: with that
 * @count: as often
 * @err: how it ended
 * @done: it has
 */
struct prov_calls {
	int (*call)(struct clk *clk, u64 count);
	struct clk *clk;
	u64 count;
	int err;
	struct completion done;
};

static int prov_call_thread(void *data)
{
	struct prov_calls *calls = data;

	calls->err = calls->call(calls->clk, calls->count);
	complete(&calls->done);
	return 0;
}

/* Returns when the thread is done. */
static int prov_call(struct clk_hw *hw, int (*call)(struct clk *clk, u64 count),
		     u64 count)
{
	struct prov_calls calls = { .call = call, .count = count };
	struct task_struct *task;

	calls.clk = clk_hw_get_clk(hw, "thread");
	if (IS_ERR(calls.clk))
		return PTR_ERR(calls.clk);
	init_completion(&calls.done);
	task = kthread_run(prov_call_thread, &calls, "prov-calls");
	if (IS_ERR(task)) {
		calls.err = PTR_ERR(task);
		goto out;
	}
	wait_for_completion(&calls.done);
out:
	clk_put(calls.clk);
	return calls.err;
}

static int prov_get_rate(struct clk *clk, u64 count)
{
	while (count--) {
		if (!clk_get_rate(clk))
			return -EIO;
	}
	return 0;
}

/* One call is to enable it, the next to disable it. */
static int prov_enable(struct clk *clk, u64 count)
{
	u64 i;
	int err;

	for (i = 0; i < count; i += 2) {
		err = clk_prepare_enable(clk);
		if (err)
			return err;
		clk_disable_unprepare(clk);
	}
	return 0;
}

static int prov_get_rate_set(void *hw, u64 count)
{
	return prov_call(hw, prov_get_rate, count);
}
DEFINE_DEBUGFS_ATTRIBUTE(prov_get_rate_fops, NULL, prov_get_rate_set, "%llu\n");

static int prov_enable_set(void *hw, u64 count)
{
	return prov_call(hw, prov_enable, count);
}
DEFINE_DEBUGFS_ATTRIBUTE(prov_enable_fops, NULL, prov_enable_set, "%llu\n");

/**
 * prov_caller_add - have a clock called by writing to files
 * @hw: the clock
 * @dir: where they are made
 */
void prov_caller_add(struct clk_hw *hw, struct dentry *dir)
{
	debugfs_create_file("call_get_rate", 0200, dir, hw, &prov_get_rate_fops);
	debugfs_create_file("call_enable", 0200, dir, hw, &prov_enable_fops);
}
