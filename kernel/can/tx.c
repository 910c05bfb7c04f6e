// SPDX-License-Identifier: GPL-2.0-only
/*
 * Txq: requests become frames on the bus.
 *
 * Frames that the interface has taken and not yet sent are bounded. An
 * interface that echoes tells by the echo that a frame was on the bus; of any
 * other, what counts is the memory of its buffers. A frame that finds the
 * interface full is gone with its buffer, so it is kept, its request goes back
 * into the queue and it is sent again once there is room: when one of our own
 * buffers is freed or, where others fill the interface, after some jiffies.
 *
 * With LATE_TX_ACK a request is answered when the bus has echoed the frame. An
 * interface may lose a frame without a word (reset, listen-only mode, traffic
 * control): once no buffer of ours is left anywhere, what was not echoed never
 * will be, and fails.
 */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "../compat/can.h"
#include "vhost_can.h"

/* How often to look for frames that were lost, while some are in flight. */
#define VHOST_CAN_TX_WATCH	(HZ / 20)
/* Longest time between attempts to send, where nothing signals room. */
#define VHOST_CAN_TX_DELAY_MAX	(HZ >= 100 ? HZ / 50UL : 1UL)
/* How long an interface may refuse a frame while it has none of ours. */
#define VHOST_CAN_TX_PATIENCE	HZ

static void vhost_can_tx_timer_fn(struct timer_list *timer)
{
	struct vhost_can *vc = container_of(timer, struct vhost_can, tx.timer);

	vhost_can_raise(vc, VHOST_CAN_EVENT_TIMER);
}

int vhost_can_tx_create(struct vhost_can *vc, u32 inflight)
{
	struct vhost_can_tx *tx = &vc->tx;
	u32 num = roundup_pow_of_two(inflight);

	tx->max = inflight;
	tx->sent_mask = num - 1;
	/* Room for the late echoes of a previous start, too. */
	vhost_can_ring_init(&tx->ack_ring, 2 * num);
	timer_setup(&tx->timer, vhost_can_tx_timer_fn, 0);
	tx->sent_list = kvcalloc(num, sizeof(*tx->sent_list), GFP_KERNEL);
	tx->acks = kvcalloc(2 * num, sizeof(*tx->acks), GFP_KERNEL);
	if (!tx->sent_list || !tx->acks) {
		vhost_can_tx_destroy(vc);
		return -ENOMEM;
	}
	return 0;
}

void vhost_can_tx_destroy(struct vhost_can *vc)
{
	kvfree(vc->tx.sent_list);
	kvfree(vc->tx.acks);
}

/* No buffer of ours is anywhere: neither to be sent nor to be echoed. */
static bool vhost_can_tx_idle(const struct vhost_can *vc)
{
	bool idle = refcount_read(&vc->sk->sk_refcnt) == 1 &&
		    !sk_wmem_alloc_get(vc->sk);

	/* Then what their echoes left is seen, too. */
	smp_rmb();
	return idle;
}

static enum devhost_answer vhost_can_tx_answer(struct devhost_chain *chain,
					       u8 result)
{
	struct virtio_can_tx_in in = { .result = result };

	return devhost_chain_write(chain, &in, sizeof(in)) ? DEVHOST_REJECT :
							      DEVHOST_COMPLETE;
}

static enum devhost_answer vhost_can_tx_refuse(struct vhost_can *vc,
					       struct devhost_chain *chain,
					       enum vhost_can_counter why)
{
	devhost_count(vc->dev, why, 1);
	return vhost_can_tx_answer(chain, VIRTIO_CAN_RESULT_NOT_OK);
}

static void vhost_can_tx_count(struct vhost_can *vc, u32 bytes)
{
	devhost_count_data(vc->dev, VHOST_CAN_TX_FRAMES, 1, bytes);
}

/* Answer a request that was kept. */
static void vhost_can_tx_finish(struct vhost_can *vc,
				struct vhost_can_sent *sent, u8 result)
{
	struct devhost_chain *chain = sent->chain;

	sent->chain = NULL;
	if (result == VIRTIO_CAN_RESULT_OK)
		vhost_can_tx_count(vc, sent->bytes);
	else
		devhost_count(vc->dev, VHOST_CAN_TX_FAILED, 1);
	if (vhost_can_tx_answer(chain, result) == DEVHOST_COMPLETE)
		devhost_chain_complete(chain);
	else
		devhost_chain_reject(chain);
}

/* The Txq waits for @why; the timer is there in case nothing else signals. */
static enum devhost_answer vhost_can_tx_stall(struct vhost_can *vc,
					      enum vhost_can_wait why)
{
	struct vhost_can_tx *tx = &vc->tx;

