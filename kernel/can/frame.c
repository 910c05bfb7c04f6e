// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a frame of the guest may be, and what the policy says of a frame.
 */
#include <linux/can/length.h>

#include "vhost_can.h"

/* Data lengths that CAN FD knows. */
static bool vhost_can_fd_len_valid(unsigned int len)
{
	switch (len) {
	case 0 ... 8:
	case 12:
	case 16:
	case 20:
	case 24:
	case 32:
	case 48:
	case 64:
		return true;
	default:
		return false;
	}
}

static u8 vhost_can_frame_kinds(u32 flags)
{
	if (flags & VIRTIO_CAN_FLAGS_FD)
		return VHOST_CAN_FD;
	if (flags & VIRTIO_CAN_FLAGS_RTR)
		return VHOST_CAN_CLASSIC | VHOST_CAN_RTR;
	return VHOST_CAN_CLASSIC;
}

/* Whether a frame can be sent; @available bytes of data follow @out. */
static bool vhost_can_frame_valid(const struct vhost_can *vc,
				  const struct virtio_can_tx_out *out,
				  size_t available)
{
	const u32 known = VIRTIO_CAN_FLAGS_EXTENDED | VIRTIO_CAN_FLAGS_FD |
			  VIRTIO_CAN_FLAGS_RTR;
	const u32 both = VIRTIO_CAN_FLAGS_FD | VIRTIO_CAN_FLAGS_RTR;
	u32 flags = le32_to_cpu(out->flags);
	u16 len = le16_to_cpu(out->length);
	u8 kinds = vhost_can_frame_kinds(flags);

	if (out->msg_type != cpu_to_le16(VIRTIO_CAN_TX) ||
	    out->reserved_classic_dlc || out->padding ||
	    out->reserved_xl_priority)
		return false;
	if ((flags & ~known) || (flags & both) == both ||
	    (vc->kinds & kinds) != kinds)
		return false;
	if (le32_to_cpu(out->can_id) >
	    (flags & VIRTIO_CAN_FLAGS_EXTENDED ? CAN_EFF_MASK : CAN_SFF_MASK))
		return false;
	if (kinds == VHOST_CAN_FD)
		return vhost_can_fd_len_valid(len) && len <= available;
	/* A remote request has a length, but no data. */
	return len <= CAN_MAX_DLEN &&
	       (len <= available || (kinds & VHOST_CAN_RTR));
}

/**
 * vhost_can_frame_read - read a transmit request
 * @vc: the device; its tx gets the frame
 * @chain: the request
 *
 * It is read once: what is checked is the copy.
 *
 * Context: The worker.
 * Return: true if the frame can be sent.
 */
bool vhost_can_frame_read(struct vhost_can *vc, struct devhost_chain *chain)
{
	struct vhost_can_tx *tx = &vc->tx;
	size_t size = min(devhost_chain_readable(chain), sizeof(tx->room));
	u32 flags;

	if (unlikely(size < sizeof(tx->msg) ||
		     devhost_chain_read(chain, tx->room, size) ||
		     !vhost_can_frame_valid(vc, &tx->msg,
					    size - sizeof(tx->msg))))
		return false;

	flags = le32_to_cpu(tx->msg.flags);
	tx->can_id = le32_to_cpu(tx->msg.can_id);
	if (flags & VIRTIO_CAN_FLAGS_EXTENDED)
		tx->can_id |= CAN_EFF_FLAG;
	if (flags & VIRTIO_CAN_FLAGS_RTR)
		tx->can_id |= CAN_RTR_FLAG;
	tx->len = le16_to_cpu(tx->msg.length);
	tx->fd = flags & VIRTIO_CAN_FLAGS_FD;
	return true;
}

/**
 * vhost_can_frame_allowed - ask the guest's policy
 * @vc: the device
 * @can_id: of the frame, with its flags
 * @len: of its data
 * @fd: whether it is a CAN FD frame
 * @direction: which way it goes
 *
 * Context: Any up to softirq.
 * Return: true if it may pass.
 */
bool vhost_can_frame_allowed(struct vhost_can *vc, canid_t can_id, u8 len,
			     bool fd, enum devhost_direction direction)
{
	bool extended = can_id & CAN_EFF_FLAG;
	bool remote = can_id & CAN_RTR_FLAG;
	u8 bytes = remote ? 0 : len;
	struct devhost_policy_can item = {
		.can_id = can_id & (extended ? CAN_EFF_MASK : CAN_SFF_MASK),
		.bits = can_frame_bits(fd, extended, false, true, bytes),
		.direction = direction,
		.flags = (extended ? DEVHOST_POLICY_CAN_EXTENDED : 0) |
			 (remote ? DEVHOST_POLICY_CAN_RTR : 0) |
			 (fd ? DEVHOST_POLICY_CAN_FD : 0),
		.len = len,
	};

	return devhost_policy_can(vc->dev, &item);
}
