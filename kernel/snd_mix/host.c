// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCMs of the host that a mixer stands on. They have their parameters for
 * good, and run while a port is prepared. ALSA wakes the thread whenever the
 * pointer moves, in an interrupt and under the stream lock.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include <sound/control.h>

#include "vhost_snd_mix.h"

static int mix_wake(struct wait_queue_entry *wait, unsigned int mode, int flags,
		    void *key)
{
	struct mix_host *host = wait->private;
	const struct snd_pcm_substream *substream = host->pcm.substream;
	struct mix *mix = host->mix;

	if (unlikely(substream->runtime->state == SNDRV_PCM_STATE_DISCONNECTED)) {
		mix_lost(mix);
		return 0;
	}
	/* It looks at the pointer anyway. */
	if (in_task() && current == mix->thread)
		return 0;
	set_bit(substream->stream, &mix->flags);
	wake_up_process(mix->thread);
	return 0;
}

static const struct {
	snd_pcm_format_t alsa;
	enum mix_format format;
} mix_formats[] = {
	{ SNDRV_PCM_FORMAT_S32_LE, MIX_S32 },
	{ SNDRV_PCM_FORMAT_S24_LE, MIX_S24 },
	{ SNDRV_PCM_FORMAT_S24_3LE, MIX_S24_3 },
	{ SNDRV_PCM_FORMAT_S16_LE, MIX_S16 },
};

/* The widest format that the PCM can, or the one that is wanted. */
static int mix_host_params(struct mix_host *host, const struct mix_setup *setup)
{
	u32 period = div_u64((u64)setup->rate * setup->period_us, USEC_PER_SEC);
	int i, err = -EINVAL;

	for (i = 0; i < ARRAY_SIZE(mix_formats); i++) {
		struct vhost_snd_params want = {
			.channels = setup->channels,
			.format = mix_formats[i].alsa,
			.rate = setup->rate,
		};

		if (setup->format >= 0 &&
		    setup->format != (__force int)want.format)
			continue;
		host->format = mix_formats[i].format;
		host->frame = mix_bytes(host->format) * setup->channels;
		want.frame_bytes = host->frame;
		want.period_bytes = period * host->frame;
		want.buffer_bytes = want.period_bytes * setup->periods;
		err = vhost_snd_params_apply(host->pcm.substream, &want);
		if (!err)
			break;
	}
	return err;
}

static const struct snd_pcm_chmap_elem *
mix_chmap_find(const struct snd_pcm_chmap_elem *map, u32 channels)
{
	while (map && map->channels && map->channels != channels)
		map++;
	return map && map->channels ? map : NULL;
}

/* As the host's PCM has it, else as is usual. */
static void mix_host_chmap(struct mix_host *host, u32 channels)
{
	struct snd_pcm_substream *substream = host->pcm.substream;
	const struct snd_pcm_chmap_elem *map = NULL;
	const struct snd_kcontrol *kctl;

	/* Held while the card is disconnected and the maps are freed. */
	mutex_lock(&substream->pcm->open_mutex);
	kctl = substream->pcm->streams[substream->stream].chmap_kctl;
	if (kctl && substream->runtime->state != SNDRV_PCM_STATE_DISCONNECTED) {
		const struct snd_pcm_chmap *info = snd_kcontrol_chip(kctl);

		map = mix_chmap_find(info->chmap, channels);
	}
	if (!map)
		map = mix_chmap_find(snd_pcm_std_chmaps, channels);
	if (map)
		host->chmap[0] = *map;
	mutex_unlock(&substream->pcm->open_mutex);
}

/**
 * mix_host_open - take a PCM of the host
 * @host: which is to be it
 * @setup: what is wanted of it
 * @direction: which way it has to go
 * @extack: where to say what is wrong
 *
 * Context: Process context of whoever sent the descriptor, sleeps.
 * Return: 0 or an error; mix_host_close() is right in any case.
 */
int mix_host_open(struct mix_host *host, const struct mix_setup *setup,
		  int direction, struct netlink_ext_ack *extack)
{
	const struct snd_pcm_runtime *runtime;
	int err;

	err = vhost_snd_file_open(&host->pcm, setup->fd[direction], extack);
	if (err) {
		host->pcm.file = NULL;
		return err;
	}
	if (host->pcm.substream->stream != direction ||
	    mix_is_port(host->pcm.substream)) {
		NL_SET_ERR_MSG_FMT(extack, "PCM %d goes the wrong way, or is a mixer's",
				   setup->fd[direction]);
		return -EINVAL;
	}
	err = mix_host_params(host, setup);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "PCM %d cannot do this rate, channels and format",
				   setup->fd[direction]);
		return err;
	}
	runtime = host->pcm.substream->runtime;
	host->period = runtime->period_size;
	host->buffer = runtime->buffer_size;
	mix_host_chmap(host, setup->channels);
	host->sum = kvcalloc(host->period * setup->channels, sizeof(*host->sum),
			     GFP_KERNEL);
	host->data = kvcalloc(host->period, host->frame, GFP_KERNEL);
	return host->sum && host->data ? 0 : -ENOMEM;
}

