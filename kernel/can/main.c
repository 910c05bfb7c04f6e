// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device class: virtio CAN controllers, virtio 1.4 section 5.20.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vhost_can.h"

#define VHOST_CAN_RX_BACKLOG_DEFAULT	1024
#define VHOST_CAN_TX_INFLIGHT_DEFAULT	64

static int vhost_can_create(struct devhost_device *dev, struct nlattr **tb,
			    struct netlink_ext_ack *extack)
{
	struct vhost_can *vc = devhost_priv(dev);
	u32 backlog = VHOST_CAN_RX_BACKLOG_DEFAULT;
	u32 inflight = VHOST_CAN_TX_INFLIGHT_DEFAULT;
	int err;

	if (!tb[DEVHOST_A_CAN_IFNAME]) {
		NL_SET_ERR_MSG(extack, "a CAN device needs an interface");
		return -EINVAL;
	}
	if (tb[DEVHOST_A_CAN_RX_BACKLOG])
		backlog = nla_get_u32(tb[DEVHOST_A_CAN_RX_BACKLOG]);
	if (tb[DEVHOST_A_CAN_TX_INFLIGHT])
		inflight = nla_get_u32(tb[DEVHOST_A_CAN_TX_INFLIGHT]);

	vc->dev = dev;
	nla_strscpy(vc->ifname, tb[DEVHOST_A_CAN_IFNAME], sizeof(vc->ifname));
	if (!dev_valid_name(vc->ifname)) {
		NL_SET_ERR_MSG(extack, "not a name of an interface");
		return -EINVAL;
	}
	vhost_can_rx_create(vc, backlog);
	err = vhost_can_tx_create(vc, inflight);
	if (err)
		return err;
	err = vhost_can_bus_create(vc, tb[DEVHOST_A_CAN_WAIT], extack);
	if (err)
		vhost_can_tx_destroy(vc);
	return err;
}

static void vhost_can_destroy(struct devhost_device *dev)
{
	struct vhost_can *vc = devhost_priv(dev);

	vhost_can_bus_destroy(vc);
	vhost_can_tx_destroy(vc);
}

static int vhost_can_fill(struct devhost_device *dev, struct sk_buff *msg)
{
	struct vhost_can *vc = devhost_priv(dev);
	u32 ifindex = vhost_can_bus_ifindex(vc);

	if (nla_put_string(msg, DEVHOST_A_CAN_IFNAME, vc->ifname) ||
	    (ifindex && nla_put_u32(msg, DEVHOST_A_CAN_IFINDEX, ifindex)) ||
	    nla_put_u32(msg, DEVHOST_A_CAN_RX_BACKLOG, vc->rx_backlog) ||
	    nla_put_u32(msg, DEVHOST_A_CAN_TX_INFLIGHT, vc->tx.max) ||
	    nla_put_u32(msg, DEVHOST_A_CAN_STATE, READ_ONCE(vc->state)))
		return -EMSGSIZE;
	return 0;
}

static u64 vhost_can_features(struct devhost_device *dev)
{
	return vhost_can_bus_features(devhost_priv(dev));
}

static int vhost_can_start(struct devhost_device *dev)
{
	struct vhost_can *vc = devhost_priv(dev);
	int err;

	err = vhost_can_rx_start(vc);
	if (err)
		return err;
	vc->kinds = 0;
	if (devhost_has_feature(dev, VIRTIO_CAN_F_CAN_CLASSIC))
		vc->kinds |= VHOST_CAN_CLASSIC;
	if (devhost_has_feature(dev, VIRTIO_CAN_F_CAN_FD))
		vc->kinds |= VHOST_CAN_FD;
	if (devhost_has_feature(dev, VIRTIO_CAN_F_RTR_FRAMES))
		vc->kinds |= VHOST_CAN_RTR;
	WRITE_ONCE(vc->tx.late,
		   devhost_has_feature(dev, VIRTIO_CAN_F_LATE_TX_ACK));
	WRITE_ONCE(vc->live, true);
	return 0;
}

static void vhost_can_stop(struct devhost_device *dev)
{
	struct vhost_can *vc = devhost_priv(dev);

	WRITE_ONCE(vc->listening, false);
	WRITE_ONCE(vc->live, false);
	synchronize_net();
	vhost_can_tx_reset(vc);
	vhost_can_rx_stop(vc);
	WRITE_ONCE(vc->state, DEVHOST_CAN_STOPPED);
	WRITE_ONCE(vc->status, 0);
}

static void vhost_can_suspend(struct devhost_device *dev)
{
	vhost_can_tx_settle(devhost_priv(dev));
}

/* Whatever was raised meanwhile went unseen. */
static void vhost_can_resume(struct devhost_device *dev)
{
	devhost_raise(dev, VHOST_CAN_EVENT_RX);
	devhost_raise(dev, VHOST_CAN_EVENT_ACK);
	devhost_raise(dev, VHOST_CAN_EVENT_BUS);
	devhost_raise(dev, VHOST_CAN_EVENT_TIMER);
}

static enum devhost_answer vhost_can_request(struct devhost_device *dev,
					     struct devhost_vq *vq,
					     struct devhost_chain *chain)
{
	struct vhost_can *vc = devhost_priv(dev);

