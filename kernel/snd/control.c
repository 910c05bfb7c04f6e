// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control elements of the guest: those of the host's that the configuration
 * lists. What a driver may know of one without asking the host is kept at hand;
 * its value is the host's alone.
 */
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <sound/control.h>

#include "vhost_snd.h"

/* Names of values that an element may have: 64 KiB. */
#define VHOST_SND_ITEMS_MAX	1024

/* The largest piece of metadata that the specification allows. */
#define VHOST_SND_TLV_MAX	65536

/**
 * struct vhost_snd_ctl_job - something to do with an element
 * @job: the core's part
 * @vs: the device
 * @chain: the request to be answered, or NULL
 * @code: VIRTIO_SND_R_CTL_*; of a job without a request
 *	VIRTIO_SND_R_CTL_INFO
 * @id: number of the control
 * @card: where it is; a reference
 * @numid: which it is
 * @info: what the guest knows of it
 * @value: to be written, or read
 * @reply: what comes behind the status
 * @size: bytes of it
 * @err: 0 or what went wrong
 */
struct vhost_snd_ctl_job {
	struct devhost_job job;
	struct vhost_snd *vs;
	struct devhost_chain *chain;
	u32 code;
	u32 id;
	struct vhost_snd_card *card;
	u32 numid;
	struct virtio_snd_ctl_info info;
	struct virtio_snd_ctl_value value;
	void *reply;
	size_t size;
	int err;
};

static void vhost_snd_ctl_job_run(struct devhost_job *djob)
{
	struct vhost_snd_ctl_job *job;

	job = container_of(djob, struct vhost_snd_ctl_job, job);
	switch (job->code) {
	case VIRTIO_SND_R_CTL_INFO:
		job->err = vhost_snd_elem_info(job->card, job->numid,
					       &job->info);
		break;
	case VIRTIO_SND_R_CTL_ENUM_ITEMS:
		job->err = vhost_snd_elem_items(job->card, job->numid,
						job->reply,
						le32_to_cpu(job->info.value.enumerated.items));
		break;
	case VIRTIO_SND_R_CTL_READ:
		job->err = vhost_snd_elem_read(job->card, job->numid,
					       &job->info, &job->value);
		break;
	case VIRTIO_SND_R_CTL_WRITE:
		job->err = vhost_snd_elem_write(job->card, job->numid,
						&job->info, &job->value);
		break;
	case VIRTIO_SND_R_CTL_TLV_READ:
		job->err = vhost_snd_elem_tlv(job->card, job->numid, job->reply,
					      job->size);
		if (job->err >= 0) {
			job->size = job->err;
			job->err = 0;
		}
		break;
	}
}

static void vhost_snd_ctl_job_free(struct vhost_snd_ctl_job *job)
{
	vhost_snd_card_put(job->card);
	if (job->reply != &job->value)
		kvfree(job->reply);
	kfree(job);
}

/* Who and what the element is to the guest is not the host's to say. */
static void vhost_snd_ctl_adopt(struct vhost_snd_control *control,
				const struct virtio_snd_ctl_info *info)
{
	struct virtio_snd_ctl_info *own = &control->info;

	own->type = info->type;
	own->count = info->count;
	own->access = info->access;
	if (control->read_only)
		own->access &= ~cpu_to_le32(BIT(VIRTIO_SND_CTL_ACCESS_WRITE));
	own->value = info->value;
}

static enum devhost_answer vhost_snd_ctl_reply(const struct vhost_snd_ctl_job *job)
{
	struct devhost_chain *chain = job->chain;
	enum devhost_answer answer;
	size_t size = min(job->size, devhost_chain_writable(chain) -
				     sizeof(struct virtio_snd_hdr));

	if (job->err)
		return vhost_snd_answer(chain, VIRTIO_SND_S_IO_ERR);
	answer = vhost_snd_answer(chain, VIRTIO_SND_S_OK);
	if (answer == DEVHOST_COMPLETE && size &&
	    devhost_chain_write(chain, job->reply, size))
		return DEVHOST_REJECT;
	return answer;
}

static void vhost_snd_ctl_job_done(struct devhost_device *dev,
				   struct devhost_job *djob)
{
	struct vhost_snd_ctl_job *job;
	struct vhost_snd_control *control;

	job = container_of(djob, struct vhost_snd_ctl_job, job);
	control = &job->vs->controls[job->id];
	job->vs->jobs--;
	if (!job->chain) {
		/* What changed is known now, unless the card is another one. */
		if (!job->err && control->card == job->card)
			vhost_snd_ctl_adopt(control, &job->info);
		control->changed |= BIT(VIRTIO_SND_CTL_EVT_MASK_INFO);
		vhost_snd_event_flush(job->vs);
	} else if (vhost_snd_ctl_reply(job) == DEVHOST_COMPLETE) {
		devhost_chain_complete(job->chain);
	} else {
		devhost_chain_reject(job->chain);
	}
	vhost_snd_ctl_job_free(job);
}