	WRITE_ONCE(tx->room_at, sk_wmem_alloc_get(vc->sk) / 2 + 1);
	WRITE_ONCE(tx->wait, why);
	mod_timer(&tx->timer, jiffies + tx->delay);
	tx->delay = min(2 * tx->delay, VHOST_CAN_TX_DELAY_MAX);
	return DEVHOST_STALL;
}

/* Frames given to an interface that echoes, and not come back. */
static u32 vhost_can_tx_unechoed(const struct vhost_can *vc)
{
	return READ_ONCE(vc->tx.sent) - atomic_read(&vc->tx.echoed);
}

/* The number of frames in flight seems too high, or below 0. */
static bool vhost_can_tx_recount(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;
	bool idle = vhost_can_tx_idle(vc);
	s32 unechoed = vhost_can_tx_unechoed(vc);

	if (unechoed >= 0 && unechoed < tx->max)
		return true;
	if (unechoed >= 0 && !idle)
		return false;
	WRITE_ONCE(tx->sent, tx->sent - unechoed);
	return true;
}

/* Why nothing can be sent now. */
static enum vhost_can_wait vhost_can_tx_blocked(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;

	if (unlikely(!tx->bus_ready))
		return VHOST_CAN_WAIT_BUS;
	if (tx->late)
		return tx->sent_head - tx->sent_tail < tx->max ?
		       VHOST_CAN_WAIT_NONE : VHOST_CAN_WAIT_ACK;
	if (READ_ONCE(vc->echo))
		return likely(vhost_can_tx_unechoed(vc) < tx->max) ||
		       vhost_can_tx_recount(vc) ?
		       VHOST_CAN_WAIT_NONE : VHOST_CAN_WAIT_ECHO;
	return sk_wmem_alloc_get(vc->sk) < tx->max * SKB_TRUESIZE(CANFD_MTU) ?
	       VHOST_CAN_WAIT_NONE : VHOST_CAN_WAIT_QUEUE;
}

/*
 * virtio has no flag for bit rate switching: the data goes at the data bitrate
 * that the host has set for the bus.
 */
static void vhost_can_tx_fill_fd(const struct vhost_can_tx *tx,
				 struct sk_buff *skb)
{
	struct canfd_frame *cf = __skb_put(skb, sizeof(*cf));

	memset(cf, 0, sizeof(*cf));
	cf->can_id = tx->can_id;
	cf->len = tx->len;
	cf->flags = CANFD_BRS;
	memcpy(cf->data, tx->msg.sdu, tx->len);
}

static void vhost_can_tx_fill(const struct vhost_can_tx *tx,
			      struct sk_buff *skb)
{
	struct can_frame *cf = __skb_put(skb, sizeof(*cf));
	u64 data = 0;

	/* What was not read is an older request. */
	if (tx->len && !(tx->can_id & CAN_RTR_FLAG))
		data = get_unaligned_le64(tx->msg.sdu) &
		       GENMASK_ULL(8 * tx->len - 1, 0);
	*cf = (struct can_frame){ .can_id = tx->can_id, .len = tx->len };
	put_unaligned_le64(data, cf->data);
}

/* Give the frame to the interface; @uid gets the id of its echo. */
static int vhost_can_tx_send(struct vhost_can *vc, u32 *uid)
{
	const struct vhost_can_tx *tx = &vc->tx;
	struct net_device *ndev;
	struct sk_buff *skb;
	int err = -ENODEV;

	skb = compat_can_alloc_skb(tx->fd ? CANFD_MTU : CAN_MTU,
				   GFP_KERNEL | __GFP_NOWARN);
	if (unlikely(!skb))
		return -ENOMEM;
	if (tx->fd)
		vhost_can_tx_fill_fd(tx, skb);
	else
		vhost_can_tx_fill(tx, skb);
	/* The receive callback knows our own frames by the socket. */
	skb_set_owner_w(skb, vc->sk);
	if (tx->late)
		*uid = compat_can_set_uid(skb);

	rcu_read_lock();
	ndev = rcu_dereference(vc->ndev);
	if (likely(ndev)) {
		skb->dev = ndev;
		compat_can_set_iif(skb, ndev->ifindex);
		err = can_send(skb, 1);
	} else {
		kfree_skb(skb);
	}
	rcu_read_unlock();
	return err;
}

/* Whether a frame that the interface does not take should be tried again. */
static bool vhost_can_tx_patient(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;

	if (!vhost_can_tx_idle(vc)) {
		tx->failing = false;
		return true;
	}
	if (!tx->failing) {
		tx->failing = true;
		tx->failing_since = jiffies;
	}
	return time_before(jiffies, tx->failing_since + VHOST_CAN_TX_PATIENCE);
}

