// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream of the guest: its control requests, one after the other, and what
 * becomes of it when its PCM stops by itself, goes away or comes back.
 *
 * The state is the driver's: it follows the driver's requests only. What the
 * PCM is meanwhile stands in stream->host. A running stream whose PCM stopped,
 * or was replaced, is started again without the driver's doing.
 */
#include <linux/slab.h>

#include "vhost_snd.h"

/* A request is under way; not a status of virtio. */
#define VHOST_SND_S_LATER	0

static void vhost_snd_stream_enter(struct vhost_snd_stream *stream,
				   enum devhost_snd_state state)
{
	if (state != DEVHOST_SND_RUNNING)
		WRITE_ONCE(stream->polling, false);
	if (stream->state == state)
		return;
	WRITE_ONCE(stream->state, state);
	devhost_backend_changed(stream->vs->dev);
}

static bool vhost_snd_stream_starts(const struct vhost_snd_stream *stream)
{
	return stream->serving &&
	       stream->serving->code == VIRTIO_SND_R_PCM_START;
}

/* A stream that is being started has been allowed to run; one that broke has ended. */
static bool vhost_snd_stream_runs(const struct vhost_snd_stream *stream)
{
	return vhost_snd_stream_starts(stream) ||
	       (stream->state == DEVHOST_SND_RUNNING &&
		(stream->host != VHOST_SND_HOST_NONE || stream->restart));
}

static u32 vhost_snd_stream_others(const struct vhost_snd_stream *stream)
{
	const struct vhost_snd *vs = stream->vs;
	u32 i, running = 0;

	for (i = 0; i < vs->num_streams; i++)
		if (&vs->streams[i] != stream &&
		    vhost_snd_stream_runs(&vs->streams[i]))
			running++;
	return running;
}

static bool vhost_snd_stream_allowed(struct vhost_snd_stream *stream,
				     enum devhost_policy_snd_request request,
				     const struct vhost_snd_params *params)
{
	u64 period = params->period_bytes / params->frame_bytes;
	u64 buffer = params->buffer_bytes / params->frame_bytes;
	struct devhost_policy_snd item = {
		.item = stream->id,
		.rate = params->rate,
		.format = params->vformat,
		.channels = params->channels,
		.period_us = div_u64(period * USEC_PER_SEC, params->rate),
		.buffer_us = div_u64(buffer * USEC_PER_SEC, params->rate),
		.running = vhost_snd_stream_others(stream),
		.request = request,
		.direction = stream->direction == DEVHOST_SND_PLAYBACK ?
			     DEVHOST_TO_HOST : DEVHOST_TO_GUEST,
	};

	if (devhost_policy_snd(stream->vs->dev, &item))
		return true;
	devhost_count(stream->vs->dev, VHOST_SND_REQUESTS_DENIED, 1);
	return false;
}

/* A job for the request at hand. */
static u32 vhost_snd_stream_submit(struct vhost_snd_stream *stream,
				   unsigned int ops,
				   const struct vhost_snd_params *params)
{
	return vhost_snd_pcm_submit(stream, ops, params) ?
	       VIRTIO_SND_S_IO_ERR : VHOST_SND_S_LATER;
}

/* Make the PCM ready, from whatever it is. */
static unsigned int vhost_snd_stream_prepare_ops(const struct vhost_snd_stream *stream)
{
	return stream->host == VHOST_SND_HOST_NONE ?
	       VHOST_SND_OP_FREE | VHOST_SND_OP_PARAMS | VHOST_SND_OP_PREPARE :
	       VHOST_SND_OP_PREPARE;
}