static void vhost_snd_ctl_job_drop(struct devhost_job *djob)
{
	vhost_snd_ctl_job_free(container_of(djob, struct vhost_snd_ctl_job,
					    job));
}

static struct vhost_snd_ctl_job *vhost_snd_ctl_job_new(struct vhost_snd *vs,
						       u32 id, u32 code)
{
	struct vhost_snd_control *control = &vs->controls[id];
	struct vhost_snd_ctl_job *job = kzalloc_obj(*job);

	if (!job)
		return NULL;
	job->job.run = vhost_snd_ctl_job_run;
	job->job.done = vhost_snd_ctl_job_done;
	job->job.drop = vhost_snd_ctl_job_drop;
	job->vs = vs;
	job->code = code;
	job->id = id;
	job->card = control->card;
	vhost_snd_card_get(job->card);
	job->numid = control->numid;
	job->info = control->info;
	return job;
}

/* Room for the answer to the request. */
static int vhost_snd_ctl_job_room(struct vhost_snd_ctl_job *job)
{
	size_t room = devhost_chain_writable(job->chain) -
		      sizeof(struct virtio_snd_hdr);

	switch (job->code) {
	case VIRTIO_SND_R_CTL_READ:
		job->reply = &job->value;
		job->size = sizeof(job->value);
		return 0;
	case VIRTIO_SND_R_CTL_ENUM_ITEMS:
		job->size = le32_to_cpu(job->info.value.enumerated.items) *
			    sizeof(struct virtio_snd_ctl_enum_item);
		break;
	case VIRTIO_SND_R_CTL_TLV_READ:
		job->size = min_t(size_t, room, 2 * sizeof(__le32) +
						VHOST_SND_TLV_MAX);
		break;
	default:
		return 0;
	}
	job->reply = kvzalloc(job->size, GFP_KERNEL_ACCOUNT);
	return job->reply ? 0 : -ENOMEM;
}

/* The values as numbers; for types that have none, 0. */
static s64 vhost_snd_ctl_value(const struct virtio_snd_ctl_info *info,
			       const struct virtio_snd_ctl_value *value, u32 i)
{
	switch (le32_to_cpu(info->type)) {
	case VIRTIO_SND_CTL_TYPE_BOOLEAN:
	case VIRTIO_SND_CTL_TYPE_INTEGER:
		return (s32)le32_to_cpu(value->value.integer[i]);
	case VIRTIO_SND_CTL_TYPE_INTEGER64:
		return le64_to_cpu(value->value.integer64[i]);
	case VIRTIO_SND_CTL_TYPE_ENUMERATED:
		return le32_to_cpu(value->value.enumerated[i]);
	default:
		return 0;
	}
}

static void vhost_snd_ctl_range(const struct virtio_snd_ctl_info *info,
				s64 *min, s64 *max)
{
	*min = 0;
	*max = 0;
	switch (le32_to_cpu(info->type)) {
	case VIRTIO_SND_CTL_TYPE_BOOLEAN:
		*max = 1;
		break;
	case VIRTIO_SND_CTL_TYPE_INTEGER:
		*min = (s32)le32_to_cpu(info->value.integer.min);
		*max = (s32)le32_to_cpu(info->value.integer.max);
		break;
	case VIRTIO_SND_CTL_TYPE_INTEGER64:
		*min = le64_to_cpu(info->value.integer64.min);
		*max = le64_to_cpu(info->value.integer64.max);
		break;
	case VIRTIO_SND_CTL_TYPE_ENUMERATED:
		*max = (s64)le32_to_cpu(info->value.enumerated.items) - 1;
		break;
	}
}

/* Whether the host should see the value, and the policy has nothing against. */
static u32 vhost_snd_ctl_check(struct vhost_snd *vs, u32 id,
			       const struct virtio_snd_ctl_value *value)
{
	const struct virtio_snd_ctl_info *info = &vs->controls[id].info;
	u32 count = le32_to_cpu(info->count);
	u32 role = vs->controls[id].role;
	struct devhost_policy_snd item = {
		.item = id,
		.role = role >> 1,
		.request = DEVHOST_POLICY_SND_CONTROL,
		.direction = role & 1 ? DEVHOST_TO_GUEST : DEVHOST_TO_HOST,
	};
	u32 i;

	vhost_snd_ctl_range(info, &item.min, &item.max);
	switch (le32_to_cpu(info->type)) {
	case VIRTIO_SND_CTL_TYPE_BYTES:
	case VIRTIO_SND_CTL_TYPE_IEC958:
		break;
	default:
		item.value = item.min;
		for (i = 0; i < count; i++) {
			s64 v = vhost_snd_ctl_value(info, value, i);

			if (v < item.min || v > item.max)
				return VIRTIO_SND_S_BAD_MSG;
			item.value = max(item.value, v);
		}
	}
	if (devhost_policy_snd(vs->dev, &item))
		return VIRTIO_SND_S_OK;
	devhost_count(vs->dev, VHOST_SND_REQUESTS_DENIED, 1);
	/* As if it could not be written at all. */
	return VIRTIO_SND_S_NOT_SUPP;
}

