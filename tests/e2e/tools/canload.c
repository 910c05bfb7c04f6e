// SPDX-License-Identifier: Apache-2.0
/*
 * canload: CAN traffic that is checked frame by frame.
 *
 *	canload send IFACE --tag T --count N [--receivers R] [--window W] [--kinds MASK]
 *	canload check IFACE --tag T --count N [--receiver I] [--no-ack] [--kinds MASK]
 *	canload flood IFACE --tag T [--kinds MASK]
 *
 * send waits until R receivers have reported, keeps at most W frames ahead of
 * the slowest of them, and ends when all have reported everything. check
 * demands each frame of the stream once, in order. flood sends without regard.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "canload_stream.h"

#define RECEIVERS_MAX	8

struct options {
	const char *interface;
	unsigned int tag, kinds, receivers, receiver, window, gap_us;
	uint32_t count;
	bool ack;
	double timeout;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "canload: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Bound last: what passes before the filter is set would be heard too. */
static int open_can(const struct options *o, const struct can_filter *filters, size_t size)
{
	int on = 1, room = 4 << 20;
	struct sockaddr_can address = { .can_family = AF_CAN };
	int fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);

	if (fd < 0)
		fail("cannot open a CAN socket");
	if (setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof(on)))
		fail("cannot ask for CAN FD frames");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FILTER, filters, size))
		fail("cannot set a filter");
	address.can_ifindex = if_nametoindex(o->interface);
	if (!address.can_ifindex || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(o->interface);
	return fd;
}

/* Send one frame, waiting while the interface's queue is full. */
static void put(int fd, const struct frame *frame, double timeout)
{
	size_t size = frame->fd ? CANFD_MTU : CAN_MTU;
	double until = now() + timeout;

	while (write(fd, &frame->can, size) != (ssize_t)size) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			fail("cannot send");
		if (now() > until) {
			fprintf(stderr, "canload: the interface took no frame for %.0f s\n", timeout);
			exit(1);
		}
		usleep(200);
	}
}

/* Take one frame; false when there is none within the time. */
static bool get(int fd, struct frame *frame, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t size;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	size = read(fd, &frame->can, sizeof(frame->can));
	if (size < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return false;
		fail("cannot receive");
	}
	frame->fd = size == CANFD_MTU;
	return true;
}

static uint32_t slowest(const uint32_t *acked, unsigned int receivers)
{
	uint32_t least = UINT32_MAX;

	for (unsigned int i = 0; i < receivers; i++)
		if (acked[i] < least)
			least = acked[i];
	return least;
}

/* Take what reports there are, waiting for the first one up to the time. */
static bool take_acks(int fd, uint32_t *acked, bool *present, int timeout_ms)
{
	struct frame frame;
	bool any = false;

	while (get(fd, &frame, any ? 0 : timeout_ms)) {
		unsigned int receiver = frame.can.data[4];
		uint32_t count;

		memcpy(&count, frame.can.data, 4);
		if (frame.can.len != 5 || receiver >= RECEIVERS_MAX)
			continue;
		present[receiver] = true;
		if (count > acked[receiver])
			acked[receiver] = count;
		any = true;
	}
	return any;
}

static int send_stream(const struct options *o)
{
	uint32_t acked[RECEIVERS_MAX] = { 0 }, sent = 0;
	bool present[RECEIVERS_MAX] = { false };
	double progress = now(), started;
	const struct can_filter acks = {
		ACK_ID(o->tag), CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG
	};
	int fd = open_can(o, &acks, sizeof(acks));

	for (unsigned int i = 0; i < o->receivers; i++) {
		while (!present[i]) {
			take_acks(fd, acked, present, 200);
			if (now() - progress > o->timeout) {
				fprintf(stderr, "canload: receiver %u does not report\n", i);
				return 1;
			}
		}
	}
	started = progress = now();
	while (slowest(acked, o->receivers) < o->count) {
		uint32_t before = slowest(acked, o->receivers);

		while (sent < o->count && sent - before < o->window) {
			struct frame frame;

			stream_frame(o->tag, o->kinds, sent++, &frame);
			put(fd, &frame, o->timeout);
			if (o->gap_us)
				usleep(o->gap_us);
		}
		take_acks(fd, acked, present, 500);
		if (slowest(acked, o->receivers) != before)
			progress = now();
		if (now() - progress > o->timeout) {
			fprintf(stderr, "canload: sent %u frames, the slowest receiver has %u\n",
				sent, slowest(acked, o->receivers));
			return 1;
		}
	}
	printf("sent %u frames of stream %u in %.1f s\n", sent, o->tag, now() - started);
	return 0;
}

