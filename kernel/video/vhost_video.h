/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vhost_video share.
 *
 * A stream has two sides. The worker's (stream.c, resource.c) knows the driver:
 * its chains, its ids, its memory. The session (session.c, turn.c, buffers.c)
 * knows the codec: an open file of the host's device, with the buffers that are in it.
 * Calls into the codec sleep, so they run as jobs, one at a time for a stream;
 * commands go to the job in the order they came, and what is done comes back in
 * the order it is to be answered.
 */
#ifndef _VHOST_VIDEO_H
#define _VHOST_VIDEO_H

#include <linux/file.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/videodev2.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-fh.h>

#include <devhost/device.h>
#include <devhost/policy.h>

#include "protocol.h"

/* Buffers of a queue of a stream: what videobuf2 has always allowed. */
#define VHOST_VIDEO_BUFFERS_MAX		32
/* Output buffers that a codec needs that does not say. */
#define VHOST_VIDEO_BUFFERS_MIN		2
/* Frames a second, where neither codec nor driver said. */
#define VHOST_VIDEO_RATE_DEFAULT	30
#define VHOST_VIDEO_STREAMS_DEFAULT	8
/* Requests of a stream that wait; each is a chain of the driver. */
#define VHOST_VIDEO_COMMANDS_MAX	256
/* Input buffers whose timestamps are remembered; a power of two. */
#define VHOST_VIDEO_STAMPS		256
/* Sources of a wake-up that polling a codec finds. */
#define VHOST_VIDEO_WAITS		4
/* Profiles or levels of one coded format. */
#define VHOST_VIDEO_VALUES_MAX		32

enum {
	VHOST_VIDEO_EVENT_CODEC,	/* a codec woke a stream */
};

/* A command of the device's own: have the session fail. */
#define VHOST_VIDEO_CMD_FAIL		0

enum vhost_video_counter {
	VHOST_VIDEO_STREAMS,
	VHOST_VIDEO_IMPORTED,
	VHOST_VIDEO_QUEUED,
	VHOST_VIDEO_FRAMES,
	VHOST_VIDEO_CORRUPTED,
	VHOST_VIDEO_ERRORS,
	VHOST_VIDEO_LOST,
	VHOST_VIDEO_RESOLUTIONS,
	VHOST_VIDEO_DENIED,

	VHOST_VIDEO_COUNTERS
};

/**
 * struct vhost_video_node - an open file of the codec
 * @file: the file
 * @vdev: its device, held by the file
 * @fh: what V4L2 keeps of the file
 * @mplane: it has the multi-planar interface
 * @encoder: it encodes
 */
struct vhost_video_node {
	struct file *file;
	struct video_device *vdev;
	struct v4l2_fh *fh;
	bool mplane;
	bool encoder;
};

/* What comes back from a job. */
enum vhost_video_kind {
	VHOST_VIDEO_COMMAND,
	VHOST_VIDEO_BUFFER,
};

/**
 * struct vhost_video_item - something done
 * @list: in job->done
 * @kind: what it is part of
 */
struct vhost_video_item {
	struct list_head list;
	enum vhost_video_kind kind;
};

/**
 * struct vhost_video_command - a request on its way through a job
 * @item: in stream->commands, in a job, or in what it has done
 * @chain: to be answered; NULL where the device itself wants something
 * @req: the request
 * @answer: the answer
 * @dmabuf: RESOURCE_QUEUE: the buffer; a reference
 * @index: RESOURCE_QUEUE: its number with the codec
 * @count: RESOURCE_QUEUE: numbers in use, this one included
 * @len: RESOURCE_QUEUE: its size
 * @resources: RESOURCE_DESTROY_ALL: what is to go
 */
struct vhost_video_command {
	struct vhost_video_item item;
	struct devhost_chain *chain;
	struct vhost_video_request req;
	struct vhost_video_answer answer;
	struct dma_buf *dmabuf;
	u32 index;
	u32 count;
	size_t len;
	struct list_head resources;
};

enum vhost_video_slot_state {
	VHOST_VIDEO_FREE,
	VHOST_VIDEO_HELD,
	VHOST_VIDEO_IN_CODEC,
};

/**
 * struct vhost_video_slot - a buffer that the driver has queued
 * @item: in what a job has done
 * @hold: in session->held while it is held back
 * @state: where it is
 * @queue: its queue
 * @index: its number
 * @len: its size
 * @size: bytes that the driver filled
 * @stamp: of an input buffer
 * @dmabuf: the buffer, a reference; NULL while it is free
 * @done: what became of it
 */