static enum devhost_answer vhost_can_tx_sent(struct vhost_can *vc,
					     struct devhost_chain *chain,
					     u32 uid)
{
	struct vhost_can_tx *tx = &vc->tx;
	u32 bytes = tx->can_id & CAN_RTR_FLAG ? 0 : tx->len;

	tx->failing = false;
	tx->delay = 1;
	if (!tx->late) {
		if (READ_ONCE(vc->echo))
			WRITE_ONCE(tx->sent, tx->sent + 1);
		vhost_can_tx_count(vc, bytes);
		return vhost_can_tx_answer(chain, VIRTIO_CAN_RESULT_OK);
	}
	tx->sent_list[tx->sent_head++ & tx->sent_mask] =
		(struct vhost_can_sent){ uid, bytes, chain };
	if (!timer_pending(&tx->timer))
		mod_timer(&tx->timer, jiffies + VHOST_CAN_TX_WATCH);
	return DEVHOST_KEEP;
}

/**
 * vhost_can_tx - serve a transmit request
 * @vc: the device
 * @chain: the request
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_can_tx(struct vhost_can *vc,
				 struct devhost_chain *chain)
{
	struct vhost_can_tx *tx = &vc->tx;
	enum vhost_can_wait wait;
	u32 uid = 0;
	int err;

	if (unlikely(!devhost_chain_writable(chain)))
		return DEVHOST_REJECT;
	if (unlikely(vc->state != DEVHOST_CAN_STARTED))
		return vhost_can_tx_refuse(vc, chain, VHOST_CAN_TX_FAILED);

	/* What passed the policy and then found no room is not asked again. */
	if (likely(!tx->passed) && !vhost_can_frame_read(vc, chain))
		return vhost_can_tx_refuse(vc, chain, VHOST_CAN_TX_INVALID);
	wait = vhost_can_tx_blocked(vc);
	if (unlikely(wait))
		return vhost_can_tx_stall(vc, wait);
	if (likely(!tx->passed) &&
	    !vhost_can_frame_allowed(vc, tx->can_id, tx->len, tx->fd,
				     DEVHOST_TO_HOST))
		return vhost_can_tx_refuse(vc, chain, VHOST_CAN_TX_DENIED);

	err = vhost_can_tx_send(vc, &uid);
	tx->passed = false;
	if (likely(!err))
		return vhost_can_tx_sent(vc, chain, uid);
	if ((err == -ENOBUFS || err == -ENOMEM) && vhost_can_tx_patient(vc)) {
		tx->passed = true;
		devhost_count(vc->dev, VHOST_CAN_TX_RETRIES, 1);
		return vhost_can_tx_stall(vc, VHOST_CAN_WAIT_QUEUE);
	}
	tx->failing = false;
	return vhost_can_tx_refuse(vc, chain, VHOST_CAN_TX_FAILED);
}

/* Leave the id of an acknowledged frame to the worker. */
static void vhost_can_tx_ack(struct vhost_can *vc, u32 uid)
{
	struct vhost_can_tx *tx = &vc->tx;
	u32 place;

	spin_lock(&tx->ack_ring.lock);
	if (vhost_can_ring_room(&tx->ack_ring, &place)) {
		tx->acks[place] = uid;
		vhost_can_ring_put(&tx->ack_ring);
	}
	spin_unlock(&tx->ack_ring.lock);
	vhost_can_raise(vc, VHOST_CAN_EVENT_ACK);
}

/**
 * vhost_can_tx_echo - a frame of the guest itself comes back from the bus
 * @vc: the device
 * @skb: the frame, PF_CAN's
 *
 * Context: Softirq, under RCU.
 */
void vhost_can_tx_echo(struct vhost_can *vc, struct sk_buff *skb)
{
	struct vhost_can_tx *tx = &vc->tx;

	if (READ_ONCE(tx->late)) {
		vhost_can_tx_ack(vc, compat_can_uid(skb));
	} else if (READ_ONCE(vc->echo)) {
		atomic_inc(&tx->echoed);
		if (READ_ONCE(tx->wait) == VHOST_CAN_WAIT_ECHO &&
		    vhost_can_tx_unechoed(vc) <= tx->max / 2)
			vhost_can_raise(vc, VHOST_CAN_EVENT_ROOM);
	}
}

/**
 * vhost_can_tx_write_space - the interface has freed a buffer
 * @sk: the device's socket, which may outlive the device
 *
 * Context: Any.
 */
void vhost_can_tx_write_space(struct sock *sk)
{
	struct vhost_can *vc;

	rcu_read_lock();
	vc = rcu_dereference_sk_user_data(sk);
	if (vc && unlikely(READ_ONCE(vc->tx.wait) == VHOST_CAN_WAIT_QUEUE) &&
	    sk_wmem_alloc_get(sk) <= READ_ONCE(vc->tx.room_at))
		vhost_can_raise(vc, VHOST_CAN_EVENT_ROOM);
	rcu_read_unlock();
}

