// SPDX-License-Identifier: GPL-2.0-only
/*
 * controlq: who answers what; and the requests that ask what there is.
 */
#include "vhost_snd.h"

/**
 * vhost_snd_answer - answer a control request with a status alone
 * @chain: the request
 * @status: VIRTIO_SND_S_*
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_snd_answer(struct devhost_chain *chain, u32 status)
{
	struct virtio_snd_hdr hdr = { .code = cpu_to_le32(status) };

	return devhost_chain_write(chain, &hdr, sizeof(hdr)) ?
	       DEVHOST_REJECT : DEVHOST_COMPLETE;
}

/**
 * vhost_snd_finish - the same for a request that was kept
 * @chain: the request
 * @status: VIRTIO_SND_S_*
 *
 * Context: The worker, or suspend().
 */
void vhost_snd_finish(struct devhost_chain *chain, u32 status)
{
	if (vhost_snd_answer(chain, status) == DEVHOST_COMPLETE)
		devhost_chain_complete(chain);
	else
		devhost_chain_reject(chain);
}

u32 vhost_snd_num_chmaps(const struct vhost_snd *vs)
{
	u32 i, num = 0;

	for (i = 0; i < vs->num_streams; i++)
		num += vs->streams[i].num_chmaps;
	return num;
}

union vhost_snd_info {
	struct virtio_snd_jack_info jack;
	struct virtio_snd_pcm_info pcm;
	struct virtio_snd_chmap_info chmap;
	struct virtio_snd_ctl_info ctl;
};

static void vhost_snd_jack_info(struct vhost_snd *vs, u32 id,
				union vhost_snd_info *info)
{
	const struct vhost_snd_jack *jack = &vs->jacks[id];

	info->jack.hdr.hda_fn_nid = cpu_to_le32(jack->node);
	info->jack.hda_reg_defconf = cpu_to_le32(jack->defconf);
	info->jack.hda_reg_caps = cpu_to_le32(jack->caps);
	info->jack.connected = READ_ONCE(jack->connected);
}

static void vhost_snd_pcm_info(struct vhost_snd *vs, u32 id,
			       union vhost_snd_info *info)
{
	const struct vhost_snd_stream *stream = &vs->streams[id];

	info->pcm.hdr.hda_fn_nid = cpu_to_le32(stream->node);
	info->pcm.features = cpu_to_le32(BIT(VIRTIO_SND_PCM_F_MSG_POLLING) |
					 BIT(VIRTIO_SND_PCM_F_EVT_XRUNS));
	info->pcm.formats = cpu_to_le64(stream->caps.formats);
	info->pcm.rates = cpu_to_le64(stream->caps.rates);
	info->pcm.direction = stream->direction == DEVHOST_SND_PLAYBACK ?
			      VIRTIO_SND_D_OUTPUT : VIRTIO_SND_D_INPUT;
	info->pcm.channels_min = stream->caps.channels_min;
	info->pcm.channels_max = stream->caps.channels_max;
}

static void vhost_snd_chmap_info(struct vhost_snd *vs, u32 id,
				 union vhost_snd_info *info)
{
	const struct vhost_snd_stream *stream = vs->streams;

	for (; id >= stream->num_chmaps; stream++)
		id -= stream->num_chmaps;
	info->chmap = stream->chmaps[id];
}

static void vhost_snd_ctl_info(struct vhost_snd *vs, u32 id,
			       union vhost_snd_info *info)
{
	info->ctl = vs->controls[id].info;
}

/* Answer for @num items of @size bytes that @get gives one by one. */
static enum devhost_answer
vhost_snd_query(struct vhost_snd *vs, struct devhost_chain *chain, u32 num,
		size_t size, void (*get)(struct vhost_snd *vs, u32 id,
					 union vhost_snd_info *info))
{
	const size_t rest = sizeof(struct virtio_snd_query_info) -
			    sizeof(struct virtio_snd_hdr);
	struct virtio_snd_query_info query;
	union vhost_snd_info info;
	u32 start, count, i;

