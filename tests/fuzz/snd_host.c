/* SPDX-License-Identifier: Apache-2.0 */
/* The cards that the sound fuzzer's requests are about. */
#include <linux/slab.h>
#include <sound/pcm_params.h>

#include "vhost_snd.h"

#include "snd_host.h"

#define STREAMS 2
#define JACKS 3
#define CONTROLS 6

static struct {
	struct vhost_snd vs;
	struct vhost_snd_stream streams[STREAMS];
	struct virtio_snd_chmap_info chmaps[STREAMS];
	struct vhost_snd_jack jacks[JACKS];
	struct vhost_snd_control controls[CONTROLS];
	struct vhost_snd_card card;
	int cards;
	int err;
	bool bad;
} fuzz;

/* As elem.c makes them: never more values than the message holds. */
static void snd_element(unsigned int i, u8 shape, u8 count, u16 items)
{
	static const u32 most[] = { 128, 128, 64, 128, 512, 1 };
	struct vhost_snd_control *control = &fuzz.controls[i];
	struct virtio_snd_ctl_info *info = &control->info;

	info->type = cpu_to_le32(i);
	info->count = cpu_to_le32(1 + count % most[i]);
	info->access = cpu_to_le32(i == shape % CONTROLS ? 0 :
				   BIT(VIRTIO_SND_CTL_ACCESS_READ) |
				   BIT(VIRTIO_SND_CTL_ACCESS_WRITE) |
				   BIT(VIRTIO_SND_CTL_ACCESS_TLV_READ));
	switch (i) {
	case VIRTIO_SND_CTL_TYPE_INTEGER:
		info->value.integer.min = cpu_to_le32(-items);
		info->value.integer.max = cpu_to_le32(items);
		break;
	case VIRTIO_SND_CTL_TYPE_INTEGER64:
		info->value.integer64.max = cpu_to_le64((u64)items << 40);
		break;
	case VIRTIO_SND_CTL_TYPE_ENUMERATED:
		info->value.enumerated.items = cpu_to_le32(items);
		break;
	}
	control->role = shape;
	control->card = i == 4 && shape & 0x40 ? NULL : &fuzz.card;
	control->numid = i + 1;
}

void snd_create(struct devhost_device *dev, u8 shape, u8 count, u16 items)
{
	struct vhost_snd *vs = &fuzz.vs;
	unsigned int i;

	memset(&fuzz, 0, sizeof(fuzz));
	vs->dev = dev;
	vs->streams = fuzz.streams;
	vs->num_streams = shape & 1 ? STREAMS : 0;
	vs->jacks = fuzz.jacks;
	vs->num_jacks = shape & 2 ? JACKS : 0;
	vs->controls = fuzz.controls;
	vs->num_controls = shape & 4 ? CONTROLS : 0;
	vs->serving = true;
	for (i = 0; i < STREAMS; i++) {
		struct vhost_snd_stream *stream = &fuzz.streams[i];

		stream->vs = vs;
		stream->id = i;
		stream->direction = i;
		stream->chmaps = &fuzz.chmaps[i];
		stream->num_chmaps = shape & 8 ? i : 1;
		stream->caps.formats = shape & 0x10 ? ~0ULL >> 39 & ~1ULL : 1 << 5;
		stream->caps.rates = shape & 0x20 ? 0xffff : 1 << 7;
		stream->caps.channels_min = 1;
		stream->caps.channels_max = shape & 0x40 ? 255 : 2;
		stream->channels_max = 200;
		stream->rate_max = shape & 0x80 ? 48000 : 384000;
		stream->period_min = 500;
		stream->buffer_max = 1 << 20;
		vhost_snd_caps_limit(stream, &stream->caps);
	}
	for (i = 0; i < CONTROLS; i++)
		snd_element(i, shape, count, items);
}

void snd_errors(int err)
{
	fuzz.err = err;
}

enum devhost_answer snd_control(struct devhost_chain *chain)
{
	return vhost_snd_control_request(&fuzz.vs, chain);
}

bool snd_sane(void)
{
	return !fuzz.bad && !fuzz.cards == !fuzz.vs.jobs;
}

u32 snd_jobs(void)
{
	return fuzz.vs.jobs;
}

static void snd_params_taken(const struct vhost_snd_stream *stream,
			     const struct vhost_snd_params *params)
{
	if (!params->frame_bytes || params->frame_bytes > VHOST_SND_FRAME_MAX ||
	    !params->period_bytes || params->period_bytes % params->frame_bytes ||
	    params->buffer_bytes % params->period_bytes ||
	    params->buffer_bytes > stream->buffer_max || !params->rate ||
	    params->rate > stream->rate_max || !params->channels ||
	    params->channels > stream->channels_max)
		fuzz.bad = true;
}

/* The same reading as stream.c's. */
enum devhost_answer vhost_snd_stream_request(struct vhost_snd *vs,
					     struct devhost_chain *chain, u32 code)
{
	struct virtio_snd_pcm_set_params msg;
	struct vhost_snd_params params;
	u32 status, id;