static u32 vhost_snd_stream_set_params(struct vhost_snd_stream *stream,
				       const struct vhost_snd_params *params)
{
	switch (stream->state) {
	case DEVHOST_SND_IDLE:
	case DEVHOST_SND_CONFIGURED:
	case DEVHOST_SND_PREPARED:
		break;
	default:
		return VIRTIO_SND_S_BAD_MSG;
	}
	/* As what the hardware can't do. */
	if (!vhost_snd_stream_allowed(stream, DEVHOST_POLICY_SND_PARAMS, params))
		return VIRTIO_SND_S_NOT_SUPP;
	vhost_snd_xfer_flush(stream, VIRTIO_SND_S_IO_ERR);
	return vhost_snd_stream_submit(stream, VHOST_SND_OP_DROP |
				       VHOST_SND_OP_FREE | VHOST_SND_OP_PARAMS,
				       params);
}

static u32 vhost_snd_stream_prepare(struct vhost_snd_stream *stream)
{
	if (stream->state != DEVHOST_SND_CONFIGURED &&
	    stream->state != DEVHOST_SND_PREPARED)
		return VIRTIO_SND_S_BAD_MSG;
	vhost_snd_xfer_flush(stream, VIRTIO_SND_S_IO_ERR);
	return vhost_snd_stream_submit(stream,
				       vhost_snd_stream_prepare_ops(stream),
				       &stream->params);
}

/*
 * What the driver queued before START is to be in the PCM's buffer before it
 * starts. The control queue may be served first, and with MSG_POLLING nobody
 * kicks the other one: START waits until all of that has been looked into.
 */
static bool vhost_snd_stream_fill(struct vhost_snd_stream *stream)
{
	if (stream->fill == VHOST_SND_FILL_DONE)
		return false;
	if (stream->fill == VHOST_SND_FILL_NONE) {
		stream->fill = VHOST_SND_FILL_UNDER_WAY;
		if (stream->params.features & BIT(VIRTIO_SND_PCM_F_MSG_POLLING))
			WRITE_ONCE(stream->polling, true);
		vhost_snd_feed(stream);
	}
	return true;
}

static u32 vhost_snd_stream_start(struct vhost_snd_stream *stream)
{
	if (stream->state != DEVHOST_SND_PREPARED &&
	    stream->state != DEVHOST_SND_STOPPED)
		return VIRTIO_SND_S_BAD_MSG;
	if ((!stream->serving || stream->judge) &&
	    !vhost_snd_stream_allowed(stream, DEVHOST_POLICY_SND_START,
				      &stream->params))
		return VIRTIO_SND_S_NOT_SUPP;
	stream->judge = false;
	if (stream->host < VHOST_SND_HOST_PREPARED)
		return vhost_snd_stream_submit(stream,
					       vhost_snd_stream_prepare_ops(stream),
					       &stream->params);
	if (vhost_snd_stream_fill(stream))
		return VHOST_SND_S_LATER;
	return vhost_snd_stream_submit(stream, VHOST_SND_OP_START,
				       &stream->params);
}

static u32 vhost_snd_stream_stop(struct vhost_snd_stream *stream)
{
	if (stream->state != DEVHOST_SND_RUNNING)
		return VIRTIO_SND_S_BAD_MSG;
	stream->restart = false;
	if (stream->pcm)
		return vhost_snd_stream_submit(stream, VHOST_SND_OP_DROP,
					       &stream->params);
	vhost_snd_stream_enter(stream, DEVHOST_SND_STOPPED);
	return VIRTIO_SND_S_OK;
}

static u32 vhost_snd_stream_released(struct vhost_snd_stream *stream)
{
	vhost_snd_xfer_flush(stream, VIRTIO_SND_S_OK);
	vhost_snd_stream_enter(stream, DEVHOST_SND_CONFIGURED);
	return VIRTIO_SND_S_OK;
}

static u32 vhost_snd_stream_release(struct vhost_snd_stream *stream)
{
	if (stream->state != DEVHOST_SND_PREPARED &&
	    stream->state != DEVHOST_SND_STOPPED)
		return VIRTIO_SND_S_BAD_MSG;
	if (stream->pcm)
		return vhost_snd_stream_submit(stream, VHOST_SND_OP_DROP |
					       VHOST_SND_OP_FREE,
					       &stream->params);
	return vhost_snd_stream_released(stream);
}