struct vhost_video_slot {
	struct vhost_video_item item;
	struct list_head hold;
	enum vhost_video_slot_state state;
	enum vhost_video_queue queue;
	u32 index;
	size_t len;
	u32 size;
	u64 stamp;
	struct dma_buf *dmabuf;
	struct vhost_video_buffer done;
};

struct vhost_video;
struct vhost_video_stream;

/**
 * struct vhost_video_wait - one source of wake-ups
 * @entry: in its wait queue
 * @head: that queue, NULL where there is none
 * @session: what it wakes
 */
struct vhost_video_wait {
	struct wait_queue_entry entry;
	wait_queue_head_t *head;
	struct vhost_video_session *session;
};

/**
 * struct vhost_video_session - a stream's side of the codec
 * @ref: the stream's, a running job's
 * @vv: its device, which closes it before it goes
 * @stream: its stream; the worker's
 * @lock: all below but @woken and @job
 * @node: the file; without one it is closed
 * @format: coded format
 * @params: as the codec has them, or the driver knows them of a decoder's output
 * @wanted: buffers that the driver has
 * @allocated: buffers that the codec has made room for
 * @streaming: the queue runs
 * @slots: buffers
 * @held: output buffers that the codec has not got yet
 * @stamps: timestamps of input buffers
 * @next_stamp: number of the next one
 * @drain: the drain under way, or NULL
 * @stopped: the codec has delivered its last buffer and waits
 * @sized: the codec has said, or has begun with, what size frames have
 * @changed: the codec says that it is another one
 * @changing: and the driver has to make new buffers first
 * @renewing: it has been told, and the codec has none of these yet
 * @tell: the worker is to know of the size
 * @again: params were set since
 * @drained: an empty buffer is to tell the driver that the drain is done
 * @failed: it is closed, or soon will be, and is not opened again
 * @waits: wake it
 * @num_waits: of @waits
 * @bitrate: that the driver has set, 0 where it has not
 * @peak: likewise
 * @woken: the codec has something
 * @job: while one is under way
 * @commands: of the job
 * @done: of the job
 */
struct vhost_video_session {
	struct kref ref;
	struct vhost_video *vv;
	struct vhost_video_stream *stream;
	struct mutex lock; /* the codec's side */
	struct vhost_video_node node;
	u32 format;
	struct vhost_video_params params[VHOST_VIDEO_QUEUES];
	u32 wanted[VHOST_VIDEO_QUEUES];
	u32 allocated[VHOST_VIDEO_QUEUES];
	bool streaming[VHOST_VIDEO_QUEUES];
	struct vhost_video_slot slots[VHOST_VIDEO_QUEUES][VHOST_VIDEO_BUFFERS_MAX];
	struct list_head held;
	u64 stamps[VHOST_VIDEO_STAMPS];
	u64 next_stamp;
	struct vhost_video_command *drain;
	bool stopped;
	bool sized;
	bool changed;
	bool changing;
	bool renewing;
	bool tell;
	bool again;
	bool drained;
	bool failed;
	struct vhost_video_wait waits[VHOST_VIDEO_WAITS];
	unsigned int num_waits;
	u32 bitrate;
	u32 peak;
	unsigned long woken;
	struct devhost_job job;
	struct list_head commands;
	struct list_head done;
};

/**
 * struct vhost_video_resource - guest memory that is a buffer
 * @list: of its queue, or of those that are going
 * @id: the driver's
 * @queue: its queue
 * @index: its number with the codec
 * @memory: the memory
 * @dmabuf: the same
 * @len: bytes
 * @chain: the request that queued it, NULL where it is not queued
 */
struct vhost_video_resource {
	struct list_head list;
	u32 id;
	enum vhost_video_queue queue;
	u32 index;
	struct devhost_resource *memory;
	struct dma_buf *dmabuf;
	size_t len;
	struct devhost_chain *chain;
};

/**
 * struct vhost_video_stream - a stream; the worker's
 * @list: in vv->streams
 * @vv: its device
 * @id: the driver's
 * @session: the codec's side
 * @resources: those that the driver can name
 * @index: all of them, by number, those that are going, too
 * @commands: not yet with a job
 * @num_commands: with the job or not, but for buffers in the codec
 * @busy: a job is under way
 * @ending: its last command is on the way
 * @failed: it serves nothing any more
 * @judge: another policy is in force
 * @events: not told yet: bit 0 ERROR, bit 1 RESOLUTION_CHANGED
 */
