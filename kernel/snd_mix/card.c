// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card that a mixer is to everybody else: a PCM for each port.
 */
#include <linux/sizes.h>
#include <sound/pcm_params.h>

#include "vhost_snd_mix.h"

/* Of a port's buffer: guests choose its size. */
#define MIX_BUFFER_BYTES_MAX	SZ_1M

static struct mix *mix_of(const struct snd_pcm_substream *substream)
{
	return substream->pcm->private_data;
}

static struct mix_host *mix_host_of(const struct snd_pcm_substream *substream)
{
	return &mix_of(substream)->hosts[substream->stream];
}

static struct mix_stream *mix_stream_of(const struct snd_pcm_substream *substream)
{
	struct mix *mix = mix_of(substream);

	return &mix->ports[substream->pcm->device].streams[substream->stream];
}

static int mix_open(struct snd_pcm_substream *substream)
{
	const struct mix_host *host = mix_host_of(substream);
	struct snd_pcm_runtime *runtime = substream->runtime;
	const struct mix *mix = mix_of(substream);
	int err;

	runtime->hw = (struct snd_pcm_hardware){
		/* The pointer moves by whole periods of the host. */
		.info = SNDRV_PCM_INFO_INTERLEAVED | SNDRV_PCM_INFO_MMAP |
			SNDRV_PCM_INFO_MMAP_VALID | SNDRV_PCM_INFO_BATCH |
			SNDRV_PCM_INFO_BLOCK_TRANSFER |
			SNDRV_PCM_INFO_SYNC_APPLPTR,
		.formats = SNDRV_PCM_FMTBIT_S16_LE | SNDRV_PCM_FMTBIT_S24_3LE |
			   SNDRV_PCM_FMTBIT_S24_LE | SNDRV_PCM_FMTBIT_S32_LE,
		.rates = snd_pcm_rate_to_rate_bit(mix->rate),
		.rate_min = mix->rate,
		.rate_max = mix->rate,
		.channels_min = mix->channels,
		.channels_max = mix->channels,
		.buffer_bytes_max = MIX_BUFFER_BYTES_MAX,
		.period_bytes_min = host->period * mix->channels * 2,
		.period_bytes_max = MIX_BUFFER_BYTES_MAX / 2,
		.periods_min = 2,
		.periods_max = 1024,
	};
	err = snd_pcm_hw_constraint_integer(runtime, SNDRV_PCM_HW_PARAM_PERIODS);
	if (err < 0)
		return err;
	err = snd_pcm_hw_constraint_step(runtime, 0,
					 SNDRV_PCM_HW_PARAM_PERIOD_SIZE,
					 host->period);
	if (err < 0)
		return err;
	mix_stream_of(substream)->substream = substream;
	return 0;
}

static int mix_close(struct snd_pcm_substream *substream)
{
	return 0;
}

static int mix_hw_params(struct snd_pcm_substream *substream,
			 struct snd_pcm_hw_params *params)
{
	struct mix_stream *stream = mix_stream_of(substream);

	switch (params_format(params)) {
	case SNDRV_PCM_FORMAT_S16_LE:
		stream->format = MIX_S16;
		return 0;
	case SNDRV_PCM_FORMAT_S24_3LE:
		stream->format = MIX_S24_3;
		return 0;
	case SNDRV_PCM_FORMAT_S24_LE:
		stream->format = MIX_S24;
		return 0;
	case SNDRV_PCM_FORMAT_S32_LE:
		stream->format = MIX_S32;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Also waits for a pass that goes on in its buffer, which is freed after this. */
static int mix_hw_free(struct snd_pcm_substream *substream)
{
	struct mix_stream *stream = mix_stream_of(substream);
	struct mix *mix = mix_of(substream);

	mutex_lock(&mix->lock);
	if (stream->ready) {
		stream->ready = false;
		mix_host_unuse(mix_host_of(substream));
	}
	mutex_unlock(&mix->lock);
	return 0;
}

static int mix_prepare(struct snd_pcm_substream *substream)
{
	struct mix_stream *stream = mix_stream_of(substream);
	struct mix *mix = mix_of(substream);
	int err = 0;

	mutex_lock(&mix->lock);
	WRITE_ONCE(stream->pos, 0);
	stream->taken = 0;
	stream->elapsed = 0;
	if (!stream->ready)
		err = mix_host_use(mix_host_of(substream));
	if (!err)
		stream->ready = true;
	mutex_unlock(&mix->lock);
	return err;
}

static int mix_trigger(struct snd_pcm_substream *substream, int cmd)
{
	struct mix_stream *stream = mix_stream_of(substream);

	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
		stream->fresh = true;
		/* Pairs with mix_takes_part(). */
		smp_store_release(&stream->running, true);
		return 0;
	case SNDRV_PCM_TRIGGER_STOP:
	case SNDRV_PCM_TRIGGER_SUSPEND:
		WRITE_ONCE(stream->running, false);
		return 0;
	default:
		return -EINVAL;
	}
}

/* A pass may have begun before it was stopped. */
static int mix_sync_stop(struct snd_pcm_substream *substream)
{
	struct mix *mix = mix_of(substream);

	mutex_lock(&mix->lock);
	mutex_unlock(&mix->lock);
	return 0;
}

static snd_pcm_uframes_t mix_pointer(struct snd_pcm_substream *substream)
{
	const struct mix_host *host = mix_host_of(substream);

	if (substream->stream == SNDRV_PCM_STREAM_PLAYBACK)
		substream->runtime->delay = READ_ONCE(host->queued);
	return READ_ONCE(mix_stream_of(substream)->pos);
}

static const struct snd_pcm_ops mix_ops = {
	.open = mix_open,
	.close = mix_close,
	.hw_params = mix_hw_params,
	.hw_free = mix_hw_free,
	.prepare = mix_prepare,
	.trigger = mix_trigger,
	.sync_stop = mix_sync_stop,
	.pointer = mix_pointer,
};

/**
 * mix_is_port - whether a PCM is a port of a mixer
 * @substream: the PCM
 *
 * Context: Any.
 * Return: true if it is.
 */
bool mix_is_port(const struct snd_pcm_substream *substream)
{
	return substream->ops == &mix_ops;
}

static int mix_pcm_fill(struct mix *mix, struct snd_pcm *pcm, int direction)
{
	const struct mix_host *host = &mix->hosts[direction];

	if (!mix_has(mix, direction))
		return 0;
	snd_pcm_set_ops(pcm, direction, &mix_ops);
	if (!host->chmap[0].channels)
		return 0;
	return snd_pcm_add_chmap_ctls(pcm, direction, host->chmap, mix->channels,
				      0, NULL);
}

/**
 * mix_card_fill - give the card of a mixer its PCMs
 * @mix: the mixer
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int mix_card_fill(struct mix *mix)
{
	struct snd_pcm *pcm;
	int err;
	u32 i;

	for (i = 0; i < mix->num_ports; i++) {
		err = snd_pcm_new(mix->card, mix->ports[i].name, i,
				  mix_has(mix, SNDRV_PCM_STREAM_PLAYBACK),
				  mix_has(mix, SNDRV_PCM_STREAM_CAPTURE), &pcm);
		if (err)
			return err;
		pcm->private_data = mix;
		strscpy(pcm->name, mix->ports[i].name);
		snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_VMALLOC, NULL,
					       0, 0);
		err = mix_pcm_fill(mix, pcm, SNDRV_PCM_STREAM_PLAYBACK);
		if (!err)
			err = mix_pcm_fill(mix, pcm, SNDRV_PCM_STREAM_CAPTURE);
		if (err)
			return err;
	}
	return 0;
}
