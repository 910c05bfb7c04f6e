// SPDX-License-Identifier: GPL-2.0-only
/*
 * What takes longer than a pass: requests that sleep on a helper, and guest
 * memory that is held.
 */
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/slab.h>

#include "../edu_dma/edu_dma.h"
#include "echo.h"

#define ECHO_SLEEP_MS_MAX	10000

/**
 * struct echo_sleep - a request of ECHO_OP_SLEEP
 * @job: the core's side of it
 * @chain: answered when it is done
 * @ms: how long it sleeps
 * @echo: the device, which outlives it
 */
struct echo_sleep {
	struct devhost_job job;
	struct devhost_chain *chain;
	u32 ms;
	struct echo *echo;
};

static void echo_sleep_run(struct devhost_job *job)
{
	struct echo_sleep *sleep = container_of(job, struct echo_sleep, job);

	/* Not in counts[], which are the worker's. */
	devhost_count(sleep->echo->dev, ECHO_COUNT_BEGUN, 1);
	msleep(sleep->ms);
}

static void echo_sleep_done(struct devhost_device *dev, struct devhost_job *job)
{
	struct echo_sleep *sleep = container_of(job, struct echo_sleep, job);

	echo_answer(sleep->chain, true, sleep->ms);
	devhost_chain_complete(sleep->chain);
	echo_count(devhost_priv(dev), ECHO_COUNT_SLEPT, 1);
	kfree(sleep);
}

static void echo_sleep_drop(struct devhost_job *job)
{
	struct echo_sleep *sleep = container_of(job, struct echo_sleep, job);

	atomic_inc(&sleep->echo->dropped);
	kfree(sleep);
}

enum devhost_answer echo_op_sleep(struct echo *echo, u32 ms,
				  struct devhost_chain *chain)
{
	struct echo_sleep *sleep;
	int err = -EINVAL;

	if (ms > ECHO_SLEEP_MS_MAX)
		goto err_answer;
	sleep = kzalloc(sizeof(*sleep), GFP_KERNEL);
	err = -ENOMEM;
	if (!sleep)
		goto err_answer;
	sleep->job.run = echo_sleep_run;
	sleep->job.done = echo_sleep_done;
	sleep->job.drop = echo_sleep_drop;
	sleep->chain = chain;
	sleep->ms = ms;
	sleep->echo = echo;
	err = devhost_submit(echo->dev, &sleep->job);
	if (!err)
		return DEVHOST_KEEP;
	kfree(sleep);
	if (err == -EBUSY)
		return DEVHOST_STALL;
err_answer:
	return echo_answer(chain, false, -err);
}

bool echo_op_hold(struct echo *echo, const u32 *arg)
{
	struct devhost_range range = {
		.addr = (u64)arg[1] << 32 | arg[0],
		.len = arg[2],
	};
	struct devhost_resource *held;

	if (echo->held)
		return false;
	held = devhost_resource_get(echo->dev, &range, 1, true);
	if (IS_ERR(held))
		return false;
	echo->held = held;
	return true;
}

/* Eight bytes of what is held, whatever the guest has there now. */
bool echo_op_held(struct echo *echo, u32 offset, u64 *value)
{
	u8 *to = (u8 *)value;
	unsigned int i;

	if (!echo->held)
		return false;
	for (i = 0; i < sizeof(*value); i++) {
		size_t len;
		u8 *at = devhost_resource_span(echo->held, offset + i, &len);

		if (!at)
			return false;
		to[i] = *at;
	}
	return true;
}

bool echo_op_put(struct echo *echo)
{
	if (!echo->held)
		return false;
	if (echo->dmabuf)
		devhost_dmabuf_put(echo->dmabuf);
	echo->dmabuf = NULL;
	devhost_resource_put(echo->held);
	echo->held = NULL;
	return true;
}

/* The reference that edu_dma takes is what keeps it. */
static int echo_export_edu(struct dma_buf *dmabuf)
{
	int (*import)(struct dma_buf *dmabuf) = symbol_get(edu_dma_import);
	int err;

	if (!import)
		return -ENOENT;
	err = import(dmabuf);
	symbol_put(edu_dma_import);
	return err;
}

/* What is held as a dma-buf. @value: the error. */
bool echo_op_export(struct echo *echo, u32 to, u64 *value)
{
	struct dma_buf *dmabuf;
	int err = 0;

	if (!echo->held)
		return false;
	dmabuf = devhost_resource_export(echo->held);
	if (IS_ERR(dmabuf)) {
		*value = -PTR_ERR(dmabuf);
		return true;
	}
	if (to == ECHO_EXPORT_EDU)
		err = echo_export_edu(dmabuf);
	if (to == ECHO_EXPORT_SELF)
		echo->dmabuf = dmabuf;
	else
		devhost_dmabuf_put(dmabuf);
	*value = -err;
	return true;
}

/* Eight bytes of the dma-buf, as a codec without DMA sees them. */
bool echo_op_look(struct echo *echo, u32 offset, u64 *value)
{
	struct iosys_map map;

	if (!echo->dmabuf || offset > echo->dmabuf->size - sizeof(*value) ||
	    dma_buf_vmap_unlocked(echo->dmabuf, &map))
		return false;
	iosys_map_memcpy_from(value, &map, offset, sizeof(*value));
	dma_buf_vunmap_unlocked(echo->dmabuf, &map);
	return true;
}

/* Nothing uses it, but a codec would: it stays until it is put. */
void echo_lost(struct devhost_device *dev, struct devhost_resource *res)
{
	echo_count(devhost_priv(dev), ECHO_COUNT_LOST, 1);
}

MODULE_IMPORT_NS("DMA_BUF");
