/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCMs of the host, for whoever stands on them: vhost_snd and its mixer.
 */
#ifndef _VHOST_SND_HOST_PCM_H
#define _VHOST_SND_HOST_PCM_H

#include <linux/netlink.h>
#include <sound/pcm.h>

/**
 * struct vhost_snd_file - the open file of a PCM
 * @list: in the list of all; file.c's lock
 * @file: what the daemon opened
 * @substream: what the file brought along; lives as long as the file
 */
struct vhost_snd_file {
	struct list_head list;
	struct file *file;
	struct snd_pcm_substream *substream;
};

/**
 * struct vhost_snd_params - parameters that the driver has set
 * @buffer_bytes: of the guest's buffer
 * @period_bytes: of its periods
 * @features: bits VIRTIO_SND_PCM_F_*
 * @channels: number of channels
 * @vformat: VIRTIO_SND_PCM_FMT_*
 * @format: the same in ALSA's words
 * @rate: frames a second
 * @frame_bytes: bytes of a frame
 */
struct vhost_snd_params {
	u32 buffer_bytes;
	u32 period_bytes;
	u32 features;
	u8 channels;
	u8 vformat;
	snd_pcm_format_t format;
	u32 rate;
	u32 frame_bytes;
};

/* file.c */
int vhost_snd_file_open(struct vhost_snd_file *pcm, int fd,
			struct netlink_ext_ack *extack);
void vhost_snd_file_close(struct vhost_snd_file *pcm);
void vhost_snd_file_quieten(struct vhost_snd_file *pcm);

/* params.c */
int vhost_snd_params_apply(struct snd_pcm_substream *substream,
			   const struct vhost_snd_params *want);

#endif /* _VHOST_SND_HOST_PCM_H */
