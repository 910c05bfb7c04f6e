// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue worker of a device: one task that does all of its virtqueue work.
 *
 * For a VMM it is a thread of the VMM's own process (vhost_task), so that the
 * VM's cgroup pays for it. It is forked by whoever sets DRIVER_OK, usually a
 * vCPU thread, and inherits that thread's affinity and scheduling class; the
 * manager sets what it wants by the published thread id. For the host's own
 * drivers (virtio_vdpa) there is no process to belong to, and a kthread serves.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/vhost_task.h>
#include <linux/slab.h>

#include "core.h"

/**
 * struct devhost_worker - a running worker
 * @dev: its device
 * @vtsk: the VMM's thread, or NULL
 * @kthread: the host's thread, or NULL
 * @started: the task has run; the task's own
 * @lock: writing @stopping
 * @stopping: too late to publish the task, or to sleep
 * @killed: the VMM's process ended it; the device's lock to look at it later
 */
struct devhost_worker {
	struct devhost_device *dev;
	struct vhost_task *vtsk;
	struct task_struct *kthread;
	bool started;
	spinlock_t lock;
	bool stopping;
	bool killed;
};

/* vhost_task.h hides the task, so it tells who it is by itself. */
static void devhost_worker_publish(struct devhost_worker *worker)
{
	struct devhost_device *dev = worker->dev;

	worker->started = true;
	spin_lock(&worker->lock);
	if (!worker->stopping) {
		rcu_assign_pointer(dev->worker, get_task_struct(current));
		rcu_assign_pointer(dev->on_call, current);
	}
	spin_unlock(&worker->lock);
	devhost_netlink_device_event(dev, DEVHOST_CMD_DEVICE_CHANGE_NTF);
}

/*
 * Takes back the published task, before it exits: a waker that found it under
 * RCU may still be at it, and a task lives for a grace period after its exit.
 */
static void devhost_worker_hide(struct devhost_worker *worker)
{
	struct task_struct *task;

	spin_lock(&worker->lock);
	WRITE_ONCE(worker->stopping, true);
	task = unrcu_pointer(xchg(&worker->dev->worker, NULL));
	/* In this order: who found the worker before can't call it back. */
	xchg(&worker->dev->on_call, NULL);
	spin_unlock(&worker->lock);
	if (task)
		put_task_struct(task);
}

/*
 * Entered in TASK_INTERRUPTIBLE; false goes to sleep unless woken meanwhile.
 *
 * It stays here from pass to pass, which saves a turn of the caller's loop with
 * each request that comes alone. Who stops the worker says so before waking it.
 * Whom a pass woke runs before it is decided to sleep: a driver that kicks again
 * then finds the worker awake.
 */
static bool devhost_worker_run(void *data)
{
	struct devhost_worker *worker = data;

	if (unlikely(!worker->started)) {
		__set_current_state(TASK_RUNNING);
		devhost_worker_publish(worker);
		return true;
	}
	while (READ_ONCE(worker->dev->pending)) {
		__set_current_state(TASK_RUNNING);
		devhost_vq_pass(worker->dev);
		cond_resched();
		if (unlikely(READ_ONCE(worker->stopping) ||
			     signal_pending(current)))
			return true;
		set_current_state(TASK_INTERRUPTIBLE);
	}
	/* Who stopped it may have found it running. */
	if (unlikely(READ_ONCE(worker->stopping))) {
		__set_current_state(TASK_RUNNING);
		return true;
	}
	return false;
}

/*
 * The VMM's process dies, or calls exec while somebody else keeps the device
 * open. The reset that closing brings may be far away, and until then nobody
 * would let go of a sound card or codec that its host wants to remove.
 */
static void devhost_worker_killed(void *data)
{
	struct devhost_worker *worker = data;

	devhost_worker_hide(worker);
	devhost_broken(worker->dev, "the process of the queue worker is gone");
	worker->killed = true;
	queue_work(system_long_wq, &worker->dev->orphaned);
}

/**
 * devhost_worker_orphaned - stop a device whose worker was killed
 * @work: the device's
 *
 * It may have been reset, and started anew, since.
 *
 * Context: Process context, may sleep.
 */
void devhost_worker_orphaned(struct work_struct *work)
{
	struct devhost_device *dev = container_of(work, struct devhost_device,
						  orphaned);
	struct devhost_worker *worker;

	mutex_lock(&dev->lock);
	worker = dev->worker_priv;
	if (worker && worker->killed)
		devhost_stop(dev);
	mutex_unlock(&dev->lock);
}

