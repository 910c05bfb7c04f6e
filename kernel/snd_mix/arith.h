/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of the mixer: pure functions of samples and gains.
 *
 * A sample of whatever format is a number of 32 bits, a gain one of 24 bits
 * behind the point, a sum one of 64 bits with as many behind it. So nothing is
 * lost before the end, where a sum is rounded once to what the format has, and
 * saturates.
 *
 * A volume is in steps of half a decibel; 0 is silence. A gain that changes goes
 * to its new value in a straight line: what has no step does not click.
 */
#ifndef _VHOST_SND_MIX_ARITH_H
#define _VHOST_SND_MIX_ARITH_H

#include <linux/types.h>
#include <asm/byteorder.h>

#define MIX_GAIN_BITS	24
#define MIX_GAIN_ONE	0x1000000U

#define MIX_VOLUME_MAX	127	/* 0 dB */
#define MIX_VOLUME_STEP	50	/* in hundredths of a decibel */

enum mix_format {
	MIX_S16,
	MIX_S24_3,	/* in three bytes */
	MIX_S24,	/* in the lower three of four */
	MIX_S32,
};

/* 10 ^ (dB / 20), by volume */
static const u32 mix_gains[MIX_VOLUME_MAX + 1] = {
	0, 11877, 12581, 13327, 14116, 14953, 15839, 16777,
	17771, 18824, 19940, 21121, 22373, 23698, 25103, 26590,
	28166, 29835, 31602, 33475, 35458, 37560, 39785, 42142,
	44640, 47285, 50086, 53054, 56198, 59528, 63055, 66791,
	70749, 74941, 79382, 84085, 89068, 94345, 99936, 105857,
	112130, 118774, 125811, 133266, 141163, 149527, 158387, 167772,
	177713, 188243, 199398, 211213, 223728, 236984, 251027, 265901,
	281657, 298346, 316024, 334749, 354585, 375595, 397850, 421425,
	446396, 472846, 500864, 530542, 561979, 595278, 630551, 667913,
	707489, 749411, 793816, 840853, 890676, 943452, 999355, 1058571,
	1121295, 1187736, 1258114, 1332662, 1411627, 1495271, 1583871, 1677722,
	1777133, 1882435, 1993976, 2112126, 2237278, 2369845, 2510267, 2659010,
	2816566, 2983458, 3160239, 3347495, 3545846, 3755951, 3978505, 4214246,
	4463956, 4728462, 5008641, 5305422, 5619788, 5952781, 6305505, 6679130,
	7074893, 7494107, 7938161, 8408526, 8906763, 9434522, 9993552, 10585708,
	11212950, 11877359, 12581137, 13326616, 14116268, 14952709, 15838713, 16777216,
};

/**
 * struct mix_ramp - a gain on its way
 * @gain: what it is
 * @target: what it is to become
 * @step: what is added for each frame until then
 */
struct mix_ramp {
	u32 gain;
	u32 target;
	s32 step;
};

/* Bytes of a sample */
static inline unsigned int mix_bytes(enum mix_format format)
{
	return format == MIX_S16 ? 2 : format == MIX_S24_3 ? 3 : 4;
}

static inline unsigned int mix_bits(enum mix_format format)
{
	return format == MIX_S16 ? 16 : format == MIX_S32 ? 32 : 24;
}

static __always_inline s32 mix_load(enum mix_format format, const u8 *p)
{
	switch (format) {
	case MIX_S16:
		return (s32)((u32)le16_to_cpu(*(const __le16 *)p) << 16);
	case MIX_S24_3:
		return (s32)((u32)p[0] << 8 | (u32)p[1] << 16 | (u32)p[2] << 24);
	case MIX_S24:
		return (s32)(le32_to_cpu(*(const __le32 *)p) << 8);
	default:
		return (s32)le32_to_cpu(*(const __le32 *)p);
	}
}

/* A sum as a number of so many bits, the nearest that there is. */
static inline s32 mix_saturate(s64 sum, unsigned int bits)
{
	unsigned int shift = MIX_GAIN_BITS + 32 - bits;
	s64 max = (1LL << (bits - 1)) - 1;

	sum = (sum + (1LL << (shift - 1))) >> shift;
	if (sum > max)
		return max;
	if (sum < -max - 1)
		return -max - 1;
	return sum;
}

