// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CAN interface behind a device.
 *
 * A device serves the interface of the initial network namespace that has the
 * configured name, whenever there is one: an interface that is removed, moved
 * to another namespace or renamed is let go at once, and one that gets the name
 * is taken. Losing it, its going down and bus-off are the same to the guest.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/can/core.h>
#include <linux/can/error.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>
#include <net/sch_generic.h>

#include "vhost_can.h"

static LIST_HEAD(vhost_can_list);	/* RTNL */

/* A socket nobody can open: it marks our frames and counts their memory. */
static struct proto vhost_can_proto = {
	.name = "VHOST_CAN",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct sock),
};

static struct sock *vhost_can_sock_create(struct vhost_can *vc)
{
	struct sock *sk;

	sk = sk_alloc(&init_net, PF_CAN, GFP_KERNEL, &vhost_can_proto, 1);
	if (!sk)
		return NULL;
	sock_init_data(NULL, sk);
	rcu_assign_sk_user_data(sk, vc);
	sk->sk_write_space = vhost_can_tx_write_space;
	return sk;
}

/* Frames on their way keep the socket, and with it the module. */
static void vhost_can_sock_destroy(struct sock *sk)
{
	rcu_assign_sk_user_data(sk, NULL);
	synchronize_net();
	sock_put(sk);
}

static void vhost_can_bus_lost(struct vhost_can *vc)
{
	WRITE_ONCE(vc->bus_lost, true);
	vhost_can_raise(vc, VHOST_CAN_EVENT_BUS);
}

/* PF_CAN has a frame, in softirq under RCU. */
static void vhost_can_rcv(struct sk_buff *skb, void *data)
{
	struct vhost_can *vc = data;

	if (skb->sk == vc->sk)
		vhost_can_tx_echo(vc, skb);
	else if (READ_ONCE(vc->listening))
		vhost_can_rx_frame(vc, skb);
}

/*
 * PF_CAN has an error frame, in softirq under RCU. Controllers report with
 * them; what a local socket sends in their form is no report. A restart is
 * reported before the interface goes on: whoever is started then has missed
 * the bus-off.
 */
static void vhost_can_rcv_error(struct sk_buff *skb, void *data)
{
	const struct can_frame *cf = (const struct can_frame *)skb->data;
	struct vhost_can *vc = data;

	if (skb->sk)
		return;
	devhost_count(vc->dev, VHOST_CAN_ERROR_FRAMES, 1);
	if (cf->can_id & (CAN_ERR_BUSOFF | CAN_ERR_RESTARTED))
		vhost_can_bus_lost(vc);
}

static int vhost_can_bind(struct vhost_can *vc, struct net_device *ndev)
{
	int err;

	ASSERT_RTNL();
	err = can_rx_register(&init_net, ndev, 0, 0, vhost_can_rcv, vc,
			      KBUILD_MODNAME, NULL);
	if (err)
		return err;
	err = can_rx_register(&init_net, ndev, 0, CAN_ERR_FLAG | CAN_ERR_MASK,
			      vhost_can_rcv_error, vc, KBUILD_MODNAME, NULL);
	if (err)
		goto err_unregister;
	WRITE_ONCE(vc->echo, ndev->flags & IFF_ECHO);
	netdev_hold(ndev, &vc->tracker, GFP_KERNEL);
	rcu_assign_pointer(vc->ndev, ndev);
	return 0;

err_unregister:
	can_rx_unregister(&init_net, ndev, 0, 0, vhost_can_rcv, vc);
	return err;
}

/*
 * Callbacks may still run when this returns, and the worker may still be
 * sending: an interface that goes away waits for RCU, a device does so itself.
 */
static void vhost_can_unbind(struct vhost_can *vc)
{
	struct net_device *ndev = rtnl_dereference(vc->ndev);

	if (!ndev)
		return;
	RCU_INIT_POINTER(vc->ndev, NULL);
	can_rx_unregister(&init_net, ndev, 0, 0, vhost_can_rcv, vc);
	can_rx_unregister(&init_net, ndev, 0, CAN_ERR_FLAG | CAN_ERR_MASK,
			  vhost_can_rcv_error, vc);
	netdev_put(ndev, &vc->tracker);
	vhost_can_bus_lost(vc);
}

static void vhost_can_bind_late(struct vhost_can *vc, struct net_device *ndev)
{
	int err = vhost_can_bind(vc, ndev);

	if (err)
		pr_warn_ratelimited("cannot serve %s.%s on %s, error %d\n",
				    devhost_guest_name(vc->dev),
				    devhost_device_name(vc->dev),
				    ndev->name, err);
}

/* The interface that the device serves. */
static void vhost_can_bound_event(struct vhost_can *vc, struct net_device *ndev,
				  unsigned long event)
{
	switch (event) {
	case NETDEV_UNREGISTER:
		vhost_can_unbind(vc);
		break;
	case NETDEV_CHANGENAME:
		if (strcmp(vc->ifname, ndev->name))
			vhost_can_unbind(vc);
		break;
	case NETDEV_DOWN:
		vhost_can_bus_lost(vc);
		break;
	case NETDEV_UP:
	case NETDEV_CHANGE:
		if (netif_carrier_ok(ndev))
			vhost_can_raise(vc, VHOST_CAN_EVENT_BUS);
		else
			vhost_can_bus_lost(vc);
		break;
	default:
		return;
	}
	devhost_backend_changed(vc->dev);
}

/* An interface that it does not serve. */
static void vhost_can_other_event(struct vhost_can *vc, struct net_device *ndev,
				  unsigned long event)
{
	if (event != NETDEV_REGISTER && event != NETDEV_CHANGENAME)
		return;
	if (rcu_access_pointer(vc->ndev) || strcmp(vc->ifname, ndev->name))
		return;
	vhost_can_bind_late(vc, ndev);
	devhost_backend_changed(vc->dev);
}