static u32 vhost_snd_stream_serve(struct vhost_snd_stream *stream,
				  const struct vhost_snd_request *request)
{
	switch (request->code) {
	case VIRTIO_SND_R_PCM_SET_PARAMS:
		return vhost_snd_stream_set_params(stream, &request->params);
	case VIRTIO_SND_R_PCM_PREPARE:
		return vhost_snd_stream_prepare(stream);
	case VIRTIO_SND_R_PCM_START:
		return vhost_snd_stream_start(stream);
	case VIRTIO_SND_R_PCM_STOP:
		return vhost_snd_stream_stop(stream);
	default:
		return vhost_snd_stream_release(stream);
	}
}

/* What the request wanted has been done. */
static u32 vhost_snd_stream_served(struct vhost_snd_stream *stream,
				   const struct vhost_snd_request *request)
{
	switch (request->code) {
	case VIRTIO_SND_R_PCM_SET_PARAMS:
		stream->params = request->params;
		vhost_snd_stream_enter(stream, DEVHOST_SND_CONFIGURED);
		return VIRTIO_SND_S_OK;
	case VIRTIO_SND_R_PCM_PREPARE:
		vhost_snd_stream_enter(stream, DEVHOST_SND_PREPARED);
		return VIRTIO_SND_S_OK;
	case VIRTIO_SND_R_PCM_START:
		/* It was only made ready for that. */
		if (stream->host != VHOST_SND_HOST_RUNNING)
			return vhost_snd_stream_start(stream);
		vhost_snd_stream_enter(stream, DEVHOST_SND_RUNNING);
		return VIRTIO_SND_S_OK;
	case VIRTIO_SND_R_PCM_STOP:
		vhost_snd_xfer_settle(stream);
		vhost_snd_stream_enter(stream, DEVHOST_SND_STOPPED);
		return VIRTIO_SND_S_OK;
	default:
		return vhost_snd_stream_released(stream);
	}
}

/* What the request wanted can't be done. */
static u32 vhost_snd_stream_failed(struct vhost_snd_stream *stream,
				   const struct vhost_snd_request *request,
				   int err)
{
	switch (request->code) {
	case VIRTIO_SND_R_PCM_SET_PARAMS:
		vhost_snd_stream_enter(stream, DEVHOST_SND_IDLE);
		return err == -EINVAL ? VIRTIO_SND_S_NOT_SUPP :
					VIRTIO_SND_S_IO_ERR;
	case VIRTIO_SND_R_PCM_STOP:
	case VIRTIO_SND_R_PCM_RELEASE:
		/* Nothing plays any more, which is what was wanted. */
		return vhost_snd_stream_served(stream, request);
	default:
		return VIRTIO_SND_S_IO_ERR;
	}
}

static void vhost_snd_stream_answer(struct vhost_snd_stream *stream,
				    struct vhost_snd_request *request, u32 status)
{
	stream->serving = NULL;
	stream->fill = VHOST_SND_FILL_NONE;
	if (status != VIRTIO_SND_S_OK) {
		if (stream->state != DEVHOST_SND_RUNNING)
			WRITE_ONCE(stream->polling, false);
		devhost_count(stream->vs->dev, VHOST_SND_REQUESTS_REFUSED, 1);
	}
	vhost_snd_finish(request->chain, status);
	kfree(request);
}

/* The PCM can't be brought to play: until the driver prepares it again. */
static void vhost_snd_stream_break(struct vhost_snd_stream *stream)
{
	stream->host = VHOST_SND_HOST_NONE;
	stream->restart = false;
	vhost_snd_xfer_flush(stream, VIRTIO_SND_S_IO_ERR);
	if (stream->state == DEVHOST_SND_RUNNING)
		vhost_snd_event_xrun(stream);
}