	if (devhost_chain_read(chain, &query.start_id, rest))
		return vhost_snd_answer(chain, VIRTIO_SND_S_BAD_MSG);
	start = le32_to_cpu(query.start_id);
	count = le32_to_cpu(query.count);
	if (!count || count > num || start > num - count ||
	    le32_to_cpu(query.size) != size ||
	    devhost_chain_writable(chain) <
	    sizeof(struct virtio_snd_hdr) + count * size)
		return vhost_snd_answer(chain, VIRTIO_SND_S_BAD_MSG);
	start = array_index_nospec(start, num);

	if (vhost_snd_answer(chain, VIRTIO_SND_S_OK) != DEVHOST_COMPLETE)
		return DEVHOST_REJECT;
	for (i = 0; i < count; i++) {
		memset(&info, 0, sizeof(info));
		get(vs, start + i, &info);
		if (devhost_chain_write(chain, &info, size))
			return DEVHOST_REJECT;
	}
	return DEVHOST_COMPLETE;
}

/* Remapping is not for a guest to do, on no card; but there has to be the jack. */
static enum devhost_answer vhost_snd_jack_remap(struct vhost_snd *vs,
						struct devhost_chain *chain)
{
	__le32 id;

	if (devhost_chain_read(chain, &id, sizeof(id)) ||
	    le32_to_cpu(id) >= vs->num_jacks)
		return vhost_snd_answer(chain, VIRTIO_SND_S_BAD_MSG);
	return vhost_snd_answer(chain, VIRTIO_SND_S_NOT_SUPP);
}

/**
 * vhost_snd_control_request - serve a control request
 * @vs: the device
 * @chain: the request
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_snd_control_request(struct vhost_snd *vs,
					      struct devhost_chain *chain)
{
	bool ctls = devhost_has_feature(vs->dev, VIRTIO_SND_F_CTLS);
	struct virtio_snd_hdr hdr;
	u32 code;

	if (devhost_chain_writable(chain) < sizeof(hdr))
		return DEVHOST_REJECT;
	if (devhost_chain_read(chain, &hdr, sizeof(hdr)))
		return vhost_snd_answer(chain, VIRTIO_SND_S_BAD_MSG);
	code = le32_to_cpu(hdr.code);
	switch (code) {
	case VIRTIO_SND_R_JACK_INFO:
		return vhost_snd_query(vs, chain, vs->num_jacks,
				       sizeof(struct virtio_snd_jack_info),
				       vhost_snd_jack_info);
	case VIRTIO_SND_R_JACK_REMAP:
		return vhost_snd_jack_remap(vs, chain);
	case VIRTIO_SND_R_PCM_INFO:
		return vhost_snd_query(vs, chain, vs->num_streams,
				       sizeof(struct virtio_snd_pcm_info),
				       vhost_snd_pcm_info);
	case VIRTIO_SND_R_PCM_SET_PARAMS:
	case VIRTIO_SND_R_PCM_PREPARE:
	case VIRTIO_SND_R_PCM_RELEASE:
	case VIRTIO_SND_R_PCM_START:
	case VIRTIO_SND_R_PCM_STOP:
		return vhost_snd_stream_request(vs, chain, code);
	case VIRTIO_SND_R_CHMAP_INFO:
		return vhost_snd_query(vs, chain, vhost_snd_num_chmaps(vs),
				       sizeof(struct virtio_snd_chmap_info),
				       vhost_snd_chmap_info);
	case VIRTIO_SND_R_CTL_INFO:
		if (ctls)
			return vhost_snd_query(vs, chain, vs->num_controls,
					       sizeof(struct virtio_snd_ctl_info),
					       vhost_snd_ctl_info);
		break;
	case VIRTIO_SND_R_CTL_ENUM_ITEMS:
	case VIRTIO_SND_R_CTL_READ:
	case VIRTIO_SND_R_CTL_WRITE:
	case VIRTIO_SND_R_CTL_TLV_READ:
	case VIRTIO_SND_R_CTL_TLV_WRITE:
	case VIRTIO_SND_R_CTL_TLV_COMMAND:
		if (ctls)
			return vhost_snd_ctl_request(vs, chain, code);
		break;
	}
	devhost_count(vs->dev, VHOST_SND_REQUESTS_REFUSED, 1);
	return vhost_snd_answer(chain, VIRTIO_SND_S_NOT_SUPP);
}
