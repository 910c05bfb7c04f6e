/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver of virtio-video decoders and encoders: what its parts share.
 *
 * Each open file of the video node is a stream of the device. A stream has a
 * mutex, which is also the lock of its videobuf2 queues, and a spinlock for what
 * completions change. All commands but RESOURCE_QUEUE and STREAM_DRAIN are waited
 * for, and not for long: a device that does not answer is reset.
 */
#ifndef _VIRTIO_VIDEO_DRV_H
#define _VIRTIO_VIDEO_DRV_H

#include <linux/completion.h>
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/videodev2.h>
#include <linux/virtio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/videobuf2-v4l2.h>

#include "virtio_video.h"
#include "virtio_video_formats.h"

#define VIRTIO_VIDEO_NAME	"virtio_video"

/* How long the device may take to answer what is waited for. */
#define VIRTIO_VIDEO_TIMEOUT	(10 * HZ)
#define VIRTIO_VIDEO_EVENTS	32
/* Bounds of what a device may say, and of what it is asked for. */
#define VIRTIO_VIDEO_CAPS_MAX	SZ_64K
#define VIRTIO_VIDEO_FRAMES_MAX	64
#define VIRTIO_VIDEO_VALUES_MAX	64
#define VIRTIO_VIDEO_SIZE_MAX	16384
#define VIRTIO_VIDEO_PLANE_MAX	SZ_1G
#define VIRTIO_VIDEO_STREAMS	16383
/* Input buffers whose time code a frame may ask for. */
#define VIRTIO_VIDEO_METAS	64
#define VIRTIO_VIDEO_CONTROLS	(VIRTIO_VIDEO_CONTROL_GOP_SIZE + 1)

enum virtio_video_dir {
	VIRTIO_VIDEO_IN,
	VIRTIO_VIDEO_OUT,
	VIRTIO_VIDEO_DIRS,
};

struct virtio_video_range {
	u32 min;
	u32 max;
	u32 step;
};

/**
 * struct virtio_video_size - sizes of frames, and rates
 * @width: in pixels
 * @height: in pixels
 * @rate: frames a second
 */
struct virtio_video_size {
	struct virtio_video_range width;
	struct virtio_video_range height;
	struct virtio_video_range rate;
};

/**
 * struct virtio_video_fmt - a format of the device
 * @known: what it is, NULL where that is not known
 * @mask: formats of the other queue that go with it
 * @num_sizes: of @sizes, 1 at least
 * @sizes: what the device can do
 */
struct virtio_video_fmt {
	const struct virtio_video_known *known;
	u64 mask;
	u32 num_sizes;
	struct virtio_video_size *sizes;
};

/**
 * struct virtio_video_caps - what a queue can carry
 * @num: of @fmts
 * @fmts: formats, in the order of the device
 */
struct virtio_video_caps {
	u32 num;
	struct virtio_video_fmt fmts[VIRTIO_VIDEO_MAX_DESCS];
};

/**
 * struct virtio_video_values - what a control of a coded format can be
 * @num: of @values
 * @values: as the protocol numbers them
 */
struct virtio_video_values {
	u32 num;
	u32 values[VIRTIO_VIDEO_VALUES_MAX];
};

#define VIRTIO_VIDEO_CODED_NUM \
	(VIRTIO_VIDEO_FORMAT_CODED_MAX - VIRTIO_VIDEO_FORMAT_CODED_MIN + 1)

/**
 * struct virtio_video_layout - the params of a queue
 * @format: enum virtio_video_format; 0: none yet
 * @width: of the frame, padding included
 * @height: of the frame, padding included
 * @min_buffers: that the device needs
 * @max_buffers: that the device takes
 * @rate: frames a second
 * @crop: what is to be seen of the frame
 * @num_planes: colour planes
 * @planes: they lie in one buffer, one behind the other
 */
struct virtio_video_layout {
	u32 format;
	u32 width;
	u32 height;
	u32 min_buffers;
	u32 max_buffers;
	u32 rate;
	struct v4l2_rect crop;
	u32 num_planes;
	struct {
		u32 size;
		u32 stride;
	} planes[VIRTIO_VIDEO_MAX_PLANES];
};