/* Find the request of an acknowledged frame: the oldest, nearly always. */
static void vhost_can_tx_match(struct vhost_can *vc, u32 uid)
{
	struct vhost_can_tx *tx = &vc->tx;
	u32 i;

	for (i = tx->sent_tail; i != tx->sent_head; i++) {
		struct vhost_can_sent *sent = &tx->sent_list[i & tx->sent_mask];

		if (sent->uid == uid && sent->chain) {
			vhost_can_tx_finish(vc, sent, VIRTIO_CAN_RESULT_OK);
			break;
		}
	}
	while (tx->sent_tail != tx->sent_head &&
	       !tx->sent_list[tx->sent_tail & tx->sent_mask].chain)
		tx->sent_tail++;
}

/**
 * vhost_can_tx_acks - answer what was on the bus
 * @vc: the device
 *
 * Context: The worker, or suspend().
 */
void vhost_can_tx_acks(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;
	u32 place;

	while (vhost_can_ring_peek(&tx->ack_ring, &place)) {
		vhost_can_tx_match(vc, tx->acks[place]);
		vhost_can_ring_take(&tx->ack_ring);
	}
	if (tx->wait == VHOST_CAN_WAIT_ACK &&
	    tx->sent_head - tx->sent_tail <= tx->max / 2)
		vhost_can_tx_room(vc);
}

/**
 * vhost_can_tx_room - go on with the Txq
 * @vc: the device
 *
 * Context: The worker.
 */
void vhost_can_tx_room(struct vhost_can *vc)
{
	WRITE_ONCE(vc->tx.wait, VHOST_CAN_WAIT_NONE);
	devhost_vq_resume(devhost_vq(vc->dev, VIRTIO_CAN_TXQ));
}

static void vhost_can_tx_fail_all(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;

	for (; tx->sent_tail != tx->sent_head; tx->sent_tail++) {
		struct vhost_can_sent *sent;

		sent = &tx->sent_list[tx->sent_tail & tx->sent_mask];
		if (sent->chain)
			vhost_can_tx_finish(vc, sent, VIRTIO_CAN_RESULT_NOT_OK);
	}
}

/**
 * vhost_can_tx_timer - look after what nothing signals
 * @vc: the device
 *
 * Context: The worker.
 */
void vhost_can_tx_timer(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;
	bool idle = vhost_can_tx_idle(vc);

	vhost_can_tx_acks(vc);
	if (idle)
		vhost_can_tx_fail_all(vc);
	if (tx->sent_head != tx->sent_tail)
		mod_timer(&tx->timer, jiffies + VHOST_CAN_TX_WATCH);
	if (tx->wait == VHOST_CAN_WAIT_BUS)
		vhost_can_bus_event(vc);
	if (tx->wait)
		vhost_can_tx_room(vc);
}

/**
 * vhost_can_tx_cancel - the controller stops: what was not sent never is
 * @vc: the device, not started any more
 *
 * Requests that wait in the Txq are answered when the queue goes on.
 *
 * Context: The worker.
 */
void vhost_can_tx_cancel(struct vhost_can *vc)
{
	vhost_can_tx_acks(vc);
	vhost_can_tx_fail_all(vc);
	vc->tx.passed = false;
	vc->tx.failing = false;
	vhost_can_tx_room(vc);
}

/**
 * vhost_can_tx_settle - answer everything that was kept
 * @vc: the device, about to be suspended
 *
 * The bus gets a moment to acknowledge what it has.
 *
 * Context: suspend(), may sleep.
 */
void vhost_can_tx_settle(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;
	unsigned long end = jiffies + VHOST_CAN_TX_WATCH;
	bool idle;

	do {
		idle = vhost_can_tx_idle(vc);
		vhost_can_tx_acks(vc);
		if (tx->sent_head == tx->sent_tail || idle)
			break;
		schedule_timeout_uninterruptible(1);
	} while (time_before(jiffies, end));
	vhost_can_tx_fail_all(vc);
	tx->passed = false;
}

/**
 * vhost_can_tx_reset - forget everything
 * @vc: the device, with the worker stopped; the core takes back the requests
 *
 * Context: Process context, may sleep.
 */
void vhost_can_tx_reset(struct vhost_can *vc)
{
	struct vhost_can_tx *tx = &vc->tx;

	timer_delete_sync(&tx->timer);
	tx->sent_tail = tx->sent_head;
	vhost_can_ring_purge(&tx->ack_ring);
	WRITE_ONCE(tx->wait, VHOST_CAN_WAIT_NONE);
	tx->delay = 1;
	tx->passed = false;
	tx->failing = false;
	tx->bus_ready = false;
	WRITE_ONCE(tx->late, false);
}
