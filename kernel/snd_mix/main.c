// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mixers, from creation to end.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include <sound/info.h>
#include <sound/initval.h>

#include "vhost_snd_mix.h"

static LIST_HEAD(mixes);		/* mixes_lock */
static DEFINE_MUTEX(mixes_lock);

/* What the cards hang on. */
static struct device *mix_root;

/* Takes mixers apart: giving back files is not for whoever asks for it. */
static struct workqueue_struct *mix_wq;

static void mix_end(struct work_struct *work)
{
	struct mix *mix = container_of(work, struct mix, end);
	int i;

	mutex_lock(&mixes_lock);
	list_del(&mix->list);
	mutex_unlock(&mixes_lock);

	mutex_lock(&mix->lock);
	mix->dead = true;
	mutex_unlock(&mix->lock);
	for (i = 0; i < ARRAY_SIZE(mix->hosts); i++)
		mix_host_detach(&mix->hosts[i]);
	if (mix->thread)
		kthread_stop(mix->thread);
	for (i = 0; i < ARRAY_SIZE(mix->hosts); i++)
		mix_host_close(&mix->hosts[i]);

	snd_card_disconnect(mix->card);
	snd_card_free_when_closed(mix->card);
}

/**
 * mix_lost - have a mixer taken apart
 * @mix: the mixer
 *
 * Context: Any, while it is certain that it is there.
 */
void mix_lost(struct mix *mix)
{
	if (!test_and_set_bit(MIX_ENDS, &mix->flags))
		queue_work(mix_wq, &mix->end);
}

/* The last one has closed a port. */
static void mix_free(struct snd_card *card)
{
	struct mix *mix = card->private_data;
	int i;

	for (i = 0; i < ARRAY_SIZE(mix->hosts); i++)
		mix_host_free(&mix->hosts[i]);
	mutex_destroy(&mix->lock);
}

static void mix_proc_read(struct snd_info_entry *entry,
			  struct snd_info_buffer *buffer)
{
	static const char * const names[] = { "playback", "capture" };
	struct mix *mix = entry->private_data;
	int i;

	mutex_lock(&mix->lock);
	for (i = 0; i < ARRAY_SIZE(mix->hosts); i++) {
		const struct mix_host *host = &mix->hosts[i];

		if (mix_has(mix, i) && !mix->dead)
			snd_iprintf(buffer,
				    "%s: hw:%s,%d,%d period %u buffer %u %s users %u late %llu recoveries %llu\n",
				    names[i], host->pcm.substream->pcm->card->id,
				    host->pcm.substream->pcm->device,
				    host->pcm.substream->number,
				    host->period, host->buffer,
				    host->running ? "running" : "stopped",
				    host->users, host->late, host->recoveries);
	}
	mutex_unlock(&mix->lock);
}

static void mix_init(struct mix *mix, struct snd_card *card,
		     const struct mix_setup *setup)
{
	int i, j;

	mix->card = card;
	mutex_init(&mix->lock);
	INIT_WORK(&mix->end, mix_end);
	mix->rate = setup->rate;
	mix->channels = setup->channels;
	mix->duck = MIX_VOLUME_MAX;
	mix->duck_ms = 50;
	mix->num_ports = setup->num_ports;
	for (i = 0; i < mix->num_ports; i++) {
		struct mix_port *port = &mix->ports[i];

		strscpy(port->name, setup->ports[i]);
		for (j = 0; j < ARRAY_SIZE(port->streams); j++) {
			port->streams[j].volume = MIX_VOLUME_MAX;
			port->streams[j].on = true;
		}
	}
	for (i = 0; i < ARRAY_SIZE(mix->hosts); i++)
		mix->hosts[i].mix = mix;
	card->private_free = mix_free;
	strscpy(card->driver, DEVHOST_MIX_DRIVER);
	strscpy(card->shortname, "devhost mixer");
}

static int mix_open_hosts(struct mix *mix, const struct mix_setup *setup,
			  struct netlink_ext_ack *extack)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(mix->hosts); i++) {
		if (setup->fd[i] < 0)
			continue;
		err = mix_host_open(&mix->hosts[i], setup, i, extack);
		if (err)
			return err;
	}
	return 0;
}

static bool mix_id_taken(const char *id)
{
	struct snd_card *card;
	bool taken = false;
	int i;

	for (i = 0; i < SNDRV_CARDS && !taken; i++) {
		card = snd_card_ref(i);
		if (!card)
			continue;
		taken = !strcmp(card->id, id);
		snd_card_unref(card);
	}
	return taken;
}

static int mix_start(struct mix *mix, const struct mix_setup *setup,
		     struct netlink_ext_ack *extack)
{
	struct snd_card *card = mix->card;
	struct task_struct *thread;
	int i, err;

