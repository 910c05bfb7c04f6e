/* SPDX-License-Identifier: Apache-2.0 */
/* The bus that the CAN fuzzer's requests are about. */
#include <linux/slab.h>

#include "vhost_can.h"

#include "can_host.h"

static struct vhost_can fuzz;
static enum vhost_can_bus fuzz_bus;

int can_create(struct devhost_device *dev, u8 kinds, u32 backlog)
{
	memset(&fuzz, 0, sizeof(fuzz));
	fuzz.dev = dev;
	fuzz.kinds = kinds;
	fuzz.live = true;
	fuzz_bus = VHOST_CAN_BUS_UP;
	vhost_can_rx_create(&fuzz, backlog);
	return vhost_can_rx_start(&fuzz);
}

void can_destroy(void)
{
	vhost_can_rx_stop(&fuzz);
}

enum devhost_answer can_control(struct devhost_chain *chain)
{
	return vhost_can_control(&fuzz, chain);
}

bool can_read(struct devhost_chain *chain, struct can_sent *sent)
{
	if (!vhost_can_frame_read(&fuzz, chain))
		return false;
	sent->can_id = fuzz.tx.can_id;
	sent->len = fuzz.tx.len;
	sent->fd = fuzz.tx.fd;
	memcpy(sent->data, fuzz.tx.msg.sdu, sizeof(sent->data));
	return true;
}

bool can_allowed(const struct can_sent *frame, bool to_guest)
{
	return vhost_can_frame_allowed(&fuzz, frame->can_id, frame->len,
				       frame->fd, to_guest ? DEVHOST_TO_GUEST :
							     DEVHOST_TO_HOST);
}

void can_receive(u16 protocol, const struct canfd_frame *frame)
{
	struct sk_buff skb = {
		.data = (unsigned char *)frame,
		.protocol = cpu_to_be16(protocol),
	};

	if (fuzz.listening)
		vhost_can_rx_frame(&fuzz, &skb);
}

void can_deliver(void)
{
	vhost_can_rx_deliver(&fuzz);
}

void can_bus(u8 state)
{
	fuzz_bus = state % 3;
	if (state & 4)
		fuzz.bus_lost = true;
	vhost_can_bus_event(&fuzz);
}

u32 can_waiting(void)
{
	return fuzz.rx.ring.head - fuzz.rx.ring.tail;
}

/* What the rest of the module is asked for. */
enum vhost_can_bus vhost_can_bus_state(struct vhost_can *vc)
{
	return fuzz_bus;
}

void vhost_can_tx_cancel(struct vhost_can *vc)
{
}

void vhost_can_tx_room(struct vhost_can *vc)
{
}

/* As lib of the kernel's CAN layer, without stuff bits. */
unsigned int can_frame_bits(bool is_fd, bool is_eff, bool bitstuff,
			    bool intermission, size_t data_len)
{
	return (is_eff ? 64 : 44) + 8 * data_len + (is_fd ? 30 : 0) +
	       (intermission ? 3 : 0);
}
