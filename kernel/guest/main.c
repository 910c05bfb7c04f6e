// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe, removal, and what lies between: a device that asks for a reset, or does
 * not answer, is reset and begun with again. Streams don't live through that;
 * the node does.
 */
#include <linux/ctype.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <media/media-device.h>
#include <media/v4l2-ioctl.h>

#include "virtio_video_drv.h"

static const struct v4l2_file_operations virtio_video_fops = {
	.owner = THIS_MODULE,
	.open = virtio_video_open,
	.release = virtio_video_release,
	.poll = virtio_video_poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = virtio_video_mmap,
};

/* From new queues to a device that can be talked to. */
static int virtio_video_up(struct virtio_video_device *vv)
{
	struct virtqueue_info info[VIRTIO_VIDEO_VQS] = {
		[VIRTIO_VIDEO_COMMANDQ] = {
			.name = "commandq",
			.callback = virtio_video_cmd_interrupt,
		},
		[VIRTIO_VIDEO_EVENTQ] = {
			.name = "eventq",
			.callback = virtio_video_event_interrupt,
		},
	};
	struct virtqueue *vqs[VIRTIO_VIDEO_VQS];
	int err;

	err = virtio_find_vqs(vv->vdev, VIRTIO_VIDEO_VQS, vqs, info, NULL);
	if (err)
		return err;
	vv->commandq = vqs[VIRTIO_VIDEO_COMMANDQ];
	vv->eventq = vqs[VIRTIO_VIDEO_EVENTQ];
	virtio_video_events_fill(vv);
	virtio_device_ready(vv->vdev);
	spin_lock_irq(&vv->lock);
	vv->up = true;
	spin_unlock_irq(&vv->lock);
	return 0;
}

/* When it returns, the device has no memory of ours, and all streams have failed. */
static void virtio_video_down(struct virtio_video_device *vv)
{
	struct virtio_video_stream *stream;
	bool up;

	spin_lock_irq(&vv->lock);
	up = vv->up;
	vv->up = false;
	spin_unlock_irq(&vv->lock);
	spin_lock_irq(&vv->streams_lock);
	list_for_each_entry(stream, &vv->streams, list)
		virtio_video_stream_fail(stream, true);
	spin_unlock_irq(&vv->streams_lock);
	if (!up)
		return;
	virtio_reset_device(vv->vdev);
	virtio_synchronize_cbs(vv->vdev);
	virtio_video_cmd_flush(vv);
	while (virtqueue_detach_unused_buf(vv->eventq))
		;
	vv->vdev->config->del_vqs(vv->vdev);
}

/* What the core does before a probe, features as they were. */
static int virtio_video_renegotiate(struct virtio_device *vdev)
{
	int err;

	virtio_reset_device(vdev);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);
	err = vdev->config->finalize_features(vdev);
	if (err)
		return err;
	virtio_add_status(vdev, VIRTIO_CONFIG_S_FEATURES_OK);
	if (!(vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_FEATURES_OK))
		return -ENODEV;
	return 0;
}

/**
 * virtio_video_restart - reset the device and begin with it again
 * @vv: the device
 * @restarts: how many there had been when the need was seen
 *
 * When it returns, the device has none of the buffers that it had before.
 *
 * Context: Process context, sleeps.
 */
void virtio_video_restart(struct virtio_video_device *vv, unsigned int restarts)
{
	int err;

	mutex_lock(&vv->restart_lock);
	if (vv->removed || vv->restarts != restarts)
		goto unlock;
	vv->restarts++;
	dev_warn(&vv->vdev->dev, "the device is reset\n");
	virtio_video_down(vv);
	err = virtio_video_renegotiate(vv->vdev);
	if (!err)
		err = virtio_video_up(vv);
	if (err) {
		virtio_add_status(vv->vdev, VIRTIO_CONFIG_S_FAILED);
		dev_err(&vv->vdev->dev, "no use after a reset: %d\n", err);
	}
unlock:
	mutex_unlock(&vv->restart_lock);
}

