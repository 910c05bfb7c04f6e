/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhost_snd: virtio sound devices on the host's ALSA cards.
 *
 *   main.c     the device class: creation, start, stop, suspend, events
 *   config.c   what the configuration says: streams, jacks, controls
 *   fill.c     what it tells of itself
 *   file.c     the file of a PCM of the host
 *   host.c     a PCM of the host: its wake-ups, its data
 *   job.c      what is done to it and sleeps
 *   params.c   formats, rates and sizes: what a PCM can, what is made of a wish
 *   stream.c   a stream of the guest: requests in order, the state machine
 *   xfer.c     tx and rx: data between guest memory and the PCM, positions
 *   event.c    eventq
 *   info.c     controlq: who answers what; the *_INFO requests
 *   card.c     a card of the host: its control file and events
 *   elem.c     its control elements
 *   control.c  control elements of the guest
 *
 * A host PCM is a file that the daemon has opened: it holds the card and its
 * module, and brings its substream along. What may sleep is done to it by helper
 * threads, one job at a time for each stream; only copying and looking at the
 * position is the worker's. ALSA wakes by entries in the PCM's wait queues, in
 * interrupts and under the stream lock: they only leave a bit and raise an
 * event. So do the control file's.
 *
 * Who owns what: vs->lock decides between the worker (vs->serving) and everybody
 * else, when the worker does not serve: start(), stop(), set(), and the work
 * that lets go of a card that went away. set() on a device that serves leaves
 * what it brings in ->offered.
 *
 * Locks, outermost first: those of the core, vs->lock, pcm->lock, ALSA's.
 */
#ifndef _VHOST_SND_H
#define _VHOST_SND_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/virtio_snd.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <sound/core.h>
#include <sound/pcm.h>

#include <devhost/device.h>
#include <devhost/policy.h>

#include "host_pcm.h"

/* Added to the rates of linux/virtio_snd.h by virtio 1.4. */
#define VIRTIO_SND_PCM_RATE_12000	14
#define VIRTIO_SND_PCM_RATE_24000	15

#define VIRTIO_SND_DEVICE_ID		25

/* The largest frame: 255 channels of 64 bits. */
#define VHOST_SND_FRAME_MAX		(255 * 8)

/* tx and rx requests that a device can hold: all that its two queues can. */
#define VHOST_SND_MSGS			(2 * DEVHOST_VQ_SIZE_MAX)

/* Events for the worker */
enum {
	VHOST_SND_EVENT_PCM,	/* streams in vs->woken */
	VHOST_SND_EVENT_OFFER,	/* set() has brought something */
	VHOST_SND_EVENT_JACK,	/* jacks in vs->jacks_changed */
	VHOST_SND_EVENT_CARD,	/* control elements changed, or a card is gone */
	VHOST_SND_EVENT_FILLED,	/* queues were looked into for START */
};

enum vhost_snd_counter {
	VHOST_SND_TX_FRAMES,
	VHOST_SND_TX_BYTES,
	VHOST_SND_RX_FRAMES,
	VHOST_SND_RX_BYTES,
	VHOST_SND_IO_ERRORS,
	VHOST_SND_IO_INVALID,
	VHOST_SND_UNDERRUNS,
	VHOST_SND_OVERRUNS,
	VHOST_SND_RECOVERIES,
	VHOST_SND_REQUESTS_REFUSED,
	VHOST_SND_REQUESTS_DENIED,
	VHOST_SND_EVENTS_DROPPED,
	VHOST_SND_PCMS_LOST,

	VHOST_SND_COUNTERS
};

struct vhost_snd;
struct vhost_snd_stream;

/**
 * struct vhost_snd_caps - what a PCM can, within the limits of its stream
 * @formats: bits VIRTIO_SND_PCM_FMT_*
 * @rates: bits VIRTIO_SND_PCM_RATE_*
 * @channels_min: channels at least
 * @channels_max: channels at most
 */
struct vhost_snd_caps {
	u64 formats;
	u64 rates;
	u8 channels_min;
	u8 channels_max;
};

