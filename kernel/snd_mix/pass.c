// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes: a period of the host is mixed of what the ports have, or copied to
 * them. A port's buffer is so many periods of the host, so that what a pass takes
 * from it, or puts into it, is never in two pieces.
 */
#include <linux/math64.h>

#include "vhost_snd_mix.h"

/* Buffers that the host's PCM may be ahead before it is easier to begin anew. */
#define MIX_LATE_MAX	4

static struct mix_stream *mix_stream(struct mix_host *host, u32 port)
{
	return &host->mix->ports[port].streams[host->pcm.substream->stream];
}

/* Whether it takes part in this pass, whatever it is told meanwhile. */
static bool mix_takes_part(struct mix_stream *stream)
{
	/* Pairs with mix_trigger(): with it comes whether it is fresh. */
	stream->active = smp_load_acquire(&stream->running);
	return stream->active;
}

/* Where in its buffer a port is. */
static u8 *mix_at(const struct mix_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;

	return runtime->dma_area + frames_to_bytes(runtime, stream->pos);
}

/* A period of the host has passed for a port. */
static void mix_passed(struct mix_host *host, struct mix_stream *stream)
{
	const struct snd_pcm_runtime *runtime = stream->substream->runtime;
	snd_pcm_uframes_t pos = stream->pos + host->period;

	stream->taken += host->period;
	if (stream->taken >= runtime->boundary)
		stream->taken -= runtime->boundary;
	WRITE_ONCE(stream->pos, pos < runtime->buffer_size ? pos : 0);
	stream->elapsed += host->period;
	if (stream->elapsed < runtime->period_size)
		return;
	stream->elapsed = 0;
	snd_pcm_period_elapsed(stream->substream);
}

/* What it is to be heard with from here on. */
static void mix_set_gain(struct mix_host *host, struct mix_stream *stream,
			 bool ducked)
{
	const struct mix *mix = host->mix;
	u32 gain = mix_gain(READ_ONCE(stream->volume), !READ_ONCE(stream->on),
			    READ_ONCE(mix->duck), ducked);

	if (stream->fresh) {
		stream->fresh = false;
		mix_ramp_set(&stream->ramp, gain);
	} else if (stream->ducked != ducked) {
		u32 way = div_u64((u64)READ_ONCE(mix->duck_ms) * mix->rate,
				  MSEC_PER_SEC);

		mix_ramp_to(&stream->ramp, gain, max(way, 1U));
	} else {
		mix_ramp_to(&stream->ramp, gain, host->period);
	}
	stream->ducked = ducked;
}

/* What a port has for this pass; the rest is silence. */
static u32 mix_available(struct mix_host *host, const struct mix_stream *stream)
{
	struct snd_pcm_substream *substream = stream->substream;
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_sframes_t frames;

	snd_pcm_stream_lock_irq(substream);
	frames = READ_ONCE(runtime->control->appl_ptr) - stream->taken;
	if (frames < -(snd_pcm_sframes_t)(runtime->boundary / 2))
		frames += runtime->boundary;
	else if (frames > (snd_pcm_sframes_t)(runtime->boundary / 2))
		frames -= runtime->boundary;
	snd_pcm_stream_unlock_irq(substream);
	return clamp_t(snd_pcm_sframes_t, frames, 0, host->period);
}

static int mix_xfer(struct mix_host *host, void *data, snd_pcm_uframes_t frames)
{
	snd_pcm_sframes_t done;

	done = __snd_pcm_lib_xfer(host->pcm.substream, data, true, frames, true);
	if (done < 0)
		return done;
	return done == frames ? 0 : -EPIPE;
}

static int mix_play_pass(struct mix_host *host)
{
	struct mix *mix = host->mix;
	u32 samples = host->period * mix->channels;
	u32 i, top = 0;
	int err;

	memset(host->sum, 0, samples * sizeof(*host->sum));
	for (i = 0; i < mix->num_ports; i++) {
		struct mix_stream *stream = mix_stream(host, i);

		if (!mix_takes_part(stream))
			continue;
		stream->frames = mix_available(host, stream);
		/* Who has nothing to say silences nobody. */
		if (stream->frames)
			top = max(top, READ_ONCE(stream->priority));
	}
	for (i = 0; i < mix->num_ports; i++) {
		struct mix_stream *stream = mix_stream(host, i);

		if (!stream->active)
			continue;
		mix_set_gain(host, stream, READ_ONCE(stream->priority) < top);
		if (stream->frames)
			mix_add(stream->format, host->sum, mix_at(stream),
				stream->frames, mix->channels, &stream->ramp);
		mix_ramp_skip(&stream->ramp, host->period - stream->frames);
	}
	mix_put(host->format, host->data, host->sum, samples);
	err = mix_xfer(host, host->data, host->period);
	if (err)
		return err;
	host->queued += host->period;
	host->idle += host->period;
	for (i = 0; i < mix->num_ports; i++)
		if (mix_stream(host, i)->active)
			mix_passed(host, mix_stream(host, i));
	return 0;
}

