/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhost_can: virtio CAN controllers on the host's CAN interfaces.
 *
 *   main.c     the device class: creation, start, stop, configuration
 *   bus.c      the interface behind a device: binding by name, notifier, socket
 *   control.c  the controller's mode: START, STOP, bus-off
 *   tx.c       Txq: requests to frames on the bus, acknowledgment, back-pressure
 *   rx.c       Rxq: frames of the bus to the guest
 *   frame.c    what a frame may be, and what the policy says of it
 *   ring.h     from softirq to the worker
 *
 * All of it runs on the device's queue worker, except
 *   - the receive and error callbacks of PF_CAN: softirq, under RCU;
 *   - write_space() of the device's socket: any context;
 *   - the netdevice notifier, creation and destruction: under RTNL.
 * These only leave something behind and raise an event. VHOST_CAN_RAISE works
 * from start() to stop(), and stop() waits for everybody under RCU.
 */
#ifndef _VHOST_CAN_H
#define _VHOST_CAN_H

#include <linux/can.h>
#include <linux/netdevice.h>
#include <linux/timer.h>
#include <net/sock.h>

#include <devhost/device.h>
#include <devhost/policy.h>

#include "ring.h"
#include "virtio_can.h"

/* Events for the worker */
enum {
	VHOST_CAN_EVENT_RX,	/* the backlog has frames */
	VHOST_CAN_EVENT_ACK,	/* own frames were on the bus */
	VHOST_CAN_EVENT_ROOM,	/* there may be room to send again */
	VHOST_CAN_EVENT_TIMER,	/* look after what nothing signals */
	VHOST_CAN_EVENT_BUS,	/* something happened to the interface */
};

enum vhost_can_counter {
	VHOST_CAN_TX_FRAMES,
	VHOST_CAN_TX_BYTES,
	VHOST_CAN_TX_DENIED,
	VHOST_CAN_TX_INVALID,
	VHOST_CAN_TX_RETRIES,
	VHOST_CAN_TX_FAILED,
	VHOST_CAN_RX_FRAMES,
	VHOST_CAN_RX_BYTES,
	VHOST_CAN_RX_DROPPED,
	VHOST_CAN_RX_DENIED,
	VHOST_CAN_RX_UNSUPPORTED,
	VHOST_CAN_ERROR_FRAMES,
	VHOST_CAN_BUS_OFF,

	VHOST_CAN_COUNTERS
};

/* Why the Txq waits */
enum vhost_can_wait {
	VHOST_CAN_WAIT_NONE,
	VHOST_CAN_WAIT_ACK,	/* enough is in flight; the worker sees the acks */
	VHOST_CAN_WAIT_ECHO,	/* enough is in flight; an echo signals */
	VHOST_CAN_WAIT_QUEUE,	/* the interface is full; write_space() signals */
	VHOST_CAN_WAIT_BUS,	/* the interface is not ready yet */
};

/* Kinds of frames, a mask of what was negotiated */
#define VHOST_CAN_CLASSIC	BIT(0)
#define VHOST_CAN_FD		BIT(1)
#define VHOST_CAN_RTR		BIT(2)

/**
 * struct vhost_can_sent - a frame given to the interface, with LATE_TX_ACK
 * @uid: id of its socket buffer
 * @bytes: of data
 * @chain: the request, NULL once it is answered
 */
struct vhost_can_sent {
	u32 uid;
	u32 bytes;
	struct devhost_chain *chain;
};

/**
 * struct vhost_can_tx - the Txq
 * @msg: private copy of the request at hand
 * @room: makes room for its data
 * @can_id: of the frame, with the flags of linux/can.h
 * @len: of the frame
 * @fd: whether it is a CAN FD frame
 * @passed: the frame has passed the policy and waits for room; its request is
 *	the next one
 * @bus_ready: false while the interface comes up after START
 * @late: LATE_TX_ACK was negotiated
 * @max: frames in flight at most
 * @wait: why the queue waits; the worker writes
 * @room_at: bytes in flight at which write_space() signals
 * @timer: signals where nothing else does
 * @delay: of @timer while waiting, in jiffies
 * @failing: the interface is full of others' frames since @failing_since
 * @failing_since: jiffies
 * @sent: frames given to an interface that echoes
 * @echoed: frames that came back
 * @sent_list: frames not acknowledged, oldest first, @max a power of two or less
 * @sent_mask: entries of @sent_list - 1
 * @sent_head: next to be filled
 * @sent_tail: oldest
 * @acks: ids of own frames that were on the bus
 * @ack_ring: where @acks stands
 */
struct vhost_can_tx {
	union {
		struct virtio_can_tx_out msg;
		u8 room[sizeof(struct virtio_can_tx_out) + CANFD_MAX_DLEN];
	};
	canid_t can_id;
	u8 len;
	bool fd;
	bool passed;
	bool bus_ready;
	bool late;
	u32 max;
	enum vhost_can_wait wait;
	unsigned int room_at;
	struct timer_list timer;
	unsigned long delay;
	bool failing;
	unsigned long failing_since;
	u32 sent;
	atomic_t echoed;
	struct vhost_can_sent *sent_list;
	u32 sent_mask;
	u32 sent_head;
	u32 sent_tail;
	u32 *acks;
	struct vhost_can_ring ack_ring;
};

