// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sleeps: parameters, preparing, starting, dropping. A stream has one job
 * under way; one that outlives a reset of the device finds that out by the
 * session, and does nothing any more.
 */
#include <linux/slab.h>

#include "vhost_snd.h"

/*
 * Stop where it stands: what was played between a look at that and the stop
 * would be played again after the next start. The core looks under its lock
 * only as for an interrupt, of which it expects a period or half a buffer since
 * the last look; so there is one just before.
 */
static void vhost_snd_halt(struct snd_pcm_substream *substream)
{
	snd_pcm_uframes_t delay;

	snd_pcm_kernel_ioctl(substream, SNDRV_PCM_IOCTL_DELAY, &delay);
	snd_pcm_stream_lock_irq(substream);
	if (snd_pcm_running(substream))
		snd_pcm_period_elapsed_under_stream_lock(substream);
	if (snd_pcm_running(substream))
		snd_pcm_stop(substream, SNDRV_PCM_STATE_SETUP);
	snd_pcm_stream_unlock_irq(substream);
}

static int vhost_snd_job_do(struct vhost_snd_job *job)
{
	struct vhost_snd_pcm *pcm = job->pcm;
	struct snd_pcm_substream *substream = pcm->substream;
	int err;

	err = snd_power_wait(substream->pcm->card);
	if (err)
		return err;
	if (job->ops & VHOST_SND_OP_DROP) {
		vhost_snd_halt(substream);
		/* There may be nothing to drop. */
		snd_pcm_kernel_ioctl(substream, SNDRV_PCM_IOCTL_DROP, NULL);
	}
	if (job->ops & VHOST_SND_OP_FREE)
		vhost_snd_file_quieten(&pcm->file);
	if (job->ops & VHOST_SND_OP_PARAMS) {
		err = vhost_snd_params_apply(substream, &job->params);
		if (err)
			return err;
	}
	if (job->ops & VHOST_SND_OP_PREPARE) {
		err = snd_pcm_kernel_ioctl(substream, SNDRV_PCM_IOCTL_PREPARE,
					   NULL);
		if (err)
			return err;
	}
	if (job->ops & VHOST_SND_OP_START)
		return snd_pcm_kernel_ioctl(substream, SNDRV_PCM_IOCTL_START,
					    NULL);
	return 0;
}

static void vhost_snd_job_run(struct devhost_job *djob)
{
	struct vhost_snd_job *job = container_of(djob, struct vhost_snd_job, job);
	struct vhost_snd_pcm *pcm = job->pcm;
	struct snd_pcm_runtime *runtime = pcm->substream->runtime;

	mutex_lock(&pcm->lock);
	vhost_snd_pcm_hush(pcm);
	/* Pairs with vhost_snd_pcm_forget(). */
	smp_rmb();
	if (READ_ONCE(pcm->session) != job->session)
		job->err = -ECANCELED;
	else
		job->err = vhost_snd_job_do(job);

	snd_pcm_stream_lock_irq(pcm->substream);
	job->hw_ptr = runtime->status->hw_ptr;
	job->boundary = runtime->boundary;
	job->period_size = runtime->period_size;
	job->buffer_size = runtime->buffer_size;
	snd_pcm_stream_unlock_irq(pcm->substream);
	mutex_unlock(&pcm->lock);
}

static void vhost_snd_job_free(struct vhost_snd_job *job)
{
	vhost_snd_pcm_put(job->pcm);
	kfree(job);
}

static void vhost_snd_job_done(struct devhost_device *dev,
			       struct devhost_job *djob)
{
	struct vhost_snd_job *job = container_of(djob, struct vhost_snd_job, job);
	struct vhost_snd_stream *stream = job->stream;

	stream->vs->jobs--;
	stream->busy = false;
	/* The card may have been unplugged meanwhile, and another one taken. */
	if (job->pcm != stream->pcm)
		job->err = -ENODEV;
	vhost_snd_stream_done(stream, job);
	vhost_snd_job_free(job);
}

static void vhost_snd_job_drop(struct devhost_job *djob)
{
	vhost_snd_job_free(container_of(djob, struct vhost_snd_job, job));
}

/**
 * vhost_snd_pcm_submit - have a helper do something to the PCM of a stream
 * @stream: the stream, with no job under way; told by vhost_snd_stream_done()
 * @ops: bits VHOST_SND_OP_*
 * @params: for VHOST_SND_OP_PARAMS
 *
 * Context: The worker.
 * Return: 0 or an error.
 */
int vhost_snd_pcm_submit(struct vhost_snd_stream *stream, unsigned int ops,
			 const struct vhost_snd_params *params)
{
	struct vhost_snd_pcm *pcm = stream->pcm;
	struct vhost_snd_job *job;
	int err;

	if (!pcm)
		return -ENODEV;
	job = kzalloc_obj(*job);
	if (!job)
		return -ENOMEM;
	job->job.run = vhost_snd_job_run;
	job->job.done = vhost_snd_job_done;
	job->job.drop = vhost_snd_job_drop;
	job->stream = stream;
	job->pcm = pcm;
	job->session = pcm->session;
	job->ops = ops;
	job->params = *params;
	kref_get(&pcm->ref);
	err = devhost_submit(stream->vs->dev, &job->job);
	if (err) {
		vhost_snd_job_free(job);
		return err;
	}
	stream->busy = true;
	stream->vs->jobs++;
	return 0;
}
