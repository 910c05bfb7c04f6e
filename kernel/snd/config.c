// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the configuration says: streams, jacks and control elements, in the order
 * in which the guest numbers them.
 *
 * How many there are, and what they are for, stays as it was created; what can
 * change is where they are on the host, and whether something is plugged in.
 * All of a change is read before any of it is made.
 */
#include <linux/slab.h>

#include "vhost_snd.h"

#define VHOST_SND_BUFFER_MIN		4096
#define VHOST_SND_BUFFER_DEFAULT	(4 << 20)
#define VHOST_SND_BUFFER_MAX		(16 << 20)
#define VHOST_SND_CHANNELS_MAX		255
#define VHOST_SND_RATE_MAX		384000

static const struct netlink_range_validation vhost_snd_buffer = {
	.min = VHOST_SND_BUFFER_MIN,
	.max = VHOST_SND_BUFFER_MAX,
};

static const struct netlink_range_validation vhost_snd_rate = {
	.min = 1,
	.max = U32_MAX,
};

static const struct netlink_range_validation vhost_snd_fd = {
	.max = INT_MAX,
};

static const struct nla_policy
vhost_snd_stream_policy[DEVHOST_A_SND_STREAM_BUFFER_MAX + 1] = {
	[DEVHOST_A_SND_STREAM_ID] =
		NLA_POLICY_MAX(NLA_U32, DEVHOST_SND_STREAMS_MAX - 1),
	[DEVHOST_A_SND_STREAM_FD] = NLA_POLICY_FULL_RANGE(NLA_U32,
							  &vhost_snd_fd),
	[DEVHOST_A_SND_STREAM_NODE] = { .type = NLA_U32 },
	[DEVHOST_A_SND_STREAM_CHANNELS_MAX] =
		NLA_POLICY_RANGE(NLA_U32, 1, VHOST_SND_CHANNELS_MAX),
	[DEVHOST_A_SND_STREAM_RATE_MAX] = NLA_POLICY_FULL_RANGE(NLA_U32,
								&vhost_snd_rate),
	[DEVHOST_A_SND_STREAM_PERIOD_MIN] = { .type = NLA_U32 },
	[DEVHOST_A_SND_STREAM_BUFFER_MAX] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &vhost_snd_buffer),
};

static const struct nla_policy
vhost_snd_jack_policy[DEVHOST_A_SND_JACK_MAX + 1] = {
	[DEVHOST_A_SND_JACK_ID] =
		NLA_POLICY_MAX(NLA_U32, DEVHOST_SND_JACKS_MAX - 1),
	[DEVHOST_A_SND_JACK_NODE] = { .type = NLA_U32 },
	[DEVHOST_A_SND_JACK_DEFCONF] = { .type = NLA_U32 },
	[DEVHOST_A_SND_JACK_CAPS] = { .type = NLA_U32 },
	[DEVHOST_A_SND_JACK_CONNECTED] = NLA_POLICY_MAX(NLA_U32, 1),
};

static const struct nla_policy
vhost_snd_control_policy[DEVHOST_A_SND_CONTROL_READ_ONLY + 1] = {
	[DEVHOST_A_SND_CONTROL_ID] =
		NLA_POLICY_MAX(NLA_U32, DEVHOST_SND_CONTROLS_MAX - 1),
	[DEVHOST_A_SND_CONTROL_FD] = NLA_POLICY_FULL_RANGE(NLA_U32,
							   &vhost_snd_fd),
	[DEVHOST_A_SND_CONTROL_NUMID] = NLA_POLICY_MIN(NLA_U32, 1),
	[DEVHOST_A_SND_CONTROL_ROLE] =
		NLA_POLICY_MAX(NLA_U32, VIRTIO_SND_CTL_ROLE_GAIN << 1 | 1),
	[DEVHOST_A_SND_CONTROL_READ_ONLY] = { .type = NLA_FLAG },
};

const struct nla_policy vhost_snd_policy[DEVHOST_A_SND_MAX + 1] = {
	[DEVHOST_A_SND_STREAM] = NLA_POLICY_NESTED(vhost_snd_stream_policy),
	[DEVHOST_A_SND_JACK] = NLA_POLICY_NESTED(vhost_snd_jack_policy),
	[DEVHOST_A_SND_CONTROL] = NLA_POLICY_NESTED(vhost_snd_control_policy),
};

/**
 * struct vhost_snd_change - a message, read but not acted on
 * @create: it creates the device
 * @streams: streams that came so far
 * @jacks: jacks that came so far
 * @controls: controls that came so far
 * @pcm: new PCMs, by stream
 * @offer: new places of elements, by control
 * @plug: jacks whose state is to be changed
 * @connected: the states
 */