/**
 * struct vhost_snd_pcm - a PCM of the host
 * @ref: one for the stream that has it, one for each job
 * @file: what the daemon opened
 * @substream: what the file brought along; lives as long as the file
 * @stream: whom to wake; the stream takes the entries away before it goes
 * @sleep: entry in the PCM's queue of those who poll
 * @tsleep: entry in the PCM's queue of those who transfer
 * @copying: who copies right now: not to be woken by that
 * @caps: what it can
 * @lock: what sleeps is done one at a time
 * @session: counts the stops of the device
 * @hush: the device stopped: whoever has @lock next makes the PCM silent
 * @silence: does so where nobody else comes
 * @release: gives the file back: not for the worker, whose last fput() would
 *	wait for the end of its thread
 */
struct vhost_snd_pcm {
	struct kref ref;
	struct vhost_snd_file file;
	struct snd_pcm_substream *substream;
	struct vhost_snd_stream *stream;
	struct wait_queue_entry sleep;
	struct wait_queue_entry tsleep;
	struct task_struct *copying;
	struct vhost_snd_caps caps;
	struct mutex lock; /* what sleeps is done one at a time */
	u32 session;
	bool hush;
	struct work_struct silence;
	struct work_struct release;
};

/* What a job does to a PCM, in this order. */
#define VHOST_SND_OP_DROP	BIT(0)
#define VHOST_SND_OP_FREE	BIT(1)
#define VHOST_SND_OP_PARAMS	BIT(2)
#define VHOST_SND_OP_PREPARE	BIT(3)
#define VHOST_SND_OP_START	BIT(4)

/**
 * struct vhost_snd_job - something that sleeps, for one stream
 * @job: the core's part
 * @stream: which
 * @pcm: its PCM; a reference
 * @session: of the PCM when the job was made
 * @ops: bits VHOST_SND_OP_*
 * @params: for VHOST_SND_OP_PARAMS
 * @err: 0 or what went wrong
 * @hw_ptr: where the PCM stands afterwards
 * @boundary: where its pointers wrap
 * @period_size: frames of its periods
 * @buffer_size: frames of its buffer
 */
struct vhost_snd_job {
	struct devhost_job job;
	struct vhost_snd_stream *stream;
	struct vhost_snd_pcm *pcm;
	u32 session;
	unsigned int ops;
	struct vhost_snd_params params;
	int err;
	snd_pcm_uframes_t hw_ptr;
	snd_pcm_uframes_t boundary;
	snd_pcm_uframes_t period_size;
	snd_pcm_uframes_t buffer_size;
};

/**
 * struct vhost_snd_request - a control request that waits for its turn
 * @list: in stream->requests
 * @chain: to be answered
 * @code: VIRTIO_SND_R_PCM_*
 * @params: of VIRTIO_SND_R_PCM_SET_PARAMS, checked
 */
struct vhost_snd_request {
	struct list_head list;
	struct devhost_chain *chain;
	u32 code;
	struct vhost_snd_params params;
};

/**
 * struct vhost_snd_msg - a tx or rx request
 * @list: in stream->queued, stream->playing or vs->msgs_free
 * @chain: to be answered
 * @frames: that it has room for
 * @copied: of them, between guest memory and PCM
 * @end: position in the stream behind the last one copied
 */
struct vhost_snd_msg {
	struct list_head list;
	struct devhost_chain *chain;
	u32 frames;
	u32 copied;
	u64 end;
};

/* What the host's PCM is known to be, while no job is under way. */
enum vhost_snd_host {
	VHOST_SND_HOST_NONE,	/* has no parameters of ours */
	VHOST_SND_HOST_SETUP,	/* has them; silent */
	VHOST_SND_HOST_PREPARED,
	VHOST_SND_HOST_RUNNING,
};

/* What was queued before START goes into the PCM first. */
enum vhost_snd_fill {
	VHOST_SND_FILL_NONE,
	VHOST_SND_FILL_UNDER_WAY,
	VHOST_SND_FILL_DONE,
};