	if (devhost_chain_read(chain, &msg.hdr.stream_id,
			       sizeof(msg.hdr.stream_id)))
		return vhost_snd_answer(chain, VIRTIO_SND_S_BAD_MSG);
	id = le32_to_cpu(msg.hdr.stream_id);
	if (id >= vs->num_streams)
		return vhost_snd_answer(chain, VIRTIO_SND_S_BAD_MSG);
	if (code != VIRTIO_SND_R_PCM_SET_PARAMS)
		return vhost_snd_answer(chain, VIRTIO_SND_S_OK);
	if (devhost_chain_read(chain, &msg.buffer_bytes,
			       sizeof(msg) - offsetof(struct virtio_snd_pcm_set_params,
						      buffer_bytes)))
		return vhost_snd_answer(chain, VIRTIO_SND_S_BAD_MSG);
	status = vhost_snd_params_check(&vs->streams[id], &msg, &params);
	if (status == VIRTIO_SND_S_OK)
		snd_params_taken(&vs->streams[id], &params);
	return vhost_snd_answer(chain, status);
}

/* The card's elements */
void vhost_snd_card_get(struct vhost_snd_card *card)
{
	fuzz.cards++;
}

void vhost_snd_card_put(struct vhost_snd_card *card)
{
	fuzz.cards--;
}

void vhost_snd_card_attach(struct vhost_snd_card *card)
{
}

void vhost_snd_card_detach(struct vhost_snd_card *card)
{
}

bool vhost_snd_card_is_gone(const struct vhost_snd_card *card)
{
	return false;
}

int vhost_snd_card_number(const struct vhost_snd_card *card)
{
	return 0;
}

void vhost_snd_card_events(struct vhost_snd_card *card, struct vhost_snd *vs,
			   void (*changed)(struct vhost_snd *vs,
					   struct vhost_snd_card *card,
					   u32 numid, u32 mask))
{
}

int vhost_snd_elem_info(struct vhost_snd_card *card, u32 numid,
			struct virtio_snd_ctl_info *info)
{
	return fuzz.err;
}

int vhost_snd_elem_items(struct vhost_snd_card *card, u32 numid,
			 struct virtio_snd_ctl_enum_item *items, u32 num)
{
	memset(items, 'i', num * sizeof(*items));
	return fuzz.err;
}

int vhost_snd_elem_read(struct vhost_snd_card *card, u32 numid,
			const struct virtio_snd_ctl_info *info,
			struct virtio_snd_ctl_value *value)
{
	memset(value, 'v', sizeof(*value));
	return fuzz.err;
}

int vhost_snd_elem_write(struct vhost_snd_card *card, u32 numid,
			 const struct virtio_snd_ctl_info *info,
			 const struct virtio_snd_ctl_value *value)
{
	u32 i;

	/* What arrives here is in range. */
	if (info->type == cpu_to_le32(VIRTIO_SND_CTL_TYPE_ENUMERATED))
		for (i = 0; i < le32_to_cpu(info->count); i++)
			if (le32_to_cpu(value->value.enumerated[i]) >=
			    le32_to_cpu(info->value.enumerated.items))
				fuzz.bad = true;
	return fuzz.err;
}

int vhost_snd_elem_tlv(struct vhost_snd_card *card, u32 numid, __le32 *tlv,
		       size_t room)
{
	size_t size = min(room, (size_t)24) / 4 * 4;

	memset(tlv, 't', size);
	return fuzz.err ?: (int)size;
}

void vhost_snd_event_flush(struct vhost_snd *vs)
{
}

/* ALSA */
int snd_pcm_format_physical_width(snd_pcm_format_t format)
{
	switch (format) {
	case SNDRV_PCM_FORMAT_S8:
	case SNDRV_PCM_FORMAT_U8:
	case SNDRV_PCM_FORMAT_MU_LAW:
	case SNDRV_PCM_FORMAT_A_LAW:
	case SNDRV_PCM_FORMAT_DSD_U8:
		return 8;
	case SNDRV_PCM_FORMAT_S16_LE:
	case SNDRV_PCM_FORMAT_U16_LE:
	case SNDRV_PCM_FORMAT_DSD_U16_LE:
		return 16;
	case SNDRV_PCM_FORMAT_S18_3LE:
	case SNDRV_PCM_FORMAT_U18_3LE:
	case SNDRV_PCM_FORMAT_S20_3LE:
	case SNDRV_PCM_FORMAT_U20_3LE:
	case SNDRV_PCM_FORMAT_S24_3LE:
	case SNDRV_PCM_FORMAT_U24_3LE:
		return 24;
	case SNDRV_PCM_FORMAT_FLOAT64_LE:
		return 64;
	default:
		return 32;
	}
}

/* What applies parameters to a PCM is not called. */
int snd_pcm_hw_refine(struct snd_pcm_substream *substream,
		      struct snd_pcm_hw_params *params)
{
	return -ENODEV;
}

int snd_pcm_kernel_ioctl(struct snd_pcm_substream *substream, unsigned int cmd,
			 void *arg)
{
	return -ENODEV;
}

int snd_pcm_hw_param_first(struct snd_pcm_substream *substream,
			   struct snd_pcm_hw_params *params,
			   snd_pcm_hw_param_t var, int *dir)
{
	return -ENODEV;
}

int snd_pcm_hw_param_last(struct snd_pcm_substream *substream,
			  struct snd_pcm_hw_params *params,
			  snd_pcm_hw_param_t var, int *dir)
{
	return -ENODEV;
}
