// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control elements of a card of the host, as virtio has them: what ALSA does
 * when a program asks. All of these sleep, and none looks at the device.
 */
#include <linux/slab.h>
#include <sound/control.h>

#include "vhost_snd.h"

/**
 * struct vhost_snd_elem - an element that was found
 * @kctl: the group that it is in
 * @index: its place there
 * @access: SNDRV_CTL_ELEM_ACCESS_*
 */
struct vhost_snd_elem {
	struct snd_kcontrol *kctl;
	unsigned int index;
	unsigned int access;
};

static int vhost_snd_elem_find(struct vhost_snd_card *card, u32 numid,
			       struct vhost_snd_elem *elem)
{
	lockdep_assert_held(&card->ctl->card->controls_rwsem);
	elem->kctl = numid ? snd_ctl_find_numid(card->ctl->card, numid) : NULL;
	if (!elem->kctl)
		return -ENOENT;
	elem->index = numid - elem->kctl->id.numid;
	if (elem->index >= elem->kctl->count)
		return -ENOENT;
	elem->access = elem->kctl->vd[elem->index].access;
	return 0;
}

static int vhost_snd_elem_ask(const struct vhost_snd_elem *elem,
			      struct snd_ctl_elem_info *info)
{
	info->id = elem->kctl->id;
	info->id.numid += elem->index;
	info->id.index += elem->index;
	return elem->kctl->info(elem->kctl, info);
}

/* @card's power and its elements stay; balanced by vhost_snd_elem_end(). */
static int vhost_snd_elem_begin(struct vhost_snd_card *card, bool write)
{
	struct snd_card *host = card->ctl->card;
	int err = snd_power_ref_and_wait(host);

	if (!err && vhost_snd_card_is_gone(card))
		err = -ENODEV;
	if (err) {
		snd_power_unref(host);
		return err;
	}
	if (write)
		down_write(&host->controls_rwsem);
	else
		down_read(&host->controls_rwsem);
	return 0;
}

static void vhost_snd_elem_end(struct vhost_snd_card *card, bool write)
{
	struct snd_card *host = card->ctl->card;

	if (write)
		up_write(&host->controls_rwsem);
	else
		up_read(&host->controls_rwsem);
	snd_power_unref(host);
}

static u32 vhost_snd_elem_access(const struct vhost_snd_elem *elem)
{
	static const struct {
		unsigned int host;
		unsigned int bit;
	} map[] = {
		{ SNDRV_CTL_ELEM_ACCESS_READ, VIRTIO_SND_CTL_ACCESS_READ },
		{ SNDRV_CTL_ELEM_ACCESS_WRITE, VIRTIO_SND_CTL_ACCESS_WRITE },
		{ SNDRV_CTL_ELEM_ACCESS_VOLATILE,
		  VIRTIO_SND_CTL_ACCESS_VOLATILE },
		{ SNDRV_CTL_ELEM_ACCESS_INACTIVE,
		  VIRTIO_SND_CTL_ACCESS_INACTIVE },
	};
	unsigned int i;
	u32 access = 0;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (elem->access & map[i].host)
			access |= BIT(map[i].bit);
	/* Callbacks want user memory. */
	if ((elem->access & SNDRV_CTL_ELEM_ACCESS_TLV_READ) &&
	    !(elem->access & SNDRV_CTL_ELEM_ACCESS_TLV_CALLBACK) &&
	    elem->kctl->tlv.p)
		access |= BIT(VIRTIO_SND_CTL_ACCESS_TLV_READ);
	return access;
}

static int vhost_snd_elem_type(const struct snd_ctl_elem_info *host,
			       struct virtio_snd_ctl_info *info)
{
	u32 type, count_max;

	switch (host->type) {
	case SNDRV_CTL_ELEM_TYPE_BOOLEAN:
		type = VIRTIO_SND_CTL_TYPE_BOOLEAN;
		count_max = 128;
		info->value.integer.max = cpu_to_le32(1);
		break;
	case SNDRV_CTL_ELEM_TYPE_INTEGER:
		type = VIRTIO_SND_CTL_TYPE_INTEGER;
		count_max = 128;
		info->value.integer.min = cpu_to_le32(host->value.integer.min);
		info->value.integer.max = cpu_to_le32(host->value.integer.max);
		info->value.integer.step = cpu_to_le32(host->value.integer.step);
		break;
	case SNDRV_CTL_ELEM_TYPE_INTEGER64:
		type = VIRTIO_SND_CTL_TYPE_INTEGER64;
		count_max = 64;
		info->value.integer64.min =
			cpu_to_le64(host->value.integer64.min);
		info->value.integer64.max =
			cpu_to_le64(host->value.integer64.max);
		info->value.integer64.step =
			cpu_to_le64(host->value.integer64.step);
		break;
	case SNDRV_CTL_ELEM_TYPE_ENUMERATED:
		type = VIRTIO_SND_CTL_TYPE_ENUMERATED;
		count_max = 128;
		info->value.enumerated.items =
			cpu_to_le32(host->value.enumerated.items);
		break;
	case SNDRV_CTL_ELEM_TYPE_BYTES:
		type = VIRTIO_SND_CTL_TYPE_BYTES;
		count_max = 512;
		break;
	case SNDRV_CTL_ELEM_TYPE_IEC958:
		type = VIRTIO_SND_CTL_TYPE_IEC958;
		count_max = 1;
		break;
	default:
		return -EINVAL;
	}
	if (!host->count || host->count > count_max)
		return -EINVAL;
	info->type = cpu_to_le32(type);
	info->count = cpu_to_le32(host->count);
	return 0;
}

