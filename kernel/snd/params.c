// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formats, rates and sizes: what a PCM can, in virtio's words, and what of it is
 * nearest to what the driver wants.
 */
#include <linux/math64.h>
#include <linux/slab.h>
#include <sound/pcm_params.h>

#include "vhost_snd.h"

/* By VIRTIO_SND_PCM_FMT_*; samples of fewer than 8 bits make no frames. */
static const snd_pcm_format_t vhost_snd_formats[] = {
	[VIRTIO_SND_PCM_FMT_IMA_ADPCM] = (__force snd_pcm_format_t)-1,
	[VIRTIO_SND_PCM_FMT_MU_LAW] = SNDRV_PCM_FORMAT_MU_LAW,
	[VIRTIO_SND_PCM_FMT_A_LAW] = SNDRV_PCM_FORMAT_A_LAW,
	[VIRTIO_SND_PCM_FMT_S8] = SNDRV_PCM_FORMAT_S8,
	[VIRTIO_SND_PCM_FMT_U8] = SNDRV_PCM_FORMAT_U8,
	[VIRTIO_SND_PCM_FMT_S16] = SNDRV_PCM_FORMAT_S16_LE,
	[VIRTIO_SND_PCM_FMT_U16] = SNDRV_PCM_FORMAT_U16_LE,
	[VIRTIO_SND_PCM_FMT_S18_3] = SNDRV_PCM_FORMAT_S18_3LE,
	[VIRTIO_SND_PCM_FMT_U18_3] = SNDRV_PCM_FORMAT_U18_3LE,
	[VIRTIO_SND_PCM_FMT_S20_3] = SNDRV_PCM_FORMAT_S20_3LE,
	[VIRTIO_SND_PCM_FMT_U20_3] = SNDRV_PCM_FORMAT_U20_3LE,
	[VIRTIO_SND_PCM_FMT_S24_3] = SNDRV_PCM_FORMAT_S24_3LE,
	[VIRTIO_SND_PCM_FMT_U24_3] = SNDRV_PCM_FORMAT_U24_3LE,
	[VIRTIO_SND_PCM_FMT_S20] = SNDRV_PCM_FORMAT_S20_LE,
	[VIRTIO_SND_PCM_FMT_U20] = SNDRV_PCM_FORMAT_U20_LE,
	[VIRTIO_SND_PCM_FMT_S24] = SNDRV_PCM_FORMAT_S24_LE,
	[VIRTIO_SND_PCM_FMT_U24] = SNDRV_PCM_FORMAT_U24_LE,
	[VIRTIO_SND_PCM_FMT_S32] = SNDRV_PCM_FORMAT_S32_LE,
	[VIRTIO_SND_PCM_FMT_U32] = SNDRV_PCM_FORMAT_U32_LE,
	[VIRTIO_SND_PCM_FMT_FLOAT] = SNDRV_PCM_FORMAT_FLOAT_LE,
	[VIRTIO_SND_PCM_FMT_FLOAT64] = SNDRV_PCM_FORMAT_FLOAT64_LE,
	[VIRTIO_SND_PCM_FMT_DSD_U8] = SNDRV_PCM_FORMAT_DSD_U8,
	[VIRTIO_SND_PCM_FMT_DSD_U16] = SNDRV_PCM_FORMAT_DSD_U16_LE,
	[VIRTIO_SND_PCM_FMT_DSD_U32] = SNDRV_PCM_FORMAT_DSD_U32_LE,
	[VIRTIO_SND_PCM_FMT_IEC958_SUBFRAME] =
		SNDRV_PCM_FORMAT_IEC958_SUBFRAME_LE,
};

/* By VIRTIO_SND_PCM_RATE_*. */
static const u32 vhost_snd_rates[] = {
	[VIRTIO_SND_PCM_RATE_5512] = 5512,
	[VIRTIO_SND_PCM_RATE_8000] = 8000,
	[VIRTIO_SND_PCM_RATE_11025] = 11025,
	[VIRTIO_SND_PCM_RATE_16000] = 16000,
	[VIRTIO_SND_PCM_RATE_22050] = 22050,
	[VIRTIO_SND_PCM_RATE_32000] = 32000,
	[VIRTIO_SND_PCM_RATE_44100] = 44100,
	[VIRTIO_SND_PCM_RATE_48000] = 48000,
	[VIRTIO_SND_PCM_RATE_64000] = 64000,
	[VIRTIO_SND_PCM_RATE_88200] = 88200,
	[VIRTIO_SND_PCM_RATE_96000] = 96000,
	[VIRTIO_SND_PCM_RATE_176400] = 176400,
	[VIRTIO_SND_PCM_RATE_192000] = 192000,
	[VIRTIO_SND_PCM_RATE_384000] = 384000,
	[VIRTIO_SND_PCM_RATE_12000] = 12000,
	[VIRTIO_SND_PCM_RATE_24000] = 24000,
};

