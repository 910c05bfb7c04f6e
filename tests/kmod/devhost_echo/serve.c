// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues "echo" and "late": what was sent comes back, at once or later.
 */
#include "echo.h"

static void echo_stall_timer(struct timer_list *timer)
{
	struct echo_stall *stall = container_of(timer, struct echo_stall, timer);

	devhost_raise(stall->dev, ECHO_EVENT_RESUME + stall->index);
}

void echo_serve_create(struct echo *echo)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(echo->stall); i++) {
		echo->stall[i].dev = echo->dev;
		echo->stall[i].index = i;
		timer_setup(&echo->stall[i].timer, echo_stall_timer, 0);
	}
}

void echo_serve_reset(struct echo *echo)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(echo->stall); i++) {
		timer_delete_sync(&echo->stall[i].timer);
		echo->stall[i].times = 0;
	}
	echo_count(echo, ECHO_COUNT_FORGOTTEN,
		   echo->num_kept + echo->supply_left);
	echo->num_kept = 0;
	echo->supply_left = 0;
	echo->mode = ECHO_MODE_COPY;
	echo->late_mode = ECHO_LATE_EVENT;
	echo->rejects = 0;
}

static bool echo_copy_some(struct devhost_chain *chain, void *buffer, size_t len)
{
	return !devhost_chain_read(chain, buffer, len) &&
	       !devhost_chain_write(chain, buffer, len);
}

static bool echo_copy_span(struct devhost_chain *chain, size_t left)
{
	while (left) {
		size_t len;
		void *src = devhost_chain_span(chain, false, left, &len);

		if (!src)
			return false;
		left -= len;
		while (len) {
			size_t n;
			void *dst = devhost_chain_span(chain, true, len, &n);

			if (!dst)
				return false;
			memcpy(dst, src, n);
			src += n;
			len -= n;
		}
	}
	return true;
}

static bool echo_copy(struct echo *echo, struct devhost_chain *chain)
{
	size_t left = min(devhost_chain_readable(chain),
			  devhost_chain_writable(chain));
	size_t piece = ECHO_BUFFER_SIZE;

	echo_count(echo, ECHO_COUNT_ECHOED, 1);
	echo_count(echo, ECHO_COUNT_ECHOED_BYTES, left);
	if (echo->mode == ECHO_MODE_SPAN)
		return echo_copy_span(chain, left);
	if (echo->mode == ECHO_MODE_PIECES)
		piece = 1;
	while (left) {
		size_t n = min(left, piece);

		if (!echo_copy_some(chain, echo->buffer, n))
			return false;
		left -= n;
		if (echo->mode == ECHO_MODE_PIECES)
			piece = piece % 61 + 1;
	}
	return true;
}

static bool echo_stalls(struct echo *echo, struct echo_stall *stall)
{
	if (!stall->times)
		return false;
	stall->times--;
	echo_count(echo, ECHO_COUNT_STALLS, 1);
	if (stall->ms)
		mod_timer(&stall->timer, jiffies + msecs_to_jiffies(stall->ms));
	else
		devhost_raise(echo->dev, ECHO_EVENT_RESUME + stall->index);
	return true;
}

void echo_stall_end(struct echo *echo, unsigned int vq)
{
	devhost_vq_resume(devhost_vq(echo->dev, vq));
}

static enum devhost_answer echo_keep(struct echo *echo,
				     struct devhost_chain *chain)
{
	/* A queue cannot have more out than it has entries. */
	if (WARN_ON_ONCE(echo->num_kept == ARRAY_SIZE(echo->kept)))
		return DEVHOST_REJECT;
	echo_count(echo, ECHO_COUNT_LATE, 1);
	echo->kept[echo->num_kept++] = chain;
	if (echo->late_mode == ECHO_LATE_EVENT ||
	    (echo->late_mode == ECHO_LATE_REVERSE &&
	     echo->num_kept >= echo->batch))
		devhost_raise(echo->dev, ECHO_EVENT_LATE);
	return DEVHOST_KEEP;
}

enum devhost_answer echo_serve(struct echo *echo, unsigned int vq,
			       struct devhost_chain *chain)
{
	if (echo_stalls(echo, &echo->stall[vq]))
		return DEVHOST_STALL;
	if (vq == ECHO_VQ_LATE)
		return echo_keep(echo, chain);
	if (echo->rejects) {
		echo->rejects--;
		echo_count(echo, ECHO_COUNT_REJECTS, 1);
		return DEVHOST_REJECT;
	}
	return echo_copy(echo, chain) ? DEVHOST_COMPLETE : DEVHOST_REJECT;
}

static void echo_late_answer(struct echo *echo, u32 i)
{
	struct devhost_chain *chain = echo->kept[i];

	if (echo_copy(echo, chain))
		devhost_chain_complete(chain);
	else
		devhost_chain_reject(chain);
}

/* Answer @num from @first on, in some order, and close the gap. */
static void echo_late_answer_some(struct echo *echo, u32 first, u32 num,
				  enum echo_order order)
{
	u32 i;

	if (devhost_has_feature(echo->dev, VIRTIO_F_IN_ORDER))
		order = ECHO_ORDER_FIFO;
	switch (order) {
	case ECHO_ORDER_FIFO:
		for (i = 0; i < num; i++)
			echo_late_answer(echo, first + i);
		break;
	case ECHO_ORDER_REVERSE:
		for (i = num; i--;)
			echo_late_answer(echo, first + i);
		break;
	case ECHO_ORDER_ODD_FIRST:
		for (i = 1; i < num; i += 2)
			echo_late_answer(echo, first + i);
		for (i = 0; i < num; i += 2)
			echo_late_answer(echo, first + i);
		break;
	}
	echo->num_kept -= num;
	memmove(&echo->kept[first], &echo->kept[first + num],
		(echo->num_kept - first) * sizeof(echo->kept[0]));
}

/* ECHO_OP_LATE_RELEASE; 0 is all. */
u32 echo_late_release(struct echo *echo, u32 num, enum echo_order order)
{
	u32 first = 0;

	if (!num || num > echo->num_kept)
		num = echo->num_kept;
	if (order == ECHO_ORDER_REVERSE &&
	    !devhost_has_feature(echo->dev, VIRTIO_F_IN_ORDER))
		first = echo->num_kept - num;
	echo_late_answer_some(echo, first, num, order);
	return num;
}

void echo_late_event(struct echo *echo)
{
	if (echo->late_mode == ECHO_LATE_EVENT)
		echo_late_answer_some(echo, 0, echo->num_kept, ECHO_ORDER_FIFO);
	while (echo->late_mode == ECHO_LATE_REVERSE &&
	       echo->num_kept >= echo->batch)
		echo_late_answer_some(echo, 0, echo->batch, ECHO_ORDER_REVERSE);
}
