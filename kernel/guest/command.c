// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands on their way: sent, answered or given up. A command that is given up
 * stays with the virtqueue until the device returns it or has been reset, for
 * the device may write its answer still. So it is reset at once: nobody waits a
 * second time for a device that is dead.
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "virtio_video_drv.h"

/**
 * virtio_video_cmd_new - a command
 * @type: enum virtio_video_cmd_type
 * @req_len: bytes of the request, header included
 * @resp_len: bytes of the answer at most
 *
 * Context: Process context.
 * Return: the command, zero but for its type, or NULL.
 */
struct virtio_video_cmd *virtio_video_cmd_new(u32 type, size_t req_len,
					      size_t resp_len)
{
	struct virtio_video_cmd *cmd = kzalloc_obj(*cmd);
	struct virtio_video_cmd_hdr *hdr;
	/* Where DMA is not coherent, the two share no cache line. */
	size_t at = ALIGN(req_len, dma_get_cache_alignment());

	if (!cmd)
		return NULL;
	cmd->req = kzalloc(at + resp_len, GFP_KERNEL);
	if (!cmd->req) {
		kfree(cmd);
		return NULL;
	}
	kref_init(&cmd->ref);
	INIT_LIST_HEAD(&cmd->list);
	init_completion(&cmd->done);
	cmd->req_len = req_len;
	cmd->resp = cmd->req + at;
	cmd->resp_len = resp_len;
	hdr = cmd->req;
	hdr->type = cpu_to_le32(type);
	return cmd;
}

static void virtio_video_cmd_free(struct kref *ref)
{
	struct virtio_video_cmd *cmd =
		container_of(ref, struct virtio_video_cmd, ref);

	if (cmd->stream)
		virtio_video_stream_put(cmd->stream);
	kfree(cmd->extra);
	kfree(cmd->req);
	kfree(cmd);
}

void virtio_video_cmd_put(struct virtio_video_cmd *cmd)
{
	kref_put(&cmd->ref, virtio_video_cmd_free);
}

static int virtio_video_cmd_add(struct virtio_video_device *vv,
				struct virtio_video_cmd *cmd)
{
	struct scatterlist req, extra, resp;
	struct scatterlist *sgs[3];
	unsigned int out = 0;

	if (!vv->up)
		return -ENODEV;
	sg_init_one(&req, cmd->req, cmd->req_len);
	sgs[out++] = &req;
	if (cmd->extra) {
		sg_init_one(&extra, cmd->extra, cmd->extra_len);
		sgs[out++] = &extra;
	}
	sg_init_one(&resp, cmd->resp, cmd->resp_len);
	sgs[out] = &resp;
	return virtqueue_add_sgs(vv->commandq, sgs, out, 1, cmd, GFP_ATOMIC);
}

static int virtio_video_cmd_try(struct virtio_video_device *vv,
				struct virtio_video_cmd *cmd)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&vv->lock, flags);
	err = virtio_video_cmd_add(vv, cmd);
	if (!err) {
		kref_get(&cmd->ref);
		virtqueue_kick(vv->commandq);
	}
	spin_unlock_irqrestore(&vv->lock, flags);
	return err;
}

/**
 * virtio_video_cmd_send - send a command
 * @vv: the device
 * @cmd: the command; the caller's reference stays the caller's
 *
 * Context: Process context. Waits where the queue is full, but not for long.
 * Return: 0 or an error.
 */
int virtio_video_cmd_send(struct virtio_video_device *vv,
			  struct virtio_video_cmd *cmd)
{
	int err = virtio_video_cmd_try(vv, cmd);

	/* Somebody has waited, and nothing was answered since. */
	if (err != -ENOSPC || READ_ONCE(vv->stuck))
		return err;
	wait_event_timeout(vv->space,
			   (err = virtio_video_cmd_try(vv, cmd)) != -ENOSPC,
			   VIRTIO_VIDEO_TIMEOUT);
	if (err == -ENOSPC)
		WRITE_ONCE(vv->stuck, true);
	return err;
}