static void virtio_video_config_work(struct work_struct *work)
{
	struct virtio_video_device *vv =
		container_of(work, struct virtio_video_device, config_work);
	unsigned int restarts = READ_ONCE(vv->restarts);

	if (vv->vdev->config->get_status(vv->vdev) &
	    VIRTIO_CONFIG_S_NEEDS_RESET)
		virtio_video_restart(vv, restarts);
}

/* Nothing in it changes but that the device may want a reset. */
static void virtio_video_config_changed(struct virtio_device *vdev)
{
	struct virtio_video_device *vv = vdev->priv;

	schedule_work(&vv->config_work);
}

static void virtio_video_free(struct v4l2_device *v4l2_dev)
{
	struct virtio_video_device *vv =
		container_of(v4l2_dev, struct virtio_video_device, v4l2_dev);

	v4l2_device_unregister(v4l2_dev);
	virtio_video_caps_free(vv);
	ida_destroy(&vv->ids);
	mutex_destroy(&vv->restart_lock);
	kfree(vv->events);
	kfree(vv);
}

static bool virtio_video_printable(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len && name[i]; i++)
		if (!isascii(name[i]) || !isprint(name[i]))
			return false;
	return i;
}

/* Devices of the plain RFC have none, and then there is who knows what. */
static void virtio_video_name_read(struct virtio_video_device *vv)
{
	struct device *parent = vv->vdev->dev.parent;
	char name[sizeof_field(struct virtio_video_config, device_name)];

	strscpy(vv->name, vv->encoder ? "virtio-video encoder" :
		"virtio-video decoder");
	virtio_cread_bytes(vv->vdev,
			   offsetof(struct virtio_video_config, device_name),
			   name, sizeof(name));
	if (virtio_video_printable(name, sizeof(name)))
		strscpy(vv->name, name, min(sizeof(name), sizeof(vv->name)));
	snprintf(vv->bus_info, sizeof(vv->bus_info), "platform:%s",
		 dev_name(&vv->vdev->dev));
	if (parent)
		media_set_bus_info(vv->bus_info, sizeof(vv->bus_info), parent);
}

static void virtio_video_dma_init(struct virtio_video_device *vv)
{
	vv->dma_dev = virtqueue_dma_dev(vv->commandq);
	if (!vv->dma_dev) {
		vv->physical = true;
		vv->dma_dev = vv->vdev->dev.parent;
	}
	if (vv->dma_dev->dma_parms)
		dma_set_max_seg_size(vv->dma_dev, UINT_MAX);
}

static int virtio_video_register(struct virtio_video_device *vv)
{
	struct video_device *vfd = &vv->vfd;

	strscpy(vfd->name, VIRTIO_VIDEO_NAME);
	vfd->v4l2_dev = &vv->v4l2_dev;
	vfd->fops = &virtio_video_fops;
	vfd->ioctl_ops = &virtio_video_ioctl_ops;
	vfd->vfl_dir = VFL_DIR_M2M;
	vfd->release = video_device_release_empty;
	vfd->device_caps = V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING;
	if (vv->encoder) {
		v4l2_disable_ioctl(vfd, VIDIOC_DECODER_CMD);
		v4l2_disable_ioctl(vfd, VIDIOC_TRY_DECODER_CMD);
	} else {
		v4l2_disable_ioctl(vfd, VIDIOC_ENCODER_CMD);
		v4l2_disable_ioctl(vfd, VIDIOC_TRY_ENCODER_CMD);
		v4l2_disable_ioctl(vfd, VIDIOC_S_SELECTION);
		v4l2_disable_ioctl(vfd, VIDIOC_G_PARM);
		v4l2_disable_ioctl(vfd, VIDIOC_S_PARM);
		v4l2_disable_ioctl(vfd, VIDIOC_ENUM_FRAMEINTERVALS);
	}
	video_set_drvdata(vfd, vv);
	return video_register_device(vfd, VFL_TYPE_VIDEO, -1);
}

static struct virtio_video_device *virtio_video_new(struct virtio_device *vdev)
{
	struct virtio_video_device *vv = kzalloc_obj(*vv);

