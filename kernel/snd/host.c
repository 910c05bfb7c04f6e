// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCM of the host, as one stream has it: its wake-ups, its data, its end.
 *
 * A guest without a driver leaves the PCM open, but without parameters: the
 * hardware sleeps.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched.h>
#include <linux/slab.h>
#include <sound/control.h>

#include "vhost_snd.h"

static snd_pcm_state_t vhost_snd_pcm_state(struct vhost_snd_pcm *pcm)
{
	snd_pcm_state_t state;

	snd_pcm_stream_lock_irq(pcm->substream);
	state = pcm->substream->runtime->state;
	snd_pcm_stream_unlock_irq(pcm->substream);
	return state;
}

/**
 * vhost_snd_pcm_gone - whether the card was unplugged
 * @pcm: the PCM
 *
 * Context: Process context.
 * Return: true if it is gone for good.
 */
bool vhost_snd_pcm_gone(struct vhost_snd_pcm *pcm)
{
	return vhost_snd_pcm_state(pcm) == SNDRV_PCM_STATE_DISCONNECTED;
}

enum devhost_snd_direction vhost_snd_pcm_direction(const struct vhost_snd_pcm *pcm)
{
	return pcm->substream->stream == SNDRV_PCM_STREAM_PLAYBACK ?
	       DEVHOST_SND_PLAYBACK : DEVHOST_SND_CAPTURE;
}

/* Who woke may be in an interrupt, and holds the stream lock. */
static int vhost_snd_pcm_wake(struct wait_queue_entry *wait, unsigned int mode,
			      int flags, void *key)
{
	struct vhost_snd_pcm *pcm = wait->private;
	struct vhost_snd_stream *stream = pcm->stream;
	struct vhost_snd *vs = stream->vs;

	if (unlikely(pcm->substream->runtime->state ==
		     SNDRV_PCM_STATE_DISCONNECTED)) {
		vhost_snd_card_gone(vs);
		return 0;
	}
	/* Who copies looks at the position afterwards. */
	if (READ_ONCE(pcm->copying) == current && in_task())
		return 0;
	vhost_snd_wake(stream);
	return 0;
}

static void vhost_snd_pcm_release(struct work_struct *work)
{
	struct vhost_snd_pcm *pcm = container_of(work, struct vhost_snd_pcm,
						 release);

	vhost_snd_file_close(&pcm->file);
	mutex_destroy(&pcm->lock);
	kfree(pcm);
}

static void vhost_snd_pcm_last(struct kref *ref)
{
	struct vhost_snd_pcm *pcm = container_of(ref, struct vhost_snd_pcm, ref);

	queue_work(vhost_snd_wq, &pcm->release);
}

/**
 * vhost_snd_pcm_put - drop a reference to a PCM
 * @pcm: the PCM, detached where it is the stream's
 *
 * Context: Any.
 */
void vhost_snd_pcm_put(struct vhost_snd_pcm *pcm)
{
	kref_put(&pcm->ref, vhost_snd_pcm_last);
}

/**
 * vhost_snd_pcm_hush - quieten a PCM that vhost_snd_pcm_forget() was called for
 * @pcm: the PCM; its lock is held
 *
 * Context: Process context, sleeps.
 */
void vhost_snd_pcm_hush(struct vhost_snd_pcm *pcm)
{
	lockdep_assert_held(&pcm->lock);
	if (!READ_ONCE(pcm->hush))
		return;
	WRITE_ONCE(pcm->hush, false);
	vhost_snd_file_quieten(&pcm->file);
}

static void vhost_snd_pcm_silence(struct work_struct *work)
{
	struct vhost_snd_pcm *pcm = container_of(work, struct vhost_snd_pcm,
						 silence);

	mutex_lock(&pcm->lock);
	vhost_snd_pcm_hush(pcm);
	mutex_unlock(&pcm->lock);
	vhost_snd_pcm_put(pcm);
}

/**
 * vhost_snd_pcm_forget - the device stops: whatever the PCM does ends soon
 * @pcm: the PCM
 *
 * Jobs of the past do nothing any more, except one that is at it right now;
 * the PCM is silenced behind it, and before what comes next.
 *
 * Context: Process context.
 */
void vhost_snd_pcm_forget(struct vhost_snd_pcm *pcm)
{
	WRITE_ONCE(pcm->session, pcm->session + 1);
	/* Pairs with vhost_snd_job_run(): who hushes is of no past session. */
	smp_wmb();
	WRITE_ONCE(pcm->hush, true);
	kref_get(&pcm->ref);
	if (!queue_work(vhost_snd_wq, &pcm->silence))
		vhost_snd_pcm_put(pcm);
}

