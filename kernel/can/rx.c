// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rxq: PF_CAN hands frames over in softirq; they wait in a bounded backlog, in
 * the form in which the guest gets them, until the worker has buffers.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "vhost_can.h"

/* Frames delivered in one go before the other queues have a turn. */
#define VHOST_CAN_RX_BUDGET	256

void vhost_can_rx_create(struct vhost_can *vc, u32 backlog)
{
	vc->rx_backlog = backlog;
	vhost_can_ring_init(&vc->rx.ring, roundup_pow_of_two(backlog));
}

/**
 * vhost_can_rx_start - have room for frames that wait
 * @vc: the device
 *
 * Only while a driver is there: the backlog is most of a device's memory, and
 * is charged to the VMM.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vhost_can_rx_start(struct vhost_can *vc)
{
	struct vhost_can_rx *rx = &vc->rx;

	rx->slots = kvcalloc(rx->ring.mask + 1, sizeof(*rx->slots),
			     GFP_KERNEL_ACCOUNT);
	return rx->slots ? 0 : -ENOMEM;
}

/* Nobody listens any more, and the worker is stopped. */
void vhost_can_rx_stop(struct vhost_can *vc)
{
	vhost_can_rx_purge(vc);
	kvfree(vc->rx.slots);
	vc->rx.slots = NULL;
}

/* What kinds must have been negotiated; 0 for what virtio can't carry. */
static u8 vhost_can_rx_kinds(const struct sk_buff *skb,
			     const struct canfd_frame *cf)
{
	switch (skb->protocol) {
	case cpu_to_be16(ETH_P_CAN):
		return cf->can_id & CAN_RTR_FLAG ?
		       VHOST_CAN_CLASSIC | VHOST_CAN_RTR : VHOST_CAN_CLASSIC;
	case cpu_to_be16(ETH_P_CANFD):
		return VHOST_CAN_FD;
	default:
		return 0;
	}
}

static void vhost_can_rx_fill(struct vhost_can_slot *slot,
			      const struct canfd_frame *cf, u8 kinds)
{
	struct virtio_can_rx *msg = &slot->msg;
	u32 flags = 0;
	u32 id = cf->can_id & CAN_SFF_MASK;

	if (cf->can_id & CAN_EFF_FLAG) {
		flags |= VIRTIO_CAN_FLAGS_EXTENDED;
		id = cf->can_id & CAN_EFF_MASK;
	}
	slot->bytes = cf->len;
	slot->size = sizeof(*msg) + cf->len;
	if (kinds == VHOST_CAN_CLASSIC) {
		memcpy(msg->sdu, cf->data, CAN_MAX_DLEN);
	} else if (kinds == VHOST_CAN_FD) {
		flags |= VIRTIO_CAN_FLAGS_FD;
		memcpy(msg->sdu, cf->data, cf->len);
	} else {
		/* Linux guests want room for the length, though it is empty. */
		flags |= VIRTIO_CAN_FLAGS_RTR;
		memset(msg->sdu, 0, CAN_MAX_DLEN);
		slot->bytes = 0;
	}
	msg->msg_type = cpu_to_le16(VIRTIO_CAN_RX);
	msg->length = cpu_to_le16(cf->len);
	msg->flags = cpu_to_le32(flags);
	msg->can_id = cpu_to_le32(id);
}

static bool vhost_can_rx_queue(struct vhost_can_rx *rx,
			       const struct canfd_frame *cf, u8 kinds)
{
	u32 place;
	bool room;

	/* An interface may deliver on several processors. */
	spin_lock(&rx->ring.lock);
	room = vhost_can_ring_room(&rx->ring, &place);
	if (likely(room)) {
		vhost_can_rx_fill(&rx->slots[place], cf, kinds);
		vhost_can_ring_put(&rx->ring);
	}
	spin_unlock(&rx->ring.lock);
	return room;
}

/**
 * vhost_can_rx_frame - a frame of the bus, not of the guest itself
 * @vc: the device
 * @skb: the frame, PF_CAN's
 *
 * Context: Softirq, under RCU.
 */
void vhost_can_rx_frame(struct vhost_can *vc, const struct sk_buff *skb)
{
	const struct canfd_frame *cf = (const struct canfd_frame *)skb->data;
	u8 kinds = vhost_can_rx_kinds(skb, cf);

	if (unlikely(!kinds || (vc->kinds & kinds) != kinds)) {
		devhost_count(vc->dev, VHOST_CAN_RX_UNSUPPORTED, 1);
		return;
	}
	if (unlikely(!vhost_can_frame_allowed(vc, cf->can_id, cf->len,
					      kinds == VHOST_CAN_FD,
					      DEVHOST_TO_GUEST))) {
		devhost_count(vc->dev, VHOST_CAN_RX_DENIED, 1);
		return;
	}
	if (unlikely(!vhost_can_rx_queue(&vc->rx, cf, kinds))) {
		devhost_count(vc->dev, VHOST_CAN_RX_DROPPED, 1);
		return;
	}
	devhost_raise(vc->dev, VHOST_CAN_EVENT_RX);
}

/**
 * vhost_can_rx_deliver - put waiting frames into the guest's buffers
 * @vc: the device
 *
 * Context: The worker.
 */
void vhost_can_rx_deliver(struct vhost_can *vc)
{
	struct devhost_vq *vq = devhost_vq(vc->dev, VIRTIO_CAN_RXQ);
	struct vhost_can_rx *rx = &vc->rx;
	unsigned int budget = VHOST_CAN_RX_BUDGET;
	u32 frames = 0, bytes = 0;
	u32 place;

	if (vc->state != DEVHOST_CAN_STARTED)
		return;
	while (vhost_can_ring_peek(&rx->ring, &place)) {
		const struct vhost_can_slot *slot;
		struct devhost_chain *chain;

		if (!budget--) {
			devhost_raise(vc->dev, VHOST_CAN_EVENT_RX);
			break;
		}
		chain = devhost_vq_pop(vq);
		if (!chain)
			break;
		slot = &rx->slots[place];
		if (likely(devhost_chain_writable(chain) >= slot->size &&
			   !devhost_chain_write(chain, &slot->msg,
						slot->size))) {
			devhost_chain_complete(chain);
			frames++;
			bytes += slot->bytes;
		} else {
			devhost_chain_reject(chain);
			devhost_count(vc->dev, VHOST_CAN_RX_DROPPED, 1);
		}
		vhost_can_ring_take(&rx->ring);
	}
	if (frames)
		devhost_count_data(vc->dev, VHOST_CAN_RX_FRAMES, frames, bytes);
}

/**
 * vhost_can_rx_purge - drop the frames that wait
 * @vc: the device, not listening
 *
 * A callback that saw it listening may still add a frame; what is there at the
 * next START is dropped again.
 *
 * Context: The worker, or with the worker stopped.
 */
void vhost_can_rx_purge(struct vhost_can *vc)
{
	u32 dropped = vhost_can_ring_purge(&vc->rx.ring);

	if (dropped)
		devhost_count(vc->dev, VHOST_CAN_RX_DROPPED, dropped);
}