static int vhost_snd_refine(struct snd_pcm_substream *substream,
			    struct snd_pcm_hw_params *params)
{
	params->rmask = ~0U;
	return snd_pcm_hw_refine(substream, params);
}

static void vhost_snd_set_format(struct snd_pcm_hw_params *params,
				 snd_pcm_format_t format)
{
	struct snd_mask *mask = hw_param_mask(params, SNDRV_PCM_HW_PARAM_FORMAT);

	snd_mask_none(mask);
	snd_mask_set_format(mask, format);
}

static void vhost_snd_set_range(struct snd_pcm_hw_params *params,
				snd_pcm_hw_param_t var, u32 min, u32 max)
{
	struct snd_interval *interval = hw_param_interval(params, var);

	interval->min = min;
	interval->max = max;
	interval->openmin = 0;
	interval->openmax = 0;
	interval->integer = 1;
	interval->empty = 0;
}

/* Everything that the PCM can do with interleaved frames that are written. */
static int vhost_snd_any(struct snd_pcm_substream *substream,
			 struct snd_pcm_hw_params *params)
{
	struct snd_mask *access;

	_snd_pcm_hw_params_any(params);
	access = hw_param_mask(params, SNDRV_PCM_HW_PARAM_ACCESS);
	snd_mask_none(access);
	snd_mask_set(access, (__force unsigned int)
			     SNDRV_PCM_ACCESS_RW_INTERLEAVED);
	return vhost_snd_refine(substream, params);
}

static bool vhost_snd_can_format(struct snd_pcm_substream *substream,
				 const struct snd_pcm_hw_params *any,
				 struct snd_pcm_hw_params *scratch,
				 unsigned int vformat)
{
	snd_pcm_format_t format = vhost_snd_formats[vformat];

	if (snd_pcm_format_physical_width(format) < 8)
		return false;
	if (!snd_mask_test_format(hw_param_mask_c(any, SNDRV_PCM_HW_PARAM_FORMAT),
				  format))
		return false;
	*scratch = *any;
	vhost_snd_set_format(scratch, format);
	return !vhost_snd_refine(substream, scratch);
}

static bool vhost_snd_can_rate(struct snd_pcm_substream *substream,
			       const struct snd_pcm_hw_params *any,
			       struct snd_pcm_hw_params *scratch,
			       unsigned int vrate)
{
	const struct snd_interval *rates;
	u32 rate = vhost_snd_rates[vrate];

	rates = hw_param_interval_c(any, SNDRV_PCM_HW_PARAM_RATE);
	if (!snd_interval_test(rates, rate))
		return false;
	*scratch = *any;
	vhost_snd_set_range(scratch, SNDRV_PCM_HW_PARAM_RATE, rate, rate);
	return !vhost_snd_refine(substream, scratch);
}

/**
 * vhost_snd_caps_read - see what a PCM can
 * @substream: the PCM, without parameters
 * @caps: gets it
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL where it can do nothing that virtio knows; -ENOMEM.
 */
int vhost_snd_caps_read(struct snd_pcm_substream *substream,
			struct vhost_snd_caps *caps)
{
	struct snd_pcm_hw_params *params;
	const struct snd_interval *channels;
	unsigned int i;
	int err;