struct vhost_snd_change {
	bool create;
	u32 streams;
	u32 jacks;
	u32 controls;
	struct vhost_snd_pcm *pcm[DEVHOST_SND_STREAMS_MAX];
	struct vhost_snd_offer *offer[DEVHOST_SND_CONTROLS_MAX];
	unsigned long plug;
	unsigned long connected;
};

static u32 vhost_snd_get(struct nlattr *attr, u32 absent)
{
	return attr ? nla_get_u32(attr) : absent;
}

/* The number of an item: in turn (new), or as it says (set). */
static int vhost_snd_number(const struct vhost_snd_change *change, u32 *next,
			    u32 num, struct nlattr *item, struct nlattr *id,
			    struct netlink_ext_ack *extack)
{
	u32 n;

	if (change->create)
		return (*next)++;
	if (!id) {
		NL_SET_ERR_MSG_ATTR(extack, item, "which one is to change?");
		return -EINVAL;
	}
	n = nla_get_u32(id);
	if (n >= num) {
		NL_SET_ERR_MSG_ATTR(extack, id, "there is none of that number");
		return -ENOENT;
	}
	return n;
}

/* What stays as it was created. */
static int vhost_snd_constant(const struct vhost_snd_change *change,
			      struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	if (change->create || !attr)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "this can't be changed");
	return -EINVAL;
}

static void vhost_snd_stream_init(struct vhost_snd *vs, u32 id,
				  struct nlattr **tb)
{
	struct vhost_snd_stream *stream = &vs->streams[id];

	stream->vs = vs;
	stream->id = id;
	stream->card = -1;
	stream->node = vhost_snd_get(tb[DEVHOST_A_SND_STREAM_NODE], 0);
	stream->channels_max = vhost_snd_get(tb[DEVHOST_A_SND_STREAM_CHANNELS_MAX],
					     VHOST_SND_CHANNELS_MAX);
	stream->rate_max = vhost_snd_get(tb[DEVHOST_A_SND_STREAM_RATE_MAX],
					 VHOST_SND_RATE_MAX);
	stream->period_min = vhost_snd_get(tb[DEVHOST_A_SND_STREAM_PERIOD_MIN],
					   0);
	stream->buffer_max = vhost_snd_get(tb[DEVHOST_A_SND_STREAM_BUFFER_MAX],
					   VHOST_SND_BUFFER_DEFAULT);
	INIT_LIST_HEAD(&stream->requests);
	INIT_LIST_HEAD(&stream->queued);
	INIT_LIST_HEAD(&stream->playing);
}

static int vhost_snd_pcm_fits(struct vhost_snd_stream *stream,
			      const struct vhost_snd_pcm *pcm, bool create,
			      struct netlink_ext_ack *extack)
{
	struct vhost_snd_caps caps = pcm->caps;

	if (create) {
		stream->direction = vhost_snd_pcm_direction(pcm);
	} else if (stream->direction != vhost_snd_pcm_direction(pcm)) {
		NL_SET_ERR_MSG_FMT(extack, "stream %u goes the other way",
				   stream->id);
		return -EINVAL;
	}
	vhost_snd_caps_limit(stream, &caps);
	if (!caps.rates || caps.channels_max < caps.channels_min) {
		NL_SET_ERR_MSG_FMT(extack,
				   "the limits of stream %u leave nothing of its PCM",
				   stream->id);
		return -EINVAL;
	}
	return 0;
}

static int vhost_snd_parse_stream(struct vhost_snd *vs,
				  struct vhost_snd_change *change,
				  struct nlattr *attr,
				  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[DEVHOST_A_SND_STREAM_MAX + 1];
	struct vhost_snd_pcm *pcm;
	int type, id, err;

	err = nla_parse_nested(tb, DEVHOST_A_SND_STREAM_MAX, attr, NULL, extack);
	if (err)
		return err;
	for (type = DEVHOST_A_SND_STREAM_NODE; type <= DEVHOST_A_SND_STREAM_MAX;
	     type++) {
		err = vhost_snd_constant(change, tb[type], extack);
		if (err)
			return err;
	}
	id = vhost_snd_number(change, &change->streams, vs->num_streams, attr,
			      tb[DEVHOST_A_SND_STREAM_ID], extack);
	if (id < 0)
		return id;
	if (!tb[DEVHOST_A_SND_STREAM_FD]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a stream needs a PCM");
		return -EINVAL;
	}
	if (change->pcm[id]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "this stream comes twice");
		return -EINVAL;
	}
	if (change->create)
		vhost_snd_stream_init(vs, id, tb);
	pcm = vhost_snd_pcm_open(nla_get_u32(tb[DEVHOST_A_SND_STREAM_FD]),
				 extack);
	if (IS_ERR(pcm))
		return PTR_ERR(pcm);
	change->pcm[id] = pcm;
	return vhost_snd_pcm_fits(&vs->streams[id], pcm, change->create, extack);
}

