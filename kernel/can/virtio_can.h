/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CAN device of virtio 1.4, section 5.20; names as there. The kernel's own
 * header is younger than the oldest kernel that devhost runs on.
 */
#ifndef _VHOST_CAN_VIRTIO_CAN_H
#define _VHOST_CAN_VIRTIO_CAN_H

#include <linux/types.h>

#define VIRTIO_CAN_DEVICE_ID		36

/* Virtqueues */
#define VIRTIO_CAN_TXQ			0
#define VIRTIO_CAN_RXQ			1
#define VIRTIO_CAN_CONTROLQ		2
#define VIRTIO_CAN_VQS			3

/* Feature bits */
#define VIRTIO_CAN_F_CAN_CLASSIC	0
#define VIRTIO_CAN_F_CAN_FD		1
#define VIRTIO_CAN_F_RTR_FRAMES		2
#define VIRTIO_CAN_F_LATE_TX_ACK	3

struct virtio_can_config {
	__le16 status;
};

#define VIRTIO_CAN_S_CTRL_BUSOFF	BIT(0)

#define VIRTIO_CAN_RESULT_OK		0
#define VIRTIO_CAN_RESULT_NOT_OK	1

/* Controlq */
#define VIRTIO_CAN_SET_CTRL_MODE_START	0x0201
#define VIRTIO_CAN_SET_CTRL_MODE_STOP	0x0202

struct virtio_can_control_out {
	__le16 msg_type;
};

struct virtio_can_control_in {
	__u8 result;
};

/* Txq and Rxq */
#define VIRTIO_CAN_TX			0x0001
#define VIRTIO_CAN_RX			0x0101

#define VIRTIO_CAN_FLAGS_RTR		0x2000
#define VIRTIO_CAN_FLAGS_FD		0x4000
#define VIRTIO_CAN_FLAGS_EXTENDED	0x8000

struct virtio_can_tx_out {
	__le16 msg_type;
	__le16 length;
	__u8 reserved_classic_dlc;
	__u8 padding;
	__le16 reserved_xl_priority;
	__le32 flags;
	__le32 can_id;
	__u8 sdu[];
};

struct virtio_can_tx_in {
	__u8 result;
};

struct virtio_can_rx {
	__le16 msg_type;
	__le16 length;
	__u8 reserved_classic_dlc;
	__u8 padding;
	__le16 reserved_xl_priority;
	__le32 flags;
	__le32 can_id;
	__u8 sdu[];
};

#endif /* _VHOST_CAN_VIRTIO_CAN_H */