/**
 * struct vhost_can_slot - a received frame as the guest will get it
 * @bytes: of data, 0 for a remote request
 * @size: bytes of @msg that the guest gets
 * @msg: the message
 * @room: makes room for its data
 */
struct vhost_can_slot {
	u16 bytes;
	u16 size;
	union {
		struct virtio_can_rx msg;
		u8 room[sizeof(struct virtio_can_rx) + CANFD_MAX_DLEN];
	};
};

/**
 * struct vhost_can_rx - the Rxq's backlog
 * @slots: the frames; between start() and stop()
 * @ring: where @slots stands
 */
struct vhost_can_rx {
	struct vhost_can_slot *slots;
	struct vhost_can_ring ring;
};

/**
 * struct vhost_can - a device
 * @dev: the core's side of it
 * @list: in the list of all; RTNL
 * @ifname: the interface that it serves
 * @ndev: that interface while it exists; RTNL to write, with a reference
 * @tracker: of the reference
 * @echo: the interface echoes what was on the bus
 * @sk: the device's socket: frames of it are the guest's own
 * @live: between start() and stop()
 * @listening: live and started: frames are for the guest
 * @bus_lost: the bus went away since START, if only for a moment
 * @state: of the guest's controller; the worker writes
 * @status: of the configuration space
 * @kinds: kinds of frames negotiated
 * @rx_backlog: as asked for
 * @tx: the Txq
 * @rx: the Rxq
 */
struct vhost_can {
	struct devhost_device *dev;
	struct list_head list;
	char ifname[IFNAMSIZ];
	struct net_device __rcu *ndev;
	netdevice_tracker tracker;
	bool echo;
	struct sock *sk;
	bool live;
	bool listening;
	bool bus_lost;
	enum devhost_can_state state;
	u16 status;
	u8 kinds;
	u32 rx_backlog;
	struct vhost_can_tx tx;
	struct vhost_can_rx rx;
};

/* For softirq and the like; the worker and PF_CAN's callbacks need no care. */
static inline void vhost_can_raise(struct vhost_can *vc, unsigned int event)
{
	rcu_read_lock();
	if (READ_ONCE(vc->live))
		devhost_raise(vc->dev, event);
	rcu_read_unlock();
}

/* bus.c */
enum vhost_can_bus {
	VHOST_CAN_BUS_DOWN,	/* absent, down, or bus-off */
	VHOST_CAN_BUS_WAKING,	/* not ready to take frames yet */
	VHOST_CAN_BUS_UP,
};

int vhost_can_bus_init(void);
void vhost_can_bus_exit(void);
int vhost_can_bus_create(struct vhost_can *vc, bool wait,
			 struct netlink_ext_ack *extack);
void vhost_can_bus_destroy(struct vhost_can *vc);
enum vhost_can_bus vhost_can_bus_state(struct vhost_can *vc);
u64 vhost_can_bus_features(struct vhost_can *vc);
u32 vhost_can_bus_ifindex(struct vhost_can *vc);

/* control.c */
enum devhost_answer vhost_can_control(struct vhost_can *vc,
				      struct devhost_chain *chain);
void vhost_can_bus_event(struct vhost_can *vc);

/* tx.c */
int vhost_can_tx_create(struct vhost_can *vc, u32 inflight);
void vhost_can_tx_destroy(struct vhost_can *vc);
void vhost_can_tx_reset(struct vhost_can *vc);
enum devhost_answer vhost_can_tx(struct vhost_can *vc,
				 struct devhost_chain *chain);
void vhost_can_tx_echo(struct vhost_can *vc, struct sk_buff *skb);
void vhost_can_tx_write_space(struct sock *sk);
void vhost_can_tx_acks(struct vhost_can *vc);
void vhost_can_tx_room(struct vhost_can *vc);
void vhost_can_tx_timer(struct vhost_can *vc);
void vhost_can_tx_cancel(struct vhost_can *vc);
void vhost_can_tx_settle(struct vhost_can *vc);

/* rx.c */
void vhost_can_rx_create(struct vhost_can *vc, u32 backlog);
int vhost_can_rx_start(struct vhost_can *vc);
void vhost_can_rx_stop(struct vhost_can *vc);
void vhost_can_rx_frame(struct vhost_can *vc, const struct sk_buff *skb);
void vhost_can_rx_deliver(struct vhost_can *vc);
void vhost_can_rx_purge(struct vhost_can *vc);

/* frame.c */
bool vhost_can_frame_read(struct vhost_can *vc, struct devhost_chain *chain);
bool vhost_can_frame_allowed(struct vhost_can *vc, canid_t can_id, u8 len,
			     bool fd, enum devhost_direction direction);

#endif /* _VHOST_CAN_H */