/**
 * struct virtio_video_device - a device
 * @vdev: not used any more once @up is false for good
 * @v4l2_dev: its release() frees this structure
 * @vfd: the node
 * @encoder: what it is
 * @non_contig: buffers may be scattered
 * @plain: the device does not know the params with a resource type
 * @name: what the device says of itself
 * @bus_info: for QUERYCAP
 * @dma_dev: what buffers are mapped for
 * @physical: the device takes physical addresses
 * @caps: of the input and of the output
 * @profiles: of coded formats
 * @levels: of coded formats
 * @layouts: params of a stream that nothing was done to
 * @controls: what an encoder's controls are then, BIT(enum) in @has_controls
 * @has_controls: those that the device knows
 * @max_resp: the longest answer but that about capabilities
 * @lock: of the queues, @up, and @commands; interrupts off
 * @up: commands can be sent
 * @commandq: virtqueue 0
 * @eventq: virtqueue 1
 * @events: buffers of @eventq
 * @space: for those who wait until @commandq has room
 * @stuck: one of them did so in vain
 * @streams_lock: of @streams; interrupts off
 * @streams: open files
 * @ids: of streams
 * @restart_lock: one restart at a time
 * @restarts: how many there were
 * @removed: there will be no other
 * @config_work: looks whether the device wants a reset
 */
struct virtio_video_device {
	struct virtio_device *vdev;
	struct v4l2_device v4l2_dev;
	struct video_device vfd;
	bool encoder;
	bool non_contig;
	bool plain;
	char name[32];
	char bus_info[32];
	struct device *dma_dev;
	bool physical;

	struct virtio_video_caps caps[VIRTIO_VIDEO_DIRS];
	struct virtio_video_values profiles[VIRTIO_VIDEO_CODED_NUM];
	struct virtio_video_values levels[VIRTIO_VIDEO_CODED_NUM];
	struct virtio_video_layout layouts[VIRTIO_VIDEO_DIRS];
	u32 controls[VIRTIO_VIDEO_CONTROLS];
	u32 has_controls;
	u32 max_resp;

	spinlock_t lock;
	bool up;
	struct virtqueue *commandq;
	struct virtqueue *eventq;
	struct virtio_video_event *events;
	wait_queue_head_t space;
	bool stuck;

	spinlock_t streams_lock;
	struct list_head streams;
	struct ida ids;

	struct mutex restart_lock;
	unsigned int restarts;
	bool removed;
	struct work_struct config_work;
};

/**
 * struct virtio_video_buffer - a buffer
 * @vb: videobuf2's side, first
 * @list: in one of its queue's
 * @known: the device knows where it is
 */
struct virtio_video_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head list;
	bool known;
};

/**
 * struct virtio_video_queue - a queue of a stream
 * @vb: videobuf2's side
 * @dir: which one
 * @layout: what its buffers hold
 * @pending: buffers that are here, in their order
 * @busy: buffers that the device has
 * @streaming: the device may have them
 * @resources: buffers that the device knows
 * @sequence: of the next buffer that is done
 */
struct virtio_video_queue {
	struct vb2_queue vb;
	enum virtio_video_dir dir;
	struct virtio_video_layout layout;
	struct list_head pending;
	struct list_head busy;
	bool streaming;
	u32 resources;
	u32 sequence;
};

/* What an input buffer says that goes with its frame. */
struct virtio_video_meta {
	u64 timestamp;
	u32 flags;
	struct v4l2_timecode timecode;
};

/* What a stream's work has to see to. */
enum virtio_video_task {
	VIRTIO_VIDEO_TASK_RESOLUTION,
	VIRTIO_VIDEO_TASK_DRAIN,
};