	*caps = (struct vhost_snd_caps){};
	params = kcalloc(2, sizeof(*params), GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	err = vhost_snd_any(substream, &params[0]);
	if (err)
		goto out;
	for (i = 0; i < ARRAY_SIZE(vhost_snd_formats); i++)
		if (vhost_snd_can_format(substream, &params[0], &params[1], i))
			caps->formats |= BIT_ULL(i);
	for (i = 0; i < ARRAY_SIZE(vhost_snd_rates); i++)
		if (vhost_snd_can_rate(substream, &params[0], &params[1], i))
			caps->rates |= BIT_ULL(i);
	channels = hw_param_interval_c(&params[0], SNDRV_PCM_HW_PARAM_CHANNELS);
	caps->channels_min = min(channels->min, 255U);
	caps->channels_max = min(channels->max, 255U);
	if (!caps->formats || !caps->rates || !caps->channels_min)
		err = -EINVAL;
out:
	kfree(params);
	return err;
}

/**
 * vhost_snd_caps_limit - leave of it what a stream may have
 * @stream: the stream
 * @caps: what its PCM can
 *
 * Context: Any.
 */
void vhost_snd_caps_limit(const struct vhost_snd_stream *stream,
			  struct vhost_snd_caps *caps)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vhost_snd_rates); i++)
		if (vhost_snd_rates[i] > stream->rate_max)
			caps->rates &= ~BIT_ULL(i);
	caps->channels_max = min_t(u32, caps->channels_max,
				   stream->channels_max);
}

/* Features that can be selected. */
#define VHOST_SND_PCM_FEATURES	(BIT(VIRTIO_SND_PCM_F_MSG_POLLING) |	\
				 BIT(VIRTIO_SND_PCM_F_EVT_XRUNS))

/**
 * vhost_snd_params_check - check what the driver wants
 * @stream: of this stream
 * @msg: a private copy of the request
 * @params: gets it in other words
 *
 * Context: Any.
 * Return: VIRTIO_SND_S_*.
 */
u32 vhost_snd_params_check(const struct vhost_snd_stream *stream,
			   const struct virtio_snd_pcm_set_params *msg,
			   struct vhost_snd_params *params)
{
	const struct vhost_snd_caps *caps = &stream->caps;
	u32 buffer = le32_to_cpu(msg->buffer_bytes);
	u32 period = le32_to_cpu(msg->period_bytes);
	u32 features = le32_to_cpu(msg->features);

	if (msg->channels < caps->channels_min ||
	    msg->channels > caps->channels_max ||
	    msg->format >= ARRAY_SIZE(vhost_snd_formats) ||
	    !(caps->formats & BIT_ULL(msg->format)) ||
	    msg->rate >= ARRAY_SIZE(vhost_snd_rates) ||
	    !(caps->rates & BIT_ULL(msg->rate)) ||
	    (features & ~VHOST_SND_PCM_FEATURES))
		return VIRTIO_SND_S_NOT_SUPP;
	*params = (struct vhost_snd_params){
		.buffer_bytes = buffer,
		.period_bytes = period,
		.features = features,
		.channels = msg->channels,
		.vformat = msg->format,
		.format = vhost_snd_formats[msg->format],
		.rate = vhost_snd_rates[msg->rate],
	};
	params->frame_bytes = params->channels *
		snd_pcm_format_physical_width(params->format) / 8;
	if (!period || !buffer || buffer % period ||
	    period % params->frame_bytes)
		return VIRTIO_SND_S_BAD_MSG;
	if (buffer > stream->buffer_max ||
	    (u64)(period / params->frame_bytes) * USEC_PER_SEC <
	    (u64)stream->period_min * params->rate)
		return VIRTIO_SND_S_NOT_SUPP;
	return VIRTIO_SND_S_OK;
}

/*
 * Narrow @var to the value nearest to @want that the PCM can have, the smaller
 * of two that are equally near; with @least, to one that is not smaller, where
 * there is any. @scratch has room for two.
 */
static int vhost_snd_nearest(struct snd_pcm_substream *substream,
			     struct snd_pcm_hw_params *params,
			     struct snd_pcm_hw_params *scratch,
			     snd_pcm_hw_param_t var, u32 want, bool least)
{
	const struct snd_interval *interval = hw_param_interval_c(params, var);
	int below = -EINVAL, above = -EINVAL;

	if (interval->min <= want) {
		scratch[0] = *params;
		vhost_snd_set_range(&scratch[0], var, interval->min,
				    min(interval->max, want));
		if (!vhost_snd_refine(substream, &scratch[0]))
			below = snd_pcm_hw_param_last(substream, &scratch[0],
						      var, NULL);
	}
	if (interval->max >= want) {
		scratch[1] = *params;
		vhost_snd_set_range(&scratch[1], var, max(interval->min, want),
				    interval->max);
		if (!vhost_snd_refine(substream, &scratch[1]))
			above = snd_pcm_hw_param_first(substream, &scratch[1],
						       var, NULL);
	}
	if (below < 0 && above < 0)
		return -EINVAL;
	if (above < 0 || (below >= 0 && below == want) ||
	    (below >= 0 && !least && want - below <= above - want))
		*params = scratch[0];
	else
		*params = scratch[1];
	return 0;
}

