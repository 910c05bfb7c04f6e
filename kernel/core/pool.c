// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs that sleep: a clock or a regulator may take its time, the queue worker
 * must not. A device has a few helper threads for them, made when first needed,
 * in the cgroup of the queue worker.
 *
 * A reset does not wait for a job that sleeps: what runs then is dropped when
 * it ends. Only the removal of the device waits.
 *
 * Where the class has its helpers serve, one that has nothing to do is on call in
 * the worker's place. What it takes out of a queue and what sleeps it does itself,
 * and answers: nobody else is woken for a request that comes alone. While it is at
 * a job the worker is on call, so a job holds up nothing but itself.
 */
#include <linux/cgroup.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>

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
 * @finished: wait for a pass
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

static bool devhost_pool_follows(const struct task_struct *worker)
{
	return current->policy == READ_ONCE(worker->policy) &&
	       current->static_prio == READ_ONCE(worker->static_prio) &&
	       current->rt_priority == READ_ONCE(worker->rt_priority) &&
	       cpumask_equal(&current->cpus_mask, &worker->cpus_mask);
}

/*
 * Be scheduled as the worker is: whoever gave that a priority or a processor gave
 * it to the device. False where a helper can't be: a deadline is one task's.
 */
static bool devhost_pool_follow(struct task_struct *worker)
{
	struct sched_attr attr = {
		.sched_policy = READ_ONCE(worker->policy),
		.sched_nice = task_nice(worker),
		.sched_priority = READ_ONCE(worker->rt_priority),
	};

	return attr.sched_policy != SCHED_DEADLINE &&
	       !set_cpus_allowed_ptr(current, &worker->cpus_mask) &&
	       !sched_setattr_nocheck(current, &attr);
}

/* Leave it to the worker again; of no effect where @helper is not on call. */
static void devhost_pool_leave_call(struct devhost_pool *pool,
				    struct task_struct *helper)
{
	struct devhost_device *dev = pool->dev;

	rcu_read_lock();
	devhost_worker_relieve(dev, helper, rcu_dereference(dev->worker));
	rcu_read_unlock();
}

/*
 * Serve in the worker's place from here on, unless another helper does; false
 * where a helper can't.
 */
static bool devhost_pool_take_call(struct devhost_pool *pool)
{
	struct devhost_device *dev = pool->dev;
	struct task_struct *worker;
	bool follows;

	if (!dev->class->helpers_serve)
		return false;
	rcu_read_lock();
	worker = rcu_dereference(dev->worker);
	follows = worker && devhost_pool_follows(worker);
	if (unlikely(worker && !follows)) {
		get_task_struct(worker);
		rcu_read_unlock();
		follows = devhost_pool_follow(worker);
		put_task_struct(worker);
		rcu_read_lock();
		worker = rcu_dereference(dev->worker);
	}
	if (unlikely(!follows)) {
		devhost_worker_relieve(dev, current, worker);
	} else if (rcu_access_pointer(dev->on_call) == worker) {
		spin_lock(&pool->lock);
		if (!pool->stopping)
			devhost_worker_relieve(dev, worker, current);
		spin_unlock(&pool->lock);
	}
	rcu_read_unlock();
	return follows;
}

/* Whether the current task is to serve now. */
static bool devhost_pool_called(struct devhost_pool *pool)
{
	struct devhost_device *dev = pool->dev;

	return rcu_access_pointer(dev->on_call) == current &&
	       READ_ONCE(dev->pending);
}

/*
 * A pass in the worker's place. Who holds the lock may wait for a job that nobody
 * else would take: only the worker waits for it.
 */
static void devhost_pool_serve(struct devhost_pool *pool)
{
	if (!devhost_vq_try_pass(pool->dev)) {
		devhost_pool_leave_call(pool, current);
		devhost_worker_call(pool->dev);
	}
	/* Whom it woke runs before it is decided to sleep. */
	cond_resched();
}

/* The next job; NULL where the pool ends. Serves while it waits for one. */
static struct devhost_job *devhost_pool_next(struct devhost_pool *pool)
{
	struct devhost_job *job;

	do {
		wait_event_idle_exclusive(pool->more,
					  READ_ONCE(pool->stopping) ||
					  !list_empty_careful(&pool->queued) ||
					  devhost_pool_called(pool));
		if (READ_ONCE(pool->stopping))
			return NULL;
		if (devhost_pool_called(pool) && devhost_pool_take_call(pool))
			devhost_pool_serve(pool);
		spin_lock(&pool->lock);
		job = pool->stopping ? NULL : devhost_pool_first(&pool->queued);
		spin_unlock(&pool->lock);
	} while (!job);
	return job;
}

/* Nobody is woken for a job whose helper can hand it back itself. */
static void devhost_pool_finish(struct devhost_pool *pool,
				struct devhost_job *job)
{
	bool serves = devhost_pool_take_call(pool);
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
	if (wq_has_sleeper(&pool->less))
		wake_up(&pool->less);
	if (serves) {
		set_bit(DEVHOST_PENDING_JOBS, &pool->dev->pending);
		devhost_pool_serve(pool);
	} else {
		devhost_wake(pool->dev, DEVHOST_PENDING_JOBS);
	}
}

static int devhost_pool_helper(void *data)
{
	struct devhost_pool *pool = data;
	struct devhost_device *dev = pool->dev;
	struct devhost_job *job;

	while ((job = devhost_pool_next(pool))) {
		devhost_pool_leave_call(pool, current);
		job->run(job);
		devhost_pool_finish(pool, job);
	}
	devhost_pool_put(pool);
	/* The last that this thread knows of the device. */
	if (atomic_dec_and_test(&dev->helpers))
		wake_up_var(&dev->helpers);
	module_put_and_kthread_exit(0);
}

/* One more helper, in the cgroup of the current task: one that serves. */
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
	if (cgroup_attach_task_all(current, task)) {
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
 * Context: The worker, or who serves in its place.
 * Return: 0; -EBUSY where too many jobs are under way; -ENOMEM or another error
 * where there is not even one helper.
 */
int devhost_submit(struct devhost_device *dev, struct devhost_job *job)
{
	struct devhost_pool *pool = devhost_pool_get(dev);
	bool mine;
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
	/* A helper that serves takes the first one itself after the pass. */
	mine = list_empty(&pool->queued) &&
	       rcu_access_pointer(dev->on_call) == current &&
	       rcu_access_pointer(dev->worker) != current;
	list_add_tail(&job->list, &pool->queued);
	spin_unlock(&pool->lock);
	if (!mine)
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
	LIST_HEAD(jobs);
	unsigned int i;

	if (!pool)
		return;
	spin_lock(&pool->lock);
	list_splice_init(&pool->finished, &jobs);
	spin_unlock(&pool->lock);
	while ((job = devhost_pool_first(&jobs))) {
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
	devhost_pool_leave_call(pool, rcu_access_pointer(dev->on_call));
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