static int vhost_can_netdev_event(struct notifier_block *nb,
				  unsigned long event, void *ptr)
{
	struct net_device *ndev = netdev_notifier_info_to_dev(ptr);
	struct vhost_can *vc;

	if (ndev->type != ARPHRD_CAN || !net_eq(dev_net(ndev), &init_net))
		return NOTIFY_DONE;
	list_for_each_entry(vc, &vhost_can_list, list) {
		if (rcu_access_pointer(vc->ndev) == ndev)
			vhost_can_bound_event(vc, ndev, event);
		else
			vhost_can_other_event(vc, ndev, event);
	}
	return NOTIFY_DONE;
}

static struct notifier_block vhost_can_notifier = {
	.notifier_call = vhost_can_netdev_event,
};

int vhost_can_bus_init(void)
{
	return register_netdevice_notifier(&vhost_can_notifier);
}

void vhost_can_bus_exit(void)
{
	unregister_netdevice_notifier(&vhost_can_notifier);
}

static int vhost_can_bus_find(struct vhost_can *vc, bool wait,
			      struct netlink_ext_ack *extack)
{
	struct net_device *ndev = __dev_get_by_name(&init_net, vc->ifname);
	int err;

	if (!ndev && wait)
		return 0;
	if (!ndev) {
		NL_SET_ERR_MSG_FMT(extack, "no interface %s", vc->ifname);
		return -ENODEV;
	}
	if (ndev->type != ARPHRD_CAN) {
		NL_SET_ERR_MSG_FMT(extack, "%s is not a CAN interface",
				   vc->ifname);
		return -EINVAL;
	}
	err = vhost_can_bind(vc, ndev);
	if (err)
		NL_SET_ERR_MSG_FMT(extack, "cannot receive from %s",
				   vc->ifname);
	return err;
}

/**
 * vhost_can_bus_create - bind a new device to its interface
 * @vc: the device, with @ifname set
 * @wait: it is no error that there is no such interface yet
 * @extack: says what is wrong
 *
 * Context: Process context, takes RTNL.
 * Return: 0 or an error.
 */
int vhost_can_bus_create(struct vhost_can *vc, bool wait,
			 struct netlink_ext_ack *extack)
{
	int err;

	vc->sk = vhost_can_sock_create(vc);
	if (!vc->sk)
		return -ENOMEM;
	rtnl_lock();
	err = vhost_can_bus_find(vc, wait, extack);
	if (!err)
		list_add_tail(&vc->list, &vhost_can_list);
	rtnl_unlock();
	if (err)
		vhost_can_sock_destroy(vc->sk);
	return err;
}

/**
 * vhost_can_bus_destroy - undo vhost_can_bus_create()
 * @vc: the device
 *
 * Context: Process context, takes RTNL, waits for callbacks.
 */
void vhost_can_bus_destroy(struct vhost_can *vc)
{
	rtnl_lock();
	list_del(&vc->list);
	vhost_can_unbind(vc);
	rtnl_unlock();
	vhost_can_sock_destroy(vc->sk);
}

/**
 * vhost_can_bus_state - whether the bus can be taken part in now
 * @vc: the device
 *
 * An interface that has just come back drops what it is given until the
 * kernel has activated its queue.
 *
 * Context: Any.
 * Return: its state.
 */
enum vhost_can_bus vhost_can_bus_state(struct vhost_can *vc)
{
	enum vhost_can_bus state = VHOST_CAN_BUS_DOWN;
	struct net_device *ndev;

	rcu_read_lock();
	ndev = rcu_dereference(vc->ndev);
	if (ndev && (READ_ONCE(ndev->flags) & IFF_UP) && netif_carrier_ok(ndev))
		state = qdisc_tx_is_noop(ndev) ? VHOST_CAN_BUS_WAKING :
						 VHOST_CAN_BUS_UP;
	rcu_read_unlock();
	return state;
}

/**
 * vhost_can_bus_features - what the interface can do now
 * @vc: the device
 *
 * Late acknowledgment is true to its name only where the interface echoes what
 * was on the bus; the order of transmission is the bus's then.
 *
 * Context: Any.
 * Return: feature bits; those of plain CAN where there is no interface.
 */
u64 vhost_can_bus_features(struct vhost_can *vc)
{
	u64 features = BIT_ULL(VIRTIO_CAN_F_CAN_CLASSIC) |
		       BIT_ULL(VIRTIO_CAN_F_RTR_FRAMES);
	struct net_device *ndev;
	bool echo = false;

	rcu_read_lock();
	ndev = rcu_dereference(vc->ndev);
	if (ndev) {
		echo = ndev->flags & IFF_ECHO;
		if (READ_ONCE(ndev->mtu) >= CANFD_MTU)
			features |= BIT_ULL(VIRTIO_CAN_F_CAN_FD);
	}
	rcu_read_unlock();
	features |= echo ? BIT_ULL(VIRTIO_CAN_F_LATE_TX_ACK) :
			   BIT_ULL(VIRTIO_F_IN_ORDER);
	return features;
}

/**
 * vhost_can_bus_ifindex - the interface that is served
 * @vc: the device
 *
 * Context: Any.
 * Return: its index, or 0.
 */
u32 vhost_can_bus_ifindex(struct vhost_can *vc)
{
	struct net_device *ndev;
	u32 ifindex = 0;

	rcu_read_lock();
	ndev = rcu_dereference(vc->ndev);
	if (ndev)
		ifindex = ndev->ifindex;
	rcu_read_unlock();
	return ifindex;
}