/**
 * struct virtio_video_stream - an open file
 * @fh: V4L2's side
 * @ref: by the file and by commands that are under way
 * @vv: the device
 * @list: in the device's
 * @id: the device's name for it
 * @restarts: of the device, when it was opened
 * @made: the device has made it, which is not done before it is needed
 * @coded_format: what the device is to make it for
 * @lock: of ioctls and of both queues
 * @handler: controls
 * @queues: input and output
 * @colorspace: the protocol knows of no colours; what is set is told
 * @ycbcr_enc: likewise
 * @quantization: likewise
 * @xfer_func: likewise
 * @slock: of all below and of the lists in @queues; interrupts off
 * @closing: no work any more
 * @failed: the device does nothing for it any more
 * @lost: the device does not know it any more
 * @draining: the end was asked for, and is to come
 * @stopped: the end was reached
 * @changing: output has another size, and was not begun with again
 * @redrain: the drain was lost to a change
 * @recalling: output buffers come back to be queued again
 * @last_owed: the next output buffer is the last one, and empty
 * @recalled: those buffers
 * @tasks: enum virtio_video_task, bits
 * @work: does them
 * @num_metas: input buffers so far
 * @metas: the last ones
 */
struct virtio_video_stream {
	struct v4l2_fh fh;
	struct kref ref;
	struct virtio_video_device *vv;
	struct list_head list;
	u32 id;
	unsigned int restarts;
	bool made;
	u32 coded_format;
	struct mutex lock;
	struct v4l2_ctrl_handler handler;
	struct virtio_video_queue queues[VIRTIO_VIDEO_DIRS];
	u32 colorspace;
	u32 ycbcr_enc;
	u32 quantization;
	u32 xfer_func;

	spinlock_t slock;
	bool closing;
	bool failed;
	bool lost;
	bool draining;
	bool stopped;
	bool changing;
	bool redrain;
	bool recalling;
	bool last_owed;
	struct list_head recalled;
	unsigned long tasks;
	struct work_struct work;
	u32 num_metas;
	struct virtio_video_meta metas[VIRTIO_VIDEO_METAS];
};

/**
 * struct virtio_video_cmd - a command, until it is answered or the device is reset
 * @ref: by who waits, and by the virtqueue
 * @list: of those that are done
 * @done: it is
 * @status: 0, or why there will be no answer
 * @used: length of the answer
 * @complete: called when it is done, from an interrupt; may be NULL
 * @stream: whose it is, or NULL
 * @buf: the buffer of RESOURCE_QUEUE
 * @req: the request
 * @req_len: its length
 * @extra: entries of RESOURCE_CREATE; freed with it
 * @extra_len: their length
 * @resp: the answer
 * @resp_len: room for it
 */
struct virtio_video_cmd {
	struct kref ref;
	struct list_head list;
	struct completion done;
	int status;
	u32 used;
	void (*complete)(struct virtio_video_cmd *cmd);
	struct virtio_video_stream *stream;
	struct virtio_video_buffer *buf;
	void *req;
	size_t req_len;
	void *extra;
	size_t extra_len;
	void *resp;
	size_t resp_len;
};

static inline struct virtio_video_stream *to_stream(struct file *file)
{
	return container_of(file_to_v4l2_fh(file), struct virtio_video_stream, fh);
}

static inline struct virtio_video_buffer *to_buffer(struct vb2_buffer *vb)
{
	return container_of(to_vb2_v4l2_buffer(vb), struct virtio_video_buffer, vb);
}

static inline struct virtio_video_queue *
virtio_video_queue_of(struct virtio_video_stream *stream, u32 type)
{
	return &stream->queues[V4L2_TYPE_IS_OUTPUT(type) ? VIRTIO_VIDEO_IN :
							   VIRTIO_VIDEO_OUT];
}

static inline enum virtio_video_dir
virtio_video_coded(const struct virtio_video_device *vv)
{
	return vv->encoder ? VIRTIO_VIDEO_OUT : VIRTIO_VIDEO_IN;
}

static inline enum virtio_video_dir
virtio_video_raw(const struct virtio_video_device *vv)
{
	return vv->encoder ? VIRTIO_VIDEO_IN : VIRTIO_VIDEO_OUT;
}

