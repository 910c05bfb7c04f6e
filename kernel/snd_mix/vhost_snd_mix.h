/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhost_snd_mix: several guests on one PCM of the host.
 *
 *   main.c     mixers, from creation to end
 *   netlink.c  how they are asked for
 *   card.c     the card that a mixer is to everybody else, its PCMs
 *   control.c  its control elements
 *   host.c     the host's PCMs: wake-ups, start, stop, recovery; the thread
 *   pass.c     mixing and copying, a period of the host at a time
 *   arith.h    sums and gains
 *
 * A mixer is a sound card, with a PCM for each port. So vhost_snd serves a port
 * as any other PCM, a program of the host can have one as well, and what can be
 * set are control elements that every mixer application shows. A port has the
 * clock of the host's PCM: its pointer moves when a period of that has passed.
 * Nobody is waited for: what a port has not got by then is silence.
 *
 * One thread a mixer does it, woken by the host's PCM, in real time: what it does
 * in a period of the host has a bound, whatever the guests do.
 *
 * The mixer's card goes when a card of the host that it stands on goes.
 *
 * Locks, outermost first: ALSA's that are held for opening, mix->lock, the
 * stream lock of a port, the stream lock of the host's PCM.
 */
#ifndef _VHOST_SND_MIX_H
#define _VHOST_SND_MIX_H

#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <sound/core.h>
#include <sound/pcm.h>
#include <uapi/linux/devhost_mix.h>

#include "../snd/host_pcm.h"
#include "arith.h"

struct mix;

/**
 * struct mix_setup - what a mixer is to be
 * @name: id of its card
 * @fd: of the host's PCMs by direction, negative: none
 * @rate: Hz
 * @channels: number of channels
 * @format: of the host's PCMs, negative: the widest
 * @period_us: period of the host
 * @periods: number of them in its buffer
 * @num_ports: number of ports
 * @ports: their names
 */
struct mix_setup {
	const char *name;
	int fd[2];
	u32 rate;
	u32 channels;
	int format;
	u32 period_us;
	u32 periods;
	u32 num_ports;
	const char *ports[DEVHOST_MIX_PORTS_MAX];
};

/**
 * struct mix_host - a PCM of the host
 * @mix: whose
 * @pcm: its file; no file: the mixer does not go that way
 * @format: of its samples
 * @frame: bytes of a frame
 * @period: frames of a period
 * @buffer: frames of the buffer
 * @sleep: entry in its queue of those who poll
 * @tsleep: entry in its queue of those who transfer
 * @chmap: where its channels are heard, and an end; ALSA's form
 * @users: ports that are prepared
 * @running: it was started; mix->lock
 * @idle: frames that have passed since a port stopped to use it
 * @queued: frames between the last pass and the air
 * @sum: a period of sums
 * @data: a period of the host's frames
 * @late: times that the thread came too late
 * @recoveries: times that it stopped by itself
 */
struct mix_host {
	struct mix *mix;
	struct vhost_snd_file pcm;
	enum mix_format format;
	u32 frame;
	u32 period;
	u32 buffer;
	struct wait_queue_entry sleep;
	struct wait_queue_entry tsleep;
	struct snd_pcm_chmap_elem chmap[2];
	u32 users;
	bool running;
	u64 idle;
	snd_pcm_sframes_t queued;
	s64 *sum;
	u8 *data;
	u64 late;
	u64 recoveries;
};

/**
 * struct mix_stream - one direction of a port
 * @substream: while it is open
 * @format: of its samples
 * @ready: it is among the users of the host's PCM
 * @running: between its trigger START and STOP
 * @active: it takes part in the pass at hand
 * @fresh: it has not been heard since
 * @ducked: it was, in the last pass
 * @pos: its pointer
 * @taken: the same, with ALSA's boundary
 * @elapsed: frames since its last period ended
 * @ramp: what it is heard with
 * @frames: that it has for the pass at hand
 * @volume: 0 .. MIX_VOLUME_MAX; its control element
 * @on: it is not muted; its control element
 * @priority: its control element
 */
struct mix_stream {
	struct snd_pcm_substream *substream;
	enum mix_format format;
	bool ready;
	bool running;
	bool active;
	bool fresh;
	bool ducked;
	snd_pcm_uframes_t pos;
	snd_pcm_uframes_t taken;
	snd_pcm_uframes_t elapsed;
	struct mix_ramp ramp;
	u32 frames;
	u32 volume;
	bool on;
	u32 priority;
};

/**
 * struct mix_port - a port
 * @name: as configured
 * @streams: by direction
 */
struct mix_port {
	char name[DEVHOST_MIX_PORT_NAME_MAX + 1];
	struct mix_stream streams[2];
};

/* Bits of mix->flags; the first two are directions. */
enum {
	MIX_WOKEN_PLAYBACK = SNDRV_PCM_STREAM_PLAYBACK,
	MIX_WOKEN_CAPTURE = SNDRV_PCM_STREAM_CAPTURE,
	MIX_ENDS,
};

/**
 * struct mix - a mixer
 * @list: in the list of all; main.c's lock
 * @card: what it is to everybody else, and what holds it
 * @lock: a pass, and what decides who takes part in it
 * @dead: its host's PCMs are gone; @lock
 * @hosts: by direction
 * @rate: Hz
 * @channels: number of channels
 * @thread: does the passes
 * @flags: bits MIX_*
 * @duck: volume for those of a lower priority; a control element
 * @duck_ms: time of the way there and back; a control element
 * @num_ports: constant
 * @ports: @num_ports of them
 * @end: takes it apart
 */
struct mix {
	struct list_head list;
	struct snd_card *card;
	struct mutex lock; /* a pass, and what decides who takes part in it */
	bool dead;
	struct mix_host hosts[2];
	u32 rate;
	u32 channels;
	struct task_struct *thread;
	unsigned long flags;
	u32 duck;
	u32 duck_ms;
	u32 num_ports;
	struct mix_port ports[DEVHOST_MIX_PORTS_MAX];
	struct work_struct end;
};

static inline bool mix_has(const struct mix *mix, int direction)
{
	return mix->hosts[direction].pcm.file;
}

/* main.c */
int mix_create(const struct mix_setup *setup, struct netlink_ext_ack *extack,
	       int (*show)(const struct mix *mix, void *data), void *data);
int mix_delete(const char *name);
int mix_each(unsigned int *first,
	     int (*show)(const struct mix *mix, void *data), void *data);
void mix_lost(struct mix *mix);

/* netlink.c */
int mix_netlink_init(void);
void mix_netlink_exit(void);

/* card.c */
int mix_card_fill(struct mix *mix);
bool mix_is_port(const struct snd_pcm_substream *substream);

/* control.c */
int mix_controls_fill(struct mix *mix);

/* host.c */
int mix_host_open(struct mix_host *host, const struct mix_setup *setup,
		  int direction, struct netlink_ext_ack *extack);
void mix_host_attach(struct mix_host *host);
void mix_host_detach(struct mix_host *host);
void mix_host_close(struct mix_host *host);
void mix_host_free(struct mix_host *host);
int mix_host_use(struct mix_host *host);
void mix_host_unuse(struct mix_host *host);
int mix_thread(void *data);

/* pass.c */
int mix_play(struct mix_host *host);
int mix_record(struct mix_host *host);
void mix_stop_all(struct mix_host *host);

#endif /* _VHOST_SND_MIX_H */
