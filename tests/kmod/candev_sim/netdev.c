// SPDX-License-Identifier: GPL-2.0-only
/*
 * A controller as a CAN network device.
 */
#include <linux/can/error.h>
#include <linux/can/skb.h>
#include <linux/module.h>
#include <linux/units.h>

#include "candev_sim.h"

static const struct can_bittiming_const csim_bittiming = {
	.name = "candev_sim",
	.tseg1_min = 2,
	.tseg1_max = 256,
	.tseg2_min = 2,
	.tseg2_max = 128,
	.sjw_max = 128,
	.brp_min = 1,
	.brp_max = 512,
	.brp_inc = 1,
};

static struct csim *csim_of(struct net_device *dev)
{
	struct csim_priv *priv = netdev_priv(dev);

	return priv->csim;
}

static int csim_open(struct net_device *dev)
{
	struct csim_priv *priv = netdev_priv(dev);
	int err = open_candev(dev);

	if (err)
		return err;
	priv->can.state = CAN_STATE_ERROR_ACTIVE;
	priv->csim->txerr = 0;
	priv->csim->rxerr = 0;
	csim_bus_join(priv->csim);
	netif_start_queue(dev);
	return 0;
}

static int csim_stop(struct net_device *dev)
{
	struct csim_priv *priv = netdev_priv(dev);

	netif_stop_queue(dev);
	csim_bus_leave(priv->csim);
	priv->can.state = CAN_STATE_STOPPED;
	close_candev(dev);
	return 0;
}

static netdev_tx_t csim_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct csim *csim = csim_of(dev);

	if (can_dev_dropped_skb(dev, skb))
		return NETDEV_TX_OK;
	spin_lock(&csim_bus_lock);
	if (!csim->active) {
		/* Bus-off: the queue is stopped, but this one was on its way. */
		kfree_skb(skb);
		dev->stats.tx_dropped++;
	} else if (can_put_echo_skb(skb, dev, csim->head & (csim_slots - 1), 0)) {
		dev->stats.tx_dropped++;
	} else {
		csim->head++;
		if (csim->head - csim->tail == csim_slots)
			netif_stop_queue(dev);
		csim_bus_kick_locked();
	}
	spin_unlock(&csim_bus_lock);
	return NETDEV_TX_OK;
}

static const struct net_device_ops csim_netdev_ops = {
	.ndo_open = csim_open,
	.ndo_stop = csim_stop,
	.ndo_start_xmit = csim_start_xmit,
	.ndo_change_mtu = COMPAT_CAN_CHANGE_MTU,
};

/* A restart after bus-off; the CAN core has flushed the slots. */
static int csim_set_mode(struct net_device *dev, enum can_mode mode)
{
	struct csim_priv *priv = netdev_priv(dev);

	if (mode != CAN_MODE_START)
		return -EOPNOTSUPP;
	priv->csim->txerr = 0;
	priv->csim->rxerr = 0;
	priv->can.state = CAN_STATE_ERROR_ACTIVE;
	csim_bus_join(priv->csim);
	netif_wake_queue(dev);
	return 0;
}

static int csim_get_berr_counter(const struct net_device *dev,
				 struct can_berr_counter *counter)
{
	const struct csim_priv *priv = netdev_priv(dev);

	counter->txerr = priv->csim->txerr;
	counter->rxerr = priv->csim->rxerr;
	return 0;
}

int csim_register(struct csim *csim)
{
	struct csim_priv *priv;
	struct net_device *dev;
	int err;

	dev = alloc_candev(sizeof(*priv), csim_slots);
	if (!dev)
		return -ENOMEM;
	snprintf(dev->name, sizeof(dev->name), "csim%u", csim->index);
	dev->netdev_ops = &csim_netdev_ops;
	dev->flags |= IFF_ECHO;
	priv = netdev_priv(dev);
	priv->csim = csim;
	priv->can.clock.freq = 80 * HZ_PER_MHZ;
	priv->can.bittiming_const = &csim_bittiming;
	compat_can_fd(&priv->can)->data_bittiming_const = &csim_bittiming;
	priv->can.ctrlmode_supported = CAN_CTRLMODE_FD |
				       CAN_CTRLMODE_LISTENONLY |
				       CAN_CTRLMODE_BERR_REPORTING;
	priv->can.do_set_mode = csim_set_mode;
	priv->can.do_get_berr_counter = csim_get_berr_counter;

	csim->dev = dev;
	err = register_candev(dev);
	if (err) {
		csim->dev = NULL;
		free_candev(dev);
	}
	return err;
}

void csim_unregister(struct csim *csim)
{
	struct net_device *dev = csim->dev;

	unregister_candev(dev);
	csim->dev = NULL;
	free_candev(dev);
}

static void csim_set_counters(struct csim *csim, enum can_state state)
{
	static const u16 txerr[] = {
		[CAN_STATE_ERROR_ACTIVE] = 0,
		[CAN_STATE_ERROR_WARNING] = 96,
		[CAN_STATE_ERROR_PASSIVE] = 128,
		[CAN_STATE_BUS_OFF] = 256,
	};

	csim->txerr = txerr[state];
}

/* Go into an error state and report it, as a controller would. */
int csim_set_state(struct csim *csim, enum can_state state)
{
	struct csim_priv *priv = csim_priv(csim);
	struct can_frame *cf;
	struct sk_buff *skb;

	if (!netif_running(csim->dev) || state > CAN_STATE_BUS_OFF ||
	    priv->can.state >= CAN_STATE_BUS_OFF)
		return -ENETDOWN;
	if (state == priv->can.state)
		return 0;
	skb = alloc_can_err_skb(csim->dev, &cf);
	if (!skb)
		return -ENOMEM;
	csim_set_counters(csim, state);
	can_change_state(csim->dev, cf, state, CAN_STATE_ERROR_ACTIVE);
	if (state == CAN_STATE_BUS_OFF) {
		netif_stop_queue(csim->dev);
		csim_bus_leave(csim);
		can_bus_off(csim->dev);
	}
	netif_rx(skb);
	return 0;
}

/* Report an error that changes nothing. */
int csim_report(struct csim *csim, canid_t error)
{
	struct can_frame *cf;
	struct sk_buff *skb;

	if (!netif_running(csim->dev))
		return -ENETDOWN;
	skb = alloc_can_err_skb(csim->dev, &cf);
	if (!skb)
		return -ENOMEM;
	cf->can_id |= error & CAN_ERR_MASK;
	netif_rx(skb);
	return 0;
}
