// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventq: xruns, jacks, control elements.
 *
 * What is (a jack, a control element) waits for a buffer as a bit, so that the
 * driver learns the last state however slow it is. What happened (an xrun) is
 * old news by then: without a buffer it is dropped.
 */
#include "vhost_snd.h"

/* False where there is no buffer; one that is too small takes the event along. */
static bool vhost_snd_event_send(struct vhost_snd *vs, u32 code, u32 data)
{
	struct virtio_snd_event event = {
		.hdr.code = cpu_to_le32(code),
		.data = cpu_to_le32(data),
	};
	struct devhost_chain *chain;

	chain = devhost_vq_pop(devhost_vq(vs->dev, VIRTIO_SND_VQ_EVENT));
	if (!chain)
		return false;
	if (devhost_chain_write(chain, &event, sizeof(event))) {
		devhost_chain_reject(chain);
		devhost_count(vs->dev, VHOST_SND_EVENTS_DROPPED, 1);
	} else {
		devhost_chain_complete(chain);
	}
	return true;
}

/**
 * vhost_snd_event_xrun - a running stream had too little data, or too much
 * @stream: the stream
 *
 * Context: The worker, or whoever has vs->lock while that does not serve: then
 * there is nobody to tell.
 */
void vhost_snd_event_xrun(struct vhost_snd_stream *stream)
{
	struct vhost_snd *vs = stream->vs;

	devhost_count(vs->dev, stream->direction == DEVHOST_SND_PLAYBACK ?
		      VHOST_SND_UNDERRUNS : VHOST_SND_OVERRUNS, 1);
	if (!(stream->params.features & BIT(VIRTIO_SND_PCM_F_EVT_XRUNS)))
		return;
	if (!vs->serving ||
	    !vhost_snd_event_send(vs, VIRTIO_SND_EVT_PCM_XRUN, stream->id))
		devhost_count(vs->dev, VHOST_SND_EVENTS_DROPPED, 1);
}

static bool vhost_snd_event_jack(struct vhost_snd *vs, u32 id)
{
	bool connected = READ_ONCE(vs->jacks[id].connected);

	return vhost_snd_event_send(vs, connected ?
				    VIRTIO_SND_EVT_JACK_CONNECTED :
				    VIRTIO_SND_EVT_JACK_DISCONNECTED, id);
}

static bool vhost_snd_event_control(struct vhost_snd *vs, u32 id)
{
	/* The event's data: control_id, then mask. */
	return vhost_snd_event_send(vs, VIRTIO_SND_EVT_CTL_NOTIFY,
				    id | (u32)vs->controls[id].changed << 16);
}

/**
 * vhost_snd_event_flush - tell the driver what it does not know yet
 * @vs: the device
 *
 * Context: The worker.
 */
void vhost_snd_event_flush(struct vhost_snd *vs)
{
	u32 i;

	for (i = 0; i < vs->num_jacks; i++) {
		if (!test_and_clear_bit(i, &vs->jacks_changed))
			continue;
		if (!vhost_snd_event_jack(vs, i)) {
			set_bit(i, &vs->jacks_changed);
			return;
		}
	}
	if (!devhost_has_feature(vs->dev, VIRTIO_SND_F_CTLS))
		return;
	for (i = 0; i < vs->num_controls; i++) {
		if (!vs->controls[i].changed)
			continue;
		if (!vhost_snd_event_control(vs, i))
			return;
		vs->controls[i].changed = 0;
	}
}