struct vhost_video_stream {
	struct list_head list;
	struct vhost_video *vv;
	u32 id;
	struct vhost_video_session *session;
	struct list_head resources[VHOST_VIDEO_QUEUES];
	struct vhost_video_resource *index[VHOST_VIDEO_QUEUES][VHOST_VIDEO_BUFFERS_MAX];
	struct list_head commands;
	u32 num_commands;
	bool busy;
	bool ending;
	bool failed;
	bool judge;
	unsigned long events;
};

#define VHOST_VIDEO_TELL_ERROR		0
#define VHOST_VIDEO_TELL_RESOLUTION	1

/**
 * struct vhost_video_values - what a control of a coded format can be
 * @num: of @value
 * @value: the protocol's values
 */
struct vhost_video_values {
	u32 num;
	u32 value[VHOST_VIDEO_VALUES_MAX];
};

#define VHOST_VIDEO_CODED_NUM \
	(VIRTIO_VIDEO_FORMAT_CODED_MAX - VIRTIO_VIDEO_FORMAT_CODED_MIN + 1)

/**
 * struct vhost_video - a device; constant, or the worker's
 * @dev: the core's side of it
 * @node: the file that it was given; never streams. But for @node.encoder it
 *	may become another one when the codec has gone
 * @node_lock: of that
 * @caps: formats, by queue
 * @profiles: by coded format
 * @levels: by coded format
 * @max_streams: at a time
 * @streams: all of them
 * @num_streams: number of those that the driver can name
 * @num_ending: number of the others
 * @live: started; RCU
 * @parked: suspended
 * @scratch: VHOST_VIDEO_CAPS_MAX bytes; between start() and stop()
 */
struct vhost_video {
	struct devhost_device *dev;
	struct vhost_video_node node;
	struct mutex node_lock; /* while the node is looked at */
	struct vhost_video_caps caps[VHOST_VIDEO_QUEUES];
	struct vhost_video_values profiles[VHOST_VIDEO_CODED_NUM];
	struct vhost_video_values levels[VHOST_VIDEO_CODED_NUM];
	u32 max_streams;
	struct list_head streams;
	u32 num_streams;
	u32 num_ending;
	bool live;
	bool parked;
	void *scratch;
};

/* node.c: the file, and calls of V4L2 on it */
int vhost_video_node_open(struct vhost_video_node *node, int fd, bool encoder,
			  struct netlink_ext_ack *extack);
int vhost_video_node_again(struct vhost_video_node *node,
			   const struct vhost_video_node *from);
void vhost_video_node_swap(struct vhost_video_node *node,
			   struct vhost_video_node *with);
void vhost_video_node_close(struct vhost_video_node *node);
u32 vhost_video_node_type(const struct vhost_video_node *node,
			  enum vhost_video_queue queue);

static inline enum vhost_video_queue
vhost_video_raw(const struct vhost_video_node *node)
{
	return node->encoder ? VHOST_VIDEO_INPUT : VHOST_VIDEO_OUTPUT;
}

static inline enum vhost_video_queue
vhost_video_coded_queue(const struct vhost_video_node *node)
{
	return node->encoder ? VHOST_VIDEO_OUTPUT : VHOST_VIDEO_INPUT;
}

/* v4l2.c */
int vhost_video_enum_fmt(struct vhost_video_node *node,
			 struct v4l2_fmtdesc *desc);
int vhost_video_enum_size(struct vhost_video_node *node,
			  struct v4l2_frmsizeenum *size);
int vhost_video_enum_rate(struct vhost_video_node *node,
			  struct v4l2_frmivalenum *rate);
int vhost_video_g_fmt(struct vhost_video_node *node, struct v4l2_format *fmt);
int vhost_video_s_fmt(struct vhost_video_node *node, struct v4l2_format *fmt);
int vhost_video_g_selection(struct vhost_video_node *node,
			    struct v4l2_selection *sel);
int vhost_video_s_selection(struct vhost_video_node *node,
			    struct v4l2_selection *sel);
int vhost_video_s_parm(struct vhost_video_node *node,
		       struct v4l2_streamparm *parm);
int vhost_video_lock(const struct vhost_video_node *node);
void vhost_video_unlock(const struct vhost_video_node *node);
int vhost_video_subscribe(struct vhost_video_node *node, u32 type);
int vhost_video_reqbufs(struct vhost_video_node *node,
			enum vhost_video_queue queue, u32 *count);
int vhost_video_more_bufs(struct vhost_video_node *node,
			  enum vhost_video_queue queue, u32 *index);
