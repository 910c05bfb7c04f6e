// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that sleep: a clock or a regulator may take its time, the queue worker
 * must not. A device has a few helper threads for them, made when first needed,
 * in the cgroup of the queue worker.
 *
 * A reset does not wait for a job that sleeps: what runs then is dropped when
 * it ends. Only the removal of the device waits.
 */
#include <linux/cgroup.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "core.h"

/* Jobs of one device that are not done. */
#define DEVHOST_JOBS_MAX	256
/*
 * Helpers of one device, with those that are still at a job of before a reset:
 * a guest that resets again and again can't pile them up.
 */
#define DEVHOST_HELPERS_MAX	16

/**
 * struct devhost_pool - the jobs of a device between start and stop
 * @dev: the device; it outlives its helpers
 * @refs: one for the device, one for each helper
 * @lock: all below
 * @queued: wait for a helper
 * @finished: wait for the queue worker
 * @jobs: submitted and not done
 * @waiting: @jobs that no helper has finished
 * @helpers: threads
 * @stopping: the device was stopped; helpers end
 * @more: a helper has something to do
 * @less: a job has finished
 */
struct devhost_pool {
	struct devhost_device *dev;
	refcount_t refs;
	spinlock_t lock;
	struct list_head queued;
	struct list_head finished;
	unsigned int jobs;
	unsigned int waiting;
	unsigned int helpers;
	bool stopping;
	wait_queue_head_t more;
	wait_queue_head_t less;
};

static void devhost_pool_put(struct devhost_pool *pool)
{
	if (refcount_dec_and_test(&pool->refs))
		kfree(pool);
}

static struct devhost_job *devhost_pool_first(struct list_head *list)
{
	struct devhost_job *job;

	job = list_first_entry_or_null(list, struct devhost_job, list);
	if (job)
		list_del_init(&job->list);
	return job;
}

/* The next job; NULL where the pool ends. */
static struct devhost_job *devhost_pool_next(struct devhost_pool *pool)
{
	struct devhost_job *job;

	do {
		wait_event_idle_exclusive(pool->more,
					  READ_ONCE(pool->stopping) ||
					  !list_empty_careful(&pool->queued));
		if (READ_ONCE(pool->stopping))
			return NULL;
		spin_lock(&pool->lock);
		job = pool->stopping ? NULL : devhost_pool_first(&pool->queued);
		spin_unlock(&pool->lock);
	} while (!job);
	return job;
}

static void devhost_pool_finish(struct devhost_pool *pool,
				struct devhost_job *job)
{
	bool stopping;

	spin_lock(&pool->lock);
	stopping = pool->stopping;
	if (!stopping) {
		pool->waiting--;
		list_add_tail(&job->list, &pool->finished);
	}
	spin_unlock(&pool->lock);

	if (stopping) {
		job->drop(job);
		return;
	}
	devhost_wake(pool->dev, DEVHOST_PENDING_JOBS);
	wake_up(&pool->less);
}

static int devhost_pool_helper(void *data)
{
	struct devhost_pool *pool = data;
	struct devhost_device *dev = pool->dev;
	struct devhost_job *job;

	while ((job = devhost_pool_next(pool))) {
		job->run(job);
		devhost_pool_finish(pool, job);
	}
	devhost_pool_put(pool);
	/* The last that this thread knows of the device. */
	if (atomic_dec_and_test(&dev->helpers))
		wake_up_var(&dev->helpers);
	module_put_and_kthread_exit(0);
}

/* One more helper, in the cgroup of the current task: the queue worker. */
static int devhost_pool_grow(struct devhost_pool *pool)
{
	struct devhost_device *dev = pool->dev;
	struct task_struct *task;

	if (atomic_read(&dev->helpers) >= DEVHOST_HELPERS_MAX)
		return -EAGAIN;
	task = kthread_create(devhost_pool_helper, pool, "dj-%s",
			      dev_name(&dev->vdpa.dev));
	if (IS_ERR(task))
		return PTR_ERR(task);
	if (!(current->flags & PF_KTHREAD) &&
	    cgroup_attach_task_all(current, task)) {
		kthread_stop(task);
		return -EPERM;
	}
	__module_get(THIS_MODULE);
	refcount_inc(&pool->refs);
	atomic_inc(&dev->helpers);
	wake_up_process(task);
	return 0;
}