static struct vhost_snd_pcm *vhost_snd_pcm_new(void)
{
	struct vhost_snd_pcm *pcm = kzalloc_obj(*pcm);

	if (!pcm)
		return NULL;
	kref_init(&pcm->ref);
	mutex_init(&pcm->lock);
	init_waitqueue_func_entry(&pcm->sleep, vhost_snd_pcm_wake);
	init_waitqueue_func_entry(&pcm->tsleep, vhost_snd_pcm_wake);
	pcm->sleep.private = pcm;
	pcm->tsleep.private = pcm;
	INIT_WORK(&pcm->silence, vhost_snd_pcm_silence);
	INIT_WORK(&pcm->release, vhost_snd_pcm_release);
	return pcm;
}

/**
 * vhost_snd_pcm_open - take the PCM that an open file is
 * @fd: descriptor of the current task
 * @extack: where to say what is wrong with it
 *
 * Context: Process context of whoever sent the descriptor, may sleep.
 * Return: the PCM, or an error.
 */
struct vhost_snd_pcm *vhost_snd_pcm_open(int fd, struct netlink_ext_ack *extack)
{
	struct vhost_snd_pcm *pcm = vhost_snd_pcm_new();
	int err;

	if (!pcm)
		return ERR_PTR(-ENOMEM);
	err = vhost_snd_file_open(&pcm->file, fd, extack);
	if (err) {
		mutex_destroy(&pcm->lock);
		kfree(pcm);
		return ERR_PTR(err);
	}
	pcm->substream = pcm->file.substream;
	err = vhost_snd_caps_read(pcm->substream, &pcm->caps);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "PCM %d has no format that virtio knows",
				   fd);
		vhost_snd_pcm_put(pcm);
		return ERR_PTR(err);
	}
	return pcm;
}

/**
 * vhost_snd_pcm_refresh - see again what a PCM can
 * @pcm: the PCM, without parameters
 *
 * That may depend on what others do with the card. While an old job is at the
 * PCM, what was known before stays.
 *
 * Context: Process context, may sleep.
 */
void vhost_snd_pcm_refresh(struct vhost_snd_pcm *pcm)
{
	struct vhost_snd_caps caps;

	if (!mutex_trylock(&pcm->lock))
		return;
	vhost_snd_pcm_hush(pcm);
	if (!vhost_snd_caps_read(pcm->substream, &caps))
		pcm->caps = caps;
	mutex_unlock(&pcm->lock);
}

/**
 * vhost_snd_pcm_attach - have a PCM wake a stream
 * @pcm: the PCM
 * @stream: the stream that it is now, to be detached by it
 *
 * Context: Process context.
 */
void vhost_snd_pcm_attach(struct vhost_snd_pcm *pcm,
			  struct vhost_snd_stream *stream)
{
	struct snd_pcm_runtime *runtime = pcm->substream->runtime;

	pcm->stream = stream;
	add_wait_queue(&runtime->sleep, &pcm->sleep);
	add_wait_queue(&runtime->tsleep, &pcm->tsleep);
	if (vhost_snd_pcm_gone(pcm))
		vhost_snd_card_gone(stream->vs);
}

/**
 * vhost_snd_pcm_detach - have it wake nobody any more
 * @pcm: the PCM
 *
 * Context: Process context.
 */
void vhost_snd_pcm_detach(struct vhost_snd_pcm *pcm)
{
	struct snd_pcm_runtime *runtime = pcm->substream->runtime;

	remove_wait_queue(&runtime->sleep, &pcm->sleep);
	remove_wait_queue(&runtime->tsleep, &pcm->tsleep);
}

/**
 * vhost_snd_pcm_look - see where the PCM of a stream stands
 * @stream: the stream, with a PCM and no job under way
 *
 * Context: The worker.
 * Return: the state of the PCM.
 */
snd_pcm_state_t vhost_snd_pcm_look(struct vhost_snd_stream *stream)
{
	struct snd_pcm_substream *substream = stream->pcm->substream;
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_uframes_t hw_ptr;
	snd_pcm_state_t state;

	snd_pcm_stream_lock_irq(substream);
	state = runtime->state;
	hw_ptr = runtime->status->hw_ptr;
	stream->delay = runtime->delay;
	snd_pcm_stream_unlock_irq(substream);

	if (stream->host >= VHOST_SND_HOST_PREPARED)
		vhost_snd_xfer_advance(stream, hw_ptr);
	return state;
}