static int devhost_worker_kthread(void *data)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop()) {
			__set_current_state(TASK_RUNNING);
			return 0;
		}
		if (!devhost_worker_run(data))
			schedule();
	}
}

static int devhost_worker_fork(struct devhost_worker *worker, const char *name)
{
	sigset_t all, old;

	/* A pending signal would make the fork fail. */
	siginitsetinv(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_BLOCK, &all, &old);
	worker->vtsk = vhost_task_create(devhost_worker_run,
					 devhost_worker_killed, worker, name);
	sigprocmask(SIG_SETMASK, &old, NULL);
	/* Early 6.12 says NULL, later kernels say why. */
	if (!worker->vtsk)
		return -ENOMEM;
	return PTR_ERR_OR_ZERO(worker->vtsk);
}

/**
 * devhost_worker_start - make the worker of a device and let it run
 * @dev: the device; dev->lock is held
 * @host: the host's own driver uses the device: a kthread
 *
 * Context: Process context, may sleep. Forks the current task unless @host.
 * Return: 0 or an error.
 */
int devhost_worker_start(struct devhost_device *dev, bool host)
{
	struct devhost_worker *worker;
	char name[TASK_COMM_LEN];
	int err;

	worker = kzalloc_obj(*worker);
	if (!worker)
		return -ENOMEM;
	worker->dev = dev;
	spin_lock_init(&worker->lock);
	snprintf(name, sizeof(name), "dh-%s", dev_name(&dev->vdpa.dev));

	if (host || (current->flags & PF_KTHREAD)) {
		worker->kthread = kthread_create(devhost_worker_kthread, worker,
						 "%s", name);
		err = PTR_ERR_OR_ZERO(worker->kthread);
	} else {
		err = devhost_worker_fork(worker, name);
	}
	if (err) {
		kfree(worker);
		return err;
	}

	dev->worker_priv = worker;
	if (worker->vtsk)
		vhost_task_start(worker->vtsk);
	else
		wake_up_process(worker->kthread);
	return 0;
}

/**
 * devhost_worker_stop - stop the worker and wait until it is gone
 * @dev: the device; dev->lock is held, dev->run_lock is not
 *
 * Context: Process context, sleeps for a pass at most.
 */
void devhost_worker_stop(struct devhost_device *dev)
{
	struct devhost_worker *worker = dev->worker_priv;

	if (!worker)
		return;
	devhost_worker_hide(worker);
	if (worker->vtsk)
		vhost_task_stop(worker->vtsk);
	else
		kthread_stop(worker->kthread);
	dev->worker_priv = NULL;
	kfree(worker);
}

/**
 * devhost_worker_call - wake who serves
 * @dev: the device; something is pending
 *
 * Context: Any.
 */
void devhost_worker_call(struct devhost_device *dev)
{
	struct task_struct *task;

	rcu_read_lock();
	task = rcu_dereference(dev->on_call);
	if (task)
		wake_up_process(task);
	rcu_read_unlock();
}

/**
 * devhost_wake - let the worker see to something
 * @dev: the device
 * @bit: bit of dev->pending
 *
 * Context: Any.
 */
void devhost_wake(struct devhost_device *dev, unsigned int bit)
{
	if (!test_and_set_bit(bit, &dev->pending))
		devhost_worker_call(dev);
}

/**
 * devhost_worker_relieve - have another task woken to serve
 * @dev: the device
 * @from: who is woken so far
 * @to: who is to be: its worker, as found before, or a helper
 *
 * Nothing happens where @from is not on call. What woke @from alone meanwhile is
 * left to @to.
 *
 * Context: Under RCU, or as one of the two.
 */
void devhost_worker_relieve(struct devhost_device *dev, struct task_struct *from,
			    struct task_struct *to)
{
	if (!from || !to || unrcu_pointer(cmpxchg(&dev->on_call,
						  RCU_INITIALIZER(from),
						  RCU_INITIALIZER(to))) != from)
		return;
	if (READ_ONCE(dev->pending))
		wake_up_process(to);
}

pid_t devhost_vdpa_worker(struct devhost_device *dev)
{
	struct task_struct *task;
	pid_t pid = 0;

	rcu_read_lock();
	task = rcu_dereference(dev->worker);
	if (task)
		pid = task_pid_vnr(task);
	rcu_read_unlock();
	return pid;
}
