// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card of the host, for the control elements that a guest may see.
 *
 * It comes as a control file that the daemon has opened, and has subscribed to
 * events on: what ALSA would let the daemon read we take from the file's list,
 * woken by an entry in its wait queue. That includes what the core of ALSA's own
 * control layers does not get.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/file.h>
#include <linux/slab.h>
#include <sound/control.h>

#include "vhost_snd.h"

bool vhost_snd_card_is_gone(const struct vhost_snd_card *card)
{
	return READ_ONCE(card->ctl->card->shutdown);
}

int vhost_snd_card_number(const struct vhost_snd_card *card)
{
	return card->ctl->card->number;
}

/* Who woke may be in an interrupt, and holds the file's lock. */
static int vhost_snd_card_wake(struct wait_queue_entry *wait, unsigned int mode,
			       int flags, void *key)
{
	struct vhost_snd_card *card = wait->private;

	if (unlikely(vhost_snd_card_is_gone(card)))
		vhost_snd_card_gone(card->vs);
	else
		vhost_snd_raise(card->vs, VHOST_SND_EVENT_CARD);
	return 0;
}

static void vhost_snd_card_release(struct work_struct *work)
{
	struct vhost_snd_card *card = container_of(work, struct vhost_snd_card,
						   release);

	__fput_sync(card->file);
	kfree(card);
}

static void vhost_snd_card_last(struct kref *ref)
{
	struct vhost_snd_card *card = container_of(ref, struct vhost_snd_card,
						   ref);

	queue_work(vhost_snd_wq, &card->release);
}

void vhost_snd_card_get(struct vhost_snd_card *card)
{
	kref_get(&card->ref);
}

void vhost_snd_card_put(struct vhost_snd_card *card)
{
	kref_put(&card->ref, vhost_snd_card_last);
}

/* A file whose card is gone has other operations, which have write(). */
static struct snd_ctl_file *vhost_snd_ctl_file(const struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct snd_ctl_file *ctl = NULL;
	struct snd_card *card;

	if (!S_ISCHR(inode->i_mode) || imajor(inode) != CONFIG_SND_MAJOR)
		return NULL;
	card = snd_lookup_minor_data(iminor(inode), SNDRV_DEVICE_TYPE_CONTROL);
	if (!card)
		return NULL;
	if (!READ_ONCE(file->f_op)->write)
		ctl = file->private_data;
	if (ctl && ctl->card != card)
		ctl = NULL;
	snd_card_unref(card);
	return ctl;
}

/* One that reads the events of a file is enough. */
static bool vhost_snd_card_taken(struct vhost_snd *vs, const struct file *file)
{
	u32 i;

	for (i = 0; i < vs->num_controls; i++)
		if (READ_ONCE(vs->controls[i].file) == file)
			return true;
	return false;
}

/**
 * vhost_snd_card_open - take the card whose control file this is
 * @vs: for this device
 * @fd: descriptor of the current task
 * @extack: where to say what is wrong with it
 *
 * Context: Process context of whoever sent the descriptor, with vs->lock.
 * Return: the card with a reference, or an error.
 */
struct vhost_snd_card *vhost_snd_card_open(struct vhost_snd *vs, int fd,
					   struct netlink_ext_ack *extack)
{
	struct file *file = fget(fd);
	struct vhost_snd_card *card;
	struct snd_ctl_file *ctl;

	if (!file) {
		NL_SET_ERR_MSG_FMT(extack, "%d is not an open file", fd);
		return ERR_PTR(-EBADF);
	}
	ctl = vhost_snd_ctl_file(file);
	if (!ctl || !READ_ONCE(ctl->subscribed)) {
		if (ctl)
			NL_SET_ERR_MSG_FMT(extack,
					   "control file %d has not subscribed to events",
					   fd);
		else
			NL_SET_ERR_MSG_FMT(extack,
					   "file %d is not the control file of a card that is there",
					   fd);
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	if (vhost_snd_card_taken(vs, file)) {
		NL_SET_ERR_MSG_FMT(extack, "control file %d is in use already",
				   fd);
		fput(file);
		return ERR_PTR(-EBUSY);
	}
	card = kzalloc_obj(*card);
	if (!card) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&card->ref);
	card->file = file;
	card->ctl = ctl;
	card->vs = vs;
	init_waitqueue_func_entry(&card->change, vhost_snd_card_wake);
	card->change.private = card;
	INIT_WORK(&card->release, vhost_snd_card_release);
	return card;
}

/**
 * vhost_snd_card_has - whether a descriptor is the file of a card
 * @card: the card
 * @fd: descriptor of the current task
 *
 * Context: Process context.
 * Return: true if it is.
 */
bool vhost_snd_card_has(const struct vhost_snd_card *card, int fd)
{
	struct file *file = fget(fd);

	if (file)
		fput(file);
	return file == card->file;
}

/**
 * vhost_snd_card_attach - one more control element has it
 * @card: the card
 *
 * Context: Process context, by whoever owns the controls.
 */
void vhost_snd_card_attach(struct vhost_snd_card *card)
{
	if (card->users++)
		return;
	add_wait_queue(&card->ctl->change_sleep, &card->change);
	if (vhost_snd_card_is_gone(card))
		vhost_snd_card_gone(card->vs);
}

/**
 * vhost_snd_card_detach - one less
 * @card: the card
 *
 * Context: As vhost_snd_card_attach().
 */
void vhost_snd_card_detach(struct vhost_snd_card *card)
{
	if (!--card->users)
		remove_wait_queue(&card->ctl->change_sleep, &card->change);
}

/**
 * vhost_snd_card_events - see which elements changed
 * @card: the card
 * @vs: the device
 * @changed: called for each of them with its numid and SNDRV_CTL_EVENT_MASK_*
 *
 * Context: Process context.
 */
void vhost_snd_card_events(struct vhost_snd_card *card, struct vhost_snd *vs,
			   void (*changed)(struct vhost_snd *vs,
					   struct vhost_snd_card *card,
					   u32 numid, u32 mask))
{
	struct snd_kctl_event *event, *next;
	LIST_HEAD(events);

	spin_lock_irq(&card->ctl->read_lock);
	list_splice_init(&card->ctl->events, &events);
	spin_unlock_irq(&card->ctl->read_lock);
	list_for_each_entry_safe(event, next, &events, list) {
		changed(vs, card, event->id.numid, event->mask);
		kfree(event);
	}
}