	if (devhost_vq_index(vq) == VIRTIO_CAN_TXQ)
		return vhost_can_tx(vc, chain);
	return vhost_can_control(vc, chain);
}

static void vhost_can_refill(struct devhost_device *dev, struct devhost_vq *vq)
{
	vhost_can_rx_deliver(devhost_priv(dev));
}

static void vhost_can_work(struct devhost_device *dev, unsigned long events)
{
	struct vhost_can *vc = devhost_priv(dev);

	if (events & BIT(VHOST_CAN_EVENT_ACK))
		vhost_can_tx_acks(vc);
	if (events & BIT(VHOST_CAN_EVENT_BUS))
		vhost_can_bus_event(vc);
	if (events & BIT(VHOST_CAN_EVENT_TIMER))
		vhost_can_tx_timer(vc);
	if (events & BIT(VHOST_CAN_EVENT_ROOM))
		vhost_can_tx_room(vc);
	if (events & BIT(VHOST_CAN_EVENT_RX))
		vhost_can_rx_deliver(vc);
}

static void vhost_can_get_config(struct devhost_device *dev, void *config)
{
	struct vhost_can *vc = devhost_priv(dev);
	struct virtio_can_config *can_config = config;

	can_config->status = cpu_to_le16(READ_ONCE(vc->status));
}

static const struct devhost_class_ops vhost_can_ops = {
	.create = vhost_can_create,
	.destroy = vhost_can_destroy,
	.fill = vhost_can_fill,
	.features = vhost_can_features,
	.start = vhost_can_start,
	.stop = vhost_can_stop,
	.suspend = vhost_can_suspend,
	.resume = vhost_can_resume,
	.request = vhost_can_request,
	.refill = vhost_can_refill,
	.work = vhost_can_work,
	.get_config = vhost_can_get_config,
};

static const struct devhost_vq_info vhost_can_vqs[VIRTIO_CAN_VQS] = {
	[VIRTIO_CAN_TXQ] = { .name = "Txq" },
	[VIRTIO_CAN_RXQ] = { .name = "Rxq", .supply = true },
	[VIRTIO_CAN_CONTROLQ] = { .name = "Controlq", .control = true },
};

static const struct netlink_range_validation vhost_can_backlog = {
	.min = 16,
	.max = 65536,
};

static const struct nla_policy vhost_can_policy[DEVHOST_A_CAN_MAX + 1] = {
	[DEVHOST_A_CAN_IFNAME] = { .type = NLA_NUL_STRING,
				   .len = IFNAMSIZ - 1 },
	[DEVHOST_A_CAN_WAIT] = { .type = NLA_FLAG },
	[DEVHOST_A_CAN_RX_BACKLOG] = NLA_POLICY_FULL_RANGE(NLA_U32,
							   &vhost_can_backlog),
	[DEVHOST_A_CAN_TX_INFLIGHT] = NLA_POLICY_RANGE(NLA_U32, 1, 1024),
};

static const char * const vhost_can_counters[VHOST_CAN_COUNTERS] = {
	[VHOST_CAN_TX_FRAMES] = "tx_frames",
	[VHOST_CAN_TX_BYTES] = "tx_bytes",
	[VHOST_CAN_TX_DENIED] = "tx_denied",
	[VHOST_CAN_TX_INVALID] = "tx_invalid",
	[VHOST_CAN_TX_RETRIES] = "tx_retries",
	[VHOST_CAN_TX_FAILED] = "tx_failed",
	[VHOST_CAN_RX_FRAMES] = "rx_frames",
	[VHOST_CAN_RX_BYTES] = "rx_bytes",
	[VHOST_CAN_RX_DROPPED] = "rx_dropped",
	[VHOST_CAN_RX_DENIED] = "rx_denied",
	[VHOST_CAN_RX_UNSUPPORTED] = "rx_unsupported",
	[VHOST_CAN_ERROR_FRAMES] = "error_frames",
	[VHOST_CAN_BUS_OFF] = "bus_off",
};

static struct devhost_class vhost_can_class = {
	.name = "can",
	.virtio_id = VIRTIO_CAN_DEVICE_ID,
	.owner = THIS_MODULE,
	.vqs = vhost_can_vqs,
	.num_vqs = VIRTIO_CAN_VQS,
	.config_size = sizeof(struct virtio_can_config),
	.priv_size = sizeof(struct vhost_can),
	.attr_policy = vhost_can_policy,
	.attr_max = DEVHOST_A_CAN_MAX,
	.counters = vhost_can_counters,
	.num_counters = VHOST_CAN_COUNTERS,
	.ops = &vhost_can_ops,
};

static int __init vhost_can_init(void)
{
	int err;

	err = vhost_can_bus_init();
	if (err)
		return err;
	err = devhost_register_class(&vhost_can_class);
	if (err)
		vhost_can_bus_exit();
	return err;
}
module_init(vhost_can_init);

static void __exit vhost_can_exit(void)
{
	devhost_unregister_class(&vhost_can_class);
	vhost_can_bus_exit();
}
module_exit(vhost_can_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("virtio CAN devices on the host's CAN interfaces");