static int virtio_video_cmd_error(u32 type)
{
	switch (type) {
	case VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY:
		return -ENOMEM;
	case VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION:
		return -EBUSY;
	case VIRTIO_VIDEO_RESP_ERR_INVALID_STREAM_ID:
	case VIRTIO_VIDEO_RESP_ERR_INVALID_RESOURCE_ID:
		return -ENOENT;
	case VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER:
	case VIRTIO_VIDEO_RESP_ERR_UNSUPPORTED_CONTROL:
		return -EINVAL;
	default:
		return -EIO;
	}
}

/**
 * virtio_video_cmd_answer - what became of a command that is done
 * @cmd: the command
 * @type: enum virtio_video_resp_type, that of success
 * @len: bytes that the answer needs to have
 *
 * Context: Any.
 * Return: 0 or an error.
 */
int virtio_video_cmd_answer(const struct virtio_video_cmd *cmd, u32 type,
			    size_t len)
{
	const struct virtio_video_cmd_hdr *hdr = cmd->resp;
	u32 is;

	if (cmd->status)
		return cmd->status;
	if (cmd->used < sizeof(*hdr) || cmd->used > cmd->resp_len)
		return -EIO;
	is = le32_to_cpu(hdr->type);
	if (is != type)
		return virtio_video_cmd_error(is);
	return cmd->used < len ? -EIO : 0;
}

/**
 * virtio_video_cmd_call - send a command and wait for its answer
 * @vv: the device
 * @cmd: the command; the caller's reference stays the caller's
 * @type: enum virtio_video_resp_type, that of success
 * @len: bytes that the answer needs to have
 *
 * A device that does not answer is reset: it has nothing of any stream then, and
 * whatever streams ask for fails without a wait.
 *
 * Context: Process context, sleeps, but not for long.
 * Return: 0 or an error; -ETIMEDOUT where there was no answer.
 */
int virtio_video_cmd_call(struct virtio_video_device *vv,
			  struct virtio_video_cmd *cmd, u32 type, size_t len)
{
	unsigned int restarts = READ_ONCE(vv->restarts);
	int err = virtio_video_cmd_send(vv, cmd);

	if (err)
		return err;
	if (!wait_for_completion_timeout(&cmd->done, VIRTIO_VIDEO_TIMEOUT)) {
		virtio_video_restart(vv, restarts);
		return -ETIMEDOUT;
	}
	return virtio_video_cmd_answer(cmd, type, len);
}

static void virtio_video_cmds_done(struct list_head *cmds)
{
	struct virtio_video_cmd *cmd, *next;

	list_for_each_entry_safe(cmd, next, cmds, list) {
		list_del_init(&cmd->list);
		if (cmd->complete)
			cmd->complete(cmd);
		complete(&cmd->done);
		virtio_video_cmd_put(cmd);
	}
}

/* The device has answered. */
void virtio_video_cmd_interrupt(struct virtqueue *vq)
{
	struct virtio_video_device *vv = vq->vdev->priv;
	struct virtio_video_cmd *cmd;
	unsigned long flags;
	unsigned int used;
	LIST_HEAD(cmds);

	spin_lock_irqsave(&vv->lock, flags);
	do {
		virtqueue_disable_cb(vq);
		while ((cmd = virtqueue_get_buf(vq, &used))) {
			cmd->used = used;
			list_add_tail(&cmd->list, &cmds);
		}
	} while (!virtqueue_enable_cb(vq));
	if (!list_empty(&cmds))
		WRITE_ONCE(vv->stuck, false);
	spin_unlock_irqrestore(&vv->lock, flags);
	/* In the order in which the device has done them. */
	virtio_video_cmds_done(&cmds);
	wake_up(&vv->space);
}

/**
 * virtio_video_cmd_flush - there will be no more answers
 * @vv: the device, reset
 *
 * Context: Process context.
 */
void virtio_video_cmd_flush(struct virtio_video_device *vv)
{
	struct virtio_video_cmd *cmd;
	unsigned long flags;
	LIST_HEAD(cmds);

	spin_lock_irqsave(&vv->lock, flags);
	while ((cmd = virtqueue_detach_unused_buf(vv->commandq))) {
		cmd->status = -ENODEV;
		list_add_tail(&cmd->list, &cmds);
	}
	WRITE_ONCE(vv->stuck, false);
	spin_unlock_irqrestore(&vv->lock, flags);
	virtio_video_cmds_done(&cmds);
	wake_up_all(&vv->space);
}