static __always_inline void mix_store(enum mix_format format, u8 *p, s64 sum)
{
	u32 value = mix_saturate(sum, mix_bits(format));

	switch (format) {
	case MIX_S16:
		*(__le16 *)p = cpu_to_le16(value);
		break;
	case MIX_S24_3:
		p[0] = value;
		p[1] = value >> 8;
		p[2] = value >> 16;
		break;
	default:
		*(__le32 *)p = cpu_to_le32(value);
	}
}

/* What a stream is to be heard with. */
static inline u32 mix_gain(unsigned int volume, bool muted, unsigned int duck,
			   bool ducked)
{
	if (muted)
		return 0;
	if (!ducked)
		return mix_gains[volume];
	return (u64)mix_gains[volume] * mix_gains[duck] >> MIX_GAIN_BITS;
}

/* Be there after so many frames at most, and one at least. */
static inline void mix_ramp_to(struct mix_ramp *ramp, u32 target, s32 frames)
{
	s32 way = (s32)target - (s32)ramp->gain;

	if (ramp->target == target)
		return;
	ramp->target = target;
	ramp->step = (way + (way < 0 ? 1 - frames : frames - 1)) / frames;
}

static inline void mix_ramp_set(struct mix_ramp *ramp, u32 gain)
{
	*ramp = (struct mix_ramp){ .gain = gain, .target = gain };
}

/* The gain for the next frame. */
static inline u32 mix_ramp_next(struct mix_ramp *ramp)
{
	s32 left = (s32)ramp->target - (s32)ramp->gain;

	if (ramp->step > 0 ? left <= ramp->step : left >= ramp->step)
		ramp->gain = ramp->target;
	else
		ramp->gain += ramp->step;
	return ramp->gain;
}

/* For frames that have no data. */
static inline void mix_ramp_skip(struct mix_ramp *ramp, u32 frames)
{
	while (frames-- && ramp->gain != ramp->target)
		mix_ramp_next(ramp);
}

static __always_inline void mix_add_format(enum mix_format format, s64 *sum,
					   const u8 *src, u32 frames,
					   unsigned int channels,
					   struct mix_ramp *ramp)
{
	while (frames--) {
		u32 gain = mix_ramp_next(ramp);
		unsigned int i;

		for (i = 0; i < channels; i++) {
			*sum++ += (s64)mix_load(format, src) * gain;
			src += mix_bytes(format);
		}
	}
}

/* Add frames to a sum. */
static inline void mix_add(enum mix_format format, s64 *sum, const u8 *src,
			   u32 frames, unsigned int channels,
			   struct mix_ramp *ramp)
{
	switch (format) {
	case MIX_S16:
		return mix_add_format(MIX_S16, sum, src, frames, channels, ramp);
	case MIX_S24_3:
		return mix_add_format(MIX_S24_3, sum, src, frames, channels, ramp);
	case MIX_S24:
		return mix_add_format(MIX_S24, sum, src, frames, channels, ramp);
	case MIX_S32:
		return mix_add_format(MIX_S32, sum, src, frames, channels, ramp);
	}
}

static __always_inline void mix_put_format(enum mix_format format, u8 *dst,
					   const s64 *sum, u32 samples)
{
	for (; samples--; dst += mix_bytes(format))
		mix_store(format, dst, *sum++);
}

/* What a sum is in a format. */
static inline void mix_put(enum mix_format format, u8 *dst, const s64 *sum,
			   u32 samples)
{
	switch (format) {
	case MIX_S16:
		return mix_put_format(MIX_S16, dst, sum, samples);
	case MIX_S24_3:
		return mix_put_format(MIX_S24_3, dst, sum, samples);
	case MIX_S24:
		return mix_put_format(MIX_S24, dst, sum, samples);
	case MIX_S32:
		return mix_put_format(MIX_S32, dst, sum, samples);
	}
}

#endif /* _VHOST_SND_MIX_ARITH_H */