/**
 * struct vhost_snd_stream - a stream of the guest
 * @vs: its device
 * @id: its number
 * @direction: which way it goes
 * @node: function group
 * @channels_max: limit
 * @rate_max: limit
 * @period_min: limit, in microseconds
 * @buffer_max: limit, in bytes
 * @pcm: the host's PCM, NULL while there is none
 * @offered: the PCM to have instead
 * @card: number of its card, -1 without one; for fill()
 * @device: number of the PCM device; for fill()
 * @subdevice: number of the substream; for fill()
 * @caps: of the last PCM
 * @chmaps: channel maps of it
 * @num_chmaps: number of them
 * @state: what the driver has made of it; the worker writes
 * @params: in CONFIGURED and beyond
 * @host: what the PCM is
 * @busy: a job is under way
 * @restart: @host is to run again without the driver's doing
 * @judge: another policy is in force since it was started
 * @polling: look into the queue when the PCM wakes; the worker writes
 * @fill: how far the queue was looked into for the START that waits
 * @serving: the control request that a job is under way for
 * @requests: control requests that wait for it, in order
 * @queued: tx and rx requests that are not copied whole, in order
 * @playing: tx requests that are copied and not played, in order; before @queued
 * @hw: frames that the PCM has played or captured since it was prepared
 * @appl: frames that were given to it, or taken from it
 * @hw_ptr: the PCM's pointer at @hw
 * @boundary: where it wraps
 * @period_size: frames of its periods
 * @buffer_size: frames of its buffer
 * @delay: frames between the pointer and the air
 * @fed: it got data since it was prepared
 * @dry: it had played everything when it last woke us
 * @reported: the driver was told of this xrun
 * @stage: a frame that lies on a seam of guest memory
 */
struct vhost_snd_stream {
	struct vhost_snd *vs;
	u32 id;
	enum devhost_snd_direction direction;
	u32 node;
	u32 channels_max;
	u32 rate_max;
	u32 period_min;
	u32 buffer_max;
	struct vhost_snd_pcm *pcm;
	struct vhost_snd_pcm *offered;
	int card;
	int device;
	int subdevice;
	struct vhost_snd_caps caps;
	struct virtio_snd_chmap_info *chmaps;
	u32 num_chmaps;

	enum devhost_snd_state state;
	struct vhost_snd_params params;
	enum vhost_snd_host host;
	bool busy;
	bool restart;
	bool judge;
	bool polling;
	enum vhost_snd_fill fill;
	struct vhost_snd_request *serving;
	struct list_head requests;
	struct list_head queued;
	struct list_head playing;
	u64 hw;
	u64 appl;
	snd_pcm_uframes_t hw_ptr;
	snd_pcm_uframes_t boundary;
	snd_pcm_uframes_t period_size;
	snd_pcm_uframes_t buffer_size;
	snd_pcm_sframes_t delay;
	bool fed;
	bool dry;
	bool reported;
	u8 stage[VHOST_SND_FRAME_MAX];
};

/**
 * struct vhost_snd_jack - a jack
 * @node: function group
 * @defconf: HD Audio pin default configuration
 * @caps: HD Audio pin capabilities
 * @connected: whether something is plugged in
 */
struct vhost_snd_jack {
	u32 node;
	u32 defconf;
	u32 caps;
	bool connected;
};

/**
 * struct vhost_snd_card - a card of the host, for its control elements
 * @ref: one for each control, one for each job
 * @file: what the daemon opened
 * @ctl: what the file is to ALSA
 * @vs: whom to wake; the last control takes the entry away
 * @change: entry in the file's wait queue
 * @users: controls that have it; whoever owns the controls
 * @release: gives the file back
 */
struct vhost_snd_card {
	struct kref ref;
	struct file *file;
	struct snd_ctl_file *ctl;
	struct vhost_snd *vs;
	struct wait_queue_entry change;
	unsigned int users;
	struct work_struct release;
};

/**
 * struct vhost_snd_offer - where a control element is to be
 * @card: on this card; a reference
 * @numid: which it is there
 * @info: what it is there
 */
struct vhost_snd_offer {
	struct vhost_snd_card *card;
	u32 numid;
	struct virtio_snd_ctl_info info;
};

/**
 * struct vhost_snd_control - a control element
 * @card: where it is, NULL while the card is gone
 * @offered: where it is to be instead
 * @file: of @card, to be compared only
 * @numid: which it is
 * @role: VIRTIO_SND_CTL_ROLE_* and direction
 * @read_only: the guest can't change it
 * @info: what the guest is told of it
 * @changed: bits VIRTIO_SND_CTL_EVT_MASK_* of which the guest was not told
 * @card_number: for fill(), -1 without a card
 */
struct vhost_snd_control {
	struct vhost_snd_card *card;
	struct vhost_snd_offer *offered;
	const struct file *file;
	u32 numid;
	u32 role;
	bool read_only;
	struct virtio_snd_ctl_info info;
	u16 changed;
	int card_number;
};

