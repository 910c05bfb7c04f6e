// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controlq: the guest starts and stops its controller; and the bus takes it
 * out of service.
 *
 * The controller is the guest's own, the bus is not: START neither brings the
 * interface up nor restarts it after bus-off, which would disturb everybody
 * else on it. That is the host's to do; meanwhile START fails.
 */
#include "vhost_can.h"

static void vhost_can_enter(struct vhost_can *vc, enum devhost_can_state state)
{
	WRITE_ONCE(vc->state, state);
	WRITE_ONCE(vc->status, state == DEVHOST_CAN_BUSOFF ?
			       VIRTIO_CAN_S_CTRL_BUSOFF : 0);
	WRITE_ONCE(vc->listening, state == DEVHOST_CAN_STARTED);
	if (state != DEVHOST_CAN_STARTED) {
		vhost_can_tx_cancel(vc);
		vhost_can_rx_purge(vc);
	}
	devhost_backend_changed(vc->dev);
}

static u8 vhost_can_start(struct vhost_can *vc)
{
	enum vhost_can_bus bus;

	if (vc->state == DEVHOST_CAN_STARTED)
		return VIRTIO_CAN_RESULT_NOT_OK;
	WRITE_ONCE(vc->bus_lost, false);
	/* First forget what was, then see what is: nothing falls between. */
	smp_mb();
	bus = vhost_can_bus_state(vc);
	if (bus == VHOST_CAN_BUS_DOWN)
		return VIRTIO_CAN_RESULT_NOT_OK;
	vc->tx.bus_ready = bus == VHOST_CAN_BUS_UP;
	vhost_can_rx_purge(vc);
	vhost_can_enter(vc, DEVHOST_CAN_STARTED);
	return VIRTIO_CAN_RESULT_OK;
}

static u8 vhost_can_stop(struct vhost_can *vc)
{
	if (vc->state == DEVHOST_CAN_STOPPED)
		return VIRTIO_CAN_RESULT_NOT_OK;
	vhost_can_enter(vc, DEVHOST_CAN_STOPPED);
	return VIRTIO_CAN_RESULT_OK;
}

/**
 * vhost_can_control - serve a control request
 * @vc: the device
 * @chain: the request
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_can_control(struct vhost_can *vc,
				      struct devhost_chain *chain)
{
	struct virtio_can_control_in in = {
		.result = VIRTIO_CAN_RESULT_NOT_OK,
	};
	struct virtio_can_control_out out;

	if (devhost_chain_writable(chain) < sizeof(in))
		return DEVHOST_REJECT;
	if (devhost_chain_readable(chain) >= sizeof(out) &&
	    !devhost_chain_read(chain, &out, sizeof(out))) {
		switch (le16_to_cpu(out.msg_type)) {
		case VIRTIO_CAN_SET_CTRL_MODE_START:
			in.result = vhost_can_start(vc);
			break;
		case VIRTIO_CAN_SET_CTRL_MODE_STOP:
			in.result = vhost_can_stop(vc);
			break;
		}
	}
	if (devhost_chain_write(chain, &in, sizeof(in)))
		return DEVHOST_REJECT;
	return DEVHOST_COMPLETE;
}

/**
 * vhost_can_bus_event - see what happened to the interface
 * @vc: the device
 *
 * Context: The worker.
 */
void vhost_can_bus_event(struct vhost_can *vc)
{
	bool lost = xchg(&vc->bus_lost, false);

	if (vc->state != DEVHOST_CAN_STARTED)
		return;
	switch (lost ? VHOST_CAN_BUS_DOWN : vhost_can_bus_state(vc)) {
	case VHOST_CAN_BUS_DOWN:
		devhost_count(vc->dev, VHOST_CAN_BUS_OFF, 1);
		vhost_can_enter(vc, DEVHOST_CAN_BUSOFF);
		devhost_config_changed(vc->dev);
		break;
	case VHOST_CAN_BUS_WAKING:
		break;
	case VHOST_CAN_BUS_UP:
		vc->tx.bus_ready = true;
		vhost_can_tx_room(vc);
		break;
	}
}