/*
 * Frames of a period that the PCM should have. What nobody kicks for is seen
 * when the PCM wakes: three times a buffer at least, so that what came behind
 * one period is there before the next one has been played.
 */
static u32 vhost_snd_period(const struct snd_pcm_substream *substream,
			    const struct vhost_snd_params *want)
{
	u32 frames = want->period_bytes / want->frame_bytes;
	u32 periods = want->buffer_bytes / want->period_bytes;

	if (substream->stream == SNDRV_PCM_STREAM_CAPTURE ||
	    !(want->features & BIT(VIRTIO_SND_PCM_F_MSG_POLLING)))
		return frames;
	return max(frames / DIV_ROUND_UP(3, periods), 1U);
}

/* The hardware's parameters that are nearest to the guest's. */
static int vhost_snd_choose(struct snd_pcm_substream *substream,
			    struct snd_pcm_hw_params *params,
			    struct snd_pcm_hw_params *scratch,
			    const struct vhost_snd_params *want)
{
	struct snd_interval *periods;
	int err;

	err = vhost_snd_any(substream, params);
	if (err)
		return err;
	vhost_snd_set_format(params, want->format);
	vhost_snd_set_range(params, SNDRV_PCM_HW_PARAM_CHANNELS, want->channels,
			    want->channels);
	vhost_snd_set_range(params, SNDRV_PCM_HW_PARAM_RATE, want->rate,
			    want->rate);
	/* With one period there would be nowhere to write while it plays. */
	periods = hw_param_interval(params, SNDRV_PCM_HW_PARAM_PERIODS);
	if (periods->max < 2)
		return -EINVAL;
	periods->min = max(periods->min, 2U);
	err = vhost_snd_refine(substream, params);
	if (err)
		return err;
	err = vhost_snd_nearest(substream, params, scratch,
				SNDRV_PCM_HW_PARAM_PERIOD_SIZE,
				vhost_snd_period(substream, want), false);
	if (err)
		return err;
	return vhost_snd_nearest(substream, params, scratch,
				 SNDRV_PCM_HW_PARAM_BUFFER_SIZE,
				 want->buffer_bytes / want->frame_bytes, true);
}

/*
 * The PCM runs until it is told to stop. What was played turns into silence:
 * a guest that is late is heard as a gap, not as an echo.
 */
static int vhost_snd_run_free(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	struct snd_pcm_sw_params *params;
	int err;

	params = kzalloc_obj(*params);
	if (!params)
		return -ENOMEM;
	params->tstamp_mode = SNDRV_PCM_TSTAMP_NONE;
	params->period_step = 1;
	params->avail_min = 1;
	params->start_threshold = LONG_MAX;
	params->stop_threshold = runtime->boundary;
	if (substream->stream == SNDRV_PCM_STREAM_PLAYBACK)
		params->silence_size = runtime->boundary;
	err = snd_pcm_kernel_ioctl(substream, SNDRV_PCM_IOCTL_SW_PARAMS, params);
	kfree(params);
	return err;
}

/**
 * vhost_snd_params_apply - give a PCM what is nearest to what the driver wants
 * @substream: the PCM, not running
 * @want: what it wants
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_snd_params_apply(struct snd_pcm_substream *substream,
			   const struct vhost_snd_params *want)
{
	struct snd_pcm_hw_params *params;
	int err;

	params = kcalloc(3, sizeof(*params), GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	err = vhost_snd_choose(substream, &params[0], &params[1], want);
	if (!err)
		err = snd_pcm_kernel_ioctl(substream, SNDRV_PCM_IOCTL_HW_PARAMS,
					   &params[0]);
	if (!err)
		err = vhost_snd_run_free(substream);
	kfree(params);
	return err;
}
EXPORT_SYMBOL_GPL(vhost_snd_params_apply);