/* What right a request needs; -1 for what no element here has. */
static int vhost_snd_ctl_right(u32 code)
{
	switch (code) {
	case VIRTIO_SND_R_CTL_READ:
		return VIRTIO_SND_CTL_ACCESS_READ;
	case VIRTIO_SND_R_CTL_WRITE:
		return VIRTIO_SND_CTL_ACCESS_WRITE;
	case VIRTIO_SND_R_CTL_TLV_READ:
		return VIRTIO_SND_CTL_ACCESS_TLV_READ;
	default:
		return -1;
	}
}

/* Whether the request makes sense for the element. */
static u32 vhost_snd_ctl_sense(const struct vhost_snd_control *control,
			       const struct devhost_chain *chain, u32 code)
{
	const struct virtio_snd_ctl_info *info = &control->info;
	size_t room = devhost_chain_writable(chain) -
		      sizeof(struct virtio_snd_hdr);
	u32 items = le32_to_cpu(info->value.enumerated.items);
	int right = vhost_snd_ctl_right(code);

	if (code == VIRTIO_SND_R_CTL_ENUM_ITEMS) {
		if (info->type != cpu_to_le32(VIRTIO_SND_CTL_TYPE_ENUMERATED) ||
		    !items || items > VHOST_SND_ITEMS_MAX)
			return VIRTIO_SND_S_NOT_SUPP;
		if (room < items * sizeof(struct virtio_snd_ctl_enum_item))
			return VIRTIO_SND_S_BAD_MSG;
	} else if (right < 0 || !(le32_to_cpu(info->access) & BIT(right))) {
		return VIRTIO_SND_S_NOT_SUPP;
	}
	if (code == VIRTIO_SND_R_CTL_READ &&
	    room < sizeof(struct virtio_snd_ctl_value))
		return VIRTIO_SND_S_BAD_MSG;
	if (code == VIRTIO_SND_R_CTL_TLV_READ && room < 2 * sizeof(__le32))
		return VIRTIO_SND_S_BAD_MSG;
	return control->card ? VIRTIO_SND_S_OK : VIRTIO_SND_S_IO_ERR;
}

static enum devhost_answer vhost_snd_ctl_refuse(struct vhost_snd *vs,
						struct devhost_chain *chain,
						u32 status)
{
	devhost_count(vs->dev, VHOST_SND_REQUESTS_REFUSED, 1);
	return vhost_snd_answer(chain, status);
}

/**
 * vhost_snd_ctl_request - serve a request that is about a control element
 * @vs: the device
 * @chain: the request, its header read
 * @code: from the header
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vhost_snd_ctl_request(struct vhost_snd *vs,
					  struct devhost_chain *chain, u32 code)
{
	struct vhost_snd_ctl_job *job;
	__le32 number;
	u32 id, status;
	int err;

	if (devhost_chain_read(chain, &number, sizeof(number)) ||
	    le32_to_cpu(number) >= vs->num_controls)
		return vhost_snd_ctl_refuse(vs, chain, VIRTIO_SND_S_BAD_MSG);
	id = array_index_nospec(le32_to_cpu(number), vs->num_controls);
	status = vhost_snd_ctl_sense(&vs->controls[id], chain, code);
	if (status != VIRTIO_SND_S_OK)
		return vhost_snd_ctl_refuse(vs, chain, status);

	job = vhost_snd_ctl_job_new(vs, id, code);
	if (!job)
		return vhost_snd_ctl_refuse(vs, chain, VIRTIO_SND_S_IO_ERR);
	job->chain = chain;
	if (code == VIRTIO_SND_R_CTL_WRITE) {
		status = devhost_chain_read(chain, &job->value,
					    sizeof(job->value)) ?
			 VIRTIO_SND_S_BAD_MSG :
			 vhost_snd_ctl_check(vs, id, &job->value);
		if (status != VIRTIO_SND_S_OK) {
			vhost_snd_ctl_job_free(job);
			return vhost_snd_ctl_refuse(vs, chain, status);
		}
	}
	err = vhost_snd_ctl_job_room(job);
	if (!err)
		err = devhost_submit(vs->dev, &job->job);
	if (err) {
		vhost_snd_ctl_job_free(job);
		/* With so much under way the core comes back to it. */
		if (err == -EBUSY)
			return DEVHOST_STALL;
		return vhost_snd_ctl_refuse(vs, chain, VIRTIO_SND_S_IO_ERR);
	}
	vs->jobs++;
	return DEVHOST_KEEP;
}

