/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CANLOAD_STREAM_H
#define CANLOAD_STREAM_H

#include <linux/can.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of frames, a mask. */
enum {
	KIND_CLASSIC = 1,
	KIND_EXTENDED = 2,
	KIND_FD = 4,
	KIND_FD_EXTENDED = 8,
	KIND_RTR = 16,
	KIND_ALL = 31,
};

/*
 * A stream is a tag (1..6) and an endless sequence of frames that follows from
 * it: identifiers, kinds, lengths and data. So a receiver knows each frame
 * beforehand, remote frames without data included.
 */
struct frame {
	struct canfd_frame can;
	bool fd;
};

void stream_frame(unsigned int tag, unsigned int kinds, uint32_t number, struct frame *frame);

/* Whether a frame on the bus is of this stream. */
bool stream_owns(unsigned int tag, canid_t id);

/* Where in the stream the received frame is, near `about`; -1 where nowhere. */
long stream_find(unsigned int tag, unsigned int kinds, uint32_t about, const struct frame *frame);

bool frame_equal(const struct frame *a, const struct frame *b);

/* A receiver's report, on a standard identifier of its own. */
#define ACK_ID(tag)	(0x700 + (tag))

#endif