static int vhost_snd_parse_jack(struct vhost_snd *vs,
				struct vhost_snd_change *change,
				struct nlattr *attr,
				struct netlink_ext_ack *extack)
{
	struct nlattr *tb[DEVHOST_A_SND_JACK_MAX + 1];
	struct vhost_snd_jack *jack;
	int type, id, err;

	err = nla_parse_nested(tb, DEVHOST_A_SND_JACK_MAX, attr, NULL, extack);
	if (err)
		return err;
	for (type = DEVHOST_A_SND_JACK_NODE; type <= DEVHOST_A_SND_JACK_CAPS;
	     type++) {
		err = vhost_snd_constant(change, tb[type], extack);
		if (err)
			return err;
	}
	id = vhost_snd_number(change, &change->jacks, vs->num_jacks, attr,
			      tb[DEVHOST_A_SND_JACK_ID], extack);
	if (id < 0)
		return id;
	if (change->create) {
		jack = &vs->jacks[id];
		jack->node = vhost_snd_get(tb[DEVHOST_A_SND_JACK_NODE], 0);
		jack->defconf = vhost_snd_get(tb[DEVHOST_A_SND_JACK_DEFCONF], 0);
		jack->caps = vhost_snd_get(tb[DEVHOST_A_SND_JACK_CAPS], 0);
	}
	if (tb[DEVHOST_A_SND_JACK_CONNECTED]) {
		__set_bit(id, &change->plug);
		__assign_bit(id, &change->connected,
			     nla_get_u32(tb[DEVHOST_A_SND_JACK_CONNECTED]));
	}
	return 0;
}

/* Names and indices tell the guest's elements apart, wherever they are here. */
static void vhost_snd_control_name(struct vhost_snd *vs, u32 id)
{
	struct virtio_snd_ctl_info *info = &vs->controls[id].info;
	u32 i = 0;

	while (i < id) {
		const struct virtio_snd_ctl_info *other = &vs->controls[i].info;

		if (other->index == info->index &&
		    !strcmp(other->name, info->name)) {
			le32_add_cpu(&info->index, 1);
			i = 0;
		} else {
			i++;
		}
	}
}

/* A card that came with an earlier control of the message, or a new one. */
static struct vhost_snd_card *
vhost_snd_parse_card(struct vhost_snd *vs, struct vhost_snd_change *change,
		     int fd, struct netlink_ext_ack *extack)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(change->offer); i++) {
		struct vhost_snd_offer *offer = change->offer[i];

		if (offer && vhost_snd_card_has(offer->card, fd)) {
			vhost_snd_card_get(offer->card);
			return offer->card;
		}
	}
	return vhost_snd_card_open(vs, fd, extack);
}

static struct vhost_snd_offer *
vhost_snd_parse_offer(struct vhost_snd *vs, struct vhost_snd_change *change,
		      struct nlattr **tb, struct netlink_ext_ack *extack)
{
	struct vhost_snd_offer *offer = kzalloc_obj(*offer);
	int err;

	if (!offer)
		return ERR_PTR(-ENOMEM);
	offer->numid = nla_get_u32(tb[DEVHOST_A_SND_CONTROL_NUMID]);
	offer->card = vhost_snd_parse_card(vs, change,
					   nla_get_u32(tb[DEVHOST_A_SND_CONTROL_FD]),
					   extack);
	if (IS_ERR(offer->card)) {
		err = PTR_ERR(offer->card);
		kfree(offer);
		return ERR_PTR(err);
	}
	err = vhost_snd_elem_info(offer->card, offer->numid, &offer->info);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "the card has no usable element %u",
				   offer->numid);
		vhost_snd_offer_free(offer);
		return ERR_PTR(err);
	}
	return offer;
}