/* Nor does the device know one that was there before it was reset. */
static inline bool virtio_video_lost(const struct virtio_video_stream *stream)
{
	return READ_ONCE(stream->lost) ||
	       stream->restarts != READ_ONCE(stream->vv->restarts);
}

static inline bool virtio_video_is_coded(u32 format)
{
	return format >= VIRTIO_VIDEO_FORMAT_CODED_MIN &&
	       format <= VIRTIO_VIDEO_FORMAT_CODED_MAX;
}

/* main.c */
void virtio_video_restart(struct virtio_video_device *vv, unsigned int restarts);

/* command.c */
struct virtio_video_cmd *virtio_video_cmd_new(u32 type, size_t req_len,
					      size_t resp_len);
void virtio_video_cmd_put(struct virtio_video_cmd *cmd);
int virtio_video_cmd_send(struct virtio_video_device *vv,
			  struct virtio_video_cmd *cmd);
int virtio_video_cmd_answer(const struct virtio_video_cmd *cmd, u32 type,
			    size_t len);
int virtio_video_cmd_call(struct virtio_video_device *vv,
			  struct virtio_video_cmd *cmd, u32 type, size_t len);
void virtio_video_cmd_interrupt(struct virtqueue *vq);
void virtio_video_cmd_flush(struct virtio_video_device *vv);

/* request.c */
int virtio_video_stream_create(struct virtio_video_stream *stream, u32 format);
int virtio_video_stream_destroy(struct virtio_video_stream *stream);
int virtio_video_drain(struct virtio_video_stream *stream,
		       void (*complete)(struct virtio_video_cmd *cmd));
int virtio_video_queue_clear(struct virtio_video_stream *stream,
			     enum virtio_video_dir dir);
int virtio_video_destroy_all(struct virtio_video_stream *stream,
			     enum virtio_video_dir dir);
int virtio_video_get_params(struct virtio_video_stream *stream,
			    enum virtio_video_dir dir,
			    struct virtio_video_layout *layout);
int virtio_video_set_params(struct virtio_video_stream *stream,
			    enum virtio_video_dir dir,
			    const struct virtio_video_layout *layout);
int virtio_video_resource_create(struct virtio_video_stream *stream,
				 enum virtio_video_dir dir, u32 id,
				 struct sg_table *sgt, size_t len);
int virtio_video_resource_queue(struct virtio_video_stream *stream,
				enum virtio_video_dir dir, u32 id,
				struct virtio_video_buffer *buf,
				void (*complete)(struct virtio_video_cmd *cmd));
int virtio_video_query_control(struct virtio_video_device *vv, u32 control,
			       u32 format, struct virtio_video_values *values);
int virtio_video_get_control(struct virtio_video_stream *stream, u32 control,
			     u32 *value);
int virtio_video_set_control(struct virtio_video_stream *stream, u32 control,
			     u32 value, bool button);

/* event.c */
int virtio_video_events_init(struct virtio_video_device *vv);
void virtio_video_events_fill(struct virtio_video_device *vv);
void virtio_video_event_interrupt(struct virtqueue *vq);

/* caps.c */
int virtio_video_caps_read(struct virtio_video_device *vv);
void virtio_video_caps_free(struct virtio_video_device *vv);
const struct virtio_video_fmt *
virtio_video_caps_find(const struct virtio_video_device *vv,
		       enum virtio_video_dir dir, u32 format);
const struct virtio_video_fmt *
virtio_video_caps_fourcc(const struct virtio_video_device *vv,
			 enum virtio_video_dir dir, u32 fourcc);

/* format.c */
u32 virtio_video_layout_size(const struct virtio_video_layout *layout);
int virtio_video_params_read(struct virtio_video_stream *stream);
extern const struct v4l2_ioctl_ops virtio_video_ioctl_ops;
int virtio_video_enum_fmt_cap(struct file *file, void *priv,
			      struct v4l2_fmtdesc *f);