static void report(int fd, const struct options *o, uint32_t count)
{
	struct frame ack = { .can = { .can_id = ACK_ID(o->tag), .len = 5 } };

	if (!o->ack)
		return;
	memcpy(ack.can.data, &count, 4);
	ack.can.data[4] = o->receiver;
	put(fd, &ack, o->timeout);
}

static void complain(const struct options *o, uint32_t expected, const struct frame *frame)
{
	long found = stream_find(o->tag, o->kinds, expected, frame);

	fprintf(stderr, "canload: stream %u: frame %u expected, but id %08x length %u%s came: ",
		o->tag, expected, frame->can.can_id, frame->can.len, frame->fd ? " FD" : "");
	if (found < 0)
		fprintf(stderr, "no frame of the stream near\n");
	else if (found < (long)expected)
		fprintf(stderr, "frame %ld, which came before\n", found);
	else
		fprintf(stderr, "frame %ld, so %ld are lost\n", found, found - (long)expected);
}

static int check_stream(const struct options *o)
{
	uint32_t expected = 0, reported = 0;
	double progress = now(), last_report = 0;
	struct frame frame, wanted;
	const struct can_filter stream[] = {
		{ o->tag << 8, CAN_EFF_FLAG | 0x700 },
		{ CAN_EFF_FLAG | o->tag << 26, CAN_EFF_FLAG | 0x1c000000 },
	};
	int fd = open_can(o, stream, sizeof(stream));

	/* for who starts a sender that waits for no report */
	printf("listening\n");
	fflush(stdout);
	/* what comes after the last frame must not be one of the stream */
	while (expected < o->count || now() - progress < 1) {
		double time = now();

		if (expected - reported >= o->window / 4 || time - last_report > 0.3 ||
		    (expected == o->count && reported != expected)) {
			report(fd, o, expected);
			reported = expected;
			last_report = time;
		}
		if (!get(fd, &frame, 100)) {
			if (time - progress > o->timeout) {
				fprintf(stderr, "canload: stream %u: no frame %u within %.0f s\n",
					o->tag, expected, o->timeout);
				return 1;
			}
			continue;
		}
		if (!stream_owns(o->tag, frame.can.can_id))
			continue;
		stream_frame(o->tag, o->kinds, expected, &wanted);
		if (expected == o->count || !frame_equal(&wanted, &frame)) {
			complain(o, expected, &frame);
			return 1;
		}
		expected++;
		progress = now();
	}
	printf("checked %u frames of stream %u\n", expected, o->tag);
	return 0;
}

static _Noreturn void flood(const struct options *o)
{
	int fd = open_can(o, NULL, 0);

	for (uint32_t number = 0;; number++) {
		struct frame frame;

		stream_frame(o->tag, o->kinds, number, &frame);
		put(fd, &frame, o->timeout);
		if (o->gap_us)
			usleep(o->gap_us);
	}
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (*end || !*text) {
		fprintf(stderr, "canload: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "tag", required_argument, NULL, 't' },
		{ "count", required_argument, NULL, 'n' },
		{ "kinds", required_argument, NULL, 'k' },
		{ "receivers", required_argument, NULL, 'r' },
		{ "receiver", required_argument, NULL, 'i' },
		{ "window", required_argument, NULL, 'w' },
		{ "gap", required_argument, NULL, 'g' },
		{ "timeout", required_argument, NULL, 's' },
		{ "no-ack", no_argument, NULL, 'a' },
		{ 0 },
	};
	struct options o = {
		.tag = 1, .kinds = KIND_ALL, .receivers = 1, .window = 64, .count = 1000,
		.ack = true, .timeout = 120,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 't': o.tag = number(optarg); break;
		case 'n': o.count = number(optarg); break;
		case 'k': o.kinds = number(optarg); break;
		case 'r': o.receivers = number(optarg); break;
		case 'i': o.receiver = number(optarg); break;
		case 'w': o.window = number(optarg); break;
		case 'g': o.gap_us = number(optarg); break;
		case 's': o.timeout = number(optarg); break;
		case 'a': o.ack = false; break;
		default: return 2;
		}
	}
	if (optind + 2 != argc || o.tag < 1 || o.tag > 6 || !(o.kinds & KIND_ALL) ||
	    o.receivers > RECEIVERS_MAX || o.receiver >= RECEIVERS_MAX || o.window < 4) {
		fprintf(stderr, "usage: canload send|check|flood IFACE --tag 1..6 [OPTION]...\n");
		return 2;
	}
	o.interface = argv[optind + 1];
	if (!strcmp(argv[optind], "send"))
		return send_stream(&o);
	if (!strcmp(argv[optind], "check"))
		return check_stream(&o);
	if (!strcmp(argv[optind], "flood"))
		flood(&o);
	fprintf(stderr, "canload: no command %s\n", argv[optind]);
	return 2;
}