static void vhost_snd_control_init(struct vhost_snd *vs, u32 id,
				   struct nlattr **tb,
				   const struct virtio_snd_ctl_info *info)
{
	struct vhost_snd_control *control = &vs->controls[id];

	control->card_number = -1;
	control->role = vhost_snd_get(tb[DEVHOST_A_SND_CONTROL_ROLE], 0);
	control->read_only = tb[DEVHOST_A_SND_CONTROL_READ_ONLY];
	control->info = *info;
	control->info.role = cpu_to_le32(control->role);
	vhost_snd_control_name(vs, id);
}

static int vhost_snd_parse_control(struct vhost_snd *vs,
				   struct vhost_snd_change *change,
				   struct nlattr *attr,
				   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[DEVHOST_A_SND_CONTROL_MAX + 1];
	struct vhost_snd_offer *offer;
	int type, id, err;

	err = nla_parse_nested(tb, DEVHOST_A_SND_CONTROL_MAX, attr, NULL,
			       extack);
	if (err)
		return err;
	for (type = DEVHOST_A_SND_CONTROL_ROLE;
	     type <= DEVHOST_A_SND_CONTROL_MAX; type++) {
		err = vhost_snd_constant(change, tb[type], extack);
		if (err)
			return err;
	}
	id = vhost_snd_number(change, &change->controls, vs->num_controls, attr,
			      tb[DEVHOST_A_SND_CONTROL_ID], extack);
	if (id < 0)
		return id;
	if (!tb[DEVHOST_A_SND_CONTROL_FD] || !tb[DEVHOST_A_SND_CONTROL_NUMID] ||
	    change->offer[id]) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a control needs a card and a numid, once");
		return -EINVAL;
	}
	offer = vhost_snd_parse_offer(vs, change, tb, extack);
	if (IS_ERR(offer))
		return PTR_ERR(offer);
	change->offer[id] = offer;
	if (change->create)
		vhost_snd_control_init(vs, id, tb, &offer->info);
	return 0;
}

static int vhost_snd_parse(struct vhost_snd *vs, struct vhost_snd_change *change,
			   struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *attr;
	int rem, err = 0;

	nla_for_each_nested(attr, nest, rem) {
		switch (nla_type(attr)) {
		case DEVHOST_A_SND_STREAM:
			err = vhost_snd_parse_stream(vs, change, attr, extack);
			break;
		case DEVHOST_A_SND_JACK:
			err = vhost_snd_parse_jack(vs, change, attr, extack);
			break;
		case DEVHOST_A_SND_CONTROL:
			err = vhost_snd_parse_control(vs, change, attr, extack);
			break;
		}
		if (err)
			break;
	}
	return err;
}

static void vhost_snd_change_free(struct vhost_snd_change *change)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(change->pcm); i++)
		if (change->pcm[i])
			vhost_snd_pcm_put(change->pcm[i]);
	for (i = 0; i < ARRAY_SIZE(change->offer); i++)
		vhost_snd_offer_free(change->offer[i]);
	kfree(change);
}

/* Act on it; a worker that serves does it itself. */
static void vhost_snd_change_make(struct vhost_snd *vs,
				  struct vhost_snd_change *change)
{
	u32 i;

	lockdep_assert_held(&vs->lock);
	for (i = 0; i < vs->num_streams; i++) {
		struct vhost_snd_pcm *pcm = change->pcm[i];

		change->pcm[i] = NULL;
		if (pcm && vs->serving)
			pcm = xchg(&vs->streams[i].offered, pcm);
		else if (pcm)
			vhost_snd_stream_install(&vs->streams[i], pcm);
		if (pcm && vs->serving)
			vhost_snd_pcm_put(pcm);
	}
	for (i = 0; i < vs->num_controls; i++) {
		struct vhost_snd_offer *offer = change->offer[i];

		change->offer[i] = NULL;
		if (offer)
			vhost_snd_offer_free(xchg(&vs->controls[i].offered,
						  offer));
	}
	if (!vs->serving)
		vhost_snd_ctl_offered(vs);
	for (i = 0; i < vs->num_jacks; i++) {
		bool connected = test_bit(i, &change->connected);

		if (!test_bit(i, &change->plug) ||
		    vs->jacks[i].connected == connected)
			continue;
		WRITE_ONCE(vs->jacks[i].connected, connected);
		set_bit(i, &vs->jacks_changed);
	}
	vhost_snd_raise(vs, VHOST_SND_EVENT_OFFER);
	vhost_snd_raise(vs, VHOST_SND_EVENT_JACK);
}