/**
 * vhost_snd_elem_info - what a guest is told of an element
 * @card: the card
 * @numid: which
 * @info: gets it, but for node and role
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_snd_elem_info(struct vhost_snd_card *card, u32 numid,
			struct virtio_snd_ctl_info *info)
{
	struct snd_ctl_elem_info *host;
	struct vhost_snd_elem elem;
	int err;

	host = kzalloc_obj(*host);
	if (!host)
		return -ENOMEM;
	memset(info, 0, sizeof(*info));
	err = vhost_snd_elem_begin(card, false);
	if (err)
		goto out;
	err = vhost_snd_elem_find(card, numid, &elem);
	if (!err)
		err = vhost_snd_elem_ask(&elem, host);
	if (err >= 0)
		err = vhost_snd_elem_type(host, info);
	if (!err) {
		info->access = cpu_to_le32(vhost_snd_elem_access(&elem));
		info->index = cpu_to_le32(elem.kctl->id.index + elem.index);
		strscpy(info->name, elem.kctl->id.name, sizeof(info->name));
	}
	vhost_snd_elem_end(card, false);
out:
	kfree(host);
	return err;
}

/**
 * vhost_snd_elem_items - names of the values that an element can have
 * @card: the card
 * @numid: which
 * @items: gets them
 * @num: how many there are
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_snd_elem_items(struct vhost_snd_card *card, u32 numid,
			 struct virtio_snd_ctl_enum_item *items, u32 num)
{
	struct snd_ctl_elem_info *host;
	struct vhost_snd_elem elem;
	int err;
	u32 i;

	host = kzalloc_obj(*host);
	if (!host)
		return -ENOMEM;
	err = vhost_snd_elem_begin(card, false);
	if (err)
		goto out;
	err = vhost_snd_elem_find(card, numid, &elem);
	for (i = 0; err >= 0 && i < num; i++) {
		host->value.enumerated.item = i;
		err = vhost_snd_elem_ask(&elem, host);
		if (err >= 0)
			strscpy(items[i].item, host->value.enumerated.name,
				sizeof(items[i].item));
	}
	vhost_snd_elem_end(card, false);
out:
	kfree(host);
	return min(err, 0);
}

static void vhost_snd_value_to_guest(const struct virtio_snd_ctl_info *info,
				     const struct snd_ctl_elem_value *host,
				     struct virtio_snd_ctl_value *guest)
{
	u32 i, count = le32_to_cpu(info->count);

	memset(guest, 0, sizeof(*guest));
	switch (le32_to_cpu(info->type)) {
	case VIRTIO_SND_CTL_TYPE_BOOLEAN:
	case VIRTIO_SND_CTL_TYPE_INTEGER:
		for (i = 0; i < count; i++)
			guest->value.integer[i] =
				cpu_to_le32(host->value.integer.value[i]);
		break;
	case VIRTIO_SND_CTL_TYPE_INTEGER64:
		for (i = 0; i < count; i++)
			guest->value.integer64[i] =
				cpu_to_le64(host->value.integer64.value[i]);
		break;
	case VIRTIO_SND_CTL_TYPE_ENUMERATED:
		for (i = 0; i < count; i++)
			guest->value.enumerated[i] =
				cpu_to_le32(host->value.enumerated.item[i]);
		break;
	case VIRTIO_SND_CTL_TYPE_BYTES:
		memcpy(guest->value.bytes, host->value.bytes.data, count);
		break;
	case VIRTIO_SND_CTL_TYPE_IEC958:
		memcpy(&guest->value.iec958, &host->value.iec958,
		       sizeof(guest->value.iec958));
		break;
	}
}

static void vhost_snd_value_to_host(const struct virtio_snd_ctl_info *info,
				    const struct virtio_snd_ctl_value *guest,
				    struct snd_ctl_elem_value *host)
{
	u32 i, count = le32_to_cpu(info->count);

	switch (le32_to_cpu(info->type)) {
	case VIRTIO_SND_CTL_TYPE_BOOLEAN:
	case VIRTIO_SND_CTL_TYPE_INTEGER:
		for (i = 0; i < count; i++)
			host->value.integer.value[i] =
				(s32)le32_to_cpu(guest->value.integer[i]);
		break;
	case VIRTIO_SND_CTL_TYPE_INTEGER64:
		for (i = 0; i < count; i++)
			host->value.integer64.value[i] =
				le64_to_cpu(guest->value.integer64[i]);
		break;
	case VIRTIO_SND_CTL_TYPE_ENUMERATED:
		for (i = 0; i < count; i++)
			host->value.enumerated.item[i] =
				le32_to_cpu(guest->value.enumerated[i]);
		break;
	case VIRTIO_SND_CTL_TYPE_BYTES:
		memcpy(host->value.bytes.data, guest->value.bytes, count);
		break;
	case VIRTIO_SND_CTL_TYPE_IEC958:
		memcpy(&host->value.iec958, &guest->value.iec958,
		       sizeof(guest->value.iec958));
		break;
	}
}

/* The element may have become another one: of the same form it must be. */
static int vhost_snd_elem_same(const struct vhost_snd_elem *elem,
			       const struct virtio_snd_ctl_info *info,
			       struct snd_ctl_elem_value *value)
{
	struct virtio_snd_ctl_info now = {};
	struct snd_ctl_elem_info *host;
	int err;