/* Where the host's PCM is: frames that it has ahead; an error where it stopped. */
static int mix_look(struct mix_host *host, snd_pcm_sframes_t *frames)
{
	struct snd_pcm_substream *substream = host->pcm.substream;
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_sframes_t half = runtime->boundary / 2;
	snd_pcm_state_t state;

	snd_pcm_stream_lock_irq(substream);
	state = runtime->state;
	*frames = runtime->control->appl_ptr - runtime->status->hw_ptr;
	snd_pcm_stream_unlock_irq(substream);
	if (substream->stream == SNDRV_PCM_STREAM_CAPTURE)
		*frames = -*frames;
	if (*frames < -half)
		*frames += runtime->boundary;
	else if (*frames > half)
		*frames -= runtime->boundary;
	return state == SNDRV_PCM_STATE_RUNNING ||
	       state == SNDRV_PCM_STATE_PREPARED ? 0 : -EPIPE;
}

/* The same, right now: what wakes the thread may be long ago. */
static int mix_sync(struct mix_host *host, snd_pcm_sframes_t *frames)
{
	snd_pcm_uframes_t delay;

	snd_pcm_kernel_ioctl(host->pcm.substream, SNDRV_PCM_IOCTL_DELAY, &delay);
	return mix_look(host, frames);
}

/* The host's PCM has played all that it had: go on a period ahead of it. */
static int mix_play_late(struct mix_host *host, snd_pcm_sframes_t *queued)
{
	int err;

	host->late++;
	if (-*queued > MIX_LATE_MAX * (snd_pcm_sframes_t)host->buffer)
		return -EPIPE;
	err = mix_xfer(host, NULL, host->period - *queued);
	*queued = host->period;
	return err;
}

/**
 * mix_play - mix as many periods as there is room for
 * @host: the host's PCM, prepared or running; mix->lock is held
 *
 * Context: Process context, sleeps.
 * Return: 0, or what is wrong with the PCM.
 */
int mix_play(struct mix_host *host)
{
	snd_pcm_sframes_t queued, added, left;
	int err;

	lockdep_assert_held(&host->mix->lock);
	err = mix_sync(host, &queued);
	if (unlikely(!err && host->running && queued <= 0))
		err = mix_play_late(host, &queued);
	host->queued = queued;
	while (!err && host->queued + host->period <= host->buffer)
		err = mix_play_pass(host);
	added = host->queued - queued;
	if (err || !added || !host->running)
		return err;
	/* What it had before may have been over before there was more. */
	err = mix_sync(host, &left);
	if (unlikely(!err && left < added))
		host->late++;
	return err;
}

static int mix_record_pass(struct mix_host *host)
{
	struct mix *mix = host->mix;
	u32 samples = host->period * mix->channels;
	u32 i;
	int err;

	err = mix_xfer(host, host->data, host->period);
	if (err)
		return err;
	host->idle += host->period;
	for (i = 0; i < mix->num_ports; i++) {
		struct mix_stream *stream = mix_stream(host, i);

		if (!mix_takes_part(stream))
			continue;
		mix_set_gain(host, stream, false);
		memset(host->sum, 0, samples * sizeof(*host->sum));
		mix_add(host->format, host->sum, host->data, host->period,
			mix->channels, &stream->ramp);
		mix_put(stream->format, mix_at(stream), host->sum, samples);
		mix_passed(host, stream);
	}
	return 0;
}

/**
 * mix_record - copy all whole periods that there are
 * @host: the host's PCM, running; mix->lock is held
 *
 * Context: Process context, sleeps.
 * Return: 0, or what is wrong with the PCM.
 */
int mix_record(struct mix_host *host)
{
	snd_pcm_sframes_t there;
	int err;

	lockdep_assert_held(&host->mix->lock);
	err = mix_look(host, &there);
	if (unlikely(!err && there > (snd_pcm_sframes_t)host->buffer)) {
		snd_pcm_uframes_t lost = there;

		/* The rest may be overwritten any moment. */
		host->late++;
		return snd_pcm_kernel_ioctl(host->pcm.substream,
					    SNDRV_PCM_IOCTL_FORWARD, &lost);
	}
	for (; !err && there >= host->period; there -= host->period)
		err = mix_record_pass(host);
	return err;
}

/**
 * mix_stop_all - the host's PCM can't be brought to run: tell all ports
 * @host: the PCM; mix->lock is held
 *
 * Context: Process context, sleeps.
 */
void mix_stop_all(struct mix_host *host)
{
	u32 i;

	for (i = 0; i < host->mix->num_ports; i++) {
		struct mix_stream *stream = mix_stream(host, i);

		if (stream->ready) {
			stream->ready = false;
			mix_host_unuse(host);
		}
		if (READ_ONCE(stream->running))
			snd_pcm_stop_xrun(stream->substream);
	}
}
