/* SPDX-License-Identifier: Apache-2.0 */
#include "pcm.h"

static inline struct snd_mask *hw_param_mask(struct snd_pcm_hw_params *params, int var)
{
	return &params->masks[var - SNDRV_PCM_HW_PARAM_FIRST_MASK];
}

static inline struct snd_interval *hw_param_interval(struct snd_pcm_hw_params *params, int var)
{
	return &params->intervals[var - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
}

#define hw_param_mask_c(params, var)						\
	((const struct snd_mask *)&(params)->masks[(var) - SNDRV_PCM_HW_PARAM_FIRST_MASK])
#define hw_param_interval_c(params, var)					\
	((const struct snd_interval *)&(params)->intervals[(var) -		\
							    SNDRV_PCM_HW_PARAM_FIRST_INTERVAL])

static inline void snd_mask_none(struct snd_mask *mask)
{
	memset(mask, 0, sizeof(*mask));
}

static inline void snd_mask_set(struct snd_mask *mask, unsigned int bit)
{
	mask->bits[bit / 32] |= 1U << bit % 32;
}

static inline bool snd_mask_test_format(const struct snd_mask *mask, snd_pcm_format_t format)
{
	return mask->bits[(unsigned int)format / 32] >> (unsigned int)format % 32 & 1;
}

#define snd_mask_set_format(mask, format) snd_mask_set(mask, (unsigned int)(format))

static inline bool snd_interval_test(const struct snd_interval *i, unsigned int value)
{
	return value >= i->min && value <= i->max;
}

static inline void _snd_pcm_hw_params_any(struct snd_pcm_hw_params *params)
{
	memset(params, 0, sizeof(*params));
}
