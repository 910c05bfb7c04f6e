// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control elements of a mixer: what can be set while it is there. What is set
 * holds from the next pass on.
 */
#include <sound/control.h>
#include <sound/tlv.h>

#include "vhost_snd_mix.h"

static const DECLARE_TLV_DB_SCALE(mix_volume_tlv,
				  -MIX_VOLUME_MAX * MIX_VOLUME_STEP,
				  MIX_VOLUME_STEP, 1);

enum mix_kind {
	MIX_KIND_VOLUME,
	MIX_KIND_SWITCH,
	MIX_KIND_PRIORITY,
	MIX_KIND_DUCK,
	MIX_KIND_DUCK_TIME,
};

/* private_value: kind, direction, port */
#define MIX_CONTROL(kind, direction, port) \
	((kind) << 16 | (direction) << 8 | (port))

static enum mix_kind mix_kind(const struct snd_kcontrol *kcontrol)
{
	return kcontrol->private_value >> 16;
}

static struct mix_stream *mix_control_stream(const struct snd_kcontrol *kcontrol)
{
	struct mix *mix = snd_kcontrol_chip(kcontrol);
	unsigned long value = kcontrol->private_value;

	return &mix->ports[value & 0xff].streams[value >> 8 & 1];
}

static u32 mix_control_max(enum mix_kind kind)
{
	switch (kind) {
	case MIX_KIND_SWITCH:
		return 1;
	case MIX_KIND_PRIORITY:
		return DEVHOST_MIX_PRIORITY_MAX;
	case MIX_KIND_DUCK_TIME:
		return DEVHOST_MIX_DUCK_TIME_MAX;
	default:
		return MIX_VOLUME_MAX;
	}
}

static int mix_control_info(struct snd_kcontrol *kcontrol,
			    struct snd_ctl_elem_info *info)
{
	enum mix_kind kind = mix_kind(kcontrol);

	info->type = kind == MIX_KIND_SWITCH ? SNDRV_CTL_ELEM_TYPE_BOOLEAN :
					       SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 1;
	info->value.integer.max = mix_control_max(kind);
	return 0;
}

static u32 mix_control_read(const struct snd_kcontrol *kcontrol)
{
	const struct mix_stream *stream = mix_control_stream(kcontrol);
	const struct mix *mix = snd_kcontrol_chip(kcontrol);

	switch (mix_kind(kcontrol)) {
	case MIX_KIND_VOLUME:
		return stream->volume;
	case MIX_KIND_SWITCH:
		return stream->on;
	case MIX_KIND_PRIORITY:
		return stream->priority;
	case MIX_KIND_DUCK:
		return mix->duck;
	default:
		return mix->duck_ms;
	}
}

static int mix_control_get(struct snd_kcontrol *kcontrol,
			   struct snd_ctl_elem_value *value)
{
	value->value.integer.value[0] = mix_control_read(kcontrol);
	return 0;
}

static int mix_control_put(struct snd_kcontrol *kcontrol,
			   struct snd_ctl_elem_value *value)
{
	struct mix_stream *stream = mix_control_stream(kcontrol);
	struct mix *mix = snd_kcontrol_chip(kcontrol);
	enum mix_kind kind = mix_kind(kcontrol);
	long now = value->value.integer.value[0];

	if (now < 0 || now > mix_control_max(kind))
		return -EINVAL;
	if (now == mix_control_read(kcontrol))
		return 0;
	switch (kind) {
	case MIX_KIND_VOLUME:
		WRITE_ONCE(stream->volume, now);
		break;
	case MIX_KIND_SWITCH:
		WRITE_ONCE(stream->on, now);
		break;
	case MIX_KIND_PRIORITY:
		WRITE_ONCE(stream->priority, now);
		break;
	case MIX_KIND_DUCK:
		WRITE_ONCE(mix->duck, now);
		break;
	case MIX_KIND_DUCK_TIME:
		WRITE_ONCE(mix->duck_ms, now);
		break;
	}
	return 1;
}

static int mix_control_add(struct mix *mix, const char *name, enum mix_kind kind,
			   int direction, u32 port)
{
	struct snd_kcontrol_new control = {
		.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
		.name = name,
		.access = SNDRV_CTL_ELEM_ACCESS_READWRITE,
		.info = mix_control_info,
		.get = mix_control_get,
		.put = mix_control_put,
		.private_value = MIX_CONTROL(kind, direction, port),
	};

	if (kind == MIX_KIND_VOLUME || kind == MIX_KIND_DUCK) {
		control.access |= SNDRV_CTL_ELEM_ACCESS_TLV_READ;
		control.tlv.p = mix_volume_tlv;
	}
	return snd_ctl_add(mix->card, snd_ctl_new1(&control, mix));
}

static const struct {
	const char *what;
	enum mix_kind kind;
	int direction;
} mix_port_controls[] = {
	{ "Playback Volume", MIX_KIND_VOLUME, SNDRV_PCM_STREAM_PLAYBACK },
	{ "Playback Switch", MIX_KIND_SWITCH, SNDRV_PCM_STREAM_PLAYBACK },
	{ "Playback Priority", MIX_KIND_PRIORITY, SNDRV_PCM_STREAM_PLAYBACK },
	{ "Capture Volume", MIX_KIND_VOLUME, SNDRV_PCM_STREAM_CAPTURE },
	{ "Capture Switch", MIX_KIND_SWITCH, SNDRV_PCM_STREAM_CAPTURE },
};

static int mix_port_controls_fill(struct mix *mix, u32 port)
{
	char name[SNDRV_CTL_ELEM_ID_NAME_MAXLEN];
	int i, err;

	for (i = 0; i < ARRAY_SIZE(mix_port_controls); i++) {
		if (!mix_has(mix, mix_port_controls[i].direction))
			continue;
		snprintf(name, sizeof(name), "%s %s", mix->ports[port].name,
			 mix_port_controls[i].what);
		err = mix_control_add(mix, name, mix_port_controls[i].kind,
				      mix_port_controls[i].direction, port);
		if (err)
			return err;
	}
	return 0;
}

/**
 * mix_controls_fill - give the card of a mixer its control elements
 * @mix: the mixer
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error: names of ports that are the same.
 */
int mix_controls_fill(struct mix *mix)
{
	int err;
	u32 i;

	for (i = 0; i < mix->num_ports; i++) {
		err = mix_port_controls_fill(mix, i);
		if (err)
			return err;
	}
	if (!mix_has(mix, SNDRV_PCM_STREAM_PLAYBACK))
		return 0;
	err = mix_control_add(mix, "Duck Playback Volume", MIX_KIND_DUCK, 0, 0);
	return err ?: mix_control_add(mix, "Duck Playback Time",
				      MIX_KIND_DUCK_TIME, 0, 0);
}