	err = mix_card_fill(mix);
	if (!err)
		err = mix_controls_fill(mix);
	if (!err)
		err = snd_card_ro_proc_new(card, "mix", mix, mix_proc_read);
	if (err)
		return err;
	thread = kthread_create(mix_thread, mix, "mix-%s", card->id);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	mix->thread = thread;
	sched_set_fifo(thread);
	wake_up_process(thread);
	for (i = 0; i < ARRAY_SIZE(mix->hosts); i++)
		mix_host_attach(&mix->hosts[i]);
	err = snd_card_register(card);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "card %s cannot be registered",
				   card->id);
	} else if (strcmp(card->id, setup->name)) {
		/* ALSA has made another of it. */
		NL_SET_ERR_MSG_FMT(extack, "%s is no id of a card", setup->name);
		err = -EINVAL;
	}
	return err;
}

/**
 * mix_create - make a mixer
 * @setup: what it is to be, checked
 * @extack: where to say what is wrong
 * @show: called with the new one
 * @data: for @show
 *
 * Context: Process context of whoever sent the descriptors, sleeps.
 * Return: 0 or an error.
 */
int mix_create(const struct mix_setup *setup, struct netlink_ext_ack *extack,
	       int (*show)(const struct mix *mix, void *data), void *data)
{
	struct snd_card *card;
	struct mix *mix;
	int err;

	err = snd_card_new(mix_root, SNDRV_DEFAULT_IDX1, setup->name, THIS_MODULE,
			   sizeof(*mix), &card);
	if (err)
		return err;
	mix = card->private_data;
	mix_init(mix, card, setup);
	/* From now on it ends as all do. */
	mutex_lock(&mixes_lock);
	list_add_tail(&mix->list, &mixes);
	if (mix_id_taken(setup->name)) {
		NL_SET_ERR_MSG_FMT(extack, "there is a card %s already",
				   setup->name);
		err = -EEXIST;
	} else {
		snprintf(card->longname, sizeof(card->longname),
			 "devhost mixer %s, %u ports", card->id, mix->num_ports);
		strscpy(card->mixername, card->id);
		err = mix_open_hosts(mix, setup, extack);
	}
	if (!err)
		err = mix_start(mix, setup, extack);
	if (!err)
		err = show(mix, data);
	if (err)
		mix_lost(mix);
	mutex_unlock(&mixes_lock);
	if (err)
		flush_workqueue(mix_wq);
	return err;
}

/**
 * mix_delete - end a mixer
 * @name: its name
 *
 * Context: Process context, sleeps.
 * Return: 0, or -ENOENT.
 */
int mix_delete(const char *name)
{
	struct mix *mix;
	int err = -ENOENT;

	mutex_lock(&mixes_lock);
	list_for_each_entry(mix, &mixes, list) {
		if (strcmp(mix->card->id, name))
			continue;
		mix_lost(mix);
		err = 0;
	}
	mutex_unlock(&mixes_lock);
	flush_workqueue(mix_wq);
	return err;
}

/**
 * mix_each - show all mixers
 * @first: how many to leave out; counted up
 * @show: called for each
 * @data: for @show
 *
 * Context: Process context, sleeps.
 * Return: 0, or what @show did not like.
 */
int mix_each(unsigned int *first,
	     int (*show)(const struct mix *mix, void *data), void *data)
{
	unsigned int i = 0;
	struct mix *mix;
	int err = 0;

	mutex_lock(&mixes_lock);
	list_for_each_entry(mix, &mixes, list) {
		if (i++ < *first)
			continue;
		err = show(mix, data);
		if (err)
			break;
		*first = i;
	}
	mutex_unlock(&mixes_lock);
	return err;
}

static int __init mix_module_init(void)
{
	int err;

	mix_root = root_device_register(KBUILD_MODNAME);
	if (IS_ERR(mix_root))
		return PTR_ERR(mix_root);
	mix_wq = alloc_workqueue("vhost_snd_mix", WQ_UNBOUND, 0);
	if (!mix_wq) {
		err = -ENOMEM;
		goto err_root;
	}
	err = mix_netlink_init();
	if (err)
		goto err_wq;
	return 0;

err_wq:
	destroy_workqueue(mix_wq);
err_root:
	root_device_unregister(mix_root);
	return err;
}
module_init(mix_module_init);

static void __exit mix_module_exit(void)
{
	struct mix *mix;

	mix_netlink_exit();
	mutex_lock(&mixes_lock);
	list_for_each_entry(mix, &mixes, list)
		mix_lost(mix);
	mutex_unlock(&mixes_lock);
	destroy_workqueue(mix_wq);
	root_device_unregister(mix_root);
}
module_exit(mix_module_exit);

MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(DEVHOST_MIX_GENL_NAME);
MODULE_DESCRIPTION("mixer of several guests on one PCM of the host");
