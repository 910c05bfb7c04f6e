/* SPDX-License-Identifier: Apache-2.0 */
/* A device of vhost_can on a bus that is faked, for can.cpp. */
#ifndef FUZZ_CAN_HOST_H
#define FUZZ_CAN_HOST_H

#include <linux/can.h>
#include <linux/types.h>

#include <stdbool.h>

struct devhost_chain;
struct devhost_device;

/* A frame as the bus would get it. */
struct can_sent {
	u32 can_id;
	u8 len;
	bool fd;
	u8 data[CANFD_MAX_DLEN];
};

#ifdef __cplusplus
extern "C" {
#define ANSWER devhost_answer
#else
#define ANSWER enum devhost_answer
#endif

int can_create(struct devhost_device *dev, u8 kinds, u32 backlog);
void can_destroy(void);
ANSWER can_control(struct devhost_chain *chain);
/* Whether the request is a frame, which is put into @sent; @kinds are the device's. */
bool can_read(struct devhost_chain *chain, struct can_sent *sent);
bool can_allowed(const struct can_sent *frame, bool to_guest);
/* A frame of the bus. */
void can_receive(u16 protocol, const struct canfd_frame *frame);
void can_deliver(void);
void can_bus(u8 state);
/* Frames that wait for the guest. */
u32 can_waiting(void);

#ifdef __cplusplus
}
#endif
#endif