/* What was allowed once may not go on: it ends as if the PCM had failed. */
static void vhost_snd_stream_ask(struct vhost_snd_stream *stream)
{
	stream->judge = false;
	if (!vhost_snd_stream_runs(stream) ||
	    vhost_snd_stream_allowed(stream, DEVHOST_POLICY_SND_START,
				     &stream->params))
		return;
	vhost_snd_stream_break(stream);
	vhost_snd_pcm_submit(stream, VHOST_SND_OP_DROP | VHOST_SND_OP_FREE,
			     &stream->params);
}

/* One step towards a PCM that runs again. */
static void vhost_snd_stream_go_on(struct vhost_snd_stream *stream)
{
	unsigned int ops = stream->host == VHOST_SND_HOST_PREPARED ?
			   VHOST_SND_OP_START :
			   VHOST_SND_OP_DROP |
			   vhost_snd_stream_prepare_ops(stream);

	if (vhost_snd_pcm_submit(stream, ops, &stream->params))
		vhost_snd_stream_break(stream);
}

/**
 * vhost_snd_stream_next - go on with what waits, while no job is under way
 * @stream: the stream
 *
 * Context: The worker.
 */
void vhost_snd_stream_next(struct vhost_snd_stream *stream)
{
	while (!stream->busy) {
		struct vhost_snd_request *request = stream->serving;
		struct vhost_snd_pcm *pcm;
		u32 status;

		pcm = xchg(&stream->offered, NULL);
		if (unlikely(pcm))
			vhost_snd_stream_install(stream, pcm);
		if (unlikely(stream->judge && !vhost_snd_stream_starts(stream))) {
			vhost_snd_stream_ask(stream);
			continue;
		}
		if (unlikely(stream->restart)) {
			vhost_snd_stream_go_on(stream);
			continue;
		}
		if (!request) {
			request = list_first_entry_or_null(&stream->requests,
							   struct vhost_snd_request,
							   list);
			if (!request)
				break;
			list_del(&request->list);
		}
		status = vhost_snd_stream_serve(stream, request);
		if (status == VHOST_SND_S_LATER) {
			stream->serving = request;
			break;
		}
		vhost_snd_stream_answer(stream, request, status);
	}
}

/**
 * vhost_snd_stream_judge - another policy is in force
 * @stream: the stream
 *
 * Context: The worker.
 */
void vhost_snd_stream_judge(struct vhost_snd_stream *stream)
{
	stream->judge = true;
	vhost_snd_stream_next(stream);
}

/**
 * vhost_snd_stream_filled - a stream's queue was looked into
 * @stream: the stream
 *
 * Context: The worker, or suspend().
 */
void vhost_snd_stream_filled(struct vhost_snd_stream *stream)
{
	if (stream->fill != VHOST_SND_FILL_UNDER_WAY)
		return;
	stream->fill = VHOST_SND_FILL_DONE;
	vhost_snd_stream_next(stream);
}

/* What the PCM is now. */
static void vhost_snd_stream_did(struct vhost_snd_stream *stream,
				 const struct vhost_snd_job *job)
{
	if (job->err) {
		stream->host = VHOST_SND_HOST_NONE;
		return;
	}
	if ((job->ops & VHOST_SND_OP_DROP) &&
	    stream->host >= VHOST_SND_HOST_PREPARED) {
		/* Where it stood when it was dropped. */
		vhost_snd_xfer_advance(stream, job->hw_ptr);
		stream->host = VHOST_SND_HOST_SETUP;
	}
	if (job->ops & VHOST_SND_OP_FREE)
		stream->host = VHOST_SND_HOST_NONE;
	if (job->ops & VHOST_SND_OP_PARAMS)
		stream->host = VHOST_SND_HOST_SETUP;
	if (job->ops & VHOST_SND_OP_PREPARE) {
		stream->host = VHOST_SND_HOST_PREPARED;
		vhost_snd_xfer_begin(stream, job);
	}
	if (job->ops & VHOST_SND_OP_START)
		stream->host = VHOST_SND_HOST_RUNNING;
}

/**
 * vhost_snd_stream_done - a job has ended
 * @stream: the stream
 * @job: what it did
 *
 * Context: The worker.
 */