/**
 * vhost_snd_pcm_xfer - copy between memory and PCM
 * @stream: the stream, prepared or running
 * @data: where the frames are or go to; NULL plays silence
 * @frames: number of them, no more than there is room for, or than are there
 *
 * Context: The worker.
 * Return: 0 or an error.
 */
int vhost_snd_pcm_xfer(struct vhost_snd_stream *stream, void *data, u32 frames)
{
	struct vhost_snd_pcm *pcm = stream->pcm;
	snd_pcm_sframes_t done;

	WRITE_ONCE(pcm->copying, current);
	done = __snd_pcm_lib_xfer(pcm->substream, data, true, frames, true);
	WRITE_ONCE(pcm->copying, NULL);
	if (unlikely(done < 0))
		return done;
	stream->appl += done;
	return likely(done == frames) ? 0 : -EPIPE;
}

/**
 * vhost_snd_pcm_sync - see where the PCM is right now
 * @stream: the stream, prepared or running
 *
 * Otherwise the pointer is from the last wake-up or copy.
 *
 * Context: The worker.
 */
void vhost_snd_pcm_sync(struct vhost_snd_stream *stream)
{
	struct vhost_snd_pcm *pcm = stream->pcm;
	snd_pcm_uframes_t delay;

	WRITE_ONCE(pcm->copying, current);
	snd_pcm_kernel_ioctl(pcm->substream, SNDRV_PCM_IOCTL_DELAY, &delay);
	WRITE_ONCE(pcm->copying, NULL);
	vhost_snd_pcm_look(stream);
}

/**
 * vhost_snd_pcm_forward - leave out what was captured
 * @stream: the stream, running
 * @frames: number of them, no more than are there
 *
 * Context: The worker.
 * Return: 0 or an error.
 */
int vhost_snd_pcm_forward(struct vhost_snd_stream *stream, u64 frames)
{
	snd_pcm_uframes_t n = frames;
	int err;

	err = snd_pcm_kernel_ioctl(stream->pcm->substream,
				   SNDRV_PCM_IOCTL_FORWARD, &n);
	if (!err)
		stream->appl += frames;
	return err;
}

static void vhost_snd_chmap_fill(struct virtio_snd_chmap_info *info,
				 const struct snd_pcm_chmap_elem *map,
				 const struct vhost_snd_stream *stream)
{
	unsigned int i;

	info->hdr.hda_fn_nid = cpu_to_le32(stream->node);
	info->direction = stream->direction == DEVHOST_SND_PLAYBACK ?
			  VIRTIO_SND_D_OUTPUT : VIRTIO_SND_D_INPUT;
	info->channels = min_t(unsigned int, map->channels,
			       min(ARRAY_SIZE(map->map),
				   ARRAY_SIZE(info->positions)));
	/* The numbers are ALSA's own. */
	for (i = 0; i < info->channels; i++)
		info->positions[i] = map->map[i] <= VIRTIO_SND_CHMAP_BRC ?
				     map->map[i] : VIRTIO_SND_CHMAP_NONE;
}

/**
 * vhost_snd_pcm_chmaps - read the channel maps of a PCM
 * @pcm: the PCM
 * @stream: gets them
 *
 * Context: Process context, may sleep.
 * Return: 0 or an error.
 */
int vhost_snd_pcm_chmaps(struct vhost_snd_pcm *pcm,
			 struct vhost_snd_stream *stream)
{
	struct snd_pcm *host = pcm->substream->pcm;
	const struct snd_pcm_chmap_elem *map, *maps = NULL;
	struct snd_kcontrol *kctl;
	u32 num = 0;
	int err = 0;

	/* Held while the card is disconnected and the maps are freed. */
	mutex_lock(&host->open_mutex);
	kctl = host->streams[pcm->substream->stream].chmap_kctl;
	if (kctl && !vhost_snd_pcm_gone(pcm)) {
		const struct snd_pcm_chmap *info = snd_kcontrol_chip(kctl);

		maps = info->chmap;
	}
	for (map = maps; map && map->channels; map++)
		num++;
	if (num) {
		stream->chmaps = kcalloc(num, sizeof(*stream->chmaps),
					 GFP_KERNEL);
		if (!stream->chmaps)
			err = -ENOMEM;
		for (; !err && stream->num_chmaps < num; stream->num_chmaps++)
			vhost_snd_chmap_fill(&stream->chmaps[stream->num_chmaps],
					     &maps[stream->num_chmaps], stream);
	}
	mutex_unlock(&host->open_mutex);
	return err;
}
