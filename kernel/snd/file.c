// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a PCM of the host.
 *
 * The daemon has opened it, since opening is where permissions are checked, and
 * since an open file holds all that a substream needs: the card, its module, the
 * substream itself. What the file is we see from the device number and from what
 * only PCM files can do: a file whose card is gone has lost its operations, and
 * its number may be somebody else's.
 */
#include <linux/file.h>

#include "vhost_snd.h"

static LIST_HEAD(vhost_snd_files);		/* vhost_snd_files_lock */
static DEFINE_MUTEX(vhost_snd_files_lock);

static const int vhost_snd_minor_types[] = {
	[SNDRV_PCM_STREAM_PLAYBACK] = SNDRV_DEVICE_TYPE_PCM_PLAYBACK,
	[SNDRV_PCM_STREAM_CAPTURE] = SNDRV_DEVICE_TYPE_PCM_CAPTURE,
};

/* Only PCM files among ALSA's have these, as long as their card is there. */
static bool vhost_snd_file_is_pcm(const struct file *file, int direction)
{
	const struct file_operations *ops = READ_ONCE(file->f_op);

	if (direction == SNDRV_PCM_STREAM_PLAYBACK)
		return ops->write_iter && !ops->read && ops->unlocked_ioctl;
	return ops->read_iter && !ops->write && ops->unlocked_ioctl;
}

static struct snd_pcm_substream *vhost_snd_substream(const struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct snd_pcm_substream *substream = NULL;
	int direction;

	if (!S_ISCHR(inode->i_mode) || imajor(inode) != CONFIG_SND_MAJOR)
		return NULL;
	for (direction = 0; direction < ARRAY_SIZE(vhost_snd_minor_types);
	     direction++) {
		const struct snd_pcm_file *pcm_file;
		struct snd_pcm *pcm;

		pcm = snd_lookup_minor_data(iminor(inode),
					    vhost_snd_minor_types[direction]);
		if (!pcm)
			continue;
		if (vhost_snd_file_is_pcm(file, direction)) {
			pcm_file = file->private_data;
			substream = pcm_file->substream;
			if (substream->pcm != pcm ||
			    substream->stream != direction)
				substream = NULL;
		}
		snd_card_unref(pcm->card);
	}
	return substream;
}

/* Two users of a substream would be in each other's way. */
static int vhost_snd_file_enlist(struct vhost_snd_file *pcm)
{
	struct vhost_snd_file *other;
	int err = 0;

	mutex_lock(&vhost_snd_files_lock);
	list_for_each_entry(other, &vhost_snd_files, list)
		if (other->substream == pcm->substream)
			err = -EBUSY;
	if (!err)
		list_add_tail(&pcm->list, &vhost_snd_files);
	mutex_unlock(&vhost_snd_files_lock);
	return err;
}

/**
 * vhost_snd_file_quieten - have a PCM keep quiet and give back what it holds
 * @pcm: the PCM, with nobody else at it
 *
 * Context: Process context, sleeps.
 */
void vhost_snd_file_quieten(struct vhost_snd_file *pcm)
{
	const struct file_operations *ops = READ_ONCE(pcm->file->f_op);

	snd_pcm_kernel_ioctl(pcm->substream, SNDRV_PCM_IOCTL_DROP, NULL);
	/* Not among the requests of snd_pcm_kernel_ioctl(); has no argument. */
	ops->unlocked_ioctl(pcm->file, SNDRV_PCM_IOCTL_HW_FREE, 0);
}
EXPORT_SYMBOL_GPL(vhost_snd_file_quieten);

/**
 * vhost_snd_file_open - take the PCM that an open file is
 * @pcm: gets it, without parameters
 * @fd: descriptor of the current task
 * @extack: where to say what is wrong with it
 *
 * Context: Process context of whoever sent the descriptor, may sleep.
 * Return: 0 or an error.
 */
int vhost_snd_file_open(struct vhost_snd_file *pcm, int fd,
			struct netlink_ext_ack *extack)
{
	struct file *file = fget(fd);
	int err = -EINVAL;

	if (!file) {
		NL_SET_ERR_MSG_FMT(extack, "%d is not an open file", fd);
		return -EBADF;
	}
	pcm->file = file;
	pcm->substream = vhost_snd_substream(file);
	if (!pcm->substream) {
		NL_SET_ERR_MSG_FMT(extack, "file %d is not a PCM that is there",
				   fd);
		goto err_file;
	}
	/* Who copies must not wait for room. */
	if (!(file->f_flags & O_NONBLOCK) ||
	    !(pcm->substream->f_flags & O_NONBLOCK) ||
	    (file->f_flags & O_APPEND)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "PCM %d has to be opened with O_NONBLOCK, without O_APPEND",
				   fd);
		goto err_file;
	}
	err = vhost_snd_file_enlist(pcm);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "PCM %d is a stream already", fd);
		goto err_file;
	}
	/* It may have been used before. */
	vhost_snd_file_quieten(pcm);
	return 0;

err_file:
	fput(file);
	return err;
}
EXPORT_SYMBOL_GPL(vhost_snd_file_open);

/**
 * vhost_snd_file_close - give the file back
 * @pcm: the PCM
 *
 * Context: A thread of the kernel, sleeps: fput() of others waits for their end.
 */
void vhost_snd_file_close(struct vhost_snd_file *pcm)
{
	mutex_lock(&vhost_snd_files_lock);
	list_del(&pcm->list);
	mutex_unlock(&vhost_snd_files_lock);
	__fput_sync(pcm->file);
}
EXPORT_SYMBOL_GPL(vhost_snd_file_close);