	if (!vv)
		return NULL;
	vv->vdev = vdev;
	vv->encoder = vdev->id.device == VIRTIO_ID_VIDEO_ENCODER;
	vv->non_contig = virtio_has_feature(vdev,
					    VIRTIO_VIDEO_F_RESOURCE_NON_CONTIG);
	spin_lock_init(&vv->lock);
	init_waitqueue_head(&vv->space);
	spin_lock_init(&vv->streams_lock);
	INIT_LIST_HEAD(&vv->streams);
	ida_init(&vv->ids);
	mutex_init(&vv->restart_lock);
	INIT_WORK(&vv->config_work, virtio_video_config_work);
	vdev->priv = vv;
	return vv;
}

static int virtio_video_probe(struct virtio_device *vdev)
{
	struct virtio_video_device *vv;
	int err;

	if (!virtio_has_feature(vdev, VIRTIO_VIDEO_F_RESOURCE_GUEST_PAGES)) {
		dev_err(&vdev->dev, "the device takes no guest pages\n");
		return -EOPNOTSUPP;
	}
	vv = virtio_video_new(vdev);
	if (!vv)
		return -ENOMEM;
	err = virtio_video_events_init(vv);
	if (err)
		goto err_free;
	err = v4l2_device_register(&vdev->dev, &vv->v4l2_dev);
	if (err)
		goto err_free;
	/* From here on the last reference frees it. */
	vv->v4l2_dev.release = virtio_video_free;
	virtio_video_name_read(vv);
	err = virtio_video_up(vv);
	if (err)
		goto err_put;
	virtio_video_dma_init(vv);
	err = virtio_video_caps_read(vv);
	if (err)
		goto err_down;
	err = virtio_video_controls_query(vv);
	if (err)
		goto err_down;
	virtio_video_defaults_read(vv);
	err = virtio_video_register(vv);
	if (err)
		goto err_down;
	return 0;

err_down:
	vv->removed = true;
	cancel_work_sync(&vv->config_work);
	virtio_video_down(vv);
err_put:
	v4l2_device_disconnect(&vv->v4l2_dev);
	v4l2_device_put(&vv->v4l2_dev);
	return err;
err_free:
	kfree(vv->events);
	kfree(vv);
	return err;
}

static void virtio_video_remove(struct virtio_device *vdev)
{
	struct virtio_video_device *vv = vdev->priv;

	cancel_work_sync(&vv->config_work);
	video_unregister_device(&vv->vfd);
	mutex_lock(&vv->restart_lock);
	vv->removed = true;
	virtio_video_down(vv);
	mutex_unlock(&vv->restart_lock);
	v4l2_device_disconnect(&vv->v4l2_dev);
	v4l2_device_put(&vv->v4l2_dev);
}

#ifdef CONFIG_PM_SLEEP
static int virtio_video_freeze(struct virtio_device *vdev)
{
	struct virtio_video_device *vv = vdev->priv;

	cancel_work_sync(&vv->config_work);
	mutex_lock(&vv->restart_lock);
	vv->restarts++;
	virtio_video_down(vv);
	mutex_unlock(&vv->restart_lock);
	return 0;
}

static int virtio_video_restore(struct virtio_device *vdev)
{
	return virtio_video_up(vdev->priv);
}
#endif

static const struct virtio_device_id virtio_video_ids[] = {
	{ VIRTIO_ID_VIDEO_ENCODER, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_VIDEO_DECODER, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, virtio_video_ids);

static const unsigned int virtio_video_features[] = {
	VIRTIO_VIDEO_F_RESOURCE_GUEST_PAGES,
	VIRTIO_VIDEO_F_RESOURCE_NON_CONTIG,
};

static struct virtio_driver virtio_video_driver = {
	.driver.name = VIRTIO_VIDEO_NAME,
	.feature_table = virtio_video_features,
	.feature_table_size = ARRAY_SIZE(virtio_video_features),
	.id_table = virtio_video_ids,
	.probe = virtio_video_probe,
	.remove = virtio_video_remove,
	.config_changed = virtio_video_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = virtio_video_freeze,
	.restore = virtio_video_restore,
#endif
};
module_virtio_driver(virtio_video_driver);

MODULE_DESCRIPTION("virtio-video decoders and encoders");
MODULE_AUTHOR("The devhost developers");
MODULE_LICENSE("GPL");