static int vhost_snd_change(struct vhost_snd *vs, struct nlattr *nest,
			    bool create, struct netlink_ext_ack *extack)
{
	struct vhost_snd_change *change = kzalloc_obj(*change);
	int err;

	if (!change)
		return -ENOMEM;
	change->create = create;
	mutex_lock(&vs->lock);
	err = vhost_snd_parse(vs, change, nest, extack);
	if (!err)
		vhost_snd_change_make(vs, change);
	mutex_unlock(&vs->lock);
	vhost_snd_change_free(change);
	return err;
}

static int vhost_snd_count_items(struct vhost_snd *vs, struct nlattr *nest,
				 struct netlink_ext_ack *extack)
{
	struct nlattr *attr;
	int rem;

	nla_for_each_nested(attr, nest, rem) {
		vs->num_streams += nla_type(attr) == DEVHOST_A_SND_STREAM;
		vs->num_jacks += nla_type(attr) == DEVHOST_A_SND_JACK;
		vs->num_controls += nla_type(attr) == DEVHOST_A_SND_CONTROL;
	}
	if (vs->num_streams <= DEVHOST_SND_STREAMS_MAX &&
	    vs->num_jacks <= DEVHOST_SND_JACKS_MAX &&
	    vs->num_controls <= DEVHOST_SND_CONTROLS_MAX)
		return 0;
	NL_SET_ERR_MSG(extack, "too many streams, jacks or controls");
	vs->num_streams = 0;
	vs->num_jacks = 0;
	vs->num_controls = 0;
	return -E2BIG;
}

/**
 * vhost_snd_config_create - make what the device has
 * @vs: the device; vhost_snd_config_destroy() undoes it, after an error too
 * @tb: attributes of the class
 * @extack: where to say what is wrong with them
 *
 * Context: Process context, may sleep.
 * Return: 0 or an error.
 */
int vhost_snd_config_create(struct vhost_snd *vs, struct nlattr **tb,
			    struct netlink_ext_ack *extack)
{
	u32 i;
	int err;

	if (!tb[DEVHOST_A_SND_STREAM]) {
		NL_SET_ERR_MSG(extack, "a sound device needs a stream");
		return -EINVAL;
	}
	err = vhost_snd_count_items(vs, tb[0], extack);
	if (err)
		return err;
	vs->streams = kvcalloc(vs->num_streams, sizeof(*vs->streams),
			       GFP_KERNEL);
	vs->jacks = kcalloc(vs->num_jacks, sizeof(*vs->jacks), GFP_KERNEL);
	vs->controls = kvcalloc(vs->num_controls, sizeof(*vs->controls),
				GFP_KERNEL);
	if (!vs->streams || !vs->jacks || !vs->controls)
		return -ENOMEM;
	err = vhost_snd_change(vs, tb[0], true, extack);
	if (err)
		return err;
	for (i = 0; i < vs->num_streams; i++) {
		struct vhost_snd_stream *stream = &vs->streams[i];

		if (stream->pcm)
			err = vhost_snd_pcm_chmaps(stream->pcm, stream);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vhost_snd_config_set - change what can change
 * @vs: the device
 * @tb: attributes of the class
 * @extack: where to say what is wrong with them
 *
 * Context: Process context, may sleep; never with start() or stop().
 * Return: 0 or an error; then nothing has changed.
 */
int vhost_snd_config_set(struct vhost_snd *vs, struct nlattr **tb,
			 struct netlink_ext_ack *extack)
{
	return vhost_snd_change(vs, tb[0], false, extack);
}

/**
 * vhost_snd_config_destroy - undo vhost_snd_config_create()
 * @vs: the device
 *
 * Context: Process context, sleeps until the host has its files back.
 */
void vhost_snd_config_destroy(struct vhost_snd *vs)
{
	u32 i;

	mutex_lock(&vs->lock);
	for (i = 0; vs->streams && i < vs->num_streams; i++) {
		struct vhost_snd_stream *stream = &vs->streams[i];

		if (stream->pcm) {
			vhost_snd_pcm_detach(stream->pcm);
			vhost_snd_pcm_put(stream->pcm);
			stream->pcm = NULL;
		}
		if (stream->offered)
			vhost_snd_pcm_put(stream->offered);
		kfree(stream->chmaps);
	}
	for (i = 0; vs->controls && i < vs->num_controls; i++) {
		struct vhost_snd_control *control = &vs->controls[i];

		if (control->card)
			vhost_snd_ctl_lose(control);
		vhost_snd_offer_free(control->offered);
	}
	mutex_unlock(&vs->lock);
	/* Nobody can ask for it any more. */
	cancel_work_sync(&vs->lost);
	flush_workqueue(vhost_snd_wq);
	kvfree(vs->streams);
	kfree(vs->jacks);
	kvfree(vs->controls);
}