static u16 vhost_snd_ctl_mask(u32 mask)
{
	u16 changed = 0;

	if (mask == SNDRV_CTL_EVENT_MASK_REMOVE)
		return 0;
	if (mask & SNDRV_CTL_EVENT_MASK_VALUE)
		changed |= BIT(VIRTIO_SND_CTL_EVT_MASK_VALUE);
	if (mask & SNDRV_CTL_EVENT_MASK_TLV)
		changed |= BIT(VIRTIO_SND_CTL_EVT_MASK_TLV);
	return changed;
}

/* What an element can is asked for before the driver is told of it. */
static void vhost_snd_ctl_ask(struct vhost_snd *vs, u32 id)
{
	struct vhost_snd_ctl_job *job;

	job = vhost_snd_ctl_job_new(vs, id, VIRTIO_SND_R_CTL_INFO);
	if (!job)
		return;
	if (devhost_submit(vs->dev, &job->job))
		vhost_snd_ctl_job_free(job);
	else
		vs->jobs++;
}

static void vhost_snd_ctl_changed(struct vhost_snd *vs,
				  struct vhost_snd_card *card, u32 numid,
				  u32 mask)
{
	u32 i;

	for (i = 0; i < vs->num_controls; i++) {
		struct vhost_snd_control *control = &vs->controls[i];

		if (control->card != card || control->numid != numid)
			continue;
		control->changed |= vhost_snd_ctl_mask(mask);
		if (mask != SNDRV_CTL_EVENT_MASK_REMOVE &&
		    (mask & SNDRV_CTL_EVENT_MASK_INFO))
			vhost_snd_ctl_ask(vs, i);
	}
}

/**
 * vhost_snd_ctl_lose - let go of the card of an element
 * @control: the element, which has one
 *
 * Context: The worker, or whoever has vs->lock while that does not serve.
 */
void vhost_snd_ctl_lose(struct vhost_snd_control *control)
{
	vhost_snd_card_detach(control->card);
	vhost_snd_card_put(control->card);
	control->card = NULL;
	WRITE_ONCE(control->file, NULL);
	WRITE_ONCE(control->card_number, -1);
}

void vhost_snd_offer_free(struct vhost_snd_offer *offer)
{
	if (!offer)
		return;
	vhost_snd_card_put(offer->card);
	kfree(offer);
}

/**
 * vhost_snd_ctl_install - give an element its place on a card
 * @control: the element
 * @offer: where that is; used up
 *
 * Context: The worker, or whoever has vs->lock while that does not serve.
 */
void vhost_snd_ctl_install(struct vhost_snd_control *control,
			   struct vhost_snd_offer *offer)
{
	struct vhost_snd_card *card = offer->card;

	if (control->card)
		vhost_snd_ctl_lose(control);
	control->card = card;
	WRITE_ONCE(control->file, card->file);
	WRITE_ONCE(control->numid, offer->numid);
	WRITE_ONCE(control->card_number, vhost_snd_card_number(card));
	vhost_snd_ctl_adopt(control, &offer->info);
	/* All of it may be different from what the driver knows. */
	control->changed = BIT(VIRTIO_SND_CTL_EVT_MASK_VALUE) |
			   BIT(VIRTIO_SND_CTL_EVT_MASK_INFO) |
			   BIT(VIRTIO_SND_CTL_EVT_MASK_TLV);
	vhost_snd_card_attach(card);
	kfree(offer);
}

/**
 * vhost_snd_ctl_offered - take what set() has brought
 * @vs: the device
 *
 * Context: As vhost_snd_ctl_install().
 */
void vhost_snd_ctl_offered(struct vhost_snd *vs)
{
	u32 i;

	for (i = 0; i < vs->num_controls; i++) {
		struct vhost_snd_control *control = &vs->controls[i];
		struct vhost_snd_offer *offer = xchg(&control->offered, NULL);

		if (offer)
			vhost_snd_ctl_install(control, offer);
	}
}

/**
 * vhost_snd_ctl_event - see what happened to the cards and their elements
 * @vs: the device
 *
 * Context: The worker.
 */
void vhost_snd_ctl_event(struct vhost_snd *vs)
{
	u32 i;

	for (i = 0; i < vs->num_controls; i++) {
		struct vhost_snd_control *control = &vs->controls[i];

		if (!control->card)
			continue;
		if (vhost_snd_card_is_gone(control->card)) {
			vhost_snd_ctl_lose(control);
			devhost_backend_changed(vs->dev);
		} else {
			vhost_snd_card_events(control->card, vs,
					      vhost_snd_ctl_changed);
		}
	}
	vhost_snd_event_flush(vs);
}