/**
 * struct vhost_snd - a device
 * @dev: the core's side of it
 * @streams: @num_streams of them
 * @jacks: @num_jacks of them
 * @controls: @num_controls of them
 * @num_streams: constant
 * @num_jacks: constant
 * @num_controls: constant
 * @lock: @serving, and all that is the worker's while that is set
 * @serving: between start() or resume() and suspend() or stop()
 * @live: between start() and stop(): events may be raised, under RCU
 * @woken: streams whose PCM has something to say
 * @jacks_changed: jacks of which the driver was not told
 * @xruns: streams whose xrun the driver is to be told of
 * @jobs: that are under way
 * @msgs: VHOST_SND_MSGS of them; between start() and stop()
 * @msgs_free: those not in use
 * @lost: lets go of cards that are gone while nobody serves
 */
struct vhost_snd {
	struct devhost_device *dev;
	struct vhost_snd_stream *streams;
	struct vhost_snd_jack *jacks;
	struct vhost_snd_control *controls;
	u32 num_streams;
	u32 num_jacks;
	u32 num_controls;
	struct mutex lock; /* @serving, and what is the worker's while it is set */
	bool serving;
	bool live;
	unsigned long woken;
	unsigned long jacks_changed;
	unsigned long xruns;
	unsigned int jobs;
	struct vhost_snd_msg *msgs;
	struct list_head msgs_free;
	struct work_struct lost;
};

/* main.c */
extern struct workqueue_struct *vhost_snd_wq;
void vhost_snd_raise(struct vhost_snd *vs, unsigned int event);
void vhost_snd_wake(struct vhost_snd_stream *stream);
void vhost_snd_feed(struct vhost_snd_stream *stream);
/* A card is gone: let go of it soon, whoever has it. */
void vhost_snd_card_gone(struct vhost_snd *vs);

/* config.c */
int vhost_snd_config_create(struct vhost_snd *vs, struct nlattr **tb,
			    struct netlink_ext_ack *extack);
int vhost_snd_config_set(struct vhost_snd *vs, struct nlattr **tb,
			 struct netlink_ext_ack *extack);
void vhost_snd_config_destroy(struct vhost_snd *vs);
extern const struct nla_policy vhost_snd_policy[DEVHOST_A_SND_MAX + 1];

/* fill.c */
int vhost_snd_config_fill(struct vhost_snd *vs, struct sk_buff *msg);

/* host.c */
struct vhost_snd_pcm *vhost_snd_pcm_open(int fd, struct netlink_ext_ack *extack);
enum devhost_snd_direction vhost_snd_pcm_direction(const struct vhost_snd_pcm *pcm);
void vhost_snd_pcm_attach(struct vhost_snd_pcm *pcm,
			  struct vhost_snd_stream *stream);
void vhost_snd_pcm_detach(struct vhost_snd_pcm *pcm);
void vhost_snd_pcm_put(struct vhost_snd_pcm *pcm);
bool vhost_snd_pcm_gone(struct vhost_snd_pcm *pcm);
void vhost_snd_pcm_forget(struct vhost_snd_pcm *pcm);
void vhost_snd_pcm_refresh(struct vhost_snd_pcm *pcm);
snd_pcm_state_t vhost_snd_pcm_look(struct vhost_snd_stream *stream);
void vhost_snd_pcm_sync(struct vhost_snd_stream *stream);
int vhost_snd_pcm_xfer(struct vhost_snd_stream *stream, void *data, u32 frames);
int vhost_snd_pcm_forward(struct vhost_snd_stream *stream, u64 frames);
int vhost_snd_pcm_chmaps(struct vhost_snd_pcm *pcm,
			 struct vhost_snd_stream *stream);

void vhost_snd_pcm_hush(struct vhost_snd_pcm *pcm);

/* job.c */
int vhost_snd_pcm_submit(struct vhost_snd_stream *stream, unsigned int ops,
			 const struct vhost_snd_params *params);

/* params.c */
int vhost_snd_caps_read(struct snd_pcm_substream *substream,
			struct vhost_snd_caps *caps);
void vhost_snd_caps_limit(const struct vhost_snd_stream *stream,
			  struct vhost_snd_caps *caps);
u32 vhost_snd_params_check(const struct vhost_snd_stream *stream,
			   const struct virtio_snd_pcm_set_params *msg,
			   struct vhost_snd_params *params);

/* stream.c */
enum devhost_answer vhost_snd_stream_request(struct vhost_snd *vs,
					     struct devhost_chain *chain,
					     u32 code);