	host = kzalloc_obj(*host);
	if (!host)
		return -ENOMEM;
	err = vhost_snd_elem_ask(elem, host);
	if (err >= 0)
		err = vhost_snd_elem_type(host, &now);
	if (!err && (now.type != info->type || now.count != info->count ||
		     memcmp(&now.value, &info->value, sizeof(now.value))))
		err = -ESTALE;
	value->id = host->id;
	kfree(host);
	return err;
}

/**
 * vhost_snd_elem_read - read an element
 * @card: the card
 * @numid: which
 * @info: what the guest knows of it
 * @value: gets its value
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_snd_elem_read(struct vhost_snd_card *card, u32 numid,
			const struct virtio_snd_ctl_info *info,
			struct virtio_snd_ctl_value *value)
{
	struct snd_ctl_elem_value *host;
	struct vhost_snd_elem elem;
	int err;

	host = kzalloc_obj(*host);
	if (!host)
		return -ENOMEM;
	err = vhost_snd_elem_begin(card, false);
	if (err)
		goto out;
	err = vhost_snd_elem_find(card, numid, &elem);
	if (!err && (!(elem.access & SNDRV_CTL_ELEM_ACCESS_READ) ||
		     !elem.kctl->get))
		err = -EPERM;
	if (!err)
		err = vhost_snd_elem_same(&elem, info, host);
	if (!err)
		err = elem.kctl->get(elem.kctl, host);
	if (err >= 0)
		vhost_snd_value_to_guest(info, host, value);
	vhost_snd_elem_end(card, false);
out:
	kfree(host);
	return min(err, 0);
}

/**
 * vhost_snd_elem_write - change an element, and tell everybody
 * @card: the card
 * @numid: which
 * @info: what the guest knows of it
 * @value: its new value, in the range that @info says
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_snd_elem_write(struct vhost_snd_card *card, u32 numid,
			 const struct virtio_snd_ctl_info *info,
			 const struct virtio_snd_ctl_value *value)
{
	struct snd_card *snd_card = card->ctl->card;
	struct snd_ctl_elem_value *host;
	struct vhost_snd_elem elem;
	int err;

	host = kzalloc_obj(*host);
	if (!host)
		return -ENOMEM;
	err = vhost_snd_elem_begin(card, true);
	if (err)
		goto out;
	err = vhost_snd_elem_find(card, numid, &elem);
	if (!err) {
		const struct snd_ctl_file *owner;

		/* A program of the host may have locked it. */
		owner = elem.kctl->vd[elem.index].owner;
		if (!(elem.access & SNDRV_CTL_ELEM_ACCESS_WRITE) ||
		    !elem.kctl->put || (owner && owner != card->ctl))
			err = -EPERM;
	}
	if (!err)
		err = vhost_snd_elem_same(&elem, info, host);
	if (!err) {
		vhost_snd_value_to_host(info, value, host);
		err = elem.kctl->put(elem.kctl, host);
	}
	downgrade_write(&snd_card->controls_rwsem);
	if (err > 0)
		snd_ctl_notify_one(snd_card, SNDRV_CTL_EVENT_MASK_VALUE,
				   elem.kctl, elem.index);
	vhost_snd_elem_end(card, false);
out:
	kfree(host);
	return min(err, 0);
}

/**
 * vhost_snd_elem_tlv - read what an element says of its values
 * @card: the card
 * @numid: which
 * @tlv: gets it
 * @room: bytes there
 *
 * Context: Process context, sleeps.
 * Return: number of bytes, or an error.
 */
int vhost_snd_elem_tlv(struct vhost_snd_card *card, u32 numid, __le32 *tlv,
		       size_t room)
{
	struct vhost_snd_elem elem;
	int ret;

	ret = vhost_snd_elem_begin(card, false);
	if (ret)
		return ret;
	ret = vhost_snd_elem_find(card, numid, &elem);
	if (!ret && !(vhost_snd_elem_access(&elem) &
		      BIT(VIRTIO_SND_CTL_ACCESS_TLV_READ)))
		ret = -EPERM;
	if (!ret) {
		const unsigned int *p = elem.kctl->tlv.p;
		size_t words = min(2 * sizeof(*p) + p[1], room) / sizeof(*p);

		for (ret = 0; ret < words; ret++)
			tlv[ret] = cpu_to_le32(p[ret]);
		ret *= sizeof(*p);
	}
	vhost_snd_elem_end(card, false);
	return ret;
}
