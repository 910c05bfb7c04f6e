// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device classes: virtio video decoders and encoders, RFC v3.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>

#include "vhost_video.h"

/* Threads for the codec: as many streams can be at it at once. */
#define VHOST_VIDEO_HELPERS	8

/* What is read of it must be the codec's for as long as it is the device's. */
static int vhost_video_codec_take(struct vhost_video *vv, int fd, bool encoder,
				  struct netlink_ext_ack *extack)
{
	int err;

	err = vhost_video_node_open(&vv->node, fd, encoder, extack);
	if (err)
		return err;
	err = vhost_video_caps_read(vv);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack,
				   "%s has no formats that a guest's %s could use",
				   vv->node.vdev->name,
				   encoder ? "encoder" : "decoder");
		vhost_video_node_close(&vv->node);
		return err;
	}
	vhost_video_controls_read(vv);
	return 0;
}

static int vhost_video_create(struct devhost_device *dev, struct nlattr **tb,
			      bool encoder, struct netlink_ext_ack *extack)
{
	struct vhost_video *vv = devhost_priv(dev);
	int err;

	if (!tb[DEVHOST_A_VIDEO_FD]) {
		NL_SET_ERR_MSG(extack, "a video device needs a codec");
		return -EINVAL;
	}
	vv->dev = dev;
	vv->max_streams = VHOST_VIDEO_STREAMS_DEFAULT;
	if (tb[DEVHOST_A_VIDEO_STREAMS_MAX])
		vv->max_streams = nla_get_u32(tb[DEVHOST_A_VIDEO_STREAMS_MAX]);
	INIT_LIST_HEAD(&vv->streams);
	err = vhost_video_codec_take(vv, nla_get_u32(tb[DEVHOST_A_VIDEO_FD]),
				     encoder, extack);
	if (err)
		return err;
	mutex_init(&vv->node_lock);
	return 0;
}

static int vhost_video_decoder_create(struct devhost_device *dev,
				      struct nlattr **tb,
				      struct netlink_ext_ack *extack)
{
	return vhost_video_create(dev, tb, false, extack);
}

static int vhost_video_encoder_create(struct devhost_device *dev,
				      struct nlattr **tb,
				      struct netlink_ext_ack *extack)
{
	return vhost_video_create(dev, tb, true, extack);
}

static void vhost_video_destroy(struct devhost_device *dev)
{
	struct vhost_video *vv = devhost_priv(dev);

	vhost_video_node_close(&vv->node);
	mutex_destroy(&vv->node_lock);
}

/* Drivers have been told what the codec can do, and are not told again. */
static bool vhost_video_alike(const struct vhost_video *vv,
			      const struct vhost_video *other)
{
	return !memcmp(vv->caps, other->caps, sizeof(vv->caps)) &&
	       !memcmp(vv->profiles, other->profiles, sizeof(vv->profiles)) &&
	       !memcmp(vv->levels, other->levels, sizeof(vv->levels));
}

/* A codec in the place of one that has gone. Streams have failed with that. */
static int vhost_video_set(struct devhost_device *dev, struct nlattr **tb,
			   struct netlink_ext_ack *extack)
{
	struct vhost_video *vv = devhost_priv(dev);
	struct vhost_video *other;
	int err;

	if (!tb[DEVHOST_A_VIDEO_FD] || tb[DEVHOST_A_VIDEO_STREAMS_MAX]) {
		NL_SET_ERR_MSG(extack, "only the codec can be another one");
		return -EINVAL;
	}
	if (video_is_registered(vv->node.vdev)) {
		NL_SET_ERR_MSG(extack, "the device has its codec");
		return -EBUSY;
	}
	other = kvzalloc(sizeof(*other), GFP_KERNEL);
	if (!other)
		return -ENOMEM;
	err = vhost_video_codec_take(other, nla_get_u32(tb[DEVHOST_A_VIDEO_FD]),
				     vv->node.encoder, extack);
	if (err)
		goto out;
	if (vhost_video_alike(vv, other)) {
		mutex_lock(&vv->node_lock);
		vhost_video_node_swap(&vv->node, &other->node);
		mutex_unlock(&vv->node_lock);
	} else {
		NL_SET_ERR_MSG_FMT(extack,
				   "%s can do something else than the codec that has gone",
				   other->node.vdev->name);
		err = -EINVAL;
	}
	vhost_video_node_close(&other->node);
out:
	kvfree(other);
	return err;
}

