// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus: one frame at a time, the lowest identifier first, for as long as its
 * bits take; then the sender gets its echo and all others the frame.
 */
#include <linux/can/length.h>
#include <linux/can/skb.h>
#include <linux/module.h>

#include "candev_sim.h"

DEFINE_SPINLOCK(csim_bus_lock);

static struct hrtimer csim_bus_timer;
static bool csim_bus_busy;
static struct csim *csim_bus_sender;

static struct sk_buff *csim_bus_next(const struct csim *csim)
{
	if (!csim->active || csim->tx_hold || csim->head == csim->tail)
		return NULL;
	return csim_priv(csim)->can.echo_skb[csim->tail & (csim_slots - 1)];
}

/* The bits in the order in which they compete, recessive ones lose. */
static u32 csim_bus_rank(const struct sk_buff *skb)
{
	canid_t id = ((const struct can_frame *)skb->data)->can_id;

	if (id & CAN_EFF_FLAG)
		return ((id & CAN_EFF_MASK) >> 18) << 19 | BIT(18) |
		       (id & GENMASK(17, 0));
	return (id & CAN_SFF_MASK) << 19;
}

static u64 csim_bits_ns(u32 bits, u32 bitrate)
{
	return bitrate ? div_u64((u64)bits * NSEC_PER_SEC, bitrate) : 0;
}

static u64 csim_bus_time(const struct csim *csim, struct sk_buff *skb)
{
	const struct canfd_frame *cf = (const struct canfd_frame *)skb->data;
	const struct can_priv *can = &csim_priv(csim)->can;
	bool fd = can_is_canfd_skb(skb);
	bool eff = cf->can_id & CAN_EFF_FLAG;
	u32 bits, data;

	if (csim->tx_delay_us)
		return (u64)csim->tx_delay_us * NSEC_PER_USEC;
	bits = can_frame_bits(fd, eff, false, true, can_skb_get_data_len(skb));
	if (!fd || !(cf->flags & CANFD_BRS))
		return csim_bits_ns(bits, can->bittiming.bitrate);
	data = cf->len * BITS_PER_BYTE +
	       (cf->len > 16 ? CANFD_FRAME_CRC21_FIELD_BITS :
			       CANFD_FRAME_CRC17_FIELD_BITS);
	return csim_bits_ns(bits - data, can->bittiming.bitrate) +
	       csim_bits_ns(data, compat_can_fd(can)->data_bittiming.bitrate);
}

/* Let the winner of the arbitration send, unless somebody is sending. */
void csim_bus_kick_locked(void)
{
	struct sk_buff *best = NULL;
	unsigned int i;

	if (csim_bus_busy)
		return;
	for (i = 0; i < csim_num; i++) {
		struct sk_buff *skb = csim_bus_next(&csims[i]);

		if (!skb || (best && csim_bus_rank(best) <= csim_bus_rank(skb)))
			continue;
		best = skb;
		csim_bus_sender = &csims[i];
	}
	if (!best)
		return;
	csim_bus_busy = true;
	hrtimer_start(&csim_bus_timer,
		      ns_to_ktime(csim_bus_time(csim_bus_sender, best)),
		      HRTIMER_MODE_REL_SOFT);
}

void csim_bus_kick(void)
{
	spin_lock_bh(&csim_bus_lock);
	csim_bus_kick_locked();
	spin_unlock_bh(&csim_bus_lock);
}

static void csim_bus_receive(struct csim *csim, struct sk_buff *frame)
{
	struct net_device *dev = csim->dev;
	bool fd = can_is_canfd_skb(frame);
	struct canfd_frame *cf;
	struct sk_buff *skb;

	/* A controller in classic mode takes a CAN FD frame for an error. */
	if (fd && !(csim_priv(csim)->can.ctrlmode & CAN_CTRLMODE_FD)) {
		dev->stats.rx_errors++;
		return;
	}
	if (fd)
		skb = alloc_canfd_skb(dev, &cf);
	else
		skb = alloc_can_skb(dev, (struct can_frame **)&cf);
	if (!skb) {
		dev->stats.rx_dropped++;
		return;
	}
	memcpy(cf, frame->data, frame->len);
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += can_skb_get_data_len(skb);
	netif_rx(skb);
}

static void csim_bus_sent(struct csim *csim)
{
	unsigned int slot = csim->tail & (csim_slots - 1);
	struct net_device *dev = csim->dev;
	unsigned int i;

	if (csim->tx_lose) {
		csim->tx_lose--;
		dev->stats.tx_errors++;
		can_free_echo_skb(dev, slot, NULL);
	} else {
		struct sk_buff *skb = csim_priv(csim)->can.echo_skb[slot];

		for (i = 0; i < csim_num; i++)
			if (&csims[i] != csim && csims[i].active)
				csim_bus_receive(&csims[i], skb);
		dev->stats.tx_bytes += can_get_echo_skb(dev, slot, NULL);
		dev->stats.tx_packets++;
	}
	csim->tail++;
	netif_wake_queue(dev);
}

static enum hrtimer_restart csim_bus_done(struct hrtimer *timer)
{
	struct csim *csim;

	spin_lock(&csim_bus_lock);
	csim = csim_bus_sender;
	csim_bus_sender = NULL;
	csim_bus_busy = false;
	/* It may have left while it was sending: then nobody got the frame. */
	if (csim)
		csim_bus_sent(csim);
	csim_bus_kick_locked();
	spin_unlock(&csim_bus_lock);
	return HRTIMER_NORESTART;
}

void csim_bus_init(void)
{
	hrtimer_setup(&csim_bus_timer, csim_bus_done, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

/* All controllers are gone. */
void csim_bus_exit(void)
{
	hrtimer_cancel(&csim_bus_timer);
}

/* Take part in the bus, with nothing to send. */
void csim_bus_join(struct csim *csim)
{
	spin_lock_bh(&csim_bus_lock);
	csim->head = 0;
	csim->tail = 0;
	csim->active = true;
	spin_unlock_bh(&csim_bus_lock);
}

/* What was not sent stays in its slots, for the owner to flush. */
void csim_bus_leave(struct csim *csim)
{
	spin_lock_bh(&csim_bus_lock);
	csim->active = false;
	if (csim_bus_sender == csim)
		csim_bus_sender = NULL;
	spin_unlock_bh(&csim_bus_lock);
}