void vhost_snd_stream_done(struct vhost_snd_stream *stream,
			   const struct vhost_snd_job *job);
void vhost_snd_stream_run(struct vhost_snd_stream *stream, bool woken);
void vhost_snd_stream_next(struct vhost_snd_stream *stream);
void vhost_snd_stream_filled(struct vhost_snd_stream *stream);
void vhost_snd_stream_judge(struct vhost_snd_stream *stream);
void vhost_snd_stream_install(struct vhost_snd_stream *stream,
			      struct vhost_snd_pcm *pcm);
void vhost_snd_stream_lose(struct vhost_snd_stream *stream);
void vhost_snd_stream_reset(struct vhost_snd_stream *stream);

/* xfer.c */
int vhost_snd_xfer_start(struct vhost_snd *vs);
void vhost_snd_xfer_stop(struct vhost_snd *vs);
enum devhost_answer vhost_snd_xfer(struct vhost_snd *vs,
				   struct devhost_chain *chain,
				   enum devhost_snd_direction direction);
void vhost_snd_xfer_advance(struct vhost_snd_stream *stream,
			    snd_pcm_uframes_t hw_ptr);
void vhost_snd_xfer_begin(struct vhost_snd_stream *stream,
			  const struct vhost_snd_job *job);
int vhost_snd_xfer_progress(struct vhost_snd_stream *stream, bool woken);
void vhost_snd_xfer_settle(struct vhost_snd_stream *stream);
void vhost_snd_xfer_flush(struct vhost_snd_stream *stream, u32 status);

/* event.c */
void vhost_snd_event_xrun(struct vhost_snd_stream *stream);
void vhost_snd_event_flush(struct vhost_snd *vs);

/* info.c */
enum devhost_answer vhost_snd_answer(struct devhost_chain *chain, u32 status);
void vhost_snd_finish(struct devhost_chain *chain, u32 status);
enum devhost_answer vhost_snd_control_request(struct vhost_snd *vs,
					      struct devhost_chain *chain);
u32 vhost_snd_num_chmaps(const struct vhost_snd *vs);

/* card.c */
struct vhost_snd_card *vhost_snd_card_open(struct vhost_snd *vs, int fd,
					   struct netlink_ext_ack *extack);
bool vhost_snd_card_has(const struct vhost_snd_card *card, int fd);
void vhost_snd_card_get(struct vhost_snd_card *card);
void vhost_snd_card_put(struct vhost_snd_card *card);
void vhost_snd_card_attach(struct vhost_snd_card *card);
void vhost_snd_card_detach(struct vhost_snd_card *card);
bool vhost_snd_card_is_gone(const struct vhost_snd_card *card);
int vhost_snd_card_number(const struct vhost_snd_card *card);
/* Calls @changed for each element of the card that changed. */
void vhost_snd_card_events(struct vhost_snd_card *card, struct vhost_snd *vs,
			   void (*changed)(struct vhost_snd *vs,
					   struct vhost_snd_card *card,
					   u32 numid, u32 mask));

/* elem.c */
int vhost_snd_elem_info(struct vhost_snd_card *card, u32 numid,
			struct virtio_snd_ctl_info *info);
int vhost_snd_elem_items(struct vhost_snd_card *card, u32 numid,
			 struct virtio_snd_ctl_enum_item *items, u32 num);
int vhost_snd_elem_read(struct vhost_snd_card *card, u32 numid,
			const struct virtio_snd_ctl_info *info,
			struct virtio_snd_ctl_value *value);
int vhost_snd_elem_write(struct vhost_snd_card *card, u32 numid,
			 const struct virtio_snd_ctl_info *info,
			 const struct virtio_snd_ctl_value *value);
int vhost_snd_elem_tlv(struct vhost_snd_card *card, u32 numid, __le32 *tlv,
		       size_t room);

/* control.c */
enum devhost_answer vhost_snd_ctl_request(struct vhost_snd *vs,
					  struct devhost_chain *chain, u32 code);
void vhost_snd_ctl_event(struct vhost_snd *vs);
void vhost_snd_ctl_offered(struct vhost_snd *vs);
void vhost_snd_ctl_install(struct vhost_snd_control *control,
			   struct vhost_snd_offer *offer);
void vhost_snd_offer_free(struct vhost_snd_offer *offer);
void vhost_snd_ctl_lose(struct vhost_snd_control *control);

#endif /* _VHOST_SND_H */