/**
 * mix_host_attach - have a PCM of the host wake the thread
 * @host: the PCM
 *
 * Context: Process context.
 */
void mix_host_attach(struct mix_host *host)
{
	struct snd_pcm_runtime *runtime;

	if (!host->pcm.file)
		return;
	runtime = host->pcm.substream->runtime;
	init_waitqueue_func_entry(&host->sleep, mix_wake);
	init_waitqueue_func_entry(&host->tsleep, mix_wake);
	host->sleep.private = host;
	host->tsleep.private = host;
	add_wait_queue(&runtime->sleep, &host->sleep);
	add_wait_queue(&runtime->tsleep, &host->tsleep);
	if (READ_ONCE(runtime->state) == SNDRV_PCM_STATE_DISCONNECTED)
		mix_lost(host->mix);
}

/**
 * mix_host_detach - have it wake nobody any more
 * @host: the PCM
 *
 * Context: Process context.
 */
void mix_host_detach(struct mix_host *host)
{
	struct snd_pcm_runtime *runtime;

	if (!host->sleep.func)
		return;
	runtime = host->pcm.substream->runtime;
	remove_wait_queue(&runtime->sleep, &host->sleep);
	remove_wait_queue(&runtime->tsleep, &host->tsleep);
}

/**
 * mix_host_close - give a PCM of the host back
 * @host: the PCM, detached
 *
 * Context: A thread of the kernel, sleeps.
 */
void mix_host_close(struct mix_host *host)
{
	if (!host->pcm.file)
		return;
	vhost_snd_file_quieten(&host->pcm);
	vhost_snd_file_close(&host->pcm);
}

void mix_host_free(struct mix_host *host)
{
	kvfree(host->sum);
	kvfree(host->data);
}

static int mix_host_ioctl(struct mix_host *host, unsigned int request)
{
	return snd_pcm_kernel_ioctl(host->pcm.substream, request, NULL);
}

static void mix_host_stop(struct mix_host *host)
{
	host->running = false;
	host->queued = 0;
	mix_host_ioctl(host, SNDRV_PCM_IOCTL_DROP);
}

static int mix_host_start(struct mix_host *host)
{
	int err;

	err = mix_host_ioctl(host, SNDRV_PCM_IOCTL_PREPARE);
	if (!err && host->pcm.substream->stream == SNDRV_PCM_STREAM_PLAYBACK)
		err = mix_play(host);
	if (!err)
		err = mix_host_ioctl(host, SNDRV_PCM_IOCTL_START);
	if (err)
		mix_host_stop(host);
	host->running = !err;
	return err;
}

/**
 * mix_host_use - a port is prepared
 * @host: the PCM that it goes to; mix->lock is held
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int mix_host_use(struct mix_host *host)
{
	int err = host->mix->dead ? -ENODEV : 0;

	lockdep_assert_held(&host->mix->lock);
	if (!err && !host->running)
		err = mix_host_start(host);
	if (!err)
		host->users++;
	return err;
}

/**
 * mix_host_unuse - a port is not prepared any more
 * @host: the PCM that it went to; mix->lock is held
 *
 * Context: Process context, sleeps.
 */
void mix_host_unuse(struct mix_host *host)
{
	lockdep_assert_held(&host->mix->lock);
	host->users--;
	host->idle = 0;
}

/* It stopped by itself, or with the host: have it run again. */
static void mix_host_recover(struct mix_host *host)
{
	struct mix *mix = host->mix;
	int err;

	err = snd_power_wait(host->pcm.substream->pcm->card);
	mutex_lock(&mix->lock);
	host->recoveries++;
	if (host->running) {
		mix_host_stop(host);
		if (!err)
			err = mix_host_start(host);
		if (err)
			mix_stop_all(host);
	}
	mutex_unlock(&mix->lock);
}

/* The PCM has something to say. */
static void mix_host_serve(struct mix_host *host)
{
	bool play = host->pcm.substream->stream == SNDRV_PCM_STREAM_PLAYBACK;
	struct mix *mix = host->mix;
	int err = 0;

	mutex_lock(&mix->lock);
	if (host->running) {
		err = play ? mix_play(host) : mix_record(host);
		/* What the last one left behind has been played by then. */
		if (!host->users && host->idle >= host->buffer) {
			mix_host_stop(host);
			err = 0;
		}
	}
	mutex_unlock(&mix->lock);
	if (unlikely(err))
		mix_host_recover(host);
}

/**
 * mix_thread - does what is due when a PCM of the host has moved
 * @data: the mixer
 *
 * Context: A thread of its own.
 * Return: 0.
 */
int mix_thread(void *data)
{
	struct mix *mix = data;
	int i;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!(READ_ONCE(mix->flags) & (BIT(MIX_WOKEN_PLAYBACK) |
					       BIT(MIX_WOKEN_CAPTURE)))) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		for (i = 0; i < ARRAY_SIZE(mix->hosts); i++)
			if (test_and_clear_bit(i, &mix->flags))
				mix_host_serve(&mix->hosts[i]);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}
