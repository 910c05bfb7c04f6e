/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vhost_echo share: main.c the class, serve.c queues "echo"
 * and "late", control.c queues "control" and "supply", hold.c what takes longer.
 */
#ifndef _VHOST_ECHO_H
#define _VHOST_ECHO_H

#include <linux/spinlock.h>
#include <linux/timer.h>

#include <devhost/device.h>

#include "devhost_echo.h"

#define ECHO_BUFFER_SIZE	4096
#define ECHO_MESSAGE_SIZE	(sizeof(struct echo_supply) + ECHO_BUFFER_SIZE)

enum {
	ECHO_EVENT_LATE,
	ECHO_EVENT_RESUME,	/* and one for each queue that can stall */
};

/**
 * struct echo_stall - a queue that is to wait
 * @dev: its device
 * @index: of the queue
 * @times: stalls to come
 * @ms: how long each takes, 0 for the next pass
 * @timer: ends one
 */
struct echo_stall {
	struct devhost_device *dev;
	unsigned int index;
	u32 times;
	u32 ms;
	struct timer_list timer;
};

/**
 * struct echo - a device; where nothing else is said, the worker's
 * @dev: the core's side of it
 * @in_order: constant
 * @tag: ECHO_A_TAG; @lock
 * @changes: of the configuration; @lock
 * @writes: of the configuration; @lock
 * @scratch: the driver's part of the configuration; @lock
 * @lock: the configuration
 * @counts: enum echo_counter
 * @buffer: ECHO_MESSAGE_SIZE bytes
 * @mode: how to copy
 * @rejects: requests to be rejected
 * @stall: queues "echo" and "late"
 * @late_mode: when to complete
 * @batch: of ECHO_LATE_REVERSE
 * @kept: requests not answered, oldest first
 * @num_kept: their number
 * @supply_left: messages that wait for buffers
 * @supply_next: sequence of the next one
 * @supply_length: data of each
 * @held: guest memory of ECHO_OP_HOLD
 * @dmabuf: of @held, by ECHO_OP_EXPORT to ECHO_EXPORT_SELF
 * @dropped: requests of ECHO_OP_SLEEP that a reset ended; any context
 */
struct echo {
	struct devhost_device *dev;
	bool in_order;
	u32 tag;
	u32 changes;
	u32 writes;
	u8 scratch[ECHO_SCRATCH_SIZE];
	spinlock_t lock; /* configuration */
	u64 counts[ECHO_COUNTERS];
	u8 *buffer;
	enum echo_mode mode;
	u32 rejects;
	struct echo_stall stall[ECHO_VQ_SUPPLY];
	enum echo_late_mode late_mode;
	u32 batch;
	struct devhost_chain *kept[DEVHOST_VQ_SIZE_MAX];
	u32 num_kept;
	u32 supply_left;
	u32 supply_next;
	u32 supply_length;
	struct devhost_resource *held;
	struct dma_buf *dmabuf;
	atomic_t dropped;
};

static inline void echo_count(struct echo *echo, enum echo_counter counter,
			      u64 n)
{
	echo->counts[counter] += n;
	devhost_count(echo->dev, counter, n);
}

/* main.c */
u32 echo_config_change(struct echo *echo);
u32 echo_config_writes(struct echo *echo);

/* serve.c */
void echo_serve_create(struct echo *echo);
void echo_serve_reset(struct echo *echo);
enum devhost_answer echo_serve(struct echo *echo, unsigned int vq,
			       struct devhost_chain *chain);
void echo_late_event(struct echo *echo);
u32 echo_late_release(struct echo *echo, u32 num, enum echo_order order);
void echo_stall_end(struct echo *echo, unsigned int vq);

/* hold.c */
enum devhost_answer echo_op_sleep(struct echo *echo, u32 ms,
				  struct devhost_chain *chain);
bool echo_op_hold(struct echo *echo, const u32 *arg);
bool echo_op_held(struct echo *echo, u32 offset, u64 *value);
bool echo_op_put(struct echo *echo);
bool echo_op_export(struct echo *echo, u32 to, u64 *value);
bool echo_op_look(struct echo *echo, u32 offset, u64 *value);
void echo_lost(struct devhost_device *dev, struct devhost_resource *res);

/* ask.c */
bool echo_op_ask(struct echo *echo, enum echo_ask item, u32 times, u64 *value);

/* control.c */
enum devhost_answer echo_answer(struct devhost_chain *chain, bool ok, u64 value);
enum devhost_answer echo_control(struct echo *echo,
				 struct devhost_chain *chain);
void echo_supply(struct echo *echo);

#endif /* _VHOST_ECHO_H */