static int vhost_video_fill(struct devhost_device *dev, struct sk_buff *msg)
{
	struct vhost_video *vv = devhost_priv(dev);
	const struct video_device *vdev;
	int err = 0;

	if (nla_put_u32(msg, DEVHOST_A_VIDEO_STREAMS_MAX, vv->max_streams) ||
	    nla_put_u32(msg, DEVHOST_A_VIDEO_STREAMS,
			READ_ONCE(vv->num_streams)))
		return -EMSGSIZE;
	mutex_lock(&vv->node_lock);
	vdev = vv->node.vdev;
	if (nla_put_string(msg, DEVHOST_A_VIDEO_NAME, vdev->name) ||
	    (video_is_registered(vv->node.vdev) &&
	     nla_put_u32(msg, DEVHOST_A_VIDEO_NODE, vdev->num)))
		err = -EMSGSIZE;
	mutex_unlock(&vv->node_lock);
	return err;
}

static u64 vhost_video_features(struct devhost_device *dev)
{
	return BIT_ULL(VIRTIO_VIDEO_F_RESOURCE_GUEST_PAGES) |
	       BIT_ULL(VIRTIO_VIDEO_F_RESOURCE_NON_CONTIG);
}

static int vhost_video_start(struct devhost_device *dev)
{
	struct vhost_video *vv = devhost_priv(dev);

	/* Charged to the VMM, as all that only a driver needs. */
	vv->scratch = kvzalloc(VHOST_VIDEO_CAPS_MAX, GFP_KERNEL_ACCOUNT);
	if (!vv->scratch)
		return -ENOMEM;
	vv->parked = false;
	WRITE_ONCE(vv->live, true);
	return 0;
}

static void vhost_video_reset(struct devhost_device *dev)
{
	struct vhost_video *vv = devhost_priv(dev);

	WRITE_ONCE(vv->live, false);
	synchronize_rcu();
	vhost_video_streams_end(vv);
	kvfree(vv->scratch);
	vv->scratch = NULL;
}

static void vhost_video_suspend(struct devhost_device *dev)
{
	vhost_video_streams_park(devhost_priv(dev));
}

static void vhost_video_resume(struct devhost_device *dev)
{
	struct vhost_video *vv = devhost_priv(dev);

	vv->parked = false;
	/* The work that tells the driver what it does not know. */
	devhost_raise(dev, VHOST_VIDEO_EVENT_CODEC);
}

static enum devhost_answer vhost_video_vq_request(struct devhost_device *dev,
						  struct devhost_vq *vq,
						  struct devhost_chain *chain)
{
	return vhost_video_request(devhost_priv(dev), chain);
}

static void vhost_video_refill(struct devhost_device *dev,
			       struct devhost_vq *vq)
{
	vhost_video_events_send(devhost_priv(dev));
}

static void vhost_video_work(struct devhost_device *dev, unsigned long events)
{
	struct vhost_video *vv = devhost_priv(dev);

	vhost_video_streams_woken(vv);
	vhost_video_events_send(vv);
}

static void vhost_video_lost(struct devhost_device *dev,
			     struct devhost_resource *res)
{
	vhost_video_resource_lost(devhost_priv(dev), res);
}

static void vhost_video_judge(struct devhost_device *dev)
{
	vhost_video_streams_judge(devhost_priv(dev));
}

static void vhost_video_get_config(struct devhost_device *dev, void *buf)
{
	struct vhost_video *vv = devhost_priv(dev);
	struct virtio_video_config *config = buf;

	config->max_caps_length = cpu_to_le32(VHOST_VIDEO_CAPS_MAX);
	config->max_resp_length = cpu_to_le32(VHOST_VIDEO_CAPS_MAX);
	mutex_lock(&vv->node_lock);
	strscpy(config->device_name, vv->node.vdev->name,
		sizeof(config->device_name));
	mutex_unlock(&vv->node_lock);
}

