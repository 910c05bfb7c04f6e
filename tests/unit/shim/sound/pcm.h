/* SPDX-License-Identifier: Apache-2.0 */
/* As much of ALSA as what checks a guest's requests needs; its parameters are user space's. */
#ifndef DEVHOST_SHIM_PCM_H
#define DEVHOST_SHIM_PCM_H

#include <limits.h>
#include <sys/ioctl.h>

#include <sound/asound.h>

#include "../linux/netdevice.h"

#ifndef __force
#define __force
#endif
#define USEC_PER_SEC	1000000L

struct task_struct;
struct snd_ctl_file;
struct snd_pcm_runtime { snd_pcm_uframes_t boundary; };
struct snd_pcm_substream {
	int stream;
	struct snd_pcm_runtime *runtime;
};
struct kref { int refs; };
struct wait_queue_entry { int unused; };
struct file;

int snd_pcm_format_physical_width(snd_pcm_format_t format);
int snd_pcm_hw_refine(struct snd_pcm_substream *substream, struct snd_pcm_hw_params *params);
int snd_pcm_kernel_ioctl(struct snd_pcm_substream *substream, unsigned int cmd, void *arg);
int snd_pcm_hw_param_first(struct snd_pcm_substream *substream, struct snd_pcm_hw_params *params,
			   snd_pcm_hw_param_t var, int *dir);
int snd_pcm_hw_param_last(struct snd_pcm_substream *substream, struct snd_pcm_hw_params *params,
			  snd_pcm_hw_param_t var, int *dir);

#ifndef __cplusplus
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define kcalloc(n, size, gfp)	shim_alloc(n, size)
#endif

#endif
