// SPDX-License-Identifier: Apache-2.0
/*
 * v4l2seek NODE BEFORE AFTER OUT: plays the coded file BEFORE on a stateful decoder, seeks when some
 * of its frames have come, plays AFTER to its end and writes that one's frames to OUT. Both are FWHT
 * and of one resolution. What v4l2-ctl has no option for.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE
#define OUT V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
#define BUFFERS 32
#define SECONDS 60

static int node;
static void *in_map, *out_map[BUFFERS];
static unsigned int in_size, out_size, out_count;

static void fail(const char *what)
{
	fprintf(stderr, "v4l2seek: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void call(unsigned long request, void *arg, const char *what)
{
	if (ioctl(node, request, arg))
		fail(what);
}

static void stream(int on, int type)
{
	call(on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type, on ? "STREAMON" : "STREAMOFF");
}

static void *map(int type, unsigned int index, unsigned int *size)
{
	struct v4l2_plane plane = { 0 };
	struct v4l2_buffer buf = { .type = type, .memory = V4L2_MEMORY_MMAP, .index = index,
				   .length = 1, .m.planes = &plane };
	void *at;

	call(VIDIOC_QUERYBUF, &buf, "QUERYBUF");
	*size = plane.length;
	at = mmap(NULL, plane.length, PROT_READ | PROT_WRITE, MAP_SHARED, node, plane.m.mem_offset);
	if (at == MAP_FAILED)
		fail("mmap");
	return at;
}

static unsigned int buffers(int type, unsigned int count)
{
	struct v4l2_requestbuffers rb = { .type = type, .memory = V4L2_MEMORY_MMAP, .count = count };

	call(VIDIOC_REQBUFS, &rb, "REQBUFS");
	return rb.count;
}

/* Its frames have @stamp for a time. */
static void feed(const char *name, int stamp)
{
	struct v4l2_plane plane = { 0 };
	struct v4l2_buffer buf = { .type = IN, .memory = V4L2_MEMORY_MMAP, .length = 1,
				   .m.planes = &plane, .timestamp.tv_sec = stamp };
	int file = open(name, O_RDONLY);
	ssize_t got = file < 0 ? -1 : read(file, in_map, in_size);

	if (got <= 0)
		fail(name);
	if (got == in_size) {
		fprintf(stderr, "v4l2seek: %s does not fit into %u bytes\n", name, in_size);
		exit(1);
	}
	close(file);
	plane.bytesused = got;
	call(VIDIOC_QBUF, &buf, "QBUF of input");
}

static void offer(unsigned int index)
{
	struct v4l2_plane plane = { 0 };
	struct v4l2_buffer buf = { .type = OUT, .memory = V4L2_MEMORY_MMAP, .index = index,
				   .length = 1, .m.planes = &plane };

	call(VIDIOC_QBUF, &buf, "QBUF of output");
}

static void await(short events, const char *what)
{
	struct pollfd fd = { .fd = node, .events = events };

	if (poll(&fd, 1, SECONDS * 1000) <= 0 || !(fd.revents & events)) {
		fprintf(stderr, "v4l2seek: nothing came of waiting for %s (%x)\n", what, fd.revents);
		exit(1);
	}
}

static void begin(const char *name)
{
	struct v4l2_format format = { .type = IN };
	struct v4l2_event_subscription change = { .type = V4L2_EVENT_SOURCE_CHANGE };
	struct v4l2_event event;
	unsigned int i;

	call(VIDIOC_SUBSCRIBE_EVENT, &change, "SUBSCRIBE_EVENT");
	format.fmt.pix_mp.pixelformat = V4L2_PIX_FMT_FWHT;
	format.fmt.pix_mp.num_planes = 1;
	format.fmt.pix_mp.plane_fmt[0].sizeimage = 4 << 20;
	call(VIDIOC_S_FMT, &format, "S_FMT");
	buffers(IN, 1);
	in_map = map(IN, 0, &in_size);
	stream(1, IN);
	feed(name, 1);
	await(POLLPRI, "a size");
	call(VIDIOC_DQEVENT, &event, "DQEVENT");
	out_count = buffers(OUT, 4);
	for (i = 0; i < out_count && i < BUFFERS; i++) {
		out_map[i] = map(OUT, i, &out_size);
		offer(i);
	}
	stream(1, OUT);
}

/* Frames of @stamp go to @out; how many there were, 0 at the end. */
static unsigned int take(int stamp, int out)
{
	struct v4l2_plane plane = { 0 };
	struct v4l2_buffer buf = { .type = OUT, .memory = V4L2_MEMORY_MMAP, .length = 1,
				   .m.planes = &plane };
	int its, last;

	await(POLLIN, "a frame");
	if (ioctl(node, VIDIOC_DQBUF, &buf)) {
		if (errno == EPIPE)
			return 0;
		fail("DQBUF");
	}
	its = buf.timestamp.tv_sec == stamp && plane.bytesused && !(buf.flags & V4L2_BUF_FLAG_ERROR);
	last = buf.flags & V4L2_BUF_FLAG_LAST;
	if (its && out >= 0 &&
	    write(out, out_map[buf.index], plane.bytesused) != (ssize_t)plane.bytesused)
		fail("write");
	if (!last)
		offer(buf.index);
	return last ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct v4l2_decoder_cmd stop = { .cmd = V4L2_DEC_CMD_STOP };
	int out, i;

	if (argc != 5)
		return 2;
	node = open(argv[1], O_RDWR);
	out = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (node < 0 || out < 0)
		fail("open");
	begin(argv[2]);
	for (i = 0; i < 3; i++)
		if (!take(1, -1)) {
			fprintf(stderr, "v4l2seek: the end before the seek\n");
			return 1;
		}
	stream(0, IN);
	stream(1, IN);
	feed(argv[3], 2);
	call(VIDIOC_DECODER_CMD, &stop, "DECODER_CMD");
	while (take(2, out))
		;
	return 0;
}