int vhost_video_qbuf(struct vhost_video_node *node, struct v4l2_buffer *buf);
int vhost_video_dqbuf(struct vhost_video_node *node, struct v4l2_buffer *buf);
int vhost_video_stream_on(struct vhost_video_node *node,
			  enum vhost_video_queue queue, bool on);
int vhost_video_stop(struct vhost_video_node *node, bool stop);

/* format.c */
u32 vhost_video_fourcc(u32 format);
u32 vhost_video_from_fourcc(u32 fourcc);
int vhost_video_params_read(struct vhost_video_node *node,
			    enum vhost_video_queue queue,
			    struct vhost_video_params *params);
int vhost_video_params_write(struct vhost_video_node *node,
			     enum vhost_video_queue queue,
			     const struct vhost_video_params *params);

/* caps.c */
int vhost_video_caps_read(struct vhost_video *vv);
bool vhost_video_caps_has(const struct vhost_video_caps *caps, u32 format);

/* control.c */
void vhost_video_controls_read(struct vhost_video *vv);
u32 vhost_video_min_buffers(const struct vhost_video_node *node);
u32 vhost_video_control_get(struct vhost_video_session *session, u32 id,
			    u32 *value);
u32 vhost_video_control_set(struct vhost_video_session *session, u32 id,
			    u32 value);

/* session.c */
struct vhost_video_session *vhost_video_session_new(struct vhost_video *vv,
						    u32 format);
int vhost_video_session_read(struct vhost_video_session *session,
			     enum vhost_video_queue queue);
void vhost_video_session_put(struct vhost_video_session *session);
void vhost_video_session_close(struct vhost_video_session *session);
void vhost_video_session_run(struct vhost_video_session *session);
void vhost_video_session_end(struct vhost_video_session *session);

/* command.c */
struct vhost_video_command *
vhost_video_command_new(struct vhost_video_stream *stream,
			const struct vhost_video_request *req,
			struct devhost_chain *chain);
void vhost_video_command_free(struct vhost_video_command *cmd);
enum devhost_answer vhost_video_answer(struct devhost_chain *chain,
				       const struct vhost_video_request *req,
				       const struct vhost_video_answer *answer);
bool vhost_video_allowed(struct vhost_video *vv,
			 struct devhost_policy_video *ask);
enum devhost_answer vhost_video_request(struct vhost_video *vv,
					struct devhost_chain *chain);

/* buffers.c; session->lock is held */
u32 vhost_video_buffer_queue(struct vhost_video_session *session,
			     struct vhost_video_command *cmd);
void vhost_video_buffers_clear(struct vhost_video_session *session,
			       enum vhost_video_queue queue, bool forget);
void vhost_video_output_restart(struct vhost_video_session *session);
void vhost_video_buffers_take(struct vhost_video_session *session,
			      enum vhost_video_queue queue);
void vhost_video_buffers_feed(struct vhost_video_session *session);
void vhost_video_buffers_end(struct vhost_video_session *session);

/* turn.c; likewise */
u32 vhost_video_drain(struct vhost_video_session *session,
		      struct vhost_video_command *cmd);
void vhost_video_drain_end(struct vhost_video_session *session, u32 type);
void vhost_video_turn(struct vhost_video_session *session);

/* stream.c */
struct vhost_video_stream *vhost_video_stream_find(struct vhost_video *vv,
						   u32 id);
struct vhost_video_stream *vhost_video_stream_new(struct vhost_video *vv,
						  u32 id, u32 format);
void vhost_video_stream_free(struct vhost_video_stream *stream);
void vhost_video_stream_leave(struct vhost_video_stream *stream);
void vhost_video_stream_submit(struct vhost_video_stream *stream);
void vhost_video_stream_fail(struct vhost_video_stream *stream);
void vhost_video_streams_judge(struct vhost_video *vv);
void vhost_video_streams_woken(struct vhost_video *vv);
void vhost_video_streams_park(struct vhost_video *vv);
void vhost_video_streams_end(struct vhost_video *vv);
void vhost_video_events_send(struct vhost_video *vv);

/* resource.c */
u32 vhost_video_resource_create(struct vhost_video_stream *stream,
				const struct vhost_video_request *req,
				struct devhost_chain *chain);
struct vhost_video_resource *
vhost_video_resource_find(struct vhost_video_stream *stream,
			  enum vhost_video_queue queue, u32 id);
void vhost_video_resource_free(struct vhost_video_stream *stream,
			       struct vhost_video_resource *res);
void vhost_video_resource_lost(struct vhost_video *vv,
			       struct devhost_resource *memory);

#endif /* _VHOST_VIDEO_H */