void vhost_snd_stream_done(struct vhost_snd_stream *stream,
			   const struct vhost_snd_job *job)
{
	struct vhost_snd_request *request = stream->serving;
	u32 status;

	vhost_snd_stream_did(stream, job);
	if (stream->restart) {
		/* The request at hand, if any, waits behind. */
		if (job->err)
			vhost_snd_stream_break(stream);
		else if (stream->host == VHOST_SND_HOST_RUNNING)
			stream->restart = false;
	} else if (request) {
		/* What was queued meanwhile goes before the start. */
		if (stream->host == VHOST_SND_HOST_PREPARED)
			vhost_snd_xfer_progress(stream, false);
		status = job->err ?
			 vhost_snd_stream_failed(stream, request, job->err) :
			 vhost_snd_stream_served(stream, request);
		if (status != VHOST_SND_S_LATER)
			vhost_snd_stream_answer(stream, request, status);
	}
	vhost_snd_stream_run(stream, false);
}

/**
 * vhost_snd_stream_run - do what can be done now
 * @stream: the stream
 * @woken: its PCM says that something happened
 *
 * Context: The worker.
 */
void vhost_snd_stream_run(struct vhost_snd_stream *stream, bool woken)
{
	if (stream->busy)
		return;
	if (stream->host >= VHOST_SND_HOST_PREPARED) {
		snd_pcm_state_t state = vhost_snd_pcm_look(stream);
		int err = 0;

		if (likely(state == SNDRV_PCM_STATE_RUNNING ||
			   state == SNDRV_PCM_STATE_PREPARED)) {
			err = vhost_snd_xfer_progress(stream, woken);
			if (unlikely(err))
				state = vhost_snd_pcm_look(stream);
		}
		switch (state) {
		case SNDRV_PCM_STATE_PREPARED:
		case SNDRV_PCM_STATE_RUNNING:
			if (unlikely(err))
				vhost_snd_stream_break(stream);
			break;
		case SNDRV_PCM_STATE_DISCONNECTED:
			vhost_snd_stream_lose(stream);
			break;
		case SNDRV_PCM_STATE_XRUN:
			vhost_snd_event_xrun(stream);
			fallthrough;
		default:
			/* Stopped by the driver of the card, or suspended. */
			devhost_count(stream->vs->dev, VHOST_SND_RECOVERIES, 1);
			stream->restart = stream->host == VHOST_SND_HOST_RUNNING;
			stream->host = VHOST_SND_HOST_SETUP;
		}
	} else if (unlikely(stream->pcm && vhost_snd_pcm_gone(stream->pcm))) {
		vhost_snd_stream_lose(stream);
	}
	vhost_snd_stream_next(stream);
}

/**
 * vhost_snd_stream_install - give a stream its PCM
 * @stream: the stream, with no job under way
 * @pcm: the PCM; a reference
 *
 * Context: The worker, or whoever has vs->lock while that does not serve.
 */
void vhost_snd_stream_install(struct vhost_snd_stream *stream,
			      struct vhost_snd_pcm *pcm)
{
	const struct snd_pcm_substream *substream = pcm->substream;

	if (stream->pcm)
		vhost_snd_stream_lose(stream);
	stream->pcm = pcm;
	stream->caps = pcm->caps;
	vhost_snd_caps_limit(stream, &stream->caps);
	WRITE_ONCE(stream->device, substream->pcm->device);
	WRITE_ONCE(stream->subdevice, substream->number);
	WRITE_ONCE(stream->card, substream->pcm->card->number);
	stream->restart = stream->state == DEVHOST_SND_RUNNING;
	/* Nobody was asked while there was nothing to run. */
	stream->judge = stream->restart;
	vhost_snd_pcm_attach(pcm, stream);
	devhost_backend_changed(stream->vs->dev);
}

/**
 * vhost_snd_stream_lose - let go of the PCM
 * @stream: the stream, which has one
 *
 * A job that is at it ends with an error.
 *
 * Context: The worker, or whoever has vs->lock while that does not serve.
 */