#define VHOST_VIDEO_OPS(new) {						\
	.create = new,							\
	.destroy = vhost_video_destroy,					\
	.set = vhost_video_set,						\
	.fill = vhost_video_fill,					\
	.features = vhost_video_features,				\
	.start = vhost_video_start,					\
	.stop = vhost_video_reset,					\
	.suspend = vhost_video_suspend,					\
	.resume = vhost_video_resume,					\
	.request = vhost_video_vq_request,				\
	.refill = vhost_video_refill,					\
	.work = vhost_video_work,					\
	.lost = vhost_video_lost,					\
	.judge = vhost_video_judge,					\
	.get_config = vhost_video_get_config,				\
}

static const struct devhost_class_ops vhost_video_decoder_ops =
	VHOST_VIDEO_OPS(vhost_video_decoder_create);
static const struct devhost_class_ops vhost_video_encoder_ops =
	VHOST_VIDEO_OPS(vhost_video_encoder_create);

static const struct devhost_vq_info vhost_video_vqs[VIRTIO_VIDEO_VQS] = {
	[VIRTIO_VIDEO_COMMANDQ] = { .name = "commandq", .bounded = true },
	[VIRTIO_VIDEO_EVENTQ] = { .name = "eventq", .supply = true },
};

static const struct nla_policy vhost_video_policy[DEVHOST_A_VIDEO_MAX + 1] = {
	[DEVHOST_A_VIDEO_FD] = { .type = NLA_U32 },
	[DEVHOST_A_VIDEO_STREAMS_MAX] =
		NLA_POLICY_RANGE(NLA_U32, 1, DEVHOST_VIDEO_STREAMS_LIMIT),
};

static const char * const vhost_video_counters[VHOST_VIDEO_COUNTERS] = {
	[VHOST_VIDEO_STREAMS] = "streams",
	[VHOST_VIDEO_IMPORTED] = "buffers_imported",
	[VHOST_VIDEO_QUEUED] = "buffers_queued",
	[VHOST_VIDEO_FRAMES] = "frames",
	[VHOST_VIDEO_CORRUPTED] = "buffers_failed",
	[VHOST_VIDEO_ERRORS] = "stream_errors",
	[VHOST_VIDEO_LOST] = "buffers_lost",
	[VHOST_VIDEO_RESOLUTIONS] = "resolution_changes",
	[VHOST_VIDEO_DENIED] = "denied",
};

#define VHOST_VIDEO_CLASS(kind, id) {					\
	.name = "video_" #kind,						\
	.virtio_id = id,						\
	.owner = THIS_MODULE,						\
	.vqs = vhost_video_vqs,						\
	.num_vqs = VIRTIO_VIDEO_VQS,					\
	.helpers = VHOST_VIDEO_HELPERS,					\
	.config_size = sizeof(struct virtio_video_config),		\
	.priv_size = sizeof(struct vhost_video),			\
	.attr_policy = vhost_video_policy,				\
	.attr_max = DEVHOST_A_VIDEO_MAX,				\
	.counters = vhost_video_counters,				\
	.num_counters = VHOST_VIDEO_COUNTERS,				\
	.ops = &vhost_video_##kind##_ops,				\
}

static struct devhost_class vhost_video_decoder =
	VHOST_VIDEO_CLASS(decoder, VIRTIO_ID_VIDEO_DECODER);
static struct devhost_class vhost_video_encoder =
	VHOST_VIDEO_CLASS(encoder, VIRTIO_ID_VIDEO_ENCODER);

static int __init vhost_video_init(void)
{
	int err;

	err = devhost_register_class(&vhost_video_decoder);
	if (err)
		return err;
	err = devhost_register_class(&vhost_video_encoder);
	if (err)
		devhost_unregister_class(&vhost_video_decoder);
	return err;
}
module_init(vhost_video_init);

static void __exit vhost_video_exit(void)
{
	devhost_unregister_class(&vhost_video_encoder);
	devhost_unregister_class(&vhost_video_decoder);
}
module_exit(vhost_video_exit);

/* The core asks for the module by the name of the class. */
MODULE_ALIAS("vhost_video_decoder");
MODULE_ALIAS("vhost_video_encoder");
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("virtio video devices on the host's V4L2 codecs");