static struct devhost_pool *devhost_pool_get(struct devhost_device *dev)
{
	struct devhost_pool *pool = dev->pool;

	if (pool)
		return pool;
	pool = kzalloc_obj(*pool);
	if (!pool)
		return NULL;
	pool->dev = dev;
	refcount_set(&pool->refs, 1);
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->queued);
	INIT_LIST_HEAD(&pool->finished);
	init_waitqueue_head(&pool->more);
	init_waitqueue_head(&pool->less);
	dev->pool = pool;
	return pool;
}

/**
 * devhost_submit - have a helper thread do something that sleeps
 * @dev: the device; its class has helpers
 * @job: what to do
 *
 * Queues that stall because of -EBUSY are resumed by the core when a job is
 * done.
 *
 * Context: The worker.
 * Return: 0; -EBUSY where too many jobs are under way; -ENOMEM or another error
 * where there is not even one helper.
 */
int devhost_submit(struct devhost_device *dev, struct devhost_job *job)
{
	struct devhost_pool *pool = devhost_pool_get(dev);
	int err = 0;

	lockdep_assert_held(&dev->run_lock);
	if (!pool)
		return -ENOMEM;
	if (pool->jobs >= DEVHOST_JOBS_MAX)
		return -EBUSY;

	if (pool->helpers < dev->class->helpers &&
	    READ_ONCE(pool->waiting) >= pool->helpers) {
		err = devhost_pool_grow(pool);
		if (!err)
			pool->helpers++;
		else if (!pool->helpers)
			return err;
	}

	pool->jobs++;
	spin_lock(&pool->lock);
	pool->waiting++;
	list_add_tail(&job->list, &pool->queued);
	spin_unlock(&pool->lock);
	wake_up(&pool->more);
	return 0;
}
EXPORT_SYMBOL_GPL(devhost_submit);

/**
 * devhost_pool_reap - hand finished jobs back to the module
 * @dev: the device
 *
 * Context: The worker, dev->run_lock is held.
 */
void devhost_pool_reap(struct devhost_device *dev)
{
	struct devhost_pool *pool = dev->pool;
	struct devhost_job *job;
	unsigned int i;

	if (!pool)
		return;
	for (;;) {
		spin_lock(&pool->lock);
		job = devhost_pool_first(&pool->finished);
		spin_unlock(&pool->lock);
		if (!job)
			break;
		pool->jobs--;
		job->done(dev, job);
	}
	for (i = 0; i < dev->class->num_vqs; i++)
		devhost_vq_resume(&dev->vqs[i]);
}

/**
 * devhost_flush - wait until all jobs are done
 * @dev: the device
 *
 * done() of each has been called when it returns.
 *
 * Context: suspend(), which must give back what it keeps.
 */
void devhost_flush(struct devhost_device *dev)
{
	struct devhost_pool *pool = dev->pool;

	if (!pool)
		return;
	wait_event(pool->less, !READ_ONCE(pool->waiting));
	devhost_pool_reap(dev);
}
EXPORT_SYMBOL_GPL(devhost_flush);

/**
 * devhost_pool_stop - drop all jobs
 * @dev: the device; dev->run_lock is held
 *
 * Jobs that run are dropped by their helper when they end.
 *
 * Context: Process context.
 */
void devhost_pool_stop(struct devhost_device *dev)
{
	struct devhost_pool *pool = dev->pool;
	struct devhost_job *job;
	LIST_HEAD(jobs);

	if (!pool)
		return;
	dev->pool = NULL;
	spin_lock(&pool->lock);
	WRITE_ONCE(pool->stopping, true);
	list_splice_init(&pool->queued, &jobs);
	list_splice_init(&pool->finished, &jobs);
	spin_unlock(&pool->lock);
	wake_up_all(&pool->more);

	while ((job = devhost_pool_first(&jobs)))
		job->drop(job);
	devhost_pool_put(pool);
}

/**
 * devhost_pool_wait - wait until the last helper is gone
 * @dev: the device, stopped
 *
 * Context: Process context, sleeps as long as the jobs do.
 */
void devhost_pool_wait(struct devhost_device *dev)
{
	wait_var_event(&dev->helpers, !atomic_read(&dev->helpers));
}