void vhost_snd_stream_lose(struct vhost_snd_stream *stream)
{
	struct vhost_snd_pcm *pcm = stream->pcm;

	vhost_snd_pcm_detach(pcm);
	stream->pcm = NULL;
	WRITE_ONCE(stream->card, -1);
	vhost_snd_stream_break(stream);
	vhost_snd_pcm_put(pcm);
	devhost_count(stream->vs->dev, VHOST_SND_PCMS_LOST, 1);
	devhost_backend_changed(stream->vs->dev);
}

/**
 * vhost_snd_stream_reset - forget everything
 * @stream: the stream, with the worker stopped; the core takes back the chains
 *
 * Context: Process context.
 */
void vhost_snd_stream_reset(struct vhost_snd_stream *stream)
{
	struct vhost_snd_request *request, *next;

	list_for_each_entry_safe(request, next, &stream->requests, list)
		kfree(request);
	INIT_LIST_HEAD(&stream->requests);
	kfree(stream->serving);
	stream->serving = NULL;
	/* Their messages go with vhost_snd_xfer_stop(). */
	INIT_LIST_HEAD(&stream->queued);
	INIT_LIST_HEAD(&stream->playing);
	WRITE_ONCE(stream->state, DEVHOST_SND_IDLE);
	WRITE_ONCE(stream->polling, false);
	stream->fill = VHOST_SND_FILL_NONE;
	stream->busy = false;
	stream->restart = false;
	stream->judge = false;
	stream->host = VHOST_SND_HOST_NONE;
	if (stream->pcm)
		vhost_snd_pcm_forget(stream->pcm);
}

/* The rest of a request that is about a stream. */
static u32 vhost_snd_stream_parse(struct vhost_snd *vs,
				  struct devhost_chain *chain, u32 code,
				  struct vhost_snd_stream **stream,
				  struct vhost_snd_params *params)
{
	struct virtio_snd_pcm_set_params msg;
	u32 id;

	if (devhost_chain_read(chain, &msg.hdr.stream_id,
			       sizeof(msg.hdr.stream_id)))
		return VIRTIO_SND_S_BAD_MSG;
	id = le32_to_cpu(msg.hdr.stream_id);
	if (id >= vs->num_streams)
		return VIRTIO_SND_S_BAD_MSG;
	*stream = &vs->streams[array_index_nospec(id, vs->num_streams)];
	if (code != VIRTIO_SND_R_PCM_SET_PARAMS)
		return VIRTIO_SND_S_OK;
	if (devhost_chain_read(chain, &msg.buffer_bytes,
			       sizeof(msg) - offsetof(typeof(msg), buffer_bytes)))
		return VIRTIO_SND_S_BAD_MSG;
	return vhost_snd_params_check(*stream, &msg, params);
}

/**
 * vhost_snd_stream_request - serve a control request that is about a stream
 * @vs: the device
 * @chain: the request, its header read
 * @code: from the header
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_snd_stream_request(struct vhost_snd *vs,
					     struct devhost_chain *chain,
					     u32 code)
{
	struct vhost_snd_request *request;
	struct vhost_snd_stream *stream;
	struct vhost_snd_params params;
	u32 status;

	status = vhost_snd_stream_parse(vs, chain, code, &stream, &params);
	if (status != VIRTIO_SND_S_OK) {
		devhost_count(vs->dev, VHOST_SND_REQUESTS_REFUSED, 1);
		return vhost_snd_answer(chain, status);
	}
	request = kzalloc_obj(*request);
	if (!request)
		return vhost_snd_answer(chain, VIRTIO_SND_S_IO_ERR);
	request->chain = chain;
	request->code = code;
	if (code == VIRTIO_SND_R_PCM_SET_PARAMS)
		request->params = params;
	list_add_tail(&request->list, &stream->requests);
	vhost_snd_stream_next(stream);
	return DEVHOST_KEEP;
}
