// SPDX-License-Identifier: Apache-2.0
#include "canload_stream.h"

#include <string.h>

static const uint8_t fd_lengths[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64 };

static uint32_t mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352dU;
	x ^= x >> 15;
	x *= 0x846ca68bU;
	return x ^ (x >> 16);
}

void stream_frame(unsigned int tag, unsigned int kinds, uint32_t number, struct frame *frame)
{
	uint32_t random = mix(number * 8 + tag);
	unsigned int kind = 1U << (random % 5);
	struct canfd_frame *can = &frame->can;

	while (!(kinds & kind))
		kind = kind == KIND_RTR ? KIND_CLASSIC : kind << 1;

	memset(frame, 0, sizeof(*frame));
	frame->fd = kind & (KIND_FD | KIND_FD_EXTENDED);
	can->len = frame->fd ? fd_lengths[(random >> 8) % 16] : (random >> 8) % 9;
	if (kind & (KIND_EXTENDED | KIND_FD_EXTENDED))
		can->can_id = CAN_EFF_FLAG | tag << 26 | (number & 0x3ffffff);
	else
		can->can_id = tag << 8 | (number & 0xff);
	if (kind == KIND_RTR) {
		can->can_id |= CAN_RTR_FLAG;
		return;
	}
	for (unsigned int i = 0; i < can->len; i++)
		can->data[i] = i < 4 ? number >> (8 * i) : (uint8_t)(random + i);
}

bool stream_owns(unsigned int tag, canid_t id)
{
	if (id & CAN_ERR_FLAG)
		return false;
	if (id & CAN_EFF_FLAG)
		return (id & CAN_EFF_MASK) >> 26 == tag;
	return (id & CAN_SFF_MASK) >> 8 == tag;
}

bool frame_equal(const struct frame *a, const struct frame *b)
{
	return a->fd == b->fd && a->can.can_id == b->can.can_id && a->can.len == b->can.len &&
	       ((a->can.can_id & CAN_RTR_FLAG) || !memcmp(a->can.data, b->can.data, a->can.len));
}

long stream_find(unsigned int tag, unsigned int kinds, uint32_t about, const struct frame *frame)
{
	uint32_t first = about > 1000 ? about - 1000 : 0;
	struct frame candidate;

	for (uint32_t number = first; number < about + 1000; number++) {
		stream_frame(tag, kinds, number, &candidate);
		if (frame_equal(&candidate, frame))
			return number;
	}
	return -1;
}
