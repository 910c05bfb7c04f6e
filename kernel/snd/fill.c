// SPDX-License-Identifier: GPL-2.0-only
/*
 * What DEVICE_GET tells of a sound device. Nothing here is locked: numbers are
 * read once, and what may go away is known by its number.
 */
#include "vhost_snd.h"

static int vhost_snd_fill_stream(const struct vhost_snd_stream *stream,
				 struct sk_buff *msg)
{
	int card = READ_ONCE(stream->card);

	if (nla_put_u32(msg, DEVHOST_A_SND_STREAM_ID, stream->id) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_NODE, stream->node) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_CHANNELS_MAX,
			stream->channels_max) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_RATE_MAX, stream->rate_max) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_PERIOD_MIN,
			stream->period_min) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_BUFFER_MAX,
			stream->buffer_max) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_DIRECTION,
			stream->direction) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_STATE,
			READ_ONCE(stream->state)))
		return -EMSGSIZE;
	if (card < 0)
		return 0;
	if (nla_put_u32(msg, DEVHOST_A_SND_STREAM_CARD, card) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_DEVICE,
			READ_ONCE(stream->device)) ||
	    nla_put_u32(msg, DEVHOST_A_SND_STREAM_SUBDEVICE,
			READ_ONCE(stream->subdevice)))
		return -EMSGSIZE;
	return 0;
}

static int vhost_snd_fill_jack(const struct vhost_snd *vs, u32 id,
			       struct sk_buff *msg)
{
	const struct vhost_snd_jack *jack = &vs->jacks[id];

	if (nla_put_u32(msg, DEVHOST_A_SND_JACK_ID, id) ||
	    nla_put_u32(msg, DEVHOST_A_SND_JACK_NODE, jack->node) ||
	    nla_put_u32(msg, DEVHOST_A_SND_JACK_DEFCONF, jack->defconf) ||
	    nla_put_u32(msg, DEVHOST_A_SND_JACK_CAPS, jack->caps) ||
	    nla_put_u32(msg, DEVHOST_A_SND_JACK_CONNECTED,
			READ_ONCE(jack->connected)))
		return -EMSGSIZE;
	return 0;
}

static int vhost_snd_fill_control(const struct vhost_snd *vs, u32 id,
				  struct sk_buff *msg)
{
	const struct vhost_snd_control *control = &vs->controls[id];
	int card = READ_ONCE(control->card_number);

	if (nla_put_u32(msg, DEVHOST_A_SND_CONTROL_ID, id) ||
	    nla_put_u32(msg, DEVHOST_A_SND_CONTROL_NUMID,
			READ_ONCE(control->numid)) ||
	    nla_put_u32(msg, DEVHOST_A_SND_CONTROL_ROLE, control->role) ||
	    (control->read_only &&
	     nla_put_flag(msg, DEVHOST_A_SND_CONTROL_READ_ONLY)) ||
	    (card >= 0 &&
	     nla_put_u32(msg, DEVHOST_A_SND_CONTROL_CARD, card)))
		return -EMSGSIZE;
	return 0;
}

/**
 * vhost_snd_config_fill - tell what there is
 * @vs: the device
 * @msg: where to
 *
 * Context: Any process, concurrently with everything else.
 * Return: 0 or -EMSGSIZE.
 */
int vhost_snd_config_fill(struct vhost_snd *vs, struct sk_buff *msg)
{
	struct nlattr *nest;
	u32 i;

	for (i = 0; i < vs->num_streams; i++) {
		nest = nla_nest_start(msg, DEVHOST_A_SND_STREAM);
		if (!nest || vhost_snd_fill_stream(&vs->streams[i], msg))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	for (i = 0; i < vs->num_jacks; i++) {
		nest = nla_nest_start(msg, DEVHOST_A_SND_JACK);
		if (!nest || vhost_snd_fill_jack(vs, i, msg))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	for (i = 0; i < vs->num_controls; i++) {
		nest = nla_nest_start(msg, DEVHOST_A_SND_CONTROL);
		if (!nest || vhost_snd_fill_control(vs, i, msg))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	return 0;
}