int virtio_video_enum_fmt_out(struct file *file, void *priv,
			      struct v4l2_fmtdesc *f);
int virtio_video_g_fmt(struct file *file, void *priv, struct v4l2_format *f);
int virtio_video_try_fmt(struct file *file, void *priv, struct v4l2_format *f);
int virtio_video_s_fmt(struct file *file, void *priv, struct v4l2_format *f);

/* select.c */
int virtio_video_enum_framesizes(struct file *file, void *priv,
				 struct v4l2_frmsizeenum *size);
int virtio_video_enum_frameintervals(struct file *file, void *priv,
				     struct v4l2_frmivalenum *rate);
int virtio_video_g_parm(struct file *file, void *priv,
			struct v4l2_streamparm *parm);
int virtio_video_s_parm(struct file *file, void *priv,
			struct v4l2_streamparm *parm);
int virtio_video_g_selection(struct file *file, void *priv,
			     struct v4l2_selection *sel);
int virtio_video_s_selection(struct file *file, void *priv,
			     struct v4l2_selection *sel);

/* control.c */
int virtio_video_controls_query(struct virtio_video_device *vv);
void virtio_video_controls_read(struct virtio_video_stream *stream);
int virtio_video_controls_init(struct virtio_video_stream *stream);
void virtio_video_controls_told(struct virtio_video_stream *stream);

/* queue.c */
int virtio_video_queues_init(struct virtio_video_stream *stream);
void virtio_video_queues_limit(struct virtio_video_stream *stream);
void virtio_video_queues_release(struct virtio_video_stream *stream);
void virtio_video_queue_push(struct virtio_video_stream *stream,
			     struct virtio_video_queue *queue);
int virtio_video_recall(struct virtio_video_stream *stream);

/* stream.c */
int virtio_video_open(struct file *file);
int virtio_video_stream_need(struct virtio_video_stream *stream);
int virtio_video_stream_recode(struct virtio_video_stream *stream, u32 format);
void virtio_video_defaults_read(struct virtio_video_device *vv);
int virtio_video_release(struct file *file);
void virtio_video_stream_put(struct virtio_video_stream *stream);
void virtio_video_stream_fail(struct virtio_video_stream *stream, bool lost);
void virtio_video_stream_task(struct virtio_video_stream *stream,
			      enum virtio_video_task task);

/* drain.c */
void virtio_video_work(struct work_struct *work);
int virtio_video_stop(struct virtio_video_stream *stream);
int virtio_video_start(struct virtio_video_stream *stream);
void virtio_video_resume(struct virtio_video_stream *stream);
void virtio_video_end(struct virtio_video_stream *stream);
void virtio_video_last(struct virtio_video_stream *stream,
		       struct virtio_video_buffer *buf);

/* buffers.c */
int virtio_video_mmap(struct file *file, struct vm_area_struct *vma);
__poll_t virtio_video_poll(struct file *file, struct poll_table_struct *wait);
int virtio_video_reqbufs(struct file *file, void *priv,
			 struct v4l2_requestbuffers *rb);
int virtio_video_querybuf(struct file *file, void *priv, struct v4l2_buffer *buf);
int virtio_video_create_bufs(struct file *file, void *priv,
			     struct v4l2_create_buffers *cb);
int virtio_video_prepare_buf(struct file *file, void *priv,
			     struct v4l2_buffer *buf);
int virtio_video_remove_bufs(struct file *file, void *priv,
			     struct v4l2_remove_buffers *rb);
int virtio_video_qbuf(struct file *file, void *priv, struct v4l2_buffer *buf);
int virtio_video_dqbuf(struct file *file, void *priv, struct v4l2_buffer *buf);
int virtio_video_expbuf(struct file *file, void *priv,
			struct v4l2_exportbuffer *eb);
int virtio_video_streamon(struct file *file, void *priv,
			  enum v4l2_buf_type type);
int virtio_video_streamoff(struct file *file, void *priv,
			   enum v4l2_buf_type type);

#endif /* _VIRTIO_VIDEO_DRV_H */
